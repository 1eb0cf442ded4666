#ifndef CARAMEL_TEXT_NORMALIZE_HPP
#define CARAMEL_TEXT_NORMALIZE_HPP

// One way to write what looks the same: Unicode's normalization forms, accents left out, lower case and case folding of
// whole texts. Tables: text/normalize_tables.hpp.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/normalize_tables.hpp>
#include <caramel/text/text_stage.hpp>
#include <caramel/text/unicode.hpp>
#include <caramel/text/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Unicode Standard Annex 15. The forms with k also replace compatible characters: full-width letters, ligatures, the
/// circled numbers; the forms with c put letters and accents together, those with d take them apart.
enum class normal_form : std::uint8_t { nfc, nfd, nfkc, nfkd };

namespace detail {

// Where in the pool a code point stands; 0 for one that no form changes, moves or joins. (Hangul is worked out.)
constexpr std::uint32_t normal_place(char32_t c) noexcept {
    return c < normal_limit ? normal_places[normal_blocks[c / normal_block] + c % normal_block] : 0U;
}
// The headers in the pool.
constexpr std::uint32_t mark_class(std::uint32_t header) noexcept { return header & 0xFF; }  // Canonical_Combining_Class
constexpr std::uint32_t canonical_length(std::uint32_t header) noexcept { return header >> 20 & 7; }
constexpr std::uint32_t compatible_length(std::uint32_t header) noexcept { return header >> 24 & 31; }

// Which bits of a header count for a form.
struct normal_bits {
    bool composed, compatible;
    std::uint32_t changes;   // the form changes it,
    std::uint32_t joins;     // or it may join with what stands before
    std::uint32_t boundary;  // what stands before it does not matter
    std::uint32_t direct;    // with a boundary before and behind it, its decomposition is the answer

