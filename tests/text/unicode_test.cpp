#include <caramel/text/unicode.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using namespace caramel;

namespace unicode_test {

namespace {

constexpr char32_t limit = 0x110000;
constexpr std::array<std::string_view, 30> abbreviations{"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
                                                         "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn"};

const std::filesystem::path database = "/usr/share/unicode";  // Debian's package unicode-data

// The database of the version that the tables were made from, or leave the test.
#define UNICODE_DATABASE_OR_SKIP()                                                                                                               \
    if (std::string first; !std::getline(std::ifstream(database / "PropList.txt"), first) || first != "# PropList-15.0.0.txt") {         \
        WARN("skipped: Unicode 15.0 is not in " << database << " (apt-get install unicode-data)");                                        \
        return;                                                                                                                          \
    }

// The fields of each line, without comments and spaces.
std::vector<std::vector<std::string>> lines_of(const char* name) {
    std::vector<std::vector<std::string>> out;
    std::ifstream in(database / name);
    for (std::string line; std::getline(in, line);) {
        line.erase(std::min(line.find('#'), line.size()));
        std::vector<std::string> fields;
        for (std::size_t at = 0; at <= line.size();) {
            const std::size_t end = std::min(line.find(';', at), line.size());
            std::string field = line.substr(at, end - at);
            while (!field.empty() && field.back() == ' ') field.pop_back();
            while (!field.empty() && field.front() == ' ') field.erase(0, 1);
            fields.push_back(field);
            at = end + 1;
        }
        if (fields.size() > 1) out.push_back(fields);
    }
    return out;
}
char32_t hex(const std::string& digits) { return static_cast<char32_t>(std::stoul(digits, nullptr, 16)); }

std::vector<bool> having(const char* file, std::string_view value) {
    std::vector<bool> out(limit);
    for (const auto& line : lines_of(file))
        if (line[1] == value) {
            const std::size_t dots = line[0].find("..");
            const char32_t last = dots == std::string::npos ? hex(line[0]) : hex(line[0].substr(dots + 2));
            for (char32_t c = hex(line[0]); c <= last; ++c) out[c] = true;
        }
    return out;
}

}  // namespace

TEST_CASE("unicode: some properties everybody knows", "[unicode]") {
    CHECK(category_of(U'A') == general_category::lu);
    CHECK(category_of(U'\u00DF') == general_category::ll);
    CHECK(category_of(U'\u0101') == general_category::ll);  // in a run of alternating cases
    CHECK(category_of(U'\u0100') == general_category::lu);
    CHECK(category_of(U'\u4F60') == general_category::lo);
    CHECK(category_of(U'\u0301') == general_category::mn);
    CHECK(category_of(U'7') == general_category::nd);
    CHECK(category_of(U'_') == general_category::pc);
    CHECK(category_of(U'\u3000') == general_category::zs);
    CHECK(category_of(U'\U0001F600') == general_category::so);
    CHECK(category_of(U'\uE000') == general_category::co);
    CHECK(category_of(0xD800) == general_category::cs);
    CHECK(category_of(0x10FFFF) == general_category::cn);
    CHECK(category_of(0x110000) == general_category::cn);
    CHECK(category_of(0xFFFFFFFF) == general_category::cn);
    CHECK(is_cjk_ideograph(U'\u4F60'));
    CHECK(is_cjk_ideograph(U'\u3007'));
    CHECK(is_cjk_ideograph(U'\U00020000'));
    CHECK_FALSE(is_cjk_ideograph(U'\u3042'));      // hiragana
    CHECK_FALSE(is_cjk_ideograph(U'\uAC00'));      // hangul
    CHECK_FALSE(is_cjk_ideograph(U'\uFF0C'));      // full-width comma
    CHECK_FALSE(is_cjk_ideograph(U'\U00017000'));  // Tangut: ideographic, not Han
    CHECK(lower_case(U'\u00C9') == U'\u00E9');
    CHECK(lower_case(U'\u0130') == U'i');
    CHECK(lower_case(U'\u1E9E') == U'\u00DF');
    CHECK(lower_case(U'\u212A') == U'k');      // Kelvin sign
    CHECK(lower_case(U'\u023A') == U'\u2C65');  // longer in UTF-8
    CHECK(lower_case(U'\u03C2') == U'\u03C2');
    CHECK(fold_case(U'\u03C2') == U'\u03C3');
    CHECK(fold_case(U'\u017F') == U's');
    CHECK(fold_case(U'\u0130') == U'\u0130');
    static_assert(unicode_version == 1500);
    static_assert(category_of(U'a') == general_category::ll);
}

TEST_CASE("unicode: each category belongs to exactly one class", "[unicode]") {
    int letters = 0, marks = 0, numbers = 0, punctuation = 0, symbols = 0;
    for (std::uint8_t i = 0; i < abbreviations.size(); ++i) {
        const auto g = static_cast<general_category>(i);
        const char major = abbreviations[i][0];
        CHECK(is_letter(g) == (major == 'L'));
        CHECK(is_mark(g) == (major == 'M'));
        CHECK(is_number(g) == (major == 'N'));
        CHECK(is_punctuation(g) == (major == 'P'));
        CHECK(is_symbol(g) == (major == 'S'));
        letters += is_letter(g), marks += is_mark(g), numbers += is_number(g), punctuation += is_punctuation(g), symbols += is_symbol(g);
    }
    CHECK(std::array{letters, marks, numbers, punctuation, symbols} == std::array{5, 3, 3, 7, 4});
}

TEST_CASE("unicode: categories and lower case of all code points are those of UnicodeData.txt", "[unicode]") {
    UNICODE_DATABASE_OR_SKIP();
    std::vector<std::string> category(limit, "Cn");
    std::map<char32_t, char32_t> lower;
    char32_t first = 0;
    for (const auto& line : lines_of("UnicodeData.txt")) {
        const char32_t c = hex(line[0]);
        if (line[1].ends_with(", First>")) first = c;
        for (char32_t i = line[1].ends_with(", Last>") ? first : c; i <= c; ++i) category[i] = line[2];
        if (!line[13].empty()) lower[c] = hex(line[13]);
    }
    REQUIRE(lower.size() == 1433);
    std::size_t wrong_category = 0, wrong_lower = 0, letters = 0;
    for (char32_t c = 0; c < limit; ++c) {
        wrong_category += abbreviations[static_cast<std::size_t>(category_of(c))] != category[c];
        wrong_lower += lower_case(c) != (lower.contains(c) ? lower[c] : c);
        letters += is_letter(category_of(c));
    }
    CHECK(wrong_category == 0);
    CHECK(wrong_lower == 0);
    CHECK(letters == 136'104);
}

TEST_CASE("unicode: case folding of all code points is that of CaseFolding.txt", "[unicode]") {
    UNICODE_DATABASE_OR_SKIP();
    std::map<char32_t, char32_t> fold;
    for (const auto& line : lines_of("CaseFolding.txt"))
        if (line[1] == "C" || line[1] == "S") fold[hex(line[0])] = hex(line[2]);
    REQUIRE(fold.size() == 1454);
    std::size_t wrong = 0, unstable = 0;
    for (char32_t c = 0; c < limit; ++c) {
        wrong += fold_case(c) != (fold.contains(c) ? fold[c] : c);
        unstable += fold_case(fold_case(c)) != fold_case(c);
    }
    CHECK(wrong == 0);
    CHECK(unstable == 0);
}

TEST_CASE("unicode: CJK ideographs are the ideographic characters of the Han script", "[unicode]") {
    UNICODE_DATABASE_OR_SKIP();
    const auto ideographic = having("PropList.txt", "Ideographic"), han = having("Scripts.txt", "Han"), unified = having("PropList.txt", "Unified_Ideograph");
    std::size_t wrong = 0, missing = 0;
    for (char32_t c = 0; c < limit; ++c) {
        wrong += is_cjk_ideograph(c) != (ideographic[c] && han[c]);
        missing += unified[c] && !is_cjk_ideograph(c);
    }
    CHECK(wrong == 0);
    CHECK(missing == 0);
}

}  // namespace unicode_test
