#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include <caramel/data/histories.hpp>
#include <caramel/features/rfm.hpp>

#include "support/catch.hpp"

using namespace caramel;
using namespace std::chrono;

namespace {
sys_seconds at_day(int n) { return sys_days{year{2010} / 1 / 1} + days{n}; }

// Two customers and a row without one; Bo comes back after day 50, Al does not.
transactions log_of_a_shop() {
    table t;
    t.add_column("customer", std::vector<std::string>{"Bo", "Al", "Al", "Al", "", "Bo"}, {false, false, false, false, true, false});
    t.add_column("item", std::vector<std::string>{"tea", "tea", "cup", "tea", "tea", "pot"});
    t.add_column("invoice", std::vector<std::string>{"1", "2", "2", "3", "4", "5"});
    t.add_column("quantity", std::vector<double>{1, 2, 1, 4, 1, 1});
    t.add_column("price", std::vector<double>{3, 3, 10, 3, 3, 20});
    t.add_column("when", std::vector<sys_seconds>{at_day(1), at_day(10), at_day(10), at_day(30), at_day(31), at_day(60)});
    return transactions::from(t, {.customer = "customer", .item = "item", .invoice = "invoice", .quantity = "quantity", .price = "price", .when = "when"});
}
}  // namespace

TEST_CASE("histories: one row a customer, nothing from the instant on", "[histories]") {
    const histories seen(log_of_a_shop(), at_day(50));
    REQUIRE(seen.size() == 2);
    CHECK(seen.ids() == std::vector<std::string>{"Al", "Bo"});
    CHECK(seen[0].purchases.size() == 3);
    CHECK(seen[1].purchases.size() == 1);
    CHECK(seen[0].purchases[2].when == at_day(30));
    CHECK(did_not_return(seen, log_of_a_shop().since(at_day(50))) == std::vector<int>{1, 0});
    CHECK(histories(log_of_a_shop(), at_day(0)).size() == 0);
    CHECK(seen.slice(1, 2).ids() == std::vector<std::string>{"Bo"});
}

TEST_CASE("histories: know their items, and are made again from their fields", "[histories]") {
    const histories seen(log_of_a_shop(), at_day(50));
    CHECK(seen.items().ids == std::vector<std::string>{"cup", "pot", "tea"});
    CHECK(seen[0].items == &seen.items());
    CHECK(seen.slice(1, 2)[0].items == &seen.items());
    CHECK(seen.find("Bo") == 1);
    CHECK_FALSE(seen.find("Cy"));
    const auto again = std::apply([](const auto&... field) { return histories(field...); }, seen.fields());
    CHECK(again.fields() == seen.fields());
    CHECK(std::ranges::equal(again[0].purchases, seen[0].purchases));
    auto fields = seen.fields();
    std::get<5>(fields)[1] = 3;  // there are three items
    CHECK_THROWS_AS(std::apply([](const auto&... field) { return histories(field...); }, fields), error);
    CHECK(histories().size() == 0);
    CHECK(std::apply([](const auto&... field) { return histories(field...).size(); }, histories().fields()) == 0);
}

TEST_CASE("interactions_of histories: a pair's value is the number of its rows", "[histories]") {
    const histories seen(log_of_a_shop(), at_day(50));
    const auto bought = interactions_of<float>(seen);
    REQUIRE(bought.pairs() == 3);
    CHECK(bought.items().find("tea") == 1);  // items that nobody bought by then are not there
    CHECK(bought[0].values[1] == 2);
    CHECK(bought.customers().text(1) == "Bo");
}

TEST_CASE("rfm: worked by hand", "[rfm]") {
    const histories seen(log_of_a_shop(), at_day(50));
    matrix<double> expected(2, 6);
    expected << 20, 40, 2, 28, 2, 7,  //
        49, 49, 1, 3, 1, 1;
    CHECK(rfm<double>{.logarithms = false}(seen).isApprox(expected, 1e-12));
    CHECK(rfm<double>{}(seen).isApprox((expected.array() + 1).log().matrix(), 1e-12));
}

TEST_CASE("rfm: one customer has the bits of the batch", "[rfm]") {
    const histories seen(log_of_a_shop(), at_day(50));
    const auto batch = rfm<float>{}(seen);
    workspace scratch;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const auto row = rfm<float>{}(seen[i], scratch);
        CHECK(std::equal(row.begin(), row.end(), batch.data() + i * 6));
    }
}

TEST_CASE("rfm: a customer without purchases and a price that is no number are refused", "[rfm][error]") {
    workspace scratch;
    CHECK(error_of([&] { (void)rfm<float>{}(history{}, scratch); }).code() == errc::empty_input);
    const std::vector<transaction> broken{{.price = std::nan("")}};
    CHECK(error_of([&] { (void)rfm<float>{}(history{broken, at_day(1)}, scratch); }).code() == errc::nan_or_inf);
}

TEST_CASE("interactions_of: pairs count their rows; a later part is numbered as the earlier one", "[histories]") {
    const auto log = log_of_a_shop();
    const auto before = interactions_of<float>(log.before(at_day(50)));
    CHECK(before.rows() == 2);
    CHECK(before.items().size() == 2);  // cup, tea
    CHECK(before[0].values[1] == 2);    // Al and tea
    const auto later = interactions_of<float>(log.since(at_day(50)), &before);
    CHECK(later.rows() == 2);
    CHECK(later.pairs() == 0);  // the pot was not known
}
