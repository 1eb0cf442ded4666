// What must not change a linear model, or must change it in one way only: the order of rows, columns and classes, a row given
// twice or with weight 2, columns of another unit or of zeros, targets in another unit. On random data of many small sizes.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/linear/linear_svm.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/linear/ridge.hpp>
#include <caramel/linear/sparse_logistic.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace linear_metamorphic {

namespace {

struct problem {
    matrix<double> x;
    std::vector<int> labels;
    std::vector<double> weights;
    int classes;
};
problem random_problem(rng& random, int classes) {
    const auto n = static_cast<row_index>(static_cast<std::size_t>(classes) + 4 + random.below(20)), columns = static_cast<row_index>(1 + random.below(5));
    problem p{matrix<double>(n, columns), {}, {}, classes};
    for (row_index i = 0; i < p.x.size(); ++i) p.x.data()[i] = random.normal();
    for (row_index i = 0; i < n; ++i) {
        p.labels.push_back(i < classes ? static_cast<int>(i) : static_cast<int>(random.below(static_cast<std::uint64_t>(classes))));
        p.weights.push_back(static_cast<double>(1 + random.below(3)));
    }
    return p;
}
problem rows_of(const problem& p, const std::vector<std::size_t>& rows) {
    problem out{matrix<double>(static_cast<row_index>(rows.size()), p.x.cols()), {}, {}, p.classes};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        out.x.row(static_cast<row_index>(i)) = p.x.row(static_cast<row_index>(rows[i]));
        out.labels.push_back(p.labels[rows[i]]);
        out.weights.push_back(p.weights[rows[i]]);
    }
    return out;
}
std::vector<std::size_t> as_often_as_they_weigh(const problem& p) {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < p.weights.size(); ++i) rows.insert(rows.end(), static_cast<std::size_t>(p.weights[i]), i);
    return rows;
}
double apart(const matrix<double>& a, const matrix<double>& b) {
    REQUIRE(a.rows() == b.rows());
    REQUIRE(a.cols() == b.cols());
    return (a - b).cwiseAbs().maxCoeff();
}

/// `answers(problem, where)` learns and answers, a column a class (or for two classes maybe one, of class 1).
template <class Answers>
void check_classifier(const Answers& answers, double tolerance, std::uint64_t seed) {
    rng random(seed);
    for (int round = 0; round < 12; ++round) {
        const problem p = random_problem(random, round % 3 + 2);
        const auto n = static_cast<std::size_t>(p.x.rows());
        matrix<double> where(7, p.x.cols());
        for (row_index i = 0; i < where.size(); ++i) where.data()[i] = random.normal();
        const matrix<double> found = answers(p, where);

        CHECK(apart(answers(rows_of(p, random.permutation(n)), where), found) < tolerance);
        problem twice = rows_of(p, as_often_as_they_weigh(p));
        twice.weights.assign(twice.weights.size(), 1.0);
        CHECK(apart(answers(twice, where), found) < tolerance);

        // The columns in another order, and one of zeros among them.
        const auto order = random.permutation(static_cast<std::size_t>(p.x.cols()));
        problem wider = p;
        wider.x = matrix<double>::Zero(p.x.rows(), p.x.cols() + 1);
        matrix<double> there = matrix<double>::Zero(7, p.x.cols() + 1);
        for (std::size_t j = 0; j < order.size(); ++j) {
            wider.x.col(static_cast<row_index>(j) + 1) = p.x.col(static_cast<row_index>(order[j]));
            there.col(static_cast<row_index>(j) + 1) = where.col(static_cast<row_index>(order[j]));
        }
        CHECK(apart(answers(wider, there), found) < tolerance);

        // A column with the other sign is the same column.
        problem turned = p;
        turned.x.col(0) *= -1;
        matrix<double> there_turned = where;
        there_turned.col(0) *= -1;
        CHECK(apart(answers(turned, there_turned), found) < tolerance);

        // Numbers of classes are but names.
        problem renamed = p;
        for (int& label : renamed.labels) label = p.classes - 1 - label;
        const matrix<double> other = answers(renamed, where);
        if (found.cols() > 1) CHECK(apart(matrix<double>(other.rowwise().reverse()), found) < tolerance);
        else CHECK(apart(-other, found) < tolerance);
    }
}

}  // namespace

