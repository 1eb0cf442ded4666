#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/pipeline.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace logistic_l1_test {

namespace {

struct examples {
    matrix<double> x;
    std::vector<int> y;
};
/// Classes that overlap; only every third column says anything; columns of different units.
examples overlapping(std::size_t rows, int classes, row_index columns, std::uint64_t seed) {
    rng random(seed);
    matrix<double> centres = matrix<double>::Zero(classes, columns);
    for (row_index k = 0; k < classes; ++k)
        for (row_index j = 0; j < columns; j += 3) centres(k, j) = random.normal();
    examples out{matrix<double>(static_cast<row_index>(rows), columns), std::vector<int>(rows)};
    for (std::size_t i = 0; i < rows; ++i) {
        out.y[i] = static_cast<int>(i) % classes;
        for (row_index j = 0; j < columns; ++j)
            out.x(static_cast<row_index>(i), j) = (centres(out.y[i], j) + 1.5 * random.normal()) * (j % 4 == 0 ? 0.5 : 2) + static_cast<double>(j % 5);
    }
    return out;
}

/// The slopes of the loss alone in long double, (outputs, columns + 1), the intercept's last, and the loss itself.
struct smooth_part {
    std::vector<std::vector<long double>> slopes;
    long double loss = 0;
};
smooth_part smooth_at(const std::vector<std::vector<long double>>& at, const examples& set, const std::vector<double>& weights) {
    const std::size_t outputs = at.size(), width = at[0].size();
    smooth_part out{std::vector<std::vector<long double>>(outputs, std::vector<long double>(width)), 0};
    for (std::size_t i = 0; i < set.y.size(); ++i) {
        const auto feature = [&](std::size_t j) {
            return j + 1 == width ? 1.0L : static_cast<long double>(set.x(static_cast<row_index>(i), static_cast<row_index>(j)));
        };
        std::vector<long double> p(outputs == 1 ? 2 : outputs);
        for (std::size_t k = 0; k < outputs; ++k)
            for (std::size_t j = 0; j < width; ++j) p[outputs == 1 ? 1 : k] += at[k][j] * feature(j);
        const long double top = *std::max_element(p.begin(), p.end());
        long double sum = 0;
        for (auto& v : p) sum += v = std::exp(v - top);
        for (auto& v : p) v /= sum;
        const long double weight = weights.empty() ? 1.0L : static_cast<long double>(weights[i]);
        out.loss -= weight * std::log(p[static_cast<std::size_t>(set.y[i])]);
        for (std::size_t k = 0; k < outputs; ++k) {
            const std::size_t own = outputs == 1 ? 1 : k;
            const long double off = weight * (p[own] - (static_cast<std::size_t>(set.y[i]) == own ? 1 : 0));
            for (std::size_t j = 0; j < width; ++j) out.slopes[k][j] += off * feature(j);
        }
    }
    return out;
}
template <class T>
std::vector<std::vector<long double>> parameters_of(const logistic_model<T>& model) {
    std::vector<std::vector<long double>> out(static_cast<std::size_t>(model.coefficients().rows()));
    for (std::size_t k = 0; k < out.size(); ++k) {
        for (row_index j = 0; j < model.coefficients().cols(); ++j)
            out[k].push_back(static_cast<long double>(model.coefficients()(static_cast<row_index>(k), j)));
        out[k].push_back(static_cast<long double>(model.intercepts()(static_cast<row_index>(k))));
    }
    return out;
}
/// Zero at the minimum and nowhere else: how far each slope is from what the penalty allows.
template <class T>
double unrest(const logistic_model<T>& model, const examples& set, const logistic<T>& recipe, const std::vector<double>& weights = {}) {
    const auto at = parameters_of(model);
    const auto here = smooth_at(at, set, weights);
    long double worst = 0;
    for (std::size_t k = 0; k < at.size(); ++k)
        for (std::size_t j = 0; j < at[k].size(); ++j) {
            const bool intercept = j + 1 == at[k].size();
            const long double slope = here.slopes[k][j] + (intercept ? 0 : static_cast<long double>(recipe.regularization) * at[k][j]);
            const long double corner = intercept ? 0 : static_cast<long double>(recipe.l1);
            worst = std::max(worst, at[k][j] != 0 ? std::abs(slope + (at[k][j] > 0 ? corner : -corner)) : std::max(0.0L, std::abs(slope) - corner));
        }
    return static_cast<double>(worst);
}
/// Another way to the same minimum: accelerated proximal gradients (Beck & Teboulle 2009) that start over where they would
/// overshoot, in long double.
std::vector<std::vector<long double>> slow_twin(const examples& set, std::size_t outputs, double l1, double l2, int steps) {
    const auto width = static_cast<std::size_t>(set.x.cols()) + 1;
    std::vector<std::vector<long double>> at(outputs, std::vector<long double>(width)), ahead = at;
    const auto bound = static_cast<long double>(0.5 * (set.x.squaredNorm() + static_cast<double>(set.x.rows())) + l2);
    long double rate = 16 / bound, momentum = 1;
    for (int step = 0; step < steps; ++step) {
        const auto here = smooth_at(ahead, set, {});
        auto next = ahead;
        for (bool small_enough = false; !small_enough; rate = small_enough ? rate : rate / 2) {
            long double linear = 0, square = 0, l2_before = 0, l2_after = 0;
            for (std::size_t k = 0; k < outputs; ++k)
                for (std::size_t j = 0; j < width; ++j) {
                    const bool intercept = j + 1 == width;
                    const long double slope = here.slopes[k][j] + (intercept ? 0 : static_cast<long double>(l2) * ahead[k][j]);
                    const long double v = ahead[k][j] - rate * slope, cut = intercept ? 0 : rate * static_cast<long double>(l1);
                    next[k][j] = v > cut ? v - cut : v < -cut ? v + cut : 0;
                    const long double d = next[k][j] - ahead[k][j];
                    linear += slope * d;
                    square += d * d;
                    if (!intercept) {
                        l2_before += static_cast<long double>(l2) / 2 * ahead[k][j] * ahead[k][j];
                        l2_after += static_cast<long double>(l2) / 2 * next[k][j] * next[k][j];
                    }
                }
            small_enough = smooth_at(next, set, {}).loss + l2_after <= here.loss + l2_before + linear + square / (2 * rate) + 1e-17L * here.loss;
        }
        long double uphill = 0;
        for (std::size_t k = 0; k < outputs; ++k)
            for (std::size_t j = 0; j < width; ++j) uphill += (ahead[k][j] - next[k][j]) * (next[k][j] - at[k][j]);
        const long double before = uphill > 0 ? 1 : momentum;
        momentum = (1 + std::sqrt(1 + 4 * before * before)) / 2;
        for (std::size_t k = 0; k < outputs; ++k)
            for (std::size_t j = 0; j < width; ++j) ahead[k][j] = next[k][j] + (before - 1) / momentum * (next[k][j] - at[k][j]);
        at = next;
    }
    return at;
}
row_index zeros_of(const matrix<double>& m) { return (m.array() == 0).count(); }

}  // namespace

