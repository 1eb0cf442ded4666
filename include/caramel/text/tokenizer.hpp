#ifndef CARAMEL_TEXT_TOKENIZER_HPP
#define CARAMEL_TEXT_TOKENIZER_HPP

// The word tokenizer: texts -> token ids, for every script that Unicode knows.

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/unicode.hpp>
#include <caramel/text/utf8.hpp>
#include <caramel/text/vocabulary.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// What a code point is to a word.
enum class word_part : std::uint8_t {
    nothing,     // separators, control and format characters, what is not assigned
    letter,      // letters and numbers: make words
    mark,        // combining marks: belong to what stands before
    ideograph,   // a word each
    apostrophe,  // within a word part of it, else punctuation
    joiner,      // zero-width (non-)joiners: within a word part of it, else nothing
    symbol,      // punctuation and symbols
};

// By class (text/unicode.hpp).
inline constexpr auto class_word_parts = [] {
    std::array<word_part, class_count> parts{};
    for (std::uint8_t i = 0; i < class_lo_ideograph; ++i) {
        const auto g = static_cast<general_category>(i);
        parts[i] = is_letter(g) || is_number(g)       ? word_part::letter
                   : is_mark(g)                       ? word_part::mark
                   : is_punctuation(g) || is_symbol(g) ? word_part::symbol
                                                      : word_part::nothing;
    }
    parts[class_lo_ideograph] = parts[class_nl_ideograph] = word_part::ideograph;
    parts[class_apostrophe] = parts[class_curly_apostrophe] = word_part::apostrophe;
    parts[class_joiner] = word_part::joiner;
    return parts;
}();
inline constexpr auto ascii_word_parts = [] {
    std::array<word_part, 128> parts{};
    for (char32_t c = 0; c < 128; ++c) parts[c] = class_word_parts[class_of(c)];
    return parts;
}();
constexpr word_part word_part_of(char32_t c) noexcept { return c < 128 ? ascii_word_parts[c] : class_word_parts[class_of(c)]; }

// Bytes E4 to E9 begin U+4000 to U+9FFF: nearly all ideographs, and no marks.
constexpr bool leads_ideograph(unsigned char byte) noexcept { return byte >= 0xE4 && byte <= 0xE9; }

// Over ASCII letters and digits, sixteen at a time.
template <std::same_as<std::string_view> Text>
CARAMEL_ALWAYS_INLINE std::size_t skip_ascii_letters(Text text, std::size_t at) noexcept {
#if CARAMEL_BYTE_VECTORS
    for (bytes16 bytes; text.size() - at >= sizeof bytes; at += sizeof bytes) {
        std::memcpy(&bytes, text.data() + at, sizeof bytes);
        const auto letters = reinterpret_cast<bytes16>(((bytes | 0x20) - 'a' < 26) | (bytes - '0' < 10));
        if (const unsigned others = high_bits(letters) ^ 0xFFFFU; others != 0) return at + static_cast<std::size_t>(std::countr_zero(others));
    }
#endif
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 128 && ascii_word_parts[static_cast<unsigned char>(text[at])] == word_part::letter) ++at;
    return at;
}

// Where the word ends whose first letter ends at `at`.
template <std::same_as<std::string_view> Text>
std::size_t end_of_word(Text text, std::size_t at) noexcept {
    while (at < text.size()) {
        std::size_t next = at;
        const word_part part = word_part_of(decode_utf8(text, next));
        if (part == word_part::apostrophe || part == word_part::joiner) {
            if (next == text.size() || word_part_of(decode_utf8(text, next)) != word_part::letter) break;
        } else if (part != word_part::letter && part != word_part::mark) {
            break;
        }
        at = next;
    }
    return at;
}
template <std::same_as<std::string_view> Text>
CARAMEL_ALWAYS_INLINE std::size_t end_of_marks(Text text, std::size_t at) noexcept {
    for (std::size_t next = at; next < text.size(); at = next) {
        const auto byte = static_cast<unsigned char>(text[next]);
        if (byte < 0x80 || leads_ideograph(byte)) break;
        if (word_part_of(decode_utf8(text, next)) != word_part::mark) break;
    }
    return at;
}

