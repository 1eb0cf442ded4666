// Predictions of ratings without factors: biases, slope one, neighbours.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "recommend/ml100k.hpp"
#include "recommend/shop.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

#include <caramel/evaluate/regression.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/rating_baseline.hpp>
#include <caramel/recommend/rating_neighbors.hpp>
#include <caramel/recommend/slope_one.hpp>

using namespace caramel;

namespace ratings_test {

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();

// Stars 1 .. 5 of some of the pairs. The last customer and the last item have none.
std::vector<sale> some_stars(int customers, int items, double density, std::uint64_t seed) {
    rng numbers(seed);
    std::vector<sale> out;
    for (int u = 0; u + 1 < customers; ++u)
        for (int i = 0; i + 1 < items; ++i) {
            const double chance = numbers.uniform(), stars = static_cast<double>(numbers.below(4) + 1 + static_cast<std::uint64_t>((u + i) % 2));
            if (chance < density || u == i) out.push_back({u, i, stars});
        }
    return out;
}
interactions<double> table_of(const std::vector<sale>& log, int customers, int items) {
    std::vector<std::int64_t> users(static_cast<std::size_t>(customers)), things(static_cast<std::size_t>(items));
    for (std::size_t k = 0; k < users.size(); ++k) users[k] = static_cast<std::int64_t>(k);
    for (std::size_t k = 0; k < things.size(); ++k) things[k] = static_cast<std::int64_t>(k);
    const id_table all_users({}, users), all_things({}, things);
    return interactions<double>::of(log, {.customers = &all_users, .items = &all_things});
}

// The definitions once more, on a dense table, with nothing shared and nothing sparse.
struct twin {
    std::vector<std::vector<double>> r;  // 0 = none
    std::size_t users, items;
    double mean = 0;
    std::vector<double> bu, bi;

    explicit twin(const std::vector<std::vector<double>>& table, std::size_t epochs = 10, double of_users = 15, double of_items = 10)
        : r(table), users(table.size()), items(table[0].size()), bu(users), bi(items) {
        double n = 0;
        for (const auto& row : r)
            for (const double v : row) mean += v, n += v != 0;
        mean /= n;
        for (std::size_t e = 0; e < epochs; ++e) {
            for (std::size_t i = 0; i < items; ++i) {
                double sum = 0, count = 0;
                for (std::size_t u = 0; u < users; ++u)
                    if (r[u][i] != 0) sum += r[u][i] - mean - bu[u], count += 1;
                bi[i] = sum / (of_items + count);
            }
            for (std::size_t u = 0; u < users; ++u) {
                double sum = 0, count = 0;
                for (std::size_t i = 0; i < items; ++i)
                    if (r[u][i] != 0) sum += r[u][i] - mean - bi[i], count += 1;
                bu[u] = sum / (of_users + count);
            }
        }
    }
    [[nodiscard]] double baseline(std::size_t u, std::size_t i) const { return mean + bu[u] + bi[i]; }
    [[nodiscard]] double at(bool by_users, std::size_t x, std::size_t y) const { return by_users ? r[x][y] : r[y][x]; }

