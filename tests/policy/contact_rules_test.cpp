#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <caramel/io/model_file.hpp>
#include <caramel/policy/bandit.hpp>
#include <caramel/policy/contact_budget.hpp>
#include <caramel/policy/contact_rules.hpp>
#include <caramel/policy/linear_bandit.hpp>
#include <caramel/policy/q_learning.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace contact_rules_test {

namespace {

const std::vector<channel_action> usual{{"nothing"}, {"newsletter", "email"}, {"offer", "email"}, {"call", "phone"}};
using actions = std::vector<std::size_t>;

// The rules read off the whole log of a customer: the twin of contact_rules.
struct event {
    std::int64_t period;
    std::size_t action;
};
bool keeps_to(const contact_limits& limits, const std::vector<event>& log, std::size_t action, std::int64_t now) {
    const std::string& channel = limits.actions[action].channel;
    if (channel.empty()) return true;
    const auto of = [&](const std::string& rule, const event& e) { return rule.empty() || limits.actions[e.action].channel == rule; };
    for (const auto& q : limits.quiet) {
        if (!q.channel.empty() && q.channel != channel) continue;
        for (std::int64_t k = -200; k <= 200; ++k)
            if (now >= q.from + k * q.every && now < q.until + k * q.every) return false;
    }
    for (const auto& c : limits.caps) {
        if (!c.channel.empty() && c.channel != channel) continue;
        std::size_t count = 1;
        for (const event& e : log) count += of(c.channel, e) && e.period > now - c.periods ? 1 : 0;
        if (count > c.contacts) return false;
    }
    for (const auto& g : limits.gaps) {
        if (!g.channel.empty() && g.channel != channel) continue;
        for (const event& e : log)
            if (of(g.channel, e) && now - e.period < g.periods) return false;
    }
    return true;
}
contact_limits random_limits(rng& numbers) {
    contact_limits out{.actions = usual};
    const std::array<std::string, 3> channels{"", "email", "phone"};
    for (std::uint64_t n = numbers.below(4); n > 0; --n)
        out.caps.push_back({.contacts = numbers.below(4), .periods = 1 + static_cast<std::int64_t>(numbers.below(20)), .channel = channels[numbers.below(3)]});
    for (std::uint64_t n = numbers.below(3); n > 0; --n)
        out.gaps.push_back({.periods = 1 + static_cast<std::int64_t>(numbers.below(5)), .channel = channels[numbers.below(3)]});
    for (std::uint64_t n = numbers.below(2); n > 0; --n) {
        const auto from = static_cast<std::int64_t>(numbers.below(20)) - 10, length = 1 + static_cast<std::int64_t>(numbers.below(3));
        out.quiet.push_back({.from = from,
                             .until = from + length,
                             .every = numbers.below(2) == 0 ? 0 : length + static_cast<std::int64_t>(numbers.below(6)),
                             .channel = channels[numbers.below(3)]});
    }
    return out;
}

// Policies of every kind decide for a crowd of customers, and learn, under rules and under lists of their own.
void check_no_masked_action(std::size_t decisions_wanted) {
    const contact_rules rules({.actions = usual,
                               .caps = {{.contacts = 2, .periods = 7}, {.contacts = 1, .periods = 10, .channel = "phone"}},
                               .gaps = {{.periods = 2}},
                               .quiet = {{.from = 5, .until = 7, .every = 7}}});
    bandit greedy(4, epsilon_greedy_rule{.epsilon = .5});
    bandit optimistic(4, ucb1{});
    bandit informed(4, kl_ucb{});
    bandit clicks(4, thompson_bernoulli{});
    bandit amounts(4, thompson_gaussian{});
    linear_bandit linear(4, 2, linucb{.epsilon = .3});
    linear_bandit sampling(4, 2, linear_thompson{});
    q_learner<double> learner({.states = {3}, .actions = 4});
    learner.allow_only({1}, {0, 2, 3});
    rng numbers(17);
    for (int i = 0; i < 200; ++i)
        learner.observe({.state = {numbers.below(3)}, .action = numbers.below(4), .reward = numbers.uniform(), .next_state = {numbers.below(3)}});
    const auto learnt = learner.snapshot();

    constexpr std::size_t customers = 32;
    std::vector<contact_history> histories(customers);
    std::vector<std::vector<event>> log(customers);
    std::size_t decided = 0, forbidden = 0, twice_forbidden = 0, contacts = 0, refused = 0;
    for (std::int64_t day = 0; decided < decisions_wanted; ++day) {
        for (std::size_t c = 0; c < customers; ++c) {
            decision<1> asked{.state = {numbers.below(3)}};
            if (numbers.below(4) == 0) asked.allowed = actions{numbers.below(4), numbers.below(4)};
            const auto open = rules.limit(asked, histories[c], day);
            const std::vector<double> x{1, numbers.uniform()};
            const std::uint64_t turn = numbers.below(decisions_wanted > 1'000'000 ? 64 : 9);  // the Thompson kinds cost more: less often
            const auto decide = [&]() -> choice {
                switch (turn) {
                    case 0: return clicks.decide(numbers, open);
                    case 1: return amounts.decide(numbers, open);
                    case 2: return sampling.decide(numbers, x, open);
                    case 3: return informed.decide(numbers, open);
                    case 4: return linear.decide(numbers, x, open);
                    default: break;
                }
                switch (turn % 4) {
                    case 0: return learnt(open);
                    case 1: return learner.choose(open, .4, numbers);
                    case 2: return greedy.decide(numbers, open);
                    default: return optimistic.decide(numbers, open);
                }
            };
            ++decided;
            choice got;
            try {
                got = decide();
            } catch (const error&) {
                // Nothing is left: the list that came with the question and the rules, or the table's own mask, exclude each other.
                if (!open.allowed->empty() && turn > 4 && turn % 4 < 2) ++refused;
                else if (!open.allowed->empty()) ++forbidden;
                continue;
            }
            if (std::ranges::find(*open.allowed, got.action) == open.allowed->end()) ++forbidden;
            if (turn > 4 && turn % 4 < 2 && open.state[0] == 1 && got.action == 1) ++forbidden;
            if (!keeps_to(rules.limits(), log[c], got.action, day)) ++twice_forbidden;
            rules.record(histories[c], got.action, day);
            if (got.action != 0) {
                ++contacts;
                log[c].push_back({day, got.action});
                if (log[c].size() > 8) log[c].erase(log[c].begin());
            }
            const double reward = numbers.uniform() < .2 + .1 * static_cast<double>(got.action) ? 1 : 0;
            if (decided % 16 == 0) {
                greedy.learn(got.action, reward);
                optimistic.learn(got.action, reward);
                informed.learn(got.action, reward);
                clicks.learn(got.action, reward);
                amounts.learn(got.action, reward);
                linear.learn(x, got.action, reward);
                sampling.learn(x, got.action, reward);
            }
        }
    }
    CHECK(forbidden == 0);
    CHECK(twice_forbidden == 0);
    CHECK(contacts > decided / 20);
    CHECK(refused < decided / 20);
}

double best_by_trial(const std::vector<contact_option>& options, double budget, std::size_t customer, std::size_t customers) {
    if (customer == customers) return 0;
    double best = best_by_trial(options, budget, customer + 1, customers);
    for (const auto& o : options)
        if (o.customer == customer && o.cost <= budget) best = std::max(best, o.gain + best_by_trial(options, budget - o.cost, customer + 1, customers));
    return best;
}

}  // namespace

