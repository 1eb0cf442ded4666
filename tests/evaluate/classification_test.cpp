#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/classification.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

// Worked out with scikit-learn 1.2.1.
const std::vector<int> right{0, 0, 1, 0, 1, 1, 0, 1, 1, 1};
const std::vector<double> risk{.05, .15, .2, .3, .45, .5, .6, .7, .8, .95};

std::vector<double> random_scores(rng& random, std::size_t rows, std::uint64_t distinct) {
    std::vector<double> out(rows);
    for (double& x : out) x = static_cast<double>(random.below(distinct)) / static_cast<double>(distinct);
    return out;
}
std::vector<int> random_labels(rng& random, std::size_t rows) {
    std::vector<int> out(rows);
    for (int& y : out) y = static_cast<int>(random.below(2));
    out[0] = 0;
    out[1] = 1;
    return out;
}
// The share of pairs, by counting them.
double auc_by_pairs(const std::vector<double>& scores, const std::vector<int>& labels) {
    double wins = 0, pairs = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
        for (std::size_t j = 0; j < scores.size(); ++j)
            if (labels[i] == 1 && labels[j] == 0) {
                pairs += 1;
                wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
            }
    return wins / pairs;
}
double count_if_above(const std::vector<double>& scores, const std::vector<int>& labels, int label, double threshold) {
    double n = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) n += labels[i] == label && scores[i] >= threshold ? 1 : 0;
    return n;
}
double count_of(const std::vector<int>& labels, int label) {
    double n = 0;
    for (const int y : labels) n += y == label ? 1 : 0;
    return n;
}
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("classification: the figures of a published library", "[classification]") {
    CHECK(auc(risk, right) == Approx(.8333333333333334).epsilon(1e-14));
    CHECK(2 * auc(risk, right) - 1 == Approx(.6666666666666667).epsilon(1e-14));
    CHECK(log_loss(risk, right) == Approx(.5218982478550522).epsilon(1e-14));
    CHECK(brier_score(risk, right) == Approx(.18).epsilon(1e-14));
    CHECK(average_precision(risk, right) == Approx(.8972222222222221).epsilon(1e-14));
    CHECK(kolmogorov_smirnov(risk, right) == Approx(.5833333333333334).epsilon(1e-14));
    CHECK(top_lift(risk, right, .3) == Approx(1.6666666666666667).epsilon(1e-14));
    CHECK(calibration_error(risk, right, 5) == Approx(.23).epsilon(1e-12));
}

TEST_CASE("classification: vectors, one column and two columns are the same scores", "[classification]") {
    matrix<double> one(10, 1), two(10, 2);
    vec<float> single(10);
    for (row_index i = 0; i < 10; ++i) {
        one(i, 0) = two(i, 1) = risk[static_cast<std::size_t>(i)];
        two(i, 0) = 1 - two(i, 1);
        single(i) = static_cast<float>(risk[static_cast<std::size_t>(i)]);
    }
    CHECK(auc(one, right) == auc(risk, right));
    CHECK(auc(two, right) == auc(risk, right));
    CHECK(auc(single, right) == auc(risk, right));
    CHECK(auc(std::vector<float>(single.data(), single.data() + 10), right) == auc(risk, right));
    CHECK(log_loss(one, right) == Approx(log_loss(two, right)).epsilon(1e-14));
    CHECK(log_loss(single, right) == Approx(log_loss(risk, right)).epsilon(1e-6));
}

