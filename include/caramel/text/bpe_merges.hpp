#ifndef CARAMEL_TEXT_BPE_MERGES_HPP
#define CARAMEL_TEXT_BPE_MERGES_HPP

// Byte pair encoding of one piece of text: tables made once from a vocabulary and its merges, never changed, and the merging.
//
// Nothing is cached between calls. What makes it fast instead: whole words are looked up first; text is cut where no token
// ever goes across; the tokens of single characters stand in a table.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/string_numbers.hpp>
#include <caramel/core/utf8.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// ---- bytes written as letters --------------------------------------------------------------------------------------------
// GPT-2's files write each byte as a printable letter: what is visible in Latin-1 as itself, the others in order from U+0100 on.
inline constexpr auto letters_of_bytes = [] {
    std::array<char16_t, 256> letters{};
    char16_t next = 256;
    for (unsigned b = 0; b < 256; ++b) letters[b] = (b >= 33 && b <= 126) || (b >= 161 && b != 173) ? static_cast<char16_t>(b) : next++;
    return letters;
}();
inline constexpr auto bytes_of_letters = [] {
    std::array<std::int16_t, 324> bytes{};
    bytes.fill(-1);
    for (std::size_t b = 0; b < 256; ++b) bytes[letters_of_bytes[b]] = static_cast<std::int16_t>(b);
    return bytes;
}();

// All below U+0800, so one or two bytes each.
template <class Bytes>
void append_letters(std::string& out, const Bytes& bytes) {
    for (const char byte : bytes) {
        const unsigned c = letters_of_bytes[static_cast<unsigned char>(byte)];
        if (c >= 0x80) out += static_cast<char>(0xC0 | c >> 6);
        out += static_cast<char>(c < 0x80 ? c : 0x80 | (c & 0x3F));
    }
}
// The bytes that letters stand for; false (and nothing appended) if one stands for none. `letters` is valid UTF-8.
template <class Letters>
[[nodiscard]] bool append_bytes(std::string& out, const Letters& letters) {
    const std::size_t before = out.size();
    for (std::size_t i = 0; i < letters.size(); ++i) {
        unsigned c = static_cast<unsigned char>(letters[i]);
        if (c >= 0xC0 && c < 0xE0) c = (c & 0x1F) << 6 | (static_cast<unsigned char>(letters[++i]) & 0x3F);
        if (c >= bytes_of_letters.size() || bytes_of_letters[c] < 0) return out.resize(before), false;
        out += static_cast<char>(bytes_of_letters[c]);
    }
    return true;
}

// ---- tables ----------------------------------------------------------------------------------------------------------------

inline constexpr std::uint32_t no_rank = std::numeric_limits<std::uint32_t>::max();

// One rule: two neighbours become one token. Their order is their rank: the lowest goes first.
struct bpe_rule {
    token_id left, right, result;
};

// Pairs of tokens -> rank. Open addressing; another multiplier where a chain gets long, so that no file makes it slow.
class pair_ranks {
   public:
    template <class = void>
    pair_ranks() : slots_(2), shift_(63) {}
    // Throws `error` (`duplicate_token`) with the number of a rule that stands there twice.
    template <class = void>
    pair_ranks(std::span<const bpe_rule> rules, std::string_view who) {
        shift_ = 64 - static_cast<unsigned>(std::bit_width(2 * rules.size() + 1));
        for (unsigned attempt = 0; attempt < 16; ++attempt) {
            if (attempt % 4 == 3) --shift_;
            multiplier_ = 0x9E3779B97F4A7C15U + std::uint64_t{attempt} * 0xD1342543DE82EF96U;
            slots_.assign(std::size_t{1} << (64 - shift_), slot{});
            std::size_t i = 0;
            while (i < rules.size() && place(rules[i], static_cast<std::uint32_t>(i), who)) ++i;
            if (i == rules.size()) return;
        }
        fail(errc::limit_exceeded, {}, who, ": ", rules.size(), " merges that collide");
    }
    // The rank of a pair, `no_rank` if there is no rule for it.
    [[nodiscard]] CARAMEL_ALWAYS_INLINE std::uint32_t operator()(token_id left, token_id right) const noexcept {
        const std::uint64_t key = key_of(left, right);
        for (std::size_t at = home(key);; at = (at + 1) & (slots_.size() - 1)) {
            const slot& here = slots_[at];
            if (here.key == key || here.key == nothing) return here.rank;
        }
    }

