#ifndef CARAMEL_DATA_INTERACTION_SPLITS_HPP
#define CARAMEL_DATA_INTERACTION_SPLITS_HPP

// Which purchases to learn from and which to be tested on, and which customers and items there is enough to know of.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/data/interactions.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Two parts of the same interactions, without a pair in common. Both number customers and items as the whole, so some
/// rows may be empty on one side.
template <class T>
struct interaction_split {
    interactions<T> train, test;
};

/// How many pairs a customer and an item need to stay.
struct pair_limits {
    std::size_t items_per_customer = 5;
    std::size_t customers_per_item = 5;
    bool repeat = true;  ///< until all that is left has as many; otherwise items once, then customers once (Liang et al., WWW 2018)
};

/// Customers whose purchases a model does not see in training, for judging how it does with new customers ("strong
/// generalization": Marlin 2004; Liang et al., WWW 2018). Of each, some purchases are given with the query and the others
/// are wanted. Items are numbered alike in all three; customers alike in `given` and `wanted`.
template <class T>
struct held_out_customers {
    interactions<T> train;   ///< the other customers
    interactions<T> given;   ///< at least one pair of each that is held out
    interactions<T> wanted;  ///< and at least one
};
/// How many customers `hold_out_customers` draws, and how much of each is given.
struct held_out_options {
    double customers = 0.1;  ///< the share of customers that is held out: of those that have two pairs, rounded
    double given = 0.8;      ///< the share of their pairs that is given, rounded, but at least one on each side
    bool latest = false;     ///< the wanted ones are the latest (by time, then item), instead of drawn at random
};

namespace detail {

// Pairs of the customers and items that are kept, which are numbered anew; a table is kept whole where `all_...`.
template <class T>
interactions<T> part_of(const interactions<T>& x, const std::vector<bool>& customers, const std::vector<bool>& items, bool all_items) {
    const auto chosen = [](const id_table& table, const std::vector<bool>& keep, std::vector<std::int32_t>& rows) {
        std::vector<std::string> texts;
        std::vector<std::int64_t> numbers;
        rows.assign(keep.size(), -1);
        std::int32_t next = 0;
        for (std::size_t row = 0; row < keep.size(); ++row) {
            if (!keep[row]) continue;
            rows[row] = next++;
            if (table.is_text()) texts.emplace_back(table.text(row));
            else numbers.push_back(table.number(row));
        }
        return id_table(std::move(texts), std::move(numbers));
    };
    std::vector<std::int32_t> customer_rows, item_rows;
    auto kept_customers = chosen(x.customers(), customers, customer_rows);
    auto kept_items = all_items ? x.items() : chosen(x.items(), items, item_rows);
    if (all_items) {
        item_rows.resize(x.items().size());
        std::iota(item_rows.begin(), item_rows.end(), 0);
    }
    std::vector<std::int64_t> starts{0}, seconds;
    std::vector<std::int32_t> bought;
    std::vector<T> values;
    for (std::size_t row = 0; row < x.rows(); ++row) {
        if (!customers[row]) continue;
        const auto mine = x[row];
        for (std::size_t k = 0; k < mine.size(); ++k) {
            const auto item = item_rows[static_cast<std::size_t>(mine.items[k])];
            if (item < 0) continue;
            bought.push_back(item);
            values.push_back(mine.values[k]);
            if (x.has_times()) seconds.push_back(mine.seconds[k]);
        }
        starts.push_back(static_cast<std::int64_t>(bought.size()));
    }
    return {std::move(kept_customers), std::move(kept_items), std::move(starts), std::move(bought), std::move(values), std::move(seconds)};
}

// The places of one customer's pairs by time, equal times by item: the latest last.
template <class T>
std::vector<std::size_t> by_time(const typename interactions<T>::purchases& mine) {
    std::vector<std::size_t> order(mine.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t k) { return mine.seconds[k]; });
    return order;
}

// Both sides of a split from one mark a pair, in the order of customers.
template <class T>
interaction_split<T> split_by(const interactions<T>& x, const std::vector<bool>& tested) {
    const auto side = [&](bool test) {
        std::size_t at = 0;
        return x.pairs_where([&](std::size_t, std::size_t) { return tested[at++] == test; });
    };
    return {side(false), side(true)};
}
template <class T>
void require_times(const interactions<T>& x, std::string_view who) {
    require(!x.empty(), errc::empty_input, who, ": no interactions");
    require(x.has_times(), errc::bad_data, who, ": the interactions have no times");
}

}  // namespace detail

