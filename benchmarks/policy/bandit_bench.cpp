// What a decision costs inside a host: bandits of 10 arms, and linear bandits of 10 actions with 32 numbers a customer. The
// linear ones decide and learn in each round, with rewards for the action chosen; `linucb_us` is that in microseconds.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/policy/bandit.hpp>
#include <caramel/policy/linear_bandit.hpp>

namespace {

using namespace caramel;

template <class Rule>
void bandit_decide(benchmark::State& state) {
    bandit<Rule> b(static_cast<std::size_t>(state.range(0)));
    rng numbers(1);
    for (std::size_t i = 0; i < 500 * b.arms(); ++i) b.learn(i % b.arms(), numbers.uniform() < .02 + .002 * static_cast<double>(i % b.arms()) ? 1 : 0);
    for (auto _ : state) benchmark::DoNotOptimize(b.decide(numbers));
}
BENCHMARK(bandit_decide<epsilon_greedy_rule>)->Arg(10);
BENCHMARK(bandit_decide<ucb1>)->Arg(10);
BENCHMARK(bandit_decide<kl_ucb>)->Arg(10);
BENCHMARK(bandit_decide<thompson_bernoulli>)->Arg(2)->Arg(10)->Arg(100);
BENCHMARK(bandit_decide<thompson_gaussian>)->Arg(2)->Arg(10)->Arg(100);

void bandit_learn(benchmark::State& state) {
    bandit b(10, thompson_bernoulli{});
    std::size_t arm = 0;
    for (auto _ : state) {
        b.learn(arm, 1);
        arm = arm == 9 ? 0 : arm + 1;
    }
    benchmark::DoNotOptimize(b.sums().data());
}
BENCHMARK(bandit_learn);

template <class Rule>
void linear_decide_and_learn(benchmark::State& state) {
    constexpr std::size_t actions = 10, dim = 32, customers = 4096;
    rng numbers(1);
    std::vector<std::vector<double>> contexts(customers, std::vector<double>(dim, 1.0));
    std::vector<double> rewards(customers);
    for (std::size_t i = 0; i < customers; ++i) {
        for (std::size_t j = 1; j < dim; ++j) contexts[i][j] = numbers.normal();
        rewards[i] = numbers.uniform() < .1 ? 1 : 0;
    }
    linear_bandit b(actions, dim, Rule{});
    std::size_t i = 0;
    for (auto _ : state) {
        const choice c = b.decide(numbers, contexts[i]);
        b.learn(contexts[i], c.action, rewards[i]);
        i = (i + 1) % customers;
    }
    state.counters[std::string(Rule::kind) + "_us"] =
        benchmark::Counter(1e-6 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(linear_decide_and_learn<linucb>);
BENCHMARK(linear_decide_and_learn<linear_thompson>);

}  // namespace
