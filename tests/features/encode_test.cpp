#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <caramel/features/columns.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/encode_sparse.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace encode_test {

namespace {

struct customer {
    double tenure;
    std::optional<int> orders;
    std::string contract;
    std::optional<std::string> city;
};
const std::vector<customer> customers{{1, 3, "year", "Oslo"}, {2.5, {}, "month", {}}, {4, 5, "month", "Bergen"}, {8, 9, "two years", "Oslo"}};

table customer_table(const std::vector<customer>& rows = customers) {
    return table::of(rows, field("tenure", &customer::tenure), field("orders", &customer::orders), field("contract", &customer::contract),
                     field("city", &customer::city));
}

}  // namespace

TEST_CASE("columns: keeps the named ones, in the order given", "[columns]") {
    const auto out = columns({"contract", "tenure"})(customer_table());
    CHECK(out.names() == std::vector<std::string>{"contract", "tenure"});
    CHECK(out.categories("contract")[3] == "two years");
    workspace scratch, mine;
    const auto chosen = columns({"contract", "tenure"});
    const auto whole = customer_table();
    const auto row = chosen(row_of(whole, 1, mine), scratch);
    CHECK(row["tenure"].number == 2.5);
    CHECK(row["contract"].text() == "month");
}

TEST_CASE("columns: a name that the table lacks is named in the message", "[columns][error]") {
    const error e = error_of([] { (void)columns({"tenure", "monthly"})(customer_table()); });
    CHECK(e.code() == errc::missing_column);
    CHECK(std::string(e.what()) == "columns: no column \"monthly\" among 4");
    CHECK(error_of([] { (void)columns({"a", "b", "a"}); }).code() == errc::duplicate_column);
    CHECK(error_of([] { (void)columns({}); }).code() == errc::bad_parameter);
}

TEST_CASE("impute: median and most frequent, worked by hand", "[impute]") {
    const auto model = fit(impute{}, customer_table());
    const auto out = model(customer_table());
    CHECK(out.numbers("orders")[1] == 5);  // of 3, 5, 9
    CHECK(out.numbers("orders")[0] == 3);
    CHECK(out.categories("city")[1] == "Oslo");
    CHECK_FALSE(out.column("city").any_missing());
    const auto mean = fit(impute{.number = fill_number::mean, .text = fill_text::constant, .constant_text = "nowhere"}, customer_table());
    CHECK(mean(customer_table()).numbers("orders")[1] == Approx(17.0 / 3));
    CHECK(mean(customer_table()).categories("city")[1] == "nowhere");
}

TEST_CASE("impute: even counts take the middle of two; ties the first in byte order", "[impute]") {
    table x;
    x.add_column("n", std::vector<double>{4, 0, 1, 10, 2}, {false, true, false, false, false});
    x.add_column("c", std::vector<std::string>{"b", "a", "", "b", "a"}, {false, false, true, false, false});
    const auto out = fit(impute{}, x)(x);
    CHECK(out.numbers("n")[1] == 3);
    CHECK(out.categories("c")[2] == "a");
}

TEST_CASE("impute: columns may come in another order, and whole numbers as integers", "[impute]") {
    table train, today;
    train.add_column("a", std::vector<double>{1.5, 2.5});
    train.add_column("b", std::vector<std::string>{"x", "y"});
    today.add_column("b", std::vector<std::string>{"y"});
    today.add_column("other", std::vector<double>{0});
    today.add_column("a", std::vector<std::int64_t>{7});
    const auto out = fit(impute{}, train)(today);
    CHECK(out.names() == train.names());
    CHECK(out.numbers("a")[0] == 7);
    const error e = error_of([&] { (void)fit(impute{}, train)(columns({"b"})(today)); });
    CHECK(e.code() == errc::missing_column);
    CHECK(std::string(e.what()) == "impute: no column \"a\" among 1");
    table wrong;
    wrong.add_column("a", std::vector<std::string>{"1.5"});
    wrong.add_column("b", std::vector<std::string>{"x"});
    CHECK(error_of([&] { (void)fit(impute{}, train)(wrong); }).code() == errc::wrong_column_type);
}

