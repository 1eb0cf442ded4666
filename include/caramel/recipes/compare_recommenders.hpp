#ifndef CARAMEL_RECIPES_COMPARE_RECOMMENDERS_HPP
#define CARAMEL_RECIPES_COMPARE_RECOMMENDERS_HPP

// Several recommenders on the same purchases, popularity always beside them.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/evaluate/compare.hpp>
#include <caramel/evaluate/exposure.hpp>
#include <caramel/evaluate/ranking.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What one recommender did. Values of each customer are kept, in the order of their rows.
struct recommender_figures {
    std::string name;
    per_list recall = {}, ndcg = {}, hit_rate = {}, reciprocal_rank = {};  ///< among the first k
    per_list novelty = {};      ///< bits
    double coverage = 0;                               ///< share of the items that anybody was shown
    double gini = 0;                                   ///< 0: all items are shown equally often
    double fit_seconds = 0;                            ///< wall clock: the one figure that differs from run to run
    double p_value = 1;                                ///< of its NDCG against popularity's (`randomization_test`)
};

/// How the contenders did. Made by `compare_recommenders`.
struct recommender_comparison {
    std::size_t k = 10;
    std::size_t customers = 0;               ///< that were judged
    std::vector<recommender_figures> rows = {};  ///< popularity first, then in the order given

    /// The largest mean NDCG, ties to the first.
    template <class = void>
    [[nodiscard]] const recommender_figures& best() const {
        return *std::ranges::max_element(rows, {}, [](const recommender_figures& one) { return one.ndcg.mean(); });
    }
    /// A table for people, one line a recommender.
    template <class = void>
    [[nodiscard]] std::string text() const {
        std::size_t widest = 11;
        for (const auto& one : rows) widest = std::max(widest, one.name.size());
        std::string out = detail::message("at ", k, ", ", customers, " customers\n", std::string(widest, ' '));
        const auto right_aligned = [&out](std::size_t width, std::string_view cell) {
            out += ' ';
            out.append(width - std::min(width, cell.size()), ' ');
            out += cell;
        };
        const auto number = [&](std::size_t width, int decimals, double value) {  // by `to_chars`: a host's locale changes nothing
            char digits[std::numeric_limits<double>::max_exponent10 + 8];
            const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, decimals).ptr;
            right_aligned(width, {digits, static_cast<std::size_t>(end - digits)});
        };
        for (const char* name : {"recall", "ndcg", "hits", "mrr", "coverage", "novelty", "gini", "seconds"}) right_aligned(8, name);
        right_aligned(10, "p");
        for (const auto& one : rows) {
            out += '\n' + one.name + std::string(widest - one.name.size(), ' ');
            for (const double share : {one.recall.mean(), one.ndcg.mean(), one.hit_rate.mean(), one.reciprocal_rank.mean(), one.coverage}) number(8, 4, share);
            number(8, 2, one.novelty.mean());
            number(8, 4, one.gini);
            number(8, 2, one.fit_seconds);
            number(10, 4, one.p_value);
        }
        out += '\n';
        return out;
    }
};

/// A recipe under a name.
template <class Recipe>
struct contender {
    std::string name;
    Recipe recipe;
};
template <class Recipe>
contender(std::string, Recipe) -> contender<Recipe>;
template <class Recipe>
contender(const char*, Recipe) -> contender<Recipe>;

/// How `compare_recommenders` judges.
struct comparison_options {
    std::size_t k = 10;           ///< the length of the lists
    bool only_new_items = true;   ///< what a customer has bought in training is neither shown nor counted
    fit_options fit = {};
};

/// Fits popularity and each contender on `train` and ranks for the customers with pairs in `wanted`, which is numbered as
/// `train` (see data/interaction_splits.hpp). To choose one, give validation pairs cut from the training period, and judge the
/// choice on later ones.
/// Throws `error`: `bad_parameter` (k = 0); `empty_input` (no pair to be judged by); `bad_data` (numbered otherwise); and what
/// the recipes throw.
template <class T, class... Recipes>
[[nodiscard]] recommender_comparison compare_recommenders(const interactions<T>& train, const interactions<T>& wanted, const comparison_options& options,
                                                          const contender<Recipes>&... contenders) {
    constexpr const char* who = "compare_recommenders";
    require(options.k > 0, errc::bad_parameter, who, ": k is 0, must be at least 1");
    require(train.customers() == wanted.customers() && train.items() == wanted.items(), errc::bad_data, who,
            ": both interactions must number customers and items alike");
    auto task = ranking_task_of(options.only_new_items ? wanted.pairs_not_in(train) : wanted, options.k);
    require(!task.queries.empty(), errc::empty_input, who, ": no customer has a pair to be judged by");
    for (auto& asked : task.queries) asked.exclude_seen = options.only_new_items;
    std::vector<std::size_t> customers_of(train.items().size());
    for (const auto item : train.by_customer().ids) ++customers_of[static_cast<std::size_t>(item)];

    recommender_comparison out{.k = options.k, .customers = task.queries.size()};
    const auto judge = [&](const std::string& name, const auto& recipe) {
        const auto start = std::chrono::steady_clock::now();
        const auto model = fit(recipe, train, options.fit);
        recommender_figures one{.name = name};
        one.fit_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const auto lists = model(task.queries);
        one.recall = recall_at(options.k, lists, task.relevant);
        one.ndcg = ndcg_at(options.k, lists, task.relevant);
        one.hit_rate = hit_rate_at(options.k, lists, task.relevant);
        one.reciprocal_rank = reciprocal_rank_at(options.k, lists, task.relevant);
        one.novelty = novelty_at(options.k, lists, customers_of, train.rows());
        one.coverage = coverage_at(options.k, lists, train.items().size());
        one.gini = exposure_gini_at(options.k, lists, train.items().size());
        if (!out.rows.empty() && out.customers > 1)
            one.p_value = randomization_test(one.ndcg.values, out.rows.front().ndcg.values, {.seed = options.fit.seed}).p_value;
        out.rows.push_back(std::move(one));
    };
    judge("popularity", popularity<T>{});
    (judge(contenders.name, contenders.recipe), ...);
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
