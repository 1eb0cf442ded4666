#ifndef CARAMEL_NN_DENSE_STEPS_HPP
#define CARAMEL_NN_DENSE_STEPS_HPP

// How a stack of dense layers with ReLU between them is trained: the same arithmetic as layer by layer, and the same bits,
// with weights and activations in panels, bias and ReLU added while the sums are in registers, and no allocation a step.
// Threads share a step by rows on the way forward and back, by weights for their gradients and for the optimizer: nothing
// is summed in parts, so the number of threads changes nothing.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/panels.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/team.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/layer.hpp>
#include <caramel/nn/optimizer.hpp>
#include <caramel/nn/packed_dense.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

template <class T>
class dense_steps {
    static constexpr std::size_t tile = panels<T>::tile, width = panels<T>::width;

   public:
    // For mini-batches of up to `rows` rows. `first` are the weights before the first step; afterwards only `step` changes them.
    template <class Stack, class Params>
    dense_steps(const Stack& stack, const Params& first, std::size_t rows, const run_options& how)
        : layers_(pack(first.layers)), values_(layers_, rows), dropout_(stack.drop.share), team_(worth(how, first.layers, rows)) {
        const std::vector<dense_params<T>>& start = first.layers;
        rows = values_.rows();
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            const std::size_t in = layers_[l].inputs(), out = layers_[l].outputs();
            gradients_.push_back({matrix<T>(start[l].weights.rows(), start[l].weights.cols()), vec<T>(start[l].bias.size())});
            slopes_.emplace_back(rows, layers_[l].narrow() ? 0 : out);
            turned_.emplace_back(l == 0 ? 0 : out, l == 0 ? 0 : in);
            if (l > 0) turn(start[l].weights, l, 0, in);
            const std::size_t chunk = team_.size() == 1 ? in : std::max<std::size_t>(1, in / tile / (2 * team_.size())) * tile;
            for (std::size_t i = 0; i < in; i += chunk) pieces_.push_back({l, i, std::min(in, i + chunk)});
            if (dropout_ > 0 && l > 0) masks_.emplace_back(rows * in);
        }
        losses_.resize(rows);
        last_slopes_.resize(rows * layers_.back().output_stride());
    }

    // One step of the optimizer on the rows `which` of x. `loss(row, outputs, slopes)` gives the loss of one row and writes
    // its gradient by the outputs. Returns the sum of the losses; where it is not finite, nothing was changed.
    template <class Params, class Loss>
    double step(Params& params, const matrix_in<T>& x, std::span<const std::size_t> which, const Loss& loss, rng& noise,
                optimizer<T>& steps) {
        std::vector<dense_params<T>>& now = params.layers;
        draw_masks(which.size(), noise);
        by_rows(which.size(), [&](std::size_t begin, std::size_t end) {
            forward(x, which, begin, end, [&](std::size_t l, std::size_t b, std::size_t e) { drop(l, b, e); });
            losses(which, begin, end, loss);
            backward(begin, end);
        });
        const double sum = sum_of_losses(which.size());
        if (!std::isfinite(sum)) return sum;
        team_.run(pieces_.size(), [&](std::size_t p) { gradients(pieces_[p], which.size()); });
        steps.begin_step([&](const auto& f) {
            for (std::size_t l = 0; l < now.size(); ++l) visit_layer(now, l, f);
        });
        team_.run(pieces_.size(), [&](std::size_t p) { update(pieces_[p], now, steps); });
        return sum;
    }
    // The sum of the losses of the rows `which`, without dropout and without learning.
    template <class Loss>
    double evaluate(const matrix_in<T>& x, std::span<const std::size_t> which, const Loss& loss) {
        double sum = 0;
        for (std::size_t at = 0; at < which.size(); at += values_.rows()) {
            const auto some = which.subspan(at, std::min(values_.rows(), which.size() - at));
            by_rows(some.size(), [&](std::size_t begin, std::size_t end) {
                forward(x, some, begin, end, [](std::size_t, std::size_t, std::size_t) {});
                losses(some, begin, end, loss);
            });
            for (std::size_t i = 0; i < some.size(); ++i) sum += losses_[i];
        }
        return sum;
    }

   private:
    struct piece {  // of a layer's weights: rows [begin, end)
        std::size_t layer, begin, end;
    };
    static constexpr std::size_t block_rows = 256;  // what lies between the layers of so many stays in the cache

    // Threads cost some microseconds a step.
    static run_options worth(const run_options& how, const std::vector<dense_params<T>>& layers, std::size_t rows) {
        std::size_t weights = 0;
        for (const auto& layer : layers) weights += static_cast<std::size_t>(layer.weights.size());
        return rows * weights < 1'000'000 ? run_options{} : how;
    }
    template <class Work>
    void by_rows(std::size_t rows, const Work& work) {
        const std::size_t share = (rows + 2 * team_.size() - 1) / (2 * team_.size());
        const std::size_t block = team_.size() == 1 ? block_rows : std::clamp((share + tile - 1) / tile * tile, 2 * tile, block_rows);
        team_.run((rows + block - 1) / block, [&](std::size_t b) { work(b * block, std::min(rows, (b + 1) * block)); });
    }
    template <class Between>
    void forward(const matrix_in<T>& x, std::span<const std::size_t> which, std::size_t begin, std::size_t end, const Between& between) noexcept {
        for (std::size_t i = begin; i < end; ++i) values_.inputs(0).set_row(i, x.data() + static_cast<row_index>(which[i]) * x.outerStride());
        values_.forward(layers_, begin, end, between);
    }
    template <class Loss>
    void losses(std::span<const std::size_t> which, std::size_t begin, std::size_t end, const Loss& loss) noexcept {
        const std::size_t n = layers_.back().outputs();
        for (std::size_t i = begin; i < end; ++i) losses_[i] = loss(which[i], values_.outputs(i, n), std::span<T>(last_slopes(i), n));
    }
    [[nodiscard]] T* last_slopes(std::size_t row) noexcept { return last_slopes_.data() + row * layers_.back().output_stride(); }
    [[nodiscard]] double sum_of_losses(std::size_t rows) const noexcept {
        double sum = 0;
        for (std::size_t i = 0; i < rows; ++i) sum += losses_[i];
        return sum;
    }

    void draw_masks(std::size_t rows, rng& noise) {
        for (std::size_t l = 0; l < masks_.size(); ++l)
            for (std::size_t i = 0; i < rows * layers_[l].outputs(); ++i) masks_[l][i] = noise.uniform() < dropout_ ? T(0) : kept();
    }
    [[nodiscard]] T kept() const noexcept { return dropout_ > 0 ? T(1 / (1 - dropout_)) : T(1); }
    void drop(std::size_t l, std::size_t begin, std::size_t end) noexcept {
        if (masks_.empty()) return;
        panels<T>& y = values_.inputs(l + 1);
        for (std::size_t j = 0; j < y.columns(); j += width)
            for (std::size_t i = begin; i < end; ++i) {
                const T* const mask = masks_[l].data() + i * y.columns() + j;
                T* const row = y.at(i, j);
                for (std::size_t c = 0; c < std::min(width, y.columns() - j); ++c) row[c] *= mask[c];
            }
    }

    // The gradients by the outputs of each layer, from the last one's. A unit that dropout took out is 0, as one that ReLU
    // did, and passes nothing back; the others were multiplied by `kept`.
    void backward(std::size_t begin, std::size_t end) noexcept {
        const std::size_t top = layers_.size() - 1, whole = (end + tile - 1) / tile * tile;
        if (!layers_[top].narrow())
            for (std::size_t i = begin; i < end; ++i) slopes_[top].set_row(i, last_slopes(i));
        for (std::size_t l = top; l > 0; --l)
            multiply_panels<finish::slope, T>(slopes_of(l), turned_[l], nullptr, &values_.inputs(l), kept(), begin, whole, slopes_[l - 1]);
    }
    [[nodiscard]] left_rows<T> slopes_of(std::size_t l) const noexcept {
        if (layers_[l].narrow()) return {last_slopes_.data(), packed_dense<T>::few, packed_dense<T>::few, 0};
        return left_of(slopes_[l], 0);
    }

    // Weights' gradients: inputs' * slopes.
    void gradients(const piece& p, std::size_t rows) noexcept {
        if (layers_[p.layer].narrow()) {
            switch (layers_[p.layer].outputs()) {
                case 1: few_gradients<1>(p, rows); break;
                case 2: few_gradients<2>(p, rows); break;
                case 3: few_gradients<3>(p, rows); break;
                default: few_gradients<4>(p, rows); break;
            }
        } else {
            panel_gradients(p, rows);
        }
        if (p.begin == 0) bias_gradients(p.layer, rows);
    }
    void panel_gradients(const piece& p, std::size_t rows) noexcept {
        using lane = typename lanes<T>::type;
        const panels<T>&x = values_.inputs(p.layer), &d = slopes_[p.layer];
        const std::size_t outputs = layers_[p.layer].outputs();
        for (std::size_t first = 0; first == 0 || first < rows; first += block_rows) {
            const std::size_t deep = std::min(block_rows, rows - first);
            for (std::size_t j = 0; j < outputs; j += width)
                for (std::size_t i = p.begin; i < p.end; i += tile) {
                    T* const out = gradients_[p.layer].weights.data() + i * outputs + j;
                    const std::size_t tall = std::min(tile, p.end - i), wide = std::min(width, outputs - j);
                    lane sum[tile][2] = {};
                    if (first > 0)
                        for (std::size_t r = 0; r < tall; ++r) std::memcpy(sum[r], out + r * outputs, wide * sizeof(T));
                    add_products<T>(sum, x.at(first, i), 1, width, d.at(first, j), deep);
                    if (tall == tile && wide == width) {
                        store_tile<finish::plain, T>(sum, static_cast<const T*>(nullptr), T(1), out, outputs);
                    } else {
                        for (std::size_t r = 0; r < tall; ++r) std::memcpy(out + r * outputs, sum[r], wide * sizeof(T));
                    }
                }
        }
    }
    // With few outputs the product is turned round: the outputs are the rows of the tile.
    template <std::size_t Outputs>
    void few_gradients(const piece& p, std::size_t rows) noexcept {
        using lane = typename lanes<T>::type;
        for (std::size_t i = p.begin; i < p.end; i += width - i % width) {
            lane sum[Outputs][2] = {};
            add_products<T>(sum, last_slopes_.data(), 1, packed_dense<T>::few, values_.inputs(p.layer).at(0, i / width * width), rows);
            T numbers[Outputs][width];
            std::memcpy(numbers, sum, sizeof(sum));
            T* const out = gradients_[p.layer].weights.data();
            for (std::size_t c = i; c < std::min(p.end, i / width * width + width); ++c)
                for (std::size_t o = 0; o < Outputs; ++o) out[c * Outputs + o] = numbers[o][c % width];
        }
    }
    void bias_gradients(std::size_t l, std::size_t rows) noexcept {
        vec<T>& g = gradients_[l].bias;
        g.setZero();
        const std::size_t outputs = layers_[l].outputs();
        if (layers_[l].narrow()) {
            for (std::size_t r = 0; r < rows; ++r)
                for (std::size_t o = 0; o < outputs; ++o) g.data()[o] += last_slopes(r)[o];
            return;
        }
        using lane = typename lanes<T>::type;
        for (std::size_t j = 0; j < outputs; j += width) {
            lane sum[2] = {};
            const T* d = slopes_[l].at(0, j);
            for (std::size_t r = 0; r < rows; ++r, d += width)
                for (std::size_t v = 0; v < 2; ++v) {
                    lane row;
                    std::memcpy(&row, d + v * lanes<T>::count, sizeof(row));
                    sum[v] = sum[v] + row;
                }
            std::memcpy(g.data() + j, sum, std::min(width, outputs - j) * sizeof(T));
        }
    }

    template <class F>
    void visit_layer(std::vector<dense_params<T>>& now, std::size_t l, const F& f) {
        dense{}.visit(now[l], gradients_[l], f);
    }
    void update(const piece& p, std::vector<dense_params<T>>& now, optimizer<T>& steps) noexcept {
        std::size_t which = 2 * p.layer;  // a layer's blocks are its weights and its biases
        visit_layer(now, p.layer, [&](const parameter_block<T>& block) {
            const std::size_t outputs = layers_[p.layer].outputs();
            if (which % 2 == 0) steps.step_part(block, which, p.begin * outputs, (p.end - p.begin) * outputs);
            else if (p.begin == 0) steps.step_part(block, which, 0, outputs);
            ++which;
        });
        layers_[p.layer].set(now[p.layer].weights, p.begin, p.end);
        if (p.begin == 0) layers_[p.layer].set(now[p.layer].bias);
        if (p.layer > 0) turn(now[p.layer].weights, p.layer, p.begin, p.end);
    }
    void turn(const matrix<T>& weights, std::size_t l, std::size_t begin, std::size_t end) noexcept {
        const std::size_t outputs = layers_[l].outputs();
        constexpr std::size_t block = few_lanes<T>::count;
        for (std::size_t i = begin; i < end; i += block) {
            const T* const from = weights.data() + i * outputs;
            T* const to = turned_[l].at(0, i);
            std::size_t o = 0;
            if (end - i >= block)
                for (; o + block <= outputs; o += block) turn_block(from + o, outputs, to + o * width, width);
            for (; o < outputs; ++o)
                for (std::size_t r = 0; r < std::min(block, end - i); ++r) to[o * width + r] = from[r * outputs + o];
        }
    }

    std::vector<packed_dense<T>> layers_;
    dense_activations<T> values_;
    double dropout_;
    team team_;
    std::vector<panels<T>> slopes_;  // the loss's gradient by each layer's outputs (but for the last one, if it has few)
    std::vector<panels<T>> turned_;  // each layer's weights, transposed
    std::vector<std::vector<T>> masks_;
    std::vector<dense_params<T>> gradients_;
    std::vector<double> losses_;
    std::vector<T> last_slopes_;
    std::vector<piece> pieces_;
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
