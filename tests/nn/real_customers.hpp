#ifndef CARAMEL_TESTS_NN_REAL_CUSTOMERS_HPP
#define CARAMEL_TESTS_NN_REAL_CUSTOMERS_HPP

// Public data on customers who stayed or left, folded as the oracles were (oracles/tabular.md).
#include <cstddef>
#include <cstdint>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/pipeline.hpp>

#include "support/churn_data.hpp"

struct figures {
    double auc = 0, log_loss = 0;
};
// Test fold k: the rows whose number, from 0, leaves the remainder k when divided by 5.
template <class Recipe>
figures five_folds(const customers& all, const Recipe& recipe) {
    figures mean;
    const caramel::matrix<float> x = all.x.cast<float>();
    for (caramel::row_index fold = 0; fold < 5; ++fold) {
        std::vector<caramel::row_index> train, test;
        for (caramel::row_index i = 0; i < x.rows(); ++i) (i % 5 == fold ? test : train).push_back(i);
        const auto labels = [&](const std::vector<caramel::row_index>& rows) {
            std::vector<int> y;
            for (const caramel::row_index i : rows) y.push_back(all.y[static_cast<std::size_t>(i)]);
            return y;
        };
        const caramel::matrix<float> x_train = x(train, Eigen::all), x_test = x(test, Eigen::all);
        const auto model = caramel::fit(recipe, x_train, labels(train), {.seed = static_cast<std::uint64_t>(fold)});
        const caramel::matrix<float> p = model(x_test);
        mean.auc += caramel::auc(p, labels(test)) / 5;
        mean.log_loss += caramel::log_loss(p, labels(test)) / 5;
    }
    return mean;
}

#endif
