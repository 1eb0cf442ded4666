#include <string>
#include <vector>

#include <caramel/nn/activation.hpp>
#include <caramel/nn/bias.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/network.hpp>
#include <caramel/nn/norm.hpp>
#include <caramel/nn/residual.hpp>
#include <caramel/pipeline.hpp>

#include "nn/gradients.hpp"
#include "support/catch.hpp"

using namespace caramel;

TEMPLATE_TEST_CASE("residual: what goes in is added to what the layers make of it", "[residual]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng random(1);
    const auto x = normal_matrix<T>(random, 5, 3);
    auto p = residual(dense{.units = 4}, relu{}, dense{}).template init<T>({.inputs = 3}, random);
    const auto& inside = p.inner().parts;
    const matrix<T> expected = std::get<2>(inside).apply(std::get<1>(inside).apply(std::get<0>(inside).apply(x))) + x;
    CHECK(p.apply(x).isApprox(expected, T(1e-6)));
    std::get<2>(p.inner().parts).weights.setZero();
    CHECK(p.apply(x) == x);
    CHECK(p.check(3, "test") == 3);
}

TEST_CASE("residual: layers that do not give as many numbers as they get are refused", "[residual][error]") {
    rng random(1);
    const error e = error_of([&] { (void)residual(relu{}, dense{.units = 4}).init<float>({.inputs = 3}, random); });
    CHECK(e.code() == errc::bad_parameter);
    CHECK(std::string(e.what()) == "residual: the layers make 4 numbers of 3; they must give as many as they get");
    using params = residual_params<float, dense>;
    const auto layer = [](row_index in, row_index out) { return dense_params<float>{matrix<float>::Zero(in, out), vec<float>::Zero(out)}; };
    const auto code = [](const params& p) { return error_of([&] { (void)p.check(3, "test"); }).code(); };
    CHECK(params({"dense"}, layer(3, 3)).check(3, "test") == 3);
    CHECK(code(params({"dense"}, layer(3, 4))) == errc::bad_data);
    CHECK(code(params({"relu"}, layer(3, 3))) == errc::bad_data);
    CHECK(code(params()) == errc::bad_data);
}

TEST_CASE("bias_layer: one number a column", "[bias]") {
    const bias_params<double> p{vec<double>{{1, -2}}};
    matrix<double> x(2, 2), y(2, 2);
    x << 1, 2, 3, 4;
    y << 2, 0, 4, 2;
    CHECK(p.apply(x) == y);
    CHECK(error_of([&] { (void)p.check(3, "test"); }).code() == errc::bad_data);
}

TEST_CASE("residual: a deep network learns", "[residual][network]") {
    rng random(2);
    const auto x = normal_matrix<float>(random, 300, 2);
    vec<float> y = x.col(0).array() * x.col(1).array();
    const auto block = residual(layer_norm{}, dense{.units = 12}, gelu{}, dense{});
    const auto model = fit(network_regressor<float>(training{.epochs = 80, .learning_rate = 0.005}, dense{.units = 12}, block, block, block, dense{}), x, y);
    CHECK((model(x) - y).squaredNorm() < 0.1F * y.squaredNorm());
    CHECK(model.inputs() == 2);
}
