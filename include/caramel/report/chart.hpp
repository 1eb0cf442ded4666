#ifndef CARAMEL_REPORT_CHART_HPP
#define CARAMEL_REPORT_CHART_HPP

// Charts: values that draw themselves as SVG, to stand in an `html_page`. Series are told apart by colour and by dashes or
// markers; points show their numbers under the mouse; `aria-label` says what a screen reader cannot see.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/report/markup.hpp>
#include <caramel/report/plot.hpp>
#include <caramel/report/table.hpp>

namespace caramel::inline CARAMEL_ABI {

// All throw `error` from `svg`, with the point as `where().row` and the series as `where().column`: `empty_input`,
// `shape_mismatch`, `nan_or_inf`, `bad_data` (not positive on a logarithmic axis), `limit_exceeded`, `bad_parameter`.

/// Points joined by a line, in the order given.
struct line_series {
    std::string name = {};
    std::vector<double> x = {}, y = {};
};

/// Up to six lines over two axes. Lines of more than 1,000 points are drawn by the lowest and the highest of each of 400
/// equal runs, so spikes stay.
struct line_chart {
    std::string title = {};
    std::string description = {};  ///< read out in place of the drawing; empty: the ranges of the series
    chart_axis x = {}, y = {};
    std::vector<line_series> series = {};
    std::vector<chart_reference> references = {};

    /// `<svg>`, `width` units wide (240 .. 2000) and as high as it needs.
    template <class = void>
    [[nodiscard]] std::string svg(double width = 560) const;
    /// What is drawn, as a table: a column a series where all have the same x, else a row a point.
    template <class = void>
    [[nodiscard]] report_table numbers() const;

   private:
    template <class = void>
    void check() const;
    template <class = void>
    [[nodiscard]] std::string spoken() const;
};

/// A bar of a `bar_chart`.
struct chart_bar {
    std::string label = {};
    double value = 0;
    bool emphasis = false;  ///< drawn in the strong colour
    std::string note = {};  ///< shown under the mouse, behind the value
};

/// Up to 100 bars from 0, level (names of any length) or upright (for classes in an order), with their values.
struct bar_chart {
    static constexpr std::size_t most_bars = 100;

    std::string title = {};
    std::string description = {};
    chart_axis values = {};  ///< linear, and 0 is always on it
    std::vector<chart_bar> bars = {};
    std::vector<chart_reference> references = {};  ///< values to compare the bars with, whatever their kind
    bool upright = false;
    std::string labels_title = {};  ///< what the labels are; shown below upright bars, and in the table of numbers

    template <class = void>
    [[nodiscard]] std::string svg(double width = 560) const;
    template <class = void>
    [[nodiscard]] report_table numbers() const;

   private:
    template <class = void>
    void check() const;
    template <class = void>
    [[nodiscard]] std::string spoken() const;
    template <class = void>
    [[nodiscard]] number_style bar_numbers() const;
    template <class = void>
    double draw_level(std::string& out, double top, double width) const;
    template <class = void>
    double draw_upright(std::string& out, double top, double width) const;
};

/// A map of points: (x, y), coloured and shaped by group (up to six) or by value (five steps).
struct scatter_chart {
    std::string title = {};
    std::string description = {};
    chart_axis x = {}, y = {};
    std::vector<double> x_values = {}, y_values = {};
    std::vector<std::size_t> groups = {};  ///< of each point, an index into `group_names`; empty: one group
    std::vector<std::string> group_names = {};
    std::vector<double> values = {};      ///< of each point, for its colour; not together with groups
    chart_axis value = {};                ///< what `values` are, and how they are written
    std::vector<double> value_cuts = {};  ///< where colours change, ascending, up to four; empty: at the quintiles
    std::vector<double> sizes = {};       ///< of each point, not negative; areas grow with them; empty: all alike
    std::string size_title = {};
    std::vector<std::string> labels = {};  ///< of each point, shown under the mouse; or empty
    /// Of more points, one is drawn from each of so many equal runs of rows, always the same ones; the chart says so.
    std::size_t most_points = 2'000;

    template <class = void>
    [[nodiscard]] std::string svg(double width = 560) const;

