#ifndef CARAMEL_TEXT_NGRAM_TOKENIZER_HPP
#define CARAMEL_TEXT_NGRAM_TOKENIZER_HPP

// Texts -> ids of their characters, or of their n-grams of characters or words.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
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
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/text_stage.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/unicode.hpp>
#include <caramel/text/utf8.hpp>
#include <caramel/text/vocabulary.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Calls `character(begin, end, is_space)` for each character of a valid text until it answers false: a code point with the marks
// that follow it, or a run of what is not visible (separators, control and format characters).
template <class Character>
void scan_characters(std::string_view text, const Character& character) {
    const auto visible = [](word_part part) { return part != word_part::nothing && part != word_part::joiner; };
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        const bool space = !visible(word_part_of(decode_utf8(text, at)));
        if (space) {
            for (std::size_t next = at; next < text.size() && !visible(word_part_of(decode_utf8(text, next))); at = next) {}
        } else {
            at = end_of_marks(text, at);
        }
        if (!character(begin, at, space)) return;
    }
}

// The calls of a model that has a vocabulary with id 0 for what is not in it, and `scan(text, scratch, token)`, which calls
// `token(word, begin, end)` with each token of a valid text as the vocabulary has it, or with nothing for one that is too
// long to be there, until `token` answers false.
template <class Model>
class token_stage {
   public:
    static constexpr token_id unknown = 0;  // and padding
    static constexpr std::string_view unknown_token = "[UNK]";

