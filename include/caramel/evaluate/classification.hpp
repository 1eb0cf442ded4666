#ifndef CARAMEL_EVALUATE_CLASSIFICATION_HPP
#define CARAMEL_EVALUATE_CLASSIFICATION_HPP

// How good a classifier's scores, probabilities and decisions are against the labels that turned out to be right.
// Definitions differ between libraries: each function states its own. Predictions come first, labels second.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/weights.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How the functions for two classes take their scores, one a row: a vector, a matrix of one column, or what a classifier
/// of two classes gives, (rows, 2), of which column 1 counts. Higher means: rather class 1.
class scores_in {
   public:
    template <class Derived>
    scores_in(const Eigen::DenseBase<Derived>& x) {  // NOLINT(google-explicit-constructor)
        require(x.cols() == 1 || x.cols() == 2, errc::shape_mismatch, "scores: got ", x.cols(),
                " columns; scores are one column, or the probabilities of two classes");
        const auto& values = x.derived();
        values_.reserve(static_cast<std::size_t>(x.rows()));
        for (row_index i = 0; i < x.rows(); ++i) values_.push_back(static_cast<double>(values(i, x.cols() - 1)));
    }
    template <class T>
        requires std::is_floating_point_v<T>
    scores_in(const std::vector<T>& x) : values_(x.begin(), x.end()) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] const std::vector<double>& values() const noexcept { return values_; }
    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

   private:
    std::vector<double> values_;
};

namespace detail {

template <class = void>
inline void require_same_rows(std::size_t predictions, std::size_t labels, std::string_view who) {
    require(predictions > 0 || labels > 0, errc::empty_input, who, ": no rows");
    require(predictions == labels, errc::shape_mismatch, who, ": ", predictions, " predictions but ", labels, " labels");
}

// Scores and labels that are known to be fit to be judged, and what each row counts.
class judged_scores {
   public:
    template <class = void>
    judged_scores(const scores_in& scores, const std::vector<int>& labels, std::string_view who, std::span<const double> weights = {})
        : scores_(scores.values()),
          labels_(labels),
          weights_((require_same_rows(scores.size(), labels.size(), who), row_weights(weights, labels.size(), who))) {
        for (std::size_t i = 0; i < scores_.size(); ++i) {
            require_at(std::isfinite(scores_[i]), errc::nan_or_inf, {.row = i + 1}, who, ": the score of row ", i + 1, " is not finite");
            require_at(labels_[i] == 0 || labels_[i] == 1, errc::bad_data, {.row = i + 1}, who, ": the label of row ", i + 1, " is neither 0 nor 1");
            positives_ += labels_[i] == 1 ? weights_[i] : 0;
        }
    }
    // For measures that compare the classes.
    void require_both_classes(std::string_view who) const {
        require(positives_ > 0 && positives_ < rows(), errc::bad_data, who, ": the labels are of one class only, so nothing is defined");
    }
    void require_probabilities(std::string_view who) const {
        for (std::size_t i = 0; i < size(); ++i)
            require_at(scores_[i] >= 0 && scores_[i] <= 1, errc::bad_data, {.row = i + 1}, who, ": the probability of row ", i + 1, " is not within 0 .. 1");
    }
    [[nodiscard]] std::size_t size() const noexcept { return scores_.size(); }
    [[nodiscard]] double rows() const noexcept { return weights_.sum(); }  // by weight, as the next two
    [[nodiscard]] double positives() const noexcept { return positives_; }
    [[nodiscard]] double negatives() const noexcept { return rows() - positives(); }
    [[nodiscard]] double score(std::size_t i) const noexcept { return scores_[i]; }
    [[nodiscard]] int label(std::size_t i) const noexcept { return labels_[i]; }
    [[nodiscard]] double weight(std::size_t i) const noexcept { return weights_[i]; }

