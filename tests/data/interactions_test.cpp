#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"

#include <caramel/data/interactions.hpp>

using namespace caramel;
namespace interactions_test {

using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

struct purchase {
    std::string customer;
    int item;
    double value = 1;
    sys_seconds time{};
};

template <class V>
std::vector<V> listed(std::span<const V> values) {
    return {values.begin(), values.end()};
}

}  // namespace

static_assert(std::is_nothrow_move_constructible_v<interactions<float>> && std::is_nothrow_move_assignable_v<interactions<float>>);

TEMPLATE_TEST_CASE("interactions: rows are customers, in the order of their ids", "[interactions]", CARAMEL_TEST_SCALARS) {
    const std::vector<purchase> log{{"zoe", 30, 2}, {"ann", 7, 1}, {"zoe", 7, 5}, {"bob", -1, 0.5}};
    const auto x = interactions<TestType>::of(log);
    REQUIRE(x.rows() == 3);
    CHECK(x.pairs() == 4);
    CHECK_FALSE(x.empty());
    CHECK(x.customers().is_text());
    CHECK(x.customers().text(0) == "ann");
    CHECK(x.customers().text(2) == "zoe");
    CHECK_FALSE(x.items().is_text());
    CHECK(x.items().number(0) == -1);  // numbers by size, not as texts
    CHECK(x.items().number(2) == 30);
    CHECK(listed(x[2].items) == std::vector<std::int32_t>{1, 2});
    CHECK(listed(x[2].values) == std::vector<TestType>{5, 2});
    CHECK(listed(x[1].items) == std::vector<std::int32_t>{0});
    CHECK(x.contains(2, 1));
    CHECK_FALSE(x.contains(0, 0));
}

TEST_CASE("interactions: columns of texts, of integers and of codes give the same", "[interactions]") {
    const std::vector<std::string> customers{"b", "a", "b"};
    const std::vector<std::string_view> views{"b", "a", "b"};
    const std::vector<const char*> literals{"b", "a", "b"};
    const std::vector<std::int64_t> items{20, 10, 10};
    const std::vector<std::uint16_t> small{20, 10, 10};
    const std::vector<float> values{1, 2, 3};
    const interactions<float> x({.customers = customers, .items = items, .values = values});

    CHECK(interactions<float>({.customers = views, .items = small, .values = values}) == x);
    CHECK(interactions<float>({.customers = literals, .items = items, .values = values}) == x);
    // Levels in any order, one that nothing uses, and one twice.
    const std::vector<std::string> levels{"b", "unused", "a", "b"};
    const std::vector<std::int32_t> codes{0, 2, 3};
    const std::vector<int> item_levels{10, 20, 30};
    const std::vector<std::int8_t> item_codes{1, 0, 0};
    CHECK(interactions<float>({.customers = {codes, levels}, .items = {item_codes, item_levels}, .values = values}) == x);
    CHECK(x.items().size() == 2);
}

TEST_CASE("interactions: an id is found by what it is", "[interactions]") {
    const auto x = interactions<float>::of(std::vector<purchase>{{"a", 5}, {"b", 9}});
    CHECK(x.customers().find("b") == 1);
    CHECK_FALSE(x.customers().find("").has_value());
    CHECK_FALSE(x.customers().find(5).has_value());
    CHECK(x.items().find(9) == 1);
    CHECK_FALSE(x.items().find(std::numeric_limits<std::int64_t>::min()).has_value());
    CHECK(x.items().row_of(row_number{1}) == 1);
    CHECK(x.customers()[1] == any_id("b"));
    CHECK(x.items()[0] == any_id(5U));

    const auto unknown = error_of([&] { (void)x.customers().row_of("secret"); });
    CHECK(unknown.code() == errc::unknown_id);
    CHECK(std::string(unknown.what()).find("secret") == std::string::npos);
    CHECK_THROWS_WITH(x.customers().row_of(17), "id_table: not one of the 2 ids, which are texts, not integers");
    CHECK_THROWS_WITH(x.items().row_of("17"), "id_table: not one of the 2 ids, which are integers, not texts");
    CHECK(error_of([&] { (void)x.items().row_of(row_number{2}); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)x.items()[2]; }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)any_id(std::uint64_t{1} << 63); }).code() == errc::limit_exceeded);
    CHECK_FALSE(x.items().find(any_id((std::uint64_t{1} << 32) - 16)).has_value());
}

