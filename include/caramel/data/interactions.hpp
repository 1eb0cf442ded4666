#ifndef CARAMEL_DATA_INTERACTIONS_HPP
#define CARAMEL_DATA_INTERACTIONS_HPP

// Who bought what: the input of every recommender. Rows are always customers.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A customer or an item by its row in an `id_table`, where the host has looked it up before.
struct row_number {
    std::size_t row = 0;
    friend bool operator==(const row_number&, const row_number&) = default;
};

namespace detail {

template <class I>
concept IntegerId = std::integral<I> && !std::same_as<I, bool> && !std::same_as<I, char> && !std::same_as<I, wchar_t> && !std::same_as<I, char8_t> &&
                    !std::same_as<I, char16_t> && !std::same_as<I, char32_t>;
template <class S>
concept TextId = std::convertible_to<const S&, std::string_view>;

template <IntegerId I>
std::int64_t checked_id(I number) {
    require(std::in_range<std::int64_t>(number), errc::limit_exceeded, "id: an integer id is beyond 64 signed bits");
    return static_cast<std::int64_t>(number);
}

}  // namespace detail

/// How the host names a customer or an item: by a text, by an integer, or by its row in the training data.
class any_id {
   public:
    template <detail::TextId S>
    any_id(const S& text) : value_(std::string(std::string_view(text))) {}  // NOLINT(google-explicit-constructor)
    template <detail::IntegerId I>
    any_id(I number) : value_(detail::checked_id(number)) {}  // NOLINT(google-explicit-constructor)
    template <class = void>
    any_id(row_number row) : value_(row) {}                    // NOLINT(google-explicit-constructor)

    template <class = void>
    [[nodiscard]] const std::string* text() const noexcept { return std::get_if<std::string>(&value_); }
    template <class = void>
    [[nodiscard]] const std::int64_t* number() const noexcept { return std::get_if<std::int64_t>(&value_); }
    template <class = void>
    [[nodiscard]] const row_number* row() const noexcept { return std::get_if<row_number>(&value_); }
    friend bool operator==(const any_id&, const any_id&) = default;

   private:
    std::variant<std::string, std::int64_t, row_number> value_;
};

/// A column of ids, one an entry: texts, integers, or codes into a list of levels (-1 = missing). A view: it is valid
/// while the data are.
class id_column {
   public:
    template <std::ranges::contiguous_range Ids>
        requires(detail::IntegerId<std::ranges::range_value_t<Ids>> || detail::TextId<std::ranges::range_value_t<Ids>>)
    id_column(const Ids& ids) : levels_(view_of(ids)), size_(levels_.size) {}  // NOLINT(google-explicit-constructor)
    template <std::ranges::contiguous_range Codes, std::ranges::contiguous_range Levels>
        requires(detail::IntegerId<std::ranges::range_value_t<Codes>> &&
                 (detail::IntegerId<std::ranges::range_value_t<Levels>> || detail::TextId<std::ranges::range_value_t<Levels>>))
    id_column(const Codes& codes, const Levels& levels) : levels_(view_of(levels)), codes_(view_of(codes)), size_(codes_.size) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool is_text() const noexcept { return levels_.text != nullptr; }
    /// The distinct values stand here (and maybe equal ones, and some that no entry uses).
    [[nodiscard]] std::size_t levels() const noexcept { return levels_.size; }
    [[nodiscard]] std::string_view text(std::size_t level) const { return levels_.text(levels_.data, level); }
    [[nodiscard]] std::int64_t number(std::size_t level) const { return levels_.number(levels_.data, level); }
    /// The level of an entry. Throws `error` with the entry's row: `missing_value`; `bad_data` on a code without a level.
    template <class = void>
    [[nodiscard]] std::size_t level_of(std::size_t entry, std::string_view what) const {
        std::size_t level = entry;
        if (codes_.number != nullptr) {
            const std::int64_t code = codes_.number(codes_.data, entry);
            require_at(code >= 0, errc::missing_value, {.row = entry + 1}, "interactions: the ", what, " of entry ", entry + 1, " is missing");
            require_at(std::cmp_less(code, levels_.size), errc::bad_data, {.row = entry + 1}, "interactions: the ", what, " of entry ", entry + 1,
                       " is a code beyond the ", levels_.size, " levels");
            level = static_cast<std::size_t>(code);
        }
        require_at(!is_text() || !text(level).empty(), errc::missing_value, {.row = entry + 1}, "interactions: the ", what, " of entry ", entry + 1,
                   " is empty");
        return level;
    }

