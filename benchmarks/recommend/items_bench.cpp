// Models between items: the 20 nearest items by cosine on 100,000 customers x 20,000 items with 5 million pairs (the lengths
// of rows as in benchmarks/compare/items.sh, whose scipy multiplies the same table), and EASE with 4,000 items.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/random.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/ease.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/rp3beta.hpp>

namespace {

using namespace caramel;

id_table numbered(std::size_t n) {
    std::vector<std::int64_t> ids(n);
    for (std::size_t i = 0; i < n; ++i) ids[i] = static_cast<std::int64_t>(i);
    return id_table({}, std::move(ids));
}

// Lengths of rows are log-normal with a deviation of 1, as in a shop; item i is drawn in proportion to (i + 1)^-0.5.
interactions<float> made(std::size_t customers, std::size_t items, double mean_length) {
    rng random(1);
    std::vector<std::int64_t> starts{0};
    std::vector<std::int32_t> bought;
    std::vector<unsigned char> has(items);
    for (std::size_t c = 0; c < customers; ++c) {
        const double length = std::exp(std::log(mean_length) - 0.5 + random.normal());
        const auto wanted = std::clamp<std::size_t>(static_cast<std::size_t>(length + 0.5), 1, items / 4);
        const std::size_t first = bought.size();
        while (bought.size() - first < wanted) {
            const double u = random.uniform();
            const auto item = static_cast<std::size_t>(u * u * static_cast<double>(items));
            if (has[item] != 0) continue;
            has[item] = 1;
            bought.push_back(static_cast<std::int32_t>(item));
        }
        const auto mine = std::span(bought).subspan(first);
        std::ranges::sort(mine);
        for (const auto item : mine) has[static_cast<std::size_t>(item)] = 0;
        starts.push_back(static_cast<std::int64_t>(bought.size()));
    }
    std::vector<float> values(bought.size(), 1.0F);
    return {numbered(customers), numbered(items), std::move(starts), std::move(bought), std::move(values), {}};
}

const interactions<float>& large() {
    static const auto x = made(100'000, 20'000, 50);
    return x;
}
double pair_products(const interactions<float>& x) {
    double sum = 0;
    for (std::size_t row = 0; row < x.rows(); ++row) sum += static_cast<double>(x[row].size()) * static_cast<double>(x[row].size());
    return sum;
}

template <class Recipe>
void fit_large(benchmark::State& state, const Recipe& recipe) {
    const auto& x = large();
    for (auto _ : state) benchmark::DoNotOptimize(fit(recipe, x).neighbors_of(0).data());
    state.counters["million_pairs"] = static_cast<double>(x.pairs()) / 1e6;
    state.counters["million_products"] = pair_products(x) / 1e6;
}
void item_cosine(benchmark::State& state) { fit_large(state, item_neighbors<float>{.k = 20}); }
void item_bm25(benchmark::State& state) { fit_large(state, item_neighbors<float>{.k = 20, .similarity = neighbor_similarity::bm25}); }
void random_walk(benchmark::State& state) { fit_large(state, rp3beta<float>{.k = 20}); }

void ease_4000(benchmark::State& state) {
    const auto x = made(20'000, 4'000, 25);
    for (auto _ : state) benchmark::DoNotOptimize(fit(ease<float>{}, x).item_weights().data());
    state.counters["million_pairs"] = static_cast<double>(x.pairs()) / 1e6;
}

BENCHMARK(item_cosine)->Unit(benchmark::kSecond)->Iterations(1);
BENCHMARK(item_bm25)->Unit(benchmark::kSecond)->Iterations(1);
BENCHMARK(random_walk)->Unit(benchmark::kSecond)->Iterations(1);
BENCHMARK(ease_4000)->Unit(benchmark::kSecond)->Iterations(1);

}  // namespace
