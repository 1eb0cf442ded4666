// Horizons, budgets and long runs of decision processes, in one program: what costs here is to compile the solvers.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <caramel/policy/markov_chain.hpp>
#include <caramel/policy/mdp_budget.hpp>
#include <caramel/policy/mdp_horizon.hpp>

#include "policy/processes.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace mdp_plans_test {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
using actions_by_state = std::vector<std::size_t>;

// Two branches a pair, of which the first may end.
mdp random_process(rng& numbers, std::size_t states, std::size_t actions, double ends) {
    std::vector<mdp_row> rows;
    for (std::size_t s = 0; s < states; ++s)
        for (std::size_t a = 0; a < actions; ++a) {
            const double p = .2 + .6 * numbers.uniform();
            const double reward = 4 * numbers.uniform() - 2;
            const std::size_t one = numbers.below(states), other = numbers.below(states);
            rows.push_back({s, a, p, one, reward, numbers.uniform() < ends});
            rows.push_back({s, a, 1 - p, other, reward + 1});
        }
    std::vector<double> initial(states);
    double sum = 0;
    for (double& x : initial) sum += x = .1 + numbers.uniform();
    for (double& x : initial) x /= sum;
    return {states, actions, rows, initial};
}
std::vector<actions_by_state> all_policies(std::size_t states, std::size_t actions) {
    std::vector<actions_by_state> out;
    actions_by_state policy(states, 0);
    for (;;) {
        out.push_back(policy);
        std::size_t s = 0;
        while (s < states && ++policy[s] == actions) policy[s++] = 0;
        if (s == states) return out;
    }
}
double mean_value(const mdp& process, const vec<double>& v) {
    const auto initial = process.initial();
    return v.dot(Eigen::Map<const vec<double>>(initial.data(), v.size()));
}
double contacts(const mdp& process, const matrix<double>& occupancy) {
    return occupancy
        .cwiseProduct(budget_for(
                          process, [](std::size_t, std::size_t a) { return a > 0; }, 0)
                          .cost)
        .sum();
}
matrix<double> shares_of(const actions_by_state& policy, row_index actions) {
    matrix<double> out = matrix<double>::Zero(static_cast<row_index>(policy.size()), actions);
    for (std::size_t s = 0; s < policy.size(); ++s) out(static_cast<row_index>(s), static_cast<row_index>(policy[s])) = 1;
    return out;
}
matrix<double> recency_transitions(const std::vector<double>& buys) {
    const auto n = static_cast<row_index>(buys.size());
    matrix<double> p = matrix<double>::Zero(n + 1, n + 1);
    for (row_index i = 0; i < n; ++i) {
        p(i, 0) = buys[static_cast<std::size_t>(i)];
        p(i, i + 1) += 1 - buys[static_cast<std::size_t>(i)];
    }
    p(n, n) = 1;
    return p;
}
double difference(const vec<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == static_cast<row_index>(b.size()));
    return (a - Eigen::Map<const vec<double>>(b.data(), a.size())).cwiseAbs().maxCoeff();
}

}  // namespace

// ---- horizons ---------------------------------------------------------------------------------------------------------

TEST_CASE("horizon: the customer model over twelve periods", "[mdp][horizon]") {
    const auto process = processes::crm();
    const horizon_options how{.periods = 12, .discount = .95};
    const auto best = policy_iteration(process).policy, myopic = value_iteration(process, {.discount = 0}).policy;
    CHECK(std::abs(evaluate_horizon(process, best, how)(0, 0) - 58.00551071426869) < 1e-9);
    CHECK(std::abs(evaluate_horizon(process, matrix<double>(.9 * shares_of(best, 4).array() + .025), how)(0, 0) - 56.06389100275049) < 1e-9);
    CHECK(std::abs(evaluate_horizon(process, matrix<double>(.5 * shares_of(myopic, 4).array() + .125), how)(0, 0) - 44.69935692652658) < 1e-9);
    // What is best for a year is not what is best for ever.
    const auto plan = backward_induction(process, how);
    CHECK(plan.v(0, 0) > 58.0056);
    CHECK(plan.policy.back() == myopic);
    CHECK((evaluate_horizon(process, plan.policy, how) - plan.v).cwiseAbs().maxCoeff() < 1e-9);
    const auto long_plan = backward_induction(process, {.periods = 600, .discount = .95});
    CHECK(std::abs(long_plan.v(0, 0) - processes::crm_optimum) < 1e-9);
    CHECK(long_plan.policy[0] == best);
}

