#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <caramel/io/model_file.hpp>
#include <caramel/policy/bandit.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace bandit_test {

namespace {

template <class Belief>
std::vector<double> shares_of_best(const std::vector<Belief>& beliefs) {
    std::vector<double> out(beliefs.size());
    detail::best_of(std::span<const Belief>(beliefs), std::span(out));
    return out;
}
void check_near(const std::vector<double>& got, const std::vector<double>& wanted, double tolerance) {
    REQUIRE(got.size() == wanted.size());
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - wanted[i]));
    CHECK(worst <= tolerance);
}
double kl(double p, double q) { return p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q)); }

// Beta(a, b) for whole a and b: the a-th smallest of a + b - 1 uniform numbers.
double draw_beta(int a, int b, rng& numbers) {
    std::vector<double> u(static_cast<std::size_t>(a + b - 1));
    for (double& x : u) x = numbers.uniform();
    std::ranges::nth_element(u, u.begin() + (a - 1));
    return u[static_cast<std::size_t>(a - 1)];
}

// Clicks with these rates: the expected regret of the arms chosen, after `early` steps and in the end.
template <class Rule>
std::pair<double, double> regret_of(const Rule& rule, std::span<const double> rates, std::size_t early, std::size_t steps, std::uint64_t runs) {
    const double best = std::ranges::max(rates);
    double at_early = 0, at_end = 0;
    for (std::uint64_t run = 0; run < runs; ++run) {
        bandit<Rule> b(rates.size(), rule);
        rng of_choices = rng(run).split("choices"), of_clicks = rng(run).split("clicks");
        double sum = 0;
        for (std::size_t t = 0; t < steps; ++t) {
            const choice c = b.decide(of_choices);
            b.learn(c.action, of_clicks.uniform() < rates[c.action] ? 1 : 0);
            sum += best - rates[c.action];
            if (t + 1 == early) at_early += sum;
        }
        at_end += sum;
    }
    return {at_early / static_cast<double>(runs), at_end / static_cast<double>(runs)};
}

// How often each arm is chosen, against what is said: every arm within 5 standard deviations, a false alarm in about 10^6 seeds.
template <class Rule>
void check_frequencies(const bandit<Rule>& b, const std::vector<std::size_t>& allowed, std::size_t n) {
    const auto said = b.propensities(allowed);
    std::vector<double> count(b.arms());
    rng numbers(11);
    bool same = true;
    for (std::size_t i = 0; i < n; ++i) {
        const choice c = b.decide(numbers, allowed);
        same = same && c.propensity == said[c.action] && c.value == b.mean(c.action);
        ++count[c.action];
    }
    CHECK(same);
    for (std::size_t a = 0; a < b.arms(); ++a) {
        CHECK(std::abs(count[a] / static_cast<double>(n) - said[a]) <= 5 * std::sqrt(said[a] * (1 - said[a]) / static_cast<double>(n)));
        if (std::ranges::find(allowed, a) == allowed.end()) CHECK(said[a] == 0);
    }
    CHECK(std::accumulate(said.begin(), said.end(), 0.0) == Approx(1).epsilon(1e-12));
}

}  // namespace

// The reference values of this file were computed with 25 to 30 digits by mpmath: quad of the density times betainc or ncdf.
TEST_CASE("best_of: Beta beliefs against reference values", "[bandit]") {
    using detail::beta_belief;
    check_near(shares_of_best<beta_belief>({{3, 9}, {5, 7}, {2, 12}}), {0.17215596405974439, 0.79682195567052187, 0.031022080269733733}, 1e-12);
    check_near(shares_of_best<beta_belief>({{1, 1}, {4, 3}}), {3.0 / 7, 4.0 / 7}, 1e-12);
    check_near(shares_of_best<beta_belief>({{31, 970}, {36, 965}, {2, 40}}), {0.11531525256478388, 0.33680903032328146, 0.54787571711193467}, 1e-11);
    check_near(shares_of_best<beta_belief>({{.5, .5}, {3, 2}, {20, 30}}), {0.41441288894526363, 0.50019926976696083, 0.085387841287775538}, 1e-11);
    check_near(shares_of_best<beta_belief>({{1, 200}, {2, 500}, {1, 1}}), {0.0039869436467047556, 0.0025296614346974959, 0.99348339491859775}, 1e-11);
}

