#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <caramel/io/model_file.hpp>
#include <caramel/policy/customer_states.hpp>

#include "policy/customer_log.hpp"
#include "support/catch.hpp"

using namespace caramel;
namespace customer_states_test {

using customer_log::at_day;
using customer_log::histories_of;
using customer_log::purchase;

namespace {

using state = std::array<std::size_t, 4>;

// Months of 30 days; recency to 30, 60, 120 days; 1, 2 to 3 or more orders; to 10, 50 or more an order.
const customer_states_model model(30, {30, 60, 120}, {1, 3}, {10, 50}, 3);

state state_of(const std::vector<purchase>& bought, double as_of, std::optional<std::chrono::sys_seconds> last_contact = {}) {
    const auto rows = customer_log::rows_of(bought);
    workspace scratch;
    return model(customer_record{.seen = {rows, at_day(as_of)}, .last_contact = last_contact}, scratch).state;
}

}  // namespace

TEST_CASE("customer_states: worked by hand", "[customer_states]") {
    CHECK(model.shape() == state{4, 3, 3, 3});
    // Recency counts from the last purchase, up to and with a cut.
    CHECK(state_of({{0, 5}}, 30) == state{0, 0, 0, 2});
    CHECK(state_of({{0, 5}}, 30.01) == state{1, 0, 0, 2});
    CHECK(state_of({{0, 5}, {60, 5}}, 100) == state{1, 1, 0, 2});
    CHECK(state_of({{0, 5}}, 121) == state{3, 0, 0, 2});
    // Orders are distinct invoices, wherever their rows stand; spend is that of an order.
    CHECK(state_of({{0, 10, 7}, {0, 20, 7}, {1, 10, 7}}, 10) == state{0, 0, 1, 2});         // one order of 40
    CHECK(state_of({{0, 10, 7}, {1, 20, 8}, {2, 10, 7}}, 10) == state{0, 1, 1, 2});         // two of 20
    CHECK(state_of({{0, 1, 9}, {1, 1, 8}, {2, 1, 7}, {3, 1, 8}}, 10) == state{0, 1, 0, 2});  // three, numbers falling
    CHECK(state_of({{0, 60, 1}, {1, 60, 2}, {2, 60, 3}, {3, 60, 4}}, 10) == state{0, 2, 2, 2});
    // Without invoices, distinct times.
    CHECK(state_of({{0, 10}, {0, 20}, {1, 5}}, 10) == state{0, 1, 1, 2});  // two of 17.5
    CHECK(state_of({{0, 4}, {0, 4}}, 10) == state{0, 0, 0, 2});
    CHECK(state_of({{0, 4, 1}, {0, 4}, {0, 4, 2}, {1, 4}}, 10) == state{0, 2, 0, 2});  // two invoices, two times
    // Returned goods: spend may fall below zero.
    CHECK(state_of({{0, 5, 1}, {1, -20, 2}}, 10) == state{0, 1, 0, 2});
}

TEST_CASE("customer_states: orders without invoices around 1970 are told apart by their times", "[customer_states]") {
    using namespace std::chrono;
    const sys_seconds epoch{};
    const std::vector<transaction> rows{{.when = epoch - seconds(5)}, {.when = epoch}, {.when = epoch + seconds(5)}};
    workspace scratch;
    CHECK(customer_states_model::totals_of(rows, scratch).orders == 3);
}

TEST_CASE("customer_states: last contact in whole periods, rounded", "[customer_states]") {
    const std::vector<purchase> bought{{0, 5}};
    const auto contact = [&](double days_ago) { return state_of(bought, 400, at_day(400 - days_ago))[3]; };
    CHECK(state_of(bought, 400)[3] == 2);  // never
    CHECK(contact(0) == 0);
    CHECK(contact(30) == 0);
    CHECK(contact(31) == 0);  // months differ by days
    CHECK(contact(44.9) == 0);
    CHECK(contact(45) == 1);
    CHECK(contact(60) == 1);
    CHECK(contact(74.9) == 1);
    CHECK(contact(75) == 2);
    CHECK(contact(10'000) == 2);
    CHECK(contact(-3) == 0);  // a contact that is planned already
    const customer_states_model one_cell(30, {}, {}, {}, 1);
    const auto rows = customer_log::rows_of(bought);
    workspace scratch;
    CHECK(one_cell(customer_record{.seen = {rows, at_day(400)}, .last_contact = at_day(1)}, scratch).state == state{0, 0, 0, 0});
    CHECK(one_cell.shape() == state{1, 1, 1, 1});
}

TEST_CASE("customer_states: axes in words", "[customer_states]") {
    const auto axes = model.axes();
    CHECK(axes[0].cells == std::vector<std::string>{"to 30", "to 60", "to 120", "over 120"});
    CHECK(axes[1].cells == std::vector<std::string>{"to 1", "to 3", "over 3"});
    CHECK(axes[2].name == "spend per order");
    CHECK(axes[3].cells == std::vector<std::string>{"0", "1", "2+"});
    for (std::size_t d = 0; d < 4; ++d) CHECK(axes[d].cells.size() == model.shape()[d]);
}

TEST_CASE("customer_states: a batch is its single rows, and the recipe cuts where customers differ", "[customer_states]") {
    // Orders 1, 1, 2, 3, 4, 5; spend per order 10, 20, ..., 60.
    std::vector<std::vector<purchase>> customers;
    for (std::size_t c = 0; c < 6; ++c) {
        auto& mine = customers.emplace_back();
        for (std::size_t k = 0; k < std::max<std::size_t>(c, 1); ++k) mine.push_back({static_cast<double>(10 * c + k), 10.0 * static_cast<double>(c + 1), static_cast<std::int32_t>(10 * c + k)});
    }
    const auto seen = histories_of(customers, 100);
    const auto learnt = fit(customer_states{.period_days = 7, .recency_days = {50, 70}, .contact_cells = 4}, seen);
    CHECK(learnt.period_days() == 7);
    CHECK(learnt.recency_days() == std::vector<double>{50, 70});
    CHECK(learnt.orders() == std::vector<double>{1, 3});
    CHECK(learnt.spend() == std::vector<double>{20, 40});
    CHECK(learnt.shape() == state{3, 3, 3, 4});

    const auto batch = learnt(seen);
    REQUIRE(batch.size() == 6);
    std::vector<customer_record> records;
    workspace scratch;
    for (std::size_t i = 0; i < 6; ++i) {
        CHECK(batch[i].state == learnt(seen[i], scratch).state);
        CHECK_FALSE(batch[i].allowed.has_value());
        records.push_back({.seen = seen[i], .last_contact = seen.as_of() - std::chrono::days(7 * static_cast<int>(i))});
    }
    CHECK(batch[0].state == state{2, 0, 0, 3});
    CHECK(batch[5].state == state{0, 2, 2, 3});  // last bought on day 54
    const auto contacted = learnt(std::span<const customer_record>(records));
    for (std::size_t i = 0; i < 6; ++i) {
        CHECK(contacted[i].state == learnt(records[i], scratch).state);
        CHECK(contacted[i].state[3] == std::array<std::size_t, 6>{0, 0, 1, 2, 3, 3}[i]);
    }
    CHECK(learnt(histories{}).empty());

    // Customers who are all alike have one cell.
    const auto alike = fit(customer_states{}, histories_of({{{1, 5}}, {{2, 5}}, {{3, 5}}}, 10));
    CHECK(alike.shape() == state{4, 1, 1, 3});
}

TEST_CASE("customer_states: saved and loaded", "[customer_states][io]") {
    std::ostringstream out;
    save(model, out);
    const std::string bytes = out.str();
    const auto again = load<customer_states_model>(std::as_bytes(std::span(bytes)));
    CHECK(again.fields() == model.fields());
    const auto seen = histories_of({{{1, 5}}, {{2, 5}, {9, 80}}}, 50);
    for (std::size_t i = 0; i < 2; ++i) CHECK(again(seen)[i].state == model(seen)[i].state);
}

TEST_CASE("customer_states: refusals", "[customer_states][error]") {
    constexpr double inf = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();
    workspace scratch;
    const auto seen = histories_of({{{1, 5}}, {{2, 5}, {9, 80}}}, 50);
    const auto bad_recipe = [&](const customer_states& recipe) { return error_of([&] { (void)fit(recipe, seen); }).code() == errc::bad_parameter; };
    for (const double days : {0.0, -1.0, inf, not_a_number, 40'000.0}) CHECK(bad_recipe({.period_days = days}));
    for (const auto& cuts : {std::vector<double>{30, 30}, {30, 20}, {inf}, {not_a_number}}) CHECK(bad_recipe({.recency_days = cuts}));
    CHECK(bad_recipe({.order_cells = 0}));
    CHECK(bad_recipe({.spend_cells = 0}));
    CHECK(bad_recipe({.contact_cells = 0}));
    CHECK(bad_recipe({.contact_cells = 1001}));
    CHECK(error_of([] { (void)fit(customer_states{}, histories{}); }).code() == errc::empty_input);

    const auto bad_model = [&](double period, std::vector<double> cuts, std::size_t contacts) {
        return error_of([&] { (void)customer_states_model(period, {}, std::move(cuts), {}, contacts); }).code() == errc::bad_data;
    };
    CHECK(bad_model(0, {}, 1));
    CHECK(bad_model(not_a_number, {}, 1));
    CHECK(bad_model(30, {2, 1}, 1));
    CHECK(bad_model(30, {not_a_number}, 1));
    CHECK(bad_model(30, {}, 0));

    // With the row: a customer without purchases, and numbers that are not finite.
    CHECK(error_of([&] { (void)model(history{{}, at_day(1)}, scratch); }).code() == errc::empty_input);
    const auto without = histories_of({{{1, 5}}, {}, {{2, 5}}}, 50);
    for (const error& e : {error_of([&] { (void)model(without); }), error_of([&] { (void)fit(customer_states{}, without); })}) {
        CHECK(e.code() == errc::empty_input);
        CHECK(e.where() == place{.row = 2});
    }
    for (const double bad : {inf, -inf, not_a_number}) {
        const auto poisoned = histories_of({{{1, 5}}, {{2, 5}}, {{2, 5}, {3, bad}}}, 50);
        for (const error& e : {error_of([&] { (void)model(poisoned); }), error_of([&] { (void)fit(customer_states{}, poisoned); })}) {
            CHECK(e.code() == errc::nan_or_inf);
            CHECK(e.where() == place{.row = 3});
        }
    }
}

}  // namespace customer_states_test
