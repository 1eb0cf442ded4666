#ifndef CARAMEL_RECOMMEND_JOINED_HPP
#define CARAMEL_RECOMMEND_JOINED_HPP

// Two sets of interactions made one: what a model was trained on, and what came later.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/data/interactions.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// The ids of both tables, and where each table's rows are in it.
struct joined_ids {
    id_table table;
    std::vector<std::int32_t> first, second;
};
template <class Id, class Get>
std::vector<Id> join_sorted(std::size_t n_first, std::size_t n_second, const Get& get, joined_ids& out) {
    std::vector<Id> ids;
    for (std::size_t i = 0, j = 0; i < n_first || j < n_second;) {
        const bool from_first = i < n_first && (j == n_second || !(get(true, j) < get(false, i)));
        const bool from_second = j < n_second && (i == n_first || !(get(false, i) < get(true, j)));
        const auto row = static_cast<std::int32_t>(ids.size());
        ids.emplace_back(from_first ? get(false, i) : get(true, j));
        if (from_first) {
            out.first.push_back(row);
            ++i;
        }
        if (from_second) {
            out.second.push_back(row);
            ++j;
        }
    }
    return ids;
}
template <class = void>
inline joined_ids join_ids(const id_table& first, const id_table& second, std::string_view who, std::string_view what) {
    require(first.size() == 0 || second.size() == 0 || first.is_text() == second.is_text(), errc::bad_data, who, ": the ids of the ", what, "s are ",
            first.is_text() ? "texts in the model, integers" : "integers in the model, texts", " in what is to be added");
    joined_ids out;
    out.first.reserve(first.size());
    out.second.reserve(second.size());
    if (first.is_text() || second.is_text())
        out.table = id_table(
            join_sorted<std::string>(first.size(), second.size(), [&](bool other, std::size_t i) { return (other ? second : first).text(i); }, out), {});
    else
        out.table = id_table(
            {}, join_sorted<std::int64_t>(first.size(), second.size(), [&](bool other, std::size_t i) { return (other ? second : first).number(i); }, out));
    return out;
}

template <class T>
struct joined_interactions {
    interactions<T> pairs;  // without times
    std::vector<std::int32_t> old_customers, old_items;  // where the rows of the first are
    std::vector<std::int32_t> new_customers;             // and the customers of the second
};
// All pairs of both; where a customer is in both, those of `more` alone (`replace`), or those of both, which must differ.
template <class T>
joined_interactions<T> join_interactions(const interactions<T>& known, const interactions<T>& more, bool replace, std::string_view who) {
    auto customers = join_ids(known.customers(), more.customers(), who, "customer");
    auto items = join_ids(known.items(), more.items(), who, "item");
    constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::vector<std::size_t> in_known(customers.table.size(), none), in_more(in_known);
    for (std::size_t i = 0; i < customers.first.size(); ++i) in_known[static_cast<std::size_t>(customers.first[i])] = i;
    for (std::size_t i = 0; i < customers.second.size(); ++i) in_more[static_cast<std::size_t>(customers.second[i])] = i;
    std::vector<std::int64_t> starts{0};
    std::vector<std::int32_t> bought;
    std::vector<T> values;
    const std::size_t most = known.pairs() + more.pairs();
    starts.reserve(in_known.size() + 1);
    bought.reserve(most);
    values.reserve(most);
    std::vector<std::pair<std::int32_t, T>> mine;
    for (std::size_t row = 0; row < in_known.size(); ++row) {
        mine.clear();
        const auto take = [&](const interactions<T>& from, std::size_t at, const std::vector<std::int32_t>& places) {
            const auto bought_there = from[at];
            for (std::size_t k = 0; k < bought_there.size(); ++k)
                mine.emplace_back(places[static_cast<std::size_t>(bought_there.items[k])], bought_there.values[k]);
        };
        if (in_known[row] != none && !(replace && in_more[row] != none)) take(known, in_known[row], items.first);
        if (in_more[row] != none) take(more, in_more[row], items.second);
        std::ranges::sort(mine, {}, &std::pair<std::int32_t, T>::first);
        for (const auto& [item, value] : mine) {
            bought.push_back(item);
            values.push_back(value);
        }
        starts.push_back(static_cast<std::int64_t>(bought.size()));
    }
    return {interactions<T>(std::move(customers.table), std::move(items.table), std::move(starts), std::move(bought), std::move(values), {}),
            std::move(customers.first), std::move(items.first), std::move(customers.second)};
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
