#ifndef CARAMEL_ADAPTERS_SQLITE_HPP
#define CARAMEL_ADAPTERS_SQLITE_HPP

// Tables from and to SQLite databases. Needs sqlite3.h and -lsqlite3; `caramel.hpp` does not include this header.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <sqlite3.h>

#include <caramel/core/error.hpp>
#include <caramel/core/string_numbers.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/data/csv_values.hpp>
#include <caramel/data/table.hpp>
#include <caramel/io/file.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What stands for a `?` of a statement: nothing (NULL), a whole number, a number or a text.
using sqlite_value = std::variant<std::monostate, std::int64_t, double, std::string>;

/// The type of one column of a query, where it is not to be inferred.
struct sqlite_type {
    std::string name;
    column_type type = column_type::category;
};

/// What is larger is refused (`limit_exceeded`).
struct sqlite_limits {
    std::size_t rows = max_table_rows;
    std::size_t text_bytes = std::size_t{64} * 1024;  ///< of one cell
};

/// How a query is read.
struct sqlite_read_options {
    std::string name = "the query";             ///< what errors call the statement
    std::vector<sqlite_value> parameters = {};  ///< for ?1, ?2, ... in their order
    std::vector<sqlite_type> types = {};        ///< fixes types of single columns
    sqlite_limits limits = {};
};

/// What to do where the table that is to be written is there already.
enum class sqlite_existing : std::uint8_t {
    refuse = 0,
    replace = 1,  ///< drop it, with its indexes and triggers, and make it anew
    append = 2,   ///< rows are added to it
    update = 3,   ///< rows with the same key get the new values in these columns (of two given, the last), others are added
};

/// How a table is written.
struct sqlite_write_options {
    sqlite_existing existing = sqlite_existing::refuse;
    /// Columns that tell rows apart: the primary key of a table that is made, and what `update` goes by (a table that is
    /// there must have a primary key or unique index of just these).
    std::vector<std::string> key = {};
};

/// How a database file is opened; `create` makes it where there is none.
enum class sqlite_access : std::uint8_t { read_only = 0, read_write = 1, create = 2 };

namespace detail {

// Words of our own where there are some; never those of the database's last error, which may quote a literal or a value.
[[nodiscard]] inline std::string_view sqlite_words(int code) noexcept {
    switch (code) {
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
        case SQLITE_CONSTRAINT_UNIQUE: return "a key or unique value is there already";
        case SQLITE_CONSTRAINT_NOTNULL: return "a missing value where the database asks for one";
        case SQLITE_CONSTRAINT_FOREIGNKEY: return "a foreign key that points nowhere";
        case SQLITE_CONSTRAINT_CHECK: return "a check of the database says no";
        default: return sqlite3_errstr(code & 0xFF);
    }
}
[[nodiscard]] constexpr errc sqlite_errc(int code) noexcept {
    switch (code & 0xFF) {
        case SQLITE_ERROR: return errc::bad_parameter;
        case SQLITE_TOOBIG: return errc::limit_exceeded;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return errc::bad_format;
        case SQLITE_CONSTRAINT: return errc::bad_data;
        case SQLITE_MISMATCH: return errc::wrong_column_type;
        case SQLITE_RANGE:
        case SQLITE_MISUSE: return errc::bad_parameter;
        default: return errc::io;  // busy, locked, full, read-only, interrupted, ...
    }
}
template <class... Parts>
[[noreturn]] CARAMEL_COLD void fail_sqlite(int code, const place& where, const Parts&... who) {
    if ((code & 0xFF) == SQLITE_NOMEM) throw std::bad_alloc();
    fail(sqlite_errc(code), where, who..., ": ", sqlite_words(code), " (SQLite ", code, ")");
}

// "name", with quotes within doubled: whatever it holds is a name and nothing else.
[[nodiscard]] inline std::string sqlite_quoted(std::string_view name, std::string_view who) {
    require(!name.empty() && name.find('\0') == std::string_view::npos && is_utf8_text(name), errc::bad_parameter, who,
            ": a name of a table or column is empty, holds a zero byte or is not UTF-8");
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"') out += '"';
        out += c;
    }
    return out += '"';
}

