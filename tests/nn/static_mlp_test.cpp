#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/nn/static_mlp.hpp>

#include "support/catch.hpp"
#include "support/count_allocations.hpp"

using namespace caramel;


namespace {

template <class T>
matrix<T> normal(row_index rows, row_index columns) {
    rng random(1);
    matrix<T> x(rows, columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(random.normal());
    return x;
}
template <class T>
std::vector<dense_params<T>> layers_of(const std::vector<std::size_t>& hidden, std::size_t inputs, std::size_t outputs) {
    rng random(2);
    auto params = detail::dense_stack{hidden, {.share = 0}}.init<T>({.inputs = inputs, .outputs = outputs}, random);
    for (auto& layer : params.layers)
        for (T& b : std::span(layer.bias.data(), static_cast<std::size_t>(layer.bias.size()))) b = static_cast<T>(random.normal());
    return params.layers;
}
template <std::size_t In, std::size_t... Units, class T, class Model>
void check_equal(const Model& model, const matrix<T>& x) {
    const auto fixed = std::make_unique<static_mlp<T, In, Units...>>(model);
    static_assert(static_mlp<T, In, Units...>::inputs() == In);
    workspace scratch;
    for (row_index i = 0; i < x.rows(); ++i) {
        const std::span<const T, In> row(x.data() + i * x.cols(), In);
        const auto expected = model(std::span<const T>(row), scratch);
        const std::size_t before = n_allocations;
        const auto out = (*fixed)(row);
        CHECK(n_allocations == before);
        CHECK(std::equal(out.begin(), out.end(), expected.begin(), expected.end()));
    }
}

}  // namespace

TEMPLATE_TEST_CASE("static_mlp: the bits of the model that it was made from, without an allocation", "[mlp][static_mlp]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto x = normal<T>(9, 37);
    check_equal<37, 70, 33, 1>(mlp_multilabel_model<T>(layers_of<T>({70, 33}, 37, 1)), x);
    check_equal<37, 3, 200, 2, 5>(mlp_multilabel_model<T>(layers_of<T>({3, 200, 2}, 37, 5)), x);
    check_equal<37, 2>(mlp_model<T>(layers_of<T>({}, 37, 2)), x);
    check_equal<37, 40, 45>(mlp_model<T>(layers_of<T>({40}, 37, 45)), x);
    vec<T> mean(3), deviation(3);
    mean << T(1), T(-20), T(300);
    deviation << T(.5), T(2), T(40);
    check_equal<37, 16, 3>(mlp_regressor_model<T>(layers_of<T>({16}, 37, 3), mean, deviation), x);
}

TEST_CASE("static_mlp: the network of the benchmarks, trained", "[mlp][static_mlp]") {
    const auto x = normal<float>(300, 64);
    std::vector<float> y(300);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = x(static_cast<row_index>(i), 0) > 0 ? 1.0F : 0.0F;
    const auto model = fit(mlp_multilabel<float>{.hidden = {256, 128}, .epochs = 1, .batch_size = 128}, x, y, {.seed = 1});
    check_equal<64, 256, 128, 1>(model, matrix<float>(x.topRows(20)));
}

TEST_CASE("static_mlp: another model is refused, and so are numbers that are not finite", "[mlp][static_mlp][error]") {
    const mlp_multilabel_model<float> model(layers_of<float>({8}, 4, 1));
    const auto wrong_width = error_of([&] { (void)std::make_unique<static_mlp<float, 4, 9, 1>>(model); });
    CHECK(wrong_width.code() == errc::shape_mismatch);
    CHECK(std::string(wrong_width.what()) == "static_mlp: layer 1 of the model has 4 inputs and 8 outputs, of this type 4 and 9");
    CHECK(std::string(error_of([&] { (void)static_mlp<float, 4, 1>(model); }).what()) == "static_mlp: the model has 2 layers, this type 1");
    const static_mlp<float, 4, 8, 1> fixed(model);
    std::array<float, 4> row{1, 2, std::numeric_limits<float>::quiet_NaN(), 4};
    std::array<float, 1> out{};
    CHECK(!fixed.answer(row, out));
    const auto nan = error_of([&] { (void)fixed(row); });
    CHECK(nan.code() == errc::nan_or_inf);
    CHECK(nan.where() == place{.row = 1, .column = 3});
    row.fill(1);
    CHECK(fixed.answer(row, out));
    row.fill(std::numeric_limits<float>::max());
    auto steep = layers_of<float>({8}, 4, 1);
    steep[0].weights.setConstant(2);
    const static_mlp<float, 4, 8, 1> large((mlp_multilabel_model<float>(steep)));
    CHECK(!large.answer(row, out));
    CHECK(error_of([&] { (void)large(row); }).code() == errc::number_out_of_range);
}
