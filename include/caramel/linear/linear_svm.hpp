#ifndef CARAMEL_LINEAR_LINEAR_SVM_HPP
#define CARAMEL_LINEAR_LINEAR_SVM_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/linear/dual_descent.hpp>
#include <caramel/linear/linear_scores.hpp>
#include <caramel/linear/score_parts.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What a margin m costs: `hinge` max(0, 1 - m), `squared_hinge` its square, which has one best answer and is found faster.
enum class svm_loss { hinge, squared_hinge };

template <class T>
struct linear_svm;

/// Decision values of the classes: (rows, features), dense or sparse, -> (rows, classes); the highest one is the class. Of two
/// classes the values are -score and score.
template <class T>
class linear_svm_model : public single_row<linear_svm_model<T>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "linear_svm";  // in saved files: never changes

    /// Of `inputs` columns those `kept`, rising, have coefficients: (kept, 1) for two classes, where the score is that of class 1,
    /// else (kept, classes). Throws `error` (`bad_data`) on fields that do not belong together.
    linear_svm_model(std::uint64_t inputs, std::vector<std::int32_t> kept, matrix<T> coefficients, vec<T> intercepts)
        : scores_(inputs, std::move(kept), std::move(coefficients), std::move(intercepts), kind) {}

    /// Throws `error`: `shape_mismatch` unless `x` has as many columns as the training data; `nan_or_inf`;
    /// `number_out_of_range` with the row whose numbers are too large.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const { return scores_.answer(x, finish); }
    [[nodiscard]] matrix<T> operator()(const sparse_matrix<T>& x) const { return scores_.answer(x, finish); }
    /// One row -> (classes), in the workspace; the same bits as in a batch, dense and sparse. Throws as above, and what
    /// `require_sparse` does.
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const { return scores_.answer(row, scratch, finish); }
    [[nodiscard]] std::span<const T> operator()(const sparse_row<T>& row, workspace& scratch) const { return scores_.answer(row, scratch, finish); }
    using single_row<linear_svm_model>::operator();

    /// What each column that is not zero adds to a class's score; with the intercept they sum to it.
    /// Throws `error`: `shape_mismatch`, `nan_or_inf`; `bad_parameter` on a class that is not there.
    [[nodiscard]] score_parts explain(std::span<const T> row, std::size_t of_class = 1) const { return scores_.explain(row, of_class); }
    [[nodiscard]] score_parts explain(const sparse_row<T>& row, std::size_t of_class = 1) const { return scores_.explain(row, of_class); }

    [[nodiscard]] std::size_t inputs() const noexcept { return scores_.inputs(); }
    [[nodiscard]] std::size_t classes() const noexcept { return scores_.classes(); }
    [[nodiscard]] const std::vector<std::int32_t>& kept() const noexcept { return scores_.kept(); }
    [[nodiscard]] const matrix<T>& coefficients() const noexcept { return scores_.coefficients(); }
    [[nodiscard]] const vec<T>& intercepts() const noexcept { return scores_.intercepts(); }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return scores_.class_names(); }

    static constexpr std::array field_names{"inputs", "kept", "coefficients", "intercepts"};
    [[nodiscard]] auto fields() const noexcept { return scores_.fields(); }

   private:
    friend struct linear_svm<T>;
    explicit linear_svm_model(detail::linear_scores<T> scores) : scores_(std::move(scores)) {}

    static void finish(std::span<T> out, std::size_t outputs) noexcept {
        if (outputs > 1) return;
        out[1] = out[0];
        out[0] = -out[0];
    }

    detail::linear_scores<T> scores_;
};

/// Recipe for `linear_svm_model`: a support vector machine, one class against the others from three classes on. Minimises
/// for each
///
///     sum over rows of weight * loss(margin)  +  regularization / 2 * |coefficients|^2
///
/// where the margin is the score of rows of the class, and minus the score of others. That is LIBLINEAR's and scikit-learn's
/// objective (LinearSVC) divided by C, which is 1 / regularization: the defaults agree. As there, the intercept is the
/// coefficient of a column that is `intercept_scale` everywhere, and is penalised like the others.
/// By coordinate descent on the dual, rows in random order: for many columns of which a row has few, such as words of a
/// text; a squared hinge that is not done after 20 epochs is finished by Newton's method (a tight tolerance with `hinge`
/// may need a larger `max_epochs`). Stops when the gap to the minimum is known to be small enough; then
/// |coefficients - best|^2 * regularization / 2 is at most that gap. Classes are learnt on `options.threads` threads.
/// Columns should be of like size: rows of length 1, or `standardize` in front.
template <class T>
struct linear_svm {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    double regularization = 1;  ///< above 0: 1 / C
    svm_loss loss = svm_loss::squared_hinge;
    double intercept_scale = 1;              ///< at least 0; 0 = no intercept
    std::vector<double> class_weights = {};  ///< one a class, at least 0: what each of its rows counts; empty = all 1
    double tolerance = 1e-4;                 ///< 1e-15 .. 1: how large a share of the loss the gap to the minimum may be
    std::size_t max_epochs = 1000;           ///< 1 .. 1,000,000

    /// Labels are 0, 1, ..., each of which must be there. Reports the mean loss of the rows, summed over the classes that are
    /// set against the others, each time the steps have become ten times smaller; `step` counts epochs.
    /// Throws `error`: `bad_parameter`; `empty_input`; `shape_mismatch`; `nan_or_inf`; `bad_data` with the row of a negative
    /// label, where there is one class only, or one without rows of positive weight; `limit_exceeded`;
    /// `number_out_of_range`; `diverged` where the tolerance was not reached.
    [[nodiscard]] linear_svm_model<T> fit(const matrix_in<T>& x, const std::vector<int>& y, const fit_options& options) const { return learn(x, y, options); }
    [[nodiscard]] linear_svm_model<T> fit(const sparse_matrix<T>& x, const std::vector<int>& y, const fit_options& options) const {
        return learn(x, y, options);
    }

   private:
    template <class X>
    [[nodiscard]] linear_svm_model<T> learn(const X& x, const std::vector<int>& y, const fit_options& options) const {
        const auto cost = loss == svm_loss::hinge ? detail::dual_loss::hinge : detail::dual_loss::squared_hinge;
        return linear_svm_model<T>(
            detail::fit_dual<T>(x, y, {cost, regularization, intercept_scale, tolerance, max_epochs, class_weights}, options, linear_svm_model<T>::kind));
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
