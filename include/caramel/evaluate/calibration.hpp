#ifndef CARAMEL_EVALUATE_CALIBRATION_HPP
#define CARAMEL_EVALUATE_CALIBRATION_HPP

// Probabilities that mean what they say: of customers with a risk of 30 %, 30 % leave. Stages after a classifier, and recipes
// that fit them on predictions for rows that the classifier has not learnt from.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/labels.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/take_rows.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/evaluate/cross_validation.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

// What all three take: (rows, classes) probabilities, each row of which a classifier made, or (rows, 1) scores of any size,
// higher meaning rather class 1. What they give: (rows, classes) probabilities, two classes for one column of scores. From
// three classes on, each class is calibrated against the others and rows are divided by their sum (Zadrozny & Elkan, KDD 2002).

namespace detail {

inline constexpr double calibration_clip = 1e-7;  // probabilities stay this far from 0 and 1 where their log odds are taken

inline double log_odds(double p) {
    const double kept = std::clamp(p, calibration_clip, 1 - calibration_clip);
    return std::log(kept) - std::log1p(-kept);
}

// Checks and loops of a calibrating model, whose `probability(k, score)` maps the score of class k.
template <class Model, class T>
class calibrating : public single_row<Model> {
   public:
    using stage_concept = model_tag;

    /// (rows, inputs) -> (rows, classes).
    /// Throws `error`: `shape_mismatch` unless there are as many columns as in the fit; `nan_or_inf`; `bad_data` with the place
    /// of a probability that is not within 0 .. 1.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const {
        require_width(static_cast<std::size_t>(x.cols()));
        matrix<T> out(x.rows(), static_cast<row_index>(classes()));
        for (row_index i = 0; i < x.rows(); ++i) answer({x.row(i).data(), inputs()}, {out.data() + i * out.cols(), classes()}, static_cast<std::size_t>(i) + 1);
        return out;
    }
    /// One row: (inputs) -> (classes), in the workspace; the same bits as in a batch.
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_width(row.size());
        const auto out = scratch.take<T>(classes());
        answer(row, out, 1);
        return out;
    }
    using single_row<Model>::operator();

    [[nodiscard]] std::size_t inputs() const noexcept { return self().columns(); }
    [[nodiscard]] std::size_t classes() const noexcept { return std::max<std::size_t>(2, inputs()); }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const {
        std::vector<std::string> out;
        for (std::size_t k = 0; k < classes(); ++k) out.push_back(message("class_", k));
        return out;
    }

   private:
    [[nodiscard]] const Model& self() const noexcept { return static_cast<const Model&>(*this); }
    void require_width(std::size_t columns) const {
        require(columns == inputs(), errc::shape_mismatch, Model::kind, ": got ", columns, " columns, learnt ", inputs());
    }
    void answer(std::span<const T> row, std::span<T> out, std::size_t number) const {
        require_calibration_row(row, number, Model::kind);
        if (row.size() <= 2) {
            const double p = self().probability(0, static_cast<double>(row.back()));
            out[0] = static_cast<T>(1 - p);
            out[1] = static_cast<T>(p);
            return;
        }
        double sum = 0;
        for (std::size_t k = 0; k < row.size(); ++k) sum += self().probability(k, static_cast<double>(row[k]));
        for (std::size_t k = 0; k < row.size(); ++k)  // where no class is possible, none is known to be likelier
            out[k] = static_cast<T>(sum > 0 ? self().probability(k, static_cast<double>(row[k])) / sum : 1 / static_cast<double>(row.size()));
    }

   public:
    static void require_calibration_row(std::span<const T> row, std::size_t number, std::string_view who) {
        for (std::size_t j = 0; j < row.size(); ++j) {
            const place at{.row = number, .column = j + 1};
            require_at(std::isfinite(row[j]), errc::nan_or_inf, at, who, ": the value in row ", number, ", column ", j + 1, " is not finite");
            require_at(row.size() == 1 || (row[j] >= T(-1e-5) && row[j] <= T(1 + 1e-5)), errc::bad_data, at, who, ": the probability in row ", number,
                       ", column ", j + 1, " is not within 0 .. 1");
        }
    }
};

