#ifndef CARAMEL_RECOMMEND_ITEM_GRAMIAN_HPP
#define CARAMEL_RECOMMEND_ITEM_GRAMIAN_HPP

// X'X of a table of purchases, items x items and dense, and its inverse: for models whose answer has a closed form.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

template <class = void>
inline void require_dense_items(std::size_t items, std::size_t max_items, std::size_t bytes_each, std::string_view who) {
    if (items <= max_items) return;
    const double gigabytes = static_cast<double>(items) * static_cast<double>(items) * static_cast<double>(bytes_each) / 1e9;
    fail(errc::limit_exceeded, {}, who, ": ", items, " items, max_items is ", max_items, "; their table would take ", gigabytes,
         " GB: leave out items with few customers, raise max_items, or use item_neighbors or rp3beta");
}

// The upper triangle of the sum over customers of weight * x x', with x = their weighted values; rows are `stride` apart.
// Each sum is in double, customers ascending.
template <class Real, class T>
void add_item_gramian(const interactions<T>& x, weighting rule, const row_weights& of_customers, std::size_t stride, Real* out, std::string_view who,
                      const run_options& how) {
    const auto by_item = x.by_item();
    const auto items = by_item.view();
    parallel_blocks(items.size(), 32, how, [&](std::size_t begin, std::size_t end, std::size_t) {
        std::vector<double> sums(items.size());
        for (std::size_t i = begin; i < end; ++i) {
            const auto customers = items.ids_of(i);
            const auto values = items.values_of(i);
            for (std::size_t c = 0; c < customers.size(); ++c) {
                const auto row = static_cast<std::size_t>(customers[c]);
                const double weight = of_customers[row] * weigh(rule, static_cast<double>(values[c]));
                const auto theirs = x[row];
                auto at =
                    static_cast<std::size_t>(std::lower_bound(theirs.items.begin(), theirs.items.end(), static_cast<std::int32_t>(i)) - theirs.items.begin());
                if (rule == weighting::ones) {
                    for (; at < theirs.size(); ++at) sums[static_cast<std::size_t>(theirs.items[at])] += weight;
                } else {
                    for (; at < theirs.size(); ++at)
                        sums[static_cast<std::size_t>(theirs.items[at])] += weight * weigh(rule, static_cast<double>(theirs.values[at]));
                }
            }
            for (std::size_t j = i; j < sums.size(); ++j) {
                require(sums[j] <= static_cast<double>(std::numeric_limits<Real>::max()), errc::number_out_of_range, who,
                        ": the products of the values add up beyond the number type");
                out[i * stride + j] += static_cast<Real>(sums[j]);
            }
            std::fill(sums.begin(), sums.end(), 0.0);
        }
    });
}

// s <- -s^-1 for a symmetric positive definite s (n x n, n at most some hundreds), both triangles. False where it is not.
inline bool sweep_all(std::size_t n, double* s) noexcept {
    for (std::size_t p = 0; p < n; ++p) {
        const double pivot = s[p * n + p];
        if (!(pivot > 0 && pivot <= std::numeric_limits<double>::max())) return false;
        double* const row = s + p * n;
        const double inverse = 1 / pivot;
        for (std::size_t i = 0; i < n; ++i) {
            if (i == p) continue;
            const double factor = s[i * n + p] * inverse;
            if (factor == 0) continue;
            double* const other = s + i * n;
            for (std::size_t j = 0; j < n; ++j) other[j] -= factor * row[j];
            other[p] = factor;
        }
        for (std::size_t j = 0; j < n; ++j) row[j] *= inverse;
        row[p] = -inverse;
    }
    return true;
}

// a <- -a^-1 for a symmetric positive definite matrix of which the upper triangle is read and written; what lies below
// the diagonal means nothing. n is the rows, the columns and the stride, a multiple of `sweep_unit`. Blocks of pivots are
// swept one after another (Goodnight, The American Statistician 33(3), 1979): with the pivots' own block D, their rows W
// and V = D^-1 W, everything else becomes A - W'V, the rows V, the block -D^-1. That is n^3 multiplications and additions,
// as many as a Cholesky factor and its inverse take, and nearly all of them in one product. Each number is the same sum
// for any number of threads. False where the matrix is not positive definite to rounding.
template <class Real>
inline constexpr std::size_t sweep_unit = 2 * lanes<Real>::count;

