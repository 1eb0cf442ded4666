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

// Memory that several large buffers share, all of which will be filled: where it lies together, it comes in large pages at
// once, also for buffers that are too small to hold one of their own. Advice again, that older systems do not know.
class shared_large_pages {
   public:
    shared_large_pages() = default;
    shared_large_pages(const shared_large_pages&) = delete;
    shared_large_pages& operator=(const shared_large_pages&) = delete;
    ~shared_large_pages() { advise(); }

    /// A buffer; best in the order in which they were allocated.
    void add([[maybe_unused]] const void* buffer, [[maybe_unused]] std::size_t size) noexcept {
        const auto begin = reinterpret_cast<std::uintptr_t>(buffer), end = begin + size;
        constexpr std::uintptr_t apart = std::uintptr_t{2} * 4096;  // what the allocator notes between two
        if (begin - end_ <= apart) {
            end_ = end;
        } else if (begin_ - end <= apart) {
            begin_ = begin;
        } else {
            advise();
            begin_ = begin;
            end_ = end;
        }
    }

   private:
    void advise() const noexcept {
#ifdef MADV_HUGEPAGE
        constexpr std::uintptr_t page = std::uintptr_t{1} << 21U;
        constexpr int collapse = 25;  // MADV_COLLAPSE, since Linux 6.1
        const auto first = (begin_ + page - 1) / page * page, last = end_ / page * page;
        if (first >= last) return;
        const int code = errno;
        if (::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE) == 0) (void)::madvise(reinterpret_cast<void*>(first), last - first, collapse);
        errno = code;
#endif
    }
    std::uintptr_t begin_ = 0, end_ = 0;  // of what lies together so far
};

template <class T>
void reserve_large(std::vector<T>& values, std::size_t n) {
    values.reserve(n);
    prefer_large_pages(values.data(), n * sizeof(T));
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
