#include <caramel/privacy/accountant.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace accountant_test {

double epsilon_of(double q, double sigma, std::uint64_t steps, double delta, double* order = nullptr) {
    rdp_accountant account;
    account.add_gaussian(sigma, steps, q);
    const privacy_loss loss = account.epsilon(delta);
    if (order != nullptr) *order = loss.order;
    return loss.epsilon;
}

// log E[((1-q) + q exp((2x-1)/(2 s^2)))^order] by the trapezoid rule, which converges faster than any power of the step for such functions.
double moment_by_integration(double q, double sigma, double order) {
    const auto log_integrand = [&](double x) {
        const double a = std::log1p(-q), b = std::log(q) + (2 * x - 1) / (2 * sigma * sigma), most = std::max(a, b);
        const double log_mix = most + std::log(std::exp(a - most) + std::exp(b - most));
        return order * log_mix - x * x / (2 * sigma * sigma);
    };
    const double reach = 14 * sigma + order + 2, step = sigma / 200;
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (double x = -14 * sigma; x <= reach; x += step) largest = std::max(largest, log_integrand(x));
    for (double x = -14 * sigma; x <= reach; x += step) sum += std::exp(log_integrand(x) - largest);
    return largest + std::log(sum * step / (sigma * std::sqrt(2 * 3.14159265358979323846)));
}

TEST_CASE("accountant: the values of Opacus", "[privacy][accountant]") {
    const struct {
        double q, sigma;
        std::uint64_t steps;
        double delta, epsilon, order;
    } rows[] = {{.04, 1.5, 2250, 1e-5, 7.3291111714386545, 3.9},  {256.0 / 60000, 1.1, 14062, 1e-5, 2.5965558689607486, 8.1},
                {.01, 1, 1000, 1e-5, 2.1013652716430564, 7.8},    {.01, 4, 10000, 1e-5, 1.0354900660362476, 17},
                {1, 1, 1, 1e-5, 4.728507067217624, 5.4},          {1, 10, 100, 1e-6, 5.2215396311544175, 5.9},
                {.001, .8, 10000, 1e-6, 1.7036252805758572, 8.2}, {1, 5, 10, 1e-6, 3.131089774915035, 0}};
    for (const auto& row : rows) {
        double order = 0;
        CHECK(epsilon_of(row.q, row.sigma, row.steps, row.delta, &order) == Approx(row.epsilon).epsilon(1e-9));
        if (row.order > 0) CHECK(order == Approx(row.order));
    }
    // Per step at q .01, sigma 1.
    const std::vector<std::pair<double, double>> steps{
        {1.5, .00012725374351154145}, {2, .00017181342207453428}, {4, .00036315404891075525}, {8, .0008936439076060279}, {32, 11.246275937048072}};
    for (const auto& [order, rdp] : steps) CHECK(subsampled_gaussian_rdp(.01, 1, order) == Approx(rdp).epsilon(2e-9));
    CHECK(subsampled_gaussian_rdp(.01, 1, 1.5) == Approx(.000127253743327449834).epsilon(1e-11));  // mpmath's integral; Opacus stops its series at 1e-13
    CHECK(subsampled_gaussian_rdp(1, 2, 3) == 3 / 8.0);
    CHECK(subsampled_gaussian_rdp(0, 2, 3) == 0);
    // Opacus' own tests: noise for epsilon 8 at q .04, delta 1e-5; they stop within .01 of epsilon.
    CHECK(rdp_sigma(8, 1e-5, 2250, .04) == Approx(1.416).margin(2e-3));
    CHECK(rdp_sigma(8, 1e-5, 2000, .04) == Approx(1.3562).margin(2e-3));
    const double sigma = rdp_sigma(1, 1e-5, 100);
    CHECK((epsilon_of(1, sigma, 100, 1e-5) <= 1 && epsilon_of(1, sigma * (1 - 1e-5), 100, 1e-5) > 1));
}

