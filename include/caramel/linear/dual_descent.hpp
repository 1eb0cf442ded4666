#ifndef CARAMEL_LINEAR_DUAL_DESCENT_HPP
#define CARAMEL_LINEAR_DUAL_DESCENT_HPP

// Linear classifiers by coordinate descent on the dual: Hsieh, Chang, Lin, Keerthi & Sundararajan, ICML 2008 (support vector
// machines, with shrinking) and Yu, Huang & Lin, Machine Learning 85, 2011 (logistic regression). A step costs as much as the
// values of one row, so it suits rows of few values among many columns. It is near the minimum after a few epochs, and creeps
// from there where rows outnumber what they say: losses that are smooth are then finished by Newton's method on the primal
// (Lin, Weng & Keerthi, JMLR 9, 2008), with conjugate gradients, which cost as much as an epoch each.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/labels.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/linear/linear_scores.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

enum class dual_loss { hinge, squared_hinge, logistic };

struct dual_settings {
    dual_loss loss;
    double regularization, intercept_scale, tolerance;
    std::size_t max_epochs;
    std::span<const double> class_weights;
};

// The rows of a matrix and a last column that is `ones` everywhere, for the intercept.
template <class T>
class dense_examples {
   public:
    dense_examples(const matrix_in<T>& x, double ones) : x_(x), ones_(ones) {}
    [[nodiscard]] std::size_t count() const noexcept { return static_cast<std::size_t>(x_.rows()); }
    [[nodiscard]] std::size_t columns() const noexcept { return static_cast<std::size_t>(x_.cols()); }
    [[nodiscard]] double ones() const noexcept { return ones_; }
    [[nodiscard]] double times(std::size_t row, const double* w) const noexcept {
        const T* const x = values(row);
        const std::size_t n = columns();
        double sum[4] = {ones_ * w[n], 0, 0, 0};  // four sums hide the latency of one
        std::size_t j = 0;
        for (; j + 4 <= n; j += 4)
            for (std::size_t k = 0; k < 4; ++k) sum[k] += static_cast<double>(x[j + k]) * w[j + k];
        for (; j < n; ++j) sum[0] += static_cast<double>(x[j]) * w[j];
        return (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
    void add(std::size_t row, double factor, double* w) const noexcept {
        const T* const x = values(row);
        for (std::size_t j = 0; j < columns(); ++j) w[j] += factor * static_cast<double>(x[j]);
        w[columns()] += factor * ones_;
    }
    void add_squares(std::size_t row, double factor, double* out) const noexcept {
        const T* const x = values(row);
        for (std::size_t j = 0; j < columns(); ++j) out[j] += factor * static_cast<double>(x[j]) * static_cast<double>(x[j]);
        out[columns()] += factor * ones_ * ones_;
    }
    [[nodiscard]] double square(std::size_t row) const noexcept {
        double sum = ones_ * ones_;
        for (std::size_t j = 0; j < columns(); ++j) sum += static_cast<double>(values(row)[j]) * static_cast<double>(values(row)[j]);
        return sum;
    }

   private:
    [[nodiscard]] const T* values(std::size_t row) const noexcept { return x_.data() + static_cast<row_index>(row) * x_.outerStride(); }
    const matrix_in<T>& x_;
    double ones_;
};
template <class T>
class sparse_examples {
   public:
    sparse_examples(const sparse_matrix<T>& x, double ones) : x_(x), ones_(ones) {}
    [[nodiscard]] std::size_t count() const noexcept { return static_cast<std::size_t>(x_.rows()); }
    [[nodiscard]] std::size_t columns() const noexcept { return static_cast<std::size_t>(x_.cols()); }
    [[nodiscard]] double ones() const noexcept { return ones_; }
    [[nodiscard]] double times(std::size_t row, const double* w) const noexcept {
        const sparse_row<T> x = x_[row];
        const std::int32_t* const at = x.columns.data();
        const T* const value = x.values.data();
        const std::size_t n = x.columns.size();
        double even = ones_ * w[columns()], odd = 0;  // two sums hide the latency of one
        std::size_t k = 0;
        for (; k + 2 <= n; k += 2) {
            even += static_cast<double>(value[k]) * w[at[k]];
            odd += static_cast<double>(value[k + 1]) * w[at[k + 1]];
        }
        if (k < n) even += static_cast<double>(value[k]) * w[at[k]];
        return even + odd;
    }
    void add(std::size_t row, double factor, double* w) const noexcept {
        const sparse_row<T> x = x_[row];
        const std::int32_t* const at = x.columns.data();
        const T* const value = x.values.data();
        for (std::size_t k = 0; k < x.columns.size(); ++k) w[at[k]] += factor * static_cast<double>(value[k]);
        w[columns()] += factor * ones_;
    }
    void add_squares(std::size_t row, double factor, double* out) const noexcept {
        const sparse_row<T> x = x_[row];
        for (std::size_t k = 0; k < x.columns.size(); ++k) out[x.columns[k]] += factor * static_cast<double>(x.values[k]) * static_cast<double>(x.values[k]);
        out[columns()] += factor * ones_ * ones_;
    }
    [[nodiscard]] double square(std::size_t row) const noexcept {
        double sum = ones_ * ones_;
        for (const T v : x_[row].values) sum += static_cast<double>(v) * static_cast<double>(v);
        return sum;
    }

   private:
    const sparse_matrix<T>& x_;
    double ones_;
};


// One class against the others: min |w|^2 / 2 + sum of cost * loss(margin), margin = sign * x'w, sign 1 for rows of the
// class. The dual has a number `alpha` for each row, from 0 to the cost (to infinity for the squared hinge), and
// w = sum of alpha * sign * x. For the logistic loss alpha = cost / (1 + exp(-odds)), and the odds are what is kept: they
// have all digits near both ends.
template <class Rows>
class dual_descent {
   public:
    // `costs` and `squares` are those of the rows; a row that costs nothing is left out.
    dual_descent(const Rows& rows, std::span<const int> labels, int own, std::span<const double> costs, std::span<const double> squares, dual_loss loss,
                 rng random)
        : rows_(rows),
          labels_(labels),
          own_(own),
          costs_(costs),
          squares_(squares),
          loss_(loss),
          random_(random),
          alpha_(rows.count()),
          w_(rows.columns() + 1) {
        for (std::size_t i = 0; i < rows.count(); ++i)
            if (costs_[i] > 0) order_.push_back(static_cast<std::uint32_t>(i));
        active_ = order_.size();
        if (loss_ == dual_loss::logistic) {
            std::fill(alpha_.begin(), alpha_.end(), -20.0);  // odds of an alpha that is as good as 0
            collect();
        }
    }

    // Some epochs, until enough seems gained to look at the gap, or a step of Newton's method; then whether the gap is at most
    // `tolerance` times the loss, or nothing more is to be gained in double precision. Stops after `max_epochs` in all, too.
    void run(double tolerance, std::size_t max_epochs) {
        const bool smooth = loss_ != dual_loss::hinge;
        if (smooth && (epochs_ >= 20 || near_)) {
            if (slope_.empty()) look();
            newton_step(max_epochs);
            done_ = done_ || gap_ <= tolerance * primal_;
            return;
        }
        while (epochs_ < max_epochs && !(smooth && epochs_ >= 20)) {
            ++epochs_;
            if (loss_ == dual_loss::logistic ? logistic_epoch_ends_round(tolerance) : hinge_epoch_ends_round()) break;
        }
        measure();
        if (loss_ == dual_loss::logistic) active_ = order_.size();
        done_ = gap_ <= tolerance * primal_ || small_ < 1e-14;
    }
    [[nodiscard]] bool done() const noexcept { return done_; }
    [[nodiscard]] std::size_t epochs() const noexcept { return epochs_; }
    [[nodiscard]] double relative_gap() const noexcept { return gap_ / primal_; }
    [[nodiscard]] double loss() const noexcept { return loss_sum_; }  // of rows, times their cost
    [[nodiscard]] const std::vector<double>& weights() const noexcept { return w_; }

   private:
    [[nodiscard]] double sign(std::size_t i) const noexcept { return labels_[i] == own_ ? 1.0 : -1.0; }

    void shuffle() {
        for (std::size_t n = active_; n > 1; --n) {  // 32 bits at random times n: no division
            const auto at = static_cast<std::size_t>(((random_() >> 32) * n) >> 32);
            std::swap(order_[n - 1], order_[at]);
        }
    }
    // A round of hinges ends when the slopes of all rows lie within a tenth of what they did in the round before.
    bool hinge_epoch_ends_round() {
        if (hinge_epoch() > small_) return false;
        if (active_ < order_.size()) {  // those left out may have to come back
            active_ = order_.size();
            highest_ = std::numeric_limits<double>::infinity();
            lowest_ = -highest_;
            return false;
        }
        small_ /= 10;
        near_ = small_ < 5e-3;
        return true;
    }
    // A round of logistic losses ends after the second epoch, for a first look at the loss, and when the gap seems small.
    bool logistic_epoch_ends_round(double tolerance) {
        // From then on rows whose parts of the gap are as good as nothing are left out until the round ends.
        least_ = epochs_ > 2 ? 1e-2 * std::max(tolerance, 1e-6) * primal_ / static_cast<double>(order_.size()) : -1;
        const double gap = logistic_epoch();
        near_ = epochs_ > 2 && gap <= 1e-5 * primal_;
        return epochs_ == 2 || near_ || (epochs_ > 2 && gap <= tolerance * primal_);
    }
    // Returns how far the slopes of rows that can move lie apart.
    double hinge_epoch() {
        shuffle();
        const bool bounded = loss_ == dual_loss::hinge;
        double highest = -std::numeric_limits<double>::infinity(), lowest = -highest;
        for (std::size_t n = 0; n < active_;) {
            const std::size_t i = order_[n];
            const double y = sign(i), cost = costs_[i], alpha = alpha_[i], own = bounded ? 0 : 0.5 / cost;
            const double top = bounded ? cost : std::numeric_limits<double>::infinity();
            const double slope = y * rows_.times(i, w_.data()) - 1 + own * alpha;
            // A row at an end of its range that pushes outwards more than any other did is left out for now.
            if ((alpha == 0 && slope > highest_) || (alpha == top && slope < lowest_)) {
                std::swap(order_[n], order_[--active_]);
                continue;
            }
            const double free = (alpha == 0 && slope > 0) || (alpha == top && slope < 0) ? 0 : slope;
            highest = std::max(highest, free);
            lowest = std::min(lowest, free);
            if (free != 0) {
                const double curvature = squares_[i] + own;
                const double next = curvature > 0 ? std::clamp(alpha - slope / curvature, 0.0, top) : top;  // a row of zeros costs what it costs
                alpha_[i] = next;
                if (next != alpha) rows_.add(i, (next - alpha) * y, w_.data());
            }
            ++n;
        }
        highest_ = highest > 0 ? highest : std::numeric_limits<double>::infinity();
        lowest_ = lowest < 0 ? lowest : -std::numeric_limits<double>::infinity();
        return active_ == 0 ? 0 : highest - lowest;
    }
    // Returns a guess at the gap before it.
    double logistic_epoch() {
        shuffle();
        double gap = 0;
        for (std::size_t n = 0; n < active_;) {
            const std::size_t i = order_[n];
            const double y = sign(i), cost = costs_[i], before = alpha_[i], margin = y * rows_.times(i, w_.data());
            const double share = sigmoid_of(before), pull = squares_[i] * cost;
            const double part = cost * share * (1 - share) * (before + margin) * (before + margin) / 2;
            gap += part;
            if (part <= least_) {
                std::swap(order_[n], order_[--active_]);
                continue;
            }
            // The root of  odds + pull * (its share - share) + margin,  which rises, by Newton's method within bounds.
            double low = -margin - pull * (1 - share), high = -margin + pull * share, odds = before, next_share = share;
            double off = before + margin;
            const double enough = 0.05 * std::abs(off);
            for (int step = 0; step < 50 && off != 0; ++step) {
                (off > 0 ? high : low) = odds;
                double next = odds - off / (1 + pull * next_share * (1 - next_share));
                if (!(next > low && next < high)) next = low + (high - low) / 2;
                odds = next;
                next_share = sigmoid_of(odds);
                off = odds + pull * (next_share - share) + margin;
                if (std::abs(off) <= enough) break;
            }
            alpha_[i] = odds;
            rows_.add(i, cost * (next_share - share) * y, w_.data());
            ++n;
        }
        return gap;
    }
    // w from alpha, without the rounding that steps left in it.
    void collect() {
        std::fill(w_.begin(), w_.end(), 0.0);
        for (std::size_t i = 0; i < rows_.count(); ++i) {
            const double alpha = loss_ == dual_loss::logistic ? costs_[i] * sigmoid_of(alpha_[i]) : alpha_[i];
            if (costs_[i] > 0 && alpha != 0) rows_.add(i, alpha * sign(i), w_.data());
        }
    }
    // The gap between the loss and the dual is a sum over rows, and no row's part is negative.
    void measure() {
        collect();
        loss_sum_ = gap_ = 0;
        for (std::size_t i = 0; i < rows_.count(); ++i) {
            if (costs_[i] == 0) continue;
            const double cost = costs_[i], margin = sign(i) * rows_.times(i, w_.data()), alpha = alpha_[i], short_of = 1 - margin;
            if (loss_ == dual_loss::hinge) {
                loss_sum_ += cost * std::max(0.0, short_of);
                gap_ += short_of > 0 ? (cost - alpha) * short_of : -alpha * short_of;
            } else if (loss_ == dual_loss::squared_hinge) {
                const double missed = std::max(0.0, short_of), off = missed - alpha / (2 * cost);
                loss_sum_ += cost * missed * missed;
                gap_ += short_of > 0 ? cost * off * off : alpha * (alpha / (4 * cost) - short_of);
            } else {
                loss_sum_ += cost * softplus(-margin);
                const double off = alpha + margin, share = sigmoid_of(alpha);  // how unlike two probabilities are
                gap_ += cost *
                        (std::abs(off) < 1e-4 ? share * sigmoid_of(-alpha) * off * off / 2 : std::max(0.0, share * off - softplus(alpha) + softplus(-margin)));
            }
        }
        double square = 0;
        for (const double v : w_) square += v * v;
        primal_ = square / 2 + loss_sum_;
    }

    // ---- Newton's method ----
    [[nodiscard]] double loss_of(double cost, double margin) const noexcept {
        if (loss_ == dual_loss::logistic) return cost * softplus(-margin);
        const double missed = std::max(0.0, 1 - margin);
        return cost * missed * missed;
    }
    // Margins, the loss and its slopes at w. With `alpha` the slopes of the rows' losses, w less the sum of alpha * sign * x is
    // the slope of the whole, and half its square is the gap.
    void look() {
        margins_.resize(rows_.count());
        slope_ = w_;
        loss_sum_ = 0;
        for (const std::uint32_t i : order_) {
            const double margin = sign(i) * rows_.times(i, w_.data());
            margins_[i] = margin;
            loss_sum_ += loss_of(costs_[i], margin);
            const double alpha = costs_[i] * (loss_ == dual_loss::logistic ? sigmoid_of(-margin) : 2 * std::max(0.0, 1 - margin));
            if (alpha != 0) rows_.add(i, -alpha * sign(i), slope_.data());
        }
        gap_ = product(slope_, slope_) / 2;
        primal_ = product(w_, w_) / 2 + loss_sum_;
    }
    static double product(const std::vector<double>& a, const std::vector<double>& b) noexcept {
        double sum = 0;
        for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
        return sum;
    }
    // The direction by conjugate gradients, preconditioned by the diagonal; then as far as the loss falls.
    void newton_step(std::size_t max_epochs) {
        ++epochs_;
        const std::size_t n = w_.size();
        std::vector<double> curves(rows_.count()), diagonal(n, 1.0), step(n), rest(n), along(n), curved(n), z(n);
        for (const std::uint32_t i : order_) {
            curves[i] = costs_[i] * (loss_ == dual_loss::logistic ? sigmoid_of(margins_[i]) * sigmoid_of(-margins_[i]) : margins_[i] < 1 ? 2 : 0);
            if (curves[i] > 0) rows_.add_squares(i, curves[i], diagonal.data());
        }
        for (std::size_t j = 0; j < n; ++j) {
            rest[j] = -slope_[j];
            along[j] = z[j] = rest[j] / diagonal[j];
        }
        double norm = product(rest, z);
        if (first_norm_ == 0) first_norm_ = norm;
        const double target = norm * std::clamp(norm / first_norm_, 1e-8, 1e-2);
        while (norm > target && epochs_ < max_epochs) {
            ++epochs_;
            curved = along;
            for (const std::uint32_t i : order_)
                if (curves[i] > 0) rows_.add(i, curves[i] * rows_.times(i, along.data()), curved.data());
            const double length = norm / product(along, curved);
            for (std::size_t j = 0; j < n; ++j) {
                step[j] += length * along[j];
                rest[j] -= length * curved[j];
                z[j] = rest[j] / diagonal[j];
            }
            const double next = product(rest, z);
            for (std::size_t j = 0; j < n; ++j) along[j] = z[j] + next / norm * along[j];
            norm = next;
        }
        const double fall = -product(slope_, step), across = product(w_, step), length_squared = product(step, step), square = product(w_, w_);
        std::vector<double> moves(rows_.count());
        for (const std::uint32_t i : order_) moves[i] = sign(i) * rows_.times(i, step.data());
        double length = 1;
        // So near to the minimum that the loss cannot tell, the whole step is taken.
        for (; fall > 1e-10 * primal_ && length > 1e-12; length /= 2) {
            double loss = (square + 2 * length * across + length * length * length_squared) / 2;
            for (const std::uint32_t i : order_) loss += loss_of(costs_[i], margins_[i] + length * moves[i]);
            if (loss <= primal_ - 1e-4 * length * fall) break;
        }
        const double before = gap_;
        const std::vector<double> old = w_;
        for (std::size_t j = 0; j < n; ++j) w_[j] += length * step[j];
        look();
        if (fall <= 1e-10 * primal_ && gap_ >= before) {  // at the end of double precision
            w_ = old;
            look();
            done_ = true;
        }
    }

    const Rows& rows_;
    std::span<const int> labels_;
    int own_;
    std::span<const double> costs_, squares_;
    dual_loss loss_;
    rng random_;
    std::vector<double> alpha_, w_;
    std::vector<std::uint32_t> order_;  // the first `active_` of them are looked at
    std::size_t active_ = 0, epochs_ = 0;
    double highest_ = std::numeric_limits<double>::infinity(), lowest_ = -std::numeric_limits<double>::infinity();
    double small_ = 0.1, least_ = -1, loss_sum_ = 0, gap_ = 0, primal_ = 0, first_norm_ = 0;
    std::vector<double> margins_, slope_;  // of Newton's method
    bool near_ = false, done_ = false;
};

// Learns a row of coefficients for each class, or one for class 1 of two.
template <class T, class X>
[[nodiscard]] linear_scores<T> fit_dual(const X& x, const std::vector<int>& y, const dual_settings& how, const fit_options& options, std::string_view who) {
    require(std::isfinite(how.regularization) && how.regularization > 0, errc::bad_parameter, who, ": regularization = ", how.regularization,
            ", must be above 0");
    require(std::isfinite(how.intercept_scale) && how.intercept_scale >= 0, errc::bad_parameter, who, ": intercept_scale = ", how.intercept_scale,
            ", must be at least 0");
    require(how.tolerance >= 1e-15 && how.tolerance < 1, errc::bad_parameter, who, ": tolerance = ", how.tolerance, ", must lie in 1e-15 .. 1");
    require(how.max_epochs >= 1 && how.max_epochs <= 1'000'000, errc::bad_parameter, who, ": max_epochs = ", how.max_epochs, ", must lie in 1 .. 1000000");
    require(x.rows() > 0, errc::empty_input, who, ": no rows to learn from");
    require(std::cmp_equal(x.rows(), y.size()), errc::shape_mismatch, who, ": ", x.rows(), " rows but ", y.size(), " targets");
    require(x.rows() < (row_index{1} << 32), errc::limit_exceeded, who, ": ", x.rows(), " rows, must be below 2^32");
    const std::size_t classes = count_classes(y, who);
    require(static_cast<std::size_t>(x.cols()) < (std::size_t{1} << 29) / classes, errc::limit_exceeded, who, ": ", x.cols(), " columns times ", classes,
            " classes are more than 2^29 coefficients");
    require(how.class_weights.empty() || how.class_weights.size() == classes, errc::shape_mismatch, who, ": ", classes, " classes but ",
            how.class_weights.size(), " class_weights");
    for (const double w : how.class_weights) require(std::isfinite(w) && w >= 0, errc::bad_parameter, who, ": a class weight is negative or not finite");
    const row_weights weights(options.weights, y.size(), who);
    constexpr bool sparse = std::is_same_v<X, sparse_matrix<T>>;
    if constexpr (!sparse) require_finite(x, who);

    std::vector<double> costs(y.size()), squares(y.size());
    std::vector<bool> seen(classes);
    double cost_sum = 0;
    const std::conditional_t<sparse, sparse_examples<T>, dense_examples<T>> rows(x, how.intercept_scale);
    for (std::size_t i = 0; i < y.size(); ++i) {
        const auto label = static_cast<std::size_t>(y[i]);
        costs[i] = weights[i] * (how.class_weights.empty() ? 1.0 : how.class_weights[label]) / how.regularization;
        if (costs[i] > 0) seen[label] = true;
        cost_sum += costs[i];
        squares[i] = rows.square(i);
        require_at(std::isfinite(squares[i]) && std::isfinite(squares[i] * costs[i]), errc::number_out_of_range, {.row = i + 1}, who, ": the values of row ",
                   i + 1, " are too large");
    }
    for (std::size_t k = 0; k < classes; ++k)
        require(seen[k], errc::bad_data, who, ": class ", k, " of ", classes, " has no row of positive weight; number the classes 0, 1, ...");

    using solver = dual_descent<std::remove_const_t<decltype(rows)>>;
    const rng random = stage_rng(options, who);
    std::vector<solver> problems;
    const std::size_t outputs = classes == 2 ? 1 : classes;
    problems.reserve(outputs);
    for (std::size_t k = 0; k < outputs; ++k) problems.emplace_back(rows, y, static_cast<int>(outputs == 1 ? 1 : k), costs, squares, how.loss, random.split(k));
    for (;;) {
        std::vector<std::size_t> open;
        for (std::size_t k = 0; k < outputs; ++k)
            if (!problems[k].done()) open.push_back(k);
        if (open.empty()) break;
        for (const std::size_t k : open)
            require(problems[k].epochs() < how.max_epochs, errc::diverged, who, ": for class ", outputs == 1 ? 1 : k, " the gap is ",
                    problems[k].relative_gap(), " of the loss after max_epochs (", how.max_epochs, "), not ", how.tolerance,
                    ": raise max_epochs or regularization, or standardize the columns");
        parallel_for(open.size(), options, [&](std::size_t n) { problems[open[n]].run(how.tolerance, how.max_epochs); });
        if (!options.on_progress) continue;
        double loss = 0;
        std::size_t epochs = 0;
        for (const solver& p : problems) {
            loss += p.loss() / cost_sum;
            epochs = std::max(epochs, p.epochs());
        }
        if (options.on_progress({who, epochs, how.max_epochs, loss}) == verdict::stop) break;
    }

    // Columns without coefficients, such as words that no text had, are left out.
    const std::size_t columns = rows.columns();
    std::vector<std::int32_t> kept;
    for (std::size_t j = 0; j < columns; ++j)
        if (std::any_of(problems.begin(), problems.end(), [&](const solver& p) { return static_cast<T>(p.weights()[j]) != T(0); }))
            kept.push_back(static_cast<std::int32_t>(j));
    matrix<T> coefficients(static_cast<row_index>(kept.size()), static_cast<row_index>(outputs));
    vec<T> intercepts(static_cast<row_index>(outputs));
    for (std::size_t k = 0; k < outputs; ++k) {
        const auto& w = problems[k].weights();
        for (std::size_t r = 0; r < kept.size(); ++r)
            coefficients(static_cast<row_index>(r), static_cast<row_index>(k)) = static_cast<T>(w[static_cast<std::size_t>(kept[r])]);
        intercepts(static_cast<row_index>(k)) = static_cast<T>(w[columns] * rows.ones());
    }
    require(coefficients.allFinite() && intercepts.allFinite(), errc::number_out_of_range, who,
            ": coefficients are beyond the number type; standardize the columns");
    return {columns, std::move(kept), std::move(coefficients), std::move(intercepts), who};
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