/// Leaves out customers and items with too few pairs. With `repeat` the result is the one largest part in which all have
/// enough (a k-core), found in a time that grows with the pairs. Ids that have no pair left are no longer in the tables;
/// where nothing is left the result is empty.
template <class T>
[[nodiscard]] interactions<T> frequent(const interactions<T>& x, const pair_limits& limits = {}) {
    const auto turned = x.by_item();
    const auto by_customer = x.by_customer(), by_item = turned.view();
    const std::size_t least_items = std::max<std::size_t>(1, limits.items_per_customer), least_customers = std::max<std::size_t>(1, limits.customers_per_item);
    std::vector<std::size_t> of_customer(x.rows()), of_item(x.items().size());
    for (std::size_t row = 0; row < of_customer.size(); ++row) of_customer[row] = by_customer.count(row);
    for (std::size_t item = 0; item < of_item.size(); ++item) of_item[item] = by_item.count(item);
    std::vector<bool> customers(of_customer.size(), true), items(of_item.size(), true);
    std::vector<std::size_t> gone_customers, gone_items;  // whose partners do not know yet
    const auto drop = [](std::vector<bool>& kept, std::vector<std::size_t>& gone, std::size_t row) {
        kept[row] = false;
        gone.push_back(row);
    };
    for (std::size_t item = 0; item < items.size(); ++item)
        if (of_item[item] < least_customers) drop(items, gone_items, item);
    if (limits.repeat)
        for (std::size_t row = 0; row < customers.size(); ++row)
            if (of_customer[row] < least_items) drop(customers, gone_customers, row);
    while (!gone_items.empty() || !gone_customers.empty()) {
        if (!gone_items.empty()) {
            const std::size_t item = gone_items.back();
            gone_items.pop_back();
            for (const auto id : by_item.ids_of(item)) {
                const auto row = static_cast<std::size_t>(id);
                if (customers[row] && --of_customer[row] < least_items && limits.repeat) drop(customers, gone_customers, row);
            }
        } else {
            const std::size_t row = gone_customers.back();
            gone_customers.pop_back();
            for (const auto id : by_customer.ids_of(row)) {
                const auto item = static_cast<std::size_t>(id);
                if (items[item] && --of_item[item] < least_customers) drop(items, gone_items, item);
            }
        }
    }
    if (!limits.repeat) {
        for (std::size_t row = 0; row < customers.size(); ++row) customers[row] = of_customer[row] >= least_items;
        std::vector<bool> bought(items.size());
        for (std::size_t row = 0; row < customers.size(); ++row)
            for (const auto item : by_customer.ids_of(row)) bought[static_cast<std::size_t>(item)] = bought[static_cast<std::size_t>(item)] || customers[row];
        for (std::size_t item = 0; item < items.size(); ++item) items[item] = items[item] && bought[item];
    }
    return detail::part_of(x, customers, items, false);
}

/// Tests the last n pairs of each customer, by time, equal times by ascending item. Who has no more than n pairs is learnt
/// from alone.
/// Throws `error`: `empty_input`; `bad_data` (no times); `bad_parameter` (n = 0).
template <class T>
[[nodiscard]] interaction_split<T> leave_last_out(const interactions<T>& x, std::size_t n = 1) {
    detail::require_times(x, "leave_last_out");
    require(n > 0, errc::bad_parameter, "leave_last_out: n is 0, must be at least 1");
    std::vector<bool> tested(x.pairs());
    for (std::size_t row = 0, first = 0; row < x.rows(); first += x[row].size(), ++row) {
        const auto order = detail::by_time<T>(x[row]);
        for (std::size_t i = order.size() > n ? order.size() - n : order.size(); i < order.size(); ++i) tested[first + order[i]] = true;
    }
    return detail::split_by(x, tested);
}

