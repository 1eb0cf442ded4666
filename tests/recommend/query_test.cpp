// What holds for every recommender: ranking, filters, cold starts, single answers.

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/any_model.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/top_k.hpp>

using namespace caramel;

namespace query_test {

namespace {

template <class T>
std::vector<recommendation<T>> listed(std::span<const recommendation<T>> picks) {
    return {picks.begin(), picks.end()};
}
std::vector<std::int32_t> items_of(const auto& picks) {
    std::vector<std::int32_t> out;
    for (const auto& pick : picks) out.push_back(pick.item);
    return out;
}

// Customers 0..29, items 100..119: ids that are no rows.
template <class T>
interactions<T> small_shop() {
    auto log = random_log(30, 20, 0.2, 3);
    for (auto& s : log) s.item += 100;
    return interactions<T>::of(log);
}

template <class Recipe>
void check_answers(const Recipe& recipe) {
    using T = float;
    const auto x = small_shop<T>();
    const auto model = fit(recipe, x);
    static_assert(std::is_nothrow_move_constructible_v<std::remove_cvref_t<decltype(model)>>);
    workspace scratch;

    std::vector<query> batch;
    for (int customer = 0; customer < 30; ++customer) batch.push_back({.customer = customer, .n = 5});
    const auto lists = model(batch);
    REQUIRE(lists.size() == 30);
    for (std::size_t row = 0; row < 30; ++row) {
        auto asked = batch[row];
        CHECK(listed(lists[row]) == listed(model(asked, scratch)));  // alone and in a batch: the same bits
        CHECK(listed(lists[row]) == model(asked));

        // The best n are the first n of all, whatever n.
        asked.n = std::numeric_limits<std::size_t>::max();
        const auto all = model(asked);
        CHECK(all.size() == 20 - x[row].size());
        for (const std::size_t n : {0U, 1U, 5U, 19U}) {
            asked.n = n;
            const auto some = model(asked);
            REQUIRE(some.size() == std::min(n, all.size()));
            CHECK(std::equal(some.begin(), some.end(), all.begin()));
        }
        for (std::size_t k = 1; k < all.size(); ++k)
            CHECK((all[k - 1].score > all[k].score || (all[k - 1].score == all[k].score && all[k - 1].item < all[k].item)));
        for (const auto& pick : all) CHECK_FALSE(x.contains(row, pick.item));

        asked.n = 20;
        asked.exclude_seen = false;
        const auto every = model(asked);
        REQUIRE(every.size() == 20);
        const auto rows = items_of(every);
        CHECK(std::set<std::int32_t>(rows.begin(), rows.end()).size() == 20);
        for (const auto& pick : every)
            CHECK(model.score(static_cast<int>(row), {any_id(pick.item + 100), row_number{0}})[0] == pick.score);

        asked.allow = std::vector<any_id>{107, 103, 7, "no such item", 103};  // 7 and the text are unknown: ignored
        asked.deny = {107, -1};
        CHECK(items_of(model(asked)) == std::vector<std::int32_t>{3});
        asked.allow = std::vector<any_id>{};
        CHECK(model(asked).empty());
    }
    CHECK(model(std::vector<query>{}).empty());

    // Unknown customers, and what a popular list holds.
    for (const any_id& stranger : {any_id(30), any_id("1"), any_id(row_number{30}), any_id((std::uint64_t{1} << 32) - 16)}) {
        const auto e = error_of([&] { (void)model(query{.customer = stranger}); });
        CHECK(e.code() == errc::unknown_id);
        const auto popular = model(query{.customer = stranger, .n = 20, .if_unknown = cold_start::popular});
        CHECK(popular == fit(popularity<T>{}, x)(query{.customer = 0, .n = 20, .exclude_seen = false}));
    }
    CHECK(model(query{.customer = 1, .if_unknown = cold_start::popular}) == model(query{.customer = 1}));
    CHECK(error_of([&] { (void)model(query{}); }).code() == errc::bad_parameter);
    const auto second = error_of([&] { (void)model(std::vector<query>{{.customer = 1}, {.customer = 77}}); });
    CHECK(second.code() == errc::unknown_id);
    CHECK(second.where().row == 2);
    const auto unknown_item = error_of([&] { (void)model.score(1, {100, 99}); });
    CHECK(unknown_item.code() == errc::unknown_id);
    CHECK(unknown_item.where().row == 2);

    // Histories of customers that are new.
    const std::vector<past_purchase> bought{{105, 2}, {99, 4}, {101, 1}, {105, 1}};
    const auto picks = model(query{.n = 20, .history = bought});
    CHECK(picks.size() == 18);
    CHECK(items_of(picks) == items_of(model(query{.customer = "whoever", .n = 20, .history = std::vector<past_purchase>{{101, 1}, {105, 3}}})));
    const auto bad_value = [&](double value) { return error_of([&] { (void)model(query{.history = std::vector<past_purchase>{{101, 1}, {102, value}}}); }); };
    CHECK(bad_value(std::numeric_limits<double>::quiet_NaN()).code() == errc::nan_or_inf);
    CHECK(bad_value(std::numeric_limits<double>::infinity()).where().row == 2);
    CHECK(bad_value(-1).code() == errc::bad_data);
    CHECK(bad_value(1e300).code() == errc::number_out_of_range);
    const auto nothing = model(query{.n = 3, .history = std::vector<past_purchase>{{99}}, .if_unknown = cold_start::popular});
    CHECK(nothing == fit(popularity<T>{}, x)(query{.customer = 0, .n = 3, .exclude_seen = false}));

    // In a chain, erased, and copied.
    const auto chain = fit(recipe | [](const ragged<recommendation<T>>& in) { return in.size(); }, x);
    CHECK(chain(batch) == 30);
    const any_model<std::vector<query>, ragged<recommendation<T>>> erased = model;
    CHECK(erased(batch) == lists);
    const any_model<query, std::span<const recommendation<T>>> one = model;
    CHECK(listed(one(batch[4], scratch)) == listed(lists[4]));
    const auto copy = model;
    CHECK(copy(batch) == lists);

    CHECK(error_of([&] { (void)fit(recipe, interactions<T>()); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)fit(recipe, interactions<T>(x.customers(), x.items(), std::vector<std::int64_t>(31), {}, {}, {})); }).code() ==
          errc::empty_input);
    const auto negative = error_of([&] { (void)fit(recipe, interactions<T>::of(std::vector<sale>{{1, 1, 1}, {2, 1, 1}, {2, 2, -1}})); });
    CHECK(negative.code() == errc::bad_data);
    CHECK(negative.where() == place{.row = 2, .column = 2});
}

}  // namespace

