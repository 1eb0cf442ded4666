#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/pipeline.hpp>

#include "nn/bits.hpp"
#include "nn/gradients.hpp"
#include "nn/real_customers.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace mlp_test {

namespace {

template <class T>
struct examples {
    matrix<T> x;
    std::vector<int> y;
};
template <class T>
examples<T> exclusive_or() {
    matrix<T> x(4, 2);
    x << 0, 0, 0, 1, 1, 0, 1, 1;
    return {x, {0, 1, 1, 0}};
}
/// `classes` clouds around points on a circle; with `noise` above 1 they overlap.
template <class T>
examples<T> clouds(std::size_t rows, int classes, double noise, std::uint64_t seed = 1) {
    rng random(seed);
    examples<T> out{matrix<T>(static_cast<row_index>(rows), 3), std::vector<int>(rows)};
    for (std::size_t i = 0; i < rows; ++i) {
        const int label = static_cast<int>(i) % classes;
        out.y[i] = label;
        const double angle = 6.283185307179586 * label / classes;
        const double at[3] = {2 * std::cos(angle), 2 * std::sin(angle), 0};
        for (row_index j = 0; j < 3; ++j) out.x(static_cast<row_index>(i), j) = static_cast<T>(at[j] + noise * random.normal());
    }
    return out;
}
template <class T>
double right_share(const matrix<T>& probabilities, const std::vector<int>& labels) {
    return accuracy(most_likely{}(probabilities), labels);
}
template <class Model>
std::uint64_t bits_of_model(const Model& model) {
    return bits_of(model.layers());
}

}  // namespace

TEMPLATE_TEST_CASE("mlp: learns exclusive or, which no linear model can", "[mlp]", CARAMEL_TEST_SCALARS) {
    const auto set = exclusive_or<TestType>();
    const auto& x = set.x;
    const auto& y = set.y;
    const auto model = fit(mlp<TestType>{.hidden = {16}, .epochs = 800, .learning_rate = 0.02}, x, y);
    const matrix<TestType> p = model(x);
    CHECK(right_share(p, y) == 1);
    CHECK(log_loss(p, y) < 0.01);
    const auto linear = fit(mlp<TestType>{.hidden = {}, .epochs = 800, .learning_rate = 0.02}, x, y);
    CHECK(log_loss(linear(x), y) > 0.69);  // no better than ln 2, a coin
}

TEMPLATE_TEST_CASE("mlp: probabilities sum to 1 and fit separate classes", "[mlp]", CARAMEL_TEST_SCALARS) {
    const auto set = clouds<TestType>(120, 3, 0.3);
    const auto& x = set.x;
    const auto& y = set.y;
    const auto model = fit(mlp<TestType>{.hidden = {16, 8}, .epochs = 100, .batch_size = 16, .learning_rate = 0.01}, x, y);
    const matrix<TestType> p = model(x);
    CHECK(p.cols() == 3);
    CHECK((p.rowwise().sum().array() - 1).abs().maxCoeff() < TestType(1e-6));
    CHECK(p.minCoeff() >= 0);
    CHECK(right_share(p, y) == 1);
    CHECK(model.output_names({"a", "b", "c"}) == std::vector<std::string>{"class_0", "class_1", "class_2"});
}

TEMPLATE_TEST_CASE("mlp: can learn a small set by heart", "[mlp]", CARAMEL_TEST_SCALARS) {
    rng random(5);
    const matrix<TestType> x = normal_matrix<TestType>(random, 30, 10);
    std::vector<int> y(30);
    for (int& label : y) label = static_cast<int>(random.below(4));
    const auto model = fit(mlp<TestType>{.hidden = {64, 32}, .epochs = 200, .batch_size = 10, .learning_rate = 5e-3}, x, y);
    CHECK(right_share(model(x), y) == 1);
    CHECK(log_loss(model(x), y) < 0.01);
}

TEST_CASE("mlp: the probability of a network whose weights are known", "[mlp]") {
    // Logits (0, 1.5 h0 - h1 + .3) of the ReLU of x W + b: the figures stand in a published table.
    dense_params<double> first{matrix<double>(3, 2), vec<double>(2)}, last{matrix<double>(2, 2), vec<double>(2)};
    first.weights << 1, .5, -2, 1, .5, -1;
    first.bias << .1, -.2;
    last.weights << 0, 1.5, 0, -1;
    last.bias << 0, .3;
    const mlp_model<double> model({first, last});
    matrix<double> x(2, 3);
    x << 1, .5, 2, 0, 0, 0;
    const matrix<double> p = model(x);
    CHECK(p(0, 1) == Approx(.8754466418125836).epsilon(1e-14));
    CHECK(p(1, 1) == Approx(1 / (1 + std::exp(-.45))).epsilon(1e-14));
}

