#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <caramel/policy/off_policy_sequences.hpp>
#include <caramel/policy/q_learning.hpp>

#include "policy/crm_policies.hpp"
#include "policy/processes.hpp"
#include "support/catch.hpp"

using namespace caramel;
namespace off_policy_sequences_test {

using enum sequence_method;

namespace {

constexpr auto line = processes::crm_line;

// The exact value of the first `periods`, from state 0.
double exact(const mdp& process, const matrix<double>& policy, std::size_t periods, double discount = .95) {
    vec<double> v = vec<double>::Zero(static_cast<row_index>(process.states()));
    for (std::size_t k = 0; k < periods; ++k) {
        vec<double> next = vec<double>::Zero(v.size());
        for (std::size_t s = 0; s < process.states(); ++s)
            for (const std::size_t a : process.allowed(s))
                for (const auto& b : process.rows_of(s, a))
                    next(static_cast<row_index>(s)) += policy(static_cast<row_index>(s), static_cast<row_index>(a)) * b.probability *
                                                      (b.reward + (b.terminal ? 0 : discount * v(static_cast<row_index>(b.next_state))));
        v = next;
    }
    return v(0);
}

// Two states, two actions, episodes of up to three steps, some cut off and some that end.
episode_log<1> short_log() {
    episode_log<1> out;
    const auto row = [&](std::vector<logged_step<1>> steps) { out.append_row(std::span<const logged_step<1>>(steps)); };
    row({{{0}, 0, 1, {1}, false, .5}, {{1}, 1, 2, {0}, false, .25}, {{0}, 1, 0, {1}, false, .5}});
    row({{{0}, 1, 3, {1}, false, .5}, {{1}, 0, -1, {1}, false, .75}, {{1}, 0, 4, {0}, true, .75}});
    row({{{1}, 1, 5, {0}, true, .25}});
    row({{{0}, 0, 2, {0}, false, .5}, {{0}, 1, 1, {1}, false, .5}});
    return out;
}
matrix<double> short_policy() {
    matrix<double> out(2, 2);
    out << .3, .7, .6, .4;
    return out;
}

// Every estimator once more, by its formula: loops over customers and periods, weights multiplied anew each time.
struct twin {
    const episode_log<1>& log;
    const matrix<double>& pi;
    double discount;
    std::size_t horizon;