/// Learns from pairs before an instant and tests those from it on. A pair has one time, that of its latest purchase: where
/// customers buy the same again, split the log first and then make interactions of both parts, numbered alike.
/// Throws `error`: `empty_input`; `bad_data` (no times); `too_few_rows` (nothing on one side).
template <class T>
[[nodiscard]] interaction_split<T> split_at(const interactions<T>& x, std::chrono::sys_seconds instant) {
    detail::require_times(x, "split_at");
    std::vector<bool> tested;
    tested.reserve(x.pairs());
    for (std::size_t row = 0; row < x.rows(); ++row)
        for (const auto second : x[row].seconds) tested.push_back(second >= instant.time_since_epoch().count());
    const auto later = static_cast<std::size_t>(std::count(tested.begin(), tested.end(), true));
    require(later > 0 && later < tested.size(), errc::too_few_rows, "split_at: ", tested.size() - later, " pairs before the instant, ", later, " from it on");
    return detail::split_by(x, tested);
}

/// k splits: each pair is tested in one of them, drawn at random; folds differ by one pair at most.
/// Throws `error`: `empty_input`; `bad_parameter` (k below 2); `too_few_rows` (fewer pairs than folds).
template <class T>
[[nodiscard]] std::vector<interaction_split<T>> pair_folds(const interactions<T>& x, std::size_t k, std::uint64_t seed = 0) {
    require(!x.empty(), errc::empty_input, "pair_folds: no interactions");
    require(k >= 2, errc::bad_parameter, "pair_folds: k is ", k, ", it must be at least 2");
    require(k <= x.pairs(), errc::too_few_rows, "pair_folds: ", k, " folds need as many pairs, there are ", x.pairs());
    const auto order = rng(seed).split("pair_folds").permutation(x.pairs());
    std::vector<interaction_split<T>> out;
    for (std::size_t fold = 0; fold < k; ++fold) {
        std::vector<bool> tested(x.pairs());
        for (std::size_t i = fold; i < order.size(); i += k) tested[order[i]] = true;
        out.push_back(detail::split_by(x, tested));
    }
    return out;
}

/// Draws customers that a model is not to see; see `held_out_customers`.
/// Throws `error`: `empty_input`; `bad_parameter` (a share that is not between 0 and 1); `bad_data` (`latest` without times);
/// `too_few_rows` (no customer would be held out, or none be left).
template <class T>
[[nodiscard]] held_out_customers<T> hold_out_customers(const interactions<T>& x, const held_out_options& options = {}, std::uint64_t seed = 0) {
    constexpr std::string_view who = "hold_out_customers";
    require(!x.empty(), errc::empty_input, who, ": no interactions");
    require(options.customers > 0 && options.customers < 1, errc::bad_parameter, who, ": the share of customers is ", options.customers,
            ", it must be between 0 and 1");
    require(options.given > 0 && options.given < 1, errc::bad_parameter, who, ": the share that is given is ", options.given, ", it must be between 0 and 1");
    if (options.latest) detail::require_times(x, who);
    std::vector<std::size_t> able;
    for (std::size_t row = 0; row < x.rows(); ++row)
        if (x[row].size() >= 2) able.push_back(row);
    const auto n = static_cast<std::size_t>(std::llround(options.customers * static_cast<double>(able.size())));
    require(n > 0 && n < x.rows(), errc::too_few_rows, who, ": ", n, " of ", x.rows(), " customers would be held out");
    const rng numbers = rng(seed).split(who);
    const auto order = rng(numbers).permutation(able.size());
    std::vector<bool> held(x.rows());
    for (std::size_t i = 0; i < n; ++i) held[able[order[i]]] = true;

    std::vector<bool> wanted;
    for (std::size_t row = 0; row < x.rows(); ++row) {
        if (!held[row]) continue;
        const auto pairs = x[row].size();
        const auto shown = std::clamp<std::size_t>(static_cast<std::size_t>(std::llround(options.given * static_cast<double>(pairs))), 1, pairs - 1);
        const auto places = options.latest ? detail::by_time<T>(x[row]) : numbers.split(static_cast<std::uint64_t>(row)).permutation(pairs);
        const std::size_t first = wanted.size();
        wanted.resize(first + pairs);
        for (std::size_t i = shown; i < pairs; ++i) wanted[first + places[i]] = true;
    }
    const auto hidden = detail::part_of(x, held, {}, true);
    auto parts = detail::split_by(hidden, wanted);
    held.flip();
    return {detail::part_of(x, held, {}, true), std::move(parts.train), std::move(parts.test)};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
