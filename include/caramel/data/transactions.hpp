#ifndef CARAMEL_DATA_TRANSACTIONS_HPP
#define CARAMEL_DATA_TRANSACTIONS_HPP

// A shop's log of purchases: one row for each item on an invoice.

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
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
#include <caramel/core/span_of.hpp>
#include <caramel/data/csv_values.hpp>
#include <caramel/data/table.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The table's columns. An empty name says that there is none: then a quantity is 1, a price 0, a time 1970-01-01, and
/// customers, items or invoices are missing throughout.
struct transaction_columns {
    std::string customer = "customer";  ///< category or integer
    std::string item = "item";          ///< category or integer
    std::string invoice = "";           ///< category or integer
    std::string quantity = "";          ///< number or integer
    std::string price = "";             ///< of one piece; number or integer
    std::string when = "";              ///< timestamp
    std::string description = "";       ///< of the item; category
};

/// One row of a log. Ids are numbers of the lists of `transactions`, -1 where they are missing.
struct transaction {
    std::int32_t customer = -1;
    std::int32_t item = -1;
    std::int32_t invoice = -1;
    double quantity = 1;
    double price = 0;
    std::chrono::sys_seconds when{};

    [[nodiscard]] double spend() const noexcept { return quantity * price; }
    friend bool operator==(const transaction&, const transaction&) = default;
};

/// The items of a log, by number: one id (ascending, in byte order) and one description (empty where there is none) an item.
struct item_catalog {
    std::vector<std::string> ids{}, descriptions{};

    [[nodiscard]] std::size_t size() const noexcept { return ids.size(); }
    friend bool operator==(const item_catalog&, const item_catalog&) = default;
    static constexpr std::array field_names{"ids", "descriptions"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(ids, descriptions); }
};

/// A log of purchases. Ids are texts (integers as their decimal digits), listed in ascending byte order; rows hold their
/// numbers. Parts of a log share its lists, so that the same customer has the same number in all of them, and a list may
/// name some that the part does not have: `compacted()` leaves those out.
class transactions {
   public:
    transactions() = default;

    /// Throws `error`: `missing_column`; `wrong_column_type`, with row and column of the first quantity, price or time that is
    /// a text and no number or time; `missing_value` with row and column of one that is missing. Rows count from 1: the first
    /// one below a file's header. (Customers, items, invoices and descriptions may be missing; an empty id is.)
    /// An item's description is the most frequent nonempty text of its rows, of equally frequent ones the smallest.
    template <class = void>
    [[nodiscard]] static transactions from(const table& log, const transaction_columns& columns = {}) {
        transactions out;
        auto made = std::make_shared<lists>();
        const std::size_t n = log.rows();
        const auto ids = [&](const std::string& name, std::vector<std::string>& texts) {
            return name.empty() ? std::vector<std::int32_t>(n, -1) : read_ids(log.column(name), name, texts);
        };
        out.customers_ = ids(columns.customer, made->customers);
        out.items_ = ids(columns.item, made->items.ids);
        out.invoices_ = ids(columns.invoice, made->invoices);
        out.quantities_ = columns.quantity.empty() ? std::vector<double>(n, 1) : read_numbers(log, columns.quantity);
        out.prices_ = columns.price.empty() ? std::vector<double>(n) : read_numbers(log, columns.price);
        if (columns.when.empty()) {
            out.times_.resize(n);
        } else {
            require_values(log, columns.when, log.column(columns.when).type() == column_type::timestamp, "times", [](std::string_view text) {
                std::chrono::sys_seconds when;
                return detail::parse_time(text, when);
            });
            const auto times = log.timestamps(columns.when);
            out.times_.assign(times.begin(), times.end());
        }
        made->items.descriptions.resize(made->items.size());
        if (!columns.description.empty()) describe(out.items_, log.categories(columns.description), made->items.descriptions);
        out.lists_ = std::move(made);
        return out;
    }

    [[nodiscard]] std::size_t rows() const noexcept { return times_.size(); }
    template <class = void>
    [[nodiscard]] bool empty() const noexcept { return times_.empty(); }
    /// Not checked: `i` is below `rows()`.
    [[nodiscard]] transaction operator[](std::size_t i) const noexcept { return {customers_[i], items_[i], invoices_[i], quantities_[i], prices_[i], times_[i]}; }

