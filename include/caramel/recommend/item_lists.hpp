#ifndef CARAMEL_RECOMMEND_ITEM_LISTS_HPP
#define CARAMEL_RECOMMEND_ITEM_LISTS_HPP

// What the recommenders between items have in common: a list of weighted items for each item, found by multiplying the
// table of purchases with itself one row at a time. Nothing is ever items x items.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/recommend/item_votes.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

template <class T>
struct neighbor_lists {
    std::vector<std::int64_t> starts;
    std::vector<std::int32_t> ids;
    std::vector<T> similarities;

    [[nodiscard]] sparse_rows<T> view(std::size_t columns) const noexcept { return {starts, ids, similarities, columns}; }
};

template <class T>
void require_neighbor_lists(const neighbor_lists<T>& lists, std::size_t n, std::string_view who, bool may_be_negative = false) {
    const auto& [starts, ids, similarities] = lists;
    require(starts.size() == n + 1 && starts.front() == 0 && starts.back() == static_cast<std::int64_t>(ids.size()) &&
                std::is_sorted(starts.begin(), starts.end()) && similarities.size() == ids.size() &&
                std::all_of(similarities.begin(), similarities.end(), [&](T s) { return std::isfinite(s) && (may_be_negative || s >= 0); }) &&
                std::all_of(ids.begin(), ids.end(), [&](std::int32_t id) { return id >= 0 && std::cmp_less(id, n); }),
            errc::bad_data, who, ": the neighbours do not belong to the purchases");
}

// The lists of the other side: who has me in its list.
template <class T>
neighbor_lists<T> turned(const neighbor_lists<T>& lists) {
    auto out = transpose(lists.view(lists.starts.size() - 1));
    return {std::move(out.starts), std::move(out.ids), std::move(out.values)};
}

// Lists one after another; the starts of each part are the ends of its lists.
template <class T>
neighbor_lists<T> joined(const std::vector<neighbor_lists<T>>& parts) {
    neighbor_lists<T> out{{0}, {}, {}};
    for (const auto& part : parts) {
        const auto before = static_cast<std::int64_t>(out.ids.size());
        for (const auto end : part.starts) out.starts.push_back(before + end);
        out.ids.insert(out.ids.end(), part.ids.begin(), part.ids.end());
        out.similarities.insert(out.similarities.end(), part.similarities.begin(), part.similarities.end());
    }
    return out;
}

/// What a bought item says for others stands in its list.
template <class Model, class T>
class item_voter : public item_votes<Model, T> {
   public:
    /// The items that one item votes for, by row, and how much each is worth.
    [[nodiscard]] std::span<const std::int32_t> neighbors_of(std::size_t item) const { return lists().ids_of(item); }
    [[nodiscard]] std::span<const T> similarities_of(std::size_t item) const { return lists().values_of(item); }

    /// The items that this one speaks for most, best first. Throws `error` (`unknown_id`).
    [[nodiscard]] std::vector<recommendation<T>> similar_items(const any_id& item, std::size_t n = 10) const {
        const std::size_t row = base::items().row_of(item);
        std::vector<recommendation<T>> out;
        for (std::size_t v = 0; v < lists().count(row); ++v)
            if (lists().values_of(row)[v] > 0) out.push_back({lists().ids_of(row)[v], lists().values_of(row)[v]});
        std::sort(out.begin(), out.end(), ranks_before{});
        out.resize(std::min(n, out.size()));
        return out;
    }

    static constexpr std::array field_names{"purchases", "starts", "neighbors", "similarities", "weights"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(base::purchases(), lists_.starts, lists_.ids, lists_.similarities, base::weights_); }

   protected:
    using base = item_votes<Model, T>;
    friend base;

    item_voter(interactions<T> purchases, neighbor_lists<T> lists, weighting weights, bool may_be_negative)
        : base(std::move(purchases), weights), lists_(std::move(lists)) {
        require_neighbor_lists(lists_, base::items().size(), Model::kind, may_be_negative);
    }

