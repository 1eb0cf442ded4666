#ifndef CARAMEL_RECOMMEND_SLOPE_ONE_HPP
#define CARAMEL_RECOMMEND_SLOPE_ONE_HPP

// Ratings by differences: who rated both liked this item so much more than that one.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/rating_model.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {
struct difference_sums {
    double n, sum;
    void add(double a, double b) noexcept { sum += a - b; }
};
}  // namespace detail

/// Slope one (Lemire & Maclachlan, SDM 2005). With dev(i, j) the mean of r_ui - r_uj over the n_ij customers u that rated
/// both, and j over what the customer rated beside i that has customers in common with i:
///
///     the mean of the customer's ratings + the mean of dev(i, j)           or, where weighted,
///     sum of n_ij (dev(i, j) + the customer's rating of j) / sum of n_ij
///
/// Without such j it is the mean of the customer's ratings, and for an unknown customer or item that of all ratings. As a
/// recommender it ranks by the same number before it is kept within bounds; a history in a query is rated as a customer.
template <class T>
class slope_one_model : public detail::rating_recommender<slope_one_model<T>, T> {
   public:
    static constexpr std::string_view kind = "slope_one";

    /// `others`, `deviations` and `counts` from `starts[i]` to `starts[i + 1]` are the j, dev(i, j) and n_ij of item i, j
    /// ascending. Throws `error` (`bad_data`) on fields that do not belong together.
    slope_one_model(interactions<T> ratings, std::vector<std::int64_t> starts, std::vector<std::int32_t> others, std::vector<T> deviations,
                    std::vector<std::int32_t> counts, bool weighted, double min_rating, double max_rating)
        : base(std::move(ratings), min_rating, max_rating),
          lists_{std::move(starts), std::move(others), std::move(deviations), std::move(counts)},
          weighted_(weighted),
          mean_(detail::mean_rating(base::purchases(), kind)),
          rated_(base::items().size()) {
        detail::require_pair_lists(lists_.starts, lists_.ids, lists_.values.size(), base::items().size(), kind);
        require(lists_.counts.size() == lists_.ids.size() && std::all_of(lists_.values.begin(), lists_.values.end(), [](T v) { return std::isfinite(v); }) &&
                    std::all_of(lists_.counts.begin(), lists_.counts.end(), [](std::int32_t n) { return n > 0; }),
                errc::bad_data, "slope_one: the deviations and counts do not belong to the ratings");
        for (const auto item : base::purchases().by_customer().ids) rated_[static_cast<std::size_t>(item)] = true;
    }

    /// The mean of r_ui - r_uj over customers u of both, for two items by row; nothing where there are none.
    [[nodiscard]] std::optional<T> deviation(std::size_t i, std::size_t j) const {
        const auto others = lists_.view().ids_of(i);
        const auto at = std::lower_bound(others.begin(), others.end(), static_cast<std::int32_t>(j));
        if (at == others.end() || std::cmp_not_equal(*at, j)) return std::nullopt;
        return lists_.view().values_of(i)[static_cast<std::size_t>(at - others.begin())];
    }

    static constexpr std::array field_names{"ratings", "starts", "others", "deviations", "counts", "weighted", "min_rating", "max_rating"};
    [[nodiscard]] auto fields() const noexcept {
        return std::tie(base::purchases(), lists_.starts, lists_.ids, lists_.values, lists_.counts, weighted_, base::min_rating_, base::max_rating_);
    }

   private:
    using base = detail::rating_recommender<slope_one_model, T>;
    friend base;
    friend detail::recommender<slope_one_model, T>;
    struct sums {
        double sum, weight;
    };

    [[nodiscard]] std::span<const std::int32_t> counts_of(std::size_t item) const noexcept {
        return std::span(lists_.counts).subspan(static_cast<std::size_t>(lists_.starts[item]), lists_.view().count(item));
    }
    void add(sums& to, double deviation, std::int32_t count, double rating) const noexcept {
        to.sum += weighted_ ? count * (deviation + rating) : deviation;
        to.weight += weighted_ ? count : 1;
    }
    [[nodiscard]] T rating_of(const sums& of_item, double mean_of_customer, bool known) const noexcept {
        if (!known) return static_cast<T>(mean_);
        if (of_item.weight == 0) return static_cast<T>(mean_of_customer);
        return static_cast<T>((weighted_ ? 0 : mean_of_customer) + of_item.sum / of_item.weight);
    }

