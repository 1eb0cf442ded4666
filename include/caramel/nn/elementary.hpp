#ifndef CARAMEL_NN_ELEMENTARY_HPP
#define CARAMEL_NN_ELEMENTARY_HPP

// exp and tanh for activations, out of sums, products and one division each: without a branch or a call, so a loop of them
// vectorizes, and with the same bits from every compiler and C library at the same instruction set.

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

template <std::floating_point T>
struct exp_constants;
template <>
struct exp_constants<float> {
    using bits = std::uint32_t;
    static constexpr int fraction = 23;
    static constexpr float lowest = -87, integer = 0x1.8p23F, ln2_high = 0x1.62e4p-1F, ln2_low = 0x1.7f7d1cp-20F;
};
template <>
struct exp_constants<double> {
    using bits = std::uint64_t;
    static constexpr int fraction = 52;
    static constexpr double lowest = -708, integer = 0x1.8p52, ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
};

// e^x of x at most 0, within 2 units in the last place; 0 below -708 (float: -87). x = n ln 2 + r with n an integer and
// |r| at most ln 2 / 2 (Cody & Waite, 1980); Taylor's series of e^r to r^13 (float: r^7) is off by less than 1e-17 (1e-8).
template <std::floating_point T>
[[nodiscard]] CARAMEL_ALWAYS_INLINE T exp_down(T x) noexcept {
    using with = exp_constants<T>;
    using bits = typename with::bits;
    const T inside = x < with::lowest ? with::lowest : x;  // so written, NaN stays NaN
    const T shifted = inside * T(1.4426950408889634) + with::integer;  // n stands in its last bits
    const T n = shifted - with::integer;
    const T r = (inside - n * with::ln2_high) - n * with::ln2_low;
    T sum;
    if constexpr (std::same_as<T, float>) {
        sum = 1.F / 5040;
    } else {
        sum = 1 / 6227020800.0;
        sum = sum * r + 1 / 479001600.0;
        sum = sum * r + 1 / 39916800.0;
        sum = sum * r + 1 / 3628800.0;
        sum = sum * r + 1 / 362880.0;
        sum = sum * r + 1 / 40320.0;
        sum = sum * r + 1 / 5040.0;
    }
    sum = sum * r + T(1 / 720.0);
    sum = sum * r + T(1 / 120.0);
    sum = sum * r + T(1 / 24.0);
    sum = sum * r + T(1 / 6.0);
    sum = sum * r + T(0.5);
    sum = sum * r + T(1);
    sum = sum * r + T(1);
    const T power = std::bit_cast<T>(static_cast<bits>((std::bit_cast<bits>(shifted) << with::fraction) + std::bit_cast<bits>(T(1))));
    const T value = sum * power;
    return x < with::lowest ? T(0) : value;
}

// Within 3 units in the last place: below .625 by a quotient of polynomials (Moshier's Cephes), else by e^(-2 |x|).
template <std::floating_point T>
[[nodiscard]] CARAMEL_ALWAYS_INLINE T tanh_of(T x) noexcept {
    const T size = std::abs(x);
    const T e = exp_down(T(-2) * size);
    const T far = (T(1) - e) / (T(1) + e);
    const T a = size < T(1) ? size : T(1);
    const T s = a * a;
    const T above = (T(-0.964399179425052238628) * s - T(99.2877231001918586564)) * s - T(1614.68768441708447952);
    const T below = ((s + T(112.811678491632931402)) * s + T(2235.48839060100448583)) * s + T(4844.06305325125486048);
    const T near = a + a * s * (above / below);
    return std::copysign(size < T(0.625) ? near : far, x);
}

// e^x - 1 of x at most 0, also where that is close to 0.
template <std::floating_point T>
[[nodiscard]] CARAMEL_ALWAYS_INLINE T expm1_down(T x) noexcept {
    const T t = tanh_of(x / 2);
    return 2 * t / (T(1) - t);
}

// 1 / (1 + e^-x), without overflow.
template <std::floating_point T>
[[nodiscard]] CARAMEL_ALWAYS_INLINE T logistic_of(T x) noexcept {
    const T e = exp_down(-std::abs(x));
    return (x < T(0) ? e : T(1)) / (T(1) + e);
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