   private:
    struct view {
        const void* data = nullptr;
        std::size_t size = 0;
        std::int64_t (*number)(const void*, std::size_t) = nullptr;
        std::string_view (*text)(const void*, std::size_t) = nullptr;
    };
    template <class Ids>
    static view view_of(const Ids& ids) {
        using Id = std::ranges::range_value_t<Ids>;
        view out{.data = std::ranges::data(ids), .size = std::ranges::size(ids)};
        if constexpr (detail::IntegerId<Id>) out.number = [](const void* data, std::size_t i) { return detail::checked_id(static_cast<const Id*>(data)[i]); };
        else out.text = [](const void* data, std::size_t i) { return std::string_view(static_cast<const Id*>(data)[i]); };
        return out;
    }

    view levels_, codes_;
    std::size_t size_;
};

/// The ids of the customers or of the items, texts or integers, each once. They are kept in ascending order (texts by
/// their bytes), so the lower row is the smaller id.
class id_table {
   public:
    id_table() = default;
    /// One of the two lists is empty. Throws `error`: `bad_data` unless the other rises strictly; `limit_exceeded`.
    template <class = void>
    id_table(std::vector<std::string> texts, std::vector<std::int64_t> numbers) : texts_(std::move(texts)), numbers_(std::move(numbers)) {
        require(texts_.empty() || numbers_.empty(), errc::bad_data, "id_table: texts and integers in one table");
        require(std::adjacent_find(texts_.begin(), texts_.end(), std::greater_equal<>()) == texts_.end() &&
                    std::adjacent_find(numbers_.begin(), numbers_.end(), std::greater_equal<>()) == numbers_.end(),
                errc::bad_data, "id_table: the ids are not in strictly ascending order");
        require(std::cmp_less_equal(size(), std::numeric_limits<std::int32_t>::max()), errc::limit_exceeded, "id_table: ", size(), " ids, at most 2147483647");
        prefixes_.reserve(texts_.size());
        for (const auto& text : texts_) prefixes_.push_back(prefix_of(text));
    }

    [[nodiscard]] std::size_t size() const noexcept { return texts_.size() + numbers_.size(); }
    template <class = void>
    [[nodiscard]] bool is_text() const noexcept { return !texts_.empty(); }
    /// Not checked: the caller knows the kind of the ids and that `row` is below `size()`.
    [[nodiscard]] std::string_view text(std::size_t row) const noexcept { return texts_[row]; }
    [[nodiscard]] std::int64_t number(std::size_t row) const noexcept { return numbers_[row]; }
    /// The id of a row. Throws `error` (`unknown_id`) on a row beyond the table.
    template <class = void>
    [[nodiscard]] any_id operator[](std::size_t row) const {
        require(row < size(), errc::unknown_id, "id_table: row ", row, " of a table of ", size());
        return is_text() ? any_id(texts_[row]) : any_id(numbers_[row]);
    }

