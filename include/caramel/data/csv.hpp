#ifndef CARAMEL_DATA_CSV_HPP
#define CARAMEL_DATA_CSV_HPP

// Tables from and to CSV (RFC 4180, UTF-8).

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/data/table.hpp>
#include <caramel/io/file.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A wanted column. Where it is not nullable, an empty field is an error, or the empty text in a category.
struct csv_column {
    std::string name;
    column_type type = column_type::category;
    bool nullable = false;
};

/// The type of one column where the others are inferred.
struct csv_type {
    std::string name;
    column_type type = column_type::category;
};

/// What is larger is refused (`limit_exceeded`).
struct csv_limits {
    std::size_t field_bytes = 64 * 1024;
    std::size_t columns = 4096;
    std::size_t rows = max_table_rows;
    std::uint64_t file_bytes = std::uint64_t{8} << 30U;
};

struct csv_options {
    char delimiter = ',';
    bool decimal_comma = false;  ///< numbers are written "1,5"; then "1.5" is none
    /// Columns to read, found by exact name; others are ignored. Empty = all, and types are inferred from all rows:
    /// integer where every field is one, else number, else timestamp, else category. Empty fields are missing values.
    /// Codes stay text: digits after a leading zero ("00123"), or more than an integer holds.
    std::vector<csv_column> schema = {};
    std::vector<csv_type> types = {};        ///< fixes types of single columns where there is no schema
    std::vector<std::string> missing = {};   ///< fields that mean a missing value besides the empty one, such as "NA"
    csv_limits limits = {};
};

