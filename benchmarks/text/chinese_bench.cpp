// Chinese segmentation with jieba's dictionary and model (Debian: python3-jieba), on texts of words drawn from the dictionary by their
// counts, with what its words never hold between them; beside it one pass that only checks the UTF-8. For real reviews and for jieba
// itself see benchmarks/compare/jieba.sh.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/apply.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/text/chinese.hpp>
#include <caramel/text/chinese_dictionary.hpp>

namespace {

using namespace caramel;

std::string folder() {
    const char* const named = std::getenv("CARAMEL_JIEBA");
    return named != nullptr ? named : "/usr/lib/python3/dist-packages/jieba";
}
// Null where jieba is not installed.
const chinese_segmenter* segmenter(benchmark::State& state) {
    static const auto found = []() -> const chinese_segmenter* {
        try {
            return new chinese_segmenter(read_chinese_segmenter(folder()));
        } catch (const error&) {
            return nullptr;
        }
    }();
    if (found == nullptr) state.SkipWithError("jieba's dictionary is not on this machine (apt-get install python3-jieba)");
    return found;
}
// Texts of 40 words.
std::vector<std::string> reviews(const chinese_dictionary& dictionary, std::size_t n) {
    const auto& [words, counts, total, taken_out] = dictionary.fields();
    std::vector<std::string_view> known;
    std::vector<std::uint64_t> ends;
    std::uint64_t sum = 0;
    for (std::size_t begin = 0, i = 0; begin < words.size(); ++i) {
        const std::size_t end = words.find('\n', begin);
        known.push_back(std::string_view(words).substr(begin, end - begin));
        ends.push_back(sum += counts[i]);
        begin = end + 1;
    }
    rng random(1);
    std::vector<std::string> out(n);
    for (auto& text : out)
        for (int i = 0; i < 40; ++i) {
            text += known[static_cast<std::size_t>(std::ranges::upper_bound(ends, random.below(sum)) - ends.begin())];
            if (random.below(8) == 0) text += random.below(4) == 0 ? "ok 12.5%" : random.below(2) == 0 ? "，" : "。";
        }
    return out;
}
std::int64_t bytes_of(const std::vector<std::string>& texts) {
    std::size_t bytes = 0;
    for (const auto& text : texts) bytes += text.size();
    return static_cast<std::int64_t>(bytes);
}

void chinese_utf8(benchmark::State& state) {
    const auto* const s = segmenter(state);
    if (s == nullptr) return;
    const auto texts = reviews(s->dictionary(), 20'000);
    for (auto _ : state)
        for (const auto& text : texts) benchmark::DoNotOptimize(find_bad_utf8(text));
    state.SetBytesProcessed(state.iterations() * bytes_of(texts));
}
BENCHMARK(chinese_utf8)->Unit(benchmark::kMillisecond);

template <chinese_mode Mode, bool Hmm>
void chinese_split(benchmark::State& state) {
    const auto* const s = segmenter(state);
    if (s == nullptr) return;
    const auto texts = reviews(s->dictionary(), 20'000);
    workspace scratch;
    for (auto _ : state) {
        std::size_t words = 0;
        for (const auto& text : texts) s->split(text, [&](std::size_t, std::size_t) { ++words; }, {.mode = Mode, .hmm = Hmm}, scratch);
        benchmark::DoNotOptimize(words);
    }
    state.SetBytesProcessed(state.iterations() * bytes_of(texts));
}
BENCHMARK(chinese_split<chinese_mode::words, true>)->Unit(benchmark::kMillisecond);
BENCHMARK(chinese_split<chinese_mode::words, false>)->Unit(benchmark::kMillisecond);
BENCHMARK(chinese_split<chinese_mode::search, true>)->Unit(benchmark::kMillisecond);
BENCHMARK(chinese_split<chinese_mode::full, false>)->Unit(benchmark::kMillisecond);

void chinese_ids(benchmark::State& state) {  // token ids on several threads
    const auto* const s = segmenter(state);
    if (s == nullptr) return;
    const auto texts = reviews(s->dictionary(), 20'000);
    const auto model = fit(chinese_tokenizer{.segmenter = *s}, texts);
    for (auto _ : state) benchmark::DoNotOptimize(apply(model, texts, {.threads = static_cast<std::size_t>(state.range(0))}));
    state.SetBytesProcessed(state.iterations() * bytes_of(texts));
}
BENCHMARK(chinese_ids)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

void chinese_read(benchmark::State& state) {
    if (segmenter(state) == nullptr) return;
    for (auto _ : state) benchmark::DoNotOptimize(read_chinese_dictionary(folder() + "/dict.txt"));
}
BENCHMARK(chinese_read)->Unit(benchmark::kMillisecond);

}  // namespace
