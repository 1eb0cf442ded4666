#ifndef CARAMEL_EVALUATE_SEARCH_HPP
#define CARAMEL_EVALUATE_SEARCH_HPP

// Which of many recipes is best, found out by cross-validation on the training rows: lists, grids, random draws, successive
// halving; and the search as a recipe of its own, so that cross-validating it is nested cross-validation.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/rows.hpp>
#include <caramel/core/span_of.hpp>
#include <caramel/core/take_rows.hpp>
#include <caramel/data/split.hpp>
#include <caramel/evaluate/cross_validation.hpp>
#include <caramel/evaluate/metrics.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The most candidates of a grid or of random draws.
inline constexpr std::size_t most_candidates = 1'000'000;

/// Every combination of values, the last axis fastest: `recipe_grid([](double r, std::size_t k) { return ...; },
/// std::vector{0.1, 1.0}, std::vector<std::size_t>{8, 16})`. Put what is simpler first: ties go to it.
/// Throws `error`: `bad_parameter` (an empty axis), `limit_exceeded`.
template <class Make, class... Values>
    requires(sizeof...(Values) > 0 && std::invocable<const Make&, const Values&...>)
[[nodiscard]] auto recipe_grid(const Make& make, const std::vector<Values>&... axes) {
    using R = std::remove_cvref_t<std::invoke_result_t<const Make&, const Values&...>>;
    const std::array<std::size_t, sizeof...(Values)> sizes{axes.size()...};
    std::size_t combinations = 1;
    for (std::size_t a = 0; a < sizes.size(); ++a) {
        require(sizes[a] > 0, errc::bad_parameter, "recipe_grid: axis ", a + 1, " has no values");
        require(sizes[a] <= most_candidates / combinations, errc::limit_exceeded, "recipe_grid: more than ", most_candidates, " combinations");
        combinations *= sizes[a];
    }
    std::vector<R> out;
    out.reserve(combinations);
    for (std::size_t n = 0; n < combinations; ++n) {
        std::array<std::size_t, sizeof...(Values)> at{};
        for (std::size_t a = sizes.size(), rest = n; a-- > 0; rest /= sizes[a]) at[a] = rest % sizes[a];
        out.push_back([&]<std::size_t... A>(std::index_sequence<A...>) { return make(axes[at[A]]...); }(std::index_sequence_for<Values...>{}));
    }
    return out;
}

/// `n` recipes from `draw(rng&)` (Bergstra & Bengio, JMLR 13, 2012): `random_candidates([](rng& random) { return ...; }, 50)`.
/// Throws `error`: `bad_parameter` (n is 0), `limit_exceeded`.
template <class Draw>
    requires std::invocable<const Draw&, rng&>
[[nodiscard]] auto random_candidates(const Draw& draw, std::size_t n, std::uint64_t seed = 0) {
    using R = std::remove_cvref_t<std::invoke_result_t<const Draw&, rng&>>;
    require(n >= 1, errc::bad_parameter, "random_candidates: n is 0, it must be at least 1");
    require(n <= most_candidates, errc::limit_exceeded, "random_candidates: ", n, " candidates, at most ", most_candidates);
    const rng all = rng(seed).split("random_candidates");
    std::vector<R> out;
    out.reserve(n);
    for (std::size_t i = 0; i < n; ++i) {
        rng random = all.split(static_cast<std::uint64_t>(i));
        out.push_back(draw(random));
    }
    return out;
}

/// Between `low` and `high`, equally likely on a logarithmic scale; both above 0. For learning rates and penalties.
[[nodiscard]] inline double log_uniform(rng& random, double low, double high) {
    require(low > 0 && high >= low && std::isfinite(high), errc::bad_parameter, "log_uniform: between ", low, " and ", high);
    return low * std::pow(high / low, random.uniform());
}

/// How a search goes.
struct search_rules {
    /// Takes the first candidate whose mean is within one standard error of the best one's, instead of the best: put what is
    /// simpler first (Breiman et al., Classification and Regression Trees, 1984, section 3.4.3).
    bool one_standard_error = false;
    /// Above 1, successive halving (Jamieson & Talwalkar, AISTATS 2016): all candidates compete on a part of the budget, one in
    /// `keep_one_in` (rounded up) goes on to a part that is as many times larger, until the last round on all of it. The budget
    /// is the training rows of each fold, or what `budget` makes of a recipe.
    std::size_t rounds = 1;
    std::size_t keep_one_in = 3;
};

/// One candidate in one round.
struct trial {
    std::size_t candidate = 0;       ///< its place in the list, from 0
    std::size_t round = 0;           ///< from 0
    double share = 1;                ///< of the budget
    std::vector<double> scores{};    ///< the metric of each fold; empty where the training diverged
    double mean = 0, deviation = 0;  ///< of the scores; divisor n - 1

    friend bool operator==(const trial&, const trial&) = default;
};

/// The recipe that won, and how all did. Made by `search_recipes`.
template <class R>
struct search_result {
    R best;                       ///< the recipe that won
    std::size_t winner = 0;       ///< its place in the list, from 0
    double mean = 0;              ///< of its metric in the last round. The best of many: judge it on rows that the search has not seen
    std::vector<trial> trials{};  ///< in the order of rounds and candidates
};

