#ifndef CARAMEL_CORE_SPARSE_HPP
#define CARAMEL_CORE_SPARSE_HPP

// Examples of which most columns are zero, such as words of a text: rows of (column, value).

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// <resolv.h>, which some network libraries include, makes a macro of a name that Eigen uses.
#pragma push_macro("_res")
#undef _res
#include <Eigen/SparseCore>
#pragma pop_macro("_res")

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One example: the columns that are not zero, rising from 0, and their values. It refers to memory of a matrix or of a
/// workspace.
template <class T>
struct sparse_row {
    std::span<const std::int32_t> columns = {};
    std::span<const T> values = {};  ///< one a column
    std::size_t width = 0;           ///< how many columns there are, zero or not

    using lies_in_workspace = void;  // so that chains do not hand one out that points nowhere
};

/// Throws `error` with the row of a `sparse_row` that is none: `shape_mismatch` on another number of values than columns;
/// `bad_data` unless its columns rise and lie below the width; `nan_or_inf` with row and column.
template <std::floating_point T>
void require_sparse(const sparse_row<T>& x, std::size_t row, std::string_view who) {
    require_at(x.columns.size() == x.values.size(), errc::shape_mismatch, {.row = row}, who, ": row ", row, " has ", x.columns.size(), " columns but ",
               x.values.size(), " values");
    std::int64_t last = -1;
    for (const std::int32_t column : x.columns) {
        require_at(column > last && static_cast<std::size_t>(column) < x.width, errc::bad_data, {.row = row}, who, ": the columns of row ", row,
                   " do not rise from 0 to below ", x.width);
        last = column;
    }
    for (std::size_t k = 0; k < x.values.size(); ++k)
        require_at(std::isfinite(x.values[k]), errc::nan_or_inf, {.row = row, .column = static_cast<std::uint64_t>(x.columns[k]) + 1}, who,
                   ": the value in row ", row, ", column ", x.columns[k] + 1, " is not finite");
}

/// The features of many examples, (rows, columns), of which only those that are not zero are kept: row i is the columns and
/// values `starts[i] .. starts[i + 1]`. What stands in it was checked when it was put there: columns rise within a row, and
/// values are finite. Numbers of columns and of values are below 2^31, and are kept in 4 bytes as Eigen does.
template <class T>
class sparse_matrix {
   public:
    using value_type = T;  // data, not a stage

    sparse_matrix() = default;
    /// No rows yet. Throws `error` (`limit_exceeded`) on 2^31 columns or more.
    explicit sparse_matrix(std::size_t columns) : columns_(columns) { require_limit(columns, "columns"); }
    /// Throws `error` as `require_sparse` does, and `bad_data` unless `starts` rises from 0 to the number of values.
    sparse_matrix(std::size_t columns, std::vector<std::int32_t> column_numbers, std::vector<T> values, std::vector<std::int32_t> starts)
        : columns_(columns), column_numbers_(std::move(column_numbers)), values_(std::move(values)), starts_(std::move(starts)) {
        require_limit(columns, "columns");
        require_limit(values_.size(), "values");
        require(column_numbers_.size() == values_.size(), errc::shape_mismatch, who, ": ", column_numbers_.size(), " numbers of columns but ", values_.size(),
                " values");
        bool rises = !starts_.empty() && starts_.front() == 0 && std::cmp_equal(starts_.back(), values_.size());
        for (std::size_t i = 1; rises && i < starts_.size(); ++i) rises = starts_[i - 1] <= starts_[i];
        require(rises, errc::bad_data, who, ": the starts do not rise from 0 to the number of values");
        for (std::size_t i = 0; i + 1 < starts_.size(); ++i) require_sparse((*this)[i], i + 1, who);
    }
    /// Without the zeros of a dense matrix. Throws `error`: `nan_or_inf`, `limit_exceeded`.
    explicit sparse_matrix(const matrix_in<T>& x) : sparse_matrix(static_cast<std::size_t>(x.cols())) {
        require_finite(x, who);
        starts_.reserve(static_cast<std::size_t>(x.rows()) + 1);
        for (row_index i = 0; i < x.rows(); ++i) {
            for (row_index j = 0; j < x.cols(); ++j)
                if (x(i, j) != T(0)) {
                    column_numbers_.push_back(static_cast<std::int32_t>(j));
                    values_.push_back(x(i, j));
                }
            close_row();
        }
    }
    /// A copy of any sparse matrix or expression of Eigen. Throws `error`: `limit_exceeded`, `bad_data`, `nan_or_inf`.
    template <class Derived>
        requires std::same_as<typename Derived::Scalar, T>
    explicit sparse_matrix(const Eigen::SparseMatrixBase<Derived>& x) : sparse_matrix(static_cast<std::size_t>(x.cols())) {
        Eigen::SparseMatrix<T, Eigen::RowMajor, std::ptrdiff_t> rows = x;
        rows.makeCompressed();
        require_limit(static_cast<std::size_t>(rows.nonZeros()), "values");
        starts_.reserve(static_cast<std::size_t>(rows.rows()) + 1);
        for (row_index i = 0; i < rows.rows(); ++i) {
            for (auto k = rows.outerIndexPtr()[i]; k < rows.outerIndexPtr()[i + 1]; ++k) {
                column_numbers_.push_back(static_cast<std::int32_t>(rows.innerIndexPtr()[k]));
                values_.push_back(rows.valuePtr()[k]);
            }
            close_row();
            require_sparse((*this)[static_cast<std::size_t>(i)], static_cast<std::size_t>(i) + 1, who);
        }
    }

