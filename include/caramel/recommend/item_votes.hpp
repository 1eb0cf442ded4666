#ifndef CARAMEL_RECOMMEND_ITEM_VOTES_HPP
#define CARAMEL_RECOMMEND_ITEM_VOTES_HPP

// Scores that are sums over what a customer has bought, and their reasons: common to the models between items.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

/// Scores an item by what a customer's purchases say for it: `sum over bought of weight(bought) * what bought says for it`. A model says
///   `vote(bought, weight, sums)`: sums[i] += weight * what the row `bought` says for item i, and
///   `vote_for(bought, item)`: that number for one item, 0 where nothing is said.
template <class Model, class T>
class item_votes : public recommender<Model, T> {
   public:
    /// What each bought item (by row) adds to the score of `item`: the reasons, largest first; they sum to the score.
    /// Throws `error` as a query does, and `unknown_id` for the item.
    [[nodiscard]] std::vector<recommendation<T>> explain(const query& asked, const any_id& item) const {
        workspace scratch;
        const workspace::frame frame(scratch);
        const auto who = base::resolve(asked, scratch);
        const std::size_t wanted = base::items().row_of(item);
        std::vector<recommendation<T>> out;
        for (std::size_t b = 0; b < who.items.size(); ++b) {
            const double says = static_cast<const Model&>(*this).vote_for(static_cast<std::size_t>(who.items[b]), wanted);
            const double share = weigh(weights_, static_cast<double>(who.values[b])) * says;
            if (share != 0) out.push_back({who.items[b], static_cast<T>(share)});
        }
        std::sort(out.begin(), out.end(), ranks_before{});
        return out;
    }

   protected:
    using base = recommender<Model, T>;

    /// Throws `error` (`bad_data`) where there is no such weighting.
    item_votes(interactions<T> purchases, weighting weights) : base(std::move(purchases)), weights_(weights) {
        require(known(weights_), errc::bad_data, Model::kind, ": no such weighting");
    }

    void score_known(std::size_t row, std::span<T> out, workspace& scratch) const {
        const auto mine = base::purchases()[row];
        score_history(mine.items, mine.values, out, scratch);
    }
    void score_history(std::span<const std::int32_t> bought, std::span<const T> values, std::span<T> out, workspace& scratch) const {
        const auto sums = scratch.take<double>(out.size());
        std::fill(sums.begin(), sums.end(), 0.0);
        for (std::size_t b = 0; b < bought.size(); ++b)
            static_cast<const Model&>(*this).vote(static_cast<std::size_t>(bought[b]), weigh(weights_, static_cast<double>(values[b])), sums);
        std::transform(sums.begin(), sums.end(), out.begin(), [](double sum) { return static_cast<T>(sum); });
    }

    weighting weights_;
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
