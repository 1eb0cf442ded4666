#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/curves.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace curves_test {

namespace {

struct judged_rows {
    std::vector<double> scores;
    std::vector<int> labels;
};
judged_rows random_rows(rng& random, std::size_t most_rows, std::uint64_t most_distinct) {
    const std::size_t n = 2 + random.below(most_rows);
    const std::uint64_t distinct = 1 + random.below(most_distinct);
    judged_rows out{std::vector<double>(n), std::vector<int>(n)};
    for (double& x : out.scores) x = static_cast<double>(random.below(distinct + 1)) / static_cast<double>(distinct);
    for (int& y : out.labels) y = static_cast<int>(random.below(2));
    out.labels[0] = 0;
    out.labels[1] = 1;
    return out;
}
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("lift_curve: worked by hand", "[curves]") {
    const std::vector<double> scores{.9, .8, .7, .6, .5, .4, .3, .2, .1, 0};
    const std::vector<int> labels{1, 1, 0, 1, 0, 0, 1, 0, 0, 0};
    const auto curve = lift_curve(scores, labels, 5);
    REQUIRE(curve.size() == 5);
    const std::vector<double> lift{2.5, 1.875, 1.25, 1.25, 1}, captured{.5, .75, .75, 1, 1};
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(curve[i].rows == 2 * (i + 1));
        CHECK(curve[i].share == Approx(0.2 * static_cast<double>(i + 1)));
        CHECK(curve[i].lift == Approx(lift[i]));
        CHECK(curve[i].captured == captured[i]);
    }
}

TEST_CASE("lift_curve: every point is a top_lift", "[curves]") {
    rng random(1);
    for (int trial = 0; trial < 300; ++trial) {
        const auto [scores, labels] = random_rows(random, 80, 30);
        const std::size_t points = 1 + random.below(100);
        const auto curve = lift_curve(scores, labels, points);
        REQUIRE(curve.size() == std::min(points, scores.size()));
        CHECK(curve.back().rows == scores.size());
        CHECK(curve.back().lift == 1);
        CHECK(curve.back().captured == 1);
        for (std::size_t i = 0; i < curve.size(); ++i) {
            CHECK(curve[i].lift == Approx(top_lift(scores, labels, curve[i].share)).epsilon(1e-12));
            CHECK(curve[i].captured == Approx(curve[i].lift * curve[i].share).epsilon(1e-12));
            if (i > 0) CHECK(curve[i].rows > curve[i - 1].rows);
        }
    }
}

TEST_CASE("calibration_curve: worked by hand", "[curves]") {
    const std::vector<double> p{.9, .1, .2, .3, .8, .6};
    const std::vector<int> labels{1, 0, 1, 0, 1, 0};
    const auto curve = calibration_curve(p, labels, 3);
    REQUIRE(curve.size() == 3);
    CHECK(curve[0].mean_prediction == Approx(.15));
    CHECK(curve[0].share_of_positives == .5);
    CHECK(curve[1].mean_prediction == Approx(.45));
    CHECK(curve[1].share_of_positives == 0);
    CHECK(curve[2].mean_prediction == Approx(.85));
    CHECK(curve[2].share_of_positives == 1);
    CHECK(curve[2].rows == 2);
    CHECK(curve[2].lowest == .8);
    CHECK(curve[2].highest == .9);
}

TEST_CASE("calibration_curve: equal probabilities stay together, the order of rows does not matter, nothing is lost", "[curves]") {
    rng random(2);
    for (int trial = 0; trial < 300; ++trial) {
        auto [p, labels] = random_rows(random, 80, 20);
        const std::size_t bins = 1 + random.below(15);
        const auto curve = calibration_curve(p, labels, bins);
        CHECK(curve.size() <= bins);
        std::size_t rows = 0;
        double predicted = 0, positives = 0;
        for (std::size_t i = 0; i < curve.size(); ++i) {
            CHECK(curve[i].rows > 0);
            CHECK(curve[i].lowest <= curve[i].highest);
            if (i > 0) CHECK(curve[i].lowest > curve[i - 1].highest);
            rows += curve[i].rows;
            predicted += curve[i].mean_prediction * static_cast<double>(curve[i].rows);
            positives += curve[i].share_of_positives * static_cast<double>(curve[i].rows);
        }
        CHECK(rows == p.size());
        CHECK(predicted == Approx(std::accumulate(p.begin(), p.end(), 0.0)).margin(1e-9));
        CHECK(positives == Approx(std::accumulate(labels.begin(), labels.end(), 0.0)).margin(1e-9));
        // The same rows from behind.
        std::ranges::reverse(p);
        std::ranges::reverse(labels);
        CHECK(calibration_curve(p, labels, bins) == curve);
    }
    // Without ties: bins of equal numbers of rows, one more or less.
    std::vector<double> p;
    for (int i = 0; i < 103; ++i) p.push_back(i / 103.0);
    const auto curve = calibration_curve(p, std::vector<int>(103, 0), 10);  // one class only will do
    REQUIRE(curve.size() == 10);
    for (const auto& bin : curve) CHECK((bin.rows == 10 || bin.rows == 11));
}

