// Named product states, what fills their rarely seen cells, and how policies over them are printed.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/policy/back_off.hpp>
#include <caramel/policy/q_learning.hpp>
#include <caramel/policy/state_space.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace state_space_test {

namespace {
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
using numbers = std::vector<double>;

state_space<double, 4> four_axes() {
    return {{axis_rule{.name = "recency", .cuts = {30, 90}},
             {.name = "orders", .cells = 2},
             {.cells = 1, .words = {"all"}},
             category_axis("last action", {"none", "mail", "call"})}};
}
matrix<double> eight_rows() {
    matrix<double> x(8, 4);
    x << 10, 1, 5, 0,  //
        30, 2, 5, 1,   //
        31, 3, 5, 2,   //
        90, 4, 5, 0,   //
        91, 5, 5, 1,   //
        95, 6, 5, 2,   //
        99, 7, 5, 0,   //
        400, 8, 5, 1;
    return x;
}
}  // namespace

TEST_CASE("state_space: axes by hand, by quantiles, whole and categories", "[state_space]") {
    const auto x = eight_rows();
    const auto space = fit(four_axes(), x);
    CHECK(space.shape() == std::array<std::size_t, 4>{3, 2, 1, 3});
    CHECK(std::vector(space.cuts(1).begin(), space.cuts(1).end()) == numbers{4});
    const auto cells = space(x);
    CHECK(cells[1].state == std::array<std::size_t, 4>{0, 0, 0, 1});
    CHECK(cells[3].state == std::array<std::size_t, 4>{1, 0, 0, 0});
    CHECK(cells[7].state == std::array<std::size_t, 4>{2, 1, 0, 1});
    CHECK(!cells[0].allowed);
    CHECK(space(row_of(x, 5)).state == cells[5].state);
    CHECK(space.words_of(cells[5].state) == "recency over 90, orders over 4, axis 3 all, last action call");
    const auto axes = space.axes();
    CHECK(axes[0].name == "recency");
    CHECK(axes[0].cells == std::vector<std::string>{"to 30", "to 90", "over 90"});
    CHECK(axes[3].cells == std::vector<std::string>{"none", "mail", "call"});
    CHECK(category_axis("only", {"one"}).cells == 1);

    // Saved and loaded; and a stage before a policy.
    const auto bytes = to_bytes(space);
    const auto again = load<state_space_model<double, 4>>(std::span(bytes));
    CHECK(again.words_of(cells[5].state) == space.words_of(cells[5].state));
    CHECK(again(x)[6].state == cells[6].state);
    q_table<double, 4> table(space.shape(), 2);
    table.values_of(state_number(space.shape(), cells[7].state))[1] = 3;
    const auto policy = space | q_policy<double, 4>(table, true, -1);
    CHECK(policy(x)[7] == choice{.action = 1, .propensity = 1, .value = 3});
    CHECK(policy(x)[6].action == 0);
}

TEST_CASE("state_space: by a target only what tells is cut", "[state_space]") {
    rng random(1);
    matrix<double> x(400, 3);
    numbers y(400);
    for (row_index i = 0; i < 400; ++i) {
        x.row(i) << static_cast<double>(random.below(100)), random.normal(), random.normal();
        y[static_cast<std::size_t>(i)] = (x(i, 0) > 59 ? 10 : 2) + .5 * random.normal();
    }
    const auto space = fit(
        state_space_by_target<double, 3>{
            {axis_rule{.name = "age", .cells = 4}, {.name = "noise", .cells = 4}, {.name = "sign", .cuts = {0}, .words = {"below", "above"}}}},
        x, y);
    CHECK(space.shape() == std::array<std::size_t, 3>{2, 1, 2});
    CHECK(space.cuts(0)[0] == 59);
    CHECK(space.words_of({1, 0, 0}) == "age over 59, noise any, sign below");
}

