#ifndef CARAMEL_EVALUATE_CURVES_HPP
#define CARAMEL_EVALUATE_CURVES_HPP

// Curves of a classifier of two classes, point by point, for charts and tables. Errors are those of classification.hpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/evaluate/classification.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What is found among the rows with the highest scores.
struct lift_point {
    double share = 0;      ///< of all rows: rows / number of rows
    std::size_t rows = 0;  ///< with the highest scores, ties in the order of the rows
    double lift = 0;       ///< share of class 1 among them / share of class 1 among all, as `top_lift(scores, labels, share)`
    double captured = 0;   ///< of all rows of class 1, the share that is among them: the curve of cumulative gains

    friend bool operator==(const lift_point&, const lift_point&) = default;
};

/// The lift among the first 1/points, 2/points, ... of the rows, each share rounded up to whole rows; fewer points where
/// there are fewer rows. The last is all rows, with a lift of 1. Needs both classes.
/// Throws `error` (`bad_parameter`) unless there are 1 .. 1,000,000 points.
template <class = void>
[[nodiscard]] inline std::vector<lift_point> lift_curve(const scores_in& scores, const std::vector<int>& labels, std::size_t points = 20) {
    const detail::judged_scores judged(scores, labels, "lift_curve");
    require(points >= 1 && points <= 1'000'000, errc::bad_parameter, "lift_curve: points = ", points, ", must lie in 1 .. 1000000");
    judged.require_both_classes("lift_curve");
    const auto order = judged.ranking();
    std::vector<lift_point> out;
    double hits = 0;
    std::size_t seen = 0;
    for (std::size_t i = 1; i <= points; ++i) {
        const std::size_t rows = (i * judged.size() + points - 1) / points;
        if (rows == seen) continue;
        for (; seen < rows; ++seen) hits += judged.label(order[seen]);
        const double n = static_cast<double>(rows);
        out.push_back({n / judged.rows(), rows, (hits / n) / (judged.positives() / judged.rows()), hits / judged.positives()});
    }
    return out;
}

/// Rows of alike predictions, and what became of them.
struct calibration_bin {
    double mean_prediction = 0;     ///< of class 1
    double share_of_positives = 0;  ///< of class 1 among the labels
    std::size_t rows = 0;
    double lowest = 0, highest = 0;  ///< prediction

    friend bool operator==(const calibration_bin&, const calibration_bin&) = default;
};

/// Bins of equal numbers of rows by rising probability of class 1. Rows of equal probability are never parted: a bin takes in
/// all of those at its upper end, so there may be fewer bins, and the order of the rows does not matter.
/// Throws `error` (`bad_parameter`) unless there are 1 .. 1,000,000 bins.
template <class = void>
[[nodiscard]] inline std::vector<calibration_bin> calibration_curve(const scores_in& probabilities, const std::vector<int>& labels, std::size_t bins = 10) {
    const detail::judged_scores judged(probabilities, labels, "calibration_curve");
    require(bins >= 1 && bins <= 1'000'000, errc::bad_parameter, "calibration_curve: bins = ", bins, ", must lie in 1 .. 1000000");
    judged.require_probabilities("calibration_curve");
    const auto order = judged.ranking();  // falling
    const std::size_t n = order.size();
    const auto rising = [&](std::size_t i) { return order[n - 1 - i]; };
    std::vector<calibration_bin> out;
    std::size_t begin = 0;
    for (std::size_t bin = 1; bin <= bins; ++bin) {
        std::size_t end = (bin * n + bins - 1) / bins;
        if (end <= begin) continue;
        while (end < n && judged.score(rising(end)) == judged.score(rising(end - 1))) ++end;
        double predicted = 0, positives = 0;
        for (std::size_t i = begin; i < end; ++i) {
            predicted += judged.score(rising(i));
            positives += judged.label(rising(i));
        }
        const double rows = static_cast<double>(end - begin);
        out.push_back({predicted / rows, positives / rows, end - begin, judged.score(rising(begin)), judged.score(rising(end - 1))});
        begin = end;
    }
    return out;
}

