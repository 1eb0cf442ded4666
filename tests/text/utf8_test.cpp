#include <caramel/text/utf8.hpp>

#include <string>

#include "support/catch.hpp"

using namespace caramel;

namespace {

std::string utf8(char32_t c) {
    char out[4];
    return {out, encode_utf8(c, out)};
}

}  // namespace

TEST_CASE("utf8: every scalar value survives encoding and decoding", "[utf8]") {
    std::string text;
    for (char32_t c = 0; c <= 0x10FFFF; ++c)
        if (c < 0xD800 || c > 0xDFFF) text += utf8(c);
    REQUIRE(text.size() == 128 + 1920 * 2 + (63488 - 2048) * 3 + 1048576 * 4);
    CHECK(find_bad_utf8(text) == std::string::npos);
    std::size_t at = 0, wrong = 0;
    for (char32_t c = 0; c <= 0x10FFFF; ++c)
        if (c < 0xD800 || c > 0xDFFF) wrong += decode_utf8(text, at) != c;
    CHECK(wrong == 0);
    CHECK(at == text.size());
}

TEST_CASE("repair_utf8: the tables of the Unicode Standard, and Python", "[utf8]") {
    using namespace std::string_literals;
    const std::string bad = "\xEF\xBF\xBD";
    const auto times = [&](std::size_t n) {
        std::string out;
        for (; n > 0; --n) out += bad;
        return out;
    };
    CHECK(repair_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82" "A") == times(8) + "A");                            // table 3-8
    CHECK(repair_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF" "A") == times(8) + "A");                            // table 3-9
    CHECK(repair_utf8("\xF4\x91\x92\x93\xFF" "A" "\x80\xBF" "B") == times(5) + "A" + times(2) + "B");           // table 3-10
    CHECK(repair_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF" "A") == times(4) + "A");                            // table 3-11
    CHECK(repair_utf8("").empty());
    CHECK(repair_utf8("好 Café") == "好 Café");
    CHECK(repair_utf8("a\0b"s) == "a\0b"s);
    CHECK(repair_utf8("caf\xE9") == "caf" + bad);
    CHECK(repair_utf8("\xF0\x9F\x98") == bad);
    CHECK(repair_utf8("\xE4\xBD") == bad);
    CHECK(repair_utf8("\xF0\x9F\x98\xF0\x9F\x98\x80") == bad + "😀");
    const std::string hostile(1'000'000, '\x80');
    CHECK(repair_utf8(hostile).size() == 3'000'000);
}
