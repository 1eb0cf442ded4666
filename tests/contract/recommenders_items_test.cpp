// Models between items, through the common contract (docs/contract.md).
#include <string_view>
#include <vector>

#include <caramel/recommend/blend.hpp>
#include <caramel/recommend/ease.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/rp3beta.hpp>
#include <caramel/recommend/slim.hpp>

#include "contract/data.hpp"

namespace contract {
namespace {

struct between_items : deterministic {
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
struct ease_component : between_items {
    static constexpr std::string_view name = "ease";
    auto recipe() const { return ease<double>{.regularization = 5}; }
};
struct slim_component : between_items {
    static constexpr std::string_view name = "slim";
    auto recipe() const { return slim<double>{.l1 = 0.5, .non_negative = false}; }
};
struct rp3beta_component : between_items {
    static constexpr std::string_view name = "rp3beta";
    auto recipe() const { return rp3beta<double>{.k = 5}; }
};
struct bm25_component : between_items {
    static constexpr std::string_view name = "item_neighbors, bm25";
    auto recipe() const { return item_neighbors<double>{.k = 4, .similarity = neighbor_similarity::bm25}; }
};
struct blend_component : between_items {
    static constexpr std::string_view name = "blend(ease, rp3beta)";
    auto recipe() const { return blend<double>(ease<double>{.regularization = 5}, rp3beta<double>{.k = 5}); }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEMPLATE_TEST_CASE("contract: recommenders between items", "[contract]", ease_component, slim_component, rp3beta_component, bm25_component, blend_component) {
    check_component(TestType{});
}