TEMPLATE_TEST_CASE("mlp: a row has the same bits alone and in any batch", "[mlp]", CARAMEL_TEST_SCALARS) {
    const auto [x, y] = clouds<TestType>(300, 5, 1);  // more than one block of rows
    const auto model = fit(mlp<TestType>{.hidden = {37, 18}, .epochs = 2}, x, y);
    const matrix<TestType> p = model(x);
    workspace scratch;
    for (row_index i = 0; i < x.rows(); ++i) {
        const auto row = model(row_of(x, i), scratch);
        REQUIRE(row.size() == 5);
        for (std::size_t j = 0; j < row.size(); ++j) REQUIRE(row[j] == p(i, static_cast<row_index>(j)));
        const matrix<TestType> alone = model(x.middleRows(i, 1));
        REQUIRE(alone == p.row(i));
    }
    CHECK(model(x.middleRows(7, 100)) == p.middleRows(7, 100));
    CHECK(model(matrix<TestType>(0, 3)).rows() == 0);
    // Once warm, a row is answered in memory that is there already.
    const auto* const place = model(row_of(x, 0), scratch).data();
    CHECK(model(row_of(x, 1), scratch).data() == place);
    const std::vector<TestType> owned = model(std::vector<TestType>{0, 0, 0});
    CHECK(owned.size() == 5);
}

TEST_CASE("mlp: the seed decides, the number of threads does not", "[mlp][determinism]") {
    const auto set = clouds<float>(200, 3, 1);
    const auto& x = set.x;
    const auto& y = set.y;
    const mlp<float> recipe{.hidden = {16}, .epochs = 5, .dropout = 0.2, .validation_share = 0.2};
    const auto one = bits_of_model(fit(recipe, x, y, {.seed = 7}));
    CHECK(bits_of_model(fit(recipe, x, y, {.seed = 7})) == one);
    for (const std::size_t threads : {std::size_t{2}, std::size_t{4}, std::size_t{0}})
        CHECK(bits_of_model(fit(recipe, x, y, {.seed = 7, .threads = threads})) == one);
    CHECK(bits_of_model(fit(recipe, x, y, {.seed = 8})) != one);
}

TEST_CASE("mlp: the same bits from every compiler at the baseline instruction set", "[mlp][determinism]") {
#if defined(__FMA__) || !defined(__x86_64__) || !defined(__GLIBC__)
    WARN("skipped: not compiled for the baseline instruction set, or with another exp and log");
#else
    rng random(11);
    matrix<double> x(100, 3);
    std::vector<int> y(100);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = 4 * random.uniform() - 2;
    for (int& label : y) label = static_cast<int>(random.below(3));
    const auto checksum = [&]<class T>(T) {
        const mlp<T> recipe{.hidden = {16, 5}, .epochs = 5, .batch_size = 7, .l2 = 1e-3, .dropout = 0.1};
        return bits_of_model(fit(recipe, matrix<T>(x.cast<T>()), y, {.seed = 3}));
    };
    CHECK(checksum(float{}) == 0xf0e0d94d560913ef);
    CHECK(checksum(double{}) == 0x19615ab232265557);
#endif
}

TEST_CASE("mlp: a weight of 2 is a row given twice, a weight of 0 a row left out", "[mlp][weights]") {
    const auto set = clouds<double>(40, 3, 1);
    const auto& x = set.x;
    const auto& y = set.y;
    rng random(3);
    std::vector<double> weights;
    std::vector<row_index> kept;
    for (row_index i = 0; i < x.rows(); ++i) {
        weights.push_back(static_cast<double>(random.below(4)));
        for (double w = 0; w < weights.back(); ++w) kept.push_back(i);
    }
    matrix<double> repeated(static_cast<row_index>(kept.size()), 3);
    std::vector<int> labels;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        repeated.row(static_cast<row_index>(i)) = x.row(kept[i]);
        labels.push_back(y[static_cast<std::size_t>(kept[i])]);
    }
    const mlp<double> recipe{.hidden = {8}, .epochs = 30, .batch_size = 1000, .learning_rate = 0.01, .l2 = 1e-3};
    const matrix<double> a = fit(recipe, x, y, {.weights = weights})(x), b = fit(recipe, repeated, labels)(x);
    CHECK((a - b).cwiseAbs().maxCoeff() < 1e-9);
    CHECK((a - fit(recipe, x, y)(x)).cwiseAbs().maxCoeff() > 1e-3);
    for (double& w : weights) w *= 10;  // only their ratio counts
    CHECK((fit(recipe, x, y, {.weights = weights})(x) - a).cwiseAbs().maxCoeff() < 1e-9);
}

