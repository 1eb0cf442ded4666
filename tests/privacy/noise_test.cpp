#include <caramel/privacy/noise.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;

// Statistical tests have fixed seeds. Limits are so wide that another seed would fail less than once in a million tests, mostly 5 standard errors.
namespace noise_test {

constexpr std::size_t n = 100000;

// The largest log-ratio of how often two sets of answers fall into a bin, less what chance explains (5 standard errors of each share): above
// epsilon where the mechanism is not epsilon-private. Tails are one bin each.
double shown_epsilon(const std::vector<double>& a, const std::vector<double>& b, double from, double to, std::size_t bins) {
    std::vector<std::size_t> in_a(bins), in_b(bins);
    const auto bin = [&](double x) {
        return static_cast<std::size_t>(std::clamp((x - from) / (to - from) * static_cast<double>(bins), 0.0, static_cast<double>(bins) - 1));
    };
    for (const double x : a) ++in_a[bin(x)];
    for (const double x : b) ++in_b[bin(x)];
    const auto low = [](std::size_t k, std::size_t of) {
        return std::max(1e-9, static_cast<double>(k) - 5 * std::sqrt(static_cast<double>(k) + 1)) / static_cast<double>(of);
    };
    const auto high = [](std::size_t k, std::size_t of) {
        return (static_cast<double>(k) + 5 * std::sqrt(static_cast<double>(k) + 1) + 12) / static_cast<double>(of);
    };
    double out = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < bins; ++i) {
        out = std::max(out, std::log(low(in_a[i], a.size()) / high(in_b[i], b.size())));
        out = std::max(out, std::log(low(in_b[i], b.size()) / high(in_a[i], a.size())));
    }
    return out;
}

template <class Mechanism, class X>
std::vector<double> answers(const Mechanism& mechanism, X value, std::uint64_t seed, std::size_t times = n) {
    rng g(seed);
    std::vector<double> out;
    for (std::size_t i = 0; i < times; ++i) out.push_back(static_cast<double>(mechanism(value, g)));
    return out;
}
double mean(const std::vector<double>& x) {
    double sum = 0;
    for (const double v : x) sum += v;
    return sum / static_cast<double>(x.size());
}
double variance(const std::vector<double>& x) {
    double sum = 0;
    const double m = mean(x);
    for (const double v : x) sum += (v - m) * (v - m);
    return sum / static_cast<double>(x.size());
}

TEST_CASE("noise: the geometric mechanism has its probabilities", "[privacy][noise]") {
    const struct {
        double epsilon, at_zero, variance;
    } rows[] = {{std::log(3.0), .5, 1.5}, {1, .46211715726000974, 1.8413471884155848}, {.1, .049958374957880004, 199.8334166336092}};
    std::uint64_t seed = 1;
    for (const auto& row : rows) {
        const auto x = answers(geometric_mechanism{.epsilon = row.epsilon}, std::int64_t{7}, ++seed);
        const double a = std::exp(-row.epsilon);
        for (int k = -4; k <= 4; ++k) {
            const double p = (1 - a) / (1 + a) * std::pow(a, std::abs(k));
            const double share = static_cast<double>(std::count(x.begin(), x.end(), 7.0 + k)) / n;
            CHECK(std::abs(share - p) < 5 * std::sqrt(p * (1 - p) / n));
        }
        CHECK(std::abs(mean(x) - 7) < 5 * std::sqrt(row.variance / n));
        CHECK(variance(x) == Approx(row.variance).epsilon(5 * std::sqrt(5.5 / n)));  // kurtosis below 6.5
    }
    // A sensitivity of 5 is an epsilon of a fifth.
    CHECK(answers(geometric_mechanism{.epsilon = .5, .sensitivity = 5}, std::int64_t{0}, 9, 100) ==
          answers(geometric_mechanism{.epsilon = .1}, std::int64_t{0}, 9, 100));
    // At the ends of 64 bits.
    rng g(4);
    constexpr auto most = std::numeric_limits<std::int64_t>::max(), least = std::numeric_limits<std::int64_t>::min();
    bool at_most = false, below = false;
    for (int i = 0; i < 50; ++i) {
        const std::int64_t high = geometric_mechanism{.epsilon = .01}(most, g), low = geometric_mechanism{.epsilon = .01}(least, g);
        CHECK((high > most - 5000 && low < least + 5000));
        at_most = at_most || high == most;
        below = below || high < most;
    }
    CHECK((at_most && below));
}

