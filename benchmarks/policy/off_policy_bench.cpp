// Evaluating a policy from a log of another, and learning one from it, on one thread: 4000 customers of twelve periods with 54
// states and 4 actions; single decisions: 100,000 of 100 contexts and 10 actions.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/policy/batch_policy.hpp>
#include <caramel/policy/deployment_gate.hpp>

namespace {

using namespace caramel;

constexpr std::array<std::size_t, 3> shape{6, 3, 3};

// Customers who buy more often the more recently they bought, and tire of contacts.
struct shop_world {
    static std::array<std::size_t, 3> reset(rng&) { return {0, 0, 0}; }
    static outcome<3> step(const std::array<std::size_t, 3>& s, std::size_t a, rng& numbers) {
        const double pull = std::array{0.0, 0.5, 0.9, 1.4}[a] - (a > 0 ? .5 * static_cast<double>(s[2]) : 0);
        const bool buys = numbers.uniform() < 1 / (1 + std::exp(1 + .45 * static_cast<double>(s[0]) - .35 * static_cast<double>(s[1]) - pull));
        return {.reward = buys ? 20.0 : 0.0,
                .next_state = {buys ? 0 : s[0] + (s[0] < 5), s[1] + (buys && s[1] < 2), a > 0 ? s[2] + (s[2] < 2) : s[2] - (s[2] > 0)}};
    }
};
const episode_log<3>& log_of_shop() {
    static const auto log = simulate_log(shop_world{}, shape, matrix<double>(matrix<double>::Constant(54, 4, .25)), {.customers = 4000});
    return log;
}
const matrix<double>& pulsing() {  // a discount to the rested, half of the time
    static const auto policy = policy_probabilities<3>(
        [](const std::array<std::size_t, 3>& s) { return s[2] == 0 ? std::array{.125, .125, .125, .625} : std::array{.625, .125, .125, .125}; }, shape, 4);
    return policy;
}

void fitted_q_table(benchmark::State& state) {
    const sequence_log log(log_of_shop(), shape, 4);
    for (auto _ : state) benchmark::DoNotOptimize(fitted_q_values(log, pulsing()));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(log.steps().size()));
}
BENCHMARK(fitted_q_table)->Unit(benchmark::kMillisecond);

void gate(benchmark::State& state) {
    const sequence_log log(log_of_shop(), shape, 4);
    for (auto _ : state) benchmark::DoNotOptimize(deployment_gate(log, pulsing()));
}
BENCHMARK(gate)->Unit(benchmark::kMillisecond);

void sequence_estimate(benchmark::State& state) {
    const sequence_log log(log_of_shop(), shape, 4);
    for (auto _ : state) benchmark::DoNotOptimize(evaluate_sequences(log, pulsing(), {.method = static_cast<sequence_method>(state.range(0))}));
}
BENCHMARK(sequence_estimate)->DenseRange(0, 6)->Unit(benchmark::kMillisecond);

void pessimistic_learning(benchmark::State& state) {
    pessimistic_q<float, 3> recipe{.states = shape, .actions = 4};
    if (state.range(0) == 0) recipe.pessimism = 30;
    for (auto _ : state) benchmark::DoNotOptimize(recipe.fit(log_of_shop(), {}));
}
BENCHMARK(pessimistic_learning)->ArgName("chosen")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void single_decisions(benchmark::State& state) {
    rng numbers(1);
    matrix<double> policy(100, 10);
    for (row_index i = 0; i < policy.size(); ++i) policy.data()[i] = numbers.uniform();
    for (row_index i = 0; i < policy.rows(); ++i) policy.row(i) /= policy.row(i).sum();
    std::vector<logged_choice> records(100'000);
    for (auto& r : records) {
        r.context = numbers.below(100);
        r.action = numbers.below(10);
        r.reward = numbers.uniform();
        r.propensity = .1;
    }
    const auto model = reward_means(records, 100, 10);
    for (auto _ : state) benchmark::DoNotOptimize(evaluate_off_policy(off_policy_log(records, policy, model), {.method = off_policy_method::doubly_robust}));
    state.SetItemsProcessed(state.iterations() * 100'000);
}
BENCHMARK(single_decisions)->Unit(benchmark::kMillisecond);

}  // namespace
