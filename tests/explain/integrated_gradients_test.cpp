#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string_view>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/explain/integrated_gradients.hpp>
#include <caramel/explain/shapley.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/nn/input_gradient.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/nn/network.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace user {

/// A model of one's own: the product of two features.
struct product {
    [[nodiscard]] matrix<double> operator()(const matrix<double>& x) const { return x.col(0).cwiseProduct(x.col(1)); }
    friend matrix<double> input_gradient(const product&, const matrix<double>& x, std::size_t) { return x.rowwise().reverse(); }
};

}  // namespace user

namespace {

matrix<double> normal_numbers(row_index rows, row_index columns, std::uint64_t seed) {
    rng numbers(seed);
    matrix<double> x(rows, columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = numbers.normal();
    return x;
}
double sum_of(const explanation& e) { return e.base + std::accumulate(e.contributions.begin(), e.contributions.end(), 0.0); }

// The small network of the oracle; its logit, or two classes of which the first has score 0.
template <class T>
std::vector<dense_params<T>> small_network(bool classes) {
    dense_params<T> first{matrix<T>(3, 2), vec<T>(2)}, second{matrix<T>::Zero(2, classes ? 2 : 1), vec<T>::Zero(classes ? 2 : 1)};
    first.weights << T(1), T(.5), T(-2), T(1), T(.5), T(-1);
    first.bias << T(.1), T(-.2);
    second.weights.template rightCols<1>() << T(1.5), T(-1);
    second.bias(second.bias.size() - 1) = T(.3);
    return {first, second};
}

template <class Model>
void check_gradient(const Model& model, row_index columns, std::size_t outputs) {
    const matrix<double> x = normal_numbers(20, columns, 77);
    constexpr double step = 1e-6;
    for (std::size_t k = 0; k < outputs; ++k) {
        const matrix<double> slopes = input_gradient(model, x, k);
        for (row_index j = 0; j < columns; ++j) {
            matrix<double> low = x, high = x;
            low.col(j).array() -= step;
            high.col(j).array() += step;
            const auto output = static_cast<row_index>(k);
            const vec<double> expected = (model(high).col(output) - model(low).col(output)) / (2 * step);
            CHECK((slopes.col(j) - expected).cwiseAbs().maxCoeff() < 1e-7);
        }
    }
}

}  // namespace

TEST_CASE("input_gradient: as central differences have it", "[gradients]") {
    const matrix<double> x = normal_numbers(60, 4, 1);
    std::vector<int> y;
    std::vector<double> value;
    for (row_index i = 0; i < 60; ++i) {
        y.push_back(static_cast<int>(i) % 3);
        value.push_back(5 + 10 * x(i, 0) * x(i, 1));
    }
    check_gradient(fit(mlp<double>{.hidden = {6, 5}, .epochs = 5}, x, y), 4, 3);
    check_gradient(fit(mlp<double>{.hidden = {}, .epochs = 5}, x, y), 4, 3);
    check_gradient(fit(mlp_regressor<double>{.hidden = {6}, .epochs = 5}, x, value), 4, 1);
    const matrix<double> labels = (normal_numbers(60, 2, 3).array() > 0).cast<double>();
    check_gradient(fit(mlp_multilabel<double>{.hidden = {5}, .epochs = 5}, x, labels), 4, 2);
    check_gradient(fit(network<double>({.epochs = 5}, dense{.units = 5}, tanh_layer{}, dropout{.share = .2}, dense{.units = 4}, sigmoid{}, dense{}), x, y), 4, 3);
    check_gradient(fit(network_regressor<double>({.epochs = 5}, dense{.units = 5}, relu{}, dense{}), x, value), 4, 1);
    const auto model = fit(mlp<double>{.epochs = 1}, x, y);
    CHECK(input_gradient(model, matrix<double>(0, 4), 0).rows() == 0);
    CHECK(error_of([&] { (void)input_gradient(model, x, 3); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)input_gradient(model, matrix<double>(2, 3), 0); }).code() == errc::shape_mismatch);
}