TEST_CASE("noise: Laplace and Gaussian have their deviations and tails", "[privacy][noise]") {
    const laplace_mechanism laplace{.epsilon = .5, .sensitivity = 3};
    CHECK(laplace.scale() == Approx(6).epsilon(1e-5));
    const auto x = answers(laplace, 100.0, 21);
    const double b = laplace.scale();
    CHECK(std::abs(mean(x) - 100) < 5 * b * std::sqrt(2.0 / n));
    CHECK(variance(x) == Approx(2 * b * b).epsilon(5 * std::sqrt(5.0 / n)));
    for (const double t : {.1, .5, 1.0, 2.0, 4.0}) {
        const double share = static_cast<double>(std::count_if(x.begin(), x.end(), [&](double v) { return v > 100 + t * b; })) / n, p = .5 * std::exp(-t);
        CHECK(std::abs(share - p) < 5 * std::sqrt(p * (1 - p) / n));
    }
    const gaussian_mechanism gaussian{.epsilon = 1, .delta = 1e-5, .sensitivity = 2};
    CHECK(gaussian.sigma() == Approx(2 * 3.73063163481594).epsilon(2e-5));
    CHECK(gaussian.sigma() > 2 * 3.73063163481594);
    const auto y = answers(gaussian, -50.0, 22);
    const double s = gaussian.sigma();
    CHECK(std::abs(mean(y) + 50) < 5 * s / std::sqrt(double{n}));
    CHECK(variance(y) == Approx(s * s).epsilon(5 * std::sqrt(2.0 / n)));
    for (const double t : {-1.5, 0.0, .5, 1.0, 2.0, 3.0}) {
        const double share = static_cast<double>(std::count_if(y.begin(), y.end(), [&](double v) { return v > -50 + t * s; })) / n,
                     p = .5 * std::erfc(t / std::sqrt(2.0));
        CHECK(std::abs(share - p) < 5 * std::sqrt(p * (1 - p) / n));
    }
    // Everything that comes out is on the grid, whatever went in.
    rng g(5);
    const double grid = b / (1 << 20);
    for (const double value : {0.1, 1.0 / 3, 1e-9, 123456.789}) {
        const double steps = laplace(value, g) / grid;
        CHECK(std::abs(steps - std::nearbyint(steps)) < 1e-6);
    }
    const auto several = gaussian(std::vector<double>{1, 2, 3}, g);
    CHECK(several.size() == 3);
    CHECK(several[0] - 1 != several[1] - 2);
    CHECK(gaussian(std::vector<double>{}, g).empty());
}

TEST_CASE("noise: on neighbouring inputs no answer is much likelier than epsilon allows", "[privacy][noise]") {
    for (const double epsilon : {.5, 1.0, 2.0}) {
        CAPTURE(epsilon);
        const laplace_mechanism laplace{.epsilon = epsilon};
        const auto x = answers(laplace, 0.0, 31), y = answers(laplace, 1.0, 32);
        CHECK(shown_epsilon(x, y, -3, 4, 28) <= epsilon);
        const geometric_mechanism geometric{.epsilon = epsilon};
        const auto k = answers(geometric, std::int64_t{0}, 33), l = answers(geometric, std::int64_t{1}, 34);
        CHECK(shown_epsilon(k, l, -4.5, 5.5, 10) <= epsilon);
        // The test sees noise that is a third too small.
        const laplace_mechanism weak{.epsilon = 1.5 * epsilon};
        CHECK(shown_epsilon(answers(weak, 0.0, 35), answers(weak, 1.0, 36), -3, 4, 28) > epsilon);
        const geometric_mechanism loose{.epsilon = 1.5 * epsilon};
        CHECK(shown_epsilon(answers(loose, std::int64_t{0}, 37), answers(loose, std::int64_t{1}, 38), -4.5, 5.5, 10) > epsilon);
    }
    // Gaussian: the share of answers beyond each bound minus e^epsilon times that of the neighbour is at most delta, and at the best bound it is
    // delta, here .126937 (epsilon 1, sigma 1 sensitivity).
    const gaussian_mechanism gaussian{.epsilon = 1, .delta = .126936737506644};
    const auto x = answers(gaussian, 1.0, 39), y = answers(gaussian, 0.0, 40);
    double most = 0;
    for (double bound = -1; bound < 4; bound += .125) {
        const auto beyond = [&](const std::vector<double>& v) {
            return static_cast<double>(std::count_if(v.begin(), v.end(), [&](double a) { return a > bound; })) / n;
        };
        most = std::max(most, beyond(x) - std::exp(1.0) * beyond(y));
    }
    const double error = 5 * std::sqrt((.25 + std::exp(2.0) * .25) / n);
    CHECK(most <= .12694 + error);
    CHECK(most >= .12694 - error);
}

