// Every measure on thousands of tables of random size against its definition, written down without sorting or running sums; and
// what must not change it: the order of the rows, the unit of the weights, a row of weight 2 given twice, other scores in the same order.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/evaluate/multiclass.hpp>
#include <caramel/evaluate/ranking.hpp>
#include <caramel/evaluate/regression.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace random_sizes_test {

namespace {

struct judged {
    std::vector<double> scores, weights;
    std::vector<int> labels;
    [[nodiscard]] std::size_t size() const { return labels.size(); }
    [[nodiscard]] judged taken(const std::vector<std::size_t>& rows) const {
        judged out;
        for (const std::size_t i : rows) {
            out.scores.push_back(scores[i]);
            out.weights.push_back(weights[i]);
            out.labels.push_back(labels[i]);
        }
        return out;
    }
};
/// Scores are probabilities, few of them different in every other table; whole weights, some of 0; both classes have some.
judged random_table(rng& random) {
    const std::size_t n = 2 + random.below(12);
    const double distinct = random.below(2) == 0 ? 4 : 1e6;
    judged out;
    for (std::size_t i = 0; i < n; ++i) {
        out.labels.push_back(i < 2 ? static_cast<int>(i) : static_cast<int>(random.below(2)));
        out.scores.push_back(std::floor(random.uniform() * distinct) / distinct);
        out.weights.push_back(static_cast<double>(i < 2 ? 1 + random.below(3) : random.below(4)));
    }
    return out;
}

double auc_by_pairs(const judged& t) {
    double wins = 0, pairs = 0;
    for (std::size_t i = 0; i < t.size(); ++i)
        for (std::size_t j = 0; j < t.size(); ++j)
            if (t.labels[i] == 1 && t.labels[j] == 0) {
                const double w = t.weights[i] * t.weights[j];
                wins += w * (t.scores[i] > t.scores[j] ? 1 : t.scores[i] == t.scores[j] ? .5 : 0);
                pairs += w;
            }
    return wins / pairs;
}
/// The weight of the rows of a class with a score of at least `least`.
double weight_of(const judged& t, int label, double least = -1) {
    double sum = 0;
    for (std::size_t i = 0; i < t.size(); ++i)
        if (t.labels[i] == label && t.scores[i] >= least) sum += t.weights[i];
    return sum;
}
double precision_by_thresholds(const judged& t) {
    double sum = 0, recall = 0;
    const std::set<double, std::greater<>> thresholds(t.scores.begin(), t.scores.end());
    for (const double least : thresholds) {
        const double hits = weight_of(t, 1, least), next = hits / weight_of(t, 1);
        if (next > recall) sum += (next - recall) * hits / (hits + weight_of(t, 0, least));
        recall = next;
    }
    return sum;
}
double gap_by_thresholds(const judged& t) {
    double most = 0;
    for (const double least : t.scores) most = std::max(most, std::abs(weight_of(t, 1, least) / weight_of(t, 1) - weight_of(t, 0, least) / weight_of(t, 0)));
    return most;
}

}  // namespace

TEST_CASE("two classes: 4,000 tables of random size against the definitions over all pairs and thresholds", "[classification][random_sizes]") {
    rng random(1);
    for (int round = 0; round < 4000; ++round) {
        const judged t = random_table(random);
        const auto near = [](double found, double expected) { return std::abs(found - expected) <= 1e-12 * (1 + std::abs(expected)); };
        REQUIRE(near(auc(t.scores, t.labels, t.weights), auc_by_pairs(t)));
        REQUIRE(near(average_precision(t.scores, t.labels, t.weights), precision_by_thresholds(t)));
        REQUIRE(near(kolmogorov_smirnov(t.scores, t.labels, t.weights), gap_by_thresholds(t)));
        double squares = 0, logs = 0, right = 0, all = 0;
        std::vector<int> decided(t.size());
        for (std::size_t i = 0; i < t.size(); ++i) {
            const double p = std::clamp(t.scores[i], 1e-7, 1 - 1e-7);
            squares += t.weights[i] * std::pow(t.scores[i] - t.labels[i], 2);
            logs -= t.weights[i] * std::log(t.labels[i] == 1 ? p : 1 - p);
            decided[i] = t.scores[i] >= .5 ? 1 : 0;
            right += decided[i] == t.labels[i] ? t.weights[i] : 0;
            all += t.weights[i];
        }
        REQUIRE(near(brier_score(t.scores, t.labels, t.weights), squares / all));
        REQUIRE(std::abs(log_loss(t.scores, t.labels, t.weights) - logs / all) < 1e-9);
        REQUIRE(near(accuracy(decided, t.labels, t.weights), right / all));

        // Rows in another order; weights in another unit; each row as often as it weighs; other scores in the same order.
        judged permuted = t.taken(random.permutation(t.size())), heavier = t;
        for (double& w : heavier.weights) w *= 7;
        judged repeated;
        for (std::size_t i = 0; i < t.size(); ++i)
            for (int k = 0; k < static_cast<int>(t.weights[i]); ++k) {
                repeated.scores.push_back(t.scores[i]);
                repeated.labels.push_back(t.labels[i]);
            }
        const auto all_measures = [](const judged& of) {
            return std::vector{auc(of.scores, of.labels, of.weights), average_precision(of.scores, of.labels, of.weights),
                               kolmogorov_smirnov(of.scores, of.labels, of.weights), brier_score(of.scores, of.labels, of.weights),
                               log_loss(of.scores, of.labels, of.weights)};
        };
        const auto found = all_measures(t);
        for (const judged* other : {&permuted, &heavier, &repeated}) {
            const auto again = all_measures(*other);
            for (std::size_t k = 0; k < found.size(); ++k) REQUIRE(near(again[k], found[k]));
        }
        judged turned = t, odds = t;
        for (std::size_t i = 0; i < t.size(); ++i) {
            turned.labels[i] = 1 - t.labels[i];
            odds.scores[i] = std::exp(3 * t.scores[i]) - 10;
        }
        REQUIRE(near(auc(turned.scores, turned.labels, t.weights), 1 - found[0]));
        REQUIRE(auc(odds.scores, odds.labels, t.weights) == found[0]);
        REQUIRE(average_precision(odds.scores, odds.labels, t.weights) == found[1]);
    }
}