TEST_CASE("impute: a column without any value is refused by name, unless a constant fills it", "[impute][error]") {
    table x;
    x.add_column("empty", std::vector<double>{0, 0}, {true, true});
    const error e = error_of([&] { (void)fit(impute{}, x); });
    CHECK(e.code() == errc::bad_data);
    CHECK(std::string(e.what()).find("\"empty\"") != std::string::npos);
    CHECK(fit(impute{.number = fill_number::constant, .constant = 3}, x)(x).numbers("empty")[1] == 3);
}

TEST_CASE("encode: one-hot, worked by hand", "[encode]") {
    const auto model = fit(columns({"tenure", "contract", "city"}) | encode<double>{}, customer_table());
    const auto out = model(customer_table());
    matrix<double> expected(4, 6);
    // tenure, contract = month, two years, year; city = Bergen, Oslo
    expected << 1, 0, 0, 1, 0, 1,  //
        2.5, 1, 0, 0, 0, 0,        //
        4, 1, 0, 0, 1, 0,          //
        8, 0, 1, 0, 0, 1;
    CHECK(out == expected);
    CHECK(model.output_names({}) ==
          std::vector<std::string>{"tenure", "contract=month", "contract=two years", "contract=year", "city=Bergen", "city=Oslo"});
}

TEST_CASE("encode: a level that training did not see is zeros throughout; levels of absent rows do not count", "[encode]") {
    const auto train = customer_table().take_rows(std::vector<std::size_t>{1, 2});
    const auto model = fit(columns({"contract"}) | encode<float>{}, train);
    CHECK(model(customer_table()).cols() == 1);
    CHECK(model(customer_table())(0, 0) == 0);
    CHECK(model(customer_table())(1, 0) == 1);
}

namespace {
table colours(const std::vector<std::string>& texts) {
    table x;
    x.add_column("c", texts);
    return x;
}
}  // namespace

TEST_CASE("encode: rare levels share a column; unknown ones are zeros, rare, or refused", "[encode]") {
    const auto train = colours({"red", "blue", "red", "green", "blue", "blue", "white"});
    const auto today = colours({"white", "violet", "red"});
    const auto model = fit(encode<double>{.min_count = 2}, train);
    CHECK(model.output_names({}) == std::vector<std::string>{"c=blue", "c=red", "c=(rare)"});
    matrix<double> expected(3, 3);
    expected << 0, 0, 1, 0, 0, 0, 0, 1, 0;
    CHECK(model(today) == expected);
    const auto merged = fit(encode<double>{.min_count = 2, .unknown = unknown_level::rare}, train);
    expected(1, 2) = 1;
    CHECK(merged(today) == expected);
    const auto strict = fit(encode<double>{.min_count = 2, .unknown = unknown_level::refuse}, train);
    CHECK(strict(train).row(3).sum() == 1);
    const error e = error_of([&] { (void)strict(today); });
    CHECK(e.code() == errc::unknown_id);
    CHECK(e.where() == place{.row = 2, .column = 1});
    CHECK(std::string(e.what()) == "encode: column \"c\" has a level in row 2 that training did not see");
    workspace scratch, mine;
    CHECK(error_of([&] { (void)strict(row_of(today, 1, mine), scratch); }).code() == errc::unknown_id);
    CHECK(fit(encode<double>{.unknown = unknown_level::rare}, train)(today).row(1).isZero());  // there are no rare levels
    CHECK(fit(encode<double>{.max_levels = 2, .min_count = 2}, train)(train).cols() == 3);     // rare ones are not counted
    CHECK(fit(encode<double>{.min_count = 100}, train).output_names({}) == std::vector<std::string>{"c=(rare)"});
    CHECK(error_of([&] { (void)fit(encode<double>{.min_count = -1}, train); }).code() == errc::bad_parameter);
}
TEST_CASE("encode: drop_first leaves out the first level that is not rare", "[encode]") {
    const auto train = colours({"red", "blue", "red", "green", "blue", "red"});
    const auto model = fit(encode<double>{.drop_first = true}, train);
    CHECK(model.output_names({}) == std::vector<std::string>{"c=green", "c=red"});
    matrix<double> expected(2, 2);
    expected << 0, 0, 1, 0;
    CHECK(model(colours({"blue", "green"})) == expected);
    CHECK(fit(encode<double>{.min_count = 2, .drop_first = true}, train).output_names({}) == std::vector<std::string>{"c=red", "c=(rare)"});
    CHECK(fit(encode<double>{.drop_first = true}, colours({"a", "a"}))(colours({"a"})).cols() == 0);
    CHECK(fit(encode<double>{.min_count = 9, .drop_first = true}, train).output_names({}) == std::vector<std::string>{"c=(rare)"});
}
TEST_CASE("encode: a weight of two is a row twice; a level of weight zero is as not there", "[encode]") {
    const auto train = colours({"red", "blue", "green"});
    const std::vector<double> weights{2, 1, 0};
    const auto model = fit(encode<double>{.min_count = 2}, train, {.weights = weights});
    CHECK(model.output_names({}) == std::vector<std::string>{"c=red", "c=(rare)"});
    CHECK(model(train).row(2).isZero());
}
TEST_CASE("encode: the order of the levels does not depend on that of the rows", "[encode]") {
    const auto a = fit(encode<double>{.min_count = 2}, colours({"x", "z", "y", "z", "y"})), b = fit(encode<double>{.min_count = 2}, colours({"z", "y", "y", "z", "x"}));
    CHECK(a.fields() == b.fields());
}
TEST_CASE("encode: fields that do not belong together are refused", "[encode][error]") {
    const auto make = [](std::vector<std::int32_t> slots, std::vector<bool> rare) {
        return error_of([&] { encode_model<float>({"c"}, {column_type::category}, {"a", "b"}, {0, 2}, slots, rare); }).code();
    };
    CHECK(make({0}, {false}) == errc::bad_data);
    CHECK(make({0, 2}, {false}) == errc::bad_data);
    CHECK(make({-2, 0}, {false}) == errc::bad_data);
    CHECK(make({-1, -1}, {true}) == errc::bad_data);
    CHECK(make({0, 1}, {false, true}) == errc::bad_data);
}