    [[nodiscard]] double weight(std::size_t e, std::size_t steps) const {
        double w = 1;
        for (std::size_t t = 0; t < std::min(steps, log[e].size()); ++t)
            w *= pi(static_cast<row_index>(log[e][t].state[0]), static_cast<row_index>(log[e][t].action)) / log[e][t].propensity;
        return w;
    }
    [[nodiscard]] double mean_weight(std::size_t steps) const {
        double sum = 0;
        for (std::size_t e = 0; e < log.size(); ++e) sum += weight(e, steps);
        return sum / static_cast<double>(log.size());
    }
    [[nodiscard]] double importance(bool weighted) const {
        double sum = 0;
        for (std::size_t e = 0; e < log.size(); ++e)
            for (std::size_t t = 0; t < std::min(horizon, log[e].size()); ++t) sum += weight(e, horizon) * std::pow(discount, t) * log[e][t].reward;
        return sum / static_cast<double>(log.size()) / (weighted ? mean_weight(horizon) : 1);
    }
    // `q[k]` and `v[k]` with k periods left; zeros make it per-decision importance sampling.
    [[nodiscard]] double robust(bool weighted, const std::vector<matrix<double>>& q, const std::vector<vec<double>>& v) const {
        double sum = 0;
        for (std::size_t e = 0; e < log.size(); ++e)
            for (std::size_t t = 0; t <= std::min(horizon, log[e].size()); ++t) {
                const double d = std::pow(discount, t), now = weight(e, t + 1) / (weighted ? mean_weight(t + 1) : 1),
                             before = weight(e, t) / (weighted ? mean_weight(t) : 1);
                if (t == log[e].size()) {
                    if (t < horizon && !log[e][t - 1].terminal) sum += d * before * v[horizon - t](static_cast<row_index>(log[e][t - 1].next_state[0]));
                } else if (t < horizon) {
                    const auto& s = log[e][t];
                    sum += d * now * (s.reward - q[horizon - t](static_cast<row_index>(s.state[0]), static_cast<row_index>(s.action))) +
                           d * before * v[horizon - t](static_cast<row_index>(s.state[0]));
                }
            }
        return sum / static_cast<double>(log.size());
    }
};

}  // namespace

TEST_CASE("off_policy_sequences: every estimator equals its formula", "[off_policy]") {
    const auto log = short_log();
    const auto pi = short_policy();
    const sequence_log flat(log, {2}, 2);
    const auto process = estimate_mdp(moves_of(log), {2}, 2).process;
    for (const std::size_t horizon : {std::size_t{3}, std::size_t{2}, std::size_t{5}}) {
        std::vector<matrix<double>> q(1, matrix<double>::Zero(2, 2)), zero_q(6, matrix<double>::Zero(2, 2));
        std::vector<vec<double>> v(1, vec<double>::Zero(2)), zero_v(6, vec<double>::Zero(2));
        for (std::size_t k = 1; k <= horizon; ++k) {
            q.push_back(matrix<double>::Zero(2, 2));
            for (std::size_t s = 0; s < 2; ++s)
                for (std::size_t a = 0; a < 2; ++a)
                    for (const auto& b : process.rows_of(s, a))
                        q[k](static_cast<row_index>(s), static_cast<row_index>(a)) +=
                            b.probability * (b.reward + (b.terminal ? 0 : .9 * v[k - 1](static_cast<row_index>(b.next_state))));
            v.emplace_back(q[k].cwiseProduct(pi).rowwise().sum());
        }
        const twin by_hand{log, pi, .9, horizon};
        const auto value = [&](sequence_method method) { return evaluate_sequences(flat, pi, {.method = method, .discount = .9, .horizon = horizon}).value; };
        CHECK(value(importance) == Approx(by_hand.importance(false)).epsilon(1e-12));
        CHECK(value(weighted_importance) == Approx(by_hand.importance(true)).epsilon(1e-12));
        CHECK(value(per_decision) == Approx(by_hand.robust(false, zero_q, zero_v)).epsilon(1e-12));
        CHECK(value(weighted_per_decision) == Approx(by_hand.robust(true, zero_q, zero_v)).epsilon(1e-12));
        CHECK(value(doubly_robust) == Approx(by_hand.robust(false, q, v)).epsilon(1e-12));
        CHECK(value(weighted_doubly_robust) == Approx(by_hand.robust(true, q, v)).epsilon(1e-12));
        CHECK(value(fitted_q) == Approx((3 * v[horizon](0) + v[horizon](1)) / 4).epsilon(1e-12));
        // A Q table from elsewhere.
        matrix<double> table(2, 2);
        table << 1, 2, 3, -4;
        const vec<double> of_table = table.cwiseProduct(pi).rowwise().sum();
        CHECK(evaluate_sequences(flat, pi, {.discount = .9, .horizon = horizon, .q = table}).value ==
              Approx((3 * of_table(0) + of_table(1)) / 4).epsilon(1e-12));
        for (const bool weighted : {false, true})
            CHECK(evaluate_sequences(flat, pi, {.method = weighted ? weighted_doubly_robust : doubly_robust, .discount = .9, .horizon = horizon, .q = table})
                      .value == Approx(by_hand.robust(weighted, std::vector(6, table), std::vector(6, of_table))).epsilon(1e-12));
    }
    // For ever: the exact value in the estimated process.
    const auto v = evaluate_policy(process, pi, {.discount = .9});
    CHECK(evaluate_sequences(flat, pi, {.discount = .9, .horizon = endless}).value == Approx((3 * v(0) + v(1)) / 4).epsilon(1e-10));
    CHECK((fitted_q_values(flat, pi, {.discount = .9, .horizon = endless}) - v).cwiseAbs().maxCoeff() < 1e-10);
}

TEST_CASE("off_policy_sequences: a log in exact proportion gives exact values", "[off_policy]") {
    // Probabilities are quarters, so that 4^4 customers show every sequence of two steps as often as it is likely.
    const std::array<std::array<std::size_t, 2>, 2> quarters_of_action{{{2, 2}, {1, 3}}};                                    // [state][action]
    const std::array<std::array<std::array<std::size_t, 2>, 2>, 2> quarters_of_next{{{{{1, 3}, {2, 2}}}, {{{3, 1}, {1, 3}}}}};  // [state][action][next]
    const std::array<std::array<double, 2>, 2> reward{{{1, -2}, {4, .5}}};
    episode_log<1> log;
    std::vector<logged_step<1>> path;
    const auto grow = [&](const auto& self, std::size_t state, std::size_t times) -> void {
        if (path.size() == 2) {
            for (std::size_t k = 0; k < times; ++k) log.append_row(std::span<const logged_step<1>>(path));
            return;
        }
        for (std::size_t a = 0; a < 2; ++a)
            for (std::size_t next = 0; next < 2; ++next) {
                const std::size_t n = quarters_of_action[state][a] * quarters_of_next[state][a][next];
                path.push_back({.state = {state},
                                .action = a,
                                .reward = reward[state][a] * (next == 1 ? 2 : 1),
                                .next_state = {next},
                                .propensity = static_cast<double>(quarters_of_action[state][a]) / 4});
                self(self, next, times * n);
                path.pop_back();
            }
    };
    grow(grow, 0, 1);
    REQUIRE(log.size() == 256);
    std::vector<mdp_row> rows;
    for (std::size_t s = 0; s < 2; ++s)
        for (std::size_t a = 0; a < 2; ++a)
            for (std::size_t next = 0; next < 2; ++next)
                rows.push_back({s, a, static_cast<double>(quarters_of_next[s][a][next]) / 4, next, reward[s][a] * (next == 1 ? 2 : 1)});
    const double truth = exact(mdp(2, 2, rows), short_policy(), 2, .9);
    const sequence_log flat(log, {2}, 2);
    for (const auto method : {fitted_q, importance, weighted_importance, per_decision, weighted_per_decision, doubly_robust, weighted_doubly_robust})
        CHECK(evaluate_sequences(flat, short_policy(), {.method = method, .discount = .9, .resamples = 10}).value == Approx(truth).epsilon(1e-12));
}

TEST_CASE("off_policy_sequences: fitted Q on random processes is the exact value in the estimated one", "[off_policy]") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        rng numbers(seed);
        const std::size_t states = 2 + numbers.below(5), actions = 1 + numbers.below(3);
        std::vector<mdp_row> rows;
        for (std::size_t s = 0; s < states; ++s)
            for (std::size_t a = 0; a < actions; ++a) {
                const double split = numbers.uniform();
                const std::size_t one = numbers.below(states), other = numbers.below(states);
                const double first = numbers.normal();
                rows.push_back({s, a, split, one, first, numbers.below(4) == 0});
                rows.push_back({s, a, 1 - split, other, numbers.normal()});
            }
        const mdp world(states, actions, rows);
        const std::array<std::size_t, 1> shape{states};
        const matrix<double> even =
            matrix<double>::Constant(static_cast<row_index>(states), static_cast<row_index>(actions), 1 / static_cast<double>(actions));
        const auto log = simulate_log(world, shape, even, {.customers = 60, .periods = 5, .seed = seed});
        const auto estimate = estimate_mdp(moves_of(log), shape, actions).process;
        // Any policy among what the log shows; where it shows nothing, any.
        matrix<double> policy = even;
        for (std::size_t s = 0; s < states; ++s) {
            const auto i = static_cast<row_index>(s);
            if (estimate.allowed(s).empty()) continue;
            policy.row(i).setZero();
            for (const std::size_t a : estimate.allowed(s)) policy(i, static_cast<row_index>(a)) = .1 + numbers.uniform();
            policy.row(i) /= policy.row(i).sum();
        }
        const sequence_log flat(log, shape, actions);
        CHECK(evaluate_sequences(flat, policy, {.discount = .9, .resamples = 10}).value == Approx(exact(estimate, policy, flat.longest(), .9)).margin(1e-12));
        const auto v = evaluate_policy(estimate, policy, {.discount = .9});
        CHECK((fitted_q_values(flat, policy, {.discount = .9, .horizon = endless}) - v).cwiseAbs().maxCoeff() < 1e-9);
        // What is not covered are states that were seen last of all.
        const auto unknown = overlap_of(flat, policy).states;
        CHECK(std::ranges::all_of(unknown, [&](std::size_t s) { return estimate.allowed(s).empty(); }));
    }
}

