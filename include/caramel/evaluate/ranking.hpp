#ifndef CARAMEL_EVALUATE_RANKING_HPP
#define CARAMEL_EVALUATE_RANKING_HPP

// How good ranked lists are against the items that turned out to be relevant. Definitions differ between libraries:
// each function states its own. All are binary, and all keep the value of every list beside the mean.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One value a list, and their mean.
struct per_list {
    std::vector<double> values;
    [[nodiscard]] double mean() const noexcept {
        double sum = 0;
        for (const double value : values) sum += value;
        return values.empty() ? 0 : sum / static_cast<double>(values.size());
    }
};

namespace detail {

// The item of an entry of a ranked list: a number, or a struct with `item`.
template <class Entry>
std::int64_t item_of(const Entry& entry) {
    if constexpr (requires { entry.item; }) return static_cast<std::int64_t>(entry.item);
    else return static_cast<std::int64_t>(entry);
}

// The hits of one list: their ranks from 1, ascending, up to the cut.
struct hits {
    std::vector<std::size_t> ranks;
    std::size_t relevant = 0;
};
template <class Ranked, class Relevant>
hits hits_of(const Ranked& ranked, const Relevant& relevant, std::size_t k, std::size_t number, std::string_view who) {
    std::vector<std::int64_t> wanted;
    for (const auto& item : relevant) wanted.push_back(item_of(item));
    std::sort(wanted.begin(), wanted.end());
    require_at(!wanted.empty(), errc::bad_data, {.row = number}, who, ": list ", number, " has no relevant item, so nothing is defined; leave it out");
    require_at(std::adjacent_find(wanted.begin(), wanted.end()) == wanted.end(), errc::bad_data, {.row = number}, who, ": list ", number,
               " has a relevant item twice");
    std::vector<bool> found(wanted.size());
    hits out{.ranks = {}, .relevant = wanted.size()};
    std::size_t rank = 0;
    for (const auto& entry : ranked) {
        if (++rank > k) break;
        const auto at = std::lower_bound(wanted.begin(), wanted.end(), item_of(entry));
        if (at == wanted.end() || *at != item_of(entry)) continue;
        const auto which = static_cast<std::size_t>(at - wanted.begin());
        require_at(!found[which], errc::bad_data, {.row = number}, who, ": list ", number, " recommends an item twice");
        found[which] = true;
        out.ranks.push_back(rank);
    }
    return out;
}

// `lists[i]` is judged against `relevant[i]`.
template <class Lists, class Relevant, class Measure>
per_list judge(std::size_t k, const Lists& lists, const Relevant& relevant, std::string_view who, const Measure& measure) {
    require(k > 0, errc::bad_parameter, who, ": k is 0, must be at least 1");
    require(lists.size() == relevant.size(), errc::shape_mismatch, who, ": ", lists.size(), " lists but ", relevant.size(), " sets of relevant items");
    require(lists.size() > 0, errc::empty_input, who, ": no lists");
    per_list out;
    out.values.reserve(lists.size());
    for (std::size_t i = 0; i < lists.size(); ++i) out.values.push_back(measure(hits_of(lists[i], relevant[i], k, i + 1, who)));
    return out;
}

inline double discount(std::size_t rank) { return 1 / std::log2(static_cast<double>(rank) + 1); }

}  // namespace detail

/// What is judged: `lists[i]`, best first, of item numbers or of structs with `item` (such as recommendations), against
/// the item numbers `relevant[i]` in any order. Both have `size()` and `[i]`: `ragged`, or vectors of vectors.
template <class Lists>
concept RankedLists = requires(const Lists& lists) {
    { lists.size() } -> std::convertible_to<std::size_t>;
    lists[0].begin();
};

// All throw `error`: `bad_parameter` (k = 0), `shape_mismatch`, `empty_input`, and `bad_data` with the number of a list
// that has no relevant item or names an item twice.