TEST_CASE("contact_rules: caps, gaps and quiet times by hand", "[contact]") {
    const contact_rules rules({.actions = usual,
                               .caps = {{.contacts = 2, .periods = 7}, {.contacts = 1, .periods = 30, .channel = "phone"}},
                               .gaps = {{.periods = 2, .channel = "email"}},
                               .quiet = {{.from = 5, .until = 7, .every = 7, .channel = "phone"}, {.from = 100, .until = 103}}});
    CHECK(rules.actions() == 4);
    CHECK(rules.action("call") == 3);
    CHECK(rules.name(2) == "offer");
    CHECK(!rules.is_contact(0));
    CHECK(rules.is_contact(1));
    CHECK(rules.memory() == 30);
    contact_history past;
    CHECK(rules.allowed(past, 0) == actions{0, 1, 2, 3});
    CHECK(rules.allowed(past, 5) == actions{0, 1, 2});    // no calls at weekends
    CHECK(rules.allowed(past, -1) == actions{0, 1, 2});   // nor before day 0
    CHECK(rules.allowed(past, 101) == actions{0});
    CHECK(rules.allowed(past, 103) == actions{0, 1, 2});  // a Saturday
    rules.record(past, 1, 10);
    CHECK(rules.allowed(past, 10) == actions{0, 3});  // the gap holds for both e-mails
    CHECK(rules.allowed(past, 11) == actions{0, 3});
    CHECK(rules.allowed(past, 14) == actions{0, 1, 2, 3});
    rules.record(past, 3, 14);
    CHECK(rules.allowed(past, 15) == actions{0});        // two within seven days
    CHECK(rules.allowed(past, 17) == actions{0, 1, 2});  // day 10 is seven days ago
    CHECK(rules.allowed(past, 43) == actions{0, 1, 2});
    CHECK(rules.allowed(past, 45) == actions{0, 1, 2, 3});
    rules.record(past, 0, 16);  // no contact: no trace
    CHECK(past == contact_history{{10, 14}, {1, 3}});
    rules.record(past, 2, 40);
    CHECK(past == contact_history{{14, 40}, {3, 2}});  // day 10 cannot matter any more
    CHECK(rules.allows(past, 0, 40));
    CHECK(!rules.allows(past, 1, 41));
    CHECK(rules.allows(past, 2, 42));
}

