#ifndef CARAMEL_RECOMMEND_RP3BETA_HPP
#define CARAMEL_RECOMMEND_RP3BETA_HPP

// A walk from the items that a customer bought to those who bought them, and on to what they bought.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/item_lists.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Scores an item by the chance that a walk from what the customer bought ends there: `sum of weight(bought) * list(bought, item)`.
template <class T>
class rp3beta_model : public detail::item_voter<rp3beta_model<T>, T> {
   public:
    static constexpr std::string_view kind = "rp3beta";

    /// `ids` and `similarities` from `starts[i]` to `starts[i + 1]` are the items that item i votes for.
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    rp3beta_model(interactions<T> purchases, std::vector<std::int64_t> starts, std::vector<std::int32_t> ids, std::vector<T> similarities, weighting weights)
        : detail::item_voter<rp3beta_model, T>(std::move(purchases), {std::move(starts), std::move(ids), std::move(similarities)}, weights, false) {}

   private:
    friend detail::recommender<rp3beta_model, T>;
};

/// Recipe for `rp3beta_model`: `list(j, i) = sum over customers of (p(j to customer) p(customer to i))^alpha / (customers of i)^beta`,
/// where a step goes to each neighbour in proportion to the weighted value (Paudel, Christoffel, Newell & Bernstein, ACM TiiS
/// 7(1), 2017; beta = 0 is P3alpha of Cooper et al., WWW 2014). The k largest of each j are kept.
template <class T>
struct rp3beta {
    using stage_concept = recipe_tag;

    std::size_t k = 100;                  ///< at most so many items are kept for each, ties to the lower item
    double alpha = 1;                     ///< above 0: below 1, steps that are unlikely count more
    double beta = 0.5;                    ///< at least 0: how much it counts against an item that many bought it
    weighting weights = weighting::ones;  ///< how values count, in the steps and in the votes
    bool normalized = false;              ///< each item's list sums to 1, so that items with many neighbours do not speak louder

    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value), `number_out_of_range`.
    [[nodiscard]] rp3beta_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        require(k > 0, errc::bad_parameter, "rp3beta: k is 0, must be at least 1");
        require(std::isfinite(alpha) && alpha > 0 && std::isfinite(beta) && beta >= 0, errc::bad_parameter, "rp3beta: alpha is ", alpha, " and beta ", beta,
                ", must be above 0 and at least 0");
        require(detail::known(weights), errc::bad_parameter, "rp3beta: no such weighting");
        detail::require_purchases(x, "rp3beta");
        const auto by_customer = x.by_customer();
        std::vector<double> steps;
        steps.reserve(x.pairs());
        for (const T value : by_customer.values) steps.push_back(detail::weigh(weights, static_cast<double>(value)));
        auto from_items = detail::transpose(detail::sparse_rows<double>{by_customer.starts, by_customer.ids, steps, x.items().size()});
        to_chances(by_customer.starts, steps);
        to_chances(from_items.starts, from_items.values);

        const detail::weighted_rows customers{by_customer.starts, by_customer.ids, steps}, items{from_items.starts, from_items.ids, from_items.values};
        std::vector<double> scales(items.size());
        for (std::size_t i = 0; i < scales.size(); ++i) scales[i] = items.count(i) == 0 ? 0 : std::pow(static_cast<double>(items.count(i)), -beta);
        const detail::row_similarity walk{.columns = customers, .measure = detail::row_measure::scaled, .sizes = scales, .reach = scales};
        auto lists = walk.template all<T, double>(items, k, options);
        if (normalized)
            for (std::size_t j = 0; j < items.size(); ++j) {
                const auto mine = std::span(lists.similarities)
                                      .subspan(static_cast<std::size_t>(lists.starts[j]), static_cast<std::size_t>(lists.starts[j + 1] - lists.starts[j]));
                double sum = 0;
                for (const T s : mine) sum += static_cast<double>(s);
                if (sum > 0)
                    for (T& s : mine) s = static_cast<T>(static_cast<double>(s) / sum);
            }
        return {x.without_times(), std::move(lists.starts), std::move(lists.ids), std::move(lists.similarities), weights};
    }

   private:
    // Each row's weights to shares of its sum, to the power of alpha.
    void to_chances(std::span<const std::int64_t> starts, std::vector<double>& weights_of) const {
        for (std::size_t row = 0; row + 1 < starts.size(); ++row) {
            const auto mine = std::span(weights_of).subspan(static_cast<std::size_t>(starts[row]), static_cast<std::size_t>(starts[row + 1] - starts[row]));
            double sum = 0;
            for (const double w : mine) sum += w;
            require(std::isfinite(sum), errc::number_out_of_range, "rp3beta: the values add up beyond double");
            for (double& w : mine) w = sum == 0 ? 0 : alpha == 1 ? w / sum : std::pow(w / sum, alpha);
        }
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