TEST_CASE("mlp: the L2 penalty shrinks the weights", "[mlp]") {
    const auto set = clouds<double>(100, 2, 1);
    const auto& x = set.x;
    const auto& y = set.y;
    const auto norm = [&](double l2) {
        const auto model = fit(mlp<double>{.hidden = {8}, .epochs = 60, .learning_rate = 0.01, .l2 = l2}, x, y);
        double sum = 0;
        for (const auto& layer : model.layers()) sum += layer.weights.squaredNorm();
        return sum;
    };
    const double none = norm(0), some = norm(0.01), much = norm(0.1);
    CHECK(some < none);
    CHECK(much < some);
}

TEST_CASE("mlp: an observer sees each epoch, and stopping keeps what was learnt", "[mlp][progress]") {
    const auto set = clouds<float>(100, 3, 0.5);
    const auto& x = set.x;
    const auto& y = set.y;
    std::vector<progress> seen;
    const auto record = [&](const progress& p) {
        seen.push_back(p);
        return verdict::go_on;
    };
    const mlp<float> recipe{.epochs = 8, .learning_rate = 0.01};
    (void)fit(recipe, x, y, {.seed = 2, .on_progress = record});
    REQUIRE(seen.size() == 8);
    for (std::size_t i = 0; i < 8; ++i) {
        CHECK(seen[i].stage == "mlp");
        CHECK(seen[i].step == i + 1);
        CHECK(seen[i].steps == 8);
    }
    CHECK(seen.back().loss < seen.front().loss);
    const auto stopped = fit(recipe, x, y, {.seed = 2, .on_progress = [](const progress& p) { return p.step == 3 ? verdict::stop : verdict::go_on; }});
    auto three = recipe;
    three.epochs = 3;
    CHECK(bits_of_model(stopped) == bits_of_model(fit(three, x, y, {.seed = 2})));
    struct changed_my_mind {};
    CHECK_THROWS_AS(fit(recipe, x, y, {.on_progress = [](const progress&) -> verdict { throw changed_my_mind{}; }}), changed_my_mind);
}

TEST_CASE("mlp: with a validation share the best weights are kept, and patience ends the fit", "[mlp]") {
    rng random(6);
    const matrix<double> x = normal_matrix<double>(random, 80, 8);
    std::vector<int> y(80);
    for (int& label : y) label = static_cast<int>(random.below(2));  // nothing to be learnt but the noise
    std::vector<double> losses;
    const auto run = [&](std::size_t epochs, std::size_t patience) {
        losses.clear();
        const auto record = [&](const progress& p) {
            losses.push_back(p.loss);
            return verdict::go_on;
        };
        return bits_of_model(fit(mlp<double>{.hidden = {32}, .epochs = epochs, .learning_rate = 0.01, .validation_share = 0.3, .patience = patience}, x, y,
                                 {.seed = 1, .on_progress = record}));
    };
    const auto late = run(100, 1000);
    REQUIRE(losses.size() == 100);
    CHECK(losses.back() < 0.5 * losses.front());
    std::size_t best = 0;  // the first number of epochs that gives these weights
    for (std::size_t epochs = 1; epochs < 100 && best == 0; ++epochs) best = run(epochs, 1000) == late ? epochs : 0;
    REQUIRE(best > 0);
    CHECK(best < 50);
    CHECK(run(100, 40) == late);
    CHECK(losses.size() == best + 40);
}

