#ifndef CARAMEL_FUZZ_MODEL_BYTES_HPP
#define CARAMEL_FUZZ_MODEL_BYTES_HPP

// Altered files of models: what they say of their own lengths, and their checksum, is made right, else nothing behind these would ever
// be tried.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// Numbers for a mutator, from the seed that libFuzzer gives it.
class chooser {
   public:
    explicit chooser(unsigned seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}
    /// Below `n`, which is not 0.
    std::size_t operator()(std::size_t n) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::size_t>((state_ >> 33) % n);
    }

   private:
    std::uint64_t state_;
};

/// A safetensors file in its parts. One alteration makes another file of it that is well formed, so that what is altered is tried.
class altered_tensors {
   public:
    /// Throws `caramel::error` where the file is none.
    explicit altered_tensors(std::string_view file) {
        const auto read = caramel::parse_safetensors(bytes_of(file));
        metadata_ = read.metadata();
        for (std::size_t i = 0; i < read.size(); ++i) {
            const caramel::tensor_view t = read[i];
            part& p = parts_.emplace_back(part{std::string(t.name), t.type, {}, {t.bytes.begin(), t.bytes.end()}});
            for (std::size_t k = 0; k < t.shape.size(); ++k) p.shape.push_back(t.shape[k]);
        }
    }
    void alter(chooser& choose) {
        if (parts_.empty()) return;
        part& p = parts_[choose(parts_.size())];
        switch (choose(10)) {
            case 0: return resize(p, choose, other_size(p, choose));
            case 1: {  // all that had as many rows, so that they still belong together
                const std::uint64_t before = p.shape.empty() ? 0 : p.shape[0], after = other_size(p, choose);
                for (part& each : parts_)
                    if (!each.shape.empty() && each.shape[0] == before) resize(each, choose, after);
                return;
            }
            case 2: {  // the same bytes are other elements
                const auto type = static_cast<caramel::dtype>(choose(caramel::detail::dtypes.size()));
                if (caramel::size_of(type) == caramel::size_of(p.type)) p.type = type;
                return;
            }
            case 3:
                if (choose(4) == 0) parts_.erase(parts_.begin() + (&p - parts_.data()));
                return;
            case 4: return change_metadata(choose);
            case 5: {
                part& other = parts_[choose(parts_.size())];
                if (other.type != p.type) return;
                std::swap(other.shape, p.shape);
                std::swap(other.bytes, p.bytes);
                return;
            }
            case 6:
                if (!p.bytes.empty()) (void)LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(p.bytes.data()), p.bytes.size(), p.bytes.size());
                return;
            default: return set_element(p, choose);
        }
    }
    /// The file again. Throws `caramel::error` where two tensors have one name, or names are no texts.
    [[nodiscard]] std::string file() && {
        caramel::safetensors_writer out;
        for (auto& [key, value] : metadata_) out.add_metadata(key, std::move(value));
        for (part& p : parts_) out.add(std::move(p.name), p.type, p.shape, std::move(p.bytes));
        const auto bytes = out.finish();
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

   private:
    struct part {
        std::string name;
        caramel::dtype type;
        std::vector<std::uint64_t> shape;
        std::vector<std::byte> bytes;
    };
    [[nodiscard]] static std::uint64_t other_size(const part& p, chooser& choose) {
        const std::uint64_t before = p.shape.empty() ? 0 : p.shape[0];
        const std::uint64_t sizes[]{0, 1, before + 1, before == 0 ? 1 : before - 1, 2 * before, before / 2};
        return std::min<std::uint64_t>(sizes[choose(std::size(sizes))], 100);
    }
    // The first dimension, or another one; new elements are copies of the last ones.
    static void resize(part& p, chooser& choose, std::uint64_t n) {
        if (p.shape.empty()) return;
        p.shape[choose(4) == 0 ? choose(p.shape.size()) : 0] = n;
        std::size_t bytes = caramel::size_of(p.type);
        for (const std::uint64_t each : p.shape) bytes *= static_cast<std::size_t>(std::min<std::uint64_t>(each, 100));
        for (std::uint64_t& each : p.shape) each = std::min<std::uint64_t>(each, 100);
        const std::size_t width = caramel::size_of(p.type), before = p.bytes.size();
        p.bytes.resize(bytes);
        for (std::size_t i = before; i < bytes && before >= width; ++i) p.bytes[i] = p.bytes[i - width];
    }
    void set_element(part& p, chooser& choose) {
        const std::size_t width = caramel::size_of(p.type);
        if (p.bytes.empty()) return;
        std::uint64_t bits = 0;
        if (p.type == caramel::dtype::f32) {
            using L = std::numeric_limits<float>;
            const float values[]{L::quiet_NaN(), L::infinity(), -L::infinity(), L::max(), L::denorm_min(), -0.0F, 0, 1, -1, 1e-30F};
            bits = std::bit_cast<std::uint32_t>(values[choose(std::size(values))]);
        } else if (p.type == caramel::dtype::f64) {
            using L = std::numeric_limits<double>;
            const double values[]{L::quiet_NaN(), L::infinity(), -L::infinity(), L::max(), L::denorm_min(), -0.0, 0, 1, -1, 1e-300};
            bits = std::bit_cast<std::uint64_t>(values[choose(std::size(values))]);
        } else {
            const std::uint64_t values[]{0, 1, 2, ~std::uint64_t{0}, std::uint64_t{1} << (8 * width - 1), (std::uint64_t{1} << (8 * width - 1)) - 1,
                                         parts_[choose(parts_.size())].bytes.size() / width, choose(300)};
            bits = values[choose(std::size(values))] + choose(3) - 1;
        }
        std::memcpy(p.bytes.data() + choose(p.bytes.size() / width) * width, &bits, width);
    }
    void change_metadata(chooser& choose) {
        if (metadata_.empty()) return;
        std::string& value = std::next(metadata_.begin(), static_cast<std::ptrdiff_t>(choose(metadata_.size())))->second;
        if (value.empty() || value.size() == caramel::detail::no_checksum.size()) return;
        value[choose(value.size())] = "0129|(),a_"[choose(10)];
    }

    std::map<std::string, std::string, std::less<>> metadata_;
    std::vector<part> parts_;
};

/// A mutator of inputs that are safetensors files; of one in eight, and of what is none, the bytes alone are changed.
inline std::size_t mutate_tensors(std::uint8_t* data, std::size_t size, std::size_t room, chooser& choose) {
    if (choose(8) != 0) {
        std::string out;
        const bool done = accepts([&] {
            altered_tensors parts(std::string_view(reinterpret_cast<const char*>(data), size));
            for (std::size_t n = 1 + choose(3); n > 0; --n) parts.alter(choose);
            out = std::move(parts).file();
        });
        if (done && out.size() <= room) {
            std::copy(out.begin(), out.end(), data);
            return out.size();
        }
    }
    return LLVMFuzzerMutate(data, size, room);
}

}  // namespace fuzz

#endif