    explicit constexpr normal_bits(normal_form form) noexcept
        : composed(form == normal_form::nfc || form == normal_form::nfkc), compatible(form >= normal_form::nfkc) {
        const std::uint32_t k = compatible ? 2 : 1;
        changes = composed ? k << 8 : compatible ? 1U << 18 : 7U << 20;
        joins = composed ? k << 10 : 0;
        boundary = k << (composed ? 12 : 14);
        direct = composed ? k << 16 : boundary;
    }
};

namespace hangul {
constexpr char32_t syllable = 0xAC00, lead = 0x1100, vowel = 0x1161, tail = 0x11A7;
constexpr char32_t leads = 19, vowels = 21, tails = 28, syllables = leads * vowels * tails;
constexpr bool is_syllable(char32_t c) noexcept { return c >= syllable && c < syllable + syllables; }
}  // namespace hangul

inline constexpr std::size_t longest_decomposition = 18;

// The full decomposition of one code point: how many there are in `out`, which has room for the longest.
template <class = void>
inline std::size_t decompose(char32_t c, bool compatible, char32_t* out) noexcept {
    if (hangul::is_syllable(c)) {
        const char32_t n = c - hangul::syllable;
        out[0] = hangul::lead + n / (hangul::vowels * hangul::tails);
        out[1] = hangul::vowel + n / hangul::tails % hangul::vowels;
        out[2] = hangul::tail + n % hangul::tails;
        return n % hangul::tails == 0 ? 2 : 3;
    }
    const char32_t* const entry = normal_pool + normal_place(c);
    const std::uint32_t canonical = canonical_length(*entry), other = compatible ? compatible_length(*entry) : 0;
    if (canonical + other == 0) return out[0] = c, 1;
    const std::uint32_t n = other > 0 ? other : canonical;
    std::copy_n(entry + 1 + (other > 0 ? canonical : 0), n, out);
    return n;
}

// What two code points make together; 0 if nothing.
inline char32_t compose(char32_t a, char32_t b) noexcept {
    if (a >= hangul::lead && a < hangul::lead + hangul::leads)
        return b >= hangul::vowel && b < hangul::vowel + hangul::vowels
                   ? hangul::syllable + ((a - hangul::lead) * hangul::vowels + (b - hangul::vowel)) * hangul::tails
                   : 0;
    if (hangul::is_syllable(a))
        return (a - hangul::syllable) % hangul::tails == 0 && b > hangul::tail && b < hangul::tail + hangul::tails ? a + (b - hangul::tail) : 0;
    std::size_t begin = 0, end = normal_pair_count;
    while (begin < end) {
        const std::size_t middle = (begin + end) / 2;
        const char32_t* const pair = normal_pairs + 3 * middle;
        if (pair[0] == a && pair[1] == b) return pair[2];
        if (pair[0] < a || (pair[0] == a && pair[1] < b)) begin = middle + 1;
        else end = middle;
    }
    return 0;
}

// In the steps between, a code point has its combining class above its bits.
inline constexpr std::uint32_t class_shift = 24;
inline constexpr char32_t point_mask = (1U << class_shift) - 1;

// Combining marks in the order of their classes, those of one class in the order in which they stand. Linear, however
// many there are.
template <std::same_as<char32_t> Point>
void order_marks(std::span<Point> points) {
    for (std::size_t i = 0; i < points.size();) {
        if (points[i] >> class_shift == 0) {
            ++i;
            continue;
        }
        const std::size_t begin = i;
        for (; i < points.size() && points[i] >> class_shift != 0; ++i) {}
        const auto run = points.subspan(begin, i - begin);
        if (run.size() <= 16) {
            for (std::size_t k = 1; k < run.size(); ++k)
                for (std::size_t j = k; j > 0 && run[j - 1] >> class_shift > run[j] >> class_shift; --j) std::swap(run[j - 1], run[j]);
            continue;
        }
        std::array<std::size_t, 257> starts{};
        for (const Point c : run) ++starts[(c >> class_shift) + 1];
        for (std::size_t k = 1; k < starts.size(); ++k) starts[k] += starts[k - 1];
        std::vector<Point> sorted(run.size());
        for (const Point c : run) sorted[starts[c >> class_shift]++] = c;
        std::copy(sorted.begin(), sorted.end(), run.begin());
    }
}
// Puts letters and marks in order together; how many are left.
template <std::same_as<char32_t> Point>
std::size_t compose_all(std::span<Point> points) noexcept {
    std::size_t n = 0, starter = points.size(), last = 0;
    for (const Point point : points) {
        const std::size_t mark = point >> class_shift;
        if (starter < n && (starter + 1 == n || last < mark)) {  // nothing between them keeps them apart
            if (const char32_t together = compose(points[starter] & point_mask, point & point_mask); together != 0) {
                points[starter] = together;
                continue;
            }
        }
        if (mark == 0) starter = n;
        last = mark;
        points[n++] = point;
    }
    return n;
}

template <class Sink>
void append_point(Sink& out, char32_t c) {
    char bytes[4];
    out.append(bytes, encode_utf8(c, bytes));
}

// A piece of text with a boundary at both ends, by the book.
template <class Sink>
void normalize_piece(std::string_view piece, const normal_bits& bits, Sink& out) {
    constexpr std::size_t few = 48;  // bytes; every three of them make at most one longest decomposition
    std::array<char32_t, few / 3 * longest_decomposition + few> small;
    std::vector<char32_t> large;
    std::size_t n = 0;
    const auto decompose_at = [&](std::size_t& at, char32_t* to) {
        const std::size_t length = decompose(decode_utf8(piece, at), bits.compatible, to);
        for (std::size_t i = 0; i < length; ++i) to[i] |= mark_class(normal_pool[normal_place(to[i])]) << class_shift;
        return length;
    };
    if (piece.size() <= few) {
        for (std::size_t at = 0; at < piece.size();) n += decompose_at(at, small.data() + n);
    } else {
        large.reserve(piece.size() / 2);
        for (std::size_t at = 0; at < piece.size();) {
            const std::size_t length = decompose_at(at, small.data());
            large.insert(large.end(), small.begin(), small.begin() + static_cast<std::ptrdiff_t>(length));
        }
        n = large.size();
    }
    const std::span<char32_t> points(piece.size() <= few ? small.data() : large.data(), n);
    order_marks(points);
    if (bits.composed) n = compose_all(points);
    for (std::size_t i = 0; i < n; ++i) append_point(out, points[i] & point_mask);
}

// Whether what stands before byte `at` does not matter to what follows.
inline bool normal_boundary(std::string_view text, std::size_t at, const normal_bits& bits) noexcept {
    if (at == text.size() || static_cast<unsigned char>(text[at]) < 0x80) return true;
    return (normal_pool[normal_place(decode_utf8(text, at))] & bits.boundary) != 0;
}

// Bytes E4 to E9 begin U+4000 to U+9FFF, ideographs nearly all: no form changes them, they are no marks, and have no case.
constexpr bool leads_unchanged(char lead) noexcept { return static_cast<unsigned char>(lead) >= 0xE4 && static_cast<unsigned char>(lead) <= 0xE9; }

// The quick check of UAX 15, and what it does not pass, piece by piece. What is normal already is copied in one go.
template <class Sink>
void normalize_into(std::string_view text, const normal_bits& bits, Sink& out) {
    std::size_t copied = 0, boundary = 0;  // up to where the text is done; the last boundary
    std::uint32_t last = 0;                // the combining class before `at`
    for (std::size_t at = 0; at < text.size();) {
        if (static_cast<unsigned char>(text[at]) < 0x80) {
            at = skip_ascii(text, at);
            boundary = at - 1;
            last = 0;
            continue;
        }
        if (leads_unchanged(text[at])) {
            do at += 3;
            while (at < text.size() && leads_unchanged(text[at]));
            boundary = at - 3;
            last = 0;
            continue;
        }
        std::size_t next = at;
        const char32_t c = decode_utf8(text, next);
        std::uint32_t header = bits.boundary;
        if (hangul::is_syllable(c)) header = bits.composed ? header : bits.changes | bits.direct | bits.boundary;
        else header = normal_pool[normal_place(c)];
        const std::uint32_t mark = mark_class(header);
        if ((header & bits.boundary) != 0) boundary = at;
        if ((header & (bits.changes | bits.joins)) == 0) {
            if (mark == 0 || mark >= last) {
                last = mark;
                at = next;
                continue;
            }
        } else if ((header & bits.changes) != 0 && (header & bits.direct) != 0 && normal_boundary(text, next, bits)) {
            out.append(text.data() + copied, at - copied);
            char32_t points[longest_decomposition];
            const std::size_t n = decompose(c, bits.compatible, points);
            for (std::size_t i = 0; i < n; ++i) append_point(out, points[i]);
            copied = boundary = at = next;
            last = 0;
            continue;
        }
        while (!normal_boundary(text, next, bits)) (void)decode_utf8(text, next);
        out.append(text.data() + copied, boundary - copied);
        normalize_piece(text.substr(boundary, next - boundary), bits, out);
        copied = boundary = at = next;
        last = 0;
    }
    out.append(text.data() + copied, text.size() - copied);
}

// Whether what is appended is the text itself.
class same_as_text {
   public:
    explicit same_as_text(std::string_view text) noexcept : text_(text) {}
    template <class = void>
    void append(const char* bytes, std::size_t n) noexcept {
        same_ = same_ && text_.size() - at_ >= n && text_.substr(at_, n) == std::string_view(bytes, n);
        if (same_) at_ += n;
    }
    [[nodiscard]] bool whole() const noexcept { return same_ && at_ == text_.size(); }

