#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <vector>

#include <nlohmann/json.hpp>

#include "recommend/ml_latest.hpp"
#include "recommend/shop.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

#include <caramel/pipeline.hpp>
#include <caramel/recommend/neighbors.hpp>

using namespace caramel;

namespace neighbors_test {

namespace {

using table = std::vector<std::vector<double>>;

double weight_of(double value, weighting rule) {
    return value == 0 ? 0 : rule == weighting::ones ? 1 : rule == weighting::values ? value : std::log(1 + value);
}

// All cosines between rows, the plain way.
table cosines(const table& x, weighting rule, double shrinkage) {
    table out(x.size(), std::vector<double>(x.size()));
    for (std::size_t a = 0; a < x.size(); ++a)
        for (std::size_t b = 0; b < x.size(); ++b) {
            double dot = 0, aa = 0, bb = 0;
            for (std::size_t j = 0; j < x[a].size(); ++j) {
                const double va = weight_of(x[a][j], rule), vb = weight_of(x[b][j], rule);
                dot += va * vb;
                aa += va * va;
                bb += vb * vb;
            }
            out[a][b] = a == b || dot == 0 ? 0 : dot / (std::sqrt(aa) * std::sqrt(bb) + shrinkage);
        }
    return out;
}
table transposed(const table& x) {
    table out(x.front().size(), std::vector<double>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i)
        for (std::size_t j = 0; j < x[i].size(); ++j) out[j][i] = x[i][j];
    return out;
}
// Only the k largest of each row stay, ties to the lower column.
table largest(table x, std::size_t k) {
    for (auto& row : x) {
        const auto order = ranking_of(row, std::vector<double>(row.size()));
        for (std::size_t i = k; i < order.size(); ++i) row[static_cast<std::size_t>(order[i])] = 0;
    }
    return x;
}
template <class T>
table lists_of(const auto& model, std::size_t n) {
    table out(n, std::vector<double>(n));
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t k = 0; k < model.neighbors_of(i).size(); ++k)
            out[i][static_cast<std::size_t>(model.neighbors_of(i)[k])] = static_cast<double>(model.similarities_of(i)[k]);
    return out;
}
void check_close(const table& got, const table& expected, double tolerance) {
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        for (std::size_t j = 0; j < got[i].size(); ++j) CHECK(got[i][j] == Approx(expected[i][j]).margin(tolerance));
}

}  // namespace

TEST_CASE("item_neighbors: cosines of the counts of the 4 x 6 table", "[neighbors]") {
    const std::vector<sale> log{{0, 0, 3}, {0, 1, 1}, {0, 4, 2}, {1, 1, 2}, {1, 3, 1}, {2, 0, 1}, {2, 1, 4}, {2, 2, 1}, {3, 1, 1}, {3, 4, 5}, {3, 5, 2}};
    const auto x = interactions<double>::of(log);
    const auto model = fit(item_neighbors<double>{.weights = weighting::values}, x);
    const auto similarity = lists_of<double>(model, 6);
    CHECK(similarity[0][1] == Approx(0.47193990372426947).epsilon(1e-12));
    CHECK(similarity[1][2] == Approx(0.8528028654224417).epsilon(1e-12));
    CHECK(similarity[5][4] == Approx(0.9284766908852594).epsilon(1e-12));
    CHECK(similarity[2][3] == 0);
    CHECK(model.neighbors_of(1).size() == 5);
    CHECK(model.neighbors_of(1)[0] == 2);  // most similar first

    SHARED_OR_SKIP(file, "oracles/recommend/tiny.json");
    std::ifstream in(file);
    auto expected = nlohmann::json::parse(in).at("item_weights_4x6").at("cosine_items").get<table>();
    for (std::size_t i = 0; i < 6; ++i) expected[i][i] = 0;
    check_close(similarity, expected, 1e-12);
}

