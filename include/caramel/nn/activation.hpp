#ifndef CARAMEL_NN_ACTIVATION_HPP
#define CARAMEL_NN_ACTIVATION_HPP

// Layers without weights: functions of each number alone, softmax, and dropout.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/nn/elementary.hpp>
#include <caramel/nn/layer.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

template <class X>
auto flat_span(X& x) noexcept {
    return std::span(x.data(), static_cast<std::size_t>(x.size()));
}

// The parameters of a layer that has none.
template <class T, class Layer>
struct no_params {
    [[nodiscard]] std::size_t check(std::size_t inputs, std::string_view) const noexcept { return inputs; }
    [[nodiscard]] matrix<T> apply(matrix<T> x) const {
        if constexpr (requires { Layer::value(T(0)); })
            for (T& v : flat_span(x)) v = Layer::value(v);
        return x;
    }
    [[nodiscard]] std::span<const T> apply(std::span<const T> row, workspace& scratch) const {
        if constexpr (requires { Layer::value(T(0)); }) {
            const auto y = scratch.take<T>(row.size());
            for (std::size_t j = 0; j < row.size(); ++j) y[j] = Layer::value(row[j]);
            return y;
        } else {
            return row;
        }
    }
    static constexpr std::array<const char*, 0> field_names{};
    [[nodiscard]] std::tuple<> fields() const noexcept { return {}; }
};

// Whether the slope is told by the value alone: then `slope(y, y)` is that at the x that gave y.
template <class Function>
inline constexpr bool slope_by_value = requires { requires Function::slope_by_value; };

// Each of the `n` gradients by a function's values becomes that by what went in. `x` may be null where the value says it all.
template <class Function, class T>
void multiply_by_slopes(const T* const x, const T* const y, T* const __restrict d, row_index n) noexcept {
    const T* const in = slope_by_value<Function> ? y : x;
    for (row_index i = 0; i < n; ++i) d[i] *= Function::slope(in[i], y[i]);
}

}  // namespace detail

/// A function of each number, as a layer. An activation of your own is a few lines:
///
///     struct soft_sign : elementwise_layer<soft_sign> {
///         static constexpr std::string_view kind = "soft_sign";
///         template <class T> static T value(T x) { return x / (1 + std::abs(x)); }
///         template <class T> static T slope(T x, T /*y*/) { return 1 / ((1 + std::abs(x)) * (1 + std::abs(x))); }  // y = value(x)
///     };
template <class Function>
struct elementwise_layer {
    template <class T>
    using params = detail::no_params<T, Function>;
    template <class T>
    using grads = detail::no_params<T, Function>;
    template <class T>
    struct cache {
        const matrix<T>* x = nullptr;
        matrix<T> y;
    };

    template <class T>
    [[nodiscard]] detail::no_params<T, Function> init(const layer_shape&, rng&) const { return {}; }
    template <class T>
    [[nodiscard]] const matrix<T>& forward(const detail::no_params<T, Function>& p, const matrix<T>& x, cache<T>& c, rng&) const {
        c.x = &x;
        c.y = p.apply(x);
        return c.y;
    }
    template <class T>
    [[nodiscard]] matrix<T> backward(const detail::no_params<T, Function>&, cache<T>& c, matrix<T> dy, detail::no_params<T, Function>&) const {
        detail::multiply_by_slopes<Function>(c.x->data(), c.y.data(), dy.data(), dy.size());
        return dy;
    }
    template <class Params, class Grads, class F>
    void visit(Params&, Grads&, const F&) const {}
};

/// max(x, 0), with slope 0 at 0.
struct relu : elementwise_layer<relu> {
    static constexpr std::string_view kind = "relu";
    static constexpr bool slope_by_value = true;
    template <class T>
    [[nodiscard]] static T value(T x) noexcept { return x < T(0) ? T(0) : x; }  // so written, NaN stays NaN
    template <class T>
    [[nodiscard]] static T slope(T x, T) noexcept { return x > T(0) ? T(1) : T(0); }
};

/// x, or a hundredth of it below 0 (Maas, Hannun & Ng, 2013).
struct leaky_relu : elementwise_layer<leaky_relu> {
    static constexpr std::string_view kind = "leaky_relu";
    static constexpr bool slope_by_value = true;
    template <class T>
    [[nodiscard]] static T value(T x) noexcept { return detail::choose(x < T(0), T(0.01) * x, x); }
    template <class T>
    [[nodiscard]] static T slope(T x, T) noexcept { return x > T(0) ? T(1) : T(0.01); }
};

/// x, or exp(x) - 1 below 0 (Clevert, Unterthiner & Hochreiter, ICLR 2016).
struct elu : elementwise_layer<elu> {
    static constexpr std::string_view kind = "elu";
    static constexpr bool slope_by_value = true;
    template <class T>
    [[nodiscard]] static T value(T x) noexcept {
        return detail::choose(x < T(0), detail::expm1_down(detail::choose(x < T(0), x, T(0))), x);
    }
    template <class T>
    [[nodiscard]] static T slope(T, T y) noexcept { return detail::choose(y < T(0), y + T(1), T(1)); }
};