    /// The row of an id; nothing where the table does not have it.
    template <class = void>
    [[nodiscard]] std::optional<std::size_t> find(std::string_view text) const noexcept {
        const auto [first, last] = std::equal_range(prefixes_.begin(), prefixes_.end(), prefix_of(text));
        const std::size_t from = static_cast<std::size_t>(first - prefixes_.begin()), to = static_cast<std::size_t>(last - prefixes_.begin());
        return find_in(texts_, from, to, text);
    }
    template <class = void>
    [[nodiscard]] std::optional<std::size_t> find(std::int64_t number) const noexcept { return find_in(numbers_, 0, numbers_.size(), number); }
    template <std::same_as<any_id> Id>  // a template, so that a text literal is a text and no any_id
    [[nodiscard]] std::optional<std::size_t> find(const Id& id) const noexcept {
        if (const auto* text = id.text()) return find(std::string_view(*text));
        if (const auto* number = id.number()) return find(*number);
        return id.row()->row < size() ? std::optional(id.row()->row) : std::nullopt;
    }
    /// The row of an id. Throws `error` (`unknown_id`), without the id in the message.
    template <class = void>
    [[nodiscard]] std::size_t row_of(const any_id& id) const {
        const auto row = find(id);
        require(row.has_value(), errc::unknown_id, "id_table: not one of the ", size(), " ids",
                id.row() == nullptr && size() > 0 && is_text() != (id.text() != nullptr)
                    ? (is_text() ? ", which are texts, not integers" : ", which are integers, not texts")
                    : "");
        return *row;
    }

    friend bool operator==(const id_table&, const id_table&) = default;
    static constexpr std::array field_names{"texts", "numbers"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(texts_, numbers_); }

   private:
    template <class Ids, class Id>
    static std::optional<std::size_t> find_in(const Ids& ids, std::size_t from, std::size_t to, const Id& id) noexcept {
        const auto end = ids.begin() + static_cast<std::ptrdiff_t>(to);
        const auto at = std::lower_bound(ids.begin() + static_cast<std::ptrdiff_t>(from), end, id);
        if (at == end || *at != id) return std::nullopt;
        return static_cast<std::size_t>(at - ids.begin());
    }
    // Orders as the text does, as far as its first eight bytes go: most searches never look at a text.
    static std::uint64_t prefix_of(std::string_view text) noexcept {
        std::uint64_t out = 0;
        for (std::size_t i = 0; i < 8; ++i) out = out << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
        return out;
    }
    std::vector<std::string> texts_;
    std::vector<std::int64_t> numbers_;
    std::vector<std::uint64_t> prefixes_;  // of the texts
};

namespace detail {

// Rows of (column, value) pairs, columns ascending: a view of interactions, or of their transpose.
template <class T>
struct sparse_rows {
    std::span<const std::int64_t> starts;
    std::span<const std::int32_t> ids;
    std::span<const T> values;
    std::size_t columns = 0;

    [[nodiscard]] std::size_t size() const noexcept { return starts.empty() ? 0 : starts.size() - 1; }
    [[nodiscard]] std::span<const std::int32_t> ids_of(std::size_t row) const noexcept { return ids.subspan(first(row), count(row)); }
    [[nodiscard]] std::span<const T> values_of(std::size_t row) const noexcept { return values.subspan(first(row), count(row)); }
    [[nodiscard]] std::size_t count(std::size_t row) const noexcept { return static_cast<std::size_t>(starts[row + 1] - starts[row]); }

   private:
    [[nodiscard]] std::size_t first(std::size_t row) const noexcept { return static_cast<std::size_t>(starts[row]); }
};

// The same, owned.
template <class T>
struct sparse_table {
    std::vector<std::int64_t> starts;
    std::vector<std::int32_t> ids;
    std::vector<T> values;
    std::size_t columns = 0;

    [[nodiscard]] sparse_rows<T> view() const noexcept { return {starts, ids, values, columns}; }
};

template <class T>
sparse_table<T> transpose(const sparse_rows<T>& x) {
    sparse_table<T> out{std::vector<std::int64_t>(x.columns + 1), std::vector<std::int32_t>(x.ids.size()), std::vector<T>(x.ids.size()), x.size()};
    for (const auto id : x.ids) ++out.starts[static_cast<std::size_t>(id) + 1];
    std::partial_sum(out.starts.begin(), out.starts.end(), out.starts.begin());
    auto next = out.starts;
    for (std::size_t row = 0; row < x.size(); ++row) {
        const auto ids = x.ids_of(row);
        const auto values = x.values_of(row);
        for (std::size_t k = 0; k < ids.size(); ++k) {
            const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(ids[k])]++);
            out.ids[at] = static_cast<std::int32_t>(row);
            out.values[at] = values[k];
        }
    }
    return out;
}

