// Which offer to show to whom, learnt while visitors come: bandits inside a host, beside a fixed A/B split.
//
//   online_bandit [--visitors N] [--delay N] [--log FILE] [--seed N]
//
// Visitors are made up: five offers, and what each visitor likes depends on what is known of them. Every policy meets the same
// visitors; whether somebody clicks is told some visitors later, as in life. Lines that begin with `result` are for scripts.
//
// After scripts/demo.sh, which gets what is needed:
//   cmake --build build/release --target online_bandit && build/release/examples/online_bandit
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/data/csv.hpp>
#include <caramel/data/table.hpp>
#include <caramel/policy/bandit.hpp>
#include <caramel/policy/linear_bandit.hpp>

#include "terminal.hpp"

using namespace caramel;

namespace {

constexpr std::array offers{"free shipping", "10 % off", "bundle", "new arrivals", "loyalty points"};
constexpr std::size_t facts = 5;  // 1, came back, on a phone, spend (standardized), hour of the day

struct visitor {
    std::array<double, facts> known{};
    std::array<double, offers.size()> rates{};  // of clicks, by offer: what no policy sees
    double luck = 0;                            // clicks on offers whose rate lies above it
};

std::vector<visitor> make_visitors(std::size_t n, rng numbers) {
    constexpr double tastes[offers.size()][facts] = {
        {-2.6, 0, .5, -.6, 0}, {-2.5, -.8, 0, -.5, 0}, {-2.8, 0, -.8, .8, 0}, {-2.9, .9, .3, 0, .4}, {-3.0, .8, 0, .7, -.3}};
    std::vector<visitor> out(n);
    for (visitor& v : out) {
        const double came_back = numbers.uniform() < .4 ? 1 : 0, phone = numbers.uniform() < .6 ? 1 : 0;
        const double spend = numbers.normal(), hour = 2 * numbers.uniform() - 1;
        v.known = {1, came_back, phone, spend, hour};
        for (std::size_t a = 0; a < offers.size(); ++a)
            v.rates[a] = 1 / (1 + std::exp(-std::inner_product(v.known.begin(), v.known.end(), tastes[a], 0.0)));
        v.luck = numbers.uniform();
    }
    return out;
}

// What a host logs of each decision. Without the propensity nobody can tell later what another policy would have earned.
struct logged {
    std::size_t visitor, offer;
    double propensity, value, clicked;
};

// All policies meet the same visitors, and learn of a click when `delay` more visitors have come.
struct contest {
    std::vector<visitor> visitors;
    std::size_t delay;
    std::vector<std::pair<std::string, double>> figures;  // for the end