    [[nodiscard]] double similarity(const neighbor_rules& rules, std::size_t x, std::size_t z) const {
        const bool by_users = rules.side == rating_side::customers;
        std::vector<std::pair<double, double>> both;
        double either = 0;
        for (std::size_t y = 0; y < (by_users ? items : users); ++y) {
            double a = at(by_users, x, y), b = at(by_users, z, y);
            either += a != 0 || b != 0;
            if (a == 0 || b == 0) continue;
            if (rules.similarity == rating_similarity::pearson_baseline) {
                a -= by_users ? baseline(x, y) : baseline(y, x);
                b -= by_users ? baseline(z, y) : baseline(y, z);
            }
            both.emplace_back(a, b);
        }
        const double n = static_cast<double>(both.size());
        if (both.size() < rules.min_support || both.empty()) return 0;
        if (rules.similarity == rating_similarity::centered_cosine) {
            const double of_x = *average(by_users, x), of_z = *average(by_users, z);
            double xx = 0, zz = 0, xz = 0;
            for (std::size_t y = 0; y < (by_users ? items : users); ++y) {
                const double a = at(by_users, x, y) == 0 ? 0 : at(by_users, x, y) - of_x, b = at(by_users, z, y) == 0 ? 0 : at(by_users, z, y) - of_z;
                xx += a * a;
                zz += b * b;
                xz += a * b;
            }
            const double s = xx > 1e-9 && zz > 1e-9 ? xz / std::sqrt(xx * zz) : 0;
            return rules.shrinkage > 0 ? s * (n - 1) / (n - 1 + rules.shrinkage) : s;
        }
        double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0, squares = 0;
        if (rules.similarity == rating_similarity::pearson)
            for (const auto& [a, b] : both) mean_a += a / n, mean_b += b / n;
        for (const auto& [a, b] : both) {
            aa += (a - mean_a) * (a - mean_a);
            bb += (b - mean_b) * (b - mean_b);
            ab += (a - mean_a) * (b - mean_b);
            squares += (a - b) * (a - b);
        }
        double out = 0;
        if (rules.similarity == rating_similarity::msd) out = 1 / (squares / n + 1);
        else if (rules.similarity == rating_similarity::jaccard) out = n / either;
        else if (rules.similarity == rating_similarity::pearson_baseline && n < 2) out = 0;
        else out = aa > 1e-9 && bb > 1e-9 ? ab / std::sqrt(aa * bb) : 0;
        return rules.shrinkage > 0 ? out * (n - 1) / (n - 1 + rules.shrinkage) : out;
    }
    [[nodiscard]] std::optional<double> average(bool of_user, std::size_t x) const {
        double sum = 0, n = 0;
        for (std::size_t y = 0; y < (of_user ? items : users); ++y) sum += at(of_user, x, y), n += at(of_user, x, y) != 0;
        return n == 0 ? std::nullopt : std::optional(sum / n);
    }
    [[nodiscard]] double neighbors(const neighbor_rules& rules, std::size_t u, std::size_t i) const {
        const bool by_users = rules.side == rating_side::customers;
        const std::size_t x = by_users ? u : i, y = by_users ? i : u;
        const bool known = average(true, u) && average(false, i);
        double center = mean;
        if (rules.center == rating_center::baselines) center = baseline(u, i);
        else if (rules.center == rating_center::means && known) center = *average(by_users, x);
        if (!known) return center;
        std::vector<std::pair<double, std::size_t>> found;  // -similarity, so that a plain sort has the nearest first
        for (std::size_t z = 0; z < (by_users ? users : items); ++z)
            if (z != x && at(by_users, z, y) != 0)
                if (const double s = similarity(rules, x, z); s > std::max(1e-12, rules.min_similarity)) found.emplace_back(-s, z);
        if (found.size() < rules.min_k) return center;
        std::ranges::sort(found);
        // Ratings are whole numbers, so these three are tied exactly, or not at all. Of the others, rounding decides.
        const bool exact =
            rules.similarity == rating_similarity::msd || rules.similarity == rating_similarity::cosine || rules.similarity == rating_similarity::jaccard;
        if (!exact && found.size() > rules.k && found[rules.k].first - found[rules.k - 1].first < 1e-9) return not_a_number;
        found.resize(std::min(found.size(), rules.k));
        double sum = 0, weight = 0;
        for (const auto& [minus, z] : found) {
            double relative = at(by_users, z, y);
            if (rules.center == rating_center::means) relative -= *average(by_users, z);
            if (rules.center == rating_center::baselines) relative -= by_users ? baseline(z, y) : baseline(y, z);
            sum -= minus * relative;
            weight -= minus;
        }
        return (rules.center == rating_center::none ? 0 : center) + sum / weight;
    }
    [[nodiscard]] double slope_one(bool weighted, std::size_t support, std::size_t u, std::size_t i) const {
        if (!average(true, u) || !average(false, i)) return mean;
        double sum = 0, weight = 0;
        for (std::size_t j = 0; j < items; ++j) {
            if (j == i || r[u][j] == 0) continue;
            double difference = 0, n = 0;
            for (std::size_t v = 0; v < users; ++v)
                if (r[v][i] != 0 && r[v][j] != 0) difference += r[v][i] - r[v][j], n += 1;
            if (n < static_cast<double>(support) || n == 0) continue;
            sum += weighted ? n * (difference / n + r[u][j]) : difference / n;
            weight += weighted ? n : 1;
        }
        if (weight == 0) return *average(true, u);
        return weighted ? sum / weight : *average(true, u) + sum / weight;
    }
};

// A customer's list has the numbers of `predict`, bit for bit, and a history's those of the customer, where `same`.
template <class Model>
void check_queries(const Model& model, const interactions<double>& x, bool same) {
    for (std::size_t u = 0; u < x.rows(); u += 3) {
        std::vector<past_purchase> history;
        for (std::size_t k = 0; k < x[u].size(); ++k) history.push_back({row_number{static_cast<std::size_t>(x[u].items[k])}, x[u].values[k]});
        const auto all = model(query{.customer = row_number{u}, .n = 1000, .exclude_seen = false});
        REQUIRE(all.size() == x.items().size());
        bool equal = true;
        for (const auto& pick : all) equal = equal && pick.score == model.predict(row_number{u}, row_number{static_cast<std::size_t>(pick.item)});
        CHECK(equal);
        if (same) CHECK(model(query{.n = 1000, .exclude_seen = false, .history = history}) == all);
    }
}

}  // namespace

