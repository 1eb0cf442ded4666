#ifndef CARAMEL_CORE_ROWS_HPP
#define CARAMEL_CORE_ROWS_HPP

// How many examples a value holds, whatever its type.

#include <cstddef>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

template <class X>
concept Rows = requires(const X& x) { x.rows(); } || requires(const X& x) { x.shape()[0]; } || requires(const X& x) { x.size(); };
template <Rows X>
std::size_t row_count(const X& x) {
    if constexpr (requires { x.rows(); }) return static_cast<std::size_t>(x.rows());
    else if constexpr (requires { x.shape()[0]; }) return static_cast<std::size_t>(x.shape()[0]);
    else return x.size();
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
