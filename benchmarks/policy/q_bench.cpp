// Q-learning of 100 000 states x 10 actions from random transitions (rate .1, discount .95, floats), on one core.
// `q_batch`: `fit` of a stored log, sweeps by default, everything included (checks, counting, the table in and out), beside a
// plain loop over as many sweeps of the same steps that asks for rows ahead and does nothing but update: `over_plain_loop` is
// their ratio, `updates` a second in millions. `q_online`: one transition into a learner that counts, of a table that lies in
// the cache. `q_decide`: one decision of a policy, and of an online learner that explores.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/large_pages.hpp>
#include <caramel/policy/q_learning.hpp>

namespace {

using namespace caramel;
constexpr std::size_t n_states = 100'000, n_actions = 10, stride = 16, n_steps = 2'000'000;
constexpr float rate = .1F, discount = .95F;

double cpu() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

std::vector<transition<>> made_log(std::size_t states, std::size_t n) {
    rng numbers(99);
    std::vector<transition<>> out(n);
    for (auto& t : out) {
        t.state = {numbers.below(states)};
        t.action = numbers.below(n_actions);
        t.reward = static_cast<float>(numbers.uniform());
        t.next_state = {numbers.below(states)};
    }
    return out;
}

// What somebody would write by hand: rows padded to a cache line, asked for some steps ahead.
struct plain_step {
    std::uint32_t state, action, next;
    float reward;
};
CARAMEL_NEVER_INLINE void plain_sweep(float* q, const std::vector<plain_step>& steps) {
    constexpr std::size_t ahead = 24;
    const std::size_t n = steps.size();
    for (std::size_t i = 0; i < n; ++i) {
        const plain_step& soon = steps[std::min(i + ahead, n - 1)];
        CARAMEL_PREFETCH(q + soon.state * stride);
        CARAMEL_PREFETCH(q + soon.next * stride);
        const plain_step& t = steps[i];
        const float* const row = q + t.next * stride;
        float best = row[0];
        for (std::size_t a = 1; a < n_actions; ++a) best = row[a] > best ? row[a] : best;
        float& cell = q[t.state * stride + t.action];
        cell += rate * (t.reward + discount * best - cell);
    }
}

void q_batch(benchmark::State& state) {
    const auto log = made_log(n_states, n_steps);
    std::vector<plain_step> steps;
    for (const auto& t : log)
        steps.push_back({static_cast<std::uint32_t>(t.state[0]), static_cast<std::uint32_t>(t.action), static_cast<std::uint32_t>(t.next_state[0]),
                         static_cast<float>(t.reward)});
    const q_learning<float> recipe{.states = {n_states}, .actions = n_actions, .discount = discount, .learning_rate = rate};
    double ours = 1e9, plain = 1e9, last = 0;
    for (auto _ : state) {
        {
            const double begin = cpu();
            std::vector<float> memory;
            detail::reserve_large(memory, n_states * stride + 16);
            memory.resize(n_states * stride + 16);
            float* const q = memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64 / sizeof(float);
            for (std::size_t sweep = 0; sweep < recipe.sweeps; ++sweep) plain_sweep(q, steps);
            benchmark::DoNotOptimize(q[5]);
            plain = std::min(plain, cpu() - begin);
        }
        const double begin = cpu();
        const auto policy = fit(recipe, log);
        ours = std::min(ours, cpu() - begin);
        last = static_cast<double>(policy.table()(0, 0));
    }
    const auto updates = static_cast<double>(n_steps * recipe.sweeps);
    state.counters["over_plain_loop"] = plain / ours;
    state.counters["updates"] = updates / ours / 1e6;
    state.counters["plain_updates"] = updates / plain / 1e6;
    benchmark::DoNotOptimize(last);
}
BENCHMARK(q_batch)->Iterations(3)->Unit(benchmark::kMillisecond);

// One sweep of the same log, where checks and copies weigh most, and rates that fall, which need a count a cell.
template <bool Falling>
void q_batch_once(benchmark::State& state) {
    const auto log = made_log(n_states, n_steps);
    q_learning<float> recipe{.states = {n_states}, .actions = n_actions, .discount = discount, .learning_rate = rate, .sweeps = 1};
    if (Falling) {
        recipe.learning_rate = {};
        recipe.sweeps = 50;
    }
    for (auto _ : state) benchmark::DoNotOptimize(fit(recipe, log).table()(0, 0));
    state.counters["updates"] = benchmark::Counter(static_cast<double>(n_steps * recipe.sweeps) / 1e6, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(q_batch_once<false>)->Unit(benchmark::kMillisecond);
BENCHMARK(q_batch_once<true>)->Unit(benchmark::kMillisecond)->Iterations(1);

template <bool Falling>
void q_online(benchmark::State& state) {
    constexpr std::size_t states = 500;
    const auto log = made_log(states, 10'000);
    q_learning<float> recipe{.states = {states}, .actions = n_actions};
    if (!Falling) recipe.learning_rate = rate;
    q_learner<float> learner(recipe);
    for (auto _ : state)
        for (const auto& t : log) learner.observe(t);
    benchmark::DoNotOptimize(learner.table().value({0}, 0));
    state.counters["online_ns"] =
        benchmark::Counter(static_cast<double>(log.size()) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(q_online<false>);
BENCHMARK(q_online<true>);

void q_decide(benchmark::State& state) {
    const auto log = made_log(n_states, n_steps);
    const auto policy = fit(q_learning<float>{.states = {n_states}, .actions = n_actions, .learning_rate = rate, .sweeps = 1}, log);
    std::vector<decision<>> asked(10'000);
    rng numbers(3);
    for (auto& d : asked) d.state = {numbers.below(n_states)};
    workspace scratch;
    for (auto _ : state)
        for (const auto& d : asked) benchmark::DoNotOptimize(policy(d, scratch));
    state.counters["decide_ns"] =
        benchmark::Counter(static_cast<double>(asked.size()) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(q_decide);

void q_choose(benchmark::State& state) {
    constexpr std::size_t states = 500;
    q_learner<float> learner({.states = {states}, .actions = n_actions});
    for (const auto& t : made_log(states, 20'000)) learner.observe(t);
    std::vector<decision<>> asked(10'000);
    rng numbers(3);
    for (auto& d : asked) d.state = {numbers.below(states)};
    for (auto _ : state)
        for (const auto& d : asked) benchmark::DoNotOptimize(learner.choose(d, .1, numbers));
    state.counters["decide_ns"] =
        benchmark::Counter(static_cast<double>(asked.size()) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(q_choose);

}  // namespace
