#include <caramel/text/tokenizer.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;
namespace tokenizer_test {

using strings = std::vector<std::string>;

namespace {

strings words_of(std::string_view text, bool punctuation = false) {
    strings out;
    split_words(text, [&](std::size_t begin, std::size_t end) { out.emplace_back(text.substr(begin, end - begin)); }, punctuation);
    return out;
}

// The definition itself, written down over code points: what belongs to a word, and words as the longest runs of it.
strings words_by_definition(const std::string& text, bool punctuation) {
    std::vector<std::size_t> begin;
    std::vector<char32_t> c;
    for (std::size_t at = 0; at < text.size();) {
        begin.push_back(at);
        c.push_back(decode_utf8(text, at));
    }
    begin.push_back(text.size());
    const std::size_t n = c.size();
    std::vector<bool> letter(n), mark(n), in_word(n), visible(n);
    for (std::size_t i = 0; i < n; ++i) {
        const auto g = category_of(c[i]);
        letter[i] = (is_letter(g) || is_number(g)) && !is_cjk_ideograph(c[i]);
        mark[i] = is_mark(g);
        visible[i] = is_cjk_ideograph(c[i]) || (punctuation && (is_punctuation(g) || is_symbol(g)));
        in_word[i] = letter[i] || (mark[i] && i > 0 && in_word[i - 1]);
    }
    for (std::size_t i = 1; i + 1 < n; ++i)
        if (in_word[i - 1] && letter[i + 1] && (c[i] == '\'' || c[i] == 0x2019 || c[i] == 0x200C || c[i] == 0x200D)) in_word[i] = true;
    strings out;
    for (std::size_t i = 0; i < n;) {
        std::size_t end = i + 1;
        if (in_word[i])
            while (end < n && in_word[end]) ++end;
        else if (visible[i])
            while (end < n && mark[end]) ++end;
        else {
            ++i;
            continue;
        }
        out.push_back(text.substr(begin[i], begin[end] - begin[i]));
        i = end;
    }
    return out;
}

std::uint64_t fnv(const strings& tokens) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const auto& token : tokens)
        for (const char byte : token + "\n") hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
    return hash;
}
strings lines_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    strings out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

}  // namespace

TEST_CASE("tokenizer: what each code point is to a word, by its category", "[tokenizer]") {
    std::size_t wrong = 0;
    for (char32_t c = 0; c <= 0x110000; ++c) {
        const auto g = category_of(c);
        using enum detail::word_part;
        const auto expected = c == U'\'' || c == U'\u2019'          ? apostrophe
                              : c == U'\u200C' || c == U'\u200D'     ? joiner
                              : is_cjk_ideograph(c)                  ? ideograph
                              : is_letter(g) || is_number(g)         ? letter
                              : is_mark(g)                           ? mark
                              : is_punctuation(g) || is_symbol(g)    ? symbol
                                                                     : nothing;
        wrong += detail::word_part_of(c) != expected;
        wrong += c >= 0x4000 && c <= 0x9FFF && expected == mark;
    }
    CHECK(wrong == 0);
}

