#ifndef CARAMEL_LINEAR_LOGISTIC_FIT_HPP
#define CARAMEL_LINEAR_LOGISTIC_FIT_HPP

// Logistic regression solved to the last digits: Newton's method with a line search, whatever T is in double.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/linear/positive_definite.hpp>
#include <caramel/linear/standardized_rows.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

struct logistic_settings {
    double regularization = 1;
    std::size_t max_iterations = 100;
};

// What is minimised, by parameters (columns + 1, outputs) that belong to standardized columns; the last row are the
// intercepts. One output: two classes, of which it is the log odds of class 1; else the scores of each class.
// Sums are cut into blocks by the number of rows alone, and added up block by block.
template <class T>
class logistic_problem {
    using real = detail::real_of<T>;  // double: see there

   public:
    logistic_problem(const matrix_in<T>& x, std::span<const int> labels, std::size_t classes, const row_weights& weights, double regularization,
                     const run_options& how)
        : rows_(x, weights, regularization, how, "logistic"),
          labels_(labels),
          weights_(weights),
          outputs_(classes == 2 ? 1 : static_cast<row_index>(classes)),
          width_(rows_.width()),
          penalty_(rows_.penalties(regularization)),
          probabilities_(x.rows(), outputs_) {}

    [[nodiscard]] row_index size() const noexcept { return width_ * outputs_; }
    // Only the intercepts, which give each class its share of the rows.
    [[nodiscard]] matrix<real> first_parameters() const {
        vec<real> share = vec<real>::Zero(std::max<row_index>(2, outputs_));
        for (std::size_t i = 0; i < labels_.size(); ++i) share(labels_[i]) += weights_[i];
        for (double& s : std::span(share.data(), static_cast<std::size_t>(share.size()))) s = std::log(s);
        matrix<real> out = matrix<real>::Zero(width_, outputs_);
        if (outputs_ == 1) out(width_ - 1, 0) = share(1) - share(0);
        else out.row(width_ - 1) = share.transpose().array() - share.mean();
        return out;
    }

    // The loss at `at`; `gradient` becomes its gradient there. The Hessian, later, is that at the same place.
    double evaluate(const matrix<real>& at, matrix<real>& gradient) {
        const std::size_t blocks = rows_.blocks_of(size());
        std::vector<double> losses(blocks);
        std::vector<matrix<real>> gradients(blocks, matrix<real>::Zero(width_, outputs_));
        rows_.for_each_chunk(blocks, [&](std::size_t b, row_index first, const matrix<real>& rows) {
            matrix<real> z = multiply<double>(rows, at);
            for (row_index i = 0; i < z.rows(); ++i) losses[b] += slopes(first + i, {z.data() + i * outputs_, static_cast<std::size_t>(outputs_)});
            add_transposed_product<double>(rows, z, gradients[b]);
        });
        rows_loss_ = 0;
        gradient = matrix<real>::Zero(width_, outputs_);
        for (std::size_t b = 0; b < blocks; ++b) {
            rows_loss_ += losses[b];
            gradient += gradients[b];
        }
        double loss = rows_loss_;
        for (row_index j = 0; j < width_; ++j)
            for (row_index k = 0; k < outputs_; ++k) {
                gradient(j, k) += penalty_(j) * at(j, k);
                loss += penalty_(j) / 2 * at(j, k) * at(j, k);
            }
        return loss;
    }
    [[nodiscard]] double mean_loss() const noexcept { return rows_loss_ / weights_.sum(); }

