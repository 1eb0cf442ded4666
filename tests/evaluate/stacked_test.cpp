#include <cmath>
#include <map>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/evaluate/search.hpp>
#include <caramel/evaluate/stacked.hpp>
#include <caramel/linear/logistic.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

struct answers {
    matrix<double> x;
    std::vector<int> y;
};
// The log odds of class 1 are those of the first column, plus nothing from the second.
answers two_classes(std::size_t rows, std::uint64_t seed) {
    rng random(seed);
    answers out{matrix<double>(static_cast<row_index>(rows), 2), std::vector<int>(rows)};
    for (std::size_t i = 0; i < rows; ++i) {
        const auto row = static_cast<row_index>(i);
        out.x(row, 0) = 2 * random.normal();
        out.x(row, 1) = 2 * random.normal();
        out.y[i] = random.uniform() < 1 / (1 + std::exp(-out.x(row, 0))) ? 1 : 0;
    }
    return out;
}
// Learns nothing: takes a column as log odds, times `scale`.
struct says_column_model {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "says_column";
    row_index column;
    double scale;
    matrix<double> operator()(const matrix_in<double>& x) const {
        matrix<double> out(x.rows(), 2);
        for (row_index i = 0; i < x.rows(); ++i) {
            out(i, 1) = 1 / (1 + std::exp(-scale * x(i, column)));
            out(i, 0) = 1 - out(i, 1);
        }
        return out;
    }
};
struct says_column {
    using stage_concept = recipe_tag;
    row_index column = 0;
    double scale = 1;
    says_column_model fit(const matrix_in<double>&, const std::vector<int>&, const fit_options&) const { return {column, scale}; }
};
// Knows the rows that it was fitted on by heart, and nothing else.
struct by_heart_model {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "by_heart";
    std::map<double, int> known;
    matrix<double> operator()(const matrix_in<double>& x) const {
        matrix<double> out(x.rows(), 2);
        for (row_index i = 0; i < x.rows(); ++i) {
            const auto at = known.find(x(i, 0));
            out(i, 1) = at == known.end() ? 0.5 : at->second == 1 ? 0.999 : 0.001;
            out(i, 0) = 1 - out(i, 1);
        }
        return out;
    }
};
struct by_heart {
    using stage_concept = recipe_tag;
    by_heart_model fit(const matrix_in<double>& x, const std::vector<int>& y, const fit_options&) const {
        by_heart_model out;
        for (row_index i = 0; i < x.rows(); ++i) out.known[x(i, 0)] = y[static_cast<std::size_t>(i)];
        return out;
    }
};

}  // namespace

TEST_CASE("stacked: what is right gets the say, what is noise gets none", "[stacked]") {
    const auto [x, y] = two_classes(4000, 1);
    const auto model = fit(stacked(says_column{.column = 0}, says_column{.column = 1}), x, y);
    CHECK(model.weights()[0] == Approx(1).margin(0.1));
    CHECK(model.weights()[1] < 0.05);
    CHECK(std::abs(model.intercepts()[1]) < 0.1);
    CHECK(model.intercepts()[0] == 0);
}

TEST_CASE("stacked: a member that is too sure of itself is calibrated", "[stacked]") {
    const auto [x, y] = two_classes(4000, 2);
    const auto model = fit(stacked(says_column{.column = 0, .scale = 4}), x, y);
    CHECK(model.weights()[0] == Approx(0.25).margin(0.03));
    CHECK(log_loss(model(x), y) < 0.8 * log_loss(says_column_model{0, 4}(x), y));
}

TEST_CASE("stacked: a member that knows its training rows by heart gets no say", "[stacked]") {
    const auto [x, y] = two_classes(1000, 3);
    const auto model = fit(stacked(by_heart{}, says_column{.column = 0}), x, y);
    CHECK(model.weights()[1] == Approx(1).margin(0.2));
    CHECK(model.weights()[0] == 0);
    const auto [other, unused] = two_classes(50, 4);
    CHECK((model(other) - fit(stacked(says_column{.column = 0}), x, y)(other)).cwiseAbs().maxCoeff() < 1e-4);
}

