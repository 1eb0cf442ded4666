// Texts and words that were chosen so that their places in hash tables collide: the same results, and no quadratic time.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/workspace.hpp>
#include <caramel/text/chinese_dictionary.hpp>
#include <caramel/text/ngrams.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace collisions_test {

TEST_CASE("collisions: n-grams of one text", "[collisions][edge]") {
    // Of all characters those whose n-grams begin to look in one 128th of the table, each twice.
    const std::vector<ngram_range> ranges{{ngram_unit::characters, 1, 1}};
    std::vector<char32_t> chosen;
    const std::uint64_t start = detail::chain_start(ngram_unit::characters);
    for (char32_t c = 0x20000; c < 0x10FFFF; ++c)
        if (detail::spread(detail::chain(start, c)) >> 57 == 5) chosen.push_back(c);
    REQUIRE(chosen.size() > 5'000);
    std::string text;
    std::size_t points = 0;
    for (int round = 0; round < 2; ++round)
        for (const char32_t c : chosen) {
            char bytes[4];
            text.append(bytes, encode_utf8(c, bytes));
            ++points;
        }
    workspace scratch;
    const workspace::frame frame(scratch);
    std::size_t met = 0;
    const auto counted = detail::count_ngrams(text, ranges, false, 0, scratch, [&](std::uint64_t) { ++met; });
    REQUIRE(counted.grams.size() == chosen.size());
    CHECK(met == counted.grams.size());
    CHECK(counted.total == points);
    bool good = true;
    for (std::size_t i = 0; i < chosen.size(); ++i)
        good = good && counted.grams[i].key == detail::chain(start, chosen[i]) && counted.grams[i].count == 2 && counted.grams[i].begin == i + 1;
    CHECK(good);
    CHECK(counted.steps < 64 * points);  // quadratic would be some thousand for each
}

TEST_CASE("collisions: words of a dictionary under a seed that is known", "[collisions][edge]") {
    constexpr std::uint64_t seed = 77;
    detail::growing_trie trie(seed, 0);
    const auto utf8 = [](char32_t c) {
        char bytes[4];
        return std::string(bytes, encode_utf8(c, bytes));
    };
    std::vector<std::string> words;
    for (char32_t c = 0x4E00; c < 0x4E00 + 40'000; ++c) words.push_back(utf8(c));
    for (std::size_t i = 0; i < words.size(); ++i) trie.put(words[i], 1, 100, i + 1, "test");
    // Their nodes are 1, 2, ...: of these the ones whose children would stand in one 64th of the table.
    std::vector<std::string> longer;
    for (std::uint64_t node = 1; node <= words.size(); ++node) {
        std::uint64_t hash = (node ^ seed) * 0x9e3779b97f4a7c15U;
        hash = (hash ^ hash >> 32) * 0xbf58476d1ce4e5b9U;
        if (((hash ^ hash >> 29) & 0x7FFF) >= 512) continue;
        for (char32_t c = 0x4E00; c < 0x4E00 + 20; ++c) longer.push_back(words[node - 1] + utf8(c));
    }
    REQUIRE(longer.size() > 10'000);
    for (std::size_t i = 0; i < longer.size(); ++i) trie.put(longer[i], 1, 100, i + 1, "test");
    std::size_t found = 0;
    for (const std::string& word : longer) found += trie.is_word(trie.find(word));
    CHECK(found == longer.size());
    CHECK(trie.find(words[0] + utf8(0x4E00 + 30'000)) == 0);
    INFO(trie.steps() << " steps for " << longer.size() << " words");
    CHECK(trie.steps() < 100 * longer.size());
}

}  // namespace collisions_test
