#ifndef CARAMEL_EVALUATE_INTERVALS_HPP
#define CARAMEL_EVALUATE_INTERVALS_HPP

// How far a metric could be off, because the rows that it was measured on are a sample: DeLong's interval for the AUC, the
// bootstrap for any other.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/rows.hpp>
#include <caramel/core/take_rows.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/evaluate/cross_validation.hpp>
#include <caramel/evaluate/distributions.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A measured value and what it may be.
struct interval {
    double estimate = 0;
    double low = 0, high = 0;
    double standard_error = 0;

    friend bool operator==(const interval&, const interval&) = default;
};

namespace detail {

// What each positive and each negative adds to the AUC: the share of the others that it stands on the right side of.
struct auc_components {
    double auc = 0;
    std::vector<double> positives, negatives;  // in the order of the rows
};

// Ranks from 1, ties their mean, of the chosen rows.
template <class Scores>
std::vector<double> midranks(const Scores& scores, const std::vector<std::size_t>& rows) {
    std::vector<std::size_t> order(rows.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores.score(rows[a]) < scores.score(rows[b]); });
    std::vector<double> out(rows.size());
    for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
        for (end = begin; end < order.size() && scores.score(rows[order[end]]) == scores.score(rows[order[begin]]);) ++end;
        for (std::size_t i = begin; i < end; ++i) out[order[i]] = (static_cast<double>(begin) + 1 + static_cast<double>(end)) / 2;
    }
    return out;
}

// By ranks in n log n instead of all pairs (Sun & Xu, IEEE Signal Processing Letters 21(11), 2014).
template <class Scores>
auc_components components_of(const Scores& judged, std::string_view who) {
    judged.require_both_classes(who);
    std::vector<std::size_t> all(judged.size()), ones, zeros;
    for (std::size_t i = 0; i < judged.size(); ++i) {
        all[i] = i;
        (judged.label(i) == 1 ? ones : zeros).push_back(i);
    }
    require(ones.size() > 1 && zeros.size() > 1, errc::too_few_rows, who, ": ", ones.size(), " rows of class 1 and ", zeros.size(),
            " of class 0; needs two of each");
    const auto ranks = midranks(judged, all), among_ones = midranks(judged, ones), among_zeros = midranks(judged, zeros);
    const double m = static_cast<double>(ones.size()), n = static_cast<double>(zeros.size());
    auc_components out;
    for (std::size_t i = 0; i < ones.size(); ++i) out.positives.push_back((ranks[ones[i]] - among_ones[i]) / n);
    for (std::size_t j = 0; j < zeros.size(); ++j) out.negatives.push_back(1 - (ranks[zeros[j]] - among_zeros[j]) / m);
    out.auc = mean_of(out.positives);
    return out;
}

template <class = void>
inline double covariance_of(std::span<const double> a, std::span<const double> b) {
    const double mean_a = mean_of(a), mean_b = mean_of(b);
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
    return sum / static_cast<double>(a.size() - 1);
}
template <class = void>
inline double auc_covariance(const auc_components& a, const auc_components& b) {
    return covariance_of(a.positives, b.positives) / static_cast<double>(a.positives.size()) +
           covariance_of(a.negatives, b.negatives) / static_cast<double>(a.negatives.size());
}

inline void require_level(double level, std::string_view who) {
    require(level > 0 && level < 1, errc::bad_parameter, who, ": level = ", level, ", must lie between 0 and 1");
}

}  // namespace detail

/// The AUC with DeLong's standard error (DeLong, DeLong & Clarke-Pearson, Biometrics 44(3), 1988) and the normal interval,
/// kept within 0 .. 1.
/// Throws `error` as `auc` does; `too_few_rows` unless there are two rows of each class; `bad_parameter` unless 0 < level < 1.
template <class = void>
[[nodiscard]] inline interval auc_interval(const scores_in& scores, const std::vector<int>& labels, double level = 0.95) {
    detail::require_level(level, "auc_interval");
    const auto parts = detail::components_of(detail::judged_scores(scores, labels, "auc_interval"), "auc_interval");
    const double error = std::sqrt(detail::auc_covariance(parts, parts)), reach = normal_quantile((1 + level) / 2) * error;
    return {parts.auc, std::max(0.0, parts.auc - reach), std::min(1.0, parts.auc + reach), error};
}

/// How an interval is made of the metric's values on resampled rows.
enum class bootstrap_kind {
    percentile,  ///< their quantiles
    basic,       ///< these mirrored at the estimate
    bca,         ///< quantiles corrected for bias and skew, with the acceleration from leaving out one of up to 200 groups of rows
};

/// How `bootstrap_interval` draws.
struct bootstrap_options {
    std::size_t resamples = 2000;
    double level = 0.95;
    bootstrap_kind kind = bootstrap_kind::percentile;
    bool stratified = false;  ///< as many rows of each class as there are; targets are class numbers then
    std::uint64_t seed = 0;
};

