// The protocol of He et al. (Neural Collaborative Filtering, WWW 2017) on their MovieLens 1M files: each user's latest item
// ranked among 100 items that the user has not rated.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

#include <caramel/data/interactions.hpp>
#include <caramel/evaluate/ranking.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/query.hpp>

using namespace caramel;

namespace {

// The integers of a line, whatever stands between them.
std::vector<std::int64_t> integers_of(const std::string& line) {
    std::vector<std::int64_t> out;
    const char* at = line.data();
    const char* const end = at + line.size();
    while (at != end) {
        std::int64_t number = 0;
        const auto [next, bad] = std::from_chars(at, end, number);
        if (bad == std::errc()) out.push_back(number);
        at = bad == std::errc() ? next : at + 1;
    }
    return out;
}

}  // namespace

TEST_CASE("ncf: popularity on MovieLens 1M, one among a hundred", "[popularity]") {
    SHARED_OR_SKIP(folder, "data/ml1m_ncf");
    struct entry {
        std::int64_t customer, item;
    };
    std::vector<entry> log;
    std::string line;
    for (std::ifstream file(folder / "ml-1m.train.rating"); std::getline(file, line);) {
        const auto numbers = integers_of(line);
        if (numbers.size() >= 2) log.push_back({numbers[0], numbers[1]});
    }
    REQUIRE(log.size() == 994'169);
    const auto x = interactions<float>::of(log);
    const auto model = fit(popularity<float>{}, x);

    // A line is "(user,item)" and then the items that the user has not rated; the tested item is one more candidate.
    std::vector<query> queries;
    ragged<std::int64_t> relevant;
    for (std::ifstream file(folder / "ml-1m.test.negative"); std::getline(file, line);) {
        const auto numbers = integers_of(line);
        if (numbers.size() < 3) continue;
        std::vector<any_id> candidates(numbers.begin() + 1, numbers.end());
        queries.push_back({.customer = numbers[0], .n = 10, .exclude_seen = false, .allow = std::move(candidates)});
        const auto wanted = x.items().find(numbers[1]);
        relevant.push_back(wanted ? static_cast<std::int64_t>(*wanted) : -1);
        relevant.close_row();
    }
    REQUIRE(queries.size() == 6040);
    const auto lists = model(queries);
    CHECK(hit_rate_at(10, lists, relevant).mean() == Approx(.4538).margin(5e-5).epsilon(0));
    CHECK(ndcg_at(10, lists, relevant).mean() == Approx(.2545).margin(5e-5).epsilon(0));
}
