#ifndef CARAMEL_DATA_TABLE_HPP
#define CARAMEL_DATA_TABLE_HPP

// Named columns of equal length, as they come from files and from a host's own structs, and single rows of them.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/finite.hpp>
#include <caramel/core/string_numbers.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What the cells of a column are. Numbers never change.
enum class column_type : std::uint8_t {
    number = 0,     ///< double, always finite
    integer = 1,    ///< std::int64_t
    category = 2,   ///< UTF-8 text, stored once per distinct value
    timestamp = 3,  ///< std::chrono::sys_seconds
};

/// The type's name, as messages have it.
[[nodiscard]] constexpr std::string_view name_of(column_type type) noexcept {
    switch (type) {
        case column_type::number: return "number";
        case column_type::integer: return "integer";
        case column_type::category: return "category";
        case column_type::timestamp: return "timestamp";
    }
    return "unknown";
}

/// The most rows that a table may have.
inline constexpr std::size_t max_table_rows = std::numeric_limits<std::int32_t>::max();

namespace detail {

struct already_checked {};

}  // namespace detail

/// The text cells of a column: row i holds `levels[codes[i]]`, or nothing where its code is -1.
struct category_view {
    std::span<const std::int32_t> codes;
    std::span<const std::string> levels;

    /// The text of row i; empty where it is missing.
    template <class = void>
    [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept {
        return codes[i] < 0 ? std::string_view{} : std::string_view(levels[static_cast<std::size_t>(codes[i])]);
    }
    [[nodiscard]] std::size_t size() const noexcept { return codes.size(); }
};

/// The cells of one column, with one bit a row that says which are missing. Never changes, so tables share it.
/// What lies under a missing bit is 0 (code -1 for categories).
class table_column {
   public:
    /// Missing bits: one a row, or none at all. Throw `error`: `shape_mismatch`; `nan_or_inf` with the row.
    template <class = void>
    explicit table_column(std::vector<double> values, std::vector<bool> missing = {})
        : type_(column_type::number), numbers_(std::move(values)), missing_(std::move(missing)) {
        settle(numbers_, 0.0);
        require_finite_rows(numbers_);
    }
    template <class = void>
    table_column(detail::already_checked, std::vector<double>&& values, std::vector<bool>&& missing)
        : type_(column_type::number), numbers_(std::move(values)), missing_(std::move(missing)) {
        settle(numbers_, 0.0);
    }
    template <class = void>
    explicit table_column(std::vector<std::int64_t> values, std::vector<bool> missing = {})
        : type_(column_type::integer), integers_(std::move(values)), missing_(std::move(missing)) {
        settle(integers_, std::int64_t{0});
    }
    template <class = void>
    explicit table_column(std::vector<std::chrono::sys_seconds> values, std::vector<bool> missing = {})
        : type_(column_type::timestamp), times_(std::move(values)), missing_(std::move(missing)) {
        settle(times_, std::chrono::sys_seconds{});
    }
    template <class Texts>
        requires std::same_as<typename Texts::value_type, std::string>
    explicit table_column(const Texts& all, const std::vector<bool>& missing = {}) : type_(column_type::category), missing_(missing) {
        const std::span<const std::string> texts(all);
        require(missing.empty() || missing.size() == texts.size(), errc::shape_mismatch, "table: ", texts.size(), " values but ", missing.size(), " missing bits");
        detail::string_numbers<> numbers;
        codes_.reserve(texts.size());
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const bool absent = !missing.empty() && missing[i];
            require_at(absent || detail::is_utf8_text(texts[i]), errc::bad_utf8, {.row = i + 1}, "table: row ", i + 1, " is not UTF-8");
            codes_.push_back(absent ? -1 : static_cast<std::int32_t>(numbers.number_of(texts[i])));
        }
        levels_ = std::make_shared<const std::vector<std::string>>(numbers.texts());
        settle(codes_, -1);
    }
    /// Text as codes into `levels`, which are distinct; -1 is a missing cell.
    /// Throws `error`: `bad_data` (a code without a level, a level twice), `bad_utf8`.
    template <class Levels = std::vector<std::string>>
        requires std::same_as<Levels, std::vector<std::string>>
    table_column(std::vector<std::int32_t> codes, Levels levels)
        : table_column((check(codes, levels), detail::already_checked{}), std::move(codes), std::move(levels)) {}
    template <class = void>
    table_column(detail::already_checked, std::vector<std::int32_t>&& codes, std::vector<std::string>&& levels)
        : type_(column_type::category), codes_(std::move(codes)), levels_(std::make_shared<const std::vector<std::string>>(std::move(levels))) {
        mark_missing_codes(codes_);
        settle(codes_, -1);
    }