TEST_CASE("mlp: every class keeps a row to learn from", "[mlp]") {
    auto set = clouds<double>(40, 2, 0.3);
    auto& x = set.x;
    auto& y = set.y;
    y[17] = 2;  // one row only
    const auto model = fit(mlp<double>{.epochs = 300, .learning_rate = 0.01, .validation_share = 0.9, .patience = 1000}, x, y);
    CHECK(model.outputs() == 3);
    const auto rows = detail::split_rows(detail::class_targets(y, "test"), 0.9, rng(1), "test");
    CHECK(rows.learn.size() + rows.validate.size() == 40);
    std::vector<int> learnt(3);
    for (const std::size_t row : rows.learn) ++learnt[static_cast<std::size_t>(y[row])];
    CHECK(*std::ranges::min_element(learnt) >= 1);
    const auto fifth = detail::split_rows(detail::class_targets(y, "test"), 0.2, rng(1), "test");
    CHECK(fifth.validate.size() == 8);
    std::vector<int> held(3);
    for (const std::size_t row : fifth.validate) ++held[static_cast<std::size_t>(y[row])];
    CHECK(std::abs(held[0] - held[1]) <= 1);
}

TEST_CASE("mlp: dropout is for training alone", "[mlp]") {
    const auto set = clouds<float>(200, 2, 0.5);
    const auto& x = set.x;
    const auto& y = set.y;
    const auto model = fit(mlp<float>{.hidden = {32}, .epochs = 60, .learning_rate = 0.01, .dropout = 0.5}, x, y);
    CHECK(model(x) == model(x));
    CHECK(right_share(model(x), y) > 0.98);
}

TEMPLATE_TEST_CASE("mlp: a learning rate far too high is an error that says so", "[mlp][error]", CARAMEL_TEST_SCALARS) {
    const auto set = clouds<TestType>(100, 3, 1);
    const auto& x = set.x;
    const auto& y = set.y;
    const error e = error_of([&] { (void)fit(mlp<TestType>{.learning_rate = 1e6}, x, y); });
    CHECK(e.code() == errc::diverged);
    CHECK(std::string(e.what()).starts_with("mlp: training diverged in epoch "));
    CHECK(std::string(e.what()).find("lower learning_rate") != std::string::npos);
    CHECK(error_of([&] { (void)fit(mlp<TestType>{.hidden = {8, 8, 8}, .epochs = 3, .learning_rate = 1e30}, x, y); }).code() == errc::diverged);
    vec<TestType> values = x.col(0);
    CHECK(error_of([&] { (void)fit(mlp_regressor<TestType>{.learning_rate = 1e6}, x, values); }).code() == errc::diverged);
}

TEST_CASE("mlp: features of a wild scale are no divergence by themselves", "[mlp][edge]") {
    auto set = clouds<double>(100, 2, 0.5);
    auto& x = set.x;
    auto& y = set.y;
    x *= 1e6;
    CHECK(right_share(fit(mlp<double>{}, x, y)(x), y) > 0.9);
}