TEMPLATE_TEST_CASE("item_neighbors: lists and scores as brute force has them", "[neighbors]", CARAMEL_TEST_SCALARS) {
    const double tolerance = std::is_same_v<TestType, float> ? 1e-5 : 1e-12;
    const auto x = interactions<TestType>::of(random_log(40, 25, 0.15, 11));
    const auto values = dense_values(x);
    for (const auto rule : {weighting::ones, weighting::values, weighting::logarithmic})
        for (const double shrinkage : {0.0, 7.5})
            for (const std::size_t k : {1U, 4U, 1000U})
                for (const auto side : {neighbor_side::bought, neighbor_side::candidate}) {
                    const auto model = fit(item_neighbors<TestType>{.k = k, .shrinkage = shrinkage, .weights = rule, .k_of = side}, x);
                    auto votes = largest(cosines(transposed(values), rule, shrinkage), k);
                    if (side == neighbor_side::candidate) votes = transposed(votes);
                    check_close(lists_of<TestType>(model, 25), votes, tolerance);
                    for (std::size_t row = 0; row < 40; row += 7)
                        for (int item = 0; item < 25; ++item) {
                            double expected = 0;
                            for (std::size_t b = 0; b < 25; ++b) expected += weight_of(values[row][b], rule) * votes[b][static_cast<std::size_t>(item)];
                            CHECK(static_cast<double>(model.score(static_cast<int>(row), {item})[0]) == Approx(expected).margin(tolerance * 10));
                        }
                }
}

TEST_CASE("item_neighbors: ties go to the lower item", "[neighbors]") {
    // Items 1, 2 and 3 were bought by the same customers: to item 0 they are equally similar.
    const auto x = interactions<float>::of(std::vector<sale>{{1, 0}, {1, 1}, {1, 2}, {1, 3}, {2, 0}, {3, 3}, {3, 2}, {3, 1}});
    const auto model = fit(item_neighbors<float>{.k = 2}, x);
    CHECK(std::vector<std::int32_t>(model.neighbors_of(0).begin(), model.neighbors_of(0).end()) == std::vector<std::int32_t>{1, 2});
    CHECK(model(query{.customer = 2, .n = 2})[0].item == 1);
    CHECK(model(query{.customer = 2, .n = 2})[0].score == model(query{.customer = 2, .n = 2})[1].score);
}

TEST_CASE("item_neighbors: the reasons add up to the score", "[neighbors]") {
    const auto x = interactions<double>::of(random_log(30, 15, 0.3, 4));
    const auto model = fit(item_neighbors<double>{.k = 6, .weights = weighting::values}, x);
    for (int customer = 0; customer < 30; ++customer)
        for (int item = 0; item < 15; ++item) {
            double sum = 0;
            const auto reasons = model.explain(query{.customer = customer}, item);
            for (const auto& [reason, share] : reasons) {
                CHECK(x.contains(static_cast<std::size_t>(customer), reason));
                sum += share;
            }
            CHECK(sum == Approx(model.score(customer, {item})[0]).margin(1e-12));
        }
    CHECK(error_of([&] { (void)model.explain(query{.customer = 1}, 15); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)model.explain(query{.customer = 30}, 1); }).code() == errc::unknown_id);
}

TEST_CASE("item_neighbors: a customer's history has the scores of the customer", "[neighbors]") {
    const auto x = interactions<float>::of(random_log(20, 12, 0.3, 8));
    const auto model = fit(item_neighbors<float>{.k = 4, .weights = weighting::logarithmic}, x);
    for (std::size_t row = 0; row < x.rows(); ++row) {
        std::vector<past_purchase> history;
        for (std::size_t k = 0; k < x[row].size(); ++k)
            history.push_back({x.items()[static_cast<std::size_t>(x[row].items[k])], static_cast<double>(x[row].values[k])});
        CHECK(model(query{.n = 12, .history = history}) == model(query{.customer = row_number{row}, .n = 12}));
    }
}