    [[nodiscard]] column_type type() const noexcept { return type_; }
    [[nodiscard]] std::size_t size() const noexcept {
        switch (type_) {
            case column_type::number: return numbers_.size();
            case column_type::integer: return integers_.size();
            case column_type::category: return codes_.size();
            case column_type::timestamp: break;
        }
        return times_.size();
    }
    [[nodiscard]] bool missing(std::size_t i) const noexcept { return !missing_.empty() && missing_[i]; }
    [[nodiscard]] bool any_missing() const noexcept { return !missing_.empty(); }
    /// One bit a row; empty where no value is missing.
    [[nodiscard]] const std::vector<bool>& missing() const noexcept { return missing_; }

    /// Throw `error` (`wrong_column_type`) on a column of another type.
    template <class = void>
    [[nodiscard]] std::span<const double> numbers() const { return require_type(column_type::number), std::span(numbers_.data(), numbers_.size()); }
    template <class = void>
    [[nodiscard]] std::span<const std::int64_t> integers() const { return require_type(column_type::integer), std::span(integers_.data(), integers_.size()); }
    template <class = void>
    [[nodiscard]] std::span<const std::chrono::sys_seconds> timestamps() const { return require_type(column_type::timestamp), std::span(times_.data(), times_.size()); }
    template <class = void>
    [[nodiscard]] category_view categories() const {
        require_type(column_type::category);
        if (!levels_) return {};  // moved from
        return {{codes_.data(), codes_.size()}, {levels_->data(), levels_->size()}};
    }

    /// Rows in any order, also more than once. Categories keep all their levels.
    /// Throws `error` (`bad_parameter`) on a row that the column does not have.
    template <class Rows>
        requires std::same_as<typename Rows::value_type, std::size_t>
    [[nodiscard]] table_column take_rows(const Rows& chosen) const {
        const std::span<const std::size_t> rows(chosen);
        for (const std::size_t row : rows) require(row < size(), errc::bad_parameter, "table: row number ", row, " (from 0) of ", size(), " rows");
        const auto taken = [rows](const auto& from) {
            std::remove_cvref_t<decltype(from)> out;
            if (from.empty()) return out;
            out.reserve(rows.size());
            for (const std::size_t row : rows) out.push_back(from[row]);
            return out;
        };
        switch (type_) {
            case column_type::number: return table_column(taken(numbers_), taken(missing_));
            case column_type::integer: return table_column(taken(integers_), taken(missing_));
            case column_type::category: break;
            case column_type::timestamp: return table_column(taken(times_), taken(missing_));
        }
        table_column out(detail::already_checked{}, taken(codes_), {});
        out.levels_ = levels_;
        return out;
    }

    /// Equal type, missing bits and values; categories also with equal levels.
    template <std::same_as<table_column> Column>
    friend bool operator==(const Column& a, const Column& b) {
        return a.type_ == b.type_ && a.missing_ == b.missing_ && a.numbers_ == b.numbers_ && a.integers_ == b.integers_ && a.codes_ == b.codes_ &&
               a.times_ == b.times_ && (a.levels_ == b.levels_ || (a.levels_ && b.levels_ && *a.levels_ == *b.levels_));
    }