TEST_CASE("best_of: whole Beta beliefs of two arms, by the finite sum", "[bandit]") {
    // P(X > Y) = sum over i < a of B(c + i, b + d) / ((b + i) B(1 + i, b) B(c, d)) for X ~ Beta(a, b), Y ~ Beta(c, d), a whole.
    const auto log_beta = [](double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); };
    rng numbers(5);
    double worst = 0;
    for (int round = 0; round < 200; ++round) {
        const auto large = [&] { return 1 + static_cast<double>(numbers.below(std::uint64_t{1} << (1 + round % 9))); };
        const double a = large(), b = large(), c = large(), d = large();
        double wanted = 0;
        for (double i = 0; i < a; ++i) wanted += std::exp(log_beta(c + i, b + d) - std::log(b + i) - log_beta(1 + i, b) - log_beta(c, d));
        worst = std::max(worst, std::abs(shares_of_best<detail::beta_belief>({{a, b}, {c, d}})[0] - wanted));
    }
    CHECK(worst < 1e-10);
}

TEST_CASE("best_of: normal beliefs", "[bandit]") {
    using detail::normal_belief;
    check_near(shares_of_best<normal_belief>({{0, 1}, {.5, .2}, {.3, 2}}), {0.20325267268884667, 0.37402721306951793, 0.4227201142416354}, 1e-12);
    check_near(shares_of_best<normal_belief>({{1, .001}, {1.001, .002}, {.5, .3}}), {0.31176895235828322, 0.64092726083188405, 0.047303786809832725}, 1e-12);
    rng numbers(7);
    double worst = 0;
    for (int round = 0; round < 300; ++round) {  // two of them: a closed form, also relative to the smaller share
        const double m = numbers.normal(), s = std::exp(2 * numbers.normal()), r = std::exp(2 * numbers.normal());
        const auto got = shares_of_best<normal_belief>({{m, s}, {0, r}});
        for (const int side : {0, 1}) {
            const double wanted = std::erfc((side == 0 ? -m : m) / std::sqrt(2 * (s * s + r * r))) / 2;
            if (wanted > 1e-9) worst = std::max(worst, std::abs(got[static_cast<std::size_t>(side)] / wanted - 1));
        }
    }
    CHECK(worst < 1e-9);
}

TEST_CASE("best_of: equal beliefs share alike; large counts, unlike widths and clear winners stand", "[bandit][edge]") {
    using detail::beta_belief;
    using detail::normal_belief;
    check_near(shares_of_best(std::vector<beta_belief>(30, {1, 1})), std::vector<double>(30, 1.0 / 30), 1e-12);
    check_near(shares_of_best(std::vector<beta_belief>(3, {.01, .02})), std::vector<double>(3, 1.0 / 3), 1e-12);
    check_near(shares_of_best(std::vector<beta_belief>(2, {3e8, 7e8})), {.5, .5}, 1e-12);
    check_near(shares_of_best(std::vector<normal_belief>(7, {1e6, 1e-3})), std::vector<double>(7, 1.0 / 7), 1e-12);
    // Means .3 and .30001 after 10^8 of each: 0.489 standard deviations apart.
    const double z = 1e-5 / std::sqrt(.3 * .7 / 1e8 + .30001 * .69999 / 1e8);
    CHECK(shares_of_best<beta_belief>({{3e7, 7e7}, {3.0001e7, 6.9999e7}})[1] == Approx(std::erfc(-z / std::sqrt(2)) / 2).margin(1e-5));
    // Either way of writing a density gives the same; 10^5 is where one takes over.
    CHECK(shares_of_best<beta_belief>({{30000, 69999}, {30100, 69899}})[0] ==
          Approx(shares_of_best<beta_belief>({{30000, 70001}, {30100, 69901}})[0]).margin(1e-4));
    CHECK(shares_of_best<normal_belief>({{0, 1}, {100, 1e-5}, {0, 1e-4}})[1] == 1);
    CHECK(shares_of_best<normal_belief>({{0, 1}, {100, 1}, {0, 1e-250}})[1] == 1);
    check_near(shares_of_best<normal_belief>({{0, 1}, {0, 1e-12}}), {.5, .5}, 1e-9);
    check_near(shares_of_best<beta_belief>({{.001, 1e9}, {1e9, .001}, {1, 1}}), {0, 1, 0}, .01);
    check_near(shares_of_best<normal_belief>({{1e15, 1e-3}, {0, 1}, {1e15, 1e-3}}), {.5, 0, .5}, 0);  // too narrow for their place
    CHECK(shares_of_best<normal_belief>({{3, 1}})[0] == 1);
    CHECK(shares_of_best<normal_belief>({}).empty());
}

