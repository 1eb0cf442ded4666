#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"
#include "support/statistics.hpp"

using namespace caramel;

TEST_CASE("rng: the published sequence of xoshiro256++ behind splitmix64", "[random]") {
    // Reference programs of Blackman and Vigna (prng.di.unimi.it): splitmix64 seeded with 0 gives these four words,
    // from which xoshiro256++ gives these.
    rng random(0);
    CHECK(random() == 0x53175d61490b23dfU);
    CHECK(random() == 0x61da6f3dc380d507U);
    CHECK(random() == 0x5c0fdf91ec9a7bfcU);
}

TEST_CASE("rng: streams by name and number are independent of each other and of what was drawn", "[random]") {
    rng a(7);
    const rng before = a;
    (void)a();
    auto mlp = before.split("mlp"), again = before.split("mlp"), other = before.split("als");
    const auto first = mlp();
    CHECK(first == again());
    CHECK(first != other());
    auto second = before.split("mlp").split(1), third = before.split("mlp").split(2);
    CHECK(second() != third());
}

TEST_CASE("rng: uniform, below and normal have the moments they should", "[random]") {
    rng random(3);
    constexpr int n = 200'000;
    double sum = 0, square = 0, normal_sum = 0, normal_square = 0;
    std::array<int, 7> counts{};
    for (int i = 0; i < n; ++i) {
        const double u = random.uniform();
        REQUIRE(u >= 0);
        REQUIRE(u < 1);
        sum += u;
        square += u * u;
        const double z = random.normal();
        normal_sum += z;
        normal_square += z * z;
        ++counts[random.below(7)];
    }
    // Five standard errors: a false alarm in about one of a million seeds, and the seed is fixed.
    CHECK(std::abs(sum / n - 0.5) < 5 * std::sqrt(1.0 / 12 / n));
    CHECK(std::abs(square / n - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n));
    CHECK(std::abs(normal_sum / n) < 5 / std::sqrt(n));
    CHECK(std::abs(normal_square / n - 1) < 5 * std::sqrt(2.0 / n));
    for (const int count : counts) CHECK(std::abs(count - n / 7.0) < 5 * std::sqrt(n / 7.0));
}