   private:
    // One representation, so that equal columns compare equal: no missing bits where nothing is missing, and `none` under each.
    template <class Values, class Value>
    void settle(Values& values, const Value& none) {
        require(values.size() <= max_table_rows, errc::limit_exceeded, "table: ", values.size(), " rows, at most ", max_table_rows);
        require(missing_.empty() || missing_.size() == values.size(), errc::shape_mismatch, "table: ", values.size(), " values but ", missing_.size(),
                " missing bits");
        bool any = false;
        for (std::size_t i = 0; i < missing_.size(); ++i)
            if (missing_[i]) {
                values[i] = none;
                any = true;
            }
        if (!any) missing_.clear();
    }
    template <class Values>
    static void require_finite_rows(const Values& values) {
        if (detail::all_finite(values.data(), values.size())) return;
        for (std::size_t i = 0; i < values.size(); ++i)
            require_at(std::isfinite(values[i]), errc::nan_or_inf, {.row = i + 1}, "table: row ", i + 1, " is not finite; mark it as missing or leave it out");
    }
    template <class Codes>
    void mark_missing_codes(const Codes& codes) {
        for (std::size_t i = 0; i < codes.size(); ++i)
            if (codes[i] < 0) {
                missing_.resize(codes.size());
                missing_[i] = true;
            }
    }
    template <class Codes, class Levels>
    static void check(const Codes& codes, const Levels& levels) {
        for (const std::int32_t code : codes)
            require(code >= -1 && code < static_cast<std::int64_t>(levels.size()), errc::bad_data, "table: a code has no level, there are ", levels.size());
        for (const auto& level : levels) require(detail::is_utf8_text(level), errc::bad_utf8, "table: a text is not UTF-8");
        detail::string_numbers<> distinct;
        for (const auto& level : levels) require(distinct.insert(level).second, errc::bad_data, "table: a level stands twice among ", levels.size());
    }
    template <class = void>
    void require_type(column_type wanted) const {
        require(type_ == wanted, errc::wrong_column_type, "table: the column is of type ", name_of(type_), ", not ", name_of(wanted));
    }

    column_type type_;
    std::vector<double> numbers_;  // one of these four has the values
    std::vector<std::int64_t> integers_;
    std::vector<std::int32_t> codes_;
    std::vector<std::chrono::sys_seconds> times_;
    std::shared_ptr<const std::vector<std::string>> levels_;
    std::vector<bool> missing_;
};

/// One value of a row. Trivial, so that it can lie in a `workspace`.
struct cell {
    column_type type;
    bool missing;
    double number;         ///< of a number column, else 0
    std::int64_t integer;  ///< of an integer column, or the seconds of a timestamp, else 0
    const char* text_data;
    std::size_t text_size;

    [[nodiscard]] std::string_view text() const noexcept { return {text_data, text_size}; }
    [[nodiscard]] std::chrono::sys_seconds when() const noexcept { return std::chrono::sys_seconds(std::chrono::seconds(integer)); }

    static constexpr cell of_missing(column_type type) noexcept { return {type, true, 0, 0, "", 0}; }
    static constexpr cell of(double x) noexcept { return {column_type::number, false, x, 0, "", 0}; }
    static constexpr cell of(std::int64_t x) noexcept { return {column_type::integer, false, 0, x, "", 0}; }
    static constexpr cell of(std::chrono::sys_seconds x) noexcept { return {column_type::timestamp, false, 0, x.time_since_epoch().count(), "", 0}; }
    static constexpr cell of(std::string_view x) noexcept { return {column_type::category, false, 0, 0, x.data(), x.size()}; }
};

/// One row of a table: a view of names and cells that others own, mostly a `workspace`.
struct table_row {
    using lies_in_workspace = void;  // so that chains do not hand one out that points nowhere
    std::span<const std::string> names;
    std::span<const cell> cells;

    /// Throws `error` (`missing_column`) when there is none of this name.
    template <class = void>
    [[nodiscard]] const cell& operator[](std::string_view name) const {
        const auto found = std::find(names.begin(), names.end(), name);
        require(found != names.end(), errc::missing_column, "table: no column \"", name, "\" among ", names.size());
        return cells[static_cast<std::size_t>(found - names.begin())];
    }
};

