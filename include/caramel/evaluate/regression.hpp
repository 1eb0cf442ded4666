#ifndef CARAMEL_EVALUATE_REGRESSION_HPP
#define CARAMEL_EVALUATE_REGRESSION_HPP

// How far predicted numbers (ratings, amounts) are from those that turned out to be right. Predictions come first.

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/weights.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How functions take a column of numbers, one a row: a vector, a span, an Eigen vector or a matrix of one column.
class numbers_in {
   public:
    template <class Derived>
    numbers_in(const Eigen::DenseBase<Derived>& x) {  // NOLINT(google-explicit-constructor)
        require(x.cols() == 1, errc::shape_mismatch, "numbers: got ", x.cols(), " columns; numbers are one column");
        const auto& values = x.derived();
        values_.reserve(static_cast<std::size_t>(x.rows()));
        for (row_index i = 0; i < x.rows(); ++i) values_.push_back(static_cast<double>(values(i, 0)));
    }
    template <class T>
        requires(std::is_arithmetic_v<T> && !std::same_as<T, bool>)
    numbers_in(const std::vector<T>& x) : numbers_in(std::span<const T>(x)) {}  // NOLINT(google-explicit-constructor)
    template <class T, std::size_t N>
        requires(std::is_arithmetic_v<T> && !std::same_as<std::remove_const_t<T>, bool>)
    numbers_in(std::span<T, N> x) {  // NOLINT(google-explicit-constructor)
        values_.reserve(x.size());
        for (const T value : x) values_.push_back(static_cast<double>(value));
    }

    [[nodiscard]] const std::vector<double>& values() const noexcept { return values_; }
    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

   private:
    std::vector<double> values_;
};

namespace detail {

// The mean of `cost(prediction - target)`.
template <class Cost>
double mean_cost(const numbers_in& predictions, const numbers_in& targets, std::string_view who, std::span<const double> weights, const Cost& cost) {
    const auto& p = predictions.values();
    const auto& y = targets.values();
    require(!p.empty() || !y.empty(), errc::empty_input, who, ": no rows");
    require(p.size() == y.size(), errc::shape_mismatch, who, ": ", p.size(), " predictions but ", y.size(), " targets");
    const row_weights counts(weights, p.size(), who);
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        require_at(std::isfinite(p[i]), errc::nan_or_inf, {.row = i + 1}, who, ": the prediction of row ", i + 1, " is not finite");
        require_at(std::isfinite(y[i]), errc::nan_or_inf, {.row = i + 1}, who, ": the target of row ", i + 1, " is not finite");
        sum += counts[i] * cost(p[i] - y[i]);
        require_at(std::isfinite(sum), errc::number_out_of_range, {.row = i + 1}, who, ": the sum of the errors up to row ", i + 1, " is beyond double");
    }
    return sum / counts.sum();
}

}  // namespace detail

// `weights`: one a row, at least 0; none = all 1. Both throw `error`: `empty_input`; `shape_mismatch`; `nan_or_inf` with the
// row; `bad_data` (weights); `number_out_of_range` where the errors are too large to be summed. Computed in double.

/// The root of the mean squared error: sqrt(mean of (prediction - target)^2).
template <class = void>
[[nodiscard]] inline double rmse(const numbers_in& predictions, const numbers_in& targets, std::span<const double> weights = {}) {
    return std::sqrt(detail::mean_cost(predictions, targets, "rmse", weights, [](double e) { return e * e; }));
}

/// The mean absolute error: mean of |prediction - target|.
template <class = void>
[[nodiscard]] inline double mae(const numbers_in& predictions, const numbers_in& targets, std::span<const double> weights = {}) {
    return detail::mean_cost(predictions, targets, "mae", weights, [](double e) { return std::abs(e); });
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
