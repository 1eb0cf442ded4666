#ifndef CARAMEL_RECOMMEND_RERANK_HPP
#define CARAMEL_RECOMMEND_RERANK_HPP

// Another order, or a choice, of what a recommender listed: less of the same.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <type_traits>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Says how alike two items are, by their rows: a number, symmetric, 1 for the same.
template <class S>
concept ItemSimilarity = requires(const S& similarity, std::int32_t item) {
    { similarity(item, item) } -> std::convertible_to<double>;
};

/// How `diversify` weighs relevance against likeness.
struct diversity_options {
    std::size_t n = 10;      ///< at most so many
    double relevance = 0.7;  ///< lambda in 0 .. 1: at 1 the order stays, at 0 the scores count for the first item alone
};

/// Picks n of a longer list (50 or 100 candidates, say), each time the item with the largest
///     lambda * relevance  -  (1 - lambda) * largest similarity to an item picked before,
/// where relevance is the score scaled to 0 .. 1 over the list (1 where all are equal): maximal marginal relevance (Carbonell &
/// Goldstein, SIGIR 1998). Ties to the better rank in the list. Scores stay as they are. The first n of more are the same
/// n, as long as the candidates are the same.
/// Throws `error`: `bad_parameter` (lambda); `nan_or_inf` (a score, with its row in the list, or a similarity).
template <class T, ItemSimilarity Similarity>
[[nodiscard]] std::vector<recommendation<T>> diversify(std::span<const recommendation<T>> list, const Similarity& similarity,
                                                       const diversity_options& options = {}) {
    const double lambda = options.relevance;
    require(lambda >= 0 && lambda <= 1, errc::bad_parameter, "diversify: relevance is ", lambda, ", must be in 0 .. 1");
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const double score = static_cast<double>(list[i].score);
        require_at(std::isfinite(score), errc::nan_or_inf, {.row = i + 1}, "diversify: score ", i + 1, " is not finite");
        low = std::min(low, score);
        high = std::max(high, score);
    }
    std::vector<recommendation<T>> out;
    std::vector<double> closest(list.size(), -std::numeric_limits<double>::infinity());  // to what was picked; not yet known for the first
    std::vector<bool> picked(list.size());
    while (out.size() < std::min(options.n, list.size())) {
        std::size_t best = list.size();
        double best_value = 0;
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (picked[i]) continue;
            // Halves, so that the difference of two finite scores is finite.
            const double relevance = high > low ? (static_cast<double>(list[i].score) / 2 - low / 2) / (high / 2 - low / 2) : 1;
            const double value = out.empty() ? relevance : lambda * relevance - (1 - lambda) * closest[i];
            if (best == list.size() || value > best_value) {
                best = i;
                best_value = value;
            }
        }
        picked[best] = true;
        out.push_back(list[best]);
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (picked[i]) continue;
            const double alike = static_cast<double>(similarity(list[i].item, list[best].item));
            require(std::isfinite(alike), errc::nan_or_inf, "diversify: the similarity of candidates ", i + 1, " and ", best + 1, " is not finite");
            closest[i] = std::max(closest[i], alike);
        }
    }
    return out;
}

/// How many of a category `limit_categories` leaves.
struct category_options {
    std::size_t n = 10;             ///< at most so many items
    std::size_t per_category = 2;   ///< and of each category at most so many
};

/// The first n items of a list of which at most `per_category` are of one category, in the order of the list.
/// `category(item)` is the number of an item's category, by the item's row; a negative one is none, and not limited. The
/// first n of more are the same n.
/// Throws `error` (`bad_parameter`) where `per_category` is 0.
template <class T, class Category>
    requires std::integral<std::remove_cvref_t<std::invoke_result_t<const Category&, std::int32_t>>>
[[nodiscard]] std::vector<recommendation<T>> limit_categories(std::span<const recommendation<T>> list, const Category& category,
                                                              const category_options& options = {}) {
    require(options.per_category > 0, errc::bad_parameter, "limit_categories: per_category is 0, must be at least 1");
    std::map<std::int64_t, std::size_t> listed;
    std::vector<recommendation<T>> out;
    for (const auto& pick : list) {
        if (out.size() == options.n) break;
        const auto of = static_cast<std::int64_t>(category(pick.item));
        if (of >= 0 && listed[of]++ >= options.per_category) continue;
        out.push_back(pick);
    }
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