namespace detail {

// What a host's value becomes in a table.
template <class X>
inline constexpr bool is_optional = false;
template <class X>
inline constexpr bool is_optional<std::optional<X>> = true;
template <class X>
inline constexpr bool is_sys_time = false;
template <class Duration>
inline constexpr bool is_sys_time<std::chrono::sys_time<Duration>> = true;
template <class X>
concept TextValue = std::convertible_to<const X&, std::string_view> && !std::same_as<X, std::nullptr_t>;
template <class X>
concept PlainCellValue = std::is_arithmetic_v<X> || std::is_enum_v<X> || TextValue<X> || is_sys_time<X>;
template <class X>
concept CellValue = PlainCellValue<X> || (is_optional<X> && requires { requires PlainCellValue<typename X::value_type>; });

template <PlainCellValue X>
consteval column_type column_type_of() {
    if constexpr (TextValue<X>) return column_type::category;
    else if constexpr (is_sys_time<X>) return column_type::timestamp;
    else if constexpr (std::is_floating_point_v<X>) return column_type::number;
    else return column_type::integer;
}

// The value as the column stores it.
template <PlainCellValue X>
auto stored_value(const X& x, std::size_t row) {
    constexpr column_type type = column_type_of<X>();
    if constexpr (type == column_type::category) {
        const std::string_view text(x);
        require_at(is_utf8_text(text), errc::bad_utf8, {.row = row}, "table: row ", row, " is not UTF-8");
        return text;
    } else if constexpr (type == column_type::timestamp) {
        return std::chrono::floor<std::chrono::seconds>(x);
    } else if constexpr (type == column_type::number) {
        const auto number = static_cast<double>(x);
        require_at(std::isfinite(number), errc::nan_or_inf, {.row = row}, "table: row ", row, " is not finite; use std::optional for missing values");
        return number;
    } else if constexpr (std::is_enum_v<X>) {
        return static_cast<std::int64_t>(x);
    } else {
        if constexpr (std::is_unsigned_v<X> && sizeof(X) == sizeof(std::int64_t))
            require_at(x <= static_cast<X>(std::numeric_limits<std::int64_t>::max()), errc::number_out_of_range, {.row = row}, "table: row ", row,
                       " is beyond the 64 bits of an integer");
        return static_cast<std::int64_t>(x);
    }
}

template <class X>
struct plain_cell : std::type_identity<X> {};
template <class X>
struct plain_cell<std::optional<X>> : std::type_identity<X> {};

// A column from host values, one after the other.
template <CellValue X>
class column_builder {
   public:
    using plain = typename plain_cell<X>::type;
    static constexpr column_type type = column_type_of<plain>();
    static constexpr bool is_text = type == column_type::category;
    using value = std::conditional_t<is_text, std::int32_t, decltype(stored_value(std::declval<const plain&>(), std::size_t{}))>;

    explicit column_builder(std::size_t rows) { values_.reserve(rows); }
    void push(const X& x) {
        if constexpr (is_optional<X>) {
            if (!x) {
                missing_.resize(values_.size() + 1);
                missing_.back() = true;
                values_.push_back(value{});
                if constexpr (is_text) values_.back() = -1;
            } else {
                push_plain(*x);
            }
        } else {
            push_plain(x);
        }
    }
    [[nodiscard]] table_column finish() && {
        if constexpr (is_text) {
            return table_column(already_checked{}, std::move(values_), codes_.texts());
        } else {
            if (!missing_.empty()) missing_.resize(values_.size());
            return table_column(std::move(values_), std::move(missing_));
        }
    }

   private:
    void push_plain(const plain& x) {
        const auto stored = stored_value(x, values_.size() + 1);
        if constexpr (is_text) values_.push_back(static_cast<value>(codes_.number_of(stored)));
        else values_.push_back(stored);
    }
    std::vector<value> values_;
    std::vector<bool> missing_;
    string_numbers<> codes_;
};

// Errors of a column that is being made know the row only.
template <class Make>
auto in_column(std::size_t number, const Make& make) {
    try {
        return make();
    } catch (const error& e) {
        place where = e.where();
        where.column = number;
        throw error(e.code(), message(e.what(), " (column ", number, ")"), where);
    }
}

}  // namespace detail

/// A column's name, and how a row of the host gives its value. Made by `field`.
template <class Read>
struct table_field {
    std::string name;
    Read read;  ///< a member pointer, or a callable of a row
};

/// Names what to take from a host's struct: `field("tenure", &customer::tenure)`, or a callable of a row. What it gives
/// decides the column's type: floating point -> number; integers, enums and bool (0, 1) -> integer; std::string,
/// std::string_view -> category; std::chrono::sys_time -> timestamp (rounded down); std::optional of these -> missing.
template <class Read>
[[nodiscard]] table_field<Read> field(std::string name, Read read) {
    return {std::move(name), std::move(read)};
}

namespace detail {
template <class Read, class Row>
using read_t = std::remove_cvref_t<std::invoke_result_t<const Read&, const Row&>>;
template <class Read, class Row>
concept ReadsCell = std::invocable<const Read&, const Row&> && CellValue<read_t<Read, Row>>;
template <class Rows>
concept RowRange = requires(const Rows& rows) {
    rows.size();
    *rows.begin();
    rows.end();
};
template <RowRange Rows>
using row_t = std::remove_cvref_t<decltype(*std::declval<const Rows&>().begin())>;
}  // namespace detail

