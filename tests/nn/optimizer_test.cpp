#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <caramel/nn/optimizer.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

template <class T>
void step(optimizer<T>& o, std::vector<T>& values, const std::vector<T>& gradient, bool regularized = true) {
    o.step([&](const auto& f) { f(parameter_block<T>{.values = values, .gradient = gradient, .regularized = regularized}); });
}

}  // namespace

TEST_CASE("optimizer: two steps of Adam by hand", "[optimizer]") {
    optimizer<double> o({.learning_rate = 0.1});
    std::vector<double> w{1, -2};
    step(o, w, {0.5, -3.0});
    // m = .1 g, v = .001 g^2; without bias m / .1 = g, v / .001 = g^2: each step is the rate in the gradient's direction.
    CHECK(w[0] == Approx(1 - 0.1 * 0.5 / (0.5 + 1e-8)).epsilon(1e-14));
    CHECK(w[1] == Approx(-2 + 0.1 * 3.0 / (3.0 + 1e-8)).epsilon(1e-14));
    const double before = w[0];
    step(o, w, {-0.25, 1.0});
    const double m = 0.9 * 0.05 + 0.1 * -0.25, v = 0.999 * 0.00025 + 0.001 * 0.0625;
    const double expected = before - 0.1 * (m / (1 - 0.81)) / (std::sqrt(v / (1 - 0.998001)) + 1e-8);
    CHECK(w[0] == Approx(expected).epsilon(1e-12));
    CHECK(o.steps() == 2);
}

TEST_CASE("optimizer: gradient descent with momentum by hand", "[optimizer]") {
    optimizer<double> o({.rule = update_rule::sgd, .learning_rate = 0.1, .momentum = 0.5});
    std::vector<double> w{1};
    step(o, w, {2.0});
    CHECK(w[0] == Approx(0.8));
    step(o, w, {1.0});  // velocity .5 * 2 + 1
    CHECK(w[0] == Approx(0.6));
}

TEST_CASE("optimizer: the L2 penalty, on what is regularized", "[optimizer]") {
    optimizer<double> o({.rule = update_rule::sgd, .learning_rate = 0.1, .momentum = 0, .l2 = 0.5});
    std::vector<double> w{4}, b{4};
    step(o, w, {1.0});
    CHECK(w[0] == Approx(4 - 0.1 * (1 + 0.5 * 4)));
    optimizer<double> p({.rule = update_rule::sgd, .learning_rate = 0.1, .momentum = 0, .l2 = 0.5});
    step(p, b, {1.0}, false);
    CHECK(b[0] == Approx(3.9));
    // AdamW shrinks the weight beside its step.
    optimizer<double> q({.rule = update_rule::adamw, .learning_rate = 0.1, .l2 = 0.5});
    std::vector<double> u{4};
    step(q, u, {1.0});
    CHECK(u[0] == Approx(4 * (1 - 0.05) - 0.1).epsilon(1e-7));
}

TEST_CASE("optimizer: a long gradient is shortened, a short one is not", "[optimizer]") {
    optimizer<double> o({.rule = update_rule::sgd, .learning_rate = 1, .momentum = 0, .max_gradient_norm = 1});
    std::vector<double> a{0}, b{0};
    const std::vector<double> three{3}, four{4};
    o.step([&](const auto& f) {  // the norm is of all pieces together
        f(parameter_block<double>{.values = a, .gradient = three});
        f(parameter_block<double>{.values = b, .gradient = four});
    });
    CHECK(a[0] == Approx(-0.6));
    CHECK(b[0] == Approx(-0.8));
    std::vector<double> c{0};
    optimizer<double> p({.rule = update_rule::sgd, .learning_rate = 1, .momentum = 0, .max_gradient_norm = 1});
    step(p, c, {0.5});
    CHECK(c[0] == -0.5);
}

TEMPLATE_TEST_CASE("optimizer: of a table only the rows with a gradient change", "[optimizer]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    for (const update_rule rule : {update_rule::adam, update_rule::adamw, update_rule::sgd}) {
        const optimizer_options options{.rule = rule, .learning_rate = 0.1, .l2 = 0.5};
        optimizer<T> sparse(options), dense_one(options);
        std::vector<T> table{1, 2, 3, 4, 5, 6}, same{5, 6, 1, 2};
        const std::vector<std::size_t> rows{2, 0};
        for (int i = 0; i < 3; ++i) {
            const std::vector<T> gradient{1, -1, 2, T(0.5)};
            sparse.step([&](const auto& f) { f(parameter_block<T>{.values = table, .gradient = gradient, .sparse = true, .rows = rows, .width = 2}); });
            dense_one.step([&](const auto& f) { f(parameter_block<T>{.values = same, .gradient = gradient}); });
        }
        CHECK(table == std::vector<T>{same[2], same[3], 3, 4, same[0], same[1]});
    }
}

