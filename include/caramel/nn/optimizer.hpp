#ifndef CARAMEL_NN_OPTIMIZER_HPP
#define CARAMEL_NN_OPTIMIZER_HPP

// Steps down the gradient: stochastic gradient descent with momentum, Adam and AdamW, dense and for touched rows only.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/products.hpp>
#include <caramel/nn/layer.hpp>

namespace caramel::inline CARAMEL_ABI {

enum class update_rule : std::uint8_t {
    adam,   ///< Kingma & Ba, ICLR 2015, beta .9 and .999, epsilon 1e-8
    adamw,  ///< Adam with the L2 penalty as a decay of the weights beside it (Loshchilov & Hutter, ICLR 2019)
    sgd,    ///< gradient descent with momentum: velocity = momentum * velocity + gradient
};

struct optimizer_options {
    update_rule rule = update_rule::adam;
    double learning_rate = 1e-3;   ///< above 0
    double momentum = 0.9;         ///< of sgd; 0 <= momentum < 1
    double l2 = 0;                 ///< at least 0: adds l2 / 2 * |weights|^2 to the mean loss; for adamw the rate of decay
    double max_gradient_norm = 0;  ///< at least 0: a longer gradient of all parameters is shortened to it; 0 = never
};

/// Throws `error` (`bad_parameter`) on an option out of range.
inline void require_optimizer(const optimizer_options& o, std::string_view who) {
    require(o.rule <= update_rule::sgd, errc::bad_parameter, who, ": no update rule has the number ", static_cast<unsigned>(o.rule));
    require(std::isfinite(o.learning_rate) && o.learning_rate > 0, errc::bad_parameter, who, ": learning_rate = ", o.learning_rate, ", must be above 0");
    require(o.momentum >= 0 && o.momentum < 1, errc::bad_parameter, who, ": momentum = ", o.momentum, ", must be at least 0 and below 1");
    require(std::isfinite(o.l2) && o.l2 >= 0, errc::bad_parameter, who, ": l2 = ", o.l2, ", must be at least 0");
    require(std::isfinite(o.max_gradient_norm) && o.max_gradient_norm >= 0, errc::bad_parameter, who, ": max_gradient_norm = ", o.max_gradient_norm,
            ", must be at least 0");
}

/// Keeps the averages of one training run, beside its parameters.
template <class T>
class optimizer {
   public:
    explicit optimizer(const optimizer_options& options) : options_(options) { require_optimizer(options, "optimizer"); }

    /// One step. `visit(f)` calls `f(parameter_block<T>)` for every piece of the parameters, in the same order each time.
    /// Of a sparse block only the rows that it names change, as if the step were dense on them.
    template <class Visit>
    void step(const Visit& visit) {
        begin_step(visit);
        std::size_t n = 0;
        visit([&](const parameter_block<T>& block) { update(block, averages_[n++]); });
    }
    /// The same in parts, for several threads: `begin_step`, then `step_part` once for every value of every block.
    template <class Visit>
    void begin_step(const Visit& visit) {
        ++steps_;
        first_power_ *= first_decay;
        second_power_ *= second_decay;
        clip_ = T(1);
        if (options_.max_gradient_norm > 0) clip_ = clipping(visit);
        std::size_t n = 0;
        visit([&](const parameter_block<T>& block) {
            if (averages_.size() == n++)
                averages_.push_back({std::vector<T>(block.values.size()), std::vector<T>(options_.rule == update_rule::sgd ? 0 : block.values.size())});
        });
    }
    /// `n` values from `at` on of the dense block that `visit` names as number `which`, from 0.
    void step_part(const parameter_block<T>& block, std::size_t which, std::size_t at, std::size_t n) {
        update_run(block, averages_[which], at, at, n, block.regularized && options_.l2 > 0);
    }
    [[nodiscard]] std::size_t steps() const noexcept { return steps_; }

   private:
    static constexpr double first_decay = 0.9, second_decay = 0.999, epsilon = 1e-8;

    struct averages {
        std::vector<T> first, second;  // the velocity, for sgd
    };

