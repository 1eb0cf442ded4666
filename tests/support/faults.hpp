#ifndef CARAMEL_TESTS_SUPPORT_FAULTS_HPP
#define CARAMEL_TESTS_SUPPORT_FAULTS_HPP

// Faults made on purpose: the N-th allocation fails, the N-th call of the system fails, no thread can be started. Plain
// functions, compiled once (faults.cpp), so that a test of any component costs a call. A program that uses them links
// caramel_test_faults, or by hand: faults.cpp and the options in faults.options.
//
//   const auto report = faults::failing_allocations([&] {
//       const auto model = fit(recipe, data);   // under attack
//       const faults::pause no_faults;          // from here on all goes well
//       return bytes(model);                    // what must come out where nothing comes out as an exception
//   }, [&] { return bits_of(data); });          // what no failure may change
//   CHECK(report.problem == "");

#include <cstddef>
#include <functional>
#include <string>

namespace faults {

/// What is attacked; its answer is the bits of its result, made under a `pause`.
using work = std::function<std::string()>;
/// Bits of what must not change.
using state = std::function<std::string()>;

/// Nothing fails and nothing is counted while one lives.
class pause {
   public:
    pause() noexcept;
    pause(const pause&) = delete;
    pause& operator=(const pause&) = delete;
    ~pause();
};

struct report {
    std::size_t points = 0;     ///< failures that were made
    std::size_t came_out = 0;   ///< of them, those that came out as an exception (the others were made good)
    std::string problem;        ///< what went wrong first, with its place; empty: nothing
};

inline constexpr std::size_t every_one = static_cast<std::size_t>(-1);

/// Whether allocations are under control here: not under the thread sanitizer, which has an operator new of its own, and
/// not without the options of the linker. Without, `failing_allocations` runs the work once and `allocations_in` says 0.
[[nodiscard]] bool controls_allocations() noexcept;
/// Whether calls of the system are.
[[nodiscard]] bool controls_system() noexcept;

/// Runs the work once for each N until it succeeds, letting the N-th allocation fail (operator new, malloc, calloc, realloc;
/// on any thread), and once more with all from the N-th on. What comes out must be `std::bad_alloc` or `caramel::error`, or
/// the bits of a run without failures; `unchanged` must stay as it was; no block may be left behind. At most `most` values
/// of N are tried: the first half of them one after another, the others evenly spread.
[[nodiscard]] report failing_allocations(const work& attacked, const state& unchanged = {}, std::size_t most = every_one);

/// How many allocations this makes, on all threads.
[[nodiscard]] std::size_t allocations_in(const std::function<void()>& calls);

/// Runs the work once for each N until it succeeds and each way in which the N-th call of open, mkostemp, fstat, fchmod, read,
/// write, fsync, close and rename may fail (ENOSPC, EIO, EINTR, half a block, ...), once and for good. `prepare` comes before
/// each run. `files` describes what lies on the disk: after an exception, which must be a `caramel::error`, it must be as
/// after `prepare`, or as after success where the last step alone failed (fsync or close after the renaming); without an
/// exception it and the bits of the work must be as without failures.
[[nodiscard]] report failing_files(const std::function<void()>& prepare, const work& attacked, const state& files);

/// Runs the work with no thread to be had, with one, with two and with three: the same bits each time.
[[nodiscard]] report failing_threads(const work& attacked);

/// Threads of this process, 0 where that cannot be told.
[[nodiscard]] std::size_t threads_now();
/// Whether more than so many stay. One that was joined may be counted for a moment still, until the system has cleared it away.
[[nodiscard]] bool more_threads_than(std::size_t before);

}  // namespace faults

#endif
