// Networks, through the common contract (docs/contract.md). A new component gets an adapter here.
#include <cmath>
#include <string>
#include <vector>

#include <caramel/features/standardize.hpp>
#include <caramel/nn/activation.hpp>
#include <caramel/nn/bias.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/embedding_bag.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/nn/mlp_ensemble.hpp>
#include <caramel/nn/network.hpp>
#include <caramel/nn/norm.hpp>
#include <caramel/nn/residual.hpp>
#include <caramel/text/tokenizer.hpp>

#include "contract/data.hpp"
#include "support/catch.hpp"

namespace contract {
namespace {

template <class T>
struct mlp_component {
    static constexpr bool probabilities = true;
    static constexpr bool reports = true;
    static constexpr std::string_view name = std::same_as<T, float> ? "standardize | mlp<float>" : "standardize | mlp<double>";
    static constexpr bool random = true;
    auto recipe() const { return standardize<T>{} | mlp<T>{.hidden = {5, 4}, .epochs = 3, .batch_size = 8, .dropout = 0.1}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<T>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 3); }
};
struct mlp_regressor_component {
    static constexpr std::string_view name = "mlp_regressor";
    static constexpr bool random = true;
    auto recipe() const { return mlp_regressor<double>{.hidden = {5}, .epochs = 3, .batch_size = 8}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t seed) const {
        return values(rows, seed + 1);
    }
};
struct mlp_multilabel_component {
    static constexpr std::string_view name = "mlp_multilabel";
    static constexpr bool random = true;
    auto recipe() const { return mlp_multilabel<double>{.hidden = {5}, .epochs = 3, .batch_size = 8}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t seed) const { return matrix<double>((numbers<double>(rows, seed + 1, 2).array() > 0).cast<double>()); }
};
struct positive_component {
    static constexpr std::string_view name = "mlp | positive";
    static constexpr bool random = true;
    auto recipe() const { return mlp<float>{.hidden = {}, .epochs = 2, .validation_share = 0.2} | positive{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<float>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
};
struct network_component {
    static constexpr bool probabilities = true;
    static constexpr bool reports = true;
    static constexpr std::string_view name = "word_tokenizer | network";
    static constexpr std::array skipped = texts_component::skipped;
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | network<float>({.epochs = 3, .batch_size = 8}, embedding_bag{.dim = 4}, relu{}, dense{}); }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 3); }
};
template <class T>
struct layers_component {
    static constexpr bool probabilities = true;
    static constexpr bool reports = true;
    static constexpr std::string_view name = std::same_as<T, float> ? "network of all layers<float>" : "network of all layers<double>";
    static constexpr bool random = true;
    auto recipe() const {
        const training how{
            .epochs = 3, .batch_size = 8, .rule = update_rule::adamw, .l1 = 1e-3, .schedule = {.shape = rate_shape::one_cycle}, .label_smoothing = 0.1};
        return network<T>(how, batch_norm{}, dense{.units = 5}, activation{.function = activation_function::gelu},
                          residual(layer_norm{}, dense{.units = 4}, silu{}, dense{}, elu{}), bias_layer{}, leaky_relu{}, softmax{}, dense{});
    }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<T>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 3); }
};
struct ranker_component : mlp_regressor_component {
    static constexpr std::string_view name = "network_ranker";
    auto recipe() const { return network_ranker<double>(training{.epochs = 3, .batch_size = 8}, dense{.units = 4}, gelu{}, dense{}); }
};
struct network_regressor_component : mlp_regressor_component {
    static constexpr std::string_view name = "network_regressor";
    auto recipe() const { return network_regressor<double>(training{.epochs = 3, .batch_size = 8}, dense{.units = 4}, relu{}, dense{}); }
};
struct mlp_ensemble_component {
    static constexpr bool probabilities = true;
    static constexpr bool reports = true;
    static constexpr std::string_view name = "mlp_ensemble";
    static constexpr bool random = true;
    auto recipe() const { return mlp_ensemble<float>{.members = 3, .each = {.hidden = {5}, .epochs = 2, .batch_size = 8, .class_weights = {1, 2, 3}}}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<float>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 3); }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEST_CASE("contract: networks", "[contract]") {
    check_component(mlp_component<float>{});
    check_component(mlp_component<double>{});
    check_component(mlp_regressor_component{});
    check_component(mlp_multilabel_component{});
    check_component(positive_component{});
    check_component(network_component{});
    check_component(layers_component<float>{});
    check_component(layers_component<double>{});
    check_component(ranker_component{});
    check_component(network_regressor_component{});
    check_component(mlp_ensemble_component{});
}