namespace detail {

[[nodiscard]] inline bool is_delimiter(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x80 && c != '\0' && !(c >= '0' && c <= '9') && std::string_view("\"\r\n.-").find(c) == std::string_view::npos;
}

enum class number_verdict : std::uint8_t { ok, bad, out_of_range, not_finite };

// The whole text as an integer: an optional minus, digits.
[[nodiscard]] inline number_verdict parse_integer(std::string_view text, std::int64_t& out) noexcept {
    const char* p = text.data();
    const char* const end = p + text.size();
    const bool negative = p != end && *p == '-';
    p += negative;
    if (const auto digits = end - p; digits > 0 && digits <= 18) [[likely]] {
        std::int64_t value = 0;
        for (; p != end; ++p) {
            const auto digit = static_cast<unsigned>(static_cast<unsigned char>(*p)) - unsigned{'0'};
            if (digit > 9) return number_verdict::bad;
            value = 10 * value + static_cast<std::int64_t>(digit);
        }
        out = negative ? -value : value;
        return number_verdict::ok;
    }
    const auto [ptr, code] = std::from_chars(text.data(), end, out);
    if (ptr != end || code == std::errc::invalid_argument) return number_verdict::bad;
    return code == std::errc{} ? number_verdict::ok : number_verdict::out_of_range;
}

// The whole text as a double. Up to 15 digits without an exponent are exact as an integer, and so is the power of ten:
// their quotient is correctly rounded (Clinger, PLDI 1990). The rest is for `from_chars`.
[[nodiscard]] inline number_verdict parse_number(std::string_view text, char point, double& out) {
    static constexpr std::array<double, 16> powers{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const char* p = text.data();
    const char* const end = p + text.size();
    const bool negative = p != end && *p == '-';
    p += negative;
    if (const auto length = end - p; length > 0 && length <= 16) [[likely]] {
        std::uint64_t mantissa = 0;
        const char* after_point = nullptr;
        std::ptrdiff_t digits = length;
        for (; p != end; ++p) {
            const auto digit = static_cast<unsigned>(static_cast<unsigned char>(*p)) - unsigned{'0'};
            if (digit <= 9) {
                mantissa = 10 * mantissa + digit;
            } else if (*p == point && after_point == nullptr) {
                after_point = p + 1;
                --digits;
            } else {
                break;
            }
        }
        if (p == end && digits > 0 && digits <= 15) {
            double value = static_cast<double>(mantissa);
            if (after_point != nullptr) value /= powers[static_cast<std::size_t>(end - after_point)];
            out = negative ? -value : value;
            return number_verdict::ok;
        }
    }
    std::string dotted;
    if (point != '.') {
        if (text.find('.') != std::string_view::npos) return number_verdict::bad;
        dotted = text;
        std::replace(dotted.begin(), dotted.end(), point, '.');
        text = dotted;
    }
    const char* const last = text.data() + text.size();
    const auto [ptr, code] = std::from_chars(text.data(), last, out);
    if (ptr != last || code == std::errc::invalid_argument) return number_verdict::bad;
    if (code != std::errc{}) return number_verdict::out_of_range;
    return std::isfinite(out) ? number_verdict::ok : number_verdict::not_finite;
}

// "2010-12-09", "2010-12-09 20:01:00" or "2010-12-09T20:01:00", as UTC.
[[nodiscard]] inline bool parse_time(std::string_view text, std::chrono::sys_seconds& out) noexcept {
    if (text.size() != 10 && text.size() != 19) return false;
    bool digits_only = true;
    const auto digits = [&](std::size_t at, std::size_t n) {
        int value = 0;
        for (std::size_t i = at; i < at + n; ++i) {
            const auto digit = static_cast<unsigned>(static_cast<unsigned char>(text[i])) - unsigned{'0'};
            digits_only &= digit <= 9;
            value = 10 * value + static_cast<int>(digit <= 9 ? digit : 0);
        }
        return value;
    };
    const std::chrono::year_month_day date{std::chrono::year(digits(0, 4)), std::chrono::month(static_cast<unsigned>(digits(5, 2))),
                                           std::chrono::day(static_cast<unsigned>(digits(8, 2)))};
    if (!digits_only || text[4] != '-' || text[7] != '-' || !date.ok()) return false;
    out = std::chrono::sys_days(date);
    if (text.size() == 10) return true;
    const int hours = digits(11, 2), minutes = digits(14, 2), seconds = digits(17, 2);
    if (!digits_only || (text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':') return false;
    if (hours > 23 || minutes > 59 || seconds > 59) return false;
    out += std::chrono::seconds(3600 * hours + 60 * minutes + seconds);
    return true;
}

// Reads rows in one pass over the bytes. Types are inferred on the way: a column is taken for what its fields so far are;
// integers turn into numbers in place, and a column that a later field proves to be text is read once more at the end.
class csv_parser {
   public:
    csv_parser(std::string_view text, const csv_options& options)
        : options_(options), base_(text.data()), p_(text.data()), end_(text.data() + text.size()), point_(options.decimal_comma ? ',' : '.') {
        check_options();
        class_['\n'] = newline;
        class_['\r'] = carriage_return;
        class_['"'] = quote;
        class_['\0'] = nul;
        for (std::size_t c = 0x80; c < class_.size(); ++c) class_[c] = high;
        class_[static_cast<unsigned char>(options.delimiter)] = delimiter;
    }

    [[nodiscard]] table parse() {
        require(static_cast<std::uint64_t>(end_ - base_) <= options_.limits.file_bytes, errc::limit_exceeded, "csv: ", end_ - base_, " bytes, at most ",
                options_.limits.file_bytes);
        if (std::string_view(base_, static_cast<std::size_t>(end_ - base_)).starts_with("\xEF\xBB\xBF")) p_ += 3;
        require(p_ != end_, errc::empty_input, "csv: the input is empty, there is no header");
        read_header();
        first_row_ = p_;
        const char* const sample = first_row_ + std::min<std::ptrdiff_t>(end_ - first_row_, 1 << 16);
        do {  // what the first rows tell, so that few columns are read twice
            begin_pass();
            read_rows(sample);
        } while (keep_refuted_only(false));
        reserve_rows();
        read_rows(end_);
        if (keep_refuted_only(true)) {  // as text, which nothing refutes
            begin_pass();
            for (auto& c : columns_) reserve(c);
            read_rows(end_);
        }
        return finish();
    }

   private:
    enum byte_class : std::uint8_t { plain = 0, delimiter, newline, carriage_return, quote, nul, high };
    enum class kind : std::uint8_t { integer, number, timestamp, category, undecided, skipped };

    struct column {
        kind what = kind::skipped;   // in this pass
        kind known = kind::skipped;  // so far
        bool inferred = false, nullable = false, refuted = false;
        std::vector<std::int64_t> integers{};
        std::vector<double> numbers{};
        std::vector<std::chrono::sys_seconds> times{};
        std::vector<std::int32_t> codes{};
        text_codes texts{};
        std::int32_t last_code = -1;
        std::vector<bool> missing{};
    };

    template <class... Parts>
    [[noreturn]] CARAMEL_COLD void fail_at(errc code, std::size_t col, const char* at, const Parts&... what) const {
        const auto byte = static_cast<std::uint64_t>(at - base_) + 1;
        fail(code, {.row = row_, .column = col, .byte = byte}, "csv: row ", row_, ", column ", col, " (byte ", byte, "): ", what...);
    }

    void check_options() const {
        require(is_delimiter(options_.delimiter), errc::bad_parameter,
                "csv: the delimiter must be an ASCII character that is no digit, quote, point, minus or line end");
        require(options_.schema.empty() || options_.types.empty(), errc::bad_parameter, "csv: a schema and types exclude each other");
    }

    // --- fields

    // One field from p_ on: its content in text_, where it begins in begin_, whether another follows in more_.
    void read_field(std::size_t col) {
        const char* q = p_;
        begin_ = q;
        for (;;) {
            while (q != end_ && class_[static_cast<unsigned char>(*q)] == plain) ++q;
            const byte_class found = q == end_ ? newline : static_cast<byte_class>(class_[static_cast<unsigned char>(*q)]);
            if (found == delimiter || found == newline) [[likely]] {
                text_ = {begin_, static_cast<std::size_t>(q - begin_)};
                end_field(found, q, col);
                break;
            }
            if (found == high) {
                q += sequence_at(q, col);
            } else if (found == quote && q == begin_) {
                read_quoted(col);
                break;
            } else {
                if (found == quote) fail_at(errc::bad_quote, col, q, "a quote inside an unquoted field");
                if (found == nul) fail_at(errc::nul_byte, col, q, "a NUL byte");
                text_ = {begin_, static_cast<std::size_t>(q - begin_)};  // a carriage return
                end_field(found, q, col);
                break;
            }
        }
        if (text_.size() > options_.limits.field_bytes) [[unlikely]]
            fail_at(errc::limit_exceeded, col, begin_, "a field of ", text_.size(), " bytes, at most ", options_.limits.field_bytes);
    }
    void end_field(byte_class found, const char* q, std::size_t col) {
        more_ = found == delimiter;
        if (found == carriage_return) {
            if (q + 1 == end_ || q[1] != '\n') fail_at(errc::bare_cr, col, q, "a carriage return without a line feed");
            ++q;
        }
        p_ = q == end_ ? q : q + 1;
    }
    [[nodiscard]] std::size_t sequence_at(const char* q, std::size_t col) const {
        const std::size_t length = utf8_sequence_at(q, end_);
        if (length == 0) fail_at(errc::bad_utf8, col, q, "not UTF-8");
        return length;
    }
    void read_quoted(std::size_t col) {
        const char* q = begin_ + 1;
        const char* piece = q;
        bool escaped = false;
        for (;;) {
            if (q == end_) fail_at(errc::unterminated_quote, col, begin_, "a quoted field that does not end");
            const auto found = static_cast<byte_class>(class_[static_cast<unsigned char>(*q)]);
            if (found == nul) fail_at(errc::nul_byte, col, q, "a NUL byte");
            if (found == high) {
                q += sequence_at(q, col);
            } else if (found != quote) {
                ++q;
            } else if (q + 1 != end_ && q[1] == '"') {  // two quotes stand for one
                if (!escaped) unescaped_.clear();
                escaped = true;
                unescaped_.append(piece, q + 1);
                piece = q += 2;
            } else {
                break;
            }
        }
        if (escaped) unescaped_.append(piece, q);
        text_ = escaped ? std::string_view(unescaped_) : std::string_view(piece, static_cast<std::size_t>(q - piece));
        ++q;
        const byte_class after = q == end_ ? newline : static_cast<byte_class>(class_[static_cast<unsigned char>(*q)]);
        if (after != delimiter && after != newline && after != carriage_return) fail_at(errc::bad_quote, col, q, "text after a closing quote");
        end_field(after, q, col);
    }

    // --- the header

    void read_header() {
        do {
            const std::size_t col = header_.size() + 1;
            if (col > options_.limits.columns) fail_at(errc::limit_exceeded, col, p_, "more than ", options_.limits.columns, " columns");
            read_field(col);
            header_.emplace_back(text_);
        } while (more_);
        columns_.resize(header_.size());
        std::vector<std::size_t> by_name(header_.size());
        for (std::size_t i = 0; i < by_name.size(); ++i) by_name[i] = i;
        std::stable_sort(by_name.begin(), by_name.end(), [&](std::size_t a, std::size_t b) { return header_[a] < header_[b]; });
        const auto find = [&](std::string_view name) {
            const auto at = std::lower_bound(by_name.begin(), by_name.end(), name, [&](std::size_t i, std::string_view n) { return header_[i] < n; });
            if (at == by_name.end() || header_[*at] != name)
                fail(errc::missing_column, {.row = 1, .column = header_.size()}, "csv: no column \"", name, "\" among ", header_.size());
            return at;
        };
        if (options_.schema.empty()) {
            std::size_t twice = header_.size();
            for (std::size_t i = 1; i < by_name.size(); ++i)
                if (header_[by_name[i]] == header_[by_name[i - 1]]) twice = std::min(twice, by_name[i]);
            if (twice != header_.size()) fail(errc::duplicate_column, {.row = 1, .column = twice + 1}, "csv: column ", twice + 1, " has the name of an earlier one");
            for (std::size_t i = 0; i < header_.size(); ++i) {
                wanted_.push_back(i);
                columns_[i].inferred = columns_[i].nullable = true;
                columns_[i].known = kind::undecided;
            }
            for (const auto& fixed : options_.types) {
                column& c = columns_[*find(fixed.name)];
                c.inferred = false;
                c.known = kind_of(fixed.type);
            }
        } else {
            for (const auto& want : options_.schema) {
                const auto at = find(want.name);
                if (const auto next = at + 1; next != by_name.end() && header_[*next] == want.name)
                    fail(errc::duplicate_column, {.row = 1, .column = *next + 1}, "csv: column ", *next + 1, " has the name of an earlier one, \"", want.name, "\"");
                column& c = columns_[*at];
                require(c.known == kind::skipped, errc::duplicate_column, "csv: the schema names \"", want.name, "\" twice");
                wanted_.push_back(*at);
                c.nullable = want.nullable;
                c.known = kind_of(want.type);
            }
        }
    }
    static kind kind_of(column_type type) noexcept {
        switch (type) {
            case column_type::integer: return kind::integer;
            case column_type::number: return kind::number;
            case column_type::timestamp: return kind::timestamp;
            case column_type::category: break;
        }
        return kind::category;
    }

    // --- rows

    void begin_pass() {
        p_ = first_row_;
        row_ = 1;
        for (auto& c : columns_) c.what = c.known;
    }
    void read_rows(const char* stop) {
        const std::size_t width = columns_.size();
        while (p_ < stop) {
            if (row_ - 1 >= options_.limits.rows) fail(errc::limit_exceeded, {.row = row_ + 1}, "csv: more than ", options_.limits.rows, " rows");
            ++row_;
            for (std::size_t c = 0;; ++c) {
                if (c == width) fail_at(errc::ragged_row, c + 1, p_, "more fields than the header has, ", width);
                read_field(c + 1);
                if (!more_ && c + 1 != width) fail_at(errc::ragged_row, c + 1, begin_, "the row ends after ", c + 1, " of ", width, " fields");
                take(columns_[c], c + 1);
                if (!more_) break;
            }
        }
    }
    // Room for all rows, estimated from the first ones; never more than the input can hold.
    void reserve_rows() {
        const auto bytes = static_cast<double>(end_ - first_row_), seen = static_cast<double>(p_ - first_row_);
        const double rows = static_cast<double>(row_ - 1) * (seen > 0 ? bytes / seen : 0) * 1.05 + 16;
        expected_rows_ = static_cast<std::size_t>(std::min(rows, bytes / static_cast<double>(columns_.size()) + 1));
        for (auto& c : columns_) reserve(c);
    }
    void reserve(column& c) const {
        switch (c.what) {
            case kind::integer: return c.integers.reserve(expected_rows_);
            case kind::number: return c.numbers.reserve(expected_rows_);
            case kind::timestamp: return c.times.reserve(expected_rows_);
            case kind::category: return c.codes.reserve(expected_rows_);
            case kind::undecided:
            case kind::skipped: return;
        }
    }
    // Whether columns must be read again as text; those that stand keep their values, or lose them to be read with the rest.
    bool keep_refuted_only(bool keep_others) {
        const bool any = std::any_of(columns_.begin(), columns_.end(), [](const column& c) { return c.refuted; });
        if (!any) return false;
        for (auto& c : columns_) {
            if (c.refuted) {
                c.refuted = false;
                c.known = kind::category;
            } else if (keep_others) {
                c.what = kind::skipped;
                if (c.known != kind::skipped) done_.emplace_back(static_cast<std::size_t>(&c - columns_.data()), c.known);
                c.known = kind::skipped;
            } else {
                column fresh;
                fresh.known = c.known;
                fresh.inferred = c.inferred;
                fresh.nullable = c.nullable;
                c = std::move(fresh);
            }
        }
        return true;
    }

    [[nodiscard]] std::size_t row_number() const noexcept { return row_ - 2; }  // of the row being read, from 0

    void take(column& c, std::size_t col) {
        if (c.what == kind::skipped) return;
        if (text_.empty() || (!options_.missing.empty() && is_listed_missing())) [[unlikely]] {
            if (!(text_.empty() && c.what == kind::category && !c.nullable)) return take_missing(c, col);
        }
        switch (c.what) {
            case kind::integer: {
                std::int64_t value = 0;
                const auto verdict = parse_integer(text_, value);
                if (verdict != number_verdict::ok || (c.inferred && leads_with_zero(text_))) return odd(c, verdict, col);
                return c.integers.push_back(value);
            }
            case kind::number: {
                double value = 0;
                const auto verdict = parse_number(text_, point_, value);
                if (verdict != number_verdict::ok || (c.inferred && is_code(text_))) return odd(c, verdict, col);
                return c.numbers.push_back(value);
            }
            case kind::timestamp: {
                std::chrono::sys_seconds value;
                if (!parse_time(text_, value)) return odd(c, number_verdict::ok, col);
                return c.times.push_back(value);
            }
            case kind::category: {
                if (c.last_code < 0 || !c.texts.is(c.last_code, text_)) c.last_code = c.texts.code_of(text_);  // often the same as above
                return c.codes.push_back(c.last_code);
            }
            case kind::undecided: return decide(c, col);
            case kind::skipped: return;
        }
    }
    [[nodiscard]] bool is_listed_missing() const { return std::find(options_.missing.begin(), options_.missing.end(), text_) != options_.missing.end(); }
    CARAMEL_COLD void take_missing(column& c, std::size_t col) {
        if (!c.nullable) fail_at(errc::missing_value, col, begin_, "the value is missing");
        if (c.what == kind::undecided) return;
        if (c.what == kind::category) return c.codes.push_back(-1);
        c.missing.resize(row_number() + 1);
        c.missing.back() = true;
        if (c.what == kind::integer) c.integers.push_back(0);
        else if (c.what == kind::number) c.numbers.push_back(0);
        else c.times.emplace_back();
    }

    // --- types

    // "007", "-0": codes, or a zero with a sign that an integer would lose.
    static bool leads_with_zero(std::string_view text) noexcept {
        if (text[0] == '-') return text.size() > 1 && text[1] == '0';
        return text[0] == '0' && text.size() > 1;
    }
    static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
    // What would read as a number but is none: digits after a leading zero, more digits than an integer holds.
    static bool is_code(std::string_view text) noexcept {
        if (text[0] == '-') text.remove_prefix(1);
        if (text.size() > 1 && text[0] == '0' && is_digit(text[1])) return true;
        std::int64_t value = 0;
        return text.size() > 18 && std::all_of(text.begin(), text.end(), is_digit) && parse_integer(text, value) != number_verdict::ok;
    }
    [[nodiscard]] kind kind_of_text() const {
        std::int64_t integer = 0;
        double number = 0;
        std::chrono::sys_seconds when;
        if (parse_integer(text_, integer) == number_verdict::ok && !leads_with_zero(text_)) return kind::integer;
        if (parse_number(text_, point_, number) == number_verdict::ok) return is_code(text_) ? kind::category : kind::number;
        return parse_time(text_, when) ? kind::timestamp : kind::category;
    }
    // The first value of a column: all above it are missing.
    CARAMEL_COLD void decide(column& c, std::size_t col) {
        c.what = c.known = kind_of_text();
        reserve(c);
        if (const std::size_t above = row_number(); above > 0) {
            if (c.what == kind::category) c.codes.assign(above, -1);
            else c.missing.assign(above, true);
            if (c.what == kind::integer) c.integers.resize(above);
            else if (c.what == kind::number) c.numbers.resize(above);
            else if (c.what == kind::timestamp) c.times.resize(above);
        }
        take(c, col);
    }
    // A field that is not of its column's type.
    CARAMEL_COLD void odd(column& c, number_verdict verdict, std::size_t col) {
        if (!c.inferred) {
            if (c.what == kind::timestamp) fail_at(errc::bad_time, col, begin_, "not a time like 2010-12-09 20:01:00");
            if (verdict == number_verdict::out_of_range) fail_at(errc::number_out_of_range, col, begin_, "a number beyond the type's range");
            if (verdict == number_verdict::not_finite) fail_at(errc::nan_or_inf, col, begin_, "not a finite number");
            fail_at(errc::bad_number, col, begin_, c.what == kind::integer ? "not an integer" : "not a number");
        }
        if (const kind other = kind_of_text(); c.what == kind::integer && other == kind::number) {
            c.what = c.known = kind::number;
            reserve(c);
            for (const std::int64_t value : c.integers) c.numbers.push_back(static_cast<double>(value));
            c.integers = {};
            return take(c, col);
        }
        c.what = kind::skipped;
        c.refuted = true;
        c.integers = {};
        c.numbers = {};
        c.times = {};
        c.missing = {};
    }

    [[nodiscard]] table finish() {
        for (const auto& [at, known] : done_) columns_[at].known = known;
        const std::size_t rows = row_ - 1;
        table out;
        for (const std::size_t at : wanted_) {
            column& c = columns_[at];
            if (!c.missing.empty()) c.missing.resize(rows);
            if (c.known == kind::integer) out.add_column(header_[at], table_column(std::move(c.integers), std::move(c.missing)));
            else if (c.known == kind::number) out.add_column(header_[at], table_column(std::move(c.numbers), std::move(c.missing)));
            else if (c.known == kind::timestamp) out.add_column(header_[at], table_column(std::move(c.times), std::move(c.missing)));
            else {
                if (c.known == kind::undecided) c.codes.assign(rows, -1);  // no value at all
                out.add_column(header_[at], table_column(already_checked{}, std::move(c.codes), c.texts.texts()));
            }
        }
        return out;
    }

    const csv_options& options_;
    const char* const base_;
    const char* p_;
    const char* const end_;
    const char point_;
    std::array<std::uint8_t, 256> class_{};
    const char* first_row_ = nullptr;
    const char* begin_ = nullptr;
    bool more_ = false;
    std::string_view text_;
    std::string unescaped_;
    std::uint64_t row_ = 1;  // the header is row 1
    std::size_t expected_rows_ = 0;
    std::vector<std::string> header_;
    std::vector<column> columns_;                     // as in the file
    std::vector<std::size_t> wanted_;                 // in the order of the table
    std::vector<std::pair<std::size_t, kind>> done_;  // columns that need no further pass
};

}  // namespace detail

/// A table from CSV text: UTF-8 (a BOM is skipped), RFC 4180 quotes, LF or CRLF, every row as wide as the header.
/// A number is the whole field: no spaces, plus sign, thousands mark or hexadecimals. Times are "2010-12-09" or
/// "2010-12-09 20:01:00" (or T between), UTC. Categories number their levels in order of first appearance.
/// Throws `error` with row (the header is 1), column and byte: `empty_input`, `bad_utf8`, `nul_byte`, `ragged_row`, `unterminated_quote`,
/// `bad_quote`, `bare_cr`, `missing_value`, `missing_column`, `duplicate_column`, `bad_number`, `number_out_of_range`,
/// `nan_or_inf`, `bad_time`, `limit_exceeded`; `bad_parameter`.
[[nodiscard]] inline table parse_csv(std::string_view text, const csv_options& options = {}) { return detail::csv_parser(text, options).parse(); }

/// The same from a file; regular files only. Throws also `error` (`io`).
[[nodiscard]] inline table read_csv(const file_path& path, const csv_options& options = {}) {
    const std::vector<std::byte> bytes = read_file(path, options.limits.file_bytes, "read_csv");
    return parse_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, options);
}

/// The same from a stream, to its end.
[[nodiscard]] inline table read_csv(std::istream& in, const csv_options& options = {}) {
    std::string text;
    constexpr std::size_t block = std::size_t{1} << 16U;
    for (std::size_t got = block; got == block;) {
        const std::size_t before = text.size();
        text.resize(before + block);
        in.read(text.data() + before, static_cast<std::streamsize>(block));
        got = static_cast<std::size_t>(in.gcount());
        text.resize(before + got);
        require(text.size() <= options.limits.file_bytes, errc::limit_exceeded, "read_csv: more than ", options.limits.file_bytes, " bytes");
    }
    require(!in.bad(), errc::io, "read_csv: the stream failed after ", text.size(), " bytes");
    return parse_csv(text, options);
}

struct csv_write_options {
    char delimiter = ',';
    /// Puts an apostrophe before texts that a spreadsheet would run as a formula (= + - @, tab, carriage return first).
    /// Off, `read_csv` reads back every text as it was.
    bool defuse_formulas = true;
};

namespace detail {

class csv_writer {
   public:
    explicit csv_writer(const csv_write_options& options) : options_(options) {
        require(is_delimiter(options.delimiter), errc::bad_parameter,
                "write_csv: the delimiter must be an ASCII character that is no digit, quote, point, minus or line end");
    }

