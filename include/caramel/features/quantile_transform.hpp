#ifndef CARAMEL_FEATURES_QUANTILE_TRANSFORM_HPP
#define CARAMEL_FEATURES_QUANTILE_TRANSFORM_HPP

// Columns brought to an even or a normal distribution, whatever theirs was.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/features/columnwise.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What training data become. Numbers never change: they are in saved files.
enum class quantile_shape : std::uint8_t {
    uniform = 0,  ///< even in 0 .. 1
    normal = 1,   ///< standard normal, within -5.2 .. 5.2
};

/// The share of training data below a value, interpolated between learnt quantiles; of equal quantiles, the middle.
template <class T>
class quantile_transform_model : public detail::columnwise<quantile_transform_model<T>, T> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "quantile_transform";  // in saved files: never changes

    /// `quantiles`: (columns, quantiles) at even shares from the smallest to the largest. Throws `error` (`bad_data`).
    quantile_transform_model(matrix<T> quantiles, quantile_shape shape) : quantiles_(std::move(quantiles)), shape_(shape) {
        require(quantiles_.cols() >= 2 && quantiles_.allFinite() && shape_ <= quantile_shape::normal, errc::bad_data,
                "quantile_transform: ", quantiles_.cols(), " quantiles, or one that is not finite, or no such shape");
        for (row_index j = 0; j < quantiles_.rows(); ++j)
            require(std::ranges::is_sorted(row_of(quantiles_, j)), errc::bad_data, "quantile_transform: the quantiles of a column do not rise");
    }
    using detail::columnwise<quantile_transform_model, T>::operator();

    [[nodiscard]] row_index columns() const noexcept { return quantiles_.rows(); }
    [[nodiscard]] T value(T x, row_index j) const {
        const double share = share_below(x, row_of(quantiles_, j));
        return static_cast<T>(shape_ == quantile_shape::uniform ? share : detail::normal_score(std::clamp(share, 1e-7, 1 - 1e-7)));
    }
    [[nodiscard]] const matrix<T>& quantiles() const noexcept { return quantiles_; }

    static constexpr std::array field_names{"quantiles", "shape"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(quantiles_, shape_); }

   private:
    static double share_below(T x, std::span<const T> sorted) {
        const auto n = static_cast<double>(sorted.size() - 1);
        if (!(x >= sorted.front())) return 0;
        if (x > sorted.back()) return 1;
        const auto first = std::lower_bound(sorted.begin(), sorted.end(), x);
        const auto at = static_cast<double>(first - sorted.begin());
        if (*first == x) return (at + static_cast<double>(std::upper_bound(first, sorted.end(), x) - sorted.begin() - 1)) / (2 * n);
        const double below = static_cast<double>(*(first - 1)), above = static_cast<double>(*first);
        return (at - 1 + (static_cast<double>(x) - below) / (above - below)) / n;
    }
    matrix<T> quantiles_;
    quantile_shape shape_;
};

/// Recipe for `quantile_transform_model`.
template <class T>
struct quantile_transform {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;
    quantile_shape shape = quantile_shape::uniform;
    std::size_t quantiles = 1000;  ///< 2 .. 1,000,000; no more than there are rows

    /// Throws `error`: `empty_input`, `nan_or_inf`, `bad_data` (weights), `bad_parameter`.
    [[nodiscard]] quantile_transform_model<T> fit(const matrix_in<T>& x, const fit_options& options) const {
        require(quantiles >= 2 && quantiles <= 1'000'000, errc::bad_parameter, "quantile_transform: quantiles = ", quantiles, ", must lie in 2 .. 1000000");
        detail::require_training_rows(x, "quantile_transform");
        const row_weights weights(options.weights, static_cast<std::size_t>(x.rows()), "quantile_transform");
        const auto n = std::max<std::size_t>(2, std::min(quantiles, static_cast<std::size_t>(x.rows())));
        matrix<T> learnt(x.cols(), static_cast<row_index>(n));
        for (row_index j = 0; j < x.cols(); ++j) {
            const detail::sorted_column sorted(x, j, weights);
            for (std::size_t k = 0; k < n; ++k)
                learnt(j, static_cast<row_index>(k)) =
                    static_cast<T>(k + 1 == n ? sorted.max() : sorted.quantile(static_cast<double>(k) / static_cast<double>(n - 1)));
        }
        return {std::move(learnt), shape};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