/// Named columns of equal length. A regular value: copies share the columns, which never change.
class table {
   public:
    table() = default;

    /// A table from the host's structs: `table::of(customers, field("tenure", &customer::tenure), ...)`.
    /// Throws `error` with row and column: `nan_or_inf`, `bad_utf8`, `number_out_of_range`; `duplicate_column`.
    template <detail::RowRange Rows, class... Read>
        requires(detail::ReadsCell<Read, detail::row_t<Rows>> && ...)
    [[nodiscard]] static table of(const Rows& rows, const table_field<Read>&... fields) {
        table out;
        out.rows_ = rows.size();
        (out.add_column(fields.name, detail::in_column(out.columns() + 1, [&] { return read_column(rows, fields); })), ...);
        return out;
    }

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t columns() const noexcept { return names_.size(); }
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
    template <class = void>
    [[nodiscard]] bool has(std::string_view name) const noexcept { return find(name) < names_.size(); }
    /// The column's number, from 0. Throws `error` (`missing_column`).
    template <class = void>
    [[nodiscard]] std::size_t position(std::string_view name) const {
        const std::size_t at = find(name);
        require(at < names_.size(), errc::missing_column, "table: no column \"", name, "\" among ", names_.size());
        return at;
    }
    /// Throws `error` (`missing_column`).
    template <class = void>
    [[nodiscard]] const table_column& column(std::string_view name) const { return *columns_[position(name)]; }
    template <class = void>
    [[nodiscard]] const table_column& column(std::size_t position) const {
        require(position < columns(), errc::missing_column, "table: column number ", position, " (from 0) of ", columns());
        return *columns_[position];
    }

    /// The values of a column, one a row; 0 (no text) where one is missing, as `column(name).missing(i)` says.
    /// Throw `error`: `missing_column`, `wrong_column_type`.
    template <class = void>
    [[nodiscard]] std::span<const double> numbers(std::string_view name) const { return typed(name, column_type::number).numbers(); }
    template <class = void>
    [[nodiscard]] std::span<const std::int64_t> integers(std::string_view name) const { return typed(name, column_type::integer).integers(); }
    template <class = void>
    [[nodiscard]] category_view categories(std::string_view name) const { return typed(name, column_type::category).categories(); }
    template <class = void>
    [[nodiscard]] std::span<const std::chrono::sys_seconds> timestamps(std::string_view name) const { return typed(name, column_type::timestamp).timestamps(); }

    /// Appends a column: one value a row. Throws `error`: `duplicate_column`, `shape_mismatch`.
    template <std::same_as<table_column> Column>
    void add_column(std::string name, Column values) {
        require_at(!has(name), errc::duplicate_column, {.column = columns() + 1}, "table: there is a column \"", name, "\" already");
        require_at(columns() == 0 || values.size() == rows_, errc::shape_mismatch, {.column = columns() + 1}, "table: column \"", name, "\" has ", values.size(),
                   " values, the table ", rows_, " rows");
        add_column(detail::already_checked{}, std::move(name), std::move(values));
    }
    // For loaders, which know that names differ and columns are of one length: looking for the name is linear in the columns.
    template <std::same_as<table_column> Column>
    void add_column(detail::already_checked, std::string name, Column values) {
        const std::size_t n = values.size();
        auto shared = std::make_shared<const Column>(std::move(values));
        if (names_.size() == names_.capacity()) names_.reserve(2 * names_.size() + 1);  // so that nothing below throws halfway
        if (columns_.size() == columns_.capacity()) columns_.reserve(2 * columns_.size() + 1);
        names_.push_back(std::move(name));
        columns_.push_back(std::move(shared));
        rows_ = n;
    }
    /// The same from values of the types that `field` knows, std::optional for missing ones or a bit for each.
    /// Throws also, with row and column: `nan_or_inf`, `bad_utf8`, `number_out_of_range`.
    template <detail::CellValue X>
    void add_column(std::string name, std::vector<X> values, std::vector<bool> missing = {}) {
        add_column(std::move(name), detail::in_column(columns() + 1, [&]() -> table_column {
            if constexpr (std::same_as<X, double> || std::same_as<X, std::int64_t> || std::same_as<X, std::chrono::sys_seconds>) {
                return table_column(std::move(values), std::move(missing));
            } else {
                require(missing.empty() || missing.size() == values.size(), errc::shape_mismatch, "table: ", values.size(), " values but ", missing.size(),
                        " missing bits");
                using plain = typename detail::plain_cell<X>::type;
                detail::column_builder<std::optional<plain>> builder(values.size());
                for (std::size_t i = 0; i < values.size(); ++i) {
                    const bool absent = !missing.empty() && missing[i];
                    builder.push(absent ? std::optional<plain>{} : std::optional<plain>(values[i]));
                }
                return std::move(builder).finish();
            }
        }));
    }

