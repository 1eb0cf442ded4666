#ifndef CARAMEL_CORE_FINITE_HPP
#define CARAMEL_CORE_FINITE_HPP

// Whether all of many numbers are finite, in a fraction of the time that asking each of them takes.

#include <concepts>
#include <cstddef>
#include <span>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// Times 0, a number is 0 if, and only if, it is finite. Eight sums at once, so that the compiler takes whole registers.
template <std::floating_point T>
[[nodiscard]] bool all_finite(const T* x, std::size_t n) noexcept {
    T sums[8] = {};
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += T(0) * x[i + lane];
    for (; i < n; ++i) sums[0] += T(0) * x[i];
    T sum = 0;
    for (const T s : sums) sum += s;
    return sum == T(0);
}
template <std::floating_point T>
[[nodiscard]] bool all_finite(std::span<const T> x) noexcept {
    return all_finite(x.data(), x.size());
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
