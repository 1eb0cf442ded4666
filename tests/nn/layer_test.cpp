#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include <caramel/nn/activation.hpp>
#include <caramel/nn/bias.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/embedding_bag.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/nn/network.hpp>
#include <caramel/nn/norm.hpp>
#include <caramel/nn/residual.hpp>

#include "nn/gradients.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace {

struct soft_sign : elementwise_layer<soft_sign> {  // a user's own, as the documentation shows it
    static constexpr std::string_view kind = "soft_sign";
    template <class T>
    static T value(T x) { return x / (1 + std::abs(x)); }
    template <class T>
    static T slope(T x, T /*y*/) { return 1 / ((1 + std::abs(x)) * (1 + std::abs(x))); }
};

static_assert(Layer<dense, float> && Layer<dense, double>);
static_assert(Layer<relu, float> && Layer<tanh_layer, double> && Layer<sigmoid, float> && Layer<dropout, double>);
static_assert(Layer<embedding_bag, float> && Layer<soft_sign, double>);
static_assert(Layer<leaky_relu, float> && Layer<elu, float> && Layer<gelu, double> && Layer<silu, float> && Layer<activation, double> && Layer<softmax, float>);
static_assert(Layer<batch_norm, float> && Layer<layer_norm, double> && Layer<bias_layer, float> && Layer<residual_block<dense, relu, dense>, double>);
static_assert(!Layer<int, float> && !Layer<training, float>);

constexpr activation_function every_function[] = {activation_function::relu,    activation_function::leaky_relu, activation_function::elu,
                                                  activation_function::tanh,    activation_function::sigmoid,    activation_function::gelu,
                                                  activation_function::silu};

// Away from the kink of relu, where the slope is not defined.
matrix<double> inputs(row_index rows, row_index columns, std::uint64_t seed = 3) {
    rng random(seed);
    auto x = normal_matrix<double>(random, rows, columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] += x.data()[i] < 0 ? -0.01 : 0.01;
    return x;
}
token_ids texts() {
    token_ids out;
    out.vocabulary_size = 7;
    for (const std::vector<token_id>& row : {std::vector<token_id>{1, 2, 2, 5}, {}, {6}, {2, 6, 0}}) out.append_row(row);
    return out;
}
token_ids weighted_texts() {
    auto out = texts();
    out.weights = {0.5F, 2, 0, 1, 3, 1, 0.25F, 1};
    return out;
}
template <class T, class P, class X>
void check_rows(const P& params, const X& x) {
    const matrix<T> batch = params.apply(x);
    workspace scratch;
    for (row_index i = 0; i < batch.rows(); ++i) {
        const workspace::frame frame(scratch);
        const auto row = [&] {
            if constexpr (requires { x.slice(0, 1); }) return params.apply(x[static_cast<std::size_t>(i)], scratch);
            else return params.apply(row_of<T>(x, i), scratch);
        }();
        REQUIRE(row.size() == static_cast<std::size_t>(batch.cols()));
        for (row_index j = 0; j < batch.cols(); ++j) CHECK(row[static_cast<std::size_t>(j)] == batch(i, j));
    }
}

}  // namespace

