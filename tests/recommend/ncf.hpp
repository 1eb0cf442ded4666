#ifndef CARAMEL_TESTS_RECOMMEND_NCF_HPP
#define CARAMEL_TESTS_RECOMMEND_NCF_HPP

// The leave-one-out protocol of He et al. (Neural Collaborative Filtering, WWW 2017) on their MovieLens 1M: each customer's
// latest item among 99 that the customer has not rated, HR@10 and NDCG@10. The rank is the number of those with a higher score.

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/recommend/query.hpp>

namespace ncf {

struct pair {
    std::int64_t customer, item;
};
struct question {
    std::int64_t customer;
    std::vector<std::int64_t> items;  // the first is the one held out
};
struct figures {
    double hit_rate = 0, ndcg = 0;
};

// The lines after the heading, as integers. Throws where one has fewer than `at_least`.
template <class Take>
void each_line(const std::filesystem::path& path, std::size_t at_least, const Take& take) {
    std::ifstream file(path, std::ios::binary);
    std::string line;
    caramel::require(file.good() && std::getline(file, line), caramel::errc::io, "cannot read ", path.string());
    for (std::size_t number = 2; std::getline(file, line); ++number) {
        std::vector<std::int64_t> numbers;
        const char* const end = line.data() + line.size();
        for (const char* at = line.data(); at < end;) {
            std::int64_t value = 0;
            const auto [next, bad] = std::from_chars(at, end, value);
            if (bad == std::errc()) numbers.push_back(value);
            at = bad == std::errc() ? next : at + 1;
        }
        caramel::require(numbers.size() >= at_least, caramel::errc::bad_data, path.string(), ": line ", number, " has ", numbers.size(), " numbers");
        take(numbers);
    }
}
inline std::vector<pair> training(const std::filesystem::path& folder) {
    std::vector<pair> out;
    each_line(folder / "train.tsv", 2, [&](const auto& n) { out.push_back({n[0], n[1]}); });
    return out;
}
inline std::vector<question> test(const std::filesystem::path& folder) {
    std::vector<question> out;
    each_line(folder / "test_negative.tsv", 3, [&](const auto& n) { out.push_back({n[0], {n.begin() + 1, n.end()}}); });
    return out;
}

/// Items that nobody took in training score 0.
template <class Model>
figures judge(const Model& model, const std::vector<question>& questions, const caramel::run_options& how = {}) {
    std::vector<figures> each(questions.size());
    caramel::parallel_for(questions.size(), how, [&](std::size_t i) {
        const auto& q = questions[i];
        std::vector<caramel::any_id> known;
        for (const auto item : q.items)
            if (model.items().find(item)) known.emplace_back(item);
        const auto scores = model.score(q.customer, known);
        const bool own_known = model.items().find(q.items.front()).has_value();
        const double own = own_known ? static_cast<double>(scores.front()) : 0;
        std::size_t rank = 0;
        for (const auto score : scores) rank += static_cast<double>(score) > own ? 1U : 0U;
        if (own < 0) rank += q.items.size() - known.size() - (own_known ? 0 : 1);
        if (rank < 10) each[i] = {1, 1 / std::log2(static_cast<double>(rank) + 2)};
    });
    figures mean;
    for (const auto& one : each) {
        mean.hit_rate += one.hit_rate / static_cast<double>(each.size());
        mean.ndcg += one.ndcg / static_cast<double>(each.size());
    }
    return mean;
}

}  // namespace ncf

#endif
