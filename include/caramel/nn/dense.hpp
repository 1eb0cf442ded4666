#ifndef CARAMEL_NN_DENSE_HPP
#define CARAMEL_NN_DENSE_HPP

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/nn/layer.hpp>

namespace caramel::inline CARAMEL_ABI {

/// y = x weights + bias.
template <class T>
struct dense_params {
    matrix<T> weights;  ///< (inputs, units)
    vec<T> bias;        ///< (units)

    [[nodiscard]] std::size_t inputs() const noexcept { return static_cast<std::size_t>(weights.rows()); }
    [[nodiscard]] std::size_t check(std::size_t given, std::string_view who) const {
        require(inputs() == given, errc::bad_data, who, ": a dense layer of ", inputs(), " inputs is given ", given);
        require(weights.cols() == bias.size() && bias.size() > 0, errc::bad_data, who, ": a dense layer has ", weights.cols(), " columns of weights and ",
                bias.size(), " biases");
        require(weights.allFinite() && bias.allFinite(), errc::bad_data, who, ": a dense layer has weights that are not finite");
        return static_cast<std::size_t>(bias.size());
    }
    [[nodiscard]] matrix<T> apply(const matrix_in<T>& x) const {
        matrix<T> y = multiply<T>(x, weights);
        for (row_index i = 0; i < y.rows(); ++i) add_bias({y.data() + i * y.cols(), static_cast<std::size_t>(y.cols())});
        return y;
    }
    [[nodiscard]] std::span<const T> apply(std::span<const T> row, workspace& scratch) const {
        const auto y = scratch.take<T>(static_cast<std::size_t>(bias.size()));
        multiply_row<T>(row, weights, y);
        add_bias(y);
        return y;
    }

    static constexpr std::array field_names{"weights", "bias"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(weights, bias); }

   private:
    void add_bias(std::span<T> y) const noexcept {
        const T* const b = bias.data();
        for (std::size_t j = 0; j < y.size(); ++j) y[j] += b[j];
    }
};

/// A layer of `units` outputs, each a weighted sum of all inputs and a bias. Weights begin uniform within
/// sqrt(6 / (inputs + units)) of 0 (Glorot & Bengio, AISTATS 2010), biases at 0; the L2 penalty is on the weights alone.
struct dense {
    static constexpr std::string_view kind = "dense";
    static constexpr bool sets_width = true;
    static constexpr std::size_t max_units = 65'536;

    std::size_t units = 0;  ///< 1 .. 65,536; 0, for the last one only: as many as the targets need

    template <class T>
    using params = dense_params<T>;
    template <class T>
    using grads = dense_params<T>;
    template <class T>
    struct cache {
        const matrix<T>* x = nullptr;
        matrix<T> y;
    };

    /// Throws `error`: `bad_parameter` where `units` is 0 and the layer is not the last; `limit_exceeded`.
    template <class T>
    [[nodiscard]] dense_params<T> init(const layer_shape& shape, rng& numbers) const {
        const std::size_t out = units == 0 ? shape.outputs : units;
        require(out > 0, errc::bad_parameter, "dense: units = 0, which only the last dense layer of a network may have");
        require(out <= max_units, errc::bad_parameter, "dense: units = ", out, ", must be at most ", max_units);
        require(shape.inputs <= (std::size_t{1} << 34) / out, errc::limit_exceeded, "dense: ", shape.inputs, " inputs times ", out,
                " units are more than 2^34 weights");
        dense_params<T> p{matrix<T>(static_cast<row_index>(shape.inputs), static_cast<row_index>(out)), vec<T>::Zero(static_cast<row_index>(out))};
        const double limit = std::sqrt(6.0 / static_cast<double>(shape.inputs + out));
        for (T& w : std::span(p.weights.data(), static_cast<std::size_t>(p.weights.size()))) w = static_cast<T>(limit * (2 * numbers.uniform() - 1));
        return p;
    }
    template <class T>
    [[nodiscard]] const matrix<T>& forward(const dense_params<T>& p, const matrix<T>& x, cache<T>& c, rng&) const {
        c.x = &x;
        c.y = p.apply(x);
        return c.y;
    }
    template <class T>
    [[nodiscard]] matrix<T> backward(const dense_params<T>& p, cache<T>& c, const matrix<T>& dy, dense_params<T>& g) const {
        gradients(p, c, dy, g);
        return multiply_by_transposed<T>(dy, p.weights);
    }
    template <class T>
    void gradients(const dense_params<T>& p, cache<T>& c, const matrix<T>& dy, dense_params<T>& g) const {
        g.weights.setZero(p.weights.rows(), p.weights.cols());
        add_transposed_product<T>(*c.x, dy, g.weights);
        g.bias.setZero(p.bias.size());
        for (row_index i = 0; i < dy.rows(); ++i)
            for (row_index j = 0; j < dy.cols(); ++j) g.bias(j) += dy(i, j);
    }
    template <class T, class F>
    void visit(dense_params<T>& p, dense_params<T>& g, const F& f) const {
        f(parameter_block<T>{.values = flat(p.weights), .gradient = flat(g.weights), .regularized = true});
        f(parameter_block<T>{.values = flat(p.bias), .gradient = flat(g.bias)});
    }

   private:
    template <class X>
    static auto flat(X& x) {
        return std::span(x.data(), static_cast<std::size_t>(x.size()));
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
