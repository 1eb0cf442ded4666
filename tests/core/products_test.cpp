#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <caramel/core/products.hpp>
#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {
template <class T>
matrix<T> numbers(rng& random, row_index rows, row_index columns) {
    matrix<T> x(rows, columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(random.normal());
    return x;
}
// The definition, summed in the order that the header promises.
template <class T>
matrix<T> by_hand(const matrix<T>& a, const matrix<T>& b) {
    matrix<T> out = matrix<T>::Zero(a.rows(), b.cols());
    for (row_index i = 0; i < a.rows(); ++i)
        for (row_index j = 0; j < b.cols(); ++j)
            for (row_index k = 0; k < a.cols(); ++k) out(i, j) += a(i, k) * b(k, j);
    return out;
}
}  // namespace

TEMPLATE_TEST_CASE("products: equal to the definition, for every shape up to odd sizes", "[products]", CARAMEL_TEST_SCALARS) {
    rng random(1);
    const TestType tolerance = TestType(64) * std::numeric_limits<TestType>::epsilon();
    for (const row_index n : {0, 1, 2, 3, 4, 5, 9, 37})
        for (const row_index k : {0, 1, 7, 64, 65, 130})
            for (const row_index m : {0, 1, 3, 8, 17, 45, 64, 100}) {
                const auto a = numbers<TestType>(random, n, k), b = numbers<TestType>(random, k, m);
                const auto expected = by_hand<TestType>(a, b);
                INFO(n << " x " << k << " x " << m);
                CHECK((multiply<TestType>(a, b) - expected).cwiseAbs().sum() <= tolerance * TestType(n * m * (k + 1)));
                matrix<TestType> sum = matrix<TestType>::Ones(n, m);
                add_transposed_product<TestType>(matrix<TestType>(a.transpose()), b, sum);
                CHECK((sum - expected - matrix<TestType>::Ones(n, m)).cwiseAbs().sum() <= tolerance * TestType(n * m * (k + 1)));
                CHECK(multiply_by_transposed<TestType>(a, matrix<TestType>(b.transpose())) == multiply<TestType>(a, b));
            }
}

TEMPLATE_TEST_CASE("products: a row has the same bits alone and in any batch", "[products]", CARAMEL_TEST_SCALARS) {
    rng random(2);
    const auto a = numbers<TestType>(random, 23, 77), b = numbers<TestType>(random, 77, 75);
    const auto whole = multiply<TestType>(a, b);
    std::vector<TestType> out(75);
    for (row_index i = 0; i < a.rows(); ++i) {
        CHECK(multiply<TestType>(a.row(i), b) == whole.row(i));
        multiply_row<TestType>(row_of<TestType>(a, i), b, std::span<TestType>(out));
        CHECK(std::equal(out.begin(), out.end(), whole.data() + i * whole.cols()));
    }
    CHECK(multiply<TestType>(a.middleRows(3, 6), b) == whole.middleRows(3, 6));
    for (const row_index columns : {1, 2, 33, 75}) {
        const matrix<TestType> many = numbers<TestType>(random, 71, 77), some = b.leftCols(columns);
        const auto all = multiply<TestType>(many, some);
        CHECK(multiply<TestType>(many.topRows(31), some) == all.topRows(31));
        CHECK(multiply<TestType>(many.bottomRows(3), some) == all.bottomRows(3));
    }
}

namespace {
template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}
}  // namespace

TEMPLATE_TEST_CASE("products: packed columns give the bits of the matrix itself", "[products]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng random(3);
    constexpr auto panel = static_cast<row_index>(8 * detail::lanes<T>::count);
    for (const row_index k : {0, 1, 2, 7, 16, 64, 65, 200})
        for (const row_index m : {row_index{0}, row_index{1}, row_index{5}, panel - 1, panel, panel + 1, 2 * panel - 1, 2 * panel, 2 * panel + 3, 5 * panel + 7}) {
            INFO(k << " x " << m);
            const auto a = numbers<T>(random, 1, k), b = numbers<T>(random, k, m);
            const packed_columns<T> packed(b);
            CHECK(packed.rows() == static_cast<std::size_t>(k));
            CHECK(packed.columns() == static_cast<std::size_t>(m));
            const std::span<const T> row(a.data(), static_cast<std::size_t>(k));
            std::vector<T> by_matrix(static_cast<std::size_t>(m), T(7)), by_panels(static_cast<std::size_t>(m), T(8));
            multiply_row<T>(row, b, std::span<T>(by_matrix));
            multiply_row<T>(row, packed, std::span<T>(by_panels));
            const matrix<T> product = multiply<T>(a, b);
            CHECK(same_bits<T>(by_panels, by_matrix));
            CHECK(same_bits<T>(by_panels, {product.data(), static_cast<std::size_t>(m)}));
        }
    CHECK(packed_columns<T>().columns() == 0);
}

TEMPLATE_TEST_CASE("products: a panel has the same bits in registers of any width", "[products]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    constexpr std::size_t width = 8 * detail::lanes<T>::count;
    rng random(4);
    for (const std::size_t depth : {0U, 1U, 2U, 3U, 8U, 31U, 64U, 129U}) {
        INFO("depth " << depth);
        std::vector<T> a(depth), panel(depth * width), plain(width, T(1)), fastest(width, T(2));
        for (T& x : a) x = static_cast<T>(random.normal());
        for (T& x : panel) x = static_cast<T>(random.normal() * (random.below(4) == 0 ? 1e6 : 1));
        detail::multiply_panel<T>(a.data(), panel.data(), depth, plain.data());
        detail::fastest_multiply_panel<T>()(a.data(), panel.data(), depth, fastest.data());
        CHECK(same_bits<T>(fastest, plain));
        for (std::size_t j = 0; j < width; ++j) {
            double expected = 0, size = 0;
            for (std::size_t k = 0; k < depth; ++k) {
                expected += static_cast<double>(a[k]) * static_cast<double>(panel[k * width + j]);
                size += std::abs(static_cast<double>(a[k]) * static_cast<double>(panel[k * width + j]));
            }
            CHECK(std::abs(static_cast<double>(plain[j]) - expected) <= size * static_cast<double>(depth + 1) * static_cast<double>(std::numeric_limits<T>::epsilon()));
        }
#if CARAMEL_RUNTIME_AVX2
        if (__builtin_cpu_supports("avx2")) {
            std::vector<T> wide(width, T(3));
            detail::multiply_panel_avx2<T>(a.data(), panel.data(), depth, wide.data());
            CHECK(same_bits<T>(wide, plain));
        }
#endif
    }
}

TEST_CASE("products: shapes that do not fit are refused with both sizes", "[products][error]") {
    const matrix<float> a(2, 3), b(4, 5);
    const error e = error_of([&] { (void)multiply<float>(a, b); });
    CHECK(e.code() == errc::shape_mismatch);
    CHECK(std::string(e.what()) == "multiply: 3 columns times 4 rows");
    matrix<float> out(3, 4);
    CHECK(error_of([&] { add_transposed_product<float>(a, b, out); }).code() == errc::shape_mismatch);
    std::vector<float> row(5);
    CHECK(error_of([&] { multiply_row<float>(row_of<float>(a, 0), b, std::span<float>(row)); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { multiply_row<float>(row_of<float>(a, 0), packed_columns<float>(b), std::span<float>(row)); }).code() == errc::shape_mismatch);
    std::vector<float> short_row(4);
    CHECK(error_of([&] { multiply_row<float>(row_of<float>(b, 0), packed_columns<float>(matrix<float>(5, 5)), std::span<float>(short_row)); }).code() == errc::shape_mismatch);
}
