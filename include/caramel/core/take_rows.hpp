#ifndef CARAMEL_CORE_TAKE_ROWS_HPP
#define CARAMEL_CORE_TAKE_ROWS_HPP

// Chosen examples of a value, whatever its type: what splitting, cross-validation and resampling are made of.

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/rows.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Tables, histories, token ids, transactions: whatever says itself how.
template <class X>
concept TakesRows = requires(const X& x, std::span<const std::size_t> rows) {
    x.take_rows(rows);
};

template <class X>
concept DenseRows = requires(const X& x) {
    typename X::PlainObject;
    x.middleRows(0, 0);
};

// Eigen's sparse matrices, told by their members: <Eigen/SparseCore> need not be included here.
template <class X>
concept SparseRows = requires(const X& x) {
    typename X::InnerIterator;
    typename X::StorageIndex;
    x.isCompressed();
    x.outerSize();
};

template <class X>
concept PlaneRows = StridedPlane<X, std::remove_cv_t<typename X::value_type>>;

template <class X>
concept ListRows = requires(const X& x) {
    typename X::value_type;
    x[x.size()];
};

}  // namespace detail

/// Rows of `x` by their numbers from 0, in any order, also more than once. `x` is a matrix, column or sparse row-major
/// matrix of Eigen, an `xt::xtensor<T, 2>` (which comes out as a `matrix<T>`), a vector or span (which comes out as a
/// vector), or anything with a `take_rows(std::span<const std::size_t>)` of its own: tables, histories, token ids.
/// Throws `error` (`bad_parameter`) on a row that there is not.
template <class X>
    requires(detail::TakesRows<X> || detail::SparseRows<X> || detail::DenseRows<X> || detail::PlaneRows<X> || detail::ListRows<X>)
[[nodiscard]] auto take_rows(const X& x, std::span<const std::size_t> rows) {
    const std::size_t n = detail::row_count(x);
    for (const std::size_t row : rows) require(row < n, errc::bad_parameter, "take_rows: row number ", row, " (from 0) of ", n, " rows");
    if constexpr (detail::TakesRows<X>) {
        return x.take_rows(rows);
    } else if constexpr (detail::SparseRows<X>) {
        static_assert(X::IsRowMajor, "caramel: rows are taken from a sparse matrix that is row-major: Eigen::SparseMatrix<T, Eigen::RowMajor>");
        using Plain = typename X::PlainObject;
        Plain out(static_cast<row_index>(rows.size()), x.cols());
        row_index filled = 0;
        for (const std::size_t row : rows)
            for (typename X::InnerIterator it(x, static_cast<row_index>(row)); it; ++it) ++filled;
        out.reserve(filled);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            out.startVec(static_cast<row_index>(i));
            for (typename X::InnerIterator it(x, static_cast<row_index>(rows[i])); it; ++it)
                out.insertBackByOuterInner(static_cast<row_index>(i), it.col()) = it.value();
        }
        out.finalize();
        return out;
    } else if constexpr (detail::DenseRows<X>) {
        typename X::PlainObject out(static_cast<row_index>(rows.size()), x.cols());
        for (std::size_t i = 0; i < rows.size(); ++i) out.row(static_cast<row_index>(i)) = x.row(static_cast<row_index>(rows[i]));
        return out;
    } else if constexpr (detail::PlaneRows<X>) {
        using T = std::remove_cv_t<typename X::value_type>;
        const matrix_in<T> plane(x);
        matrix<T> out(static_cast<row_index>(rows.size()), plane.cols());
        for (std::size_t i = 0; i < rows.size(); ++i) out.row(static_cast<row_index>(i)) = plane.row(static_cast<row_index>(rows[i]));
        return out;
    } else {
        std::vector<std::remove_cv_t<typename X::value_type>> out;
        out.reserve(rows.size());
        for (const std::size_t row : rows) out.push_back(x[row]);
        return out;
    }
}

namespace detail {

template <class X>
concept RowsCanBeTaken = requires(const X& x, std::span<const std::size_t> rows) {
    caramel::take_rows(x, rows);
};

template <class X>
using taken_t = std::remove_cvref_t<decltype(caramel::take_rows(std::declval<const X&>(), std::span<const std::size_t>{}))>;

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