TEST_CASE("off_policy_sequences: contributions, intervals, threads", "[off_policy]") {
    const auto process = processes::crm();
    const auto policy = processes::crm_wanted(process);
    const auto log = simulate_log(process, line, processes::crm_logging(process), {.customers = 300, .periods = 6, .seed = 4});
    const sequence_log flat(log, line, 4);
    for (const auto method : {fitted_q, importance, weighted_importance, per_decision, weighted_per_decision, doubly_robust, weighted_doubly_robust}) {
        const sequence_options how{.method = method, .folds = 3, .resamples = 60, .seed = 5};
        const auto e = evaluate_sequences(flat, policy, how), again = evaluate_sequences(flat, policy, how, {.threads = 3});
        CHECK((e.value == again.value && e.low == again.low && e.high == again.high && e.standard_error == again.standard_error));
        CHECK((e.low < e.value && e.value < e.high && e.effective_sample_size > 1));
        if (!e.contributions.empty()) CHECK(detail::off_policy::mean(e.contributions) == Approx(e.value).epsilon(1e-10));
        CHECK(e.contributions.empty() ==
              (method == fitted_q || method == weighted_importance || method == weighted_per_decision || method == weighted_doubly_robust));
        auto plain = how;
        plain.limits = estimate_limits::normal;
        const auto normal = evaluate_sequences(flat, policy, plain);
        CHECK(normal.value == e.value);
        CHECK(normal.high - normal.value == Approx(1.959963984540054 * normal.standard_error));
        CHECK(normal.standard_error == Approx(e.standard_error).epsilon(.5));
    }
    // Judged by Q values of other customers: another number, near by.
    const auto own = evaluate_sequences(flat, policy, {.method = doubly_robust}),
               crossed = evaluate_sequences(flat, policy, {.method = doubly_robust, .folds = 5});
    CHECK(own.value != crossed.value);
    CHECK(std::abs(own.value - crossed.value) < own.standard_error);
    // The log's own shares as the policy: what was earned.
    const auto seen = detail::off_policy::counts_of(flat, detail::off_policy::first_numbers(flat.size()));
    const auto own_policy = detail::off_policy::logging_policy(flat, seen);
    double earned = 0;
    for (std::size_t e = 0; e < log.size(); ++e)
        for (std::size_t t = 0; t < log[e].size(); ++t) earned += std::pow(.95, t) * log[e][t].reward / static_cast<double>(log.size());
    CHECK(evaluate_sequences(flat, own_policy).value == Approx(earned).epsilon(.03));
    CHECK(overlap_of(flat, own_policy).uncovered == 0);
    CHECK(overlap_of(flat, own_policy).effective_decisions == Approx(300 * 6).epsilon(.05));
}

