#ifndef CARAMEL_FUZZ_MODEL_BYTES_HPP
#define CARAMEL_FUZZ_MODEL_BYTES_HPP

// Altered files of models: their checksum is made right, else nothing behind it would ever be tried.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <caramel/io/model_file.hpp>

#include "support.hpp"

namespace fuzz {

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// Whether the file is worth loading: safetensors, with the right checksum where it has one.
inline bool make_checksum_right(std::string& file) {
    if (!accepts([&] { (void)caramel::parse_safetensors(bytes_of(file)); })) return false;
    const std::size_t digits = caramel::detail::no_checksum.size();
    if (const auto place = caramel::detail::checksum_place(bytes_of(file)); place && *place + digits <= file.size())
        file.replace(*place, digits, caramel::detail::checksum_of(bytes_of(file), *place));
    return true;
}

/// A model that was loaded does what `use` does, and is saved and loaded again with the same bytes.
template <class Model, class Use>
void load_and_use(const std::string& file, const Use& use) {
    (void)accepts([&] {
        const Model model = caramel::load<Model>(bytes_of(file));
        (void)accepts([&] { use(model); });
        const auto saved = caramel::to_bytes(model);
        EXPECT(caramel::to_bytes(caramel::load<Model>(std::span<const std::byte>(saved))) == saved);
    });
}

}  // namespace fuzz

#endif
