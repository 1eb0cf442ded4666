#ifndef CARAMEL_TEXT_CHINESE_HPP
#define CARAMEL_TEXT_CHINESE_HPP

// Chinese texts cut into words, as jieba 0.42.1 cuts them: the most probable way through the words of a dictionary, and a hidden
// Markov model for what no dictionary has. (The program python3-jieba of Debian has both files; see `read_chinese_segmenter`.)

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/chinese_dictionary.hpp>
#include <caramel/text/chinese_hmm.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/utf8.hpp>
#include <caramel/text/vocabulary.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Which words of a text are given, as jieba's modes.
enum class chinese_mode : std::uint8_t {
    words = 0,   ///< each character belongs to one word
    search = 1,  ///< the same, and before each word the words of two and three characters within it
    full = 2,    ///< all words of the dictionary that occur, overlapping ones too, without the hidden Markov model
};
/// How a `chinese_segmenter` cuts.
struct chinese_options {
    chinese_mode mode = chinese_mode::words;
    bool hmm = true;  ///< join characters to words that no dictionary has, where the segmenter has a model for it
};

/// Texts -> their words. An immutable value; copies share the dictionary's memory.
class chinese_segmenter {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "chinese_segmenter";  // in saved files: never changes

    chinese_segmenter() = default;
    explicit chinese_segmenter(chinese_dictionary dictionary, chinese_hmm hmm = {}) : dictionary_(std::move(dictionary)), hmm_(std::move(hmm)) {}

    /// Calls `word(begin, end)` with the byte offsets of each word, in the order in which jieba gives them: white space and
    /// punctuation are words, too, so that with `chinese_mode::words` nothing of the text is left out. Linear time.
    ///
    /// With `chinese_mode::full`, as with jieba, empty words stand beside white space; where a dictionary has several words of
    /// Latin letters within a run of them, what jieba joins across the gap comes out in pieces.
    /// Throws `error` (`bad_utf8` with the byte; `limit_exceeded` from 4 GiB on).
    template <std::invocable<std::size_t, std::size_t> Word>
    void split(std::string_view text, Word&& word, const chinese_options& options = {}) const {
        workspace scratch;
        split(text, word, options, scratch);
    }
    /// The same with the caller's memory: allocates nothing after the first call.
    template <std::invocable<std::size_t, std::size_t> Word>
    void split(std::string_view text, Word&& word, const chinese_options& options, workspace& scratch, std::size_t row = 1) const {
        require_utf8(text, row, kind);
        require(text.size() < std::numeric_limits<std::uint32_t>::max(), errc::limit_exceeded, "chinese_segmenter: a text of ", text.size(), " bytes");
        require(options.mode <= chinese_mode::full, errc::bad_parameter, "chinese_segmenter: an unknown mode");
        const workspace::frame frame(scratch);
        const detail::chinese_scratch rows(text, scratch);
        const auto each = [&](std::size_t x, std::size_t y) { word(std::size_t{rows.offsets[x]}, std::size_t{rows.offsets[y]}); };
        const auto block = [&](std::size_t n) {
            switch (options.mode) {
                case chinese_mode::words: return words_of_block(rows, n, options.hmm, each);
                case chinese_mode::search: return words_of_block(rows, n, options.hmm, [&](std::size_t x, std::size_t y) { parts_of_word(rows, x, y, each); });
                case chinese_mode::full: return all_of_block(rows, n, each);
            }
        };
        detail::scan_blocks(text, rows, block, [&](std::size_t begin, std::size_t end) {
            if (options.mode == chinese_mode::full) split_at_space(text, begin, end, word);
            else detail::split_others(text, begin, end, word);
        });
    }

