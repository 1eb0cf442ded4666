#include <cmath>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/features/concat.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/features/target_encode.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/nn/probabilities.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

table cities(const std::vector<std::string>& texts, const std::vector<bool>& missing = {}) {
    table x;
    x.add_column("city", texts, missing);
    return x;
}
std::vector<std::string> random_levels(std::size_t rows, std::size_t levels, rng& random) {
    std::vector<std::string> out(rows);
    for (auto& text : out) text = detail::message("level ", random.below(levels));
    return out;
}
std::vector<double> second_column(const matrix<double>& p) { return {p.data(), p.data() + p.size()}; }

// The same from its definition, row by row.
double mean_without_fold(const std::vector<std::string>& levels, const std::vector<double>& y, const std::vector<std::size_t>& folds, std::size_t row, double smoothing) {
    double sum = 0, n = 0, all = 0;
    for (std::size_t j = 0; j < y.size(); ++j) {
        all += y[j] / static_cast<double>(y.size());
        if (levels[j] != levels[row] || folds[j] == folds[row]) continue;
        sum += y[j];
        ++n;
    }
    return n + smoothing > 0 ? (sum + smoothing * all) / (n + smoothing) : all;
}

}  // namespace

TEST_CASE("target_encode: means drawn towards that of all, worked by hand", "[target_encode]") {
    const auto x = cities({"Oslo", "Oslo", "Bergen", "", "Oslo", "Bergen"}, {false, false, false, true, false, false});
    const std::vector<int> y{1, 0, 1, 1, 1, 0};
    const auto model = fit(target_encode<double>{.smoothing = 2}, x, y);
    CHECK(model.mean()[0] == Approx(4.0 / 6));
    const auto out = model(cities({"Oslo", "Bergen", "", "Bodo"}, {false, false, true, false}));
    CHECK(out(0, 0) == Approx((2 + 2 * 4.0 / 6) / 5));
    CHECK(out(1, 0) == Approx((1 + 2 * 4.0 / 6) / 4));
    CHECK(out(2, 0) == Approx((1 + 2 * 4.0 / 6) / 3));
    CHECK(out(3, 0) == Approx(4.0 / 6));
    CHECK(model.output_names({}) == std::vector<std::string>{"city"});
    CHECK(fit(target_encode<float>{.smoothing = 0}, x, y)(x)(2, 0) == 0.5F);
}