    // Of the parameters of some features, (features * outputs) squared, in the order of their matrix.
    // The same number added to the scores of all classes changes no probability, and the gradient has no part in that
    // direction: `lift(feature)` says where curvature is added in it, which makes the matrix regular. It changes nothing
    // where the penalty wants the classes' coefficients to sum to 0, or is none.
    template <class Lift>
    [[nodiscard]] matrix<real> hessian(std::span<const row_index> features, const Lift& lift) const {
        const auto n = static_cast<row_index>(features.size());
        const std::size_t pairs = static_cast<std::size_t>(outputs_ * (outputs_ + 1) / 2), blocks = rows_.blocks_of(n * n * static_cast<row_index>(pairs));
        std::vector<std::vector<matrix<real>>> parts(blocks, std::vector<matrix<real>>(pairs, matrix<real>::Zero(n, n)));
        rows_.for_each_chunk(blocks, [&](std::size_t b, row_index first, const matrix<real>& whole) {
            matrix<real> rows(whole.rows(), n), scaled(whole.rows(), n);
            for (row_index i = 0; i < rows.rows(); ++i)
                for (row_index j = 0; j < n; ++j) rows(i, j) = whole(i, features[static_cast<std::size_t>(j)]);
            std::size_t pair = 0;
            for (row_index k = 0; k < outputs_; ++k)
                for (row_index l = k; l < outputs_; ++l) {
                    for (row_index i = 0; i < rows.rows(); ++i) scaled.row(i) = curvature(first + i, k, l) * rows.row(i);
                    add_transposed_product<double>(rows, scaled, parts[b][pair++]);
                }
        });
        matrix<real> out(n * outputs_, n * outputs_);
        std::size_t pair = 0;
        for (row_index k = 0; k < outputs_; ++k)
            for (row_index l = k; l < outputs_; ++l, ++pair) {
                for (std::size_t b = 1; b < blocks; ++b) parts[0][pair] += parts[b][pair];
                for (row_index i = 0; i < n; ++i)
                    for (row_index j = 0; j < n; ++j) out(i * outputs_ + k, j * outputs_ + l) = out(j * outputs_ + l, i * outputs_ + k) = parts[0][pair](i, j);
            }
        for (row_index i = 0; i < n; ++i) {
            const row_index feature = features[static_cast<std::size_t>(i)];
            for (row_index k = 0; k < outputs_; ++k) out(i * outputs_ + k, i * outputs_ + k) += penalty_(feature);
            if (outputs_ == 1 || !lift(feature)) continue;
            const auto block = out.block(i * outputs_, i * outputs_, outputs_, outputs_);
            const double some = block.diagonal().mean();
            out.block(i * outputs_, i * outputs_, outputs_, outputs_).array() += some;
        }
        return out;
    }
    [[nodiscard]] matrix<real> hessian() const {
        std::vector<row_index> all(static_cast<std::size_t>(width_));
        std::iota(all.begin(), all.end(), row_index{0});
        return hessian(all, [](row_index) { return true; });
    }
    [[nodiscard]] matrix<real> hessian_times(const matrix<real>& v) const {
        const std::size_t blocks = rows_.blocks_of(size());
        std::vector<matrix<real>> parts(blocks, matrix<real>::Zero(width_, outputs_));
        rows_.for_each_chunk(blocks, [&](std::size_t b, row_index first, const matrix<real>& rows) {
            matrix<real> a = multiply<double>(rows, v);
            for (row_index i = 0; i < a.rows(); ++i) {
                const double weight = weights_[first + i];
                if (outputs_ == 1) {
                    a(i, 0) *= curvature(first + i, 0, 0);
                } else {
                    double mean = 0;
                    for (row_index k = 0; k < outputs_; ++k) mean += probabilities_(first + i, k) * a(i, k);
                    for (row_index k = 0; k < outputs_; ++k) a(i, k) = weight * probabilities_(first + i, k) * (a(i, k) - mean);
                }
            }
            add_transposed_product<double>(rows, a, parts[b]);
        });
        matrix<real> out = penalty_.asDiagonal() * v;
        for (const auto& part : parts) out += part;
        return out;
    }
    [[nodiscard]] matrix<real> hessian_diagonal() const {
        const std::size_t blocks = rows_.blocks_of(size());
        std::vector<matrix<real>> parts(blocks, matrix<real>::Zero(width_, outputs_));
        rows_.for_each_chunk(blocks, [&](std::size_t b, row_index first, const matrix<real>& rows) {
            matrix<real> a(rows.rows(), outputs_);
            for (row_index i = 0; i < a.rows(); ++i)
                for (row_index k = 0; k < outputs_; ++k) a(i, k) = curvature(first + i, k, k);
            add_transposed_product<double>(matrix<real>(rows.cwiseAbs2()), a, parts[b]);
        });
        matrix<real> out = penalty_.replicate(1, outputs_);
        for (const auto& part : parts) out += part;
        return out;
    }

