#ifndef CARAMEL_RECOMMEND_ALS_STEPS_HPP
#define CARAMEL_RECOMMEND_ALS_STEPS_HPP

// The equations of one row in alternating least squares, (D + B'B) x = B's, and methods that never form their matrix:
// conjugate gradients, and blocks of coordinates. D is diagonal, B has one row sqrt(c) h for every observed pair, s = sqrt(c).
// All sums have one order that the row alone decides.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include <caramel/core/platform.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/recommend/triangles.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

#if defined(__GNUC__)
// Lane i of the result: every other pair of numbers of a and b, by fours. Two of them, added, halve what is left to sum.
template <bool Pairs, std::size_t Shift, class Lane, std::size_t... I>
CARAMEL_ALWAYS_INLINE Lane shuffled(Lane a, Lane b, std::index_sequence<I...>) noexcept {
    return __builtin_shufflevector(a, b,
                                   (Pairs ? I / 4 * 4 + I % 2 + I % 4 / 2 * sizeof...(I) + Shift : I / 4 * 4 + I % 4 / 2 + I % 2 * sizeof...(I) + Shift)...);
}
#endif
// out[i] = the sum of the lanes of sums[i], four of them.
template <class T>
CARAMEL_ALWAYS_INLINE void sum_lanes(const typename lanes<T>::type* sums, T* out) noexcept {
    constexpr std::size_t width = lanes<T>::count;
#if defined(__GNUC__)
    if constexpr (std::is_same_v<T, float> && (width == 4 || width == 8 || width == 16)) {
        constexpr auto all = std::make_index_sequence<width>{};
        const auto ab = shuffled<false, 0>(sums[0], sums[1], all) + shuffled<false, 2>(sums[0], sums[1], all);
        const auto cd = shuffled<false, 0>(sums[2], sums[3], all) + shuffled<false, 2>(sums[2], sums[3], all);
        const auto four = shuffled<true, 0>(ab, cd, all) + shuffled<true, 2>(ab, cd, all);
        typedef T quarter __attribute__((vector_size(4 * sizeof(T))));
        quarter parts[width / 4];
        std::memcpy(parts, &four, sizeof four);
        quarter sum = parts[0];
        for (std::size_t i = 1; i < width / 4; ++i) sum = sum + parts[i];
        std::memcpy(out, &sum, sizeof sum);
        return;
    }
#endif
    for (std::size_t i = 0; i < 4; ++i) {
        T parts[width];
        std::memcpy(parts, sums + i, sizeof parts);
        out[i] = parts[0];
        for (std::size_t l = 1; l < width; ++l) out[i] += parts[l];
    }
}
template <class T>
CARAMEL_ALWAYS_INLINE typename lanes<T>::type lane_at(const T* at) noexcept {
    typename lanes<T>::type out;
    std::memcpy(&out, at, sizeof out);
    return out;
}
template <class T>
CARAMEL_ALWAYS_INLINE void put_lane(T* at, typename lanes<T>::type values) noexcept {
    std::memcpy(at, &values, sizeof values);
}
// `n` numbers of scratch memory that begin where a lane may (half as fast where it lies across two lines of the cache).
template <class T>
[[nodiscard]] T* take_lanes(std::size_t n, workspace& scratch) {
    constexpr std::size_t width = lanes<T>::count;
    T* const at = scratch.take<T>(n + width).data();
    const std::size_t beyond = reinterpret_cast<std::uintptr_t>(at) / sizeof(T) % width;
    return beyond == 0 ? at : at + (width - beyond);
}

// The equations of one row. `stride` is a multiple of two lanes; D is positive beyond the factors, too, where h is zero.
template <class T>
struct als_equations {
    const T* factors;
    std::size_t stride;
    std::span<const std::int32_t> ids;
    const T* confidences;  // c, one a pair
    const T* diagonal;     // D

    [[nodiscard]] const T* factors_of(std::int32_t id) const noexcept { return factors + static_cast<std::size_t>(id) * stride; }
};

// What one pass over the pairs makes of x.
enum class als_pass : unsigned char {
    scores,    // Bx alone, without the roots of c
    product,   // D x + B'B x
    right,     // B's, and the diagonal of D + B'B beside it
    residual,  // B's - (D + B'B) x, and the diagonal
};

