#ifndef CARAMEL_RECOMMEND_SEARCH_RECOMMENDERS_HPP
#define CARAMEL_RECOMMEND_SEARCH_RECOMMENDERS_HPP

// Which recommender ranks best what customers bought next: a search over recipes of any kinds, popularity beside them.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <caramel/any_model.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/blend.hpp>
#include <caramel/recommend/ease.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/rp3beta.hpp>
#include <caramel/recommend/slim.hpp>
#include <caramel/recommend/tune.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A fitted recommender of any kind, called with a batch of queries.
template <class T>
using any_recommender = any_model<std::vector<query>, ragged<recommendation<T>>>;

/// One recipe that was tried.
struct recommender_trial {
    std::string recipe;     ///< its kind
    std::size_t place = 0;  ///< in its list, from 0
    double ndcg = 0;        ///< mean NDCG@10; -1 where it could not be trained (too many items, divergence)
    friend bool operator==(const recommender_trial&, const recommender_trial&) = default;
};

/// What a search found. `best` names its type, so that the fitted model can be saved; `fit` hides it.
template <class T, class... Recipes>
struct recommender_search {
    std::variant<Recipes...> best;
    std::string kind;            ///< of the best
    std::size_t place = 0;       ///< in its list, from 0
    double ndcg = 0;             ///< its mean NDCG@10. The best of many: judge it on purchases that the search has not seen
    double popularity_ndcg = 0;  ///< what recommending the most popular items gets
    std::vector<recommender_trial> trials{};

    /// Fits the recipe that was chosen. Throws what it throws.
    [[nodiscard]] any_recommender<T> fit(const interactions<T>& x, const fit_options& options = {}) const {
        return std::visit([&](const auto& recipe) -> any_recommender<T> { return detail::fit_any(recipe, options, x); }, best);
    }
};

namespace detail {

// The mean NDCG@10 of a fitted recommender, the customers in blocks.
template <class Model>
double judged_ndcg(const Model& model, const ranking_task& task, const run_options& how) {
    constexpr std::size_t block = 32;
    std::vector<double> sums((task.queries.size() + block - 1) / block);
    parallel_blocks(task.queries.size(), block, how, [&](std::size_t begin, std::size_t end, std::size_t b) {
        const std::vector<query> some(task.queries.begin() + static_cast<std::ptrdiff_t>(begin), task.queries.begin() + static_cast<std::ptrdiff_t>(end));
        ragged<std::int32_t> relevant;
        for (std::size_t i = begin; i < end; ++i) relevant.append_row(task.relevant[i]);
        sums[b] = mean_ndcg(model(some), relevant) * static_cast<double>(end - begin);
    });
    double sum = 0;
    for (const double s : sums) sum += s;
    return sum / static_cast<double>(task.queries.size());
}

// The new pairs of at most so many customers, evenly spaced.
template <class T>
ranking_task judged_task(const interactions<T>& train, const interactions<T>& next, std::size_t max_customers) {
    auto all = ranking_task_of(next.pairs_not_in(train), 10);
    const std::size_t n = all.queries.size();
    if (n <= max_customers) return all;
    ranking_task out;
    for (std::size_t i = 0; i < max_customers; ++i) {
        const std::size_t at = i * n / max_customers;
        out.queries.push_back(all.queries[at]);
        out.relevant.append_row(all.relevant[at]);
    }
    return out;
}

}  // namespace detail

/// Tries all recipes of all lists, such as `std::tuple(std::vector{ease<float>{}}, std::vector{rp3beta<float>{}, ...})`: each is
/// trained on `train` and judged by the mean NDCG@10 of what customers bought in `next` that `train` does not have; of more than
/// `max_customers` such customers, so many, evenly spaced. The best wins, ties to the first. Recipes that cannot be trained
/// (`limit_exceeded`, `diverged`) have lost. Give purchases before and after some day of the training period as `train` and
/// `next`, and judge the result on later ones. Reports the recipes that were tried, with minus the NDCG@10 as loss; `stop` keeps
/// the best so far. The same for any number of threads.
/// Throws `error`: `bad_parameter` (no recipe at all), `too_few_rows` (nothing in `next` to judge by), `bad_data` (`next` is
/// numbered otherwise: build it with the id tables of `train`), and what the recipes throw.
template <class T, class... Recipes>
[[nodiscard]] recommender_search<T, Recipes...> search_recommenders(const std::tuple<std::vector<Recipes>...>& lists, const interactions<T>& train,
                                                                    const interactions<T>& next, const fit_options& options = {},
                                                                    std::size_t max_customers = 10'000) {
    constexpr const char* who = "search_recommenders";
    const std::size_t planned = std::apply([](const auto&... list) { return (list.size() + ...); }, lists);
    require(planned > 0, errc::bad_parameter, who, ": there is no recipe to try");
    require(max_customers > 0, errc::bad_parameter, who, ": max_customers is 0, must be at least 1");
    const auto task = detail::judged_task(train, next, max_customers);
    require(!task.queries.empty(), errc::too_few_rows, who, ": no customer bought anything new in `next`, so there is nothing to judge by");

    recommender_search<T, Recipes...> out{.best = {}, .kind = {}, .ndcg = -2, .trials = {}};
    out.popularity_ndcg = detail::judged_ndcg(popularity<T>{}.fit(train, {}), task, options);
    fit_options within = options;
    within.on_progress = nullptr;
    bool stopped = false;
    const auto try_list = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        const auto& list = std::get<I>(lists);
        for (std::size_t place = 0; place < list.size() && !stopped; ++place) {
            double ndcg = -1;
            std::string_view kind;
            try {
                const auto model = detail::fit_any(list[place], within, train);
                kind = model.kind;
                ndcg = detail::judged_ndcg(model, task, options);
            } catch (const error& lost) {
                if (lost.code() != errc::limit_exceeded && lost.code() != errc::diverged) throw;
                kind = std::remove_cvref_t<decltype(detail::fit_any(list[place], within, train))>::kind;
            }
            out.trials.push_back({std::string(kind), place, ndcg});
            if (ndcg > out.ndcg) {
                out.best.template emplace<I>(list[place]);
                out.kind = kind;
                out.place = place;
                out.ndcg = ndcg;
            }
            stopped = options.on_progress && options.on_progress({who, out.trials.size(), planned, -ndcg}) == verdict::stop;
        }
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) { (try_list(std::integral_constant<std::size_t, I>{}), ...); }
    (std::index_sequence_for<Recipes...>{});
    return out;
}

