// Recommenders know customers and items by what was bought alone: other numbers for them, and the order of the log, change no
// score; a shop whose customers all stand there twice is the same shop. On random logs of many small sizes.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/recommend/ease.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/rp3beta.hpp>
#include <caramel/recommend/slim.hpp>

#include "recommend/shop.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace recommend_metamorphic {

namespace {

/// The score of every item for every customer, by their numbers in the log.
template <class Model>
matrix<double> scores_of(const Model& model, const std::vector<std::size_t>& customers, const std::vector<std::size_t>& items) {
    matrix<double> out(static_cast<row_index>(customers.size()), static_cast<row_index>(items.size()));
    std::vector<any_id> wanted;
    for (const std::size_t i : items) wanted.emplace_back(static_cast<std::int64_t>(i));
    for (std::size_t c = 0; c < customers.size(); ++c) {
        const auto scores = model.score(any_id(static_cast<std::int64_t>(customers[c])), wanted);
        for (std::size_t i = 0; i < items.size(); ++i) out(static_cast<row_index>(c), static_cast<row_index>(i)) = static_cast<double>(scores[i]);
    }
    return out;
}

/// `twice` is the recipe that answers the doubled shop as `recipe` answers the shop.
template <class Recipe>
void check(const Recipe& recipe, const Recipe& twice, double tolerance = 1e-9) {
    rng random(7);
    for (int round = 0; round < 15; ++round) {
        const int customers = static_cast<int>(1 + random.below(9)), items = static_cast<int>(1 + random.below(8));
        const auto log = random_log(customers, items, .35, random());
        const auto order_c = random.permutation(static_cast<std::size_t>(customers)), order_i = random.permutation(static_cast<std::size_t>(items));
        auto renamed = log;
        for (sale& s : renamed) {
            s.customer = static_cast<int>(order_c[static_cast<std::size_t>(s.customer)]);
            s.item = static_cast<int>(order_i[static_cast<std::size_t>(s.item)]);
        }
        random.shuffle(std::span(renamed));
        auto doubled = log;
        for (const sale& s : log) doubled.push_back({s.customer + 1000, s.item, s.value});
        std::vector<std::size_t> all_c, all_i;
        for (int c = 0; c < customers; ++c) all_c.push_back(static_cast<std::size_t>(c));
        for (int i = 0; i < items; ++i) all_i.push_back(static_cast<std::size_t>(i));

        const auto found = scores_of(fit(recipe, interactions<double>::of(log)), all_c, all_i);
        CHECK((scores_of(fit(recipe, interactions<double>::of(renamed)), order_c, order_i) - found).cwiseAbs().maxCoeff() < tolerance);
        CHECK((scores_of(fit(twice, interactions<double>::of(doubled)), all_c, all_i) - found).cwiseAbs().maxCoeff() < tolerance);
    }
}

}  // namespace

TEST_CASE("recommenders: numbers of customers and items are but names, and customers who stand there twice change nothing", "[recommend][metamorphic]") {
    // With all neighbours kept, so that ties do not decide which.
    check(ease<double>{.regularization = 3}, ease<double>{.regularization = 6});
    check(ease<double>{.regularization = 3, .weights = weighting::values}, ease<double>{.regularization = 6, .weights = weighting::values});
    check(item_neighbors<double>{}, item_neighbors<double>{});
    check(item_neighbors<double>{.weights = weighting::logarithmic}, item_neighbors<double>{.weights = weighting::logarithmic});
    check(item_neighbors<double>{.shrinkage = 2, .similarity = neighbor_similarity::jaccard},
          item_neighbors<double>{.shrinkage = 4, .similarity = neighbor_similarity::jaccard});
    check(rp3beta<double>{.beta = 0}, rp3beta<double>{.beta = 0});
    check(rp3beta<double>{.alpha = 1, .beta = .5, .normalized = true}, rp3beta<double>{.alpha = 1, .beta = .5, .normalized = true});
    check(slim<double>{.l1 = .5, .l2 = 2, .tolerance = 1e-12, .max_sweeps = 20'000}, slim<double>{.l1 = 1, .l2 = 4, .tolerance = 1e-12, .max_sweeps = 20'000}, 1e-7);
}

TEST_CASE("popularity and customer_neighbors: numbers of customers and items are but names", "[recommend][metamorphic]") {
    rng random(8);
    for (int round = 0; round < 15; ++round) {
        const auto log = random_log(8, 6, .3, random());
        auto doubled = log;
        for (const sale& s : log) doubled.push_back({s.customer + 1000, s.item, s.value});
        const std::vector<std::size_t> customers{0, 1, 2, 3, 4, 5, 6, 7}, items{0, 1, 2, 3, 4, 5};
        const auto counts = scores_of(fit(popularity<double>{}, interactions<double>::of(log)), customers, items);
        CHECK(scores_of(fit(popularity<double>{}, interactions<double>::of(doubled)), customers, items) == 2 * counts);
        const auto order_c = random.permutation(8), order_i = random.permutation(6);
        auto renamed = log;
        for (sale& s : renamed) {
            s.customer = static_cast<int>(order_c[static_cast<std::size_t>(s.customer)]);
            s.item = static_cast<int>(order_i[static_cast<std::size_t>(s.item)]);
        }
        CHECK(scores_of(fit(popularity<double>{}, interactions<double>::of(renamed)), order_c, order_i) == counts);
        for (const auto similarity : {neighbor_similarity::cosine, neighbor_similarity::jaccard}) {
            const customer_neighbors<double> recipe{.shrinkage = 1, .similarity = similarity};
            const auto votes = scores_of(fit(recipe, interactions<double>::of(log)), customers, items);
            CHECK((scores_of(fit(recipe, interactions<double>::of(renamed)), order_c, order_i) - votes).cwiseAbs().maxCoeff() < 1e-12);
        }
    }
}

}  // namespace recommend_metamorphic
