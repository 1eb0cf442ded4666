// The figures of decisions: exact values of known processes, learners on the customer model, policies from its logs, and
// estimates of policies from the logs of others.
//
//   policy_figures [--repeats N] [--threads N]
//
// Nothing is read: every process is built from its rules. Lines that begin with `result` are for scripts.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/core/parallel.hpp>
#include <caramel/policy/batch_policy.hpp>
#include <caramel/policy/mdp.hpp>
#include <caramel/policy/mdp_budget.hpp>
#include <caramel/policy/off_policy_sequences.hpp>
#include <caramel/policy/q_learning.hpp>

#include "policy/crm_policies.hpp"
#include "policy/processes.hpp"

using namespace caramel;

namespace {

constexpr auto line = processes::crm_line;

void result(const std::string& name, double value) {
    std::printf("result %s %.12g\n", name.c_str(), value);
    std::fflush(stdout);
}

void exact_values() {
    result("frozenlake.v0", policy_iteration(processes::frozen_lake(), {.discount = .99}).v(0));
    result("cliff.v", value_iteration(processes::cliff_walking(), {.discount = 1}).v(36));
    const auto taxi = processes::taxi();
    const auto waits = value_iteration(taxi, {.discount = 1});
    result("taxi.mean", std::inner_product(waits.v.begin(), waits.v.end(), taxi.initial().begin(), 0.0));
    const auto crm = processes::crm();
    result("crm.v", policy_iteration(crm).v(0));
    const auto within = solve_with_budgets(crm, budget_for(crm, [](std::size_t, std::size_t action) { return action > 0; }, .4));
    result("crm.budget.v", within.value);
    result("crm.budget.price", within.prices(0));
}

double worth(const mdp& process, const std::vector<std::size_t>& policy) { return evaluate_policy(process, policy)(0); }

// Twenty seeds of Q-learning with its defaults.
void learners(const mdp& process, const run_options& run) {
    for (const auto& [steps, name] : {std::pair<std::size_t, std::string>(200'000, "crm.q200k"), {5'000'000, "crm.q5m"}}) {
        std::vector<double> values(20);
        parallel_for(values.size(), run, [&, n = steps](std::size_t seed) {
            const q_learning<float, 1> recipe{.states = line, .actions = 4, .steps = n, .default_action = 0};
            values[seed] = worth(process, fit(recipe, process, {.seed = seed}).greedy_actions());
        });
        result(name + ".mean", detail::off_policy::mean(values));
        if (steps == 200'000) result(name + ".min", *std::ranges::min_element(values));
        else std::printf("%s.min %.6g\n", name.c_str(), *std::ranges::min_element(values));
    }
}

// The policy that wrote the logs: half myopic, half uniform.

// Policies learnt from logs of n customers: the mean (least) of what they are worth.
void batch(const mdp& process, const run_options& run) {
    const auto logging = processes::crm_logging(process);
    std::printf("learnt from logs of the policy worth %.2f; mean (least) value\n", evaluate_policy(process, logging)(0));
    std::printf("%9s %6s %18s %18s %18s %18s\n", "customers", "logs", "k = 0", "k = 10", "k = 30", "k from the log");
    for (const auto& [customers, logs] : {std::pair<std::size_t, std::size_t>(200, 200), {1000, 60}, {5000, 30}, {20'000, 20}}) {
        std::array<std::vector<double>, 4> values;
        for (auto& v : values) v.resize(logs);
        parallel_for(logs, run, [&, n = customers](std::size_t seed) {
            const auto log = simulate_log(process, line, logging, {.customers = n, .seed = seed});
            for (std::size_t i = 0; i < 4; ++i) {
                pessimistic_q<double> recipe{.states = line, .actions = 4};
                if (i < 3) recipe.pessimism = std::array{0.0, 10.0, 30.0}[i];
                values[i][seed] = worth(process, recipe.fit(log, {.seed = seed}).greedy_actions());
            }
        });
        std::printf("%9zu %6zu", customers, logs);
        for (const auto& v : values) std::printf("   %7.3f (%5.1f)", detail::off_policy::mean(v), *std::ranges::min_element(v));
        std::printf("\n");
        if (customers == 200) result("batch.pessimistic", detail::off_policy::mean(values[2]));
        if (customers == 200) result("batch.pessimistic.chosen", detail::off_policy::mean(values[3]));
    }
}

// Twelve periods of 2000 customers; the policy to judge is nine tenths optimal, one tenth uniform.
void evaluation(const mdp& process, std::size_t repeats, const run_options& run) {
    using enum sequence_method;
    constexpr double truth = 56.06389100275049;
    constexpr std::array methods{std::pair{fitted_q, "fitted Q"},
                                 std::pair{importance, "importance"},
                                 std::pair{weighted_importance, "weighted importance"},
                                 std::pair{per_decision, "per decision"},
                                 std::pair{weighted_per_decision, "weighted per decision"},
                                 std::pair{doubly_robust, "doubly robust"},
                                 std::pair{weighted_doubly_robust, "weighted doubly robust"}};
    const auto logging = processes::crm_logging(process);
    const auto wanted = processes::crm_wanted(process);
    std::vector<std::array<double, methods.size()>> values(repeats);
    std::vector<double> held(repeats);
    parallel_for(repeats, run, [&](std::size_t seed) {
        const sequence_log log(simulate_log(process, line, logging, {.customers = 2000, .seed = seed}), line, 4);
        for (std::size_t m = 0; m < methods.size(); ++m) {
            const auto e = evaluate_sequences(log, wanted, {.method = methods[m].first, .resamples = m == 0 ? 100UL : 10UL, .seed = seed});
            values[seed][m] = e.value;
            if (m == 0) held[seed] = e.low <= truth && truth <= e.high ? 1 : 0;
        }
    });
    std::printf("off-policy evaluation, %zu repeats, truth %.4f; the interval of fitted Q held %.1f %% of the time\n%24s %10s %10s %10s\n", repeats, truth,
                100 * detail::off_policy::mean(held), "", "mean", "bias", "RMSE");
    std::array<double, methods.size()> rmse{};
    for (std::size_t m = 0; m < methods.size(); ++m) {
        double mean = 0, square = 0;
        for (const auto& one : values) {
            mean += one[m] / static_cast<double>(repeats);
            square += (one[m] - truth) * (one[m] - truth) / static_cast<double>(repeats);
        }
        rmse[m] = std::sqrt(square);
        std::printf("%24s %10.4f %+10.4f %10.4f\n", methods[m].second, mean, mean - truth, rmse[m]);
    }
    result("ope.fqe.rmse", rmse[0]);
}

}  // namespace

int main(int argc, char** argv) try {
    std::size_t repeats = 900;
    run_options run{.threads = 0};
    CLI::App app("The figures of decisions");
    app.add_option("--repeats", repeats, "of the off-policy evaluation (default: 900)")->check(CLI::Range(2, 1'000'000));
    app.add_option("--threads", run.threads, "0 = all; never changes a result");
    CLI11_PARSE(app, argc, argv);
    exact_values();
    const auto process = processes::crm();
    learners(process, run);
    batch(process, run);
    evaluation(process, repeats, run);
    return 0;
} catch (const std::exception& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "policy_figures: %s\n", e.what());
    return 1;
}
