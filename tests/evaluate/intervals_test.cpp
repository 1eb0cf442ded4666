#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/compare.hpp>
#include <caramel/evaluate/intervals.hpp>

#include "support/catch.hpp"
#include "support/statistics.hpp"

using namespace caramel;

namespace intervals_test {

namespace {

struct judged_rows {
    std::vector<double> a, b;
    std::vector<int> y;
};
judged_rows random_rows(rng& random, std::size_t n, double distinct) {
    judged_rows out{std::vector<double>(n), std::vector<double>(n), std::vector<int>(n)};
    for (std::size_t i = 0; i < n; ++i) {
        out.y[i] = i < 4 ? static_cast<int>(i % 2) : static_cast<int>(random.below(3) == 0);
        const double z = random.normal() + out.y[i];
        out.a[i] = std::round(distinct * (z + 0.5 * random.normal()));
        out.b[i] = std::round(distinct * (z + random.normal()));
    }
    return out;
}

// The definition: over all pairs.
struct by_pairs {
    double auc = 0;
    std::vector<double> ones, zeros;
};
by_pairs all_pairs(const std::vector<double>& scores, const std::vector<int>& y) {
    by_pairs out;
    const auto wins = [](double one, double zero) { return one > zero ? 1.0 : one == zero ? 0.5 : 0.0; };
    double n1 = 0, n0 = 0;
    for (const int label : y) (label == 1 ? n1 : n0) += 1;
    for (std::size_t i = 0; i < y.size(); ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < y.size(); ++j)
            if (y[i] != y[j]) sum += y[i] == 1 ? wins(scores[i], scores[j]) : wins(scores[j], scores[i]);
        if (y[i] == 1) out.ones.push_back(sum / n0);
        else out.zeros.push_back(sum / n1);
    }
    for (const double v : out.ones) out.auc += v / n1;
    return out;
}
double covariance(const std::vector<double>& a, const std::vector<double>& b) {
    double ma = 0, mb = 0, sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) ma += a[i], mb += b[i];
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - ma / static_cast<double>(a.size())) * (b[i] - mb / static_cast<double>(a.size()));
    return sum / static_cast<double>(a.size() - 1) / static_cast<double>(a.size());
}

}  // namespace

