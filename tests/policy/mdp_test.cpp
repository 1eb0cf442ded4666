#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <caramel/policy/mdp.hpp>

#include "policy/processes.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace mdp_test {

namespace {

double largest_difference(const vec<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == static_cast<row_index>(b.size()));
    return (a - Eigen::Map<const vec<double>>(b.data(), a.size())).cwiseAbs().maxCoeff();
}

std::vector<std::vector<double>> read_numbers(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    std::vector<std::vector<double>> out;
    while (std::getline(in, line)) {
        auto& row = out.emplace_back();
        for (const char *at = line.data(), *end = at + line.size(); at < end; ++at) {
            const auto got = std::from_chars(at, end, row.emplace_back());
            REQUIRE(got.ec == std::errc{});
            at = got.ptr;
        }
    }
    return out;
}
std::vector<mdp_row> read_table(const std::filesystem::path& path) {
    std::vector<mdp_row> out;
    for (const auto& r : read_numbers(path))
        out.push_back({static_cast<std::size_t>(r[0]), static_cast<std::size_t>(r[1]), r[2], static_cast<std::size_t>(r[3]), r[4], r[5] != 0});
    return out;
}
// Each action goes with 1/3 to itself and to its neighbours in the order up, right, down, left.
std::vector<mdp_row> slippery(const std::vector<mdp_row>& rows) {
    std::vector<mdp_row> out;
    for (const std::size_t turn : {3U, 0U, 1U})
        for (mdp_row r : rows) {
            r.action = (r.action + turn) % 4;
            r.probability /= 3;
            out.push_back(r);
        }
    return out;
}
mdp process_of(const std::vector<mdp_row>& rows) {
    std::size_t states = 0, actions = 0;
    for (const auto& r : rows) {
        states = std::max({states, r.state + 1, r.next_state + 1});
        actions = std::max(actions, r.action + 1);
    }
    return {states, actions, rows};
}

void check_solution(const mdp_solution& got, const nlohmann::json& expected, double tolerance, bool ties) {
    CHECK(largest_difference(got.v, expected.at("v").get<std::vector<double>>()) < tolerance);
    if (expected.contains("q")) {
        const auto q = expected.at("q").get<std::vector<std::vector<double>>>();
        for (std::size_t s = 0; s < q.size(); ++s) CHECK(largest_difference(got.q.row(static_cast<row_index>(s)).transpose(), q[s]) < tolerance);
    }
    const auto optimal = expected.at("optimal_actions").get<std::vector<std::vector<std::size_t>>>();
    REQUIRE(optimal.size() == got.policy.size());
    for (std::size_t s = 0; s < optimal.size(); ++s) {
        CHECK(std::ranges::find(optimal[s], got.policy[s]) != optimal[s].end());
        if (ties) CHECK(std::ranges::equal(got.optimal_actions[s], optimal[s]));
    }
}

}  // namespace

TEST_CASE("mdp: every tabulated process has its exact values, greedy actions and ties", "[mdp][shared]") {
    SHARED_OR_SKIP(folder, "oracles/policy");
    std::ifstream in(folder / "solutions.json");
    const auto solutions = nlohmann::json::parse(in);
    std::size_t checked = 0;
    for (const auto& [name, expected] : solutions.items()) {
        INFO(name);
        const auto gap = name.find(" discount=");
        std::string file = name.substr(0, gap);
        const double discount = std::stod(name.substr(gap + 10));
        const bool slips = file == "cliffwalking_slippery";
        auto rows = read_table(folder / ((slips ? "cliffwalking" : file) + ".csv"));
        if (slips) rows = slippery(rows);
        const auto process = process_of(rows);
        CHECK(process.states() == expected.at("states").get<std::size_t>());
        const double tolerance = discount < 1 ? 1e-9 : 1e-8;
        // The exact solution; and sweeps, to a tolerance that does not blur the ties.
        check_solution(policy_iteration(process, {.discount = discount}), expected, tolerance, true);
        check_solution(value_iteration(process, {.discount = discount, .tolerance = 1e-11}), expected, tolerance, true);
        ++checked;
    }
    CHECK(checked == 20);
}

TEST_CASE("mdp: taxi, mean over its 300 start states", "[mdp][shared]") {
    SHARED_OR_SKIP(folder, "oracles/policy");
    const auto process = process_of(read_table(folder / "taxi_v3.csv"));
    const auto starts = read_numbers(folder / "taxi_v3_initial.csv");
    REQUIRE(starts.size() == 300);
    for (const auto& [discount, mean] : {std::pair(.9, -1.2633230990), std::pair(.99, 6.3274643149), std::pair(1.0, 7.93)}) {
        const auto solution = value_iteration(process, {.discount = discount, .tolerance = 1e-11});
        double sum = 0;
        for (const auto& row : starts) sum += solution.v(static_cast<row_index>(row[0]));
        CHECK(std::abs(sum / 300 - mean) < 1e-9);
    }
}

