#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <caramel/policy/q_table.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEMPLATE_TEST_CASE("q_table: an xtensor over the state axes and, last, the actions", "[q_table]", CARAMEL_TEST_SCALARS) {
    q_table<TestType, 2> q({4, 3}, 5, TestType(2));
    CHECK(q.states() == std::array<std::size_t, 2>{4, 3});
    CHECK(q.actions() == 5);
    CHECK(q.state_count() == 12);
    CHECK(q.value({3, 2}, 4) == 2);
    CHECK(q.visits({3, 2}, 4) == 0);
    CHECK(q.allowed({3, 2}, 4));
    q.values_of(q.number_of({1, 2}))[3] = TestType(7);
    CHECK(q.value({1, 2}, 3) == 7);
    CHECK(q.values()(1, 2, 3) == 7);
    CHECK(q.values().shape()[2] == 5);
}

TEST_CASE("q_table: masks", "[q_table]") {
    q_table<float, 1> q({3}, 3);
    q.allow_only({1}, {0, 2, 2});
    CHECK(q.allowed({1}, 0));
    CHECK(!q.allowed({1}, 1));
    CHECK(q.allowed({1}, 2));
    CHECK(q.allowed({0}, 1));
    q.allow_only({1}, std::vector<int>{1});
    CHECK(!q.allowed({1}, 0));
    CHECK(q.allowed({1}, 1));
    const error nothing = error_of([&] { q.allow_only({1}, std::vector<int>{}); });
    CHECK(nothing.code() == errc::bad_data);
    CHECK(nothing.where() == place{.row = 2});
    const error e = error_of([&] { q.allow_only({1}, {0, 3}); });
    CHECK(e.code() == errc::unknown_id);
    CHECK(e.where() == place{.row = 2});
    CHECK(error_of([&] { q.allow_only({1}, std::vector<int>{-1}); }).code() == errc::unknown_id);
    CHECK(error_of([&] { q.allow_only_at(3, {0}); }).code() == errc::unknown_id);
    CHECK(!q.allowed({1}, 0));  // failed calls changed nothing
    CHECK(q.allowed({1}, 1));
}

TEST_CASE("q_table: states and actions outside name their axis", "[q_table][error]") {
    const q_table<double, 3> q({2, 3, 4}, 5);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        std::array<std::size_t, 3> state{};
        state[axis] = axis + 2;
        const error e = error_of([&] { (void)q.value(state, 0); });
        CHECK(e.code() == errc::unknown_id);
        CHECK(e.where() == place{.column = axis + 1});
    }
    const error e = error_of([&] { (void)q.visits({0, 0, 0}, 5); });
    CHECK(e.code() == errc::unknown_id);
    CHECK(e.where() == place{.column = 4});
}

TEST_CASE("q_table: refuses fields that do not belong together", "[q_table][error]") {
    const auto values = make_tensor<float, 2>({2, 3});
    const auto visits = make_tensor<std::uint64_t, 2>({2, 3});
    const auto allowed = make_tensor<std::uint8_t, 2>({2, 3}, 1);
    CHECK(q_table<float, 1>(values, visits, allowed).state_count() == 2);
    CHECK(error_of([&] { q_table<float, 1>(make_tensor<float, 2>({3, 2}), visits, allowed); }).code() == errc::bad_data);
    CHECK(error_of([&] { q_table<float, 1>(values, visits, make_tensor<std::uint8_t, 2>({2, 3}, 2)); }).code() == errc::bad_data);
    CHECK(error_of([&] { q_table<float, 1>(make_tensor<float, 2>({2, 3}, std::numeric_limits<float>::quiet_NaN()), visits, allowed); }).code() == errc::bad_data);
    CHECK(error_of([&] { q_table<float, 1>(make_tensor<float, 2>({0, 3}), make_tensor<std::uint64_t, 2>({0, 3}), make_tensor<std::uint8_t, 2>({0, 3})); }).code() == errc::bad_data);
    CHECK(error_of([&] { q_table<float, 2>({4, 0}, 2); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { q_table<float, 2>({4, 4}, 0); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { q_table<float, 2>({std::size_t{1} << 40, std::size_t{1} << 40}, 2); }).code() == errc::limit_exceeded);
    CHECK(error_of([&] { q_table<float, 1>({4}, 2, std::numeric_limits<float>::infinity()); }).code() == errc::bad_parameter);
}

TEST_CASE("q_table: a moved-from table says so", "[q_table][error]") {
    q_table<float, 1> q({4}, 2);
    const q_table<float, 1> taken(std::move(q));
    CHECK(taken.value({3}, 1) == 0);
    CHECK(error_of([&] { (void)q.value({0}, 0); }).code() == errc::bad_data);  // NOLINT(bugprone-use-after-move)
}

TEMPLATE_TEST_CASE("merge_tables: means weighted by visits, masks must agree", "[q_table]", CARAMEL_TEST_SCALARS) {
    std::vector<q_table<TestType, 1>> shards(3, q_table<TestType, 1>({2}, 2, TestType(.1)));
    for (auto& t : shards) t.allow_only({1}, {0});
    const auto set = [&](std::size_t k, std::size_t state, std::size_t action, double value, std::uint64_t visits) {
        shards[k].values_of(state)[action] = static_cast<TestType>(value);
        shards[k].visits_of(state)[action] = visits;
    };
    set(0, 0, 0, 4, 1);
    set(1, 0, 0, 8, 3);
    set(2, 0, 0, 100, 0);  // was not there
    for (std::size_t k = 0; k < 3; ++k) set(k, 0, 1, .3, 7 + k);
    const auto merged = merge_tables(shards);
    CHECK(merged.value({0}, 0) == 7);
    CHECK(merged.visits({0}, 0) == 4);
    CHECK(merged.value({0}, 1) == static_cast<TestType>(.3));  // equal values stay what they are
    CHECK(merged.visits({0}, 1) == 24);
    CHECK(merged.value({1}, 0) == static_cast<TestType>(.1));
    CHECK(!merged.allowed({1}, 1));
    CHECK(merge_tables(std::vector{shards[1]}).value({0}, 0) == 8);

    shards[2].allow_only({0}, {1});
    const error e = error_of([&] { (void)merge_tables(shards); });
    CHECK(e.code() == errc::bad_data);
    CHECK(e.where() == place{.row = 1, .column = 1});
    shards[2] = q_table<TestType, 1>({2}, 3);
    CHECK(error_of([&] { (void)merge_tables(shards); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)merge_tables(std::vector<q_table<TestType, 1>>{}); }).code() == errc::empty_input);
}
