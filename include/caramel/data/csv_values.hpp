#ifndef CARAMEL_DATA_CSV_VALUES_HPP
#define CARAMEL_DATA_CSV_VALUES_HPP

// What the fields of a CSV file say: numbers and times.

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include <caramel/core/platform.hpp>
#include <caramel/core/string_numbers.hpp>

namespace caramel::inline CARAMEL_ABI {
namespace detail {

enum class number_verdict : std::uint8_t { ok, bad, out_of_range, not_finite };

// Characters in a word, the last one highest, as the values of their digits: the last `n`, zeros before them.
template <std::same_as<std::uint64_t> Word>
[[nodiscard]] CARAMEL_ALWAYS_INLINE Word digit_values(Word text, std::ptrdiff_t n) noexcept {
    return (text ^ 0x3030303030303030U) & (~Word{0} << (8 * (8 - n)));
}
template <std::same_as<std::uint64_t> Word>
[[nodiscard]] CARAMEL_ALWAYS_INLINE bool are_digits(Word values) noexcept {
    return (((values + 0x7676767676767676U) | values) & 0x8080808080808080U) == 0;
}
// Pairs, then fours, then all eight digits are put together at once.
template <std::same_as<std::uint64_t> Word>
[[nodiscard]] CARAMEL_ALWAYS_INLINE Word put_together(Word values) noexcept {
    values = values * 10 + (values >> 8);
    return ((values & 0x000000FF000000FFU) * 0x000F424000000064U + (values >> 16 & 0x000000FF000000FFU) * 0x0000271000000001U) >> 32;
}
// Without the first byte that is `point` (which stands in all bytes of the word), if there is one: then `place` says which
// it is, and the bytes below have moved up.
template <std::same_as<std::uint64_t> Word>
[[nodiscard]] CARAMEL_ALWAYS_INLINE Word without_point(Word values, Word point, unsigned& place) noexcept {
    constexpr Word ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    const Word others = values ^ point;
    const Word found = (others - ones) & ~others & tops;  // its lowest bit: the first one
    if (found == 0) return values;
    const Word up_to_point = found ^ (found - 1);
    place = static_cast<unsigned>(std::countr_zero(found)) / 8U;
    return (values & ~up_to_point) | (values & up_to_point >> 8) << 8;
}

// Up to 8 bytes before `end`, the last one highest: in one load, where all eight before `end` may be read (`wide`).
CARAMEL_ALWAYS_INLINE std::uint64_t load_bytes_before(const char* end, std::ptrdiff_t n, bool wide) noexcept {
    return wide ? load_word<std::uint64_t>(end - 8) : load_bytes(end - n, n) << (8 * (8 - n));
}

// The whole text as an integer: an optional minus, digits. `wide`: see `load_bytes_before`.
template <std::same_as<std::int64_t> Integer>
[[nodiscard]] CARAMEL_ALWAYS_INLINE number_verdict parse_integer(std::string_view text, Integer& out, bool wide = false) noexcept {
    const char* p = text.data();
    const char* const end = p + text.size();
    const bool negative = p != end && *p == '-';
    p += negative;
    const auto digits = end - p;
    if (digits > 0 && digits <= 8) [[likely]] {
        const std::uint64_t values = digit_values(load_bytes_before(end, digits, wide), digits);
        if (!are_digits(values)) return number_verdict::bad;
        const std::uint64_t value = put_together(values);
        out = negative ? -static_cast<Integer>(value) : static_cast<Integer>(value);
        return number_verdict::ok;
    }
    const auto [ptr, code] = std::from_chars(text.data(), end, out);
    if (ptr != end || code == std::errc::invalid_argument) return number_verdict::bad;
    return code == std::errc{} ? number_verdict::ok : number_verdict::out_of_range;
}

// The whole text as a double, whatever its length.
template <std::same_as<double> Number>
[[nodiscard]] CARAMEL_COLD number_verdict parse_any_number(std::string_view text, char point, Number& out) {
    std::string dotted;
    if (point != '.') {
        if (text.find('.') != std::string_view::npos) return number_verdict::bad;
        dotted = text;
        std::replace(dotted.begin(), dotted.end(), point, '.');
        text = dotted;
    }
    const char* const last = text.data() + text.size();
    const auto [ptr, code] = std::from_chars(text.data(), last, out);
    if (ptr != last || code == std::errc::invalid_argument) return number_verdict::bad;
    if (code != std::errc{}) return number_verdict::out_of_range;
    return std::isfinite(out) ? number_verdict::ok : number_verdict::not_finite;
}

// 10^15 to 10^0, then the same with a minus: what a mantissa of sixteen characters is divided by where the point is one of
// them (the last one, if there is none). Signs come as they like, so no jump depends on them.
inline constexpr std::array<double, 32> powers_at_point{1e15,  1e14,  1e13,  1e12,  1e11,  1e10,  1e9,  1e8,  1e7,  1e6,  1e5,  1e4,  1e3,  1e2,  1e1,  1e0,
                                                        -1e15, -1e14, -1e13, -1e12, -1e11, -1e10, -1e9, -1e8, -1e7, -1e6, -1e5, -1e4, -1e3, -1e2, -1e1, -1e0};

// The point in every byte, as `without_point` wants it.
[[nodiscard]] constexpr std::uint64_t point_bytes(char point) noexcept { return (static_cast<unsigned char>(point) ^ 0x30U) * std::uint64_t{0x0101010101010101}; }

// 1 to 8 characters, the last one highest.
template <std::same_as<double> Number>
[[nodiscard]] CARAMEL_ALWAYS_INLINE bool read_short_decimal(std::uint64_t text, std::ptrdiff_t n, std::uint64_t point, bool negative, Number& out) noexcept {
    unsigned place = 7;
    const std::uint64_t given = digit_values(text, n), values = without_point(given, point, place);
    if (!are_digits(values) || (n == 1 && given == (point & ~std::uint64_t{0} << 56U))) return false;
    out = static_cast<Number>(static_cast<std::int64_t>(put_together(values))) / powers_at_point[8U + 16U * negative + place];
    return true;
}
// 9 to 16 characters: the last eight, and those before.
template <std::same_as<double> Number>
[[nodiscard]] CARAMEL_ALWAYS_INLINE bool read_long_decimal(std::uint64_t last, std::uint64_t first, std::ptrdiff_t n, std::uint64_t point, bool negative, Number& out) noexcept {
    unsigned high_place = 8, low_place = 8;
    const std::uint64_t high = without_point(digit_values(first, n - 8), point, high_place), low = without_point(digit_values(last, 8), point, low_place);
    const std::uint64_t digits = put_together(high) * (low_place < 8 ? 10'000'000U : 100'000'000U) + put_together(low);
    if (!are_digits(high) || !are_digits(low) || (high_place < 8 && low_place < 8) || digits > std::uint64_t{1} << 53U) return false;
    out = static_cast<Number>(static_cast<std::int64_t>(digits)) / powers_at_point[16U * negative + (high_place < 8 ? high_place : low_place < 8 ? 8 + low_place : 15U)];
    return true;
}

// The whole text as a double. Digits without an exponent that are at most 2^53 as an integer are exact, and so is the
// power of ten: their quotient is correctly rounded (Clinger, PLDI 1990). The rest is for `from_chars`. `wide`: see
// `load_bytes_before`.
template <std::same_as<double> Number>
[[nodiscard]] CARAMEL_ALWAYS_INLINE number_verdict parse_number(std::string_view text, char point, Number& out, bool wide = false) {
    const char* p = text.data();
    const char* const end = p + text.size();
    const bool negative = p != end && *p == '-';
    p += negative;
    const std::uint64_t points = point_bytes(point);
    if (const auto length = end - p; length > 0 && length <= 8) [[likely]] {
        if (read_short_decimal(load_bytes_before(end, length, wide), length, points, negative, out)) return number_verdict::ok;
    } else if (length > 8 && length <= 16) {
        if (read_long_decimal(load_word<std::uint64_t>(end - 8), load_bytes_before(end - 8, length - 8, false), length, points, negative, out)) return number_verdict::ok;
    }
    return parse_any_number(text, point, out);
}

// "2010-12-09", "2010-12-09 20:01:00" or "2010-12-09T20:01:00", as UTC.
template <std::same_as<std::chrono::sys_seconds> When>
[[nodiscard]] bool parse_time(std::string_view text, When& out) noexcept {
    if (text.size() != 10 && text.size() != 19) return false;
    bool digits_only = true;
    const auto digits = [&](std::size_t at, std::size_t n) {
        int value = 0;
        for (std::size_t i = at; i < at + n; ++i) {
            const auto digit = static_cast<unsigned>(static_cast<unsigned char>(text[i])) - unsigned{'0'};
            digits_only &= digit <= 9;
            value = 10 * value + static_cast<int>(digit <= 9 ? digit : 0);
        }
        return value;
    };
    const std::chrono::year_month_day date{std::chrono::year(digits(0, 4)), std::chrono::month(static_cast<unsigned>(digits(5, 2))),
                                           std::chrono::day(static_cast<unsigned>(digits(8, 2)))};
    if (!digits_only || text[4] != '-' || text[7] != '-' || !date.ok()) return false;
    out = std::chrono::sys_days(date);
    if (text.size() == 10) return true;
    const int hours = digits(11, 2), minutes = digits(14, 2), seconds = digits(17, 2);
    if (!digits_only || (text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':') return false;
    if (hours > 23 || minutes > 59 || seconds > 59) return false;
    out += std::chrono::seconds(3600 * hours + 60 * minutes + seconds);
    return true;
}

#if CARAMEL_BYTE_VECTORS
#if __has_builtin(__builtin_ia32_pmaddwd128) && __has_builtin(__builtin_ia32_packssdw128)
#define CARAMEL_TWO_NUMBERS 1
using ints4 = int __attribute__((vector_size(16)));

// As `are_digits` and `put_together` of two words of ASCII at once: the numbers are the first two of four.
template <std::same_as<std::uint64_t> Word>
[[nodiscard]] CARAMEL_ALWAYS_INLINE bool put_together(Word a, Word b, ints4& numbers) noexcept {
    using words2 = std::uint64_t __attribute__((vector_size(16)));
    using values16 = signed char __attribute__((vector_size(16)));
    using pairs8 = unsigned short __attribute__((vector_size(16)));
    using shorts8 = short __attribute__((vector_size(16)));
    const words2 values{a, b};
    if (high_bits(reinterpret_cast<bytes16>(reinterpret_cast<values16>(values) > 9)) != 0) return false;
    const auto pairs = reinterpret_cast<pairs8>(values) * static_cast<unsigned short>((10 << 8) + 1) >> 8;
    const auto fours = __builtin_ia32_pmaddwd128(reinterpret_cast<shorts8>(pairs), shorts8{100, 1, 100, 1, 100, 1, 100, 1});
    numbers = reinterpret_cast<ints4>(__builtin_ia32_pmaddwd128(__builtin_ia32_packssdw128(fours, fours), shorts8{10'000, 1, 10'000, 1, 10'000, 1, 10'000, 1}));
    return true;
}
#endif
#endif
#ifndef CARAMEL_TWO_NUMBERS
#define CARAMEL_TWO_NUMBERS 0
#endif

// The fields of a column, in rows that are plain text: no quotes, and what ends a field is one byte that `marks` names,
// each `stride` marks from the one of the row above. Eight bytes before its end, or sixteen, may be read.
struct plain_fields {
    const char* origin;
    const std::uint32_t* marks;
    std::size_t stride;
    char zero;  // what a code begins with, NUL where codes are numbers

    struct field {
        const char* end;
        std::size_t length;  // without the sign
        bool negative;

        [[nodiscard]] char first() const noexcept { return end[-static_cast<std::ptrdiff_t>(length)]; }
        [[nodiscard]] bool second_is_digit() const noexcept { return static_cast<unsigned char>(end[1 - static_cast<std::ptrdiff_t>(length)] - '0') <= 9; }
        [[nodiscard]] std::uint64_t last() const noexcept { return load_word<std::uint64_t>(end - 8); }
        [[nodiscard]] std::uint64_t before_last() const noexcept { return load_word<std::uint64_t>(end - 16); }
    };
    template <std::convertible_to<std::size_t> Row>
    [[nodiscard]] CARAMEL_ALWAYS_INLINE field operator[](Row r) const noexcept {
        const std::uint32_t* const mark = marks + r * stride;
        const char *const p = origin + static_cast<std::uint32_t>(mark[-1] + 1), *const end = origin + *mark;
        const bool negative = *p == '-';
        return {end, static_cast<std::size_t>(end - p) - negative, negative};
    }
};

// From row `r` on, up to the first of `n` that is not simply a number (which may still be one, or missing): returns where
// that is.
template <std::same_as<double> Number>
[[nodiscard]] std::size_t take_plain_values(const plain_fields fields, std::size_t r, std::size_t n, char point, Number* out) noexcept {
    const std::uint64_t points = point_bytes(point);
    const auto is_code = [zero = fields.zero](const auto& field) { return field.first() == zero && field.second_is_digit(); };
    for (; r < n; ++r) {
#if CARAMEL_TWO_NUMBERS
        for (ints4 numbers; n - r >= 2; r += 2) {
            const auto a = fields[r], b = fields[r + 1];
            if (((a.length - 1) | (b.length - 1)) >= 8) break;
            if ((a.length - 1) * (b.length - 1) == 0) [[unlikely]]
                if ((a.length == 1 && a.first() == point) || (b.length == 1 && b.first() == point)) break;
            if ((a.first() == fields.zero || b.first() == fields.zero) && (is_code(a) || is_code(b))) break;
            unsigned a_place = 7, b_place = 7;
            const std::uint64_t a_values = without_point(digit_values(a.last(), static_cast<std::ptrdiff_t>(a.length)), points, a_place);
            const std::uint64_t b_values = without_point(digit_values(b.last(), static_cast<std::ptrdiff_t>(b.length)), points, b_place);
            if (!put_together(a_values, b_values, numbers)) break;
            out[r] = static_cast<Number>(numbers[0]) / powers_at_point[8U + 16U * a.negative + a_place];
            out[r + 1] = static_cast<Number>(numbers[1]) / powers_at_point[8U + 16U * b.negative + b_place];
        }
        if (r == n) break;
#endif
        const auto field = fields[r];
        const auto length = static_cast<std::ptrdiff_t>(field.length);
        if (length == 0 || length > 16 || is_code(field)) return r;
        if (length <= 8 ? !read_short_decimal(field.last(), length, points, field.negative, out[r])
                        : !read_long_decimal(field.last(), field.before_last(), length, points, field.negative, out[r]))
            return r;
    }
    return r;
}
template <std::same_as<std::int64_t> Integer>
[[nodiscard]] std::size_t take_plain_values(const plain_fields fields, std::size_t r, std::size_t n, char, Integer* out) noexcept {
    const auto is_code = [zero = fields.zero](const auto& field) { return field.first() == zero && (field.negative || field.length > 1); };
    for (; r < n; ++r) {
#if CARAMEL_TWO_NUMBERS
        for (ints4 numbers; n - r >= 2; r += 2) {
            const auto a = fields[r], b = fields[r + 1];
            if (((a.length - 1) | (b.length - 1)) >= 8 || is_code(a) || is_code(b)) break;
            const std::uint64_t a_values = digit_values(a.last(), static_cast<std::ptrdiff_t>(a.length)), b_values = digit_values(b.last(), static_cast<std::ptrdiff_t>(b.length));
            if (!put_together(a_values, b_values, numbers)) break;
            out[r] = (numbers[0] ^ -static_cast<Integer>(a.negative)) + a.negative;
            out[r + 1] = (numbers[1] ^ -static_cast<Integer>(b.negative)) + b.negative;
        }
        if (r == n) break;
#endif
        const auto field = fields[r];
        const auto length = static_cast<std::ptrdiff_t>(field.length);
        if (length == 0 || length > 16 || is_code(field)) return r;
        const std::uint64_t low = digit_values(field.last(), std::min<std::ptrdiff_t>(length, 8));
        const std::uint64_t high = length > 8 ? digit_values(field.before_last(), length - 8) : 0;
        if (!are_digits(low) || !are_digits(high)) return r;
        const auto value = static_cast<Integer>(100'000'000 * put_together(high) + put_together(low));
        out[r] = field.negative ? -value : value;
    }
    return r;
}

}  // namespace detail
}  // namespace caramel::inline CARAMEL_ABI

#endif
