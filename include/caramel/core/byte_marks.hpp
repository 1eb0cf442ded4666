#ifndef CARAMEL_CORE_BYTE_MARKS_HPP
#define CARAMEL_CORE_BYTE_MARKS_HPP

// Finding the few bytes of a text that mean something, 64 bytes at a time.

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI {
namespace detail {

// Which of 64 bytes are marked: `a`, `b`, those up to `low` (below 0x80) and those from 0x80 on; bit i stands for byte i.
class byte_marks {
   public:
    byte_marks(char a, char b, char low) noexcept : a_(static_cast<unsigned char>(a)), b_(static_cast<unsigned char>(b)), low_(static_cast<unsigned char>(low)) {}

    [[nodiscard]] std::uint64_t operator()(const char* p) const noexcept {
        std::uint64_t marks = 0;
#if CARAMEL_BYTE_VECTORS
        for (unsigned at = 0; at < 64; at += 16) {
            bytes16 bytes;
            std::memcpy(&bytes, p + at, sizeof bytes);
            const auto marked = reinterpret_cast<bytes16>((bytes == a_) | (bytes == b_) | (bytes <= low_));
            marks |= std::uint64_t{high_bits(marked | bytes)} << at;
        }
#else
        marks = portable(p);
#endif
        return marks;
    }

    /// The same, eight bytes at a time.
    [[nodiscard]] std::uint64_t portable(const char* p) const noexcept {
        std::uint64_t marks = 0;
        for (unsigned at = 0; at < 64; at += 8) {
            std::uint64_t bytes;
            std::memcpy(&bytes, p + at, sizeof bytes);
            const std::uint64_t rest = bytes & ~tops;
            // The top bit of each byte of these sums says whether it differs from `a`, from `b`, and whether it is above `low`.
            const std::uint64_t plain = ((rest ^ a_ * ones) + ~tops) & ((rest ^ b_ * ones) + ~tops) & (rest + (0x7FU - low_) * ones);
            marks |= ((((~plain | bytes) & tops) >> 7) * 0x0102040810204080U >> 56) << at;
        }
        return marks;
    }

   private:
    static constexpr std::uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    unsigned char a_, b_, low_;
};

// The marked bytes of a text, one after the other.
class mark_finder {
   public:
    mark_finder(const byte_marks& marks, const char* begin, const char* end) noexcept : marks_(marks), end_(end), block_(begin) { load(); }

    /// The next one, or the end of the text.
    [[nodiscard]] const char* next() noexcept {
        const char* const found = peek();
        pass();
        return found;
    }
    /// The same, but it stays the next one.
    [[nodiscard]] const char* peek() noexcept {
        while (bits_ == 0) {
            if (end_ - block_ <= 64) return end_;
            block_ += 64;
            load();
        }
        return block_ + std::countr_zero(bits_);
    }
    /// On to the one after that which was peeked at.
    void pass() noexcept { bits_ &= bits_ - 1; }
    /// Leaves out those before `p`, which is not before the last one.
    void skip_to(const char* p) noexcept {
        while (p - block_ >= 64 && end_ - block_ > 64) {
            block_ += 64;
            load();
        }
        bits_ = p - block_ >= 64 ? 0 : bits_ & (~std::uint64_t{0} << (p - block_));
    }

   private:
    void load() noexcept {
        if (end_ - block_ >= 64) [[likely]] {
            bits_ = marks_(block_);
            return;
        }
        char last[64] = {};
        const auto n = static_cast<std::size_t>(end_ - block_);
        if (n > 0) std::memcpy(last, block_, n);
        bits_ = marks_(last) & ((std::uint64_t{1} << n) - 1);
    }

    byte_marks marks_;
    const char* end_;
    const char* block_;
    std::uint64_t bits_ = 0;  // of the block, those not found yet
};

// Where fields and rows end in 64 bytes of text, and what else there is that means something; bit i stands for byte i.
struct field_marks {
    std::uint64_t fields;  // a delimiter or a line feed; where rows end with a carriage return and a line feed, both
    std::uint64_t rows;    // a line feed
    std::uint64_t odd;     // a quote, a control character that is none of those, what is not ASCII
};

// `delimiter` and `second` are below 0x80. `second` ends fields, too: a carriage return where rows end with two bytes, else
// a line feed once more.
template <std::same_as<char> Char>
[[nodiscard]] field_marks portable_marks_of_fields(const Char* p, Char delimiter, Char second) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    field_marks marks{};
    for (unsigned at = 0; at < 64; at += 8) {
        std::uint64_t bytes;
        std::memcpy(&bytes, p + at, sizeof bytes);
        const auto others = [rest = bytes & ~tops](char c) { return (rest ^ static_cast<unsigned char>(c) * ones) + ~tops; };  // by their top bits
        const auto add = [at](std::uint64_t& to, std::uint64_t top_bits) { to |= ((top_bits & tops) >> 7) * 0x0102040810204080U >> 56 << at; };
        const std::uint64_t fields = ~((others('\n') & others(delimiter) & others(second)) | bytes);
        const std::uint64_t controls = ~((bytes & ~tops) + (0x7FU - '\r') * ones);
        add(marks.fields, fields);
        add(marks.rows, ~(others('\n') | bytes));
        add(marks.odd, ((~others('"') | controls) & ~fields) | bytes);
    }
    return marks;
}
template <std::same_as<char> Char>
[[nodiscard]] CARAMEL_ALWAYS_INLINE field_marks marks_of_fields(const Char* p, Char delimiter, Char second) noexcept {
#if CARAMEL_BYTE_VECTORS
    const auto a = static_cast<unsigned char>(delimiter), b = static_cast<unsigned char>(second);
    field_marks marks{};
    bytes16 odd{};
    for (unsigned at = 0; at < 64; at += 16) {
        bytes16 bytes;
        std::memcpy(&bytes, p + at, sizeof bytes);
        const auto feeds = bytes == '\n', fields = feeds | (bytes == a) | (bytes == b);
        marks.fields |= std::uint64_t{high_bits(reinterpret_cast<bytes16>(fields))} << at;
        marks.rows |= std::uint64_t{high_bits(reinterpret_cast<bytes16>(feeds))} << at;
        odd |= reinterpret_cast<bytes16>(((bytes == '"') | (bytes <= '\r')) & ~fields) | bytes;
    }
    if (high_bits(odd) == 0) [[likely]]
        return marks;
#endif
    return portable_marks_of_fields(p, delimiter, second);
}

// As std::popcount, which calls a function where the instruction set has none of its own.
template <std::same_as<std::uint64_t> Word>
[[nodiscard]] CARAMEL_ALWAYS_INLINE unsigned count_bits(Word word) noexcept {
    word -= word >> 1 & 0x5555555555555555U;
    word = (word & 0x3333333333333333U) + (word >> 2 & 0x3333333333333333U);
    return static_cast<unsigned>(((word + (word >> 4)) & 0x0F0F0F0F0F0F0F0FU) * 0x0101010101010101U >> 56);
}

// Appends `from` + i to `out` for each bit i of `marks`, and returns how many; up to 64 places of `out` are overwritten.
template <std::same_as<std::uint32_t> Place>
CARAMEL_ALWAYS_INLINE std::size_t append_marks(std::uint64_t marks, Place from, Place* out) noexcept {
    const std::size_t n = count_bits(marks);
    const auto append = [&](std::size_t begin, std::size_t end) {  // without a jump for each of them
        for (std::size_t i = begin; i < end; ++i, marks &= marks - 1) out[i] = from + static_cast<Place>(std::countr_zero(marks | std::uint64_t{1} << 63U));
    };
    append(0, 12);
    if (n > 12) [[unlikely]] {
        append(12, 24);
        if (n > 24) append(24, 64);
    }
    return n;
}

}  // namespace detail
}  // namespace caramel::inline CARAMEL_ABI

#endif
