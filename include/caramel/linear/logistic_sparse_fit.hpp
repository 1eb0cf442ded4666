#ifndef CARAMEL_LINEAR_LOGISTIC_SPARSE_FIT_HPP
#define CARAMEL_LINEAR_LOGISTIC_SPARSE_FIT_HPP

// Logistic regression whose penalty has corners: proximal Newton steps (Lee, Sun & Saunders, SIAM J. Optim. 24(3), 2014) on
// the coefficients that are not zero or should not be, as newGLMNET does (Yuan, Ho & Lin, JMLR 13, 2012). Each step's
// quadratic problem is solved by coordinate descent, which finds the signs, and by a factorization for given signs, which
// is exact where columns say nearly the same and coordinate descent would creep.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/linear/logistic_fit.hpp>
#include <caramel/linear/positive_definite.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// min over d of  g'd + d'Hd/2 + sum of corner * |at + d|, where some of d may move; g is the gradient at `at`.
class cornered_quadratic {
   public:
    template <class = void>
    cornered_quadratic(const matrix<double>& h, std::vector<double> at, std::vector<double> gradient, std::vector<double> corner, std::vector<bool> moves)
        : h_(h), at_(std::move(at)), gradient_(std::move(gradient)), corner_(std::move(corner)) {
        for (std::size_t i = 0; i < moves.size(); ++i)
            if (moves[i] && curvature(i) > 0) moving_.push_back(i);
        first_ = steepest();
    }
    // What `at` becomes.
    template <class = void>
    const std::vector<double>& solve() {
        double first = 0;
        for (int round = 0; round < 100; ++round) {
            double last = 0;
            for (int sweep_number = 0; sweep_number < 8; ++sweep_number) {
                last = sweep();
                first = std::max(first, last);
                if (last <= 1e-13 * first) return at_;
            }
            if (settle()) break;
        }
        return at_;
    }

   private:
    template <class = void>
    [[nodiscard]] double curvature(std::size_t i) const noexcept { return h_(static_cast<row_index>(i), static_cast<row_index>(i)); }
    void move(std::size_t i, double by) {
        at_[i] += by;
        const double* const row = h_.data() + i * at_.size();
        for (std::size_t j = 0; j < gradient_.size(); ++j) gradient_[j] += by * row[j];
    }
    // The largest move, in units in which the curvature is 1.
    template <class = void>
    double sweep() {
        double largest = 0;
        for (const std::size_t i : moving_) {
            const double h = curvature(i), smooth = at_[i] - gradient_[i] / h, corner = corner_[i] / h;
            const double best = smooth > corner ? smooth - corner : smooth < -corner ? smooth + corner : 0;
            if (best == at_[i]) continue;
            largest = std::max(largest, std::abs(best - at_[i]) * std::sqrt(h));
            move(i, best - at_[i]);
            if (best == 0) at_[i] = 0;
        }
        return largest;
    }
    // The minimum for the signs as they are, or as far towards it as they stay. True where that is the minimum.
    template <class = void>
    bool settle() {
        std::vector<std::size_t> free;
        for (const std::size_t i : moving_)
            if (at_[i] != 0 || corner_[i] == 0) free.push_back(i);
        std::vector<double> step = towards_minimum(free);
        double length = 1;
        std::size_t stops = free.size();
        for (std::size_t i = 0; i < free.size(); ++i) {
            if (corner_[free[i]] == 0 || std::signbit(at_[free[i]]) == std::signbit(at_[free[i]] + step[i])) continue;
            if (const double until = -at_[free[i]] / step[i]; until < length) {
                length = until;
                stops = i;
            }
        }
        for (std::size_t i = 0; i < free.size(); ++i) move(free[i], length * step[i]);
        if (stops < free.size()) at_[free[stops]] = 0;
        return stops == free.size() && at_rest();
    }
    // Where columns repeat each other, a little curvature is added: the way down a flat valley is a long step.
    template <class = void>
    [[nodiscard]] std::vector<double> towards_minimum(const std::vector<std::size_t>& free) const {
        const auto n = static_cast<row_index>(free.size());
        std::vector<double> step(free.size()), unit(free.size());
        for (std::size_t i = 0; i < free.size(); ++i) unit[i] = 1 / std::sqrt(curvature(free[i]));
        for (double added = 0;; added = added == 0 ? 1e-9 : 100 * added) {
            matrix<double> part(n, n);
            for (std::size_t i = 0; i < free.size(); ++i) {
                for (std::size_t j = 0; j < free.size(); ++j)
                    part(static_cast<row_index>(i), static_cast<row_index>(j)) =
                        h_(static_cast<row_index>(free[i]), static_cast<row_index>(free[j])) * unit[i] * unit[j] + (i == j ? added : 0);
                step[i] = -slope(free[i]) * unit[i];
            }
            if (solve_positive_definite(part, step) || added > 1) break;
        }
        for (std::size_t i = 0; i < free.size(); ++i) step[i] *= unit[i];
        return step;
    }
    [[nodiscard]] double slope(std::size_t i) const noexcept {
        if (at_[i] != 0 || corner_[i] == 0) return gradient_[i] + (corner_[i] == 0 ? 0 : std::copysign(corner_[i], at_[i]));
        return std::max(0.0, std::abs(gradient_[i]) - corner_[i]);
    }
    template <class = void>
    [[nodiscard]] double steepest() const noexcept {
        double most = 0;
        for (const std::size_t i : moving_) most = std::max(most, std::abs(slope(i)) / std::sqrt(curvature(i)));
        return most;
    }
    template <class = void>
    [[nodiscard]] bool at_rest() const noexcept { return steepest() <= 1e-12 * first_; }

