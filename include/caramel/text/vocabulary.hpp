#ifndef CARAMEL_TEXT_VOCABULARY_HPP
#define CARAMEL_TEXT_VOCABULARY_HPP

// Tokens and their ids, and counting them.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/ragged.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

struct string_hash {
    std::uint64_t operator()(std::string_view text, std::uint64_t seed) const noexcept {
        std::uint64_t hash = seed * 0x9e3779b97f4a7c15U + text.size();
        std::uint64_t word = 0;
        for (; text.size() >= 8; text.remove_prefix(8)) {
            std::memcpy(&word, text.data(), 8);
            hash = mix(hash ^ word);
        }
        word = 0;
        if (!text.empty()) std::memcpy(&word, text.data(), text.size());
        return mix(hash ^ word);
    }

   private:
    static constexpr std::uint64_t mix(std::uint64_t z) noexcept {  // splitmix64's
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }
};

// Numbers 0, 1, 2, ... for strings, in the order in which they come. Open addressing; a chain of more than `max_probes`
// brings in another hash, and when that has happened too often (strings made to collide) an ordered map takes over: no
// input makes this quadratic, and no order of a hash table ever shows.
template <class Hash = string_hash>
class string_numbers {
   public:
    static constexpr std::size_t max_probes = 64, max_seeds = 8;

    [[nodiscard]] std::size_t size() const noexcept { return starts_.size(); }
    [[nodiscard]] std::string_view operator[](std::size_t number) const noexcept {
        const std::size_t end = number + 1 < starts_.size() ? starts_[number + 1] : bytes_.size();
        return std::string_view(bytes_).substr(starts_[number], end - starts_[number]);
    }
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view text) const noexcept {
        if (seed_ == max_seeds) {
            const auto found = ordered_.find(text);
            return found != ordered_.end() ? std::optional(found->second) : std::nullopt;
        }
        const slot* const at = probe(text, Hash{}(text, seed_));
        return at != nullptr && at->next_number != 0 ? std::optional(at->next_number - 1) : std::nullopt;
    }
    /// The string's number, and whether it is new.
    std::pair<std::uint32_t, bool> insert(std::string_view text) {
        if (const auto known = find(text)) return {*known, false};
        require(size() < std::numeric_limits<std::uint32_t>::max() - 1, errc::limit_exceeded, "vocabulary: more than ", size(), " different tokens");
        starts_.push_back(bytes_.size());
        bytes_.append(text);
        const auto number = static_cast<std::uint32_t>(size() - 1);
        if (seed_ < max_seeds && (2 * size() > slots_.size() || !place(number))) rebuild();
        else if (seed_ == max_seeds) ordered_.emplace(text, number);
        return {number, true};
    }

   private:
    struct slot {
        std::uint32_t tag = 0;          // upper half of the hash
        std::uint32_t next_number = 0;  // the string's number + 1; 0 = free
    };

    // The slot that holds `text` or is free for it; null when neither is within reach.
    [[nodiscard]] const slot* probe(std::string_view text, std::uint64_t hash) const noexcept {
        if (slots_.empty()) return nullptr;
        std::size_t at = static_cast<std::size_t>(hash);
        for (std::size_t step = 1; step <= max_probes; at += step++) {  // triangular numbers reach every slot
            const slot& here = slots_[at & (slots_.size() - 1)];
            if (here.next_number == 0 || (here.tag == hash >> 32 && (*this)[here.next_number - 1] == text)) return &here;
        }
        return nullptr;
    }
    bool place(std::uint32_t number) {
        const std::uint64_t hash = Hash{}((*this)[number], seed_);
        const slot* const at = probe((*this)[number], hash);
        if (at == nullptr) return false;
        slots_[static_cast<std::size_t>(at - slots_.data())] = {static_cast<std::uint32_t>(hash >> 32), number + 1};
        return true;
    }
    void rebuild() {
        std::size_t capacity = std::max<std::size_t>(16, slots_.size());
        while (capacity < 2 * size()) capacity *= 2;
        for (; seed_ < max_seeds; ++seed_) {
            slots_.assign(capacity, {});
            std::uint32_t number = 0;
            while (number < size() && place(number)) ++number;
            if (number == size()) return;
        }
        slots_ = {};
        for (std::uint32_t number = 0; number < size(); ++number) ordered_.emplace((*this)[number], number);
    }

    std::string bytes_;  // the strings, one after the other
    std::vector<std::size_t> starts_;
    std::vector<slot> slots_;  // a power of two, at most half full
    std::size_t seed_ = 0;     // `max_seeds`: the ordered map is in use
    std::map<std::string, std::uint32_t, std::less<>> ordered_;
};

}  // namespace detail

