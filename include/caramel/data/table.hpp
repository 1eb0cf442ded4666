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
#include <variant>
#include <vector>

#include <caramel/core/error.hpp>
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

// Bytes of the well-formed UTF-8 sequence at `p` (no overlong forms, no surrogates, at most U+10FFFF); 0 if there is none.
[[nodiscard]] inline std::size_t utf8_sequence_at(const char* p, const char* end) noexcept {
    const auto byte = [p](std::size_t i) { return static_cast<unsigned char>(p[i]); };
    const auto follows = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const auto left = static_cast<std::size_t>(end - p);
    if (left == 0) return 0;
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    if (lead < 0xE0) return left >= 2 && follows(1) ? 2 : 0;
    if (lead < 0xF0) {
        if (left < 3 || !follows(1) || !follows(2)) return 0;
        return (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ? 0 : 3;
    }
    if (left < 4 || !follows(1) || !follows(2) || !follows(3)) return 0;
    return (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F) ? 0 : 4;
}
[[nodiscard]] inline bool is_utf8_text(std::string_view text) noexcept {
    for (const char *p = text.data(), *end = p + text.size(); p != end;) {
        const std::size_t length = utf8_sequence_at(p, end);
        if (length == 0) return false;
        p += length;
    }
    return true;
}

struct already_checked {};

// Numbers distinct texts in order of first appearance. Open addressing over texts that lie one after the other in one
// piece of memory. Whoever constructs texts that collide gets a balanced tree after `max_probes`, not a quadratic time.
class text_codes {
   public:
    static constexpr std::size_t max_probes = 256;

    /// The code of `text`, a new one if it was not seen before.
    std::int32_t code_of(std::string_view text) {
        if (tree_) return code_in_tree(text);
        const std::uint64_t hash = hash_of(text);
        for (std::size_t i = hash & mask_, probes = 0;; i = (i + 1) & mask_, ++probes) {
            const std::uint64_t slot = slots_[i];
            if (slot == 0) return add(text, hash, i);
            if (((slot ^ hash) >> 32) == 0)
                if (const auto code = static_cast<std::int32_t>((slot & 0xFFFFFFFFU) - 1); is(code, text)) return code;
            if (probes == max_probes) break;
        }
        grow_tree();
        return code_in_tree(text);
    }
    [[nodiscard]] std::string_view operator[](std::int32_t code) const noexcept {
        const auto c = static_cast<std::size_t>(code);
        return {bytes_.data() + starts_[c], starts_[c + 1] - starts_[c]};
    }
    /// Whether a code stands for `text`. In words: cells are short, and a call of memcmp costs more than the comparison.
    [[nodiscard]] bool is(std::int32_t code, std::string_view text) const noexcept {
        const std::string_view known = (*this)[code];
        if (known.size() != text.size()) return false;
        const char *a = known.data(), *b = text.data();
        std::size_t n = text.size();
        for (; n > 8; a += 8, b += 8, n -= 8)
            if (load(a, 8) != load(b, 8)) return false;
        return load(a, n) == load(b, n);
    }
    [[nodiscard]] std::size_t size() const noexcept { return starts_.size() - 1; }
    [[nodiscard]] bool in_tree() const noexcept { return tree_ != nullptr; }
    [[nodiscard]] std::vector<std::string> texts() const {
        std::vector<std::string> out;
        out.reserve(size());
        for (std::size_t c = 0; c < size(); ++c) out.emplace_back((*this)[static_cast<std::int32_t>(c)]);
        return out;
    }

   private:
    static std::uint64_t load(const char* p, std::size_t n) noexcept {
        std::uint64_t word = 0;
        if (n >= 8) std::memcpy(&word, p, 8);
        else if (n >= 4) {
            std::uint32_t low = 0, high = 0;  // overlapping: two loads of a fixed size instead of a loop
            std::memcpy(&low, p, 4);
            std::memcpy(&high, p + n - 4, 4);
            word = (std::uint64_t{high} << 32) | low;
        } else if (n > 0) {
            word = static_cast<unsigned char>(p[0]) | (std::uint64_t{static_cast<unsigned char>(p[n / 2])} << 8) |
                   (std::uint64_t{static_cast<unsigned char>(p[n - 1])} << 16);
        }
        return word;
    }
    static std::uint64_t hash_of(std::string_view text) noexcept {
        const char* p = text.data();
        std::size_t n = text.size();
        std::uint64_t h = 0x9e3779b97f4a7c15U ^ (n * 0xbf58476d1ce4e5b9U);
        for (; n > 8; p += 8, n -= 8) {
            h = (h ^ load(p, 8)) * 0x94d049bb133111ebU;
            h ^= h >> 32;
        }
        h = (h ^ load(p, n)) * 0xbf58476d1ce4e5b9U;
        h = (h ^ (h >> 29)) * 0x94d049bb133111ebU;
        return h ^ (h >> 32);
    }
    std::int32_t append(std::string_view text) {
        require(size() < max_table_rows, errc::limit_exceeded, "table: more than ", max_table_rows, " distinct texts in a column");
        bytes_.append(text);
        starts_.push_back(bytes_.size());
        return static_cast<std::int32_t>(size() - 1);
    }
    std::int32_t add(std::string_view text, std::uint64_t hash, std::size_t slot) {
        const std::int32_t code = append(text);
        slots_[slot] = (hash & ~std::uint64_t{0xFFFFFFFFU}) | (static_cast<std::uint64_t>(code) + 1);
        if (2 * size() > mask_) rehash();
        return code;
    }
    void rehash() {
        mask_ = 2 * mask_ + 1;
        slots_.assign(mask_ + 1, 0);
        for (std::size_t c = 0; c < size(); ++c) {
            const std::uint64_t hash = hash_of((*this)[static_cast<std::int32_t>(c)]);
            std::size_t i = hash & mask_, probes = 0;
            while (slots_[i] != 0 && probes <= max_probes) i = (i + 1) & mask_, ++probes;
            if (slots_[i] != 0) return grow_tree();
            slots_[i] = (hash & ~std::uint64_t{0xFFFFFFFFU}) | (c + 1);
        }
    }
    void grow_tree() {
        tree_ = std::make_unique<std::map<std::string, std::int32_t, std::less<>>>();
        for (std::size_t c = 0; c < size(); ++c) tree_->emplace((*this)[static_cast<std::int32_t>(c)], static_cast<std::int32_t>(c));
        slots_ = {};
    }
    std::int32_t code_in_tree(std::string_view text) {
        const auto found = tree_->lower_bound(text);
        if (found != tree_->end() && found->first == text) return found->second;
        const std::int32_t code = append(text);
        tree_->emplace_hint(found, text, code);
        return code;
    }

    std::string bytes_;
    std::vector<std::size_t> starts_{0};
    std::size_t mask_ = 63;
    std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(64);  // high half of the hash, and code + 1; 0 is free
    std::unique_ptr<std::map<std::string, std::int32_t, std::less<>>> tree_;
};

}  // namespace detail

