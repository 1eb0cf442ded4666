// Factorizations by alternating least squares, through the common contract (docs/contract.md).
#include <vector>

#include <caramel/recommend/als.hpp>
#include <caramel/recommend/als_ratings.hpp>

#include "contract/data.hpp"

namespace contract {
namespace {

struct als_family_component : deterministic {
    static constexpr std::array skipped{skip{"C04", "interactions refuse what is not finite when they are made"},
                                        skip{"C37", "there are no columns: unknown ids are checked with each recommender"}};
    static constexpr bool random = true;
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
struct als_by_steps_component : als_family_component {
    static constexpr std::string_view name = "als, conjugate gradients";
    auto recipe() const { return als<double>{.n_factors = 4, .epochs = 2, .solver = als_solver::conjugate_gradient}; }
};
struct als_ratings_component : als_family_component {
    static constexpr std::string_view name = "als_ratings";
    auto recipe() const { return als_ratings<double>{.n_factors = 4, .epochs = 2}; }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEMPLATE_TEST_CASE("contract: alternating least squares", "[contract]", als_by_steps_component, als_ratings_component) { check_component(TestType{}); }