TEST_CASE("rating_baseline: equals plain loops", "[ratings]") {
    const auto x = table_of(some_stars(25, 18, .3, 1), 25, 18);
    const auto model = fit(rating_baseline<double>{}, x);
    const twin expected(dense_values(x));
    for (std::size_t u = 0; u < 25; ++u)
        for (std::size_t i = 0; i < 18; ++i) CHECK(model.predict(row_number{u}, row_number{i}) == Approx(expected.baseline(u, i)).epsilon(1e-13));
    CHECK(model.mean() == Approx(expected.mean).epsilon(1e-14));
    CHECK(model.predict(99, 3) == model.mean() + model.item_bias()(3));
    CHECK(model.predict(4, 99) == model.mean() + model.customer_bias()(4));
    CHECK(model.predict(99, 99) == model.mean());
    CHECK(model.predict(24, 3) == model.predict(99, 3));  // no ratings
    check_queries(model, x, true);
    const auto within = fit(rating_baseline<double>{.min_rating = 3, .max_rating = 3.01}, x);
    CHECK(within.predict(4, 3) >= 3);
    CHECK(within.predict(4, 3) <= 3.01);
}

TEST_CASE("rating_baseline: many epochs reach the minimum; without one side it is an average", "[ratings]") {
    const auto x = table_of(some_stars(25, 18, .3, 2), 25, 18);
    const auto model = fit(rating_baseline<double>{.epochs = 300, .customer_regularization = 2, .item_regularization = 3}, x);
    std::vector<double> of_items(18);
    for (std::size_t u = 0; u < x.rows(); ++u) {
        double gradient = -2 * model.customer_bias()(static_cast<row_index>(u));
        for (std::size_t k = 0; k < x[u].size(); ++k) {
            const double e = x[u].values[k] - model.predict(row_number{u}, row_number{static_cast<std::size_t>(x[u].items[k])});
            gradient += e;
            of_items[static_cast<std::size_t>(x[u].items[k])] += e;
        }
        CHECK(gradient == Approx(0).margin(1e-10));
    }
    for (std::size_t i = 0; i < 18; ++i) CHECK(of_items[i] == Approx(3 * model.item_bias()(static_cast<row_index>(i))).margin(1e-10));

    const auto averages = fit(rating_baseline<double>{.epochs = 1, .customer_regularization = 0, .item_regularization = infinite}, x);
    const twin expected(dense_values(x));
    for (std::size_t u = 0; u < 24; ++u) CHECK(averages.predict(row_number{u}, 5) == Approx(*expected.average(true, u)).epsilon(1e-14));
    CHECK(averages.item_bias().isZero(0));
}

