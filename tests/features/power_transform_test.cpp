#include <cmath>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/features/power_transform.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace power_transform_test {

namespace {
template <class T>
matrix<T> column(const std::vector<T>& values) {
    return Eigen::Map<const matrix<T>>(values.data(), static_cast<row_index>(values.size()), 1);
}
}  // namespace

TEST_CASE("power_transform: the powers' definition", "[power]") {
    for (const double x : {-7.5, -1.0, -1e-9, 0.0, 1e-9, 0.3, 12.0})
        for (const double power : {-1.5, 0.0, 0.5, 1.0, 2.0, 3.25}) {
            const double expected = x >= 0 ? (power == 0 ? std::log(x + 1) : (std::pow(x + 1, power) - 1) / power)
                                           : (power == 2 ? -std::log(1 - x) : -(std::pow(1 - x, 2 - power) - 1) / (2 - power));
            CHECK(detail::yeo_johnson(x, power) == Approx(expected).margin(1e-15).epsilon(1e-9));
        }
    CHECK(fit(power_transform<float>{.power = 1}, column<float>({1, 2}))(column<float>({-3.5F}))(0, 0) == Approx(-3.5));
    CHECK(fit(power_transform<double>{.power = 0}, column<double>({1, 2}))(column<double>({std::exp(1.0) - 1}))(0, 0) == Approx(1));
}
TEMPLATE_TEST_CASE("power_transform: the likeliest power is found, against a fine grid", "[power]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng random(4);
    matrix<T> x(400, 3);
    for (row_index i = 0; i < x.rows(); ++i) {
        x(i, 0) = static_cast<T>(std::expm1(1 + 0.6 * random.normal()));  // ln(1 + x) is normal
        x(i, 1) = static_cast<T>(random.normal());
        x(i, 2) = static_cast<T>(-std::expm1(0.8 * std::abs(random.normal())));
    }
    const auto powers = fit(power_transform<T>{}, x).powers();
    for (row_index j = 0; j < 3; ++j) {
        double best = 0, least = 1e300;
        for (int k = -800; k <= 800; ++k) {
            const double power = k / 200.0;
            double mean = 0, variance = 0, logs = 0;
            for (row_index i = 0; i < x.rows(); ++i) mean += detail::yeo_johnson(static_cast<double>(x(i, j)), power) / 400;
            for (row_index i = 0; i < x.rows(); ++i) {
                variance += std::pow(detail::yeo_johnson(static_cast<double>(x(i, j)), power) - mean, 2) / 400;
                logs += (x(i, j) < 0 ? -1 : 1) * std::log1p(std::abs(static_cast<double>(x(i, j))));
            }
            if (const double cost = 200 * std::log(variance) - (power - 1) * logs; cost < least) {
                least = cost;
                best = power;
            }
        }
        CHECK(powers(j) == Approx(best).margin(0.0051));
    }
    CHECK(std::abs(powers(0)) < 0.15);
    CHECK(powers(1) == Approx(1).margin(0.15));
}
TEST_CASE("power_transform: large, constant and weighted columns", "[power][edge]") {
    rng random(5);
    matrix<double> x(50, 3);
    for (row_index i = 0; i < 50; ++i) {
        x(i, 0) = 1e6 + random.normal();
        x(i, 1) = 3;
        x(i, 2) = std::exp(random.normal());
    }
    const auto model = fit(power_transform<double>{}, x);
    CHECK(model(x).allFinite());
    CHECK(model.powers()(1) == 1);
    std::vector<double> weights(50, 1);
    weights[3] = 2;
    weights[7] = 0;
    matrix<double> twice = x;
    twice.row(7) = x.row(3);
    CHECK(fit(power_transform<double>{}, x, {.weights = weights}).powers()(2) == Approx(fit(power_transform<double>{}, twice).powers()(2)).epsilon(1e-5));
    CHECK(error_of([&] { (void)fit(power_transform<double>{.power = std::nan("")}, x); }).code() == errc::bad_parameter);
}

}  // namespace power_transform_test
