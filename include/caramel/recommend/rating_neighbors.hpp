#ifndef CARAMEL_RECOMMEND_RATING_NEIGHBORS_HPP
#define CARAMEL_RECOMMEND_RATING_NEIGHBORS_HPP

// Ratings by neighbours: what similar customers said of the item, or what the customer said of similar items.

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
#include <caramel/core/matrix.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/rating_model.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Who is compared with whom.
enum class rating_side : std::uint8_t {
    customers,  ///< similar customers' ratings of the item
    items,      ///< the customer's ratings of similar items
};

/// How two rows of ratings are compared. But for the last two, by what both rated alone (n of them), a and b being the two
/// ratings of one.
enum class rating_similarity : std::uint8_t {
    msd,               ///< 1 / (1 + mean of (a - b)^2)
    cosine,            ///< sum ab / sqrt(sum aa sum bb)
    pearson,           ///< correlation of a and b; 0 where either is constant
    pearson_baseline,  ///< cosine of a and b without their baselines (mean and biases); 0 where n is 1
    jaccard,           ///< n / the number that either rated
    centered_cosine,   ///< cosine of whole rows, each less its mean: what one alone rated makes them less similar
};

/// What the neighbours' ratings are relative to.
enum class rating_center : std::uint8_t {
    none,       ///< nothing
    means,      ///< the mean of the neighbour's ratings
    baselines,  ///< mean + bias of the customer + bias of the item, see `bias_settings`
};

/// How `rating_neighbors` compares and predicts. A similarity s of rows with n ratings in common counts as
/// s (n - 1) / (n - 1 + shrinkage) where shrinkage is above 0, as 0 where n is below min_support, and not at all unless it
/// is above min_similarity.
struct neighbor_rules {
    rating_side side = rating_side::items;
    rating_similarity similarity = rating_similarity::pearson_baseline;
    rating_center center = rating_center::baselines;
    std::size_t k = 40;           ///< at least 1: at most so many neighbours count, the most similar ones, ties to the lower row
    std::size_t min_k = 1;        ///< at least 1: with fewer, neighbours say nothing
    std::size_t min_support = 1;  ///< at least 1
    double shrinkage = 100;       ///< at least 0
    double min_similarity = 0;    ///< at least 0

    [[nodiscard]] bool uses_baselines() const noexcept { return center == rating_center::baselines || similarity == rating_similarity::pearson_baseline; }

    friend bool operator==(const neighbor_rules&, const neighbor_rules&) = default;
    static constexpr std::array field_names{"side", "similarity", "center", "k", "min_k", "min_support", "shrinkage", "min_similarity"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(side, similarity, center, k, min_k, min_support, shrinkage, min_similarity); }
};

