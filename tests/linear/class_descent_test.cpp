#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/linear/class_descent.hpp>
#include <caramel/linear/linear_svm.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

// Rows of length about 1, a third of the values not zero, and labels that they tell of.
template <class T>
std::pair<sparse_matrix<T>, std::vector<int>> problem(std::size_t rows, int classes) {
    rng random(4);
    matrix<T> x = matrix<T>::Zero(static_cast<row_index>(rows), 40);
    std::vector<int> y;
    for (row_index i = 0; i < x.rows(); ++i) {
        y.push_back(static_cast<int>(i) % classes);
        for (row_index j = 0; j < x.cols(); ++j)
            if (random.below(3) == 0) x(i, j) = static_cast<T>(0.3 * random.uniform() + (j % classes == y.back() ? 0.1 : 0));
    }
    return {sparse_matrix<T>(x), y};
}

}  // namespace

TEMPLATE_TEST_CASE("class_descent: finds what linear_svm finds", "[class_descent]", float, double) {
    for (const int classes : {2, 3, 20, 50}) {
        const auto [x, y] = problem<TestType>(300, classes);
        const std::vector<std::size_t> starts(x.starts().begin(), x.starts().end());
        std::vector<std::uint32_t> rows(300);
        std::iota(rows.begin(), rows.end(), 0U);
        std::vector<double> costs(300, 2.0), weights(300, 1.0);
        costs[7] = 0;
        weights[7] = 0;
        costs[9] = 5;
        weights[9] = 2.5;
        detail::descent_of_classes<TestType> ours({starts, x.column_numbers(), x.values(), 40}, rows, y, static_cast<std::size_t>(classes), rng(1));
        ours.run(100, costs, run_options{.threads = 2});
        matrix<TestType> coefficients;
        vec<TestType> intercepts;
        ours.collect(coefficients, intercepts);
        const auto twin = fit(linear_svm<TestType>{.regularization = 0.5, .loss = svm_loss::squared_hinge, .intercept_scale = 0.1, .tolerance = 1e-10}, x, y,
                              {.weights = weights});
        REQUIRE(twin.kept().size() == 40);
        const double eps = std::is_same_v<TestType, float> ? 2e-4 : 1e-4;
        CHECK((coefficients - twin.coefficients()).cwiseAbs().maxCoeff() < eps);
        CHECK((intercepts - twin.intercepts()).cwiseAbs().maxCoeff() < eps);
        std::vector<TestType> scores(ours.outputs());
        ours.score(3, scores.data());
        CHECK(static_cast<double>(scores[0]) == Approx(static_cast<double>(intercepts(0)) + (x.dense().row(3) * coefficients).eval()(0)).margin(1e-5));
    }
}
TEST_CASE("class_descent: the same bits for any number of threads", "[class_descent]") {
    const auto [x, y] = problem<float>(200, 50);
    const std::vector<std::size_t> starts(x.starts().begin(), x.starts().end());
    std::vector<std::uint32_t> rows(200);
    std::iota(rows.begin(), rows.end(), 0U);
    const std::vector<double> costs(200, 1.0);
    matrix<float> first, other;
    vec<float> intercepts;
    for (const std::size_t threads : {1U, 3U}) {
        detail::descent_of_classes<float> machine({starts, x.column_numbers(), x.values(), 40}, rows, y, 50, rng(1));
        machine.run(2, costs, {.threads = threads});
        machine.run(2, costs, {.threads = threads});
        machine.collect(threads == 1 ? first : other, intercepts);
    }
    CHECK(first == other);
}
