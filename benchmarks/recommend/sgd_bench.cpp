// Stochastic gradient descent on ratings, k = 64: updates (ratings times epochs) per second of CPU time, as training does
// them. 100,000 customers x 20,000 items with 5 million ratings, some items far more popular than others; libmf needs .150 s
// for an epoch of that size on one core, not deterministic (quoted; measured on another machine).
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/random.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/sgd.hpp>

using namespace caramel;

namespace {

const interactions<float>& ratings() {
    static const auto made = [] {
        constexpr std::size_t n = 5'000'000, customers = 100'000, items = 20'000;
        rng numbers(1);
        std::vector<std::int32_t> who(n), what(n);
        std::vector<float> stars(n);
        for (std::size_t k = 0; k < n; ++k) {
            who[k] = static_cast<std::int32_t>(numbers.below(customers));
            const double u = numbers.uniform();
            what[k] = static_cast<std::int32_t>(static_cast<double>(items) * u * u);
            stars[k] = static_cast<float>(1 + numbers.below(5));
        }
        return interactions<float>({.customers = who, .items = what, .values = stars}, {.on_duplicates = duplicates::last});
    }();
    return made;
}

// Epochs alone: a fit of many epochs less one of one. (Of repetitions the best counts: --benchmark_repetitions.)
void sgd_epochs(benchmark::State& state) {
    const auto& x = ratings();
    constexpr std::size_t epochs = 6;
    const fit_options how{.threads = static_cast<std::size_t>(state.range(0))};
    const auto time_of = [&](std::size_t n) {
        const std::clock_t before = std::clock();
        benchmark::DoNotOptimize(fit(sgd_factorization<float>{.n_factors = 64, .epochs = n}, x, how));
        return static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    };
    double seconds = 0;
    for (auto _ : state) {
        const double one = time_of(1), all = time_of(1 + epochs);
        state.SetIterationTime(all - one);
        seconds += all - one;
    }
    const double updates = static_cast<double>(x.pairs() * epochs) * static_cast<double>(state.iterations());
    state.counters["updates_per_second"] = updates / seconds;
}
BENCHMARK(sgd_epochs)->Arg(1)->Arg(2)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
