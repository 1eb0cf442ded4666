#ifndef CARAMEL_NN_STATIC_MLP_HPP
#define CARAMEL_NN_STATIC_MLP_HPP

// A trained multilayer perceptron whose sizes the compiler knows, for hosts that answer in a hot loop without allocating.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/panels.hpp>
#include <caramel/core/products.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/nn/predictor.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// The form of `packed_dense`, in arrays.
template <class T, std::size_t In, std::size_t Out>
class static_dense {
    static constexpr std::size_t few = few_lanes<T>::count, wide = panels<T>::width;
    static constexpr bool narrow = Out <= few;

   public:
    static constexpr std::size_t inputs = In, width = narrow ? few : (Out + wide - 1) / wide * wide;

    void set(const dense_params<T>& p) noexcept {
        for (std::size_t j = 0; j < Out; ++j) {
            bias_[j] = p.bias.data()[j];
            for (std::size_t i = 0; i < In; ++i)
                weights_[narrow ? i * few + j : j / wide * wide * In + i * wide + j % wide] = p.weights.data()[i * Out + j];
        }
    }
    template <bool Hidden>
    void row(const T* x, T* out) const noexcept {
        if constexpr (narrow) multiply_few<T>(x, weights_.data(), In, bias_.data(), Hidden, out);
        else multiply_row_panels<Hidden ? finish::bias_relu : finish::bias, T>(x, weights_.data(), In, Out, bias_.data(), out);
    }

   private:
    alignas(64) std::array<T, In * width> weights_{};
    alignas(64) std::array<T, width> bias_{};
};

template <class T, class Sizes, class Layers>
struct static_stack_of;
template <class T, std::size_t... Sizes, std::size_t... L>
struct static_stack_of<T, std::index_sequence<Sizes...>, std::index_sequence<L...>> {
    static constexpr std::array<std::size_t, sizeof...(Sizes)> sizes{Sizes...};
    using type = std::tuple<static_dense<T, sizes[L], sizes[L + 1]>...>;
};

}  // namespace detail

/// A trained `mlp_model`, `mlp_multilabel_model` or `mlp_regressor_model` of these sizes: inputs, hidden layers, outputs.
/// Answers one row with the same bits as that model. It holds its weights in itself (`static_mlp<float, 64, 256, 128, 1>`
/// is 200 kB), so it belongs into a member or a static variable; what is saved is the model that it was made from.
template <class T, std::size_t In, std::size_t... Units>
class static_mlp {
    static_assert(sizeof...(Units) > 0 && In > 0 && ((Units > 0) && ...), "caramel: static_mlp<T, inputs, hidden ..., outputs> needs sizes above 0");
    static constexpr std::size_t n_layers = sizeof...(Units);
    static constexpr std::array<std::size_t, n_layers + 1> sizes{In, Units...};

   public:
    static constexpr std::string_view kind = "static_mlp";
    static constexpr std::size_t n_outputs = sizes[n_layers];

    /// Throws `error` (`shape_mismatch`) where the model has other layers.
    explicit static_mlp(const mlp_model<T>& model) : head_(head::classes) {
        static_assert(n_outputs >= 2, "caramel: a classifier (mlp_model) has 2 outputs or more; mlp_multilabel_model may have 1");
        set(model.layers());
    }
    explicit static_mlp(const mlp_multilabel_model<T>& model) : head_(head::labels) { set(model.layers()); }
    explicit static_mlp(const mlp_regressor_model<T>& model) : head_(head::values) {
        set(model.layers());
        std::copy_n(model.mean().data(), n_outputs, mean_.begin());
        std::copy_n(model.deviation().data(), n_outputs, deviation_.begin());
    }

    /// One row -> (outputs). Throws `error`, as the model does: `nan_or_inf`; `number_out_of_range` where the row's numbers
    /// are too large. Allocates nothing, unless it throws.
    [[nodiscard]] std::array<T, n_outputs> operator()(std::span<const T, In> row) const {
        std::array<T, n_outputs> out;
        if (!answer(row, out)) [[unlikely]] {
            require_finite(std::span<const T>(row), kind);
            fail(errc::number_out_of_range, {.row = 1}, kind, ": the values of row 1 are too large: the outputs are beyond the number type");
        }
        return out;
    }
    /// The same for hosts without exceptions: false where a number of the row, or an answer, is not finite.
    [[nodiscard]] bool answer(std::span<const T, In> row, std::span<T, n_outputs> out) const noexcept {
        return detail::all_finite(row.data(), In) && forward<0>(row.data(), out) && finish(out) && detail::all_finite(out.data(), n_outputs);
    }

    [[nodiscard]] static constexpr std::size_t inputs() noexcept { return In; }
    [[nodiscard]] static constexpr std::size_t outputs() noexcept { return n_outputs; }

   private:
    enum class head : std::uint8_t { classes, labels, values };

    void set(const std::vector<dense_params<T>>& layers) {
        require(layers.size() == n_layers, errc::shape_mismatch, kind, ": the model has ", layers.size(), " layers, this type ", n_layers);
        for (std::size_t l = 0; l < n_layers; ++l)
            require(layers[l].inputs() == sizes[l] && std::cmp_equal(layers[l].bias.size(), sizes[l + 1]), errc::shape_mismatch, kind, ": layer ", l + 1,
                    " of the model has ", layers[l].inputs(), " inputs and ", layers[l].bias.size(), " outputs, of this type ", sizes[l], " and ",
                    sizes[l + 1]);
        [&]<std::size_t... L>(std::index_sequence<L...>) { (std::get<L>(layers_).set(layers[L]), ...); }
        (std::make_index_sequence<n_layers>());
    }
    template <std::size_t L>
    bool forward(const T* x, std::span<T, n_outputs> out) const noexcept {
        const auto& layer = std::get<L>(layers_);
        alignas(64) std::array<T, std::remove_cvref_t<decltype(layer)>::width> y;
        layer.template row<(L + 1 < n_layers)>(x, y.data());
        if constexpr (L + 1 < n_layers) {
            return forward<L + 1>(y.data(), out);
        } else {
            std::copy_n(y.begin(), n_outputs, out.begin());
            return detail::all_finite(out.data(), n_outputs);
        }
    }
    bool finish(std::span<T, n_outputs> out) const noexcept {
        switch (head_) {
            case head::classes: detail::class_head<T>{}.finish(out); break;
            case head::labels: detail::label_head<T>{}.finish(out); break;
            case head::values:
                for (std::size_t k = 0; k < n_outputs; ++k) out[k] = out[k] * deviation_[k] + mean_[k];
        }
        return true;
    }

    typename detail::static_stack_of<T, std::index_sequence<In, Units...>, std::make_index_sequence<n_layers>>::type layers_{};
    std::array<T, n_outputs> mean_{}, deviation_{};
    head head_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
