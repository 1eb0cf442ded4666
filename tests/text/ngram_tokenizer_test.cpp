#include <caramel/text/ngram_tokenizer.hpp>

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;
using strings = std::vector<std::string>;

namespace {

strings characters_of(std::string_view text, bool spaces = false) {
    strings out;
    split_characters(text, [&](std::size_t begin, std::size_t end) { out.emplace_back(text.substr(begin, end - begin)); }, spaces);
    return out;
}

template <class Model>
strings pieces_of(const Model& m, const std::string& text) {
    strings out;
    m.each_token(text, [&](token_id, std::size_t begin, std::size_t end) { out.push_back(text.substr(begin, end - begin)); });
    return out;
}

}  // namespace

TEST_CASE("split_characters: by hand", "[ngram_tokenizer]") {
    CHECK(characters_of("Ab, 你好！") == strings{"A", "b", ",", "你", "好", "！"});
    CHECK(characters_of("e\u0301x 葛\U000E0100❤\uFE0F") == strings{"e\u0301", "x", "葛\U000E0100", "❤\uFE0F"});
    CHECK(characters_of("\u0301a") == strings{"\u0301", "a"});
    CHECK(characters_of("a \t\n b", true) == strings{"a", " \t\n ", "b"});
    CHECK(characters_of("").empty());
    CHECK(characters_of(" \u3000\u200B").empty());
    CHECK(error_of([] { split_characters("a\xFF", [](std::size_t, std::size_t) {}); }).where() == place{.row = 1, .byte = 2});
}

TEST_CASE("char_tokenizer: worked by hand", "[ngram_tokenizer]") {
    const auto m = fit(char_tokenizer{}, strings{"aB a", "", "好a"});
    CHECK(m.tokens().tokens() == strings{"a", "b", "好"});
    const auto ids = m(strings{"A好 c", ""});
    CHECK(ids.values() == std::vector<token_id>{1, 3, 0});
    CHECK(ids.starts() == std::vector<std::int64_t>{0, 3, 3});
    CHECK(ids.vocabulary_size == 4);
    CHECK(m.decode(m("ba?")) == strings{"b", "a", "[UNK]"});
    CHECK(pieces_of(m, "A 好") == strings{"A", "好"});
    const auto spaces = fit(char_tokenizer{.lowercase = false, .max_tokens = 3, .keep_spaces = true}, strings{"a  B", "B"});
    CHECK(spaces.tokens().tokens() == strings{"B", " ", "a"});
    CHECK(spaces("a \t B B") == std::vector<token_id>{3, 2, 1});
    const auto again = std::apply([](const auto&... field) { return char_tokenizer_model(field...); }, spaces.fields());
    CHECK(again.fields() == spaces.fields());
    CHECK(error_of([] { (void)fit(char_tokenizer{}, strings{}); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)fit(char_tokenizer{.min_count = 0}, strings{"a"}); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(char_tokenizer{.max_vocabulary = 0}, strings{"a"}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)m(strings{"a", "\xFF"}); }).where() == place{.row = 2, .byte = 1});
    CHECK(error_of([] { (void)char_tokenizer_model(vocabulary({"a"}, 0), true, true, 0); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)char_tokenizer_model(vocabulary({"\xFF"}, 1), true, true, 0); }).code() == errc::bad_utf8);
    CHECK(error_of([] { (void)char_tokenizer_model(vocabulary({"a"}, 1), true, true, 0, 9999); }).code() == errc::unsupported_version);
    std::string marks = "a";  // a character longer than a token may be
    for (int i = 0; i < 100'000; ++i) marks += "\u0301";
    CHECK(m(marks + "b") == std::vector<token_id>{0, 2});
}

TEST_CASE("ngram_tokenizer: worked by hand", "[ngram_tokenizer]") {
    const auto chars = fit(ngram_tokenizer{.shortest = 1, .longest = 2}, strings{" Ab  c "});
    CHECK(pieces_of(chars, " Ab  c ") == strings{"A", "b", "Ab", "  ", "b  ", "c", "  c"});
    CHECK(chars.decode(chars(" Ab  c ")) == strings{"a", "b", "ab", " ", "b ", "c", " c"});
    const auto words = fit(ngram_tokenizer{.shortest = 2, .longest = 3, .words = true}, strings{"The cat, the DOG"});
    CHECK(pieces_of(words, "The cat, the DOG") == strings{"The cat", "cat, the", "The cat, the", "the DOG", "cat, the DOG"});
    CHECK(words.decode(words("cat the -- dog")) == strings{"cat the", "the dog", "cat the dog"});
    CHECK(words("cat").empty());
    CHECK(chars("").empty());
    CHECK(fit(ngram_tokenizer{.max_tokens = 2}, strings{"abc"})("abc").size() == 2);
    const auto again = std::apply([](const auto&... field) { return ngram_tokenizer_model(field...); }, words.fields());
    CHECK(again.fields() == words.fields());
    for (const auto& [a, b] : {std::pair{0U, 2U}, {3U, 2U}, {1U, 17U}})
        CHECK(error_of([&, x = a, y = b] { (void)fit(ngram_tokenizer{.shortest = x, .longest = y}, strings{"a"}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)words("a\xFF"); }).code() == errc::bad_utf8);
    const std::string above(1025, 'y');
    const auto with_long = fit(ngram_tokenizer{.longest = 2, .words = true}, strings{"a " + above + " b c"});
    CHECK(with_long.tokens().tokens() == strings{"a", "b", "b c", "c"});
    CHECK(with_long("a " + above + " b c") == std::vector<token_id>{1, 0, 0, 2, 0, 4, 3});
}

TEST_CASE("ngram_tokenizer: the n-grams are those of the list of units", "[ngram_tokenizer]") {
    rng random(4);
    const strings pieces{"a", "B", "好", " ", "  ", "e\u0301", ",", "7", "\n"};
    for (int i = 0; i < 500; ++i) {
        std::string text;
        for (std::uint64_t n = random.below(12); n > 0; --n) text += pieces[random.below(pieces.size())];
        const bool of_words = i % 2 == 0;
        strings units;
        if (of_words) split_words(text, [&](std::size_t begin, std::size_t end) { units.push_back(text.substr(begin, end - begin)); });
        else units = characters_of(text, true);
        if (!of_words) {
            const auto space = [](const std::string& u) { return u.find_first_not_of(" \n") == std::string::npos; };
            if (!units.empty() && space(units.back())) units.pop_back();
            if (!units.empty() && space(units.front())) units.erase(units.begin());
            for (auto& u : units) u = space(u) ? " " : u;
        }
        strings expected;
        for (std::size_t end = 1; end <= units.size(); ++end)
            for (std::size_t n = 2; n <= std::min<std::size_t>(end, 4); ++n) {
                std::string gram;
                for (std::size_t k = end - n; k < end; ++k) gram += (of_words && k > end - n ? " " : "") + units[k];
                expected.push_back(gram);
            }
        const auto m = fit(ngram_tokenizer{.shortest = 2, .longest = 4, .words = of_words, .lowercase = false}, strings{text});
        CAPTURE(text);
        REQUIRE(m.decode(m(text)) == expected);
        workspace scratch;
        REQUIRE(std::ranges::equal(m(std::string_view(text), scratch), m(strings{text})[0]));
    }
}
