// Vocabularies, tokenizers and dictionaries from hostile texts: read, and then of use, or refused by `caramel::error`.
// 0 vocab.txt, 1 tokenizer.json as WordPiece, 2 as BPE, 3 vocab.json and merges.txt, 4 a Chinese dictionary, 5 user words,
// 6 a hidden Markov model (three texts), 7 any JSON, 8 pairs of words, 9 analogies. A zero byte parts texts.

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <caramel/io/json.hpp>
#include <caramel/text/analogies.hpp>
#include <caramel/text/bpe.hpp>
#include <caramel/text/bpe_json.hpp>
#include <caramel/text/bpe_tokenizer_json.hpp>
#include <caramel/text/chinese.hpp>
#include <caramel/text/tokenizer_json.hpp>
#include <caramel/text/utf8.hpp>
#include <caramel/text/vocabulary_file.hpp>
#include <caramel/text/wordpiece.hpp>

#include "support.hpp"

using namespace caramel;

namespace {

constexpr std::string_view sample = "Hello, \u4F60\u597D w\u00F6rld [MASK] <s>!";

// What a model that was read makes of a text, and of a piece of its own file.
template <class Model>
void use(const Model& model, std::string_view file) {
    for (const std::string& text : {std::string(sample), repair_utf8(file.substr(0, 200))})
        (void)fuzz::accepts([&] {
            const encoding out = model.encode(text);
            EXPECT(out.offsets.size() == out.ids.size());
            for (std::size_t i = 0; i < out.ids.size(); ++i)
                EXPECT(out.offsets[i].begin <= out.offsets[i].end && out.offsets[i].end <= text.size());
            (void)model.encode_pair(text, text);
            (void)model.decode(out.ids, false);
        });
}

void vocab_txt(std::string_view text) {
    (void)fuzz::accepts([&] {
        const vocabulary words = parse_vocabulary(text);
        EXPECT(words.size() > 0 && words.size() <= text.size());
        for (std::size_t i = 0; i < words.size(); ++i) EXPECT(words.find(words[static_cast<token_id>(i)]) == static_cast<token_id>(i));
        if (fuzz::worth_a_long_look(text))
            use(make_wordpiece(words, {.rules = text.size() % 2 != 0 ? bert_rules::hugging_face : bert_rules::google}), text);
    });
}
void wordpiece_json(std::string_view text) {
    (void)fuzz::accepts([&] {
        if (fuzz::worth_a_long_look(text)) return use(parse_tokenizer_json<wordpiece_model>(text).tokenizer, text);
        auto document = detail::parse_tokenizer_document(text, "parse_tokenizer_json", {});
        EXPECT(document.tokens.size() + document.added.size() <= text.size());
        (void)detail::wordpiece_parts_of(document, "parse_tokenizer_json");
        (void)detail::padding_of(document.root, "parse_tokenizer_json");
    });
}
void bpe_json(std::string_view text) {
    (void)fuzz::accepts([&] { use(parse_tokenizer_json<bpe_model>(text).tokenizer, text); });
}
void vocab_and_merges(std::string_view text) {
    const std::string_view vocab = fuzz::take_part(text);
    (void)fuzz::accepts([&] {
        const vocabulary tokens = parse_bpe_vocabulary(vocab);
        const auto merges = parse_bpe_merges(text, tokens);
        EXPECT(merges.size() % 2 == 0 && merges.size() <= text.size());
        if (tokens.size() > 0) use(bpe_model(tokens, merges, {}, {}, {.unknown = 0}), text);
    });
}

void segment(const chinese_segmenter& segmenter, std::string_view file) {
    for (const std::string& text : {std::string(sample), repair_utf8(file.substr(0, 200))}) {
        std::size_t last = 0;
        segmenter.split(text, [&](std::size_t begin, std::size_t end) {
            EXPECT(begin == last && end > begin);
            last = end;
        });
        EXPECT(last == text.size());
    }
}
void chinese_words(std::string_view text) {
    (void)fuzz::accepts([&] { segment(chinese_segmenter(parse_chinese_dictionary(text)), text); });
}
void user_words(std::string_view text) {
    static const chinese_dictionary base = parse_chinese_dictionary("\u4F60\u597D 5 n\n\u4E16\u754C 3\nHello 2\n");
    (void)fuzz::accepts([&] { segment(chinese_segmenter(base.with(parse_user_words(text))), text); });
}
void hidden_markov(std::string_view text) {
    const std::string_view start = fuzz::take_part(text), moves = fuzz::take_part(text);
    (void)fuzz::accepts([&] { segment(chinese_segmenter({}, parse_chinese_hmm(start, moves, text)), text); });
}

// Takes all that JSON has, and writes its strings and numbers again.
class any_json : public json_handler {
   public:
    any_json() : json_handler("fuzz") {}
    void null() override {}
    void boolean(bool) override {}
    void negative(std::int64_t x) override { EXPECT(x < 0); }
    void natural(std::uint64_t) override {}
    void number(double x) override { EXPECT(std::isfinite(x)); }
    void string(std::string& text) override { check(text); }
    void begin_object() override { ++open; }
    void key(std::string& text) override { check(text); }
    void end_object() override { --open; }
    void begin_array() override { ++open; }
    void end_array() override { --open; }
    int open = 0;

   private:
    static void check(const std::string& text) {
        EXPECT(find_bad_utf8(text) == std::string_view::npos);
        std::string written;
        append_json_string(written, text);
        EXPECT(nlohmann::json::parse(written).get<std::string>() == text);
    }
};
void json(std::string_view text) {
    any_json handler;
    if (fuzz::accepts([&] { read_json(text, handler, {.bytes = 1 << 16, .depth = 8, .nodes = 1000, .string_bytes = 1000}); }))
        EXPECT(handler.open == 0 && nlohmann::json::accept(text));
}

void word_pairs(std::string_view text) {
    (void)fuzz::accepts([&] {
        for (const word_pair& pair : parse_word_pairs(text)) EXPECT(std::isfinite(pair.score) && !pair.first.empty() && !pair.second.empty());
    });
}
void analogies(std::string_view text) {
    (void)fuzz::accepts([&] {
        const word_analogies read = parse_analogies(text);
        EXPECT(read.questions.size() <= text.size() / 7 + 1 && read.sections.size() <= text.size() + 1);
        for (const word_analogy& each : read.questions) EXPECT(each.section < read.sections.size() && !each.words[3].empty());
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::run<vocab_txt, wordpiece_json, bpe_json, vocab_and_merges, chinese_words, user_words, hidden_markov, json, word_pairs, analogies>(data, size);
}
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t room, unsigned) {
    return fuzz::mutate(data, size, room, LLVMFuzzerMutate);
}