class sqlite_statement {
   public:
    // `name` is what errors call it; `where` stands in them as "write_sqlite".
    sqlite_statement(sqlite3* database, std::string_view sql, std::string_view who, std::string_view name) : database_(database), who_(who), name_(name) {
        require(database != nullptr, errc::bad_parameter, who, ": no database is open");
        require(sql.size() < static_cast<std::size_t>(std::numeric_limits<int>::max()), errc::limit_exceeded, who, ": ", name, " has ", sql.size(), " bytes");
        sqlite3_stmt* made = nullptr;
        const char* rest = nullptr;
        const int code = sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &made, &rest);
        statement_.reset(made);
        if (code != SQLITE_OK) fail_in(sql);
        require(made != nullptr, errc::bad_parameter, who, ": ", name, " is empty");
        const auto left = sql.substr(static_cast<std::size_t>(rest - sql.data()));
        require_at(left.find_first_not_of(" \t\r\n;") == std::string_view::npos, errc::bad_parameter, {.byte = sql.size() - left.size() + 1}, who, ": ", name,
                   " goes on after the end of its first statement, at byte ", sql.size() - left.size() + 1);
    }
    [[nodiscard]] sqlite3_stmt* get() const noexcept { return statement_.get(); }

    void bind(int at, std::int64_t x) { check(sqlite3_bind_int64(get(), at, x)); }
    void bind(int at, double x) { check(sqlite3_bind_double(get(), at, x)); }
    void bind(int at, std::string_view x) {  // which must stand until the next step
        check(sqlite3_bind_text64(get(), at, x.data() == nullptr ? "" : x.data(), x.size(), SQLITE_STATIC, SQLITE_UTF8));
    }
    void bind(int at, std::monostate) { check(sqlite3_bind_null(get(), at)); }

    // Whether there is another row; `row` (from 1) stands in errors.
    [[nodiscard]] bool step(std::size_t row) {
        const int code = sqlite3_step(get());
        if (code == SQLITE_ROW) return true;
        if (code == SQLITE_DONE) return false;
        const int extended = sqlite3_extended_errcode(database_);
        fail_sqlite((extended & 0xFF) == (code & 0xFF) ? extended : code, {.row = row}, who_, ": ", name_, row > 0 ? message(", row ", row) : std::string());
    }
    void run(std::size_t row) {
        while (step(row)) {
        }
        check(sqlite3_reset(get()));
    }

   private:
    struct finalize {
        void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
    };
    void check(int code) const {
        if (code != SQLITE_OK) fail_sqlite(code, {}, who_, ": ", name_);
    }
    // A name that is not there is told, since the statement's writer chose it; all else by its place alone.
    [[noreturn]] CARAMEL_COLD void fail_in(std::string_view sql) const {
        const int code = sqlite3_extended_errcode(database_);
        place where;
#if SQLITE_VERSION_NUMBER >= 3038000
        if (const int offset = sqlite3_error_offset(database_); offset >= 0 && static_cast<std::size_t>(offset) < sql.size())
            where.byte = static_cast<std::uint64_t>(offset) + 1;
#endif
        const std::string at = where.byte > 0 ? message(" (byte ", where.byte, " of ", sql.size(), ")") : std::string();
        const std::string_view said = sqlite3_errmsg(database_);
        for (const std::string_view what : {"no such column: ", "no such table: "})
            if (said.starts_with(what))
                fail(errc::missing_column, where, who_, ": ", name_, ": ", what.substr(0, what.size() - 2), " \"", said.substr(what.size()), "\"", at);
        if ((code & 0xFF) == SQLITE_ERROR) fail(errc::bad_parameter, where, who_, ": ", name_, ": not a statement that this database takes", at);
        fail_sqlite(code, where, who_, ": ", name_, at);
    }

    sqlite3* database_;
    std::string who_, name_;
    std::unique_ptr<sqlite3_stmt, finalize> statement_;
};

