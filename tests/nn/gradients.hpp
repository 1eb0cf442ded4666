#ifndef CARAMEL_TESTS_NN_GRADIENTS_HPP
#define CARAMEL_TESTS_NN_GRADIENTS_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>
#include <caramel/nn/layer.hpp>

#include "support/catch.hpp"

/// |a - b| against the larger of them, or against `floor` where both are smaller.
inline double relative_error(double a, double b, double floor = 1e-2) { return std::abs(a - b) / std::max({std::abs(a), std::abs(b), floor}); }

template <class T>
caramel::matrix<T> normal_matrix(caramel::rng& random, caramel::row_index rows, caramel::row_index columns) {
    caramel::matrix<T> x(rows, columns);
    for (caramel::row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(random.normal());
    return x;
}

/// Central differences of a scalar function along one value.
template <class F>
double slope_along(double& value, const F& f) {
    constexpr double h = 1e-5;
    const double before = value;
    value = before + h;
    const double above = f();
    value = before - h;
    const double below = f();
    value = before;
    return (above - below) / (2 * h);
}

/// Compares a layer's gradients, of a random weighted sum of its outputs, with central differences: by every parameter,
/// and by every input where the layer gives that. Relative error at most 1e-6.
template <class L, class X>
void check_gradients(const L& layer, const caramel::layer_shape& shape, X x) {
    using namespace caramel;
    rng random(17);
    rng init = random.split("init");
    auto params = layer.template init<double>(shape, init);
    layer_cache<L, double> cache;
    layer_grads<L, double> grads;
    matrix<double> directions;
    const auto f = [&] {
        rng noise = random.split("noise");  // the same dropout each time
        const matrix<double>& y = layer.forward(params, x, cache, noise);
        if (directions.size() == 0) {
            rng own = random.split("directions");
            directions = normal_matrix<double>(own, y.rows(), y.cols());
        }
        return (directions.array() * y.array()).sum();
    };
    rng biases = random.split("biases");  // not 0, where relu has no slope
    layer.visit(params, grads, [&](const parameter_block<double>& block) {
        if (block.follows > 0) return;  // no weights
        for (double& value : block.values) value += 0.1 * biases.normal();
    });
    (void)f();
    matrix<double> by_input;
    if constexpr (requires { layer.backward(params, cache, directions, grads); }) by_input = layer.backward(params, cache, directions, grads);
    else layer.gradients(params, cache, directions, grads);

    std::vector<std::pair<double*, double>> expected;
    layer.visit(params, grads, [&](const parameter_block<double>& block) {
        if (block.follows > 0) return;
        std::vector<double> dense(block.values.size(), 0);
        if (!block.sparse) {
            REQUIRE(block.gradient.size() == block.values.size());
            std::ranges::copy(block.gradient, dense.begin());
        } else {
            REQUIRE(block.gradient.size() == block.rows.size() * block.width);
            for (std::size_t r = 0; r < block.rows.size(); ++r)
                for (std::size_t j = 0; j < block.width; ++j) dense[block.rows[r] * block.width + j] = block.gradient[r * block.width + j];
        }
        for (std::size_t i = 0; i < dense.size(); ++i) expected.emplace_back(&block.values[i], dense[i]);
    });
    double worst = 0;
    for (const auto& [value, gradient] : expected) worst = std::max(worst, relative_error(slope_along(*value, f), gradient));
    CHECK(worst <= 1e-6);
    if constexpr (requires { x.data(); }) {
        REQUIRE(by_input.rows() == x.rows());
        REQUIRE(by_input.cols() == x.cols());
        worst = 0;
        for (row_index i = 0; i < x.size(); ++i) worst = std::max(worst, relative_error(slope_along(x.data()[i], f), by_input.data()[i]));
        CHECK(worst <= 1e-6);
    }
}

/// Compares the gradient that a loss writes with central differences, at random outputs: `loss(z, dz)` is the loss of `width`
/// outputs. Relative error at most 1e-6.
template <class Loss>
void check_loss(const char* name, std::size_t width, const Loss& loss) {
    INFO(name);
    caramel::rng random(4);
    double worst = 0;
    for (int repeat = 0; repeat < 20; ++repeat) {
        std::vector<double> z(width), dz(width), unused(width);
        for (double& v : z) v = 3 * random.normal();
        (void)loss(std::span<const double>(z), std::span(dz));
        for (std::size_t k = 0; k < width; ++k)
            worst = std::max(worst, relative_error(slope_along(z[k], [&] { return loss(std::span<const double>(z), std::span(unused)); }), dz[k]));
    }
    CHECK(worst <= 1e-6);
}

#endif
