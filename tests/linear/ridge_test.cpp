#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/ridge.hpp>
#include <caramel/pipeline.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace ridge_test {

namespace {

struct examples {
    matrix<double> x, y;
};
/// Columns that lean on each other, of different units, and targets with noise.
examples noisy(row_index rows, row_index columns, row_index outputs, std::uint64_t seed) {
    rng random(seed);
    examples out{matrix<double>(rows, columns), matrix<double>(rows, outputs)};
    matrix<double> effect(columns, outputs);
    for (row_index i = 0; i < effect.size(); ++i) effect.data()[i] = random.normal();
    for (row_index i = 0; i < rows; ++i) {
        const double common = random.normal();
        for (row_index j = 0; j < columns; ++j)
            out.x(i, j) = (random.normal() + (j % 2 == 0 ? 3 * common : 0)) * (j % 3 == 0 ? 0.1 : 5) + static_cast<double>(j);
        for (row_index k = 0; k < outputs; ++k) out.y(i, k) = 10 + out.x.row(i).dot(effect.col(k)) + random.normal();
    }
    return out;
}

/// (outputs, columns + 1), intercepts last: the normal equations of the columns as they are, in long double, by elimination
/// with pivots.
std::vector<std::vector<long double>> twin(const examples& set, double regularization, const std::vector<double>& weights) {
    const auto p = static_cast<std::size_t>(set.x.cols()), n = p + 1, m = static_cast<std::size_t>(set.y.cols());
    std::vector<std::vector<long double>> a(n, std::vector<long double>(n + m));
    for (row_index i = 0; i < set.x.rows(); ++i) {
        const auto at = [&](std::size_t j) { return j == p ? 1.0L : static_cast<long double>(set.x(i, static_cast<row_index>(j))); };
        const long double w = weights.empty() ? 1.0L : static_cast<long double>(weights[static_cast<std::size_t>(i)]);
        for (std::size_t r = 0; r < n; ++r) {
            for (std::size_t c = 0; c < n; ++c) a[r][c] += w * at(r) * at(c);
            for (std::size_t k = 0; k < m; ++k) a[r][n + k] += w * at(r) * static_cast<long double>(set.y(i, static_cast<row_index>(k)));
        }
    }
    for (std::size_t j = 0; j < p; ++j) a[j][j] += static_cast<long double>(regularization);
    for (std::size_t c = 0; c < n; ++c) {
        std::size_t pivot = c;
        for (std::size_t r = c; r < n; ++r)
            if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
        std::swap(a[c], a[pivot]);
        for (std::size_t r = 0; r < n; ++r) {
            if (r == c) continue;
            const long double f = a[r][c] / a[c][c];
            for (std::size_t j = c; j < n + m; ++j) a[r][j] -= f * a[c][j];
        }
    }
    std::vector<std::vector<long double>> out(m, std::vector<long double>(n));
    for (std::size_t k = 0; k < m; ++k)
        for (std::size_t j = 0; j < n; ++j) out[k][j] = a[j][n + k] / a[j][j];
    return out;
}
template <class T>
double distance(const ridge_model<T>& model, const std::vector<std::vector<long double>>& other) {
    long double worst = 0;
    for (std::size_t k = 0; k < other.size(); ++k)
        for (std::size_t j = 0; j < other[k].size(); ++j) {
            const auto row = static_cast<row_index>(k);
            const auto mine =
                static_cast<long double>(j + 1 == other[k].size() ? model.intercepts()(row) : model.coefficients()(row, static_cast<row_index>(j)));
            worst = std::max(worst, std::abs(mine - other[k][j]));
        }
    return static_cast<double>(worst);
}
std::vector<double> some_weights(std::size_t rows) {
    rng random(5);
    std::vector<double> out;
    for (std::size_t i = 0; i < rows; ++i) out.push_back(i % 7 == 3 ? 0 : 3 * random.uniform());
    return out;
}
/// The error on rows left out one at a time, each by a fit of its own.
double left_out(const examples& set, double regularization, const std::vector<double>& weights) {
    long double sum = 0;
    for (row_index i = 0; i < set.x.rows(); ++i) {
        auto others = weights.empty() ? std::vector<double>(static_cast<std::size_t>(set.x.rows()), 1) : weights;
        const double own = others[static_cast<std::size_t>(i)];
        others[static_cast<std::size_t>(i)] = 0;
        const auto at = twin(set, regularization, others);
        for (std::size_t k = 0; k < at.size(); ++k) {
            long double off = static_cast<long double>(set.y(i, static_cast<row_index>(k))) - at[k].back();
            for (row_index j = 0; j < set.x.cols(); ++j) off -= at[k][static_cast<std::size_t>(j)] * static_cast<long double>(set.x(i, j));
            sum += static_cast<long double>(own) * off * off;
        }
    }
    return static_cast<double>(sum);
}

}  // namespace

