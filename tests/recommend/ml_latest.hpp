#ifndef CARAMEL_TESTS_RECOMMEND_ML_LATEST_HPP
#define CARAMEL_TESTS_RECOMMEND_ML_LATEST_HPP

// MovieLens ml-latest-small of 2016, every rating counted as 1; the last item of each user by (time, id) is held out.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

#include <caramel/data/interactions.hpp>
#include <caramel/evaluate/ranking.hpp>
#include <caramel/recommend/query.hpp>

template <class T>
struct held_out_last {
    caramel::interactions<T> train, test;
};

template <class T>
held_out_last<T> ml_latest_small(const std::filesystem::path& ratings) {
    struct rating {
        std::int64_t customer, item, time;
    };
    std::ifstream file(ratings);
    std::string line;
    std::getline(file, line);
    std::vector<rating> all;
    while (std::getline(file, line)) {
        rating r{};
        const char* const end = line.data() + line.size();
        const char* at = std::from_chars(line.data(), end, r.customer).ptr + 1;
        at = std::from_chars(at, end, r.item).ptr + 1;
        std::from_chars(std::find(at, end, ',') + 1, end, r.time);
        all.push_back(r);
    }
    REQUIRE(all.size() == 100'004);
    std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> last;
    for (const auto& r : all) last[r.customer] = std::max(last[r.customer], std::pair(r.time, r.item));
    std::vector<rating> train, test;
    for (const auto& r : all) (last[r.customer] == std::pair(r.time, r.item) ? test : train).push_back(r);

    struct entry {
        std::int64_t customer, item;
    };
    const auto pairs = [](const std::vector<rating>& from) {
        std::vector<entry> out;
        for (const auto& r : from) out.push_back({r.customer, r.item});
        return out;
    };
    const auto numbering = caramel::interactions<T>::of(pairs(all));
    const caramel::interactions_options alike{.customers = &numbering.customers(), .items = &numbering.items()};
    held_out_last<T> out{caramel::interactions<T>::of(pairs(train), alike), caramel::interactions<T>::of(pairs(test), alike)};
    REQUIRE(out.train.pairs() == 99'333);
    REQUIRE(out.train.rows() == 671);
    REQUIRE(out.train.items().size() == 9066);
    return out;
}

struct expected_ranking {
    double hit_rate_10, ndcg_10, hit_rate_20, ndcg_20, mrr;
};
template <class T, class Model>
void check_ranking(const Model& model, const caramel::interactions<T>& test, const expected_ranking& expected) {
    const auto task = caramel::ranking_task_of(test, test.items().size());
    const auto ranked = model(task.queries);
    const auto near = [](double value) { return Approx(value).margin(1e-6).epsilon(0); };
    CHECK(caramel::hit_rate_at(10, ranked, task.relevant).mean() == near(expected.hit_rate_10));
    CHECK(caramel::ndcg_at(10, ranked, task.relevant).mean() == near(expected.ndcg_10));
    CHECK(caramel::recall_at(20, ranked, task.relevant).mean() == near(expected.hit_rate_20));
    CHECK(caramel::ndcg_at(20, ranked, task.relevant).mean() == near(expected.ndcg_20));
    CHECK(caramel::reciprocal_rank_at(test.items().size(), ranked, task.relevant).mean() == near(expected.mrr));
}

#endif