TEST_CASE("accountant: the moments are those of the integral", "[privacy][accountant]") {
    rng numbers(11);
    for (int i = 0; i < 60; ++i) {
        const double q = i < 20 ? std::pow(10, -3 * numbers.uniform()) : numbers.uniform(), sigma = .6 + 3 * numbers.uniform();
        double order = 1.2 + 12 * numbers.uniform();
        if (i % 3 == 0) order = std::ceil(order);
        CAPTURE(q, sigma, order);
        const double expected = moment_by_integration(q, sigma, order);
        CHECK(subsampled_gaussian_rdp(q, sigma, order) * (order - 1) == Approx(expected).epsilon(1e-9).margin(1e-13));
    }
    // Between two integer orders it lies between, and rises with the order.
    double before = 0;
    for (double order = 1.5; order < 20; order += .5) {
        const double now = subsampled_gaussian_rdp(.02, 1.2, order);
        CHECK(now > before);
        before = now;
    }
    CHECK(subsampled_gaussian_rdp(.3, .05, 1000.5) < 1e6);  // no overflow
}

TEST_CASE("accountant: the analytic Gaussian", "[privacy][accountant]") {
    const double rows[][3] = {{.1, 1e-5, 30.7495661319774}, {.5, 1e-5, 7.03182667558249}, {1, 1e-5, 3.73063163481594},
                              {1, 1e-6, 4.22467888932684},  {1, 1e-9, 5.4952661572383},   {2, 1e-5, 1.99381244564354},
                              {4, 1e-6, 1.19351858715799},  {8, 1e-5, .600229072198952},  {10, 1e-6, .541086831818366}};
    for (const auto& row : rows) {
        const double sigma = gaussian_sigma(row[0], row[1]);
        CHECK(sigma == Approx(row[2]).epsilon(1e-9));
        CHECK(gaussian_delta(row[0], sigma) <= row[1]);
        CHECK(gaussian_epsilon(sigma, row[1]) == Approx(row[0]).epsilon(1e-9));
        CHECK(gaussian_sigma(row[0], row[1], 7) == Approx(7 * sigma).epsilon(1e-15));
    }
    CHECK(gaussian_delta(1, 1) == Approx(.126936737506644).epsilon(1e-12));
    CHECK(gaussian_delta(.5, 2) == Approx(.0524403232876697).epsilon(1e-12));
    CHECK(gaussian_sigma(.9, 1e-5) < std::sqrt(2 * std::log(1.25e5)) / .9);
    CHECK(gaussian_epsilon(1e6, 1e-5) == 0);
    CHECK(error_of([] { (void)gaussian_epsilon(.001, 1e-5); }).code() == errc::number_out_of_range);
    // Ten Gaussians of sigma 5: three bounds, and what is exact.
    const double exact = gaussian_epsilon(composed_sigma(std::vector<double>(10, 5.0)), 1e-6);
    CHECK(exact == Approx(2.921600590427046).epsilon(1e-9));
    CHECK(zcdp_epsilon(10 / 50.0, 1e-6) == Approx(3.52451627253822).epsilon(1e-12));
    CHECK((exact < epsilon_of(1, 5, 10, 1e-6) && epsilon_of(1, 5, 10, 1e-6) < zcdp_epsilon(.2, 1e-6)));
}

TEST_CASE("accountant: Laplace and pure answers, delta, other orders", "[privacy][accountant]") {
    // Of one Laplace answer never more than epsilon, and near it for large orders.
    rdp_accountant one({1024});
    one.add_laplace(2);
    CHECK(one.spent()[0] < .5);
    CHECK(one.spent()[0] > .495);
    rdp_accountant many, pure, twice;
    many.add_laplace(10, 100);
    pure.add_pure(.1, 100);
    twice.add_laplace(10, 60);
    twice.add_laplace(10, 40);
    const double epsilon = many.epsilon(1e-6).epsilon;
    CHECK((epsilon < 10 && epsilon <= pure.epsilon(1e-6).epsilon && pure.epsilon(1e-6).epsilon < 10));
    CHECK(twice.epsilon(1e-6).epsilon == Approx(epsilon).epsilon(1e-12));
    CHECK(many.delta(epsilon) == Approx(1e-6).epsilon(1e-9));
    // By hand at order 2: log(2/3 e^{1/b} + 1/3 e^{-2/b}).
    rdp_accountant two({2});
    two.add_laplace(.5);
    CHECK(two.spent()[0] == Approx(std::log(2 / 3.0 * std::exp(2) + std::exp(-4) / 3)).epsilon(1e-12));
    CHECK(rdp_accountant().epsilon(1e-5).epsilon == 0);
    CHECK(rdp_accountant().delta(1) == 0);
    CHECK(rdp_accountant().orders().size() == 151);
}

