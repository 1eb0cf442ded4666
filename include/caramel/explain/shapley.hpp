#ifndef CARAMEL_EXPLAIN_SHAPLEY_HPP
#define CARAMEL_EXPLAIN_SHAPLEY_HPP

// Shapley values: the one way to share a prediction among the features that treats equal ones alike, gives nothing to those
// that do nothing, adds up, and is additive over models (Shapley 1953; Strumbelj & Kononenko, JMLR 11, 2010).
//
// Interventional: what a set of features is worth is the model's mean over the background rows with the row's values put
// into them. So a feature that the model does not use gets 0, however well it goes along with others.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>
#include <caramel/explain/explanation.hpp>
#include <caramel/explain/mixture.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Which output is explained, what counts as a feature, and how many orders of the features are drawn.
struct shapley_options {
    std::size_t output = last_output;  ///< which of the model's outputs
    /// Columns (from 0) that count as one feature, such as the levels of a category; each column in one group. Empty = every
    /// column is a feature of its own.
    std::vector<std::vector<std::size_t>> groups = {};
    std::size_t permutations = 50;     ///< of `sampled_shapley`: so many orders and their reverses, at least 1
    std::uint64_t seed = 0;            ///< of `sampled_shapley`
};

namespace detail {

inline constexpr std::size_t most_exact_features = 12;

template <class Game>
explanation exact_shares(const Game& game, std::string_view who) {
    const std::size_t n = game.players();
    require(n <= most_exact_features, errc::limit_exceeded, who, ": ", n, " features; at most ", most_exact_features, " are worked out exactly, more by sampled_shapley");
    const std::size_t all = (std::size_t{1} << n) - 1;
    explanation out{game.base(), std::vector<double>(n), game.prediction()};
    std::vector<double> worth = game.values(all, [](std::size_t set, std::size_t player) { return (set >> player & 1) != 0; });
    worth.push_back(game.prediction());
    worth[0] = game.base();
    std::vector<double> share(n);  // of the sets with k players: k! (n - k - 1)! / n!
    for (std::size_t k = 0; k < n; ++k) {
        share[k] = 1 / static_cast<double>(n);
        for (std::size_t i = 1; i <= k; ++i) share[k] *= static_cast<double>(i) / static_cast<double>(n - i);
    }
    for (std::size_t set = 0; set < all; ++set) {
        std::size_t size = 0;
        for (std::size_t j = 0; j < n; ++j) size += set >> j & 1;
        for (std::size_t j = 0; j < n; ++j)
            if ((set >> j & 1) == 0) out.contributions[j] += share[size] * (worth[set | std::size_t{1} << j] - worth[set]);
    }
    return out;
}

template <class Game>
explanation sampled_shares(const Game& game, const shapley_options& options, std::string_view who) {
    require(options.permutations >= 1, errc::bad_parameter, who, ": permutations = 0, must be at least 1");
    const std::size_t n = game.players();
    explanation out{game.base(), std::vector<double>(n), game.prediction()};
    if (n == 0) return out;
    const rng numbers = rng(options.seed).split("shapley");
    std::vector<std::size_t> place(n);
    for (std::size_t p = 0; p < options.permutations; ++p) {
        rng own = numbers.split(p);
        auto order = own.permutation(n);
        for (int reverse = 0; reverse < 2; ++reverse) {
            for (std::size_t k = 0; k < n; ++k) place[order[k]] = k;
            auto worth = game.values(n - 1, [&](std::size_t k, std::size_t player) { return place[player] <= k; });  // the first k + 1 of the order
            worth.push_back(game.prediction());
            double before = game.base();
            for (std::size_t k = 0; k < n; ++k) {
                out.contributions[order[k]] += worth[k] - before;
                before = worth[k];
            }
            std::reverse(order.begin(), order.end());
        }
    }
    for (double& c : out.contributions) c /= 2 * static_cast<double>(options.permutations);
    return out;
}

template <class T>
matrix<T> as_matrix(std::span<const T> row) {
    return Eigen::Map<const matrix<T>>(row.data(), 1, static_cast<row_index>(row.size()));
}

}  // namespace detail

/// The Shapley values of one row, exactly, of any model: a fitted chain, a lambda, whatever maps a matrix to a matrix or a
/// vector. Asks it about 2^features times as many rows as the background has (100 or so are enough, such as
/// `x.topRows(100)`), in batches.
/// Throws `error`: `limit_exceeded` from 13 features on; `empty_input` without a background; `shape_mismatch`;
/// `bad_parameter` on groups that are not every column once; `nan_or_inf`; and what the model throws.
template <class Model, class T>
[[nodiscard]] explanation exact_shapley(const Model& model, const matrix<T>& background, std::type_identity_t<std::span<const T>> row,
                                        const shapley_options& options = {}) {
    constexpr std::string_view who = "exact_shapley";
    const matrix<T> one = detail::as_matrix<T>(row);
    return detail::exact_shares(detail::coalition_game(model, background, one, options.groups, options.output, who), who);
}
/// The same of a chain that begins with a table: the features are the table's columns, a category as a whole. `row` is a table
/// of one row. Throws also `missing_column` and `wrong_column_type`.
template <class Model, detail::TableLike Table>
[[nodiscard]] explanation exact_shapley(const Model& model, const Table& background, const Table& row, const shapley_options& options = {}) {
    constexpr std::string_view who = "exact_shapley";
    return detail::exact_shares(detail::coalition_game(model, background, row.take_columns(background.names()), options.groups, options.output, who), who);
}