TEST_CASE("ordinal_encode: given orders, else byte order", "[encode]") {
    table x;
    x.add_column("size", std::vector<std::string>{"S", "L", "M", ""}, {false, false, false, true});
    x.add_column("n", std::vector<double>{4, 5, 6, 7});
    x.add_column("colour", std::vector<std::string>{"red", "blue", "red", "green"});
    const auto model = fit(ordinal_encode<double>{.orders = {{"size", {"S", "M", "L"}}}}, x);
    matrix<double> expected(4, 3);
    expected << 0, 4, 2, 2, 5, 0, 1, 6, 2, -1, 7, 1;
    CHECK(model(x) == expected);
    CHECK(model.output_names({}) == x.names());
    workspace scratch, mine;
    for (std::size_t i = 0; i < 4; ++i) {
        const auto row = model(row_of(x, i, mine), scratch);
        CHECK(std::equal(row.begin(), row.end(), row_of(expected, static_cast<row_index>(i)).begin()));
    }
    table other = x.take_rows(std::vector<std::size_t>{0}).drop({"colour"});
    CHECK(error_of([&] { (void)model(other); }).code() == errc::missing_column);
    other.add_column("colour", std::vector<std::string>{"violet"});
    CHECK(model(other)(0, 2) == -1);
    CHECK(error_of([&] { (void)fit(ordinal_encode<double>{.refuse_unknown = true}, x)(other); }).where() == place{.row = 1, .column = 3});
    CHECK(error_of([&] { (void)fit(ordinal_encode<double>{.orders = {{"size", {"S", "S"}}}}, x); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)fit(ordinal_encode<double>{.orders = {{"gone", {"S"}}}}, x); }).code() == errc::missing_column);
    CHECK(error_of([&] { (void)fit(ordinal_encode<double>{.orders = {{"n", {"S"}}}}, x); }).code() == errc::wrong_column_type);
    CHECK(error_of([&] { (void)fit(ordinal_encode<double>{.max_levels = 2}, x); }).code() == errc::limit_exceeded);
}

