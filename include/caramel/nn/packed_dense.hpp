#ifndef CARAMEL_NN_PACKED_DENSE_HPP
#define CARAMEL_NN_PACKED_DENSE_HPP

// Dense layers with ReLU between them, laid out for products: how they are trained and how they answer.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/panels.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/nn/dense.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// A dense layer laid out for products: the weights in panels, or, for very few outputs, row by row in one short vector.
template <class T>
class packed_dense {
   public:
    static constexpr std::size_t few = few_lanes<T>::count;

    packed_dense(const dense_params<T>& p, bool last)
        : inputs_(p.inputs()), outputs_(static_cast<std::size_t>(p.bias.size())), is_narrow_(last && outputs_ <= few),
          weights_(inputs_, is_narrow_ ? 0 : outputs_), narrow_(is_narrow_ ? inputs_ * few : 0),
          bias_((outputs_ + panels<T>::width - 1) / panels<T>::width * panels<T>::width) {
        set(p.weights, 0, inputs_);
        set(p.bias);
    }
    [[nodiscard]] std::size_t inputs() const noexcept { return inputs_; }
    [[nodiscard]] std::size_t outputs() const noexcept { return outputs_; }
    [[nodiscard]] bool narrow() const noexcept { return is_narrow_; }
    // From a row of outputs to the next, where rows lie one after another.
    [[nodiscard]] std::size_t output_stride() const noexcept { return narrow() ? few : outputs_; }

    void set(const matrix<T>& weights, std::size_t begin, std::size_t end) noexcept {
        for (std::size_t i = begin; i < end; ++i) {
            const T* const row = weights.data() + i * outputs_;
            if (narrow()) std::copy_n(row, outputs_, narrow_.data() + i * few);
            else weights_.set_row(i, row);
        }
    }
    void set(const vec<T>& bias) noexcept { std::copy_n(bias.data(), outputs_, bias_.data()); }

    // Rows [begin, end) of out = relu(x * weights + bias), a whole number of tiles.
    void hidden(const left_rows<T>& x, std::size_t begin, std::size_t end, panels<T>& out) const noexcept {
        multiply_panels<finish::bias_relu, T>(x, weights_, bias_.data(), nullptr, T(1), begin, end, out);
    }
    // The same of a layer with few outputs, without ReLU and with rows of `output_stride`.
    void few_outputs(const left_rows<T>& x, std::size_t begin, std::size_t end, T* out) const noexcept {
        using lane = typename few_lanes<T>::type;
        constexpr std::size_t tile = panels<T>::tile;
        for (std::size_t i = begin; i < end; i += tile) {
            lane sum[tile][1] = {};
            add_left_rows<T>(sum, {x.numbers + i * x.row, x.row, x.run, x.skip}, narrow_.data(), inputs_);
            store_tile<finish::bias, T>(sum, bias_.data(), T(1), out + i * few, few);
        }
    }
    // One row: out = x * weights + bias, then ReLU if it is `hidden`; `out` has room for `padded_outputs`.
    [[nodiscard]] std::size_t padded_outputs() const noexcept { return narrow() ? few : bias_.size(); }
    void row(const T* x, bool hidden, T* out) const noexcept {
        if (narrow()) multiply_few<T>(x, narrow_.data(), inputs_, bias_.data(), hidden, out);
        else if (hidden) multiply_row_panels<finish::bias_relu, T>(x, weights_.at(0, 0), inputs_, outputs_, bias_.data(), out);
        else multiply_row_panels<finish::bias, T>(x, weights_.at(0, 0), inputs_, outputs_, bias_.data(), out);
    }
    // And of one with more, into panels.
    void many_outputs(const left_rows<T>& x, std::size_t begin, std::size_t end, panels<T>& out) const noexcept {
        multiply_panels<finish::bias, T>(x, weights_, bias_.data(), nullptr, T(1), begin, end, out);
    }

   private:
    std::size_t inputs_, outputs_;
    bool is_narrow_;  // only the last layer, whose outputs do not go into panels
    panels<T> weights_;
    std::vector<T> narrow_, bias_;
};

