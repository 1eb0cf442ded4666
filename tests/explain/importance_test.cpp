#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/data/table.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/evaluate/regression.hpp>
#include <caramel/explain/importance.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/trees/boosted_trees.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

const auto area = [](const auto& scores, const std::vector<int>& y) { return auc(scores, y); };

}  // namespace

TEST_CASE("permutation_importance: over all permutations, worked out elsewhere", "[importance]") {
    matrix<double> x(4, 2);
    x << .1, 1, .4, 0, .35, 1, .8, 0;
    const std::vector<int> y{0, 0, 1, 1};
    const auto model = [](const matrix<double>& z) -> matrix<double> { return z.col(0) + .1 * z.col(1); };
    const importances all = permutation_importance(model, x, y, area, {.repeats = 0});
    CHECK(all.score == Approx(1));
    CHECK(all.drops[0] == Approx(.5).epsilon(1e-12));
    CHECK(all.drops[1] == Approx(1. / 6).epsilon(1e-12));
    // Random permutations come to the same on average.
    const importances many = permutation_importance(model, x, y, area, {.repeats = 4000, .seed = 1});
    for (std::size_t c = 0; c < 2; ++c) {
        CHECK(std::abs(many.drops[c] - all.drops[c]) < 4 * many.deviations[c] / std::sqrt(4000.));
        CHECK(many.deviations[c] == Approx(all.deviations[c]).epsilon(.05));
    }
    CHECK(permutation_importance(model, x, y, area, {.seed = 1}).drops == permutation_importance(model, x, y, area, {.seed = 1}).drops);
    CHECK(permutation_importance(model, x, y, area, {.repeats = 2, .seed = 1}).drops != permutation_importance(model, x, y, area, {.repeats = 2, .seed = 2}).drops);
}

TEST_CASE("permutation_importance: of a linear model the squared error rises by twice the variance", "[importance]") {
    // E (w (x' - x))^2 = 2 w^2 variance, over all permutations exactly n / (n - 1) less the fixed points ...
    matrix<double> x(6, 2);
    x << 1, 5, 2, -1, 4, 0, 8, 2, 16, 3, 5, 5;
    const std::vector<double> weights{2, -3};
    std::vector<double> y;
    for (row_index i = 0; i < 6; ++i) y.push_back(weights[0] * x(i, 0) + weights[1] * x(i, 1));
    const auto model = [&](const matrix<double>& z) {
        std::vector<double> out;
        for (row_index i = 0; i < z.rows(); ++i) out.push_back(weights[0] * z(i, 0) + weights[1] * z(i, 1));
        return out;
    };
    const auto minus_error = [](const std::vector<double>& p, const std::vector<double>& t) { return -rmse(p, t) * rmse(p, t); };
    const auto found = permutation_importance(model, x, y, minus_error, {.repeats = 0});
    for (row_index c = 0; c < 2; ++c) {
        const double w = weights[static_cast<std::size_t>(c)], variance = (x.col(c).array() - x.col(c).mean()).square().mean();
        CHECK(found.drops[static_cast<std::size_t>(c)] == Approx(2 * w * w * variance));  // ... which each make the same of it
    }
    CHECK(found.score == Approx(0).margin(1e-20));
}

