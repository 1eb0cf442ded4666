#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <caramel/any_recipe.hpp>
#include <caramel/core/random.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/evaluate/cross_validation.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace {

struct rows_and_labels {
    matrix<double> x;
    std::vector<int> y;
};
rows_and_labels two_clouds(std::size_t rows, row_index columns, double shift, std::uint64_t seed = 1) {
    rng random(seed);
    rows_and_labels out{matrix<double>(static_cast<row_index>(rows), columns), std::vector<int>(rows)};
    for (std::size_t i = 0; i < rows; ++i) out.y[i] = static_cast<int>(random.below(2));
    for (row_index i = 0; i < out.x.rows(); ++i)
        for (row_index j = 0; j < columns; ++j) out.x(i, j) = random.normal() + shift * out.y[static_cast<std::size_t>(i)];
    return out;
}

// Remembers the rows that it was fitted on (column 0 is the number of a row) and says of each row whether it was among them.
struct witness_model {
    using stage_concept = model_tag;
    std::set<double> learnt;
    matrix<double> operator()(const matrix_in<double>& x) const {
        matrix<double> out(x.rows(), 2);
        for (row_index i = 0; i < x.rows(); ++i) out.row(i) << x(i, 0), learnt.contains(x(i, 0)) ? 1.0 : 0.0;
        return out;
    }
};
struct witness {
    using stage_concept = recipe_tag;
    witness_model fit(const matrix_in<double>& x, const fit_options&) const {
        witness_model out;
        for (row_index i = 0; i < x.rows(); ++i) out.learnt.insert(x(i, 0));
        return out;
    }
};
// The last stage of such a chain: learns from targets, and hands on what the witness before it said.
struct testimony_model {
    using stage_concept = model_tag;
    std::set<double> learnt;
    matrix<double> operator()(const matrix_in<double>& x) const {
        matrix<double> out(x.rows(), 2);
        for (row_index i = 0; i < x.rows(); ++i) out.row(i) << x(i, 1), learnt.contains(x(i, 0)) ? 1.0 : 0.0;
        return out;
    }
};
struct testimony {
    using stage_concept = recipe_tag;
    testimony_model fit(const matrix_in<double>& x, const std::vector<int>&, const fit_options&) const {
        testimony_model out;
        for (row_index i = 0; i < x.rows(); ++i) out.learnt.insert(x(i, 0));
        return out;
    }
};
const auto share_seen = [](const matrix<double>& p, const std::vector<int>&) { return p.sum(); };

// Keeps the columns that differ most between the classes: harmless within a fold, a leak when done before.
struct selection_model {
    using stage_concept = model_tag;
    std::vector<row_index> columns;
    matrix<double> operator()(const matrix_in<double>& x) const {
        matrix<double> out(x.rows(), static_cast<row_index>(columns.size()));
        for (std::size_t j = 0; j < columns.size(); ++j) out.col(static_cast<row_index>(j)) = x.col(columns[j]);
        return out;
    }
};
struct selection {
    using stage_concept = recipe_tag;
    selection_model fit(const matrix_in<double>& x, const std::vector<int>& y, const fit_options&) const {
        std::vector<std::pair<double, row_index>> gaps;
        for (row_index j = 0; j < x.cols(); ++j) {
            double sum[2] = {0, 0}, n[2] = {0, 0};
            for (std::size_t i = 0; i < y.size(); ++i) {
                sum[y[i]] += x(static_cast<row_index>(i), j);
                n[y[i]] += 1;
            }
            gaps.emplace_back(-std::abs(sum[0] / n[0] - sum[1] / n[1]), j);
        }
        std::ranges::sort(gaps);
        selection_model out;
        for (std::size_t j = 0; j < 10; ++j) out.columns.push_back(gaps[j].second);
        return out;
    }
};

}  // namespace

