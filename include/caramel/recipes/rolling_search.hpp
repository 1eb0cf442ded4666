#ifndef CARAMEL_RECIPES_ROLLING_SEARCH_HPP
#define CARAMEL_RECIPES_ROLLING_SEARCH_HPP

// A recommender chosen on several stretches of the past, not on one: what wins in a single window often wins by chance.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/transactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/blend.hpp>
#include <caramel/recommend/ease.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/rp3beta.hpp>
#include <caramel/recommend/search_recommenders.hpp>
#include <caramel/recommend/trending.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What was bought before some day, and what the customers of then bought in the time after it of the items of then: `next` is
/// numbered as `train`.
template <class T>
struct purchase_window {
    interactions<T> train, next;
};

/// Which windows `rolling_windows` makes.
struct rolling_options {
    std::chrono::days length{90};  ///< of the time after the day: as long as the time that the model is to serve
    std::chrono::days step{30};    ///< from one window's day to the next one's
    std::size_t n_windows = 4;
    std::optional<std::chrono::sys_seconds> until = {};  ///< the end of the last window; left out: the midnight after the log's last row
};

/// Windows at the end of a log, the oldest first; each learns from all that was before its day. They may overlap.
/// Throws `error`: `bad_parameter` (a length, a step or a number that is not above 0), `empty_input`, and `too_few_rows` where the
/// log does not reach back far enough or nothing new was bought in a window.
template <class T>
[[nodiscard]] std::vector<purchase_window<T>> rolling_windows(const transactions& log, const rolling_options& how = {}) {
    constexpr const char* who = "rolling_windows";
    using std::chrono::days;
    require(how.length > days(0) && how.step > days(0) && how.n_windows > 0, errc::bad_parameter, who, ": length is ", how.length.count(), " days, step ",
            how.step.count(), " days, n_windows ", how.n_windows, "; all must be above 0");
    const auto until = how.until.value_or(std::chrono::sys_seconds(std::chrono::floor<days>(log.last_time()) + days(1)));
    std::vector<purchase_window<T>> out;
    for (std::size_t w = how.n_windows; w-- > 0;) {
        const auto end = until - how.step * static_cast<std::int64_t>(w), day = end - how.length;
        auto train = interactions_of<T>(log.before(day));
        auto next = interactions_of<T>(log.since(day).before(end), &train);
        require(!train.empty() && !next.pairs_not_in(train).empty(), errc::too_few_rows, who, ": window ", how.n_windows - w, " of ", how.n_windows,
                " has nothing to learn from or nothing new in it; take fewer or shorter ones");
        out.push_back({std::move(train), std::move(next)});
    }
    return out;
}

/// One recipe that was tried, with one trend or none.
struct rolling_trial {
    std::string recipe;                     ///< its kind
    std::size_t list = 0, place = 0;        ///< its list, and its place there, from 0
    std::optional<item_trend> trend = {};
    double ndcg = 0;                        ///< mean NDCG@10 over the customers of all windows; -1 where it could not be trained
    std::vector<double> of_windows = {};    ///< the means of the windows
    bool finalist = false;                  ///< the best of its list with a trend, or without one
    double behind = 0;                      ///< of finalists: by how much the best of all has more
    double standard_error = 0;              ///< of `behind`, from the differences of each customer in each window
    friend bool operator==(const rolling_trial&, const rolling_trial&) = default;
};

/// What a search found. `best` names its type, so that the fitted model can be saved; `fit` hides it.
template <class T, class... Recipes>
struct rolling_search {
    std::variant<Recipes..., trending_recipe<T, Recipes>...> best;
    std::size_t chosen = 0;       ///< its number in `trials`
    std::size_t judged = 0;       ///< customers, those of each window counted
    double popularity_ndcg = 0;   ///< what recommending the most popular items gets
    std::vector<rolling_trial> trials{};

    /// Fits the recipe that was chosen. Throws what it throws.
    [[nodiscard]] any_recommender<T> fit(const interactions<T>& x, const fit_options& options = {}) const {
        return std::visit([&](const auto& recipe) -> any_recommender<T> { return detail::fit_any(recipe, options, x); }, best);
    }
};

