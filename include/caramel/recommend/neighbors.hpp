#ifndef CARAMEL_RECOMMEND_NEIGHBORS_HPP
#define CARAMEL_RECOMMEND_NEIGHBORS_HPP

// "Customers who bought this also bought": neighbours among the items, or among the customers, by cosine.

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
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

/// For whom the k nearest items are kept.
enum class neighbor_side : std::uint8_t {
    bought,     ///< each item that a customer bought votes for the k items most similar to it
    candidate,  ///< each item is scored by those of its own k most similar items that the customer bought
};

namespace detail {

template <class T>
struct neighbor_lists {
    std::vector<std::int64_t> starts;
    std::vector<std::int32_t> ids;
    std::vector<T> similarities;

    [[nodiscard]] sparse_rows<T> view(std::size_t columns) const noexcept { return {starts, ids, similarities, columns}; }
};

// The lengths of rows. Throws `number_out_of_range` where one is beyond double.
template <class T>
double norm_of(std::span<const T> values, weighting rule, std::string_view who) {
    double square = 0;
    for (const T value : values) {
        const double weight = weigh(rule, static_cast<double>(value));
        square += weight * weight;
    }
    require(std::isfinite(square), errc::number_out_of_range, who, ": the squares of the values add up beyond double");
    return std::sqrt(square);
}
template <class T>
std::vector<double> norms_of(const sparse_rows<T>& rows, weighting rule, std::string_view who) {
    std::vector<double> out(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) out[row] = norm_of(rows.values_of(row), rule, who);
    return out;
}

// Cosines between rows, with scratch for one row at a time: nothing is ever rows x rows.
template <class T>
class cosine {
   public:
    // `by_column` is the transpose of `rows`; `norms` are those of the rows.
    cosine(const sparse_rows<T>& rows, const sparse_rows<T>& by_column, std::span<const double> norms, weighting rule, double shrinkage)
        : rows_(rows), by_column_(by_column), norms_(norms), rule_(rule), shrinkage_(shrinkage) {}

    // The k rows most similar to a given one, without row `self`, best first, ties to the lower row: in the workspace.
    // Only positive similarities count. `dots` holds a zero for each row, before and after.
    std::span<recommendation<double>> nearest(std::span<const std::int32_t> ids, std::span<const T> values, double norm, std::size_t self, std::size_t k,
                                              std::span<double> dots, workspace& scratch) const {
        const auto touched = scratch.take<std::int32_t>(rows_.size());
        std::size_t count = 0;
        for (std::size_t c = 0; c < ids.size(); ++c) {
            const double weight = weigh(rule_, static_cast<double>(values[c]));
            const auto others = by_column_.ids_of(static_cast<std::size_t>(ids[c]));
            const auto other_values = by_column_.values_of(static_cast<std::size_t>(ids[c]));
            for (std::size_t o = 0; o < others.size(); ++o) {
                const double product = weight * weigh(rule_, static_cast<double>(other_values[o]));
                double& dot = dots[static_cast<std::size_t>(others[o])];
                if (dot == 0 && product > 0) touched[count++] = others[o];
                dot += product;
            }
        }
        const auto found = scratch.take<recommendation<double>>(count);
        std::size_t kept = 0;
        for (const auto other : touched.first(count)) {
            const auto row = static_cast<std::size_t>(other);
            const double similarity = dots[row] / (norm * norms_[row] + shrinkage_);
            dots[row] = 0;
            if (row != self && similarity > 0) found[kept++] = {other, similarity};
        }
        const auto best = found.first(kept);
        const auto end = best.begin() + static_cast<std::ptrdiff_t>(std::min(k, kept));
        std::partial_sort(best.begin(), end, best.end(), ranks_before{});
        return best.first(std::min(k, kept));
    }

    // The lists of all rows.
    neighbor_lists<T> all(std::size_t k, const run_options& how) const {
        constexpr std::size_t block = 64;
        std::vector<neighbor_lists<T>> parts((rows_.size() + block - 1) / block);
        parallel_blocks(rows_.size(), block, how, [&](std::size_t begin, std::size_t end, std::size_t b) {
            std::vector<double> dots(rows_.size());
            workspace scratch;
            auto& part = parts[b];
            for (std::size_t row = begin; row < end; ++row) {
                const workspace::frame frame(scratch);
                for (const auto& [id, similarity] : nearest(rows_.ids_of(row), rows_.values_of(row), norms_[row], row, k, dots, scratch)) {
                    part.ids.push_back(id);
                    part.similarities.push_back(static_cast<T>(similarity));
                }
                part.starts.push_back(static_cast<std::int64_t>(part.ids.size()));
            }
        });
        neighbor_lists<T> out{{0}, {}, {}};
        for (const auto& part : parts) {
            const auto before = static_cast<std::int64_t>(out.ids.size());
            for (const auto end : part.starts) out.starts.push_back(before + end);
            out.ids.insert(out.ids.end(), part.ids.begin(), part.ids.end());
            out.similarities.insert(out.similarities.end(), part.similarities.begin(), part.similarities.end());
        }
        return out;
    }

