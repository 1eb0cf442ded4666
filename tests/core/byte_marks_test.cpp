#include <caramel/core/byte_marks.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

constexpr char low = '\r';
bool is_marked(char c, char a, char b) { return c == a || c == b || static_cast<unsigned char>(c) <= static_cast<unsigned char>(low) || static_cast<unsigned char>(c) >= 0x80; }

std::string random_text(rng& random, std::size_t length) {
    std::string text;
    while (text.size() < length) text += random.below(4) == 0 ? static_cast<char>(random.below(256)) : "ab,\"\n; "[random.below(7)];
    return text;
}

}  // namespace

TEST_CASE("byte_marks: every byte in every place, as one comparison a byte", "[byte_marks]") {
    for (const char a : {',', ';', '\t', '|', '\x01', '\x7F'}) {
        const detail::byte_marks marks(a, '"', low);
        std::size_t wrong = 0;
        for (int c = 0; c < 256; ++c)
            for (std::size_t at = 0; at < 64; ++at) {
                char text[64];
                for (char& plain : text) plain = 'x';
                text[at] = static_cast<char>(c);
                const std::uint64_t expected = is_marked(text[at], a, '"') ? std::uint64_t{1} << at : 0;
                wrong += marks(text) != expected;
                wrong += marks.portable(text) != expected;
            }
        CHECK(wrong == 0);
    }
}

TEST_CASE("byte_marks: both ways agree on random bytes", "[byte_marks]") {
    rng random(5);
    const detail::byte_marks marks(';', '"', low);
    for (int i = 0; i < 2'000; ++i) {
        const std::string text = random_text(random, 64);
        std::uint64_t expected = 0;
        for (std::size_t at = 0; at < 64; ++at) expected |= std::uint64_t{is_marked(text[at], ';', '"')} << at;
        REQUIRE(marks(text.data()) == expected);
        REQUIRE(marks.portable(text.data()) == expected);
    }
}

TEST_CASE("mark_finder: finds all marks of texts of any length, and leaves out what it is told to", "[byte_marks]") {
    rng random(6);
    const detail::byte_marks marks(',', '"', low);
    for (std::size_t length = 0; length < 300; ++length) {
        const std::string text = random_text(random, length);
        const char *const begin = text.data(), *const end = begin + text.size();
        detail::mark_finder all(marks, begin, end), some(marks, begin, end);
        for (std::size_t at = 0; at <= length; ++at)
            if (at == length || is_marked(text[at], ',', '"')) REQUIRE(all.next() == begin + at);
        CHECK(all.next() == end);  // again and again
        for (std::size_t at = 0; at < length;) {
            while (at < length && !is_marked(text[at], ',', '"')) ++at;
            REQUIRE(some.next() == begin + at);
            at = std::min<std::size_t>(length, at + 1 + random.below(random.below(2) == 0 ? 5 : 150));
            some.skip_to(begin + at);
        }
    }
}

TEST_CASE("field_marks: every byte in every place, and random ones", "[byte_marks]") {
    rng random(8);
    const auto expected = [](const char* text, char delimiter, bool crlf) {
        detail::field_marks marks{};
        for (std::size_t at = 0; at < 64; ++at) {
            const char c = text[at];
            const bool row = c == '\n', field = row || c == delimiter || (crlf && c == '\r');
            marks.rows |= std::uint64_t{row} << at;
            marks.fields |= std::uint64_t{field} << at;
            marks.odd |= std::uint64_t{!field && is_marked(c, '"', '"')} << at;
        }
        return marks;
    };
    const auto agrees = [&](const char* text, char delimiter) {
        for (const bool crlf : {false, true}) {
            const auto e = expected(text, delimiter, crlf);
            const char second = crlf ? '\r' : '\n';
            for (const auto& got : {detail::marks_of_fields(text, delimiter, second), detail::portable_marks_of_fields(text, delimiter, second)})
                if (got.fields != e.fields || got.rows != e.rows || got.odd != e.odd) return false;
        }
        return true;
    };
    std::size_t wrong = 0;
    for (const char delimiter : {',', '\t', '\x01', '\x7F'})
        for (int c = 0; c < 256; ++c)
            for (std::size_t at = 0; at < 64; ++at) {
                char text[64];
                for (char& plain : text) plain = 'x';
                text[at] = static_cast<char>(c);
                wrong += !agrees(text, delimiter);
            }
    CHECK(wrong == 0);
    for (int i = 0; i < 2'000; ++i) wrong += !agrees(random_text(random, 64).data(), ';');
    CHECK(wrong == 0);
}

TEST_CASE("append_marks: the place of every bit, whatever their number", "[byte_marks]") {
    rng random(9);
    for (std::uint64_t n = 0; n <= 64; ++n)
        for (int trial = 0; trial < 20; ++trial) {
            std::uint64_t marks = 0;
            std::vector<std::uint32_t> expected, got(64);
            for (std::uint64_t at = 0; at < 64; ++at)
                if (random.below(64) < n) {
                    marks |= std::uint64_t{1} << at;
                    expected.push_back(static_cast<std::uint32_t>(1000 + at));
                }
            CHECK(detail::count_bits(marks) == expected.size());
            got.resize(detail::append_marks(marks, std::uint32_t{1000}, got.data()));
            CHECK(got == expected);
        }
}
