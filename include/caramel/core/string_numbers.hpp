#ifndef CARAMEL_CORE_STRING_NUMBERS_HPP
#define CARAMEL_CORE_STRING_NUMBERS_HPP

// Distinct strings and their numbers: the tokens of a vocabulary, the texts of a column.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI {
namespace detail {

// The strings that tables and vocabularies hold are short: comparing and hashing them in a few loads of fixed size,
// which may overlap, costs less than a loop over their bytes or a call of memcmp.

template <class Word>
[[nodiscard]] Word load_word(const char* p) noexcept {
    Word word;
    std::memcpy(&word, p, sizeof word);
    return word;
}
// Up to 8 bytes, the first one lowest, zeros above them.
template <class Size>
[[nodiscard]] CARAMEL_ALWAYS_INLINE std::uint64_t load_bytes(const char* p, Size n) noexcept {
    if (n >= 8) return load_word<std::uint64_t>(p);
    if (n >= 4) return load_word<std::uint32_t>(p) | std::uint64_t{load_word<std::uint32_t>(p + n - 4)} << (8 * (n - 4));
    if (n == 0) return 0;
    const auto byte = [p](Size i) { return std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i); };
    return byte(0) | byte(n / 2) | byte(n - 1);
}
template <class Text>
[[nodiscard]] CARAMEL_ALWAYS_INLINE bool same_text(const Text& a, const Text& b) noexcept {
    if (a.size() != b.size()) return false;
    const char *p = a.data(), *q = b.data();
    std::size_t n = a.size();
    if (n < 8) return load_bytes(p, n) == load_bytes(q, n);
    for (; n > 16; p += 16, q += 16, n -= 16)
        if ((load_word<std::uint64_t>(p) ^ load_word<std::uint64_t>(q)) | (load_word<std::uint64_t>(p + 8) ^ load_word<std::uint64_t>(q + 8))) return false;
    const char *const p_end = p + n, *const q_end = q + n;  // the last 16 bytes, or the first 8 and the last 8 of less
    if (a.size() < 16) return load_word<std::uint64_t>(p) == load_word<std::uint64_t>(q) && load_word<std::uint64_t>(p_end - 8) == load_word<std::uint64_t>(q_end - 8);
    return load_word<std::uint64_t>(p_end - 16) == load_word<std::uint64_t>(q_end - 16) && load_word<std::uint64_t>(p_end - 8) == load_word<std::uint64_t>(q_end - 8);
}

struct string_hash {
    template <class Text>
    [[nodiscard]] std::uint64_t operator()(const Text& text, std::uint64_t seed) const noexcept {
        const char* p = text.data();
        std::size_t n = text.size();
        std::uint64_t hash = mixed(seed ^ n, n, 0);
        if (n <= 8) return finished(mixed(hash, load_bytes(p, n), 0));
        if (n <= 16) return finished(mixed(hash, load_word<std::uint64_t>(p), load_word<std::uint64_t>(p + n - 8)));
        for (; n > 16; p += 16, n -= 16) hash = mixed(hash, load_word<std::uint64_t>(p), load_word<std::uint64_t>(p + 8));
        return finished(mixed(hash, load_word<std::uint64_t>(p + n - 16), load_word<std::uint64_t>(p + n - 8)));
    }

   private:
    static constexpr std::uint64_t mixed(std::uint64_t hash, std::uint64_t a, std::uint64_t b) noexcept {
        b *= 0x94d049bb133111ebU;
        hash = (hash ^ (a * 0xbf58476d1ce4e5b9U) ^ (b << 32 | b >> 32)) * 0x9e3779b97f4a7c15U;
        return hash ^ (hash >> 32);
    }
    static constexpr std::uint64_t finished(std::uint64_t hash) noexcept {
        hash *= 0xbf58476d1ce4e5b9U;
        return hash ^ (hash >> 29);
    }
};

// Numbers 0, 1, 2, ... for strings, in the order in which they come. Open addressing; a chain of more than `max_probes`
// brings in another hash, and when that has happened too often (strings made to collide) an ordered map takes over: no
// input makes this quadratic, and no order of a hash table ever shows.
template <class Hash = string_hash>
class string_numbers {
   public:
    static constexpr std::size_t max_probes = 64, max_seeds = 8;

