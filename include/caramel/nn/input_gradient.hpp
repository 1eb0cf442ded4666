#ifndef CARAMEL_NN_INPUT_GRADIENT_HPP
#define CARAMEL_NN_INPUT_GRADIENT_HPP

// The gradient of a trained network's answer by what goes in.

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/nn/activation.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/nn/network.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// The gradient by x, from that by what a layer makes of it; parameters of a layer of your own may have a member
// `pull_back(x, dy)`.
template <class T, class Params>
    requires requires(const Params& p, const matrix<T>& x) { p.pull_back(x, x); }
[[nodiscard]] matrix<T> pull_back(const Params& p, const matrix<T>& x, const matrix<T>& dy) {
    return p.pull_back(x, dy);
}
template <class T>
[[nodiscard]] matrix<T> pull_back(const dense_params<T>& p, const matrix<T>&, const matrix<T>& dy) {
    return multiply_by_transposed<T>(dy, p.weights);
}
template <class T, class Layer>
[[nodiscard]] matrix<T> pull_back(const no_params<T, Layer>&, const matrix<T>& x, matrix<T> dy) {
    if constexpr (requires { Layer::slope(T(0), T(0)); })
        for (row_index i = 0; i < dy.size(); ++i) dy.data()[i] *= Layer::slope(x.data()[i], Layer::value(x.data()[i]));
    return dy;
}

// From the gradient by the outputs `z`, of which there are those of the last layer.
template <class T, class Slopes>
matrix<T> through_dense(const std::vector<dense_params<T>>& layers, const matrix<T>& x, const Slopes& slopes) {
    std::vector<matrix<T>> before;  // of each layer but the first its input before ReLU, and the outputs
    for (const auto& layer : layers) before.push_back(before.empty() ? layer.apply(x) : layer.apply(before.back().cwiseMax(T(0))));
    matrix<T> dy = slopes(before.back());
    for (std::size_t l = layers.size(); l-- > 0;) {
        dy = multiply_by_transposed<T>(dy, layers[l].weights);
        if (l > 0) dy = (before[l - 1].array() > T(0)).select(dy, T(0));
    }
    return dy;
}
template <std::size_t I, std::size_t Layers, class T, class Model, class Slopes>
matrix<T> through_layers(const Model& model, const matrix<T>& x, const Slopes& slopes) {
    if constexpr (I < Layers) {
        const auto& layer = model.template layer<I>();
        const matrix<T> y = layer.apply(x);
        return pull_back<T>(layer, x, through_layers<I + 1, Layers, T>(model, y, slopes));
    } else {
        return slopes(x);
    }
}

// The slope of one of the answers by the outputs of the last layer.
template <class T>
matrix<T> class_slopes(matrix<T> z, std::size_t output) {
    for (row_index i = 0; i < z.rows(); ++i) {
        const std::span<T> row(z.data() + i * z.cols(), static_cast<std::size_t>(z.cols()));
        softmax_row(row);
        const T p = row[output];
        for (std::size_t k = 0; k < row.size(); ++k) row[k] = k == output ? p * (T(1) - p) : -p * row[k];
    }
    return z;
}
template <class T>
matrix<T> one_column(const matrix<T>& z, std::size_t output, T value) {
    matrix<T> out = matrix<T>::Zero(z.rows(), z.cols());
    out.col(static_cast<row_index>(output)).setConstant(value);
    return out;
}
template <class T, class Model>
void require_gradient(const Model& model, const matrix<T>& x, std::size_t output) {
    require(std::cmp_equal(x.cols(), model.inputs()), errc::shape_mismatch, "input_gradient: got ", x.cols(), " columns, learnt ", model.inputs());
    require(output < model.outputs(), errc::shape_mismatch, "input_gradient: output ", output, " is wanted, the model has ", model.outputs());
    require_finite(x, "input_gradient");
}

}  // namespace detail

/// (rows, features) -> (rows, features): the slope of the model's `output`-th answer by each feature. At a kink, such as that
/// of ReLU at 0, one side's. Throws `error`: `shape_mismatch` on another number of columns, or an output that there is not;
/// `nan_or_inf`.
template <class T>
[[nodiscard]] matrix<T> input_gradient(const mlp_model<T>& model, const std::type_identity_t<matrix<T>>& x, std::size_t output) {
    detail::require_gradient<T>(model, x, output);
    return detail::through_dense<T>(model.layers(), x, [&](const matrix<T>& z) { return detail::class_slopes<T>(z, output); });
}
template <class T>
[[nodiscard]] matrix<T> input_gradient(const mlp_multilabel_model<T>& model, const std::type_identity_t<matrix<T>>& x, std::size_t output) {
    detail::require_gradient<T>(model, x, output);
    return detail::through_dense<T>(model.layers(), x, [&](const matrix<T>& z) {
        matrix<T> out = matrix<T>::Zero(z.rows(), z.cols());
        const auto k = static_cast<row_index>(output);
        for (row_index i = 0; i < z.rows(); ++i) out(i, k) = detail::sigmoid_of(z(i, k)) * detail::sigmoid_of(-z(i, k));
        return out;
    });
}
template <class T>
[[nodiscard]] matrix<T> input_gradient(const mlp_regressor_model<T>& model, const std::type_identity_t<matrix<T>>& x, std::size_t output) {
    detail::require_gradient<T>(model, x, output);
    return detail::through_dense<T>(model.layers(), x, [&](const matrix<T>& z) { return detail::one_column<T>(z, output, model.deviation()(static_cast<row_index>(output))); });
}
template <class T, class... Layers>
    requires(!detail::first_reads_tokens<Layers...>)
[[nodiscard]] matrix<T> input_gradient(const network_model<T, Layers...>& model, const std::type_identity_t<matrix<T>>& x, std::size_t output) {
    detail::require_gradient<T>(model, x, output);
    return detail::through_layers<0, sizeof...(Layers), T>(model, x, [&](const matrix<T>& z) { return detail::class_slopes<T>(z, output); });
}
template <class T, class... Layers>
    requires(!detail::first_reads_tokens<Layers...>)
[[nodiscard]] matrix<T> input_gradient(const network_regressor_model<T, Layers...>& model, const std::type_identity_t<matrix<T>>& x, std::size_t output) {
    detail::require_gradient<T>(model, x, output);
    return detail::through_layers<0, sizeof...(Layers), T>(model, x,
                                        [&](const matrix<T>& z) { return detail::one_column<T>(z, output, model.deviation()(static_cast<row_index>(output))); });
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
