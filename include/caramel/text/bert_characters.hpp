#ifndef CARAMEL_TEXT_BERT_CHARACTERS_HPP
#define CARAMEL_TEXT_BERT_CHARACTERS_HPP

// What BERT's tokenizers make of each code point before words are cut into pieces: cleaned, set apart, without accents, in
// lower case. One table by code point, made once for a tokenizer.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/ragged.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/text/bert_tables.hpp>
#include <caramel/text/unicode.hpp>
#include <caramel/text/utf8.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Whose tokenizer it is: the two differ in word limits, private-use characters, some CJK ranges, the order of the steps and
/// the version of Unicode.
enum class bert_rules : std::uint8_t {
    hugging_face,  ///< "fast" tokenizers, 0.23.2
    google,        ///< google-research/bert, tokenization.py, with Unicode 15.0
};

/// Where words end.
enum class word_split : std::uint8_t {
    words,   ///< at white space; punctuation is a word each
    spaces,  ///< at white space
    none,    ///< nowhere: the whole text is one word
};

namespace detail {

/// The steps before words are cut into pieces.
struct bert_steps {
    bert_rules rules = bert_rules::hugging_face;
    bool clean = true, split_chinese = true, strip_accents = true, lowercase = true;
    word_split split = word_split::words;
};

enum class bert_kind : std::uint8_t {
    self,     // part of a word as it is
    mapped,   // part of a word as `text`
    many,     // part of a word as several code points: number `text`
    hangul,   // part of a word as two or three jamo
    sigma,    // a capital sigma, whose lower case depends on where it stands
    removed,  // nothing
    space,    // between words
    alone,    // a word of its own: token `text`
    invalid,  // a surrogate: no code point of a text
};

struct bert_entry {
    std::uint32_t text = 0;  // UTF-8, the first byte lowest, or a number
    bert_kind kind = bert_kind::self;
    std::uint8_t length = 0;  // of `text` in bytes
    bool reorders = false;    // a mark that stays and that canonical order may move
    bool may_be_added = false;  // an added token begins with it
};

template <std::size_t N>
[[nodiscard]] constexpr bool is_in(const code_point_range (&ranges)[N], char32_t c) noexcept {
    const auto* const run = find_run(ranges, static_cast<std::uint32_t>(c));
    return run != nullptr && c <= run->last;
}
constexpr std::uint32_t first_of(const order_run& run) noexcept { return run.first; }
constexpr std::uint32_t first_of(const stripped_parts& entry) noexcept { return entry.point; }

/// The entries by code point, in blocks of 64 that are shared where they are equal throughout.
class bert_characters {
   public:
    static constexpr std::size_t block_size = 64, most_parts = 3;
    using parts = std::array<bert_entry, most_parts>;

    /// `find(text)` is the id of a token, or `unknown`; for what is a word of its own.
    template <class Find>
    bert_characters(const bert_steps& steps, token_id unknown, const std::vector<std::string>& tokens, const Find& find) : steps_(steps), unknown_(unknown) {
        index_.resize(0x110000 / block_size);
        for (std::size_t kind = 0; kind <= static_cast<std::size_t>(bert_kind::invalid); ++kind)
            blocks_.resize(blocks_.size() + block_size, uniform(static_cast<bert_kind>(kind)));
        paint_categories();
        paint_order();
        paint_mapped(find);
        for (const std::string& token : tokens) {  // words of one code point that stand for themselves
            if (token.empty() || utf8_sequence_length(token.data(), token.size()) != token.size()) continue;
            std::size_t at = 0;
            const char32_t c = decode_utf8(token, at);
            if ((*this)[c].kind == bert_kind::alone && !is_mapped(c)) change(c).text = static_cast<std::uint32_t>(find(token));
        }
        find_ascii();
    }

    [[nodiscard]] const bert_entry& operator[](char32_t c) const noexcept { return blocks_[index_[c / block_size] * block_size + c % block_size]; }
    [[nodiscard]] const bert_entry& ascii(unsigned char c) const noexcept { return ascii_[c]; }
    [[nodiscard]] const bert_steps& steps() const noexcept { return steps_; }
    template <class = void>
    void mark_added(char32_t c) {
        change(c).may_be_added = true;
        find_ascii();
    }

    /// The code points of an entry of kind `many` or `hangul`; returns how many.
    std::size_t expand(char32_t c, const bert_entry& entry, parts& out) const noexcept {
        if (entry.kind == bert_kind::hangul) {
            const auto s = static_cast<std::uint32_t>(c) - 0xAC00;
            out[0] = text_entry(static_cast<char32_t>(0x1100 + s / 588));
            out[1] = text_entry(static_cast<char32_t>(0x1161 + s % 588 / 28));
            if (s % 28 == 0) return 2;
            out[2] = text_entry(static_cast<char32_t>(0x11A7 + s % 28));
            return 3;
        }
        out = many_[entry.text];
        return out[2].length == 0 ? 2 : 3;
    }