TEST_CASE("state_space: refusals", "[state_space][error]") {
    const auto x = eight_rows();
    const auto space = fit(four_axes(), x);
    CHECK(error_of([&] { (void)space(matrix<double>::Zero(2, 3)); }).code() == errc::shape_mismatch);
    matrix<double> bad = x;
    bad(2, 1) = not_a_number;
    CHECK(error_of([&] { (void)space(bad); }).where() == place{.row = 3, .column = 2});
    CHECK(error_of([&] { (void)fit(four_axes(), bad); }).where() == place{.row = 3, .column = 2});
    CHECK(error_of([&] { (void)fit(four_axes(), matrix<double>(0, 4)); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)fit(four_axes(), matrix<double>(x.leftCols(3))); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)space.words_of({0, 2, 0, 0}); }).where() == place{.column = 2});
    CHECK(error_of([&] { (void)space.cuts(4); }).code() == errc::unknown_id);
    const auto refused = [&](const axis_rule& rule) {
        return error_of([&] { (void)fit(state_space<double, 1>{{rule}}, matrix<double>(x.leftCols(1))); }).code();
    };
    CHECK(refused({.cells = 0}) == errc::bad_parameter);
    CHECK(refused({.cuts = {2, 1}}) == errc::bad_parameter);
    CHECK(refused({.cuts = {1, not_a_number}}) == errc::bad_parameter);
    CHECK(refused({.cells = 3, .words = {"a", "b", "c"}}) == errc::bad_parameter);
    CHECK(refused({.cuts = {1}, .words = {"a"}}) == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(state_space_by_target<double, 4>{}, x, numbers{1}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)fit(state_space_by_target<double, 4>{.axes = {}, .min_rows = 0}, x, numbers(8, 1.0)); }).code() == errc::bad_parameter);
    using model = state_space_model<double, 1>;
    CHECK(error_of([] { (void)model({"a", "b"}, ragged<double>({1}, {0, 1}), {"x", "y"}); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)model({"a"}, ragged<double>({2, 1}, {0, 2}), {"x", "y", "z"}); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)model({"a"}, ragged<double>({1}, {0, 1}), {"x"}); }).code() == errc::bad_data);
}

TEST_CASE("back_off: worked by hand", "[back_off]") {
    // Two axes of two cells, two actions. Action 0: 4 visits at 10 in (0, 0), 1 at 2 in (0, 1), 2 at 5 in (1, 0); action 1 nowhere.
    q_table<double, 2> table({2, 2}, 2, -7);
    const auto see = [&](std::size_t cell, std::uint64_t visits, double value) {
        table.values_of(cell)[0] = value;
        table.visits_of(cell)[0] = visits;
    };
    see(0, 4, 10);
    see(1, 1, 2);
    see(2, 2, 5);
    const auto filled = back_off(table, {.enough = 4, .strength = 2});
    // Over all (40 + 2 + 10) / 7; row 0 (42 + 2 * that) / 7, row 1 (10 + 2 * that) / 4.
    const double all = 52.0 / 7, row_0 = (42 + 2 * all) / 7, row_1 = (10 + 2 * all) / 4;
    CHECK(filled.value({0, 0}, 0) == 10);  // enough
    CHECK(filled.value({0, 1}, 0) == Approx((2 + 2 * row_0) / 3).epsilon(1e-14));
    CHECK(filled.value({1, 0}, 0) == Approx((10 + 2 * row_1) / 4).epsilon(1e-14));
    CHECK(filled.value({1, 1}, 0) == Approx(row_1).epsilon(1e-14));
    CHECK(filled.visits({1, 1}, 0) == 0);
    CHECK(filled.allowed({1, 1}, 0));
    CHECK(!filled.allowed({0, 0}, 1));
    CHECK(filled.value({0, 0}, 1) == -7);
    const q_policy<double, 2> policy(filled, true, -1);
    CHECK(policy({.state = {1, 1}}).action == 0);
    CHECK(error_of([&] { (void)back_off(table, {.strength = 0}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)back_off(table, {.strength = not_a_number}); }).code() == errc::bad_parameter);
}