    // Rows by falling score, ties in the order of the rows.
    template <class = void>
    [[nodiscard]] std::vector<std::size_t> ranking() const {
        std::vector<std::size_t> order(size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) { return scores_[a] > scores_[b]; });
        return order;
    }
    // Calls `step(positives, negatives)` with the weights among the rows of each distinct score, by falling score.
    template <class Step>
    void for_each_threshold(const Step& step) const {
        const auto order = ranking();
        for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
            double ones = 0, zeros = 0;
            for (end = begin; end < order.size() && scores_[order[end]] == scores_[order[begin]]; ++end)
                (labels_[order[end]] == 1 ? ones : zeros) += weights_[order[end]];
            step(ones, zeros);
        }
    }

   private:
    const std::vector<double>& scores_;
    const std::vector<int>& labels_;
    row_weights weights_;
    double positives_ = 0;
};

}  // namespace detail

// `weights`, where a function takes them: one a row, at least 0; a row of weight 2 counts as two rows. None = all 1.
// All throw `error`: `empty_input`; `shape_mismatch`; `nan_or_inf` with the row; `bad_data` with the row of a label that is
// not 0 or 1 (for two classes) or not a class, of a probability outside 0 .. 1, or of a weight, and where the measure needs
// both classes and the labels are of one.

/// The area under the ROC curve: the share of pairs of a positive and a negative where the positive has the higher score,
/// ties counting half. Needs both classes.
template <class = void>
[[nodiscard]] inline double auc(const scores_in& scores, const std::vector<int>& labels, std::span<const double> weights = {}) {
    const detail::judged_scores judged(scores, labels, "auc", weights);
    judged.require_both_classes("auc");
    double above = 0, wins = 0;
    judged.for_each_threshold([&](double ones, double zeros) {
        wins += zeros * (above + ones / 2);
        above += ones;
    });
    return wins / (judged.positives() * judged.negatives());
}

/// The sum over distinct scores, falling, of the step in recall times the precision there; no interpolation. Needs both
/// classes.
template <class = void>
[[nodiscard]] inline double average_precision(const scores_in& scores, const std::vector<int>& labels, std::span<const double> weights = {}) {
    const detail::judged_scores judged(scores, labels, "average_precision", weights);
    judged.require_both_classes("average_precision");
    double hits = 0, seen = 0, sum = 0;
    judged.for_each_threshold([&](double ones, double zeros) {
        hits += ones;
        seen += ones + zeros;
        if (ones > 0) sum += ones * hits / seen;
    });
    return sum / judged.positives();
}

/// How often class 1 is among the `share` of rows with the highest scores, against how often it is among all: 2 means twice
/// as often. So many rows are ceil(share * rows), ties in the order of the rows. Needs both classes.
/// Throws `error` (`bad_parameter`) unless 0 < share <= 1.
template <class = void>
[[nodiscard]] inline double top_lift(const scores_in& scores, const std::vector<int>& labels, double share = 0.1) {
    const detail::judged_scores judged(scores, labels, "top_lift");
    require(share > 0 && share <= 1, errc::bad_parameter, "top_lift: share = ", share, ", must be above 0 and at most 1");
    judged.require_both_classes("top_lift");
    const double exact = share * judged.rows();
    const double nearest = std::round(exact);  // .07 * 100 is a little more than 7 in double
    const double wanted = std::abs(exact - nearest) < 1e-9 * judged.rows() ? nearest : std::ceil(exact);
    const auto k = static_cast<std::size_t>(std::clamp(wanted, 1.0, judged.rows()));
    const auto order = judged.ranking();
    double hits = 0;
    for (std::size_t i = 0; i < k; ++i) hits += judged.label(order[i]);
    return (hits / static_cast<double>(k)) / (judged.positives() / judged.rows());
}

