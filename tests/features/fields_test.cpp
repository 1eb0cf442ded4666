#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <caramel/features/bucketize.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/date_parts.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/hash_columns.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/polynomial.hpp>
#include <caramel/features/power_transform.hpp>
#include <caramel/features/quantile_transform.hpp>
#include <caramel/features/scale.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/features/target_encode.hpp>
#include <caramel/pipeline.hpp>

#include "support/catch.hpp"

// What a file that somebody made by hand may hold: fields that could not have been learnt together, one wrong at a time.

using namespace caramel;

namespace fields_test {
namespace {

using texts = std::vector<std::string>;
using types = std::vector<column_type>;
using starts = std::vector<std::int64_t>;
constexpr double inf = std::numeric_limits<double>::infinity();

vec<double> numbers(std::initializer_list<double> all) {
    vec<double> out(static_cast<row_index>(all.size()));
    row_index i = 0;
    for (const double x : all) out(i++) = x;
    return out;
}
matrix<double> column(std::initializer_list<double> all) { return numbers(all); }
errc code_of(const auto& work) { return error_of(work).code(); }
std::chrono::sys_seconds at(std::int64_t seconds) { return std::chrono::sys_seconds(std::chrono::seconds(seconds)); }

}  // namespace

TEST_CASE("fields: scales", "[features][error]") {
    const auto robust = [](const vec<double>& median, const vec<double>& spread) {
        return code_of([&] { (void)robust_scale_model<double>(median, spread); });
    };
    CHECK(robust(numbers({1, 2}), numbers({1})) == errc::bad_data);
    CHECK(robust(numbers({inf}), numbers({1})) == errc::bad_data);
    CHECK(robust(numbers({1}), numbers({inf})) == errc::bad_data);
    CHECK(robust(numbers({1}), numbers({0})) == errc::bad_data);
    const auto min_max = [](const vec<double>& min, const vec<double>& max, double low, double high) {
        return code_of([&] { (void)min_max_scale_model<double>(min, max, low, high, false); });
    };
    CHECK(min_max(numbers({1, 2}), numbers({1}), 0, 1) == errc::bad_data);
    CHECK(min_max(numbers({-inf}), numbers({1}), 0, 1) == errc::bad_data);
    CHECK(min_max(numbers({1}), numbers({inf}), 0, 1) == errc::bad_data);
    CHECK(min_max(numbers({2}), numbers({1}), 0, 1) == errc::bad_data);
    CHECK(min_max(numbers({1}), numbers({2}), -inf, 1) == errc::bad_data);
    CHECK(min_max(numbers({1}), numbers({2}), 0, inf) == errc::bad_data);
    CHECK(min_max(numbers({1}), numbers({2}), 1, 1) == errc::bad_data);
    CHECK(code_of([] { (void)standardize_model<double>(numbers({1}), numbers({inf})); }) == errc::bad_data);
    for (const auto& [lower, upper] : {std::pair(-0.1, 0.5), {0.5, 0.5}, {0.25, 1.1}})
        CHECK(code_of([&, low = lower, high = upper] { (void)fit(robust_scale<double>{.lower = low, .upper = high}, column({1, 2})); }) == errc::bad_parameter);
    for (const auto& [lower, upper] : {std::pair(-inf, 0.5), {0.0, inf}, {1.0, 0.0}})
        CHECK(code_of([&, low = lower, high = upper] { (void)fit(min_max_scale<double>{.low = low, .high = high}, column({1, 2})); }) == errc::bad_parameter);
}
TEST_CASE("fields: a clipped scale stays within its range and does not touch what lies inside", "[features]") {
    const auto model = fit(min_max_scale<double>{.low = -1, .high = 3, .clip = true}, column({10, 20}));
    CHECK(model(column({0, 10, 15, 20, 30})) == column({-1, -1, 1, 3, 3}));
    CHECK(model.min() == numbers({10}));
    CHECK(model.max() == numbers({20}));
    CHECK(fit(min_max_scale<double>{.low = -1, .high = 3}, column({10, 20}))(column({0, 30})) == column({-5, 7}));
}
TEST_CASE("fields: buckets", "[features][error]") {
    const auto bad = [](const std::vector<double>& cuts, const starts& from) { return code_of([&] { (void)bucketize_model<double>(cuts, from, true); }); };
    CHECK(bad({1, 2}, {}) == errc::bad_data);
    CHECK(bad({1, 2}, {1, 2}) == errc::bad_data);
    CHECK(bad({1, 2}, {0, 1}) == errc::bad_data);
    CHECK(bad({1, 2}, {0, 2, 1, 2}) == errc::bad_data);
    CHECK(bad({1, 2}, {0, 3, 2}) == errc::bad_data);
    CHECK(bad({1, inf}, {0, 2}) == errc::bad_data);
    CHECK(bad({2, 2}, {0, 2}) == errc::bad_data);
}
TEST_CASE("fields: many cuts are searched, few are counted, with the same buckets", "[features]") {
    std::vector<double> cuts;
    for (int k = 0; k < 40; ++k) cuts.push_back(k);
    const bucketize_model<double> many(cuts, {0, 40}, false);
    const matrix<double> x = column({-5, 0, 0.5, 1, 38.9, 39, 100});
    CHECK(many(x) == column({0, 1, 1, 2, 39, 40, 40}));
    CHECK(bucketize_model<double>({0, 1}, {0, 2}, false)(x) == column({0, 1, 1, 2, 2, 2, 2}));
    CHECK(many.output_names({"tenure"}) == texts{"tenure"});
}
TEST_CASE("fields: quantiles, powers and products", "[features][error]") {
    const auto quantiles = [](const matrix<double>& x, quantile_shape shape) { return code_of([&] { (void)quantile_transform_model<double>(x, shape); }); };
    matrix<double> rising(1, 2), falling(1, 2), infinite(1, 2);
    rising << 1, 2;
    falling << 2, 1;
    infinite << 1, inf;
    CHECK(quantiles(column({1}), quantile_shape::normal) == errc::bad_data);
    CHECK(quantiles(falling, quantile_shape::normal) == errc::bad_data);
    CHECK(quantiles(infinite, quantile_shape::normal) == errc::bad_data);
    CHECK(quantiles(rising, static_cast<quantile_shape>(2)) == errc::bad_data);
    CHECK(code_of([] { (void)power_transform_model<double>(numbers({inf})); }) == errc::bad_data);
    CHECK(code_of([] { (void)polynomial_model<double>(-1, 2, false); }) == errc::bad_data);
    CHECK(code_of([] { (void)polynomial_model<double>(2, 0, false); }) == errc::bad_data);
    CHECK(code_of([] { (void)polynomial_model<double>(2, 4, false); }) == errc::bad_data);
    CHECK(polynomial_model<double>(2, 1, false).output_names({"a", "b"}) == texts{"a", "b"});
}
TEST_CASE("fields: a power is learnt where rounding leaves one, and is 1 elsewhere", "[features]") {
    // The values differ in the last places only, so that each power makes a constant of them.
    const double big = 1e15;
    const auto same = fit(power_transform<double>{}, column({big, big + 1, big + 2, big}));
    CHECK(same(column({big}))(0, 0) == Approx(big).epsilon(1e-6));
}
TEST_CASE("fields: what fills holes", "[features][error]") {
    const auto bad = [](const texts& names, const types& of, const std::vector<double>& values, const texts& words, const std::vector<std::int32_t>& indicated) {
        return code_of([&] { (void)impute_model(names, of, values, words, indicated); });
    };
    const types number{column_type::number}, time{column_type::timestamp};
    CHECK(bad({"a", "b"}, number, {0}, {""}, {}) == errc::bad_data);
    CHECK(bad({"a"}, number, {0, 1}, {""}, {}) == errc::bad_data);
    CHECK(bad({"a"}, number, {0}, {}, {}) == errc::bad_data);
    CHECK(bad({"a"}, {static_cast<column_type>(9)}, {0}, {""}, {}) == errc::bad_data);
    CHECK(bad({"a"}, number, {inf}, {""}, {}) == errc::bad_data);
    CHECK(bad({"a"}, time, {1e19}, {""}, {}) == errc::bad_data);
    CHECK(bad({"a"}, number, {0}, {"\xff"}, {}) == errc::bad_utf8);
    CHECK(bad({"a"}, number, {0}, {""}, {1}) == errc::bad_data);
    CHECK(bad({"a"}, number, {0}, {""}, {-1}) == errc::bad_data);
    CHECK(bad({"a", "a_missing"}, {column_type::number, column_type::number}, {0, 0}, {"", ""}, {0}) == errc::duplicate_column);
}
TEST_CASE("fields: missing times are filled with the middle one, in a table and in a row", "[features]") {
    table x;
    x.add_column("when", std::vector{at(100), at(0), at(300), at(200)}, {false, true, false, false});
    x.add_column("tie", std::vector<double>{1, 0, 3, 0}, {false, true, false, true});
    const auto model = fit(impute{.number = fill_number::median}, x);
    const auto filled = model(x);
    CHECK(filled.timestamps("when")[1] == at(200));
    CHECK(filled.timestamps("when")[0] == at(100));
    CHECK(filled.numbers("tie")[1] == 2);  // the middle of two
    workspace scratch;
    CHECK(model(row_of(x, 1, scratch), scratch).cells[0].when() == at(200));
    CHECK(model(row_of(x, 0, scratch), scratch).cells[0].when() == at(100));
}
TEST_CASE("fields: levels of categories", "[features][error]") {
    const auto ordinal = [](const texts& names, const types& of, const texts& levels, const starts& from) {
        return code_of([&] { (void)ordinal_encode_model<double>(names, of, levels, from, false); });
    };
    const types category{column_type::category}, number{column_type::number};
    CHECK(ordinal({"a"}, {}, {}, {0, 0}) == errc::bad_data);
    CHECK(ordinal({"a"}, category, {}, {0}) == errc::bad_data);
    CHECK(ordinal({"a"}, category, {"x"}, {1, 1}) == errc::bad_data);
    CHECK(ordinal({"a"}, category, {"x"}, {0, 0}) == errc::bad_data);
    CHECK(ordinal({"a", "b"}, {column_type::category, column_type::category}, {"x", "y"}, {0, 3, 2}) == errc::bad_data);
    CHECK(ordinal({"a", "b", "c"}, {column_type::category, column_type::category, column_type::category}, {"x", "y"}, {0, 2, 1, 2}) == errc::bad_data);
    CHECK(ordinal({"a"}, {static_cast<column_type>(9)}, {}, {0, 0}) == errc::bad_data);
    CHECK(ordinal({"a"}, number, {"x"}, {0, 1}) == errc::bad_data);
    CHECK(ordinal({"a"}, category, {"x", "x"}, {0, 2}) == errc::bad_data);
    CHECK(ordinal({"a", "a"}, {column_type::number, column_type::number}, {}, {0, 0, 0}) == errc::duplicate_column);
    const auto target = [](const texts& levels, const std::vector<double>& values, const std::vector<double>& missing, const std::vector<double>& mean) {
        return code_of([&] { (void)target_encode_model<float>({"a"}, {column_type::category}, levels, {0, static_cast<std::int64_t>(levels.size())}, values, missing, mean); });
    };
    CHECK(target({"x"}, {1}, {1}, {}) == errc::bad_data);
    CHECK(target({"x"}, {1, 2}, {1}, {1}) == errc::bad_data);
    CHECK(target({"x"}, {1}, {}, {1}) == errc::bad_data);
    CHECK(target({"y", "x"}, {1, 2}, {1}, {1}) == errc::bad_data);
    CHECK(target({"x"}, {1}, {1}, {1e300}) == errc::number_out_of_range);
    const auto hashes = [](const texts& names, const types& of, std::int64_t features) { return code_of([&] { (void)hash_columns_model<double>(names, of, features); }); };
    CHECK(hashes({"a"}, {}, 4) == errc::bad_data);
    CHECK(hashes({"a"}, {static_cast<column_type>(9)}, 4) == errc::bad_data);
    CHECK(hashes({"a"}, number, 0) == errc::bad_data);
    CHECK(hashes({"a"}, number, hash_columns_model<double>::max_features + 1) == errc::bad_data);
    CHECK(code_of([] { (void)rename_columns_model({"a"}, {"b", "c"}); }) == errc::bad_data);
    CHECK(code_of([] { (void)rename_columns_model({}, {}); }) == errc::bad_data);
    CHECK(rename_columns_model({"a"}, {"b"}).output_names({}) == texts{"b"});
    const auto dates = [](std::chrono::sys_seconds reference) { return code_of([&] { (void)date_parts_model({"a"}, {true}, reference, false); }); };
    CHECK(dates(date_parts_model::earliest - std::chrono::seconds(1)) == errc::bad_data);
    CHECK(dates(date_parts_model::latest) == errc::bad_data);
    CHECK(code_of([] { (void)date_parts_model({"a"}, {}, {}, false); }) == errc::bad_data);
}
TEST_CASE("fields: times from the first to the last year have parts, the second before and after do not", "[features]") {
    table x;
    x.add_column("when", std::vector{date_parts_model::earliest, date_parts_model::latest - std::chrono::seconds(1)});
    const auto model = fit(date_parts{.cyclic = false}, x);
    const auto parts = model(x);
    CHECK(parts.numbers("when_year")[0] == 1);
    CHECK(parts.numbers("when_year")[1] == 9999);
    for (const auto when : {date_parts_model::earliest - std::chrono::seconds(1), date_parts_model::latest}) {
        table beyond;
        beyond.add_column("when", std::vector{at(0), when});
        const auto e = error_of([&] { (void)model(beyond); });
        CHECK(e.code() == errc::bad_time);
        CHECK(e.where().row == 2);
        CHECK(code_of([&] { (void)fit(date_parts{.reference = when}, x); }) == errc::bad_parameter);
    }
}
TEST_CASE("fields: target_encode leaves numbers alone, in batches, in rows and out of fold", "[features]") {
    table x;
    x.add_column("city", texts{"a", "b", "a", "b", "", "a"}, {false, false, false, false, true, false});
    x.add_column("age", std::vector<double>{1, 2, 3, 4, 5, 6});
    const std::vector<double> y{1, 5, 1, 5, 3, 1};
    const target_encode<double> recipe{.smoothing = 0.0, .folds = 2};
    const auto [model, others] = recipe.fit_transform(x, y, {});
    const auto all = model(x);
    const std::vector<double> means{1, 5, 1, 5, 3, 1};  // of the level, without smoothing
    workspace scratch;
    for (row_index i = 0; i < 6; ++i) {
        CHECK(all(i, 0) == Approx(means[static_cast<std::size_t>(i)]));
        CHECK(all(i, 1) == static_cast<double>(i + 1));
        CHECK(others(i, 1) == all(i, 1));
        const auto row = model(row_of(x, static_cast<std::size_t>(i), scratch), scratch);
        CHECK(row[0] == all(i, 0));
        CHECK(row[1] == all(i, 1));
    }
    CHECK(others(4, 0) == Approx(16.0 / 6));  // the one missing city is in no other fold: the mean of all
    // Values in an Eigen vector are the same targets, and classes become the share of class 1.
    CHECK(fit(recipe, x, numbers({1, 5, 1, 5, 3, 1}))(x) == all);
    const auto classes = fit(recipe, x, std::vector<int>{0, 1, 0, 1, 1, 1})(x);
    CHECK(classes(0, 0) == Approx(1.0 / 3));
    CHECK(classes(1, 0) == 1);
    // A level whose rows weigh nothing is the mean of the others; so it is out of fold.
    const std::vector<double> weights{1, 0, 1, 0, 1, 1};
    const auto [weighed, weighed_others] = recipe.fit_transform(x, y, {.weights = weights});
    CHECK(weighed(x)(1, 0) == Approx(1.5));
    CHECK(weighed_others(1, 0) == Approx(1.5));
    for (const double smoothing : {-1.0, inf}) CHECK(code_of([&] { (void)fit(target_encode<double>{.smoothing = smoothing}, x, y); }) == errc::bad_parameter);
    for (const std::size_t folds : {std::size_t{1}, std::size_t{101}}) CHECK(code_of([&] { (void)fit(target_encode<double>{.folds = folds}, x, y); }) == errc::bad_parameter);
}
TEST_CASE("fields: a column of texts", "[features][table]") {
    const texts words{"b", "a", "b"};
    const table_column whole(words);
    CHECK(whole.categories()[2] == "b");
    CHECK(whole.categories().levels.size() == 2);
    CHECK_FALSE(whole.any_missing());
    const table_column holes(words, {false, true, false});
    CHECK(holes.missing(1));
    CHECK(holes.categories()[1].empty());
    CHECK_FALSE(holes == whole);
    CHECK(whole == table_column(words));
    CHECK(code_of([&] { (void)table_column(words, {true}); }) == errc::shape_mismatch);
    const auto bad = error_of([] { (void)table_column(texts{"a", "\xff"}); });
    CHECK(bad.code() == errc::bad_utf8);
    CHECK(bad.where().row == 2);
    CHECK(table_column(texts{"\xff", "a"}, {true, false}).missing(0));  // what is missing is not read
}

}  // namespace fields_test
