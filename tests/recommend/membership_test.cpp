// Whether a model tells who was in its training data: the share of pairs (a rating that was learnt from, one that was held out)
// in which the one learnt from is predicted better. 0.5 says nothing, 1 everything (Yeom, Giacomelli, Fredrikson & Jha,
// CSF 2018: the attack by the loss). On made ratings of which we know everything, and three seeds.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/als_ratings.hpp>
#include <caramel/recommend/rating_baseline.hpp>
#include <caramel/recommend/sgd.hpp>

#include "recommend/planted.hpp"
#include "support/catch.hpp"

using namespace caramel;
namespace membership_test {

struct rated {
    std::size_t customer, item;
    double value;
};
struct halves {
    std::vector<rated> learnt, held_out;
};
// 400 customers rate a share of 200 items: biases, four tastes, and noise of half a star. Half of it is held out.
halves made_ratings(std::uint64_t seed, double share) {
    constexpr std::size_t customers = 400, items = 200, tastes = 4;
    rng random(seed);
    const auto draw = [&](std::size_t n, double deviation) {
        std::vector<double> out(n);
        for (double& x : out) x = deviation * random.normal();
        return out;
    };
    const auto customer_bias = draw(customers, 0.4), item_bias = draw(items, 0.4), of_customers = draw(customers * tastes, 0.7), of_items = draw(items * tastes, 0.7);
    halves out;
    for (std::size_t c = 0; c < customers; ++c)
        for (std::size_t i = 0; i < items; ++i) {
            if (random.uniform() >= share) continue;
            double value = 3.5 + customer_bias[c] + item_bias[i] + 0.5 * random.normal();
            for (std::size_t k = 0; k < tastes; ++k) value += of_customers[c * tastes + k] * of_items[i * tastes + k];
            (random.below(2) == 0 ? out.learnt : out.held_out).push_back({c, i, value});
        }
    return out;
}
// How often the lower of two is of the first kind; ties count half.
double share_lower(const std::vector<double>& first, const std::vector<double>& second) {
    std::vector<double> sorted = second;
    std::ranges::sort(sorted);
    double sum = 0;
    for (const double x : first) {
        const auto [from, to] = std::equal_range(sorted.begin(), sorted.end(), x);
        sum += static_cast<double>(sorted.end() - to) + 0.5 * static_cast<double>(to - from);
    }
    return sum / static_cast<double>(first.size()) / static_cast<double>(second.size());
}

struct figures {
    double auc = 0, error = 0;  // means of three seeds: the share of pairs, and the error of held-out ratings
};
template <class Recipe>
figures measure(std::string_view name, const Recipe& recipe, double share = 0.1) {
    figures out;
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        const halves data = made_ratings(seed, share);
        const auto model = fit(recipe, interactions<double>::of(data.learnt), {.seed = seed});
        const auto errors = [&](const std::vector<rated>& of) {
            std::vector<double> e;
            for (const rated& r : of) e.push_back(std::abs(static_cast<double>(model.predict(r.customer, r.item)) - r.value));
            return e;
        };
        const auto seen = errors(data.learnt), unseen = errors(data.held_out);
        double squares = 0;
        for (const double e : unseen) squares += e * e / static_cast<double>(unseen.size());
        out.auc += share_lower(seen, unseen) / 3;
        out.error += std::sqrt(squares) / 3;
    }
    std::cout << "membership: " << name << ": AUC " << out.auc << ", error on held-out ratings " << out.error << '\n';
    return out;
}

TEST_CASE("membership: the share counts pairs", "[membership]") {
    CHECK(share_lower({1, 2}, {3, 4}) == 1);
    CHECK(share_lower({3, 4}, {1, 2}) == 0);
    CHECK(share_lower({1, 3}, {2, 3}) == (1 + 1 + 0 + 0.5) / 4);
}
TEST_CASE("membership: what models of ratings tell of who was rated", "[membership][slow]") {
    // 10 ratings a customer to learn from.
    CHECK(measure("rating_baseline", rating_baseline<double>{}).auc <= 0.55);
    CHECK(measure("sgd_factorization", sgd_factorization<double>{}).auc <= 0.60);
    const sgd_factorization<double> often{.epochs = 100};
    CHECK(measure("sgd_factorization, 100 epochs", often).auc > 0.85);  // no less accurate, and it knows them by heart
    // Above the goal of 0.60, since it is made for accuracy: said in docs/trust.md, with the regularization that keeps to it.
    const figures usual = measure("als_ratings", als_ratings<double>{});
    const als_ratings<double> careful{.regularization = 0.5};
    const figures less = measure("als_ratings, regularization 0.5", careful);
    CHECK(usual.auc <= 0.86);
    CHECK(less.auc <= 0.60);
    CHECK(less.error <= 1.15 * usual.error);
    const als_ratings<double> careless{.n_factors = 32, .regularization = 0.001};
    CHECK(measure("als_ratings, 32 factors, regularization 0.001", careless).auc > 0.95);
    // 50 of them: the same settings tell less.
    CHECK(measure("als_ratings, five times the ratings", als_ratings<double>{}, 0.5).auc <= 0.60);
}
TEST_CASE("membership: what scores of purchases tell of who bought", "[membership][slow]") {
    const auto measure_purchases = [](std::string_view name, const als<double>& recipe) {
        double auc = 0;
        for (const std::uint64_t seed : {1U, 2U, 3U}) {
            const auto shop = plant<double>(400, 200, 20, 10, seed);
            const auto model = fit(recipe, shop.train, {.seed = seed});
            const auto scores = [&](const interactions<double>& pairs) {
                std::vector<double> out;
                for (std::size_t c = 0; c < pairs.rows(); ++c)
                    for (const auto item : pairs[c].items) out.push_back(-model.customer_factors().row(static_cast<row_index>(c)).dot(model.item_factors().row(item)));
                return out;
            };
            auc += share_lower(scores(shop.train), scores(shop.test)) / 3;
        }
        std::cout << "membership: " << name << ": AUC " << auc << '\n';
        return auc;
    };
    // To score what was bought above what was not is what it learns, so no bound is promised: its scores are not for publication.
    const double usual = measure_purchases("als", {}), strong = measure_purchases("als, regularization 0.1", {.regularization = 0.1});
    CHECK(usual > 0.60);
    CHECK(strong < usual);
}

}  // namespace membership_test
