// What to do next with whom: from a log of actions to a policy, what it is worth, and whether it may meet customers.
//
//   next_best_action [--log FILE.csv --state COLUMN]... [--customer COLUMN --period COLUMN --action COLUMN --reward COLUMN --propensity COLUMN]
//
// FILE.csv has one row a customer and period: the state before (one to three columns), what was done, with which probability,
// and what it earned less what it cost. A customer's last row only says where the one before led. Without --log, a log of made
// customers. One half of the customers teaches, the other half judges. Lines that begin with `result` are for scripts.
//
// After scripts/demo.sh, which gets what is needed:
//   cmake --build build/release --target next_best_action && build/release/examples/next_best_action
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/data/csv.hpp>
#include <caramel/policy/batch_policy.hpp>
#include <caramel/policy/deployment_gate.hpp>
#include <caramel/policy/discretize.hpp>
#include <caramel/policy/policy_grid.hpp>

#include "terminal.hpp"

using namespace caramel;
using cell_of_customer = std::array<std::size_t, 3>;

namespace {

struct settings {
    std::string log, customer = "customer", period = "period", action = "action", reward = "reward", propensity = "propensity";
    std::vector<std::string> state;
    double discount = .95, confidence = .95;
    std::size_t customers = 4000;
    fit_options fit;
};

// A log, and what its numbers mean.
struct study {
    episode_log<3> log;
    std::array<state_axis, 3> axes;
    std::vector<std::string> actions;
    std::vector<std::pair<std::string, matrix<double>>> rules;  // what people would do by hand
    [[nodiscard]] cell_of_customer shape() const { return {axes[0].cells.size(), axes[1].cells.size(), axes[2].cells.size()}; }
};

// ---- made customers: recency 0..5, frequency 1..3, fatigue 0..2 ------------------------------------------------------

struct made_customers {
    static constexpr std::array pull{0.0, 0.5, 0.9, 1.4}, cost{0.0, 0.2, 2.0, 0.2}, margin{20.0, 20.0, 20.0, 12.0};