// The levels that entries use, in ascending order and each once, and the row of every level (-1 = not used).
template <class Id, class Value>
std::vector<Id> sorted_levels(const std::vector<bool>& used, const Value& value, std::vector<std::int32_t>& rows) {
    using key = std::invoke_result_t<const Value&, std::size_t>;
    std::vector<std::pair<key, std::size_t>> order;
    for (std::size_t level = 0; level < used.size(); ++level)
        if (used[level]) order.emplace_back(value(level), level);
    std::sort(order.begin(), order.end());
    std::vector<Id> out;
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i == 0 || order[i].first != order[i - 1].first) out.emplace_back(order[i].first);
        require(std::cmp_less_equal(out.size(), std::numeric_limits<std::int32_t>::max()), errc::limit_exceeded, "interactions: more than 2147483647 ids");
        rows[order[i].second] = static_cast<std::int32_t>(out.size()) - 1;
    }
    return out;
}

struct encoded_ids {
    id_table table;
    std::vector<std::int32_t> rows;  // one an entry; -1 = not in the given table
};
template <std::same_as<id_column> Column>
encoded_ids encode_ids(const Column& column, const id_table* given, std::string_view what) {
    std::vector<std::size_t> levels(column.size());
    std::vector<bool> used(column.levels());
    for (std::size_t i = 0; i < levels.size(); ++i) used[levels[i] = column.level_of(i, what)] = true;

    std::vector<std::int32_t> rows(used.size(), -1);
    encoded_ids out;
    if (given != nullptr) {
        for (std::size_t level = 0; level < used.size(); ++level)
            if (const auto row = !used[level] ? std::nullopt : column.is_text() ? given->find(column.text(level)) : given->find(column.number(level)); row)
                rows[level] = static_cast<std::int32_t>(*row);
        out.table = *given;
    } else if (column.is_text()) {
        out.table = id_table(sorted_levels<std::string>(used, [&](std::size_t level) { return column.text(level); }, rows), {});
    } else {
        out.table = id_table({}, sorted_levels<std::int64_t>(used, [&](std::size_t level) { return column.number(level); }, rows));
    }
    out.rows.resize(levels.size());
    for (std::size_t i = 0; i < levels.size(); ++i) out.rows[i] = rows[levels[i]];
    return out;
}

}  // namespace detail

/// What becomes of several entries of one customer and item. (Of their times the latest is kept.)
enum class duplicates : std::uint8_t {
    sum,     ///< the values are added up
    last,    ///< the value of the latest time counts; without times, or at the same time, that of the last entry
    max,     ///< the largest value counts
    refuse,  ///< `error` (`bad_data`) with the row of the second entry
};
/// What becomes of an entry whose customer or item is not in the given `id_table`.
enum class unlisted : std::uint8_t {
    refuse,  ///< `error` (`unknown_id`) with the row of the entry
    drop,    ///< it is left out
};

/// Columns of equal length, one row an entry. Without values each entry counts 1; times are optional.
template <class T>
struct interaction_columns {
    id_column customers;
    id_column items;
    std::span<const T> values = {};
    std::span<const std::chrono::sys_seconds> times = {};
};

/// How pairs become a table: what repeated ones mean, and which ids it numbers.
struct interactions_options {
    duplicates on_duplicates = duplicates::sum;
    /// Give these to number customers or items as other interactions do (a test set as its training set); they are kept
    /// whole, so some rows may be empty. Otherwise the ids that occur are numbered in ascending order.
    const id_table* customers = nullptr;
    const id_table* items = nullptr;
    unlisted on_unlisted = unlisted::refuse;
};

