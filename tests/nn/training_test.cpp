// What the options of `training` do, through the recipes that take them.
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/nn/network.hpp>
#include <caramel/nn/norm.hpp>
#include <caramel/pipeline.hpp>

#include "nn/bits.hpp"
#include "nn/gradients.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace training_test {

namespace {

struct examples {
    matrix<double> x;
    std::vector<int> y;
};
// Class 1 is one row in five or so, and the classes overlap.
examples rare(row_index rows, std::uint64_t seed) {
    rng random(seed);
    examples out{normal_matrix<double>(random, rows, 3), {}};
    for (row_index i = 0; i < rows; ++i) out.y.push_back(out.x(i, 0) - 1.2 + 0.6 * random.normal() > 0 ? 1 : 0);
    return out;
}
std::uint64_t bits_of_layer(const auto& model) { return bits_of(model.template layer<0>()); }

}  // namespace

TEST_CASE("training: class weights are weights of the rows of a class", "[training]") {
    const auto set = rare(120, 1);
    const auto& x = set.x;
    const auto& y = set.y;
    std::vector<double> weights, twice;
    for (std::size_t i = 0; i < y.size(); ++i) {
        weights.push_back(y[i] == 1 ? 5 : 1);
        twice.push_back(i % 3 == 0 ? 2 : 1);
    }
    const training how{.epochs = 30, .batch_size = 16, .learning_rate = 0.01};
    auto weighted = how;
    weighted.class_weights = {2, 10};  // only their ratio counts
    const auto recipe = network<double>(how, dense{.units = 6}, relu{}, dense{});
    const matrix<double> by_row = fit(recipe, x, y, {.weights = weights})(x), by_class = fit(recipe.with(weighted), x, y)(x);
    CHECK((by_row - by_class).cwiseAbs().maxCoeff() < 1e-9);
    CHECK((by_row - fit(recipe, x, y)(x)).cwiseAbs().maxCoeff() > 0.05);
    std::vector<double> both;
    for (std::size_t i = 0; i < y.size(); ++i) both.push_back(weights[i] * twice[i]);
    CHECK((fit(recipe.with(weighted), x, y, {.weights = twice})(x) - fit(recipe, x, y, {.weights = both})(x)).cwiseAbs().maxCoeff() < 1e-9);
    const mlp<double> small{.hidden = {6}, .epochs = 30, .batch_size = 16, .learning_rate = 0.01};
    auto small_weighted = small;
    small_weighted.class_weights = {1, 5};
    CHECK((fit(small, x, y, {.weights = weights})(x) - fit(small_weighted, x, y)(x)).cwiseAbs().maxCoeff() < 1e-9);
    // Balanced, the mean prediction is a half by these weights.
    weighted.class_weights = balanced_class_weights(y);
    const matrix<double> balanced = fit(recipe.with(weighted), x, y)(x);
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += weighted.class_weights[static_cast<std::size_t>(y[i])] * balanced(static_cast<row_index>(i), 1);
    CHECK(sum / 120 == Approx(0.5).margin(0.02));
    // One question of mlp_multilabel is the same thing.
    matrix<double> marks(120, 1);
    for (std::size_t i = 0; i < y.size(); ++i) marks(static_cast<row_index>(i), 0) = y[i];
    mlp_multilabel<double> question{.hidden = {4}, .epochs = 20, .learning_rate = 0.01};
    const matrix<double> by_rows = fit(question, x, marks, {.weights = weights})(x);
    question.class_weights = {1, 5};
    CHECK((fit(question, x, marks)(x) - by_rows).cwiseAbs().maxCoeff() < 1e-9);
}

TEST_CASE("training: label smoothing keeps probabilities from the ends", "[training]") {
    auto set = rare(100, 2);
    auto& x = set.x;
    auto& y = set.y;
    for (std::size_t i = 0; i < y.size(); ++i) {
        y[i] = x(static_cast<row_index>(i), 0) > 0 ? 1 : 0;
        x(static_cast<row_index>(i), 0) += y[i] == 1 ? 2 : -2;
    }
    const auto right = [&](const auto& recipe) {
        const matrix<double> p = fit(recipe, x, y)(x);
        double sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += p(static_cast<row_index>(i), y[i]);
        return sum / 100;
    };
    CHECK(right(mlp<double>{.epochs = 200, .learning_rate = 0.02}) > 0.999);
    CHECK(right(mlp<double>{.epochs = 200, .learning_rate = 0.02, .label_smoothing = 0.2}) == Approx(0.9).margin(0.01));
    CHECK(right(network<double>(training{.epochs = 200, .learning_rate = 0.02, .label_smoothing = 0.2}, dense{.units = 16}, relu{}, dense{})) ==
          Approx(0.9).margin(0.01));
}