TEST_CASE("layers: gradients agree with central differences", "[layer]") {
    check_gradients(dense{.units = 4}, {.inputs = 5}, inputs(6, 5));
    check_gradients(dense{}, {.inputs = 5, .outputs = 3}, inputs(6, 5));
    check_gradients(dense{.units = 1}, {.inputs = 1}, inputs(1, 1));
    check_gradients(relu{}, {.inputs = 5}, inputs(6, 5));
    check_gradients(tanh_layer{}, {.inputs = 5}, inputs(6, 5));
    check_gradients(sigmoid{}, {.inputs = 5}, inputs(6, 5));
    check_gradients(soft_sign{}, {.inputs = 5}, inputs(6, 5));
    check_gradients(leaky_relu{}, {.inputs = 5}, inputs(6, 5));
    check_gradients(elu{}, {.inputs = 5}, inputs(6, 5));
    check_gradients(gelu{}, {.inputs = 5}, inputs(6, 5));
    check_gradients(silu{}, {.inputs = 5}, inputs(6, 5));
    for (const auto function : every_function) check_gradients(activation{.function = function}, {.inputs = 5}, inputs(6, 5));
    check_gradients(softmax{}, {.inputs = 5}, inputs(6, 5));
    check_gradients(bias_layer{}, {.inputs = 5}, inputs(6, 5));
    check_gradients(batch_norm{}, {.inputs = 5}, inputs(6, 5));
    check_gradients(batch_norm{.epsilon = 0.1}, {.inputs = 3}, inputs(2, 3));
    check_gradients(batch_norm{}, {.inputs = 3}, inputs(1, 3));
    check_gradients(layer_norm{}, {.inputs = 5}, inputs(6, 5));
    check_gradients(layer_norm{.epsilon = 0.1}, {.inputs = 1}, inputs(6, 1));
    check_gradients(residual(tanh_layer{}), {.inputs = 5}, inputs(6, 5));
    check_gradients(residual(dense{.units = 7}, gelu{}, dense{}), {.inputs = 5}, inputs(6, 5));
    check_gradients(residual(layer_norm{}, residual(dense{}, silu{}), dense{.units = 5}, batch_norm{}), {.inputs = 5}, inputs(6, 5));
    check_gradients(dropout{.share = 0.3}, {.inputs = 5}, inputs(6, 5));
    check_gradients(embedding_bag{.dim = 3}, {.inputs = 7}, texts());
    check_gradients(embedding_bag{.dim = 3, .how = bag_pooling::sum}, {.inputs = 7}, texts());
    check_gradients(embedding_bag{.dim = 3}, {.inputs = 7}, weighted_texts());
    check_gradients(embedding_bag{.dim = 3, .how = bag_pooling::sum}, {.inputs = 7}, weighted_texts());
}

TEST_CASE("layers: gradients of layers in a row", "[layer]") {
    using detail::dense_stack;
    using detail::sequence;
    const layer_shape shape{.inputs = 5, .outputs = 3};
    check_gradients(sequence<dense, tanh_layer, dense>{{dense{.units = 4}, {}, dense{}}}, shape, inputs(6, 5));
    check_gradients(sequence<sigmoid, dense, dropout, relu, dense>{{{}, dense{.units = 4}, dropout{.share = 0.3}, {}, dense{}}}, shape, inputs(6, 5));
    const activation chosen{.function = activation_function::gelu};
    check_gradients(sequence<dense, batch_norm, activation, softmax, dense>{{dense{.units = 4}, {}, chosen, {}, dense{}}}, shape, inputs(6, 5));
    check_gradients(dense_stack{{4, 3}, {.share = 0}}, shape, inputs(6, 5));
    check_gradients(dense_stack{{8, 6}, {.share = 0.4}}, shape, inputs(6, 5));
    check_gradients(dense_stack{{}, {.share = 0}}, shape, inputs(6, 5));
    check_gradients(sequence<embedding_bag, dense, tanh_layer, dense>{{embedding_bag{.dim = 3}, dense{.units = 4}, {}, dense{}}}, {.inputs = 7, .outputs = 2},
                    texts());
}

TEST_CASE("layers: the first layer's gradients do not need those of its input", "[layer]") {
    const detail::sequence<dense, tanh_layer, dense> layers{{dense{.units = 4}, {}, dense{}}};
    rng random(5), init(6);
    const auto params = layers.init<double>({.inputs = 5, .outputs = 2}, init);
    const auto x = inputs(6, 5);
    layer_cache<decltype(layers), double> cache;
    layer_grads<decltype(layers), double> whole, part;
    const matrix<double> dy = normal_matrix<double>(random, 6, 2);
    (void)layers.forward(params, x, cache, random);
    (void)layers.backward(params, cache, dy, whole);
    layers.gradients(params, cache, dy, part);
    CHECK(std::get<0>(whole).weights == std::get<0>(part).weights);
    CHECK(std::get<2>(whole).bias == std::get<2>(part).bias);
}