TEST_CASE("split_words: by hand", "[tokenizer]") {
    CHECK(words_of("Hello, world!") == strings{"Hello", "world"});
    CHECK(words_of("").empty());
    CHECK(words_of("  \t\n ,.!?").empty());
    CHECK(words_of("a") == strings{"a"});
    CHECK(words_of("3 items for 12.50, order A-17") == strings{"3", "items", "for", "12", "50", "order", "A", "17"});
    CHECK(words_of("snake_case e-mail me@example.com") == strings{"snake", "case", "e", "mail", "me", "example", "com"});
    SECTION("accents, composed and as combining marks") {
        CHECK(words_of("Café naïve Übergröße") == strings{"Café", "naïve", "Übergröße"});
        CHECK(words_of("cafe\u0301 bon") == strings{"cafe\u0301", "bon"});
        CHECK(words_of("\u0301a") == strings{"a"});  // a mark on nothing
        CHECK(words_of("हिन्दी में") == strings{"हिन्दी", "में"});
    }
    SECTION("apostrophes within words only") {
        CHECK(words_of("Don't we'll o’clock") == strings{"Don't", "we'll", "o’clock"});
        CHECK(words_of("'quoted' rock'n'roll dogs' ''x''") == strings{"quoted", "rock'n'roll", "dogs", "x"});
        CHECK(words_of("a''b a'") == strings{"a", "b", "a"});
        CHECK(words_of("你'好 a'你") == strings{"你", "好", "a", "你"});
    }
    SECTION("every ideograph alone, other scripts in runs") {
        CHECK(words_of("你好，世界！") == strings{"你", "好", "世", "界"});
        CHECK(words_of("iPhone手机x2") == strings{"iPhone", "手", "机", "x2"});
        CHECK(words_of("東京タワー") == strings{"東", "京", "タワー"});
        CHECK(words_of("안녕하세요 세계") == strings{"안녕하세요", "세계"});
        CHECK(words_of("Привет, мир") == strings{"Привет", "мир"});
        CHECK(words_of("二〇二四年𠀀") == strings{"二", "〇", "二", "四", "年", "𠀀"});
        CHECK(words_of("葛\U000E0100城") == strings{"葛\U000E0100", "城"});  // variation selector
    }
    SECTION("zero-width joiners within words") {
        CHECK(words_of("می\u200Cخواهم") == strings{"می\u200Cخواهم"});
        CHECK(words_of("a\u200D b") == strings{"a", "b"});
        CHECK(words_of("a\u200Bb") == strings{"a", "b"});  // zero-width space is a space
    }
    SECTION("punctuation and emoji on request") {
        CHECK(words_of("great 😀👍🏽!").size() == 1);
        CHECK(words_of("great 😀!!", true) == strings{"great", "😀", "!", "!"});
        CHECK(words_of("❤\uFE0F", true) == strings{"❤\uFE0F"});  // the variation selector stays with its emoji
        CHECK(words_of("❤\uFE0F").empty());
        CHECK(words_of("👩\u200D💻", true) == strings{"👩", "💻"});
        CHECK(words_of("don't 'x'", true) == strings{"don't", "'", "x", "'"});
        CHECK(words_of("好。", true) == strings{"好", "。"});
        CHECK(words_of("a\uFEFF\u0001b", true) == strings{"a", "b"});
    }
}

TEST_CASE("split_words: byte offsets into the text", "[tokenizer]") {
    std::vector<std::pair<std::size_t, std::size_t>> spans;
    split_words("Eh, 你é!", [&](std::size_t begin, std::size_t end) { spans.emplace_back(begin, end); });
    CHECK(spans == std::vector<std::pair<std::size_t, std::size_t>>{{0, 2}, {4, 7}, {7, 9}});
}

TEST_CASE("split_words: agrees with the definition on random texts of awkward characters", "[tokenizer]") {
    const std::vector<std::string> pieces = {  // letters, what may stand within words, marks, ideographs, the rest
        "fifteen_letters", "SixteenCharacter", "abcdefghijklmnopqrstuvwxyz0123456789", "`", "@", "[", "{", "/", ":", "ж",
        "a", "B", "7", "'", "’", "\u200C", "\u200D", "\u0301", "\uFE0F",
        "你", "〇", "あ", "😀", " ", ",", "_", "\n", "\u3000", "é", "\u0903", "\uFEFF"};
    rng random(5);
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        for (std::uint64_t n = random.below(10); n > 0; --n) text += pieces[random.below(pieces.size())];
        CAPTURE(text);
        REQUIRE(words_of(text, false) == words_by_definition(text, false));
        REQUIRE(words_of(text, true) == words_by_definition(text, true));
    }
}

TEST_CASE("split_words: invalid UTF-8 is refused with the byte", "[tokenizer][error]") {
    bool called = false;
    const auto e = error_of([&] { split_words("good \xC3(", [&](std::size_t, std::size_t) { called = true; }); });
    CHECK(e.code() == errc::bad_utf8);
    CHECK(e.where() == place{.row = 1, .byte = 6});
    CHECK_FALSE(called);
}