// The scores of one class, who is of it, and what each counts.
struct calibration_rows {
    std::vector<double> score;
    std::vector<bool> positive;
    std::vector<double> weight;
};

// Checks the input of a fit and hands out the rows of each class that is to be calibrated.
template <class Model, class T>
std::vector<calibration_rows> calibration_input(const matrix_in<T>& x, const std::vector<int>& y, const fit_options& options) {
    constexpr std::string_view who = Model::kind;
    const auto columns = static_cast<std::size_t>(x.cols());
    require(x.rows() > 0, errc::empty_input, who, ": no rows to learn from");
    require(columns >= 1, errc::shape_mismatch, who, ": got 0 columns; scores are one column, probabilities one a class");
    require(std::cmp_equal(x.rows(), y.size()), errc::shape_mismatch, who, ": ", x.rows(), " rows but ", y.size(), " targets");
    const std::size_t classes = std::max<std::size_t>(2, columns);
    for (row_index i = 0; i < x.rows(); ++i) calibrating<Model, T>::require_calibration_row({x.row(i).data(), columns}, static_cast<std::size_t>(i) + 1, who);
    for (std::size_t i = 0; i < y.size(); ++i)
        require_at(y[i] >= 0 && std::cmp_less(y[i], classes), errc::bad_data, {.row = i + 1}, who, ": the label of row ", i + 1, " is none of ", classes,
                   " classes");
    (void)count_classes(y, who);  // one class alone teaches nothing
    const row_weights weights(options.weights, y.size(), who);
    std::vector<calibration_rows> out(columns <= 2 ? 1 : columns);
    for (std::size_t k = 0; k < out.size(); ++k) {
        const std::size_t column = columns <= 2 ? columns - 1 : k;
        for (std::size_t i = 0; i < y.size(); ++i) {
            if (weights[i] == 0) continue;
            out[k].score.push_back(static_cast<double>(x(static_cast<row_index>(i), static_cast<row_index>(column))));
            out[k].positive.push_back(std::cmp_equal(y[i], columns <= 2 ? 1 : k));
            out[k].weight.push_back(weights[i]);
        }
    }
    return out;
}

struct sigmoid_fit {
    double slope, intercept;
};

// Platt's sigmoid by Newton's method with a line search (Lin, Lin & Weng, Machine Learning 68(3), 2007), on z-scores so that
// the size of the scores does not matter. Template: plain functions cost every user.
template <class Rows>
sigmoid_fit fit_sigmoid(const Rows& rows, std::string_view who) {
    const std::size_t n = rows.score.size();
    double positives = 0, all = 0, mean = 0, square = 0;
    for (std::size_t i = 0; i < n; ++i) {
        all += rows.weight[i];
        positives += rows.positive[i] ? rows.weight[i] : 0;
        mean += rows.weight[i] * rows.score[i];
    }
    mean /= all;
    for (std::size_t i = 0; i < n; ++i) square += rows.weight[i] * (rows.score[i] - mean) * (rows.score[i] - mean);
    const bool constant = std::all_of(rows.score.begin(), rows.score.end(), [&](double s) { return s == rows.score.front(); });
    const double spread = constant ? 1 : std::sqrt(square / all);  // of constant scores: all z-scores 0
    require(std::isfinite(mean) && std::isfinite(spread) && spread > 0, errc::number_out_of_range, who, ": the spread of the scores is beyond the number type");
    const auto z = [&](std::size_t i) { return constant ? 0.0 : (rows.score[i] - mean) / spread; };
    const double target_of_positives = (positives + 1) / (positives + 2), target_of_others = 1 / (all - positives + 2);

    double slope = 0, intercept = std::log((positives + 1) / (all - positives + 1));
    const auto loss = [&](double a, double b) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const double f = a * z(i) + b, t = rows.positive[i] ? target_of_positives : target_of_others;
            sum += rows.weight[i] * (std::log1p(std::exp(-std::abs(f))) + std::max(f, 0.0) - t * f);
        }
        return sum;
    };
    double now = loss(slope, intercept);
    for (int iteration = 0; iteration < 100; ++iteration) {
        double g1 = 0, g0 = 0, h11 = 1e-12 * all, h10 = 0, h00 = 1e-12 * all;
        for (std::size_t i = 0; i < n; ++i) {
            const double p = sigmoid_of(slope * z(i) + intercept), t = rows.positive[i] ? target_of_positives : target_of_others;
            const double w = rows.weight[i], curvature = w * p * (1 - p), s = z(i);
            g1 += w * (p - t) * s;
            g0 += w * (p - t);
            h11 += curvature * s * s;
            h10 += curvature * s;
            h00 += curvature;
        }
        if (std::abs(g1) <= 1e-11 * all && std::abs(g0) <= 1e-11 * all) break;
        const double determinant = h11 * h00 - h10 * h10;
        const double step1 = -(h00 * g1 - h10 * g0) / determinant, step0 = -(h11 * g0 - h10 * g1) / determinant;
        const double descent = g1 * step1 + g0 * step0;
        double length = 1, next = now;
        for (; length > 1e-10; length /= 2) {
            next = loss(slope + length * step1, intercept + length * step0);
            if (next <= now + 1e-4 * length * descent) break;
        }
        if (length <= 1e-10) break;  // as low as rounding allows
        slope += length * step1;
        intercept += length * step0;
        now = next;
    }
    slope /= spread;
    intercept -= slope * mean;
    require(std::isfinite(slope) && std::isfinite(intercept), errc::number_out_of_range, who, ": the sigmoid is beyond the number type");
    return {slope, intercept};
}

}  // namespace detail

