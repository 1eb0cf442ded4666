#ifndef CARAMEL_CORE_TARGETS_HPP
#define CARAMEL_CORE_TARGETS_HPP

#include <concepts>
#include <span>
#include <vector>

#include <caramel/core/matrix.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How regressors take their targets: `std::vector<T>`, `vec<T>`, or a matrix of (rows, outputs), without a copy.
template <class T>
class targets_in : public matrix_in<T> {
   public:
    template <class Derived>
        requires std::convertible_to<const Eigen::DenseBase<Derived>&, typename matrix_in<T>::base>
    targets_in(const Eigen::DenseBase<Derived>& y) : matrix_in<T>(y) {}  // NOLINT(google-explicit-constructor)
    targets_in(const vec<T>& y) : targets_in(std::span<const T>(y.data(), static_cast<std::size_t>(y.size()))) {}  // NOLINT(google-explicit-constructor)
    targets_in(const std::vector<T>& y) : targets_in(std::span<const T>(y)) {}  // NOLINT(google-explicit-constructor)
    targets_in(std::span<const T> y)  // NOLINT(google-explicit-constructor)
        : matrix_in<T>(Eigen::Map<const matrix<T>>(y.data(), static_cast<row_index>(y.size()), 1)) {}
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
