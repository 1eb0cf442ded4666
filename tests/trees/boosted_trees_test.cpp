#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/data/split.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/trees/boosted_trees.hpp>

#include "support/catch.hpp"
#include "support/shared_data.hpp"
#include "support/churn_data.hpp"

using namespace caramel;

namespace {

matrix<double> normal_numbers(row_index rows, row_index columns, std::uint64_t seed) {
    rng numbers(seed);
    matrix<double> x(rows, columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = numbers.normal();
    return x;
}
std::vector<int> some_classes(const matrix<double>& x, int classes, std::uint64_t seed) {
    rng numbers(seed);
    std::vector<int> y;
    for (row_index i = 0; i < x.rows(); ++i) {
        const double score = x(i, 0) * (x(i, 1) > 0 ? 1 : -1) + 0.5 * numbers.normal();
        y.push_back(std::clamp(static_cast<int>(std::floor(score * 0.8 + classes / 2.0)), 0, classes - 1));
    }
    for (int k = 0; k < classes; ++k) y[static_cast<std::size_t>(k)] = k;
    return y;
}

/// Greedy growth as the papers define it, on the numbers themselves: every border between two values of every column.
struct twin {
    const matrix<double>& x;
    double regularization, min_child_weight, learning_rate;
    std::size_t max_depth;
    double gained = 0;

    void grow(const std::vector<row_index>& rows, const std::vector<double>& g, const std::vector<double>& h, std::vector<double>& score, std::size_t depth = 0) {
        const auto sum = [&](const std::vector<row_index>& of, const std::vector<double>& v) {
            double s = 0;
            for (const row_index i : of) s += v[static_cast<std::size_t>(i)];
            return s;
        };
        const auto part = [&](const std::vector<row_index>& of) { return sum(of, g) * sum(of, g) / (sum(of, h) + regularization); };
        double best = 1e-12;
        std::vector<row_index> best_low, best_high;
        for (row_index c = 0; depth < max_depth && c < x.cols(); ++c)
            for (const row_index border : rows) {
                std::vector<row_index> low, high;
                for (const row_index i : rows) (x(i, c) <= x(border, c) ? low : high).push_back(i);
                if (high.empty() || sum(low, h) < min_child_weight || sum(high, h) < min_child_weight) continue;
                const double gain = (part(low) + part(high) - part(rows)) / 2;
                if (gain > best) {
                    best = gain;
                    best_low = low;
                    best_high = high;
                }
            }
        if (best_low.empty()) {
            for (const row_index i : rows) score[static_cast<std::size_t>(i)] -= learning_rate * sum(rows, g) / (sum(rows, h) + regularization);
            return;
        }
        gained += best;
        grow(best_low, g, h, score, depth + 1);
        grow(best_high, g, h, score, depth + 1);
    }
};
std::vector<row_index> all_rows(const matrix<double>& x) {
    std::vector<row_index> out;
    for (row_index i = 0; i < x.rows(); ++i) out.push_back(i);
    return out;
}

template <class Recipe>
Recipe plain(Recipe r) {
    r.row_share = r.column_share = 1;
    return r;
}

}  // namespace

TEST_CASE("boosted_trees: one split and its leaves in closed form", "[boosted_trees]") {
    // Of 10 rows without the flag 2 are of class 1, of 20 with it 15: the first score is log(17 / 13).
    matrix<double> x = matrix<double>::Zero(30, 2);
    std::vector<int> y(30);
    for (row_index i = 10; i < 30; ++i) x(i, 1) = 1;
    for (std::size_t i = 0; i < 2; ++i) y[i] = 1;
    for (std::size_t i = 10; i < 25; ++i) y[i] = 1;
    const double p = 17. / 30, first = std::log(17. / 13);
    const double g0 = 10 * p - 2, h0 = 10 * p * (1 - p), g1 = 20 * p - 15, h1 = 20 * p * (1 - p);
    const auto model = fit(boosted_trees<double>{.n_trees = 1, .max_depth = 3, .learning_rate = 0.5, .regularization = 2, .row_share = 1, .column_share = 1}, x, y);
    const matrix<double> scores = model.scores(x);
    CHECK(scores.cols() == 1);
    CHECK(scores(0, 0) == Approx(first - 0.5 * g0 / (h0 + 2)).epsilon(1e-12));
    CHECK(scores(29, 0) == Approx(first - 0.5 * g1 / (h1 + 2)).epsilon(1e-12));
    CHECK(model(x)(29, 1) == Approx(1 / (1 + std::exp(-scores(29, 0)))).epsilon(1e-12));
    CHECK(model(x)(29, 0) + model(x)(29, 1) == Approx(1));
    CHECK(model.gains()(0) == 0);
    CHECK(model.gains()(1) == Approx((g0 * g0 / (h0 + 2) + g1 * g1 / (h1 + 2)) / 2).epsilon(1e-12));  // G = 0
    CHECK(model.trees() == 1);
    // A leaf must weigh enough, and a split must gain enough.
    const auto with = [&](double min_child_weight, double min_split_gain) {
        const auto other = fit(boosted_trees<double>{.n_trees = 1, .regularization = 2, .min_child_weight = min_child_weight, .min_split_gain = min_split_gain,
                                                     .row_share = 1, .column_share = 1}, x, y);
        return other.scores(x)(0, 0) != other.scores(x)(29, 0);
    };
    CHECK(with(h0 - 1e-9, model.gains()(1) - 1e-9));
    CHECK_FALSE(with(h0 + 1e-9, 0));
    CHECK_FALSE(with(0, model.gains()(1) + 1e-9));
}

TEST_CASE("boosted_trees: the splits that trying all of them finds", "[boosted_trees]") {
    rng numbers(4);
    for (const std::uint64_t seed : {11U, 12U, 13U})
        for (const bool rounded : {false, true}) {
            matrix<double> x = normal_numbers(70, 4, seed);
            if (rounded)
                for (row_index i = 0; i < x.size(); ++i) x.data()[i] = std::round(3 * x.data()[i]);
            const auto y = some_classes(x, 2, 5);
            std::vector<double> weights(70);  // without them different splits may gain the same
            for (double& w : weights) w = 0.2 + 2 * numbers.uniform();
            const boosted_trees<double> recipe = plain(boosted_trees<double>{.n_trees = 6, .max_depth = 4, .learning_rate = 0.3, .regularization = 0.7, .min_child_weight = 0.4});
            const auto model = fit(recipe, x, y, {.weights = weights});
            double yes = 0, all = 0;
            for (std::size_t i = 0; i < 70; ++i) {
                yes += y[i] * weights[i];
                all += weights[i];
            }
            std::vector<double> score(70, std::log(yes / (all - yes)));
            twin other{x, 0.7, 0.4, 0.3, 4};
            for (int t = 0; t < 6; ++t) {
                std::vector<double> g(70), h(70);
                for (std::size_t i = 0; i < 70; ++i) {
                    const double p = 1 / (1 + std::exp(-score[i]));
                    g[i] = weights[i] * (p - y[i]);
                    h[i] = weights[i] * p * (1 - p);
                }
                other.grow(all_rows(x), g, h, score);
            }
            const matrix<double> mine = model.scores(x);
            for (row_index i = 0; i < 70; ++i) CHECK(mine(i, 0) == Approx(score[static_cast<std::size_t>(i)]).margin(1e-9));
            CHECK(model.gains().sum() == Approx(other.gained).epsilon(1e-9));
        }
}

TEST_CASE("boosted_trees: three classes, a tree a class and round", "[boosted_trees]") {
    const matrix<double> x = normal_numbers(60, 3, 2);
    const auto y = some_classes(x, 3, 3);
    rng numbers(8);
    std::vector<double> weights(60), shares(3);
    for (std::size_t i = 0; i < 60; ++i) {
        weights[i] = 0.2 + 2 * numbers.uniform();
        shares[static_cast<std::size_t>(y[i])] += weights[i];
    }
    const auto model = fit(plain(boosted_trees<double>{.n_trees = 4, .max_depth = 2, .learning_rate = 0.4, .min_child_weight = 0.5}), x, y, {.weights = weights});
    CHECK(model.trees() == 12);
    CHECK(model.classes() == 3);
    std::vector<std::vector<double>> score(3, std::vector<double>(60));
    const double mean = (std::log(shares[0]) + std::log(shares[1]) + std::log(shares[2])) / 3;
    for (std::size_t k = 0; k < 3; ++k) score[k].assign(60, std::log(shares[k]) - mean);
    twin other{x, 1, 0.5, 0.4, 2};
    for (int t = 0; t < 4; ++t) {
        std::vector<std::vector<double>> g(3, std::vector<double>(60)), h = g;
        for (std::size_t i = 0; i < 60; ++i) {
            double sum = 0;
            for (std::size_t k = 0; k < 3; ++k) sum += std::exp(score[k][i]);
            for (std::size_t k = 0; k < 3; ++k) {
                const double p = std::exp(score[k][i]) / sum;
                g[k][i] = weights[i] * (p - (y[i] == static_cast<int>(k) ? 1 : 0));
                h[k][i] = weights[i] * 1.5 * p * (1 - p);
            }
        }
        for (std::size_t k = 0; k < 3; ++k) other.grow(all_rows(x), g[k], h[k], score[k]);
    }
    const matrix<double> scores = model.scores(x), p = model(x);
    for (row_index i = 0; i < 60; ++i) {
        for (row_index k = 0; k < 3; ++k) CHECK(scores(i, k) == Approx(score[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)]).margin(1e-9));
        CHECK(p.row(i).sum() == Approx(1));
        CHECK(p(i, 1) / p(i, 0) == Approx(std::exp(scores(i, 1) - scores(i, 0))));
    }
}

