#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/report/chart.hpp>

#include "report/well_formed.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double infinite = std::numeric_limits<double>::infinity();

std::size_t count_of(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
}
// The values of an attribute, in the order of the tags that begin so.
std::vector<double> numbers_of(const std::string& text, const std::string& tag, const std::string& key) {
    std::vector<double> out;
    for (std::size_t at = text.find(tag); at != std::string::npos; at = text.find(tag, at + 1)) {
        const std::size_t from = text.find(" " + key + "=\"", at) + key.size() + 3;
        out.push_back(std::strtod(text.c_str() + from, nullptr));
    }
    return out;
}
// The numbers of the path of the n-th series.
std::vector<double> path_of(const std::string& svg, const std::string& style) {
    std::vector<double> out;
    const std::size_t from = svg.find("d=\"", svg.find("<path class=\"" + style)) + 3;
    std::string path = svg.substr(from, svg.find('"', from) - from);
    for (char& c : path)
        if (c == 'M' || c == 'L') c = ' ';
    const char* at = path.c_str();
    for (char* end = nullptr;; at = end) {
        const double x = std::strtod(at, &end);
        if (end == at) break;
        out.push_back(x);
    }
    return out;
}
// The texts of a class, in order.
std::vector<std::string> texts_of(const std::string& svg, const std::string& style) {
    std::vector<std::string> out;
    const std::string tag = "<text class=\"" + style + "\"";
    for (std::size_t at = svg.find(tag); at != std::string::npos; at = svg.find(tag, at + 1)) {
        const std::size_t from = svg.find('>', at) + 1;
        out.push_back(svg.substr(from, svg.find('<', from) - from));
    }
    return out;
}
// Every coordinate of a text or a tick lies within the drawing.
bool stays_inside(const std::string& svg) {
    const double width = numbers_of(svg, "<svg", "width").front(), height = numbers_of(svg, "<svg", "height").front();
    bool inside = true;
    for (const double x : numbers_of(svg, "<text", "x")) inside = inside && x >= 0 && x <= width;
    for (const double y : numbers_of(svg, "<text", "y")) inside = inside && y >= 0 && y <= height;
    return inside;
}
line_chart simple_lines() {
    return {.title = "Loss", .x = {.title = "Epoch"}, .y = {.title = "Log loss"}, .series = {{"train", {1, 2, 3, 4}, {8, 4, 2, 0}}, {"held out", {1, 2, 3, 4}, {8, 6, 5, 5}}}};
}
bar_chart simple_bars() { return {.title = "Values", .values = {.title = "Value"}, .bars = {{"never", 20}, {"always", 30}, {"learnt", 40, true, "ours"}}}; }
scatter_chart simple_points() { return {.title = "Map", .x = {.title = "x"}, .y = {.title = "y"}, .x_values = {0, 5, 10}, .y_values = {0, 50, 100}}; }

}  // namespace

TEST_CASE("charts: ticks are round, rise evenly and lie on the axis", "[report]") {
    rng random(1);
    bool good = true;
    for (int trial = 0; trial < 5000; ++trial) {
        const double size = std::pow(10, 24 * random.uniform() - 12);
        detail::value_range range;
        range.add(size * (2 * random.uniform() - 1));
        range.add(range.low + size * random.uniform());
        const std::size_t most = 2 + random.below(9);
        const chart_axis axis;
        for (const auto where : {detail::axis_scale::ends::at_data, detail::axis_scale::ends::at_ticks}) {
            const detail::axis_scale scale(axis, range, where, most);
            const auto ticks = scale.ticks(most);
            good = good && scale.low() <= range.low && scale.high() >= range.high && ticks.size() <= most + 3;
            const double step = ticks.size() > 1 ? ticks[1].value - ticks[0].value : 0;
            for (std::size_t i = 0; i < ticks.size(); ++i) {
                good = good && scale(ticks[i].value) > -1e-6 && scale(ticks[i].value) < 1 + 1e-6;
                if (i > 0) good = good && ticks[i].text != ticks[i - 1].text && std::abs(ticks[i].value - ticks[i - 1].value - step) < 1e-6 * step;
            }
            if (where == detail::axis_scale::ends::at_ticks) good = good && ticks.size() >= 2 && std::abs(scale(ticks.front().value)) < 1e-6 && std::abs(scale(ticks.back().value) - 1) < 1e-6;
        }
    }
    CHECK(good);
}

