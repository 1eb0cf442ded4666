// Texts as weighted n-grams, and the sentiment of one review.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/random.hpp>
#include <caramel/recipes/intent.hpp>
#include <caramel/recipes/sentiment.hpp>
#include <caramel/text/tfidf.hpp>
#include <caramel/text/utf8.hpp>

namespace {

using namespace caramel;

// Words of one to four ideographs or two to nine letters, the frequent ones as frequent as in language (by rank).
struct writer {
    std::vector<std::string> words;
    explicit writer(bool chinese) {
        rng random(1);
        for (std::size_t w = 0; w < 20'000; ++w) {
            std::string word;
            for (std::size_t n = chinese ? 1 + random.below(3) : 2 + random.below(8); n-- > 0;) {
                std::string point(4, ' ');
                const double low = random.uniform();
                point.resize(
                    encode_utf8(chinese ? static_cast<char32_t>(0x4E00 + 3000 * low * low) : static_cast<char32_t>(U'a' + 26 * low * low), point.data()));
                word += point;
            }
            words.push_back(chinese ? word : word + ' ');
        }
    }
    std::string text(rng& random, std::size_t bytes, std::size_t tone) const {
        std::string out;
        while (out.size() < bytes) {
            const double u = random.uniform();
            const auto rank = static_cast<std::size_t>(20'000 * u * u * u);
            out += words[(random.below(8) == 0 ? (rank & ~std::size_t{1}) + tone : rank) % words.size()];
        }
        return out;
    }
};
struct reviews {
    std::vector<std::string> texts;
    std::vector<int> labels;
    std::size_t bytes = 0;
    reviews(bool chinese, std::size_t n, std::size_t classes) {
        const writer words(chinese);
        rng random(2);
        for (std::size_t i = 0; i < n; ++i) {
            labels.push_back(static_cast<int>(i % classes));
            texts.push_back(words.text(random, 50 + random.below(200), i % classes));
            bytes += texts.back().size();
        }
    }
};

void tfidf_learn(benchmark::State& state) {
    const reviews all(state.range(0) == 1, 10'000, 2);
    const tfidf<float> recipe{.ngrams = {{ngram_unit::characters, 1, 3}}, .min_count = 2};
    for (auto _ : state) benchmark::DoNotOptimize(recipe.fit(all.texts, fit_options{}));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(all.bytes));
}
BENCHMARK(tfidf_learn)->ArgName("chinese")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void tfidf_apply(benchmark::State& state) {
    const reviews all(state.range(0) == 1, 10'000, 2);
    const auto model = fit(tfidf<float>{.ngrams = {{ngram_unit::characters, 1, 3}}, .min_count = 2}, all.texts);
    for (auto _ : state) benchmark::DoNotOptimize(model(all.texts));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(all.bytes));
}
BENCHMARK(tfidf_apply)->ArgName("chinese")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void sentiment_learn(benchmark::State& state) {
    const reviews all(state.range(0) == 1, 10'000, 2);
    for (auto _ : state) benchmark::DoNotOptimize(fit(sentiment{}, all.texts, all.labels));
    state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(sentiment_learn)->ArgName("chinese")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void intent_learn(benchmark::State& state) {
    const reviews all(false, 10'000, 77);
    for (auto _ : state) benchmark::DoNotOptimize(fit(intent{}, all.texts, all.labels));
    state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(intent_learn)->Unit(benchmark::kMillisecond);

// Another review each time, of 200 bytes.
void sentiment_of_one(benchmark::State& state) {
    const bool chinese = state.range(0) == 1;
    const reviews all(chinese, 10'000, 2);
    const auto model = fit(sentiment{}, all.texts, all.labels);
    const writer words(chinese);
    rng random(3);
    std::vector<std::string> asked;
    for (std::size_t i = 0; i < 500; ++i) asked.push_back(words.text(random, 195, i % 2));
    workspace scratch;
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(model(std::string_view(asked[i]), scratch));
        i = i + 1 == asked.size() ? 0 : i + 1;
    }
}
BENCHMARK(sentiment_of_one)->ArgName("chinese")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

}  // namespace
