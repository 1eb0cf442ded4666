#ifndef CARAMEL_LINEAR_RIDGE_HPP
#define CARAMEL_LINEAR_RIDGE_HPP

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/targets.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/linear/ridge_fit.hpp>
#include <caramel/linear/score_parts.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Linear values: (rows, features) -> (rows, outputs).
template <class T>
class ridge_model : public single_row<ridge_model<T>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "ridge";  // in saved files: never changes

    /// `coefficients` is (outputs, features); `regularization` is what they were learnt with.
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    ridge_model(matrix<T> coefficients, vec<T> intercepts, double regularization)
        : coefficients_(std::move(coefficients)), intercepts_(std::move(intercepts)), regularization_(regularization) {
        require(coefficients_.rows() > 0 && coefficients_.rows() == intercepts_.size() && coefficients_.allFinite() && intercepts_.allFinite() &&
                    std::isfinite(regularization_) && regularization_ >= 0,
                errc::bad_data, "ridge: coefficients, intercepts and regularization do not belong together");
        by_feature_ = coefficients_.transpose();
    }

    /// Throws `error`: `shape_mismatch` unless `x` has as many columns as the training data; `nan_or_inf`;
    /// `number_out_of_range` with the row whose numbers are too large.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const {
        require_width(static_cast<std::size_t>(x.cols()));
        require_finite(x, kind);
        matrix<T> out = multiply<T>(x, by_feature_);
        for (row_index i = 0; i < out.rows(); ++i) finish({out.data() + i * out.cols(), outputs()}, static_cast<std::size_t>(i) + 1);
        return out;
    }
    /// One row: (features) -> (outputs), in the workspace; the same bits as in a batch.
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_width(row.size());
        require_finite(row, kind);
        const auto out = scratch.take<T>(outputs());
        multiply_row<T>(row, by_feature_, out);
        finish(out, 1);
        return out;
    }
    using single_row<ridge_model>::operator();

    /// What each column adds to one output of a row; with the intercept they sum to it.
    /// Throws `error`: `shape_mismatch`, `nan_or_inf`; `bad_parameter` on an output that is not there.
    [[nodiscard]] score_parts explain(std::span<const T> row, std::size_t output = 0) const {
        require(output < outputs(), errc::bad_parameter, kind, ": output ", output, " of ", outputs(), " was asked for");
        require_width(row.size());
        require_finite(row, kind);
        return detail::parts_of(row, coefficients_, intercepts_, output);
    }

    [[nodiscard]] std::size_t inputs() const noexcept { return static_cast<std::size_t>(coefficients_.cols()); }
    [[nodiscard]] std::size_t outputs() const noexcept { return static_cast<std::size_t>(intercepts_.size()); }
    [[nodiscard]] const matrix<T>& coefficients() const noexcept { return coefficients_; }
    [[nodiscard]] const vec<T>& intercepts() const noexcept { return intercepts_; }
    /// The recipe's, or the one chosen from its candidates.
    [[nodiscard]] double regularization() const noexcept { return regularization_; }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const {
        std::vector<std::string> out;
        for (std::size_t k = 0; k < outputs(); ++k) out.push_back(detail::message("value_", k));
        return out;
    }

    static constexpr std::array field_names{"coefficients", "intercepts", "regularization"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(coefficients_, intercepts_, regularization_); }

   private:
    void require_width(std::size_t columns) const {
        require(columns == inputs(), errc::shape_mismatch, kind, ": got ", columns, " columns, learnt ", inputs());
    }
    void finish(std::span<T> out, std::size_t row) const {
        bool finite = true;
        for (std::size_t k = 0; k < out.size(); ++k) {
            out[k] += intercepts_(static_cast<row_index>(k));
            finite = finite && std::isfinite(out[k]);
        }
        require_at(finite, errc::number_out_of_range, {.row = row}, kind, ": the values of row ", row,
                   " are too large: the outputs are beyond the number type");
    }

    matrix<T> coefficients_;
    vec<T> intercepts_;
    double regularization_;
    matrix<T> by_feature_;  // (features, outputs), as products want it
};

