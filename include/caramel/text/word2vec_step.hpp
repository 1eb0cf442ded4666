#ifndef CARAMEL_TEXT_WORD2VEC_STEP_HPP
#define CARAMEL_TEXT_WORD2VEC_STEP_HPP

// One step of skip-gram with negative sampling: some words of a window, the inputs, against the word in its middle and a few
// words drawn at random, the outputs, as two small matrix products and back.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstring>

#include <caramel/core/platform.hpp>

#if defined(__FMA__)
#include <immintrin.h>
#endif

namespace caramel::inline CARAMEL_ABI::detail {

inline constexpr std::size_t step_outputs = 6;  // the word and five others: as many as leave registers for their changes
inline constexpr std::size_t step_slopes = 8;   // from one input's slopes to the next's
/// Rows lie a multiple of so many numbers apart, zeros behind their end.
template <class T>
inline constexpr std::size_t step_width = 64 / sizeof(T);

#if defined(__GNUC__)
template <class T, std::size_t Bytes>
struct step_lane {
    typedef T type __attribute__((vector_size(Bytes)));
};
#endif

// sum += a * b, rounded once where the program was compiled for that.
template <class Lane>
CARAMEL_ALWAYS_INLINE void add_lane_product(const Lane& a, const Lane& b, Lane& sum) {
#if defined(__FMA__)
    constexpr bool single = sizeof(a[0]) == 4;
#if defined(__AVX512F__)
    if constexpr (sizeof(Lane) == 64 && single) sum = (Lane)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)sum);
    else if constexpr (sizeof(Lane) == 64) sum = (Lane)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)sum);
    else
#endif
    if constexpr (sizeof(Lane) == 32 && single) sum = (Lane)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
    else if constexpr (sizeof(Lane) == 32) sum = (Lane)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)sum);
    else sum = sum + a * b;
#else
    sum = sum + a * b;
#endif
}

// 1 / (1 + exp(-x)). For float a rational function (of Eigen's tanh), off by some 1e-7; beyond +-15 it stands still.
template <class Value, class T>
CARAMEL_ALWAYS_INLINE void rational_sigmoid(Value& x, T /*the number type*/) {
    const Value zero = x * T(0), top = zero + T(7.5), bottom = zero - T(7.5);
    x = x * T(.5);
    x = x > top ? top : x;
    x = x < bottom ? bottom : x;
    const Value q = x * x;
    const Value above = x * (((((((q * T(-2.76076847742355e-16) + T(2.00018790482477e-13)) * q + T(-8.60467152213735e-11)) * q + T(5.12229709037114e-08)) * q +
                                T(1.48572235717979e-05)) * q + T(6.37261928875436e-04)) * q + T(4.89352455891786e-03)));
    const Value below = ((q * T(1.19825839466702e-06) + T(1.18534705686654e-04)) * q + T(2.26843463243900e-03)) * q + T(4.89352518554385e-03);
    x = above / below * T(.5) + T(.5);
}

#if defined(__GNUC__)

