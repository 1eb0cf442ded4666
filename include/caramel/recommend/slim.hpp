#ifndef CARAMEL_RECOMMEND_SLIM_HPP
#define CARAMEL_RECOMMEND_SLIM_HPP

// A sparse linear model between items: each item is explained by the few others that predict its buyers best.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/item_gramian.hpp>
#include <caramel/recommend/item_lists.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Scores an item by `sum of weight(bought) * list(bought, item)`.
template <class T>
class slim_model : public detail::item_voter<slim_model<T>, T> {
   public:
    static constexpr std::string_view kind = "slim";

    /// `ids` and `similarities` from `starts[i]` to `starts[i + 1]` are the items that item i votes for; a vote may be negative.
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    slim_model(interactions<T> purchases, std::vector<std::int64_t> starts, std::vector<std::int32_t> ids, std::vector<T> similarities, weighting weights)
        : detail::item_voter<slim_model, T>(std::move(purchases), {std::move(starts), std::move(ids), std::move(similarities)}, weights, true) {}

   private:
    friend detail::recommender<slim_model, T>;
};

/// Recipe for `slim_model`: for each item i the w with w_i = 0 that minimises
///
///     |x_i - Xw|^2 / 2 + l1 |w|_1 + l2 |w|^2 / 2,
///
/// by coordinate descent on X'X with an active set (Ning & Karypis, ICDM 2011; Friedman, Hastie & Tibshirani, J. Stat.
/// Softw. 33(1), 2010). With l1 = 0 and `non_negative = false` it finds what `ease` does. Memory items^2. Weights of the fit
/// count customers.
template <class T>
struct slim {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    double l1 = 1;                        ///< at least 0: more makes the lists shorter
    double l2 = 10;                       ///< above 0
    bool non_negative = true;             ///< no item speaks against another
    weighting weights = weighting::ones;  ///< how values count, in learning and in the scores
    double tolerance = 1e-4;              ///< above 0: ends where no step changes Xw by more than this share of |x_i|
    std::size_t max_sweeps = 200;         ///< at most so many passes over the weights of an item
    std::size_t max_items = 20'000;       ///< more are refused: 20,000 take 1.6 GB in float

    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value), `limit_exceeded` (more items than
    /// `max_items`), `number_out_of_range`.
    [[nodiscard]] slim_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        require(std::isfinite(l1) && l1 >= 0 && std::isfinite(l2) && l2 > 0, errc::bad_parameter, "slim: l1 is ", l1, " and l2 ", l2,
                ", must be at least 0 and above 0");
        require(std::isfinite(tolerance) && tolerance > 0 && max_sweeps > 0, errc::bad_parameter, "slim: tolerance is ", tolerance, " and max_sweeps ",
                max_sweeps, ", must be above 0");
        require(detail::known(weights), errc::bad_parameter, "slim: no such weighting");
        detail::require_purchases(x, "slim");
        const std::size_t n = x.items().size();
        detail::require_dense_items(n, max_items, sizeof(T), "slim");
        std::vector<T> g(n * n);
        detail::add_item_gramian(x, weights, row_weights(options.weights, x.rows(), "slim"), n, g.data(), "slim", options);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = i + 1; j < n; ++j) g[j * n + i] = g[i * n + j];

        constexpr std::size_t block = 16;
        std::vector<detail::neighbor_lists<T>> parts((n + block - 1) / block);
        parallel_blocks(n, block, options, [&](std::size_t begin, std::size_t end, std::size_t b) {
            one_item solver{*this, g, n};
            auto& part = parts[b];
            for (std::size_t item = begin; item < end; ++item) {
                solver.solve(item);
                for (std::size_t j = 0; j < n; ++j)
                    if (const auto weight = static_cast<T>(solver.w[j]); weight != 0) {
                        part.ids.push_back(static_cast<std::int32_t>(j));
                        part.similarities.push_back(weight);
                    }
                part.starts.push_back(static_cast<std::int64_t>(part.ids.size()));
            }
        });
        auto lists = detail::turned(detail::joined(parts));  // from what explains an item to what an item explains
        return {x.without_times(), std::move(lists.starts), std::move(lists.ids), std::move(lists.similarities), weights};
    }

   private:
    struct one_item {
        const slim& recipe;
        std::span<const T> g;
        std::size_t n;
        std::vector<double> w = std::vector<double>(n), slope = std::vector<double>(n);  // slope = X'(Xw - x_i)
        std::vector<std::size_t> active{};

        void solve(std::size_t item) {
            const T* const own = g.data() + item * n;
            for (std::size_t j = 0; j < n; ++j) {
                w[j] = 0;
                slope[j] = -static_cast<double>(own[j]);
            }
            const double enough = recipe.tolerance * recipe.tolerance * static_cast<double>(own[item]);
            active.clear();
            for (std::size_t sweeps = 0; sweeps < recipe.max_sweeps;) {
                bool moved = false;
                for (std::size_t j = 0; j < n; ++j)
                    if (j != item && (w[j] != 0 || (recipe.non_negative ? -slope[j] : std::abs(slope[j])) > recipe.l1)) {
                        const bool entered = w[j] == 0;
                        if (step(j) > enough) moved = true;
                        if (entered && w[j] != 0) active.push_back(j);
                    }
                ++sweeps;
                if (!moved) return;
                for (moved = true; moved && sweeps < recipe.max_sweeps; ++sweeps) {
                    moved = false;
                    for (const std::size_t j : active)
                        if (step(j) > enough) moved = true;
                }
                std::erase_if(active, [&](std::size_t j) { return w[j] == 0; });
            }
        }
        // Sets one weight to its best value; how much that changed Xw, squared.
        double step(std::size_t j) {
            const T* const row = g.data() + j * n;
            const auto length = static_cast<double>(row[j]);
            const double pull = length * w[j] - slope[j];
            double best = pull > recipe.l1 ? pull - recipe.l1 : pull < -recipe.l1 && !recipe.non_negative ? pull + recipe.l1 : 0;
            best /= length + recipe.l2;
            const double change = best - w[j];
            if (change == 0) return 0;
            w[j] = best;
            for (std::size_t i = 0; i < n; ++i) slope[i] += change * static_cast<double>(row[i]);
            return change * change * length;
        }
    };
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