/// The Kolmogorov-Smirnov statistic: the largest difference between the share of the positives and the share of the
/// negatives at or above a score. Needs both classes.
template <class = void>
[[nodiscard]] inline double kolmogorov_smirnov(const scores_in& scores, const std::vector<int>& labels, std::span<const double> weights = {}) {
    const detail::judged_scores judged(scores, labels, "kolmogorov_smirnov", weights);
    judged.require_both_classes("kolmogorov_smirnov");
    double positives = 0, negatives = 0, largest_gap = 0;
    judged.for_each_threshold([&](double ones, double zeros) {
        positives += ones;
        negatives += zeros;
        largest_gap = std::max(largest_gap, std::abs(positives / judged.positives() - negatives / judged.negatives()));
    });
    return largest_gap;
}

/// The mean of (probability of class 1 - label)^2 (Brier, Monthly Weather Review 78(1), 1950, for two classes).
template <class = void>
[[nodiscard]] inline double brier_score(const scores_in& probabilities, const std::vector<int>& labels, std::span<const double> weights = {}) {
    const detail::judged_scores judged(probabilities, labels, "brier_score", weights);
    judged.require_probabilities("brier_score");
    double sum = 0;
    for (std::size_t i = 0; i < judged.size(); ++i) sum += judged.weight(i) * (judged.score(i) - judged.label(i)) * (judged.score(i) - judged.label(i));
    return sum / judged.rows();
}

/// The expected calibration error: rows go into `bins` bins of equal width by their probability of class 1 (1 into the
/// last); the sum over bins of their share of the rows times |mean label - mean probability|.
/// Throws `error` (`bad_parameter`) unless there are 1 .. 1,000,000 bins.
template <class = void>
[[nodiscard]] inline double calibration_error(const scores_in& probabilities, const std::vector<int>& labels, std::size_t bins = 10) {
    const detail::judged_scores judged(probabilities, labels, "calibration_error");
    require(bins >= 1 && bins <= 1'000'000, errc::bad_parameter, "calibration_error: bins = ", bins, ", must lie in 1 .. 1000000");
    judged.require_probabilities("calibration_error");
    std::vector<double> excess(bins);  // of labels over probabilities
    for (std::size_t i = 0; i < judged.size(); ++i) {
        const auto bin = static_cast<std::size_t>(judged.score(i) * static_cast<double>(bins));
        excess[std::min(bin, bins - 1)] += judged.label(i) - judged.score(i);
    }
    double sum = 0;
    for (const double x : excess) sum += std::abs(x);
    return sum / judged.rows();
}

/// Probabilities are kept within this distance of 0 and 1 in `log_loss`, so that one sure mistake costs at most 16.1.
inline constexpr double probability_clip = 1e-7;

/// The mean of - log(probability of the right class): (rows, 1) are probabilities of class 1, (rows, classes) of each.
/// Computed in double.
template <class Derived>
[[nodiscard]] double log_loss(const Eigen::DenseBase<Derived>& probabilities, const std::vector<int>& labels, std::span<const double> weights = {}) {
    const matrix<double> p = probabilities.derived().template cast<double>();
    detail::require_same_rows(static_cast<std::size_t>(p.rows()), labels.size(), "log_loss");
    require(p.cols() > 0, errc::shape_mismatch, "log_loss: the probabilities have no columns");
    require_finite(p, "log_loss");
    const row_weights counts(weights, labels.size(), "log_loss");
    const row_index classes = std::max<row_index>(2, p.cols());
    double sum = 0;
    for (row_index i = 0; i < p.rows(); ++i) {
        const int label = labels[static_cast<std::size_t>(i)];
        const std::uint64_t row = static_cast<std::uint64_t>(i) + 1;
        require_at(label >= 0 && label < classes, errc::bad_data, {.row = row}, "log_loss: the label of row ", row, " is none of ", classes, " classes");
        for (row_index j = 0; j < p.cols(); ++j)
            require_at(p(i, j) >= 0 && p(i, j) <= 1, errc::bad_data, {.row = row, .column = static_cast<std::uint64_t>(j) + 1},
                       "log_loss: the probability in row ", row, ", column ", j + 1, " is not within 0 .. 1");
        const double right = p.cols() > 1 ? p(i, label) : label == 1 ? p(i, 0) : 1 - p(i, 0);
        sum -= counts[i] * std::log(std::clamp(right, probability_clip, 1 - probability_clip));
    }
    return sum / counts.sum();
}
/// The same for probabilities of class 1 in a vector.
template <class T>
    requires std::is_floating_point_v<T>