    [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
    [[nodiscard]] std::string_view operator[](std::size_t number) const noexcept { return {bytes_.data() + places_[number].begin, places_[number].length}; }
    /// All of them, by number.
    [[nodiscard]] std::vector<std::string> texts() const {
        std::vector<std::string> out;
        out.reserve(size());
        for (std::size_t i = 0; i < size(); ++i) out.emplace_back((*this)[i]);
        return out;
    }
    [[nodiscard]] bool in_order() const noexcept { return seed_ == max_seeds; }  // the map is in use

    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view text) const noexcept {
        if (in_order()) {
            const auto found = ordered_.find(text);
            return found != ordered_.end() ? std::optional(found->second) : std::nullopt;
        }
        const slot* const at = probe(text, Hash{}(text, seed_));
        return at != nullptr && at->next_number != 0 ? std::optional(at->next_number - 1) : std::nullopt;
    }
    /// The string's number, and whether it is new.
    std::pair<std::uint32_t, bool> insert(std::string_view text) {
        const std::size_t before = size();
        const std::uint32_t number = number_of(text);
        return {number, size() != before};
    }
    /// The string's number, a new one where there is none.
    std::uint32_t number_of(std::string_view text) {
        if (in_order()) {
            const auto at = ordered_.lower_bound(text);
            if (at != ordered_.end() && at->first == text) return at->second;
            return ordered_.emplace_hint(at, text, append(text))->second;
        }
        const std::uint64_t hash = Hash{}(text, seed_);
        const slot* const at = probe(text, hash);
        if (at != nullptr && at->next_number != 0) [[likely]]
            return at->next_number - 1;
        const std::uint32_t number = append(text);
        if (at == nullptr || 2 * size() > slots_.size()) rebuild();
        else slots_[static_cast<std::size_t>(at - slots_.data())] = {static_cast<std::uint32_t>(hash >> 32), number + 1};
        return number;
    }

   private:
    struct slot {
        std::uint32_t tag = 0;          // upper half of the hash
        std::uint32_t next_number = 0;  // the string's number + 1; 0 = free
    };
    struct extent {
        std::size_t begin, length;  // in `bytes_`
    };
    struct less {  // std::less<>, without <functional>
        using is_transparent = void;
        bool operator()(std::string_view a, std::string_view b) const noexcept { return a < b; }
    };

    // The slot that holds `text` or is free for it; null when neither is within reach.
    [[nodiscard]] const slot* probe(std::string_view text, std::uint64_t hash) const noexcept {
        if (slots_.empty()) return nullptr;
        std::size_t at = static_cast<std::size_t>(hash);
        for (std::size_t step = 1; step <= max_probes; at += step++) {  // triangular numbers reach every slot
            const slot& here = slots_[at & (slots_.size() - 1)];
            if (here.next_number == 0 || (here.tag == hash >> 32 && same_text((*this)[here.next_number - 1], text))) return &here;
        }
        return nullptr;
    }
    std::uint32_t append(std::string_view text) {
        constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
        require(size() < most, errc::limit_exceeded, "texts: more than ", most, " distinct ones");
        bytes_.append(text);
        places_.push_back({bytes_.size() - text.size(), text.size()});
        return static_cast<std::uint32_t>(size() - 1);
    }
    bool place(std::uint32_t number) {
        const std::string_view text = (*this)[number];
        const std::uint64_t hash = Hash{}(text, seed_);
        const slot* const at = probe(text, hash);
        if (at == nullptr) return false;
        slots_[static_cast<std::size_t>(at - slots_.data())] = {static_cast<std::uint32_t>(hash >> 32), number + 1};
        return true;
    }
    CARAMEL_COLD void rebuild() {
        std::size_t capacity = slots_.empty() ? 64 : slots_.size();
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
    std::vector<extent> places_;
    std::vector<slot> slots_;  // a power of two, at most half full
    std::size_t seed_ = 0;     // `max_seeds`: the ordered map is in use
    std::map<std::string, std::uint32_t, less> ordered_;
};

}  // namespace detail
}  // namespace caramel::inline CARAMEL_ABI

#endif
