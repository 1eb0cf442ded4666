// Choosing a recommender, and the shares of a blend, on purchases that no candidate has seen.
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <tuple>
#include <variant>
#include <vector>

#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/evaluate/ranking.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/recommend/search_recommenders.hpp>

using namespace caramel;

namespace {

// Five groups of twelve customers, each with eight items of its own; a customer bought three of them, and buys two more next.
struct blocks {
    interactions<float> train, next;
};
blocks block_shop(std::uint64_t seed) {
    rng random(seed);
    std::vector<sale> log, later;
    for (int c = 0; c < 60; ++c) {
        const auto order = random.permutation(8);
        for (std::size_t k = 0; k < 5; ++k) (k < 3 ? log : later).push_back({c, 8 * (c % 5) + static_cast<int>(order[k])});
    }
    for (int item = 0; item < 40; ++item) log.push_back({60 + item / 8, item});  // five who have all, so that every item is known
    blocks out;
    out.train = interactions<float>::of(log);
    out.next = interactions<float>::of(later, {.customers = &out.train.customers(), .items = &out.train.items()});
    return out;
}
template <class Model>
double gain_of(const Model& model, const blocks& shop) {
    const auto task = ranking_task_of(shop.next.pairs_not_in(shop.train), 10);
    return ndcg_at(10, model(task.queries), task.relevant).mean();
}
const als<float> small{.n_factors = 6, .epochs = 3};

}  // namespace

TEST_CASE("search_recommenders: the best of all kinds, popularity beside it", "[search]") {
    const auto shop = block_shop(1);
    const std::tuple lists(std::vector{popularity<float>{}}, std::vector{ease<float>{.regularization = 1e9, .max_items = 2}, ease<float>{.regularization = 5}},
                           std::vector{item_neighbors<float>{.k = 1}});
    const auto found = search_recommenders(lists, shop.train, shop.next);
    REQUIRE(found.trials.size() == 4);
    CHECK(found.trials[0].recipe == "popularity");
    CHECK(found.popularity_ndcg == Approx(gain_of(fit(popularity<float>{}, shop.train), shop)));
    CHECK(found.trials[0].ndcg == found.popularity_ndcg);
    CHECK(found.trials[1].ndcg == -1);  // refused: too many items
    CHECK(found.trials[2].ndcg == Approx(gain_of(fit(ease<float>{.regularization = 5}, shop.train), shop)));
    CHECK(found.trials[3].ndcg == Approx(gain_of(fit(item_neighbors<float>{.k = 1}, shop.train), shop)));
    CHECK(found.kind == "ease");
    CHECK(found.place == 1);
    CHECK(std::get<ease<float>>(found.best).regularization == 5);
    CHECK(found.ndcg > found.popularity_ndcg);
    CHECK(gain_of(found.fit(shop.train), shop) == Approx(found.ndcg));
    const auto threaded = search_recommenders(lists, shop.train, shop.next, {.threads = 3});
    CHECK(threaded.trials == found.trials);

    std::size_t heard = 0;
    const auto stopped = search_recommenders(lists, shop.train, shop.next, {.on_progress = [&](const caramel::progress& p) {
                                                 CHECK(p.steps == 4);
                                                 return ++heard == 2 ? verdict::stop : verdict::go_on;
                                             }});
    CHECK(stopped.trials.size() == 2);
    CHECK(stopped.kind == "popularity");
}

TEST_CASE("search_recommenders: fewer customers, nothing to judge by, nothing to try", "[search][error]") {
    const auto shop = block_shop(2);
    const std::tuple some(std::vector{popularity<float>{}});
    CHECK(search_recommenders(some, shop.train, shop.next, {}, 7).popularity_ndcg != search_recommenders(some, shop.train, shop.next).popularity_ndcg);
    CHECK(error_of([&] { (void)search_recommenders(some, shop.train, shop.train); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)search_recommenders(some, shop.train, shop.next, {}, 0); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)search_recommenders(std::tuple(std::vector<popularity<float>>{}), shop.train, shop.next); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)search_recommenders(some, shop.train, interactions<float>::of(std::vector<sale>{{1, 1}})); }).code() == errc::bad_data);
}

TEST_CASE("best_recommender: of the house", "[search]") {
    const auto shop = block_shop(3);
    const auto found = best_recommender(shop.train, shop.next, {}, false, small,
                                        {.weights = {weighting::ones}, .unobserved_weight = {.3}, .regularization = {.01}, .epochs = {3}});
    CHECK(found.ndcg >= .7);
    CHECK(found.ndcg > found.popularity_ndcg + .2);
    bool blended = false;
    for (const auto& one : found.trials) {
        CHECK(one.ndcg <= found.ndcg);
        blended = blended || one.recipe == "blend";
    }
    CHECK(blended);
}

