#ifndef CARAMEL_TEXT_BPE_PATTERN_HPP
#define CARAMEL_TEXT_BPE_PATTERN_HPP

// The pieces that GPT-2 cuts a text into before it merges bytes, found without an engine for regular expressions.

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <caramel/core/platform.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/text/unicode.hpp>
#include <caramel/text/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// What a code point is to GPT-2's pattern: \s, \p{L}, \p{N}, [^\s\p{L}\p{N}].
enum class gpt2_class : std::uint8_t { space, letter, number, other };

// Letters and numbers of Unicode 16 that 15.0 has not: Hugging Face's tokenizers count them in.
inline constexpr code_point_range gpt2_later_letters[] = {
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3}, {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4},
    {0x11380, 0x11389}, {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7}, {0x113D1, 0x113D1}, {0x113D3, 0x113D3},
    {0x11BC0, 0x11BE0}, {0x13460, 0x143FA}, {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED}, {0x1E5F0, 0x1E5F0},
    {0x2EBF0, 0x2EE5D},
};
inline constexpr code_point_range gpt2_later_numbers[] = {
    {0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9}, {0x16130, 0x16139}, {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9}, {0x1E5F1, 0x1E5FA},
};

template <std::size_t N>
constexpr bool within(const code_point_range (&ranges)[N], char32_t c) noexcept {
    const code_point_range* const range = find_run(ranges, static_cast<std::uint32_t>(c));
    return range != nullptr && c <= range->last;
}
constexpr gpt2_class find_gpt2_class(char32_t c) noexcept {
    const general_category g = category_of(c);
    if (is_letter(g) || within(gpt2_later_letters, c)) return gpt2_class::letter;
    if (is_number(g) || within(gpt2_later_numbers, c)) return gpt2_class::number;
    const bool space = (c >= 9 && c <= 13) || c == 0x85 || g == general_category::zs || g == general_category::zl || g == general_category::zp;
    return space ? gpt2_class::space : gpt2_class::other;
}
inline constexpr auto gpt2_ascii_classes = [] {
    std::array<gpt2_class, 128> classes{};
    for (char32_t c = 0; c < 128; ++c) classes[c] = find_gpt2_class(c);
    return classes;
}();

// A byte sequence that is read as one: a code point, or one byte of what is not UTF-8 (which counts as `other`).
struct gpt2_unit {
    std::size_t length;
    gpt2_class kind;
};

class gpt2_classes {
   public:
    // One for all: it depends on nothing.
    [[nodiscard]] static const gpt2_classes& get() {
        static const gpt2_classes all;
        return all;
    }
    [[nodiscard]] gpt2_class operator[](char32_t c) const noexcept {
        if (c < 0x10000) return plane_[c];
        if (c - pictographs < n_pictographs) return pictographs_[c - pictographs];
        return find_gpt2_class(c);
    }
    // Of what begins at `p`; `left` bytes can be read, at least one.
    [[nodiscard]] CARAMEL_ALWAYS_INLINE gpt2_unit at(const char* p, std::size_t left) const noexcept {
        const auto byte = [p](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(p[i])}; };
        const std::uint32_t lead = byte(0);
        if (lead < 0x80) return {1, gpt2_ascii_classes[lead]};
        if (lead - 0xE1 < 15 && lead != 0xED && left >= 3 && ((byte(1) ^ 0x80) | (byte(2) ^ 0x80)) < 0x40)  // nearly all of Chinese and Japanese
            return {3, plane_[(lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F)]};
        return rare(p, left);
    }

   private:
    static constexpr char32_t pictographs = 0x1F000, n_pictographs = 0xC00;  // emoji

    gpt2_classes() {
        for (char32_t c = 0; c < 0x10000; ++c) plane_[c] = find_gpt2_class(c);
        for (char32_t c = 0; c < n_pictographs; ++c) pictographs_[c] = find_gpt2_class(pictographs + c);
    }
    [[nodiscard]] gpt2_unit rare(const char* p, std::size_t left) const noexcept {
        const std::size_t length = utf8_sequence_length(p, left);
        if (length == 0) return {1, gpt2_class::other};
        std::size_t at = 0;
        return {length, (*this)[decode_utf8({p, length}, at)]};
    }

    std::array<gpt2_class, 0x10000> plane_;
    std::array<gpt2_class, n_pictographs> pictographs_;
};

// Cuts a text by 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
class gpt2_scanner {
   public:
    explicit gpt2_scanner(std::string_view text) : classes_(gpt2_classes::get()), text_(text.data()), size_(text.size()) {}