/// (customers, items) with a value where a customer had something to do with an item: sparse, by customer.
/// Values are finite; what they mean (counts, ratings, confidences) is for the recipe to say.
template <class T>
class interactions {
   public:
    using value_type = T;
    /// What one customer bought, by ascending row of the item. `seconds` (since 1970-01-01 UTC) is empty without times.
    struct purchases {
        std::span<const std::int32_t> items;
        std::span<const T> values;
        std::span<const std::int64_t> seconds;
        [[nodiscard]] std::size_t size() const noexcept { return items.size(); }
        [[nodiscard]] std::chrono::sys_seconds time_of(std::size_t k) const { return std::chrono::sys_seconds(std::chrono::seconds(seconds[k])); }
    };

    interactions() : starts_{0} {}
    /// Throws `error` with the entry's row (counted from 1): `shape_mismatch` (columns of different lengths, without a
    /// row), `missing_value` (an empty id, a missing code), `nan_or_inf`, `unknown_id` and `bad_data` (see the options),
    /// `number_out_of_range` (a sum beyond T).
    explicit interactions(const interaction_columns<T>& columns, const interactions_options& options = {}) : interactions() { build(columns, options); }
    /// From a list of structs: `entry.customer`, `entry.item` (texts or integers) and, where it has them, `entry.value`
    /// and `entry.time` (`sys_seconds`).
    template <std::ranges::contiguous_range Entries>
    [[nodiscard]] static interactions of(const Entries& entries, const interactions_options& options = {}) {
        using entry = std::ranges::range_value_t<Entries>;
        std::vector<T> values;
        std::vector<std::chrono::sys_seconds> times;
        for (const entry& e : entries) {
            if constexpr (requires { e.value; }) values.push_back(static_cast<T>(e.value));
            if constexpr (requires { e.time; }) times.push_back(e.time);
        }
        const auto customers = ids_of(entries, [](const entry& e) -> const auto& { return e.customer; });
        const auto items = ids_of(entries, [](const entry& e) -> const auto& { return e.item; });
        return interactions({.customers = customers, .items = items, .values = values, .times = times}, options);
    }
    /// From its fields. Throws `error` (`bad_data`) where they do not belong together.
    interactions(id_table customers, id_table items, std::vector<std::int64_t> starts, std::vector<std::int32_t> bought, std::vector<T> values,
                 std::vector<std::int64_t> times)
        : customers_(std::move(customers)),
          items_(std::move(items)),
          starts_(std::move(starts)),
          bought_(std::move(bought)),
          values_(std::move(values)),
          seconds_(std::move(times)) {
        require(starts_.size() == customers_.size() + 1 && starts_.front() == 0 && starts_.back() == static_cast<std::int64_t>(bought_.size()) &&
                    std::is_sorted(starts_.begin(), starts_.end()) && values_.size() == bought_.size() &&
                    (seconds_.empty() || seconds_.size() == bought_.size()),
                errc::bad_data, "interactions: starts, items, values and times do not belong together");
        for (std::size_t row = 0; row < rows(); ++row) {
            const auto mine = (*this)[row];
            for (std::size_t k = 0; k < mine.size(); ++k)
                require_at(mine.items[k] >= 0 && std::cmp_less(mine.items[k], items_.size()) && (k == 0 || mine.items[k - 1] < mine.items[k]) &&
                               std::isfinite(mine.values[k]),
                           errc::bad_data, {.row = row + 1}, "interactions: row ", row + 1,
                           " has an item outside the table, out of order, or without a finite value");
        }
    }

