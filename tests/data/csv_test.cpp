#include <caramel/data/csv.hpp>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/random.hpp>

#include <support/catch.hpp>
#include <support/shared_data.hpp>

using namespace caramel;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;
using namespace std::string_view_literals;
using Catch::Matchers::Contains;

namespace {

// The schema of the corpus.
csv_options three_columns() {
    return {.schema = {{"id", column_type::category}, {"amount", column_type::number}, {"count", column_type::integer}}};
}

std::vector<std::string> texts(const table& t, std::string_view name) {
    std::vector<std::string> out;
    const auto column = t.categories(name);
    for (std::size_t i = 0; i < column.size(); ++i) out.emplace_back(column[i]);
    return out;
}
template <class T>
std::vector<std::remove_const_t<T>> list(std::span<T> values) {
    return {values.begin(), values.end()};
}

struct folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("caramel_csv_test_" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
    folder() { std::filesystem::create_directory(path); }
    ~folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
};
void write_file(const std::filesystem::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

struct verdict_of_text {
    std::string_view text;
    errc code;
    std::uint64_t row, column;
};

}  // namespace

TEST_CASE("csv: values with a schema", "[csv]") {
    const table t = parse_csv("count,extra,id,amount\n2,zz,a,1.5\n-3,\"\",\"b,\"\"c\"\"\n\",-2e3\n", three_columns());
    CHECK(t.names() == std::vector<std::string>{"id", "amount", "count"});  // in the schema's order
    CHECK(texts(t, "id") == std::vector<std::string>{"a", "b,\"c\"\n"});
    CHECK(list(t.numbers("amount")) == std::vector{1.5, -2000.0});
    CHECK(list(t.integers("count")) == std::vector<std::int64_t>{2, -3});
}

TEST_CASE("csv: line ends, a BOM and the last line make no difference", "[csv]") {
    const table plain = parse_csv("id,amount,count\na,1.5,2\nb,-1,3\n", three_columns());
    for (const auto text : {"id,amount,count\r\na,1.5,2\r\nb,-1,3\r\n"sv, "\xEF\xBB\xBFid,amount,count\na,1.5,2\nb,-1,3\n"sv, "id,amount,count\na,1.5,2\nb,-1,3"sv,
                            "\"id\",\"amount\",\"count\"\n\"a\",\"1.5\",\"2\"\n\"b\",\"-1\",\"3\""sv, "id,amount,count\r\na,1.5,2\nb,-1,3\r\n"sv})
        CHECK(parse_csv(text, three_columns()) == plain);
    CHECK(texts(parse_csv("id\n\"a\rb\"\n\"a\r\nb\"\n"), "id") == std::vector<std::string>{"a\rb", "a\r\nb"});  // quoted line ends stay
    const table header = parse_csv("id,amount,count", three_columns());
    CHECK(header.rows() == 0);
    CHECK(header.columns() == 3);
    CHECK(header.column("amount").type() == column_type::number);
    CHECK(parse_csv("a,b").column("a").type() == column_type::category);
}

TEST_CASE("csv: every verdict with its place", "[csv][error]") {
    const std::string big(70000, 'x');
    const std::string huge = "id,amount,count\n\"" + big + "\",1,2\n", digits = "id,amount,count\na," + std::string(5000, '9') + ",2\n";
    std::string wide = "c0";
    for (int i = 1; i < 5000; ++i) wide += ",c" + std::to_string(i);
    const std::vector<verdict_of_text> verdicts{
        {"", errc::empty_input, 0, 0},
        {"\xEF\xBB\xBF", errc::empty_input, 0, 0},
        {"\xFF\xFEi\0d\0"sv, errc::bad_utf8, 1, 1},
        {"id,amount,count\nZo\xEB,1,2\n", errc::bad_utf8, 2, 1},
        {"id,amount,count\n\"\xC0\xAF\",1,2\n", errc::bad_utf8, 2, 1},
        {"id,amount,count\n\xED\xA0\x80,1,2\n", errc::bad_utf8, 2, 1},
        {"id,amount,count\n\xE2\x82,1,2\n", errc::bad_utf8, 2, 1},
        {"id,amount,count\na,1,2,\xE2\x82", errc::ragged_row, 2, 4},
        {"id,extra,amount,count\na,\xF5\x80\x80\x80,1,2\n", errc::bad_utf8, 2, 2},  // in a column that nobody wants
        {"id,amount,count\na\0b,1,2\n"sv, errc::nul_byte, 2, 1},
        {"id,amount,count\na,1\0,2\n"sv, errc::nul_byte, 2, 2},
        {"id,amount,count\n\"a\0\",1,2\n"sv, errc::nul_byte, 2, 1},
        {"id,amount,count\na,1,2\nb,1\n", errc::ragged_row, 3, 2},
        {"id,amount,count\na,1,2,3\n", errc::ragged_row, 2, 4},
        {"id,amount,count\na,1,2\n\nb,1,2\n", errc::ragged_row, 3, 1},
        {"id,amount,count\na,1,2\n\n", errc::ragged_row, 3, 1},
        {"amount,id,count\n\n", errc::ragged_row, 2, 1},
        {"id,amount,count\na,1,2,", errc::ragged_row, 2, 4},
        {"id,amount,count\na,1,2\n\"b,1,2\nc,1,2\n", errc::unterminated_quote, 3, 1},
        {"id,amount,count\n\"", errc::unterminated_quote, 2, 1},
        {"id,amount,count\n\"a\"\"", errc::unterminated_quote, 2, 1},
        {"id,amount,count\n\"a\"b,1,2\n", errc::bad_quote, 2, 1},
        {"id,amount,count\na\"b,1,2\n", errc::bad_quote, 2, 1},
        {"id,amount,count\ra,1,2\r", errc::bare_cr, 1, 3},
        {"id,amount,count\na,1,2\r", errc::bare_cr, 2, 3},
        {"id,amount,count\na,1,\"2\"\rb", errc::bare_cr, 2, 3},
        {"id,amount,count\na,nan,2\n", errc::nan_or_inf, 2, 2},
        {"id,amount,count\na,1,2\nb,-Inf,2\n", errc::nan_or_inf, 3, 2},
        {"id,amount,count\na,nan(0x7ff),2\n", errc::nan_or_inf, 2, 2},
        {"id,amount,count\na,1e999,2\n", errc::number_out_of_range, 2, 2},
        {"id,amount,count\na,1e-999,2\n", errc::number_out_of_range, 2, 2},
        {"id,amount,count\na,1,9223372036854775808\n", errc::number_out_of_range, 2, 3},
        {digits, errc::number_out_of_range, 2, 2},
        {"id,amount,count\na,\"1,5\",2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,\"1,234.5\",2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,$12,2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na, 1,2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,1 ,2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,+1,2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,0x1p3,2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,1.5kg,2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,1.2.3,2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,--1,2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,1,5kg\n", errc::bad_number, 2, 3},
        {"id,amount,count\na,1, \n", errc::bad_number, 2, 3},
        {"id,amount,count\na,1,+5\n", errc::bad_number, 2, 3},
        {"id,amount,count\na,1,99999999999999999999x\n", errc::bad_number, 2, 3},
        {"id,amount,count\na,-,2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,.,2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,1,-\n", errc::bad_number, 2, 3},
        {"id,amount,count\na,1,2.0\n", errc::bad_number, 2, 3},
        {"id,amount,count\na,\xEF\xBC\x91,2\n", errc::bad_number, 2, 2},
        {"id,amount,count\na,,2\n", errc::missing_value, 2, 2},
        {"id,amount,count\na,1,", errc::missing_value, 2, 3},
        {"id,amount\na,1\n", errc::missing_column, 1, 2},
        {"ID,amount,count\na,1,2\n", errc::missing_column, 1, 3},
        {"id;amount;count\na;1;2\n", errc::missing_column, 1, 1},
        {"id,amount,count,amount\na,1,2,3\n", errc::duplicate_column, 1, 4},
        {huge, errc::limit_exceeded, 2, 1},
        {wide, errc::limit_exceeded, 1, 4097},
        {"PK\x03\x04\x14\0\x06"sv, errc::nul_byte, 1, 1},
    };
    for (const auto& v : verdicts) {
        INFO(v.text.substr(0, 60));
        const auto e = error_of([&] { (void)parse_csv(v.text, three_columns()); });
        CHECK(name_of(e.code()) == name_of(v.code));
        CHECK(e.where().row == v.row);
        CHECK(e.where().column == v.column);
    }
}

TEST_CASE("csv: errors name the byte, and no content", "[csv][error]") {
    const auto e = error_of([] { (void)parse_csv("id,amount,count\nbob,secret,2\n", three_columns()); });
    CHECK(e.where() == place{.row = 2, .column = 2, .byte = 21});
    CHECK_THAT(e.what(), Contains("row 2, column 2 (byte 21)"));
    CHECK_THAT(e.what(), !Contains("secret") && !Contains("bob"));
    CHECK(error_of([] { (void)parse_csv("a,b\n1,x\"\n"); }).where().byte == 8);
    CHECK(error_of([] { (void)parse_csv("a\n\xC3\xA9\xC3\n"); }).where().byte == 5);
    CHECK(error_of([] { (void)parse_csv("a,b\n1,2\n3\n"); }).where() == place{.row = 3, .column = 1, .byte = 9});
    CHECK_THAT(error_of([] { (void)parse_csv("a\n1\n", three_columns()); }).what(), Contains("\"id\""));
}

TEST_CASE("csv: of several errors the first one in the text is reported", "[csv][error]") {
    const auto place_of = [](std::string_view text, const csv_options& options) { return error_of([&] { (void)parse_csv(text, options); }).where(); };
    const csv_options numbers{.schema = {{"a", column_type::number}, {"b", column_type::integer}, {"c", column_type::timestamp}}};
    for (const std::size_t rows : {0U, 1U, 100U, 300U, 5000U, 5001U}) {  // rows are read some at a time, column after column
        CAPTURE(rows);
        std::string text = "a,b,c\n";
        for (std::size_t i = 0; i < rows; ++i) text += rows == 5001 ? "1.5,2,2010-12-09\n" : "1.5,\"2\",2010-12-09\n";  // plain or not
        const std::uint64_t next = rows + 2;
        const std::uint64_t byte = text.size() + 1;
        CHECK(place_of(text + "1,2,x\nx,2,2010-12-09\n", numbers) == place{.row = next, .column = 3, .byte = byte + 4});
        CHECK(place_of(text + "1,x,x\n", numbers) == place{.row = next, .column = 2, .byte = byte + 2});
        CHECK(place_of(text + "1,\"x\"\"\",2010-12-09\nx,,\n", numbers) == place{.row = next, .column = 2, .byte = byte + 2});
        CHECK(place_of(text + "1,,2010-12-09\n1,2\n", numbers) == place{.row = next, .column = 2, .byte = byte + 2});
        CHECK(place_of(text + "x,2\n", numbers) == place{.row = next, .column = 1, .byte = byte});          // before the row ends early
        CHECK(place_of(text + "1,2\nx,2,2010-12-09\n", numbers) == place{.row = next, .column = 2, .byte = byte + 2});
        CHECK(place_of(text + "1,x,2\"\n", numbers) == place{.row = next, .column = 2, .byte = byte + 2});  // before the quote
        CHECK(place_of(text + "1,2,2010-12-09,\nx,x,x\n", numbers) == place{.row = next, .column = 4, .byte = byte + 15});
        CHECK(place_of(text + "x,2,2010-12-09\n", {.schema = numbers.schema, .limits = {.rows = rows}}) == place{.row = next});
    }
}

TEST_CASE("csv: quoted texts of many rows", "[csv]") {
    std::string text = "a,b,c\n";
    std::vector<std::string> expected;
    for (int i = 0; i < 3000; ++i) {
        expected.push_back(i % 3 == 0 ? "say \"" + std::to_string(i % 40) + "\"" : i % 3 == 1 ? "two\nlines, " + std::to_string(i % 7) : "na\xC3\xAFve");
        std::string quoted;
        for (const char c : expected.back()) quoted += c == '"' ? "\"\"" : std::string(1, c);
        text += "\"" + quoted + "\",\"" + std::to_string(i) + "\"," + (i % 5 == 0 ? "" : "\"x\"\"y\"") + (i % 2 == 0 ? "\r\n" : "\n");
    }
    const table t = parse_csv(text);
    CHECK(t.rows() == 3000);
    CHECK(texts(t, "a") == expected);
    CHECK(t.integers("b")[2999] == 2999);
    CHECK(t.column("c").missing(0));
    CHECK(t.categories("c")[2999] == "x\"y");
    CHECK(t.categories("c").levels.size() == 1);
}

TEST_CASE("csv: short numbers, digit by digit", "[csv]") {
    rng random(23);
    std::string text = "n,i\n";
    std::vector<double> numbers;
    std::vector<std::int64_t> integers;
    for (int i = 0; i < 20'000; ++i) {
        const std::string sign = random.below(3) == 0 ? "-" : "";
        std::string digits;
        for (std::uint64_t n = 1 + random.below(18); n > 0; --n) digits += static_cast<char>('0' + random.below(10));
        integers.push_back(std::stoll(sign + digits));
        std::string number = digits;
        if (const auto at = random.below(digits.size() + 2); at <= digits.size()) number.insert(at, ".");
        numbers.push_back(std::stod(sign + number));
        text += sign + number + "," + sign + digits + "\n";
    }
    const table t = parse_csv(text, {.types = {{"n", column_type::number}, {"i", column_type::integer}}});
    CHECK(list(t.numbers("n")) == numbers);
    CHECK(list(t.integers("i")) == integers);
    for (const std::string_view bad : {"1.2.3", "..", ".", "-", "--1", "1-", "12345x78", "/1", ":1", "1 ", " 1", "+1", "1,5", "0x10", "1.2345678.", "\xC2\xA0" "1"})
        CHECK(error_of([&] { (void)parse_csv("n\n" + std::string(bad) + "\n", {.delimiter = ';', .types = {{"n", column_type::number}}}); }).code() == errc::bad_number);
}

TEST_CASE("csv: the corpus of hostile files", "[csv][corpus]") {
    SHARED_OR_SKIP(corpus, "corpus");
    std::ifstream index(corpus / "index.tsv");
    std::string line;
    std::getline(index, line);
    int files = 0;
    while (std::getline(index, line)) {
        std::istringstream parts(line);
        std::vector<std::string> f;
        for (std::string part; std::getline(parts, part, '\t');) f.push_back(part);
        if (f.at(0) != "csv") continue;
        REQUIRE(f.at(2) == "id:s,amount:f,count:i");
        ++files;
        INFO(f.at(1));
        std::string verdict = "ok";
        place where;
        try {
            const table t = read_csv(corpus / f[1], three_columns());
            CHECK(t.columns() == 3);
        } catch (const error& e) {
            verdict = name_of(e.code());
            where = e.where();
        }
        CHECK(verdict == f.at(3));
        if (f.at(4) != "0") CHECK(where.row == std::stoull(f[4]));
        if (f.at(5) != "0") CHECK(where.column == std::stoull(f[5]));
        // Inference sees the same structure, and takes odd numbers for text.
        std::ifstream in(corpus / f[1], std::ios::binary);
        try {
            (void)read_csv(in);
        } catch (const error& e) {
            CHECK(name_of(e.code()) == f[3]);
        }
    }
    CHECK(files == 63);

    const auto read = [&](const char* name) { return read_csv(corpus / "csv" / name, three_columns()); };
    CHECK(texts(read("ok_lf.csv"), "id") == std::vector<std::string>{"a", "b"});
    CHECK(list(read("ok_lf.csv").numbers("amount")) == std::vector{1.5, -2000.0});
    CHECK(list(read("ok_lf.csv").integers("count")) == std::vector<std::int64_t>{2, 3});
    CHECK(read("ok_crlf.csv") == parse_csv("id,amount,count\na,1.5,2\n", three_columns()));
    CHECK(read("ok_bom.csv") == read("ok_no_final_newline.csv"));
    CHECK(list(read("ok_bom.csv").numbers("amount")) == std::vector{1.0});
    CHECK(texts(read("ok_quoted.csv"), "id") == std::vector<std::string>{"a,\"x\"\nline"});
    CHECK(read("ok_column_order.csv") == read("ok_crlf.csv"));
    CHECK(texts(read("ok_unicode.csv"), "id") == std::vector<std::string>{"Zo\u00eb \u00c5 \u6f22\u5b57 \U0001F600"});
    CHECK(read("ok_header_only.csv").rows() == 0);
    CHECK(texts(read("ok_empty_string_field.csv"), "id") == std::vector<std::string>{""});
    CHECK_FALSE(read("ok_empty_string_field.csv").column("id").any_missing());
    CHECK(list(read("ok_limits_i64.csv").integers("count")) ==
          std::vector{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()});
    CHECK(read("ok_f64_max.csv").numbers("amount")[0] == std::numeric_limits<double>::max());
    CHECK(read("ok_f64_max.csv").numbers("amount")[1] == 0);
    CHECK(std::signbit(read("ok_f64_max.csv").numbers("amount")[1]));
    CHECK(read("long_fraction.csv").numbers("amount")[0] == 1.0 / 9);
    CHECK(texts(read("formula.csv"), "id") == std::vector<std::string>{"=cmd|' /C calc'!A0"});
    CHECK(texts(read("html.csv"), "id") == std::vector<std::string>{"<!DOCTYPE html><html>"});
}

TEST_CASE("csv: types are inferred from the whole column", "[csv][infer]") {
    const table t = parse_csv(
        "i,f,d,s,c,code,mixed,none,long,zero,minus\n"
        "1,1,2010-12-01,2010-12-01 08:26:00,x,00123,1,,99999999999999999999,0,0\n"
        "-2,2.5,2010-12-02,2010-12-01T08:26:01,1,4,2010-01-01,,1,0,-0\n"
        ",1e3,2010-12-03,2010-12-02,,5,3,,2,0.5,7\n");
    CHECK(list(t.integers("i")) == std::vector<std::int64_t>{1, -2, 0});
    CHECK(t.column("i").missing() == std::vector<bool>{false, false, true});
    CHECK(list(t.numbers("f")) == std::vector{1.0, 2.5, 1000.0});
    CHECK(t.timestamps("d")[0] == sys_seconds(sys_days(2010y / 12 / 1)));
    CHECK(t.timestamps("s")[1] == sys_days(2010y / 12 / 1) + 8h + 26min + 1s);
    CHECK(t.timestamps("s")[2] == sys_seconds(sys_days(2010y / 12 / 2)));
    CHECK(texts(t, "c") == std::vector<std::string>{"x", "1", ""});
    CHECK(t.column("c").missing(2));
    CHECK(texts(t, "code") == std::vector<std::string>{"00123", "4", "5"});
    CHECK(texts(t, "mixed") == std::vector<std::string>{"1", "2010-01-01", "3"});
    CHECK(t.column("none").type() == column_type::category);
    CHECK(t.column("none").missing() == std::vector<bool>{true, true, true});
    CHECK(texts(t, "long") == std::vector<std::string>{"99999999999999999999", "1", "2"});
    CHECK(list(t.numbers("zero")) == std::vector{0.0, 0.0, 0.5});
    CHECK(t.column("minus").type() == column_type::number);

    const table words = parse_csv("a,b,c,d\nnan,1e999,-,2010-02-30\n1,1,1,2010-02-28\n");
    for (const auto& name : words.names()) CHECK(words.column(name).type() == column_type::category);
}

TEST_CASE("csv: a late row changes a column's type, and no value is lost", "[csv][infer]") {
    const std::size_t rows = 30000;  // far beyond the rows that types are first guessed from
    for (const std::size_t odd : {std::size_t{0}, std::size_t{1}, rows / 2, rows - 1}) {
        std::string text = "int_to_number,int_to_text,number_to_text,time_to_text,from_nothing,same\n";
        std::vector<std::string> ints, numbers, times;
        for (std::size_t i = 0; i < rows; ++i) {
            const bool here = i == odd;
            const std::string n = std::to_string(i % 977);
            ints.push_back(here ? "A" + n : n);
            numbers.push_back(here ? "007" : n + ".50");
            times.push_back(here ? "soon" : "2010-01-" + std::to_string(10 + i % 20));
            text += (here ? n + ".5" : n) + ',' + ints[i] + ',' + numbers[i] + ',' + times[i] + ',' + (i < odd ? "" : n) + ',' + n + '\n';
        }
        const table t = parse_csv(text);
        INFO("odd row " << odd);
        REQUIRE(t.rows() == rows);
        const auto promoted = t.numbers("int_to_number");
        bool equal = true;
        for (std::size_t i = 0; i < rows; ++i) {
            equal &= promoted[i] == static_cast<double>(i % 977) + (i == odd ? 0.5 : 0.0);
            equal &= t.integers("same")[i] == static_cast<std::int64_t>(i % 977);
            equal &= t.column("from_nothing").missing(i) == (i < odd) && t.integers("from_nothing")[i] == (i < odd ? 0 : static_cast<std::int64_t>(i % 977));
        }
        CHECK(equal);
        CHECK(texts(t, "int_to_text") == ints);
        CHECK(texts(t, "number_to_text") == numbers);
        CHECK(texts(t, "time_to_text") == times);
        CHECK(t.categories("int_to_text").codes[0] == 0);  // numbered from the first row, though read last
        // What inference found is what a schema would have read.
        csv_options named;
        for (const auto& name : t.names()) named.schema.push_back({name, t.column(name).type(), true});
        CHECK(parse_csv(text, named) == t);
    }
}

TEST_CASE("csv: single types can be fixed", "[csv][infer]") {
    const auto text = "id,when,x\n17,2010-01-01,1\n18,,2\n";
    const table t = parse_csv(text, {.types = {{"id", column_type::category}, {"x", column_type::number}}});
    CHECK(texts(t, "id") == std::vector<std::string>{"17", "18"});
    CHECK(list(t.numbers("x")) == std::vector{1.0, 2.0});
    CHECK(t.column("when").type() == column_type::timestamp);
    CHECK(t.column("when").missing(1));
    CHECK(error_of([&] { (void)parse_csv(text, {.types = {{"nope", column_type::number}}}); }).code() == errc::missing_column);
    const auto e = error_of([&] { (void)parse_csv(text, {.types = {{"when", column_type::number}}}); });
    CHECK(e.code() == errc::bad_number);
    CHECK(e.where().row == 2);
    CHECK(error_of([&] { (void)parse_csv("a,b,a\n1,2,3\n"); }).where() == place{.row = 1, .column = 3});
    CHECK(parse_csv("a,b,b\n1,2,3\n", {.schema = {{"a", column_type::integer}}}).columns() == 1);  // not in the way
}

TEST_CASE("csv: missing values in nullable columns, and other words for them", "[csv]") {
    csv_options options{.schema = {{"id", column_type::category, true}, {"x", column_type::number, true}, {"t", column_type::timestamp, true}}, .missing = {"NA", "-999"}};
    const table t = parse_csv("id,x,t\n,,\nNA,-999,NA\n\"\",1.5,2010-01-01\na,2,2010-01-02 00:00:01\n", options);
    CHECK(t.column("id").missing() == std::vector<bool>{true, true, true, false});
    CHECK(t.column("x").missing() == std::vector<bool>{true, true, false, false});
    CHECK(t.column("t").missing() == std::vector<bool>{true, true, false, false});
    CHECK(list(t.numbers("x")) == std::vector{0.0, 0.0, 1.5, 2.0});
    const table inferred = parse_csv("x\nNA\n1\n-999\n2\n", {.missing = {"NA", "-999"}});
    CHECK(list(inferred.integers("x")) == std::vector<std::int64_t>{0, 1, 0, 2});
    CHECK(inferred.column("x").missing() == std::vector<bool>{true, false, true, false});
    options.schema[1].nullable = false;
    CHECK(error_of([&] { (void)parse_csv("id,x,t\na,NA,\n", options); }).code() == errc::missing_value);
}

TEST_CASE("csv: decimal comma and other delimiters", "[csv]") {
    const csv_options german{.delimiter = ';', .decimal_comma = true};
    const table t = parse_csv("a;b;c;d\n1,5;-0,25;1.5;7\n2;1e2;1,000;8\n", german);
    CHECK(list(t.numbers("a")) == std::vector{1.5, 2.0});
    CHECK(list(t.numbers("b")) == std::vector{-0.25, 100.0});
    CHECK(t.column("c").type() == column_type::category);  // 1.5 is no number here
    CHECK(list(t.integers("d")) == std::vector<std::int64_t>{7, 8});
    const table quoted = parse_csv("a,b\n\"1,5\",2\n", {.decimal_comma = true});
    CHECK(quoted.numbers("a")[0] == 1.5);
    CHECK(parse_csv("a\n\"0,12345678901234567890\"\n", {.decimal_comma = true}).numbers("a")[0] == 0.12345678901234567890);
    CHECK(parse_csv("a\tb\n1\tx\n", {.delimiter = '\t'}).integers("a")[0] == 1);
    const csv_options strict{.delimiter = ';', .decimal_comma = true, .schema = {{"a", column_type::number}}};
    for (const auto text : {"a\n1.5\n", "a\n1,5,\n", "a\n1.000,5\n", "a\n1.23456789012345678901\n"}) CHECK(error_of([&] { (void)parse_csv(text, strict); }).code() == errc::bad_number);
    for (const char bad : {'"', '\n', '\r', '\0', '5', '.', '-', '\xE9'}) CHECK(error_of([&] { (void)parse_csv("a\n", {.delimiter = bad}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)parse_csv("a\n", {.schema = {{"a"}}, .types = {{"a"}}}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)parse_csv("a\n", {.schema = {{"a"}, {"a"}}}); }).code() == errc::duplicate_column);
}

TEST_CASE("csv: limits hold exactly", "[csv][error]") {
    const auto read = [](std::string_view text, csv_limits limits) { return parse_csv(text, {.limits = limits}); };
    CHECK(read("a\nxyz\n", {.field_bytes = 3}).rows() == 1);
    CHECK(error_of([&] { (void)read("a\nxyzw\n", {.field_bytes = 3}); }).where() == place{.row = 2, .column = 1, .byte = 3});
    CHECK(read("a\n\"x\"\"y\"\n", {.field_bytes = 3}).rows() == 1);
    CHECK(error_of([&] { (void)read("a\n\"x\"\"yz\"\n", {.field_bytes = 3}); }).code() == errc::limit_exceeded);
    CHECK(read("a,b\n1,2\n", {.columns = 2}).columns() == 2);
    CHECK(error_of([&] { (void)read("a,b\n1,2\n", {.columns = 1}); }).where().column == 2);
    CHECK(read("a\n1\n2\n", {.rows = 2}).rows() == 2);
    CHECK(error_of([&] { (void)read("a\n1\n2\n", {.rows = 1}); }).where().row == 3);
    CHECK(read("a\n1\n", {.file_bytes = 4}).rows() == 1);
    CHECK(error_of([&] { (void)read("a\n1\n", {.file_bytes = 3}); }).code() == errc::limit_exceeded);
}

TEST_CASE("csv: numbers are the nearest doubles", "[csv]") {
    rng random(3);
    for (int round = 0; round < 2000; ++round) {
        std::string text = random.below(2) == 0 ? "-" : "";
        const std::size_t whole = random.below(12), fraction = random.below(12);
        for (std::size_t i = 0; i < whole; ++i) text += static_cast<char>('0' + random.below(10));
        if (random.below(4) != 0) text += '.';
        else if (whole == 0) text += '3';
        if (text.find('.') != std::string::npos)
            for (std::size_t i = 0; i <= fraction; ++i) text += static_cast<char>('0' + random.below(10));
        if (random.below(8) == 0) text += "e" + std::to_string(static_cast<int>(random.below(40)) - 20);
        INFO(text);
        const double read = parse_csv("x\n" + text + "\n", {.schema = {{"x", column_type::number}}}).numbers("x")[0];
        CHECK(read == std::strtod(text.c_str(), nullptr));
        CHECK(std::signbit(read) == (text[0] == '-'));
    }
}

TEST_CASE("csv: times", "[csv]") {
    const auto read = [](const std::string& text) { return parse_csv("t\n" + text + "\n", {.schema = {{"t", column_type::timestamp}}}).timestamps("t")[0]; };
    CHECK(read("1970-01-01").time_since_epoch() == 0s);
    CHECK(read("2009-12-01 07:45:00").time_since_epoch() == 1259653500s);
    CHECK(read("2000-02-29T23:59:59").time_since_epoch() == 951868799s);
    CHECK(read("1900-03-01").time_since_epoch() == -2203891200s);
    for (const auto text : {"2001-02-29", "1900-02-29", "2010-13-01", "2010-00-01", "2010-01-00", "2010-01-32", "2010-1-1", "2010/01/01", "2010-01-01 24:00:00", "2010-01-01 00:60:00",
                            "2010-01-01 00:00:60", "2010-01-01 00:00", "2010-01-01x00:00:00", "2010-01-01 00:00:00Z", "20100101", "soon", "-010-01-01", "2010-01-01 1a:00:00",
                            "2010-01-01 00-00-00"}) {
        INFO(text);
        const auto e = error_of([&] { (void)read(text); });
        CHECK(e.code() == errc::bad_time);
        CHECK(e.where() == place{.row = 2, .column = 1, .byte = 3});
    }
}

TEST_CASE("csv: quoting, against random texts written by hand", "[csv]") {
    rng random(11);
    const std::vector<std::string> pieces{"a", "bc", ",", "\"", "\n", "\r\n", "\u00e9", "\U0001F600", " ", ";", "'"};
    for (int round = 0; round < 300; ++round) {
        const std::size_t columns = 1 + random.below(4), rows = random.below(30);
        std::vector<std::vector<std::string>> cells(columns);
        std::string text;
        csv_options options;
        for (std::size_t c = 0; c < columns; ++c) {
            options.schema.push_back({"c" + std::to_string(c), column_type::category});
            text += (c > 0 ? ",c" : "c") + std::to_string(c);
        }
        text += '\n';
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t c = 0; c < columns; ++c) {
                std::string cell, quoted = "\"";
                for (std::size_t n = random.below(5); n > 0; --n) cell += pieces[random.below(pieces.size())];
                for (const char ch : cell) quoted += ch == '"' ? "\"\"" : std::string(1, ch);
                cells[c].push_back(cell);
                const bool plain = cell.find_first_of(",\"\r\n") == std::string::npos && random.below(2) == 0;
                text += (c > 0 ? "," : "") + (plain ? cell : quoted + "\"");
            }
            text += random.below(2) == 0 ? "\n" : "\r\n";
        }
        const table t = parse_csv(text, options);
        REQUIRE(t.rows() == rows);
        for (std::size_t c = 0; c < columns; ++c) REQUIRE(texts(t, "c" + std::to_string(c)) == cells[c]);

