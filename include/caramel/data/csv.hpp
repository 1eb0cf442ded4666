#ifndef CARAMEL_DATA_CSV_HPP
#define CARAMEL_DATA_CSV_HPP

// Tables from and to CSV (RFC 4180, UTF-8).

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <caramel/core/byte_marks.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/float_environment.hpp>
#include <caramel/core/string_numbers.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/csv_values.hpp>
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
    std::size_t field_bytes = std::size_t{64} * 1024;
    std::size_t columns = 4096;
    std::size_t rows = max_table_rows;
    std::uint64_t file_bytes = std::uint64_t{8} << 30U;
};

/// How a file is read; the default is RFC 4180 with a header, types inferred.
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

// Reads rows in one pass over the bytes, some rows at a time: first where their fields are, then column after column what
// they hold. Types are inferred on the way: a column is taken for what its fields so far are; integers turn into numbers
// in place, and a column that a later field proves to be text is read once more at the end. Of a file, only a window
// that fits into the cache is in memory, and holds whole lines: a row leaves it only by a line feed within quotes. Rows
// of plain text take a short way, and the numbers among them are read from where they stand.
template <class Options>
class csv_parser {
   public:
    csv_parser(std::string_view text, const Options& options, input_file* file = nullptr)
        : options_(options),
          file_(file),
          total_(file != nullptr ? file->size() : text.size()),
          readable_(text.data()),
          base_(text.data()),
          p_(text.data()),
          end_(text.data() + text.size()),
          point_(options.decimal_comma ? ',' : '.'),
          marks_(options.delimiter, '"', '\r'),
          finder_(marks_, p_, p_) {
        check_options();
        class_['\n'] = newline;
        class_['\r'] = carriage_return;
        class_['"'] = quote;
        class_['\0'] = nul;
        for (std::size_t c = 0x80; c < class_.size(); ++c) class_[c] = high;
        class_[static_cast<unsigned char>(options.delimiter)] = delimiter;
        const auto looks_like_number = [](const std::string& listed) { return listed.find_first_of("0123456789") != std::string::npos; };
        numbers_may_be_missing_ = std::any_of(options.missing.begin(), options.missing.end(), looks_like_number);
    }

