#include <cmath>
#include <cstddef>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <caramel/policy/off_policy.hpp>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;
namespace off_policy_test {

using enum off_policy_method;

namespace {

matrix<double> rows(std::initializer_list<std::initializer_list<double>> values) {
    matrix<double> out(static_cast<row_index>(values.size()), static_cast<row_index>(values.begin()->size()));
    row_index i = 0;
    for (const auto& row : values) {
        row_index j = 0;
        for (const double x : row) out(i, j++) = x;
        ++i;
    }
    return out;
}

const std::vector<logged_choice> eight{{0, 0, 1, .5}, {0, 1, 0, .3}, {0, 2, 1, .2}, {1, 0, 0, .5}, {1, 1, 1, .3}, {1, 2, 0, .2}, {0, 0, 0, .5}, {1, 1, 1, .3}};
const matrix<double> target = rows({{.1, .2, .7}, {.2, .7, .1}}), model = rows({{.5, .2, .8}, {.1, .9, .3}});

off_policy_estimate judged(const off_policy_log& log, off_policy_method method, std::optional<double> parameter = {}) {
    return evaluate_off_policy(log, {.method = method, .parameter = parameter});
}

// A log of a known process: three contexts, three actions, rewards 0 or 1.
struct world {
    matrix<double> logging = rows({{.6, .3, .1}, {.2, .2, .6}, {.3, .4, .3}}), wanted = rows({{.1, .2, .7}, {.5, .3, .2}, {.2, .2, .6}}),
                   chance = rows({{.2, .5, .7}, {.6, .1, .3}, {.4, .4, .8}});
    [[nodiscard]] double truth(const matrix<double>& policy) const { return policy.cwiseProduct(chance).sum() / 3; }
    [[nodiscard]] std::vector<logged_choice> draw(std::size_t n, rng& numbers) const {
        std::vector<logged_choice> out(n);
        for (auto& r : out) {
            r.context = numbers.below(3);
            const auto i = static_cast<row_index>(r.context);
            double u = numbers.uniform();
            while (u >= logging(i, static_cast<row_index>(r.action)) && r.action < 2) u -= logging(i, static_cast<row_index>(r.action++));
            r.propensity = logging(i, static_cast<row_index>(r.action));
            r.reward = numbers.uniform() < chance(i, static_cast<row_index>(r.action)) ? 1 : 0;
        }
        return out;
    }
};

}  // namespace

TEST_CASE("off_policy: eight decisions, as the Open Bandit Pipeline defines the estimators", "[off_policy]") {
    const off_policy_log log(eight, target, model);
    const auto near = [](double x) { return Approx(x).margin(1e-12).epsilon(0); };
    const auto ips_estimate = judged(log, ips);
    CHECK(ips_estimate.value == near(1.0458333333333334));
    CHECK(ips_estimate.standard_error == near(.5075985126061737));
    CHECK(judged(log, self_normalized_ips).value == near(.8256578947368421));
    CHECK(judged(log, direct).value == near(.665));
    CHECK(judged(log, doubly_robust).value == near(.7704166666666666));
    CHECK(judged(log, self_normalized_doubly_robust).value == near(.7482236842105263));
    CHECK(judged(log, clipped_ips, 2).value == near(.775));
    CHECK(judged(log, switch_doubly_robust, 2).value == near(.6245833333333333));
    CHECK(judged(log, shrunk_doubly_robust, 2).value == near(.6580196836127707));
    CHECK(judged(log, sub_gaussian_ips, .1).value == near(.8918797953964195));
    CHECK(log.effective_sample_size() == near(4.26548509184898));

    // Limits of parameters: the methods that they lead to.
    CHECK(judged(log, clipped_ips, 1e6).value == near(ips_estimate.value));
    CHECK(judged(log, sub_gaussian_ips, 0).value == near(ips_estimate.value));
    CHECK(judged(log, switch_doubly_robust, 0).value == near(.665));
    CHECK(judged(log, shrunk_doubly_robust, 0).value == near(.665));
    CHECK(judged(log, shrunk_doubly_robust, 1e15).value == near(.7704166666666666));
    CHECK(judged(log, sub_gaussian_doubly_robust, 0).value == near(.7704166666666666));
    CHECK(judged(log, sub_gaussian_doubly_robust, 1).value == Approx((.665 * 8 + 1 + 0 + 1 - .5 - .2 - .8 - .1 + .1 - .3 - .5 + .1) / 8));

    for (const auto method : {ips, self_normalized_ips, direct, doubly_robust, self_normalized_doubly_robust, clipped_ips, switch_doubly_robust,
                              shrunk_doubly_robust, sub_gaussian_ips, sub_gaussian_doubly_robust}) {
        const auto e = judged(log, method);
        CHECK(e.contributions.size() == 8);
        CHECK(detail::off_policy::mean(e.contributions) == near(e.value));
        CHECK((e.low < e.value && e.value < e.high && e.standard_error > 0));
    }
    const auto wide = evaluate_off_policy(log, {.method = ips, .level = .99}), narrow = evaluate_off_policy(log, {.method = ips, .level = .95});
    CHECK(narrow.high - narrow.value == Approx(1.959963984540054 * narrow.standard_error));
    CHECK(wide.high > narrow.high);
}

TEST_CASE("off_policy: the parameter of least error bound is taken", "[off_policy]") {
    const off_policy_log log(eight, target, model);
    // By hand: weights .2 2/3 3.5 .4 7/3 .5 .2 7/3 clipped at 1, rewards 1 0 1 0 1 0 0 1.
    const std::vector<double> w{.2, 2. / 3, 3.5, .4, 7. / 3, .5, .2, 7. / 3}, r{1, 0, 1, 0, 1, 0, 0, 1};
    double mean = 0, square = 0, bias = 0, second = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        const double x = std::min(w[i], 1.0) * r[i];
        mean += x / 8;
        square += x * x / 8;
        bias += (w[i] - std::min(w[i], 1.0)) * r[i] / 8;
        second += w[i] * w[i] / 8;
    }
    const double bound = bias + std::sqrt(2 * second * std::log(40.0) / 8) + 2 * 3.5 * std::log(40.0) / 24;
    CHECK(off_policy_error(log, clipped_ips, 1) == Approx((square - mean * mean) / 8 + bound * bound).epsilon(1e-12));
    for (const auto method : {clipped_ips, switch_doubly_robust, shrunk_doubly_robust, sub_gaussian_ips, sub_gaussian_doubly_robust}) {
        const auto tried = off_policy_parameters(log, method);
        const double used = judged(log, method).parameter;
        REQUIRE(std::ranges::find(tried, used) != tried.end());
        for (const double p : tried) CHECK(off_policy_error(log, method, used) <= off_policy_error(log, method, p));
    }
    CHECK(off_policy_parameters(log, ips).empty());
}

