#ifndef CARAMEL_RECIPES_TABLE_CLASSIFIER_HPP
#define CARAMEL_RECIPES_TABLE_CLASSIFIER_HPP

// A classifier of tables with nothing to set: churn, lead scoring, response to an offer.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/data/table.hpp>
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

/// The columns of a table that `table_features` can learn from in any larger part of its rows, in their order: numbers, and
/// categories of at most a level for every five rows (those with more are ids or free text), with a value in at least a tenth
/// of the rows. Times are left out (see `date_parts`), and so are the columns named in `but`, such as the target.
/// Throws `error`: `empty_input` (no rows), `bad_data` where no column is left.
template <class Names = std::vector<std::string>>
[[nodiscard]] std::vector<std::string> learnable_columns(const table& rows, const Names& but = {}) {
    require(rows.rows() > 0, errc::empty_input, "learnable_columns: the table has no rows");
    std::vector<std::string> out;
    for (const auto& name : rows.names()) {
        if (std::find(but.begin(), but.end(), name) != std::ranges::end(but)) continue;
        const table_column& column = rows.column(name);
        if (column.type() == column_type::timestamp) continue;
        std::size_t present = 0;
        for (std::size_t i = 0; i < rows.rows(); ++i) present += column.missing(i) ? 0 : 1;
        if (present == 0 || 10 * present < rows.rows()) continue;
        if (column.type() == column_type::category) {
            const category_view texts = column.categories();
            std::vector<bool> seen(texts.levels.size());
            for (const std::int32_t code : texts.codes)
                if (code >= 0) seen[static_cast<std::size_t>(code)] = true;
            const auto levels = static_cast<std::size_t>(std::count(seen.begin(), seen.end(), true));
            if (levels > std::clamp<std::size_t>(rows.rows() / 5, 2, encode<float>{}.max_levels)) continue;
        }
        out.push_back(name);
    }
    require(!out.empty(), errc::bad_data, "learnable_columns: none of ", rows.columns(), " columns can be learnt from");
    return out;
}

/// From the named columns to standardized numbers: missing values filled in, categories as 0 and 1.
template <class T>
[[nodiscard]] auto table_features(std::vector<std::string> names) {
    auto to_numbers = impute{} | encode<T>{} | standardize<T>{};
    return columns(std::move(names)) | std::move(to_numbers);
}

/// Boosted trees of several depths, the simplest first: larger steps for tables in which few columns matter, small ones on
/// drawn columns for larger tables. The one with the lowest log loss on rows held out, of three folds of the training rows.
template <class T>
[[nodiscard]] auto searched_trees() {
    std::vector<boosted_trees<T>> candidates{{.n_trees = 100, .max_depth = 2}, {.n_trees = 250, .max_depth = 2}, {.n_trees = 150, .max_depth = 3},
                                             {.n_trees = 100, .max_depth = 4}, {.n_trees = 100, .max_depth = 6}, {.n_trees = 200, .max_depth = 6}};
    for (const std::size_t depth : {4U, 6U}) candidates.push_back({.n_trees = 250, .max_depth = depth, .learning_rate = 0.02, .row_share = 0.7, .column_share = 0.4});
    return best_of(std::move(candidates), by_log_loss{}, fold_plan{.k = 3});
}
/// Networks of one hidden layer, each with its own strength of the L2 penalty; chosen as `searched_trees` are.
template <class T>
[[nodiscard]] auto searched_networks() {
    std::vector<mlp<T>> candidates;
    for (const double l2 : {0.03, 0.01, 0.003}) candidates.push_back({.hidden = {16}, .epochs = 40, .learning_rate = 2e-3, .l2 = l2});
    return best_of(std::move(candidates), by_log_loss{}, fold_plan{.k = 3});
}

/// The classifiers that `table_classifier` mixes, for features that are numbers already.
template <class T>
[[nodiscard]] auto mixed_classifier() {
    return stacked(logistic<T>{}, searched_trees<T>(), searched_networks<T>());
}

/// A classifier of tables: logistic regression, boosted trees and a network, each with its hyperparameters chosen by
/// cross-validation within the training rows, mixed by what they say of rows that they have not learnt from. The mixture is
/// calibrated by its making. `names` are the columns to learn from: `fit(table_classifier<float>({"tenure", "contract"}),
/// customers, left)`. Learns some forty classifiers, which takes seconds for thousands of rows; `threads` helps.
template <class T = float>
[[nodiscard]] auto table_classifier(std::vector<std::string> names) {
    return table_features<T>(std::move(names)) | mixed_classifier<T>();
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
