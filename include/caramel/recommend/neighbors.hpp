#ifndef CARAMEL_RECOMMEND_NEIGHBORS_HPP
#define CARAMEL_RECOMMEND_NEIGHBORS_HPP

// "Customers who bought this also bought": neighbours among the items, or among the customers.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/item_lists.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

/// For whom the k nearest items are kept.
enum class neighbor_side : std::uint8_t {
    bought,     ///< each item that a customer bought votes for the k items most similar to it
    candidate,  ///< each item is scored by those of its own k most similar items that the customer bought
};

/// How alike two items are, with w = the weighted value of a purchase. For two customers, read items for customers; they
/// have `cosine` and `jaccard`.
enum class neighbor_similarity : std::uint8_t {
    cosine,   ///< dot / (|a| |b| + shrinkage)
    jaccard,  ///< common customers / (customers of either + shrinkage); values do not count
    tfidf,    ///< the cosine of sqrt(w) * ln(items / (1 + items that the customer bought)): who buys everything says little
    bm25,     ///< the dot product of w (k1 + 1) / (k1 (1 - b + b * sum of w / its mean over items) + w) * the same logarithm;
              ///< favours what is bought often (Robertson & Walker, SIGIR 1994; as in implicit). Shrinkage has no effect
};

namespace detail {

template <class = void>
inline void require_neighbor_parameters(std::size_t k, double shrinkage, weighting rule, std::size_t min_support, std::string_view who) {
    require(k > 0, errc::bad_parameter, who, ": k is 0, must be at least 1");
    require(std::isfinite(shrinkage) && shrinkage >= 0, errc::bad_parameter, who, ": shrinkage is ", shrinkage, ", must be at least 0");
    require(known(rule), errc::bad_parameter, who, ": no such weighting");
    require(min_support > 0, errc::bad_parameter, who, ": min_support is 0, must be at least 1");
}

// The weighted values of all entries, in the order of `x`; none where all are 1.
template <class T>
std::vector<double> weights_of(std::span<const T> values, weighting rule) {
    std::vector<double> out;
    if (rule == weighting::ones) return out;
    out.reserve(values.size());
    for (const T value : values) out.push_back(weigh(rule, static_cast<double>(value)));
    return out;
}

// What TF-IDF and BM25 make of them; `rows` are customers.
template <class = void>
inline void weigh_by_rarity(const weighted_rows& rows, std::size_t items, neighbor_similarity similarity, double k1, double b, std::span<double> weights) {
    std::vector<double> lengths(items);
    double mean = 0;
    for (std::size_t e = 0; e < weights.size(); ++e) {
        lengths[static_cast<std::size_t>(rows.ids[e])] += weights[e];
        mean += weights[e] / static_cast<double>(items);
    }
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const double rarity = std::log(static_cast<double>(items) / (1 + static_cast<double>(rows.count(row))));
        for (std::size_t e = rows.first(row); e < rows.first(row + 1); ++e) {
            const double length = mean > 0 ? 1 - b + b * lengths[static_cast<std::size_t>(rows.ids[e])] / mean : 1;
            const double share = similarity == neighbor_similarity::tfidf ? std::sqrt(weights[e])
                                 : weights[e] > 0                         ? weights[e] * (k1 + 1) / (k1 * length + weights[e])
                                                                          : 0;
            weights[e] = share * rarity;
        }
    }
}

// The lengths of rows. Throws `number_out_of_range` where one is beyond double.
template <class = void>
inline std::vector<double> norms_of(const weighted_rows& rows, std::string_view who) {
    std::vector<double> out(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        double square = rows.weights.empty() ? static_cast<double>(rows.count(row)) : 0;
        for (const double weight : rows.weights_of(row)) square += weight * weight;
        require(std::isfinite(square), errc::number_out_of_range, who, ": the squares of the values add up beyond double");
        out[row] = std::sqrt(square);
    }
    return out;
}
template <class = void>
inline std::vector<double> counts_of(const weighted_rows& rows) {
    std::vector<double> out(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) out[row] = static_cast<double>(rows.count(row));
    return out;
}

}  // namespace detail

/// Scores an item by the similarities to it of what the customer bought: `sum of weight(bought) * similarity`.
template <class T>
class item_neighbors_model : public detail::item_voter<item_neighbors_model<T>, T> {
   public:
    static constexpr std::string_view kind = "item_neighbors";