TEST_CASE("off_policy: estimates of a known process, and how often intervals and bounds hold", "[off_policy]") {
    const world w;
    const double truth = w.truth(w.wanted);
    int covered = 0, covered_normalized = 0, above = 0;
    constexpr int repeats = 400;
    double mean = 0, deepest = 0;
    for (int k = 0; k < repeats; ++k) {
        rng numbers = rng(5).split(static_cast<std::uint64_t>(k));
        const auto records = w.draw(1000, numbers);
        const off_policy_log log(records, w.wanted, reward_means(records, 3, 3));
        const auto dr = judged(log, doubly_robust), sn = judged(log, self_normalized_ips);
        mean += dr.value / repeats;
        covered += dr.low <= truth && truth <= dr.high ? 1 : 0;
        covered_normalized += sn.low <= truth && truth <= sn.high ? 1 : 0;
        const double bound = off_policy_lower_bound(log, {});
        above += bound > truth ? 1 : 0;
        deepest = std::max(deepest, truth - bound);
    }
    CHECK(std::abs(mean - truth) < .005);
    // 380 of 400 with a deviation of 4.4.
    CHECK((covered >= 363 && covered <= 396));
    CHECK((covered_normalized >= 363 && covered_normalized <= 396));
    CHECK(above == 0);  // the bound is wide, but not empty
    CHECK(deepest < truth);
}

