#ifndef CARAMEL_TEXT_NGRAMS_HPP
#define CARAMEL_TEXT_NGRAMS_HPP

// n-grams of characters and of words: which of them a text has, and how often.

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/key_numbers.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/text/normalize.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/unicode.hpp>
#include <caramel/text/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What n-grams are made of.
enum class ngram_unit : std::uint8_t {
    characters,       ///< of the whole text, white space as single spaces
    word_characters,  ///< within what stands between white space, with a space at either side (scikit-learn's `char_wb`)
    words,            ///< as `split_words` finds them: every ideograph is a word of its own
    tokens,           ///< words, and every punctuation mark and symbol on its own
    token_pairs       ///< two tokens near each other, in either order, each by its first characters: "pay" and "fee", however phrased
};

/// All n-grams of `shortest` to `longest` units; of token_pairs `shortest` is how many first characters of a token count, and
/// `longest` how far apart the two may stand. A word shorter than `shortest` is one n-gram of word_characters, as a whole.
struct ngram_range {
    ngram_unit unit = ngram_unit::words;
    std::size_t shortest = 1, longest = 2;  ///< 1 .. 16

    friend bool operator==(const ngram_range&, const ngram_range&) = default;
};

/// One n-gram of a text.
struct ngram_count {
    std::uint64_t key;            ///< equal for equal n-grams of one kind of unit, of different ones different but for one case in 2^64
    std::uint32_t count;          ///< how often it occurs
    std::uint32_t begin, length;  ///< where it first stands in the normalized text, in code points
    ngram_unit unit;
};