TEST_CASE("linear classifiers: the order of rows, columns and classes, weights, signs", "[logistic][dual][metamorphic]") {
    check_classifier([](const problem& p, const matrix<double>& at) { return logistic<double>{.regularization = .7}.fit(p.x, p.labels, {.weights = p.weights})(at); },
                     1e-7, 1);
    check_classifier(
        [](const problem& p, const matrix<double>& at) { return logistic<double>{.regularization = .2, .l1 = .4}.fit(p.x, p.labels, {.weights = p.weights})(at); }, 1e-5, 2);
    check_classifier(
        [](const problem& p, const matrix<double>& at) { return sparse_logistic<double>{.tolerance = 1e-12}.fit(p.x, p.labels, {.weights = p.weights})(at); }, 1e-5, 3);
    check_classifier(
        [](const problem& p, const matrix<double>& at) { return linear_svm<double>{.tolerance = 1e-12}.fit(p.x, p.labels, {.weights = p.weights})(at); }, 1e-4, 4);
}

TEST_CASE("linear classifiers: weights and regularization in another unit; the penalty grows with the unit of a column", "[logistic][dual][metamorphic]") {
    rng random(5);
    for (int round = 0; round < 6; ++round) {
        const problem p = random_problem(random, 2 + round % 2);
        problem heavier = p;
        for (double& w : heavier.weights) w *= 8;
        const auto found = logistic<double>{.regularization = .5}.fit(p.x, p.labels, {.weights = p.weights});
        CHECK(apart(logistic<double>{.regularization = 4}.fit(p.x, p.labels, {.weights = heavier.weights}).coefficients(), found.coefficients()) < 1e-7);
        CHECK(apart(logistic<double>{.regularization = .125}.fit(matrix<double>(p.x / 2), p.labels, {.weights = p.weights}).coefficients() / 2, found.coefficients()) < 1e-7);
        const auto sparse = sparse_logistic<double>{.regularization = .5, .tolerance = 1e-12}.fit(p.x, p.labels, {.weights = p.weights});
        CHECK(apart(sparse_logistic<double>{.regularization = 4, .tolerance = 1e-12}.fit(p.x, p.labels, {.weights = heavier.weights})(p.x), sparse(p.x)) < 1e-5);
    }
}

TEST_CASE("ridge: the order of rows and columns, weights, units of columns and of targets, by either way", "[ridge][metamorphic]") {
    rng random(6);
    for (int round = 0; round < 40; ++round) {
        const auto n = static_cast<row_index>(1 + random.below(14)), columns = static_cast<row_index>(1 + random.below(14));
        matrix<double> x(n, columns), y(n, 2);
        for (row_index i = 0; i < x.size(); ++i) x.data()[i] = random.normal();
        for (row_index i = 0; i < y.size(); ++i) y.data()[i] = random.normal();
        std::vector<double> weights;
        for (row_index i = 0; i < n; ++i) weights.push_back(static_cast<double>(1 + random.below(3)));
        const ridge<double> recipe{.regularization = .3};
        const matrix<double> found = recipe.fit(x, y, {.weights = weights})(x);

        std::vector<std::size_t> often;
        for (std::size_t i = 0; i < weights.size(); ++i) often.insert(often.end(), static_cast<std::size_t>(weights[i]), i);
        random.shuffle(std::span(often));
        matrix<double> repeated(static_cast<row_index>(often.size()), columns), targets(static_cast<row_index>(often.size()), 2);
        for (std::size_t i = 0; i < often.size(); ++i) {
            repeated.row(static_cast<row_index>(i)) = x.row(static_cast<row_index>(often[i]));
            targets.row(static_cast<row_index>(i)) = y.row(static_cast<row_index>(often[i]));
        }
        CHECK(apart(recipe.fit(repeated, targets, {})(x), found) < 1e-9);
        const matrix<double> reversed = x.rowwise().reverse(), moved = x.array() + 5, larger = x * 4, unit = y.array() * 100 - 7;
        CHECK(apart(recipe.fit(reversed, y, {.weights = weights})(reversed), found) < 1e-9);
        CHECK(apart(recipe.fit(moved, y, {.weights = weights})(moved), found) < 1e-9);
        CHECK(apart(ridge<double>{.regularization = .3 * 16}.fit(larger, y, {.weights = weights})(larger), found) < 1e-9);
        CHECK(apart(matrix<double>((recipe.fit(x, unit, {.weights = weights})(x).array() + 7) / 100), found) < 1e-9);
        CHECK(apart(matrix<double>(recipe.fit(x, matrix<double>(y.col(1)), {.weights = weights})(x)), matrix<double>(found.col(1))) < 1e-9);
    }
}

}  // namespace linear_metamorphic
