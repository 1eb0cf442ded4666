#ifndef CARAMEL_NN_NORM_HPP
#define CARAMEL_NN_NORM_HPP

// Layers that bring numbers to mean 0 and deviation 1, and then to a mean and a deviation that are learnt.

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/nn/layer.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {
template <class T>
std::span<T> span_of(vec<T>& x) noexcept {
    return {x.data(), static_cast<std::size_t>(x.size())};
}
}  // namespace detail

/// (x - mean) / sqrt(variance + epsilon) * scale + shift, each by column.
template <class T>
struct batch_norm_params {
    vec<T> scale, shift, mean, variance;  ///< (inputs)
    double epsilon = 1e-5;

    [[nodiscard]] std::size_t inputs() const noexcept { return static_cast<std::size_t>(scale.size()); }
    [[nodiscard]] std::size_t check(std::size_t given, std::string_view who) const {
        require(inputs() == given, errc::bad_data, who, ": a batch norm of ", inputs(), " inputs is given ", given);
        require(shift.size() == scale.size() && mean.size() == scale.size() && variance.size() == scale.size(), errc::bad_data, who,
                ": the fields of a batch norm are of different lengths");
        require(scale.allFinite() && shift.allFinite() && mean.allFinite() && variance.allFinite() && (variance.array() >= 0).all() && std::isfinite(epsilon) &&
                    epsilon > 0,
                errc::bad_data, who, ": a batch norm has values that are not finite, or a variance below 0");
        return given;
    }
    /// 1 / deviation.
    [[nodiscard]] T inverse(row_index j) const noexcept { return static_cast<T>(1 / std::sqrt(static_cast<double>(variance(j)) + epsilon)); }
    [[nodiscard]] matrix<T> apply(matrix<T> x) const {
        vec<T> factor(scale.size());
        factors(factor.data());
        for (row_index i = 0; i < x.rows(); ++i) normalize(x.data() + i * x.cols(), factor.data(), x.data() + i * x.cols());
        return x;
    }
    [[nodiscard]] std::span<const T> apply(std::span<const T> row, workspace& scratch) const {
        const auto factor = scratch.take<T>(row.size()), y = scratch.take<T>(row.size());
        factors(factor.data());
        normalize(row.data(), factor.data(), y.data());
        return y;
    }

    static constexpr std::array field_names{"scale", "shift", "mean", "variance", "epsilon"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(scale, shift, mean, variance, epsilon); }

   private:
    void factors(T* out) const noexcept {
        for (row_index j = 0; j < scale.size(); ++j) out[j] = scale(j) * inverse(j);
    }
    void normalize(const T* x, const T* factor, T* y) const noexcept {
        const T *const m = mean.data(), *const b = shift.data();
        const row_index n = scale.size();
        for (row_index j = 0; j < n; ++j) y[j] = (x[j] - m[j]) * factor[j] + b[j];
    }
};

/// Brings each column to mean 0 and deviation 1, then to a shift and a scale that are learnt, from 0 and 1 on (Ioffe &
/// Szegedy, ICML 2015). In training by the mean and variance (divisor n) of the mini-batch; a trained model uses the running
/// averages of those (of the variance with divisor n - 1), so a row's answer does not depend on the others. A mini-batch of
/// one row, which has no spread, is brought there by the running averages. Weights of rows are not looked at.
struct batch_norm {
    static constexpr std::string_view kind = "batch_norm";
    static constexpr bool whole_batch = true;

    /// Of the way to a mini-batch's mean and variance that the running ones go; above 0, at most 1. In the first steps they
    /// are the plain means of what was seen.
    double running_share = 0.1;
    double epsilon = 1e-5;  ///< is added to the variance; above 0

    template <class T>
    using params = batch_norm_params<T>;
    template <class T>
    struct grads {
        vec<T> scale, shift, mean, variance;
    };
    template <class T>
    struct cache {
        matrix<T> scores, y;
        vec<T> inverse, mean, variance;
        bool alone = false;  // a single row
    };

