#ifndef CARAMEL_LINEAR_CLASS_DESCENT_HPP
#define CARAMEL_LINEAR_CLASS_DESCENT_HPP

// The squared-hinge machines of all classes at once, for texts: coordinate descent on their duals as `dual_descent` does it,
// with the classes side by side, so that one look at a row serves all of them. In float and for a fixed number of epochs:
// what `linear_svm` finds to a stated accuracy, this finds well enough to predict with, some thirty times faster.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

/// Rows of (column, value), in any order of columns.
template <class T>
struct descent_rows {
    std::span<const std::size_t> starts;
    std::span<const std::int32_t> columns;
    std::span<const T> values;
    std::size_t width = 0;
};

/// Some classes against all others: `Width` of them side by side, the last ones unused. Minimises for each
///
///     |coefficients|^2 / 2  +  sum over rows of cost * max(0, 1 - margin)^2
///
/// The intercept is the coefficient of a column of `ones` behind the others.
template <class T, std::size_t Width>
class class_descent {
   public:
    static constexpr T ones = T(0.1);  // the larger the column of ones, the longer the intercept swings before it settles

    /// Classes `first`, `first` + 1, ...; `rows` of the data, with `labels` of all data.
    class_descent(const descent_rows<T>& x, std::span<const std::uint32_t> rows, std::span<const int> labels, int first, std::size_t classes)
        : x_(x),
          rows_(rows),
          labels_(labels),
          first_(first),
          used_(classes),
          weights_((x.width + 1) * Width),
          alpha_(rows.size() * Width),
          squares_(rows.size()) {
        for (std::size_t n = 0; n < rows.size(); ++n) {
            double square = static_cast<double>(ones) * static_cast<double>(ones);
            for (std::size_t k = x.starts[rows[n]]; k < x.starts[rows[n] + 1]; ++k)
                square += static_cast<double>(x.values[k]) * static_cast<double>(x.values[k]);
            squares_[n] = static_cast<T>(square);
        }
    }
    /// One pass over all rows in the order given. `half_costs`: 1 / (2 cost) of each of `rows`; below 0 = not counted.
    void epoch(std::span<const std::uint32_t> order, std::span<const T> half_costs) {
#if CARAMEL_RUNTIME_AVX2
        if constexpr (Width * sizeof(T) >= 32) {
            if (__builtin_cpu_supports("avx2")) return epoch_avx2(order, half_costs);
        }
#endif
        pass(order, half_costs);
    }
    /// The coefficients, (columns + 1, Width); the last row is the intercepts.
    [[nodiscard]] const std::vector<T>& weights() const noexcept { return weights_; }
    [[nodiscard]] std::size_t classes() const noexcept { return used_; }
    [[nodiscard]] int first() const noexcept { return first_; }
    /// Scores of a row of the data.
    void score(std::size_t row, T* out) const {
        const T* const own = weights_.data() + x_.width * Width;
        T sum[Width];
        for (std::size_t j = 0; j < Width; ++j) sum[j] = own[j] * ones;
        for (std::size_t k = x_.starts[row]; k < x_.starts[row + 1]; ++k) {
            const T* const w = weights_.data() + static_cast<std::size_t>(x_.columns[k]) * Width;
            for (std::size_t j = 0; j < Width; ++j) sum[j] += x_.values[k] * w[j];
        }
        std::copy_n(sum, used_, out);
    }

   private:
#if CARAMEL_RUNTIME_AVX2
    // The same sums and the same bits, in registers twice as wide.
    __attribute__((target("avx2"), flatten)) void epoch_avx2(std::span<const std::uint32_t> order, std::span<const T> half_costs) { pass(order, half_costs); }
#endif
    CARAMEL_ALWAYS_INLINE void pass(std::span<const std::uint32_t> order, std::span<const T> half_costs) {
        T* const weights = weights_.data();
        T* const own = weights + x_.width * Width;
        for (const std::uint32_t n : order) {
            const T half = half_costs[n];
            if (half < 0) continue;
            const std::size_t row = rows_[n], begin = x_.starts[row], end = x_.starts[row + 1];
            const std::int32_t* const columns = x_.columns.data();
            const T* const values = x_.values.data();
            T score[Width], move[Width];
            for (std::size_t j = 0; j < Width; ++j) score[j] = own[j] * ones;
            constexpr std::size_t ahead = 8, line = 64 / sizeof(T);
            for (std::size_t k = begin; k < end; ++k) {
                if constexpr (Width > 1)
                    for (std::size_t j = 0; j < Width; j += line)
                        CARAMEL_PREFETCH(weights + static_cast<std::size_t>(columns[std::min(k + ahead, end - 1)]) * Width + j);
                const T* const w = weights + static_cast<std::size_t>(columns[k]) * Width;
                const T value = values[k];
                for (std::size_t j = 0; j < Width; ++j) score[j] += value * w[j];
            }
            T* const alpha = alpha_.data() + n * Width;
            const T step = 1 / (squares_[n] + half);
            for (std::size_t j = 0; j < Width; ++j) {  // as if the row were of none of the classes
                const T next = std::max(T(0), alpha[j] + (1 + score[j] - half * alpha[j]) * step);
                move[j] = alpha[j] - next;
                alpha[j] = next;
            }
            const auto mine = static_cast<std::size_t>(labels_[row] - first_);  // beyond them all where it is so
            if (mine < used_) {
                const T before = alpha[mine] + move[mine], next = std::max(T(0), before + (1 - score[mine] - half * before) * step);
                move[mine] = next - before;
                alpha[mine] = next;
            }
            T most = 0;
            for (std::size_t j = 0; j < used_; ++j) most = std::max(most, std::abs(move[j]));
            if (most == 0) continue;
            for (std::size_t j = used_; j < Width; ++j) move[j] = 0;
            for (std::size_t k = begin; k < end; ++k) {
                T* const w = weights + static_cast<std::size_t>(columns[k]) * Width;
                const T value = values[k];
                for (std::size_t j = 0; j < Width; ++j) w[j] += value * move[j];
            }
            for (std::size_t j = 0; j < Width; ++j) own[j] += move[j] * ones;
        }
    }