TEMPLATE_TEST_CASE("integrated_gradients: a small network worked out elsewhere", "[gradients]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const std::vector<T> zero(3), row{1, T(.5), 2};
    const double margin = std::is_same_v<T, float> ? 2e-6 : 1e-9;
    const auto check = [&](const explanation& e, const std::vector<double>& expected) {
        for (std::size_t j = 0; j < 3; ++j) CHECK(e.contributions[j] == Approx(expected[j]).margin(margin));
        CHECK(std::abs(sum_of(e) - e.prediction) < 1e-9);
    };
    const mlp_regressor_model<T> logit(small_network<T>(false), vec<T>::Zero(1), vec<T>::Ones(1));
    check(integrated_gradients(logit, zero, row), {1.5, -1.5, 1.5});
    const mlp_model<T> probability(small_network<T>(true));
    check(integrated_gradients(probability, zero, row), {.264807407863432, -.264807407863432, .264807407863432});
    check(integrated_gradients(probability, zero, row, 0), {-.264807407863432, .264807407863432, -.264807407863432});
    CHECK(integrated_gradients(logit, zero, row).prediction == Approx(1.95));
    const auto none = integrated_gradients(logit, row, row);
    CHECK(none.contributions == std::vector<double>(3));
    CHECK(none.base == none.prediction);
}

TEST_CASE("integrated_gradients: of a product half and half, of a linear model its Shapley values", "[gradients]") {
    const auto e = integrated_gradients(user::product{}, std::vector<double>{0, 0}, std::vector<double>{3, 4});
    CHECK(e.contributions[0] == Approx(6).epsilon(1e-12));
    CHECK(e.contributions[1] == Approx(6).epsilon(1e-12));
    const matrix<double> x = normal_numbers(80, 3, 4);
    std::vector<double> value;
    for (row_index i = 0; i < 80; ++i) value.push_back(2 * x(i, 0) - x(i, 2));
    const auto linear = fit(mlp_regressor<double>{.hidden = {}, .epochs = 20}, x, value);
    const auto shares = exact_shapley(linear, matrix<double>(x.topRows(1)), row_of(x, 5));
    const auto slopes = integrated_gradients(linear, row_of(x, 0), row_of(x, 5));
    for (std::size_t j = 0; j < 3; ++j) CHECK(slopes.contributions[j] == Approx(shares.contributions[j]).margin(1e-9));
}

TEMPLATE_TEST_CASE("integrated_gradients: of a trained network they add up, and agree with many small steps", "[gradients]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const matrix<double> wide = normal_numbers(300, 6, 6);
    const matrix<T> x = (wide.array() * 3 + 10).template cast<T>();
    std::vector<int> y;
    for (row_index i = 0; i < 300; ++i) y.push_back(wide(i, 0) * wide(i, 1) + wide(i, 2) > 0 ? 1 : 0);
    const auto chain = fit(standardize<T>{} | mlp<T>{.hidden = {32, 16}, .epochs = 30, .learning_rate = .01}, x, y);
    const matrix<T> z = chain.template get<0>()(x);
    const auto& network = chain.template get<1>();
    const std::vector<T> mean(6);
    for (const row_index i : {3, 44, 150}) {
        const std::vector<T> row(row_of(z, i).begin(), row_of(z, i).end());
        const auto e = integrated_gradients(network, mean, row);
        CHECK(std::abs(sum_of(e) - e.prediction) < 1e-6);
        CHECK(e.prediction == Approx(static_cast<double>(chain(x)(i, 1))).margin(1e-6));
        constexpr int steps = 20'000;
        matrix<T> way(steps, 6);
        for (int s = 0; s < steps; ++s)
            for (row_index j = 0; j < 6; ++j) way(s, j) = static_cast<T>((s + .5) / steps * static_cast<double>(row[static_cast<std::size_t>(j)]));
        const matrix<double> slopes = input_gradient(network, way, 1).template cast<double>();
        for (row_index j = 0; j < 6; ++j)
            CHECK(e.contributions[static_cast<std::size_t>(j)] == Approx(slopes.col(j).mean() * static_cast<double>(row[static_cast<std::size_t>(j)])).margin(1e-4));
    }
    const std::vector<T> three(3);
    CHECK(error_of([&] { (void)integrated_gradients(network, three, mean); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)integrated_gradients(network, three, three); }).code() == errc::shape_mismatch);
    std::vector<T> hole = mean;
    hole[2] = std::numeric_limits<T>::infinity();
    CHECK(error_of([&] { (void)integrated_gradients(network, mean, hole); }).code() == errc::nan_or_inf);
}
