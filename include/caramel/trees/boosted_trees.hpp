#ifndef CARAMEL_TREES_BOOSTED_TREES_HPP
#define CARAMEL_TREES_BOOSTED_TREES_HPP

// Gradient boosting: small regression trees, each grown on what those before it got wrong. For tables of mixed columns
// mostly the most accurate model, and one that needs no scaling.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/labels.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/trees/boosting.hpp>
#include <caramel/trees/forest.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

template <class T>
void require_boosting_rows(const matrix_in<T>& x, std::size_t targets, std::string_view who) {
    require(x.rows() > 0, errc::empty_input, who, ": no rows to learn from");
    require(std::cmp_equal(x.rows(), targets), errc::shape_mismatch, who, ": ", x.rows(), " rows but ", targets, " targets");
    require(std::cmp_less(x.rows(), std::uint64_t{1} << 32) && std::cmp_less(x.cols(), std::uint64_t{1} << 31), errc::limit_exceeded, who, ": ", x.rows(),
            " rows and ", x.cols(), " columns are too many");
    require_finite(x, who);
}

// What the models of this file have in common: scores, which `Model::finish` makes answers of.
template <class Model, class T>
class tree_answers : public single_row<Model> {
   public:
    using stage_concept = model_tag;

    /// (rows, features) -> (rows, outputs). Throws `error`: `shape_mismatch` unless `x` has as many columns as the training
    /// data; `nan_or_inf`.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const {
        const Model& model = static_cast<const Model&>(*this);
        return for_rows(x, model.outputs(), [&](std::span<const double> scores, std::span<T> out) { model.finish(scores, out); });
    }
    /// One row: (features) -> (outputs), in the workspace; the same bits as in a batch.
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const {
        const Model& model = static_cast<const Model&>(*this);
        const workspace::frame frame(scratch);
        require_width(row.size());
        require_finite(row, Model::kind);
        const auto scores = scratch.take<double>(trees_.outputs());
        std::copy_n(base_.data(), scores.size(), scores.begin());
        trees_.add_scores(row.data(), row.size(), 1, scores.data());
        const auto out = scratch.take<T>(model.outputs());
        model.finish(scores, out);
        return out;
    }
    using single_row<Model>::operator();

    /// What the trees sum up to, (rows, scores): the log odds of class 1 for two classes, else a number a class whose
    /// softmax are the probabilities; of a regressor the prediction. Throws `error` as the call does.
    [[nodiscard]] matrix<T> scores(const matrix_in<T>& x) const {
        return for_rows(x, trees_.outputs(), [](std::span<const double> in, std::span<T> out) {
            for (std::size_t k = 0; k < in.size(); ++k) out[k] = static_cast<T>(in[k]);
        });
    }
    /// Features that go in.
    [[nodiscard]] std::size_t inputs() const noexcept { return trees_.inputs(); }
    /// Trees in all: rounds times scores.
    [[nodiscard]] std::size_t trees() const noexcept { return trees_.trees(); }
    /// (features): how much the splits at each feature lowered the training loss in all. Large where a feature decides, but
    /// it is no effect, and it favours features with many values: see explain/ for others.
    [[nodiscard]] const vec<double>& gains() const noexcept { return gains_; }

    /// What the scores are before the first tree.
    [[nodiscard]] const vec<double>& first_scores() const noexcept { return base_; }
    /// The trees as they are saved: `starts()`, `features()`, `numbers()` and `children()`.
    [[nodiscard]] const forest<T>& arrays() const noexcept { return trees_; }

    // First scores; then the trees (see detail::forest); then the gains, one a feature.
    static constexpr std::array field_names{"base", "starts", "features", "numbers", "children", "gains"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(base_, trees_.starts(), trees_.features(), trees_.numbers(), trees_.children(), gains_); }

   protected:
    tree_answers(vec<double> base, std::vector<std::int64_t> starts, std::vector<std::int32_t> features, std::vector<T> numbers,
                 std::vector<std::int32_t> children, vec<double> gains)
        : base_(std::move(base)), trees_(std::move(starts), std::move(features), std::move(numbers), std::move(children), static_cast<std::size_t>(gains.size()),
                                         static_cast<std::size_t>(base_.size()), Model::kind),
          gains_(std::move(gains)) {
        require(base_.allFinite() && std::all_of(gains_.data(), gains_.data() + gains_.size(), [](double g) { return std::isfinite(g) && g >= 0; }),
                errc::bad_data, Model::kind, ": first scores or gains are not finite, or gains are negative");
    }
    tree_answers(detail::boosted_arrays<T> a, row_index inputs)
        : tree_answers(Eigen::Map<const vec<double>>(a.base.data(), static_cast<row_index>(a.base.size())), std::move(a.starts), a.features, std::move(a.numbers),
                       std::move(a.children), a.gains(inputs)) {}

    [[nodiscard]] std::size_t scores_per_row() const noexcept { return trees_.outputs(); }

   private:
    static constexpr std::size_t block_rows = 64;  // so many rows pass through a tree while it is in the cache

    template <class Finish>
    [[nodiscard]] matrix<T> for_rows(const matrix_in<T>& x, std::size_t width, const Finish& finish) const {
        require_width(static_cast<std::size_t>(x.cols()));
        require_finite(x, Model::kind);
        const auto rows = static_cast<std::size_t>(x.rows()), outputs = trees_.outputs(), stride = static_cast<std::size_t>(x.outerStride());
        matrix<T> out(x.rows(), static_cast<row_index>(width));
        std::vector<double> sums(block_rows * outputs);
        for (std::size_t at = 0; at < rows; at += block_rows) {
            const std::size_t n = std::min(block_rows, rows - at);
            for (std::size_t i = 0; i < n; ++i) std::copy_n(base_.data(), outputs, sums.data() + i * outputs);
            trees_.add_scores(x.data() + at * stride, stride, n, sums.data());
            for (std::size_t i = 0; i < n; ++i) finish({sums.data() + i * outputs, outputs}, {out.data() + (at + i) * width, width});
        }
        return out;
    }
    void require_width(std::size_t columns) const {
        require(columns == inputs(), errc::shape_mismatch, Model::kind, ": got ", columns, " columns, learnt ", inputs());
    }

    vec<double> base_;
    forest<T> trees_;
    vec<double> gains_;
};

}  // namespace detail

