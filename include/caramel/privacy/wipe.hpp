#ifndef CARAMEL_PRIVACY_WIPE_HPP
#define CARAMEL_PRIVACY_WIPE_HPP

// Zeros over what is secret, before its memory goes to somebody else.

#include <cstddef>
#include <cstring>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// Overwrites what is read by nobody any more, which compilers leave out where they are not kept from it.
inline void wipe(void* at, std::size_t n) noexcept {
#if defined(__GNUC__)
    std::memset(at, 0, n);
    __asm__ __volatile__("" : : "r"(at) : "memory");
#else
    auto* bytes = static_cast<volatile unsigned char*>(at);
    for (std::size_t i = 0; i < n; ++i) bytes[i] = 0;
#endif
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
