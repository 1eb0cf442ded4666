#ifndef CARAMEL_TESTS_RECOMMEND_ML100K_HPP
#define CARAMEL_TESTS_RECOMMEND_ML100K_HPP

// Ratings for tests: made up, and MovieLens 100K in the five folds of the Surprise benchmark. (The figures' program reads
// this, too: no test framework here.)

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "recommend/shop.hpp"

#include <caramel/core/random.hpp>

struct world {
    std::vector<sale> learn, test;
};
struct columns_of {
    std::vector<int> customers, items;
    std::vector<double> values;
    explicit columns_of(const std::vector<sale>& log) {
        for (const auto& s : log) {
            customers.push_back(s.customer);
            items.push_back(s.item);
            values.push_back(s.value);
        }
    }
};

// Ratings about 3.5 of a rank-2 world with biases and noise, and what the world is without the noise.
inline world rank_two(int customers, int items, double density, double noise, std::uint64_t seed) {
    caramel::rng numbers(seed);
    const auto draw = [&](int n) {
        std::vector<std::array<double, 3>> out(static_cast<std::size_t>(n));
        for (auto& row : out)
            for (double& value : row) value = numbers.normal();
        return out;
    };
    const auto c = draw(customers), i = draw(items);
    world out;
    for (int u = 0; u < customers; ++u)
        for (int v = 0; v < items; ++v) {
            const auto& a = c[static_cast<std::size_t>(u)];
            const auto& b = i[static_cast<std::size_t>(v)];
            const double truth = 3.5 + .3 * a[2] + .5 * b[2] + .5 * (a[0] * b[0] + a[1] * b[1]);
            const double disturbed = truth + noise * numbers.normal(), chance = numbers.uniform();
            if (chance < density) out.learn.push_back({u, v, disturbed});
            else if (chance > 1 - density / 4) out.test.push_back({u, v, truth});
        }
    return out;
}

inline std::vector<sale> movielens(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::vector<sale> out;
    std::string line;
    while (std::getline(in, line)) {
        sale s{};
        int stars = 0;
        const char* const end = line.data() + line.size();
        const char* at = std::from_chars(line.data(), end, s.customer).ptr + 1;
        at = std::from_chars(at, end, s.item).ptr + 1;
        std::from_chars(at, end, stars);
        s.value = stars;
        out.push_back(s);
    }
    return out;
}

// The folds of the Surprise benchmark: 0 .. 99999 as numpy's RandomState(0).shuffle leaves them.
inline std::vector<std::size_t> numpy_shuffle(std::size_t n) {
    std::mt19937 numbers(0);
    std::vector<std::size_t> out(n);
    std::iota(out.begin(), out.end(), std::size_t{0});
    for (std::size_t i = n - 1; i > 0; --i) {
        std::size_t mask = i, j = 0;
        for (const int shift : {1, 2, 4, 8, 16}) mask |= mask >> shift;
        do j = numbers() & mask;
        while (j > i);
        std::swap(out[i], out[j]);
    }
    return out;
}
// Its legacy normal numbers: Marsaglia's polar method, the second of each pair first.
class numpy_normal {
   public:
    explicit numpy_normal(std::uint32_t seed) : numbers_(seed) {}
    double operator()() {
        if (kept_) return *std::exchange(kept_, std::nullopt);
        for (;;) {
            const double x = 2 * uniform() - 1, y = 2 * uniform() - 1, square = x * x + y * y;
            if (square >= 1 || square == 0) continue;
            const double scale = std::sqrt(-2 * std::log(square) / square);
            kept_ = scale * x;
            return scale * y;
        }
    }

   private:
    double uniform() {
        const auto high = numbers_() >> 5, low = numbers_() >> 6;
        return (static_cast<double>(high) * 67108864 + static_cast<double>(low)) / 9007199254740992;
    }
    std::mt19937 numbers_;
    std::optional<double> kept_;
};
inline std::vector<world> surprise_folds(const std::vector<sale>& ratings) {
    if (ratings.size() != 100'000) throw std::runtime_error("u.data has not 100,000 ratings");
    const auto order = numpy_shuffle(ratings.size());
    if (std::vector<std::size_t>(order.begin(), order.begin() + 8) != std::vector<std::size_t>{3582, 60498, 53227, 21333, 3885, 51521, 84261, 10685})
        throw std::runtime_error("numpy's RandomState(0) shuffles otherwise");
    std::vector<world> out(5);
    for (std::size_t k = 0; k < order.size(); ++k)
        for (std::size_t fold = 0; fold < 5; ++fold) (k / 20'000 == fold ? out[fold].test : out[fold].learn).push_back(ratings[order[k]]);
    return out;
}

#endif
