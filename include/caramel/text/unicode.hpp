#ifndef CARAMEL_TEXT_UNICODE_HPP
#define CARAMEL_TEXT_UNICODE_HPP

// Properties of code points, from tables of our own (text/unicode_tables.hpp): the same on every machine and under every
// locale. `unicode_version` says which version of Unicode they follow.

#include <cstddef>
#include <cstdint>
#include <iterator>

#include <caramel/text/unicode_tables.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The General_Category under Unicode's own abbreviations: letters l*, marks m*, numbers n*, punctuation p*, symbols s*,
/// separators z*, and c*: control, format, surrogate, private use, not assigned.
enum class general_category : std::uint8_t {
    lu, ll, lt, lm, lo, mn, mc, me, nd, nl, no, pc, pd, ps, pe, pi, pf, po, sm, sc, sk, so, zs, zl, zp, cc, cf, cs, co, cn
};

namespace detail {

struct code_point_range {  // both ends belong to it
    std::uint32_t first, last;
};
constexpr std::uint32_t first_of(const code_point_range& range) noexcept { return range.first; }
constexpr std::uint32_t first_of(const case_run& run) noexcept { return run.first; }
constexpr std::uint32_t first_of(std::uint32_t category_run) noexcept { return category_run / 32; }

// The last of the runs, sorted by where they begin, that does not begin behind `point`; null if all do.
template <class Run, std::size_t N>
constexpr const Run* find_run(const Run (&runs)[N], std::uint32_t point) noexcept {
    std::size_t begin = 0, end = N;
    while (begin < end) {
        const std::size_t middle = (begin + end) / 2;
        if (first_of(runs[middle]) <= point) begin = middle + 1;
        else end = middle;
    }
    return begin == 0 ? nullptr : runs + (begin - 1);
}

}  // namespace detail

namespace detail {

// Besides the 30 categories the table of classes tells apart what words need to know: ideographs among lo and nl, the
// apostrophes ' and U+2019, the zero-width joiners.
inline constexpr std::uint32_t class_lo_ideograph = 30, class_nl_ideograph = 31, class_apostrophe = 32, class_curly_apostrophe = 33, class_joiner = 34,
                               class_count = 35;

// Whether one of `count` ranges, their firsts and lasts in ascending order, has `c`.
template <std::size_t N>
constexpr bool in_ranges(const char32_t (&ranges)[N], std::size_t count, char32_t c) noexcept {
    std::size_t begin = 0, end = count;
    while (begin < end) {
        const std::size_t middle = (begin + end) / 2;
        if (ranges[2 * middle + 1] < c) begin = middle + 1;
        else end = middle;
    }
    return begin < count && ranges[2 * begin] <= c;
}

// `c` is below `class_limit`.
constexpr std::uint32_t class_in_table(char32_t c) noexcept {
    return static_cast<std::uint32_t>(class_letters[class_blocks[c / class_block] + c % class_block] - '@');
}
constexpr std::uint32_t class_of(char32_t c) noexcept {
    if (c < class_limit) return class_in_table(c);
    if (c > 0x10FFFF) return static_cast<std::uint32_t>(general_category::cn);
    return *find_run(category_runs, static_cast<std::uint32_t>(c)) % 32;  // there is one from the limit on
}

// Where the category next changes behind `c`, which is not below `class_limit`.
constexpr char32_t next_category(char32_t c) noexcept {
    const std::uint32_t* const next = find_run(category_runs, static_cast<std::uint32_t>(c)) + 1;
    return next == std::end(category_runs) ? 0x110000 : *next / 32;
}

}  // namespace detail

/// `cn` for what is not assigned or above U+10FFFF.
[[nodiscard]] constexpr general_category category_of(char32_t c) noexcept {
    const std::uint32_t number = detail::class_of(c);
    if (number < detail::class_lo_ideograph) return static_cast<general_category>(number);
    constexpr general_category special[] = {general_category::lo, general_category::nl, general_category::po, general_category::pf, general_category::cf};
    return special[number - detail::class_lo_ideograph];
}

/// Whether it is a category of letters (L)
[[nodiscard]] constexpr bool is_letter(general_category g) noexcept { return g <= general_category::lo; }
/// ... of marks (M)
[[nodiscard]] constexpr bool is_mark(general_category g) noexcept { return g >= general_category::mn && g <= general_category::me; }
/// ... of numbers (N)
[[nodiscard]] constexpr bool is_number(general_category g) noexcept { return g >= general_category::nd && g <= general_category::no; }
/// ... of punctuation (P)
[[nodiscard]] constexpr bool is_punctuation(general_category g) noexcept { return g >= general_category::pc && g <= general_category::po; }
/// ... of symbols (S)
[[nodiscard]] constexpr bool is_symbol(general_category g) noexcept { return g >= general_category::sm && g <= general_category::so; }

/// Of the Han script with the property Ideographic: unified and compatibility ideographs, U+3007, and the Hangzhou numerals.
[[nodiscard]] constexpr bool is_cjk_ideograph(char32_t c) noexcept {
    if (c >= 0x4E00 && c <= 0x9FFF) return true;  // nearly all of them
    const std::uint32_t number = detail::class_of(c);
    return number == detail::class_lo_ideograph || number == detail::class_nl_ideograph;
}

namespace detail {

// The run that `c` belongs to, or null.
template <std::size_t N>
constexpr const case_run* find_case_run(const case_run (&runs)[N], char32_t c) noexcept {
    const auto point = static_cast<std::uint32_t>(c);
    if (point >= first_without_case && point <= last_without_case) return nullptr;
    const case_run* const run = find_run(runs, point);
    return run != nullptr && point <= run->last && (point - run->first) % run->step == 0 ? run : nullptr;
}
constexpr char32_t map_case(const case_run& run, char32_t c) noexcept { return static_cast<char32_t>(static_cast<std::int32_t>(c) + run.distance); }

}  // namespace detail

/// The simple lower-case mapping: one code point to one, without regard to language or neighbours.
[[nodiscard]] constexpr char32_t lower_case(char32_t c) noexcept {
    if (c < 0x80) return c >= U'A' && c <= U'Z' ? c + 32 : c;
    const auto* const run = detail::find_case_run(detail::lower_case_runs, c);
    return run != nullptr ? detail::map_case(*run, c) : c;
}

/// Simple case folding (statuses C and S of CaseFolding.txt), for comparing: the final sigma folds to sigma, the long s to s.
/// Dotted capital I (U+0130) stays as it is.
[[nodiscard]] constexpr char32_t fold_case(char32_t c) noexcept {
    const auto* const run = detail::find_case_run(detail::fold_exception_runs, c);
    return run != nullptr ? detail::map_case(*run, c) : lower_case(c);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
