#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "recommend/ml_latest.hpp"
#include "recommend/shop.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

#include <caramel/pipeline.hpp>
#include <caramel/recommend/popularity.hpp>

using namespace caramel;

TEMPLATE_TEST_CASE("popularity: counts customers, not purchases", "[popularity]", CARAMEL_TEST_SCALARS) {
    const std::vector<sale> log{{1, 10, 100}, {1, 20}, {2, 20}, {2, 20}, {3, 30}, {4, 30}, {4, 40}};
    const auto model = fit(popularity<TestType>{}, interactions<TestType>::of(log));
    using list = std::vector<recommendation<TestType>>;
    CHECK(model(query{.customer = 3}) == list{{1, 2}, {0, 1}, {3, 1}});  // 20 by two; 10 and 40 by one, the smaller id first
    CHECK(model(query{.customer = 3, .n = 1, .exclude_seen = false}) == list{{1, 2}});
    CHECK(model.score(4, {40, 20, 10}) == std::vector<TestType>{1, 2, 1});
    CHECK(model.items().number(1) == 20);
}

TEST_CASE("popularity: customers of late count more", "[popularity]") {
    struct dated {
        int customer, item;
        std::chrono::sys_seconds time;
    };
    const auto day = [](int n) { return std::chrono::sys_seconds(std::chrono::hours(24 * n)); };
    const std::vector<dated> log{{1, 10, day(0)}, {2, 10, day(20)}, {3, 20, day(40)}, {4, 30, day(35)}, {4, 30, day(0)}};
    const auto x = interactions<double>::of(log);
    const auto model = fit(popularity<double>{.half_life_days = 20}, x);
    const auto scores = model.score(1, {10, 20, 30});
    CHECK(scores[0] == Approx(0.25 + 0.5));
    CHECK(scores[1] == 1);
    CHECK(scores[2] == Approx(std::exp2(-5.0 / 20)));  // the latest purchase alone
    CHECK_FALSE(model.purchases().has_times());
    CHECK(fit(popularity<double>{}, x).score(1, {10})[0] == 2);
    CHECK(error_of([&] { (void)fit(popularity<double>{.half_life_days = 20}, x.without_times()); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)fit(popularity<double>{.half_life_days = -1}, x); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)popularity_model<double>(x, {1, 2}); }).code() == errc::bad_data);
}

TEST_CASE("popularity: figures on MovieLens ml-latest-small", "[popularity]") {
    SHARED_OR_SKIP(ratings, "data/ml_latest_small/ratings.csv");
    const auto data = ml_latest_small<float>(ratings);
    check_ranking(fit(popularity<float>{}, data.train), data.test, {.043219, .019786, .064083, .024935, .018378});
    const auto task = ranking_task_of(data.test, data.test.items().size());
    CHECK(full_ranking_auc(fit(popularity<float>{}, data.train)(task.queries), task.relevant).mean() == Approx(.811568).margin(1e-6).epsilon(0));
}
