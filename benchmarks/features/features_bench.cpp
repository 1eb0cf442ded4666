// Rows a second of what stands between a table and a model, beside what the memory of the machine allows: `memory_copy`
// reads and writes the same matrix. Matrices have 32 columns of float; tables two numbers, a category of 20 levels, one of
// 10,000 and a timestamp. bytes_per_second counts what is read and written of matrices.
#include <chrono>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/random.hpp>
#include <caramel/features/bucketize.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/concat.hpp>
#include <caramel/features/date_parts.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/hash_columns.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/moments.hpp>
#include <caramel/features/polynomial.hpp>
#include <caramel/features/power_transform.hpp>
#include <caramel/features/quantile_transform.hpp>
#include <caramel/features/scale.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/features/target_encode.hpp>

namespace {

using namespace caramel;

constexpr row_index matrix_rows = 100'000, matrix_columns = 32;
constexpr std::size_t table_rows = 100'000;

const matrix<float>& numbers() {
    static const matrix<float> all = [] {
        rng random(1);
        matrix<float> x(matrix_rows, matrix_columns);
        for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(random.normal());
        return x;
    }();
    return all;
}
const std::vector<int>& labels() {
    static const std::vector<int> all = [] {
        rng random(2);
        std::vector<int> y(table_rows);
        for (auto& label : y) label = static_cast<int>(random.below(2));
        return y;
    }();
    return all;
}
const table& customers() {
    static const table all = [] {
        rng random(3);
        std::vector<double> tenure(table_rows), spend(table_rows);
        std::vector<std::string> plan(table_rows), city(table_rows);
        std::vector<std::chrono::sys_seconds> joined(table_rows);
        std::vector<bool> missing(table_rows);
        for (std::size_t i = 0; i < table_rows; ++i) {
            tenure[i] = random.normal();
            spend[i] = random.normal();
            plan[i] = "plan " + std::to_string(random.below(20));
            city[i] = "city " + std::to_string(random.below(10'000));
            joined[i] += std::chrono::seconds(random.below(2'000'000'000));
            missing[i] = random.below(20) == 0;
        }
        table x;
        x.add_column("tenure", std::move(tenure), missing);
        x.add_column("spend", std::move(spend));
        x.add_column("plan", std::move(plan));
        x.add_column("city", std::move(city));
        x.add_column("joined", std::move(joined));
        return x;
    }();
    return all;
}
table of_columns(const std::vector<std::string>& names) { return customers().take_columns(names); }

void memory_copy(benchmark::State& state) {
    const auto& x = numbers();
    for (auto _ : state) {
        matrix<float> out(x.rows(), x.cols());  // as a stage does: its memory is new
        std::memcpy(out.data(), x.data(), static_cast<std::size_t>(x.size()) * sizeof(float));
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(state.iterations() * x.rows());
    state.SetBytesProcessed(state.iterations() * 2 * x.size() * static_cast<std::int64_t>(sizeof(float)));
}
BENCHMARK(memory_copy)->Unit(benchmark::kMillisecond);

template <class Recipe>
void learn(benchmark::State& state, const Recipe& recipe) {
    for (auto _ : state) benchmark::DoNotOptimize(fit(recipe, numbers()));
    state.SetItemsProcessed(state.iterations() * matrix_rows);
    state.SetBytesProcessed(state.iterations() * numbers().size() * static_cast<std::int64_t>(sizeof(float)));
}
template <class Recipe>
void transform(benchmark::State& state, const Recipe& recipe) {
    const auto model = fit(recipe, numbers());
    row_index width = 0;
    for (auto _ : state) {
        const matrix<float> out = model(numbers());
        benchmark::DoNotOptimize(out.data());
        width = out.cols();
    }
    state.SetItemsProcessed(state.iterations() * matrix_rows);
    state.SetBytesProcessed(state.iterations() * matrix_rows * (matrix_columns + width) * static_cast<std::int64_t>(sizeof(float)));
}
BENCHMARK_CAPTURE(learn, standardize, standardize<float>{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(learn, robust_scale, robust_scale<float>{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(learn, min_max_scale, min_max_scale<float>{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(learn, quantile_transform, quantile_transform<float>{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(learn, bucketize, bucketize<float>{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(transform, standardize, standardize<float>{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(transform, robust_scale, robust_scale<float>{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(transform, quantile_transform, quantile_transform<float>{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(transform, power_transform, power_transform<float>{.power = 0.5})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(transform, bucketize, bucketize<float>{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(transform, polynomial, polynomial<float>{})->Unit(benchmark::kMillisecond);

void observe_moments(benchmark::State& state) {
    for (auto _ : state) {
        standardize_learner<float> learner(matrix_columns);
        for (row_index i = 0; i < matrix_rows; i += 1000) learner.observe(numbers().middleRows(i, 1000));
        benchmark::DoNotOptimize(learner.snapshot());
    }
    state.SetItemsProcessed(state.iterations() * matrix_rows);
}
BENCHMARK(observe_moments)->Unit(benchmark::kMillisecond);

template <class Recipe>
void table_transform(benchmark::State& state, const Recipe& recipe, const std::vector<std::string>& names) {
    const table x = of_columns(names);
    const auto model = fit(recipe, x);
    for (auto _ : state) benchmark::DoNotOptimize(model(x));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(table_rows));
}
const std::vector<std::string> numbers_and_plan{"tenure", "spend", "plan"}, cities{"city"}, times{"joined"};
BENCHMARK_CAPTURE(table_transform, impute, impute{}, numbers_and_plan)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(table_transform, impute_encode, impute{} | encode<float>{}, numbers_and_plan)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(table_transform, ordinal_encode, ordinal_encode<float>{.max_levels = 10'000}, cities)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(table_transform, hash_columns, hash_columns<float>{.features = 64}, cities)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(table_transform, date_parts, date_parts{}, times)->Unit(benchmark::kMillisecond);

void target_encode_learn(benchmark::State& state) {
    const table x = of_columns(cities);
    for (auto _ : state) benchmark::DoNotOptimize(target_encode<float>{}.fit_transform(x, labels(), {}));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(table_rows));
}
BENCHMARK(target_encode_learn)->Unit(benchmark::kMillisecond);

// One customer through a whole chain: the latency of a single request.
void chain_row(benchmark::State& state) {
    const table x = of_columns({"tenure", "spend", "plan", "city"});
    const auto model = fit(concat(numbers_only{} | impute{} | encode<float>{} | standardize<float>{}, columns({"plan"}) | encode<float>{},
                                  columns({"city"}) | target_encode<float>{}),
                           x, labels());
    workspace scratch, place;
    const table_row row = row_of(x, 7, place);
    for (auto _ : state) benchmark::DoNotOptimize(model(row, scratch));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(chain_row);

}  // namespace