TEST_CASE("mdp: the published table of the customer model is the one from its formula", "[mdp][shared]") {
    SHARED_OR_SKIP(folder, "oracles/policy");
    std::vector<mdp_row> rows;
    for (const auto& r : read_numbers(folder / "crm_mdp_transitions.csv")) {
        const auto state = static_cast<std::size_t>(r[0]), action = static_cast<std::size_t>(r[4]);
        rows.push_back({state, action, r[5], static_cast<std::size_t>(r[6]), r[8]});
        rows.push_back({state, action, 1 - r[5], static_cast<std::size_t>(r[7]), r[9]});
    }
    REQUIRE(rows.size() == 432);
    const auto own = processes::crm_rows();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(rows[i].state == own[i].state);
        CHECK(rows[i].action == own[i].action);
        CHECK(rows[i].next_state == own[i].next_state);
        CHECK(std::abs(rows[i].probability - own[i].probability) < 1e-15);
        CHECK(std::abs(rows[i].reward - own[i].reward) < 1e-12);
    }
    std::ifstream in(folder / "crm_mdp.json");
    const auto expected = nlohmann::json::parse(in);
    const auto solution = policy_iteration(mdp(54, 4, rows));
    CHECK(largest_difference(solution.v, expected.at("v").get<std::vector<double>>()) < 1e-9);
    CHECK(solution.policy == expected.at("policy").get<std::vector<std::size_t>>());
    CHECK(evaluate_policy(mdp(54, 4, rows), expected.at("myopic_policy").get<std::vector<std::size_t>>())(0) == Approx(111.21565533097657).margin(1e-9));
}

TEST_CASE("mdp: the customer model from its formula", "[mdp]") {
    const auto process = processes::crm();
    const auto solution = policy_iteration(process);
    CHECK(std::abs(solution.v(0) - processes::crm_optimum) < 1e-9);
    CHECK(std::abs(solution.v.sum() - 6367.384714158598) < 1e-8);
    CHECK(solution.rounds == 2);  // from the myopic policy
    const std::vector<double> q{124.97626594519033, 124.81579761105, 127.00252923552713, 129.07074036007302};
    CHECK(largest_difference(solution.q.row(0).transpose(), q) < 1e-9);
    const auto swept = value_iteration(process);
    CHECK(std::abs(swept.v(0) - processes::crm_optimum) < 1e-9);
    CHECK(swept.policy == solution.policy);
    for (std::size_t s = 0; s < 54; ++s) CHECK((s % 3 == 0) == (solution.policy[s] != 0));  // contact only the rested

    CHECK((evaluate_policy(process, solution.policy) - solution.v).cwiseAbs().maxCoeff() < 1e-10);
    const std::vector<double> always{66.10825332279336, 37.33045940877581, 30.280630402383675, 73.78661258960389};
    for (std::size_t a = 0; a < 4; ++a) CHECK(std::abs(evaluate_policy(process, std::vector<std::size_t>(54, a))(0) - always[a]) < 1e-9);
    CHECK(std::abs(evaluate_policy(process, matrix<double>(matrix<double>::Constant(54, 4, .25)))(0) - 65.98366355012398) < 1e-9);
    std::vector<std::size_t> rule(54);
    for (std::size_t s = 0; s < 54; ++s) rule[s] = s / 9 <= 2 ? 1 : 3;
    CHECK(std::abs(evaluate_policy(process, rule)(0) - 52.58151702124786) < 1e-9);
    matrix<double> behaviour = matrix<double>::Constant(54, 4, .125);  // half myopic, half uniform
    for (row_index s = 0; s < 54; ++s) {
        const auto myopic = value_iteration(process, {.discount = 0}).policy[static_cast<std::size_t>(s)];
        behaviour(s, static_cast<row_index>(myopic)) += .5;
    }
    CHECK(std::abs(evaluate_policy(process, behaviour)(0) - 90.83042984145747) < 1e-9);
}

TEST_CASE("mdp: a hard cap costs nothing where the optimum keeps it", "[mdp]") {
    const auto capped = processes::crm().restricted([](std::size_t s, std::size_t a) { return s % 3 < 2 || a == 0; });
    CHECK(capped.allowed(2).size() == 1);
    CHECK(capped.allowed(1).size() == 4);
    const auto solution = policy_iteration(capped);
    CHECK(std::abs(solution.v(0) - processes::crm_optimum) < 1e-9);
    CHECK(solution.q(2, 1) == -std::numeric_limits<double>::infinity());
    const auto no_contact = processes::crm().restricted([](std::size_t, std::size_t a) { return a == 0; });
    CHECK(std::abs(policy_iteration(no_contact).v(0) - 66.10825332279336) < 1e-9);
    const error e = error_of([] { (void)processes::crm().restricted([](std::size_t s, std::size_t) { return s != 7; }); });
    CHECK(e.code() == errc::bad_data);
    CHECK(e.where() == place{.row = 8});
}