[[nodiscard]] double log_loss(const std::vector<T>& probabilities, const std::vector<int>& labels, std::span<const double> weights = {}) {
    return log_loss(Eigen::Map<const vec<T>>(probabilities.data(), static_cast<row_index>(probabilities.size())), labels, weights);
}

/// The share of rows whose class was predicted right. The classes are what `most_likely` gives.
template <class = void>
[[nodiscard]] inline double accuracy(const std::vector<int>& predicted, const std::vector<int>& labels, std::span<const double> weights = {}) {
    detail::require_same_rows(predicted.size(), labels.size(), "accuracy");
    const row_weights counts(weights, labels.size(), "accuracy");
    double right = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i] ? counts[i] : 0;
    return right / counts.sum();
}

/// How many rows of class i were predicted to be of class j: (classes, classes), where the largest class of both says how
/// many there are, at most 65,536.
template <class = void>
[[nodiscard]] inline matrix<std::int64_t> confusion(const std::vector<int>& predicted, const std::vector<int>& labels) {
    detail::require_same_rows(predicted.size(), labels.size(), "confusion");
    int most = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const int low = std::min(predicted[i], labels[i]), high = std::max(predicted[i], labels[i]);
        require_at(low >= 0 && high < 4096, errc::bad_data, {.row = i + 1}, "confusion: a class of row ", i + 1, " is negative or above 4095");
        most = std::max(most, high);
    }
    matrix<std::int64_t> counts = matrix<std::int64_t>::Zero(most + 1, most + 1);
    for (std::size_t i = 0; i < labels.size(); ++i) ++counts(labels[i], predicted[i]);
    return counts;
}

/// The four cells of a decision "score at or above `threshold`", and what is made of them.
struct decision_counts {
    std::size_t true_positives = 0, false_positives = 0, true_negatives = 0, false_negatives = 0;

    /// Of the rows decided for, the share of class 1; 0 where there are none.
    [[nodiscard]] double precision() const noexcept { return ratio(true_positives, true_positives + false_positives); }
    /// Of the rows of class 1, the share decided for; 0 where there are none.
    [[nodiscard]] double recall() const noexcept { return ratio(true_positives, true_positives + false_negatives); }
    /// The harmonic mean of both; 0 where there are no true positives.
    [[nodiscard]] double f1() const noexcept { return ratio(2 * true_positives, 2 * true_positives + false_positives + false_negatives); }

    friend bool operator==(const decision_counts&, const decision_counts&) = default;

   private:
    static double ratio(std::size_t a, std::size_t b) noexcept { return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b); }
};
/// Counts the decisions "score at or above the threshold" by what was right; one class is enough.
/// Throws `error`: `shape_mismatch`, `nan_or_inf`, `bad_data`; `bad_parameter` where the threshold is not a number.
template <class = void>
[[nodiscard]] inline decision_counts decisions(const scores_in& scores, const std::vector<int>& labels, double threshold = 0.5) {
    const detail::judged_scores judged(scores, labels, "decisions");
    require(!std::isnan(threshold), errc::bad_parameter, "decisions: the threshold is not a number");
    decision_counts out;
    for (std::size_t i = 0; i < judged.size(); ++i) {
        if (judged.score(i) >= threshold) ++(judged.label(i) == 1 ? out.true_positives : out.false_positives);
        else ++(judged.label(i) == 1 ? out.false_negatives : out.true_negatives);
    }
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