TEST_CASE("horizon: the recency chain, period by period", "[mdp][horizon]") {
    const auto chain = processes::recency_chain({.3, .2, .15, .05});
    const auto v = evaluate_horizon(chain, actions_by_state{1, 1, 1, 1, no_action}, {.periods = 5, .discount = 1 / 1.2});
    const std::vector<std::vector<double>> expected{{50.11496913580247, 4.2199074074074066, 0.5921103395061724, -1.9801311728395063, 0},
                                                    {48.47685185185185, 3.4212962962962976, 0.21064814814814792, -2.071759259259259, 0},
                                                    {46.27777777777778, 1.5555555555555554, -0.43750000000000044, -2.2222222222222223, 0},
                                                    {42.666666666666664, -0.6666666666666665, -2.333333333333334, -2.5, 0},
                                                    {36, -4, -4, -4, 0},
                                                    {0, 0, 0, 0, 0}};
    for (std::size_t t = 0; t < expected.size(); ++t) CHECK(difference(v.row(static_cast<row_index>(t)).transpose(), expected[t]) < 1e-9);
    // With the last period's letter left out everywhere but in state 0.
    const auto plan = backward_induction(chain, {.periods = 5, .discount = 1 / 1.2});
    CHECK(plan.policy[4] == actions_by_state{1, 0, 0, 0, no_action});
    CHECK(plan.v(0, 0) > 50.114);
}

TEST_CASE("horizon: small random processes against recursion", "[mdp][horizon]") {
    rng numbers(3);
    for (int round = 0; round < 40; ++round) {
        const std::size_t states = 1 + numbers.below(4), actions = 1 + numbers.below(3);
        const auto process = random_process(numbers, states, actions, .2);
        horizon_options how{.periods = 4, .discount = numbers.uniform()};
        for (std::size_t s = 0; s < states; ++s) how.final_values.push_back(numbers.normal());
        const auto plan = backward_induction(process, how);
        const auto value = [&](const auto& self, std::size_t t, std::size_t s) -> double {
            if (t == how.periods) return how.final_values[s];
            double best = -1e300;
            for (std::size_t a = 0; a < actions; ++a) {
                double q = 0;
                for (const auto& r : process.rows_of(s, a)) q += r.probability * (r.reward + (r.terminal ? 0 : how.discount * self(self, t + 1, r.next_state)));
                best = std::max(best, q);
            }
            return best;
        };
        for (std::size_t s = 0; s < states; ++s) CHECK(std::abs(plan.v(0, static_cast<row_index>(s)) - value(value, 0, s)) < 1e-12);
        CHECK((evaluate_horizon(process, plan.policy, how) - plan.v).cwiseAbs().maxCoeff() < 1e-8);
    }
}

TEST_CASE("horizon: refusals", "[mdp][horizon][error]") {
    const auto process = processes::forest();
    const auto refused = [&](const horizon_options& how) { return error_of([&] { (void)backward_induction(process, how); }); };
    CHECK(refused({.periods = 0}).code() == errc::bad_parameter);
    CHECK(refused({.periods = std::size_t{1} << 60}).code() == errc::limit_exceeded);
    CHECK(refused({.discount = 1.1}).code() == errc::bad_parameter);
    CHECK(refused({.discount = not_a_number}).code() == errc::bad_parameter);
    CHECK(refused({.ties = -1}).code() == errc::bad_parameter);
    CHECK(refused({.final_values = {1, 2}}).code() == errc::shape_mismatch);
    CHECK(refused({.final_values = {1, not_a_number, 2}}).where() == place{.row = 2});
    CHECK(error_of([&] { (void)evaluate_horizon(process, actions_by_state{0, 5, 0}); }).where() == place{.row = 2});
    CHECK(error_of([&] { (void)evaluate_horizon(process, std::vector<actions_by_state>(3, {0, 0, 0})); }).code() == errc::shape_mismatch);
    const mdp huge(1, 1, std::vector<mdp_row>{{0, 0, 1, 0, 1e308}});
    CHECK(error_of([&] { (void)backward_induction(huge); }).code() == errc::diverged);
}