/// As `calibration_error`, but over the bins of `calibration_curve`, which hold equal numbers of rows: the sum over bins of their
/// share of the rows times |share of class 1 - mean probability|. Where most risks are small, bins of equal width say little:
/// nearly all rows lie in one. Throws as `calibration_curve` does.
template <class = void>
[[nodiscard]] inline double equal_mass_calibration_error(const scores_in& probabilities, const std::vector<int>& labels, std::size_t bins = 10) {
    double sum = 0;
    for (const calibration_bin& bin : calibration_curve(probabilities, labels, bins))
        sum += static_cast<double>(bin.rows) * std::abs(bin.share_of_positives - bin.mean_prediction);
    return sum / static_cast<double>(probabilities.size());
}

/// The decisions "score at or above `cutoff`", with their precision and recall.
struct cutoff_point {
    double cutoff = 0;
    decision_counts decisions;

    friend bool operator==(const cutoff_point&, const cutoff_point&) = default;
};

/// As `decisions(scores, labels, cutoff)` for each of many cutoffs, in their order, at the cost of one sort. Where no row
/// reaches the cutoff, precision is 0 by that function's rule; leave such points out of a chart.
/// Throws `error` (`bad_parameter`) on a cutoff that is not a number, with its place among them as the row, and on none.
template <class = void>
[[nodiscard]] inline std::vector<cutoff_point> precision_curve(const scores_in& scores, const std::vector<int>& labels, const std::vector<double>& cutoffs) {
    const detail::judged_scores judged(scores, labels, "precision_curve");
    require(!cutoffs.empty(), errc::bad_parameter, "precision_curve: no cutoffs");
    const auto order = judged.ranking();
    std::vector<std::size_t> positives(order.size() + 1);  // among the first rows of the ranking
    for (std::size_t i = 0; i < order.size(); ++i) positives[i + 1] = positives[i] + static_cast<std::size_t>(judged.label(order[i]));
    std::vector<cutoff_point> out;
    out.reserve(cutoffs.size());
    for (std::size_t i = 0; i < cutoffs.size(); ++i) {
        require_at(!std::isnan(cutoffs[i]), errc::bad_parameter, {.row = i + 1}, "precision_curve: cutoff ", i + 1, " is not a number");
        const auto end = std::partition_point(order.begin(), order.end(), [&](std::size_t row) { return judged.score(row) >= cutoffs[i]; });
        const auto rows = static_cast<std::size_t>(end - order.begin());
        const std::size_t hits = positives[rows], misses = positives.back() - hits;
        out.push_back(
            {cutoffs[i], {.true_positives = hits, .false_positives = rows - hits, .true_negatives = order.size() - rows - misses, .false_negatives = misses}});
    }
    return out;
}

/// A point of the ROC curve: the decisions "score at or above some cutoff".
struct roc_point {
    double false_positive_rate = 0;  ///< of the rows of class 0, the share decided for
    double true_positive_rate = 0;   ///< of the rows of class 1

    friend bool operator==(const roc_point&, const roc_point&) = default;
};

/// From (0, 0) to (1, 1), a point for each distinct score, the highest first; the area under it is the `auc`. Of more than
/// `points` it keeps about that many, of even distance along the curve, and both ends. Needs both classes.
/// Throws `error` (`bad_parameter`) unless there are 2 .. 1,000,000 points.
template <class = void>
[[nodiscard]] inline std::vector<roc_point> roc_curve(const scores_in& scores, const std::vector<int>& labels, std::size_t points = 200) {
    const detail::judged_scores judged(scores, labels, "roc_curve");
    judged.require_both_classes("roc_curve");
    require(points >= 2 && points <= 1'000'000, errc::bad_parameter, "roc_curve: points = ", points, ", must lie in 2 .. 1000000");
    std::vector<roc_point> all{{}};
    double ones = 0, zeros = 0;
    judged.for_each_threshold([&](double more_ones, double more_zeros) {
        ones += more_ones;
        zeros += more_zeros;
        all.push_back({zeros / judged.negatives(), ones / judged.positives()});
    });
    if (all.size() <= points) return all;
    std::vector<roc_point> out;
    const double stride = 2.0 / static_cast<double>(points - 1);  // both rates together go from 0 to 2
    for (const roc_point& p : all)
        if (out.empty() || p.false_positive_rate + p.true_positive_rate >= out.back().false_positive_rate + out.back().true_positive_rate + stride) out.push_back(p);
    if (!(out.back() == all.back())) out.push_back(all.back());
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