// The sums of 6 x 16 floats, or 6 x 8 doubles, in one order whatever the registers' width: `parts` registers each.
template <class T, std::size_t Bytes, std::size_t Rows, class Lane>
CARAMEL_ALWAYS_INLINE void total_lanes(const Lane (&sums)[Rows][64 / Bytes], T* out) {
    typedef T quarter __attribute__((vector_size(16)));
    quarter folded[Rows];
    for (std::size_t o = 0; o < Rows; ++o) {
        if constexpr (Bytes == 16) {
            folded[o] = (sums[o][0] + sums[o][2]) + (sums[o][1] + sums[o][3]);
        } else {
            typedef T half __attribute__((vector_size(32)));
            half h;
            if constexpr (Bytes == 32) {
                h = sums[o][0] + sums[o][1];
            } else if constexpr (sizeof(T) == 4) {
                h = __builtin_shufflevector(sums[o][0], sums[o][0], 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(sums[o][0], sums[o][0], 8, 9, 10, 11, 12, 13, 14, 15);
            } else {
                h = __builtin_shufflevector(sums[o][0], sums[o][0], 0, 1, 2, 3) + __builtin_shufflevector(sums[o][0], sums[o][0], 4, 5, 6, 7);
            }
            if constexpr (sizeof(T) == 4) folded[o] = __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
            else folded[o] = __builtin_shufflevector(h, h, 0, 1) + __builtin_shufflevector(h, h, 2, 3);
        }
    }
    if constexpr (sizeof(T) == 4 && Rows == 6) {
        const auto pairs = [&](std::size_t a, std::size_t b, quarter& to) {
            to = __builtin_shufflevector(folded[a], folded[b], 0, 1, 4, 5) + __builtin_shufflevector(folded[a], folded[b], 2, 3, 6, 7);
        };
        quarter x, y, z;
        pairs(0, 1, x);
        pairs(2, 3, y);
        pairs(4, 5, z);
        const quarter first = __builtin_shufflevector(x, y, 0, 2, 4, 6) + __builtin_shufflevector(x, y, 1, 3, 5, 7);
        const quarter last = __builtin_shufflevector(z, z, 0, 2, 4, 6) + __builtin_shufflevector(z, z, 1, 3, 5, 7);
        std::memcpy(out, &first, sizeof first);
        std::memcpy(out + 4, &last, 2 * sizeof(T));
    } else if constexpr (sizeof(T) == 4) {
        for (std::size_t o = 0; o < Rows; ++o) out[o] = (folded[o][0] + folded[o][2]) + (folded[o][1] + folded[o][3]);
    } else {
        for (std::size_t o = 0; o < Rows; ++o) out[o] = folded[o][0] + folded[o][1];
    }
}

template <class T, std::size_t Bytes>
CARAMEL_ALWAYS_INLINE void negative_sampling_step_in(T* const* inputs, std::size_t n, T* const* outputs, const T* wanted, const T* rates, std::size_t stride,
                                                     T* slopes) {
    using lane = typename step_lane<T, Bytes>::type;
    constexpr std::size_t count = Bytes / sizeof(T), parts = 64 / Bytes, rows = parts > 2 ? 3 : step_outputs;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t first = 0; first < step_outputs; first += rows) {
            lane sums[rows][parts] = {};
            for (std::size_t j = 0; j < stride; j += step_width<T>)
                for (std::size_t p = 0; p < parts; ++p) {
                    lane x;
                    std::memcpy(&x, inputs[i] + j + p * count, sizeof x);
                    for (std::size_t o = 0; o < rows; ++o) {
                        lane y;
                        std::memcpy(&y, outputs[first + o] + j + p * count, sizeof y);
                        add_lane_product(x, y, sums[o][p]);
                    }
                }
            total_lanes<T, Bytes, rows>(sums, slopes + i * step_slopes + first);
        }
        slopes[i * step_slopes + 6] = slopes[i * step_slopes + 7] = 0;
    }
    if constexpr (std::same_as<T, float>) {
        lane wish[step_slopes / count == 0 ? 1 : step_slopes / count], rate[step_slopes / count == 0 ? 1 : step_slopes / count];
        if constexpr (count <= step_slopes) {
            std::memcpy(wish, wanted, step_slopes * sizeof(T));
            std::memcpy(rate, rates, step_slopes * sizeof(T));
        } else {  // two inputs at once
            T twice[2][2 * step_slopes];
            for (std::size_t k = 0; k < 2 * step_slopes; ++k) twice[0][k] = wanted[k % step_slopes], twice[1][k] = rates[k % step_slopes];
            std::memcpy(wish, twice[0], sizeof(lane));
            std::memcpy(rate, twice[1], sizeof(lane));
        }
        for (std::size_t at = 0, k = 0; at < n * step_slopes; at += count, k = (k + 1) % (sizeof wish / sizeof(lane))) {
            lane x;
            std::memcpy(&x, slopes + at, sizeof x);
            rational_sigmoid(x, T(0));
            x = (wish[k] - x) * rate[k];
            std::memcpy(slopes + at, &x, sizeof x);
        }
    } else {
        for (std::size_t at = 0; at < n * step_slopes; ++at)
            slopes[at] = (wanted[at % step_slopes] - 1 / (1 + std::exp(-slopes[at]))) * rates[at % step_slopes];
    }
    for (std::size_t j = 0; j < stride; j += count) {
        lane old[step_outputs], change[step_outputs] = {};
        for (std::size_t o = 0; o < step_outputs; ++o) std::memcpy(&old[o], outputs[o] + j, sizeof(lane));
        for (std::size_t i = 0; i < n; ++i) {
            lane x, y;
            std::memcpy(&x, inputs[i] + j, sizeof x);
            y = x;
            for (std::size_t o = 0; o < step_outputs; ++o) {
                const lane slope = slopes[i * step_slopes + o] - lane{};
                add_lane_product(slope, x, change[o]);
                add_lane_product(slope, old[o], y);
            }
            std::memcpy(inputs[i] + j, &y, sizeof y);
        }
        for (std::size_t o = 0; o < step_outputs; ++o) {  // loaded again: two of them may be one row
            lane now;
            std::memcpy(&now, outputs[o] + j, sizeof now);
            now = now + change[o];
            std::memcpy(outputs[o] + j, &now, sizeof now);
        }
    }
}

