#ifndef CARAMEL_TEXT_BYTE_TRIE_HPP
#define CARAMEL_TEXT_BYTE_TRIE_HPP

// A trie over bytes as a double array (Aoe, IEEE Trans. Software Engineering 15(9), 1989): one load a byte.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

/// Keys without zero bytes, each with a number of at least 0. Several tries share one array: each has a root.
class byte_trie {
   public:
    struct key {
        std::string_view bytes;
        std::int32_t number;
    };
    static constexpr std::uint32_t nowhere = 0xFFFFFFFF;

    byte_trie() = default;

    /// Adds the keys under a new root, which is returned. Keys are not empty and differ.
    template <class Keys>
    std::uint32_t add(Keys keys) {
        std::sort(keys.begin(), keys.end(), [](const key& a, const key& b) { return a.bytes < b.bytes; });
        const std::uint32_t root = take_free();
        struct task {
            std::uint32_t node;
            std::size_t begin, end, depth;
        };
        std::vector<task> tasks{{root, 0, keys.size(), 0}};
        std::vector<std::pair<unsigned char, std::size_t>> labels;  // of the children, and where their keys begin
        while (!tasks.empty()) {
            auto [node, begin, end, depth] = tasks.back();
            tasks.pop_back();
            if (begin < end && keys[begin].bytes.size() == depth) units_[node].number = keys[begin++].number;
            labels.clear();
            for (std::size_t i = begin; i < end; ++i) {
                const auto byte = static_cast<unsigned char>(keys[i].bytes[depth]);
                if (labels.empty() || labels.back().first != byte) labels.emplace_back(byte, i);
            }
            if (labels.empty()) continue;
            const std::uint32_t base = base_for(labels);
            units_[node].base = base;
            for (std::size_t k = 0; k < labels.size(); ++k) {
                const std::uint32_t child = base ^ labels[k].first;
                take(child);
                units_[child].parent = node;
                tasks.push_back({child, labels[k].second, k + 1 < labels.size() ? labels[k + 1].second : end, depth + 1});
            }
        }
        return root;
    }

    /// No more keys: frees what only adding needs.
    template <class = void>
    void finish() noexcept {
        next_free_ = previous_free_ = {};
        is_free_ = {};
    }
    [[nodiscard]] std::size_t size() const noexcept { return units_.size(); }

    /// The node behind `node` along a byte, or `nowhere`.
    [[nodiscard]] std::uint32_t step(std::uint32_t node, unsigned char byte) const noexcept {
        const std::uint32_t next = units_[node].base ^ byte;
        return units_[next].parent == node ? next : nowhere;
    }
    /// The number of the key that ends at this node, or -1.
    [[nodiscard]] std::int32_t number(std::uint32_t node) const noexcept { return units_[node].number; }

    /// The longest key that `text` begins with: its number (or -1) and length.
    template <class = void>
    [[nodiscard]] std::pair<std::int32_t, std::size_t> longest(std::uint32_t root, std::string_view text) const noexcept {
        std::pair<std::int32_t, std::size_t> best{-1, 0};
        std::uint32_t node = root;
        for (std::size_t i = 0; i < text.size(); ++i) {
            node = step(node, static_cast<unsigned char>(text[i]));
            if (node == nowhere) break;
            if (number(node) >= 0) best = {number(node), i + 1};
        }
        return best;
    }
    /// The number of the key that is `text`, or -1.
    [[nodiscard]] std::int32_t find(std::uint32_t root, std::string_view text) const noexcept {
        std::uint32_t node = root;
        for (std::size_t i = 0; i < text.size() && node != nowhere; ++i) node = step(node, static_cast<unsigned char>(text[i]));
        return node == nowhere ? -1 : number(node);
    }

   private:
    struct unit {
        std::uint32_t base = 0;          // of its children: base ^ byte
        std::uint32_t parent = nowhere;  // `nowhere`: free, or a root
        std::int32_t number = -1;
    };

    // Free units in a circle behind unit 0, which is never used; each knows its neighbours.
    template <class = void>
    void grow() {
        const std::size_t from = units_.size();
        require(from < (std::size_t{1} << 31), errc::limit_exceeded, "byte_trie: more than 2^31 nodes");
        units_.resize(from + 256);
        next_free_.resize(units_.size());
        previous_free_.resize(units_.size());
        is_free_.resize(units_.size(), 0);
        if (from == 0) next_free_[0] = previous_free_[0] = 0;
        for (std::size_t i = std::max<std::size_t>(from, 1); i < units_.size(); ++i) {
            const auto at = static_cast<std::uint32_t>(i), last = previous_free_[0];
            next_free_[last] = at;
            previous_free_[at] = last;
            next_free_[at] = 0;
            previous_free_[0] = at;
            is_free_[i] = 1;
        }
    }
    void take(std::uint32_t at) {
        next_free_[previous_free_[at]] = next_free_[at];
        previous_free_[next_free_[at]] = previous_free_[at];
        is_free_[at] = 0;
    }
    template <class = void>
    std::uint32_t take_free() {
        if (units_.empty() || next_free_[0] == 0) grow();
        const std::uint32_t at = next_free_[0];
        take(at);
        return at;
    }
    // A base whose units for all labels are free. Looks at some free units only, the youngest first, so that building
    // takes a time proportional to the keys: holes in old blocks are left to nodes with one child.
    template <class Labels>
    [[nodiscard]] std::uint32_t base_for(const Labels& labels) {
        const unsigned char first = labels.front().first;
        if (units_.empty() || next_free_[0] == 0) grow();
        if (labels.size() == 1) return next_free_[0] ^ first;
        std::uint32_t at = previous_free_[0];
        for (int tries = 0; tries < 64 && at != 0; ++tries, at = previous_free_[at]) {
            const std::uint32_t base = at ^ first;
            if (std::all_of(labels.begin(), labels.end(), [&](const auto& label) { return is_free_[base ^ label.first] != 0; })) return base;
        }
        const auto fresh = static_cast<std::uint32_t>(units_.size());
        grow();
        return fresh;
    }

    std::vector<unit> units_;
    std::vector<std::uint32_t> next_free_, previous_free_;
    std::vector<std::uint8_t> is_free_;
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
