#ifndef CARAMEL_RECOMMEND_FACTOR_SCAN_HPP
#define CARAMEL_RECOMMEND_FACTOR_SCAN_HPP

// The best of many products, found while the rows of factors pass by once: scores are compared with the n-th best so far as
// soon as they are worked out, and never stored. Rows lie as they do in a matrix. A few at a time are turned in registers,
// so that each score is summed from the first factor to the last: the bits of core/products.hpp, alone and in a batch.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include <caramel/core/matrix.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/recommend/top_k.hpp>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace caramel::inline CARAMEL_ABI::detail {

#if defined(__GNUC__)
// Registers of 32 bytes at most: twice as wide ones shuffle no faster.
template <class T>
struct scan_lanes {
    static constexpr std::size_t count = (CARAMEL_ALIGN_BYTES > 16 ? 32 : 16) / sizeof(T);
    typedef T type __attribute__((vector_size(count * sizeof(T))));
};
#else
template <class T>
struct scan_lanes : lanes<T> {};
#endif
inline constexpr std::size_t scan_rows = 16;          // that are worked on at once; with 64 floats each, a page
inline constexpr std::size_t scan_ahead = std::size_t{16} * 1024;  // bytes that are on their way

#if defined(__GNUC__)
// Of each 16 bytes of a and b: element `pick[j]` of both together goes to place j.
template <class Lane, std::size_t... Pick, std::size_t... I>
CARAMEL_ALWAYS_INLINE void shuffle_pieces(const Lane& a, const Lane& b, Lane& out, std::index_sequence<Pick...>, std::index_sequence<I...>) {
    constexpr std::size_t piece = sizeof...(Pick), count = sizeof...(I);
    constexpr std::array<std::size_t, piece> pick{Pick...};
    out = __builtin_shufflevector(a, b, (I / piece * piece + pick[I % piece] + (pick[I % piece] < piece ? 0 : count - piece))...);
}
template <std::size_t... Pick, class Lane, std::size_t Count>
CARAMEL_ALWAYS_INLINE void shuffle_pieces(const Lane& a, const Lane& b, Lane& out, std::integral_constant<std::size_t, Count>) {
    shuffle_pieces(a, b, out, std::index_sequence<Pick...>{}, std::make_index_sequence<Count>{});
}

// One register: 16 bytes from `at`, and from each place `apart` further.
template <class T, class Lane>
CARAMEL_ALWAYS_INLINE void load_pieces(const T* at, std::size_t apart, Lane& out) {
    if constexpr (sizeof(Lane) == 16) {
        std::memcpy(&out, at, sizeof out);
    } else {
        typedef T half __attribute__((vector_size(16)));
        half a, b;
        std::memcpy(&a, at, sizeof a);
        std::memcpy(&b, at + apart, sizeof b);
        if constexpr (sizeof(T) == 4) out = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
        else out = __builtin_shufflevector(a, b, 0, 1, 2, 3);
    }
}