// Calls `word(begin, end)` for each word of a valid text until it answers false.
template <class Word>
void scan_words(std::string_view text, bool punctuation, const Word& word) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        const auto byte = static_cast<unsigned char>(text[at]);
        word_part part = word_part::nothing;
        if (byte < 0x80) {
            part = ascii_word_parts[byte];
            ++at;
        } else if (leads_ideograph(byte) && (byte > 0xE4 || static_cast<unsigned char>(text[at + 1]) >= 0xB8)) {  // U+4E00 to U+9FFF
            part = word_part::ideograph;
            at += 3;
        } else {
            part = word_part_of(decode_utf8(text, at));
        }
        if (part == word_part::letter) {
            at = skip_ascii_letters(text, at);
            // Most words end here, at an ASCII character that is no apostrophe.
            if (at < text.size() && (static_cast<unsigned char>(text[at]) >= 0x80 || text[at] == '\'')) at = end_of_word(text, at);
        } else if (part == word_part::ideograph || (punctuation && (part == word_part::symbol || part == word_part::apostrophe))) {
            at = end_of_marks(text, at);
        } else {
            continue;
        }
        if (!word(begin, at)) return;
    }
}

using token_buffer = std::array<char, vocabulary::max_token_bytes + 16>;  // also for what is written behind a word

// The word in bytes `begin` to `end` as the vocabulary has it, in the buffer (where eight bytes can always be read) or in the text;
// nothing if it is longer than a token may be.
template <std::same_as<std::string_view> Text>
std::optional<std::string_view> normalized_word(Text text, std::size_t begin, std::size_t end, bool lowercase, token_buffer& buffer) noexcept {
    const std::string_view word = text.substr(begin, end - begin);
    if (word.size() == 3 && leads_ideograph(static_cast<unsigned char>(word[0]))) return word;
#if CARAMEL_BYTE_VECTORS
    if (bytes16 bytes; word.size() <= sizeof bytes && text.size() - begin >= sizeof bytes) {  // most words, at once
        std::memcpy(&bytes, word.data(), sizeof bytes);
        if (high_bits(bytes) << (32 - word.size()) == 0) {
            if (lowercase) bytes |= reinterpret_cast<bytes16>(bytes - 'A' < 26) & 0x20;
            std::memcpy(buffer.data(), &bytes, sizeof bytes);
            return std::string_view(buffer.data(), word.size());
        }
    }
#endif
    std::size_t length = 0;
    for (std::size_t at = 0; at < word.size();) {
        if (const char byte = word[at]; static_cast<unsigned char>(byte) < 0x80) {
            if (length == vocabulary::max_token_bytes) return std::nullopt;
            buffer[length++] = static_cast<char>(byte + (lowercase && byte >= 'A' && byte <= 'Z' ? 32 : 0));
            ++at;
            continue;
        }
        char32_t c = decode_utf8(word, at);
        if (c == U'\u2019') c = U'\'';
        if (lowercase && (c < first_without_case || c > last_without_case)) c = fold_case(lower_case(c));
        length += encode_utf8(c, buffer.data() + length);
        if (length > vocabulary::max_token_bytes) return std::nullopt;
    }
    std::memset(buffer.data() + length, 0, 8);
    return std::string_view(buffer.data(), length);
}

// The ids of a vocabulary's words of up to eight bytes, found by the bytes themselves: most words of most texts, without the two
// steps further (to where a word lies, and to its bytes) that a vocabulary has to take.
class short_word_ids {
   public:
    template <std::same_as<vocabulary> Vocabulary>
    explicit short_word_ids(const Vocabulary& words) {
        const auto fits = [](std::string_view word) { return word.size() <= 8 && word.find('\0') == std::string_view::npos; };
        const auto& tokens = words.tokens();
        std::size_t n = 64;
        while (n < 2 * static_cast<std::size_t>(std::count_if(tokens.begin(), tokens.end(), fits))) n *= 2;
        shift_ = 64 - std::countr_zero(n);
        slots_.resize(n);
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            if (!fits(tokens[i])) continue;
            const std::uint64_t key = load_bytes(tokens[i].data(), tokens[i].size());
            std::size_t at = first_slot(key), probes = 0;
            while (slots_[at].key != 0 && ++probes < most_probes) at = (at + 1) & (slots_.size() - 1);
            if (slots_[at].key == 0) slots_[at] = {key, words.reserved() + static_cast<token_id>(i)};
        }
    }

    // Of a word without NUL: its id, 0 where the vocabulary does not have it, -1 where only the vocabulary knows.
    [[nodiscard]] token_id find(std::string_view word) const noexcept { return word.size() > 8 ? -1 : find_bytes(load_bytes(word.data(), word.size())); }
    // Of what `normalized_word` made with this buffer.
    [[nodiscard]] token_id find(std::string_view word, const token_buffer& buffer) const noexcept {
        if (word.data() != buffer.data() || word.size() > 8) return find(word);
        std::uint64_t key;
        std::memcpy(&key, buffer.data(), sizeof key);
        return find_bytes(key & ~std::uint64_t{0} >> (64 - 8 * word.size()));
    }

   private:
    static constexpr std::size_t most_probes = 16;  // of words made to collide the rest is left to the vocabulary
    struct slot {
        std::uint64_t key = 0;  // the bytes, the first one lowest; 0 = free
        token_id id = 0;
    };
    [[nodiscard]] token_id find_bytes(std::uint64_t key) const noexcept {
        std::size_t at = first_slot(key);
        for (std::size_t probes = 0; probes < most_probes; ++probes, at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at].key == key) return slots_[at].id;
            if (slots_[at].key == 0) return 0;
        }
        return -1;
    }
    [[nodiscard]] std::size_t first_slot(std::uint64_t key) const noexcept {
        return static_cast<std::size_t>((key ^ key >> 29) * 0x9e3779b97f4a7c15U >> shift_);
    }

    std::vector<slot> slots_;
    int shift_ = 58;
};

}  // namespace detail