TEMPLATE_TEST_CASE("customer_neighbors: lists and scores as brute force has them", "[neighbors]", CARAMEL_TEST_SCALARS) {
    const double tolerance = std::is_same_v<TestType, float> ? 1e-5 : 1e-12;
    const auto x = interactions<TestType>::of(random_log(30, 25, 0.15, 12));
    const auto values = dense_values(x);
    for (const auto rule : {weighting::ones, weighting::values})
        for (const std::size_t k : {1U, 5U, 1000U}) {
            const auto model = fit(customer_neighbors<TestType>{.k = k, .shrinkage = 2, .weights = rule}, x);
            const auto near = largest(cosines(values, rule, 2), k);
            check_close(lists_of<TestType>(model, 30), near, tolerance);
            for (std::size_t row = 0; row < 30; ++row)
                for (int item = 0; item < 25; ++item) {
                    double expected = 0;
                    for (std::size_t other = 0; other < 30; ++other)
                        expected += near[row][other] * weight_of(values[other][static_cast<std::size_t>(item)], rule);
                    CHECK(static_cast<double>(model.score(static_cast<int>(row), {item})[0]) == Approx(expected).margin(tolerance * 10));
                }
        }
}

TEST_CASE("customer_neighbors: a history is compared with all customers", "[neighbors]") {
    const auto x = interactions<double>::of(random_log(30, 25, 0.2, 12));
    const auto values = dense_values(x);
    const auto model = fit(customer_neighbors<double>{.k = 4, .weights = weighting::values}, x);
    auto rows = values;
    rows.emplace_back(25, 0.0);
    rows.back()[3] = 2;
    rows.back()[17] = 1;
    auto to_all = cosines(rows, weighting::values, 0).back();
    to_all.pop_back();
    const auto near = largest({to_all}, 4)[0];
    for (int item = 0; item < 25; ++item) {
        double expected = 0;
        for (std::size_t other = 0; other < 30; ++other) expected += near[other] * values[other][static_cast<std::size_t>(item)];
        CHECK(model.score(query{.history = std::vector<past_purchase>{{17, 1}, {3, 2}}}, {item})[0] == Approx(expected).margin(1e-12));
    }
}

TEST_CASE("item_neighbors: Jaccard, TF-IDF, BM25 and the minimum support as brute force has them", "[neighbors]") {
    using enum neighbor_similarity;
    // The second log has so many items that most are no neighbours of any: only those that are touched are looked at.
    for (const bool many : {false, true}) {
        const int items = many ? 400 : 25, customers = many ? 400 : 40;
        const auto x = interactions<double>::of(random_log(customers, items, many ? 0.002 : 0.2, 11));
        const auto values = dense_values(x);
        const auto n = static_cast<std::size_t>(items);
        std::vector<double> lengths(n);
        double mean = 0;
        for (const auto& row : values)
            for (std::size_t i = 0; i < n; ++i) lengths[i] += row[i];
        for (const double length : lengths) mean += length / static_cast<double>(n);
        for (const auto similarity : {cosine, jaccard, tfidf, bm25})
            for (const std::size_t support : {1U, 3U}) {
                if (many && support == 3) continue;
                table weighted = values;
                for (auto& row : weighted) {
                    const auto bought = static_cast<double>(n) - static_cast<double>(std::ranges::count(row, 0.0));
                    const double rarity = std::log(static_cast<double>(n) / (1 + bought));
                    for (std::size_t i = 0; i < n; ++i)
                        if (row[i] > 0) {
                            if (similarity == jaccard) row[i] = 1;
                            if (similarity == tfidf) row[i] = std::sqrt(row[i]) * rarity;
                            if (similarity == bm25) row[i] = row[i] * (2 + 1) / (2 * (1 - 0.7 + 0.7 * lengths[i] / mean) + row[i]) * rarity;
                        }
                }
                table expected(n, std::vector<double>(n));
                for (std::size_t a = 0; a < n; ++a)
                    for (std::size_t b = 0; b < n; ++b) {
                        double dot = 0, aa = 0, bb = 0, common = 0;
                        for (const auto& row : weighted) {
                            dot += row[a] * row[b];
                            aa += row[a] * row[a];
                            bb += row[b] * row[b];
                            common += row[a] != 0 && row[b] != 0 ? 1 : 0;
                        }
                        if (a == b || common < static_cast<double>(support)) continue;
                        expected[a][b] = similarity == jaccard ? dot / (aa + bb - dot + 1.5) : similarity == bm25 ? dot : dot / (std::sqrt(aa) * std::sqrt(bb) + 1.5);
                    }
                const auto model = fit(item_neighbors<double>{.k = 6, .shrinkage = 1.5, .weights = weighting::values, .similarity = similarity, .min_support = support,
                                                              .bm25_k1 = 2, .bm25_b = 0.7}, x);
                const auto got = lists_of<double>(model, n), best = largest(expected, 6);
                bool same = true;
                for (std::size_t a = 0; a < n; ++a)
                    for (std::size_t b = 0; b < n; ++b) same = same && std::abs(got[a][b] - best[a][b]) < 1e-12;
                CHECK(same);
            }
    }
}