TEST_CASE("mdp: FrozenLake from its rules", "[mdp]") {
    const auto process = processes::frozen_lake();
    for (const auto& [discount, value, tolerance] :
         {std::tuple(.9, .0688909049, 5e-11), std::tuple(.99, .5420259320, 5e-11), std::tuple(.999, .7855332567, 5e-11), std::tuple(1.0, 14.0 / 17, 1e-9)}) {
        CHECK(std::abs(policy_iteration(process, {.discount = discount}).v(0) - value) < tolerance);
        CHECK(std::abs(value_iteration(process, {.discount = discount, .tolerance = 1e-12}).v(0) - value) < tolerance);
    }
    const auto from_zero = policy_iteration(process, {.discount = .99, .start = std::vector<std::size_t>(16, 0)});
    CHECK(from_zero.rounds == 7);
    CHECK(std::abs(evaluate_policy(process, matrix<double>(matrix<double>::Constant(16, 4, .25)), {.discount = .99})(0) - .0123561373) < 1e-9);
    // At discount 1 the value is the probability of the goal; the best policy of .99 has the best one, too.
    CHECK(std::abs(evaluate_policy(process, from_zero.policy, {.discount = 1})(0) - 14.0 / 17) < 1e-9);
    CHECK(std::abs(evaluate_policy(process, matrix<double>(matrix<double>::Constant(16, 4, .25)), {.discount = 1})(0) - .0139397962) < 1e-9);
}

TEST_CASE("mdp: larger and deterministic lakes, the cliff and the taxi from their rules", "[mdp]") {
    struct expected {
        mdp process;
        std::size_t start;
        double discount, value, tolerance;
    };
    using processes::cliff_walking, processes::frozen_lake, processes::large_lake, processes::small_lake;
    const std::vector<expected> table{
        {frozen_lake(), 0, .95, .1804715784, 5e-11},
        {frozen_lake(large_lake), 0, .9, .0064111143, 5e-11},
        {frozen_lake(large_lake), 0, .99, .4146403618, 5e-11},
        {frozen_lake(large_lake), 0, 1, 1, 1e-8},
        {frozen_lake(small_lake, false), 0, .9, .59049, 1e-12},
        {frozen_lake(small_lake, false), 0, .99, .9509900499, 1e-12},
        {frozen_lake(large_lake, false), 0, .9, .2541865828, 5e-11},
        {frozen_lake(large_lake, false), 0, .99, .8775210230, 5e-11},
        {cliff_walking(), 36, .9, -7.4581341717, 5e-11},
        {cliff_walking(), 36, .99, -12.2478977001, 5e-11},
        {cliff_walking(), 36, 1, -13, 1e-9},
        {cliff_walking(true), 36, .9, -9.9364172772, 5e-11},
        {cliff_walking(true), 36, .99, -46.3526721817, 5e-11},
    };
    for (const auto& e : table) {
        INFO(e.discount << ' ' << e.value);
        CHECK(std::abs(policy_iteration(e.process, {.discount = e.discount}).v(static_cast<row_index>(e.start)) - e.value) < e.tolerance);
        CHECK(std::abs(value_iteration(e.process, {.discount = e.discount, .tolerance = 1e-11}).v(static_cast<row_index>(e.start)) - e.value) < std::max(e.tolerance, 1e-10));
    }
    const auto taxi = processes::taxi();
    for (const auto& [discount, mean, state_328] : {std::tuple(.9, -1.2633230990, 1.62261467), std::tuple(.99, 6.3274643149, 9.6220696980), std::tuple(1.0, 7.93, 11.0)}) {
        const auto v = value_iteration(taxi, {.discount = discount, .tolerance = 1e-11}).v;
        double sum = 0;
        for (std::size_t s = 0; s < 500; ++s) sum += taxi.initial()[s] * v(static_cast<row_index>(s));
        CHECK(std::abs(sum - mean) < 1e-9);
        CHECK(std::abs(v(328) - state_328) < 1e-9);
    }
}

TEST_CASE("mdp: a price for contacts lowers them", "[mdp]") {
    const auto free = processes::crm();
    const auto optimum = policy_iteration(free).policy;
    for (const double price : {.5, 1.0, 2.0, 4.0}) {
        auto rows = processes::crm_rows();
        for (auto& r : rows) r.reward -= r.action > 0 ? price : 0;
        const auto solution = policy_iteration(mdp(54, 4, rows));
        CHECK((price < 4) == (solution.policy == optimum));
        if (price < 4) continue;
        CHECK(std::abs(solution.v(0) - 89.17500032642236) < 1e-9);
        CHECK(std::abs(evaluate_policy(free, solution.policy)(0) - 123.25900312906484) < 1e-9);
    }
}

TEST_CASE("mdp: forest management", "[mdp]") {
    for (const auto& [discount, v] : {std::pair(.9, std::vector{26.244, 29.484, 33.484}), std::pair(.96, std::vector{74.6496, 78.1056, 82.1056})}) {
        const auto solution = policy_iteration(processes::forest(), {.discount = discount});
        CHECK(largest_difference(solution.v, v) < 1e-9);
        CHECK(solution.policy == std::vector<std::size_t>{0, 0, 0});
        CHECK(largest_difference(value_iteration(processes::forest(), {.discount = discount}).v, v) < 1e-9);
    }
}

