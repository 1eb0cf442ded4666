#ifndef CARAMEL_NN_ELEMENTARY_HPP
#define CARAMEL_NN_ELEMENTARY_HPP

// exp, tanh and the normal distribution for activations, out of sums, products and a few divisions: without a branch or a call, so a loop of them
// vectorizes, and with the same bits from every compiler and C library at the same instruction set.

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

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

// `yes` or `no`, both worked out: of a conditional expression compilers make a branch, and leave the loop around it alone.
template <std::floating_point T>
[[nodiscard]] CARAMEL_ALWAYS_INLINE T choose(bool which, T yes, T no) noexcept {
    using bits = typename exp_constants<T>::bits;
    const bits mask = which ? ~bits{0} : bits{0};
    return std::bit_cast<T>(static_cast<bits>((std::bit_cast<bits>(yes) & mask) | (std::bit_cast<bits>(no) & ~mask)));
}

// e^x of x at most 0, within 2 units in the last place; 0 below -708 (float: -87). x = n ln 2 + r with n an integer and
// |r| at most ln 2 / 2 (Cody & Waite, 1980); Taylor's series of e^r to r^13 (float: r^7) is off by less than 1e-17 (1e-8).
template <std::floating_point T>
[[nodiscard]] CARAMEL_ALWAYS_INLINE T exp_down(T x) noexcept {
    using with = exp_constants<T>;
    using bits = typename with::bits;
    const T inside = choose(x < with::lowest, with::lowest, x);  // so written, NaN stays NaN
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
    return choose(x < with::lowest, T(0), value);
}

// Within 3 units in the last place: below .625 by a quotient of polynomials (Moshier's Cephes), else by e^(-2 |x|).
template <std::floating_point T>
[[nodiscard]] CARAMEL_ALWAYS_INLINE T tanh_of(T x) noexcept {
    const T size = std::abs(x);
    const T e = exp_down(T(-2) * size);
    const T far = (T(1) - e) / (T(1) + e);
    const T a = choose(size < T(1), size, T(1));
    const T s = a * a;
    const T above = (T(-0.964399179425052238628) * s - T(99.2877231001918586564)) * s - T(1614.68768441708447952);
    const T below = ((s + T(112.811678491632931402)) * s + T(2235.48839060100448583)) * s + T(4844.06305325125486048);
    const T near = a + a * s * (above / below);
    return std::copysign(choose(size < T(0.625), near, far), x);
}

// e^x - 1 of x at most 0, also where that is close to 0.
template <std::floating_point T>
[[nodiscard]] CARAMEL_ALWAYS_INLINE T expm1_down(T x) noexcept {
    const T t = tanh_of(x / 2);
    return 2 * t / (T(1) - t);
}

// What stands in the sum of `normal_of`, highest power first: fitted to half of e^(z^2) erfc(z) / t on 0 <= t <= 1 at
// Chebyshev's points.
template <std::floating_point T>
inline constexpr auto tail_terms = [] {
    if constexpr (std::same_as<T, float>)
        return std::array{9.00372677e-7F, -1.55006632e-5F, -5.8374535e-5F, 2.72812367e-5F, 0.000764849233F, 0.00330084538F, 0.00954745181F,
                          0.0217500466F,  0.0413564776F,   0.0676068928F,  0.0966510867F,  0.122068585F,    0.136999458F};
    else
        return std::array{1.56521153526472752e-10,  -3.308971256243086497e-11, -1.940257848951564006e-9, -1.034560951702737239e-10, 1.538950927819871454e-8,
                          9.497201093632626185e-9,  -1.055551892314153368e-7,  -1.78119660047981249e-7,  5.866304749145833046e-7,   2.357685222246970531e-6,
                          -4.543197546795430851e-7, -0.00002210163559464961757, -0.00005688160618811166617, 0.00003511986714932011168, 0.0007640069602644005778,
                          0.003296256666118743045,  0.009547689363376079725,   0.02175136715511446142,   0.04135644848476292407,    0.06760672891414956522,
                          0.09665108778315450407,   0.1220685911351103049,     0.1369994576250613899};
}();

template <std::floating_point T>
struct normal_values {
    T below, density;
};
// The chance that a standard normal number is below x, and its density there. Of the smaller tail, whose relative error is at
// most 1e-15 (float: 4e-7) near 0 and grows with x^2 / 2 times the rounding: e^(-z^2) t q(2 t - 1), z = |x| / sqrt(2),
// t = 4 / (4 + z), with a polynomial q.
template <std::floating_point T>
[[nodiscard]] CARAMEL_ALWAYS_INLINE normal_values<T> normal_of(T x) noexcept {
    const T t = T(4) / (T(4) + T(0.7071067811865475244) * std::abs(x));
    const T u = T(2) * t - T(1);
    T sum = 0;
    [&]<std::size_t... I>(std::index_sequence<I...>) { ((sum = sum * u + tail_terms<T>[I]), ...); }(std::make_index_sequence<tail_terms<T>.size()>{});
    const T bell = exp_down(T(-0.5) * x * x);
    const T tail = bell * (t * sum);
    return {choose(x < T(0), tail, T(1) - tail), T(0.3989422804014326779) * bell};
}

// 1 / (1 + e^-x), without overflow.
template <std::floating_point T>
[[nodiscard]] CARAMEL_ALWAYS_INLINE T logistic_of(T x) noexcept {
    const T e = exp_down(-std::abs(x));
    return choose(x < T(0), e, T(1)) / (T(1) + e);
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
