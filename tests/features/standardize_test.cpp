#include <limits>
#include <span>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/features/standardize.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace standardize_test {

namespace {
template <class T>
matrix<T> numbers(row_index rows, row_index columns) {
    rng random(1);
    matrix<T> x(rows, columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(10 + 4 * random.normal());
    return x;
}
}  // namespace

TEMPLATE_TEST_CASE("standardize: training data come out with mean 0 and deviation 1", "[standardize]", CARAMEL_TEST_SCALARS) {
    const auto x = numbers<TestType>(200, 3);
    const auto z = fit(standardize<TestType>{}, x)(x);
    CHECK(z.colwise().mean().cwiseAbs().maxCoeff() < TestType(1e-5));
    CHECK((z.array().square().colwise().mean() - 1).abs().maxCoeff() < TestType(1e-5));
}
TEST_CASE("standardize: worked by hand", "[standardize]") {
    matrix<double> x(2, 1);
    x << 1, 3;
    const auto m = fit(standardize<double>{}, x);
    CHECK(m.mean()(0) == 2);
    CHECK(m.deviation()(0) == 1);
    CHECK(m(x)(1, 0) == 1);
}
TEST_CASE("standardize: a weight of two is a row twice; a weight of zero is no row", "[standardize]") {
    matrix<double> x(3, 1), twice(4, 1);
    x << 1, 3, 100;
    twice << 1, 3, 3, 3;
    const std::vector<double> weights{1, 3, 0};
    const auto a = fit(standardize<double>{}, x, {.weights = weights}), b = fit(standardize<double>{}, twice);
    CHECK(a.mean()(0) == Approx(b.mean()(0)).epsilon(1e-15));
    CHECK(a.deviation()(0) == Approx(b.deviation()(0)).epsilon(1e-15));
}
TEST_CASE("standardize: far from zero, float keeps the spread", "[standardize]") {
    matrix<float> x(4, 1);
    x << 16000001.F, 16000002.F, 16000003.F, 16000004.F;
    CHECK(fit(standardize<float>{}, x).deviation()(0) == Approx(std::sqrt(1.25)).epsilon(1e-6));
}
TEST_CASE("standardize: a constant column is centred, not divided by its rounding noise", "[standardize][edge]") {
    for (const float value : {7.F, 0.1F, 1e-30F, 1e30F}) {
        const matrix<float> x = matrix<float>::Constant(7, 2, value);
        const auto model = fit(standardize<float>{}, x);
        CHECK(model.deviation()(1) == 1);
        CHECK(model(x).isZero());
    }
}
TEST_CASE("standardize: a column that is constant but for a row of weight zero is constant", "[standardize][edge]") {
    matrix<double> x(4, 1);
    x << 0.1, 0.1, 0.1, 9;
    const std::vector<double> weights{1, 1, 1, 0};
    CHECK(fit(standardize<double>{}, x, {.weights = weights}).deviation()(0) == 1);
}
TEST_CASE("standardize: the message names both sizes", "[standardize][error]") {
    const auto m = fit(standardize<float>{}, numbers<float>(4, 3));
    const error e = error_of([&] { (void)m(matrix<float>::Zero(1, 2)); });
    CHECK(e.code() == errc::shape_mismatch);
    CHECK(std::string(e.what()) == "standardize: got 2 columns, learnt 3");
}
TEST_CASE("standardize: what cannot be a model is refused", "[standardize][error]") {
    const vec<float> one = vec<float>::Ones(1), two = vec<float>::Ones(2), zero = vec<float>::Zero(1);
    const vec<float> broken = vec<float>::Constant(1, std::numeric_limits<float>::quiet_NaN());
    CHECK(error_of([&] { standardize_model<float>(one, two); }).code() == errc::bad_data);
    CHECK(error_of([&] { standardize_model<float>(one, zero); }).code() == errc::bad_data);
    CHECK(error_of([&] { standardize_model<float>(broken, one); }).code() == errc::bad_data);
}

}  // namespace standardize_test
