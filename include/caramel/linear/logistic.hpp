#ifndef CARAMEL_LINEAR_LOGISTIC_HPP
#define CARAMEL_LINEAR_LOGISTIC_HPP

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/labels.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/linear/logistic_fit.hpp>
#include <caramel/linear/logistic_sparse_fit.hpp>
#include <caramel/linear/score_parts.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Linear scores of the classes and their probabilities: (rows, features) -> (rows, classes), each row summing to 1.
template <class T>
class logistic_model : public single_row<logistic_model<T>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "logistic";  // in saved files: never changes

    /// `coefficients` is (1, features) for two classes, where the score is the log odds of class 1, else (classes,
    /// features); `intercepts` has as many numbers as that has rows.
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    logistic_model(matrix<T> coefficients, vec<T> intercepts) : coefficients_(std::move(coefficients)), intercepts_(std::move(intercepts)) {
        require(coefficients_.rows() > 0 && coefficients_.rows() == intercepts_.size() && coefficients_.allFinite() && intercepts_.allFinite(), errc::bad_data,
                "logistic: coefficients and intercepts do not belong together");
        by_feature_ = coefficients_.transpose();
    }

    /// Throws `error`: `shape_mismatch` unless `x` has as many columns as the training data; `nan_or_inf`;
    /// `number_out_of_range` with the row whose numbers are too large.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const {
        require_width(static_cast<std::size_t>(x.cols()));
        require_finite(x, kind);
        const matrix<T> z = multiply<T>(x, by_feature_);
        matrix<T> out(z.rows(), static_cast<row_index>(classes()));
        for (row_index i = 0; i < z.rows(); ++i) finish(row_of(z, i), {out.data() + i * out.cols(), classes()}, static_cast<std::size_t>(i) + 1);
        return out;
    }
    /// One row: (features) -> (classes), in the workspace; the same bits as in a batch.
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_width(row.size());
        require_finite(row, kind);
        const auto z = scratch.take<T>(static_cast<std::size_t>(intercepts_.size()));
        multiply_row<T>(row, by_feature_, z);
        const auto out = scratch.take<T>(classes());
        finish(z, out, 1);
        return out;
    }
    using single_row<logistic_model>::operator();

    /// What each column adds to a class's score of a row; with the intercept they sum to it. Of two classes the score of class 1
    /// is its log odds, and that of class 0 minus them; of more, probabilities are the softmax of the scores.
    /// Throws `error`: `shape_mismatch`, `nan_or_inf`; `bad_parameter` on a class that is not there.
    [[nodiscard]] score_parts explain(std::span<const T> row, std::size_t of_class = 1) const {
        require(of_class < classes(), errc::bad_parameter, kind, ": class ", of_class, " of ", classes(), " was asked for");
        require_width(row.size());
        require_finite(row, kind);
        const bool two = intercepts_.size() == 1;
        score_parts out = detail::parts_of(row, coefficients_, intercepts_, two ? 0 : of_class);
        if (two && of_class == 0) {
            out.intercept = -out.intercept;
            for (score_part& part : out.parts) part.value = -part.value;
        }
        return out;
    }

    [[nodiscard]] std::size_t inputs() const noexcept { return static_cast<std::size_t>(coefficients_.cols()); }
    [[nodiscard]] std::size_t classes() const noexcept { return intercepts_.size() == 1 ? 2 : static_cast<std::size_t>(intercepts_.size()); }
    [[nodiscard]] const matrix<T>& coefficients() const noexcept { return coefficients_; }
    [[nodiscard]] const vec<T>& intercepts() const noexcept { return intercepts_; }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const {
        std::vector<std::string> out;
        for (std::size_t k = 0; k < classes(); ++k) out.push_back(detail::message("class_", k));
        return out;
    }

    static constexpr std::array field_names{"coefficients", "intercepts"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(coefficients_, intercepts_); }

   private:
    void require_width(std::size_t columns) const {
        require(columns == inputs(), errc::shape_mismatch, kind, ": got ", columns, " columns, learnt ", inputs());
    }
    // Sums of products -> probabilities.
    void finish(std::span<const T> z, std::span<T> out, std::size_t row) const {
        bool finite = true;
        for (std::size_t k = 0; k < z.size(); ++k) {
            out[k] = z[k] + intercepts_(static_cast<row_index>(k));
            finite = finite && std::isfinite(out[k]);
        }
        require_at(finite, errc::number_out_of_range, {.row = row}, kind, ": the values of row ", row, " are too large: the scores are beyond the number type");
        if (z.size() == 1) {
            const T score = out[0];
            out[0] = detail::sigmoid_of(-score);
            out[1] = detail::sigmoid_of(score);
        } else {
            detail::softmax_row(out);
        }
    }

    matrix<T> coefficients_;
    vec<T> intercepts_;
    matrix<T> by_feature_;  // (features, outputs), as products want it
};

