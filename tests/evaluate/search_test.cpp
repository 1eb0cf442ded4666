#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <caramel/any_recipe.hpp>
#include <caramel/core/random.hpp>
#include <caramel/evaluate/search.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace search_test {

namespace {

struct examples {
    matrix<double> x;
    std::vector<int> y;
};
examples noisy(std::size_t rows, std::uint64_t seed = 1) {
    rng random(seed);
    examples out{matrix<double>(static_cast<row_index>(rows), 8), std::vector<int>(rows)};
    for (row_index i = 0; i < out.x.size(); ++i) out.x.data()[i] = random.normal();
    for (std::size_t i = 0; i < rows; ++i) out.y[i] = out.x(static_cast<row_index>(i), 0) + 2 * random.normal() > 0 ? 1 : 0;
    return out;
}

// Predicts a number that it was told; counts as a recipe whose quality is known. `noise` is added on few rows.
struct constant_model {
    using stage_concept = model_tag;
    double value;
    std::vector<double> operator()(const matrix<double>& x) const { return std::vector<double>(static_cast<std::size_t>(x.rows()), value); }
};
struct told {
    using stage_concept = recipe_tag;
    double value = 0;
    std::size_t rows_needed = 0;  // with fewer rows it predicts 100
    bool diverges = false;
    std::size_t epochs = 10;
    constant_model fit(const matrix<double>& x, const std::vector<double>&, const fit_options&) const {
        require(!diverges, errc::diverged, "told: to diverge");
        return {static_cast<std::size_t>(x.rows()) < rows_needed ? 100 : value};
    }
};
std::vector<double> zeros(std::size_t n) { return std::vector<double>(n); }

// One column, or its negative: a recipe that learns nothing.
struct column_model {
    using stage_concept = model_tag;
    row_index column;
    bool flip;
    vec<double> operator()(const matrix<double>& rows) const { return flip ? vec<double>(-rows.col(column)) : vec<double>(rows.col(column)); }
};
struct column {
    using stage_concept = recipe_tag;
    row_index number;
    bool flip;
    column_model fit(const matrix<double>&, const std::vector<int>&, const fit_options&) const { return {number, flip}; }
};

// The share of class 1.
struct prior_model {
    using stage_concept = model_tag;
    double share;
    matrix<double> operator()(const matrix<double>& rows) const {
        matrix<double> out(rows.rows(), 2);
        out.col(0).setConstant(1 - share);
        out.col(1).setConstant(share);
        return out;
    }
};
struct prior {
    using stage_concept = recipe_tag;
    prior_model fit(const matrix<double>&, const std::vector<int>& labels, const fit_options&) const {
        return {static_cast<double>(std::ranges::count(labels, 1)) / static_cast<double>(labels.size())};
    }
};

const auto make = [](double regularization) { return standardize<double>{} | logistic<double>{.regularization = regularization}; };

}  // namespace

