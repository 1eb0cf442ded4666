#ifndef CARAMEL_REPORT_PLOT_HPP
#define CARAMEL_REPORT_PLOT_HPP

// What charts are drawn with: scales and their ticks, texts that fit, legends, markers. Drawings are SVG whose colours are
// left to the style sheet of the page (report/page.hpp), so that they follow its light and dark themes.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/report/markup.hpp>

namespace caramel::inline CARAMEL_ABI {

/// An axis of a chart: what it shows, in which unit, and how its numbers are written.
struct chart_axis {
    std::string title = {};
    std::string unit = {};            ///< written behind the title: "Spend (£)"
    number_style numbers = {};        ///< with 0 decimals: ticks at whole numbers only
    std::optional<double> from = {};  ///< the axis begins here, or lower if the data do
    std::optional<double> to = {};    ///< the axis ends here, or higher if the data do
    bool logarithmic = false;         ///< all values must be positive
};

/// A line to compare with: level at a value of y, upright at a value of x, or from corner to corner where y = x.
enum class reference_kind : std::uint8_t { horizontal, vertical, diagonal };
/// Such a line: its name, its place, its kind.
struct chart_reference {
    std::string name = {};
    double value = 0;  ///< where it stands; a diagonal has none
    reference_kind kind = reference_kind::horizontal;
};

/// Series of lines, or groups of points, that one chart can tell apart.
inline constexpr std::size_t most_chart_series = 6;
/// Lines to compare with, in one chart.
inline constexpr std::size_t most_chart_references = 4;
/// Values beyond this size are refused; a spread below 1 / it counts as none.
inline constexpr double largest_chart_value = 1e100;

namespace detail {

inline constexpr double tick_size = 12;        // of letters, in units of the drawing: pixels, unless the page scales it
inline constexpr double bold_size = 13.4;      // what bold letters take as if they were plain ones
inline constexpr double letter_height = 16.0;  // from line to line

template <class = void>
inline void append_coordinate(std::string& out, double x) {
    char digits[128];
    char* end = std::to_chars(digits, digits + sizeof digits, x, std::chars_format::fixed, 1).ptr;
    if (end[-1] == '0') end -= 2;
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    out += text == "-0" ? "0" : text;
}

// `draw_parts(out, "<rect x=\"", 1.5, "\"/>")`: texts as they are, numbers as coordinates.
template <class... Parts>
void draw_parts(std::string& out, const Parts&... parts) {
    const auto append = [&out](const auto& part) {
        if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(part)>>) append_coordinate(out, static_cast<double>(part));
        else out += std::string_view(part);
    };
    (append(parts), ...);
}

// ---- texts -----------------------------------------------------------------------------------------------------------

// A little more than what a character takes in the widest of the usual sans-serif faces: nothing that fits is cut off.
inline double character_width(char32_t c) noexcept {
    if (c < 0x80) {
        const std::string_view narrow = "ijlI.,:;'|!()[] /", wide = "mwMW%@+=<>";
        const char ascii = static_cast<char>(c);
        if (narrow.find(ascii) != std::string_view::npos) return 0.38;
        if (wide.find(ascii) != std::string_view::npos) return 1;
        return (c >= 'A' && c <= 'Z') ? 0.74 : 0.64;
    }
    if (c == 0xA0) return 0.32;
    if (c >= 0x300 && c < 0x370) return 0;
    if (c >= 0x2190 && c < 0x2300) return 0.9;  // arrows, and signs such as minus
    return c < 0x1100 || (c >= 0x1E00 && c < 0x2E80) ? 0.7 : 1.05;
}
template <class = void>
inline double text_width(std::string_view text, double size = tick_size) noexcept {
    double sum = 0;
    for_each_character(text, [&sum](char32_t c, std::string_view) { sum += character_width(c); });
    return sum * size;
}
// The text, or as much of its beginning as fits, with an ellipsis.
template <class = void>
inline std::string fitted_text(std::string_view text, double width, double size = tick_size) {
    if (text_width(text, size) <= width) return std::string(text);
    double left = width / size - 1;
    std::string out;
    for_each_character(text, [&](char32_t c, std::string_view bytes) {
        left -= character_width(c);
        if (left >= 0) out += bytes;
    });
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out += ellipsis;
}
// The text in lines that fit, broken at spaces; what is left over at the end of the last line is cut off.
template <class = void>
inline std::vector<std::string> wrapped_text(std::string_view text, double width, std::size_t most_lines, double size = tick_size) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        std::size_t cut = text.size();
        if (lines.size() + 1 < most_lines)
            while (cut != std::string_view::npos && text_width(text.substr(0, cut), size) > width)
                cut = cut == 0 ? std::string_view::npos : text.rfind(' ', cut - 1);
        if (cut == std::string_view::npos || cut == 0) cut = static_cast<std::size_t>(std::find(text.begin() + 1, text.end(), ' ') - text.begin());
        lines.push_back(fitted_text(text.substr(0, cut), width, size));
        text.remove_prefix(std::min(text.size(), cut + 1));
    }
    return lines;
}

