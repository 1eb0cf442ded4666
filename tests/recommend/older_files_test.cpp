// Files of recommenders that had fewer fields load, and answer as they did.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/io/model_file.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>

using namespace caramel;

namespace {

struct old_popularity {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "popularity";
    interactions<float> purchases;
    int operator()(const int& x) const { return x; }
    static constexpr std::array field_names{"purchases"};
    [[nodiscard]] auto fields() const { return std::tie(purchases); }
};
struct old_customer_neighbors {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "customer_neighbors";
    interactions<float> purchases;
    std::vector<std::int64_t> starts;
    std::vector<std::int32_t> ids;
    std::vector<float> similarities;
    std::size_t k;
    double shrinkage;
    weighting weights;
    int operator()(const int& x) const { return x; }
    static constexpr std::array field_names{"purchases", "starts", "neighbors", "similarities", "k", "shrinkage", "weights"};
    [[nodiscard]] auto fields() const { return std::tie(purchases, starts, ids, similarities, k, shrinkage, weights); }
};

}  // namespace

TEST_CASE("files of popularity and customer_neighbors without the later fields load", "[popularity][neighbors][io]") {
    const auto x = interactions<float>::of(random_log(30, 20, 0.2, 3));
    const std::vector<query> asked{{.customer = 4, .n = 20}, {.customer = 7, .n = 5, .exclude_seen = false}};

    const auto old_counts = to_bytes(old_popularity{x});
    CHECK(load<popularity_model<float>>(std::span(old_counts))(asked) == fit(popularity<float>{}, x)(asked));

    const auto now = fit(customer_neighbors<float>{.k = 5}, x);
    const auto& [purchases, starts, ids, similarities, k, shrinkage, weights, similarity, min_support] = now.fields();
    const auto old_lists = to_bytes(old_customer_neighbors{purchases, starts, ids, similarities, k, shrinkage, weights});
    CHECK(load<customer_neighbors_model<float>>(std::span(old_lists))(asked) == now(asked));
}