namespace detail {

template <class = void>
inline void require_neighbor_rules(const neighbor_rules& rules, errc code) {
    require(rules.side <= rating_side::items, code, "rating_neighbors: no such side");
    require(rules.similarity <= rating_similarity::centered_cosine, code, "rating_neighbors: no such similarity");
    require(rules.center <= rating_center::baselines, code, "rating_neighbors: no such center");
    require(rules.k >= 1, code, "rating_neighbors: k is 0, must be at least 1");
    require(rules.min_k >= 1 && rules.min_k <= rules.k, code, "rating_neighbors: min_k is ", rules.min_k, ", must be in 1 .. k, ", rules.k);
    require(rules.min_support >= 1, code, "rating_neighbors: min_support is 0, must be at least 1");
    require(std::isfinite(rules.shrinkage) && rules.shrinkage >= 0, code, "rating_neighbors: shrinkage is ", rules.shrinkage, ", must be at least 0");
    require(std::isfinite(rules.min_similarity) && rules.min_similarity >= 0, code, "rating_neighbors: min_similarity is ", rules.min_similarity,
            ", must be at least 0");
}

// sqrt(a b). The root of the product is exact where that is a square, so that equal similarities are equal to the last bit.
inline double geometric_mean(double a, double b) noexcept {
    const double product = a * b;
    return product > 1e-280 && product < 1e280 ? std::sqrt(product) : std::sqrt(a) * std::sqrt(b);
}

// What a similarity needs to know of the ratings that two rows have in common; `of_row` and `of_other` are their extents.
struct common_count {
    double n;
    void add(double, double) noexcept {}
    [[nodiscard]] double similarity(double of_row, double of_other) const noexcept { return n / (of_row + of_other - n); }
};
struct common_dots {
    double n, ab;
    void add(double a, double b) noexcept { ab += a * b; }
    [[nodiscard]] double similarity(double of_row, double of_other) const noexcept { return of_row > 0 && of_other > 0 ? ab / (of_row * of_other) : 0; }
};
struct common_squares {
    double n, squares;
    void add(double a, double b) noexcept { squares += (a - b) * (a - b); }
    [[nodiscard]] double similarity(double, double) const noexcept { return 1 / (squares / n + 1); }
};
struct common_products {
    double n, ab, aa, bb;
    void add(double a, double b) noexcept {
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    [[nodiscard]] double similarity(double, double) const noexcept {
        const double lengths = geometric_mean(aa, bb);
        return lengths > 0 ? ab / lengths : 0;
    }
};
struct common_moments {
    double n, ab, aa, bb, a, b;
    void add(double x, double y) noexcept {
        ab += x * y;
        aa += x * x;
        bb += y * y;
        a += x;
        b += y;
    }
    [[nodiscard]] double similarity(double, double) const noexcept {
        // What rounding leaves of constant ratings is no variance.
        const double all_a = n * aa, all_b = n * bb, of_a = all_a - a * a, of_b = all_b - b * b;
        return of_a > 1e-12 * all_a && of_b > 1e-12 * all_b ? (n * ab - a * b) / geometric_mean(of_a, of_b) : 0;
    }
};

// Calls `work(Sums{})` with the sums that a similarity needs.
template <class Work>
void with_sums(rating_similarity similarity, const Work& work) {
    switch (similarity) {
        case rating_similarity::msd:
            return work(common_squares{});
        case rating_similarity::cosine:
        case rating_similarity::pearson_baseline:
            return work(common_products{});
        case rating_similarity::pearson:
            return work(common_moments{});
        case rating_similarity::jaccard:
            return work(common_count{});
        case rating_similarity::centered_cosine:
            return work(common_dots{});
    }
}

// What is taken off a row's ratings before they are compared, and how large the row is by itself, where that matters.
struct measured_row {
    double center, extent;
};
template <class T>
measured_row measure_row(std::span<const T> ratings, rating_similarity similarity, double bias) noexcept {
    measured_row out{0, 0};
    if (similarity == rating_similarity::pearson_baseline) out.center = bias;
    if (similarity == rating_similarity::jaccard) out.extent = static_cast<double>(ratings.size());
    if (similarity == rating_similarity::centered_cosine && !ratings.empty()) {
        out.center = mean_of(ratings);
        double squares = 0, apart = 0;
        for (const T rating : ratings) {
            const double r = static_cast<double>(rating);
            squares += r * r;
            apart += (r - out.center) * (r - out.center);
        }
        out.extent = apart > 1e-24 * squares ? std::sqrt(apart) : 0;  // rounding again
    }
    return out;
}
template <class T>
std::vector<measured_row> measure_rows(const sparse_rows<T>& rows, rating_similarity similarity, const vec<T>& biases) {
    std::vector<measured_row> out(rows.size());
    for (std::size_t row = 0; row < out.size(); ++row)
        out[row] = measure_row(rows.values_of(row), similarity, biases.size() == 0 ? 0 : static_cast<double>(biases(static_cast<row_index>(row))));
    return out;
}

// Compares rows: customers, or items, by `rules`.
template <class T>
struct rating_comparison {
    const neighbor_rules& rules;
    double mean;
    std::span<const measured_row> measures;
    const vec<T>& column_bias;  // empty where there are no baselines

