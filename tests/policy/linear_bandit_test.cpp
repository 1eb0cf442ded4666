#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <tuple>
#include <vector>

#include <Eigen/Cholesky>

#include <caramel/io/model_file.hpp>
#include <caramel/policy/linear_bandit.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace linear_bandit_test {

namespace {

std::vector<double> random_context(std::size_t dim, rng& numbers) {
    std::vector<double> x(dim, 1.0);
    for (std::size_t i = 1; i < dim; ++i) x[i] = numbers.normal();
    return x;
}
vec<double> as_vec(const std::vector<double>& x) { return Eigen::Map<const vec<double>>(x.data(), static_cast<row_index>(x.size())); }

// Contexts and rewards of one action, solved densely.
struct dense_twin {
    matrix<double> a;
    vec<double> b;
    dense_twin(row_index dim, double regularization) : a(regularization * matrix<double>::Identity(dim, dim)), b(vec<double>::Zero(dim)) {}
    void learn(const std::vector<double>& x, double reward) {
        a += as_vec(x) * as_vec(x).transpose();
        b += reward * as_vec(x);
    }
    [[nodiscard]] matrix<double> inverse() const { return a.llt().solve(matrix<double>::Identity(a.rows(), a.rows())); }
    [[nodiscard]] vec<double> theta() const { return a.llt().solve(b); }
};

template <class Rule>
matrix<double> inverse_of(const linear_bandit<Rule>& b, row_index action) {
    return b.inverses().middleRows(action * b.inverses().cols(), b.inverses().cols());
}

}  // namespace

TEST_CASE("linucb: the example of the oracles", "[linear_bandit]") {
    linear_bandit b(2, 2, linucb{});
    const std::vector<double> x{1, .5}, other{0, 1};
    b.learn(x, 0, 1);
    b.learn(other, 0, -.3);  // A = [[2, .5], [.5, 2.25]], b = (1, .2)
    CHECK(b.weights()(0, 0) == Approx(.50588235294117645).epsilon(1e-14));
    CHECK(b.weights()(0, 1) == Approx(-.023529411764705882).epsilon(1e-13));
    const auto e = b.estimate(x, 0);
    CHECK(e.mean == Approx(.4941176470588235).epsilon(1e-14));
    CHECK(e.mean + e.deviation == Approx(1.2217245221678223).epsilon(1e-14));
    const auto fresh = b.estimate(x, 1);
    CHECK(fresh.mean == 0);
    CHECK(fresh.deviation == Approx(std::sqrt(1.25)));
    rng numbers(1);
    CHECK(b.decide(numbers, x).action == 0);
    CHECK(b.decide(numbers, other).action == 1);
    CHECK(b.decide(numbers, std::array{1.f, .5f}) == choice{.action = 0, .propensity = 1, .value = e.mean});
}

TEST_CASE("linear_bandit: rank-one updates keep to the dense solution", "[linear_bandit]") {
    for (const std::size_t dim : std::vector<std::size_t>{1, 3, 8, 13, 32}) {
        const auto d = static_cast<row_index>(dim);
        linear_bandit updated(2, dim, linucb{.regularization = .5, .refresh_every = 1'000'000}),
            refreshed(2, dim, linucb{.regularization = .5, .refresh_every = 64});
        dense_twin twin(d, .5);
        rng numbers(dim);
        for (int i = 0; i < 600; ++i) {
            const auto x = random_context(dim, numbers);
            const double reward = 3 * x[0] - x[dim - 1] + numbers.normal();
            updated.learn(x, 1, reward);
            refreshed.learn(x, 1, reward);
            twin.learn(x, reward);
        }
        const matrix<double> inverse = twin.inverse();
        const vec<double> theta = twin.theta();
        for (const auto* b : {&updated, &refreshed}) {
            CHECK((inverse_of(*b, 1) - inverse).cwiseAbs().maxCoeff() < 1e-10);
            CHECK((b->weights().row(1).transpose() - theta).cwiseAbs().maxCoeff() < 1e-10);
            CHECK(inverse_of(*b, 0) == matrix<double>(2 * matrix<double>::Identity(d, d)));
            CHECK(inverse_of(*b, 1) == matrix<double>(inverse_of(*b, 1).transpose()));
        }
        updated.refresh();
        CHECK((inverse_of(updated, 1) - inverse).cwiseAbs().maxCoeff() < 1e-14);
        CHECK(updated.rewards() == std::vector<std::uint64_t>{0, 600});
    }
}