TEMPLATE_TEST_CASE("layers: a row has the same bits alone and in any batch", "[layer]", CARAMEL_TEST_SCALARS) {
    rng random(8);
    const auto x = normal_matrix<TestType>(random, 13, 21);
    check_rows<TestType>(dense{.units = 19}.init<TestType>({.inputs = 21}, random), x);
    check_rows<TestType>(relu{}.init<TestType>({}, random), x);
    check_rows<TestType>(tanh_layer{}.init<TestType>({}, random), x);
    check_rows<TestType>(sigmoid{}.init<TestType>({}, random), x);
    for (const auto function : every_function) check_rows<TestType>(activation{.function = function}.init<TestType>({}, random), x);
    check_rows<TestType>(softmax{}.init<TestType>({}, random), x);
    check_rows<TestType>(bias_params<TestType>{x.row(0).transpose()}, x);
    const vec<TestType> some = x.row(1).transpose(), positive = x.row(2).cwiseAbs().transpose();
    check_rows<TestType>(batch_norm_params<TestType>{some, x.row(3).transpose(), some, positive, 1e-3}, x);
    check_rows<TestType>(layer_norm_params<TestType>{some, positive, 1e-3}, x);
    check_rows<TestType>(residual(dense{.units = 6}, elu{}, dense{}).template init<TestType>({.inputs = 21}, random), x);
    check_rows<TestType>(dropout{}.init<TestType>({}, random), x);
    check_rows<TestType>(embedding_bag{.dim = 5}.init<TestType>({.inputs = 7}, random), texts());
    check_rows<TestType>(embedding_bag{.dim = 5, .how = bag_pooling::sum}.init<TestType>({.inputs = 7}, random), texts());
}

TEST_CASE("dense: worked by hand", "[layer][dense]") {
    dense_params<double> p{matrix<double>(2, 3), vec<double>(3)};
    p.weights << 1, 2, 3, 4, 5, 6;
    p.bias << 0.5, 0, -1;
    matrix<double> x(1, 2), expected(1, 3);
    x << 10, 100;
    expected << 410.5, 520, 629;
    CHECK(p.apply(x) == expected);
}

TEST_CASE("dense: weights begin within the limit of Glorot and Bengio, biases at 0", "[layer][dense]") {
    rng random(1);
    const auto p = dense{.units = 50}.init<double>({.inputs = 40}, random);
    const double limit = std::sqrt(6.0 / 90);
    CHECK(p.bias.isZero(0));
    CHECK(p.weights.cwiseAbs().maxCoeff() <= limit);
    CHECK(p.weights.cwiseAbs().maxCoeff() > 0.99 * limit);
    CHECK(std::abs(p.weights.mean()) < limit * 4 / std::sqrt(3.0 * 2000));
    CHECK(p.weights.array().square().mean() == Approx(limit * limit / 3).epsilon(0.1));
}

TEST_CASE("dropout: keeps the mean in training, does nothing afterwards", "[layer][dropout]") {
    rng random(2), noise(3);
    const dropout drop{.share = 0.25};
    const auto p = drop.init<double>({}, random);
    const matrix<double> x = matrix<double>::Constant(200, 50, 3);
    CHECK(p.apply(x) == x);
    layer_cache<dropout, double> cache;
    const matrix<double> y = drop.forward(p, x, cache, noise);
    const auto dropped = static_cast<double>((y.array() == 0).count());
    CHECK(std::abs(dropped / 1e4 - 0.25) < 4 * std::sqrt(0.25 * 0.75 / 1e4));
    CHECK((y.array() == 0 || (y.array() - 4).abs() < 1e-12).all());
    const matrix<double> other = drop.forward(p, x, cache, noise);
    CHECK(other != y);  // another draw
}

TEST_CASE("embedding_bag: means and sums of the right rows, zeros for a text without tokens", "[layer][embedding_bag]") {
    auto values = make_tensor<double, 2>({3, 2});
    for (std::size_t i = 0; i < 6; ++i) values.data()[i] = static_cast<double>(i);  // 0 1 | 2 3 | 4 5
    token_ids x;
    x.vocabulary_size = 3;
    for (const std::vector<token_id>& row : {std::vector<token_id>{2, 0}, {}, {1, 1, 2}, {1}}) x.append_row(row);
    matrix<double> mean(4, 2), sum(4, 2);
    mean << 2, 3, 0, 0, 8.0 / 3, 11.0 / 3, 2, 3;
    sum << 4, 6, 0, 0, 8, 11, 2, 3;
    CHECK(embedding_bag_params<double>{embedding_table<double>(values), bag_pooling::mean}.apply(x).isApprox(mean, 1e-15));
    CHECK(embedding_bag_params<double>{embedding_table<double>(values), bag_pooling::sum}.apply(x) == sum);
}

