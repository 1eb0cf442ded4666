#ifndef CARAMEL_TEXT_CHINESE_DICTIONARY_HPP
#define CARAMEL_TEXT_CHINESE_DICTIONARY_HPP

// Chinese words and how often each occurs, and segmentation by a list of words alone.

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/string_numbers.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/io/file.hpp>
#include <caramel/text/lines.hpp>
#include <caramel/text/unicode.hpp>
#include <caramel/text/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// ---- what jieba looks words up in ------------------------------------------------------------------------------------
// Runs of U+4E00 .. U+9FD5, ASCII letters and digits, and + # & . _ % -: the rest is cut into single characters.
inline constexpr char32_t first_han = 0x4E00, last_han = 0x9FD5;
constexpr bool is_han(char32_t c) noexcept { return c >= first_han && c <= last_han; }
constexpr bool is_latin(char32_t c) noexcept { return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9'); }
inline constexpr auto ascii_in_block = [] {
    std::array<bool, 128> in{};
    for (char32_t c = 0; c < 128; ++c) in[c] = is_latin(c);
    for (const char c : {'+', '#', '&', '.', '_', '%', '-'}) in[static_cast<unsigned char>(c)] = true;
    return in;
}();
constexpr bool in_block(char32_t c) noexcept { return c < 128 ? ascii_in_block[c] : is_han(c); }
// White space as Python's regular expressions know it.
constexpr bool is_python_space(char32_t c) noexcept {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

// Memory for one text of so many characters.
struct chinese_scratch {
    std::span<char16_t> chars;          // of a block
    std::span<std::uint32_t> offsets;   // bytes of the text, one more than characters
    std::span<std::uint16_t> codes;
    std::span<double> score;            // one more than characters
    std::span<std::uint32_t> next;
    std::span<std::uint8_t> back, states;

    template <class = void>
    chinese_scratch(std::string_view text, workspace& scratch) {
        std::size_t n = 0;  // characters
        for (const char byte : text) n += static_cast<std::size_t>((static_cast<unsigned char>(byte) & 0xC0) != 0x80);
        chars = scratch.take<char16_t>(n);
        offsets = scratch.take<std::uint32_t>(n + 1);
        codes = scratch.take<std::uint16_t>(n);
        score = scratch.take<double>(n + 1);
        next = scratch.take<std::uint32_t>(n);
        back = scratch.take<std::uint8_t>(n);
        states = scratch.take<std::uint8_t>(n);
    }
};

// Calls `block(n)` for each run of `in_block` characters, which stand in the scratch, and `other(begin, end)` for what is between.
template <class Block, class Other>
void scan_blocks(std::string_view text, const chinese_scratch& scratch, const Block& block, const Other& other) {
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t n = 0;
        while (at < text.size()) {
            const auto lead = static_cast<unsigned char>(text[at]);
            const std::size_t begin = at;
            if (lead < 0x80) {
                if (!ascii_in_block[lead]) break;
                scratch.chars[n] = lead;
                ++at;
            } else {
                if (lead < 0xE4 || lead > 0xE9) break;  // of three bytes, and nearly all of these are in the block
                std::size_t next = at;
                const char32_t c = decode_utf8(text, next);
                if (!is_han(c)) break;
                scratch.chars[n] = static_cast<char16_t>(c);
                at = next;
            }
            scratch.offsets[n++] = static_cast<std::uint32_t>(begin);
        }
        scratch.offsets[n] = static_cast<std::uint32_t>(at);
        if (n > 0) block(n);
        const std::size_t others = at;
        for (std::size_t next = at; at < text.size(); at = next)
            if (in_block(decode_utf8(text, next))) break;
        if (at > others) other(others, at);
    }
}
// Each character for itself, but for a line end of two.
template <class Word>
void split_others(std::string_view text, std::size_t begin, std::size_t end, const Word& word) {
    while (begin < end) {
        std::size_t next = begin;
        if (text.substr(begin, 2) == "\r\n") next += 2;
        else (void)decode_utf8(text, next);
        word(begin, next);
        begin = next;
    }
}

// The most probable way through the words of a block, from the right: `next[i]` is where the word ends that begins at i.
// The same sums in the same order as jieba, whose ties go to the longer word, so that the words are the same to the last bit.
template <class Trie>
void find_route(const Trie& trie, std::span<const std::uint16_t> codes, double* score, std::uint32_t* next) {
    const double unknown = 0.0 - trie.log_total();
    const std::size_t n = codes.size();
    score[n] = 0;
    for (std::size_t i = n; i-- > 0;) {
        double best = unknown + score[i + 1];
        std::size_t to = i + 1;
        bool found = false;
        auto node = trie.first(codes[i]);
        for (std::size_t j = i + 1; node != 0; ++j) {
            if (trie.is_word(node)) {
                const double sum = trie.log_probability(node) + score[j];
                if (!found || sum >= best) best = sum, to = j, found = true;
            }
            if (j == n) break;
            node = trie.next(node, codes[j]);
        }
        score[i] = best;
        next[i] = static_cast<std::uint32_t>(to);
    }
}

// Words of a block without the hidden Markov model: single Latin letters and digits in a row come out as one.
template <class Sink>
void walk_route(const chinese_scratch& scratch, std::size_t n, const Sink& sink) {
    std::size_t pending = 0;
    for (std::size_t x = 0; x < n;) {
        const std::size_t y = scratch.next[x];
        if (y - x > 1 || !is_latin(scratch.chars[x])) {
            if (pending < x) sink(pending, x);
            sink(x, y);
            pending = y;
        }
        x = y;
    }
    if (pending < n) sink(pending, n);
}

// ---- tries -----------------------------------------------------------------------------------------------------------
// Walked for every character of a text: a double array (Aoe, IEEE Transactions on Software Engineering 15(9), 1989) of eight
// bytes a node, since what costs time is fetching them. No two nodes have the same base, so a slot needs to know its character
// only; and words of equal count share their log-probability, of which there are few enough to stay in the cache.
class frozen_trie {
   public:
    static constexpr std::uint16_t free_slot = 0xFFFF;  // no character has this code, nor 0, which stands for characters of no word
    static constexpr std::uint32_t no_word = 0xFFFFFFFF;
    static constexpr std::size_t max_slots = (std::size_t{1} << 24) - 1;

    template <class = void>
    [[nodiscard]] std::uint16_t code(char32_t c) const noexcept { return c < codes_.size() ? codes_[c] : std::uint16_t{0}; }
    // Of a character of the first plane.
    [[nodiscard]] std::uint16_t code(char16_t c) const noexcept { return codes_[c]; }
    [[nodiscard]] std::uint32_t first(std::uint16_t code) const noexcept { return code_of(slots_[code]) == code ? std::uint32_t{code} : 0; }
    [[nodiscard]] std::uint32_t next(std::uint32_t node, std::uint16_t code) const noexcept {
        const std::uint32_t base = base_of(slots_[node]);
        if (base == 0) return 0;
        return code_of(slots_[base + code]) == code ? base + code : 0;
    }
    [[nodiscard]] bool is_word(std::uint32_t node) const noexcept { return value_of(slots_[node]) != 0; }
    [[nodiscard]] double log_probability(std::uint32_t node) const noexcept { return values_[value_of(slots_[node])]; }
    [[nodiscard]] double log_total() const noexcept { return log_total_; }
    [[nodiscard]] std::uint32_t number(std::uint32_t node) const noexcept { return numbers_[node]; }  // of the word; `no_word`
    // Whether codes first .. last - 1 are a word.
    template <class Code>
    [[nodiscard]] bool has_word(const Code* first_code, const Code* last_code) const noexcept {
        std::uint32_t node = first(*first_code);
        while (node != 0 && ++first_code != last_code) node = next(node, *first_code);
        return node != 0 && is_word(node);
    }
    // The codes of characters of the first plane; what will be asked about each two neighbours is on its way when this is done.
    void codes_of(std::span<const char16_t> chars, std::uint16_t* codes) const noexcept {
        if (chars.empty()) return;
        std::uint16_t before = codes[0] = code(chars[0]);
        for (std::size_t i = 1; i < chars.size(); ++i) {
            const std::uint16_t here = codes[i] = code(chars[i]);
            CARAMEL_PREFETCH(&slots_[base_of(slots_[before]) + here]);
            before = here;
        }
    }

   private:
    friend class growing_trie;
    // Code (16 bits), base (24; 0: nothing below) and the number of the value (24; 0: no word).
    using slot = std::uint64_t;
    [[nodiscard]] static slot packed(std::uint16_t code, std::uint32_t base,
                                     std::uint32_t value) noexcept { return code | slot{base} << 16 | slot{value} << 40; }
    [[nodiscard]] static std::uint16_t code_of(slot s) noexcept { return static_cast<std::uint16_t>(s); }
    [[nodiscard]] static std::uint32_t base_of(slot s) noexcept { return static_cast<std::uint32_t>(s >> 16 & 0xFFFFFF); }
    [[nodiscard]] static std::uint32_t value_of(slot s) noexcept { return static_cast<std::uint32_t>(s >> 40); }

    std::vector<std::uint16_t> codes_ = std::vector<std::uint16_t>(0x10000);  // of characters
    std::vector<slot> slots_ = std::vector<slot>(1, free_slot);
    std::vector<double> values_ = {0.0};
    std::vector<std::uint32_t> numbers_ = {no_word};
    double log_total_ = 0;
};

// Where words are put in: edges in a hash table. The hash has a seed of the dictionary's own, so that no file collides by design.
class growing_trie {
   public:
    static constexpr std::size_t max_codes = 0xFFFE;

    template <class = void>
    explicit growing_trie(std::uint64_t seed, std::size_t expected_nodes = 0)
        : seed_(seed), codes_(0x10000), roots_(1) {
        const std::size_t edges = std::bit_ceil(2 * expected_nodes + 64);
        reserve_large(edges_, edges);  // what is looked up at random
        edges_.resize(edges);
        reserve_large(nodes_, expected_nodes);
        nodes_.emplace_back();
    }

    [[nodiscard]] std::uint16_t code(char32_t c) const noexcept { return c < codes_.size() ? codes_[c] : std::uint16_t{0}; }
    [[nodiscard]] std::uint16_t code(char16_t c) const noexcept { return codes_[c]; }
    [[nodiscard]] std::uint32_t first(std::uint16_t code) const noexcept { return roots_[code]; }
    [[nodiscard]] std::uint32_t next(std::uint32_t node, std::uint16_t code) const noexcept {
        return code == 0 ? 0 : edges_[find_edge(node, code)];
    }
    [[nodiscard]] bool is_word(std::uint32_t node) const noexcept { return count(node) > 0; }
    [[nodiscard]] std::uint64_t count(std::uint32_t node) const noexcept {
        return nodes_[node].number == frozen_trie::no_word ? 0 : counts_[nodes_[node].number];
    }
    [[nodiscard]] double log_total() const noexcept { return total_ == 0 ? 0 : std::log(static_cast<double>(total_)); }
    [[nodiscard]] double log_probability(std::uint32_t node) const noexcept { return std::log(static_cast<double>(count(node))) - log_total(); }
    [[nodiscard]] std::uint32_t find(std::string_view word) const noexcept {
        std::uint32_t node = 0;
        for (std::size_t at = 0; at < word.size();) {
            const bool is_first = at == 0;
            const std::uint16_t c = code(decode_utf8(word, at));
            node = is_first ? first(c) : next(node, c);
            if (node == 0) return 0;
        }
        return node;
    }

    // Returns the word's number; the later count of a word holds, and the total takes both, as with jieba.
    template <class Word>
    std::uint32_t put(const Word& word, std::uint64_t count, std::size_t max_characters, std::size_t row, std::string_view who) {
        require_at(!word.empty(), errc::empty_token, {.row = row}, who, ": word ", row, " is empty");
        constexpr std::uint64_t most = std::uint64_t{1} << 62;
        require_at(count <= most && total_ <= most - count, errc::limit_exceeded, {.row = row}, who, ": the counts up to word ", row, " sum to more than 2^62");
        std::size_t characters = 0;
        std::uint32_t node = 0;
        for (std::size_t at = 0; at < word.size(); ++characters) {
            require_at(characters < max_characters, errc::token_too_long, {.row = row}, who, ": word ", row, " has more than ", max_characters, " characters");
            const char32_t character = decode_utf8(word, at);
            if (character >= codes_.size()) codes_.resize(0x110000);
            std::uint16_t& c = codes_[character];
            if (c == 0) {
                require_at(characters_.size() < max_codes, errc::limit_exceeded, {.row = row}, who, ": more than ", max_codes, " different characters");
                roots_.push_back(0);
                characters_.push_back(character);
                c = static_cast<std::uint16_t>(characters_.size());
            }
            if (characters < path_.size() && nodes_[path_[characters]].parent == node && nodes_[path_[characters]].code == c) {
                node = path_[characters];
                continue;
            }
            node = characters == 0 ? root_child(c) : child(node, c);
            path_.resize(characters);
            path_.push_back(node);
        }
        std::uint32_t& number = nodes_[node].number;
        total_ += count;
        if (number == frozen_trie::no_word) {
            number = static_cast<std::uint32_t>(counts_.size());
            counts_.push_back(count);
            words_.append(word);
            words_ += '\n';
        } else {
            counts_[number] = count;
        }
        return number;
    }
    void set_total(std::uint64_t total) noexcept { total_ = total; }
    // Places passed in search of a free one.
    [[nodiscard]] std::size_t steps() const noexcept { return all_steps_ + steps_; }
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    [[nodiscard]] std::string& words() noexcept { return words_; }
    [[nodiscard]] std::vector<std::uint64_t>& counts() noexcept { return counts_; }

    template <std::same_as<frozen_trie> Trie>
    [[nodiscard]] Trie freeze() const;

   private:
    struct branch {
        std::uint32_t parent = 0;
        std::uint32_t number = frozen_trie::no_word;
        std::uint16_t code = 0;
    };
    // Where the child stands, or 0 where it would.
    [[nodiscard]] std::size_t find_edge(std::uint32_t parent, std::uint16_t code) const noexcept {
        std::size_t at = home(parent, code);
        const auto is_other = [&](const branch& here) { return here.parent != parent || here.code != code; };
        while (edges_[at] != 0 && is_other(nodes_[edges_[at]])) at = (at + 1) & (edges_.size() - 1);
        return at;
    }
    [[nodiscard]] std::size_t home(std::uint32_t parent, std::uint16_t code) const noexcept {
        std::uint64_t hash = (parent ^ seed_) * 0x9e3779b97f4a7c15U;
        hash = (hash ^ hash >> 32) * 0xbf58476d1ce4e5b9U;
        // The children of a node within reach of each other: dictionaries are sorted, and fetching memory is what takes time.
        return (static_cast<std::size_t>(hash ^ hash >> 29) + code) & (edges_.size() - 1);
    }
    template <class = void>
    std::uint32_t add_node(std::uint32_t parent, std::uint16_t code) {
        require(nodes_.size() < std::numeric_limits<std::uint32_t>::max() / 4, errc::limit_exceeded, "chinese_dictionary: too many words");
        nodes_.push_back({.parent = parent, .code = code});
        return static_cast<std::uint32_t>(nodes_.size() - 1);
    }
    template <class = void>
    std::uint32_t root_child(std::uint16_t code) {
        if (roots_[code] == 0) roots_[code] = add_node(0, code);
        return roots_[code];
    }
    template <class = void>
    std::uint32_t child(std::uint32_t parent, std::uint16_t code) {
        std::size_t at = find_edge(parent, code);
        if (edges_[at] != 0) return edges_[at];
        steps_ += (at - home(parent, code)) & (edges_.size() - 1);
        const bool full = 2 * ++n_edges_ > edges_.size(), slow = steps_ > 64 * n_edges_ + 4096;  // by chance about one a word
        if (full || slow) {
            if (slow) seed_ = string_hash{}(std::string_view(words_), seed_ + n_edges_);  // words were chosen to collide under this one
            all_steps_ += std::exchange(steps_, 0);
            std::vector<std::uint32_t> old(full ? 2 * edges_.size() : edges_.size());
            old.swap(edges_);
            for (const std::uint32_t below : old)
                if (below != 0) edges_[find_edge(nodes_[below].parent, nodes_[below].code)] = below;
            at = find_edge(parent, code);
        }
        return edges_[at] = add_node(parent, code);
    }

    std::uint64_t seed_, total_ = 0;
    std::size_t n_edges_ = 0, steps_ = 0, all_steps_ = 0;
    std::vector<std::uint16_t> codes_;  // of characters; beyond the first plane only where a word has such a one
    std::vector<char32_t> characters_;  // of codes 1, 2 ...
    std::vector<std::uint32_t> roots_;  // by code; 0 where no word begins so
    std::vector<branch> nodes_;
    std::vector<std::uint32_t> edges_;  // children; a power of two, at most half full
    std::vector<std::uint32_t> path_;   // of the word before: most lines of a dictionary begin as the one above
    std::string words_;        // each with a line end
    std::vector<std::uint64_t> counts_;
};

// Free places for the children of a node.
class slot_finder {
   public:
    template <class = void>
    explicit slot_finder(std::size_t codes) : codes_(codes) { grow(codes); }
    // A base under which all codes (rising) are free. What has many children comes first and what has one comes last and
    // fills the holes; a search gives up after so many places and goes on where there is nothing yet, so the time is bounded.
    template <class Codes>
    std::uint32_t place(const Codes& codes) {
        std::size_t& cursor = cursors_[static_cast<std::size_t>(std::bit_width(codes.size()))];
        cursor = std::max(cursor, first_free_);
        for (std::size_t tried = 0;; ++tried) {
            cursor = next_free(cursor);
            if (cursor > codes.front() && fits(cursor - codes.front(), codes)) break;
            if (tried == 256) cursor = std::max(cursor, end_);
            ++cursor;
        }
        const std::size_t base = cursor - codes.front();
        take(base, codes);
        if (codes.size() == 1) first_free_ = cursor;  // nothing larger comes
        return static_cast<std::uint32_t>(base);
    }
    template <class Codes>
    void take(std::size_t base, const Codes& codes) {
        grow(base + codes_);
        bases_[base] = true;
        for (const std::uint16_t code : codes) {
            taken_[(base + code) / 64] |= std::uint64_t{1} << (base + code) % 64;
            end_ = std::max(end_, base + code + 1);
        }
    }
    [[nodiscard]] std::size_t slots() const noexcept { return end_ + codes_; }  // any base and any code lie within

   private:
    [[nodiscard]] bool is_taken(std::size_t at) const noexcept { return at / 64 < taken_.size() && (taken_[at / 64] >> at % 64 & 1) != 0; }
    [[nodiscard]] std::size_t next_free(std::size_t at) const noexcept {
        while (at / 64 < taken_.size()) {
            const std::uint64_t rest = taken_[at / 64] >> at % 64;
            const auto ones = static_cast<std::size_t>(std::countr_one(rest));
            if (ones < 64 - at % 64) return at + ones;
            at = (at / 64 + 1) * 64;
        }
        return at;
    }
    template <class Codes>
    [[nodiscard]] bool fits(std::size_t base, const Codes& codes) const noexcept {
        if (base < bases_.size() && bases_[base]) return false;
        for (const std::uint16_t code : codes)
            if (is_taken(base + code)) return false;
        return true;
    }
    template <class = void>
    void grow(std::size_t slots) {
        if (slots / 64 >= taken_.size()) taken_.resize(slots / 64 * 3 / 2 + 1);
        if (slots >= bases_.size()) bases_.resize(slots * 3 / 2 + 1);
    }
    std::size_t codes_, first_free_ = 1, end_ = 1;
    std::array<std::size_t, 18> cursors_{};
    std::vector<std::uint64_t> taken_;
    std::vector<bool> bases_;
};

template <std::same_as<frozen_trie> Trie>
Trie growing_trie::freeze() const {
    Trie out;
    const std::size_t n_codes = characters_.size();
    // Codes by falling number of edges, so that siblings lie close to each other.
    std::vector<std::uint32_t> uses(n_codes + 1), children(nodes_.size() + 1);
    for (std::size_t i = 1; i < nodes_.size(); ++i) ++uses[nodes_[i].code], ++children[nodes_[i].parent];
    std::vector<std::uint16_t> by_use(n_codes), new_code(n_codes + 1);
    for (std::size_t i = 0; i < n_codes; ++i) by_use[i] = static_cast<std::uint16_t>(i + 1);
    std::stable_sort(by_use.begin(), by_use.end(), [&](std::uint16_t a, std::uint16_t b) { return uses[a] > uses[b]; });
    for (std::size_t i = 0; i < n_codes; ++i) new_code[by_use[i]] = static_cast<std::uint16_t>(i + 1);
    char32_t last = 0;
    for (const char32_t c : characters_) last = std::max(last, c);
    out.codes_.resize(std::max<std::size_t>(out.codes_.size(), last + 1));
    for (std::size_t i = 0; i < n_codes; ++i) out.codes_[characters_[i]] = new_code[i + 1];

    // The children of each node by rising code: nodes sorted by code, then dealt out to their parents.
    std::vector<std::uint32_t> starts(n_codes + 2), sorted(nodes_.size() - 1), begins(nodes_.size() + 1), family(nodes_.size() - 1);
    for (std::size_t i = 1; i < nodes_.size(); ++i) ++starts[new_code[nodes_[i].code] + 1U];
    for (std::size_t c = 1; c < starts.size(); ++c) starts[c] += starts[c - 1];
    for (std::size_t i = 1; i < nodes_.size(); ++i) sorted[starts[new_code[nodes_[i].code]]++] = static_cast<std::uint32_t>(i);
    for (std::size_t i = 0; i < nodes_.size(); ++i) begins[i + 1] = begins[i] + children[i];
    std::vector<std::uint32_t> at(begins.begin(), begins.end() - 1);
    for (const std::uint32_t i : sorted) family[at[nodes_[i].parent]++] = i;

    std::vector<std::uint32_t> parents;
    for (std::size_t i = 1; i < nodes_.size(); ++i)
        if (children[i] > 0) parents.push_back(static_cast<std::uint32_t>(i));
    std::stable_sort(parents.begin(), parents.end(), [&](std::uint32_t a, std::uint32_t b) { return children[a] > children[b]; });
    std::vector<std::uint32_t> base(nodes_.size());
    std::vector<std::uint16_t> codes;
    slot_finder finder(n_codes + 1);
    const auto codes_below = [&](std::uint32_t i) {
        codes.clear();
        for (std::uint32_t k = begins[i]; k < begins[i + 1]; ++k) codes.push_back(new_code[nodes_[family[k]].code]);
    };
    codes_below(0);
    finder.take(0, codes);
    for (const std::uint32_t i : parents) {
        codes_below(i);
        base[i] = finder.place(codes);
    }

    const std::size_t slots = finder.slots() + 1;
    require(slots <= frozen_trie::max_slots, errc::limit_exceeded, "chinese_dictionary: too many words: ", nodes_.size(), " different beginnings of words");
    reserve_large(out.slots_, slots);
    out.slots_.assign(slots, frozen_trie::free_slot);
    out.numbers_.assign(slots, frozen_trie::no_word);
    out.log_total_ = log_total();
    std::vector<std::uint64_t> values(counts_);  // the different counts
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    if (!values.empty() && values.front() == 0) values.erase(values.begin());
    for (const std::uint64_t count : values) out.values_.push_back(std::log(static_cast<double>(count)) - out.log_total_);
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
        const branch& n = nodes_[i];
        const std::size_t place = base[n.parent] + new_code[n.code];
        const std::uint64_t times = count(static_cast<std::uint32_t>(i));
        const auto value = times == 0 ? 0 : std::lower_bound(values.begin(), values.end(), times) - values.begin() + 1;
        out.slots_[place] = frozen_trie::packed(new_code[n.code], base[i], static_cast<std::uint32_t>(value));
        out.numbers_[place] = n.number;
    }
    return out;
}