/// Recipe for `logistic_model`: logistic regression, multinomial from three classes on. Minimises
///
///     sum over rows of weight * -log(probability of the row's class)  +  regularization / 2 * |coefficients|^2
///                                                                     +  l1 * sum of |coefficients|
///
/// where intercepts are free. That is scikit-learn's objective divided by its C, which is 1 / regularization: the defaults
/// agree. From three classes on every class has coefficients, and all of them are penalised. A regularization stands
/// against a sum, so it does not grow with the data; a row of weight 2 counts as two rows.
/// The minimum is unique where regularization is above 0 (intercepts of three or more classes then sum to 0) and is found
/// in double to about 10 digits of the standardized columns' coefficients, whatever T is. The penalty is on coefficients
/// of columns as they are: put `standardize` in front where columns have different units.
/// With `l1` above 0 the coefficients of columns that help little are 0 (regularization 0: the lasso; both: the elastic
/// net). In scikit-learn's terms l1 = l1_ratio / C and regularization = (1 - l1_ratio) / C.
template <class T>
struct logistic {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    double regularization = 1;         ///< at least 0
    std::size_t max_iterations = 100;  ///< of Newton's method, 1 .. 1,000,000; 5 to 10 are usual
    double l1 = 0;                     ///< at least 0; above 0, at most 4,096 coefficients may come out other than 0

    /// Labels are 0, 1, ..., each of which must be there. Reports the mean of -log(probability), without the penalty, after
    /// each step; `steps` is `max_iterations`, most of which are not needed.
    /// Throws `error`: `bad_parameter`; `empty_input`; `shape_mismatch`; `nan_or_inf`; `bad_data` with the row of a negative
    /// label, where there is one class only, or one without rows of positive weight; `limit_exceeded`;
    /// `number_out_of_range`; `diverged` where the minimum was not reached, and where nothing is penalised and rows can be
    /// told apart perfectly (then larger coefficients are always better).
    [[nodiscard]] logistic_model<T> fit(const matrix_in<T>& x, const std::vector<int>& y, const fit_options& options) const {
        constexpr std::string_view who = logistic_model<T>::kind;
        require(std::isfinite(regularization) && regularization >= 0, errc::bad_parameter, who, ": regularization = ", regularization, ", must be at least 0");
        require(std::isfinite(l1) && l1 >= 0, errc::bad_parameter, who, ": l1 = ", l1, ", must be at least 0");
        require(max_iterations >= 1 && max_iterations <= 1'000'000, errc::bad_parameter, who, ": max_iterations = ", max_iterations,
                ", must lie in 1 .. 1000000");
        require(x.rows() > 0, errc::empty_input, who, ": no rows to learn from");
        require(std::cmp_equal(x.rows(), y.size()), errc::shape_mismatch, who, ": ", x.rows(), " rows but ", y.size(), " targets");
        const std::size_t classes = detail::count_classes(y, who);
        const row_weights weights(options.weights, y.size(), who);
        require_every_class(y, classes, weights);
        require_finite(x, who);
        require(static_cast<std::size_t>(x.cols()) < (std::size_t{1} << 27) / classes, errc::limit_exceeded, who, ": ", x.cols(), " columns times ", classes,
                " classes are more than 2^27 coefficients");
        const run_options how = options;
        detail::logistic_problem<T> problem(x, y, classes, weights, regularization, how);
        const detail::logistic_settings settings{regularization, max_iterations};
        const matrix<double> best =
            l1 > 0 ? detail::minimize_logistic_l1(problem, l1, settings, options, who) : detail::minimize_logistic(problem, settings, options, who);
        matrix<double> coefficients;
        vec<double> intercepts;
        problem.rows().unscale(best, coefficients, intercepts);
        matrix<T> rounded = coefficients.template cast<T>();
        vec<T> rounded_intercepts = intercepts.template cast<T>();
        require(rounded.allFinite() && rounded_intercepts.allFinite(), errc::number_out_of_range, who,
                ": coefficients are beyond the number type; standardize the columns");
        return {std::move(rounded), std::move(rounded_intercepts)};
    }

   private:
    static void require_every_class(const std::vector<int>& y, std::size_t classes, const row_weights& weights) {
        std::vector<bool> seen(classes);
        for (std::size_t i = 0; i < y.size(); ++i)
            if (weights[i] > 0) seen[static_cast<std::size_t>(y[i])] = true;
        for (std::size_t k = 0; k < classes; ++k)
            require(seen[k], errc::bad_data, logistic_model<T>::kind, ": class ", k, " of ", classes,
                    " has no row of positive weight; number the classes 0, 1, ...");
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