    [[nodiscard]] double compared(double center, std::size_t column, double rating) const noexcept {
        const bool by_baseline = rules.similarity == rating_similarity::pearson_baseline;
        return rating - (by_baseline ? (mean + static_cast<double>(column_bias(static_cast<row_index>(column)))) + center : center);
    }
    // Nothing unless it counts.
    template <class Sums>
    [[nodiscard]] std::optional<double> similarity(const Sums& common, double of_row, double of_other) const noexcept {
        if (common.n < static_cast<double>(rules.min_support) || (rules.similarity == rating_similarity::pearson_baseline && common.n < 2)) return std::nullopt;
        double out = common.similarity(of_row, of_other);
        if (rules.shrinkage > 0) out *= (common.n - 1) / (common.n - 1 + rules.shrinkage);
        return out > rules.min_similarity && static_cast<T>(out) > 0 ? std::optional(out) : std::nullopt;
    }
    [[nodiscard]] rating_lists<T> lists(const sparse_rows<T>& rows, const sparse_rows<T>& by_column, std::size_t keep, const run_options& how) const {
        rating_lists<T> out;
        with_sums(rules.similarity, [&]<class Sums>(Sums) {
            out = lists_of_pairs<Sums>(
                rows, by_column, keep, false, how,
                [&](std::size_t row, std::size_t column, double rating) { return compared(measures[row].center, column, rating); },
                [&](std::size_t row, std::size_t other, const Sums& common) { return similarity(common, measures[row].extent, measures[other].extent); });
        });
        return out;
    }
    // The similarities of a row that is none of the rows, to all of them; 0 = does not count.
    void similarities(std::span<const std::int32_t> ids, std::span<const T> ratings, measured_row mine, const sparse_rows<T>& by_column, std::span<double> out,
                      workspace& scratch) const {
        std::fill(out.begin(), out.end(), 0.0);
        const auto touched = scratch.take<std::int32_t>(out.size());
        with_sums(rules.similarity, [&]<class Sums>(Sums) {
            const auto sums = scratch.take<Sums>(out.size());
            std::fill(sums.begin(), sums.end(), Sums{});
            sum_common<Sums, T>(
                ids, ratings, by_column, sums, touched, [&](std::size_t column, double rating) { return compared(mine.center, column, rating); },
                [&](std::size_t row, std::size_t column, double rating) { return compared(measures[row].center, column, rating); },
                [&](std::int32_t other, const Sums& common) {
                    const auto row = static_cast<std::size_t>(other);
                    out[row] = static_cast<double>(static_cast<T>(similarity(common, mine.extent, measures[row].extent).value_or(0)));
                });
        });
    }
};

}  // namespace detail

/// Why a rating: `start` and the scores of `reasons` add up to it.
template <class T>
struct rating_reasons {
    T start;                                 ///< what neighbours' ratings are relative to (0 where that is nothing), or the whole rating where they say nothing
    std::vector<recommendation<T>> reasons;  ///< each neighbour by its row (a customer's or an item's) and what it adds, largest first
};

/// Ratings by the k most similar of the customers that rated the item, or of the items that the customer rated. With s the
/// positive similarities to these and c what their ratings are relative to (see `rating_center`):
///
///     the same of the customer and item  +  sum of s (rating - c) / sum of s
///
/// Where neighbours say nothing, this is what ratings are relative to, or the mean of all ratings where that is nothing. For
/// an unknown customer or item it is the mean, with `baselines` plus the bias that is known.
///
/// As a recommender it ranks by the same number before it is kept within bounds. A history in a query is rated as a
/// customer's: by items for nothing more than its own ratings, by customers after it has been compared with all of them (a
/// customer's own history finds that customer, too).
template <class T>
class rating_neighbors_model : public detail::rating_recommender<rating_neighbors_model<T>, T> {
   public:
    static constexpr std::string_view kind = "rating_neighbors";

