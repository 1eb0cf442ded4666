#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <caramel/data/clean.hpp>
#include <caramel/data/synthetic.hpp>
#include <caramel/policy/customer_process.hpp>
#include <caramel/policy/q_learning.hpp>

#include "policy/customer_log.hpp"
#include "support/catch.hpp"

using namespace caramel;
using customer_log::at_day;
using customer_log::histories_of;
using customer_log::purchase;

namespace {

using spot = std::array<std::size_t, 3>;
using state = std::array<std::size_t, 4>;

contact_assumptions assumed() {
    return {.actions = {{.name = "nothing"}, {.name = "mail", .cost = .5, .log_odds = .4}, {.name = "call", .cost = 3, .log_odds = 1.1}},
            .strength = {.25, .5, 1},
            .margin = .2};
}

double inverse_logit(double z) { return 1 / (1 + std::exp(-z)); }

// In these processes an order makes a customer recent, and nothing else does.
double order_probability(const customer_process& p, const state& at, std::size_t action) {
    double sum = 0;
    for (const auto& row : p.process.process().rows_of(state_number(p.process.shape(), at), action))
        if (state_at(p.process.shape(), row.next_state)[0] == 0) sum += row.probability;
    return sum;
}
double reward_of(const customer_process& p, const state& at, std::size_t action) {
    return p.process.process().rows_of(state_number(p.process.shape(), at), action).front().reward;
}

// A chain in months: who has not bought for r months (0, 1, 2 or more) buys with this probability, those with more than
// two orders more readily. An order is worth 10 to two thirds of the customers, 40 to the others.
constexpr std::array<std::array<double, 2>, 3> truth{{{.35, .6}, {.2, .4}, {.08, .15}}};
const customer_states_model chain_states(30, {30, 60}, {2}, {20}, 3);
histories simulated(std::size_t customers, std::size_t months, std::uint64_t seed) {
    rng random(seed);
    std::vector<std::vector<purchase>> log;
    for (std::size_t c = 0; c < customers; ++c) {
        const double spend = c % 3 == 0 ? 40 : 10;
        auto& mine = log.emplace_back();
        mine.push_back({.01 + 29.9 * random.uniform(), spend});
        std::size_t away = 0;
        for (std::size_t month = 1; month < months; ++month) {
            const bool orders = random.uniform() < truth[std::min<std::size_t>(away, 2)][mine.size() > 2 ? 1 : 0];
            away = orders ? 0 : away + 1;
            if (orders) mine.push_back({30 * static_cast<double>(month) + .01 + 29.9 * random.uniform(), spend});
        }
    }
    return histories_of(log, 30 * static_cast<double>(months));
}

}  // namespace

TEST_CASE("customer_moves: worked by hand", "[customer_process]") {
    // Months of 30 days, counted back from day 100: 10 to 40, 40 to 70, 70 to 100.
    const customer_states_model states(30, {30, 60}, {1, 2}, {10}, 2);
    const auto moves = customer_moves(states, histories_of({{{5, 8}, {45, 20, 7}, {50, 3, 7}, {69.5, 5}}}, 100));
    REQUIRE(moves.size() == 3);
    CHECK(moves[0].state == spot{0, 0, 0});  // 5 days, 1 order, 8 each
    CHECK(moves[0].next_state == spot{1, 0, 0});
    CHECK_FALSE(moves[0].ordered);
    CHECK(moves[0].spend == 0);
    CHECK(moves[1].state == spot{1, 0, 0});
    CHECK(moves[1].ordered);
    CHECK(moves[1].spend == 28);
    CHECK(moves[1].next_state == spot{0, 2, 1});  // half a day, 3 orders, 12 each
    CHECK(moves[2].state == spot{0, 2, 1});
    CHECK(moves[2].next_state == spot{1, 2, 1});
    CHECK_FALSE(moves[2].ordered);
}

