#include <atomic>
#include <cstddef>
#include <functional>
#include <vector>

#include <caramel/core/team.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("team: every piece once, round after round, for any number of threads", "[team]") {
    for (const std::size_t threads : {0U, 1U, 2U, 3U, 8U}) {
        detail::team team({threads});
        std::vector<std::size_t> done(17);  // pieces write next to each other, and each round reads what the last one wrote
        for (std::size_t round = 1; round <= 500; ++round) {
            const std::size_t pieces = round % 18;
            std::atomic<std::size_t> sum{0};
            team.run(pieces, [&](std::size_t i) {
                done[i] += round;
                sum += i + 1;
            });
            REQUIRE(sum == pieces * (pieces + 1) / 2);
        }
        std::size_t expected = 0;
        for (std::size_t round = 1; round <= 500; ++round) expected += round % 18 > 4 ? round : 0;
        CHECK(done[4] == expected);
    }
}

// A thread that is late in seeing that a round has ended must not take a piece of the next one before that has begun:
// the rounds here are short and of changing size, so that threads are late all the time.
TEST_CASE("team: a late thread takes nothing of a round that has not begun", "[team]") {
    detail::team team({4});
    std::vector<std::atomic<int>> taken(9);
    for (std::size_t round = 0; round < 20'000; ++round) {
        const std::size_t pieces = 2 + round % 8;
        team.run(pieces, [&](std::size_t i) { taken[i].fetch_add(1, std::memory_order_relaxed); });
        for (std::size_t i = 0; i < taken.size(); ++i)
            if (taken[i].exchange(0, std::memory_order_relaxed) != (i < pieces ? 1 : 0)) FAIL("round " << round << ", piece " << i);
    }
}

TEST_CASE("team: a host's executor runs the pieces", "[team]") {
    std::vector<std::size_t> order;
    detail::team team({4, [](std::size_t tasks, const std::function<void(std::size_t)>& task) {
                           for (std::size_t i = tasks; i-- > 0;) task(i);
                       }});
    CHECK(team.size() > 1);
    team.run(3, [&](std::size_t i) { order.push_back(i); });
    CHECK(order == std::vector<std::size_t>{2, 1, 0});
}
