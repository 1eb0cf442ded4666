#ifndef CARAMEL_TEXT_UTF8_HPP
#define CARAMEL_TEXT_UTF8_HPP

// UTF-8: decoding and encoding. Text is checked once where it enters (core/utf8.hpp); what runs behind that decodes
// without checks.

#include <cstddef>
#include <string_view>

#include <caramel/core/platform.hpp>
#include <caramel/core/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

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