[[nodiscard]] inline std::string_view stripped(std::string_view line) noexcept {
    const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
    while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
    while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
    return line;
}
template <class = void>
[[nodiscard]] inline std::string_view without_byte_order_mark(std::string_view text) noexcept { return text.substr(text.starts_with("\xEF\xBB\xBF") ? 3 : 0); }
template <class = void>
[[nodiscard]] inline std::uint64_t count_of(std::string_view digits, std::size_t row, std::string_view who) {
    std::uint64_t count = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    require_at(problem != std::errc::result_out_of_range, errc::number_out_of_range, {.row = row}, who, ": the count in line ", row, " is too large");
    require_at(problem == std::errc() && end == digits.data() + digits.size(), errc::bad_number, {.row = row}, who, ": line ", row,
               " has no whole number as its count");
    return count;
}

}  // namespace detail

/// A word of the host's own. Without a count it gets jieba's suggestion, with which it is cut out as one; count 0 takes a
/// word out of the dictionary, and keeps the hidden Markov model from joining it again.
struct user_word {
    std::string word = {};
    std::optional<std::uint64_t> count = std::nullopt;
};

/// Words and how often each occurs, as jieba's dictionaries have them. An immutable value; copies share their memory.
class chinese_dictionary {
   public:
    static constexpr std::size_t max_characters = 64;  ///< of a word, which bounds the time for any text

