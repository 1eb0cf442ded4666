#ifndef CARAMEL_TEXT_BPE_ADDED_TOKENS_HPP
#define CARAMEL_TEXT_BPE_ADDED_TOKENS_HPP

// Tokens that are found in a text as they are written, before a tokenizer splits the rest: <|endoftext|> and its like.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/text/unicode.hpp>
#include <caramel/text/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A token that is found as it is written, with the options that `tokenizer.json` has for it.
struct bpe_added_token {
    std::string text = {};
    token_id id = 0;
    bool single_word = false;  ///< only where no letter, number or underscore stands beside it
    bool strip_left = false;   ///< takes the white space before it in
    bool strip_right = false;  ///< takes the white space behind it in
    bool normalized = false;   ///< looked for in what the others leave over
    bool special = true;       ///< left out of decoded text on request

    friend bool operator==(const bpe_added_token&, const bpe_added_token&) = default;
    static constexpr std::array field_names{"text", "id", "single_word", "strip_left", "strip_right", "normalized", "special"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(text, id, single_word, strip_left, strip_right, normalized, special); }
};

namespace detail {

constexpr bool is_white_space(char32_t c) noexcept {
    const general_category g = category_of(c);
    return (c >= 9 && c <= 13) || c == 0x85 || g == general_category::zs || g == general_category::zl || g == general_category::zp;
}
// \w of regular expressions: letters, marks, numbers, connecting punctuation, joiners.
constexpr bool is_word_character(char32_t c) noexcept {
    const general_category g = category_of(c);
    return is_letter(g) || is_mark(g) || g == general_category::nd || g == general_category::nl || g == general_category::pc || c == 0x200C || c == 0x200D ||
           (c >= 0x24B6 && c <= 0x24E9);
}
struct read_character {
    char32_t c;
    std::size_t length;
};
// The character at `at`; U+FFFD for a byte that belongs to none.
inline read_character character_from(std::string_view text, std::size_t at) noexcept {
    const std::size_t length = utf8_sequence_length(text.data() + at, text.size() - at);
    if (length == 0) return {0xFFFD, 1};
    return {decode_utf8(text, at), length};
}
inline read_character character_before(std::string_view text, std::size_t end) noexcept {
    for (std::size_t n = 1; n <= 4 && n <= end; ++n)
        if (utf8_sequence_length(text.data() + end - n, n) == n) return character_from(text, end - n);
    return {0xFFFD, 1};
}

// Finds the longest of some texts at each place.
class token_finder {
   public:
    struct match {
        std::size_t begin, end;
        std::size_t number;
    };

    token_finder() = default;
    // `texts` are not empty, distinct, and outlive nothing: they are copied.
    template <class = void>
    explicit token_finder(std::vector<std::pair<std::string, std::size_t>> texts) : texts_(std::move(texts)) {
        std::sort(texts_.begin(), texts_.end());
        for (const auto& [text, number] : texts_) begins_[static_cast<unsigned char>(text[0])] = true;
    }
    template <class = void>
    [[nodiscard]] bool empty() const noexcept { return texts_.empty(); }

    // The first match from byte `at` on, the longest of those that begin there; `begin` is `text.size()` where there is none.
    template <class = void>
    [[nodiscard]] match find(std::string_view text, std::size_t at) const noexcept {
        for (; at < text.size(); ++at) {
            if (!begins_[static_cast<unsigned char>(text[at])]) continue;
            if (const match m = match_at(text, at); m.end != at) return m;
        }
        return {text.size(), text.size(), 0};
    }

   private:
    template <class = void>
    [[nodiscard]] match match_at(std::string_view text, std::size_t at) const noexcept {
        match best{at, at, 0};
        auto low = texts_.begin(), high = texts_.end();  // those that agree with the text so far
        for (std::size_t depth = 0; at + depth < text.size() && low != high; ++depth) {
            const auto byte = static_cast<unsigned char>(text[at + depth]);
            const auto value = [&](const auto& entry) { return depth < entry.first.size() ? int{static_cast<unsigned char>(entry.first[depth])} : -1; };
            low = std::partition_point(low, high, [&](const auto& entry) { return value(entry) < byte; });
            high = std::partition_point(low, high, [&](const auto& entry) { return value(entry) == byte; });
            if (low != high && low->first.size() == depth + 1) best = {at, at + depth + 1, low->second};
        }
        return best;
    }

    std::vector<std::pair<std::string, std::size_t>> texts_;
    std::array<bool, 256> begins_{};
};

// Cuts a text at added tokens, as Hugging Face's tokenizers do: first at those that are not `normalized`, then what is left
// over at those that are.
class added_token_splitter {
   public:
    added_token_splitter() = default;
    template <class = void>
    explicit added_token_splitter(const std::vector<bpe_added_token>& tokens) : tokens_(tokens) {
        for (const bool normalized : {false, true}) {
            std::vector<std::pair<std::string, std::size_t>> texts;
            for (std::size_t i = 0; i < tokens_.size(); ++i)
                if (tokens_[i].normalized == normalized) texts.emplace_back(tokens_[i].text, i);
            (normalized ? second_ : first_) = token_finder(std::move(texts));
        }
    }
    template <class = void>
    [[nodiscard]] bool empty() const noexcept { return tokens_.empty(); }

    // Calls `token(number, begin, end)` for tokens and `rest(begin, end)` for what lies between them, in order, until one
    // answers false.
    template <class Token, class Rest>
    void run(std::string_view text, const Token& token, const Rest& rest) const {
        cut(first_, text, 0, text.size(), token, [&](std::size_t begin, std::size_t end) {
            return second_.empty() ? rest(begin, end) : cut(second_, text, begin, end, token, rest);
        });
    }

   private:
    template <class Token, class Rest>
    bool cut(const token_finder& finder, std::string_view whole, std::size_t from, std::size_t to, const Token& token, const Rest& rest) const {
        const std::string_view text = whole.substr(from, to - from);
        std::size_t done = 0;
        for (std::size_t at = 0; !finder.empty() && at < text.size();) {
            const token_finder::match m = finder.find(text, at);
            if (m.begin == text.size()) break;
            at = m.end;
            const bpe_added_token& added = tokens_[m.number];
            std::size_t begin = m.begin, end = m.end;
            if (added.single_word) {
                if (begin > 0 && is_word_character(character_before(text, begin).c)) continue;
                if (end < text.size() && is_word_character(character_from(text, end).c)) continue;
            }
            if (added.strip_left)
                for (read_character r{}; begin > done && is_white_space((r = character_before(text, begin)).c);) begin -= std::min(r.length, begin - done);
            if (added.strip_right)
                for (read_character r{}; end < text.size() && is_white_space((r = character_from(text, end)).c);) end += r.length;
            begin = std::max(begin, done);
            if (done < begin && !rest(from + done, from + begin)) return false;
            if (!token(m.number, from + begin, from + end)) return false;
            done = at = end;
        }
        return done == text.size() || rest(from + done, from + text.size());
    }

    std::vector<bpe_added_token> tokens_;
    token_finder first_, second_;
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
