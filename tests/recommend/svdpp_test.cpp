#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "recommend/ml100k.hpp"
#include "recommend/shop.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

#include <caramel/evaluate/regression.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/svdpp.hpp>

using namespace caramel;

namespace svdpp_test {

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();

template <class T>
svdpp_model<T> by_hand(double low = -infinite, double high = infinite) {
    const auto x = interactions<T>::of(std::vector<sale>{{10, 7, 4}, {20, 7, 2}, {20, 8, 3}, {20, 9, 5}, {20, 12, 1}});
    vec<T> customers(2), items(4);
    customers << T(.5), T(-.25);
    items << T(.125), 0, T(1), 0;
    matrix<T> p(2, 2), q(4, 2), y(4, 2);
    p << 1, 2, 0, 1;
    q << 1, T(.5), 3, 0, -1, 1, 0, 0;
    y << T(.5), 1, T(.5), 1, T(1.5), 1, T(-.5), 1;
    return {x, T(3), customers, items, p, q, y, sgd_steps{.learning_rate = .125, .learning_rate_decay = 1, .regularization = .5, .epochs = 2}, low, high};
}
double error_on(const auto& model, const std::vector<sale>& test) {
    const columns_of wanted(test);
    return rmse(model.predict(wanted.customers, wanted.items), wanted.values);
}

}  // namespace

TEMPLATE_TEST_CASE("svdpp: predictions worked by hand", "[svdpp]", CARAMEL_TEST_SCALARS) {
    const auto model = by_hand<TestType>();
    // Customer 10: p + y of 7 = (1.5, 3). Customer 20: (0, 1) + (2, 4) / 2 = (1, 3).
    CHECK(model.predict(10, 7) == TestType(3 + .5 + .125 + 1.5 + 1.5));
    CHECK(model.predict(10, 8) == TestType(3 + .5 + 4.5));
    CHECK(model.predict(20, 9) == TestType(3 - .25 + 1 - 1 + 3));
    CHECK(model.predict(11, 9) == TestType(4));
    CHECK(model.predict(10, 99) == TestType(3.5));
    CHECK(model.predict(11, 99) == TestType(3));
    CHECK(by_hand<TestType>(1, 5).predict(10, 8) == TestType(5));
    CHECK(model.score(10, {7, 8}) == std::vector<TestType>{TestType(6.625), TestType(8)});
}

