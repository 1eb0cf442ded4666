#ifndef CARAMEL_EVALUATE_LEARNING_CURVE_HPP
#define CARAMEL_EVALUATE_LEARNING_CURVE_HPP

// Would more rows help? The metric on rows learnt from and on unseen ones, for growing numbers of training rows.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/rows.hpp>
#include <caramel/core/take_rows.hpp>
#include <caramel/data/split.hpp>
#include <caramel/evaluate/cross_validation.hpp>
#include <caramel/evaluate/metrics.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How good a recipe is that learnt from so many rows.
struct learning_point {
    std::size_t rows = 0;          ///< to learn from
    std::vector<double> learnt{};  ///< the metric of each fold on the rows that it learnt from
    std::vector<double> unseen{};  ///< and on its test rows
    double learnt_mean = 0, learnt_deviation = 0;
    double unseen_mean = 0, unseen_deviation = 0;  ///< divisor folds - 1
};

namespace detail {

template <class R, class In, class Y, class Metric>
std::vector<learning_point> learning_curve(const R& recipe, const In& x, const Y& y, const std::vector<std::size_t>& sizes,
                                           const std::vector<train_test>& folds, const Metric& metric, const fit_options& options) {
    constexpr const char* who = "learning_curve";
    const std::size_t rows = row_count(x), k = folds.size();
    require(row_count(y) == rows, errc::shape_mismatch, who, ": ", rows, " rows but ", row_count(y), " targets");
    require(options.weights.empty() || options.weights.size() == rows, errc::shape_mismatch, who, ": ", rows, " rows but ", options.weights.size(), " weights");
    require(!sizes.empty(), errc::bad_parameter, who, ": no sizes");
    require_honest_folds(folds, rows, who);
    for (std::size_t s = 0; s < sizes.size(); ++s) {
        require(sizes[s] > 0, errc::bad_parameter, who, ": size ", s + 1, " is 0 rows");
        for (std::size_t f = 0; f < k; ++f)
            require(sizes[s] <= folds[f].train.size(), errc::too_few_rows, who, ": size ", s + 1, " is ", sizes[s], " rows, fold ", f + 1, " learns from ",
                    folds[f].train.size());
    }
    std::vector<learning_point> out(sizes.size());
    for (std::size_t s = 0; s < sizes.size(); ++s) {
        out[s].rows = sizes[s];
        out[s].learnt.resize(k);
        out[s].unseen.resize(k);
    }
    const auto one = [&](std::size_t piece) {
        const std::size_t s = piece / k, f = piece % k;
        const auto learn = some_rows(folds[f].train, y, sizes[s], rng(options.seed).split(who).split(static_cast<std::uint64_t>(f)));
        const auto weights = chosen(options.weights, std::span<const std::size_t>(learn));
        const auto model = in_fold(f + 1, learn, [&] { return fit(recipe, take_rows(x, learn), take_rows(y, learn), options_within(options, weights)); });
        const auto judge = [&](std::span<const std::size_t> which) {
            const auto mine = chosen(options.weights, which);
            return in_fold(f + 1, which, [&] { return measure(metric, model(take_rows(x, which)), take_rows(y, which), mine); });
        };
        out[s].learnt[f] = judge(learn);
        out[s].unseen[f] = judge(folds[f].test);
    };
    std::size_t points = 0;
    run_in_order(sizes.size() * k, options, one, [&](std::size_t piece) {
        if (piece % k != k - 1) return verdict::go_on;
        learning_point& point = out[points++];
        point.learnt_mean = mean_of(point.learnt);
        point.learnt_deviation = deviation_of(point.learnt);
        point.unseen_mean = mean_of(point.unseen);
        point.unseen_deviation = deviation_of(point.unseen);
        return options.on_progress ? options.on_progress({who, points, sizes.size(), point.unseen_mean}) : verdict::go_on;
    });
    out.resize(points);
    return out;
}

}  // namespace detail

/// A vector of `learning_point`: for each of `sizes`, fits the recipe in every fold on so many of its training rows and measures it on these and on the
/// fold's test rows. Rows are drawn at random by the seed, with equal shares of each class where targets are class numbers,
/// and at least one of each (then a few more rows than asked for). If the unseen curve still improves at its end, more rows
/// help; if both have met, a richer recipe may.
///
/// Points and folds run side by side on `options.threads` threads; the same bits for any number. Reports each point, its `loss`
/// being the mean on unseen rows; `stop` leaves the later points out.
/// Throws `error`: `bad_parameter` (no sizes, a size of 0); `too_few_rows` where a fold has fewer training rows than asked for;
/// and as `cross_validate` does.
template <Recipe R, class In, class Y, class Metric>
    requires(detail::RowsCanBeTaken<In> && detail::RowsCanBeTaken<Y>)
[[nodiscard]] auto learning_curve(const R& recipe, const In& x, const Y& y, const std::vector<std::size_t>& sizes, const std::vector<train_test>& folds,
                                  const Metric& metric, const fit_options& options = {}) {
    if constexpr (detail::refits<R, In, Y>) return detail::learning_curve(recipe, x, y, sizes, folds, metric, options);
    else return detail::explain_refitting<R, In, Y>();
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
