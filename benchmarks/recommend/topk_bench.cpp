// Ten of a million items by the products of 64 factors: beside one pass over the same memory, for one customer and for a
// batch, in random order and in the worst (ascending scores, where each item is better than all before it).
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/matrix.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/recommend/factor_scan.hpp>

namespace {

using namespace caramel;
constexpr std::size_t n_items = 1'000'000, depth = 64, n_best = 10;

matrix<float> random_rows(std::size_t rows, std::uint64_t seed) {
    rng numbers(seed);
    matrix<float> out(static_cast<row_index>(rows), static_cast<row_index>(depth));
    for (float& x : std::span(out.data(), rows * depth)) x = static_cast<float>(numbers.uniform() - 0.5);
    return out;
}
const matrix<float>& items() {
    static const matrix<float> rows = random_rows(n_items, 1);
    return rows;
}
// Scores that rise from the first item to the last: the first factor counts up, the others stay as they are.
const matrix<float>& ascending_items() {
    static const matrix<float> rows = [] {
        matrix<float> out = items();
        for (std::size_t i = 0; i < n_items; ++i) out(static_cast<row_index>(i), 0) = static_cast<float>(i);
        return out;
    }();
    return rows;
}

void read_all(benchmark::State& state) {  // the limit
    const auto& rows = items();
    using lane = detail::lanes<float>::type;
    constexpr std::size_t width = detail::lanes<float>::count;
    for (auto _ : state) {
        lane sum[8] = {};
        for (std::size_t i = 0; i < n_items * depth; i += 8 * width)
            for (std::size_t j = 0; j < 8; ++j) {
                lane x;
                std::memcpy(&x, rows.data() + i + j * width, sizeof x);
                sum[j] = sum[j] + x;
            }
        benchmark::DoNotOptimize(sum);
    }
    const double bytes = static_cast<double>(n_items * depth * sizeof(float));
    state.counters["gb_per_second"] = benchmark::Counter(bytes * static_cast<double>(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}
BENCHMARK(read_all)->Unit(benchmark::kMillisecond);

void one(benchmark::State& state, const matrix<float>& rows, const std::vector<float>& x) {
    workspace scratch;
    for (auto _ : state) {
        const workspace::frame frame(scratch);
        detail::best_so_far<float> best;
        best.begin(n_best, {}, scratch);
        detail::scan_products<float>(rows, x, best, scratch);
        auto found = best.finish();
        benchmark::DoNotOptimize(found.data());
    }
}
void one_customer(benchmark::State& state) {
    const auto x = random_rows(1, 2);
    one(state, items(), {x.data(), x.data() + depth});
}
BENCHMARK(one_customer)->Unit(benchmark::kMillisecond);
void one_customer_worst_order(benchmark::State& state) {
    std::vector<float> x(depth);
    x[0] = 1;
    one(state, ascending_items(), x);
}
BENCHMARK(one_customer_worst_order)->Unit(benchmark::kMillisecond);

void batch(benchmark::State& state) {
    const auto queries = static_cast<std::size_t>(state.range(0));
    const auto x = random_rows(queries, 3);
    workspace scratch;
    for (auto _ : state) {
        const workspace::frame frame(scratch);
        std::vector<detail::best_so_far<float>> best(queries);
        for (auto& one : best) one.begin(n_best, {}, scratch);
        detail::scan_products<float>(items(), x, best, scratch);
        for (auto& one : best) benchmark::DoNotOptimize(one.finish().data());
    }
    state.counters["queries"] = benchmark::Counter(static_cast<double>(queries) * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(batch)->Arg(8)->Arg(128)->Unit(benchmark::kMillisecond);

}  // namespace
