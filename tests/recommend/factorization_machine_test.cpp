#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "support/catch.hpp"

#include <caramel/core/sparse.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/factorization_machine.hpp>

using namespace caramel;

namespace {

template <class T>
matrix<T> random_matrix(row_index rows, row_index columns, double density, std::uint64_t seed) {
    rng numbers(seed);
    matrix<T> out = matrix<T>::Zero(rows, columns);
    for (row_index i = 0; i < out.size(); ++i)
        if (numbers.uniform() < density) out.data()[i] = static_cast<T>(numbers.normal());
    return out;
}
// By the sum over pairs, as it is written down.
template <class Model, class Row>
double score_by_pairs(const Model& model, const Row& x) {
    double out = static_cast<double>(model.intercept());
    for (row_index j = 0; j < x.size(); ++j) {
        out += static_cast<double>(model.weights()(j)) * static_cast<double>(x(j));
        for (row_index l = j + 1; l < x.size(); ++l)
            out += static_cast<double>(model.factors().row(j).dot(model.factors().row(l))) * static_cast<double>(x(j)) * static_cast<double>(x(l));
    }
    return out;
}

}  // namespace

TEMPLATE_TEST_CASE("factorization_machine: the score is the sum over all pairs", "[factorization_machine]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const vec<T> weights = random_matrix<T>(9, 1, 1, 1).col(0);
    const auto factors = random_matrix<T>(9, 5, 1, 2);
    const factorization_machine_regressor_model<T> values(T(.25), weights, factors);
    const factorization_machine_model<T> odds(T(.25), weights, factors);
    const auto x = random_matrix<T>(12, 9, .6, 3);
    const auto answers = values(x), probabilities = odds(x);
    CHECK(values(sparse_matrix<T>(x)) == answers);
    CHECK(odds(sparse_matrix<T>(x)) == probabilities);
    workspace scratch;
    for (row_index i = 0; i < x.rows(); ++i) {
        const double expected = score_by_pairs(values, x.row(i));
        CHECK(answers(i, 0) == Approx(expected).epsilon(1e-4).margin(1e-4));
        CHECK(probabilities(i, 1) == Approx(1 / (1 + std::exp(-expected))).epsilon(1e-4).margin(1e-6));
        CHECK(probabilities(i, 0) + probabilities(i, 1) == Approx(1));
        CHECK(values(row_of(x, i), scratch)[0] == answers(i, 0));
        CHECK(odds(sparse_matrix<T>(x)[static_cast<std::size_t>(i)], scratch)[1] == probabilities(i, 1));
    }
    CHECK(odds.output_names({}) == std::vector<std::string>{"class_0", "class_1"});
    // Without factors it is linear.
    const factorization_machine_regressor_model<T> linear(T(1), weights, matrix<T>(9, 0));
    CHECK(linear(x)(4, 0) == Approx(1 + static_cast<double>(x.row(4).dot(weights))).epsilon(1e-5));
}

TEST_CASE("factorization_machine: slopes are those of the loss of a row", "[factorization_machine]") {
    detail::machine_numbers<double> at{.3, random_matrix<double>(6, 1, 1, 4).col(0), random_matrix<double>(6, 3, 1, 5)};
    auto seen = at;
    const sparse_matrix<double> x(random_matrix<double>(1, 6, .7, 8));
    REQUIRE(x.values().size() >= 3);
    constexpr double regularization = .2, target = 1.5;
    std::vector<double> sums(3), squares(3);
    for (const bool logistic : {false, true}) {
        const auto cost = [&] {
            const double score = at.score(x[0], std::span(sums), std::span(squares));
            double out = logistic ? detail::softplus(-score) : .5 * (score - target) * (score - target);
            for (const auto j : x.column_numbers()) out += .5 * regularization * (at.weights(j) * at.weights(j) + at.factors.row(j).squaredNorm());
            return out;
        };
        const double score = at.score(x[0], std::span(sums), std::span(squares));
        const double slope = logistic ? -detail::sigmoid_of(-score) : score - target;
        std::vector<std::pair<double*, double>> slopes;
        at.each_slope(x[0], sums, slope, regularization, seen, [&](double& value, double&, double by) { slopes.emplace_back(&value, by); });
        CHECK(slopes.size() == 1 + x.values().size() * 4);
        double worst = 0;
        for (const auto& [value, by] : slopes) {
            const double before = *value;
            *value = before + 1e-5;
            const double above = cost();
            *value = before - 1e-5;
            const double below = cost();
            *value = before;
            worst = std::max(worst, std::abs((above - below) / 2e-5 - by));
        }
        CHECK(worst < 1e-6);
    }
}

