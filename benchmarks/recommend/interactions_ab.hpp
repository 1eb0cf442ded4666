#ifndef CARAMEL_BENCHMARKS_RECOMMEND_INTERACTIONS_AB_HPP
#define CARAMEL_BENCHMARKS_RECOMMEND_INTERACTIONS_AB_HPP

// Two made sets of the size and shape of real ones. A is shaped like MovieLens-20M (ratings of at least 4): 136,677
// customers x 20,108 items, about 11.1 million pairs. B is shaped like a shop's customer base: 1 million customers x
// 50,000 items, about 11.5 million pairs, a median of 8 a customer. Numbers of pairs a customer are lognormal, items
// follow a shifted power law, and half of what a customer takes is from the customer's own taste, one of 40.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/data/interactions.hpp>

struct interactions_shape {
    std::size_t customers, items;
    double median_pairs, deviation;  // of a customer, and of its logarithm
    std::size_t fewest, most;
    double shift, power;  // an item of rank r is taken in proportion to (r + shift)^-power
    std::uint64_t seed;
};
inline constexpr interactions_shape set_a{136'677, 20'108, 39, 1.23, 5, 3000, 200, 1.5, 1};
inline constexpr interactions_shape set_b{1'000'000, 50'000, 8, 0.87, 1, 1000, 100, 1.1, 2};

/// All values are 1. The same for any machine, but for the last bits of the mathematical library's functions.
template <class T>
caramel::interactions<T> make_interactions(const interactions_shape& shape) {
    constexpr std::size_t tastes = 40;
    caramel::rng numbers(shape.seed);
    // Running sums of the weights of all items, and of those of each taste.
    struct choice {
        std::vector<std::int32_t> items;
        std::vector<double> ends;
    };
    std::vector<choice> of(tastes + 1);
    const auto ranks = numbers.permutation(shape.items);
    for (std::size_t item = 0; item < shape.items; ++item) {
        const double weight = std::pow(static_cast<double>(ranks[item]) + shape.shift, -shape.power);
        for (const std::size_t which : {tastes, static_cast<std::size_t>(numbers.below(tastes))}) {
            of[which].items.push_back(static_cast<std::int32_t>(item));
            of[which].ends.push_back(weight + (of[which].ends.empty() ? 0 : of[which].ends.back()));
        }
    }
    const auto draw = [&](const choice& from) {
        const auto at = std::ranges::upper_bound(from.ends, numbers.uniform() * from.ends.back()) - from.ends.begin();
        return from.items[std::min(static_cast<std::size_t>(at), from.items.size() - 1)];
    };
    std::vector<std::int64_t> starts{0};
    std::vector<std::int32_t> bought, mine;
    for (std::size_t customer = 0; customer < shape.customers; ++customer) {
        const auto wanted = static_cast<std::size_t>(std::clamp(std::round(shape.median_pairs * std::exp(shape.deviation * numbers.normal())),
                                                                static_cast<double>(shape.fewest), static_cast<double>(shape.most)));
        const choice& taste = of[numbers.below(tastes)];
        mine.clear();
        for (int tries = 0; mine.size() < wanted && tries < 8; ++tries) {
            for (std::size_t k = mine.size(); k < wanted; ++k) mine.push_back(draw(numbers.below(2) == 0 ? of[tastes] : taste));
            std::ranges::sort(mine);
            mine.erase(std::unique(mine.begin(), mine.end()), mine.end());
        }
        bought.insert(bought.end(), mine.begin(), mine.end());
        starts.push_back(static_cast<std::int64_t>(bought.size()));
    }
    bought.shrink_to_fit();
    const auto table = [](std::size_t n) {
        std::vector<std::int64_t> ids(n);
        std::iota(ids.begin(), ids.end(), 0);
        return caramel::id_table({}, std::move(ids));
    };
    std::vector<T> values(bought.size(), T(1));
    return {table(shape.customers), table(shape.items), std::move(starts), std::move(bought), std::move(values), {}};
}

#endif
