#ifndef CARAMEL_RECOMMEND_TRENDING_HPP
#define CARAMEL_RECOMMEND_TRENDING_HPP

// A recommender in a shop whose assortment changes: what is bought more of late than it used to be moves up, what is hardly
// sold any more moves down.

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

#include <caramel/core/composite.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/finite.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How the trend of an item counts. Of an item's n customers r bought it of late: the sum over them of 2^(-age / half_life), where
/// age is the time from a customer's latest purchase of the item to the latest purchase of all. With m = sum of r / sum of n over
/// all items, its factor is ((r + smoothing m) / (n + smoothing) / m)^exponent: 1 for an item that sells like all others.
struct item_trend {
    double half_life_days = 14;
    double exponent = 0.75;  ///< 0: no trend; 1: the share of late customers counts as it is
    double smoothing = 5;    ///< above 0: so many customers of the mean trend are added to each item
    friend bool operator==(const item_trend&, const item_trend&) = default;
};

namespace detail {

// The factor of each item. Throws `error` as `trending` does.
template <class T>
std::vector<T> trend_factors(const interactions<T>& x, const item_trend& trend) {
    constexpr const char* who = "trending";
    require(std::isfinite(trend.half_life_days) && trend.half_life_days > 0, errc::bad_parameter, who, ": half_life_days is ", trend.half_life_days,
            ", must be above 0");
    require(std::isfinite(trend.exponent) && trend.exponent >= 0, errc::bad_parameter, who, ": exponent is ", trend.exponent, ", must be at least 0");
    require(std::isfinite(trend.smoothing) && trend.smoothing > 0, errc::bad_parameter, who, ": smoothing is ", trend.smoothing, ", must be above 0");
    require_purchases(x, who);
    require(x.has_times(), errc::bad_data, who, ": a trend needs interactions with times");
    std::int64_t latest = std::numeric_limits<std::int64_t>::min();
    for (std::size_t row = 0; row < x.rows(); ++row)
        for (const auto second : x[row].seconds) latest = std::max(latest, second);
    std::vector<double> late(x.items().size()), ever(x.items().size());
    double all_late = 0, all_ever = 0;
    for (std::size_t row = 0; row < x.rows(); ++row) {
        const auto mine = x[row];
        for (std::size_t k = 0; k < mine.size(); ++k) {  // (as doubles: times may lie further apart than their type can say)
            const double days = (static_cast<double>(latest) - static_cast<double>(mine.seconds[k])) / 86400;
            const double counts = std::exp2(-days / trend.half_life_days);
            late[static_cast<std::size_t>(mine.items[k])] += counts;
            ever[static_cast<std::size_t>(mine.items[k])] += 1;
            all_late += counts;
            all_ever += 1;
        }
    }
    const double mean = all_late / all_ever;  // above 0: the latest purchase counts 1
    std::vector<T> out;
    out.reserve(ever.size());
    for (std::size_t i = 0; i < ever.size(); ++i) {
        const double relative = (late[i] + trend.smoothing * mean) / (ever[i] + trend.smoothing) / mean;
        out.push_back(static_cast<T>(std::pow(relative, trend.exponent)));
    }
    require(all_finite(std::span<const T>(out)), errc::number_out_of_range, who, ": a factor is beyond the number type; take a smaller exponent");
    return out;
}

// Scores above 0 by their items' factors; others stay, so that no trend lifts what is spoken against above the rest.
template <class T>
void apply_trend(std::span<const T> factors, std::span<T> scores) noexcept {
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = scores[i] > 0 ? scores[i] * factors[i] : scores[i];
}

}  // namespace detail

/// Scores an item by another model's score, times the item's factor where the score is above 0.
template <class T, class Model>
class trending_model : public detail::recommender<trending_model<T, Model>, T> {
   public:
    static constexpr std::string_view kind = "trending";  // in saved files: never changes

    /// `factors`: one an item. Throws `error` (`bad_data`) unless there are as many, finite and none below 0.
    trending_model(std::vector<T> factors, Model model) : base(model.purchases()), factors_(std::move(factors)), model_(std::move(model)) {
        require(factors_.size() == base::items().size() && std::all_of(factors_.begin(), factors_.end(), [](T f) { return std::isfinite(f) && f >= 0; }),
                errc::bad_data, "trending: factors and items do not belong together, or a factor is negative or not finite");
    }

    [[nodiscard]] const std::vector<T>& factors() const noexcept { return factors_; }
    /// The model whose scores are taken.
    [[nodiscard]] const Model& member() const noexcept { return model_; }

    static constexpr std::array field_names{"factors", "0"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(factors_, model_); }

   private:
    using base = detail::recommender<trending_model, T>;
    friend base;

    void score_known(std::size_t row, std::span<T> out, workspace& scratch) const {
        model_.put_scores(row, out, scratch);
        detail::apply_trend(std::span<const T>(factors_), out);
    }
    void score_history(std::span<const std::int32_t> bought, std::span<const T> values, std::span<T> out, workspace& scratch) const {
        model_.put_scores(bought, values, out, scratch);
        detail::apply_trend(std::span<const T>(factors_), out);
    }

    std::vector<T> factors_;
    Model model_;
};

/// Recipe for a `trending_model`: see `trending`.
template <class T, class Part>
struct trending_recipe {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = detail::uses_weights<Part>();

    Part recipe;
    item_trend trend = {};

    /// Weights go to the recipe within; trends count every customer as 1. Throws `error`: `bad_parameter`, `empty_input`, `bad_data`
    /// (no times; a negative value), `number_out_of_range`, and what the recipe within throws.
    [[nodiscard]] auto fit(const interactions<T>& x, const fit_options& options) const {
        auto factors = detail::trend_factors(x, trend);
        auto model = recipe.fit(x, options);
        return trending_model<T, decltype(model)>(std::move(factors), std::move(model));
    }
};

/// A recommender whose scores follow the items' trends, such as `trending<float>(ease<float>{}, {.half_life_days = 7})`: for shops
/// whose assortment comes and goes. The interactions must have times. To choose the trend, see recipes/rolling_search.hpp.
template <class T, Recipe Part>
[[nodiscard]] trending_recipe<T, Part> trending(Part part, const item_trend& trend = {}) {
    return {std::move(part), trend};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