TEST_CASE("stacked: the mixture is the optimum", "[stacked]") {
    rng random(5);
    const std::size_t n = 300, members = 3, classes = 3;
    std::vector<double> logs(n * members * classes);
    std::vector<int> y(n);
    for (std::size_t i = 0; i < n; ++i) {
        y[i] = static_cast<int>(random.below(classes));
        for (std::size_t m = 0; m < members; ++m) {
            std::vector<double> p(classes);
            double sum = 0;
            for (std::size_t c = 0; c < classes; ++c) {
                const double push = static_cast<int>(c) == y[i] ? (m == 2 ? -0.5 : static_cast<double>(m)) : 0.0;
                sum += p[c] = std::exp(push + random.normal());
            }
            for (std::size_t c = 0; c < classes; ++c) logs[(i * members + m) * classes + c] = std::log(p[c] / sum);
        }
    }
    const row_weights all_one({}, n, "test");
    detail::mixture_fit<std::vector<int>> mixture(logs, y, all_one, members, classes);
    mixture.run();
    CHECK(mixture.weights[2] == 0);  // it speaks against the truth, and may not be turned round
    const std::vector<double> tiny(n, 0x1.0p-20);  // the unit of the weights changes no bit
    const row_weights in_other_unit(tiny, n, "test");
    detail::mixture_fit<std::vector<int>> again(logs, y, in_other_unit, members, classes);
    again.run();
    CHECK(again.weights == mixture.weights);
    CHECK(again.intercepts == mixture.intercepts);
    const auto loss = [&](const std::vector<double>& w, const std::vector<double>& b) {
        std::vector<double> p(classes);
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
            detail::mix_logs(std::span<const double>(logs).subspan(i * members * classes, members * classes), w, b, p);
            sum -= std::log(p[static_cast<std::size_t>(y[i])]);
        }
        return sum / static_cast<double>(n);
    };
    const double best = loss(mixture.weights, mixture.intercepts);
    for (int trial = 0; trial < 300; ++trial) {  // nowhere near is it lower
        auto w = mixture.weights, b = mixture.intercepts;
        for (double& v : w) v = std::max(0.0, v + 0.05 * random.normal());
        for (std::size_t c = 1; c < classes; ++c) b[c] += 0.05 * random.normal();
        CHECK(loss(w, b) >= best - 1e-7);
    }
}

TEST_CASE("stacked: members that search settle on one recipe; threads change nothing; rows alone have the bits of the batch", "[stacked]") {
    const auto [x, y] = two_classes(300, 6);
    const auto recipe = stacked(logistic<double>{}, best_of(std::vector{logistic<double>{.regularization = 100}, logistic<double>{.regularization = 0.01}}, by_log_loss{}));
    const auto one = fit(recipe, x, y, {.seed = 1, .threads = 1}), four = fit(recipe, x, y, {.seed = 1, .threads = 4});
    const matrix<double> p = one(x);
    CHECK(p == four(x));
    CHECK((p.rowwise().sum().array() - 1).abs().maxCoeff() < 1e-12);
    workspace scratch;
    for (row_index i = 0; i < 20; ++i) {
        const auto row = one(row_of(matrix<double>(x), i), scratch);
        CHECK(row[0] == p(i, 0));
        CHECK(row[1] == p(i, 1));
    }
}

TEST_CASE("stacked: rows that weigh more count more", "[stacked]") {
    const auto [x, y] = two_classes(400, 7);
    std::vector<double> weights(400);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = y[i] == 1 ? 3 : 1;
    const auto plain = fit(stacked(logistic<double>{}), x, y), heavy = fit(stacked(logistic<double>{}), x, y, {.weights = weights});
    CHECK(heavy(x).col(1).mean() > plain(x).col(1).mean() + 0.1);
}

TEST_CASE("stacked: refused", "[stacked][error]") {
    const matrix<double> x = two_classes(40, 8).x;
    CHECK(error_of([&] { (void)fit(stacked(says_column{}), x, std::vector<int>(40, 1)); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)fit(stacked(says_column{}), matrix<double>(0, 2), std::vector<int>{}); }).code() == errc::empty_input);
    using model = stacked_model<says_column_model>;
    CHECK(error_of([] { (void)model({-1}, {0, 0}, {0, 1}); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)model({1, 1}, {0, 0}, {0, 1}); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)model({1}, {0}, {0, 1}); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)model({1}, {0, 0, 0}, {0, 1})(x); }).code() == errc::shape_mismatch);
}
