#ifndef CARAMEL_NN_OPTIMIZER_HPP
#define CARAMEL_NN_OPTIMIZER_HPP

// Steps down the gradient: stochastic gradient descent with momentum, Adam and AdamW, dense and for touched rows only.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/roots.hpp>
#include <caramel/nn/layer.hpp>
#include <caramel/nn/schedule.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How weights move along a gradient.
enum class update_rule : std::uint8_t {
    adam,   ///< Kingma & Ba, ICLR 2015
    adamw,  ///< Adam with the L2 penalty as a decay of the weights beside it (Loshchilov & Hutter, ICLR 2019)
    sgd,    ///< gradient descent with momentum: velocity = momentum * velocity + gradient
};

/// The rule and its numbers.
struct optimizer_options {
    update_rule rule = update_rule::adam;
    double learning_rate = 1e-3;      ///< above 0
    double momentum = 0.9;            ///< of sgd; 0 <= momentum < 1
    double l2 = 0;                    ///< at least 0: adds l2 / 2 * |weights|^2 to the mean loss; for adamw the rate of decay
    double max_gradient_norm = 0;     ///< at least 0: a longer gradient of all parameters is shortened to it; 0 = never
    double l1 = 0;                    ///< at least 0: adds l1 * (sum of |weights|) to the mean loss; weights become exactly 0
    double max_gradient_value = 0;    ///< at least 0: each number of the gradient is cut to +- this, before its norm is taken; 0 = never
    bool nesterov = false;            ///< of sgd: looks ahead by the velocity (Nesterov, 1983, in the form of Sutskever et al., ICML 2013)
    double beta1 = 0.9;               ///< of adam and adamw: how much the average of the gradients keeps; 0 <= beta1 < 1
    double beta2 = 0.999;             ///< and that of their squares
    double epsilon = 1e-8;            ///< of adam and adamw, above 0
    rate_schedule schedule = {};      ///< of the learning rate
};

/// Throws `error` (`bad_parameter`) on an option out of range.
template <class = void>
inline void require_optimizer(const optimizer_options& o, std::string_view who) {
    const auto at_least_zero = [&](double value, std::string_view name) {
        require(std::isfinite(value) && value >= 0, errc::bad_parameter, who, ": ", name, " = ", value, ", must be at least 0");
    };
    const auto share = [&](double value, std::string_view name) {
        require(value >= 0 && value < 1, errc::bad_parameter, who, ": ", name, " = ", value, ", must be at least 0 and below 1");
    };
    require(o.rule <= update_rule::sgd, errc::bad_parameter, who, ": no update rule has the number ", static_cast<unsigned>(o.rule));
    require(std::isfinite(o.learning_rate) && o.learning_rate > 0, errc::bad_parameter, who, ": learning_rate = ", o.learning_rate, ", must be above 0");
    share(o.momentum, "momentum");
    at_least_zero(o.l2, "l2");
    at_least_zero(o.l1, "l1");
    at_least_zero(o.max_gradient_norm, "max_gradient_norm");
    at_least_zero(o.max_gradient_value, "max_gradient_value");
    share(o.beta1, "beta1");
    share(o.beta2, "beta2");
    require(std::isfinite(o.epsilon) && o.epsilon > 0, errc::bad_parameter, who, ": epsilon = ", o.epsilon, ", must be above 0");
    require_schedule(o.schedule, who);
}