TEST_CASE("item_neighbors: similar items, best first", "[neighbors]") {
    const auto x = interactions<float>::of(std::vector<sale>{{1, 0}, {1, 1}, {1, 2}, {1, 3}, {2, 0}, {2, 3}, {3, 3}, {3, 2}, {3, 1}});
    const auto model = fit(item_neighbors<float>{.k_of = neighbor_side::candidate}, x);
    const auto best = model.similar_items(0, 2);
    REQUIRE(best.size() == 2);
    CHECK(best[0].item == 3);
    CHECK(best[0].score >= best[1].score);
    CHECK(error_of([&] { (void)model.similar_items(9); }).code() == errc::unknown_id);
}

TEST_CASE("customer_neighbors: Jaccard and the minimum support, of known customers and of histories", "[neighbors]") {
    const auto x = interactions<double>::of(random_log(30, 25, 0.2, 12));
    auto values = dense_values(x);
    for (auto& row : values)
        for (double& v : row) v = v > 0 ? 1 : 0;
    for (const auto similarity : {neighbor_similarity::cosine, neighbor_similarity::jaccard}) {
        const auto model = fit(customer_neighbors<double>{.k = 4, .similarity = similarity, .min_support = 2}, x);
        table expected(30, std::vector<double>(30));
        for (std::size_t a = 0; a < 30; ++a)
            for (std::size_t b = 0; b < 30; ++b) {
                double common = 0, na = 0, nb = 0;
                for (std::size_t i = 0; i < 25; ++i) {
                    common += values[a][i] * values[b][i];
                    na += values[a][i];
                    nb += values[b][i];
                }
                if (common >= 2) expected[a][b] = similarity == neighbor_similarity::cosine ? common / (std::sqrt(na) * std::sqrt(nb)) : common / (na + nb - common);
            }
        auto others = expected;
        for (std::size_t a = 0; a < 30; ++a) others[a][a] = 0;
        check_close(lists_of<double>(model, 30), largest(others, 4), 1e-12);
        // The history of customer 3 finds customer 3, too.
        std::vector<past_purchase> history;
        for (const auto item : x[3].items) history.push_back({row_number{static_cast<std::size_t>(item)}});
        const auto near = largest(expected, 4)[3];
        for (int item = 0; item < 25; ++item) {
            double score = 0;
            for (std::size_t other = 0; other < 30; ++other) score += near[other] * values[other][static_cast<std::size_t>(item)];
            CHECK(model.score(query{.history = history}, {item})[0] == Approx(score).margin(1e-12));
        }
    }
}

TEST_CASE("neighbors: any number of threads, the same bits", "[neighbors][threads]") {
    const auto x = interactions<float>::of(random_log(300, 200, 0.05, 5));
    const auto items = fit(item_neighbors<float>{.weights = weighting::values}, x);
    const auto customers = fit(customer_neighbors<float>{.weights = weighting::values}, x);
    for (const std::size_t threads : {2U, 3U, 4U, 8U}) {
        CHECK(fit(item_neighbors<float>{.weights = weighting::values}, x, {.threads = threads}).fields() == items.fields());
        CHECK(fit(customer_neighbors<float>{.weights = weighting::values}, x, {.threads = threads}).fields() == customers.fields());
    }
}