// ---- budgets ----------------------------------------------------------------------------------------------------------

TEST_CASE("occupancy: shares of the discounted time", "[mdp][budget]") {
    const auto process = processes::crm();
    const auto best = policy_iteration(process).policy;
    const auto occupancy = discounted_occupancy(process, best);
    CHECK(std::abs(occupancy.sum() - 1) < 1e-12);
    CHECK(difference(occupancy.colwise().sum().transpose(), {.48717948717948706, 0, .1318233090758065, .38099720374470614}) < 1e-12);
    CHECK(std::abs(contacts(process, occupancy) - .5128205128205127) < 1e-12);
    // Against the sum over periods, of a policy with shares.
    rng numbers(4);
    const auto small = random_process(numbers, 5, 2, .3);
    const matrix<double> half = matrix<double>::Constant(5, 2, .5);
    const auto got = discounted_occupancy(small, half, {.discount = .8});
    const auto initial = small.initial();
    vec<double> at = Eigen::Map<const vec<double>>(initial.data(), 5), sum = vec<double>::Zero(5);
    for (int t = 0; t < 300; ++t) {
        sum += .2 * std::pow(.8, t) * at;
        vec<double> next = vec<double>::Zero(5);
        for (std::size_t s = 0; s < 5; ++s)
            for (std::size_t a = 0; a < 2; ++a)
                for (const auto& r : small.rows_of(s, a))
                    if (!r.terminal) next(static_cast<row_index>(r.next_state)) += .5 * r.probability * at(static_cast<row_index>(s));
        at = next;
    }
    CHECK((got.rowwise().sum() - sum).cwiseAbs().maxCoeff() < 1e-12);
    CHECK((got.col(0) - got.col(1)).cwiseAbs().maxCoeff() < 1e-15);
}

TEST_CASE("budget: contacts of the customer model, and their price", "[mdp][budget]") {
    const auto process = processes::crm();
    const auto limited = [&](double limit) {
        return solve_with_budgets(process, budget_for(
                                               process, [](std::size_t, std::size_t a) { return a > 0; }, limit));
    };
    for (const auto& [limit, value, price, state] :
         {std::tuple(.2, 99.82972201892542, 7.116684375156725, 42U), std::tuple(.4, 120.98630781796682, 4.37357769480144, 15U)}) {
        const auto solution = limited(limit);
        CHECK(std::abs(solution.value - value) < 1e-9);
        CHECK(std::abs(solution.prices(0) - price) < 1e-9);
        CHECK(solution.randomised == std::vector<std::size_t>{state});
        CHECK(std::abs(solution.spent(0) - limit) < 1e-12);
        CHECK(std::abs(evaluate_policy(process, solution.policy)(0) - value) < 1e-9);
        CHECK(std::abs(contacts(process, discounted_occupancy(process, solution.policy)) - limit) < 1e-10);
        CHECK(std::abs(limited(limit + 1e-6).value - solution.value - 1e-6 * price / .05) < 1e-10);
    }
    for (const double limit : {.513, .6, .8, 5.0}) {
        const auto solution = limited(limit);
        CHECK(std::abs(solution.value - processes::crm_optimum) < 1e-9);
        CHECK(solution.prices(0) == 0);
        CHECK(solution.randomised.empty());
    }
    CHECK(limited(.5128).prices(0) > 0);
    const auto none = limited(0);
    CHECK(std::abs(none.value - 66.10825332279336) < 1e-9);
    CHECK(none.policy.col(0).minCoeff() == 1);
    // Without a future all is decided in the first state: the best contact there, for the share that may be contacted.
    const auto now = policy_iteration(process, {.discount = 0}).q.row(0).eval();
    const auto once = solve_with_budgets(process,
                                         budget_for(
                                             process, [](std::size_t, std::size_t a) { return a > 0; }, .3),
                                         {.discount = 0});
    CHECK(std::abs(once.value - (.7 * now(0) + .3 * now.maxCoeff())) < 1e-12);
    CHECK(std::abs(once.prices(0) - (now.maxCoeff() - now(0))) < 1e-12);
    const error e = error_of([&] { (void)limited(-.1); });
    CHECK(e.code() == errc::bad_parameter);
    CHECK(std::string(e.what()).find("any policy spends at least 0") != std::string::npos);
}