TEST_CASE("noise: the low bits tell nothing of what went in", "[privacy][noise]") {
    // Laplace noise from a floating-point logarithm reaches other numbers from 0 than from 1 (Mironov 2012). Here both reach the same grid,
    // and each residue of its steps modulo 8 is equally likely from both.
    const laplace_mechanism laplace{.epsilon = 1};
    const double grid = laplace.scale() / (1 << 20);
    std::map<int, double> shares[2];
    for (const int value : {0, 1}) {
        for (const double x : answers(laplace, static_cast<double>(value), 50 + static_cast<std::uint64_t>(value))) {
            const double steps = std::nearbyint(x / grid);
            REQUIRE(x == steps * grid);
            shares[value][static_cast<int>(steps - 8 * std::floor(steps / 8))] += 1.0 / n;
        }
        REQUIRE(shares[value].size() == 8);
        for (const auto& [residue, share] : shares[value]) CHECK(std::abs(share - .125) < 5 * std::sqrt(.125 * .875 / n));
    }
}

TEST_CASE("noise: randomised response", "[privacy][noise]") {
    const randomised_response coin{.epsilon = std::log(3.0)};
    CHECK(coin.truth_probability() == Approx(.75).epsilon(1e-15));
    rng g(61);
    std::size_t truths = 0;
    for (std::size_t i = 0; i < n; ++i) truths += coin(1, g);
    CHECK(std::abs(static_cast<double>(truths) / n - .75) < 5 * std::sqrt(.75 * .25 / n));
    const randomised_response five{.epsilon = 1, .n_values = 5};
    std::vector<std::uint64_t> answered(5), asked{50000, 30000, 20000, 0, 0};
    for (std::uint64_t value = 0; value < 5; ++value)
        for (std::uint64_t i = 0; i < asked[value]; ++i) ++answered[five(value, g)];
    const auto estimate = five.estimate(answered);
    const double p = five.truth_probability(), q = (1 - p) / 4, most = std::sqrt(n * .25) / (p - q);
    double sum = 0;
    for (std::size_t v = 0; v < 5; ++v) {
        CHECK(std::abs(estimate[v] - static_cast<double>(asked[v])) < 5 * most);
        sum += estimate[v];
    }
    CHECK(sum == Approx(double{n}));
    // Neighbours: the answers to 0 and to 1.
    std::vector<double> a, b;
    for (std::size_t i = 0; i < n; ++i) a.push_back(static_cast<double>(five(0, g)));
    for (std::size_t i = 0; i < n; ++i) b.push_back(static_cast<double>(five(1, g)));
    const double shown = shown_epsilon(a, b, -.5, 4.5, 5);
    CHECK((shown <= 1 && shown > .85));
    CHECK(error_of([&] { (void)five(5, g); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)five.estimate({1, 2}); }).code() == errc::shape_mismatch);
}

