#ifndef CARAMEL_TEXT_BPE_HPP
#define CARAMEL_TEXT_BPE_HPP

// Byte-level byte pair encoding, as GPT-2 has it: any bytes become tokens, and the tokens give the same bytes again.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
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
#include <caramel/pipeline.hpp>
#include <caramel/text/bpe_added_tokens.hpp>
#include <caramel/text/bpe_merges.hpp>
#include <caramel/text/bpe_pattern.hpp>
#include <caramel/text/bpe_training.hpp>
#include <caramel/text/encoding.hpp>
#include <caramel/text/vocabulary.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How byte pair encoding goes about a text.
struct bpe_settings {
    bool add_prefix_space = false;          ///< a text that does not begin with a space is read as if it did (so does RoBERTa)
    bool trim_offsets = false;              ///< spans leave out the spaces at the ends of tokens
    bool first_space_is_added = false;      ///< for `trim_offsets`: a single space where the text begins is not taken off
    bool whole_words = false;               ///< a piece that is in the vocabulary is that token, whatever merging gives (`ignore_merges`)
    std::optional<token_id> unknown = {};   ///< for bytes without a token; empty = every byte has one
    std::optional<token_id> padding = {};   ///< empty = none (-1)
    encode_options defaults = {};

    friend bool operator==(const bpe_settings&, const bpe_settings&) = default;
    static constexpr std::array field_names{"add_prefix_space", "trim_offsets", "first_space_is_added", "whole_words", "unknown", "padding", "defaults"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept {
        return std::tie(add_prefix_space, trim_offsets, first_space_is_added, whole_words, unknown, padding, defaults);
    }
};

/// Texts -> ids of tokens, by byte pair encoding of bytes (Radford et al., Language models are unsupervised multitask
/// learners, 2019; Sennrich, Haddow & Birch, ACL 2016). The ids are those of GPT-2's own program and of Hugging Face's
/// tokenizers, and so are the offsets: whole characters, also where a token is a part of one.
///
/// Any bytes may come in: a byte that is not part of well-formed UTF-8 counts as a symbol of its own, and
/// `decode(encode(text).ids) == text` for all of them (a prefix space that was added stays). Nothing is normalized.
class bpe_model : public text_encoder<bpe_model> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "bpe";  // in saved files: never changes

    /// `tokens` are written as in `vocab.json`, each byte as GPT-2's letter for it ("\u0120the" is " the"); a token with another
    /// letter stands for itself and is only given out by `added`. `merges` are pairs of ids, left and right one after the other, the first
    /// pair of the lowest rank. `added` tokens have the ids of tokens of the same text, or those behind the vocabulary.
    /// Throws `error`: `bad_data` (a merge whose parts or result are not in the vocabulary, with its number from 1 in
    /// `where().row`; an id outside the vocabulary), `duplicate_token`, `missing_unk` (a byte without a token),
    /// `duplicate_id`, `bad_id` (ids of added tokens that leave a hole), `empty_token`, `token_too_long`, `bad_utf8`,
    /// `limit_exceeded`.
    template <class = void>
    bpe_model(vocabulary tokens, std::vector<token_id> merges, std::vector<bpe_added_token> added = {}, special_tokens around = {}, bpe_settings settings = {})
        : tokens_(std::move(tokens)), merges_(std::move(merges)), added_(std::move(added)), around_(std::move(around)), settings_(settings) {
        require(tokens_.reserved() == 0, errc::bad_data, "bpe: ", tokens_.reserved(), " reserved ids, must be 0");
        size_ = size_with_added();
        around_.require_below(size_, "bpe");
        for (const auto& id : {settings_.unknown, settings_.padding})
            require(!id || (*id >= 0 && static_cast<std::size_t>(*id) < size_), errc::bad_data, "bpe: an id outside the vocabulary of ", size_);
        compiled_ = std::make_shared<const compiled>(*this);
    }

