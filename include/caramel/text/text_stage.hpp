#ifndef CARAMEL_TEXT_TEXT_STAGE_HPP
#define CARAMEL_TEXT_TEXT_STAGE_HPP

// What stages from texts to texts have in common: how they are called, and where one text's answer is written.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/utf8.hpp>
#include <caramel/core/workspace.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// A text that grows in a workspace. Every block is at least twice as large as the one before, so what is copied and left
// behind stays below twice the text.
class scratch_text {
   public:
    template <class = void>
    scratch_text(workspace& scratch, std::size_t expected) : scratch_(scratch), room_(scratch.take<char>(std::max<std::size_t>(expected, 64))) {}

    template <class = void>
    void append(const char* bytes, std::size_t n) {
        if (room_.size() - size_ < n) {
            const auto wider = scratch_.take<char>(std::max(2 * room_.size(), size_ + n));
            if (size_ > 0) std::memcpy(wider.data(), room_.data(), size_);
            room_ = wider;
        }
        if (n > 0) std::memcpy(room_.data() + size_, bytes, n);
        size_ += n;
    }
    template <class = void>
    void push_back(char byte) { append(&byte, 1); }
    [[nodiscard]] std::string_view text() const noexcept { return {room_.data(), size_}; }

   private:
    workspace& scratch_;
    std::span<char> room_;
    std::size_t size_ = 0;
};

// The calls of a stage that has `write(text, out, scratch)`, which appends what it makes of a valid text.
template <class Stage>
class text_stage {
   public:
    /// One text each. Throws `error` (`bad_utf8`) with the text's number (from 1) in `where().row` and the byte (from 1).
    [[nodiscard]] std::vector<std::string> operator()(const std::vector<std::string>& texts) const {
        std::vector<std::string> out(texts.size());
        workspace scratch;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const workspace::frame frame(scratch);
            answer(texts[i], i + 1, out[i], scratch);
        }
        return out;
    }
    /// One text: the same bytes as in a batch, in the workspace.
    [[nodiscard]] std::string_view operator()(std::string_view text, workspace& scratch) const {
        const workspace::frame frame(scratch);
        scratch_text out(scratch, text.size());
        answer(text, 1, out, scratch);
        return out.text();
    }
    /// The same without a workspace.
    template <std::convertible_to<std::string_view> Text>
    [[nodiscard]] std::string operator()(const Text& text) const {
        std::string out;
        workspace scratch;
        answer(text, 1, out, scratch);
        return out;
    }

   protected:
    // All but the stage that repairs refuse invalid UTF-8.
    static constexpr bool checks = !requires { Stage::takes_invalid_text; };

   private:
    template <class Sink>
    void answer(std::string_view text, std::size_t row, Sink& out, workspace& scratch) const {
        if constexpr (checks) require_utf8(text, row, Stage::kind);
        if constexpr (requires { out.reserve(std::size_t{}); }) out.reserve(text.size());
        static_cast<const Stage&>(*this).write(text, out, scratch);
    }
};

// From where on, at or behind `at`, a text is no longer ASCII.
template <std::same_as<std::string_view> Text>
[[nodiscard]] std::size_t skip_ascii(Text text, std::size_t at) noexcept {
    for (std::uint64_t word; text.size() - at >= sizeof word; at += sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        if ((word & 0x8080808080808080U) != 0) break;
    }
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
    return at;
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