TEST_CASE("training: the focal loss looks at what is not right yet", "[training]") {
    const auto set = rare(400, 3);
    const auto& x = set.x;
    const auto& y = set.y;
    const auto at = [&](double focus) {
        return fit(network<double>(training{.epochs = 60, .learning_rate = 0.01, .focal_gamma = focus}, dense{.units = 8}, relu{}, dense{}), x, y)(x);
    };
    const matrix<double> plain = at(0), focal = at(3);
    CHECK(auc(focal, y) > 0.9);
    CHECK((focal.array() * (1 - focal.array())).mean() > (plain.array() * (1 - plain.array())).mean() + 0.02);  // less sure of itself
}

TEST_CASE("training: Huber's loss bears with targets far off", "[training][regression]") {
    rng random(4);
    const auto x = normal_matrix<double>(random, 300, 1);
    vec<double> y = 3 * x.col(0), clean = y;
    for (row_index i = 0; i < 300; i += 12) y(i) += 200;
    const auto off = [&](const auto& recipe) { return (fit(recipe, x, y)(x) - clean).cwiseAbs().mean(); };
    const double squared = off(mlp_regressor<double>{.hidden = {}, .epochs = 200, .learning_rate = 0.01});
    const double robust = off(mlp_regressor<double>{.hidden = {}, .epochs = 200, .learning_rate = 0.01, .huber_delta = 0.05});
    CHECK(squared > 10);
    CHECK(robust < 1);
    CHECK(off(network_regressor<double>(training{.epochs = 200, .learning_rate = 0.01, .huber_delta = 0.05}, dense{})) < 1);
}

TEMPLATE_TEST_CASE("training: the L1 penalty leaves useless inputs out", "[training]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng random(5);
    const auto x = normal_matrix<T>(random, 400, 6);
    std::vector<int> y;
    for (row_index i = 0; i < 400; ++i) y.push_back(x(i, 1) + T(0.3) * static_cast<T>(random.normal()) > 0 ? 1 : 0);
    for (const update_rule rule : {update_rule::adam, update_rule::adamw, update_rule::sgd}) {
        const training how{.epochs = 80, .learning_rate = 0.02, .rule = rule, .l1 = 0.05, .schedule = {.shape = rate_shape::cosine}};
        const auto model = fit(network<T>(how, dense{}), x, y);
        const matrix<T>& w = model.template layer<0>().weights;
        for (row_index i = 0; i < 6; ++i) CHECK((w.row(i).isZero(0)) == (i != 1));
        CHECK(auc(model(x), y) > 0.95);
    }
}

TEST_CASE("training: schedules reach the bottom that a constant rate jumps around", "[training][schedule]") {
    rng random(6);
    const auto x = normal_matrix<double>(random, 200, 3);
    std::vector<int> y;
    for (row_index i = 0; i < 200; ++i) y.push_back(x(i, 0) + random.normal() > 0 ? 1 : 0);
    const auto loss = [&](const rate_schedule& schedule, double rate) {
        return log_loss(fit(mlp<double>{.hidden = {}, .epochs = 60, .batch_size = 20, .learning_rate = rate, .schedule = schedule}, x, y)(x), y);
    };
    const double best = loss({.shape = rate_shape::cosine}, 0.03), constant = loss({}, 0.3);
    CHECK(loss({.shape = rate_shape::cosine, .warm_up = 0.1}, 0.3) < constant);
    CHECK(loss({.shape = rate_shape::cosine, .warm_up = 0.1}, 0.3) == Approx(best).margin(2e-4));
    CHECK(loss({.shape = rate_shape::one_cycle}, 0.3) == Approx(best).margin(2e-4));
    CHECK(loss({.shape = rate_shape::linear}, 0.3) == Approx(best).margin(2e-4));
}

TEST_CASE("training: early stopping gives back the best weights, running averages with them", "[training]") {
    rng random(6);
    const matrix<double> x = normal_matrix<double>(random, 80, 6);
    std::vector<int> y(80);
    for (int& label : y) label = static_cast<int>(random.below(2));  // nothing to be learnt but the noise
    std::size_t epochs_run = 0;
    const auto run = [&](std::size_t epochs, std::size_t patience) {
        epochs_run = 0;
        const auto count = [&](const progress&) {
            ++epochs_run;
            return verdict::go_on;
        };
        const training how{.epochs = epochs, .batch_size = 16, .learning_rate = 0.01, .validation_share = 0.3, .patience = patience};
        return fit(network<double>(how, dense{.units = 16}, batch_norm{}, relu{}, dense{}), x, y, {.seed = 1, .on_progress = count});
    };
    const matrix<double> late = run(60, 1000)(x);
    CHECK(epochs_run == 60);
    std::size_t best = 0;  // the first number of epochs that gives these weights
    for (std::size_t epochs = 1; epochs < 60 && best == 0; ++epochs) best = run(epochs, 1000)(x) == late ? epochs : 0;
    REQUIRE(best > 0);
    CHECK(best < 40);
    CHECK(run(60, 10)(x) == run(best + 10, 1000)(x));
}