TEST_CASE("slope_one: equals plain loops, and a published example", "[ratings]") {
    // https://en.wikipedia.org/wiki/Slope_One: what Lucy would say of item A.
    const auto lucy = interactions<float>::of(std::vector<sale>{{1, 1, 5}, {1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 2, 4}, {3, 2, 2}, {3, 3, 5}});
    CHECK(fit(slope_one<float>{.weighted = true}, lucy).predict(3, 1) == Approx(13.0 / 3));
    const auto plain = fit(slope_one<float>{}, lucy);
    CHECK(plain.predict(3, 1) == Approx(3.5 + (.5 + 3) / 2));
    CHECK(plain.deviation(0, 1) == .5F);
    CHECK(plain.deviation(2, 0) == -3);
    CHECK_FALSE(plain.deviation(0, 0));

    const auto x = table_of(some_stars(25, 18, .15, 3), 25, 18);
    const twin expected(dense_values(x));
    for (const bool weighted : {false, true})
        for (const std::size_t support : {1U, 3U}) {
            const auto model = fit(slope_one<double>{.weighted = weighted, .min_support = support}, x);
            for (std::size_t u = 0; u < 25; ++u)
                for (std::size_t i = 0; i < 18; ++i)
                    CHECK(model.predict(row_number{u}, row_number{i}) == Approx(expected.slope_one(weighted, support, u, i)).epsilon(1e-13));
            CHECK(model.predict(99, 3) == Approx(expected.mean));
            CHECK(model.predict(3, 99) == Approx(expected.mean));
            check_queries(model, x, true);
        }
}

TEST_CASE("rating_neighbors: every kind equals plain loops", "[ratings]") {
    const auto x = table_of(some_stars(22, 16, .4, 4), 22, 16);
    const twin expected(dense_values(x), 7, 5, 4);
    std::size_t run = 0;
    for (const auto side : {rating_side::customers, rating_side::items})
        for (const auto similarity : {rating_similarity::msd, rating_similarity::cosine, rating_similarity::pearson, rating_similarity::pearson_baseline,
                                      rating_similarity::jaccard, rating_similarity::centered_cosine})
            for (const auto center : {rating_center::none, rating_center::means, rating_center::baselines}) {
                ++run;
                const std::size_t k = run % 2 == 0 ? 3 : 40, min_k = run % 3 == 0 ? 2 : 1, support = run % 4 == 0 ? 3 : 1;
                const rating_neighbors<double> recipe{.side = side,
                                                      .similarity = similarity,
                                                      .center = center,
                                                      .k = k,
                                                      .min_k = min_k,
                                                      .min_support = support,
                                                      .shrinkage = run % 5 == 0 ? std::optional<double>(7) : std::nullopt,
                                                      .min_similarity = run % 7 == 0 ? .03 : 0,
                                                      .keep = 0,
                                                      .epochs = 7,
                                                      .customer_regularization = 5,
                                                      .item_regularization = 4};
                const auto model = fit(recipe, x);
                CAPTURE(run, static_cast<int>(side), static_cast<int>(similarity), static_cast<int>(center));
                CHECK(model.rules().shrinkage == (run % 5 == 0 ? 7 : similarity == rating_similarity::pearson_baseline ? 100 : 0));
                double furthest = 0;
                std::size_t tied = 0;
                for (std::size_t u = 0; u < 22; ++u)
                    for (std::size_t i = 0; i < 16; ++i) {
                        const double by_hand = expected.neighbors(model.rules(), u, i);
                        if (std::isnan(by_hand)) ++tied;
                        else furthest = std::max(furthest, std::abs(model.predict(row_number{u}, row_number{i}) - by_hand));
                    }
                CHECK(furthest < 1e-9);
                CHECK(tied < 100);
                check_queries(model, x, side == rating_side::items);
                const double known = center == rating_center::baselines ? expected.bi[3] : 0;
                CHECK(model.predict(99, 3) == Approx(expected.mean + known));
                CHECK(model.predict(99, 99) == Approx(expected.mean));
            }
}