    /// The words of a text. Throws as `split`.
    template <std::convertible_to<std::string_view> Text>
    [[nodiscard]] std::vector<std::string> operator()(const Text& text) const {
        return words(text);
    }
    /// Of each text; an `error` has its number.
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] std::vector<std::vector<std::string>> operator()(const Texts& texts) const {
        std::vector<std::vector<std::string>> out(texts.size());
        workspace scratch;
        for (std::size_t i = 0; i < texts.size(); ++i)
            split(texts[i], [&](std::size_t begin, std::size_t end) { out[i].emplace_back(texts[i], begin, end - begin); }, {}, scratch, i + 1);
        return out;
    }
    template <std::convertible_to<std::string_view> Text>
    [[nodiscard]] std::vector<std::string> words(const Text& given, const chinese_options& options = {}) const {
        const std::string_view text(given);
        std::vector<std::string> out;
        split(text, [&](std::size_t begin, std::size_t end) { out.emplace_back(text.substr(begin, end - begin)); }, options);
        return out;
    }

    [[nodiscard]] const chinese_dictionary& dictionary() const noexcept { return dictionary_; }
    [[nodiscard]] const chinese_hmm& hmm() const noexcept { return hmm_; }

    static constexpr std::array field_names{"dictionary", "hmm"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(dictionary_, hmm_); }

   private:
    // These call `sink(x, y)` for the word of characters x .. y - 1 of a block.
    template <class Sink>
    void words_of_block(const detail::chinese_scratch& rows, std::size_t n, bool hmm, const Sink& sink) const {
        const detail::frozen_trie& trie = dictionary_.trie();
        trie.codes_of(rows.chars.first(n), rows.codes.data());
        if (n == 1) return sink(0, 1);
        detail::find_route(trie, rows.codes.first(n), rows.score.data(), rows.next.data());
        if (!hmm || hmm_.empty()) return detail::walk_route(rows, n, sink);
        std::size_t pending = 0;  // where single characters in a row begin
        for (std::size_t x = 0; x < n;) {
            const std::size_t y = rows.next[x];
            if (y - x > 1) {
                if (pending < x) join_characters(rows, pending, x, sink);
                sink(x, y);
                pending = y;
            }
            x = y;
        }
        if (pending < n) join_characters(rows, pending, n, sink);
    }
    // What the dictionary left single: characters for themselves if they make up a word of it, else what the model says.
    template <class Sink>
    void join_characters(const detail::chinese_scratch& rows, std::size_t x, std::size_t y, const Sink& sink) const {
        if (y - x == 1) return sink(x, y);
        const auto each = [&](std::size_t from, std::size_t to) {
            for (; from < to; ++from) sink(from, from + 1);
        };
        if (dictionary_.trie().has_word(rows.codes.data() + x, rows.codes.data() + y)) return each(x, y);
        while (x < y) {
            const bool han = detail::is_han(rows.chars[x]);
            std::size_t end = x + 1;
            while (end < y && detail::is_han(rows.chars[end]) == han) ++end;
            if (han) join_han(rows, x, end, sink);
            else join_others(rows, x, end, sink);
            x = end;
        }
    }
    template <class Sink>
    void join_han(const detail::chinese_scratch& rows, std::size_t x, std::size_t y, const Sink& sink) const {
        hmm_.find_states(rows.chars.subspan(x, y - x), rows.back.data(), rows.states.data());
        std::size_t begin = x, done = x;
        const bool some_taken_out = dictionary_.takes_out();
        const auto word = [&](std::size_t from, std::size_t to) {
            if (some_taken_out && is_taken_out(rows, from, to))
                for (; from < to; ++from) sink(from, from + 1);
            else sink(from, to);
        };
        for (std::size_t i = x; i < y; ++i) {
            const std::uint8_t state = rows.states[i - x];
            if (state == chinese_hmm::begin) begin = i;
            else if (state == chinese_hmm::end) word(begin, done = i + 1);
            else if (state == chinese_hmm::single) word(i, done = i + 1);
        }
        if (done < y) word(done, y);
    }
    // Runs of letters and digits, with what follows of .digits and %, and what is between, as jieba's [a-zA-Z0-9]+(?:\.\d+)?%?
    template <class Sink>
    void join_others(const detail::chinese_scratch& rows, std::size_t x, std::size_t y, const Sink& sink) const {
        const auto is_digit = [&](std::size_t i) { return rows.chars[i] >= u'0' && rows.chars[i] <= u'9'; };
        while (x < y) {
            std::size_t end = x;
            while (end < y && !detail::is_latin(rows.chars[end])) ++end;
            if (end > x) sink(x, end);
            if (end == y) return;
            x = end;
            while (end < y && detail::is_latin(rows.chars[end])) ++end;
            if (end + 1 < y && rows.chars[end] == u'.' && is_digit(end + 1))
                for (++end; end < y && is_digit(end);) ++end;
            if (end < y && rows.chars[end] == u'%') ++end;
            sink(x, end);
            x = end;
        }
    }
    template <class = void>
    [[nodiscard]] bool is_taken_out(const detail::chinese_scratch& rows, std::size_t x, std::size_t y) const {
        std::string word;
        char bytes[4];
        for (; x < y; ++x) word.append(bytes, encode_utf8(rows.chars[x], bytes));
        return dictionary_.is_taken_out(word);
    }
    // The parts of a word that are words, then the word.
    template <class Sink>
    void parts_of_word(const detail::chinese_scratch& rows, std::size_t x, std::size_t y, const Sink& sink) const {
        for (std::size_t length = 2; length <= 3 && length < y - x; ++length)
            for (std::size_t i = x; i + length <= y; ++i)
                if (dictionary_.trie().has_word(rows.codes.data() + i, rows.codes.data() + i + length)) sink(i, i + length);
        sink(x, y);
    }
    template <class Sink>
    void all_of_block(const detail::chinese_scratch& rows, std::size_t n, const Sink& sink) const {
        const detail::frozen_trie& trie = dictionary_.trie();
        trie.codes_of(rows.chars.first(n), rows.codes.data());
        std::size_t covered = 0;              // characters that a word has covered
        std::size_t latin = 0, latin_end = 0;  // letters and digits that wait to become one word
        const auto flush = [&] {
            if (latin < latin_end) sink(latin, latin_end);
            latin = latin_end = 0;
        };
        for (std::size_t k = 0; k < n; ++k) {
            std::array<std::size_t, chinese_dictionary::max_characters> ends;  // of the words that begin here, else of the character
            std::size_t found = 0, end = k + 1;
            for (std::uint32_t node = trie.first(rows.codes[k]); node != 0; node = trie.next(node, rows.codes[end++])) {
                if (trie.is_word(node)) ends[found++] = end;
                if (end == n) break;
            }
            if (found == 0) ends[found++] = k + 1;
            const bool is_latin = detail::is_latin(rows.chars[k]);
            if (!is_latin) flush();
            if (found == 1 && k >= covered) {
                covered = ends[0];
                if (!is_latin) {
                    sink(k, ends[0]);
                } else {
                    if (latin_end != k) flush();
                    if (latin_end == 0) latin = k;
                    latin_end = ends[0];
                }
            } else {
                for (std::size_t i = 0; i < found; ++i)
                    if (ends[i] > k + 1) sink(k, covered = ends[i]);
            }
        }
        flush();
    }
    template <class Word>
    static void split_at_space(std::string_view text, std::size_t begin, std::size_t end, const Word& word) {
        std::size_t piece = begin;
        for (std::size_t at = begin; at < end;) {
            const std::size_t from = at;
            if (!detail::is_python_space(decode_utf8(text, at))) continue;
            if (text.substr(from, 2) == "\r\n") ++at;
            word(piece, from);
            word(from, at);
            piece = at;
        }
        word(piece, end);
    }

    chinese_dictionary dictionary_;
    chinese_hmm hmm_;
};

