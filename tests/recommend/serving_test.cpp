// Recommendations for all customers, what is alike, and other orders of a list.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/data/csv.hpp>
#include <caramel/data/interaction_splits.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/recommend_all.hpp>
#include <caramel/recommend/rerank.hpp>
#include <caramel/recommend/similar.hpp>

using namespace caramel;

namespace {

using list = std::vector<recommendation<float>>;

template <class Model>
void check_all(const Model& model) {
    query like{.n = 4, .deny = {3, 5, 777}};
    const auto lists = recommend_all(model, like);
    REQUIRE(lists.size() == model.customers().size());
    bool right = true;
    for (std::size_t row = 0; row < lists.size(); ++row) {
        auto asked = like;
        asked.customer = row_number{row};
        right = right && std::ranges::equal(lists[row], model(asked));
    }
    CHECK(right);
    for (const std::size_t threads : {2U, 3U, 8U}) CHECK(recommend_all(model, like, {.threads = threads}) == lists);
    like.allow = std::vector<any_id>{1, 2, 3};
    const auto allowed = recommend_all(model, like);
    CHECK(std::ranges::all_of(allowed.values(), [](const auto& pick) { return pick.item < 3; }));
}

}  // namespace

TEST_CASE("recommend_all: each customer's own answer, for any number of threads", "[recommend_all]") {
    const auto x = interactions<float>::of(random_log(700, 30, 0.1, 3));
    check_all(fit(als<float>{.n_factors = 4, .epochs = 1}, x));
    check_all(fit(item_neighbors<float>{.k = 5}, x));
    const auto model = fit(popularity<float>{}, x);
    CHECK(error_of([&] { (void)recommend_all(model, {.customer = 1}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)recommend_all(model, {.history = std::vector<past_purchase>{{1}}}); }).code() == errc::bad_parameter);

    // A score that is beyond the number type: which customer's.
    matrix<float> customers = matrix<float>::Constant(700, 1, 1), items = matrix<float>::Constant(30, 1, 3e38F);
    customers(600, 0) = 3e38F;
    const als_model<float> huge(x, customers, items, {});
    const auto e = error_of([&] { (void)recommend_all(huge, {.n = 3}, {.threads = 2}); });
    CHECK(e.code() == errc::number_out_of_range);
    CHECK(e.where().row == 601);
}

TEST_CASE("ranking_task_of: customers that training did not see", "[recommend]") {
    const auto parts = hold_out_customers(interactions<float>::of(random_log(60, 20, 0.3, 8)), {.customers = 0.3, .given = 0.6}, 2);
    const auto task = ranking_task_of(parts.given, parts.wanted, 20);
    REQUIRE(task.queries.size() == parts.wanted.rows());
    const auto model = fit(item_neighbors<float>{}, parts.train);
    const auto lists = model(task.queries);
    for (std::size_t row = 0; row < lists.size(); ++row) {
        CHECK(std::ranges::equal(task.relevant[row], parts.wanted[row].items));
        CHECK(task.queries[row].history->size() == parts.given[row].size());
        CHECK(lists[row].size() == 20 - parts.given[row].size());  // all but what was given
        for (const auto& pick : lists[row]) CHECK_FALSE(parts.given.contains(row, pick.item));
    }
    CHECK(error_of([&] { (void)ranking_task_of(parts.given, parts.train, 5); }).code() == errc::bad_data);
}

TEST_CASE("recommendation_table: one row a recommendation, for a CSV file", "[recommend_all]") {
    struct sold {
        std::string customer;
        int item;
    };
    const auto x = interactions<double>::of(std::vector<sold>{{"ann", 10}, {"bob", 20}, {"bob", 10}, {"cy, jr", 30}});
    const auto model = fit(popularity<double>{}, x);
    std::ostringstream out;
    write_csv(recommendation_table(model, recommend_all(model, {.n = 2})), out);
    CHECK(out.str() == "customer,item,rank,score\nann,20,1,1\nann,30,2,1\nbob,30,1,1\n\"cy, jr\",10,1,2\n\"cy, jr\",20,2,1\n");
    CHECK(error_of([&] { (void)recommendation_table(model, ragged<recommendation<double>>()); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)recommendation_table(model, ragged<recommendation<double>>({{3, 1}}, {0, 1, 1, 1})); }).code() == errc::unknown_id);
}