TEST_CASE("several classes: 2,000 tables of random size against the definitions", "[multiclass][random_sizes]") {
    rng random(2);
    for (int round = 0; round < 2000; ++round) {
        const std::size_t n = 1 + random.below(15), classes = 1 + random.below(5);
        std::vector<int> predicted(n), labels(n);
        std::vector<double> weights(n);
        for (std::size_t i = 0; i < n; ++i) {
            labels[i] = static_cast<int>(random.below(classes));
            predicted[i] = random.below(2) == 0 ? labels[i] : static_cast<int>(random.below(classes));
            weights[i] = static_cast<double>(1 + random.below(3));
        }
        const auto counted = [&](int of_label, int of_prediction) {  // -1 = any
            double sum = 0;
            for (std::size_t i = 0; i < n; ++i)
                if ((of_label < 0 || labels[i] == of_label) && (of_prediction < 0 || predicted[i] == of_prediction)) sum += weights[i];
            return sum;
        };
        const double all = counted(-1, -1);
        double right = 0, chance = 0, squares_p = 0, squares_y = 0, f1 = 0, recall = 0, precision = 0, there = 0, with_rows = 0, recall_of_rows = 0;
        const auto report = class_report(predicted, labels, weights);
        for (int k = 0; k < static_cast<int>(classes); ++k) {
            const double rows = counted(k, -1), says = counted(-1, k), both = counted(k, k);
            right += both;
            chance += rows * says / all / all;
            squares_p += says * says / all / all;
            squares_y += rows * rows / all / all;
            if (rows + says == 0) continue;
            ++there;
            with_rows += rows > 0;
            f1 += 2 * both / (rows + says);
            recall += rows > 0 ? both / rows : 0;
            recall_of_rows += both;
            precision += says > 0 ? both / says : 0;
            const auto& figures = report.at(static_cast<std::size_t>(k));
            REQUIRE((figures.rows == rows && figures.predicted == says && figures.right == both));
        }
        REQUIRE(accuracy(predicted, labels, weights) == Approx(right / all));
        REQUIRE(mean_f1(predicted, labels, averaging::macro, weights) == Approx(f1 / there).margin(1e-12));
        REQUIRE(mean_recall(predicted, labels, averaging::macro, weights) == Approx(recall / there).margin(1e-12));
        REQUIRE(mean_precision(predicted, labels, averaging::macro, weights) == Approx(precision / there).margin(1e-12));
        REQUIRE(mean_recall(predicted, labels, averaging::by_rows, weights) == Approx(recall_of_rows / all).margin(1e-12));
        REQUIRE(mean_precision(predicted, labels, averaging::micro, weights) == Approx(right / all).margin(1e-12));
        REQUIRE(balanced_accuracy(predicted, labels, weights) == Approx(recall / with_rows).margin(1e-12));
        if (chance < 1) REQUIRE(cohen_kappa(predicted, labels, weights) == Approx((right / all - chance) / (1 - chance)).margin(1e-12));
        if (squares_p < 1 && squares_y < 1)
            REQUIRE(matthews_correlation(predicted, labels, weights) == Approx((right / all - chance) / std::sqrt((1 - squares_p) * (1 - squares_y))).margin(1e-12));
        // Numbers of classes are but names, and each row counts as often as it weighs.
        std::vector<int> renamed_p, renamed_y;
        for (std::size_t i = 0; i < n; ++i)
            for (int k = 0; k < static_cast<int>(weights[i]); ++k) {
                renamed_p.push_back(static_cast<int>(classes) - 1 - predicted[i]);
                renamed_y.push_back(static_cast<int>(classes) - 1 - labels[i]);
            }
        REQUIRE(mean_f1(renamed_p, renamed_y) == Approx(f1 / there).margin(1e-12));
        REQUIRE(cohen_kappa(renamed_p, renamed_y) == Approx(cohen_kappa(predicted, labels, weights)).margin(1e-12));
    }
}