TEST_CASE("charts: ticks as people write them", "[report]") {
    const auto ticks = [](const chart_axis& axis, double low, double high, std::size_t most) {
        detail::value_range range;
        range.add(low);
        range.add(high);
        std::string out;
        for (const auto& t : detail::axis_scale(axis, range, detail::axis_scale::ends::at_ticks, most).ticks(most)) out += (out.empty() ? "" : " ") + t.text;
        return out;
    };
    CHECK(ticks({}, 0, 10, 5) == "0 2 4 6 8 10");
    CHECK(ticks({}, 0.55, 0.69, 3) == "0.55 0.60 0.65 0.70");
    CHECK(ticks({.numbers = {.decimals = 0}}, 0, 3, 8) == "0 1 2 3");  // no halves
    CHECK(ticks({.numbers = {.decimals = 2, .before = "$"}}, 0, 100, 4) == "$0 $25 $50 $75 $100");
    CHECK(ticks({}, 0, 2.3e6, 3) == "0\xC2\xA0M 1\xC2\xA0M 2\xC2\xA0M 3\xC2\xA0M");
    CHECK(ticks({}, 1e9, 1e9 + 2, 2) == "1,000,000,000 1,000,000,001 1,000,000,002");
    CHECK(ticks({.numbers = {.percent = true}}, 0, 1, 4) == "0\xC2\xA0% 25\xC2\xA0% 50\xC2\xA0% 75\xC2\xA0% 100\xC2\xA0%");
    CHECK(ticks({.logarithmic = true}, 3, 900, 5) == "10 100 1,000");
    CHECK(ticks({.logarithmic = true}, 2, 5, 9) == "2 3 4 5");
    CHECK(ticks({.logarithmic = true}, 1e-30, 1e30, 4) == "1e-20 1 1e20");
}

TEST_CASE("charts: a line is where its numbers are", "[report]") {
    const std::string svg = simple_lines().svg();
    CHECK(markup_reader::fault_of(svg) == "");
    const auto line = path_of(svg, "line s1 d1");  // behind the sample of the legend, which is of two points
    REQUIRE(line.size() == 4);
    const auto x = numbers_of(svg, "<circle class=\"hit\"", "cx"), y = numbers_of(svg, "<circle class=\"hit\"", "cy");
    REQUIRE(x.size() == 8);
    for (std::size_t i = 1; i < 4; ++i) CHECK(x[i] - x[i - 1] == Approx((x[3] - x[0]) / 3).margin(0.11));
    const double unit = (y[3] - y[0]) / 8;  // downwards: 8 is at the top
    CHECK(unit > 10);
    CHECK(y[1] - y[0] == Approx(4 * unit).margin(0.11));
    CHECK(y[2] - y[0] == Approx(6 * unit).margin(0.11));
    CHECK(y[5] - y[4] == Approx(2 * unit).margin(0.11));
    CHECK(y[6] == y[7]);
    CHECK(texts_of(svg, "name") == std::vector<std::string>{"train", "held out"});
    CHECK(texts_of(svg, "axis-title") == std::vector<std::string>{"Log loss", "Epoch"});
    CHECK(svg.find("<title>held out: 2 \xE2\x80\x93 6</title>") != std::string::npos);
    CHECK(stays_inside(svg));
}

TEST_CASE("charts: references stand where they say", "[report]") {
    auto chart = simple_lines();
    chart.references = {{"At random", 5}, {"Stopped", 3, reference_kind::vertical}, {"Equal", 0, reference_kind::diagonal}};
    const std::string svg = chart.svg();
    const auto x = numbers_of(svg, "<circle class=\"hit\"", "cx"), y = numbers_of(svg, "<circle class=\"hit\"", "cy");
    const auto last = [&](const std::string& style) {  // the first of each class is the legend's
        const std::size_t second = svg.find("<path class=\"" + style, svg.find("<path class=\"" + style) + 1);
        REQUIRE(second != std::string::npos);
        return path_of(svg.substr(second), style);
    };
    const auto level = last("ref r1"), upright = last("ref r2"), diagonal = last("ref r3");
    CHECK(level[1] == y[7]);
    CHECK(level[3] == y[7]);
    CHECK(upright[0] == x[2]);
    CHECK(upright[2] == x[2]);
    CHECK(diagonal[0] == x[0]);  // from (1, 1) to (4, 4)
    CHECK(diagonal[3] == y[1]);
    CHECK(texts_of(svg, "name")[2] == "At random: 5");
    // Far beyond the data, the axis reaches it.
    chart.references = {{"Far", 50}};
    CHECK(texts_of(chart.svg(), "tick").front() == "0");
    CHECK(stays_inside(chart.svg()));
}

