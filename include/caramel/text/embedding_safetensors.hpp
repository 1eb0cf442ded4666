#ifndef CARAMEL_TEXT_EMBEDDING_SAFETENSORS_HPP
#define CARAMEL_TEXT_EMBEDDING_SAFETENSORS_HPP

// An embedding table from a safetensors file, such as the word embeddings of a pretrained network.

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/io/safetensors.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

[[nodiscard]] inline float float_of_half(std::uint16_t half) noexcept {
    const std::uint32_t sign = std::uint32_t{half & 0x8000U} << 16, exponent = half >> 10 & 0x1FU, fraction = half & 0x3FFU;
    if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000U | fraction << 13);
    if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
    const float small = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -small : small;
}

}  // namespace detail

/// The table that a file holds under `name`: (rows, dim) of F32, F64, F16 or BF16.
/// Throws `error`: `missing_key`; `bad_dtype`; `shape_mismatch` unless the tensor has two dimensions; `nan_or_inf` with row and
/// column, also where a number of F64 is beyond float.
template <class T>
[[nodiscard]] embedding_table<T> embedding_of(const safetensors_file& file, std::string_view name) {
    constexpr std::string_view who = "embedding_of";
    const auto found = file.find(name);
    require(found.has_value(), errc::missing_key, who, ": the file has no tensor ", name);
    const tensor_view from = file[*found];
    require(from.shape.size() == 2, errc::shape_mismatch, who, ": the tensor ", name, " has ", from.shape.size(), " dimensions, must be 2");
    auto out = make_tensor<T, 2>({from.shape[0], from.shape[1]});
    const auto convert = [&]<class From>(From, auto&& value) {
        for (std::size_t i = 0; i < out.size(); ++i) {
            From x;
            std::memcpy(&x, from.bytes.data() + i * sizeof x, sizeof x);
            out.data()[i] = static_cast<T>(value(x));
        }
    };
    if (from.type == dtype::f32) convert(float{}, [](float x) { return x; });
    else if (from.type == dtype::f64) convert(double{}, [](double x) { return x; });
    else if (from.type == dtype::f16) convert(std::uint16_t{}, [](std::uint16_t x) { return detail::float_of_half(x); });
    else if (from.type == dtype::bf16) convert(std::uint16_t{}, [](std::uint16_t x) { return std::bit_cast<float>(std::uint32_t{x} << 16); });
    else fail(errc::bad_dtype, place{}, who, ": the tensor ", name, " is of ", name_of(from.type), ", must be F32, F64, F16 or BF16");
    return embedding_table<T>(std::move(out));
}

/// The same from a file on the disk. Throws also what `read_safetensors` throws.
template <class T, std::convertible_to<file_path> Path>
[[nodiscard]] embedding_table<T> read_embedding_safetensors(const Path& path, std::string_view name, const safetensors_limits& limits = {}) {
    return embedding_of<T>(read_safetensors(path, limits), name);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
