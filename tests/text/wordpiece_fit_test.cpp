#include <caramel/text/wordpiece_fit.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;
using ids = std::vector<token_id>;
using strings = std::vector<std::string>;

namespace {

// The definition: counts all pairs anew in every step. Words of a to z only, between spaces.
strings learnt_by_definition(const strings& texts, std::size_t size, std::size_t min_count) {
    std::map<std::string, std::size_t> words;
    for (const std::string& text : texts) {
        std::string word;
        for (const char c : text + " ") {
            if (c != ' ') word += c;
            else if (!word.empty()) ++words[std::exchange(word, "")];
        }
    }
    strings tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    const auto number = [&](const std::string& t) {
        const auto at = std::find(tokens.begin(), tokens.end(), t);
        if (at != tokens.end()) return static_cast<std::size_t>(at - tokens.begin());
        tokens.push_back(t);
        return tokens.size() - 1;
    };
    for (char c = 'a'; c <= 'z'; ++c)
        if (std::any_of(words.begin(), words.end(), [&](const auto& w) { return w.first.find(c) != std::string::npos; })) number(std::string(1, c));
    for (char c = 'a'; c <= 'z'; ++c)
        if (std::any_of(words.begin(), words.end(), [&](const auto& w) { return w.first.find(c, 1) != std::string::npos; })) number(std::string("##") + c);
    std::vector<std::pair<std::vector<std::size_t>, std::size_t>> split;
    for (const auto& [word, count] : words) {
        split.emplace_back();
        split.back().second = count;
        for (std::size_t i = 0; i < word.size(); ++i) split.back().first.push_back(number((i == 0 ? "" : "##") + std::string(1, word[i])));
    }
    while (tokens.size() < size) {
        std::map<std::pair<std::size_t, std::size_t>, std::size_t> pairs;
        for (const auto& [symbols, count] : split)
            for (std::size_t i = 1; i < symbols.size(); ++i) pairs[{symbols[i - 1], symbols[i]}] += count;
        std::pair<std::size_t, std::size_t> best;
        std::size_t most = 0;
        for (const auto& [pair, count] : pairs)
            if (count > most) std::tie(best, most) = std::tie(pair, count);
        if (most < min_count) break;
        const std::size_t joined = number(tokens[best.first] + tokens[best.second].substr(2));
        for (auto& [symbols, count] : split) {
            std::vector<std::size_t> after;
            for (std::size_t i = 0; i < symbols.size(); ++i) {
                if (i + 1 < symbols.size() && symbols[i] == best.first && symbols[i + 1] == best.second) after.push_back(joined), ++i;
                else after.push_back(symbols[i]);
            }
            symbols = after;
        }
    }
    return tokens;
}

}  // namespace

TEST_CASE("wordpiece: a vocabulary learnt is that of counting anew in every step", "[wordpiece][fit]") {
    rng numbers(11);
    for (int round = 0; round < 25; ++round) {
        strings texts(1 + numbers.below(30));
        for (std::string& text : texts)
            for (std::size_t n = numbers.below(12); n > 0; --n) {
                for (std::size_t k = 1 + numbers.below(6); k > 0; --k) text += static_cast<char>('a' + numbers.below(3));
                text += ' ';
            }
        texts[0] += " abc";
        const std::size_t size = 11 + numbers.below(80), min_count = 1 + numbers.below(4);
        const auto m = fit(wordpiece{.vocabulary_size = size, .min_count = min_count}, texts);
        CHECK(m.words().tokens() == learnt_by_definition(texts, size, min_count));
        std::reverse(texts.begin(), texts.end());
        CHECK(fit(wordpiece{.vocabulary_size = size, .min_count = min_count}, texts).words() == m.words());
    }
}

TEST_CASE("wordpiece: what was learnt covers what it was learnt from", "[wordpiece][fit]") {
    const strings texts{"Where is my card? My card hasn't arrived.", "我的卡在哪里？ 卡 卡", "where is my new card", "[MASK] is not learnt"};
    const auto m = fit(wordpiece{.vocabulary_size = 120}, texts);
    for (const std::string& text : texts) {
        const encoding e = m.encode(text, {.special_tokens = false});
        CHECK(std::count(e.ids.begin(), e.ids.end(), m.unknown()) == 0);
    }
    CHECK(m.encode("card where", {.special_tokens = false}).size() == 2);
    CHECK(m.words().find("mask") == std::nullopt);
    CHECK(m.vocabulary_size() <= 120);
    const strings rare{"aab aab z"};
    const auto few = fit(wordpiece{.max_alphabet = 2}, rare);  // the z is left out
    CHECK(few.words().tokens() == strings{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##a", "##b", "aa", "aab"});
    const auto own = fit(wordpiece{.rules = {.unknown = "<unk>", .continuing = "@@"}}, rare);
    CHECK(own.encode("aabaab y", {.special_tokens = false}).size() == 5);
}

TEST_CASE("wordpiece: what nothing can be learnt from", "[wordpiece][fit][error]") {
    const auto code = [](const wordpiece& recipe, const strings& texts) { return error_of([&] { (void)fit(recipe, texts); }).code(); };
    CHECK(code({}, {}) == errc::empty_input);
    CHECK(code({.min_count = 0}, {"a"}) == errc::bad_parameter);
    CHECK(code({.max_alphabet = 0}, {"a"}) == errc::bad_parameter);
    CHECK(code({.vocabulary_size = 7}, {"abc"}) == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(wordpiece{}, strings{"a", "b\xFF"}); }).where() == place{.row = 2, .byte = 2});
    CHECK(fit(wordpiece{}, strings{"", " "}).vocabulary_size() == 5);
}
