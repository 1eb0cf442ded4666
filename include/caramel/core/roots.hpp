#ifndef CARAMEL_CORE_ROOTS_HPP
#define CARAMEL_CORE_ROOTS_HPP

// Square roots of many numbers. std::sqrt may have to set errno, so compilers leave a loop of it unvectorized unless they
// are told otherwise by an option; a root is correctly rounded either way, so both ways give the same bits.

#include <cmath>
#include <concepts>
#include <cstddef>

#include <caramel/core/platform.hpp>

#if defined(__AVX__)
#include <immintrin.h>  // which Eigen includes, too
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace caramel::inline CARAMEL_ABI::detail {

// Each of the `n` values becomes its root. (With a mask of all: without one g++ 12 warns of its own intrinsic.)
template <std::floating_point T>
void square_roots(T* const x, std::size_t n) noexcept {
    std::size_t i = 0;
#if defined(__SSE2__)
    if constexpr (std::same_as<T, float>) {
#if defined(__AVX512F__)
        for (; i + 16 <= n; i += 16) _mm512_storeu_ps(x + i, _mm512_maskz_sqrt_ps(static_cast<__mmask16>(0xFFFF), _mm512_loadu_ps(x + i)));
#endif
#if defined(__AVX__)
        for (; i + 8 <= n; i += 8) _mm256_storeu_ps(x + i, _mm256_sqrt_ps(_mm256_loadu_ps(x + i)));
#endif
        for (; i + 4 <= n; i += 4) _mm_storeu_ps(x + i, _mm_sqrt_ps(_mm_loadu_ps(x + i)));
    } else if constexpr (std::same_as<T, double>) {
#if defined(__AVX512F__)
        for (; i + 8 <= n; i += 8) _mm512_storeu_pd(x + i, _mm512_maskz_sqrt_pd(static_cast<__mmask8>(0xFF), _mm512_loadu_pd(x + i)));
#endif
#if defined(__AVX__)
        for (; i + 4 <= n; i += 4) _mm256_storeu_pd(x + i, _mm256_sqrt_pd(_mm256_loadu_pd(x + i)));
#endif
        for (; i + 2 <= n; i += 2) _mm_storeu_pd(x + i, _mm_sqrt_pd(_mm_loadu_pd(x + i)));
    }
#endif
    for (; i < n; ++i) x[i] = std::sqrt(x[i]);
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
