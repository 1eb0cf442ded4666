#ifndef CARAMEL_RECIPES_TABLE_CLASSIFIER_HPP
#define CARAMEL_RECIPES_TABLE_CLASSIFIER_HPP

// A classifier of tables with nothing to set: churn, lead scoring, response to an offer.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <caramel/evaluate/cross_validation.hpp>
#include <caramel/evaluate/metrics.hpp>
#include <caramel/evaluate/search.hpp>
#include <caramel/evaluate/stacked.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/trees/boosted_trees.hpp>

namespace caramel::inline CARAMEL_ABI {

/// From the named columns to standardized numbers: missing values filled in, categories as 0 and 1.
template <class T>
[[nodiscard]] auto table_features(std::vector<std::string> names) {
    return columns(std::move(names)) | impute{} | encode<T>{} | standardize<T>{};
}

/// Boosted trees of several depths and numbers, the simplest first; the one with the lowest log loss on rows held out, of
/// three folds of the training rows.
template <class T>
[[nodiscard]] auto searched_trees() {
    std::vector<boosted_trees<T>> candidates;
    for (const std::size_t depth : {2U, 3U, 4U, 6U})
        for (const std::size_t trees : {100U, 250U}) candidates.push_back({.n_trees = trees, .max_depth = depth});
    return best_of(std::move(candidates), by_log_loss{}, fold_plan{.k = 3});
}
/// Networks of one hidden layer, each with its own strength of the L2 penalty; chosen as `searched_trees` are.
template <class T>
[[nodiscard]] auto searched_networks() {
    std::vector<mlp<T>> candidates;
    for (const double l2 : {0.03, 0.01, 0.003}) candidates.push_back({.hidden = {16}, .epochs = 40, .learning_rate = 2e-3, .l2 = l2});
    return best_of(std::move(candidates), by_log_loss{}, fold_plan{.k = 3});
}

/// A classifier of tables: logistic regression, boosted trees and a network, each with its hyperparameters chosen by
/// cross-validation within the training rows, mixed by what they say of rows that they have not learnt from. The mixture is
/// calibrated by its making. `names` are the columns to learn from: `fit(table_classifier<float>({"tenure", "contract"}),
/// customers, left)`. Learns some forty classifiers, which takes seconds for thousands of rows; `threads` helps.
template <class T = float>
[[nodiscard]] auto table_classifier(std::vector<std::string> names) {
    return table_features<T>(std::move(names)) | stacked(logistic<T>{}, searched_trees<T>(), searched_networks<T>());
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