/// The recipes that the house would try on such purchases: neighbours among items, walks, and where there are few
/// enough for them, neighbours among customers (30,000), EASE (8,000 items) and SLIM (3,000 items); of more than two million
/// pairs, fewer of each. With `values`, also with repeated purchases counting more.
template <class T>
[[nodiscard]] auto house_recommenders(const interactions<T>& x, bool values = true) {
    using enum neighbor_similarity;
    std::vector<item_neighbors<T>> near;
    std::vector<rp3beta<T>> walks;
    std::vector<ease<T>> closed;
    std::vector<slim<T>> sparse;
    std::vector<customer_neighbors<T>> peers;
    const std::size_t items = x.items().size();
    std::vector<weighting> rules{weighting::ones};
    if (values) rules.push_back(weighting::logarithmic);
    const bool large = x.pairs() > 2'000'000;
    for (const auto rule : rules) {
        for (const std::size_t k : large ? std::vector<std::size_t>{50, 200} : std::vector<std::size_t>{20, 50, 100, 200}) {
            for (const double shrinkage : {0.0, 10.0, 50.0}) near.push_back({.k = k, .shrinkage = shrinkage, .weights = rule});
            for (const auto similarity : {jaccard, tfidf, bm25}) near.push_back({.k = k, .weights = rule, .similarity = similarity});
        }
        for (const std::size_t k : large ? std::vector<std::size_t>{200} : std::vector<std::size_t>{50, 200})
            for (const double alpha : {0.7, 1.0})
                for (const double beta : {0.2, 0.4, 0.6}) walks.push_back({.k = k, .alpha = alpha, .beta = beta, .weights = rule});
        if (x.rows() <= 30'000)
            for (const std::size_t k : {50U, 100U, 200U})
                for (const double shrinkage : {0.0, 10.0}) peers.push_back({.k = k, .shrinkage = shrinkage, .weights = rule});
        if (items <= 8'000)
            for (const double regularization : {30.0, 100.0, 300.0, 1000.0, 3000.0}) closed.push_back({.regularization = regularization, .weights = rule});
    }
    if (items <= 3'000)
        for (const double l1 : {1.0, 3.0}) sparse.push_back({.l1 = l1, .l2 = 30});
    return std::tuple(std::move(near), std::move(walks), std::move(closed), std::move(sparse), std::move(peers));
}

/// The best model of the house on purchases that it has not seen: `house_recommenders`, a factorization tuned by `tune_als`, and
/// a blend of the best of each kind with the shares of `tune_blend`: EASE, neighbours among customers, walk and factorization, or
/// where the first two are too large, neighbours among items, walk and factorization. All judged as by `search_recommenders`,
/// popularity beside; see there for what is thrown and reported.
template <class T>
[[nodiscard]] auto best_recommender(const interactions<T>& train, const interactions<T>& next, const fit_options& options = {}, bool values = true,
                                    const als<T>& factorization = {}, const als_grid& grid = {}) {
    const auto [near, walks, closed, sparse, peers] = house_recommenders(train, values);
    const auto chosen = [&](const auto& list, auto otherwise) {
        if (list.empty()) return otherwise;
        return std::get<0>(search_recommenders<T>(std::tuple(list), train, next, options).best);
    };
    const auto neighbors = chosen(near, item_neighbors<T>{});
    const auto walk = chosen(walks, rp3beta<T>{});
    std::vector<ease<T>> linear;
    std::vector<customer_neighbors<T>> others;
    if (!closed.empty()) linear.push_back(chosen(closed, ease<T>{}));
    if (!peers.empty()) others.push_back(chosen(peers, customer_neighbors<T>{}));
    fit_options within = options;
    within.on_progress = nullptr;
    const auto factors = tune_als(factorization, train, next, within, grid);
    std::vector<blend_recipe<T, ease<T>, customer_neighbors<T>, rp3beta<T>, als<T>>> blends;
    std::vector<blend_recipe<T, item_neighbors<T>, rp3beta<T>, als<T>>> wide_blends;
    if (!linear.empty() && !others.empty()) blends.push_back(tune_blend(blend<T>(linear[0], others[0], walk, factors), train, next, within, 8));
    else wide_blends.push_back(tune_blend(blend<T>(neighbors, walk, factors), train, next, within, 8));
    return search_recommenders<T>(std::tuple(std::vector{popularity<T>{}}, std::vector{neighbors}, std::vector{walk}, std::move(linear), std::move(others),
                                             sparse, std::vector{factors}, std::move(blends), std::move(wide_blends)),
                                  train, next, options);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