    /// Throws `error` (`bad_parameter`).
    template <class T>
    [[nodiscard]] batch_norm_params<T> init(const layer_shape& shape, rng&) const {
        require(running_share > 0 && running_share <= 1, errc::bad_parameter, "batch_norm: running_share = ", running_share, ", must be above 0 and at most 1");
        require(std::isfinite(epsilon) && epsilon > 0, errc::bad_parameter, "batch_norm: epsilon = ", epsilon, ", must be above 0");
        const auto n = static_cast<row_index>(shape.inputs);
        return {vec<T>::Ones(n), vec<T>::Zero(n), vec<T>::Zero(n), vec<T>::Ones(n), epsilon};
    }
    template <class T>
    [[nodiscard]] const matrix<T>& forward(const batch_norm_params<T>& p, const matrix<T>& x, cache<T>& c, rng&) const {
        const row_index rows = x.rows(), n = x.cols();
        c.alone = rows < 2;
        c.mean = p.mean;
        c.variance = p.variance;
        c.inverse.resize(n);
        if (c.alone) {
            for (row_index j = 0; j < n; ++j) c.inverse(j) = p.inverse(j);
        } else {
            statistics(p, x, c);
        }
        c.scores.resize(rows, n);
        c.y.resize(rows, n);
        const T *const m = c.mean.data(), *const inverse = c.inverse.data(), *const scale = p.scale.data(), *const shift = p.shift.data();
        for (row_index i = 0; i < rows; ++i) {
            const T* const from = x.data() + i * n;
            T *const z = c.scores.data() + i * n, *const y = c.y.data() + i * n;
            for (row_index j = 0; j < n; ++j) {
                z[j] = (from[j] - m[j]) * inverse[j];
                y[j] = z[j] * scale[j] + shift[j];
            }
        }
        return c.y;
    }
    template <class T>
    [[nodiscard]] matrix<T> backward(const batch_norm_params<T>& p, cache<T>& c, matrix<T> dy, grads<T>& g) const {
        const row_index rows = dy.rows(), n = dy.cols();
        g.scale.setZero(n);
        g.shift.setZero(n);
        g.mean = c.mean;
        g.variance = c.variance;
        for (row_index i = 0; i < rows; ++i) {
            const T *const d = dy.data() + i * n, *const z = c.scores.data() + i * n;
            for (row_index j = 0; j < n; ++j) {
                g.scale(j) += d[j] * z[j];
                g.shift(j) += d[j];
            }
        }
        const T share = c.alone ? T(0) : T(1) / static_cast<T>(rows);
        for (row_index i = 0; i < rows; ++i) {
            T* const d = dy.data() + i * n;
            const T* const z = c.scores.data() + i * n;
            for (row_index j = 0; j < n; ++j) d[j] = p.scale(j) * c.inverse(j) * (d[j] - share * (g.shift(j) + z[j] * g.scale(j)));
        }
        return dy;
    }
    template <class T, class F>
    void visit(batch_norm_params<T>& p, grads<T>& g, const F& f) const {
        using detail::span_of;
        f(parameter_block<T>{.values = span_of(p.scale), .gradient = span_of(g.scale)});
        f(parameter_block<T>{.values = span_of(p.shift), .gradient = span_of(g.shift)});
        f(parameter_block<T>{.values = span_of(p.mean), .gradient = span_of(g.mean), .follows = running_share});
        f(parameter_block<T>{.values = span_of(p.variance), .gradient = span_of(g.variance), .follows = running_share});
    }

   private:
    // Two passes, in double.
    template <class T>
    static void statistics(const batch_norm_params<T>& p, const matrix<T>& x, cache<T>& c) {
        const row_index rows = x.rows(), n = x.cols();
        vec<double> mean = vec<double>::Zero(n), square = vec<double>::Zero(n);
        for (row_index i = 0; i < rows; ++i)
            for (row_index j = 0; j < n; ++j) mean(j) += static_cast<double>(x(i, j));
        mean /= static_cast<double>(rows);
        for (row_index i = 0; i < rows; ++i)
            for (row_index j = 0; j < n; ++j) {
                const double off = static_cast<double>(x(i, j)) - mean(j);
                square(j) += off * off;
            }
        for (row_index j = 0; j < n; ++j) {
            c.mean(j) = static_cast<T>(mean(j));
            c.variance(j) = static_cast<T>(square(j) / static_cast<double>(rows - 1));
            c.inverse(j) = static_cast<T>(1 / std::sqrt(square(j) / static_cast<double>(rows) + p.epsilon));
        }
    }
};

/// Each row less its mean, over sqrt(its variance + epsilon), times scale, plus shift.
template <class T>
struct layer_norm_params {
    vec<T> scale, shift;  ///< (inputs)
    double epsilon = 1e-5;

