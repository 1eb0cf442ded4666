// Distinct numbers, counted: both ways of doing it, beside a map.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/features/bought_items.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

std::map<std::int32_t, std::uint32_t> counted(std::span<const detail::bought_item> got) {
    std::map<std::int32_t, std::uint32_t> out;
    std::int32_t previous = -1;
    for (const auto& one : got) {
        CHECK(one.item > previous);  // ascending, each once
        previous = one.item;
        out[one.item] = one.rows;
    }
    return out;
}
void check(std::vector<std::int32_t> numbers, workspace& scratch) {
    std::map<std::int32_t, std::uint32_t> expected;
    for (const auto x : numbers) ++expected[x];
    const workspace::frame frame(scratch);
    CHECK(counted(detail::distinct_numbers(std::span(numbers), scratch)) == expected);
}

}  // namespace

TEST_CASE("distinct_numbers: none, one, and the same one", "[bought_items]") {
    workspace scratch;
    check({}, scratch);
    check({0}, scratch);
    check({63, 63, 63}, scratch);
    check({64, 0, 63, 128, 64}, scratch);
    check({std::numeric_limits<std::int32_t>::max()}, scratch);
    check({std::numeric_limits<std::int32_t>::max(), 0, std::numeric_limits<std::int32_t>::max()}, scratch);
    check(std::vector<std::int32_t>(5000, 17), scratch);
}

TEST_CASE("distinct_numbers: the largest number for bits, and the first beyond", "[bought_items]") {
    // As many as 64 + 4 n words of 64 bits.
    workspace scratch;
    for (const std::size_t n : {1U, 2U, 7U, 100U}) {
        const auto edge = static_cast<std::int32_t>((64 + 4 * n) * 64);
        for (const std::int32_t largest : {edge - 2, edge - 1, edge, edge + 1}) {
            std::vector<std::int32_t> numbers(n, 5);
            numbers.back() = largest;
            check(numbers, scratch);
        }
    }
}

TEST_CASE("distinct_numbers: random, in small catalogues and among sparse huge numbers", "[bought_items]") {
    workspace scratch;  // used again: what a call before left there does not matter
    rng random(1);
    for (const std::uint64_t catalogue : {1U, 3U, 64U, 65U, 1000U, 20'000U, 1'000'000'000U}) {
        for (int round = 0; round < 60; ++round) {
            std::vector<std::int32_t> numbers(random.below(round % 2 == 0 ? 20 : 400));
            for (auto& x : numbers) x = static_cast<std::int32_t>(random.below(catalogue));
            if (catalogue > 1000 && numbers.size() > 2) numbers[1] = numbers[0];  // some repeat among the sparse, too
            check(numbers, scratch);
        }
    }
}
