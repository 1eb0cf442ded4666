#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <caramel/evaluate/calibration.hpp>
#include <caramel/evaluate/distributions.hpp>
#include <caramel/evaluate/drift.hpp>
#include <caramel/evaluate/search.hpp>

#include "support/catch.hpp"

// Fields that could not have been learnt together, one wrong at a time; and answers at the ends of what is defined.

using namespace caramel;
namespace fields_test {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
using numbers = std::vector<double>;

errc code_of(const auto& work) { return error_of(work).code(); }
ragged<double> rows(const std::vector<numbers>& all) {
    ragged<double> out;
    for (const auto& row : all) out.append_row(row);
    return out;
}

}  // namespace

TEST_CASE("fields: calibrations", "[calibration][error]") {
    const auto platt = [](const numbers& slopes, const numbers& intercepts, std::uint64_t columns) {
        return code_of([&] { (void)platt_scaling_model<double>(slopes, intercepts, columns); });
    };
    CHECK(platt({1}, {0}, 0) == errc::bad_data);
    CHECK(platt({1, 1}, {0, 0}, 2) == errc::bad_data);
    CHECK(platt({1}, {0}, 3) == errc::bad_data);
    CHECK(platt({1}, {}, 1) == errc::bad_data);
    CHECK(platt({inf}, {0}, 1) == errc::bad_data);
    CHECK(platt({1}, {inf}, 1) == errc::bad_data);
    const auto isotonic = [](const std::vector<numbers>& scores, const std::vector<numbers>& values, std::uint64_t columns) {
        return code_of([&] { (void)isotonic_model<double>(rows(scores), rows(values), columns); });
    };
    CHECK(isotonic({{0, 1}}, {{0, 1}}, 0) == errc::bad_data);
    CHECK(isotonic({{0, 1}}, {{0, 1}}, 3) == errc::bad_data);
    CHECK(isotonic({{0, 1}}, {{0}}, 1) == errc::bad_data);
    CHECK(isotonic({{}}, {{}}, 1) == errc::bad_data);
    CHECK(isotonic({{0, inf}}, {{0, 1}}, 1) == errc::bad_data);
    CHECK(isotonic({{0, 1}}, {{-0.1, 1}}, 1) == errc::bad_data);
    CHECK(isotonic({{0, 1}}, {{0, 1.1}}, 1) == errc::bad_data);
    CHECK(isotonic({{0, 0}}, {{0, 1}}, 1) == errc::bad_data);
    CHECK(isotonic({{0, 1}}, {{1, 0}}, 1) == errc::bad_data);
    for (const auto& [temperature, classes] : {std::pair(inf, 2), {0.0, 2}, {-1.0, 2}, {1.0, 1}})
        CHECK(code_of([&, t = temperature, n = classes] { (void)temperature_scaling_model<double>(t, static_cast<std::uint64_t>(n)); }) == errc::bad_data);
}
TEST_CASE("fields: calibrations answer a row as a batch", "[calibration]") {
    const isotonic_model<double> rising(rows({{-1, 0, 2}}), rows({{0.1, 0.5, 0.9}}), 1);
    CHECK(rising.scores()[0].size() == 3);
    CHECK(rising.values()[0].back() == 0.9);
    matrix<double> x(6, 1);
    x << -5, -1, -0.5, 0, 1, 3;
    const matrix<double> p = rising(x);
    const numbers expected{0.1, 0.1, 0.3, 0.5, 0.7, 0.9};
    workspace scratch;
    for (row_index i = 0; i < x.rows(); ++i) {
        CHECK(p(i, 1) == Approx(expected[static_cast<std::size_t>(i)]));
        CHECK(p(i, 0) == Approx(1 - p(i, 1)));
        const auto row = rising(std::span<const double>(x.row(i).data(), 1), scratch);
        CHECK(row[1] == p(i, 1));
    }
    const temperature_scaling_model<double> hot(2, 2);
    CHECK(hot.output_names({"no", "yes"}) == std::vector<std::string>{"no", "yes"});
    matrix<double> q(1, 2);
    q << 0.2, 0.8;  // log odds of 4 halved: odds of 2
    CHECK(hot(q)(0, 1) == Approx(2.0 / 3));
    const auto row = hot(std::span<const double>(q.data(), 2), scratch);
    CHECK(row[1] == hot(q)(0, 1));
    CHECK(code_of([&] { (void)hot(std::span<const double>(q.data(), 1), scratch); }) == errc::shape_mismatch);
    CHECK(code_of([&] { (void)rising(std::span<const double>(q.data(), 2), scratch); }) == errc::shape_mismatch);
}
TEST_CASE("fields: what tables looked like", "[drift][error]") {
    using types = std::vector<column_type>;
    const auto bad = [](const types& of, const std::vector<numbers>& cuts, const std::vector<std::string>& levels, const std::vector<std::int64_t>& starts,
                        const std::vector<numbers>& shares, const std::vector<std::string>& names = {"a"}) {
        return code_of([&] { (void)drift_reference(names, of, rows(cuts), levels, starts, rows(shares)); });
    };
    const types number{column_type::number}, text{column_type::category};
    (void)drift_reference({"a"}, number, rows({{1}}), {}, {0, 0}, rows({{0.5, 0.5, 0}}));  // as it should be
    (void)drift_reference({"a"}, text, rows({{}}), {"x"}, {0, 1}, rows({{1, 0, 0}}));
    CHECK(bad({}, {{1}}, {}, {0, 0}, {{0.5, 0.5, 0}}) == errc::bad_data);
    CHECK(bad(number, {}, {}, {0, 0}, {{0.5, 0.5, 0}}) == errc::bad_data);
    CHECK(bad(number, {{1}}, {}, {0, 0}, {}) == errc::bad_data);
    CHECK(bad(number, {{1}}, {}, {0}, {{0.5, 0.5, 0}}) == errc::bad_data);
    CHECK(bad(text, {{}}, {"x"}, {1, 1}, {{1, 0, 0}}) == errc::bad_data);
    CHECK(bad(text, {{}}, {"x"}, {0, 2}, {{1, 0, 0}}) == errc::bad_data);
    CHECK(bad({column_type::category, column_type::category}, {{}, {}}, {"x"}, {0, 2, 1}, {{1, 0, 0}, {1, 0}}, {"a", "b"}) == errc::bad_data);
    CHECK(bad({static_cast<column_type>(9)}, {{1}}, {}, {0, 0}, {{0.5, 0.5, 0}}) == errc::bad_data);
    CHECK(bad(text, {{1}}, {"x"}, {0, 1}, {{1, 0, 0}}) == errc::bad_data);
    CHECK(bad(text, {{}}, {"x"}, {0, 1}, {{1, 0}}) == errc::bad_data);
    CHECK(bad(number, {{1}}, {"x"}, {0, 1}, {{0.5, 0.5, 0}}) == errc::bad_data);
    CHECK(bad(number, {{1}}, {}, {0, 0}, {{0.5, 0.5}}) == errc::bad_data);
    CHECK(bad(number, {{inf}}, {}, {0, 0}, {{0.5, 0.5, 0}}) == errc::bad_data);
    CHECK(bad(number, {{1, 1}}, {}, {0, 0}, {{0.5, 0.5, 0, 0}}) == errc::bad_data);
    CHECK(bad(number, {{1}}, {}, {0, 0}, {{-0.5, 0.5, 0}}) == errc::bad_data);
    CHECK(bad(number, {{1}}, {}, {0, 0}, {{0.5, 1.5, 0}}) == errc::bad_data);
    CHECK(bad(text, {{}}, {"x", "x"}, {0, 2}, {{1, 0, 0, 0}}) == errc::bad_data);
    CHECK(bad({column_type::number, column_type::number}, {{}, {}}, {}, {0, 0, 0}, {{1, 0}, {1, 0}}, {"a", "a"}) == errc::bad_data);
    for (const auto& [expected, actual] : {std::pair(numbers{-0.1, 1}, numbers{0.5, 0.5}), {numbers{1.1, 0}, numbers{0.5, 0.5}}, {numbers{0.5, 0.5}, numbers{-0.1, 1}},
                                           {numbers{0.5, 0.5}, numbers{1.1, 0}}})
        CHECK(error_of([&, e = expected, a = actual] { (void)population_stability_index(e, a); }).where().row == 1);
}
TEST_CASE("fields: integers stand for numbers in a drift reference, texts and times do not", "[drift]") {
    const drift_reference seen({"a"}, {column_type::number}, rows({{1.5}}), {}, {0, 0}, rows({{0.5, 0.5, 0}}));
    CHECK(seen.shares_of(0, table_column(std::vector<std::int64_t>{1, 1, 2, 3})) == numbers{0.5, 0.5, 0});
    CHECK(seen.shares_of(0, table_column(numbers{1, 2, 3, 0}, {false, false, false, true})) == numbers{0.25, 0.5, 0.25});
    CHECK(code_of([&] { (void)seen.shares_of(0, table_column(std::vector<std::string>{"x"})); }) == errc::wrong_column_type);
    CHECK(code_of([&] { (void)seen.shares_of(0, table_column(std::vector<std::chrono::sys_seconds>(1))); }) == errc::wrong_column_type);
}
TEST_CASE("fields: the winner of a search passes over what diverged", "[search]") {
    const auto made = [](numbers scores) {
        trial t;
        t.mean = scores.empty() ? 0 : scores[0];
        t.deviation = 1;
        t.scores = std::move(scores);
        return t;
    };
    const std::vector<trial> trials{made({}), made({3, 3, 3, 3}), made({}), made({2.4, 2.4, 2.4, 2.4}), made({5, 5, 5, 5})};
    CHECK(detail::winner_among(trials, 1, false) == 3);   // the least
    CHECK(detail::winner_among(trials, -1, false) == 4);  // the most
    CHECK(detail::winner_among(trials, 1, true) == 3);    // the first is further away than a standard error of 0.5
    const std::vector<trial> close{made({2.5, 2.5, 2.5, 2.5}), made({2.4, 2.4, 2.4, 2.4})};
    CHECK(detail::winner_among(close, 1, true) == 0);
}
TEST_CASE("fields: Student's t far out and with less than one degree of freedom", "[distributions]") {
    CHECK(student_t_cdf(inf, 5) == 1);
    CHECK(student_t_cdf(-inf, 5) == 0);
    CHECK(student_t_cdf(1, 0.5) == Approx(0.698878389158678).epsilon(1e-9));  // SciPy
    CHECK(student_t_cdf(-3, 0.5) == Approx(0.18365407799297176).epsilon(1e-9));
    CHECK(student_t_quantile(0.01, 0.5) == Approx(-1028.4910104720732).epsilon(1e-8));
    CHECK(student_t_quantile(1e-9, 2) == Approx(-22360.679741406886).epsilon(1e-8));
    for (const double p : {0.0, 1.0}) CHECK(code_of([&] { (void)student_t_quantile(p, 2); }) == errc::bad_parameter);
    CHECK(code_of([] { (void)student_t_cdf(1, 0); }) == errc::bad_parameter);
}

}  // namespace fields_test
