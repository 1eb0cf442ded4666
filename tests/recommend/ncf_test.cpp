#include "recommend/ncf.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/popularity.hpp>

using namespace caramel;

TEST_CASE("popularity: MovieLens 1M, one among a hundred", "[popularity]") {
    SHARED_OR_SKIP(folder, "data/ml1m_ncf");
    const auto log = ncf::training(folder);
    REQUIRE(log.size() == 994'169);
    const auto test = ncf::test(folder);
    REQUIRE(test.size() == 6040);
    const auto found = ncf::judge(fit(popularity<float>{}, interactions<float>::of(log)), test);
    CHECK(found.hit_rate == Approx(.4538).margin(5e-5).epsilon(0));
    CHECK(found.ndcg == Approx(.2545).margin(5e-5).epsilon(0));
}