// Calls `visit(i)` for i = 0 .. N-1, i a constant.
template <std::size_t N, class Visit>
CARAMEL_ALWAYS_INLINE void unrolled(const Visit& visit) {
    [&]<std::size_t... I>(std::index_sequence<I...>) CARAMEL_INLINE_LAMBDA {
        (visit(std::integral_constant<std::size_t, I>{}), ...);
    }(std::make_index_sequence<N>{});
}

// The pairs' part of a pass: out (and diagonal) += what the pairs say. L lanes make a row, x and the sums stay in
// registers; L = 0: as many as there are, and the sums stay in memory.
template <als_pass Pass, std::size_t L, class T>
CARAMEL_NEVER_INLINE void sweep_pairs(const als_equations<T>& e, std::size_t begin, std::size_t end, const T* x, T* out, T* diagonal) noexcept {
    using lane = typename lanes<T>::type;
    constexpr std::size_t width = lanes<T>::count, kept = L == 0 ? 1 : L;
    constexpr bool dots = Pass != als_pass::right, sums = Pass != als_pass::scores, squares = Pass == als_pass::right || Pass == als_pass::residual;
    constexpr std::size_t block = squares && dots ? 4 : 8;
    const T* const factors = e.factors;
    const std::size_t stride = L == 0 ? e.stride : L * width;
    const std::int32_t* const ids = e.ids.data();
    const T* const confidences = e.confidences;
    const std::size_t pairs = e.ids.size();
    // Rows that are read for the first time, or do not stay in the cache.
    const bool far = squares || Pass == als_pass::scores || pairs * stride * sizeof(T) > (std::size_t{1} << 19);
    const bool near = pairs * stride * sizeof(T) > std::size_t{3} << 13;  // more than the nearest cache holds beside the sums

    lane at_x[kept], sum[kept], square[kept];
    if constexpr (L > 0)
        unrolled<L>([&](auto j) CARAMEL_INLINE_LAMBDA {
            if constexpr (dots) at_x[j()] = lane_at(x + j() * width);
            if constexpr (sums) sum[j()] = lane_at(out + j() * width);
            if constexpr (squares) square[j()] = lane_at(diagonal + j() * width);
        });
    const auto visit = [&]<std::size_t Rows>(std::size_t k, std::size_t count, std::integral_constant<std::size_t, Rows>) CARAMEL_INLINE_LAMBDA {
        const T* h[Rows];
        T w[Rows], c[Rows];
        unrolled<Rows>([&](auto r) CARAMEL_INLINE_LAMBDA {  // pairs that are wanting are the last one again, with c = 0
            const std::size_t at = k + std::min(r(), count - 1);
            h[r()] = factors + static_cast<std::size_t>(ids[at]) * stride;
            c[r()] = r() < count ? confidences[at] : T(0);
        });
        if (far) {
            constexpr std::size_t ahead = 4 * block;
            const std::size_t last = std::min(k + ahead + block, pairs);
            for (std::size_t later = k + ahead; later < last; ++later) {
                const T* const row = factors + static_cast<std::size_t>(ids[later]) * stride;
                for (std::size_t j = 0; j < stride; j += 64 / sizeof(T)) CARAMEL_PREFETCH_FAR(row + j);
            }
        }
        if (near) {  // the next ones to the nearest cache
            const std::size_t last = std::min(k + 2 * Rows, pairs);
            for (std::size_t later = k + Rows; later < last; ++later) {
                const T* const row = factors + static_cast<std::size_t>(ids[later]) * stride;
                for (std::size_t j = 0; j < stride; j += 64 / sizeof(T)) CARAMEL_PREFETCH(row + j);
            }
        }
        if constexpr (dots) {
            lane dot[Rows];
            unrolled<Rows>([&](auto r) CARAMEL_INLINE_LAMBDA { dot[r()] = lane{}; });
            const auto add = [&](std::size_t j, lane y) CARAMEL_INLINE_LAMBDA {
                unrolled<Rows>([&](auto r) CARAMEL_INLINE_LAMBDA { dot[r()] = multiply_add_lanes<T>(lane_at(h[r()] + j), y, dot[r()]); });
            };
            if constexpr (L > 0) unrolled<L>([&](auto j) CARAMEL_INLINE_LAMBDA { add(j() * width, at_x[j()]); });
            else
                for (std::size_t j = 0; j < stride; j += width) add(j, lane_at(x + j));
            for (std::size_t r = 0; r < Rows; r += 4) sum_lanes<T>(dot + r, w + r);
            if constexpr (!sums) {
                std::copy_n(w, count, out + k);
                return;
            }
            for (std::size_t r = 0; r < Rows; ++r) w[r] = Pass == als_pass::product ? c[r] * w[r] : c[r] * (T(1) - w[r]);
#if defined(__GNUC__)
            __asm__ volatile("" ::: "memory");  // read the rows again: kept over the sums they would be written to the stack
#endif
        } else {
            for (std::size_t r = 0; r < Rows; ++r) w[r] = c[r];
        }
        const auto add = [&](std::size_t j, lane& to, lane& to_square) CARAMEL_INLINE_LAMBDA {
            unrolled<Rows>([&](auto r) CARAMEL_INLINE_LAMBDA {
                const lane y = lane_at(h[r()] + j);
                if constexpr (Pass == als_pass::right) {
                    const lane weighed = c[r()] * y;
                    to = to + weighed;
                    to_square = multiply_add_lanes<T>(weighed, y, to_square);
                } else {
                    to = multiply_add(w[r()], y, to);
                    if constexpr (squares) to_square = multiply_add_lanes<T>(c[r()] * y, y, to_square);
                }
            });
        };
        if constexpr (L > 0) {
            unrolled<L>([&](auto j) CARAMEL_INLINE_LAMBDA { add(j() * width, sum[j()], square[j()]); });
        } else {
            for (std::size_t j = 0; j < stride; j += width) {
                lane to = lane_at(out + j), to_square = squares ? lane_at(diagonal + j) : lane{};
                add(j, to, to_square);
                put_lane(out + j, to);
                if constexpr (squares) put_lane(diagonal + j, to_square);
            }
        }
    };
    std::size_t k = begin;
    for (; k + block <= end; k += block) visit(k, block, std::integral_constant<std::size_t, block>{});
    if (const std::size_t count = end - k; count > 4) visit(k, count, std::integral_constant<std::size_t, 8>{});
    else if (count > 0) visit(k, count, std::integral_constant<std::size_t, 4>{});
    if constexpr (L > 0)
        unrolled<L>([&](auto j) CARAMEL_INLINE_LAMBDA {
            if constexpr (sums) put_lane(out + j() * width, sum[j()]);
            if constexpr (squares) put_lane(diagonal + j() * width, square[j()]);
        });
}
template <als_pass Pass, class T>
void sweep_any(const als_equations<T>& e, std::size_t begin, std::size_t end, const T* x, T* out, T* diagonal) noexcept {
    if constexpr (lanes<T>::count * sizeof(T) == 64) {  // 32 registers
        if (e.stride == 8 * lanes<T>::count) return sweep_pairs<Pass, 8>(e, begin, end, x, out, diagonal);
        if (e.stride == 4 * lanes<T>::count) return sweep_pairs<Pass, 4>(e, begin, end, x, out, diagonal);
    }
    sweep_pairs<Pass, 0>(e, begin, end, x, out, diagonal);
}

