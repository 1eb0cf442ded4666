#ifndef CARAMEL_CORE_WEIGHTS_HPP
#define CARAMEL_CORE_WEIGHTS_HPP

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The weights of the rows, checked once; 1 for each where none were given.
class row_weights {
   public:
    /// Throws `error`: `shape_mismatch` on another number than `rows`; `bad_data` with the row of a weight that is
    /// negative or not finite, or when all are zero.
    template <class = void>
    row_weights(std::span<const double> weights, std::size_t rows, std::string_view who) : weights_(weights), sum_(static_cast<double>(rows)) {
        if (weights_.empty()) return;
        require(weights_.size() == rows, errc::shape_mismatch, who, ": ", rows, " rows but ", weights_.size(), " weights");
        sum_ = 0;
        for (std::size_t i = 0; i < rows; ++i) {
            require_at(std::isfinite(weights_[i]) && weights_[i] >= 0, errc::bad_data, {.row = i + 1}, who, ": the weight of row ", i + 1, " is negative or not finite");
            sum_ += weights_[i];
        }
        require(std::isfinite(sum_) && sum_ > 0, errc::bad_data, who, ": the weights are all zero, or their sum overflows");
    }
    template <std::integral I>
    [[nodiscard]] double operator[](I i) const noexcept { return weights_.empty() ? 1.0 : weights_[static_cast<std::size_t>(i)]; }
    [[nodiscard]] double sum() const noexcept { return sum_; }

   private:
    std::span<const double> weights_;
    double sum_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