    /// One row a text. Throws `error` (`bad_utf8`) with the text's number (from 1) in `where().row` and the byte (from 1).
    [[nodiscard]] token_ids operator()(const std::vector<std::string>& texts) const {
        token_ids out;
        out.vocabulary_size = self().tokens().size();
        out.unknown = out.padding = unknown;
        workspace scratch;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            encode(texts[i], i + 1, scratch, [&](token_id id, std::size_t, std::size_t) { out.push_back(id); });
            out.close_row();
        }
        return out;
    }
    /// One text: the same ids as in a batch, in the workspace.
    [[nodiscard]] std::span<const token_id> operator()(std::string_view text, workspace& scratch) const {
        const workspace::frame frame(scratch);
        std::span<token_id> ids = scratch.take<token_id>(std::max<std::size_t>(text.size(), 16));
        std::size_t n = 0;
        encode(text, 1, scratch, [&](token_id id, std::size_t, std::size_t) {
            if (n == ids.size()) {
                const auto wider = scratch.take<token_id>(2 * n);
                std::copy(ids.begin(), ids.end(), wider.begin());
                ids = wider;
            }
            ids[n++] = id;
        });
        return ids.first(n);
    }
    /// The same without a workspace.
    template <std::convertible_to<std::string_view> Text>
    [[nodiscard]] std::vector<token_id> operator()(const Text& text) const {
        std::vector<token_id> out;
        each_token(text, [&](token_id id, std::size_t, std::size_t) { out.push_back(id); });
        return out;
    }
    /// Calls `token(id, begin, end)` for each token of a text, with its place in the text in bytes.
    /// Throws `error` (`bad_utf8`) with the byte.
    template <std::invocable<token_id, std::size_t, std::size_t> Token>
    void each_token(std::string_view text, Token&& token) const {
        workspace scratch;
        encode(text, 1, scratch, token);
    }
    /// The tokens of ids, as the vocabulary has them; `unknown_token` for id 0. Throws `error` (`unknown_id`).
    [[nodiscard]] std::vector<std::string> decode(std::span<const token_id> ids) const {
        std::vector<std::string> out;
        out.reserve(ids.size());
        for (const token_id id : ids) out.emplace_back(id == unknown ? unknown_token : self().tokens()[id]);
        return out;
    }

   protected:
    /// Throws what the constructors of the models say.
    void check(std::uint32_t unicode) const {
        constexpr std::string_view who = Model::kind;
        const vocabulary& tokens = self().tokens();
        require(tokens.reserved() == 1, errc::bad_data, who, ": ", tokens.reserved(), " reserved ids, must be 1");
        require(unicode <= unicode_version, errc::unsupported_version, who, ": learnt with Unicode ", unicode / 100, ".", unicode % 100,
                ", this library has ", unicode_version / 100, ".", unicode_version % 100);
        for (std::size_t i = 0; i < tokens.tokens().size(); ++i)
            require_at(find_bad_utf8(tokens.tokens()[i]) == std::string_view::npos, errc::bad_utf8, {.row = i + 1}, who, ": token ", i + 1, " is not UTF-8");
    }
    template <class Recipe>
    [[nodiscard]] vocabulary learn(const std::vector<std::string>& texts, const Recipe& recipe) const {
        constexpr std::string_view who = Model::kind;
        require(recipe.min_count > 0, errc::bad_parameter, who, ": min_count = 0, must be at least 1");
        require(recipe.max_vocabulary > 0, errc::bad_parameter, who, ": max_vocabulary = 0, must be at least 1");
        require(!texts.empty(), errc::empty_input, who, ": no texts to learn from");
        token_counts counts;
        workspace scratch;
        for (std::size_t i = 0; i < texts.size(); ++i)
            each_word(texts[i], i + 1, scratch, [&](std::optional<std::string_view> word, std::size_t, std::size_t) {
                if (word) counts.add(*word);
            });
        return counts.most_frequent(recipe.min_count, recipe.max_vocabulary, 1);
    }

   private:
    [[nodiscard]] const Model& self() const noexcept { return static_cast<const Model&>(*this); }

    template <class Word>
    void each_word(std::string_view text, std::size_t row, workspace& scratch, const Word& word) const {
        require_utf8(text, row, Model::kind);
        const workspace::frame frame(scratch);
        const std::uint64_t most = self().max_tokens();
        std::uint64_t n = 0;
        self().scan(text, scratch, [&](std::optional<std::string_view> token, std::size_t begin, std::size_t end) {
            word(token, begin, end);
            return ++n != most;
        });
    }
    template <class Token>
    void encode(std::string_view text, std::size_t row, workspace& scratch, Token&& token) const {
        each_word(text, row, scratch, [&](std::optional<std::string_view> word, std::size_t begin, std::size_t end) {
            token_id id = word ? self().short_words_.find(*word) : unknown;
            if (id < 0) id = self().tokens().find(*word).value_or(unknown);
            token(id, begin, end);
        });
    }
};

}  // namespace detail

/// Calls `character(begin, end)` with the byte offsets of each character of the text, in order: a code point with the combining
/// marks that follow it. With `spaces` also each run of what is not visible (separators, control and format characters); else
/// these are left out. Linear time. Throws `error` (`bad_utf8`) with the byte.
template <std::invocable<std::size_t, std::size_t> Character>
void split_characters(std::string_view text, Character&& character, bool spaces = false) {
    require_utf8(text, 1, "split_characters");
    detail::scan_characters(text, [&](std::size_t begin, std::size_t end, bool space) {
        if (spaces || !space) character(begin, end);
        return true;
    });
}

