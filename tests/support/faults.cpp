#include "support/faults.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <system_error>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include <caramel/core/error.hpp>

#if defined(__SANITIZE_THREAD__)
#define CARAMEL_FAULTS_NEW 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CARAMEL_FAULTS_NEW 0
#endif
#endif
#ifndef CARAMEL_FAULTS_NEW
#define CARAMEL_FAULTS_NEW 1
#endif

// The linker sends calls of `name` to __wrap_name, and those of __real_name to where `name` led (--wrap). Without that
// option the real ones are missing, hence weak.
extern "C" {
[[gnu::weak]] void* __real_malloc(std::size_t);
[[gnu::weak]] void* __real_calloc(std::size_t, std::size_t);
[[gnu::weak]] void* __real_realloc(void*, std::size_t);
[[gnu::weak]] void __real_free(void*);
[[gnu::weak]] int __real_open(const char*, int, ...);
[[gnu::weak]] int __real_mkostemp(char*, int);
[[gnu::weak]] int __real_fstat(int, struct stat*);
[[gnu::weak]] int __real_fchmod(int, mode_t);
[[gnu::weak]] ssize_t __real_read(int, void*, std::size_t);
[[gnu::weak]] ssize_t __real_write(int, const void*, std::size_t);
[[gnu::weak]] int __real_fsync(int);
[[gnu::weak]] int __real_close(int);
[[gnu::weak]] int __real_rename(const char*, const char*);
[[gnu::weak]] char* __real_realpath(const char*, char*);
using start_thread = void (*)();
[[gnu::weak]] void __real__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(std::thread*, std::thread::_State_ptr*, start_thread);
}

namespace faults {
namespace {

// ---- which call fails -------------------------------------------------------------------------------------------------
class plan {
   public:
    void start(std::size_t fail_at, bool sticky) noexcept {
        fail_at_ = fail_at;
        sticky_ = sticky;
        calls_ = 0;
        failures_ = 0;
        armed_ = true;
    }
    void stop() noexcept { armed_ = false; }
    [[nodiscard]] bool armed() const noexcept;
    [[nodiscard]] bool next_fails() noexcept {
        if (!armed()) return false;
        const std::size_t n = ++calls_;
        const bool fails = n == fail_at_ || (sticky_ && n > fail_at_);
        if (fails) ++failures_;
        return fails;
    }
    [[nodiscard]] std::size_t calls() const noexcept { return calls_; }
    [[nodiscard]] bool failed() const noexcept { return failures_ > 0; }

   private:
    std::atomic<bool> armed_{false};
    std::size_t fail_at_ = 0;  // from 1; 0: none
    bool sticky_ = false;
    std::atomic<std::size_t> calls_{0}, failures_{0};
};
std::atomic<int> pauses{0};
bool plan::armed() const noexcept { return armed_.load(std::memory_order_relaxed) && pauses.load(std::memory_order_relaxed) == 0; }

plan allocations;

// ---- what was allocated and not freed ---------------------------------------------------------------------------------
// A table of addresses without any allocation of its own.
class blocks {
   public:
    void add(void* p) noexcept {
        const holding hold(*this);
        if (size_ == slots / 2) {
            overflow_ = true;
            return;
        }
        std::size_t i = home(p);
        while (at_[i] != nullptr) i = (i + 1) % slots;
        at_[i] = p;
        ++size_;
    }
    bool remove(void* p) noexcept {
        const holding hold(*this);
        std::size_t i = home(p);
        while (at_[i] != p) {
            if (at_[i] == nullptr) return false;
            i = (i + 1) % slots;
        }
        --size_;
        // What lies behind moves up, unless it would land before its home.
        for (std::size_t j = i;;) {
            j = (j + 1) % slots;
            if (at_[j] == nullptr) break;
            if ((j - home(at_[j])) % slots >= (j - i) % slots) {
                at_[i] = at_[j];
                i = j;
            }
        }
        at_[i] = nullptr;
        return true;
    }
    void clear() noexcept {
        const holding hold(*this);
        if (size_ > 0)
            for (void*& p : at_) p = nullptr;
        size_ = 0;
        overflow_ = false;
    }
    [[nodiscard]] std::size_t size() noexcept {
        const holding hold(*this);
        return size_;
    }
    [[nodiscard]] bool overflow() const noexcept { return overflow_; }