    /// The number of customers.
    [[nodiscard]] std::size_t rows() const noexcept { return customers_.size(); }
    /// The number of different (customer, item) pairs.
    [[nodiscard]] std::size_t pairs() const noexcept { return bought_.size(); }
    [[nodiscard]] bool empty() const noexcept { return bought_.empty(); }
    [[nodiscard]] bool has_times() const noexcept { return !seconds_.empty(); }
    [[nodiscard]] const id_table& customers() const noexcept { return customers_; }
    [[nodiscard]] const id_table& items() const noexcept { return items_; }
    /// Not checked: `customer` is below `rows()`.
    [[nodiscard]] purchases operator[](std::size_t customer) const noexcept {
        const auto first = static_cast<std::size_t>(starts_[customer]);
        const auto n = static_cast<std::size_t>(starts_[customer + 1]) - first;
        const auto part = [&]<class V>(const std::vector<V>& all) { return std::span<const V>(all).subspan(first, n); };
        return {part(bought_), part(values_), seconds_.empty() ? std::span<const std::int64_t>() : part(seconds_)};
    }
    [[nodiscard]] bool contains(std::size_t customer, std::int32_t item) const noexcept { return std::ranges::binary_search((*this)[customer].items, item); }

    /// The same pairs without their times.
    [[nodiscard]] interactions without_times() const {
        interactions out;
        std::tie(out.customers_, out.items_, out.starts_, out.bought_, out.values_) = std::tie(customers_, items_, starts_, bought_, values_);
        return out;
    }
    /// Those pairs for which `keep(customer, k)` is true, in the same numbering: k counts what is in `(*this)[customer]`.
    /// Asked once a pair, customer after customer.
    template <std::predicate<std::size_t, std::size_t> Keep>
    [[nodiscard]] interactions pairs_where(const Keep& keep) const {
        interactions out;
        out.customers_ = customers_;
        out.items_ = items_;
        out.starts_.reserve(starts_.size());
        for (std::size_t row = 0; row < rows(); ++row) {
            const auto mine = (*this)[row];
            for (std::size_t k = 0; k < mine.size(); ++k)
                if (keep(row, k)) out.append(mine.items[k], mine.values[k], has_times() ? std::optional(mine.seconds[k]) : std::nullopt);
            out.close_row();
        }
        return out;
    }
    /// Those pairs that `other` does not have, in the same numbering: what customers of a test set bought for the first
    /// time. Throws `error` (`bad_data`) unless both number customers and items alike.
    [[nodiscard]] interactions pairs_not_in(const interactions& other) const {
        require(customers_ == other.customers_ && items_ == other.items_, errc::bad_data,
                "interactions: pairs_not_in needs the same numbering of customers and items");
        return pairs_where([&](std::size_t customer, std::size_t k) { return !other.contains(customer, (*this)[customer].items[k]); });
    }

    [[nodiscard]] detail::sparse_rows<T> by_customer() const noexcept { return {starts_, bought_, values_, items_.size()}; }
    [[nodiscard]] detail::sparse_table<T> by_item() const { return detail::transpose(by_customer()); }

    friend bool operator==(const interactions&, const interactions&) = default;
    static constexpr std::array field_names{"customers", "items", "starts", "bought", "values", "seconds"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(customers_, items_, starts_, bought_, values_, seconds_); }

   private:
    template <class Entries, class Get>
    static auto ids_of(const Entries& entries, const Get& get) {
        using id = std::remove_cvref_t<std::invoke_result_t<const Get&, decltype(*std::ranges::data(entries))>>;
        std::vector<std::conditional_t<detail::IntegerId<id>, id, std::string_view>> out;
        out.reserve(std::ranges::size(entries));
        for (const auto& e : entries) out.emplace_back(get(e));
        return out;
    }

    void append(std::int32_t item, T value, std::optional<std::int64_t> when) {
        bought_.push_back(item);
        values_.push_back(value);
        if (when) seconds_.push_back(*when);
    }
    void close_row() { starts_.push_back(static_cast<std::int64_t>(bought_.size())); }