TEST_CASE("off_policy_sequences: policies of every kind", "[off_policy]") {
    const auto process = processes::crm();
    const auto solution = policy_iteration(process);
    const auto one = policy_probabilities<1>(solution, line, 4);
    CHECK(one.sum() == 54);
    CHECK(one == policy_probabilities<1>(solution.policy, line, 4));
    CHECK(one == policy_probabilities<1>(one, line, 4));
    CHECK(one == policy_probabilities<3>([&](const std::array<std::size_t, 3>& s) { return solution.policy[state_number(processes::crm_shape, s)]; },
                                         processes::crm_shape, 4));
    const auto even = policy_probabilities<3>([](const std::array<std::size_t, 3>&) { return std::array{.25, .25, .25, .25}; }, processes::crm_shape, 4);
    CHECK((even.array() == .25).all());
    q_table<float, 1> table(line, 4);
    for (std::size_t s = 0; s < 54; ++s) {
        table.values_of(s)[solution.policy[s]] = 1;
        for (auto& n : table.visits_of(s)) n = s == 7 ? 0 : 1;
    }
    auto learnt = one;
    learnt.row(7).setZero();  // nothing is known there
    CHECK(policy_probabilities<1>(q_policy<float, 1>(table, false, -1), line, 4) == learnt);
    CHECK(error_of([&] { (void)policy_probabilities<1>(std::vector<std::size_t>(54, 4), line, 4); }).where() == place{.row = 1});
    CHECK(error_of([&] { (void)policy_probabilities<1>(std::vector<std::size_t>(5, 0), line, 4); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)policy_probabilities<1>(matrix<double>(2 * one), line, 4); }).where() == place{.row = 1});
    // A step in the state of which nothing is known.
    const sequence_log flat(simulate_log(process, line, even, {.customers = 50}), line, 4);
    CHECK(error_of([&] { (void)evaluate_sequences(flat, learnt); }).code() == errc::bad_data);
}