TEST_CASE("optimizer: Nesterov's momentum by hand", "[optimizer]") {
    optimizer<double> o({.rule = update_rule::sgd, .learning_rate = 0.1, .momentum = 0.5, .nesterov = true});
    std::vector<double> w{1};
    step(o, w, {2.0});  // velocity 2: a step of 2 + .5 * 2
    CHECK(w[0] == Approx(0.7));
    step(o, w, {1.0});  // velocity 2: a step of 1 + .5 * 2
    CHECK(w[0] == Approx(0.5));
}

TEST_CASE("optimizer: on a bowl each rule follows its closed form to the bottom", "[optimizer]") {
    // The gradient of (w - 3)^2 / 2; gradient descent without momentum shrinks the distance by (1 - rate) a step.
    optimizer<double> plain({.rule = update_rule::sgd, .learning_rate = 0.1, .momentum = 0});
    std::vector<double> w{0};
    for (int i = 0; i < 20; ++i) step(plain, w, {w[0] - 3});
    CHECK(w[0] == Approx(3 - 3 * std::pow(0.9, 20)).epsilon(1e-12));
    for (const update_rule rule : {update_rule::adam, update_rule::adamw, update_rule::sgd}) {
        optimizer<double> o({.rule = rule, .learning_rate = 0.05, .schedule = {.shape = rate_shape::cosine}}, 2000);
        std::vector<double> u{0};
        for (int i = 0; i < 2000; ++i) step(o, u, {u[0] - 3});
        CHECK(u[0] == Approx(3).epsilon(1e-4));
    }
    // With penalties: l2 ends at 3 / (1 + l2), l1 at 3 - l1, or exactly at 0.
    for (const update_rule rule : {update_rule::adam, update_rule::sgd}) {
        const auto end = [&](double l1, double l2, double at) {
            optimizer<double> o({.rule = rule, .learning_rate = 0.05, .l2 = l2, .l1 = l1, .schedule = {.shape = rate_shape::cosine}}, 3000);
            std::vector<double> u{1};
            for (int i = 0; i < 3000; ++i) step(o, u, {u[0] - at});
            return u[0];
        };
        CHECK(end(0, 0.5, 3) == Approx(2).epsilon(1e-3));
        CHECK(end(1, 0, 3) == Approx(2).epsilon(1e-3));
        CHECK(end(1, 0, -3) == Approx(-2).epsilon(1e-3));
        CHECK(end(1, 0, 0.7) == 0);
        CHECK(end(1, 0, -0.7) == 0);
    }
}

TEST_CASE("optimizer: the L1 penalty by hand, on what is regularized", "[optimizer]") {
    const optimizer_options options{.rule = update_rule::sgd, .learning_rate = 0.1, .momentum = 0, .l1 = 2};
    optimizer<double> o(options), p(options);
    std::vector<double> w{4, -4, 0.1, -0.1}, b{4};
    step(o, w, {1.0, 1.0, 0.0, 0.0});
    CHECK(w[0] == Approx(4 - 0.1 - 0.2));
    CHECK(w[1] == Approx(-4 - 0.1 + 0.2));
    CHECK(w[2] == 0);
    CHECK(w[3] == 0);
    step(p, b, {1.0}, false);
    CHECK(b[0] == Approx(3.9));
    optimizer<double> a({.learning_rate = 0.1, .l1 = 2});  // Adam's rate for a gradient of 5 is .1 / 5
    std::vector<double> u{4};
    step(a, u, {5.0});
    CHECK(u[0] == Approx(4 - 0.1 - 0.1 / 5 * 2).epsilon(1e-7));
}

TEST_CASE("optimizer: each number of a gradient is cut, before its norm is taken", "[optimizer]") {
    optimizer<double> o({.rule = update_rule::sgd, .learning_rate = 1, .momentum = 0, .max_gradient_value = 2});
    std::vector<double> w{0, 0, 0};
    step(o, w, {5.0, -7.0, 1.0});
    CHECK(w == std::vector<double>{-2, 2, -1});
    optimizer<double> both({.rule = update_rule::sgd, .learning_rate = 1, .momentum = 0, .max_gradient_norm = 1.5, .max_gradient_value = 2});
    std::vector<double> u{0, 0, 0};
    step(both, u, {5.0, -7.0, 1.0});  // cut to 2, -2, 1, of norm 3
    CHECK(u[0] == Approx(-1));
    CHECK(u[2] == Approx(-0.5));
    std::vector<double> hole{0};
    optimizer<double> p({.rule = update_rule::sgd, .learning_rate = 1, .max_gradient_value = 2});
    step(p, hole, {std::numeric_limits<double>::quiet_NaN()});
    CHECK(std::isnan(hole[0]));  // so that divergence is seen
}