    /// `ids` and `similarities` from `starts[i]` to `starts[i + 1]` are the items that item i votes for; see `neighbor_side`.
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    item_neighbors_model(interactions<T> purchases, std::vector<std::int64_t> starts, std::vector<std::int32_t> ids, std::vector<T> similarities,
                         weighting weights)
        : detail::item_voter<item_neighbors_model, T>(std::move(purchases), {std::move(starts), std::move(ids), std::move(similarities)}, weights, false) {}

   private:
    friend detail::recommender<item_neighbors_model, T>;
};

/// Recipe for `item_neighbors_model`: similarities between the items' columns (Sarwar, Karypis, Konstan & Riedl, WWW 2001).
template <class T>
struct item_neighbors {
    using stage_concept = recipe_tag;

    std::size_t k = 20;                   ///< at most so many neighbours are kept, ties to the lower item
    double shrinkage = 0;                 ///< distrusts similarities that rest on few customers
    weighting weights = weighting::ones;  ///< how values count, in the similarity and in the votes
    neighbor_side k_of = neighbor_side::bought;
    neighbor_similarity similarity = neighbor_similarity::cosine;
    std::size_t min_support = 1;  ///< neighbours have so many customers in common, at least
    double bm25_k1 = 100;         ///< above 0: how late a larger value stops to count more
    double bm25_b = 0.8;          ///< 0 to 1: how much the length of the item's column counts against it

    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value), `number_out_of_range`.
    [[nodiscard]] item_neighbors_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        using enum neighbor_similarity;
        detail::require_neighbor_parameters(k, shrinkage, weights, min_support, "item_neighbors");
        require(k_of <= neighbor_side::candidate, errc::bad_parameter, "item_neighbors: no such k_of");
        require(similarity <= bm25, errc::bad_parameter, "item_neighbors: no such similarity");
        require(std::isfinite(bm25_k1) && bm25_k1 > 0 && bm25_b >= 0 && bm25_b <= 1, errc::bad_parameter, "item_neighbors: bm25_k1 is ", bm25_k1,
                " and bm25_b ", bm25_b, ", must be above 0 and within 0 and 1");
        detail::require_purchases(x, "item_neighbors");
        const auto by_customer = x.by_customer();
        const bool rarity = similarity == tfidf || similarity == bm25;
        std::vector<double> value_weights;
        if (rarity && weights == weighting::ones) value_weights.assign(x.pairs(), 1.0);
        else if (similarity != jaccard) value_weights = detail::weights_of(by_customer.values, weights);
        const detail::weighted_rows customers{by_customer.starts, by_customer.ids, value_weights};
        if (rarity) detail::weigh_by_rarity(customers, x.items().size(), similarity, bm25_k1, bm25_b, value_weights);

        const bool all_ones = value_weights.empty();
        detail::sparse_table<double> turned;
        if (all_ones) {
            auto table = x.by_item();
            turned.starts = std::move(table.starts);
            turned.ids = std::move(table.ids);
        } else {
            turned = detail::transpose(detail::sparse_rows<double>{by_customer.starts, by_customer.ids, value_weights, x.items().size()});
        }
        const detail::weighted_rows items{turned.starts, turned.ids, turned.values};
        detail::row_similarity alike{.columns = customers, .shrinkage = shrinkage, .min_support = min_support, .sizes = {}, .reach = {}};
        alike.measure = similarity == jaccard ? detail::row_measure::jaccard : similarity == bm25 ? detail::row_measure::scaled : detail::row_measure::cosine;
        const auto sizes = similarity == jaccard ? detail::counts_of(items)
                           : similarity == bm25  ? std::vector<double>(items.size(), 1.0)
                                                 : detail::norms_of(items, "item_neighbors");
        const auto reach = detail::reaches(alike.measure, sizes);
        alike.sizes = sizes;
        alike.reach = reach;
        const std::vector<float> counted_reach = detail::narrowed(reach);
        alike.counted_reach = counted_reach;
        auto lists = all_ones ? alike.template all<T, std::uint32_t>(items, k, options) : alike.template all<T, double>(items, k, options);
        if (k_of == neighbor_side::candidate) lists = detail::turned(lists);  // similarity is symmetric, so the lists only change hands
        return {x.without_times(), std::move(lists.starts), std::move(lists.ids), std::move(lists.similarities), weights};
    }
};