TEST_CASE("noise: the secret generator is ChaCha20", "[privacy][noise]") {
    // The first two blocks of key 00 .. 00 01 and nonce 0, from counter 0: openssl enc -chacha20 -K 0..01 -iv 0..0 (OpenSSL 3.0).
    std::string key(32, '\0');
    key[31] = 1;
    secret_rng g(key);
    std::string stream;
    for (int i = 0; i < 16; ++i) {
        const std::uint64_t x = g();
        for (int byte = 0; byte < 8; ++byte) stream += static_cast<char>(x >> (8 * byte));
    }
    std::string hex;
    for (const char c : stream) {
        hex += "0123456789abcdef"[static_cast<unsigned char>(c) / 16];
        hex += "0123456789abcdef"[static_cast<unsigned char>(c) % 16];
    }
    CHECK(hex ==
          "4540f05a9f1fb296d7736e7b208e3c96eb4fe1834688d2604f450952ed432d41bbe2a0b6ea7566d2a5d1e7e20d42af2c53d792b1c43fea817e9ad275ae546963"
          "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0");
    CHECK(error_of([] { secret_rng{"short"}; }).code() == errc::bad_parameter);
    CHECK(error_of([] { secret_rng{std::string(32, '\0')}; }).code() == errc::bad_parameter);
    static_assert(RandomBits<secret_rng> && RandomBits<rng> && !RandomBits<int> && !std::is_copy_constructible_v<secret_rng>);
    CHECK(std::abs(laplace_mechanism{}(10, g) - 10) < 50);
    alignas(secret_rng) unsigned char memory[sizeof(secret_rng)];
    auto* gone = new (memory) secret_rng("a secret of exactly 32 bytes: x.");
    (void)(*gone)();
    std::destroy_at(gone);
    CHECK(std::string_view(reinterpret_cast<const char*>(memory), sizeof memory).find("secret") == std::string_view::npos);
    CHECK(std::count(std::begin(memory), std::end(memory), 0) >= 128);  // but for the place in the block
}

TEST_CASE("noise: parameters and values out of range", "[privacy][noise][error]") {
    const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
    rng g(1);
    const auto code = [](auto&& work) { return error_of(work).code(); };
    for (const double x : {-1.0, 0.0, nan, inf}) {
        CHECK(code([&] { (void)geometric_mechanism{.epsilon = x}(1, g); }) == errc::bad_parameter);
        CHECK(code([&] { (void)laplace_mechanism{.epsilon = x}(1, g); }) == errc::bad_parameter);
        CHECK(code([&] { (void)laplace_mechanism{.sensitivity = x}(1, g); }) == errc::bad_parameter);
        CHECK(code([&] { (void)gaussian_mechanism{.epsilon = x}(1, g); }) == errc::bad_parameter);
        CHECK(code([&] { (void)gaussian_mechanism{.delta = x}(1, g); }) == errc::bad_parameter);
        CHECK(code([&] { (void)gaussian_mechanism{.sensitivity = x}(1, g); }) == errc::bad_parameter);
        CHECK(code([&] { (void)randomised_response{.epsilon = x}(1, g); }) == errc::bad_parameter);
    }
    for (const double x : {nan, inf, -inf}) {
        CHECK(code([&] { (void)laplace_mechanism{}(x, g); }) == errc::nan_or_inf);
        CHECK(code([&] { (void)gaussian_mechanism{}(x, g); }) == errc::nan_or_inf);
    }
    CHECK(code([&] { (void)laplace_mechanism{}(1e12, g); }) == errc::number_out_of_range);
    CHECK(code([&] { (void)laplace_mechanism{}(1e300, g); }) == errc::number_out_of_range);
    CHECK(std::abs(laplace_mechanism{}(1e9, g) - 1e9) < 50);
    CHECK(code([&] { (void)geometric_mechanism{.sensitivity = 0}(1, g); }) == errc::bad_parameter);
    CHECK(code([&] { (void)randomised_response{.n_values = 1}(0, g); }) == errc::bad_parameter);
    CHECK(code([&] { (void)gaussian_mechanism{.epsilon = .001, .delta = 1e-9}.sigma(std::size_t{1} << 40); }) == errc::bad_parameter);
}

}  // namespace noise_test