TEST_CASE("word_tokenizer: worked by hand", "[tokenizer]") {
    const strings texts = {"The cat; the DOG.", "", "the cat 猫"};
    const auto m = fit(word_tokenizer{}, texts);
    CHECK(m.words().tokens() == strings{"the", "cat", "dog", "猫"});
    const token_ids ids = m(texts);
    CHECK(ids.size() == 3);
    CHECK(ids.values() == std::vector<token_id>{1, 2, 1, 3, 1, 2, 4});
    CHECK(ids.starts() == std::vector<std::int64_t>{0, 4, 4, 7});
    CHECK(ids.vocabulary_size == 5);
    CHECK(ids.unknown == 0);
    CHECK(ids.padding == 0);
    CHECK(m("A CAT and the dog") == std::vector<token_id>{0, 2, 0, 1, 3});
    CHECK(m.decode(m("A CAT")) == strings{"[UNK]", "cat"});
    CHECK(m("[UNK]") == std::vector<token_id>{0});  // a text cannot name a special token
    CHECK(m({"dog", "cat"}).values() == std::vector<token_id>{3, 2});
}

TEST_CASE("word_tokenizer: tokens with their places", "[tokenizer]") {
    const auto m = fit(word_tokenizer{}, strings{"The cat, 猫"});
    std::vector<std::tuple<token_id, std::size_t, std::size_t>> tokens;
    m.each_token("a 猫 CAT", [&](token_id id, std::size_t begin, std::size_t end) { tokens.emplace_back(id, begin, end); });
    CHECK(tokens == std::vector<std::tuple<token_id, std::size_t, std::size_t>>{{0, 0, 1}, {3, 2, 5}, {1, 6, 9}});
    CHECK(error_of([&] { m.each_token("\xFF", [](token_id, std::size_t, std::size_t) {}); }).code() == errc::bad_utf8);
}

