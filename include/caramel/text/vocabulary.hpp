#ifndef CARAMEL_TEXT_VOCABULARY_HPP
#define CARAMEL_TEXT_VOCABULARY_HPP

// Tokens and their ids, and counting them.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/string_numbers.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Tokens with ids from `reserved()` on, in the order given; the ids below stand for no token (unknown words, padding).
/// A vocabulary learnt from what customers wrote may hold names and addresses: see `word_tokenizer::min_count`.
class vocabulary {
   public:
    static constexpr std::size_t max_token_bytes = 1024;

    vocabulary() = default;
    /// Throws `error` with the token's number from 1 in `where().row`: `empty_token`, `token_too_long`, `duplicate_token`;
    /// `bad_parameter` on negative `reserved`; `limit_exceeded` where ids would not fit into `token_id`.
    template <class = void>
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
    template <class = void>
    [[nodiscard]] std::optional<token_id> find(std::string_view token) const noexcept {
        const auto number = numbers_.find(token);
        return number ? std::optional(reserved_ + static_cast<token_id>(*number)) : std::nullopt;
    }
    /// The token of an id; empty for a reserved one. Throws `error` (`unknown_id`).
    template <class = void>
    [[nodiscard]] std::string_view operator[](token_id id) const {
        require(id >= 0 && static_cast<std::size_t>(id) < size(), errc::unknown_id, "vocabulary: an id outside the vocabulary of ", size());
        return id < reserved_ ? std::string_view() : std::string_view(tokens_[static_cast<std::size_t>(id - reserved_)]);
    }

    friend bool operator==(const vocabulary& a, const vocabulary& b) noexcept { return a.reserved_ == b.reserved_ && a.tokens_ == b.tokens_; }

    static constexpr std::array field_names{"tokens", "reserved"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(tokens_, reserved_); }

   private:
    std::vector<std::string> tokens_;
    token_id reserved_ = 0;
    detail::string_numbers<> numbers_;
};

/// How often tokens occur.
class token_counts {
   public:
    template <class = void>
    void add(std::string_view token, std::uint64_t times = 1) {
        const auto [number, is_new] = numbers_.insert(token);
        if (is_new) counts_.push_back(0);
        counts_[number] += times;
    }
    /// The number of different tokens.
    [[nodiscard]] std::size_t size() const noexcept { return counts_.size(); }
    template <class = void>
    [[nodiscard]] std::uint64_t operator[](std::string_view token) const noexcept {
        const auto number = numbers_.find(token);
        return number ? counts_[*number] : 0;
    }

    /// The `max_size` most frequent tokens among those that occur at least `min_count` times, the most frequent first;
    /// ties in the order of their bytes, so that ids do not depend on the order of the texts.
    /// Throws what `vocabulary` throws.
    template <std::integral Count>
    [[nodiscard]] vocabulary most_frequent(Count min_count, std::size_t max_size, token_id reserved = 0) const {
        std::vector<std::uint32_t> chosen;
        for (std::uint32_t i = 0; i < counts_.size(); ++i)
            if (std::cmp_greater_equal(counts_[i], min_count)) chosen.push_back(i);
        const auto before = [&](std::uint32_t a, std::uint32_t b) { return counts_[a] != counts_[b] ? counts_[a] > counts_[b] : numbers_[a] < numbers_[b]; };
        if (chosen.size() > max_size) {
            std::nth_element(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(max_size), chosen.end(), before);
            chosen.resize(max_size);
        }
        std::sort(chosen.begin(), chosen.end(), before);
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