template <class T>
[[nodiscard]] CARAMEL_ALWAYS_INLINE T dot_strided(const T* a, const T* b, std::size_t n) noexcept {  // n: a multiple of two lanes
    typename lanes<T>::type sums[4] = {};
    for (std::size_t j = 0; j < n; j += 2 * lanes<T>::count) {
        sums[0] = multiply_add_lanes<T>(lane_at(a + j), lane_at(b + j), sums[0]);
        sums[1] = multiply_add_lanes<T>(lane_at(a + j + lanes<T>::count), lane_at(b + j + lanes<T>::count), sums[1]);
    }
    T out[4];
    sum_lanes<T>(sums, out);
    return out[0] + out[1];
}

// Sums over many pairs: in T over so many, then in double.
inline constexpr std::size_t pairs_in_one_sum = 256;

template <als_pass Pass, class T>
void als_sweep(const als_equations<T>& e, const T* x, T* out, T* diagonal, workspace& scratch) {
    const std::size_t n = e.stride, pairs = e.ids.size();
    constexpr bool with_diagonal = Pass != als_pass::product;
    for (std::size_t j = 0; j < n; j += lanes<T>::count) {
        const auto d = lane_at(e.diagonal + j);
        if constexpr (Pass == als_pass::product) put_lane(out + j, d * lane_at(x + j));
        else if constexpr (Pass == als_pass::right) put_lane(out + j, typename lanes<T>::type{});
        else put_lane(out + j, -d * lane_at(x + j));
        if constexpr (with_diagonal) put_lane(diagonal + j, d);
    }
    if (pairs <= pairs_in_one_sum) return sweep_any<Pass>(e, 0, pairs, x, out, diagonal);
    T* const part = take_lanes<T>(2 * n, scratch);
    const auto whole = scratch.take<double>(2 * n);
    for (std::size_t j = 0; j < n; ++j) {
        whole[j] = static_cast<double>(out[j]);
        if constexpr (with_diagonal) whole[n + j] = static_cast<double>(diagonal[j]);
    }
    for (std::size_t begin = 0; begin < pairs; begin += pairs_in_one_sum) {
        std::fill_n(part, 2 * n, T(0));
        sweep_any<Pass>(e, begin, std::min(pairs, begin + pairs_in_one_sum), x, part, part + n);
        for (std::size_t j = 0; j < (with_diagonal ? 2 * n : n); ++j) whole[j] += static_cast<double>(part[j]);
    }
    for (std::size_t j = 0; j < n; ++j) {
        out[j] = static_cast<T>(whole[j]);
        if constexpr (with_diagonal) diagonal[j] = static_cast<T>(whole[n + j]);
    }
}