   private:
    [[nodiscard]] sparse_rows<T> lists() const noexcept { return lists_.view(base::items().size()); }
    void vote(std::size_t bought, double weight, std::span<double> sums) const noexcept {
        const auto ids = lists().ids_of(bought);
        const auto similarities = lists().values_of(bought);
        for (std::size_t v = 0; v < ids.size(); ++v) sums[static_cast<std::size_t>(ids[v])] += weight * static_cast<double>(similarities[v]);
    }
    [[nodiscard]] double vote_for(std::size_t bought, std::size_t item) const noexcept {
        const auto ids = lists().ids_of(bought);
        double out = 0;  // (a list from a file may name an item twice)
        for (std::size_t v = 0; v < ids.size(); ++v)
            if (std::cmp_equal(ids[v], item)) out += static_cast<double>(lists().values_of(bought)[v]);
        return out;
    }

    neighbor_lists<T> lists_;
};

// ---- products between rows of a sparse table --------------------------------------------------------------------------

// Entries of a sparse table with weights of their own, one an entry, or none where all are 1.
struct weighted_rows {
    std::span<const std::int64_t> starts;
    std::span<const std::int32_t> ids;
    std::span<const double> weights;

    [[nodiscard]] std::size_t size() const noexcept { return starts.size() - 1; }
    [[nodiscard]] std::size_t first(std::size_t row) const noexcept { return static_cast<std::size_t>(starts[row]); }
    [[nodiscard]] std::size_t count(std::size_t row) const noexcept { return static_cast<std::size_t>(starts[row + 1] - starts[row]); }
    [[nodiscard]] std::span<const std::int32_t> ids_of(std::size_t row) const noexcept { return ids.subspan(first(row), count(row)); }
    [[nodiscard]] std::span<const double> weights_of(std::size_t row) const noexcept {
        return weights.empty() ? weights : weights.subspan(first(row), count(row));
    }
    // The first numbers of a row that is wanted soon; the machine finds the others by itself.
    void prefetch(std::size_t row) const noexcept {
#if defined(__GNUC__)
        const std::size_t at = first(row), n = std::min<std::size_t>(count(row), 64);
        for (std::size_t k = 0; k < n; k += 16) __builtin_prefetch(ids.data() + at + k);
        if (!weights.empty())
            for (std::size_t k = 0; k < n; k += 8) __builtin_prefetch(weights.data() + at + k);
#else
        (void)row;
#endif
    }
};

// sums[j] += weight * the row's weight of j.
template <class Sum>
void add_row(std::span<const std::int32_t> ids, std::span<const double> weights, double weight, Sum* sums) noexcept {
    if constexpr (std::is_same_v<Sum, double>) {
        if (!weights.empty()) {
            for (std::size_t k = 0; k < ids.size(); ++k) sums[ids[k]] += weight * weights[k];
        } else {
            for (const auto id : ids) sums[id] += weight;
        }
    } else {
        for (const auto id : ids) ++sums[id];
    }
}

enum class row_measure : std::uint8_t {
    cosine,   // dot / (|a| |b| + shrinkage)
    jaccard,  // common / (either + shrinkage)
    scaled,   // dot * scale of the other
};

// Similarities between the rows of a table. `sizes`: the norms of the rows, their lengths, or their scales.
// A number of rows is needed in scratch memory, for one row at a time.
struct row_similarity {
    weighted_rows columns;  // the table's transpose: who else is there
    row_measure measure = row_measure::cosine;
    double shrinkage = 0;
    std::size_t min_support = 1;  // so many columns at least must be common
    std::span<const double> sizes;
    std::span<const double> reach;              // dot * reach[j] is at least similarity * own_reach(size)
    std::span<const float> counted_reach = {};  // the same, enough where dots are counts; may be left out

