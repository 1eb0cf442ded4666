#ifndef CARAMEL_FEATURES_STANDARDIZE_HPP
#define CARAMEL_FEATURES_STANDARDIZE_HPP

// Column-wise z-scores: the plainest component, and the model for how the others are written.

#include <array>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Column-wise z-scores learnt from training data: `(x - mean) / deviation`.
template <class T>
class standardize_model : public single_row<standardize_model<T>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "standardize";  // in saved files: never changes

    /// Throws `error` (`bad_data`; from `load` it comes out as `bad_format`) on fields that do not belong together.
    standardize_model(vec<T> mean, vec<T> deviation) : mean_(std::move(mean)), deviation_(std::move(deviation)) {
        require(mean_.size() == deviation_.size() && mean_.allFinite() && deviation_.allFinite() && (deviation_.array() > 0).all(), errc::bad_data,
                "standardize: means and deviations do not belong together");
    }

    /// (rows, columns) -> (rows, columns), in standard deviations.
    /// Throws `error`: `shape_mismatch` unless `x` has as many columns as the training data; `nan_or_inf`.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const {
        require_width(x.cols());
        require_finite(x, "standardize");
        return (x.rowwise() - mean_.transpose()).array().rowwise() / deviation_.transpose().array();
    }
    /// One row: (columns) -> (columns), in the workspace.
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_width(static_cast<row_index>(row.size()));
        require_finite(row, "standardize");
        const auto out = scratch.take<T>(row.size());
        for (std::size_t j = 0; j < row.size(); ++j) out[j] = (row[j] - mean_(static_cast<row_index>(j))) / deviation_(static_cast<row_index>(j));
        return out;
    }
    using single_row<standardize_model>::operator();

    [[nodiscard]] std::vector<std::string> output_names(std::vector<std::string> names) const { return names; }
    [[nodiscard]] const vec<T>& mean() const noexcept { return mean_; }
    [[nodiscard]] const vec<T>& deviation() const noexcept { return deviation_; }

    // One list of fields serves saving, loading and printing; `load` calls the constructor, which checks.
    static constexpr std::array field_names{"mean", "deviation"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(mean_, deviation_); }

   private:
    void require_width(row_index columns) const {
        require(columns == mean_.size(), errc::shape_mismatch, "standardize: got ", columns, " columns, learnt ", mean_.size());
    }
    vec<T> mean_, deviation_;
};

/// Recipe for `standardize_model`. Columns with no spread are centred and left unscaled.
template <class T>
struct standardize {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    /// Population deviations (divisor n, or the sum of weights), in two passes and in double for accuracy
    /// (Chan, Golub & LeVeque, The American Statistician 37(3), 1983).
    /// Throws `error`: `empty_input`, `nan_or_inf`, `bad_data` (weights), `number_out_of_range`.
    [[nodiscard]] standardize_model<T> fit(const matrix_in<T>& x, const fit_options& options) const {
        using real = detail::real_of<T>;  // double: see there
        require(x.rows() > 0, errc::empty_input, "standardize: no rows to learn from");
        require_finite(x, "standardize");
        const row_weights weights(options.weights, static_cast<std::size_t>(x.rows()), "standardize");
        vec<real> mean = vec<real>::Zero(x.cols());
        for (row_index i = 0; i < x.rows(); ++i) mean += weights[i] * x.row(i).transpose().template cast<double>();
        mean /= weights.sum();
        vec<real> square = vec<real>::Zero(x.cols());
        for (row_index i = 0; i < x.rows(); ++i) square.array() += weights[i] * (x.row(i).transpose().template cast<double>() - mean).array().square();
        vec<T> centre = mean.template cast<T>();
        vec<T> scale = (square / weights.sum()).cwiseSqrt().template cast<T>();
        vec<bool> varies = vec<bool>::Constant(x.cols(), false);  // a constant column's mean may be off by a rounding, which is no spread
        row_index first = 0;
        while (!(weights[first] > 0)) ++first;
        for (row_index i = first; i < x.rows(); ++i)
            if (weights[i] > 0) varies.array() = varies.array() || (x.row(i).array() != x.row(first).array()).transpose();
        for (row_index j = 0; j < x.cols(); ++j)
            if (!varies(j) || scale(j) < std::numeric_limits<T>::min()) scale(j) = T(1);  // by a subnormal number ordinary ones would come out infinite
        require(centre.allFinite() && scale.allFinite(), errc::number_out_of_range, "standardize: the spread of a column is beyond the number type");
        return {std::move(centre), std::move(scale)};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
