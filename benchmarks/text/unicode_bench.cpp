// Checking, normalizing, splitting and cleaning texts, in bytes a second; beside copying them, which nothing that reads and writes
// them can beat. Argument 0: English, 1: Chinese.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/text/clean.hpp>
#include <caramel/text/near_duplicates.hpp>
#include <caramel/text/ngram_tokenizer.hpp>
#include <caramel/text/normalize.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/utf8.hpp>

namespace {

using namespace caramel;

// Reviews: English words of two to nine letters with a capital or a comma now and then; Chinese sentences of ideographs with
// full-width punctuation and some ASCII.
std::vector<std::string> reviews(std::int64_t chinese, std::size_t bytes = 1'000'000) {
    rng random(1);
    std::vector<std::string> out;
    const auto ideograph = [&] {
        char utf8[4];
        const std::size_t n = encode_utf8(static_cast<char32_t>(0x4E00 + random.below(3000)), utf8);
        return std::string(utf8, n);
    };
    for (std::size_t size = 0; size < bytes; size += out.back().size()) {
        auto& text = out.emplace_back();
        while (text.size() < 200) {
            if (chinese != 0) {
                for (std::uint64_t n = 4 + random.below(12); n > 0; --n) text += ideograph();
                text += random.below(10) == 0 ? "app 5" : random.below(3) == 0 ? "。" : "，";
            } else {
                for (std::uint64_t n = 2 + random.below(8); n > 0; --n) {
                    const int first = random.below(40) == 0 ? 'A' : 'a';
                    text += static_cast<char>(first + static_cast<int>(random.below(26)));
                }
                text += random.below(12) == 0 ? ", " : random.below(60) == 0 ? "'s " : " ";
            }
        }
    }
    return out;
}
std::string joined(const std::vector<std::string>& texts) {
    std::string out;
    for (const auto& text : texts) out += text + "\n";
    return out;
}

template <class Work>
void on_text(benchmark::State& state, const Work& work) {
    const std::string text = joined(reviews(state.range(0)));
    for (auto _ : state) work(text);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void text_copy(benchmark::State& state) {
    std::string to;
    on_text(state, [&](const std::string& text) {
        to.resize(text.size());
        std::memcpy(to.data(), text.data(), text.size());
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
    });
}
BENCHMARK(text_copy)->Arg(0)->Arg(1);

void utf8_check(benchmark::State& state) {
    on_text(state, [](const std::string& text) { benchmark::DoNotOptimize(find_bad_utf8(text)); });
}
BENCHMARK(utf8_check)->Arg(0)->Arg(1);

void utf8_check_portable(benchmark::State& state) {
    on_text(state, [](const std::string& text) { benchmark::DoNotOptimize(detail::find_bad_sequence(text, 0)); });
}
BENCHMARK(utf8_check_portable)->Arg(0)->Arg(1);

void words_with_offsets(benchmark::State& state) {
    on_text(state, [](const std::string& text) {
        std::size_t bytes = 0;
        split_words(text, [&](std::size_t begin, std::size_t end) { bytes += end - begin; });
        benchmark::DoNotOptimize(bytes);
    });
}
BENCHMARK(words_with_offsets)->Arg(0)->Arg(1);

template <class Recipe>
void token_ids_of(benchmark::State& state) {
    const auto texts = reviews(state.range(0));
    const auto model = fit(Recipe{}, texts);
    std::size_t bytes = 0;
    for (const auto& text : texts) bytes += text.size();
    for (auto _ : state) benchmark::DoNotOptimize(model(texts));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}
BENCHMARK(token_ids_of<word_tokenizer>)->Arg(0)->Arg(1);
BENCHMARK(token_ids_of<char_tokenizer>)->Arg(0)->Arg(1);
BENCHMARK(token_ids_of<ngram_tokenizer>)->Arg(0)->Arg(1);

template <normal_form Form>
void normalize_to(benchmark::State& state) {
    on_text(state, [](const std::string& text) { benchmark::DoNotOptimize(normalize(text, Form)); });
}
BENCHMARK(normalize_to<normal_form::nfc>)->Arg(0)->Arg(1);
BENCHMARK(normalize_to<normal_form::nfd>)->Arg(0)->Arg(1);
BENCHMARK(normalize_to<normal_form::nfkc>)->Arg(0)->Arg(1);

template <class Stage>
void stage_on_text(benchmark::State& state) {
    const Stage stage = [] {
        if constexpr (requires { Stage(emoji_policy::remove); }) return Stage(emoji_policy::remove);
        else return Stage();
    }();
    on_text(state, [&](const std::string& text) { benchmark::DoNotOptimize(stage(text)); });
}
BENCHMARK(stage_on_text<normalize_text>)->Arg(0)->Arg(1);
BENCHMARK(stage_on_text<decode_entities>)->Arg(0)->Arg(1);
BENCHMARK(stage_on_text<remove_html>)->Arg(0)->Arg(1);
BENCHMARK(stage_on_text<replace_urls>)->Arg(0)->Arg(1);
BENCHMARK(stage_on_text<replace_emails>)->Arg(0)->Arg(1);
BENCHMARK(stage_on_text<replace_phones>)->Arg(0)->Arg(1);
BENCHMARK(stage_on_text<limit_repeats>)->Arg(0)->Arg(1);
BENCHMARK(stage_on_text<handle_emoji>)->Arg(0)->Arg(1);
BENCHMARK(stage_on_text<narrow_forms>)->Arg(0)->Arg(1);
BENCHMARK(stage_on_text<squeeze_spaces>)->Arg(0)->Arg(1);

void near_duplicates_of(benchmark::State& state) {
    const auto texts = reviews(state.range(0));
    for (auto _ : state) benchmark::DoNotOptimize(near_duplicates(texts));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(texts.size()));
}
BENCHMARK(near_duplicates_of)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