/// Calls `word(begin, end)` with the byte offsets of each word of the text, in order. Linear time.
///
/// A word is a run of letters, numbers and their combining marks, with apostrophes (' and U+2019) and zero-width joiners
/// where a letter or number follows: "don't" is one word, "rock'" one and an apostrophe. Every CJK ideograph is a word of
/// its own. With `punctuation`, so is every other visible character (an emoji, a comma), with the marks that follow it;
/// else these are left out. Spaces and control characters always are. Scripts without spaces other than Chinese (kana,
/// Thai) come out as long words. Throws `error` (`bad_utf8`) with the byte.
template <std::invocable<std::size_t, std::size_t> Word>
void split_words(std::string_view text, Word&& word, bool punctuation = false) {
    require_utf8(text, 1, "split_words");
    detail::scan_words(text, punctuation, [&](std::size_t begin, std::size_t end) {
        word(begin, end);
        return true;
    });
}

/// Texts -> ids of their words, as `split_words` finds them. Id 0 stands for all words outside the vocabulary.
class word_tokenizer_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "word_tokenizer";  // in saved files: never changes
    static constexpr token_id unknown = 0;                      // and padding
    static constexpr std::string_view unknown_word = "[UNK]";

    /// `max_tokens` 0 = all. `unicode` is the version whose tables split and folded the words of the vocabulary.
    /// Throws `error`: `bad_data` unless exactly id 0 is reserved, `bad_utf8` with the token's number, `unsupported_version`.
    template <class = void>
    word_tokenizer_model(vocabulary words, bool lowercase, bool keep_punctuation, std::uint64_t max_tokens, std::uint32_t unicode = unicode_version)
        : words_(std::move(words)), short_words_(words_), lowercase_(lowercase), keep_punctuation_(keep_punctuation), max_tokens_(max_tokens),
          unicode_(unicode) {
        require(words_.reserved() == 1, errc::bad_data, "word_tokenizer: ", words_.reserved(), " reserved ids, must be 1");
        require(unicode <= unicode_version, errc::unsupported_version, "word_tokenizer: learnt with Unicode ", unicode / 100, ".", unicode % 100,
                ", this library has ", unicode_version / 100, ".", unicode_version % 100);
        for (std::size_t i = 0; i < words_.tokens().size(); ++i)
            require_at(find_bad_utf8(words_.tokens()[i]) == std::string_view::npos, errc::bad_utf8, {.row = i + 1}, "word_tokenizer: token ", i + 1,
                       " is not UTF-8");
    }

    /// One row a text; a text without words is an empty row.
    /// Throws `error` (`bad_utf8`) with the text's number (from 1) in `where().row` and the byte (from 1).
    template <class = void>
    [[nodiscard]] token_ids operator()(const std::vector<std::string>& texts) const {
        token_ids out;
        out.vocabulary_size = words_.size();
        out.unknown = out.padding = unknown;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            encode(texts[i], i + 1, [&](token_id id, std::size_t, std::size_t) { out.push_back(id); });
            out.close_row();
        }
        return out;
    }
    /// One text: the same ids as in a batch, in the workspace.
    template <class = void>
    [[nodiscard]] std::span<const token_id> operator()(std::string_view text, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const std::size_t most = max_tokens_ == 0 ? text.size() : static_cast<std::size_t>(std::min<std::uint64_t>(max_tokens_, text.size()));
        const auto ids = scratch.take<token_id>(most);  // a token has at least one byte
        std::size_t n = 0;
        encode(text, 1, [&](token_id id, std::size_t, std::size_t) { ids[n++] = id; });
        return ids.first(n);
    }
    /// The same without a workspace.
    template <std::convertible_to<std::string_view> Text>
    [[nodiscard]] std::vector<token_id> operator()(const Text& text) const {
        std::vector<token_id> out;
        encode(text, 1, [&](token_id id, std::size_t, std::size_t) { out.push_back(id); });
        return out;
    }

    /// Calls `token(id, begin, end)` for each token of a text, with its place in the text in bytes.
    /// Throws `error` (`bad_utf8`) with the byte.
    template <std::invocable<token_id, std::size_t, std::size_t> Token>
    void each_token(std::string_view text, Token&& token) const {
        encode(text, 1, token);
    }

    /// The words of ids, as the vocabulary has them; `unknown_word` for id 0. Throws `error` (`unknown_id`).
    template <class = void>
    [[nodiscard]] std::vector<std::string> decode(std::span<const token_id> ids) const {
        std::vector<std::string> out;
        out.reserve(ids.size());
        for (const token_id id : ids) out.emplace_back(id == unknown ? unknown_word : words_[id]);
        return out;
    }

    [[nodiscard]] const vocabulary& words() const noexcept { return words_; }
    [[nodiscard]] bool lowercase() const noexcept { return lowercase_; }
    [[nodiscard]] bool keep_punctuation() const noexcept { return keep_punctuation_; }
    [[nodiscard]] std::uint64_t max_tokens() const noexcept { return max_tokens_; }

    static constexpr std::array field_names{"words", "lowercase", "keep_punctuation", "max_tokens", "unicode"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(words_, lowercase_, keep_punctuation_, max_tokens_, unicode_); }

   private:
    friend struct word_tokenizer;

    // Calls `word` with each word as the vocabulary has it, or with nothing for one that is too long to be there.
    template <class Word>
    void normalized_words(std::string_view text, std::size_t row, const Word& word) const {
        require_utf8(text, row, kind);
        detail::token_buffer buffer;
        std::uint64_t n = 0;
        detail::scan_words(text, keep_punctuation_, [&](std::size_t begin, std::size_t end) {
            word(detail::normalized_word(text, begin, end, lowercase_, buffer));
            return ++n != max_tokens_;
        });
    }
    template <class Token>
    void encode(std::string_view text, std::size_t row, Token&& token) const {
        require_utf8(text, row, kind);
        detail::token_buffer buffer;
        std::uint64_t n = 0;
        detail::scan_words(text, keep_punctuation_, [&](std::size_t begin, std::size_t end) {
            const auto word = detail::normalized_word(text, begin, end, lowercase_, buffer);
            token_id id = word ? short_words_.find(*word, buffer) : unknown;
            if (id < 0) id = words_.find(*word).value_or(unknown);
            token(id, begin, end);
            return ++n != max_tokens_;
        });
    }

    vocabulary words_;
    detail::short_word_ids short_words_;
    bool lowercase_, keep_punctuation_;
    std::uint64_t max_tokens_;
    std::uint32_t unicode_;
};