TEST_CASE("classification: against counting by brute force, with ties", "[classification]") {
    rng random(1);
    for (const std::uint64_t distinct : std::vector<std::uint64_t>{2, 5, 1000})
        for (int repeat = 0; repeat < 20; ++repeat) {
            const auto scores = random_scores(random, 40, distinct);
            const auto labels = random_labels(random, 40);
            CHECK(auc(scores, labels) == Approx(auc_by_pairs(scores, labels)).epsilon(1e-13));
            const double ones = count_of(labels, 1), zeros = count_of(labels, 0);
            double gap = 0, precision = 0, recall_before = 0;
            auto thresholds = scores;
            std::ranges::sort(thresholds, std::greater<>{});
            for (const double t : thresholds) {
                const double tp = count_if_above(scores, labels, 1, t), fp = count_if_above(scores, labels, 0, t);
                gap = std::max(gap, std::abs(tp / ones - fp / zeros));
                precision += (tp / ones - recall_before) * tp / (tp + fp);
                recall_before = tp / ones;
                const auto d = decisions(scores, labels, t);
                CHECK(static_cast<double>(d.true_positives) == tp);
                CHECK(static_cast<double>(d.false_positives) == fp);
                CHECK(static_cast<double>(d.false_negatives) == ones - tp);
                CHECK(static_cast<double>(d.true_negatives) == zeros - fp);
                CHECK(d.precision() == Approx(tp / (tp + fp)));
                CHECK(d.recall() == Approx(tp / ones));
            }
            CHECK(kolmogorov_smirnov(scores, labels) == Approx(gap).epsilon(1e-13));
            CHECK(average_precision(scores, labels) == Approx(precision).epsilon(1e-13));
        }
}

TEST_CASE("classification: perfect, reversed and uninformative scores", "[classification]") {
    const std::vector<int> labels{0, 0, 1, 1};
    CHECK(auc(std::vector<double>{1, 2, 3, 4}, labels) == 1);
    CHECK(auc(std::vector<double>{4, 3, 2, 1}, labels) == 0);
    CHECK(auc(std::vector<double>{7, 7, 7, 7}, labels) == 0.5);
    CHECK(average_precision(std::vector<double>{1, 2, 3, 4}, labels) == 1);
    CHECK(average_precision(std::vector<double>{7, 7, 7, 7}, labels) == 0.5);
    CHECK(kolmogorov_smirnov(std::vector<double>{1, 2, 3, 4}, labels) == 1);
    CHECK(kolmogorov_smirnov(std::vector<double>{7, 7, 7, 7}, labels) == 0);
    CHECK(top_lift(std::vector<double>{1, 2, 3, 4}, labels, 0.5) == 2);
    CHECK(top_lift(std::vector<double>{7, 7, 7, 7}, labels, 1) == 1);
}

TEST_CASE("classification: the number of rows at the top", "[classification][edge]") {
    // The first k rows have label 1, all scores are equal: the lift says how many rows were looked at.
    for (const std::size_t rows : std::vector<std::size_t>{10, 11, 100, 101}) {
        std::vector<int> labels(rows, 0);
        labels[0] = 1;
        const std::vector<double> scores(rows, 0.5);
        const double looked_at = static_cast<double>(rows) / top_lift(scores, labels, 0.1);
        CHECK(looked_at == Approx(std::ceil(static_cast<double>(rows) / 10)));
    }
    std::vector<int> labels(100, 0);
    labels[0] = 1;
    CHECK(100 / top_lift(std::vector<double>(100, 0.5), labels, 0.07) == Approx(7));  // .07 * 100 > 7 in double
}

TEST_CASE("classification: sure mistakes are clipped", "[classification][edge]") {
    CHECK(log_loss(std::vector<double>{0, 0}, {1, 1}) == Approx(-std::log(1e-7)));
    CHECK(log_loss(std::vector<double>{1, 1}, {0, 0}) == Approx(-std::log(1e-7)));
    CHECK(log_loss(std::vector<double>{1, 0}, {1, 0}) == Approx(1e-7).epsilon(1e-6));
    matrix<double> three(2, 3);
    three << 0.5, 0.25, 0.25, 1, 0, 0;
    CHECK(log_loss(three, {1, 0}) == Approx((std::log(4.0) + 1e-7) / 2));
    CHECK(calibration_error(std::vector<double>{1, 1}, {1, 1}) == 0);  // 1 falls into the last bin
    CHECK(brier_score(std::vector<double>{1, 0}, {0, 1}) == 1);
}

