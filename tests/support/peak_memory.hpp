#ifndef CARAMEL_TESTS_SUPPORT_PEAK_MEMORY_HPP
#define CARAMEL_TESTS_SUPPORT_PEAK_MEMORY_HPP

// What work takes from the heap. Counted by operators new and delete of our own (tests/io/memory_test.cpp has them for its program), so
// not where a sanitizer has its own.

#include <atomic>
#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CARAMEL_TESTS_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CARAMEL_TESTS_SANITIZED
#endif
#if defined(__GLIBC__) && !defined(CARAMEL_TESTS_SANITIZED)
#define CARAMEL_TESTS_COUNT_MEMORY 1
#else
#define CARAMEL_TESTS_COUNT_MEMORY 0
#endif

#if CARAMEL_TESTS_COUNT_MEMORY
namespace peak_memory {

struct counters {
    std::atomic<std::size_t> held{0}, peak{0}, largest{0}, blocks{0}, bytes{0};
};
extern counters now;

/// Bytes held beyond those before, at the worst moment; the largest single block; how many blocks, and bytes, in all.
struct taken {
    std::size_t peak, largest, blocks, bytes;
};
template <class Work>
taken by(Work&& work) {
    const std::size_t before = now.held;
    now.peak = before;
    now.largest = now.blocks = now.bytes = 0;
    work();
    return {now.peak - before, now.largest, now.blocks, now.bytes};
}

}  // namespace peak_memory
#endif

#endif