    /// No words.
    template <class = void>
    chinese_dictionary() : data_(std::make_shared<const data>()) {}
    /// Words of equal weight: the most probable way is the one of fewest words, ties go to the longer word first.
    /// Throws `error` with the word's number from 1 in `where().row`: `empty_token`, `token_too_long`, `bad_utf8`, `bad_data`
    /// (a line end within); `limit_exceeded` on more than 65,534 different characters. A word twice is there once.
    template <std::same_as<std::vector<std::string>> Words>
    explicit chinese_dictionary(const Words& words) {
        detail::growing_trie trie(words.size());
        for (std::size_t i = 0; i < words.size(); ++i) {
            require_at(words[i].find('\n') == std::string::npos, errc::bad_data, {.row = i + 1}, "chinese_dictionary: word ", i + 1, " holds a line end");
            require_utf8(words[i], i + 1, "chinese_dictionary");
            trie.put(words[i], 1, max_characters, i + 1, "chinese_dictionary");
        }
        trie.set_total(trie.counts().size());
        finish(trie, {});
    }
    /// From its fields: words that each end with a line end, their counts, the total that probabilities refer to, and which
    /// words (rising numbers from 0) the user has taken out. Throws `error`, as above, and `bad_data` on what does not fit.
    template <std::same_as<std::string> Lines>
    chinese_dictionary(const Lines& words, const std::vector<std::uint64_t>& counts, std::uint64_t total, std::vector<std::uint32_t> taken_out) {
        require_utf8(words, 1, "chinese_dictionary");
        detail::growing_trie trie(detail::string_hash{}(std::string_view(words), counts.size()), 2 * std::min(counts.size(), words.size()));
        std::uint64_t sum = 0;
        detail::for_each_line(words, [&](std::string_view word, std::size_t number) {
            require(number <= counts.size(), errc::bad_data, "chinese_dictionary: more words than the ", counts.size(), " counts");
            require_at(trie.put(word, counts[number - 1], max_characters, number, "chinese_dictionary") == number - 1, errc::duplicate_token, {.row = number},
                       "chinese_dictionary: word ", number, " stands there twice");
            sum += counts[number - 1];
        });
        require(trie.counts().size() == counts.size() && (words.empty() || words.ends_with('\n')), errc::bad_data, "chinese_dictionary: ", trie.counts().size(),
                " words and ", counts.size(), " counts");
        require(total >= sum && total <= std::uint64_t{1} << 62, errc::bad_data, "chinese_dictionary: the total ", total, " is not the sum of the counts, ",
                sum, ", or more");
        for (std::size_t i = 0; i < taken_out.size(); ++i)
            require(taken_out[i] < counts.size() && (i == 0 || taken_out[i - 1] < taken_out[i]), errc::bad_data,
                    "chinese_dictionary: the words taken out are no rising numbers below ", counts.size());
        trie.set_total(total);
        finish(trie, std::move(taken_out));
    }

