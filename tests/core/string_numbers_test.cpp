#include <caramel/core/string_numbers.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

std::size_t hash_calls = 0;
struct one_for_all {  // what an attacker would like: every string in one place, whatever the seed
    std::uint64_t operator()(std::string_view, std::uint64_t) const noexcept { return ++hash_calls, 42; }
};

template <class Numbers>
void compare_with_a_map(std::size_t strings, std::size_t different) {
    Numbers numbers;
    std::map<std::string, std::uint32_t> expected;
    rng random(11);
    for (std::size_t i = 0; i < strings; ++i) {
        const std::string text(random.below(different) % 7, 'x');
        const std::string key = text + std::to_string(random.below(different));
        const auto [number, is_new] = numbers.insert(key);
        const auto [at, inserted] = expected.emplace(key, static_cast<std::uint32_t>(expected.size()));
        REQUIRE(number == at->second);
        REQUIRE(is_new == inserted);
    }
    REQUIRE(numbers.size() == expected.size());
    for (const auto& [key, number] : expected) {
        REQUIRE(numbers.find(key) == number);
        REQUIRE(numbers[number] == key);
    }
    CHECK_FALSE(numbers.find("absent"));
    CHECK_FALSE(numbers.find(""));
}

}  // namespace

TEST_CASE("string_numbers: as an ordered map, through every growth", "[string_numbers]") {
    compare_with_a_map<detail::string_numbers<>>(20'000, 5'000);
    compare_with_a_map<detail::string_numbers<>>(17, 17);
}
TEST_CASE("string_numbers: strings that all collide cost no more than a few hashes each", "[string_numbers][edge]") {
    hash_calls = 0;
    compare_with_a_map<detail::string_numbers<one_for_all>>(40'000, 20'000);
    CHECK(hash_calls < 2'000);  // the ordered map took over at the 65th string
}
TEST_CASE("string_numbers: a copy is independent, an empty one finds nothing", "[string_numbers]") {
    detail::string_numbers<> a;
    CHECK_FALSE(a.find("x"));
    a.insert("x");
    auto b = a;
    b.insert("y");
    CHECK(a.size() == 1);
    CHECK_FALSE(a.find("y"));
    CHECK(b.find("y") == 1);
    CHECK(b[0] == "x");
}

TEST_CASE("string_numbers: strings of all lengths, that differ in any one byte", "[string_numbers]") {
    detail::string_numbers<> numbers;
    std::vector<std::string> expected;
    for (std::size_t length = 0; length < 80; ++length) {
        const std::string text(length, 'x');
        expected.push_back(text);
        for (std::size_t i = 0; i < length; ++i) {
            expected.push_back(text);
            expected.back()[i] = '\0';
            CHECK_FALSE(detail::same_text(text, expected.back()));
        }
        CHECK(detail::same_text(text, std::string(text)));
    }
    for (int round = 0; round < 2; ++round)
        for (std::size_t i = 0; i < expected.size(); ++i) REQUIRE(numbers.number_of(expected[i]) == i);
    CHECK(numbers.texts() == expected);
    CHECK_FALSE(numbers.in_order());
}

TEST_CASE("string_numbers: texts made to collide under every seed end in a tree", "[string_numbers][edge]") {
    // The first eight bytes enter the hash times an odd number, the last eight times another one and turned by half: so
    // for any first half there is a second one that undoes its difference.
    const auto inverse = [](std::uint64_t odd) {
        std::uint64_t x = odd;
        for (int i = 0; i < 6; ++i) x *= 2 - odd * x;  // Newton's
        return x;
    };
    const std::uint64_t undo = inverse(0x94d049bb133111ebU);
    detail::string_numbers<> numbers;
    std::vector<std::string> texts;
    for (std::uint64_t i = 1; i <= 5000; ++i) {
        const std::uint64_t product = i * 0xbf58476d1ce4e5b9U, turned = product << 32 | product >> 32, second = turned * undo;
        std::string text(16, '\0');
        std::memcpy(text.data(), &i, 8);
        std::memcpy(text.data() + 8, &second, 8);
        texts.push_back(text);
    }
    for (std::uint64_t seed = 0; seed < 3; ++seed) CHECK(detail::string_hash{}(texts[0], seed) == detail::string_hash{}(texts[4999], seed));
    for (int round = 0; round < 2; ++round)
        for (std::size_t i = 0; i < texts.size(); ++i) REQUIRE(numbers.number_of(texts[i]) == i);
    CHECK(numbers.in_order());
    CHECK(numbers.texts() == texts);
}