// Until `commit`, whatever ends it takes everything back. Within a transaction of the host, that much of it alone.
class sqlite_transaction {
   public:
    sqlite_transaction(sqlite3* database, std::string_view who) : database_(database), who_(who), nested_(sqlite3_get_autocommit(database) == 0) {
        sqlite_statement(database, nested_ ? "SAVEPOINT caramel_write" : "BEGIN IMMEDIATE", who, "the beginning of the transaction").run(0);
        open_ = true;
    }
    sqlite_transaction(const sqlite_transaction&) = delete;
    sqlite_transaction& operator=(const sqlite_transaction&) = delete;
    ~sqlite_transaction() {
        if (!open_ || sqlite3_get_autocommit(database_) != 0) return;  // some errors take all of it back by themselves
        sqlite3_exec(database_, nested_ ? "ROLLBACK TO caramel_write; RELEASE caramel_write" : "ROLLBACK", nullptr, nullptr, nullptr);
    }
    void commit() {
        sqlite_statement(database_, nested_ ? "RELEASE caramel_write" : "COMMIT", who_, "the end of the transaction").run(0);
        open_ = false;
    }

   private:
    sqlite3* database_;
    std::string_view who_;
    bool nested_, open_ = false;
};

// One column of a query, cell by cell. SQLite gives each cell a type of its own; a column has one.
class sqlite_column {
   public:
    sqlite_column(std::string name, std::size_t number, const sqlite_type* fixed, const char* declared)
        : name_(std::move(name)),
          number_(number),
          fixed_(fixed != nullptr),
          type_(fixed != nullptr ? fixed->type : column_type::integer),
          declared_(declared == nullptr ? "" : declared) {}

    void take(sqlite3_stmt* from, std::size_t row, const sqlite_limits& limits) {
        const int c = static_cast<int>(number_) - 1;
        const int found = sqlite3_column_type(from, c);
        if (found == SQLITE_NULL) return push_missing();
        if (!fixed_ && !seen_) settle(found == SQLITE_INTEGER ? column_type::integer : found == SQLITE_FLOAT ? column_type::number : column_type::category);
        if (!fixed_ && type_ == column_type::integer && found == SQLITE_FLOAT) to_numbers();
        seen_ = true;
        if (found == SQLITE_BLOB) refuse(errc::wrong_column_type, row, "bytes (a BLOB), which no column of a table holds");
        switch (type_) {
            case column_type::integer:
                if (found != SQLITE_INTEGER)
                    refuse(errc::wrong_column_type, row, found == SQLITE_TEXT ? "text where there are numbers" : "a fraction where there are whole numbers");
                integers_.push_back(sqlite3_column_int64(from, c));
                break;
            case column_type::number: {
                if (found == SQLITE_TEXT) refuse(errc::wrong_column_type, row, "text where there are numbers");
                const double x = sqlite3_column_double(from, c);
                if (!std::isfinite(x)) refuse(errc::nan_or_inf, row, "not finite");
                numbers_.push_back(x);
                break;
            }
            case column_type::category: {
                if (found != SQLITE_TEXT && !fixed_) refuse(errc::wrong_column_type, row, "a number where there is text");
                codes_.push_back(static_cast<std::int32_t>(number_of(text_of(from, c, row, limits), row)));
                break;
            }
            case column_type::timestamp: {
                std::chrono::sys_seconds when{};
                if (found == SQLITE_INTEGER) when = std::chrono::sys_seconds(std::chrono::seconds(sqlite3_column_int64(from, c)));
                else if (found == SQLITE_FLOAT || !parse_time(text_of(from, c, row, limits), when))
                    refuse(errc::bad_time, row, "not a time like 2010-12-09 20:01:00, nor seconds since 1970");
                times_.push_back(when);
            }
        }
        missing_.push_back(false);
    }
    [[nodiscard]] table_column finish() && {
        if (!seen_ && !fixed_) settle(declared_type());
        auto levels = texts_.texts();
        if (type_ == column_type::category && !fixed_ && !levels.empty() && all_times(levels)) {  // as in CSV files
            for (const std::int32_t code : codes_) {
                times_.emplace_back();
                if (code >= 0) (void)parse_time(levels[static_cast<std::size_t>(code)], times_.back());
            }
            type_ = column_type::timestamp;
        }
        switch (type_) {
            case column_type::number: return table_column(already_checked{}, std::move(numbers_), std::move(missing_));
            case column_type::integer: return table_column(std::move(integers_), std::move(missing_));
            case column_type::timestamp: return table_column(std::move(times_), std::move(missing_));
            case column_type::category: break;
        }
        return table_column(already_checked{}, std::move(codes_), std::move(levels));
    }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