TEST_CASE("auc_interval and delong_test: the definition over all pairs", "[intervals]") {
    rng random(1);
    for (int round = 0; round < 100; ++round) {
        const auto rows = random_rows(random, 8 + random.below(60), round % 2 == 0 ? 1.5 : 1000);
        const auto a = all_pairs(rows.a, rows.y), b = all_pairs(rows.b, rows.y);
        const double va = covariance(a.ones, a.ones) + covariance(a.zeros, a.zeros), vb = covariance(b.ones, b.ones) + covariance(b.zeros, b.zeros);
        const double both = covariance(a.ones, b.ones) + covariance(a.zeros, b.zeros);
        const auto found = auc_interval(rows.a, rows.y);
        CHECK(found.estimate == Approx(a.auc).epsilon(1e-12));
        CHECK(found.estimate == Approx(auc(rows.a, rows.y)).epsilon(1e-12));
        CHECK(found.standard_error == Approx(std::sqrt(va)).epsilon(1e-9).margin(1e-12));
        CHECK(found.low == Approx(std::max(0.0, a.auc - 1.959963984540054 * std::sqrt(va))).epsilon(1e-9).margin(1e-12));
        CHECK(found.high == Approx(std::min(1.0, a.auc + 1.959963984540054 * std::sqrt(va))).epsilon(1e-9));
        const double variance = va + vb - 2 * both;
        if (variance < 1e-12) continue;
        const auto test = delong_test(rows.a, rows.b, rows.y);
        CHECK(test.first == Approx(a.auc));
        CHECK(test.second == Approx(b.auc));
        CHECK(test.standard_error == Approx(std::sqrt(variance)).epsilon(1e-7));
        CHECK(test.z == Approx((a.auc - b.auc) / std::sqrt(variance)).epsilon(1e-7).margin(1e-9));
        CHECK(test.p_value == Approx(std::erfc(std::abs(test.z) / std::sqrt(2.0))).epsilon(1e-9));
    }
}
TEST_CASE("auc_interval: holds the truth as often as it says", "[intervals]") {
    rng random(2);
    const double truth = normal_cdf(1 / std::sqrt(2.0));  // of N(1, 1) above N(0, 1)
    int held = 0;
    for (int round = 0; round < 400; ++round) {
        std::vector<double> s(150);
        std::vector<int> y(150);
        for (std::size_t i = 0; i < 150; ++i) {
            y[i] = i % 3 == 0 ? 1 : 0;
            s[i] = random.normal() + y[i];
        }
        const auto found = auc_interval(s, y, 0.9);
        held += found.low <= truth && truth <= found.high ? 1 : 0;
    }
    CHECK(held > 340);  // 360 +- 6
    CHECK(held < 380);
}
TEST_CASE("delong_test: equal scorings, and what is wrong", "[intervals][error]") {
    const std::vector<double> s{.1, .4, .35, .8, .2}, cubed{.001, .064, .043, .512, .008};
    const std::vector<int> y{0, 0, 1, 1, 0};
    CHECK(delong_test(s, cubed, y).p_value == 1);
    CHECK(delong_test(s, cubed, y).difference == 0);
    CHECK(error_of([&] { (void)auc_interval(s, {0, 0, 0, 1, 0}); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)auc_interval(s, {0, 0, 0, 0, 0}); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)auc_interval(s, y, 1); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)delong_test(s, std::vector<double>{1}, y); }).code() == errc::shape_mismatch);
    const std::vector<double> right{0, 0, 1, 1, 0}, wrong{1, 1, 0, 0, 1};
    CHECK(error_of([&] { (void)delong_test(right, wrong, y); }).code() == errc::bad_data);
}
TEST_CASE("bootstrap_interval: the spread of a mean, in three ways, for any number of threads", "[intervals]") {
    rng random(3);
    std::vector<double> x(300), zeros(300);
    for (double& v : x) v = random.normal() * 2;
    const auto mean = [](const std::vector<double>& p, const std::vector<double>&) {
        double sum = 0;
        for (const double v : p) sum += v;
        return sum / static_cast<double>(p.size());
    };
    const double expected = detail::deviation_of(x) / std::sqrt(300);
    for (const auto kind : {bootstrap_kind::percentile, bootstrap_kind::basic, bootstrap_kind::bca}) {
        const auto found = bootstrap_interval(mean, x, zeros, {.resamples = 4000, .kind = kind, .seed = 5});
        CHECK(found.estimate == mean(x, zeros));
        CHECK(found.standard_error == Approx(expected).epsilon(0.06));
        CHECK(found.low == Approx(found.estimate - 1.96 * expected).margin(0.15 * expected));
        CHECK(found.high == Approx(found.estimate + 1.96 * expected).margin(0.15 * expected));
        for (const std::size_t threads : {2U, 5U})
            CHECK(bootstrap_interval(mean, x, zeros, {.resamples = 4000, .kind = kind, .seed = 5}, {.threads = threads}) == found);
    }
    CHECK(bootstrap_interval(mean, x, zeros, {.resamples = 50, .seed = 5}) != bootstrap_interval(mean, x, zeros, {.resamples = 50, .seed = 6}));
    // Basic mirrors percentile.
    const auto p = bootstrap_interval(mean, x, zeros, {.resamples = 200}),
               b = bootstrap_interval(mean, x, zeros, {.resamples = 200, .kind = bootstrap_kind::basic});
    CHECK(b.low == Approx(2 * p.estimate - p.high));
    CHECK(b.high == Approx(2 * p.estimate - p.low));
}
TEST_CASE("bootstrap_interval: BCa moves with the skew", "[intervals]") {
    // The mean of a skewed sample: the interval reaches further up than down, and further up than the percentile's.
    rng random(4);
    std::vector<double> x(60), zeros(60);
    for (double& v : x) v = -std::log(1 - random.uniform());
    const auto mean = [](const std::vector<double>& p, const std::vector<double>&) { return detail::mean_of(p); };
    const auto plain = bootstrap_interval(mean, x, zeros, {.resamples = 8000}),
               bca = bootstrap_interval(mean, x, zeros, {.resamples = 8000, .kind = bootstrap_kind::bca});
    CHECK(bca.low > plain.low);
    CHECK(bca.high > plain.high);
    CHECK(bca.high - bca.estimate > bca.estimate - bca.low);
}
TEST_CASE("bootstrap_interval: agrees with DeLong; strata; matrices; rare classes", "[intervals]") {
    rng random(5);
    const auto rows = random_rows(random, 400, 1000);
    const auto exact = auc_interval(rows.a, rows.y);
    for (const bool stratified : {false, true}) {
        const auto found = bootstrap_interval(by_auc{}, rows.a, rows.y, {.resamples = 1000, .stratified = stratified});
        CHECK(found.estimate == Approx(exact.estimate).epsilon(1e-12));
        CHECK(found.standard_error == Approx(exact.standard_error).epsilon(0.12));
        CHECK(found.low == Approx(exact.low).margin(0.01));
    }
    matrix<float> p(400, 2);
    for (row_index i = 0; i < 400; ++i) {
        const auto one = static_cast<float>(1 / (1 + std::exp(-rows.a[static_cast<std::size_t>(i)] / 1000)));
        p.row(i) << 1 - one, one;
    }
    const auto loss = bootstrap_interval(by_log_loss{}, p, rows.y, {.resamples = 100});
    CHECK(loss.low < loss.estimate);
    CHECK(loss.estimate < loss.high);
    // One positive of six: every third draw has none and is made anew.
    const std::vector<double> s{.1, .2, .3, .4, .5, .6};
    CHECK(bootstrap_interval(by_auc{}, s, std::vector{0, 0, 0, 0, 0, 1}, {.resamples = 100}).estimate == 1);
    // A difference of models on the same rows.
    const auto gap = bootstrap_difference(by_auc{}, rows.a, rows.b, rows.y, {.resamples = 1000});
    const auto delong = delong_test(rows.a, rows.b, rows.y);
    CHECK(gap.estimate == Approx(delong.difference).epsilon(1e-9));
    CHECK(gap.standard_error == Approx(delong.standard_error).epsilon(0.12));
}
TEST_CASE("bootstrap_interval: what is wrong is named", "[intervals][error]") {
    const std::vector<double> x{1, 2, 3};
    CHECK(error_of([&] { (void)bootstrap_interval(by_mae{}, x, std::vector<double>{1}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)bootstrap_interval(by_mae{}, x, x, {.resamples = 1}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)bootstrap_interval(by_mae{}, x, x, {.level = 0}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)bootstrap_interval(by_mae{}, x, x, {.stratified = true}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)bootstrap_interval(by_mae{}, std::vector<double>{}, std::vector<double>{}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)bootstrap_interval(by_auc{}, x, std::vector{1, 1, 1}); }).code() == errc::bad_data);
}
TEST_CASE("paired t tests: worked by hand", "[compare]") {
    const std::vector<double> a{.80, .82, .79, .85, .81}, b{.78, .81, .80, .82, .79};
    // Differences .02 .01 -.01 .03 .02: mean .014, deviation .0151658.
    const auto plain = paired_t_test(a, b);
    CHECK(plain.difference == Approx(.014));
    CHECK(plain.standard_error == Approx(std::sqrt(.00023 / 5)).epsilon(1e-9));
    CHECK(plain.statistic == Approx(2.0641873).epsilon(1e-6));
    CHECK(plain.degrees_of_freedom == 4);
    CHECK(plain.p_value == Approx(2 * student_t_cdf(-2.0641873, 4)).epsilon(1e-6));
    CHECK(plain.high - plain.low == Approx(2 * 2.7764451052 * plain.standard_error).epsilon(1e-9));
    const auto corrected = corrected_resampled_t_test(a, b, .25);
    CHECK(corrected.standard_error == Approx(std::sqrt(.00023 * (.2 + .25))).epsilon(1e-9));
    CHECK(corrected.p_value > plain.p_value);
    CHECK(paired_t_test(a, a).p_value == 1);
    CHECK(error_of([&] { (void)paired_t_test(a, std::vector<double>{1}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)paired_t_test(std::vector<double>{1}, std::vector<double>{1}); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)paired_t_test(std::vector<double>{1, 2}, std::vector<double>{0, 1}); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)paired_t_test(std::vector<double>{1, std::nan("")}, std::vector<double>{0, 1}); }).where().row == 2);
    CHECK(error_of([&] { (void)corrected_resampled_t_test(a, b, 0); }).code() == errc::bad_parameter);
}
TEST_CASE("wilcoxon_signed_rank_test: every choice of signs", "[compare]") {
    // The table's example: of ten pairs a sum of 8 has p = 50 / 1024.
    std::vector<double> a(10), zeros(10);
    for (std::size_t i = 0; i < 10; ++i) a[i] = static_cast<double>(i + 1) * (i + 1 == 3 || i + 1 == 5 ? 1 : -1);
    CHECK(wilcoxon_signed_rank_test(a, zeros).statistic == 8);
    CHECK(wilcoxon_signed_rank_test(a, zeros).p_value == 50. / 1024);
    rng random(6);
    for (int round = 0; round < 60; ++round) {
        const std::size_t n = 2 + random.below(10);
        std::vector<double> x(n), y(n, 0.0);
        for (double& v : x) v = static_cast<double>(random.below(7)) - 3;  // ties and zeros
        std::vector<double> ranks;
        double observed = 0;
        for (const double v : x) {
            if (v == 0) continue;
            double rank = 0.5;
            for (const double w : x)
                if (w != 0) rank += std::abs(w) < std::abs(v) ? 1 : std::abs(w) == std::abs(v) ? 0.5 : 0;
            ranks.push_back(rank);
            observed += v > 0 ? rank : 0;
        }
        double low = 0, high = 0;
        const std::size_t all = std::size_t{1} << ranks.size();
        for (std::size_t signs = 0; signs < all; ++signs) {
            double sum = 0;
            for (std::size_t i = 0; i < ranks.size(); ++i) sum += ((signs >> i) & 1) != 0 ? ranks[i] : 0;
            low += sum <= observed;
            high += sum >= observed;
        }
        const auto found = wilcoxon_signed_rank_test(x, y);
        CHECK(found.statistic == observed);
        CHECK(found.pairs == ranks.size());
        CHECK(found.p_value == Approx(std::min(1.0, 2 * std::min(low, high) / static_cast<double>(all))).epsilon(1e-12));
    }
    // The normal approximation joins on to the exact count.
    std::vector<double> fifty(50), more(51), none(51);
    for (std::size_t i = 0; i < 51; ++i) more[i] = static_cast<double>(i + 1) * (i % 3 == 0 ? -1 : 1);
    std::copy(more.begin(), more.begin() + 50, fifty.begin());
    const auto exact = wilcoxon_signed_rank_test(fifty, std::span(none).first(50)), normal = wilcoxon_signed_rank_test(more, none);
    CHECK(exact.exact);
    CHECK_FALSE(normal.exact);
    const auto approximate = [](double sum, double n) {
        return std::erfc((std::abs(sum - n * (n + 1) / 4) - 0.5) / std::sqrt(n * (n + 1) * (2 * n + 1) / 24) / std::sqrt(2.0));
    };
    CHECK(exact.p_value == Approx(approximate(exact.statistic, 50)).epsilon(0.05));
    CHECK(normal.p_value == Approx(approximate(normal.statistic, 51)).epsilon(1e-12));
    CHECK(wilcoxon_signed_rank_test(none, none).p_value == 1);
}
TEST_CASE("mcnemar_test: the binomial, summed by hand", "[compare]") {
    rng random(7);
    for (int round = 0; round < 40; ++round) {
        const std::size_t n = 1 + random.below(60);
        std::vector<int> a(n), b(n), y(n);
        for (std::size_t i = 0; i < n; ++i)
            a[i] = static_cast<int>(random.below(2)), b[i] = static_cast<int>(random.below(2)), y[i] = static_cast<int>(random.below(2));
        const auto found = mcnemar_test(a, b, y);
        std::size_t first = 0, second = 0;
        for (std::size_t i = 0; i < n; ++i) first += a[i] == y[i] && b[i] != y[i], second += a[i] != y[i] && b[i] == y[i];
        CHECK(found.only_first == first);
        CHECK(found.only_second == second);
        double term = std::pow(0.5, static_cast<double>(first + second)), sum = 0;
        for (std::size_t k = 0; k <= std::min(first, second); ++k) {
            sum += term;
            term *= static_cast<double>(first + second - k) / static_cast<double>(k + 1);
        }
        CHECK(found.p_value == Approx(std::min(1.0, 2 * sum)).epsilon(1e-10));
    }
    CHECK(mcnemar_test({1, 0}, {1, 0}, {1, 1}).p_value == 1);
    CHECK(error_of([] { (void)mcnemar_test({1}, {1, 0}, {1}); }).code() == errc::shape_mismatch);
    CHECK(error_of([] { (void)mcnemar_test({}, {}, {}); }).code() == errc::empty_input);
}