namespace detail {

inline constexpr std::size_t longest_ngram = 16, ngram_units = 5;
inline constexpr std::size_t longest_word = 64;  // in code points; of longer words so many first ones count

template <class = void>
inline void require_ngrams(std::span<const ngram_range> ranges, std::string_view who) {
    require(!ranges.empty(), errc::bad_parameter, who, ": no n-grams to look for");
    unsigned seen = 0;
    for (const auto& range : ranges) {
        const auto unit = static_cast<unsigned>(range.unit);
        require(unit < ngram_units, errc::bad_parameter, who, ": a unit of n-grams that there is not");
        require((seen >> unit & 1U) == 0, errc::bad_parameter, who, ": two ranges of n-grams of the same unit");
        seen |= 1U << unit;
        const bool pairs = range.unit == ngram_unit::token_pairs;
        require(range.shortest >= 1 && range.longest >= 1 && range.shortest <= longest_ngram && range.longest <= longest_ngram &&
                    (pairs || range.shortest <= range.longest),
                errc::bad_parameter, who, ": n-grams of ", range.shortest, " to ", range.longest, ", must lie in 1 .. ", longest_ngram, " and rise");
    }
}

// A chain over code points: each step can be undone, so that only chance makes two chains meet.
constexpr std::uint64_t chain(std::uint64_t hash, std::uint64_t next) noexcept {
    hash = (hash ^ next) * 0x9FB21C651E98DF25U;
    return hash ^ hash >> 32;
}
constexpr std::uint64_t chain_start(ngram_unit unit) noexcept { return 0xD6E8FEB86659FD93U * (static_cast<std::uint64_t>(unit) + 1); }
// To index tables by: the highest bits depend on all of the key.
constexpr std::uint64_t spread(std::uint64_t key) noexcept { return key_hash{}(key, 0); }

constexpr bool is_white(char32_t c) noexcept {
    return c == U' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

// Whether NFKC leaves the code point as it is, whatever stands beside it unless that is none of these itself.
constexpr bool plain_in_nfkc(char32_t c) noexcept {
    return c < 0x80 || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3001 && c <= 0x3029) || (c >= 0xFF01 && c <= 0xFF5E) || (c >= 0xC0 && c <= 0x131) ||
           c == 0x2018 || c == 0x2019 || c == 0x201C || c == 0x201D || c == 0x2013 || c == 0x2014 || c == 0x2026 || (c >= 0x3041 && c <= 0x3096) ||
           (c >= 0x30A1 && c <= 0x30FA) || c == 0x30FC || (c >= 0x0400 && c <= 0x045F) || (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x1F300 && c <= 0x1FAFF) ||
           is_white(c);
}

// The text as n-grams see it: white space as single spaces, one of them at either end; where wanted in NFKC and folded lower
// case. False where a code point asks for the long way.
template <std::same_as<char32_t> Point>
bool normal_points(std::string_view text, bool normal, Point* out, std::size_t& n) noexcept {
    n = 0;
    out[n++] = U' ';
    for (std::size_t at = 0; at < text.size();) {
        char32_t c = decode_utf8(text, at);
        if (c > U' ' && c < 0x7F) {
            out[n++] = normal && c >= U'A' && c <= U'Z' ? c + 32 : c;
            continue;
        }
        if (is_white(c)) {
            if (out[n - 1] != U' ') out[n++] = U' ';
            continue;
        }
        if (normal && !(c >= 0x4E00 && c <= 0x9FFF)) {
            if (!plain_in_nfkc(c)) return false;
            if (c == 0x2026) {
                out[n++] = U'.';
                out[n++] = U'.';
                c = U'.';
            }
            if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;
            c = c < 0x80 ? lower_case(c) : fold_case(lower_case(c));
        }
        out[n++] = c;
    }
    if (out[n - 1] != U' ') out[n++] = U' ';
    return true;
}
template <std::same_as<char32_t> Point = char32_t>
std::span<const Point> normal_points(std::string_view text, bool normal, workspace& scratch) {
    auto points = scratch.take<Point>(text.size() + 2);
    std::size_t n = 0;
    if (normal_points(text, normal, points.data(), n)) return points.first(n);
    const std::string other = normalize(text, normal_form::nfkc);
    points = scratch.take<Point>(other.size() + 2);
    n = 0;
    points[n++] = U' ';
    for (std::size_t at = 0; at < other.size();) {
        const char32_t c = decode_utf8(other, at);
        if (!is_white(c)) points[n++] = fold_case(lower_case(c));
        else if (points[n - 1] != U' ') points[n++] = U' ';
    }
    if (points[n - 1] != U' ') points[n++] = U' ';
    return points.first(n);
}

struct word_extent {
    std::uint64_t hash;
    std::uint32_t begin, end;
};
template <class Points>
constexpr std::uint64_t hash_of(const Points& points, std::uint64_t hash) noexcept {
    for (const char32_t c : points) hash = chain(hash, c);
    return hash;
}
constexpr std::uint64_t pair_key(std::uint64_t a, std::uint64_t b) noexcept {
    return chain(chain(chain_start(ngram_unit::token_pairs), std::min(a, b)), std::max(a, b));
}

// The words of a normalized text; with `marks` punctuation and symbols, too. As `scan_words` does on UTF-8.
template <class Word>
void words_of_points(std::span<const char32_t> text, bool marks, const Word& word) {
    const std::size_t n = text.size();
    const auto after_marks = [&](std::size_t at) {
        while (at < n && word_part_of(text[at]) == word_part::mark) ++at;
        return at;
    };
    for (std::size_t at = 0; at < n;) {
        const std::size_t begin = at;
        const word_part part = word_part_of(text[at++]);
        if (part == word_part::letter) {
            while (at < n) {
                const word_part next = word_part_of(text[at]);
                if (next == word_part::letter || next == word_part::mark) {
                    ++at;
                } else if ((next == word_part::apostrophe || next == word_part::joiner) && at + 1 < n && word_part_of(text[at + 1]) == word_part::letter) {
                    at += 2;
                } else {
                    break;
                }
            }
        } else if (part == word_part::ideograph || (marks && (part == word_part::symbol || part == word_part::apostrophe))) {
            at = after_marks(at);
        } else {
            continue;
        }
        word(begin, at);
    }
}

// Calls `gram(key, begin, length)` for every n-gram of the range. `words` has room for as many words as the text has points.
template <class Gram>
void each_ngram(std::span<const char32_t> text, const ngram_range& range, std::span<word_extent> words, const Gram& gram) {
    const std::uint64_t start = chain_start(range.unit);
    const auto within = [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i + range.shortest <= end; ++i) {
            std::uint64_t hash = start;
            const std::size_t most = std::min(range.longest, end - i);
            for (std::size_t n = 1; n <= most; ++n) {
                hash = chain(hash, text[i + n - 1]);
                if (n >= range.shortest) gram(hash, i, n);
            }
        }
    };
    if (range.unit == ngram_unit::characters) {
        if (text.size() > 2) within(1, text.size() - 1);
    } else if (range.unit == ngram_unit::word_characters) {
        for (std::size_t begin = 0; begin + 1 < text.size();) {
            std::size_t end = begin + 1;
            while (end + 1 < text.size() && text[end] != U' ') ++end;
            const std::size_t length = end + 1 - begin;
            if (length < range.shortest) {  // once, as a whole
                gram(hash_of(text.subspan(begin, length), start), begin, length);
            } else {
                within(begin, end + 1);
            }
            begin = end;
        }
    } else {
        std::size_t n = 0;
        const bool pairs = range.unit == ngram_unit::token_pairs;
        words_of_points(text, range.unit != ngram_unit::words, [&](std::size_t begin, std::size_t end) {
            end = std::min(end, begin + (pairs ? range.shortest : longest_word));
            words[n++] = {hash_of(text.subspan(begin, end - begin), start), static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
        });
        for (std::size_t i = 0; pairs && i < n; ++i)
            for (std::size_t j = i + 1; j < n && j <= i + range.longest; ++j)
                gram(pair_key(words[i].hash, words[j].hash), words[i].begin, words[j].end - words[i].begin);
        for (std::size_t i = 0; !pairs && i + range.shortest <= n; ++i) {
            std::uint64_t hash = start;
            const std::size_t most = std::min(range.longest, n - i);
            for (std::size_t k = 1; k <= most; ++k) {
                hash = chain(hash, words[i + k - 1].hash);
                if (k >= range.shortest) gram(hash, words[i].begin, words[i + k - 1].end - words[i].begin);
            }
        }
    }
}

// Where a range's n-grams stand in a text of so many points, at most.
constexpr std::size_t most_ngrams(const ngram_range& range, std::size_t points) noexcept {
    return points * (range.unit == ngram_unit::token_pairs ? range.longest : range.longest - range.shortest + 1);
}

}  // namespace detail