   private:
    [[noreturn]] CARAMEL_COLD void refuse(errc code, std::size_t row, std::string_view what) const {
        fail(code, {.row = row, .column = number_}, "read_sqlite: row ", row, ", column ", number_, " \"", name_, "\": ", what);
    }
    void push_missing() {
        missing_.push_back(true);
        switch (type_) {
            case column_type::integer: return integers_.push_back(0);
            case column_type::number: return numbers_.push_back(0);
            case column_type::timestamp: return times_.push_back({});
            case column_type::category: return codes_.push_back(-1);
        }
    }
    // The type is known now; before it was, there were only missing cells.
    void settle(column_type type) {
        type_ = type;
        integers_.clear();
        const std::size_t rows = missing_.size();
        if (type == column_type::integer) integers_.resize(rows);
        else if (type == column_type::number) numbers_.resize(rows);
        else if (type == column_type::timestamp) times_.resize(rows);
        else codes_.assign(rows, -1);
    }
    void to_numbers() {
        numbers_.assign(integers_.begin(), integers_.end());
        integers_.clear();
        type_ = column_type::number;
    }
    std::string_view text_of(sqlite3_stmt* from, int c, std::size_t row, const sqlite_limits& limits) const {
        const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(from, c));
        if (text == nullptr) throw std::bad_alloc();
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(from, c));
        if (size > limits.text_bytes) refuse(errc::limit_exceeded, row, message("a text of ", size, " bytes, at most ", limits.text_bytes));
        return {text, size};
    }
    std::uint32_t number_of(std::string_view text, std::size_t row) {
        const auto [number, is_new] = texts_.insert(text);
        if (is_new && !is_utf8_text(text)) refuse(errc::bad_utf8, row, "not UTF-8");
        return number;
    }
    static bool all_times(const std::vector<std::string>& levels) {
        std::chrono::sys_seconds when{};
        return std::ranges::all_of(levels, [&](const std::string& level) { return parse_time(level, when); });
    }
    // Of a column without any value: by the words that SQLite itself goes by (https://sqlite.org/datatype3.html, 3.1).
    [[nodiscard]] column_type declared_type() const {
        std::string words = declared_;
        for (char& c : words)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        const auto has = [&](std::string_view word) { return words.find(word) != std::string::npos; };
        if (has("INT")) return column_type::integer;
        if (has("CHAR") || has("CLOB") || has("TEXT")) return column_type::category;
        if (has("REAL") || has("FLOA") || has("DOUB") || has("NUMERIC") || has("DECIMAL")) return column_type::number;
        return has("DATE") || has("TIME") ? column_type::timestamp : column_type::category;
    }

    std::string name_;
    std::size_t number_;  // from 1
    bool fixed_, seen_ = false;
    column_type type_;
    std::string declared_;
    std::vector<std::int64_t> integers_;
    std::vector<double> numbers_;
    std::vector<std::chrono::sys_seconds> times_;
    std::vector<std::int32_t> codes_;
    string_numbers<> texts_;
    std::vector<bool> missing_;
};