TEST_CASE("recommenders: popularity answers as all do", "[recommend]") { check_answers(popularity<float>{}); }
TEST_CASE("recommenders: item neighbours answer as all do", "[recommend]") { check_answers(item_neighbors<float>{.k = 5}); }
TEST_CASE("recommenders: customer neighbours answer as all do", "[recommend]") { check_answers(customer_neighbors<float>{.k = 5}); }
TEST_CASE("recommenders: factors answer as all do", "[recommend]") { check_answers(als<float>{.n_factors = 5, .epochs = 3}); }

TEST_CASE("recommenders: a customer without purchases", "[recommend][edge]") {
    // Customer 3 is in the table, but bought nothing in this part of the log.
    const auto all = interactions<double>::of(std::vector<sale>{{1, 1}, {1, 2}, {2, 2}, {3, 1}});
    const auto x = interactions<double>::of(std::vector<sale>{{1, 1}, {1, 2}, {2, 2}}, {.customers = &all.customers()});
    const auto check = [&](const auto& model) {
        const auto zeros = model(query{.customer = 3});
        REQUIRE(zeros.size() == 2);
        CHECK(zeros[0] == recommendation<double>{0, 0});
        CHECK(zeros[1] == recommendation<double>{1, 0});
        CHECK(model(query{.customer = 3, .if_unknown = cold_start::popular})[0] == recommendation<double>{1, 2});
    };
    check(fit(item_neighbors<double>{}, x));
    check(fit(customer_neighbors<double>{}, x));
    check(fit(als<double>{.n_factors = 2}, x));
}