/// The hyperbolic tangent. (Not `tanh`, which clashes with `std` under `using namespace`.)
struct tanh_layer : elementwise_layer<tanh_layer> {
    static constexpr std::string_view kind = "tanh";
    static constexpr bool slope_by_value = true;
    template <class T>
    [[nodiscard]] static T value(T x) noexcept { return detail::tanh_of(x); }
    template <class T>
    [[nodiscard]] static T slope(T, T y) noexcept { return T(1) - y * y; }
};

/// 1 / (1 + exp(-x)), without overflow.
struct sigmoid : elementwise_layer<sigmoid> {
    static constexpr std::string_view kind = "sigmoid";
    static constexpr bool slope_by_value = true;
    template <class T>
    [[nodiscard]] static T value(T x) noexcept { return detail::logistic_of(x); }
    template <class T>
    [[nodiscard]] static T slope(T, T y) noexcept { return y * (T(1) - y); }
};

/// x times the probability that a standard normal number is below x (Hendrycks & Gimpel, 2016): the exact form, by erf, not the
/// one by tanh.
struct gelu : elementwise_layer<gelu> {
    static constexpr std::string_view kind = "gelu";
    template <class T>
    [[nodiscard]] static T value(T x) noexcept { return x * detail::normal_of(x).below; }
    template <class T>
    [[nodiscard]] static T slope(T x, T) noexcept {
        const auto at = detail::normal_of(x);
        return at.below + x * at.density;
    }
};

/// x times its sigmoid, also called swish (Ramachandran, Zoph & Le, 2017).
struct silu : elementwise_layer<silu> {
    static constexpr std::string_view kind = "silu";
    template <class T>
    [[nodiscard]] static T value(T x) noexcept { return x * detail::logistic_of(x); }
    template <class T>
    [[nodiscard]] static T slope(T x, T) noexcept {
        const T s = detail::logistic_of(x);
        return s * (T(1) + x * (T(1) - s));
    }
};

/// The functions that `activation` chooses among. In saved files: numbers never change meaning.
enum class activation_function : std::uint8_t { relu, leaky_relu, elu, tanh, sigmoid, gelu, silu };

namespace detail {

// Calls `use` with the layer of the function.
template <class F>
decltype(auto) with_function(activation_function function, const F& use) {
    switch (function) {
        case activation_function::leaky_relu: return use(leaky_relu{});
        case activation_function::elu: return use(elu{});
        case activation_function::tanh: return use(tanh_layer{});
        case activation_function::sigmoid: return use(sigmoid{});
        case activation_function::gelu: return use(gelu{});
        case activation_function::silu: return use(silu{});
        default: return use(relu{});
    }
}

// Each of the numbers becomes the function's value of it.
template <class T>
void activate(activation_function function, std::span<T> numbers) noexcept {
    with_function(function, [&]<class Function>(Function) {
        T* const x = numbers.data();
        const std::size_t n = numbers.size();
        for (std::size_t i = 0; i < n; ++i) x[i] = Function::value(x[i]);
    });
}
// Whether `multiply_by_slopes` needs what went in: if not, a layer may work in place and keep nothing.
template <class = void>
[[nodiscard]] inline bool needs_inputs(activation_function function) noexcept {
    return with_function(function, []<class Function>(Function) { return !slope_by_value<Function>; });
}
// The gradient by the values `y` becomes that by the numbers `x` that they were made of.
template <class T>
void multiply_by_slopes(activation_function function, std::span<const T> x, std::span<const T> y, std::span<T> gradient) noexcept {
    with_function(function, [&]<class Function>(Function) {
        multiply_by_slopes<Function>(x.data(), y.data(), gradient.data(), static_cast<row_index>(gradient.size()));
    });
}

}  // namespace detail

/// Parameters of an activation: which function it is; nothing is learnt.
template <class T>
struct activation_params {
    activation_function function = activation_function::relu;

    [[nodiscard]] std::size_t check(std::size_t inputs, std::string_view who) const {
        require(function <= activation_function::silu, errc::bad_data, who, ": no activation has the number ", static_cast<unsigned>(function));
        return inputs;
    }
    [[nodiscard]] matrix<T> apply(matrix<T> x) const {
        detail::activate(function, detail::flat_span(x));
        return x;
    }
    [[nodiscard]] std::span<const T> apply(std::span<const T> row, workspace& scratch) const {
        const auto y = scratch.take<T>(row.size());
        std::copy(row.begin(), row.end(), y.begin());
        detail::activate(function, y);
        return y;
    }
    static constexpr std::array field_names{"function"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(function); }
};

/// An activation that is chosen when the program runs: `activation{.function = activation_function::gelu}`.
struct activation {
    static constexpr std::string_view kind = "activation";

    activation_function function = activation_function::relu;

    template <class T>
    using params = activation_params<T>;
    template <class T>
    using grads = detail::no_params<T, activation>;
    template <class T>
    struct cache {
        const matrix<T>* x = nullptr;
        matrix<T> y;
    };