TEST_CASE("factorization_machine: learns a rank-2 world of one-hot pairs from few of them", "[factorization_machine]") {
    // Columns: 30 customers, then 30 items; the target is 3 + biases + a product of two hidden numbers each.
    rng numbers(3);
    std::array<std::vector<std::array<double, 3>>, 2> world;
    for (auto& side : world) {
        side.resize(30);
        for (auto& row : side)
            for (double& value : row) value = numbers.normal();
    }
    sparse_matrix<double> learn(60), test(60);
    std::vector<double> y, expected;
    std::vector<int> labels, expected_labels;
    for (std::size_t u = 0; u < 30; ++u)
        for (std::size_t i = 0; i < 30; ++i) {
            const auto &a = world[0][u], &b = world[1][i];
            const double truth = 30 + 10 * (.3 * a[2] + .3 * b[2] + a[0] * b[0] + a[1] * b[1]);
            const std::array<std::int32_t, 2> columns{static_cast<std::int32_t>(u), static_cast<std::int32_t>(30 + i)};
            const std::array<double, 2> ones{1, 1};
            const bool kept = numbers.uniform() < .6;
            (kept ? learn : test).append_row(columns, ones);
            (kept ? y : expected).push_back(truth);
            (kept ? labels : expected_labels).push_back(truth > 30 ? 1 : 0);
        }
    const auto square = [&](const auto& model) {
        const auto out = model(test);
        double sum = 0;
        for (row_index i = 0; i < out.rows(); ++i)
            sum += (out(i, 0) - expected[static_cast<std::size_t>(i)]) * (out(i, 0) - expected[static_cast<std::size_t>(i)]);
        return sum / static_cast<double>(out.rows());
    };
    const factorization_machine_regressor<double> recipe{.n_factors = 2, .epochs = 200, .learning_rate = .1, .regularization = .002, .init_deviation = .3};
    std::vector<double> losses;
    fit_options options;
    options.on_progress = [&](const progress& p) {
        losses.push_back(p.loss);
        return verdict::go_on;
    };
    const auto model = fit(recipe, learn, y, options);
    auto without_pairs = recipe;
    without_pairs.n_factors = 0;
    CHECK(losses.size() == 200);
    CHECK(losses.back() < .02 * losses.front());
    CHECK(square(model) < .1 * square(fit(without_pairs, learn, y)));
    CHECK(square(fit(recipe, sparse_matrix<double>(learn.dense()), y)) == square(model));
    CHECK(fit(recipe, learn.dense(), y).factors() == model.factors());
    CHECK(fit(recipe, learn, y, {.threads = 3}).factors() == model.factors());

    const factorization_machine<double> by_class{
        .n_factors = 4, .epochs = 60, .regularization = .003, .init_deviation = .2, .validation_share = .1, .patience = 8};
    const auto out = fit(by_class, learn, labels)(test);
    double right = 0;
    for (row_index i = 0; i < out.rows(); ++i) right += (out(i, 1) > .5) == (expected_labels[static_cast<std::size_t>(i)] == 1) ? 1 : 0;
    CHECK(right / static_cast<double>(out.rows()) > .78);
}

