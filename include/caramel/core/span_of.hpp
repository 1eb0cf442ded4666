#ifndef CARAMEL_CORE_SPAN_OF_HPP
#define CARAMEL_CORE_SPAN_OF_HPP

#include <span>
#include <vector>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// What `std::span<const T>(all)` is. As a conversion that takes the compiler 10 to 20 ms for each T, in every translation
// unit that sees it; here it waits for the first call (docs/compile_time.md).
template <class T>
[[nodiscard]] std::span<const T> span_of(const std::vector<T>& all) noexcept {
    return {all.data(), all.size()};
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
