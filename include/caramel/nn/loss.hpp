#ifndef CARAMEL_NN_LOSS_HPP
#define CARAMEL_NN_LOSS_HPP

// Losses of one row: each gives its value and writes its gradient by the network's outputs.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI {

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

/// The mean over the outputs of - log of the probability that the sigmoid of the output gives to its target, 0 or 1:
/// log(1 + exp(-z)) of a 1, log(1 + exp(z)) of a 0. Each output is a yes or no of its own.
struct sigmoid_cross_entropy {
    template <class T>
    [[nodiscard]] static double row(std::span<const T> z, std::span<const T> target, std::span<T> dz) noexcept {
        double sum = 0;
        const auto n = static_cast<T>(z.size());
        for (std::size_t k = 0; k < z.size(); ++k) {
            const T sign = target[k] > T(0) ? T(-1) : T(1), wrong = sign * z[k];  // the log odds of the wrong answer
            const T e = std::exp(-std::abs(wrong));
            sum += std::max(static_cast<double>(wrong), 0.0) + std::log1p(static_cast<double>(e));
            dz[k] = sign * ((wrong < T(0) ? e : T(1)) / (T(1) + e)) / n;
        }
        return sum / static_cast<double>(z.size());
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