/// Scores an item by what similar customers bought: `sum over the k nearest of similarity * weight(their purchase)`.
/// A history in the query is compared with all customers; a customer's own history finds that customer, too.
template <class T>
class customer_neighbors_model : public detail::recommender<customer_neighbors_model<T>, T> {
   public:
    static constexpr std::string_view kind = "customer_neighbors";

    /// `ids` and `similarities` from `starts[c]` to `starts[c + 1]` are the neighbours of customer c.
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    customer_neighbors_model(interactions<T> purchases, std::vector<std::int64_t> starts, std::vector<std::int32_t> ids, std::vector<T> similarities,
                             std::size_t k, double shrinkage, weighting weights, neighbor_similarity similarity = neighbor_similarity::cosine,
                             std::size_t min_support = 1)
        : base(std::move(purchases)),
          lists_{std::move(starts), std::move(ids), std::move(similarities)},
          k_(k),
          shrinkage_(shrinkage),
          weights_(weights),
          similarity_(similarity),
          min_support_(min_support),
          by_item_(base::purchases().by_item()) {
        require(k_ > 0 && min_support_ > 0 && std::isfinite(shrinkage_) && shrinkage_ >= 0 && detail::known(weights_) &&
                    similarity_ <= neighbor_similarity::jaccard,
                errc::bad_data, "customer_neighbors: k, shrinkage, weighting, similarity or min_support is out of range");
        detail::require_neighbor_lists(lists_, base::customers().size(), "customer_neighbors");
        const auto rows = base::purchases().by_customer();
        if (similarity_ == neighbor_similarity::jaccard) {
            sizes_ = detail::counts_of({rows.starts, rows.ids, {}});
        } else {
            item_weights_ = detail::weights_of(std::span<const T>(by_item_.values), weights_);
            sizes_ = detail::norms_of({rows.starts, rows.ids, detail::weights_of(rows.values, weights_)}, kind);
        }
        reach_ = detail::reaches(measure(), sizes_);
    }

    /// The neighbours of a customer, by row, most similar first.
    [[nodiscard]] std::span<const std::int32_t> neighbors_of(std::size_t customer) const { return lists().ids_of(customer); }
    [[nodiscard]] std::span<const T> similarities_of(std::size_t customer) const { return lists().values_of(customer); }

    static constexpr std::array field_names{"purchases", "starts", "neighbors", "similarities", "k", "shrinkage", "weights", "similarity", "min_support"};
    [[nodiscard]] auto fields() const noexcept {
        return std::tie(base::purchases(), lists_.starts, lists_.ids, lists_.similarities, k_, shrinkage_, weights_, similarity_, min_support_);
    }
    static auto field_defaults() { return std::tuple(neighbor_similarity::cosine, std::size_t{1}); }  // older files are of cosines

   private:
    using base = detail::recommender<customer_neighbors_model, T>;
    friend base;
    [[nodiscard]] detail::sparse_rows<T> lists() const noexcept { return lists_.view(base::customers().size()); }
    [[nodiscard]] detail::row_measure measure() const noexcept {
        return similarity_ == neighbor_similarity::jaccard ? detail::row_measure::jaccard : detail::row_measure::cosine;
    }

