#ifndef CARAMEL_TEXT_ENCODING_HPP
#define CARAMEL_TEXT_ENCODING_HPP

// What a subword tokenizer makes of texts: ids with their places in the text, special tokens, pairs, truncation. The
// tokenizers (text/wordpiece.hpp, text/bpe.hpp) share it; text/encoding_arrays.hpp pads it to rectangles.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/workspace.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Bytes `begin` up to, not including, `end` of the text as it was given.
struct byte_span {
    std::uint32_t begin, end;

    friend bool operator==(const byte_span&, const byte_span&) = default;
};

/// The side on which tokens are cut off or padding is put.
enum class text_side : std::uint8_t { left, right };

/// Which text of a pair loses tokens.
enum class truncation_order : std::uint8_t {
    longest_first,  ///< the longer one, then both alike: as Hugging Face tokenizers do it
    only_first,
    only_second,
};

/// How texts are encoded. Saved with a tokenizer as what it does when nothing is said.
struct encode_options {
    bool special_tokens = true;                                     ///< those around the text, such as [CLS] and [SEP]
    std::uint64_t max_length = 0;                                   ///< tokens at most, special ones included; 0 = all
    truncation_order order = truncation_order::longest_first;       ///< of pairs
    text_side truncate = text_side::right;                          ///< which end of a text is cut off

    friend bool operator==(const encode_options&, const encode_options&) = default;
    static constexpr std::array field_names{"special_tokens", "max_length", "order", "truncate"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(special_tokens, max_length, order, truncate); }
};

/// How rows of different lengths become equally long.
struct padding {
    std::uint64_t length = 0;             ///< of every row; 0 = that of the longest
    std::uint64_t multiple_of = 1;        ///< the length is raised to a multiple of this
    text_side side = text_side::right;    ///< where the padding stands
    std::optional<token_id> id = {};      ///< empty = what the tokenizer says (`token_ids::padding`)
    std::uint8_t type_id = 0;

    friend bool operator==(const padding&, const padding&) = default;
};

/// A text, or a pair of texts, as tokens; all vectors are equally long.
struct encoding {
    std::vector<token_id> ids = {};
    std::vector<byte_span> offsets = {};         ///< in the text that the token is from; {0, 0} for special tokens
    std::vector<std::uint8_t> type_ids = {};     ///< 0: the first text and its special tokens; 1: the second
    std::vector<std::uint8_t> special = {};      ///< 1 for special tokens that were added around the texts

    [[nodiscard]] std::size_t size() const noexcept { return ids.size(); }
    friend bool operator==(const encoding&, const encoding&) = default;
};

/// The same in a workspace: valid until the next call with it.
struct encoding_view {
    std::span<const token_id> ids;
    std::span<const byte_span> offsets;
    std::span<const std::uint8_t> type_ids, special;

    [[nodiscard]] std::size_t size() const noexcept { return ids.size(); }
};

/// Many texts, or pairs, as tokens: row i of `ids` is text i, and the other vectors are as long as `ids.values()`.
struct encoding_batch {
    token_ids ids = {};
    std::vector<byte_span> offsets = {};
    std::vector<std::uint8_t> type_ids = {}, special = {};

    [[nodiscard]] std::size_t size() const noexcept { return ids.size(); }
    template <class = void>
    [[nodiscard]] encoding_view operator[](std::size_t i) const noexcept {
        const auto begin = static_cast<std::size_t>(ids.starts()[i]), n = ids[i].size();
        return {ids[i], std::span(offsets).subspan(begin, n), std::span(type_ids).subspan(begin, n), std::span(special).subspan(begin, n)};
    }
    friend bool operator==(const encoding_batch&, const encoding_batch&) = default;
};

/// The special tokens around one text and around a pair: a sequence of ids in which `first_text` and `second_text` stand
/// for the tokens of the texts, each with the type id of its tokens.
class special_tokens {
   public:
    static constexpr token_id first_text = -1, second_text = -2;