TEST_CASE("network_ranker: learns an order, within groups", "[training][ranking]") {
    rng random(7);
    const auto x = normal_matrix<double>(random, 400, 3);
    matrix<double> y(400, 2);  // grades whose level is the group's: only their order within it tells something
    std::vector<int> high(400);
    for (row_index i = 0; i < 400; ++i) {
        const double group = static_cast<double>(i % 20), merit = x(i, 0) - x(i, 1) * x(i, 1);
        y.row(i) << 100 * group + merit, group;
        high[static_cast<std::size_t>(i)] = merit > -0.7 ? 1 : 0;
    }
    const auto recipe = network_ranker<double>(training{.epochs = 60, .batch_size = 40, .learning_rate = 0.01}, dense{.units = 16}, relu{}, dense{});
    const auto model = fit(recipe, x, y, {.seed = 1});
    const matrix<double> scores = model(x);
    REQUIRE(scores.cols() == 1);
    CHECK(auc(scores, high) > 0.97);
    CHECK(bits_of_layer(fit(recipe, x, y, {.seed = 1, .threads = 3})) == bits_of_layer(model));
    CHECK(bits_of_layer(fit(recipe, x, y, {.seed = 2})) != bits_of_layer(model));
    // Without groups, as a smooth AUC.
    std::vector<double> labels(high.begin(), high.end());
    const training checked{.epochs = 30, .learning_rate = 0.02, .validation_share = 0.2};
    const auto by_label = fit(network_ranker<double>(checked, dense{.units = 16}, relu{}, dense{}), x, labels);
    CHECK(auc(by_label(x), high) > 0.97);
    // Rows of weight 0 have no part.
    std::vector<double> weights(400, 1);
    for (std::size_t i = 0; i < 400; i += 2) {
        weights[i] = 0;
        labels[i] = 1 - labels[i];
    }
    CHECK(auc(fit(recipe, x, labels, {.weights = weights})(x), high) > 0.95);
    CHECK(error_of([&] { (void)fit(recipe, x, std::vector<double>(400, 1.0)); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)fit(network_ranker<double>(dense{.units = 2}), x, labels); }).code() == errc::bad_parameter);
}

TEST_CASE("training: options out of range, or that no loss looks at, are named", "[training][error]") {
    const auto set = rare(30, 8);
    const auto& x = set.x;
    const auto& y = set.y;
    const vec<double> values = x.col(0);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto refused = [](const auto& work, const std::string& name) {
        const error e = error_of(work);
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()).find(name) != std::string::npos);
    };
    const auto classes = network<double>(dense{});
    const auto regressor = network_regressor<double>(dense{});
    for (const double bad : {-0.1, 1.0, nan}) refused([&] { (void)fit(classes.with({.label_smoothing = bad}), x, y); }, "label_smoothing");
    for (const double bad : {-0.1, nan}) refused([&] { (void)fit(classes.with({.focal_gamma = bad}), x, y); }, "focal_gamma");
    refused([&] { (void)fit(classes.with({.label_smoothing = 0.1, .focal_gamma = 1}), x, y); }, "not used together");
    refused([&] { (void)fit(classes.with({.huber_delta = 1}), x, y); }, "huber_delta");
    refused([&] { (void)fit(classes.with({.class_weights = {1, -1}}), x, y); }, "class_weights");
    refused([&] { (void)fit(classes.with({.class_weights = {0, 0}}), x, y); }, "class_weights");
    refused([&] { (void)fit(classes.with({.class_weights = {1, 1, 1}}), x, y); }, "class_weights has 3 numbers, there are 2 classes");
    refused([&] { (void)fit(mlp_multilabel<double>{.class_weights = {1}}, x, matrix<double>(matrix<double>::Ones(30, 2))); }, "needs 2");
    for (const double bad : {-0.1, nan}) refused([&] { (void)fit(regressor.with({.huber_delta = bad}), x, values); }, "huber_delta");
    refused([&] { (void)fit(regressor.with({.label_smoothing = 0.1}), x, values); }, "for classifiers");
    refused([&] { (void)fit(network_ranker<double>(training{.huber_delta = 1}, dense{}), x, values); }, "huber_delta");
    refused([&] { (void)fit(mlp<double>{.l1 = -1}, x, y); }, "l1");
    refused([&] { (void)fit(mlp<double>{.schedule = {.warm_up = 2}}, x, y); }, "warm_up");
    refused([&] { (void)fit(mlp_regressor<double>{.huber_delta = -1}, x, values); }, "huber_delta");
}

}  // namespace training_test