        std::ostringstream out;
        write_csv(t, out, {.defuse_formulas = false});
        REQUIRE(parse_csv(out.str(), options) == t);
    }
}

TEST_CASE("csv: every prefix of a file is read or refused, never worse", "[csv][error]") {
    const std::string text = "\xEF\xBB\xBFid,amount,count\r\n\"a\"\"\u00e9\",1.25,7\r\n\U0001F600,-1e-3,00\r\n";
    for (std::size_t n = 0; n <= text.size(); ++n) {
        const std::string prefix = text.substr(0, n);  // a heap of its own: a read beyond it is seen under ASan
        for (const auto& options : {csv_options{}, three_columns()}) {
            try {
                (void)parse_csv(prefix, options);
            } catch (const error& e) {
                CHECK(e.where().byte <= n + 1);
            }
        }
    }
    CHECK(parse_csv(text).rows() == 2);
}

TEST_CASE("csv: files and streams", "[csv][io]") {
    const folder temporary;
    const auto path = temporary.path / "x.csv";
    std::string text = "id,amount,count\n";
    for (int i = 0; i < 20000; ++i) text += "customer " + std::to_string(i % 700) + "," + std::to_string(i) + ".25," + std::to_string(i) + "\n";
    write_file(path, text);
    const table t = parse_csv(text);
    CHECK(read_csv(path) == t);
    std::istringstream in(text);
    CHECK(read_csv(in) == t);

    CHECK(error_of([&] { (void)read_csv(temporary.path / "none.csv"); }).code() == errc::io);
    CHECK(error_of([&] { (void)read_csv(temporary.path); }).code() == errc::io);
    CHECK(error_of([&] { (void)read_csv("/dev/zero"); }).code() == errc::io);
    CHECK(error_of([&] { (void)read_csv(path, {.limits = {.file_bytes = 10}}); }).code() == errc::limit_exceeded);
    std::istringstream long_stream(text);
    CHECK(error_of([&] { (void)read_csv(long_stream, {.limits = {.file_bytes = 10}}); }).code() == errc::limit_exceeded);
    write_file(temporary.path / "empty.csv", "");
    CHECK(error_of([&] { (void)read_csv(temporary.path / "empty.csv"); }).code() == errc::empty_input);

    const auto copy = temporary.path / "copy.csv";
    write_file(copy, "what was there before");
    write_csv(t, copy);
    CHECK(read_csv(copy) == t);
    CHECK(error_of([&] { write_csv(t, temporary.path / "none" / "x.csv"); }).code() == errc::io);
    table late;
    late.add_column("t", std::vector<sys_seconds>{sys_days(10000y / 1 / 1)});
    CHECK(error_of([&] { write_csv(late, copy); }).code() == errc::bad_time);
    CHECK(read_csv(copy) == t);  // a failure leaves the file
    CHECK(std::distance(std::filesystem::directory_iterator(temporary.path), std::filesystem::directory_iterator{}) == 3);
}

