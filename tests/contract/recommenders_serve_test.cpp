// Popularity with a half-life, through the common contract (docs/contract.md).
#include <chrono>
#include <vector>

#include <caramel/recommend/popularity.hpp>

#include "contract/data.hpp"

namespace contract {
namespace {

struct recent_popularity_component : deterministic {
    static constexpr std::string_view name = "popularity, half-life";
    static constexpr std::array skipped{skip{"C04", "interactions refuse what is not finite when they are made"},
                                        skip{"C37", "there are no columns: unknown ids are checked with each recommender"}};
    auto recipe() const { return popularity<float>{.half_life_days = 3}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return dated(rows, seed, 12); }
    auto constant() const { return dated(20, 1, 1); }
    auto queries(std::uint64_t seed) const { return ask(seed); }
    auto safe_queries() const { return std::vector<query>{{.history = std::vector<past_purchase>{{4, 1}}}}; }

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

}  // namespace
}  // namespace contract

TEST_CASE("contract: popularity with a half-life", "[contract]") { contract::check_component(contract::recent_popularity_component{}); }
