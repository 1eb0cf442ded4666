#include <caramel/core/utf8.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

std::string utf8(char32_t c) {
    const auto behind = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
    if (c < 0x80) return {static_cast<char>(c)};
    if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), behind(0)};
    if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), behind(6), behind(0)};
    return {static_cast<char>(0xF0 | c >> 18), behind(12), behind(6), behind(0)};
}

// Decodes by the bit pattern alone and takes only what comes out the same when encoded again: another road to the same
// definition.
std::size_t find_bad_by_encoding_again(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 0b110 ? 2 : lead >> 4 == 0b1110 ? 3 : lead >> 3 == 0b11110 ? 4 : 0;
        if (length == 0 || at + length > text.size()) return at;
        char32_t c = length == 1 ? lead : lead & (0x7FU >> length);
        for (std::size_t i = 1; i < length; ++i) c = c << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3F);
        if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) || utf8(c) != text.substr(at, length)) return at;
        at += length;
    }
    return std::string::npos;
}

}  // namespace

TEST_CASE("utf8: every scalar value is valid, by itself and among the others", "[utf8]") {
    std::string text;
    std::size_t refused = 0;
    for (char32_t c = 0; c <= 0x10FFFF; ++c)
        if (c < 0xD800 || c > 0xDFFF) {
            text += utf8(c);
            refused += find_bad_utf8(utf8(c)) != std::string::npos;
        }
    CHECK(refused == 0);
    CHECK(find_bad_utf8(text) == std::string::npos);
    CHECK(detail::is_utf8_text(text));
    CHECK_FALSE(detail::is_utf8_text(text.substr(0, text.size() - 1)));
}

TEST_CASE("utf8: the offset of the first bad byte", "[utf8][error]") {
    using namespace std::string_literals;
    // Python 3: bytes.decode("utf-8") -> UnicodeDecodeError.start
    const std::vector<std::pair<std::string, std::size_t>> cases = {
        {"\x80"s, 0},                          // a continuation byte alone
        {"abc\xBF"s, 3},                       //
        {"\xC0\x80"s, 0},                      // overlong NUL
        {"\xC1\xBF"s, 0},                      // overlong
        {"ab\xC3"s, 2},                        // cut off
        {"\xC3("s, 0},                         // no continuation
        {"\xE0\x80\x80"s, 0},                  // overlong in three bytes
        {"\xE0\x9F\xBF"s, 0},                  //
        {"\xE4\xBD\xA0\xE4\xBD"s, 3},          // cut off behind a good one
        {"\xE4\xBD"s + "a", 0},                //
        {"a\xED\xA0\x80"s, 1},                 // surrogate U+D800
        {"a\xED\xBF\xBF"s, 1},                 // surrogate U+DFFF
        {"\xED\x9F\xBF\xEE\x80\x80\xFF"s, 6},  // U+D7FF and U+E000 are fine
        {"\xF0\x80\x80\x80"s, 0},              // overlong in four bytes
        {"\xF0\x8F\xBF\xBF"s, 0},              //
        {"\xF0\x9F\x98"s, 0},                  // cut off
        {"\xF4\x8F\xBF\xBF\xF4\x90\x80\x80"s, 4},  // U+10FFFF is the last
        {"\xF5\x80\x80\x80"s, 0},              //
        {"\xFE"s, 0},                          // never in UTF-8
        {"\xFF"s, 0},                          //
        {"\xFF\xFEh\x00"s, 0},                 // UTF-16
        {"caf\xE9 au lait"s, 3},               // Latin-1
        {"0123456789abcdef\xFF"s, 16},         // behind sixteen bytes at a time
        {"0123456\xFF"s, 7},
        {"0123456789abcde\xFF"s, 15},
        {"0123456789abcdef0123456789abcdef\xC3\xA9 0123456789abcdef \xC3"s, 52},
        {"01234567\xFF"s, 8},
    };
    for (const auto& [text, bad] : cases) {
        CAPTURE(bad, text.size());
        CHECK(find_bad_utf8(text) == bad);
        CHECK(find_bad_by_encoding_again(text) == bad);
    }
    CHECK(find_bad_utf8("") == std::string::npos);
    CHECK(find_bad_utf8("a\0b"s) == std::string::npos);  // NUL is a character
}

