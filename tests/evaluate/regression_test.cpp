#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/regression.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace regression_test {

namespace {
const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double infinite = std::numeric_limits<double>::infinity();
using numbers = std::vector<double>;
}  // namespace

TEST_CASE("regression: worked by hand", "[regression]") {
    const numbers predicted{3, -0.5, 2, 7}, wanted{2.5, 0, 2, 8};
    CHECK(rmse(predicted, wanted) == Approx(std::sqrt(.375)).epsilon(1e-15));
    CHECK(mae(predicted, wanted) == .5);
    CHECK(rmse(wanted, wanted) == 0);
    CHECK(mae(wanted, wanted) == 0);
    CHECK(rmse(numbers{-2}, numbers{1}) == 3);
    CHECK(mae(numbers{-2}, numbers{1}) == 3);
}

TEST_CASE("regression: vectors, spans, Eigen columns and whole numbers are the same numbers", "[regression]") {
    const std::vector<double> predicted{1.5, 2.25, -4, 8};
    const std::vector<int> stars{1, 2, 3, 4};
    const double expected = rmse(predicted, std::vector<double>{1, 2, 3, 4});
    CHECK(rmse(predicted, stars) == expected);
    CHECK(rmse(std::span(predicted), std::span<const int>(stars)) == expected);
    CHECK(rmse(std::span<const double, 4>(predicted), stars) == expected);
    matrix<double> two(4, 2);
    vec<float> column(4);
    for (row_index i = 0; i < 4; ++i) {
        two(i, 0) = static_cast<double>(stars[static_cast<std::size_t>(i)]);
        two(i, 1) = predicted[static_cast<std::size_t>(i)];
        column(i) = static_cast<float>(two(i, 1));
    }
    CHECK(rmse(two.col(1), two.col(0)) == expected);
    CHECK(rmse(matrix<double>(two.rightCols(1)), stars) == expected);
    CHECK(rmse(column, stars) == expected);
    CHECK(mae(2 * two.col(1) - two.col(1), stars) == mae(predicted, stars));
}

TEST_CASE("regression: what must hold of any errors", "[regression]") {
    rng random(3);
    for (int round = 0; round < 20; ++round) {
        numbers p(50), y(50), shifted(50), doubled_p, doubled_y;
        for (std::size_t i = 0; i < p.size(); ++i) {
            p[i] = random.normal();
            y[i] = random.normal();
            shifted[i] = y[i] + 2.5;
        }
        CHECK(mae(p, y) <= rmse(p, y));
        CHECK(rmse(p, y) == rmse(y, p));
        CHECK(rmse(shifted, y) == Approx(2.5));
        CHECK(mae(shifted, y) == Approx(2.5));
        for (int copy = 0; copy < 2; ++copy) {
            doubled_p.insert(doubled_p.end(), p.begin(), p.end());
            doubled_y.insert(doubled_y.end(), y.begin(), y.end());
        }
        CHECK(rmse(doubled_p, doubled_y) == Approx(rmse(p, y)));
        CHECK(mae(doubled_p, doubled_y) == Approx(mae(p, y)));
    }
}

TEST_CASE("regression: what is not fit to be judged", "[regression][error]") {
    for (const auto& measure : {+[](const numbers&p, const numbers&y) { return rmse(p, y); }, +[](const numbers&p, const numbers&y) { return mae(p, y); }}) {
        CHECK(error_of([&] { (void)measure({}, {}); }).code() == errc::empty_input);
        CHECK(error_of([&] { (void)measure({}, {1}); }).code() == errc::shape_mismatch);
        CHECK(error_of([&] { (void)measure({1, 2, 3}, {1, 2}); }).code() == errc::shape_mismatch);
        for (const double bad : {not_a_number, infinite, -infinite}) {
            const auto of_prediction = error_of([&] { (void)measure({1, bad, 3}, {1, 2, 3}); });
            CHECK(of_prediction.code() == errc::nan_or_inf);
            CHECK(of_prediction.where() == place{.row = 2});
            const auto of_target = error_of([&] { (void)measure({1, 2, 3}, {1, 2, bad}); });
            CHECK(of_target.code() == errc::nan_or_inf);
            CHECK(of_target.where() == place{.row = 3});
        }
        const auto too_large = error_of([&] { (void)measure({1, 1.7e308}, {1, -1.7e308}); });
        CHECK(too_large.code() == errc::number_out_of_range);
        CHECK(too_large.where().row == 2);
    }
    CHECK(error_of([] { (void)rmse(matrix<double>::Zero(2, 2), numbers{1, 2}); }).code() == errc::shape_mismatch);
    CHECK_THROWS_WITH(mae(numbers{1, 2, 3}, numbers{1, 2}), "mae: 3 predictions but 2 targets");
}

}  // namespace regression_test
