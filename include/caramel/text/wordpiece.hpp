#ifndef CARAMEL_TEXT_WORDPIECE_HPP
#define CARAMEL_TEXT_WORDPIECE_HPP

// BERT's WordPiece: texts -> ids of words and pieces of words, the same ids as the pretrained models were trained with.
// text/wordpiece_fit.hpp learns a vocabulary; text/tokenizer_json.hpp reads tokenizer.json.

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/bert_characters.hpp>
#include <caramel/text/byte_trie.hpp>
#include <caramel/text/encoding.hpp>
#include <caramel/text/vocabulary.hpp>
#include <caramel/text/vocabulary_file.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How WordPiece splits and writes words. The defaults are those of BERT's uncased models.
struct wordpiece_rules {
    bert_rules rules = bert_rules::hugging_face;
    bool lowercase = true;
    std::optional<bool> strip_accents = {};  ///< empty = as `lowercase`
    bool clean = true;                       ///< control characters are dropped, white space is all one
    bool split_chinese = true;               ///< each ideograph is a word
    word_split split = word_split::words;
    std::uint64_t max_word_chars = 0;        ///< longer words are unknown; 0 = 100, and 200 with google's rules
    bool whole_words = false;                ///< a word is in the vocabulary or unknown: never in pieces
    std::string unknown = "[UNK]";           ///< the token of what is not in the vocabulary
    std::string continuing = "##";           ///< begins the pieces that continue a word

    friend bool operator==(const wordpiece_rules&, const wordpiece_rules&) = default;
    static constexpr std::array field_names{"rules", "lowercase", "strip_accents", "clean", "split_chinese", "split", "max_word_chars", "whole_words", "unknown",
                                            "continuing"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept {
        return std::tie(rules, lowercase, strip_accents, clean, split_chinese, split, max_word_chars, whole_words, unknown, continuing);
    }
};

/// A token that is found in texts before they are split into words, such as "[MASK]".
struct added_token {
    std::string text = {};
    token_id id = 0;
    bool special = true;      ///< left out of decoded text
    bool normalized = false;  ///< found in the cleaned text without accents and in lower case; else in the text as it stands

    friend bool operator==(const added_token&, const added_token&) = default;
    static constexpr std::array field_names{"text", "id", "special", "normalized"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(text, id, special, normalized); }
};

namespace detail {

/// Words of up to 15 bytes -> ids, by one load and two compares.
class short_words {
   public:
    static constexpr std::size_t most_bytes = 15;
    struct word {
        std::uint64_t low = 0, high = 0;  // the bytes, zeros behind them

        friend bool operator==(const word&, const word&) = default;
    };

    short_words() = default;
    template <class = void>
    explicit short_words(const std::vector<std::string>& tokens) {
        const auto fits = [](const std::string& t) { return t.size() <= most_bytes; };
        const auto n = static_cast<std::size_t>(std::count_if(tokens.begin(), tokens.end(), fits));
        slots_.resize(std::bit_ceil(2 * n + max_probes));
        shift_ = static_cast<unsigned>(64 - std::countr_zero(slots_.size()));
        for (std::size_t i = 0; i < tokens.size(); ++i)
            if (fits(tokens[i])) insert(pack(tokens[i].data(), tokens[i].size()), static_cast<token_id>(i));
    }
    /// Up to 15 bytes.
    [[nodiscard]] static word pack(const char* text, std::size_t n) noexcept {
        if (n <= 8) return {load_bytes(text, n), 0};
        return {load_word<std::uint64_t>(text), load_bytes(text + 8, n - 8)};
    }
    /// -1 where it is not there; words that share a place with too many others are left out, and found by the trie.
    [[nodiscard]] token_id find(const word& w) const noexcept {
        std::size_t at = place(w);
        for (std::size_t i = 0; i < max_probes; ++i, at = (at + 1) & (slots_.size() - 1)) {
            const slot& s = slots_[at];
            if (s.text == w) return s.id;
            if (s.id < 0) return -1;
        }
        return -1;
    }

   private:
    static constexpr std::size_t max_probes = 16;
    struct slot {
        word text;
        token_id id = -1;
    };
    [[nodiscard]] std::size_t place(const word& w) const noexcept {
        const std::uint64_t mixed = (w.low ^ (w.high * 0x9e3779b97f4a7c15U)) * 0xbf58476d1ce4e5b9U;
        return static_cast<std::size_t>((mixed ^ (mixed >> 29)) * 0x94d049bb133111ebU >> shift_);
    }
    void insert(const word& w, token_id id) {
        std::size_t at = place(w);
        for (std::size_t i = 0; i < max_probes; ++i, at = (at + 1) & (slots_.size() - 1))
            if (slots_[at].id < 0) {
                slots_[at] = {w, id};
                return;
            }
    }