namespace detail {

// The n-grams of one text, each once, in the order in which they first stand there; in the workspace.
struct counted_text {
    std::span<const char32_t> points;
    std::span<ngram_count> grams;
    std::size_t total = 0;  // with repetitions
    std::size_t steps = 0;  // that looking for them took beyond one each
};

// What n-grams are taken of: valid UTF-8 in normal form, its first `most_points` only (0 = all). The caller holds a frame.
template <std::same_as<char32_t> Point = char32_t>
std::span<const Point> ngram_points(std::string_view text, bool normal, std::size_t most_points, workspace& scratch) {
    std::span<const Point> points = normal_points(text, normal, scratch);
    if (most_points > 0 && points.size() > most_points + 2) points = points.first(most_points + 2);
    require(points.size() < (std::size_t{1} << 28), errc::limit_exceeded, "n-grams: a text of ", points.size(), " characters, must be below 2^28");
    return points;
}
// The number of n-grams of so many points, at most; and room for the words that `each_ngram` asks for.
template <class = void>
constexpr std::size_t most_ngrams(std::span<const ngram_range> ranges, std::size_t points) noexcept {
    std::size_t most = 0;
    for (const auto& range : ranges) most += most_ngrams(range, points);
    return most;
}
template <std::same_as<workspace> Workspace>
std::span<word_extent> room_for_words(std::span<const ngram_range> ranges, std::size_t points, Workspace& scratch) {
    const bool any = std::any_of(ranges.begin(), ranges.end(), [](const ngram_range& range) { return range.unit >= ngram_unit::words; });
    return scratch.template take<word_extent>(any ? points : 0);
}

// Of valid UTF-8. `most_points` 0 = all of the text. The caller holds a frame of the workspace.
// `met(key)` is called for each n-gram when it is first met.
template <class Met>
counted_text count_ngrams(std::string_view text, std::span<const ngram_range> ranges, bool normal, std::size_t most_points, workspace& scratch,
                          const Met& met) {
    const std::span<const char32_t> points = ngram_points(text, normal, most_points, scratch);
    const std::size_t most = most_ngrams(ranges, points.size());
    const auto words = room_for_words(ranges, points.size(), scratch);
    const auto grams = scratch.take<ngram_count>(most + 1);
    const auto bits = static_cast<int>(std::bit_width(2 * most + 1));
    const auto slots = scratch.take<std::uint32_t>(std::size_t{1} << bits);
    std::fill(slots.begin(), slots.end(), std::uint32_t{0});
    std::uint32_t* const slot = slots.data();
    ngram_count* const out = grams.data();
    const std::size_t mask = slots.size() - 1;
    std::uint32_t used = 0;
    std::size_t total = 0, steps = 0;
    const std::size_t most_steps = 16 * most + 4096;
    std::optional<key_numbers<>> made_to_collide;  // instead of the slots, where a text's n-grams stand in each other's way throughout
    for (const auto& range : ranges)
        each_ngram(points, range, words, [&](std::uint64_t key, std::size_t begin, std::size_t length) {
            ++total;
            std::size_t at = spread(key) >> (64 - bits);
            while (slot[at] != 0 && steps <= most_steps) {
                ngram_count& gram = out[slot[at] - 1];
                if (gram.key == key) {
                    ++gram.count;
                    return;
                }
                at = (at + 1) & mask;
                ++steps;
            }
            if (steps > most_steps) [[unlikely]] {
                if (!made_to_collide) {
                    made_to_collide.emplace();
                    for (std::uint32_t g = 0; g < used; ++g) (void)made_to_collide->insert(out[g].key);
                }
                if (const auto [number, is_new] = made_to_collide->insert(key); !is_new) {
                    ++out[number].count;
                    return;
                }
            } else {
                slot[at] = used + 1;
            }
            out[used++] = {key, 1, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(length), range.unit};
            met(key);
        });
    return {points, grams.first(used), total, steps};
}
template <class = void>
inline counted_text count_ngrams(std::string_view text, std::span<const ngram_range> ranges, bool normal, std::size_t most_points, workspace& scratch) {
    return count_ngrams(text, ranges, normal, most_points, scratch, [](std::uint64_t) {});
}

template <class Text = std::string>
void append_points(Text& out, std::span<const char32_t> points) {
    std::array<char, 4> bytes;
    for (const char32_t c : points) out.append(bytes.data(), encode_utf8(c, bytes.data()));
}
// How an n-gram is written: characters as they are, words with spaces between, pairs with an ellipsis.
template <class Text = std::string>
Text ngram_name(std::span<const char32_t> points, const ngram_count& gram, const ngram_range& range) {
    Text out;
    // A little further, so that an apostrophe at the end of what was cut off is still seen as part of its word.
    const auto all = points.subspan(gram.begin, gram.length);
    const auto near = points.subspan(gram.begin, std::min<std::size_t>(gram.length + 2, points.size() - gram.begin));
    if (gram.unit <= ngram_unit::word_characters) {
        append_points(out, all);
        return out;
    }
    const bool pairs = gram.unit == ngram_unit::token_pairs;
    const std::size_t most = pairs ? range.shortest : longest_word;
    std::size_t last = 0;
    if (pairs) words_of_points(near, true, [&](std::size_t begin, std::size_t) { last = begin < gram.length ? begin : last; });
    words_of_points(near, gram.unit != ngram_unit::words, [&](std::size_t begin, std::size_t end) {
        if (begin >= gram.length || (pairs && begin > 0 && begin < last)) return;
        if (!out.empty()) out += pairs ? " \u2026 " : " ";
        append_points(out, near.subspan(begin, std::min(std::min<std::size_t>(end, gram.length) - begin, most)));
    });
    return out;
}
// The key again, from the name; the name is valid UTF-8.
template <class = void>
inline std::uint64_t key_of_name(std::string_view name, ngram_unit unit) {
    const std::uint64_t start = chain_start(unit);
    std::u32string points;
    for (std::size_t at = 0; at < name.size();) points += decode_utf8(name, at);
    const std::u32string_view all(points);
    if (unit <= ngram_unit::word_characters) return hash_of(all, start);
    if (unit == ngram_unit::token_pairs) return pair_key(hash_of(all.substr(0, all.find(U' ')), start), hash_of(all.substr(all.rfind(U' ') + 1), start));
    std::uint64_t hash = start;
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t end = std::min(all.find(U' ', at), all.size());
        hash = chain(hash, hash_of(all.substr(at, end - at), start));
        at = end + 1;
    }
    return hash;
}

// Numbers of n-grams by their keys.
using ngram_table = key_numbers<>;

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