TEST_CASE("precision_curve: the decisions at each cutoff", "[curves]") {
    rng random(3);
    const double infinite = std::numeric_limits<double>::infinity();
    for (int trial = 0; trial < 300; ++trial) {
        const auto [scores, labels] = random_rows(random, 60, 20);
        std::vector<double> cutoffs{-infinite, infinite, 0, 1, scores[0]};
        for (int i = 0; i < 10; ++i) cutoffs.push_back(1.2 * random.uniform() - 0.1);
        const auto curve = precision_curve(scores, labels, cutoffs);
        REQUIRE(curve.size() == cutoffs.size());
        for (std::size_t i = 0; i < curve.size(); ++i) {
            CHECK(curve[i].cutoff == cutoffs[i]);
            CHECK(curve[i].decisions == decisions(scores, labels, cutoffs[i]));
        }
    }
}

TEST_CASE("curves: scores as a classifier gives them", "[curves]") {
    matrix<float> p(4, 2);
    p << .9f, .1f, .4f, .6f, .7f, .3f, .2f, .8f;
    const std::vector<int> labels{0, 1, 0, 1};
    CHECK(lift_curve(p, labels, 2).front().lift == 2);
    CHECK(calibration_curve(p, labels, 2).back().share_of_positives == 1);
    CHECK(precision_curve(p, labels, {.5}).front().decisions.precision() == 1);
}

TEST_CASE("curves: errors", "[curves][error]") {
    const std::vector<double> scores{.1, .9}, none;
    const std::vector<int> labels{0, 1}, zeros{0, 0}, no_labels;
    CHECK(error_of([&] { (void)lift_curve(none, no_labels); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)calibration_curve(none, no_labels); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)precision_curve(none, no_labels, {.5}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)lift_curve(scores, no_labels); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)lift_curve(scores, zeros); }).code() == errc::bad_data);
    for (const std::size_t n : {std::size_t{0}, std::size_t{1'000'001}}) {
        CHECK(error_of([&] { (void)lift_curve(scores, labels, n); }).code() == errc::bad_parameter);
        CHECK(error_of([&] { (void)calibration_curve(scores, labels, n); }).code() == errc::bad_parameter);
    }
    const auto nan = error_of([&] { (void)lift_curve(std::vector<double>{.1, not_a_number}, labels); });
    CHECK(nan.code() == errc::nan_or_inf);
    CHECK(nan.where() == place{.row = 2});
    CHECK(error_of([&] { (void)calibration_curve(std::vector<double>{.1, 1.5}, labels); }).where() == place{.row = 2});
    CHECK(error_of([&] { (void)precision_curve(scores, labels, {}); }).code() == errc::bad_parameter);
    const auto cutoff = error_of([&] { (void)precision_curve(scores, labels, {.5, not_a_number}); });
    CHECK(cutoff.code() == errc::bad_parameter);
    CHECK(cutoff.where() == place{.row = 2});
    CHECK(std::string(cutoff.what()) == "precision_curve: cutoff 2 is not a number");
}

TEST_CASE("equal_mass_calibration_error: worked by hand", "[curves]") {
    // Two bins of three rows: means .2 and .7, shares 1/3 and 2/3.
    const std::vector<double> p{.1, .2, .3, .6, .7, .8};
    const std::vector<int> y{0, 1, 0, 1, 0, 1};
    CHECK(equal_mass_calibration_error(p, y, 2) == Approx((1. / 3 - .2 + .7 - 2. / 3) / 2).epsilon(1e-13));
    CHECK(equal_mass_calibration_error(p, y, 1) == Approx(std::abs(.5 - .45)).epsilon(1e-12));
    // Small risks: in bins of equal width one bin hides what cancels in it.
    const std::vector<double> small{.01, .01, .09, .09};
    const std::vector<int> reversed{1, 0, 0, 0};
    CHECK(calibration_error(small, reversed, 2) == Approx(.2));
    CHECK(equal_mass_calibration_error(small, reversed, 2) == Approx((.49 + .09) / 2));
}

TEST_CASE("roc_curve: worked by hand, ties as one step, and its area is the AUC", "[curves]") {
    CHECK(roc_curve(std::vector<double>{.9, .8, .8, .1}, std::vector<int>{1, 1, 0, 0}) == std::vector<roc_point>{{0, 0}, {0, .5}, {.5, 1}, {1, 1}});
    rng random(1);
    std::vector<double> scores(5000);
    std::vector<int> labels(5000);
    for (std::size_t i = 0; i < scores.size(); ++i) {
        labels[i] = static_cast<int>(random.below(2));
        scores[i] = std::round(20 * (labels[i] + random.normal())) / 20;
    }
    const auto area = [](const std::vector<roc_point>& curve) {
        double sum = 0;
        for (std::size_t i = 1; i < curve.size(); ++i)
            sum += (curve[i].false_positive_rate - curve[i - 1].false_positive_rate) * (curve[i].true_positive_rate + curve[i - 1].true_positive_rate) / 2;
        return sum;
    };
    CHECK(area(roc_curve(scores, labels, 1'000'000)) == Approx(auc(scores, labels)).epsilon(1e-12));
    const auto few = roc_curve(scores, labels, 30);
    CHECK(few.size() <= 31);
    CHECK(few.front() == roc_point{0, 0});
    CHECK(few.back() == roc_point{1, 1});
    CHECK(area(few) == Approx(auc(scores, labels)).margin(0.01));
    CHECK(error_of([&] { (void)roc_curve(scores, std::vector<int>(5000, 1)); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)roc_curve(scores, labels, 1); }).code() == errc::bad_parameter);
}

}  // namespace curves_test