namespace detail {

struct rows_are_the_budget {};

// The first that no other beats, or the first within a standard error of it.
template <class = void>
inline std::size_t winner_among(std::span<const trial> trials, double sign, bool one_standard_error) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < trials.size(); ++i)
        if (!trials[i].scores.empty() && (trials[best].scores.empty() || sign * trials[i].mean < sign * trials[best].mean)) best = i;
    if (!one_standard_error) return best;
    const double reach = sign * trials[best].mean + trials[best].deviation / std::sqrt(static_cast<double>(trials[best].scores.size()));
    for (std::size_t i = 0; i < best; ++i)
        if (!trials[i].scores.empty() && sign * trials[i].mean <= reach) return i;
    return best;
}

template <class R, class In, class Y, class Metric, class Budget>
search_result<R> search_recipes(const std::vector<R>& candidates, const In& x, const Y& y, const std::vector<train_test>& folds, const Metric& metric,
                                const search_rules& rules, const fit_options& options, const Budget& budget) {
    constexpr const char* who = "search_recipes";
    constexpr double sign = higher_is_better<Metric>() ? -1 : 1;
    const std::size_t rows = row_count(x), k = folds.size();
    require(!candidates.empty(), errc::bad_parameter, who, ": no candidates");
    require(rules.rounds >= 1 && rules.rounds <= 20, errc::bad_parameter, who, ": rounds = ", rules.rounds, ", must lie in 1 .. 20");
    require(rules.keep_one_in >= 2 && rules.keep_one_in <= 1000, errc::bad_parameter, who, ": keep_one_in = ", rules.keep_one_in, ", must lie in 2 .. 1000");
    require(row_count(y) == rows, errc::shape_mismatch, who, ": ", rows, " rows but ", row_count(y), " targets");
    require(options.weights.empty() || options.weights.size() == rows, errc::shape_mismatch, who, ": ", rows, " rows but ", options.weights.size(), " weights");
    require_honest_folds(folds, rows, who);

    std::size_t planned = 0, reported = 0;
    for (std::size_t round = 0, n = candidates.size(); round < rules.rounds; ++round, n = (n + rules.keep_one_in - 1) / rules.keep_one_in) planned += n;
    std::vector<std::size_t> racing(candidates.size());
    std::iota(racing.begin(), racing.end(), std::size_t{0});
    std::vector<trial> trials, latest;  // `latest`: of the round that says who is best
    bool stopped = false;
    for (std::size_t round = 0; round < rules.rounds && !stopped; ++round) {
        const double share = std::pow(static_cast<double>(rules.keep_one_in), static_cast<double>(round) - static_cast<double>(rules.rounds - 1));
        std::vector<std::vector<std::size_t>> learn(k);
        for (std::size_t f = 0; f < k; ++f) {
            const bool all = round + 1 == rules.rounds || !std::same_as<Budget, rows_are_the_budget>;
            const auto some = static_cast<std::size_t>(share * static_cast<double>(folds[f].train.size()));
            learn[f] = all ? folds[f].train : some_rows(folds[f].train, y, some, rng(options.seed).split(who).split(static_cast<std::uint64_t>(f)));
        }
        std::vector<double> scores(racing.size() * k);
        std::vector<char> lost(racing.size() * k);
        const auto one = [&](std::size_t piece) {
            const std::size_t f = piece % k;
            const R& candidate = candidates[racing[piece / k]];
            const auto measured = [&](const R& recipe) {
                const auto predictions = fit_and_predict(recipe, x, y, learn[f], folds[f].test, f + 1, options);
                const auto weights = chosen(options.weights, folds[f].test);
                return in_fold(f + 1, folds[f].test, [&] { return measure(metric, predictions, take_rows(y, folds[f].test), weights); });
            };
            try {
                if constexpr (std::same_as<Budget, rows_are_the_budget>) scores[piece] = measured(candidate);
                else scores[piece] = round + 1 == rules.rounds ? measured(candidate) : measured(budget(candidate, share));
            } catch (const error& e) {
                if (e.code() != errc::diverged) throw;
                lost[piece] = 1;
            }
        };
        std::vector<trial> now;
        run_in_order(racing.size() * k, options, one, [&](std::size_t piece) {
            if (piece % k != k - 1) return verdict::go_on;
            const std::size_t i = piece / k;
            trial made{.candidate = racing[i], .round = round, .share = share};
            const std::span<const double> mine(scores.data() + i * k, k);
            if (std::find(lost.begin() + static_cast<std::ptrdiff_t>(i * k), lost.begin() + static_cast<std::ptrdiff_t>((i + 1) * k), 1) ==
                lost.begin() + static_cast<std::ptrdiff_t>((i + 1) * k)) {
                made.scores.assign(mine.begin(), mine.end());
                made.mean = mean_of(mine);
                made.deviation = deviation_of(mine);
            }
            now.push_back(std::move(made));
            ++reported;
            stopped = options.on_progress && options.on_progress({who, reported, planned, now.back().mean}) == verdict::stop;
            return stopped ? verdict::stop : verdict::go_on;
        });
        std::erase_if(
            racing, [&](std::size_t c) { return std::none_of(now.begin(), now.end(), [&](const trial& t) { return t.candidate == c && !t.scores.empty(); }); });
        require(!racing.empty() || stopped, errc::diverged, who, ": the training of all ", now.size(), " candidates diverged");
        trials.insert(trials.end(), now.begin(), now.end());
        if (!stopped || latest.empty()) latest = now;  // a round that was cut short has not compared all
        if (round + 1 < rules.rounds && !stopped) {
            std::stable_sort(now.begin(), now.end(), [&](const trial& a, const trial& b) {
                if (a.scores.empty() != b.scores.empty()) return b.scores.empty();
                return sign * a.mean < sign * b.mean;
            });
            racing.clear();
            for (const trial& t : now)
                if (racing.size() < (now.size() + rules.keep_one_in - 1) / rules.keep_one_in && !t.scores.empty()) racing.push_back(t.candidate);
            std::sort(racing.begin(), racing.end());
        }
    }
    const trial& best = latest[winner_among(detail::span_of(latest), sign, rules.one_standard_error)];
    require(!best.scores.empty(), errc::diverged, who, ": the training of all ", latest.size(), " candidates diverged");
    return {candidates[best.candidate], best.candidate, best.mean, std::move(trials)};
}

}  // namespace detail