    // One policy from the first visitor to the last: `decide(visitor)` and `learn(visitor, offer, clicked)`.
    template <class Decide, class Learn>
    std::vector<logged> run(const std::string& name, Decide decide, Learn learn) {
        std::vector<logged> log;
        double clicks = 0, regret = 0, best_shown = 0;
        for (std::size_t i = 0; i < visitors.size(); ++i) {
            const visitor& v = visitors[i];
            const choice c = decide(v);
            log.push_back({i, c.action, c.propensity, c.value, v.luck < v.rates[c.action] ? 1.0 : 0.0});
            const double best = std::ranges::max(v.rates);
            clicks += log.back().clicked;
            regret += best - v.rates[c.action];
            best_shown += best == v.rates[c.action] ? 1 : 0;
            if (i >= delay) learn(visitors[i - delay], log[i - delay].offer, log[i - delay].clicked);
        }
        const double percent = 100 / static_cast<double>(visitors.size());
        std::printf("  %-18s %7.0f %9.2f %% %9.0f %16.0f %%\n", name.c_str(), clicks, percent * clicks, regret, percent * best_shown);
        figures.emplace_back("online." + name + ".clicks", clicks);
        figures.emplace_back("online." + name + ".regret", regret);
        return log;
    }
};

// What showing `offer` to everybody would have earned, from a log of another policy: clicks weighted by 1 / propensity, and the
// standard error.
std::pair<double, double> value_of_always(std::size_t offer, const std::vector<logged>& log) {
    double sum = 0, squares = 0;
    for (const logged& l : log) {
        const double weighted = l.offer == offer ? l.clicked / l.propensity : 0;
        sum += weighted, squares += weighted * weighted;
    }
    const auto n = static_cast<double>(log.size());
    return {sum / n, std::sqrt((squares / n - sum / n * sum / n) / n)};
}

void study(std::size_t n, std::size_t delay, const std::string& file, std::uint64_t seed) {
    contest all{make_visitors(n, rng(seed).split("visitors")), delay, {}};
    rng numbers = rng(seed).split("choices");
    title("1. Who learns what to show");
    std::printf("  %zu visitors, %zu offers, clicks are told %zu visitors later\n\n", n, offers.size(), delay);
    std::printf("  %-18s %7s %11s %9s %18s\n", "policy", "clicks", "rate", "regret", "best offer shown");
    const auto blind = [&](const visitor&) { return choice{.action = numbers.below(offers.size()), .propensity = 1.0 / offers.size()}; };
    const auto split = all.run("ab_split", blind, [](const visitor&, std::size_t, double) {});

    const auto same_for_all = [&](auto rule) {  // one click rate an offer
        bandit shop(offers.size(), rule);
        (void)all.run(std::string(shop.kind), [&](const visitor&) { return shop.decide(numbers); },
                      [&](const visitor&, std::size_t offer, double clicked) { shop.learn(offer, clicked); });
    };
    same_for_all(epsilon_greedy_rule{.epsilon = .1});
    same_for_all(ucb1{.exploration = .1});  // the proof's 2 explores far too long where rates are small
    same_for_all(kl_ucb{});
    same_for_all(thompson_bernoulli{});

    const auto by_visitor = [&](auto rule) {  // a linear model an offer
        linear_bandit shop(offers.size(), facts, rule);
        return all.run(std::string(shop.kind), [&](const visitor& v) { return shop.decide(numbers, v.known); },
                       [&](const visitor& v, std::size_t offer, double clicked) { shop.learn(v.known, offer, clicked); });
    };
    (void)by_visitor(linucb{.alpha = .3});
    const auto log = by_visitor(linear_thompson{.noise = .3});

    title("2. What the log says afterwards: one offer for everybody");
    write_csv(table::of(log, field("visitor", &logged::visitor), field("offer", &logged::offer), field("propensity", &logged::propensity),
                        field("value", &logged::value), field("clicked", &logged::clicked)),
              file);
    std::printf("  the log of linear_thompson is in %s\n\n  %-16s %8s %20s %22s\n", file.c_str(), "offer", "truth", "from the A/B split",
                "from linear_thompson");
    for (std::size_t a = 0; a < offers.size(); ++a) {
        double truth = 0;
        for (const visitor& v : all.visitors) truth += v.rates[a] / static_cast<double>(n);
        const auto by_split = value_of_always(a, split), by_log = value_of_always(a, log);
        std::printf("  %-16s %6.2f %% %11.2f +- %.2f %% %13.2f +- %.2f %%\n", offers[a], 100 * truth, 100 * by_split.first, 100 * by_split.second,
                    100 * by_log.first, 100 * by_log.second);
    }
    says("a policy that has become sure shows some offers hardly ever: its log says little about them, and its errors look");
    says("smaller than they are. A share at random (linucb's epsilon) keeps logs good enough to judge by.");
    for (const auto& [name, value] : all.figures) result(name, value);
}

}  // namespace

int main(int argc, char** argv) try {
    std::size_t visitors = 20'000, delay = 200;
    std::uint64_t seed = 1;
    std::string file = "decisions.csv";
    CLI::App app("Offers chosen by bandits, beside a fixed A/B split");
    app.add_option("--visitors", visitors, "how many come (default: 20,000)")->check(CLI::Range(1, 10'000'000));
    app.add_option("--delay", delay, "after how many more visitors a click is told (default: 200)");
    app.add_option("--log", file, "a CSV file to write decisions with propensities to (default: decisions.csv)");
    app.add_option("--seed", seed, "of everything random");
    CLI11_PARSE(app, argc, argv);
    study(visitors, delay, file, seed);
    return 0;
} catch (...) {
    return say_error("online_bandit");
}
