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
#include <vector>

#include <caramel/policy/mdp.hpp>
#include <caramel/policy/q_learning.hpp>

#include "policy/processes.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace learners_test {

namespace {

template <class T, std::size_t N>
bool same_bits(const q_policy<T, N>& a, const q_policy<T, N>& b) {
    const auto equal = [](const auto& x, const auto& y) { return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(*x.data())) == 0; };
    return equal(a.table(), b.table()) && equal(a.cells().visits(), b.cells().visits());
}
template <class Recipe>
Recipe of_crm(std::size_t steps) {
    Recipe out;
    out.states = {54};
    out.actions = 4;
    out.steps = steps;
    return out;
}
double exact_value(const mdp& process, std::vector<std::size_t> actions, double discount) {
    std::ranges::replace(actions, no_action, std::size_t{0});
    return evaluate_policy(process, actions, {.discount = discount})(0);
}
// Episodes of the customer model, dealt with at random and cut off after 12 periods.
std::vector<transition<>> crm_log(std::size_t customers, std::uint64_t seed) { return processes::random_log(processes::crm(), 4, customers, seed); }
// Episodes of the lake, at random, to their ends.
std::vector<transition<>> lake_log(std::size_t steps, std::uint64_t seed) {
    const auto world = processes::frozen_lake();
    rng numbers(seed);
    std::vector<transition<>> out;
    auto state = world.reset(numbers);
    while (out.size() < steps) {
        const std::size_t action = numbers.below(4);
        const auto got = world.step(state, action, numbers);
        out.push_back({.state = state, .action = action, .reward = got.reward, .next_state = got.next_state, .terminal = got.terminal});
        state = got.terminal ? world.reset(numbers) : got.next_state;
    }
    return out;
}

// SARSA of n steps by the book, on one stored path: every return is summed up when its last action is known.
std::vector<double> sarsa_by_the_book(const std::vector<transition<>>& log, std::size_t states, std::size_t actions, std::size_t n, double discount,
                                      double rate) {
    std::vector<double> q(states * actions, 0.0);
    const auto at = [&](const transition<>& t) -> double& { return q[t.state[0] * actions + t.action]; };
    for (std::size_t begin = 0, end = 0; begin < log.size(); begin = end) {
        for (end = begin + 1; end < log.size() && !log[end - 1].terminal && log[end - 1].next_state == log[end].state;) ++end;
        const bool ends = log[end - 1].terminal;
        const std::size_t known = ends ? end : end - 1;  // behind the last step of a path that was cut off nobody knows
        // At time t the return of the step at t - n is complete; when the path is over, all that are left.
        std::vector<double> last;
        for (std::size_t t = begin; t < end; ++t) {
            if (t < begin + n) continue;
            double g = at(log[t]);
            for (std::size_t i = t; i-- > t - n;) g = log[i].reward + discount * g;
            at(log[t - n]) += rate * (g - at(log[t - n]));
        }
        const std::size_t open = end - begin > n ? end - n : begin;
        double g = ends ? 0 : at(log[end - 1]);
        for (std::size_t i = known; i-- > open;) last.insert(last.begin(), g = log[i].reward + discount * g);
        for (std::size_t i = open; i < known; ++i) at(log[i]) += rate * (last[i - open] - at(log[i]));
    }
    return q;
}

}  // namespace