TEST_CASE("rating_neighbors: a history is compared with customers as a customer is", "[ratings]") {
    auto log = some_stars(22, 16, .4, 5);
    std::vector<past_purchase> history;
    for (const auto& s : log)
        if (s.customer == 4) history.push_back({s.item, s.value});
    for (const auto similarity : {rating_similarity::msd, rating_similarity::pearson, rating_similarity::jaccard, rating_similarity::centered_cosine}) {
        // The known customer among the others, and a history among the others alone.
        auto others = log;
        std::erase_if(others, [](const sale& s) { return s.customer == 4; });
        const rating_neighbors<double> recipe{.side = rating_side::customers, .similarity = similarity, .center = rating_center::means};
        const auto with = fit(recipe, table_of(log, 22, 16)), without = fit(recipe, table_of(others, 22, 16));
        const std::vector<any_id> wanted{0, 1, 2, 3, 5, 8, 13};
        const auto expected = with.score(4, wanted), found = without.score(query{.history = history}, wanted);
        for (std::size_t k = 0; k < wanted.size(); ++k) CHECK(found[k] == Approx(expected[k]).epsilon(1e-13));
    }
}

TEST_CASE("rating_neighbors: reasons add up to the rating", "[ratings]") {
    const auto log = some_stars(22, 16, .4, 8);
    const auto x = table_of(log, 22, 16);
    std::vector<past_purchase> history;
    for (const auto& s : log)
        if (s.customer == 4) history.push_back({s.item, s.value});
    for (const auto side : {rating_side::customers, rating_side::items})
        for (const auto center : {rating_center::none, rating_center::means, rating_center::baselines}) {
            const auto model = fit(rating_neighbors<double>{.side = side, .similarity = rating_similarity::msd, .center = center, .k = 4, .min_k = 3}, x);
            for (const auto& who : std::vector<query>{{.customer = 4}, {.customer = 21}, {.history = history}, {.history = std::vector<past_purchase>{{3, 5}}}})
                for (const int item : {0, 7, 15}) {
                    const auto why = model.explain(who, item);
                    double sum = why.start;
                    for (const auto& reason : why.reasons) sum += reason.score;
                    CHECK(sum == Approx(model.score(who, {item})[0]).epsilon(1e-13));
                    CHECK((why.reasons.empty() || why.reasons.size() == 3 || why.reasons.size() == 4));
                    CHECK(std::ranges::is_sorted(why.reasons, std::greater<>(), [](const auto& r) { return r.score; }));
                }
            CHECK(model.explain(query{.customer = 4}, 0).reasons.size() == 4);
            CHECK(model.explain(query{.customer = 21}, 0).reasons.empty());
            CHECK(error_of([&] { (void)model.explain(query{.customer = 4}, 77); }).code() == errc::unknown_id);
        }
}

TEST_CASE("rating_neighbors: `keep` keeps the most similar", "[ratings]") {
    const auto x = table_of(some_stars(40, 30, .5, 6), 40, 30);
    const auto all = fit(rating_neighbors<double>{.similarity = rating_similarity::cosine, .keep = 0}, x);
    const auto few = fit(rating_neighbors<double>{.similarity = rating_similarity::cosine, .keep = 5}, x);
    for (std::size_t i = 0; i < 29; ++i) {
        const auto ids = few.neighbors_of(i);
        REQUIRE(ids.size() == 5);
        CHECK(std::ranges::is_sorted(ids));
        double least = 2;
        std::map<std::int32_t, double> of;
        for (std::size_t k = 0; k < all.neighbors_of(i).size(); ++k) of[all.neighbors_of(i)[k]] = all.similarities_of(i)[k];
        for (std::size_t k = 0; k < 5; ++k) {
            CHECK(few.similarities_of(i)[k] == of.at(ids[k]));
            least = std::min(least, of.at(ids[k]));
            of.erase(ids[k]);
        }
        for (const auto& [id, similarity] : of) CHECK(similarity <= least);
    }
}

