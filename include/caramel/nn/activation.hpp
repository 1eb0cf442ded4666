#ifndef CARAMEL_NN_ACTIVATION_HPP
#define CARAMEL_NN_ACTIVATION_HPP

// Layers without parameters: functions of each number alone, and dropout.

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/workspace.hpp>
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

}  // namespace detail

/// A function of each number, as a layer. An activation of your own is a few lines:
///
///     struct leaky_relu : elementwise_layer<leaky_relu> {
///         static constexpr std::string_view kind = "leaky_relu";
///         template <class T> static T value(T x) { return x < 0 ? x / 10 : x; }
///         template <class T> static T slope(T x, T /*y*/) { return x < 0 ? T(0.1) : T(1); }  // y = value(x)
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
        const T* const x = c.x->data();
        const T* const y = c.y.data();
        T* const d = dy.data();
        const row_index n = dy.size();
        for (row_index i = 0; i < n; ++i) d[i] *= Function::slope(x[i], y[i]);
        return dy;
    }
    template <class Params, class Grads, class F>
    void visit(Params&, Grads&, const F&) const {}
};

/// max(x, 0), with slope 0 at 0.
struct relu : elementwise_layer<relu> {
    static constexpr std::string_view kind = "relu";
    template <class T>
    [[nodiscard]] static T value(T x) noexcept { return x < T(0) ? T(0) : x; }  // so written, NaN stays NaN
    template <class T>
    [[nodiscard]] static T slope(T x, T) noexcept { return x > T(0) ? T(1) : T(0); }
};

/// The hyperbolic tangent. (Not `tanh`, which clashes with `std` under `using namespace`.)
struct tanh_layer : elementwise_layer<tanh_layer> {
    static constexpr std::string_view kind = "tanh";
    template <class T>
    [[nodiscard]] static T value(T x) noexcept { return std::tanh(x); }
    template <class T>
    [[nodiscard]] static T slope(T, T y) noexcept { return T(1) - y * y; }
};

/// 1 / (1 + exp(-x)), without overflow.
struct sigmoid : elementwise_layer<sigmoid> {
    static constexpr std::string_view kind = "sigmoid";
    template <class T>
    [[nodiscard]] static T value(T x) noexcept { return detail::sigmoid_of(x); }
    template <class T>
    [[nodiscard]] static T slope(T, T y) noexcept { return y * (T(1) - y); }
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
