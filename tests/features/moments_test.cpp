#include <limits>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/features/moments.hpp>
#include <caramel/features/standardize.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace moments_test {

namespace {
template <class T>
matrix<T> numbers(row_index rows, double centre, std::uint64_t seed = 1) {
    rng random(seed);
    matrix<T> x(rows, 3);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(centre + random.normal());
    return x;
}
}  // namespace

TEMPLATE_TEST_CASE("standardize_learner: pieces, merged in any grouping, give what all rows at once give", "[moments]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    for (const double centre : {0.0, 1e6}) {
        const auto x = numbers<T>(1000, centre);
        const auto whole = fit(standardize<T>{}, x);
        standardize_learner<T> once(3), a(3), b(3), none(3);
        once.observe(x);
        CHECK(once.snapshot().fields() == whole.fields());  // one piece: the same bits
        a.observe(x.topRows(137));
        a.observe(x.middleRows(137, 1));
        b.observe(x.bottomRows(862));
        b.merge(none);
        a.merge(b);
        CHECK(a.moments().weight() == 1000);
        for (row_index j = 0; j < 3; ++j) {
            CHECK(a.snapshot().mean()(j) == Approx(static_cast<double>(whole.mean()(j))).epsilon(2e-7));
            CHECK(a.snapshot().deviation()(j) == Approx(static_cast<double>(whole.deviation()(j))).epsilon(2e-7));
            CHECK(a.moments().min()(j) == static_cast<double>(x.col(j).minCoeff()));
            CHECK(a.moments().max()(j) == static_cast<double>(x.col(j).maxCoeff()));
        }
    }
}
TEST_CASE("column_moments: one by one, far from zero, against sums in long double", "[moments]") {
    const auto x = numbers<double>(2000, 1e8);
    column_moments all(3);
    for (row_index i = 0; i < x.rows(); ++i) all.observe(matrix<double>(x.row(i)));
    for (row_index j = 0; j < 3; ++j) {
        long double mean = 0, square = 0;
        for (row_index i = 0; i < x.rows(); ++i) mean += static_cast<long double>(x(i, j)) / 2000;
        for (row_index i = 0; i < x.rows(); ++i) square += (x(i, j) - mean) * (x(i, j) - mean) / 2000;
        CHECK(std::abs(all.mean()(j) - static_cast<double>(mean)) < 1e-6);
        CHECK(all.deviation()(j) == Approx(std::sqrt(static_cast<double>(square))).epsilon(1e-8));
    }
}
TEST_CASE("standardize: float columns at 1e6 keep their spread", "[standardize][moments]") {
    const auto x = numbers<float>(4000, 1e6);
    const auto exact = fit(standardize<double>{}, matrix<double>(x.cast<double>()));
    const auto model = fit(standardize<float>{}, x);
    for (row_index j = 0; j < 3; ++j) {
        CHECK(model.deviation()(j) == Approx(exact.deviation()(j)).epsilon(1e-7));
        CHECK(std::abs(static_cast<double>(model.mean()(j)) - exact.mean()(j)) <= 1.0 / 32);  // half a step of float there
    }
}
TEST_CASE("column_moments: weights, constants, what is refused", "[moments][error]") {
    matrix<double> x(3, 3);
    x << 1, 5, 0.1, 3, 5, 0.1, 100, 9, 0.1;
    const std::vector<double> weights{1, 3, 0}, bad{1, -1, 0};
    standardize_learner<double> learner(3);
    CHECK(error_of([&] { (void)learner.snapshot(); }).code() == errc::empty_input);
    CHECK(error_of([&] { learner.observe(x, bad); }).code() == errc::bad_data);
    CHECK(error_of([&] { learner.observe(matrix<double>::Zero(1, 2)); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { learner.observe(matrix<double>::Constant(1, 3, std::numeric_limits<double>::infinity())); }).code() == errc::nan_or_inf);
    CHECK(error_of([&] { learner.merge(standardize_learner<double>(2)); }).code() == errc::shape_mismatch);
    learner.observe(x, weights);
    learner.observe(matrix<double>(0, 3));
    CHECK(learner.moments().weight() == 4);
    CHECK(learner.snapshot().mean()(0) == 2.5);
    CHECK(learner.snapshot().deviation()(0) == Approx(std::sqrt(0.75)));
    CHECK(learner.snapshot().deviation()(1) == 1);  // constant but for a row of weight 0
    CHECK(learner.moments().deviation()(2) == 0);
}

}  // namespace moments_test