/// Moves `n` input rows and `step_outputs` output rows up the slope of the log-likelihood: output o should be `wanted[o]`
/// (1 or 0) and counts with `rates[o]`; a rate of 0 leaves it out. Rows are `stride` numbers long, a multiple of
/// `step_width`; `slopes` has room for n + 1 times `step_slopes` and comes out as rate * (wanted - probability).
template <class T>
void negative_sampling_step(T* const* inputs, std::size_t n, T* const* outputs, const T* wanted, const T* rates, std::size_t stride, T* slopes) {
    constexpr std::size_t bytes = CARAMEL_ALIGN_BYTES >= 64 ? 64 : CARAMEL_ALIGN_BYTES >= 32 ? 32 : 16;
    negative_sampling_step_in<T, bytes>(inputs, n, outputs, wanted, rates, stride, slopes);
}
#if CARAMEL_RUNTIME_AVX2
// The same sums and the same bits in wider registers.
template <class T>
__attribute__((target("avx2"))) void negative_sampling_step_avx2(T* const* inputs, std::size_t n, T* const* outputs, const T* wanted, const T* rates,
                                                                 std::size_t stride, T* slopes) {
    negative_sampling_step_in<T, 32>(inputs, n, outputs, wanted, rates, stride, slopes);
}
#endif

#else

template <class T>
void negative_sampling_step(T* const* inputs, std::size_t n, T* const* outputs, const T* wanted, const T* rates, std::size_t stride, T* slopes) {
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t o = 0; o < step_outputs; ++o) {
            T sum = 0;
            for (std::size_t j = 0; j < stride; ++j) sum += inputs[i][j] * outputs[o][j];
            slopes[i * step_slopes + o] = (wanted[o] - 1 / (1 + std::exp(-sum))) * rates[o];
        }
    for (std::size_t j = 0; j < stride; ++j) {
        T old[step_outputs], change[step_outputs] = {};
        for (std::size_t o = 0; o < step_outputs; ++o) old[o] = outputs[o][j];
        for (std::size_t i = 0; i < n; ++i) {
            const T x = inputs[i][j];
            for (std::size_t o = 0; o < step_outputs; ++o) {
                change[o] += slopes[i * step_slopes + o] * x;
                inputs[i][j] += slopes[i * step_slopes + o] * old[o];
            }
        }
        for (std::size_t o = 0; o < step_outputs; ++o) outputs[o][j] += change[o];
    }
}

#endif

template <class T>
auto* fastest_negative_sampling_step() noexcept {
#if CARAMEL_RUNTIME_AVX2
    if (__builtin_cpu_supports("avx2")) return &negative_sampling_step_avx2<T>;
#endif
    return &negative_sampling_step<T>;
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
