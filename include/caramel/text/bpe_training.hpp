#ifndef CARAMEL_TEXT_BPE_TRAINING_HPP
#define CARAMEL_TEXT_BPE_TRAINING_HPP

// Learning merges: words are counted once, and each merge touches only the words that hold its pair.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <numeric>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/key_numbers.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/string_numbers.hpp>
#include <caramel/text/bpe_merges.hpp>
#include <caramel/text/bpe_pattern.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

struct learnt_merges {
    std::vector<std::string> tokens;  // as `vocab.json` writes them
    std::vector<token_id> merges;     // left, right, left, right, ...
};

class bpe_trainer {
   public:
    static constexpr std::size_t max_word_bytes = 1024;  // longer ones are no words: each merge would go through all of them

    template <class = void>
    void add(std::string_view text, bool add_prefix_space) {
        const gpt2_scanner scanner(text);
        std::size_t at = 0;
        if (add_prefix_space && !text.empty() && text[0] != ' ') {
            at = scanner.next(0, true).end;
            if (at < max_word_bytes) count(std::string(" ").append(text.substr(0, at)));
        }
        while (at < text.size()) {
            const std::size_t end = scanner.next(at).end;
            if (end - at <= max_word_bytes) count(text.substr(at, end - at));
            at = end;
        }
    }

    // Of equally frequent pairs the one with the lower ids comes first.
    template <class = void>
    [[nodiscard]] learnt_merges train(const std::vector<std::string>& special, std::size_t vocabulary_size, std::size_t min_frequency,
                                      std::size_t max_token_bytes) {
        learnt_merges out;
        string_numbers<> numbers;
        std::vector<std::size_t> lengths;  // of tokens, in bytes
        for (const std::string& token : special) {
            require(numbers.insert(token).second, errc::duplicate_token, "bpe: a special token stands there twice");
            out.tokens.push_back(token);
            lengths.push_back(token.size());
        }
        std::array<unsigned char, 256> bytes{};
        std::iota(bytes.begin(), bytes.end(), static_cast<unsigned char>(0));
        std::sort(bytes.begin(), bytes.end(), [](unsigned char a, unsigned char b) { return letters_of_bytes[a] < letters_of_bytes[b]; });
        std::array<token_id, 256> ids{};
        for (const unsigned char byte : bytes) {
            ids[byte] = static_cast<token_id>(out.tokens.size());
            out.tokens.emplace_back();
            append_letters(out.tokens.back(), std::string(1, static_cast<char>(byte)));
            require(numbers.insert(out.tokens.back()).second, errc::duplicate_token, "bpe: a special token is written as the token of a byte");
            lengths.push_back(1);
        }
        start(ids);
        for (const pair_places& place : places_)
            if (place.count >= min_frequency) queue_.push({place.count, place.pair});

        std::vector<std::uint64_t> grown;
        while (out.tokens.size() < vocabulary_size && !queue_.empty()) {
            const auto [count, pair] = queue_.top();
            queue_.pop();
            auto& place = place_of(pair);
            if (place.count != count) {  // has become less frequent since; what has become more frequent is there twice
                if (place.count < count && place.count >= min_frequency) queue_.push({place.count, pair});
                continue;
            }
            const auto left = static_cast<token_id>(pair >> 32), right = static_cast<token_id>(pair & 0xFFFFFFFFU);
            const std::size_t length = lengths[static_cast<std::size_t>(left)] + lengths[static_cast<std::size_t>(right)];
            if (length > max_token_bytes) continue;
            const auto [id, is_new] = numbers.insert(out.tokens[static_cast<std::size_t>(left)] + out.tokens[static_cast<std::size_t>(right)]);
            if (is_new) {
                out.tokens.emplace_back(numbers[id]);
                lengths.push_back(length);
            }
            if (!std::exchange(place.merged, true)) out.merges.insert(out.merges.end(), {left, right});
            grown.clear();
            merge(left, right, static_cast<token_id>(id), std::exchange(place.words, {}), grown);
            std::sort(grown.begin(), grown.end());
            grown.erase(std::unique(grown.begin(), grown.end()), grown.end());
            for (const std::uint64_t other : grown)
                if (const std::uint64_t n = place_of(other).count; n >= min_frequency) queue_.push({n, other});
        }
        return out;
    }

