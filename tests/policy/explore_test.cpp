#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include <caramel/policy/explore.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("linear_schedule: a straight line over its share, then level", "[policy]") {
    const linear_schedule s{.from = 1, .to = .1, .share = .8};
    CHECK(s.at(0, 1000) == 1);
    CHECK(s.at(400, 1000) == Approx(.55));
    CHECK(s.at(800, 1000) == .1);
    CHECK(s.at(999, 1000) == .1);
    CHECK(linear_schedule{.from = 1, .to = .2, .share = 0}.at(0, 10) == .2);
    CHECK(linear_schedule{.from = 0, .to = 1, .share = 1}.at(5, 10) == .5);
}

TEST_CASE("epsilon_greedy: propensities are the frequencies, ties go to the lower action, masks hold", "[policy]") {
    constexpr std::array values{1.0, 3.0, 3.0, 9.0};
    constexpr std::array<std::uint8_t, 4> open{1, 1, 1, 0};
    rng numbers(3);
    std::array<std::size_t, 4> count{};
    std::array<double, 4> propensity{};
    constexpr std::size_t n = 100'000;
    for (std::size_t i = 0; i < n; ++i) {
        const choice c = detail::epsilon_greedy(std::span<const double>(values), std::span<const std::uint8_t>(open), .3, numbers);
        REQUIRE(c.action < 3);
        CHECK(c.value == values[c.action]);
        ++count[c.action];
        propensity[c.action] = c.propensity;
    }
    CHECK(propensity[0] == Approx(.1));
    CHECK(propensity[1] == Approx(.8));
    CHECK(propensity[2] == Approx(.1));
    for (std::size_t a = 0; a < 3; ++a) {  // five standard deviations
        const double p = propensity[a];
        CHECK(std::abs(static_cast<double>(count[a]) / n - p) < 5 * std::sqrt(p * (1 - p) / n));
    }
    CHECK(detail::epsilon_greedy(std::span<const double>(values), std::span<const std::uint8_t>(open), 0, numbers) == choice{.action = 1, .propensity = 1, .value = 3});
    CHECK(detail::epsilon_greedy(std::span<const double>(values), std::span<const std::uint8_t>(open), 1, numbers).propensity == Approx(1.0 / 3));
    constexpr std::array<std::uint8_t, 4> none{};
    CHECK(detail::epsilon_greedy(std::span<const double>(values), std::span<const std::uint8_t>(none), .5, numbers).action == no_action);
}

TEST_CASE("best_action: among a list in any order, with repeats", "[policy]") {
    constexpr std::array values{5.f, 7.f, 7.f, 1.f};
    constexpr std::array<std::uint8_t, 4> open{1, 0, 1, 1};
    constexpr std::array<std::size_t, 4> list{3, 2, 1, 2};
    constexpr std::array<std::size_t, 1> forbidden{1};
    CHECK(detail::best_action(std::span<const float>(values), std::span<const std::uint8_t>(open)) == 2);
    CHECK(detail::best_action(std::span<const float>(values), std::span<const std::uint8_t>(open), std::span<const std::size_t>(list)) == 2);
    CHECK(detail::best_action(std::span<const float>(values), std::span<const std::uint8_t>(open), std::span<const std::size_t>(forbidden)) == no_action);
}