   private:
    static constexpr std::uint64_t nothing = std::numeric_limits<std::uint64_t>::max();  // tokens are at least 0
    static constexpr std::size_t longest_chain = 64;
    struct slot {
        std::uint64_t key = nothing;
        std::uint32_t rank = no_rank;
    };
    static std::uint64_t key_of(token_id left, token_id right) noexcept {
        return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
    }
    [[nodiscard]] std::size_t home(std::uint64_t key) const noexcept {
        return static_cast<std::size_t>((key * multiplier_ ^ key << 13) * multiplier_ >> shift_);
    }
    template <class = void>
    bool place(const bpe_rule& rule, std::uint32_t rank, std::string_view who) {
        const std::uint64_t key = key_of(rule.left, rule.right);
        std::size_t at = home(key);
        for (std::size_t step = 0; step < longest_chain; ++step, at = (at + 1) & (slots_.size() - 1)) {
            require_at(slots_[at].key != key, errc::duplicate_token, {.row = std::uint64_t{rank} + 1}, who, ": merge ", rank + 1, " stands there twice");
            if (slots_[at].key != nothing) continue;
            slots_[at] = {key, rank};
            return true;
        }
        return false;
    }

    std::vector<slot> slots_;
    std::uint64_t multiplier_ = 1;
    unsigned shift_;
};

// Words -> tokens, where a word is what merging makes one token of.
class bpe_words {
   public:
    struct found {
        token_id id = -1;
        bool merged = false;  // merging its bytes gives this token (or it is only taken where a whole piece is looked up)
    };
    static constexpr std::size_t short_bytes = 16;

    // `words(i)` are distinct; what has no bytes is left out.
    template <class Word, class Merged>
    void build(std::size_t n, const Word& word, const Merged& merged, std::string_view who) {
        shift_ = 64 - static_cast<unsigned>(std::bit_width(2 * n + 1));
        for (unsigned attempt = 0; attempt < 16; ++attempt) {
            if (attempt % 4 == 3) --shift_;
            seed_ = std::uint64_t{attempt} * 0xD1342543DE82EF95U;
            slots_.assign(std::size_t{1} << (64 - shift_), slot{});
            std::size_t i = 0;
            while (i < n && place(word(i), static_cast<std::uint32_t>(i), merged(i))) ++i;
            if (i == n) break;
            require(attempt != 15, errc::limit_exceeded, who, ": ", n, " tokens that collide");
        }
        for (std::size_t i = 0; i < n; ++i) {
            const std::string_view text = word(i);
            longest_ = std::max(longest_, text.size());
            if (text.size() > short_bytes && long_.insert(text).second) long_ids_.push_back({static_cast<token_id>(i), merged(i)});
        }
    }
    // `left` bytes can be read, `n` at least.
    template <class = void>
    [[nodiscard]] CARAMEL_ALWAYS_INLINE found operator()(const char* p, std::size_t n, std::size_t left) const noexcept {
        if (n > short_bytes) return n <= longest_ ? find_long({p, n}) : found{};
        const key k = left >= short_bytes ? key{load_word<std::uint64_t>(p) & masks[n].low, load_word<std::uint64_t>(p + 8) & masks[n].high} : key_of(p, n);
        for (std::size_t at = home(k);; at = (at + 1) & (slots_.size() - 1)) {
            const slot& here = slots_[at];
            if (here.low == k.low && here.high == k.high && here.length == n) return {here.id, here.merged};
            if (here.length == 0) return {};
        }
    }