/// The text cells of a column: row i holds `levels[codes[i]]`, or nothing where its code is -1.
struct category_view {
    std::span<const std::int32_t> codes;
    std::span<const std::string> levels;

    /// The text of row i; empty where it is missing.
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
    explicit table_column(std::vector<double> values, std::vector<bool> missing = {}) : table_column(store(std::move(values)), std::move(missing)) {
        const auto& numbers = std::get<std::vector<double>>(values_);
        for (std::size_t i = 0; i < numbers.size(); ++i)
            require_at(std::isfinite(numbers[i]), errc::nan_or_inf, {.row = i + 1}, "table: row ", i + 1, " is not finite; mark it as missing or leave it out");
    }
    explicit table_column(std::vector<std::int64_t> values, std::vector<bool> missing = {}) : table_column(store(std::move(values)), std::move(missing)) {}
    explicit table_column(std::vector<std::chrono::sys_seconds> values, std::vector<bool> missing = {})
        : table_column(store(std::move(values)), std::move(missing)) {}
    explicit table_column(std::span<const std::string> texts, const std::vector<bool>& missing = {}) : table_column(encode(texts, missing), missing) {}
    /// Text as codes into `levels`, which are distinct; -1 is a missing cell.
    /// Throws `error`: `bad_data` (a code without a level, a level twice), `bad_utf8`.
    table_column(std::vector<std::int32_t> codes, std::vector<std::string> levels)
        : table_column((check(codes, levels), detail::already_checked{}), std::move(codes), std::move(levels)) {}
    table_column(detail::already_checked, std::vector<std::int32_t>&& codes, std::vector<std::string>&& levels)
        : table_column(dictionary{std::move(codes), std::make_shared<const std::vector<std::string>>(std::move(levels))}, std::vector<bool>{}) {
        const auto& mine = std::get<dictionary>(values_).codes;
        if (std::find(mine.begin(), mine.end(), -1) == mine.end()) return;
        missing_.resize(mine.size());
        for (std::size_t i = 0; i < mine.size(); ++i) missing_[i] = mine[i] < 0;
    }

