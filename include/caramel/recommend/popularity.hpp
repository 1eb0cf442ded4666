#ifndef CARAMEL_RECOMMEND_POPULARITY_HPP
#define CARAMEL_RECOMMEND_POPULARITY_HPP

// The items with the most customers: the baseline that every other recommender has to beat.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/finite.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Scores every item by its number of customers, or by those of late, the same for all; see `query` for what can be asked.
template <class T>
class popularity_model : public detail::recommender<popularity_model<T>, T> {
   public:
    static constexpr std::string_view kind = "popularity";

    /// `scores`: one an item; none = the items' numbers of customers. Throws `error` (`bad_data`) unless there are as many, all finite.
    popularity_model(interactions<T> purchases, std::vector<T> scores) : base(std::move(purchases)), scores_(std::move(scores)) {
        if (scores_.empty()) scores_.assign(base::customers_of().begin(), base::customers_of().end());
        require(scores_.size() == base::items().size() && detail::all_finite(std::span<const T>(scores_)), errc::bad_data,
                "popularity: purchases and scores do not belong together");
    }
    static constexpr std::array field_names{"purchases", "scores"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(base::purchases(), scores_); }
    static auto field_defaults() { return std::tuple(std::vector<T>()); }  // older files know the purchases alone

   private:
    using base = detail::recommender<popularity_model, T>;
    friend base;
    void score_known(std::size_t, std::span<T> out, workspace&) const { std::copy(scores_.begin(), scores_.end(), out.begin()); }
    void score_history(std::span<const std::int32_t>, std::span<const T>, std::span<T> out, workspace&) const {
        std::copy(scores_.begin(), scores_.end(), out.begin());
    }

    std::vector<T> scores_;
};

/// Recipe for `popularity_model`. Values do not count.
template <class T>
struct popularity {
    using stage_concept = recipe_tag;

    /// Above 0: a customer counts 2^(-age / half_life), where age is the time in days from the customer's latest purchase of the
    /// item to the latest purchase of all. Then the interactions must have times. 0: every customer counts 1.
    double half_life_days = 0;

    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value; a half-life but no times).
    [[nodiscard]] popularity_model<T> fit(const interactions<T>& x, const fit_options&) const {
        require(std::isfinite(half_life_days) && half_life_days >= 0, errc::bad_parameter, "popularity: half_life_days is ", half_life_days,
                ", must be at least 0");
        detail::require_purchases(x, "popularity");
        require(half_life_days == 0 || x.has_times(), errc::bad_data, "popularity: a half-life needs interactions with times");
        std::int64_t latest = std::numeric_limits<std::int64_t>::min();
        for (std::size_t row = 0; row < x.rows(); ++row)
            for (const auto second : x[row].seconds) latest = std::max(latest, second);
        std::vector<double> sums(x.items().size());
        for (std::size_t row = 0; row < x.rows(); ++row) {
            const auto mine = x[row];
            for (std::size_t k = 0; k < mine.size(); ++k) {
                double counts = 1;
                if (half_life_days > 0) {  // (as doubles: times may lie further apart than their type can say)
                    const double days = (static_cast<double>(latest) - static_cast<double>(mine.seconds[k])) / 86400;
                    counts = std::exp2(-days / half_life_days);
                }
                sums[static_cast<std::size_t>(mine.items[k])] += counts;
            }
        }
        std::vector<T> scores;
        for (const double sum : sums) scores.push_back(static_cast<T>(sum));
        return {x.without_times(), std::move(scores)};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