    /// The bytes of tokens, one after the other; without `special` added tokens where so wanted. Bytes that are not UTF-8 come
    /// out as they went in. Throws `error` (`unknown_id`).
    template <class = void>
    [[nodiscard]] std::string decode(std::span<const token_id> ids, bool skip_special = false) const {
        std::string out;
        for (const token_id id : ids) {
            require(id >= 0 && static_cast<std::size_t>(id) < size_, errc::unknown_id, "bpe: an id outside the vocabulary of ", size_);
            if (!skip_special || !compiled_->is_special[static_cast<std::size_t>(id)]) out += bytes_of(id);
        }
        return out;
    }
    /// The bytes that a token stands for. Throws `error` (`unknown_id`).
    template <class = void>
    [[nodiscard]] std::string_view operator[](token_id id) const {
        require(id >= 0 && static_cast<std::size_t>(id) < size_, errc::unknown_id, "bpe: an id outside the vocabulary of ", size_);
        return bytes_of(id);
    }

    [[nodiscard]] const vocabulary& tokens() const noexcept { return tokens_; }
    [[nodiscard]] const std::vector<token_id>& merges() const noexcept { return merges_; }
    [[nodiscard]] const std::vector<bpe_added_token>& added() const noexcept { return added_; }
    [[nodiscard]] const special_tokens& special() const noexcept { return around_; }
    [[nodiscard]] const bpe_settings& settings() const noexcept { return settings_; }
    [[nodiscard]] const encode_options& defaults() const noexcept { return settings_.defaults; }
    /// Tokens and added tokens.
    [[nodiscard]] std::size_t vocabulary_size() const noexcept { return size_; }
    template <class = void>
    [[nodiscard]] token_id unknown() const noexcept { return settings_.unknown.value_or(-1); }
    [[nodiscard]] token_id padding() const noexcept { return settings_.padding.value_or(-1); }

    // For `text_encoder`.
    [[nodiscard]] std::size_t most_tokens(std::size_t bytes) const noexcept { return settings_.add_prefix_space ? 2 * bytes + 1 : bytes; }
    template <class = void>
    std::size_t split(std::string_view text, std::size_t, token_id* ids, byte_span* offsets, std::size_t enough) const {
        return offsets == nullptr ? run<false>(text, ids, offsets, enough) : run<true>(text, ids, offsets, enough);
    }

    static constexpr std::array field_names{"tokens", "merges", "added", "special", "settings"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(tokens_, merges_, added_, around_, settings_); }

   private:
    // What is worked out from the fields; copies of the model share it.
    struct compiled {
        template <class = void>
        explicit compiled(const bpe_model& m) : is_special(m.size_), is_added(m.size_), splitter(m.added_), tables(make_tables(m)) {
            for (const bpe_added_token& token : m.added_) {
                is_special[static_cast<std::size_t>(token.id)] = token.special;
                is_added[static_cast<std::size_t>(token.id)] = true;
            }
        }
        template <class = void>
        detail::bpe_tables make_tables(const bpe_model& m) {
            std::vector<std::string_view> own(m.size_);  // added tokens decode to what they are written as
            for (const bpe_added_token& token : m.added_) own[static_cast<std::size_t>(token.id)] = token.text;
            starts.reserve(m.size_ + 1);
            starts.push_back(0);
            std::vector<bool> is_made_of_bytes(m.size_);
            for (std::size_t i = 0; i < m.size_; ++i) {
                const std::string_view written = i < m.tokens_.size() ? std::string_view(m.tokens_.tokens()[i]) : std::string_view();
                require_at(find_bad_utf8(written) == std::string_view::npos, errc::bad_utf8, {.row = i + 1}, "bpe: token ", i + 1, " is not UTF-8");
                const std::size_t begin = bytes.size();
                is_made_of_bytes[i] = detail::append_bytes(bytes, written) && begin < bytes.size();
                if (!is_made_of_bytes[i]) bytes += written;
                if (!own[i].empty() && std::string_view(bytes).substr(begin) != own[i]) {
                    bytes.resize(begin);
                    bytes += own[i];
                    is_made_of_bytes[i] = false;
                }
                starts.push_back(bytes.size());
            }
            const auto bytes_of = [&](std::size_t i) {
                return is_made_of_bytes[i] ? std::string_view(bytes).substr(starts[i], starts[i + 1] - starts[i]) : std::string_view();
            };
            return {m.size_, bytes_of, m.make_rules(), m.settings_.unknown, m.settings_.whole_words, "bpe"};
        }