TEST_CASE("boosted_trees_regressor: the splits that trying all of them finds, in any unit", "[boosted_trees]") {
    const matrix<double> x = normal_numbers(60, 3, 9);
    std::vector<double> y(60);
    for (std::size_t i = 0; i < 60; ++i) y[i] = 100 + 20 * std::sin(2 * x(static_cast<row_index>(i), 0)) + 5 * x(static_cast<row_index>(i), 2);
    double mean = 0, square = 0;
    for (const double v : y) mean += v / 60;
    for (const double v : y) square += (v - mean) * (v - mean) / 60;
    std::vector<double> score(60);
    twin other{x, 1, 3, 0.5, 3};
    for (int t = 0; t < 5; ++t) {
        std::vector<double> g(60);
        for (std::size_t i = 0; i < 60; ++i) g[i] = score[i] - (y[i] - mean) / std::sqrt(square);
        other.grow(all_rows(x), g, std::vector<double>(60, 1), score);
    }
    const auto recipe = plain(boosted_trees_regressor<double>{.n_trees = 5, .learning_rate = 0.5, .min_child_weight = 3});
    const auto model = fit(recipe, x, y);
    const matrix<double> mine = model(x);
    for (row_index i = 0; i < 60; ++i) CHECK(mine(i, 0) == Approx(mean + std::sqrt(square) * score[static_cast<std::size_t>(i)]).epsilon(1e-10));
    CHECK(model.gains().sum() == Approx(other.gained).epsilon(1e-9));
    std::vector<double> large = y;
    for (double& v : large) v = v * 1e9 - 3;
    CHECK((fit(recipe, x, large)(x).array() / 1e9 - mine.array()).abs().maxCoeff() < 1e-6);
    CHECK(fit(recipe, x, std::vector<double>(60, 7.0))(x).isConstant(7, 1e-12));
}

