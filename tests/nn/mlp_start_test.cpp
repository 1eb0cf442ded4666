// Learning on from a fitted model.
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/pipeline.hpp>

#include "nn/bits.hpp"
#include "nn/gradients.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace mlp_start_test {

namespace {

struct examples {
    matrix<double> x;
    std::vector<int> y;
};
examples rings(row_index rows, std::uint64_t seed) {
    rng random(seed);
    examples out{normal_matrix<double>(random, rows, 2), {}};
    for (row_index i = 0; i < rows; ++i) out.y.push_back(out.x.row(i).squaredNorm() < 0.8 ? 0 : out.x(i, 0) > 0 ? 1 : 2);
    return out;
}

}  // namespace

TEST_CASE("mlp: a start is where the weights begin", "[mlp][start]") {
    const auto set = rings(300, 1);
    const auto before = fit(mlp<double>{.hidden = {16}, .epochs = 60, .learning_rate = 0.01}, set.x, set.y);
    // Steps of next to no length leave them there; the first loss reported is the one reached before.
    double first = 0;
    const auto observe = [&](const progress& p) {
        if (p.step == 1) first = p.loss;
        return verdict::go_on;
    };
    const auto still = fit(mlp<double>{.hidden = {16}, .epochs = 1, .learning_rate = 1e-15, .start = before}, set.x, set.y, {.seed = 9, .on_progress = observe});
    CHECK((still(set.x) - before(set.x)).cwiseAbs().maxCoeff() < 1e-10);
    CHECK(first == Approx(log_loss(before(set.x), set.y)).epsilon(1e-6));  // which cuts probabilities off
    // Fewer epochs from there than from random weights, on data of tonight.
    const auto tonight = rings(300, 2);
    const mlp<double> few{.hidden = {16}, .epochs = 2, .learning_rate = 0.01};
    auto on = few;
    on.start = before;
    const auto test = rings(1000, 3);
    const double warm = log_loss(fit(on, tonight.x, tonight.y)(test.x), test.y), cold = log_loss(fit(few, tonight.x, tonight.y)(test.x), test.y);
    CHECK(warm < 0.5 * cold);
    CHECK(bits_of(fit(on, tonight.x, tonight.y, {.seed = 5}).layers()) == bits_of(fit(on, tonight.x, tonight.y, {.seed = 5}).layers()));
    CHECK(bits_of(before.layers()) == bits_of(on.start.get()->layers()));
}

TEST_CASE("mlp: tonight's data may lack a class of the start", "[mlp][start]") {
    auto set = rings(200, 1);
    const auto before = fit(mlp<double>{.hidden = {8}, .epochs = 5}, set.x, set.y);
    for (int& label : set.y) label = label == 2 ? 0 : label;
    const auto model = fit(mlp<double>{.hidden = {8}, .epochs = 5, .start = before}, set.x, set.y);
    CHECK(model.outputs() == 3);
    set.y[3] = 3;
    const error e = error_of([&] { (void)fit(mlp<double>{.hidden = {8}, .start = before}, set.x, set.y); });
    CHECK(e.code() == errc::shape_mismatch);
    CHECK(std::string(e.what()) == "mlp: the targets need 4 outputs, the model to start from has 3");
}

TEST_CASE("mlp: a start of another shape is refused", "[mlp][start][error]") {
    const auto set = rings(50, 1);
    const auto before = fit(mlp<double>{.hidden = {8, 4}, .epochs = 1}, set.x, set.y);
    const auto refused = [&](const mlp<double>& recipe, const std::string& what) {
        const error e = error_of([&] { (void)fit(recipe, set.x, set.y); });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()) == what);
    };
    refused({.hidden = {8}, .start = before}, "mlp: there are 1 hidden layers, the model to start from has 2");
    refused({.hidden = {8, 5}, .start = before}, "mlp: hidden layer 2 has 5 units, that of the model to start from 4");
    const error columns = error_of([&] { (void)fit(mlp<double>{.hidden = {8, 4}, .start = before}, matrix<double>(matrix<double>::Zero(50, 3)), set.y); });
    CHECK(columns.code() == errc::shape_mismatch);
    CHECK(std::string(columns.what()) == "mlp: got 3 columns, the model to start from learnt 2");
}

TEST_CASE("mlp_regressor and mlp_multilabel: a start", "[mlp][start]") {
    const auto set = rings(200, 1);
    matrix<double> y(200, 2);
    y.col(0) = 1000 + 50 * set.x.col(0).array();
    y.col(1) = set.x.col(1).array().square();
    const mlp_regressor<double> recipe{.hidden = {16}, .epochs = 100, .learning_rate = 0.01};
    const auto before = fit(recipe, set.x, y);
    auto on = recipe;
    on.epochs = 1;
    on.learning_rate = 1e-15;
    on.start = before;
    const matrix<double> later = y.array() + 7;  // whose mean is not that of the start
    const auto still = fit(on, set.x, later);
    CHECK(still.mean() == before.mean());
    CHECK(still.deviation() == before.deviation());
    CHECK((still(set.x) - before(set.x)).cwiseAbs().maxCoeff() < 1e-9);
    on.epochs = 200;
    on.learning_rate = 0.01;
    CHECK((fit(on, set.x, later)(set.x) - later).squaredNorm() < 0.1 * (before(set.x) - later).squaredNorm());
    CHECK(error_of([&] { (void)fit(on, set.x, matrix<double>(y.col(0))); }).code() == errc::shape_mismatch);

    const matrix<double> labels = (y.array() > 1).cast<double>();
    const auto answers = fit(mlp_multilabel<double>{.hidden = {6}, .epochs = 5}, set.x, labels);
    const auto same = fit(mlp_multilabel<double>{.hidden = {6}, .epochs = 1, .learning_rate = 1e-15, .start = answers}, set.x, labels);
    CHECK((same(set.x) - answers(set.x)).cwiseAbs().maxCoeff() < 1e-10);
    CHECK(error_of([&] { (void)fit(mlp_multilabel<double>{.hidden = {6}, .start = answers}, set.x, matrix<double>(labels.col(0))); }).code() == errc::shape_mismatch);
}

}  // namespace mlp_start_test
