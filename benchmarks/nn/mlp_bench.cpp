// A perceptron 64-256-128-1: training by Adam on mini-batches of 256, one row, one row with sizes known to the compiler,
// and batches. `of_peak` is the share of the multiply-adds that the processor could do meanwhile (see machine_bench).
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/products.hpp>
#include <caramel/core/random.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/nn/static_mlp.hpp>

namespace {

using namespace caramel;

constexpr std::size_t inputs = 64, first = 256, second = 128;
constexpr double weights = 64 * 256 + 256 * 128 + 128;
constexpr double forward_flops = 2 * weights, train_flops = 3 * forward_flops - 2 * 64 * 256;  // nothing goes back to the inputs

// Floating point operations a second, at best.
double peak() {
    using lane = detail::lanes<float>::type;
    constexpr std::size_t chains = 16, steps = 200'000;
    lane sum[chains] = {}, row = lane{} + 1.0000001F;
    double best = 0;
    for (int turn = 0; turn < 20; ++turn) {
        const auto start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < steps; ++i)
            for (auto& s : sum) s = detail::multiply_add(1.0F, row, s);
        benchmark::DoNotOptimize(sum);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        best = std::max(best, 2.0 * chains * steps * static_cast<double>(detail::lanes<float>::count) / seconds);
    }
    return best;
}
void count(benchmark::State& state, double rows, double flops_a_row) {
    static const double limit = peak();
    state.counters["rows_per_second"] = benchmark::Counter(rows * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
    state.counters["of_peak"] = benchmark::Counter(rows * flops_a_row / limit * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

struct examples {
    matrix<float> x;
    std::vector<float> y;

    explicit examples(std::size_t rows) : x(static_cast<row_index>(rows), static_cast<row_index>(inputs)), y(rows) {
        rng random(1);
        std::vector<double> form(inputs);
        for (double& w : form) w = random.normal();
        for (std::size_t i = 0; i < rows; ++i) {
            double sum = 0;
            for (std::size_t j = 0; j < inputs; ++j) {
                const double v = random.normal();
                x(static_cast<row_index>(i), static_cast<row_index>(j)) = static_cast<float>(v);
                sum += v * form[j];
            }
            y[i] = sum > 0 ? 1.0F : 0.0F;
        }
    }
};
mlp_multilabel_model<float> train(const examples& set, std::size_t threads) {
    return fit(mlp_multilabel<float>{.hidden = {first, second}, .epochs = 1, .batch_size = 256}, set.x, set.y, {.seed = 1, .threads = threads});
}
const mlp_multilabel_model<float>& trained() {
    static const auto model = train(examples(4096), 1);
    return model;
}

void mlp_train(benchmark::State& state) {  // an epoch, with the checks of the data before it
    const examples set(65'536);
    for (auto _ : state) benchmark::DoNotOptimize(train(set, static_cast<std::size_t>(state.range(0))));
    count(state, 65'536, train_flops);
}
BENCHMARK(mlp_train)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(mlp_train)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void mlp_row(benchmark::State& state) {
    const examples set(1);
    const auto& model = trained();
    workspace scratch;
    for (auto _ : state) benchmark::DoNotOptimize(model(row_of(set.x, 0), scratch));
    count(state, 1, forward_flops);
}
BENCHMARK(mlp_row);

void mlp_static_row(benchmark::State& state) {
    const examples set(1);
    static const static_mlp<float, inputs, first, second, 1> model(trained());
    for (auto _ : state) benchmark::DoNotOptimize(model(std::span<const float, inputs>(set.x.data(), inputs)));
    count(state, 1, forward_flops);
}
BENCHMARK(mlp_static_row);

void mlp_batch(benchmark::State& state) {
    const examples set(static_cast<std::size_t>(state.range(0)));
    const auto& model = trained();
    for (auto _ : state) benchmark::DoNotOptimize(model(set.x));
    count(state, static_cast<double>(state.range(0)), forward_flops);
}
BENCHMARK(mlp_batch)->Arg(1)->Arg(16)->Arg(256)->Arg(4096);

}  // namespace