template <class = void>
inline void draw_text(std::string& out, double x, double y, std::string_view anchor, std::string_view style, std::string_view text) {
    draw_parts(out, "<text class=\"", style, "\" x=\"", x, "\" y=\"", y, "\"");
    if (anchor != "start") draw_parts(out, " text-anchor=\"", anchor, "\"");
    draw_parts(out, ">", html_escape(text), "</text>");
}
template <class = void>
inline void draw_line(std::string& out, std::string_view style, double x_from, double y_from, double x_to, double y_to) {
    draw_parts(out, "<path class=\"", style, "\" d=\"M", x_from, " ", y_from, "L", x_to, " ", y_to, "\"/>");
}

// A title below a drawing, about `middle` as far as the width allows; returns where it ends.
template <class = void>
inline double draw_title(std::string& out, std::string_view title, double middle, double top, double width) {
    for (const auto& line : wrapped_text(title, width, 3, bold_size)) {
        const double half = text_width(line, bold_size) / 2;
        draw_text(out, std::clamp(middle, std::min(half, width / 2), std::max(width - half, width / 2)), top + 13, "middle", "axis-title", line);
        top += letter_height;
    }
    return top + 4;
}

// ---- scales and ticks ------------------------------------------------------------------------------------------------

struct value_range {
    double low = 0, high = 0;
    bool is_empty = true;

    void add(double x) noexcept {
        low = is_empty ? x : std::min(low, x);
        high = is_empty ? x : std::max(high, x);
        is_empty = false;
    }
};

// The smallest of 1, 2, 2.5, 5 times a power of ten that is at least `least` and that the numbers of the axis can write.
template <class = void>
inline double nice_step(double least, const number_style& numbers) {
    const int exponent = decimal_exponent(least);
    const double unit = power_of_ten(numbers.decimals) * (numbers.percent ? 100 : 1);
    double step = least;
    for (int e = exponent; e < exponent + 20; ++e)
        for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
            step = e < 0 ? factor / power_of_ten(-e) : factor * power_of_ten(e);
            const bool writable = numbers.decimals < 0 || std::abs(step * unit - std::round(step * unit)) < 1e-9 * step * unit;
            if (step >= least * (1 - 1e-12) && writable) return step;
        }
    return step;
}

struct axis_tick {
    double value;
    std::string text;
};

// Maps values to 0 .. 1 along an axis.
class axis_scale {
   public:
    enum class ends : std::uint8_t { at_data, at_ticks };

    template <class = void>
    axis_scale(const chart_axis& axis, value_range data, ends where, std::size_t about) : axis_(axis) {
        if (axis.from) data.add(*axis.from);
        if (axis.to) data.add(*axis.to);
        if (axis.logarithmic) set_decades(data);
        else set_range(axis, data, where, about);
    }
    [[nodiscard]] double operator()(double value) const noexcept {
        return axis_.logarithmic ? (std::log10(value) - std::log10(low_)) / (std::log10(high_) - std::log10(low_)) : (value - low_) / (high_ - low_);
    }
    [[nodiscard]] double low() const noexcept { return low_; }
    [[nodiscard]] double high() const noexcept { return high_; }

