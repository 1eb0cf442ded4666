#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <caramel/policy/batch_policy.hpp>

#include "policy/crm_policies.hpp"
#include "policy/processes.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace batch_policy_test {

namespace {

constexpr auto line = processes::crm_line;

double worth(const mdp& process, const q_policy<double, 1>& policy) { return evaluate_policy(process, policy_probabilities<1>(policy, line, 4))(0); }

// The same by the letter: a model of counts, 600 sweeps.
std::vector<std::size_t> twin(const episode_log<1>& log, double k) {
    std::vector<std::array<double, 4>> n(54), r(54);
    std::vector<std::array<std::array<double, 54>, 4>> to(54);
    for (const auto& s : log.values()) {
        n[s.state[0]][s.action] += 1;
        r[s.state[0]][s.action] += s.reward;
        to[s.state[0]][s.action][s.next_state[0]] += 1;
    }
    std::vector<double> v(54, 0.0);
    std::vector<std::size_t> out(54, 0);
    for (int sweep = 0; sweep < 600; ++sweep) {
        auto next = v;
        for (std::size_t s = 0; s < 54; ++s) {
            double best = -1e300;
            next[s] = 0;
            for (std::size_t a = 0; a < 4; ++a) {
                if (n[s][a] == 0) continue;
                double q = r[s][a] / n[s][a] - k / std::sqrt(n[s][a]);
                for (std::size_t x = 0; x < 54; ++x) q += .95 * to[s][a][x] / n[s][a] * v[x];
                if (q <= best) continue;
                best = next[s] = q;
                out[s] = a;
            }
        }
        v = next;
    }
    return out;
}

}  // namespace

TEST_CASE("batch_policy: a log of 200 customers, by the letter", "[batch_policy]") {
    const auto process = processes::crm();
    const auto logging = processes::crm_logging(process);
    for (const double k : {0.0, 10.0, 30.0})
        for (std::size_t seed = 0; seed < 2; ++seed) {
            const auto log = simulate_log(process, line, logging, {.customers = 200, .seed = seed});
            const auto policy = pessimistic_q<double>{.states = line, .actions = 4, .pessimism = k}.fit(log, {});
            CHECK(policy.greedy_actions() == twin(log, k));
            const auto moves = moves_of(log);
            const auto again = fit(pessimistic_q<double>{.states = line, .actions = 4, .pessimism = k}, std::span<const transition<1>>(moves));
            CHECK(again.greedy_actions() == policy.greedy_actions());
            std::uint64_t visits = 0;
            for (std::size_t s = 0; s < 54; ++s)
                for (const auto x : policy.cells().visits_of(s)) visits += x;
            CHECK(visits == 2400);
        }
}

TEST_CASE("batch_policy: worked by hand", "[batch_policy]") {
    // State 0: action 0 earns 1 each of 4 times, action 1 earned 1.5 once. State 1 is never acted in.
    std::vector<transition<1>> log(4, {.state = {0}, .action = 0, .reward = 1, .next_state = {1}, .terminal = true});
    log.push_back({.state = {0}, .action = 1, .reward = 1.5, .next_state = {1}});
    const auto learn = [&](double k) { return fit(pessimistic_q<double>{.states = {2}, .actions = 3, .pessimism = k}, std::span<const transition<1>>(log)); };
    CHECK(learn(0)({.state = {0}}) == choice{1, 1, 1.5});
    CHECK(learn(2)({.state = {0}}) == choice{0, 1, 0});
    CHECK(learn(.9)({.state = {0}}).action == 1);
    CHECK(learn(1.1)({.state = {0}}).action == 0);
    CHECK(learn(1)({.state = {1}}).action == 0);  // by default
    CHECK_THROWS_AS(
        (fit(pessimistic_q<double>{.states = {2}, .actions = 3, .pessimism = 0, .default_action = {}}, std::span<const transition<1>>(log))({.state = {1}})),
        error);
}