TEST_CASE("ratings: floats, negative ratings, and constant ones", "[ratings][edge]") {
    const auto data = rank_two(60, 40, .3, .3, 7);
    auto lowered = data.learn;
    for (auto& s : lowered) s.value -= 100;
    const columns_of wanted(data.test);
    const auto check = [&](const auto& of_floats, const auto& of_doubles, bool shifts) {
        const auto exact = fit(of_doubles, interactions<double>::of(data.learn)).predict(wanted.customers, wanted.items);
        const auto floats = fit(of_floats, interactions<float>::of(data.learn)).predict(wanted.customers, wanted.items);
        const auto lower = fit(of_doubles, interactions<double>::of(lowered)).predict(wanted.customers, wanted.items);
        for (std::size_t k = 0; k < exact.size(); ++k) {
            CHECK(static_cast<double>(floats[k]) == Approx(exact[k]).epsilon(1e-4));
            if (shifts) CHECK(exact[k] - lower[k] == Approx(100).epsilon(1e-11));
        }
        std::vector<sale> same;
        for (int c = 0; c < 20; ++c) same.push_back({c, c % 3, 2}), same.push_back({c, 3, 2});
        CHECK(fit(of_doubles, interactions<double>::of(same)).predict(4, 0) == Approx(2));
        CHECK(fit(of_doubles, interactions<double>::of(std::vector<sale>{{1, 1, 4}})).predict(1, 1) == Approx(4));
    };
    check(rating_baseline<float>{}, rating_baseline<double>{}, true);
    check(slope_one<float>{}, slope_one<double>{}, true);
    check(slope_one<float>{.weighted = true}, slope_one<double>{.weighted = true}, true);
    check(rating_neighbors<float>{}, rating_neighbors<double>{}, true);
    check(rating_neighbors<float>{.similarity = rating_similarity::pearson, .center = rating_center::means},
          rating_neighbors<double>{.similarity = rating_similarity::pearson, .center = rating_center::means}, false);
}

TEST_CASE("ratings: neighbours and biases find what averages miss", "[ratings]") {
    const auto data = rank_two(300, 150, .3, .2, 11);
    const auto x = interactions<double>::of(data.learn);
    const columns_of wanted(data.test);
    const auto error = [&](const auto& recipe) { return rmse(fit(recipe, x).predict(wanted.customers, wanted.items), wanted.values); };
    const double averages = error(rating_baseline<double>{.epochs = 1, .customer_regularization = 0, .item_regularization = infinite});
    const double biases = error(rating_baseline<double>{.customer_regularization = 1, .item_regularization = 1});
    const double slopes = error(slope_one<double>{}), near = error(rating_neighbors<double>{});
    CHECK(biases < .9 * averages);
    CHECK(slopes < .9 * averages);
    CHECK(near < .8 * biases);
}