TEST_CASE("logistic l1: two rows, worked by hand", "[logistic][l1]") {
    // Rows -1 of class 0 and 1 of class 1: the best w satisfies l1 + l2 w = 2 / (1 + exp(w)), or is 0 where l1 is 1 or more.
    matrix<double> x(2, 1);
    x << -1, 1;
    for (const double l1 : {0.1, 0.7, 0.99}) {
        const auto lasso = fit(logistic<double>{.regularization = 0, .l1 = l1}, x, std::vector<int>{0, 1});
        CHECK(lasso.coefficients()(0, 0) == Approx(std::log(2 / l1 - 1)).epsilon(1e-9));
        CHECK(std::abs(lasso.intercepts()(0)) < 1e-9);
    }
    for (const double l1 : {1.0, 1.5}) CHECK(fit(logistic<double>{.l1 = l1}, x, std::vector<int>{0, 1}).coefficients()(0, 0) == 0);
}

TEST_CASE("logistic l1: the slopes are what the penalty allows, by the long way round", "[logistic][l1]") {
    for (const int classes : {2, 3, 6})
        for (const auto& [l1, l2] : {std::pair{0.5, 0.0}, {6.0, 0.0}, {2.0, 1.0}, {25.0, 0.1}}) {
            const auto set = overlapping(300, classes, 14, 7);
            rng random(5);
            std::vector<double> weights;
            for (int i = 0; i < 300; ++i) weights.push_back(i % 10 == 0 ? 0 : 2 * random.uniform());
            const logistic<double> recipe{.regularization = l2, .l1 = l1};
            INFO(classes << " classes, l1 " << l1 << ", l2 " << l2);
            const auto model = fit(recipe, set.x, set.y);
            CHECK(unrest(model, set, recipe) < 1e-8);
            CHECK(unrest(fit(recipe, set.x, set.y, {.weights = weights}), set, recipe, weights) < 1e-8);
            if (l1 >= 6) CHECK(zeros_of(model.coefficients()) > 4);
            const logistic<float> single{.regularization = l2, .l1 = l1};
            const auto rounded = fit(single, matrix<float>(set.x.cast<float>()), set.y);
            CHECK((rounded.coefficients().cast<double>() - model.coefficients()).cwiseAbs().maxCoeff() < 1e-3);
        }
}