        std::string bytes;  // of all tokens
        std::vector<std::size_t> starts;
        std::vector<bool> is_special, is_added;
        detail::added_token_splitter splitter;
        detail::bpe_tables tables;
    };

    template <class = void>
    [[nodiscard]] std::size_t size_with_added() const {
        std::vector<token_id> beyond;
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < added_.size(); ++i) {
            const auto& [text, id, single_word, strip_left, strip_right, normalized, is_special] = added_[i];
            const place where{.row = i + 1};
            require_at(!text.empty(), errc::empty_token, where, "bpe: added token ", i + 1, " is empty");
            require_at(text.size() <= vocabulary::max_token_bytes, errc::token_too_long, where, "bpe: added token ", i + 1, " has ", text.size(),
                       " bytes, the limit is ", vocabulary::max_token_bytes);
            require_at(find_bad_utf8(text) == std::string_view::npos, errc::bad_utf8, where, "bpe: added token ", i + 1, " is not UTF-8");
            require_at(id >= 0, errc::bad_id, where, "bpe: added token ", i + 1, " has a negative id");
            texts.push_back(text);
            if (static_cast<std::size_t>(id) < tokens_.size()) {
                require_at(tokens_.tokens()[static_cast<std::size_t>(id)] == text, errc::duplicate_id, where, "bpe: added token ", i + 1,
                           " has the id of another token");
            } else {
                require_at(!tokens_.find(text), errc::duplicate_token, where, "bpe: added token ", i + 1, " is in the vocabulary under another id");
                beyond.push_back(id);
            }
        }
        std::sort(texts.begin(), texts.end());
        require(std::adjacent_find(texts.begin(), texts.end()) == texts.end(), errc::duplicate_token, "bpe: an added token stands there twice");
        std::sort(beyond.begin(), beyond.end());
        for (std::size_t i = 0; i < beyond.size(); ++i) {
            const std::size_t expected = tokens_.size() + i, got = static_cast<std::size_t>(beyond[i]);
            require(i == 0 || beyond[i] != beyond[i - 1], errc::duplicate_id, "bpe: two added tokens have one id");
            require(got == expected, errc::bad_id, "bpe: an added token has the id ", got, " where ", expected, " comes next");
        }
        return tokens_.size() + beyond.size();
    }
    template <class = void>
    [[nodiscard]] std::vector<detail::bpe_rule> make_rules() const {
        require(merges_.size() % 2 == 0, errc::bad_data, "bpe: ", merges_.size(), " ids of merges, which are pairs");
        std::vector<detail::bpe_rule> rules;
        rules.reserve(merges_.size() / 2);
        std::string both;
        for (std::size_t i = 0; i + 1 < merges_.size(); i += 2) {
            const place where{.row = i / 2 + 1};
            const token_id left = merges_[i], right = merges_[i + 1];
            const auto known = [&](token_id id) { return id >= 0 && static_cast<std::size_t>(id) < tokens_.size(); };
            require_at(known(left) && known(right), errc::bad_data, where, "bpe: merge ", i / 2 + 1, " names an id outside the vocabulary of ", tokens_.size());
            both.assign(tokens_.tokens()[static_cast<std::size_t>(left)]).append(tokens_.tokens()[static_cast<std::size_t>(right)]);
            const auto result = tokens_.find(both);
            require_at(result.has_value(), errc::bad_data, where, "bpe: what merge ", i / 2 + 1, " makes is not in the vocabulary");
            rules.push_back({left, right, *result});
        }
        return rules;
    }

    [[nodiscard]] std::string_view bytes_of(token_id id) const noexcept {
        const std::size_t begin = compiled_->starts[static_cast<std::size_t>(id)];
        return {compiled_->bytes.data() + begin, compiled_->starts[static_cast<std::size_t>(id) + 1] - begin};
    }

    template <bool Places>
    std::size_t run(std::string_view text, token_id* ids, byte_span* offsets, std::size_t enough) const {
        detail::token_sink<Places, byte_span> sink{ids, offsets};
        if (compiled_->splitter.empty()) {
            run_part(text, 0, enough, sink);
        } else {
            compiled_->splitter.run(
                text,
                [&](std::size_t number, std::size_t begin, std::size_t end) {
                    sink.put(added_[number].id, static_cast<std::ptrdiff_t>(begin), static_cast<std::ptrdiff_t>(end));
                    return sink.n < enough;
                },
                [&](std::size_t begin, std::size_t end) {
                    run_part(text.substr(begin, end - begin), begin, enough, sink);
                    return sink.n < enough;
                });
        }
        if constexpr (Places)
            if (settings_.trim_offsets)
                for (std::size_t i = 0; i < sink.n; ++i) trim(text, i, ids[i], offsets[i]);
        return sink.n;
    }
    // A text between added tokens that begins at byte `from`.
    template <class Sink>
    void run_part(std::string_view text, std::size_t from, std::size_t enough, Sink& sink) const {
        const detail::gpt2_scanner scanner(text);
        std::size_t at = 0;
        if (settings_.add_prefix_space && !text.empty() && text[0] != ' ') at = with_space(text, scanner.next(0, true), from, sink);
        while (at < text.size() && sink.n < enough) {
            const auto piece = scanner.next(at);
            compiled_->tables.encode(text.data() + at, piece.end - at, text.size() - at, piece.ascii, static_cast<std::ptrdiff_t>(from + at), sink);
            at = piece.end;
        }
    }
    // The first piece, with a space before it that is not in the text: its tokens lie on the first character.
    template <class Sink>
    std::size_t with_space(std::string_view text, detail::gpt2_scanner::piece piece, std::size_t from, Sink& sink) const {
        std::array<char, 256> buffer;
        std::string larger;
        const std::size_t n = piece.end + 1;
        char* bytes = buffer.data();
        if (n > buffer.size()) {
            larger.resize(n);
            bytes = larger.data();
        }
        bytes[0] = ' ';
        std::memcpy(bytes + 1, text.data(), piece.end);
        const std::size_t first = sink.n;
        compiled_->tables.encode(bytes, n, n, piece.ascii, 0, sink);
        if constexpr (Sink::has_places) {
            const auto to_text = [&](std::uint32_t byte) { return static_cast<std::uint32_t>(from) + (byte == 0 ? 0 : byte - 1); };
            const auto first_length = static_cast<std::uint32_t>(detail::character_from(text, 0).length);
            for (std::size_t i = first; i < sink.n; ++i)
                sink.spans[i] = {to_text(sink.spans[i].begin), to_text(sink.spans[i].end == 1 ? 1 + first_length : sink.spans[i].end)};
        }
        return piece.end;
    }
    // As Hugging Face's ByteLevel post-processor does it, with what it does at the beginning of a text: tokens lose the spaces
    // that they begin and end with, added ones all white space of what they took in; as many characters as that are.
    template <class = void>
    void trim(std::string_view text, std::size_t number, token_id id, byte_span& span) const {
        const bool is_added = compiled_->is_added[static_cast<std::size_t>(id)];
        const std::string_view bytes = is_added ? text.substr(span.begin, span.end - span.begin) : bytes_of(id);
        const auto is_space = [&](char32_t c) { return is_added ? detail::is_white_space(c) : c == U' '; };
        std::size_t leading = 0, trailing = 0;
        for (std::size_t at = 0; at < bytes.size(); ++leading) {
            const auto [c, length] = detail::character_from(bytes, at);
            if (!is_space(c)) break;
            at += length;
        }
        for (std::size_t end = bytes.size(); end > 0; ++trailing) {
            const auto [c, length] = detail::character_before(bytes, end);
            if (!is_space(c)) break;
            end -= length;
        }
        if (leading == 1 && settings_.first_space_is_added && (number == 0 || span.begin == 0)) leading = 0;
        for (; leading > 0 && span.begin < span.end; --leading)
            span.begin = std::min(span.begin + static_cast<std::uint32_t>(detail::character_from(text, span.begin).length), span.end);
        for (; trailing > 0 && span.begin < span.end; --trailing)
            span.end -= std::min(static_cast<std::uint32_t>(detail::character_before(text, span.end).length), span.end - span.begin);
    }

    vocabulary tokens_;
    std::vector<token_id> merges_;
    std::vector<bpe_added_token> added_;
    special_tokens around_;
    bpe_settings settings_;
    std::size_t size_ = 0;
    std::shared_ptr<const compiled> compiled_;
};