TEST_CASE("budget: small random processes against every policy and its mixtures", "[mdp][budget]") {
    rng numbers(11);
    std::size_t bound = 0, impossible = 0;
    for (int round = 0; round < 200; ++round) {
        const std::size_t states = 1 + numbers.below(4), actions = 2 + numbers.below(2), count = 1 + numbers.below(3);
        const auto process = random_process(numbers, states, actions, round % 2 == 0 ? 0 : .2);
        const solve_options how{.discount = .5 + .45 * numbers.uniform()};
        std::vector<occupancy_budget> budgets;
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<double> costs;
            for (std::size_t k = 0; k < states * actions; ++k)
                costs.push_back(round % 3 == 0 ? static_cast<double>(numbers.below(3)) : 10 * numbers.uniform() - 2);
            const double limit = round % 3 == 0 ? .2 + numbers.uniform() : 6 * numbers.uniform() - 1;
            budgets.push_back(budget_for(
                process, [&](std::size_t s, std::size_t a) { return costs[s * actions + a]; }, limit));
        }
        struct point {
            double value;
            vec<double> costs;
        };
        std::vector<point> points;
        for (const auto& policy : all_policies(states, actions)) {
            point p{mean_value(process, evaluate_policy(process, policy, how)) * (1 - how.discount), vec<double>(static_cast<row_index>(count))};
            const auto occupancy = discounted_occupancy(process, policy, how);
            for (std::size_t i = 0; i < count; ++i) p.costs(static_cast<row_index>(i)) = occupancy.cwiseProduct(budgets[i].cost).sum();
            points.push_back(p);
        }
        budget_solution solution;
        try {
            solution = solve_with_budgets(process, budgets, how);
        } catch (const error& e) {
            CHECK(e.code() == errc::bad_parameter);
            ++impossible;
            if (count == 1)
                for (const auto& p : points) CHECK(p.costs(0) > budgets[0].limit - 1e-11);
            continue;
        }
        INFO("round " << round);
        // Kept; and no policy does better at the prices, which are none where the budget is not used up: the optimum.
        std::size_t binding = 0;
        double bonus = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const auto k = static_cast<row_index>(i);
            CHECK(solution.spent(k) < budgets[i].limit + 1e-10);
            CHECK(solution.prices(k) >= 0);
            if (solution.spent(k) < budgets[i].limit - 1e-9) CHECK(solution.prices(k) < 1e-9);
            else ++binding;
            bonus += solution.prices(k) * budgets[i].limit;
        }
        const double value = solution.value * (1 - how.discount);
        for (const auto& p : points) CHECK(p.value - solution.prices.dot(p.costs) + bonus < value + 1e-9);
        std::size_t taken = 0;
        for (row_index s = 0; s < solution.policy.rows(); ++s) {
            taken += static_cast<std::size_t>((solution.policy.row(s).array() > 0).count()) - 1;
            CHECK(std::abs(solution.policy.row(s).sum() - 1) < 1e-12);
        }
        CHECK(taken <= binding);
        CHECK(solution.randomised.size() <= binding);
        CHECK(std::abs(mean_value(process, evaluate_policy(process, solution.policy, how)) - solution.value) < 1e-9);
        CHECK((discounted_occupancy(process, solution.policy, how) - solution.occupancy).cwiseAbs().maxCoeff() < 1e-9);
        bound += binding > 0 ? 1 : 0;
        if (count == 1 && binding == 1) {  // the best mixture of two
            double best = -1e300;
            for (const auto& a : points)
                for (const auto& b : points) {
                    if (a.costs(0) > budgets[0].limit) continue;
                    const double w = b.costs(0) <= budgets[0].limit ? 1 : (budgets[0].limit - a.costs(0)) / (b.costs(0) - a.costs(0));
                    best = std::max(best, w * b.value + (1 - w) * a.value);
                }
            CHECK(std::abs(best - value) < 1e-9);
        }
    }
    CHECK(bound > 40);
    CHECK(impossible > 5);
}

