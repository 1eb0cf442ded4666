#ifndef CARAMEL_TEXT_ENCODING_ARRAYS_HPP
#define CARAMEL_TEXT_ENCODING_ARRAYS_HPP

// Encoded texts as rectangles: what networks that read (batch, time) take.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <caramel/core/error.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/text/encoding.hpp>

namespace caramel::inline CARAMEL_ABI {

/// (batch, time): ids, 1 for tokens and 0 for padding, types, and 1 for special tokens and padding.
struct encoding_arrays {
    tensor<token_id, 2> ids;
    tensor<std::uint8_t, 2> attention, type_ids, special;
};

namespace detail {

template <class Ids>
[[nodiscard]] std::size_t padded_length(const Ids& rows, const padding& how, std::string_view who) {
    std::uint64_t longest = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        longest = std::max<std::uint64_t>(longest, rows[i].size());
        require_at(how.length == 0 || rows[i].size() <= how.length, errc::shape_mismatch, {.row = i + 1}, who, ": row ", i + 1, " has ", rows[i].size(),
                   " tokens, to be padded to ", how.length, " (encode with max_length)");
    }
    require(how.multiple_of >= 1, errc::bad_parameter, who, ": multiple_of = 0, must be at least 1");
    const std::uint64_t length = how.length != 0 ? how.length : longest, over = length % how.multiple_of;
    require(length <= PTRDIFF_MAX && how.multiple_of <= PTRDIFF_MAX, errc::limit_exceeded, who, ": rows of ", length, " tokens, a multiple of ", how.multiple_of);
    return static_cast<std::size_t>(over == 0 ? length : length + (how.multiple_of - over));
}
// Copies the rows of `flat` to where they stand in the rectangle.
template <class T, class Ids, class Flat>
void fill_rows(tensor<T, 2>& out, const Ids& rows, const Flat& flat, text_side side) {
    const std::size_t length = out.shape(1);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::size_t n = rows[i].size();
        std::copy_n(flat.begin() + rows.starts()[i], n, out.data() + i * length + (side == text_side::left ? length - n : 0));
    }
}
template <class Ids>
[[nodiscard]] tensor<std::uint8_t, 2> attention_of(const Ids& rows, std::size_t length, text_side side) {
    auto out = make_tensor<std::uint8_t, 2>({rows.size(), length});
    for (std::size_t i = 0; i < rows.size(); ++i)
        std::fill_n(out.data() + i * length + (side == text_side::left ? length - rows[i].size() : 0), rows[i].size(), std::uint8_t{1});
    return out;
}

}  // namespace detail

/// Pads a batch to (batch, time). Throws `error`: `shape_mismatch` on a row longer than `how.length`; `bad_parameter`;
/// `limit_exceeded`.
template <std::same_as<encoding_batch> Batch>
[[nodiscard]] encoding_arrays to_arrays(const Batch& batch, const padding& how = {}) {
    const std::size_t length = detail::padded_length(batch.ids, how, "to_arrays");
    const std::array<std::size_t, 2> shape{batch.size(), length};
    encoding_arrays out{make_tensor<token_id>(shape, how.id.value_or(batch.ids.padding)), detail::attention_of(batch.ids, length, how.side),
                        make_tensor<std::uint8_t>(shape, how.type_id), make_tensor<std::uint8_t>(shape, 1)};
    detail::fill_rows(out.ids, batch.ids, batch.ids.values(), how.side);
    detail::fill_rows(out.type_ids, batch.ids, batch.type_ids, how.side);
    detail::fill_rows(out.special, batch.ids, batch.special, how.side);
    return out;
}

/// Ids alone, and 1 where there is a token.
struct id_arrays {
    tensor<token_id, 2> ids;
    tensor<std::uint8_t, 2> attention;
};
/// The same for token ids alone: (batch, time) of ids and of attention.
template <std::same_as<token_ids> Ids>
[[nodiscard]] id_arrays to_arrays(const Ids& rows, const padding& how = {}) {
    const std::size_t length = detail::padded_length(rows, how, "to_arrays");
    id_arrays out{make_tensor<token_id, 2>({rows.size(), length}, how.id.value_or(rows.padding)), detail::attention_of(rows, length, how.side)};
    detail::fill_rows(out.ids, rows, rows.values(), how.side);
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
