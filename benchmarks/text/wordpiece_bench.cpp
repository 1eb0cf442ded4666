// WordPiece: ids and offsets, bytes of text a second. Texts and vocabulary are made up: words with Zipf's frequencies, three in
// four of them whole in the vocabulary, and Chinese characters. benchmarks/compare/tokenizers.sh measures real ones beside
// Hugging Face's library. The limit is reading the text once: `utf8_check`.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/random.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/text/wordpiece_fit.hpp>

using namespace caramel;

namespace {

std::string sign(std::size_t i) {
    char bytes[4];
    return {bytes, encode_utf8(static_cast<char32_t>(0x4E00 + i), bytes)};
}
struct task {
    std::vector<std::string> texts;
    std::size_t bytes = 0;
    wordpiece_model model;
};
enum language { english, chinese };

task make_task(language of, std::size_t texts) {
    rng numbers(1);
    std::vector<std::string> tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "!", ",", "?"}, words;
    for (char c = 'a'; c <= 'z'; ++c) tokens.push_back(std::string(1, c));
    for (char c = 'a'; c <= 'z'; ++c) tokens.push_back(std::string("##") + c);
    if (of == chinese) {
        for (std::size_t i = 0; i < 6'000; ++i) words.push_back(sign(i));
        tokens.insert(tokens.end(), words.begin(), words.end());
    } else {
        for (std::size_t i = 0; i < 20'000; ++i) {
            words.push_back("q");  // none is in the vocabulary by chance
            for (std::size_t n = i % 6 + 1, rest = i / 6; n > 0; --n, rest /= 17) words.back() += static_cast<char>('a' + (rest + n) % 17);
            words.back() += static_cast<char>('a' + i % 26);
        }
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        numbers.shuffle(std::span(words));
        for (std::size_t i = 0; i < words.size(); ++i)
            if (i % 4 != 3) tokens.push_back(words[i]);
    }
    task out{{}, 0, make_wordpiece(vocabulary(std::move(tokens)))};
    for (std::size_t t = 0; t < texts; ++t) {
        std::string text;
        for (std::size_t n = 12; n > 0; --n) {
            const double u = numbers.uniform();
            text += words[static_cast<std::size_t>(static_cast<double>(words.size()) * u * u * u)];
            if (of == english) text += n > 1 ? " " : "?";
        }
        out.bytes += text.size();
        out.texts.push_back(std::move(text));
    }
    return out;
}
void set_bytes(benchmark::State& state, std::size_t bytes) { state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes)); }

}  // namespace

static void wordpiece_batch(benchmark::State& state) {
    const task t = make_task(static_cast<language>(state.range(0)), 10'000);
    for (auto _ : state) benchmark::DoNotOptimize(t.model.encode_batch(t.texts, t.model.defaults(), {.threads = static_cast<std::size_t>(state.range(1))}));
    set_bytes(state, t.bytes);
}
BENCHMARK(wordpiece_batch)->ArgNames({"chinese", "threads"})->Args({english, 1})->Args({chinese, 1})->Args({english, 2})->Args({chinese, 2})->UseRealTime();

static void wordpiece_one_text(benchmark::State& state) {  // the latency of a request
    const task t = make_task(static_cast<language>(state.range(0)), 100);
    workspace scratch;
    std::size_t i = 0;
    for (auto _ : state) benchmark::DoNotOptimize(t.model.encode(t.texts[i++ % t.texts.size()], scratch));
    set_bytes(state, t.bytes / t.texts.size());
}
BENCHMARK(wordpiece_one_text)->ArgName("chinese")->Arg(english)->Arg(chinese);

static void wordpiece_long_word(benchmark::State& state) {
    const task t = make_task(english, 0);
    const std::string text(static_cast<std::size_t>(state.range(0)), 'a');
    for (auto _ : state) benchmark::DoNotOptimize(t.model.encode(text));
    set_bytes(state, text.size());
}
BENCHMARK(wordpiece_long_word)->Arg(1'000)->Arg(10'000'000);

static void wordpiece_make_model(benchmark::State& state) {
    const vocabulary words = make_task(english, 0).model.words();
    for (auto _ : state) benchmark::DoNotOptimize(make_wordpiece(words));
}
BENCHMARK(wordpiece_make_model)->Unit(benchmark::kMillisecond);

static void wordpiece_learn(benchmark::State& state) {
    const task t = make_task(english, 10'000);
    for (auto _ : state) benchmark::DoNotOptimize(wordpiece{.vocabulary_size = 5'000}.fit(t.texts, {}));
    set_bytes(state, t.bytes);
}
BENCHMARK(wordpiece_learn)->Unit(benchmark::kMillisecond);

static void utf8_check(benchmark::State& state) {
    const task t = make_task(static_cast<language>(state.range(0)), 10'000);
    for (auto _ : state)
        for (const std::string& text : t.texts) benchmark::DoNotOptimize(find_bad_utf8(text));
    set_bytes(state, t.bytes);
}
BENCHMARK(utf8_check)->ArgName("chinese")->Arg(english)->Arg(chinese);