    descent_rows<T> x_;
    std::span<const std::uint32_t> rows_;
    std::span<const int> labels_;
    int first_;
    std::size_t used_;
    std::vector<T> weights_, alpha_, squares_;
};

/// All classes: of two one machine, that of class 1; else one a class, in groups that are learnt side by side on
/// `options.threads` threads. The groups depend on the number of classes alone.
template <class T>
class descent_of_classes {
   public:
    descent_of_classes(const descent_rows<T>& x, std::span<const std::uint32_t> rows, std::span<const int> labels, std::size_t classes, rng random)
        : rows_(rows.size()), outputs_(classes == 2 ? 1 : classes), width_(x.width), random_(random) {
        if (outputs_ == 1) groups_.emplace_back(std::in_place_type<class_descent<T, 1>>, x, rows, labels, 1, 1);
        for (std::size_t k = 0; outputs_ > 1 && k < outputs_;) {
            const std::size_t rest = outputs_ - k;
            const auto first = static_cast<int>(k);
            if (rest > 16) groups_.emplace_back(std::in_place_type<class_descent<T, 32>>, x, rows, labels, first, std::min<std::size_t>(rest, 32));
            else if (rest > 8) groups_.emplace_back(std::in_place_type<class_descent<T, 16>>, x, rows, labels, first, rest);
            else groups_.emplace_back(std::in_place_type<class_descent<T, 8>>, x, rows, labels, first, rest);
            k += std::visit([](const auto& group) { return group.classes(); }, groups_.back());
        }
    }
    /// More passes, each in an order of its own, from where the last ones ended. `costs`: one a row of those that are learnt from.
    void run(std::size_t epochs, std::span<const double> costs, const run_options& how) {
        std::vector<T> half_costs(rows_);
        for (std::size_t n = 0; n < rows_; ++n) half_costs[n] = costs[n] > 0 ? static_cast<T>(1 / (2 * costs[n])) : T(-1);
        parallel_for(groups_.size(), how, [&](std::size_t g) {
            std::vector<std::uint32_t> order(rows_);
            for (std::size_t e = 0; e < epochs; ++e) {
                std::iota(order.begin(), order.end(), 0U);
                random_.split(done_ + e).shuffle(std::span(order));
                std::visit([&](auto& group) { group.epoch(order, half_costs); }, groups_[g]);
            }
        });
        done_ += epochs;
    }
    [[nodiscard]] std::size_t outputs() const noexcept { return outputs_; }
    /// (outputs) scores of a row of the data.
    void score(std::size_t row, T* out) const {
        for (const auto& group : groups_)
            std::visit(
                [&](const auto& g) {
                    g.score(row, out);
                    out += g.classes();
                },
                group);
    }
    /// (columns, outputs) and (outputs).
    void collect(matrix<T>& coefficients, vec<T>& intercepts) const {
        coefficients.resize(static_cast<row_index>(width_), static_cast<row_index>(outputs_));
        intercepts.resize(static_cast<row_index>(outputs_));
        std::size_t at = 0;
        for (const auto& group : groups_)
            std::visit(
                [&](const auto& g) {
                    const std::size_t n = g.classes(), wide = g.weights().size() / (width_ + 1);
                    for (std::size_t j = 0; j < width_; ++j) std::copy_n(g.weights().data() + j * wide, n, coefficients.data() + j * outputs_ + at);
                    for (std::size_t j = 0; j < n; ++j) intercepts(static_cast<row_index>(at + j)) = g.weights()[width_ * wide + j] * g.ones;
                    at += n;
                },
                group);
    }

   private:
    std::size_t rows_, outputs_, width_, done_ = 0;
    rng random_;
    std::vector<std::variant<class_descent<T, 1>, class_descent<T, 8>, class_descent<T, 16>, class_descent<T, 32>>> groups_;
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
