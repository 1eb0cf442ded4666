// That the faults of tests/support/faults.hpp are found where they are: what is wrong on purpose is reported.

#include <cstdlib>
#include <new>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/io/file.hpp>

#include "io/io_support.hpp"
#include "support/catch.hpp"
#include "support/faults.hpp"

namespace harness_test {

using namespace caramel;

#ifndef CARAMEL_TESTS_THREADS_ONLY
int* forgotten = nullptr;
void* volatile seen = nullptr;  // so that no compiler leaves out what is allocated for nothing

bool ends_with(const std::string& text, const std::string& end) { return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0; }

std::string sum_of_two_vectors() {
    const std::vector<int> a(10, 1), b(20, 2);
    const int sum = std::accumulate(a.begin(), a.end(), 0) + std::accumulate(b.begin(), b.end(), 0);
    const faults::pause no_faults;
    return std::to_string(sum);
}

TEST_CASE("faults: the tests are linked so that allocations and calls can fail", "[faults]") {
    CHECK(faults::controls_allocations());
    CHECK(faults::controls_system());
}
TEST_CASE("faults: every allocation fails once, and once with all that follow", "[faults]") {
    const auto report = faults::failing_allocations(sum_of_two_vectors);
    CHECK(report.problem == "");
    CHECK(report.points == 4);
    CHECK(report.came_out == 4);
    CHECK(faults::failing_allocations(sum_of_two_vectors, {}, 1).points == 2);
    CHECK(faults::allocations_in([] { (void)sum_of_two_vectors(); }) == 2);
    CHECK(faults::allocations_in([] {}) == 0);
}
TEST_CASE("faults: malloc, calloc, realloc and aligned memory fail as well", "[faults]") {
    struct alignas(64) wide {
        int x[16];
    };
    const auto report = faults::failing_allocations([] {
        seen = std::malloc(8);
        if (seen == nullptr) throw std::bad_alloc();
        void* const more = std::realloc(seen, 80);
        if (more == nullptr) {
            std::free(seen);
            throw std::bad_alloc();
        }
        seen = more;
        std::free(seen);
        seen = std::calloc(3, 4);
        if (seen == nullptr) throw std::bad_alloc();
        std::free(seen);
        std::vector<wide> aligned(3);
        seen = aligned.data();
        seen = new int[7];
        delete[] static_cast<int*>(seen);
        return std::string();
    });
    CHECK(report.problem == "");
    CHECK(report.points == 10);
}
TEST_CASE("faults: what a failed allocation must not do is reported", "[faults]") {
    SECTION("a leak") {
        const auto report = faults::failing_allocations([] {
            forgotten = new int(1);
            const std::vector<int> v(3);
            delete forgotten;
            return std::string();
        });
        CHECK(report.problem == "allocation 2: 1 blocks were not freed");
        delete forgotten;  // of that run
    }
    SECTION("something else comes out") {
        const auto report = faults::failing_allocations([] {
            try {
                return sum_of_two_vectors();
            } catch (const std::bad_alloc&) {
                throw std::runtime_error("lost");
            }
        });
        CHECK(report.problem == "allocation 1: an exception of another type: lost");
    }
    SECTION("another result") {
        const auto report = faults::failing_allocations([] {
            try {
                return sum_of_two_vectors();
            } catch (const std::bad_alloc&) {
                return std::string("0");
            }
        });
        CHECK(report.problem == "allocation 1: another result");
    }
    SECTION("a change") {
        int state = 0;
        const auto report = faults::failing_allocations(
            [&] {
                state = 1;
                std::string sum = sum_of_two_vectors();
                state = 0;
                return sum;
            },
            [&] { return std::to_string(state); });
        CHECK(report.problem == "allocation 1: what must not change has changed");
    }
}
TEST_CASE("faults: allocations fail on other threads, too", "[faults]") {
    std::vector<int> sums(6);
    const auto report = faults::failing_allocations([&] {
        parallel_for(6, {.threads = 3}, [&](std::size_t i) {
            const std::vector<int> v(10, static_cast<int>(i));
            sums[i] = std::accumulate(v.begin(), v.end(), 0);
        });
        const faults::pause no_faults;
        return std::to_string(sums[5]);
    });
    CHECK(report.problem == "");
    CHECK(report.points >= 2 * 7);
}

TEST_CASE("faults: a file that is written in place is caught", "[faults]") {
    const temporary_folder folder;
    const std::string path = (folder / "a").string();
    const auto prepare = [&] { replace_file(path, as_bytes_of("old")); };
    const auto state = [&] { return text_of(read_file(path)); };
    const auto report = faults::failing_files(
        prepare,
        [&] {
            const detail::descriptor file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
            if (!file.is_open() || ::write(file.get(), "new", 3) != 3) fail(errc::io, place{}, "cannot write");
            return std::string();
        },
        state);
    CHECK(ends_with(report.problem, ": the files changed"));
}
#endif

TEST_CASE("faults: fewer threads than asked for do the same work", "[faults]") {
    const auto report = faults::failing_threads([] {
        std::vector<std::string> parts(10);
        parallel_for(10, {.threads = 4}, [&](std::size_t i) { parts[i] = std::to_string(i * i); });
        std::string all;
        for (const std::string& part : parts) all += part + ' ';
        return all;
    });
    CHECK(report.problem == "");
    CHECK(report.points == 3);
}
TEST_CASE("faults: a thread that cannot be started is reported where that matters", "[faults]") {
    CHECK(faults::failing_threads([] {
              std::string text = "0";
              const std::jthread writer([&] { text = "1"; });
              return std::string("2");
          }).problem.starts_with("thread 1 and all that follow: an exception: "));
}

}  // namespace harness_test