    [[nodiscard]] std::size_t size() const noexcept { return sizes.size(); }
    [[nodiscard]] double own_reach(double own) const noexcept {
        return measure == row_measure::cosine ? own : measure == row_measure::jaccard ? std::sqrt(own) : 1;
    }
    [[nodiscard]] static double reach_of(row_measure measure, double size) noexcept {
        return measure == row_measure::cosine ? 1 / size : measure == row_measure::jaccard ? 1 / std::sqrt(size) : size;
    }
    [[nodiscard]] double of(double dot, double own, double other) const noexcept {
        switch (measure) {
            case row_measure::cosine:
                return dot / (own * other + shrinkage);
            case row_measure::jaccard:
                return dot / (own + other - dot + shrinkage);
            case row_measure::scaled:
                return dot * other;
        }
        return 0;
    }

    // The k rows most similar to one with these entries, without row `self`, best first, ties to the lower row: in the
    // workspace. Only positive similarities count. `sums` and `common` (empty unless the support is asked for) hold a zero
    // for each row, before and after. With Sum = std::uint32_t all weights are 1.
    template <class Sum>
    std::span<recommendation<double>> nearest(std::span<const std::int32_t> ids, std::span<const double> weights, double own, std::size_t self, std::size_t k,
                                              std::span<Sum> sums, std::span<std::uint32_t> common, workspace& scratch) const {
        k = std::min(k, size());
        std::size_t products = 0;
        for (const auto id : ids) products += columns.count(static_cast<std::size_t>(id));
        const auto best = scratch.take<recommendation<double>>(std::min(k, products));
        std::size_t found = 0;
        double worst = 0;  // nothing at or below it need be looked at; rounding is allowed for
        const auto consider = [&](std::size_t j) {
            if (j == self) return;
            if (std::is_same_v<Sum, std::uint32_t> ? static_cast<double>(sums[j]) < static_cast<double>(min_support)
                                                   : !common.empty() && common[j] < min_support)
                return;
            const recommendation<double> candidate{static_cast<std::int32_t>(j), of(static_cast<double>(sums[j]), own, sizes[j])};
            if (!(candidate.score > 0)) return;
            if (found == best.size()) {
                if (found == 0 || !ranks_before{}(candidate, best[0])) return;
                std::pop_heap(best.begin(), best.end(), ranks_before{});  // the worst of the best stands in front
            } else {
                ++found;
            }
            best[found - 1] = candidate;
            std::push_heap(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(found), ranks_before{});
            if (found == best.size()) worst = best[0].score * own_reach(own) * (1 - 1e-9);
        };

        // Many products touch most rows: then all are looked at, many at once. Few are remembered.
        if (products * 8 >= size()) {
            for (std::size_t c = 0; c < ids.size(); ++c) {
                constexpr std::size_t ahead = 3;  // the rows lie all over memory
                if (c + ahead < ids.size()) columns.prefetch(static_cast<std::size_t>(ids[c + ahead]));
                const auto column = static_cast<std::size_t>(ids[c]);
                add_row(columns.ids_of(column), columns.weights_of(column), weights.empty() ? 1.0 : weights[c], sums.data());
                if (!common.empty()) add_row(columns.ids_of(column), {}, 1, common.data());
            }
            if (std::is_same_v<Sum, std::uint32_t> && !counted_reach.empty())
                scan<Sum, float>(
                    sums, counted_reach, [&] { return static_cast<float>(worst * (1 - 1e-6)); }, consider);
            else
                scan<Sum, double>(
                    sums, reach, [&] { return worst; }, consider);
            std::fill(sums.begin(), sums.end(), Sum(0));
            std::fill(common.begin(), common.end(), 0U);
        } else {
            const auto touched = scratch.take<std::int32_t>(products);
            std::size_t count = 0;
            for (std::size_t c = 0; c < ids.size(); ++c) {
                const auto column = static_cast<std::size_t>(ids[c]);
                const auto others = columns.ids_of(column);
                for (std::size_t o = 0; o < others.size(); ++o) {
                    const double product = (weights.empty() ? 1.0 : weights[c]) * (columns.weights.empty() ? 1.0 : columns.weights_of(column)[o]);
                    Sum& sum = sums[static_cast<std::size_t>(others[o])];
                    if (sum == 0 && product > 0) touched[count++] = others[o];
                    sum += static_cast<Sum>(product);
                    if (!common.empty()) ++common[static_cast<std::size_t>(others[o])];
                }
            }
            for (const auto row : touched.first(count)) consider(static_cast<std::size_t>(row));
            for (const auto id : ids)
                for (const auto row : columns.ids_of(static_cast<std::size_t>(id))) {
                    sums[static_cast<std::size_t>(row)] = 0;
                    if (!common.empty()) common[static_cast<std::size_t>(row)] = 0;
                }
        }
        std::sort_heap(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(found), ranks_before{});
        return best.first(found);
    }

