#ifndef CARAMEL_EXPLAIN_INTEGRATED_GRADIENTS_HPP
#define CARAMEL_EXPLAIN_INTEGRATED_GRADIENTS_HPP

// Integrated gradients (Sundararajan, Taly & Yan, ICML 2017): the gradient of a network's answer, added up along the way from
// a baseline to the row. Takes as long as some hundred to some thousand answers, however many features there are.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/explain/explanation.hpp>
#include <caramel/explain/mixture.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A model with a gradient: `input_gradient(model, x, output)` is (rows, features), the slope of the output by each feature.
/// That of networks is in <caramel/nn/input_gradient.hpp>; for a model of your own write the function beside it.
template <class Model, class T>
concept Differentiable = requires(const Model& model, const matrix<T>& x) {
    { model(x) } -> std::same_as<matrix<T>>;
    { input_gradient(model, x, std::size_t{}) } -> std::convertible_to<matrix<T>>;
};

namespace detail {

// Contributions along the straight way from `from` to `to`, by Gauss' rule of three points on pieces of it. A piece whose
// gradients do not add up to the difference of the values at its ends is halved: so the kinks of ReLU are closed in on.
template <class T, class Values, class Gradients>
explanation along_the_way(std::span<const T> from, std::span<const T> to, const Values& values, const Gradients& gradients) {
    constexpr std::size_t first_pieces = 8, most_halvings = 30;
    const std::size_t n = to.size();
    const auto rows_at = [&](const std::vector<double>& places) {
        matrix<T> x(static_cast<row_index>(places.size()), static_cast<row_index>(n));
        for (std::size_t i = 0; i < places.size(); ++i)
            for (std::size_t j = 0; j < n; ++j)
                x(static_cast<row_index>(i), static_cast<row_index>(j)) =
                    static_cast<T>(static_cast<double>(from[j]) + places[i] * (static_cast<double>(to[j]) - static_cast<double>(from[j])));
        return x;
    };
    const std::vector<double> ends = values(rows_at({0, 1}));
    explanation out{ends[0], std::vector<double>(n), ends[1]};
    std::vector<double> starts;  // of the pieces, all of one length
    for (std::size_t p = 0; p < first_pieces; ++p) starts.push_back(static_cast<double>(p) / first_pieces);
    double length = 1.0 / first_pieces;
    const double size = std::max({std::abs(ends[0]), std::abs(ends[1]), 1e-3});
    const double enough = std::max(1e-10, 16 * static_cast<double>(std::numeric_limits<T>::epsilon())) * size;
    for (std::size_t halvings = 0; !starts.empty(); ++halvings, length /= 2) {
        std::vector<double> borders, nodes, next;
        for (const double at : starts) {
            borders.insert(borders.end(), {at, at + length});
            const double middle = at + length / 2, off = length / 2 * 0.77459666924148337704;
            nodes.insert(nodes.end(), {middle - off, middle, middle + off});
        }
        const std::vector<double> heights = values(rows_at(borders));
        const matrix<T> slopes = gradients(rows_at(nodes));
        std::vector<double> part(n);
        for (std::size_t p = 0; p < starts.size(); ++p) {
            double sum = 0;
            for (std::size_t j = 0; j < n; ++j) {
                const auto slope = [&](std::size_t k) { return static_cast<double>(slopes(static_cast<row_index>(3 * p + k), static_cast<row_index>(j))); };
                part[j] = (static_cast<double>(to[j]) - static_cast<double>(from[j])) * length * (5 * slope(0) + 8 * slope(1) + 5 * slope(2)) / 18;
                sum += part[j];
            }
            const double gap = std::abs(heights[2 * p + 1] - heights[2 * p] - sum);
            if (gap <= enough || halvings == most_halvings) {
                for (std::size_t j = 0; j < n; ++j) out.contributions[j] += part[j];
            } else {
                next.insert(next.end(), {starts[p], starts[p] + length / 2});
            }
        }
        starts = std::move(next);
    }
    // What roundings have left is shared by size.
    double sum = 0, sizes = 0;
    for (const double c : out.contributions) {
        sum += c;
        sizes += std::abs(c);
    }
    if (sizes > 0)
        for (double& c : out.contributions) c += (out.prediction - out.base - sum) * std::abs(c) / sizes;
    return out;
}

}  // namespace detail

/// How much each feature moved the answer on the straight way from `baseline` (such as the means of the columns: what a row
/// is compared with) to `row`. `base` is the answer at the baseline. Of a chain that begins with `standardize` explain the
/// network within (`chain.get<1>()`) for the standardized row: the contributions are the same.
/// Throws `error`: `shape_mismatch`; `nan_or_inf`; what the model throws.
template <class T, Differentiable<T> Model>
[[nodiscard]] explanation integrated_gradients(const Model& model, std::span<const T> baseline, std::span<const T> row, std::size_t output = last_output) {
    constexpr std::string_view who = "integrated_gradients";
    require(baseline.size() == row.size(), errc::shape_mismatch, who, ": the row has ", row.size(), " values, the baseline ", baseline.size());
    require_finite(baseline, who);
    require_finite(row, who);
    if (output == last_output) output = static_cast<std::size_t>(model(matrix<T>(0, static_cast<row_index>(row.size()))).cols()) - 1;
    return detail::along_the_way<T>(
        baseline, row, [&](const matrix<T>& x) { return detail::answers_of(model, x, output, who); },
        [&](const matrix<T>& x) -> matrix<T> {
            matrix<T> slopes = input_gradient(model, x, output);
            require(slopes.rows() == x.rows() && slopes.cols() == x.cols(), errc::shape_mismatch, who, ": the gradient has ", slopes.rows(), " rows and ", slopes.cols(),
                    " columns, the input ", x.rows(), " and ", x.cols());
            require_finite(slopes, who);
            return slopes;
        });
}
template <class T, Differentiable<T> Model>
[[nodiscard]] explanation integrated_gradients(const Model& model, const std::vector<T>& baseline, const std::vector<T>& row, std::size_t output = last_output) {
    return integrated_gradients<T>(model, std::span<const T>(baseline), std::span<const T>(row), output);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
