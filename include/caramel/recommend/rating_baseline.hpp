#ifndef CARAMEL_RECOMMEND_RATING_BASELINE_HPP
#define CARAMEL_RECOMMEND_RATING_BASELINE_HPP

// Ratings by who rates and what is rated alone: the mean, how kind the customer is, how good the item is.

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

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/rating_model.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Ratings predicted as mean + bias of the customer + bias of the item, the biases of unknown ids 0. As a recommender it
/// ranks by the same number before it is kept within bounds. The bias of a history in a query is what the last step of
/// training would make of it. (Histories have no negative values.)
template <class T>
class rating_baseline_model : public detail::rating_recommender<rating_baseline_model<T>, T> {
   public:
    static constexpr std::string_view kind = "rating_baseline";

    /// Throws `error` (`bad_data`) on fields that do not belong together.
    rating_baseline_model(interactions<T> ratings, T mean, vec<T> customer_bias, vec<T> item_bias, bias_settings settings, double min_rating, double max_rating)
        : base(std::move(ratings), min_rating, max_rating),
          mean_(mean),
          customer_bias_(std::move(customer_bias)),
          item_bias_(std::move(item_bias)),
          settings_(settings) {
        detail::require_bias_settings(settings_, kind, errc::bad_data);
        require(std::cmp_equal(customer_bias_.size(), base::customers().size()) && std::cmp_equal(item_bias_.size(), base::items().size()) &&
                    std::isfinite(mean_) && customer_bias_.allFinite() && item_bias_.allFinite(),
                errc::bad_data, "rating_baseline: ratings and biases do not belong together");
    }

    [[nodiscard]] T mean() const noexcept { return mean_; }
    [[nodiscard]] const vec<T>& customer_bias() const noexcept { return customer_bias_; }
    [[nodiscard]] const vec<T>& item_bias() const noexcept { return item_bias_; }

    static constexpr std::array field_names{"ratings", "mean", "customer_bias", "item_bias", "settings", "min_rating", "max_rating"};
    [[nodiscard]] auto fields() const noexcept {
        return std::tie(base::purchases(), mean_, customer_bias_, item_bias_, settings_, base::min_rating_, base::max_rating_);
    }

   private:
    using base = detail::rating_recommender<rating_baseline_model, T>;
    friend base;
    friend detail::recommender<rating_baseline_model, T>;

    [[nodiscard]] T predict_rows(std::optional<std::size_t> customer, std::optional<std::size_t> item, workspace&) const noexcept {
        const T known = customer ? mean_ + customer_bias_(static_cast<row_index>(*customer)) : mean_;
        return item ? known + item_bias_(static_cast<row_index>(*item)) : known;
    }
    void score_items(T customer_bias, std::span<T> out) const noexcept {
        for (std::size_t item = 0; item < out.size(); ++item) out[item] = (mean_ + customer_bias) + item_bias_(static_cast<row_index>(item));
    }
    void score_known(std::size_t row, std::span<T> out, workspace&) const noexcept { score_items(customer_bias_(static_cast<row_index>(row)), out); }
    void score_history(std::span<const std::int32_t> items, std::span<const T> ratings, std::span<T> out, workspace&) const noexcept {
        score_items(detail::bias_of(items, ratings, static_cast<double>(mean_), item_bias_, settings_.customer_regularization), out);
    }

    T mean_;
    vec<T> customer_bias_, item_bias_;
    bias_settings settings_;
};

/// Recipe for `rating_baseline_model`: see `bias_settings` for what is minimised. Values are ratings, any finite numbers.
/// With `.epochs = 1, .customer_regularization = 0, .item_regularization = infinity` it is each customer's own average.
template <class T>
struct rating_baseline {
    using stage_concept = recipe_tag;

    std::size_t epochs = 10;
    double customer_regularization = 15;
    double item_regularization = 10;
    double min_rating = -std::numeric_limits<double>::infinity();  ///< predictions are kept within these two
    double max_rating = std::numeric_limits<double>::infinity();

    /// Throws `error`: `bad_parameter`, `empty_input`, `number_out_of_range`.
    [[nodiscard]] rating_baseline_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        const bias_settings settings{epochs, customer_regularization, item_regularization};
        detail::require_bias_settings(settings, "rating_baseline", errc::bad_parameter);
        detail::require_rating_bounds(min_rating, max_rating, "rating_baseline");
        require(!x.empty(), errc::empty_input, "rating_baseline: no ratings to learn from");
        const T mean = static_cast<T>(detail::mean_rating(x, "rating_baseline"));
        auto biases = detail::learn_biases(x, static_cast<double>(mean), settings, options, "rating_baseline");
        return {x.without_times(), mean, std::move(biases.customers), std::move(biases.items), settings, min_rating, max_rating};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
