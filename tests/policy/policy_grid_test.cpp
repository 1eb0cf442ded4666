#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/policy/policy_grid.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {
const std::vector<std::string> names{"nothing", "mail"};
const state_axis recency{"days", {"to 30", "over 30"}}, orders{"orders", {"to 1", "to 2.50", "over 2.50"}};
}  // namespace

TEST_CASE("policy_grid: two axes, exact text", "[policy_grid]") {
    const std::vector<std::size_t> actions{0, 1, no_action, 1, 1, 0};
    CHECK(policy_grid(std::array{recency, orders}, actions, names) ==
          "  days \\ orders  to 1     to 2.50  over 2.50\n"
          "  to 30          nothing  mail     -\n"
          "  over 30        mail     mail     nothing\n");
}

TEST_CASE("policy_grid: the other coordinates are those of `at`", "[policy_grid]") {
    const std::array axes{recency, state_axis{"orders", {"any"}}, state_axis{"spend", {"low", "high"}}, state_axis{"contact", {"0", "1+"}}};
    // By state number: recency, then spend, then contact.
    const std::vector<std::size_t> actions{0, 0, 0, 1, 1, 1, 1, 0};
    constexpr std::array<std::string_view, 2> short_names{"n", "m"};
    CHECK(policy_grid(axes, actions, short_names, {0, 0, 1, 1}) ==
          "spend high, contact 1+\n"
          "  days \\ orders  any\n"
          "  to 30          m\n"
          "  over 30        n\n");
    // The first two coordinates of `at` do not count.
    CHECK(policy_grid(axes, actions, short_names, {7, 9, 0, 1}) ==
          "spend low, contact 1+\n"
          "  days \\ orders  any\n"
          "  to 30          n\n"
          "  over 30        m\n");
}

TEST_CASE("policy_grid: characters are counted, not bytes", "[policy_grid]") {
    const state_axis umlauts{"Käufe", {"über", "x"}};
    CHECK(policy_grid(std::array{state_axis{"Tage", {"≤ 30"}}, umlauts}, std::vector<std::size_t>{1, 0}, std::vector<std::string>{"nichts", "Rückruf"}) ==
          "  Tage \\ Käufe  über     x\n"
          "  ≤ 30          Rückruf  nichts\n");
}

TEST_CASE("cell_labels: cuts in words", "[policy_grid]") {
    using texts = std::vector<std::string>;
    CHECK(cell_labels(std::vector<double>{30, 60, 120}) == texts{"to 30", "to 60", "to 120", "over 120"});
    CHECK(cell_labels(std::vector<double>{}) == texts{"any"});
    CHECK(cell_labels(std::vector<double>{.5, 12.345, 123.456}) == texts{"to 0.50", "to 12.35", "to 123", "over 123"});
    CHECK(cell_labels(std::vector<double>{-2}) == texts{"to -2", "over -2"});
    CHECK(cell_labels(std::vector<double>{1e20}) == texts{"to 1e+20", "over 1e+20"});
}

TEST_CASE("policy_grid: refusals", "[policy_grid][error]") {
    const std::array axes{recency, orders};
    const auto refused = [&](const std::vector<std::size_t>& actions) { return error_of([&] { (void)policy_grid(axes, actions, names); }).code(); };
    CHECK(refused({0, 0, 0, 0, 0}) == errc::shape_mismatch);
    CHECK(refused({}) == errc::shape_mismatch);
    CHECK(refused({0, 0, 0, 0, 0, 2}) == errc::unknown_id);
    CHECK(error_of([&] { (void)policy_grid(std::array{recency, state_axis{"none", {}}}, std::vector<std::size_t>{}, names); }).code() == errc::bad_parameter);
    const std::array three{recency, orders, state_axis{"spend", {"low", "high"}}};
    const error outside = error_of([&] { (void)policy_grid(three, std::vector<std::size_t>(12), names, {0, 0, 2}); });
    CHECK(outside.code() == errc::unknown_id);
    CHECK(outside.where() == place{.column = 3});
}