/// Recipe for `bpe_model`: learns merges from texts, the most frequent pair first.
struct bpe {
    using stage_concept = recipe_tag;

    std::size_t vocabulary_size = 30'000;           ///< special tokens, the 256 bytes and one token a merge; at least the first two
    std::size_t min_frequency = 2;                  ///< pairs that occur less often are not merged
    std::size_t max_token_bytes = 256;              ///< longer tokens are not made
    bool add_prefix_space = false;                  ///< see `bpe_settings`
    std::vector<std::string> special_tokens = {};   ///< such as "<|endoftext|>": found in texts as they are written; ids from 0 on

    /// As Hugging Face's trainer: ids are the special tokens, then the bytes, then the merges; of equally frequent pairs that
    /// of the lower ids first; so they do not depend on the order of the texts. Words of customers become tokens, and the
    /// model is saved with them: see `min_frequency`. Any bytes, as in the model.
    /// Throws `error`: `empty_input`; `bad_parameter`; `duplicate_token`, `empty_token`, `token_too_long`, `bad_utf8` in a special token.
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] bpe_model fit(const Texts& texts, const fit_options&) const {
        require(!texts.empty(), errc::empty_input, "bpe: no texts to learn from");
        require(min_frequency > 0, errc::bad_parameter, "bpe: min_frequency = 0, must be at least 1");
        require(max_token_bytes > 0 && max_token_bytes <= vocabulary::max_token_bytes / 2, errc::bad_parameter, "bpe: max_token_bytes = ", max_token_bytes,
                ", must lie in 1 .. ", vocabulary::max_token_bytes / 2);
        const std::size_t first = special_tokens.size() + 256;
        require(vocabulary_size >= first, errc::bad_parameter, "bpe: vocabulary_size = ", vocabulary_size, ", but bytes and special tokens are ", first);
        std::vector<bpe_added_token> added;
        for (std::size_t i = 0; i < special_tokens.size(); ++i) {
            require(i < 1'000'000, errc::limit_exceeded, "bpe: ", special_tokens.size(), " special tokens");
            added.push_back({.text = special_tokens[i], .id = static_cast<token_id>(i)});
        }
        const detail::added_token_splitter splitter(added);
        detail::bpe_trainer trainer;
        for (const std::string& text : texts)
            splitter.run(
                text, [](std::size_t, std::size_t, std::size_t) { return true; },
                [&](std::size_t begin, std::size_t end) {
                    trainer.add(std::string_view(text).substr(begin, end - begin), add_prefix_space);
                    return true;
                });
        auto learnt = trainer.train(special_tokens, vocabulary_size, min_frequency, max_token_bytes);
        return {vocabulary(std::move(learnt.tokens)), std::move(learnt.merges), std::move(added), {}, {.add_prefix_space = add_prefix_space}};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