// Calls `use(k, g, column)` for each factor k, ascending, and each of Groups registers g: the k-th factors of as many rows.
template <class T, std::size_t Groups, class Use>
CARAMEL_ALWAYS_INLINE void turn_rows(const T* rows, std::size_t depth, const Use& use) {
    using lane = typename scan_lanes<T>::type;
    constexpr std::size_t count = scan_lanes<T>::count, piece = 16 / sizeof(T);
    constexpr std::integral_constant<std::size_t, count> all{};
    std::size_t k = 0;
    for (; k + piece <= depth; k += piece) {
        // The machine does not see by itself that these rows and the next lie side by side: what comes next into the nearest
        // cache, and what comes later into the one behind it.
        const T* const next = rows + Groups * count * depth + k * Groups * count;
        for (std::size_t i = 0; i < Groups * count * piece; i += 64 / sizeof(T)) {
            CARAMEL_PREFETCH(next + i);
            CARAMEL_PREFETCH_FAR(next + i + scan_ahead / sizeof(T));
        }
        for (std::size_t g = 0; g < Groups; ++g) {
            const T* const from = rows + g * count * depth + k;
            lane x[piece];
            for (std::size_t i = 0; i < piece; ++i) load_pieces<T, lane>(from + i * depth, piece * depth, x[i]);
            lane a, b, c, d;
            if constexpr (piece == 4) {
                shuffle_pieces<0, 4, 1, 5>(x[0], x[1], a, all);
                shuffle_pieces<0, 4, 1, 5>(x[2], x[3], b, all);
                shuffle_pieces<2, 6, 3, 7>(x[0], x[1], c, all);
                shuffle_pieces<2, 6, 3, 7>(x[2], x[3], d, all);
                shuffle_pieces<0, 1, 4, 5>(a, b, x[0], all);
                shuffle_pieces<2, 3, 6, 7>(a, b, x[1], all);
                shuffle_pieces<0, 1, 4, 5>(c, d, x[2], all);
                shuffle_pieces<2, 3, 6, 7>(c, d, x[3], all);
            } else {
                shuffle_pieces<0, 2>(x[0], x[1], a, all);
                shuffle_pieces<1, 3>(x[0], x[1], b, all);
                x[0] = a;
                x[1] = b;
            }
            for (std::size_t j = 0; j < piece; ++j) use(k + j, g, x[j]);
        }
    }
    if (k == depth) return;
    for (; k < depth; ++k)
        for (std::size_t g = 0; g < Groups; ++g) {
            T column[count];
            for (std::size_t i = 0; i < count; ++i) column[i] = rows[(g * count + i) * depth + k];
            lane x;
            std::memcpy(&x, column, sizeof x);
            use(k, g, x);
        }
}
#else
template <class T, std::size_t Groups, class Use>
void turn_rows(const T* rows, std::size_t depth, const Use& use) {
    for (std::size_t k = 0; k < depth; ++k)
        for (std::size_t g = 0; g < Groups; ++g) use(k, g, rows[g * depth + k]);
}
#endif

// out[i] = row i * x, for `scan_rows` rows of `depth` numbers.
template <class T>
void scan_block(const T* rows, std::size_t depth, const T* x, T* out) {
    using lane = typename scan_lanes<T>::type;
    constexpr std::size_t groups = scan_rows / scan_lanes<T>::count;
    lane sum[groups] = {};
    turn_rows<T, groups>(rows, depth, [&](std::size_t k, std::size_t g, const lane& column) { sum[g] = multiply_add<false>(x[k], column, sum[g]); });
    std::memcpy(out, sum, sizeof sum);
}
#if CARAMEL_RUNTIME_AVX2
// The same sums in registers twice as wide, for float: products and sums stay apart, as in the other.
__attribute__((target("avx2"))) inline void scan_block_avx2(const float* rows, std::size_t depth, const float* x, float* out) {
    // Without the intrinsics: their header alone takes a third of a second to compile.
    typedef float half __attribute__((vector_size(16)));
    typedef float whole __attribute__((vector_size(32)));
    for (std::size_t pair = 0; pair < 2; ++pair, rows += 8 * depth, out += 8) {
        whole sum = {};
        std::size_t k = 0;
        for (; k + 4 <= depth; k += 4) {
            const float* const from = rows + k;
            const float* const next = rows + 16 * depth + k * 8;
            CARAMEL_PREFETCH(next);
            CARAMEL_PREFETCH(next + 16);
            CARAMEL_PREFETCH_FAR(next + scan_ahead / sizeof(float));
            CARAMEL_PREFETCH_FAR(next + 16 + scan_ahead / sizeof(float));
            const auto both = [&](std::size_t i) __attribute__((target("avx2"), always_inline)) {
                half low, high;
                std::memcpy(&low, from + i * depth, sizeof low);
                std::memcpy(&high, from + (i + 4) * depth, sizeof high);
                return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
            };
            const whole r0 = both(0), r1 = both(1), r2 = both(2), r3 = both(3);
            const whole a = __builtin_shufflevector(r0, r1, 0, 8, 1, 9, 4, 12, 5, 13), b = __builtin_shufflevector(r2, r3, 0, 8, 1, 9, 4, 12, 5, 13);
            const whole c = __builtin_shufflevector(r0, r1, 2, 10, 3, 11, 6, 14, 7, 15), d = __builtin_shufflevector(r2, r3, 2, 10, 3, 11, 6, 14, 7, 15);
            sum = sum + x[k] * __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
            sum = sum + x[k + 1] * __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
            sum = sum + x[k + 2] * __builtin_shufflevector(c, d, 0, 1, 8, 9, 4, 5, 12, 13);
            sum = sum + x[k + 3] * __builtin_shufflevector(c, d, 2, 3, 10, 11, 6, 7, 14, 15);
        }
        for (; k < depth; ++k) {
            const whole column = {rows[k],             rows[depth + k],     rows[2 * depth + k], rows[3 * depth + k],
                                  rows[4 * depth + k], rows[5 * depth + k], rows[6 * depth + k], rows[7 * depth + k]};
            sum = sum + x[k] * column;
        }
        std::memcpy(out, &sum, sizeof sum);
    }
}
#endif
template <class T>
auto* fastest_scan_block() noexcept {
#if CARAMEL_RUNTIME_AVX2
    if constexpr (std::is_same_v<T, float>)
        if (__builtin_cpu_supports("avx2")) return &scan_block_avx2;
#endif
    return &scan_block<T>;
}