// "2010-12-09 20:01:00", in a buffer that the statement may point to.
class sqlite_time {
   public:
    sqlite_time(std::chrono::sys_seconds when, std::size_t row, std::size_t column) {
        const auto day = std::chrono::floor<std::chrono::days>(when);
        const std::chrono::year_month_day date(day);
        require_at(int{date.year()} >= 0 && int{date.year()} <= 9999, errc::bad_time, {.row = row, .column = column}, "write_sqlite: row ", row, ", column ",
                   column, ": a year is not one of 0 to 9999");
        const auto seconds = static_cast<unsigned>((when - day).count());
        put(0, 4, static_cast<unsigned>(int{date.year()}));
        put(5, 2, unsigned{date.month()});
        put(8, 2, unsigned{date.day()});
        put(11, 2, seconds / 3600);
        put(14, 2, seconds / 60 % 60);
        put(17, 2, seconds % 60);
    }
    [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), 19}; }

   private:
    void put(std::size_t at, std::size_t width, unsigned value) noexcept {
        for (std::size_t i = at + width; i-- > at; value /= 10) text_[i] = static_cast<char>('0' + value % 10);
    }
    std::array<char, 20> text_{"0000-00-00 00:00:00"};
};

// Which columns of `rows` are the key.
[[nodiscard]] inline std::vector<bool> sqlite_keys(const table& rows, const std::vector<std::string>& key) {
    std::vector<bool> out(rows.columns());
    for (const auto& name : key) {
        const std::size_t at = rows.position(name);
        require_at(!out[at], errc::duplicate_column, {.column = at + 1}, "write_sqlite: the key names column \"", name, "\" twice");
        out[at] = true;
        for (std::size_t i = 0; rows.column(at).any_missing() && i < rows.rows(); ++i)
            require_at(!rows.column(at).missing(i), errc::missing_value, {.row = i + 1, .column = at + 1}, "write_sqlite: row ", i + 1, ", column ", at + 1,
                       " \"", name, "\": a missing value in a column of the key");
    }
    return out;
}
[[nodiscard]] inline std::string sqlite_list(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : ", ") + sqlite_quoted(name, "write_sqlite");
    return out;
}
[[nodiscard]] inline std::string sqlite_creation(const std::string& name, const table& rows, const std::vector<std::string>& key) {
    std::string sql = "CREATE TABLE " + name + " (";
    for (std::size_t c = 0; c < rows.columns(); ++c) {
        const column_type type = rows.column(c).type();
        sql += (c == 0 ? "" : ", ") + sqlite_quoted(rows.names()[c], "write_sqlite");
        sql += type == column_type::number ? " REAL" : type == column_type::integer ? " INTEGER" : " TEXT";
    }
    if (!key.empty()) sql += ", PRIMARY KEY (" + sqlite_list(key) + ")";
    return sql += ")";
}
[[nodiscard]] inline std::string sqlite_insertion(const std::string& name, const table& rows, const sqlite_write_options& options,
                                                  const std::vector<bool>& in_key) {
    std::string sql = "INSERT INTO " + name + " (" + sqlite_list(rows.names()) + ") VALUES (", changed;
    for (std::size_t c = 0; c < rows.columns(); ++c) {
        sql += c == 0 ? "?" : ", ?";
        const std::string column = sqlite_quoted(rows.names()[c], "write_sqlite");
        if (!in_key[c]) changed += message(changed.empty() ? "" : ", ", column, " = excluded.", column);
    }
    sql += ")";
    if (options.existing == sqlite_existing::update)
        sql += " ON CONFLICT (" + sqlite_list(options.key) + (changed.empty() ? ") DO NOTHING" : ") DO UPDATE SET " + changed);
    return sql;
}

}  // namespace detail