TEST_CASE("learners: where they say the same they do the same, bit for bit", "[learners]") {
    const auto process = processes::frozen_lake();
    q_learning<float> plain{.states = {16}, .actions = 4, .discount = .99, .steps = 20'000};
    const auto expected = fit(plain, process, {.seed = 3});
    const auto check = [&](auto recipe) {
        recipe.states = {16};
        recipe.actions = 4;
        recipe.discount = .99;
        recipe.steps = 20'000;
        CHECK(same_bits(fit(recipe, process, {.seed = 3}), expected));
    };
    check(n_step_q<float>{.rule = {.n = 1}});
    check(q_lambda<float>{.rule = {.lambda = 0}});
    check(dyna_q<float>{.rule = {.planning_steps = 0}});

    const auto log = lake_log(3000, 1);
    plain.sweeps = 1;
    const auto from_log = fit(plain, log);
    CHECK(same_bits(fit(n_step_q<float>{.states = {16}, .actions = 4, .discount = .99, .sweeps = 1, .rule = {.n = 1}}, log), from_log));
    CHECK(same_bits(fit(q_lambda<float>{.states = {16}, .actions = 4, .discount = .99, .sweeps = 1, .rule = {.lambda = 0}}, log), from_log));
    plain.sweeps = 4;  // the general way of going through a log and the fast one
    CHECK(same_bits(fit(dyna_q<float>{.states = {16}, .actions = 4, .discount = .99, .sweeps = 4, .rule = {.planning_steps = 0}}, log), fit(plain, log)));
    plain.learning_rate = .1;
    CHECK(same_bits(fit(dyna_q<float>{.states = {16}, .actions = 4, .discount = .99, .learning_rate = .1, .sweeps = 4, .rule = {.planning_steps = 0}}, log),
                    fit(plain, log)));
}

TEMPLATE_TEST_CASE("learners: the fast way through a log does what the general one does, masks and odd numbers of actions included", "[learners]",
                   CARAMEL_TEST_SCALARS) {
    for (const std::size_t actions : {1U, 3U, 5U, 16U, 17U, 33U}) {
        rng numbers(actions);
        q_table<TestType, 1> table({7}, actions);
        for (std::size_t s = 0; s < 6; ++s) table.allow_only_at(s, std::vector<std::size_t>{numbers.below(actions), numbers.below(actions)});
        table.values_of(2)[0] = TestType(3);
        table.visits_of(2)[0] = 4;
        std::vector<transition<>> log(200);
        for (auto& t : log)  // the log does what the table forbids, too, and leads to a state where nothing was ever done
            t = {.state = {numbers.below(6)},
                 .action = numbers.below(actions),
                 .reward = numbers.normal(),
                 .next_state = {numbers.below(7)},
                 .terminal = numbers.below(9) == 0};
        for (const bool constant : {false, true})
            for (const bool untried : {false, true}) {
                q_learning<TestType> fast{.states = {7},
                                          .actions = actions,
                                          .sweeps = 3,
                                          .initial_value = -1,
                                          .allow_untried = untried,
                                          .start = q_policy<TestType>(table, untried, -1)};
                dyna_q<TestType> general{.states = {7},
                                         .actions = actions,
                                         .sweeps = 3,
                                         .initial_value = -1,
                                         .allow_untried = untried,
                                         .start = fast.start,
                                         .rule = {.planning_steps = 0}};
                if (constant) fast.learning_rate = general.learning_rate = .25;
                CHECK(same_bits(fit(fast, log), fit(general, log)));
            }
    }
}

TEST_CASE("sarsa: of one step and of several, as by the book", "[learners]") {
    for (const auto& log : {lake_log(500, 7), crm_log(40, 7)}) {
        const std::size_t states = log.size() == 500 ? 16 : 54;
        for (const std::size_t n : {1U, 2U, 4U, 40U}) {
            const auto book = sarsa_by_the_book(log, states, 4, n, .9, .25);
            const auto policy = fit(sarsa<double>{.states = {states}, .actions = 4, .discount = .9, .learning_rate = .25, .sweeps = 1, .rule = {.n = n}}, log);
            double worst = 0;
            for (std::size_t i = 0; i < book.size(); ++i) worst = std::max(worst, std::abs(book[i] - policy.table().data()[i]));
            CHECK(worst < 1e-12);
        }
    }
}

TEST_CASE("learners: single updates by hand", "[learners]") {
    const transition<> a{.state = {0}, .action = 0, .reward = 10, .next_state = {1}}, b{.state = {1}, .action = 1, .reward = 2, .next_state = {0}},
        end{.state = {0}, .action = 1, .reward = 4, .terminal = true};
    {
        q_learner learner(sarsa<double>{.states = {2}, .actions = 2, .discount = .5, .learning_rate = .5});
        learner.learn(a);
        CHECK(learner.table().value({0}, 0) == 0);  // what comes next is not known
        learner.learn(b);
        CHECK(learner.table().value({0}, 0) == 5);
        learner.learn(end);
        CHECK(learner.table().value({1}, 1) == 1);
        CHECK(learner.table().value({0}, 1) == 2);
        CHECK(learner.table().visits({0}, 1) == 1);
        learner.learn(a);
        learner.learn(b);  // 5 + .5 * (10 + .5 * 1 - 5)
        CHECK(learner.table().value({0}, 0) == 7.75);
        learner.learn(a);
        learner.learn({.state = {0}, .action = 1, .reward = 1, .next_state = {0}});  // goes on from elsewhere: that step is left out
        CHECK(learner.table().visits({0}, 0) == 2);
    }
    {  // of the mean under epsilon = .5: (.75 * 4 + .25 * 0)
        q_learner learner(expected_sarsa<double>{.states = {2}, .actions = 2, .discount = .5, .learning_rate = 1, .epsilon = {.from = .5, .to = .5}});
        learner.learn({.state = {1}, .action = 1, .reward = 4, .terminal = true});
        learner.learn(a);
        CHECK(learner.table().value({0}, 0) == 11.5);
    }
    {  // traces: what the second step learns reaches the first at .5 * .5
        q_learner learner(q_lambda<double>{.states = {2}, .actions = 2, .discount = .5, .learning_rate = .5, .rule = {.lambda = .5}});
        learner.learn(a);
        learner.learn({.state = {1}, .action = 1, .reward = 8, .terminal = true});
        CHECK(learner.table().value({1}, 1) == 4);
        CHECK(learner.table().value({0}, 0) == 5 + .5 * .25 * 8);
        learner.learn(a);
        learner.learn({.state = {1}, .action = 0, .reward = 100, .terminal = true});  // not the best action: the trace ends before it
        CHECK(learner.table().value({0}, 0) == 6 + .5 * (10 + .5 * 4 - 6));
    }
    {  // average rewards: the value moves by half of 3, the rate by half of that
        q_learner learner(differential_q_learning<double>{.states = {1}, .actions = 1, .learning_rate = .5, .rule = {.rate_share = .5}});
        learner.learn({.reward = 3});
        CHECK(learner.table().value({0}, 0) == 1.5);
        CHECK(learner.snapshot().reward_rate() == .75);
        for (int i = 0; i < 200; ++i) learner.learn({.reward = 3});
        CHECK(learner.snapshot().reward_rate() == Approx(3));
        CHECK(error_of([&] { learner.learn({.terminal = true}); }).code() == errc::bad_data);
    }
    {  // two tables: the mean of the one that learnt and the one that did not
        q_learner learner(double_q_learning<double>{.states = {1}, .actions = 1, .discount = 0, .learning_rate = 1}, 1);
        learner.learn({.reward = 8});
        CHECK(learner.table().value({0}, 0) == 4);
        CHECK(learner.table().visits({0}, 0) == 1);
        for (int i = 0; i < 20; ++i) learner.learn({.reward = 8});
        CHECK(learner.table().value({0}, 0) == 8);
    }
}

TEST_CASE("learners: a chain is worth what it earns", "[learners]") {
    // 0 -> 1 -> 2 -> end with rewards 1, 2, 3: with rate 1 those that reach back know it after one pass forwards.
    const std::vector<transition<>> log{{{0}, 0, 1, {1}}, {{1}, 0, 2, {2}}, {{2}, 0, 3, {0}, true}};
    const auto check = [&](auto recipe) {
        recipe.states = {3};
        recipe.actions = 1;
        recipe.discount = .5;
        recipe.learning_rate = 1;
        const auto values = fit(recipe, log).table();
        CHECK(values(0, 0) == 2.75);
        CHECK(values(1, 0) == 3.5);
        CHECK(values(2, 0) == 3);
    };
    check(n_step_q<double>{.sweeps = 1, .rule = {.n = 3}});
    check(sarsa<double>{.sweeps = 1, .rule = {.n = 5}});
    check(expected_sarsa<double>{.sweeps = 1, .rule = {.n = 3}});
    check(q_lambda<double>{.sweeps = 1, .rule = {.lambda = 1}});
    check(prioritized_sweeping<double>{.sweeps = 1});
    check(dyna_q<double>{.sweeps = 2, .rule = {.planning_steps = 20}});
    check(sarsa<double>{.sweeps = 3});
    check(expected_sarsa<double>{.sweeps = 3});
}

TEST_CASE("learners: in a log, greedy ones find the best policy of the process seen, the others the value of the log's own", "[learners]") {
    const auto log = crm_log(1500, 3);
    const std::span<const transition<>> rows(log);
    const auto estimate = estimate_mdp(rows, {54}, 4);
    const auto best = policy_iteration(estimate.process);
    // A process in which the action is drawn as often as the log took it.
    matrix<double> shares = matrix<double>::Zero(54, 4);
    for (std::size_t s = 0; s < 54; ++s)
        for (std::size_t a = 0; a < 4; ++a) shares(static_cast<row_index>(s), static_cast<row_index>(a)) = static_cast<double>(estimate.counts(s, a));
    for (row_index s = 0; s < 54; ++s)
        if (shares.row(s).sum() > 0) shares.row(s) /= shares.row(s).sum();
    const auto own = evaluate_policy(estimate.process, shares);

    const auto gap = [&](const auto& policy, const matrix<double>& q) {
        double worst = 0;
        for (std::size_t s = 0; s < 54; ++s)
            for (std::size_t a = 0; a < 4; ++a)
                if (estimate.counts(s, a) > 0)
                    worst = std::max(worst, std::abs(policy.cells().values_of(s)[a] - q(static_cast<row_index>(s), static_cast<row_index>(a))));
        return worst;
    };
    matrix<double> own_q = matrix<double>::Zero(54, 4);
    for (std::size_t s = 0; s < 54; ++s)
        for (const std::size_t a : estimate.process.allowed(s))
            for (const auto& r : estimate.process.rows_of(s, a))
                own_q(static_cast<row_index>(s), static_cast<row_index>(a)) +=
                    r.probability * (r.reward + (r.terminal ? 0 : .95 * own(static_cast<row_index>(r.next_state))));

    auto sweeping = of_crm<prioritized_sweeping<double>>(1);
    sweeping.rule = {.planning_steps = 20, .threshold = 1e-10};
    CHECK(gap(fit(sweeping, log), best.q) < 1e-6);  // not an estimate: the same process, worked out
    CHECK(gap(fit(of_crm<expected_sarsa<double>>(1), log), own_q) < 3);
    CHECK(gap(fit(of_crm<dyna_q<double>>(1), log), best.q) < 4);
    auto several = of_crm<expected_sarsa<double>>(1);
    several.rule.n = 3;
    CHECK(std::abs(fit(several, log).cells().value({0}, 0) - own_q(0, 0)) < 2);
    CHECK(std::abs(fit(of_crm<sarsa<double>>(1), log).cells().value({0}, 0) - own_q(0, 0)) < 4);
    CHECK(std::abs(own_q(0, 0) - 65.98) < 6);  // the true value of dealing with customers at random
}

TEST_CASE("learners: near the optimum of the customer model and of FrozenLake", "[learners]") {
    const auto crm = processes::crm(), lake = processes::frozen_lake();
    const auto on_crm = [&](auto recipe, std::size_t steps) {
        recipe.states = {54};
        recipe.actions = 4;
        recipe.steps = steps;
        return exact_value(crm, fit(recipe, crm, {.seed = 1}).greedy_actions(), .95);
    };
    CHECK(on_crm(q_lambda<float>{}, 200'000) > 120);
    CHECK(on_crm(n_step_q<float>{}, 200'000) > 120);
    CHECK(on_crm(double_q_learning<float>{}, 200'000) > 110);
    CHECK(on_crm(sarsa<float>{.epsilon = {.to = .02}}, 200'000) > 118);
    CHECK(on_crm(expected_sarsa<float>{.epsilon = {.to = .02}}, 200'000) > 118);
    CHECK(on_crm(dyna_q<float>{}, 50'000) > 120);
    CHECK(on_crm(prioritized_sweeping<float>{}, 30'000) > 122);
    const auto on_lake = [&](auto recipe, std::size_t steps) {
        recipe.states = {16};
        recipe.actions = 4;
        recipe.discount = .99;
        recipe.steps = steps;
        return exact_value(lake, fit(recipe, lake, {.seed = 1}).greedy_actions(), .99);
    };
    CHECK(on_lake(q_lambda<float>{}, 100'000) > .52);
    CHECK(on_lake(n_step_q<float>{}, 100'000) > .52);
    CHECK(on_lake(double_q_learning<float>{}, 100'000) > .5);
    CHECK(on_lake(dyna_q<float>{}, 30'000) > .52);
    CHECK(std::abs(on_lake(prioritized_sweeping<float>{}, 30'000) - .5420259) < 1e-4);
}

TEST_CASE("sarsa: its values are those of the policy that explores", "[learners]") {
    const auto process = processes::crm();
    constexpr double epsilon = .2, discount = .8;
    const auto check = [&](auto recipe) {
        recipe.states = {54};
        recipe.actions = 4;
        recipe.steps = 300'000;
        recipe.discount = discount;
        recipe.epsilon = {.from = epsilon, .to = epsilon};
        const auto policy = fit(recipe, process, {.seed = 2});
        matrix<double> acts = matrix<double>::Constant(54, 4, epsilon / 4);
        const auto greedy = policy.greedy_actions();
        for (std::size_t s = 0; s < 54; ++s) acts(static_cast<row_index>(s), static_cast<row_index>(greedy[s] == no_action ? 0 : greedy[s])) += 1 - epsilon;
        const double exact = evaluate_policy(process, acts, {.discount = discount})(0);
        const double expected = (1 - epsilon) * policy(decision<>{}).value +
                                epsilon / 4 * (policy.table()(0, 0) + policy.table()(0, 1) + policy.table()(0, 2) + policy.table()(0, 3));
        CHECK(std::abs(expected - exact) < .05 * exact);
        CHECK(exact < .95 * policy_iteration(process, {.discount = discount}).v(0));
    };
    check(sarsa<double>{});
    check(expected_sarsa<double>{});
    check(sarsa<double>{.rule = {.n = 3}});
}

TEST_CASE("dyna_q: remembered steps carry a reward back that one pass cannot", "[learners]") {
    std::vector<transition<>> log;
    for (std::size_t s = 0; s < 10; ++s) log.push_back({.state = {s}, .action = 0, .reward = s == 9 ? 1.0 : 0.0, .next_state = {s + 1}, .terminal = s == 9});
    dyna_q<double> recipe{.states = {11}, .actions = 1, .discount = .9, .learning_rate = 1};
    const auto twice = [&](std::size_t planning) {
        recipe.rule.planning_steps = planning;
        q_learner learner(recipe);
        for (int i = 0; i < 2; ++i)
            for (const auto& t : log) learner.learn(t);
        CHECK(learner.table().visits({0}, 0) == 2);  // remembered steps are not visits
        return learner.table().value({0}, 0);
    };
    CHECK(twice(0) == 0);
    CHECK(twice(50) == Approx(std::pow(.9, 9)));
}

TEST_CASE("double_q_learning: luck is not taken for value", "[learners]") {
    // From state 0 one may go to state 1, where each of 10 actions earns -.1 on average, with noise of 1, and ends.
    struct roulette {
        std::size_t reset(rng&) const { return 0; }
        struct result {
            double reward;
            std::size_t next_state;
            bool terminal;
        };
        result step(std::size_t s, std::size_t, rng& numbers) const { return s == 0 ? result{0, 1, false} : result{-.1 + numbers.normal(), 0, true}; }
    };
    double plain = 0, twofold = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        plain += fit(q_learning<double>{.states = {2}, .actions = 10, .learning_rate = .1, .epsilon = {1, 1}, .steps = 2000}, roulette{}, {.seed = seed})
                     .table()(0, 0) /
                 20;
        twofold +=
            fit(double_q_learning<double>{.states = {2}, .actions = 10, .learning_rate = .1, .epsilon = {1, 1}, .steps = 2000}, roulette{}, {.seed = seed})
                .table()(0, 0) /
            20;
    }
    CHECK(plain > .15);
    CHECK(twofold < .05);
    CHECK(twofold > -.4);
}

TEST_CASE("differential_q_learning: the best mean reward of the customer model", "[learners]") {
    const auto process = processes::crm();
    // With a discount close to 1 a state is worth the mean reward over 1 - discount, within the span of the values.
    constexpr double nearly = .99999;
    const double optimum = policy_iteration(process, {.discount = nearly}).v(0) * (1 - nearly);
    const auto policy = fit(of_crm<differential_q_learning<double>>(400'000), process, {.seed = 1});
    CHECK(std::abs(policy.reward_rate() / optimum - 1) < .03);
    CHECK(exact_value(process, policy.greedy_actions(), nearly) * (1 - nearly) > .97 * optimum);
    const error e = error_of([&] { (void)fit(differential_q_learning<double>{.states = {16}, .actions = 4}, processes::frozen_lake()); });
    CHECK(e.code() == errc::bad_data);
    CHECK(e.where().row > 0);
    CHECK(error_of([&] { (void)fit(differential_q_learning<double>{.states = {16}, .actions = 4}, lake_log(50, 1)); }).where().row > 0);
}

TEST_CASE("learners: from a source, a log in one pass, and one at a time online", "[learners]") {
    const auto log = crm_log(100, 9);
    const auto check = [&](auto recipe, bool learnt_at_the_end) {
        recipe.states = {54};
        recipe.actions = 4;
        recipe.sweeps = 1;
        recipe.allow_untried = true;
        std::size_t at = 0;
        const auto reader = [&]() -> std::optional<transition<>> { return at < log.size() ? std::optional(log[at++]) : std::nullopt; };
        const auto from_source = fit(recipe, reader);
        CHECK(at == log.size());
        q_learner learner(recipe);
        for (const auto& t : log) learner.learn(t);
        if (!learnt_at_the_end) CHECK(same_bits(from_source, learner.snapshot()));
        const auto from_log = fit(recipe, log);
        CHECK(std::memcmp(from_source.table().data(), from_log.table().data(), 54 * 4 * sizeof(float)) == 0);
    };
    check(q_learning<float>{}, false);
    check(sarsa<float>{}, false);
    check(q_lambda<float>{}, false);
    check(n_step_q<float>{}, true);
    check(double_q_learning<float>{}, false);

    const auto process = processes::forest();  // drawn anew each time, any state and action
    const auto model = [&](rng& numbers) {
        const std::array<std::size_t, 1> state{numbers.below(3)};
        const std::size_t action = numbers.below(2);
        const auto got = process.step(state, action, numbers);
        return transition<>{.state = state, .action = action, .reward = got.reward, .next_state = got.next_state, .terminal = got.terminal};
    };
    const auto policy = fit(q_learning<double>{.states = {3}, .actions = 2, .discount = .9, .steps = 200'000}, model, {.seed = 1});
    CHECK(policy.greedy_actions() == std::vector<std::size_t>{0, 0, 0});
    CHECK(policy(decision<>{.state = {2}}).value == Approx(33.484).epsilon(.03));
    CHECK(error_of([&] { (void)fit(q_learning<double>{.states = {3}, .actions = 2}, [] { return std::optional<transition<>>(); }); }).code() ==
          errc::empty_input);
    const error e = error_of([&] { (void)fit(q_learning<double>{.states = {3}, .actions = 2}, [] { return transition<>{.action = 2}; }); });
    CHECK(e.code() == errc::unknown_id);
    CHECK(e.where() == place{.row = 1, .column = 2});
}

TEST_CASE("merge_policies: shards of one shop learn what the shop would, and their rates are weighted", "[learners]") {
    const auto log = crm_log(4000, 11);
    auto recipe = of_crm<q_learning<double>>(1);
    std::vector<q_policy<double>> shards;
    for (const std::size_t begin : {0U, 12'000U, 24'000U, 36'000U}) shards.push_back(fit(recipe, std::span<const transition<>>(log).subspan(begin, 12'000)));
    const auto merged = merge_policies(shards);
    std::uint64_t visits = 0;
    for (const auto n : merged.cells().visits()) visits += n;
    CHECK(visits == log.size());
    CHECK(exact_value(processes::crm(), merged.greedy_actions(), .95) > 90);  // the policy that made the log: 66
    CHECK(same_bits(merge_policies(std::vector{shards[0]}), shards[0]));

    q_table<double> table({1}, 1);
    table.visits_of(0)[0] = 1;
    const q_policy<double> once(table, false, -1, 2);
    table.visits_of(0)[0] = 3;
    CHECK(merge_policies(std::vector{once, q_policy<double>(table, false, -1, 6)}).reward_rate() == 5);
    CHECK(error_of([&] { (void)merge_policies(std::vector{once, q_policy<double>(table, true, -1)}); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)merge_policies(std::vector{once, q_policy<double>(table, false, 0)}); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)merge_policies(std::vector<q_policy<double>>{}); }).code() == errc::empty_input);
}

TEST_CASE("learners: the same seed gives the same bits, another one others", "[learners]") {
    const auto process = processes::crm();
    const auto check = [&](auto recipe) {
        const auto policy = fit(recipe, process, {.seed = 1});
        CHECK(same_bits(policy, fit(recipe, process, {.seed = 1, .threads = 3})));
        CHECK(!same_bits(policy, fit(recipe, process, {.seed = 2})));
    };
    check(of_crm<double_q_learning<float>>(2000));
    check(of_crm<dyna_q<float>>(2000));
    check(of_crm<prioritized_sweeping<float>>(500));
    auto soft = of_crm<q_learning<float>>(2000);
    soft.explore = exploration{.how = exploring::softmax, .level = {.from = 20, .to = 1, .shape = schedule_shape::exponential}};
    check(soft);
}

#ifndef __FMA__  // fused operations round once where the baseline rounds twice
TEST_CASE("learners: bits that every compiler agrees on", "[learners]") {
    // Only sums and products: no function whose last digit differs between C libraries.
    const auto log = lake_log(2000, 5);
    std::uint64_t hash = 0xcbf29ce484222325U;
    const auto add = [&](auto recipe) {
        recipe.states = {16};
        recipe.actions = 4;
        recipe.learning_rate = .0625;
        recipe.sweeps = 3;
        recipe.steps = 3000;
        const auto from_log = fit(recipe, log), acting = fit(recipe, processes::frozen_lake(), {.seed = 4});
        for (const auto* policy : {&from_log, &acting})
            for (const auto x : policy->table()) hash = (hash ^ std::bit_cast<std::uint32_t>(x)) * 0x100000001b3U;
    };
    add(q_learning<float>{});
    add(sarsa<float>{});
    add(expected_sarsa<float>{.rule = {.n = 2}});
    add(n_step_q<float>{});
    add(q_lambda<float>{});
    add(double_q_learning<float>{});
    add(dyna_q<float>{});
    add(prioritized_sweeping<float>{});
    CHECK(hash == 0xbb8d81ddf197387U);
}
#endif

namespace {

// In state s action a is allowed where (s + a) % 3 is not 0; the forbidden ones would pay most.
struct masked_shop {
    std::size_t* violated;
    std::size_t reset(rng& numbers) const { return numbers.below(20); }
    struct result {
        double reward;
        std::size_t next_state;
        bool terminal;
    };
    result step(std::size_t s, std::size_t a, rng& numbers) const {
        const bool may = (s + a) % 3 != 0;
        *violated += may ? 0 : 1;
        const double reward = may ? numbers.uniform() : 100;
        return {reward, numbers.below(20), false};
    }
    std::vector<std::size_t> allowed(std::size_t s) const {
        std::vector<std::size_t> out;
        for (std::size_t a = 0; a < 6; ++a)
            if ((s + a) % 3 != 0) out.push_back(a);
        return out;
    }
};

// Decisions in training, of what was trained and of an online learner: how many took what is forbidden.
template <class Recipe>
std::size_t violations(Recipe recipe, const exploration& by, std::size_t decisions) {
    std::size_t violated = 0;
    const masked_shop world{&violated};
    recipe.states = {20};
    recipe.actions = 6;
    recipe.steps = decisions / 2;
    recipe.explore = by;
    const auto policy = fit(recipe, world, {.seed = decisions});
    q_learner learner(recipe);
    for (std::size_t s = 0; s < 20; ++s) learner.allow_only({s}, world.allowed(s));
    rng numbers(5);
    decision<> listed{.allowed = {{0, 1, 2, 5}}};
    for (std::size_t i = 0; i < decisions / 2; ++i) {
        const decision<> asked{.state = {numbers.below(20)}};
        const auto may = [&](const choice& c) { return (asked.state[0] + c.action) % 3 != 0; };
        listed.state = asked.state;
        const choice c = i % 2 == 0 ? learner.decide(numbers, asked) : learner.decide(numbers, listed);
        violated += may(c) && (i % 2 == 0 || (c.action != 3 && c.action != 4)) && c.propensity > 0 && c.propensity <= 1 + 1e-12 ? 0 : 1;
        violated += may(policy(asked)) ? 0 : 1;
        // The forbidden pays most, says somebody who reports it; it must not become an offer.
        learner.learn({.state = asked.state,
                       .action = i % 7 == 0 ? (3 - asked.state[0] % 3) % 3 : c.action,
                       .reward = i % 7 == 0 ? 100 : numbers.uniform(),
                       .next_state = {numbers.below(20)}});
    }
    for (std::size_t s = 0; s < 20; ++s)
        for (std::size_t a = 0; a < 6; ++a) violated += policy.cells().allowed({s}, a) == ((s + a) % 3 != 0) ? 0 : 1;
    return violated;
}
std::size_t violations_of_all(std::size_t decisions) {
    const exploration greedy{}, soft{.how = exploring::softmax, .level = {.from = 2, .to = .1, .shape = schedule_shape::inverse}, .mix = .1},
        upper{.how = exploring::upper_bound, .level = {.from = 1, .to = 1}, .mix = .05}, bonus{.how = exploring::count_bonus, .level = {.from = 3, .to = 1}};
    const std::size_t each = decisions / 12;
    std::size_t out = 0;
    for (const auto& by : {greedy, soft, upper, bonus}) out += violations(q_learning<float>{}, by, each);
    out += violations(sarsa<float>{}, soft, each) + violations(expected_sarsa<float>{}, upper, each) + violations(n_step_q<float>{}, greedy, each);
    out += violations(q_lambda<float>{}, bonus, each) + violations(double_q_learning<float>{}, greedy, each) +
           violations(differential_q_learning<float>{}, soft, each);
    return out + violations(dyna_q<float>{}, greedy, each) + violations(prioritized_sweeping<float>{}, upper, each);
}

}  // namespace

TEST_CASE("learners: no masked action in 100 000 decisions", "[learners]") { CHECK(violations_of_all(100'000) == 0); }
TEST_CASE("learners: no masked action in 10 000 000 decisions", "[learners][slow]") { CHECK(violations_of_all(10'000'000) == 0); }

TEST_CASE("learners: parameters out of range are named", "[learners][error]") {
    const std::vector<transition<>> log(3);
    using Catch::Contains;
    const auto refusal = [&](auto recipe) {
        recipe.states = {2};
        recipe.actions = 2;
        const error e = error_of([&] { (void)fit(recipe, log); });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(error_of([&] { q_learner learner(recipe); }).what() == std::string(e.what()));
        return std::string(e.what());
    };
    CHECK_THAT(refusal(sarsa<float>{.rule = {.n = 0}}), Contains("sarsa: rule.n"));
    CHECK_THAT(refusal(n_step_q<float>{.rule = {.n = 0}}), Contains("n_step_q: rule.n"));
    CHECK_THAT(refusal(q_lambda<float>{.rule = {.lambda = 1.5}}), Contains("q_lambda: rule.lambda"));
    CHECK_THAT(refusal(q_lambda<float>{.rule = {.smallest = 0}}), Contains("rule.smallest"));
    CHECK_THAT(refusal(prioritized_sweeping<float>{.rule = {.threshold = -1}}), Contains("rule.threshold"));
    CHECK_THAT(refusal(differential_q_learning<float>{.rule = {.rate_share = 0}}), Contains("rule.rate_share"));
    CHECK_THAT(refusal(sarsa<float>{.discount = 2}), Contains("sarsa: discount"));
    CHECK_THAT(refusal(sarsa<float>{.explore = exploration{.how = exploring::softmax, .level = {.from = -1}}}), Contains("explore.level.from"));
    CHECK_THAT(refusal(sarsa<float>{.explore = exploration{.mix = 2}}), Contains("explore.mix"));
    CHECK_THAT(refusal(sarsa<float>{.explore = exploration{.level = {.to = 0, .shape = schedule_shape::exponential}}}), Contains("above 0"));
    CHECK(error_of([&] { (void)fit(sarsa<float>{.states = {2}, .actions = 2}, std::vector<transition<>>{}); }).code() == errc::empty_input);
    const error e = error_of([&] { (void)fit(sarsa<float>{.states = {2}, .actions = 2}, std::vector<transition<>>{{}, {.state = {2}}}); });
    CHECK(e.code() == errc::unknown_id);
    CHECK(e.where() == place{.row = 2, .column = 1});
}

}  // namespace learners_test