    /// None: the text alone, and the two texts of a pair one behind the other, of types 0 and 1.
    template <class = void>
    special_tokens() : special_tokens({first_text}, {0}, {first_text, second_text}, {0, 1}) {}
    /// Throws `error` (`bad_data`) unless `one` has `first_text` once, `pair` both texts once in this order, ids are at least
    /// 0 elsewhere, and there is a type for each.
    template <class = void>
    special_tokens(std::vector<token_id> one, std::vector<std::uint8_t> one_types, std::vector<token_id> pair, std::vector<std::uint8_t> pair_types)
        : one_(std::move(one)), one_types_(std::move(one_types)), pair_(std::move(pair)), pair_types_(std::move(pair_types)) {
        const auto texts_of = [](const std::vector<token_id>& sequence) {
            std::vector<token_id> texts;
            std::copy_if(sequence.begin(), sequence.end(), std::back_inserter(texts), [](token_id id) { return id < 0; });
            return texts;
        };
        require(one_.size() == one_types_.size() && pair_.size() == pair_types_.size(), errc::bad_data, "special_tokens: not one type a token");
        require(texts_of(one_) == std::vector<token_id>{first_text} && texts_of(pair_) == std::vector<token_id>{first_text, second_text}, errc::bad_data,
                "special_tokens: a text is missing, or stands there twice or in another place");
        lead_ = static_cast<std::size_t>(std::find(one_.begin(), one_.end(), first_text) - one_.begin());
        one_type_ = std::all_of(one_types_.begin(), one_types_.end(), [this](std::uint8_t type) { return type == one_types_[0]; });
    }
    /// [CLS] A [SEP], and [CLS] A [SEP] B [SEP] where B and the last token are of type 1.
    template <class = void>
    [[nodiscard]] static special_tokens bert(token_id cls, token_id sep) {
        return {{cls, first_text, sep}, {0, 0, 0}, {cls, first_text, sep, second_text, sep}, {0, 0, 0, 1, 1}};
    }

    [[nodiscard]] std::span<const token_id> sequence(bool pair) const noexcept { return pair ? pair_ : one_; }
    template <class = void>
    [[nodiscard]] std::span<const std::uint8_t> types(bool pair) const noexcept { return pair ? pair_types_ : one_types_; }
    /// Where the text stands among those of one text, and whether they are all of one type.
    [[nodiscard]] std::size_t lead() const noexcept { return lead_; }
    [[nodiscard]] bool one_type() const noexcept { return one_type_; }
    /// How many tokens they add.
    [[nodiscard]] std::size_t count(bool pair) const noexcept { return pair ? pair_.size() - 2 : one_.size() - 1; }
    /// Throws `error` (`bad_data`) unless all are ids of a vocabulary of this size.
    template <class = void>
    void require_below(std::size_t vocabulary_size, std::string_view who) const {
        for (const bool pair : {false, true})
            for (const token_id id : sequence(pair))
                require(id < 0 || static_cast<std::size_t>(id) < vocabulary_size, errc::bad_data, who, ": a special token outside the vocabulary of ",
                        vocabulary_size);
    }

    friend bool operator==(const special_tokens&, const special_tokens&) = default;
    static constexpr std::array field_names{"one", "one_types", "pair", "pair_types"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(one_, one_types_, pair_, pair_types_); }

   private:
    std::vector<token_id> one_;
    std::vector<std::uint8_t> one_types_;
    std::vector<token_id> pair_;
    std::vector<std::uint8_t> pair_types_;
    std::size_t lead_ = 0;
    bool one_type_ = true;
};