   private:
    sparse_rows<T> rows_, by_column_;
    std::span<const double> norms_;
    weighting rule_;
    double shrinkage_;
};

inline void require_neighbor_parameters(std::size_t k, double shrinkage, weighting rule, std::string_view who) {
    require(k > 0, errc::bad_parameter, who, ": k is 0, must be at least 1");
    require(std::isfinite(shrinkage) && shrinkage >= 0, errc::bad_parameter, who, ": shrinkage is ", shrinkage, ", must be at least 0");
    require(known(rule), errc::bad_parameter, who, ": no such weighting");
}
template <class T>
void require_neighbor_lists(const neighbor_lists<T>& lists, std::size_t n, std::string_view who) {
    const auto& [starts, ids, similarities] = lists;
    require(starts.size() == n + 1 && starts.front() == 0 && starts.back() == static_cast<std::int64_t>(ids.size()) && std::ranges::is_sorted(starts) &&
                similarities.size() == ids.size() && std::ranges::all_of(similarities, [](T s) { return std::isfinite(s) && s >= 0; }) &&
                std::ranges::all_of(ids, [&](std::int32_t id) { return id >= 0 && std::cmp_less(id, n); }),
            errc::bad_data, who, ": the neighbours do not belong to the purchases");
}

}  // namespace detail

/// Scores an item by the similarities to it of what the customer bought: `sum of weight(bought) * similarity`.
template <class T>
class item_neighbors_model : public detail::recommender<item_neighbors_model<T>, T> {
   public:
    static constexpr std::string_view kind = "item_neighbors";

    /// `ids` and `similarities` from `starts[i]` to `starts[i + 1]` are the items that item i votes for.
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    item_neighbors_model(interactions<T> purchases, std::vector<std::int64_t> starts, std::vector<std::int32_t> ids, std::vector<T> similarities,
                         weighting weights)
        : base(std::move(purchases)), lists_{std::move(starts), std::move(ids), std::move(similarities)}, weights_(weights) {
        require(detail::known(weights_), errc::bad_data, "item_neighbors: no such weighting");
        detail::require_neighbor_lists(lists_, base::items().size(), "item_neighbors");
    }

    /// The items that one item votes for, by row; see `neighbor_side`.
    [[nodiscard]] std::span<const std::int32_t> neighbors_of(std::size_t item) const { return lists().ids_of(item); }
    [[nodiscard]] std::span<const T> similarities_of(std::size_t item) const { return lists().values_of(item); }

    /// What each bought item (by row) adds to the score of `item`: the reasons, largest first; they sum to the score.
    /// Throws `error` as a query does, and `unknown_id` for the item.
    [[nodiscard]] std::vector<recommendation<T>> explain(const query& asked, const any_id& item) const {
        workspace scratch;
        const workspace::frame frame(scratch);
        const auto who = base::resolve(asked, scratch);
        const auto wanted = static_cast<std::int32_t>(base::items().row_of(item));
        std::vector<recommendation<T>> out;
        for (std::size_t b = 0; b < who.items.size(); ++b) {
            const auto row = static_cast<std::size_t>(who.items[b]);
            for (std::size_t v = 0; v < lists().count(row); ++v)
                if (lists().ids_of(row)[v] == wanted)
                    out.push_back({who.items[b], static_cast<T>(detail::weigh(weights_, static_cast<double>(who.values[b])) *
                                                                static_cast<double>(lists().values_of(row)[v]))});
        }
        std::ranges::sort(out, detail::ranks_before{});
        return out;
    }

    static constexpr std::array field_names{"purchases", "starts", "neighbors", "similarities", "weights"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(base::purchases(), lists_.starts, lists_.ids, lists_.similarities, weights_); }

   private:
    using base = detail::recommender<item_neighbors_model, T>;
    friend base;
    [[nodiscard]] detail::sparse_rows<T> lists() const noexcept { return lists_.view(base::items().size()); }

    void score_known(std::size_t row, std::span<T> out, workspace& scratch) const {
        const auto mine = base::purchases()[row];
        score_history(mine.items, mine.values, out, scratch);
    }
    void score_history(std::span<const std::int32_t> bought, std::span<const T> values, std::span<T> out, workspace& scratch) const {
        const auto sums = scratch.take<double>(out.size());
        std::ranges::fill(sums, 0.0);
        for (std::size_t b = 0; b < bought.size(); ++b) {
            const auto row = static_cast<std::size_t>(bought[b]);
            const double weight = detail::weigh(weights_, static_cast<double>(values[b]));
            const auto ids = lists().ids_of(row);
            const auto similarities = lists().values_of(row);
            for (std::size_t v = 0; v < ids.size(); ++v) sums[static_cast<std::size_t>(ids[v])] += weight * static_cast<double>(similarities[v]);
        }
        std::ranges::transform(sums, out.begin(), [](double sum) { return static_cast<T>(sum); });
    }

    detail::neighbor_lists<T> lists_;
    weighting weights_;
};

/// Recipe for `item_neighbors_model`: cosine between the items' columns, `dot / (|a| |b| + shrinkage)`
/// (Sarwar, Karypis, Konstan & Riedl, WWW 2001).
template <class T>
struct item_neighbors {
    using stage_concept = recipe_tag;