   private:
    std::string_view text_;
    std::size_t at_ = 0;
    bool same_ = true;
};

// Copies a text without its nonspacing marks.
template <class Sink>
void drop_marks(std::string_view text, Sink& out) {
    std::size_t copied = 0;
    for (std::size_t at = skip_ascii(text, 0); at < text.size(); at = skip_ascii(text, at)) {
        if (leads_unchanged(text[at])) {
            at += 3;
            continue;
        }
        const std::size_t begin = at;
        if (category_of(decode_utf8(text, at)) != general_category::mn) continue;
        out.append(text.data() + copied, begin - copied);
        copied = at;
    }
    out.append(text.data() + copied, text.size() - copied);
}

// Whether the sigma in bytes `begin` to `end` ends a word (Final_Sigma, The Unicode Standard 15.0, table 3-17). What is
// looked at lies between two cased letters, and a sigma is one, so this stays linear.
inline bool is_final_sigma(std::string_view text, std::size_t begin, std::size_t end) noexcept {
    const auto ignorable = [](char32_t c) { return in_ranges(ignorable_ranges, ignorable_count, c); };
    const auto cased = [](char32_t c) { return in_ranges(cased_ranges, cased_count, c); };
    bool after = false;
    while (begin > 0) {
        do --begin;
        while ((static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80);
        std::size_t at = begin;
        const char32_t c = decode_utf8(text, at);
        if (ignorable(c)) continue;
        after = cased(c);
        break;
    }
    if (!after) return false;
    while (end < text.size()) {
        const char32_t c = decode_utf8(text, end);
        if (!ignorable(c)) return !cased(c);
    }
    return true;
}

template <class Sink>
void append_ascii_lowered(Sink& out, const char* bytes, std::size_t n) {
    char lowered[64];
    for (std::size_t some; n > 0; bytes += some, n -= some) {
        some = std::min(n, sizeof lowered);
        for (std::size_t i = 0; i < some; ++i) lowered[i] = static_cast<char>(bytes[i] + (bytes[i] >= 'A' && bytes[i] <= 'Z' ? 32 : 0));
        out.append(lowered, some);
    }
}

// `map(c, begin, end, out)` writes what a code point beyond ASCII becomes, or answers false: it stays.
template <class Sink, class Map>
void map_letters(std::string_view text, Sink& out, const Map& map) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t ascii = skip_ascii(text, at);
        append_ascii_lowered(out, text.data() + at, ascii - at);
        std::size_t copied = at = ascii;
        while (at < text.size() && static_cast<unsigned char>(text[at]) >= 0x80) {
            if (leads_unchanged(text[at])) {
                at += 3;
                continue;
            }
            const std::size_t begin = at;
            const char32_t c = decode_utf8(text, at);
            if (c >= first_without_case && c <= last_without_case) continue;
            const std::size_t before = begin - copied;
            if (map(c, begin, at, [&] { out.append(text.data() + copied, before); })) copied = at;
        }
        out.append(text.data() + copied, at - copied);
    }
}
template <class Sink>
void lower_into(std::string_view text, Sink& out) {
    map_letters(text, out, [&](char32_t c, std::size_t begin, std::size_t end, const auto& flush) {
        if (c == 0x130) return flush(), out.append("i\u0307", 3), true;
        char32_t to = lower_case(c);
        if (c == 0x3A3 && is_final_sigma(text, begin, end)) to = 0x3C2;
        if (to == c) return false;
        return flush(), append_point(out, to), true;
    });
}
template <class Sink>
void fold_into(std::string_view text, Sink& out) {
    map_letters(text, out, [&](char32_t c, std::size_t, std::size_t, const auto& flush) {
        std::size_t first = 0, end = full_fold_count;
        while (first < end) {
            const std::size_t middle = (first + end) / 2;
            if (full_folds[4 * middle] < c) first = middle + 1;
            else end = middle;
        }
        if (first < full_fold_count && full_folds[4 * first] == c) {
            flush();
            for (std::size_t i = 1; i < 4 && full_folds[4 * first + i] != 0; ++i) append_point(out, full_folds[4 * first + i]);
            return true;
        }
        const char32_t to = fold_case(c);
        if (to == c) return false;
        return flush(), append_point(out, to), true;
    });
}

}  // namespace detail

