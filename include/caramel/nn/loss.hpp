#ifndef CARAMEL_NN_LOSS_HPP
#define CARAMEL_NN_LOSS_HPP

// Losses of one row: each gives its value and writes its gradient by the network's outputs.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Logits -> probabilities that sum to 1, in place; no finite logit overflows.
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

}  // namespace detail

/// - log of the probability that softmax gives to the right class. Two logits are the binary case: the same as the
/// logistic loss of their difference.
struct softmax_cross_entropy {
    /// `dz`, as long as the logits `z`, becomes the gradient. `label` is a place in `z` (not checked).
    template <class T>
    [[nodiscard]] static double row(std::span<const T> z, int label, std::span<T> dz) noexcept {
        const T top = *std::max_element(z.begin(), z.end());
        double sum = 0;
        for (std::size_t k = 0; k < z.size(); ++k) {
            dz[k] = std::exp(z[k] - top);
            sum += static_cast<double>(dz[k]);
        }
        for (T& d : dz) d = static_cast<T>(static_cast<double>(d) / sum);
        const auto right = static_cast<std::size_t>(label);
        const double loss = std::log(sum) + (static_cast<double>(top) - static_cast<double>(z[right]));
        dz[right] -= T(1);
        return loss;
    }
};

/// The mean over the outputs of (z - target)^2.
struct mean_squared_error {
    template <class T>
    [[nodiscard]] static double row(std::span<const T> z, std::span<const T> target, std::span<T> dz) noexcept {
        double sum = 0;
        const auto n = static_cast<double>(z.size());
        for (std::size_t k = 0; k < z.size(); ++k) {
            const double off = static_cast<double>(z[k]) - static_cast<double>(target[k]);
            sum += off * off;
            dz[k] = static_cast<T>(2 * off / n);
        }
        return sum / n;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
