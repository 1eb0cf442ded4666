#ifndef CARAMEL_TEXT_UTF8_HPP
#define CARAMEL_TEXT_UTF8_HPP

// UTF-8: decoding, encoding and repair. Text is checked once where it enters (core/utf8.hpp); what runs behind that decodes
// without checks.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
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

namespace detail {

// How many bytes at `at`, where an ill-formed sequence begins, one replacement stands for: as many as could still become a
// sequence, at least one (The Unicode Standard 15.0, section 3.9, "maximal subpart"). `left` bytes can be read, at least one.
template <class Byte>
[[nodiscard]] std::size_t bad_utf8_length(const Byte* at, std::size_t left) noexcept {
    char completed[4] = {at[0], '\x80', '\x80', '\x80'};
    const unsigned lead = static_cast<unsigned char>(at[0]);
    if (lead < 0xC2 || lead > 0xF4) return 1;
    if (lead == 0xE0) completed[1] = '\xA0';
    if (lead == 0xF0) completed[1] = '\x90';
    const std::size_t length = utf8_sequence_length(completed, 4);
    std::size_t good = 1;
    for (; good < std::min(length, left); ++good) {
        completed[good] = at[good];
        if (utf8_sequence_length(completed, 4) == 0) break;
    }
    return good;
}

}  // namespace detail

/// Valid UTF-8: every maximal subpart of an ill-formed sequence is replaced by U+FFFD, as browsers and Python do; what is valid stays.
/// Linear.
template <std::convertible_to<std::string_view> Text>
[[nodiscard]] std::string repair_utf8(const Text& text) {
    std::string_view rest(text);
    std::string out;
    out.reserve(rest.size());
    for (std::size_t bad = find_bad_utf8(rest); bad != std::string_view::npos; bad = find_bad_utf8(rest)) {
        out.append(rest.substr(0, bad)).append("\xEF\xBF\xBD");
        rest.remove_prefix(bad + detail::bad_utf8_length(rest.data() + bad, rest.size() - bad));
    }
    return out.append(rest);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