    std::vector<slot> slots_;
    unsigned shift_ = 63;
};

// A word as it is looked up: its bytes, and of each the place in the text that it comes from.
class word_text {
   public:
    word_text() = default;
    word_text(const word_text&) = delete;
    word_text& operator=(const word_text&) = delete;
    template <class = void>
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] const char* data() const noexcept { return bytes_; }
    [[nodiscard]] byte_span places(std::size_t begin, std::size_t end) const noexcept { return {places_[begin].begin, places_[end - 1].end}; }
    template <class = void>
    void append(const char* bytes, std::size_t n, byte_span from) {
        if (size_ + n > room_) [[unlikely]]
            grow(n);
        for (std::size_t i = 0; i < n; ++i) {
            bytes_[size_ + i] = bytes[i];
            places_[size_ + i] = from;
        }
        size_ += n;
    }

   private:
    static constexpr std::size_t first_room = 1024;  // words up to 256 code points need no memory from elsewhere
    template <class = void>
    CARAMEL_COLD void grow(std::size_t n) {
        const std::size_t room = std::max(2 * room_, size_ + n);
        std::vector<char> bytes(room);
        std::vector<byte_span> places(room);
        std::copy_n(bytes_, size_, bytes.begin());
        std::copy_n(places_, size_, places.begin());
        more_bytes_.swap(bytes);
        more_places_.swap(places);
        bytes_ = more_bytes_.data();
        places_ = more_places_.data();
        room_ = room;
    }

    char first_bytes_[first_room];
    byte_span first_places_[first_room];
    char* bytes_ = first_bytes_;
    byte_span* places_ = first_places_;
    std::size_t size_ = 0, room_ = first_room;
    std::vector<char> more_bytes_;
    std::vector<byte_span> more_places_;
};

}  // namespace detail