TEST_CASE("similar: cosines of factors, of neighbours and of purchases", "[similar]") {
    const auto log = random_log(25, 12, 0.3, 4);
    const auto x = interactions<float>::of(log);
    const auto table = dense_values(x);
    const auto cosine = [](const std::vector<double>& a, const std::vector<double>& b) {
        double ab = 0, aa = 0, bb = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            ab += a[i] * b[i];
            aa += a[i] * a[i];
            bb += b[i] * b[i];
        }
        return ab / std::sqrt(aa * bb);
    };
    const auto ranked = [&](const std::vector<std::vector<double>>& rows, std::size_t self, std::size_t n) {
        list all;
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (const double s = cosine(rows[self], rows[i]); i != self && s != 0) all.push_back({static_cast<std::int32_t>(i), static_cast<float>(s)});
        std::ranges::sort(all, detail::ranks_before{});
        all.resize(std::min(n, all.size()));
        return all;
    };
    const auto near = [](const list& a, const list& b) {
        return std::ranges::equal(a, b, [](const auto& p, const auto& q) { return p.item == q.item && std::abs(p.score - q.score) < 1e-6F; });
    };
    auto ones = table;
    std::vector<std::vector<double>> by_item(12, std::vector<double>(25));
    for (std::size_t c = 0; c < 25; ++c)
        for (std::size_t i = 0; i < 12; ++i) by_item[i][c] = ones[c][i] = table[c][i] > 0 ? 1 : 0;

    const auto factors = fit(als<float>{.n_factors = 3, .epochs = 2}, x);
    const auto rows_of = [](const matrix<float>& m) {
        std::vector<std::vector<double>> out;
        for (row_index r = 0; r < m.rows(); ++r) out.emplace_back(row_of(m, r).begin(), row_of(m, r).end());
        return out;
    };
    const auto items = rows_of(factors.item_factors()), customers = rows_of(factors.customer_factors());
    const auto popular = fit(popularity<float>{}, x);
    const auto item_lists = fit(item_neighbors<float>{.k = 11}, x);
    const auto customer_lists = fit(customer_neighbors<float>{.k = 24}, x);
    for (std::size_t self = 0; self < 12; ++self) {
        CHECK(near(similar_items(factors, row_number{self}, 5), ranked(items, self, 5)));
        CHECK(near(similar_customers(factors, row_number{self}, 5), ranked(customers, self, 5)));
        CHECK(near(similar_items(popular, row_number{self}, 5), ranked(by_item, self, 5)));
        CHECK(near(similar_customers(popular, row_number{self}, 50), ranked(ones, self, 50)));
        CHECK(near(similar_items(item_lists, row_number{self}, 5), ranked(by_item, self, 5)));
        CHECK(near(similar_customers(customer_lists, row_number{self}, 5), ranked(ones, self, 5)));
    }
    CHECK(error_of([&] { (void)similar_items(factors, 99); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)similar_customers(popular, "x"); }).code() == errc::unknown_id);
    CHECK(similar_items(factors, 1, 0).empty());
    const als_model<float> nothing(x, factors.customer_factors(), matrix<float>::Zero(12, 3), {});
    CHECK(similar_items(nothing, 1).empty());
    CHECK(item_cosine<float>(factors.item_factors())(2, 7) == Approx(cosine(items[2], items[7])));
}

TEST_CASE("diversify: maximal marginal relevance beside its definition", "[rerank]") {
    rng numbers(5);
    for (int round = 0; round < 30; ++round) {
        const std::size_t n = 1 + numbers.below(12);
        std::vector<recommendation<double>> candidates;
        for (std::size_t i = 0; i < n; ++i) candidates.push_back({static_cast<std::int32_t>(3 * i), static_cast<double>(numbers.below(5))});
        std::ranges::sort(candidates, detail::ranks_before{});
        const auto alike = [](std::int32_t a, std::int32_t b) { return std::cos(static_cast<double>(a) - static_cast<double>(b)); };
        const double lambda = static_cast<double>(numbers.below(5)) / 4;

        std::vector<recommendation<double>> wanted;
        auto rest = candidates;
        const double low = candidates.back().score, span = candidates.front().score - low;
        while (!rest.empty()) {
            std::size_t best = 0;
            double best_value = -1e9;
            for (std::size_t i = 0; i < rest.size(); ++i) {
                double closest = -1e9;
                for (const auto& one : wanted) closest = std::max(closest, alike(rest[i].item, one.item));
                const double relevance = span > 0 ? (rest[i].score - low) / span : 1;
                const double value = wanted.empty() ? relevance : lambda * relevance - (1 - lambda) * closest;
                if (value > best_value + 1e-12) {
                    best = i;
                    best_value = value;
                }
            }
            wanted.push_back(rest[best]);
            rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(best));
        }
        for (const std::size_t some : {std::size_t{0}, std::size_t{1}, n / 2, n, n + 5}) {  // the first of more are the same
            const auto got = diversify<double>(candidates, alike, {.n = some, .relevance = lambda});
            CHECK(got == std::vector<recommendation<double>>(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(std::min(some, n))));
        }
        CHECK(diversify<double>(candidates, alike, {.n = n, .relevance = 1}) == candidates);
    }
    const list two{{0, 2}, {1, 1}};
    const auto same = [](std::int32_t, std::int32_t) { return 1.0; };
    CHECK(error_of([&] { (void)diversify<float>(two, same, {.relevance = 1.5}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)diversify<float>(two, [](std::int32_t, std::int32_t) { return std::nan(""); }); }).code() == errc::nan_or_inf);
    CHECK(error_of([&] { (void)diversify<float>(list{{0, 1}, {1, std::numeric_limits<float>::infinity()}}, same); }).where().row == 2);
    CHECK(diversify<float>(list{}, same).empty());
}

TEST_CASE("limit_categories: so many of each, in the order of the list", "[rerank]") {
    const list candidates{{0, 9}, {3, 8}, {6, 7}, {1, 6}, {9, 5}, {4, 4}, {2, 3}, {5, 2}};
    const auto by_three = [](std::int32_t item) { return item == 9 ? -1 : item % 3; };  // 9 has no category
    CHECK(limit_categories<float>(candidates, by_three, {.n = 10, .per_category = 2}) == list{{0, 9}, {3, 8}, {1, 6}, {9, 5}, {4, 4}, {2, 3}, {5, 2}});
    CHECK(limit_categories<float>(candidates, by_three, {.n = 3, .per_category = 1}) == list{{0, 9}, {1, 6}, {9, 5}});
    CHECK(limit_categories<float>(candidates, by_three, {.n = 0}).empty());
    CHECK(error_of([&] { (void)limit_categories<float>(candidates, by_three, {.per_category = 0}); }).code() == errc::bad_parameter);
}
