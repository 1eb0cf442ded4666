#include <string>
#include <vector>

#include <caramel/features/impute.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

table holes() {
    table x;
    x.add_column("n", std::vector<double>{4, 0, 1, 10, 2, 4}, {false, true, false, false, false, false});
    x.add_column("c", std::vector<std::string>{"b", "a", "", "b", "a", "c"}, {false, false, true, false, false, false});
    x.add_column("whole", std::vector<double>{1, 2, 3, 4, 5, 6});
    return x;
}

}  // namespace

TEST_CASE("impute: each column its own way", "[impute]") {
    const impute recipe{.number = fill_number::mean, .columns = {{.column = "n", .number = fill_number::most_frequent},
                                                                 {.column = "c", .text = fill_text::constant, .constant_text = "none"}}};
    const auto out = fit(recipe, holes())(holes());
    CHECK(out.numbers("n")[1] == 4);
    CHECK(out.categories("c")[2] == "none");
    CHECK(error_of([] { (void)fit(impute{.columns = {{.column = "gone"}}}, holes()); }).code() == errc::missing_column);
    CHECK(error_of([] { (void)fit(impute{.columns = {{.column = "n"}, {.column = "n"}}}, holes()); }).code() == errc::duplicate_column);
}
TEST_CASE("impute: the most frequent number, the smallest of several", "[impute]") {
    table x;
    x.add_column("n", std::vector<double>{7, 3, 7, 3, 9, 0}, {false, false, false, false, false, true});
    CHECK(fit(impute{.number = fill_number::most_frequent}, x)(x).numbers("n")[5] == 3);
    const std::vector<double> weights{1, 1, 1, 1, 2.5, 1};
    CHECK(fit(impute{.number = fill_number::most_frequent}, x, {.weights = weights})(x).numbers("n")[5] == 9);
}
TEST_CASE("impute: indicators say where a value was missing, for those that training saw so, or for all", "[impute]") {
    const auto seen = fit(impute{.indicators = missing_indicators::seen}, holes());
    CHECK(seen.output_names({}) == std::vector<std::string>{"n", "c", "whole", "n_missing", "c_missing"});
    const auto out = seen(holes());
    CHECK(out.names() == seen.output_names({}));
    CHECK(out.numbers("n_missing")[1] == 1);
    CHECK(out.numbers("n_missing")[2] == 0);
    CHECK(out.numbers("c_missing")[2] == 1);
    CHECK(seen(holes().slice(3, 5)).numbers("c_missing")[0] == 0);
    const auto all = fit(impute{.indicators = missing_indicators::all}, holes());
    CHECK(all(holes()).numbers("whole_missing")[0] == 0);
    workspace scratch, mine;
    const auto x = holes();
    const auto row = all(row_of(x, 1, mine), scratch);
    CHECK(row["n"].number == 4);
    CHECK(row["n_missing"].number == 1);
    CHECK(row["c_missing"].number == 0);
    CHECK(row.names.size() == 6);
    auto taken = holes();
    taken.add_column("n_missing", std::vector<double>(6));
    CHECK(error_of([&] { (void)fit(impute{.indicators = missing_indicators::seen}, taken); }).code() == errc::duplicate_column);
    CHECK(error_of([] { impute_model({"a"}, {column_type::number}, {0}, {""}, {1}); }).code() == errc::bad_data);
    CHECK(error_of([] { impute_model({"a"}, {column_type::number}, {0}, {""}, {0, 0}); }).code() == errc::bad_data);
}
TEST_CASE("impute: a weight of two is a row twice; of zero, no row", "[impute]") {
    table x, twice;
    x.add_column("n", std::vector<double>{1, 2, 5, 9, 0}, {false, false, false, false, true});
    x.add_column("c", std::vector<std::string>{"a", "b", "a", "c", "c"});
    twice.add_column("n", std::vector<double>{1, 2, 2, 2, 5, 0}, {false, false, false, false, false, true});
    twice.add_column("c", std::vector<std::string>{"a", "b", "b", "b", "a", "c"});
    const std::vector<double> weights{1, 3, 1, 0, 1};
    for (const auto number : {fill_number::mean, fill_number::median, fill_number::most_frequent}) {
        const auto a = fit(impute{.number = number}, x, {.weights = weights}), b = fit(impute{.number = number}, twice);
        CHECK(a.fields() == b.fields());
    }
    const std::vector<double> even{1, 1, 0, 2, 1};  // 1, 2 | 9, 9
    CHECK(fit(impute{}, x, {.weights = even})(x).numbers("n")[4] == 5.5);
    const std::vector<double> none{0, 0, 0, 0, 1};
    CHECK(error_of([&] { (void)fit(impute{}, x, {.weights = none}); }).code() == errc::bad_data);
}
