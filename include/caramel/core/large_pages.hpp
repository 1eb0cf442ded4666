#ifndef CARAMEL_CORE_LARGE_PAGES_HPP
#define CARAMEL_CORE_LARGE_PAGES_HPP

// Large pages for large arrays: filling one for the first time costs more in page faults than in anything else, and rows of
// one that are read in no order cost a walk through the page tables each.

#include <cstddef>
#include <cstdint>
#include <vector>

#include <caramel/core/platform.hpp>

#if defined(__linux__) && !defined(CARAMEL_NO_POSIX)
#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace caramel::inline CARAMEL_ABI::detail {

// Asks for large pages where the system has them, before the memory is used. Only advice, so that nothing depends on the
// answer, and nothing breaks if what else lies on the first and the last page comes onto a large one, too.
inline void prefer_large_pages([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t size) noexcept {
#ifdef MADV_HUGEPAGE
    if (size < std::size_t{1} << 20) return;
    const auto address = reinterpret_cast<std::uintptr_t>(begin), before = address % static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const int code = errno;
    (void)::madvise(reinterpret_cast<void*>(address - before), size + before, MADV_HUGEPAGE);
    errno = code;
#endif
}

template <class T>
void reserve_large(std::vector<T>& values, std::size_t n) {
    values.reserve(n);
    prefer_large_pages(values.data(), n * sizeof(T));
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