/// Texts -> ids of their characters, as `split_characters` finds them. Id 0 stands for all outside the vocabulary.
class char_tokenizer_model : public detail::token_stage<char_tokenizer_model> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "char_tokenizer";  // in saved files: never changes

    /// `max_tokens` 0 = all. `unicode` is the version whose tables split and folded the characters of the vocabulary.
    /// Throws `error`: `bad_data` unless exactly id 0 is reserved, `bad_utf8` with the token's number, `unsupported_version`.
    template <class = void>
    char_tokenizer_model(vocabulary tokens, bool lowercase, bool keep_spaces, std::uint64_t max_tokens, std::uint32_t unicode = unicode_version)
        : tokens_(std::move(tokens)), short_words_(tokens_), lowercase_(lowercase), keep_spaces_(keep_spaces), max_tokens_(max_tokens), unicode_(unicode) {
        check(unicode);
    }

    [[nodiscard]] const vocabulary& tokens() const noexcept { return tokens_; }
    [[nodiscard]] bool lowercase() const noexcept { return lowercase_; }
    [[nodiscard]] bool keep_spaces() const noexcept { return keep_spaces_; }
    [[nodiscard]] std::uint64_t max_tokens() const noexcept { return max_tokens_; }

    static constexpr std::array field_names{"tokens", "lowercase", "keep_spaces", "max_tokens", "unicode"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(tokens_, lowercase_, keep_spaces_, max_tokens_, unicode_); }

   private:
    friend class detail::token_stage<char_tokenizer_model>;
    friend struct char_tokenizer;

    template <class Token>
    void scan(std::string_view text, workspace&, const Token& token) const {
        detail::token_buffer buffer;
        detail::scan_characters(text, [&](std::size_t begin, std::size_t end, bool space) {
            if (space) return !keep_spaces_ || token(std::string_view(" "), begin, end);
            return token(detail::normalized_word(text, begin, end, lowercase_, buffer), begin, end);
        });
    }

    vocabulary tokens_;
    detail::short_word_ids short_words_;
    bool lowercase_, keep_spaces_;
    std::uint64_t max_tokens_;
    std::uint32_t unicode_;
};

/// Recipe for `char_tokenizer_model`: learns which characters occur. The plainest tokens for Chinese.
struct char_tokenizer {
    using stage_concept = recipe_tag;

    bool lowercase = true;  ///< as `word_tokenizer` does it
    std::size_t min_count = 1;
    std::size_t max_vocabulary = 50'000;  ///< the most frequent characters; id 0 comes on top
    std::size_t max_tokens = 0;           ///< a text's first characters; 0 = all
    bool keep_spaces = false;             ///< a run of spaces is one token

    /// Ids from 1 by falling count, ties in the order of the bytes.
    /// Throws `error`: `empty_input`; `bad_parameter`; `bad_utf8` with the text's number and the byte; `limit_exceeded`.
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] char_tokenizer_model fit(const Texts& texts, const fit_options&) const {
        const char_tokenizer_model splitter(vocabulary({}, 1), lowercase, keep_spaces, max_tokens);
        return {splitter.learn(texts, *this), lowercase, keep_spaces, max_tokens};
    }
};