    /// `ids` and `similarities` from `starts[x]` to `starts[x + 1]` are the neighbours of customer or item x by ascending
    /// row. The biases are empty unless the rules use baselines. Throws `error` (`bad_data`) on fields that do not belong together.
    rating_neighbors_model(interactions<T> ratings, std::vector<std::int64_t> starts, std::vector<std::int32_t> ids, std::vector<T> similarities,
                           vec<T> customer_bias, vec<T> item_bias, neighbor_rules rules, double customer_regularization, double min_rating, double max_rating)
        : base(std::move(ratings), min_rating, max_rating),
          lists_{std::move(starts), std::move(ids), std::move(similarities), {}},
          customer_bias_(std::move(customer_bias)),
          item_bias_(std::move(item_bias)),
          rules_(rules),
          customer_regularization_(customer_regularization),
          mean_(static_cast<double>(static_cast<T>(detail::mean_rating(base::purchases(), kind)))),
          by_item_(base::purchases().by_item()) {
        detail::require_neighbor_rules(rules_, errc::bad_data);
        require(customer_regularization_ >= 0, errc::bad_data, "rating_neighbors: customer_regularization is below 0");
        detail::require_pair_lists(lists_.starts, lists_.ids, lists_.values.size(), rows().size(), kind);
        const bool biased = rules_.uses_baselines();
        require(std::all_of(lists_.values.begin(), lists_.values.end(), [](T s) { return std::isfinite(s) && s > 0; }) &&
                    std::cmp_equal(customer_bias_.size(), biased ? base::customers().size() : 0) &&
                    std::cmp_equal(item_bias_.size(), biased ? base::items().size() : 0) && customer_bias_.allFinite() && item_bias_.allFinite(),
                errc::bad_data, "rating_neighbors: similarities and biases do not belong to the ratings");
        if (by_customers()) measures_ = detail::measure_rows(rows(), rules_.similarity, customer_bias_);
        if (rules_.center != rating_center::means) return;
        means_.resize(rows().size());
        for (std::size_t row = 0; row < means_.size(); ++row) means_[row] = rows().count(row) == 0 ? mean_ : detail::mean_of(rows().values_of(row));
    }

    [[nodiscard]] const neighbor_rules& rules() const noexcept { return rules_; }
    /// The neighbours of a customer (or of an item: `rules().side`) by ascending row, and how similar they are.
    [[nodiscard]] std::span<const std::int32_t> neighbors_of(std::size_t row) const { return lists_.view().ids_of(row); }
    [[nodiscard]] std::span<const T> similarities_of(std::size_t row) const { return lists_.view().values_of(row); }

    /// Why the customer (or the history in the query) would rate the item so, before that is kept within bounds.
    /// Throws `error` as a query does, and `unknown_id` for the item.
    [[nodiscard]] rating_reasons<T> explain(const query& asked, const any_id& wanted) const {
        workspace scratch;
        const workspace::frame frame(scratch);
        const auto known = base::resolve(asked, scratch);
        const std::size_t item = base::items().row_of(wanted);
        const rater who = known.row ? known_rater(*known.row) : new_rater(known.items, known.values);
        std::span<neighbor> found;
        if (known.row || !by_customers()) {
            found = common(who, known.row.value_or(0), item, scratch);
        } else {
            const auto room = scratch.take<neighbor>(base::customers().size());
            found = room.first(alike(who, item, compare(who, scratch), room));
        }
        rating_reasons<T> out{static_cast<T>(start_of(who, item)), {}};
        if (!says_anything(who, item, found)) return out;
        if (rules_.center == rating_center::none) out.start = 0;
        found = nearest(found);
        double weight = 0;
        for (const auto& one : found) weight += one.similarity;
        for (const auto& one : found) out.reasons.push_back({one.row, static_cast<T>(one.similarity * one.rating / weight)});
        std::sort(out.reasons.begin(), out.reasons.end(), detail::ranks_before{});
        return out;
    }

    static constexpr std::array field_names{
        "ratings", "starts", "neighbors", "similarities", "customer_bias", "item_bias", "rules", "customer_regularization", "min_rating", "max_rating"};
    [[nodiscard]] auto fields() const noexcept {
        return std::tie(base::purchases(), lists_.starts, lists_.ids, lists_.values, customer_bias_, item_bias_, rules_, customer_regularization_,
                        base::min_rating_, base::max_rating_);
    }

   private:
    using base = detail::rating_recommender<rating_neighbors_model, T>;
    friend base;
    friend detail::recommender<rating_neighbors_model, T>;

