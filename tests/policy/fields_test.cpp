#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <caramel/core/ragged.hpp>
#include <caramel/policy/bandit.hpp>
#include <caramel/policy/customer_states.hpp>
#include <caramel/policy/linear_bandit.hpp>
#include <caramel/policy/q_table.hpp>
#include <caramel/policy/state_space.hpp>

#include "support/catch.hpp"

// Fields that no learner can have come to, one wrong at a time.

using namespace caramel;
namespace fields_test {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
using numbers = std::vector<double>;
errc code_of(const auto& work) { return error_of(work).code(); }

}  // namespace

TEST_CASE("fields: bandits", "[bandit][error]") {
    const auto bad = [](const std::vector<std::uint64_t>& rewards, const numbers& sums) { return code_of([&] { (void)bandit<ucb1>(ucb1{}, rewards, sums); }); };
    CHECK(bandit<ucb1>(ucb1{.exploration = 3}, {4, 0}, {2, 0}).rule().exploration == 3);
    CHECK(bad({}, {}) == errc::bad_data);
    CHECK(bad({1, 1}, {0.5}) == errc::bad_data);
    CHECK(bad({1}, {inf}) == errc::bad_data);
    CHECK(bad({1}, {-0.5}) == errc::bad_data);  // below the range of rewards
    CHECK(bad({1}, {1.5}) == errc::bad_data);
    CHECK(bad({0}, {0.5}) == errc::bad_data);  // a sum of nothing
    bandit<ucb1> two(2), three(3), other(2, ucb1{.exploration = 9});
    CHECK(code_of([&] { two.merge(three); }) == errc::shape_mismatch);
    CHECK(code_of([&] { two.merge(two, three); }) == errc::shape_mismatch);
    CHECK(code_of([&] { two.merge(other); }) == errc::bad_parameter);
    CHECK(code_of([&] { two.merge(two, other); }) == errc::bad_parameter);
    for (const auto& [low, high] : {std::pair(-inf, 1.0), {0.0, inf}, {1.0, 1.0}, {-1e308, 1e308}})
        CHECK(code_of([&, a = low, b = high] { (void)bandit<ucb1>(2, ucb1{.lowest = a, .highest = b}); }) == errc::bad_parameter);
}
TEST_CASE("fields: contextual bandits", "[linear_bandit][error]") {
    const matrix<double> one = matrix<double>::Identity(2, 2), sums = matrix<double>::Zero(1, 2);
    const auto bad = [](const matrix<double>& moments, const matrix<double>& s, const matrix<double>& inverses, const matrix<double>& weights) {
        return code_of([&] { (void)linear_bandit<linucb>(linucb{}, moments, s, inverses, weights, {0}); });
    };
    CHECK(linear_bandit<linucb>(linucb{}, one, sums, one, sums, {0}).dim() == 2);
    CHECK(bad(matrix<double>::Identity(3, 2), sums, one, sums) == errc::bad_data);
    CHECK(bad(one, matrix<double>::Zero(2, 2), one, sums) == errc::bad_data);
    CHECK(bad(one, sums, matrix<double>::Identity(2, 3), sums) == errc::bad_data);
    CHECK(bad(one, sums, one, matrix<double>::Zero(1, 3)) == errc::bad_data);
    CHECK(bad(one * inf, sums, one, sums) == errc::bad_data);
    matrix<double> skew = one;
    skew(0, 1) = 0.5;
    CHECK(bad(skew, sums, one, sums) == errc::bad_data);
    CHECK(bad(one, sums, skew, sums) == errc::bad_data);
    CHECK(bad(one, sums, -one, sums) == errc::bad_data);
    CHECK(bad(-5 * one, sums, one, sums) == errc::bad_data);  // no context has such moments
}
TEST_CASE("fields: states and tables", "[q_table][error]") {
    const auto states = [](double days, const numbers& recency, const numbers& orders, const numbers& spend, std::size_t cells) {
        return code_of([&] { (void)customer_states_model(days, recency, orders, spend, cells); });
    };
    CHECK(states(0, {1}, {1}, {1}, 2) == errc::bad_data);
    CHECK(states(40'000, {1}, {1}, {1}, 2) == errc::bad_data);
    CHECK(states(7, {1}, {1}, {1}, 0) == errc::bad_data);
    CHECK(states(7, {2, 1}, {1}, {1}, 2) == errc::bad_data);
    CHECK(states(7, {1}, {1, 1}, {1}, 2) == errc::bad_data);
    CHECK(states(7, {1}, {1}, {inf}, 2) == errc::bad_data);
    const auto cuts = [](const std::vector<numbers>& all) {
        ragged<double> out;
        for (const auto& axis : all) out.append_row(axis);
        return out;
    };
    const auto space = [&](const std::vector<std::string>& names, const std::vector<numbers>& axes, const std::vector<std::string>& words) {
        return code_of([&] { (void)state_space_model<double, 1>(names, cuts(axes), words); });
    };
    CHECK(space({"a", "b"}, {{1}}, {"low", "high"}) == errc::bad_data);
    CHECK(space({"a"}, {{1}, {2}}, {"low", "high"}) == errc::bad_data);
    CHECK(space({"a"}, {{2, 1}}, {"low", "middle", "high"}) == errc::bad_data);
    CHECK(space({"a"}, {{1}}, {"low"}) == errc::bad_data);
    const auto table = [](std::size_t values, std::size_t visits, std::size_t allowed, double value, std::uint8_t mark) {
        return code_of([&] {
            (void)q_table<double, 1>(make_tensor<double, 2>({values, 2}, value), make_tensor<std::uint64_t, 2>({visits, 2}), make_tensor<std::uint8_t, 2>({allowed, 2}, mark));
        });
    };
    CHECK(table(2, 3, 2, 0, 1) == errc::bad_data);
    CHECK(table(2, 2, 3, 0, 1) == errc::bad_data);
    CHECK(table(0, 0, 0, 0, 1) == errc::bad_data);
    CHECK(table(2, 2, 2, inf, 1) == errc::bad_data);
    CHECK(table(2, 2, 2, 0, 2) == errc::bad_data);
}

}  // namespace fields_test