    [[nodiscard]] T predict_rows(std::optional<std::size_t> customer, std::optional<std::size_t> item, workspace&) const noexcept {
        if (!customer || !item || !rated_[*item]) return static_cast<T>(mean_);
        const auto mine = base::purchases()[*customer];
        if (mine.items.empty()) return static_cast<T>(mean_);
        const auto deviations = lists_.view().values_of(*item);
        const auto counts = counts_of(*item);
        sums all{0, 0};
        detail::each_common(mine.items, lists_.view().ids_of(*item), [&](std::size_t j, std::size_t k) {
            add(all, static_cast<double>(deviations[k]), counts[k], static_cast<double>(mine.values[j]));
        });
        return rating_of(all, detail::mean_of(mine.values), true);
    }
    void score_known(std::size_t row, std::span<T> out, workspace& scratch) const {
        const auto mine = base::purchases()[row];
        score_history(mine.items, mine.values, out, scratch);
    }
    void score_history(std::span<const std::int32_t> items, std::span<const T> ratings, std::span<T> out, workspace& scratch) const {
        const auto all = scratch.take<sums>(out.size());
        std::fill(all.begin(), all.end(), sums{0, 0});
        for (std::size_t k = 0; k < items.size(); ++k) {
            const auto j = static_cast<std::size_t>(items[k]);
            const auto others = lists_.view().ids_of(j);
            const auto deviations = lists_.view().values_of(j);
            const auto counts = counts_of(j);
            for (std::size_t o = 0; o < others.size(); ++o)  // dev(i, j) = -dev(j, i)
                add(all[static_cast<std::size_t>(others[o])], -static_cast<double>(deviations[o]), counts[o], static_cast<double>(ratings[k]));
        }
        const double mean = items.empty() ? mean_ : detail::mean_of(ratings);
        for (std::size_t item = 0; item < out.size(); ++item) out[item] = rating_of(all[item], mean, rated_[item] && !items.empty());
    }

    detail::rating_lists<T> lists_;
    bool weighted_;
    double mean_;
    std::vector<bool> rated_;
};

/// Recipe for `slope_one_model`. Values are ratings, any finite numbers. It keeps a number for each pair of items with
/// customers in common, 12 or 16 bytes each way.
template <class T>
struct slope_one {
    using stage_concept = recipe_tag;

    bool weighted = false;                                         ///< differences count as many times as they have customers
    std::size_t min_support = 1;                                   ///< at least 1: differences of fewer customers are left out
    double min_rating = -std::numeric_limits<double>::infinity();  ///< predictions are kept within these two
    double max_rating = std::numeric_limits<double>::infinity();

    /// Throws `error`: `bad_parameter`, `empty_input`, `number_out_of_range`.
    [[nodiscard]] slope_one_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        require(min_support >= 1, errc::bad_parameter, "slope_one: min_support is 0, must be at least 1");
        detail::require_rating_bounds(min_rating, max_rating, "slope_one");
        require(!x.empty(), errc::empty_input, "slope_one: no ratings to learn from");
        const auto by_item = x.by_item();
        auto lists = detail::lists_of_pairs<detail::difference_sums>(
            by_item.view(), x.by_customer(), 0, true, options, [](std::size_t, std::size_t, double rating) { return rating; },
            [&](std::size_t, std::size_t, const detail::difference_sums& pair) {
                return pair.n >= static_cast<double>(min_support) ? std::optional(pair.sum / pair.n) : std::nullopt;
            });
        require(std::all_of(lists.values.begin(), lists.values.end(), [](T v) { return std::isfinite(v); }), errc::number_out_of_range,
                "slope_one: a difference is beyond the number type; scale the ratings down");
        return {x.without_times(), std::move(lists.starts), std::move(lists.ids), std::move(lists.values), std::move(lists.counts), weighted, min_rating,
                max_rating};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
