#ifndef CARAMEL_EVALUATE_METRICS_HPP
#define CARAMEL_EVALUATE_METRICS_HPP

// Metrics as values, for what refits and compares recipes: `cross_validate(recipe, x, y, folds, by_auc{})`.

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <caramel/core/chain_errors.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/evaluate/regression.hpp>

namespace caramel::inline CARAMEL_ABI {

// A metric is anything that is called with (predictions, targets) and gives a number; one that also takes the weights of the
// rows as third argument gets them where there are some. Lower counts as better, unless it says
// `static constexpr bool higher_is_better = true;`, as the first three do. Each is the function of its name.

/// `auc` as a metric for `cross_validate`, `best_of` and the like. Higher is better.
struct by_auc {
    static constexpr bool higher_is_better = true;
    template <class = void>
    [[nodiscard]] double operator()(const scores_in& scores, const std::vector<int>& labels, std::span<const double> weights = {}) const {
        return auc(scores, labels, weights);
    }
};
/// `average_precision` as a metric. Higher is better.
struct by_average_precision {
    static constexpr bool higher_is_better = true;
    template <class = void>
    [[nodiscard]] double operator()(const scores_in& scores, const std::vector<int>& labels, std::span<const double> weights = {}) const {
        return average_precision(scores, labels, weights);
    }
};
/// Of class numbers, or of (rows, classes), where the highest probability counts, ties to the lower class.
struct by_accuracy {
    static constexpr bool higher_is_better = true;
    [[nodiscard]] double operator()(const std::vector<int>& predicted, const std::vector<int>& labels, std::span<const double> weights = {}) const {
        return accuracy(predicted, labels, weights);
    }
    template <class Derived>
    [[nodiscard]] double operator()(const Eigen::DenseBase<Derived>& probabilities, const std::vector<int>& labels,
                                    std::span<const double> weights = {}) const {
        const auto& p = probabilities.derived();
        require(p.cols() > 1, errc::shape_mismatch, "by_accuracy: got ", p.cols(), " columns, needs one a class");
        require_finite(p, "by_accuracy");
        std::vector<int> predicted;
        for (row_index i = 0; i < p.rows(); ++i) {
            row_index best = 0;
            for (row_index j = 1; j < p.cols(); ++j)
                if (p(i, j) > p(i, best)) best = j;
            predicted.push_back(static_cast<int>(best));
        }
        return accuracy(predicted, labels, weights);
    }
};
/// `log_loss` as a metric. Lower is better.
struct by_log_loss {
    template <class Probabilities>
    [[nodiscard]] double operator()(const Probabilities& probabilities, const std::vector<int>& labels, std::span<const double> weights = {}) const {
        return log_loss(probabilities, labels, weights);
    }
};
/// `brier_score` as a metric. Lower is better.
struct by_brier {
    [[nodiscard]] double operator()(const scores_in& probabilities, const std::vector<int>& labels, std::span<const double> weights = {}) const {
        return brier_score(probabilities, labels, weights);
    }
};
/// `rmse` as a metric. Lower is better.
struct by_rmse {
    template <class = void>
    [[nodiscard]] double operator()(const numbers_in& predictions, const numbers_in& targets, std::span<const double> weights = {}) const {
        return rmse(predictions, targets, weights);
    }
};
/// `mae` as a metric. Lower is better.
struct by_mae {
    template <class = void>
    [[nodiscard]] double operator()(const numbers_in& predictions, const numbers_in& targets, std::span<const double> weights = {}) const {
        return mae(predictions, targets, weights);
    }
};

/// What says of any callable that higher is better: `higher_wins([](const auto& p, const auto& y) { return top_lift(p, y); })`.
template <class Metric>
struct higher_wins {
    static constexpr bool higher_is_better = true;
    Metric metric;

    explicit higher_wins(Metric m) : metric(std::move(m)) {}
    template <class Predictions, class Targets, class... Weights>
        requires std::invocable<const Metric&, const Predictions&, const Targets&, const Weights&...>
    [[nodiscard]] double operator()(const Predictions& predictions, const Targets& targets, const Weights&... weights) const {
        return static_cast<double>(metric(predictions, targets, weights...));
    }
};

namespace detail {

template <class Metric>
consteval bool higher_is_better() {
    if constexpr (requires { Metric::higher_is_better; }) return Metric::higher_is_better;
    else return false;
}

template <class Metric, class Predictions, class Targets>
struct metric_cannot_take {
    static_assert(never<Metric>,
                  "caramel: the metric cannot be called with what is predicted and the targets: see "
                  "metric_cannot_take<the metric, the predictions, the targets>");
};

template <class Metric, class Predictions, class Targets>
auto measure(const Metric& metric, const Predictions& predictions, const Targets& y, std::span<const double> weights) {  // auto: so that the compiler names the user's line
    constexpr bool weighted = std::invocable<const Metric&, const Predictions&, const Targets&, std::span<const double>>;
    double value = 0;
    if constexpr (weighted)
        if (!weights.empty()) value = static_cast<double>(metric(predictions, y, weights));
    if constexpr (!std::invocable<const Metric&, const Predictions&, const Targets&>) return double{sizeof(metric_cannot_take<Metric, Predictions, Targets>)};
    else if (!weighted || weights.empty()) value = static_cast<double>(metric(predictions, y));
    require(std::isfinite(value), errc::bad_data, "metric: its value is not finite");
    return value;
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