/// The text in a normalization form. Linear in the text, whatever it holds; a text in that form already is copied.
/// Throws `error` (`bad_utf8`) with the byte.
template <class = void>
[[nodiscard]] inline std::string normalize(std::string_view text, normal_form form) {
    require_utf8(text, 1, "normalize");
    std::string out;
    out.reserve(text.size());
    detail::normalize_into(text, detail::normal_bits(form), out);
    return out;
}

/// Whether `normalize` would change nothing. Throws `error` (`bad_utf8`) with the byte.
template <class = void>
[[nodiscard]] inline bool is_normalized(std::string_view text, normal_form form) {
    require_utf8(text, 1, "is_normalized");
    detail::same_as_text same(text);
    detail::normalize_into(text, detail::normal_bits(form), same);
    return same.whole();
}

/// Without accents: canonically decomposed (NFD), nonspacing marks (Mn) left out, and composed again (NFC), so that Hangul stays
/// syllables. Right for Latin, Greek and Cyrillic; it also takes vowels from Indic scripts and the voicing from kana.
/// Throws `error` (`bad_utf8`) with the byte.
template <class = void>
[[nodiscard]] inline std::string strip_accents(std::string_view text) {
    std::string apart = normalize(text, normal_form::nfd), bare, out;
    detail::drop_marks(apart, bare);
    detail::normalize_into(bare, detail::normal_bits(normal_form::nfc), out);
    return out;
}