/// A trained classifier: (rows, features) -> (rows, classes), each row summing to 1.
template <class T>
class boosted_trees_model : public detail::tree_answers<boosted_trees_model<T>, T> {
    using base = detail::tree_answers<boosted_trees_model, T>;
    friend base;

   public:
    static constexpr std::string_view kind = "boosted_trees";  // in saved files: never changes

    /// The fields as `fields()` gives them. Throws `error` (`bad_data`) where they are no trees over as many features as
    /// there are gains.
    boosted_trees_model(vec<double> first_scores, std::vector<std::int64_t> starts, std::vector<std::int32_t> features, std::vector<T> numbers,
                        std::vector<std::int32_t> children, vec<double> gains)
        : base(std::move(first_scores), std::move(starts), std::move(features), std::move(numbers), std::move(children), std::move(gains)) {
        check();
    }
    boosted_trees_model(detail::boosted_arrays<T> learnt, row_index inputs) : base(std::move(learnt), inputs) { check(); }

    [[nodiscard]] std::size_t outputs() const noexcept { return classes(); }
    [[nodiscard]] std::size_t classes() const noexcept { return base::scores_per_row() == 1 ? 2 : base::scores_per_row(); }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const {
        std::vector<std::string> out;
        for (std::size_t k = 0; k < classes(); ++k) out.push_back(detail::message("class_", k));
        return out;
    }