TEMPLATE_TEST_CASE("svdpp: training equals a plain loop over every y in every step", "[svdpp]", CARAMEL_TEST_SCALARS) {
    const double tolerance = std::is_same_v<TestType, float> ? 2e-5 : 1e-12;
    constexpr std::size_t d = 7;
    const id_table customers({}, [] {
        std::vector<std::int64_t> all(31);
        std::iota(all.begin(), all.end(), 0);
        return all;
    }());
    const auto x = interactions<TestType>::of(rank_two(30, 20, .4, .3, 5).learn, {.customers = &customers});  // the last has no ratings
    const double lambda = .05;
    std::vector<double> reported;
    const auto model =
        fit(svdpp<TestType>{.n_factors = d, .epochs = 4, .learning_rate = .03, .regularization = lambda, .init_deviation = .2, .learning_rate_decay = .5}, x,
            {.seed = 3, .on_progress = [&](const progress& step) {
                 CHECK(step.stage == "svdpp");
                 reported.push_back(step.loss);
                 return verdict::go_on;
             }});
    REQUIRE(reported.size() == 4);

    const rng numbers = rng(3).split("svdpp").split(0);
    using rows = std::vector<std::vector<double>>;
    const auto first = [&](std::size_t n, const rng& random, std::size_t known) {
        rows out(n, std::vector<double>(d));
        for (std::size_t row = 0; row < known; ++row) {
            rng mine = random.split(row);
            for (double& f : out[row]) f = .2 * mine.normal();
        }
        return out;
    };
    const std::size_t items = x.items().size();
    rows p = first(x.rows(), numbers.split("customers"), 30), q = first(items, numbers.split("items"), items),
         y = first(items, numbers.split("implicit"), items);
    std::vector<double> bu(x.rows()), bi(items);
    double mean = 0;
    for (std::size_t row = 0; row < x.rows(); ++row)
        for (const auto value : x[row].values) mean += static_cast<double>(value) / static_cast<double>(x.pairs());
    for (std::size_t epoch = 0; epoch < 4; ++epoch) {
        const double rate = .03 / (1 + .5 * static_cast<double>(epoch));
        double squares = 0;
        rng order = numbers.split("order").split(epoch);
        for (const std::size_t u : order.permutation(x.rows())) {
            const auto mine = x[u];
            if (mine.size() == 0) continue;
            std::vector<std::size_t> visits(mine.size());
            std::iota(visits.begin(), visits.end(), std::size_t{0});
            order.shuffle(std::span(visits));
            const double share = 1 / std::sqrt(static_cast<double>(mine.size()));
            for (const std::size_t k : visits) {
                const auto i = static_cast<std::size_t>(mine.items[k]);
                std::vector<double> taste = p[u];
                for (const auto j : mine.items)
                    for (std::size_t f = 0; f < d; ++f) taste[f] += share * y[static_cast<std::size_t>(j)][f];
                const double e = static_cast<double>(mine.values[k]) - mean - bu[u] - bi[i] - std::inner_product(taste.begin(), taste.end(), q[i].begin(), 0.0);
                squares += e * e;
                bu[u] += rate * (e - lambda * bu[u]);
                bi[i] += rate * (e - lambda * bi[i]);
                const auto before = q[i];
                for (std::size_t f = 0; f < d; ++f) {
                    q[i][f] += rate * (e * taste[f] - lambda * before[f]);
                    p[u][f] += rate * (e * before[f] - lambda * p[u][f]);
                    for (const auto j : mine.items) {
                        double& of_j = y[static_cast<std::size_t>(j)][f];
                        of_j += rate * (e * share * before[f] - lambda * of_j);
                    }
                }
            }
        }
        CHECK(reported[epoch] == Approx(squares / static_cast<double>(x.pairs())).epsilon(tolerance));
    }
    double furthest = 0;
    const auto compare = [&](const rows& expected, const matrix<TestType>& found) {
        for (std::size_t row = 0; row < expected.size(); ++row)
            for (std::size_t f = 0; f < d; ++f)
                furthest = std::max(furthest, std::abs(expected[row][f] - static_cast<double>(found(static_cast<row_index>(row), static_cast<row_index>(f)))));
    };
    compare(p, model.customer_factors());
    compare(q, model.item_factors());
    compare(y, model.implicit_factors());
    for (std::size_t u = 0; u < bu.size(); ++u)
        furthest = std::max(furthest, std::abs(bu[u] - static_cast<double>(model.customer_bias()(static_cast<row_index>(u)))));
    for (std::size_t i = 0; i < bi.size(); ++i)
        furthest = std::max(furthest, std::abs(bi[i] - static_cast<double>(model.item_bias()(static_cast<row_index>(i)))));
    CHECK(furthest < tolerance);
    CHECK(model.customer_factors().row(30).isZero(0));
}