    struct neighbor {
        double similarity, rating;  // relative
        std::int32_t row;
    };
    // A customer, known or with a history.
    struct rater {
        std::span<const std::int32_t> items;
        std::span<const T> ratings;
        double bias, mean;
    };

    [[nodiscard]] bool by_customers() const noexcept { return rules_.side == rating_side::customers; }
    [[nodiscard]] detail::sparse_rows<T> rows() const noexcept { return by_customers() ? base::purchases().by_customer() : by_item_.view(); }
    [[nodiscard]] double item_bias(std::size_t item) const noexcept { return static_cast<double>(item_bias_(static_cast<row_index>(item))); }
    [[nodiscard]] double customer_bias(std::size_t row) const noexcept { return static_cast<double>(customer_bias_(static_cast<row_index>(row))); }

    [[nodiscard]] rater rater_of(std::span<const std::int32_t> items, std::span<const T> ratings, double bias) const noexcept {
        return {items, ratings, bias, items.empty() ? mean_ : detail::mean_of(ratings)};
    }
    [[nodiscard]] rater known_rater(std::size_t row) const noexcept {
        const auto mine = base::purchases()[row];
        return rater_of(mine.items, mine.values, rules_.uses_baselines() ? customer_bias(row) : 0);
    }

    [[nodiscard]] rater new_rater(std::span<const std::int32_t> items, std::span<const T> ratings) const noexcept {
        return rater_of(items, ratings,
                        rules_.uses_baselines() ? static_cast<double>(detail::bias_of(items, ratings, mean_, item_bias_, customer_regularization_)) : 0);
    }

    // The neighbour `row` said so of an item: a customer's rating, or the rater's own of the item `row`.
    [[nodiscard]] neighbor relative(const rater& who, std::size_t item, std::int32_t row, double similarity, T rating) const noexcept {
        const auto other = static_cast<std::size_t>(row);
        double center = 0;
        if (rules_.center == rating_center::means) center = means_[other];
        else if (rules_.center == rating_center::baselines)
            center = (mean_ + (by_customers() ? customer_bias(other) : who.bias)) + item_bias(by_customers() ? item : other);
        return {similarity, static_cast<double>(rating) - center, row};
    }
    [[nodiscard]] bool is_known(const rater& who, std::size_t item) const noexcept { return !who.items.empty() && by_item_.view().count(item) > 0; }
    [[nodiscard]] bool says_anything(const rater& who, std::size_t item, std::span<const neighbor> found) const noexcept {
        return is_known(who, item) && found.size() >= rules_.min_k;
    }
    // What the rating is where neighbours say nothing.
    [[nodiscard]] double start_of(const rater& who, std::size_t item) const noexcept {
        if (rules_.center == rating_center::baselines) return (mean_ + who.bias) + item_bias(item);
        if (rules_.center == rating_center::means && is_known(who, item)) return by_customers() ? who.mean : means_[item];
        return mean_;
    }
    // Those that count, of all that might, by ascending row: sums have one order.
    [[nodiscard]] std::span<neighbor> nearest(std::span<neighbor> found) const noexcept {
        if (found.size() <= rules_.k) return found;
        std::ranges::nth_element(found, found.begin() + static_cast<std::ptrdiff_t>(rules_.k), [](const neighbor& a, const neighbor& b) {
            return a.similarity > b.similarity || (a.similarity == b.similarity && a.row < b.row);
        });
        found = found.first(rules_.k);
        std::ranges::sort(found, {}, &neighbor::row);
        return found;
    }
    [[nodiscard]] T combine(const rater& who, std::size_t item, std::span<neighbor> found) const noexcept {
        const double start = start_of(who, item);
        if (!says_anything(who, item, found)) return static_cast<T>(start);
        double sum = 0, weight = 0;
        for (const auto& one : nearest(found)) {
            sum += one.similarity * one.rating;
            weight += one.similarity;
        }
        return static_cast<T>((rules_.center == rating_center::none ? 0 : start) + sum / weight);
    }