TEST_CASE("mdp: customer lifetime value of a recency chain", "[mdp]") {
    const auto process = processes::recency_chain({.3, .2, .15, .05});
    const solve_options how{.discount = 1 / 1.2};
    CHECK(largest_difference(evaluate_policy(process, std::vector<std::size_t>{1, 1, 1, 1, no_action}, how),
                             {52.319609438567944, 5.553783563873068, 1.2507729861676158, -1.8200162733930025, 0}) < 1e-9);
    CHECK(largest_difference(evaluate_policy(process, std::vector<std::size_t>{1, 0, 0, 0, no_action}, how), {48, 0, 0, 0, 0}) < 1e-9);
    CHECK(largest_difference(evaluate_policy(process, std::vector<std::size_t>{1, 1, 0, 0, no_action}, how), {51.57446808510638, 4.595744680851064, 0, 0, 0}) < 1e-9);
    const auto best = policy_iteration(process, how);
    CHECK(largest_difference(best.v, {53.149425287356316, 6.620689655172415, 2.6436781609195403, 0, 0}) < 1e-9);
    CHECK(best.policy == std::vector<std::size_t>{1, 1, 1, 0, no_action});
    CHECK(best.optimal_actions[4].empty());
    CHECK(largest_difference(evaluate_policy(processes::recency_chain({.3, .2, .05}), std::vector<std::size_t>{1, 1, 1, no_action}, how),
                             {50.44363636363636, 3.1418181818181816, -1.898181818181818, 0}) < 1e-9);
}

TEST_CASE("mdp: a horizon is an axis of the state", "[mdp]") {
    // Periods 0..4 of the recency chain; after the last one everything ends. Discounting by hand, so that discount 1 serves.
    const auto chain = processes::recency_chain({.3, .2, .15, .05});
    constexpr std::array<std::size_t, 2> shape{5, 5};
    std::vector<mdp_row> rows;
    for (std::size_t t = 0; t < 5; ++t)
        for (std::size_t s = 0; s < 4; ++s)
            for (mdp_row r : chain.rows_of(s, 1)) {
                r.reward *= std::pow(1.2, -static_cast<double>(t));
                r.state = state_number<2>(shape, {t, s});
                r.terminal = r.terminal || t == 4;
                r.next_state = state_number<2>(shape, {std::min<std::size_t>(t + 1, 4), r.next_state});
                rows.push_back(r);
            }
    const mdp process(25, 2, rows);
    const auto solution = policy_iteration(process, {.discount = 1});
    CHECK(std::abs(solution.v(0) - 50.11496913580247) < 1e-9);
    CHECK(std::abs(solution.v(1) - 4.2199074074074066) < 1e-9);
    CHECK(std::abs(solution.v(3) - -1.9801311728395063) < 1e-9);
    CHECK(solution.v(4) == 0);
    CHECK(std::abs(value_iteration(process, {.discount = 1}).v(0) - 50.11496913580247) < 1e-9);
}

TEST_CASE("mdp: small random processes against trying every policy", "[mdp]") {
    rng numbers(17);
    for (int round = 0; round < 60; ++round) {
        const std::size_t states = 1 + numbers.below(4), actions = 1 + numbers.below(3);
        std::vector<mdp_row> rows;
        for (std::size_t s = 0; s < states; ++s)
            for (std::size_t a = 0; a < actions; ++a) {
                double left = 1;
                for (const double share : {.5, .3, .2}) {
                    const double p = share == .2 ? left : share * numbers.uniform() * left;
                    left -= p;
                    const std::size_t next = numbers.below(states);
                    const double reward = 4 * numbers.uniform() - 2;
                    rows.push_back({s, a, p, next, reward, numbers.uniform() < .1});
                }
            }
        const mdp process(states, actions, rows);
        const double discount = .5 + .49 * numbers.uniform();
        vec<double> best = vec<double>::Constant(static_cast<row_index>(states), -1e300);
        std::vector<std::size_t> policy(states, 0);
        for (bool more = true; more;) {
            best = best.cwiseMax(evaluate_policy(process, policy, {.discount = discount}));
            more = false;
            for (auto& a : policy) {  // counts up
                if (++a < actions) {
                    more = true;
                    break;
                }
                a = 0;
            }
        }
        CHECK((policy_iteration(process, {.discount = discount}).v - best).cwiseAbs().maxCoeff() < 1e-9);
        CHECK((value_iteration(process, {.discount = discount}).v - best).cwiseAbs().maxCoeff() < 1e-9);
    }
}

