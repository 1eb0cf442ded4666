// Recommenders and histories, through the common contract (docs/contract.md). A new component gets an adapter here.
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include <caramel/features/histories.hpp>
#include <caramel/features/rfm.hpp>
#include <caramel/features/rhythm.hpp>
#include <caramel/features/concat.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/policy/customer_states.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/sgd.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/pool.hpp>
#include <caramel/text/tokenizer.hpp>

#include "contract/data.hpp"
#include "support/catch.hpp"

namespace contract {
namespace {

struct popularity_component : recommender_component {
    static constexpr std::string_view name = "popularity";
    auto recipe() const { return popularity<double>{}; }
};
struct item_neighbors_component : recommender_component {
    static constexpr std::string_view name = "item_neighbors";
    auto recipe() const { return item_neighbors<double>{.k = 4, .shrinkage = 1}; }
};
struct customer_neighbors_component : recommender_component {
    static constexpr std::string_view name = "customer_neighbors";
    auto recipe() const { return customer_neighbors<double>{.k = 4}; }
};
struct als_component : recommender_component {
    static constexpr std::string_view name = "als";
    static constexpr bool random = true;
    auto recipe() const { return als<double>{.n_factors = 4, .epochs = 2}; }
};
template <std::size_t Factors>
struct sgd_component : recommender_component {
    static constexpr std::string_view name = Factors == 0 ? "sgd_factorization, biases alone" : "sgd_factorization";
    static constexpr bool random = true;
    auto recipe() const { return sgd_factorization<double>{.n_factors = Factors, .epochs = 3}; }
};
struct histories_component : deterministic {
    static constexpr std::array skipped{skip{"C37", "there are no columns: items that a model has not seen are checked with each component"}};
    static constexpr std::size_t nan_column = 0;  // the row alone says where
    auto data(std::size_t rows, std::uint64_t seed) const { return customers_of_a_shop(rows, seed); }
};
struct rfm_component : histories_component {
    static constexpr std::string_view name = "rfm | standardize";
    auto recipe() const { return rfm<float>{} | standardize<float>{}; }
};
struct purchase_rhythm_component : histories_component {
    static constexpr std::string_view name = "purchase_rhythm | standardize";
    auto recipe() const { return purchase_rhythm<double>{.months = 3} | standardize<double>{}; }
};
struct customer_states_component : histories_component {
    static constexpr std::string_view name = "customer_states";
    auto recipe() const { return customer_states{.recency_days = {20, 60}}; }
};
struct items_component : histories_component {
    static constexpr bool random = true;
    static constexpr std::array skipped{histories_component::skipped[0], skip{"C04", "quantities and prices are not looked at"}};
};
struct factors_of_component : items_component {
    static constexpr std::string_view name = "factors_of(als)";
    auto recipe() const { return factors_of(als<double>{.n_factors = 4, .epochs = 2}); }
};
struct bought_text_component : items_component {
    static constexpr std::string_view name = "bought_text(word_tokenizer | bag_of...)";
    auto recipe() const { return bought_text(word_tokenizer{} | bag_of_embeddings<float>{.dim = 5}); }
};
struct churn_features_component : items_component {
    static constexpr std::string_view name = "concat(rfm, rhythm, factors, text)";
    static constexpr std::array skipped{histories_component::skipped[0]};
    auto recipe() const {
        return concat(rfm<float>{}, purchase_rhythm<float>{}, factors_of(als<float>{.n_factors = 3, .epochs = 2}),
                      bought_text(word_tokenizer{} | bag_of_embeddings<float>{.dim = 3})) |
               standardize<float>{};
    }
};
}  // namespace
}  // namespace contract

using namespace contract;

TEST_CASE("contract: histories", "[contract]") {
    check_component(rfm_component{});
    check_component(purchase_rhythm_component{});
    check_component(customer_states_component{});
    check_component(factors_of_component{});
    check_component(bought_text_component{});
    check_component(churn_features_component{});
}

TEST_CASE("contract: recommenders", "[contract]") {
    check_component(popularity_component{});
    check_component(item_neighbors_component{});
    check_component(customer_neighbors_component{});
    check_component(als_component{});
    check_component(sgd_component<4>{});
    check_component(sgd_component<0>{});
}
