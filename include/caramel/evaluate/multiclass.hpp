#ifndef CARAMEL_EVALUATE_MULTICLASS_HPP
#define CARAMEL_EVALUATE_MULTICLASS_HPP

// How good decisions between any number of classes are. Predictions come first, labels second; both are class numbers, as
// `most_likely` gives them.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/evaluate/classification.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How one class fares. With weights, rows are counted by theirs.
struct class_figures {
    double rows = 0;       ///< of the class
    double predicted = 0;  ///< to be of it
    double right = 0;      ///< both
    double precision = 0;  ///< right / predicted; 0 where nothing was predicted
    double recall = 0;     ///< right / rows; 0 where there are none
    double f1 = 0;         ///< 2 right / (rows + predicted): the harmonic mean of both

    friend bool operator==(const class_figures&, const class_figures&) = default;
};

namespace detail {

struct decided_classes {
    std::vector<class_figures> classes;
    double rows = 0, right = 0;
};

template <class = void>
inline decided_classes decide_classes(const std::vector<int>& predicted, const std::vector<int>& labels, std::span<const double> weights,
                                      std::string_view who) {
    require_same_rows(predicted.size(), labels.size(), who);
    const row_weights counts(weights, labels.size(), who);
    decided_classes out;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const int low = std::min(predicted[i], labels[i]), high = std::max(predicted[i], labels[i]);
        require_at(low >= 0 && high < 65'536, errc::bad_data, {.row = i + 1}, who, ": a class of row ", i + 1, " is negative or above 65535");
        if (out.classes.size() <= static_cast<std::size_t>(high)) out.classes.resize(static_cast<std::size_t>(high) + 1);
        class_figures& is = out.classes[static_cast<std::size_t>(labels[i])];
        is.rows += counts[i];
        out.classes[static_cast<std::size_t>(predicted[i])].predicted += counts[i];
        if (predicted[i] == labels[i]) {
            is.right += counts[i];
            out.right += counts[i];
        }
    }
    out.rows = counts.sum();
    const auto ratio = [](double a, double b) { return b > 0 ? a / b : 0; };
    for (class_figures& c : out.classes) {
        c.precision = ratio(c.right, c.predicted);
        c.recall = ratio(c.right, c.rows);
        c.f1 = ratio(2 * c.right, c.rows + c.predicted);
    }
    return out;
}

}  // namespace detail

// All throw `error`: `empty_input`; `shape_mismatch`; `bad_data` with the row of a class that is negative or above 65,535, or of
// a weight.

/// The figures of classes 0, 1, ... up to the largest there is.
template <class = void>
[[nodiscard]] inline std::vector<class_figures> class_report(const std::vector<int>& predicted, const std::vector<int>& labels,
                                                             std::span<const double> weights = {}) {
    return detail::decide_classes(predicted, labels, weights, "class_report").classes;
}

/// How figures of classes become one.
enum class averaging {
    macro,    ///< the mean over classes that stand among labels or predictions: small ones count as much as large ones
    micro,    ///< of all decisions together; where each row has one class, that is the accuracy, for all three measures
    by_rows,  ///< weighted by the rows of each class
};

namespace detail {

template <class Figure>
double average_of(const decided_classes& decided, averaging how, const Figure& figure) {
    if (how == averaging::micro) return decided.right / decided.rows;
    double sum = 0, weight = 0;
    for (const class_figures& c : decided.classes) {
        const double w = how == averaging::by_rows ? c.rows : c.rows > 0 || c.predicted > 0 ? 1 : 0;
        sum += w * figure(c);
        weight += w;
    }
    return sum / weight;
}

}  // namespace detail

/// The definitions of scikit-learn, with 0 where a class has no predictions or no rows.
template <class = void>
[[nodiscard]] inline double mean_precision(const std::vector<int>& predicted, const std::vector<int>& labels, averaging how = averaging::macro,
                                           std::span<const double> weights = {}) {
    return detail::average_of(detail::decide_classes(predicted, labels, weights, "mean_precision"), how, [](const class_figures& c) { return c.precision; });
}
/// The mean of the classes' recalls. Throws as `mean_precision` does.
template <class = void>
[[nodiscard]] inline double mean_recall(const std::vector<int>& predicted, const std::vector<int>& labels, averaging how = averaging::macro,
                                        std::span<const double> weights = {}) {
    return detail::average_of(detail::decide_classes(predicted, labels, weights, "mean_recall"), how, [](const class_figures& c) { return c.recall; });
}
/// The mean of the classes' F1. Throws as `mean_precision` does.
template <class = void>
[[nodiscard]] inline double mean_f1(const std::vector<int>& predicted, const std::vector<int>& labels, averaging how = averaging::macro,
                                    std::span<const double> weights = {}) {
    return detail::average_of(detail::decide_classes(predicted, labels, weights, "mean_f1"), how, [](const class_figures& c) { return c.f1; });
}

/// The mean recall over the classes that have rows: 1 / classes by guessing, however unequal they are.
template <class = void>
[[nodiscard]] inline double balanced_accuracy(const std::vector<int>& predicted, const std::vector<int>& labels, std::span<const double> weights = {}) {
    const auto decided = detail::decide_classes(predicted, labels, weights, "balanced_accuracy");
    double sum = 0, classes = 0;
    for (const class_figures& c : decided.classes) {
        sum += c.recall;
        classes += c.rows > 0 ? 1 : 0;
    }
    return sum / classes;
}

/// Matthews' correlation of predictions and labels, for any number of classes (Gorodkin, Computational Biology and Chemistry
/// 28(5-6), 2004): 1 is perfect, 0 what guessing gives; 0 where either is of one class only.
template <class = void>
[[nodiscard]] inline double matthews_correlation(const std::vector<int>& predicted, const std::vector<int>& labels, std::span<const double> weights = {}) {
    const auto decided = detail::decide_classes(predicted, labels, weights, "matthews_correlation");
    double both = 0, p = 0, y = 0;  // in shares, so that nothing overflows
    for (const class_figures& c : decided.classes) {
        both += (c.predicted / decided.rows) * (c.rows / decided.rows);
        p += (c.predicted / decided.rows) * (c.predicted / decided.rows);
        y += (c.rows / decided.rows) * (c.rows / decided.rows);
    }
    const double spread = (1 - p) * (1 - y);
    return spread > 1e-300 && p < 1 - 1e-15 && y < 1 - 1e-15 ? (decided.right / decided.rows - both) / std::sqrt(spread) : 0;
}

/// Cohen's kappa (Educational and Psychological Measurement 20(1), 1960): the agreement beyond what the shares of the classes
/// give by chance; 1 is perfect, 0 chance. 1 where all labels and predictions are of one class.
template <class = void>
[[nodiscard]] inline double cohen_kappa(const std::vector<int>& predicted, const std::vector<int>& labels, std::span<const double> weights = {}) {
    const auto decided = detail::decide_classes(predicted, labels, weights, "cohen_kappa");
    double chance = 0;
    for (const class_figures& c : decided.classes) chance += (c.predicted / decided.rows) * (c.rows / decided.rows);
    return chance < 1 - 1e-15 ? (decided.right / decided.rows - chance) / (1 - chance) : 1;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
