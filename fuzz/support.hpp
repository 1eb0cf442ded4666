#ifndef CARAMEL_FUZZ_SUPPORT_HPP
#define CARAMEL_FUZZ_SUPPORT_HPP

// What the fuzz targets share. The first byte of an input says which trial it is for, the others are what is tried.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <caramel/core/error.hpp>
#include <caramel/core/utf8.hpp>

// Of libFuzzer: its own changes of an input. Returns the new size, at most `room`.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t room);

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

#ifdef CARAMEL_FUZZ_TRIAL
inline constexpr int only_trial = CARAMEL_FUZZ_TRIAL;  ///< the program has one trial alone, whatever an input's first byte says
#else
inline constexpr int only_trial = -1;
#endif

template <int N, trial First, trial... Others>
constexpr trial nth() noexcept {
    if constexpr (N == 0) return First;
    else return nth<N - 1, Others...>();
}

/// '0' is for the first trial, '1' for the second, ...: seeds can be written by hand.
template <trial... Trials>
int run(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    if constexpr (only_trial >= 0) {
        nth<only_trial, Trials...>()(text);
    } else {
        static constexpr trial all[]{Trials...};
        all[data[0] % 16 % sizeof...(Trials)](text);
    }
    return 0;
}

/// Changes an input by `change(bytes, size, room)`, which returns the new size; where there is one trial, the byte that chooses it stays
/// right, so that a finding can be tried with all trials, too.
template <class Change>
std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t room, const Change& change) {
    if constexpr (only_trial < 0) return change(data, size, room);
    if (room < 2) return 0;
    data[0] = static_cast<std::uint8_t>(only_trial < 10 ? '0' + only_trial : 'J' + only_trial - 10);
    return 1 + change(data + 1, size > 0 ? size - 1 : 0, room - 1);
}

/// Whether to do with this input what takes milliseconds: always where inputs are tried once, with one in
/// 4,096 where millions are.
inline bool worth_a_long_look(std::string_view text) noexcept {
    if constexpr (only_trial < 0) return true;
    std::uint32_t sum = 2166136261U;
    for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619U;
    return sum >> 20 == 0;
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