TEST_CASE("classification: classes and their confusion", "[classification]") {
    const std::vector<int> predicted{0, 1, 2, 1, 1}, labels{0, 1, 1, 2, 1};
    CHECK(accuracy(predicted, labels) == 0.6);
    matrix<std::int64_t> expected(3, 3);
    expected << 1, 0, 0, 0, 2, 1, 0, 1, 0;
    CHECK(confusion(predicted, labels) == expected);
    const auto d = decisions(risk, right);
    CHECK(d == decision_counts{.true_positives = 4, .false_positives = 1, .true_negatives = 3, .false_negatives = 2});
    CHECK(d.f1() == Approx(8.0 / 11));
    CHECK(decisions(risk, right, 2).precision() == 0);
    CHECK(decisions(std::vector<double>{1}, {0}).recall() == 0);
}

TEST_CASE("classification: what cannot be judged is refused, with its place", "[classification][error]") {
    const std::vector<double> p{.2, .8, .4};
    for (const std::vector<int>& one_class : {std::vector<int>{0, 0, 0}, std::vector<int>{1, 1, 1}}) {
        CHECK(error_of([&] { (void)auc(p, one_class); }).code() == errc::bad_data);
        CHECK(error_of([&] { (void)average_precision(p, one_class); }).code() == errc::bad_data);
        CHECK(error_of([&] { (void)top_lift(p, one_class); }).code() == errc::bad_data);
        CHECK(error_of([&] { (void)kolmogorov_smirnov(p, one_class); }).code() == errc::bad_data);
    }
    CHECK(error_of([&] { (void)auc(std::vector<double>{}, {}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)accuracy({}, {}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)log_loss(std::vector<double>{}, {}); }).code() == errc::empty_input);
    const error mismatch = error_of([&] { (void)auc(p, {0, 1}); });
    CHECK(mismatch.code() == errc::shape_mismatch);
    CHECK(std::string(mismatch.what()) == "auc: 3 predictions but 2 labels");
    const error infinite = error_of([&] { (void)brier_score(std::vector<double>{.1, not_a_number, .2}, {0, 1, 1}); });
    CHECK(infinite.code() == errc::nan_or_inf);
    CHECK(infinite.where().row == 2);
    const error label = error_of([&] { (void)auc(p, {0, 1, 2}); });
    CHECK(label.code() == errc::bad_data);
    CHECK(label.where().row == 3);
    const error outside = error_of([&] { (void)calibration_error(std::vector<double>{.1, 1.5}, {0, 1}); });
    CHECK(outside.code() == errc::bad_data);
    CHECK(outside.where().row == 2);
    CHECK(error_of([&] { (void)auc(matrix<double>::Zero(3, 3), {0, 1, 1}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)top_lift(p, {0, 1, 1}, 0); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)top_lift(p, {0, 1, 1}, not_a_number); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)calibration_error(p, {0, 1, 1}, 0); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)decisions(p, {0, 1, 1}, not_a_number); }).code() == errc::bad_parameter);
    matrix<double> three = matrix<double>::Constant(2, 3, 1.0 / 3);
    CHECK(error_of([&] { (void)log_loss(three, {0, 3}); }).where().row == 2);
    CHECK(error_of([&] { (void)log_loss(three, {0, -1}); }).code() == errc::bad_data);
    three(1, 2) = not_a_number;
    const error hole = error_of([&] { (void)log_loss(three, {0, 1}); });
    CHECK(hole.code() == errc::nan_or_inf);
    CHECK(hole.where() == place{.row = 2, .column = 3});
    three(1, 2) = -0.5;
    CHECK(error_of([&] { (void)log_loss(three, {0, 1}); }).where() == place{.row = 2, .column = 3});
    CHECK(error_of([&] { (void)log_loss(matrix<double>(2, 0), {0, 1}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)confusion({0, -1}, {0, 1}); }).where().row == 2);
    CHECK(error_of([&] { (void)confusion({0, 5000}, {0, 1}); }).code() == errc::bad_data);
}
