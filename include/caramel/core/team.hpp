#ifndef CARAMEL_CORE_TEAM_HPP
#define CARAMEL_CORE_TEAM_HPP

// Threads for many short pieces of work, one batch of them after another, as in training by mini-batches, where starting
// threads for each would take longer than the work.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

#include <caramel/core/callback.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/progress.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

inline void relax() noexcept {
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
    __builtin_ia32_pause();
#endif
}

// The calling thread takes pieces like the others and never waits for a thread that has none, so a machine that is busy
// with other work costs little; where it had to wait for one long all the same, it works alone for a while.
class team {
   public:
    template <class = void>
    explicit team(const run_options& how) : run_(how.run) {
        if (run_) return;
        const std::size_t machine = std::max(1U, std::thread::hardware_concurrency());
        // More threads than processors would only stand in each other's way.
        const std::size_t wanted = how.threads == 0 ? machine : std::min(how.threads, std::max<std::size_t>(machine, 2));
        helpers_.reserve(wanted - 1);
        try {
            while (helpers_.size() + 1 < wanted) helpers_.emplace_back([this] { help(); });
        } catch (const std::system_error&) {  // no more threads to be had: fewer do the same work
        }
    }
    team(const team&) = delete;
    team& operator=(const team&) = delete;
    ~team() {
        leave_.store(true, std::memory_order_relaxed);
        publish(0);
    }

    // Into how many pieces work is worth being cut.
    [[nodiscard]] std::size_t size() const noexcept { return run_ ? 16 : helpers_.size() + 1; }

    // Calls `task(i)`, which must not throw, once for each i below `tasks`, and returns when all have ended.
    template <class Task>
    void run(std::size_t tasks, const Task& task) {
        if (run_ && tasks > 1) return parallel_for(tasks, {.run = run_}, task);
        if (helpers_.empty() || tasks <= 1 || tasks >= one_round || resting()) {
            for (std::size_t i = 0; i < tasks; ++i) task(i);
            return;
        }
        call_.store([](const void* t, std::size_t i) { (*static_cast<const Task*>(t))(i); }, std::memory_order_relaxed);
        task_.store(&task, std::memory_order_relaxed);
        tasks_.store(tasks, std::memory_order_relaxed);
        done_.store(0, std::memory_order_relaxed);
        publish(tasks);
        take_all();
        if (done_.load(std::memory_order_acquire) < tasks) wait(tasks);
    }

   private:
    using clock = std::chrono::steady_clock;
    using call = void (*)(const void*, std::size_t);
    static constexpr std::uint64_t one_round = std::uint64_t{1} << 32;
    static constexpr int spins = 2000;  // some 20 to 100 microseconds: about what lies between two pieces of work

    // The round in the upper half, how many pieces have not been taken in the lower one.
    template <class = void>
    void publish(std::size_t tasks) noexcept {
        next_.store((next_.load(std::memory_order_relaxed) / one_round + 1) * one_round + tasks, std::memory_order_release);
        next_.notify_all();
    }
    // Taking a piece changes `next_` from what was seen, where a piece was left: a round with a piece left has not ended, so
    // what was read in between belongs to it. `next_` alone must say that none is left: compared with `tasks_`, a late
    // thread would see the next round's number before that round is published, and take a piece of it under the old one.
    template <class = void>
    void take_all() noexcept {
        for (;;) {
            std::uint64_t seen = next_.load(std::memory_order_acquire);
            const std::size_t left = static_cast<std::size_t>(seen % one_round);
            if (left == 0) return;
            const call f = call_.load(std::memory_order_relaxed);
            const void* const task = task_.load(std::memory_order_relaxed);
            const std::size_t piece = tasks_.load(std::memory_order_relaxed) - left;
            if (!next_.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel)) continue;
            f(task, piece);
            done_.fetch_add(1, std::memory_order_acq_rel);
        }
    }
    template <class = void>
    void help() noexcept {
        std::uint64_t round = 0;
        for (;;) {
            std::uint64_t seen = next_.load(std::memory_order_acquire);
            for (int i = 0; i < spins && seen / one_round == round; ++i) {
                relax();
                seen = next_.load(std::memory_order_acquire);
            }
            if (seen / one_round == round) {
                next_.wait(seen, std::memory_order_acquire);
                continue;
            }
            if (leave_.load(std::memory_order_relaxed)) return;
            round = seen / one_round;
            take_all();
        }
    }
    template <class = void>
    void wait(std::size_t tasks) noexcept {
        for (int i = 0; i < spins; ++i) {
            relax();
            if (done_.load(std::memory_order_acquire) == tasks) {
                if (++prompt_rounds_ == 1000) rest_factor_ = 20;
                return;
            }
        }
        prompt_rounds_ = 0;
        const auto start = clock::now();
        while (done_.load(std::memory_order_acquire) < tasks) std::this_thread::yield();
        const auto now = clock::now();
        if (now - start <= std::chrono::microseconds(200)) return;
        alone_until_ = now + rest_factor_ * (now - start);
        rest_factor_ = std::min(2 * rest_factor_, 1280);  // where the other processors stay busy, ever less is lost in asking
    }
    template <class = void>
    [[nodiscard]] bool resting() const noexcept { return alone_until_ != clock::time_point{} && clock::now() < alone_until_; }

    executor run_;
    std::atomic<std::uint64_t> next_{0};
    std::atomic<call> call_{nullptr};
    std::atomic<const void*> task_{nullptr};
    std::atomic<std::size_t> tasks_{0};
    alignas(64) std::atomic<std::size_t> done_{0};
    std::atomic<bool> leave_{false};
    clock::time_point alone_until_{};
    int rest_factor_ = 20, prompt_rounds_ = 0;
    std::vector<std::jthread> helpers_;  // the last member: they end before the rest does
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
