#ifndef CARAMEL_CORE_KEY_NUMBERS_HPP
#define CARAMEL_CORE_KEY_NUMBERS_HPP

// Distinct 64-bit keys and their numbers: n-grams, pairs of tokens.

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI {
namespace detail {

struct key_hash {
    // The highest bits depend on all of the key.
    [[nodiscard]] constexpr std::uint64_t operator()(std::uint64_t key, std::uint64_t seed) const noexcept {
        key ^= seed;
        return (key ^ key >> 29) * 0xC2B2AE3D27D4EB4FU;
    }
};

// Numbers 0, 1, 2, ... for keys, in the order in which they come. Open addressing, at most three quarters full. Where looking for a
// place has taken far more steps than keys that nobody chose would need, another hash takes over, and an ordered map in the end: no
// input makes this quadratic, and no order of the table decides a number.
template <class Hash = key_hash>
class key_numbers {
   public:
    static constexpr std::uint32_t none = 0xFFFFFFFF;
    static constexpr std::uint64_t max_seeds = 8;
    static constexpr std::size_t max_chain = 1024;  // by chance about 27 ln n at three quarters: some hundred

    [[nodiscard]] std::size_t size() const noexcept { return used_; }
    [[nodiscard]] bool in_order() const noexcept { return seeds_ == max_seeds; }  // the map is in use
    /// Places passed in search of a free one by all insertions.
    [[nodiscard]] std::size_t steps() const noexcept { return all_steps_ + steps_; }
    void prefetch(std::uint64_t key) const noexcept { CARAMEL_PREFETCH(slots_.data() + home(key)); }
    /// The key's number, or `none`.
    [[nodiscard]] std::uint32_t find(std::uint64_t key) const noexcept {
        const std::size_t mask = slots_.size() - 1;
        for (std::size_t at = home(key);; at = (at + 1) & mask) {
            if (slots_[at].key == key || slots_[at].number == none) {
                if (slots_[at].number == none && in_order()) [[unlikely]]
                    return find_in_order(key);
                return slots_[at].number;
            }
        }
    }
    /// Calls `work(key, number)` for each, in no order that could be relied on.
    template <class Each>
    void each(const Each& work) const {
        for (const entry& e : slots_)
            if (e.number != none) work(e.key, e.number);
        for (const auto& [key, number] : ordered_) work(key, number);
    }
    /// The number of the key, and whether it is new: then the next one.
    std::pair<std::uint32_t, bool> insert(std::uint64_t key) {
        if (in_order()) [[unlikely]] {
            const auto [at, is_new] = ordered_.try_emplace(key, static_cast<std::uint32_t>(used_));
            used_ += is_new;
            return {at->second, is_new};
        }
        if (4 * (used_ + 1) > 3 * slots_.size()) rebuild(2 * slots_.size());
        const std::size_t mask = slots_.size() - 1, first = home(key);
        std::size_t at = first;
        for (; slots_[at].number != none; at = (at + 1) & mask)
            if (slots_[at].key == key) return {slots_[at].number, false};
        const std::size_t chain = (at - first) & mask;
        steps_ += chain;
        slots_[at] = {key, static_cast<std::uint32_t>(used_)};
        const std::uint32_t number = static_cast<std::uint32_t>(used_++);
        if (chain > max_chain || steps_ > 16 * used_ + 4096) [[unlikely]]
            hash_anew();
        return {number, true};
    }

   private:
    struct entry {
        std::uint64_t key = 0;
        std::uint32_t number = none;
    };
    [[nodiscard]] std::size_t home(std::uint64_t key) const noexcept { return static_cast<std::size_t>(Hash{}(key, seed_) >> shift_); }
    [[nodiscard]] CARAMEL_COLD std::uint32_t find_in_order(std::uint64_t key) const noexcept {
        const auto found = ordered_.find(key);
        return found != ordered_.end() ? found->second : none;
    }
    // Gives up, with some keys left out, where another hash is needed.
    bool place(const std::vector<entry>& all) {
        const std::size_t mask = slots_.size() - 1;
        for (const entry& e : all) {
            if (e.number == none) continue;
            const std::size_t first = home(e.key);
            std::size_t at = first;
            while (slots_[at].number != none) at = (at + 1) & mask;
            const std::size_t chain = (at - first) & mask;
            steps_ += chain;
            if (chain > max_chain || steps_ > 16 * used_ + 4096) return false;
            slots_[at] = e;
        }
        return true;
    }
    void rebuild(std::size_t slots) {
        std::vector<entry> old(slots);
        old.swap(slots_);
        shift_ = 64;
        for (; slots > 1; slots /= 2) --shift_;
        all_steps_ += std::exchange(steps_, 0);
        if (!place(old)) try_seeds(old);
    }
    CARAMEL_COLD void hash_anew() {
        std::vector<entry> old(slots_.size());
        old.swap(slots_);
        try_seeds(old);
    }
    CARAMEL_COLD void try_seeds(const std::vector<entry>& all) {
        while (++seeds_ < max_seeds) {
            seed_ = seeds_ * 0x9E3779B97F4A7C15U;
            for (entry& e : slots_) e = {};
            all_steps_ += std::exchange(steps_, 0);
            if (place(all)) return;
        }
        all_steps_ += std::exchange(steps_, 0);
        slots_.assign(2, {});  // empty: what is not here is looked for in the map
        shift_ = 63;
        for (const entry& e : all)
            if (e.number != none) ordered_.emplace(e.key, e.number);
    }

    std::vector<entry> slots_ = std::vector<entry>(64);
    int shift_ = 58;
    std::uint64_t seeds_ = 0, seed_ = 0;
    std::size_t used_ = 0, steps_ = 0, all_steps_ = 0;
    std::map<std::uint64_t, std::uint32_t> ordered_;
};

}  // namespace detail
}  // namespace caramel::inline CARAMEL_ABI

#endif