TEST_CASE("mdp: above 600 states sweeps replace elimination, with the same bits for any number of threads", "[mdp]") {
    // A walk on a line of 10000 cells: left or right, an end at the right, which pays 1.
    constexpr std::size_t n = 10'000;
    std::vector<mdp_row> rows;
    for (std::size_t s = 0; s < n; ++s) {
        rows.push_back({.state = s, .action = 0, .next_state = s == 0 ? 0 : s - 1});
        rows.push_back({.state = s, .action = 1, .next_state = std::min(s + 1, n - 1), .reward = s == n - 1 ? 1.0 : 0.0, .terminal = s == n - 1});
    }
    const mdp process(n, 2, rows);
    const solve_options how{.discount = .9};
    const auto solution = value_iteration(process, how);
    for (std::size_t back = 0; back < 100; ++back) CHECK(std::abs(solution.v(static_cast<row_index>(n - 1 - back)) - std::pow(.9, static_cast<double>(back))) < 1e-9);
    const auto threaded = value_iteration(process, how, {.threads = 3});
    CHECK(std::memcmp(solution.v.data(), threaded.v.data(), n * sizeof(double)) == 0);
    CHECK((evaluate_policy(process, std::vector<std::size_t>(n, 1), how) - solution.v).cwiseAbs().maxCoeff() < 1e-9);
    const auto improved = policy_iteration(process, {.discount = .5});
    CHECK((improved.v - value_iteration(process, {.discount = .5}).v).cwiseAbs().maxCoeff() < 1e-9);
}

TEST_CASE("mdp: sweeps over rows of any number of branches, near and far", "[mdp]") {
    rng numbers(21);
    struct table {
        std::size_t states, actions, least, most;
    };
    for (const auto& [states, actions, least, most] :
         {table{900, 2, 1, 1}, {900, 2, 2, 2}, {900, 3, 3, 3}, {900, 2, 4, 4}, {900, 2, 5, 5}, {900, 3, 3, 4}, {900, 2, 1, 4}, {70'000, 1, 2, 2}, {70'000, 1, 1, 3}}) {
        std::vector<mdp_row> rows;
        for (std::size_t s = 0; s < states; ++s)
            for (std::size_t a = 0; a < actions; ++a) {
                if (s % 7 == 3 && a > 0) continue;  // fewer actions here
                if (s % 11 == 5) continue;          // an end
                const std::size_t count = least + numbers.below(most - least + 1);
                const double reward = numbers.uniform();
                for (std::size_t b = 0; b < count; ++b) rows.push_back({s, a, 1 / static_cast<double>(count), numbers.below(states), reward, numbers.below(20) == 0});
            }
        const mdp process(states, actions, rows);
        const solve_options how{.discount = .5};
        const auto solution = value_iteration(process, how);
        vec<double> v = vec<double>::Zero(static_cast<row_index>(states)), next(v.size());
        for (int round = 0; round < 50; ++round) {
            next.setConstant(-1e300);
            std::size_t i = 0;
            for (std::size_t s = 0; s < states; ++s) {
                if (s % 11 == 5) next(static_cast<row_index>(s)) = 0;
                while (i < rows.size() && rows[i].state == s) {
                    double sum = rows[i].reward;
                    for (const std::size_t a = rows[i].action; i < rows.size() && rows[i].state == s && rows[i].action == a; ++i)
                        if (!rows[i].terminal) sum += .5 * rows[i].probability * v(static_cast<row_index>(rows[i].next_state));
                    next(static_cast<row_index>(s)) = std::max(next(static_cast<row_index>(s)), sum);
                }
            }
            v.swap(next);
        }
        INFO(states << ' ' << least << ' ' << most);
        CHECK((solution.v - v).cwiseAbs().maxCoeff() < 1e-9);
        CHECK(std::memcmp(solution.v.data(), value_iteration(process, how, {.threads = 3}).v.data(), states * sizeof(double)) == 0);
    }
}

TEST_CASE("mdp: the order of the table does not matter, and equal rows add up", "[mdp]") {
    auto rows = processes::crm_rows();
    const auto reference = policy_iteration(mdp(54, 4, rows));
    for (auto& r : rows) r.probability /= 2;  // exact halves
    rows.insert(rows.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(rows.size()));
    rng(5).shuffle(std::span(rows));
    const mdp shuffled(54, 4, rows);
    CHECK(shuffled.rows_of(0, 0).size() == 2);
    const auto again = policy_iteration(shuffled);
    CHECK(std::memcmp(reference.v.data(), again.v.data(), 54 * sizeof(double)) == 0);
}

TEST_CASE("mdp: simulating it gives its probabilities and rewards", "[mdp]") {
    const mdp process(3, 2, std::vector<mdp_row>{{0, 0, .25, 0, 1}, {0, 0, .25, 1, 2}, {0, 0, .5, 2, 4, true}, {1, 1, 1, 2, 7}}, std::vector{.25, .75, 0.0});
    rng numbers(9);
    constexpr std::size_t n = 40'000;
    std::array<double, 3> seen{}, first{};
    for (std::size_t i = 0; i < n; ++i) {
        const auto got = process.step({0}, 0, numbers);
        seen[got.next_state[0]] += 1.0 / n;
        CHECK(got.reward == std::array{1.0, 2.0, 4.0}[got.next_state[0]]);
        CHECK(got.terminal == (got.next_state[0] == 2));
        first[process.reset(numbers)[0]] += 1.0 / n;
    }
    CHECK(seen[0] == Approx(.25).margin(.011));  // five standard deviations
    CHECK(seen[1] == Approx(.25).margin(.011));
    CHECK(first[0] == Approx(.25).margin(.011));
    CHECK(first[2] == 0);
    CHECK(process.step({1}, 1, numbers).terminal);  // state 2 has no rows: an end
    CHECK(process.allowed(2).empty());
    CHECK(error_of([&] { (void)process.step({1}, 0, numbers); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)process.step({3}, 0, numbers); }).code() == errc::unknown_id);
    const shaped_mdp<2> shaped(process, {3, 1});
    CHECK(shaped.step({1, 0}, 1, numbers).next_state == std::array<std::size_t, 2>{2, 0});
    CHECK(error_of([&] { (void)shaped_mdp<2>(process, {2, 2}); }).code() == errc::shape_mismatch);
}

