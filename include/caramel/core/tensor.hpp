#ifndef CARAMEL_CORE_TENSOR_HPP
#define CARAMEL_CORE_TENSOR_HPP

// The one place that includes xtensor (0.26 moved its headers). xtensor owns and indexes n-dimensional arrays; Eigen
// computes on their rows through maps.

#include <array>
#include <cstddef>
#include <cstdint>

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xtensor.hpp>
#elif __has_include(<xtensor/xtensor.hpp>)
#include <xtensor/xtensor.hpp>
#else
#error "caramel needs the headers of xtensor 0.24 or newer and of xtl (Debian, Ubuntu: apt install libxtensor-dev)"
#include <xtensor/xarray.hpp>  // as in core/matrix.hpp
#endif
#if XTENSOR_VERSION_MAJOR == 0 && XTENSOR_VERSION_MINOR < 24
#error "caramel needs xtensor 0.24 or newer; this one is older"
#endif

#include <caramel/core/error.hpp>
#include <caramel/core/large_pages.hpp>

namespace caramel::inline CARAMEL_ABI {

/// An N-dimensional array that owns its values, row-major: `q(recency, frequency, action)`.
template <class T, std::size_t N>
using tensor = xt::xtensor<T, N>;

/// An array of this shape, every value `fill`. Throws `error` (`limit_exceeded`) when the size overflows.
template <class T, std::size_t N>
[[nodiscard]] tensor<T, N> make_tensor(const std::array<std::size_t, N>& shape, T fill = T(0)) {
    std::size_t size = sizeof(T);
    for (const std::size_t n : shape) {
        require(n == 0 || size <= static_cast<std::size_t>(PTRDIFF_MAX) / n, errc::limit_exceeded, "make_tensor: the shape's size overflows");
        size *= n;
    }
    tensor<T, N> out(shape);
    detail::prefer_large_pages(out.data(), size);
    out.fill(fill);
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
