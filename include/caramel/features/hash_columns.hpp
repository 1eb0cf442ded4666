#ifndef CARAMEL_FEATURES_HASH_COLUMNS_HPP
#define CARAMEL_FEATURES_HASH_COLUMNS_HPP

// Tables of any number of levels to a fixed number of columns, without a list of the levels.

#include <algorithm>
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
#include <caramel/core/matrix.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/table.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// FNV-1a of 64 bits (offset 0xcbf29ce484222325, prime 0x100000001b3) that goes on from `hash`, byte by byte.
constexpr std::uint64_t fnv_1a(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325U) noexcept {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return hash;
}
// Stafford's variant 13 of the finalizer of MurmurHash3, which spreads FNV's weak high bits.
constexpr std::uint64_t spread_bits(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

}  // namespace detail

/// Feature hashing (Weinberger, Dasgupta, Langford, Smola & Attenberg, ICML 2009): a category adds +1 or -1 to one of the
/// columns, a number or timestamp (days since 1970-01-01) adds itself or its negative; what is missing of a category adds nothing.
///
/// Part of the format of saved files, so that other programs can do the same: h = FNV-1a, 64 bits, of the bytes of the
/// column's name, then for a category of "=" and the bytes of the text; h ^= h >> 30, h *= 0xbf58476d1ce4e5b9, h ^= h >> 27,
/// h *= 0x94d049bb133111eb, h ^= h >> 31; the column is (h >> 1) mod the number of columns, the sign is minus where h is odd.
template <class T>
class hash_columns_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "hash_columns";  // in saved files: never changes
    static constexpr std::int64_t max_features = std::int64_t{1} << 24;

    /// One name and type a column. Throws `error`: `bad_data`, `duplicate_column`.
    hash_columns_model(std::vector<std::string> names, std::vector<column_type> types, std::int64_t features)
        : names_(std::move(names)), types_(std::move(types)), features_(features) {
        require(names_.size() == types_.size(), errc::bad_data, "hash_columns: ", names_.size(), " names but ", types_.size(), " types");
        detail::require_distinct(names_, "hash_columns");
        for (const column_type type : types_)
            require(detail::is_numeric(type) || type == column_type::category || type == column_type::timestamp, errc::bad_data,
                    "hash_columns: no such column type");
        require(features_ >= 1 && features_ <= max_features, errc::bad_data, "hash_columns: ", features_, " features, must lie in 1 .. ", max_features);
        for (const auto& name : names_) hashes_.push_back(detail::fnv_1a(name));
    }

    /// (rows, columns) -> (rows, features).
    /// Throws `error`: `missing_column`, `wrong_column_type`; `missing_value` with the row of a number that is missing.
    [[nodiscard]] matrix<T> operator()(const table& from) const {
        matrix<T> out = matrix<T>::Zero(static_cast<row_index>(from.rows()), static_cast<row_index>(features_));
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const table_column& column = detail::find_column(from, names_[c], "hash_columns");
            detail::require_type(types_[c], column.type(), names_[c], "hash_columns");
            if (types_[c] == column_type::category) {
                const category_view texts = column.categories();
                std::vector<place_of> to;
                for (const auto& level : texts.levels) to.push_back(place_for(level_hash(c, level)));
                for (std::size_t i = 0; i < texts.size(); ++i)
                    if (texts.codes[i] >= 0) {
                        const place_of& at = to[static_cast<std::size_t>(texts.codes[i])];
                        out(static_cast<row_index>(i), at.feature) += at.sign;
                    }
            } else {
                matrix<T> numbers(static_cast<row_index>(from.rows()), 1);
                detail::encode_numbers(column, names_[c], c, 0, numbers, "hash_columns");
                const place_of at = place_for(hashes_[c]);
                out.col(at.feature) += at.sign * numbers.col(0);
            }
        }
        return out;
    }
    [[nodiscard]] std::span<const T> operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto out = scratch.take<T>(static_cast<std::size_t>(features_));
        std::fill(out.begin(), out.end(), T(0));
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const cell& found = detail::find_cell(row, names_[c], c, "hash_columns");
            detail::require_type(types_[c], found.type, names_[c], "hash_columns");
            if (types_[c] != column_type::category) {
                const place_of at = place_for(hashes_[c]);
                out[static_cast<std::size_t>(at.feature)] += at.sign * detail::encoded_number<T>(found, names_[c], c, 1, "hash_columns");
            } else if (!found.missing) {
                const place_of at = place_for(level_hash(c, found.text()));
                out[static_cast<std::size_t>(at.feature)] += at.sign;
            }
        }
        return out;
    }

    /// "hash_1", "hash_2", ...
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const {
        std::vector<std::string> out;
        for (std::int64_t k = 1; k <= features_; ++k) out.push_back(detail::message("hash_", k));
        return out;
    }

    static constexpr std::array field_names{"names", "types", "features"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_, types_, features_); }

   private:
    struct place_of {
        row_index feature;
        T sign;
    };
    [[nodiscard]] std::uint64_t level_hash(std::size_t c, std::string_view text) const { return detail::fnv_1a(text, detail::fnv_1a("=", hashes_[c])); }
    [[nodiscard]] place_of place_for(std::uint64_t hash) const {
        const std::uint64_t h = detail::spread_bits(hash);
        return {static_cast<row_index>((h >> 1) % static_cast<std::uint64_t>(features_)), (h & 1) == 0 ? T(1) : T(-1)};
    }

    std::vector<std::string> names_;
    std::vector<column_type> types_;
    std::int64_t features_;
    std::vector<std::uint64_t> hashes_;  // of the names
};

/// Recipe for `hash_columns_model`: learns the names and types of the columns, and nothing of their levels.
template <class T>
struct hash_columns {
    using stage_concept = recipe_tag;
    std::size_t features = 256;  ///< 1 .. 2^24

    /// Throws `error`: `empty_input`, `bad_parameter`.
    [[nodiscard]] hash_columns_model<T> fit(const table& x, const fit_options&) const {
        require(x.rows() > 0, errc::empty_input, "hash_columns: no rows to learn from");
        require(features >= 1 && std::cmp_less_equal(features, hash_columns_model<T>::max_features), errc::bad_parameter, "hash_columns: features = ", features,
                ", must lie in 1 .. ", hash_columns_model<T>::max_features);
        std::vector<column_type> types;
        for (std::size_t c = 0; c < x.columns(); ++c) {
            const column_type type = x.column(c).type();
            types.push_back(detail::is_numeric(type) ? column_type::number : type);
        }
        return {x.names(), std::move(types), static_cast<std::int64_t>(features)};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