TEST_CASE("budget: where many policies tie, still one state is randomised", "[mdp][budget]") {
    // Ten states in a row, each of which may be passed at a cost for the same reward as for none; and what is worth it earns alike
    // everywhere, so that every policy of the same number of contacts ties.
    std::vector<mdp_row> rows;
    for (std::size_t s = 0; s < 10; ++s)
        for (std::size_t a = 0; a < 3; ++a) rows.push_back({.state = s, .action = a, .next_state = (s + 1) % 10, .reward = a == 1 ? 1.0 : 0.0});
    const mdp process(10, 3, rows);
    for (const double limit : {.05, .3333, .5, .77}) {
        const auto solution = solve_with_budgets(process,
                                                 budget_for(
                                                     process, [](std::size_t, std::size_t a) { return a > 0; }, limit),
                                                 {.discount = .9});
        CHECK(std::abs(solution.value - 10 * limit) < 1e-9);
        CHECK(std::abs(solution.prices(0) - 1) < 1e-9);
        CHECK(solution.randomised.size() <= 1);
    }
    // Two budgets that say the same.
    const auto twice = budget_for(
        process, [](std::size_t, std::size_t a) { return 2.0 * static_cast<double>(a > 0); }, .6);
    const auto once = budget_for(
        process, [](std::size_t, std::size_t a) { return a > 0; }, .3);
    const auto solution = solve_with_budgets(process, std::vector{once, twice}, {.discount = .9});
    CHECK(std::abs(solution.value - 3) < 1e-9);
    CHECK(std::abs(solution.prices(0) + 2 * solution.prices(1) - 1) < 1e-9);
    CHECK(solution.randomised.size() <= 2);
    const auto lake = processes::frozen_lake();
    const auto no_left = solve_with_budgets(lake,
                                            budget_for(
                                                lake, [](std::size_t, std::size_t a) { return a == 0; }, .05),
                                            {.discount = .9});
    CHECK(no_left.randomised.size() <= 1);
    CHECK(std::abs(no_left.spent(0) - .05) < 1e-12);
}

TEST_CASE("budget: above 600 states, by sweeps", "[mdp][budget]") {
    rng numbers(5);
    const auto process = random_process(numbers, 700, 2, 0);
    const solve_options how{.discount = .8};
    const auto free = contacts(process, discounted_occupancy(process, policy_iteration(process, how).policy, how));
    const auto solution = solve_with_budgets(process,
                                             budget_for(
                                                 process, [](std::size_t, std::size_t a) { return a > 0; }, .5 * free),
                                             how);
    CHECK(std::abs(solution.spent(0) - .5 * free) < 1e-9);
    CHECK(solution.randomised.size() <= 1);
    CHECK(std::abs(mean_value(process, evaluate_policy(process, solution.policy, how)) - solution.value) < 1e-7);
}