/// Texts -> ids of their n-grams: runs of `shortest` to `longest` neighbouring characters or words. Between characters a run of
/// spaces counts as one character, and as none at the ends of the text; words are those of `split_words` without punctuation.
/// They come in the order of their ends, of one end the shorter first. Id 0 stands for all outside the vocabulary, and for
/// those longer than `vocabulary::max_token_bytes`.
class ngram_tokenizer_model : public detail::token_stage<ngram_tokenizer_model> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "ngram_tokenizer";  // in saved files: never changes
    static constexpr std::uint32_t most_units = 16;

    /// `max_tokens` 0 = all. Throws `error`: `bad_parameter` unless 1 <= shortest <= longest <= most_units; `bad_data` unless exactly
    /// id 0 is reserved, `bad_utf8` with the token's number, `unsupported_version`.
    template <class = void>
    ngram_tokenizer_model(vocabulary tokens, std::uint32_t shortest, std::uint32_t longest, bool words, bool lowercase, std::uint64_t max_tokens,
                          std::uint32_t unicode = unicode_version)
        : tokens_(std::move(tokens)), short_words_(tokens_), shortest_(shortest), longest_(longest), words_(words), lowercase_(lowercase),
          max_tokens_(max_tokens), unicode_(unicode) {
        require(shortest >= 1 && shortest <= longest && longest <= most_units, errc::bad_parameter, kind, ": n-grams of shortest = ", shortest, " to longest = ",
                longest, ", must be within 1 to ", most_units);
        check(unicode);
    }

    [[nodiscard]] const vocabulary& tokens() const noexcept { return tokens_; }
    [[nodiscard]] std::uint32_t shortest() const noexcept { return shortest_; }
    [[nodiscard]] std::uint32_t longest() const noexcept { return longest_; }
    [[nodiscard]] bool words() const noexcept { return words_; }
    [[nodiscard]] bool lowercase() const noexcept { return lowercase_; }
    [[nodiscard]] std::uint64_t max_tokens() const noexcept { return max_tokens_; }

    static constexpr std::array field_names{"tokens", "shortest", "longest", "words", "lowercase", "max_tokens", "unicode"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(tokens_, shortest_, longest_, words_, lowercase_, max_tokens_, unicode_); }

   private:
    friend class detail::token_stage<ngram_tokenizer_model>;
    friend struct ngram_tokenizer;

    // The text as the vocabulary would have it lies in the workspace; an n-gram is a piece of it.
    template <class Token>
    void scan(std::string_view text, workspace& scratch, const Token& token) const {
        struct unit {
            std::size_t begin, start;  // in the text and in the workspace
            bool too_long;
        };
        std::array<unit, most_units> last;  // a ring
        detail::scratch_text normal(scratch, text.size() + 1);
        detail::token_buffer buffer;
        std::size_t n = 0;
        const auto add = [&](std::optional<std::string_view> word, std::size_t begin, std::size_t end) {
            if (words_ && n > 0) normal.push_back(' ');
            last[n++ % most_units] = {begin, normal.text().size(), !word};
            if (word) normal.append(word->data(), word->size());
            bool too_long = false;
            for (std::size_t k = 1; k <= std::min<std::size_t>(n, longest_); ++k) {
                const unit& first = last[(n - k) % most_units];
                const std::string_view gram = normal.text().substr(first.start);
                too_long = too_long || first.too_long || gram.size() > vocabulary::max_token_bytes;
                if (k >= shortest_ && !token(too_long ? std::nullopt : std::optional(gram), first.begin, end)) return false;
            }
            return true;
        };
        const auto normalized = [&](std::size_t begin, std::size_t end) { return detail::normalized_word(text, begin, end, lowercase_, buffer); };
        if (words_) return detail::scan_words(text, false, [&](std::size_t begin, std::size_t end) { return add(normalized(begin, end), begin, end); });
        detail::scan_characters(text, [&](std::size_t begin, std::size_t end, bool space) {
            if (space) return begin == 0 || end == text.size() || add(std::string_view(" "), begin, end);
            return add(normalized(begin, end), begin, end);
        });
    }

    vocabulary tokens_;
    detail::short_word_ids short_words_;
    std::uint32_t shortest_, longest_;
    bool words_, lowercase_;
    std::uint64_t max_tokens_;
    std::uint32_t unicode_;
};

/// Recipe for `ngram_tokenizer_model`: learns which n-grams occur.
struct ngram_tokenizer {
    using stage_concept = recipe_tag;

    std::uint32_t shortest = 1, longest = 3;  ///< at most `ngram_tokenizer_model::most_units`
    bool words = false;                       ///< of words; else of characters
    bool lowercase = true;                    ///< as `word_tokenizer` does it
    std::size_t min_count = 1;
    std::size_t max_vocabulary = 200'000;  ///< the most frequent ones; id 0 comes on top
    std::size_t max_tokens = 0;            ///< a text's first n-grams; 0 = all

    /// Ids from 1 by falling count, ties in the order of the bytes.
    /// Throws `error`: `empty_input`; `bad_parameter`; `bad_utf8` with the text's number and the byte; `limit_exceeded`.
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] ngram_tokenizer_model fit(const Texts& texts, const fit_options&) const {
        const ngram_tokenizer_model splitter(vocabulary({}, 1), shortest, longest, words, lowercase, max_tokens);
        return {splitter.learn(texts, *this), shortest, longest, words, lowercase, max_tokens};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