    static double chance(const cell_of_customer& s, std::size_t a) {  // of a purchase
        const double tired = a == 0 ? 0 : .5 * static_cast<double>(s[2]);
        return 1 / (1 + std::exp(1 + .45 * static_cast<double>(s[0]) - .35 * static_cast<double>(s[1]) - pull[a] + tired));
    }
    static cell_of_customer reset(rng&) { return {0, 0, 0}; }
    static outcome<3> step(const cell_of_customer& s, std::size_t a, rng& numbers) {
        const bool buys = numbers.uniform() < chance(s, a);
        const std::size_t fatigue = a > 0 ? std::min<std::size_t>(s[2] + 1, 2) : s[2] - std::min<std::size_t>(s[2], 1);
        return {.reward = (buys ? margin[a] : 0) - cost[a],
                .next_state = {buys ? 0 : std::min<std::size_t>(s[0] + 1, 5), buys ? std::min<std::size_t>(s[1] + 1, 2) : s[1], fatigue}};
    }
    // What earns most at once half of the time, else anything: who wrote the log.
    static std::array<double, 4> logging(const cell_of_customer& s) {
        std::array<double, 4> out{.125, .125, .125, .125}, now{};
        for (std::size_t a = 0; a < 4; ++a) now[a] = chance(s, a) * margin[a] - cost[a];
        out[static_cast<std::size_t>(std::ranges::max_element(now) - now.begin())] += .5;
        return out;
    }
};

study made(const settings& run) {
    study out{.log = {}, .axes = {{{"recency", {"0", "1", "2", "3", "4", "5+"}}, {"orders", {"1", "2", "3+"}}, {"fatigue", {"rested", "contacted", "tired"}}}},
              .actions = {"none", "email", "call", "discount"}, .rules = {}};
    const auto by_hand = [&](const char* name, const auto& rule) { out.rules.emplace_back(name, policy_probabilities<3>(rule, out.shape(), 4)); };
    by_hand("nothing", [](const cell_of_customer&) { return std::size_t{0}; });
    by_hand("always discount", [](const cell_of_customer&) { return std::size_t{3}; });
    by_hand("email if recent, else discount", [](const cell_of_customer& s) { return std::size_t{s[0] <= 2 ? 1U : 3U}; });
    const auto logging = policy_probabilities<3>(made_customers::logging, out.shape(), 4);
    out.log = simulate_log(made_customers{}, out.shape(), logging, {.customers = run.customers, .seed = run.fit.seed});
    return out;
}

// ---- a log of one's own --------------------------------------------------------------------------------------------------

std::vector<double> numbers_of(const table& rows, const std::string& name) {
    const auto& column = rows.column(name);
    if (column.type() == column_type::integer) return {column.integers().begin(), column.integers().end()};
    return {column.numbers().begin(), column.numbers().end()};
}
// A column of words or of few whole numbers is taken as it is, any other is cut at its quartiles.
std::vector<std::size_t> read_axis(const table& rows, const std::string& name, state_axis& axis) {
    const auto& column = rows.column(name);
    std::vector<std::size_t> cells;
    axis.name = name;
    if (column.type() == column_type::category) {
        const auto words = column.categories();
        axis.cells.assign(words.levels.begin(), words.levels.end());
        for (const auto code : words.codes) cells.push_back(static_cast<std::size_t>(code));
        return cells;
    }
    const auto values = numbers_of(rows, name);
    std::map<double, std::size_t> distinct;
    for (const double x : values) distinct[x] = 0;
    if (column.type() == column_type::integer && distinct.size() <= 12) {
        for (auto& [value, cell] : distinct) {
            cell = axis.cells.size();
            axis.cells.push_back(std::to_string(static_cast<long long>(value)));
        }
        for (const double x : values) cells.push_back(distinct[x]);
    } else {
        const auto cuts = quantile_cuts(values, 4);
        axis.cells = cell_labels(cuts);
        for (const double x : values) cells.push_back(cell_of(std::span<const double>(cuts), x));
    }
    return cells;
}
study read_study(const settings& run) {
    const table rows = read_csv(run.log, {.types = {{run.customer, column_type::category}, {run.action, column_type::category}}});
    require(!run.state.empty() && run.state.size() <= 3, errc::bad_parameter, "name one to three columns of the state (--state)");
    std::vector<std::string> used{run.customer, run.period, run.action, run.reward, run.propensity};
    used.insert(used.end(), run.state.begin(), run.state.end());
    for (const auto& name : used) require(!rows.column(name).any_missing(), errc::missing_value, "column \"", name, "\" has empty cells");
    study out{.log = {}, .axes = {{{"all", {"customers"}}, {"all", {"customers"}}, {"all", {"customers"}}}}, .actions = {}, .rules = {}};
    std::array<std::vector<std::size_t>, 3> cells;
    for (auto& column : cells) column.assign(rows.rows(), 0);
    for (std::size_t d = 0; d < run.state.size(); ++d) {
        out.axes[d].cells.clear();
        cells[d] = read_axis(rows, run.state[d], out.axes[d]);
    }
    const auto who = rows.categories(run.customer), done = rows.categories(run.action);
    out.actions.assign(done.levels.begin(), done.levels.end());
    const auto period = numbers_of(rows, run.period), reward = numbers_of(rows, run.reward), propensity = numbers_of(rows, run.propensity);
    std::vector<std::size_t> order(rows.rows());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return std::pair(who.codes[i], period[i]); });
    std::vector<std::int32_t> customers;
    std::vector<logged_step<3>> steps;
    for (std::size_t k = 0; k + 1 < order.size(); ++k) {
        const std::size_t i = order[k], next = order[k + 1];
        if (who.codes[i] != who.codes[next]) continue;
        customers.push_back(who.codes[i]);
        steps.push_back({.state = {cells[0][i], cells[1][i], cells[2][i]}, .action = static_cast<std::size_t>(done.codes[i]), .reward = reward[i],
                         .next_state = {cells[0][next], cells[1][next], cells[2][next]}, .propensity = propensity[i]});
    }
    out.log = episodes_of(customers, steps);
    for (std::size_t a = 0; a < out.actions.size(); ++a)
        out.rules.emplace_back("always " + out.actions[a],
                               policy_probabilities<3>([a](const cell_of_customer&) { return a; }, out.shape(), out.actions.size()));
    return out;
}

// ---- the job -----------------------------------------------------------------------------------------------------------------

