// Choosing a factorization's loss on purchases that it has not seen.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/recommend/als.hpp>
#include <caramel/recommend/tune.hpp>

using namespace caramel;

namespace tune_test {

namespace {

// Five groups of twelve customers, each with eight items of its own; a customer bought three of them, and buys two more next.
struct blocks {
    std::vector<sale> log, later;
    interactions<float> train, next;
};
blocks block_shop(std::uint64_t seed) {
    rng random(seed);
    blocks out;
    for (int c = 0; c < 60; ++c) {
        const auto order = random.permutation(8);
        for (std::size_t k = 0; k < 5; ++k) (k < 3 ? out.log : out.later).push_back({c, 8 * (c % 5) + static_cast<int>(order[k])});
    }
    for (int item = 0; item < 40; ++item) out.log.push_back({60 + item / 8, item});  // five who have all, so that every item is known
    out.train = interactions<float>::of(out.log);
    out.next = interactions<float>::of(out.later, {.customers = &out.train.customers(), .items = &out.train.items()});
    return out;
}
const als<float> small{.n_factors = 6, .epochs = 3};

bool same(const als<float>& a, const als<float>& b) {
    return a.weights == b.weights && a.unobserved_weight == b.unobserved_weight && a.regularization == b.regularization && a.epochs == b.epochs && a.n_factors == b.n_factors;
}
// NDCG@10 of a model, worked out from the definition.
double gain_of(const als<float>& recipe, const blocks& shop, const fit_options& options = {}) {
    const auto model = fit(recipe, shop.train, options);
    double sum = 0, customers = 0;
    for (std::size_t row = 0; row < shop.next.rows(); ++row) {
        std::set<std::int32_t> wanted;
        for (const auto item : shop.next[row].items)
            if (!shop.train.contains(row, item)) wanted.insert(item);
        if (wanted.empty()) continue;
        double gain = 0, ideal = 0;
        const auto list = model(query{.customer = row_number{row}, .n = 10});
        for (std::size_t k = 0; k < 10; ++k) {
            if (k < list.size() && wanted.contains(list[k].item)) gain += 1 / std::log2(static_cast<double>(k) + 2);
            if (k < wanted.size()) ideal += 1 / std::log2(static_cast<double>(k) + 2);
        }
        sum += gain / ideal;
        customers += 1;
    }
    return sum / customers;
}

}  // namespace

TEST_CASE("tune_als: the better of two losses", "[tune]") {
    const auto shop = block_shop(1);
    // So much regularization that every factor is 0 and all items tie, beside a little.
    for (const bool good_first : {true, false}) {
        const auto got = tune_als(small, shop.train, shop.next, {}, {.weights = {weighting::ones}, .unobserved_weight = {.1}, .regularization = good_first ? std::vector<double>{.01, 1e4} : std::vector<double>{1e4, .01}, .epochs = {3}});
        CHECK(got.regularization == .01);
        CHECK(got.unobserved_weight == .1);
        CHECK(got.weights == weighting::ones);
        CHECK(got.epochs == 3);
        CHECK(got.n_factors == 6);
    }
    CHECK(gain_of(small, shop) > .65);
    auto bad = small;
    bad.regularization = 1e4;
    CHECK(gain_of(bad, shop) < .4);
}

TEST_CASE("tune_als: the best of the grid, as trained from the beginning", "[tune]") {
    const auto shop = block_shop(2);
    const als_grid grid{.weights = {weighting::ones, weighting::logarithmic}, .unobserved_weight = {.01, 1}, .regularization = {.003, .3}, .epochs = {2}};
    const auto got = tune_als(small, shop.train, shop.next, {.seed = 4}, grid);
    // One number of epochs: nobody is halved away, so the choice is the maximum, of equal ones the first.
    als<float> expected = small;
    double best = -1;
    for (const auto weights : grid.weights)
        for (const double unobserved : grid.unobserved_weight)
            for (const double regularization : grid.regularization) {
                auto one = small;
                one.weights = weights;
                one.unobserved_weight = unobserved;
                one.regularization = regularization;
                one.epochs = 2;
                if (const double gain = gain_of(one, shop, {.seed = 4}); gain > best + 1e-12) {
                    best = gain;
                    expected = one;
                }
            }
    CHECK(same(got, expected));
    CHECK(got.start.get() == nullptr);
}

TEST_CASE("tune_als: longer trainings go on from shorter ones, and the first of equal ones stays", "[tune]") {
    const auto shop = block_shop(3);
    std::vector<progress> seen;
    const auto watch = [&](const progress& p) {
        seen.push_back(p);
        return verdict::go_on;
    };
    const als_grid grid{.weights = {weighting::ones}, .unobserved_weight = {.01, .1, 1}, .regularization = {.003, .03}, .epochs = {1, 4, 9}};
    const auto got = tune_als(small, shop.train, shop.next, {.on_progress = watch}, grid);
    CHECK(std::ranges::find(grid.epochs, got.epochs) != grid.epochs.end());
    // 6 trainings, then 2, then 1; the observer hears of every four.
    REQUIRE(seen.size() == 4);
    const std::vector<std::size_t> steps{4, 6, 8, 9};
    for (std::size_t i = 0; i < seen.size(); ++i) {
        CHECK(seen[i].step == steps[i]);
        CHECK(seen[i].steps == 9);
        CHECK(seen[i].stage == "tune_als");
    }
    // Every candidate gives nothing but ties: the first of the grid, after the fewest epochs.
    const auto tied = tune_als(small, shop.train, shop.next, {}, {.weights = {weighting::ones}, .unobserved_weight = {.1}, .regularization = {2e4, 1e4}, .epochs = {1, 2}});
    CHECK(tied.regularization == 2e4);
    CHECK(tied.epochs == 1);
}

TEST_CASE("tune_als: the recipe unchanged where nothing new was bought", "[tune]") {
    const auto shop = block_shop(4);
    als<float> recipe = small;
    recipe.regularization = .123;
    recipe.epochs = 77;
    CHECK(same(tune_als(recipe, shop.train, shop.train), recipe));  // all of it known
    const auto none = interactions<float>(shop.train.customers(), shop.train.items(), std::vector<std::int64_t>(shop.train.rows() + 1), {}, {}, {});
    CHECK(same(tune_als(recipe, shop.train, none), recipe));
}

TEST_CASE("tune_als: the same for any number of threads, and inputs stay as they are", "[tune]") {
    const auto shop = block_shop(5);
    const auto train = shop.train, next = shop.next;
    const als_grid grid{.unobserved_weight = {.01, .3}, .regularization = {.001, .1}, .epochs = {1, 3}};
    const auto one = tune_als(small, shop.train, shop.next, {.seed = 2}, grid);
    CHECK(same(one, tune_als(small, shop.train, shop.next, {.seed = 2, .threads = 4}, grid)));
    CHECK(same(one, tune_als(small, shop.train, shop.next, {.seed = 2}, grid)));
    CHECK(shop.train == train);
    CHECK(shop.next == next);
}

TEST_CASE("tune_als: only pairs that are new, and the customers who have them, count", "[tune]") {
    // What was bought again, or never, changes nothing; nor do customers whose purchases all stand in `train`.
    const auto shop = block_shop(6);
    const als_grid grid{.unobserved_weight = {.01, .3}, .regularization = {.001, .1}, .epochs = {1, 3}};
    auto more = shop.later;
    more.insert(more.end(), shop.log.begin(), shop.log.end());
    const auto repeated = interactions<float>::of(more, {.customers = &shop.train.customers(), .items = &shop.train.items()});
    REQUIRE(repeated.pairs() > shop.next.pairs());
    std::vector<std::size_t> calls(2);
    const auto count = [&](std::size_t& n) { return [&n](const progress&) { return ++n, verdict::go_on; }; };
    const auto a = tune_als(small, shop.train, shop.next, {.on_progress = count(calls[0])}, grid), b = tune_als(small, shop.train, repeated, {.on_progress = count(calls[1])}, grid);
    CHECK(same(a, b));
    CHECK(calls[0] == calls[1]);
}

TEST_CASE("tune_als: stop keeps the best so far", "[tune]") {
    const auto shop = block_shop(7);
    // Of the first four trainings the third is the only one that learns anything; of the others nobody hears.
    const als_grid grid{.weights = {weighting::ones}, .unobserved_weight = {.1}, .regularization = {4e4, 3e4, .01, 2e4, .02, .03}, .epochs = {2, 4}};
    const auto at_once = [](const progress&) { return verdict::stop; };
    const auto got = tune_als(small, shop.train, shop.next, {.on_progress = at_once}, grid);
    CHECK(got.regularization == .01);
    CHECK(got.epochs == 2);
    CHECK(got.start.get() == nullptr);
    // Later, too.
    std::size_t calls = 0;
    const auto third = [&](const progress&) { return ++calls == 3 ? verdict::stop : verdict::go_on; };
    const auto later = tune_als(small, shop.train, shop.next, {.on_progress = third}, grid);
    CHECK(calls == 3);
    CHECK(later.regularization < 1);
    CHECK(later.start.get() == nullptr);
}

TEST_CASE("tune_als: refusals", "[tune][error]") {
    const auto shop = block_shop(8);
    const auto refused = [&](const als_grid& grid) { return error_of([&] { (void)tune_als(small, shop.train, shop.next, {}, grid); }).code(); };
    CHECK(refused({.weights = {}}) == errc::bad_parameter);
    CHECK(refused({.unobserved_weight = {}}) == errc::bad_parameter);
    CHECK(refused({.regularization = {}}) == errc::bad_parameter);
    CHECK(refused({.epochs = {}}) == errc::bad_parameter);
    CHECK(refused({.epochs = {0, 2}}) == errc::bad_parameter);
    CHECK(refused({.epochs = {2, 2}}) == errc::bad_parameter);
    CHECK(refused({.epochs = {4, 2}}) == errc::bad_parameter);
    CHECK(refused({.regularization = {-1}}) == errc::bad_parameter);  // as `als` does
    // Numbered otherwise.
    const auto fewer = interactions<float>::of(std::vector<sale>{{0, 1}});
    CHECK(error_of([&] { (void)tune_als(small, shop.train, fewer); }).code() == errc::bad_data);
}

}  // namespace tune_test
