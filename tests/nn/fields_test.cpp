#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include <caramel/core/random.hpp>
#include <caramel/nn/bias.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/embedding_bag.hpp>
#include <caramel/nn/norm.hpp>

#include "support/catch.hpp"

// Parameters of layers that cannot have been trained, one wrong at a time.

using namespace caramel;
namespace fields_test {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const vec<double> two = vec<double>::Ones(2), three = vec<double>::Ones(3), wild = vec<double>::Constant(2, inf);

bool refused(const auto& params, std::size_t given = 2) {
    return error_of([&] { (void)params.check(given, "test"); }).code() == errc::bad_data;
}

}  // namespace

TEST_CASE("fields: norms", "[norm][error]") {
    CHECK(refused(batch_norm_params<double>{two, two, three, two, 1e-5}));
    CHECK(refused(batch_norm_params<double>{two, two, two, three, 1e-5}));
    CHECK(refused(batch_norm_params<double>{wild, two, two, two, 1e-5}));
    CHECK(refused(batch_norm_params<double>{two, wild, two, two, 1e-5}));
    CHECK(refused(batch_norm_params<double>{two, two, wild, two, 1e-5}));
    CHECK(refused(batch_norm_params<double>{two, two, two, wild, 1e-5}));
    CHECK(refused(batch_norm_params<double>{two, two, two, two, inf}));
    CHECK(layer_norm_params<double>{two, two, 1e-5}.check(2, "test") == 2);
    CHECK(refused(layer_norm_params<double>{two, two, 1e-5}, 3));
    CHECK(refused(layer_norm_params<double>{wild, two, 1e-5}));
    CHECK(refused(layer_norm_params<double>{two, wild, 1e-5}));
    CHECK(refused(layer_norm_params<double>{two, two, inf}));
    CHECK(refused(layer_norm_params<double>{two, two, -1}));
}
TEST_CASE("fields: dense layers, biases and embeddings", "[layer][error]") {
    const matrix<double> square = matrix<double>::Ones(2, 2);
    CHECK(dense_params<double>{square, two}.check(2, "test") == 2);
    CHECK(refused(dense_params<double>{square, two}, 3));
    CHECK(refused(dense_params<double>{square, three}));
    CHECK(refused(dense_params<double>{matrix<double>(2, 0), vec<double>(0)}));
    CHECK(refused(dense_params<double>{square * inf, two}));
    CHECK(refused(dense_params<double>{square, wild}));
    CHECK(bias_params<double>{two}.check(2, "test") == 2);
    CHECK(refused(bias_params<double>{two}, 3));
    CHECK(refused(bias_params<double>{wild}, static_cast<std::size_t>(wild.size())));
    CHECK(refused(bias_params<double>{wild}));
    rng random(1);
    embedding_bag_params<double> bag{.table = embedding_table<double>::random(2, 3, random)};
    CHECK(bag.check(2, "test") == 3);
    CHECK(refused(bag, 3));
    bag.how = static_cast<bag_pooling>(9);
    CHECK(refused(bag));
    bag.how = bag_pooling::sum;
    bag.table[1][2] = inf;
    CHECK(refused(bag));
}

}  // namespace fields_test
