#ifndef CARAMEL_LINEAR_SCORE_PARTS_HPP
#define CARAMEL_LINEAR_SCORE_PARTS_HPP

// Why a linear model gives a row its score: each column's share of it.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What one column adds to a score: its coefficient times its value.
struct score_part {
    std::size_t column = 0;  ///< from 0, as in the data
    double value = 0;

    friend bool operator==(const score_part&, const score_part&) = default;
};

/// A score of a linear model and what it is made of, against a row of zeros: behind `standardize` a row of zeros is the
/// average of the training data, and the parts are then the row's Shapley values.
struct score_parts {
    double intercept = 0;
    std::vector<score_part> parts;  ///< by column; some models leave out columns that add nothing

    template <class = void>
    [[nodiscard]] double score() const noexcept {
        double sum = intercept;
        for (const auto& part : parts) sum += part.value;
        return sum;
    }
    /// The `n` largest by size, largest first, ties to the lower column; those that are 0 are left out.
    template <class = void>
    [[nodiscard]] std::vector<score_part> top(std::size_t n) const {
        std::vector<score_part> out;
        for (const auto& part : parts)
            if (part.value != 0) out.push_back(part);
        std::stable_sort(out.begin(), out.end(), [](const score_part& a, const score_part& b) { return std::abs(a.value) > std::abs(b.value); });
        out.resize(std::min(n, out.size()));
        return out;
    }
    /// The same, with the names of the columns. Throws `error` (`shape_mismatch`) where a column has no name.
    template <class = void>
    [[nodiscard]] std::vector<std::pair<std::string, double>> top(std::size_t n, std::span<const std::string> names) const {
        std::vector<std::pair<std::string, double>> out;
        for (const auto& part : top(n)) {
            require(part.column < names.size(), errc::shape_mismatch, "score_parts: column ", part.column + 1, " but ", names.size(), " names");
            out.emplace_back(names[part.column], part.value);
        }
        return out;
    }
};

namespace detail {

// Of a dense row; coefficients (outputs, columns). In double, where the model itself multiplies in T.
template <class T>
[[nodiscard]] score_parts parts_of(std::span<const T> row, const matrix<T>& coefficients, const vec<T>& intercepts, std::size_t output) {
    const auto k = static_cast<row_index>(output);
    score_parts out{static_cast<double>(intercepts(k)), {}};
    out.parts.reserve(row.size());
    for (std::size_t j = 0; j < row.size(); ++j)
        out.parts.push_back({j, static_cast<double>(coefficients(k, static_cast<row_index>(j))) * static_cast<double>(row[j])});
    return out;
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
