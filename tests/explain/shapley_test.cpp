#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/data/table.hpp>
#include <caramel/explain/explanation.hpp>
#include <caramel/explain/shapley.hpp>
#include <caramel/explain/tree_shapley.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/nn/probabilities.hpp>
#include <caramel/trees/boosted_trees.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace shapley_test {

namespace {

matrix<double> rows_of(std::vector<std::vector<double>> values) {
    matrix<double> out(static_cast<row_index>(values.size()), static_cast<row_index>(values[0].size()));
    for (row_index i = 0; i < out.rows(); ++i)
        for (row_index j = 0; j < out.cols(); ++j) out(i, j) = values[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
    return out;
}
matrix<double> normal_numbers(row_index rows, row_index columns, std::uint64_t seed) {
    rng numbers(seed);
    matrix<double> x(rows, columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = numbers.normal();
    return x;
}
/// A function of one row as a model.
template <class F>
auto of_each_row(F f) {
    return [f](const matrix<double>& x) {
        std::vector<double> out;
        for (row_index i = 0; i < x.rows(); ++i) out.push_back(f(row_of(x, i)));
        return out;
    };
}
double sum_of(const explanation& e) { return e.base + std::accumulate(e.contributions.begin(), e.contributions.end(), 0.0); }

void check(const explanation& e, double base, const std::vector<double>& contributions, double prediction, double margin = 1e-9) {
    CHECK(e.base == Approx(base).margin(margin));
    CHECK(e.prediction == Approx(prediction).margin(margin));
    REQUIRE(e.contributions.size() == contributions.size());
    for (std::size_t j = 0; j < contributions.size(); ++j) CHECK(e.contributions[j] == Approx(contributions[j]).margin(margin));
    CHECK(std::abs(sum_of(e) - e.prediction) < 1e-9);
}

}  // namespace

TEST_CASE("shapley: tiny models worked out elsewhere", "[shapley]") {
    const auto linear = of_each_row([](auto z) { return 2 * z[0] - z[1] + .5 * z[2] + .25; });
    const matrix<double> background = rows_of({{0, 0, 0}, {1, 2, 3}, {2, 1, 0}, {1, 1, 1}});
    const std::vector<double> row{3, -1, 2};
    check(exact_shapley(linear, background, row), 1.75, {4, 2, .5}, 8.25);
    check(sampled_shapley(linear, background, row, {.permutations = 1}), 1.75, {4, 2, .5}, 8.25);
    check(linear_shapley<double>(std::vector<double>{2, -1, .5}, .25, background, row), 1.75, {4, 2, .5}, 8.25);
    const matrix<double> zero = matrix<double>::Zero(1, 3);
    const auto product_and_sum = of_each_row([](auto z) { return z[0] * z[1] + z[2]; });
    check(exact_shapley(product_and_sum, zero, std::vector<double>{2, 3, 5}), 0, {3, 3, 5}, 11);
    check(sampled_shapley(product_and_sum, zero, std::vector<double>{2, 3, 5}, {.permutations = 1}), 0, {3, 3, 5}, 11);  // products of two need one order and its reverse
    check(exact_shapley(of_each_row([](auto z) { return z[0] * z[1] * z[2]; }), zero, std::vector<double>{1, 2, 3}), 0, {2, 2, 2}, 6);
    check(shapley(of_each_row([](auto z) { return std::max({z[0], z[1], z[2]}); }), zero, std::vector<double>{3, 2, 1}), 0, {11. / 6, 5. / 6, 1. / 3}, 3);
    const auto tree = of_each_row([](auto z) { return z[0] <= .5 ? (z[1] <= .5 ? 10. : 20.) : (z[2] <= .5 ? 30. : 60.); });
    const matrix<double> four = rows_of({{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {1, 0, 1}});
    check(exact_shapley(tree, four, std::vector<double>{1, 1, 1}), 30, {13.75, 1.25, 15}, 60);
    // The same tree as boosted trees have it.
    const boosted_trees_regressor_model<double> boosted(vec<double>::Zero(1), {0, 7}, {0, 1, 2, -1, -1, -1, -1}, {.5, .5, .5, 10, 20, 30, 60}, {1, 3, 5, 0, 0, 0, 0},
                                                        vec<double>::Zero(3));
    check(tree_shapley(boosted, four, std::vector<double>{1, 1, 1}), 30, {13.75, 1.25, 15}, 60);
    // A small network, and its probability.
    const auto logit = [](auto z) {
        return 1.5 * std::max(0., z[0] - 2 * z[1] + .5 * z[2] + .1) - std::max(0., .5 * z[0] + z[1] - z[2] - .2) + .3;
    };
    const matrix<double> flags = rows_of({{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
    const std::vector<double> point{1, .5, 2};
    check(exact_shapley(of_each_row(logit), flags, point), .7, {.697916666666667, -.870833333333333, 1.422916666666667}, 1.95);
    check(exact_shapley(of_each_row([&](auto z) { return 1 / (1 + std::exp(-logit(z))); }), flags, point), .6488989341674499,
          {.100406922075459, -.112954770484919, .239095556054593}, .8754466418125836);
}

TEST_CASE("shapley: sampled orders come near the exact values and add up exactly", "[shapley]") {
    const matrix<double> background = normal_numbers(20, 6, 1);
    const auto model = of_each_row([](auto z) { return std::max(z[0], z[1] * z[2]) + std::tanh(z[3] + z[4] * z[0] * z[5]); });
    const matrix<double> x = normal_numbers(1, 6, 2);
    const explanation exact = exact_shapley(model, background, row_of(x, 0));
    double before = 1e9;
    for (const std::size_t n : {20U, 2000U}) {
        const explanation sampled = sampled_shapley(model, background, row_of(x, 0), {.permutations = n, .seed = 3});
        double worst = 0;
        for (std::size_t j = 0; j < 6; ++j) worst = std::max(worst, std::abs(sampled.contributions[j] - exact.contributions[j]));
        CHECK(worst < (n == 20 ? .2 : .01));
        CHECK(worst < before);
        before = worst;
        CHECK(sum_of(sampled) == Approx(sampled.prediction).epsilon(1e-12));
    }
    const auto again = sampled_shapley(model, background, row_of(x, 0), {.permutations = 20, .seed = 3});
    CHECK(again.contributions == sampled_shapley(model, background, row_of(x, 0), {.permutations = 20, .seed = 3}).contributions);
    CHECK(again.contributions != sampled_shapley(model, background, row_of(x, 0), {.permutations = 20, .seed = 4}).contributions);
}

TEST_CASE("shapley: columns that count as one feature", "[shapley]") {
    const matrix<double> zero = matrix<double>::Zero(1, 4);
    const auto model = of_each_row([](auto z) { return z[0] * z[1] + 2 * z[2] * z[3] * z[0]; });
    // Of (a, b) as one feature and z2, z3 there is: a b = 6, the rest 2 * 5 * 7 * 2 = 140 shared by three.
    const std::vector<double> row{2, 3, 5, 7};
    for (const auto& e : {exact_shapley(model, zero, row, {.groups = {{0, 1}, {2}, {3}}}),
                          sampled_shapley(model, zero, row, {.groups = {{1, 0}, {2}, {3}}, .permutations = 3000})})
        check(e, 0, {6 + 140. / 3, 140. / 3, 140. / 3}, 146, 3);
    check(shapley(model, zero, row, {.groups = {{0, 1, 2, 3}}}), 0, {146}, 146);
    check(exact_shapley(model, zero, row, {.groups = {{2, 3}, {0}, {1}}}), 0, {70, 73, 3}, 146);
    const auto code = [&](std::vector<std::vector<std::size_t>> groups) { return error_of([&] { (void)exact_shapley(model, zero, row, {.groups = groups}); }).code(); };
    CHECK(code({{0, 1}, {2}}) == errc::bad_parameter);
    CHECK(code({{0, 1}, {1, 2, 3}}) == errc::bad_parameter);
    CHECK(code({{0, 1}, {2, 3, 4}}) == errc::bad_parameter);
}

TEMPLATE_TEST_CASE("shapley: of fitted models, by every way", "[shapley]", CARAMEL_TEST_SCALARS) {
    const matrix<double> wide = normal_numbers(300, 8, 5);
    const matrix<TestType> x = wide.cast<TestType>();
    std::vector<int> two, three;
    for (row_index i = 0; i < 300; ++i) {
        two.push_back(wide(i, 0) + wide(i, 1) * wide(i, 2) > 0 ? 1 : 0);
        three.push_back(wide(i, 3) > .5 ? 2 : two.back());
    }
    const matrix<TestType> background = x.topRows(15);
    const auto row = row_of(x, 99);
    const double margin = std::is_same_v<TestType, float> ? 2e-5 : 1e-10;
    // Trees: three ways to the same numbers.
    const auto trees = fit(boosted_trees<TestType>{.n_trees = 30, .max_depth = 4}, x, two);
    const auto of_trees = tree_shapley(trees, background, row);
    const auto scores = [&](const matrix<TestType>& z) { return trees.scores(z); };
    check(exact_shapley(scores, background, row), of_trees.base, of_trees.contributions, of_trees.prediction, margin);
    CHECK(std::abs(sum_of(of_trees) - of_trees.prediction) < 1e-10);
    CHECK(of_trees.prediction == Approx(static_cast<double>(trees.scores(x)(99, 0))).margin(margin));
    const auto more = fit(boosted_trees<TestType>{.n_trees = 20}, x, three);
    for (std::size_t k = 0; k < 3; ++k) {
        const auto e = tree_shapley(more, background, row, k);
        check(exact_shapley([&](const matrix<TestType>& z) { return more.scores(z); }, background, row, {.output = k}), e.base, e.contributions, e.prediction, margin);
    }
    // A linear model: its score in closed form, its probability by enumeration.
    const auto linear = fit(logistic<TestType>{}, x, two);
    const auto closed = linear_shapley(linear, background, row);
    const auto log_odds = [&](const matrix<TestType>& z) -> matrix<TestType> {
        return (z * linear.coefficients().transpose()).array() + linear.intercepts()(0);
    };
    check(exact_shapley(log_odds, background, row), closed.base, closed.contributions, closed.prediction, margin);
    const auto risk = exact_shapley(fit(logistic<TestType>{} | positive{}, x, two), background, row);
    const auto last = exact_shapley(linear, background, row);
    check(risk, last.base, last.contributions, last.prediction, 1e-7);
    CHECK(std::abs(sum_of(last) - last.prediction) < 1e-6);
    CHECK(last.prediction == static_cast<double>(linear(x)(99, 1)));
    const auto no = exact_shapley(linear, background, row, {.output = 0});
    CHECK(no.contributions[0] == Approx(-last.contributions[0]).margin(1e-6));
}

TEST_CASE("shapley: of a chain from a table the columns are the features", "[shapley][table]") {
    rng numbers(7);
    const std::size_t n = 200;
    std::vector<double> tenure(n);
    std::vector<std::int64_t> calls(n);
    std::vector<std::string> contract(n), noise(n);
    std::vector<bool> absent(n);
    std::vector<int> left(n);
    for (std::size_t i = 0; i < n; ++i) {
        tenure[i] = 10 * numbers.uniform();
        calls[i] = static_cast<std::int64_t>(numbers.below(5));
        contract[i] = std::vector<std::string>{"month", "year", "two years"}[numbers.below(3)];
        noise[i] = numbers.below(2) == 0 ? "a" : "b";
        absent[i] = i % 9 == 0;
        left[i] = (contract[i] == "month" ? 3. : 0.) + static_cast<double>(calls[i]) / 2 - tenure[i] / 4 + numbers.normal() > 1 ? 1 : 0;
    }
    table customers;
    customers.add_column("noise", noise);
    customers.add_column("tenure", tenure, absent);
    customers.add_column("contract", contract);
    customers.add_column("calls", calls);
    const auto chain = fit(impute{} | encode<double>{} | boosted_trees<double>{.n_trees = 40}, customers, left);
    const table background = customers.slice(0, 30), one = customers.slice(44, 45);
    const auto e = exact_shapley(chain, background, one);
    CHECK(sum_of(e) == Approx(e.prediction).epsilon(1e-12));
    CHECK(e.prediction == chain(customers)(44, 1));
    CHECK(e.base == Approx(chain(background).col(1).mean()));
    // The same from the encoded matrix, where a category is a group of columns.
    const auto encoder = fit(impute{} | encode<double>{}, customers);
    const matrix<double> encoded = encoder(customers);
    const auto names = encoder.output_names(customers.names());
    std::vector<std::vector<std::size_t>> groups;
    for (const auto& name : customers.names()) {
        groups.emplace_back();
        for (std::size_t c = 0; c < names.size(); ++c)
            if (names[c] == name || names[c].starts_with(name + "=")) groups.back().push_back(c);
    }
    const auto inner = exact_shapley(chain.get<2>(), matrix<double>(encoded.topRows(30)), row_of(encoded, 44), {.groups = groups});
    check(e, inner.base, inner.contributions, inner.prediction);
    const auto sampled = sampled_shapley(chain, background, one, {.permutations = 200});
    check(sampled, e.base, e.contributions, e.prediction, .02);
    CHECK(shapley(chain, background, one).contributions == e.contributions);
    // The row may have its columns in another order, and levels that the background has not.
    const table turned = one.take_columns({"calls", "contract", "tenure", "noise"});
    CHECK(exact_shapley(chain, background, turned).contributions == e.contributions);
    table odd;
    odd.add_column("noise", std::vector<std::string>{"never seen"});
    odd.add_column("tenure", std::vector<double>{1}, {true});
    odd.add_column("contract", std::vector<std::string>{"month"});
    odd.add_column("calls", std::vector<std::int64_t>{9});
    CHECK(sum_of(exact_shapley(chain, background, odd)) == Approx(chain(odd)(0, 1)).epsilon(1e-12));
    CHECK(error_of([&] { (void)exact_shapley(chain, background, one.drop({"calls"})); }).code() == errc::missing_column);
    table wrong = one.drop({"calls"});
    wrong.add_column("calls", std::vector<double>{1});
    CHECK(error_of([&] { (void)exact_shapley(chain, background, wrong); }).code() == errc::wrong_column_type);
    CHECK(error_of([&] { (void)exact_shapley(chain, background, customers.slice(0, 2)); }).code() == errc::shape_mismatch);
    const auto reasons = top_reasons(e, background.names(), 2);
    REQUIRE(reasons.size() == 2);
    CHECK(reasons[0].name != "noise");
    CHECK(std::abs(reasons[0].contribution) >= std::abs(reasons[1].contribution));
}

TEST_CASE("top_reasons: the largest first, whichever way they point", "[shapley]") {
    const explanation e{1, {.5, -2, 0, .5, 3}, 3};
    const std::vector<std::string> names{"a", "b", "c", "d", "e"};
    CHECK(top_reasons(e, names) == std::vector<reason>{{"e", 3}, {"b", -2}, {"a", .5}});
    CHECK(top_reasons(e, names, 10).size() == 4);  // c moved nothing
    CHECK(top_reasons(e, names, 0).empty());
    CHECK(top_reasons(explanation{}, {}).empty());
    CHECK_THROWS_WITH(top_reasons(e, {"a"}), "top_reasons: 5 contributions but 1 names");
}

TEST_CASE("shapley: what cannot be explained is refused", "[shapley][error]") {
    const auto model = of_each_row([](auto z) { return z[0]; });
    const std::vector<double> row{1, 2};
    const auto code = [](auto&& work) { return error_of([&] { (void)work(); }).code(); };
    CHECK(code([&] { return exact_shapley(model, matrix<double>(0, 2), row); }) == errc::empty_input);
    CHECK(code([&] { return exact_shapley(model, matrix<double>(matrix<double>::Zero(2, 3)), row); }) == errc::shape_mismatch);
    CHECK(code([&] { return exact_shapley(model, matrix<double>(matrix<double>::Zero(2, 2)), row, {.output = 1}); }) == errc::shape_mismatch);
    CHECK(code([&] { return sampled_shapley(model, matrix<double>(matrix<double>::Zero(2, 2)), row, {.permutations = 0}); }) == errc::bad_parameter);
    const matrix<double> wide = matrix<double>::Zero(2, 13);
    CHECK(code([&] { return exact_shapley(model, wide, row_of(wide, 0)); }) == errc::limit_exceeded);
    CHECK(shapley(model, wide, row_of(wide, 0)).contributions == std::vector<double>(13));
    matrix<double> hole = matrix<double>::Zero(2, 2);
    hole(1, 0) = std::numeric_limits<double>::quiet_NaN();
    CHECK(code([&] { return exact_shapley(model, hole, row); }) == errc::nan_or_inf);
    CHECK(code([&] { return exact_shapley(of_each_row([](auto z) { return std::log(z[0] - 1); }), matrix<double>(matrix<double>::Zero(1, 2)), row); }) == errc::nan_or_inf);
    CHECK(code([&] { return linear_shapley<double>(row, 0, matrix<double>(0, 2), row); }) == errc::empty_input);
    CHECK(code([&] { return linear_shapley<double>(row, 0, wide, row); }) == errc::shape_mismatch);
    const auto trees = fit(boosted_trees<double>{.n_trees = 2}, normal_numbers(10, 2, 1), std::vector<int>{0, 1, 0, 1, 0, 1, 0, 1, 0, 1});
    CHECK(code([&] { return tree_shapley(trees, wide, row); }) == errc::shape_mismatch);
    CHECK(code([&] { return tree_shapley(trees, matrix<double>(0, 2), row); }) == errc::empty_input);
    CHECK(code([&] { return tree_shapley(trees, hole, row); }) == errc::nan_or_inf);
    CHECK(code([&] { return tree_shapley(trees, matrix<double>(matrix<double>::Zero(2, 2)), row, 1); }) == errc::shape_mismatch);
    CHECK(exact_shapley(of_each_row([](auto) { return 4.; }), matrix<double>(3, 0), std::vector<double>{}).prediction == 4);
}

}  // namespace shapley_test
