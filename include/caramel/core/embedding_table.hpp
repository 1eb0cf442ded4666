#ifndef CARAMEL_CORE_EMBEDDING_TABLE_HPP
#define CARAMEL_CORE_EMBEDDING_TABLE_HPP

#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/tensor.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Vectors by id, (vocabulary, dim), owned by an xtensor; rows are handed out as spans.
template <class T>
class embedding_table {
   public:
    embedding_table() : values_(make_tensor<T, 2>({0, 0})) {}
    /// Throws `error` (`nan_or_inf`) with the row and column of a value that is not finite.
    explicit embedding_table(tensor<T, 2> values) : values_(std::move(values)) {
        for (std::size_t i = 0; i < size(); ++i)
            for (std::size_t j = 0; j < dim(); ++j)
                require_at(std::isfinite((*this)[i][j]), errc::nan_or_inf, {.row = i + 1, .column = j + 1}, "embedding_table: the value in row ", i + 1,
                           ", column ", j + 1, " is not finite");
    }
    /// Normal values with mean 0 and deviation `1 / sqrt(dim)`.
    static embedding_table random(std::size_t rows, std::size_t dim, rng& numbers) {
        auto values = make_tensor<T, 2>({rows, dim});
        const double scale = dim == 0 ? 0 : 1 / std::sqrt(static_cast<double>(dim));
        for (auto& x : values.storage()) x = static_cast<T>(scale * numbers.normal());
        return embedding_table(std::move(values));
    }

    [[nodiscard]] std::size_t size() const noexcept { return values_.shape()[0]; }
    [[nodiscard]] std::size_t dim() const noexcept { return values_.shape()[1]; }
    /// Not checked: the caller knows that `row` is below `size()`.
    [[nodiscard]] std::span<const T> operator[](std::size_t row) const noexcept { return {values_.data() + row * dim(), dim()}; }
    [[nodiscard]] std::span<T> operator[](std::size_t row) noexcept { return {values_.data() + row * dim(), dim()}; }
    [[nodiscard]] std::span<const T> flat() const noexcept { return {values_.data(), values_.size()}; }
    [[nodiscard]] std::span<T> flat() noexcept { return {values_.data(), values_.size()}; }
    [[nodiscard]] const tensor<T, 2>& values() const noexcept { return values_; }

   private:
    tensor<T, 2> values_;
};

/// Throws `error` (`unknown_id`) with the row of a token id outside a table of `size` rows.
template <class = void>
inline void require_ids(std::span<const token_id> ids, std::size_t size, std::size_t row, std::string_view who) {
    for (const token_id id : ids)
        require_at(id >= 0 && static_cast<std::size_t>(id) < size, errc::unknown_id, {.row = row}, who, ": row ", row, " holds a token id outside the table of ", size);
}
/// Throws `error` unless the token weights, if there are any, are one a token (`shape_mismatch`), finite and at least 0
/// (`bad_data` with the row).
template <class = void>
inline void require_token_weights(const token_ids& x, std::string_view who) {
    if (x.weights.empty()) return;
    require(x.weights.size() == x.values().size(), errc::shape_mismatch, who, ": ", x.values().size(), " tokens but ", x.weights.size(), " token weights");
    for (std::size_t i = 0; i < x.size(); ++i)
        for (const float w : x.weights_of(i))
            require_at(std::isfinite(w) && w >= 0, errc::bad_data, {.row = i + 1}, who, ": a token weight of row ", i + 1, " is negative or not finite");
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