TEST_CASE("contact_rules: late and planned contacts", "[contact]") {
    const contact_rules rules({.actions = usual, .caps = {{.contacts = 1, .periods = 5}}});
    contact_history past;
    rules.record(past, 1, 20);
    rules.record(past, 2, 18);  // came to be known later
    CHECK(past == contact_history{{18, 20}, {2, 1}});
    CHECK(rules.allowed(past, 16) == actions{0});  // would stand within five periods of day 18
    CHECK(rules.allowed(past, 13) == actions{0, 1, 2, 3});
    CHECK(rules.allowed(past, std::numeric_limits<std::int64_t>::min()) == actions{0, 1, 2, 3});
    CHECK(rules.allowed(past, std::numeric_limits<std::int64_t>::max()) == actions{0, 1, 2, 3});
    const contact_rules never({.actions = usual, .caps = {{.contacts = 0, .periods = 1, .channel = "phone"}}});
    CHECK(never.allowed({}, 3) == actions{0, 1, 2});
    const contact_rules free({.actions = usual});
    contact_history nothing;
    free.record(nothing, 1, 3);
    CHECK(nothing.periods.empty());
}

TEST_CASE("contact_rules: against the rules read off the whole log", "[contact]") {
    rng numbers(23);
    std::size_t wrong = 0, open = 0;
    for (int round = 0; round < 300; ++round) {
        const auto limits = random_limits(numbers);
        const contact_rules rules(limits);
        contact_history past;
        std::vector<event> log;
        for (std::int64_t now = -30; now < 60; now += static_cast<std::int64_t>(numbers.below(3))) {
            const auto allowed = rules.allowed(past, now);
            for (std::size_t a = 0; a < 4; ++a) {
                const bool may = std::ranges::find(allowed, a) != allowed.end();
                if (may != keeps_to(limits, log, a, now) || may != rules.allows(past, a, now)) ++wrong;
                if (may && a > 0) ++open;
            }
            const std::size_t pick = allowed[numbers.below(allowed.size())];
            rules.record(past, pick, now);
            if (pick != 0) log.push_back({now, pick});
        }
    }
    CHECK(wrong == 0);
    CHECK(open > 10'000);
}

TEST_CASE("contact_rules: a decision keeps its own list, too", "[contact]") {
    const contact_rules rules({.actions = usual, .gaps = {{.periods = 3}}});
    contact_history past;
    CHECK(*rules.limit(decision<2>{.state = {4, 5}}, past, 0).allowed == actions{0, 1, 2, 3});
    CHECK(rules.limit(decision<2>{.state = {4, 5}}, past, 0).state == std::array<std::size_t, 2>{4, 5});
    CHECK(*rules.limit(decision<1>{.allowed = actions{3, 0, 3}}, past, 0).allowed == actions{0, 3});
    rules.record(past, 1, 0);
    CHECK(*rules.limit(decision<1>{.allowed = actions{3, 0}}, past, 1).allowed == actions{0});
    CHECK(rules.limit(decision<1>{.allowed = actions{3}}, past, 1).allowed->empty());
    CHECK(error_of([&] { (void)rules.limit(decision<1>{.allowed = actions{4}}, past, 1); }).code() == errc::unknown_id);
}

TEST_CASE("policies: an action that is masked is never returned", "[contact]") { check_no_masked_action(100'000); }
TEST_CASE("policies: an action that is masked is never returned in 10^7 decisions", "[contact][slow]") { check_no_masked_action(10'000'000); }

TEST_CASE("contact_rules: what is refused", "[contact][error]") {
    const auto refused = [](contact_limits limits) { return error_of([&] { contact_rules{std::move(limits)}; }); };
    CHECK(refused({}).code() == errc::bad_parameter);
    CHECK(refused({.actions = {{"a"}, {""}}}).where().row == 2);
    CHECK(refused({.actions = {{"a"}, {"b"}, {"a", "email"}}}).code() == errc::bad_parameter);
    CHECK(refused({.actions = usual, .caps = {{}, {.periods = 0}}}).where().row == 2);
    CHECK(refused({.actions = usual, .caps = {{.channel = "fax"}}}).code() == errc::bad_parameter);
    CHECK(refused({.actions = usual, .gaps = {{.periods = -1}}}).code() == errc::bad_parameter);
    CHECK(refused({.actions = usual, .quiet = {{.from = 3, .until = 3}}}).code() == errc::bad_parameter);
    CHECK(refused({.actions = usual, .quiet = {{.from = 3, .until = 9, .every = 5}}}).code() == errc::bad_parameter);
    const contact_rules rules({.actions = usual, .gaps = {{.periods = 3}}});
    const auto code = [](auto&& work) { return error_of(work).code(); };
    CHECK(code([&] { (void)rules.action("fax"); }) == errc::unknown_id);
    CHECK(code([&] { (void)rules.allows({}, 4, 0); }) == errc::unknown_id);
    for (const contact_history& bad : {contact_history{{1, 2}, {1}}, contact_history{{2, 1}, {1, 1}}, contact_history{{1}, {4}}, contact_history{{1}, {0}}}) {
        CHECK(code([&] { (void)rules.allowed(bad, 3); }) == errc::bad_data);
        contact_history same = bad;
        CHECK(code([&] { rules.record(same, 1, 3); }) == errc::bad_data);
        CHECK(same == bad);
    }
    contact_history past;
    CHECK(code([&] { rules.record(past, 9, 3); }) == errc::unknown_id);
}

TEST_CASE("plan_contacts: the largest gains, where all cost the same", "[contact]") {
    const std::vector<contact_option> options{{.customer = 7, .action = 1, .gain = 3},
                                              {.customer = 7, .action = 2, .gain = 5},
                                              {.customer = 3, .action = 1, .gain = 4},
                                              {.customer = 9, .action = 3, .gain = -2},
                                              {.customer = 1, .action = 1, .gain = 1}};
    const auto plan = plan_contacts(options, 2);
    CHECK(plan.chosen == actions{1, 2});
    CHECK(plan.gain == 9);
    CHECK(plan.cost == 2);
    CHECK(plan.gap() == 0);
    CHECK(plan.price == 1);  // the next one in line gains 1
    CHECK(plan_contacts(options, 2.9).chosen == actions{1, 2});
    CHECK(plan_contacts(options, 100).chosen == actions{1, 2, 4});  // what loses is not done for free either
    CHECK(plan_contacts(options, 100).price == 0);
    CHECK(plan_contacts(options, 0).chosen.empty());
    CHECK(plan_contacts(options, 0).gap() == 0);
    CHECK(plan_contacts(std::vector<contact_option>{}, 5).chosen.empty());
    std::vector<contact_option> dimes(10);  // ten times .1 is not 1 in doubles
    for (std::size_t i = 0; i < dimes.size(); ++i) dimes[i] = {.customer = i, .gain = 1, .cost = .1};
    CHECK(plan_contacts(dimes, .3).chosen.size() == 3);
    CHECK(plan_contacts(dimes, 1).chosen.size() == 10);
    CHECK(plan_contacts(dimes, .99).chosen.size() == 9);
}

TEST_CASE("plan_contacts: against trying everything, and against the dual", "[contact]") {
    rng numbers(31);
    std::size_t exact = 0;
    constexpr std::size_t rounds = 400;
    for (std::size_t round = 0; round < rounds; ++round) {
        const bool same = round % 4 == 0, coarse = round % 3 == 0;
        std::vector<contact_option> options;
        double all = 0;
        for (std::size_t i = 0; i < 14; ++i) {
            const double cost = same ? 2.5 : coarse ? static_cast<double>(numbers.below(4)) : numbers.uniform();
            options.push_back(
                {.customer = numbers.below(5), .action = i, .gain = coarse ? static_cast<double>(numbers.below(5)) - 1 : numbers.normal(), .cost = cost});
            all += cost;
        }
        const double budget = all * .4 * numbers.uniform();
        const auto plan = plan_contacts(options, budget);
        const double best = best_by_trial(options, budget, 0, 5);
        // Lagrange's dual, which is piecewise linear: its least value lies at 0 or where two options of a customer are as good.
        double dual = std::numeric_limits<double>::infinity();
        const auto relaxed = [&](double price) {
            double sum = price * (same ? 2.5 * std::floor(budget / 2.5) : budget);
            for (std::size_t c = 0; c < 5; ++c) {
                double most = 0;
                for (const auto& o : options)
                    if (o.customer == c) most = std::max(most, o.gain - price * o.cost);
                sum += most;
            }
            return sum;
        };
        dual = std::min(dual, relaxed(0));
        for (const auto& a : options) {
            if (a.cost > 0 && a.gain > 0) dual = std::min(dual, relaxed(a.gain / a.cost));
            for (const auto& b : options)
                if (a.customer == b.customer && a.cost < b.cost && a.gain < b.gain) dual = std::min(dual, relaxed((b.gain - a.gain) / (b.cost - a.cost)));
        }
        std::array<int, 5> taken{};
        double gain = 0, cost = 0;
        for (const std::size_t i : plan.chosen) {
            ++taken[options[i].customer];
            gain += options[i].gain;
            cost += options[i].cost;
        }
        REQUIRE(std::ranges::max(taken) <= 1);
        REQUIRE((gain == plan.gain && cost == plan.cost && cost <= budget + 1e-12));
        REQUIRE(std::abs(plan.bound - dual) < 1e-9);
        REQUIRE((plan.gain <= best + 1e-12 && best <= plan.bound + 1e-12));
        if (same) REQUIRE((plan.gap() == 0 && std::abs(plan.gain - best) < 1e-12));
        exact += best - plan.gain < 1e-12 ? 1 : 0;
    }
    CHECK(exact > rounds * 6 / 10);
}

TEST_CASE("plan_contacts: a batch of decisions of a policy, within rules and budget", "[contact]") {
    const contact_rules rules({.actions = usual, .gaps = {{.periods = 3, .channel = "phone"}}});
    q_table<double> table({3}, 4);
    constexpr std::array<std::array<double, 4>, 3> values{{{1, 2, 5, 9}, {4, 4.5, 3, 5}, {0, 0, 0, 7}}};
    for (std::size_t s = 0; s < 3; ++s) std::ranges::copy(values[s], table.values_of(s).begin());
    const q_policy<double> policy(table, true, -1);
    contact_history called;
    rules.record(called, 3, 0);
    std::vector<decision<1>> batch{{.state = {0}}, {.state = {1}}, {.state = {2}}, {.state = {2}}};
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i] = rules.limit(batch[i], i == 2 ? called : contact_history{}, 1);
    const std::vector<double> costs{0, 1, 1, 4};
    const auto options = contact_options(std::span<const decision<1>>(batch), costs, 0, [&](const decision<1>& d, std::size_t a) {
        return policy(decision<1>{.state = d.state, .allowed = actions{a}}).value;
    });
    REQUIRE(options.size() == 11);  // the third customer may not be called again
    CHECK(options[2].gain == 8);
    CHECK(options[2].cost == 4);
    const auto plan = plan_contacts(options, 5);
    CHECK(plan.gain == Approx(11));  // the first one's offer for 4, the fourth one's call for 7
    CHECK(plan.cost == 5);
    limit_to_plan(std::span(batch), std::span<const contact_option>(options), plan, rules.silent());
    double cost = 0, gain = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const choice c = policy(batch[i]);
        cost += costs[c.action];
        gain += c.value - values[batch[i].state[0]][0];
    }
    CHECK(cost == Approx(plan.cost));
    CHECK(gain == Approx(plan.gain));
    CHECK(rules.silent() == actions{0});
    CHECK(error_of([&] { (void)contact_options(std::span<const decision<1>>(batch), costs, 4, [](const auto&, std::size_t) { return 0; }); }).code() ==
          errc::unknown_id);
    CHECK(error_of([&] {
              limit_to_plan(std::span(batch).first(1), std::span<const contact_option>(options), plan_contacts(options, 100), rules.silent());
          }).code() == errc::unknown_id);
}

TEST_CASE("plan_contacts: many customers come within a thousandth; what is refused", "[contact]") {
    rng numbers(5);
    std::vector<contact_option> options;
    for (std::size_t c = 0; c < 5'000; ++c)
        for (std::size_t a = 1; a < 4; ++a)
            options.push_back({.customer = c, .action = a, .gain = numbers.normal() + static_cast<double>(a), .cost = static_cast<double>(a * a)});
    const auto plan = plan_contacts(options, 2'000);
    CHECK(plan.cost <= 2'000);
    CHECK(plan.gap() < 1e-3 * plan.gain);
    CHECK(plan.price > 0);
    const auto code = [](auto&& work) { return error_of(work).code(); };
    const std::vector<contact_option> holed{{.gain = 1}, {.gain = std::numeric_limits<double>::quiet_NaN()}}, negative{{.gain = 1, .cost = -1}};
    CHECK(error_of([&] { (void)plan_contacts(holed, 1); }).where().row == 2);
    CHECK(code([&] { (void)plan_contacts(negative, 1); }) == errc::bad_data);
    CHECK(code([&] { (void)plan_contacts(options, -1); }) == errc::bad_parameter);
    CHECK(code([&] { (void)plan_contacts(options, std::numeric_limits<double>::infinity()); }) == errc::bad_parameter);
    const std::vector<contact_option> huge(3, {.gain = 1e308});
    CHECK(code([&] { (void)plan_contacts(huge, 1); }) == errc::limit_exceeded);
}

}  // namespace contact_rules_test