    // The neighbours for an item: of a known customer by row, or of any rater where items are compared.
    [[nodiscard]] std::span<neighbor> common(const rater& who, std::size_t customer, std::size_t item, workspace& scratch) const {
        const std::size_t x = by_customers() ? customer : item;
        const auto candidates = by_customers() ? by_item_.view().ids_of(item) : who.items;
        const auto ratings = by_customers() ? by_item_.view().values_of(item) : who.ratings;
        const auto similarities = similarities_of(x);
        const auto found = scratch.take<neighbor>(std::min(candidates.size(), similarities.size()));
        std::size_t n = 0;
        detail::each_common(candidates, neighbors_of(x), [&](std::size_t c, std::size_t s) {
            found[n++] = relative(who, item, candidates[c], static_cast<double>(similarities[s]), ratings[c]);
        });
        return found.first(n);
    }
    // Those of the customers that rated an item that are similar; how many.
    std::size_t alike(const rater& who, std::size_t item, std::span<const double> similarities, std::span<neighbor> found) const noexcept {
        const auto raters = by_item_.view().ids_of(item);
        const auto ratings = by_item_.view().values_of(item);
        std::size_t n = 0;
        for (std::size_t c = 0; c < raters.size(); ++c)
            if (const double similarity = similarities[static_cast<std::size_t>(raters[c])]; similarity > 0)
                found[n++] = relative(who, item, raters[c], similarity, ratings[c]);
        return n;
    }
    // The similarities of a rater with a history to all customers.
    [[nodiscard]] std::span<const double> compare(const rater& who, workspace& scratch) const {
        const auto out = scratch.take<double>(base::customers().size());
        detail::rating_comparison<T>{rules_, mean_, measures_, item_bias_}.similarities(
            who.items, who.ratings, detail::measure_row(who.ratings, rules_.similarity, who.bias), by_item_.view(), out, scratch);
        return out;
    }

    [[nodiscard]] T predict_rows(std::optional<std::size_t> customer, std::optional<std::size_t> item, workspace& scratch) const {
        if (!customer || !item) {
            double out = mean_;
            if (rules_.center == rating_center::baselines) out += customer ? customer_bias(*customer) : item ? item_bias(*item) : 0;
            return static_cast<T>(out);
        }
        const rater who = known_rater(*customer);
        return combine(who, *item, common(who, *customer, *item, scratch));
    }

    void score_known(std::size_t row, std::span<T> out, workspace& scratch) const {
        const rater who = known_rater(row);
        if (!by_customers()) return by_own_ratings(who, out, scratch);
        const auto similarities = scratch.take<double>(base::customers().size());
        std::fill(similarities.begin(), similarities.end(), 0.0);
        for (std::size_t v = 0; v < neighbors_of(row).size(); ++v)
            similarities[static_cast<std::size_t>(neighbors_of(row)[v])] = static_cast<double>(similarities_of(row)[v]);
        by_customers_alike(who, similarities, out, scratch);
    }
    void score_history(std::span<const std::int32_t> items, std::span<const T> ratings, std::span<T> out, workspace& scratch) const {
        const rater who = new_rater(items, ratings);
        if (by_customers()) by_customers_alike(who, compare(who, scratch), out, scratch);
        else by_own_ratings(who, out, scratch);
    }
    void by_customers_alike(const rater& who, std::span<const double> similarities, std::span<T> out, workspace& scratch) const {
        const auto found = scratch.take<neighbor>(base::customers().size());
        for (std::size_t item = 0; item < out.size(); ++item) out[item] = combine(who, item, found.first(alike(who, item, similarities, found)));
    }
    void by_own_ratings(const rater& who, std::span<T> out, workspace& scratch) const {
        const auto found = scratch.take<neighbor>(who.items.size());
        const auto place = scratch.take<std::int32_t>(out.size());  // in the rater's list, from 1
        std::fill(place.begin(), place.end(), 0);
        for (std::size_t k = 0; k < who.items.size(); ++k) place[static_cast<std::size_t>(who.items[k])] = static_cast<std::int32_t>(k) + 1;
        for (std::size_t item = 0; item < out.size(); ++item) {
            const auto others = neighbors_of(item);
            const auto similarities = similarities_of(item);
            std::size_t n = 0;
            for (std::size_t s = 0; s < others.size(); ++s)
                if (const auto at = place[static_cast<std::size_t>(others[s])]; at > 0)
                    found[n++] = relative(who, item, others[s], static_cast<double>(similarities[s]), who.ratings[static_cast<std::size_t>(at) - 1]);
            out[item] = combine(who, item, found.first(n));
        }
    }

