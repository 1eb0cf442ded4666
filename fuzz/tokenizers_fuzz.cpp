// Tokenizers on any text: where their tokens lie, and that every way to call them gives the same ones.
// 0 words, 1 characters, 2 n-grams, 3 Chinese words, 4 byte-level BPE, 5 WordPiece (the last two: a byte of options first).

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/bpe.hpp>
#include <caramel/text/chinese.hpp>
#include <caramel/text/ngram_tokenizer.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/utf8.hpp>
#include <caramel/text/wordpiece.hpp>

#include "support.hpp"

using namespace caramel;

namespace {

using texts = std::vector<std::string>;

const texts& corpus() {
    static const texts all{"The parcel didn't arrive, the parcel is lost! 100% refund?", "Das h\u00E4tte ich nicht gedacht: sch\u00F6n, sch\u00F6ner",
                           "\u5FEB\u9012\u5F88\u6162\uFF0C\u4E0D\u63A8\u8350\u3002\u5FEB\u9012\u5458\u5F88\u597D",
                           "a \U0001F600 \U0001F600 e\u0301 e\u0301 \u0E01\u0E33"};
    return all;
}

// Spans one behind the other, within the text, between characters; with `all` nothing of the text is left out.
class span_check {
   public:
    span_check(std::string_view text, bool all) : text_(text), all_(all) {}
    void operator()(std::size_t begin, std::size_t end) {
        EXPECT(begin < end && end <= text_.size() && (all_ ? begin == last_ : begin >= last_));
        EXPECT(fuzz::at_border(text_, begin) && fuzz::at_border(text_, end));
        last_ = end;
    }
    void finish() const { EXPECT(!all_ || last_ == text_.size()); }