    [[nodiscard]] std::size_t inputs() const noexcept { return static_cast<std::size_t>(scale.size()); }
    [[nodiscard]] std::size_t check(std::size_t given, std::string_view who) const {
        require(inputs() == given && shift.size() == scale.size(), errc::bad_data, who, ": a layer norm of ", inputs(), " inputs is given ", given,
                ", or has fields of different lengths");
        require(scale.allFinite() && shift.allFinite() && std::isfinite(epsilon) && epsilon > 0, errc::bad_data, who,
                ": a layer norm has values that are not finite");
        return given;
    }
    /// A row's scores into `z`, which may be the row; returns 1 / deviation.
    T score(const T* x, T* z) const noexcept {
        const row_index n = scale.size();
        double sum = 0, square = 0;
        for (row_index j = 0; j < n; ++j) sum += static_cast<double>(x[j]);
        const double mean = sum / static_cast<double>(n);
        for (row_index j = 0; j < n; ++j) square += (static_cast<double>(x[j]) - mean) * (static_cast<double>(x[j]) - mean);
        const T centre = static_cast<T>(mean), inverse = static_cast<T>(1 / std::sqrt(square / static_cast<double>(n) + epsilon));
        for (row_index j = 0; j < n; ++j) z[j] = (x[j] - centre) * inverse;
        return inverse;
    }
    /// Scores -> outputs.
    void finish(const T* z, T* y) const noexcept {
        const T *const a = scale.data(), *const b = shift.data();
        const row_index n = scale.size();
        for (row_index j = 0; j < n; ++j) y[j] = z[j] * a[j] + b[j];
    }
    [[nodiscard]] matrix<T> apply(matrix<T> x) const {
        for (row_index i = 0; i < x.rows(); ++i) {
            T* const row = x.data() + i * x.cols();
            (void)score(row, row);
            finish(row, row);
        }
        return x;
    }
    [[nodiscard]] std::span<const T> apply(std::span<const T> row, workspace& scratch) const {
        const auto y = scratch.take<T>(row.size());
        (void)score(row.data(), y.data());
        finish(y.data(), y.data());
        return y;
    }

    static constexpr std::array field_names{"scale", "shift", "epsilon"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(scale, shift, epsilon); }
};

/// Brings each row to mean 0 and deviation 1 over its columns, then each column to a shift and a scale that are learnt, from 0
/// and 1 on (Ba, Kiros & Hinton, 2016). The same in training and after.
struct layer_norm {
    static constexpr std::string_view kind = "layer_norm";

    double epsilon = 1e-5;  ///< is added to the variance; above 0

    template <class T>
    using params = layer_norm_params<T>;
    template <class T>
    using grads = layer_norm_params<T>;
    template <class T>
    struct cache {
        matrix<T> scores, y;
        vec<T> inverse;
    };

    /// Throws `error` (`bad_parameter`).
    template <class T>
    [[nodiscard]] layer_norm_params<T> init(const layer_shape& shape, rng&) const {
        require(std::isfinite(epsilon) && epsilon > 0, errc::bad_parameter, "layer_norm: epsilon = ", epsilon, ", must be above 0");
        const auto n = static_cast<row_index>(shape.inputs);
        return {vec<T>::Ones(n), vec<T>::Zero(n), epsilon};
    }
    template <class T>
    [[nodiscard]] const matrix<T>& forward(const layer_norm_params<T>& p, const matrix<T>& x, cache<T>& c, rng&) const {
        const row_index n = x.cols();
        c.scores.resize(x.rows(), n);
        c.y.resize(x.rows(), n);
        c.inverse.resize(x.rows());
        for (row_index i = 0; i < x.rows(); ++i) {
            c.inverse(i) = p.score(x.data() + i * n, c.scores.data() + i * n);
            p.finish(c.scores.data() + i * n, c.y.data() + i * n);
        }
        return c.y;
    }
    template <class T>
    [[nodiscard]] matrix<T> backward(const layer_norm_params<T>& p, cache<T>& c, matrix<T> dy, layer_norm_params<T>& g) const {
        const row_index n = dy.cols();
        g.scale.setZero(n);
        g.shift.setZero(n);
        for (row_index i = 0; i < dy.rows(); ++i) {
            T* const d = dy.data() + i * n;
            const T* const z = c.scores.data() + i * n;
            double sum = 0, along = 0;
            for (row_index j = 0; j < n; ++j) {
                g.scale(j) += d[j] * z[j];
                g.shift(j) += d[j];
                d[j] *= p.scale(j);
                sum += static_cast<double>(d[j]);
                along += static_cast<double>(d[j]) * static_cast<double>(z[j]);
            }
            const T mean = static_cast<T>(sum / static_cast<double>(n)), tilt = static_cast<T>(along / static_cast<double>(n)), inverse = c.inverse(i);
            for (row_index j = 0; j < n; ++j) d[j] = inverse * (d[j] - mean - z[j] * tilt);
        }
        return dy;
    }
    template <class T, class F>
    void visit(layer_norm_params<T>& p, layer_norm_params<T>& g, const F& f) const {
        using detail::span_of;
        f(parameter_block<T>{.values = span_of(p.scale), .gradient = span_of(g.scale)});
        f(parameter_block<T>{.values = span_of(p.shift), .gradient = span_of(g.shift)});
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
