#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
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

TEST_CASE("exploration_schedule: equal factors, and one over the steps", "[policy]") {
    const exploration_schedule factor{.from = 1, .to = .01, .share = 1, .shape = schedule_shape::exponential};
    CHECK(factor.at(0, 100) == 1);
    CHECK(factor.at(50, 100) == Approx(.1));
    CHECK(factor.at(100, 100) == .01);
    const exploration_schedule over{.from = 1, .to = .1, .share = .5, .shape = schedule_shape::inverse};
    CHECK(over.at(0, 100) == 1);
    CHECK(over.at(25, 100) == Approx(1 / 5.5));
    CHECK(over.at(50, 100) == .1);
    CHECK(over.at(99, 100) == .1);
}

TEST_CASE("explore: propensities of every kind are its frequencies, and its expected value is their mean", "[policy]") {
    constexpr std::array values{1.0, 3.0, 2.0, 9.0, 3.0};
    constexpr std::array<std::uint64_t, 5> visits{4, 100, 0, 1, 7};
    constexpr std::array<std::uint8_t, 5> open{1, 1, 1, 0, 1};
    const std::span<const double> v(values);
    const std::span<const std::uint64_t> n(visits);
    const std::span<const std::uint8_t> may(open);
    for (const auto& by : {exploration{}, exploration{.how = exploring::softmax}, exploration{.how = exploring::softmax, .mix = .3},
                           exploration{.how = exploring::upper_bound, .mix = .5}, exploration{.how = exploring::count_bonus, .mix = .2}}) {
        rng numbers(7);
        std::array<double, 5> count{}, propensity{};
        constexpr int draws = 40'000;
        for (int i = 0; i < draws; ++i) {
            const choice c = detail::explore(by, .8, v, n, may, numbers);
            REQUIRE(c.action < 5);
            count[c.action] += 1;
            propensity[c.action] = c.propensity;
        }
        double sum = 0, mean = 0;
        for (std::size_t a = 0; a < 5; ++a) {
            const double p = propensity[a];
            CHECK(std::abs(count[a] / draws - p) <= 5 * std::sqrt(p * (1 - p) / draws));
            sum += p;
            mean += p * values[a];
        }
        CHECK(count[3] == 0);
        CHECK(sum == Approx(1));
        CHECK(detail::expected_value(by, .8, v, n, may, -1) == Approx(mean));
        constexpr std::array<std::uint8_t, 5> none{};
        CHECK(detail::explore(by, .8, v, n, std::span<const std::uint8_t>(none), numbers).action == no_action);
        CHECK(detail::expected_value(by, .8, v, n, std::span<const std::uint8_t>(none), -1) == -1);
    }
}

TEST_CASE("explore: softmax, upper bounds and bonuses by hand", "[policy]") {
    constexpr std::array values{0.0, std::numbers::ln2, 1000.0};
    constexpr std::array<std::uint8_t, 3> open{1, 1, 0};
    rng numbers(1);
    const auto by = [&](exploring how, double level, std::array<std::uint64_t, 3> visits) {
        return detail::explore({.how = how}, level, std::span<const double>(values), std::span<const std::uint64_t>(visits),
                               std::span<const std::uint8_t>(open), numbers);
    };
    const choice c = by(exploring::softmax, 1, {});
    CHECK(c.propensity == Approx(c.action == 0 ? 1.0 / 3 : 2.0 / 3));
    CHECK(by(exploring::softmax, 0, {}) == choice{.action = 1, .propensity = 1, .value = std::numbers::ln2});
    CHECK(by(exploring::softmax, 1e-300, {}).action == 1);
    // ln 10 = 2.30: 0 + sqrt(2.30 / 1) = 1.52 against .69 + sqrt(2.30 / 9) = 1.20; what is masked does not count.
    CHECK(by(exploring::upper_bound, 1, {1, 9, 1000}).action == 0);
    CHECK(by(exploring::upper_bound, .1, {1, 9, 1000}).action == 1);
    CHECK(by(exploring::upper_bound, 0, {5, 0, 0}).action == 1);  // untried first
    CHECK(by(exploring::count_bonus, 2, {0, 3, 0}).action == 0);  // 2 against .69 + 1
    CHECK(by(exploring::count_bonus, 2, {3, 3, 0}).action == 1);
    CHECK(by(exploring::count_bonus, 2, {0, 3, 0}).propensity == 1);
}
