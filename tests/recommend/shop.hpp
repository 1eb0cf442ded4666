#ifndef CARAMEL_TESTS_RECOMMEND_SHOP_HPP
#define CARAMEL_TESTS_RECOMMEND_SHOP_HPP

// Small logs for the recommenders' tests.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/data/interactions.hpp>

struct sale {
    int customer, item;
    double value = 1;
};

/// Every (customer, item) pair with some probability, counts 1..3; each customer and item has at least one pair.
inline std::vector<sale> random_log(int customers, int items, double density, std::uint64_t seed) {
    caramel::rng numbers(seed);
    std::vector<sale> log;
    for (int c = 0; c < customers; ++c)
        for (int i = 0; i < items; ++i) {
            const double u = numbers.uniform();
            const auto count = numbers.below(3) + 1;
            if (u < density || c % items == i || i % customers == c) log.push_back({c, i, static_cast<double>(count)});
        }
    return log;
}

/// The dense table of values, row by row.
template <class T>
std::vector<std::vector<double>> dense_values(const caramel::interactions<T>& x) {
    std::vector<std::vector<double>> out(x.rows(), std::vector<double>(x.items().size()));
    for (std::size_t row = 0; row < x.rows(); ++row)
        for (std::size_t k = 0; k < x[row].size(); ++k) out[row][static_cast<std::size_t>(x[row].items[k])] = static_cast<double>(x[row].values[k]);
    return out;
}

/// All items but those in `without`, by falling score and rising row.
inline std::vector<std::int32_t> ranking_of(const std::vector<double>& scores, const std::vector<double>& without) {
    std::vector<std::int32_t> out;
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (without[i] == 0) out.push_back(static_cast<std::int32_t>(i));
    std::ranges::stable_sort(out, [&](std::int32_t a, std::int32_t b) { return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)]; });
    return out;
}

#endif