    [[nodiscard]] column_type type() const noexcept { return static_cast<column_type>(values_.index()); }
    [[nodiscard]] std::size_t size() const noexcept {
        return std::visit([](const auto& v) { return v.size(); }, values_);
    }
    [[nodiscard]] bool missing(std::size_t i) const noexcept { return !missing_.empty() && missing_[i]; }
    [[nodiscard]] bool any_missing() const noexcept { return !missing_.empty(); }
    /// One bit a row; empty where no value is missing.
    [[nodiscard]] const std::vector<bool>& missing() const noexcept { return missing_; }

    /// Throw `error` (`wrong_column_type`) on a column of another type.
    [[nodiscard]] std::span<const double> numbers() const { return get<std::vector<double>>(column_type::number); }
    [[nodiscard]] std::span<const std::int64_t> integers() const { return get<std::vector<std::int64_t>>(column_type::integer); }
    [[nodiscard]] std::span<const std::chrono::sys_seconds> timestamps() const { return get<std::vector<std::chrono::sys_seconds>>(column_type::timestamp); }
    [[nodiscard]] category_view categories() const {
        const auto& found = get<dictionary>(column_type::category);
        return {found.codes, found.levels ? std::span<const std::string>(*found.levels) : std::span<const std::string>()};  // none: moved from
    }

    /// Rows in any order, also more than once. Categories keep all their levels.
    /// Throws `error` (`bad_parameter`) on a row that the column does not have.
    [[nodiscard]] table_column take_rows(std::span<const std::size_t> rows) const {
        for (const std::size_t row : rows) require(row < size(), errc::bad_parameter, "table: row number ", row, " (from 0) of ", size(), " rows");
        const auto taken = [rows](const auto& from) {
            std::remove_cvref_t<decltype(from)> out;
            out.reserve(rows.size());
            for (const std::size_t row : rows) out.push_back(from[row]);
            return out;
        };
        return {std::visit(
                    [&](const auto& v) -> storage {
                        if constexpr (std::same_as<std::remove_cvref_t<decltype(v)>, dictionary>) return dictionary{taken(v.codes), v.levels};
                        else return taken(v);
                    },
                    values_),
                missing_.empty() ? std::vector<bool>{} : taken(missing_)};
    }

    /// Equal type, missing bits and values; categories also with equal levels.
    friend bool operator==(const table_column&, const table_column&) = default;

