// Training in panels against the same training layer by layer, bit by bit, and for any number of threads.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>
#include <caramel/nn/mlp.hpp>

#include "nn/bits.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace {

/// The stack without steps of its own.
struct layer_by_layer {
    [[maybe_unused]] static constexpr std::string_view kind = "layer_by_layer";

    detail::dense_stack stack;

    template <class T>
    using params = layer_params<detail::dense_stack, T>;
    template <class T>
    using grads = layer_grads<detail::dense_stack, T>;
    template <class T>
    using cache = layer_cache<detail::dense_stack, T>;

    template <class T>
    [[nodiscard]] params<T> init(const layer_shape& shape, rng& numbers) const { return stack.init<T>(shape, numbers); }
    template <class Params, class X, class Cache>
    [[nodiscard]] const auto& forward(const Params& p, const X& x, Cache& c, rng& numbers) const { return stack.forward(p, x, c, numbers); }
    template <class Params, class Cache, class T, class Grads>
    void gradients(const Params& p, Cache& c, matrix<T> dy, Grads& g) const { stack.gradients(p, c, std::move(dy), g); }
    template <class Params, class Grads, class F>
    void visit(Params& p, Grads& g, const F& f) const { stack.visit(p, g, f); }
};

template <class T>
matrix<T> normal(row_index rows, row_index columns, std::uint64_t seed) {
    rng random(seed);
    matrix<T> x(rows, columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(random.normal());
    return x;
}

struct shape {
    std::vector<std::size_t> hidden;
    row_index inputs, outputs, rows;
    training how;
    double dropout = 0;
};

}  // namespace

TEMPLATE_TEST_CASE("dense_steps: the bits of training layer by layer, for any number of threads", "[mlp][dense_steps]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const std::vector<shape> shapes = {
        {{}, 3, 1, 20, {.epochs = 2, .batch_size = 7}},
        {{}, 70, 40, 20, {.epochs = 2, .batch_size = 7}},
        {{1}, 1, 1, 9, {.epochs = 3, .batch_size = 4}},
        {{3, 40}, 5, 2, 33, {.epochs = 2, .batch_size = 16, .validation_share = .3}},
        {{17, 33, 2}, 21, 3, 50, {.epochs = 2, .batch_size = 50, .l2 = .01}, .3},
        {{64, 45}, 33, 4, 620, {.epochs = 2, .batch_size = 600, .rule = update_rule::sgd, .max_gradient_norm = .1}},
        {{64, 45}, 33, 6, 620, {.epochs = 2, .batch_size = 300, .learning_rate = .01, .l2 = .01, .rule = update_rule::adamw}, .5},
    };
    for (const shape& s : shapes) {
        const auto x = normal<T>(s.rows, s.inputs, 1), y = normal<T>(s.rows, s.outputs, 2);
        std::vector<double> weights(static_cast<std::size_t>(s.rows));
        for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<double>(i % 3) / 2;
        fit_options options{.seed = 3, .weights = weights};
        const detail::dense_stack stack{s.hidden, {.share = s.dropout}};
        const detail::value_targets<T> targets(y, options, "test");
        const matrix_in<T> in(x);
        const auto expected = detail::train<T>(layer_by_layer{stack}, in, targets, s.how, options, "test");
        INFO(s.hidden.size() << " hidden layers, " << s.inputs << " inputs, " << s.outputs << " outputs");
        for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
            options.threads = threads;
            CHECK(bits_of(detail::train<T>(stack, in, targets, s.how, options, "test").layers) == bits_of(expected.layers));
        }
        options.run = [](std::size_t tasks, const std::function<void(std::size_t)>& task) {
            for (std::size_t i = tasks; i-- > 0;) task(i);
        };
        CHECK(bits_of(detail::train<T>(stack, in, targets, s.how, options, "test").layers) == bits_of(expected.layers));
    }
}

TEMPLATE_TEST_CASE("mlp: answers from packed weights have the bits of the layers", "[mlp][dense_steps]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    for (const auto& hidden : std::vector<std::vector<std::size_t>>{{}, {1}, {2, 3}, {40}, {70, 33}, {200, 17, 4}})
        for (const std::size_t outputs : {1U, 2U, 4U, 5U, 45U}) {
            rng random(5);
            const auto params = detail::dense_stack{hidden, {.share = 0}}.init<T>({.inputs = 37, .outputs = outputs}, random);
            const auto n = static_cast<row_index>(outputs);
            const mlp_regressor_model<T> model(params.layers, vec<T>::Zero(n), vec<T>::Ones(n));
            const auto x = normal<T>(131, 37, 6);
            const matrix<T> y = model(x), expected = params.apply(x);
            CHECK(y == expected);
            CHECK(model(matrix<T>(x.topRows(2))) == expected.topRows(2));
            CHECK(model(matrix<T>(x.topRows(9))) == expected.topRows(9));
            workspace scratch;
            for (const row_index i : {0, 1, 64, 130}) {
                const std::span<const T> row = model(row_of(x, i), scratch);
                CHECK(std::ranges::equal(row, row_of(expected, i)));
            }
        }
}
