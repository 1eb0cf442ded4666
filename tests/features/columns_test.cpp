#include <string>
#include <utility>
#include <vector>

#include <caramel/features/columns.hpp>
#include <caramel/features/concat.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace columns_test {

namespace {

table customers() {
    table x;
    x.add_column("id", std::vector<std::int64_t>{7, 8, 9, 10});
    x.add_column("contract", std::vector<std::string>{"year", "month", "", "month"}, {false, false, true, false});
    x.add_column("tenure", std::vector<double>{1, 2.5, 0, 8}, {false, false, true, false});
    x.add_column("city", std::vector<std::string>{"Oslo", "Bergen", "Oslo", "Oslo"});
    x.add_column("orders", std::vector<std::int64_t>{3, 4, 5, 9});
    x.add_column("joined", std::vector<std::chrono::sys_seconds>(4));
    return x;
}
using names = std::vector<std::string>;

}  // namespace

TEST_CASE("drop_columns: all but the named ones, which need not be there at prediction time", "[columns]") {
    const auto model = fit(drop_columns({"id", "city", "joined"}), customers());
    CHECK(model(customers()).names() == names{"contract", "tenure", "orders"});
    CHECK(model.output_names({}) == names{"contract", "tenure", "orders"});
    CHECK(model(customers().drop({"id", "joined"})).names() == names{"contract", "tenure", "orders"});
    workspace scratch, mine;
    const auto whole = customers();
    const auto row = model(row_of(whole, 1, mine), scratch);
    CHECK(row.names.size() == 3);
    CHECK(row["orders"].integer == 4);
    const error gone = error_of([&] { (void)model(customers().drop({"tenure"})); });
    CHECK(gone.code() == errc::missing_column);
    CHECK(std::string(gone.what()) == "columns: no column \"tenure\" among 5");
}
TEST_CASE("drop_columns: what cannot be dropped is refused by name", "[columns][error]") {
    const error e = error_of([] { (void)fit(drop_columns({"gone"}), customers()); });
    CHECK(e.code() == errc::missing_column);
    CHECK(std::string(e.what()) == "drop_columns: no column \"gone\" among 6");
    CHECK(error_of([] { (void)fit(drop_columns({"id", "id"}), customers()); }).code() == errc::duplicate_column);
    CHECK(error_of([] { (void)fit(drop_columns(customers().names()), customers()); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)fit(drop_columns({"id"}), customers().slice(0, 0)); }).code() == errc::empty_input);
}

TEST_CASE("rename_columns: new names at once, the rest as it is", "[columns]") {
    const auto model = fit(rename_columns({{"tenure", "months"}, {"id", "city"}, {"city", "id"}}), customers());
    const auto out = model(customers());
    CHECK(out.names() == names{"city", "contract", "months", "id", "orders", "joined"});
    CHECK(out.integers("city")[0] == 7);
    CHECK(out.categories("id")[1] == "Bergen");
    workspace scratch, mine;
    const auto whole = customers();
    CHECK(model(row_of(whole, 3, mine), scratch)["months"].number == 8);
    CHECK(error_of([&] { (void)model(customers().drop({"id"})); }).code() == errc::missing_column);
    CHECK(error_of([] { (void)fit(rename_columns({{"gone", "x"}}), customers()); }).code() == errc::missing_column);
    CHECK(error_of([] { (void)fit(rename_columns({{"id", "city"}}), customers()); }).code() == errc::duplicate_column);
    CHECK(error_of([] { (void)fit(rename_columns({{"id", "a"}, {"id", "b"}}), customers()); }).code() == errc::duplicate_column);
    CHECK(error_of([] { (void)rename_columns_model({"a"}, {}); }).code() == errc::bad_data);
}

TEST_CASE("numbers_only, categories_only, timestamps_only: columns by their type", "[columns]") {
    CHECK(fit(numbers_only{}, customers())(customers()).names() == names{"id", "tenure", "orders"});
    CHECK(fit(numbers_only{.except = {"id"}}, customers())(customers()).names() == names{"tenure", "orders"});
    CHECK(fit(categories_only{.except = {"city"}}, customers())(customers()).names() == names{"contract"});
    CHECK(fit(timestamps_only{}, customers())(customers()).names() == names{"joined"});
    const error none = error_of([] { (void)fit(categories_only{}, customers().take_columns({"id"})); });
    CHECK(none.code() == errc::bad_data);
    CHECK(std::string(none.what()) == "categories_only: no column of categories among 1");
    CHECK(error_of([] { (void)fit(timestamps_only{.except = {"gone"}}, customers()); }).code() == errc::missing_column);
}

TEST_CASE("concat over a table: each type takes its own way, a batch and a row alike", "[columns][concat]") {
    const auto recipe = concat(numbers_only{.except = {"id"}} | impute{} | encode<float>{} | standardize<float>{},
                               categories_only{} | impute{.text = fill_text::constant, .constant_text = "none"} | encode<float>{});
    const auto x = customers();
    const auto model = fit(recipe, x);
    const auto out = model(x);
    CHECK(model.output_names(x.names()) == names{"tenure", "orders", "contract=month", "contract=none", "contract=year", "city=Bergen", "city=Oslo"});
    CHECK(out.cols() == 7);
    CHECK(std::abs(out.leftCols(2).colwise().mean().sum()) < 1e-6F);
    CHECK(out(2, 3) == 1);
    CHECK(out(2, 6) == 1);
    workspace scratch, mine;
    for (std::size_t i = 0; i < x.rows(); ++i) {
        const auto row = model(row_of(x, i, mine), scratch);
        CHECK(std::equal(row.begin(), row.end(), row_of(out, static_cast<row_index>(i)).begin()));
    }
    const error e = error_of([&] { (void)model(x.drop({"orders"})); });
    CHECK(e.code() == errc::missing_column);
    CHECK(std::string(e.what()).find("\"orders\"") != std::string::npos);
}

}  // namespace columns_test
