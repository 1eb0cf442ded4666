#ifndef CARAMEL_TESTS_RECOMMEND_PLANTED_HPP
#define CARAMEL_TESTS_RECOMMEND_PLANTED_HPP

// A shop of known tastes: customers and items have three hidden numbers each, and customers buy what suits them, more of
// what everybody likes. Some purchases of each customer are held out.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "recommend/shop.hpp"

#include <caramel/core/random.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/recommend/query.hpp>

template <class T>
struct planted_shop {
    caramel::interactions<T> train, test;
    std::vector<std::array<double, 3>> customers, items;  // the hidden numbers
};

template <class T>
planted_shop<T> plant(int customers, int items, std::size_t bought, std::size_t held_out, std::uint64_t seed) {
    caramel::rng numbers(seed);
    const auto draw = [&](int n) {
        std::vector<std::array<double, 3>> out(static_cast<std::size_t>(n));
        for (auto& row : out)
            for (double& value : row) value = numbers.normal();
        return out;
    };
    planted_shop<T> out;
    out.customers = draw(customers);
    out.items = draw(items);
    std::vector<double> liked(out.items.size());
    for (double& value : liked) value = numbers.normal();
    std::vector<sale> train, test, all;
    for (int c = 0; c < customers; ++c) {
        std::vector<std::pair<double, int>> order;
        for (int i = 0; i < items; ++i) {
            double score = liked[static_cast<std::size_t>(i)];
            for (std::size_t k = 0; k < 3; ++k) score += 1.5 * out.customers[static_cast<std::size_t>(c)][k] * out.items[static_cast<std::size_t>(i)][k];
            order.emplace_back(score - std::log(-std::log(numbers.uniform() + 1e-300)), i);  // Gumbel: sampling by exp(score)
        }
        std::ranges::sort(order, std::greater<>());
        order.resize(bought);
        numbers.shuffle(std::span(order));
        for (std::size_t k = 0; k < bought; ++k) (k < held_out ? test : train).push_back({c, order[k].second});
        for (int i = 0; i < items && c == 0; ++i) all.push_back({c, i});
        all.push_back({c, 0});
    }
    const auto numbering = caramel::interactions<T>::of(all);
    const caramel::interactions_options alike{.customers = &numbering.customers(), .items = &numbering.items()};
    out.train = caramel::interactions<T>::of(train, alike);
    out.test = caramel::interactions<T>::of(test, alike);
    return out;
}

/// Of the items that a customer bought in neither log, the share that score below a held-out purchase, equal scores half:
/// the mean over a customer's purchases, and of those over the customers that have any.
template <class T, class Model>
double auc_of(const Model& model, const planted_shop<T>& shop) {
    double sum = 0, n = 0;
    for (std::size_t row = 0; row < shop.test.rows(); ++row) {
        const auto ranked = model(caramel::query{.customer = caramel::row_number{row}, .n = shop.test.items().size(), .exclude_seen = false});
        std::vector<double> score(shop.test.items().size());
        for (const auto& r : ranked) score[static_cast<std::size_t>(r.item)] = static_cast<double>(r.score);
        double mean = 0;
        for (const auto item : shop.test[row].items) {
            double below = 0, others = 0;
            for (std::size_t j = 0; j < score.size(); ++j) {
                const auto other = static_cast<std::int32_t>(j);
                if (shop.train.contains(row, other) || shop.test.contains(row, other)) continue;
                const double mine = score[static_cast<std::size_t>(item)];
                below += score[j] < mine ? 1 : score[j] == mine ? .5 : 0;
                others += 1;
            }
            mean += below / others / static_cast<double>(shop.test[row].size());
        }
        sum += mean;
        n += shop.test[row].size() > 0 ? 1 : 0;
    }
    return sum / n;
}

#endif
