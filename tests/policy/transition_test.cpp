#include <array>
#include <cstddef>
#include <vector>

#include <caramel/policy/mdp.hpp>
#include <caramel/policy/transition.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("state_number: row-major, and state_at is its inverse", "[policy]") {
    constexpr std::array<std::size_t, 3> shape{6, 3, 3};
    CHECK(state_number<3>(shape, {0, 0, 0}) == 0);
    CHECK(state_number<3>(shape, {1, 2, 0}) == 15);
    CHECK(state_number<3>(shape, {5, 2, 2}) == 53);
    for (std::size_t s = 0; s < 54; ++s) CHECK(state_number(shape, state_at(shape, s)) == s);
}

TEST_CASE("state_number: a state outside names the axis", "[policy][error]") {
    constexpr std::array<std::size_t, 2> shape{4, 3};
    const error e = error_of([&] { (void)state_number<2>(shape, {1, 3}); });
    CHECK(e.code() == errc::unknown_id);
    CHECK(e.where() == place{.column = 2});
    CHECK(error_of([&] { (void)state_number<2>(shape, {~std::size_t{0}, 0}); }).where() == place{.column = 1});
    CHECK(error_of([&] { (void)state_at(shape, 12); }).code() == errc::unknown_id);
}

namespace {
struct coin {  // the smallest environment: integers as states, no masks
    int reset(rng&) const { return 0; }
    struct result {
        float reward;
        int next_state;
        bool terminal;
    };
    result step(int, std::size_t, rng& numbers) const { return {numbers.uniform() < .5 ? 1.f : 0.f, 0, true}; }
};
struct masked_coin : coin {
    std::vector<int> allowed(int) const { return {0}; }
};
struct no_step {
    std::size_t reset(rng&) const { return 0; }
};
struct mutable_coin : coin {
    int reset(rng&) { return 0; }
};
}  // namespace

static_assert(Environment<coin> && !Environment<coin, 2> && !MaskedEnvironment<coin>);
static_assert(Environment<masked_coin> && MaskedEnvironment<masked_coin>);
static_assert(!Environment<no_step> && !Environment<mutable_coin> && !Environment<std::vector<transition<1>>>);
static_assert(Environment<mdp> && MaskedEnvironment<mdp> && Environment<shaped_mdp<3>, 3> && MaskedEnvironment<shaped_mdp<3>> && !Environment<shaped_mdp<3>, 2>);
static_assert(std::is_trivially_copyable_v<transition<3>>);