// Whether any of N scores is above `worst`; N is a multiple of the lanes.
template <std::size_t N, class T>
CARAMEL_ALWAYS_INLINE bool any_above(const T* scores, T worst) noexcept {
#if defined(__AVX512F__)
    unsigned hits = 0;
    if constexpr (sizeof(T) == 4)
        for (std::size_t i = 0; i < N; i += 16) hits |= _mm512_cmp_ps_mask(_mm512_loadu_ps(scores + i), _mm512_set1_ps(worst), _CMP_GT_OQ);
    else
        for (std::size_t i = 0; i < N; i += 8) hits |= _mm512_cmp_pd_mask(_mm512_loadu_pd(scores + i), _mm512_set1_pd(worst), _CMP_GT_OQ);
    return hits != 0;
#else
    unsigned hits = 0;
    for (std::size_t i = 0; i < N; ++i) hits |= static_cast<unsigned>(scores[i] > worst);
    return hits != 0;
#endif
}

// The best n of scores that come by ascending item. Candidates are collected, and all but the best n dropped, after few at
// first, so that soon hardly any comes, and later after many: where each score is better than all before it, one still costs
// no more than a few nanoseconds.
template <class T>
class best_so_far {
   public:
    static constexpr std::size_t spare = 256;
    // `skipped`: items that are left out, ascending.
    void begin(std::size_t n, std::span<const std::int32_t> skipped, workspace& scratch) {
        n_ = n;
        skipped_ = skipped;
        limit_ = n + 16;
        kept_ = scratch.take<recommendation<T>>(2 * n + spare + scan_rows + 2 * lanes<T>::count);
    }
    // N scores of items from `first` on, of which the first `valid` are any.
    template <std::size_t N>
    CARAMEL_ALWAYS_INLINE void offer(std::int32_t first, const T* scores, std::size_t valid) {
        using lane = typename lanes<T>::type;
        constexpr std::size_t width = lanes<T>::count;
        static_assert(N % width == 0 && N <= 2 * width + scan_rows);
        for (std::size_t i = 0; i < N; i += width) {
            lane x;
            std::memcpy(&x, scores + i, sizeof x);
            poison_ = poison_ + x * T(0);
        }
        if (full_ && !any_above<N>(scores, worst_)) return;
        take(first, scores, valid);
    }
    // Whether all scores were finite: times 0, all others are not 0.
    [[nodiscard]] bool all_finite() const noexcept {
        T parts[lanes<T>::count];
        std::memcpy(parts, &poison_, sizeof poison_);
        return std::all_of(std::begin(parts), std::end(parts), [](T p) { return p == T(0); });
    }
    // The best, in order. They lie in the workspace.
    [[nodiscard]] std::span<const recommendation<T>> finish() {
        keep_best();
        std::ranges::sort(kept_.first(count_), ranks_before{});
        return kept_.first(count_);
    }

