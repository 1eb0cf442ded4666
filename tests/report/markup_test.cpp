#include <cmath>
#include <limits>
#include <locale>
#include <string>

#include <caramel/report/markup.hpp>
#include <caramel/report/table.hpp>

#include "report/well_formed.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace markup_test {

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double infinite = std::numeric_limits<double>::infinity();
const std::string minus = "\xE2\x88\x92", space = "\xC2\xA0", bad = "\xEF\xBF\xBD";

// As in German: dots between thousands, a comma before decimals.
struct german : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};

}  // namespace

TEST_CASE("report: numbers for people", "[report]") {
    CHECK(number_text(0) == "0");
    CHECK(number_text(-0.0) == "0");
    CHECK(number_text(7) == "7");
    CHECK(number_text(999) == "999");
    CHECK(number_text(1000) == "1,000");
    CHECK(number_text(525461) == "525,461");
    CHECK(number_text(1234567890) == "1,234,567,890");
    CHECK(number_text(-12345) == minus + "12,345");
    CHECK(number_text(0.7412) == "0.741");
    CHECK(number_text(0.5) == "0.5");
    CHECK(number_text(12.345) == "12.3");
    CHECK(number_text(1234.5) == "1,234");  // halves to even, three digits are in it already
    CHECK(number_text(0.00012345) == "0.000123");
    CHECK(number_text(0.000012345) == "1.23e-5");
    CHECK(number_text(9.999e-7) == "1e-6");
    CHECK(number_text(-2e300) == minus + "2e300");
    CHECK(number_text(5e-324) == "4.94e-324");
    CHECK(number_text(999999999999999) == "999,999,999,999,999");
    CHECK(number_text(1e15) == "1e15");
}

TEST_CASE("report: numbers in a style", "[report]") {
    CHECK(number_text(2, {.decimals = 2}) == "2.00");
    CHECK(number_text(-0.004, {.decimals = 2}) == "0.00");
    CHECK(number_text(1e-9, {.decimals = 3}) == "0.000");
    CHECK(number_text(0.423, {.percent = true}) == "42.3" + space + "%");
    CHECK(number_text(0.07, {.percent = true}) == "7" + space + "%");  // 100 * .07 is a little more than 7
    CHECK(number_text(1, {.decimals = 1, .percent = true}) == "100.0" + space + "%");
    CHECK(number_text(-6.4, {.decimals = 2, .before = "$", .after = " each"}) == minus + "$6.40 each");
    CHECK(number_text(2010, {.grouped = false}) == "2010");
    CHECK(number_text(123456.789, {.decimals = 2}) == "123,456.79");
}

TEST_CASE("report: numbers that cannot be written are refused", "[report][error]") {
    for (const double x : {not_a_number, infinite, -infinite}) CHECK(error_of([&] { (void)number_text(x); }).code() == errc::nan_or_inf);
    CHECK(error_of([] { (void)number_text(1e308, {.percent = true}); }).code() == errc::nan_or_inf);
    CHECK(error_of([] { (void)number_text(1, {.decimals = 16}); }).code() == errc::bad_parameter);
    CHECK_THROWS_WITH(number_text(1, {.decimals = -2}), "number_text: decimals = -2, must lie in -1 .. 15");
}

TEST_CASE("report: numbers do not follow the locale", "[report]") {
    const auto before = std::locale::global(std::locale(std::locale::classic(), new german));
    const std::string text = number_text(1234567.25, {.decimals = 2});
    std::locale::global(before);
    CHECK(text == "1,234,567.25");
}

TEST_CASE("report: text is escaped", "[report]") {
    CHECK(html_escape("") == "");
    CHECK(html_escape("plain, caf\xC3\xA9, \xE6\x98\xA0, \xF0\x9F\x98\x80") == "plain, caf\xC3\xA9, \xE6\x98\xA0, \xF0\x9F\x98\x80");
    CHECK(html_escape("<script>alert('1' & \"2\")</script>") == "&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;");
    CHECK(html_escape("&amp;") == "&amp;amp;");
    CHECK(html_escape("a\tb\nc\rd") == "a b c d");
    CHECK(html_escape(std::string("\0\x01\x1F\x7F", 4)) == bad + bad + bad + bad);
    CHECK(html_escape("\xC2\x85|\xC2\xA0") == bad + "|" + space);                  // a control character of Latin-1; a space is none
    CHECK(html_escape("\xEF\xBF\xBE|\xEF\xB7\x90|\xF0\x9F\xBF\xBF") == bad + "|" + bad + "|" + bad);  // noncharacters
}

