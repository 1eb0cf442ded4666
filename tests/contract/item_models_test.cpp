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
    auto recipe() const { return popularity<float>{.half_life_days = 3}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return dated(rows, seed, 12); }
    auto constant() const { return dated(20, 1, 1); }

   private:
    struct entry {
        int customer, item;
        std::chrono::sys_seconds time;
    };
    static interactions<float> dated(std::size_t rows, std::uint64_t seed, std::uint64_t items) {
        rng numbers(seed);
        std::vector<entry> log;
        for (std::size_t row = 0; row < rows; ++row)
            for (int k = 0; k < 3; ++k)
                log.push_back({static_cast<int>(row), static_cast<int>(numbers.below(items)), std::chrono::sys_seconds(std::chrono::hours(k * 24))});
        return interactions<float>::of(log);
    }
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

TEMPLATE_TEST_CASE("contract: recommenders between items", "[contract]", recent_popularity_component, ease_component, slim_component, rp3beta_component,
                   bm25_component, blend_component, trending_component) {
    check_component(TestType{});
}
