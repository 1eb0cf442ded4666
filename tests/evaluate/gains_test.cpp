#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/curves.hpp>
#include <caramel/evaluate/gains.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace gains_test {

namespace {

struct judged_rows {
    std::vector<double> scores;
    std::vector<int> labels;
};
judged_rows random_rows(rng& random, std::size_t n, std::uint64_t distinct) {
    judged_rows out{std::vector<double>(n), std::vector<int>(n)};
    for (std::size_t i = 0; i < n; ++i) {
        out.scores[i] = static_cast<double>(random.below(distinct)) / static_cast<double>(distinct);
        out.labels[i] = i < 2 ? static_cast<int>(i) : static_cast<int>(random.below(3) == 0);
    }
    return out;
}

}  // namespace

TEST_CASE("gain_table: worked by hand", "[gains]") {
    const std::vector<double> s{.9, .8, .7, .6, .5, .4, .3};
    const std::vector<int> y{1, 1, 0, 1, 0, 0, 0};
    const auto lines = gain_table(s, y, 3);  // 3, 2, 2 rows
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].rows == 3);
    CHECK(lines[0].positives == 2);
    CHECK(lines[0].rate == Approx(2. / 3));
    CHECK(lines[0].lift == Approx((2. / 3) / (3. / 7)));
    CHECK(lines[0].highest == .9);
    CHECK(lines[0].lowest == .7);
    CHECK(lines[1].cumulative_rows == 5);
    CHECK(lines[1].cumulative_positives == 3);
    CHECK(lines[1].captured == 1);
    CHECK(lines[1].cumulative_lift == Approx(7. / 5));
    CHECK(lines[2].rate == 0);
    CHECK(gain_table(s, y, 100).size() == 7);
    CHECK(error_of([&] { (void)gain_table(s, y, 0); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)gain_table(s, std::vector<int>(7)); }).code() == errc::bad_data);
}
TEST_CASE("gain_table: sums up to the lift curve", "[gains]") {
    rng random(1);
    for (int round = 0; round < 50; ++round) {
        const auto rows = random_rows(random, 2 + random.below(80), 10);
        const auto lines = gain_table(rows.scores, rows.labels);
        const auto curve = lift_curve(rows.scores, rows.labels, 10);
        REQUIRE(lines.size() == curve.size());
        std::size_t all = 0, hits = 0;
        for (std::size_t i = 0; i < lines.size(); ++i) {
            all += lines[i].rows;
            hits += lines[i].positives;
            CHECK(lines[i].cumulative_rows == all);
            CHECK(lines[i].cumulative_positives == hits);
            CHECK(curve[i].rows == all);
            CHECK(lines[i].captured == Approx(curve[i].captured));
            CHECK(lines[i].cumulative_lift == Approx(curve[i].lift));
        }
        CHECK(all == rows.scores.size());
        CHECK(lines.back().captured == 1);
    }
}
TEST_CASE("profit_curve and most_profitable: by looking at every campaign", "[gains]") {
    rng random(2);
    for (int round = 0; round < 100; ++round) {
        const std::size_t n = 2 + random.below(60);
        const std::uint64_t distinct = 1 + random.below(20);
        const auto rows = random_rows(random, n, distinct);
        const contact_value value{.benefit = 3 + static_cast<double>(random.below(5)), .cost = static_cast<double>(random.below(4))};
        double best = 0;
        for (const double cutoff : rows.scores) {
            double profit = 0;
            for (std::size_t i = 0; i < rows.scores.size(); ++i)
                if (rows.scores[i] >= cutoff) profit += value.benefit * rows.labels[i] - value.cost;
            best = std::max(best, profit);
        }
        const auto found = most_profitable(rows.scores, rows.labels, value);
        CHECK(found.profit == Approx(best).margin(1e-9));
        CHECK(found.rows == static_cast<std::size_t>(std::ranges::count_if(rows.scores, [&](double s) { return s >= found.cutoff; })));
        const auto curve = profit_curve(rows.scores, rows.labels, value, 10);
        CHECK(curve.front() == profit_point{});
        CHECK(curve.back().rows == rows.scores.size());
        CHECK(curve.size() == std::min<std::size_t>(11, rows.scores.size() + 1));
        const auto lifts = lift_curve(rows.scores, rows.labels, 10);
        for (std::size_t i = 1; i < curve.size(); ++i) {
            CHECK(curve[i].rows == lifts[i - 1].rows);
            double positives = 0;
            for (const int label : rows.labels) positives += label;
            CHECK(curve[i].profit == Approx(value.benefit * lifts[i - 1].captured * positives - value.cost * static_cast<double>(curve[i].rows)).margin(1e-9));
        }
    }
    const std::vector<double> s{.9, .1};
    CHECK(most_profitable(s, {0, 0}, {.benefit = 10, .cost = 1}).rows == 0);
    CHECK(error_of([&] { (void)profit_curve(s, {0, 1}, {.benefit = std::nan("")}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)profit_curve(s, {0, 1}, {}, 0); }).code() == errc::bad_parameter);
}
TEST_CASE("threshold_by_cost: no other threshold costs less", "[gains]") {
    rng random(3);
    for (int round = 0; round < 100; ++round) {
        const std::size_t n = 2 + random.below(60);
        const std::uint64_t distinct = 1 + random.below(20);
        const auto rows = random_rows(random, n, distinct);
        const decision_costs costs{.false_positive = 1 + static_cast<double>(random.below(4)),
                                   .false_negative = 1 + static_cast<double>(random.below(9)),
                                   .true_positive = static_cast<double>(random.below(2)),
                                   .true_negative = -static_cast<double>(random.below(2))};
        const auto cost_at = [&](double threshold) {
            const auto d = decisions(rows.scores, rows.labels, threshold);
            return (costs.false_positive * static_cast<double>(d.false_positives) + costs.false_negative * static_cast<double>(d.false_negatives) +
                    costs.true_positive * static_cast<double>(d.true_positives) + costs.true_negative * static_cast<double>(d.true_negatives)) /
                   static_cast<double>(rows.scores.size());
        };
        const auto found = threshold_by_cost(rows.scores, rows.labels, costs);
        CHECK(found.cost == Approx(cost_at(found.threshold)).margin(1e-12));
        for (double t = -.05; t < 1.1; t += .025) CHECK(cost_at(t) > found.cost - 1e-12);
        const std::vector<double> twos(rows.scores.size(), 2);
        CHECK(threshold_by_cost(rows.scores, rows.labels, costs, twos).threshold == found.threshold);
    }
    const std::vector<double> s{.2, .4, .6};
    CHECK(threshold_by_cost(s, {0, 0, 1}, {}).threshold == Approx(.5));  // half-way
    CHECK(threshold_by_cost(s, {0, 0, 0}, {}).threshold > .6);           // nobody
    CHECK(threshold_by_cost(s, {1, 1, 1}, {}).threshold == .2);          // all
    // Weights decide: one positive that counts as ten.
    CHECK(threshold_by_cost(s, {1, 0, 0}, {}, std::vector<double>{10, 1, 1}).threshold == .2);
    CHECK(threshold_by_cost(s, {1, 0, 0}, {}).threshold > .6);
    CHECK(error_of([&] { (void)threshold_by_cost(s, {0, 1, 1}, {.false_positive = std::numeric_limits<double>::infinity()}); }).code() == errc::bad_parameter);
    CHECK(break_even_probability({.false_positive = 1, .false_negative = 4}) == Approx(.2));
    CHECK(error_of([] { (void)break_even_probability({.false_positive = 0}); }).code() == errc::bad_parameter);
}

}  // namespace gains_test
