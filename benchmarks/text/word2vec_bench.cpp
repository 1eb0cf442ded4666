// Word vectors, words a second: Zipf's law over 50,000 words, lines of 20 words, 100 dimensions, window 5, 5 negatives,
// subsampling 1e-3. Beside gensim and fastText: benchmarks/compare/word2vec.sh.
#include <algorithm>
#include <cstddef>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/random.hpp>
#include <caramel/text/word2vec.hpp>

namespace {

using namespace caramel;

const token_ids& corpus() {
    static const token_ids made = [] {
        constexpr std::size_t words = 1'000'000, vocabulary = 50'000;
        rng random(7);
        std::vector<double> sums(vocabulary);
        double total = 0;
        for (std::size_t i = 0; i < vocabulary; ++i) sums[i] = total += 1.0 / static_cast<double>(i + 1);
        token_ids out;
        out.vocabulary_size = vocabulary + 1;
        for (std::size_t i = 0; i < words; ++i) {
            const auto at = std::ranges::lower_bound(sums, random.uniform() * total) - sums.begin();
            out.push_back(static_cast<token_id>(1 + std::min<std::ptrdiff_t>(at, vocabulary - 1)));
            if (i % 20 == 19) out.close_row();
        }
        return out;
    }();
    return made;
}

void train(benchmark::State& state, const word2vec<float>& recipe) {
    const token_ids& tokens = corpus();
    for (auto _ : state) benchmark::DoNotOptimize(fit(recipe, tokens, {.threads = static_cast<std::size_t>(state.range(0))}));
    state.counters["words_per_second"] =
        benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(tokens.values().size()), benchmark::Counter::kIsRate);
}
void word2vec_skip_gram(benchmark::State& state) { train(state, {.epochs = 1}); }
void word2vec_cbow(benchmark::State& state) { train(state, {.mode = word2vec_mode::cbow, .epochs = 1}); }
BENCHMARK(word2vec_skip_gram)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
BENCHMARK(word2vec_cbow)->Arg(1)->Unit(benchmark::kMillisecond);

// One window: six words against the word in its middle and five others.
void word2vec_step(benchmark::State& state) {
    constexpr std::size_t stride = 112;
    std::vector<float> rows(13 * stride, .01F), slopes(64);
    float* inputs[6];
    float* outputs[6];
    for (std::size_t i = 0; i < 6; ++i) {
        inputs[i] = rows.data() + i * stride;
        outputs[i] = rows.data() + (6 + i) * stride;
    }
    const float wanted[8] = {1}, rates[8] = {1e-6F, 1e-6F, 1e-6F, 1e-6F, 1e-6F, 1e-6F};
    auto* const step = detail::fastest_negative_sampling_step<float>();
    for (auto _ : state) {
        step(inputs, 6, outputs, wanted, rates, stride, slopes.data());
        benchmark::ClobberMemory();
    }
}
BENCHMARK(word2vec_step);

}  // namespace