// Conjugate gradients, preconditioned with the diagonal of D + B'B.
//
// Without `start` from zero, until the error is `tolerance` of the solution, both in the norm of D + B'B, or false where
// `steps` will not do, or where rounding could tell. With `start` from what x holds, `steps` steps, each of which lowers the
// loss, fewer where the error is about `tolerance` before.
template <class T>
[[nodiscard]] bool conjugate_gradients(const als_equations<T>& e, std::size_t steps, double tolerance, bool start, std::span<T> x, workspace& scratch) {
    using lane = typename lanes<T>::type;
    constexpr std::size_t width = lanes<T>::count;
    const std::size_t n = e.stride;
    T* const r = take_lanes<T>(4 * n, scratch);
    T* const inverse = r + n;
    T* const p = inverse + n;
    T* const q = p + n;
    if (start) {
        als_sweep<als_pass::residual>(e, x.data(), r, inverse, scratch);
    } else {
        std::fill(x.begin(), x.end(), T(0));
        als_sweep<als_pass::right>(e, x.data(), r, inverse, scratch);
    }
    // |x|^2, in the norm of the diagonal.
    double size = 0;
    if (start) {
        for (std::size_t j = 0; j < n; ++j) size += static_cast<double>(inverse[j] * x[j] * x[j]);
        // Where x seems worse than nothing, both losses are compared, and nothing is where it begins: no step would get rid of
        // the rounding of a long x that ends short.
        const double along = static_cast<double>(dot_strided<T>(x.data(), r, n));
        if (2 * along + size < 0) {
            als_sweep<als_pass::right>(e, x.data(), r, inverse, scratch);
            if (along + static_cast<double>(dot_strided<T>(x.data(), r, n)) < 0) {
                std::fill(x.begin(), x.end(), T(0));
                size = 0;
            } else {
                als_sweep<als_pass::residual>(e, x.data(), r, inverse, scratch);
            }
        }
    }
    for (std::size_t j = 0; j < n; j += width) {
        const lane inverted = (T(1) - lane{}) / lane_at(inverse + j);
        put_lane(inverse + j, inverted);
        put_lane(p + j, inverted * lane_at(r + j));
    }
    T rz = dot_strided(r, p, n);
    if (rz == 0) return true;  // x is the solution
    double energy = 0, longest = 0, shortest = std::numeric_limits<double>::infinity();
    const double first = static_cast<double>(rz);
    for (std::size_t step = 1; step <= steps; ++step) {
        als_sweep<als_pass::product>(e, p, q, inverse, scratch);
        const T length = rz / dot_strided(p, q, n);
        if (!(length > 0 && length <= std::numeric_limits<T>::max())) return false;
        energy += static_cast<double>(length) * static_cast<double>(rz);
        longest = std::max(longest, static_cast<double>(length));
        shortest = std::min(shortest, static_cast<double>(length));
        lane sums[4] = {};
        for (std::size_t j = 0; j < n; j += 2 * width)
            for (std::size_t v = 0; v < 2; ++v) {
                const std::size_t at = j + v * width;
                put_lane(x.data() + at, multiply_add(length, lane_at(p + at), lane_at(x.data() + at)));
                const lane left = multiply_add<true>(length, lane_at(q + at), lane_at(r + at));
                put_lane(r + at, left);
                sums[v] = multiply_add_lanes<T>(left * lane_at(inverse + at), left, sums[v]);
            }
        T parts[4];
        sum_lanes<T>(sums, parts);
        const T next = parts[0] + parts[1];
        // 1 / the longest step is about the smallest eigenvalue of the preconditioned matrix.
        const double left = static_cast<double>(next) * longest;
        if (start) {
            if (left <= tolerance * tolerance * size) {  // where x began far off, as small beside what it is now?
                double now = 0;
                for (std::size_t j = 0; j < n; ++j) now += static_cast<double>(x[j] / inverse[j] * x[j]);
                if (left <= tolerance * tolerance * now) return true;
            }
        } else {
            if (left <= tolerance * tolerance * energy) return longest <= 100 * shortest;
            if (step == 8 && steps > 8) {  // at this pace?
                const double pace = std::log(static_cast<double>(next) / first) / 8;
                if (!(std::log(tolerance * tolerance * energy / left) > pace * static_cast<double>(steps - 8))) return false;
            }
        }
        if (next == 0) return true;
        const T share = next / rz;
        rz = next;
        for (std::size_t j = 0; j < n; j += width) put_lane(p + j, multiply_add(share, lane_at(p + j), lane_at(r + j) * lane_at(inverse + j)));
    }
    return start;
}