/// Shapley values from random orders of the features, each beside its reverse (Mitchell et al., JMLR 23, 2022): they add up
/// exactly, and each is off by a sampling error that falls with the root of `permutations` (of a model that is additive, or
/// has products of two features alone, it is none). Asks the model about 2 * permutations * (features - 1) times as many
/// rows as the background has. Throws `error` as `exact_shapley` does, for any number of features.
template <class Model, class T>
[[nodiscard]] explanation sampled_shapley(const Model& model, const matrix<T>& background, std::type_identity_t<std::span<const T>> row,
                                          const shapley_options& options = {}) {
    constexpr std::string_view who = "sampled_shapley";
    const matrix<T> one = detail::as_matrix<T>(row);
    return detail::sampled_shares(detail::coalition_game(model, background, one, options.groups, options.output, who), options, who);
}
template <class Model, detail::TableLike Table>
[[nodiscard]] explanation sampled_shapley(const Model& model, const Table& background, const Table& row, const shapley_options& options = {}) {
    constexpr std::string_view who = "sampled_shapley";
    return detail::sampled_shares(detail::coalition_game(model, background, row.take_columns(background.names()), options.groups, options.output, who), options, who);
}

/// `exact_shapley` for up to 12 features, `sampled_shapley` for more.
template <class Model, class T>
[[nodiscard]] explanation shapley(const Model& model, const matrix<T>& background, std::type_identity_t<std::span<const T>> row, const shapley_options& options = {}) {
    const std::size_t n = options.groups.empty() ? static_cast<std::size_t>(background.cols()) : options.groups.size();
    return n <= detail::most_exact_features ? exact_shapley(model, background, row, options) : sampled_shapley(model, background, row, options);
}
template <class Model, detail::TableLike Table>
[[nodiscard]] explanation shapley(const Model& model, const Table& background, const Table& row, const shapley_options& options = {}) {
    const std::size_t n = options.groups.empty() ? background.columns() : options.groups.size();
    return n <= detail::most_exact_features ? exact_shapley(model, background, row, options) : sampled_shapley(model, background, row, options);
}

/// The Shapley values of `row * coefficients + intercept`: coefficient * (value - mean of the background).
/// Throws `error`: `shape_mismatch`, `empty_input`, `nan_or_inf`.
template <class T>
[[nodiscard]] explanation linear_shapley(std::type_identity_t<std::span<const T>> coefficients, T intercept, const matrix<T>& background,
                                         std::type_identity_t<std::span<const T>> row) {
    constexpr std::string_view who = "linear_shapley";
    const std::size_t n = coefficients.size();
    require(std::cmp_equal(background.cols(), n) && row.size() == n, errc::shape_mismatch, who, ": ", n, " coefficients, ", row.size(), " values and a background of ",
            background.cols(), " columns");
    require(background.rows() > 0, errc::empty_input, who, ": the background has no rows");
    require_finite(background, who);
    require_finite(row, who);
    require_finite(coefficients, who);
    explanation out{static_cast<double>(intercept), std::vector<double>(n), static_cast<double>(intercept)};
    for (std::size_t j = 0; j < n; ++j) {
        double mean = 0;
        for (row_index i = 0; i < background.rows(); ++i) mean += static_cast<double>(background(i, static_cast<row_index>(j)));
        mean /= static_cast<double>(background.rows());
        const double w = static_cast<double>(coefficients[j]);
        out.base += w * mean;
        out.contributions[j] = w * (static_cast<double>(row[j]) - mean);
        out.prediction += w * static_cast<double>(row[j]);
    }
    return out;
}
/// The same of a linear model with `coefficients()` of (outputs, features) and `intercepts()`. It is the score that is taken
/// apart: of a `logistic_model` of two classes the log odds of class 1, its only one.
template <class Model, class T>
    requires requires(const Model& model) {
        model.coefficients().row(0);
        model.intercepts()(0);
    }
[[nodiscard]] explanation linear_shapley(const Model& model, const matrix<T>& background, std::type_identity_t<std::span<const T>> row, std::size_t output = last_output) {
    const auto outputs = static_cast<std::size_t>(model.coefficients().rows());
    require(output == last_output || output < outputs, errc::shape_mismatch, "linear_shapley: output ", output, " is wanted, the model has ", outputs);
    const auto k = static_cast<row_index>(output == last_output ? outputs - 1 : output);
    std::vector<T> coefficients(static_cast<std::size_t>(model.coefficients().cols()));
    for (std::size_t j = 0; j < coefficients.size(); ++j) coefficients[j] = static_cast<T>(model.coefficients()(k, static_cast<row_index>(j)));
    return linear_shapley<T>(coefficients, static_cast<T>(model.intercepts()(k)), background, row);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
