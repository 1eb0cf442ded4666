#ifndef CARAMEL_LINEAR_RIDGE_FIT_HPP
#define CARAMEL_LINEAR_RIDGE_FIT_HPP

// Penalised least squares in double, by columns or by rows, whichever are fewer, and the exact error of leaving one out.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/linear/positive_definite.hpp>
#include <caramel/linear/standardized_rows.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

template <class = void>
inline std::span<double> row_span(matrix<double>& m, row_index i) { return {m.data() + i * m.cols(), static_cast<std::size_t>(m.cols())}; }

// The normal equations of standardized columns, (columns + 1) squared with the intercept's.
template <class T>
class ridge_by_columns {
    using real = detail::real_of<T>;  // double: see there

   public:
    ridge_by_columns(const matrix_in<T>& x, const matrix_in<T>& y, const row_weights& weights, double largest, const run_options& how, std::string_view who)
        : rows_(x, weights, largest, how, who), y_(y), weights_(weights), who_(who), width_(rows_.width()) {
        const std::size_t blocks = rows_.blocks_of(width_ * width_);
        std::vector<matrix<real>> parts(blocks, matrix<real>::Zero(width_, width_));
        rows_.for_each_chunk(blocks, [&](std::size_t b, row_index first, const matrix<real>& rows) {
            matrix<real> scaled = rows;
            for (row_index i = 0; i < rows.rows(); ++i) scaled.row(i) *= weights_[first + i];
            add_transposed_product<double>(rows, scaled, parts[b]);
        });
        gram_ = parts[0];
        for (std::size_t b = 1; b < blocks; ++b) gram_ += parts[b];
    }

    void solve(double regularization, matrix<real>& coefficients, vec<real>& intercepts) const {
        const matrix<real> factor = factorized(regularization);
        rows_.unscale(parameters(regularization, factor), coefficients, intercepts);
    }
    // Infinity where a row cannot be left out, or where nothing is determined.
    [[nodiscard]] double left_out_error(double regularization) const {
        matrix<real> factor = gram_;
        if (!try_factorize(regularization, factor)) return std::numeric_limits<double>::infinity();
        const matrix<real> at = parameters(regularization, factor);
        const std::size_t blocks = rows_.blocks_of(width_);
        std::vector<double> errors(blocks);
        rows_.for_each_chunk(blocks, [&](std::size_t b, row_index first, const matrix<real>& rows) {
            const matrix<real> fitted = multiply<double>(rows, at);
            std::vector<double> leverage(static_cast<std::size_t>(width_));
            for (row_index i = 0; i < rows.rows(); ++i) {
                for (row_index j = 0; j < width_; ++j) leverage[static_cast<std::size_t>(j)] = rows(i, j);
                solve_lower(factor, leverage);
                double pull = 0;
                for (const double v : leverage) pull += v * v;
                const double weight = weights_[first + i], rest = 1 - weight * pull;
                for (row_index k = 0; k < at.cols(); ++k) {
                    const double off = static_cast<double>(y_(first + i, k)) - fitted(i, k);
                    if (weight > 0) errors[b] += rest > 1e-12 ? weight * (off / rest) * (off / rest) : std::numeric_limits<double>::infinity();
                }
            }
        });
        double sum = 0;
        for (const double e : errors) sum += e;
        return sum;
    }

   private:
    // Columns of nothing but one value have coefficients 0.
    [[nodiscard]] bool try_factorize(double regularization, matrix<real>& a) const {
        a.diagonal() += rows_.penalties(regularization);
        for (row_index j = 0; j < width_; ++j)
            if (a(j, j) == 0) a(j, j) = 1;
        return factorize(a);
    }
    [[nodiscard]] matrix<real> factorized(double regularization) const {
        matrix<real> a = gram_;
        require(try_factorize(regularization, a), errc::bad_data, who_,
                ": columns follow from each other, so coefficients are not determined: raise regularization (", regularization, ")");
        return a;
    }
    // Each round makes good what rounding left of the gradient, which comes from the rows themselves: normal equations alone
    // would lose twice as many digits.
    [[nodiscard]] matrix<real> parameters(double regularization, const matrix<real>& factor) const {
        const vec<real> penalty = rows_.penalties(regularization);
        matrix<real> by_output = matrix<real>::Zero(y_.cols(), width_);
        for (int round = 0; round < 3; ++round) {
            const matrix<real> at = by_output.transpose();
            const std::size_t blocks = rows_.blocks_of(width_ * y_.cols());
            std::vector<matrix<real>> parts(blocks, matrix<real>::Zero(width_, y_.cols()));
            rows_.for_each_chunk(blocks, [&](std::size_t b, row_index first, const matrix<real>& rows) {
                matrix<real> off = multiply<double>(rows, at);
                for (row_index i = 0; i < off.rows(); ++i)
                    for (row_index k = 0; k < off.cols(); ++k) off(i, k) = weights_[first + i] * (static_cast<double>(y_(first + i, k)) - off(i, k));
                add_transposed_product<double>(rows, off, parts[b]);
            });
            for (std::size_t b = 1; b < blocks; ++b) parts[0] += parts[b];
            matrix<real> step = (parts[0] - penalty.asDiagonal() * at).transpose();
            for (row_index k = 0; k < step.rows(); ++k) solve_factorized(factor, row_span(step, k));
            by_output += step;
        }
        return by_output.transpose();
    }

    standardized_rows<T> rows_;
    const matrix_in<T>& y_;
    const row_weights& weights_;
    std::string_view who_;
    row_index width_;
    matrix<real> gram_;
};