TEST_CASE("encode_sparse: the numbers of encode without the zeros, in a batch and row by row", "[encode]") {
    table x = customer_table().drop({"orders"});
    x.add_column("calls", std::vector<std::int64_t>{0, 2, 0, 1});  // a number that is zero is left out, too
    const encode<double> dense{.min_count = 2, .unknown = unknown_level::rare};
    const auto model = fit(encode_sparse<double>{.min_count = 2, .unknown = unknown_level::rare}, x);
    const auto expected = fit(dense, x)(x);
    const auto out = model(x);
    CHECK(out.dense() == expected);
    CHECK(out.values().size() == static_cast<std::size_t>((expected.array() != 0).count()));
    CHECK(model.output_names({}) == fit(dense, x).output_names({}));
    workspace scratch, mine;
    for (std::size_t i = 0; i < x.rows(); ++i) {
        const auto row = model(row_of(x, i, mine), scratch);
        CHECK(std::ranges::equal(row.columns, out[i].columns));
        CHECK(std::ranges::equal(row.values, out[i].values));
        CHECK(row.width == static_cast<std::size_t>(out.cols()));
    }
    CHECK(model(x.take_rows(std::vector<std::size_t>{})).rows() == 0);
    const auto strict = fit(encode_sparse<double>{.unknown = unknown_level::refuse}, colours({"red"}));
    CHECK(error_of([&] { (void)strict(colours({"red", "blue"})); }).where() == place{.row = 2, .column = 1});
    CHECK(error_of([&] { (void)fit(encode_sparse<float>{}, customer_table())(customer_table()); }).code() == errc::missing_value);
    const auto numbers = fit(encode_sparse<float>{}, customer_table());
    CHECK(error_of([&] { (void)numbers(row_of(customer_table(), 1, mine), scratch); }).where() == place{.row = 1, .column = 2});  // of the one row
}

TEST_CASE("encode: timestamps are days", "[encode]") {
    using namespace std::chrono;
    table x;
    x.add_column("when", std::vector<sys_seconds>{sys_days{year{1970} / 1 / 2} + hours{12}, sys_days{year{2010} / 12 / 9}});
    const auto out = fit(encode<double>{}, x)(x);
    CHECK(out(0, 0) == 1.5);
    CHECK(out(1, 0) == 14952);
}

TEST_CASE("encode: a missing number is refused with its place", "[encode][error]") {
    const error e = error_of([] { (void)fit(encode<float>{}, customer_table())(customer_table()); });
    CHECK(e.code() == errc::missing_value);
    CHECK(e.where() == place{.row = 2, .column = 2});
    CHECK(std::string(e.what()) == "encode: column \"orders\" has no value in row 2; put impute{} in front");
    CHECK(error_of([] { (void)fit(encode<float>{.max_levels = 2}, customer_table()); }).code() == errc::limit_exceeded);
    table large;
    large.add_column("n", std::vector<double>{1e300});
    CHECK(error_of([&] { (void)fit(encode<float>{}, large)(large); }).code() == errc::number_out_of_range);
}

TEST_CASE("tables: a host's struct goes through the whole chain as one row, with the bits of the batch", "[encode][impute]") {
    const auto schema = fields(field("tenure", &customer::tenure), field("orders", &customer::orders), field("contract", &customer::contract),
                               field("city", &customer::city));
    const auto model = fit(schema | columns({"contract", "orders", "tenure"}) | impute{} | encode<float>{} | standardize<float>{}, customers);
    const auto batch = model(customers);
    workspace scratch;
    for (std::size_t i = 0; i < customers.size(); ++i) {
        const auto row = model(customers[i], scratch);
        CHECK(std::equal(row.begin(), row.end(), batch.data() + static_cast<row_index>(i) * batch.cols(), batch.data() + static_cast<row_index>(i + 1) * batch.cols()));
    }
}

TEST_CASE("labels_of: 1 where the column holds the positive value", "[encode]") {
    table x;
    x.add_column("left", std::vector<std::string>{"yes", "no", "yes"});
    x.add_column("flag", std::vector<std::int64_t>{0, 1, 1});
    CHECK(labels_of(x, "left", "yes") == std::vector<int>{1, 0, 1});
    CHECK(labels_of(x, "flag", "1") == std::vector<int>{0, 1, 1});
    CHECK(error_of([&] { (void)labels_of(x, "left", "Yes"); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)labels_of(x, "flag", "yes"); }).code() == errc::wrong_column_type);
    CHECK(error_of([&] { (void)labels_of(x, "gone", "yes"); }).code() == errc::missing_column);
    table missing;
    missing.add_column("left", std::vector<std::string>{"yes", ""}, {false, true});
    CHECK(error_of([&] { (void)labels_of(missing, "left", "yes"); }).where() == place{.row = 2, .column = 1});
}

}  // namespace encode_test