/// The segmenter of a folder as python3-jieba installs it (/usr/lib/python3/dist-packages/jieba): dict.txt and finalseg/prob_*.py.
/// Throws what reading them throws.
template <std::convertible_to<file_path> Path>
[[nodiscard]] chinese_segmenter read_chinese_segmenter(const Path& folder) {
    const file_path name(folder);
    return chinese_segmenter(read_chinese_dictionary(name.string() + "/dict.txt"), read_chinese_hmm(name.string() + "/finalseg"));
}

/// Texts -> ids of their Chinese (and other) words. Id 0 stands for all words outside the vocabulary.
class chinese_tokenizer_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "chinese_tokenizer";  // in saved files: never changes
    static constexpr token_id unknown = 0;                         // and padding
    static constexpr std::string_view unknown_word = "[UNK]";

    /// `max_tokens` 0 = all. Throws `error`: `bad_data` unless exactly id 0 is reserved, `bad_parameter` (mode), `bad_utf8` with the
    /// token's number, `unsupported_version`.
    template <class = void>
    chinese_tokenizer_model(chinese_segmenter segmenter, vocabulary words, chinese_mode mode, bool hmm, bool lowercase, bool keep_punctuation,
                            std::uint64_t max_tokens,
                            std::uint32_t unicode = unicode_version)
        : segmenter_(std::move(segmenter)), words_(std::move(words)), mode_(mode), hmm_(hmm), lowercase_(lowercase), keep_punctuation_(keep_punctuation),
          max_tokens_(max_tokens), unicode_(unicode) {
        require(words_.reserved() == 1, errc::bad_data, "chinese_tokenizer: ", words_.reserved(), " reserved ids, must be 1");
        require(mode <= chinese_mode::full, errc::bad_parameter, "chinese_tokenizer: an unknown mode");
        require(unicode <= unicode_version, errc::unsupported_version, "chinese_tokenizer: learnt with Unicode ", unicode / 100, ".", unicode % 100,
                ", this library has ", unicode_version / 100, ".", unicode_version % 100);
        for (std::size_t i = 0; i < words_.tokens().size(); ++i)
            require_at(find_bad_utf8(words_.tokens()[i]) == std::string_view::npos, errc::bad_utf8, {.row = i + 1}, "chinese_tokenizer: token ", i + 1,
                       " is not UTF-8");
    }

    /// One row a text; a text without words is an empty row.
    /// Throws `error` (`bad_utf8`) with the text's number (from 1) in `where().row` and the byte (from 1).
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] token_ids operator()(const Texts& texts) const {
        token_ids out;
        out.vocabulary_size = words_.size();
        out.unknown = out.padding = unknown;
        workspace scratch;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            encode(texts[i], i + 1, scratch, [&](token_id id) { out.push_back(id); });
            out.close_row();
        }
        return out;
    }
    /// One text: the same ids as in a batch, in the workspace.
    template <std::convertible_to<std::string_view> Text>
    [[nodiscard]] std::span<const token_id> operator()(const Text& text, workspace& scratch) const {
        const workspace::frame frame(scratch);
        std::size_t n = 0;
        normalized_words(text, 1, scratch, [&](std::optional<std::string_view>) { ++n; });
        const auto ids = scratch.take<token_id>(n);
        n = 0;
        encode(text, 1, scratch, [&](token_id id) { ids[n++] = id; });
        return ids;
    }
    /// The same without a workspace.
    template <std::convertible_to<std::string_view> Text>
    [[nodiscard]] std::vector<token_id> operator()(const Text& text) const {
        std::vector<token_id> out;
        workspace scratch;
        encode(text, 1, scratch, [&](token_id id) { out.push_back(id); });
        return out;
    }

    /// The words of ids, as the vocabulary has them; `unknown_word` for id 0. Throws `error` (`unknown_id`).
    template <class = void>
    [[nodiscard]] std::vector<std::string> decode(std::span<const token_id> ids) const {
        std::vector<std::string> out;
        out.reserve(ids.size());
        for (const token_id id : ids) out.emplace_back(id == unknown ? unknown_word : words_[id]);
        return out;
    }

    [[nodiscard]] const chinese_segmenter& segmenter() const noexcept { return segmenter_; }
    [[nodiscard]] const vocabulary& words() const noexcept { return words_; }

    static constexpr std::array field_names{"segmenter", "words", "mode", "hmm", "lowercase", "keep_punctuation", "max_tokens", "unicode"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(segmenter_, words_, mode_, hmm_, lowercase_, keep_punctuation_, max_tokens_, unicode_); }

   private:
    friend struct chinese_tokenizer;

    // Letters, numbers and ideographs make a word; a visible character of another kind is punctuation.
    [[nodiscard]] bool is_token(std::string_view word) const noexcept {
        bool visible = false;
        for (std::size_t at = 0; at < word.size();) {
            const detail::word_part part = detail::word_part_of(decode_utf8(word, at));
            if (part == detail::word_part::letter || part == detail::word_part::ideograph) return true;
            visible = visible || part == detail::word_part::symbol || part == detail::word_part::apostrophe;
        }
        return visible && keep_punctuation_;
    }
    template <class Word>
    void normalized_words(std::string_view text, std::size_t row, workspace& scratch, const Word& word) const {
        detail::token_buffer buffer;
        std::uint64_t left = max_tokens_ == 0 ? std::numeric_limits<std::uint64_t>::max() : max_tokens_;
        segmenter_.split(
            text,
            [&](std::size_t begin, std::size_t end) {
                const std::string_view found = text.substr(begin, end - begin);
                if (left == 0 || !is_token(found)) return;
                --left;
                word(detail::normalized_word(text, begin, end, lowercase_, buffer));
            },
            {.mode = mode_, .hmm = hmm_}, scratch, row);
    }
    template <class Sink>
    void encode(std::string_view text, std::size_t row, workspace& scratch, const Sink& sink) const {
        normalized_words(text, row, scratch, [&](std::optional<std::string_view> word) { sink(word ? words_.find(*word).value_or(unknown) : unknown); });
    }

    chinese_segmenter segmenter_;
    vocabulary words_;
    chinese_mode mode_;
    bool hmm_, lowercase_, keep_punctuation_;
    std::uint64_t max_tokens_;
    std::uint32_t unicode_;
};