    /// Throws `error` (`bad_parameter`).
    template <class T>
    [[nodiscard]] activation_params<T> init(const layer_shape&, rng&) const {
        require(function <= activation_function::silu, errc::bad_parameter, "activation: no function has the number ", static_cast<unsigned>(function));
        return {function};
    }
    template <class T>
    [[nodiscard]] const matrix<T>& forward(const activation_params<T>& p, const matrix<T>& x, cache<T>& c, rng&) const {
        c.x = &x;
        c.y = x;
        detail::activate(p.function, detail::flat_span(c.y));
        return c.y;
    }
    template <class T>
    [[nodiscard]] matrix<T> backward(const activation_params<T>& p, cache<T>& c, matrix<T> dy, grads<T>&) const {
        detail::multiply_by_slopes<T>(p.function, detail::flat_span(*c.x), detail::flat_span(c.y), detail::flat_span(dy));
        return dy;
    }
    template <class Params, class Grads, class F>
    void visit(Params&, Grads&, const F&) const {}
};

/// Each row becomes probabilities that sum to 1. (A classifier's own softmax comes after the last layer by itself: this one
/// is for between layers.)
struct softmax {
    static constexpr std::string_view kind = "softmax";

    template <class T>
    struct params {
        [[nodiscard]] std::size_t check(std::size_t inputs, std::string_view) const noexcept { return inputs; }
        [[nodiscard]] matrix<T> apply(matrix<T> x) const {
            if (x.cols() > 0)
                for (row_index i = 0; i < x.rows(); ++i) detail::softmax_row(std::span(x.data() + i * x.cols(), static_cast<std::size_t>(x.cols())));
            return x;
        }
        [[nodiscard]] std::span<const T> apply(std::span<const T> row, workspace& scratch) const {
            const auto y = scratch.take<T>(row.size());
            std::copy(row.begin(), row.end(), y.begin());
            if (!y.empty()) detail::softmax_row(y);
            return y;
        }
        static constexpr std::array<const char*, 0> field_names{};
        [[nodiscard]] std::tuple<> fields() const noexcept { return {}; }
    };
    template <class T>
    using grads = detail::no_params<T, softmax>;
    template <class T>
    struct cache {
        matrix<T> y;
    };

    template <class T>
    [[nodiscard]] params<T> init(const layer_shape&, rng&) const { return {}; }
    template <class T>
    [[nodiscard]] const matrix<T>& forward(const params<T>& p, const matrix<T>& x, cache<T>& c, rng&) const {
        c.y = p.apply(x);
        return c.y;
    }
    template <class T>
    [[nodiscard]] matrix<T> backward(const params<T>&, cache<T>& c, matrix<T> dy, grads<T>&) const {
        for (row_index i = 0; i < dy.rows(); ++i) {
            const T* const y = c.y.data() + i * dy.cols();
            T* const d = dy.data() + i * dy.cols();
            double along = 0;
            for (row_index j = 0; j < dy.cols(); ++j) along += static_cast<double>(d[j]) * static_cast<double>(y[j]);
            for (row_index j = 0; j < dy.cols(); ++j) d[j] = y[j] * (d[j] - static_cast<T>(along));
        }
        return dy;
    }
    template <class Params, class Grads, class F>
    void visit(Params&, Grads&, const F&) const {}
};

/// In training, each number becomes 0 with probability `share` and is divided by 1 - `share` otherwise (Srivastava et al.,
/// JMLR 15, 2014, in the inverted form); a trained model passes its input through.
struct dropout {
    static constexpr std::string_view kind = "dropout";

    double share = 0.5;  ///< 0 <= share < 1

    template <class T>
    using params = detail::no_params<T, dropout>;
    template <class T>
    using grads = detail::no_params<T, dropout>;
    template <class T>
    struct cache {
        matrix<T> mask, y;
    };

    /// Throws `error` (`bad_parameter`).
    template <class T>
    [[nodiscard]] params<T> init(const layer_shape&, rng&) const {
        require(share >= 0 && share < 1, errc::bad_parameter, "dropout: share = ", share, ", must be at least 0 and below 1");
        return {};
    }
    template <class T>
    [[nodiscard]] const matrix<T>& forward(const detail::no_params<T, dropout>&, const matrix<T>& x, cache<T>& c, rng& numbers) const {
        const T kept = T(1 / (1 - share));
        c.mask.resize(x.rows(), x.cols());
        for (T& m : detail::flat_span(c.mask)) m = numbers.uniform() < share ? T(0) : kept;
        c.y = x.cwiseProduct(c.mask);
        return c.y;
    }
    template <class T>
    [[nodiscard]] matrix<T> backward(const detail::no_params<T, dropout>&, cache<T>& c, matrix<T> dy, detail::no_params<T, dropout>&) const {
        dy.array() *= c.mask.array();
        return dy;
    }
    template <class Params, class Grads, class F>
    void visit(Params&, Grads&, const F&) const {}
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
