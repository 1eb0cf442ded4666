#ifndef CARAMEL_RECOMMEND_TRIANGLES_HPP
#define CARAMEL_RECOMMEND_TRIANGLES_HPP

// Small symmetric matrices that are positive definite: their sums, their factors, their solutions.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <caramel/core/platform.hpp>
#include <caramel/core/products.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

constexpr std::size_t round_up(std::size_t n, std::size_t to) noexcept { return (n + to - 1) / to * to; }

// ---- symmetric matrices: upper triangles in rows of `stride` numbers, a multiple of 4 and of the lanes ------------------
template <class Real>
inline constexpr std::size_t triangle_unit = std::max<std::size_t>(4, lanes<Real>::count);

// Rows i .. i+3 (or i+7) of the upper triangle of s (n x n, n a multiple of 4) += or -= x'y, from the diagonal to the right,
// for `depth` rows of x. Whole tiles: some numbers left of the diagonal or beyond n are written as well, and mean nothing.
template <class Real, bool Subtract = false, std::size_t Rows = 4>
CARAMEL_ALWAYS_INLINE void add_to_rows(const Real* x, std::size_t depth, std::size_t i, std::size_t n, std::size_t stride, Real* s) noexcept {
    constexpr std::size_t width = lanes<Real>::count;
    std::size_t j = i / width * width;
    for (; j + width < n; j += 2 * width) multiply_tile<Real, Rows, 2, Subtract>(x + i, 1, stride, x + j, stride, depth, s + i * stride + j, stride, true);
    if (j < n) multiply_tile<Real, Rows, 1, Subtract>(x + i, 1, stride, x + j, stride, depth, s + i * stride + j, stride, true);
}
// The upper triangle of s += x'x.
template <class Real>
void add_gramian(const Real* x, std::size_t depth, std::size_t n, std::size_t stride, Real* s) noexcept {
    std::size_t i = 0;
    if constexpr (lanes<Real>::count * sizeof(Real) == 64)  // 32 registers
        for (; i + 8 <= n; i += 8) add_to_rows<Real, false, 8>(x, depth, i, n, stride, s);
    for (; i < n; i += 4) add_to_rows(x, depth, i, n, stride, s);
}

// s = U'U in place, four rows at a time; the reciprocals of U's diagonal in `inverse`. False unless s is positive definite.
template <class Real>
[[nodiscard]] bool factorize(std::size_t n, std::size_t stride, Real* s, Real* inverse) noexcept {
    for (std::size_t i = 0; i < n; i += 4) {
        add_to_rows<Real, true>(s, i, i, n, stride, s);
        for (std::size_t k = i; k < i + 4; ++k) {
            Real* const row = s + k * stride;
            for (std::size_t above = i; above < k; ++above) {
                const Real* const other = s + above * stride;
                const Real factor = other[k];
                for (std::size_t j = i; j < n; ++j) row[j] -= factor * other[j];
            }
            if (!(row[k] > 0 && row[k] <= std::numeric_limits<Real>::max())) return false;
            inverse[k] = std::sqrt(row[k]) * (1 / row[k]);  // both at once, where the quotient would wait for the root
            for (std::size_t j = i; j < n; ++j) row[j] *= inverse[k];
        }
    }
    return true;
}

// b <- the solution of U'U x = b.
template <class Real>
void solve_factorized(std::size_t n, std::size_t stride, const Real* u, const Real* inverse, Real* b) noexcept {
    constexpr std::size_t width = lanes<Real>::count < 4 ? 4 : lanes<Real>::count;
    for (std::size_t i = 0; i < n; i += 4) {
        const Real* const row = u + i * stride;
        for (std::size_t k = 0; k < 4; ++k) {
            for (std::size_t above = 0; above < k; ++above) b[i + k] -= row[above * stride + i + k] * b[i + above];
            b[i + k] *= inverse[i + k];
        }
        const Real b0 = b[i], b1 = b[i + 1], b2 = b[i + 2], b3 = b[i + 3];
        for (std::size_t j = i + 4; j < n; ++j)
            b[j] = b[j] - b0 * row[j] - b1 * row[stride + j] - b2 * row[2 * stride + j] - b3 * row[3 * stride + j];
    }
    for (std::size_t i = n; i > 0;) {
        i -= 4;
        const Real* const row = u + i * stride;
        for (std::size_t k = 4; k-- > 0;) {
            Real part[width] = {};
            std::size_t j = i + 4;
            for (; j + width <= n; j += width)
                for (std::size_t l = 0; l < width; ++l) part[l] += row[k * stride + j + l] * b[j + l];
            for (; j < n; ++j) part[0] += row[k * stride + j] * b[j];
            Real sum = b[i + k];
            for (const Real p : part) sum -= p;
            for (std::size_t below = k + 1; below < 4; ++below) sum -= row[k * stride + i + below] * b[i + below];
            b[i + k] = sum * inverse[i + k];
        }
    }
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