   private:
    void take(std::int32_t first, const T* scores, std::size_t valid) {
        if (full_) {
            for (std::size_t i = 0; i < valid; ++i) {
                kept_[count_] = {first + static_cast<std::int32_t>(i), scores[i]};
                count_ += scores[i] > worst_ ? 1 : 0;  // of equal scores the earlier item ranks first, and it is there already
            }
        } else {
            for (std::size_t i = 0; i < valid; ++i) kept_[count_++] = {first + static_cast<std::int32_t>(i), scores[i]};
        }
        if (count_ < limit_) return;
        keep_best();
        limit_ = count_ + std::min(n_ + spare, 2 * (limit_ - n_));
    }
    void keep_best() {
        std::size_t kept = looked_at_;
        for (std::size_t i = looked_at_; i < count_; ++i) {
            while (next_skipped_ < skipped_.size() && skipped_[next_skipped_] < kept_[i].item) ++next_skipped_;
            if (next_skipped_ == skipped_.size() || skipped_[next_skipped_] != kept_[i].item) kept_[kept++] = kept_[i];
        }
        count_ = kept;
        if (count_ >= n_) {
            const auto nth = kept_.begin() + static_cast<std::ptrdiff_t>(n_) - 1;
            std::nth_element(kept_.begin(), nth, kept_.begin() + static_cast<std::ptrdiff_t>(count_), ranks_before{});
            count_ = n_;
            worst_ = nth->score;
            full_ = true;
        }
        looked_at_ = count_;
    }

    std::span<recommendation<T>> kept_;
    std::span<const std::int32_t> skipped_;
    std::size_t n_ = 0, count_ = 0, limit_ = 0, looked_at_ = 0, next_skipped_ = 0;
    typename lanes<T>::type poison_{};
    T worst_ = 0;
    bool full_ = false;
};

// out[i] = row i of `rows` * x.
template <class T>
void multiply_rows(const matrix<T>& rows, std::span<const T> x, std::span<T> out, workspace& scratch) {
    constexpr std::size_t block = scan_rows;
    const std::size_t n = out.size(), depth = x.size();
    auto* const scan_block = fastest_scan_block<T>();
    std::size_t i = 0;
    for (; i + block <= n; i += block) scan_block(rows.data() + i * depth, depth, x.data(), out.data() + i);
    if (i == n) return;
    const auto rest = scratch.take<T>(block * depth);
    std::fill(rest.begin(), rest.end(), T(0));
    if (depth > 0) std::copy_n(rows.data() + i * depth, (n - i) * depth, rest.data());
    T scores[block];
    scan_block(rest.data(), depth, x.data(), scores);
    std::copy_n(scores, n - i, out.data() + i);
}

