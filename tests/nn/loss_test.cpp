#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <caramel/core/softmax.hpp>
#include <caramel/nn/loss.hpp>

#include "nn/gradients.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace {
template <class T>
using numbers = std::vector<T>;
}

TEST_CASE("softmax_cross_entropy: known values", "[loss]") {
    numbers<double> z{std::log(1.0), std::log(2.0), std::log(5.0)}, dz(3);
    CHECK(softmax_cross_entropy::row(std::span<const double>(z), 2, std::span(dz)) == Approx(-std::log(5.0 / 8)).epsilon(1e-14));
    CHECK(dz[0] == Approx(1.0 / 8));
    CHECK(dz[1] == Approx(2.0 / 8));
    CHECK(dz[2] == Approx(5.0 / 8 - 1));
    // Two logits are the logistic loss of their difference.
    numbers<double> two{0.3, 1.7}, d(2);
    CHECK(softmax_cross_entropy::row(std::span<const double>(two), 1, std::span(d)) == Approx(std::log1p(std::exp(-1.4))).epsilon(1e-14));
}

TEST_CASE("losses: gradients agree with central differences", "[loss]") {
    rng random(4);
    double worst = 0;
    for (int repeat = 0; repeat < 20; ++repeat) {
        numbers<double> z(5), target(5), dz(5), unused(5);
        for (double& v : z) v = 3 * random.normal();
        for (double& v : target) v = random.normal();
        const int label = repeat % 5;
        (void)softmax_cross_entropy::row(std::span<const double>(z), label, std::span(dz));
        for (std::size_t k = 0; k < 5; ++k)
            worst = std::max(
                worst,
                relative_error(slope_along(z[k], [&] { return softmax_cross_entropy::row(std::span<const double>(z), label, std::span(unused)); }), dz[k]));
        numbers<double> yes(5);
        for (std::size_t k = 0; k < 5; ++k) yes[k] = target[k] > 0 ? 1 : 0;
        (void)sigmoid_cross_entropy::row(std::span<const double>(z), std::span<const double>(yes), std::span(dz));
        for (std::size_t k = 0; k < 5; ++k)
            worst = std::max(
                worst,
                relative_error(
                    slope_along(z[k], [&] { return sigmoid_cross_entropy::row(std::span<const double>(z), std::span<const double>(yes), std::span(unused)); }),
                    dz[k]));
        (void)mean_squared_error::row(std::span<const double>(z), std::span<const double>(target), std::span(dz));
        for (std::size_t k = 0; k < 5; ++k)
            worst = std::max(
                worst,
                relative_error(
                    slope_along(z[k], [&] { return mean_squared_error::row(std::span<const double>(z), std::span<const double>(target), std::span(unused)); }),
                    dz[k]));
    }
    CHECK(worst <= 1e-6);
}

TEMPLATE_TEST_CASE("softmax and its loss: logits far apart neither overflow nor lose the loss", "[loss][edge]", float, double) {
    using T = TestType;
    for (const T far : {T(1e4), T(1e30), std::numeric_limits<T>::max()}) {
        numbers<T> z{-far, far, T(0)}, dz(3);
        CHECK(softmax_cross_entropy::row(std::span<const T>(z), 1, std::span(dz)) == 0);
        CHECK(dz == numbers<T>{0, 0, 0});
        const double loss = softmax_cross_entropy::row(std::span<const T>(z), 2, std::span(dz));
        CHECK(loss == static_cast<double>(far));
        CHECK(dz == numbers<T>{0, 1, -1});
        detail::softmax_row(std::span(z));
        CHECK(z == numbers<T>{0, 1, 0});
    }
    numbers<T> equal(7, T(1e4));
    detail::softmax_row(std::span(equal));
    for (const T p : equal) CHECK(static_cast<double>(p) == Approx(1.0 / 7));
}

TEST_CASE("sigmoid_cross_entropy: known values", "[loss]") {
    const numbers<double> z{std::log(3.0), std::log(3.0), 0}, target{1, 0, 1};  // of probabilities 3/4, 3/4 and 1/2
    numbers<double> dz(3);
    CHECK(sigmoid_cross_entropy::row(std::span<const double>(z), std::span<const double>(target), std::span(dz)) ==
          Approx(-std::log(0.75 * 0.25 * 0.5) / 3).epsilon(1e-14));
    CHECK(dz[0] == Approx(-0.25 / 3));
    CHECK(dz[1] == Approx(0.75 / 3));
    CHECK(dz[2] == Approx(-0.5 / 3));
}

TEMPLATE_TEST_CASE("sigmoid_cross_entropy: outputs far apart neither overflow nor lose the loss", "[loss][edge]", float, double) {
    using T = TestType;
    for (const T far : {T(1e4), T(1e30), std::numeric_limits<T>::max()}) {
        const numbers<T> z{far, -far};
        numbers<T> dz(2);
        CHECK(sigmoid_cross_entropy::row(std::span<const T>(z), std::span<const T>(numbers<T>{1, 0}), std::span(dz)) == 0);
        CHECK(dz == numbers<T>{0, 0});
        CHECK(sigmoid_cross_entropy::row(std::span<const T>(z), std::span<const T>(numbers<T>{0, 0}), std::span(dz)) == static_cast<double>(far) / 2);
        CHECK(dz == numbers<T>{T(0.5), 0});
    }
}

TEST_CASE("mean_squared_error: worked by hand", "[loss]") {
    const numbers<double> z{1, 4}, target{3, 3};
    numbers<double> dz(2);
    CHECK(mean_squared_error::row(std::span<const double>(z), std::span<const double>(target), std::span(dz)) == 2.5);
    CHECK(dz == numbers<double>{-2, 1});
}
