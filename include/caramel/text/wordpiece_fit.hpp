#ifndef CARAMEL_TEXT_WORDPIECE_FIT_HPP
#define CARAMEL_TEXT_WORDPIECE_FIT_HPP

// Learning a WordPiece vocabulary from texts.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/key_numbers.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/string_numbers.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/encoding.hpp>
#include <caramel/text/utf8.hpp>
#include <caramel/text/vocabulary.hpp>
#include <caramel/text/wordpiece.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

/// Joins the most frequent pair of neighbours again and again. Counts and places of pairs are kept up to date, so that a step
/// costs no more than the words it changes.
class pair_merger {
   public:
    using symbol = std::uint32_t;
    struct pair_count {
        std::uint64_t count;
        symbol left, right;
    };

    /// A word as symbols, and how often it occurs.
    template <class = void>
    void add_word(std::vector<symbol> symbols, std::uint64_t count) {
        const auto word = static_cast<std::uint32_t>(words_.size());
        for (std::size_t i = 1; i < symbols.size(); ++i) raise(symbols[i - 1], symbols[i], word, count);
        words_.push_back({std::move(symbols), count});
    }
    /// The pair that occurs most often (the lower symbols among equals), taken out; a count of 0 when there is none.
    template <class = void>
    [[nodiscard]] pair_count next() {
        publish();
        while (!queue_.empty()) {
            const pair_count top = queue_.top();
            queue_.pop();
            const std::uint64_t now = pairs_[pair_number(top.left, top.right)].count;
            if (now == top.count) return top;
            if (now > 0 && now < top.count) queue_.push({now, top.left, top.right});
        }
        return {0, 0, 0};
    }
    /// Puts `joined` where the pair stands, from the left.
    template <class = void>
    void merge(symbol left, symbol right, symbol joined) {
        std::vector<std::uint32_t> where;
        where.swap(pairs_[pair_number(left, right)].words);
        std::sort(where.begin(), where.end());
        where.erase(std::unique(where.begin(), where.end()), where.end());
        for (const std::uint32_t w : where) {
            auto& [symbols, count] = words_[w];
            std::size_t to = 0;
            for (std::size_t from = 0; from < symbols.size(); ++from) {
                if (from + 1 == symbols.size() || symbols[from] != left || symbols[from + 1] != right) {
                    symbols[to++] = symbols[from];
                    continue;
                }
                lower(left, right, count);
                if (to > 0) {
                    lower(symbols[to - 1], left, count);
                    raise(symbols[to - 1], joined, w, count);
                }
                if (from + 2 < symbols.size()) {
                    lower(right, symbols[from + 2], count);
                    raise(joined, symbols[from + 2], w, count);
                }
                symbols[to++] = joined;
                ++from;
            }
            symbols.resize(to);
        }
    }
    /// Never to come up again.
    template <class = void>
    void forget(symbol left, symbol right) { pairs_[pair_number(left, right)].count = 0; }

   private:
    struct pair_data {
        symbol left, right;
        std::uint64_t count = 0;
        std::vector<std::uint32_t> words = {};  // where it stands, or stood
        bool raised = false;
    };
    struct word_data {
        std::vector<symbol> symbols;
        std::uint64_t count;
    };
    struct comes_later {
        bool operator()(const pair_count& a, const pair_count& b) const noexcept {
            if (a.count != b.count) return a.count < b.count;
            return a.left != b.left ? a.left > b.left : a.right > b.right;
        }
    };

    template <class = void>
    std::uint32_t pair_number(symbol left, symbol right) {
        const auto [number, is_new] = numbers_.insert(std::uint64_t{left} << 32 | right);
        if (is_new) pairs_.push_back({left, right});
        return number;
    }
    template <class = void>
    void raise(symbol left, symbol right, std::uint32_t word, std::uint64_t count) {
        const std::uint32_t number = pair_number(left, right);
        pair_data& pair = pairs_[number];
        pair.count += count;
        if (pair.words.empty() || pair.words.back() != word) pair.words.push_back(word);
        if (!pair.raised) raised_.push_back(number);
        pair.raised = true;
    }
    template <class = void>
    void lower(symbol left, symbol right, std::uint64_t count) {
        std::uint64_t& before = pairs_[pair_number(left, right)].count;
        before -= std::min(before, count);
    }
    template <class = void>
    void publish() {
        for (const std::uint32_t number : raised_) {
            pair_data& pair = pairs_[number];
            pair.raised = false;
            if (pair.count > 0) queue_.push({pair.count, pair.left, pair.right});
        }
        raised_.clear();
    }

    std::vector<word_data> words_;
    std::vector<pair_data> pairs_;
    key_numbers<> numbers_;
    std::vector<std::uint32_t> raised_;
    std::priority_queue<pair_count, std::vector<pair_count>, comes_later> queue_;
};

}  // namespace detail