TEST_CASE("batch_policy: the degree of pessimism comes from the log", "[batch_policy]") {
    const auto process = processes::crm();
    const auto logging = processes::crm_logging(process);
    const pessimistic_q<double> recipe{.states = line, .actions = 4, .candidates = {0, 1, 2, 4, 8}, .splits = 2};
    const auto small = simulate_log(process, line, logging, {.customers = 200, .seed = 1}),
               large = simulate_log(process, line, logging, {.customers = 4000, .seed = 1});
    const double k = recipe.pessimism_for(small, {.seed = 3});
    CHECK(k == recipe.pessimism_for(small, {.seed = 3, .threads = 3}));
    CHECK(k > recipe.pessimism_for(large));
    auto fixed = recipe;
    fixed.pessimism = k;
    CHECK(fixed.fit(small, {}).table() == recipe.fit(small, {.seed = 3}).table());
    CHECK(worth(process, recipe.fit(large, {})) > 114);
    // The unit of rewards does not matter.
    auto cents = small.values();
    for (auto& s : cents) s.reward *= 128;
    CHECK(recipe.pessimism_for(episode_log<1>(cents, small.starts()), {.seed = 3}) == Approx(128 * k).epsilon(1e-9));
    CHECK(recipe.pessimism_for(take_episodes<1>(small, std::array<std::size_t, 2>{0, 1})) > 0);
}

TEST_CASE("batch_policy: pessimism against greed over many logs", "[batch_policy][slow]") {
    const auto process = processes::crm();
    const auto logging = processes::crm_logging(process);
    constexpr std::size_t logs = 60;
    double greedy = 0, careful = 0, chosen = 0;
    for (std::size_t seed = 0; seed < logs; ++seed) {
        const auto log = simulate_log(process, line, logging, {.customers = 200, .seed = seed});
        greedy += worth(process, pessimistic_q<double>{.states = line, .actions = 4, .pessimism = 0}.fit(log, {})) / logs;
        careful += worth(process, pessimistic_q<double>{.states = line, .actions = 4, .pessimism = 30}.fit(log, {})) / logs;
        chosen += worth(process, pessimistic_q<double>{.states = line, .actions = 4, .splits = 3}.fit(log, {.seed = seed})) / logs;
    }
    INFO(greedy << ' ' << careful << ' ' << chosen);
    CHECK(greedy < 93);
    CHECK(careful >= 101);
    CHECK(chosen >= careful);
}

TEST_CASE("batch_policy: bad input", "[batch_policy][error]") {
    const std::vector<transition<1>> one{{.reward = 1}};
    const auto code = [&](const pessimistic_q<float>& recipe) { return error_of([&] { (void)recipe.fit(std::span<const transition<1>>(one), {}); }).code(); };
    CHECK(code({.states = {1}}) == errc::bad_parameter);
    CHECK(code({.states = {0}, .actions = 2}) == errc::bad_parameter);
    CHECK(code({.states = {1}, .actions = 2, .discount = 1.5}) == errc::bad_parameter);
    CHECK(code({.states = {1}, .actions = 2, .pessimism = -1}) == errc::bad_parameter);
    CHECK(code({.states = {1}, .actions = 2, .candidates = {}}) == errc::bad_parameter);
    CHECK(code({.states = {1}, .actions = 2, .splits = 0}) == errc::bad_parameter);
    CHECK(code({.states = {1}, .actions = 2, .default_action = 2}) == errc::bad_parameter);
    CHECK(code({.states = {1}, .actions = 2, .discount = 1}) == errc::diverged);  // earns for ever
    const pessimistic_q<float> good{.states = {1}, .actions = 2};
    CHECK(good.fit(std::span<const transition<1>>(one), {})({.state = {0}}).value == Approx(20).epsilon(1e-4));
    CHECK(error_of([&] { (void)good.fit(std::span<const transition<1>>(), {}); }).code() == errc::empty_input);
    const std::vector<transition<1>> bad{{.reward = 1}, {.reward = std::numeric_limits<double>::infinity()}};
    CHECK(error_of([&] { (void)good.fit(std::span<const transition<1>>(bad), {}); }).where() == place{.row = 2, .column = 3});
    const std::vector<transition<1>> outside{{.action = 2}};
    CHECK(error_of([&] { (void)good.fit(std::span<const transition<1>>(outside), {}); }).where() == place{.row = 1, .column = 2});
}

}  // namespace batch_policy_test
