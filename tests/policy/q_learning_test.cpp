#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <caramel/apply.hpp>
#include <caramel/policy/mdp.hpp>
#include <caramel/policy/q_learning.hpp>

#include "policy/processes.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace q_learning_test {

namespace {

template <class T, std::size_t N>
bool same_bits(const q_policy<T, N>& a, const q_policy<T, N>& b) {
    const auto equal = [](const auto& x, const auto& y) { return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(*x.data())) == 0; };
    return equal(a.table(), b.table()) && equal(a.cells().visits(), b.cells().visits()) && equal(a.cells().allowed(), b.cells().allowed());
}

// The exact value of what a policy does from state 0; where it knows nothing it takes action 0.
template <class T, std::size_t N>
double exact_value(const mdp& process, const q_policy<T, N>& policy, double discount) {
    auto actions = policy.greedy_actions();
    std::ranges::replace(actions, no_action, std::size_t{0});
    return evaluate_policy(process, actions, {.discount = discount})(0);
}

template <class T>
q_learning<T, 3> crm_recipe() {
    return {.states = processes::crm_shape, .actions = 4};
}

// What a store logs whose customers are dealt with at random: episodes of 12 periods that are cut off, not ended.
std::vector<transition<3>> crm_log(std::size_t customers, std::uint64_t seed) {
    return processes::random_log(shaped_mdp<3>(processes::crm(), processes::crm_shape), 4, customers, seed);
}

}  // namespace

TEMPLATE_TEST_CASE("q_learner: single updates as published in the tests of AI-Toolbox", "[q_learning]", CARAMEL_TEST_SCALARS) {
    q_learner<TestType> learner({.states = {5}, .actions = 5, .discount = .9, .learning_rate = .5});
    const transition<> round{.state = {0}, .action = 0, .reward = 10, .next_state = {0}};
    learner.observe(round);
    CHECK(learner.table().value({0}, 0) == TestType(5));
    learner.observe(round);
    CHECK(learner.table().value({0}, 0) == TestType(9.75));
    const transition<> onward{.state = {3}, .action = 0, .reward = 10, .next_state = {4}};
    learner.observe(onward);
    CHECK(learner.table().value({3}, 0) == TestType(5));
    learner.observe(onward);
    CHECK(learner.table().value({3}, 0) == TestType(7.5));
    CHECK(learner.table().visits({3}, 0) == 2);
    CHECK(learner.observed() == 4);
}

TEST_CASE("q_learner: the n-th update of a cell has the rate n^-exponent; a terminal step has no future", "[q_learning]") {
    q_learner<double> learner({.states = {2}, .actions = 2, .discount = .5, .step_size_exponent = .6});
    learner.observe({.state = {1}, .action = 1, .reward = 8, .next_state = {0}});
    CHECK(learner.table().value({1}, 1) == 8);  // rate 1
    learner.observe({.state = {0}, .action = 0, .reward = 1, .next_state = {1}});
    CHECK(learner.table().value({0}, 0) == 5);
    learner.observe({.state = {0}, .action = 0, .reward = 2, .next_state = {1}, .terminal = true});
    CHECK(learner.table().value({0}, 0) == Approx(5 + std::pow(2, -.6) * (2 - 5)));
    learner.observe({.state = {0}, .action = 0, .reward = 2, .next_state = {77}, .terminal = true});  // not looked at
    CHECK(learner.table().visits({0}, 0) == 3);
}

namespace {

// The mean and the least exact value of what default settings learn, over seeds.
template <class T>
std::array<double, 2> crm_values(std::size_t steps, std::uint64_t first, std::uint64_t seeds) {
    const auto process = processes::crm();
    double mean = 0, least = 1e9;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        const auto policy = fit(q_learning<T>{.states = {54}, .actions = 4, .steps = steps}, process, {.seed = seed});
        const double value = exact_value(process, policy, .95);
        mean += value / static_cast<double>(seeds);
        least = std::min(least, value);
        // No value beyond what can be earned: 20 a period for ever.
        for (const auto q : policy.table()) CHECK(std::abs(static_cast<double>(q)) <= 20 / (1 - .95));
    }
    return {mean, least};
}
// Of so many seeds, those that find the exact policy of FrozenLake.
template <class T>
std::size_t lake_successes(std::uint64_t first, std::uint64_t seeds, std::size_t restart_every) {
    const auto process = processes::frozen_lake();
    const q_learning<T> recipe{.states = {16}, .actions = 4, .discount = .99, .steps = 100'000, .restart_every = restart_every};
    std::size_t out = 0;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed)
        out += std::abs(exact_value(process, fit(recipe, process, {.seed = seed}), .99) - .5420259320) < 1e-4 ? 1 : 0;
    return out;
}

}  // namespace