TEST_CASE("report: what is not UTF-8 comes out as replacement characters", "[report]") {
    CHECK(html_escape("\x80") == bad);
    CHECK(html_escape("a\xFFz") == "a" + bad + "z");
    CHECK(html_escape("\xC0\xAF") == bad + bad);          // overlong
    CHECK(html_escape("\xE0\x80\xBC") == bad + bad + bad);  // an overlong <
    CHECK(html_escape("\xED\xA0\x80") == bad + bad + bad);  // a surrogate
    CHECK(html_escape("\xF4\x90\x80\x80") == bad + bad + bad + bad);
    CHECK(html_escape("\xE6\x98") == bad + bad);  // cut off
    CHECK(html_escape("\xE6<") == bad + "&lt;");  // what follows is not swallowed
    CHECK(html_escape("\xF0\x9F\x98\"") == bad + bad + bad + "&quot;");
}

TEST_CASE("report: every pair of bytes comes out as well-formed text", "[report]") {
    bool good = true;
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; ++b) {
            const std::string in{static_cast<char>(a), static_cast<char>(b)}, out = html_escape(in);
            good = good && html_escape(out).find('<') == std::string::npos && out.find_first_of("<>\"'") == std::string::npos && markup_reader::fault_of("<p>" + out + "</p>").empty();
            for (std::size_t at = 0; at < out.size();) {  // valid already: stays as it is
                const std::size_t from = at;
                const char32_t c = detail::next_code_point(out, at);
                good = good && (c != 0xFFFD || out.substr(from, 3) == bad);
            }
        }
    CHECK(good);
}

TEST_CASE("report: a table", "[report]") {
    const report_table table{.caption = "R&D",
                             .columns = {{"Method"}, {"recall"}, {"share", {.decimals = 1, .percent = true}}, {"note"}},
                             .rows = {{"<a>", 0.0842, 1, "x"}, {std::string("b"), 0.1, 0.25f, 7}, {"c", {}, {}, {}}},
                             .emphasis = 1};
    const std::string html = table.html();
    CHECK(markup_reader::fault_of(html) == "");
    CHECK(html ==
          "<table><caption>R&amp;D</caption><thead><tr><th scope=\"col\">Method</th><th scope=\"col\" class=\"number\">recall</th>"
          "<th scope=\"col\" class=\"number\">share</th><th scope=\"col\">note</th></tr></thead>\n<tbody>\n"
          "<tr><th scope=\"row\">&lt;a&gt;</th><td class=\"number\">0.0842</td><td class=\"number\">100.0" + space + "%</td><td>x</td></tr>\n"
          "<tr class=\"strong\"><th scope=\"row\">b</th><td class=\"number\">0.1000</td><td class=\"number\">25.0" + space + "%</td><td>7</td></tr>\n"
          "<tr><th scope=\"row\">c</th><td class=\"number\">\xE2\x80\x93</td><td class=\"number\">\xE2\x80\x93</td><td>\xE2\x80\x93</td></tr>\n"
          "</tbody></table>");
}

TEST_CASE("report: tables that cannot be shown are refused", "[report][error]") {
    CHECK(error_of([] { (void)report_table{}.html(); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)report_table{.columns = {{"a"}}}.html(); }).code() == errc::empty_input);
    const auto width = error_of([] { (void)report_table{.columns = {{"a"}, {"b"}}, .rows = {{"x", 1}, {"y"}}}.html(); });
    CHECK(width.code() == errc::shape_mismatch);
    CHECK(width.where() == place{.row = 2});
    CHECK(std::string(width.what()) == "report_table: row 2 has 1 cells, there are 2 columns");
    const auto number = error_of([] { (void)report_table{.columns = {{"a"}, {"b"}}, .rows = {{"x", 1}, {"y", not_a_number}}}.html(); });
    CHECK(number.code() == errc::nan_or_inf);
    CHECK(number.where() == place{.row = 2, .column = 2});
    CHECK(error_of([] { (void)report_table{.columns = {{"a"}}, .rows = {{"x"}}, .emphasis = 1}.html(); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)report_table{.columns = {{"a"}}, .rows = std::vector<std::vector<report_cell>>(10'001, {1})}.html(); }).code() == errc::limit_exceeded);
}

}  // namespace markup_test