TEST_CASE("rng: a permutation holds every number once, and every place is equally likely", "[random]") {
    rng random(5);
    std::array<std::array<int, 5>, 5> counts{};
    for (int i = 0; i < 20'000; ++i) {
        auto order = random.permutation(5);
        for (std::size_t at = 0; at < 5; ++at) ++counts[at][order[at]];
        std::ranges::sort(order);
        REQUIRE(order == std::vector<std::size_t>{0, 1, 2, 3, 4});
    }
    for (const auto& row : counts)
        for (const int count : row) CHECK(std::abs(count - 4000) < 5 * std::sqrt(20'000 * 0.2 * 0.8));
}

TEST_CASE("stage_rng: the n-th stage of a kind has a stream of its own, whatever else stands before it", "[random]") {
    fit_options options{.seed = 9};
    auto alone = stage_rng(options, "mlp");
    options.fitted_before = {"standardize", "als"};
    auto behind_others = stage_rng(options, "mlp");
    options.fitted_before = {"mlp"};
    auto second = stage_rng(options, "mlp");
    const auto first = alone();
    CHECK(first == behind_others());
    CHECK(first != second());
}

TEST_CASE("rng: uniform and normal follow their distributions, number by number and in pairs", "[random][statistics]") {
    rng random(11);
    constexpr std::size_t n = 100'000;
    std::vector<double> even(n), bell(n);
    std::vector<int> pairs(400), signs(8);
    for (std::size_t i = 0; i < n; ++i) {
        even[i] = random.uniform();
        bell[i] = std::erfc(-random.normal() / std::numbers::sqrt2) / 2;
        if (i > 0) ++pairs[static_cast<std::size_t>(even[i - 1] * 20) * 20 + static_cast<std::size_t>(even[i] * 20)];
        if (i > 1) ++signs[std::size_t{bell[i] < .5} * 4 + std::size_t{bell[i - 1] < .5} * 2 + std::size_t{bell[i - 2] < .5}];
    }
    CHECK(kolmogorov(even) < kolmogorov_bound);
    CHECK(kolmogorov(bell) < kolmogorov_bound);
    CHECK(evenly_spread(pairs));
    CHECK(evenly_spread(signs));
    // The far ends, too: a number is beyond 3.5 deviations with probability 4.65e-4.
    const auto far = static_cast<double>(std::ranges::count_if(bell, [](double p) { return p < 2.3263e-4 || p > 1 - 2.3263e-4; }));
    CHECK(std::abs(far - n * 4.6526e-4) < one_in_a_million * std::sqrt(n * 4.6526e-4));
}

TEST_CASE("rng: below is even for every n, however far from a power of two", "[random][statistics]") {
    rng random(12);
    for (std::uint64_t n = 1; n <= 40; ++n) {
        std::vector<int> counts(n);
        for (int i = 0; i < 4000; ++i) ++counts[random.below(n)];
        if (n > 1) CHECK(evenly_spread(counts));
        else CHECK(counts[0] == 4000);
    }
    // Of 3/4 of all numbers a plain remainder would draw the lower third twice as often.
    const std::uint64_t n = std::uint64_t{3} << 62U;
    std::vector<int> thirds(3);
    for (int i = 0; i < 30'000; ++i) {
        const std::uint64_t drawn = random.below(n);
        REQUIRE(drawn < n);
        ++thirds[drawn / (n / 3)];
    }
    CHECK(evenly_spread(thirds));
}

TEST_CASE("rng: all orders of five are equally likely, and every bit is even", "[random][statistics]") {
    rng random(13);
    std::vector<int> orders(3125), kept, bits(64);
    for (int i = 0; i < 24'000; ++i) {
        std::size_t number = 0;
        for (const std::size_t x : random.permutation(5)) number = number * 5 + x;
        ++orders[number];
    }
    for (const int count : orders)
        if (count > 0) kept.push_back(count);
    CHECK(kept.size() == 120);
    CHECK(evenly_spread(kept));
    CHECK(random.permutation(0).empty());
    CHECK(random.permutation(1) == std::vector<std::size_t>{0});
    constexpr int n = 100'000;
    for (int i = 0; i < n; ++i) {
        const std::uint64_t word = random();
        for (std::size_t b = 0; b < 64; ++b) bits[b] += static_cast<int>(word >> b & 1U);
    }
    for (const int ones : bits) CHECK(std::abs(ones - n / 2) < 5.6 * std::sqrt(n) / 2);  // 64 of them: one in a million for all
}

TEST_CASE("rng: streams of neighbouring seeds, names and numbers have nothing in common", "[random][statistics]") {
    // The first number of each of many streams is as good as the numbers of one.
    std::vector<double> seeds, streams, named;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        seeds.push_back(rng(i).uniform());
        streams.push_back(rng(1).split(i).uniform());
        named.push_back(rng(i).split("als").uniform());
    }
    CHECK(kolmogorov(seeds) < kolmogorov_bound);
    CHECK(kolmogorov(streams) < kolmogorov_bound);
    CHECK(kolmogorov(named) < kolmogorov_bound);
    const auto correlation = [](const std::vector<double>& a, const std::vector<double>& b, std::size_t lag) {
        double sum = 0;
        for (std::size_t i = lag; i < a.size(); ++i) sum += (a[i] - .5) * (b[i - lag] - .5);
        return sum * 12 / std::sqrt(static_cast<double>(a.size() - lag));  // standard normal where they are independent
    };
    CHECK(std::abs(correlation(seeds, seeds, 1)) < 4.9);
    CHECK(std::abs(correlation(streams, streams, 1)) < 4.9);
    CHECK(std::abs(correlation(seeds, named, 0)) < 4.9);
}