    [[nodiscard]] table parse() {
        require(total_ <= options_.limits.file_bytes, errc::limit_exceeded, "csv: ", total_, " bytes, at most ", options_.limits.file_bytes);
        if (file_ != nullptr) fill(nullptr, 0, window_bytes);
        for (bool whole = false; !whole; whole = end_header()) {
            p_ = base_;
            if (std::string_view(base_, static_cast<std::size_t>(end_ - base_)).starts_with("\xEF\xBB\xBF")) p_ += 3;
            require(p_ != end_, errc::empty_input, "csv: the input is empty, there is no header");
            go_to(p_);
            read_names();
        }
        find_columns();
        first_row_ = place_of(p_);
        crlf_ = p_ - base_ >= 2 && p_[-2] == '\r';
        do {  // what the first rows tell, so that few columns are read twice
            begin_pass();
            read_rows(p_ + std::min<std::ptrdiff_t>(end_ - p_, 1 << 16));
        } while (keep_refuted_only(false));
        reserve_rows();
        read_rows(nullptr);
        if (const std::uint64_t rows = row_; keep_refuted_only(true)) {  // as text, which nothing refutes
            begin_pass();
            for (auto& c : columns_) reserve(c);
            read_rows(nullptr);
            require(row_ == rows, errc::io, "read_csv: the file changed while it was read");
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
        std::uint8_t batches_by_hand = 0;  // to come, since few values are simple
        std::vector<std::int64_t> integers{};
        std::vector<double> numbers{};
        std::vector<std::chrono::sys_seconds> times{};
        std::vector<std::int32_t> codes{};
        string_numbers<> texts{};
        std::vector<bool> missing{};
    };

    template <class... Parts>
    [[noreturn]] CARAMEL_COLD void fail_at(errc code, std::size_t col, const char* at, const Parts&... what) const {
        const auto byte = static_cast<std::uint64_t>(place_of(at)) + 1;
        fail(code, {.row = row_, .column = col, .byte = byte}, "csv: row ", row_, ", column ", col, " (byte ", byte, "): ", what...);
    }

    void check_options() const {
        require(is_delimiter(options_.delimiter), errc::bad_parameter,
                "csv: the delimiter must be an ASCII character that is no digit, quote, point, minus or line end");
        require(options_.schema.empty() || options_.types.empty(), errc::bad_parameter, "csv: a schema and types exclude each other");
    }

    // --- the window

    static constexpr std::size_t window_bytes = std::size_t{1} << 18U, room_before = 24;

    // Where `p` is in the whole text.
    [[nodiscard]] std::size_t place_of(const char* p) const noexcept { return before_window_ + static_cast<std::size_t>(p - base_); }
    // On to a window that begins at `keep`; where that is where it begins already, a larger one.
    void refill(const char* keep) {
        before_window_ = place_of(keep);
        fill(keep, static_cast<std::size_t>(filled_ - keep), keep == base_ ? 2 * capacity_ : capacity_);
    }
    // `kept` bytes at `keep`, and what follows in the file, to the end of a line.
    void fill(const char* keep, std::size_t kept, std::size_t capacity) {
        for (;; capacity *= 2) {
            capacity = std::max(std::min(capacity, kept + file_->left()), capacity_);
            if (window_ == nullptr || capacity > capacity_) {
                std::unique_ptr<char[]> larger(new char[room_before + capacity]);  // not filled with zeros
                std::fill_n(larger.get(), room_before, '\n');
                if (kept > 0) std::copy_n(keep, kept, larger.get() + room_before);
                window_ = std::move(larger);
                capacity_ = capacity;
            } else if (kept > 0) {
                std::copy_n(keep, kept, window_.get() + room_before);
            }
            char* const begin = window_.get() + room_before;
            readable_ = window_.get();
            keep = base_ = begin;
            const std::size_t more = std::min(capacity_ - kept, file_->left());
            file_->read(reinterpret_cast<std::byte*>(begin + kept), more);
            kept += more;
            filled_ = end_ = base_ + kept;
            is_last_ = file_->left() == 0;
            while (!is_last_ && end_ != base_ && end_[-1] != '\n') --end_;
            if (is_last_ || end_ != base_) break;
        }
        split_ = false;
        go_to(base_);
    }
    void go_to_first_row() {
        if (before_window_ > 0) {
            file_->rewind();
            before_window_ = 0;
            fill(nullptr, 0, capacity_);
            require(static_cast<std::size_t>(end_ - base_) >= first_row_, errc::io, "read_csv: the file changed while it was read");
        }
        go_to(base_ + first_row_);
    }

    // --- fields

    void go_to(const char* p) {
        p_ = p;
        finder_ = mark_finder(marks_, p, end_);
    }
    [[nodiscard]] byte_class class_at(const char* q) const noexcept { return q == end_ ? newline : static_cast<byte_class>(class_[static_cast<unsigned char>(*q)]); }

    // The content of one field from p_ on; where it begins in begin_, whether another follows in more_.
    CARAMEL_ALWAYS_INLINE std::string_view read_field(std::size_t col) {
        const char* const begin = begin_ = p_;
        const char* const q = finder_.next();
        const byte_class found = class_at(q);
        std::string_view text(begin, static_cast<std::size_t>(q - begin));
        if (found == delimiter || found == newline) [[likely]] {
            more_ = found == delimiter;
            p_ = q == end_ ? q : q + 1;
        } else {
            text = read_odd_field(q, col);
        }
        if (text.size() > options_.limits.field_bytes) [[unlikely]]
            fail_at(errc::limit_exceeded, col, begin, "a field of ", text.size(), " bytes, at most ", options_.limits.field_bytes);
        return text;
    }
    // The same for a field with a mark at `q` that does not end it, or not alone.
    std::string_view read_odd_field(const char* q, std::size_t col) {
        for (;; q = finder_.next()) {
            const byte_class found = class_at(q);
            if (found == delimiter || found == newline || found == carriage_return) {
                end_field(found, q, col);
                return {begin_, static_cast<std::size_t>(q - begin_)};
            }
            if (found == high) {
                pass_sequence(q, col);
            } else if (found == quote && q == begin_) {
                return read_quoted(col);
            } else {
                if (found == quote) fail_at(errc::bad_quote, col, q, "a quote inside an unquoted field");
                if (found == nul) fail_at(errc::nul_byte, col, q, "a NUL byte");
            }
        }
    }
    void end_field(byte_class found, const char* q, std::size_t col) {
        more_ = found == delimiter;
        if (found == carriage_return) {
            if (q + 1 == end_ || q[1] != '\n') fail_at(errc::bare_cr, col, q, "a carriage return without a line feed");
            q = finder_.next();
        }
        p_ = q == end_ ? q : q + 1;
    }
    void pass_sequence(const char* q, std::size_t col) {
        const std::size_t length = utf8_sequence_length(q, static_cast<std::size_t>(end_ - q));
        if (length == 0) fail_at(errc::bad_utf8, col, q, "not UTF-8");
        finder_.skip_to(q + length);
    }
    std::string_view read_quoted(std::size_t col) {
        const char* q = begin_;
        std::size_t doubled = 0;
        for (;;) {
            q = finder_.next();
            if (q == end_) {
                if (is_last_) fail_at(errc::unterminated_quote, col, begin_, "a quoted field that does not end");
                split_ = true;
                more_ = false;
                return {};
            }
            const byte_class found = class_at(q);
            if (found == nul) fail_at(errc::nul_byte, col, q, "a NUL byte");
            if (found == high) {
                pass_sequence(q, col);
            } else if (found == quote) {
                if (q + 1 == end_ || q[1] != '"') break;
                ++doubled;  // two quotes stand for one
                finder_.skip_to(q + 2);
            }
        }
        const std::string_view text(begin_ + 1, static_cast<std::size_t>(q - begin_ - 1));
        ++q;
        const byte_class after = class_at(q);
        if (after != delimiter && after != newline && after != carriage_return) fail_at(errc::bad_quote, col, q, "text after a closing quote");
        end_field(after, q == end_ ? q : finder_.next(), col);
        return doubled > 0 ? unescaped(text, doubled) : text;
    }
    // In the workspace, since it must stand as long as the rows that are read together.
    std::string_view unescaped(std::string_view text, std::size_t doubled) {
        const auto out = scratch_.template take<char>(text.size() - doubled);
        std::size_t n = 0;
        for (std::size_t i = 0; i < text.size(); ++i) {
            out[n++] = text[i];
            i += text[i] == '"';
        }
        return {out.data(), n};
    }

    // --- the header

    void read_names() {
        const workspace::frame frame(scratch_);
        header_.clear();
        do {
            const std::size_t col = header_.size() + 1;
            if (col > options_.limits.columns) fail_at(errc::limit_exceeded, col, p_, "more than ", options_.limits.columns, " columns");
            header_.emplace_back(read_field(col));
        } while (more_);
    }
    // Whether the window held the whole of it; else one that is larger is at hand.
    bool end_header() {
        if (!split_) return true;
        refill(base_);
        return false;
    }
    void find_columns() {
        columns_.resize(header_.size());
        std::vector<std::size_t> by_name(header_.size());
        for (std::size_t i = 0; i < by_name.size(); ++i) by_name[i] = i;
        std::stable_sort(by_name.begin(), by_name.end(), [&](std::size_t a, std::size_t b) { return header_[a] < header_[b]; });
        const auto find = [&](std::string_view name) {
            const auto at = std::lower_bound(by_name.begin(), by_name.end(), name, [&](std::size_t i, std::string_view n) { return header_[i].compare(n) < 0; });
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
        go_to_first_row();
        row_ = 1;
        for (auto& c : columns_) c.what = c.known;
        batch_rows_ = std::clamp<std::size_t>(2048 / columns_.size(), 1, 256);  // their fields stay in the cache
        fields_.resize(batch_rows_ * columns_.size());
        places_.resize(batch_rows_ * (columns_.size() + 1) + 128);
    }
    // All rows, or those that begin before `stop`, in the window.
    void read_rows(const char* stop) {
        for (;; refill(p_)) {
            while (p_ < (stop != nullptr ? stop : end_) && !split_) read_batch(stop != nullptr ? stop : end_);
            if (stop != nullptr || (is_last_ && !split_)) break;
        }
        split_ = false;
    }
    void read_batch(const char* stop) {
        const workspace::frame frame(scratch_);
        const batch now{.begin = p_, .first_row = row_};
        std::size_t rows = find_plain_rows(stop), fields = 0;  // `fields` of the row that is being read
        if (rows > 0) {
            row_ += rows;
            take_batch(now, rows, 0, true);
            return;
        }
        go_to(p_);
        const char* row = p_;
        try {
            for (; rows < batch_rows_ && p_ < stop; ++rows) {
                fields = 0;
                row = p_;
                find_row(rows, fields);
                if (split_) break;
            }
        } catch (const error&) {  // a value that is refused further up comes first
            take_batch(now, rows, fields, false);
            throw;
        }
        take_batch(now, rows, 0, false);
        if (split_) {
            --row_;
            go_to(row);
        }
    }
    // How many of the next rows are plain text and as wide as the header, up to a batch that begins before `stop`; p_ is
    // behind them then, and places_ holds where their fields end: places_[0] is the byte before the first one, and two
    // bytes end the last one of a row where lines end with "\r\n". None where too few of them stand together.
    std::size_t find_plain_rows(const char* stop) {
        const char* const origin = p_;
        if (origin - readable_ < static_cast<std::ptrdiff_t>(room_before)) return 0;
        const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(batch_rows_, options_.limits.rows - (row_ - 1)));
        const std::size_t stride = columns_.size() + crlf_;
        places_[0] = ~std::uint32_t{0};
        std::uint32_t* const places = places_.data() + 1;
        std::size_t rows = 0, n = 0, next = stride - 1;  // `next`: the line feed that ends the row
        const char* row = origin;
        std::uint64_t after_return = 0;
        bool odd = false;
        for (const char* block = origin; rows < most && row < stop && !odd; block += 64) {
            char last[64];
            const char* bytes = block;
            if (end_ - block < 64) {
                std::fill_n(std::copy(block, end_, last), 64 - (end_ - block), '\0');  // which is odd
                bytes = last;
            }
            auto marks = marks_of_fields(bytes, options_.delimiter, crlf_ ? '\r' : '\n');
            if (crlf_) {  // of which no other may stand for the end of a field
                std::uint64_t returns = 0;
                for (std::uint64_t left = marks.fields & ~marks.rows; left != 0; left &= left - 1)
                    returns |= (bytes[std::countr_zero(left)] == '\r' ? left & (~left + 1) : 0);
                marks.odd |= (returns << 1 | after_return) & ~marks.rows;
                after_return = returns >> 63;
            }
            if (marks.odd != 0) {
                const int at = std::countr_zero(marks.odd);
                odd = block + at < end_;
                marks.fields &= (std::uint64_t{1} << at) - 1;
                marks.rows &= marks.fields;
            }
            const std::size_t found = append_marks(marks.fields, static_cast<std::uint32_t>(block - origin), places + n);
            for (; marks.rows != 0; marks.rows &= marks.rows - 1) {
                const std::uint64_t above = (marks.rows & (~marks.rows + 1)) - 1;
                const char* const feed = block + std::countr_zero(marks.rows);
                if (n + count_bits(marks.fields & above) != next || static_cast<std::size_t>(feed - row) > options_.limits.field_bytes || (crlf_ && feed[-1] != '\r')) {
                    odd = true;
                    break;
                }
                ++rows;
                next += stride;
                row = feed + 1;
                if (rows == most || row >= stop) break;
            }
            n += found;
            if (n > next || block - row > (1 << 30)) odd = true;
            if (bytes == last) break;
        }
        if (odd && rows < batch_rows_ / 8 + 1) return 0;
        p_ = row;
        return rows;
    }
    // Where the fields of one row are: `fields` tells how many were found.
    void find_row(std::size_t r, std::size_t& fields) {
        const std::size_t width = columns_.size();
        if (row_ - 1 >= options_.limits.rows) fail(errc::limit_exceeded, {.row = row_ + 1}, "csv: more than ", options_.limits.rows, " rows");
        ++row_;
        std::string_view* out = fields_.data() + r;
        // Plain fields as far as they go, with what changes from one to the next at hand; then one that is not plain, if
        // there is one, or what ends the row.
        const std::size_t stride = batch_rows_, most = options_.limits.field_bytes;
        for (;;) {
            mark_finder finder = finder_;
            const char* begin = p_;
            std::size_t n = fields;
            while (n + 1 < width) {
                const char* const q = finder.peek();
                const auto size = static_cast<std::size_t>(q - begin);
                if (class_at(q) != delimiter || size > most) break;
                *out = {begin, size};
                out += stride;
                finder.pass();
                begin = q + 1;
                ++n;
            }
            finder_ = finder;
            p_ = begin;
            fields = n;
            if (fields == width) fail_at(errc::ragged_row, width + 1, p_, "more fields than the header has, ", width);
            const std::string_view text = read_field(fields + 1);
            if (split_) return;
            if (!more_ && fields + 1 != width) fail_at(errc::ragged_row, fields + 1, begin_, "the row ends after ", fields + 1, " of ", width, " fields");
            *out = text;
            out += stride;
            ++fields;
            if (!more_) return;
        }
    }
    // Room for all rows, estimated from the first ones; never more than the input can hold.
    void reserve_rows() {
        const auto bytes = static_cast<double>(total_ - first_row_), seen = static_cast<double>(place_of(p_) - first_row_);
        const double rows = static_cast<double>(row_ - 1) * (seen > 0 ? bytes / seen : 0) * 1.05 + 16;
        expected_rows_ = static_cast<std::size_t>(std::min(rows, bytes / static_cast<double>(columns_.size()) + 1));
        shared_large_pages pages;
        for (auto& c : columns_) {
            reserve(c);
            if (c.what == kind::integer) pages.add(c.integers.data(), 8 * c.integers.capacity());
            if (c.what == kind::number) pages.add(c.numbers.data(), 8 * c.numbers.capacity());
            if (c.what == kind::timestamp) pages.add(c.times.data(), 8 * c.times.capacity());
            if (c.what == kind::category) pages.add(c.codes.data(), 4 * c.codes.capacity());
        }
    }
    void reserve(column& c) const {
        switch (c.what) {
            case kind::integer: return reserve_large(c.integers, expected_rows_);
            case kind::number: return reserve_large(c.numbers, expected_rows_);
            case kind::timestamp: return reserve_large(c.times, expected_rows_);
            case kind::category: return reserve_large(c.codes, expected_rows_);
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

    // --- columns

    struct batch {
        const char* begin;        // of its first row
        std::uint64_t first_row;  // the number of the row above it
    };
    // The first value in the order of the text that its column refuses.
    struct refusal {
        std::size_t row;  // of the batch
        std::size_t col = 0;
        errc code{};
        std::string_view what{};
    };

    // The values of a batch; of the row behind its last one, `partial` fields.
    void take_batch(const batch& now, std::size_t rows, std::size_t partial, bool is_plain) {
        refusal refused{.row = rows + 1};
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            const std::size_t n = std::min(rows + (c < partial), refused.row);
            if (is_plain) take_plain(columns_[c], c, now, n, refused);
            else take(columns_[c], c + 1, fields_.data() + c * batch_rows_, now.first_row - 1, 0, n, refused);
        }
        if (refused.row > rows) [[likely]]
            return;
        go_to(now.begin);  // to learn where it stands
        row_ = now.first_row;
        for (std::size_t r = 0, fields = 0; r < refused.row; ++r, fields = 0) find_row(r, fields);
        ++row_;
        for (std::size_t col = 1; col <= refused.col; ++col) (void)read_field(col);
        fail_at(refused.code, refused.col, begin_, refused.what);
    }
    // The same of rows of plain text.
    void take_plain(column& c, std::size_t at, const batch& now, std::size_t n, refusal& refused) {
        const std::size_t above = now.first_row - 1;
        const plain_fields all{now.begin, places_.data() + 1 + at, columns_.size() + crlf_, c.inferred ? '0' : '\0'};
        const auto simple = [&](auto& values, std::size_t r) {
            if (values.size() < above + n) values.resize(above + n);
            return take_plain_values(all, r, n, point_, values.data() + above);
        };
        const bool by_hand = numbers_may_be_missing_ || c.batches_by_hand > 0;
        if (c.batches_by_hand > 0) --c.batches_by_hand;
        std::size_t others = 0;  // that are there, but not simple
        for (std::size_t r = 0; r < n && c.what != kind::skipped;) {
            std::size_t stop = n;
            if ((c.what == kind::integer || c.what == kind::number) && !by_hand && others < 16) {
                r = c.what == kind::integer ? simple(c.integers, r) : simple(c.numbers, r);
                if (r == n) return;
                stop = r + 1;
                if (all[r].length > 0 && ++others == 16) c.batches_by_hand = 16;
            }
            for (std::size_t i = r; i < stop; ++i) {
                const std::uint32_t *const end = all.marks + i * all.stride, begin = end[-1] + 1;
                fields_[i] = {now.begin + begin, *end - begin};
            }
            take(c, at + 1, fields_.data(), above, r, stop, refused);
            if (refused.row < stop) return;
            r = stop;
        }
    }
    // Fields `r` to `n` of a column, which has `above` values above the batch.
    void take(column& c, std::size_t col, const std::string_view* texts, std::size_t above, std::size_t r, std::size_t n, refusal& refused) {
        while (r < n) {  // once more from where a column turns into another
            switch (c.what) {
                case kind::integer:
                    r = take_values(c, c.integers, texts, above, r, n, [&](std::string_view text, std::int64_t& out) {
                        const auto verdict = parse_integer(text, out);
                        return verdict == number_verdict::ok && c.inferred && leads_with_zero(text) ? number_verdict::bad : verdict;
                    }, col, refused);
                    break;
                case kind::number:
                    r = take_values(c, c.numbers, texts, above, r, n, [&](std::string_view text, double& out) {
                        const auto verdict = parse_number(text, point_, out);
                        return verdict == number_verdict::ok && c.inferred && (leads_with_zero(text) || text.size() > 18) && is_code(text) ? number_verdict::bad : verdict;
                    }, col, refused);
                    break;
                case kind::timestamp: {
                    std::string_view last;  // often the same as above
                    std::chrono::sys_seconds when{};
                    r = take_values(c, c.times, texts, above, r, n, [&](std::string_view text, std::chrono::sys_seconds& out) {
                        if (!same_text(text, last)) {
                            if (!parse_time(text, when)) return number_verdict::bad;
                            last = text;
                        }
                        out = when;
                        return number_verdict::ok;
                    }, col, refused);
                    break;
                }
                case kind::category:
                    take_codes(c, texts, above, n, col, refused);
                    return;
                case kind::undecided:
                    while (r < n && is_missing(texts[r])) ++r;
                    if (r < n) decide(c, texts[r], above + r);
                    break;
                case kind::skipped: return;
            }
        }
    }
    [[nodiscard]] CARAMEL_ALWAYS_INLINE bool is_missing(std::string_view text) const { return text.empty() || (!options_.missing.empty() && is_listed(text)); }
    [[nodiscard]] bool is_listed(std::string_view text) const {
        return std::find(options_.missing.begin(), options_.missing.end(), text) != options_.missing.end();
    }
    // From r on, up to the first field that is not of the column's type: returns where that is.
    template <class Value, class Parse>
    std::size_t take_values(column& c, std::vector<Value>& values, const std::string_view* texts, std::size_t above, std::size_t r, std::size_t n, const Parse& parse,
                            std::size_t col, refusal& refused) {
        if (values.size() < above + n) values.resize(above + n);
        Value* const out = values.data() + above;
        for (; r < n; ++r) {
            if (is_missing(texts[r])) [[unlikely]] {
                if (!c.nullable) return refuse(refused, r, col, errc::missing_value, "the value is missing"), n;
                if (c.missing.size() < above + n) c.missing.resize(above + n);
                c.missing[above + r] = true;
            } else if (const auto verdict = parse(texts[r], out[r]); verdict != number_verdict::ok) [[unlikely]] {
                if (!c.inferred) return refuse_value(refused, c.what, verdict, r, col), n;
                values.resize(above + r);
                turn(c, texts[r]);
                return r;
            }
        }
        return r;
    }
    void take_codes(column& c, const std::string_view* texts, std::size_t above, std::size_t n, std::size_t col, refusal& refused) {
        std::size_t r = c.codes.size() - above;  // missing ones above the first value
        c.codes.resize(above + n);
        std::int32_t* const out = c.codes.data() + above;
        std::string_view last;
        std::int32_t code = -1;
        for (; r < n; ++r) {
            const std::string_view text = texts[r];
            if (is_missing(text) && (c.nullable || !text.empty())) {
                if (!c.nullable) return refuse(refused, r, col, errc::missing_value, "the value is missing");
                out[r] = -1;
                continue;
            }
            if (code < 0 || !same_text(text, last)) {  // often the same as above
                code = static_cast<std::int32_t>(c.texts.number_of(text));
                last = text;
            }
            out[r] = code;
        }
    }
    CARAMEL_COLD static void refuse(refusal& refused, std::size_t r, std::size_t col, errc code, std::string_view what) { refused = {r, col, code, what}; }
    CARAMEL_COLD static void refuse_value(refusal& refused, kind wanted, number_verdict verdict, std::size_t r, std::size_t col) {
        if (wanted == kind::timestamp) return refuse(refused, r, col, errc::bad_time, "not a time like 2010-12-09 20:01:00");
        if (verdict == number_verdict::out_of_range) return refuse(refused, r, col, errc::number_out_of_range, "a number beyond the type's range");
        if (verdict == number_verdict::not_finite) return refuse(refused, r, col, errc::nan_or_inf, "not a finite number");
        refuse(refused, r, col, errc::bad_number, wanted == kind::integer ? "not an integer" : "not a number");
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
    [[nodiscard]] kind kind_of_text(std::string_view text) const {
        std::int64_t integer = 0;
        double number = 0;
        std::chrono::sys_seconds when;
        if (parse_integer(text, integer) == number_verdict::ok && !leads_with_zero(text)) return kind::integer;
        if (parse_number(text, point_, number) == number_verdict::ok) return is_code(text) ? kind::category : kind::number;
        return parse_time(text, when) ? kind::timestamp : kind::category;
    }
    // The first value of a column: all above it are missing.
    CARAMEL_COLD void decide(column& c, std::string_view first, std::size_t above) {
        c.what = c.known = kind_of_text(first);
        reserve(c);
        if (c.what == kind::category) c.codes.assign(above, -1);
        else if (above > 0) c.missing.assign(above, true);
    }
    // What an inferred column becomes when a field is not of its type.
    CARAMEL_COLD void turn(column& c, std::string_view text) {
        if (c.what == kind::integer && kind_of_text(text) == kind::number) {
            c.what = c.known = kind::number;
            reserve(c);
            for (const std::int64_t value : c.integers) c.numbers.push_back(static_cast<double>(value));
            c.integers = {};
            return;
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
            if (c.known == kind::integer) out.add_column(already_checked{}, header_[at], table_column(std::move(c.integers), std::move(c.missing)));
            else if (c.known == kind::number) out.add_column(already_checked{}, header_[at], table_column(already_checked{}, std::move(c.numbers), std::move(c.missing)));
            else if (c.known == kind::timestamp) out.add_column(already_checked{}, header_[at], table_column(std::move(c.times), std::move(c.missing)));
            else {
                if (c.known == kind::undecided) c.codes.assign(rows, -1);  // no value at all
                out.add_column(already_checked{}, header_[at], table_column(already_checked{}, std::move(c.codes), c.texts.texts()));
            }
        }
        return out;
    }

    const Options& options_;
    input_file* const file_;  // null where the whole text is at hand
    const std::size_t total_;  // bytes of the whole text
    std::unique_ptr<char[]> window_;
    std::size_t capacity_ = 0, before_window_ = 0;
    const char* filled_ = nullptr;  // where what was read ends
    bool is_last_ = true;           // there is nothing behind the window
    bool split_ = false;            // a row leaves the window
    const char* readable_;          // from here on
    const char* base_;              // the window: whole lines
    const char* p_;
    const char* end_;
    const char point_;
    std::array<std::uint8_t, 256> class_{};
    byte_marks marks_;
    mark_finder finder_;
    std::size_t first_row_ = 0;  // its place
    bool crlf_ = false;          // the header ends with "\r\n"
    bool numbers_may_be_missing_ = false;  // since a text that means a missing value has digits
    const char* begin_ = nullptr;
    bool more_ = false;
    workspace scratch_;       // what quoted texts say
    std::uint64_t row_ = 1;  // the header is row 1
    std::size_t expected_rows_ = 0, batch_rows_ = 0;
    std::vector<std::string_view> fields_;            // of a batch, column after column
    std::vector<std::uint32_t> places_;               // of a batch of plain rows, row after row
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
template <std::convertible_to<std::string_view> Text>
[[nodiscard]] table parse_csv(const Text& text, const csv_options& options = {}) {
    const detail::standard_arithmetic as_written;
    return detail::csv_parser(std::string_view(text), options).parse();
}

/// The same from a file; regular files only. Throws also `error` (`io`).
template <std::convertible_to<file_path> Path>
[[nodiscard]] table read_csv(const Path& path, const csv_options& options = {}) {
    const file_path& name = path;
    detail::input_file file(name, options.limits.file_bytes, "read_csv");
    const detail::standard_arithmetic as_written;
    return detail::csv_parser(std::string_view(), options, &file).parse();
}

/// The same from a stream, to its end.
template <std::derived_from<std::istream> Stream>
[[nodiscard]] table read_csv(Stream& in, const csv_options& options = {}) {
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

/// How `write_csv` writes.
struct csv_write_options {
    char delimiter = ',';
    /// Puts an apostrophe before texts that a spreadsheet would run as a formula (= + - @, tab, carriage return first).
    /// Off, `read_csv` reads back every text as it was.
    bool defuse_formulas = true;
};

namespace detail {

template <class Options>
class csv_writer {
   public:
    explicit csv_writer(const Options& options) : options_(options) {
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
    Options options_;
    std::string out_;
};

}  // namespace detail

/// A table as CSV text with LF: missing values are empty fields, numbers have as many digits as it takes to read them
/// back, quotes stand where they must. Throws `error`: `empty_input` (no columns), `bad_time` (a year beyond 9999), `io`.
template <std::same_as<table> Table>
void write_csv(const Table& from, std::ostream& out, const csv_write_options& options = {}) {
    const detail::standard_arithmetic as_they_are;
    detail::csv_writer(options).write_to(from, [&](std::string_view piece) { out.write(piece.data(), static_cast<std::streamsize>(piece.size())); });
    require(out.good(), errc::io, "write_csv: the stream failed");
}
/// The same to a file, whole or not at all: a failure leaves what was there before.
template <std::same_as<table> Table>
void write_csv(const Table& from, const file_path& path, const csv_write_options& options = {}) {
    const detail::standard_arithmetic as_they_are;
    std::string text;
    detail::csv_writer(options).write_to(from, [&](std::string_view piece) { text += piece; });
    replace_file(path, std::as_bytes(std::span(text)));
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