namespace detail {

// The q-quantile of sorted values, linear between them.
inline double quantile_of(std::span<const double> sorted, double q) {
    const double at = q * static_cast<double>(sorted.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(at), sorted.size() - 1);
    if (below + 1 == sorted.size()) return sorted.back();
    return sorted[below] + (at - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

// `statistic(rows)` of all rows and of resampled ones (Efron & Tibshirani, An Introduction to the Bootstrap, 1993).
template <class Y, class Statistic>
interval bootstrap(const Y& y, const bootstrap_options& options, const run_options& how, std::string_view who, const Statistic& statistic) {
    const std::size_t n = row_count(y);
    require_level(options.level, who);
    require(n > 0, errc::empty_input, who, ": no rows");
    require(options.resamples >= 10 && options.resamples <= 10'000'000, errc::bad_parameter, who, ": resamples = ", options.resamples,
            ", must lie in 10 .. 10000000");
    std::vector<std::size_t> all(n);
    for (std::size_t i = 0; i < n; ++i) all[i] = i;
    std::vector<std::size_t> order = all, starts{0};  // of the strata, in `order`
    if constexpr (ClassTargets<Y>) {
        if (options.stratified) {
            const auto label = [&](std::size_t i) { return y[static_cast<decltype(y.size())>(i)]; };
            std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return label(a) < label(b); });
            for (std::size_t i = 1; i < n; ++i)
                if (label(order[i - 1]) != label(order[i])) starts.push_back(i);
        }
    } else {
        require(!options.stratified, errc::bad_parameter, who, ": strata are the classes, but targets are no class numbers");
    }
    starts.push_back(n);

    const double estimate = statistic(std::span<const std::size_t>(all));
    const rng random = rng(options.seed).split(who);
    std::vector<double> values(options.resamples);
    parallel_blocks(options.resamples, 16, how, [&](std::size_t begin, std::size_t end, std::size_t) {
        std::vector<std::size_t> rows(n);
        for (std::size_t b = begin; b < end; ++b) {
            rng mine = random.split(static_cast<std::uint64_t>(b));
            for (int tries = 1;; ++tries) {
                for (std::size_t s = 0; s + 1 < starts.size(); ++s)
                    for (std::size_t i = starts[s]; i < starts[s + 1]; ++i) rows[i] = order[starts[s] + mine.below(starts[s + 1] - starts[s])];
                try {
                    values[b] = statistic(std::span<const std::size_t>(rows));
                    break;
                } catch (const error& e) {  // of one class only: another draw
                    if (e.code() != errc::bad_data || tries == 100) throw;
                }
            }
        }
    });
    std::sort(values.begin(), values.end());
    interval out{estimate, 0, 0, deviation_of(values)};
    double low = (1 - options.level) / 2, high = 1 - low;
    if (options.kind == bootstrap_kind::bca) {
        double below = 0;
        for (const double v : values) below += v < estimate ? 1 : v == estimate ? 0.5 : 0;
        const double b = static_cast<double>(values.size());
        const double bias = normal_quantile(std::clamp(below / b, 0.5 / b, 1 - 0.5 / b));
        const std::size_t groups = std::min<std::size_t>(n, 200);
        std::vector<double> without(groups);
        parallel_for(groups, how, [&](std::size_t g) {
            std::vector<std::size_t> rest;
            for (std::size_t i = 0; i < n; ++i)
                if (i % groups != g) rest.push_back(order[i]);
            without[g] = statistic(std::span<const std::size_t>(rest));
        });
        const double centre = mean_of(without);
        double cubes = 0, squares = 0;
        for (const double v : without) {
            cubes += (centre - v) * (centre - v) * (centre - v);
            squares += (centre - v) * (centre - v);
        }
        const double acceleration = squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
        const auto corrected = [&](double q) {
            const double z = bias + normal_quantile(q), denominator = 1 - acceleration * z;
            return denominator > 0 ? normal_cdf(bias + z / denominator) : q < 0.5 ? 0.0 : 1.0;
        };
        low = corrected(low);
        high = corrected(high);
    }
    out.low = quantile_of(values, low);
    out.high = quantile_of(values, high);
    if (options.kind == bootstrap_kind::basic) {
        const double mirrored = 2 * estimate - out.high;
        out.high = 2 * estimate - out.low;
        out.low = mirrored;
    }
    return out;
}

template <class Predictions, class Y>
void require_pairs(const Predictions& predictions, const Y& y, std::string_view who) {
    require(row_count(predictions) == row_count(y), errc::shape_mismatch, who, ": ", row_count(predictions), " predictions but ", row_count(y), " targets");
}

}  // namespace detail

/// Any metric (see metrics.hpp) with a bootstrap interval: rows are drawn with replacement, together with their targets. The
/// same bits for any number of threads. Draws on which the metric is not defined (`bad_data`: one class only) are made anew.
/// Throws `error`: `empty_input`; `shape_mismatch`; `bad_parameter`; and as the metric does.
template <class Metric, class Predictions, class Y>
    requires(detail::RowsCanBeTaken<Predictions> && detail::RowsCanBeTaken<Y>)
[[nodiscard]] interval bootstrap_interval(const Metric& metric, const Predictions& predictions, const Y& y, const bootstrap_options& options = {},
                                          const run_options& how = {}) {
    constexpr std::string_view who = "bootstrap_interval";
    detail::require_pairs(predictions, y, who);
    return detail::bootstrap(y, options, how, who,
                             [&](std::span<const std::size_t> rows) { return detail::measure(metric, take_rows(predictions, rows), take_rows(y, rows), {}); });
}

/// The metric of `a` less that of `b`, both predictions for the same rows, with a bootstrap interval: where it does not hold 0,
/// one of the two is better. Throws as `bootstrap_interval` does.
template <class Metric, class A, class B, class Y>
    requires(detail::RowsCanBeTaken<A> && detail::RowsCanBeTaken<B> && detail::RowsCanBeTaken<Y>)
[[nodiscard]] interval bootstrap_difference(const Metric& metric, const A& a, const B& b, const Y& y, const bootstrap_options& options = {},
                                            const run_options& how = {}) {
    constexpr std::string_view who = "bootstrap_difference";
    detail::require_pairs(a, y, who);
    detail::require_pairs(b, y, who);
    return detail::bootstrap(y, options, how, who, [&](std::span<const std::size_t> rows) {
        const auto targets = take_rows(y, rows);
        return detail::measure(metric, take_rows(a, rows), targets, {}) - detail::measure(metric, take_rows(b, rows), targets, {});
    });
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