TEMPLATE_TEST_CASE("boosted_trees: the training loss falls with every round", "[boosted_trees]", CARAMEL_TEST_SCALARS) {
    const matrix<double> wide = normal_numbers(400, 6, 21);
    const matrix<TestType> x = wide.cast<TestType>();
    for (const int classes : {2, 4}) {
        const auto y = some_classes(wide, classes, 22);
        std::vector<double> losses;
        const auto model = fit(plain(boosted_trees<TestType>{.n_trees = 40, .learning_rate = 0.1}), x, y, {.on_progress = [&](const progress& p) {
                                   CHECK(p.stage == "boosted_trees");
                                   CHECK(p.steps == 40);
                                   losses.push_back(p.loss);
                                   return verdict::go_on;
                               }});
        REQUIRE(losses.size() == 40);
        for (std::size_t i = 1; i < losses.size(); ++i) CHECK(losses[i] < losses[i - 1]);
        CHECK(losses.back() < 0.75 * losses.front());
        double mean = 0;
        const matrix<TestType> p = model(x);
        for (row_index i = 0; i < 400; ++i) mean -= std::log(static_cast<double>(p(i, y[static_cast<std::size_t>(i)]))) / 400;
        CHECK(mean == Approx(losses.back()).epsilon(1e-4));
    }
}