   private:
    static constexpr std::size_t longest_chain = 64;
    struct key {
        std::uint64_t low, high;
    };
    struct alignas(32) slot {  // half a cache line: one is read for most words
        std::uint64_t low = 0, high = 0;
        token_id id = -1;
        std::uint8_t length = 0;  // 0 = free
        bool merged = false;
    };
    static constexpr auto masks = [] {
        std::array<key, short_bytes + 1> all{};
        for (std::size_t n = 0; n <= short_bytes; ++n)
            for (std::size_t i = 0; i < n; ++i) (i < 8 ? all[n].low : all[n].high) |= std::uint64_t{0xFF} << (8 * (i % 8));
        return all;
    }();
    // The bytes, with zeros behind them. (Loads that overlap: nothing beyond the word is read.)
    [[nodiscard]] static CARAMEL_ALWAYS_INLINE key key_of(const char* p, std::size_t n) noexcept {
        if (n <= 8) return {load_bytes(p, n), 0};
        return {load_word<std::uint64_t>(p), load_word<std::uint64_t>(p + n - 8) >> (8 * (16 - n))};
    }
    [[nodiscard]] CARAMEL_ALWAYS_INLINE std::size_t home(const key& k) const noexcept {
        const std::uint64_t x = ((k.low ^ seed_) + (k.high << 32 | k.high >> 32) * 0xBF58476D1CE4E5B9U) * 0x9E3779B97F4A7C15U;
        return static_cast<std::size_t>((x ^ x >> 32) * 0x94D049BB133111EBU >> shift_);
    }
    bool place(std::string_view text, std::uint32_t id, bool merged) {
        if (text.empty() || text.size() > short_bytes) return true;
        const key k = key_of(text.data(), text.size());
        std::size_t at = home(k);
        for (std::size_t step = 0; step < longest_chain; ++step, at = (at + 1) & (slots_.size() - 1)) {
            if (slots_[at].length != 0) continue;
            slots_[at] = {k.low, k.high, static_cast<token_id>(id), static_cast<std::uint8_t>(text.size()), merged};
            return true;
        }
        return false;
    }
    template <class = void>
    [[nodiscard]] found find_long(std::string_view text) const noexcept {
        const auto number = long_.find(text);
        return number ? long_ids_[*number] : found{};
    }

    std::vector<slot> slots_ = std::vector<slot>(2);
    std::uint64_t seed_ = 0;
    unsigned shift_ = 63;
    std::size_t longest_ = 0;
    string_numbers<> long_;
    std::vector<found> long_ids_;
};

// Where the tokens of a text go.
template <bool Places, class Span>
struct token_sink {
    static constexpr bool has_places = Places;

    token_id* ids;
    Span* spans;
    std::size_t n = 0;

    CARAMEL_ALWAYS_INLINE void put(token_id id, std::ptrdiff_t begin, std::ptrdiff_t end) noexcept {
        ids[n] = id;
        if constexpr (Places) spans[n] = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
        ++n;
    }
    // The same of the first `count` of three tokens; there is room for three.
    CARAMEL_ALWAYS_INLINE void put_up_to_three(const std::array<token_id, 3>& three, std::size_t count, std::ptrdiff_t begin, std::ptrdiff_t end) noexcept {
        for (std::size_t i = 0; i < 3; ++i) {
            ids[n + i] = three[i];
            if constexpr (Places) spans[n + i] = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
        }
        n += count;
    }
};