TEST_CASE("permutation_importance: columns of a table, whole categories", "[importance][table]") {
    rng numbers(3);
    const std::size_t n = 400;
    std::vector<double> spend(n);
    std::vector<std::int64_t> noise(n);
    std::vector<std::string> plan(n);
    std::vector<int> y(n);
    for (std::size_t i = 0; i < n; ++i) {
        spend[i] = numbers.uniform();
        noise[i] = static_cast<std::int64_t>(numbers.below(4));
        plan[i] = std::vector<std::string>{"a", "b", "c"}[numbers.below(3)];
        y[i] = (plan[i] == "b" ? 1. : 0.) + .3 * spend[i] > .5 ? 1 : 0;
    }
    table x;
    x.add_column("spend", spend);
    x.add_column("noise", noise);
    x.add_column("plan", plan);
    const auto chain = fit(encode<float>{} | boosted_trees<float>{.n_trees = 30}, x, y);
    const auto found = permutation_importance(chain, x, y, area);
    REQUIRE(found.drops.size() == 3);
    CHECK(found.score == Approx(1));
    CHECK(found.drops[2] > .3);
    CHECK(found.drops[2] > found.drops[0] + .2);
    CHECK(std::abs(found.drops[1]) < 1e-9);
    // The model's answer by plan, and by a number.
    const auto by_plan = partial_dependence(chain, x, "plan", std::vector<std::string>{"a", "b", "never seen"});
    CHECK(by_plan[1] > .7);
    CHECK(by_plan[0] < .3);
    CHECK(std::abs(by_plan[2] - by_plan[0]) < .1);
    const auto by_noise = partial_dependence(chain, x, "noise", std::vector<double>{0, 3});
    CHECK(by_noise[0] == Approx(by_noise[1]));
    CHECK(partial_dependence(chain, x, "spend", std::vector<double>{.1, .9}).size() == 2);
    const auto code = [](auto&& work) { return error_of([&] { (void)work(); }).code(); };
    CHECK(code([&] { return partial_dependence(chain, x, "plan", std::vector<double>{1}); }) == errc::wrong_column_type);
    CHECK(code([&] { return partial_dependence(chain, x, "spend", std::vector<std::string>{"a"}); }) == errc::wrong_column_type);
    CHECK(code([&] { return partial_dependence(chain, x, "noise", std::vector<double>{.5}); }) == errc::bad_parameter);
    CHECK(code([&] { return partial_dependence(chain, x, "none", std::vector<double>{1}); }) == errc::missing_column);
}

TEMPLATE_TEST_CASE("partial_dependence: the mean answer with the column held", "[importance]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    matrix<T> x(3, 2);
    x << 1, 2, 3, 4, 5, 9;
    const auto model = [](const matrix<T>& z) -> matrix<T> {
        matrix<T> out(z.rows(), 2);
        out.col(0) = z.col(0) + z.col(1);
        out.col(1) = z.col(0).cwiseProduct(z.col(1));
        return out;
    };
    CHECK(partial_dependence(model, x, 0, {-1, 0, 2}) == std::vector<double>{-5, 0, 10});
    CHECK(partial_dependence(model, x, 1, {10}, 0) == std::vector<double>{13});
    CHECK(partial_dependence(model, x, 1, {}).empty());
    const auto code = [](auto&& work) { return error_of([&] { (void)work(); }).code(); };
    CHECK(code([&] { return partial_dependence(model, x, 2, {1}); }) == errc::bad_parameter);
    CHECK(code([&] { return partial_dependence(model, x, 0, {1}, 2); }) == errc::shape_mismatch);
    CHECK(code([&] { return partial_dependence(model, matrix<T>(0, 2), 0, {1}); }) == errc::empty_input);
}

TEST_CASE("permutation_importance: what cannot be permuted is refused", "[importance][error]") {
    const matrix<double> x = matrix<double>::Zero(9, 1);
    const auto model = [](const matrix<double>& z) { return z; };
    const auto zero = [](const matrix<double>&, const std::vector<int>&) { return 0; };
    const auto code = [](auto&& work) { return error_of([&] { (void)work(); }).code(); };
    CHECK(code([&] { return permutation_importance(model, matrix<double>(1, 1), std::vector<int>{1}, zero); }) == errc::too_few_rows);
    CHECK(code([&] { return permutation_importance(model, x, std::vector<int>{1}, zero); }) == errc::shape_mismatch);
    CHECK(code([&] { return permutation_importance(model, x, std::vector<int>(9), zero, {.repeats = 0}); }) == errc::limit_exceeded);
    const auto nan = [](const matrix<double>&, const std::vector<int>&) { return std::nan(""); };
    CHECK(code([&] { return permutation_importance(model, x, std::vector<int>(9), nan); }) == errc::nan_or_inf);
    CHECK(permutation_importance(model, x, std::vector<int>(9), zero).drops == std::vector<double>{0});
    CHECK(permutation_importance(model, matrix<double>(3, 0), std::vector<int>(3), zero).drops.empty());
}