/// The lower case of a text, by Unicode's full mappings without regard to language: a sigma that ends a word becomes the final
/// one, U+0130 becomes i and a dot. Throws `error` (`bad_utf8`) with the byte.
template <class = void>
[[nodiscard]] inline std::string lower_case(std::string_view text) {
    require_utf8(text, 1, "lower_case");
    std::string out;
    out.reserve(text.size());
    detail::lower_into(text, out);
    return out;
}

/// Full case folding (statuses C and F of CaseFolding.txt), for comparing: "Straße" and "STRASSE" become one.
/// Throws `error` (`bad_utf8`) with the byte.
template <class = void>
[[nodiscard]] inline std::string fold_case(std::string_view text) {
    require_utf8(text, 1, "fold_case");
    std::string out;
    out.reserve(text.size());
    detail::fold_into(text, out);
    return out;
}

/// What `normalize_text` does.
struct normalize_options {
    normal_form form = normal_form::nfkc;
    bool lowercase = true;       ///< as `lower_case` does, after the form
    bool strip_accents = false;  ///< decomposed, without nonspacing marks, before the form
};

/// Texts -> texts, each in one way of writing. A stage that learns nothing:
/// `normalize_text({.form = normal_form::nfc}) | word_tokenizer{}`. By default NFKC in lower case.
class normalize_text : public detail::text_stage<normalize_text> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "normalize_text";  // in saved files: never changes

    template <class = void>
    explicit normalize_text(const normalize_options& options = {}) : normalize_text(options.form, options.lowercase, options.strip_accents) {}
    /// From its fields. Throws `error`: `bad_parameter` on a form that there is not, `unsupported_version`.
    template <class = void>
    normalize_text(normal_form form, bool lowercase, bool strip_accents, std::uint32_t unicode = unicode_version)
        : form_(form), lowercase_(lowercase), strip_accents_(strip_accents), unicode_(unicode) {
        require(form <= normal_form::nfkd, errc::bad_parameter, kind, ": no normal form has the number ", static_cast<unsigned>(form));
        require(unicode <= unicode_version, errc::unsupported_version, kind, ": made for Unicode ", unicode / 100, ".", unicode % 100, ", this library has ",
                unicode_version / 100, ".", unicode_version % 100);
    }

    [[nodiscard]] normalize_options options() const noexcept { return {form_, lowercase_, strip_accents_}; }

    static constexpr std::array field_names{"form", "lowercase", "strip_accents", "unicode"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(form_, lowercase_, strip_accents_, unicode_); }

   private:
    friend class detail::text_stage<normalize_text>;

    template <class Sink>
    void write(std::string_view text, Sink& out, workspace& scratch) const {
        if (detail::skip_ascii(text, 0) == text.size()) {  // of which no form changes anything
            if (lowercase_) detail::append_ascii_lowered(out, text.data(), text.size());
            else out.append(text.data(), text.size());
            return;
        }
        if (strip_accents_) {
            const bool compatible = form_ >= normal_form::nfkc;
            detail::scratch_text apart(scratch, text.size() + text.size() / 2), bare(scratch, text.size());
            detail::normalize_into(text, detail::normal_bits(compatible ? normal_form::nfkd : normal_form::nfd), apart);
            detail::drop_marks(apart.text(), bare);
            text = bare.text();
        }
        if (!lowercase_) return detail::normalize_into(text, detail::normal_bits(form_), out);
        detail::scratch_text formed(scratch, text.size());
        detail::normalize_into(text, detail::normal_bits(form_), formed);
        detail::lower_into(formed.text(), out);
    }

    normal_form form_;
    bool lowercase_, strip_accents_;
    std::uint32_t unicode_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