/// Recipe for `word_tokenizer_model`: learns which words occur.
struct word_tokenizer {
    using stage_concept = recipe_tag;

    bool lowercase = true;  ///< by Unicode's simple mappings, and folded: "ΟΔΟΣ" and "οδος" with its final sigma are one word
    /// Rarer words are unknown. Words of customers include names, addresses and numbers, and the vocabulary is saved with
    /// the model: raise this (5, say) to keep out what only a few have written.
    std::size_t min_count = 1;
    std::size_t max_vocabulary = 50'000;  ///< the most frequent words; id 0 comes on top
    std::size_t max_tokens = 0;           ///< a text's first words; 0 = all
    bool keep_punctuation = false;        ///< as tokens of their own: commas, emoji, ...

    /// Ids from 1 by falling count, ties in the order of the bytes; so they do not depend on the order of the texts.
    /// Words above `vocabulary::max_token_bytes` bytes are not learnt.
    /// Throws `error`: `empty_input`; `bad_parameter`; `bad_utf8` with the text's number and the byte; `limit_exceeded`.
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] word_tokenizer_model fit(const Texts& texts, const fit_options&) const {
        require(min_count > 0, errc::bad_parameter, "word_tokenizer: min_count = 0, must be at least 1");
        require(max_vocabulary > 0, errc::bad_parameter, "word_tokenizer: max_vocabulary = 0, must be at least 1");
        require(!texts.empty(), errc::empty_input, "word_tokenizer: no texts to learn from");
        const word_tokenizer_model splitter(vocabulary({}, 1), lowercase, keep_punctuation, max_tokens);
        token_counts counts;
        for (std::size_t i = 0; i < texts.size(); ++i)
            splitter.normalized_words(texts[i], i + 1, [&](std::optional<std::string_view> word) {
                if (word) counts.add(*word);
            });
        return {counts.most_frequent(min_count, max_vocabulary, 1), lowercase, keep_punctuation, max_tokens};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