TEST_CASE("off_policy: bootstrap", "[off_policy]") {
    const world w;
    rng numbers(3);
    const auto records = w.draw(2000, numbers);
    const off_policy_log log(records, w.wanted, w.chance);
    for (const auto method : {self_normalized_ips, doubly_robust}) {
        const auto normal = judged(log, method);
        const off_policy_options how{.method = method, .limits = estimate_limits::bootstrap, .resamples = 400, .seed = 9};
        const auto drawn = evaluate_off_policy(log, how), again = evaluate_off_policy(log, how, {.threads = 3});
        CHECK(drawn.value == normal.value);
        CHECK((drawn.low == again.low && drawn.high == again.high && drawn.standard_error == again.standard_error));
        CHECK(drawn.standard_error == Approx(normal.standard_error).epsilon(.12));
        CHECK(drawn.low == Approx(normal.low).margin(.4 * normal.standard_error));
        CHECK(drawn.high == Approx(normal.high).margin(.4 * normal.standard_error));
    }
    CHECK(evaluate_off_policy(log, {.limits = estimate_limits::bootstrap, .seed = 1}).low !=
          evaluate_off_policy(log, {.limits = estimate_limits::bootstrap, .seed = 2}).low);
}

TEST_CASE("off_policy: the lower bound, by its formula", "[off_policy]") {
    const off_policy_log log(eight, target);
    // Clipped at 2 the products are .2 0 2 0 2 0 0 2.
    const double mean = 6.2 / 8, variance = (.04 + 12) / 8 - mean * mean, l = std::log(2 / .5);
    const double bound = mean - std::sqrt(2 * l * variance / 7) - 7 * 2 * l / (3 * 7);
    CHECK(bound < 0);  // nothing is known of eight records
    CHECK(off_policy_lower_bound(log, {}, .5, 2) == 0);
    std::vector<logged_choice> many;
    for (int k = 0; k < 1000; ++k) many.insert(many.end(), eight.begin(), eight.end());
    const double n = 8000, l2 = std::log(2 / .05);
    const double expected = mean - std::sqrt(2 * l2 * variance / (n - 1)) - 7 * 2 * l2 / (3 * (n - 1));
    CHECK(off_policy_lower_bound(off_policy_log(many, target), {}, .95, 2) == Approx(expected).epsilon(1e-12));
    // Rewards in another unit: the bound moves with them.
    for (auto& r : many) r.reward = 10 * r.reward - 3;
    CHECK(off_policy_lower_bound(off_policy_log(many, target), {-3, 7}, .95, 2) == Approx(10 * expected - 3).epsilon(1e-12));
    CHECK_THROWS_AS(off_policy_lower_bound(log, {}, .95), error);  // too few to choose the clip on
    CHECK(error_of([&] { (void)off_policy_lower_bound(log, {0, .5}, .95, 2); }).where() == place{.row = 1, .column = 3});
}

TEST_CASE("off_policy: reward means", "[off_policy]") {
    const auto means = reward_means(eight, 2, 3, 1e-12);
    CHECK(means(0, 0) == Approx(.5));
    CHECK(means(1, 1) == Approx(1));
    CHECK(reward_means(eight, 3, 3, 1e-12)(2, 0) == Approx(1. / 3));  // no such context: as the action elsewhere
    CHECK(reward_means(eight, 3, 4, 1e-12)(0, 3) == Approx(.5));      // never taken: as the log
    CHECK(reward_means(eight, 2, 3, 2)(0, 1) == Approx((0 + 2 * (2 + 2 * .5) / (3 + 2)) / (1 + 2)));
}