/// A sigmoid of the score, or of the log odds of the probability, a class.
template <class T>
class platt_scaling_model : public detail::calibrating<platt_scaling_model<T>, T> {
   public:
    static constexpr std::string_view kind = "platt_scaling";  // in saved files: never changes

    /// `slopes` and `intercepts`: one for one or two columns, else one a column; `columns` that go in.
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    platt_scaling_model(std::vector<double> slopes, std::vector<double> intercepts, std::uint64_t columns)
        : slopes_(std::move(slopes)), intercepts_(std::move(intercepts)), columns_(columns) {
        const auto finite = [](const std::vector<double>& values) {
            return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
        };
        require(
            columns_ >= 1 && slopes_.size() == (columns_ <= 2 ? 1 : columns_) && intercepts_.size() == slopes_.size() && finite(slopes_) && finite(intercepts_),
            errc::bad_data, kind, ": slopes, intercepts and columns do not belong together");
    }
    /// The probability of class k (0 of two classes: that of class 1) from its score or probability.
    [[nodiscard]] double probability(std::size_t k, double score) const noexcept {
        return detail::sigmoid_of(slopes_[k] * (columns_ == 1 ? score : detail::log_odds(score)) + intercepts_[k]);
    }
    [[nodiscard]] std::size_t columns() const noexcept { return static_cast<std::size_t>(columns_); }
    [[nodiscard]] const std::vector<double>& slopes() const noexcept { return slopes_; }
    [[nodiscard]] const std::vector<double>& intercepts() const noexcept { return intercepts_; }

    static constexpr std::array field_names{"slopes", "intercepts", "columns"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(slopes_, intercepts_, columns_); }

   private:
    std::vector<double> slopes_, intercepts_;
    std::uint64_t columns_;
};

/// Recipe for `platt_scaling_model`: P = 1 / (1 + exp(-(slope * s + intercept))) (Platt, Advances in Large Margin Classifiers,
/// 1999), where s is the score, or the log odds of a probability, so that probabilities that are right already stay as they
/// are. Targets are Platt's, (n1 + 1) / (n1 + 2) and 1 / (n0 + 2), so that no class becomes impossible. Two numbers a class:
/// the choice for a thousand rows or fewer.
/// Fit it on predictions for rows that the classifier has not learnt from: `calibrated` does.
template <class T>
struct platt_scaling {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    /// Throws `error`: `empty_input`; `shape_mismatch`; `nan_or_inf`; `bad_data` with the row of a label that is no class or of a
    /// probability outside 0 .. 1, and where labels are of one class only; `number_out_of_range`.
    [[nodiscard]] platt_scaling_model<T> fit(const matrix_in<T>& x, const std::vector<int>& y, const fit_options& options) const {
        auto classes = detail::calibration_input<platt_scaling_model<T>>(x, y, options);
        std::vector<double> slopes, intercepts;
        for (auto& rows : classes) {
            if (x.cols() > 1)
                for (double& s : rows.score) s = detail::log_odds(s);
            const auto [slope, intercept] = detail::fit_sigmoid(rows, platt_scaling_model<T>::kind);
            slopes.push_back(slope);
            intercepts.push_back(intercept);
        }
        return {std::move(slopes), std::move(intercepts), static_cast<std::uint64_t>(x.cols())};
    }
};