TEST_CASE("linear_bandit: what was learnt fades by its half-life", "[linear_bandit]") {
    // In steps of an eighth: after each 5 rewards of any action all before count 2^(-1/8).
    linear_bandit b(2, 3, linucb{.half_life = 40});
    rng numbers(4);
    std::array<dense_twin, 2> twins{dense_twin(3, 0), dense_twin(3, 0)};
    for (int i = 1; i <= 203; ++i) {
        const auto x = random_context(3, numbers);
        const auto action = static_cast<std::size_t>(i % 7 == 0 ? 1 : 0);
        b.learn(x, action, x[1]);
        twins[action].learn(x, x[1]);
        if (i % 5 == 0)
            for (auto& t : twins) {
                t.a *= std::exp2(-1.0 / 8);
                t.b *= std::exp2(-1.0 / 8);
            }
    }
    for (row_index a = 0; a < 2; ++a) {
        auto& t = twins[static_cast<std::size_t>(a)];
        t.a += matrix<double>::Identity(3, 3);
        CHECK((inverse_of(b, a) - t.inverse()).cwiseAbs().maxCoeff() < 1e-12);
        CHECK((b.weights().row(a).transpose() - t.theta()).cwiseAbs().maxCoeff() < 1e-12);
    }
    // What is no longer tried becomes uncertain again.
    for (int i = 0; i < 400; ++i) b.learn(random_context(3, numbers), 0, 0);
    CHECK(b.estimate(std::vector<double>{1, 0, 0}, 1).deviation > .98);
}

TEST_CASE("linear_thompson: two actions in closed form, and draws of the weights for more", "[linear_bandit]") {
    linear_bandit b(4, 3, linear_thompson{.noise = .7});
    rng numbers(9);
    std::vector<dense_twin> twins(4, dense_twin(3, 1));
    for (int i = 0; i < 60; ++i) {
        const auto x = random_context(3, numbers);
        const std::size_t a = numbers.below(4);
        const double reward = .2 * static_cast<double>(a) * x[1] + .3 * numbers.normal();
        b.learn(x, a, reward);
        twins[a].learn(x, reward);
    }
    const std::vector<double> x{1, .4, -.8};
    const std::vector<std::size_t> two{2, 1};
    const auto one = b.estimate(x, 1), other = b.estimate(x, 2);
    const double z = (one.mean - other.mean) / (.7 * std::hypot(one.deviation, other.deviation));
    const auto pair = b.propensities(x, two);
    CHECK(pair[1] == Approx(std::erfc(-z / std::sqrt(2)) / 2).epsilon(1e-12));
    CHECK(pair[0] + pair[3] == 0);

    // theta + noise L^-T n, LL' = A: a count is off by 4.5 deviations in 1 of 35,000 seeds, both ways counted.
    constexpr int n = 20'000;
    std::array<double, 4> drawn{}, decided{};
    std::vector<Eigen::LLT<matrix<double>>> factors;
    std::vector<vec<double>> thetas;
    for (const auto& t : twins) {
        factors.emplace_back(t.a);
        thetas.push_back(t.theta());
    }
    for (int i = 0; i < n; ++i) {
        double best = -1e9;
        std::size_t which = 0;
        for (std::size_t a = 0; a < 4; ++a) {
            vec<double> e(3);
            for (double& value : e) value = numbers.normal();
            const vec<double> theta = thetas[a] + .7 * factors[a].matrixU().solve(e);
            if (const double mean = theta.dot(as_vec(x)); mean > best) {
                best = mean;
                which = a;
            }
        }
        ++drawn[which];
    }
    const auto said = b.propensities(x);
    bool same = true;
    constexpr int decisions = 4'000;
    for (int i = 0; i < decisions; ++i) {
        const choice c = b.decide(numbers, x);
        same = same && c.propensity == said[c.action] && c.value == b.estimate(x, c.action).mean;
        ++decided[c.action];
    }
    CHECK(same);
    for (std::size_t a = 0; a < 4; ++a) {
        CHECK(std::abs(drawn[a] / n - said[a]) < 4.5 * std::sqrt(said[a] * (1 - said[a]) / n));
        CHECK(std::abs(decided[a] / decisions - said[a]) < 4.5 * std::sqrt(said[a] * (1 - said[a]) / decisions));
    }
    const auto nothing = b.propensities(std::vector<double>{0, 0, 0});  // a context that says nothing
    for (const double p : nothing) CHECK(p == Approx(.25));
}

