#include <string>
#include <vector>

#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/data/interaction_splits.hpp>
#include <caramel/recipes/compare_recommenders.hpp>
#include <caramel/recommend/neighbors.hpp>

using namespace caramel;

TEST_CASE("compare_recommenders: popularity beside, each with its own figures", "[compare_recommenders]") {
    // Two kinds of customers, each with items of its own: neighbours see that, popularity does not.
    std::vector<sale> log;
    rng numbers(2);
    for (int c = 0; c < 60; ++c)
        for (int i = 0; i < 20; ++i)
            if (numbers.uniform() < ((c % 2 == 0) == (i < 10) ? 0.6 : 0.02)) log.push_back({c, i});
    const auto x = interactions<float>::of(log);
    const auto parts = pair_folds(x, 5, 1)[0];
    const auto &train = parts.train, &test = parts.test;
    const auto found = compare_recommenders(train, test, {.k = 5}, contender{"neighbours", item_neighbors<float>{.k = 10}},
                                            contender{"popular again", popularity<float>{}});
    REQUIRE(found.rows.size() == 3);
    CHECK(found.rows[0].name == "popularity");
    CHECK(found.best().name == "neighbours");
    CHECK(found.rows[1].p_value < 0.01);
    CHECK(found.rows[2].p_value == 1);
    CHECK(found.rows[2].ndcg.values == found.rows[0].ndcg.values);
    CHECK(found.customers == found.rows[1].recall.values.size());

    const auto task = ranking_task_of(test, 5);
    const auto lists = fit(item_neighbors<float>{.k = 10}, train)(task.queries);
    CHECK(found.rows[1].recall.values == recall_at(5, lists, task.relevant).values);
    CHECK(found.rows[1].coverage == coverage_at(5, lists, 20));
    CHECK(found.rows[1].gini == exposure_gini_at(5, lists, 20));
    CHECK(found.text().find("\nneighbours    ") != std::string::npos);
    CHECK(found.text().starts_with("at 5, "));

    // Bought again: counted only where asked for.
    CHECK(error_of([&] { (void)compare_recommenders(train, train, {}); }).code() == errc::empty_input);
    const auto again = compare_recommenders(train, train, {.k = 20, .only_new_items = false});
    CHECK(again.rows[0].recall.mean() == 1);
    CHECK(again.rows[0].coverage == 1);
    CHECK(error_of([&] { (void)compare_recommenders(train, test, {.k = 0}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)compare_recommenders(train, interactions<float>::of(std::vector<sale>{{1, 1}}), {}); }).code() == errc::bad_data);
}