class bpe_tables {
   public:
    // `bytes_of(id)` are the bytes of a token, or nothing for one that stands for no bytes and that text never gives;
    // `unknown` is the token of bytes without one, if there is such. `whole_words`: a piece that is in the vocabulary is that
    // token, whatever merging would give (`ignore_merges`).
    // Throws `error`: `missing_unk` where a byte has no token; `duplicate_token`; `limit_exceeded`.
    template <class BytesOf>
    bpe_tables(std::size_t n_tokens, const BytesOf& bytes_of, std::vector<bpe_rule> rules, std::optional<token_id> unknown, bool whole_words,
               std::string_view who)
        : rules_(std::move(rules)), ranks_(rules_, who), whole_words_(whole_words) {
        byte_ids_.fill(-1);
        for (std::size_t i = 0; i < n_tokens; ++i)
            if (const std::string_view bytes = bytes_of(i); bytes.size() == 1) byte_ids_[static_cast<unsigned char>(bytes[0])] = static_cast<token_id>(i);
        std::size_t missing = 0;
        std::array<bool, 256> has_no_token{};
        for (std::size_t b = 0; b < 256; ++b)
            if (byte_ids_[b] < 0) {
                has_no_token[b] = true;
                byte_ids_[b] = unknown.value_or(-1);
                ++missing;
            }
        require(missing == 0 || unknown, errc::missing_unk, who, ": ", missing, " of 256 bytes have no token, and there is none for what is unknown");
        byte_pairs_.resize(0x10000);
        for (std::size_t a = 0; a < 256; ++a)
            for (std::size_t b = 0; b < 256; ++b) byte_pairs_[a << 8 | b] = ranks_(byte_ids_[a], byte_ids_[b]);

        // Which neighbours any token holds together; for what is unknown it is not looked into.
        for (const bpe_rule& rule : rules_) {
            const std::string_view bytes = bytes_of(static_cast<std::size_t>(rule.result));
            for (std::size_t i = 1; i < bytes.size(); ++i) join(bytes, i);
        }
        for (std::size_t b = 0; b < 256; ++b)
            for (std::size_t other = 0; has_no_token[b] && other < 256; ++other)
                for (byte_pairs* const pairs : {&joined_, &begins_, &ends_}) set(*pairs, b, other), set(*pairs, other, b);

        // In the files that training writes, a rule comes after those that make its parts.
        std::vector<std::uint32_t> made_by(n_tokens, 0);  // rank of the last rule that makes it, + 1
        for (std::size_t r = 0; r < rules_.size(); ++r) made_by[static_cast<std::size_t>(rules_[r].result)] = static_cast<std::uint32_t>(r) + 1;
        for (std::size_t r = 0; r < rules_.size(); ++r)
            ordered_ = ordered_ && made_by[static_cast<std::size_t>(rules_[r].left)] <= r && made_by[static_cast<std::size_t>(rules_[r].right)] <= r;

        std::vector<bool> merged(n_tokens);
        for (std::size_t i = 0; i < n_tokens; ++i) {
            const std::string_view bytes = bytes_of(i);
            merged[i] = !bytes.empty() && only_token(bytes) == static_cast<token_id>(i);
        }
        words_.build(
            n_tokens, [&](std::size_t i) { return merged[i] || whole_words_ ? bytes_of(i) : std::string_view(); },
            [&](std::size_t i) { return bool(merged[i]); }, who);
        if (n_tokens <= std::size_t{1} << id_bits) fill_characters();
    }

    // The tokens of a piece of text; `at` is where it begins in the text, and `left` bytes can be read, `n` at least. Spans
    // are whole characters. There is room for as many tokens as bytes.
    // (A piece that holds more than `most_on_stack` bytes without a place to cut it allocates.)
    template <class Sink>
    CARAMEL_ALWAYS_INLINE void encode(const char* p, std::size_t n, std::size_t left, bool ascii, std::ptrdiff_t at, Sink& sink) const {
        if (ascii || whole_words_) {
            if (const auto word = words_(p, n, left); word.id >= 0) return sink.put(word.id, at, at + static_cast<std::ptrdiff_t>(n));
        }
        if (ascii && n <= most_in_row) merge_row(p, n, at, sink);
        else encode_units(p, n, at, sink);
    }

   private:
    static constexpr std::size_t most_in_row = 40, most_on_stack = 1024;
    static constexpr unsigned id_bits = 20;

    using byte_pairs = std::array<std::array<std::uint64_t, 4>, 256>;  // bit b of row a: the bytes a b