TEST_CASE("back_off: as sums over all that was seen, and as cell_means", "[back_off]") {
    constexpr std::array<std::size_t, 3> shape{3, 2, 4};
    rng random(2);
    q_table<float, 3> table(shape, 2);
    for (std::size_t s = 0; s < 24; ++s)
        for (std::size_t a = 0; a < 2; ++a) {
            table.values_of(s)[a] = static_cast<float>(random.normal());
            table.visits_of(s)[a] = random.below(3) == 0 ? 1 + random.below(9) : 0;
        }
    const auto filled = back_off(table, {.enough = 1000, .strength = 3});
    for (std::size_t a = 0; a < 2; ++a) {
        double n = 0, sum = 0;
        for (std::size_t s = 0; s < 24; ++s) {
            n += static_cast<double>(table.visits_of(s)[a]);
            sum += static_cast<double>(table.visits_of(s)[a]) * static_cast<double>(table.values_of(s)[a]);
        }
        cell_means<3> means(shape, sum / n, 3);  // level 0 is then its own prior
        for (std::size_t s = 0; s < 24; ++s)
            for (std::uint64_t k = 0; k < table.visits_of(s)[a]; ++k) means.add(state_at(shape, s), static_cast<double>(table.values_of(s)[a]));
        for (std::size_t s = 0; s < 24; ++s) CHECK(filled.values_of(s)[a] == Approx(means(state_at(shape, s))).epsilon(1e-5));
    }
    // Nothing seen at all: nothing is allowed; enough everywhere: nothing changes.
    CHECK(back_off(q_table<float, 1>({2}, 1)).allowed_of(0)[0] == 0);
    const auto kept = back_off(table, {.enough = 0});
    for (std::size_t s = 0; s < 24; ++s)
        if (table.visits_of(s)[0] > 0) CHECK(kept.values_of(s)[0] == table.values_of(s)[0]);
}

TEST_CASE("policy_table: exact text", "[policy_grid]") {
    const std::array axes{state_axis{"days", {"to 30", "over 30"}}, state_axis{"Käufe", {"1", "über 1"}}};
    const std::vector<std::string> names{"nothing", "mail"};
    const std::vector<std::size_t> actions{0, 1, no_action, 1};
    CHECK(policy_table(axes, actions, names) ==
          "  days     Käufe   action\n"
          "  to 30    1       nothing\n"
          "  to 30    über 1  mail\n"
          "  over 30  1       -\n"
          "  over 30  über 1  mail\n");
    CHECK(policy_table(axes, actions, names, numbers{1, 22.5, not_a_number, -3}, std::vector<std::uint64_t>{5, 0, 10'000, 1}, 1) ==
          "  days     Käufe   action   value  visits\n"
          "  to 30    1       nothing      1       5\n"
          "  over 30  1       -            -   10000\n"
          "  over 30  über 1  mail        -3       1\n");
    q_table<double, 2> table({2, 2}, 2);
    table.values_of(3)[1] = 4;
    table.visits_of(3)[1] = 7;
    table.visits_of(0)[0] = 2;
    CHECK(error_of([&] { (void)q_policy<double, 2>(table, false, -2); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)q_policy<double, 2>(table, false, 2); }).code() == errc::bad_data);
    CHECK(policy_table(axes, q_policy<double, 2>(table, false, -1), names).find("to 30    über 1  -            -       0") != std::string::npos);
    CHECK(policy_table(axes, q_policy<double, 2>(table, false, -1), names, 1) ==
          "  days     Käufe   action   value  visits\n"
          "  to 30    1       nothing      0       2\n"
          "  over 30  über 1  mail         4       7\n");
    struct {
        std::vector<std::size_t> policy{1, 0, 0, no_action};
        vec<double> v = vec<double>::Constant(4, .5);
    } solution;
    CHECK(policy_table(axes, solution, names) ==
          "  days     Käufe   action   value\n"
          "  to 30    1       mail      0.50\n"
          "  to 30    über 1  nothing   0.50\n"
          "  over 30  1       nothing   0.50\n"
          "  over 30  über 1  -         0.50\n");
    CHECK(error_of([&] { (void)policy_table(axes, std::vector<std::size_t>(3), names); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)policy_table(axes, actions, names, numbers(3)); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)policy_table(axes, actions, std::vector<std::string>{"nothing"}); }).code() == errc::unknown_id);
}

}  // namespace state_space_test
