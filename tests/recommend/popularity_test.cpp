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

TEST_CASE("popularity: figures on MovieLens ml-latest-small", "[popularity]") {
    SHARED_OR_SKIP(ratings, "data/ml_latest_small/ratings.csv");
    const auto data = ml_latest_small<float>(ratings);
    check_ranking(fit(popularity<float>{}, data.train), data.test, {.043219, .019786, .064083, .024935, .018378});
}