    /// This dictionary with more words, taken in order. Throws `error` as the constructor does, with the word's number.
    template <std::same_as<std::vector<user_word>> Words = std::vector<user_word>>
    [[nodiscard]] chinese_dictionary with(const Words& more) const;

    /// The number of words, those of count 0 included.
    [[nodiscard]] std::size_t size() const noexcept { return data_->counts.size(); }
    [[nodiscard]] std::uint64_t total() const noexcept { return data_->total; }
    /// 0 for what is no word.
    [[nodiscard]] std::uint64_t count(std::string_view word) const {
        const std::uint32_t number = number_of(word);
        return number == detail::frozen_trie::no_word ? 0 : data_->counts[number];
    }
    /// Whether user words of count 0 took any out.
    [[nodiscard]] bool takes_out() const noexcept { return !data_->taken_out.empty(); }
    /// Whether one took out this word.
    template <class = void>
    [[nodiscard]] bool is_taken_out(std::string_view word) const {
        return takes_out() && std::binary_search(data_->taken_out.begin(), data_->taken_out.end(), number_of(word));
    }
    [[nodiscard]] const detail::frozen_trie& trie() const noexcept { return data_->trie; }

    static constexpr std::array field_names{"words", "counts", "total", "taken_out"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(data_->words, data_->counts, data_->total, data_->taken_out); }
    template <class = void>
    friend bool operator==(const chinese_dictionary& a, const chinese_dictionary& b) noexcept { return a.data_ == b.data_ || a.fields() == b.fields(); }

