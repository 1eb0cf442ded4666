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

// `n` bytes from `p` on, up to 8, the last one highest.
CARAMEL_ALWAYS_INLINE std::uint64_t load_bytes_high(const char* p, std::ptrdiff_t n) noexcept { return load_bytes(p, n) << (8 * (8 - n)); }

// The whole text as an integer: an optional minus, digits.
template <std::same_as<std::int64_t> Integer>
[[nodiscard]] number_verdict parse_integer(std::string_view text, Integer& out) noexcept {
    const char* p = text.data();
    const char* const end = p + text.size();
    const bool negative = p != end && *p == '-';
    p += negative;
    const auto digits = end - p;
    if (digits > 0 && digits <= 8) [[likely]] {
        const std::uint64_t values = digit_values(load_bytes_high(p, digits), digits);
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
// digits / 10^decimals, correctly rounded; up to 27 decimals: by powers of five in whole numbers, whose quotient has more
// bits than a double, and one that says whether anything is left.
#ifdef __SIZEOF_INT128__
inline constexpr std::array<std::uint64_t, 28> powers_of_five = [] {
    std::array<std::uint64_t, 28> out{1};
    for (std::size_t i = 1; i < out.size(); ++i) out[i] = 5 * out[i - 1];
    return out;
}();
template <std::same_as<std::uint64_t> Word>
[[nodiscard]] double divide_by_power(Word digits, unsigned decimals, bool negative) noexcept {
    __extension__ using wide_word = unsigned __int128;
    const Word five = powers_of_five[decimals];
    const int up = std::countl_zero(digits), five_up = std::countl_zero(five);
    const Word divisor = five << five_up;
    const wide_word dividend = static_cast<wide_word>(digits << up) << 63U;  // so that the quotient has 63 or 64 bits
    const Word quotient = static_cast<Word>(dividend / divisor), rest = static_cast<Word>(dividend) - quotient * divisor;
    const Word rounded = quotient >> 2 | static_cast<Word>((quotient & 3) != 0 || rest != 0);
    const int exponent = five_up - up - 61 - static_cast<int>(decimals);
    return static_cast<double>(static_cast<std::int64_t>(rounded)) * std::bit_cast<double>(static_cast<Word>(1023 + exponent) << 52U | Word{negative} << 63U);
}
#endif

struct sixteen_digits {
    std::uint64_t value;
    unsigned place;  // of the point; that of the last one, if there is none
    bool has_point, ok;
};
// 9 to 16 characters: the last eight, and those before.
template <std::same_as<std::uint64_t> Word>
[[nodiscard]] CARAMEL_ALWAYS_INLINE sixteen_digits read_sixteen(Word first, Word last, std::ptrdiff_t n, Word point) noexcept {
    unsigned first_place = 8, last_place = 8;
    first = without_point(digit_values(first, n - 8), point, first_place);
    last = without_point(digit_values(last, 8), point, last_place);
    const bool in_first = first_place < 8, in_last = last_place < 8;
    const Word scale = in_last ? 10'000'000U : 100'000'000U;
    sixteen_digits out{0, in_last ? 8 + last_place : in_first ? first_place : 15U, in_first || in_last, !(in_first && in_last)};
#if CARAMEL_TWO_NUMBERS
    ints4 numbers{};
    out.ok &= put_together(first, last, numbers);
    out.value = static_cast<Word>(numbers[0]) * scale + static_cast<Word>(numbers[1]);
#else
    out.ok &= are_digits(first) && are_digits(last);
    out.value = put_together(first) * scale + put_together(last);
#endif
    return out;
}
// 17 to 24 characters: `first` are those before sixteen others. `codes`: not those that may be more digits than an integer holds.
template <std::same_as<std::uint64_t> Word>
[[nodiscard]] bool read_longest_decimal(const sixteen_digits& others, Word first, std::ptrdiff_t n, Word point, bool negative, bool codes, double& out) noexcept {
#ifdef __SIZEOF_INT128__
    unsigned place = 8;
    first = without_point(digit_values(first, n - 16), point, place);
    const int points = static_cast<int>(place < 8) + static_cast<int>(others.has_point);
    if (!are_digits(first) || points > 1 || (codes && points == 0 && n > 18)) return false;
    const Word above = put_together(first), digits = above * (others.has_point ? 1'000'000'000'000'000U : 10'000'000'000'000'000U) + others.value;
    if (above > 999 || digits == 0) return false;
    out = divide_by_power(digits, place < 8 ? 23 - place : 15 - others.place, negative);
    return true;
#else
    static_cast<void>(others), static_cast<void>(first), static_cast<void>(n), static_cast<void>(point), static_cast<void>(negative), static_cast<void>(codes);
    static_cast<void>(out);
    return false;
#endif
}
// 9 to 24 characters before `end`; all 24 bytes may be read.
template <std::same_as<double> Number>
[[nodiscard]] CARAMEL_ALWAYS_INLINE bool read_long_decimal(const char* end, std::ptrdiff_t n, std::uint64_t point, bool negative, Number& out, bool codes) noexcept {
    const std::uint64_t last = load_word<std::uint64_t>(end - 8), first = load_word<std::uint64_t>(end - 16);
    const sixteen_digits read = read_sixteen(first, last, std::min<std::ptrdiff_t>(n, 16), point);
    if (!read.ok) return false;
    if (n <= 16 && read.value <= std::uint64_t{1} << 53U) [[likely]] {
        out = static_cast<Number>(static_cast<std::int64_t>(read.value)) / powers_at_point[16U * negative + read.place];
        return true;
    }
    return n > 16 && read_longest_decimal(read, load_word<std::uint64_t>(end - 24), n, point, negative, codes, out);
}

// The whole text as a double. Digits without an exponent that are at most 2^53 as an integer are exact, and so is the
// power of ten: their quotient is correctly rounded (Clinger, PLDI 1990). What has more of them, up to 24 characters, is
// divided in whole numbers; the rest is for `from_chars`.
template <std::same_as<double> Number>
[[nodiscard]] number_verdict parse_number(std::string_view text, char point, Number& out) {
    const char* p = text.data();
    const char* const end = p + text.size();
    const bool negative = p != end && *p == '-';
    p += negative;
    const std::uint64_t points = point_bytes(point);
    if (const auto length = end - p; length > 0 && length <= 8) [[likely]] {
        if (read_short_decimal(load_bytes_high(p, length), length, points, negative, out)) return number_verdict::ok;
    } else if (length > 8 && length <= 24) {
        char before[24] = {};  // which may not all be there to be read
        std::copy(p, end, before + (24 - length));
        if (read_long_decimal(before + 24, length, points, negative, out, false)) return number_verdict::ok;
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

// The fields of a column, in rows that are plain text: no quotes, and what ends a field is one byte that `marks` names,
// each `stride` marks from the one of the row above. The 24 bytes before its end may be read.
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
        for (ints4 numbers{}; n - r >= 2; r += 2) {
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
        if (length == 0 || length > 24 || is_code(field)) return r;
        if (length <= 8 ? !read_short_decimal(field.last(), length, points, field.negative, out[r])
                        : !read_long_decimal(field.end, length, points, field.negative, out[r], fields.zero != '\0'))
            return r;
    }
    return r;
}
template <std::same_as<std::int64_t> Integer>
[[nodiscard]] std::size_t take_plain_values(const plain_fields fields, std::size_t r, std::size_t n, char, Integer* out) noexcept {
    const auto is_code = [zero = fields.zero](const auto& field) { return field.first() == zero && (field.negative || field.length > 1); };
    for (; r < n; ++r) {
#if CARAMEL_TWO_NUMBERS
        for (ints4 numbers{}; n - r >= 2; r += 2) {
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
