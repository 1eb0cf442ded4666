#include <caramel/data/transactions.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caramel/data/csv.hpp>

#include <support/catch.hpp>
#include <support/shared_data.hpp>

using namespace caramel;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

namespace transactions_test {

namespace {

const transaction_columns all_columns{.customer = "customer", .item = "item", .invoice = "invoice", .quantity = "quantity", .price = "price", .when = "when", .description = "description"};
const sys_seconds noon = sys_days(2020y / 5 / 1) + 12h;

table small() {
    table t;
    t.add_column("customer", std::vector<std::optional<int>>{20, 3, std::nullopt, 20, 100});
    t.add_column("item", std::vector<std::string>{"soap", "tea", "tea", "cup", "soap"});
    t.add_column("invoice", std::vector{1, 2, 3, 4, 4});
    t.add_column("quantity", std::vector{1, 2, 3, -4, 5});
    t.add_column("price", std::vector{1.5, 2.0, 2.0, 0.5, 1.25});
    t.add_column("when", std::vector<sys_seconds>{noon, noon + 1h, noon + 2h, noon + 3h, noon + 3h});
    t.add_column("description", std::vector<std::optional<std::string>>{"a soap", "black tea", "a tea", std::nullopt, ""});
    return t;
}

}  // namespace

// What a temporary log gives would be gone at the end of the line.
template <class Log>
concept gives_lists = requires(Log&& log) {
    std::forward<Log>(log).customer_ids();
    std::forward<Log>(log).times();
};
static_assert(std::regular<transactions> && std::regular<transaction>);

TEST_CASE("transactions: ids are numbered in ascending order of their texts", "[transactions]") {
    const auto log = transactions::from(small(), all_columns);
    CHECK(log.rows() == 5);
    CHECK(log.customer_ids() == std::vector<std::string>{"100", "20", "3"});
    CHECK(log.item_ids() == std::vector<std::string>{"cup", "soap", "tea"});
    CHECK(log.n_customers() == 3);
    CHECK(log.n_items() == 3);
    CHECK(log.n_invoices() == 4);
    CHECK(std::vector(log.customers().begin(), log.customers().end()) == std::vector<std::int32_t>{1, 2, -1, 1, 0});
    CHECK(log[3] == transaction{.customer = 1, .item = 0, .invoice = 3, .quantity = -4, .price = 0.5, .when = noon + 3h});
    CHECK(log[1].spend() == 4);
    CHECK(log.find_customer("20") == 1);
    CHECK_FALSE(log.find_customer("21"));
    CHECK(log.item_number("tea") == 2);
    CHECK(log.first_time() == noon);
    CHECK(log.last_time() == noon + 3h);
}

TEST_CASE("transactions: the most frequent description stands for an item", "[transactions]") {
    table t;
    t.add_column("item", std::vector<std::string>{"a", "a", "a", "b", "b", "b", "b", "c", "d"});
    t.add_column("customer", std::vector(9, 1));
    t.add_column("description", std::vector<std::optional<std::string>>{"x", "y", "y", "z", "w", "w", "z", "", std::nullopt});
    const auto log = transactions::from(t, {.description = "description"});
    CHECK(log.descriptions() == std::vector<std::string>{"y", "w", "", ""});  // w and z are equally frequent
}

TEST_CASE("transactions: columns that are not there", "[transactions]") {
    table t;
    t.add_column("who", std::vector<std::string>{"b", "", "a"});
    const auto log = transactions::from(t, {.customer = "who", .item = ""});
    CHECK(log.customer_ids() == std::vector<std::string>{"a", "b"});
    CHECK(transaction{}.price == 0);
    CHECK(log[0] == transaction{.customer = 1, .item = -1, .invoice = -1, .quantity = 1, .price = 0, .when = sys_seconds{}});
    CHECK(log[1].customer == -1);  // an empty id is none
    CHECK(log.n_items() == 0);
    CHECK(log.descriptions().empty());

    CHECK(transactions{}.rows() == 0);
    const transactions none;
    CHECK(none.customer_ids().empty());
    static_assert(gives_lists<const transactions&> && !gives_lists<transactions>);
    transactions moved = transactions::from(small(), all_columns);
    const transactions target = std::move(moved);
    CHECK(target.rows() == 5);
    CHECK(moved.n_customers() == 0);  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("transactions: parts keep the numbers, compacting renumbers", "[transactions]") {
    const auto log = transactions::from(small(), all_columns);
    const auto late = log.since(noon + 3h);
    CHECK(late.rows() == 2);
    CHECK(late.customer_ids() == log.customer_ids());
    CHECK(late[0] == log[3]);
    CHECK(log.before(noon + 3h).rows() == 3);
    CHECK(log.before(noon).empty());
    CHECK(log.since(noon) == log);

    const auto small_late = late.compacted();
    CHECK(small_late.customer_ids() == std::vector<std::string>{"100", "20"});
    CHECK(small_late.item_ids() == std::vector<std::string>{"cup", "soap"});
    CHECK(small_late.invoice_ids() == std::vector<std::string>{"4"});
    CHECK(small_late.descriptions() == std::vector<std::string>{"", "a soap"});
    CHECK(small_late[1] == transaction{.customer = 0, .item = 1, .invoice = 0, .quantity = 5, .price = 1.25, .when = noon + 3h});
    CHECK(log.compacted() == log);
    CHECK(log.before(noon).compacted() == transactions{});

    const auto dear = log.where([](const transaction& t) { return t.spend() > 5; });
    CHECK(dear.rows() == 2);
    CHECK(dear == log.take_rows(std::vector<std::size_t>{2, 4}));
    CHECK(log.take_rows(std::vector<std::size_t>{4, 4})[0] == log[4]);
    CHECK(log.take_rows(std::vector<std::size_t>{0, 1, 2, 3, 4}) == log);
}

TEST_CASE("transactions: a category of a part of a table has levels that no row uses", "[transactions]") {
    const table part = small().slice(1, 3);
    const auto log = transactions::from(part, all_columns);
    CHECK(log.item_ids() == std::vector<std::string>{"tea"});
    CHECK(log.customer_ids() == std::vector<std::string>{"3"});
}

TEST_CASE("transactions: errors", "[transactions][error]") {
    const table t = small();
    const auto from = [&](transaction_columns columns) { return error_of([&] { (void)transactions::from(t, columns); }); };
    CHECK(from({.customer = "nobody"}).code() == errc::missing_column);
    CHECK(from({.customer = "price"}).code() == errc::wrong_column_type);
    CHECK(from({.invoice = "when"}).code() == errc::wrong_column_type);
    CHECK(from({.quantity = "item"}).code() == errc::wrong_column_type);
    CHECK(from({.when = "price"}).code() == errc::wrong_column_type);
    CHECK(from({.description = "price"}).code() == errc::wrong_column_type);
    // A bad cell that made a column one of texts is named, and not what it says.
    const table typo = parse_csv("customer,item,when,price\na,x,2010-12-01,1.5\nb,y,2010-12-02,\nc,z,soon,secret\nd,z,later,-\n");
    const auto bad_price = error_of([&] { (void)transactions::from(typo, {.price = "price"}); });
    CHECK(bad_price.code() == errc::wrong_column_type);
    CHECK(bad_price.where() == place{.row = 3, .column = 4});
    CHECK_THAT(bad_price.what(), Catch::Matchers::Contains("row 3") && !Catch::Matchers::Contains("secret"));
    CHECK(error_of([&] { (void)transactions::from(typo, {.when = "when"}); }).where() == place{.row = 3, .column = 3});
    CHECK(error_of([&] { (void)transactions::from(parse_csv("customer,item,price\na,x,007\n"), {.price = "price"}); }).code() == errc::wrong_column_type);
    const auto e = from({.customer = "item", .quantity = "customer"});
    CHECK(e.code() == errc::missing_value);
    CHECK(e.where().row == 3);
    table no_time;
    no_time.add_column("customer", std::vector{1, 2});
    no_time.add_column("item", std::vector{1, 2});
    no_time.add_column("when", std::vector<sys_seconds>{noon, noon}, {false, true});
    CHECK(error_of([&] { (void)transactions::from(no_time, {.when = "when"}); }).where().row == 2);

    const auto log = transactions::from(t, all_columns);
    const auto unknown = error_of([&] { (void)log.customer_number("99"); });
    CHECK(unknown.code() == errc::unknown_id);
    CHECK_THAT(unknown.what(), !Catch::Matchers::Contains("99"));
    CHECK(error_of([&] { (void)log.item_number("so"); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)log.take_rows(std::vector<std::size_t>{5}); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)transactions{}.first_time(); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)transactions{}.last_time(); }).code() == errc::empty_input);
}

TEST_CASE("transactions: integers of any size are ids", "[transactions]") {
    table t;
    t.add_column("customer", std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(), 0, 0});
    t.add_column("item", std::vector{1, 1, 1, 1});
    const auto log = transactions::from(t);
    CHECK(log.customer_ids() == std::vector<std::string>{"-9223372036854775808", "0", "9223372036854775807"});
    CHECK(std::vector(log.customers().begin(), log.customers().end()) == std::vector<std::int32_t>{2, 0, 1, 1});
}

}  // namespace transactions_test