TEST_CASE("randomization_test: Fisher's example, and beside the t test", "[compare]") {
    // Darwin's 15 pairs of maize plants, as Fisher tested them (The Design of Experiments, 1935, section 21): of 32768 signs 863
    // have a sum of 314 or more.
    const std::vector<double> gaps{49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48}, zeros(15);
    const auto maize = randomization_test(gaps, zeros);
    CHECK(maize.exact);
    CHECK(maize.difference == Approx(314. / 15));
    CHECK(maize.p_value == 2 * 863. / 32768);
    auto with_equals = gaps, as_many = zeros;
    with_equals.insert(with_equals.end(), {7, 7, 7});
    as_many.insert(as_many.end(), {7, 7, 7});
    CHECK(randomization_test(with_equals, as_many).p_value == maize.p_value);
    CHECK(randomization_test(zeros, zeros).p_value == 1);

    rng random(8);
    for (const double shift : {0.0, 0.1, 0.2}) {
        std::vector<double> a(150), b(150);
        for (std::size_t i = 0; i < a.size(); ++i) {
            b[i] = random.normal();
            a[i] = b[i] + shift + random.normal();
        }
        const auto drawn = randomization_test(a, b, {.rounds = 4000});
        CHECK_FALSE(drawn.exact);
        CHECK(drawn.p_value == Approx(paired_t_test(a, b).p_value).margin(0.03));
        CHECK(randomization_test(b, a, {.rounds = 4000}).p_value == Approx(drawn.p_value).margin(0.03));
        CHECK(randomization_test(a, b, {.rounds = 4000}).p_value == drawn.p_value);
    }
    CHECK(error_of([&] { (void)randomization_test(gaps, std::span(zeros).first(3)); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)randomization_test(gaps, zeros, {.rounds = 0}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)randomization_test(std::span(gaps).first(1), std::span(zeros).first(1)); }).code() == errc::too_few_rows);
}

