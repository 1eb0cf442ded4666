#ifndef CARAMEL_TEXT_ALIGNED_TEXT_HPP
#define CARAMEL_TEXT_ALIGNED_TEXT_HPP

// A text that was changed, and which bytes of the original each part of it comes from.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/text/text_stage.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Bytes `begin` to `end` of a changed text come from bytes `original_begin` to `original_end`: one by one where they were
/// `copied`, else as a whole.
struct aligned_piece {
    std::size_t begin, end, original_begin, original_end;
    bool copied;

    friend bool operator==(const aligned_piece&, const aligned_piece&) = default;
};

/// A text with its way back to the original. Stages that clean texts take one and return one, so the way leads back through
/// all of them: `(remove_html() | squeeze_spaces())(aligned_text(text)).original(begin, end)`.
struct aligned_text {
    std::string text;
    std::vector<aligned_piece> offsets;  ///< one behind the other, without gaps in `text`
    std::size_t original_size = 0;

    aligned_text() = default;
    /// A text that nothing has changed yet.
    template <class = void>
    explicit aligned_text(std::string original) : text(std::move(original)), original_size(text.size()) {
        if (!text.empty()) offsets.push_back({0, text.size(), 0, text.size(), true});
    }

    /// Where bytes `begin` to `end` of the text come from: the first byte and the one behind the last. What was left out at the
    /// ends does not count. Throws `error` (`bad_parameter`) unless `begin <= end <= text.size()`.
    template <class = void>
    [[nodiscard]] std::pair<std::size_t, std::size_t> original(std::size_t begin, std::size_t end) const {
        require(begin <= end && end <= text.size(), errc::bad_parameter, "aligned_text: bytes ", begin, " to ", end, " of ", text.size());
        if (begin == end) {
            std::size_t at = 0;
            if (begin < text.size()) at = original(begin, begin + 1).first;
            else if (!offsets.empty()) at = offsets.back().original_end;
            return {at, at};
        }
        const auto piece_of = [&](std::size_t byte) {
            return *(std::upper_bound(offsets.begin(), offsets.end(), byte, [](std::size_t b, const aligned_piece& p) { return b < p.begin; }) - 1);
        };
        const aligned_piece first = piece_of(begin), last = piece_of(end - 1);
        return {first.copied ? first.original_begin + (begin - first.begin) : first.original_begin,
                last.copied ? last.original_begin + (end - last.begin) : last.original_end};
    }
};

namespace detail {

// Writes a changed text with its pieces; the changes come in order.
class alignment_writer {
   public:
    template <class = void>
    explicit alignment_writer(const aligned_text& from) : from_(from) { to_.original_size = from.original_size; }

    template <class = void>
    void copy(std::size_t begin, std::size_t end) {
        while (begin < end) {
            while (from_.offsets[at_].end <= begin) ++at_;
            const aligned_piece& p = from_.offsets[at_];
            const std::size_t stop = std::min(end, p.end), n = stop - begin;
            if (p.copied) add(n, p.original_begin + (begin - p.begin), p.original_begin + (stop - p.begin), true);
            else add(n, p.original_begin, p.original_end, false);
            to_.text.append(from_.text, begin, n);
            begin = stop;
        }
    }
    template <class = void>
    void replace(std::size_t begin, std::size_t end, std::string_view with) {
        if (with.empty()) return;
        const auto [first, last] = from_.original(begin, end);
        add(with.size(), first, last, false);
        to_.text += with;
    }
    [[nodiscard]] aligned_text finish() && { return std::move(to_); }

   private:
    template <class = void>
    void add(std::size_t n, std::size_t original_begin, std::size_t original_end, bool copied) {
        const std::size_t begin = to_.text.size();
        if (copied && !to_.offsets.empty()) {
            aligned_piece& last = to_.offsets.back();
            if (last.copied && last.original_end == original_begin) {
                last.end += n;
                last.original_end = original_end;
                return;
            }
        }
        to_.offsets.push_back({begin, begin + n, original_begin, original_end, copied});
    }

    const aligned_text& from_;
    aligned_text to_;
    std::size_t at_ = 0;  // the piece that was copied from last
};

// The calls of a stage that has `edit(text, change)`, which calls `change(begin, end, with)` in order for each part of a valid text
// that becomes another.
template <class Stage>
class edit_stage : public text_stage<Stage> {
   public:
    using text_stage<Stage>::operator();
    /// The same, with the way back to the original.
    [[nodiscard]] aligned_text operator()(const aligned_text& text) const {
        if constexpr (text_stage<Stage>::checks) require_utf8(text.text, 1, Stage::kind);
        alignment_writer out(text);
        std::size_t copied = 0;
        stage().edit(std::string_view(text.text), [&](std::size_t begin, std::size_t end, std::string_view with) {
            out.copy(copied, begin);
            out.replace(begin, end, with);
            copied = end;
        });
        out.copy(copied, text.text.size());
        return std::move(out).finish();
    }

   private:
    friend class text_stage<Stage>;

    template <class Sink>
    void write(std::string_view text, Sink& out, workspace&) const {
        std::size_t copied = 0;
        stage().edit(text, [&](std::size_t begin, std::size_t end, std::string_view with) {
            out.append(text.data() + copied, begin - copied);
            out.append(with.data(), with.size());
            copied = end;
        });
        out.append(text.data() + copied, text.size() - copied);
    }
    [[nodiscard]] const Stage& stage() const noexcept { return static_cast<const Stage&>(*this); }
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
