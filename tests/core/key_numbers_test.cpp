#include <caramel/core/key_numbers.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace key_numbers_test {

namespace {

struct one_for_all {  // what an attacker would like: every key in one place, whatever the seed
    std::uint64_t operator()(std::uint64_t, std::uint64_t) const noexcept { return 42; }
};
// Keys that fall into one slot of any table of fewer than 2^40 under the first hash: what it multiplies by is odd, what it adds
// by shifting can be taken off again.
std::vector<std::uint64_t> colliding(std::size_t n) {
    std::uint64_t inverse = 0xC2B2AE3D27D4EB4FU;
    for (int i = 0; i < 6; ++i) inverse *= 2 - inverse * 0xC2B2AE3D27D4EB4FU;  // Newton's
    std::vector<std::uint64_t> out;
    for (std::uint64_t i = 0; i < n; ++i) {
        const std::uint64_t mixed = ((std::uint64_t{5} << 40) + i) * inverse;
        const std::uint64_t high = mixed ^ mixed >> 29;
        out.push_back(mixed ^ high >> 29);
    }
    return out;
}
template <class Numbers>
void compare_with_a_map(const std::vector<std::uint64_t>& keys, Numbers& numbers) {
    std::map<std::uint64_t, std::uint32_t> expected;
    for (const std::uint64_t key : keys) {
        const auto [number, is_new] = numbers.insert(key);
        const auto [at, inserted] = expected.emplace(key, static_cast<std::uint32_t>(expected.size()));
        REQUIRE((number == at->second && is_new == inserted));
    }
    REQUIRE(numbers.size() == expected.size());
    for (const auto& [key, number] : expected) REQUIRE(numbers.find(key) == number);
    CHECK(numbers.find(0x123456789) == Numbers::none);
    std::map<std::uint64_t, std::uint32_t> all;
    numbers.each([&](std::uint64_t key, std::uint32_t number) { all.emplace(key, number); });
    CHECK(all == expected);
}

}  // namespace

TEST_CASE("key_numbers: as an ordered map, through every growth", "[key_numbers]") {
    rng random(3);
    std::vector<std::uint64_t> keys{0, 0xFFFFFFFFFFFFFFFFU};
    for (std::size_t i = 0; i < 30'000; ++i) keys.push_back(random.below(20'000) * (i % 2 == 0 ? 1 : 0x9E3779B97F4A7C15U));
    detail::key_numbers<> numbers;
    CHECK(numbers.find(0) == detail::key_numbers<>::none);
    compare_with_a_map(keys, numbers);
    CHECK_FALSE(numbers.in_order());
    CHECK(numbers.steps() < 8 * numbers.size());  // so what is allowed is no hindrance by chance
}
TEST_CASE("key_numbers: 40,000 keys made to collide take no more steps than three times what chance takes", "[key_numbers][edge]") {
    const auto keys = colliding(40'000);
    const detail::key_hash hash;
    CHECK(hash(keys[0], 0) >> 40 == hash(keys[39'999], 0) >> 40);
    detail::key_numbers<> numbers;
    compare_with_a_map(keys, numbers);
    CHECK_FALSE(numbers.in_order());  // the next hash will do
    rng random(4);
    std::vector<std::uint64_t> others;
    for (std::size_t i = 0; i < 40'000; ++i) others.push_back(random());
    detail::key_numbers<> by_chance;
    compare_with_a_map(others, by_chance);
    INFO(numbers.steps() << " steps, by chance " << by_chance.steps());
    CHECK(numbers.steps() < 3 * (by_chance.steps() + by_chance.size()));
}
TEST_CASE("key_numbers: keys that collide under every hash end in a tree", "[key_numbers][edge]") {
    std::vector<std::uint64_t> keys;
    for (std::uint64_t i = 0; i < 40'000; ++i) keys.push_back(i);
    detail::key_numbers<one_for_all> numbers;
    compare_with_a_map(keys, numbers);
    CHECK(numbers.in_order());
    CHECK(numbers.steps() < 100'000);  // quadratic would be 800 million
}

}  // namespace key_numbers_test