TEST_CASE("off_policy: bad input", "[off_policy][error]") {
    const auto code = [](std::vector<logged_choice> records, const matrix<double>& policy, const matrix<double>& q, errc expected, place where) {
        const error e = error_of([&] { off_policy_log(records, policy, q); });
        CHECK(e.code() == expected);
        CHECK(e.where() == where);
    };
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    const auto with = [](auto change) {
        auto out = eight;
        change(out[4]);
        return out;
    };
    code({}, target, model, errc::empty_input, {});
    code({eight[0]}, target, model, errc::too_few_rows, {});
    code(eight, target, rows({{1, 2, 3}}), errc::shape_mismatch, {});
    code(with([](auto& r) { r.context = 2; }), target, model, errc::unknown_id, {.row = 5, .column = 1});
    code(with([](auto& r) { r.action = 3; }), target, model, errc::unknown_id, {.row = 5, .column = 2});
    code(with([](auto& r) { r.reward = inf; }), target, model, errc::nan_or_inf, {.row = 5, .column = 3});
    code(with([](auto& r) { r.propensity = nan; }), target, model, errc::nan_or_inf, {.row = 5, .column = 4});
    for (const double p : {0.0, -.1, 1.1}) code(with([p](auto& r) { r.propensity = p; }), target, model, errc::bad_data, {.row = 5, .column = 4});
    code(eight, rows({{.1, .2, .7}, {.2, .7, .2}}), model, errc::bad_data, {.row = 2});
    code(eight, rows({{.1, .2, .7}, {-.2, 1, .2}}), model, errc::bad_data, {.row = 2, .column = 1});
    code(eight, rows({{.1, .2, .7}, {.2, .7, nan}}), model, errc::nan_or_inf, {.row = 2, .column = 3});
    code(eight, target, rows({{1, 2, 3}, {1, inf, 3}}), errc::nan_or_inf, {.row = 2, .column = 2});

    const off_policy_log plain(eight, target);
    CHECK_THROWS_WITH(judged(plain, doubly_robust), "evaluate_off_policy: the method needs a reward model");
    CHECK_THROWS_AS(judged(plain, clipped_ips, -1), error);
    CHECK_THROWS_AS(judged(plain, sub_gaussian_ips, 1.5), error);
    CHECK_THROWS_AS(evaluate_off_policy(plain, {.level = 1}), error);
    CHECK_THROWS_AS(evaluate_off_policy(plain, {.limits = estimate_limits::bootstrap, .resamples = 1}), error);
    // The policy does what the log never did.
    const std::vector<logged_choice> one_action{{0, 0, 1, 1}, {0, 0, 1, 1}};
    const off_policy_log apart(one_action, rows({{0, 1}}));
    CHECK(error_of([&] { (void)judged(apart, self_normalized_ips); }).code() == errc::bad_data);
    CHECK(judged(apart, ips).value == 0);
    CHECK(judged(apart, ips).effective_sample_size == 0);
}

