// The machine's own limits, measured in the same run as everything that is compared with them: multiply-adds a second
// and bytes read a second, on one thread.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/products.hpp>

namespace {

using lane = caramel::detail::lanes<float>::type;

void machine_gflops(benchmark::State& state) {
    constexpr std::size_t chains = 16, steps = 4096;  // enough independent sums to hide the latency of one
    lane sum[chains] = {};
    lane factor = lane{} + 1.0000001F;
    for (auto _ : state) {
        for (std::size_t i = 0; i < steps; ++i)
            for (auto& s : sum) s = s * factor + factor;
        benchmark::DoNotOptimize(sum);
    }
    const double flops = 2.0 * static_cast<double>(chains * steps * caramel::detail::lanes<float>::count);
    state.counters["gflops"] = benchmark::Counter(flops * static_cast<double>(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}
BENCHMARK(machine_gflops);

void machine_read(benchmark::State& state) {
    const std::vector<std::uint64_t> memory(32U << 20, 1);  // 256 MiB: far larger than any cache
    for (auto _ : state) {
        std::uint64_t sum[8] = {};
        for (std::size_t i = 0; i < memory.size(); i += 8)
            for (std::size_t j = 0; j < 8; ++j) sum[j] += memory[i + j];
        benchmark::DoNotOptimize(sum);
    }
    const double bytes = static_cast<double>(memory.size() * sizeof(std::uint64_t));
    state.counters["gb_per_second"] = benchmark::Counter(bytes * static_cast<double>(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}
BENCHMARK(machine_read)->Unit(benchmark::kMillisecond);

}  // namespace