TEMPLATE_TEST_CASE("q_learning: close to the optimum of the customer model after 200 000 steps", "[q_learning]", CARAMEL_TEST_SCALARS) {
    const auto [mean, least] = crm_values<TestType>(200'000, 0, 6);
    CHECK(mean >= 126);
    CHECK(least >= 122);
}
TEST_CASE("q_learning: the customer model after 200 000 steps, over 20 seeds and others", "[q_learning][slow]") {
    for (const std::uint64_t first : {0U, 1U, 1000U}) {
        const auto [mean, least] = crm_values<double>(200'000, first, 20);
        CHECK(mean >= 126);
        CHECK(least >= 122);
    }
}
TEST_CASE("q_learning: the customer model after 5 000 000 steps", "[q_learning][slow]") {
    const auto [mean, least] = crm_values<double>(5'000'000, 0, 20);
    CHECK(mean >= 129.0);
    CHECK(least >= 128);
}

TEMPLATE_TEST_CASE("q_learning: the exact policy of FrozenLake after 100 000 steps", "[q_learning]", CARAMEL_TEST_SCALARS) {
    CHECK(lake_successes<TestType>(0, 4, 60) == 4);
    CHECK(lake_successes<TestType>(4, 4, 200) == 4);
}
TEST_CASE("q_learning: the exact policy of FrozenLake, whenever episodes are cut off", "[q_learning][slow]") {
    for (const std::size_t restart_every : {0U, 60U, 200U})
        for (const std::uint64_t first : {0U, 1U, 1000U}) CHECK(lake_successes<double>(first, 8, restart_every) == 8);
}

TEST_CASE("q_learning: the values of deterministic chains come out exactly", "[q_learning]") {
    // 0 -> 1 -> 2 -> end, one action, rewards 1, 2, 3: with rate 1 a sweep backwards is dynamic programming.
    const std::vector<transition<>> log{{{0}, 0, 1, {1}}, {{1}, 0, 2, {2}}, {{2}, 0, 3, {0}, true}};
    const auto policy = fit(q_learning<double>{.states = {3}, .actions = 1, .discount = .5, .learning_rate = 1, .sweeps = 2}, log);
    CHECK(policy(decision<>{.state = {2}}).value == 3);
    CHECK(policy(decision<>{.state = {1}}).value == 3.5);
    CHECK(policy(decision<>{.state = {0}}).value == 2.75);
    CHECK(policy.cells().visits({0}, 0) == 1);  // the log once, not every sweep
}

TEST_CASE("q_learning: the same seed gives the same bits, another one others, and axes are only names", "[q_learning]") {
    const auto process = processes::crm();
    const shaped_mdp<3> world(process, processes::crm_shape);
    auto recipe = crm_recipe<float>();
    recipe.steps = 5000;
    const auto a = fit(recipe, world, {.seed = 1});
    CHECK(same_bits(a, fit(recipe, world, {.seed = 1})));
    CHECK(same_bits(a, fit(recipe, world, {.seed = 1, .threads = 4})));
    CHECK(!same_bits(a, fit(recipe, world, {.seed = 2})));
    const auto flat = fit(q_learning<float>{.states = {54}, .actions = 4, .steps = 5000}, process, {.seed = 1});
    CHECK(std::memcmp(flat.table().data(), a.table().data(), flat.table().size() * sizeof(float)) == 0);
}

#ifndef __FMA__  // fused operations round once where the baseline rounds twice
TEST_CASE("q_learning: bits that every compiler agrees on", "[q_learning]") {
    const auto hash = [](const auto& policy) {
        std::uint64_t h = 0xcbf29ce484222325U;
        for (const auto x : policy.table()) h = (h ^ std::bit_cast<std::uint32_t>(x)) * 0x100000001b3U;
        return h;
    };
    // Only sums and products: no function whose last digit differs between C libraries.
    const std::vector<mdp_row> rows{{0, 0, .5, 1, 1}, {0, 0, .5, 0, -1}, {0, 1, 1, 2, .25}, {1, 0, .75, 0, 2}, {1, 0, .25, 2, 0}, {1, 1, 1, 1, .125}, {2, 0, 1, 0, 0}, {2, 1, .5, 2, 3, true}, {2, 1, .5, 1, 0}};
    const mdp process(3, 2, rows);
    CHECK(hash(fit(q_learning<float>{.states = {3}, .actions = 2, .learning_rate = .0625, .epsilon = {.from = 1, .to = .1, .share = .8}, .steps = 20'000}, process, {.seed = 11})) == 0x1ff7a1a20c42592bU);
    std::vector<transition<>> log;
    rng numbers(5);
    for (int i = 0; i < 2000; ++i) {
        const std::array<std::size_t, 1> state{numbers.below(3)};
        const std::size_t action = numbers.below(2);
        const auto got = process.step(state, action, numbers);
        log.push_back({state, action, got.reward, got.next_state, got.terminal});
    }
    CHECK(hash(fit(q_learning<float>{.states = {3}, .actions = 2, .learning_rate = .0625}, log)) == 0x1236536d16abb77cU);
}
#endif

TEMPLATE_TEST_CASE("q_learning: a log leads to the values of the process estimated from it", "[q_learning]", CARAMEL_TEST_SCALARS) {
    const auto log = crm_log(2000, 3);
    const auto estimate = estimate_mdp(log, processes::crm_shape, 4);
    const auto exact = policy_iteration(estimate.process);
    const auto gap = [&](std::size_t sweeps) {
        auto recipe = crm_recipe<TestType>();
        recipe.sweeps = sweeps;
        const auto policy = fit(recipe, log);
        double worst = 0;
        for (std::size_t s = 0; s < 54; ++s)
            for (std::size_t a = 0; a < 4; ++a) {
                CHECK(policy.cells().visits_of(s)[a] == estimate.counts(s, a));
                if (estimate.counts(s, a) > 0) worst = std::max(worst, std::abs(static_cast<double>(policy.cells().values_of(s)[a]) - exact.q(static_cast<row_index>(s), static_cast<row_index>(a))));
            }
        return worst;
    };
    const double early = gap(10), later = gap(400);
    CHECK(later < early / 4);
    CHECK(later < .02 * processes::crm_optimum);
    CHECK(exact_value(processes::crm(), fit(crm_recipe<TestType>(), log), .95) > 100);  // the policy that made the log: 66
}

TEST_CASE("q_learning: a log's untried actions are neither chosen nor valued, unless allowed", "[q_learning]") {
    // Action 0 costs 1, and nothing else was ever done in state 0; in state 1 nothing was.
    const std::vector<transition<>> log(20, {.state = {0}, .action = 0, .reward = -1, .next_state = {0}});
    const q_learning<double> careful{.states = {2}, .actions = 2, .discount = .5, .learning_rate = .5, .sweeps = 100};
    const auto policy = fit(careful, log);
    CHECK(policy(decision<>{.state = {0}}).action == 0);
    CHECK(policy(decision<>{.state = {0}}).value == Approx(-2));
    CHECK(policy.greedy_actions() == std::vector<std::size_t>{0, no_action});
    const error unseen = error_of([&] { (void)policy(decision<>{.state = {1}}); });
    CHECK(unseen.code() == errc::unknown_id);
    CHECK(error_of([&] { (void)policy(decision<>{.state = {0}, .allowed = {{1}}}); }).code() == errc::bad_data);

    auto daring = careful;
    daring.allow_untried = true;
    const auto other = fit(daring, log);
    CHECK(other(decision<>{.state = {0}}).action == 1);
    CHECK(other(decision<>{.state = {0}, .allowed = {{0}}}).value == Approx(-1));  // the untried one is worth 0
    CHECK(other(decision<>{.state = {1}}).action == 0);

    auto polite = careful;
    polite.default_action = 1;
    const auto fallback = fit(polite, log);
    CHECK(fallback(decision<>{.state = {1}}) == choice{.action = 1, .propensity = 1, .value = 0});
    CHECK(fallback(decision<>{.state = {0}}).action == 0);
    CHECK(fallback(decision<>{.state = {0}, .allowed = {{1}}}).action == 1);
    CHECK(error_of([&] { (void)fallback(decision<>{.state = {1}, .allowed = {{0}}}); }).code() == errc::unknown_id);
    CHECK(fallback.greedy_actions() == std::vector<std::size_t>{0, 1});
}

TEST_CASE("q_learning: what is masked has no say in a state's value", "[q_learning]") {
    // One state for ever; action 0 costs 1 and is worth -2, action 1 would be free but is not allowed.
    const mdp process(1, 2, std::vector<mdp_row>{{0, 0, 1, 0, -1}});
    const q_learning<double> recipe{.states = {1}, .actions = 2, .discount = .5, .learning_rate = .5, .steps = 200};
    CHECK(fit(recipe, process)(decision<>{}).value == Approx(-2));
    q_learner<double> learner(recipe);
    learner.allow_only({0}, {0});
    for (int i = 0; i < 200; ++i) learner.observe({.reward = -1});
    CHECK(learner.snapshot()(decision<>{}).value == Approx(-2));
    rng numbers(1);
    CHECK(learner.choose({}, 1, numbers).action == 0);
    CHECK(error_of([&] { (void)learner.choose({}, 1.1, numbers); }).code() == errc::bad_parameter);
}

TEST_CASE("q_policy: masks hold in 100 000 random decisions, in training, and in what is learnt", "[q_learning]") {
    // In state s action a is allowed where (s + a) % 3 is not 0; the forbidden ones would pay most.
    const auto rule = [](std::size_t s, std::size_t a) { return (s + a) % 3 != 0; };
    struct shop {
        decltype(rule) may;
        std::size_t reset(rng& numbers) const { return numbers.below(20); }
        outcome<1> step(std::size_t s, std::size_t a, rng& numbers) const {
            CHECK(may(s, a));
            return {.reward = may(s, a) ? numbers.uniform() : 100, .next_state = {numbers.below(20)}, .terminal = false};
        }
        std::vector<std::size_t> allowed(std::size_t s) const {
            std::vector<std::size_t> out;
            for (std::size_t a = 0; a < 6; ++a)
                if (may(s, a)) out.push_back(a);
            return out;
        }
    };
    struct flat_shop : shop {  // the learner's states are arrays, the shop's are numbers
        struct result {
            double reward;
            std::size_t next_state;
            bool terminal;
        };
        result step(std::size_t s, std::size_t a, rng& numbers) const {
            const auto got = shop::step(s, a, numbers);
            return {got.reward, got.next_state[0], got.terminal};
        }
    };
    const flat_shop world{{rule}};
    const auto policy = fit(q_learning<float>{.states = {20}, .actions = 6, .steps = 20'000}, world, {.seed = 4});
    for (std::size_t s = 0; s < 20; ++s)
        for (std::size_t a = 0; a < 6; ++a) {
            CHECK(policy.cells().allowed({s}, a) == rule(s, a));
            CHECK((policy.cells().visits({s}, a) > 0) == rule(s, a));
        }
    q_learner<float> learner({.states = {20}, .actions = 6});
    for (std::size_t s = 0; s < 20; ++s) learner.allow_only({s}, world.allowed(s));

    rng numbers(8);
    std::size_t answered = 0, violated = 0;
    for (int i = 0; i < 100'000; ++i) {
        decision<> asked{.state = {numbers.below(20)}};
        if (numbers.below(4) > 0) {
            asked.allowed.emplace();
            for (auto n = numbers.below(4); n > 0; --n) asked.allowed->push_back(numbers.below(6));
        }
        const auto fine = [&](std::size_t a) { return rule(asked.state[0], a) && (!asked.allowed || std::ranges::find(*asked.allowed, a) != asked.allowed->end()); };
        std::size_t possible = 0;
        for (std::size_t a = 0; a < 6; ++a) possible += fine(a) ? 1 : 0;
        if (possible == 0) {
            for (const auto& e : {error_of([&] { (void)policy(asked); }), error_of([&] { (void)learner.choose(asked, .5, numbers); })}) violated += e.code() == errc::bad_data ? 0 : 1;
        } else {
            const choice greedy = policy(asked), explored = learner.choose(asked, .5, numbers);
            violated += fine(greedy.action) && fine(explored.action) && greedy.propensity == 1 && explored.propensity > 0 && explored.propensity <= 1 ? 0 : 1;
            ++answered;
        }
    }
    CHECK(violated == 0);
    CHECK(answered > 50'000);
}

TEST_CASE("q_policy: ties go to the lower action; a batch, its rows and blocks on threads agree", "[q_learning]") {
    q_table<float, 2> table({2, 2}, 3, 1.f);
    std::ranges::fill(table.visits_of(0), 1);
    table.values_of(0)[2] = 4;
    std::ranges::fill(table.visits_of(3), 1);
    const q_policy<float, 2> policy(table, false, 0);
    const std::vector<decision<2>> asked{{.state = {0, 0}}, {.state = {1, 1}}, {.state = {0, 0}, .allowed = {{1, 0}}}, {.state = {0, 1}}};
    const std::vector<choice> answers = policy(asked);
    CHECK(answers == std::vector<choice>{{2, 1, 4}, {0, 1, 1}, {0, 1, 1}, {0, 1, 1}});
    workspace scratch;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        CHECK(policy(asked[i], scratch) == answers[i]);
        CHECK(policy(asked[i]) == answers[i]);
    }
    CHECK(policy(std::vector<decision<2>>{}).empty());
    std::vector<decision<2>> many;
    for (std::size_t i = 0; i < 5000; ++i) many.push_back(asked[i % 4]);
    CHECK(caramel::apply(policy, many, {.threads = 3}) == policy(many));

    // A stage in front turns what the host has into decisions.
    const auto chain = [](const std::vector<int>& hosts) {
        std::vector<decision<2>> out;
        for (const int x : hosts) out.push_back({.state = {0, x > 5 ? 1u : 0u}});
        return out;
    } | policy;
    CHECK(chain(std::vector<int>{1, 9})[0].action == 2);
}

TEST_CASE("q_policy: wrong decisions are refused with their place", "[q_learning][error]") {
    const q_policy<double, 2> policy(q_table<double, 2>({2, 3}, 2), true, -1);
    const error e = error_of([&] { (void)policy(std::vector<decision<2>>{{.state = {1, 2}}, {.state = {1, 3}}}); });
    CHECK(e.code() == errc::unknown_id);
    CHECK(e.where() == place{.row = 2, .column = 2});
    CHECK(error_of([&] { (void)policy(decision<2>{.state = {~std::size_t{0}, 0}}); }).where() == place{.column = 1});
    CHECK(error_of([&] { (void)policy(decision<2>{.allowed = {{0, 2}}}); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)policy(decision<2>{.allowed = std::vector<std::size_t>{}}); }).code() == errc::bad_data);
    CHECK(error_of([] { q_policy<double, 1>(q_table<double, 1>({2}, 2), true, 2); }).code() == errc::bad_data);
    CHECK(error_of([] { q_policy<double, 1>(q_table<double, 1>({2}, 2), true, -2); }).code() == errc::bad_data);
}

TEST_CASE("q_policy: its fields make it again", "[q_learning]") {
    auto recipe = crm_recipe<float>();
    recipe.steps = 3000;
    recipe.default_action = 0;
    const auto policy = fit(recipe, shaped_mdp<3>(processes::crm(), processes::crm_shape));
    const auto again = std::make_from_tuple<q_policy<float, 3>>(policy.fields());
    CHECK(same_bits(policy, again));
    CHECK(again.greedy_actions() == policy.greedy_actions());
    CHECK(again.default_action() == std::optional<std::size_t>(0));
    static_assert(std::tuple_size_v<decltype(policy.fields())> == q_policy<float, 3>::field_names.size());
}

TEST_CASE("q_learning: learning goes on from a model", "[q_learning]") {
    const auto process = processes::crm();
    const auto log = crm_log(500, 1);
    auto recipe = crm_recipe<double>();
    const auto first = fit(recipe, log);
    recipe.start = first;
    const auto second = fit(recipe, crm_log(500, 2));
    std::uint64_t visits = 0;
    for (const auto n : second.cells().visits()) visits += n;
    CHECK(visits == 2 * log.size());
    CHECK(exact_value(process, second, .95) > 90);

    q_learner<double, 3> learner(recipe);  // online, from the model as well
    CHECK(same_bits(learner.snapshot(), first));
    const auto before = learner.snapshot();
    learner.observe(log[0]);
    CHECK(same_bits(before, first));  // a snapshot stays what it was
    CHECK(!same_bits(learner.snapshot(), first));
    recipe.states = {6, 3, 4};
    CHECK(error_of([&] { (void)fit(recipe, log); }).code() == errc::shape_mismatch);
}

TEST_CASE("q_learner: online learning is learning from a log in one sweep", "[q_learning]") {
    const auto log = crm_log(300, 5);
    auto recipe = crm_recipe<float>();
    recipe.sweeps = 1;
    recipe.allow_untried = true;  // a host may do tomorrow what it did not do yet
    q_learner<float, 3> learner(recipe);
    for (const auto& t : log) learner.observe(t);
    CHECK(same_bits(learner.snapshot(), fit(recipe, log)));
}

TEST_CASE("q_learning: progress is reported, stopping keeps what was learnt, an exception passes", "[q_learning]") {
    const auto process = processes::crm();
    const q_learning<float> recipe{.states = {54}, .actions = 4, .steps = 10'050};
    std::vector<progress> seen;
    (void)fit(recipe, process, {.on_progress = [&](const progress& p) {
                  seen.push_back(p);
                  return verdict::go_on;
              }});
    REQUIRE(seen.size() == 101);
    CHECK(seen.front().step == 1);
    CHECK(seen.back().step == seen.back().steps);
    CHECK(seen.front().stage == "q_policy");
    CHECK(std::ranges::all_of(seen, [](const progress& p) { return std::isfinite(p.loss) && p.loss > 0; }));
    const auto visits_of = [](const auto& policy) {
        std::uint64_t n = 0;
        for (const auto x : policy.cells().visits()) n += x;
        return n;
    };
    const auto halt = [](const progress& p) { return p.step == 2 ? verdict::stop : verdict::go_on; };
    CHECK(visits_of(fit(recipe, process, {.on_progress = halt})) == 200);
    std::size_t sweeps = 0;
    const auto log = crm_log(10, 1);
    const auto stopped = fit(crm_recipe<float>(), log, {.on_progress = [&](const progress& p) { return ++sweeps, halt(p); }});
    CHECK(sweeps == 2);
    CHECK(visits_of(stopped) == log.size());
    CHECK_THROWS_AS((void)fit(recipe, process, {.on_progress = [](const progress&) -> verdict { throw 7; }}), int);
}

TEST_CASE("q_learning: parameters out of range are named", "[q_learning][error]") {
    const std::vector<transition<>> log(3);
    const auto refusal = [&](auto change) {
        q_learning<float> recipe{.states = {2}, .actions = 2};
        change(recipe);
        const error e = error_of([&] { (void)fit(recipe, log); });
        CHECK(error_of([&] { (void)fit(recipe, processes::forest()); }).what() == std::string(e.what()));
        CHECK(error_of([&] { (void)q_learner<float>(recipe); }).code() == e.code());
        CHECK(e.code() == errc::bad_parameter);
        return std::string(e.what());
    };
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    using Catch::Contains;
    CHECK_THAT(refusal([](auto& r) { r.states = {0}; }), Contains("states"));
    CHECK_THAT(refusal([](auto& r) { r.actions = 0; }), Contains("actions"));
    for (const double bad : {-.1, 1.5, nan}) {
        CHECK_THAT(refusal([&](auto& r) { r.discount = bad; }), Contains("discount"));
        CHECK_THAT(refusal([&](auto& r) { r.step_size_exponent = bad; }), Contains("step_size_exponent"));
        CHECK_THAT(refusal([&](auto& r) { r.learning_rate = bad; }), Contains("learning_rate"));
        CHECK_THAT(refusal([&](auto& r) { r.epsilon.from = bad; }), Contains("epsilon.from"));
        CHECK_THAT(refusal([&](auto& r) { r.epsilon.to = bad; }), Contains("epsilon.to"));
        CHECK_THAT(refusal([&](auto& r) { r.epsilon.share = bad; }), Contains("epsilon.share"));
    }
    CHECK_THAT(refusal([](auto& r) { r.step_size_exponent = 0; }), Contains("step_size_exponent"));
    CHECK_THAT(refusal([](auto& r) { r.learning_rate = 0; }), Contains("learning_rate"));
    CHECK_THAT(refusal([](auto& r) { r.steps = 0; }), Contains("steps"));
    CHECK_THAT(refusal([](auto& r) { r.sweeps = 0; }), Contains("sweeps"));
    CHECK_THAT(refusal([](auto& r) { r.initial_value = 1e300; }), Contains("initial_value"));
    CHECK_THAT(refusal([](auto& r) { r.default_action = 2; }), Contains("default_action"));
    CHECK(error_of([&] { (void)fit(q_learning<float>{.states = {std::size_t{1} << 62}, .actions = 8}, log); }).code() == errc::limit_exceeded);
}

TEST_CASE("q_learning: bad logs are refused with row and column", "[q_learning][error]") {
    const q_learning<float, 2> recipe{.states = {2, 3}, .actions = 2};
    CHECK(error_of([&] { (void)fit(recipe, std::vector<transition<2>>{}); }).code() == errc::empty_input);
    q_learner<float, 2> learner(recipe);
    learner.observe({});
    const auto untouched = learner.snapshot();
    const auto check = [&](transition<2> bad, errc code, std::uint64_t column) {
        const error e = error_of([&] { (void)fit(recipe, std::vector<transition<2>>{{}, bad}); });
        CHECK(e.code() == code);
        CHECK(e.where() == place{.row = 2, .column = column});
        const error online = error_of([&] { learner.observe(bad); });
        CHECK(online.code() == code);
        CHECK(online.where() == place{.row = 2, .column = column});
        CHECK(same_bits(learner.snapshot(), untouched));
    };
    check({.state = {2, 0}}, errc::unknown_id, 1);
    check({.state = {0, (std::size_t{1} << 32) - 16}}, errc::unknown_id, 2);
    check({.action = 2}, errc::unknown_id, 3);
    check({.reward = std::numeric_limits<double>::quiet_NaN()}, errc::nan_or_inf, 4);
    check({.reward = -std::numeric_limits<double>::infinity()}, errc::nan_or_inf, 4);
    check({.next_state = {std::size_t{1} << 63, 0}}, errc::unknown_id, 5);
    check({.next_state = {0, 3}}, errc::unknown_id, 6);
}

namespace {
struct broken {
    std::size_t first = 0, next = 0;
    double reward = 0;
    std::vector<std::size_t> may = {0, 1};
    std::size_t reset(rng&) const { return first; }
    struct result {
        double reward;
        std::size_t next_state;
        bool terminal;
    };
    result step(std::size_t, std::size_t, rng&) const { return {reward, next, false}; }
    std::vector<std::size_t> allowed(std::size_t s) const { return s == 1 ? may : std::vector<std::size_t>{0}; }
};
}  // namespace

TEST_CASE("q_learning: a broken environment is refused with the step", "[q_learning][error]") {
    const q_learning<float> recipe{.states = {2}, .actions = 2, .steps = 10};
    const auto check = [&](const broken& world, errc code, std::uint64_t row) {
        const error e = error_of([&] { (void)fit(recipe, world); });
        INFO(e.what());
        CHECK(e.code() == code);
        CHECK(e.where().row == row);
    };
    check({.first = 2}, errc::unknown_id, 1);
    check({.next = 7}, errc::unknown_id, 1);
    check({.reward = std::numeric_limits<double>::infinity()}, errc::nan_or_inf, 1);
    check({.next = 1, .may = {}}, errc::bad_data, 1);
    check({.next = 1, .may = {2}}, errc::unknown_id, 1);
}

TEMPLATE_TEST_CASE("q_learning: values that leave the numbers are an error, not infinities", "[q_learning][error]", CARAMEL_TEST_SCALARS) {
    const double huge = static_cast<double>(std::numeric_limits<TestType>::max()) / 2;
    const std::vector<transition<>> log(10, {.state = {0}, .action = 0, .reward = huge, .next_state = {0}});
    CHECK(error_of([&] { (void)fit(q_learning<TestType>{.states = {1}, .actions = 1, .discount = 1}, log); }).code() == errc::diverged);
    CHECK(error_of([&] { (void)fit(q_learning<TestType>{.states = {1}, .actions = 1}, mdp(1, 1, std::vector<mdp_row>{{0, 0, 1, 0, huge}})); }).code() == errc::diverged);
    q_learner<TestType> learner({.states = {1}, .actions = 1, .discount = 1, .learning_rate = 1});
    learner.observe(log[0]);
    const auto before = learner.snapshot();
    CHECK(error_of([&] {
              for (int i = 0; i < 3; ++i) learner.observe(log[0]);
          }).code() == errc::diverged);
    CHECK(std::isfinite(learner.table().value({0}, 0)));
    CHECK(learner.observed() == 2);  // twice half the largest number, and no more
    CHECK(!same_bits(before, learner.snapshot()));
}

}  // namespace q_learning_test