TEST_CASE("recommenders: tasks for evaluation", "[recommend]") {
    const auto x = interactions<float>::of(std::vector<sale>{{1, 1}, {1, 3}, {3, 2}});
    const auto numbering = interactions<float>::of(std::vector<sale>{{1, 1}, {2, 2}, {3, 3}});
    const auto test = interactions<float>::of(std::vector<sale>{{3, 2}, {1, 3}, {1, 1}}, {.customers = &numbering.customers(), .items = &numbering.items()});
    const auto task = ranking_task_of(test, 7);
    REQUIRE(task.queries.size() == 2);
    CHECK(task.queries[0].n == 7);
    CHECK(*task.queries[1].customer == any_id(row_number{2}));
    CHECK(task.relevant == ragged<std::int32_t>({0, 2, 1}, {0, 2, 3}));
}

TEST_CASE("top_k: the n largest, ties to the lower position", "[top_k]") {
    const std::vector<double> scores{1, 5, 3, 5, -2, 3, 5};
    const auto best = [&](std::size_t n) { return items_of(top_k<double>(scores, n)); };
    CHECK(best(0).empty());
    CHECK(best(2) == std::vector<std::int32_t>{1, 3});
    CHECK(best(5) == std::vector<std::int32_t>{1, 3, 6, 2, 5});
    CHECK(best(100) == std::vector<std::int32_t>{1, 3, 6, 2, 5, 0, 4});
    CHECK(top_k<double>({}, 3).empty());

    rng numbers(1);
    for (int round = 0; round < 200; ++round) {
        std::vector<double> drawn(numbers.below(60));
        for (auto& s : drawn) s = static_cast<double>(numbers.below(8));
        const auto expected = ranking_of(drawn, std::vector<double>(drawn.size()));
        for (std::size_t n = 0; n <= drawn.size() + 1; ++n)
            CHECK(items_of(top_k<double>(drawn, n)) ==
                  std::vector<std::int32_t>(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(std::min(n, expected.size()))));
    }
}

TEMPLATE_TEST_CASE("top_k: beside a stable sort, with ties, marks and infinities, about the lengths of runs", "[top_k]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng numbers(2);
    constexpr T inf = std::numeric_limits<T>::infinity();
    workspace scratch;
    for (const std::size_t size : {0U, 1U, 2U, 31U, 32U, 33U, 63U, 64U, 65U, 96U, 127U, 128U, 500U})
        for (const std::uint64_t different : {1U, 3U, 40U, 1'000'000U})
            for (int round = 0; round < 4; ++round) {
                std::vector<T> scores(size);
                for (auto& s : scores) s = static_cast<T>(numbers.below(different)) - T(1);
                for (std::size_t i = 0; round % 2 == 1 && i < size; ++i)
                    if (numbers.below(6) == 0) scores[i] = numbers.below(2) == 0 ? inf : -inf;
                if (round == 2) std::ranges::sort(scores);  // each is better than all before it
                std::vector<unsigned char> marks(size);
                std::vector<double> left_out(size);
                for (std::size_t i = 0; i < size; ++i) left_out[i] = marks[i] = numbers.below(3) == 0 ? 1 : 0;
                const auto expected = ranking_of(std::vector<double>(scores.begin(), scores.end()), std::vector<double>(size));
                const auto unmarked = ranking_of(std::vector<double>(scores.begin(), scores.end()), left_out);
                for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{10}, std::size_t{31}, std::size_t{32}, std::size_t{33}, size, size + 1, std::numeric_limits<std::size_t>::max()}) {
                    INFO(size << " scores, best " << n);
                    const auto first = [n](const std::vector<std::int32_t>& all) {
                        return std::vector<std::int32_t>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(n, all.size())));
                    };
                    const auto got = top_k<T>(scores, n);
                    CHECK(items_of(got) == first(expected));
                    CHECK(std::ranges::all_of(got, [&](const auto& pick) { return pick.score == scores[static_cast<std::size_t>(pick.item)]; }));
                    const workspace::frame frame(scratch);
                    CHECK(items_of(detail::best_of<T>(scores, marks, n, scratch)) == first(unmarked));
                }
            }
}

}  // namespace query_test