TEMPLATE_TEST_CASE("svdpp: the customer of a history is learnt on the spot", "[svdpp]", CARAMEL_TEST_SCALARS) {
    const auto model = by_hand<TestType>();
    // Two passes of the plain step over (7, 4) and (9, 1), items and y fixed, rates 1/8 and 1/16.
    const double q[2][2] = {{1, .5}, {-1, 1}}, item_bias[2] = {.125, 1}, ratings[2] = {4, 1}, implicit[2] = {2 / std::sqrt(2.0), 2 / std::sqrt(2.0)};
    double bias = 0, p[2] = {0, 0};
    const auto predicted = [&](int k) { return 3 + bias + item_bias[k] + (p[0] + implicit[0]) * q[k][0] + (p[1] + implicit[1]) * q[k][1]; };
    for (const double rate : {.125, .0625})
        for (int k = 0; k < 2; ++k) {
            const double e = ratings[k] - predicted(k);
            bias += rate * (e - .5 * bias);
            for (int j = 0; j < 2; ++j) p[j] += rate * (e * q[k][j] - .5 * p[j]);
        }
    const auto scores = model.score(query{.history = std::vector<past_purchase>{{9, 1}, {7, 4}, {100, 5}}}, {7, 9});
    for (int k = 0; k < 2; ++k) CHECK(static_cast<double>(scores[static_cast<std::size_t>(k)]) == Approx(predicted(k)).epsilon(1e-6));
    CHECK(model.score(query{.history = std::vector<past_purchase>{}}, {7, 9}) == std::vector<TestType>{model.predict(1, 7), model.predict(1, 9)});
}

TEST_CASE("svdpp: finds the truth behind noisy ratings, of customers that come later, too", "[svdpp]") {
    const double noise = .2;
    const auto data = rank_two(300, 150, .3, noise, 11);
    const svdpp<float> recipe{.n_factors = 8, .epochs = 60, .learning_rate = .02};
    const auto model = fit(recipe, interactions<float>::of(data.learn), {.seed = 1});
    const double error = error_on(model, data.test);
    CHECK(error < noise);
    double squares = 0;
    for (int customer = 0; customer < 20; ++customer) {
        std::vector<past_purchase> history;
        for (const auto& s : data.learn)
            if (s.customer == customer) history.push_back({s.item, std::max(0.0, s.value)});
        double sum = 0, n = 0;
        for (const auto& s : data.test)
            if (s.customer == customer) {
                const double e = static_cast<double>(model.score(query{.history = history}, {s.item})[0]) - s.value;
                sum += e * e;
                n += 1;
            }
        squares += n == 0 ? 0 : sum / n / 20;
    }
    CHECK(std::sqrt(squares) < 2.5 * error);
    for (const auto& pick : model(query{.customer = 5, .n = 200, .exclude_seen = false}))
        CHECK(pick.score == model.predict(5, row_number{static_cast<std::size_t>(pick.item)}));
    CHECK(fit(recipe, interactions<float>::of(data.learn), {.seed = 1, .threads = 4}).item_factors() == model.item_factors());
}

TEST_CASE("svdpp: what was rated speaks where ratings do not", "[svdpp]") {
    // Two kinds of customers rate only what their kind rates; their kind decides what they say of the last ten items.
    rng numbers(3);
    std::vector<sale> learn, test;
    for (int u = 0; u < 400; ++u) {
        const bool kind = u % 2 == 0;
        for (int i = 0; i < 60; ++i)
            if (numbers.uniform() < .2 && (i < 30) == kind) learn.push_back({u, i, 3 + .1 * numbers.normal()});
        for (int i = 60; i < 70; ++i) {
            const double value = (i % 2 == 0) == kind ? 4 : 2, chance = numbers.uniform();
            if (chance < .15) learn.push_back({u, i, value});
            else if (chance > .8) test.push_back({u, i, value});
        }
    }
    const auto x = interactions<float>::of(learn);
    const double with = error_on(fit(svdpp<float>{.n_factors = 4, .epochs = 60, .learning_rate = .01}, x), test);
    const double without = error_on(fit(sgd_factorization<float>{.n_factors = 4, .epochs = 60, .learning_rate = .01}, x), test);
    CHECK(with < .6 * without);
}