/// A rising function of the score a class: constant on blocks, linear between them, constant beyond what was seen.
template <class T>
class isotonic_model : public detail::calibrating<isotonic_model<T>, T> {
   public:
    static constexpr std::string_view kind = "isotonic";  // in saved files: never changes

    /// A row of `scores` and of `values` a class (one for one or two columns): the function's corners, scores rising, values
    /// never falling, within 0 .. 1. Throws `error` (`bad_data`) on fields that do not belong together.
    isotonic_model(ragged<double> scores, ragged<double> values, std::uint64_t columns)
        : scores_(std::move(scores)), values_(std::move(values)), columns_(columns) {
        bool good = columns_ >= 1 && scores_.size() == (columns_ <= 2 ? 1 : columns_) && scores_.starts() == values_.starts();
        for (std::size_t k = 0; good && k < scores_.size(); ++k) {
            good = !scores_[k].empty();
            for (std::size_t i = 0; good && i < scores_[k].size(); ++i)
                good = std::isfinite(scores_[k][i]) && values_[k][i] >= 0 && values_[k][i] <= 1 &&
                       (i == 0 || (scores_[k][i - 1] < scores_[k][i] && values_[k][i - 1] <= values_[k][i]));
        }
        require(good, errc::bad_data, kind, ": scores, values and columns do not belong together");
    }
    /// The probability of class k (0 of two classes: that of class 1) from its score or probability.
    [[nodiscard]] double probability(std::size_t k, double score) const noexcept {
        const auto scores = scores_[k], values = values_[k];
        const auto above = static_cast<std::size_t>(std::upper_bound(scores.begin(), scores.end(), score) - scores.begin());
        if (above == 0) return values.front();
        if (above == scores.size() || scores[above - 1] == score) return values[above - 1];
        const double share = (score - scores[above - 1]) / (scores[above] - scores[above - 1]);
        return values[above - 1] + share * (values[above] - values[above - 1]);
    }
    [[nodiscard]] std::size_t columns() const noexcept { return static_cast<std::size_t>(columns_); }
    [[nodiscard]] const ragged<double>& scores() const noexcept { return scores_; }
    [[nodiscard]] const ragged<double>& values() const noexcept { return values_; }

    static constexpr std::array field_names{"scores", "values", "columns"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(scores_, values_, columns_); }

   private:
    ragged<double> scores_, values_;
    std::uint64_t columns_;
};

/// Recipe for `isotonic_model`: the rising function with the least squared error (pool adjacent violators: Ayer et al., Annals
/// of Mathematical Statistics 26(4), 1955; for probabilities Zadrozny & Elkan, KDD 2002). Equal scores count as one of their
/// mean. It bends to any shape, so it wants more rows than a sigmoid: a thousand or more. It gives exact 0 and 1 at the ends,
/// where a log loss is only as good as its clip.
/// Fit it on predictions for rows that the classifier has not learnt from: `calibrated` does.
template <class T>
struct isotonic {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    /// Throws `error` as `platt_scaling` does.
    [[nodiscard]] isotonic_model<T> fit(const matrix_in<T>& x, const std::vector<int>& y, const fit_options& options) const {
        const auto classes = detail::calibration_input<isotonic_model<T>>(x, y, options);
        ragged<double> scores, values;
        for (const auto& rows : classes) {
            for (const block& b : pooled(rows)) {
                scores.push_back(b.first);
                values.push_back(b.value());
                if (b.last > b.first) {
                    scores.push_back(b.last);
                    values.push_back(b.value());
                }
            }
            scores.close_row();
            values.close_row();
        }
        return {std::move(scores), std::move(values), static_cast<std::uint64_t>(x.cols())};
    }