TEST_CASE("mlp: hyperparameters out of range are named", "[mlp][error]") {
    const auto set = exclusive_or<float>();
    const auto& x = set.x;
    const auto& y = set.y;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto refused = [&](const mlp<float>& recipe, const std::string& name) {
        const error e = error_of([&] { (void)fit(recipe, x, y); });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()).starts_with("mlp: "));
        CHECK(std::string(e.what()).find(name) != std::string::npos);
        // Before any data are looked at.
        CHECK(error_of([&] { (void)recipe.fit(matrix<float>(0, 2), {}, {}); }).code() == errc::bad_parameter);
    };
    refused({.hidden = {16, 0}}, "hidden layer 2");
    refused({.hidden = {70'000}}, "hidden layer 1");
    refused({.epochs = 0}, "epochs");
    refused({.epochs = 2'000'000}, "epochs");
    refused({.batch_size = 0}, "batch_size");
    refused({.patience = 0}, "patience");
    for (const double bad : {0.0, -1.0, nan}) refused({.learning_rate = bad}, "learning_rate");
    for (const double bad : {-1.0, nan}) refused({.l2 = bad}, "l2");
    for (const double bad : {-0.1, 1.0, nan}) refused({.dropout = bad}, "dropout");
    for (const double bad : {-0.1, 1.0, nan}) refused({.validation_share = bad}, "validation_share");
}

TEST_CASE("mlp: data that cannot be learnt from are refused, with their place", "[mlp][error]") {
    auto set = clouds<float>(10, 2, 1);
    auto& x = set.x;
    auto& y = set.y;
    const mlp<float> recipe{.epochs = 1};
    CHECK(error_of([&] { (void)fit(recipe, matrix<float>(0, 3), std::vector<int>{}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)recipe.fit(x, {0, 1}, {}); }).code() == errc::shape_mismatch);
    const error one_class = error_of([&] { (void)fit(recipe, x, std::vector<int>(10, 1)); });
    CHECK(one_class.code() == errc::bad_data);
    CHECK(std::string(one_class.what()) == "mlp: the 10 labels are of one class only");
    auto bad = y;
    bad[4] = -1;
    const error negative = error_of([&] { (void)fit(recipe, x, bad); });
    CHECK(negative.code() == errc::bad_data);
    CHECK(negative.where().row == 5);
    bad[4] = 2'000'000'000;
    const error large = error_of([&] { (void)fit(recipe, x, bad); });
    CHECK(large.code() == errc::limit_exceeded);
    CHECK(large.where().row == 5);
    matrix<float> hole = x;
    hole(6, 1) = std::numeric_limits<float>::infinity();
    const error infinite = error_of([&] { (void)fit(recipe, hole, y); });
    CHECK(infinite.code() == errc::nan_or_inf);
    CHECK(infinite.where() == place{.row = 7, .column = 2});
    CHECK(error_of([&] { (void)fit(mlp<float>{.validation_share = 0.05}, x, y); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)fit(recipe, x, y, {.weights = std::vector<double>(10, 0.0)}); }).code() == errc::bad_data);

    const auto model = fit(recipe, x, y);
    CHECK(error_of([&] { (void)model(hole); }).where() == place{.row = 7, .column = 2});
    const error width = error_of([&] { (void)model(matrix<float>(1, 2)); });
    CHECK(width.code() == errc::shape_mismatch);
    CHECK(std::string(width.what()) == "mlp: got 2 columns, learnt 3");
    workspace scratch;
    CHECK(error_of([&] { (void)model(std::span<const float>(x.data(), 2), scratch); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)model(row_of(hole, 6), scratch); }).code() == errc::nan_or_inf);
    matrix<float> huge = matrix<float>::Constant(300, 3, 1);
    huge.row(280).setConstant(std::numeric_limits<float>::max());
    const error beyond = error_of([&] { (void)model(huge); });
    CHECK(beyond.code() == errc::number_out_of_range);
    CHECK(beyond.where().row == 281);
}

TEST_CASE("mlp: a model is only made of layers that belong together", "[mlp][error]") {
    const auto layer = [](row_index in, row_index out) { return dense_params<float>{matrix<float>::Zero(in, out), vec<float>::Zero(out)}; };
    const auto refused = [](std::vector<dense_params<float>> layers) {
        return error_of([&] { mlp_model<float> made(std::move(layers)); }).code() == errc::bad_data;
    };
    CHECK(refused({}));
    CHECK(refused({layer(3, 4), layer(5, 2)}));
    CHECK(refused({layer(3, 1)}));
    CHECK(refused({{matrix<float>::Zero(3, 2), vec<float>::Zero(3)}}));
    auto hole = layer(3, 2);
    hole.weights(1, 1) = std::numeric_limits<float>::quiet_NaN();
    CHECK(refused({hole}));
    CHECK(error_of([&] { mlp_regressor_model<float> made({layer(3, 2)}, vec<float>::Zero(2), vec<float>::Zero(2)); }).code() == errc::bad_data);
    CHECK(error_of([&] { mlp_regressor_model<float> made({layer(3, 2)}, vec<float>::Zero(1), vec<float>::Ones(1)); }).code() == errc::bad_data);
    CHECK(mlp_model<float>({layer(3, 2)})(matrix<float>::Zero(1, 3))(0, 0) == 0.5F);
}

TEMPLATE_TEST_CASE("mlp_regressor: learns a line exactly, on any scale", "[mlp][regression]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng random(9);
    const matrix<T> x = normal_matrix<T>(random, 200, 2);
    for (const double scale : {1e-4, 1.0, 1e6}) {
        vec<T> y(200);
        for (row_index i = 0; i < 200; ++i) y(i) = static_cast<T>(scale * (3 * static_cast<double>(x(i, 0)) - static_cast<double>(x(i, 1)) + 5));
        const auto model = fit(mlp_regressor<T>{.hidden = {}, .epochs = 100, .learning_rate = 0.02}, x, y);
        const matrix<T> p = model(x);
        CHECK(p.cols() == 1);
        CHECK(static_cast<double>((p - y).cwiseAbs().maxCoeff()) < 1e-3 * scale);
        const auto same = fit(mlp_regressor<T>{.hidden = {}, .epochs = 100, .learning_rate = 0.02}, x, std::vector<T>(y.data(), y.data() + y.size()));
        CHECK(same(x) == p);
        workspace scratch;
        CHECK(model(row_of(x, 3), scratch)[0] == p(3, 0));
    }
}