TEST_CASE("customer_moves: where periods begin", "[customer_process]") {
    const customer_states_model states(30, {30}, {}, {}, 1);
    const auto periods = [&](double first) { return customer_moves(states, histories_of({{{first}}}, 100)).size(); };
    CHECK(periods(99) == 0);
    CHECK(periods(71) == 0);
    CHECK(periods(70) == 0);  // a period begins after the first purchase, not with it
    CHECK(periods(69.9) == 1);
    CHECK(periods(40) == 1);
    CHECK(periods(39.9) == 2);
    // A purchase at the instant at which a period begins belongs to it; one at its end to the next.
    const auto moves = customer_moves(states, histories_of({{{35}, {40}, {70}}}, 100));
    REQUIRE(moves.size() == 2);
    CHECK(moves[0].ordered);
    CHECK(moves[0].spend == 1);
    CHECK(moves[1].spend == 1);
    // Customers one after another; those without a whole period have no moves.
    CHECK(customer_moves(states, histories_of({{{1}}, {{95}}, {{20}, {80}}}, 100)).size() == 5);
    CHECK(customer_moves(states, histories{}).empty());
}

TEST_CASE("customer_moves: refusals", "[customer_process][error]") {
    const error poisoned = error_of([] { (void)customer_moves(chain_states, histories_of({{{1}}, {{2}, {3, std::numeric_limits<double>::infinity()}}}, 100)); });
    CHECK(poisoned.code() == errc::nan_or_inf);
    CHECK(poisoned.where() == place{.row = 2});
    CHECK(error_of([] { (void)customer_moves(chain_states, histories_of({{{1}}, {}}, 100)); }).where() == place{.row = 2});
    const customer_states_model instant(1e-6, {}, {}, {}, 1);
    CHECK(error_of([&] { (void)customer_moves(instant, histories_of({{{1}}}, 2)); }).code() == errc::bad_parameter);
}

TEST_CASE("estimate_customers: one cell, worked by hand", "[customer_process]") {
    // Six customers' months, two of them with an order, of 30 and 50.
    const customer_states_model states(30, {}, {}, {}, 2);
    const auto seen = histories_of({{{5, 8}, {45, 30}, {75, 50}}, {{5, 8}}}, 100);
    const double smoothing = 3;
    const contact_assumptions contacts{.actions = {{.name = "nothing"}, {.name = "mail", .cost = .5, .log_odds = .4}}, .strength = {.5, 1}, .margin = .1};
    const auto got = estimate_customers(states, seen, contacts, smoothing);
    CHECK(got.observed == 6);
    CHECK(got.order_rate == Approx(1.0 / 3));
    double p = 2.5 / 7, spend = 40;
    for (int level = 0; level < 4; ++level) {
        p = (2 + smoothing * p) / (6 + smoothing);
        spend = (80 + smoothing * spend) / (2 + smoothing);
    }
    REQUIRE(got.process.process().states() == 2);
    for (std::size_t c = 0; c < 2; ++c) {
        const double moved = inverse_logit(std::log(p / (1 - p)) + .4 * contacts.strength[c]);
        CHECK(reward_of(got, {0, 0, 0, c}, 0) == Approx(.1 * spend * p).epsilon(1e-12));
        CHECK(reward_of(got, {0, 0, 0, c}, 1) == Approx(.1 * spend * moved - .5).epsilon(1e-12));
        // Nothing done: one more period without contact, up to the last cell.
        CHECK(got.process.process().rows_of(c, 0).front().next_state == 1);
        CHECK(got.process.process().rows_of(c, 1).front().next_state == 0);
    }
    CHECK(got.today == std::vector<double>{0, 1});  // nobody was contacted
    CHECK(got.mean(std::vector<double>{5, 7}) == 7);
}

TEST_CASE("estimate_customers: where nobody ordered again", "[customer_process]") {
    const customer_states_model states(30, {30}, {1}, {10}, 2);
    const auto got = estimate_customers(states, histories_of({{{5, 8}}, {{5, 12}}}, 100), {.actions = {{.name = "nothing"}}, .strength = {1, 1}, .margin = 1});
    CHECK(got.observed == 6);
    CHECK(got.order_rate == 0);
    // An order is worth what the first ones were, 10, and its probability is small but not 0.
    const double p = order_probability(got, {0, 0, 0, 0}, 0);
    CHECK(p > 0);
    CHECK(p < .1);
    CHECK(reward_of(got, {0, 0, 0, 0}, 0) == Approx(10 * p).epsilon(1e-12));
}