/// Recipe for `wordpiece_model`: learns a vocabulary as Hugging Face's trainer does. At first every character is a token, one
/// within a word as "##" and the character; then the two neighbours that occur most often become one token, again and again
/// (Sennrich et al., arXiv:1508.07909, with WordPiece's way of writing). Ids: [PAD], the unknown token, [CLS], [SEP], [MASK],
/// the characters by code point, and the pieces in the order in which they were learnt; the same for any order of the texts.
struct wordpiece {
    using stage_concept = recipe_tag;

    std::size_t vocabulary_size = 30'000;  ///< at most
    /// Rarer pairs do not become tokens. Words of customers include names and addresses, and the vocabulary is saved with the
    /// model: raise this to keep out what only a few have written.
    std::size_t min_count = 2;
    std::size_t max_alphabet = 6'000;  ///< the most frequent characters; words with others are not learnt from
    wordpiece_rules rules = {};
    encode_options defaults = {};

    /// Throws `error`: `empty_input`; `bad_parameter`, also where the vocabulary is too small for the alphabet; `bad_utf8` with
    /// the text's number and the byte.
    template <std::same_as<std::vector<std::string>> Texts>
    [[nodiscard]] wordpiece_model fit(const Texts& texts, const fit_options&) const {
        require(min_count > 0, errc::bad_parameter, "wordpiece: min_count = 0, must be at least 1");
        require(max_alphabet > 0, errc::bad_parameter, "wordpiece: max_alphabet = 0, must be at least 1");
        require(!texts.empty(), errc::empty_input, "wordpiece: no texts to learn from");
        std::vector<std::string> special{"[PAD]", rules.unknown, "[CLS]", "[SEP]", "[MASK]"};
        const wordpiece_model splitter = make_wordpiece(vocabulary(special), rules);

        token_counts words, alphabet;
        std::vector<std::string> word_list;
        for (std::size_t i = 0; i < texts.size(); ++i)
            splitter.for_each_word(texts[i], i + 1, [&](std::string_view word) {
                const std::size_t before = words.size();
                words.add(word);
                if (words.size() != before) word_list.emplace_back(word);
            });
        std::sort(word_list.begin(), word_list.end());  // no order of the texts decides anything
        for (const std::string& word : word_list) for_each_character(word, [&](std::string_view c) { alphabet.add(c, words[word]); });
        std::vector<std::string> characters = alphabet.most_frequent(std::size_t{1}, max_alphabet).tokens();
        std::sort(characters.begin(), characters.end());  // bytes of UTF-8 are in the order of code points

        detail::string_numbers<> tokens, known;
        for (const std::string& token : special) (void)tokens.insert(token);
        for (const std::string& c : characters) {
            (void)known.insert(c);
            (void)tokens.insert(c);
        }
        // Characters within words, by code point, too.
        std::vector<std::string> continuing;
        std::vector<const std::string*> learnt;
        for (const std::string& word : word_list) {
            bool all = true;
            for_each_character(word, [&](std::string_view c) { all = all && known.find(c).has_value(); });
            if (all) learnt.push_back(&word);
        }
        detail::string_numbers<> within;
        for (const std::string* word : learnt) {
            bool first = true;
            for_each_character(*word, [&](std::string_view c) {
                if (!first && within.insert(c).second) continuing.emplace_back(c);
                first = false;
            });
        }
        std::sort(continuing.begin(), continuing.end());
        for (const std::string& c : continuing) (void)tokens.insert(rules.continuing + c);
        require(tokens.size() <= vocabulary_size, errc::bad_parameter, "wordpiece: vocabulary_size = ", vocabulary_size, ", but special tokens and characters are ",
                tokens.size(), " (max_alphabet makes them fewer)");

        detail::pair_merger merger;
        for (const std::string* word : learnt) {
            std::vector<std::uint32_t> symbols;
            for_each_character(*word, [&](std::string_view c) {
                symbols.push_back(tokens.number_of(symbols.empty() ? std::string(c) : rules.continuing + std::string(c)));
            });
            merger.add_word(std::move(symbols), words[*word]);
        }
        while (tokens.size() < vocabulary_size) {
            const auto [count, left, right] = merger.next();
            if (count < min_count) break;
            std::string joined(tokens[left]);
            joined += tokens[right].substr(rules.continuing.size());
            if (joined.size() > vocabulary::max_token_bytes) merger.forget(left, right);
            else merger.merge(left, right, tokens.number_of(joined));
        }
        return make_wordpiece(vocabulary(tokens.texts()), rules, defaults);
    }

   private:
    template <class Found>
    static void for_each_character(std::string_view word, const Found& found) {
        for (std::size_t at = 0; at < word.size();) {
            const std::size_t begin = at;
            (void)decode_utf8(word, at);
            found(word.substr(begin, at - begin));
        }
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