TEST_CASE("mlp_regressor: a curve, several outputs, constant targets", "[mlp][regression]") {
    rng random(10);
    const matrix<double> x = normal_matrix<double>(random, 300, 1);
    matrix<double> y(300, 3);
    y.col(0) = x.col(0).array().square();
    y.col(1) = x.col(0).array().sin() * 100;
    y.col(2).setConstant(7);
    const auto model = fit(mlp_regressor<double>{.hidden = {32}, .epochs = 300, .learning_rate = 5e-3}, x, y);
    const matrix<double> p = model(x);
    CHECK((p.col(0) - y.col(0)).squaredNorm() < 0.02 * (y.col(0).array() - y.col(0).mean()).square().sum());
    CHECK((p.col(1) - y.col(1)).squaredNorm() < 0.02 * (y.col(1).array() - y.col(1).mean()).square().sum());
    CHECK((p.col(2).array() - 7).abs().maxCoeff() < 0.5);
    y(4, 1) = std::numeric_limits<double>::quiet_NaN();
    CHECK(error_of([&] { (void)fit(mlp_regressor<double>{}, x, y); }).where() == place{.row = 5, .column = 2});
    CHECK(error_of([&] { (void)mlp_regressor<double>{}.fit(x, vec<double>(vec<double>::Zero(4)), {}); }).code() == errc::shape_mismatch);
}

TEST_CASE("mlp: in a chain with what makes one number or one class of it", "[mlp][pipeline]") {
    auto set = clouds<float>(100, 2, 0.3);
    auto& x = set.x;
    auto& y = set.y;
    x.array() += 50;
    const auto risk = fit(standardize<float>{} | mlp<float>{.epochs = 60, .learning_rate = 0.01} | positive{}, x, y, {.seed = 3});
    const auto decided = fit(standardize<float>{} | mlp<float>{.epochs = 60, .learning_rate = 0.01} | most_likely{}, x, y, {.seed = 3});
    const matrix<float> p = risk(x);
    CHECK(p.cols() == 1);
    CHECK(auc(p, y) == 1);
    CHECK(decided(x) == y);
    workspace scratch;
    CHECK(risk(row_of(x, 5), scratch)[0] == p(5, 0));
    CHECK(decided(row_of(x, 5), scratch) == y[5]);
    CHECK(risk.output_names({"a", "b", "c"}) == std::vector<std::string>{"positive"});
}

// ---- real customers --------------------------------------------------------------------------------------------------

TEST_CASE("mlp: as good on real customers as a published library's", "[mlp][slow]") {
    SHARED_OR_SKIP(telco, "data/telco_churn_ibm/wa_churn.csv");
    SHARED_OR_SKIP(mlc, "data/mlc_churn/mlc_churn.csv");
    const auto first = read_customers(telco);
    REQUIRE(first.x.rows() == 7043);
    REQUIRE(first.x.cols() == 40);
    const auto a = five_folds(first, standardize<float>{} | mlp<float>{.hidden = {16}, .epochs = 100, .l2 = 1.0 / 64} | positive{});
    INFO("telco: auc " << a.auc << ", log loss " << a.log_loss);
    CHECK(a.auc >= .844);  // scikit-learn: .8444 and .4197
    CHECK(a.log_loss <= .420);
    const auto second = read_customers(mlc, "churn", {"state"});
    REQUIRE(second.x.rows() == 5000);
    REQUIRE(second.x.cols() == 22);
    const auto b = five_folds(second, standardize<float>{} | mlp<float>{.hidden = {16}, .epochs = 100, .l2 = 0.3 / 64} | positive{});
    INFO("mlc: auc " << b.auc << ", log loss " << b.log_loss);
    CHECK(b.auc >= .905);  // scikit-learn: .9101 +- .0157 and .2127 +- .0192
    CHECK(b.log_loss <= .218);
}

}  // namespace mlp_test
