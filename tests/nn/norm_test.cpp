#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <caramel/evaluate/classification.hpp>
#include <caramel/nn/network.hpp>
#include <caramel/nn/norm.hpp>
#include <caramel/pipeline.hpp>

#include "nn/gradients.hpp"
#include "support/catch.hpp"

using namespace caramel;

TEMPLATE_TEST_CASE("batch_norm: in training by the mini-batch, afterwards by the running averages", "[norm]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng random(1), noise(2);
    const batch_norm layer{.running_share = 0.25, .epsilon = 0.5};
    auto p = layer.init<T>({.inputs = 2}, random);
    p.scale << 2, 1;
    p.shift << 0, 3;
    matrix<T> x(3, 2);
    x << 1, 10, 2, 10, 6, 10;  // means 3 and 10, variances 14 / 3 and 0
    layer_cache<batch_norm, T> cache;
    layer_grads<batch_norm, T> grads;
    const matrix<T> y = layer.forward(p, x, cache, noise);
    const double deviation = std::sqrt(14.0 / 3 + 0.5);
    CHECK(static_cast<double>(y(0, 0)) == Approx(2 * (1 - 3) / deviation).epsilon(1e-6));
    CHECK(static_cast<double>(y(2, 0)) == Approx(2 * (6 - 3) / deviation).epsilon(1e-6));
    CHECK(y(1, 1) == 3);  // a constant column
    (void)layer.backward(p, cache, matrix<T>(matrix<T>::Zero(3, 2)), grads);
    optimizer<T> steps(optimizer_options{});
    const auto visit = [&](const auto& f) { layer.visit(p, grads, f); };
    steps.step(visit);  // the first step takes what it sees
    CHECK(p.mean(0) == 3);
    CHECK(p.mean(1) == 10);
    CHECK(static_cast<double>(p.variance(0)) == Approx(7));  // divisor 2
    CHECK(p.variance(1) == 0);
    CHECK(p.scale(0) == 2);  // no gradient
    grads.mean << 5, 10;
    steps.step(visit);
    CHECK(p.mean(0) == 4);  // the mean of two
    for (int i = 0; i < 3; ++i) steps.step(visit);
    CHECK(p.mean(0) < 5);
    const double before = static_cast<double>(p.mean(0));
    grads.mean << 13, 10;
    steps.step(visit);
    CHECK(static_cast<double>(p.mean(0)) == Approx(before + 0.25 * (13 - before)));
    p.mean << 1, 1;
    p.variance << T(3.5), T(0.5);
    matrix<T> one(1, 2);
    one << 5, 2;
    CHECK(static_cast<double>(p.apply(one)(0, 0)) == Approx(2 * 4 / 2.0));
    CHECK(static_cast<double>(p.apply(one)(0, 1)) == Approx(4.0));
    CHECK(layer.forward(p, one, cache, noise).isApprox(p.apply(one)));  // a row alone has no spread of its own
    CHECK(cache.mean == p.mean);
}

TEMPLATE_TEST_CASE("layer_norm: each row by itself", "[norm]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    layer_norm_params<T> p{vec<T>::Ones(4), vec<T>::Zero(4), 1e-5};
    matrix<T> x(2, 4);
    x << 1, 2, 3, 6, 7, 7, 7, 7;
    matrix<T> y = p.apply(x);
    CHECK(static_cast<double>(y(0, 0)) == Approx(-2 / std::sqrt(3.5 + 1e-5)).epsilon(1e-6));
    CHECK(static_cast<double>(y(0, 3)) == Approx(3 / std::sqrt(3.5 + 1e-5)).epsilon(1e-6));
    CHECK(y.row(1).isZero(0));
    p.scale(0) = 3;
    p.shift(0) = 1;
    CHECK(static_cast<double>(p.apply(x)(0, 0)) == Approx(1 - 6 / std::sqrt(3.5 + 1e-5)).epsilon(1e-6));
    CHECK(p.apply(matrix<T>(0, 4)).rows() == 0);
}

TEST_CASE("norms: fields that do not belong together are refused", "[norm][error]") {
    const vec<double> two = vec<double>::Ones(2), three = vec<double>::Ones(3);
    const auto refused = [](const auto& p) { return error_of([&] { (void)p.check(2, "test"); }).code() == errc::bad_data; };
    CHECK(batch_norm_params<double>{two, two, two, two, 1e-5}.check(2, "test") == 2);
    CHECK(refused(batch_norm_params<double>{three, three, three, three, 1e-5}));
    CHECK(refused(batch_norm_params<double>{two, three, two, two, 1e-5}));
    CHECK(refused(batch_norm_params<double>{two, two, two, -two, 1e-5}));
    CHECK(refused(batch_norm_params<double>{two, two, two, two, 0}));
    CHECK(refused(layer_norm_params<double>{two, three, 1e-5}));
    CHECK(refused(layer_norm_params<double>{two, two * std::numeric_limits<double>::quiet_NaN(), 1e-5}));
}

TEMPLATE_TEST_CASE("norms: in a network, also with a mini-batch of one row", "[norm][network]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng random(3);
    matrix<T> x = normal_matrix<T>(random, 201, 2);
    std::vector<int> y;
    for (row_index i = 0; i < x.rows(); ++i) y.push_back(x.row(i).squaredNorm() < T(1.4) ? 1 : 0);
    x.col(0) = x.col(0) * 1000;  // on a scale that a dense layer alone learns badly
    x.col(1).array() += 50;
    const training how{.epochs = 60, .batch_size = 20, .learning_rate = 0.02, .validation_share = 0};
    const auto model = fit(network<T>(how, batch_norm{}, dense{.units = 16}, relu{}, dense{}), x, y);
    CHECK(accuracy(most_likely{}(model(x)), y) > 0.93);
    CHECK(std::abs(static_cast<double>(model.template layer<0>().mean(1)) - 50) < 1);
    const auto layered = fit(network<T>(how, batch_norm{}, dense{.units = 16}, layer_norm{}, gelu{}, dense{}), x, y);
    CHECK(accuracy(most_likely{}(layered(x)), y) > 0.9);
    const auto single = fit(network<T>(training{.epochs = 2, .batch_size = 1}, batch_norm{}, dense{}), x, y);
    CHECK(single(x).allFinite());
}