TEST_CASE("tests of differences: where there is none they say so as often as they promise", "[compare][statistics]") {
    // Of 1,500 pairs of series without a difference a test at level 5 % may call so many different that a fair coin of 5 % would
    // by chance once in a million times; exact tests may be too careful, but not by much where there is little that ties.
    rng random(21);
    constexpr int rounds = 1500;
    const double bound = rounds * .05 + one_in_a_million * std::sqrt(rounds * .05 * .95);
    const double least = rounds * .05 - one_in_a_million * std::sqrt(rounds * .05 * .95);
    int t = 0, signs = 0, drawn = 0, ranks = 0, many_ranks = 0, binomial = 0, areas = 0;
    std::vector<double> p_values;
    for (int round = 0; round < rounds; ++round) {
        std::vector<double> a(10), b(10), more_a(60), more_b(60);
        for (std::size_t i = 0; i < a.size(); ++i) a[i] = (b[i] = random.normal()) + random.normal();
        for (std::size_t i = 0; i < more_a.size(); ++i) more_a[i] = (more_b[i] = random.normal()) + random.normal();
        const double p = paired_t_test(a, b).p_value;
        p_values.push_back(p);
        t += p <= .05;
        signs += randomization_test(a, b).p_value <= .05;
        ranks += wilcoxon_signed_rank_test(a, b).p_value <= .05;
        many_ranks += wilcoxon_signed_rank_test(more_a, more_b).p_value <= .05;
        if (round < 500) drawn += randomization_test(more_a, more_b, {.rounds = 199, .seed = static_cast<std::uint64_t>(round)}).p_value <= .05;
        std::vector<int> y(60), first(60), second(60);
        std::vector<double> s1(60), s2(60);
        for (std::size_t i = 0; i < y.size(); ++i) {
            y[i] = static_cast<int>(i % 2);
            first[i] = random.below(4) == 0 ? 1 - y[i] : y[i];
            second[i] = random.below(4) == 0 ? 1 - y[i] : y[i];
            s1[i] = y[i] + random.normal();
            s2[i] = y[i] + random.normal();
        }
        binomial += mcnemar_test(first, second, y).p_value <= .05;
        areas += delong_test(s1, s2, y).p_value <= .05;
    }
    CHECK(kolmogorov(p_values) < kolmogorov_bound);  // of the t test they are even
    for (const int found : {t, signs, ranks, many_ranks, binomial}) CHECK(found < bound);
    CHECK(areas < 1.2 * bound);  // an approximation for large samples: here of 30 and 30 rows
    CHECK(drawn < 500 * .05 + one_in_a_million * std::sqrt(500 * .05 * .95));
    for (const int found : {t, signs, many_ranks, areas}) CHECK(found > least);
    for (const int found : {ranks, binomial}) CHECK(found > .5 * least);
    CHECK(drawn > 500 * .05 - one_in_a_million * std::sqrt(500 * .05 * .95));
}