    /// One a row.
    template <class = void>
    [[nodiscard]] std::span<const std::int32_t> customers() const& noexcept { return detail::span_of(customers_); }
    [[nodiscard]] std::span<const std::int32_t> items() const& noexcept { return detail::span_of(items_); }
    [[nodiscard]] std::span<const std::int32_t> invoices() const& noexcept { return detail::span_of(invoices_); }
    template <class = void>
    [[nodiscard]] std::span<const double> quantities() const& noexcept { return detail::span_of(quantities_); }
    [[nodiscard]] std::span<const double> prices() const& noexcept { return detail::span_of(prices_); }
    template <class = void>
    [[nodiscard]] std::span<const std::chrono::sys_seconds> times() const& noexcept { return detail::span_of(times_); }

    /// One a number, ascending; one description an item, empty where there is none.
    [[nodiscard]] const std::vector<std::string>& customer_ids() const& noexcept { return all().customers; }
    [[nodiscard]] const std::vector<std::string>& item_ids() const& noexcept { return all().items.ids; }
    [[nodiscard]] const std::vector<std::string>& invoice_ids() const& noexcept { return all().invoices; }
    [[nodiscard]] const std::vector<std::string>& descriptions() const& noexcept { return all().items.descriptions; }
    /// The items with their descriptions, shared by the parts of a log. Never null.
    template <class = void>
    [[nodiscard]] std::shared_ptr<const item_catalog> catalog() const {
        return lists_ ? std::shared_ptr<const item_catalog>(lists_, &lists_->items) : std::make_shared<const item_catalog>();
    }
    // Not from a log that is gone at the end of the line: `for (auto c : log.since(day).customers())` does not compile.
    std::span<const std::int32_t> customers() const&& = delete;
    std::span<const std::int32_t> items() const&& = delete;
    std::span<const std::int32_t> invoices() const&& = delete;
    std::span<const double> quantities() const&& = delete;
    std::span<const double> prices() const&& = delete;
    std::span<const std::chrono::sys_seconds> times() const&& = delete;
    const std::vector<std::string>& customer_ids() const&& = delete;
    const std::vector<std::string>& item_ids() const&& = delete;
    const std::vector<std::string>& invoice_ids() const&& = delete;
    const std::vector<std::string>& descriptions() const&& = delete;
    [[nodiscard]] std::size_t n_customers() const noexcept { return all().customers.size(); }
    [[nodiscard]] std::size_t n_items() const noexcept { return all().items.size(); }
    [[nodiscard]] std::size_t n_invoices() const noexcept { return all().invoices.size(); }

    /// The number of an id, if it is listed.
    template <class = void>
    [[nodiscard]] std::optional<std::int32_t> find_customer(std::string_view id) const noexcept { return find(all().customers, id); }
    template <class = void>
    [[nodiscard]] std::optional<std::int32_t> find_item(std::string_view id) const noexcept { return find(all().items.ids, id); }
    /// Throw `error` (`unknown_id`) where it is not.
    template <class = void>
    [[nodiscard]] std::int32_t customer_number(std::string_view id) const { return known(find_customer(id), "customer", n_customers()); }
    template <class = void>
    [[nodiscard]] std::int32_t item_number(std::string_view id) const { return known(find_item(id), "item", n_items()); }

    /// Of the earliest and of the latest row. Throw `error` (`empty_input`).
    template <class = void>
    [[nodiscard]] std::chrono::sys_seconds first_time() const { return require_rows(), *std::min_element(times_.begin(), times_.end()); }
    template <class = void>
    [[nodiscard]] std::chrono::sys_seconds last_time() const { return require_rows(), *std::max_element(times_.begin(), times_.end()); }