    detail::rating_lists<T> lists_;
    vec<T> customer_bias_, item_bias_;
    neighbor_rules rules_;
    double customer_regularization_;
    double mean_;  // worked out from the ratings, as what follows
    detail::sparse_table<T> by_item_;
    std::vector<double> means_;                  // of the customers or items that are compared, where they are asked for
    std::vector<detail::measured_row> measures_;  // of the customers, where histories are compared with them
};

/// Recipe for `rating_neighbors_model` (Koren, TKDD 4(1), 2010, section 2; Herlocker, Konstan & Riedl, Information
/// Retrieval 5, 2002). Values are ratings, any finite numbers. Comparing takes time by the sum of the squares of the numbers
/// of ratings (of each item, where customers are compared); nothing is ever rows x rows, unless `keep` is 0.
template <class T>
struct rating_neighbors {
    using stage_concept = recipe_tag;

    rating_side side = rating_side::items;
    rating_similarity similarity = rating_similarity::pearson_baseline;
    rating_center center = rating_center::baselines;
    std::size_t k = 40;  ///< these, and what follows: see `neighbor_rules`
    std::size_t min_k = 1;
    std::size_t min_support = 1;
    std::optional<double> shrinkage = {};  ///< left out: 100 for `pearson_baseline`, else 0
    double min_similarity = 0;
    std::size_t keep = 1000;  ///< the model has at most so many neighbours of each row, the most similar ones; 0 = all
    std::size_t epochs = 10;  ///< these three: see `bias_settings`
    double customer_regularization = 15;
    double item_regularization = 10;
    double min_rating = -std::numeric_limits<double>::infinity();  ///< predictions are kept within these two
    double max_rating = std::numeric_limits<double>::infinity();

    /// Throws `error`: `bad_parameter`, `empty_input`, `number_out_of_range`.
    [[nodiscard]] rating_neighbors_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        const neighbor_rules rules{
            side, similarity, center, k, min_k, min_support, shrinkage.value_or(similarity == rating_similarity::pearson_baseline ? 100 : 0), min_similarity};
        const bias_settings settings{epochs, customer_regularization, item_regularization};
        detail::require_neighbor_rules(rules, errc::bad_parameter);
        detail::require_bias_settings(settings, "rating_neighbors", errc::bad_parameter);
        detail::require_rating_bounds(min_rating, max_rating, "rating_neighbors");
        require(!x.empty(), errc::empty_input, "rating_neighbors: no ratings to learn from");
        require_squares(x);
        const double mean = static_cast<double>(static_cast<T>(detail::mean_rating(x, "rating_neighbors")));
        detail::rating_biases<T> biases;
        if (rules.uses_baselines()) biases = detail::learn_biases(x, mean, settings, options, "rating_neighbors");
        const auto by_item = x.by_item();
        const bool of_customers = side == rating_side::customers;
        const auto rows = of_customers ? x.by_customer() : by_item.view(), columns = of_customers ? by_item.view() : x.by_customer();
        const auto measures = detail::measure_rows(rows, similarity, of_customers ? biases.customers : biases.items);
        auto lists = detail::rating_comparison<T>{rules, mean, measures, of_customers ? biases.items : biases.customers}.lists(rows, columns, keep, options);
        return {x.without_times(),
                std::move(lists.starts),
                std::move(lists.ids),
                std::move(lists.values),
                std::move(biases.customers),
                std::move(biases.items),
                rules,
                customer_regularization,
                min_rating,
                max_rating};
    }

   private:
    static void require_squares(const interactions<T>& x) {
        double squares = 0;
        for (const T value : x.by_customer().values) squares += static_cast<double>(value) * static_cast<double>(value);
        require(std::isfinite(squares * static_cast<double>(x.pairs())), errc::number_out_of_range,
                "rating_neighbors: the squares of the ratings add up beyond double; scale them down");
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
