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
