#ifndef CARAMEL_REPORT_MARKUP_HPP
#define CARAMEL_REPORT_MARKUP_HPP

// Text and numbers as they stand in a page: escaped, and the same under every locale.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <caramel/core/error.hpp>
#include <caramel/core/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How a number is written. `number_text(1234.5)` is "1,234.5" in every locale.
struct number_style {
    int decimals = -1;        ///< behind the point, at most 15; -1: three significant digits, and whole numbers in full
    std::string before = {};  ///< as "£"
    std::string after = {};   ///< as " days"
    bool percent = false;     ///< .25 is written "25 %"
    bool grouped = true;      ///< "12,345"; false for years

    friend bool operator==(const number_style&, const number_style&) = default;
};

namespace detail {

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";
inline constexpr std::string_view no_break_space = "\xC2\xA0";
inline constexpr std::string_view minus_sign = "\xE2\x88\x92";
inline constexpr std::string_view ellipsis = "\xE2\x80\xA6";
inline constexpr std::string_view dash = "\xE2\x80\x93";

// The code point at byte `at`, which moves behind it. Ill-formed bytes count as U+FFFD, one each, and so do what a page
// may not hold: control characters and noncharacters. Tabs and line breaks count as spaces.
inline char32_t next_code_point(std::string_view text, std::size_t& at) noexcept {
    const std::size_t length = utf8_sequence_length(text.data() + at, text.size() - at);
    if (length == 0) return ++at, U'\uFFFD';
    const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i])); };
    char32_t c = length == 1 ? byte(0) : byte(0) & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) c = c << 6 | (byte(i) & 0x3F);
    at += length;
    if (c == '\t' || c == '\n' || c == '\r') return ' ';
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    const bool noncharacter = (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c < 0xFDF0);
    return control || noncharacter ? U'\uFFFD' : c;
}

// Calls `step(code point, its bytes)`.
template <class Step>
void for_each_character(std::string_view text, const Step& step) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t from = at;
        const char32_t c = next_code_point(text, at);
        if (c == 0xFFFD) step(c, replacement_character);
        else if (c == ' ') step(c, std::string_view(" "));
        else step(c, text.substr(from, at - from));
    }
}

template <class = void>
inline void append_escaped(std::string& out, std::string_view text) {
    for_each_character(text, [&out](char32_t c, std::string_view bytes) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += bytes;
        }
    });
}

inline double power_of_ten(int n) noexcept {
    double out = 1;
    for (int i = 0; i < std::abs(n); ++i) out *= 10;
    return n < 0 ? 1 / out : out;
}

// x = mantissa times ten to the exponent: the shortest digits that say x exactly, or rounded to so many decimals.
struct scientific_parts {
    std::string mantissa;
    int exponent = 0;
};
template <class = void>
inline scientific_parts parts_of(double x, std::optional<int> decimals = {}) {
    char digits[64];
    char* const end = decimals ? std::to_chars(digits, digits + sizeof digits, x, std::chars_format::scientific, *decimals).ptr
                               : std::to_chars(digits, digits + sizeof digits, x, std::chars_format::scientific).ptr;
    char* const mark = std::find(digits, end, 'e');
    scientific_parts out{std::string(digits, mark)};
    std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, out.exponent);
    return out;
}
// floor(log10(x)) for a positive x, which log10 itself may miss by one.
template <class = void>
inline int decimal_exponent(double x) { return parts_of(x).exponent; }

inline constexpr double largest_plain_number = 1e15, smallest_plain_number = 1e-4;

inline bool is_plain(double x) noexcept { return x == 0 || (std::abs(x) < largest_plain_number && std::abs(x) >= smallest_plain_number); }

// As many decimals as three significant digits need, trailing zeros left out.
template <class = void>
inline int decimals_needed(double x) {
    if (x == 0 || x == std::floor(x) || !is_plain(x)) return 0;
    int decimals = std::max(0, 2 - decimal_exponent(std::abs(x)));
    char digits[64];
    const auto end = std::to_chars(digits, digits + sizeof digits, x, std::chars_format::fixed, decimals).ptr;
    for (const char* last = end; decimals > 0 && last[-1] == '0'; --last) --decimals;
    return decimals;
}

// The digits of |x|.
struct plain_digits {
    std::string text;
    bool is_zero;  // whatever its sign
};

template <class = void>
inline std::string styled_number(bool is_negative, const plain_digits& digits, const number_style& style) {
    std::string out;
    if (is_negative && !digits.is_zero) out += minus_sign;
    out += style.before;
    out += digits.text;
    if (style.percent) (out += no_break_space) += '%';
    return out += style.after;
}

// "1.2e-9": rounded to so many decimals, without the zeros that say nothing.
template <class = void>
inline plain_digits scientific_digits_of(double x, int decimals) {
    if (x == 0) return {"0", true};
    auto [mantissa, exponent] = parts_of(std::abs(x), decimals);
    if (decimals > 0) {
        while (mantissa.back() == '0') mantissa.pop_back();
        if (mantissa.back() == '.') mantissa.pop_back();
    }
    return {message(mantissa, 'e', exponent), false};
}

template <class = void>
inline plain_digits digits_of(double x, int decimals, bool grouped) {
    if (!is_plain(x) && (decimals < 0 || std::abs(x) >= largest_plain_number)) return scientific_digits_of(x, 2);
    char digits[64];
    const char* const end = std::to_chars(digits, digits + sizeof digits, std::abs(x), std::chars_format::fixed, std::max(0, decimals)).ptr;
    plain_digits out{{}, std::all_of(static_cast<const char*>(digits), end, [](char c) { return c == '0' || c == '.'; })};
    const char* const whole = std::find(static_cast<const char*>(digits), end, '.');
    for (const char* c = digits; c != end; ++c) {
        if (grouped && c > digits && c < whole && (whole - c) % 3 == 0) out.text += ',';
        out.text += *c;
    }
    return out;
}

}  // namespace detail

/// Text for the content or a quoted attribute of HTML: the five special characters escaped; bytes that are not UTF-8 and
/// characters that a page may not hold (control characters) as U+FFFD; tabs and line breaks as spaces.
template <class = void>
[[nodiscard]] inline std::string html_escape(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 8);
    detail::append_escaped(out, text);
    return out;
}

/// A number for people to read. Not escaped: `before` and `after` are the caller's.
/// Throws `error`: `nan_or_inf`; `bad_parameter` unless -1 <= decimals <= 15.
template <class = void>
[[nodiscard]] inline std::string number_text(double value, const number_style& style = {}) {
    require(style.decimals >= -1 && style.decimals <= 15, errc::bad_parameter, "number_text: decimals = ", style.decimals, ", must lie in -1 .. 15");
    const double shown = style.percent ? 100 * value : value;
    require(std::isfinite(shown), errc::nan_or_inf, "number_text: the number is not finite");
    const int decimals = style.decimals >= 0 ? style.decimals : detail::is_plain(shown) ? detail::decimals_needed(shown) : -1;
    return detail::styled_number(shown < 0, detail::digits_of(shown, decimals, style.grouped), style);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