/// Tokens with ids from `reserved()` on, in the order given; the ids below stand for no token (unknown words, padding).
/// A vocabulary learnt from what customers wrote may hold names and addresses: see `word_tokenizer::min_count`.
class vocabulary {
   public:
    static constexpr std::size_t max_token_bytes = 1024;

    vocabulary() = default;
    /// Throws `error` with the token's number from 1 in `where().row`: `empty_token`, `token_too_long`, `duplicate_token`;
    /// `bad_parameter` on negative `reserved`; `limit_exceeded` where ids would not fit into `token_id`.
    explicit vocabulary(std::vector<std::string> tokens, token_id reserved = 0) : tokens_(std::move(tokens)), reserved_(reserved) {
        require(reserved >= 0, errc::bad_parameter, "vocabulary: reserved = ", reserved, ", must be at least 0");
        require(tokens_.size() <= static_cast<std::size_t>(std::numeric_limits<token_id>::max() - reserved), errc::limit_exceeded, "vocabulary: ",
                tokens_.size(), " tokens are more than ids");
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            require_at(!tokens_[i].empty(), errc::empty_token, {.row = i + 1}, "vocabulary: token ", i + 1, " is empty");
            require_at(tokens_[i].size() <= max_token_bytes, errc::token_too_long, {.row = i + 1}, "vocabulary: token ", i + 1, " has ", tokens_[i].size(),
                       " bytes, the limit is ", max_token_bytes);
            require_at(numbers_.insert(tokens_[i]).second, errc::duplicate_token, {.row = i + 1}, "vocabulary: token ", i + 1, " stands there twice");
        }
    }

    /// How many ids there are, reserved ones included: the number of rows of an embedding table.
    [[nodiscard]] std::size_t size() const noexcept { return tokens_.size() + static_cast<std::size_t>(reserved_); }
    [[nodiscard]] token_id reserved() const noexcept { return reserved_; }
    [[nodiscard]] const std::vector<std::string>& tokens() const noexcept { return tokens_; }

    /// Allocates nothing; bounded time for any text.
    [[nodiscard]] std::optional<token_id> find(std::string_view token) const noexcept {
        const auto number = numbers_.find(token);
        return number ? std::optional(reserved_ + static_cast<token_id>(*number)) : std::nullopt;
    }
    /// The token of an id; empty for a reserved one. Throws `error` (`unknown_id`).
    [[nodiscard]] std::string_view operator[](token_id id) const {
        require(id >= 0 && static_cast<std::size_t>(id) < size(), errc::unknown_id, "vocabulary: an id outside the vocabulary of ", size());
        return id < reserved_ ? std::string_view() : std::string_view(tokens_[static_cast<std::size_t>(id - reserved_)]);
    }

    friend bool operator==(const vocabulary& a, const vocabulary& b) noexcept { return a.reserved_ == b.reserved_ && a.tokens_ == b.tokens_; }

    static constexpr std::array field_names{"tokens", "reserved"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(tokens_, reserved_); }

   private:
    std::vector<std::string> tokens_;
    token_id reserved_ = 0;
    detail::string_numbers<> numbers_;
};

/// How often tokens occur.
class token_counts {
   public:
    void add(std::string_view token, std::uint64_t times = 1) {
        const auto [number, is_new] = numbers_.insert(token);
        if (is_new) counts_.push_back(0);
        counts_[number] += times;
    }
    /// The number of different tokens.
    [[nodiscard]] std::size_t size() const noexcept { return counts_.size(); }
    [[nodiscard]] std::uint64_t operator[](std::string_view token) const noexcept {
        const auto number = numbers_.find(token);
        return number ? counts_[*number] : 0;
    }

    /// The `max_size` most frequent tokens among those that occur at least `min_count` times, the most frequent first;
    /// ties in the order of their bytes, so that ids do not depend on the order of the texts.
    /// Throws what `vocabulary` throws.
    [[nodiscard]] vocabulary most_frequent(std::uint64_t min_count, std::size_t max_size, token_id reserved = 0) const {
        std::vector<std::uint32_t> chosen;
        for (std::uint32_t i = 0; i < counts_.size(); ++i)
            if (counts_[i] >= min_count) chosen.push_back(i);
        const auto before = [&](std::uint32_t a, std::uint32_t b) { return counts_[a] != counts_[b] ? counts_[a] > counts_[b] : numbers_[a] < numbers_[b]; };
        if (chosen.size() > max_size) {
            std::ranges::nth_element(chosen, chosen.begin() + static_cast<std::ptrdiff_t>(max_size), before);
            chosen.resize(max_size);
        }
        std::ranges::sort(chosen, before);
        std::vector<std::string> tokens;
        tokens.reserve(chosen.size());
        for (const std::uint32_t i : chosen) tokens.emplace_back(numbers_[i]);
        return vocabulary(std::move(tokens), reserved);
    }

   private:
    detail::string_numbers<> numbers_;
    std::vector<std::uint64_t> counts_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
