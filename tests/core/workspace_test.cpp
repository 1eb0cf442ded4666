#include <cstdint>
#include <vector>

#include <caramel/core/workspace.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("workspace: the second call gets the memory of the first", "[workspace]") {
    workspace scratch;
    const auto call = [&] {
        const workspace::frame outer(scratch);
        std::vector<const void*> at;
        for (const std::size_t n : {3U, 400U, 100'000U}) {
            const workspace::frame inner(scratch);
            at.push_back(scratch.take<double>(n).data());
        }
        return at;
    };
    const auto first = call();
    CHECK(first[0] != first[1]);
    CHECK(call() == first);
    CHECK(call() == first);
}

TEST_CASE("workspace: what was handed out stays where it is while the call runs", "[workspace]") {
    workspace scratch;
    const workspace::frame frame(scratch);
    const auto small = scratch.take<int>(4);
    small[3] = 42;
    (void)scratch.take<std::uint8_t>(1'000'000);
    CHECK(small[3] == 42);
    CHECK(reinterpret_cast<std::uintptr_t>(scratch.take<double>(1).data()) % alignof(double) == 0);
}
