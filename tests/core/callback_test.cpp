#include <functional>
#include <memory>
#include <string>

#include <caramel/core/callback.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("callback: holds anything that can be called so, or nothing", "[callback]") {
    callback<int(int)> twice = [](int x) { return 2 * x; };
    CHECK(twice);
    CHECK(twice(21) == 42);
    CHECK_FALSE(callback<int(int)>{});
    CHECK_FALSE(callback<int(int)>(nullptr));
    CHECK_FALSE(callback<int(int)>(std::function<int(int)>{}));
    const std::function<int(int)> wrapped = twice;
    CHECK(callback<int(int)>(wrapped)(4) == 8);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<callback<int(int)>, std::string>);
}

TEST_CASE("callback: copies share the callable, which dies with the last of them", "[callback]") {
    auto kept = std::make_shared<int>(0);
    {
        callback<void()> count = [kept, calls = 0]() mutable { *kept = ++calls; };
        auto copy = count;
        count();
        copy();
        CHECK(*kept == 2);
        count = nullptr;
        copy();
        CHECK(*kept == 3);
    }
    CHECK(kept.use_count() == 1);
}