   private:
    struct block {
        double first, last, positives, rows;
        [[nodiscard]] double value() const { return std::min(1.0, positives / rows); }
    };
    static std::vector<block> pooled(const detail::calibration_rows& rows) {
        std::vector<std::size_t> order(rows.score.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rows.score[a] < rows.score[b]; });
        std::vector<block> out;
        const auto join = [&] {
            const block top = out.back();
            out.pop_back();
            out.back().last = top.last;
            out.back().positives += top.positives;
            out.back().rows += top.rows;
        };
        for (std::size_t at = 0; at < order.size();) {
            block next{rows.score[order[at]], rows.score[order[at]], 0, 0};
            for (; at < order.size() && rows.score[order[at]] == next.first; ++at) {
                next.positives += rows.positive[order[at]] ? rows.weight[order[at]] : 0;
                next.rows += rows.weight[order[at]];
            }
            out.push_back(next);
            while (out.size() > 1 && out[out.size() - 2].value() >= out.back().value()) join();
        }
        return out;
    }
};

/// All classes' log probabilities divided by one temperature.
template <class T>
class temperature_scaling_model : public single_row<temperature_scaling_model<T>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "temperature_scaling";  // in saved files: never changes

    /// Throws `error` (`bad_data`) unless the temperature is above 0 and there are at least two classes.
    temperature_scaling_model(double temperature, std::uint64_t classes) : temperature_(temperature), classes_(classes) {
        require(std::isfinite(temperature_) && temperature_ > 0 && classes_ >= 2, errc::bad_data, kind, ": temperature and classes do not belong together");
    }
    /// (rows, classes) -> (rows, classes). Throws `error` as the other calibrations do.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const {
        require_width(static_cast<std::size_t>(x.cols()));
        matrix<T> out(x.rows(), x.cols());
        for (row_index i = 0; i < x.rows(); ++i)
            answer({x.row(i).data(), classes()}, {out.data() + i * out.cols(), classes()}, static_cast<std::size_t>(i) + 1);
        return out;
    }
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_width(row.size());
        const auto out = scratch.take<T>(classes());
        answer(row, out, 1);
        return out;
    }
    using single_row<temperature_scaling_model>::operator();

    [[nodiscard]] double temperature() const noexcept { return temperature_; }
    [[nodiscard]] std::size_t classes() const noexcept { return static_cast<std::size_t>(classes_); }
    [[nodiscard]] std::vector<std::string> output_names(std::vector<std::string> names) const { return names; }

    static constexpr std::array field_names{"temperature", "classes"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(temperature_, classes_); }

   private:
    void require_width(std::size_t columns) const {
        require(columns == classes(), errc::shape_mismatch, kind, ": got ", columns, " columns, learnt ", classes());
    }
    void answer(std::span<const T> row, std::span<T> out, std::size_t number) const {
        detail::calibrating<temperature_scaling_model, T>::require_calibration_row(row, number, kind);
        double top = 0, sum = 0;
        const auto z = [&](std::size_t k) { return std::log(std::max(static_cast<double>(row[k]), detail::calibration_clip)) / temperature_; };
        for (std::size_t k = 0; k < row.size(); ++k) top = k == 0 ? z(k) : std::max(top, z(k));
        for (std::size_t k = 0; k < row.size(); ++k) sum += std::exp(z(k) - top);
        for (std::size_t k = 0; k < row.size(); ++k) out[k] = static_cast<T>(std::exp(z(k) - top) / sum);
    }
    double temperature_;
    std::uint64_t classes_;
};