TEST_CASE("ucb1: the score, as in the oracles", "[bandit]") {
    const bandit<ucb1> b({}, {10, 90}, {4, 30});
    CHECK(b.score(0) == Approx(1.3597051824376163).epsilon(1e-15));
    rng numbers(1);
    CHECK(b.decide(numbers) == choice{.action = 0, .propensity = 1, .value = .4});
    // Scaled and moved rewards: the same decisions.
    const bandit<ucb1> scaled({.lowest = -5, .highest = 15}, {10, 90}, {10 * (.4 * 20 - 5), 90 * (30.0 / 90 * 20 - 5)});
    CHECK(scaled.score(0) == Approx(1.3597051824376163 * 20 - 5));
}

TEST_CASE("kl_ucb: scores against reference values", "[bandit]") {
    struct row {
        double sum, n, t, wanted;
    };
    constexpr std::array rows{row{4, 10, 100, 0.82862267076776923},
                              row{0, 5, 50, 0.54269494807267365},
                              row{1, 3, 20, 0.90976642521894415},
                              row{90, 100, 1000, 0.97579139752148818},
                              row{1, 1, 10, 1.0},
                              row{2, 400, 100000, 0.04386101274712114},
                              row{399, 400, 100000, 0.99999999079146711}};
    for (const row& r : rows) {
        const auto n = static_cast<std::uint64_t>(r.n), t = static_cast<std::uint64_t>(r.t);
        CHECK(bandit<kl_ucb>({}, {n, t - n}, {r.sum, 0}).score(0) == Approx(r.wanted).epsilon(1e-13));
        CHECK(bandit<kl_ucb>({.lowest = 10, .highest = 50}, {n, t - n}, {10 * r.n + 40 * r.sum, 10 * (r.t - r.n)}).score(0) ==
              Approx(10 + 40 * r.wanted).epsilon(1e-13));
        // By what it means, with the term that the proof wants.
        const double q = bandit<kl_ucb>({.c = 3}, {n, t - n}, {r.sum, 0}).score(0), p = r.sum / r.n;
        if (p > 0 && p < 1 && q < 1 - 1e-9) CHECK(r.n * kl(p, q) == Approx(std::log(r.t) + 3 * std::log(std::log(r.t))).epsilon(1e-8));
    }
    CHECK(bandit<kl_ucb>({}, {1, 0}, {0, 0}).score(0) == 0);  // ln 1 = 0
    CHECK(bandit<kl_ucb>({}, {1, 0}, {0, 0}).score(1) == std::numeric_limits<double>::infinity());
}

TEST_CASE("thompson: beliefs in closed form", "[bandit]") {
    bandit clicks(2, thompson_bernoulli{.successes = 2, .failures = 3});
    CHECK(clicks.mean(0) == Approx(.4));
    for (const double r : {1.0, 0.0, 0.0, 1.0, 0.5}) clicks.learn(0, r);
    CHECK(clicks.mean(0) == Approx(4.5 / 10));
    CHECK(clicks.mean(1) == Approx(.4));
    bandit amounts(2, thompson_gaussian{.noise = 2, .mean = 10, .deviation = 4});
    for (const double r : {12.0, 17.0, 13.0}) amounts.learn(1, r);
    CHECK(amounts.mean(1) == Approx((10 / 16.0 + 42 / 4.0) / (1 / 16.0 + 3 / 4.0)));
    const double s0 = 4, s1 = std::sqrt(1 / (1 / 16.0 + 3 / 4.0));
    CHECK(amounts.propensities()[1] == Approx(std::erfc(-(amounts.mean(1) - 10) / std::sqrt(2 * (s0 * s0 + s1 * s1))) / 2).epsilon(1e-12));
}