/// hits among the first k / number of relevant items.
template <RankedLists Lists, RankedLists Relevant>
[[nodiscard]] per_list recall_at(std::size_t k, const Lists& lists, const Relevant& relevant) {
    return detail::judge(k, lists, relevant, "recall_at",
                         [](const detail::hits& h) { return static_cast<double>(h.ranks.size()) / static_cast<double>(h.relevant); });
}
/// hits among the first k / min(k, number of relevant items): 1 can always be reached (Liang et al., WWW 2018, whose
/// variational autoencoders are judged so).
template <RankedLists Lists, RankedLists Relevant>
[[nodiscard]] per_list capped_recall_at(std::size_t k, const Lists& lists, const Relevant& relevant) {
    return detail::judge(k, lists, relevant, "capped_recall_at",
                         [k](const detail::hits& h) { return static_cast<double>(h.ranks.size()) / static_cast<double>(std::min(k, h.relevant)); });
}
/// hits among the first k / k, even where the list is shorter.
template <RankedLists Lists, RankedLists Relevant>
[[nodiscard]] per_list precision_at(std::size_t k, const Lists& lists, const Relevant& relevant) {
    return detail::judge(k, lists, relevant, "precision_at",
                         [k](const detail::hits& h) { return static_cast<double>(h.ranks.size()) / static_cast<double>(k); });
}
/// 1 where any of the first k is relevant, else 0.
template <RankedLists Lists, RankedLists Relevant>
[[nodiscard]] per_list hit_rate_at(std::size_t k, const Lists& lists, const Relevant& relevant) {
    return detail::judge(k, lists, relevant, "hit_rate_at", [](const detail::hits& h) { return h.ranks.empty() ? 0.0 : 1.0; });
}
/// sum over hits of 1 / log2(rank + 1), divided by its largest possible value, where the first min(k, number of relevant
/// items) are all hits (Järvelin & Kekäläinen, ACM TOIS 20(4), 2002, binary).
template <RankedLists Lists, RankedLists Relevant>
[[nodiscard]] per_list ndcg_at(std::size_t k, const Lists& lists, const Relevant& relevant) {
    return detail::judge(k, lists, relevant, "ndcg_at", [k](const detail::hits& h) {
        double gain = 0, best = 0;
        for (const std::size_t rank : h.ranks) gain += detail::discount(rank);
        for (std::size_t rank = 1; rank <= std::min(k, h.relevant); ++rank) best += detail::discount(rank);
        return gain / best;
    });
}
/// 1 / rank of the first hit among the first k; 0 without one. The mean over lists is the MRR.
template <RankedLists Lists, RankedLists Relevant>
[[nodiscard]] per_list reciprocal_rank_at(std::size_t k, const Lists& lists, const Relevant& relevant) {
    return detail::judge(k, lists, relevant, "reciprocal_rank_at",
                         [](const detail::hits& h) { return h.ranks.empty() ? 0.0 : 1 / static_cast<double>(h.ranks.front()); });
}
/// sum over hits of the precision at their rank / min(k, number of relevant items). The mean over lists is the MAP.
template <RankedLists Lists, RankedLists Relevant>
[[nodiscard]] per_list average_precision_at(std::size_t k, const Lists& lists, const Relevant& relevant) {
    return detail::judge(k, lists, relevant, "average_precision_at", [k](const detail::hits& h) {
        double sum = 0;
        for (std::size_t i = 0; i < h.ranks.size(); ++i) sum += static_cast<double>(i + 1) / static_cast<double>(h.ranks[i]);
        return sum / static_cast<double>(std::min(k, h.relevant));
    });
}

/// The share of pairs of a relevant and another item that the list has in the right order: the area under the ROC curve of a
/// complete ranking, such as a query for all items gives. A relevant item that is not listed stands behind all that are.
/// Of a list of relevant items alone nothing is defined: 1. Without k; throws `error` as the others do.
template <RankedLists Lists, RankedLists Relevant>
[[nodiscard]] per_list full_ranking_auc(const Lists& lists, const Relevant& relevant) {
    std::vector<std::size_t> lengths;
    for (std::size_t i = 0; i < lists.size(); ++i)
        lengths.push_back(static_cast<std::size_t>(std::ranges::distance(lists[i])));
    std::size_t next = 0;
    return detail::judge(std::numeric_limits<std::size_t>::max(), lists, relevant, "full_ranking_auc", [&](const detail::hits& h) {
        const std::size_t others = lengths[next++] - h.ranks.size();
        if (others == 0) return 1.0;
        double right = 0;  // of each listed relevant item, the others behind it
        for (std::size_t i = 0; i < h.ranks.size(); ++i) right += static_cast<double>(others - (h.ranks[i] - 1 - i));
        return right / (static_cast<double>(others) * static_cast<double>(h.relevant));
    });
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
