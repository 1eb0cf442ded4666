#ifndef CARAMEL_TESTS_SUPPORT_COUNT_ALLOCATIONS_HPP
#define CARAMEL_TESTS_SUPPORT_COUNT_ALLOCATIONS_HPP

// Counts this thread's allocations by replacing the global operator new: for one file of a test program. The thread
// sanitizer has an operator new of its own; under it nothing is counted.

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {
thread_local std::size_t n_allocations = 0;
}

#if defined(__SANITIZE_THREAD__)
#define CARAMEL_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CARAMEL_COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef CARAMEL_COUNTS_ALLOCATIONS
#define CARAMEL_COUNTS_ALLOCATIONS 1
#endif

#if CARAMEL_COUNTS_ALLOCATIONS
// Not inlined: g++ 12 would take the pair for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t n) {
    ++n_allocations;
    if (void* p = std::malloc(n == 0 ? 1 : n)) return p;
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return std::malloc(n == 0 ? 1 : n); }
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
#endif

#endif