    /// The code points that `c` becomes by stripping accents and lower case (not a final sigma); returns how many.
    template <class = void>
    std::size_t normal_points(char32_t c, std::array<char32_t, most_parts>& out) const noexcept {
        std::size_t n = 0;
        const auto add = [&](char32_t part) {
            if (n < most_parts) out[n++] = part;
        };
        std::array<char32_t, most_parts> stripped{};
        std::array<char32_t, 2> lowered{};
        if (google()) {
            const std::size_t lower_count = lower(c, lowered);
            for (std::size_t i = 0; i < lower_count; ++i) {
                const std::size_t count = strip(lowered[i], stripped);
                for (std::size_t k = 0; k < count; ++k) add(stripped[k]);
            }
        } else {
            const std::size_t strip_count = strip(c, stripped);
            for (std::size_t i = 0; i < strip_count; ++i) {
                const std::size_t count = lower(stripped[i], lowered);
                for (std::size_t k = 0; k < count; ++k) add(lowered[k]);
            }
        }
        return n;
    }
    /// Calls `found(c)` for each code point that becomes one beginning with `first`, itself included.
    template <class Found>
    void for_each_origin(char32_t first, const Found& found) const {
        const auto look = [&](char32_t c) {
            std::array<char32_t, most_parts> points{};
            if (normal_points(c, points) > 0 && points[0] == first) found(c);
        };
        look(first);
        if (steps_.lowercase)
            for_each_of(lower_case_runs, look), for_each_of(bert_hf_lower, look);
        if (steps_.strip_accents) {
            for (const code_point_range& range : bert_stripped)
                for (std::uint32_t c = range.first; c <= range.last; ++c) look(c);
            for (const stripped_parts& entry : bert_stripped_parts) look(entry.point);
        }
    }
    [[nodiscard]] bool is_chinese(char32_t c) const noexcept {
        return steps_.split_chinese && (google() ? is_in(bert_google_cjk, c) : is_in(bert_hf_cjk, c));
    }

    /// Where a mark goes when neighbours are put into canonical order; 0 for what stays and keeps others in place.
    [[nodiscard]] unsigned order(char32_t c) const noexcept {
        const auto* const run = find_run(bert_order, static_cast<std::uint32_t>(c));
        return run == nullptr || c > run->last || (run->recent && steps_.rules == bert_rules::hugging_face) ? 0U : unsigned{run->order};
    }
    /// Gone before anything is put in order, and not a mark.
    [[nodiscard]] bool is_cleaned(char32_t c) const noexcept { return (*this)[c].kind == bert_kind::removed && !is_stripped(c); }

    /// Python's rule for a capital sigma at `at`, which `next` follows: final after a cased letter and before none, within
    /// what stands between spaces.
    [[nodiscard]] bool is_final_sigma(std::string_view text, std::size_t at, std::size_t next) const noexcept {
        bool after = false;
        while (at > 0) {
            do --at;
            while ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
            std::size_t end = at;
            const char32_t c = decode_utf8(text, end);
            if (is_cleaned(c) || is_case_ignorable(c)) continue;
            after = is_cased(c) && !ends_token(c);
            break;
        }
        if (!after) return false;
        while (next < text.size()) {
            if (utf8_sequence_length(text.data() + next, text.size() - next) == 0) return true;  // will be refused
            const char32_t c = decode_utf8(text, next);
            if (is_cleaned(c) || is_case_ignorable(c)) continue;
            return !is_cased(c) || ends_token(c);
        }
        return true;
    }

    [[nodiscard]] static bert_entry text_entry(char32_t c) noexcept {
        bert_entry out;
        out.kind = bert_kind::mapped;
        char bytes[4];
        out.length = static_cast<std::uint8_t>(encode_utf8(c, bytes));
        for (std::size_t i = 0; i < out.length; ++i) out.text |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
        return out;
    }

