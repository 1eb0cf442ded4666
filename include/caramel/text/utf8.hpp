#ifndef CARAMEL_TEXT_UTF8_HPP
#define CARAMEL_TEXT_UTF8_HPP

// UTF-8: checking, decoding, encoding. Text is checked once where it enters; what runs behind that decodes without checks.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// The bytes of the sequence that begins at `at`, 0 if it is ill-formed (The Unicode Standard 15.0, table 3-7).
inline std::size_t utf8_sequence_length(const unsigned char* at, std::size_t left) noexcept {
    const unsigned lead = at[0];
    if (lead < 0x80) return 1;
    const std::size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0 || left < length) return 0;
    const unsigned lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;   // no overlong forms
    const unsigned highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;  // no surrogates, nothing above U+10FFFF
    if (at[1] < lowest || at[1] > highest) return 0;
    for (std::size_t i = 2; i < length; ++i)
        if ((at[i] & 0xC0) != 0x80) return 0;
    return length;
}

}  // namespace detail

/// Where the first ill-formed sequence begins, counted from 0; `npos` if the text is valid UTF-8. Linear.
[[nodiscard]] inline std::size_t find_bad_utf8(std::string_view text) noexcept {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t at = 0;
    while (at < text.size()) {
        for (std::uint64_t eight; text.size() - at >= 8; at += 8) {  // ASCII, eight bytes at a time
            std::memcpy(&eight, bytes + at, 8);
            if ((eight & 0x8080808080808080U) != 0) break;
        }
        if (at == text.size()) break;
        const std::size_t length = detail::utf8_sequence_length(bytes + at, text.size() - at);
        if (length == 0) return at;
        at += length;
    }
    return std::string_view::npos;
}

/// Throws `error` (`bad_utf8`) with the row, and the byte (from 1) where the first ill-formed sequence begins.
inline void require_utf8(std::string_view text, std::size_t row, std::string_view who) {
    if (const std::size_t bad = find_bad_utf8(text); bad != std::string_view::npos) [[unlikely]]
        fail(errc::bad_utf8, {.row = row, .byte = bad + 1}, who, ": text ", row, " is not UTF-8 from byte ", bad + 1, " of ", text.size(), " on");
}

/// The code point at byte `at`, which moves behind it. Not checked: the text is valid UTF-8 and `at` begins a code point.
[[nodiscard]] inline char32_t decode_utf8(std::string_view text, std::size_t& at) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i])); };
    const char32_t lead = byte(0);
    if (lead < 0x80) return ++at, lead;
    char32_t c = 0;
    if (lead < 0xE0) {
        c = (lead & 0x1F) << 6 | (byte(1) & 0x3F);
        at += 2;
    } else if (lead < 0xF0) {
        c = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
        at += 3;
    } else {
        c = (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
        at += 4;
    }
    return c;
}

/// Writes a code point (no surrogate, at most U+10FFFF) to `out`, which has room for 4 bytes; returns how many it took.
inline std::size_t encode_utf8(char32_t c, char* out) noexcept {
    const auto put = [&](std::size_t i, char32_t byte) { out[i] = static_cast<char>(static_cast<unsigned char>(byte)); };
    if (c < 0x80) return put(0, c), 1;
    if (c < 0x800) {
        put(0, 0xC0 | c >> 6);
        put(1, 0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        put(0, 0xE0 | c >> 12);
        put(1, 0x80 | (c >> 6 & 0x3F));
        put(2, 0x80 | (c & 0x3F));
        return 3;
    }
    put(0, 0xF0 | c >> 18);
    put(1, 0x80 | (c >> 12 & 0x3F));
    put(2, 0x80 | (c >> 6 & 0x3F));
    put(3, 0x80 | (c & 0x3F));
    return 4;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