/// Texts -> ids of words, and of pieces of words where a word is not in the vocabulary: of each word the longest piece that
/// the vocabulary has, then the longest that continues it, and so on; a word that cannot be cut this way is unknown (Wu et
/// al., arXiv:1609.08144; Devlin et al., arXiv:1810.04805). Offsets are in bytes of the text as it was given.
///
/// Immutable: any number of threads may call it. Linear time for any text.
class wordpiece_model : public text_encoder<wordpiece_model> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "wordpiece";  // in saved files: never changes
    static constexpr std::uint64_t most_word_chars = 100'000;

    /// Throws `error`: `missing_unk` unless the vocabulary has the unknown token; `bad_data` on reserved ids, and on special
    /// or added tokens outside the vocabulary; `bad_parameter` on `max_word_chars` above 100,000; `bad_utf8`, `nul_byte`
    /// with the token's number; `duplicate_token`, `empty_token` for added tokens.
    template <class = void>
    wordpiece_model(vocabulary words, wordpiece_rules rules, special_tokens special, std::vector<added_token> added, encode_options defaults)
        : words_(std::move(words)), rules_(std::move(rules)), special_(std::move(special)), added_(std::move(added)), defaults_(defaults),
          unknown_(check()), short_words_(words_.tokens()),
          characters_(steps(), unknown_, words_.tokens(), [this](std::string_view token) { return words_.find(token).value_or(unknown_); }) {
        max_chars_ = static_cast<std::size_t>(rules_.max_word_chars != 0 ? rules_.max_word_chars : rules_.rules == bert_rules::google ? 200 : 100);
        if (rules_.whole_words) max_chars_ = std::numeric_limits<std::size_t>::max();
        build_tries();
        padding_ = words_.find("[PAD]").value_or(unknown_);
    }

    /// How many ids there are: the vocabulary and added tokens.
    [[nodiscard]] std::size_t vocabulary_size() const noexcept { return size_; }
    [[nodiscard]] token_id unknown() const noexcept { return unknown_; }
    [[nodiscard]] token_id padding() const noexcept { return padding_; }  ///< "[PAD]", else the unknown token
    [[nodiscard]] const special_tokens& special() const noexcept { return special_; }
    [[nodiscard]] const encode_options& defaults() const noexcept { return defaults_; }
    [[nodiscard]] const vocabulary& words() const noexcept { return words_; }
    [[nodiscard]] const wordpiece_rules& rules() const noexcept { return rules_; }
    [[nodiscard]] const std::vector<added_token>& added() const noexcept { return added_; }

    /// The token of an id. Throws `error` (`unknown_id`).
    template <class = void>
    [[nodiscard]] std::string_view token(token_id id) const {
        if (id >= 0 && static_cast<std::size_t>(id) < words_.size()) return words_[id];
        for (const added_token& a : added_)
            if (a.id == id) return a.text;
        fail(errc::unknown_id, place{}, "wordpiece: an id outside the vocabulary of ", size_);
    }
    /// The tokens joined: a piece to what it continues, all else with a space, and (`tidy`) punctuation and English
    /// contractions to the word before, as Hugging Face's decoder does. Throws `error` (`unknown_id`).
    template <class = void>
    [[nodiscard]] std::string decode(std::span<const token_id> ids, bool skip_special = true, bool tidy = true) const {
        std::string out;
        bool first = true;
        for (const token_id id : ids) {
            const std::string_view text = token(id);
            if (skip_special && is_special(id)) continue;
            std::string piece;
            if (first) piece = text;
            else if (!rules_.continuing.empty() && text.starts_with(rules_.continuing)) piece = text.substr(rules_.continuing.size());
            else piece.append(" ").append(text);
            first = false;
            if (tidy) tidy_up(piece);
            out += piece;
        }
        return out;
    }

    /// Calls `word(text)` with each word of the text as it is looked up (cleaned, in lower case, ...), but for added tokens and
    /// words above the limit. Throws `error` (`bad_utf8`) with `row` and the byte.
    template <std::invocable<std::string_view> Word>
    void for_each_word(std::string_view text, std::size_t row, const Word& found) const {
        require_utf8(text, row, kind);
        for (std::size_t at = 0, begin = 0; at < text.size();) {
            char32_t c = 0;
            const std::size_t length = point_at(text, at, c);
            const detail::bert_entry& e = characters_[c];
            if (const std::size_t added = e.may_be_added ? added_at(text, at).second : 0; added != 0) {
                at += added;
                begin = at;
            } else if (e.kind == kinds::alone) {
                std::array<char32_t, detail::bert_characters::most_parts> points{};
                char bytes[4];
                if (normal_points(c, points) > 0) found(std::string_view(bytes, encode_utf8(points[0], bytes)));
                at += length;
            } else if (e.kind == kinds::space || e.kind == kinds::removed) {
                at += length;
            } else {
                detail::word_text word;
                std::size_t chars = 0;
                byte_span all{0, 0};
                at = read_word(text, row, begin, at, word, chars, all);
                if (chars > 0 && chars <= max_chars_) found(std::string_view(word.data(), word.size()));
            }
        }
    }

    static constexpr std::array field_names{"words", "rules", "special", "added", "defaults"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(words_, rules_, special_, added_, defaults_); }

    // What `text_encoder` asks for.
    [[nodiscard]] static std::size_t most_tokens(std::size_t bytes) noexcept { return bytes; }
    template <class = void>
    std::size_t split(std::string_view text, std::size_t row, token_id* ids, byte_span* offsets, std::size_t enough) const {
        return offsets != nullptr ? scan<true>(text, row, ids, offsets, enough) : scan<false>(text, row, ids, offsets, enough);
    }

   private:
    using kinds = detail::bert_kind;

    [[nodiscard]] detail::bert_steps steps() const noexcept {
        return {rules_.rules, rules_.clean, rules_.split_chinese, rules_.strip_accents.value_or(rules_.lowercase), rules_.lowercase, rules_.split};
    }
    // The id of the unknown token, once everything belongs together.
    template <class = void>
    [[nodiscard]] token_id check() {
        require(words_.reserved() == 0, errc::bad_data, "wordpiece: ", words_.reserved(), " reserved ids, must be 0");
        require(rules_.max_word_chars <= most_word_chars, errc::bad_parameter, "wordpiece: max_word_chars = ", rules_.max_word_chars, ", must be at most ",
                most_word_chars);
        require(rules_.rules <= bert_rules::google && rules_.split <= word_split::none, errc::bad_data, "wordpiece: rules that this library does not know");
        require(rules_.split != word_split::none || (!rules_.split_chinese && rules_.rules == bert_rules::hugging_face), errc::bad_parameter,
                "wordpiece: a text that is one word cannot be split at Chinese characters");
        for (std::size_t i = 0; i < words_.tokens().size(); ++i) check_text(words_.tokens()[i], i + 1, "token ");
        const auto unknown = words_.find(rules_.unknown);
        require(unknown.has_value(), errc::missing_unk, "wordpiece: the vocabulary of ", words_.size(), " has no unknown token");
        size_ = words_.size();
        for (const added_token& a : added_) size_ = std::max(size_, static_cast<std::size_t>(a.id < 0 ? 0 : a.id) + 1);
        require(size_ <= words_.size() + added_.size(), errc::bad_data, "wordpiece: ids of added tokens leave holes behind the vocabulary of ", words_.size());
        std::vector<std::string_view> texts;
        for (std::size_t i = 0; i < added_.size(); ++i) {
            const added_token& a = added_[i];
            require(!a.text.empty(), errc::empty_token, "wordpiece: added token ", i + 1, " is empty");
            check_text(a.text, i + 1, "added token ");
            const auto known = words_.find(a.text);
            require(a.id >= 0 && (known ? *known == a.id : static_cast<std::size_t>(a.id) >= words_.size()), errc::bad_data, "wordpiece: added token ", i + 1,
                    " and the vocabulary differ");
            texts.emplace_back(a.text);
        }
        std::sort(texts.begin(), texts.end());
        require(std::adjacent_find(texts.begin(), texts.end()) == texts.end(), errc::duplicate_token, "wordpiece: an added token stands there twice");
        special_.require_below(size_, kind);
        return *unknown;
    }
    template <class = void>
    static void check_text(const std::string& text, std::size_t row, std::string_view what) {
        require_at(text.find('\0') == std::string::npos, errc::nul_byte, {.row = row}, "wordpiece: ", what, row, " holds a zero byte");
        require_at(find_bad_utf8(text) == std::string_view::npos, errc::bad_utf8, {.row = row}, "wordpiece: ", what, row, " is not UTF-8");
    }
    template <class = void>
    void build_tries() {
        std::vector<detail::byte_trie::key> whole, continuing;
        whole.reserve(words_.size());
        const std::string_view prefix = rules_.continuing;
        for (std::size_t i = 0; i < words_.tokens().size(); ++i) {
            const std::string_view token = words_.tokens()[i];
            const auto id = static_cast<std::int32_t>(i);
            whole.push_back({token, id});
            if (token.starts_with(prefix) && token.size() > prefix.size()) continuing.push_back({token.substr(prefix.size()), id});
        }
        whole_ = trie_.add(std::move(whole));
        continuing_ = trie_.add(std::move(continuing));
        std::vector<detail::byte_trie::key> texts, normal_texts;
        std::vector<std::string> normal;
        const auto mark = [&](char32_t first) {
            characters_.mark_added(first);
            if (first < 128 && is_alphanumeric(static_cast<char>(first))) added_begins_word_ = true;
        };
        for (const added_token& a : added_)
            if (a.normalized) normal.push_back(normal_text(a.text));
        std::size_t n = 0;
        for (const added_token& a : added_) {
            std::size_t at = 0;
            if (a.normalized) {
                normal_texts.push_back({normal[n], a.id});
                characters_.for_each_origin(decode_utf8(normal[n++], at), mark);
            } else {
                texts.push_back({a.text, a.id});
                mark(decode_utf8(a.text, at));
            }
        }
        std::sort(normal.begin(), normal.end());
        require(std::adjacent_find(normal.begin(), normal.end()) == normal.end(), errc::duplicate_token, "wordpiece: two added tokens are one in lower case");
        has_normal_tokens_ = !normal_texts.empty();
        added_root_ = trie_.add(std::move(texts));
        normal_root_ = trie_.add(std::move(normal_texts));
        trie_.finish();
        for (const added_token& a : added_)
            if (a.special) special_ids_.push_back(a.id);
        std::sort(special_ids_.begin(), special_ids_.end());
        fast_ascii_ = rules_.split == word_split::words && !added_begins_word_;
    }
    template <class = void>
    [[nodiscard]] bool is_special(token_id id) const noexcept { return std::binary_search(special_ids_.begin(), special_ids_.end(), id); }
    [[nodiscard]] static bool is_alphanumeric(char c) noexcept {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    template <class = void>
    static void tidy_up(std::string& piece) {
        struct change {
            std::string_view from, to;
        };
        static constexpr change changes[] = {{" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
                                             {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
        for (const auto& [from, to] : changes)
            for (std::size_t at = 0; (at = piece.find(from, at)) != std::string::npos; at += to.size()) piece.replace(at, from.size(), to);
    }

    // Where the tokens of a text go.
    template <bool Places>
    struct sink {
        token_id* ids;
        byte_span* offsets;
        std::size_t n = 0;

        void add(std::uint32_t id, std::size_t begin, std::size_t end) noexcept {
            ids[n] = static_cast<token_id>(id);
            if constexpr (Places) offsets[n] = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
            ++n;
        }
    };

    // A word whose bytes are in hand, in pieces; `place(begin, end)` says where they are from.
    template <bool Places, class Place>
    void add_pieces(const char* word, std::size_t size, const Place& place, sink<Places>& out) const {
        const std::size_t before = out.n;
        const auto unknown = [&] {
            out.n = before;
            const byte_span all = place(std::size_t{0}, size);
            out.add(static_cast<std::uint32_t>(unknown_), all.begin, all.end);
        };
        if (rules_.whole_words) {
            const std::int32_t id = trie_.find(whole_, {word, size});
            if (id < 0) return unknown();
            const byte_span all = place(std::size_t{0}, size);
            return out.add(static_cast<std::uint32_t>(id), all.begin, all.end);
        }
        for (std::size_t at = 0; at < size;) {
            const auto [id, length] = trie_.longest(at == 0 ? whole_ : continuing_, {word + at, size - at});
            if (id < 0) return unknown();
            const byte_span span = place(at, at + length);
            out.add(static_cast<std::uint32_t>(id), span.begin, span.end);
            at += length;
        }
    }

    // The code point at `at`; its length, or 0 where the text is not UTF-8.
    [[nodiscard]] static std::size_t point_at(std::string_view text, std::size_t at, char32_t& c) noexcept {
        const std::size_t length = detail::utf8_sequence_length(text.data() + at, text.size() - at);
        if (length != 0) {
            std::size_t next = at;
            c = decode_utf8(text, next);
        }
        return length;
    }
    // The id of the added token that the text has at `at`, and its length; 0 if there is none.
    template <class = void>
    [[nodiscard]] std::pair<std::int32_t, std::size_t> added_at(std::string_view text, std::size_t at) const noexcept {
        const auto found = trie_.longest(added_root_, text.substr(at));
        return found.second != 0 || !has_normal_tokens_ ? found : normal_added_at(text, at);
    }
    template <class = void>
    [[nodiscard]] CARAMEL_COLD std::pair<std::int32_t, std::size_t> normal_added_at(std::string_view text, std::size_t begin) const noexcept {
        std::pair<std::int32_t, std::size_t> best{-1, 0};
        std::uint32_t node = normal_root_;
        for (std::size_t at = begin; at < text.size();) {
            char32_t c = 0;
            const std::size_t length = point_at(text, at, c);
            if (length == 0 || (at != begin && trie_.longest(added_root_, text.substr(at)).second != 0)) break;
            std::array<char32_t, detail::bert_characters::most_parts> points{};
            const std::size_t n = normal_points(c, points);
            for (std::size_t i = 0; i < n && node != detail::byte_trie::nowhere; ++i) {
                char bytes[4];
                const std::size_t size = encode_utf8(points[i], bytes);
                for (std::size_t k = 0; k < size && node != detail::byte_trie::nowhere; ++k) node = trie_.step(node, static_cast<unsigned char>(bytes[k]));
            }
            if (node == detail::byte_trie::nowhere || characters_.is_chinese(c)) break;
            at += length;
            if (n > 0 && trie_.number(node) >= 0) best = {trie_.number(node), at - begin};
        }
        return best;
    }
    // What is left of a code point before words are split.
    template <class = void>
    std::size_t normal_points(char32_t c, std::array<char32_t, detail::bert_characters::most_parts>& points) const noexcept {
        const kinds k = characters_[c].kind;
        if (k == kinds::removed) return 0;
        if (k == kinds::space && rules_.clean) {
            points[0] = U' ';
            return 1;
        }
        return characters_.normal_points(c, points);
    }
    template <class = void>
    [[nodiscard]] std::string normal_text(std::string_view text) const {
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            const char32_t c = decode_utf8(text, at);
            std::array<char32_t, detail::bert_characters::most_parts> points{};
            const std::size_t n = normal_points(c, points);
            require(!characters_.is_chinese(c), errc::bad_parameter, "wordpiece: an added token with Chinese characters cannot be normalized");
            for (std::size_t i = 0; i < n; ++i) {
                char bytes[4];
                out.append(bytes, encode_utf8(points[i], bytes));
            }
        }
        require(!out.empty(), errc::empty_token, "wordpiece: nothing is left of an added token");
        return out;
    }

    // Reads a word from `at`, where its first code point is, to behind its last one; returns where that is. `begin` is where
    // the text before it ends: that of an added token, or 0. Of words above the limit only the first code points are kept.
    template <class = void>
    std::size_t read_word(std::string_view text, std::size_t row, std::size_t begin, std::size_t at, detail::word_text& word, std::size_t& chars,
                          byte_span& all) const {
        chars = 0;
        all = {0, 0};
        const auto append = [&](const char* bytes, std::size_t n, byte_span from) {
            if (chars == 0) all.begin = from.begin;
            all.end = from.end;
            if (++chars <= max_chars_) word.append(bytes, n, from);
        };
        const auto append_entry = [&](const detail::bert_entry& e, byte_span from) {
            char bytes[4];
            std::memcpy(bytes, &e.text, 4);
            append(bytes, e.length, from);
        };
        while (at < text.size()) {
            char32_t c = 0;
            const std::size_t length = point_at(text, at, c);
            if (length == 0) refuse(text, row);
            const detail::bert_entry& e = characters_[c];
            if (e.kind == kinds::space || e.kind == kinds::alone) break;
            if (e.may_be_added && added_at(text, at).second != 0) break;
            const byte_span here{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + length)};
            if (e.reorders) {
                at = add_run_of_marks(text, row, begin, at, append);
                continue;
            }
            if (e.kind == kinds::self) {
                append(text.data() + at, length, here);
            } else if (e.kind == kinds::mapped) {
                append_entry(e, here);
            } else if (e.kind == kinds::many || e.kind == kinds::hangul) {
                detail::bert_characters::parts parts{};
                const std::size_t n = characters_.expand(c, e, parts);
                for (std::size_t i = 0; i < n; ++i) append_entry(parts[i], here);
            } else if (e.kind == kinds::sigma) {
                append_entry(detail::bert_characters::text_entry(characters_.is_final_sigma(text, at, at + length) ? 0x3C2 : 0x3C3), here);
            }
            at += length;
        }
        return at;
    }
    template <bool Places>
    std::size_t any_word(std::string_view text, std::size_t row, std::size_t begin, std::size_t at, sink<Places>& out) const {
        detail::word_text word;
        std::size_t chars = 0;
        byte_span all{0, 0};
        at = read_word(text, row, begin, at, word, chars, all);
        if (chars == 0) return at;
        if (chars > max_chars_) {
            out.add(static_cast<std::uint32_t>(unknown_), all.begin, all.end);
            return at;
        }
        if (word.size() <= detail::short_words::most_bytes && word_has_no_zero(word)) {
            const token_id id = short_words_.find(detail::short_words::pack(word.data(), word.size()));
            if (id >= 0) {
                out.add(static_cast<std::uint32_t>(id), all.begin, all.end);
                return at;
            }
        }
        add_pieces<Places>(word.data(), word.size(), [&](std::size_t from, std::size_t to) { return word.places(from, to); }, out);
        return at;
    }
    [[nodiscard]] bool word_has_no_zero(const detail::word_text& word) const noexcept {
        return rules_.clean || std::memchr(word.data(), 0, word.size()) == nullptr;
    }

    // Marks that stay in the text although accents are stripped, and that canonical order may move past others. What comes
    // before them in the run has been passed over; all of the run is put in order here. Returns where it ends.
    template <class Append>
    CARAMEL_COLD std::size_t add_run_of_marks(std::string_view text, std::size_t row, std::size_t begin, std::size_t at, const Append& append) const {
        struct mark {
            detail::bert_entry entry;
            unsigned order;
            bool in_text, stays;  // in_text: takes the next place of the text; else it shares the one before
            char32_t point;
        };
        std::vector<mark> marks;
        std::vector<byte_span> places;
        char32_t c = 0;
        std::size_t length = point_at(text, at, c);
        byte_span last{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + length)};
        if (characters_[c].kind == kinds::many) {  // a base with marks
            detail::bert_characters::parts parts{};
            const std::size_t n = characters_.expand(c, characters_[c], parts);
            for (std::size_t i = 0; i < n; ++i) {
                char bytes[4];
                std::memcpy(bytes, &parts[i].text, 4);
                std::size_t zero = 0;
                const char32_t point = decode_utf8({bytes, parts[i].length}, zero);
                const unsigned order = characters_.order(point);
                if (order == 0) append(bytes, parts[i].length, last);
                else marks.push_back({parts[i], order, false, true, point});
            }
            at += length;
        } else {
            while (at > begin) {  // back to what stays in its place
                std::size_t before = at;
                do --before;
                while ((static_cast<unsigned char>(text[before]) & 0xC0) == 0x80);
                (void)point_at(text, before, c);
                if (characters_[c].kind != kinds::removed || (characters_.order(c) == 0 && !characters_.is_cleaned(c))) break;
                at = before;
            }
        }
        while (at < text.size()) {
            length = point_at(text, at, c);
            if (length == 0) refuse(text, row);
            const detail::bert_entry& e = characters_[c];
            const unsigned order = characters_.order(c);
            if (!(e.kind == kinds::removed && characters_.is_cleaned(c))) {
                if (order == 0 || (e.kind != kinds::removed && !e.reorders)) break;
                marks.push_back({e, order, true, e.kind != kinds::removed, c});
                places.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + length)});
            }
            at += length;
        }
        std::stable_sort(marks.begin(), marks.end(), [](const mark& a, const mark& b) { return a.order < b.order; });
        std::size_t next = 0;
        for (const mark& m : marks) {
            if (m.in_text) last = places[next++];
            if (!m.stays) continue;
            char bytes[4];
            append(bytes, encode_utf8(m.point, bytes), last);
        }
        return at;
    }

    template <class = void>
    [[noreturn]] CARAMEL_COLD static void refuse(std::string_view text, std::size_t row) {
        require_utf8(text, row, kind);
        fail(errc::bad_utf8, {.row = row}, "wordpiece: text ", row, " is not UTF-8");
    }

    // A word of ASCII letters and digits from `at` on, in lower case where that is asked for: its bytes, zeros behind them,
    // and its length; 16 where it is longer than fits.
    struct ascii_word {
        detail::short_words::word text;
        std::size_t length;
    };
    [[nodiscard]] CARAMEL_ALWAYS_INLINE ascii_word ascii_word_at(std::string_view text, std::size_t at) const noexcept {
        char bytes[16];
        const std::size_t left = text.size() - at;
        if (left >= 16) {
            std::memcpy(bytes, text.data() + at, 16);
        } else {
            std::memset(bytes, 0, 16);
            std::memcpy(bytes, text.data() + at, left);
        }
        ascii_word out;
#if CARAMEL_BYTE_VECTORS
        detail::bytes16 x;
        std::memcpy(&x, bytes, 16);
        const auto within = [](detail::bytes16 v, unsigned char first, unsigned char n) {
            return reinterpret_cast<detail::bytes16>(static_cast<detail::bytes16>(v - first) < static_cast<unsigned char>(n));
        };
        const detail::bytes16 lower = x | static_cast<unsigned char>(0x20);  // letters in lower case, digits as they are
        const detail::bytes16 word = within(lower, 'a', 26) | within(x, '0', 10);
        if (rules_.lowercase) x = lower;
        out.length = static_cast<std::size_t>(std::countr_one(detail::high_bits(word)));
        std::uint64_t halves[2];
        std::memcpy(halves, &x, 16);
#else
        std::size_t n = 0;
        for (; n < 16 && is_alphanumeric(bytes[n]); ++n)
            if (rules_.lowercase && bytes[n] >= 'A' && bytes[n] <= 'Z') bytes[n] = static_cast<char>(bytes[n] + 32);
        out.length = n;
        std::uint64_t halves[2];
        std::memcpy(halves, bytes, 16);
#endif
        const std::size_t bits = 8 * out.length;
        out.text.low = bits >= 64 ? halves[0] : halves[0] & ((std::uint64_t{1} << bits) - 1);
        out.text.high = bits <= 64 ? 0 : bits >= 128 ? halves[1] : halves[1] & ((std::uint64_t{1} << (bits - 64)) - 1);
        return out;
    }

    template <bool Places>
    std::size_t scan(std::string_view text, std::size_t row, token_id* ids, byte_span* offsets, std::size_t enough) const {
        sink<Places> out{ids, offsets};
        const std::size_t size = text.size();
        std::size_t at = 0, begin = 0;  // `begin`: behind the last added token
        while (at < size && out.n < enough) {
            const auto byte = static_cast<unsigned char>(text[at]);
            if (byte < 0x80) {
                const detail::bert_entry& e = characters_.ascii(byte);
                if (e.kind == kinds::space) {
                    ++at;
                    continue;
                }
                if (e.kind <= kinds::mapped && fast_ascii_) {
                    const ascii_word word = ascii_word_at(text, at);
                    const std::size_t end = at + word.length;
                    if (word.length - 1 < 15 && ends_word(text, end)) {
                        const token_id id = word.length <= max_chars_ ? short_words_.find(word.text) : unknown_;
                        if (id >= 0) {
                            out.add(static_cast<std::uint32_t>(id), at, end);
                        } else {
                            char bytes[16];
                            std::memcpy(bytes, &word.text, 16);
                            const auto shift = static_cast<std::uint32_t>(at);
                            add_pieces<Places>(
                                bytes, word.length,
                                [&](std::size_t from, std::size_t to) {
                                    return byte_span{shift + static_cast<std::uint32_t>(from), shift + static_cast<std::uint32_t>(to)};
                                },
                                out);
                        }
                        at = end;
                        if (at < size && text[at] == ' ') ++at;
                        continue;
                    }
                    at = any_word<Places>(text, row, begin, at, out);
                    continue;
                }
                if (e.may_be_added && add_added(text, at, out)) {
                    begin = at;
                    continue;
                }
                if (e.kind == kinds::alone) {
                    out.add(e.text, at, at + 1);
                    ++at;
                } else if (e.kind == kinds::removed) {
                    ++at;
                } else {
                    at = any_word<Places>(text, row, begin, at, out);
                }
                continue;
            }
            // Chinese: three bytes each, one token each.
            while (size - at >= 4 && out.n < enough) {
                const auto word = detail::load_word<std::uint32_t>(text.data() + at);
                if ((word & 0xC0C0F0) != 0x8080E0) break;
                const char32_t c = (word & 0x0F) << 12 | (word >> 2 & 0xFC0) | (word >> 16 & 0x3F);
                const detail::bert_entry& e = characters_[c];  // not `alone` for what is no code point, or is written too long
                if (e.kind != kinds::alone || e.may_be_added || c < 0x800) break;
                out.add(e.text, at, at + 3);
                at += 3;
            }
            if (at == size || out.n >= enough || static_cast<unsigned char>(text[at]) < 0x80) continue;
            char32_t c = 0;
            const std::size_t length = point_at(text, at, c);
            if (length == 0) refuse(text, row);
            const detail::bert_entry& e = characters_[c];
            if (e.may_be_added && add_added(text, at, out)) {
                begin = at;
                continue;
            }
            if (e.kind == kinds::alone) {
                out.add(e.text, at, at + length);
                at += length;
            } else if (e.kind == kinds::removed || e.kind == kinds::space) {
                at += length;
            } else {
                at = any_word<Places>(text, row, begin, at, out);
            }
        }
        if (at < size) require_utf8(text, row, kind);
        return out.n;
    }
    // Whether a word ends before what stands at `at`.
    [[nodiscard]] bool ends_word(std::string_view text, std::size_t at) const noexcept {
        if (at >= text.size()) return true;
        const auto byte = static_cast<unsigned char>(text[at]);
        char32_t c = byte;
        if (byte >= 0x80 && point_at(text, at, c) == 0) return true;
        const kinds k = byte < 0x80 ? characters_.ascii(byte).kind : characters_[c].kind;
        return k == kinds::alone || k == kinds::space;
    }
    template <bool Places>
    bool add_added(std::string_view text, std::size_t& at, sink<Places>& out) const {
        const auto [id, length] = added_at(text, at);
        if (length == 0) return false;
        out.add(static_cast<std::uint32_t>(id), at, at + length);
        at += length;
        return true;
    }

    vocabulary words_;
    wordpiece_rules rules_;
    special_tokens special_;
    std::vector<added_token> added_;
    encode_options defaults_;
    // What follows is made of the fields above.
    std::size_t size_ = 0;
    token_id unknown_, padding_ = 0;
    detail::short_words short_words_;
    detail::bert_characters characters_;
    detail::byte_trie trie_;
    std::uint32_t whole_ = 0, continuing_ = 0, added_root_ = 0, normal_root_ = 0;
    std::vector<token_id> special_ids_;
    std::size_t max_chars_ = 0;
    bool has_normal_tokens_ = false, added_begins_word_ = false, fast_ascii_ = false;
};