TEST_CASE("factorization_machine: rows of weight 0 are as if not there, and only ratios of weights matter", "[factorization_machine]") {
    const auto x = random_matrix<float>(40, 4, .8, 1);
    std::vector<float> y(40);
    std::vector<int> labels(40);
    for (std::size_t i = 0; i < 40; ++i) {
        y[i] = x(static_cast<row_index>(i), 0) - 2 * x(static_cast<row_index>(i), 1) * x(static_cast<row_index>(i), 2);
        labels[i] = y[i] > 0 ? 1 : 0;
    }
    std::vector<double> weights(40, 1), twice(40, 2), some(40, 1);
    const factorization_machine_regressor<float> recipe{.n_factors = 3};
    const auto plain = fit(recipe, x, y);
    CHECK(fit(recipe, x, y, {.weights = weights}).factors() == plain.factors());
    CHECK(fit(recipe, x, y, {.weights = twice}).factors() == plain.factors());
    auto wild = y;
    for (std::size_t i = 0; i < 10; ++i) {
        some[i] = 0;
        wild[i] = 1e6F;
    }
    CHECK(fit(recipe, x, y, {.weights = some}).factors() == fit(recipe, x, wild, {.weights = some}).factors());
    std::vector<double> one_class(40);
    for (std::size_t i = 0; i < 40; ++i) one_class[i] = labels[i];
    CHECK(error_of([&] { (void)fit(factorization_machine<float>{}, x, labels, {.weights = one_class}); }).code() == errc::bad_data);
}

TEST_CASE("factorization_machine: refuses what cannot be learnt from", "[factorization_machine]") {
    using regressor = factorization_machine_regressor<float>;
    const auto x = random_matrix<float>(6, 3, .8, 1);
    const std::vector<float> y{1, 2, 3, 4, 5, 6};
    const std::vector<int> labels{0, 1, 0, 1, 0, 1};
    const auto code = [](const auto& recipe, const auto& from, const auto& to) { return error_of([&] { (void)fit(recipe, from, to); }).code(); };
    for (const auto& bad : {regressor{.n_factors = 5000}, regressor{.epochs = 0}, regressor{.learning_rate = 0}, regressor{.regularization = -1},
                            regressor{.init_deviation = 0}, regressor{.validation_share = 1}, regressor{.patience = 0}})
        CHECK(code(bad, x, y) == errc::bad_parameter);
    CHECK(code(regressor{}, matrix<float>(0, 3), std::vector<float>{}) == errc::empty_input);
    CHECK(code(regressor{}, x, matrix<float>(matrix<float>::Zero(6, 2))) == errc::shape_mismatch);
    CHECK(code(regressor{.validation_share = .1}, x, y) == errc::too_few_rows);
    CHECK(code(regressor{.learning_rate = 1e30}, x, y) == errc::diverged);
    auto hole = y;
    hole[3] = std::numeric_limits<float>::infinity();
    CHECK(error_of([&] { (void)fit(regressor{}, x, hole); }).where().row == 4);
    CHECK(code(factorization_machine<float>{}, x, std::vector<int>(6, 1)) == errc::bad_data);
    CHECK(error_of([&] { (void)fit(factorization_machine<float>{}, x, std::vector<int>{0, 1, 0, 2, 1, 1}); }).where().row == 4);
    CHECK(error_of([] { factorization_machine_model<float>(0, vec<float>::Zero(3), matrix<float>::Zero(4, 2)); }).code() == errc::bad_data);
    const auto model = fit(factorization_machine<float>{.epochs = 2}, x, labels);
    CHECK(error_of([&] { (void)model(matrix<float>(1, 4)); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)fit(regressor{}, x, y)(matrix<float>(matrix<float>::Constant(1, 3, 3e38F))); }).code() == errc::number_out_of_range);
    // Constant targets leave nothing to explain.
    CHECK(fit(regressor{}, x, std::vector<float>(6, 7))(x)(0, 0) == Approx(7).margin(.5));
}
