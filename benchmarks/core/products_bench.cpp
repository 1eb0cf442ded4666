// The library's own products beside Eigen's, in multiply-adds a second, and one row (where Eigen sums in another order).
#include <span>

#include <benchmark/benchmark.h>

#include <caramel/core/products.hpp>
#include <caramel/core/random.hpp>

namespace {

using namespace caramel;

matrix<float> numbers(row_index rows, row_index columns) {
    rng random(1);
    matrix<float> x(rows, columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(random.normal());
    return x;
}
void count(benchmark::State& state, row_index n, row_index k, row_index m) {
    state.counters["gflops"] =
        benchmark::Counter(2e-9 * static_cast<double>(n * k * m) * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void product_ours(benchmark::State& state) {
    const auto a = numbers(state.range(0), 64), b = numbers(64, 256);
    for (auto _ : state) benchmark::DoNotOptimize(multiply<float>(a, b));
    count(state, a.rows(), 64, 256);
}
BENCHMARK(product_ours)->Arg(1)->Arg(16)->Arg(256);

void product_eigen(benchmark::State& state) {
    const auto a = numbers(state.range(0), 64), b = numbers(64, 256);
    for (auto _ : state) {
        const matrix<float> c = a * b;
        benchmark::DoNotOptimize(c.data());
    }
    count(state, a.rows(), 64, 256);
}
BENCHMARK(product_eigen)->Arg(1)->Arg(16)->Arg(256);

void product_row(benchmark::State& state) {
    const auto a = numbers(1, 64), b = numbers(64, 256);
    vec<float> out(256);
    for (auto _ : state) {
        multiply_row<float>(row_of<float>(a, 0), b, std::span<float>(out.data(), 256));
        benchmark::DoNotOptimize(out.data());
    }
    count(state, 1, 64, 256);
}
BENCHMARK(product_row);

}  // namespace
