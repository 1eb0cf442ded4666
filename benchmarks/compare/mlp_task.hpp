#ifndef CARAMEL_BENCHMARKS_COMPARE_MLP_TASK_HPP
#define CARAMEL_BENCHMARKS_COMPARE_MLP_TASK_HPP

// The task that both programs do: a network 64-256-128-1 with ReLU learns the sign of a random linear form of 65,536
// rows of 64 standard normal numbers, by Adam with learning rate 1e-3 on mini-batches of 256. Free of both libraries.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

namespace compare {

inline constexpr std::size_t rows = 65'536, inputs = 64, first = 256, second = 128, batch = 256;

struct task {
    std::vector<float> x = std::vector<float>(rows * inputs), y = std::vector<float>(rows);

    task() {
        std::uint64_t state = 1;
        const auto uniform = [&] {  // splitmix64
            std::uint64_t z = state += 0x9e3779b97f4a7c15U;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
            z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
            return (static_cast<double>((z ^ (z >> 31)) >> 11) + 0.5) * 0x1.0p-53;
        };
        const auto normal = [&] {
            const double radius = std::sqrt(-2 * std::log(uniform()));
            return radius * std::cos(6.283185307179586 * uniform());
        };
        double form[inputs];
        for (double& w : form) w = normal();
        for (std::size_t i = 0; i < rows; ++i) {
            double sum = 0;
            for (std::size_t j = 0; j < inputs; ++j) {
                const double v = normal();
                x[i * inputs + j] = static_cast<float>(v);
                sum += v * form[j];
            }
            y[i] = sum > 0 ? 1.0F : 0.0F;
        }
    }
};

// Seconds that this thread computed: what else the machine does counts less.
inline double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
inline double wall_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The least seconds of one of `times` runs of `work`.
template <class Clock, class Work>
double least(int times, const Clock& clock, const Work& work) {
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < times; ++i) {
        const double start = clock();
        work();
        best = std::min(best, clock() - start);
    }
    return best;
}
// The same of one call, where a call is too short for the clock.
template <class Work>
double least_of_many(int times, int calls, const Work& work) {
    return least(times, thread_seconds, [&] {
               for (int i = 0; i < calls; ++i) work();
           }) / calls;
}
inline void print(const char* who, const char* what, double value) { std::printf("%s %s %.6g\n", who, what, value); }

}  // namespace compare

#endif