    // Considers all rows that may rank; whole runs of others are passed over in a few instructions.
    template <class Sum, class Real, class Worst, class Consider>
    static void scan(std::span<const Sum> sums, std::span<const Real> reach, const Worst& worst, const Consider& consider) {
        constexpr std::size_t run = 32;
        const auto may_rank = [&](std::size_t j, Real bound) {
            return static_cast<Real>(static_cast<std::conditional_t<std::is_same_v<Sum, double>, double, std::int32_t>>(sums[j])) * reach[j] > bound;
        };
        std::size_t j = 0;
        for (; j + run <= sums.size(); j += run) {
            const Real bound = worst();
            unsigned above = 0;
            for (std::size_t r = 0; r < run; ++r) above |= static_cast<unsigned>(may_rank(j + r, bound));
            if (above == 0) continue;
            for (std::size_t r = 0; r < run; ++r)
                if (may_rank(j + r, worst())) consider(j + r);
        }
        for (; j < sums.size(); ++j)
            if (may_rank(j, worst())) consider(j);
    }

    // The lists of all rows.
    template <class T, class Sum>
    neighbor_lists<T> all(const weighted_rows& rows, std::size_t k, const run_options& how) const {
        constexpr std::size_t block = 64;
        std::vector<neighbor_lists<T>> parts((rows.size() + block - 1) / block);
        parallel_blocks(rows.size(), block, how, [&](std::size_t begin, std::size_t end, std::size_t b) {
            std::vector<Sum> sums(rows.size());
            std::vector<std::uint32_t> common(min_support > 1 && !std::is_same_v<Sum, std::uint32_t> ? rows.size() : 0);
            workspace scratch;
            auto& part = parts[b];
            for (std::size_t row = begin; row < end; ++row) {
                const workspace::frame frame(scratch);
                for (const auto& [id, similarity] : nearest<Sum>(rows.ids_of(row), rows.weights_of(row), sizes[row], row, k, sums, common, scratch)) {
                    require(similarity <= static_cast<double>(std::numeric_limits<T>::max()), errc::number_out_of_range,
                            "neighbors: a similarity is beyond the number type");
                    part.ids.push_back(id);
                    part.similarities.push_back(static_cast<T>(similarity));
                }
                part.starts.push_back(static_cast<std::int64_t>(part.ids.size()));
            }
        });
        return joined(parts);
    }
};

template <class = void>
inline std::vector<double> reaches(row_measure measure, std::span<const double> sizes) {
    std::vector<double> out;
    out.reserve(sizes.size());
    for (const double size : sizes) out.push_back(row_similarity::reach_of(measure, size));
    return out;
}

template <class = void>
inline std::vector<float> narrowed(std::span<const double> reach) {
    std::vector<float> out;
    out.reserve(reach.size());
    for (const double r : reach) out.push_back(static_cast<float>(r));
    return out;
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
