#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

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