    /// Rows in the order given. Throws `error` (`bad_parameter`) on a row that there is not.
    template <class = void>
    [[nodiscard]] transactions take_rows(std::span<const std::size_t> rows) const {
        for (const std::size_t row : rows)
            require(row < this->rows(), errc::bad_parameter, "transactions: row number ", row, " (from 0) of ", this->rows(), " rows");
        const auto taken = [rows](const auto& from) {
            std::remove_cvref_t<decltype(from)> out;
            out.reserve(rows.size());
            for (const std::size_t row : rows) out.push_back(from[row]);
            return out;
        };
        transactions out;
        out.customers_ = taken(customers_);
        out.items_ = taken(items_);
        out.invoices_ = taken(invoices_);
        out.quantities_ = taken(quantities_);
        out.prices_ = taken(prices_);
        out.times_ = taken(times_);
        out.lists_ = lists_;
        return out;
    }
    /// The rows for which `keep(transaction)` is true.
    template <class Keep>
        requires std::predicate<const Keep&, const transaction&>
    [[nodiscard]] transactions where(const Keep& keep) const {
        std::vector<std::size_t> rows;
        for (std::size_t i = 0; i < this->rows(); ++i)
            if (keep((*this)[i])) rows.push_back(i);
        return take_rows(rows);
    }
    /// The rows earlier than an instant; the rows from that instant on.
    template <class = void>
    [[nodiscard]] transactions before(std::chrono::sys_seconds instant) const {
        return where([instant](const transaction& t) { return t.when < instant; });
    }
    template <class = void>
    [[nodiscard]] transactions since(std::chrono::sys_seconds instant) const {
        return where([instant](const transaction& t) { return t.when >= instant; });
    }
    /// The same rows, with lists of the ids that they have: numbers change, their order does not.
    template <class = void>
    [[nodiscard]] transactions compacted() const {
        transactions out = *this;
        auto made = std::make_shared<lists>();
        compact(out.customers_, all().customers, made->customers);
        const auto kept_items = compact(out.items_, all().items.ids, made->items.ids);
        compact(out.invoices_, all().invoices, made->invoices);
        for (const std::size_t item : kept_items) made->items.descriptions.push_back(all().items.descriptions[item]);
        out.lists_ = std::move(made);
        return out;
    }

    /// Equal rows and equal lists.
    template <class = void>
    friend bool operator==(const transactions& a, const transactions& b) {
        return a.customers_ == b.customers_ && a.items_ == b.items_ && a.invoices_ == b.invoices_ && a.quantities_ == b.quantities_ && a.prices_ == b.prices_ &&
               a.times_ == b.times_ && (a.lists_ == b.lists_ || a.all() == b.all());
    }

   private:
    struct lists {
        std::vector<std::string> customers{}, invoices{};
        item_catalog items{};
        friend bool operator==(const lists&, const lists&) = default;
    };
    [[nodiscard]] const lists& all() const noexcept { return lists_ ? *lists_ : none_; }