/// Keeps the averages of one training run, beside its parameters.
///
/// Of a sparse block (the rows of a table that a mini-batch names) only those rows change, as if the step were dense on
/// them: the averages of a row stand still while it is away, and it takes no step. This is lazy Adam. Dense Adam would go
/// on moving such a row along its old averages, and let them fade; the bias of the averages is counted in steps of the
/// run for both, so a row that comes late begins with averages taken for older ones, and so with shorter steps.
///
/// The L1 penalty is a proximal step in the step's own measure (Yun, Lozano & Yang, NeurIPS 2021): after the step each
/// weight moves towards 0, at most to 0, by l1 times the rate that the weight's gradient had. For sgd that is the rate of a
/// steady velocity, rate / (1 - momentum).
template <class T>
class optimizer {
   public:
    /// A schedule other than a constant rate without warm-up needs to know the `planned` number of steps.
    /// Throws `error` (`bad_parameter`).
    explicit optimizer(const optimizer_options& options, std::size_t planned = 0) : options_(options), planned_(planned) {
        require_optimizer(options, "optimizer");
        const bool constant = options.schedule.shape == rate_shape::constant && options.schedule.warm_up == 0;
        require(constant || planned > 0, errc::bad_parameter, "optimizer: a schedule is given, but not how many steps are planned");
    }

    /// One step. `visit(f)` calls `f(parameter_block<T>)` for every piece of the parameters, in the same order each time.
    template <class Visit>
    void step(const Visit& visit) {
        begin_step(visit);
        std::size_t n = 0;
        visit([&](const parameter_block<T>& block) {
            if (block.follows > 0) follow(block);
            else update(block, averages_[n++]);
        });
    }
    /// The same in parts, for several threads: `begin_step`, then `step_part` once for every value of every block.
    template <class Visit>
    void begin_step(const Visit& visit) {
        ++steps_;
        first_power_ *= options_.beta1;
        second_power_ *= options_.beta2;
        rate_ = options_.learning_rate * options_.schedule.at(steps_, planned_);
        clip_ = T(1);
        if (options_.max_gradient_norm > 0) clip_ = clipping(visit);
        std::size_t n = 0;
        visit([&](const parameter_block<T>& block) {
            if (block.follows > 0) return;
            if (averages_.size() == n++)
                averages_.push_back({std::vector<T>(block.values.size()), std::vector<T>(options_.rule == update_rule::sgd ? 0 : block.values.size())});
        });
    }
    /// `n` values from `at` on of the dense block that `visit` names as number `which`, from 0.
    void step_part(const parameter_block<T>& block, std::size_t which, std::size_t at, std::size_t n) {
        update_run(block, averages_[which], at, at, n);
    }
    [[nodiscard]] std::size_t steps() const noexcept { return steps_; }
    /// Of the last step.
    [[nodiscard]] double rate() const noexcept { return rate_; }

   private:
    struct averages {
        std::vector<T> first, second;  // the velocity, for sgd
    };

    [[nodiscard]] static T cut(T g, T limit) noexcept { return g < -limit ? -limit : g > limit ? limit : g; }  // so written, NaN stays NaN
    [[nodiscard]] T limit() const noexcept { return options_.max_gradient_value > 0 ? T(options_.max_gradient_value) : std::numeric_limits<T>::infinity(); }

