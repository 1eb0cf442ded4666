#ifndef CARAMEL_EXPLAIN_IMPORTANCE_HPP
#define CARAMEL_EXPLAIN_IMPORTANCE_HPP

// What a model makes of its columns as a whole: how much worse it gets without one, and how its answer follows one.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/rows.hpp>
#include <caramel/explain/mixture.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How often `permutation_importance` shuffles, and by which seed.
struct importance_options {
    std::size_t repeats = 5;  ///< permutations a column; 0 = all there are, for up to 8 rows
    std::uint64_t seed = 0;
};

/// What `permutation_importance` found, one number a column.
struct importances {
    double score = 0;               ///< with the columns as they are
    std::vector<double> drops;      ///< how much the score falls on average when the column is permuted
    std::vector<double> deviations; ///< of the drops over the repeats (divisor: repeats)
};

namespace detail {

// x with column c in the order of `rows`.
template <class X>
X with_permuted(const X& x, std::size_t c, std::span<const std::size_t> rows) {
    if constexpr (TableLike<X>) {
        return with_columns(x, [&](std::size_t k) { return k == c ? x.column(k).take_rows(rows) : x.column(k); });
    } else {
        X out = x;
        for (std::size_t i = 0; i < rows.size(); ++i)
            out(static_cast<row_index>(i), static_cast<row_index>(c)) = x(static_cast<row_index>(rows[i]), static_cast<row_index>(c));
        return out;
    }
}
// x with the same value in all of column c.
template <class X, class Value>
X with_constant(const X& x, std::size_t c, const Value& value) {
    if constexpr (TableLike<X>) {
        return with_columns(x, [&](std::size_t k) {
            using Column = std::remove_cvref_t<decltype(x.column(k))>;
            if (k != c) return Column(x.column(k));
            if constexpr (std::is_arithmetic_v<Value>) {
                using type = decltype(x.column(k).type());
                const bool whole = x.column(k).type() == type::integer;
                require(whole || x.column(k).type() == type::number, errc::wrong_column_type, "partial_dependence: column \"", x.names()[k], "\" holds no numbers");
                require(!whole || (std::floor(value) == value && std::abs(value) < 1e15), errc::bad_parameter, "partial_dependence: column \"", x.names()[k],
                        "\" holds whole numbers, the grid does not");
                if (whole) return Column(std::vector<std::int64_t>(x.rows(), static_cast<std::int64_t>(value)));
                return Column(std::vector<double>(x.rows(), static_cast<double>(value)));
            } else {
                using type = decltype(x.column(k).type());
                require(x.column(k).type() == type::category, errc::wrong_column_type, "partial_dependence: column \"", x.names()[k], "\" holds no texts");
                return Column(std::vector<std::string>(x.rows(), std::string(value)));
            }
        });
    } else {
        X out = x;
        out.col(static_cast<row_index>(c)).setConstant(static_cast<typename X::Scalar>(value));
        return out;
    }
}

template <class Model, class X, class Value>
std::vector<double> dependence(const Model& model, const X& x, std::size_t column, const std::vector<Value>& grid, std::size_t output) {
    constexpr std::string_view who = "partial_dependence";
    require(x.rows() > 0, errc::empty_input, who, ": there are no rows");
    require(column < columns_of(x), errc::bad_parameter, who, ": column ", column, " is wanted, there are ", columns_of(x));
    std::vector<double> out;
    for (const Value& value : grid) {
        const auto answers = answers_of(model, with_constant(x, column, value), output, who);
        out.push_back(std::accumulate(answers.begin(), answers.end(), 0.0) / static_cast<double>(answers.size()));
    }
    return out;
}

}  // namespace detail

/// How much worse `metric(model(x), y)`, of which more is better, gets when a column is permuted, so that it says nothing any
/// more (Breiman, Machine Learning 45, 2001; Fisher, Rudin & Dominici, JMLR 20, 2019). `x` is a matrix or a table, best of rows
/// that the model was not trained on; `y` whatever the metric takes. Of columns that say the same, such as the levels of a
/// category after encoding, each alone is of little importance: ask a chain that begins with the table.
/// Throws `error`: `too_few_rows` below 2; `shape_mismatch` on another number of targets; `limit_exceeded` where all
/// permutations of more than 8 rows are wanted; `nan_or_inf` where the metric is not finite; and what the model throws.
template <class Model, class X, class Y, class Metric>
[[nodiscard]] importances permutation_importance(const Model& model, const X& x, const Y& y, const Metric& metric, const importance_options& options = {}) {
    constexpr std::string_view who = "permutation_importance";
    const auto rows = static_cast<std::size_t>(x.rows());
    require(rows >= 2, errc::too_few_rows, who, ": ", rows, " rows, 2 are needed to permute");
    require(detail::row_count(y) == rows, errc::shape_mismatch, who, ": ", rows, " rows but ", detail::row_count(y), " targets");
    require(options.repeats > 0 || rows <= 8, errc::limit_exceeded, who, ": all permutations are wanted of ", rows, " rows, which is possible up to 8");
    const auto score = [&](const X& of) {
        const double s = static_cast<double>(metric(model(of), y));
        require(std::isfinite(s), errc::nan_or_inf, who, ": the metric is not finite");
        return s;
    };
    importances out{score(x), {}, {}};
    const rng numbers = rng(options.seed).split("permutation_importance");
    for (std::size_t c = 0; c < detail::columns_of(x); ++c) {
        std::vector<double> drops;
        rng own = numbers.split(c);
        std::vector<std::size_t> order(rows);
        std::iota(order.begin(), order.end(), std::size_t{0});
        do {
            if (options.repeats > 0) order = own.permutation(rows);
            drops.push_back(out.score - score(detail::with_permuted<X>(x, c, order)));
        } while (options.repeats > 0 ? drops.size() < options.repeats : std::next_permutation(order.begin(), order.end()));
        const auto n = static_cast<double>(drops.size());
        const double mean = std::accumulate(drops.begin(), drops.end(), 0.0) / n;
        double square = 0;
        for (const double d : drops) square += (d - mean) * (d - mean);
        out.drops.push_back(mean);
        out.deviations.push_back(std::sqrt(square / n));
    }
    return out;
}

/// The model's mean answer over the rows of `x` where a column (from 0) has each value of `grid` in all of them (Friedman,
/// Annals of Statistics 29(5), 2001). Asks about combinations that may not exist where the column goes along with others.
/// Throws `error`: `empty_input`; `bad_parameter` on a column that there is not; `shape_mismatch`; what the model throws.
template <class Model, class T>
[[nodiscard]] std::vector<double> partial_dependence(const Model& model, const matrix<T>& x, std::size_t column, const std::type_identity_t<std::vector<T>>& grid,
                                                     std::size_t output = last_output) {
    return detail::dependence(model, x, column, grid, output);
}
/// The same of a chain that begins with a table: `column` is a name, and `grid` numbers or, of a category, texts.
/// Throws also `missing_column`; `wrong_column_type`.
template <class Model, detail::TableLike Table, class Value>
[[nodiscard]] std::vector<double> partial_dependence(const Model& model, const Table& x, std::string_view column, const std::vector<Value>& grid,
                                                     std::size_t output = last_output) {
    return detail::dependence(model, x, x.position(column), grid, output);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