   private:
    void check() const { require(base::scores_per_row() != 2, errc::bad_data, kind, ": 2 first scores; two classes have 1, more have one each"); }
    void finish(std::span<const double> scores, std::span<T> out) const noexcept {
        if (scores.size() == 1) {
            out[0] = static_cast<T>(detail::sigmoid_of(-scores[0]));
            out[1] = static_cast<T>(detail::sigmoid_of(scores[0]));
            return;
        }
        const double top = *std::max_element(scores.begin(), scores.end());
        double sum = 0;
        for (const double s : scores) sum += std::exp(s - top);
        for (std::size_t k = 0; k < scores.size(); ++k) out[k] = static_cast<T>(std::exp(scores[k] - top) / sum);
    }
};

/// A trained regressor: (rows, features) -> (rows, 1).
template <class T>
class boosted_trees_regressor_model : public detail::tree_answers<boosted_trees_regressor_model<T>, T> {
    using base = detail::tree_answers<boosted_trees_regressor_model, T>;
    friend base;

   public:
    static constexpr std::string_view kind = "boosted_trees_regressor";  // in saved files: never changes

    /// The fields as `fields()` gives them. Throws `error` (`bad_data`) where they are no trees over as many features as
    /// there are gains.
    boosted_trees_regressor_model(vec<double> first_scores, std::vector<std::int64_t> starts, std::vector<std::int32_t> features, std::vector<T> numbers,
                                  std::vector<std::int32_t> children, vec<double> gains)
        : base(std::move(first_scores), std::move(starts), std::move(features), std::move(numbers), std::move(children), std::move(gains)) {
        check();
    }
    boosted_trees_regressor_model(detail::boosted_arrays<T> learnt, row_index inputs) : base(std::move(learnt), inputs) { check(); }

    [[nodiscard]] static constexpr std::size_t outputs() noexcept { return 1; }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return {"value_0"}; }

   private:
    void check() const { require(base::scores_per_row() == 1, errc::bad_data, kind, ": ", base::scores_per_row(), " first scores, a regressor has 1"); }
    static void finish(std::span<const double> scores, std::span<T> out) noexcept { out[0] = static_cast<T>(scores[0]); }
};

/// Recipe for `boosted_trees_model`: second-order boosting on histograms (Friedman, Annals of Statistics 29(5), 2001; Chen &
/// Guestrin, KDD 2016). Features are numbers of any scale: one-hot columns and counts as they are; what is missing is
/// filled in before, with an indicator where that tells something (`impute`). The defaults suit some thousand rows.
///
/// Each round grows a tree (from three classes on a tree a class) on the first and second derivatives g and h of the log
/// loss. A node is split where
///
///     gain = 1/2 (GL^2 / (HL + regularization) + GR^2 / (HR + regularization) - G^2 / (H + regularization))
///
/// is largest, over all columns and all borders between bins; capitals are sums over the node's rows, of its left and right
/// part, times their weights. A leaf adds learning_rate * -G / (H + regularization) to the score.
/// Training takes a byte a value, 16 to 32 bytes a row and class, and up to 4 KB a column and level of depth.
template <class T>
struct boosted_trees {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    std::size_t n_trees = 200;      ///< rounds, 1 .. 1,000,000; fewer where validation or an observer stops it
    std::size_t max_depth = 3;      ///< splits from the root to a leaf at most, 1 .. 64
    double learning_rate = 0.05;    ///< above 0, at most 1
    double regularization = 1;      ///< at least 0, added to each sum of h
    double min_child_weight = 1;    ///< at least 0: smallest sum of h in a node
    double min_split_gain = 0;      ///< at least 0: splits must gain more
    double row_share = 0.8;         ///< above 0, at most 1: of the rows, drawn anew each round
    double column_share = 0.8;      ///< above 0, at most 1: of the columns, drawn anew for each tree
    std::size_t max_bins = 255;     ///< 2 .. 255: a column's values are cut at quantiles into so many bins, learnt from at most 65,536 rows
    /// 0 <= share < 1 of the rows, drawn by class, is not learnt from; the rounds up to the lowest loss on them are kept.
    double validation_share = 0;
    std::size_t patience = 20;      ///< at least 1: stop after so many rounds without a lower validation loss

