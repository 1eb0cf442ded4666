#ifndef CARAMEL_DATA_HISTORIES_HPP
#define CARAMEL_DATA_HISTORIES_HPP

// A log of transactions as customers: what each bought up to an instant, who came back, who bought what.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/transactions.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What one customer bought, the earliest first, as seen at an instant. A view; a host that serves one customer fills it
/// from its own store.
struct history {
    std::span<const transaction> purchases;
    std::chrono::sys_seconds as_of{};
};

/// One row a customer: their purchases before an instant. Customers without any are not there. What predicts from
/// histories sees nothing from that instant on.
class histories {
   public:
    histories() = default;

    /// The customers of `log` (rows without one are left out), by ascending id, as seen at `as_of`.
    histories(const transactions& log, std::chrono::sys_seconds as_of) : as_of_(as_of) {
        std::vector<std::size_t> rows;
        for (std::size_t i = 0; i < log.rows(); ++i)
            if (log.customers()[i] >= 0 && log.times()[i] < as_of) rows.push_back(i);
        std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
            return std::pair(log.customers()[a], log.times()[a]) < std::pair(log.customers()[b], log.times()[b]);
        });
        purchases_.reserve(rows.size());
        for (const std::size_t row : rows) {
            const std::int32_t customer = log.customers()[row];
            if (customers_.empty() || customers_.back() != customer) {
                customers_.push_back(customer);
                starts_.push_back(purchases_.size());
                ids_.push_back(log.customer_ids()[static_cast<std::size_t>(customer)]);
            }
            purchases_.push_back(log[row]);
        }
        starts_.push_back(purchases_.size());
    }

    [[nodiscard]] std::size_t size() const noexcept { return customers_.size(); }
    [[nodiscard]] std::chrono::sys_seconds as_of() const noexcept { return as_of_; }
    /// Not checked: `row` is below `size()`.
    [[nodiscard]] history operator[](std::size_t row) const noexcept {
        return {std::span(purchases_).subspan(starts_[row], starts_[row + 1] - starts_[row]), as_of_};
    }
    /// The customer of a row, as numbered in the log; and all ids, by row.
    [[nodiscard]] std::int32_t customer(std::size_t row) const noexcept { return customers_[row]; }
    [[nodiscard]] const std::vector<std::string>& ids() const noexcept { return ids_; }

    /// Rows in any order. Throws `error` (`bad_parameter`) on a row that there is not.
    [[nodiscard]] histories take_rows(std::span<const std::size_t> rows) const {
        histories out;
        out.as_of_ = as_of_;
        out.starts_.clear();
        for (const std::size_t row : rows) {
            require(row < size(), errc::bad_parameter, "histories: row number ", row, " (from 0) of ", size(), " rows");
            out.customers_.push_back(customers_[row]);
            out.ids_.push_back(ids_[row]);
            out.starts_.push_back(out.purchases_.size());
            const auto mine = (*this)[row].purchases;
            out.purchases_.insert(out.purchases_.end(), mine.begin(), mine.end());
        }
        out.starts_.push_back(out.purchases_.size());
        return out;
    }
    /// Rows `begin` up to, not including, `end`.
    [[nodiscard]] histories slice(std::size_t begin, std::size_t end) const {
        std::vector<std::size_t> rows;
        for (std::size_t row = begin; row < end; ++row) rows.push_back(row);
        return take_rows(rows);
    }

   private:
    std::chrono::sys_seconds as_of_{};
    std::vector<std::int32_t> customers_;
    std::vector<std::string> ids_;
    std::vector<std::size_t> starts_ = {};
    std::vector<transaction> purchases_;
};

/// Targets for churn: 1 for each customer of `seen` without a row in `later`, a part of the same log.
[[nodiscard]] inline std::vector<int> did_not_return(const histories& seen, const transactions& later) {
    std::vector<bool> returned(later.n_customers());
    for (const std::int32_t customer : later.customers())
        if (customer >= 0) returned[static_cast<std::size_t>(customer)] = true;
    std::vector<int> out(seen.size());
    for (std::size_t row = 0; row < out.size(); ++row) {
        const auto customer = static_cast<std::size_t>(seen.customer(row));
        require(customer < returned.size(), errc::bad_parameter, "did_not_return: the histories and the later transactions are not of one log");
        out[row] = returned[customer] ? 0 : 1;
    }
    return out;
}

/// Who bought what: the value of a pair is the number of its rows in the log. Rows without customer or item are left out.
/// `like`: customers and items are numbered as there, and what is not there is left out.
template <class T>
[[nodiscard]] interactions<T> interactions_of(const transactions& log, const interactions<T>* like = nullptr) {
    std::vector<std::int32_t> customers, items;
    std::vector<std::chrono::sys_seconds> times;
    for (std::size_t i = 0; i < log.rows(); ++i) {
        if (log.customers()[i] < 0 || log.items()[i] < 0) continue;
        customers.push_back(log.customers()[i]);
        items.push_back(log.items()[i]);
        times.push_back(log.times()[i]);
    }
    interactions_options options;
    if (like != nullptr) {
        options.customers = &like->customers();
        options.items = &like->items();
        options.on_unlisted = unlisted::drop;
    }
    return interactions<T>({.customers = {customers, log.customer_ids()}, .items = {items, log.item_ids()}, .times = times}, options);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