   private:
    template <class = void>
    void check() const;
    template <class = void>
    [[nodiscard]] std::string spoken(std::size_t shown) const;
    template <class = void>
    [[nodiscard]] std::vector<std::size_t> shown_rows() const;
    template <class = void>
    [[nodiscard]] std::vector<double> colour_cuts() const;
};

namespace detail {

// The rows of a line to draw.
template <class = void>
inline std::vector<std::size_t> drawn_rows(const line_series& line) {
    constexpr std::size_t most = 1'000, runs = 400;
    std::vector<std::size_t> rows;
    const std::size_t n = line.x.size();
    if (n <= most) {
        for (std::size_t i = 0; i < n; ++i) rows.push_back(i);
        return rows;
    }
    rows.push_back(0);
    for (std::size_t run = 0; run < runs; ++run) {
        const auto begin = line.y.begin() + static_cast<std::ptrdiff_t>(run * n / runs),
                   end = line.y.begin() + static_cast<std::ptrdiff_t>((run + 1) * n / runs);
        const auto [lowest, highest] = std::minmax_element(begin, end);
        const auto low = static_cast<std::size_t>(lowest - line.y.begin()), high = static_cast<std::size_t>(highest - line.y.begin());
        rows.push_back(std::min(low, high));
        rows.push_back(std::max(low, high));
    }
    rows.push_back(n - 1);
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

template <class = void>
inline void append_tooltip(std::string& out, std::string_view text) { draw_parts(out, "<title>", html_escape(text), "</title>"); }

inline bool has_markers(const line_series& line) noexcept { return line.x.size() <= 25; }

template <class = void>
inline void draw_series(std::string& out, const line_series& line, std::size_t number, const plot_frame& frame, const line_chart& chart) {
    constexpr std::size_t most_tooltips = 120;
    draw_parts(out, "<path class=\"line ", style_of("s", number), " ", style_of("d", number), "\" d=\"");
    char command = 'M';
    for (const std::size_t i : drawn_rows(line)) {
        draw_parts(out, std::string_view(&command, 1), frame.at_x(line.x[i]), " ", frame.at_y(line.y[i]));
        command = 'L';
    }
    out += "\"/>";
    if (line.x.size() > most_tooltips) return;
    for (std::size_t i = 0; i < line.x.size(); ++i) {
        const double x = frame.at_x(line.x[i]), y = frame.at_y(line.y[i]);
        draw_parts(out, "<g class=\"spot ", style_of("s", number), "\">");
        append_tooltip(out, message(line.name, line.name.empty() ? "" : ": ", number_text(line.x[i], chart.x.numbers), " ", dash, " ",
                                    number_text(line.y[i], chart.y.numbers)));
        if (has_markers(line)) {
            out += "<path class=\"mark\" d=\"";
            append_marker(out, number, x, y, 3.5);
            out += "\"/>";
        }
        draw_parts(out, "<circle class=\"hit\" cx=\"", x, "\" cy=\"", y, "\" r=\"8\"/></g>");
    }
}

}  // namespace detail

// ---- line_chart ------------------------------------------------------------------------------------------------------

template <class>
inline void line_chart::check() const {
    require(!series.empty(), errc::empty_input, "line_chart: no series");
    require(series.size() <= most_chart_series, errc::limit_exceeded, "line_chart: ", series.size(), " series, at most ", most_chart_series,
            " can be told apart");
    detail::require_axis(x, "line_chart");
    detail::require_axis(y, "line_chart");
    detail::require_references(references, "line_chart");
    for (std::size_t s = 0; s < series.size(); ++s) {
        const auto& line = series[s];
        require_at(line.x.size() == line.y.size(), errc::shape_mismatch, {.column = s + 1}, "line_chart: series ", s + 1, " has ", line.x.size(),
                   " values of x but ", line.y.size(), " of y");
        require_at(!line.x.empty(), errc::empty_input, {.column = s + 1}, "line_chart: series ", s + 1, " has no points");
        for (std::size_t i = 0; i < line.x.size(); ++i) {
            detail::require_on_axis(line.x[i], x, {.row = i + 1, .column = s + 1}, "line_chart", "x");
            detail::require_on_axis(line.y[i], y, {.row = i + 1, .column = s + 1}, "line_chart", "y");
        }
    }
    for (std::size_t i = 0; i < references.size(); ++i)
        if (references[i].kind != reference_kind::diagonal)
            detail::require_on_axis(references[i].value, references[i].kind == reference_kind::vertical ? x : y, {.row = i + 1}, "line_chart", "the reference");
}

template <class>
inline std::string line_chart::spoken() const {
    std::string summary;
    for (const auto& line : series) {
        const auto [x_low, x_high] = std::minmax_element(line.x.begin(), line.x.end());
        const auto [y_low, y_high] = std::minmax_element(line.y.begin(), line.y.end());
        summary +=
            detail::message(summary.empty() ? "" : "; ", line.name.empty() ? "the line" : line.name, " runs from ", number_text(line.y.front(), y.numbers),
                            " to ", number_text(line.y.back(), y.numbers), ", between ", number_text(*y_low, y.numbers), " and ",
                            number_text(*y_high, y.numbers), ", over ", number_text(*x_low, x.numbers), " to ", number_text(*x_high, x.numbers));
    }
    return detail::spoken_text(title, description, detail::message("Line chart of ", detail::axis_label(y), " by ", detail::axis_label(x), ": ", summary, "."));
}

template <class>
inline std::string line_chart::svg(double width) const {
    detail::require_width(width, "line_chart");
    check();
    const double height = std::clamp(width / 2, 210.0, 290.0);
    detail::value_range x_range, y_range;
    for (const auto& line : series) {
        for (const double value : line.x) x_range.add(value);
        for (const double value : line.y) y_range.add(value);
    }
    std::vector<detail::legend_entry> entries;
    for (std::size_t s = 0; s < series.size(); ++s)
        if (!series[s].name.empty())
            entries.push_back(
                {series[s].name, detail::has_markers(series[s]) ? detail::legend_entry::symbol::marked_line : detail::legend_entry::symbol::line, s});
    for (std::size_t i = 0; i < references.size(); ++i) {
        const auto& reference = references[i];
        if (reference.kind == reference_kind::vertical) x_range.add(reference.value);
        if (reference.kind == reference_kind::horizontal) y_range.add(reference.value);
        entries.push_back({detail::reference_name(reference, reference.kind == reference_kind::vertical ? x.numbers : y.numbers),
                           detail::legend_entry::symbol::reference, i});
    }
    using ends = detail::axis_scale::ends;
    const detail::axis_scale x_scale(x, x_range, ends::at_data, 6), y_scale(y, y_range, ends::at_ticks, static_cast<std::size_t>(height / 44));
    std::string body;
    const double top = detail::draw_legend(body, entries, 0, width);
    const detail::plot_frame frame(body, width, height, top, x, x_scale, y, y_scale);
    for (std::size_t i = 0; i < references.size(); ++i) {
        const std::string style = "ref " + detail::style_of("r", i);
        const double value = references[i].value;
        switch (references[i].kind) {
            case reference_kind::horizontal:
                detail::draw_line(body, style, frame.left(), frame.at_y(value), frame.right(), frame.at_y(value));
                break;
            case reference_kind::vertical:
                detail::draw_line(body, style, frame.at_x(value), frame.top(), frame.at_x(value), frame.bottom());
                break;
            case reference_kind::diagonal: {
                const double low = std::max(x_scale.low(), y_scale.low()), high = std::min(x_scale.high(), y_scale.high());
                if (low < high) detail::draw_line(body, style, frame.at_x(low), frame.at_y(low), frame.at_x(high), frame.at_y(high));
            }
        }
    }
    for (std::size_t s = 0; s < series.size(); ++s) detail::draw_series(body, series[s], s, frame, *this);
    return detail::finished_drawing("lines", width, frame.end(), spoken(), body);
}

template <class>
inline report_table line_chart::numbers() const {
    check();
    report_table out{.caption = title, .columns = {}, .rows = {}, .emphasis = {}};
    const std::string x_title = detail::axis_label(x).empty() ? "x" : detail::axis_label(x),
                      y_title = detail::axis_label(y).empty() ? "y" : detail::axis_label(y);
    const bool shared_x = std::all_of(series.begin(), series.end(), [this](const line_series& line) { return line.x == series.front().x; });
    if (shared_x) {
        out.columns.push_back({x_title, x.numbers});
        for (const auto& line : series) out.columns.push_back({line.name.empty() ? y_title : line.name, y.numbers});
        for (std::size_t i = 0; i < series.front().x.size(); ++i) {
            out.rows.push_back({series.front().x[i]});
            for (const auto& line : series) out.rows.back().emplace_back(line.y[i]);
        }
    } else {
        out.columns = {{"", {}}, {x_title, x.numbers}, {y_title, y.numbers}};
        for (const auto& line : series)
            for (std::size_t i = 0; i < line.x.size(); ++i) out.rows.push_back({line.name, line.x[i], line.y[i]});
    }
    return out;
}

// ---- bar_chart -------------------------------------------------------------------------------------------------------

template <class>
inline void bar_chart::check() const {
    require(!bars.empty(), errc::empty_input, "bar_chart: no bars");
    require(bars.size() <= most_bars, errc::limit_exceeded, "bar_chart: ", bars.size(), " bars, at most ", most_bars, " are drawn");
    require(!values.logarithmic, errc::bad_parameter, "bar_chart: the axis is logarithmic; bars begin at 0, which such an axis does not have");
    detail::require_axis(values, "bar_chart");
    detail::require_references(references, "bar_chart");
    for (std::size_t i = 0; i < bars.size(); ++i) detail::require_chart_value(bars[i].value, {.row = i + 1}, "bar_chart", "the value");
    for (std::size_t i = 0; i < references.size(); ++i) detail::require_chart_value(references[i].value, {.row = i + 1}, "bar_chart", "the reference");
}

// All bars with as many decimals as one of them needs.
template <class>
inline number_style bar_chart::bar_numbers() const {
    number_style style = values.numbers;
    if (style.decimals >= 0) return style;
    int most = 0;
    for (const auto& bar : bars) {
        const double shown = style.percent ? 100 * bar.value : bar.value;
        most = std::max(most, detail::is_plain(shown) ? detail::decimals_needed(shown) : 0);
    }
    if (most > 0) style.decimals = most;
    return style;
}

template <class>
inline std::string bar_chart::spoken() const {
    const auto style = bar_numbers();
    std::string summary;
    for (const auto& bar : bars) summary += detail::message(summary.empty() ? "" : "; ", bar.label, " ", number_text(bar.value, style));
    for (const auto& reference : references) summary += "; " + detail::reference_name(reference, values.numbers);
    return detail::spoken_text(title, description, detail::message("Bar chart of ", detail::axis_label(values), ": ", summary, "."));
}

template <class>
inline std::string bar_chart::svg(double width) const {
    detail::require_width(width, "bar_chart");
    check();
    std::vector<detail::legend_entry> entries;
    for (std::size_t i = 0; i < references.size(); ++i)
        entries.push_back({detail::reference_name({references[i].name, references[i].value}, values.numbers), detail::legend_entry::symbol::reference, i});
    std::string body;
    const double top = detail::draw_legend(body, entries, 0, width);
    const double end = upright ? draw_upright(body, top, width) : draw_level(body, top, width);
    return detail::finished_drawing("bars", width, end, spoken(), body);
}

namespace detail {

template <class = void>
inline value_range range_of_bars(const bar_chart& chart) {
    value_range out;
    out.add(0);
    for (const auto& bar : chart.bars) out.add(bar.value);
    for (const auto& reference : chart.references) out.add(reference.value);
    if (out.low == out.high) out.add(1);  // nothing but zeros
    return out;
}
template <class = void>
inline void draw_bar(std::string& out, const chart_bar& bar, std::string_view value, double x, double y, double width, double height) {
    draw_parts(out, "<g class=\"spot\">");
    append_tooltip(out, message(bar.label, bar.label.empty() ? "" : ": ", value, bar.note.empty() ? "" : " ", bar.note.empty() ? "" : dash,
                                bar.note.empty() ? "" : " ", bar.note));
    draw_parts(out, "<rect class=\"", bar.emphasis ? "bar strong" : "bar", "\" x=\"", x, "\" y=\"", y, "\" width=\"", width, "\" height=\"", height,
               "\" rx=\"2\"/></g>");
}

}  // namespace detail

template <class>
inline double bar_chart::draw_level(std::string& out, double top, double width) const {
    const auto style = bar_numbers();
    std::vector<std::string> texts;
    double label_width = 0, value_width = 0;
    bool any_negative = false;
    for (const auto& bar : bars) {
        texts.push_back(number_text(bar.value, style));
        label_width = std::max(label_width, detail::text_width(bar.label));
        value_width = std::max(value_width, detail::text_width(texts.back(), detail::bold_size));
        any_negative = any_negative || bar.value < 0;
    }
    const bool stacked = label_width > 0.4 * width;  // too long to stand beside the bars: each above its own
    const double room = 220 / static_cast<double>(bars.size());
    const double row_height = stacked ? std::clamp(room, 46.0, 60.0) : std::clamp(room, 30.0, 50.0), bar_height = stacked ? row_height - 26 : 0.64 * row_height;
    const detail::axis_scale scale(values, detail::range_of_bars(*this), detail::axis_scale::ends::at_data, 5);
    const bool in_column = !references.empty();  // of values, at the right, where no line runs through them
    const double right = width - value_width - (in_column ? 14 : 8);
    const double left = std::max((stacked ? 0 : label_width + 10) + (any_negative && !in_column ? value_width + 8 : 0), 8.0);
    const auto at = [&](double value) { return left + scale(value) * (right - left); };
    const double bottom = top + row_height * static_cast<double>(bars.size());
    std::vector<detail::axis_tick> ticks;
    for (std::size_t most = 6; most > 0; --most) {
        ticks = scale.ticks(most);
        bool fits = true;
        for (std::size_t i = 1; i < ticks.size(); ++i) fits = fits && at(ticks[i].value) - at(ticks[i - 1].value) >= detail::text_width(ticks[i].text) + 10;
        if (fits) break;
    }
    // A line across the bars, which spares the names above them.
    const auto across = [&](std::string_view line_style, double value) {
        if (!stacked) return detail::draw_line(out, line_style, at(value), top, at(value), bottom);
        for (std::size_t i = 0; i < bars.size(); ++i) {
            const double y = top + row_height * static_cast<double>(i) + 18;
            detail::draw_line(out, line_style, at(value), y, at(value), y + bar_height + 4);
        }
    };
    for (const auto& t : ticks) {
        across("grid", t.value);
        detail::draw_text(out, std::max(at(t.value), detail::text_width(t.text) / 2), bottom + 16, "middle", "tick", t.text);
    }
    for (std::size_t i = 0; i < bars.size(); ++i) {
        const double y = top + row_height * static_cast<double>(i) + (stacked ? 20 : (row_height - bar_height) / 2);
        const double from = std::min(at(0), at(bars[i].value)), to = std::max(at(0), at(bars[i].value));
        if (stacked) detail::draw_text(out, any_negative ? 0 : left, y - 6, "start", "name", detail::fitted_text(bars[i].label, width - left));
        else detail::draw_text(out, label_width, y + bar_height / 2 + 4, "end", "name", bars[i].label);
        detail::draw_bar(out, bars[i], texts[i], from, y, to - from, bar_height);
        if (in_column) detail::draw_text(out, width, y + bar_height / 2 + 4, "end", "value", texts[i]);
        else if (bars[i].value < 0) detail::draw_text(out, from - 6, y + bar_height / 2 + 4, "end", "value", texts[i]);
        else detail::draw_text(out, to + 6, y + bar_height / 2 + 4, "start", "value", texts[i]);
    }
    across("axis", 0);
    for (std::size_t i = 0; i < references.size(); ++i) across("ref " + detail::style_of("r", i), references[i].value);
    return detail::draw_title(out, detail::axis_label(values), (left + right) / 2, bottom + 22, width);
}

template <class>
inline double bar_chart::draw_upright(std::string& out, double top, double width) const {
    const auto style = bar_numbers();
    const double height = std::clamp(width / 2, 210.0, 290.0) - 30;
    const detail::axis_scale scale(values, detail::range_of_bars(*this), detail::axis_scale::ends::at_ticks, static_cast<std::size_t>(height / 44));
    const auto ticks = scale.ticks(static_cast<std::size_t>(height / 44));
    double tick_width = 12;
    for (const auto& t : ticks) tick_width = std::max(tick_width, detail::text_width(t.text));
    const double left = tick_width + 8, right = width - 2, band = (right - left) / static_cast<double>(bars.size());
    for (const auto& line : detail::wrapped_text(detail::axis_label(values), width, 2, detail::bold_size)) {
        detail::draw_text(out, 0, top + 12, "start", "axis-title", line);
        top += detail::letter_height;
    }
    top += 18;  // room for a value above the highest bar
    const double bottom = top + height;
    const auto at = [&](double value) { return bottom - scale(value) * height; };
    for (const auto& t : ticks) {
        detail::draw_line(out, "grid", left, at(t.value), right, at(t.value));
        detail::draw_text(out, left - 8, at(t.value) + 4, "end", "tick", t.text);
    }
    double widest_value = 0, widest_label = 0;
    for (const auto& bar : bars) {
        widest_value = std::max(widest_value, detail::text_width(number_text(bar.value, style), detail::bold_size));
        widest_label = std::max(widest_label, detail::text_width(bar.label));
    }
    widest_label = std::min(widest_label, width / 3);
    const auto stride = static_cast<std::size_t>(std::ceil((widest_label + 8) / band));  // so many bars share a label's room
    const bool any_negative = detail::range_of_bars(*this).low < 0;
    for (std::size_t i = 0; i < bars.size(); ++i) {
        const double middle = left + band * (static_cast<double>(i) + 0.5), bar_width = std::min(0.8 * band, 60.0);
        const double from = std::min(at(0), at(bars[i].value)), to = std::max(at(0), at(bars[i].value));
        const std::string value = number_text(bars[i].value, style);
        detail::draw_bar(out, bars[i], value, middle - bar_width / 2, from, bar_width, to - from);
        if (widest_value <= band - 2) detail::draw_text(out, middle, bars[i].value < 0 ? to + 14 : from - 5, "middle", "value", value);
        if (i % stride == 0) {
            const std::string label = detail::fitted_text(bars[i].label, widest_label + 1);
            const double half = detail::text_width(label) / 2;
            detail::draw_text(out, std::clamp(middle, std::min(half, width / 2), std::max(width - half, width / 2)), bottom + (any_negative ? 32 : 18),
                              "middle", "tick", label);
        }
    }
    detail::draw_line(out, "axis", left, at(0), right, at(0));
    for (std::size_t i = 0; i < references.size(); ++i)
        detail::draw_line(out, "ref " + detail::style_of("r", i), left, at(references[i].value), right, at(references[i].value));
    return detail::draw_title(out, labels_title, (left + right) / 2, bottom + (any_negative ? 38 : 24), width);
}

template <class>
inline report_table bar_chart::numbers() const {
    check();
    report_table out{.caption = title,
                     .columns = {{labels_title, {}}, {detail::axis_label(values).empty() ? title : detail::axis_label(values), values.numbers}},
                     .rows = {},
                     .emphasis = {}};
    for (const auto& bar : bars) out.rows.push_back({bar.label, bar.value});
    for (const auto& reference : references) out.rows.push_back({reference.name, reference.value});
    return out;
}

// ---- scatter_chart ---------------------------------------------------------------------------------------------------

template <class>
inline void scatter_chart::check() const {
    const std::size_t n = x_values.size();
    require(y_values.size() == n, errc::shape_mismatch, "scatter_chart: ", n, " values of x but ", y_values.size(), " of y");
    require(n > 0, errc::empty_input, "scatter_chart: no points");
    require(most_points >= 1 && most_points <= 20'000, errc::bad_parameter, "scatter_chart: most_points = ", most_points, ", must lie in 1 .. 20000");
    require(groups.empty() || values.empty(), errc::bad_parameter, "scatter_chart: points are coloured by group or by value, not by both");
    require(group_names.size() <= most_chart_series, errc::limit_exceeded, "scatter_chart: ", group_names.size(), " groups, at most ", most_chart_series,
            " can be told apart");
    require(value_cuts.size() <= 4 && std::all_of(value_cuts.begin(), value_cuts.end(), [](double c) { return std::isfinite(c); }) &&
                std::adjacent_find(value_cuts.begin(), value_cuts.end(), [](double a, double b) { return a >= b; }) == value_cuts.end(),
            errc::bad_parameter, "scatter_chart: value_cuts must be finite, ascending and at most 4; there are ", value_cuts.size());
    detail::require_axis(x, "scatter_chart");
    detail::require_axis(y, "scatter_chart");
    detail::require_axis(value, "scatter_chart");
    const auto fits = [n](std::size_t size, std::string_view what) {
        require(size == 0 || size == n, errc::shape_mismatch, "scatter_chart: ", n, " points but ", size, " ", what);
    };
    fits(groups.size(), "groups");
    fits(values.size(), "values");
    fits(sizes.size(), "sizes");
    fits(labels.size(), "labels");
    for (std::size_t i = 0; i < n; ++i) {
        const place where{.row = i + 1};
        detail::require_on_axis(x_values[i], x, where, "scatter_chart", "x");
        detail::require_on_axis(y_values[i], y, where, "scatter_chart", "y");
        if (!values.empty()) detail::require_chart_value(values[i], where, "scatter_chart", "the value");
        if (!sizes.empty()) {
            detail::require_chart_value(sizes[i], where, "scatter_chart", "the size");
            require_at(sizes[i] >= 0, errc::bad_data, where, "scatter_chart: the size of point ", i + 1, " is negative");
        }
        if (!groups.empty())
            require_at(groups[i] < group_names.size(), errc::bad_data, where, "scatter_chart: point ", i + 1, " is of group ", groups[i], ", there are ",
                       group_names.size(), " names");
    }
}

template <class>
inline std::vector<std::size_t> scatter_chart::shown_rows() const {
    const std::size_t n = x_values.size(), shown = std::min(n, most_points);
    std::vector<std::size_t> rows(shown);
    rng random(0);
    for (std::size_t i = 0; i < shown; ++i) {
        const std::size_t begin = i * n / shown, end = (i + 1) * n / shown;
        rows[i] = begin + random.below(end - begin);
    }
    return rows;
}

template <class>
inline std::vector<double> scatter_chart::colour_cuts() const {
    if (!value_cuts.empty() || values.empty()) return value_cuts;
    auto sorted = values;
    std::sort(sorted.begin(), sorted.end());
    std::vector<double> cuts;
    for (std::size_t k = 1; k < 5; ++k)
        if (const double cut = sorted[k * sorted.size() / 5]; cut > (cuts.empty() ? sorted.front() : cuts.back())) cuts.push_back(cut);
    return cuts;
}

template <class>
inline std::string scatter_chart::spoken(std::size_t shown) const {
    const auto [x_low, x_high] = std::minmax_element(x_values.begin(), x_values.end());
    const auto [y_low, y_high] = std::minmax_element(y_values.begin(), y_values.end());
    return detail::spoken_text(title, description,
                               detail::message("Map of ", number_text(static_cast<double>(shown)), " points: ", detail::axis_label(x), " from ",
                                               number_text(*x_low, x.numbers), " to ", number_text(*x_high, x.numbers), ", ", detail::axis_label(y), " from ",
                                               number_text(*y_low, y.numbers), " to ", number_text(*y_high, y.numbers), "."));
}

namespace detail {

// The step of colour, of the five that there are, for the k-th of `steps` ranges of values.
inline std::size_t colour_step(std::size_t k, std::size_t steps) noexcept { return steps == 1 ? 2 : k * 4 / (steps - 1); }

template <class = void>
inline void draw_point(std::string& out, std::string_view style, std::size_t marker, double x, double y, double radius, std::string_view label) {
    const bool is_circle = marker == 0;
    draw_parts(out, is_circle ? "<circle" : "<path", " class=\"point ", style, "\" ");
    if (is_circle) {
        draw_parts(out, "cx=\"", x, "\" cy=\"", y, "\" r=\"", radius, "\"");
    } else {
        out += "d=\"";
        append_marker(out, marker, x, y, radius);
        out += '"';
    }
    if (label.empty()) {
        out += "/>";
        return;
    }
    out += '>';
    append_tooltip(out, label);
    out += is_circle ? "</circle>" : "</path>";
}

template <class = void>
inline std::vector<legend_entry> legend_of(const scatter_chart& chart, const std::vector<double>& cuts) {
    std::vector<legend_entry> out;
    for (std::size_t g = 0; g < chart.group_names.size(); ++g) out.push_back({chart.group_names[g], legend_entry::symbol::marker, g});
    if (chart.values.empty()) return out;
    if (cuts.empty()) out.push_back({number_text(chart.values.front(), chart.value.numbers), legend_entry::symbol::step, colour_step(0, 1)});
    if (cuts.empty()) return out;
    for (std::size_t k = 0; k <= cuts.size(); ++k) {
        const auto text = [&](std::size_t cut) { return number_text(cuts[cut], chart.value.numbers); };
        out.push_back({k == 0             ? message("< ", text(0))
                       : k == cuts.size() ? message("\xE2\x89\xA5 ", text(k - 1))
                                          : message(text(k - 1), " ", dash, " ", text(k)),
                       legend_entry::symbol::step, colour_step(k, cuts.size() + 1)});
    }
    return out;
}

}  // namespace detail

template <class>
inline std::string scatter_chart::svg(double width) const {
    detail::require_width(width, "scatter_chart");
    check();
    const double height = std::clamp(0.62 * width, 250.0, 420.0);
    const auto rows = shown_rows();
    const auto cuts = colour_cuts();
    detail::value_range x_range, y_range;
    double largest = 0;
    for (std::size_t i = 0; i < x_values.size(); ++i) {
        x_range.add(x_values[i]);
        y_range.add(y_values[i]);
        if (!sizes.empty()) largest = std::max(largest, sizes[i]);
    }
    const detail::axis_scale x_scale(x, x_range, detail::axis_scale::ends::at_ticks, 6),
        y_scale(y, y_range, detail::axis_scale::ends::at_ticks, static_cast<std::size_t>(height / 44));
    std::string body;
    double top = 0;
    if (!values.empty())
        for (const auto& line : detail::wrapped_text(detail::axis_label(value), width, 2, detail::bold_size)) {
            detail::draw_text(body, 0, top + 12, "start", "axis-title", line);
            top += detail::letter_height + 4;
        }
    top = detail::draw_legend(body, detail::legend_of(*this, cuts), top, width);
    const detail::plot_frame frame(body, width, height, top, x, x_scale, y, y_scale);
    for (const std::size_t i : rows) {
        const std::size_t group = groups.empty() ? 0 : groups[i];
        const auto step = static_cast<std::size_t>(std::upper_bound(cuts.begin(), cuts.end(), values.empty() ? 0 : values[i]) - cuts.begin());
        const std::size_t colour = detail::colour_step(step, cuts.size() + 1);  // told by the shape, too
        const std::string style = values.empty() ? detail::style_of("s", group) : detail::style_of("v", colour);
        const double radius = sizes.empty() ? 3.2 : 2 + 7 * std::sqrt(largest > 0 ? sizes[i] / largest : 0);
        detail::draw_point(body, style, values.empty() ? group : colour, frame.at_x(x_values[i]), frame.at_y(y_values[i]), radius, labels.empty() ? std::string_view() : labels[i]);
    }
    std::string note;
    if (rows.size() < x_values.size())
        note = detail::message(number_text(static_cast<double>(rows.size())), " of ", number_text(static_cast<double>(x_values.size())), " points are shown.");
    if (!sizes.empty() && !size_title.empty()) note += detail::message(note.empty() ? "" : " ", "The larger, the more ", size_title, ".");
    double end = frame.end();
    for (const auto& line : detail::wrapped_text(note, width, 3)) {
        detail::draw_text(body, 0, end + 14, "start", "tick", line);
        end += detail::letter_height;
    }
    return detail::finished_drawing("points", width, end + 4, spoken(rows.size()), body);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