/// A connection to a database file, closed at the end. It goes wherever a `sqlite3*` does; hosts that have one of their own
/// do not need this class.
class sqlite_database {
   public:
    /// Waits up to `patience` for other processes' locks. ":memory:" is a database without a file.
    /// Throws `error`: `io` (no such file, no permission, ...), `bad_format` (the file is no database).
    explicit sqlite_database(const file_path& path, sqlite_access how = sqlite_access::read_write,
                             std::chrono::milliseconds patience = std::chrono::seconds(5)) {
        const int flags =
            how == sqlite_access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | (how == sqlite_access::create ? SQLITE_OPEN_CREATE : 0);
        sqlite3* opened = nullptr;
        const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
        database_.reset(opened);
        if (code != SQLITE_OK) detail::fail_sqlite(code, {}, "sqlite_database: ", path.string());
        sqlite3_busy_timeout(opened, static_cast<int>(std::min<std::chrono::milliseconds::rep>(patience.count(), std::numeric_limits<int>::max())));
        detail::sqlite_statement(opened, "PRAGMA schema_version", "sqlite_database", path.string()).run(0);  // SQLite looks at a file only now
    }
    [[nodiscard]] sqlite3* get() const noexcept { return database_.get(); }
    operator sqlite3*() const noexcept { return get(); }  // NOLINT(google-explicit-constructor)

   private:
    struct close {
        void operator()(sqlite3* d) const noexcept { sqlite3_close_v2(d); }
    };
    std::unique_ptr<sqlite3, close> database_;
};

/// What a query gives, as a table. NULL is a missing value. A column is of type integer where every cell is a whole number,
/// number where every cell is a number, timestamp where every cell is text like "2010-12-09 20:01:00", else category; without
/// any value, as it was declared. `sqlite_read_options::types` fixes types: category also takes numbers, as text; timestamp
/// also whole numbers, as seconds since 1970.
/// Nothing is changed: a statement that writes is refused. Throws `error`, with row and column where they are known:
/// `bad_parameter` (not one statement that reads; with the byte; or another number of `?`), `missing_column` (a table or column
/// that is not there, a name in `types`), `duplicate_column`, `wrong_column_type` (text and numbers in one column, a BLOB),
/// `nan_or_inf`, `bad_utf8`, `bad_time`, `limit_exceeded`, `bad_format` (a damaged file), `io` (locked, unreadable, ...).
[[nodiscard]] inline table read_sqlite(sqlite3* database, std::string_view sql, const sqlite_read_options& options = {}) {
    constexpr std::string_view who = "read_sqlite";
    detail::sqlite_statement query(database, sql, who, options.name);
    require(sqlite3_stmt_readonly(query.get()) != 0 && sqlite3_column_count(query.get()) > 0, errc::bad_parameter, who, ": ", options.name,
            " does not only read");
    const auto wanted = static_cast<std::size_t>(sqlite3_bind_parameter_count(query.get()));
    require(wanted == options.parameters.size(), errc::bad_parameter, who, ": ", options.name, " has ", wanted, " parameters, got ", options.parameters.size());
    for (std::size_t i = 0; i < wanted; ++i) {
        const int at = static_cast<int>(i) + 1;
        std::visit([&](const auto& x) { query.bind(at, x); }, options.parameters[i]);
    }
    std::vector<detail::sqlite_column> columns;
    std::vector<bool> used(options.types.size());
    for (int c = 0; c < sqlite3_column_count(query.get()); ++c) {
        const char* const name = sqlite3_column_name(query.get(), c);
        if (name == nullptr) throw std::bad_alloc();
        const auto fixed = std::ranges::find(options.types, name, &sqlite_type::name);
        if (fixed != options.types.end()) used[static_cast<std::size_t>(fixed - options.types.begin())] = true;
        columns.emplace_back(name, static_cast<std::size_t>(c) + 1, fixed == options.types.end() ? nullptr : &*fixed, sqlite3_column_decltype(query.get(), c));
    }
    for (std::size_t i = 0; i < used.size(); ++i)
        require(used[i], errc::missing_column, who, ": ", options.name, " gives no column \"", options.types[i].name, "\", for which a type is fixed");
    for (std::size_t row = 1; query.step(row); ++row) {
        require_at(row <= options.limits.rows, errc::limit_exceeded, {.row = row}, who, ": ", options.name, " gives more than ", options.limits.rows, " rows");
        for (auto& column : columns) column.take(query.get(), row, options.limits);
    }
    table out;
    for (auto& column : columns) {
        std::string name = column.name();
        out.add_column(std::move(name), std::move(column).finish());
    }
    return out;
}

