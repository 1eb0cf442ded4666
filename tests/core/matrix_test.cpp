#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/tensor.hpp>

#if __has_include(<xtensor/views/xview.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xview.hpp>
#endif

#include "support/catch.hpp"

using namespace caramel;

namespace {
const float* data_of(const matrix_in<float>& x) { return x.data(); }
float last_of(const matrix_in<float>& x) { return x(x.rows() - 1, x.cols() - 1); }
row_index rows_of(const matrix_in<float>& x) { return x.rows(); }
}  // namespace

TEST_CASE("matrix_in: what is row-major passes without a copy", "[matrix]") {
    matrix<float> x = matrix<float>::Random(4, 3);
    CHECK(data_of(x) == x.data());
    CHECK(data_of(x.middleRows(1, 2)) == x.data() + 3);
    CHECK(data_of(x.rightCols(2)) == x.data() + 1);
    CHECK(last_of(x.rightCols(2)) == x(3, 2));
    std::vector<float> host(12, 1.F);
    CHECK(data_of(Eigen::Map<const matrix<float>>(host.data(), 4, 3)) == host.data());
}

TEST_CASE("matrix_in: xtensor arrays, adaptors of the host's memory and views pass without a copy", "[matrix]") {
    xt::xtensor<float, 2> x({4, 3});
    for (std::size_t i = 0; i < x.size(); ++i) x.storage()[i] = static_cast<float>(i);
    CHECK(data_of(x) == x.data());
    CHECK(last_of(x) == 11);
    std::vector<float> host(12, 2.F);
    const auto adapted = xt::adapt(host.data(), host.size(), xt::no_ownership(), std::vector<std::size_t>{4, 3});
    CHECK(data_of(adapted) == host.data());
    const auto block = xt::view(x, xt::range(1, 3), xt::range(1, 3));
    CHECK(data_of(block) == x.data() + 4);
    CHECK(last_of(block) == 8);
    const xt::xarray<float> dynamic = x;
    CHECK(data_of(dynamic) == dynamic.data());
    const xt::xtensor<float, 2> one_row({1, 3});
    CHECK(rows_of(one_row) == 1);
}

TEST_CASE("matrix_in: an xtensor of another layout or rank is refused, never read wrongly", "[matrix][error]") {
    xt::xtensor<float, 2, xt::layout_type::column_major> columns({4, 3});
    CHECK(error_of([&] { (void)data_of(columns); }).code() == errc::bad_data);
    xt::xtensor<float, 2> x({4, 3});
    CHECK(error_of([&] { (void)data_of(xt::view(x, xt::all(), xt::range(0, 3, 2))); }).code() == errc::bad_data);
    const xt::xarray<float> cube = xt::xarray<float>::from_shape({2, 2, 2});
    CHECK(error_of([&] { (void)data_of(cube); }).code() == errc::shape_mismatch);
}

TEST_CASE("matrix_in: column-major matrices and expressions are read rightly, through a copy", "[matrix]") {
    const Eigen::MatrixXf columns = Eigen::MatrixXf::Random(4, 3);
    CHECK(last_of(columns) == columns(3, 2));
    const matrix<float> x = columns;
    CHECK(last_of(x * 2.F) == 2 * x(3, 2));
    STATIC_REQUIRE_FALSE(std::is_convertible_v<matrix<double>, matrix_in<float>>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<xt::xtensor<double, 2>, matrix_in<float>>);
}

TEST_CASE("require_finite: names the first place, counted from 1", "[matrix][error]") {
    matrix<double> x = matrix<double>::Zero(5, 4);
    CHECK_NOTHROW(require_finite(x, "f"));
    x(4, 0) = std::numeric_limits<double>::infinity();
    x(2, 3) = std::numeric_limits<double>::quiet_NaN();
    const error e = error_of([&] { require_finite(x, "f"); });
    CHECK(e.code() == errc::nan_or_inf);
    CHECK(e.where() == place{.row = 3, .column = 4});
    CHECK(std::string(e.what()) == "f: the value in row 3, column 4 is not finite");
}

TEMPLATE_TEST_CASE("all_finite: one bad value at any place is found", "[matrix]", CARAMEL_TEST_SCALARS) {
    using L = std::numeric_limits<TestType>;
    for (std::size_t n = 0; n <= 40; ++n) {
        for (const TestType filler : {TestType(0), TestType(-1.5), L::max(), L::lowest(), L::denorm_min()}) {
            std::vector<TestType> x(n, filler);
            CHECK(detail::all_finite(std::span<const TestType>(x)));
            for (std::size_t at = 0; at < n; ++at)
                for (const TestType bad : {L::quiet_NaN(), -L::quiet_NaN(), L::infinity(), -L::infinity()}) {
                    x[at] = bad;
                    const bool finite = detail::all_finite(std::span<const TestType>(x));
                    x[at] = filler;
                    if (finite) FAIL("not found: place " << at << " of " << n);
                }
        }
        // Infinities that would cancel, and a bad value beside every other.
        std::vector<TestType> x(n);
        for (std::size_t i = 0; i < n; ++i) x[i] = i % 2 == 0 ? L::infinity() : -L::infinity();
        CHECK(detail::all_finite(std::span<const TestType>(x)) == (n == 0));
    }
}

TEST_CASE("require_finite: a row's first bad value by its column", "[matrix][error]") {
    std::vector<double> x(20, 1e308);
    CHECK_NOTHROW(require_finite(std::span<const double>(x), "here"));
    x[12] = std::numeric_limits<double>::infinity();
    x[17] = std::numeric_limits<double>::quiet_NaN();
    const error e = error_of([&] { require_finite(std::span<const double>(x), "here"); });
    CHECK(e.code() == errc::nan_or_inf);
    CHECK(e.where() == place{.row = 1, .column = 13});
}