/// Recipe for `chinese_tokenizer_model`: learns which words occur.
struct chinese_tokenizer {
    using stage_concept = recipe_tag;

    chinese_segmenter segmenter = {};  ///< must have a dictionary; it is saved with the model
    chinese_mode mode = chinese_mode::words;
    bool hmm = true;        ///< where the segmenter has a model for it
    bool lowercase = true;  ///< Latin letters and others that have a case, as `word_tokenizer`
    /// Rarer words are unknown. The vocabulary is saved with the model: see `word_tokenizer::min_count`.
    std::size_t min_count = 1;
    std::size_t max_vocabulary = 50'000;  ///< the most frequent words; id 0 comes on top
    std::size_t max_tokens = 0;           ///< a text's first words; 0 = all
    bool keep_punctuation = false;        ///< as tokens: commas, emoji, ...; white space never is one

    /// Ids from 1 by falling count, ties in the order of the bytes; so they do not depend on the order of the texts.
    /// Throws `error`: `empty_input`; `bad_parameter`; `bad_utf8` with the text's number and the byte; `limit_exceeded`.
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] chinese_tokenizer_model fit(const Texts& texts, const fit_options&) const {
        require(min_count > 0, errc::bad_parameter, "chinese_tokenizer: min_count = 0, must be at least 1");
        require(max_vocabulary > 0, errc::bad_parameter, "chinese_tokenizer: max_vocabulary = 0, must be at least 1");
        require(segmenter.dictionary().size() > 0, errc::bad_parameter, "chinese_tokenizer: the segmenter has no dictionary; see read_chinese_segmenter");
        require(!texts.empty(), errc::empty_input, "chinese_tokenizer: no texts to learn from");
        const chinese_tokenizer_model splitter(segmenter, vocabulary({}, 1), mode, hmm, lowercase, keep_punctuation, max_tokens);
        token_counts counts;
        workspace scratch;
        for (std::size_t i = 0; i < texts.size(); ++i)
            splitter.normalized_words(texts[i], i + 1, scratch, [&](std::optional<std::string_view> word) {
                if (word) counts.add(*word);
            });
        return {segmenter, counts.most_frequent(min_count, max_vocabulary, 1), mode, hmm, lowercase, keep_punctuation, max_tokens};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
