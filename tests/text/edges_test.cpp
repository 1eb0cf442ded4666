#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/text/analogies.hpp>
#include <caramel/text/clean.hpp>
#include <caramel/text/encoding.hpp>
#include <caramel/text/normalize.hpp>
#include <caramel/text/tfidf.hpp>
#include <caramel/text/unicode.hpp>
#include <caramel/text/wordpiece.hpp>

#include "support/catch.hpp"

// Rare turns of single text components: what the tests of whole data sets do not come past.

using namespace caramel;
namespace edges_test {
namespace {

using ids = std::vector<token_id>;
using strings = std::vector<std::string>;
constexpr double inf = std::numeric_limits<double>::infinity();

errc code_of(const auto& work) { return error_of(work).code(); }
wordpiece_model tokenizer(strings tokens, wordpiece_rules rules = {}, special_tokens special = {}) {
    return {vocabulary(std::move(tokens)), std::move(rules), std::move(special), {}, {}};
}
std::string utf8_of(std::u32string_view points) {
    std::string out;
    for (const char32_t c : points) {
        char bytes[4];
        out.append(bytes, encode_utf8(c, bytes));
    }
    return out;
}

}  // namespace

TEST_CASE("wordpiece: marks that stay are put in canonical order, whatever stands between and before them", "[wordpiece][edge]") {
    // Accents (category Mn) go, the marks of Hangul tones and of music (Mc, classes 224 and 216) stay; format characters go first.
    const std::u32string alphabet = U"ab\u0301\u0323\u302E\u302F\U0001D165\U0001D16D\U0001D15E\U0001D160\u00AD\u200B\u00E9\u03A3";
    strings tokens{"[UNK]"};
    const std::u32string known = U"abe\u302E\u302F\U0001D165\U0001D16D\U0001D157\U0001D158\U0001D16E\u03C3\u03C2";
    for (const char32_t c : known) {
        tokens.push_back(utf8_of({&c, 1}));
        tokens.push_back("##" + tokens.back());
    }
    const wordpiece_model m = tokenizer(tokens);
    rng random(5);
    for (int round = 0; round < 4000; ++round) {
        std::u32string points;
        for (std::size_t n = 1 + random.below(9); n > 0; --n) points += alphabet[random.below(alphabet.size())];
        // By definition: format characters out, decomposed, accents out, each character in lower case.
        std::u32string kept;
        for (const char32_t c : points)
            if (c != 0xAD && c != 0x200B) kept += c;
        std::string expected;
        const std::string decomposed = normalize(utf8_of(kept), normal_form::nfd);
        for (std::size_t at = 0; at < decomposed.size();)
            if (const char32_t c = decode_utf8(decomposed, at); category_of(c) != general_category::mn) expected += lower_case(utf8_of(std::u32string(1, c)));
        const std::string text = utf8_of(points);
        CAPTURE(text, round);
        const encoding e = m.encode(text, {.special_tokens = false});
        std::string spelled;
        for (const token_id id : e.ids) {
            REQUIRE(id != 0);
            const std::string& token = tokens[static_cast<std::size_t>(id)];
            spelled += token.starts_with("##") ? token.substr(2) : token;
        }
        REQUIRE(spelled == expected);
        for (const byte_span& span : e.offsets) REQUIRE((span.begin < span.end && span.end <= text.size()));
    }
}
TEST_CASE("wordpiece: a long word of a list of whole words is found as a short one is", "[wordpiece]") {
    const wordpiece_model m = tokenizer({"[UNK]", "internationalization", "cat"}, {.whole_words = true});
    CHECK(m.encode("internationalization cat internationalizations", {.special_tokens = false}).ids == ids{1, 2, 0});
    CHECK(m.encode("Internationaliz\u00E1tion", {.special_tokens = false}).ids == ids{1});
}
TEST_CASE("wordpiece: rules that contradict each other", "[wordpiece][error]") {
    const auto bad = [](const wordpiece_rules& rules) { return code_of([&] { (void)tokenizer({"[UNK]"}, rules); }); };
    CHECK(bad({.rules = static_cast<bert_rules>(9)}) == errc::bad_data);
    CHECK(bad({.split = static_cast<word_split>(9)}) == errc::bad_data);
    CHECK(bad({.split_chinese = true, .split = word_split::none}) == errc::bad_parameter);
    CHECK(bad({.rules = bert_rules::google, .split_chinese = false, .split = word_split::none}) == errc::bad_parameter);
}
TEST_CASE("encoding: special tokens of several types around one text", "[encoding]") {
    const special_tokens around({1, special_tokens::first_text, 2}, {3, 4, 5}, {1, special_tokens::first_text, special_tokens::second_text}, {0, 0, 1});
    const wordpiece_model m = tokenizer({"[UNK]", "[CLS]", "[SEP]", "cat"}, {}, around);
    const encoding e = m.encode("cat cat", encode_options{});
    CHECK(e.ids == ids{1, 3, 3, 2});
    CHECK(e.type_ids == std::vector<std::uint8_t>{3, 4, 4, 5});
    CHECK(e.special == std::vector<std::uint8_t>{1, 0, 0, 1});
    CHECK(m.encode("cat", {.special_tokens = false}).type_ids == std::vector<std::uint8_t>{4});
    CHECK(code_of([] { (void)special_tokens({special_tokens::first_text}, {}, {special_tokens::first_text, special_tokens::second_text}, {0, 1}); }) == errc::bad_data);
    CHECK(code_of([] { (void)special_tokens({special_tokens::first_text}, {0}, {special_tokens::first_text, special_tokens::second_text}, {0}); }) == errc::bad_data);
}
TEST_CASE("encoding: what cannot be cut", "[encoding][error]") {
    const wordpiece_model m = tokenizer({"[UNK]", "cat"});
    const encode_options second{.special_tokens = false, .max_length = 1, .order = truncation_order::only_second};
    CHECK(code_of([&] { (void)m.encode("cat cat", second); }) == errc::bad_parameter);       // there is no second text
    CHECK(code_of([&] { (void)m.encode_pair("cat", "cat", second); }) == errc::bad_parameter);  // the first one fills all
    CHECK(m.encode("cat", second).ids == ids{1});
    CHECK(m.encode_pair("", "cat cat", second).ids == ids{1});
    const encode_options first{.special_tokens = false, .max_length = 2, .order = truncation_order::only_first};
    CHECK(m.encode_pair("cat cat", "cat", first).ids == ids{1, 1});
    CHECK(code_of([&] { (void)m.encode_pair("cat", "cat cat", first); }) == errc::bad_parameter);
    CHECK(code_of([] { (void)code_point_spans("abc", std::vector<byte_span>{{0, 4}}); }) == errc::bad_parameter);
    CHECK(code_of([] { (void)code_point_spans("abc", std::vector<byte_span>{{2, 1}}); }) == errc::bad_parameter);
}
TEST_CASE("clean: telephone numbers and what only looks like one", "[text_clean]") {
    const replace_phones phones("P");
    for (const char* number : {"+4930123456", "0123456789", "(030) 1234567", "(030)-123-4567", "030/123-4567", "030.123.45.6789", "555-1234", "1.555.123.4567"})
        CHECK(phones(number) == "P");
    for (const char* stays : {"123456789", "12345678901234", "2024-01-15", "15.01.2024", "1/2/2024", "1234567.89", "192.168.100.200", "12 34 567", "123 45",
                              "1 234 567 890", "5551234567_", "5551234567%", "x5551234567", ".5551234567", ",5551234567", "_5551234567", "()", "+", "(5"})
        CHECK(phones(stays) == stays);
    CHECK(phones("2024-1-15 and 1-15-2024") == "2024-1-15 and 1-15-2024");
    CHECK(phones("192.168.100.2000") == "P");       // four groups, but no address
    CHECK(phones("(555)1234567 (555) (1234567)") == "P (555) (1234567)");
    CHECK(phones("1-2-3-4-5-6-7-8-9") == "P-9");   // eight groups at most
}
TEST_CASE("clean: addresses at the limits of their length", "[text_clean][edge]") {
    const replace_emails emails("E");
    CHECK(emails(std::string(64, 'a') + "@b.cc") == "E");
    CHECK(emails(std::string(70, 'a') + "@b.cc") == "aaaaaaE");  // 64 at most before the @
    CHECK(emails("..a@b.cc") == "..E");
    CHECK(emails("...@b.cc") == "...@b.cc");
    CHECK(emails("a@" + std::string(251, 'b') + ".cc") == "E");
    CHECK(emails("a@" + std::string(300, 'b') + ".cc") == "a@" + std::string(300, 'b') + ".cc");
    CHECK(emails("a@b.c1d.ee") == "E");
    CHECK(emails("a@b.cc9") == "a@b.cc9");
    CHECK(emails("_@b-c.dd") == "E");
}
TEST_CASE("clean: a cleaning stage shows its settings", "[text_clean]") {
    const handle_emoji emoji(emoji_policy::remove, "*");
    CHECK(emoji.policy() == emoji_policy::remove);
    CHECK(emoji.with() == "*");
}
TEST_CASE("analogies: files with blank lines, comments and spaces at the end", "[analogies]") {
    const auto pairs = parse_word_pairs(std::string_view("# word1 word2 score\n\ncat,dog, 7.5 \nsun\tmoon\t3\n"));
    REQUIRE(pairs.size() == 2);
    CHECK(pairs[0].second == "dog");
    CHECK(pairs[0].score == 7.5);
    CHECK(pairs[1].first == "sun");
    const auto bad = [](std::string_view text) { return error_of([&] { (void)parse_word_pairs(text); }); };
    CHECK(bad("a b 1\na b 1 2\n").code() == errc::ragged_row);
    CHECK(bad("a b 1\na b 1 2\n").where().row == 2);
    CHECK(bad("a b x\n").code() == errc::bad_number);
    CHECK(bad("a b 1x\n").code() == errc::bad_number);
    CHECK(bad("a b inf\n").code() == errc::bad_number);
    const auto analogies = parse_analogies(std::string_view("\na b c d\n: \ne f g h \n: capitals\n"));
    CHECK(analogies.sections == strings{"", "", "capitals"});
    REQUIRE(analogies.questions.size() == 2);
    CHECK(analogies.questions[1].section == 1);
    CHECK(code_of([] { (void)parse_analogies(std::string_view("a b c d e\n")); }) == errc::ragged_row);
    CHECK(code_of([] { (void)parse_analogies(std::string_view("a b c\n")); }) == errc::ragged_row);
    CHECK(analogy_result{}.accuracy() == 0);
    CHECK(analogy_result{.correct = 1, .asked = 4}.accuracy() == 0.25);
}
TEST_CASE("analogies: rank correlation of what is constant, tied or not finite", "[analogies][edge]") {
    using numbers = std::vector<double>;
    CHECK(spearman(numbers{1, 2, 3}, numbers{10, 20, 40}) == 1);
    CHECK(spearman(numbers{1, 2, 3}, numbers{3, 3, 3}) == 0);
    CHECK(spearman(numbers{3, 3, 3}, numbers{1, 2, 3}) == 0);
    CHECK(spearman(numbers{}, numbers{}) == 0);
    CHECK(spearman(numbers{1, 1, 2}, numbers{1, 2, 3}) == Approx(std::sqrt(0.75)));
    CHECK(code_of([] { (void)spearman(numbers{1}, numbers{1, 2}); }) == errc::shape_mismatch);
    CHECK(code_of([] { (void)spearman(numbers{1, inf}, numbers{1, 2}); }) == errc::nan_or_inf);
    CHECK(error_of([] { (void)spearman(numbers{1, 2}, numbers{1, std::nan("")}); }).where().row == 2);
}
TEST_CASE("tfidf: fields that do not belong together", "[tfidf][error]") {
    const auto settings = [](const std::vector<std::int32_t>& ranges, std::uint8_t weight, std::uint32_t bits, double k1, double b, double mean, bool balanced = false) {
        return code_of([&] { (void)tfidf_settings(ranges, true, weight, true, balanced, bits, 0, k1, b, mean, unicode_version); });
    };
    const std::vector<std::int32_t> words{0, 1, 1};
    CHECK(settings({0, 1}, 0, 0, 1, 0.5, 1) == errc::bad_data);
    CHECK(settings({-1, 1, 1}, 0, 0, 1, 0.5, 1) == errc::bad_data);
    CHECK(settings({0, -1, 1}, 0, 0, 1, 0.5, 1) == errc::bad_data);
    CHECK(settings({0, 1, -1}, 0, 0, 1, 0.5, 1) == errc::bad_data);
    CHECK(settings({256, 1, 1}, 0, 0, 1, 0.5, 1) == errc::bad_data);
    CHECK(settings(words, 99, 0, 1, 0.5, 1) == errc::bad_parameter);
    CHECK(settings(words, 0, 29, 1, 0.5, 1) == errc::bad_parameter);
    CHECK(settings(words, 0, 8, 1, 0.5, 1, true) == errc::bad_parameter);
    CHECK(settings(words, 0, 0, -1, 0.5, 1) == errc::bad_parameter);
    CHECK(settings(words, 0, 0, 1e7, 0.5, 1) == errc::bad_parameter);
    CHECK(settings(words, 0, 0, 1, -0.1, 1) == errc::bad_parameter);
    CHECK(settings(words, 0, 0, 1, 1.1, 1) == errc::bad_parameter);
    CHECK(settings(words, 0, 0, 1, 0.5, 0) == errc::bad_data);
    CHECK(settings(words, 0, 0, 1, 0.5, inf) == errc::bad_data);
    CHECK(code_of([&] { (void)tfidf_settings(words, true, 0, true, false, 0, 0, 1, 0.5, 1, unicode_version + 100); }) == errc::unsupported_version);
    const auto factors = [](std::initializer_list<double> all) {
        vec<double> out(static_cast<row_index>(all.size()));
        std::copy(all.begin(), all.end(), out.data());
        return out;
    };
    const auto model = [](const strings& names, const std::vector<std::uint8_t>& units, const vec<double>& factor, std::uint32_t bits = 0) {
        tfidf_settings of;
        of.hash_bits = bits;
        return code_of([&] { (void)tfidf_model<double>(of, names, units, factor); });
    };
    CHECK(model({"a"}, {}, factors({1})) == errc::bad_data);
    CHECK(model({"a"}, {0}, factors({1, 2})) == errc::bad_data);
    CHECK(model({"a"}, {0}, factors({inf})) == errc::bad_data);
    CHECK(model({"a"}, {0}, factors({-1})) == errc::bad_data);
    CHECK(model({"a"}, {200}, factors({1})) == errc::bad_data);
    CHECK(model({}, {}, factors({1}), 1) == errc::bad_data);
    CHECK(model({"a"}, {0}, factors({1, 1}), 1) == errc::bad_data);
}

}  // namespace edges_test
