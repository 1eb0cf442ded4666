#ifndef CARAMEL_CORE_PADDED_HPP
#define CARAMEL_CORE_PADDED_HPP

// Sequences of vectors: what an embedding makes of texts.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/tensor.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One sequence: (length, dim), row-major, not owned.
template <class T>
class padded_row : public std::span<const T> {
   public:
    constexpr padded_row() noexcept = default;
    /// `values` holds `length * dim` numbers.
    constexpr padded_row(std::span<const T> values, std::size_t length, std::size_t dim) noexcept
        : std::span<const T>(values), length_(length), dim_(dim) {}
    [[nodiscard]] constexpr std::size_t length() const noexcept { return length_; }
    [[nodiscard]] constexpr std::size_t dim() const noexcept { return dim_; }
    /// The vector at place `t`, below `length()` (not checked).
    [[nodiscard]] constexpr std::span<const T> step(std::size_t t) const noexcept { return this->subspan(t * dim_, dim_); }

   private:
    std::size_t length_ = 0, dim_ = 0;
};

/// Sequences of different lengths in one rectangle: row i of (batch, time, dim) is in use up to `lengths[i]`; what is
/// beyond is zero and takes part in nothing.
template <class T>
struct padded {
    tensor<T, 3> values = make_tensor<T, 3>({0, 0, 0});
    std::vector<std::int32_t> lengths;  ///< one a row, at most `time()`

    [[nodiscard]] std::size_t size() const noexcept { return values.shape()[0]; }
    [[nodiscard]] std::size_t time() const noexcept { return values.shape()[1]; }
    [[nodiscard]] std::size_t dim() const noexcept { return values.shape()[2]; }
    /// The part of row `i` that is in use. Not checked.
    [[nodiscard]] padded_row<T> operator[](std::size_t i) const noexcept {
        const auto length = static_cast<std::size_t>(lengths[i]);
        return {std::span<const T>(values.data() + i * time() * dim(), length * dim()), length, dim()};
    }

    friend bool operator==(const padded& a, const padded& b) noexcept {
        return a.lengths == b.lengths && a.values.shape() == b.values.shape() && std::equal(a.values.data(), a.values.data() + a.values.size(), b.values.data());
    }
};

/// Throws `error` (`shape_mismatch`) unless there is one length a row, from 0 to the time of the rectangle.
template <class T>
void require_lengths(const padded<T>& x, std::string_view who) {
    require(x.lengths.size() == x.size(), errc::shape_mismatch, who, ": ", x.size(), " rows but ", x.lengths.size(), " lengths");
    for (std::size_t i = 0; i < x.size(); ++i)
        require_at(x.lengths[i] >= 0 && static_cast<std::size_t>(x.lengths[i]) <= x.time(), errc::shape_mismatch, {.row = i + 1}, who, ": row ", i + 1,
                   " has length ", x.lengths[i], ", the time is ", x.time());
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
