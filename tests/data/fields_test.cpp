#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <caramel/data/histories.hpp>
#include <caramel/data/table.hpp>
#include <caramel/data/transactions.hpp>

#include "support/catch.hpp"

// Equality sees each part by itself; fields that do not belong together are refused, one wrong at a time.

using namespace caramel;
namespace fields_test {
namespace {

using texts = std::vector<std::string>;
using numbers = std::vector<double>;
std::chrono::sys_seconds at(std::int64_t seconds) { return std::chrono::sys_seconds(std::chrono::seconds(seconds)); }

struct log_rows {
    texts customer{"a", "b"}, item{"x", "y"}, invoice{"1", "2"};
    numbers quantity{1, 2}, price{3, 4};
    std::vector<std::chrono::sys_seconds> when{at(10), at(20)};

    [[nodiscard]] transactions log() const {
        table t;
        t.add_column("customer", customer);
        t.add_column("item", item);
        t.add_column("invoice", invoice);
        t.add_column("quantity", quantity);
        t.add_column("price", price);
        t.add_column("when", when);
        return transactions::from(t, {.customer = "customer", .item = "item", .invoice = "invoice", .quantity = "quantity", .price = "price", .when = "when", .description = ""});
    }
};
struct history_fields {
    std::chrono::sys_seconds as_of = at(100);
    item_catalog items{.ids = {"x", "y"}, .descriptions = {"", "tea"}};
    std::vector<std::int32_t> customers{0, 1};
    texts ids{"a", "b"};
    std::vector<std::uint64_t> starts{0, 1, 3};
    std::vector<std::int32_t> bought{0, -1, 1}, invoices{0, 1, 2};
    numbers quantities{1, 1, 1}, prices{2, 2, 2};
    std::vector<std::chrono::sys_seconds> times{at(1), at(2), at(3)};

    [[nodiscard]] histories make() const { return {as_of, items, customers, ids, starts, bought, invoices, quantities, prices, times}; }
};

}  // namespace

TEST_CASE("fields: columns are equal when type, missing bits, values and levels are", "[table]") {
    const table_column whole(numbers{1, 2}), other(numbers{1, 3}), holes(numbers{1, 2}, {false, true});
    CHECK(whole == table_column(numbers{1, 2}));
    CHECK_FALSE(whole == other);
    CHECK_FALSE(whole == holes);
    CHECK_FALSE(whole == table_column(std::vector<std::int64_t>{1, 2}));
    CHECK_FALSE(table_column(std::vector<std::int64_t>{1, 2}) == table_column(std::vector<std::int64_t>{1, 3}));
    CHECK_FALSE(table_column(std::vector{at(1)}) == table_column(std::vector{at(2)}));
    CHECK(table_column(texts{"a", "b"}) == table_column(std::vector<std::int32_t>{0, 1}, texts{"a", "b"}));
    CHECK_FALSE(table_column(texts{"a", "b"}) == table_column(texts{"b", "a"}));
    CHECK_FALSE(table_column(std::vector<std::int32_t>{0}, texts{"a", "b"}) == table_column(std::vector<std::int32_t>{1}, texts{"a", "b"}));
    table_column gone(texts{"a"});
    const table_column kept = std::move(gone);
    CHECK(kept.categories()[0] == "a");
    CHECK(name_of(static_cast<column_type>(9)) == "unknown");
}
TEST_CASE("fields: logs are equal when each of their columns is", "[transactions]") {
    const transactions log = log_rows{}.log();
    CHECK(log == log_rows{}.log());
    for (const auto& changed : {log_rows{.customer = {"a", "c"}}, log_rows{.customer = {"b", "a"}}, log_rows{.item = {"x", "z"}}, log_rows{.item = {"y", "x"}},
                                log_rows{.invoice = {"1", "1"}}, log_rows{.quantity = {1, 3}}, log_rows{.price = {3, 5}}, log_rows{.when = {at(10), at(21)}}})
        CHECK_FALSE(log == changed.log());
}
TEST_CASE("fields: histories", "[histories][error]") {
    const history_fields good;
    const histories made = good.make();
    REQUIRE(made.size() == 2);
    CHECK(made[1].purchases.size() == 2);
    CHECK(made[1].purchases[1].price == 2);
    CHECK(made.find("b") == 1U);
    CHECK_FALSE(made.find("c"));
    const auto refused = [&](const std::function<void(history_fields&)>& change, std::uint64_t row = 0) {
        history_fields bad = good;
        change(bad);
        const error e = error_of([&] { (void)bad.make(); });
        CHECK(e.code() == errc::bad_data);
        CHECK(e.where().row == row);
    };
    refused([](auto& f) { f.ids = {"a"}; });
    refused([](auto& f) { f.starts = {0, 3}; });
    refused([](auto& f) { f.starts = {1, 1, 3}; });
    refused([](auto& f) { f.starts = {0, 1, 2}; });
    refused([](auto& f) { f.starts = {0, 4, 3}; });
    refused([](auto& f) { f.invoices.pop_back(); });
    refused([](auto& f) { f.quantities.pop_back(); });
    refused([](auto& f) { f.prices.pop_back(); });
    refused([](auto& f) { f.times.pop_back(); });
    refused([](auto& f) { f.items.descriptions.pop_back(); });
    refused([](auto& f) { f.bought[0] = -2; }, 1);
    refused([](auto& f) { f.bought[2] = 2; }, 2);
    refused([](auto& f) { f.times[0] = f.as_of; }, 1);
    refused([](auto& f) { f.times[2] = at(1); }, 2);
}
TEST_CASE("fields: what has no item is no interaction, and rows without a customer return nobody", "[histories]") {
    const auto bought = interactions_of<double>(history_fields{}.make());
    CHECK(bought.pairs() == 2);
    table t;
    t.add_column("customer", std::vector<std::optional<std::string>>{"a", std::nullopt, "b", "a"});
    t.add_column("item", std::vector<std::optional<std::string>>{"x", "x", std::nullopt, "y"});
    t.add_column("when", std::vector{at(1), at(2), at(3), at(4)});
    const auto log = transactions::from(t, {.customer = "customer", .item = "item", .invoice = "", .quantity = "", .price = "", .when = "when", .description = ""});
    CHECK(interactions_of<double>(log).pairs() == 2);
    const histories seen(log, at(4));
    CHECK(seen.size() == 2);
    CHECK(did_not_return(seen, log) == std::vector<int>{0, 0});
}

}  // namespace fields_test