    [[nodiscard]] row_index width() const noexcept { return width_; }
    [[nodiscard]] row_index outputs() const noexcept { return outputs_; }
    [[nodiscard]] const standardized_rows<T>& rows() const noexcept { return rows_; }

   private:
    // The loss of a row with scores z, which become its slopes; keeps its probabilities.
    double slopes(row_index row, std::span<double> z) {
        const double weight = weights_[row];
        const auto label = static_cast<std::size_t>(labels_[static_cast<std::size_t>(row)]);
        if (outputs_ == 1) {
            const double score = z[0], wrong = label == 1 ? -score : score;  // the log odds of the other class
            probabilities_(row, 0) = sigmoid_of(score);
            z[0] = (label == 1 ? -weight : weight) * sigmoid_of(wrong);
            return weight * (std::max(wrong, 0.0) + std::log1p(std::exp(-std::abs(wrong))));
        }
        const double top = *std::max_element(z.begin(), z.end()), mine = z[label];
        double sum = 0;
        for (double& v : z) sum += v = std::exp(v - top);
        for (std::size_t k = 0; k < z.size(); ++k) {
            const double p = z[k] / sum;
            probabilities_(row, static_cast<row_index>(k)) = p;
            z[k] = weight * (k == label ? p - 1 : p);
        }
        return weight * (std::log(sum) + (top - mine));
    }
    // The second derivative of a row's loss by its scores k and l.
    [[nodiscard]] double curvature(row_index row, row_index k, row_index l) const noexcept {
        const double p = probabilities_(row, k);
        return weights_[row] * (k == l ? p * (1 - p) : -p * probabilities_(row, l));
    }

    standardized_rows<T> rows_;
    std::span<const int> labels_;
    const row_weights& weights_;
    row_index outputs_, width_;
    vec<real> penalty_;
    matrix<real> probabilities_;  // (rows, outputs)
    double rows_loss_ = 0;
};

// Newton's direction: by a Cholesky factorization of the Hessian, or beyond `max_dense` parameters by conjugate
// gradients (Nocedal & Wright, Numerical Optimization, 2006, algorithm 7.1), preconditioned by its diagonal.
template <class T>
class newton_direction {
    using real = detail::real_of<T>;  // double: see there

   public:
    static constexpr row_index max_dense = 512;

    [[nodiscard]] matrix<real> operator()(const logistic_problem<T>& problem, const matrix<real>& gradient) {
        return centred(problem.size() <= max_dense ? dense(problem, gradient) : conjugate(problem, gradient));
    }

   private:
    // Without the part that adds the same to the scores of all classes, which changes no probability.
    static matrix<real> centred(matrix<real> m) {
        if (m.cols() > 1)
            for (row_index j = 0; j < m.rows(); ++j) m.row(j).array() -= m.row(j).mean();
        return m;
    }
    // With a unit diagonal. Where columns are copies of each other and nothing is regularized, a little is added to it.
    static matrix<real> dense(const logistic_problem<T>& problem, const matrix<real>& gradient) {
        matrix<real> whole = problem.hessian();
        vec<real> unit = whole.diagonal();
        for (double& d : std::span(unit.data(), static_cast<std::size_t>(unit.size()))) d = d > 0 ? 1 / std::sqrt(d) : 0;
        for (row_index i = 0; i < whole.rows(); ++i) {
            for (row_index j = 0; j < whole.cols(); ++j) whole(i, j) *= unit(i) * unit(j);
            whole(i, i) = 1;
        }
        matrix<real> step = gradient;
        const std::span<double> flat(step.data(), static_cast<std::size_t>(step.size()));
        for (double added = 0;; added = added == 0 ? 1e-9 : 100 * added) {
            for (std::size_t i = 0; i < flat.size(); ++i) flat[i] = -gradient.data()[i] * unit(static_cast<row_index>(i));
            matrix<real> damped = whole;
            damped.diagonal().array() += added;
            if (solve_positive_definite(damped, flat) || added > 1) break;
        }
        for (std::size_t i = 0; i < flat.size(); ++i) flat[i] *= unit(static_cast<row_index>(i));
        return step;
    }
    matrix<real> conjugate(const logistic_problem<T>& problem, const matrix<real>& gradient) {
        matrix<real> inverse = problem.hessian_diagonal();
        for (double& d : std::span(inverse.data(), static_cast<std::size_t>(inverse.size()))) d = d > 0 ? 1 / d : 1;
        matrix<real> step = matrix<real>::Zero(gradient.rows(), gradient.cols()), rest = -gradient;
        matrix<real> z = centred(rest.cwiseProduct(inverse)), along = z;
        double norm = dot(rest, z);
        if (first_norm_ == 0) first_norm_ = norm;
        const double target = norm * std::clamp(std::sqrt(norm / first_norm_), 1e-12, 1e-2);
        for (row_index i = 0; i < 2 * problem.size() && norm > target; ++i) {
            const matrix<real> curved = problem.hessian_times(along);
            const double curvature = dot(along, curved);
            if (!(curvature > 0)) break;
            const double length = norm / curvature;
            step += length * along;
            rest -= length * curved;
            z = centred(rest.cwiseProduct(inverse));
            const double next = dot(rest, z);
            along = z + next / norm * along;
            norm = next;
        }
        return step;
    }
    static double dot(const matrix<real>& a, const matrix<real>& b) noexcept {
        double sum = 0;
        for (row_index i = 0; i < a.size(); ++i) sum += a.data()[i] * b.data()[i];
        return sum;
    }
    double first_norm_ = 0;
};