// Calls `use(i, scores, n)` with the scores of chosen[i] .. chosen[i + n - 1], n of up to `scan_rows`, by the same sums.
template <class T, class Use>
void multiply_chosen_rows(const matrix<T>& rows, std::span<const std::int32_t> chosen, std::span<const T> x, workspace& scratch, const Use& use) {
    const std::size_t depth = x.size();
    auto* const scan_block = fastest_scan_block<T>();
    const auto side_by_side = scratch.take<T>(scan_rows * depth);
    std::fill(side_by_side.begin(), side_by_side.end(), T(0));
    T scores[scan_rows];
    for (std::size_t i = 0; i < chosen.size(); i += scan_rows) {
        const std::size_t n = std::min(scan_rows, chosen.size() - i);
        for (std::size_t r = 0; r < n && depth > 0; ++r)
            std::copy_n(rows.data() + static_cast<std::size_t>(chosen[i + r]) * depth, depth, side_by_side.data() + r * depth);
        scan_block(side_by_side.data(), depth, x.data(), scores);
        use(i, scores, n);
    }
}

// The best n (at least 1) of all rows * x but the skipped ones; `best` is as after `begin`.
template <class T>
void scan_products(const matrix<T>& rows, std::span<const T> x, best_so_far<T>& best, workspace& scratch) {
    constexpr std::size_t block = scan_rows;
    const std::size_t n = static_cast<std::size_t>(rows.rows()), depth = x.size();
    auto* const scan_block = fastest_scan_block<T>();
    T scores[block];
    std::size_t i = 0;
    for (; i + block <= n; i += block) {
        scan_block(rows.data() + i * depth, depth, x.data(), scores);
        best.template offer<block>(static_cast<std::int32_t>(i), scores, block);
    }
    if (i == n) return;
    const auto rest = scratch.take<T>(block * depth);
    std::fill(rest.begin(), rest.end(), T(0));
    if (depth > 0) std::copy_n(rows.data() + i * depth, (n - i) * depth, rest.data());
    scan_block(rest.data(), depth, x.data(), scores);
    best.template offer<block>(static_cast<std::int32_t>(i), scores, n - i);
}

// The same for many x at once, (queries, depth): blocks of rows are turned in the cache, once for all queries.
template <class T>
void scan_products(const matrix<T>& rows, const matrix<T>& x, std::span<best_so_far<T>> best, workspace& scratch) {
    using lane = typename scan_lanes<T>::type;
    constexpr std::size_t count = scan_lanes<T>::count, wide = 2 * lanes<T>::count, groups = wide / count, panels = 4, tall = CARAMEL_ALIGN_BYTES >= 64 ? 8 : 4;
    const std::size_t n = static_cast<std::size_t>(rows.rows()), depth = static_cast<std::size_t>(rows.cols()), queries = best.size();
    const auto panel = scratch.take<T>(panels * wide * depth);
    const auto rest = scratch.take<T>(wide * depth);
    T tile[tall * wide];
    for (std::size_t begin = 0; begin < n; begin += panels * wide) {
        const std::size_t end = std::min(n, begin + panels * wide);
        for (std::size_t i = begin, p = 0; i < end; i += wide, ++p) {
            const T* from = rows.data() + i * depth;
            if (end - i < wide) {
                std::fill(rest.begin(), rest.end(), T(0));
                if (depth > 0) std::copy_n(from, (end - i) * depth, rest.data());
                from = rest.data();
            }
            T* const to = panel.data() + p * wide * depth;
            turn_rows<T, groups>(from, depth, [&](std::size_t k, std::size_t g, const lane& column) {
                std::memcpy(to + k * wide + g * count, &column, sizeof column);
            });
        }
        for (std::size_t q = 0; q < queries; q += tall) {
            const std::size_t some = std::min(tall, queries - q);
            for (std::size_t i = begin, p = 0; i < end; i += wide, ++p) {
                const T* const a = x.data() + q * depth;
                const T* const b = panel.data() + p * wide * depth;
                if (some == tall) multiply_tile<T, tall, 2>(a, depth, 1, b, wide, depth, tile, wide, false);
                else multiply_strip<T, 2>(a, depth, 1, b, wide, some, depth, tile, wide, false);
                for (std::size_t r = 0; r < some; ++r) best[q + r].template offer<wide>(static_cast<std::int32_t>(i), tile + r * wide, std::min(wide, end - i));
            }
        }
    }
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