TEST_CASE("ratings: parameters and fields are checked", "[ratings][error]") {
    const auto x = interactions<double>::of(std::vector<sale>{{1, 1, 5}, {1, 2, 3}, {2, 1, 4}});
    const auto refused = [&](const auto& recipe, const std::string& parameter) {
        const auto e = error_of([&] { (void)fit(recipe, x); });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()).find(parameter) != std::string::npos);
        CHECK(error_of([&] { (void)fit(recipe, interactions<double>()); }).code() == errc::bad_parameter);
    };
    using baseline = rating_baseline<double>;
    using near = rating_neighbors<double>;
    refused(baseline{.epochs = 0}, "epochs");
    refused(baseline{.customer_regularization = -1}, "customer_regularization");
    refused(baseline{.item_regularization = not_a_number}, "item_regularization");
    refused(baseline{.min_rating = 5, .max_rating = 1}, "min_rating");
    refused(slope_one<double>{.min_support = 0}, "min_support");
    refused(slope_one<double>{.max_rating = not_a_number}, "max_rating");
    refused(near{.k = 0}, "k is 0");
    refused(near{.k = 2, .min_k = 3}, "min_k");
    refused(near{.min_k = 0}, "min_k");
    refused(near{.min_support = 0}, "min_support");
    refused(near{.shrinkage = -1}, "shrinkage");
    refused(near{.shrinkage = infinite}, "shrinkage");
    refused(near{.min_similarity = -1}, "min_similarity");
    refused(near{.epochs = 0}, "epochs");
    refused(near{.side = static_cast<rating_side>(7)}, "side");
    refused(near{.similarity = static_cast<rating_similarity>(7)}, "similarity");
    refused(near{.center = static_cast<rating_center>(7)}, "center");
    CHECK(error_of([] { (void)fit(baseline{}, interactions<double>()); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)fit(slope_one<double>{}, interactions<double>()); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)fit(near{}, interactions<double>()); }).code() == errc::empty_input);
    const auto huge = interactions<double>::of(std::vector<sale>{{1, 1, 1e308}, {1, 2, 1e308}, {2, 1, 1e308}});
    CHECK(error_of([&] { (void)fit(baseline{}, huge); }).code() == errc::number_out_of_range);
    CHECK(error_of([&] { (void)fit(slope_one<double>{}, huge); }).code() == errc::number_out_of_range);
    CHECK(error_of([&] { (void)fit(near{}, huge); }).code() == errc::number_out_of_range);

    const auto bad = [](const auto& work) { CHECK(error_of(work).code() == errc::bad_data); };
    using v = vec<double>;
    const v two = v::Ones(2), three = v::Ones(3), none = v();
    CHECK_NOTHROW(rating_baseline_model<double>(x, 3, two, two, {}, 1, 5));
    bad([&] { rating_baseline_model<double>(x, 3, three, two, {}, 1, 5); });
    bad([&] { rating_baseline_model<double>(x, 3, two, v::Constant(2, infinite), {}, 1, 5); });
    bad([&] { rating_baseline_model<double>(x, not_a_number, two, two, {}, 1, 5); });
    bad([&] { rating_baseline_model<double>(x, 3, two, two, {.epochs = 0}, 1, 5); });
    bad([&] { rating_baseline_model<double>(x, 3, two, two, {}, 5, 1); });
    using slope = slope_one_model<double>;
    CHECK_NOTHROW(slope(x, {0, 1, 2}, {1, 0}, {1, -1}, {1, 1}, false, 1, 5));
    bad([&] { slope(x, {0, 1}, {1}, {1}, {1}, false, 1, 5); });
    bad([&] { slope(x, {0, 1, 3}, {1, 0}, {1, -1}, {1, 1}, false, 1, 5); });
    bad([&] { slope(x, {0, 2, 2}, {1, 0}, {1, -1}, {1, 1}, false, 1, 5); });
    bad([&] { slope(x, {0, 1, 2}, {2, 0}, {1, -1}, {1, 1}, false, 1, 5); });
    bad([&] { slope(x, {0, 1, 2}, {1, 0}, {1, infinite}, {1, 1}, false, 1, 5); });
    bad([&] { slope(x, {0, 1, 2}, {1, 0}, {1, -1}, {1, 0}, false, 1, 5); });
    bad([&] { slope(x, {0, 1, 2}, {1, 0}, {1, -1}, {1}, false, 1, 5); });
    using model = rating_neighbors_model<double>;
    CHECK_NOTHROW(model(x, {0, 1, 2}, {1, 0}, {1, 1}, two, two, {}, 15, 1, 5));
    bad([&] { model(x, {0, 1, 2}, {1, 0}, {1, 0}, two, two, {}, 15, 1, 5); });
    bad([&] { model(x, {0, 1, 2}, {1, 0}, {1, not_a_number}, two, two, {}, 15, 1, 5); });
    bad([&] { model(x, {0, 1, 2}, {1, 0}, {1, 1}, none, none, {}, 15, 1, 5); });
    bad([&] { model(x, {0, 1, 2}, {1, 0}, {1, 1}, two, three, {}, 15, 1, 5); });
    bad([&] { model(x, {0, 1, 2}, {1, 0}, {1, 1}, two, two, {.k = 0}, 15, 1, 5); });
    bad([&] { model(x, {0, 1, 2}, {1, 0}, {1, 1}, two, two, {}, -1, 1, 5); });
}

// ---- MovieLens 100K ---------------------------------------------------------------------------------------------------

