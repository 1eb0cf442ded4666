// The sums and products that everything else rests on, on thousands of random shapes with sides of 0 and 1 among them, against
// plain loops in long double.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <caramel/core/finite.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/panels.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/roots.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/core/take_rows.hpp>
#include <caramel/core/weights.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace random_shapes_test {

namespace {

/// 0 and 1 often, small sizes mostly, beyond a panel's width now and then.
row_index random_side(rng& random) {
    switch (random.below(6)) {
        case 0: return static_cast<row_index>(random.below(2));
        case 1: return static_cast<row_index>(random.below(70));
        default: return static_cast<row_index>(random.below(10));
    }
}
template <class T>
matrix<T> random_numbers(rng& random, row_index rows, row_index columns) {
    matrix<T> x(rows, columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = random.below(4) == 0 ? T(0) : static_cast<T>(random.normal());
    return x;
}

}  // namespace

TEMPLATE_TEST_CASE("products: 5,000 random shapes in long double", "[products][random_shapes]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng random(1);
    for (int round = 0; round < 5000; ++round) {
        const row_index n = random_side(random), k = random_side(random), m = random_side(random);
        const matrix<T> a = random_numbers<T>(random, n, k), b = random_numbers<T>(random, k, m);
        const matrix<T> found = multiply<T>(a, b), by_rows = multiply_by_transposed<T>(a, matrix<T>(b.transpose()));
        matrix<T> added = matrix<T>::Ones(n, m);
        add_transposed_product<T>(matrix<T>(a.transpose()), b, added);
        const packed_columns<T> packed(b);
        REQUIRE(found.rows() == n);
        REQUIRE(found.cols() == m);
        bool good = true;
        std::vector<T> row(static_cast<std::size_t>(m));
        for (row_index i = 0; i < n; ++i) {
            multiply_row<T>(row_of<T>(a, i), packed, std::span<T>(row));
            for (row_index j = 0; j < m; ++j) {
                long double sum = 0, size = 1;
                for (row_index l = 0; l < k; ++l) {
                    sum += static_cast<long double>(a(i, l)) * b(l, j);
                    size += std::abs(static_cast<long double>(a(i, l)) * b(l, j));
                }
                const auto bound = static_cast<double>(size) * static_cast<double>(k + 2) * static_cast<double>(std::numeric_limits<T>::epsilon());
                good = good && std::abs(static_cast<double>(found(i, j) - sum)) <= bound && std::abs(static_cast<double>(added(i, j) - 1 - sum)) <= bound;
                good = good && row[static_cast<std::size_t>(j)] == found(i, j) && by_rows(i, j) == found(i, j);
            }
        }
        INFO(n << " x " << k << " x " << m);
        REQUIRE(good);
    }
}

TEMPLATE_TEST_CASE("sparse_matrix: 2,000 random shapes beside the dense table", "[sparse][random_shapes]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng random(2);
    for (int round = 0; round < 2000; ++round) {
        const matrix<T> x = random_numbers<T>(random, random_side(random), random_side(random));
        const sparse_matrix<T> sparse(x);
        REQUIRE(sparse.rows() == x.rows());
        REQUIRE(sparse.cols() == x.cols());
        REQUIRE(static_cast<row_index>(sparse.values().size()) == (x.array() != T(0)).count());
        std::vector<std::size_t> rows;
        for (row_index i = 0; i < x.rows(); ++i) {
            if (random.below(2) == 0) rows.push_back(random.below(static_cast<std::uint64_t>(x.rows())));
            matrix<T> row = matrix<T>::Zero(1, x.cols());
            for (std::size_t e = 0; e < sparse[static_cast<std::size_t>(i)].values.size(); ++e)
                row(0, sparse[static_cast<std::size_t>(i)].columns[e]) = sparse[static_cast<std::size_t>(i)].values[e];
            REQUIRE(row == x.row(i));
        }
        const auto some = take_rows(sparse, rows);
        const matrix<T> expected = take_rows(x, rows);
        REQUIRE(some.rows() == static_cast<row_index>(rows.size()));
        for (std::size_t i = 0; i < rows.size(); ++i) REQUIRE(expected.row(static_cast<row_index>(i)) == x.row(static_cast<row_index>(rows[i])));
        REQUIRE(some == sparse_matrix<T>(expected));
    }
}

TEMPLATE_TEST_CASE("small sums: random lengths, each beside its definition", "[softmax][roots][finite][random_shapes]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng random(3);
    for (std::size_t n = 0; n < 140; ++n) {
        std::vector<T> x(n), roots(n);
        for (std::size_t i = 0; i < n; ++i) {
            x[i] = static_cast<T>(30 * random.normal());
            roots[i] = x[i] * x[i];
        }
        auto expected_roots = roots;
        for (T& v : expected_roots) v = std::sqrt(v);
        detail::square_roots(roots.data(), n);
        REQUIRE(roots == expected_roots);
        REQUIRE(detail::all_finite(std::span<const T>(x)));
        for (std::size_t i = 0; i < n; ++i)
            for (const T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::infinity()}) {
                auto wrong = x;
                wrong[i] = bad;
                REQUIRE_FALSE(detail::all_finite(std::span<const T>(wrong)));
            }
        for (const T v : x) {
            const long double z = v;
            const auto close = [](T found, long double expected) {
                return std::abs(static_cast<long double>(found) - expected) <= 4 * static_cast<long double>(std::numeric_limits<T>::epsilon()) * std::abs(expected) +
                                                                                     static_cast<long double>(std::numeric_limits<T>::min());
            };
            REQUIRE(close(detail::sigmoid_of(v), 1 / (1 + std::exp(-z))));
            REQUIRE(close(detail::softplus(v), z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z))));
        }
        if (n == 0) continue;
        auto shares = x, shifted = x;
        for (T& v : shifted) v += T(64);
        detail::softmax_row(std::span<T>(shares));
        detail::softmax_row(std::span<T>(shifted));
        long double all = 0;
        for (const T v : x) all += std::exp(static_cast<long double>(v));
        for (std::size_t i = 0; i < n; ++i) {
            const double expected = static_cast<double>(std::exp(static_cast<long double>(x[i])) / all);
            REQUIRE(static_cast<double>(shares[i]) == Approx(expected).epsilon(200 * static_cast<double>(std::numeric_limits<T>::epsilon())).margin(1e-30));
            REQUIRE(static_cast<double>(shifted[i]) == Approx(expected).epsilon(400 * static_cast<double>(std::numeric_limits<T>::epsilon())).margin(1e-30));
        }
    }
    CHECK(detail::softplus(T(0)) == Approx(std::log(2.0)));
    CHECK(detail::sigmoid_of(T(0)) == T(.5));
}

TEST_CASE("row_weights: the sum of as many as there are, or the number of the rows", "[weights][random_shapes]") {
    rng random(4);
    for (std::size_t n = 1; n < 60; ++n) {
        std::vector<double> w(n);
        double sum = 0;
        for (double& v : w) sum += v = static_cast<double>(1 + random.below(5));
        const row_weights given(w, n, "test"), none({}, n, "test");
        CHECK(given.sum() == sum);
        CHECK(none.sum() == static_cast<double>(n));
        for (std::size_t i = 0; i < n; ++i) CHECK((given[i] == w[i] && none[i] == 1));
    }
}

}  // namespace random_shapes_test