TEST_CASE("embedding_bag: tokens count by their weights", "[layer][embedding_bag]") {
    auto values = make_tensor<double, 2>({3, 2});
    for (std::size_t i = 0; i < 6; ++i) values.data()[i] = static_cast<double>(i);  // 0 1 | 2 3 | 4 5
    token_ids x;
    x.vocabulary_size = 3;
    x.append_row(std::vector<token_id>{2, 0}, std::vector<float>{3, 1});
    x.append_row(std::vector<token_id>{}, std::vector<float>{});
    x.append_row(std::vector<token_id>{1, 2}, std::vector<float>{0, 0});
    x.append_row(std::vector<token_id>{1}, std::vector<float>{0.5F});
    matrix<double> mean(4, 2), sum(4, 2);
    mean << 3, 4, 0, 0, 0, 0, 2, 3;
    sum << 12, 16, 0, 0, 0, 0, 1, 1.5;
    const embedding_bag_params<double> means{embedding_table<double>(values), bag_pooling::mean}, sums{embedding_table<double>(values), bag_pooling::sum};
    CHECK(means.apply(x).isApprox(mean, 1e-15));
    CHECK(sums.apply(x) == sum);
    CHECK(sums.apply(x.slice(2, 4)) == sum.bottomRows(2));
    CHECK(x.slice(1, 4).weights == std::vector<float>{0, 0, 0.5F});
    x.weights.assign(5, 1);
    auto plain = x;
    plain.weights.clear();
    CHECK(means.apply(x).isApprox(means.apply(plain), 1e-15));
    CHECK(sums.apply(x) == sums.apply(plain));
}

TEST_CASE("embedding_bag: the rows of unknown and padding begin at zero", "[layer][embedding_bag]") {
    rng random(1);
    const auto p = embedding_bag{.dim = 4}.init<float>({.inputs = 5, .unknown = 1, .padding = 3}, random);
    for (std::size_t id = 0; id < 5; ++id) {
        double square = 0;
        for (const float x : p.table[id]) square += static_cast<double>(x * x);
        CHECK((square == 0) == (id == 1 || id == 3));
    }
}

TEST_CASE("layers: hyperparameters out of range are named", "[layer][error]") {
    rng random(1);
    const auto code = [&](const auto& layer, const layer_shape& shape) {
        const error e = error_of([&] { (void)layer.template init<float>(shape, random); });
        CHECK(std::string_view(e.what()).starts_with(layer.kind));
        return e.code();
    };
    CHECK(code(dense{}, {.inputs = 3}) == errc::bad_parameter);
    CHECK(code(dense{.units = 70'000}, {.inputs = 3}) == errc::bad_parameter);
    CHECK(code(dense{.units = 60'000}, {.inputs = std::size_t{1} << 40}) == errc::limit_exceeded);
    const double hole = std::numeric_limits<double>::quiet_NaN();
    CHECK(code(activation{.function = static_cast<activation_function>(99)}, {.inputs = 3}) == errc::bad_parameter);
    for (const double share : {0.0, -1.0, 1.5, hole}) CHECK(code(batch_norm{.running_share = share}, {.inputs = 3}) == errc::bad_parameter);
    for (const double epsilon : {0.0, -1.0, hole}) {
        CHECK(code(batch_norm{.epsilon = epsilon}, {.inputs = 3}) == errc::bad_parameter);
        CHECK(code(layer_norm{.epsilon = epsilon}, {.inputs = 3}) == errc::bad_parameter);
    }
    CHECK(code(residual(dense{.units = 4}), {.inputs = 3}) == errc::bad_parameter);
    for (const double share : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) CHECK(code(dropout{.share = share}, {}) == errc::bad_parameter);
    CHECK(code(embedding_bag{.dim = 0}, {.inputs = 3}) == errc::bad_parameter);
    CHECK(code(embedding_bag{.dim = 70'000}, {.inputs = 3}) == errc::bad_parameter);
    CHECK(code(embedding_bag{.how = static_cast<bag_pooling>(9)}, {.inputs = 3}) == errc::bad_parameter);
    CHECK(code(embedding_bag{}, {}) == errc::bad_data);
}