TEST_CASE("boosted_trees: the loss that it learns from is that of the model, also on rows that a tree has not seen", "[boosted_trees]") {
    const matrix<double> x = normal_numbers(300, 3, 7);
    for (const int classes : {2, 3}) {
        const auto y = some_classes(x, classes, 8);
        double told = 0;
        const auto model = fit(boosted_trees<double>{.n_trees = 15, .row_share = 0.4}, x, y, {.on_progress = [&](const progress& p) {
                                   told = p.loss;
                                   return verdict::go_on;
                               }});
        double mean = 0;
        const matrix<double> p = model(x);
        for (row_index i = 0; i < 300; ++i) mean -= std::log(p(i, y[static_cast<std::size_t>(i)])) / 300;
        CHECK(mean == Approx(told).epsilon(1e-9));
    }
}

TEST_CASE("boosted_trees: an observer stops it and keeps what was learnt", "[boosted_trees]") {
    const matrix<double> x = normal_numbers(50, 2, 1);
    const auto stop = [](const progress& p) { return p.step == 3 ? verdict::stop : verdict::go_on; };
    CHECK(fit(boosted_trees<double>{}, x, some_classes(x, 2, 1), {.on_progress = stop}).trees() == 3);
    CHECK(fit(boosted_trees<double>{}, x, some_classes(x, 3, 1), {.on_progress = stop}).trees() == 9);
}

TEST_CASE("boosted_trees: a weight of 2 is a row given twice, a weight of 0 a row left out", "[boosted_trees][weights]") {
    const matrix<double> x = normal_numbers(90, 3, 6);
    const auto y = some_classes(x, 2, 7);
    std::vector<double> weights;
    std::vector<row_index> kept;
    for (row_index i = 0; i < 90; ++i) {
        weights.push_back(static_cast<double>(i % 3));
        for (row_index n = 0; n < i % 3; ++n) kept.push_back(i);
    }
    std::vector<int> labels;
    for (const row_index i : kept) labels.push_back(y[static_cast<std::size_t>(i)]);
    for (const std::size_t bins : {255U, 7U}) {
        const auto recipe = plain(boosted_trees<double>{.n_trees = 20, .max_bins = bins});
        const matrix<double> a = fit(recipe, x, y, {.weights = weights})(x), b = fit(recipe, matrix<double>(x(kept, Eigen::all)), labels)(x);
        CHECK((a - b).cwiseAbs().maxCoeff() < 1e-9);
        CHECK((a - fit(recipe, x, y)(x)).cwiseAbs().maxCoeff() > 1e-3);
    }
}

