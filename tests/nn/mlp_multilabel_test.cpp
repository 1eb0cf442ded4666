#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/pipeline.hpp>

#include "nn/bits.hpp"
#include "nn/gradients.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace mlp_multilabel_test {

namespace {

template <class T>
struct campaigns {
    matrix<T> x, responses;
};
/// Customers of three features; whether they respond to each of three campaigns, of which the last asks for exclusive or.
template <class T>
campaigns<T> customers(row_index rows, double noise, std::uint64_t seed = 1) {
    rng random(seed);
    campaigns<T> out{normal_matrix<T>(random, rows, 3), matrix<T>(rows, 3)};
    for (row_index i = 0; i < rows; ++i) {
        const double a = static_cast<double>(out.x(i, 0)), b = static_cast<double>(out.x(i, 1)), c = static_cast<double>(out.x(i, 2));
        const double scores[3] = {2 * a - b, c + 0.5, a * b};
        for (row_index j = 0; j < 3; ++j) out.responses(i, j) = scores[j] + noise * random.normal() > 0 ? T(1) : T(0);
    }
    return out;
}
template <class T>
std::vector<int> column(const matrix<T>& y, row_index j) {
    std::vector<int> out;
    for (row_index i = 0; i < y.rows(); ++i) out.push_back(y(i, j) > T(0) ? 1 : 0);
    return out;
}

}  // namespace

TEMPLATE_TEST_CASE("mlp_multilabel: learns several questions at once, one of them not linear", "[mlp][multilabel]", CARAMEL_TEST_SCALARS) {
    const auto [x, y] = customers<TestType>(600, 0);
    const auto model = fit(mlp_multilabel<TestType>{.hidden = {24}, .epochs = 200, .learning_rate = 0.01}, x, y);
    const auto fresh = customers<TestType>(300, 0, 2);
    const matrix<TestType> p = model(fresh.x);
    REQUIRE(p.cols() == 3);
    CHECK(p.minCoeff() >= 0);
    CHECK(p.maxCoeff() <= 1);
    for (row_index j = 0; j < 3; ++j) CHECK(auc(matrix<TestType>(p.col(j)), column(fresh.responses, j)) > 0.97);
    CHECK((p.rowwise().sum().array() - 1).abs().maxCoeff() > 0.5);  // the answers do not share one probability
    CHECK(model.outputs() == 3);
    CHECK(model.output_names({"a", "b", "c"}) == std::vector<std::string>{"label_0", "label_1", "label_2"});
}

TEST_CASE("mlp_multilabel: gradients of the whole network agree with central differences", "[mlp][multilabel]") {
    const auto set = customers<double>(7, 1);
    const matrix<double>&x = set.x, &y = set.responses;
    const detail::label_targets<double> targets(y, "test");
    const detail::dense_stack stack{{5, 4}, {.share = 0}};
    rng random(3);
    auto params = stack.init<double>({.inputs = 3, .outputs = 3}, random);
    layer_cache<detail::dense_stack, double> cache;
    layer_grads<detail::dense_stack, double> grads;
    matrix<double> slopes(7, 3);
    const auto f = [&] {
        rng noise(1);
        const matrix<double>& z = stack.forward(params, x, cache, noise);
        double sum = 0;
        for (std::size_t i = 0; i < 7; ++i) sum += targets.loss(i, std::span<const double>(z.data() + 3 * i, 3), std::span(slopes.data() + 3 * i, 3));
        return sum;
    };
    (void)f();
    stack.gradients(params, cache, slopes, grads);
    std::vector<std::pair<double*, double>> expected;
    stack.visit(params, grads, [&](const parameter_block<double>& block) {
        for (std::size_t i = 0; i < block.values.size(); ++i) expected.emplace_back(&block.values[i], block.gradient[i]);
    });
    double worst = 0;
    for (const auto& [value, gradient] : expected) worst = std::max(worst, relative_error(slope_along(*value, f), gradient));
    CHECK(expected.size() == 20 + 24 + 15);
    CHECK(worst <= 1e-6);
}

TEST_CASE("mlp_multilabel: without hidden layers it is logistic regression of each column", "[mlp][multilabel]") {
    const auto [x, y] = customers<double>(200, 1);
    const double l2 = 0.01;
    const auto model = fit(mlp_multilabel<double>{.hidden = {}, .epochs = 4000, .batch_size = 200, .learning_rate = 0.01, .l2 = l2}, x, y);
    for (row_index j = 0; j < 3; ++j) {
        const auto exact = fit(logistic<double>{.regularization = l2 * 200 * 3}, x, column(y, j));
        CHECK((model.layers()[0].weights.col(j).transpose() - exact.coefficients()).cwiseAbs().maxCoeff() < 1e-4);
        CHECK(model.layers()[0].bias(j) == Approx(exact.intercepts()(0)).margin(1e-4));
    }
}

