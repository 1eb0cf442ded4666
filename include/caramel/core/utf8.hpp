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

}  // namespace detail

/// Where the first ill-formed sequence begins, counted from 0; `npos` if the text is valid UTF-8. Linear.
[[nodiscard]] inline std::size_t find_bad_utf8(std::string_view text) noexcept {
    const char* const bytes = text.data();
    std::size_t at = 0;
    while (at < text.size()) {
        for (std::uint64_t words[2]; text.size() - at >= sizeof words; at += sizeof words) {  // ASCII, 16 bytes at a time
            std::memcpy(words, bytes + at, sizeof words);
            if (((words[0] | words[1]) & 0x8080808080808080U) != 0) break;
        }
        // One sequence, or the ASCII before it.
        while (at < text.size() && static_cast<unsigned char>(bytes[at]) < 0x80) ++at;
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

namespace detail {
[[nodiscard]] inline bool is_utf8_text(std::string_view text) noexcept { return find_bad_utf8(text) == std::string_view::npos; }
}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
