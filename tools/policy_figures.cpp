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
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/core/parallel.hpp>
#include <caramel/policy/batch_policy.hpp>
#include <caramel/policy/mdp.hpp>
#include <caramel/policy/off_policy_sequences.hpp>
#include <caramel/policy/q_learning.hpp>

#include "policy/processes.hpp"

using namespace caramel;

namespace {

constexpr std::array<std::size_t, 1> line{54};

void result(const std::string& name, double value) {
    std::printf("result %s %.12g\n", name.c_str(), value);
    std::fflush(stdout);
}

// Four rows of twelve; down the cliff costs 100 and leads back to the start (36); the goal (47) ends.
mdp cliff() {
    std::vector<mdp_row> rows;
    for (std::size_t s = 0; s < 47; ++s)
        for (std::size_t a = 0; a < 4; ++a) {  // up, right, down, left
            std::size_t r = s / 12, c = s % 12;
            if (a == 0 && r > 0) --r;
            if (a == 1 && c < 11) ++c;
            if (a == 2 && r < 3) ++r;
            if (a == 3 && c > 0) --c;
            const std::size_t next = r * 12 + c;
            const bool falls = next > 36 && next < 47;
            rows.push_back({s, a, 1, falls ? 36 : next, falls ? -100.0 : -1.0, next == 47});
        }
    return {48, 4, rows};
}

// A taxi in a town of five by five with four stands; the state is ((row * 5 + column) * 5 + passenger) * 4 + destination.
constexpr std::array<std::pair<std::size_t, std::size_t>, 4> stands{{{0, 0}, {0, 4}, {4, 0}, {4, 3}}};
std::size_t taxi_state(std::size_t r, std::size_t c, std::size_t passenger, std::size_t destination) { return ((r * 5 + c) * 5 + passenger) * 4 + destination; }
mdp taxi() {
    const auto wall_east = [](std::size_t r, std::size_t c) { return (r < 2 && c == 1) || (r > 2 && (c == 0 || c == 2)); };
    std::vector<mdp_row> rows;
    for (std::size_t r = 0; r < 5; ++r)
        for (std::size_t c = 0; c < 5; ++c)
            for (std::size_t p = 0; p < 5; ++p)  // 4: in the taxi
                for (std::size_t d = 0; d < 4; ++d) {
                    const auto add = [&](std::size_t action, std::size_t next, double reward, bool ends = false) {
                        rows.push_back({taxi_state(r, c, p, d), action, 1, next, reward, ends});
                    };
                    const auto here = std::ranges::find(stands, std::pair(r, c)) - stands.begin();
                    const auto stand = static_cast<std::size_t>(here);
                    add(0, taxi_state(std::min<std::size_t>(r + 1, 4), c, p, d), -1);
                    add(1, taxi_state(r - std::min<std::size_t>(r, 1), c, p, d), -1);
                    add(2, taxi_state(r, c < 4 && !wall_east(r, c) ? c + 1 : c, p, d), -1);
                    add(3, taxi_state(r, c > 0 && !wall_east(r, c - 1) ? c - 1 : c, p, d), -1);
                    const bool takes = p < 4 && stand == p, brings = p == 4 && stand < 4;
                    add(4, taxi_state(r, c, takes ? 4 : p, d), takes ? -1 : -10);
                    add(5, taxi_state(r, c, brings ? stand : p, d), brings ? (stand == d ? 20 : -1) : -10, brings && stand == d);
                }
    return {500, 6, rows};
}

void exact_values() {
    result("frozenlake.v0", policy_iteration(processes::frozen_lake(), {.discount = .99}).v(0));
    result("cliff.v", value_iteration(cliff(), {.discount = 1}).v(36));
    const auto v = value_iteration(taxi(), {.discount = 1}).v;
    double sum = 0;
    for (std::size_t r = 0; r < 5; ++r)
        for (std::size_t c = 0; c < 5; ++c)
            for (std::size_t p = 0; p < 4; ++p)
                for (std::size_t d = 0; d < 4; ++d)
                    if (p != d) sum += v(static_cast<row_index>(taxi_state(r, c, p, d)));
    result("taxi.mean", sum / 300);
    result("crm.v", policy_iteration(processes::crm()).v(0));
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
matrix<double> behaviour(const mdp& process) {
    matrix<double> out = .5 * policy_probabilities<1>(value_iteration(process, {.discount = 0}), line, 4);
    out.array() += .125;
    return out;
}

// Policies learnt from logs of n customers: the mean (least) of what they are worth.
void batch(const mdp& process, const run_options& run) {
    const auto logging = behaviour(process);
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
    const auto logging = behaviour(process);
    matrix<double> wanted = .9 * policy_probabilities<1>(value_iteration(process), line, 4);
    wanted.array() += .025;
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