TEST_CASE("estimate_customers: a long log gives the chain back", "[customer_process]") {
    const auto seen = simulated(4000, 24, 1);
    const auto got = estimate_customers(chain_states, seen, assumed(), 5);
    CHECK(got.observed == 4000 * 23);
    CHECK(got.process.shape() == state{3, 2, 2, 3});

    // Order probabilities, within four standard errors of what a state was seen.
    const auto moves = customer_moves(chain_states, seen);
    CHECK(moves.size() == got.observed);
    double orders = 0;
    for (std::size_t r = 0; r < 3; ++r)
        for (std::size_t f = 0; f < 2; ++f)
            for (std::size_t s = 0; s < 2; ++s) {
                const auto n = static_cast<double>(std::ranges::count_if(moves, [&](const customer_move& m) { return m.state == spot{r, f, s}; }));
                REQUIRE(n > 300);
                const double p = truth[r][f];
                const double estimate = order_probability(got, {r, f, s, 2}, 0);
                INFO(r << " " << f << " " << s << ": " << estimate << " of " << p << ", seen " << n);
                CHECK(std::abs(estimate - p) < 4 * std::sqrt(p * (1 - p) / n) + .003);
                CHECK(reward_of(got, {r, f, s, 2}, 0) == Approx(.2 * (s == 0 ? 10 : 40) * estimate).epsilon(.01));
            }
    for (const auto& m : moves) orders += m.ordered ? 1 : 0;
    CHECK(got.order_rate == Approx(orders / static_cast<double>(moves.size())).epsilon(1e-12));

    // Contacts: the log odds move by strength times log_odds, whoever the customer, and the cost is paid.
    const auto contacts = assumed();
    for (std::size_t number = 0; number < got.process.process().states(); ++number) {
        const auto at = state_at(got.process.shape(), number);
        const double p = order_probability(got, at, 0), value = reward_of(got, at, 0) / p;
        CHECK(order_probability(got, {at[0], at[1], at[2], 0}, 0) == Approx(p).epsilon(1e-12));  // left alone, the last contact does not matter
        for (std::size_t a = 0; a < 3; ++a) {
            const double moved = inverse_logit(std::log(p / (1 - p)) + contacts.strength[at[3]] * contacts.actions[a].log_odds);
            CHECK(order_probability(got, at, a) == Approx(moved).epsilon(1e-9));
            CHECK(reward_of(got, at, a) == Approx(moved * value - contacts.actions[a].cost).epsilon(1e-9));
            double sum = 0;
            for (const auto& row : got.process.process().rows_of(number, a)) {
                const auto next = state_at(got.process.shape(), row.next_state);
                sum += row.probability;
                CHECK(row.probability > 0);
                CHECK_FALSE(row.terminal);
                CHECK(next[3] == (a > 0 ? 0 : std::min<std::size_t>(at[3] + 1, 2)));
                CHECK(next[2] == at[2]);  // these customers never change what they spend
                if (next[0] > 0) CHECK(next[0] == std::min<std::size_t>(at[0] + 1, 2));
                if (next[0] > 0 || at[1] == 1) CHECK(next[1] == at[1]);  // orders do not get fewer
            }
            CHECK(sum == Approx(1).epsilon(1e-12));
        }
    }

    // Where customers stand today.
    double sum = 0;
    std::vector<double> shares(got.today.size());
    for (const auto& d : chain_states(seen)) shares[state_number(got.process.shape(), d.state)] += 1.0 / 4000;
    for (std::size_t s = 0; s < shares.size(); ++s) {
        CHECK(got.today[s] == Approx(shares[s]).margin(1e-12));
        CHECK((got.today[s] == 0 || state_at(got.process.shape(), s)[3] == 2));
        sum += got.today[s];
    }
    CHECK(sum == Approx(1).epsilon(1e-12));
}

TEST_CASE("estimate_customers: rare states follow their likes", "[customer_process]") {
    // Strong smoothing: all states have nearly one rate; weak: each its own.
    const auto seen = simulated(60, 12, 2);
    const auto strong = estimate_customers(chain_states, seen, assumed(), 1e9), weak = estimate_customers(chain_states, seen, assumed(), 1e-3);
    for (std::size_t r = 0; r < 3; ++r) CHECK(order_probability(strong, {r, 0, 0, 0}, 0) == Approx(strong.order_rate).margin(.005));
    CHECK(order_probability(weak, {0, 1, 0, 0}, 0) > 2 * order_probability(weak, {2, 0, 0, 0}, 0));
}