TEST_CASE("budget: refusals", "[mdp][budget][error]") {
    const auto process = processes::forest();
    const auto fine = budget_for(
        process, [](std::size_t, std::size_t a) { return a; }, .1);
    const auto refused = [&](occupancy_budget budget, const solve_options& how = {}) {
        return error_of([&] { (void)solve_with_budgets(process, budget, how); });
    };
    CHECK(refused(fine, {.discount = 1}).code() == errc::bad_parameter);
    CHECK(refused(fine, {.discount = -1}).code() == errc::bad_parameter);
    CHECK(refused({.cost = fine.cost, .limit = not_a_number}).code() == errc::bad_parameter);
    CHECK(refused({.cost = matrix<double>::Zero(3, 1), .limit = 1}).code() == errc::shape_mismatch);
    auto broken = fine;
    broken.cost(1, 0) = not_a_number;
    CHECK(refused(broken).code() == errc::nan_or_inf);
    CHECK(refused(broken).where() == place{.row = 2, .column = 1});
    CHECK(error_of([&] { (void)solve_with_budgets(process, std::vector<occupancy_budget>{}); }).code() == errc::empty_input);
    const auto at_least_half = budget_for(
        process, [](std::size_t, std::size_t a) { return a > 0 ? -1 : 0; }, -.5);
    CHECK(solve_with_budgets(process, at_least_half).spent(0) == Approx(-.5));
    const error both = error_of([&] { (void)solve_with_budgets(process, std::vector{fine, at_least_half}); });
    CHECK(both.code() == errc::bad_parameter);
    CHECK(std::string(both.what()) == "solve_with_budgets: no policy keeps the 2 budgets together");
    CHECK(error_of([&] { (void)discounted_occupancy(process, actions_by_state(3, 0), {.discount = 1}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)discounted_occupancy(process, actions_by_state(2, 0)); }).code() == errc::shape_mismatch);
}

// ---- chains -----------------------------------------------------------------------------------------------------------

TEST_CASE("lifetime_value: recency chains, by horizon and for ever", "[chain]") {
    const auto four = recency_transitions({.3, .2, .15, .05}), three = recency_transitions({.3, .2, .05});
    const std::vector<double> of_four{36, -4, -4, -4, 0}, of_three{36, -4, -4, 0};
    const double discount = 1 / 1.2;
    CHECK(difference(lifetime_value(four, of_four, {.discount = discount}),
                     {52.319609438567944, 5.553783563873068, 1.2507729861676158, -1.8200162733930025, 0}) < 1e-9);
    CHECK(difference(lifetime_value(three, of_three, {.discount = discount}), {50.443636363636365, 3.1418181818181816, -1.898181818181818, 0}) < 1e-9);
    const auto at = [&](std::size_t horizon) { return lifetime_options{.discount = discount, .horizon = horizon}; };
    CHECK(difference(lifetime_value(four, of_four, at(0)), of_four) == 0);
    CHECK(difference(lifetime_value(four, of_four, at(4)), {50.11496913580247, 4.2199074074074066, .5921103395061724, -1.9801311728395063, 0}) < 1e-9);
    CHECK(difference(lifetime_value(four, of_four, at(8)), {52.0313366269433, 5.3805277515813135, 1.166928119656517, -1.8400666432089237, 0}) < 1e-9);
    CHECK(difference(lifetime_value(three, of_three, at(4)), {49.404706790123456, 2.6875000000000018, -1.9828317901234565, 0}) < 1e-9);
    CHECK(difference(lifetime_value(three, of_three, at(8)), {50.375825802594164, 3.112098799666115, -1.9037705921323682, 0}) < 1e-9);
    // A published instance, to the two decimals that are published.
    matrix<double> p = recency_transitions({.5, .2, .1});
    CHECK(difference(lifetime_value(p, std::vector<double>{100, 0, 0, 0}, {.discount = 1 / 1.1}), {231.08, 57.29, 21.01, 0}) < .005);
    // Without discount a customer who leaves in the end has a finite value: the visits times the rewards.
    CHECK(lifetime_value(recency_transitions({.5}), std::vector<double>{10, 0}, {.discount = 1})(0) == Approx(20));
    CHECK(difference(distribution_after(four, std::vector<double>{1, 0, 0, 0, 0}, 4), {.1397, .1365, .1288, .1428, .4522}) < 1e-12);
    CHECK(difference(distribution_after(four, std::vector<double>{1, 0, 0, 0, 0}, 0), {1, 0, 0, 0, 0}) == 0);
}