TEST_CASE("bandit: propensities are the frequencies, masked arms are never chosen", "[bandit]") {
    check_frequencies(bandit<thompson_bernoulli>({}, {10, 12, 8, 40}, {4, 5, 1, 20}), {3, 0, 2}, 10'000);
    check_frequencies(bandit<thompson_gaussian>({}, {10, 12, 8, 40}, {4, 5, 1, 20}), {0, 1, 2, 3}, 10'000);
    check_frequencies(bandit<epsilon_greedy_rule>({.epsilon = .3}, {10, 12, 8, 40}, {4, 5, 1, 24}), {0, 2, 1, 2}, 50'000);
    check_frequencies(bandit<ucb1>({}, {10, 12, 8, 40}, {4, 5, 1, 24}), {1, 3}, 1'000);
    check_frequencies(bandit<kl_ucb>({}, {10, 12, 8, 0}, {4, 5, 1, 0}), {1, 0}, 1'000);
}

TEST_CASE("thompson: the propensity is how often a draw from the beliefs is the largest", "[bandit]") {
    // An arm's count is within 4.5 standard deviations in all but 1 of 50,000 seeds, for all of them together.
    const std::array<std::pair<int, int>, 4> beliefs{{{5, 7}, {6, 8}, {2, 8}, {21, 21}}};
    const auto said = bandit<thompson_bernoulli>({}, {10, 12, 8, 40}, {4, 5, 1, 20}).propensities();
    std::array<double, 4> count{};
    rng numbers(3);
    constexpr int n = 40'000;
    for (int i = 0; i < n; ++i) {
        std::array<double, 4> drawn{};
        for (std::size_t a = 0; a < 4; ++a) drawn[a] = draw_beta(beliefs[a].first, beliefs[a].second, numbers);
        ++count[static_cast<std::size_t>(std::ranges::max_element(drawn) - drawn.begin())];
    }
    for (std::size_t a = 0; a < 4; ++a) CHECK(std::abs(count[a] / n - said[a]) < 4.5 * std::sqrt(said[a] * (1 - said[a]) / n));
}

TEST_CASE("bandit: regret grows with the logarithm, near the bound of Lai and Robbins", "[bandit]") {
    // Bound: sum of gap / KL(rate, best rate), per unit of ln T. Fixed seeds: the figures are the same on every run.
    constexpr std::array rates{.2, .5, .35};
    const double constant = .3 / kl(.2, .5) + .15 / kl(.35, .5);
    const auto [kl_early, kl_end] = regret_of(kl_ucb{}, rates, 400, 4'000, 20);
    CHECK(kl_end < 1.5 * constant * std::log(4'000));
    CHECK(kl_end - kl_early < 1.6 * constant * std::log(10));
    CHECK(kl_end > .3 * constant * std::log(4'000));
    const auto [ts_early, ts_end] = regret_of(thompson_bernoulli{}, rates, 200, 2'000, 8);
    CHECK(ts_end < 1.5 * constant * std::log(2'000));
    CHECK(ts_end - ts_early < 1.6 * constant * std::log(10));
    const auto [ucb_early, ucb_end] = regret_of(ucb1{}, rates, 400, 4'000, 20);
    CHECK(ucb_end < 8 * std::log(4'000) * (1 / .3 + 1 / .15) + 4.29 * .45);  // theorem 1 of Auer et al.
    CHECK(kl_end < ucb_end);
    const auto [greedy_early, greedy_end] = regret_of(epsilon_greedy_rule{.epsilon = .2}, rates, 400, 4'000, 20);
    CHECK(greedy_end - greedy_early == Approx(.2 / 3 * .45 * 3'600).epsilon(.25));  // linear: it never stops exploring
}

TEST_CASE("bandit: late rewards, in any order and from other servers, come to the same", "[bandit]") {
    bandit whole(3, thompson_bernoulli{}), first = whole, second = whole;
    for (int i = 0; i < 40; ++i) {
        const auto arm = static_cast<std::size_t>(i % 3);
        const double reward = i % 5 == 0 ? 1 : 0;
        whole.learn(arm, reward);
        (i % 4 == 0 ? first : second).learn(arm, reward);
    }
    auto merged = first;
    merged.merge(second);
    CHECK(merged.rewards() == whole.rewards());
    CHECK(merged.sums() == whole.sums());
    // Both began as copies of the same.
    auto left = whole, right = whole;
    left.learn(0, 1);
    right.learn(2, 1);
    left.merge(right, whole);
    CHECK(left.rewards() == std::vector<std::uint64_t>{15, 13, 14});
    rng numbers(1), again(1);
    whole.learn(0, 1);
    whole.learn(2, 1);
    CHECK(left.decide(numbers) == whole.decide(again));
    CHECK(error_of([&] { left.merge(bandit(2, thompson_bernoulli{})); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { left.merge(bandit(3, thompson_bernoulli{.successes = 2})); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { left.merge(bandit(3, thompson_bernoulli{}), whole); }).code() == errc::bad_data);
    CHECK(left.rewards() == whole.rewards());
}

TEMPLATE_TEST_CASE("bandit: saved and loaded it decides the same", "[bandit][io]", epsilon_greedy_rule, ucb1, kl_ucb, thompson_bernoulli, thompson_gaussian) {
    bandit<TestType> b(4);
    rng numbers(2);
    for (int i = 0; i < 50; ++i) b.learn(b.decide(numbers).action, numbers.uniform());
    const auto bytes = to_bytes(b);
    auto again = load<bandit<TestType>>(std::span(bytes));
    CHECK(to_bytes(again) == bytes);
    bool same = true;
    for (int i = 0; i < 20; ++i) {
        rng one(static_cast<std::uint64_t>(i)), two = one;
        const choice c = b.decide(one);
        same = same && c == again.decide(two);
        b.learn(c.action, .5);
        again.learn(c.action, .5);
    }
    CHECK(same);
}

TEST_CASE("bandit: decisions of this library's form, and no arm left", "[bandit][error]") {
    const bandit<ucb1> b({}, {5, 5, 5}, {1, 2, 3});
    rng numbers(1);
    CHECK(b.decide(numbers, decision<2>{.allowed = {{1, 0}}}).action == 1);
    CHECK(b.decide(numbers, decision<1>{}).action == 2);
    CHECK(error_of([&] { (void)b.decide(numbers, decision<1>{.allowed = {{}}}); }).code() == errc::bad_data);
    const std::vector<std::size_t> wrong{1, 3};
    const error e = error_of([&] { (void)b.decide(numbers, wrong); });
    CHECK(e.code() == errc::unknown_id);
    CHECK(e.where().row == 2);
    bandit<thompson_gaussian> many(200);
    many.learn(150, 3);
    const std::vector<std::size_t> three{7, 150, 199};
    CHECK(many.propensities(three)[150] > .8);
    CHECK(many.propensities()[7] == Approx(many.propensities()[8]));
}

TEST_CASE("bandit: what is refused, and changes nothing", "[bandit][error]") {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), huge = std::numeric_limits<double>::max();
    const auto code = [](auto&& work) { return error_of(work).code(); };
    CHECK(code([] { bandit<ucb1> b(0); }) == errc::bad_parameter);
    CHECK(code([] { bandit<ucb1> b(2'000'000); }) == errc::limit_exceeded);
    CHECK(code([] { bandit<thompson_gaussian> b(20'000); }) == errc::limit_exceeded);
    CHECK(code([] { bandit<epsilon_greedy_rule>({}, {~std::uint64_t{0}, 1}, {1, 1}); }) == errc::bad_data);
    CHECK(code([] { bandit(2, epsilon_greedy_rule{.epsilon = 1.5}); }) == errc::bad_parameter);
    CHECK(code([] { bandit(2, epsilon_greedy_rule{.epsilon = nan}); }) == errc::bad_parameter);
    CHECK(code([] { bandit(2, ucb1{.exploration = 0}); }) == errc::bad_parameter);
    CHECK(code([] { bandit(2, ucb1{.lowest = 1}); }) == errc::bad_parameter);
    CHECK(code([] { bandit(2, kl_ucb{.c = -1}); }) == errc::bad_parameter);
    CHECK(code([] { bandit(2, kl_ucb{.lowest = nan}); }) == errc::bad_parameter);
    CHECK(code([] { bandit(2, thompson_bernoulli{.failures = 0}); }) == errc::bad_parameter);
    CHECK(code([] { bandit(2, thompson_gaussian{.noise = -1}); }) == errc::bad_parameter);
    CHECK(code([] { bandit(2, thompson_gaussian{.noise = 1e200, .deviation = 1e-200}); }) == errc::bad_parameter);
    CHECK(code([] { bandit<ucb1>({}, {1, 2}, {0}); }) == errc::bad_data);
    CHECK(code([] { bandit<ucb1>({}, {}, {}); }) == errc::bad_data);
    CHECK(code([] { bandit<ucb1>({}, {0, 2}, {1, 1}); }) == errc::bad_data);
    CHECK(code([] { bandit<thompson_bernoulli>({}, {2, 2}, {3, 1}); }) == errc::bad_data);
    CHECK(code([] { bandit<thompson_gaussian>({}, {2, 2}, {nan, 1}); }) == errc::bad_data);

    bandit clicks(2, kl_ucb{});
    CHECK(code([&] { clicks.learn(0, nan); }) == errc::nan_or_inf);
    CHECK(code([&] { clicks.learn(0, 1.5); }) == errc::bad_data);
    CHECK(code([&] { clicks.learn(2, 1); }) == errc::unknown_id);
    CHECK(code([&] { (void)clicks.mean(2); }) == errc::unknown_id);
    CHECK(code([&] { (void)clicks.score(2); }) == errc::unknown_id);
    CHECK(clicks.rewards() == std::vector<std::uint64_t>{0, 0});
    bandit amounts(1, thompson_gaussian{});
    amounts.learn(0, huge);
    CHECK(code([&] { amounts.learn(0, huge); }) == errc::diverged);
    CHECK(amounts.rewards()[0] == 1);
}

}  // namespace bandit_test