TEST_CASE("logistic l1: the minimum that accelerated proximal gradients find", "[logistic][l1]") {
    for (const int classes : {2, 3}) {
        auto set = overlapping(60, classes, 5, 3);
        set.x.rowwise() -= set.x.colwise().mean().eval();
        for (const auto& [l1, l2] : {std::pair{1.5, 0.5}, {4.0, 0.2}}) {
            const auto twin = slow_twin(set, classes == 2 ? 1U : static_cast<std::size_t>(classes), l1, l2, 1200);
            const auto mine = parameters_of(fit(logistic<double>{.regularization = l2, .l1 = l1}, set.x, set.y));
            for (std::size_t k = 0; k < twin.size(); ++k)
                for (std::size_t j = 0; j + 1 < twin[k].size(); ++j) {
                    INFO(classes << " classes, l1 " << l1 << ": " << k << ' ' << j);
                    CHECK(static_cast<double>(std::abs(mine[k][j] - twin[k][j])) < 1e-7);
                    CHECK((mine[k][j] == 0) == (twin[k][j] == 0));
                }
        }
    }
}

TEST_CASE("logistic l1: columns that repeat each other, columns of any unit, more columns than rows", "[logistic][l1][edge]") {
    const auto set = overlapping(200, 2, 3, 9);
    matrix<double> x(200, 12);
    x << set.x, set.x, set.x * 1.0000001, set.x.col(0) + set.x.col(1), matrix<double>::Constant(200, 1, 7e5), matrix<double>::Zero(200, 1);
    const examples copies{x, set.y};
    for (const double l2 : {0.0, 1e-6, 1.0}) {
        const logistic<double> recipe{.regularization = l2, .l1 = 0.3};
        const auto model = fit(recipe, copies.x, copies.y);
        INFO("l2 " << l2);
        CHECK(model.coefficients().rightCols(2).isZero(0));
        CHECK(unrest(model, copies, recipe) < 1e-6);
    }
    // An l1 of an unit: a column in thousandths of it needs a thousand times the coefficient, at a thousand times the price.
    matrix<double> scaled = set.x;
    scaled.col(0) *= 1e-5;
    scaled.col(1) *= 1e6;
    const logistic<double> recipe{.regularization = 0, .l1 = 1e-4};
    CHECK(unrest(fit(recipe, scaled, set.y), {scaled, set.y}, recipe) < 1e-3);  // slopes of 1e8
    for (const double unit : {1e-200, 1e-60, 1e30, 1e200}) CHECK(fit(logistic<double>{.l1 = 1}, matrix<double>(set.x * unit), set.y)(set.x).allFinite());
    const auto wide = overlapping(50, 3, 700, 4);
    for (const double l1 : {0.5, 3.0}) {
        const logistic<double> lasso{.regularization = 0, .l1 = l1};
        const auto model = fit(lasso, wide.x, wide.y);
        CHECK(unrest(model, wide, lasso) < 1e-7);
        CHECK(zeros_of(model.coefficients()) > 3 * 700 - 3 * 60);
    }
    // Rows that can be told apart perfectly are no trouble: each unit of a coefficient has its price.
    matrix<double> apart(6, 1);
    apart << -3, -2, -1, 1, 2, 3;
    const auto sure = fit(logistic<double>{.regularization = 0, .l1 = 1e-6}, apart, std::vector<int>{0, 0, 0, 1, 1, 1});
    CHECK(sure.coefficients()(0, 0) > 8);
    CHECK(std::isfinite(sure.coefficients()(0, 0)));
}

TEST_CASE("logistic l1: no bit by threads, progress, and what is refused", "[logistic][l1]") {
    const auto set = overlapping(900, 3, 9, 6);
    const logistic<double> recipe{.l1 = 3};
    std::vector<double> seen;
    const auto one = fit(recipe, set.x, set.y, {.on_progress = [&](const progress& p) {
                             seen.push_back(p.loss);
                             return verdict::go_on;
                         }});
    CHECK(seen.size() >= 3);
    CHECK(seen.size() < 15);
    for (const std::size_t threads : {std::size_t{2}, std::size_t{3}})
        CHECK(fit(recipe, set.x, set.y, {.threads = threads}).coefficients() == one.coefficients());
    const auto stopped = fit(recipe, set.x, set.y, {.on_progress = [](const progress&) { return verdict::stop; }});
    CHECK(stopped.coefficients() != one.coefficients());
    for (const double bad : {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        const error e = error_of([&] { (void)fit(logistic<double>{.l1 = bad}, set.x, set.y); });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()).find("l1") != std::string::npos);
    }
    const error short_of = error_of([&] { (void)fit(logistic<double>{.max_iterations = 1, .l1 = 3}, set.x, set.y); });
    CHECK(short_of.code() == errc::diverged);
    CHECK(std::string(short_of.what()).find("raise max_iterations") != std::string::npos);
}

}  // namespace logistic_l1_test