    // At most about `most` of them, at round values.
    template <class = void>
    [[nodiscard]] std::vector<axis_tick> ticks(std::size_t most) const {
        std::vector<axis_tick> out;
        if (axis_.logarithmic) {
            for (const double value : decades(most)) out.push_back({value, number_text(value, axis_.numbers)});
            return out;
        }
        const double intervals = static_cast<double>(std::max<std::size_t>(most, 1));
        const double step = step_ > 0 && (high_ - low_) / step_ <= intervals + 2 ? step_ : nice_step((high_ - low_) / intervals, axis_.numbers);
        const double size = std::max(std::abs(low_), std::abs(high_)), shown = axis_.numbers.percent ? 100 : 1;
        const auto [style, divisor] = style_for(step);
        const bool scientific = style.decimals < 0 || size * shown < smallest_plain_number;
        const double slack = 1e-9 * (high_ - low_);
        for (double i = std::ceil((low_ - slack) / step); i * step <= high_ + slack; ++i) {
            const double value = i * step;
            if (scientific) out.push_back({value, styled_number(value < 0, scientific_digits_of(value * shown, digits_apart(size, step)), style)});
            else out.push_back({value, number_text(value / divisor, style)});
        }
        return out;
    }

   private:
    static constexpr double smallest_spread = 1e-12;  // of the values' size: below it, ticks would all read the same

    template <class = void>
    void set_range(const chart_axis& axis, const value_range& data, ends where, std::size_t about) {
        low_ = data.low;
        high_ = data.high;
        if (!(high_ - low_ > std::max(1 / largest_chart_value, smallest_spread * std::max(std::abs(low_), std::abs(high_))))) {
            const double size = std::max(std::abs(low_), std::abs(high_));  // all the same: put it into the middle
            const double margin = size > 1 / largest_chart_value ? size / 2 : 1;
            if (!(axis.from && *axis.from >= low_)) low_ -= margin;
            high_ += margin;
        }
        if (where == ends::at_data) return;
        const double step = step_ = nice_step((high_ - low_) / static_cast<double>(std::max<std::size_t>(about, 1)), axis.numbers);
        if (!(axis.from && *axis.from <= low_)) low_ = std::floor(low_ / step + 1e-9) * step;
        if (!(axis.to && *axis.to >= high_)) high_ = std::ceil(high_ / step - 1e-9) * step;
    }

    // 1, 2, 5 times a power of ten around the data.
    template <class = void>
    void set_decades(const value_range& data) {
        low_ = power(decimal_exponent(data.low));
        high_ = power(decimal_exponent(data.high));
        low_ *= data.low >= 5 * low_ ? 5 : data.low >= 2 * low_ ? 2 : 1;
        if (high_ < data.high) high_ *= data.high <= 2 * high_ ? 2 : data.high <= 5 * high_ ? 5 : 10;
        if (low_ == high_) high_ *= 10;
    }
    template <class = void>
    [[nodiscard]] std::vector<double> decades(std::size_t most) const {
        const int from = decimal_exponent(low_), to = decimal_exponent(high_);
        const auto collect = [&](const auto& factors, int stride) {
            std::vector<double> out;
            for (int e = from - ((from % stride) + stride) % stride; e <= to; e += stride)
                for (const double factor : factors)
                    if (const double value = factor * power(e); value >= low_ * (1 - 1e-9) && value <= high_ * (1 + 1e-9)) out.push_back(value);
            return out;
        };
        auto out = collect(std::array{1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0}, 1);
        if (out.size() > most) out = collect(std::array{1.0, 2.0, 5.0}, 1);
        if (out.size() > most) out = collect(std::array{1.0, 3.0}, 1);
        for (const int stride : {1, 2, 3, 5, 10, 20, 50, 100})
            if (out.size() > most) out = collect(std::array{1.0}, stride);
        return out;
    }
    static double power(int e) noexcept { return e < 0 ? 1 / power_of_ten(-e) : power_of_ten(e); }