TEST_CASE("mdp: bad tables are refused with their place", "[mdp][error]") {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    const auto refusal = [](mdp_row bad) {
        return error_of([&] { (void)mdp(2, 2, std::vector<mdp_row>{{0, 0, 1, 0, 0}, bad}); });
    };
    const auto check = [&](mdp_row bad, errc code, place where) {
        const error e = refusal(bad);
        INFO(e.what());
        CHECK(e.code() == code);
        CHECK(e.where() == where);
    };
    check({2, 0, 1, 0, 0}, errc::unknown_id, {.row = 2, .column = 1});
    check({1, 2, 1, 0, 0}, errc::unknown_id, {.row = 2, .column = 2});
    check({1, 0, nan, 0, 0}, errc::nan_or_inf, {.row = 2, .column = 3});
    check({1, 0, -.1, 0, 0}, errc::bad_data, {.row = 2, .column = 3});
    check({1, 0, 1.1, 0, 0}, errc::bad_data, {.row = 2, .column = 3});
    check({1, 0, 1, 2, 0}, errc::unknown_id, {.row = 2, .column = 4});
    check({1, 0, 1, ~std::size_t{0}, 0}, errc::unknown_id, {.row = 2, .column = 4});
    check({1, 0, 1, 0, inf}, errc::nan_or_inf, {.row = 2, .column = 5});
    check({1, 1, .99, 0, 0}, errc::bad_data, {.row = 2, .column = 2});       // state 1, action 1, from 1
    check({0, 0, 1e-8, 1, 0}, errc::bad_data, {.row = 1, .column = 1});      // one too much
    CHECK(mdp(2, 2, std::vector<mdp_row>{{0, 0, 1, 0, 0}, {0, 0, 1e-10, 1, 0}}).states() == 2);  // rounding
    CHECK(std::string(refusal({1, 1, .5, 0, 0}).what()) == "mdp: the probabilities of state 1, action 1 (from 0) sum to 0.5, not 1");

    const std::vector<mdp_row> fine{{0, 0, 1, 0, 0}};
    CHECK(error_of([&] { (void)mdp(0, 1, fine); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)mdp(1, 0, fine); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)mdp(std::size_t{1} << 33, 1, fine); }).code() == errc::limit_exceeded);
    CHECK(error_of([&] { (void)mdp(std::size_t{1} << 63, 4, fine); }).code() == errc::limit_exceeded);
    CHECK(error_of([&] { (void)mdp(1, 1, {}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)mdp(1, 1, fine, std::vector{.5, .5}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)mdp(1, 1, fine, std::vector{nan}); }).where() == place{.row = 1});
    CHECK(error_of([&] { (void)mdp(1, 1, fine, std::vector{.5}); }).code() == errc::bad_data);
}

TEST_CASE("mdp: bad parameters and policies are refused", "[mdp][error]") {
    const auto process = processes::forest();
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double bad : {-.1, 1.1, nan}) {
        CHECK(error_of([&] { (void)value_iteration(process, {.discount = bad}); }).code() == errc::bad_parameter);
        CHECK(error_of([&] { (void)policy_iteration(process, {.discount = bad}); }).code() == errc::bad_parameter);
        CHECK(error_of([&] { (void)evaluate_policy(process, std::vector<std::size_t>(3, 0), {.discount = bad}); }).code() == errc::bad_parameter);
    }
    CHECK(error_of([&] { (void)value_iteration(process, {.tolerance = -1}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)value_iteration(process, {.ties = nan}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)value_iteration(process, {.max_rounds = 0}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)value_iteration(process, {.max_rounds = 3}); }).code() == errc::diverged);
    CHECK(error_of([&] { (void)evaluate_policy(process, std::vector<std::size_t>(2, 0)); }).code() == errc::shape_mismatch);
    const error wrong = error_of([&] { (void)evaluate_policy(process, std::vector<std::size_t>{0, 2, 0}); });
    CHECK(wrong.code() == errc::bad_data);
    CHECK(wrong.where() == place{.row = 2});
    matrix<double> shares = matrix<double>::Constant(3, 2, .5);
    CHECK(error_of([&] { (void)evaluate_policy(process, matrix<double>(shares.leftCols(1))); }).code() == errc::shape_mismatch);
    shares(1, 1) = nan;
    CHECK(error_of([&] { (void)evaluate_policy(process, shares); }).where() == place{.row = 2, .column = 2});
    shares(1, 1) = .4;
    CHECK(error_of([&] { (void)evaluate_policy(process, shares); }).where() == place{.row = 2});
    shares.row(1) << 1.5, -.5;
    CHECK(error_of([&] { (void)evaluate_policy(process, shares); }).where() == place{.row = 2, .column = 2});
}