   private:
    static constexpr std::size_t slots = std::size_t{1} << 20;
    struct holding {
        explicit holding(blocks& b) noexcept : held(b.lock_) {
            while (held.test_and_set(std::memory_order_acquire)) {}
        }
        holding(const holding&) = delete;
        holding& operator=(const holding&) = delete;
        ~holding() { held.clear(std::memory_order_release); }
        std::atomic_flag& held;
    };
    static std::size_t home(const void* p) noexcept { return (reinterpret_cast<std::uintptr_t>(p) >> 4) * 0x9E3779B97F4A7C15ULL >> 44; }

    std::atomic_flag lock_;
    std::array<void*, slots> at_{};
    std::size_t size_ = 0;
    bool overflow_ = false;
};
blocks live;
std::atomic<bool> tracking{false};

[[nodiscard]] bool tracks() noexcept { return tracking.load(std::memory_order_relaxed); }

void* noted(void* p) noexcept {
    if (p != nullptr && allocations.armed()) live.add(p);
    return p;
}
void* get(std::size_t n) noexcept {
    if (allocations.next_fails()) return nullptr;
    if (n == 0) n = 1;
    return noted(__real_malloc != nullptr ? __real_malloc(n) : std::malloc(n));
}
#if CARAMEL_FAULTS_NEW
void* get(std::size_t n, std::size_t alignment) noexcept {
    if (allocations.next_fails()) return nullptr;
    return noted(std::aligned_alloc(alignment, (n + alignment - 1) / alignment * alignment + (n == 0 ? alignment : 0)));
}
void* or_throw(void* p) {
    if (p == nullptr) throw std::bad_alloc();
    return p;
}
#endif
void give_back(void* p) noexcept {
    if (p != nullptr && tracks()) live.remove(p);
    if (__real_free != nullptr) __real_free(p);
    else std::free(p);
}

// ---- where we are, in case the program ends ---------------------------------------------------------------------------
char where[200] = "";
void say_where() noexcept {
    static std::terminate_handler before = nullptr;
    static const bool once = [] {
        before = std::set_terminate([] {
            const char text[] = "faults: std::terminate at ";
            if (where[0] != '\0' && (::write(2, text, sizeof text - 1) < 0 || ::write(2, where, std::strlen(where)) < 0 || ::write(2, "\n", 1) < 0)) std::abort();
            if (before != nullptr) before();
            std::abort();
        });
        return true;
    }();
    (void)once;
}

// ---- one run ------------------------------------------------------------------------------------------------------------
enum class ending { value, allowed, other };
struct result {
    ending how = ending::value;
    std::string text;  // the bits, or what came out
};
template <class Stop>
result run_once(const work& attacked, bool allow_bad_alloc, const Stop& stop) {
    result out;
    try {
        out.text = attacked();
        stop();
    } catch (const std::bad_alloc& e) {
        stop();
        out = {allow_bad_alloc ? ending::allowed : ending::other, e.what()};
    } catch (const caramel::error& e) {
        stop();
        out = {ending::allowed, e.what()};
    } catch (const std::exception& e) {
        stop();
        out = {ending::other, e.what()};
    } catch (...) {
        stop();
        out = {ending::other, "what is no std::exception"};
    }
    return out;
}

}  // namespace

pause::pause() noexcept { ++pauses; }
pause::~pause() { --pauses; }

bool controls_allocations() noexcept { return CARAMEL_FAULTS_NEW != 0 && __real_malloc != nullptr; }
bool controls_system() noexcept { return __real_write != nullptr; }

report failing_allocations(const work& attacked, const state& unchanged, std::size_t most) {
    say_where();
    report out;
    const auto bits = [&] { return unchanged ? unchanged() : std::string(); };
    const std::string expected = attacked();  // and whatever is made once for all is made here
    const std::string before = bits();
    if (!controls_allocations()) return out;

    std::size_t total = 0;
    // False when nothing failed any more, or something went wrong.
    const auto attack = [&](std::size_t n, bool sticky) {
        std::snprintf(where, sizeof where, "allocation %zu%s", n, sticky ? " and all that follow" : "");
        live.clear();
        tracking = true;
        allocations.start(n, sticky);
        const result r = run_once(attacked, true, [] { allocations.stop(); });
        tracking = false;
        const std::size_t left = live.size();
        const bool failed = allocations.failed();
        total = allocations.calls();
        const auto wrong = [&](const std::string& what) {
            if (out.problem.empty()) out.problem = std::string(where) + ": " + what;
        };
        if (n == 0) std::snprintf(where, sizeof where, "no failure");
        if (r.how == ending::other) wrong("an exception of another type: " + r.text);
        if (r.how == ending::allowed && !failed) wrong("an exception without a failure: " + r.text);
        if (r.how == ending::value && r.text != expected) wrong("another result");
        if (live.overflow()) wrong("too many blocks to watch");
        else if (left > 0) wrong(std::to_string(left) + " blocks were not freed");
        if (bits() != before) wrong("what must not change has changed");
        out.points += failed ? 1 : 0;
        out.came_out += r.how == ending::value ? 0 : 1;
        where[0] = '\0';
        return failed && out.problem.empty();
    };
    attack(0, false);
    const std::size_t in_a_row = total <= most ? every_one : most / 2, wanted = total;
    std::size_t n = 1;
    while (n <= in_a_row && out.problem.empty() && attack(n, false)) {
        attack(n, true);
        ++n;
    }
    if (in_a_row != every_one) {
        const std::size_t others = most - in_a_row;
        for (std::size_t i = 1; i <= others && out.problem.empty(); ++i) {
            n = in_a_row + (wanted - in_a_row) * i / others;
            attack(n, false);
            if (out.problem.empty()) attack(n, true);
        }
    }
    return out;
}

std::size_t allocations_in(const std::function<void()>& calls) {
    allocations.start(0, false);
    try {
        calls();
    } catch (...) {
        allocations.stop();
        throw;
    }
    allocations.stop();
    return controls_allocations() ? allocations.calls() : 0;
}

// ---- calls of the system --------------------------------------------------------------------------------------------------
namespace {

enum call : std::size_t { call_open, call_mkostemp, call_fstat, call_fchmod, call_read, call_write, call_fsync, call_close, call_rename, n_calls };
constexpr std::array<const char*, n_calls> call_names{"open", "mkostemp", "fstat", "fchmod", "read", "write", "fsync", "close", "rename"};
constexpr int half = -1, nothing = -2;  // instead of an errno: half of the bytes, or none of them

plan system_calls;
call failing_call = n_calls;
int failing_how = 0;

[[nodiscard]] bool fails(call which) noexcept { return which == failing_call && system_calls.next_fails(); }
int failed_call() noexcept {
    errno = failing_how;
    return -1;
}

struct way {
    call which;
    int how;
    const char* name;
};
constexpr std::array ways{
    way{call_open, EMFILE, "EMFILE"},     way{call_open, EACCES, "EACCES"},    way{call_open, EINTR, "EINTR"},   way{call_mkostemp, ENOSPC, "ENOSPC"},
    way{call_mkostemp, EROFS, "EROFS"},   way{call_fstat, EIO, "EIO"},         way{call_fchmod, EPERM, "EPERM"}, way{call_read, EIO, "EIO"},
    way{call_read, EINTR, "EINTR"},       way{call_read, half, "half"},        way{call_read, nothing, "none"},  way{call_write, ENOSPC, "ENOSPC"},
    way{call_write, EIO, "EIO"},          way{call_write, EINTR, "EINTR"},     way{call_write, half, "half"},    way{call_write, nothing, "none"},
    way{call_fsync, EIO, "EIO"},          way{call_fsync, ENOSPC, "ENOSPC"},   way{call_fsync, EINTR, "EINTR"},  way{call_close, EIO, "EIO"},
    way{call_close, EINTR, "EINTR"},      way{call_rename, ENOSPC, "ENOSPC"},  way{call_rename, EIO, "EIO"},     way{call_rename, EXDEV, "EXDEV"},
};

}  // namespace

report failing_files(const std::function<void()>& prepare, const work& attacked, const state& files) {
    say_where();
    report out;
    prepare();
    const std::string before = files();
    const std::string expected = attacked();
    const std::string after = files();
    if (!controls_system()) return out;
    for (const way& w : ways)
        for (const bool sticky : {false, true}) {
            if (sticky && w.how == EINTR) continue;  // calls that are interrupted for ever are repeated for ever
            for (std::size_t n = 1;; ++n) {
                prepare();
                std::snprintf(where, sizeof where, "%s %zu%s: %s", call_names[w.which], n, sticky ? " and all that follow" : "", w.name);
                failing_call = w.which;
                failing_how = w.how;
                system_calls.start(n, sticky);
                const result r = run_once(attacked, false, [] { system_calls.stop(); });
                failing_call = n_calls;
                const bool failed = system_calls.failed();
                const std::string found = files();
                const auto wrong = [&](const std::string& what) {
                    if (out.problem.empty()) out.problem = std::string(where) + ": " + what;
                };
                if (r.how == ending::other) wrong("an exception of another type: " + r.text);
                if (r.how == ending::allowed && !failed) wrong("an exception without a failure: " + r.text);
                if (r.how == ending::value && (r.text != expected || found != after)) wrong("another result");
                const bool renamed = (w.which == call_fsync || w.which == call_close) && found == after;
                if (r.how != ending::value && found != before && !renamed) wrong("the files changed");
                out.points += failed ? 1 : 0;
                out.came_out += r.how == ending::value ? 0 : 1;
                where[0] = '\0';
                if (!failed || !out.problem.empty()) break;
            }
            if (!out.problem.empty()) return out;
        }
    return out;
}

// ---- threads ----------------------------------------------------------------------------------------------------------------
namespace {
plan thread_starts;
}

report failing_threads(const work& attacked) {
    say_where();
    report out;
    const std::string expected = attacked();
    const std::size_t before = threads_now();
    for (std::size_t n = 1; n <= 4 && out.problem.empty(); ++n) {
        std::snprintf(where, sizeof where, "thread %zu and all that follow", n);
        thread_starts.start(n, true);
        const result r = run_once(attacked, false, [] { thread_starts.stop(); });
        if (r.how != ending::value) out.problem = std::string(where) + ": an exception: " + r.text;
        else if (r.text != expected) out.problem = std::string(where) + ": another result";
        else if (more_threads_than(before)) out.problem = std::string(where) + ": a thread is left";
        out.points += thread_starts.failed() ? 1 : 0;
        where[0] = '\0';
    }
    return out;
}

std::size_t threads_now() {
    std::error_code problem;
    std::size_t n = 0;
    for (std::filesystem::directory_iterator i("/proc/self/task", problem), end; !problem && i != end; i.increment(problem)) ++n;
    return n;
}
bool more_threads_than(std::size_t before) {
    for (int waits = 0; threads_now() > before; ++waits) {
        if (waits == 10'000) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

}  // namespace faults

// ---- what the linker and the language call instead ----------------------------------------------------------------------------
extern "C" {
void* __wrap_malloc(std::size_t n);
void* __wrap_calloc(std::size_t n, std::size_t size);
void* __wrap_realloc(void* p, std::size_t n);
void __wrap_free(void* p);
int __wrap_open(const char* path, int flags, ...);
int __wrap_mkostemp(char* name, int flags);
int __wrap_fstat(int fd, struct stat* info);
int __wrap_fchmod(int fd, mode_t mode);
ssize_t __wrap_read(int fd, void* to, std::size_t n);
ssize_t __wrap_write(int fd, const void* from, std::size_t n);
int __wrap_fsync(int fd);
int __wrap_close(int fd);
int __wrap_rename(const char* from, const char* to);
char* __wrap_realpath(const char* path, char* to);
void __wrap__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(std::thread* self, std::thread::_State_ptr* task, start_thread depend);

void* __wrap_malloc(std::size_t n) { return faults::get(n); }
void* __wrap_calloc(std::size_t n, std::size_t size) {
    if (faults::allocations.next_fails()) return nullptr;
    return faults::noted(__real_calloc(n, size));
}
void* __wrap_realloc(void* p, std::size_t n) {
    if (faults::allocations.next_fails()) return nullptr;
    if (p != nullptr && faults::tracks()) faults::live.remove(p);
    return faults::noted(__real_realloc(p, n));
}
void __wrap_free(void* p) { faults::give_back(p); }

int __wrap_open(const char* path, int flags, ...) {
    if (faults::fails(faults::call_open)) return faults::failed_call();
    va_list more;
    va_start(more, flags);
    const unsigned mode = va_arg(more, unsigned);  // read by the system only where a file may be made
    va_end(more);
    return __real_open(path, flags, mode);
}
int __wrap_mkostemp(char* name, int flags) { return faults::fails(faults::call_mkostemp) ? faults::failed_call() : __real_mkostemp(name, flags); }
int __wrap_fstat(int fd, struct stat* info) { return faults::fails(faults::call_fstat) ? faults::failed_call() : __real_fstat(fd, info); }
int __wrap_fchmod(int fd, mode_t mode) { return faults::fails(faults::call_fchmod) ? faults::failed_call() : __real_fchmod(fd, mode); }
ssize_t __wrap_read(int fd, void* to, std::size_t n) {
    if (!faults::fails(faults::call_read)) return __real_read(fd, to, n);
    if (faults::failing_how == faults::half) return __real_read(fd, to, (n + 1) / 2);
    return faults::failing_how == faults::nothing ? 0 : faults::failed_call();
}
ssize_t __wrap_write(int fd, const void* from, std::size_t n) {
    if (!faults::fails(faults::call_write)) return __real_write(fd, from, n);
    if (faults::failing_how == faults::half) return __real_write(fd, from, (n + 1) / 2);
    return faults::failing_how == faults::nothing ? 0 : faults::failed_call();
}
int __wrap_fsync(int fd) { return faults::fails(faults::call_fsync) ? faults::failed_call() : __real_fsync(fd); }
int __wrap_close(int fd) {  // closed it is in any case, as on Linux
    const int answer = __real_close(fd);
    return faults::fails(faults::call_close) ? faults::failed_call() : answer;
}
int __wrap_rename(const char* from, const char* to) { return faults::fails(faults::call_rename) ? faults::failed_call() : __real_rename(from, to); }
char* __wrap_realpath(const char* path, char* to) {
    if (to != nullptr) return __real_realpath(path, to);
    if (faults::allocations.next_fails()) {
        errno = ENOMEM;
        return nullptr;
    }
    return static_cast<char*>(faults::noted(__real_realpath(path, to)));
}

// What std::thread's constructor calls; the state is passed by address, as every class with a destructor.
void __wrap__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(std::thread* self, std::thread::_State_ptr* task, start_thread depend) {
    if (faults::thread_starts.next_fails()) throw std::system_error(EAGAIN, std::generic_category());
    __real__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(self, task, depend);
}
}

#if CARAMEL_FAULTS_NEW
// Not inlined: g++ 12 would take the pairs for mismatches.
[[gnu::noinline]] void* operator new(std::size_t n) { return faults::or_throw(faults::get(n)); }
[[gnu::noinline]] void* operator new[](std::size_t n) { return faults::or_throw(faults::get(n)); }
[[gnu::noinline]] void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return faults::get(n); }
[[gnu::noinline]] void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return faults::get(n); }
[[gnu::noinline]] void* operator new(std::size_t n, std::align_val_t a) { return faults::or_throw(faults::get(n, static_cast<std::size_t>(a))); }
[[gnu::noinline]] void* operator new[](std::size_t n, std::align_val_t a) { return faults::or_throw(faults::get(n, static_cast<std::size_t>(a))); }
[[gnu::noinline]] void operator delete(void* p) noexcept { faults::give_back(p); }
[[gnu::noinline]] void operator delete[](void* p) noexcept { faults::give_back(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { faults::give_back(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept { faults::give_back(p); }
[[gnu::noinline]] void operator delete(void* p, const std::nothrow_t&) noexcept { faults::give_back(p); }
[[gnu::noinline]] void operator delete[](void* p, const std::nothrow_t&) noexcept { faults::give_back(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { faults::give_back(p); }
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t) noexcept { faults::give_back(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { faults::give_back(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { faults::give_back(p); }
#endif