    template <class Visit>
    T clipping(const Visit& visit) const {
        double square = 0;
        visit([&](const parameter_block<T>& block) {
            for (const T g : block.gradient) square += static_cast<double>(g) * static_cast<double>(g);
        });
        const double norm = std::sqrt(square);
        return norm > options_.max_gradient_norm ? static_cast<T>(options_.max_gradient_norm / norm) : T(1);
    }
    void update(const parameter_block<T>& block, averages& kept) const {
        const bool decays = block.regularized && options_.l2 > 0;
        if (!block.sparse) return update_run(block, kept, 0, 0, block.values.size(), decays);
        for (std::size_t r = 0; r < block.rows.size(); ++r) update_run(block, kept, block.rows[r] * block.width, r * block.width, block.width, decays);
    }
    // `n` values from `at` on, with their gradient from `from` on.
    void update_run(const parameter_block<T>& block, averages& kept, std::size_t at, std::size_t from, std::size_t n, bool decays) const {
        T* const w = block.values.data() + at;
        const T* const g = block.gradient.data() + from;
        if (options_.rule == update_rule::sgd) descend(w, g, kept.first.data() + at, n, decays);
        else adam(w, g, kept.first.data() + at, kept.second.data() + at, n, decays);
    }
    void descend(T* w, const T* g, T* velocity, std::size_t n, bool decays) const {
        const T momentum = T(options_.momentum), rate = T(options_.learning_rate), l2 = decays ? T(options_.l2) : T(0);
        for (std::size_t i = 0; i < n; ++i) {
            velocity[i] = momentum * velocity[i] + (clip_ * g[i] + l2 * w[i]);
            w[i] -= rate * velocity[i];
        }
    }
    void adam(T* w, const T* g, T* first, T* second, std::size_t n, bool decays) const {
        const bool apart = options_.rule == update_rule::adamw;
        const T l2 = decays && !apart ? T(options_.l2) : T(0);
        const T keep = decays && apart ? T(1 - options_.learning_rate * options_.l2) : T(1);
        const T rate = T(options_.learning_rate / (1 - first_power_));
        const T unbias = T(1 / std::sqrt(1 - second_power_));
        constexpr T b1 = T(first_decay), b2 = T(second_decay), c1 = T(1 - first_decay), c2 = T(1 - second_decay), eps = T(epsilon);
        using lane = typename detail::lanes<T>::type;
        constexpr std::size_t count = detail::lanes<T>::count;
        // Written out in vectors: compilers keep std::sqrt scalar.
        const auto move = [&](lane& weight, const lane& slope, lane& m, lane& v) {
            const lane d = clip_ * slope + l2 * weight;
            m = b1 * m + c1 * d;
            v = b2 * v + c2 * (d * d);
            weight = keep * weight - rate * m / (detail::square_root<T>(v) * unbias + eps);
        };
        std::size_t i = 0;
        lane weight{}, slope{}, m{}, v{};
        for (; i + count <= n; i += count) {
            std::memcpy(&weight, w + i, sizeof(lane));
            std::memcpy(&slope, g + i, sizeof(lane));
            std::memcpy(&m, first + i, sizeof(lane));
            std::memcpy(&v, second + i, sizeof(lane));
            move(weight, slope, m, v);
            std::memcpy(first + i, &m, sizeof(lane));
            std::memcpy(second + i, &v, sizeof(lane));
            std::memcpy(w + i, &weight, sizeof(lane));
        }
        if (i == n) return;
        const std::size_t rest = (n - i) * sizeof(T);
        lane some[4] = {};
        std::memcpy(&some[0], w + i, rest);
        std::memcpy(&some[1], g + i, rest);
        std::memcpy(&some[2], first + i, rest);
        std::memcpy(&some[3], second + i, rest);
        move(some[0], some[1], some[2], some[3]);
        std::memcpy(w + i, &some[0], rest);
        std::memcpy(first + i, &some[2], rest);
        std::memcpy(second + i, &some[3], rest);
    }

    optimizer_options options_;
    std::size_t steps_ = 0;
    double first_power_ = 1, second_power_ = 1;  // the decays to the power of the steps
    T clip_ = T(1);
    std::vector<averages> averages_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
