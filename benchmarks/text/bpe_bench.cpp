// Byte pair encoding: ids and offsets, English and Chinese; beside it one pass over the bytes, which nothing that reads them
// can beat. With CARAMEL_SHARED real reviews and questions and GPT-2's vocabulary, else texts and merges that are made up.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/text/bpe.hpp>
#include <caramel/text/bpe_json.hpp>

namespace {

using namespace caramel;
using strings = std::vector<std::string>;

std::filesystem::path shared() {
    const char* const named = std::getenv("CARAMEL_SHARED");
    return std::filesystem::path(named != nullptr ? named : "../shared") / "data";
}
strings second_column(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    strings out;
    for (std::string line; std::getline(in, line);)
        if (const std::size_t tab = line.find('\t'); tab != std::string::npos) out.push_back(line.substr(tab + 1));
    return out;
}
// Words, or signs, of which the first are the most frequent.
strings made_up(bool chinese) {
    rng numbers(1);
    strings words, out(10'000);
    for (std::size_t i = 0; i < 5'000; ++i) {
        std::string word;
        for (std::size_t n = chinese ? 1 : 2 + numbers.below(8); n > 0; --n) {
            char bytes[4];
            word.append(bytes, encode_utf8(static_cast<char32_t>(chinese ? 0x4E00 + i : U'a' + numbers.below(26)), bytes));
        }
        words.push_back(word);
    }
    for (auto& text : out)
        for (std::size_t n = 8 + numbers.below(20); n > 0; --n) {
            text += words[static_cast<std::size_t>(5'000 * numbers.uniform() * numbers.uniform() * numbers.uniform())];
            if (!chinese && n > 1) text += numbers.below(9) == 0 ? ", " : " ";
        }
    return out;
}
const strings& texts(bool chinese) {
    static const strings both[2] = {second_column(shared() / "banking77/train.tsv"), second_column(shared() / "waimai_10k/waimai_10k.tsv")};
    static const strings other[2] = {made_up(false), made_up(true)};
    return both[0].empty() || both[1].empty() ? other[chinese] : both[chinese];
}
const bpe_model& model() {
    static const bpe_model m = [] {
        const auto vocabs = shared() / "vocabs";
        if (std::filesystem::exists(vocabs / "gpt2-vocab.bpe")) return read_bpe(vocabs / "gpt2-encoder.json", vocabs / "gpt2-vocab.bpe");
        strings all = texts(false);
        all.insert(all.end(), texts(true).begin(), texts(true).end());
        return fit(bpe{.vocabulary_size = 20'000}, all);
    }();
    return m;
}
std::int64_t bytes_of(const strings& all) {
    std::size_t bytes = 0;
    for (const auto& text : all) bytes += text.size();
    return static_cast<std::int64_t>(bytes);
}

void bpe_bytes(benchmark::State& state) {
    const strings& all = texts(state.range(0) != 0);
    for (auto _ : state) {
        std::size_t spaces = 0;
        for (const auto& text : all)
            for (const char *p = text.data(), *const end = p + text.size(); (p = static_cast<const char*>(std::memchr(p, ' ', static_cast<std::size_t>(end - p)))); ++p)
                ++spaces;
        benchmark::DoNotOptimize(spaces);
    }
    state.SetBytesProcessed(state.iterations() * bytes_of(all));
}
BENCHMARK(bpe_bytes)->ArgName("chinese")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void bpe_ids(benchmark::State& state) {  // one text after the other, in a workspace
    const strings& all = texts(state.range(0) != 0);
    workspace scratch;
    for (auto _ : state)
        for (const auto& text : all) benchmark::DoNotOptimize(model()(text, scratch).data());
    state.SetBytesProcessed(state.iterations() * bytes_of(all));
}
BENCHMARK(bpe_ids)->ArgName("chinese")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void bpe_batch(benchmark::State& state) {  // ids and offsets
    const strings& all = texts(state.range(0) != 0);
    const bpe_model& bpe_of_texts = model();  // learnt before the clock runs
    for (auto _ : state) benchmark::DoNotOptimize(bpe_of_texts.encode_batch(all, {}, {.threads = static_cast<std::size_t>(state.range(1))}));
    state.SetBytesProcessed(state.iterations() * bytes_of(all));
}
BENCHMARK(bpe_batch)->ArgNames({"chinese", "threads"})->Args({0, 1})->Args({1, 1})->Args({0, 2})->Args({1, 2})->Unit(benchmark::kMillisecond)->UseRealTime();

void bpe_without_spaces(benchmark::State& state) {  // bytes of one word
    rng numbers(1);
    std::string text(static_cast<std::size_t>(state.range(0)), 'a');
    for (char& c : text) c = static_cast<char>('a' + numbers.below(26));
    for (auto _ : state) benchmark::DoNotOptimize(model()(text));
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bpe_without_spaces)->Arg(30)->Arg(1'000)->Arg(100'000)->Arg(10'000'000)->Unit(benchmark::kMicrosecond);

void bpe_read(benchmark::State& state) {  // GPT-2's files: 50,257 tokens, 50,000 merges
    const auto vocabs = shared() / "vocabs";
    if (!std::filesystem::exists(vocabs / "gpt2-vocab.bpe")) return state.SkipWithError("GPT-2's vocabulary is not on this machine (set CARAMEL_SHARED)");
    for (auto _ : state) benchmark::DoNotOptimize(read_bpe(vocabs / "gpt2-encoder.json", vocabs / "gpt2-vocab.bpe"));
}
BENCHMARK(bpe_read)->Unit(benchmark::kMillisecond);

void bpe_train(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(fit(bpe{.vocabulary_size = 8'000}, texts(state.range(0) != 0)));
    state.SetBytesProcessed(state.iterations() * bytes_of(texts(state.range(0) != 0)));
}
BENCHMARK(bpe_train)->ArgName("chinese")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