TEST_CASE("accountant: budgets refuse what is too much", "[privacy][accountant][error]") {
    privacy_budget budget(1, 1e-6);
    for (int i = 0; i < 10; ++i) budget.spend(.1, 1e-7);
    CHECK(budget.epsilon_left() == Approx(0).margin(1e-12));
    const error e = error_of([&] { budget.spend(.01); });
    CHECK(e.code() == errc::limit_exceeded);
    CHECK(std::string(e.what()).starts_with("privacy_budget: epsilon 0.01 wanted, "));
    privacy_budget rest(1, 1e-6);
    CHECK(error_of([&] { rest.spend(.5, 2e-6); }).code() == errc::limit_exceeded);
    CHECK((rest.epsilon_left() == 1 && rest.delta_left() == 1e-6));  // nothing was spent
    for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
        CHECK(error_of([&] { rest.spend(bad); }).code() == errc::bad_parameter);
        CHECK(error_of([&] { privacy_budget{bad}; }).code() == errc::bad_parameter);
    }
    rdp_budget many(2, 1e-6);
    std::size_t answers = 0;
    try {
        for (;; ++answers) many.spend_laplace(20);  // .05 each: 40 of them by basic composition
    } catch (const error& refused) {
        CHECK(refused.code() == errc::limit_exceeded);
    }
    CHECK(answers > 60);
    CHECK(many.epsilon_spent() <= 2);
    const auto before = many.account().spent();
    CHECK_THROWS_AS(many.spend_gaussian(.5), error);
    CHECK_THROWS_AS(many.spend_gaussian(-1), error);
    CHECK(many.account().spent() == before);
    rdp_budget pure(2, 1e-6);
    pure.spend_pure(.1, 3);
    pure.spend_gaussian(4, 100, .01);
    CHECK((pure.epsilon_spent() > 0 && pure.epsilon_spent() < 2));
}

TEST_CASE("accountant: parameters out of range", "[privacy][accountant][error]") {
    const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
    const auto bad = [](auto&& work) { return error_of(work).code() == errc::bad_parameter; };
    for (const double x : {-1.0, nan, 1.5, inf}) CHECK(bad([&] { (void)subsampled_gaussian_rdp(x, 1, 2); }));
    for (const double x : {-1.0, nan, 0.0, inf}) {
        CHECK(bad([&] { (void)subsampled_gaussian_rdp(.5, x, 2); }));
        CHECK(bad([&] { (void)gaussian_sigma(x, 1e-5); }));
        CHECK(bad([&] { (void)gaussian_sigma(1, x); }));
        CHECK(bad([&] { (void)gaussian_sigma(1, 1e-5, x); }));
        CHECK(bad([&] { (void)gaussian_delta(1, x); }));
        CHECK(bad([&] { (void)gaussian_epsilon(1, x); }));
        CHECK(bad([&] { (void)rdp_accountant().epsilon(x); }));
        CHECK(bad([&] { (void)rdp_accountant().delta(x); }));
        CHECK(bad([&] { rdp_accountant().add_laplace(x); }));
        CHECK(bad([&] { (void)rdp_sigma(x, 1e-5, 10); }));
        CHECK(bad([&] { (void)composed_sigma(std::vector<double>{1, x}); }));
        CHECK(bad([&] { rdp_budget(1, x); }));
    }
    for (const double x : {-1.0, nan, inf}) {
        CHECK(bad([&] { (void)gaussian_delta(x, 1); }));
        CHECK(bad([&] { (void)zcdp_epsilon(x, .1); }));
        CHECK(bad([&] { rdp_accountant().add_pure(x); }));
    }
    for (const double x : {1.0, nan, 1025.0}) {
        CHECK(bad([&] { (void)subsampled_gaussian_rdp(.5, 1, x); }));
        CHECK(bad([&] { rdp_accountant({2, x}); }));
    }
    CHECK(bad([] { rdp_accountant(std::vector<double>{}); }));
    CHECK(bad([] { (void)composed_sigma({}); }));
    CHECK(bad([] { (void)zcdp_epsilon(1, 1); }));
    CHECK(bad([] { (void)rdp_sigma(1e-9, 1e-9, 1000000); }));
}

}  // namespace accountant_test
