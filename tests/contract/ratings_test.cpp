// Models of ratings, and ways to solve alternating least squares, through the common contract (docs/contract.md).
#include <limits>
#include <string>
#include <vector>

#include <caramel/recommend/als.hpp>
#include <caramel/recommend/als_ratings.hpp>
#include <caramel/recommend/rating_baseline.hpp>
#include <caramel/recommend/rating_neighbors.hpp>
#include <caramel/recommend/slope_one.hpp>
#include <caramel/recommend/svdpp.hpp>

#include "contract/data.hpp"
#include "support/catch.hpp"

namespace contract {
namespace {

struct rating_baseline_component : recommender_component {
    static constexpr std::string_view name = "rating_baseline";
    auto recipe() const { return rating_baseline<double>{}; }
};
struct slope_one_component : recommender_component {
    static constexpr std::string_view name = "slope_one";
    auto recipe() const { return slope_one<double>{}; }
};
template <rating_side Side>
struct rating_neighbors_component : recommender_component {
    static constexpr std::string_view name = Side == rating_side::items ? "rating_neighbors, of items" : "rating_neighbors, of customers";
    auto recipe() const {
        rating_neighbors<double> out{.side = Side, .k = 4};
        if (Side == rating_side::customers) out.similarity = rating_similarity::msd;
        return out;
    }
};
struct svdpp_component : recommender_component {
    static constexpr std::string_view name = "svdpp";
    static constexpr bool random = true;
    auto recipe() const { return svdpp<double>{.n_factors = 4, .epochs = 3}; }
};

struct als_by_steps_component : recommender_component {
    static constexpr bool random = true;
    static constexpr std::string_view name = "als, conjugate gradients";
    auto recipe() const { return als<double>{.n_factors = 4, .epochs = 2, .solver = als_solver::conjugate_gradient}; }
};
struct als_ratings_component : recommender_component {
    static constexpr bool random = true;
    static constexpr std::string_view name = "als_ratings";
    auto recipe() const { return als_ratings<double>{.n_factors = 4, .epochs = 2}; }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEST_CASE("contract: models of ratings", "[contract]") {
    check_component(als_by_steps_component{});
    check_component(als_ratings_component{});
    check_component(rating_baseline_component{});
    check_component(slope_one_component{});
    check_component(rating_neighbors_component<rating_side::items>{});
    check_component(rating_neighbors_component<rating_side::customers>{});
    check_component(svdpp_component{});
}