    // All ticks alike: as many decimals as the step needs (which the numbers of the axis can write), and millions as "1.2 M".
    template <class = void>
    [[nodiscard]] std::pair<number_style, double> style_for(double step) const {
        number_style style = axis_.numbers;
        const double size = std::max(std::abs(low_), std::abs(high_)) * (style.percent ? 100 : 1);
        double divisor = 1;
        for (const auto& [least, suffix] : {std::pair{1e9, "bn"}, std::pair{1e6, "M"}})
            if (style.grouped && !style.percent && divisor == 1 && size >= least && size < largest_plain_number && decimals_of_step(step / least) <= 2) {
                divisor = least;
                style.after = std::string(no_break_space) + suffix + style.after;
            }
        style.decimals = -1;
        if (size < largest_plain_number) {
            const int decimals = decimals_of_step(step / divisor * (style.percent ? 100 : 1));
            if (decimals < most_tick_decimals) style.decimals = decimals;
        }
        return {std::move(style), divisor};
    }
    // The decimals of a mantissa that ticks need to differ.
    template <class = void>
    static int digits_apart(double size, double step) { return std::clamp(decimal_exponent(size) - decimal_exponent(step) + 1, 0, 15); }
    static constexpr int most_tick_decimals = 12;
    static int decimals_of_step(double step) noexcept {
        int decimals = 0;
        for (; decimals < most_tick_decimals && std::abs(step - std::round(step)) > 1e-6 * step; ++decimals) step *= 10;
        return decimals;
    }

    const chart_axis& axis_;
    double low_ = 0, high_ = 1;
    double step_ = 0;  // between the ticks at which the axis ends, if it does
};

// ---- what charts have in common --------------------------------------------------------------------------------------

template <class = void>
inline std::string axis_label(const chart_axis& axis) {
    std::string out = axis.title;
    if (!axis.unit.empty()) out += (out.empty() ? "" : " (") + axis.unit + (out.empty() ? "" : ")");
    return out;
}

template <class = void>
inline void require_chart_value(double value, const place& where, std::string_view who, std::string_view what) {
    require_at(std::isfinite(value), errc::nan_or_inf, where, who, ": ", what, " of point ", where.row, " is not finite");
    require_at(std::abs(value) <= largest_chart_value, errc::limit_exceeded, where, who, ": ", what, " of point ", where.row, " is beyond 1e100");
}
template <class = void>
inline void require_axis(const chart_axis& axis, std::string_view who) {
    for (const auto& end : {axis.from, axis.to}) {
        if (!end) continue;
        require(std::isfinite(*end) && std::abs(*end) <= largest_chart_value, errc::bad_parameter, who,
                ": an axis begins or ends at what is not finite or beyond 1e100");
        require(!axis.logarithmic || *end >= 1 / largest_chart_value, errc::bad_parameter, who, ": a logarithmic axis begins or ends at ", *end,
                ", must be at least 1e-100");
    }
    require(axis.numbers.decimals >= -1 && axis.numbers.decimals <= 15, errc::bad_parameter, who, ": decimals = ", axis.numbers.decimals,
            ", must lie in -1 .. 15");
}
template <class = void>
inline void require_on_axis(double value, const chart_axis& axis, const place& where, std::string_view who, std::string_view what) {
    require_chart_value(value, where, who, what);
    require_at(!axis.logarithmic || value >= 1 / largest_chart_value, errc::bad_data, where, who, ": ", what, " of point ", where.row,
               " is not positive, its axis is logarithmic");
}
template <class = void>
inline void require_references(const std::vector<chart_reference>& references, std::string_view who) {
    require(references.size() <= most_chart_references, errc::limit_exceeded, who, ": ", references.size(), " references, at most ", most_chart_references,
            " can be told apart");
}
inline void require_width(double width, std::string_view who) {
    require(width >= 240 && width <= 2000, errc::bad_parameter, who, ": width = ", width, ", must lie in 240 .. 2000");
}