namespace detail {

// The customers to judge by, their new items and those of the window's training.
template <class T>
struct window_task {
    interactions<T> wanted;
    std::vector<std::size_t> rows;
};

// gains[v * rows + i] = NDCG@10 of row i by the model's scores (v = 0), and by those under each trend's factors (v = 1 and on).
template <class T, class Model>
std::vector<double> trend_gains(const Model& model, const interactions<T>& train, const window_task<T>& task, const std::vector<std::vector<T>>& factors,
                                const run_options& how) {
    const std::size_t items = train.items().size(), rows = task.rows.size();
    std::vector<double> gains((factors.size() + 1) * rows);
    parallel_blocks(rows, 16, how, [&](std::size_t begin, std::size_t end, std::size_t) {
        std::vector<T> scores(items), moved(items);
        std::vector<unsigned char> seen(items);
        workspace scratch;
        for (std::size_t i = begin; i < end; ++i) {
            const workspace::frame frame(scratch);
            const auto mine = train[task.rows[i]].items;
            const auto relevant = task.wanted[task.rows[i]].items;
            model.put_scores(task.rows[i], std::span(scores), scratch);
            require(all_finite(std::span<const T>(scores)), errc::number_out_of_range, Model::kind, ": a score is beyond the number type");
            for (const auto item : mine) seen[static_cast<std::size_t>(item)] = 1;
            gains[i] = ndcg_at_ten(std::span<const recommendation<T>>(best_of<T>(scores, seen, 10, scratch)), relevant);
            for (std::size_t v = 0; v < factors.size(); ++v) {
                const workspace::frame inner(scratch);
                std::copy(scores.begin(), scores.end(), moved.begin());
                apply_trend(std::span<const T>(factors[v]), std::span(moved));
                gains[(v + 1) * rows + i] = ndcg_at_ten(std::span<const recommendation<T>>(best_of<T>(moved, seen, 10, scratch)), relevant);
            }
            for (const auto item : mine) seen[static_cast<std::size_t>(item)] = 0;
        }
    });
    return gains;
}

}  // namespace detail

/// Tries all recipes of all lists, plain and under each of `trends`, in all windows: each is trained on a window's `train` and judged
/// by the NDCG@10 of what customers bought in its `next` that `train` does not have; of more than `max_customers` such customers, so
/// many in each window, evenly spaced. A recipe is trained once a window, whatever the number of trends. Recipes that cannot be
/// trained (`limit_exceeded`, `diverged`) have lost.
/// The finalists are the best of each list without a trend, in the order of the lists, and then the best of each with one. The first
/// of them wins whose mean over all customers is not behind the best by more than one standard error of their differences (Breiman,
/// Friedman, Olshen & Stone, Classification and Regression Trees, 1984): so name simple recipes first.
/// Reports the recipes that were trained, with minus the best NDCG@10 so far as loss; `stop` chooses among them. The same for any
/// number of threads.
/// Throws `error`: `bad_parameter` (no window, no recipe at all, a trend that cannot be), `too_few_rows` (nothing new in a window),
/// `bad_data` (`next` is numbered otherwise; trends but no times), and what the recipes throw.
template <class T, class... Recipes>
[[nodiscard]] rolling_search<T, Recipes...> search_rolling(const std::tuple<std::vector<Recipes>...>& lists, const std::vector<purchase_window<T>>& windows,
                                                           const std::vector<item_trend>& trends = {}, const fit_options& options = {},
                                                           std::size_t max_customers = 10'000) {
    constexpr const char* who = "search_rolling";
    const std::size_t planned = std::apply([](const auto&... list) { return (list.size() + ...); }, lists);
    require(planned > 0 && !windows.empty() && max_customers > 0, errc::bad_parameter, who, ": ", planned, " recipes, ", windows.size(),
            " windows, max_customers ", max_customers, "; all must be above 0");
    std::vector<detail::window_task<T>> tasks;
    std::vector<std::vector<std::vector<T>>> factors;
    rolling_search<T, Recipes...> out{.best = {}};
    for (const auto& window : windows) {
        auto wanted = window.next.pairs_not_in(window.train);
        auto rows = detail::judged_rows(wanted, max_customers);
        require(!rows.empty(), errc::too_few_rows, who, ": no customer bought anything new in window ", tasks.size() + 1, ", so there is nothing to judge by");
        out.judged += rows.size();
        tasks.push_back({std::move(wanted), std::move(rows)});
        auto& of_window = factors.emplace_back();
        for (const auto& trend : trends) of_window.push_back(detail::trend_factors(window.train, trend));
    }
    fit_options within = options;
    within.on_progress = nullptr;
    // The gains of one recipe in all windows, those of a variant together; empty where it could not be trained.
    const auto gains_of = [&](const auto& recipe, bool with_trends) {
        std::vector<std::vector<double>> gains(1 + (with_trends ? trends.size() : 0));
        try {
            for (std::size_t w = 0; w < windows.size(); ++w) {
                const auto model = detail::fit_any(recipe, within, windows[w].train);
                const auto all = detail::trend_gains(model, windows[w].train, tasks[w], with_trends ? factors[w] : std::vector<std::vector<T>>{}, options);
                const std::size_t rows = tasks[w].rows.size();
                for (std::size_t v = 0; v < gains.size(); ++v)
                    gains[v].insert(gains[v].end(), all.begin() + static_cast<std::ptrdiff_t>(v * rows), all.begin() + static_cast<std::ptrdiff_t>((v + 1) * rows));
            }
        } catch (const error& lost) {
            if (lost.code() != errc::limit_exceeded && lost.code() != errc::diverged) throw;
            for (auto& some : gains) some.clear();
        }
        return gains;
    };
    const auto mean_of = [](std::span<const double> values) {
        return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    };
    out.popularity_ndcg = mean_of(gains_of(popularity<T>{}, false)[0]);

    struct family {  // the best so far of a list, with a trend or without one
        std::optional<std::size_t> trial;
        std::vector<double> gains;
    };
    constexpr std::size_t n_lists = sizeof...(Recipes);
    std::vector<family> families(2 * n_lists);
    std::size_t tried = 0;
    double most = -1;
    bool stopped = false;
    const auto try_list = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        const auto& list = std::get<I>(lists);
        for (std::size_t place = 0; place < list.size() && !stopped; ++place) {
            auto gains = gains_of(list[place], true);
            for (std::size_t v = 0; v < gains.size(); ++v) {
                rolling_trial trial{.recipe = std::string(std::remove_cvref_t<decltype(detail::fit_any(list[place], within, windows[0].train))>::kind),
                                    .list = I,
                                    .place = place,
                                    .ndcg = -1};
                if (v > 0) trial.trend = trends[v - 1];
                if (!gains[v].empty()) {
                    trial.ndcg = mean_of(gains[v]);
                    std::size_t first = 0;
                    for (const auto& task : tasks) {
                        trial.of_windows.push_back(mean_of(std::span(gains[v]).subspan(first, task.rows.size())));
                        first += task.rows.size();
                    }
                }
                auto& mine = families[v == 0 ? I : n_lists + I];
                if (!mine.trial || trial.ndcg > out.trials[*mine.trial].ndcg) mine = {out.trials.size(), std::move(gains[v])};
                most = std::max(most, trial.ndcg);
                out.trials.push_back(std::move(trial));
            }
            stopped = options.on_progress && options.on_progress({who, ++tried, planned, -most}) == verdict::stop;
        }
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) { (try_list(std::integral_constant<std::size_t, I>{}), ...); }
    (std::index_sequence_for<Recipes...>{});

    const family* best = nullptr;
    for (const auto& one : families)
        if (one.trial && (best == nullptr || out.trials[*one.trial].ndcg > out.trials[*best->trial].ndcg)) best = &one;
    out.chosen = *best->trial;
    bool found = false;
    for (const auto& one : families) {
        if (!one.trial) continue;
        auto& trial = out.trials[*one.trial];
        trial.finalist = true;
        if (one.gains.size() != best->gains.size() || one.gains.empty()) continue;  // could not be trained
        const auto n = static_cast<double>(one.gains.size());
        double square = 0;
        trial.behind = out.trials[*best->trial].ndcg - trial.ndcg;
        for (std::size_t i = 0; i < one.gains.size(); ++i) {
            const double off = best->gains[i] - one.gains[i] - trial.behind;
            square += off * off;
        }
        trial.standard_error = n > 1 ? std::sqrt(square / (n - 1) / n) : 0;
        if (!found && trial.behind <= trial.standard_error) {
            out.chosen = *one.trial;
            found = true;
        }
    }
    const auto take_list = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        const auto& trial = out.trials[out.chosen];
        if (trial.list != I) return;
        const auto& recipe = std::get<I>(lists)[trial.place];
        if (trial.trend) out.best.template emplace<n_lists + I>(trending<T>(recipe, *trial.trend));
        else out.best.template emplace<I>(recipe);
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) { (take_list(std::integral_constant<std::size_t, I>{}), ...); }
    (std::index_sequence_for<Recipes...>{});
    return out;
}