TEST_CASE("ridge: worked by hand", "[ridge]") {
    // Of x = -1, 0, 1 and y = 1, 2, 6: slope 5 / (2 + regularization), through the means (0, 3).
    matrix<double> x(3, 1);
    x << -1, 0, 1;
    for (const double r : {0.0, 0.5, 3.0}) {
        const auto model = fit(ridge<double>{.regularization = r}, x, std::vector<double>{1, 2, 6});
        CHECK(model.coefficients()(0, 0) == Approx(5 / (2 + r)).epsilon(1e-13));
        CHECK(model.intercepts()(0) == Approx(3).epsilon(1e-13));
        CHECK(model(x)(2, 0) == Approx(3 + 5 / (2 + r)).epsilon(1e-13));
        CHECK(model.regularization() == r);
    }
}

TEST_CASE("ridge: the minimum that elimination in long double finds, by columns and by rows", "[ridge]") {
    for (const auto& [rows, columns] : {std::pair<row_index, row_index>{300, 6}, {40, 40}, {20, 35}, {5, 60}})
        for (const double r : {1e-3, 1.0, 200.0})
            for (const bool weighted : {false, true}) {
                const auto set = noisy(rows, columns, 3, 2);
                const auto weights = weighted ? some_weights(static_cast<std::size_t>(rows)) : std::vector<double>{};
                INFO(rows << " rows, " << columns << " columns, regularization " << r << (weighted ? ", weighted" : ""));
                const auto other = twin(set, r, weights);
                const auto model = fit(ridge<double>{.regularization = r}, set.x, set.y, {.weights = weights});
                CHECK(distance(model, other) < 1e-8);
                const auto single =
                    fit(ridge<float>{.regularization = r}, matrix<float>(set.x.cast<float>()), matrix<float>(set.y.cast<float>()), {.weights = weights});
                if (r >= 1) CHECK(distance(single, other) < 2e-3);
            }
    // Least squares, where rows determine it.
    const auto set = noisy(100, 7, 2, 9);
    CHECK(distance(fit(ridge<double>{.regularization = 0}, set.x, set.y), twin(set, 0, {})) < 1e-9);
}

TEST_CASE("ridge: exact where columns are of very different units and nearly follow from each other", "[ridge]") {
    auto set = noisy(80, 5, 1, 4);
    set.x.col(1) *= 1e-5;
    set.x.col(2) = set.x.col(2) * 1e6 + vec<double>::Constant(80, 1e8);
    set.x.col(4) = set.x.col(3) + 1e-3 * set.x.col(4);
    for (const double r : {1e-6, 1.0}) {
        const auto other = twin(set, r, {});
        const auto model = fit(ridge<double>{.regularization = r}, set.x, set.y);
        for (std::size_t j = 0; j < 5; ++j) {
            INFO(r << ' ' << j);
            CHECK(model.coefficients()(0, static_cast<row_index>(j)) == Approx(static_cast<double>(other[0][j])).epsilon(1e-6));
        }
    }
    // Coordinates of a unit so small or large that squares would leave the number type.
    const auto plain = noisy(60, 3, 1, 1);
    const auto base = fit(ridge<double>{.regularization = 0}, plain.x, plain.y);
    for (const double unit : {1e-150, 1e-12, 1e9, 1e140})
        CHECK((fit(ridge<double>{.regularization = 0}, matrix<double>(plain.x * unit), plain.y).coefficients() * unit - base.coefficients())
                  .cwiseAbs()
                  .maxCoeff() < 1e-9);
}

