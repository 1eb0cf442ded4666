// Mean pooling straight from a table that fits no cache, beside two limits, by turns in the same run: what the machine reads from
// memory from the first byte to the last (`bandwidth_share`), and what it takes to touch every line of the same rows in their
// order, adding nothing up (`rows_share`).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/random.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/pool.hpp>

namespace {

using namespace caramel;
// Processor time: other work on the machine counts less so.
double seconds_since(std::clock_t start) { return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC; }

// Bytes a second, from the first to the last.
double read_all(std::span<const float> memory) {
    const std::clock_t start = std::clock();
    const auto* const words = reinterpret_cast<const std::uint64_t*>(memory.data());
    std::uint64_t sum[32] = {};
    for (std::size_t i = 0; i + 32 <= memory.size() / 2; i += 32)
        for (std::size_t j = 0; j < 32; ++j) sum[j] += words[i + j];
    benchmark::DoNotOptimize(sum);
    return static_cast<double>(memory.size_bytes()) / seconds_since(start);
}

double touch_rows(const embedding_table<float>& table, std::span<const token_id> ids) {
    const std::clock_t start = std::clock();
    constexpr std::size_t ahead = 8, line = 64 / sizeof(float);
    float sum = 0;
    for (std::size_t i = 0; i + ahead < ids.size(); ++i) {
        const float* const coming = table[static_cast<std::size_t>(ids[i + ahead])].data();
        const float* const row = table[static_cast<std::size_t>(ids[i])].data();
        for (std::size_t j = 0; j < table.dim(); j += line) CARAMEL_PREFETCH_FAR(coming + j);
        for (std::size_t j = 0; j < table.dim(); j += line) sum += row[j];
    }
    benchmark::DoNotOptimize(sum);
    return static_cast<double>(ids.size() * table.dim() * sizeof(float)) / seconds_since(start);
}

void embedding_gather(benchmark::State& state) {
    const auto dim = static_cast<std::size_t>(state.range(0));
    const std::size_t rows = (std::size_t{512} << 20) / sizeof(float) / dim;  // 512 MiB
    rng random(1);
    auto values = make_tensor<float, 2>({rows, dim});
    for (auto& x : values.storage()) x = static_cast<float>(random.uniform());
    token_ids texts;
    texts.vocabulary_size = rows;
    constexpr std::size_t words = 40, n = 4000;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t t = 0; t < words; ++t) texts.push_back(static_cast<token_id>(random.below(rows)));
        texts.close_row();
    }
    const bag_of_embeddings_model<float> model(embedding_table<float>(std::move(values)), pooling::mean);
    double gathered = 0, plain = 0, touched = 0;  // the best of all rounds: other work on the machine only takes away
    for (auto _ : state) {
        const std::clock_t start = std::clock();
        benchmark::DoNotOptimize(model(texts));
        gathered = std::max(gathered, static_cast<double>(words * n * dim * sizeof(float)) / seconds_since(start));
        state.PauseTiming();
        plain = std::max(plain, read_all(model.table().flat()));
        touched = std::max(touched, touch_rows(model.table(), texts.values()));
        state.ResumeTiming();
    }
    state.counters["gb_per_second"] = gathered / 1e9;
    state.counters["plain_gb_per_second"] = plain / 1e9;
    state.counters["bandwidth_share"] = gathered / plain;
    state.counters["rows_share"] = gathered / touched;
}
BENCHMARK(embedding_gather)->Arg(100)->Arg(300)->Arg(768)->Unit(benchmark::kMillisecond);

// The nearest of 100,000 words.
void embedding_nearest(benchmark::State& state) {
    rng random(1);
    const auto table = embedding_table<float>::random(100'000, 100, random);
    for (auto _ : state) benchmark::DoNotOptimize(nearest(table, token_id{5}, 10));
}
BENCHMARK(embedding_nearest)->Unit(benchmark::kMillisecond);

}  // namespace