   private:
    struct data {
        detail::frozen_trie trie = {};
        std::string words = {};
        std::vector<std::uint64_t> counts = {};
        std::uint64_t total = 0;
        std::vector<std::uint32_t> taken_out = {};
    };
    template <class Text>
    friend chinese_dictionary parse_chinese_dictionary(const Text&);

    template <std::same_as<detail::growing_trie> Trie>
    chinese_dictionary(Trie& trie, std::vector<std::uint32_t> taken_out) {
        finish(trie, std::move(taken_out));
    }
    template <std::same_as<detail::growing_trie> Trie>
    void finish(Trie& trie, std::vector<std::uint32_t> taken_out) {
        data_ = std::make_shared<const data>(data{trie.template freeze<detail::frozen_trie>(), std::move(trie.words()), std::move(trie.counts()),
                                             trie.total(), std::move(taken_out)});
    }
    [[nodiscard]] std::uint32_t number_of(std::string_view word) const {
        if (word.empty() || find_bad_utf8(word) != std::string_view::npos) return detail::frozen_trie::no_word;
        std::size_t at = 0;
        std::uint32_t node = data_->trie.first(data_->trie.code(decode_utf8(word, at)));
        while (node != 0 && at < word.size()) node = data_->trie.next(node, data_->trie.code(decode_utf8(word, at)));
        return node == 0 ? detail::frozen_trie::no_word : data_->trie.number(node);
    }