/// Recipe for `temperature_scaling_model`: the one temperature, within 0.01 .. 100, with the smallest log loss (Guo et al., ICML
/// 2017). Above 1 it takes back a network's sureness; which class is likeliest never changes. For many classes, where there are
/// too few rows for a function each. Fit it on predictions for rows that the classifier has not learnt from: `calibrated` does.
template <class T>
struct temperature_scaling {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    /// Throws `error` as `platt_scaling` does; `shape_mismatch` on one column.
    [[nodiscard]] temperature_scaling_model<T> fit(const matrix_in<T>& x, const std::vector<int>& y, const fit_options& options) const {
        using model = temperature_scaling_model<T>;
        require(x.rows() == 0 || x.cols() >= 2, errc::shape_mismatch, model::kind, ": got ", x.cols(), " columns, needs one a class");
        (void)detail::calibration_input<model>(x, y, options);
        const row_weights weights(options.weights, y.size(), model::kind);
        const auto classes = static_cast<std::size_t>(x.cols());
        matrix<double> logs(x.rows(), x.cols());
        for (row_index i = 0; i < x.size(); ++i)
            logs(i / x.cols(), i % x.cols()) = std::log(std::max(static_cast<double>(x(i / x.cols(), i % x.cols())), detail::calibration_clip));
        // The loss is convex in 1 / temperature: its slope rises, and is bisected on a logarithmic scale.
        const auto slope_at = [&](double inverse) {
            double slope = 0;
            for (row_index i = 0; i < logs.rows(); ++i) {
                const double top = logs.row(i).maxCoeff();
                double sum = 0, mean = 0;
                for (std::size_t k = 0; k < classes; ++k) {
                    const double l = logs(i, static_cast<row_index>(k)), e = std::exp(inverse * (l - top));
                    sum += e;
                    mean += e * l;
                }
                slope += weights[i] * (mean / sum - logs(i, y[static_cast<std::size_t>(i)]));
            }
            return slope;
        };
        double low = std::log(0.01), high = std::log(100.0);
        for (int step = 0; step < 60; ++step) {
            const double middle = (low + high) / 2;
            (slope_at(std::exp(middle)) < 0 ? low : high) = middle;
        }
        return {std::exp(-(low + high) / 2), static_cast<std::uint64_t>(classes)};
    }
};

/// What `calibrated` makes: a recipe for `model | calibration`.
template <class R, class Calibration, class Folds>
struct calibrated_recipe {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = detail::uses_weights<R>();

    R recipe;
    Calibration calibration = {};
    Folds folds = {};

    /// Throws `error` as the recipe, the calibration, the folds and `cross_validate` do.
    template <class In, class Y>
        requires(detail::RowsCanBeTaken<In> && detail::RowsCanBeTaken<Y> && !std::is_void_v<typename decltype(detail::fitted_type<R, In, Y>())::type>)
    [[nodiscard]] auto fit(const In& x, const Y& y, const fit_options& options) const {
        require(detail::row_count(x) > 0, errc::empty_input, "calibrated: no rows to learn from");
        const auto unseen = cross_validate(recipe, x, y, folds(x, y, options.seed), detail::no_metric{}, options);
        const auto rows = unseen.tested_rows();
        const auto weights = detail::chosen(options.weights, rows);
        auto last = calibration.fit(take_rows(unseen.predictions, rows), take_rows(y, rows), {.weights = weights});
        return detail::from_tuple(std::tuple_cat(detail::as_tuple(caramel::fit(recipe, x, y, options)), std::tuple(std::move(last))));
    }
};

/// A recipe for a calibrated classifier: predictions for every row by models that did not learn from it (cross-fitting within
/// the training rows) teach the calibration; the classifier itself then learns from all rows. That is scikit-learn's
/// CalibratedClassifierCV with ensemble=False. The model is the chain `classifier | calibration`, which serves and saves as any:
/// `calibrated(standardize<float>{} | mlp<float>{}, platt_scaling<float>{})`.
/// `folds`: a `fold_plan`, or a callable `(x, y, seed) -> std::vector<train_test>`.
template <Recipe R, Recipe Calibration, class Folds = fold_plan>
[[nodiscard]] calibrated_recipe<R, Calibration, Folds> calibrated(R recipe, Calibration calibration, Folds folds = {}) {
    return {std::move(recipe), std::move(calibration), std::move(folds)};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
