// Models between items, and popularity of late, through the common contract (docs/contract.md).
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include <caramel/recommend/blend.hpp>
#include <caramel/recommend/ease.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/rp3beta.hpp>
#include <caramel/recommend/slim.hpp>
#include <caramel/recommend/trending.hpp>

#include "contract/data.hpp"
#include "support/catch.hpp"

namespace contract {
namespace {

struct ease_component : recommender_component {
    static constexpr std::string_view name = "ease";
    auto recipe() const { return ease<double>{.regularization = 5}; }
};
struct slim_component : recommender_component {
    static constexpr std::string_view name = "slim";
    auto recipe() const { return slim<double>{.l1 = 0.5, .non_negative = false}; }
};
struct rp3beta_component : recommender_component {
    static constexpr std::string_view name = "rp3beta";
    auto recipe() const { return rp3beta<double>{.k = 5}; }
};
struct bm25_component : recommender_component {
    static constexpr std::string_view name = "item_neighbors, bm25";
    auto recipe() const { return item_neighbors<double>{.k = 4, .similarity = neighbor_similarity::bm25}; }
};
struct recent_popularity_component : recommender_component {
    static constexpr std::string_view name = "popularity, half-life";
    static constexpr std::array skipped{recommender_component::skipped[0], recommender_component::skipped[1],
                                        skip{"C06", "its purchases have no values that could come in parts"}};
    auto recipe() const { return popularity<float>{.half_life_days = 3}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return dated_purchases(rows, seed, 12); }
    auto constant() const { return dated_purchases(20, 1, 1); }
};
struct trending_component : recent_popularity_component {
    static constexpr std::string_view name = "trending(ease)";
    auto recipe() const { return trending<float>(ease<float>{.regularization = 5}, {.half_life_days = 3}); }
};
struct blend_component : recommender_component {
    static constexpr std::string_view name = "blend(ease, rp3beta)";
    auto recipe() const { return blend<double>(ease<double>{.regularization = 5}, rp3beta<double>{.k = 5}); }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEST_CASE("contract: recommenders between items", "[contract]") {
    check_component(recent_popularity_component{});
    check_component(ease_component{});
    check_component(slim_component{});
    check_component(rp3beta_component{});
    check_component(bm25_component{});
    check_component(blend_component{});
    check_component(trending_component{});
}