    std::shared_ptr<const data> data_;
};

namespace detail {

// The count with which jieba expects a word to be cut out as one: a little more than its parts have together.
template <class Trie>
std::uint64_t suggested_count(const Trie& trie, std::string_view word, workspace& scratch) {
    const workspace::frame frame(scratch);
    const chinese_scratch rows(word, scratch);
    const auto total = static_cast<double>(trie.total());
    double share = 1;
    const auto take = [&](std::size_t begin, std::size_t end) {
        const std::uint32_t node = trie.find(word.substr(begin, end - begin));
        share *= (node == 0 ? 1.0 : static_cast<double>(trie.count(node))) / total;  // 0 for what only words begin with
    };
    if (trie.total() > 0)
        scan_blocks(
            word, rows,
            [&](std::size_t n) {
                for (std::size_t i = 0; i < n; ++i) rows.codes[i] = trie.code(rows.chars[i]);
                find_route(trie, rows.codes.first(n), rows.score.data(), rows.next.data());
                walk_route(rows, n, [&](std::size_t x, std::size_t y) { take(rows.offsets[x], rows.offsets[y]); });
            },
            [&](std::size_t begin, std::size_t end) { split_others(word, begin, end, take); });
    const std::uint32_t known = trie.find(word);
    const std::uint64_t suggested = trie.total() == 0 ? 1 : static_cast<std::uint64_t>(share * total) + 1;
    return std::max(suggested, known == 0 ? std::uint64_t{1} : trie.count(known));
}

}  // namespace detail