    const matrix<double>& h_;
    std::vector<double> at_, gradient_, corner_;
    std::vector<std::size_t> moving_;
    double first_ = 0;
};

// Beyond so many coefficients that are not zero, the matrix of second derivatives would not fit.
inline constexpr row_index max_cornered_parameters = 4096;

// Adds sum over columns of l1 * |coefficient| to what `problem` minimises. Returns the best parameters, or those when the
// observer stopped.
template <class T>
matrix<double> minimize_logistic_l1(logistic_problem<T>& problem, double l1, const logistic_settings& how, const fit_options& options, std::string_view who) {
    using real = detail::real_of<T>;  // double: see there
    const row_index width = problem.width(), outputs = problem.outputs();
    vec<real> corner = vec<real>::Zero(width);
    for (row_index j = 0; j + 1 < width; ++j) corner(j) = l1 / problem.rows().scale()(j);
    // How far a parameter is from where its slope vanishes.
    const auto slope = [&](const matrix<real>& at, const matrix<real>& gradient, row_index j, row_index k) {
        if (at(j, k) != 0) return std::abs(gradient(j, k) + std::copysign(corner(j), at(j, k)));
        return std::max(0.0, std::abs(gradient(j, k)) - corner(j));
    };
    const auto square = [&](const matrix<real>& at, const matrix<real>& gradient) {
        double sum = 0;
        for (row_index j = 0; j < width; ++j)
            for (row_index k = 0; k < outputs; ++k) sum += slope(at, gradient, j, k) * slope(at, gradient, j, k);
        return sum;
    };
    const auto corners = [&](const matrix<real>& at) {
        double sum = 0;
        for (row_index j = 0; j + 1 < width; ++j)
            for (row_index k = 0; k < outputs; ++k) sum += corner(j) * std::abs(at(j, k));
        return sum;
    };

    matrix<real> at = problem.first_parameters(), gradient, next_gradient;
    double loss = problem.evaluate(at, gradient) + corners(at);
    int idle = 0;  // steps that gained nothing, as between columns that say nearly the same
    for (std::size_t step = 1; step <= how.max_iterations; ++step) {
        // The features with a coefficient that is not zero or should not be; too many new ones wait for their turn.
        std::vector<std::pair<double, row_index>> wanted;
        for (row_index j = 0; j < width; ++j) {
            double most = j + 1 == width ? std::numeric_limits<double>::infinity() : 0;
            for (row_index k = 0; k < outputs; ++k) most = std::max(most, at(j, k) != 0 ? std::numeric_limits<double>::infinity() : slope(at, gradient, j, k));
            if (most > 0) wanted.emplace_back(-most, j);
        }
        std::sort(wanted.begin(), wanted.end());
        const auto most_features = static_cast<std::size_t>(max_cornered_parameters / outputs);
        if (wanted.size() > most_features) {
            require(std::isfinite(wanted[most_features].first), errc::limit_exceeded, who, ": more than ", max_cornered_parameters,
                    " coefficients are not zero: raise l1 (", l1, ")");
            wanted.resize(most_features);
        }
        std::vector<row_index> features;
        for (const auto& [worst, j] : wanted) features.push_back(j);
        std::sort(features.begin(), features.end());

        const std::size_t n = features.size() * static_cast<std::size_t>(outputs);
        std::vector<double> here(n), slopes(n), edges(n);
        std::vector<bool> moves(n);
        for (std::size_t i = 0; i < n; ++i) {
            const row_index j = features[i / static_cast<std::size_t>(outputs)], k = static_cast<row_index>(i) % outputs;
            here[i] = at(j, k);
            slopes[i] = gradient(j, k);
            edges[i] = corner(j);
            moves[i] = at(j, k) != 0 || j + 1 == width || std::abs(gradient(j, k)) > corner(j);
        }
        const matrix<real> h = problem.hessian(features, [&](row_index j) { return j + 1 == width; });
        cornered_quadratic quadratic(h, here, slopes, edges, moves);
        const std::vector<double>& there = quadratic.solve();
        matrix<real> move = matrix<real>::Zero(width, outputs);
        double drop = 0, largest = 0;
        for (std::size_t i = 0; i < n; ++i) {
            move(features[i / static_cast<std::size_t>(outputs)], static_cast<row_index>(i) % outputs) = there[i] - here[i];
            drop -= slopes[i] * (there[i] - here[i]) + edges[i] * (std::abs(there[i]) - std::abs(here[i]));
            largest = std::max(largest, std::abs(there[i] - here[i]));
        }
        const auto moved = [&](double length) {
            matrix<real> out = at + length * move;
            if (length == 1)  // zeros to the bit
                for (std::size_t i = 0; i < n; ++i) out(features[i / static_cast<std::size_t>(outputs)], static_cast<row_index>(i) % outputs) = there[i];
            return out;
        };
        idle = drop <= 1e-15 * loss ? idle + 1 : 0;
        bool done = idle >= 5 || largest <= 1e-10 * std::max(1.0, at.cwiseAbs().maxCoeff());
        if (done) at = moved(1);
        // So near to the minimum that the loss cannot tell: then the slopes have to become smaller.
        const bool near = drop <= 1e-9 * loss;
        for (double length = 1; !done; length /= 2) {
            const matrix<real> next = moved(length);
            const double next_loss = problem.evaluate(next, next_gradient) + corners(next);
            if (next_loss <= loss - 1e-4 * length * drop || (near && square(next, next_gradient) < square(at, gradient))) {
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
    fail(errc::diverged, {}, who, ": the minimum was not reached in max_iterations (", how.max_iterations, ") steps: raise max_iterations or l1 (", l1, ")");
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