TEST_CASE("mdp: discount 1 where there is no end is refused, unless nothing is earned there", "[mdp][error]") {
    for (const auto& e : {error_of([] { (void)value_iteration(processes::crm(), {.discount = 1}); }), error_of([] { (void)policy_iteration(processes::crm(), {.discount = 1}); })}) {
        CHECK(e.code() == errc::bad_data);
        CHECK(e.where() == place{.row = 1});
    }
    // State 0 earns 3 and goes to state 1, which goes round for nothing.
    const mdp idle(2, 1, std::vector<mdp_row>{{0, 0, 1, 1, 3}, {1, 0, 1, 1, 0}});
    CHECK(value_iteration(idle, {.discount = 1}).v(0) == Approx(3));
    CHECK(policy_iteration(idle, {.discount = 1}).v(0) == Approx(3));
    const mdp ends(3, 1, std::vector<mdp_row>{{0, 0, .5, 1, 3}, {0, 0, .5, 2, 3, true}, {1, 0, 1, 1, 0}, {2, 0, 1, 2, 0, true}});
    CHECK(value_iteration(ends, {.discount = 1}).v(0) == Approx(3));
    CHECK(policy_iteration(ends, {.discount = 1}).v(0) == Approx(3));
    // An end can be reached, but going round pays.
    const mdp loop(1, 2, std::vector<mdp_row>{{0, 0, 1, 0, 1}, {0, 1, 1, 0, 0, true}});
    CHECK(error_of([&] { (void)value_iteration(loop, {.discount = 1, .max_rounds = 1000}); }).code() == errc::diverged);
    const error forever = error_of([&] { (void)policy_iteration(loop, {.discount = 1}); });
    CHECK(forever.code() == errc::bad_data);
    CHECK(forever.where() == place{.row = 1});
    // Rewards beyond the numbers.
    const mdp huge(1, 1, std::vector<mdp_row>{{0, 0, 1, 0, 1e308}});
    CHECK(error_of([&] { (void)value_iteration(huge, {.discount = .99}); }).code() == errc::diverged);
    CHECK(error_of([&] { (void)policy_iteration(huge, {.discount = .99}); }).code() == errc::diverged);
}

TEST_CASE("estimate_mdp: worked by hand", "[mdp]") {
    const std::vector<transition<2>> log{
        {.state = {0, 0}, .action = 1, .reward = 4, .next_state = {1, 1}},
        {.state = {0, 0}, .action = 1, .reward = 2, .next_state = {0, 1}},
        {.state = {0, 0}, .action = 1, .reward = 6, .next_state = {1, 1}},
        {.state = {0, 1}, .action = 0, .reward = 10, .next_state = {9, 9}, .terminal = true},
    };
    const auto [process, counts] = estimate_mdp<2>(log, {2, 2}, 2);
    CHECK(process.states() == 4);
    CHECK(counts(0, 1) == 2 + 1);
    CHECK(counts(1, 0) == 1);
    CHECK(counts(0, 0) == 0);
    const auto rows = process.rows_of(0, 1);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].next_state == 1);
    CHECK(rows[0].probability == Approx(1.0 / 3));
    CHECK(rows[0].reward == 2);
    CHECK(rows[1].next_state == 3);
    CHECK(rows[1].reward == 5);
    CHECK(rows[1].terminal);  // nothing is known of what follows there
    CHECK(process.allowed(0).size() == 1);
    CHECK(process.allowed(3).empty());
    const auto solution = policy_iteration(process, {.discount = .9});
    CHECK(solution.v(1) == Approx(10));
    CHECK(solution.v(0) == Approx(4 + .9 * 10 / 3));
    CHECK(solution.policy == std::vector<std::size_t>{1, 0, no_action, no_action});
    rng numbers(1);
    for (int i = 0; i < 50; ++i) CHECK(process.reset(numbers)[0] <= 1);  // as often as in the log: 3 to 1

    const auto hopeful = estimate_mdp<2>(log, {2, 2}, 2, {.untried = 100});
    CHECK(policy_iteration(hopeful.process, {.discount = .9}).policy[0] == 0);
    CHECK(hopeful.process.allowed(3).empty());
}

TEST_CASE("estimate_mdp: a long log gives the process back", "[mdp]") {
    const auto truth = processes::crm();
    const shaped_mdp<3> world(truth, processes::crm_shape);
    rng numbers(2);
    std::vector<transition<3>> log;
    for (int customer = 0; customer < 3000; ++customer) {
        auto state = world.reset(numbers);
        for (int t = 0; t < 60; ++t) {
            const std::size_t action = numbers.below(4);
            const auto got = world.step(state, action, numbers);
            log.push_back({state, action, got.reward, got.next_state, got.terminal});
            state = got.next_state;
        }
    }
    const auto estimate = estimate_mdp(log, processes::crm_shape, 4);
    std::uint64_t total = 0;
    for (const auto n : estimate.counts) total += n;
    CHECK(total == log.size());
    const auto solution = policy_iteration(estimate.process);
    CHECK(solution.v(0) == Approx(processes::crm_optimum).epsilon(.05));
    std::vector<std::size_t> policy = solution.policy;
    std::ranges::replace(policy, no_action, std::size_t{0});
    CHECK(evaluate_policy(truth, policy)(0) > .95 * processes::crm_optimum);
}