TEST_CASE("stationary_distribution: closed forms, and chains that go round", "[chain]") {
    matrix<double> two(2, 2);
    two << .9, .1, .3, .7;
    CHECK(difference(stationary_distribution(two), {.75, .25}) < 1e-15);
    matrix<double> ring = matrix<double>::Zero(3, 3);
    ring(0, 1) = ring(1, 2) = ring(2, 0) = 1;
    CHECK(difference(stationary_distribution(ring), {1.0 / 3, 1.0 / 3, 1.0 / 3}) < 1e-15);
    CHECK(difference(stationary_distribution(recency_transitions({.3, .2})), {0, 0, 1}) == 0);  // everyone leaves in the end
    CHECK(stationary_distribution(matrix<double>(matrix<double>::Ones(1, 1)))(0) == 1);
    // A walk that goes up with .3 and down with .6: shares fall by half with each state, down to 1e-15 and exactly.
    matrix<double> walk = matrix<double>::Zero(50, 50);
    for (row_index i = 0; i < 50; ++i) {
        walk(i, std::min<row_index>(i + 1, 49)) += .3;
        walk(i, std::max<row_index>(i - 1, 0)) += .6;
        walk(i, i) += .1;
    }
    const auto share = stationary_distribution(walk);
    for (row_index i = 1; i < 50; ++i) CHECK(share(i) / share(i - 1) == Approx(.5).epsilon(1e-12));
    matrix<double> apart = matrix<double>::Identity(3, 3);
    apart.row(1) << .5, 0, .5;
    const error e = error_of([&] { (void)stationary_distribution(apart); });
    CHECK(e.code() == errc::bad_data);
    CHECK(e.where() == place{.row = 3});
    // Many states, by sweeps: the rates in and out of each are equal.
    rng numbers(8);
    const auto process = random_process(numbers, 900, 1, 0);
    const actions_by_state policy(900, 0);
    const auto x = stationary_distribution(process, policy, {.tolerance = 1e-13});
    CHECK(std::abs(x.sum() - 1) < 1e-12);
    vec<double> next = vec<double>::Zero(900);
    for (std::size_t s = 0; s < 900; ++s)
        for (const auto& r : process.rows_of(s, 0)) next(static_cast<row_index>(r.next_state)) += r.probability * x(static_cast<row_index>(s));
    CHECK((next - x).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("long_run_reward: of policies, and the best one against trying every policy", "[chain]") {
    rng numbers(13);
    std::size_t tried = 0;
    for (int round = 0; round < 60; ++round) {
        const std::size_t states = 1 + numbers.below(4), actions = 1 + numbers.below(3);
        const auto process = random_process(numbers, states, actions, 0);
        double best = -1e300;
        try {
            for (const auto& policy : all_policies(states, actions)) best = std::max(best, long_run_reward(process, policy));
        } catch (const error& e) {
            CHECK(e.code() == errc::bad_data);  // some policy has two places where it ends up
            continue;
        }
        ++tried;
        const auto solution = best_long_run_reward(process);
        CHECK(std::abs(solution.gain - best) < 1e-9);
        CHECK(std::abs(long_run_reward(process, solution.policy) - best) < 1e-9);
        for (std::size_t s = 0; s < states; ++s) CHECK(std::ranges::count(solution.optimal_actions[s], solution.policy[s]) == 1);
    }
    CHECK(tried > 20);

    const auto crm = processes::crm();
    const auto solution = best_long_run_reward(crm);
    CHECK(std::abs(solution.gain - long_run_reward(crm, solution.policy)) < 1e-9);
    CHECK(std::abs(solution.gain - .00001 * policy_iteration(crm, {.discount = .99999}).v.mean()) < 1e-3);  // the limit of discounts
    CHECK(best_long_run_reward(crm, {}, {.threads = 3}).gain == solution.gain);
    const auto share = stationary_distribution(crm, matrix<double>(matrix<double>::Constant(54, 4, .25)));
    CHECK(std::abs(share.sum() - 1) < 1e-12);
    CHECK(share.minCoeff() >= 0);
    CHECK(long_run_reward(crm, matrix<double>(matrix<double>::Constant(54, 4, .25))) < solution.gain);
    // Forest: waiting, age 2 is .9^2 of the time, and pays 4.
    CHECK(std::abs(best_long_run_reward(processes::forest()).gain - 3.24) < 1e-9);
    CHECK(difference(stationary_distribution(processes::forest(), actions_by_state{0, 0, 0}), {.1, .09, .81}) < 1e-12);
    // One that goes round: 0 -> 1 -> 0, for 1 and 3.
    const mdp ring(2, 1, std::vector<mdp_row>{{0, 0, 1, 1, 1}, {1, 0, 1, 0, 3}});
    CHECK(std::abs(best_long_run_reward(ring).gain - 2) < 1e-9);
}

TEST_CASE("chains: refusals", "[chain][error]") {
    const auto lake = processes::frozen_lake();
    CHECK(error_of([&] { (void)long_run_reward(lake, actions_by_state(16, 2)); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)best_long_run_reward(lake); }).where() == place{.row = 2});
    CHECK(error_of([&] { (void)stationary_distribution(lake, actions_by_state(3, 2)); }).code() == errc::shape_mismatch);
    // Two places to stay in, of different worth.
    const mdp fork(3, 1, std::vector<mdp_row>{{0, 0, .5, 1, 0}, {0, 0, .5, 2, 0}, {1, 0, 1, 1, 1}, {2, 0, 1, 2, 5}});
    CHECK(error_of([&] { (void)stationary_distribution(fork, actions_by_state(3, 0)); }).where() == place{.row = 3});
    CHECK(error_of([&] { (void)best_long_run_reward(fork, {.max_rounds = 500}); }).code() == errc::diverged);
    const mdp beyond(3, 1, std::vector<mdp_row>{{0, 0, 1, 1, 0}, {1, 0, 1, 1, 1}, {2, 0, 1, 2, 5}});  // state 2 is never reached
    CHECK(best_long_run_reward(beyond).gain == Approx(1));
    CHECK(best_long_run_reward(beyond).policy == actions_by_state{0, 0, 0});
    CHECK(long_run_reward(beyond, actions_by_state(3, 0)) == 1);

    const matrix<double> fine = recency_transitions({.5});
    const std::vector<double> rewards{1, 0};
    const auto refused = [&](const matrix<double>& p, const std::vector<double>& r = {1, 0}, const lifetime_options& how = {}) {
        return error_of([&] { (void)lifetime_value(p, r, how); });
    };
    CHECK(refused(fine, {1}).code() == errc::shape_mismatch);
    CHECK(refused(fine, {1, not_a_number}).where() == place{.row = 2});
    CHECK(refused(fine, {1, 0}, {.discount = 1.5}).code() == errc::bad_parameter);
    CHECK(refused(fine, {0, 1}, {.discount = 1}).code() == errc::bad_data);
    CHECK(refused(matrix<double>::Ones(2, 3) / 3).code() == errc::shape_mismatch);
    CHECK(refused(matrix<double>(0, 0), {}).code() == errc::empty_input);
    CHECK(refused(matrix<double>::Constant(2, 2, .4)).where() == place{.row = 1});
    matrix<double> bad = fine;
    bad.row(1) << 1.5, -.5;
    CHECK(refused(bad).where() == place{.row = 2, .column = 2});
    bad(0, 1) = not_a_number;
    CHECK(refused(bad).code() == errc::nan_or_inf);
    CHECK(error_of([&] { (void)distribution_after(fine, std::vector<double>{1}, 1); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)distribution_after(fine, std::vector<double>{.5, .4}, 1); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)distribution_after(fine, std::vector<double>{1.5, -.5}, 1); }).where() == place{.row = 2});
}

}  // namespace mdp_plans_test