TEST_CASE("ratings: averages of customers on MovieLens u1, published", "[ratings]") {
    SHARED_OR_SKIP(learn, "data/ml100k/u1.base");
    SHARED_OR_SKIP(test, "data/ml100k/u1.test");
    const columns_of wanted(movielens(test));
    const rating_baseline<double> recipe{.epochs = 1, .customer_regularization = 0, .item_regularization = infinite, .min_rating = 1, .max_rating = 5};
    const auto predicted = fit(recipe, interactions<double>::of(movielens(learn))).predict(wanted.customers, wanted.items);
    CHECK(rmse(predicted, wanted.values) == Approx(1.0629951277).epsilon(0).margin(1e-6));
    CHECK(mae(predicted, wanted.values) == Approx(.8501912740).epsilon(0).margin(1e-6));
}

TEST_CASE("ratings: MovieLens 100K, the published figures", "[ratings][slow]") {
    SHARED_OR_SKIP(file, "data/ml100k/u.data");
    const auto folds = surprise_folds(movielens(file));
    const auto check = [&](const auto& recipe, double root, double absolute) {
        double of_squares = 0, of_errors = 0;
        for (const auto& fold : folds) {
            const columns_of wanted(fold.test);
            const auto predicted = fit(recipe, interactions<double>::of(fold.learn)).predict(wanted.customers, wanted.items);
            of_squares += rmse(predicted, wanted.values) / 5;
            of_errors += mae(predicted, wanted.values) / 5;
        }
        // Three decimals are published. (Where similarities are tied at the k-th, the benchmark goes by its own order.)
        CHECK(of_squares == Approx(root).epsilon(0).margin(.0006));
        CHECK(of_errors == Approx(absolute).epsilon(0).margin(.0006));
    };
    const auto near = [](rating_center center) {
        return rating_neighbors<double>{
            .side = rating_side::customers, .similarity = rating_similarity::msd, .center = center, .keep = 0, .min_rating = 1, .max_rating = 5};
    };
    check(rating_baseline<double>{.min_rating = 1, .max_rating = 5}, .944, .748);
    check(slope_one<double>{.min_rating = 1, .max_rating = 5}, .946, .743);
    check(near(rating_center::none), .980, .774);
    check(near(rating_center::means), .951, .749);
    check(near(rating_center::baselines), .931, .733);
}

TEST_CASE("rating_neighbors: LensKit's predictions, one by one", "[ratings]") {
    SHARED_OR_SKIP(folder, "data/ml_latest_small");
    struct entry {
        std::int64_t customer, item;
        double value;
    };
    const auto triples = [](const std::filesystem::path& path) {
        std::ifstream file(path);
        std::string line;
        std::getline(file, line);
        std::vector<entry> out;
        while (std::getline(file, line)) {
            entry e{};
            const char* const end = line.data() + line.size();
            const char* at = std::from_chars(line.data(), end, e.customer).ptr + 1;
            at = std::from_chars(at, end, e.item).ptr + 1;
            std::from_chars(at, end, e.value);
            out.push_back(e);
        }
        return out;
    };
    const auto ratings = triples(folder / "ratings.csv");
    REQUIRE(ratings.size() == 100'004);
    const auto x = interactions<double>::of(ratings);
    // How many of its predictions lie further off than this.
    const auto off = [&](const char* name, rating_side side, std::size_t k, std::size_t rows, double tolerance) {
        const auto wanted = triples(folder / name);
        REQUIRE(wanted.size() == rows);
        std::vector<std::int64_t> customers, items;
        for (const auto& e : wanted) {
            customers.push_back(e.customer);
            items.push_back(e.item);
        }
        const auto got = fit(rating_neighbors<double>{.side = side,
                                                      .similarity = rating_similarity::centered_cosine,
                                                      .center = rating_center::means,
                                                      .k = k,
                                                      .shrinkage = 0,
                                                      .min_similarity = 1e-6,
                                                      .keep = 0},
                             x)
                             .predict(customers, items);
        std::size_t out = 0;
        for (std::size_t i = 0; i < got.size(); ++i) out += std::abs(got[i] - wanted[i].value) > tolerance ? 1 : 0;
        return out;
    };
    CHECK(off("lk_user_user_preds.csv", rating_side::customers, 30, 1756, 1e-10) == 0);
    CHECK(off("lk_item_item_preds.csv", rating_side::items, 20, 1288, 1e-3) <= 1);  // one goes by how equal similarities are ordered
}

}  // namespace ratings_test