   private:
    struct dictionary {
        std::vector<std::int32_t> codes;
        std::shared_ptr<const std::vector<std::string>> levels;
        [[nodiscard]] std::size_t size() const noexcept { return codes.size(); }
        friend bool operator==(const dictionary& a, const dictionary& b) {
            return a.codes == b.codes && (a.levels == b.levels || (a.levels && b.levels && *a.levels == *b.levels));
        }
    };
    using storage = std::variant<std::vector<double>, std::vector<std::int64_t>, dictionary, std::vector<std::chrono::sys_seconds>>;  // as in column_type

    template <class Values>
    static storage store(Values values) { return storage(std::in_place_type<Values>, std::move(values)); }
    static storage encode(std::span<const std::string> texts, const std::vector<bool>& missing) {
        require(missing.empty() || missing.size() == texts.size(), errc::shape_mismatch, "table: ", texts.size(), " values but ", missing.size(), " missing bits");
        detail::text_codes codes;
        dictionary out;
        out.codes.reserve(texts.size());
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const bool absent = !missing.empty() && missing[i];
            require_at(absent || detail::is_utf8_text(texts[i]), errc::bad_utf8, {.row = i + 1}, "table: row ", i + 1, " is not UTF-8");
            out.codes.push_back(absent ? -1 : codes.code_of(texts[i]));
        }
        out.levels = std::make_shared<const std::vector<std::string>>(codes.texts());
        return out;
    }

    table_column(storage values, std::vector<bool> missing) : values_(std::move(values)), missing_(std::move(missing)) {
        const std::size_t n = size();
        require(n <= max_table_rows, errc::limit_exceeded, "table: ", n, " rows, at most ", max_table_rows);
        require(missing_.empty() || missing_.size() == n, errc::shape_mismatch, "table: ", n, " values but ", missing_.size(), " missing bits");
        if (std::find(missing_.begin(), missing_.end(), true) == missing_.end()) {
            missing_.clear();
            return;
        }
        for (std::size_t i = 0; i < n; ++i)  // one representation, so that equal columns compare equal
            if (missing_[i]) {
                std::visit(
                    [i](auto& v) {
                        if constexpr (std::same_as<std::remove_cvref_t<decltype(v)>, dictionary>) v.codes[i] = -1;
                        else v[i] = {};
                    },
                    values_);
            }
    }
    static void check(const std::vector<std::int32_t>& codes, const std::vector<std::string>& levels) {
        for (const std::int32_t code : codes)
            require(code >= -1 && code < static_cast<std::int64_t>(levels.size()), errc::bad_data, "table: a code has no level, there are ", levels.size());
        for (const auto& level : levels) require(detail::is_utf8_text(level), errc::bad_utf8, "table: a text is not UTF-8");
        std::vector<std::string_view> sorted(levels.begin(), levels.end());
        std::sort(sorted.begin(), sorted.end());
        require(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end(), errc::bad_data, "table: a level stands twice among ", levels.size());
    }
    template <class Values>
    const Values& get(column_type wanted) const {
        const auto* found = std::get_if<Values>(&values_);
        require(found != nullptr, errc::wrong_column_type, "table: the column is of type ", name_of(type()), ", not ", name_of(wanted));
        return *found;
    }

    storage values_;
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
        if constexpr (is_text) values_.push_back(codes_.code_of(stored));
        else values_.push_back(stored);
    }
    std::vector<value> values_;
    std::vector<bool> missing_;
    text_codes codes_;
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
    [[nodiscard]] bool has(std::string_view name) const noexcept { return find(name) < names_.size(); }
    /// The column's number, from 0. Throws `error` (`missing_column`).
    [[nodiscard]] std::size_t position(std::string_view name) const {
        const std::size_t at = find(name);
        require(at < names_.size(), errc::missing_column, "table: no column \"", name, "\" among ", names_.size());
        return at;
    }
    /// Throws `error` (`missing_column`).
    [[nodiscard]] const table_column& column(std::string_view name) const { return *columns_[position(name)]; }
    [[nodiscard]] const table_column& column(std::size_t position) const {
        require(position < columns(), errc::missing_column, "table: column number ", position, " (from 0) of ", columns());
        return *columns_[position];
    }

    /// The values of a column, one a row; 0 (no text) where one is missing, as `column(name).missing(i)` says.
    /// Throw `error`: `missing_column`, `wrong_column_type`.
    [[nodiscard]] std::span<const double> numbers(std::string_view name) const { return typed(name, column_type::number).numbers(); }
    [[nodiscard]] std::span<const std::int64_t> integers(std::string_view name) const { return typed(name, column_type::integer).integers(); }
    [[nodiscard]] category_view categories(std::string_view name) const { return typed(name, column_type::category).categories(); }
    [[nodiscard]] std::span<const std::chrono::sys_seconds> timestamps(std::string_view name) const { return typed(name, column_type::timestamp).timestamps(); }

    /// Appends a column: one value a row. Throws `error`: `duplicate_column`, `shape_mismatch`.
    void add_column(std::string name, table_column values) {
        require_at(!has(name), errc::duplicate_column, {.column = columns() + 1}, "table: there is a column \"", name, "\" already");
        require_at(columns() == 0 || values.size() == rows_, errc::shape_mismatch, {.column = columns() + 1}, "table: column \"", name, "\" has ", values.size(),
                   " values, the table ", rows_, " rows");
        const std::size_t n = values.size();
        auto shared = std::make_shared<const table_column>(std::move(values));
        names_.reserve(columns() + 1);  // so that nothing below throws halfway
        columns_.reserve(columns() + 1);
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
    [[nodiscard]] table take_rows(std::span<const std::size_t> rows) const {
        table out;
        out.rows_ = rows.size();
        for (std::size_t c = 0; c < columns(); ++c) out.append(names_[c], std::make_shared<const table_column>(columns_[c]->take_rows(rows)));
        return out;
    }
    /// Rows `begin` up to, not including, `end`. Throws `error` (`bad_parameter`) unless begin <= end <= rows().
    [[nodiscard]] table slice(std::size_t begin, std::size_t end) const {
        require(begin <= end && end <= rows_, errc::bad_parameter, "table: slice from ", begin, " to ", end, " of ", rows_, " rows");
        std::vector<std::size_t> rows(end - begin);
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = begin + i;
        return take_rows(rows);
    }
    /// These columns, in the order given. Throws `error`: `missing_column`, `duplicate_column`.
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
    [[nodiscard]] table drop(const std::vector<std::string>& names) const {
        for (const auto& name : names) (void)position(name);
        table out;
        out.rows_ = rows_;
        for (std::size_t c = 0; c < columns(); ++c)
            if (std::find(names.begin(), names.end(), names_[c]) == names.end()) out.append(names_[c], columns_[c]);
        return out;
    }
    /// The same table with a column under another name. Throws `error`: `missing_column`, `duplicate_column`.
    [[nodiscard]] table renamed(std::string_view from, std::string to) const {
        const std::size_t at = position(from);
        require_at(to == from || !has(to), errc::duplicate_column, {.column = at + 1}, "table: there is a column \"", to, "\" already");
        table out = *this;
        out.names_[at] = std::move(to);
        return out;
    }

    /// Equal names, types, missing bits and values in equal order; categories also with equal levels.
    friend bool operator==(const table& a, const table& b) {
        return a.rows_ == b.rows_ && a.names_ == b.names_ &&
               std::equal(a.columns_.begin(), a.columns_.end(), b.columns_.begin(), b.columns_.end(),
                          [](const auto& x, const auto& y) { return x == y || *x == *y; });
    }

   private:
    [[nodiscard]] std::size_t find(std::string_view name) const noexcept {
        return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
    }
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
[[nodiscard]] inline table_row row_of(const table& from, std::size_t i, workspace& scratch) {
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