// One pass over all blocks of `block` coordinates, each solved exactly with the others as they are (iALS++: Rendle,
// Krichene, Zhang & Koren, arXiv:2110.14044). No step raises the loss.
template <class T>
void block_sweep(const als_equations<T>& e, std::size_t block, std::span<T> x, workspace& scratch) {
    constexpr std::size_t chunk = 32;
    const std::size_t n = e.ids.size(), wide = round_up(std::min(block, e.stride), 2 * triangle_unit<T>);
    const auto scores = scratch.take<T>(n);
    sweep_any<als_pass::scores, T>(e, 0, n, x.data(), scores.data(), nullptr);
    const auto s = scratch.take<T>(wide * wide), part = scratch.take<T>(chunk * wide), inverse = scratch.take<T>(wide), step = scratch.take<T>(wide);
    for (std::size_t at = 0; at < e.stride; at += block) {
        const std::size_t size = std::min(block, e.stride - at);
        std::fill(s.begin(), s.end(), T(0));
        std::fill(step.begin(), step.end(), T(0));
        for (std::size_t j = 0; j < wide; ++j) s[j * wide + j] = j < size ? e.diagonal[at + j] : T(1);
        for (std::size_t j = 0; j < size; ++j) step[j] = -e.diagonal[at + j] * x[at + j];
        for (std::size_t first = 0; first < n; first += chunk) {
            const std::size_t count = std::min(chunk, n - first);
            std::fill(part.begin(), part.end(), T(0));
            for (std::size_t k = 0; k < count; ++k) {
                const T c = e.confidences[first + k], root = std::sqrt(c), left = c * (T(1) - scores[first + k]);
                const T* const h = e.factors_of(e.ids[first + k]) + at;
                for (std::size_t j = 0; j < size; ++j) {
                    part[k * wide + j] = root * h[j];
                    step[j] += left * h[j];
                }
            }
            add_gramian(part.data(), count, wide, wide, s.data());
        }
        if (!factorize(wide, wide, s.data(), inverse.data())) continue;  // beyond the number type: this block stays as it is
        solve_factorized(wide, wide, s.data(), inverse.data(), step.data());
        for (std::size_t j = 0; j < size; ++j) x[at + j] += step[j];
        for (std::size_t k = 0; k < n; ++k) {
            const T* const h = e.factors_of(e.ids[k]) + at;
            for (std::size_t j = 0; j < size; ++j) scores[k] += step[j] * h[j];
        }
    }
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