TEST_CASE("boosted_trees: the same bits for any number of threads", "[boosted_trees][threads]") {
    const matrix<float> x = normal_numbers(9000, 20, 31).cast<float>();
    const auto y = some_classes(x.cast<double>(), 2, 32);
    const boosted_trees<float> recipe{.n_trees = 6, .max_depth = 4, .validation_share = 0.1};
    const matrix<float> one = fit(recipe, x, y, {.seed = 5})(x);
    for (const std::size_t threads : {2U, 3U, 8U}) CHECK(fit(recipe, x, y, {.seed = 5, .threads = threads})(x) == one);
    CHECK(fit(recipe, x, y, {.seed = 6})(x) != one);
}

TEST_CASE("boosted_trees: rounds are kept up to the lowest validation loss", "[boosted_trees]") {
    const matrix<double> x = normal_numbers(600, 5, 41);
    rng numbers(1);
    std::vector<int> y;  // mostly noise: soon every round does harm
    for (row_index i = 0; i < 600; ++i) y.push_back(x(i, 0) + 2 * numbers.normal() > 0 ? 1 : 0);
    std::size_t rounds = 0;
    const auto count = [&](const progress& p) {
        rounds = p.step;
        return verdict::go_on;
    };
    const auto model = fit(boosted_trees<double>{.n_trees = 500, .max_depth = 4, .learning_rate = 0.2, .validation_share = 0.25, .patience = 10}, x, y, {.on_progress = count});
    CHECK(model.trees() > 0);
    CHECK(model.trees() < 100);
    CHECK(rounds == model.trees() + 10);
    // The rounds kept are those of a fit of so many rounds.
    const auto shorter = fit(boosted_trees<double>{.n_trees = model.trees(), .max_depth = 4, .learning_rate = 0.2, .validation_share = 0.25, .patience = 10}, x, y);
    CHECK(shorter.scores(x) == model.scores(x));
    CHECK(shorter.gains() == model.gains());
    const error e = error_of([] {
        const matrix<double> few = normal_numbers(4, 2, 1);
        (void)fit(boosted_trees<double>{.validation_share = 0.2}, few, std::vector<int>{0, 1, 0, 1});
    });
    CHECK(e.code() == errc::too_few_rows);
}

TEST_CASE("boosted_trees: one row has the same bits as in a batch, and blocks of a matrix are taken as they are", "[boosted_trees]") {
    const matrix<double> x = normal_numbers(200, 6, 51);
    for (const int classes : {2, 3}) {
        const auto model = fit(boosted_trees<double>{.n_trees = 20}, matrix<double>(x.leftCols(4)), some_classes(x, classes, 52));
        const matrix<double> p = model(x.leftCols(4));
        CHECK(p == model(matrix<double>(x.leftCols(4))));
        workspace scratch;
        for (row_index i = 0; i < 200; i += 7) {
            const auto row = model(std::span<const double>(x.data() + i * 6, 4), scratch);
            for (row_index k = 0; k < classes; ++k) CHECK(row[static_cast<std::size_t>(k)] == p(i, k));
        }
        CHECK(model(matrix<double>(0, 4)).rows() == 0);
        CHECK(model.output_names({}).size() == static_cast<std::size_t>(classes));
    }
}