TEST_CASE("interactions: what becomes of duplicates", "[interactions]") {
    const auto at = [](int s) { return sys_seconds(seconds(s)); };
    const std::vector<purchase> log{{"a", 1, 4, at(300)}, {"a", 2, 9, at(0)}, {"a", 1, 7, at(100)}, {"a", 1, 2, at(200)}};
    const auto merged = [&](duplicates rule) { return interactions<double>::of(log, {.on_duplicates = rule})[0].values[0]; };
    CHECK(merged(duplicates::sum) == 13);
    CHECK(merged(duplicates::max) == 7);
    CHECK(merged(duplicates::last) == 4);  // the latest time, not the last line
    const auto x = interactions<double>::of(log);
    REQUIRE(x.has_times());
    CHECK(x[0].time_of(0) == at(300));
    CHECK(x[0].time_of(1) == at(0));
    CHECK_FALSE(x.without_times().has_times());
    CHECK(x.without_times()[0].values[0] == 13);

    struct timeless {
        int customer, item;
        float value;
    };
    const std::vector<timeless> same{{1, 1, 4}, {1, 1, 7}, {1, 1, 2}};
    CHECK(interactions<float>::of(same, {.on_duplicates = duplicates::last})[0].values[0] == 2);
    const auto refused = error_of([&] { (void)interactions<float>::of(same, {.on_duplicates = duplicates::refuse}); });
    CHECK(refused.code() == errc::bad_data);
    CHECK(refused.where().row == 2);
}

TEST_CASE("interactions: without values each entry counts one", "[interactions]") {
    const std::vector<int> customers{1, 1, 2}, items{5, 5, 5};
    const interactions<float> x({.customers = customers, .items = items});
    CHECK(x[0].values[0] == 2);
    CHECK(x[1].values[0] == 1);
}

TEST_CASE("interactions: a test set is numbered as its training set", "[interactions]") {
    const auto train = interactions<float>::of(std::vector<purchase>{{"a", 1}, {"b", 2}, {"c", 3}});
    const std::vector<purchase> later{{"c", 2}, {"new", 1}, {"c", 99}, {"c", 3}, {"a", 1}};
    const interactions_options alike{.customers = &train.customers(), .items = &train.items(), .on_unlisted = unlisted::drop};
    const auto test = interactions<float>::of(later, alike);
    CHECK(test.customers() == train.customers());
    CHECK(test.items() == train.items());
    CHECK(test.pairs() == 3);
    CHECK(test[1].size() == 0);
    CHECK(listed(test[2].items) == std::vector<std::int32_t>{1, 2});

    const auto fresh = test.pairs_not_in(train);
    CHECK(fresh.pairs() == 1);
    CHECK(listed(fresh[2].items) == std::vector<std::int32_t>{1});
    CHECK(fresh.items() == train.items());
    CHECK(error_of([&] { (void)interactions<float>::of(later).pairs_not_in(train); }).code() == errc::bad_data);

    const auto refused = error_of([&] { (void)interactions<float>::of(later, {.items = &train.items()}); });
    CHECK(refused.code() == errc::unknown_id);
    CHECK(refused.where().row == 3);
}

TEST_CASE("interactions: the transpose holds the same pairs by item", "[interactions]") {
    const auto x = interactions<double>::of(std::vector<purchase>{{"a", 1, 2}, {"b", 2, 3}, {"c", 1, 5}, {"b", 1, 7}});
    const auto turned = x.by_item();
    const auto view = turned.view();
    REQUIRE(view.size() == 2);
    CHECK(view.columns == 3);
    CHECK(listed(view.ids_of(0)) == std::vector<std::int32_t>{0, 1, 2});
    CHECK(listed(view.values_of(0)) == std::vector<double>{2, 7, 5});
    CHECK(listed(view.ids_of(1)) == std::vector<std::int32_t>{1});
    const auto again = detail::transpose(view);
    CHECK(again.ids == std::get<3>(x.fields()));
    CHECK(again.values == std::get<4>(x.fields()));
}

TEST_CASE("interactions: nothing is a valid value", "[interactions][edge]") {
    const interactions<float> x;
    CHECK(x.rows() == 0);
    CHECK(x.empty());
    CHECK(interactions<float>::of(std::vector<purchase>{}).empty());
    CHECK(x.by_item().view().size() == 0);
    auto moved = interactions<float>::of(std::vector<purchase>{{"a", 1}});
    const auto taken = std::move(moved);
    CHECK(taken.rows() == 1);
    CHECK(moved.rows() == 0);  // NOLINT(bugprone-use-after-move): said to be safe
}

TEST_CASE("interactions: bad entries are named by their row", "[interactions][error]") {
    const std::vector<std::string> customers{"a", "b", "c"};
    const std::vector<int> items{1, 2, 3};
    std::vector<float> values{1, 2, 3};
    const auto refused = [&](const interaction_columns<float>& columns) { return error_of([&] { (void)interactions<float>(columns); }); };

    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
        values[1] = bad;
        const auto e = refused({.customers = customers, .items = items, .values = values});
        CHECK(e.code() == errc::nan_or_inf);
        CHECK(e.where().row == 2);
    }
    const std::vector<int> short_items{1, 2};
    CHECK(refused({.customers = customers, .items = short_items}).code() == errc::shape_mismatch);
    const std::vector<float> one{1};
    CHECK(refused({.customers = customers, .items = items, .values = one}).code() == errc::shape_mismatch);
    const std::vector<sys_seconds> times(4);
    CHECK(refused({.customers = customers, .items = items, .times = times}).code() == errc::shape_mismatch);

    const std::vector<std::string> gap{"a", "b", ""};
    const auto missing = refused({.customers = gap, .items = items});
    CHECK(missing.code() == errc::missing_value);
    CHECK(missing.where().row == 3);
    const std::vector<int> codes{0, -1, 2};
    CHECK(refused({.customers = {codes, customers}, .items = items}).code() == errc::missing_value);
    const std::vector<int> beyond{0, 1, 3};
    const auto outside = refused({.customers = {beyond, customers}, .items = items});
    CHECK(outside.code() == errc::bad_data);
    CHECK(outside.where().row == 3);
    const std::vector<std::uint64_t> large{1, 2, std::uint64_t{1} << 63};
    CHECK(refused({.customers = customers, .items = large}).code() == errc::limit_exceeded);

    const std::vector<int> same{1, 1, 1};
    const std::vector<float> huge{3e38F, 3e38F, 0};
    CHECK(refused({.customers = same, .items = same, .values = huge}).code() == errc::number_out_of_range);
}

