#ifndef CARAMEL_FEATURES_POWER_TRANSFORM_HPP
#define CARAMEL_FEATURES_POWER_TRANSFORM_HPP

// Skewed columns made nearly normal by a power of their values.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/features/columnwise.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Yeo & Johnson, Biometrika 87(4), 2000: a power of 1 + |x|, for negative values 2 - power, such that 1 changes nothing and 0
// is ln(1 + x) for values that are not negative.
template <class Number>
[[nodiscard]] Number yeo_johnson(Number x, Number power) {
    const Number p = x >= 0 ? power : 2 - power, l = std::log1p(std::abs(x));
    const Number out = std::abs(p) < Number(1e-8) ? l : std::expm1(p * l) / p;
    return x >= 0 ? out : -out;
}

}  // namespace detail

/// Column-wise powers in the manner of Yeo and Johnson, of values of either sign.
template <class T>
class power_transform_model : public detail::columnwise<power_transform_model<T>, T> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "power_transform";  // in saved files: never changes

    /// Throws `error` (`bad_data`).
    explicit power_transform_model(vec<double> powers) : powers_(std::move(powers)) {
        require(powers_.allFinite(), errc::bad_data, "power_transform: a power is not finite");
    }
    using detail::columnwise<power_transform_model, T>::operator();

    [[nodiscard]] row_index columns() const noexcept { return powers_.size(); }
    [[nodiscard]] T value(T x, row_index j) const { return static_cast<T>(detail::yeo_johnson(static_cast<double>(x), powers_(j))); }
    /// Of each column: 1 leaves it as it is.
    [[nodiscard]] const vec<double>& powers() const noexcept { return powers_; }

    static constexpr std::array field_names{"powers"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(powers_); }

   private:
    vec<double> powers_;
};

/// Recipe for `power_transform_model`: each column's power makes its values most likely under a normal distribution. It changes
/// shape only: put `standardize` behind it.
template <class T>
struct power_transform {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;
    std::optional<double> power = {};  ///< for all columns; empty: learnt, within -4 .. 4, to about 6 digits. 0 is ln(1 + x) for x >= 0

    /// Throws `error`: `empty_input`, `nan_or_inf`, `bad_data` (weights), `bad_parameter`.
    [[nodiscard]] power_transform_model<T> fit(const matrix_in<T>& x, const fit_options& options) const {
        require(!power || std::isfinite(*power), errc::bad_parameter, "power_transform: power is not finite");
        detail::require_training_rows(x, "power_transform");
        const row_weights weights(options.weights, static_cast<std::size_t>(x.rows()), "power_transform");
        vec<double> powers = vec<double>::Constant(x.cols(), power.value_or(1));
        if (!power)
            for (row_index j = 0; j < x.cols(); ++j)
                if (x.col(j).minCoeff() < x.col(j).maxCoeff()) powers(j) = best_power(x, j, weights);  // a constant stays one whatever the power
        return power_transform_model<T>(std::move(powers));
    }

   private:
    // Minus the log-likelihood, a row: half the log of the variance less (power - 1) times the mean of sign(x) ln(1 + |x|).
    static double unlikeliness(const matrix_in<T>& x, row_index j, const row_weights& weights, double power) {
        double sum = 0, mean = 0, squares = 0, logs = 0, largest = 0;
        for (row_index i = 0; i < x.rows(); ++i) {
            if (!(weights[i] > 0)) continue;
            const auto value = static_cast<double>(x(i, j));
            const double z = detail::yeo_johnson(value, power), off = z - mean;
            sum += weights[i];
            mean += off * (weights[i] / sum);
            squares += weights[i] * off * (z - mean);
            logs += weights[i] * std::copysign(std::log1p(std::abs(value)), value);
            largest = std::max(largest, std::abs(z));
        }
        const double variance = squares / weights.sum();
        // What has shrunk to rounding noise, or left the numbers, is no transformation.
        if (!std::isfinite(variance) || !(variance > 1e-24 * largest * largest)) return std::numeric_limits<double>::infinity();
        return std::log(variance) / 2 - (power - 1) * logs / weights.sum();
    }
    // A coarse look, then golden sections around the best.
    static double best_power(const matrix_in<T>& x, row_index j, const row_weights& weights) {
        const auto cost = [&](double power_of) { return unlikeliness(x, j, weights, power_of); };
        double best = 1, least = cost(1);
        for (int k = -8; k <= 8; ++k)
            if (const double c = cost(k / 2.0); c < least) {
                least = c;
                best = k / 2.0;
            }
        if (!std::isfinite(least)) return 1;
        constexpr double golden = 0.6180339887498949;
        double low = std::max(best - 0.5, -4.0), high = std::min(best + 0.5, 4.0);
        double a = high - golden * (high - low), b = low + golden * (high - low), at_a = cost(a), at_b = cost(b);
        while (high - low > 1e-7) {
            if (at_a <= at_b) {
                high = b;
                b = a;
                at_b = at_a;
                at_a = cost(a = high - golden * (high - low));
            } else {
                low = a;
                a = b;
                at_a = at_b;
                at_b = cost(b = low + golden * (high - low));
            }
        }
        return (low + high) / 2;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