TEST_CASE("boosted_trees: columns that say nothing, or too much", "[boosted_trees][edge]") {
    // Nothing to split at: the share of the class.
    const std::vector<int> y{0, 0, 1, 0};
    CHECK(fit(boosted_trees<float>{}, matrix<float>::Constant(4, 2, 3.F).eval(), y)(matrix<float>::Constant(1, 2, -9.F))(0, 1) == Approx(.25));
    CHECK(fit(boosted_trees<float>{}, matrix<float>(4, 0), y)(matrix<float>(2, 0))(1, 1) == Approx(.25));
    // The largest numbers, and classes that can be told apart, with nothing to hold the leaves.
    const std::vector<int> apart{0, 0, 0, 1, 1, 1};
    matrix<float> x(6, 1);
    constexpr float most = std::numeric_limits<float>::max();
    x << -most, -1, 0, 1, 2, most;
    const auto model = fit(boosted_trees<float>{.n_trees = 2000, .learning_rate = 1, .regularization = 0, .min_child_weight = 0, .row_share = 1}, x, apart);
    CHECK(model(x).allFinite());
    CHECK(model(x)(0, 0) > .999F);
    CHECK(model(x)(5, 1) > .999F);
    CHECK(fit(boosted_trees<double>{.row_share = 1e-9}, matrix<double>(x.cast<double>()), apart)(x.cast<double>()).allFinite());
}

TEST_CASE("boosted_trees: what cannot be learnt from is refused", "[boosted_trees][error]") {
    const matrix<double> x = normal_numbers(6, 2, 1);
    const std::vector<int> y{0, 1, 0, 1, 0, 1};
    const auto code = [&](const boosted_trees<double>& r, const matrix<double>& rows, const std::vector<int>& labels, std::vector<double> weights = {}) {
        return error_of([&] { (void)r.fit(rows, labels, {.weights = weights}); }).code();
    };
    CHECK(code({}, matrix<double>(0, 2), {}) == errc::empty_input);
    CHECK(code({}, x, {0, 1}) == errc::shape_mismatch);
    CHECK(code({}, x, {0, 0, 0, 0, 0, 0}) == errc::bad_data);
    CHECK(code({}, x, {0, 2, 0, 2, 0, 2}) == errc::bad_data);
    CHECK(code({}, x, y, {1, 0, 1, 0, 1, 0}) == errc::bad_data);
    CHECK(code({}, x, {0, -1, 0, 1, 0, 1}) == errc::bad_data);
    for (const auto& bad : {boosted_trees<double>{.n_trees = 0}, {.max_depth = 0}, {.max_depth = 65}, {.learning_rate = 0}, {.learning_rate = 1.1}, {.regularization = -1},
                            {.min_child_weight = -1}, {.min_split_gain = std::nan("")}, {.row_share = 0}, {.column_share = 2}, {.max_bins = 1}, {.max_bins = 256},
                            {.validation_share = 1}, {.patience = 0}})
        CHECK(code(bad, x, y) == errc::bad_parameter);
    matrix<double> hole = x;
    hole(3, 1) = std::numeric_limits<double>::quiet_NaN();
    const error e = error_of([&] { (void)fit(boosted_trees<double>{}, hole, y); });
    CHECK(e.code() == errc::nan_or_inf);
    CHECK(e.where().row == 4);
    CHECK(e.where().column == 2);
    const auto model = fit(boosted_trees<double>{}, x, y);
    CHECK(error_of([&] { (void)model(hole); }).code() == errc::nan_or_inf);
    CHECK_THROWS_WITH(model(matrix<double>(matrix<double>::Zero(1, 3))), "boosted_trees: got 3 columns, learnt 2");
    CHECK(error_of([&] { (void)fit(boosted_trees_regressor<double>{}, x, std::vector<double>{1, 2, 3, INFINITY, 5, 6}); }).where().row == 4);
    CHECK(error_of([&] { (void)fit(boosted_trees_regressor<double>{}, x, std::vector<double>{1e308, 1e308, 3, 4, 5, 6}); }).code() == errc::number_out_of_range);
}