TEST_CASE("interactions: fields that do not belong together are refused", "[interactions][error]") {
    const id_table two({}, {4, 5});
    using list = std::vector<std::int32_t>;
    const auto code = [&](std::vector<std::int64_t> starts, list bought, std::vector<float> values, std::vector<std::int64_t> times = {}) {
        return error_of([&] { (void)interactions<float>(two, two, starts, bought, values, times); }).code();
    };
    CHECK(interactions<float>(two, two, {0, 1, 2}, {1, 0}, {1, 2}, {}).pairs() == 2);
    CHECK(code({0, 1}, {1}, {1}) == errc::bad_data);
    CHECK(code({0, 2, 1}, {1}, {1}) == errc::bad_data);
    CHECK(code({0, 1, 2}, {1, 2}, {1, 1}) == errc::bad_data);
    CHECK(code({0, 1, 2}, {1, -1}, {1, 1}) == errc::bad_data);
    CHECK(code({0, 0, 2}, {1, 1}, {1, 1}) == errc::bad_data);
    CHECK(code({0, 0, 2}, {1, 0}, {1, 1}) == errc::bad_data);
    CHECK(code({0, 0, 2}, {0, 1}, {1}) == errc::bad_data);
    CHECK(code({0, 0, 2}, {0, 1}, {1, 1}, {3}) == errc::bad_data);
    CHECK(code({0, 0, 2}, {0, 1}, {1, std::numeric_limits<float>::quiet_NaN()}) == errc::bad_data);
    CHECK(error_of([] { (void)id_table({"b", "a"}, {}); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)id_table({}, {1, 1}); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)id_table({"a"}, {1}); }).code() == errc::bad_data);
}

TEST_CASE("interactions: hostile input has a typed error or a stated result", "[interactions][edge]") {
    // Ids of a megabyte that differ in their last byte.
    const std::string long_id(1 << 20, 'x');
    const auto x = interactions<float>::of(std::vector<purchase>{{long_id + "b", 1}, {long_id + "a", 1}, {long_id, 2}});
    REQUIRE(x.rows() == 3);
    CHECK(x.customers().find(long_id + "b") == 2);
    CHECK_FALSE(x.customers().find(long_id + "c").has_value());
    CHECK(std::string(error_of([&] { (void)x.customers().row_of(long_id + "c"); }).what()).size() < 100);

    // A negative value is a value: what it means is for the recipe to say.
    CHECK(interactions<float>::of(std::vector<purchase>{{"a", 1, -2.5}})[0].values[0] == -2.5F);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(error_of([&] { (void)interactions<float>::of(std::vector<purchase>{{"a", 1, 1}, {"b", 1, nan}}); }).where().row == 2);

    // A customer without purchases and an item that nobody bought, in tables that are given.
    const id_table customers({"a", "b"}, {}), items({}, {1, 2, 3});
    const auto sparse = interactions<float>::of(std::vector<purchase>{{"b", 3}}, {.customers = &customers, .items = &items});
    CHECK(sparse.rows() == 2);
    CHECK(sparse[0].size() == 0);
    CHECK(sparse.by_item().view().count(1) == 0);

    CHECK(x.pairs_where([](std::size_t customer, std::size_t) { return customer == 1; }).pairs() == 1);
}

TEST_CASE("interactions: offsets beyond 2^31 pairs", "[interactions][edge]") {
    // Three rows of which the second has more than 2^31 pairs; only the pairs about its ends are looked at, and read as if
    // they stood that far apart in memory.
    const std::int64_t far = (std::int64_t{1} << 31) + 5;
    const std::vector<std::int64_t> starts{0, 2, far, far + 3};
    detail::sparse_rows<float> rows{.starts = starts, .ids = {}, .values = {}, .columns = 7};
    CHECK(rows.size() == 3);
    CHECK(rows.count(1) == static_cast<std::size_t>(far) - 2);
    CHECK(rows.count(2) == 3);
    static_assert(std::is_same_v<decltype(std::declval<const interactions<float>&>().pairs()), std::size_t> && sizeof(std::size_t) == 8);
    // Starts that do not belong to so few pairs are refused before anything is read.
    const id_table three({}, {1, 2, 3});
    CHECK(error_of([&] { (void)interactions<float>(three, three, starts, {0}, {1}, {}); }).code() == errc::bad_data);
}

}  // namespace interactions_test
