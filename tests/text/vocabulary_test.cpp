#include <caramel/text/vocabulary.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("vocabulary: ids from the reserved ones on", "[vocabulary]") {
    const vocabulary v({"the", "你", "a b"}, 2);
    CHECK(v.size() == 5);
    CHECK(v.reserved() == 2);
    CHECK(v.find("the") == 2);
    CHECK(v.find("你") == 3);
    CHECK(v.find("a b") == 4);
    CHECK_FALSE(v.find("The"));
    CHECK_FALSE(v.find(""));
    CHECK_FALSE(v.find("th"));
    CHECK_FALSE(v.find(std::string(1'000'000, 'x')));
    CHECK(v[0].empty());
    CHECK(v[1].empty());
    CHECK(v[2] == "the");
    CHECK(v[4] == "a b");
    CHECK(vocabulary({"[PAD]", "[UNK]"}).find("[UNK]") == 1);  // nothing reserved: ids are positions
    CHECK(v == vocabulary({"the", "你", "a b"}, 2));
    CHECK_FALSE(v == vocabulary({"the", "你", "a b"}, 1));
    CHECK(vocabulary().size() == 0);
    const std::string with_nul("a\0b", 3);
    CHECK(vocabulary({"a", with_nul}).find(with_nul) == 1);
}
TEST_CASE("vocabulary: the same bytes written in NFC and NFD are two tokens", "[vocabulary]") {
    const vocabulary v({"caf\u00E9", "cafe\u0301"});
    CHECK(v.find("caf\u00E9") == 0);
    CHECK(v.find("cafe\u0301") == 1);
}
TEST_CASE("vocabulary: what it refuses, and where", "[vocabulary][error]") {
    const auto refused = [](std::vector<std::string> tokens, token_id reserved = 0) { return error_of([&] { (void)vocabulary(std::move(tokens), reserved); }); };
    CHECK(refused({"a", ""}).code() == errc::empty_token);
    CHECK(refused({"a", ""}).where() == place{.row = 2});
    CHECK(refused({"a", "b", "a"}).code() == errc::duplicate_token);
    CHECK(refused({"a", "b", "a"}).where() == place{.row = 3});
    CHECK(refused({"a"}, -1).code() == errc::bad_parameter);
    CHECK(refused({std::string(1025, 'a')}).code() == errc::token_too_long);
    CHECK(refused({"secret", "secret"}).what() == std::string("vocabulary: token 2 stands there twice"));
    CHECK_NOTHROW(vocabulary({std::string(1024, 'a')}));
    CHECK(refused({"a", "b"}, 2'147'483'646).code() == errc::limit_exceeded);
    const vocabulary v({"a"}, 1);
    CHECK(error_of([&] { (void)v[2]; }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)v[-1]; }).code() == errc::unknown_id);
}
TEST_CASE("vocabulary: its fields make it again", "[vocabulary]") {
    const vocabulary v({"b", "a"}, 1);
    const auto& [tokens, reserved] = v.fields();
    CHECK(vocabulary(tokens, reserved) == v);
    static_assert(vocabulary::field_names.size() == 2);
}

TEST_CASE("token_counts: by falling count, ties by bytes", "[vocabulary]") {
    token_counts counts;
    for (const char* word : {"pear", "fig", "apple", "fig", "é", "z", "fig", "apple", "pear", "Z"}) counts.add(word);
    counts.add("rare", 5);
    CHECK(counts.size() == 7);
    CHECK(counts["fig"] == 3);
    CHECK(counts["rare"] == 5);
    CHECK(counts["absent"] == 0);
    CHECK(counts.most_frequent(1, 100).tokens() == std::vector<std::string>{"rare", "fig", "apple", "pear", "Z", "z", "é"});
    CHECK(counts.most_frequent(2, 100, 1) == vocabulary({"rare", "fig", "apple", "pear"}, 1));
    CHECK(counts.most_frequent(1, 3).tokens() == std::vector<std::string>{"rare", "fig", "apple"});  // pear ties, but comes later
    CHECK(counts.most_frequent(6, 3).tokens().empty());
    CHECK(counts.most_frequent(1, 0).tokens().empty());
    CHECK(token_counts().most_frequent(1, 10).size() == 0);
}
TEST_CASE("token_counts: the order of the words changes nothing", "[vocabulary]") {
    std::vector<std::string> words;
    rng random(3);
    for (int i = 0; i < 3'000; ++i) words.push_back("w" + std::to_string(random.below(400)));
    const auto learn = [&] {
        token_counts counts;
        for (const auto& word : words) counts.add(word);
        return counts.most_frequent(3, 200);
    };
    const auto before = learn();
    random.shuffle(std::span(words));
    CHECK(learn() == before);
    CHECK(before.size() == 200);
}