// The n-th marker, from 0: circle, square, triangle, diamond, triangle upside down, cross.
template <class = void>
inline void append_marker(std::string& out, std::size_t n, double x, double y, double r) {
    switch (n % most_chart_series) {
        case 0:
            draw_parts(out, "M", x - r, " ", y, "a", r, " ", r, " 0 1 0 ", 2 * r, " 0a", r, " ", r, " 0 1 0 ", -2 * r, " 0z");
            break;
        case 1:
            draw_parts(out, "M", x - .9 * r, " ", y - .9 * r, "h", 1.8 * r, "v", 1.8 * r, "h", -1.8 * r, "z");
            break;
        case 2:
            draw_parts(out, "M", x, " ", y - 1.15 * r, "l", 1.1 * r, " ", 2 * r, "h", -2.2 * r, "z");
            break;
        case 3:
            draw_parts(out, "M", x, " ", y - 1.3 * r, "l", 1.3 * r, " ", 1.3 * r, "l", -1.3 * r, " ", 1.3 * r, "l", -1.3 * r, " ", -1.3 * r, "z");
            break;
        case 4:
            draw_parts(out, "M", x, " ", y + 1.15 * r, "l", 1.1 * r, " ", -2 * r, "h", -2.2 * r, "z");
            break;
        default:
            draw_parts(out, "M", x - .4 * r, " ", y - 1.2 * r, "h", .8 * r, "v", .8 * r, "h", .8 * r, "v", .8 * r, "h", -.8 * r, "v", .8 * r, "h", -.8 * r, "v",
                       -.8 * r, "h", -.8 * r, "v", -.8 * r, "h", .8 * r, "z");
    }
}

struct legend_entry {
    enum class symbol : std::uint8_t { line, marked_line, reference, marker, step };
    std::string name;
    symbol drawn;
    std::size_t number;  // of the series, the reference, the group or the step of colour; from 0
};

template <class = void>
inline std::string style_of(std::string_view prefix, std::size_t n) { return message(prefix, n + 1); }

template <class = void>
inline void draw_symbol(std::string& out, const legend_entry& entry, double x, double y) {
    switch (entry.drawn) {
        case legend_entry::symbol::line:
        case legend_entry::symbol::marked_line:
            draw_line(out, "line " + style_of("s", entry.number) + " " + style_of("d", entry.number), x, y, x + 28, y);
            if (entry.drawn == legend_entry::symbol::line) return;
            draw_parts(out, "<path class=\"mark ", style_of("s", entry.number), "\" d=\"");
            append_marker(out, entry.number, x + 14, y, 3.5);
            out += "\"/>";
            return;
        case legend_entry::symbol::reference:
            draw_line(out, "ref " + style_of("r", entry.number), x, y, x + 28, y);
            return;
        case legend_entry::symbol::marker:
        case legend_entry::symbol::step:
            draw_parts(out, "<path class=\"mark ", style_of(entry.drawn == legend_entry::symbol::step ? "v" : "s", entry.number), "\" d=\"");
            append_marker(out, entry.number, x + 6, y, 5);
            out += "\"/>";
    }
}

// From `top` on, in as many rows as are needed; returns where it ends.
template <class = void>
inline double draw_legend(std::string& out, const std::vector<legend_entry>& entries, double top, double width) {
    if (entries.empty()) return top;
    double x = 0, y = top + letter_height / 2;
    for (const auto& entry : entries) {
        const bool is_line = entry.drawn != legend_entry::symbol::marker && entry.drawn != legend_entry::symbol::step;
        const double symbol = is_line ? 36 : 18;
        const std::string name = fitted_text(entry.name, width - symbol);
        const double needed = symbol + text_width(name);
        if (x > 0 && x + needed > width) {
            x = 0;
            y += letter_height + 4;
        }
        draw_symbol(out, entry, x, y);
        draw_text(out, x + symbol, y + 4, "start", "name", name);
        x += needed + 16;
    }
    return y + letter_height / 2 + 8;
}

template <class = void>
inline std::string reference_name(const chart_reference& reference, const number_style& numbers) {
    if (reference.kind == reference_kind::diagonal) return reference.name;
    return reference.name + (reference.name.empty() ? "" : ": ") + number_text(reference.value, numbers);
}