TEST_CASE("recipe_grid: every combination, the last axis fastest", "[search]") {
    const auto grid = recipe_grid([](double value, std::size_t rows) { return told{.value = value, .rows_needed = rows}; }, std::vector{1.0, 2.0},
                                  std::vector<std::size_t>{5, 6, 7});
    REQUIRE(grid.size() == 6);
    CHECK(grid[0].value == 1);
    CHECK(grid[1].rows_needed == 6);
    CHECK(grid[3].value == 2);
    CHECK(grid[5].rows_needed == 7);
    CHECK(error_of([] { (void)recipe_grid([](double v) { return told{.value = v}; }, std::vector<double>{}); }).code() == errc::bad_parameter);
    const std::vector<double> many(2000);
    CHECK(error_of([&] { (void)recipe_grid([](double v, double) { return told{.value = v}; }, many, many); }).code() == errc::limit_exceeded);
}
TEST_CASE("random_candidates: by the seed; more of them begin with the same", "[search]") {
    const auto draw = [](rng& random) { return told{.value = log_uniform(random, 1e-3, 1e3)}; };
    const auto few = random_candidates(draw, 50, 7), more = random_candidates(draw, 400, 7);
    double logs = 0;
    std::size_t outside = 0;
    for (std::size_t i = 0; i < 50; ++i) CHECK(few[i].value == more[i].value);
    for (const told& t : more) {
        logs += std::log10(t.value) / 400;
        outside += t.value < 1e-3 || t.value > 1e3;
    }
    CHECK(outside == 0);
    CHECK(std::abs(logs) < 0.3);  // the deviation of the mean is 0.09
    CHECK(random_candidates(draw, 1, 8)[0].value != few[0].value);
    CHECK(error_of([&] { (void)random_candidates(draw, 0); }).code() == errc::bad_parameter);
    rng random(1);
    CHECK(error_of([&] { (void)log_uniform(random, 0, 1); }).code() == errc::bad_parameter);
}
TEST_CASE("search_recipes: finds what cross-validation of each by hand finds, for any number of threads", "[search]") {
    const auto made = noisy(80);
    const auto& x = made.x;
    const auto& y = made.y;
    const auto candidates = recipe_grid(make, std::vector{0.01, 1.0, 30.0, 1000.0});
    const auto folds = stratified_k_fold(y, 4, 1);
    std::vector<double> means;
    std::vector<std::vector<double>> scores;
    for (const auto& c : candidates) {
        const auto result = cross_validate(c, x, y, folds, by_log_loss{});
        means.push_back(result.mean());
        scores.push_back(result.scores);
    }
    const auto winner = static_cast<std::size_t>(std::ranges::min_element(means) - means.begin());
    CHECK(winner >= 2);  // there is much noise
    for (const std::size_t threads : {1U, 3U, 8U}) {
        const auto found = search_recipes(candidates, x, y, folds, by_log_loss{}, {}, {.threads = threads});
        CHECK(found.winner == winner);
        CHECK(found.mean == means[winner]);
        CHECK(found.best.get<1>().regularization == candidates[winner].get<1>().regularization);
        REQUIRE(found.trials.size() == 4);
        for (std::size_t i = 0; i < 4; ++i) {
            CHECK(found.trials[i].candidate == i);
            CHECK(found.trials[i].scores == scores[i]);
            CHECK(found.trials[i].mean == means[i]);
            CHECK(found.trials[i].share == 1);
        }
    }
    // The highest where higher is better.
    const auto highest = search_recipes(candidates, x, y, folds, by_auc{});
    for (const trial& t : highest.trials) CHECK(t.mean <= highest.mean);
    // Ties go to the first.
    CHECK(search_recipes(std::vector{candidates[1], candidates[1]}, x, y, folds, by_auc{}).winner == 0);
    // Weights reach the fits and the metric.
    std::vector<double> weights(80, 1);
    for (std::size_t i = 0; i < 40; ++i) weights[i] = 0.1;
    CHECK(search_recipes(candidates, x, y, folds, by_log_loss{}, {}, {.weights = weights}).trials[1].scores ==
          cross_validate(candidates[1], x, y, folds, by_log_loss{}, {.weights = weights}).scores);
}
TEST_CASE("search_recipes: one standard error prefers what comes first", "[search]") {
    // Errors 1.1, 1.0 +- .3 over the folds: the first is within one standard error of the best, the one before that is not.
    const matrix<double> x = matrix<double>::Zero(8, 1);
    const std::vector<double> y{0.7, 1.3, 1, 1, 0.7, 1.3, 1, 1};
    const auto folds = modulo_folds(std::vector<int>{0, 1, 2, 3, 0, 1, 2, 3}, 4);
    const std::vector<told> candidates{{.value = -0.5}, {.value = -0.1}, {.value = 0}, {.value = -0.05}};
    const auto best = search_recipes(candidates, x, y, folds, by_mae{});
    CHECK(best.winner == 2);
    const auto simple = search_recipes(candidates, x, y, folds, by_mae{}, {.one_standard_error = true});
    CHECK(simple.winner == 1);  // se = .245 / 2
    CHECK(simple.mean == Approx(1.1));
    const auto negative = higher_wins([](const std::vector<double>& p, const std::vector<double>& t) { return -mae(p, t); });
    CHECK(search_recipes(candidates, x, y, folds, negative, {.one_standard_error = true}).winner == 1);
}
TEST_CASE("search_recipes: successive halving, by rows", "[search]") {
    const matrix<double> x = matrix<double>::Zero(90, 1);
    const auto y = zeros(90);
    const auto folds = k_fold(90, 3, 1);  // 60 rows to learn from
    std::vector<told> candidates;
    for (int i = 0; i < 9; ++i) candidates.push_back({.value = 9.0 - i, .rows_needed = i == 8 ? 15U : 0U});
    candidates[3].diverges = true;
    const auto found = search_recipes(candidates, x, y, folds, by_mae{}, {.rounds = 3});
    // Round 0 has 6 or 7 of 60 rows: candidate 8 predicts 100 there and falls out; 7 wins.
    CHECK(found.winner == 7);
    REQUIRE(found.trials.size() == 9 + 3 + 1);
    CHECK(found.trials[0].share == Approx(1. / 9));
    CHECK(found.trials[3].scores.empty());
    CHECK(found.trials[8].mean == 100);
    std::vector<std::size_t> second;
    for (std::size_t i = 9; i < 12; ++i) second.push_back(found.trials[i].candidate);
    CHECK(second == std::vector<std::size_t>{5, 6, 7});
    CHECK(found.trials[12].round == 2);
    CHECK(found.trials[12].share == 1);
    // With a budget of the recipe's own, every round has all rows.
    std::vector<std::size_t> epochs;
    const auto fewer = [&](const told& recipe, double share) {
        told out = recipe;
        out.epochs = static_cast<std::size_t>(std::ceil(share * static_cast<double>(recipe.epochs)));
        epochs.push_back(out.epochs);
        return out;
    };
    const auto by_epochs = search_recipes(candidates, x, y, folds, by_mae{}, {.rounds = 2, .keep_one_in = 2}, {}, fewer);
    CHECK(by_epochs.winner == 8);
    CHECK(by_epochs.trials.size() == 9 + 5);
    CHECK(std::ranges::all_of(epochs, [](std::size_t e) { return e == 5; }));
    CHECK(epochs.size() == 27);
}
TEST_CASE("search_recipes: few rows keep every class", "[search]") {
    std::vector<int> y(300);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = i < 4 ? 2 : static_cast<int>(i % 2);
    std::vector<std::size_t> rows(300);
    for (std::size_t i = 0; i < 300; ++i) rows[i] = i;
    for (const std::size_t wanted : {3U, 30U, 150U}) {
        const auto some = detail::some_rows(rows, y, wanted, rng(1));
        std::set<int> classes;
        for (const std::size_t row : some) classes.insert(y[row]);
        CHECK(classes.size() == 3);
        CHECK(some.size() >= wanted);
        CHECK(some.size() <= wanted + 3);
        CHECK(std::ranges::is_sorted(some));
    }
    CHECK(detail::some_rows(rows, zeros(300), 0, rng(1)).size() == 1);
    for (const std::size_t wanted : {1U, 7U, 299U, 300U, 400U})
        CHECK(detail::some_rows(rows, zeros(300), wanted, rng(1)).size() == std::min<std::size_t>(wanted, 300));
}
TEST_CASE("search_recipes: progress and stopping, the same for any number of threads", "[search]") {
    const matrix<double> x = matrix<double>::Zero(12, 1);
    const auto y = zeros(12);
    const auto folds = k_fold(12, 3, 1);
    const std::vector<told> candidates{{.value = 5}, {.value = 4}, {.value = 3}, {.value = 2}};
    for (const std::size_t threads : {1U, 2U, 8U}) {
        std::vector<double> seen;
        const auto observe = [&](const progress& p) {
            CHECK(p.steps == 6);
            seen.push_back(p.loss);
            return p.step == 2 ? verdict::stop : verdict::go_on;
        };
        const auto found = search_recipes(candidates, x, y, folds, by_mae{}, {.rounds = 2}, {.threads = threads, .on_progress = observe});
        CHECK(seen == std::vector<double>{5, 4});
        CHECK(found.winner == 1);
        CHECK(found.trials.size() == 2);
    }
}
TEST_CASE("search_recipes: what is wrong is named", "[search][error]") {
    const matrix<double> x = matrix<double>::Zero(12, 1);
    const auto y = zeros(12);
    const auto folds = k_fold(12, 3, 1);
    const std::vector<told> lost{{.diverges = true}, {.diverges = true}};
    CHECK(error_of([&] { (void)search_recipes(lost, x, y, folds, by_mae{}); }).code() == errc::diverged);
    CHECK(error_of([&] { (void)search_recipes(std::vector<told>{}, x, y, folds, by_mae{}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)search_recipes(lost, x, y, folds, by_mae{}, {.rounds = 0}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)search_recipes(lost, x, y, folds, by_mae{}, {.keep_one_in = 1}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)search_recipes(lost, x, zeros(3), folds, by_mae{}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)search_recipes(lost, x, y, {}, by_mae{}); }).code() == errc::bad_parameter);
    const matrix<double> none(0, 1);
    CHECK(error_of([&] { (void)fit(best_of(lost, by_mae{}), none, zeros(0)); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)fit(best_of(std::vector<told>{}, by_mae{}), x, y); }).code() == errc::bad_parameter);
}
TEST_CASE("best_of: searches within its rows and fits the winner on all of them", "[search]") {
    const auto made = noisy(90, 3);
    const auto& x = made.x;
    const auto& y = made.y;
    const auto candidates = recipe_grid(make, std::vector{0.01, 1.0, 100.0});
    const auto recipe = best_of(candidates, by_log_loss{}, fold_plan{.k = 3});
    const auto model = fit(recipe, x, y, {.seed = 4});
    static_assert(std::same_as<decltype(model), const fitted_t<decltype(make(1)), matrix<double>, std::vector<int>>>);
    const auto found = search_recipes(candidates, x, y, stratified_k_fold(y, 3, 4), by_log_loss{}, {}, {.seed = 4});
    CHECK(model(x) == fit(found.best, x, y, {.seed = 4})(x));
    // In a chain, with weights, and of one candidate.
    const std::vector<double> weights(90, 2);
    const auto chain = standardize<double>{} | best_of(std::vector{logistic<double>{}, logistic<double>{.regularization = 50}}, by_brier{});
    CHECK(fit(chain, x, y, {.weights = weights})(x).rows() == 90);
    CHECK(fit(best_of(std::vector{candidates[1]}, by_auc{}), x, y)(x) == fit(candidates[1], x, y)(x));
    // Folds of one's own: here by groups that a column holds.
    std::size_t asked = 0;
    const auto grouped = [&](const matrix<double>& rows, const std::vector<int>&, std::uint64_t) {
        ++asked;
        std::vector<int> groups;
        for (row_index i = 0; i < rows.rows(); ++i) groups.push_back(static_cast<int>(std::floor(rows(i, 1))));
        return grouped_k_fold(groups, 3);
    };
    (void)fit(best_of(candidates, by_auc{}, grouped), x, y);
    CHECK(asked == 1);
}
TEST_CASE("best_of: cross-validated, it is nested cross-validation", "[search][leakage]") {
    const auto made = noisy(90, 5);
    const auto& x = made.x;
    const auto& y = made.y;
    const auto candidates = recipe_grid(make, std::vector{0.01, 10.0, 300.0});
    const fold_plan inner{.k = 3};
    const auto folds = stratified_k_fold(y, 3, 8);
    const auto nested = cross_validate(best_of(candidates, by_log_loss{}, inner), x, y, folds, by_log_loss{}, {.seed = 2, .threads = 2});
    for (std::size_t f = 0; f < 3; ++f) {  // by hand
        const auto train_x = take_rows(x, folds[f].train);
        const auto train_y = take_rows(y, folds[f].train);
        const auto found = search_recipes(candidates, train_x, train_y, inner(train_x, train_y, 2), by_log_loss{}, {}, {.seed = 2});
        CHECK(nested.scores[f] == log_loss(fit(found.best, train_x, train_y, {.seed = 2})(take_rows(x, folds[f].test)), take_rows(y, folds[f].test)));
    }
    // A search on noise alone finds nothing that holds outside, whatever its own figures say.
    rng random(9);
    std::vector<int> coin(90);
    for (int& label : coin) label = static_cast<int>(random.below(2));
    matrix<double> noise(90, 200);
    for (row_index i = 0; i < noise.size(); ++i) noise.data()[i] = random.normal();
    std::vector<column> columns;
    for (row_index j = 0; j < 200; ++j)
        for (const bool flip : {false, true}) columns.push_back({j, flip});
    const auto outer = stratified_k_fold(coin, 5, 1);
    const auto optimistic = search_recipes(columns, noise, coin, outer, by_auc{});
    const auto honest = cross_validate(best_of(columns, by_auc{}), noise, coin, outer, by_auc{});
    INFO("optimistic " << optimistic.mean << ", honest " << honest.mean());
    CHECK(optimistic.mean > 0.65);
    CHECK(honest.mean() < 0.6);
}
TEST_CASE("best_of: recipes of different types, erased", "[search]") {
    auto made = noisy(90, 6);
    auto& x = made.x;
    auto& y = made.y;
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = x(static_cast<row_index>(i), 0) > 0 ? 1 : 0;
    using classifier = any_recipe<matrix<double>, std::vector<int>, matrix<double>>;
    const std::vector<classifier> list{prior{}, make(10), logistic<double>{.regularization = 1e9}};
    const auto found = search_recipes(list, x, y, stratified_k_fold(y, 4), by_log_loss{});
    CHECK(found.winner == 1);
    CHECK(fit(best_of(list, by_log_loss{}), x, y)(x) == fit(make(10), x, y)(x));
    // Weights that the recipe within has no use for are refused.
    CHECK(error_of([&] { (void)fit(classifier(prior{}), x, y, {.weights = std::vector<double>(90, 1)}); }).code() == errc::bad_parameter);
}

}  // namespace search_test