/// A model of a vocabulary as BERT has it: `[CLS] A [SEP]`, `[CLS] A [SEP] B [SEP]` where it has these two tokens, else the
/// texts alone. With Hugging Face's rules its own special tokens ([UNK], [CLS], [SEP], [PAD], [MASK]) are also found in
/// texts. Throws what `wordpiece_model` throws.
template <std::same_as<vocabulary> Vocabulary>
[[nodiscard]] wordpiece_model make_wordpiece(Vocabulary words, wordpiece_rules rules = {}, const encode_options& defaults = {}) {
    const auto cls = words.find("[CLS]"), sep = words.find("[SEP]");
    std::vector<added_token> added;
    if (rules.rules == bert_rules::hugging_face)
        for (const std::string_view text : std::initializer_list<std::string_view>{rules.unknown, "[SEP]", "[CLS]", "[PAD]", "[MASK]"})
            if (const auto id = words.find(text)) added.push_back({std::string(text), *id, true});
    return {std::move(words), std::move(rules), cls && sep ? special_tokens::bert(*cls, *sep) : special_tokens(), std::move(added), defaults};
}

/// Reads BERT's `vocab.txt`: a token a line, ids from 0. Throws what `read_vocabulary` and `wordpiece_model` throw.
template <std::convertible_to<file_path> Path>
[[nodiscard]] wordpiece_model load_wordpiece(const Path& path, wordpiece_rules rules = {}, const encode_options& defaults = {}) {
    return make_wordpiece(read_vocabulary(path), std::move(rules), defaults);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
