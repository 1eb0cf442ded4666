#include <atomic>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <caramel/core/parallel.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("parallel_for: every task once, for any number of threads", "[parallel]") {
    for (const std::size_t threads : {0U, 1U, 2U, 3U, 8U, 200U}) {
        std::vector<std::atomic<int>> done(100);
        parallel_for(done.size(), {threads}, [&](std::size_t i) { ++done[i]; });
        for (const auto& n : done) CHECK(n == 1);
    }
}

TEST_CASE("parallel_for: the exception of the lowest task passes through, after all have ended", "[parallel]") {
    for (const std::size_t threads : {1U, 4U}) {
        std::atomic<int> ended{0};
        try {
            parallel_for(20, {threads}, [&](std::size_t i) {
                if (i == 7 || i == 13) throw std::runtime_error(std::to_string(i));
                ++ended;
            });
            FAIL("nothing was thrown");
        } catch (const std::runtime_error& e) {
            CHECK(std::string(e.what()) == "7");
        }
        if (threads > 1) CHECK(ended == 18);
    }
}

TEST_CASE("parallel_for: a host's executor runs the tasks in any order", "[parallel]") {
    std::vector<int> order;
    const executor backwards = [](std::size_t tasks, const std::function<void(std::size_t)>& task) {
        for (std::size_t i = tasks; i-- > 0;) task(i);
    };
    parallel_for(3, {4, backwards}, [&](std::size_t i) { order.push_back(static_cast<int>(i)); });
    CHECK(order == std::vector<int>{2, 1, 0});
}

TEST_CASE("parallel_blocks: blocks depend on the data alone", "[parallel]") {
    std::vector<std::size_t> lengths(3);
    parallel_blocks(25, 10, {2}, [&](std::size_t begin, std::size_t end, std::size_t number) { lengths[number] = end - begin; });
    CHECK(lengths == std::vector<std::size_t>{10, 10, 5});
    parallel_blocks(0, 10, {2}, [&](std::size_t, std::size_t, std::size_t) { FAIL("no block of nothing"); });
}