   private:
    // White space; three control characters are, too, where texts are not cleaned.
    static constexpr code_point_range spaces[] = {{9, 10},           {13, 13},         {32, 32},         {0xA0, 0xA0},     {0x1680, 0x1680},
                                                  {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};

    [[nodiscard]] bool google() const noexcept { return steps_.rules == bert_rules::google; }
    [[nodiscard]] bert_entry uniform(bert_kind kind) const noexcept {
        bert_entry out;
        out.kind = kind;
        if (kind == bert_kind::alone) out.text = static_cast<std::uint32_t>(unknown_);
        return out;
    }
    template <class = void>
    bert_entry& change(char32_t c) {
        std::uint16_t& block = index_[c / block_size];
        if (block <= static_cast<std::uint16_t>(bert_kind::invalid)) {  // shared: a copy of its own
            const std::size_t from = block * block_size, to = blocks_.size();
            blocks_.resize(to + block_size);
            std::copy_n(blocks_.begin() + static_cast<std::ptrdiff_t>(from), block_size, blocks_.begin() + static_cast<std::ptrdiff_t>(to));
            block = static_cast<std::uint16_t>(to / block_size);
        }
        return blocks_[block * block_size + c % block_size];
    }
    template <class = void>
    void paint(std::uint32_t first, std::uint32_t last, bert_kind kind) {
        for (std::uint32_t c = first; c <= last;) {
            if (c % block_size == 0 && last - c >= block_size - 1) {
                index_[c / block_size] = static_cast<std::uint16_t>(kind);
                c += static_cast<std::uint32_t>(block_size);
            } else {
                change(c++) = uniform(kind);
            }
        }
    }
    template <std::size_t N>
    void paint(const code_point_range (&ranges)[N], bert_kind kind) {
        for (const code_point_range& range : ranges) paint(range.first, range.last, kind);
    }

    // What a category is to a word.
    [[nodiscard]] bert_kind kind_of(general_category g) const noexcept {
        using enum general_category;
        if (is_punctuation(g)) return steps_.split == word_split::words ? bert_kind::alone : bert_kind::self;
        if (g == mn) return steps_.strip_accents ? bert_kind::removed : bert_kind::self;
        if (steps_.clean && (g == cc || g == cf || (g == co && !google()))) return bert_kind::removed;
        return bert_kind::self;
    }
    template <class = void>
    void paint_categories() {
        const bert_kind space = steps_.split == word_split::none ? bert_kind::self : bert_kind::space;
        for (char32_t first = 0, end = 0; first < 0x110000; first = end) {
            const bert_kind kind = kind_of(category_of(first));
            const auto next = [](char32_t c) { return c < class_limit ? c + 1 : next_category(c); };
            for (end = next(first); end < 0x110000 && kind_of(category_of(end)) == kind;) end = next(end);
            if (kind != bert_kind::self) paint(first, end - 1, kind);
        }
        if (steps_.split == word_split::words)
            for (const code_point_range range : {code_point_range{33, 47}, {58, 64}, {91, 96}, {123, 126}}) paint(range.first, range.last, bert_kind::alone);
        if (!google()) {
            paint(bert_recent, bert_kind::self);
            paint(bert_hf_no_mark, bert_kind::self);
            if (steps_.split == word_split::words) paint(bert_hf_punctuation, bert_kind::alone);
            if (steps_.strip_accents) paint(bert_hf_mark, bert_kind::removed);
        }
        if (steps_.clean) {
            paint(0, 0, bert_kind::removed);
            paint(0xFFFD, 0xFFFD, bert_kind::removed);
        } else {
            paint(0xB, 0xC, space);
            paint(0x85, 0x85, space);
        }
        for (const code_point_range& range : spaces) paint(range.first, range.last, space);
        if (steps_.clean && space == bert_kind::self)  // white space becomes a space
            for (const code_point_range& range : spaces)
                for (std::uint32_t c = range.first; c <= range.last; ++c) change(c) = text_entry(U' ');
        if (steps_.strip_accents) paint(0xAC00, 0xD7A3, bert_kind::hangul);
        if (steps_.split_chinese) {
            if (google()) paint(bert_google_cjk, bert_kind::alone);
            else paint(bert_hf_cjk, bert_kind::alone);
        }
        paint(0xD800, 0xDFFF, bert_kind::invalid);
        if (google() && steps_.lowercase) change(0x3A3).kind = bert_kind::sigma;
    }
    template <class = void>
    void paint_order() {
        if (!steps_.strip_accents) return;
        for (const order_run& run : bert_order)
            for (std::uint32_t c = run.first; c <= run.last; ++c)
                if (order(c) != 0 && (*this)[c].kind == bert_kind::self) change(c).reorders = true;
    }

    // The code points that `c` becomes without marks; at most three.
    template <class = void>
    [[nodiscard]] std::size_t strip(char32_t c, std::array<char32_t, most_parts>& out) const noexcept {
        out[0] = c;
        if (!steps_.strip_accents) return 1;
        if ((*this)[c].kind == bert_kind::removed) return 0;
        if (!google() && is_in(bert_recent_parts, c)) return 1;
        if (const auto* const entry = find_run(bert_stripped_parts, static_cast<std::uint32_t>(c)); entry != nullptr && entry->point == c) {
            std::size_t n = 0;
            for (const std::uint32_t part : entry->parts)
                if (part != 0) out[n++] = part;
            return n;
        }
        const auto* const run = find_run(bert_stripped, static_cast<std::uint32_t>(c));
        if (run == nullptr || c > run->last) return 1;
        std::size_t before = 0;
        for (const auto* r = bert_stripped; r != run; ++r) before += r->last - r->first + 1;
        out[0] = bert_stripped_to[before + (c - run->first)];
        return 1;
    }
    [[nodiscard]] std::size_t lower(char32_t c, std::array<char32_t, 2>& out) const noexcept {
        out = {c, U'\u0307'};
        if (!steps_.lowercase) return 1;
        if (c == 0x130) {
            out[0] = U'i';
            return 2;
        }
        const auto* const run = google() ? nullptr : find_case_run(bert_hf_lower, c);
        out[0] = run != nullptr ? map_case(*run, c) : lower_case(c);
        return 1;
    }
    template <class = void>
    [[nodiscard]] bool is_mapped(char32_t c) const noexcept {
        std::array<char32_t, most_parts> points{};
        return strip(c, points) != 1 || points[0] != c;
    }
    template <class Find>
    void map(char32_t c, const Find& find) {
        const bert_kind before = (*this)[c].kind;
        if (before == bert_kind::removed || before == bert_kind::space || before == bert_kind::hangul || before == bert_kind::sigma) return;
        if (steps_.clean && is_in(spaces, c)) return;
        std::array<char32_t, most_parts> points{};
        const std::size_t n = normal_points(c, points);
        if (n == 1 && points[0] == c) return;
        bert_entry entry;
        if (n == 0) {
            entry.kind = bert_kind::removed;
        } else if (n == 1) {
            entry = text_entry(points[0]);
            if (is_chinese(c) || ((*this)[points[0]].kind == bert_kind::alone && !is_chinese(points[0]))) {
                char bytes[4];
                const std::string_view text(bytes, encode_utf8(points[0], bytes));
                entry = uniform(bert_kind::alone);
                entry.text = static_cast<std::uint32_t>(find(text));
            }
        } else {
            bert_characters::parts all{};
            for (std::size_t i = 0; i < n; ++i) {
                all[i] = text_entry(points[i]);
                all[i].reorders = steps_.strip_accents && order(points[i]) != 0;
                entry.reorders = entry.reorders || all[i].reorders;
            }
            entry.kind = bert_kind::many;
            entry.text = static_cast<std::uint32_t>(many_.size());
            many_.push_back(all);
        }
        change(c) = entry;
    }
    template <std::size_t N, class Work>
    static void for_each_of(const case_run (&runs)[N], const Work& work) {
        for (const case_run& run : runs)
            for (std::uint32_t c = run.first; c <= run.last; c += run.step) work(static_cast<char32_t>(c));
    }
    template <class Find>
    void paint_mapped(const Find& find) {
        const auto map_one = [&](char32_t c) { map(c, find); };
        if (steps_.lowercase) {
            for_each_of(lower_case_runs, map_one);
            if (!google()) for_each_of(bert_hf_lower, map_one);
        }
        if (steps_.strip_accents) {
            for (const code_point_range& range : bert_stripped)
                for (std::uint32_t c = range.first; c <= range.last; ++c) map(c, find);
            for (const stripped_parts& entry : bert_stripped_parts) map(entry.point, find);
        }
    }
    void find_ascii() noexcept {
        for (std::size_t c = 0; c < ascii_.size(); ++c) ascii_[c] = (*this)[static_cast<char32_t>(c)];
    }

    [[nodiscard]] bool is_stripped(char32_t c) const noexcept {
        return steps_.strip_accents && (category_of(c) == general_category::mn || (!google() && is_in(bert_hf_mark, c)));
    }
    [[nodiscard]] bool ends_token(char32_t c) const noexcept {
        return (*this)[c].kind == bert_kind::space || is_chinese(c);
    }
    [[nodiscard]] static bool is_cased(char32_t c) noexcept {
        const general_category g = category_of(c);
        return g == general_category::lu || g == general_category::ll || g == general_category::lt || is_in(bert_cased, c);
    }
    [[nodiscard]] static bool is_case_ignorable(char32_t c) noexcept {
        using enum general_category;
        const general_category g = category_of(c);
        return g == mn || g == me || g == cf || g == lm || g == sk || is_in(bert_case_ignorable, c);
    }

    bert_steps steps_;
    token_id unknown_;
    std::vector<std::uint16_t> index_;
    std::vector<bert_entry> blocks_;
    std::vector<parts> many_;
    std::array<bert_entry, 128> ascii_{};
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