TEST_CASE("utf8: agrees with encoding again on all pairs of bytes and on random ones", "[utf8]") {
    std::size_t differences = 0;
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; ++b)
            for (const char* behind : {"", "\x80", "\x80\x80", "a"}) {
                const std::string text = std::string{static_cast<char>(a), static_cast<char>(b)} + behind;
                differences += find_bad_utf8(text) != find_bad_by_encoding_again(text);
            }
    CHECK(differences == 0);
    rng numbers(7);
    std::size_t bad_ones = 0;
    for (int i = 0; i < 50'000; ++i) {  // good text with one byte changed
        std::string text;
        for (std::uint64_t n = numbers.below(12); n > 0; --n) {
            const std::uint64_t c = numbers.below(std::array<std::uint64_t, 4>{0x80, 0x800, 0xD800, 0x110000}[numbers.below(4)]);
            if (c < 0xD800 || c > 0xDFFF) text += utf8(static_cast<char32_t>(c));
        }
        if (!text.empty()) text[numbers.below(text.size())] = static_cast<char>(numbers.below(256));
        const auto bad = find_bad_utf8(text);
        differences += bad != find_bad_by_encoding_again(text);
        bad_ones += bad != std::string::npos;
    }
    CHECK(differences == 0);
    CHECK(bad_ones > 10'000);
}

TEST_CASE("utf8: the error names row and byte, not the text", "[utf8][error]") {
    const auto e = error_of([] { require_utf8("secret\xFF", 3, "here"); });
    CHECK(e.code() == errc::bad_utf8);
    CHECK(e.where() == place{.row = 3, .byte = 7});
    CHECK(std::string(e.what()) == "here: text 3 is not UTF-8 from byte 7 of 7 on");
    CHECK_NOTHROW(require_utf8("fine", 3, "here"));
}

TEST_CASE("utf8: a bad byte is found wherever it stands", "[utf8]") {
    for (std::size_t length = 1; length < 70; ++length)
        for (std::size_t bad = 0; bad < length; ++bad) {
            std::string text(length, 'a');
            text[bad] = '\x80';
            REQUIRE(find_bad_utf8(text) == bad);
        }
}

// Longer texts are checked many bytes at a time: the same verdict as one sequence after the other.
TEST_CASE("utf8: every short sequence within a longer text", "[utf8]") {
    std::string text;
    while (text.size() < 170) text += "ab\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80z";
    text.resize(160, 'x');
    std::size_t differences = 0, bad = 0, at = 3;
    REQUIRE(find_bad_utf8(text) == std::string::npos);
    const auto check = [&](std::initializer_list<int> bytes) {
        if (++at == 150) at = 1;
        const std::string before = text.substr(at - 1, 6);
        text[at - 1] = 'a';  // what stood there may be cut by it
        for (const int byte : bytes) text[at++] = static_cast<char>(byte);
        at -= bytes.size();
        const std::size_t found = find_bad_utf8(text);
        differences += found != detail::find_bad_sequence(text, 0);
        bad += found != std::string::npos;
        text.replace(at - 1, 6, before);
    };
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; ++b) {
            check({a, b});
            for (const int c : {0x7F, 0x80, 0xBF, 0xC2, 0xE1})
                for (const int d : {0x00, 0x8F, 0xBF, 0xF1}) check({a, b, c, d});
        }
    CHECK(differences == 0);
    CHECK(bad > 1'000'000);
}
TEST_CASE("utf8: long texts with bytes changed, dropped and cut off", "[utf8]") {
    rng numbers(11);
    std::size_t differences = 0, bad = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        const std::uint64_t size = 100 + numbers.below(300), ascii = numbers.below(3);
        while (text.size() < size) {
            const std::uint64_t c = numbers.below(std::array<std::uint64_t, 4>{0x80, 0x800, 0xD800, 0x110000}[ascii == 0 ? 0 : numbers.below(4)]);
            if (c < 0xD800 || c > 0xDFFF) text += utf8(static_cast<char32_t>(c));
        }
        const std::uint64_t kind = numbers.below(4);
        if (kind == 0) text[numbers.below(text.size())] = static_cast<char>(numbers.below(256));
        else if (kind == 1) text.erase(numbers.below(text.size()), 1);
        else if (kind == 2) text = text.substr(0, text.size() - numbers.below(4));
        const std::size_t found = find_bad_utf8(text);
        differences += found != detail::find_bad_sequence(text, 0);
        if (i % 20 == 0) differences += found != find_bad_by_encoding_again(text);
        bad += found != std::string::npos;
    }
    CHECK(differences == 0);
    CHECK(bad > 2'000);
}
