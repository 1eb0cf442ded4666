#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/catch.hpp"

#include <caramel/core/random.hpp>
#include <caramel/data/interaction_splits.hpp>

using namespace caramel;

namespace {

struct timed {
    int customer, item;
    double value = 1;
    std::chrono::sys_seconds time{};
};
using pair_list = std::set<std::pair<std::int64_t, std::int64_t>>;  // by id

pair_list pairs_of(const auto& x) {
    pair_list out;
    for (std::size_t row = 0; row < x.rows(); ++row)
        for (const auto item : x[row].items) out.emplace(x.customers().number(row), x.items().number(static_cast<std::size_t>(item)));
    return out;
}
// Ids that are no rows; times differ, but for some.
std::vector<timed> random_purchases(int customers, int items, double density, std::uint64_t seed) {
    rng numbers(seed);
    std::vector<timed> out;
    for (int c = 0; c < customers; ++c)
        for (int i = 0; i < items; ++i)
            if (numbers.uniform() < density)
                out.push_back({10 + c, 100 + i, static_cast<double>(1 + numbers.below(3)), std::chrono::sys_seconds(std::chrono::seconds(numbers.below(50)))});
    return out;
}

// Takes away one that has too few, until there is none.
pair_list core_by_hand(pair_list pairs, std::size_t least_items, std::size_t least_customers) {
    for (bool changed = true; changed;) {
        changed = false;
        for (const auto& one : pairs) {
            const auto c = one.first, i = one.second;
            std::size_t of_customer = 0, of_item = 0;
            for (const auto& p : pairs) {
                of_customer += p.first == c ? 1 : 0;
                of_item += p.second == i ? 1 : 0;
            }
            if (of_customer >= least_items && of_item >= least_customers) continue;
            std::erase_if(pairs, [&](const auto& p) { return of_customer < least_items ? p.first == c : p.second == i; });
            changed = true;
            break;
        }
    }
    return pairs;
}

}  // namespace

TEST_CASE("frequent: beside taking away one by one", "[splits]") {
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
        const auto x = interactions<double>::of(random_purchases(14, 9, 0.25, seed));
        for (const auto& [a, b] : {std::pair(1U, 1U), std::pair(2U, 2U), std::pair(3U, 2U), std::pair(2U, 4U), std::pair(9U, 9U)}) {
            const auto core = frequent(x, {.items_per_customer = a, .customers_per_item = b});
            CHECK(pairs_of(core) == core_by_hand(pairs_of(x), a, b));
            for (std::size_t row = 0; row < core.rows(); ++row) CHECK(core[row].size() >= a);  // no empty rows either
            CHECK(core.has_times() == !core.empty());
        }
    }
    // Once: items 1 and 2 have two customers; then customer 3 has one item left, and item 3 is gone.
    const auto x = interactions<float>::of(std::vector<timed>{{1, 1}, {1, 2}, {2, 1}, {2, 2}, {3, 2}, {3, 3}});
    const auto once = frequent(x, {.items_per_customer = 2, .customers_per_item = 2, .repeat = false});
    CHECK(pairs_of(once) == pair_list{{1, 1}, {1, 2}, {2, 1}, {2, 2}});
    // Once is not until all have enough: item 2 keeps fewer than three customers.
    const auto some = frequent(interactions<float>::of(std::vector<timed>{{1, 1}, {2, 1}, {3, 1}, {1, 2}, {2, 2}, {3, 2}, {4, 2}, {5, 2}}),
                               {.items_per_customer = 2, .customers_per_item = 4, .repeat = false});
    CHECK(some.empty());
    CHECK(some.items().size() == 0);
    CHECK(frequent(interactions<float>()).empty());
}

TEST_CASE("leave_last_out: the latest of each customer", "[splits]") {
    const auto at = [](int s) { return std::chrono::sys_seconds(std::chrono::seconds(s)); };
    const auto x = interactions<double>::of(
        std::vector<timed>{{1, 5, 2, at(30)}, {1, 6, 1, at(10)}, {1, 7, 1, at(20)}, {2, 6, 1, at(9)}, {3, 7, 1, at(4)}, {3, 5, 1, at(4)}});
    const auto [train, test] = leave_last_out(x);
    CHECK(pairs_of(test) == pair_list{{1, 5}, {3, 7}});  // of equal times the larger item is the last
    CHECK(pairs_of(train) == pair_list{{1, 6}, {1, 7}, {2, 6}, {3, 5}});
    CHECK(train.customers() == x.customers());
    CHECK(test.items() == x.items());
    CHECK(test[0].values[0] == 2);
    CHECK(test[0].time_of(0) == at(30));
    CHECK(test[1].size() == 0);
    CHECK(pairs_of(leave_last_out(x, 2).test) == pair_list{{1, 5}, {1, 7}});
    CHECK(error_of([&] { (void)leave_last_out(x, 0); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)leave_last_out(x.without_times()); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)leave_last_out(interactions<double>()); }).code() == errc::empty_input);

    const auto halves = split_at(x, at(10));
    CHECK(pairs_of(halves.train) == pair_list{{2, 6}, {3, 5}, {3, 7}});
    CHECK(pairs_of(halves.test) == pair_list{{1, 5}, {1, 6}, {1, 7}});
    CHECK(error_of([&] { (void)split_at(x, at(4)); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)split_at(x, at(31)); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)split_at(x.without_times(), at(9)); }).code() == errc::bad_data);
}

