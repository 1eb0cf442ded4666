#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <string_view>

#include <caramel/report/page.hpp>

#include "report/sample.hpp"
#include "report/well_formed.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace {

// "--name:#rrggbb;" by name.
std::map<std::string, std::string> colours_of(std::string_view text) {
    std::map<std::string, std::string> out;
    for (std::size_t at = text.find("--"); at != std::string_view::npos; at = text.find("--", at + 2)) {
        const std::size_t colon = text.find(':', at);
        out[std::string(text.substr(at + 2, colon - at - 2))] = std::string(text.substr(colon + 1, 7));
    }
    return out;
}
// Web Content Accessibility Guidelines 2.2, "relative luminance" and "contrast ratio".
double luminance(const std::string& colour) {
    const long rgb = std::strtol(colour.c_str() + 1, nullptr, 16);
    const auto channel = [rgb](int shift) {
        const double c = static_cast<double>(rgb >> shift & 255) / 255;
        return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0);
}
double contrast(const std::string& a, const std::string& b) {
    const double x = luminance(a), y = luminance(b);
    return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

}  // namespace

TEST_CASE("html_page: a report with everything is one well-formed file that needs no network", "[report]") {
    const std::string html = sample_page().html();
    CHECK(markup_reader::fault_of(html) == "");
    CHECK(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    for (const char* foreign : {"http://", "https://", "url(", "@import", "src=", "<script", "<iframe", "javascript:"}) CHECK(html.find(foreign) == std::string::npos);
    for (std::size_t at = html.find("href=\""); at != std::string::npos; at = html.find("href=\"", at + 1)) {
        const std::string_view target = std::string_view(html).substr(at + 6);
        CHECK((target.starts_with("#section-") || target.starts_with("data:,\"")));
    }
    CHECK(html.find("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>") != std::string::npos);
    CHECK(html.find("prefers-color-scheme:dark") != std::string::npos);
    CHECK(html.find("@media print") != std::string::npos);
    CHECK(html.find("<a href=\"#section-3\">Who will leave</a>") != std::string::npos);
    CHECK(html.find("<section id=\"section-3\"") != std::string::npos);
    CHECK(html.find("nan") == std::string::npos);
}

TEST_CASE("html_page: the same bytes every time", "[report]") { CHECK(sample_page().html() == sample_page().html()); }

TEST_CASE("html_page: every variable of the style sheet has a value in both themes", "[report]") {
    const auto light = colours_of(detail::light_colours), dark = colours_of(detail::dark_colours);
    const std::string style(detail::page_style);
    std::size_t used = 0;
    for (std::size_t at = style.find("var(--"); at != std::string::npos; at = style.find("var(--", at + 1), ++used) {
        const std::string name = style.substr(at + 6, style.find(')', at) - at - 6);
        CHECK((name == "s" || (light.contains(name) && dark.contains(name))));
    }
    CHECK(used > 30);
    CHECK(light.size() == dark.size());
}

TEST_CASE("html_page: colours stand out from what they are drawn on", "[report]") {
    for (const auto theme : {detail::light_colours, detail::dark_colours}) {
        const auto colour = colours_of(theme);
        for (const char* text : {"ink", "ink2", "c1"})  // c1 is that of links
            for (const char* ground : {"page", "card"}) CHECK(contrast(colour.at(text), colour.at(ground)) >= 4.5);
        CHECK(contrast(colour.at("ink"), colour.at("wash")) >= 4.5);
        for (const char* drawn : {"c0", "c1", "c2", "c3", "c4", "c5", "c6", "v1", "v2", "v3", "v4", "v5"}) CHECK(contrast(colour.at(drawn), colour.at("card")) >= 3);
        for (const char* step : {"v2", "v3", "v4", "v5"}) {  // the higher, the more they stand out
            const std::string below = {'v', static_cast<char>(step[1] - 1)};
            CHECK(contrast(colour.at(step), colour.at("card")) > contrast(colour.at(below), colour.at("card")));
        }
    }
}

TEST_CASE("html_page: in order, sections closed, charts side by side", "[report]") {
    html_page page("T", {.subtitle = "S", .footer = "F", .language = "zh-CN", .contents = "C", .show_numbers = "N"});
    const bar_chart bars{.title = "B", .bars = {{"x", 1}}};
    page.paragraph("lead").section("one").chart(bars, "first").chart(bars, "second").conclusion("so").section("two").list({"l"}).chart(bars, "third");
    const std::string html = page.html();
    CHECK(markup_reader::fault_of(html) == "");
    std::size_t at = 0;
    for (const char* next : {"<html lang=\"zh-CN\">", "<title>T</title>", "<h1>T</h1>", "S</p>", "aria-label=\"C\"", "#section-1", "#section-2", "<main>", "lead", "<section id=\"section-1\"",
                             "<div class=\"charts\">", "first", "<summary>N</summary>", "second", "<p class=\"conclusion\">so</p>", "</section>", "<section id=\"section-2\"", "<li>l</li>",
                             "<div class=\"charts\">", "third", "</section>", "</main>", "<footer><p>F</p>"}) {
        at = html.find(next, at);
        INFO(next);
        REQUIRE(at != std::string::npos);
    }
    // Asking for the page does not close it.
    page.paragraph("more");
    CHECK(markup_reader::fault_of(page.html()) == "");
    CHECK(page.html().find("more") > page.html().find("third"));
}

TEST_CASE("html_page: nothing is needed but a title", "[report][edge]") {
    const std::string html = html_page("T").html();
    CHECK(markup_reader::fault_of(html) == "");
    CHECK(html.find("<nav") == std::string::npos);
    CHECK(html.find("<footer>") == std::string::npos);
}

TEST_CASE("html_page: all texts are escaped", "[report][edge]") {
    const std::string hostile = "</p></title><script>alert('x')</script><img src=x onerror=\"y\">&\xC3" + std::string(1, '\0');
    html_page page(hostile, {.subtitle = hostile, .footer = hostile, .contents = hostile, .show_numbers = hostile});
    page.section(hostile).section(hostile).paragraph(hostile).conclusion(hostile).list({hostile}).key_figures({{hostile, hostile, hostile}});
    page.table({.caption = hostile, .columns = {{hostile, {}}, {hostile, {.before = hostile}}}, .rows = {{hostile, 1}}});
    page.chart(bar_chart{.title = hostile, .bars = {{hostile, 1, false, hostile}}}, hostile);
    page.chart(line_chart{.title = hostile, .series = {{hostile, {1}, {1}}}}, hostile);
    page.chart(scatter_chart{.title = hostile, .x_values = {1}, .y_values = {1}, .labels = {hostile}}, hostile);
    const std::string html = page.html();
    CHECK(markup_reader::fault_of(html) == "");
    CHECK(html.find("<script") == std::string::npos);
    CHECK(html.find("<img") == std::string::npos);
    CHECK(html.find('\0') == std::string::npos);
}

TEST_CASE("html_page: a call that throws adds nothing", "[report][error]") {
    html_page page("T");
    page.section("one").chart(bar_chart{.title = "B", .bars = {{"x", 1}}}, "c");
    const std::string before = page.html();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(error_of([&] { page.chart(bar_chart{.bars = {{"x", nan}}}, "c"); }).code() == errc::nan_or_inf);
    CHECK(error_of([&] { page.chart(line_chart{}, "c"); }).code() == errc::empty_input);
    CHECK(error_of([&] { page.chart(scatter_chart{.x_values = {1}}, "c"); }).code() == errc::shape_mismatch);
    const auto cell = error_of([&] { page.table({.columns = {{"a"}}, .rows = {{1}, {nan}}}); });
    CHECK(cell.code() == errc::nan_or_inf);
    CHECK(cell.where() == place{.row = 2, .column = 1});
    CHECK(error_of([&] { page.table({}); }).code() == errc::empty_input);
    CHECK(error_of([&] { page.list({}); }).code() == errc::empty_input);
    CHECK(error_of([&] { page.key_figures({}); }).code() == errc::empty_input);
    CHECK(page.html() == before);
    CHECK(error_of([] { html_page(""); }).code() == errc::bad_parameter);
    for (const char* language : {"", "en us", "\"", "e\xC3\xA9"}) CHECK(error_of([&] { html_page("T", {.language = language}); }).code() == errc::bad_parameter);
}

TEST_CASE("html_page: numbers fold out, unless they are too many to be read", "[report]") {
    line_series line{.name = "l"};
    for (int i = 0; i < 201; ++i) {
        line.x.push_back(i);
        line.y.push_back(i);
    }
    CHECK(html_page("T").chart(line_chart{.series = {line}}, "").html().find("<details>") == std::string::npos);
    line.x.pop_back();
    line.y.pop_back();
    CHECK(html_page("T").chart(line_chart{.series = {line}}, "").html().find("<details>") != std::string::npos);
}