TEST_CASE("csv: decimals of up to 24 characters are those that from_chars reads, also halfway between two doubles", "[csv]") {
    rng random(29);
    std::string text = "number,code\n";
    std::vector<double> expected;
    for (int i = 0; i < 30'000; ++i) {
        std::string digits;
        if (i % 3 == 0) {  // 2^53 to 2^54, and a half
            digits = std::to_string((std::uint64_t{1} << 54U) + 2 * random.below(std::uint64_t{1} << 53U) + 1);
        } else {
            for (std::uint64_t n = 1 + random.below(23); n > 0; --n) digits += static_cast<char>('0' + (random.below(4) == 0 ? 9 * random.below(2) : random.below(10)));
        }
        digits.insert(random.below(digits.size() + 1), ".");
        if (digits.size() > 2 && digits[0] == '0' && digits[1] != '.') digits[0] = '1';  // no code
        if (digits == ".") digits = "0.";
        if (random.below(2) == 0) digits.insert(0, "-");
        std::from_chars(digits.data(), digits.data() + digits.size(), expected.emplace_back());
        text += digits + ",9876543210" + std::to_string(1'000'000'000 + i) + "\n";
    }
    const table t = parse_csv(text);
    REQUIRE(t.column("number").type() == column_type::number);
    CHECK(list(t.numbers("number")) == expected);
    CHECK(t.column("code").type() == column_type::category);  // more digits than an integer holds
    CHECK(t.categories("code").levels.size() == 30'000);
}

// Rows of all kinds: numbers of every length, plain texts, quotes, line feeds within them, what is not ASCII.
std::string random_rows(rng random, std::size_t rows, std::string_view line_end, std::uint64_t odd, bool quoted) {
    std::string text = std::string("i,n,long,t,s") + std::string(line_end);
    const auto digits = [&](std::uint64_t n) {
        std::string out(1, static_cast<char>('1' + random.below(9)));
        while (out.size() < n) out += static_cast<char>('0' + random.below(10));
        return out;
    };
    for (; rows > 0; --rows) {
        const auto sign = [&] { return std::string(random.below(3) == 0 ? "-" : ""); };
        std::vector<std::string> fields{sign() + digits(1 + random.below(12)), sign() + digits(1 + random.below(4)) + "." + digits(1 + random.below(6)),
                                        sign() + "0." + digits(1 + random.below(25)), "2010-12-0" + digits(1), "word " + digits(2)};
        if (random.below(odd) == 0) fields[1] = digits(2) + "e-" + digits(1);
        if (random.below(odd) == 0) fields[0] = "";
        if (random.below(odd) == 0) fields[4] = "na\u00efve";
        const bool lines = random.below(odd) == 0;
        if (lines) fields[4] = digits(1) + "\n\"\"\n" + digits(2);
        for (std::size_t i = 0; i < fields.size(); ++i) {
            const bool quote = (quoted && !fields[i].empty()) || (i == 4 && lines);
            text += std::string(i > 0 ? "," : "") + (quote ? "\"" : "") + fields[i] + (quote ? "\"" : "");
        }
        text += line_end;
    }
    return text;
}

TEST_CASE("csv: plain rows, quoted ones and windows of a file make the same table", "[csv]") {
    const folder temporary;
    const auto path = temporary.path / "rows.csv";
    for (const std::string_view line_end : {"\n", "\r\n"})
        for (const std::uint64_t odd : {2U, 30U, 1000U}) {
            CAPTURE(line_end, odd);
            const std::string plain = random_rows(rng(odd), 12'000, line_end, odd, false);
            const table t = parse_csv(plain);
            CHECK(t == parse_csv(random_rows(rng(odd), 12'000, line_end, odd, true)));
            write_file(path, plain);
            CHECK(read_csv(path) == t);
        }
}

TEST_CASE("csv: what a file's window cuts", "[csv][io]") {
    const folder temporary;
    const auto path = temporary.path / "rows.csv";
    const auto same = [&](const std::string& text, const csv_options& options = {}) {
        write_file(path, text);
        place in_text, in_file;
        std::string why_text, why_file;
        table from_text, from_file;
        try {
            from_text = parse_csv(text, options);
        } catch (const error& e) {
            in_text = e.where();
            why_text = e.what();
        }
        try {
            from_file = read_csv(path, options);
        } catch (const error& e) {
            in_file = e.where();
            why_file = e.what();
        }
        CHECK(in_text == in_file);
        CHECK(why_text == why_file);
        CHECK(from_text == from_file);
        return why_text;
    };
    std::string rows = "a,b\n";
    while (rows.size() < 600'000) rows += "1,2.5\n";
    // A type that a late row refutes: the file is read once more.
    CHECK(same(rows + "x,0.5\n").empty());
    // Errors far behind the first window; a last row without its end.
    CHECK_THAT(same(rows + "1,2,3\n"), Contains("row 100002, column 3"));
    CHECK_THAT(same(rows + "1,\"2\n" + rows), Contains("row 100002, column 2"));
    CHECK_THAT(same(rows + "1,2\r3\n"), Contains("carriage return"));
    CHECK_THAT(same(rows + "\xC3,2\n"), Contains("not UTF-8"));
    CHECK_THAT(same(rows + "1,x\n", {.types = {{"b", column_type::number}}}), Contains("row 100002, column 2"));
    CHECK(same(rows + "1,2").empty());
    // Fields and headers larger than a window, with line feeds and without.
    const std::string lines = "\"" + std::string(300'000, '\n') + "\"", word(700'000, 'w');
    const csv_options large{.limits = {.field_bytes = 1'000'000}};
    for (const auto& big : {lines, word}) {
        CHECK(same(rows + big + ",1\n" + rows, large).empty());
        CHECK(same("a," + big + "\n1,2\n3,4\n", large).empty());
        CHECK(same(big + ",a\n" + rows.substr(4), large).empty());
        CHECK_THAT(same(rows + big + ",1\n"), Contains("at most 65536"));
    }
    // A quoted line feed at every place about the window's end.
    for (std::size_t shift = 0; shift < 12; ++shift) {
        std::string text = "a,b\n" + std::string(shift, 'x') + ",1\n";
        while (text.size() < 300'000) text += "\"a\n\n\",\"\n\"\r\n";
        CHECK(same(text).empty());
    }
    CHECK(same("\xEF\xBB\xBF" + rows).empty());
}

TEST_CASE("csv: writing", "[csv][io]") {
    table t;
    t.add_column("a,b", std::vector<std::optional<std::string>>{"x", "say \"hi\"", std::nullopt, "", "=1+1", "-5", "@x", "two\nlines"});
    t.add_column("n", std::vector<std::optional<double>>{0.1, 1e300, std::nullopt, -0.0, -1.5, 3, 1.0 / 3, 123456789});
    t.add_column("i", std::vector<std::int64_t>{1, -2, 3, std::numeric_limits<std::int64_t>::min(), 5, 6, 7, 8});
    t.add_column("t", std::vector<sys_seconds>(8, sys_days(987y / 2 / 3) + 4h + 5min + 6s));
    std::ostringstream out, raw;
    write_csv(t, out);
    CHECK(out.str() ==
          "\"a,b\",n,i,t\n"
          "x,0.1,1,0987-02-03 04:05:06\n"
          "\"say \"\"hi\"\"\",1e+300,-2,0987-02-03 04:05:06\n"
          ",,3,0987-02-03 04:05:06\n"
          "\"\",-0,-9223372036854775808,0987-02-03 04:05:06\n"
          "'=1+1,-1.5,5,0987-02-03 04:05:06\n"
          "'-5,3,6,0987-02-03 04:05:06\n"
          "'@x,0.3333333333333333,7,0987-02-03 04:05:06\n"
          "\"two\nlines\",123456789,8,0987-02-03 04:05:06\n");
    write_csv(t, raw, {.delimiter = ';', .defuse_formulas = false});
    const table again = parse_csv(raw.str(), {.delimiter = ';'});
    CHECK(again.take_columns({"n", "i", "t"}) == t.take_columns({"n", "i", "t"}));
    CHECK(texts(again, "a,b") == texts(t, "a,b"));
    CHECK(error_of([&] { write_csv(table{}, out); }).code() == errc::empty_input);
    CHECK(error_of([&] { write_csv(t, out, {.delimiter = '"'}); }).code() == errc::bad_parameter);
    std::ostringstream broken;
    broken.setstate(std::ios::badbit);
    CHECK(error_of([&] { write_csv(t, broken); }).code() == errc::io);
}

TEST_CASE("csv: a year of a real shop", "[csv][shop]") {
    SHARED_OR_SKIP(path, "data/online_retail_ii/online_retail_2009_2010.csv");
    const table t = read_csv(path);
    CHECK(t.rows() == 525461);
    CHECK(t.names() == std::vector<std::string>{"invoice", "stock_code", "description", "quantity", "invoice_date", "price", "customer_id", "country"});
    CHECK(t.categories("invoice").levels.size() == 28816);
    CHECK(t.categories("stock_code").levels.size() == 4632);
    CHECK(t.categories("description").levels.size() == 4681);
    CHECK(t.categories("country").levels.size() == 40);
    std::int64_t quantity = 0;
    double price = 0;
    for (const auto q : t.integers("quantity")) quantity += q;
    for (const auto p : t.numbers("price")) price += p;
    CHECK(quantity == 5432041);  // sums by another program
    CHECK(price == Approx(2463799.6539998716).epsilon(1e-12));
    const auto& customer = t.column("customer_id");
    CHECK(std::count(customer.missing().begin(), customer.missing().end(), true) == 107927);
    const auto when = t.timestamps("invoice_date");
    CHECK(when.front() == sys_days(2009y / 12 / 1) + 7h + 45min);
    CHECK(when.back() == sys_days(2010y / 12 / 9) + 20h + 1min);
    CHECK(t.categories("description")[2] == " WHITE CHERRY LIGHTS");
    CHECK(t.categories("description")[3] == "RECORD FRAME 7\" SINGLE SIZE ");
}

TEST_CASE("csv: numbers near the beginning of the text, of every length and sign, are those that from_chars reads", "[csv]") {
    rng random(7);
    for (std::size_t header = 1; header <= 12; ++header)
        for (int trial = 0; trial < 200; ++trial) {
            std::string number = random.below(2) == 0 ? "-" : "";
            const std::size_t digits = 1 + random.below(12), point = random.below(digits + 2);
            number += static_cast<char>('1' + random.below(9));
            for (std::size_t d = 1; d < digits; ++d) number += d == point ? std::string(".") + static_cast<char>('0' + random.below(10)) : std::string(1, static_cast<char>('0' + random.below(10)));
            double expected = 0;
            std::from_chars(number.data(), number.data() + number.size(), expected);
            const std::string text = std::string(header, 'x') + "\n" + number + (random.below(2) == 0 ? "\n" : "");
            csv_options options{.schema = {{std::string(header, 'x'), column_type::number}}};
            CHECK(parse_csv(text, options).column(0).numbers()[0] == expected);
        }
}
