#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"

#include <caramel/recommend/recency.hpp>

using namespace caramel;
using namespace std::chrono_literals;

TEST_CASE("recency_weighted: halves with each half-life", "[recency]") {
    struct entry {
        int customer, item;
        double value;
        std::chrono::sys_seconds time;
    };
    const std::chrono::sys_seconds day{1000h};
    const auto x = interactions<double>::of(std::vector<entry>{{1, 1, 4, day}, {1, 2, 4, day - 10h}, {2, 1, 1, day - 25h}});
    const auto faded = recency_weighted(x, 10h);
    CHECK(faded[0].values[0] == 4);
    CHECK(faded[0].values[1] == Approx(2));
    CHECK(faded[1].values[0] == Approx(std::exp2(-2.5)));
    CHECK(faded.has_times());
    CHECK(faded.customers() == x.customers());
    const auto later = recency_weighted(x, 10h, day + 10h), earlier = recency_weighted(x, 10h, day - 10h);
    CHECK(later[0].values[0] == Approx(2));
    CHECK(earlier[0].values[0] == 4);
    CHECK(earlier[0].values[1] == 4);
    CHECK(recency_weighted(interactions<double>(), 1h).empty());
    for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
        CHECK(error_of([&] { (void)recency_weighted(x, std::chrono::duration<double>(bad)); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)recency_weighted(x.without_times(), 1h); }).code() == errc::bad_parameter);
}