TEST_CASE("pair_folds: every pair is tested once", "[splits]") {
    const auto x = interactions<float>::of(random_purchases(20, 10, 0.3, 5));
    const auto folds = pair_folds(x, 3, 7);
    REQUIRE(folds.size() == 3);
    pair_list all;
    std::size_t total = 0;
    for (const auto& fold : folds) {
        CHECK(fold.train.pairs() + fold.test.pairs() == x.pairs());
        CHECK(fold.test.pairs() + 1 >= x.pairs() / 3);
        CHECK(fold.train.pairs_not_in(fold.test) == fold.train);
        all.merge(pairs_of(fold.test));
        total += fold.test.pairs();
    }
    CHECK(all == pairs_of(x));
    CHECK(total == x.pairs());
    CHECK(pair_folds(x, 3, 7)[1].test == folds[1].test);
    CHECK_FALSE(pair_folds(x, 3, 8)[1].test == folds[1].test);
    CHECK(error_of([&] { (void)pair_folds(x, 1); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)pair_folds(x, x.pairs() + 1); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)pair_folds(interactions<float>(), 2); }).code() == errc::empty_input);
}

TEST_CASE("hold_out_customers: training does not see them", "[splits]") {
    auto log = random_purchases(40, 12, 0.3, 6);
    log.push_back({900, 100});  // one pair: never held out
    const auto x = interactions<float>::of(log);
    std::size_t able = 0;
    for (std::size_t row = 0; row < x.rows(); ++row) able += x[row].size() >= 2 ? 1 : 0;
    for (const bool latest : {false, true}) {
        const auto parts = hold_out_customers(x, {.customers = 0.25, .given = 0.7, .latest = latest}, 3);
        CHECK(parts.given.rows() == static_cast<std::size_t>(std::llround(0.25 * static_cast<double>(able))));
        CHECK(parts.given.rows() + parts.train.rows() == x.rows());
        CHECK(parts.given.customers() == parts.wanted.customers());
        CHECK((parts.train.items() == x.items() && parts.given.items() == x.items() && parts.wanted.items() == x.items()));
        auto all = pairs_of(parts.train);
        all.merge(pairs_of(parts.given));
        all.merge(pairs_of(parts.wanted));
        CHECK(all == pairs_of(x));
        CHECK(parts.train.pairs() + parts.given.pairs() + parts.wanted.pairs() == x.pairs());
        CHECK_FALSE(parts.given.customers().find(900).has_value());
        for (std::size_t row = 0; row < parts.given.rows(); ++row) {
            const auto shown = parts.given[row], hidden = parts.wanted[row];
            CHECK_FALSE(parts.train.customers().find(parts.given.customers().number(row)).has_value());
            const auto n = shown.size() + hidden.size();
            CHECK((shown.size() >= 1 && hidden.size() >= 1));
            CHECK(std::abs(static_cast<double>(shown.size()) - 0.7 * static_cast<double>(n)) <= 1);
            for (std::size_t a = 0; latest && a < shown.size(); ++a)
                for (std::size_t b = 0; b < hidden.size(); ++b)
                    CHECK(std::pair(shown.seconds[a], shown.items[a]) < std::pair(hidden.seconds[b], hidden.items[b]));
        }
        CHECK(hold_out_customers(x, {.customers = 0.25, .given = 0.7, .latest = latest}, 3).wanted == parts.wanted);
    }
    const auto code = [&](const interactions<float>& data, const held_out_options& options) {
        return error_of([&] { (void)hold_out_customers(data, options); }).code();
    };
    CHECK(code(x, {.customers = 0}) == errc::bad_parameter);
    CHECK(code(x, {.given = 1}) == errc::bad_parameter);
    CHECK(code(x, {.customers = 0.001}) == errc::too_few_rows);
    CHECK(code(x.without_times(), {.latest = true}) == errc::bad_data);
    CHECK(code(interactions<float>(), {}) == errc::empty_input);
}
