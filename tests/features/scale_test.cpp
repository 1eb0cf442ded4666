#include <limits>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/features/scale.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace scale_test {

namespace {
template <class T>
matrix<T> column(const std::vector<T>& values) {
    return Eigen::Map<const matrix<T>>(values.data(), static_cast<row_index>(values.size()), 1);
}
}  // namespace

TEMPLATE_TEST_CASE("robust_scale: median and quartiles, worked by hand, whatever the extremes are", "[scale]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto x = column<T>({8, 1, 2, 3, 4, 5, 6, 1000000});  // 1 2 | 3 4 | 5 6 | 8 1e6
    const auto model = fit(robust_scale<T>{}, x);
    CHECK(model.median()(0) == T(4.5));
    CHECK(model.spread()(0) == T(7 - 2.5));
    CHECK(model(x)(0, 0) == Approx(3.5 / 4.5));
    CHECK(fit(robust_scale<T>{.lower = 0, .upper = 1}, x).spread()(0) == T(999999));
    CHECK(fit(robust_scale<T>{}, column<T>({3, 3, 3, 3, 9}))(column<T>({4}))(0, 0) == T(1));  // no spread: left unscaled
}
TEST_CASE("sorted_column: quantiles by definition 2 of Hyndman and Fan, brute force", "[scale]") {
    rng random(2);
    for (std::size_t n = 1; n < 30; ++n) {
        std::vector<double> values(n), weights(n), repeated;
        for (std::size_t i = 0; i < n; ++i) {
            values[i] = static_cast<double>(random.below(12));
            weights[i] = static_cast<double>(random.below(4));
        }
        weights[0] = 1;
        for (std::size_t i = 0; i < n; ++i) repeated.insert(repeated.end(), static_cast<std::size_t>(weights[i]), values[i]);
        std::sort(repeated.begin(), repeated.end());
        const detail::sorted_column sorted(matrix_in<double>(column<double>(values)), 0, row_weights(weights, n, "test"));
        for (int k = 0; k <= 20; ++k) {
            const auto m = repeated.size();
            const std::size_t up = static_cast<std::size_t>(k) * m;  // share times m, times 20
            const double expected = up == 0            ? repeated.front()
                                    : up == 20 * m     ? repeated.back()
                                    : up % 20 == 0     ? (repeated[up / 20 - 1] + repeated[up / 20]) / 2
                                                       : repeated[up / 20];
            CHECK(sorted.quantile(k / 20.0) == expected);
        }
    }
}
TEST_CASE("robust_scale: the unit of weights does not matter; a weight of two is a row twice", "[scale]") {
    const auto x = column<double>({1, 5, 9, 14, 30}), twice = column<double>({1, 5, 5, 9, 14, 14, 14});
    const std::vector<double> weights{1, 2, 1, 3, 0}, small{.001, .002, .001, .003, 0};
    CHECK(fit(robust_scale<double>{}, x, {.weights = weights}).fields() == fit(robust_scale<double>{}, twice).fields());
    CHECK(fit(robust_scale<double>{}, x, {.weights = small}).fields() == fit(robust_scale<double>{}, twice).fields());
}
TEST_CASE("min_max_scale: to the range, clipped or not", "[scale]") {
    matrix<double> x(3, 2);
    x << 1, 7, 3, 7, 5, 7;
    matrix<double> today(1, 2);
    today << 7, 9;
    const auto model = fit(min_max_scale<double>{.low = -1, .high = 1}, x);
    CHECK(model(x)(0, 0) == -1);
    CHECK(model(x)(1, 0) == 0);
    CHECK(model(x)(2, 0) == 1);
    CHECK(model(today)(0, 0) == 2);
    CHECK(model(today)(0, 1) == -1);  // constant in training
    const auto clipped = fit(min_max_scale<double>{.clip = true}, x);
    CHECK(clipped(today)(0, 0) == 1);
    CHECK(clipped(-today)(0, 0) == 0);
    const std::vector<double> weights{1, 1, 0};
    CHECK(fit(min_max_scale<double>{}, x, {.weights = weights}).max()(0) == 3);
    CHECK(model.output_names({"a", "b"}) == std::vector<std::string>{"a", "b"});
}
TEST_CASE("scale: a batch and its rows have the same bits; what leaves the numbers is refused with its place", "[scale][error]") {
    const auto x = column<float>({1, 2, 4, 8});
    const auto model = fit(robust_scale<float>{}, x);
    workspace scratch;
    for (row_index i = 0; i < 4; ++i) CHECK(model(row_of(x, i), scratch)[0] == model(x)(i, 0));
    CHECK(model(std::vector<float>{4}).size() == 1);
    const error wide = error_of([&] { (void)model(matrix<float>::Zero(1, 2)); });
    CHECK(wide.code() == errc::shape_mismatch);
    CHECK(std::string(wide.what()) == "robust_scale: got 2 columns, learnt 1");
    const error nan = error_of([&] { (void)model(column<float>({0, std::numeric_limits<float>::infinity()})); });
    CHECK(nan.code() == errc::nan_or_inf);
    CHECK(nan.where() == place{.row = 2, .column = 1});
    const auto narrow = fit(min_max_scale<float>{}, column<float>({0, 1e-30F}));
    CHECK(error_of([&] { (void)narrow(column<float>({1e30F})); }).code() == errc::number_out_of_range);
    CHECK(error_of([&] { (void)fit(min_max_scale<float>{}, column<float>({-3e38F, 3e38F})); }).code() == errc::number_out_of_range);
    CHECK(error_of([&] { (void)fit(min_max_scale<float>{.low = 1, .high = 1}, x); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(robust_scale<float>{.lower = .8, .upper = .2}, x); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { robust_scale_model<float>(vec<float>::Zero(1), vec<float>::Zero(1)); }).code() == errc::bad_data);
    CHECK(error_of([&] { min_max_scale_model<float>(vec<float>::Ones(1), vec<float>::Zero(1), 0, 1, false); }).code() == errc::bad_data);
}

}  // namespace scale_test