TEST_CASE("word_tokenizer: short words and long ones have the ids of the vocabulary", "[tokenizer]") {
    rng random(14);
    strings words;
    for (int i = 0; i < 20'000; ++i) {
        std::string word;
        for (std::uint64_t n = 1 + random.below(10); n > 0; --n) word += static_cast<char>('a' + random.below(n < 3 ? 26 : 3));
        words.push_back(random.below(20) == 0 ? "é" + word : random.below(20) == 0 ? "好" : word);
    }
    for (char32_t c = 0x4E00; c < 0x5600; ++c) {
        char utf8[4];
        const std::string ideograph(utf8, encode_utf8(c, utf8));
        words.insert(words.end(), c % 3, ideograph);
    }
    const auto m = fit(word_tokenizer{.lowercase = false, .min_count = 2}, words);
    std::size_t wrong = 0;
    for (const auto& word : words) wrong += m(word) != std::vector<token_id>{m.words().find(word).value_or(0)};
    CHECK(wrong == 0);
    CHECK(m.words().size() > 1'000);
    strings collided;  // words that all begin at one place: most of them are left to the vocabulary
    while (collided.size() < 60) {
        std::string word;
        while (word.size() < 8) word += static_cast<char>('a' + random.below(26));
        std::uint64_t key = 0;
        std::memcpy(&key, word.data(), 8);
        if ((key ^ key >> 29) * 0x9e3779b97f4a7c15U >> 57 == 3) collided.push_back(word);
    }
    const auto hostile = fit(word_tokenizer{}, collided);
    REQUIRE(hostile.words().size() == 61);
    for (token_id id = 1; id < 61; ++id) CHECK(hostile(hostile.words()[id]) == std::vector<token_id>{id});
    const word_tokenizer_model odd(vocabulary({std::string("a\0", 2), "a", std::string("b\0", 2)}, 1), true, false, 0);
    CHECK(odd("a b") == std::vector<token_id>{2, 0});
}

TEST_CASE("word_tokenizer: options", "[tokenizer]") {
    const strings texts = {"b a b a", "c B d!", "c"};
    CHECK(fit(word_tokenizer{}, texts).words().tokens() == strings{"b", "a", "c", "d"});
    CHECK(fit(word_tokenizer{.lowercase = false}, texts).words().tokens() == strings{"a", "b", "c", "B", "d"});
    CHECK(fit(word_tokenizer{.min_count = 2}, texts).words().tokens() == strings{"b", "a", "c"});
    CHECK(fit(word_tokenizer{.max_vocabulary = 2}, texts).words().tokens() == strings{"b", "a"});
    CHECK(fit(word_tokenizer{.max_tokens = 1}, texts).words().tokens() == strings{"c", "b"});
    CHECK(fit(word_tokenizer{.keep_punctuation = true}, texts).words().tokens() == strings{"b", "a", "c", "!", "d"});
    const auto short_ones = fit(word_tokenizer{.max_tokens = 2}, texts);
    CHECK(short_ones(texts).starts() == std::vector<std::int64_t>{0, 2, 4, 5});
    CHECK(error_of([&] { (void)short_ones("a b c \xFF"); }).where() == place{.row = 1, .byte = 7});  // checked beyond the cut, too
}

TEST_CASE("word_tokenizer: one word however it is written", "[tokenizer]") {
    const auto m = fit(word_tokenizer{}, strings{"οδος don't straße k i ⱥ"});
    const auto same = [&](std::string_view a, std::string_view b) { return m(a) == m(b) && m(a) != std::vector<token_id>{0}; };
    CHECK(same("ΟΔΟΣ", "οδος"));  // final sigma
    CHECK(same("DON’T", "don't"));
    CHECK(same("STRAẞE", "straße"));
    CHECK(same("\u212A", "k"));  // Kelvin sign
    CHECK(same("\u0130", "i"));
    CHECK(same("Ⱥ", "ⱥ"));  // longer than its capital
    CHECK(m.decode(m("ΟΔΟΣ")) == strings{"οδοσ"});
    const auto exact = fit(word_tokenizer{.lowercase = false}, strings{"οδος Don't"});
    CHECK(exact.decode(exact("οδος Don’t ΟΔΟΣ don't")) == strings{"οδος", "Don't", "[UNK]", "[UNK]"});
}

TEST_CASE("word_tokenizer: the order of the texts changes nothing", "[tokenizer]") {
    strings texts;
    rng random(9);
    for (int i = 0; i < 300; ++i) {
        std::string text;
        for (std::uint64_t n = random.below(12); n > 0; --n) text += "w" + std::to_string(random.below(60)) + " ";
        texts.push_back(text);
    }
    const auto m = fit(word_tokenizer{}, texts);
    const auto ids = m(texts);
    const auto order = random.permutation(texts.size());
    strings permuted;
    for (const std::size_t i : order) permuted.push_back(texts[i]);
    CHECK(fit(word_tokenizer{}, permuted, {.seed = 8}).words() == m.words());
    const auto permuted_ids = m(permuted);
    workspace scratch;
    for (std::size_t i = 0; i < order.size(); ++i) {
        REQUIRE(std::ranges::equal(permuted_ids[i], ids[order[i]]));
        REQUIRE(std::ranges::equal(m(texts[i], scratch), ids[i]));
        REQUIRE(std::ranges::equal(m(texts[i]), ids[i]));
    }
    CHECK(m(strings{}).empty());
    CHECK(m(strings{}).vocabulary_size == ids.vocabulary_size);
    CHECK(m(std::string_view(), scratch).empty());
}

TEST_CASE("word_tokenizer: what it refuses, and where", "[tokenizer][error]") {
    CHECK(error_of([] { (void)fit(word_tokenizer{}, strings{}); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)fit(word_tokenizer{.min_count = 0}, strings{"a"}); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(word_tokenizer{.max_vocabulary = 0}, strings{"a"}); }).code() == errc::bad_parameter);
    const auto bad = error_of([] { (void)fit(word_tokenizer{}, strings{"a", "你\xE4\xBD"}); });
    CHECK(bad.code() == errc::bad_utf8);
    CHECK(bad.where() == place{.row = 2, .byte = 4});
    CHECK(std::string(bad.what()) == "word_tokenizer: text 2 is not UTF-8 from byte 4 of 5 on");
    const auto m = fit(word_tokenizer{}, strings{"a"});
    CHECK(error_of([&] { (void)m(strings{"a", "b", "\xED\xA0\x80"}); }).where() == place{.row = 3, .byte = 1});
    workspace scratch;
    CHECK(error_of([&] { (void)m(std::string_view("ab\x80"), scratch); }).where() == place{.row = 1, .byte = 3});
    CHECK(error_of([&] { (void)m.decode(std::vector<token_id>{2}); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)m.decode(std::vector<token_id>{-1}); }).code() == errc::unknown_id);
    CHECK(error_of([] { (void)word_tokenizer_model(vocabulary({"a"}, 0), true, false, 0); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)word_tokenizer_model(vocabulary({"a", "\xFF"}, 1), true, false, 0); }).code() == errc::bad_utf8);
    CHECK(error_of([] { (void)word_tokenizer_model(vocabulary({"a"}, 1), true, false, 0, unicode_version + 1); }).code() == errc::unsupported_version);
    CHECK(fit(word_tokenizer{}, strings{"!!"}).words().size() == 1);  // no words: all are unknown
    CHECK(fit(word_tokenizer{.min_count = std::size_t(-1), .max_vocabulary = std::size_t(-1), .max_tokens = std::size_t(-1)}, strings{"a"}).words().size() == 1);
}

