// Value iteration on a million states and four actions, beside what the machine can do: bytes read a second in a row, and values
// fetched a second from anywhere in a table of that size.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/large_pages.hpp>
#include <caramel/core/random.hpp>
#include <caramel/policy/mdp.hpp>

namespace {

using namespace caramel;

// Processor time, of one thread: what else the machine does counts less than with a clock.
double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

constexpr std::size_t states = 1'000'000, actions = 4, branches = 3;
constexpr std::size_t pairs = states * actions, links = pairs * branches;

// What a sweep has to move at least: a number and a weight a branch, a reward a pair; a state's old and new value, and the place of
// its rows. Values that branches lead to are counted once.
constexpr double bytes_of_sweep = 12.0 * links + 8.0 * pairs + 3 * 8.0 * states;

double machine_bytes_per_second() {
    static const double found = [] {
        const std::vector<std::uint64_t> memory(32U << 20U, 1);  // as benchmarks/core/machine_bench.cpp
        double best = 1e300;
        for (int round = 0; round < 15; ++round) {
            const double start = seconds();
            std::uint64_t sum[8] = {};
            for (std::size_t i = 0; i < memory.size(); i += 8)
                for (std::size_t j = 0; j < 8; ++j) sum[j] += memory[i + j];
            benchmark::DoNotOptimize(sum);
            best = std::min(best, seconds() - start);
        }
        return static_cast<double>(memory.size() * sizeof(std::uint64_t)) / best;
    }();
    return found;
}

// Where branches lead: anywhere, or as customers go, to states nearby.
std::uint32_t next_of(rng& numbers, std::size_t state, std::size_t reach) {
    if (reach == 0) return static_cast<std::uint32_t>(numbers.below(states));
    return static_cast<std::uint32_t>((state + states - reach / 2 + numbers.below(reach)) % states);
}

// The values alone, fetched as the sweep does.
double fetch_seconds(std::size_t reach) {
    std::vector<std::uint32_t> next;
    std::vector<double> v;
    detail::reserve_large(next, links);
    detail::reserve_large(v, states);
    v.resize(states, 1.0);
    rng numbers(1);
    for (std::size_t k = 0; k < links; ++k) next.push_back(next_of(numbers, k / (actions * branches), reach));
    double best = 1e300;
    for (int round = 0; round < 15; ++round) {
        const double start = seconds();
        double sum[4] = {};
        for (std::size_t k = 0; k + 256 < links; k += 4)
            for (std::size_t j = 0; j < 4; ++j) {
                CARAMEL_PREFETCH_FAR(v.data() + next[k + j + 240]);
                sum[j] += v[next[k + j]];
            }
        benchmark::DoNotOptimize(sum);
        best = std::min(best, seconds() - start);
    }
    return best;
}

void value_iteration_sweeps(benchmark::State& state) {
    const auto reach = static_cast<std::size_t>(state.range(0));
    const double fetch = fetch_seconds(reach), machine = machine_bytes_per_second();
    std::vector<mdp_row> rows;
    rows.reserve(links);
    rng numbers(1);
    for (std::size_t s = 0; s < states; ++s)
        for (std::size_t a = 0; a < actions; ++a) {
            const double reward = numbers.uniform();
            for (std::size_t b = 0; b < branches; ++b)
                rows.push_back({.state = s, .action = a, .probability = b == 0 ? .5 : .25, .next_state = next_of(numbers, s, reach), .reward = reward});
        }
    const mdp process(states, actions, rows);
    rows = {};
    // Sweeps alone, by the difference of two calls: the table and the answer are made once.
    const auto seconds_for = [&](double tolerance, std::size_t& rounds) {
        const double start = seconds();
        const auto solution = value_iteration(process, {.discount = .9, .tolerance = tolerance});
        rounds = solution.rounds;
        return seconds() - start;
    };
    double best = 1e300;
    for (auto _ : state) {
        std::size_t few = 0, many = 0;
        const double less = seconds_for(.1, few), more = seconds_for(1e-6, many);
        best = std::min(best, (more - less) / static_cast<double>(many - few));
    }
    state.counters["sweep_ms"] = 1e3 * best;
    state.counters["bandwidth_share"] = bytes_of_sweep / best / machine;
    state.counters["limit_share"] = (bytes_of_sweep / machine + fetch) / best;  // of reading in a row, and then fetching
    state.counters["fetch_ns"] = 1e9 * fetch / static_cast<double>(links);
    state.counters["machine_gb_per_second"] = machine / 1e9;
}
BENCHMARK(value_iteration_sweeps)->ArgName("reach")->Arg(0)->Arg(4096)->Unit(benchmark::kMillisecond)->Iterations(2);

}  // namespace
