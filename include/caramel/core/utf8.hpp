#ifndef CARAMEL_CORE_UTF8_HPP
#define CARAMEL_CORE_UTF8_HPP

// What is well-formed UTF-8: the one definition, for tables, CSV and text alike.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// The bytes of the sequence that begins at `at`, 0 if it is ill-formed (The Unicode Standard 15.0, table 3-7): no overlong
// forms, no surrogates, nothing above U+10FFFF. `left` bytes can be read, at least one.
[[nodiscard]] inline std::size_t utf8_sequence_length(const char* at, std::size_t left) noexcept {
    const auto byte = [at](std::size_t i) { return unsigned{static_cast<unsigned char>(at[i])}; };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0 || left < length) return 0;
    const unsigned lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < lowest || byte(1) > highest) return 0;
    for (std::size_t i = 2; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    return length;
}

// The same as `find_bad_utf8`, sequence by sequence, from a place between two of them on.
[[nodiscard]] inline std::size_t find_bad_sequence(std::string_view text, std::size_t at) noexcept {
    const char* const bytes = text.data();
    while (at < text.size()) {
        for (std::uint64_t words[2]; text.size() - at >= sizeof words; at += sizeof words) {  // ASCII, 16 bytes at a time
            std::memcpy(words, bytes + at, sizeof words);
            if (((words[0] | words[1]) & 0x8080808080808080U) != 0) break;
        }
        // One sequence, or the ASCII before it.
        while (at < text.size() && static_cast<unsigned char>(bytes[at]) < 0x80) ++at;
        // Sequences of three whose lead allows any continuations: most of what is written in East Asia.
        for (unsigned char lead; text.size() - at >= 3; at += 3) {
            std::uint16_t rest;
            lead = static_cast<unsigned char>(bytes[at]);
            std::memcpy(&rest, bytes + at + 1, sizeof rest);
            if (lead < 0xE1 || lead > 0xEF || lead == 0xED || (rest & 0xC0C0U) != 0x8080U) break;
        }
        if (at == text.size()) break;
        const std::size_t length = utf8_sequence_length(bytes + at, text.size() - at);
        if (length == 0) return at;
        at += length;
    }
    return std::string_view::npos;
}

#if CARAMEL_RUNTIME_AVX2 || (defined(__GNUC__) && defined(__AVX2__))
#define CARAMEL_UTF8_AVX2 1

