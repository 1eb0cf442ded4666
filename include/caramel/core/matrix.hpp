#ifndef CARAMEL_CORE_MATRIX_HPP
#define CARAMEL_CORE_MATRIX_HPP

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#if !__has_include(<Eigen/Core>)
#error "caramel needs the headers of Eigen 3.4 or newer (Debian, Ubuntu: apt install libeigen3-dev, then compile with -isystem /usr/include/eigen3)"
#include <Eigen/Dense>  // not there either, so that compilers stop here (g++ goes on where it was asked for the same header before)
#endif
// <resolv.h>, which some network libraries include, makes a macro of a name that Eigen uses.
#pragma push_macro("_res")
#undef _res
#include <Eigen/Core>
#pragma pop_macro("_res")
#if !EIGEN_VERSION_AT_LEAST(3, 4, 0)
#error "caramel needs Eigen 3.4 or newer; this one is older"
#endif

#include <caramel/core/error.hpp>
#include <caramel/core/finite.hpp>
#include <caramel/core/workspace.hpp>

namespace caramel::inline CARAMEL_ABI {

// A macro given to some translation units only would make Eigen's types differ under one name.
static_assert(CARAMEL_ALIGN_BYTES == EIGEN_MAX_ALIGN_BYTES, "caramel: Eigen aligns otherwise than core/platform.hpp worked out");

/// One example per row, contiguous, so that a row is a span.
template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A column of numbers. (Not `vector`, which clashes with `std` under `using namespace`.)
template <class T>
using vec = Eigen::Matrix<T, Eigen::Dynamic, 1>;

/// Signed, as Eigen's. (Not `index`, which is a POSIX function.)
using row_index = Eigen::Index;

namespace detail {
template <class>
struct double_of {
    using type = double;
};
// `double`, but by way of T: a template's matrices of it are looked at where the template is used, not wherever its header
// is included, which takes long for Eigen's expressions (docs/compile_time.md).
template <class T>
using real_of = typename double_of<T>::type;

// An xtensor container, adaptor or view with strides of its own, told by its members: no xtensor header is needed.
template <class X, class T>
concept StridedPlane = !requires { typename X::PlainObject; } && requires(const X& x) {
    { x.dimension() } -> std::convertible_to<std::size_t>;
    { x.shape()[0] } -> std::convertible_to<std::size_t>;
    { x.strides()[0] } -> std::convertible_to<std::ptrdiff_t>;
    { x.data() + x.data_offset() } -> std::convertible_to<const T*>;
    requires std::same_as<std::remove_cv_t<typename X::value_type>, T>;
};
}  // namespace detail

/// How functions take a matrix. Row-major matrices, blocks of them, maps and 2-dimensional xtensor containers pass
/// without a copy; a column-major Eigen matrix or an expression is evaluated into a copy; an xtensor that is not
/// row-major is refused (`bad_data`).
template <class T>
class matrix_in : public Eigen::Ref<const matrix<T>> {
   public:
    using base = Eigen::Ref<const matrix<T>>;

    template <class Derived>
        requires std::convertible_to<const Eigen::DenseBase<Derived>&, base>
    matrix_in(const Eigen::DenseBase<Derived>& x) : base(x.derived()) {}  // NOLINT(google-explicit-constructor)
    template <detail::StridedPlane<T> X>
    matrix_in(const X& x) : base(plane(x)) {}  // NOLINT(google-explicit-constructor)

   private:
    using view = Eigen::Map<const matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

    template <class X>
    static view plane(const X& x) {
        require(x.dimension() == 2, errc::shape_mismatch, "matrix: an array of ", static_cast<std::size_t>(x.dimension()), " dimensions, a matrix has 2");
        const auto rows = static_cast<row_index>(x.shape()[0]);
        const auto columns = static_cast<row_index>(x.shape()[1]);
        // An axis of length 1 has stride 0 in xtensor.
        require(columns <= 1 || rows == 0 || static_cast<std::ptrdiff_t>(x.strides()[1]) == 1, errc::bad_data,
                "matrix: the array is not row-major: copy it into a row-major one");
        const auto stride = rows > 1 ? static_cast<row_index>(x.strides()[0]) : columns;
        require(stride >= columns, errc::bad_data, "matrix: the array's rows overlap or run backwards: copy it into a row-major one");
        return view(x.data() + x.data_offset(), rows, columns, Eigen::OuterStride<>(stride));
    }
};

/// Throws `error` (`nan_or_inf`) with the row and column of the first value that is not finite.
template <class Derived>
void require_finite(const Eigen::DenseBase<Derived>& x, std::string_view who) {
    const auto& values = x.derived();
    using Scalar = typename Derived::Scalar;
    for (row_index i = 0; i < values.rows(); ++i) {
        // Four times as fast as a look at each: times 0 all finite values are 0, and the others NaN.
        if ((values.row(i).array() * Scalar(0)).sum() == Scalar(0)) [[likely]]
            continue;
        for (row_index j = 0; j < values.cols(); ++j)
            if (!std::isfinite(values(i, j)))
                fail(errc::nan_or_inf, {.row = static_cast<std::uint64_t>(i) + 1, .column = static_cast<std::uint64_t>(j) + 1}, who,
                     ": the value in row ", i + 1, ", column ", j + 1, " is not finite");
    }
}
template <std::floating_point T>
void require_finite(std::span<const T> row, std::string_view who) {
    if (detail::all_finite(row)) return;
    require_finite(Eigen::Map<const Eigen::Matrix<T, 1, Eigen::Dynamic>>(row.data(), 1, static_cast<row_index>(row.size())), who);
}

/// A row of a matrix as a span.
template <class T>
[[nodiscard]] std::span<const T> row_of(const matrix<T>& x, row_index i) {
    return {x.data() + i * x.cols(), static_cast<std::size_t>(x.cols())};
}

/// Gives a model that answers `(row, workspace&)` the form without a workspace, which returns a vector of its own.
/// Derive from it and say `using single_row<model>::operator();`.
template <class Model>
class single_row {
   public:
    template <class Row>
        requires(requires(const Model& model, const Row& row, workspace& scratch) { model(row, scratch); } &&
                 !requires(const Row& row) { row.rows(); } && !requires(const Row& row) { row.shape(); })
    [[nodiscard]] auto operator()(const Row& row) const {
        workspace scratch;
        const auto out = static_cast<const Model&>(*this)(row, scratch);
        return std::vector<typename decltype(out)::value_type>(out.begin(), out.end());
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