TEST_CASE("off_policy_sequences: what the log does not show", "[off_policy]") {
    episode_log<1> log;
    for (int i = 0; i < 4; ++i) log.append_row(std::array<logged_step<1>, 2>{{{{0}, 0, 1, {1}, false, 1}, {{1}, 0, 1, {0}, false, 1}}});
    const sequence_log flat(log, {2}, 2);
    matrix<double> policy(2, 2);
    policy << 1, 0, .25, .75;
    const auto overlap = overlap_of(flat, policy, {.discount = 1});
    CHECK(overlap.uncovered == Approx(.375));  // three quarters of every second decision
    CHECK(overlap.states == std::vector<std::size_t>{1});
    CHECK(overlap_of(flat, policy, {.discount = 1}, 5).uncovered == 1);
    CHECK(overlap_of(flat, policy, {.discount = 1}, 5).states.size() == 2);
    CHECK(evaluate_sequences(flat, policy, {.discount = 1}).value == 2);
    policy << 0, 1, 0, 1;
    CHECK(evaluate_sequences(flat, policy).value == 0);
    CHECK(overlap_of(flat, policy).effective_decisions == 0);
    CHECK(error_of([&] { (void)evaluate_sequences(flat, policy, {.method = weighted_importance}); }).code() == errc::bad_data);
    CHECK(evaluate_sequences(flat, policy, {.method = importance}).value == 0);
}

TEST_CASE("off_policy_sequences: logs", "[off_policy]") {
    const std::vector<std::string> customers{"b", "a", "b", "c", "a"};
    std::vector<logged_step<1>> steps(5);
    for (std::size_t i = 0; i < 5; ++i) steps[i].reward = static_cast<double>(i);
    const auto log = episodes_of(customers, steps);
    REQUIRE(log.size() == 3);
    CHECK(log[0][1].reward == 2);
    CHECK(log[1][1].reward == 4);
    CHECK(take_episodes<1>(log, std::array<std::size_t, 1>{2})[0][0].reward == 3);
    CHECK(moves_of(log)[3].reward == 4);
    CHECK_THROWS_AS(episodes_of(std::vector<int>{1}, steps), error);
    CHECK_THROWS_AS(take_episodes<1>(log, std::array<std::size_t, 1>{3}), error);
    // A lake ends in a hole or at the goal.
    const auto lake = simulate_log(processes::frozen_lake(), std::array<std::size_t, 1>{16}, matrix<double>(matrix<double>::Constant(16, 4, .25)),
                                   {.customers = 2000, .periods = 100, .seed = 1});
    std::size_t ended = 0, goals = 0;
    for (std::size_t e = 0; e < lake.size(); ++e) {
        ended += lake[e].back().terminal ? 1 : 0;
        goals += lake[e].back().reward > 0 ? 1 : 0;
    }
    CHECK(ended > 1990);
    CHECK(static_cast<double>(goals) / 2000 == Approx(.0139397962).margin(4 * std::sqrt(.0139 / 2000)));
}