TEST_CASE("estimate_mdp: bad logs are refused with row and column", "[mdp][error]") {
    constexpr std::array<std::size_t, 2> shape{2, 3};
    const auto refusal = [&](transition<2> bad) {
        return error_of([&] { (void)estimate_mdp<2>(std::vector<transition<2>>{{}, bad}, shape, 2); });
    };
    CHECK(refusal({.state = {2, 0}}).where() == place{.row = 2, .column = 1});
    CHECK(refusal({.state = {0, 3}}).where() == place{.row = 2, .column = 2});
    CHECK(refusal({.action = 2}).where() == place{.row = 2, .column = 3});
    CHECK(refusal({.action = 2}).code() == errc::unknown_id);
    CHECK(refusal({.reward = std::numeric_limits<double>::infinity()}).where() == place{.row = 2, .column = 4});
    CHECK(refusal({.reward = std::numeric_limits<double>::quiet_NaN()}).code() == errc::nan_or_inf);
    CHECK(refusal({.next_state = {2, 0}}).where() == place{.row = 2, .column = 5});
    CHECK(refusal({.next_state = {0, ~std::size_t{0}}}).where() == place{.row = 2, .column = 6});
    CHECK(error_of([&] { (void)estimate_mdp<2>(std::vector<transition<2>>{}, shape, 2); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)estimate_mdp<2>(std::vector<transition<2>>(1), {2, 0}, 2); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)estimate_mdp<2>(std::vector<transition<2>>(1), shape, 2, {.untried = std::numeric_limits<double>::quiet_NaN()}); }).code() == errc::bad_parameter);
}

TEST_CASE("mdp: names of states and actions, units of rewards, and an action that stands there twice", "[mdp][metamorphic]") {
    rng random(17);
    for (int round = 0; round < 60; ++round) {
        const std::size_t n = 1 + random.below(6), actions = 1 + random.below(3);
        const double discount = round % 2 == 0 ? .9 : .5;
        std::vector<mdp_row> rows;
        for (std::size_t s = 0; s < n; ++s)
            for (std::size_t a = 0; a < actions; ++a) {
                const std::size_t branches = 1 + random.below(3);
                for (std::size_t b = 0; b < branches; ++b)
                    rows.push_back({s, a, 1.0 / static_cast<double>(branches), static_cast<std::size_t>(random.below(n)), random.normal(), random.below(5) == 0});
            }
        const solve_options how{.discount = discount};
        const auto found = policy_iteration(mdp(n, actions, rows), how);
        const auto named_s = random.permutation(n), named_a = random.permutation(actions);
        auto renamed = rows, scaled = rows, doubled = rows;
        for (auto& r : renamed) r = {named_s[r.state], named_a[r.action], r.probability, named_s[r.next_state], r.reward, r.terminal};
        for (auto& r : scaled) r.reward *= 1000;
        for (const auto& r : rows) doubled.push_back({r.state, r.action + actions, r.probability, r.next_state, r.reward, r.terminal});
        const auto again = policy_iteration(mdp(n, actions, renamed), how), thousands = policy_iteration(mdp(n, actions, scaled), how),
                   more = policy_iteration(mdp(n, 2 * actions, doubled), how), by_values = value_iteration(mdp(n, actions, rows), how);
        for (std::size_t s = 0; s < n; ++s) {
            const auto at = static_cast<row_index>(s);
            CHECK(again.v(static_cast<row_index>(named_s[s])) == Approx(found.v(at)).epsilon(1e-10).margin(1e-10));
            CHECK(thousands.v(at) == Approx(1000 * found.v(at)).epsilon(1e-10).margin(1e-7));
            CHECK(more.v(at) == Approx(found.v(at)).epsilon(1e-10).margin(1e-10));
            CHECK(by_values.v(at) == Approx(found.v(at)).epsilon(1e-8).margin(1e-8));
            CHECK(more.policy[s] < actions);  // the first of those that tie
            for (std::size_t a = 0; a < actions; ++a)
                CHECK(again.q(static_cast<row_index>(named_s[s]), static_cast<row_index>(named_a[a])) ==
                      Approx(found.q(at, static_cast<row_index>(a))).epsilon(1e-10).margin(1e-10));
        }
        // Where nothing ends, a reward more in each step is worth 1 / (1 - discount) more.
        auto endless = rows, richer = rows;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            endless[i].terminal = richer[i].terminal = false;
            richer[i].reward += 2;
        }
        const vec<double> gap = policy_iteration(mdp(n, actions, richer), how).v - policy_iteration(mdp(n, actions, endless), how).v;
        CHECK((gap.array() - 2 / (1 - discount)).abs().maxCoeff() < 1e-9);
    }
}

}  // namespace mdp_test
