// Models of ratings through the common contract (docs/contract.md).
#include <limits>
#include <string>
#include <vector>

#include <caramel/recommend/rating_baseline.hpp>
#include <caramel/recommend/rating_neighbors.hpp>
#include <caramel/recommend/slope_one.hpp>
#include <caramel/recommend/svdpp.hpp>

#include "contract/data.hpp"

namespace contract {
namespace {

struct rating_component : deterministic {
    static constexpr std::array skipped{skip{"C04", "interactions refuse what is not finite when they are made"},
                                        skip{"C37", "there are no columns: unknown ids are checked with each recommender"}};
    auto data(std::size_t rows, std::uint64_t seed) const { return purchases(rows, seed); }
    auto constant() const {
        struct entry {
            int customer, item;
        };
        std::vector<entry> same;
        for (int c = 0; c < 20; ++c) same.push_back({c, 4});
        return interactions<double>::of(same);
    }
    auto queries(std::uint64_t seed) const { return ask(seed); }
    auto safe_queries() const { return std::vector<query>{{.history = std::vector<past_purchase>{{4, 1}}}}; }
};
struct rating_baseline_component : rating_component {
    static constexpr std::string_view name = "rating_baseline";
    auto recipe() const { return rating_baseline<double>{}; }
};
struct slope_one_component : rating_component {
    static constexpr std::string_view name = "slope_one";
    auto recipe() const { return slope_one<double>{}; }
};
template <rating_side Side>
struct rating_neighbors_component : rating_component {
    static constexpr std::string_view name = Side == rating_side::items ? "rating_neighbors, of items" : "rating_neighbors, of customers";
    auto recipe() const {
        rating_neighbors<double> out{.side = Side, .k = 4};
        if (Side == rating_side::customers) out.similarity = rating_similarity::msd;
        return out;
    }
};
struct svdpp_component : rating_component {
    static constexpr std::string_view name = "svdpp";
    static constexpr bool random = true;
    auto recipe() const { return svdpp<double>{.n_factors = 4, .epochs = 3}; }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEMPLATE_TEST_CASE("contract: models of ratings", "[contract]", rating_baseline_component, slope_one_component, rating_neighbors_component<rating_side::items>,
                   rating_neighbors_component<rating_side::customers>, svdpp_component) {
    check_component(TestType{});
}