TEST_CASE("off_policy_sequences: bad input", "[off_policy][error]") {
    const auto refused = [](const auto& change, errc code, place where) {
        auto steps = short_log().values();
        change(steps[3]);
        const episode_log<1> log(steps, short_log().starts());
        const error e = error_of([&] { sequence_log(log, {2}, 2); });
        CHECK(e.code() == code);
        CHECK(e.where() == where);
    };
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    refused([](auto& s) { s.state = {2}; }, errc::unknown_id, {.row = 4, .column = 1});
    refused([](auto& s) { s.action = 2; }, errc::unknown_id, {.row = 4, .column = 2});
    refused([](auto& s) { s.reward = nan; }, errc::nan_or_inf, {.row = 4, .column = 3});
    refused([](auto& s) { s.next_state = {9}; }, errc::unknown_id, {.row = 4, .column = 4});
    refused([](auto& s) { s.terminal = true; }, errc::bad_data, {.row = 4, .column = 5});
    refused([](auto& s) { s.propensity = 0; }, errc::bad_data, {.row = 4, .column = 6});
    refused([](auto& s) { s.propensity = nan; }, errc::nan_or_inf, {.row = 4, .column = 6});
    CHECK(error_of([] { sequence_log(episode_log<1>{}, {2}, 2); }).code() == errc::empty_input);
    CHECK(error_of([] { sequence_log(episode_log<1>({}, {0, 0, 0}), {2}, 2); }).where() == place{.row = 1});
    const sequence_log alone(take_episodes<1>(short_log(), std::array<std::size_t, 1>{0}), {2}, 2);
    CHECK(error_of([&] { (void)evaluate_sequences(alone, short_policy()); }).code() == errc::too_few_rows);
    const sequence_log flat(short_log(), {2}, 2);
    const auto code = [&](const matrix<double>& policy, const sequence_options& how) {
        return error_of([&] { (void)evaluate_sequences(flat, policy, how); }).code();
    };
    CHECK(code(matrix<double>::Zero(3, 2), {}) == errc::shape_mismatch);
    CHECK(code(2 * short_policy(), {}) == errc::bad_data);
    CHECK(code(short_policy(), {.discount = 1.5}) == errc::bad_parameter);
    CHECK(code(short_policy(), {.folds = 9}) == errc::bad_parameter);
    CHECK(code(short_policy(), {.q = matrix<double>::Zero(1, 1)}) == errc::shape_mismatch);
    CHECK(code(short_policy(), {.level = 0}) == errc::bad_parameter);
}

TEST_CASE("off_policy_sequences: twelve periods of the customer model", "[off_policy][slow]") {
    const auto process = processes::crm();
    const auto logging = processes::crm_logging(process), policy = processes::crm_wanted(process);
    const double truth = exact(process, policy, 12);
    CHECK(truth == Approx(56.06389100275049).epsilon(1e-12));
    CHECK(exact(process, logging, 12) == Approx(44.69935692652658).epsilon(1e-12));
    constexpr std::size_t repeats = 60;
    std::array<double, 7> square{};
    double mean = 0;
    std::size_t held = 0;
    for (std::size_t k = 0; k < repeats; ++k) {
        const sequence_log log(simulate_log(process, line, logging, {.customers = 2000, .seed = k}), line, 4);
        for (const auto method : {fitted_q, importance, weighted_importance, per_decision, weighted_per_decision, doubly_robust, weighted_doubly_robust}) {
            const auto e = evaluate_sequences(log, policy, {.method = method, .resamples = method == fitted_q ? 200UL : 10UL});
            square[static_cast<std::size_t>(method)] += (e.value - truth) * (e.value - truth) / repeats;
            if (method != fitted_q) continue;
            mean += e.value / repeats;
            held += e.low <= truth && truth <= e.high ? 1 : 0;
        }
    }
    const auto rmse = [&](sequence_method m) { return std::sqrt(square[static_cast<std::size_t>(m)]); };
    INFO(rmse(fitted_q) << ' ' << rmse(importance) << ' ' << rmse(weighted_importance) << ' ' << rmse(per_decision) << ' ' << rmse(weighted_per_decision) << ' '
                        << rmse(doubly_robust) << ' ' << rmse(weighted_doubly_robust) << " held " << held);
    CHECK(rmse(fitted_q) < 2.2 * 1.25);
    CHECK(std::abs(mean - truth) < 1);
    CHECK(held >= 51);  // 57 of 60 with a deviation of 1.7
    CHECK((rmse(importance) > 30 && rmse(importance) < 90));
    CHECK((rmse(weighted_importance) > 20 && rmse(weighted_importance) < 45));
    CHECK((rmse(doubly_robust) > 3 && rmse(doubly_robust) < 50));
    CHECK(rmse(weighted_per_decision) < rmse(importance));
}

}  // namespace off_policy_sequences_test