TEST_CASE("ridge: a weight of 2 is a row given twice", "[ridge][weights]") {
    const auto set = noisy(30, 4, 1, 6);
    std::vector<double> weights;
    std::vector<row_index> kept;
    for (row_index i = 0; i < 30; ++i) {
        weights.push_back(static_cast<double>(i % 3));
        for (int k = 0; k < i % 3; ++k) kept.push_back(i);
    }
    const auto a = fit(ridge<double>{}, set.x, set.y, {.weights = weights});
    const auto b = fit(ridge<double>{}, matrix<double>(set.x(kept, Eigen::all)), matrix<double>(set.y(kept, Eigen::all)));
    CHECK((a.coefficients() - b.coefficients()).cwiseAbs().maxCoeff() < 1e-11);
}

TEST_CASE("ridge: of the candidates, the one with the least error on rows left out one at a time", "[ridge][loo]") {
    for (const auto& [rows, columns] : {std::pair<row_index, row_index>{30, 5}, {15, 22}})
        for (const bool weighted : {false, true}) {
            const auto set = noisy(rows, columns, 2, 8);
            const auto weights = weighted ? some_weights(static_cast<std::size_t>(rows)) : std::vector<double>{};
            const row_weights checked(weights, static_cast<std::size_t>(rows), "test");
            const run_options how;
            std::vector<double> candidates{100, 0.01, 1, 10, 0.1, 1000};
            double least = std::numeric_limits<double>::infinity(), best = 0;
            for (const double r : candidates) {
                const double slow = left_out(set, r, weights);
                double quick = 0;
                const matrix_in<double> x(set.x), y(set.y);
                if (rows > columns) quick = detail::ridge_by_columns<double>(x, y, checked, 1000, how, "test").left_out_error(r);
                else quick = detail::ridge_by_rows<double>(x, y, checked, how, "test").left_out_error(r);
                INFO(rows << " rows, regularization " << r);
                CHECK(quick == Approx(slow).epsilon(1e-8));
                if (slow < least) {
                    least = slow;
                    best = r;
                }
            }
            const auto model = fit(ridge<double>{.candidates = candidates}, set.x, set.y, {.weights = weights});
            CHECK(model.regularization() == best);
            CHECK(model.coefficients() == fit(ridge<double>{.candidates = {best}}, set.x, set.y, {.weights = weights}).coefficients());
        }
}

TEMPLATE_TEST_CASE("ridge: a row has the same bits alone and in any batch, and its parts sum to its value", "[ridge]", CARAMEL_TEST_SCALARS) {
    const auto set = noisy(50, 7, 2, 1);
    const matrix<TestType> x = set.x.cast<TestType>(), y = set.y.cast<TestType>();
    const auto model = fit(ridge<TestType>{}, x, y);
    const matrix<TestType> values = model(x);
    workspace scratch;
    for (row_index i = 0; i < x.rows(); ++i) {
        const auto row = model(row_of(x, i), scratch);
        REQUIRE(row.size() == 2);
        for (std::size_t k = 0; k < 2; ++k) {
            REQUIRE(row[k] == values(i, static_cast<row_index>(k)));
            const auto why = model.explain(row_of(x, i), k);
            REQUIRE(why.parts.size() == 7);
            REQUIRE(why.score() == Approx(static_cast<double>(row[k])).margin(std::is_same_v<TestType, float> ? 1e-4 : 1e-12));
        }
        REQUIRE(model(x.middleRows(i, 1)) == values.row(i));
    }
    CHECK(model(matrix<TestType>(0, 7)).rows() == 0);
    CHECK(model.output_names({})[1] == "value_1");
    const std::vector<std::string> names{"a", "b", "c", "d", "e", "f", "g"};
    const auto reasons = model.explain(row_of(x, 3), 1).top(3, names);
    REQUIRE(reasons.size() == 3);
    CHECK(std::abs(reasons[0].second) >= std::abs(reasons[1].second));
    CHECK(error_of([&] { (void)model.explain(row_of(x, 3), 2); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)model.explain(row_of(x, 3)).top(9, std::vector<std::string>{"a"}); }).code() == errc::shape_mismatch);
    for (const std::size_t threads : {std::size_t{2}, std::size_t{3}})
        CHECK(fit(ridge<TestType>{}, x, y, {.threads = threads}).coefficients() == model.coefficients());
    const auto chain = fit(standardize<TestType>{} | ridge<TestType>{}, x, vec<TestType>(y.col(0)));
    CHECK(chain(x).cols() == 1);
}