TEST_CASE("rmse and mae: 2,000 columns of random size in long double", "[regression][random_sizes]") {
    rng random(3);
    for (int round = 0; round < 2000; ++round) {
        const std::size_t n = 1 + random.below(20);
        std::vector<double> p(n), y(n), weights(n, 1.0), scaled_p(n), scaled_y(n);
        long double squares = 0, sizes = 0, all = 0;
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = 100 * random.normal();
            p[i] = y[i] + random.normal();
            if (i > 0) weights[i] = static_cast<double>(random.below(3));
            scaled_p[i] = -4 * p[i] + 64;
            scaled_y[i] = -4 * y[i] + 64;
            const long double gap = static_cast<long double>(p[i]) - y[i];
            squares += weights[i] * gap * gap;
            sizes += weights[i] * std::abs(gap);
            all += weights[i];
        }
        REQUIRE(rmse(p, y, weights) == Approx(static_cast<double>(std::sqrt(squares / all))).epsilon(1e-13));
        REQUIRE(mae(p, y, weights) == Approx(static_cast<double>(sizes / all)).epsilon(1e-13));
        REQUIRE(rmse(scaled_p, scaled_y, weights) == Approx(4 * rmse(p, y, weights)).epsilon(1e-11));
        REQUIRE(mae(scaled_p, scaled_y, weights) == Approx(4 * mae(p, y, weights)).epsilon(1e-11));
        REQUIRE(rmse(y, p, weights) == rmse(p, y, weights));
    }
}

TEST_CASE("ranking: 3,000 lists of random length against the definitions", "[ranking][random_sizes]") {
    rng random(4);
    using lists = std::vector<std::vector<int>>;
    for (int round = 0; round < 3000; ++round) {
        const std::size_t catalogue = 1 + random.below(12), length = random.below(catalogue + 1), k = 1 + random.below(14);
        const auto order = random.permutation(catalogue), likes = random.permutation(catalogue);
        lists ranked(1), relevant(1);
        for (std::size_t i = 0; i < length; ++i) ranked[0].push_back(static_cast<int>(order[i]));
        const std::size_t wanted = 1 + random.below(catalogue);
        for (std::size_t i = 0; i < wanted; ++i) relevant[0].push_back(static_cast<int>(likes[i]));
        const auto hit = [&](std::size_t rank) {
            return rank <= length && std::ranges::find(relevant[0], ranked[0][rank - 1]) != relevant[0].end() ? 1.0 : 0.0;
        };
        double hits = 0, gain = 0, ideal = 0, first = 0, precisions = 0;
        for (std::size_t rank = 1; rank <= k; ++rank) {
            hits += hit(rank);
            const double r = static_cast<double>(rank);
            gain += hit(rank) / std::log2(r + 1);
            ideal += (rank <= wanted ? 1 : 0) / std::log2(r + 1);
            precisions += hit(rank) * hits / r;
            if (first == 0 && hit(rank) > 0) first = 1 / r;
        }
        const double w = static_cast<double>(wanted), cut = static_cast<double>(k), most = std::min(w, cut);
        REQUIRE(recall_at(k, ranked, relevant).mean() == Approx(hits / w).margin(1e-14));
        REQUIRE(capped_recall_at(k, ranked, relevant).mean() == Approx(hits / most).margin(1e-14));
        REQUIRE(precision_at(k, ranked, relevant).mean() == Approx(hits / cut).margin(1e-14));
        REQUIRE(hit_rate_at(k, ranked, relevant).mean() == (hits > 0 ? 1 : 0));
        REQUIRE(ndcg_at(k, ranked, relevant).mean() == Approx(gain / ideal).margin(1e-12));
        REQUIRE(reciprocal_rank_at(k, ranked, relevant).mean() == Approx(first).margin(1e-14));
        REQUIRE(average_precision_at(k, ranked, relevant).mean() == Approx(precisions / most).margin(1e-12));
        // The share of pairs in the right order; a relevant item that is not listed stands last.
        double right = 0, pairs = 0;
        for (const int item : relevant[0])
            for (std::size_t rank = 1; rank <= length; ++rank) {
                if (hit(rank) > 0) continue;
                ++pairs;
                const auto at = std::ranges::find(ranked[0], item);
                right += at != ranked[0].end() && at - ranked[0].begin() < static_cast<std::ptrdiff_t>(rank) - 1 ? 1 : 0;
            }
        REQUIRE(full_ranking_auc(ranked, relevant).mean() == Approx(pairs > 0 ? right / pairs : 1).margin(1e-12));
    }
}

}  // namespace random_sizes_test