    /// Rows in the order given, also more than once. Throws `error` (`bad_parameter`) on a row that there is not.
    template <class Rows>
        requires std::same_as<typename Rows::value_type, std::size_t>
    [[nodiscard]] table take_rows(const Rows& chosen) const {
        const std::span<const std::size_t> rows(chosen);
        table out;
        out.rows_ = rows.size();
        for (std::size_t c = 0; c < columns(); ++c) out.append(names_[c], std::make_shared<const table_column>(columns_[c]->take_rows(rows)));
        return out;
    }
    /// Rows `begin` up to, not including, `end`. Throws `error` (`bad_parameter`) unless begin <= end <= rows().
    template <std::integral Begin, std::integral End>
    [[nodiscard]] table slice(Begin first, End last) const {
        const auto begin = static_cast<std::size_t>(first), end = static_cast<std::size_t>(last);
        require(begin <= end && end <= rows_, errc::bad_parameter, "table: slice from ", begin, " to ", end, " of ", rows_, " rows");
        std::vector<std::size_t> rows(end - begin);
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = begin + i;
        return take_rows(rows);
    }
    /// These columns, in the order given. Throws `error`: `missing_column`, `duplicate_column`.
    template <class = void>
    [[nodiscard]] table take_columns(const std::vector<std::string>& names) const {
        table out;
        out.rows_ = rows_;
        for (const auto& name : names) {
            const std::size_t at = position(name);
            require_at(!out.has(name), errc::duplicate_column, {.column = out.columns() + 1}, "table: column \"", name, "\" is wanted twice");
            out.append(name, columns_[at]);
        }
        return out;
    }
    /// All columns but these. Throws `error` (`missing_column`).
    template <class = void>
    [[nodiscard]] table drop(const std::vector<std::string>& names) const {
        for (const auto& name : names) (void)position(name);
        table out;
        out.rows_ = rows_;
        for (std::size_t c = 0; c < columns(); ++c)
            if (std::find(names.begin(), names.end(), names_[c]) == names.end()) out.append(names_[c], columns_[c]);
        return out;
    }
    /// The same table with a column under another name. Throws `error`: `missing_column`, `duplicate_column`.
    template <class = void>
    [[nodiscard]] table renamed(std::string_view from, std::string to) const {
        const std::size_t at = position(from);
        require_at(to == from || !has(to), errc::duplicate_column, {.column = at + 1}, "table: there is a column \"", to, "\" already");
        table out = *this;
        out.names_[at] = std::move(to);
        return out;
    }

    /// Equal names, types, missing bits and values in equal order; categories also with equal levels.
    template <std::same_as<table> Table>
    friend bool operator==(const Table& a, const Table& b) {
        return a.rows_ == b.rows_ && a.names_ == b.names_ &&
               std::equal(a.columns_.begin(), a.columns_.end(), b.columns_.begin(), b.columns_.end(),
                          [](const auto& x, const auto& y) { return x == y || *x == *y; });
    }

   private:
    template <class = void>
    [[nodiscard]] std::size_t find(std::string_view name) const noexcept {
        return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
    }
    template <class = void>
    [[nodiscard]] const table_column& typed(std::string_view name, column_type wanted) const {
        const std::size_t at = position(name);
        const column_type type = columns_[at]->type();
        require_at(type == wanted, errc::wrong_column_type, {.column = at + 1}, "table: column \"", name, "\" is of type ", name_of(type), ", not ",
                   name_of(wanted));
        return *columns_[at];
    }
    template <class Rows, class Read>
    static table_column read_column(const Rows& rows, const table_field<Read>& field) {
        detail::column_builder<detail::read_t<Read, detail::row_t<Rows>>> builder(rows.size());
        for (const auto& row : rows) builder.push(std::invoke(field.read, row));
        return std::move(builder).finish();
    }
    template <class = void>
    void append(const std::string& name, std::shared_ptr<const table_column> values) {
        names_.push_back(name);
        columns_.push_back(std::move(values));
    }

