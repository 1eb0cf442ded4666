#ifndef CARAMEL_CORE_PARALLEL_HPP
#define CARAMEL_CORE_PARALLEL_HPP

// Work cut by data, never by the number of threads, so that results have the same bits for any number of them.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <caramel/core/callback.hpp>
#include <caramel/core/progress.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

template <class Task>
void run_on_threads(std::size_t tasks, std::size_t threads, const Task& task) {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) task(i);
    };
    std::vector<std::jthread> helpers;
    helpers.reserve(threads - 1);
    try {
        while (helpers.size() + 1 < threads) helpers.emplace_back(work);
    } catch (const std::system_error&) {  // no more threads to be had: fewer do the same work
    }
    work();
}

}  // namespace detail

/// Calls `task(i)` once for each i below `tasks`. If some throw, the exception of the lowest i passes through, after
/// all have ended.
template <class Task>
void parallel_for(std::size_t tasks, const run_options& how, const Task& task) {
    const std::size_t machine = how.threads == 0 ? std::max(1U, std::thread::hardware_concurrency()) : how.threads;
    const std::size_t threads = std::min(machine, tasks);
    if (threads <= 1 && !how.run) {
        for (std::size_t i = 0; i < tasks; ++i) task(i);
        return;
    }
    std::mutex guard;
    std::size_t failed = tasks;
    std::exception_ptr failure;
    const callback<void(std::size_t)> guarded = [&](std::size_t i) noexcept {
        try {
            task(i);
        } catch (...) {
            const std::lock_guard lock(guard);
            if (i < failed) {
                failed = i;
                failure = std::current_exception();
            }
        }
    };
    if (how.run) how.run(tasks, guarded);
    else detail::run_on_threads(tasks, threads, guarded);
    if (failure) std::rethrow_exception(failure);
}

/// Cuts 0..n-1 into blocks of `block` (the last one shorter) and calls `task(begin, end, block_number)` for each.
template <class Task>
void parallel_blocks(std::size_t n, std::size_t block, const run_options& how, const Task& task) {
    parallel_for((n + block - 1) / block, how, [&](std::size_t b) { task(b * block, std::min(n, (b + 1) * block), b); });
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