template <class Real, std::size_t Pivots = 256>
[[nodiscard]] bool negative_inverse(std::size_t n, Real* a, const run_options& how) {
    constexpr std::size_t wide = sweep_unit<Real>, tall = wide >= 16 && CARAMEL_ALIGN_BYTES >= 64 ? 8 : wide >= 4 ? 4 : 1;
    constexpr std::size_t most = std::max<std::size_t>(wide, Pivots / wide * wide), group = 8;
    static_assert(wide % tall == 0);
    const std::size_t strips = n / wide;
    std::vector<Real> rows(n * most), scaled(n * most), inverse(most * most);
    std::vector<double> block(most * most);
    for (std::size_t first = 0; first < n; first += most) {
        const std::size_t depth = std::min(most, n - first), last = first + depth;
        const auto is_pivot = [&](std::size_t strip) { return strip * wide >= first && strip * wide < last; };
        for (std::size_t i = 0; i < depth; ++i)
            for (std::size_t j = i; j < depth; ++j) block[i * depth + j] = block[j * depth + i] = static_cast<double>(a[(first + i) * n + first + j]);
        // The pivots' own block in the same way, by smaller blocks.
        if (Pivots > 32 && depth % sweep_unit<double> == 0) {
            if (!negative_inverse<double, 32>(depth, block.data(), {.threads = 1})) return false;
            for (std::size_t i = 0; i < depth; ++i)
                for (std::size_t j = 0; j < i; ++j) block[i * depth + j] = block[j * depth + i];
        } else if (!sweep_all(depth, block.data())) {
            return false;
        }
        for (std::size_t i = 0; i < depth * depth; ++i) inverse[i] = static_cast<Real>(-block[i]);

        parallel_blocks(strips, group, how, [&](std::size_t begin, std::size_t end, std::size_t) {
            for (std::size_t s = begin; s < end; ++s) {
                if (is_pivot(s)) continue;
                Real* const w = rows.data() + s * wide * depth;
                Real* const v = scaled.data() + s * wide * depth;
                if (s * wide >= last) {
                    for (std::size_t k = 0; k < depth; ++k) std::copy_n(a + (first + k) * n + s * wide, wide, w + k * wide);
                } else {
                    for (std::size_t c = 0; c < wide; ++c)
                        for (std::size_t k = 0; k < depth; ++k) w[k * wide + c] = a[(s * wide + c) * n + first + k];
                }
                for (std::size_t i = 0; i < depth; i += tall)
                    multiply_tile<Real, tall, 2>(inverse.data() + i * depth, depth, 1, w, wide, depth, v + i * wide, wide, false);
            }
        });
        const std::size_t groups = (strips + group - 1) / group;
        parallel_for(groups, how, [&](std::size_t g) {  // the longest columns first
            const std::size_t begin = (groups - 1 - g) * group, end = std::min(strips, begin + group);
            for (std::size_t up = 0; up < end; ++up) {
                if (is_pivot(up)) continue;
                const Real* const w = rows.data() + up * wide * depth;
                for (std::size_t s = std::max(begin, up); s < end; ++s) {
                    if (is_pivot(s)) continue;
                    Real* const out = a + up * wide * n + s * wide;
                    for (std::size_t i = 0; i < wide; i += tall) {
#if defined(__GNUC__)
                        for (std::size_t r = 0; r < tall; ++r) {  // where the next strip goes on
                            __builtin_prefetch(out + (i + r) * n + wide, 1);
                            __builtin_prefetch(out + (i + r) * n + 2 * wide - 1, 1);
                        }
#endif
                        multiply_tile<Real, tall, 2, true>(w + i, 1, wide, scaled.data() + s * wide * depth, wide, depth, out + i * n, n, true);
                    }
                }
            }
            for (std::size_t s = begin; s < end; ++s) {
                if (is_pivot(s)) continue;
                const Real* const v = scaled.data() + s * wide * depth;
                if (s * wide >= last) {
                    for (std::size_t k = 0; k < depth; ++k) std::copy_n(v + k * wide, wide, a + (first + k) * n + s * wide);
                } else {
                    for (std::size_t c = 0; c < wide; ++c)
                        for (std::size_t k = 0; k < depth; ++k) a[(s * wide + c) * n + first + k] = v[k * wide + c];
                }
            }
        });
        for (std::size_t i = 0; i < depth; ++i)
            for (std::size_t j = i; j < depth; ++j) a[(first + i) * n + first + j] = static_cast<Real>(block[i * depth + j]);
    }
    return true;
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
