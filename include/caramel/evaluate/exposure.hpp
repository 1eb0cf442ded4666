#ifndef CARAMEL_EVALUATE_EXPOSURE_HPP
#define CARAMEL_EVALUATE_EXPOSURE_HPP

// What ranked lists show, whether it was wanted or not: how much of the catalogue, how evenly, and how well known it is.
// Lists are as in evaluate/ranking.hpp, of items that are numbered from 0.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/evaluate/ranking.hpp>

namespace caramel::inline CARAMEL_ABI {

/// In how many lists each of `items` items is among the first k.
/// Throws `error`: `bad_parameter` (k = 0, no items); `empty_input` (no lists); `bad_data` with the number of a list that has an
/// item outside the catalogue.
template <RankedLists Lists>
[[nodiscard]] std::vector<std::size_t> exposure_at(std::size_t k, const Lists& lists, std::size_t items) {
    constexpr std::string_view who = "exposure_at";
    require(k > 0, errc::bad_parameter, who, ": k is 0, must be at least 1");
    require(items > 0, errc::bad_parameter, who, ": a catalogue of 0 items");
    require(lists.size() > 0, errc::empty_input, who, ": no lists");
    std::vector<std::size_t> out(items);
    for (std::size_t i = 0; i < lists.size(); ++i) {
        std::size_t rank = 0;
        for (const auto& entry : lists[i]) {
            if (++rank > k) break;
            const auto item = detail::item_of(entry);
            require_at(item >= 0 && std::cmp_less(item, items), errc::bad_data, {.row = i + 1}, who, ": list ", i + 1, " has an item that is not one of the ",
                       items);
            ++out[static_cast<std::size_t>(item)];
        }
    }
    return out;
}

/// The share of the catalogue that is among the first k of any list. Throws `error` as `exposure_at` does.
template <RankedLists Lists>
[[nodiscard]] double coverage_at(std::size_t k, const Lists& lists, std::size_t items) {
    const auto shown = exposure_at(k, lists, items);
    return static_cast<double>(items - static_cast<std::size_t>(std::count(shown.begin(), shown.end(), std::size_t{0}))) / static_cast<double>(items);
}

/// Gini's coefficient of how often each item is among the first k: 0 where all are shown equally often, 1 - 1/items where it is
/// always the same. (sum over i of (2 i - n - 1) x_i) / (n sum of x), x ascending, i from 1. 0 where nothing is shown.
/// Throws `error` as `exposure_at` does.
template <RankedLists Lists>
[[nodiscard]] double exposure_gini_at(std::size_t k, const Lists& lists, std::size_t items) {
    auto shown = exposure_at(k, lists, items);
    std::sort(shown.begin(), shown.end());
    double weighted = 0, sum = 0;
    const double n = static_cast<double>(items);
    for (std::size_t i = 0; i < items; ++i) {
        weighted += (2 * static_cast<double>(i + 1) - n - 1) * static_cast<double>(shown[i]);
        sum += static_cast<double>(shown[i]);
    }
    return sum > 0 ? weighted / (n * sum) : 0;
}

/// For each list the mean self-information of its first k items, in bits: -log2 of the share of customers who have the item
/// (Vargas & Castells, RecSys 2011). `customers_of[item]` counts them in the training data, of `customers` in all. An item
/// that nobody has counts as if one had; an empty list has 0.
/// Throws `error`: `bad_parameter` (k = 0, no customers); `empty_input`; `bad_data` with the number of a list that has an item
/// outside `customers_of`, or one with more than all customers.
template <RankedLists Lists, std::ranges::contiguous_range Counts>
[[nodiscard]] per_list novelty_at(std::size_t k, const Lists& lists, const Counts& customers_of, std::size_t customers) {
    constexpr std::string_view who = "novelty_at";
    require(k > 0, errc::bad_parameter, who, ": k is 0, must be at least 1");
    require(customers > 0, errc::bad_parameter, who, ": 0 customers");
    require(lists.size() > 0, errc::empty_input, who, ": no lists");
    const std::span counts(customers_of);
    per_list out;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        double sum = 0;
        std::size_t rank = 0;
        for (const auto& entry : lists[i]) {
            if (rank == k) break;
            const auto item = detail::item_of(entry);
            require_at(item >= 0 && std::cmp_less(item, counts.size()), errc::bad_data, {.row = i + 1}, who, ": list ", i + 1,
                       " has an item that is not one of the ", counts.size());
            const double share = std::max(1.0, static_cast<double>(counts[static_cast<std::size_t>(item)])) / static_cast<double>(customers);
            require_at(share <= 1, errc::bad_data, {.row = i + 1}, who, ": list ", i + 1, " has an item with more than the ", customers, " customers");
            sum -= std::log2(share);
            ++rank;
        }
        out.values.push_back(rank == 0 ? 0 : sum / static_cast<double>(rank));
    }
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