TEST_CASE("boosted_trees: fields that are no trees are refused", "[boosted_trees][error]") {
    struct parts {
        vec<double> base = vec<double>::Zero(1);
        std::vector<std::int64_t> starts{0, 5, 6};
        std::vector<std::int32_t> features{1, 0, -1, -1, -1, -1};
        std::vector<float> numbers{.5F, 2, 10, 20, 30, 40};
        std::vector<std::int32_t> children{1, 3, 0, 0, 0, 0};
        vec<double> gains = vec<double>::Ones(2);
    };
    const auto make = [](const std::function<void(parts&)>& change) {
        parts p;
        change(p);
        return boosted_trees_model<float>(p.base, p.starts, p.features, p.numbers, p.children, p.gains);
    };
    const auto refused = [&](const std::function<void(parts&)>& change) { return error_of([&] { (void)make(change); }).code() == errc::bad_data; };
    matrix<float> x(3, 2);
    x << 2, .5F, 2.1F, .5F, 0, .6F;
    const matrix<float> scores = make([](parts&) {}).scores(x);
    CHECK(scores(0, 0) == 60);
    CHECK(scores(1, 0) == 70);
    CHECK(scores(2, 0) == 50);
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(refused([](parts& p) { p.children[1] = 0; }));   // a cycle
    CHECK(refused([](parts& p) { p.children[1] = 1; }));   // its own child
    CHECK(refused([](parts& p) { p.children[1] = 2; }));   // a node of two parents
    CHECK(refused([](parts& p) { p.children[1] = 4; }));   // beyond the tree
    CHECK(refused([](parts& p) { p.children[1] = -3; }));
    CHECK(refused([](parts& p) { p.children[1] = std::numeric_limits<std::int32_t>::max(); }));
    CHECK(refused([](parts& p) { p.children[2] = 3; }));   // a leaf with children
    CHECK(refused([](parts& p) { p.features[0] = 2; }));   // there are two features
    CHECK(refused([](parts& p) { p.features[3] = -2; }));
    CHECK(refused([](parts& p) { p.features[1] = -1; }));  // nodes that hang nowhere
    CHECK(refused([](parts& p) { p.numbers[4] = nan; }));
    CHECK(refused([](parts& p) { p.numbers.pop_back(); }));
    CHECK(refused([](parts& p) { p.starts = {0, 5}; }));
    CHECK(refused([](parts& p) { p.starts = {}; }));
    CHECK(refused([](parts& p) { p.starts = {0, 9, 6}; }));
    CHECK(refused([](parts& p) { p.starts = {0, 0, 6}; }));
    CHECK(refused([](parts& p) { p.starts = {0, -1, 6}; }));
    CHECK(refused([](parts& p) { p.starts[0] = 1; }));
    CHECK(refused([](parts& p) { p.base = vec<double>::Zero(0); }));
    CHECK(refused([](parts& p) { p.base = vec<double>::Zero(2); }));
    CHECK(refused([](parts& p) { p.base = vec<double>::Zero(3); }));  // two trees are no round of three
    CHECK(refused([](parts& p) { p.base(0) = std::numeric_limits<double>::infinity(); }));
    CHECK(refused([](parts& p) { p.gains(0) = -1; }));
    CHECK(refused([](parts& p) { p.gains = vec<double>(); }));
    CHECK(make([](parts& p) { p.base.setConstant(1e300); p.numbers.assign(6, 3e38F); })(x).allFinite());
    CHECK(error_of([] { boosted_trees_regressor_model<float>(vec<double>::Zero(2), {0}, {}, {}, {}, vec<double>::Ones(1)); }).code() == errc::bad_data);
}

// ---- real customers --------------------------------------------------------------------------------------------------

