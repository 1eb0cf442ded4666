#include <cmath>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/features/polynomial.hpp>
#include <caramel/features/standardize.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace polynomial_test {

TEMPLATE_TEST_CASE("polynomial: worked by hand, with names", "[polynomial]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    matrix<T> x(1, 3);
    x << 2, 3, 5;
    const std::vector<std::string> names{"a", "b", "c"};
    const auto two = fit(polynomial<T>{}, x);
    CHECK(two.output_names(names) == std::vector<std::string>{"a", "b", "c", "a^2", "a*b", "a*c", "b^2", "b*c", "c^2"});
    matrix<T> expected(1, 9);
    expected << 2, 3, 5, 4, 6, 10, 9, 15, 25;
    CHECK(two(x) == expected);
    const auto only = fit(polynomial<T>{.degree = 3, .interactions_only = true}, x);
    CHECK(only.output_names(names) == std::vector<std::string>{"a", "b", "c", "a*b", "a*c", "b*c", "a*b*c"});
    CHECK(only(x)(0, 6) == 30);
    CHECK(fit(polynomial<T>{.degree = 1}, x)(x) == x);
}
TEST_CASE("polynomial: each product is that of its name", "[polynomial]") {
    rng random(1);
    matrix<double> x(5, 4);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = random.normal();
    const auto model = fit(polynomial<double>{.degree = 3}, x);
    const auto names = model.output_names({"0", "1", "2", "3"});
    const auto out = model(x);
    REQUIRE(out.cols() == 4 + 10 + 20);
    for (std::size_t j = 0; j < names.size(); ++j) {
        matrix<double> product = matrix<double>::Ones(5, 1);
        row_index last = 0;
        for (std::size_t k = 0; k < names[j].size(); ++k) {
            const char c = names[j][k];
            if (c == '*') continue;
            if (c == '^') {
                for (int power = names[j][++k] - '0'; power > 1; --power) product.array() *= x.col(last).array();
            } else {
                product.array() *= x.col(last = c - '0').array();
            }
        }
        CHECK((product - out.col(static_cast<row_index>(j))).cwiseAbs().maxCoeff() < 1e-14);
    }
}
TEST_CASE("polynomial: rows, and what cannot be", "[polynomial][error]") {
    matrix<float> x(2, 2);
    x << 1, 2, 3, 4;
    const auto model = fit(standardize<float>{} | polynomial<float>{}, x);
    workspace scratch;
    for (row_index i = 0; i < 2; ++i) {
        const auto row = model(row_of(x, i), scratch);
        const auto batch = model(x);
        CHECK(std::equal(row.begin(), row.end(), row_of(batch, i).begin()));
    }
    CHECK(model.output_names({"a", "b"}).back() == "b^2");
    const auto plain = fit(polynomial<float>{}, x);
    const error large = error_of([&] { (void)plain(matrix<float>::Constant(2, 2, 1e30F)); });
    CHECK(large.code() == errc::number_out_of_range);
    CHECK(large.where().row == 1);
    CHECK(error_of([&] { (void)plain(matrix<float>::Zero(2, 3)); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)fit(polynomial<float>{.degree = 4}, x); }).code() == errc::bad_parameter);
    // Of 5 columns without squares and cubes: 5, 10 pairs, 10 triples. A row is at most a million wide.
    const auto crossed = fit(polynomial<float>{.degree = 3, .interactions_only = true}, matrix<float>(matrix<float>::Ones(1, 5)));
    CHECK(crossed(matrix<float>::Ones(1, 5)).cols() == 25);
    CHECK(error_of([] { polynomial_model<float>(182, 3, true); }).code() == errc::limit_exceeded);
    CHECK(polynomial_model<float>(181, 3, true).output_names(std::vector<std::string>(181, "c")).size() == 181 + 181 * 180 / 2 + 181 * 180 * 179 / 6);
    CHECK(error_of([&] { (void)fit(polynomial<float>{.degree = 3}, matrix<float>(matrix<float>::Zero(1, 400))); }).code() == errc::limit_exceeded);
    CHECK(error_of([] { polynomial_model<float>(2, 0, false); }).code() == errc::bad_data);
    CHECK(polynomial_model<float>(0, 3, true)(matrix<float>(2, 0)).cols() == 0);
}

}  // namespace polynomial_test
