#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <caramel/nn/activation.hpp>
#include <caramel/nn/elementary.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

// The largest distance of f(x) from what `exact` says in long double, in units of the last place of the latter.
template <class T, class F, class Exact>
double worst_ulps(T from, T to, int steps, const F& f, const Exact& exact) {
    double worst = 0;
    for (int i = 0; i <= steps; ++i) {
        const T x = from + (to - from) * static_cast<T>(i) / static_cast<T>(steps);
        const long double right = exact(static_cast<long double>(x));
        const T near = static_cast<T>(right);
        const T unit = std::nextafter(std::abs(near), std::numeric_limits<T>::infinity()) - std::abs(near);
        worst = std::max(worst, static_cast<double>(std::abs(static_cast<long double>(f(x)) - right) / static_cast<long double>(unit)));
    }
    return worst;
}

}  // namespace

TEMPLATE_TEST_CASE("elementary functions: against long double", "[activation]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const T low = std::same_as<T, float> ? T(-87) : T(-708);
    const auto exp_exact = [](long double x) { return std::exp(x); };
    CHECK(worst_ulps<T>(low, T(0), 20'000, [](T x) { return detail::exp_down(x); }, exp_exact) < 2);
    CHECK(worst_ulps<T>(T(-2), T(0), 20'000, [](T x) { return detail::exp_down(x); }, exp_exact) < 2);
    const auto tanh_exact = [](long double x) { return std::tanh(x); };
    CHECK(worst_ulps<T>(T(-3), T(3), 20'000, [](T x) { return detail::tanh_of(x); }, tanh_exact) < 3);
    CHECK(worst_ulps<T>(T(1e-12), T(1e-3), 2'000, [](T x) { return detail::tanh_of(x); }, tanh_exact) < 3);
    CHECK(worst_ulps<T>(T(-20), T(0), 20'000, [](T x) { return detail::expm1_down(x); }, [](long double x) { return std::expm1(x); }) < 8);
    CHECK(worst_ulps<T>(T(-30), T(30), 20'000, [](T x) { return detail::logistic_of(x); }, [](long double x) { return 1 / (1 + std::exp(-x)); }) < 4);
    const auto below = [](long double x) { return std::erfc(-x / std::sqrt(2.0L)) / 2; };
    CHECK(worst_ulps<T>(T(-1), T(6), 20'000, [](T x) { return detail::normal_of(x).below; }, below) < 8);
    CHECK(worst_ulps<T>(T(-10), T(0), 20'000, [](T x) { return detail::normal_of(x).below; }, below) < 60);
    CHECK(detail::normal_of(T(0)).density == Approx(0.3989422804014327));
    CHECK(detail::exp_down(T(0)) == 1);
    CHECK(detail::exp_down(low - 1) == 0);
    CHECK(detail::exp_down(-std::numeric_limits<T>::infinity()) == 0);
    CHECK(detail::tanh_of(T(0)) == 0);
    for (const T far : {T(30), T(1e4), T(1e30), std::numeric_limits<T>::max(), std::numeric_limits<T>::infinity()}) {
        CHECK(detail::tanh_of(far) == 1);
        CHECK(detail::tanh_of(-far) == -1);
    }
    const T hole = std::numeric_limits<T>::quiet_NaN();
    CHECK(std::isnan(detail::exp_down(hole)));
    CHECK(std::isnan(detail::tanh_of(hole)));
    CHECK(std::isnan(detail::logistic_of(hole)));
}

TEST_CASE("activations: values, also far out", "[activation]") {
    CHECK(relu::value(-2.0) == 0);
    CHECK(relu::value(2.0) == 2);
    CHECK(std::isnan(relu::value(std::numeric_limits<double>::quiet_NaN())));
    CHECK(leaky_relu::value(-2.0) == -0.02);
    CHECK(leaky_relu::value(2.0) == 2);
    CHECK(elu::value(-2.0) == Approx(std::expm1(-2.0)).epsilon(1e-14));
    CHECK(elu::value(-1e-10) == Approx(-1e-10).epsilon(1e-9));
    CHECK(elu::value(2.0) == 2);
    CHECK(tanh_layer::value(0.5) == Approx(std::tanh(0.5)).epsilon(1e-15));
    CHECK(sigmoid::value(0.0) == 0.5);
    CHECK(sigmoid::value(2.0) == Approx(1 / (1 + std::exp(-2.0))).epsilon(1e-15));
    CHECK(sigmoid::value(-2.0) == Approx(1 / (1 + std::exp(2.0))).epsilon(1e-15));
    // PyTorch's documentation and scipy.stats.norm.cdf: x * Phi(x).
    CHECK(gelu::value(1.0) == Approx(0.8413447460685429).epsilon(1e-14));
    CHECK(gelu::value(-1.0) == Approx(-0.15865525393145707).epsilon(1e-14));
    CHECK(gelu::value(-10.0) == Approx(-7.619853024160495e-23).epsilon(1e-10));
    CHECK(silu::value(1.0) == Approx(0.7310585786300049).epsilon(1e-14));
    CHECK(silu::value(-1.0) == Approx(-0.2689414213699951).epsilon(1e-14));
    for (const float far : {1e4F, 1e30F, std::numeric_limits<float>::max()}) {
        CHECK(sigmoid::value(far) == 1);
        CHECK(sigmoid::value(-far) == 0);
        CHECK(tanh_layer::value(far) == 1);
        CHECK(relu::value(-far) == 0);
        CHECK(elu::value(-far) == -1);
        CHECK(gelu::value(far) == far);
        CHECK(gelu::value(-far) == 0);
        CHECK(gelu::slope(-far, 0.F) == 0);
        CHECK(gelu::slope(far, far) == 1);
        CHECK(silu::value(far) == far);
        CHECK(silu::value(-far) == 0);
        CHECK(silu::slope(-far, 0.F) == 0);
        CHECK(silu::slope(far, far) == 1);
    }
}

TEMPLATE_TEST_CASE("activation: the function that is named, in place", "[activation]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    using f = activation_function;
    std::vector<T> x;
    for (int i = -40; i <= 40; ++i) x.push_back(T(i) / 7);
    const auto check = [&]<class Function>(f function, Function) {
        auto y = x, by_value = std::vector<T>(x.size(), T(3)), by_input = by_value;
        detail::activate(function, std::span(y));
        for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(y[i] == Function::value(x[i]));
        detail::multiply_by_slopes<T>(function, x, y, by_input);
        for (std::size_t i = 0; i < x.size(); ++i) CHECK(by_input[i] == T(3) * Function::slope(x[i], y[i]));
        if (detail::needs_inputs(function)) return;
        detail::multiply_by_slopes<T>(function, {}, y, by_value);
        CHECK(by_value == by_input);
    };
    check(f::relu, relu{});
    check(f::leaky_relu, leaky_relu{});
    check(f::elu, elu{});
    check(f::tanh, tanh_layer{});
    check(f::sigmoid, sigmoid{});
    check(f::gelu, gelu{});
    check(f::silu, silu{});
    CHECK(detail::needs_inputs(f::gelu));
    CHECK_FALSE(detail::needs_inputs(f::relu));
    CHECK(error_of([] { (void)activation_params<T>{static_cast<f>(9)}.check(3, "test"); }).code() == errc::bad_data);
}

TEST_CASE("softmax: rows of probabilities", "[activation]") {
    rng unused(1);
    const auto p = softmax{}.init<double>({}, unused);
    matrix<double> x(2, 3);
    x << std::log(1.0), std::log(2.0), std::log(5.0), 1e300, -1e300, 1e300;
    const matrix<double> y = p.apply(x);
    CHECK(y(0, 1) == Approx(0.25).epsilon(1e-14));
    CHECK(y(1, 0) == 0.5);
    CHECK(y(1, 1) == 0);
    CHECK(p.apply(matrix<double>(0, 3)).rows() == 0);
    CHECK(p.apply(matrix<double>(3, 0)).rows() == 3);
}