TEST_CASE("neighbors: parameters and fields are checked", "[neighbors][error]") {
    const auto x = interactions<double>::of(std::vector<sale>{{1, 1}, {1, 2}});
    const auto refused = [&](const auto& recipe) { return error_of([&] { (void)fit(recipe, x); }).code(); };
    CHECK(refused(item_neighbors<double>{.k = 0}) == errc::bad_parameter);
    CHECK(refused(customer_neighbors<double>{.k = 0}) == errc::bad_parameter);
    for (const double bad : {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        CHECK(refused(item_neighbors<double>{.shrinkage = bad}) == errc::bad_parameter);
        CHECK(refused(customer_neighbors<double>{.shrinkage = bad}) == errc::bad_parameter);
    }
    CHECK(refused(item_neighbors<double>{.weights = static_cast<weighting>(9)}) == errc::bad_parameter);
    CHECK(refused(item_neighbors<double>{.k_of = static_cast<neighbor_side>(9)}) == errc::bad_parameter);
    CHECK(refused(item_neighbors<double>{.similarity = static_cast<neighbor_similarity>(9)}) == errc::bad_parameter);
    CHECK(refused(customer_neighbors<double>{.similarity = neighbor_similarity::tfidf}) == errc::bad_parameter);
    CHECK(refused(item_neighbors<double>{.min_support = 0}) == errc::bad_parameter);
    CHECK(refused(item_neighbors<double>{.bm25_k1 = 0}) == errc::bad_parameter);
    CHECK(refused(item_neighbors<double>{.bm25_b = 1.5}) == errc::bad_parameter);
    const auto huge = interactions<double>::of(std::vector<sale>{{1, 1, 1e200}, {1, 2, 1e200}});
    CHECK(error_of([&] { (void)fit(item_neighbors<double>{.weights = weighting::values}, huge); }).code() == errc::number_out_of_range);
    CHECK(fit(item_neighbors<double>{}, huge).similarities_of(0)[0] == 1);

    const auto build = [&](std::vector<std::int64_t> starts, std::vector<std::int32_t> ids, std::vector<double> similarities) {
        return error_of([&] { (void)item_neighbors_model<double>(x, starts, ids, similarities, weighting::ones); }).code();
    };
    CHECK(build({0, 1}, {1}, {1}) == errc::bad_data);
    CHECK(build({0, 1, 2}, {1, 2}, {1, 1}) == errc::bad_data);
    CHECK(build({0, 1, 2}, {1, 0}, {1}) == errc::bad_data);
    CHECK(build({0, 1, 2}, {1, 0}, {1, -1}) == errc::bad_data);
    CHECK(error_of([&] { (void)item_neighbors_model<double>(x, {0, 0, 0}, {}, {}, static_cast<weighting>(3)); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)customer_neighbors_model<double>(x, {0, 0}, {}, {}, 0, 0, weighting::ones); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)customer_neighbors_model<double>(x, {0, 1}, {1}, {1}, 1, 0, weighting::ones); }).code() == errc::bad_data);
}

TEST_CASE("item_neighbors: figures on MovieLens ml-latest-small", "[neighbors][slow]") {
    SHARED_OR_SKIP(ratings, "data/ml_latest_small/ratings.csv");
    const auto data = ml_latest_small<double>(ratings);
    const item_neighbors<double> all{.k = 100'000}, fifty{.k = 50, .k_of = neighbor_side::candidate};
    auto all_shrunk = all, fifty_shrunk = fifty;
    all_shrunk.shrinkage = fifty_shrunk.shrinkage = 20;
    check_ranking(fit(all, data.train), data.test, {.061103, .031043, .098361, .040495, .030335});
    check_ranking(fit(fifty, data.train), data.test, {.067064, .035252, .123696, .049411, .035697});
    check_ranking(fit(all_shrunk, data.train), data.test, {.064083, .033908, .093890, .041450, .032428});
    check_ranking(fit(fifty_shrunk, data.train), data.test, {.064083, .032710, .113264, .045295, .033645});
}

}  // namespace neighbors_test