TEST_CASE("blend: the standardized scores of its parts, in their shares", "[blend]") {
    const auto x = interactions<float>::of(random_log(40, 20, 0.2, 6));
    auto recipe = blend<float>(ease<float>{.regularization = 5}, popularity<float>{});
    recipe.shares = {0.25, 0.75};
    const auto model = fit(recipe, x);
    const auto first = fit(ease<float>{.regularization = 5}, x);
    const auto second = fit(popularity<float>{}, x);
    std::vector<any_id> all;
    for (std::size_t i = 0; i < 20; ++i) all.emplace_back(row_number{i});
    const auto standardized = [](const std::vector<float>& scores) {
        double mean = 0, square = 0;
        for (const float s : scores) mean += static_cast<double>(s) / 20;
        for (const float s : scores) square += (static_cast<double>(s) - mean) * (static_cast<double>(s) - mean) / 20;
        std::vector<double> out;
        for (const float s : scores) out.push_back((static_cast<double>(s) - mean) / std::sqrt(square));
        return out;
    };
    for (std::size_t row = 0; row < 40; row += 7) {
        const query who{.customer = row_number{row}, .n = 20};
        const auto a = standardized(first.score(who, all)), b = standardized(second.score(who, all));
        const auto got = model.score(who, all);
        for (std::size_t i = 0; i < 20; ++i) CHECK(static_cast<double>(got[i]) == Approx(.25 * a[i] + .75 * b[i]).margin(1e-5));
        std::vector<past_purchase> history;
        for (std::size_t k = 0; k < x[row].size(); ++k)
            history.push_back({row_number{static_cast<std::size_t>(x[row].items[k])}, static_cast<double>(x[row].values[k])});
        CHECK(model(query{.n = 20, .history = history}) == model(who));
    }
    const auto file = std::filesystem::temp_directory_path() / "caramel_blend_test.model";
    save(model, file);
    const auto loaded = load<fitted_t<decltype(recipe), interactions<float>>>(file);
    CHECK(loaded(query{.customer = row_number{3}}) == model(query{.customer = row_number{3}}));
    std::filesystem::remove(file);
    CHECK(fit(blend<float>(popularity<float>{}), x).shares() == std::vector<double>{1});

    for (const auto& bad : {std::vector<double>{1}, {1, -1}, {0, 0}, {1, std::numeric_limits<double>::quiet_NaN()}, {1, std::numeric_limits<double>::infinity()}}) {
        recipe.shares = bad;
        CHECK(error_of([&] { (void)fit(recipe, x); }).code() == errc::bad_parameter);
    }
    const auto other = fit(popularity<float>{}, interactions<float>::of(std::vector<sale>{{1, 1}}));
    CHECK(error_of([&] { (void)blend_model<float, popularity_model<float>, popularity_model<float>>({1, 1}, second, other); }).code() == errc::bad_data);
    for (const double share : {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
        CHECK(error_of([&] { (void)blend_model<float, popularity_model<float>, popularity_model<float>>({2, share}, second, second); }).code() == errc::bad_data);
}

TEST_CASE("tune_blend: as trying all shares one by one", "[blend]") {
    const auto shop = block_shop(4);
    auto recipe = blend<float>(popularity<float>{}, item_neighbors<float>{.k = 3}, small);
    const auto tuned = tune_blend(recipe, shop.train, shop.next, {.threads = 2}, 4);
    double best = -1;
    std::vector<double> expected;
    for (int a = 0; a <= 4; ++a)
        for (int b = 0; a + b <= 4; ++b) {
            recipe.shares = {a / 4.0, b / 4.0, (4 - a - b) / 4.0};
            const double gain = gain_of(fit(recipe, shop.train), shop);
            if (gain > best + 1e-12) {
                best = gain;
                expected = recipe.shares;
            }
        }
    recipe.shares = tuned.shares;
    CHECK(gain_of(fit(recipe, shop.train), shop) == Approx(best).margin(1e-12));
    CHECK(tune_blend(recipe, shop.train, shop.train).shares == recipe.shares);
    CHECK(error_of([&] { (void)tune_blend(recipe, shop.train, shop.next, {}, 0); }).code() == errc::bad_parameter);
}
