// One row is the latency of a single request; 100,000 rows are a nightly batch.
#include <benchmark/benchmark.h>

#include <caramel/core/random.hpp>
#include <caramel/features/standardize.hpp>

namespace {

using namespace caramel;

matrix<float> random_rows(row_index rows) {
    rng numbers(1);
    matrix<float> x(rows, 32);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(numbers.normal());
    return x;
}

void standardize_apply(benchmark::State& state) {
    const auto x = random_rows(state.range(0));
    const auto model = fit(standardize<float>{}, x);
    for (auto _ : state) benchmark::DoNotOptimize(model(x));
    state.SetItemsProcessed(state.iterations() * x.rows());
}
BENCHMARK(standardize_apply)->Arg(1)->Arg(1'000)->Arg(100'000);

void standardize_row(benchmark::State& state) {
    const auto x = random_rows(1);
    const auto model = fit(standardize<float>{} | standardize<float>{}, x);
    workspace scratch;
    for (auto _ : state) benchmark::DoNotOptimize(model(row_of<float>(x, 0), scratch));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(standardize_row);

}  // namespace
