#include <cmath>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/features/quantile_transform.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace quantile_transform_test {

namespace {
template <class T>
matrix<T> column(const std::vector<T>& values) {
    return Eigen::Map<const matrix<T>>(values.data(), static_cast<row_index>(values.size()), 1);
}
}  // namespace

TEST_CASE("quantile_transform: shares worked by hand, interpolated between, equal values in the middle", "[quantile]") {
    const auto model = fit(quantile_transform<double>{}, column<double>({10, 0, 20, 40, 30}));
    const auto out = model(column<double>({0, 5, 10, 25, 40, -3, 99}));
    matrix<double> expected(7, 1);
    expected << 0, .125, .25, .625, 1, 0, 1;
    CHECK((out - expected).cwiseAbs().maxCoeff() < 1e-15);
    const auto ties = fit(quantile_transform<double>{}, column<double>({0, 0, 0, 1, 2}));
    CHECK(ties(column<double>({0}))(0, 0) == .25);
    CHECK(fit(quantile_transform<double>{}, column<double>({7, 7}))(column<double>({7}))(0, 0) == .5);
    CHECK(fit(quantile_transform<double>{.shape = quantile_shape::normal}, column<double>({7}))(column<double>({7}))(0, 0) == 0);
}
TEMPLATE_TEST_CASE("quantile_transform: any distribution becomes even, or normal", "[quantile]", CARAMEL_TEST_SCALARS) {
    rng random(1);
    matrix<TestType> x(5000, 1);
    for (row_index i = 0; i < x.rows(); ++i) x(i, 0) = static_cast<TestType>(std::exp(2 * random.normal()));
    const auto even = fit(quantile_transform<TestType>{.quantiles = 200}, x)(x);
    CHECK(even.mean() == Approx(0.5).margin(0.005));
    CHECK((even.array() - even.mean()).square().mean() == Approx(1.0 / 12).epsilon(0.02));
    const auto normal = fit(quantile_transform<TestType>{.shape = quantile_shape::normal}, x)(x);
    CHECK(std::abs(normal.mean()) < 0.01);
    CHECK(normal.array().square().mean() == Approx(1).epsilon(0.02));
    CHECK(normal.array().abs().maxCoeff() < 5.3);
    CHECK(std::abs(normal.array().cube().mean()) < 0.05);
}
TEST_CASE("normal_score: the inverse of the normal distribution", "[quantile]") {
    for (double p = 1e-7; p < 1; p += 0.00137) CHECK(std::erfc(-detail::normal_score(p) / std::sqrt(2.0)) / 2 == Approx(p).epsilon(1e-14));
    CHECK(detail::normal_score(0.975) == Approx(1.959963984540054).epsilon(1e-15));
}
TEST_CASE("quantile_transform: weights, parameters, fields", "[quantile][error]") {
    const auto x = column<double>({1, 2, 3, 4}), twice = column<double>({1, 2, 2, 3});
    const std::vector<double> weights{1, 2, 1, 0};
    const auto a = fit(quantile_transform<double>{.quantiles = 4}, x, {.weights = weights}), b = fit(quantile_transform<double>{.quantiles = 4}, twice);
    CHECK(a.quantiles() == b.quantiles());
    CHECK(error_of([&] { (void)fit(quantile_transform<double>{.quantiles = 1}, x); }).code() == errc::bad_parameter);
    matrix<float> falling(1, 2);
    falling << 2, 1;
    CHECK(error_of([&] { quantile_transform_model<float>(falling, quantile_shape::uniform); }).code() == errc::bad_data);
    CHECK(error_of([&] { quantile_transform_model<float>(matrix<float>(1, 1), quantile_shape::uniform); }).code() == errc::bad_data);
}

}  // namespace quantile_transform_test