    static std::size_t byte_of(char c) noexcept { return static_cast<unsigned char>(c); }
    static void set(byte_pairs& pairs, std::size_t a, std::size_t b) noexcept { pairs[a][b >> 6] |= std::uint64_t{1} << (b & 63); }
    [[nodiscard]] static bool has(const byte_pairs& pairs, char a, char b) noexcept {
        return (pairs[byte_of(a)][byte_of(b) >> 6] >> (byte_of(b) & 63) & 1) != 0;
    }
    [[nodiscard]] static std::size_t hash_of(char a, char b, char c) noexcept {
        return static_cast<std::size_t>((std::uint64_t{byte_of(a)} << 16 | byte_of(b) << 8 | byte_of(c)) * 0x9E3779B97F4A7C15U >> 48);
    }
    // Notes that a token holds the bytes before and behind its byte `i` together.
    void join(std::string_view bytes, std::size_t i) {
        const char a = bytes[i - 1], b = bytes[i];
        set(joined_, byte_of(a), byte_of(b));
        if (i == 1) set(begins_, byte_of(a), byte_of(b));
        else threes_[hash_of(bytes[i - 2], a, b)] = true;
        if (i + 1 == bytes.size()) set(ends_, byte_of(a), byte_of(b));
        else threes_[hash_of(a, b, bytes[i + 1])] = true;
    }
    // Whether a token may go across from byte `i - 1` of a piece to byte `i`; it would hold a byte more on either side, or
    // begin or end there. May say so where none does, never the opposite.
    [[nodiscard]] CARAMEL_ALWAYS_INLINE bool joins(const char* p, std::size_t n, std::size_t i) const noexcept {
        return has(joined_, p[i - 1], p[i]) && may_join(p, n, i);
    }
    [[nodiscard]] bool may_join(const char* p, std::size_t n, std::size_t i) const noexcept {
        const char a = p[i - 1], b = p[i];
        if (!has(begins_, a, b) && (i < 2 || !threes_[hash_of(p[i - 2], a, b)])) return false;
        return has(ends_, a, b) || (i + 1 < n && threes_[hash_of(a, b, p[i + 1])]);
    }

