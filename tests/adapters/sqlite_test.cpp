#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include <support/catch.hpp>

#include <caramel/adapters/sqlite.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>

using namespace caramel;
using namespace std::chrono_literals;

namespace {

sqlite_database memory() { return sqlite_database(":memory:", sqlite_access::create); }
void run(sqlite3* database, const char* sql) { REQUIRE(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK); }
std::int64_t count(sqlite3* database, const std::string& from) { return read_sqlite(database, "SELECT count(*) n FROM " + from).integers("n")[0]; }

struct temporary_folder {
    std::string path = (std::filesystem::temp_directory_path() / "caramel-sqlite-XXXXXX").string();
    temporary_folder() { REQUIRE(mkdtemp(path.data()) != nullptr); }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() { std::filesystem::remove_all(path); }
    [[nodiscard]] std::string operator/(const char* name) const { return path + "/" + name; }
};

table some_rows() {
    table out;
    out.add_column("id", std::vector<std::int64_t>{1, 2, std::numeric_limits<std::int64_t>::min()});
    out.add_column("score", std::vector<std::optional<double>>{0.1, std::nullopt, 1e-300});
    out.add_column("word", std::vector<std::optional<std::string>>{"it's \"x\"; DROP TABLE t;--", std::nullopt, ""});
    out.add_column("seen", std::vector<std::optional<std::chrono::sys_seconds>>{std::chrono::sys_days(std::chrono::year(1969) / 12 / 31) + 23h + 59min + 58s,
                                                                                std::nullopt, std::chrono::sys_days(std::chrono::year(9999) / 12 / 31)});
    return out;
}

}  // namespace

// ---- reading -----------------------------------------------------------------------------------------------------------