TEST_CASE("word_tokenizer: 10 MB without a space, words beyond the limit, an emoji", "[tokenizer][edge]") {
    const std::string endless(10'000'000, 'x'), limit(1024, 'y'), above(1025, 'y');
    const auto m = fit(word_tokenizer{}, strings{endless, limit, above, "ok"});
    CHECK(m.words().tokens() == strings{"ok", limit});  // what is longer is not learnt
    CHECK(m(endless) == std::vector<token_id>{0});
    CHECK(m(limit + " " + above + " ok").size() == 3);
    CHECK(m(limit + " " + above + " ok") == std::vector<token_id>{2, 0, 1});
    CHECK(m("😀").empty());
    std::string apostrophes;  // each could begin a look ahead
    for (int i = 0; i < 1'000'000; ++i) apostrophes += "’";
    CHECK(words_of(apostrophes).empty());
    CHECK(words_of("a" + apostrophes + "a") == strings{"a", "a"});
    std::string chinese;
    for (int i = 0; i < 1'000'000; ++i) chinese += "好";
    CHECK(m(chinese).size() == 1'000'000);
}

TEST_CASE("word_tokenizer: its fields make it again", "[tokenizer]") {
    const auto m = fit(word_tokenizer{.lowercase = false, .max_tokens = 3, .keep_punctuation = true}, strings{"a b, c d"});
    const auto again = std::apply([](const auto&... field) { return word_tokenizer_model(field...); }, m.fields());
    CHECK(again.fields() == m.fields());
    CHECK(again("b, a c") == m("b, a c"));
    static_assert(std::tuple_size_v<decltype(m.fields())> == word_tokenizer_model::field_names.size());
}

TEST_CASE("word_tokenizer: in a chain, to a batch and to one text", "[tokenizer]") {
    const auto count = [](const token_ids& ids) { return ids.values().size(); };
    const auto chain = fit(word_tokenizer{} | count, strings{"a b", "c"});
    CHECK(chain(strings{"a b c d", "e"}) == 5);
    const auto words = fit(word_tokenizer{} | [](const token_ids& ids) { return ids; }, strings{"a b", "c"});
    workspace scratch;
    CHECK(words.get<0>()(std::string("c b"), scratch).size() == 2);
}

// Numbers of an independent program (Python's unicodedata and re) on whole data sets.
TEST_CASE("word_tokenizer: equals a tokenizer written in Python on real texts", "[tokenizer]") {
    SHARED_OR_SKIP(data, "data");
    struct expected {
        const char* file;
        bool punctuation;
        std::size_t tokens, words;
        std::uint64_t hash;
    };
    for (const auto& [file, punctuation, tokens, words, hash] : {expected{"banking77/train.tsv", false, 153'740, 2'387, 0x5ba3db799a148843U},
                                                                 expected{"banking77/train.tsv", true, 191'259, 2'408, 0x79f01c81ce766ea3U},
                                                                 expected{"waimai_10k/waimai_10k.tsv", false, 272'880, 2'649, 0xfd25cb53d74f65e7U},
                                                                 expected{"waimai_10k/waimai_10k.tsv", true, 310'115, 2'743, 0x5035480f062164f2U}}) {
        CAPTURE(file, punctuation);
        const auto texts = lines_of(data / file);
        const auto m = fit(word_tokenizer{.keep_punctuation = punctuation}, texts);
        CHECK(m(texts).values().size() == tokens);
        CHECK(m.words().tokens().size() == words);
        CHECK(fnv(m.words().tokens()) == hash);
    }
}

}  // namespace tokenizer_test