TEST_CASE("bootstrap_interval: holds the truth about as often as it says", "[intervals][statistics]") {
    rng random(22);
    constexpr int rounds = 200;
    const auto mean = [](const std::vector<double>& p, const std::vector<double>& y) {
        double sum = 0;
        for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] - y[i];
        return sum / static_cast<double>(p.size());
    };
    for (const auto kind : {bootstrap_kind::percentile, bootstrap_kind::basic, bootstrap_kind::bca}) {
        int held = 0;
        for (int round = 0; round < rounds; ++round) {
            std::vector<double> x(60), zeros(60);
            for (double& v : x) v = -std::log(1 - random.uniform());  // skewed, of mean 1
            const auto found = bootstrap_interval(mean, x, zeros, {.resamples = 150, .level = .9, .kind = kind, .seed = static_cast<std::uint64_t>(round)});
            held += found.low <= 1 && 1 <= found.high;
        }
        // 90 % less what 60 skewed rows cost (3 % at most, Efron & Tibshirani 1993), with 4.75 deviations on either side.
        CHECK(held > rounds * .87 - one_in_a_million * std::sqrt(rounds * .87 * .13));
        CHECK(held < rounds * .91 + one_in_a_million * std::sqrt(rounds * .9 * .1));
    }
}

}  // namespace intervals_test