template <class T>
[[nodiscard]] std::vector<packed_dense<T>> pack(const std::vector<dense_params<T>>& layers) {
    std::vector<packed_dense<T>> out;
    for (const auto& layer : layers) out.emplace_back(layer, &layer == &layers.back());
    return out;
}

// The outputs of a stack for some rows, and what lies between its layers.
template <class T>
class dense_activations {
   public:
    static constexpr std::size_t tile = panels<T>::tile;

    dense_activations(const std::vector<packed_dense<T>>& layers, std::size_t rows) : rows_((rows + tile - 1) / tile * tile) {
        for (const auto& layer : layers) inputs_.emplace_back(rows_, layer.inputs(), unwritten{});
        for (std::size_t i = rows; i < rows_; ++i) inputs_.front().clear_row(i);
        if (!layers.back().narrow()) last_ = panels<T>(rows_, layers.back().outputs());
        stride_ = layers.back().output_stride();
        z_.resize(rows_ * stride_);
    }
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] panels<T>& inputs(std::size_t layer) noexcept { return inputs_[layer]; }
    [[nodiscard]] panels<T>& last() noexcept { return last_; }
    [[nodiscard]] std::span<const T> outputs(std::size_t row, std::size_t n) const noexcept { return {z_.data() + row * stride_, n}; }

    // For rows [begin, end), `begin` the first of a tile; `between(layer, begin, end)` is called after each hidden layer.
    template <class Between>
    void forward(const std::vector<packed_dense<T>>& layers, std::size_t begin, std::size_t end, const Between& between) noexcept {
        const std::size_t whole = (end + tile - 1) / tile * tile;
        for (std::size_t l = 0; l + 1 < layers.size(); ++l) {
            layers[l].hidden(left_of(inputs_[l], 0), begin, whole, inputs_[l + 1]);
            between(l, begin, end);
        }
        const auto& top = layers.back();
        if (top.narrow()) return top.few_outputs(left_of(inputs_.back(), 0), begin, whole, z_.data());
        top.many_outputs(left_of(inputs_.back(), 0), begin, whole, last_);
        for (std::size_t i = begin; i < end; ++i) last_.get_row(i, z_.data() + i * stride_);
    }

   private:
    std::size_t rows_, stride_ = 0;
    std::vector<panels<T>> inputs_;  // of each layer
    panels<T> last_;
    std::vector<T> z_;
};

// A trained stack of dense layers, ready to answer.
template <class T>
class packed_stack {
   public:
    explicit packed_stack(const std::vector<dense_params<T>>& layers) : layers_(pack(layers)) {}

    // The outputs of a batch, row by row: `take(row, outputs)`.
    template <class Take>
    void answer(const matrix_in<T>& x, const Take& take) const {
        const auto rows = static_cast<std::size_t>(x.rows());
        if (rows < 4) {  // fewer than are worth a tile
            workspace scratch;
            for (std::size_t i = 0; i < rows; ++i) {
                const workspace::frame frame(scratch);
                take(i, std::span<const T>(answer(std::span(x.data() + static_cast<row_index>(i) * x.outerStride(), layers_.front().inputs()), scratch)));
            }
            return;
        }
        dense_activations<T> values(layers_, std::min(rows, block_rows));
        for (std::size_t at = 0; at < rows; at += block_rows) {
            const std::size_t n = std::min(block_rows, rows - at);
            for (std::size_t i = 0; i < n; ++i) values.inputs(0).set_row(i, x.data() + static_cast<row_index>(at + i) * x.outerStride());
            values.forward(layers_, 0, n, [](std::size_t, std::size_t, std::size_t) {});
            for (std::size_t i = 0; i < n; ++i) take(at + i, values.outputs(i, layers_.back().outputs()));
        }
    }
    [[nodiscard]] std::span<T> answer(std::span<const T> row, workspace& scratch) const {
        const T* x = row.data();
        for (const auto& layer : layers_) {
            const auto y = scratch.take<T>(layer.padded_outputs());
            layer.row(x, &layer != &layers_.back(), y.data());
            x = y.data();
            if (&layer == &layers_.back()) return y.first(layer.outputs());
        }
        return {};
    }

   private:
    static constexpr std::size_t block_rows = 64;  // what lies between the layers of so many stays in the cache

    std::vector<packed_dense<T>> layers_;
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