    // A text is cut between characters where no token holds the two bytes together: no merge ever goes across, so each part
    // is encoded as if it were alone.
    template <class Sink>
    void encode_units(const char* p, std::size_t n, std::ptrdiff_t at, Sink& sink) const {
        for (std::size_t begin = 0; begin < n;) {
            const std::ptrdiff_t from = at + static_cast<std::ptrdiff_t>(begin);
            if (n - begin >= 3) {  // nearly all of Chinese
                const auto byte = [p, begin](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(p[begin + i])}; };
                const std::uint32_t lead = byte(0);
                if (lead - 0xE1 < 15 && lead != 0xED && ((byte(1) ^ 0x80) | (byte(2) ^ 0x80)) < 0x40 && (n - begin == 3 || !joins(p, n, begin + 3))) {
                    encode_character(p + begin, 3, from, sink);
                    begin += 3;
                    continue;
                }
            }
            std::size_t end = begin, length = 0, characters = 0;
            do {
                length = byte_of(p[end]) < 0x80 ? 1 : std::max<std::size_t>(utf8_sequence_length(p + end, n - end), 1);
                end += length;
                ++characters;
            } while (end < n && joins(p, n, end));
            if (characters == 1) encode_character(p + begin, length, from, sink);
            else encode_unit(p + begin, end - begin, from, sink);
            begin = end;
        }
    }
    template <class Sink>
    CARAMEL_ALWAYS_INLINE void encode_character(const char* p, std::size_t length, std::ptrdiff_t at, Sink& sink) const {
        const auto byte = [p](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(p[i])}; };
        const std::ptrdiff_t end = at + static_cast<std::ptrdiff_t>(length);
        if (length == 1) return sink.put(byte_ids_[byte(0)], at, end);
        if (length > 3 || characters_.empty()) return encode_unit(p, length, at, sink);
        const std::uint32_t c = length == 3 ? (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F) : (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
        constexpr std::uint64_t mask = (std::uint64_t{1} << id_bits) - 1;
        const std::uint64_t ids = characters_[c];
        const auto id = [&](unsigned i) { return static_cast<token_id>(ids >> (i * id_bits) & mask); };
        const auto count = static_cast<std::size_t>(ids >> (3 * id_bits));
        if (length == 3) return sink.put_up_to_three({id(0), id(1), id(2)}, count, at, end);
        sink.put(id(0), at, end);
        if (count > 1) sink.put(id(1), at, end);
    }
    template <class Sink>
    void encode_unit(const char* p, std::size_t n, std::ptrdiff_t at, Sink& sink) const {
        if (const auto word = words_(p, n, n); word.id >= 0 && word.merged) return sink.put(word.id, at, at + static_cast<std::ptrdiff_t>(n));
        if (n <= most_in_row) merge_row(p, n, at, sink);
        else if (n <= most_on_stack) merge_on_stack(p, n, at, sink);
        else merge_long(p, n, at, sink);
    }

    // Writes the token of the bytes from `begin` to `end` of a piece; where it ends within a character, the span has all of it.
    template <class Sink>
    static CARAMEL_ALWAYS_INLINE void put_part(token_id id, const char* p, std::size_t n, std::size_t begin, std::size_t end, std::ptrdiff_t at, Sink& sink) {
        const auto continues = [p](std::size_t i) { return (static_cast<unsigned char>(p[i]) & 0xC0) == 0x80; };
        if (continues(begin)) begin = character_at(p, n, begin).first;
        if (end < n && continues(end)) {
            const auto [first, length] = character_at(p, n, end);
            if (first < end) end = first + length;
        }
        sink.put(id, at + static_cast<std::ptrdiff_t>(begin), at + static_cast<std::ptrdiff_t>(end));
    }
    // The character that byte `i` belongs to, or that byte alone: where it begins, and its length.
    template <class = void>
    static std::pair<std::size_t, std::size_t> character_at(const char* p, std::size_t n, std::size_t i) noexcept {
        for (std::size_t back = 1; back <= 3 && back <= i; ++back) {
            if ((static_cast<unsigned char>(p[i - back]) & 0xC0) == 0x80) continue;
            const std::size_t length = utf8_sequence_length(p + i - back, n - (i - back));
            if (length > back) return {i - back, length};
            break;
        }
        return {i, 1};
    }

    // ---- merging: the pair of lowest rank first, the leftmost of equal ones -----------------------------------------------
    // Few tokens: in one row, searched for the lowest rank each time.
    struct token_row {
        std::array<token_id, most_in_row> ids;
        std::array<std::uint32_t, most_in_row> ranks;  // of each with the one behind it
        std::array<std::uint8_t, most_in_row + 1> begins;
    };
    template <class = void>
    std::size_t merge_in(token_row& row, const char* p, std::size_t n) const noexcept {
        const auto byte = [p](std::size_t i) { return std::size_t{static_cast<unsigned char>(p[i])}; };
        std::size_t best = 0;
        for (std::size_t i = 0; i < n; ++i) {
            row.ids[i] = byte_ids_[byte(i)];
            row.begins[i] = static_cast<std::uint8_t>(i);
            row.ranks[i] = i + 1 < n ? byte_pairs_[byte(i) << 8 | byte(i + 1)] : no_rank;
            if (row.ranks[i] < row.ranks[best]) best = i;
        }
        row.begins[n] = static_cast<std::uint8_t>(n);
        while (row.ranks[best] != no_rank) {
            const std::size_t at = best;
            row.ids[at] = rules_[row.ranks[at]].result;
            row.ranks[at] = at + 2 < n ? ranks_(row.ids[at], row.ids[at + 2]) : no_rank;
            if (at > 0) row.ranks[at - 1] = ranks_(row.ids[at - 1], row.ids[at]);
            --n;
            best = 0;
            for (std::size_t i = 1; i <= at; ++i)
                if (row.ranks[i] < row.ranks[best]) best = i;
            for (std::size_t i = at + 1; i < n; ++i) {
                row.ids[i] = row.ids[i + 1];
                row.ranks[i] = row.ranks[i + 1];
                row.begins[i] = row.begins[i + 1];
                if (row.ranks[i] < row.ranks[best]) best = i;
            }
            row.begins[n] = row.begins[n + 1];
        }
        return n;
    }
    template <class Sink>
    void merge_row(const char* p, std::size_t n, std::ptrdiff_t at, Sink& sink) const {
        token_row row;
        const std::size_t tokens = merge_in(row, p, n);
        for (std::size_t i = 0; i < tokens; ++i) put_part(row.ids[i], p, n, row.begins[i], row.begins[i + 1], at, sink);
    }

    // More: a list, and a heap of what can be merged. n log n.
    struct token_list {
        token_id* ids;
        std::uint32_t *ranks, *next, *previous;  // by the first byte of a token
        std::uint64_t* heap;                     // room for 3 n
    };
    void start(const token_list& list, const char* p, std::size_t n) const noexcept {
        const auto byte = [p](std::size_t i) { return std::size_t{static_cast<unsigned char>(p[i])}; };
        for (std::size_t i = 0; i < n; ++i) {
            list.ids[i] = byte_ids_[byte(i)];
            list.ranks[i] = i + 1 < n ? byte_pairs_[byte(i) << 8 | byte(i + 1)] : no_rank;
            list.next[i] = static_cast<std::uint32_t>(i + 1);
            list.previous[i] = static_cast<std::uint32_t>(i - 1);  // of the first one: never read
        }
    }
    // Joins the token at `i` with the next one. Ranks of the pairs that are new are the caller's.
    void merge_at(const token_list& list, std::size_t n, std::size_t i) const noexcept {
        const std::size_t gone = list.next[i], after = list.next[gone];
        list.ids[i] = rules_[list.ranks[i]].result;
        list.ranks[gone] = no_rank;
        list.next[i] = static_cast<std::uint32_t>(after);
        if (after < n) list.previous[after] = static_cast<std::uint32_t>(i);
    }
    template <class = void>
    void merge_by_heap(const token_list& list, const char* p, std::size_t n) const noexcept {
        start(list, p, n);
        std::uint64_t* const heap = list.heap;
        std::size_t size = 0;
        for (std::size_t i = 0; i < n; ++i)
            if (list.ranks[i] != no_rank) heap[size++] = std::uint64_t{list.ranks[i]} << 32 | i;
        std::make_heap(heap, heap + size, std::greater<>());
        const auto update = [&](std::size_t i) {
            list.ranks[i] = list.next[i] < n ? ranks_(list.ids[i], list.ids[list.next[i]]) : no_rank;
            if (list.ranks[i] == no_rank) return;
            heap[size++] = std::uint64_t{list.ranks[i]} << 32 | i;
            std::push_heap(heap, heap + size, std::greater<>());
        };
        while (size > 0) {
            std::pop_heap(heap, heap + size, std::greater<>());
            const std::uint64_t top = heap[--size];
            const auto i = static_cast<std::size_t>(top & 0xFFFFFFFFU);
            if (list.ranks[i] != top >> 32) continue;  // has been merged otherwise since
            merge_at(list, n, i);
            update(i);
            if (i > 0) update(list.previous[i]);
        }
    }
    template <class Sink>
    void put_list(const token_list& list, const char* p, std::size_t n, std::ptrdiff_t at, Sink& sink) const {
        for (std::size_t i = 0; i < n; i = list.next[i]) put_part(list.ids[i], p, n, i, list.next[i], at, sink);
    }
    template <class Sink>
    CARAMEL_COLD void merge_on_stack(const char* p, std::size_t n, std::ptrdiff_t at, Sink& sink) const {
        std::array<token_id, most_on_stack> ids;
        std::array<std::uint32_t, most_on_stack> ranks, next, previous;
        std::array<std::uint64_t, 3 * most_on_stack> heap;
        const token_list list{ids.data(), ranks.data(), next.data(), previous.data(), heap.data()};
        merge_by_heap(list, p, n);
        put_list(list, p, n, at, sink);
    }

    // Very many: where each rule comes after those that make its parts, ranks only rise, and a list of places for each rank
    // makes it linear. Order matters only where pairs overlap, in runs of one token; those are merged from their left end.
    template <class = void>
    void merge_by_rank(const token_list& list, const char* p, std::size_t n) const {
        start(list, p, n);
        constexpr std::uint32_t none = no_rank;
        std::vector<std::uint32_t> first(rules_.size(), none), later(n, none), earlier(n, none);  // places of equal rank
        const auto enter = [&](std::size_t i) {
            const std::uint32_t rank = list.ranks[i];
            if (rank == no_rank) return;
            later[i] = first[rank];
            earlier[i] = none;
            if (first[rank] != none) earlier[first[rank]] = static_cast<std::uint32_t>(i);
            first[rank] = static_cast<std::uint32_t>(i);
        };
        const auto leave = [&](std::size_t i) {
            const std::uint32_t rank = list.ranks[i];
            if (rank == no_rank) return;
            if (earlier[i] == none) first[rank] = later[i];
            else later[earlier[i]] = later[i];
            if (later[i] != none) earlier[later[i]] = earlier[i];
        };
        for (std::size_t i = n; i > 0; --i) enter(i - 1);  // the leftmost is entered last, so it is the first of its list
        const auto update = [&](std::size_t i) {
            leave(i);
            list.ranks[i] = list.next[i] < n ? ranks_(list.ids[i], list.ids[list.next[i]]) : no_rank;
            enter(i);
        };
        for (std::size_t rank = 0; rank < rules_.size(); ++rank) {
            const bool overlaps = rules_[rank].left == rules_[rank].right;
            while (first[rank] != none) {
                std::size_t i = first[rank];
                while (overlaps && i > 0 && list.ranks[list.previous[i]] == rank) i = list.previous[i];
                while (i < n && list.ranks[i] == rank) {
                    leave(i);
                    leave(list.next[i]);
                    merge_at(list, n, i);
                    list.ranks[i] = no_rank;
                    update(i);
                    if (i > 0) update(list.previous[i]);
                    i = list.next[i];
                }
            }
        }
    }
    template <class Sink>
    CARAMEL_COLD void merge_long(const char* p, std::size_t n, std::ptrdiff_t at, Sink& sink) const {
        std::vector<token_id> ids(n);
        std::vector<std::uint32_t> ranks(n), next(n), previous(n);
        const bool by_rank = ordered_ && n > 16 * most_on_stack;
        std::vector<std::uint64_t> heap(by_rank ? 0 : 3 * n);
        const token_list list{ids.data(), ranks.data(), next.data(), previous.data(), heap.data()};
        if (by_rank) merge_by_rank(list, p, n);
        else merge_by_heap(list, p, n);
        put_list(list, p, n, at, sink);
    }

    // The one token that merging makes of these bytes, or -1.
    template <class = void>
    [[nodiscard]] token_id only_token(std::string_view bytes) const {
        if (bytes.size() <= most_in_row) {
            token_row row;
            return merge_in(row, bytes.data(), bytes.size()) == 1 ? row.ids[0] : -1;
        }
        std::vector<token_id> ids(bytes.size());
        std::vector<std::uint32_t> ranks(bytes.size()), next(bytes.size()), previous(bytes.size());
        std::vector<std::uint64_t> heap(3 * bytes.size());
        merge_by_heap({ids.data(), ranks.data(), next.data(), previous.data(), heap.data()}, bytes.data(), bytes.size());
        return next[0] >= bytes.size() ? ids[0] : -1;
    }
    // For each character of two or three bytes: how many tokens, then their ids from the lowest bits on.
    template <class = void>
    void fill_characters() {
        characters_.resize(0x10000);
        token_row row;
        for (std::uint32_t c = 0x80; c < 0x10000; ++c) {
            char bytes[3];
            const auto put = [&](std::size_t i, std::uint32_t byte) { bytes[i] = static_cast<char>(static_cast<unsigned char>(byte)); };
            const std::size_t n = c < 0x800 ? 2 : 3;
            put(0, n == 2 ? 0xC0 | c >> 6 : 0xE0 | c >> 12);
            put(1, 0x80 | ((n == 2 ? c : c >> 6) & 0x3F));
            put(n - 1, 0x80 | (c & 0x3F));
            const std::size_t tokens = merge_in(row, bytes, n);
            std::uint64_t ids = std::uint64_t{tokens} << (3 * id_bits);
            for (std::size_t i = 0; i < tokens; ++i) ids |= std::uint64_t{static_cast<std::uint32_t>(row.ids[i])} << (i * id_bits);
            characters_[c] = ids;
        }
    }

    std::vector<bpe_rule> rules_;
    pair_ranks ranks_;
    std::array<token_id, 256> byte_ids_;
    std::vector<std::uint32_t> byte_pairs_;                           // ranks of pairs of bytes
    byte_pairs joined_{}, begins_{}, ends_{};                         // that some token holds, begins with, ends with
    std::vector<bool> threes_ = std::vector<bool>(0x10000);           // by hash: three bytes that some token holds
    bpe_words words_;
    std::vector<std::uint64_t> characters_;                           // empty: the vocabulary is too large for it
    bool whole_words_, ordered_ = true;
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