    std::size_t k = 20;                             ///< at most so many neighbours are kept, ties to the lower item
    double shrinkage = 0;                           ///< distrusts similarities that rest on few customers
    weighting weights = weighting::ones;            ///< how values count, in the cosine and in the votes
    neighbor_side k_of = neighbor_side::bought;

    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value).
    [[nodiscard]] item_neighbors_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        detail::require_neighbor_parameters(k, shrinkage, weights, "item_neighbors");
        require(k_of <= neighbor_side::candidate, errc::bad_parameter, "item_neighbors: no such k_of");
        detail::require_purchases(x, "item_neighbors");
        const auto by_item = x.by_item();
        const auto norms = detail::norms_of(by_item.view(), weights, "item_neighbors");
        auto lists = detail::cosine<T>(by_item.view(), x.by_customer(), norms, weights, shrinkage).all(k, options);
        if (k_of == neighbor_side::candidate) {  // similarity is symmetric, so the lists only change hands
            auto turned = detail::transpose(lists.view(x.items().size()));
            lists = {std::move(turned.starts), std::move(turned.ids), std::move(turned.values)};
        }
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
                             std::size_t k, double shrinkage, weighting weights)
        : base(std::move(purchases)),
          lists_{std::move(starts), std::move(ids), std::move(similarities)},
          k_(k),
          shrinkage_(shrinkage),
          weights_(weights),
          by_item_(base::purchases().by_item()),
          norms_(detail::norms_of(base::purchases().by_customer(), weights, kind)) {
        require(k_ > 0 && std::isfinite(shrinkage_) && shrinkage_ >= 0 && detail::known(weights_), errc::bad_data,
                "customer_neighbors: k, shrinkage or weighting is out of range");
        detail::require_neighbor_lists(lists_, base::customers().size(), "customer_neighbors");
    }

    /// The neighbours of a customer, by row, most similar first.
    [[nodiscard]] std::span<const std::int32_t> neighbors_of(std::size_t customer) const { return lists().ids_of(customer); }
    [[nodiscard]] std::span<const T> similarities_of(std::size_t customer) const { return lists().values_of(customer); }

    static constexpr std::array field_names{"purchases", "starts", "neighbors", "similarities", "k", "shrinkage", "weights"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(base::purchases(), lists_.starts, lists_.ids, lists_.similarities, k_, shrinkage_, weights_); }

   private:
    using base = detail::recommender<customer_neighbors_model, T>;
    friend base;
    [[nodiscard]] detail::sparse_rows<T> lists() const noexcept { return lists_.view(base::customers().size()); }

    void score_known(std::size_t row, std::span<T> out, workspace& scratch) const {
        const auto sums = zeros(out.size(), scratch);
        for (std::size_t v = 0; v < lists().count(row); ++v) add_purchases(lists().ids_of(row)[v], static_cast<double>(lists().values_of(row)[v]), sums);
        std::ranges::transform(sums, out.begin(), [](double sum) { return static_cast<T>(sum); });
    }
    void score_history(std::span<const std::int32_t> bought, std::span<const T> values, std::span<T> out, workspace& scratch) const {
        const auto sums = zeros(out.size(), scratch);
        const auto dots = zeros(base::customers().size(), scratch);
        const detail::cosine<T> cosine(base::purchases().by_customer(), by_item_.view(), norms_, weights_, shrinkage_);
        for (const auto& [customer, similarity] :
             cosine.nearest(bought, values, detail::norm_of(values, weights_, kind), base::customers().size(), k_, dots, scratch))
            add_purchases(customer, static_cast<double>(static_cast<T>(similarity)), sums);
        std::ranges::transform(sums, out.begin(), [](double sum) { return static_cast<T>(sum); });
    }
    static std::span<double> zeros(std::size_t n, workspace& scratch) {
        const auto out = scratch.take<double>(n);
        std::ranges::fill(out, 0.0);
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
    detail::sparse_table<T> by_item_;  // worked out from the purchases, as the norms are
    std::vector<double> norms_;
};

/// Recipe for `customer_neighbors_model`: cosine between the customers' rows, `dot / (|a| |b| + shrinkage)`.
template <class T>
struct customer_neighbors {
    using stage_concept = recipe_tag;

    std::size_t k = 50;                   ///< at most so many neighbours count, ties to the lower row
    double shrinkage = 0;                 ///< distrusts similarities that rest on few items
    weighting weights = weighting::ones;  ///< how values count, in the cosine and in the score

    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value).
    [[nodiscard]] customer_neighbors_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        detail::require_neighbor_parameters(k, shrinkage, weights, "customer_neighbors");
        detail::require_purchases(x, "customer_neighbors");
        const auto by_item = x.by_item();
        const auto norms = detail::norms_of(x.by_customer(), weights, "customer_neighbors");
        auto lists = detail::cosine<T>(x.by_customer(), by_item.view(), norms, weights, shrinkage).all(k, options);
        return {x.without_times(), std::move(lists.starts), std::move(lists.ids), std::move(lists.similarities), k, shrinkage, weights};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