void advise(const study& all, const settings& run) {
    const auto shape = all.shape();
    const std::size_t actions = all.actions.size();
    title("1. The log");
    const auto order = rng(run.fit.seed).split("halves").permutation(all.log.size());
    const auto teachers = take_episodes(all.log, std::span(order).first(order.size() / 2)),
               judges = take_episodes(all.log, std::span(order).subspan(order.size() / 2));
    const sequence_log judging(judges, shape, actions);
    std::printf("  %zu customers, %zu decisions, %zu actions; half of the customers teach, half judge\n", all.log.size(), all.log.values().size(), actions);

    title("2. What to do next");
    const pessimistic_q<float, 3> recipe{.states = shape, .actions = actions, .discount = run.discount};
    std::printf("  an action seen n times in a state is worth %.1f / sqrt(n) less than it seems; \"-\": nothing is known\n",
                recipe.pessimism_for(teachers, run.fit));
    const auto policy = fit(recipe, teachers, run.fit);
    auto known = policy.greedy_actions();
    for (std::size_t s = 0; s < known.size(); ++s)
        if (std::ranges::all_of(policy.cells().visits_of(s), [](auto n) { return n == 0; })) known[s] = no_action;
    for (std::size_t c = 0; c < shape[2]; ++c) std::printf("%s\n", policy_grid(all.axes, known, all.actions, {0, 0, c}).c_str());

    title("3. What that is worth a customer, beside rules made by hand (95 % intervals)");
    const sequence_options how{.discount = run.discount, .seed = run.fit.seed};
    const auto learnt = policy_probabilities(policy, shape, actions);
    const auto show = [&](const std::string& name, const matrix<double>& p) {
        const auto e = evaluate_sequences(judging, p, how, run.fit);
        std::printf("  %-32s %8.2f   (%.2f to %.2f), by %.0f decisions' worth\n", name.c_str(), e.value, e.low, e.high, e.effective_sample_size);
        return e;
    };
    const auto value = show("the policy above", learnt);
    double best_rule = -1e300;
    for (const auto& [name, rule] : all.rules) best_rule = std::max(best_rule, show(name, rule).value);

    title("4. May it meet customers?");
    const auto gate = deployment_gate(judging, learnt, {.confidence = run.confidence, .discount = run.discount, .seed = run.fit.seed}, run.fit);
    std::printf("  the log's own policy earned %.2f a customer\n  %s\n", gate.logging, gate.text().c_str());
    result("next_best_action.value", value.value);
    result("next_best_action.low", value.low);
    result("next_best_action.high", value.high);
    result("next_best_action.logging", gate.logging);
    result("next_best_action.best_rule", best_rule);
    result("next_best_action.lower_bound", gate.lower_bound);
    result("next_best_action.passed", gate.passed() ? 1 : 0);
    if (!run.log.empty()) return;
    const sequence_log trial(simulate_log(made_customers{}, shape, learnt, {.customers = 50'000, .seed = run.fit.seed + 1}), shape, actions);
    result("next_best_action.true_value",
           evaluate_sequences(trial, learnt, {.method = sequence_method::per_decision, .discount = run.discount, .resamples = 10}).value);
}

}  // namespace

int main(int argc, char** argv) try {
    settings run;
    run.fit.threads = 0;
    CLI::App app("From a log of actions to the next best action");
    app.add_option("--log", run.log, "a CSV file with a header (default: a log of made customers)");
    app.add_option("--state", run.state, "a column of the state; up to three");
    app.add_option("--customer", run.customer, "its column of customers (default: customer)");
    app.add_option("--period", run.period, "its column of periods, numbers (default: period)");
    app.add_option("--action", run.action, "its column of actions (default: action)");
    app.add_option("--reward", run.reward, "its column of rewards (default: reward)");
    app.add_option("--propensity", run.propensity, "its column of the actions' probabilities (default: propensity)");
    app.add_option("--discount", run.discount, "of a period (default: 0.95)");
    app.add_option("--confidence", run.confidence, "of the gate (default: 0.95)");
    app.add_option("--customers", run.customers, "how many customers to make (default: 4000)")->check(CLI::Range(20, 1'000'000));
    app.add_option("--seed", run.fit.seed, "of everything random");
    app.add_option("--threads", run.fit.threads, "how many work at once (default: as many as the machine has); the answers are the same");
    CLI11_PARSE(app, argc, argv);
    advise(run.log.empty() ? made(run) : read_study(run), run);
    return 0;
} catch (...) {
    return say_error("next_best_action");
}