/// Writes a table: missing values as NULL, timestamps as text like "2010-12-09 20:01:00". All of it or nothing: in one
/// transaction, or in a savepoint where the host has one open, which an error rolls back. Names may hold anything.
/// Throws `error`, with row and column where they are known: `bad_parameter` (the table is there already, `update` without a
/// key or a unique index of it), `missing_column` (a column that the table does not have, or not `rows`), `missing_value` (in
/// the key), `empty_input` (no columns), `bad_data` (a constraint of the database), `bad_time`, `io` (locked, full, ...).
inline void write_sqlite(sqlite3* database, std::string_view into, const table& rows, const sqlite_write_options& options = {}) {
    constexpr std::string_view who = "write_sqlite";
    require(database != nullptr, errc::bad_parameter, who, ": no database is open");
    require(rows.columns() > 0, errc::empty_input, who, ": the table has no columns");
    require(options.existing != sqlite_existing::update || !options.key.empty(), errc::bad_parameter, who, ": to update needs a key");
    const std::string plain(into), name = detail::sqlite_quoted(into, who);
    const auto in_key = detail::sqlite_keys(rows, options.key);

    detail::sqlite_transaction all_or_nothing(database, who);
    const auto has = [&](const char* column) {
        return sqlite3_table_column_metadata(database, nullptr, plain.c_str(), column, nullptr, nullptr, nullptr, nullptr, nullptr) == SQLITE_OK;
    };
    bool there = has(nullptr);
    require(!there || options.existing != sqlite_existing::refuse, errc::bad_parameter, who, ": there is a table \"", into, "\" already");
    if (there && options.existing == sqlite_existing::replace) {
        detail::sqlite_statement(database, "DROP TABLE " + name, who, into).run(0);
        there = false;
    }
    if (!there) detail::sqlite_statement(database, detail::sqlite_creation(name, rows, options.key), who, into).run(0);
    for (std::size_t c = 0; there && c < rows.columns(); ++c)
        require_at(has(rows.names()[c].c_str()), errc::missing_column, {.column = c + 1}, who, ": table \"", into, "\" has no column \"", rows.names()[c],
                   "\"");
    detail::sqlite_statement insertion(database, detail::sqlite_insertion(name, rows, options, in_key), who, into);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        std::vector<detail::sqlite_time> times;
        times.reserve(rows.columns());
        for (std::size_t c = 0; c < rows.columns(); ++c) {
            const table_column& column = rows.column(c);
            const int at = static_cast<int>(c) + 1;
            if (column.missing(i)) {
                insertion.bind(at, std::monostate{});
                continue;
            }
            switch (column.type()) {
                case column_type::number: insertion.bind(at, column.numbers()[i]); break;
                case column_type::integer: insertion.bind(at, column.integers()[i]); break;
                case column_type::category: insertion.bind(at, column.categories()[i]); break;
                case column_type::timestamp: insertion.bind(at, times.emplace_back(column.timestamps()[i], i + 1, c + 1).text()); break;
            }
        }
        insertion.run(i + 1);
    }
    all_or_nothing.commit();
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
