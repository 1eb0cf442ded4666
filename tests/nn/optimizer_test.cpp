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

TEMPLATE_TEST_CASE("optimizer: of a table only the rows with a gradient change", "[optimizer]", float, double) {
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
}
