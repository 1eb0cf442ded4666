#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/core/products.hpp>
#include <caramel/core/random.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/factor_scan.hpp>

using namespace caramel;

namespace {

template <class T>
matrix<T> random_matrix(std::size_t rows, std::size_t columns, rng& numbers, bool whole) {
    matrix<T> out(static_cast<row_index>(rows), static_cast<row_index>(columns));
    for (auto& x : std::span(out.data(), rows * columns)) x = static_cast<T>(whole ? static_cast<double>(numbers.below(3)) : numbers.normal());
    return out;
}
template <class T>
std::vector<recommendation<T>> listed(std::span<const recommendation<T>> picks) {
    return {picks.begin(), picks.end()};
}

// The best n by sorting all of them.
template <class T>
std::vector<recommendation<T>> best_by_sorting(std::span<const T> scores, const std::vector<std::int32_t>& skipped, std::size_t n) {
    std::vector<recommendation<T>> all;
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (!std::ranges::binary_search(skipped, static_cast<std::int32_t>(i))) all.push_back({static_cast<std::int32_t>(i), scores[i]});
    std::ranges::sort(all, detail::ranks_before{});
    all.resize(std::min(n, all.size()));
    return all;
}

}  // namespace

TEMPLATE_TEST_CASE("factor_scan: the best by sorting, with the bits of a plain product, alone and in a batch", "[factor_scan]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng numbers(1);
    workspace scratch;
    bool right = true;
    for (const std::size_t n : {1U, 3U, 15U, 16U, 17U, 64U, 100U, 1500U})
        for (const std::size_t depth : {1U, 2U, 4U, 7U, 16U, 33U})
            for (const bool whole : {true, false}) {  // whole numbers: many ties
                auto rows = random_matrix<T>(n, depth, numbers, whole);
                auto x = random_matrix<T>(11, depth, numbers, whole);
                if (depth == 7) {  // for the first, each item is better than all before it
                    x(0, 0) = 1;
                    for (std::size_t i = 0; i < n; ++i) rows(static_cast<row_index>(i), 0) = static_cast<T>(i * 100);
                }
                const auto expected = multiply<T>(x, matrix<T>(rows.transpose()));
                std::vector<std::int32_t> skipped;
                for (std::size_t i = 0; i < n; ++i)
                    if (numbers.below(4) == 0) skipped.push_back(static_cast<std::int32_t>(i));
                for (const std::size_t best_n : {1U, 10U, 300U}) {
                    const workspace::frame frame(scratch);
                    std::vector<detail::best_so_far<T>> best(11);
                    for (auto& one : best) one.begin(best_n, skipped, scratch);
                    detail::scan_products<T>(rows, x, best, scratch);
                    for (std::size_t q = 0; q < 11; ++q) {
                        const auto scores = row_of(expected, static_cast<row_index>(q));
                        const auto wanted = best_by_sorting<T>(scores, skipped, best_n);
                        right = right && listed<T>(best[q].finish()) == wanted && best[q].all_finite();
                        detail::best_so_far<T> alone;
                        alone.begin(best_n, skipped, scratch);
                        detail::scan_products<T>(rows, row_of(x, static_cast<row_index>(q)), alone, scratch);
                        right = right && listed<T>(alone.finish()) == wanted && alone.all_finite();
                        const auto all = scratch.take<T>(n);
                        detail::multiply_rows<T>(rows, row_of(x, static_cast<row_index>(q)), all, scratch);
                        right = right && std::ranges::equal(all, scores);
                    }
                    INFO(n << " rows of " << depth << ", best " << best_n);
                    CHECK(right);
                }
            }
}

TEST_CASE("factor_scan: what is skipped leaves room, and equal scores keep the lower row", "[factor_scan]") {
    workspace scratch;
    const workspace::frame frame(scratch);
    const matrix<float> rows = matrix<float>::Constant(1000, 3, 1);
    const std::vector<float> x{1, -1, 0};  // all scores are 0
    std::vector<std::int32_t> skipped(995);
    for (std::size_t i = 0; i < skipped.size(); ++i) skipped[i] = static_cast<std::int32_t>(i < 2 ? i : i + 3);
    detail::best_so_far<float> best;
    best.begin(10, skipped, scratch);
    detail::scan_products<float>(rows, x, best, scratch);
    CHECK(listed<float>(best.finish()) == std::vector<recommendation<float>>{{2, 0}, {3, 0}, {4, 0}, {998, 0}, {999, 0}});
}

TEST_CASE("factor_scan: a score beyond the number type is refused, alone and in a batch", "[factor_scan][error]") {
    const auto x = interactions<float>::of(std::vector<sale>{{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}});
    matrix<float> customers = matrix<float>::Constant(5, 2, 1), items = matrix<float>::Constant(5, 2, 1);
    customers(3, 0) = 3e38F;
    items(4, 0) = 3e38F;
    const als_model<float> model(x, customers, items, {});
    CHECK(model(query{.customer = 1, .n = 2})[0] == recommendation<float>{4, 3e38F});
    CHECK(error_of([&] { (void)model(query{.customer = 4, .n = 2}); }).code() == errc::number_out_of_range);
    std::vector<query> batch;
    for (int c = 1; c <= 5; ++c) batch.push_back({.customer = c, .n = 2});
    const auto e = error_of([&] { (void)model(batch); });
    CHECK(e.code() == errc::number_out_of_range);
    CHECK(e.where().row == 4);
    batch.erase(batch.begin() + 3);
    batch.push_back({.customer = 99});
    CHECK(error_of([&] { (void)model(batch); }).where().row == 5);
}

TEST_CASE("factor_scan: queries of all kinds in one batch have their own answers", "[factor_scan]") {
    const auto x = interactions<float>::of(random_log(40, 60, 0.1, 3));
    const auto model = fit(als<float>{.n_factors = 6, .epochs = 2}, x);
    std::vector<query> batch;
    for (int i = 0; i < 300; ++i) {
        query one{.customer = i % 43, .n = static_cast<std::size_t>(i % 7 * i % 80), .if_unknown = cold_start::popular};
        if (i % 5 == 1) one.allow = std::vector<any_id>{3, 4, 5, 6};
        if (i % 4 == 2) one.deny = {1, 2, 50, 999, 1};
        if (i % 6 == 3) one.history = std::vector<past_purchase>{{i % 60}, {7}};
        if (i % 11 == 4) one.exclude_seen = false;
        batch.push_back(one);
    }
    const auto lists = model(batch);
    bool right = lists.size() == batch.size();
    for (std::size_t i = 0; right && i < batch.size(); ++i) {
        right = std::ranges::equal(lists[i], model(batch[i]));
        auto all = batch[i];  // by the other ways: from all scores, and with a list of all that is allowed
        all.n = 1001;
        auto every = model(all);
        every.resize(std::min(every.size(), batch[i].n));
        right = right && std::ranges::equal(lists[i], every);
        all.n = batch[i].n;
        if (!all.allow) all.allow.emplace();
        for (int item = 0; !batch[i].allow && item < 60; ++item) all.allow->emplace_back(item);
        right = right && std::ranges::equal(lists[i], model(all));
        for (std::size_t k = 0; right && k < lists[i].size(); ++k)
            right = model.score(batch[i], {0, row_number{static_cast<std::size_t>(lists[i][k].item)}})[1] == lists[i][k].score;
    }
    CHECK(right);
}
