#ifndef CARAMEL_RECOMMEND_RECOMMEND_ALL_HPP
#define CARAMEL_RECOMMEND_RECOMMEND_ALL_HPP

// Recommendations for every customer at once, and as a table to be written to a file.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/table.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The best items for every customer that the model was trained with: row i is for row i of `model.customers()`, with the
/// bits of a single query. `like` says how many and which, and holds neither customer nor history. Customers are answered
/// some hundred at a time, on `how.threads` threads; beside the answer there is memory for a few of these.
/// Throws `error`: `bad_parameter` (`like` names a customer); what a query throws, with the customer's row (from 1).
template <class Model>
[[nodiscard]] auto recommend_all(const Model& model, const query& like = {}, const run_options& how = {}) {
    using lists = std::remove_cvref_t<decltype(model(std::span<const query>()))>;
    require(!like.customer && !like.history, errc::bad_parameter, "recommend_all: the query names a customer or a history, must name none");
    const auto rows_of = [&](const std::vector<any_id>& ids) {  // looked up once, not once a customer
        std::vector<any_id> out;
        for (const any_id& id : ids)
            if (const auto row = model.items().find(id)) out.emplace_back(row_number{*row});
        return out;
    };
    query asked = like;
    asked.deny = rows_of(like.deny);
    if (like.allow) asked.allow = rows_of(*like.allow);

    constexpr std::size_t together = 256, at_once = 64;  // blocks between two joins, so that few of them wait to be appended
    const std::size_t customers = model.customers().size();
    lists out;
    out.reserve(customers, customers * std::min(asked.n, model.items().size()));
    std::vector<lists> parts(at_once);
    for (std::size_t first = 0; first < customers; first += together * at_once) {
        const std::size_t n = std::min(customers - first, together * at_once);
        parallel_blocks(n, together, how, [&](std::size_t begin, std::size_t end, std::size_t b) {
            std::vector<query> batch(end - begin, asked);
            for (std::size_t i = begin; i < end; ++i) batch[i - begin].customer = row_number{first + i};
            try {
                parts[b] = model(batch);
            } catch (const error& e) {
                fail(e.code(), {.row = first + begin + e.where().row}, "recommend_all: ", e.what(), ", customers from ", first + begin + 1, " on");
            }
        });
        for (std::size_t b = 0; b * together < n; ++b) {
            out.append(parts[b]);
            parts[b] = {};
        }
    }
    return out;
}

/// One row a recommendation: columns `customer` and `item` (texts or integers, as the ids are), `rank` from 1, and `score`.
/// Row i of `lists` is for row i of `model.customers()`, as `recommend_all` gives them. `write_csv` writes it to a file.
/// Throws `error`: `shape_mismatch`; `unknown_id` (an item that the model does not know); `limit_exceeded` (more rows than a
/// table may have: take some customers at a time).
template <class Model, class T>
[[nodiscard]] table recommendation_table(const Model& model, const ragged<recommendation<T>>& lists) {
    constexpr const char* who = "recommendation_table";
    require(lists.size() == model.customers().size(), errc::shape_mismatch, who, ": ", lists.size(), " lists but ", model.customers().size(), " customers");
    const std::size_t n = lists.values().size();
    require(n <= max_table_rows, errc::limit_exceeded, who, ": ", n, " recommendations, a table may have ", max_table_rows, " rows");
    std::vector<std::int32_t> customers, items;
    std::vector<std::int64_t> ranks;
    std::vector<double> scores;
    customers.reserve(n);
    items.reserve(n);
    ranks.reserve(n);
    scores.reserve(n);
    for (std::size_t row = 0; row < lists.size(); ++row)
        for (std::size_t k = 0; k < lists[row].size(); ++k) {
            const auto& pick = lists[row][k];
            require_at(pick.item >= 0 && std::cmp_less(pick.item, model.items().size()), errc::unknown_id, {.row = row + 1}, who, ": list ", row + 1,
                       " has an item that the model does not know");
            customers.push_back(static_cast<std::int32_t>(row));
            items.push_back(pick.item);
            ranks.push_back(static_cast<std::int64_t>(k + 1));
            scores.push_back(static_cast<double>(pick.score));
        }
    table out;
    const auto add_ids = [&](const char* name, const id_table& ids, std::vector<std::int32_t> rows) {
        if (ids.is_text()) {
            std::vector<std::string> levels;
            for (std::size_t row = 0; row < ids.size(); ++row) levels.emplace_back(ids.text(row));
            out.add_column(name, table_column(std::move(rows), std::move(levels)));
        } else {
            std::vector<std::int64_t> numbers;
            for (const auto row : rows) numbers.push_back(ids.number(static_cast<std::size_t>(row)));
            out.add_column(name, std::move(numbers));
        }
    };
    add_ids("customer", model.customers(), std::move(customers));
    add_ids("item", model.items(), std::move(items));
    out.add_column("rank", std::move(ranks));
    out.add_column("score", std::move(scores));
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