    void score_known(std::size_t row, std::span<T> out, workspace& scratch) const {
        const auto sums = zeros<double>(out.size(), scratch);
        for (std::size_t v = 0; v < lists().count(row); ++v) add_purchases(lists().ids_of(row)[v], static_cast<double>(lists().values_of(row)[v]), sums);
        std::transform(sums.begin(), sums.end(), out.begin(), [](double sum) { return static_cast<T>(sum); });
    }
    void score_history(std::span<const std::int32_t> bought, std::span<const T> values, std::span<T> out, workspace& scratch) const {
        const auto sums = zeros<double>(out.size(), scratch);
        const std::size_t others = base::customers().size();
        const auto weights = scratch.take<double>(item_weights_.empty() ? 0 : values.size());
        double own = static_cast<double>(bought.size());
        if (!weights.empty()) {
            own = 0;
            for (std::size_t i = 0; i < weights.size(); ++i) {
                weights[i] = detail::weigh(weights_, static_cast<double>(values[i]));
                own += weights[i] * weights[i];
            }
            require(std::isfinite(own), errc::number_out_of_range, kind, ": the squares of the values add up beyond double");
        }
        if (similarity_ == neighbor_similarity::cosine) own = std::sqrt(own);
        const detail::row_similarity alike{.columns = {by_item_.starts, by_item_.ids, item_weights_},
                                           .measure = measure(),
                                           .shrinkage = shrinkage_,
                                           .min_support = min_support_,
                                           .sizes = sizes_,
                                           .reach = reach_};
        const auto dots = zeros<double>(others, scratch);
        const auto common = zeros<std::uint32_t>(min_support_ > 1 ? others : 0, scratch);
        for (const auto& [customer, similarity] : alike.template nearest<double>(bought, weights, own, others, k_, dots, common, scratch))
            add_purchases(customer, static_cast<double>(static_cast<T>(similarity)), sums);
        std::transform(sums.begin(), sums.end(), out.begin(), [](double sum) { return static_cast<T>(sum); });
    }
    template <class Number>
    static std::span<Number> zeros(std::size_t n, workspace& scratch) {
        const auto out = scratch.take<Number>(n);
        std::fill(out.begin(), out.end(), Number(0));
        return out;
    }
    void add_purchases(std::int32_t customer, double similarity, std::span<double> sums) const {
        const auto theirs = base::purchases()[static_cast<std::size_t>(customer)];
        for (std::size_t p = 0; p < theirs.size(); ++p)
            sums[static_cast<std::size_t>(theirs.items[p])] += similarity * detail::weigh(weights_, static_cast<double>(theirs.values[p]));
    }

    detail::neighbor_lists<T> lists_;
    std::size_t k_;
    double shrinkage_;
    weighting weights_;
    neighbor_similarity similarity_;
    std::size_t min_support_;
    detail::sparse_table<T> by_item_;  // worked out from the purchases, as the others below
    std::vector<double> item_weights_, sizes_, reach_;
};

/// Recipe for `customer_neighbors_model`: similarities between the customers' rows.
template <class T>
struct customer_neighbors {
    using stage_concept = recipe_tag;

    std::size_t k = 50;                                            ///< at most so many neighbours count, ties to the lower row
    double shrinkage = 0;                                          ///< distrusts similarities that rest on few items
    weighting weights = weighting::ones;                           ///< how values count, in the similarity and in the score
    neighbor_similarity similarity = neighbor_similarity::cosine;  ///< or `jaccard`
    std::size_t min_support = 1;                                   ///< neighbours have so many items in common, at least

    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value), `number_out_of_range`.
    [[nodiscard]] customer_neighbors_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        detail::require_neighbor_parameters(k, shrinkage, weights, min_support, "customer_neighbors");
        require(similarity <= neighbor_similarity::jaccard, errc::bad_parameter, "customer_neighbors: the similarity must be cosine or jaccard");
        detail::require_purchases(x, "customer_neighbors");
        const bool jaccard = similarity == neighbor_similarity::jaccard;
        const auto rows = x.by_customer();
        const auto by_item = x.by_item();
        const auto row_weights = jaccard ? std::vector<double>() : detail::weights_of(rows.values, weights);
        const auto item_weights = jaccard ? std::vector<double>() : detail::weights_of(std::span<const T>(by_item.values), weights);
        const detail::weighted_rows customers{rows.starts, rows.ids, row_weights};
        detail::row_similarity alike{
            .columns = {by_item.starts, by_item.ids, item_weights}, .shrinkage = shrinkage, .min_support = min_support, .sizes = {}, .reach = {}};
        alike.measure = jaccard ? detail::row_measure::jaccard : detail::row_measure::cosine;
        const auto sizes = jaccard ? detail::counts_of(customers) : detail::norms_of(customers, "customer_neighbors");
        const auto reach = detail::reaches(alike.measure, sizes);
        alike.sizes = sizes;
        alike.reach = reach;
        const std::vector<float> counted_reach = detail::narrowed(reach);
        alike.counted_reach = counted_reach;
        auto lists = row_weights.empty() ? alike.template all<T, std::uint32_t>(customers, k, options) : alike.template all<T, double>(customers, k, options);
        return {x.without_times(), std::move(lists.starts), std::move(lists.ids), std::move(lists.similarities), k, shrinkage, weights, similarity,
                min_support};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