    // Calls `sink(std::string_view)` with the text, piece by piece.
    template <class Sink>
    void write_to(const table& from, const Sink& sink) {
        require(from.columns() > 0, errc::empty_input, "write_csv: the table has no columns");
        std::vector<const table_column*> columns;
        for (std::size_t c = 0; c < from.columns(); ++c) {
            columns.push_back(&from.column(c));
            separate(c);
            append_text(from.names()[c], false);
        }
        out_ += '\n';
        for (std::size_t i = 0; i < from.rows(); ++i) {
            for (std::size_t c = 0; c < columns.size(); ++c) {
                separate(c);
                if (!columns[c]->missing(i)) append_cell(*columns[c], i);
            }
            out_ += '\n';
            if (out_.size() > (1U << 16U)) {
                sink(std::string_view(out_));
                out_.clear();
            }
        }
        sink(std::string_view(out_));
    }

   private:
    void separate(std::size_t c) {
        if (c > 0) out_ += options_.delimiter;
    }
    void append_cell(const table_column& column, std::size_t i) {
        switch (column.type()) {
            case column_type::number: return append_part(out_, column.numbers()[i]);
            case column_type::integer: return append_part(out_, column.integers()[i]);
            case column_type::category: return append_text(column.categories()[i], options_.defuse_formulas);
            case column_type::timestamp: return append_time(column.timestamps()[i]);
        }
    }
    void append_text(std::string_view text, bool defuse) {
        const bool formula = defuse && !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos;
        const bool quoted = text.empty() || text.find_first_of("\"\r\n") != std::string_view::npos || text.find(options_.delimiter) != std::string_view::npos;
        if (quoted) out_ += '"';
        if (formula) out_ += '\'';
        for (const char c : text) {
            if (c == '"') out_ += '"';
            out_ += c;
        }
        if (quoted) out_ += '"';
    }
    void append_padded(int value, int width) {
        char digits[12];
        for (int i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
        out_.append(digits, static_cast<std::size_t>(width));
    }
    void append_time(std::chrono::sys_seconds when) {
        const auto day = std::chrono::floor<std::chrono::days>(when);
        const std::chrono::year_month_day date(day);
        require(int{date.year()} >= 0 && int{date.year()} <= 9999, errc::bad_time, "write_csv: a year is not one of 0 to 9999");
        const auto seconds = static_cast<int>((when - day).count());
        append_padded(int{date.year()}, 4);
        append_padded((out_ += '-', static_cast<int>(unsigned{date.month()})), 2);
        append_padded((out_ += '-', static_cast<int>(unsigned{date.day()})), 2);
        append_padded((out_ += ' ', seconds / 3600), 2);
        append_padded((out_ += ':', seconds / 60 % 60), 2);
        append_padded((out_ += ':', seconds % 60), 2);
    }
    csv_write_options options_;
    std::string out_;
};

}  // namespace detail

/// A table as CSV text with LF: missing values are empty fields, numbers have as many digits as it takes to read them
/// back, quotes stand where they must. Throws `error`: `empty_input` (no columns), `bad_time` (a year beyond 9999), `io`.
inline void write_csv(const table& from, std::ostream& out, const csv_write_options& options = {}) {
    detail::csv_writer(options).write_to(from, [&](std::string_view piece) { out.write(piece.data(), static_cast<std::streamsize>(piece.size())); });
    require(out.good(), errc::io, "write_csv: the stream failed");
}
/// The same to a file, whole or not at all: a failure leaves what was there before.
inline void write_csv(const table& from, const file_path& path, const csv_write_options& options = {}) {
    std::string text;
    detail::csv_writer(options).write_to(from, [&](std::string_view piece) { text += piece; });
    replace_file(path, std::as_bytes(std::span(text)));
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