// How far the text is in order, from `at` on, in whole steps of 32 bytes: a sequence may be cut off there, and what is out
// of order stands at the earliest behind that cut. There are three bytes before `at`. Two neighbouring bytes show almost every
// error (Keiser & Lemire, Software: Practice and Experience 51(5), 2021): each of three tables names those that the high half of
// the first, its low half and the high half of the second allow, and an error that all three name is one. Bit 7 stands for two
// continuations in a row, which are right exactly two bytes behind the lead of three and three behind that of four.
template <class Byte>
#if CARAMEL_RUNTIME_AVX2
__attribute__((target("avx2")))
#endif
std::size_t skip_good_utf8(const Byte* bytes, std::size_t at, std::size_t size) noexcept {
    typedef unsigned char lane __attribute__((vector_size(32)));
    typedef char signed_lane __attribute__((vector_size(32)));
    constexpr unsigned char too_short = 1, too_long = 2, overlong3 = 4, too_large = 8, surrogate = 16, overlong2 = 32, overlong4 = 64, two = 128;
    constexpr unsigned char very_large = overlong4, any = too_short | too_long | two;
    constexpr unsigned char e = too_short | overlong3 | surrogate, f = too_short | too_large | very_large | overlong4;
    constexpr unsigned char l0 = any | overlong2 | overlong3 | overlong4, l4 = any | too_large, l5 = l4 | very_large;
    constexpr unsigned char s8 = too_long | two | overlong2 | overlong3 | overlong4, s9 = too_long | two | overlong2 | overlong3 | too_large;
    constexpr unsigned char sa = too_long | two | overlong2 | surrogate | too_large;
#define CARAMEL_TWICE(...) {__VA_ARGS__, __VA_ARGS__}
    constexpr lane first_high = CARAMEL_TWICE(too_long, too_long, too_long, too_long, too_long, too_long, too_long, too_long, two, two, two, two,
                                              too_short | overlong2, too_short, e, f);
    constexpr lane first_low = CARAMEL_TWICE(l0, any | overlong2, any, any, l4, l5, l5, l5, l5, l5, l5, l5, l5, l5 | surrogate, l5, l5);
    constexpr lane second_high = CARAMEL_TWICE(too_short, too_short, too_short, too_short, too_short, too_short, too_short, too_short, s8, s9, sa, sa,
                                               too_short, too_short, too_short, too_short);
#undef CARAMEL_TWICE
    bool all_ascii = false;  // the step before
    for (; size - at >= sizeof(lane); at += sizeof(lane)) {
        lane now, last, last_but_one, third_last;
        std::memcpy(&now, bytes + at, sizeof(lane));
        const bool ascii = __builtin_ia32_pmovmskb256(reinterpret_cast<signed_lane>(now)) == 0;
        if (ascii && all_ascii) continue;
        all_ascii = ascii;
        std::memcpy(&last, bytes + at - 1, sizeof(lane));
        std::memcpy(&last_but_one, bytes + at - 2, sizeof(lane));
        std::memcpy(&third_last, bytes + at - 3, sizeof(lane));
        const lane named = reinterpret_cast<lane>(__builtin_ia32_pshufb256(reinterpret_cast<signed_lane>(first_high), reinterpret_cast<signed_lane>(last >> 4))) &
                           reinterpret_cast<lane>(__builtin_ia32_pshufb256(reinterpret_cast<signed_lane>(first_low), reinterpret_cast<signed_lane>(last & 15))) &
                           reinterpret_cast<lane>(__builtin_ia32_pshufb256(reinterpret_cast<signed_lane>(second_high), reinterpret_cast<signed_lane>(now >> 4)));
        const lane later = reinterpret_cast<lane>((last_but_one >= 0xE0) | (third_last >= 0xF0)) & 0x80;
        if (__builtin_ia32_pmovmskb256(reinterpret_cast<signed_lane>(named != later)) != 0) break;
    }
    return at;
}
#else
#define CARAMEL_UTF8_AVX2 0
#endif

}  // namespace detail

/// Where the first ill-formed sequence begins, counted from 0; `npos` if the text is valid UTF-8. Linear.
[[nodiscard]] inline std::size_t find_bad_utf8(std::string_view text) noexcept {
    std::size_t at = 0;
#if CARAMEL_UTF8_AVX2
#if CARAMEL_RUNTIME_AVX2
    const bool wide = text.size() >= 128 && __builtin_cpu_supports("avx2");
#else
    const bool wide = text.size() >= 128;
#endif
    if (wide) {
        while (at < 3) {
            const std::size_t length = detail::utf8_sequence_length(text.data() + at, text.size() - at);
            if (length == 0) return at;
            at += length;
        }
        at = detail::skip_good_utf8(text.data(), at, text.size());
        for (std::size_t k = 1; k <= 3; ++k)  // back to the beginning of a sequence that is cut off
            if (static_cast<unsigned char>(text[at - k]) >= 0xC0) {
                at -= k;
                break;
            }
    }
#endif
    return detail::find_bad_sequence(text, at);
}

/// Throws `error` (`bad_utf8`) with the row, and the byte (from 1) where the first ill-formed sequence begins.
template <class = void>
inline void require_utf8(std::string_view text, std::size_t row, std::string_view who) {
    if (const std::size_t bad = find_bad_utf8(text); bad != std::string_view::npos) [[unlikely]]
        fail(errc::bad_utf8, {.row = row, .byte = bad + 1}, who, ": text ", row, " is not UTF-8 from byte ", bad + 1, " of ", text.size(), " on");
}

namespace detail {
[[nodiscard]] inline bool is_utf8_text(std::string_view text) noexcept { return find_bad_utf8(text) == std::string_view::npos; }
}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
