#ifndef CARAMEL_FEATURES_ENCODE_SPARSE_HPP
#define CARAMEL_FEATURES_ENCODE_SPARSE_HPP

// What `encode` makes of a table, without its zeros: for categories of very many levels and the linear models that take
// sparse rows.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/table.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One-hot encoding into sparse rows: the numbers of `encode_model`, of which only those that are not zero are kept.
template <class T>
class encode_sparse_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "encode_sparse";  // in saved files: never changes

    /// As `encode_model`. Throws `error` (`bad_data`).
    encode_sparse_model(std::vector<std::string> names, std::vector<column_type> types, std::vector<std::string> levels, std::vector<std::int64_t> starts,
                        std::vector<std::int32_t> slots = {}, std::vector<bool> rare = {}, unknown_level unknown = unknown_level::zeros)
        : encode_(std::move(names), std::move(types), std::move(levels), std::move(starts), std::move(slots), std::move(rare), unknown) {}
    explicit encode_sparse_model(encode_model<T> same) : encode_(std::move(same)) {}

    /// (rows, columns) -> (rows, numbers and levels). Throws `error` as `encode_model` does; `limit_exceeded` on 2^31 values.
    [[nodiscard]] sparse_matrix<T> operator()(const table& from) const {
        const std::size_t columns = encode_.names_.size();
        // One value a row and column: the number, or the place of the level among the numbers of its column.
        std::vector<matrix<T>> numbers(columns);
        std::vector<std::vector<std::int32_t>> places(columns);
        for (std::size_t c = 0; c < columns; ++c) {
            const table_column& column = encode_.column_of(from, c);
            if (encode_.types_[c] == column_type::category) {
                places[c] = encode_.places_of(column.categories(), c);
            } else {
                numbers[c].resize(static_cast<row_index>(from.rows()), 1);
                detail::encode_numbers(column, encode_.names_[c], c, 0, numbers[c], "encode");
            }
        }
        sparse_matrix<T> out(static_cast<std::size_t>(encode_.width_));
        out.reserve(from.rows(), from.rows() * columns);
        std::vector<std::int32_t> at(columns);
        std::vector<T> values(columns);
        for (std::size_t i = 0; i < from.rows(); ++i) {
            std::size_t n = 0;
            for (std::size_t c = 0; c < columns; ++c)
                if (places[c].empty()) add(numbers[c](static_cast<row_index>(i), 0), 0, c, at, values, n);
                else if (places[c][i] >= 0) add(T(1), places[c][i], c, at, values, n);
            out.append_row(std::span(at).first(n), std::span<const T>(values).first(n));
        }
        return out;
    }
    /// One row, in the workspace: the same values as in a batch.
    [[nodiscard]] sparse_row<T> operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const std::size_t columns = encode_.names_.size();
        const auto at = scratch.take<std::int32_t>(columns);
        const auto values = scratch.take<T>(columns);
        std::size_t n = 0;
        for (std::size_t c = 0; c < columns; ++c) {
            const cell& found = encode_.cell_of(row, c);
            if (encode_.types_[c] != column_type::category) add(detail::encoded_number<T>(found, encode_.names_[c], c, 1, "encode"), 0, c, at, values, n);
            else if (const std::int32_t place = encode_.place_of(found, c); place >= 0) add(T(1), place, c, at, values, n);
        }
        return {at.first(n), values.first(n), static_cast<std::size_t>(encode_.width_)};
    }

    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& inputs) const { return encode_.output_names(inputs); }

    static constexpr auto field_names = encode_model<T>::field_names;
    [[nodiscard]] auto fields() const noexcept { return encode_.fields(); }

   private:
    void add(T value, std::int32_t place, std::size_t c, std::span<std::int32_t> at, std::span<T> values, std::size_t& n) const {
        if (value == T(0)) return;
        at[n] = static_cast<std::int32_t>(encode_.firsts_[c]) + place;
        values[n++] = value;
    }

    encode_model<T> encode_;
};

/// Recipe for `encode_sparse_model`; the fields are those of `encode`.
template <class T>
struct encode_sparse {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;
    std::size_t max_levels = 1'000'000;  ///< of one category; zeros cost nothing here, so there may be many
    double min_count = 0;                ///< levels with fewer rows than this (or less weight) are rare
    unknown_level unknown = unknown_level::zeros;
    bool drop_first = false;

    /// Throws `error` as `encode` does.
    [[nodiscard]] encode_sparse_model<T> fit(const table& x, const fit_options& options) const {
        return encode_sparse_model<T>(encode<T>{max_levels, min_count, unknown, drop_first}.fit(x, options));
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