// Without a penalty there may be a direction in which larger coefficients are always better: rows lie on the right side
// by a margin that each step of Newton's method widens by 1, so that what there is to be gained shrinks by e a step.
// Where there is a minimum, the last steps shrink it ever faster.
class margin_watch {
   public:
    template <class = void>
    void look(double gain, std::string_view who) {
        const double ratio = gain / last_;
        run_ = ratio > 0.25 && ratio < 0.6 ? run_ + 1 : 0;
        last_ = gain;
        require(run_ < 18, errc::diverged, who,
                ": rows are told apart perfectly, so without a penalty larger coefficients are always better: raise regularization (0)");
    }

   private:
    double last_ = 0;
    int run_ = 0;
};

// Returns the best parameters, or those when the observer stopped.
template <class T>
matrix<double> minimize_logistic(logistic_problem<T>& problem, const logistic_settings& how, const fit_options& options, std::string_view who) {
    using real = detail::real_of<T>;  // double: see there
    const auto largest = [](const matrix<real>& m) { return m.cwiseAbs().maxCoeff(); };
    const auto square = [](const matrix<real>& m) {
        double sum = 0;
        for (row_index i = 0; i < m.size(); ++i) sum += m.data()[i] * m.data()[i];
        return sum;
    };
    matrix<real> at = problem.first_parameters(), gradient, next_gradient;
    double loss = problem.evaluate(at, gradient);
    newton_direction<T> direction;
    margin_watch margins;
    for (std::size_t step = 1; step <= how.max_iterations; ++step) {
        const matrix<real> move = direction(problem, gradient);
        double drop = 0;
        for (row_index i = 0; i < move.size(); ++i) drop -= gradient.data()[i] * move.data()[i];
        if (how.regularization == 0) margins.look(drop, who);
        bool done = largest(move) <= 1e-10 * std::max(1.0, largest(at));
        if (done) at += move;
        // So near to the minimum that the loss cannot tell: then the gradient has to become smaller.
        const bool near = drop <= 1e-9 * loss;
        for (double length = 1; !done; length /= 2) {
            const matrix<real> next = at + length * move;
            const double next_loss = problem.evaluate(next, next_gradient);
            if (next_loss <= loss - 1e-4 * length * drop || (near && square(next_gradient) < square(gradient))) {
                at = next;
                loss = next_loss;
                gradient.swap(next_gradient);
                break;
            }
            done = near || length < 1e-12;  // at the end of double precision
        }
        if (options.on_progress && options.on_progress({who, step, how.max_iterations, problem.mean_loss()}) == verdict::stop) return at;
        if (done) return at;
    }
    fail(errc::diverged, {}, who, ": the minimum was not reached in max_iterations (", how.max_iterations, ") steps: raise max_iterations or regularization (",
         how.regularization, ")");
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