    /// Labels are 0, 1, ..., each of which must be there. Reports the mean of -log(probability) after each round.
    /// Throws `error`: `bad_parameter`; `empty_input`; `shape_mismatch`; `nan_or_inf`; `bad_data` with the row of a negative
    /// label, where there is one class only, or one without rows of positive weight; `limit_exceeded`; `too_few_rows` where
    /// the validation share comes to nothing; `diverged`.
    [[nodiscard]] boosted_trees_model<T> fit(const matrix_in<T>& x, const std::vector<int>& y, const fit_options& options) const {
        constexpr std::string_view who = boosted_trees_model<T>::kind;
        const detail::boosting_settings how = detail::boosting_of(*this, who);
        detail::require_boosting_rows(x, y.size(), who);
        const std::size_t classes = detail::count_classes(y, who);
        const row_weights weights(options.weights, y.size(), who);
        std::vector<bool> seen(classes);
        for (std::size_t i = 0; i < y.size(); ++i)
            if (weights[i] > 0) seen[static_cast<std::size_t>(y[i])] = true;
        for (std::size_t k = 0; k < classes; ++k)
            require(seen[k], errc::bad_data, who, ": class ", k, " of ", classes, " has no row of positive weight; number the classes 0, 1, ...");
        if (classes == 2) return {detail::boost<T>(x, detail::log_odds_loss(y), how, weights, options, who), x.cols()};
        require(y.size() < (std::size_t{1} << 34) / classes, errc::limit_exceeded, who, ": ", y.size(), " rows times ", classes, " classes are more than 2^34");
        return {detail::boost<T>(x, detail::class_scores_loss(y, classes), how, weights, options, who), x.cols()};
    }
};

/// Recipe for `boosted_trees_regressor_model`: see `boosted_trees`. Minimises the squared error of the target's z-scores, so
/// h is 1 (times the row's weight) and gains do not depend on the target's unit.
template <class T>
struct boosted_trees_regressor {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    std::size_t n_trees = 200;  ///< see `boosted_trees` for these
    std::size_t max_depth = 3;
    double learning_rate = 0.05;
    double regularization = 1;
    double min_child_weight = 1;
    double min_split_gain = 0;
    double row_share = 0.8;
    double column_share = 0.8;
    std::size_t max_bins = 255;
    double validation_share = 0;
    std::size_t patience = 20;

    /// Reports the mean squared error of the z-scores after each round, a share of the target's variance. Throws `error` as
    /// `boosted_trees` does; `nan_or_inf` with the row of a target; `number_out_of_range` where their spread is beyond the
    /// number type.
    [[nodiscard]] boosted_trees_regressor_model<T> fit(const matrix_in<T>& x, const std::vector<T>& y, const fit_options& options) const {
        constexpr std::string_view who = boosted_trees_regressor_model<T>::kind;
        const detail::boosting_settings how = detail::boosting_of(*this, who);
        detail::require_boosting_rows(x, y.size(), who);
        const row_weights weights(options.weights, y.size(), who);
        double sum = 0, square = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            require_at(std::isfinite(y[i]), errc::nan_or_inf, {.row = i + 1, .column = 1}, who, ": the target of row ", i + 1, " is not finite");
            sum += weights[i] * static_cast<double>(y[i]);
        }
        const double mean = sum / weights.sum();
        for (std::size_t i = 0; i < y.size(); ++i) square += weights[i] * (static_cast<double>(y[i]) - mean) * (static_cast<double>(y[i]) - mean);
        double deviation = std::sqrt(square / weights.sum());
        require(std::isfinite(mean) && std::isfinite(static_cast<T>(deviation)), errc::number_out_of_range, who, ": the spread of the targets is beyond the number type");
        if (!(deviation > 0)) deviation = 1;
        std::vector<double> scores(y.size());
        for (std::size_t i = 0; i < y.size(); ++i) scores[i] = (static_cast<double>(y[i]) - mean) / deviation;
        auto learnt = detail::boost<T>(x, detail::squared_loss(std::move(scores), deviation), how, weights, options, who);
        learnt.base[0] = mean + deviation * learnt.base[0];
        return {std::move(learnt), x.cols()};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
