// Models learnt by comparing, and factorization machines, through the common contract (docs/contract.md).
#include <vector>

#include <caramel/recommend/bpr.hpp>
#include <caramel/recommend/factorization_machine.hpp>
#include <caramel/recommend/feature_factorization.hpp>
#include <caramel/recommend/logistic_mf.hpp>
#include <caramel/recommend/warp.hpp>

#include "contract/data.hpp"
#include "support/catch.hpp"

namespace contract {
namespace {

struct learnt_by_comparing : recommender_component {
    static constexpr bool random = true;
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
struct feature_component : learnt_by_comparing {
    static constexpr std::string_view name = "feature_factorization";
    auto recipe() const { return feature_factorization<double>{.loss = pair_loss::logistic, .n_factors = 4, .epochs = 3}; }
};
struct machine_component {
    static constexpr std::string_view name = "factorization_machine, sparse";
    static constexpr bool random = true;
    static constexpr std::array skipped{skip{"C04", "a sparse matrix refuses what is not finite when it is made"}};
    auto recipe() const { return factorization_machine<double>{.n_factors = 3, .epochs = 3}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return sparse_numbers(rows, seed, 9); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
    auto other_widths() const { return std::vector{sparse_numbers(5, 3, 0), sparse_numbers(5, 3, 8), sparse_numbers(5, 3, 10)}; }
    static constexpr std::string_view width_error = "shape_mismatch";
};
struct machine_regressor_component {
    static constexpr std::string_view name = "factorization_machine_regressor";
    static constexpr bool random = true;
    auto recipe() const { return factorization_machine_regressor<float>{.n_factors = 3, .epochs = 3}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<float>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t seed) const { return numbers<float>(rows, seed + 1, 1); }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEST_CASE("contract: models learnt by comparing", "[contract]") {
    check_component(bpr_component{});
    check_component(warp_component{});
    check_component(logistic_mf_component{});
    check_component(feature_component{});
    check_component(machine_component{});
    check_component(machine_regressor_component{});
}