namespace {

// What the estimators are, written out once more, with everything a record at a time.
double twin(off_policy_method method, double p, const std::vector<logged_choice>& log, const matrix<double>& pi, const matrix<double>& q) {
    std::map<std::string, long double> sums;
    for (const auto& r : log) {
        const auto i = static_cast<row_index>(r.context), a = static_cast<row_index>(r.action);
        long double d = 0;
        for (row_index b = 0; b < pi.cols(); ++b) d += static_cast<long double>(pi(i, b)) * q(i, b);
        const long double w = pi(i, a) / static_cast<long double>(r.propensity), rest = r.reward - static_cast<long double>(q(i, a));
        sums["w"] += w;
        sums["wr"] += w * r.reward;
        sums["d"] += d;
        sums["wrest"] += w * rest;
        sums["clip"] += (w < p ? w : p) * r.reward;
        sums["switch"] += d + (w > p ? 0 : w * rest);
        sums["shrunk"] += d + p * w / (w * w + p) * rest;
        sums["subips"] += w / ((1 - p) + p * w) * r.reward;
        sums["subdr"] += d + w / ((1 - p) + p * w) * rest;
    }
    const auto n = static_cast<long double>(log.size());
    const auto out = [&](long double x) { return static_cast<double>(x); };
    switch (method) {
        case ips: return out(sums["wr"] / n);
        case self_normalized_ips: return out(sums["wr"] / sums["w"]);
        case direct: return out(sums["d"] / n);
        case doubly_robust: return out((sums["d"] + sums["wrest"]) / n);
        case self_normalized_doubly_robust: return out(sums["d"] / n + sums["wrest"] / sums["w"]);
        case clipped_ips: return out(sums["clip"] / n);
        case switch_doubly_robust: return out(sums["switch"] / n);
        case shrunk_doubly_robust: return out(sums["shrunk"] / n);
        case sub_gaussian_ips: return out(sums["subips"] / n);
        default: return out(sums["subdr"] / n);
    }
}

struct bandit_file {
    std::vector<logged_choice> records;  // contexts are the three positions
    std::size_t actions = 0;
};
bandit_file read_bandit(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::string line, cell;
    std::getline(in, line);
    bandit_file out;
    while (std::getline(in, line)) {
        std::istringstream cells(line);
        std::vector<std::string> row(5);
        for (auto& c : row) std::getline(cells, c, ',');
        out.records.push_back({std::stoul(row[2]) - 1, std::stoul(row[1]), std::stod(row[3]), std::stod(row[4])});
        out.actions = std::max(out.actions, out.records.back().action + 1);
    }
    return out;
}

}  // namespace

TEST_CASE("off_policy: Open Bandit data, men and women", "[off_policy][shared]") {
    SHARED_OR_SKIP(folder, "data/open_bandit");
    const std::map<std::string, std::pair<double, double>> rates{{"men", {.0069, .0046}}, {"women", {.0046, .0046}}};
    for (const auto& [campaign, rate] : rates) {
        const auto logged = read_bandit(folder / ("random_" + campaign + ".csv")), sampled = read_bandit(folder / ("bts_" + campaign + ".csv"));
        REQUIRE(logged.records.size() == 10'000);
        double clicks = 0, bts_clicks = 0;
        for (const auto& r : logged.records) clicks += r.reward / 10'000;
        for (const auto& r : sampled.records) bts_clicks += r.reward / 10'000;
        CHECK(clicks == Approx(rate.second));
        CHECK(bts_clicks == Approx(rate.first));
        // The policy to judge: what Thompson sampling showed at each position, a share of each item.
        const std::size_t actions = std::max(logged.actions, sampled.actions);
        CHECK(actions == (campaign == "men" ? 34 : 46));
        matrix<double> policy = matrix<double>::Constant(3, static_cast<row_index>(actions), .1);
        for (const auto& r : sampled.records) policy(static_cast<row_index>(r.context), static_cast<row_index>(r.action)) += 1;
        for (row_index i = 0; i < 3; ++i) policy.row(i) /= policy.row(i).sum();
        const auto q = reward_means(logged.records, 3, actions, 20);
        const off_policy_log log(logged.records, policy, q);
        for (const auto& [method, parameter] : {std::pair(ips, 0.0),
                                                {self_normalized_ips, 0.0},
                                                {direct, 0.0},
                                                {doubly_robust, 0.0},
                                                {self_normalized_doubly_robust, 0.0},
                                                {clipped_ips, 1.5},
                                                {switch_doubly_robust, 1.5},
                                                {shrunk_doubly_robust, 5.0},
                                                {sub_gaussian_ips, .05},
                                                {sub_gaussian_doubly_robust, .05}}) {
            const auto e = judged(log, method, parameter);
            CHECK(std::abs(e.value - twin(method, parameter, logged.records, policy, q)) < 1e-12);
            CHECK(std::abs(e.value - bts_clicks) < 4 * (e.standard_error + std::sqrt(bts_clicks / 10'000)));  // measured on its own traffic
        }
    }
}

}  // namespace off_policy_test