    template <class Visit>
    T clipping(const Visit& visit) const {
        double square = 0;
        const T most = limit();
        visit([&](const parameter_block<T>& block) {
            if (block.follows > 0) return;
            for (const T g : block.gradient) square += static_cast<double>(cut(g, most)) * static_cast<double>(cut(g, most));
        });
        const double norm = std::sqrt(square);
        return norm > options_.max_gradient_norm ? static_cast<T>(options_.max_gradient_norm / norm) : T(1);
    }
    // In the first steps the plain mean of what was seen: nothing is left of where the values began.
    void follow(const parameter_block<T>& block) const {
        const double share = std::max(block.follows, 1 / static_cast<double>(steps_));
        const T mine = T(1 - share), theirs = T(share);
        for (std::size_t i = 0; i < block.values.size(); ++i) block.values[i] = mine * block.values[i] + theirs * block.gradient[i];
    }
    void update(const parameter_block<T>& block, averages& kept) const {
        if (!block.sparse) return update_run(block, kept, 0, 0, block.values.size());
        for (std::size_t r = 0; r < block.rows.size(); ++r) update_run(block, kept, block.rows[r] * block.width, r * block.width, block.width);
    }
    // `n` values from `at` on, with their gradient from `from` on.
    void update_run(const parameter_block<T>& block, averages& kept, std::size_t at, std::size_t from, std::size_t n) const {
        T* const w = block.values.data() + at;
        const T* const g = block.gradient.data() + from;
        const T clip = clip_, most = limit();
        if (options_.max_gradient_value > 0)
            update_values(w, [g, clip, most](std::size_t i) { return clip * cut(g[i], most); }, kept, at, n, block.regularized);
        else
            update_values(w, [g, clip](std::size_t i) { return clip * g[i]; }, kept, at, n, block.regularized);
    }
    template <class Gradient>
    void update_values(T* w, const Gradient& gradient, averages& kept, std::size_t at, std::size_t n, bool regularized) const {
        if (options_.rule == update_rule::sgd) descend(w, gradient, kept.first.data() + at, n, regularized);
        else adam(w, gradient, kept.first.data() + at, kept.second.data() + at, n, regularized);
    }
    // The loops are plain, so that they vectorize: what is optional is a factor of 0 or 1, or a loop of its own.
    template <class Gradient>
    void descend(T* const __restrict w, const Gradient gradient, T* const __restrict velocity, std::size_t n, bool regularized) const {
        const T momentum = T(options_.momentum), rate = T(rate_), l2 = regularized ? T(options_.l2) : T(0);
        if (options_.nesterov) {
            for (std::size_t i = 0; i < n; ++i) {
                const T d = gradient(i) + l2 * w[i];
                velocity[i] = momentum * velocity[i] + d;
                w[i] -= rate * (d + momentum * velocity[i]);
            }
        } else {
            for (std::size_t i = 0; i < n; ++i) {
                velocity[i] = momentum * velocity[i] + (gradient(i) + l2 * w[i]);
                w[i] -= rate * velocity[i];
            }
        }
        if (!regularized || options_.l1 == 0) return;
        const T pull = T(rate_ * options_.l1 / (1 - options_.momentum));
        for (std::size_t i = 0; i < n; ++i) w[i] -= cut(w[i], pull);
    }
    template <class Gradient>
    void adam(T* const __restrict w, const Gradient gradient, T* const __restrict first, T* const __restrict second, std::size_t n, bool regularized) const {
        const bool apart = options_.rule == update_rule::adamw;
        const T l2 = regularized && !apart ? T(options_.l2) : T(0);
        const T keep = regularized && apart ? T(1 - rate_ * options_.l2) : T(1);
        const T rate = T(rate_ / (1 - first_power_));
        const T unbias = T(1 / std::sqrt(1 - second_power_));
        const T pull = regularized ? T(rate_ * options_.l1) : T(0);
        const T b1 = T(options_.beta1), b2 = T(options_.beta2), c1 = T(1 - options_.beta1), c2 = T(1 - options_.beta2), eps = T(options_.epsilon);
        T roots[block_values];
        for (std::size_t at = 0; at < n; at += block_values) {
            const std::size_t end = std::min(n, at + block_values);
            for (std::size_t i = at; i < end; ++i) {
                const T d = gradient(i) + l2 * w[i];
                first[i] = b1 * first[i] + c1 * d;
                second[i] = b2 * second[i] + c2 * (d * d);
                roots[i - at] = second[i];
            }
            detail::square_roots(roots, end - at);
            for (std::size_t i = at; i < end; ++i) w[i] = keep * w[i] - rate * first[i] / (roots[i - at] * unbias + eps);
            if (pull > T(0))
                for (std::size_t i = at; i < end; ++i) w[i] -= cut(w[i], pull / (roots[i - at] * unbias + eps));
        }
    }

    static constexpr std::size_t block_values = 512;

    optimizer_options options_;
    std::size_t planned_;
    std::size_t steps_ = 0;
    double first_power_ = 1, second_power_ = 1;  // the betas to the power of the steps
    double rate_ = 0;
    T clip_ = T(1);
    std::vector<averages> averages_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