TEST_CASE("svdpp: divergence, stopping, parameters and fields", "[svdpp][error]") {
    const auto data = rank_two(60, 40, .5, .2, 4).learn;
    const auto x = interactions<double>::of(data);
    for (const double rate : {3.0, 1e6, 1e300}) CHECK(error_of([&] { (void)fit(svdpp<double>{.learning_rate = rate}, x); }).code() == errc::diverged);
    auto huge = data;
    for (auto& s : huge) s.value *= 1e200;
    CHECK(error_of([&] { (void)fit(svdpp<double>{}, interactions<double>::of(huge)); }).code() == errc::number_out_of_range);
    const auto stopped = fit(svdpp<double>{.epochs = 9}, x, {.on_progress = [](const progress& p) { return p.step == 2 ? verdict::stop : verdict::go_on; }});
    CHECK(stopped.steps().epochs == 2);
    CHECK(stopped.item_factors() == fit(svdpp<double>{.epochs = 2}, x).item_factors());
    CHECK(fit(svdpp<double>{}, interactions<double>::of(std::vector<sale>{{1, 1, 4}})).predict(1, 1) == Approx(4).margin(.1));

    const auto refused = [&](const svdpp<double>& recipe, const std::string& parameter) {
        const auto e = error_of([&] { (void)fit(recipe, x); });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()).find("svdpp: " + parameter) != std::string::npos);
    };
    refused({.n_factors = 0}, "n_factors");
    refused({.n_factors = 4097}, "n_factors");
    refused({.epochs = 0}, "epochs");
    refused({.learning_rate = 0}, "learning_rate");
    refused({.regularization = not_a_number}, "regularization");
    refused({.init_deviation = 0}, "init_deviation");
    refused({.learning_rate_decay = -1}, "learning_rate_decay");
    refused({.min_rating = 5, .max_rating = 1}, "min_rating");
    CHECK(error_of([] { (void)fit(svdpp<double>{}, interactions<double>()); }).code() == errc::empty_input);

    const auto two = interactions<double>::of(std::vector<sale>{{1, 1}, {1, 2}, {2, 1}});
    using v = vec<double>;
    using m = matrix<double>;
    const v ones = v::Ones(2);
    const m square = m::Ones(2, 2);
    const auto model = [&](const v& bc, const v& bi, const m& p, const m& q, const m& y, const sgd_steps& steps = {}) {
        return svdpp_model<double>(two, 3, bc, bi, p, q, y, steps, 1, 5);
    };
    CHECK_NOTHROW(model(ones, ones, square, square, square));
    const auto bad = [](const auto& work) { CHECK(error_of(work).code() == errc::bad_data); };
    bad([&] { (void)model(v::Ones(3), ones, square, square, square); });
    bad([&] { (void)model(ones, v::Ones(3), square, square, square); });
    bad([&] { (void)model(ones, ones, m::Ones(3, 2), square, square); });
    bad([&] { (void)model(ones, ones, square, m::Ones(2, 3), square); });
    bad([&] { (void)model(ones, ones, square, square, m::Ones(3, 2)); });
    bad([&] { (void)model(ones, ones, square, square, m::Constant(2, 2, infinite)); });
    bad([&] { (void)model(ones, ones, square, square, square, {.epochs = 0}); });
}

// The benchmark of Surprise: .919 / .721 with 20 factors, 20 epochs, .007, .02; the mean of seeds is to meet them.
TEST_CASE("svdpp: MovieLens 100K, the published figures", "[svdpp][slow]") {
    SHARED_OR_SKIP(file, "data/ml100k/u.data");
    double root = 0, absolute = 0;
    for (const auto& fold : surprise_folds(movielens(file)))
        for (const std::uint64_t seed : {0U, 1U, 2U}) {
            const auto model = fit(svdpp<float>{.min_rating = 1, .max_rating = 5}, interactions<float>::of(fold.learn), {.seed = seed});
            const columns_of wanted(fold.test);
            const auto predicted = model.predict(wanted.customers, wanted.items);
            root += rmse(predicted, wanted.values) / 15;
            absolute += mae(predicted, wanted.values) / 15;
        }
    CHECK(root == Approx(.919).epsilon(0).margin(.002));
    CHECK(absolute == Approx(.721).epsilon(0).margin(.002));
}

}  // namespace svdpp_test
