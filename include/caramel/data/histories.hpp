#ifndef CARAMEL_DATA_HISTORIES_HPP
#define CARAMEL_DATA_HISTORIES_HPP

// A log of transactions as customers: what each bought up to an instant, who came back, who bought what.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
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
    const item_catalog* items = nullptr;  ///< what the purchases' item numbers mean; stages that look at items need it
};

namespace detail {

// What tells a customer's orders apart: the invoice, or the time where there is none (odd negative numbers from 1970 on, even
// ones before).
inline std::int64_t order_of(const transaction& t) noexcept {
    if (t.invoice >= 0) return t.invoice;
    const std::int64_t when = t.when.time_since_epoch().count();
    return when >= 0 ? -1 - 2 * when : 2 * when;
}

}  // namespace detail

/// One row a customer: their purchases before an instant. Customers without any are not there. What predicts from
/// histories sees nothing from that instant on.
class histories {
   public:
    histories() = default;

    /// The customers of `log` (rows without one are left out), by ascending id, as seen at `as_of`.
    template <class = void>
    histories(const transactions& log, std::chrono::sys_seconds as_of) : as_of_(as_of), items_(log.catalog()) {
        std::vector<std::size_t> rows;
        for (std::size_t i = 0; i < log.rows(); ++i)
            if (log.customers()[i] >= 0 && log.times()[i] < as_of) rows.push_back(i);
        std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
            return std::pair(log.customers()[a], log.times()[a]) < std::pair(log.customers()[b], log.times()[b]);
        });
        purchases_.reserve(rows.size());
        starts_.clear();
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

    /// From its fields: rows as in `starts`, one entry a purchase in the others.
    /// Throws `error` (`bad_data`) where they do not belong together.
    template <class = void>
    histories(std::chrono::sys_seconds as_of, item_catalog items, std::vector<std::int32_t> customers, std::vector<std::string> ids,
              const std::vector<std::uint64_t>& starts, const std::vector<std::int32_t>& bought, const std::vector<std::int32_t>& invoices,
              const std::vector<double>& quantities, const std::vector<double>& prices, const std::vector<std::chrono::sys_seconds>& times)
        : as_of_(as_of),
          customers_(std::move(customers)),
          ids_(std::move(ids)),
          starts_(starts.begin(), starts.end()),
          items_(std::make_shared<const item_catalog>(std::move(items))) {
        const std::size_t n = bought.size();
        require(ids_.size() == size() && starts_.size() == size() + 1 && starts_.front() == 0 && starts_.back() == n &&
                    std::is_sorted(starts_.begin(), starts_.end()) && invoices.size() == n && quantities.size() == n && prices.size() == n &&
                    times.size() == n && items_->descriptions.size() == items_->size(),
                errc::bad_data, "histories: the fields do not belong together");
        purchases_.reserve(n);
        for (std::size_t row = 0; row < size(); ++row)
            for (std::size_t i = starts_[row]; i < starts_[row + 1]; ++i) {
                require_at(bought[i] >= -1 && std::cmp_less(bought[i], items_->size()) && times[i] < as_of_ && (i == starts_[row] || times[i - 1] <= times[i]),
                           errc::bad_data, {.row = row + 1}, "histories: row ", row + 1, " has an item that is not listed, or times out of order");
                purchases_.push_back({customers_[row], bought[i], invoices[i], quantities[i], prices[i], times[i]});
            }
    }

    [[nodiscard]] std::size_t size() const noexcept { return customers_.size(); }
    [[nodiscard]] std::chrono::sys_seconds as_of() const noexcept { return as_of_; }
    /// Not checked: `row` is below `size()`.
    template <class = void>
    [[nodiscard]] history operator[](std::size_t row) const noexcept {
        return {std::span(purchases_).subspan(starts_[row], starts_[row + 1] - starts_[row]), as_of_, items_.get()};
    }
    /// What the item numbers of the purchases mean. Never null.
    [[nodiscard]] const item_catalog& items() const noexcept { return *items_; }
    /// The row of a customer, if there is one; looks through all ids.
    template <class = void>
    [[nodiscard]] std::optional<std::size_t> find(std::string_view id) const noexcept {
        const auto at = std::find(ids_.begin(), ids_.end(), id);
        return at == ids_.end() ? std::nullopt : std::optional(static_cast<std::size_t>(at - ids_.begin()));
    }
    /// The customer of a row, as numbered in the log; and all ids, by row.
    [[nodiscard]] std::int32_t customer(std::size_t row) const noexcept { return customers_[row]; }
    [[nodiscard]] const std::vector<std::string>& ids() const noexcept { return ids_; }

    /// Rows in any order. Throws `error` (`bad_parameter`) on a row that there is not.
    template <class = void>
    [[nodiscard]] histories take_rows(std::span<const std::size_t> rows) const {
        histories out;
        out.as_of_ = as_of_;
        out.items_ = items_;
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
    template <class = void>
    [[nodiscard]] histories slice(std::size_t begin, std::size_t end) const {
        std::vector<std::size_t> rows;
        for (std::size_t row = begin; row < end; ++row) rows.push_back(row);
        return take_rows(rows);
    }

    // Customers are numbered as in the log; purchases stand column by column.
    static constexpr std::array field_names{"as_of", "items", "customers", "ids", "starts", "bought", "invoices", "quantities", "prices", "times"};
    template <class = void>
    [[nodiscard]] auto fields() const {
        const auto column = [&](auto value) {
            std::vector<decltype(value(transaction{}))> out;
            out.reserve(purchases_.size());
            for (const transaction& t : purchases_) out.push_back(value(t));
            return out;
        };
        return std::tuple{as_of_,
                          *items_,
                          customers_,
                          ids_,
                          std::vector<std::uint64_t>(starts_.begin(), starts_.end()),
                          column([](const transaction& t) { return t.item; }),
                          column([](const transaction& t) { return t.invoice; }),
                          column([](const transaction& t) { return t.quantity; }),
                          column([](const transaction& t) { return t.price; }),
                          column([](const transaction& t) { return t.when; })};
    }

   private:
    std::chrono::sys_seconds as_of_{};
    std::vector<std::int32_t> customers_;
    std::vector<std::string> ids_;
    std::vector<std::size_t> starts_ = {0};
    std::vector<transaction> purchases_;
    std::shared_ptr<const item_catalog> items_ = std::make_shared<const item_catalog>();
};

/// Who bought what in the histories: the value of a pair is the number of its rows. Rows without an item are left out.
template <class T>
[[nodiscard]] interactions<T> interactions_of(const histories& seen) {
    std::vector<std::string_view> customers;
    std::vector<std::int32_t> items;
    for (std::size_t row = 0; row < seen.size(); ++row)
        for (const transaction& t : seen[row].purchases) {
            if (t.item < 0) continue;
            customers.push_back(seen.ids()[row]);
            items.push_back(t.item);
        }
    return interactions<T>({.customers = customers, .items = {items, seen.items().ids}});
}

/// Targets for churn: 1 for each customer of `seen` without a row in `later`, a part of the same log.
template <class = void>
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
