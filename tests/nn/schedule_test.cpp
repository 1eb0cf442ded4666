#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include <caramel/nn/schedule.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("rate_schedule: constant, with a warm-up", "[schedule]") {
    CHECK(rate_schedule{}.at(1, 10) == 1);
    CHECK(rate_schedule{}.at(10, 10) == 1);
    CHECK(rate_schedule{}.at(3, 0) == 1);
    const rate_schedule warm{.warm_up = 0.4};
    for (std::size_t n = 1; n <= 4; ++n) CHECK(warm.at(n, 10) == static_cast<double>(n) / 4);
    CHECK(warm.at(5, 10) == 1);
    CHECK(warm.at(1, 1) == 1);
}

TEST_CASE("rate_schedule: cosine and linear", "[schedule]") {
    const rate_schedule cosine{.shape = rate_shape::cosine, .last = 0.2}, linear{.shape = rate_shape::linear, .last = 0.2};
    CHECK(cosine.at(1, 100) == 1);
    CHECK(cosine.at(26, 100) == Approx(0.2 + 0.8 * (1 + std::cos(std::acos(-1.0) / 4)) / 2));
    CHECK(cosine.at(51, 100) == Approx(0.6));
    CHECK(cosine.at(100, 100) == Approx(0.2).margin(0.001));
    CHECK(cosine.at(1000, 100) == cosine.at(100, 100));
    CHECK(linear.at(1, 100) == 1);
    CHECK(linear.at(26, 100) == Approx(0.8));
    CHECK(linear.at(51, 100) == Approx(0.6));
    const rate_schedule warm{.shape = rate_shape::linear, .warm_up = 0.2};
    CHECK(warm.at(10, 100) == 0.5);
    CHECK(warm.at(20, 100) == 1);
    CHECK(warm.at(21, 100) == 1);
    CHECK(warm.at(61, 100) == Approx(0.5));
}

TEST_CASE("rate_schedule: one cycle", "[schedule]") {
    const rate_schedule cycle{.shape = rate_shape::one_cycle, .last = 0.01, .first = 0.1, .peak = 0.25};
    CHECK(cycle.at(1, 1000) == Approx(0.1));
    CHECK(cycle.at(126, 1000) == Approx(0.55));
    CHECK(cycle.at(251, 1000) == Approx(1));
    CHECK(cycle.at(626, 1000) == Approx(0.505));
    CHECK(cycle.at(1000, 1000) == Approx(0.01).margin(1e-4));
    double before = 0;
    for (std::size_t n = 1; n <= 251; ++n) {
        CHECK(cycle.at(n, 1000) > before);
        before = cycle.at(n, 1000);
    }
    for (std::size_t n = 252; n <= 1000; ++n) {
        CHECK(cycle.at(n, 1000) < before);
        before = cycle.at(n, 1000);
    }
}

TEST_CASE("rate_schedule: fields out of range are named", "[schedule][error]") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto refused = [](const rate_schedule& s, const std::string& name) {
        const error e = error_of([&] { require_schedule(s, "test"); });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()).find(name) != std::string::npos);
    };
    refused({.shape = static_cast<rate_shape>(9)}, "schedule");
    for (const double bad : {-0.1, 1.0, nan}) refused({.warm_up = bad}, "warm_up");
    for (const double bad : {-0.1, nan}) refused({.last = bad}, "last");
    refused({.shape = rate_shape::one_cycle, .warm_up = 0.1}, "one_cycle warms up");
    for (const double bad : {0.0, nan}) refused({.shape = rate_shape::one_cycle, .first = bad}, "first");
    for (const double bad : {0.0, 1.0, nan}) refused({.shape = rate_shape::one_cycle, .peak = bad}, "peak");
    require_schedule({.shape = rate_shape::one_cycle}, "test");
}