    [[nodiscard]] row_index rows() const noexcept { return static_cast<row_index>(starts_.size()) - 1; }
    [[nodiscard]] row_index cols() const noexcept { return static_cast<row_index>(columns_); }
    /// Not checked: the caller knows that `row` is below `rows()`.
    [[nodiscard]] sparse_row<T> operator[](std::size_t row) const noexcept {
        const auto begin = static_cast<std::size_t>(starts_[row]), n = static_cast<std::size_t>(starts_[row + 1]) - begin;
        return {{column_numbers_.data() + begin, n}, {values_.data() + begin, n}, columns_};
    }
    [[nodiscard]] const std::vector<std::int32_t>& column_numbers() const noexcept { return column_numbers_; }
    [[nodiscard]] const std::vector<T>& values() const noexcept { return values_; }
    [[nodiscard]] const std::vector<std::int32_t>& starts() const noexcept { return starts_; }

    /// Throws `error`: `shape_mismatch` on another width; as `require_sparse` does; `limit_exceeded`. Then nothing changed.
    void append_row(const sparse_row<T>& x) {
        require(x.width == columns_, errc::shape_mismatch, who, ": a row of ", x.width, " columns, the matrix has ", columns_);
        require_sparse(x, starts_.size(), who);
        require_limit(values_.size() + x.values.size(), "values");
        column_numbers_.insert(column_numbers_.end(), x.columns.begin(), x.columns.end());
        values_.insert(values_.end(), x.values.begin(), x.values.end());
        close_row();
    }
    void append_row(std::span<const std::int32_t> columns, std::span<const T> values) { append_row({columns, values, columns_}); }
    /// The rows of `other`, after these. Throws `error`: `shape_mismatch` on another width; `limit_exceeded`.
    void append(const sparse_matrix& other) {
        require(other.columns_ == columns_, errc::shape_mismatch, who, ": rows of ", other.columns_, " columns, the matrix has ", columns_);
        require_limit(values_.size() + other.values_.size(), "values");
        const std::int32_t before = starts_.back();
        column_numbers_.insert(column_numbers_.end(), other.column_numbers_.begin(), other.column_numbers_.end());
        values_.insert(values_.end(), other.values_.begin(), other.values_.end());
        starts_.reserve(starts_.size() + other.starts_.size());
        for (std::size_t i = 1; i < other.starts_.size(); ++i) starts_.push_back(before + other.starts_[i]);
    }
    /// Rows `begin` up to, not including, `end`, which the caller knows to be there.
    [[nodiscard]] sparse_matrix slice(std::size_t begin, std::size_t end) const {
        sparse_matrix out(columns_);
        for (std::size_t i = begin; i < end; ++i) out.take(*this, i);
        return out;
    }
    /// Throws `error` (`bad_parameter`) on a row that is not there.
    [[nodiscard]] sparse_matrix take_rows(std::span<const std::size_t> which) const {
        sparse_matrix out(columns_);
        for (const std::size_t i : which) {
            require(std::cmp_less(i, rows()), errc::bad_parameter, who, ": row ", i, " of ", rows(), " (counted from 0) was asked for");
            require_limit(out.values_.size() + (*this)[i].values.size(), "values");
            out.take(*this, i);
        }
        return out;
    }
    void reserve(std::size_t rows, std::size_t values) {
        starts_.reserve(rows + 1);
        column_numbers_.reserve(values);
        values_.reserve(values);
    }
    [[nodiscard]] matrix<T> dense() const {
        matrix<T> out = matrix<T>::Zero(rows(), cols());
        for (row_index i = 0; i < rows(); ++i) {
            const auto row = (*this)[static_cast<std::size_t>(i)];
            for (std::size_t k = 0; k < row.columns.size(); ++k) out(i, row.columns[k]) = row.values[k];
        }
        return out;
    }
    /// The same memory as Eigen sees it, for its products and solvers; valid as long as this matrix stays as it is.
    [[nodiscard]] Eigen::Map<const Eigen::SparseMatrix<T, Eigen::RowMajor, std::int32_t>> eigen() const {
        return {rows(), cols(), static_cast<row_index>(values_.size()), starts_.data(), column_numbers_.data(), values_.data()};
    }

    friend bool operator==(const sparse_matrix&, const sparse_matrix&) = default;

   private:
    static constexpr std::string_view who = "sparse_matrix";

    static void require_limit(std::size_t n, std::string_view what) {
        require(n < (std::size_t{1} << 31), errc::limit_exceeded, who, ": ", n, ' ', what, ", must be below 2^31");
    }
    void close_row() {
        require_limit(values_.size(), "values");
        starts_.push_back(static_cast<std::int32_t>(values_.size()));
    }
    void take(const sparse_matrix& other, std::size_t row) {
        const auto x = other[row];
        column_numbers_.insert(column_numbers_.end(), x.columns.begin(), x.columns.end());
        values_.insert(values_.end(), x.values.begin(), x.values.end());
        close_row();
    }

    std::size_t columns_ = 0;
    std::vector<std::int32_t> column_numbers_;
    std::vector<T> values_;
    std::vector<std::int32_t> starts_{0};
};

/// A row of a sparse matrix, as models take it.
template <class T>
[[nodiscard]] sparse_row<T> row_of(const sparse_matrix<T>& x, row_index i) {
    return x[static_cast<std::size_t>(i)];
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