    void build(const interaction_columns<T>& columns, const interactions_options& options) {
        const std::size_t n = columns.customers.size();
        require(columns.items.size() == n, errc::shape_mismatch, "interactions: ", n, " customers but ", columns.items.size(), " items");
        require(columns.values.empty() || columns.values.size() == n, errc::shape_mismatch, "interactions: ", n, " customers but ", columns.values.size(),
                " values");
        require(columns.times.empty() || columns.times.size() == n, errc::shape_mismatch, "interactions: ", n, " customers but ", columns.times.size(),
                " times");
        for (std::size_t i = 0; i < columns.values.size(); ++i)
            require_at(std::isfinite(columns.values[i]), errc::nan_or_inf, {.row = i + 1}, "interactions: the value of entry ", i + 1, " is not finite");

        auto customers = detail::encode_ids(columns.customers, options.customers, "customer");
        auto items = detail::encode_ids(columns.items, options.items, "item");
        customers_ = std::move(customers.table);
        items_ = std::move(items.table);

        // Entries by customer, in the order given; then each row by item.
        std::vector<std::size_t> ends(rows() + 1);
        for (std::size_t i = 0; i < n; ++i) {
            const bool listed = customers.rows[i] >= 0 && items.rows[i] >= 0;
            require_at(listed || options.on_unlisted == unlisted::drop, errc::unknown_id, {.row = i + 1}, "interactions: the customer or item of entry ", i + 1,
                       " is not in the given table");
            if (listed) ++ends[static_cast<std::size_t>(customers.rows[i]) + 1];
        }
        std::partial_sum(ends.begin(), ends.end(), ends.begin());
        std::vector<std::size_t> order(ends.back());
        auto next = ends;
        for (std::size_t i = 0; i < n; ++i)
            if (customers.rows[i] >= 0 && items.rows[i] >= 0) order[next[static_cast<std::size_t>(customers.rows[i])]++] = i;
        for (std::size_t row = 0; row < rows(); ++row) {
            const auto mine = std::span(order).subspan(ends[row], ends[row + 1] - ends[row]);
            std::ranges::sort(mine, {}, [&](std::size_t i) { return std::pair(items.rows[i], i); });
            for (std::size_t from = 0, to = 0; from < mine.size(); from = to) {
                for (to = from + 1; to < mine.size() && items.rows[mine[to]] == items.rows[mine[from]];) ++to;
                append_merged(columns, options.on_duplicates, items.rows[mine[from]], mine.subspan(from, to - from));
            }
            close_row();
        }
    }

    // The entries of one customer and item, in the order given.
    void append_merged(const interaction_columns<T>& columns, duplicates rule, std::int32_t item, std::span<const std::size_t> entries) {
        if (entries.size() > 1 && rule == duplicates::refuse)
            fail(errc::bad_data, {.row = entries[1] + 1}, "interactions: entry ", entries[1] + 1, " repeats the customer and item of entry ", entries[0] + 1);
        const auto value_of = [&](std::size_t i) { return columns.values.empty() ? 1.0 : static_cast<double>(columns.values[i]); };
        double value = value_of(entries[0]);
        std::optional<std::int64_t> latest;
        if (!columns.times.empty()) latest = columns.times[entries[0]].time_since_epoch().count();
        for (const std::size_t i : entries.subspan(1)) {
            const bool is_latest = columns.times.empty() || columns.times[i].time_since_epoch().count() >= *latest;
            if (is_latest && latest) latest = columns.times[i].time_since_epoch().count();
            switch (rule) {
                case duplicates::sum: value += value_of(i); break;
                case duplicates::max: value = std::max(value, value_of(i)); break;
                case duplicates::last: value = is_latest ? value_of(i) : value; break;
                case duplicates::refuse: break;
            }
        }
        require_at(std::abs(value) <= static_cast<double>(std::numeric_limits<T>::max()), errc::number_out_of_range, {.row = entries.back() + 1},
                   "interactions: the values of the entries up to ", entries.back() + 1, " add up beyond the number type");
        append(item, static_cast<T>(value), latest);
    }

    id_table customers_, items_;
    std::vector<std::int64_t> starts_;
    std::vector<std::int32_t> bought_;
    std::vector<T> values_;
    std::vector<std::int64_t> seconds_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
