#ifndef EXAMPLES_TERMINAL_HPP
#define EXAMPLES_TERMINAL_HPP

// What the examples write to the terminal.

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include <unistd.h>

#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>

inline void title(const char* text) { std::printf("\n== %s\n", text); }
inline void says(const char* text) { std::printf("  %s\n", text); }
inline void result(const std::string& name, double value) { std::printf("result %s %.6g\n", name.c_str(), value); }

// For the last `catch (...)` of a program: says what went wrong, after all that was printed before, and is the exit code.
inline int say_error(const char* program) {
    std::fflush(stdout);
    try {
        throw;
    } catch (const caramel::error& e) {
        std::fprintf(stderr, "%s: %s (%s)\n", program, e.what(), std::string(name_of(e.code())).c_str());
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s: %s\n", program, e.what());
    }
    return 1;
}

class stopwatch {
   public:
    [[nodiscard]] double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

   private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// A bar that fills while a long step runs; only where somebody can see it. It is wiped away at the end.
inline caramel::progress_observer progress_bar(std::string what) {
    if (isatty(STDERR_FILENO) == 0) return nullptr;
    return [what = std::move(what)](const caramel::progress& p) {
        constexpr std::size_t width = 32;
        const std::size_t done = p.steps == 0 ? 0 : width * p.step / p.steps;
        if (p.step >= p.steps) std::fprintf(stderr, "\r%*s\r", static_cast<int>(what.size() + width + 12), "");
        else
            std::fprintf(stderr, "\r%s [%s%s] %3zu %%", what.c_str(), std::string(done, '#').c_str(), std::string(width - done, ' ').c_str(),
                         100 * p.step / p.steps);
        std::fflush(stderr);
        return caramel::verdict::go_on;
    };
}

#endif