    // Of a column of another type, the first text that `is_value` refuses is what made it one; else a value that is missing.
    template <class IsValue>
    static void require_values(const table& log, const std::string& name, bool right_type, std::string_view wanted, const IsValue& is_value) {
        const std::size_t col = log.position(name) + 1;
        const table_column& column = log.column(name);
        if (!right_type && column.type() == column_type::category) {
            const auto texts = column.categories();
            for (std::size_t i = 0; i < texts.size(); ++i)
                require_at(column.missing(i) || is_value(texts[i]), errc::wrong_column_type, {.row = i + 1, .column = col}, "transactions: column \"", name,
                           "\" is of type category, not ", wanted, ": row ", i + 1, ", not counting a header, is the first that is none");
        }
        require_type(right_type, column, name, wanted);
        const auto& missing = column.missing();
        const auto at = static_cast<std::size_t>(std::find(missing.begin(), missing.end(), true) - missing.begin());
        require_at(at == missing.size(), errc::missing_value, {.row = at + 1, .column = col}, "transactions: row ", at + 1, " of column \"", name, "\" is missing");
    }
    template <class = void>
    static std::vector<double> read_numbers(const table& log, const std::string& name) {
        const table_column& column = log.column(name);
        require_values(log, name, column.type() == column_type::number || column.type() == column_type::integer, "numbers", [](std::string_view text) {
            double number = 0;
            return detail::parse_number(text, '.', number) == detail::number_verdict::ok;
        });
        if (column.type() == column_type::number) return {column.numbers().begin(), column.numbers().end()};
        std::vector<double> out;
        out.reserve(column.size());
        for (const std::int64_t x : column.integers()) out.push_back(static_cast<double>(x));
        return out;
    }
    template <class = void>
    static void require_type(bool ok, const table_column& column, std::string_view name, std::string_view wanted) {
        require(ok, errc::wrong_column_type, "transactions: column \"", name, "\" is of type ", name_of(column.type()), ", not ", wanted);
    }
    // Numbers ids in ascending order; those that no row has do not count.
    template <class = void>
    static std::vector<std::int32_t> read_ids(const table_column& column, std::string_view name, std::vector<std::string>& ids) {
        require_type(column.type() == column_type::category || column.type() == column_type::integer, column, name, "category or integer");
        std::vector<std::int32_t> out;
        std::vector<std::string> texts;
        if (column.type() == column_type::category) {
            const auto view = column.categories();
            out.assign(view.codes.begin(), view.codes.end());
            texts.assign(view.levels.begin(), view.levels.end());
            for (auto& code : out)
                if (code >= 0 && texts[static_cast<std::size_t>(code)].empty()) code = -1;
        } else {
            const auto numbers = column.integers();
            std::vector<std::int64_t> distinct;
            for (std::size_t i = 0; i < numbers.size(); ++i)
                if (!column.missing(i) && (distinct.empty() || distinct.back() != numbers[i])) distinct.push_back(numbers[i]);
            std::sort(distinct.begin(), distinct.end());
            distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
            for (const std::int64_t number : distinct) texts.push_back(detail::message(number));
            out.resize(numbers.size(), -1);
            for (std::size_t i = 0; i < numbers.size(); ++i)
                if (!column.missing(i)) out[i] = static_cast<std::int32_t>(std::lower_bound(distinct.begin(), distinct.end(), numbers[i]) - distinct.begin());
        }
        std::vector<std::size_t> order(texts.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return texts[a] < texts[b]; });
        std::vector<std::int32_t> place_of(texts.size());
        std::vector<std::string> sorted;
        sorted.reserve(texts.size());
        for (const std::size_t i : order) {
            place_of[i] = static_cast<std::int32_t>(sorted.size());
            sorted.push_back(std::move(texts[i]));
        }
        for (auto& code : out)
            if (code >= 0) code = place_of[static_cast<std::size_t>(code)];
        compact(out, sorted, ids);
        return out;
    }
    // Leaves out the ids that no code names. Returns those kept.
    template <class = void>
    static std::vector<std::size_t> compact(std::vector<std::int32_t>& codes, const std::vector<std::string>& ids, std::vector<std::string>& kept) {
        std::vector<std::int32_t> now(ids.size(), -1);
        for (const std::int32_t code : codes)
            if (code >= 0) now[static_cast<std::size_t>(code)] = 0;
        std::vector<std::size_t> kept_numbers;
        for (std::size_t i = 0; i < ids.size(); ++i)
            if (now[i] == 0) {
                now[i] = static_cast<std::int32_t>(kept.size());
                kept.push_back(ids[i]);
                kept_numbers.push_back(i);
            }
        for (auto& code : codes)
            if (code >= 0) code = now[static_cast<std::size_t>(code)];
        return kept_numbers;
    }
    template <class = void>
    static void describe(const std::vector<std::int32_t>& items, const category_view& texts, std::vector<std::string>& out) {
        std::vector<std::pair<std::int32_t, std::int32_t>> seen;  // item, text
        for (std::size_t i = 0; i < items.size(); ++i)
            if (items[i] >= 0 && !texts[i].empty()) seen.emplace_back(items[i], texts.codes[i]);
        std::sort(seen.begin(), seen.end());
        std::vector<std::size_t> best(out.size());
        for (std::size_t i = 0; i < seen.size();) {
            std::size_t end = i;
            while (end < seen.size() && seen[end] == seen[i]) ++end;
            const auto item = static_cast<std::size_t>(seen[i].first);
            const std::string& text = texts.levels[static_cast<std::size_t>(seen[i].second)];
            if (end - i > best[item] || (end - i == best[item] && text < out[item])) {
                best[item] = end - i;
                out[item] = text;
            }
            i = end;
        }
    }
    template <class = void>
    static std::optional<std::int32_t> find(const std::vector<std::string>& ids, std::string_view id) noexcept {
        const auto at = std::lower_bound(ids.begin(), ids.end(), id);
        if (at == ids.end() || *at != id) return std::nullopt;
        return static_cast<std::int32_t>(at - ids.begin());
    }
    template <class = void>
    static std::int32_t known(std::optional<std::int32_t> found, std::string_view what, std::size_t among) {
        require(found.has_value(), errc::unknown_id, "transactions: no such ", what, " among ", among);
        return *found;
    }
    template <class = void>
    void require_rows() const { require(!empty(), errc::empty_input, "transactions: there are no rows"); }

    std::vector<std::int32_t> customers_, items_, invoices_;
    std::vector<double> quantities_, prices_;
    std::vector<std::chrono::sys_seconds> times_;
    std::shared_ptr<const lists> lists_;
    lists none_{};  // where there are none; not a static object, which a host's own statics might outlive
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