    std::size_t rows_ = 0;
    std::vector<std::string> names_;
    std::vector<std::shared_ptr<const table_column>> columns_;
};

/// Row i of a table, in the workspace; texts and names stay in the table. To hand it to a model as a row of its own, give
/// the model another workspace: calls start over with theirs.
/// Throws `error` (`bad_parameter`) on a row that there is not.
template <std::same_as<table> Table>
[[nodiscard]] table_row row_of(const Table& from, std::size_t i, workspace& scratch) {
    const workspace::frame frame(scratch);
    require(i < from.rows(), errc::bad_parameter, "row_of: row number ", i, " (from 0) of ", from.rows(), " rows");
    const auto cells = scratch.take<cell>(from.columns());
    for (std::size_t c = 0; c < cells.size(); ++c) {
        const table_column& column = from.column(c);
        const column_type type = column.type();
        if (column.missing(i)) cells[c] = cell::of_missing(type);
        else if (type == column_type::number) cells[c] = cell::of(column.numbers()[i]);
        else if (type == column_type::integer) cells[c] = cell::of(column.integers()[i]);
        else if (type == column_type::category) cells[c] = cell::of(column.categories()[i]);
        else cells[c] = cell::of(column.timestamps()[i]);
    }
    return {from.names(), cells};
}

/// A stage from a host's structs to tables: many structs -> `table`, one struct and a workspace -> `table_row`, so that
/// a chain that was fitted on the one serves the other. Build with `fields(field(...), ...)`.
template <class... Read>
class fields_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "fields";

    /// Throws `error` (`duplicate_column`).
    explicit fields_model(table_field<Read>... fields) : names_{fields.name...}, fields_(std::move(fields)...) {
        for (std::size_t i = 0; i < names_.size(); ++i)
            require_at(std::find(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(i), names_[i]) == names_.begin() + static_cast<std::ptrdiff_t>(i),
                       errc::duplicate_column, {.column = i + 1}, "fields: the name \"", names_[i], "\" is given twice");
    }

    /// (rows) -> (rows, fields). Throws what `table::of` throws.
    template <detail::RowRange Rows>
        requires(detail::ReadsCell<Read, detail::row_t<Rows>> && ...)
    [[nodiscard]] table operator()(const Rows& rows) const {
        return std::apply([&](const auto&... field) { return table::of(rows, field...); }, fields_);
    }
    /// One struct -> (fields), all of it in the workspace. Throws what `table::of` throws, for row 1.
    template <class Row>
        requires(detail::ReadsCell<Read, Row> && ...)
    [[nodiscard]] table_row operator()(const Row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto cells = scratch.take<cell>(sizeof...(Read));
        std::size_t c = 0;
        std::apply([&](const auto&... field) { ((cells[c] = detail::in_column(c + 1, [&] { return cell_of(std::invoke(field.read, row), scratch); }), ++c), ...); },
                   fields_);
        return {names_, cells};
    }

    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
    /// The names that come out, whatever the host's members are called.
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return names_; }

   private:
    template <class X>
    static cell cell_of(const X& x, workspace& scratch) {
        if constexpr (detail::is_optional<X>) {
            return x ? cell_of(*x, scratch) : cell::of_missing(detail::column_type_of<typename X::value_type>());
        } else if constexpr (detail::TextValue<X>) {  // copied: what a callable gives may be gone
            const std::string_view text = detail::stored_value(x, 1);
            const auto copy = scratch.take<char>(text.size());
            std::copy(text.begin(), text.end(), copy.begin());
            return cell::of(std::string_view(copy.data(), copy.size()));
        } else {
            return cell::of(detail::stored_value(x, 1));
        }
    }
    std::vector<std::string> names_;
    std::tuple<table_field<Read>...> fields_;
};

template <class... Read>
[[nodiscard]] fields_model<Read...> fields(table_field<Read>... read) {
    return fields_model<Read...>(std::move(read)...);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