   private:
    std::string_view text_;
    bool all_;
    std::size_t last_ = 0;
};

// A batch, a text with a workspace, a text without one: the same ids, all of the vocabulary.
template <class Model>
std::vector<token_id> same_ids(const Model& model, const std::string& text, std::size_t size) {
    static workspace scratch;
    const std::vector<token_id> ids = model(text);
    const token_ids batch = model(texts{text, "", text});
    const auto single = model(std::string_view(text), scratch);
    EXPECT(batch.size() == 3 && std::ranges::equal(batch[0], ids) && std::ranges::equal(batch[2], ids) && std::ranges::equal(single, ids));
    for (const token_id id : ids) EXPECT(id >= 0 && static_cast<std::size_t>(id) < size);
    return ids;
}

// In the order of their ends, as `split_words` and its kin call it.
template <class Model>
void check_tokens(const Model& model, const std::string& text, std::size_t size) {
    const auto ids = same_ids(model, text, size);
    std::size_t n = 0, last = 0;
    model.each_token(text, [&](token_id id, std::size_t begin, std::size_t end) {
        EXPECT(n < ids.size() && id == ids[n++]);
        EXPECT(begin < end && end >= last && end <= text.size() && fuzz::at_border(text, begin) && fuzz::at_border(text, end));
        last = end;
    });
    EXPECT(n == ids.size() && model.decode(ids).size() == n);
}

void words(std::string_view bytes) {
    static const auto plain = fit(word_tokenizer{}, corpus()), all = fit(word_tokenizer{.lowercase = false, .keep_punctuation = true}, corpus());
    EXPECT(fuzz::accepts([&] { split_words(bytes, [](std::size_t, std::size_t) {}); }) == (find_bad_utf8(bytes) == std::string_view::npos));
    const std::string text = repair_utf8(bytes);
    for (const bool punctuation : {false, true}) {
        span_check check(text, false);
        split_words(text, [&](std::size_t begin, std::size_t end) { check(begin, end); }, punctuation);
    }
    check_tokens(plain, text, plain.words().size());
    check_tokens(all, text, all.words().size());
}

void characters(std::string_view bytes) {
    static const auto model = fit(char_tokenizer{.keep_spaces = true}, corpus());
    const std::string text = repair_utf8(bytes);
    for (const bool spaces : {false, true}) {
        span_check check(text, spaces);
        split_characters(text, [&](std::size_t begin, std::size_t end) { check(begin, end); }, spaces);
        check.finish();
    }
    check_tokens(model, text, model.tokens().size());
}

void ngrams(std::string_view bytes) {
    static const auto of_characters = fit(ngram_tokenizer{}, corpus()), of_words = fit(ngram_tokenizer{.shortest = 2, .longest = 4, .words = true}, corpus());
    const std::string text = repair_utf8(bytes);
    check_tokens(of_characters, text, of_characters.tokens().size());
    check_tokens(of_words, text, of_words.tokens().size());
}

void chinese(std::string_view bytes) {
    static const texts listed{"\u5FEB\u9012", "\u5FEB\u9012\u5458", "\u63A8\u8350", "\u4E0D\u63A8\u8350", "T\u6064", "abc", "a b", "C++"};
    static const std::vector<texts> segmented{{"\u5FEB\u9012", "\u5F88", "\u6162"}, {"\u4E0D", "\u63A8\u8350"}, {"\u5FEB\u9012\u5458"}};
    static const chinese_segmenter segmenter(chinese_dictionary(listed), chinese_hmm::fit(segmented));
    const std::string text = repair_utf8(bytes);
    for (const bool hmm : {false, true}) {
        span_check check(text, true);
        segmenter.split(text, [&](std::size_t begin, std::size_t end) { check(begin, end); }, {.hmm = hmm});
        check.finish();
        for (const chinese_mode mode : {chinese_mode::search, chinese_mode::full})
            segmenter.split(
                text,
                [&](std::size_t begin, std::size_t end) {
                    EXPECT(begin <= end && end <= text.size() && fuzz::at_border(text, begin) && fuzz::at_border(text, end));
                },
                {.mode = mode, .hmm = hmm});
    }
    for (const match_rule rule : {match_rule::longest, match_rule::fewest}) {
        span_check check(text, false);
        match_words(segmenter.dictionary(), text, [&](std::size_t begin, std::size_t end) { check(begin, end); }, {.rule = rule});
    }
}

// Ids with places: what tokens come from rises within the text; special tokens come from nowhere.
template <class Encoding>
void check_encoding(const Encoding& out, std::string_view text, std::size_t size, bool pair) {
    EXPECT(out.offsets.size() == out.ids.size() && out.type_ids.size() == out.ids.size() && out.special.size() == out.ids.size());
    std::uint32_t last = 0;
    for (std::size_t i = 0; i < out.ids.size(); ++i) {
        EXPECT(out.ids[i] >= 0 && static_cast<std::size_t>(out.ids[i]) < size);
        const auto [begin, end] = out.offsets[i];
        if (out.special[i] != 0) {
            EXPECT(begin == 0 && end == 0);
            continue;
        }
        EXPECT(begin <= end && end <= text.size());
        if (begin == end) continue;  // of spaces alone, taken off; one that was added has the place of the character behind it
        if (!pair) EXPECT(begin >= last);
        last = begin;
    }
}

template <class Model>
void check_encodings(const Model& model, const std::string& text, unsigned options) {
    static workspace scratch;
    encode_options how;
    how.special_tokens = options % 2 != 0;
    how.truncate = options / 2 % 2 != 0 ? text_side::left : text_side::right;
    const encoding whole = model.encode(text, how);
    check_encoding(whole, text, model.vocabulary_size(), false);
    how.max_length = options / 16 == 0 ? 0 : options / 16 + 3;
    const encoding cut = model.encode(text, how);
    check_encoding(cut, text, model.vocabulary_size(), false);
    EXPECT(cut.size() <= whole.size() && (how.max_length == 0 ? cut.ids == whole.ids : cut.size() <= how.max_length));
    const encoding_view view = model.encode(std::string_view(text), scratch, how);
    EXPECT(std::ranges::equal(view.ids, cut.ids) && std::ranges::equal(view.offsets, cut.offsets) && std::ranges::equal(view.special, cut.special));
    const encoding_batch batch = model.encode_batch({text, "", text}, how);
    EXPECT(std::ranges::equal(batch[0].ids, cut.ids) && std::ranges::equal(batch[2].ids, cut.ids) && std::ranges::equal(batch[2].offsets, cut.offsets));
    how.order = static_cast<truncation_order>(options / 4 % 3);  // only one text cut may not be enough
    (void)fuzz::accepts([&] { check_encoding(model.encode_pair(text, text, how), text, model.vocabulary_size(), true); });
    (void)same_ids(model, text, model.vocabulary_size());
}

void byte_pairs(std::string_view bytes) {
    static const auto plain = fit(bpe{.vocabulary_size = 400, .special_tokens = {"<|end|>"}}, corpus());
    static const auto trimmed =
        bpe_model(plain.tokens(), plain.merges(), plain.added(), {}, {.add_prefix_space = true, .trim_offsets = true, .whole_words = true});
    static const auto next = static_cast<token_id>(plain.tokens().size());
    static const auto stripping = bpe_model(plain.tokens(), plain.merges(),
                                            {{.text = "<|end|>", .id = 0, .strip_left = true, .strip_right = true},
                                             {.text = "the", .id = next, .single_word = true, .special = false},
                                             {.text = "\u5FEB ", .id = next + 1, .strip_right = true, .normalized = true}},
                                            {}, {.trim_offsets = true, .first_space_is_added = true});
    const unsigned options = fuzz::take_byte(bytes);
    std::size_t last = 0;
    split_gpt2(bytes, [&](std::size_t begin, std::size_t end) {
        EXPECT(begin == last && end > begin);
        last = end;
    });
    EXPECT(last == bytes.size());
    const std::string text(bytes);
    EXPECT(plain.decode(plain(text)) == text);
    check_encodings(plain, text, options);
    check_encodings(trimmed, text, options);
    check_encodings(stripping, text, options);
    if (text.find("<|end|>") == std::string::npos) {
        const std::string back = trimmed.decode(trimmed(text));
        EXPECT(back == (text.empty() || text[0] == ' ' ? text : " " + text));
    }
}

void word_pieces(std::string_view bytes) {
    static const vocabulary tokens({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "parcel", "par", "##cel", "##s", "did", "'", "t", "##t", "is", "lost",
                                    "!", "\u5FEB", "\u9012", "a", "##a", "##b", "schon", "sch", "##o", "##\u00F6", "##n", "\u0E01", "##\u0E33", "##\u0301"});
    static const auto hugging = make_wordpiece(tokens), google = make_wordpiece(tokens, {.rules = bert_rules::google}),
                      cased = make_wordpiece(tokens, {.lowercase = false, .strip_accents = false, .max_word_chars = 20}),
                      bare = make_wordpiece(tokens, {.lowercase = true, .strip_accents = false, .clean = false, .split_chinese = false});
    const unsigned options = fuzz::take_byte(bytes);
    EXPECT(fuzz::accepts([&] { (void)hugging(bytes); }) == (find_bad_utf8(bytes) == std::string_view::npos));
    const std::string text = repair_utf8(bytes);
    for (const auto* model : {&hugging, &google, &cased, &bare}) {
        check_encodings(*model, text, options);
        EXPECT(find_bad_utf8(model->decode((*model)(text))) == std::string_view::npos);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::run<words, characters, ngrams, chinese, byte_pairs, word_pieces>(data, size);
}
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t room, unsigned) {
    return fuzz::mutate(data, size, room, LLVMFuzzerMutate);
}