TEST_CASE("estimate_customers: refusals", "[customer_process][error]") {
    constexpr double inf = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();
    const auto seen = simulated(20, 5, 3);
    const auto refused = [&](const contact_assumptions& contacts, double smoothing = 5) {
        return error_of([&] { (void)estimate_customers(chain_states, seen, contacts, smoothing); }).code();
    };
    const auto changed = [](const auto& change) {
        auto out = assumed();
        change(out);
        return out;
    };
    CHECK(refused(changed([](auto& c) { c.actions.clear(); })) == errc::bad_parameter);
    CHECK(refused(changed([](auto& c) { c.actions[0].cost = 1; })) == errc::bad_parameter);
    CHECK(refused(changed([](auto& c) { c.actions[0].log_odds = .1; })) == errc::bad_parameter);
    for (const double bad : {inf, not_a_number}) {
        CHECK(refused(changed([bad](auto& c) { c.actions[1].cost = bad; })) == errc::bad_parameter);
        CHECK(refused(changed([bad](auto& c) { c.actions[2].log_odds = bad; })) == errc::bad_parameter);
        CHECK(refused(changed([bad](auto& c) { c.margin = bad; })) == errc::bad_parameter);
        CHECK(refused(changed([bad](auto& c) { c.strength[1] = bad; })) == errc::bad_parameter);
    }
    for (const double smoothing : {0.0, -1.0, inf, not_a_number}) CHECK(refused(assumed(), smoothing) == errc::bad_parameter);
    CHECK(refused(changed([](auto& c) { c.strength.pop_back(); })) == errc::shape_mismatch);
    CHECK(refused(changed([](auto& c) { c.strength.push_back(1); })) == errc::shape_mismatch);
    for (const auto& few : {histories{}, histories_of({{{95}}, {{99}}}, 100)})
        CHECK(error_of([&] { (void)estimate_customers(chain_states, few, assumed()); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)estimate_customers(chain_states, histories_of({{{1}}, {{2, inf}}}, 100), assumed()); }).where() == place{.row = 2});
}

TEST_CASE("contact_assumptions: in words", "[customer_process]") {
    CHECK(assumed().text() ==
          "mail: costs 0.5, adds 0.4 to the log odds of an order in the period\n"
          "call: costs 3, adds 1.1 to the log odds of an order in the period\n"
          "of that, 25 % when the last contact was 0 periods ago, 50 % when the last contact was 1 period ago, 100 % when the last contact was 2 or more periods ago\n"
          "an order is worth 20 % of its spend\n");
}

TEST_CASE("customer_process: what is learnt by acting is worth nearly as much as the exact optimum", "[customer_process]") {
    const auto shop = clean(synthetic_shop({.customers = 250, .items = 30, .seed = 8}).log).kept;
    const histories seen(shop, shop.last_time());
    const auto states = fit(customer_states{.recency_days = {30, 90}, .order_cells = 2, .spend_cells = 2, .contact_cells = 2}, seen);
    // Contacts that pay for some customers: the best policy does something, and not everywhere.
    const auto customers = estimate_customers(
        states, seen, {.actions = {{.name = "nothing"}, {.name = "e-mail", .cost = .5, .log_odds = .3}, {.name = "call", .cost = 4, .log_odds = .8}}, .strength = {.3, 1}, .margin = .2});
    const auto best = policy_iteration(customers.process.process());
    const double optimum = customers.mean(best.v), never = customers.mean(evaluate_policy(customers.process.process(), std::vector<std::size_t>(best.policy.size())));
    CHECK(optimum > 1.01 * never);
    CHECK(std::ranges::count(best.policy, 0) > 0);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        const auto learned = fit(q_learning<double, 4>{.states = states.shape(), .actions = 3, .steps = 2'000'000, .restart_every = 24}, customers.process, {.seed = seed});
        auto policy = learned.greedy_actions();
        std::ranges::replace(policy, no_action, std::size_t{0});
        const double value = customers.mean(evaluate_policy(customers.process.process(), policy));
        INFO("seed " << seed << ": " << value << " of " << optimum << ", never " << never);
        CHECK(value > .99 * optimum);
        CHECK(value <= optimum * (1 + 1e-9));
    }
}