TEST_CASE("ridge: constant columns, one row, no columns", "[ridge][edge]") {
    auto set = noisy(20, 4, 1, 3);
    set.x.col(2).setConstant(0.1);
    CHECK(fit(ridge<double>{.regularization = 0}, set.x, set.y).coefficients()(0, 2) == 0);
    const auto wide = fit(ridge<double>{}, matrix<double>(set.x.topRows(2)), matrix<double>(set.y.topRows(2)));
    CHECK(wide.coefficients()(0, 2) == 0);
    const auto one = fit(ridge<double>{}, matrix<double>(set.x.topRows(1)), std::vector<double>{7});
    CHECK(one.coefficients().isZero(0));
    CHECK(one(set.x)(9, 0) == 7);
    const auto none = fit(ridge<double>{}, matrix<double>(3, 0), std::vector<double>{1, 2, 6});
    CHECK(none(matrix<double>(1, 0))(0, 0) == Approx(3));
}

TEST_CASE("ridge: what cannot be learnt from is refused, with its place", "[ridge][error]") {
    const auto set = noisy(20, 3, 1, 3);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto code = [&](const ridge<double>& recipe, const matrix<double>& x, const matrix<double>& y) {
        return error_of([&] { (void)fit(recipe, x, y); }).code();
    };
    for (const double bad : {-1.0, nan}) {
        CHECK(code({.regularization = bad}, set.x, set.y) == errc::bad_parameter);
        CHECK(code({.candidates = {1, bad}}, set.x, set.y) == errc::bad_parameter);
    }
    CHECK(code({}, matrix<double>(0, 3), matrix<double>(0, 1)) == errc::empty_input);
    CHECK(code({}, set.x, matrix<double>(20, 0)) == errc::shape_mismatch);
    CHECK(error_of([&] { (void)ridge<double>{}.fit(set.x, std::vector<double>{1, 2}, {}); }).code() == errc::shape_mismatch);
    matrix<double> copies(20, 4);
    copies << set.x, set.x.col(0);
    const error undetermined = error_of([&] { (void)fit(ridge<double>{.regularization = 0}, copies, set.y); });
    CHECK(undetermined.code() == errc::bad_data);
    CHECK(std::string(undetermined.what()).find("raise regularization") != std::string::npos);
    CHECK(code({.regularization = 0}, set.x.topRows(2), set.y.topRows(2)) == errc::bad_data);
    auto x = set.x;
    x(6, 1) = nan;
    CHECK(error_of([&] { (void)fit(ridge<double>{}, x, set.y); }).where() == place{.row = 7, .column = 2});
    auto y = set.y;
    y(4, 0) = std::numeric_limits<double>::infinity();
    CHECK(error_of([&] { (void)fit(ridge<double>{}, set.x, y); }).where() == place{.row = 5, .column = 1});
    const auto model = fit(ridge<double>{}, set.x, set.y);
    CHECK(error_of([&] { (void)model(x); }).where() == place{.row = 7, .column = 2});
    CHECK(std::string(error_of([&] { (void)model(matrix<double>(1, 2)); }).what()) == "ridge: got 2 columns, learnt 3");
    CHECK(error_of([&] { ridge_model<double> made(matrix<double>::Zero(2, 3), vec<double>::Zero(1), 1); }).code() == errc::bad_data);
    CHECK(error_of([&] { ridge_model<double> made(matrix<double>::Zero(1, 3), vec<double>::Zero(1), -1); }).code() == errc::bad_data);
    const ridge_model<float> steep(matrix<float>::Constant(1, 2, 1e30F), vec<float>::Zero(1), 1);
    const error beyond = error_of([&] { (void)steep(matrix<float>::Constant(3, 2, 1e30F)); });
    CHECK(beyond.code() == errc::number_out_of_range);
    CHECK(beyond.where().row == 1);
}

}  // namespace ridge_test