/// A `search_result`: cross-validates each candidate and says which is best by the mean of the metric over the folds: the lowest, or the highest
/// where the metric says `higher_is_better`; ties to the first. Every stage of every candidate is fitted anew in every fold.
/// `budget(recipe, share) -> recipe`, where given, says what successive halving gives a candidate in its early rounds, such as
/// fewer epochs; else it is fewer rows. Candidates whose training diverges have lost.
///
/// Candidates and folds run side by side on `options.threads` threads; the same bits for any number. Reports each candidate's
/// round, its `loss` being the mean; `stop` takes the best so far.
/// Throws `error`: `bad_parameter` (no candidates, rules out of range), `diverged` where all have lost, and as
/// `cross_validate` does.
template <Recipe R, class In, class Y, class Metric, class Budget = detail::rows_are_the_budget>
    requires(detail::RowsCanBeTaken<In> && detail::RowsCanBeTaken<Y>)
[[nodiscard]] auto search_recipes(const std::vector<R>& candidates, const In& x, const Y& y, const std::vector<train_test>& folds, const Metric& metric,
                                  const search_rules& rules = {}, const fit_options& options = {}, const Budget& budget = {}) {
    if constexpr (detail::refits<R, In, Y>) return detail::search_recipes(candidates, x, y, folds, metric, rules, options, budget);
    else return detail::explain_refitting<R, In, Y>();
}

/// What `best_of` makes: a recipe that searches among its candidates within the rows that it is fitted on, and fits the one
/// that wins on all of them. Its model is the winner's, of the winner's type, so it serves and saves as if it had been fitted
/// alone. Cross-validating this recipe is nested cross-validation: the search sees training rows only.
/// Throws `error` as `search_recipes` and the folds do.
template <class R, class Metric, class Folds>
struct searched {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = detail::uses_weights<R>();

    std::vector<R> candidates = {};
    Metric metric = {};
    Folds folds = {};
    search_rules rules = {};

    template <class In, class Y>
        requires(detail::RowsCanBeTaken<In> && detail::RowsCanBeTaken<Y> && !std::is_void_v<typename decltype(detail::fitted_type<R, In, Y>())::type>)
    [[nodiscard]] auto fit(const In& x, const Y& y, const fit_options& options) const {
        require(!candidates.empty(), errc::bad_parameter, "best_of: no candidates");
        require(detail::row_count(x) > 0, errc::empty_input, "best_of: no rows to learn from");
        return caramel::fit(choose(x, y, options), x, y, options);
    }
    /// The candidate that wins, not fitted.
    template <class In, class Y>
        requires(detail::RowsCanBeTaken<In> && detail::RowsCanBeTaken<Y>)
    [[nodiscard]] R choose(const In& x, const Y& y, const fit_options& options) const {
        require(!candidates.empty(), errc::bad_parameter, "best_of: no candidates");
        if (candidates.size() == 1) return candidates.front();
        return caramel::search_recipes(candidates, x, y, folds(x, y, options.seed), metric, rules, options).best;
    }
};

/// A recipe that is the best of these by cross-validation within its training rows: `best_of(recipe_grid(...), by_auc{})`.
/// `folds`: a `fold_plan`, or a callable `(x, y, seed) -> std::vector<train_test>`. Recipes of different types become one list
/// as `any_recipe`s.
template <Recipe R, class Metric, class Folds = fold_plan>
[[nodiscard]] searched<R, Metric, Folds> best_of(std::vector<R> candidates, Metric metric, Folds folds = {}, search_rules rules = {}) {
    return {std::move(candidates), std::move(metric), std::move(folds), rules};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