template <std::same_as<std::vector<user_word>> Words>
chinese_dictionary chinese_dictionary::with(const Words& more) const {
    const std::vector<std::uint64_t>& counts = data_->counts;
    detail::growing_trie trie(detail::string_hash{}(std::string_view(data_->words), more.size()), 2 * counts.size());
    detail::for_each_line(data_->words,
                          [&](std::string_view word, std::size_t number) { trie.put(word, counts[number - 1], max_characters, number, "chinese_dictionary"); });
    trie.set_total(data_->total);
    std::vector<std::uint32_t> taken_out = data_->taken_out;
    workspace scratch;
    for (std::size_t i = 0; i < more.size(); ++i) {
        const auto& [word, count] = more[i];
        require_utf8(word, i + 1, "chinese_dictionary");
        require_at(!word.empty(), errc::empty_token, {.row = i + 1}, "chinese_dictionary: word ", i + 1, " is empty");
        require_at(word.find('\n') == std::string::npos, errc::bad_data, {.row = i + 1}, "chinese_dictionary: word ", i + 1, " holds a line end");
        const std::uint32_t number = trie.put(word, count ? *count : detail::suggested_count(trie, word, scratch), max_characters, i + 1, "chinese_dictionary");
        if (count == std::uint64_t{0}) taken_out.push_back(number);  // for good, as with jieba
    }
    std::sort(taken_out.begin(), taken_out.end());
    taken_out.erase(std::unique(taken_out.begin(), taken_out.end()), taken_out.end());
    return {trie, std::move(taken_out)};
}

/// A dictionary in jieba's format: in each line a word, its count and, if at all, its part of speech (not used), with a
/// space between. A word that stands there twice has its last count. Throws `error` with the line in `where().row`:
/// `missing_value` (no count), `bad_number`, `number_out_of_range`, `empty_token`, `token_too_long`, `bad_utf8`, `limit_exceeded`.
template <class Text>
[[nodiscard]] chinese_dictionary parse_chinese_dictionary(const Text& given) {
    constexpr std::string_view who = "parse_chinese_dictionary";
    const std::string_view text = detail::without_byte_order_mark(given);
    const bool valid = find_bad_utf8(text) == std::string_view::npos;
    detail::growing_trie trie(detail::string_hash{}(text, 0), text.size() / 8);
    detail::for_each_line(text, [&](std::string_view raw, std::size_t row) {
        if (!valid) require_at(find_bad_utf8(raw) == std::string_view::npos, errc::bad_utf8, {.row = row}, who, ": line ", row, " is not UTF-8");
        const std::string_view line = detail::stripped(raw);
        const std::size_t space = line.find(' ');
        require_at(space != std::string_view::npos, errc::missing_value, {.row = row}, who, ": line ", row, " has no count");
        const std::string_view rest = line.substr(space + 1);
        trie.put(line.substr(0, space), detail::count_of(rest.substr(0, rest.find(' ')), row, who), chinese_dictionary::max_characters, row, who);
    });
    return {trie, {}};
}

