#ifndef CARAMEL_FEATURES_SCALE_HPP
#define CARAMEL_FEATURES_SCALE_HPP

// Columns brought to a common scale otherwise than by mean and deviation: by quartiles, and by their range.

#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/features/columnwise.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Column-wise `(x - median) / spread`, which a few extreme values do not move.
template <class T>
class robust_scale_model : public detail::columnwise<robust_scale_model<T>, T> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "robust_scale";  // in saved files: never changes

    /// Throws `error` (`bad_data`).
    robust_scale_model(vec<T> median, vec<T> spread) : median_(std::move(median)), spread_(std::move(spread)) {
        require(median_.size() == spread_.size() && median_.allFinite() && spread_.allFinite() && (spread_.array() > 0).all(), errc::bad_data,
                "robust_scale: medians and spreads do not belong together");
    }
    using detail::columnwise<robust_scale_model, T>::operator();

    [[nodiscard]] row_index columns() const noexcept { return median_.size(); }
    [[nodiscard]] T value(T x, row_index j) const { return (x - median_(j)) / spread_(j); }
    [[nodiscard]] const vec<T>& median() const noexcept { return median_; }
    [[nodiscard]] const vec<T>& spread() const noexcept { return spread_; }

    static constexpr std::array field_names{"median", "spread"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(median_, spread_); }

   private:
    vec<T> median_, spread_;
};

/// Recipe for `robust_scale_model`. The spread is from the `lower` to the `upper` quantile; a column in which these are equal
/// is left unscaled.
template <class T>
struct robust_scale {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;
    double lower = 0.25;
    double upper = 0.75;  ///< 0 <= lower < upper <= 1

    /// Throws `error`: `empty_input`, `nan_or_inf`, `bad_data` (weights), `bad_parameter`, `number_out_of_range`.
    [[nodiscard]] robust_scale_model<T> fit(const matrix_in<T>& x, const fit_options& options) const {
        require(lower >= 0 && lower < upper && upper <= 1, errc::bad_parameter, "robust_scale: quantiles lower = ", lower, " and upper = ", upper,
                ", must rise within 0 .. 1");
        detail::require_training_rows(x, "robust_scale");
        const row_weights weights(options.weights, static_cast<std::size_t>(x.rows()), "robust_scale");
        vec<T> median(x.cols()), spread(x.cols());
        for (row_index j = 0; j < x.cols(); ++j) {
            const detail::sorted_column sorted(x, j, weights);
            median(j) = static_cast<T>(sorted.quantile(0.5));
            spread(j) = static_cast<T>(sorted.quantile(upper) - sorted.quantile(lower));
            if (!(spread(j) > 0)) spread(j) = T(1);
        }
        require(spread.allFinite(), errc::number_out_of_range, "robust_scale: the spread of a column is beyond the number type");
        return {std::move(median), std::move(spread)};
    }
};

/// Column-wise to a given range: what was the smallest in training becomes `low`, the largest `high`.
template <class T>
class min_max_scale_model : public detail::columnwise<min_max_scale_model<T>, T> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "min_max_scale";  // in saved files: never changes

    /// Throws `error` (`bad_data`).
    min_max_scale_model(vec<T> min, vec<T> max, T low, T high, bool clip) : min_(std::move(min)), max_(std::move(max)), low_(low), high_(high), clip_(clip) {
        require(min_.size() == max_.size() && min_.allFinite() && max_.allFinite() && (max_.array() >= min_.array()).all(), errc::bad_data,
                "min_max_scale: minima and maxima do not belong together");
        require(std::isfinite(low_) && std::isfinite(high_) && low_ < high_, errc::bad_data, "min_max_scale: the range does not rise");
    }
    using detail::columnwise<min_max_scale_model, T>::operator();

    [[nodiscard]] row_index columns() const noexcept { return min_.size(); }
    /// `low` throughout for a column that was constant.
    [[nodiscard]] T value(T x, row_index j) const {
        if (min_(j) == max_(j)) return low_;
        const T share = (x - min_(j)) / (max_(j) - min_(j));
        if (clip_) return share <= 0 ? low_ : share >= 1 ? high_ : low_ + share * (high_ - low_);
        return low_ + share * (high_ - low_);
    }
    [[nodiscard]] const vec<T>& min() const noexcept { return min_; }
    [[nodiscard]] const vec<T>& max() const noexcept { return max_; }

    static constexpr std::array field_names{"min", "max", "low", "high", "clip"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(min_, max_, low_, high_, clip_); }

   private:
    vec<T> min_, max_;
    T low_, high_;
    bool clip_;
};

/// Recipe for `min_max_scale_model`.
template <class T>
struct min_max_scale {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;  // rows of weight 0 do not count
    T low = 0;
    T high = 1;
    bool clip = false;  ///< whether values beyond those of training stay within the range

    /// Throws `error`: `empty_input`, `nan_or_inf`, `bad_data` (weights), `bad_parameter`, `number_out_of_range`.
    [[nodiscard]] min_max_scale_model<T> fit(const matrix_in<T>& x, const fit_options& options) const {
        require(std::isfinite(low) && std::isfinite(high) && low < high, errc::bad_parameter, "min_max_scale: the range from low = ", low, " to high = ", high,
                " does not rise");
        detail::require_training_rows(x, "min_max_scale");
        const row_weights weights(options.weights, static_cast<std::size_t>(x.rows()), "min_max_scale");
        vec<T> min(x.cols()), max(x.cols());
        bool first = true;
        for (row_index i = 0; i < x.rows(); ++i) {
            if (!(weights[i] > 0)) continue;
            if (first) min = max = x.row(i).transpose();
            first = false;
            min = min.cwiseMin(x.row(i).transpose());
            max = max.cwiseMax(x.row(i).transpose());
        }
        require((max - min).allFinite(), errc::number_out_of_range, "min_max_scale: the range of a column is beyond the number type");
        return {std::move(min), std::move(max), low, high, clip};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
