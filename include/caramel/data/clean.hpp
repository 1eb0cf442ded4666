#ifndef CARAMEL_DATA_CLEAN_HPP
#define CARAMEL_DATA_CLEAN_HPP

// Leaves out what is no purchase, and counts it.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/data/transactions.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What `clean` takes out besides rows without a customer or an item.
struct cleaning_options {
    std::string cancellation_prefix = "C";  ///< of a cancelled invoice's id; empty = there are no cancellations
    bool drop_non_positive_quantity = true;
    bool drop_non_positive_price = true;  ///< off for a log without prices
    bool drop_duplicates = false;         ///< keep the first of equal rows only
};

/// What `clean` left out. A row counts once, for the first reason in the order of these fields.
struct cleaning_report {
    std::size_t rows_read = 0;
    std::size_t missing_customer = 0;
    std::size_t missing_item = 0;
    std::size_t cancelled = 0;
    std::size_t non_positive_quantity = 0;
    std::size_t non_positive_price = 0;
    /// Rows that equal an earlier one, of those that no other reason leaves out, in everything that the log has: customer,
    /// item, invoice, quantity, price, time. (Not the description, which belongs to the item.)
    std::size_t duplicates = 0;
    bool duplicates_dropped = false;
    std::size_t rows_kept = 0;
    std::size_t customers = 0;  ///< of the rows kept
    std::size_t items = 0;

    /// A line of text each, such as "107927 without a customer".
    template <class = void>
    [[nodiscard]] std::vector<std::string> lines() const {
        using detail::message;
        return {message(rows_read, " rows read"),
                message(missing_customer, " without a customer"),
                message(missing_item, " without an item"),
                message(cancelled, " cancelled"),
                message(non_positive_quantity, " with a quantity of 0 or less"),
                message(non_positive_price, " with a price of 0 or less"),
                message(duplicates, " exact duplicates, ", duplicates_dropped ? "dropped" : "kept"),
                message(rows_kept, " rows kept: ", customers, " customers, ", items, " items")};
    }
    template <class = void>
    [[nodiscard]] std::string text() const {
        std::string out;
        for (const auto& line : lines()) out += line + '\n';
        return out;
    }
    friend bool operator==(const cleaning_report&, const cleaning_report&) = default;
};

/// What is left of a log, and what was taken out.
struct cleaned {
    transactions kept;  ///< compacted
    cleaning_report report;
};

namespace detail {

// For each row whether it equals an earlier one.
template <std::same_as<transactions> Log>
std::vector<bool> repeated_rows(const Log& log) {
    const auto key = [&](std::size_t i) {
        return std::tuple(log.invoices()[i], log.items()[i], log.customers()[i], log.times()[i], log.quantities()[i], log.prices()[i]);
    };
    std::vector<std::size_t> order(log.rows());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    std::vector<bool> out(log.rows());
    for (std::size_t i = 1; i < order.size(); ++i) out[order[i]] = key(order[i]) == key(order[i - 1]);
    return out;
}

}  // namespace detail

/// Purchases with a customer and an item, not cancelled, of a positive quantity at a positive price, in their order.
/// A log of no rows gives none.
template <std::same_as<transactions> Log>
[[nodiscard]] cleaned clean(const Log& log, const cleaning_options& options = {}) {
    cleaning_report report{.rows_read = log.rows(), .duplicates_dropped = options.drop_duplicates};
    std::vector<bool> cancelled;
    for (const auto& id : log.invoice_ids()) cancelled.push_back(!options.cancellation_prefix.empty() && id.starts_with(options.cancellation_prefix));

    transactions kept = log.where([&](const transaction& t) {
        const auto drop = [](std::size_t& reason) {
            ++reason;
            return false;
        };
        if (t.customer < 0) return drop(report.missing_customer);
        if (t.item < 0) return drop(report.missing_item);
        if (t.invoice >= 0 && cancelled[static_cast<std::size_t>(t.invoice)]) return drop(report.cancelled);
        if (options.drop_non_positive_quantity && !(t.quantity > 0)) return drop(report.non_positive_quantity);
        if (options.drop_non_positive_price && !(t.price > 0)) return drop(report.non_positive_price);
        return true;
    });
    const std::vector<bool> repeated = detail::repeated_rows(kept);
    report.duplicates = static_cast<std::size_t>(std::count(repeated.begin(), repeated.end(), true));
    if (options.drop_duplicates) {
        std::vector<std::size_t> first;
        for (std::size_t i = 0; i < repeated.size(); ++i)
            if (!repeated[i]) first.push_back(i);
        kept = kept.take_rows(first);
    }
    kept = kept.compacted();
    report.rows_kept = kept.rows();
    report.customers = kept.n_customers();
    report.items = kept.n_items();
    return {std::move(kept), report};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