/// The same from a file. Throws `error` (`io`), too.
template <std::convertible_to<file_path> Path>
[[nodiscard]] chinese_dictionary read_chinese_dictionary(const Path& path) {
    const auto bytes = read_file(path, std::uint64_t{1} << 30, "read_chinese_dictionary");
    return parse_chinese_dictionary(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

/// User words in jieba's format: in each line a word, and, if at all, its count and its part of speech (lower-case letters;
/// not used). A word may hold spaces; empty lines are left out. Throws `error` with the line: `bad_utf8`, `number_out_of_range`.
template <std::convertible_to<std::string_view> Text>
[[nodiscard]] std::vector<user_word> parse_user_words(const Text& given) {
    constexpr std::string_view who = "parse_user_words";
    std::vector<user_word> out;
    detail::for_each_line(detail::without_byte_order_mark(given), [&](std::string_view raw, std::size_t row) {
        require_at(find_bad_utf8(raw) == std::string_view::npos, errc::bad_utf8, {.row = row}, who, ": line ", row, " is not UTF-8");
        std::string_view line = detail::stripped(raw);
        if (line.empty()) return;
        // The last part, if all of its characters are of one kind and something stands before it.
        const auto take_last = [&](char from, char to) -> std::string_view {
            const std::size_t space = line.rfind(' ');
            if (space == std::string_view::npos || space == 0 || space + 1 == line.size()) return {};
            const std::string_view part = line.substr(space + 1);
            if (!std::all_of(part.begin(), part.end(), [&](char c) { return c >= from && c <= to; })) return {};
            line = line.substr(0, space);
            return part;
        };
        take_last('a', 'z');
        const std::string_view digits = take_last('0', '9');
        out.push_back({std::string(line), digits.empty() ? std::nullopt : std::optional(detail::count_of(digits, row, who))});
    });
    return out;
}

/// How words are found by a list of words alone.
enum class match_rule : std::uint8_t {
    longest = 0,  ///< from the left, always the longest word
    fewest = 1,   ///< the fewest words in all; then the most even lengths (MMSEG's rule); then the longer word last
};
/// How `match_words` cuts.
struct match_options {
    match_rule rule = match_rule::fewest;
    bool join_letters = true;  ///< a run of letters and digits (of any script but Han) may be a word though the list lacks it
};

/// Calls `word(begin, end)` with byte offsets: the text cut into words of the dictionary and single characters, whatever the
/// counts; white space is left out. Linear time. Throws `error` (`bad_utf8`; `limit_exceeded` from 4 GiB on).
template <std::invocable<std::size_t, std::size_t> Word>
void match_words(const chinese_dictionary& dictionary, std::string_view text, Word&& word, const match_options& options = {}) {
    require_utf8(text, 1, "match_words");
    require(text.size() < std::numeric_limits<std::uint32_t>::max(), errc::limit_exceeded, "match_words: a text of ", text.size(), " bytes");
    const detail::frozen_trie& trie = dictionary.trie();
    std::vector<std::uint32_t> offsets, next, run_end, count;
    std::vector<std::uint16_t> codes;
    std::vector<bool> letters;
    std::vector<std::uint64_t> squares;
    const auto flush = [&](std::size_t end_of_piece) {
        const std::size_t n = codes.size();
        offsets.push_back(static_cast<std::uint32_t>(end_of_piece));
        run_end.assign(n + 1, 0);  // where the run of letters ends that begins here
        for (std::size_t i = n; i-- > 0;)
            if (options.join_letters && letters[i]) run_end[i] = i + 1 < n && letters[i + 1] ? run_end[i + 1] : static_cast<std::uint32_t>(i + 1);
        const auto begins_run = [&](std::size_t i) { return run_end[i] != 0 && (i == 0 || run_end[i - 1] == 0); };
        // Calls `edge(j)` for each place where a word from i may end, nearest first.
        const auto edges = [&](std::size_t i, const auto& edge) {
            edge(i + 1);
            std::size_t j = i + 1;
            for (std::uint32_t node = trie.first(codes[i]); node != 0; ++j) {
                if (j > i + 1 && trie.is_word(node)) edge(j);
                if (j == n) break;
                node = trie.next(node, codes[j]);
            }
            if (begins_run(i)) edge(run_end[i]);
        };
        next.assign(n, 0);
        if (options.rule == match_rule::longest) {
            for (std::size_t i = 0; i < n; i = next[i])
                edges(i, [&](std::size_t j) { next[i] = std::max(next[i], static_cast<std::uint32_t>(j)); });
        } else {
            count.assign(n + 1, 0);
            squares.assign(n + 1, 0);
            for (std::size_t i = n; i-- > 0;)
                edges(i, [&](std::size_t j) {
                    const std::uint32_t words = count[j] + 1;
                    const std::uint64_t square = squares[j] + (j - i) * (j - i);
                    if (next[i] == 0 || words < count[i] || (words == count[i] && square < squares[i])) {
                        next[i] = static_cast<std::uint32_t>(j);
                        count[i] = words;
                        squares[i] = square;
                    }
                });
        }
        for (std::size_t i = 0; i < n; i = next[i]) word(static_cast<std::size_t>(offsets[i]), static_cast<std::size_t>(offsets[next[i]]));
        offsets.clear();
        codes.clear();
        letters.clear();
    };
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t begin = at;
        const char32_t c = decode_utf8(text, at);
        if (detail::is_python_space(c)) {
            flush(begin);
            continue;
        }
        offsets.push_back(static_cast<std::uint32_t>(begin));
        codes.push_back(trie.code(c));
        const general_category g = c < 128 ? general_category::cn : category_of(c);
        letters.push_back(c < 128 ? detail::is_latin(c) : (is_letter(g) || is_number(g)) && !is_cjk_ideograph(c));
    }
    flush(text.size());
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
