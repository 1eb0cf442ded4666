#ifndef CARAMEL_CORE_PLATFORM_HPP
#define CARAMEL_CORE_PLATFORM_HPP

// What depends on the compiler and the machine: visibility, the name of the inline namespace, and the guard that keeps
// translation units with different -march from being linked together. Everything else in the library is plain C++20.

// A file that is not there stops the compiler, so that this line is the last; an #error would be the first of 30,000.
#if __cplusplus < 202002L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 202002L)
#include "caramel is written in C++20: compile with -std=c++20"
#endif

#include <bit>

#include <caramel/version.hpp>

#if !defined(CARAMEL_ALLOW_FAST_MATH) && (defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__))
#error "caramel: -ffast-math removes the checks for NaN and infinity; compile without it (or define CARAMEL_ALLOW_FAST_MATH)"
#elif !defined(CARAMEL_ALLOW_FAST_MATH) && defined(__ASSOCIATIVE_MATH__)  // only g++ says so
#error "caramel: -fassociative-math sums in another order, so results have other bits; compile without it (or define CARAMEL_ALLOW_FAST_MATH)"
#endif

static_assert(std::endian::native == std::endian::little, "caramel: saved files are little-endian; this machine is not");

#if defined(__GNUC__)
#define CARAMEL_EXPORT __attribute__((visibility("default")))
#define CARAMEL_ALWAYS_INLINE inline __attribute__((always_inline))
#define CARAMEL_INLINE_LAMBDA __attribute__((always_inline))  // after the parameters of a lambda
#define CARAMEL_COLD __attribute__((cold, noinline))
#define CARAMEL_NEVER_INLINE __attribute__((noinline))
#define CARAMEL_PREFETCH(address) __builtin_prefetch(address)
#define CARAMEL_PREFETCH_FAR(address) __builtin_prefetch(address, 0, 2)  // not into the nearest cache: more can be under way
#else
#define CARAMEL_EXPORT
#define CARAMEL_ALWAYS_INLINE inline
#define CARAMEL_INLINE_LAMBDA
#define CARAMEL_COLD
#define CARAMEL_NEVER_INLINE
#define CARAMEL_PREFETCH(address) static_cast<void>(address)
#define CARAMEL_PREFETCH_FAR(address) static_cast<void>(address)
#endif

// Whether a program for any x86-64 machine may look, when it runs, for wider registers than all of them have.
#if defined(__GNUC__) && defined(__x86_64__) && defined(__ELF__) && !defined(__AVX__)
#define CARAMEL_RUNTIME_AVX2 1
#else
#define CARAMEL_RUNTIME_AVX2 0
#endif

// How Eigen aligns what it allocates, which -march decides. Worked out here so that headers without Eigen agree with
// those that have it; core/matrix.hpp checks it against Eigen's own figure.
#if defined(EIGEN_MAX_ALIGN_BYTES)
#define CARAMEL_ALIGN_BYTES EIGEN_MAX_ALIGN_BYTES
#elif defined(EIGEN_DONT_ALIGN) || defined(EIGEN_DONT_VECTORIZE)
#define CARAMEL_ALIGN_BYTES 0
#elif defined(__AVX512F__)
#define CARAMEL_ALIGN_BYTES 64
#elif defined(__AVX__)
#define CARAMEL_ALIGN_BYTES 32
#else
#define CARAMEL_ALIGN_BYTES 16
#endif

// Two versions of the library, or two alignments, get different names, so they cannot be mixed unnoticed.
#define CARAMEL_JOIN2(a, b, c, d) a##b##c##d
#define CARAMEL_JOIN(a, b, c, d) CARAMEL_JOIN2(a, b, c, d)
#define CARAMEL_ABI CARAMEL_JOIN(v, CARAMEL_VERSION_MAJOR, _, CARAMEL_ALIGN_BYTES)

namespace caramel::inline CARAMEL_ABI {

// Sixteen bytes that are compared at once, where the compiler has them without a header of intrinsics.
#if defined(__GNUC__) && defined(__SSE2__)
#define CARAMEL_BYTE_VECTORS 1
namespace detail {
using bytes16 = unsigned char __attribute__((vector_size(16)));
using signed_bytes16 = char __attribute__((vector_size(16)));
/// Bit i is the highest bit of byte i.
[[nodiscard]] inline unsigned high_bits(bytes16 bytes) noexcept { return static_cast<unsigned>(__builtin_ia32_pmovmskb128(reinterpret_cast<signed_bytes16>(bytes))); }
}  // namespace detail
#else
#define CARAMEL_BYTE_VECTORS 0
#endif

}  // namespace caramel::inline CARAMEL_ABI

// Different names do not help where only an Eigen matrix crosses between translation units: made under -mavx2 and freed
// without it, it corrupts the heap. So each translation unit brings one hidden byte, in a group that is named after its
// instruction set: the linker folds equal groups into one, and refuses two different ones as a symbol defined twice,
// under a name that says what is wrong. (ELF only; elsewhere the inline namespace is the guard.)
#if defined(__ELF__) && (defined(__x86_64__) || defined(__aarch64__)) && !defined(CARAMEL_NO_LINK_GUARD)
#if defined(__AVX512F__)
#define CARAMEL_SIMD avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define CARAMEL_SIMD avx2_fma
#elif defined(__AVX2__)
#define CARAMEL_SIMD avx2
#elif defined(__AVX__)
#define CARAMEL_SIMD avx
#elif defined(__SSE4_1__)
#define CARAMEL_SIMD sse4
#else
#define CARAMEL_SIMD baseline
#endif
#define CARAMEL_TEXT2(x) #x
#define CARAMEL_TEXT(x) CARAMEL_TEXT2(x)
__asm__(".pushsection .rodata.caramel_guard,\"aG\",%progbits,caramel_" CARAMEL_TEXT(CARAMEL_ABI) "_" CARAMEL_TEXT(
    CARAMEL_SIMD) ",comdat\n"
                  ".ifndef caramel_translation_units_were_compiled_with_different_march\n"
                  ".globl caramel_translation_units_were_compiled_with_different_march\n"
                  ".hidden caramel_translation_units_were_compiled_with_different_march\n"
                  "caramel_translation_units_were_compiled_with_different_march:\n"
                  ".byte 0\n"
                  ".endif\n"
                  ".popsection\n");
#undef CARAMEL_TEXT2
#undef CARAMEL_TEXT
#endif

#endif
