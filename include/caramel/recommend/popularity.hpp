#ifndef CARAMEL_RECOMMEND_POPULARITY_HPP
#define CARAMEL_RECOMMEND_POPULARITY_HPP

// The items with the most customers: the baseline that every other recommender has to beat.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include <caramel/core/progress.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Scores every item by its number of customers, the same for all; see `query` for what can be asked.
template <class T>
class popularity_model : public detail::recommender<popularity_model<T>, T> {
   public:
    static constexpr std::string_view kind = "popularity";

    explicit popularity_model(interactions<T> purchases) : base(std::move(purchases)) {}
    static constexpr std::array field_names{"purchases"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(base::purchases()); }

   private:
    using base = detail::recommender<popularity_model, T>;
    friend base;
    void score_known(std::size_t, std::span<T> out, workspace&) const { std::ranges::copy(base::customers_of(), out.begin()); }
    void score_history(std::span<const std::int32_t>, std::span<const T>, std::span<T> out, workspace&) const {
        std::ranges::copy(base::customers_of(), out.begin());
    }
};

/// Recipe for `popularity_model`. Values do not count.
template <class T>
struct popularity {
    using stage_concept = recipe_tag;

    /// Throws `error`: `empty_input`, `bad_data` (a negative value).
    [[nodiscard]] popularity_model<T> fit(const interactions<T>& x, const fit_options&) const {
        detail::require_purchases(x, "popularity");
        return popularity_model<T>(x.without_times());
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