TEST_CASE("target_encode: numbers pass; values are targets, too; three classes have a share each", "[target_encode]") {
    table x = cities({"a", "b", "a", "b"});
    x.add_column("n", std::vector<double>{1, 2, 3, 4});
    const auto values = fit(target_encode<double>{.smoothing = 0}, x, std::vector<double>{10, 1, 20, 3})(x);
    matrix<double> expected(4, 2);
    expected << 15, 1, 2, 2, 15, 3, 2, 4;
    CHECK((values - expected).cwiseAbs().maxCoeff() < 1e-12);
    CHECK(fit(target_encode<double>{.smoothing = 0}, x, std::vector<float>{10, 1, 20, 3})(x) == values);
    const auto model = fit(target_encode<double>{.smoothing = 0}, x, std::vector<int>{0, 2, 1, 2});
    CHECK(model.output_names({}) == std::vector<std::string>{"city (class 0)", "city (class 1)", "city (class 2)", "n"});
    matrix<double> shares(2, 4);
    shares << .5, .5, 0, 1, 0, 0, 1, 2;
    CHECK((model(x).topRows(2) - shares).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("target_encode: the estimated smoothing is that of the one-way random model", "[target_encode]") {
    // Groups of sizes 2, 3, 3 with means 2, 5, 8: within sum of squares 2 + 2 + 2 = 6, between 43.5 on 2 degrees.
    const auto x = cities({"a", "a", "b", "b", "b", "c", "c", "c"});
    const std::vector<double> y{1, 3, 4, 5, 6, 7, 8, 9};
    const double mean = 43.0 / 8, within = 6.0 / 5;
    const double ssb = 2 * std::pow(2 - mean, 2) + 3 * std::pow(5 - mean, 2) + 3 * std::pow(8 - mean, 2);
    const double between = (ssb - 2 * within) / (8 - (4 + 9 + 9) / 8.0), strength = within / between;
    const auto out = fit(target_encode<double>{}, x, y)(x);
    CHECK(out(0, 0) == Approx((4 + strength * mean) / (2 + strength)).epsilon(1e-12));
    CHECK(out(7, 0) == Approx((24 + strength * mean) / (3 + strength)).epsilon(1e-12));
    // No more difference between the groups than chance makes: a constant.
    CHECK((fit(target_encode<double>{}, cities({"a", "a", "b", "b"}), std::vector<double>{0, 1, 1, 0})(cities({"a", "b"})).array() == 0.5).all());
    CHECK(fit(target_encode<double>{}, cities({"a", "b", "c"}), std::vector<double>{0, 1, 5})(cities({"c"}))(0, 0) == 2);  // every row its own
}

TEST_CASE("target_encode: a weight of two is a row twice", "[target_encode]") {
    const std::vector<double> weights{2, 1, 1, 3, 0, 1};
    const auto x = cities({"a", "a", "b", "b", "b", "d"}), twice = cities({"a", "a", "a", "b", "b", "b", "b", "d"});
    const std::vector<double> y{1, 2, 4, 8, 100, 3}, y_twice{1, 1, 2, 4, 8, 8, 8, 3};
    for (const auto& recipe : {target_encode<double>{}, target_encode<double>{.smoothing = 1}}) {
        const auto a = fit(recipe, x, y, {.weights = weights})(x), b = fit(recipe, twice, y_twice)(x);
        CHECK((a - b).cwiseAbs().maxCoeff() < 1e-12);
    }
}

TEMPLATE_TEST_CASE("target_encode: in a chain, rows learn from what the other folds say of them", "[target_encode]", CARAMEL_TEST_SCALARS) {
    rng random(3);
    const auto levels = random_levels(60, 7, random);
    std::vector<int> labels(60);
    for (auto& label : labels) label = static_cast<int>(random.below(2));
    const std::vector<double> y(labels.begin(), labels.end());
    const target_encode<TestType> recipe{.smoothing = 1.5, .folds = 4};
    const fit_options options{.seed = 5};
    const auto folds = detail::shared_folds(labels, 60, 4, stage_rng(options, "target_encode"));
    const auto [model, out] = recipe.fit_transform(cities(levels), labels, options);
    for (std::size_t i = 0; i < 60; ++i) CHECK(out(static_cast<row_index>(i), 0) == Approx(mean_without_fold(levels, y, folds, i, 1.5)).epsilon(1e-6));
    CHECK(model.fields() == fit(recipe, cities(levels), labels, options).fields());
    // What the next stage was given, found again in what it learnt, also through concat and nested chains.
    const double mean = out.template cast<double>().mean();
    const auto chain = fit(recipe | standardize<TestType>{}, cities(levels), labels, options);
    CHECK(chain.template get<1>().mean()(0) == Approx(mean).epsilon(1e-5));
    const auto same = [](const table& t) { return t; };
    const auto nested = fit(concat(same | recipe, encode<TestType>{}) | standardize<TestType>{}, cities(levels), labels, options);
    CHECK(nested.template get<1>().mean()(0) == chain.template get<1>().mean()(0));
    const double deviation = std::sqrt((out.template cast<double>().array() - mean).square().mean());
    CHECK(nested.template get<1>().deviation()(0) == Approx(deviation).epsilon(1e-5));
}

TEST_CASE("target_encode: folds share out each class evenly", "[target_encode]") {
    std::vector<int> labels(103);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = i % 10 == 0 ? 1 : 0;
    const auto folds = detail::shared_folds(labels, labels.size(), 5, rng(1));
    for (std::size_t f = 0; f < 5; ++f) {
        std::size_t ones = 0, zeros = 0;
        for (std::size_t i = 0; i < labels.size(); ++i)
            if (folds[i] == f) ++(labels[i] == 1 ? ones : zeros);
        CHECK((ones == 2 || ones == 3));
        CHECK((zeros == 18 || zeros == 19));
    }
}

TEST_CASE("target_encode: a category of noise with many levels teaches nothing in a chain, and much when it leaks", "[target_encode]") {
    double worst = 0.5, leaked = 1;
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        rng random(seed);
        const std::size_t rows = 3000;
        const auto x = cities(random_levels(rows, 1000, random));
        std::vector<int> y(rows);
        for (auto& label : y) label = static_cast<int>(random.below(2));
        const target_encode<double> recipe{.smoothing = 1};
        const fit_options options{.seed = seed};
        const auto [model, fair] = recipe.fit_transform(x, y, options);
        const auto auc_of = [&](const matrix<double>& in) { return auc(second_column((fit(logistic<double>{}, in, y) | positive{})(in)), y); };
        worst = std::max(worst, auc_of(fair));
        leaked = std::min(leaked, auc_of(model(x)));
    }
    CHECK(worst < 0.5 + 3 * std::sqrt(1.0 / (12 * 1500)) * std::sqrt(2.0));  // 3 standard errors of an AUC of noise, 3000 rows
    CHECK(leaked > 0.7);
}

TEST_CASE("target_encode: a category that matters is as good as its means", "[target_encode]") {
    rng random(4);
    const std::size_t rows = 4000;
    std::vector<std::string> levels(rows);
    std::vector<int> y(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto level = random.below(40);
        levels[i] = detail::message("l", level);
        y[i] = random.uniform() < (level < 20 ? .2 : .7);
    }
    const auto chain = fit(target_encode<double>{} | logistic<double>{} | positive{}, cities(levels), y);
    CHECK(auc(second_column(chain(cities(levels))), y) > 0.72);  // the two kinds of level, known, give .7525
}

TEST_CASE("target_encode: what cannot be learnt from is refused", "[target_encode][error]") {
    const auto x = cities({"a", "b"});
    const std::vector<int> y{0, 1};
    CHECK(error_of([&] { (void)fit(target_encode<float>{.folds = 1}, x, y); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(target_encode<float>{.smoothing = -1}, x, y); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(target_encode<float>{.max_levels = 1}, x, y); }).code() == errc::limit_exceeded);
    CHECK(error_of([&] { (void)fit(target_encode<float>{}, x, std::vector<int>{0, -1}); }).where().row == 2);
    CHECK(error_of([&] { (void)fit(target_encode<float>{}, x, std::vector<double>{0, std::nan("")}); }).code() == errc::nan_or_inf);
    CHECK(error_of([&] { (void)fit(target_encode<float>{}, x, std::vector<double>{0, 1e300}); }).code() == errc::number_out_of_range);
    CHECK(error_of([&] { (void)fit(target_encode<float>{}, x.slice(0, 0), std::vector<int>{}); }).code() == errc::empty_input);
    CHECK(error_of([&] { target_encode_model<float>({"c"}, {column_type::category}, {"a"}, {0, 1}, {1, 2}, {1}, {1}); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)fit(target_encode<float>{}, x, y)(table()); }).code() == errc::missing_column);
}
