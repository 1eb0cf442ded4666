#ifndef CARAMEL_CORE_SOFTMAX_HPP
#define CARAMEL_CORE_SOFTMAX_HPP

// From scores to probabilities; no finite score overflows.

#include <algorithm>
#include <cmath>
#include <span>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// Scores -> probabilities that sum to 1, in place.
template <class T>
void softmax_row(std::span<T> z) noexcept {
    const T top = *std::max_element(z.begin(), z.end());
    double sum = 0;
    for (T& v : z) {
        v = std::exp(v - top);
        sum += static_cast<double>(v);
    }
    for (T& v : z) v = static_cast<T>(static_cast<double>(v) / sum);
}

// 1 / (1 + exp(-z)); of -z it is what is left to 1.
template <class T>
[[nodiscard]] T sigmoid_of(T z) noexcept {
    const T e = std::exp(-std::abs(z));
    return (z < T(0) ? e : T(1)) / (T(1) + e);
}

// log(1 + exp(z)), without overflow.
template <class T>
[[nodiscard]] T softplus(T z) noexcept {
    return std::max(z, T(0)) + std::log1p(std::exp(-std::abs(z)));
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
