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
        constexpr std::size_t words = 32U << 20U;  // 256 MiB, on large pages as all here
        std::vector<std::uint64_t> memory;
        detail::reserve_large(memory, words);
        memory.resize(words, 1);
        double best = 1e300;
        for (int round = 0; round < 15; ++round) {
            const double start = seconds();
            std::uint64_t total = 0;
            for (const auto x : memory) total += x;
            benchmark::DoNotOptimize(total);
            best = std::min(best, seconds() - start);
        }
        return static_cast<double>(memory.size() * sizeof(std::uint64_t)) / best;
    }();
    return found;
}

// Where branches lead: on a lattice of 1000 x 1000 to a neighbour, as on FrozenLake's slippery ice; or anywhere.
enum { lattice, anywhere };
std::uint32_t next_of(rng& numbers, std::size_t state, std::size_t way, std::int64_t where) {
    if (where == anywhere) return static_cast<std::uint32_t>(numbers.below(states));
    constexpr std::size_t side = 1000;
    const std::size_t row = state / side, column = state % side;
    if (way == 0) return static_cast<std::uint32_t>(column > 0 ? state - 1 : state);
    if (way == 1) return static_cast<std::uint32_t>(row + 1 < side ? state + side : state);
    if (way == 2) return static_cast<std::uint32_t>(column + 1 < side ? state + 1 : state);
    return static_cast<std::uint32_t>(row > 0 ? state - side : state);
}

// The values alone, fetched as the sweep does.
double fetch_seconds(std::int64_t where) {
    std::vector<std::uint32_t> next;
    std::vector<double> v;
    detail::reserve_large(next, links);
    detail::reserve_large(v, states);
    v.resize(states, 1.0);
    rng numbers(1);
    for (std::size_t k = 0; k < links; ++k) next.push_back(next_of(numbers, k / (actions * branches), (k / branches + k % branches) % 4, where));
    double best = 1e300;
    for (int round = 0; round < 15; ++round) {
        const double start = seconds();
        double sum[4] = {};
        for (std::size_t k = 0; k + 256 < links; k += 4)
            for (std::size_t j = 0; j < 4; ++j) {
                if (where == anywhere) CARAMEL_PREFETCH_FAR(v.data() + next[k + j + 240]);
                sum[j] += v[next[k + j]];
            }
        double total = sum[0] + sum[1] + sum[2] + sum[3];
        benchmark::DoNotOptimize(total);
        best = std::min(best, seconds() - start);
    }
    return best;
}

void value_iteration_sweeps(benchmark::State& state) {
    const std::int64_t where = state.range(0);
    const double fetch = fetch_seconds(where), machine = machine_bytes_per_second();
    // As value_iteration makes them of a process; fifty sweeps a time, with all that goes on between them.
    detail::exact::backups rows;
    detail::reserve_large(rows.next, links);
    detail::reserve_large(rows.weight, links);
    detail::reserve_large(rows.reward, pairs);
    std::vector<std::size_t> starts;
    rng numbers(1);
    for (std::size_t s = 0; s < states; ++s) {
        starts.push_back(s * actions);
        for (std::size_t a = 0; a < actions; ++a) {
            rows.open();
            rows.reward.back() = numbers.uniform();
            for (std::size_t b = 0; b < branches; ++b) {
                rows.next.push_back(next_of(numbers, s, (a + b) % 4, where));
                rows.weight.push_back(.3);
            }
            rows.close();
        }
    }
    starts.push_back(pairs);
    const auto sweep = detail::exact::best_row_sweep(rows, starts);
    std::vector<double> v;
    detail::reserve_large(v, states);
    v.resize(states, 0.0);
    constexpr std::size_t rounds = 50;
    double best = 1e300;
    for (auto _ : state) {
        const double start = seconds();
        try {
            (void)detail::exact::sweep_until_still(v, sweep, {.discount = .9, .tolerance = 0, .max_rounds = rounds}, {}, "bench");
        } catch (const error&) {  // not still yet, as meant
        }
        best = std::min(best, (seconds() - start) / rounds);
    }
    benchmark::DoNotOptimize(v.data());
    state.counters["sweep_ms"] = 1e3 * best;
    state.counters["bandwidth_share"] = bytes_of_sweep / best / machine;
    state.counters["limit_share"] = (bytes_of_sweep / machine + fetch) / best;  // over reading all that in a row, and then fetching
    state.counters["fetch_ns"] = 1e9 * fetch / static_cast<double>(links);
    state.counters["machine_gb_per_second"] = machine / 1e9;
}
BENCHMARK(value_iteration_sweeps)->ArgName("anywhere")->Arg(lattice)->Arg(anywhere)->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace
