// The peers' workload (xgboost's `hist`): 200,000 rows x 30 columns, 100 trees of depth 6; and a churn table of 5,600 rows x
// 40 columns, 200 trees of depth 3, mostly flags. One row is the latency of a single request.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/trees/boosted_trees.hpp>

namespace {

using namespace caramel;

struct examples {
    matrix<float> x;
    std::vector<int> y;
};
examples random_rows(row_index rows, row_index columns, row_index flags) {
    rng numbers(1);
    examples out{matrix<float>(rows, columns), std::vector<int>(static_cast<std::size_t>(rows))};
    for (row_index i = 0; i < rows; ++i) {
        for (row_index j = 0; j < columns; ++j) {
            const double v = numbers.normal();
            out.x(i, j) = static_cast<float>(j < columns - flags ? v : (v > 0 ? 1 : 0));
        }
        const double score = out.x(i, 0) + 0.5 * out.x(i, 1) * out.x(i, 2) + std::sin(3 * out.x(i, 3)) + 0.3 * numbers.normal();
        out.y[static_cast<std::size_t>(i)] = score > 0 ? 1 : 0;
    }
    return out;
}
const boosted_trees<float> large{.n_trees = 100, .max_depth = 6, .learning_rate = 0.3, .row_share = 1, .column_share = 1};

void trees_fit_large(benchmark::State& state) {
    const auto set = random_rows(200'000, 30, 0);
    for (auto _ : state) benchmark::DoNotOptimize(fit(large, set.x, set.y, {.threads = static_cast<std::size_t>(state.range(0))}));
}
BENCHMARK(trees_fit_large)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime()->MinTime(3);

void trees_fit_churn(benchmark::State& state) {
    const auto set = random_rows(5'600, 40, 36);
    for (auto _ : state) benchmark::DoNotOptimize(fit(boosted_trees<float>{}, set.x, set.y));
}
BENCHMARK(trees_fit_churn)->Unit(benchmark::kMillisecond);

void trees_apply(benchmark::State& state) {
    const auto set = random_rows(20'000, 30, 0);
    const auto model = fit(state.range(0) == 0 ? boosted_trees<float>{} : large, set.x, set.y);
    for (auto _ : state) benchmark::DoNotOptimize(model(set.x));
    state.SetItemsProcessed(state.iterations() * set.x.rows());
}
BENCHMARK(trees_apply)->ArgName("large")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void trees_row(benchmark::State& state) {
    const auto set = random_rows(20'000, 30, 0);
    const auto model = fit(state.range(0) == 0 ? boosted_trees<float>{} : large, set.x, set.y);
    workspace scratch;
    row_index i = 0;
    for (auto _ : state) benchmark::DoNotOptimize(model(row_of(set.x, i = i + 1 == set.x.rows() ? 0 : i + 1), scratch));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(trees_row)->ArgName("large")->Arg(0)->Arg(1);

}  // namespace