TEST_CASE("sqlite: types of cells become types of columns, NULL is missing", "[sqlite]") {
    const auto db = memory();
    run(db,
        "CREATE TABLE t (i, r, mixed, w, d, late); INSERT INTO t VALUES (1, 1.5, 2, 'a', '2010-12-09', NULL), (NULL, NULL, NULL, NULL, NULL, NULL),"
        "(-3, 2.0, 2.5, 'b', '2010-12-09 20:01:00', 'x')");
    const table t = read_sqlite(db, "SELECT * FROM t");
    REQUIRE(t.names() == std::vector<std::string>{"i", "r", "mixed", "w", "d", "late"});
    REQUIRE(t.rows() == 3);
    CHECK(t.integers("i")[2] == -3);
    CHECK(t.numbers("r")[2] == 2.0);
    CHECK(t.numbers("mixed")[0] == 2.0);
    CHECK(t.numbers("mixed")[2] == 2.5);
    CHECK(t.categories("w")[2] == "b");
    CHECK(t.timestamps("d")[2] == std::chrono::sys_days(std::chrono::year(2010) / 12 / 9) + 20h + 1min);
    CHECK(t.categories("late")[2] == "x");
    for (std::size_t c = 0; c < 6; ++c) CHECK(t.column(c).missing(1));
    CHECK(t.column("late").missing(0));
    CHECK_FALSE(t.column("late").missing(2));
}
TEST_CASE("sqlite: a column that begins with missing cells has the type of what follows", "[sqlite]") {
    const auto db = memory();
    run(db, "CREATE TABLE t (i, r, w); INSERT INTO t VALUES (NULL, NULL, NULL), (NULL, NULL, NULL), (7, 0.5, 'x')");
    const table t = read_sqlite(db, "SELECT * FROM t");
    CHECK(t.integers("i")[2] == 7);
    CHECK(t.numbers("r")[2] == 0.5);
    CHECK(t.categories("w")[2] == "x");
    for (std::size_t c = 0; c < 3; ++c) CHECK((t.column(c).missing(0) && t.column(c).missing(1) && !t.column(c).missing(2)));
}
TEST_CASE("sqlite: without any value a column has the type that was declared", "[sqlite][edge]") {
    const auto db = memory();
    run(db, "CREATE TABLE t (a INTEGER, b REAL, c varchar(9), d DATETIME, e, f DECIMAL(9, 2))");
    using enum column_type;
    for (const char* rows : {"", "INSERT INTO t VALUES (NULL, NULL, NULL, NULL, NULL, NULL)"}) {
        run(db, rows);
        const table t = read_sqlite(db, "SELECT * FROM t");
        for (std::size_t c = 0; const column_type wanted : {integer, number, category, timestamp, category, number}) {
            CHECK(t.column(c).type() == wanted);
            CHECK(t.column(c).size() == t.rows());
            ++c;
        }
    }
}
TEST_CASE("sqlite: types that are fixed", "[sqlite]") {
    const auto db = memory();
    run(db, "CREATE TABLE t (id, code, at, n); INSERT INTO t VALUES (1, '007', 86400, 1), (2, '8', '1970-01-03', 2)");
    const table t = read_sqlite(db, "SELECT * FROM t", {.types = {{"id", column_type::category}, {"at", column_type::timestamp}, {"n", column_type::number}}});
    CHECK(t.categories("id")[1] == "2");
    CHECK(t.categories("code")[0] == "007");
    CHECK(t.timestamps("at")[0].time_since_epoch() == 86400s);
    CHECK(t.timestamps("at")[1].time_since_epoch() == 2 * 86400s);
    CHECK(t.numbers("n")[1] == 2.0);
    const auto e = error_of([&] { (void)read_sqlite(db, "SELECT id FROM t", {.types = {{"it", column_type::number}}}); });
    CHECK(e.code() == errc::missing_column);
    CHECK(std::string(e.what()) == "read_sqlite: the query gives no column \"it\", for which a type is fixed");
}
TEST_CASE("sqlite: parameters are values, whatever they hold", "[sqlite]") {
    const auto db = memory();
    write_sqlite(db, "t", some_rows());
    const auto rows_where = [&](const char* condition, std::vector<sqlite_value> parameters) {
        return read_sqlite(db, std::string("SELECT id FROM t WHERE ") + condition, {.parameters = std::move(parameters)}).rows();
    };
    CHECK(rows_where("id = ?", {2}) == 1);
    CHECK(rows_where("score < ?", {0.05}) == 1);
    CHECK(rows_where("word = ? OR id = ?", {"it's \"x\"; DROP TABLE t;--", 2}) == 2);
    CHECK(rows_where("word IS ?", {std::monostate{}}) == 1);
    CHECK(rows_where("word = ?", {"' OR 1 = 1 --"}) == 0);
    CHECK(rows_where("word = ?", {std::string()}) == 1);
    const auto e = error_of([&] { (void)rows_where("id = ? OR id = ?", {1}); });
    CHECK(e.code() == errc::bad_parameter);
    CHECK(std::string(e.what()) == "read_sqlite: the query has 2 parameters, got 1");
}
TEST_CASE("sqlite: cells that no column holds are refused with row and column", "[sqlite][error]") {
    const auto db = memory();
    const auto refused = [&](const char* sql, errc code, const char* what, sqlite_read_options options = {}) {
        const auto e = error_of([&] { (void)read_sqlite(db, sql, options); });
        CHECK(e.code() == code);
        CHECK(std::string(e.what()) == what);
        CHECK(e.where().row == 2);
        CHECK(e.where().column == 1);
    };
    refused("SELECT 1 AS c UNION ALL SELECT 'secret'", errc::wrong_column_type, "read_sqlite: row 2, column 1 \"c\": text where there are numbers");
    refused("SELECT 1.5 AS c UNION ALL SELECT 'secret'", errc::wrong_column_type, "read_sqlite: row 2, column 1 \"c\": text where there are numbers");
    refused("SELECT 'a' AS c UNION ALL SELECT 2", errc::wrong_column_type, "read_sqlite: row 2, column 1 \"c\": a number where there is text");
    refused("SELECT 1 AS c UNION ALL SELECT x'00ff'", errc::wrong_column_type,
            "read_sqlite: row 2, column 1 \"c\": bytes (a BLOB), which no column of a table holds");
    refused("SELECT 1.0 AS c UNION ALL SELECT 9e999", errc::nan_or_inf, "read_sqlite: row 2, column 1 \"c\": not finite");
    refused("SELECT 'a' AS c UNION ALL SELECT CAST(x'ff' AS TEXT)", errc::bad_utf8, "read_sqlite: row 2, column 1 \"c\": not UTF-8");
    refused("SELECT '2010-12-09' AS c UNION ALL SELECT 'soon'", errc::bad_time,
            "read_sqlite: row 2, column 1 \"c\": not a time like 2010-12-09 20:01:00, nor seconds since 1970", {.types = {{"c", column_type::timestamp}}});
    refused("SELECT 1 AS c UNION ALL SELECT 1.5", errc::wrong_column_type, "read_sqlite: row 2, column 1 \"c\": a fraction where there are whole numbers",
            {.types = {{"c", column_type::integer}}});
    refused("SELECT 'a' AS c UNION ALL SELECT 'abcde'", errc::limit_exceeded, "read_sqlite: row 2, column 1 \"c\": a text of 5 bytes, at most 4",
            {.limits = {.text_bytes = 4}});
    const auto e = error_of([&] { (void)read_sqlite(db, "SELECT 1 AS c UNION ALL SELECT 2", {.name = "customers", .limits = {.rows = 1}}); });
    CHECK(e.code() == errc::limit_exceeded);
    CHECK(std::string(e.what()) == "read_sqlite: customers gives more than 1 rows");
    CHECK(error_of([&] { (void)read_sqlite(db, "SELECT 1 AS c, 2 AS c"); }).code() == errc::duplicate_column);
}
TEST_CASE("sqlite: what is no single statement that reads is refused, and changes nothing", "[sqlite][error]") {
    const auto db = memory();
    run(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    const auto refused = [&](const char* sql, errc code, const char* what, std::uint64_t byte = 0) {
        const auto e = error_of([&] { (void)read_sqlite(db, sql, {.name = "customers"}); });
        CHECK(e.code() == code);
        CHECK(std::string(e.what()) == what);
        CHECK(e.where().byte == byte);
    };
    refused("DELETE FROM t RETURNING a", errc::bad_parameter, "read_sqlite: customers does not only read");
    refused("BEGIN", errc::bad_parameter, "read_sqlite: customers does not only read");
    refused("SELECT a FROM t; DELETE FROM t", errc::bad_parameter, "read_sqlite: customers goes on after the end of its first statement, at byte 17", 17);
    refused(" -- nothing", errc::bad_parameter, "read_sqlite: customers is empty");
    refused("SELECT b FROM t", errc::missing_column, "read_sqlite: customers: no such column \"b\" (byte 8 of 15)", 8);
    refused("SELECT a FROM t2", errc::missing_column, "read_sqlite: customers: no such table \"t2\"");
    // A literal of the statement may be a customer's name.
    refused("SELECT a FROM t WHERE a = 'O'Brien'", errc::bad_parameter, "read_sqlite: customers: not a statement that this database takes (byte 30 of 35)", 30);
    CHECK(count(db, "t") == 1);
    CHECK(error_of([] { (void)read_sqlite(nullptr, "SELECT 1"); }).code() == errc::bad_parameter);
    CHECK(read_sqlite(db, "SELECT a FROM t; \n;").rows() == 1);
}

// ---- writing -----------------------------------------------------------------------------------------------------------

TEST_CASE("sqlite: a table comes back as it was written", "[sqlite]") {
    const auto db = memory();
    const table rows = some_rows();
    for (const char* name : {"t", "select", "a \"b\" c'", "t\"; DROP TABLE t; --", "\xC3\xA4 b"}) {
        write_sqlite(db, name, rows);
        CHECK(read_sqlite(db, "SELECT * FROM " + detail::sqlite_quoted(name, "test")) == rows);
    }
    CHECK(count(db, "t") == 3);
    table odd;
    odd.add_column("a \"; b", std::vector<std::int64_t>{1});
    odd.add_column("from", std::vector<std::string>{"x"});
    write_sqlite(db, "odd", odd, {.key = {"from"}});
    CHECK(read_sqlite(db, "SELECT * FROM odd") == odd);
    write_sqlite(db, "no_rows", rows.slice(0, 0));
    CHECK(count(db, "no_rows") == 0);
}
TEST_CASE("sqlite: what to do with a table that is there", "[sqlite]") {
    const auto db = memory();
    table rows;
    rows.add_column("id", std::vector<std::int64_t>{1, 2});
    rows.add_column("score", std::vector<double>{.25, .5});
    write_sqlite(db, "scores", rows, {.key = {"id"}});
    const auto e = error_of([&] { write_sqlite(db, "scores", rows); });
    CHECK(e.code() == errc::bad_parameter);
    CHECK(std::string(e.what()) == "write_sqlite: there is a table \"scores\" already");

    table later;
    later.add_column("id", std::vector<std::int64_t>{2, 3});
    later.add_column("score", std::vector<double>{.75, 1});
    run(db, "ALTER TABLE scores ADD COLUMN note TEXT; UPDATE scores SET note = 'kept'");
    write_sqlite(db, "scores", later, {.existing = sqlite_existing::update, .key = {"id"}});
    const table all = read_sqlite(db, "SELECT * FROM scores ORDER BY id");
    CHECK(std::vector<double>(all.numbers("score").begin(), all.numbers("score").end()) == std::vector<double>{.25, .75, 1});
    CHECK(all.categories("note")[1] == "kept");
    CHECK(all.column("note").missing(2));
    write_sqlite(db, "scores", later.take_columns({"id"}), {.existing = sqlite_existing::update, .key = {"id"}});
    CHECK(count(db, "scores") == 3);

    write_sqlite(db, "log", rows);
    write_sqlite(db, "log", rows, {.existing = sqlite_existing::append});
    CHECK(count(db, "log") == 4);
    write_sqlite(db, "scores", rows, {.existing = sqlite_existing::replace});
    CHECK(read_sqlite(db, "SELECT * FROM scores") == rows);
    write_sqlite(db, "fresh", rows, {.existing = sqlite_existing::update, .key = {"id"}});
    CHECK(read_sqlite(db, "SELECT * FROM fresh") == rows);

    const auto unknown = error_of([&] { write_sqlite(db, "log", some_rows(), {.existing = sqlite_existing::append}); });
    CHECK(unknown.code() == errc::missing_column);
    CHECK(std::string(unknown.what()) == "write_sqlite: table \"log\" has no column \"word\"");
    CHECK(unknown.where().column == 3);
    CHECK(error_of([&] { write_sqlite(db, "log", rows, {.existing = sqlite_existing::update, .key = {"id"}}); }).code() ==
          errc::bad_parameter);  // no unique index
    CHECK(count(db, "log") == 4);
}
TEST_CASE("sqlite: a failure half way leaves the database as it was", "[sqlite][error]") {
    const auto db = memory();
    run(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, score REAL CHECK (score < 1)); INSERT INTO t VALUES (5, 0.5)");
    const table before = read_sqlite(db, "SELECT * FROM t");
    table rows;
    rows.add_column("id", std::vector<std::int64_t>{3, 4, 5});
    rows.add_column("score", std::vector<double>{.1, .2, .3});
    const auto e = error_of([&] { write_sqlite(db, "t", rows, {.existing = sqlite_existing::append}); });
    CHECK(e.code() == errc::bad_data);
    CHECK(std::string(e.what()) == "write_sqlite: t, row 3: a key or unique value is there already (SQLite 1555)");
    CHECK(e.where().row == 3);
    CHECK(read_sqlite(db, "SELECT * FROM t") == before);
    CHECK(sqlite3_get_autocommit(db) == 1);

    table large = rows.drop({"score"});
    large.add_column("score", std::vector<double>{.1, 2, .3});
    CHECK_THROWS_WITH(write_sqlite(db, "t", large, {.existing = sqlite_existing::update, .key = {"id"}}),
                      "write_sqlite: t, row 2: a check of the database says no (SQLite 275)");
    // Replacing drops the table first: it is there again.
    table twice;
    twice.add_column("id", std::vector<std::int64_t>{7, 7});
    CHECK_THROWS(write_sqlite(db, "t", twice, {.existing = sqlite_existing::replace, .key = {"id"}}));
    CHECK(read_sqlite(db, "SELECT * FROM t") == before);
    CHECK_THROWS(write_sqlite(db, "fresh", twice, {.key = {"id"}}));
    CHECK(error_of([&] { (void)read_sqlite(db, "SELECT * FROM fresh"); }).code() == errc::missing_column);

    // Within the host's own transaction, only ours is taken back.
    run(db, "BEGIN; INSERT INTO t VALUES (9, 0.9)");
    CHECK_THROWS(write_sqlite(db, "t", rows, {.existing = sqlite_existing::append}));
    CHECK(sqlite3_get_autocommit(db) == 0);
    CHECK(count(db, "t") == 2);
    write_sqlite(db, "t", rows.slice(0, 2), {.existing = sqlite_existing::append});
    CHECK(sqlite3_get_autocommit(db) == 0);
    run(db, "COMMIT");
    CHECK(count(db, "t") == 4);
    run(db, "BEGIN");
    write_sqlite(db, "gone", rows);
    run(db, "ROLLBACK");
    CHECK(error_of([&] { (void)read_sqlite(db, "SELECT * FROM gone"); }).code() == errc::missing_column);
}
TEST_CASE("sqlite: other refusals of writing", "[sqlite][error]") {
    const auto db = memory();
    const table rows = some_rows();
    CHECK(error_of([&] { write_sqlite(nullptr, "t", rows); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { write_sqlite(db, "t", table{}); }).code() == errc::empty_input);
    for (const std::string& name : {std::string(), std::string("a\0b", 3), std::string("\xFF")})
        CHECK(error_of([&] { write_sqlite(db, name, rows); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { write_sqlite(db, "t", rows, {.existing = sqlite_existing::update}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { write_sqlite(db, "t", rows, {.key = {"ID"}}); }).code() == errc::missing_column);
    CHECK(error_of([&] { write_sqlite(db, "t", rows, {.key = {"id", "id"}}); }).code() == errc::duplicate_column);
    const auto e = error_of([&] { write_sqlite(db, "t", rows, {.key = {"word"}}); });
    CHECK(e.code() == errc::missing_value);
    CHECK(e.where() == place{.row = 2, .column = 3});
    table far;
    far.add_column("when", std::vector<std::chrono::sys_seconds>{std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1)});
    CHECK(error_of([&] { write_sqlite(db, "t", far); }).code() == errc::bad_time);
    CHECK(error_of([&] { write_sqlite(db, "sqlite_master", rows, {.existing = sqlite_existing::append}); }).code() == errc::missing_column);
    CHECK(error_of([&] { (void)read_sqlite(db, "SELECT * FROM t"); }).code() == errc::missing_column);  // nothing of it was made
}

TEST_CASE("sqlite: each refusal of the database has its name", "[sqlite][error]") {
    const auto db = memory();
    run(db, "PRAGMA foreign_keys = ON; CREATE TABLE shops (id INTEGER PRIMARY KEY);"
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL, shop INTEGER REFERENCES shops (id))");
    const auto refused = [&](const table& rows, errc code, const char* what) {
        const auto e = error_of([&] { write_sqlite(db, "t", rows, {.existing = sqlite_existing::append}); });
        CHECK(e.code() == code);
        CHECK(std::string(e.what()) == what);
        CHECK(count(db, "t") == 0);
    };
    table rows;
    rows.add_column("name", std::vector<std::optional<std::string>>{"a", std::nullopt});
    refused(rows, errc::bad_data, "write_sqlite: t, row 2: a missing value where the database asks for one (SQLite 1299)");
    table orphans;
    orphans.add_column("name", std::vector<std::string>{"a"});
    orphans.add_column("shop", std::vector<std::int64_t>{7});
    refused(orphans, errc::bad_data, "write_sqlite: t, row 1: a foreign key that points nowhere (SQLite 787)");
    table words;
    words.add_column("id", std::vector<std::string>{"a secret"});
    words.add_column("name", std::vector<std::string>{"a"});
    refused(words, errc::wrong_column_type, "write_sqlite: t, row 1: datatype mismatch (SQLite 20)");
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1000);
    table longer;
    longer.add_column("name", std::vector<std::string>{std::string(2000, 'x')});
    refused(longer, errc::limit_exceeded, "write_sqlite: t: string or blob too big (SQLite 18)");

    const auto overflow = error_of([&] { (void)read_sqlite(db, "SELECT abs(x) AS y FROM (SELECT 1 AS x UNION ALL SELECT -9223372036854775807 - 1)"); });
    CHECK(overflow.code() == errc::bad_parameter);
    CHECK(std::string(overflow.what()) == "read_sqlite: the query, row 2: SQL logic error (SQLite 1)");
    const table seen = read_sqlite(db, "SELECT NULL AS at UNION ALL SELECT '2010-12-09'", {.types = {{"at", column_type::timestamp}}});
    CHECK(seen.column("at").missing(0));
    CHECK(seen.timestamps("at")[1] == std::chrono::sys_days(std::chrono::year(2010) / 12 / 9));
}
TEST_CASE("sqlite: memory that runs out is std::bad_alloc, and leaves the database as it was", "[sqlite][error]") {
    const auto db = memory();
    run(db, "CREATE TABLE t (a)");
    table rows;
    rows.add_column("a", std::vector<std::string>{"x", std::string(8'000'000, 'y')});
    const std::int64_t before = sqlite3_hard_heap_limit64(sqlite3_memory_used() + 4'000'000);
    CHECK_THROWS_AS(write_sqlite(db, "t", rows, {.existing = sqlite_existing::append}), std::bad_alloc);
    CHECK_THROWS_AS(read_sqlite(db, "SELECT hex(zeroblob(8000000))"), std::bad_alloc);
    (void)sqlite3_hard_heap_limit64(before);
    CHECK(count(db, "t") == 0);
    CHECK(sqlite3_get_autocommit(db) == 1);
    write_sqlite(db, "t", rows, {.existing = sqlite_existing::append});
    CHECK(count(db, "t") == 2);
}

// ---- files -------------------------------------------------------------------------------------------------------------

TEST_CASE("sqlite: files that are not there, or no databases, or locked", "[sqlite][error]") {
    const temporary_folder folder;
    const auto missing = error_of([&] { const sqlite_database db(folder / "none.db"); });
    CHECK(missing.code() == errc::io);
    CHECK(std::string(missing.what()).ends_with("none.db: unable to open database file (SQLite 14)"));
    std::ofstream(folder / "text.db") << std::string(2000, 'x');
    CHECK(error_of([&] { const sqlite_database db(folder / "text.db"); }).code() == errc::bad_format);

    const sqlite_database writer(folder / "shop.db", sqlite_access::create), other(folder / "shop.db", sqlite_access::read_write, 0ms),
        reader(folder / "shop.db", sqlite_access::read_only);
    write_sqlite(writer, "t", some_rows());
    CHECK(read_sqlite(reader, "SELECT * FROM t") == some_rows());
    const auto denied = error_of([&] { write_sqlite(reader, "t2", some_rows()); });
    CHECK(denied.code() == errc::io);
    CHECK(std::string(denied.what()).find("readonly") != std::string::npos);
    run(writer, "BEGIN IMMEDIATE");
    const auto locked = error_of([&] { write_sqlite(other, "t2", some_rows()); });
    CHECK(locked.code() == errc::io);
    CHECK(std::string(locked.what()) == "write_sqlite: the beginning of the transaction: database is locked (SQLite 5)");
    run(writer, "COMMIT");
    write_sqlite(other, "t2", some_rows());

    // Damaged in the middle: refused, whatever is in it.
    run(writer, "PRAGMA journal_mode = DELETE");
    std::filesystem::resize_file(folder / "shop.db", std::filesystem::file_size(folder / "shop.db") - 4096);
    const auto damaged = error_of([&] {
        const sqlite_database db(folder / "shop.db");
        (void)read_sqlite(db, "SELECT * FROM t2");
    });
    CHECK(damaged.code() == errc::bad_format);
}

TEST_CASE("sqlite: learns from a database and writes scores back", "[sqlite]") {
    const auto db = memory();
    table customers;
    std::vector<std::int64_t> id, left;
    std::vector<std::optional<double>> tenure;
    std::vector<std::string> contract;
    for (std::int64_t i = 0; i < 200; ++i) {
        id.push_back(i);
        tenure.push_back(i % 17 == 0 ? std::nullopt : std::optional<double>(static_cast<double>(i % 40)));
        contract.emplace_back(i % 3 == 0 ? "month" : "year");
        left.push_back(i % 40 < 10 && i % 3 == 0 ? 1 : 0);
    }
    customers.add_column("id", id);
    customers.add_column("tenure", tenure);
    customers.add_column("contract", contract);
    customers.add_column("left", left);
    write_sqlite(db, "customers", customers, {.key = {"id"}});
    const table rows = read_sqlite(db, "SELECT id, tenure, contract, left FROM customers ORDER BY id");
    CHECK(rows == customers);
    const std::vector<int> labels(rows.integers("left").begin(), rows.integers("left").end());
    const auto model = fit(columns({"tenure", "contract"}) | impute{} | encode<double>{} | standardize<double>{} | logistic<double>{}, rows, labels);
    const matrix<double> p = model(rows);
    table scores = rows.take_columns({"id"});
    scores.add_column("risk", std::vector<double>(p.col(1).begin(), p.col(1).end()));
    write_sqlite(db, "scores", scores, {.key = {"id"}});
    const table joined = read_sqlite(db, "SELECT avg(risk) mean, count(*) n FROM scores JOIN customers USING (id)");
    CHECK(joined.integers("n")[0] == 200);
    CHECK(joined.numbers("mean")[0] == Approx(p.col(1).mean()));
}