TEST_CASE("cross_validate: no stage ever sees a row that it is tested on", "[cross_validation][leakage]") {
    const auto made = two_clouds(60, 3, 0);
    const auto& noise = made.x;
    const auto& y = made.y;
    matrix<double> x = noise;
    for (row_index i = 0; i < x.rows(); ++i) x(i, 0) = static_cast<double>(i);
    const auto folds = stratified_k_fold(y, 4, 3);
    // Both the stage in the middle and the one at the end.
    const auto result = cross_validate(witness{} | testimony{}, x, y, folds, share_seen);
    CHECK(result.predictions.isZero());
    CHECK(result.mean() == 0);
    // The witness does notice a leak: fitted once on all rows before the folds, it has seen every row that is tested.
    const auto leaky = cross_validate(fit(witness{}, x) | testimony{}, x, y, folds, share_seen);
    CHECK(leaky.predictions.col(0).isOnes());
}
TEST_CASE("cross_validate: selecting columns by the target within the folds finds nothing in noise", "[cross_validation][leakage]") {
    const auto made = two_clouds(80, 1000, 0);
    const auto& x = made.x;
    const auto& y = made.y;
    const auto folds = stratified_k_fold(y, 5, 1);
    const auto honest = cross_validate(selection{} | standardize<double>{} | logistic<double>{}, x, y, folds, by_auc{});
    const auto leaky = cross_validate(standardize<double>{} | logistic<double>{}, fit(selection{}, x, y)(x), y, folds, by_auc{});
    INFO("honest " << honest.mean() << ", leaky " << leaky.mean());
    CHECK(honest.mean() > 0.3);
    CHECK(honest.mean() < 0.7);
    CHECK(leaky.mean() > 0.8);
}
TEST_CASE("cross_validate: is what a loop by hand gives, for any number of threads", "[cross_validation]") {
    const auto made = two_clouds(90, 3, 0.8);
    const auto& x = made.x;
    const auto& y = made.y;
    const auto recipe = standardize<double>{} | logistic<double>{};
    const auto folds = stratified_k_fold(y, 5, 2);
    rng random(4);
    std::vector<double> weights(y.size());
    for (double& w : weights) w = 0.5 + random.uniform();
    matrix<double> expected = matrix<double>::Zero(x.rows(), 2);
    std::vector<double> scores;
    for (const auto& fold : folds) {
        const auto w = take_rows(weights, fold.train), w_test = take_rows(weights, fold.test);
        const auto model = fit(recipe, take_rows(x, fold.train), take_rows(y, fold.train), {.seed = 9, .weights = w});
        const auto p = model(take_rows(x, fold.test));
        for (std::size_t i = 0; i < fold.test.size(); ++i) expected.row(static_cast<row_index>(fold.test[i])) = p.row(static_cast<row_index>(i));
        scores.push_back(log_loss(p, take_rows(y, fold.test), w_test));
    }
    for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
        const auto result = cross_validate(recipe, x, y, folds, by_log_loss{}, {.seed = 9, .threads = threads, .weights = weights});
        CHECK(result.predictions == expected);
        CHECK(result.scores == scores);
        CHECK(result.tested == std::vector<bool>(y.size(), true));
    }
    const auto result = cross_validate(recipe, x, y, folds, by_log_loss{}, {.seed = 9, .weights = weights});
    double mean = 0, square = 0;
    for (const double s : scores) mean += s / 5;
    for (const double s : scores) square += (s - mean) * (s - mean) / 4;
    CHECK(result.mean() == Approx(mean).epsilon(1e-14));
    CHECK(result.deviation() == Approx(std::sqrt(square)).epsilon(1e-12));
    // A host's executor runs the folds, too.
    std::size_t ran = 0;
    const executor host = [&](std::size_t tasks, const callback<void(std::size_t)>& task) {
        for (std::size_t i = tasks; i-- > 0; ++ran) task(i);
    };
    CHECK(cross_validate(recipe, x, y, folds, by_log_loss{}, {.seed = 9, .weights = weights, .run = host}).scores == scores);
    CHECK(ran == 5);
}
TEST_CASE("cross_validate: progress, and stopping, the same for any number of threads", "[cross_validation]") {
    const auto made = two_clouds(60, 2, 1);
    const auto& x = made.x;
    const auto& y = made.y;
    const auto folds = stratified_k_fold(y, 6, 2);
    const auto all = cross_validate(logistic<double>{}, x, y, folds, by_auc{});
    for (const std::size_t threads : {1U, 4U}) {
        std::vector<double> seen;
        const auto observe = [&](const progress& p) {
            CHECK(p.steps == 6);
            CHECK(p.step == seen.size() + 1);
            seen.push_back(p.loss);
            return p.step == 2 ? verdict::stop : verdict::go_on;
        };
        const auto some = cross_validate(logistic<double>{}, x, y, folds, by_auc{}, {.threads = threads, .on_progress = observe});
        CHECK(seen == std::vector<double>(all.scores.begin(), all.scores.begin() + 2));
        CHECK(some.scores == seen);
        CHECK(some.tested_rows().size() == folds[0].test.size() + folds[1].test.size());
        const auto rows = folds[1].test;
        CHECK(take_rows(some.predictions, rows) == take_rows(all.predictions, rows));
    }
}
TEST_CASE("cross_validate: tables, texts of the host, spans, vectors of numbers", "[cross_validation]") {
    rng random(2);
    std::vector<double> spend(60);
    std::vector<std::string> kind(60);
    std::vector<int> y(60);
    for (std::size_t i = 0; i < 60; ++i) {
        y[i] = static_cast<int>(i % 2);
        spend[i] = random.normal() + y[i];
        kind[i] = random.below(3) == 0 ? "a" : "b";
    }
    table t;
    t.add_column("spend", spend);
    t.add_column("kind", kind);
    const auto folds = modulo_folds(std::vector<int>{[] {
                                        std::vector<int> ids(60);
                                        for (int i = 0; i < 60; ++i) ids[static_cast<std::size_t>(i)] = i / 2;
                                        return ids;
                                    }()},
                                    3);
    const auto result =
        cross_validate(columns({"spend", "kind"}) | impute{} | encode<float>{} | standardize<float>{} | logistic<float>{}, t, y, folds, by_auc{});
    CHECK(result.mean() > 0.6);
    CHECK(result.predictions.rows() == 60);
    // The user's own metric and stages; predictions as a vector; expanding folds leave the first rows untested.
    const auto last = [](const matrix<float>& p) {
        std::vector<double> out;
        for (row_index i = 0; i < p.rows(); ++i) out.push_back(static_cast<double>(p(i, 1)));
        return out;
    };
    const auto in_time = cross_validate(columns({"spend"}) | encode<float>{} | logistic<float>{} | last, t, y, expanding_folds(60, 3),
                                        [](const std::vector<double>& p, const std::vector<int>& labels) { return brier_score(p, labels); });
    CHECK(in_time.predictions.size() == 60);
    CHECK_FALSE(in_time.tested[0]);
    CHECK(in_time.tested[59]);
    CHECK(in_time.predictions[0] == 0);
    CHECK(in_time.tested_rows().size() == 45);
    // Erased recipes have the bits of their own.
    const auto plain = standardize<double>{} | logistic<double>{};
    const auto made = two_clouds(40, 2, 1);
    const auto& x = made.x;
    const auto& labels = made.y;
    const any_recipe<matrix<double>, std::vector<int>, matrix<double>> erased = plain;
    const auto f = stratified_k_fold(labels, 3);
    CHECK(cross_validate(erased, x, labels, f, by_brier{}).predictions == cross_validate(plain, x, labels, f, by_brier{}).predictions);
}
TEST_CASE("cross_validate: metrics as values", "[cross_validation]") {
    const std::vector<double> p{.1, .4, .35, .8};
    const std::vector<int> y{0, 0, 1, 1};
    CHECK(by_auc{}(p, y) == .75);
    CHECK(by_average_precision{}(p, y) == average_precision(p, y));
    CHECK(by_log_loss{}(p, y) == log_loss(p, y));
    CHECK(by_brier{}(p, y) == brier_score(p, y));
    CHECK(by_rmse{}(p, y) == rmse(p, y));
    CHECK(by_mae{}(p, y) == mae(p, y));
    matrix<float> both(4, 2);
    both << .9F, .1F, .6F, .4F, .5F, .5F, .2F, .8F;
    CHECK(by_accuracy{}(both, y) == .75);  // a tie goes to class 0
    CHECK(by_accuracy{}(std::vector<int>{0, 1, 1, 1}, y) == .75);
    CHECK(detail::higher_is_better<by_auc>());
    CHECK_FALSE(detail::higher_is_better<by_mae>());
    const higher_wins lift([](const auto& scores, const std::vector<int>& labels) { return top_lift(scores, labels, .5); });
    CHECK(lift(p, y) == 1);
    CHECK(detail::higher_is_better<std::remove_const_t<decltype(lift)>>());
    // A weight of two is a row twice, in each.
    const std::vector<double> twice{.1, .4, .35, .35, .8, .8, .8}, w{1, 1, 2, 3};
    const std::vector<int> labels{0, 0, 1, 1, 1, 1, 1};
    const auto check = [&](const auto& metric) { CHECK(metric(p, y, w) == Approx(metric(twice, labels)).epsilon(1e-14)); };
    check(by_auc{}), check(by_average_precision{}), check(by_log_loss{}), check(by_brier{}), check(by_rmse{}), check(by_mae{});
    CHECK(by_accuracy{}(both, y, w) == Approx(5. / 7));
    CHECK(kolmogorov_smirnov(p, y, w) == kolmogorov_smirnov(twice, labels));
    CHECK(error_of([&] { (void)auc(p, y, std::vector<double>{1, 1, -1, 1}); }).where().row == 3);
    CHECK(error_of([&] { (void)auc(p, y, std::vector<double>{1, 1, 0, 0}); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)log_loss(p, y, std::vector<double>{1}); }).code() == errc::shape_mismatch);
}
TEST_CASE("cross_validate: what is wrong is named", "[cross_validation][error]") {
    auto made = two_clouds(20, 2, 1);
    auto& x = made.x;
    auto& y = made.y;
    y[0] = 0, y[1] = 1, y[10] = 0, y[11] = 1;
    const auto code = [&](const std::vector<train_test>& folds) { return error_of([&] { (void)cross_validate(logistic<double>{}, x, y, folds, by_auc{}); }); };
    CHECK(code({}).code() == errc::bad_parameter);
    CHECK(code({{{0, 1, 2}, {}}}).code() == errc::bad_parameter);
    CHECK(code({{{0, 1, 2}, {20}}}).code() == errc::bad_parameter);
    const error both = code({{{0, 1, 2}, {2, 3}}});
    CHECK(both.code() == errc::bad_parameter);
    CHECK(both.where().row == 3);
    CHECK(std::string(both.what()) == "cross_validate: fold 1 learns from row 3 and is tested on it");
    CHECK(code({{{0, 1, 2}, {5}}, {{0, 1, 2}, {5}}}).where().row == 6);
    const auto folds = k_fold(20, 2);
    CHECK(error_of([&] { (void)cross_validate(logistic<double>{}, x, std::vector<int>(19), folds, by_auc{}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)cross_validate(logistic<double>{}, x, y, folds, by_auc{}, {.weights = std::vector<double>(3)}); }).code() ==
          errc::shape_mismatch);
    CHECK(error_of([&] { (void)cross_validate(logistic<double>{}, matrix<double>(0, 2), std::vector<int>{}, folds, by_auc{}); }).code() == errc::empty_input);
    // Errors within a fold name the row of the whole data, whether it is learnt from or tested.
    x(7, 1) = std::numeric_limits<double>::infinity();
    const train_test halves{{10, 11, 12, 13, 14, 15}, {0, 1, 7}};
    const error tested = code({halves});
    CHECK(tested.code() == errc::nan_or_inf);
    CHECK(tested.where().row == 8);
    CHECK(tested.where().column == 2);
    CHECK(std::string(tested.what()).ends_with("(fold 1: row 8 of the data)"));
    CHECK(code({{{0, 1, 7, 10, 11}, {3, 4}}}).where().row == 8);
    x(7, 1) = 0;
    // A class that the training rows of one fold do not have.
    std::vector<int> three = y;
    three[19] = 2;
    const error classes = error_of([&] {
        (void)cross_validate(logistic<double>{}, x, three, {{{0, 1, 10, 11, 19}, {2}}, {{0, 1, 10, 11, 12}, {3}}}, by_accuracy{});
    });
    CHECK(classes.code() == errc::shape_mismatch);
    const auto nothing = [](const auto&, const auto&) { return std::nan(""); };
    CHECK(error_of([&] { (void)cross_validate(logistic<double>{}, x, y, {halves}, nothing); }).code() == errc::bad_data);
}
TEST_CASE("fold_plan: folds for recipes that need some", "[cross_validation]") {
    const auto made = two_clouds(30, 1, 0);
    const auto& x = made.x;
    const auto& y = made.y;
    const std::vector<double> amounts(30, 1.5);
    CHECK(fold_plan{}(x, y, 7) == stratified_k_fold(y, 5, 7));
    CHECK(fold_plan{.k = 3}(x, amounts, 7) == k_fold(30, 3, 7));
    CHECK(fold_plan{.k = 3, .kind = fold_kind::plain}(x, y, 7) == k_fold(30, 3, 7));
    CHECK(fold_plan{.kind = fold_kind::modulo}(x, y, 7)[1].test == std::vector<std::size_t>{1, 6, 11, 16, 21, 26});
    CHECK(fold_plan{.kind = fold_kind::expanding}(x, y, 7) == expanding_folds(30, 5));
    CHECK(error_of([&] { (void)fold_plan{.kind = fold_kind::stratified}(x, amounts, 7); }).code() == errc::bad_parameter);
}
TEST_CASE("cross_validate: a Telco's churners, as another library judges the same folds", "[cross_validation][oracle]") {
    SHARED_OR_SKIP(telco, "data/telco_churn_ibm/wa_churn.csv");
    const table all = read_csv(telco.string());
    const auto y = labels_of(all, "churn", "Yes");
    const auto recipe = impute{.number = fill_number::constant} | encode<double>{} | standardize<double>{} | logistic<double>{};
    std::vector<std::size_t> ids(y.size());
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    const auto folds = modulo_folds(ids, 5);
    const auto result = cross_validate(recipe, all.drop({"churn"}), y, folds, by_auc{});
    const std::vector<double> expected{.8356, .8639, .8352, .8547, .8374};
    for (std::size_t f = 0; f < 5; ++f) CHECK(std::abs(result.scores[f] - expected[f]) < 5e-4);
    CHECK(std::abs(result.mean() - .8454) < 2e-4);
    CHECK(std::abs(result.deviation() - .0132) < 2e-4);
}