    // Where the piece ends that begins at byte `begin`, and whether all of it is ASCII (or it is not known). With
    // `space_before` it begins with one more space, which is not in the text.
    struct piece {
        std::size_t end;
        bool ascii;
    };
    [[nodiscard]] CARAMEL_ALWAYS_INLINE piece next(std::size_t begin, bool space_before = false) const noexcept {
        const bool space = space_before || text_[begin] == ' ';
        std::size_t at = begin + (space && !space_before ? 1 : 0);
        if (at == size_) return {at, true};
        const gpt2_unit first = unit(at);
        if (first.kind == gpt2_class::space) return spaces(at, first.length, space);
        if (first.kind == gpt2_class::letter) return letters(at);
        if (!space && text_[at] == '\'') {
            if (const std::size_t n = contraction(at); n != 0) return {at + n, true};
        }
        bool ascii = true;
        for (gpt2_unit u = first; u.kind == first.kind; u = unit(at)) {
            ascii = ascii && static_cast<unsigned char>(text_[at]) < 0x80;
            if ((at += u.length) == size_) break;
        }
        return {at, ascii};
    }

   private:
    [[nodiscard]] CARAMEL_ALWAYS_INLINE gpt2_unit unit(std::size_t at) const noexcept { return classes_.at(text_ + at, size_ - at); }

    // A run of white space, but for its last code point where something else follows: that one stands before it.
    [[nodiscard]] piece spaces(std::size_t at, std::size_t length, bool more_than_one) const noexcept {
        std::size_t last = at;
        for (at += length; at < size_; more_than_one = true) {
            const gpt2_unit u = unit(at);
            if (u.kind != gpt2_class::space) return {more_than_one ? last : at, false};
            last = at;
            at += u.length;
        }
        return {at, false};
    }
    [[nodiscard]] CARAMEL_ALWAYS_INLINE piece letters(std::size_t at) const noexcept {
        for (bool ascii = true;; ascii = false) {
            at = end_of_ascii_letters(at);
            if (at == size_ || static_cast<unsigned char>(text_[at]) < 0x80) return {at, ascii};
            do {
                const gpt2_unit u = unit(at);
                if (u.kind != gpt2_class::letter) return {at, ascii};
                ascii = false;
                at += u.length;
            } while (at < size_ && static_cast<unsigned char>(text_[at]) >= 0x80);
        }
    }
    [[nodiscard]] CARAMEL_ALWAYS_INLINE std::size_t end_of_ascii_letters(std::size_t at) const noexcept {
#if CARAMEL_BYTE_VECTORS
        for (; size_ - at >= 16; at += 16) {
            bytes16 bytes;
            std::memcpy(&bytes, text_ + at, sizeof bytes);
            const bytes16 from_a = (bytes | static_cast<unsigned char>(0x20)) - static_cast<unsigned char>('a');
            const unsigned others = high_bits(reinterpret_cast<bytes16>(from_a > static_cast<unsigned char>(25)));
            if (others != 0) return at + static_cast<std::size_t>(std::countr_zero(others));
        }
#endif
        while (at < size_ && (static_cast<unsigned>(text_[at]) | 0x20U) - 'a' < 26U) ++at;
        return at;
    }
    // The length of 's, 't, 're, 've, 'm, 'll or 'd; 0 if it is none.
    [[nodiscard]] std::size_t contraction(std::size_t at) const noexcept {
        const auto is = [&](std::size_t i, char c) { return at + i < size_ && text_[at + i] == c; };
        if (is(1, 's') || is(1, 't') || is(1, 'm') || is(1, 'd')) return 2;
        return (is(2, 'e') && (is(1, 'r') || is(1, 'v'))) || (is(1, 'l') && is(2, 'l')) ? 3 : 0;
    }

    const gpt2_classes& classes_;
    const char* text_;
    std::size_t size_;
};

}  // namespace detail

/// Calls `piece(begin, end)` with the byte offsets of each piece that GPT-2's pattern cuts the text into, in order; together
/// they are the whole text: runs of letters, of numbers and of other things, each with the one space before it, English
/// contractions, and white space. Linear. Any bytes: one that belongs to no code point counts as "other things".
template <std::invocable<std::size_t, std::size_t> Piece>
void split_gpt2(std::string_view text, Piece&& piece) {
    const detail::gpt2_scanner scanner(text);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        piece(begin, at = scanner.next(begin).end);
    }
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
