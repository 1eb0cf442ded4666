#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <caramel/data/synthetic_subscribers.hpp>
#include <caramel/features/encode.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("synthetic_subscribers: what became of them follows the probabilities behind it", "[synthetic]") {
    const auto s = synthetic_subscribers({.customers = 6000, .seed = 1});
    REQUIRE(s.rows.rows() == 6000);
    for (const std::string column : {"left", "accepted"}) {
        const std::vector<double>& truth = column == "left" ? s.leaves : s.accepts;
        const auto labels = labels_of(s.rows, column, "yes");
        // In each fifth of the probabilities the share lies within four standard errors of their mean.
        std::vector<std::size_t> order(labels.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::ranges::sort(order, {}, [&](std::size_t i) { return truth[i]; });
        for (std::size_t part = 0; part < 5; ++part) {
            double mean = 0, share = 0;
            const std::size_t n = order.size() / 5;
            for (std::size_t i = part * n; i < (part + 1) * n; ++i) {
                mean += truth[order[i]] / static_cast<double>(n);
                share += labels[order[i]] / static_cast<double>(n);
            }
            CHECK(std::abs(share - mean) < 4 * std::sqrt(mean * (1 - mean) / static_cast<double>(n)));
        }
    }
    std::size_t missing = 0;
    for (std::size_t i = 0; i < 6000; ++i) missing += s.rows.column("income").missing(i) ? 1 : 0;
    CHECK(missing > 60);
    CHECK(missing < 200);
}

TEST_CASE("synthetic_subscribers: the same seed gives the same rows, more customers the same ones and others", "[synthetic]") {
    const auto a = synthetic_subscribers({.customers = 50, .seed = 2}), b = synthetic_subscribers({.customers = 80, .seed = 2}), c = synthetic_subscribers({.customers = 50, .seed = 3});
    CHECK(a.rows == synthetic_subscribers({.customers = 50, .seed = 2}).rows);
    for (std::size_t i = 0; i < 50; ++i) {
        CHECK(a.leaves[i] == b.leaves[i]);
        CHECK(a.rows.column("monthly").numbers()[i] == b.rows.column("monthly").numbers()[i]);
    }
    CHECK_FALSE(a.rows == c.rows);
}

TEST_CASE("synthetic_subscribers: refused", "[synthetic][error]") {
    CHECK(error_of([] { (void)synthetic_subscribers({.customers = 0}); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)synthetic_subscribers({.missing_share = 1}); }).code() == errc::bad_parameter);
    CHECK(synthetic_subscribers({.customers = 1}).rows.rows() == 1);
}
