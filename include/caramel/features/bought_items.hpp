#ifndef CARAMEL_FEATURES_BOUGHT_ITEMS_HPP
#define CARAMEL_FEATURES_BOUGHT_ITEMS_HPP

// Which items a customer bought, each once: what several features of histories begin with.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include <caramel/core/workspace.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

struct bought_item {
    std::int32_t item;
    std::uint32_t rows;  // how many of the numbers are this item
};

// The distinct `numbers` (none negative) in ascending order, in the workspace. Numbers are rows of a catalogue, so most
// often a bit for each of them is cheaper than sorting.
template <class Number>
std::span<const bought_item> distinct_numbers(std::span<Number> numbers, workspace& scratch) {
    if (numbers.empty()) return {};
    const auto out = scratch.take<bought_item>(numbers.size());
    std::size_t n = 0;
    const auto largest = static_cast<std::size_t>(*std::max_element(numbers.begin(), numbers.end()));
    if (const std::size_t words = largest / 64 + 1; words <= 64 + 4 * numbers.size()) {
        const auto seen = scratch.take<std::uint64_t>(words);
        const auto rows = scratch.take<std::uint32_t>(largest + 1);  // of those seen
        std::fill(seen.begin(), seen.end(), std::uint64_t{0});
        for (const Number number : numbers) {
            const auto i = static_cast<std::size_t>(number);
            const std::uint64_t bit = std::uint64_t{1} << (i % 64);
            rows[i] = (seen[i / 64] & bit) != 0 ? rows[i] + 1 : 1;
            seen[i / 64] |= bit;
        }
        for (std::size_t word = 0; word < words; ++word)
            for (std::uint64_t bits = seen[word]; bits != 0; bits &= bits - 1) {
                const std::size_t i = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
                out[n++] = {static_cast<std::int32_t>(i), rows[i]};
            }
    } else {
        std::sort(numbers.begin(), numbers.end());
        for (const Number number : numbers) {
            if (n == 0 || out[n - 1].item != number) out[n++] = {number, 0};
            ++out[n - 1].rows;
        }
    }
    return out.first(n);
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
