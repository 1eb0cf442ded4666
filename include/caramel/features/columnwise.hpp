#ifndef CARAMEL_FEATURES_COLUMNWISE_HPP
#define CARAMEL_FEATURES_COLUMNWISE_HPP

// What models that work column by column have in common: their calls, and quantiles of weighted columns.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// The calls of a model that makes one number of each, by its column alone: `Model` has `value(x, column)`, `columns()`, `kind`.
template <class Model, class T>
class columnwise : public single_row<Model> {
   public:
    /// (rows, columns) -> (rows, columns).
    /// Throws `error`: `shape_mismatch` unless `x` has as many columns as the training data; `nan_or_inf`,
    /// `number_out_of_range` with row and column.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const {
        require_width(x.cols());
        matrix<T> out(x.rows(), x.cols());
        for (row_index i = 0; i < x.rows(); ++i)
            for (row_index j = 0; j < x.cols(); ++j) out(i, j) = checked(x(i, j), i, j);
        return out;
    }
    /// One row: (columns) -> (columns), in the workspace.
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_width(static_cast<row_index>(row.size()));
        const auto out = scratch.take<T>(row.size());
        for (std::size_t j = 0; j < row.size(); ++j) out[j] = checked(row[j], 0, static_cast<row_index>(j));
        return out;
    }
    using single_row<Model>::operator();

    [[nodiscard]] std::vector<std::string> output_names(std::vector<std::string> names) const { return names; }

   private:
    [[nodiscard]] const Model& self() const noexcept { return static_cast<const Model&>(*this); }
    void require_width(row_index columns) const {
        require(columns == self().columns(), errc::shape_mismatch, Model::kind, ": got ", columns, " columns, learnt ", self().columns());
    }
    [[nodiscard]] T checked(T x, row_index i, row_index j) const {
        const T out = self().value(x, j);
        if (!std::isfinite(out) || !std::isfinite(x)) [[unlikely]]
            fail(std::isfinite(x) ? errc::number_out_of_range : errc::nan_or_inf,
                 {.row = static_cast<std::uint64_t>(i) + 1, .column = static_cast<std::uint64_t>(j) + 1}, Model::kind, ": the value in row ", i + 1,
                 ", column ", j + 1, std::isfinite(x) ? " leaves the number type" : " is not finite");
        return out;
    }
};

template <class T>
void require_training_rows(const matrix_in<T>& x, std::string_view who) {
    require(x.rows() > 0, errc::empty_input, who, ": no rows to learn from");
    require_finite(x, who);
}

// A column's values in ascending order with the weight up to and including each; rows of weight 0 are left out.
class sorted_column {
   public:
    template <class T>
    sorted_column(const matrix_in<T>& x, row_index column, const row_weights& weights) {
        const auto rows = static_cast<std::size_t>(x.rows());
        bool ones = true;
        for (std::size_t i = 0; i < rows; ++i) ones = ones && weights[i] == 1;
        values_.reserve(rows);
        up_to_.reserve(rows);
        if (ones) {  // half as much to move about
            for (row_index i = 0; i < x.rows(); ++i) values_.push_back(static_cast<double>(x(i, column)));
            std::sort(values_.begin(), values_.end());
            for (std::size_t i = 1; i <= rows; ++i) up_to_.push_back(static_cast<double>(i));
            return;
        }
        std::vector<std::pair<double, double>> both;
        for (row_index i = 0; i < x.rows(); ++i)
            if (weights[i] > 0) both.emplace_back(static_cast<double>(x(i, column)), weights[i]);
        std::sort(both.begin(), both.end());
        double sum = 0;
        for (const auto& [value, weight] : both) {
            values_.push_back(value);
            up_to_.push_back(sum += weight);
        }
    }
    /// The inverse of the share of weight at or below a value, the middle where it is an interval (Hyndman & Fan, The American
    /// Statistician 50(4), 1996, definition 2): a weight of two is a row twice, and the unit of weights does not matter.
    template <class Share>
    [[nodiscard]] double quantile(Share share) const {
        const double wanted = static_cast<double>(share) * up_to_.back(), rounding = 1e-12 * up_to_.back();
        const auto at = static_cast<std::size_t>(std::lower_bound(up_to_.begin(), up_to_.end(), wanted - rounding) - up_to_.begin());
        const std::size_t here = std::min(at, values_.size() - 1);
        const bool between = share > 0 && std::abs(up_to_[here] - wanted) <= rounding && here + 1 < values_.size();
        return between ? values_[here] / 2 + values_[here + 1] / 2 : values_[here];
    }
    [[nodiscard]] double min() const noexcept { return values_.front(); }
    [[nodiscard]] double max() const noexcept { return values_.back(); }
    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

   private:
    std::vector<double> values_, up_to_;
};

// The standard normal quantile (Wichura, Applied Statistics 37(3), 1988, AS 241), for p within 1e-10 .. 1 - 1e-10.
template <class P>
[[nodiscard]] double normal_score(P p) {
    const auto ratio = [](double r, const std::array<double, 8>& above, const std::array<double, 8>& below) {
        double a = 0, b = 0;
        for (std::size_t i = 8; i-- > 0;) {
            a = a * r + above[i];
            b = b * r + below[i];
        }
        return a / b;
    };
    const double q = p - 0.5;
    if (std::abs(q) <= 0.425)
        return q * ratio(0.180625 - q * q,
                         {3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457, 67265.770927008700853,
                          33430.575583588128105, 2509.0809287301226727},
                         {1, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077, 21213.794301586595867, 39307.895800092710610, 28729.085735721942674,
                          5226.4952788528545610});
    const double r = std::sqrt(-std::log(q < 0 ? p : 1 - p)) - 1.6;
    const double tail = ratio(r,
                              {1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504, 1.27045825245236838258,
                               0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4},
                              {1, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550, 0.148103976427480074590, 0.0151986665636164571966,
                               5.47593808499534494600e-4, 1.05075007164441684324e-9});
    return q < 0 ? -tail : tail;
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
