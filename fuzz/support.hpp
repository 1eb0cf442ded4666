#ifndef CARAMEL_FUZZ_SUPPORT_HPP
#define CARAMEL_FUZZ_SUPPORT_HPP

// What the fuzz targets share. The first byte of an input says which trial it is for, the others are what is tried.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include <caramel/core/error.hpp>
#include <caramel/core/utf8.hpp>

/// Ends the run unless the condition holds: libFuzzer keeps the input.
#define EXPECT(...)                                                                      \
    do {                                                                                 \
        if (!(__VA_ARGS__)) {                                                            \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #__VA_ARGS__); \
            std::abort();                                                                \
        }                                                                                \
    } while (false)

namespace fuzz {

using trial = void (*)(std::string_view);

/// '0' is for the first trial, '1' for the second, ...: seeds can be written by hand.
inline int run(const std::uint8_t* data, std::size_t size, std::initializer_list<trial> trials) {
    if (size == 0) return 0;
    trials.begin()[data[0] % 16 % trials.size()](std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
    return 0;
}

/// Whether `f` accepts its input. It may refuse it by `caramel::error` with a message that can be shown (which CARAMEL_FUZZ_SAY in the
/// environment has shown); anything else ends the run.
template <class F>
bool accepts(const F& f) {
    try {
        f();
        return true;
    } catch (const caramel::error& e) {
        EXPECT(caramel::name_of(e.code()) != "unknown");
        EXPECT(!std::string_view(e.what()).empty() && caramel::find_bad_utf8(e.what()) == std::string_view::npos);
        if (static const bool say = std::getenv("CARAMEL_FUZZ_SAY") != nullptr; say) std::fprintf(stderr, "refused: %s\n", e.what());
        return false;
    }
}

/// The part of the input before the first zero byte, which is taken off with it: for what is read from several texts.
inline std::string_view take_part(std::string_view& text) {
    const std::string_view part = text.substr(0, text.find('\0'));
    text.remove_prefix(part.size() < text.size() ? part.size() + 1 : part.size());
    return part;
}

/// A byte of the input for a choice, 0 at its end.
inline unsigned take_byte(std::string_view& text) {
    if (text.empty()) return 0;
    const auto byte = static_cast<unsigned char>(text[0]);
    text.remove_prefix(1);
    return byte;
}

/// Whether a character of a valid text begins at this byte, or the text ends there.
inline bool at_border(std::string_view text, std::size_t at) {
    return at == text.size() || (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80);
}

}  // namespace fuzz

#endif