TEST_CASE("mlp_multilabel: one output is a classifier of two classes", "[mlp][multilabel]") {
    const auto [x, y] = customers<float>(400, 0.5);
    const matrix<float> first = y.col(0);
    const mlp_multilabel<float> recipe{.hidden = {8}, .epochs = 60, .learning_rate = 0.01, .validation_share = 0.2};
    const auto model = fit(standardize<float>{} | recipe, x, first, {.seed = 4});
    CHECK(model(x).cols() == 1);
    CHECK(auc(model(x), column(y, 0)) > 0.95);
    const std::vector<float> as_vector(first.data(), first.data() + first.size());
    CHECK(fit(standardize<float>{} | recipe, x, as_vector, {.seed = 4})(x) == model(x));
    const auto classes = fit(standardize<float>{} | mlp<float>{.hidden = {8}, .epochs = 60, .learning_rate = 0.01}, x, column(y, 0));
    CHECK(std::abs(log_loss(classes(x), column(y, 0)) - log_loss(model(x), column(y, 0))) < 0.03);
    // A fifth of either kind is validated on.
    std::vector<float> rare(100);
    for (std::size_t i = 0; i < 10; ++i) rare[i] = 1;
    const detail::label_targets<float> targets(targets_in<float>(rare), "test");
    const auto rows = detail::split_rows(targets, 0.2, rng(1), "test");
    CHECK(rows.validate.size() == 20);
    CHECK(std::ranges::count_if(rows.validate, [&](std::size_t row) { return rare[row] > 0; }) == 2);
}

TEMPLATE_TEST_CASE("mlp_multilabel: columns of one kind, logits far apart", "[mlp][multilabel][edge]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    auto [x, y] = customers<T>(50, 0.5);
    y.col(0).setZero();
    y.col(1).setOnes();
    const auto model = fit(mlp_multilabel<T>{.epochs = 200, .learning_rate = 0.05}, x, y);
    const matrix<T> p = model(x);
    CHECK(p.allFinite());
    CHECK(p.col(0).maxCoeff() < T(0.05));
    CHECK(p.col(1).minCoeff() > T(0.95));
    const mlp_multilabel_model<T> steep({{matrix<T>::Constant(1, 2, T(1e4)), vec<T>::Zero(2)}});
    matrix<T> far(2, 1);
    far << 10, -10;
    CHECK(steep(far)(0, 0) == T(1));
    CHECK(steep(far)(1, 1) == T(0));
}

TEST_CASE("mlp_multilabel: weights, seeds, threads, rows", "[mlp][multilabel][determinism]") {
    const auto set = customers<double>(80, 1);
    const mlp_multilabel<double> recipe{.hidden = {8}, .epochs = 10, .batch_size = 16, .dropout = 0.1};
    const auto model = fit(recipe, set.x, set.responses, {.seed = 3});
    CHECK(bits_of(fit(recipe, set.x, set.responses, {.seed = 3, .threads = 4}).layers()) == bits_of(model.layers()));
    CHECK(bits_of(fit(recipe, set.x, set.responses, {.seed = 4}).layers()) != bits_of(model.layers()));
    const matrix<double> p = model(set.x);
    workspace scratch;
    for (row_index i = 0; i < 80; ++i) {
        const auto row = model(row_of(set.x, i), scratch);
        REQUIRE(row.size() == 3);
        for (std::size_t j = 0; j < 3; ++j) REQUIRE(row[j] == p(i, static_cast<row_index>(j)));
    }
    // Rows of weight 0 have no part.
    std::vector<double> weights(80, 1);
    auto other = set;
    for (std::size_t i = 0; i < 40; ++i) {
        weights[2 * i] = 0;
        other.responses.row(static_cast<row_index>(2 * i)).setOnes();
    }
    CHECK(bits_of(fit(recipe, set.x, set.responses, {.weights = weights}).layers()) == bits_of(fit(recipe, set.x, other.responses, {.weights = weights}).layers()));
}

TEST_CASE("mlp_multilabel: targets that are neither 0 nor 1 are refused, with their place", "[mlp][multilabel][error]") {
    const auto set = customers<float>(20, 1);
    const mlp_multilabel<float> recipe{.epochs = 1};
    for (const float bad : {2.0F, 0.5F, -1.0F}) {
        auto y = set.responses;
        y(4, 1) = bad;
        const error e = error_of([&] { (void)fit(recipe, set.x, y); });
        CHECK(e.code() == errc::bad_data);
        CHECK(e.where() == place{.row = 5, .column = 2});
        CHECK(std::string(e.what()) == "mlp_multilabel: the target in row 5, column 2 is neither 0 nor 1");
    }
    auto y = set.responses;
    y(6, 2) = std::numeric_limits<float>::quiet_NaN();
    const error hole = error_of([&] { (void)fit(recipe, set.x, y); });
    CHECK(hole.code() == errc::nan_or_inf);
    CHECK(hole.where() == place{.row = 7, .column = 3});
    CHECK(error_of([&] { (void)recipe.fit(set.x, matrix<float>::Zero(19, 3), {}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)recipe.fit(set.x, matrix<float>::Zero(20, 0), {}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)recipe.fit(matrix<float>(0, 3), matrix<float>(0, 3), {}); }).code() == errc::empty_input);
    const error rate = error_of([&] { (void)mlp_multilabel<float>{.learning_rate = 0}.fit(set.x, set.responses, {}); });
    CHECK(rate.code() == errc::bad_parameter);
    CHECK(std::string(rate.what()).starts_with("mlp_multilabel: learning_rate"));
    CHECK(error_of([&] { (void)fit(mlp_multilabel<float>{.learning_rate = 1e6}, set.x, set.responses); }).code() == errc::diverged);
    CHECK(error_of([&] { mlp_multilabel_model<float> made({}); }).code() == errc::bad_data);
}

}  // namespace mlp_multilabel_test
