#ifndef CARAMEL_NN_LOSS_HPP
#define CARAMEL_NN_LOSS_HPP

// Losses of one row: each gives its value and writes its gradient by the network's outputs.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include <caramel/core/platform.hpp>
#include <caramel/core/softmax.hpp>

namespace caramel::inline CARAMEL_ABI {

/// - log of the probability that softmax gives to the right class. Two logits are the binary case: the same as the
/// logistic loss of their difference. With `smoothing` above 0 the target is no longer the right class alone: it is
/// 1 - smoothing of it and smoothing spread evenly over all classes (Szegedy et al., CVPR 2016).
struct softmax_cross_entropy {
    /// `dz`, as long as the logits `z`, becomes the gradient. `label` is a place in `z` (not checked).
    template <class T>
    [[nodiscard]] static double row(std::span<const T> z, int label, std::span<T> dz, double smoothing = 0) noexcept {
        const T top = *std::max_element(z.begin(), z.end());
        double sum = 0;
        for (std::size_t k = 0; k < z.size(); ++k) {
            dz[k] = std::exp(z[k] - top);
            sum += static_cast<double>(dz[k]);
        }
        for (T& d : dz) d = static_cast<T>(static_cast<double>(d) / sum);
        const auto right = static_cast<std::size_t>(label);
        const auto below = [&](std::size_t k) { return static_cast<double>(top) - static_cast<double>(z[k]); };
        if (smoothing == 0) {
            const double loss = std::log(sum) + below(right);
            dz[right] -= T(1);
            return loss;
        }
        const double each = smoothing / static_cast<double>(z.size());
        double loss = std::log(sum) + (1 - smoothing) * below(right);
        for (std::size_t k = 0; k < z.size(); ++k) {
            loss += each * below(k);
            dz[k] -= static_cast<T>(each);
        }
        dz[right] -= static_cast<T>(1 - smoothing);
        return loss;
    }
};

/// (1 - p)^focus * (- log p), p the probability that softmax gives to the right class: rows that are right already count less
/// (Lin et al., ICCV 2017). A focus of 0 is the cross-entropy.
struct softmax_focal_loss {
    template <class T>
    [[nodiscard]] static double row(std::span<const T> z, int label, std::span<T> dz, double focus) noexcept {
        const auto right = static_cast<std::size_t>(label);
        const double top = static_cast<double>(*std::max_element(z.begin(), z.end()));
        double others = 0;
        for (std::size_t k = 0; k < z.size(); ++k)
            if (k != right) others += std::exp(static_cast<double>(z[k]) - top);
        const double mine = std::exp(static_cast<double>(z[right]) - top), sum = mine + others;
        const double p = mine / sum, rest = others / sum;  // rest is not 1 - p, which may have lost its digits
        const double log_p = rest < 0.5 ? std::log1p(-rest) : static_cast<double>(z[right]) - top - std::log(sum);
        const double weight = std::pow(rest, focus);
        const double slope = rest > 0 ? weight * (1 - focus * p * (log_p / rest)) : 0;  // by log p, times -1
        for (std::size_t k = 0; k < z.size(); ++k) dz[k] = static_cast<T>(slope * std::exp(static_cast<double>(z[k]) - top) / sum);
        dz[right] = static_cast<T>(-slope * rest);
        return -weight * log_p;
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
    /// With a weight for targets of 0 and one for those of 1; with targets moved by `smoothing` / 2 from 0 and 1 towards each
    /// other; with `focus` as in `softmax_focal_loss` (not both above 0).
    template <class T>
    [[nodiscard]] static double row(std::span<const T> z, std::span<const T> target, std::span<T> dz, double weight_of_0, double weight_of_1, double smoothing,
                                    double focus) noexcept {
        double sum = 0;
        const auto n = static_cast<double>(z.size());
        for (std::size_t k = 0; k < z.size(); ++k) {
            const bool yes = target[k] > T(0);
            const double sign = yes ? -1 : 1, weight = yes ? weight_of_1 : weight_of_0, wrong = sign * static_cast<double>(z[k]);
            const double e = std::exp(-std::abs(wrong)), share = (wrong < 0 ? e : 1) / (1 + e), right = (wrong < 0 ? 1 : e) / (1 + e);
            const double loss = detail::softplus(wrong);
            const double factor = focus > 0 ? std::pow(share, focus) : 1;
            sum += weight * (factor * loss - smoothing / 2 * wrong);
            dz[k] = static_cast<T>(weight * sign * (factor * (share + focus * right * loss) - smoothing / 2) / n);
        }
        return sum / n;
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

/// The mean over the outputs of off^2 / 2 where off = z - target is within +- `delta`, and of delta * (|off| - delta / 2) beyond:
/// what is far off pulls no harder (Huber, Annals of Mathematical Statistics 35, 1964).
struct huber_loss {
    template <class T>
    [[nodiscard]] static double row(std::span<const T> z, std::span<const T> target, std::span<T> dz, double delta) noexcept {
        double sum = 0;
        const auto n = static_cast<double>(z.size());
        for (std::size_t k = 0; k < z.size(); ++k) {
            const double off = static_cast<double>(z[k]) - static_cast<double>(target[k]);
            const double inside = std::clamp(off, -delta, delta);
            sum += inside * (off - inside / 2);
            dz[k] = static_cast<T>(inside / n);
        }
        return sum / n;
    }
};

/// Of two scores, the loss of the wrong order: log(1 + exp(-(better - worse))), - log of the chance that the better one comes
/// first (Burges et al., ICML 2005).
struct pairwise_logistic {
    /// `slope` becomes the gradient by `better`; that by `worse` is its opposite.
    [[nodiscard]] static double pair(double better, double worse, double& slope) noexcept {
        const double wrong = worse - better, e = std::exp(-std::abs(wrong));
        slope = -(wrong < 0 ? e : 1) / (1 + e);
        return detail::softplus(wrong);
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