TEST_CASE("optimizer: the rate follows the schedule", "[optimizer][schedule]") {
    const rate_schedule schedule{.shape = rate_shape::cosine, .warm_up = 0.2, .last = 0.1};
    for (const update_rule rule : {update_rule::adamw, update_rule::sgd}) {
        optimizer<double> o({.rule = rule, .learning_rate = 0.01, .momentum = 0, .schedule = schedule}, 10);
        std::vector<double> w{0};
        for (std::size_t n = 1; n <= 10; ++n) {
            const double before = w[0];
            step(o, w, {1.0});
            CHECK(before - w[0] == Approx(0.01 * schedule.at(n, 10)).epsilon(1e-6));
            CHECK(o.rate() == 0.01 * schedule.at(n, 10));
        }
    }
    CHECK(error_of([&] { optimizer<double> made({.schedule = schedule}); }).code() == errc::bad_parameter);
}

TEST_CASE("optimizer: lazy Adam beside dense Adam", "[optimizer]") {
    // A row with a gradient in steps 1 and 4 only. Dense Adam sees zeros in between: it goes on along the old average, which
    // fades. Lazy Adam stands still, and finds its averages as it left them.
    optimizer<double> lazy({.learning_rate = 0.1}), full({.learning_rate = 0.1});
    std::vector<double> table{1, 1}, same{1};
    const std::vector<std::size_t> first{0}, second{1};
    const auto at = [&](const std::vector<std::size_t>& rows) {
        const std::vector<double> g{1};
        lazy.step([&](const auto& f) { f(parameter_block<double>{.values = table, .gradient = g, .sparse = true, .rows = rows, .width = 1}); });
    };
    at(first);
    step(full, same, {1.0});
    CHECK(table[0] == same[0]);
    const double before = table[0];
    at(second);
    at(second);
    step(full, same, {0.0});
    step(full, same, {0.0});
    CHECK(table[0] == before);
    CHECK(same[0] < before);
    at(first);  // m = .9 * .1 + .1, v = .999 * .001 + .001, the bias that of step 4
    const double m = 0.19, v = 0.001999;
    CHECK(table[0] == Approx(before - 0.1 * (m / (1 - std::pow(0.9, 4))) / (std::sqrt(v / (1 - std::pow(0.999, 4))) + 1e-8)).epsilon(1e-12));
    // Without gaps they are the same.
    optimizer<double> l({.learning_rate = 0.1}), d({.learning_rate = 0.1});
    std::vector<double> a{1}, b{1};
    for (int i = 0; i < 5; ++i) {
        const std::vector<double> g{0.3 * i - 1};
        l.step([&](const auto& f) { f(parameter_block<double>{.values = a, .gradient = g, .sparse = true, .rows = first, .width = 1}); });
        step(d, b, g);
    }
    CHECK(a == b);
}

TEMPLATE_TEST_CASE("optimizer: a long run of values is updated as each alone", "[optimizer]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    for (const double l1 : {0.0, 0.01}) {
        const optimizer_options options{.learning_rate = 0.1, .l2 = 0.1, .l1 = l1};
        optimizer<T> whole(options);
        std::vector<T> w(1300), g(1300);
        for (std::size_t i = 0; i < w.size(); ++i) {
            w[i] = T(i % 17) - 8;
            g[i] = T(i % 23) / 7 - 1;
        }
        auto expected = w;
        for (std::size_t i = 0; i < w.size(); i += 97) {
            optimizer<T> one(options);
            std::vector<T> value{w[i]};
            for (int n = 0; n < 2; ++n) step(one, value, {g[i]});
            expected[i] = value[0];
        }
        for (int n = 0; n < 2; ++n) step(whole, w, g);
        for (std::size_t i = 0; i < w.size(); i += 97) CHECK(w[i] == Approx(expected[i]).epsilon(1e-6));
    }
    std::vector<T> squares;
    for (int i = 0; i < 37; ++i) squares.push_back(T(i) / 3);
    auto roots = squares;
    detail::square_roots(roots.data(), roots.size());
    for (std::size_t i = 0; i < roots.size(); ++i) CHECK(roots[i] == std::sqrt(squares[i]));
}

TEST_CASE("optimizer: options out of range are named", "[optimizer][error]") {
    const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    const auto refused = [](const optimizer_options& o, const std::string& name) {
        const error e = error_of([&] { optimizer<float> made(o); });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()).find(name) != std::string::npos);
    };
    for (const double bad : {0.0, -1.0, nan, inf}) refused({.learning_rate = bad}, "learning_rate");
    for (const double bad : {-0.1, 1.0, nan}) refused({.momentum = bad}, "momentum");
    for (const double bad : {-1.0, nan, inf}) refused({.l2 = bad}, "l2");
    for (const double bad : {-1.0, nan, inf}) refused({.max_gradient_norm = bad}, "max_gradient_norm");
    refused({.rule = static_cast<update_rule>(7)}, "update rule");
    for (const double bad : {-1.0, nan, inf}) refused({.l1 = bad}, "l1");
    for (const double bad : {-1.0, nan, inf}) refused({.max_gradient_value = bad}, "max_gradient_value");
    for (const double bad : {-0.1, 1.0, nan}) refused({.beta1 = bad}, "beta1");
    for (const double bad : {-0.1, 1.0, nan}) refused({.beta2 = bad}, "beta2");
    for (const double bad : {0.0, nan, inf}) refused({.epsilon = bad}, "epsilon");
}