// With centred rows z times the square root of their weights: (z z' + regularization) c = y, coefficients z'c.
template <class T>
class ridge_by_rows {
    using real = detail::real_of<T>;  // double: see there

   public:
    ridge_by_rows(const matrix_in<T>& x, const matrix_in<T>& y, const row_weights& weights, const run_options& how, std::string_view who)
        : weights_(weights),
          who_(who),
          centre_(vec<real>::Zero(x.cols())),
          y_centre_(vec<real>::Zero(y.cols())),
          z_(x.rows(), x.cols()),
          y_(y.cols(), x.rows()),
          kernel_(x.rows(), x.rows()) {
        const row_index n = x.rows();
        for (row_index i = 0; i < n; ++i) {
            const double share = weights_[i] / weights_.sum();
            for (row_index j = 0; j < x.cols(); ++j) centre_(j) += share * static_cast<double>(x(i, j));
            for (row_index k = 0; k < y.cols(); ++k) y_centre_(k) += share * static_cast<double>(y(i, k));
        }
        for (row_index j = 0; j < x.cols(); ++j) {  // the mean of equal numbers may be off by a rounding, which is no spread
            bool constant = true;
            for (row_index i = 1; constant && i < n; ++i) constant = x(i, j) == x(0, j);
            if (constant) centre_(j) = static_cast<double>(x(0, j));
        }
        for (row_index i = 0; i < n; ++i) {
            const double root = std::sqrt(weights_[i]);
            for (row_index j = 0; j < x.cols(); ++j) z_(i, j) = root * (static_cast<double>(x(i, j)) - centre_(j));
            for (row_index k = 0; k < y.cols(); ++k) y_(k, i) = root * (static_cast<double>(y(i, k)) - y_centre_(k));
        }
        const matrix<real> by_column = z_.transpose();
        constexpr std::size_t block = 32;
        parallel_blocks(static_cast<std::size_t>(n), block, how, [&](std::size_t begin, std::size_t end, std::size_t) {
            const auto first = static_cast<row_index>(begin), rows = static_cast<row_index>(end - begin);
            kernel_.middleRows(first, rows) = multiply<double>(z_.middleRows(first, rows), by_column);
        });
        // Centred rows have no part in the direction of the weights' roots: curvature there changes nothing, and keeps what is
        // left of a row's own pull from being the difference of two large numbers.
        lift_ = n > 0 && kernel_.trace() > 0 ? kernel_.trace() / static_cast<double>(n) : 1;
        for (row_index i = 0; i < n; ++i)
            for (row_index j = 0; j < n; ++j) kernel_(i, j) += lift_ * (std::sqrt(weights_[i] * weights_[j]) / weights_.sum());
    }

    void solve(double regularization, matrix<real>& coefficients, vec<real>& intercepts) const {
        matrix<real> factor = kernel_;
        require(try_factorize(regularization, factor), errc::bad_data, who_, ": ", z_.rows(), " rows do not determine the coefficients of ", z_.cols(),
                " columns: raise regularization (", regularization, ")");
        coefficients = multiply<double>(duals(regularization, factor), z_);
        intercepts = y_centre_;
        for (row_index k = 0; k < coefficients.rows(); ++k)
            for (row_index j = 0; j < coefficients.cols(); ++j) intercepts(k) -= coefficients(k, j) * centre_(j);
    }
    // What the fit leaves of a row's target is regularization * c, and regularization * rest is the share that is left where
    // the row does not pull at its own prediction.
    [[nodiscard]] double left_out_error(double regularization) const {
        matrix<real> factor = kernel_;
        if (!try_factorize(regularization, factor)) return std::numeric_limits<double>::infinity();
        const matrix<real> c = duals(regularization, factor);
        double sum = 0;
        std::vector<double> unit(static_cast<std::size_t>(z_.rows()));
        for (row_index i = 0; i < z_.rows(); ++i) {
            if (weights_[i] == 0) continue;
            std::fill(unit.begin(), unit.end(), 0.0);
            unit[static_cast<std::size_t>(i)] = 1;
            solve_lower(factor, unit);
            double pull = 0;
            for (const double v : unit) pull += v * v;  // of the inverse, element (i, i)
            const double rest = pull - weights_[i] / weights_.sum() / (regularization + lift_);
            for (row_index k = 0; k < c.rows(); ++k) sum += rest > 1e-12 * pull ? (c(k, i) / rest) * (c(k, i) / rest) : std::numeric_limits<double>::infinity();
        }
        return sum;
    }

   private:
    [[nodiscard]] static bool try_factorize(double regularization, matrix<real>& a) {
        if (!(regularization > 0)) return false;
        a.diagonal().array() += regularization;
        return factorize(a);
    }
    // (outputs, rows), with one round that makes good what rounding left.
    [[nodiscard]] matrix<real> duals(double regularization, const matrix<real>& factor) const {
        matrix<real> c = matrix<real>::Zero(y_.rows(), y_.cols());
        for (int round = 0; round < 2; ++round) {
            matrix<real> step = y_ - multiply<double>(c, kernel_) - regularization * c;
            for (row_index k = 0; k < step.rows(); ++k) solve_factorized(factor, row_span(step, k));
            c += step;
        }
        return c;
    }

    const row_weights& weights_;
    std::string_view who_;
    vec<real> centre_, y_centre_;
    double lift_ = 0;
    matrix<real> z_, y_, kernel_;  // (rows, columns), (outputs, rows), (rows, rows)
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
