#include <caramel/data/clean.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <caramel/data/csv.hpp>
#include <caramel/data/synthetic.hpp>

#include <support/catch.hpp>
#include <support/shared_data.hpp>

using namespace caramel;

namespace {

struct row {
    std::optional<std::string> customer, item;
    std::string invoice = "1";
    double quantity = 1, price = 1;
    std::chrono::sys_seconds when{};
};
transactions log_of(const std::vector<row>& rows) {
    return transactions::from(table::of(rows, field("customer", &row::customer), field("item", &row::item), field("invoice", &row::invoice), field("quantity", &row::quantity),
                                        field("price", &row::price), field("when", &row::when)),
                              {.invoice = "invoice", .quantity = "quantity", .price = "price", .when = "when"});
}
const std::chrono::sys_seconds later{std::chrono::hours(1)};

std::vector<row> one_of_each() {
    return {{"a", "x"},                       // kept
            {std::nullopt, "x", "C1", -1},    // without a customer comes first
            {"a", std::nullopt, "C1"},        // then without an item
            {"b", "x", "C1", 1, 0},           // cancelled
            {"b", "x", "1", 0, 0},            // quantity 0
            {"b", "x", "1", -2, 1},           // quantity below 0
            {"b", "x", "1", 1, 0},            // price 0
            {"b", "x", "1", 1, -1},           // price below 0
            {"a", "x"},                       // a duplicate
            {"a", "x", "1", 1, 1, later},     // another time
            {"a", "x", "1", 2},               // another quantity
            {"a", "x", "1", 1, 2},            // another price
            {"a", "y"},                       // another item
            {"c", "x", "c1"},                 // another customer and invoice; the prefix has a case
            {"a", "x"}};                      // again
}

}  // namespace

TEST_CASE("clean: each row counts once, for the first reason", "[clean]") {
    const auto log = log_of(one_of_each());
    const auto [kept, report] = clean(log);
    CHECK(report == cleaning_report{.rows_read = 15,
                                    .missing_customer = 1,
                                    .missing_item = 1,
                                    .cancelled = 1,
                                    .non_positive_quantity = 2,
                                    .non_positive_price = 2,
                                    .duplicates = 2,
                                    .duplicates_dropped = false,
                                    .rows_kept = 8,
                                    .customers = 2,
                                    .items = 2});
    CHECK(kept == log.take_rows(std::vector<std::size_t>{0, 8, 9, 10, 11, 12, 13, 14}).compacted());
    CHECK(kept.customer_ids() == std::vector<std::string>{"a", "c"});  // b is gone
    CHECK(clean(kept).kept == kept);
}

TEST_CASE("clean: duplicates may be dropped", "[clean]") {
    const auto log = log_of(one_of_each());
    const auto [kept, report] = clean(log, {.drop_duplicates = true});
    CHECK(report.duplicates == 2);
    CHECK(report.duplicates_dropped);
    CHECK(report.rows_kept == 6);
    CHECK(kept == log.take_rows(std::vector<std::size_t>{0, 9, 10, 11, 12, 13}).compacted());  // the first of each stays
    CHECK(clean(kept, {.drop_duplicates = true}).report.duplicates == 0);
}

TEST_CASE("clean: what counts as what can be chosen", "[clean]") {
    const auto log = log_of(one_of_each());
    CHECK(clean(log, {.cancellation_prefix = ""}).report.cancelled == 0);
    CHECK(clean(log, {.cancellation_prefix = "c"}).report.cancelled == 1);
    CHECK(clean(log, {.drop_non_positive_quantity = false}).report.non_positive_quantity == 0);
    CHECK(clean(log, {.drop_non_positive_quantity = false}).report.non_positive_price == 3);
    CHECK(clean(log, {.drop_non_positive_price = false}).report.rows_kept == 10);
    table no_prices;
    no_prices.add_column("customer", std::vector{1, 2});
    no_prices.add_column("item", std::vector{1, 2});
    CHECK(clean(transactions::from(no_prices), {.drop_non_positive_price = false}).kept.rows() == 2);
    CHECK(clean(transactions{}).report == cleaning_report{});
}

TEST_CASE("clean: the report as text", "[clean]") {
    const auto report = clean(log_of(one_of_each())).report;
    CHECK(report.lines() == std::vector<std::string>{"15 rows read", "1 without a customer", "1 without an item", "1 cancelled", "2 with a quantity of 0 or less",
                                                     "2 with a price of 0 or less", "2 exact duplicates, kept", "8 rows kept: 2 customers, 2 items"});
    CHECK(report.text().starts_with("15 rows read\n1 without a customer\n"));
}

TEST_CASE("clean: every row is kept or counted", "[clean]") {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
        const auto log = synthetic_shop({.customers = 100, .items = 30, .seed = seed, .dirty = 0.2}).log;
        const auto r = clean(log, {.drop_duplicates = true}).report;
        CHECK(r.rows_read == log.rows());
        CHECK(r.rows_kept + r.missing_customer + r.missing_item + r.cancelled + r.non_positive_quantity + r.non_positive_price + r.duplicates == r.rows_read);
    }
}

TEST_CASE("clean: a year of a real shop", "[clean][shop]") {
    SHARED_OR_SKIP(path, "data/online_retail_ii/online_retail_2009_2010.csv");
    const auto log = transactions::from(read_csv(path), {.customer = "customer_id",
                                                         .item = "stock_code",
                                                         .invoice = "invoice",
                                                         .quantity = "quantity",
                                                         .price = "price",
                                                         .when = "invoice_date",
                                                         .description = "description"});
    const auto [kept, r] = clean(log);
    CHECK(r.rows_read == 525461);
    CHECK(r.rows_read - r.missing_customer - r.missing_item == 417534);
    CHECK(r.rows_read - r.missing_customer - r.missing_item - r.cancelled == 407695);
    CHECK(r.rows_kept == 407664);
    CHECK(kept.rows() == 407664);
    CHECK(r.duplicates == 6748);
    CHECK(r.customers == 4312);
    CHECK(r.items == 4017);
    CHECK(kept.n_customers() == 4312);
    CHECK(kept.n_items() == 4017);
    CHECK(clean(log, {.drop_duplicates = true}).report.rows_kept == 407664 - 6748);
    CHECK(kept.descriptions()[static_cast<std::size_t>(kept.item_number("85048"))] == "15CM CHRISTMAS GLASS BALL 20 LIGHTS");
}
