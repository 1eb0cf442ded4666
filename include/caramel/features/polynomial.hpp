#ifndef CARAMEL_FEATURES_POLYNOMIAL_HPP
#define CARAMEL_FEATURES_POLYNOMIAL_HPP

// Products of columns, so that a linear model sees how they act together.

#include <algorithm>
#include <array>
#include <cmath>
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
#include <caramel/features/columnwise.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The columns as they are, then all products of two of them, then of three: a, b, a^2, a*b, b^2, ... Learns only how many
/// columns there are.
template <class T>
class polynomial_model : public single_row<polynomial_model<T>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "polynomial";  // in saved files: never changes
    static constexpr std::size_t max_width = 1'000'000;

    /// `degree` 1, 2 or 3. Throws `error`: `bad_data`; `limit_exceeded` when more than `max_width` numbers a row would come out.
    polynomial_model(std::int64_t columns, std::int32_t degree, bool interactions_only) : columns_(columns), degree_(degree), interactions_only_(interactions_only) {
        require(columns_ >= 0 && degree_ >= 1 && degree_ <= 3, errc::bad_data, "polynomial: degree ", degree_, ", must lie in 1 .. 3");
        const double n = static_cast<double>(columns_), pairs = interactions_only_ ? n * (n - 1) / 2 : n * (n + 1) / 2;
        const double triples = interactions_only_ ? n * (n - 1) * (n - 2) / 6 : n * (n + 1) * (n + 2) / 6;
        const double width = n + (degree_ >= 2 ? pairs : 0) + (degree_ >= 3 ? triples : 0);
        require(width <= static_cast<double>(max_width), errc::limit_exceeded, "polynomial: ", columns_, " columns would become ", width, ", at most ", max_width);
        width_ = static_cast<std::size_t>(width);
    }

    /// (rows, columns) -> (rows, columns and products).
    /// Throws `error`: `shape_mismatch` unless `x` has as many columns as the training data; `nan_or_inf`; `number_out_of_range`
    /// with the row.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const {
        require_width(x.cols());
        require_finite(x, "polynomial");
        matrix<T> out(x.rows(), static_cast<row_index>(width_));
        for (row_index i = 0; i < x.rows(); ++i) multiply(x.row(i).data(), static_cast<std::size_t>(i) + 1, out.data() + i * out.cols());
        return out;
    }
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_width(static_cast<row_index>(row.size()));
        require_finite(row, "polynomial");
        const auto out = scratch.take<T>(width_);
        multiply(row.data(), 1, out.data());
        return out;
    }
    using single_row<polynomial_model>::operator();

    /// "a", "b", "a^2", "a*b", "b^2", "a^3", "a^2*b", ...
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& names) const {
        require(std::cmp_equal(names.size(), columns_), errc::shape_mismatch, "polynomial: ", names.size(), " names, learnt ", columns_, " columns");
        std::vector<std::string> out = names;
        const std::size_t n = names.size(), step = interactions_only_ ? 1 : 0;
        if (degree_ >= 2)
            for (std::size_t a = 0; a < n; ++a)
                for (std::size_t b = a + step; b < n; ++b) out.push_back(a == b ? names[a] + "^2" : names[a] + "*" + names[b]);
        if (degree_ >= 3)
            for (std::size_t a = 0; a < n; ++a)
                for (std::size_t b = a + step; b < n; ++b)
                    for (std::size_t c = b + step; c < n; ++c) out.push_back(a == b && b == c ? names[a] + "^3"
                                                                             : a == b         ? names[a] + "^2*" + names[c]
                                                                             : b == c         ? names[a] + "*" + names[b] + "^2"
                                                                                              : names[a] + "*" + names[b] + "*" + names[c]);
        return out;
    }

    static constexpr std::array field_names{"columns", "degree", "interactions_only"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(columns_, degree_, interactions_only_); }

   private:
    void require_width(row_index given) const { require(given == columns_, errc::shape_mismatch, "polynomial: got ", given, " columns, learnt ", columns_); }
    // In the order of the names: a <= b <= c, or < where interactions only.
    void multiply(const T* x, std::size_t row, T* out) const {
        std::copy(x, x + columns_, out);
        const std::size_t n = static_cast<std::size_t>(columns_), step = interactions_only_ ? 1 : 0;
        T* to = out + n;
        if (degree_ >= 2)
            for (std::size_t a = 0; a < n; ++a)
                for (std::size_t b = a + step; b < n; ++b) *to++ = x[a] * x[b];
        if (degree_ >= 3)
            for (std::size_t a = 0; a < n; ++a)
                for (std::size_t b = a + step; b < n; ++b) {
                    const T ab = x[a] * x[b];
                    for (std::size_t c = b + step; c < n; ++c) *to++ = ab * x[c];
                }
        const bool finite = (Eigen::Map<const vec<T>>(out, static_cast<row_index>(width_)).array() * T(0)).sum() == T(0);
        require_at(finite, errc::number_out_of_range, {.row = row}, "polynomial: a product in row ", row, " is beyond the number type; put standardize in front");
    }

    std::int64_t columns_;
    std::int32_t degree_;
    bool interactions_only_;
    std::size_t width_ = 0;
};

/// Recipe for `polynomial_model`: `standardize<float>{} | polynomial<float>{.interactions_only = true} | logistic<float>{}`.
template <class T>
struct polynomial {
    using stage_concept = recipe_tag;
    std::size_t degree = 2;          ///< 1, 2 or 3
    bool interactions_only = false;  ///< no column twice in a product

    /// Throws `error`: `empty_input`, `nan_or_inf`, `bad_parameter`, `limit_exceeded`.
    [[nodiscard]] polynomial_model<T> fit(const matrix_in<T>& x, const fit_options&) const {
        require(degree >= 1 && degree <= 3, errc::bad_parameter, "polynomial: degree = ", degree, ", must lie in 1 .. 3");
        detail::require_training_rows(x, "polynomial");
        return {static_cast<std::int64_t>(x.cols()), static_cast<std::int32_t>(degree), interactions_only};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