TEST_CASE("boosted_trees: churn as well as another library's trees tell it", "[boosted_trees][slow]") {
    SHARED_OR_SKIP(telco, "data/telco_churn_ibm/wa_churn.csv");
    SHARED_OR_SKIP(mlc, "data/mlc_churn/mlc_churn.csv");
    // Test fold k are the rows whose number from 0 leaves the remainder k when divided by 5. The other library's figures are
    // .8486, .4115 and 2.914 on the one set, .9212, .1702 and 6.724 on the other.
    const auto check = [](const std::filesystem::path& file, double least_auc, double most_loss, double least_lift) {
        const auto all = read_customers(file, "churn");
        std::vector<std::size_t> numbers(all.y.size());
        for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
        double area = 0, loss = 0, lift = 0;
        for (const auto& fold : modulo_folds(numbers, 5)) {
            const matrix<float> x = all.x.cast<float>(), train = x(fold.train, Eigen::all), test = x(fold.test, Eigen::all);
            const matrix<float> p = fit(boosted_trees<float>{}, train, labels_at(all.y, fold.train), {.seed = 1})(test);
            const auto y = labels_at(all.y, fold.test);
            area += auc(p, y) / 5;
            loss += log_loss(p, y) / 5;
            lift += top_lift(p, y) / 5;
        }
        INFO("auc " << area << ", log loss " << loss << ", lift " << lift);
        CHECK(area >= least_auc);
        CHECK(loss <= most_loss);
        CHECK(lift >= least_lift);
    };
    check(telco, .847, .414, 2.85);
    check(mlc, .918, .173, 6.6);
}

TEST_CASE("boosted_trees: orders of rows, columns and classes, and rising functions of a column, change nothing", "[boosted_trees][metamorphic]") {
    rng random(31);
    for (int round = 0; round < 12; ++round) {
        const int classes = 2 + round % 3;
        const auto x = normal_numbers(static_cast<row_index>(20 + random.below(40)), static_cast<row_index>(2 + random.below(3)), random());
        const auto y = some_classes(x, classes, random());
        std::vector<double> weights;
        for (std::size_t i = 0; i < y.size(); ++i) weights.push_back(1 + random.uniform());  // no two splits gain the same
        const boosted_trees<double> recipe{.n_trees = 6, .max_depth = 2, .learning_rate = .3, .min_child_weight = .1, .row_share = 1, .column_share = 1};
        const matrix<double> found = recipe.fit(x, y, {.weights = weights})(x);
        const auto close = [&](const matrix<double>& other) { return (other - found).cwiseAbs().maxCoeff() < 1e-9; };

        const auto order = random.permutation(y.size());
        matrix<double> rows(x.rows(), x.cols());
        std::vector<int> labels;
        std::vector<double> moved;
        for (std::size_t i = 0; i < order.size(); ++i) {
            rows.row(static_cast<row_index>(i)) = x.row(static_cast<row_index>(order[i]));
            labels.push_back(y[order[i]]);
            moved.push_back(weights[order[i]]);
        }
        CHECK(close(recipe.fit(rows, labels, {.weights = moved})(x)));
        const matrix<double> reversed = x.rowwise().reverse();
        CHECK(close(recipe.fit(reversed, y, {.weights = weights})(reversed)));
        matrix<double> wider(x.rows(), x.cols() + 1);
        wider << vec<double>::Constant(x.rows(), 3), x;
        CHECK(close(recipe.fit(wider, y, {.weights = weights})(wider)));
        matrix<double> risen = x;
        risen.col(0) = x.col(0).array().exp();
        risen.col(1) = x.col(1).array().cube() * 10 + 4;
        CHECK(close(recipe.fit(risen, y, {.weights = weights})(risen)));
        auto renamed = y;
        for (int& label : renamed) label = classes - 1 - label;
        CHECK(close(matrix<double>(recipe.fit(x, renamed, {.weights = weights})(x).rowwise().reverse())));

        std::vector<double> values, in_other_unit;
        for (std::size_t i = 0; i < y.size(); ++i) {
            values.push_back(y[i] + .1 * random.normal());
            in_other_unit.push_back(-50 * values[i] + 1000);
        }
        const boosted_trees_regressor<double> regressor{.n_trees = 6, .learning_rate = .3, .row_share = 1, .column_share = 1};
        const matrix<double> levels = regressor.fit(x, values, {.weights = weights})(x), other = regressor.fit(x, in_other_unit, {.weights = weights})(x);
        CHECK((((other.array() - 1000) / -50) - levels.array()).abs().maxCoeff() < 1e-9);
    }
}