TEST_CASE("charts: a long line keeps its ends and its spikes", "[report]") {
    line_series line{.name = "loss"};
    for (int i = 0; i < 50'000; ++i) {
        line.x.push_back(i);
        line.y.push_back(i == 31'234 ? 1000 : std::sin(i * 0.001));
    }
    const auto rows = detail::drawn_rows(line);
    CHECK(rows.size() <= 802);
    CHECK(rows.front() == 0);
    CHECK(rows.back() == 49'999);
    CHECK(std::ranges::is_sorted(rows));
    CHECK(std::ranges::find(rows, std::size_t{31'234}) != rows.end());
    const line_chart chart{.series = {line}};
    CHECK(chart.svg().size() < 30'000);
    line.x.resize(1000);
    line.y.resize(1000);
    CHECK(detail::drawn_rows(line).size() == 1000);
}

TEST_CASE("charts: the numbers of lines as a table", "[report]") {
    auto chart = simple_lines();
    const auto shared = chart.numbers();
    REQUIRE(shared.columns.size() == 3);
    CHECK(shared.columns[2].title == "held out");
    REQUIRE(shared.rows.size() == 4);
    CHECK(shared.rows[1][2].number() == 6);
    chart.series[1].x[0] = 0;  // no longer the same
    const auto apart = chart.numbers();
    CHECK(apart.columns.size() == 3);
    REQUIRE(apart.rows.size() == 8);
    CHECK(apart.rows[4][0].text() == "held out");
    CHECK(apart.rows[4][1].number() == 0);
    CHECK(apart.html().find("Log loss") != std::string::npos);
}

TEST_CASE("charts: bars are as long as their values", "[report]") {
    for (const bool upright : {false, true}) {
        auto chart = simple_bars();
        chart.upright = upright;
        const std::string svg = chart.svg();
        CHECK(markup_reader::fault_of(svg) == "");
        const auto length = numbers_of(svg, "<rect class=\"bar", upright ? "height" : "width");
        REQUIRE(length.size() == 3);
        CHECK(length[1] / length[0] == Approx(1.5).epsilon(0.01));
        CHECK(length[2] / length[0] == Approx(2).epsilon(0.01));
        CHECK(count_of(svg, "class=\"bar strong\"") == 1);
        CHECK(texts_of(svg, "value") == std::vector<std::string>{"20", "30", "40"});
        CHECK(svg.find("<title>learnt: 40 \xE2\x80\x93 ours</title>") != std::string::npos);
        CHECK(stays_inside(svg));
    }
}

TEST_CASE("charts: bars below zero, a reference, and long names", "[report]") {
    bar_chart chart{.values = {.title = "Change", .numbers = {.percent = true}}, .bars = {{"up", .3}, {"down", -.2}, {"none", 0}}};
    const std::string svg = chart.svg();
    const auto x = numbers_of(svg, "<rect class=\"bar", "x"), width = numbers_of(svg, "<rect class=\"bar", "width");
    CHECK(x[1] + width[1] == Approx(x[0]).margin(0.11));  // both end at zero
    CHECK(width[1] / width[0] == Approx(2.0 / 3).epsilon(0.01));
    CHECK(width[2] == 0);
    chart.references = {{"best", .4}};
    const auto ends = path_of(chart.svg().substr(chart.svg().rfind("<path class=\"ref r1")), "ref r1");
    const auto longer = numbers_of(chart.svg(), "<rect class=\"bar", "width");
    CHECK((ends[0] - x[0]) != 0);
    CHECK((ends[0] - numbers_of(chart.svg(), "<rect class=\"bar", "x")[0]) / longer[0] == Approx(4.0 / 3).epsilon(0.01));
    for (auto& bar : chart.bars) bar.label = "a name that is much too long to stand beside a bar of any width at all, and longer still";
    for (const double total : {320.0, 560.0})
        for (const bool upright : {false, true}) {
            chart.upright = upright;
            CHECK(stays_inside(chart.svg(total)));
            CHECK(texts_of(chart.svg(total), upright ? "tick" : "name").back().ends_with("\xE2\x80\xA6"));  // an ellipsis
        }
}

TEST_CASE("charts: points are where they are", "[report]") {
    auto chart = simple_points();
    chart.labels = {"first <one>", "", "third"};
    const std::string svg = chart.svg();
    CHECK(markup_reader::fault_of(svg) == "");
    const auto x = numbers_of(svg, "<circle class=\"point", "cx"), y = numbers_of(svg, "<circle class=\"point", "cy");
    REQUIRE(x.size() == 3);
    CHECK(x[1] == Approx((x[0] + x[2]) / 2).margin(0.11));
    CHECK(y[1] == Approx((y[0] + y[2]) / 2).margin(0.11));
    CHECK(y[0] > y[2]);
    CHECK(svg.find("<title>first &lt;one&gt;</title></circle>") != std::string::npos);
    CHECK(count_of(svg, "<title>") == 2);
}

TEST_CASE("charts: points by group differ in shape, by value in colour and shape, by size in area", "[report]") {
    auto chart = simple_points();
    chart.groups = {0, 1, 2};
    chart.group_names = {"a", "b", "c"};
    const std::string groups = chart.svg();
    CHECK(count_of(groups, "class=\"point s1\"") == 1);
    CHECK(count_of(groups, "class=\"point s3\"") == 1);
    CHECK(count_of(groups, "<circle class=\"point") == 1);  // the others are paths
    CHECK(texts_of(groups, "name") == std::vector<std::string>{"a", "b", "c"});

    chart.groups.clear();
    chart.group_names.clear();
    chart.values = {.1, .5, .9};
    chart.value_cuts = {.2, .5};
    const std::string values = chart.svg();
    CHECK(count_of(values, "class=\"point v1\"") == 1);
    CHECK(count_of(values, "class=\"point v5\"") == 2);  // a cut belongs to the step above it
    CHECK(count_of(values, "<circle class=\"point") == 1);
    CHECK(count_of(values, "<path class=\"point v5\"") == 2);
    CHECK(texts_of(values, "name") == std::vector<std::string>{"&lt; 0.2", "0.2 \xE2\x80\x93 0.5", "\xE2\x89\xA5 0.5"});

    chart.values.clear();
    chart.value_cuts.clear();
    chart.sizes = {0, 1, 4};
    chart.size_title = "spent";
    const auto r = numbers_of(chart.svg(), "<circle class=\"point", "r");
    CHECK((r[1] - r[0]) * 2 == Approx(r[2] - r[0]).margin(0.11));
    CHECK(texts_of(chart.svg(), "tick").back() == "The larger, the more spent.");
}

TEST_CASE("charts: six groups have six shapes, each as large as the others", "[report]") {
    scatter_chart chart;
    for (int i = 0; i < 6; ++i) {
        chart.x_values.push_back(i);
        chart.y_values.push_back(i);
        chart.groups.push_back(static_cast<decltype(chart.groups)::value_type>(i));
        chart.group_names.push_back(std::string(1, static_cast<char>('a' + i)));
    }
    CHECK(markup_reader::fault_of(chart.svg()).empty());
    std::vector<std::string> shapes;
    for (std::size_t n = 0; n < 6; ++n) {
        std::string path;
        detail::append_marker(path, n, 0, 0, 10);
        CHECK(chart.svg().find("class=\"point s" + std::to_string(n + 1) + "\"") != std::string::npos);
        CHECK(path.front() == 'M');
        CHECK(path.back() == 'z');
        CHECK(std::ranges::find(shapes, path) == shapes.end());
        shapes.push_back(path);
    }
    // The turned triangle is the other one upside down.
    CHECK(shapes[2] == "M0 -11.5l11 20h-22z");
    CHECK(shapes[4] == "M0 11.5l11 -20h-22z");
}

TEST_CASE("charts: ends that are given hold, single values get room", "[report][edge]") {
    const auto scale = [](const chart_axis& axis, double low, double high) {
        detail::value_range range;
        range.add(low);
        range.add(high);
        const detail::axis_scale of(axis, range, detail::axis_scale::ends::at_ticks, 5);
        return std::pair(of.low(), of.high());
    };
    CHECK(scale({}, 3, 3) == std::pair(1.0, 5.0));
    CHECK(scale({.from = 3}, 3, 3) == std::pair(3.0, 4.5 + 0));
    CHECK(scale({}, 0, 0) == std::pair(-1.0, 1.0));
    CHECK(scale({.from = 0.5, .to = 9.5}, 1, 9) == std::pair(0.5, 9.5));
    CHECK(scale({.from = 0.5}, 1, 9).second == 10);
    CHECK(scale({.logarithmic = true}, 1, 1) == std::pair(1.0, 10.0));
    CHECK(scale({.logarithmic = true}, 3, 30) == std::pair(2.0, 50.0));
    CHECK(detail::axis_label({.title = "spend", .unit = "EUR"}) == "spend (EUR)");
    CHECK(detail::axis_label({.unit = "EUR"}) == "EUR");
    CHECK(detail::axis_label({.title = "spend"}) == "spend");
}

TEST_CASE("charts: texts are broken at spaces and cut where they do not fit", "[report]") {
    const auto lines = [](std::string_view text, double letters, std::size_t most) { return detail::wrapped_text(text, letters * 0.64 * detail::tick_size, most); };
    CHECK(lines("aaa bbb", 20, 2) == std::vector<std::string>{"aaa bbb"});
    CHECK(lines("aaa bbb ccc", 8, 3) == std::vector<std::string>{"aaa bbb", "ccc"});
    CHECK(lines("aaaaaaaaaa bb", 5, 3) == std::vector<std::string>{"aaa" + std::string(detail::ellipsis), "bb"});  // a word that is too long
    CHECK(lines("aaa bbb ccc", 5, 2) == std::vector<std::string>{"aaa", "bbb" + std::string(detail::ellipsis)});
    CHECK(lines("", 5, 2).empty());
    CHECK(detail::text_width("e\u0301") == detail::text_width("e"));  // a mark takes no room
    CHECK(detail::text_width("\u4E2D") > detail::text_width("\u00E9"));
    CHECK(detail::text_width("\u1E2F") == detail::text_width("\u00E9"));
}

TEST_CASE("charts: values without cuts are coloured by quintiles", "[report]") {
    scatter_chart chart;
    for (int i = 0; i < 100; ++i) {
        chart.x_values.push_back(i);
        chart.y_values.push_back(i);
        chart.values.push_back(i * i);
    }
    const std::string svg = chart.svg();
    for (const char* step : {"v1", "v2", "v3", "v4", "v5"}) CHECK(count_of(svg, std::string("class=\"point ") + step) == 20);
    chart.values.assign(100, 3);
    CHECK(count_of(chart.svg(), "class=\"point v3\"") == 100);
}

TEST_CASE("charts: too many points are thinned, evenly, always alike, and said", "[report]") {
    scatter_chart chart{.most_points = 500};
    for (int i = 0; i < 12'345; ++i) {
        chart.x_values.push_back(i);
        chart.y_values.push_back(i % 100);
    }
    const std::string svg = chart.svg();
    CHECK(svg == chart.svg());
    CHECK(count_of(svg, "<circle class=\"point") == 500);
    CHECK(texts_of(svg, "tick").back() == "500 of 12,345 points are shown.");
    const auto x = numbers_of(svg, "<circle class=\"point", "cx");
    CHECK(std::ranges::is_sorted(x));
    CHECK(std::ranges::count_if(x, [&](double at) { return at < (x.front() + x.back()) / 2; }) == Approx(250).margin(10));
    chart.most_points = 20'000;
    CHECK(count_of(chart.svg(), "<circle class=\"point") == 12'345);
    CHECK(chart.svg().find("points are shown") == std::string::npos);
}

TEST_CASE("charts: what is read out", "[report]") {
    auto lines = simple_lines();
    CHECK(lines.svg().find("role=\"img\" aria-label=\"Loss. Line chart of Log loss by Epoch: train runs from 8 to 0, between 0 and 8, over 1 to 4; held out runs from 8 to 5, "
                           "between 5 and 8, over 1 to 4.\"") != std::string::npos);
    lines.description = "The \"loss\" falls.";
    CHECK(lines.svg().find("aria-label=\"Loss. The &quot;loss&quot; falls.\"") != std::string::npos);
    CHECK(simple_bars().svg().find("aria-label=\"Values. Bar chart of Value: never 20; always 30; learnt 40.\"") != std::string::npos);
    CHECK(simple_points().svg().find("aria-label=\"Map. Map of 3 points: x from 0 to 10, y from 0 to 100.\"") != std::string::npos);
}

TEST_CASE("charts: extreme but lawful values", "[report][edge]") {
    const std::vector<std::vector<double>> cases{{0}, {5}, {-5, -5}, {1e100, -1e100}, {1e-100, 2e-100}, {1e15, 1e15 + 1}, {0.1, 0.1 + 1e-16}, {-1e-7, 3e9}, {4.9e-324, 0}};
    for (const auto& values : cases) {
        line_chart lines{.series = {{"a", values, values}}};
        bar_chart bars;
        for (const double value : values) bars.bars.push_back({"b", value});
        scatter_chart points{.x_values = values, .y_values = values, .values = values};
        for (const double width : {240.0, 345.5, 2000.0}) {
            bars.upright = !bars.upright;
            for (const std::string& svg : {lines.svg(width), bars.svg(width), points.svg(width)}) {
                CHECK(markup_reader::fault_of(svg) == "");
                CHECK(svg.find("nan") == std::string::npos);
                CHECK(svg.find("inf") == std::string::npos);
                CHECK(svg.size() < 30'000);
            }
        }
    }
    const line_chart logarithms{.x = {.logarithmic = true}, .y = {.logarithmic = true}, .series = {{"a", {1e-100, 1, 1e100}, {7, 7, 7}}}};
    CHECK(logarithms.svg().find("nan") == std::string::npos);
}

TEST_CASE("charts: hostile texts", "[report][edge]") {
    const std::string hostile = "</text></svg><script>alert(\"x\")</script>&\xFF" + std::string(1, '\0') + "'";
    auto lines = simple_lines();
    lines.title = lines.description = lines.x.title = lines.y.unit = lines.series[0].name = hostile;
    lines.references = {{hostile, 1}};
    lines.y.numbers.before = hostile;
    auto bars = simple_bars();
    bars.bars[0].label = bars.bars[1].note = bars.values.numbers.after = hostile;
    auto points = simple_points();
    points.labels = {hostile, hostile, hostile};
    points.groups = {0, 0, 0};
    points.group_names = {hostile};
    for (const std::string& svg : {lines.svg(), bars.svg(), points.svg()}) {
        CHECK(markup_reader::fault_of(svg) == "");
        CHECK(svg.find("<script") == std::string::npos);
        CHECK(svg.find('\0') == std::string::npos);
    }
}

TEST_CASE("line_chart: errors name the place", "[report][error]") {
    CHECK(error_of([] { (void)line_chart{}.svg(); }).code() == errc::empty_input);
    const auto refused = [](auto&& change) {
        auto chart = simple_lines();
        change(chart);
        const auto from_numbers = error_of([&] { (void)chart.numbers(); });
        const auto e = error_of([&] { (void)chart.svg(); });
        CHECK(e.code() == from_numbers.code());
        return e;
    };
    const auto nan = refused([](line_chart& c) { c.series[1].y[2] = not_a_number; });
    CHECK(nan.code() == errc::nan_or_inf);
    CHECK(nan.where() == place{.row = 3, .column = 2});
    CHECK(std::string(nan.what()) == "line_chart: y of point 3 is not finite");
    CHECK(refused([](line_chart& c) { c.series[0].x[0] = infinite; }).where() == place{.row = 1, .column = 1});
    CHECK(refused([](line_chart& c) { c.series[0].x[3] = 1e101; }).code() == errc::limit_exceeded);
    const auto shape = refused([](line_chart& c) { c.series[1].y.pop_back(); });
    CHECK(shape.code() == errc::shape_mismatch);
    CHECK(shape.where() == place{.column = 2});
    CHECK(std::string(shape.what()) == "line_chart: series 2 has 4 values of x but 3 of y");
    CHECK(refused([](line_chart& c) { c.series.push_back({}); }).code() == errc::empty_input);
    CHECK(refused([](line_chart& c) { c.series.resize(7, c.series[0]); }).code() == errc::limit_exceeded);
    CHECK(refused([](line_chart& c) { c.y.logarithmic = true; }).code() == errc::bad_data);  // 0 is on it
    CHECK(refused([](line_chart& c) { c.references = {{"r", infinite}}; }).code() == errc::nan_or_inf);
    CHECK(refused([](line_chart& c) { c.references.resize(5); }).code() == errc::limit_exceeded);
    CHECK(refused([](line_chart& c) { c.x.from = not_a_number; }).code() == errc::bad_parameter);
    CHECK(refused([](line_chart& c) { c.x.numbers.decimals = 16; }).code() == errc::bad_parameter);
    for (const double width : {239.0, 2001.0, not_a_number}) CHECK(error_of([&] { (void)simple_lines().svg(width); }).code() == errc::bad_parameter);
}

TEST_CASE("bar_chart and scatter_chart: errors name the place", "[report][error]") {
    CHECK(error_of([] { (void)bar_chart{}.svg(); }).code() == errc::empty_input);
    auto bars = simple_bars();
    bars.bars[1].value = not_a_number;
    CHECK(error_of([&] { (void)bars.svg(); }).where() == place{.row = 2});
    CHECK(error_of([&] { (void)bars.numbers(); }).code() == errc::nan_or_inf);
    bars = simple_bars();
    bars.values.logarithmic = true;
    CHECK(error_of([&] { (void)bars.svg(); }).code() == errc::bad_parameter);
    bars.values.logarithmic = false;
    bars.references.resize(5);
    CHECK(error_of([&] { (void)bars.svg(); }).code() == errc::limit_exceeded);
    bars.references.clear();
    bars.bars.resize(101);
    CHECK(error_of([&] { (void)bars.svg(); }).code() == errc::limit_exceeded);

    CHECK(error_of([] { (void)scatter_chart{}.svg(); }).code() == errc::empty_input);
    const auto refused = [](auto&& change) {
        auto chart = simple_points();
        change(chart);
        return error_of([&] { (void)chart.svg(); });
    };
    CHECK(refused([](scatter_chart& c) { c.y_values.pop_back(); }).code() == errc::shape_mismatch);
    CHECK(refused([](scatter_chart& c) { c.y_values[2] = infinite; }).where() == place{.row = 3});
    CHECK(refused([](scatter_chart& c) { c.sizes = {1, 2, -1}; }).code() == errc::bad_data);
    CHECK(refused([](scatter_chart& c) { c.sizes = {1, 2}; }).code() == errc::shape_mismatch);
    CHECK(refused([](scatter_chart& c) { c.labels = {"a"}; }).code() == errc::shape_mismatch);
    CHECK(refused([](scatter_chart& c) { c.values = {1, not_a_number, 3}; }).where() == place{.row = 2});
    CHECK(refused([](scatter_chart& c) { c.values = {1, 2, 3}, c.value_cuts = {2, 2}; }).code() == errc::bad_parameter);
    CHECK(refused([](scatter_chart& c) { c.values = {1, 2, 3}, c.value_cuts = {1, 2, 3, 4, 5}; }).code() == errc::bad_parameter);
    CHECK(refused([](scatter_chart& c) { c.groups = {0, 0, 1}, c.group_names = {"a"}; }).where() == place{.row = 3});
    CHECK(refused([](scatter_chart& c) { c.groups = {0, 0, 0}, c.group_names = {"a"}, c.values = {1, 2, 3}; }).code() == errc::bad_parameter);
    CHECK(refused([](scatter_chart& c) { c.group_names.resize(7); }).code() == errc::limit_exceeded);
    CHECK(refused([](scatter_chart& c) { c.most_points = 0; }).code() == errc::bad_parameter);
    CHECK(refused([](scatter_chart& c) { c.x.logarithmic = true; }).where() == place{.row = 1});
}