   private:
    struct pair_places {
        std::uint64_t pair = 0, count = 0;
        std::vector<std::uint32_t> words = {};  // that hold the pair, or have held it
        bool merged = false;
    };
    struct candidate {
        std::uint64_t count, pair;

        friend bool operator<(const candidate& a, const candidate& b) noexcept { return a.count != b.count ? a.count < b.count : a.pair > b.pair; }
    };
    static std::uint64_t pair_of(token_id left, token_id right) noexcept {
        return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
    }

    template <class = void>
    void count(std::string_view word) {
        const auto [number, is_new] = words_.insert(word);
        if (is_new) counts_.push_back(0);
        ++counts_[number];
    }
    template <class = void>
    void start(const std::array<token_id, 256>& ids) {
        begins_.clear();
        tokens_.clear();
        for (std::uint32_t w = 0; w < words_.size(); ++w) {
            begins_.push_back(tokens_.size());
            for (const char byte : words_[w]) tokens_.push_back(ids[static_cast<unsigned char>(byte)]);
            sizes_.push_back(tokens_.size() - begins_[w]);
            for (std::size_t i = begins_[w] + 1; i < tokens_.size(); ++i) put(pair_of(tokens_[i - 1], tokens_[i]), w);
        }
    }
    template <class = void>
    pair_places& place_of(std::uint64_t pair) {
        const auto [number, is_new] = pair_numbers_.insert(pair);
        if (is_new) places_.push_back({.pair = pair});
        return places_[number];
    }
    template <class = void>
    void put(std::uint64_t pair, std::uint32_t word) {
        pair_places& place = place_of(pair);
        place.count += counts_[word];
        if (place.words.empty() || place.words.back() != word) place.words.push_back(word);
    }
    // Joins left and right in the words, from left to right, and keeps the counts of the pairs that this changes.
    template <class = void>
    void merge(token_id left, token_id right, token_id result, std::vector<std::uint32_t> words, std::vector<std::uint64_t>& grown) {
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        std::vector<token_id> after;
        std::vector<bool> went, came;  // which tokens before go, which after are new
        for (const std::uint32_t w : words) {
            token_id* const before = tokens_.data() + begins_[w];
            const std::size_t n = sizes_[w];
            after.clear();
            came.clear();
            went.assign(n, false);
            for (std::size_t i = 0; i < n; ++i) {
                const bool joined = i + 1 < n && before[i] == left && before[i + 1] == right;
                after.push_back(joined ? result : before[i]);
                came.push_back(joined);
                if (joined) {
                    went[i] = went[i + 1] = true;
                    ++i;
                }
            }
            if (after.size() == n) continue;
            for (std::size_t i = 1; i < n; ++i)
                if (went[i - 1] || went[i]) place_of(pair_of(before[i - 1], before[i])).count -= counts_[w];
            for (std::size_t i = 1; i < after.size(); ++i)
                if (came[i - 1] || came[i]) {
                    grown.push_back(pair_of(after[i - 1], after[i]));
                    put(grown.back(), w);
                }
            std::copy(after.begin(), after.end(), before);
            sizes_[w] = after.size();
        }
    }

    string_numbers<> words_;
    std::vector<std::uint64_t> counts_;
    std::vector<token_id> tokens_;  // of all words, each where its bytes were
    std::vector<std::size_t> begins_, sizes_;
    key_numbers<> pair_numbers_;
    std::deque<pair_places> places_;  // by number; a reference stays valid when others come
    std::priority_queue<candidate> queue_;
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