/// The trends that `best_recommender` tries.
template <class = void>
[[nodiscard]] inline std::vector<item_trend> house_trends() {
    std::vector<item_trend> out;
    for (const double half_life_days : {7.0, 14.0, 28.0, 56.0})
        for (const double exponent : {0.5, 0.75, 1.0}) out.push_back({.half_life_days = half_life_days, .exponent = exponent});
    return out;
}

/// The best model of the house in several windows of the past (see `rolling_windows` and `search_rolling`): popularity, neighbours among
/// items, walks, EASE (where there are at most 8,000 items) and the factorization given, each with and without trends where the
/// purchases have times.
template <class T>
[[nodiscard]] auto best_recommender(const std::vector<purchase_window<T>>& windows, const fit_options& options = {}, const als<T>& factorization = {}) {
    require(!windows.empty(), errc::bad_parameter, "best_recommender: there is no window, must be at least 1");
    std::vector<item_neighbors<T>> near;
    std::vector<rp3beta<T>> walks;
    std::vector<ease<T>> closed;
    for (const std::size_t k : {50U, 200U}) {
        near.push_back({.k = k, .shrinkage = 10});
        near.push_back({.k = k, .similarity = neighbor_similarity::tfidf});
    }
    for (const double beta : {0.2, 0.4, 0.6}) walks.push_back({.k = 200, .beta = beta});
    if (windows.back().train.items().size() <= 8'000)
        for (const double regularization : {30.0, 100.0, 200.0, 300.0, 500.0, 1000.0, 3000.0}) closed.push_back({.regularization = regularization});
    const bool dated = std::all_of(windows.begin(), windows.end(), [](const purchase_window<T>& window) { return window.train.has_times(); });
    return search_rolling(std::tuple(std::vector{popularity<T>{}}, std::move(near), std::move(walks), std::move(closed), std::vector{factorization}), windows,
                          dated ? house_trends() : std::vector<item_trend>{}, options);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