/// Offsets in code points from offsets in bytes, which tokenizers in Python and JavaScript give. A span that begins or ends
/// within a code point takes all of it in. `text` is the valid UTF-8 that the spans are of.
/// Throws `error` (`bad_parameter`) on a span that is not within the text.
template <class = void>
[[nodiscard]] inline std::vector<byte_span> code_point_spans(std::string_view text, std::span<const byte_span> spans) {
    std::vector<byte_span> out;
    out.reserve(spans.size());
    std::size_t at = 0;         // spans mostly rise: one pass over the text
    std::uint32_t points = 0;   // code points that begin before `at`
    std::vector<std::uint32_t> before;  // the same for every byte, once they do not
    const auto begins = [&](std::size_t i) { return (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80; };
    const auto points_before = [&](std::size_t byte) {
        if (byte < at && before.empty()) {
            before.assign(text.size() + 1, 0);
            for (std::size_t i = 0; i < text.size(); ++i) before[i + 1] = before[i] + (begins(i) ? 1U : 0U);
        }
        if (byte < at) return before[byte];
        for (; at < byte; ++at) points += begins(at) ? 1U : 0U;
        return points;
    };
    for (const byte_span span : spans) {
        require(span.begin <= span.end && span.end <= text.size(), errc::bad_parameter, "code_point_spans: bytes ", span.begin, " to ", span.end,
                " of a text of ", text.size());
        if (span.end == 0) {
            out.push_back({0, 0});
            continue;
        }
        const std::uint32_t first = points_before(span.begin) - (span.begin < text.size() && !begins(span.begin) ? 1 : 0);
        out.push_back({first, points_before(span.end)});
    }
    return out;
}

namespace detail {

/// How many tokens of each text stay; `max_length` without the special tokens.
/// Throws `error` (`bad_parameter`) where the text that is to be cut is too short for it.
template <std::same_as<std::size_t> Size>
[[nodiscard]] std::pair<Size, Size> kept_tokens(Size first, Size second, bool pair, Size max_length, truncation_order order, std::string_view who) {
    if (first + second <= max_length) return {first, second};
    if (order == truncation_order::longest_first) {
        if (!pair) return {max_length, 0};
        const Size shorter = std::min(first, second);
        const bool one_is_enough = 2 * shorter <= max_length;
        const Size a = one_is_enough ? shorter : max_length / 2, b = max_length - a;
        return first <= second ? std::pair(a, b) : std::pair(b, a);
    }
    require(pair || order == truncation_order::only_first, errc::bad_parameter, who, ": to be cut in the second text, but there is one text only");
    const bool from_first = order == truncation_order::only_first;
    const Size fixed = from_first ? second : first;
    require(fixed < max_length || (fixed == 0 && max_length == 0), errc::bad_parameter, who, ": max_length leaves ", max_length,
            " tokens, and the text that is not to be cut fills them");
    return from_first ? std::pair(max_length - fixed, fixed) : std::pair(fixed, max_length - fixed);
}

}  // namespace detail

/// The calls that subword tokenizers share, for a `Model` with
///   * `std::size_t split(std::string_view text, std::size_t row, token_id* ids, byte_span* offsets, std::size_t enough) const`:
///     writes the tokens of a text without special tokens and returns their number; checks that it is UTF-8 (`bad_utf8` with
///     `row`); may stop once there are `enough` tokens; `offsets` may be null;
///   * `std::size_t most_tokens(std::size_t bytes) const`: how many it can write for so many bytes;
///   * `special() -> const special_tokens&`, `defaults() -> const encode_options&`, `vocabulary_size()`, `unknown()`, `padding()`
///     and `kind`.
template <class Model>
class text_encoder {
   public:
    static constexpr std::size_t max_text_bytes = std::numeric_limits<std::uint32_t>::max() / 2;

    /// Texts -> ids, one row a text, as `defaults()` says. Throws `error` (`bad_utf8`) with the text's number (from 1) in
    /// `where().row` and the byte; `limit_exceeded` above `max_text_bytes`.
    [[nodiscard]] token_ids operator()(const std::vector<std::string>& texts) const {
        encoding_batch out = empty_batch();
        token_buffers buffer;
        for (std::size_t i = 0; i < texts.size(); ++i) add<false>(texts[i], {}, false, i + 1, model().defaults(), buffer, out);
        return std::move(out.ids);
    }
    /// One text: the same ids as in a batch, in the workspace.
    [[nodiscard]] std::span<const token_id> operator()(std::string_view text, workspace& scratch) const {
        const workspace::frame frame(scratch);
        return in_workspace<false>(text, {}, false, scratch, model().defaults()).ids;
    }
    /// The same without a workspace.
    template <std::convertible_to<std::string_view> Text>
    [[nodiscard]] std::vector<token_id> operator()(const Text& text) const {
        encoding_batch out;
        token_buffers buffer;
        add<false>(text, {}, false, 1, model().defaults(), buffer, out);
        return out.ids.values();
    }

    /// One text with offsets. Throws `error`: `bad_utf8`; `bad_parameter` where `max_length` leaves no room.
    [[nodiscard]] encoding encode(std::string_view text, const encode_options& how) const { return one(text, {}, false, how); }
    [[nodiscard]] encoding encode(std::string_view text) const { return encode(text, model().defaults()); }
    /// In the workspace: allocates nothing after the first call with it.
    [[nodiscard]] encoding_view encode(std::string_view text, workspace& scratch, const encode_options& how) const {
        const workspace::frame frame(scratch);
        return in_workspace<true>(text, {}, false, scratch, how);
    }
    [[nodiscard]] encoding_view encode(std::string_view text, workspace& scratch) const { return encode(text, scratch, model().defaults()); }
    /// Two texts as one sequence.
    [[nodiscard]] encoding encode_pair(std::string_view first, std::string_view second, const encode_options& how) const {
        return one(first, second, true, how);
    }
    [[nodiscard]] encoding encode_pair(std::string_view first, std::string_view second) const { return encode_pair(first, second, model().defaults()); }
    [[nodiscard]] encoding_view encode_pair(std::string_view first, std::string_view second, workspace& scratch, const encode_options& how) const {
        const workspace::frame frame(scratch);
        return in_workspace<true>(first, second, true, scratch, how);
    }

    /// Many texts with offsets, on as many threads as `run` says, which changes no result.
    [[nodiscard]] encoding_batch encode_batch(const std::vector<std::string>& texts, const encode_options& how, const run_options& run = {}) const {
        return batch(texts, nullptr, how, run);
    }
    [[nodiscard]] encoding_batch encode_batch(const std::vector<std::string>& texts) const { return batch(texts, nullptr, model().defaults(), {}); }
    /// Many pairs. Throws `error` (`shape_mismatch`) unless there are as many second texts as first ones.
    [[nodiscard]] encoding_batch encode_pairs(const std::vector<std::string>& first, const std::vector<std::string>& second, const encode_options& how,
                                              const run_options& run = {}) const {
        require(first.size() == second.size(), errc::shape_mismatch, Model::kind, ": ", first.size(), " first texts but ", second.size(), " second ones");
        return batch(first, &second, how, run);
    }
    [[nodiscard]] encoding_batch encode_pairs(const std::vector<std::string>& first, const std::vector<std::string>& second) const {
        return encode_pairs(first, second, model().defaults());
    }

   private:
    // Tokens of the texts before special tokens are added and what is too much is cut off. Reused from text to text, so
    // that it stays in the caches; not initialized.
    struct token_buffers {
        std::unique_ptr<token_id[]> ids;
        std::unique_ptr<byte_span[]> offsets;
        std::size_t room = 0;

        void make_room(std::size_t n) {
            if (n <= room) return;
            ids.reset(new token_id[n]);
            offsets.reset(new byte_span[n]);
            room = n;
        }
    };
    // Which of the tokens in a buffer stay: those from `first` (`second`) on.
    struct kept {
        std::size_t first, first_count, second, second_count, total;
    };

    [[nodiscard]] const Model& model() const noexcept { return static_cast<const Model&>(*this); }

    [[nodiscard]] encoding_batch empty_batch() const {
        encoding_batch out;
        out.ids.vocabulary_size = model().vocabulary_size();
        out.ids.unknown = model().unknown();
        out.ids.padding = model().padding();
        return out;
    }
    [[nodiscard]] std::size_t room_for(std::string_view text, std::size_t row) const {
        require_at(text.size() <= max_text_bytes, errc::limit_exceeded, {.row = row}, Model::kind, ": text ", row, " has ", text.size(), " bytes, at most ",
                   max_text_bytes);
        return model().most_tokens(text.size());
    }
    // Splits both texts, the second one's tokens behind those of the first, and decides what stays.
    [[nodiscard]] kept split(std::string_view first, std::string_view second, bool pair, std::size_t row, const encode_options& how, token_id* ids,
                             byte_span* offsets) const {
        const std::size_t added = how.special_tokens ? model().special().count(pair) : 0;
        std::size_t max_length = std::numeric_limits<std::size_t>::max() / 4, enough = max_length;
        if (how.max_length != 0) {
            require(how.max_length >= added, errc::bad_parameter, Model::kind, ": max_length = ", how.max_length, ", but ", added, " special tokens are added");
            max_length = static_cast<std::size_t>(std::min<std::uint64_t>(how.max_length, max_length)) - added;
            if (how.truncate == text_side::right && !pair) enough = max_length + 1;  // of a pair it counts which is the longer one
        }
        const std::size_t n = model().split(first, row, ids, offsets, enough);
        const std::size_t m = pair ? model().split(second, row, ids + n, offsets == nullptr ? nullptr : offsets + n, enough) : 0;
        const auto [a, b] = detail::kept_tokens(n, m, pair, max_length, how.order, Model::kind);
        const bool left = how.truncate == text_side::left;
        return {left ? n - a : 0, a, left ? n + m - b : n, b, a + b + added};
    }
    // Hands the tokens that stay, with the special ones, to `one_token(id, type)` and `tokens(from, count, type)`.
    template <class One, class Many>
    void arrange(const kept& k, bool pair, bool special, const One& one_token, const Many& tokens) const {
        const special_tokens& around = model().special();
        const auto sequence = around.sequence(pair);
        for (std::size_t i = 0; i < sequence.size(); ++i) {
            const std::uint8_t type = around.types(pair)[i];
            if (sequence[i] == special_tokens::first_text) tokens(k.first, k.first_count, type);
            else if (sequence[i] == special_tokens::second_text) tokens(k.second, k.second_count, type);
            else if (special) one_token(sequence[i], type);
        }
    }
    // One text cut on the right, the usual case: written with its special tokens in place. Returns how many tokens there are.
    std::size_t split_in_place(std::string_view text, std::size_t row, const encode_options& how, token_id* ids, byte_span* offsets) const {
        const auto sequence = model().special().sequence(false);
        const std::size_t added = how.special_tokens ? sequence.size() - 1 : 0;
        const std::size_t lead = added == 0 ? 0 : model().special().lead();
        const kept k = split(text, {}, false, row, how, ids + lead, offsets == nullptr ? nullptr : offsets + lead);
        for (std::size_t i = 0; i < added; ++i) {
            const std::size_t at = i < lead ? i : k.first_count + i;
            ids[at] = sequence[i < lead ? i : i + 1];
            if (offsets != nullptr) offsets[at] = {0, 0};
        }
        return k.total;
    }
    // The types of that text and what is special in it, over zeros.
    void mark_in_place(std::size_t total, bool special, std::uint8_t* types, std::uint8_t* specials) const {
        const auto sequence_types = model().special().types(false);
        const std::size_t lead = model().special().lead(), added = special ? sequence_types.size() - 1 : 0, before = special ? lead : 0;
        for (std::size_t i = 0; i < added; ++i) specials[i < before ? i : total - added + i] = 1;
        if (model().special().one_type() && sequence_types[0] == 0) return;
        std::fill_n(types + before, total - added, sequence_types[lead]);
        for (std::size_t i = 0; i < added; ++i) types[i < before ? i : total - added + i] = sequence_types[i < before ? i : i + 1];
    }
    template <bool Places>
    void add(std::string_view first, std::string_view second, bool pair, std::size_t row, const encode_options& how, token_buffers& buffer,
             encoding_batch& out) const {
        buffer.make_room(room_for(first, row) + (pair ? room_for(second, row) : 0) + model().special().sequence(pair).size());
        if (!pair && how.truncate == text_side::right) {
            const std::size_t total = split_in_place(first, row, how, buffer.ids.get(), Places ? buffer.offsets.get() : nullptr);
            out.ids.append_row(std::span<const token_id>(buffer.ids.get(), total));
            if constexpr (Places) {
                out.offsets.insert(out.offsets.end(), buffer.offsets.get(), buffer.offsets.get() + total);
                const std::size_t before = out.type_ids.size();
                out.type_ids.resize(before + total);
                out.special.resize(before + total);
                mark_in_place(total, how.special_tokens, out.type_ids.data() + before, out.special.data() + before);
            }
            return;
        }
        const kept k = split(first, second, pair, row, how, buffer.ids.get(), Places ? buffer.offsets.get() : nullptr);
        arrange(
            k, pair, how.special_tokens,
            [&](token_id id, std::uint8_t type) {
                out.ids.push_back(id);
                if constexpr (Places) {
                    out.offsets.push_back({0, 0});
                    out.type_ids.push_back(type);
                    out.special.push_back(1);
                }
            },
            [&](std::size_t from, std::size_t count, std::uint8_t type) {
                out.ids.append_values(std::span<const token_id>(buffer.ids.get() + from, count));
                if constexpr (Places) {
                    out.offsets.insert(out.offsets.end(), buffer.offsets.get() + from, buffer.offsets.get() + from + count);
                    out.type_ids.insert(out.type_ids.end(), count, type);
                    out.special.insert(out.special.end(), count, std::uint8_t{0});
                }
            });
        out.ids.close_row();
    }
    [[nodiscard]] encoding one(std::string_view first, std::string_view second, bool pair, const encode_options& how) const {
        encoding_batch out;
        token_buffers buffer;
        add<true>(first, second, pair, 1, how, buffer, out);
        return {out.ids.values(), std::move(out.offsets), std::move(out.type_ids), std::move(out.special)};
    }
    template <bool Places>
    [[nodiscard]] encoding_view in_workspace(std::string_view first, std::string_view second, bool pair, workspace& scratch, const encode_options& how) const {
        const std::size_t room = room_for(first, 1) + (pair ? room_for(second, 1) : 0) + model().special().sequence(pair).size();
        const auto ids = scratch.take<token_id>(room);
        const auto offsets = scratch.take<byte_span>(Places ? room : 0);
        if (!pair && how.truncate == text_side::right) {
            const std::size_t total = split_in_place(first, 1, how, ids.data(), Places ? offsets.data() : nullptr);
            const auto types = scratch.take<std::uint8_t>(Places ? total : 0), specials = scratch.take<std::uint8_t>(Places ? total : 0);
            if constexpr (Places) {
                std::fill(types.begin(), types.end(), std::uint8_t{0});
                std::fill(specials.begin(), specials.end(), std::uint8_t{0});
                mark_in_place(total, how.special_tokens, types.data(), specials.data());
            }
            return {ids.first(total), offsets.first(Places ? total : 0), types, specials};
        }
        const kept k = split(first, second, pair, 1, how, ids.data(), Places ? offsets.data() : nullptr);
        const auto out_ids = scratch.take<token_id>(k.total);
        const auto out_offsets = scratch.take<byte_span>(Places ? k.total : 0);
        const auto types = scratch.take<std::uint8_t>(Places ? k.total : 0), special = scratch.take<std::uint8_t>(Places ? k.total : 0);
        std::size_t n = 0;
        arrange(
            k, pair, how.special_tokens,
            [&](token_id id, std::uint8_t type) {
                out_ids[n] = id;
                if constexpr (Places) {
                    out_offsets[n] = {0, 0};
                    types[n] = type;
                    special[n] = 1;
                }
                ++n;
            },
            [&](std::size_t from, std::size_t count, std::uint8_t type) {
                std::copy_n(ids.begin() + static_cast<std::ptrdiff_t>(from), count, out_ids.begin() + static_cast<std::ptrdiff_t>(n));
                if constexpr (Places) {
                    std::copy_n(offsets.begin() + static_cast<std::ptrdiff_t>(from), count, out_offsets.begin() + static_cast<std::ptrdiff_t>(n));
                    std::fill_n(types.begin() + static_cast<std::ptrdiff_t>(n), count, type);
                    std::fill_n(special.begin() + static_cast<std::ptrdiff_t>(n), count, std::uint8_t{0});
                }
                n += count;
            });
        return {out_ids, out_offsets, types, special};
    }
    static void reserve(encoding_batch& out, std::size_t rows, std::size_t tokens) {
        out.ids.reserve(rows, tokens);
        out.offsets.reserve(tokens);
        out.type_ids.reserve(tokens);
        out.special.reserve(tokens);
    }
    [[nodiscard]] encoding_batch batch(const std::vector<std::string>& texts, const std::vector<std::string>* seconds, const encode_options& how,
                                       const run_options& run) const {
        const auto bytes_of = [&](std::size_t i) { return texts[i].size() + (seconds != nullptr ? (*seconds)[i].size() : 0); };
        const auto add_rows = [&](std::size_t begin, std::size_t end, token_buffers& buffer, encoding_batch& out) {
            std::size_t bytes = 0, seen = 0;
            for (std::size_t i = begin; i < end; ++i) bytes += bytes_of(i);
            for (std::size_t i = begin; i < end; ++i) {
                if (i - begin == 32) {  // room for all, if the others are like the first ones
                    const double share = static_cast<double>(bytes) / static_cast<double>(std::max<std::size_t>(seen, 1));
                    reserve(out, end - begin, static_cast<std::size_t>(1.1 * share * static_cast<double>(out.offsets.size())));
                }
                seen += bytes_of(i);
                add<true>(texts[i], seconds != nullptr ? std::string_view((*seconds)[i]) : std::string_view(), seconds != nullptr, i + 1, how, buffer, out);
            }
        };
        encoding_batch out = empty_batch();
        if (run.threads == 1 && !run.run) {
            token_buffers buffer;
            add_rows(0, texts.size(), buffer, out);
            return out;
        }
        // Blocks of about so many bytes, whatever the number of threads. Who finishes one puts those that are next in order
        // behind the others, while the other threads go on: so little is left to do alone.
        constexpr std::size_t block_bytes = std::size_t{1} << 15;
        std::vector<std::size_t> begins{0};
        std::size_t in_block = 0, total = 0;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            in_block += bytes_of(i) + 16;
            total += bytes_of(i) + 16;
            if (in_block >= block_bytes || i + 1 == texts.size()) {
                begins.push_back(i + 1);
                in_block = 0;
            }
        }
        struct part {
            encoding_batch batch = {};
            token_buffers buffer = {};
        };
        std::vector<std::unique_ptr<part>> parts(begins.size() - 1), spare;  // finished blocks; memory to be used again
        std::mutex guard;
        std::size_t next = 0;
        bool busy = false;
        const auto join = [&](const encoding_batch& batch) {
            if (next == 0)
                reserve(out, texts.size(), static_cast<std::size_t>(1.1 * static_cast<double>(batch.offsets.size()) * static_cast<double>(total) /
                                                                    static_cast<double>(std::min(total, block_bytes))));
            out.ids.append(batch.ids);
            out.offsets.insert(out.offsets.end(), batch.offsets.begin(), batch.offsets.end());
            out.type_ids.insert(out.type_ids.end(), batch.type_ids.begin(), batch.type_ids.end());
            out.special.insert(out.special.end(), batch.special.begin(), batch.special.end());
        };
        parallel_for(parts.size(), run, [&](std::size_t b) {
            std::unique_ptr<part> mine;
            std::unique_lock lock(guard);
            if (!spare.empty()) {
                mine = std::move(spare.back());
                spare.pop_back();
            }
            lock.unlock();
            if (!mine) mine = std::make_unique<part>();
            mine->batch.ids.clear();
            mine->batch.offsets.clear();
            mine->batch.type_ids.clear();
            mine->batch.special.clear();
            add_rows(begins[b], begins[b + 1], mine->buffer, mine->batch);
            lock.lock();
            parts[b] = std::move(mine);
            if (busy) return;
            busy = true;
            while (next < parts.size() && parts[next]) {
                mine = std::move(parts[next]);
                lock.unlock();
                join(mine->batch);
                lock.lock();
                spare.push_back(std::move(mine));
                ++next;
            }
            busy = false;
        });
        return out;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