// An open `<svg>`, with what is read out in place of the drawing.
template <class = void>
inline std::string finished_drawing(std::string_view kind, double width, double height, const std::string& spoken, const std::string& body) {
    std::string out;
    out.reserve(body.size() + spoken.size() + 200);
    height = std::ceil(height);  // HTML wants whole numbers
    width = std::ceil(width);
    draw_parts(out, "<svg class=\"chart ", kind, "\" viewBox=\"0 0 ", width, " ", height, "\" width=\"", width, "\" height=\"", height,
               "\" role=\"img\" aria-label=\"");
    append_escaped(out, spoken);
    draw_parts(out, "\">", body, "</svg>");
    return out;
}

template <class = void>
inline std::string spoken_text(std::string_view title, std::string_view description, std::string_view summary) {
    std::string out(title);
    if (!out.empty()) out += ". ";
    return out += description.empty() ? summary : description;
}

// The rectangle of a chart with two axes, its grid, ticks and titles.
class plot_frame {
   public:
    template <class = void>
    plot_frame(std::string& out, double width, double height, double top, const chart_axis& x_axis, const axis_scale& x, const chart_axis& y_axis,
               const axis_scale& y)
        : x_(x), y_(y) {
        const auto y_ticks = y.ticks(static_cast<std::size_t>(height / 44));
        double label_width = 12;
        for (const auto& t : y_ticks) label_width = std::max(label_width, text_width(t.text));
        left_ = std::min(label_width, width / 3) + 8;
        for (const auto& line : wrapped_text(axis_label(y_axis), width, 2, bold_size)) {
            draw_text(out, 0, top + 12, "start", "axis-title", line);
            top += letter_height;
        }
        top_ = top + 12;
        bottom_ = top_ + height;
        right_ = width - 14;
        auto x_ticks = ticks_that_fit();
        right_ = width - std::max(10.0, 2 + (x_ticks.empty() ? 0 : text_width(x_ticks.back().text) / 2));
        x_ticks = ticks_that_fit();
        for (const auto& t : y_ticks) {
            draw_line(out, "grid", left_, at_y(t.value), right_, at_y(t.value));
            draw_text(out, left_ - 8, at_y(t.value) + 4, "end", "tick", t.text);
        }
        for (const auto& t : x_ticks) {
            draw_line(out, "axis", at_x(t.value), bottom_, at_x(t.value), bottom_ + 5);
            draw_text(out, at_x(t.value), bottom_ + 18, "middle", "tick", t.text);
        }
        draw_line(out, "axis", left_, bottom_, right_, bottom_);
        end_ = bottom_ + 24;
        end_ = draw_title(out, axis_label(x_axis), (left_ + right_) / 2, end_, width);
    }
    [[nodiscard]] double at_x(double value) const noexcept { return left_ + x_(value) * (right_ - left_); }
    [[nodiscard]] double at_y(double value) const noexcept { return bottom_ - y_(value) * (bottom_ - top_); }
    [[nodiscard]] double left() const noexcept { return left_; }
    [[nodiscard]] double right() const noexcept { return right_; }
    [[nodiscard]] double top() const noexcept { return top_; }
    [[nodiscard]] double bottom() const noexcept { return bottom_; }
    [[nodiscard]] double end() const noexcept { return end_; }

   private:
    template <class = void>
    [[nodiscard]] std::vector<axis_tick> ticks_that_fit() const {
        std::vector<axis_tick> out;
        for (std::size_t most = 10; most > 0; --most) {
            out = x_.ticks(most);
            bool fits = true;
            for (std::size_t i = 1; i < out.size(); ++i)
                fits = fits && at_x(out[i].value) - at_x(out[i - 1].value) >= (text_width(out[i].text) + text_width(out[i - 1].text)) / 2 + 10;
            if (fits) break;
        }
        return out;
    }

    const axis_scale& x_;
    const axis_scale& y_;
    double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0, end_ = 0;
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
