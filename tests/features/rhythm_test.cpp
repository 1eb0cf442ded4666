#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <caramel/data/histories.hpp>
#include <caramel/features/rhythm.hpp>

#include "support/catch.hpp"

using namespace caramel;
using namespace std::chrono;

namespace {

sys_seconds at_day(double day) { return sys_days{year{2010} / 1 / 1} + seconds(std::llround(day * 86400)); }

// Bought on days 1 (twice, two orders), 11 and 41, as seen on day 50.
std::vector<transaction> purchases_of_one() {
    return {{.item = 0, .quantity = 2, .price = 3, .when = at_day(1)},
            {.item = 1, .quantity = 1, .price = 4, .when = at_day(1.5)},
            {.item = 0, .quantity = 1, .price = 10, .when = at_day(11)},
            {.item = 2, .quantity = 1, .price = 5, .when = at_day(41)},
            {.item = 3, .quantity = 5, .price = 1, .when = at_day(41)}};
}
double value(const std::vector<double>& row, const std::string& name) {
    const auto names = purchase_rhythm<double>{}.output_names();
    return row[static_cast<std::size_t>(std::ranges::find(names, name) - names.begin())];
}
std::vector<double> describe(const std::vector<transaction>& purchases, sys_seconds as_of = at_day(50)) {
    workspace scratch;
    const auto row = purchase_rhythm<double>{}(history{purchases, as_of}, scratch);
    return {row.begin(), row.end()};
}

}  // namespace

TEST_CASE("purchase_rhythm: worked by hand", "[rhythm]") {
    const auto row = describe(purchases_of_one());
    REQUIRE(row.size() == purchase_rhythm<double>{}.width());
    REQUIRE(purchase_rhythm<double>{}.output_names().size() == row.size());
    const auto is = [&](const char* name, double expected) {
        INFO(name);
        CHECK(value(row, name) == Approx(expected).epsilon(1e-12).margin(1e-12));
    };
    is("purchase_days", std::log(4));
    is("mean_gap", std::log1p(20));
    is("longest_gap", std::log1p(30));
    is("latest_gap", std::log1p(30));
    is("gap_deviation", std::log1p(std::sqrt(200.0)));  // of 10 and 30
    is("overdue", std::log1p(9.0 / 20));
    is("one_day", 0);
    is("spend_per_order", std::log1p(30.0 / 4));
    is("latest_spend", std::log1p(10));
    is("spend_per_piece", std::log1p(3));
    is("orders_14_days", std::log1p(1));
    is("spend_30_days", std::log1p(10));
    is("orders_60_days", std::log1p(4));
    is("spend_60_days", std::log1p(30));
    is("decayed_30_days", std::log(.01 + std::exp(-49 / 30.0) + std::exp(-39 / 30.0) + std::exp(-9 / 30.0)));
    is("month_1", 1);  // day 41
    is("month_2", 1);
    is("month_3", 0);
    is("months", 2);
}

TEST_CASE("purchase_rhythm: a single day has no gaps", "[rhythm]") {
    const auto row = describe({{.quantity = 1, .price = 1, .when = at_day(49)}});
    CHECK(value(row, "one_day") == 1);
    for (const char* name : {"mean_gap", "longest_gap", "latest_gap", "gap_deviation", "overdue"}) CHECK(value(row, name) == 0);
    for (const double x : row) CHECK(std::isfinite(x));
}

TEST_CASE("purchase_rhythm: refuses what it cannot describe, with the row", "[rhythm]") {
    auto swapped = purchases_of_one();
    std::swap(swapped[0], swapped[4]);
    const auto code_of = [](const std::vector<transaction>& purchases, sys_seconds as_of) {
        try {
            (void)describe(purchases, as_of);
        } catch (const error& e) {
            CHECK(e.where().row == 1);
            return e.code();
        }
        return errc{};
    };
    CHECK(code_of({}, at_day(50)) == errc::empty_input);
    CHECK(code_of(swapped, at_day(50)) == errc::bad_data);
    CHECK(code_of(purchases_of_one(), at_day(40)) == errc::bad_data);
    auto infinite = purchases_of_one();
    infinite[2].price = std::numeric_limits<double>::infinity();
    CHECK(code_of(infinite, at_day(50)) == errc::nan_or_inf);
    CHECK_THROWS_AS(purchase_rhythm<double>{.months = 121}(histories()), error);
}