/// Recipe for `ridge_model`: least squares with a penalty (Hoerl & Kennard, Technometrics 12(1), 1970). Minimises
///
///     sum over rows of weight * |target - prediction|^2  +  regularization * |coefficients|^2
///
/// where intercepts are free: scikit-learn's Ridge, with its alpha. Solved in double, whatever T is, by a factorization of
/// the smaller of (columns, columns) and (rows, rows). The penalty is on coefficients of columns as they are: put
/// `standardize` in front where columns have different units.
/// Where there are `candidates`, the one with the least squared error on rows left out one at a time is taken (the smallest
/// on ties); that error is exact, and comes from the one fit (Allen, Technometrics 16(1), 1974). A row counts there by its
/// weight, and is left out as a whole.
template <class T>
struct ridge {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    double regularization = 1;            ///< at least 0; 0 is least squares, and needs columns that do not follow from each other
    std::vector<double> candidates = {};  ///< each at least 0; none = `regularization` as it is

    /// `y` is a vector, or (rows, outputs). Throws `error`: `bad_parameter`; `empty_input`; `shape_mismatch`; `nan_or_inf` with
    /// the place in the data, or the row and output of a target; `bad_data` where regularization is 0 and coefficients are
    /// not determined; `limit_exceeded` on more than 16,384 rows and columns; `number_out_of_range`.
    [[nodiscard]] ridge_model<T> fit(const matrix_in<T>& x, const targets_in<T>& y, const fit_options& options) const {
        constexpr std::string_view who = ridge_model<T>::kind;
        std::vector<double> tried = candidates.empty() ? std::vector{regularization} : candidates;
        std::sort(tried.begin(), tried.end());
        for (const double r : tried)
            require(std::isfinite(r) && r >= 0, errc::bad_parameter, who, candidates.empty() ? ": " : ": one of the candidates: ", "regularization = ", r,
                    ", must be at least 0");
        require(x.rows() > 0, errc::empty_input, who, ": no rows to learn from");
        require(x.rows() == y.rows(), errc::shape_mismatch, who, ": ", x.rows(), " rows but ", y.rows(), " targets");
        require(y.cols() > 0, errc::shape_mismatch, who, ": the targets have no columns");
        const row_weights weights(options.weights, static_cast<std::size_t>(x.rows()), who);
        require_finite(x, who);
        require_finite(y, "ridge: targets");
        require(std::min(x.rows(), x.cols()) <= 16'384, errc::limit_exceeded, who, ": ", x.rows(), " rows and ", x.cols(),
                " columns; one of them must be at most 16384");
        const run_options how = options;
        matrix<double> coefficients;
        vec<double> intercepts;
        double chosen = tried.front();
        if (x.rows() < x.cols()) {
            detail::ridge_by_rows<T> solver(x, y, weights, how, who);
            if (tried.size() > 1) chosen = best_of(tried, solver);
            solver.solve(chosen, coefficients, intercepts);
        } else {
            detail::ridge_by_columns<T> solver(x, y, weights, tried.back(), how, who);
            if (tried.size() > 1) chosen = best_of(tried, solver);
            solver.solve(chosen, coefficients, intercepts);
        }
        matrix<T> rounded = coefficients.template cast<T>();
        vec<T> rounded_intercepts = intercepts.template cast<T>();
        require(rounded.allFinite() && rounded_intercepts.allFinite(), errc::number_out_of_range, who,
                ": coefficients are beyond the number type; standardize the columns");
        return {std::move(rounded), std::move(rounded_intercepts), chosen};
    }

   private:
    template <class Solver>
    static double best_of(std::span<const double> tried, Solver& solver) {
        double best = tried.back(), least = std::numeric_limits<double>::infinity();
        for (const double r : tried)
            if (const double e = solver.left_out_error(r); e < least) {
                least = e;
                best = r;
            }
        return best;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