TEST_CASE("linucb: with a share at random the propensities are the frequencies", "[linear_bandit]") {
    linear_bandit b(4, 2, linucb{.alpha = .5, .epsilon = .2});
    rng numbers(3);
    for (int i = 0; i < 30; ++i) b.learn(random_context(2, numbers), 3, 1);
    const std::vector<double> x{1, .1};
    const std::vector<std::size_t> allowed{3, 1, 2};
    const auto said = b.propensities(x, allowed);
    CHECK(said[0] == 0);
    CHECK(std::accumulate(said.begin(), said.end(), 0.0) == Approx(1));
    std::array<double, 4> count{};
    constexpr int n = 20'000;
    for (int i = 0; i < n; ++i) ++count[b.decide(numbers, x, allowed).action];
    for (std::size_t a = 0; a < 4; ++a) CHECK(std::abs(count[a] / n - said[a]) <= 5 * std::sqrt(said[a] * (1 - said[a]) / n));
    CHECK(b.decide(numbers, x, decision<2>{.allowed = {{1}}}).action == 1);
    CHECK(b.decide(numbers, x, decision<2>{.allowed = {{1}}}).propensity == Approx(1));
}

TEMPLATE_TEST_CASE("linear_bandit: learns what works for whom", "[linear_bandit]", linucb, linear_thompson) {
    // Three offers, each liked by those on its side; a fixed offer has .5 on average, the best for each one about .85.
    const matrix<double> truth = (matrix<double>(3, 3) << .5, .3, 0, .5, -.15, .26, .5, -.15, -.26).finished();
    linear_bandit b(3, 3, TestType{});
    rng of_world(5), of_choices(6);
    double regret = 0;
    int right = 0;
    for (int i = 0; i < 1'500; ++i) {
        const double angle = 6.283185307179586 * of_world.uniform();
        const std::vector<double> x{1, std::cos(angle), std::sin(angle)};
        const vec<double> means = truth * as_vec(x);
        const choice c = b.decide(of_choices, x);
        b.learn(x, c.action, of_world.uniform() < means(static_cast<row_index>(c.action)) ? 1 : 0);
        const double lost = means.maxCoeff() - means(static_cast<row_index>(c.action));
        regret += lost;
        if (i >= 1'000 && lost < .03) ++right;
    }
    CHECK(right > 420);
    CHECK(regret < 80);  // a fixed offer loses .25 each time: 375
}

TEMPLATE_TEST_CASE("linear_bandit: saved and loaded it goes on the same; shards add up", "[linear_bandit][io]", linucb, linear_thompson) {
    linear_bandit b(3, 4, TestType{.refresh_every = 7});
    auto first = b, second = b;
    rng numbers(8);
    for (int i = 0; i < 50; ++i) {
        const auto x = random_context(4, numbers);
        const std::size_t a = numbers.below(3);
        b.learn(x, a, x[2]);
        (i % 3 == 0 ? first : second).learn(x, a, x[2]);
    }
    const auto bytes = to_bytes(b);
    auto again = load<linear_bandit<TestType>>(std::span(bytes));
    CHECK(to_bytes(again) == bytes);
    for (int i = 0; i < 20; ++i) {
        const auto x = random_context(4, numbers);
        rng one(static_cast<std::uint64_t>(i)), two = one;
        const choice c = b.decide(one, x);
        REQUIRE(c == again.decide(two, x));
        b.learn(x, c.action, 1);
        again.learn(x, c.action, 1);
    }
    CHECK(to_bytes(again) == to_bytes(b));

    const auto base = first;
    auto left = first, right = first;
    left.merge(second);
    auto newer = right;
    newer.learn(random_context(4, numbers), 2, 1);
    left.merge(newer, base);
    right.merge(second);
    CHECK(left.rewards()[2] == right.rewards()[2] + 1);
    CHECK((left.weights().topRows(2) - right.weights().topRows(2)).cwiseAbs().maxCoeff() < 1e-12);
    CHECK(error_of([&] { left.merge(linear_bandit(3, 5, TestType{.refresh_every = 7})); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { left.merge(linear_bandit(3, 4, TestType{})); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { left.merge(base, newer); }).code() == errc::bad_data);
    linear_bandit fading(3, 4, TestType{.half_life = 10});
    CHECK(error_of([&] { fading.merge(fading, fading); }).code() == errc::bad_parameter);
}

TEST_CASE("linear_bandit: contexts of unlike size end in an error, not in nonsense", "[linear_bandit][edge]") {
    rng numbers(1);
    for (const double scale : {1e3, 1e7, 1e9, 1e12}) {
        linear_bandit b(1, 4, linucb{});
        std::size_t refused = 0;
        bool sound = true;
        for (int i = 0; i < 1'200; ++i) {
            const double z = numbers.normal();
            const std::vector<double> x{1, scale * z, scale * (z + 1e-3 * numbers.normal()), scale * numbers.normal()};
            try {
                b.learn(x, 0, z);
            } catch (const error& e) {
                REQUIRE(e.code() == errc::diverged);
                ++refused;
            }
            const auto e = b.estimate(x, 0);
            sound = sound && std::isfinite(e.mean) && e.deviation >= 0 && (b.inverses().diagonal().array() > 0).all();
        }
        CHECK(sound);
        CHECK((refused == 0) == (scale < 1e8));
        const auto bytes = to_bytes(b);
        CHECK(to_bytes(load<linear_bandit<linucb>>(std::span(bytes))) == bytes);
    }
}

TEST_CASE("linear_bandit: what is refused, and changes nothing", "[linear_bandit][error]") {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    const auto code = [](auto&& work) { return error_of(work).code(); };
    CHECK(code([] { linear_bandit(0, 3, linucb{}); }) == errc::bad_parameter);
    CHECK(code([] { linear_bandit(3, 0, linucb{}); }) == errc::bad_parameter);
    CHECK(code([] { linear_bandit(1'000, 9'000, linucb{}); }) == errc::limit_exceeded);
    CHECK(code([] { linear_bandit(std::size_t{1} << 62, std::size_t{1} << 62, linucb{}); }) == errc::limit_exceeded);
    CHECK(code([] { linear_bandit(2, 2, linucb{.alpha = -1}); }) == errc::bad_parameter);
    CHECK(code([] { linear_bandit(2, 2, linucb{.epsilon = nan}); }) == errc::bad_parameter);
    CHECK(code([] { linear_bandit(2, 2, linucb{.regularization = 0}); }) == errc::bad_parameter);
    CHECK(code([] { linear_bandit(2, 2, linucb{.half_life = -1}); }) == errc::bad_parameter);
    CHECK(code([] { linear_bandit(2, 2, linucb{.refresh_every = 0}); }) == errc::bad_parameter);
    CHECK(code([] { linear_bandit(2, 2, linear_thompson{.noise = 0}); }) == errc::bad_parameter);

    linear_bandit b(2, 2, linear_thompson{});
    const auto before = to_bytes(b);
    rng numbers(1);
    const std::vector<double> x{1, 2}, holed{1, nan};
    CHECK(code([&] { b.learn(x, 2, 1); }) == errc::unknown_id);
    CHECK(code([&] { b.learn(x, 0, inf); }) == errc::nan_or_inf);
    CHECK(code([&] { b.learn(std::vector<double>{1}, 0, 1); }) == errc::shape_mismatch);
    CHECK(error_of([&] { b.learn(holed, 0, 1); }).where().column == 2);
    CHECK(code([&] { b.learn(std::vector<double>{1, 1e200}, 0, 1); }) == errc::diverged);
    CHECK(code([&] { b.learn(std::vector<double>{1, 1e10}, 0, 1e305); }) == errc::diverged);
    CHECK(code([&] { (void)b.decide(numbers, holed); }) == errc::nan_or_inf);
    CHECK(code([&] { (void)b.decide(numbers, std::vector<float>{1, 2, 3}); }) == errc::shape_mismatch);
    CHECK(code([&] { (void)b.decide(numbers, x, std::span<const std::size_t>()); }) == errc::bad_data);
    CHECK(code([&] { (void)b.decide(numbers, x, std::vector<std::size_t>{2}); }) == errc::unknown_id);
    CHECK(code([&] { (void)b.estimate(x, 2); }) == errc::unknown_id);
    const Eigen::MatrixXd by_columns = Eigen::MatrixXd::Ones(2, 2);
    CHECK(code([&] { (void)b.decide(numbers, by_columns.row(0)); }) == errc::bad_data);
    CHECK(to_bytes(b) == before);

    const auto broken = [&](auto change) {
        matrix<double> m = b.moments(), s = std::get<2>(b.fields()), i = b.inverses(), w = b.weights();
        auto n = b.rewards();
        change(m, s, i, w, n);
        return error_of([&] { linear_bandit<linear_thompson>(b.rule(), m, s, i, w, n); }).code();
    };
    CHECK(broken([](auto& m, auto&, auto&, auto&, auto&) { m(0, 0) = -3; }) == errc::bad_data);
    CHECK(broken([](auto& m, auto&, auto&, auto&, auto&) { m(0, 1) = 1; }) == errc::bad_data);
    CHECK(broken([](auto&, auto& s, auto&, auto&, auto&) { s(1, 1) = std::numeric_limits<double>::infinity(); }) == errc::bad_data);
    CHECK(broken([](auto&, auto&, auto& i, auto&, auto&) { i(2, 0) = 0; }) == errc::bad_data);
    CHECK(broken([](auto&, auto&, auto&, auto& w, auto&) { w.resize(1, 2); }) == errc::bad_data);
    CHECK(broken([](auto&, auto&, auto&, auto&, auto& n) { n.pop_back(); }) == errc::bad_data);
    CHECK(broken([](auto&, auto&, auto&, auto&, auto& n) { n.clear(); }) == errc::bad_parameter);
}

}  // namespace linear_bandit_test
