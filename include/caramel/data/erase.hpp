#ifndef CARAMEL_DATA_ERASE_HPP
#define CARAMEL_DATA_ERASE_HPP

// A customer who asks to be forgotten: the same data as if they had never been seen. What was learnt from the data is learnt
// again: recommenders by recommend/erase.hpp, others by `fit` on what these return; with the same recipe, options and seed
// that gives the bits of a model that never saw the customer. Files and copies of the old data are the host's to remove; what
// a killed process left of an interrupted save is removed by the next `save` onto that name.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/transactions.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What becomes of the items that nobody but the erased customers had.
enum class erased_items : std::uint8_t {
    drop,  ///< they go, too: as if the table had been made without the customers' entries
    keep,  ///< they stay, without entries: for tables that were made with a given list of items
};

namespace detail {

// The ids for which `keep` says so, and every row's new number (-1 = gone).
template <class = void>
inline id_table kept_ids(const id_table& ids, const std::vector<bool>& keep, std::vector<std::int32_t>& now) {
    std::vector<std::string> texts;
    std::vector<std::int64_t> numbers;
    now.assign(ids.size(), -1);
    std::int32_t next = 0;
    for (std::size_t row = 0; row < ids.size(); ++row) {
        if (!keep[row]) continue;
        now[row] = next++;
        if (ids.is_text()) texts.emplace_back(ids.text(row));
        else numbers.push_back(ids.number(row));
    }
    return {std::move(texts), std::move(numbers)};
}

}  // namespace detail

/// The table without these customers: their entries and their ids are gone, and what is left has the bits of a table that was
/// made without them. (Where several entries were one customer's and item's, they were merged before, customer by customer.)
/// Items that nobody else had go or stay, see `erased_items`; other items without entries stay.
/// Throws `error` (`unknown_id`) where a customer is not in the table, without the id.
template <class T>
[[nodiscard]] interactions<T> erase_customers(const interactions<T>& x, std::span<const any_id> customers, erased_items items = erased_items::drop) {
    require(items <= erased_items::keep, errc::bad_parameter, "erase_customers: no such erased_items");
    std::vector<bool> stays(x.rows(), true);
    for (const any_id& customer : customers) stays[x.customers().row_of(customer)] = false;

    std::vector<bool> theirs(x.items().size()), others(x.items().size());
    for (std::size_t row = 0; row < x.rows(); ++row)
        for (const std::int32_t item : x[row].items) (stays[row] ? others : theirs)[static_cast<std::size_t>(item)] = true;
    std::vector<bool> kept(x.items().size());
    for (std::size_t item = 0; item < kept.size(); ++item) kept[item] = items == erased_items::keep || others[item] || !theirs[item];

    std::vector<std::int32_t> row_now, item_now;
    id_table kept_customers = detail::kept_ids(x.customers(), stays, row_now), kept_items = detail::kept_ids(x.items(), kept, item_now);
    std::vector<std::int64_t> starts{0}, seconds;
    std::vector<std::int32_t> bought;
    std::vector<T> values;
    for (std::size_t row = 0; row < x.rows(); ++row) {
        if (!stays[row]) continue;
        const auto mine = x[row];
        for (const std::int32_t item : mine.items) bought.push_back(item_now[static_cast<std::size_t>(item)]);
        values.insert(values.end(), mine.values.begin(), mine.values.end());
        seconds.insert(seconds.end(), mine.seconds.begin(), mine.seconds.end());
        starts.push_back(static_cast<std::int64_t>(bought.size()));
    }
    return {std::move(kept_customers), std::move(kept_items), std::move(starts), std::move(bought), std::move(values), std::move(seconds)};
}
/// The same for one customer.
template <class T>
[[nodiscard]] interactions<T> erase_customer(const interactions<T>& x, const any_id& customer, erased_items items = erased_items::drop) {
    return erase_customers(x, std::span(&customer, 1), items);
}

/// The log without these customers' rows: neither their ids nor those of invoices and items that only they had are listed any
/// more, as in a log read without those rows. (But for descriptions: an item keeps the one that all rows gave it. Where
/// customers write descriptions, take the rows out of the table and read the log again.)
/// Throws `error` (`unknown_id`) where a customer is not listed, without the id.
template <std::same_as<transactions> Log>
[[nodiscard]] Log erase_customers(const Log& log, std::span<const std::string> customers) {
    std::vector<bool> gone(log.n_customers());
    for (const std::string& customer : customers) gone[static_cast<std::size_t>(log.customer_number(customer))] = true;
    return log.where([&](const transaction& t) { return t.customer < 0 || !gone[static_cast<std::size_t>(t.customer)]; }).compacted();
}
/// The same for one customer.
template <std::same_as<transactions> Log>
[[nodiscard]] Log erase_customer(const Log& log, std::string_view customer) {
    const std::string id(customer);
    return erase_customers(log, std::span(&id, 1));
}

/// The histories without these customers. Numbers and the list of items stay those of the log, so that `did_not_return` still
/// fits its later part; for the bits of histories that never saw them, make histories of the erased log.
/// Throws `error` (`unknown_id`) where a customer has no row, without the id.
template <std::same_as<histories> Seen>
[[nodiscard]] Seen erase_customers(const Seen& seen, std::span<const std::string> customers) {
    std::vector<bool> gone(seen.size());
    for (const std::string& customer : customers) {
        const auto row = seen.find(customer);
        require(row.has_value(), errc::unknown_id, "histories: no such customer among ", seen.size());
        gone[*row] = true;
    }
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < seen.size(); ++row)
        if (!gone[row]) rows.push_back(row);
    return seen.take_rows(rows);
}
/// The same for one customer.
template <std::same_as<histories> Seen>
[[nodiscard]] Seen erase_customer(const Seen& seen, std::string_view customer) {
    const std::string id(customer);
    return erase_customers(seen, std::span(&id, 1));
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
