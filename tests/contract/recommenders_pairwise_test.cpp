// Models learnt by comparing, through the common contract (docs/contract.md).
#include <vector>

#include <caramel/recommend/bpr.hpp>
#include <caramel/recommend/logistic_mf.hpp>
#include <caramel/recommend/warp.hpp>

#include "contract/data.hpp"

namespace contract {
namespace {

struct learnt_by_comparing {
    static constexpr bool random = true;
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
    // Of one customer or of one item, all that is known is asked for with a history.
    auto safe_queries() const { return std::vector<query>{{.history = std::vector<past_purchase>{{4, 1}}}}; }
};
struct bpr_component : learnt_by_comparing {
    static constexpr std::string_view name = "bpr";
    auto recipe() const { return bpr<double>{.n_factors = 4, .epochs = 3}; }
};
struct warp_component : learnt_by_comparing {
    static constexpr std::string_view name = "warp";
    auto recipe() const { return warp<double>{.n_factors = 4, .epochs = 3}; }
};
struct logistic_mf_component : learnt_by_comparing {
    static constexpr std::string_view name = "logistic_mf";
    auto recipe() const { return logistic_mf<double>{.n_factors = 4, .epochs = 3, .negatives = 2}; }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEMPLATE_TEST_CASE("contract: models learnt by comparing", "[contract]", bpr_component, warp_component, logistic_mf_component) { check_component(TestType{}); }
