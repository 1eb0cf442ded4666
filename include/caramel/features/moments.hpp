#ifndef CARAMEL_FEATURES_MOMENTS_HPP
#define CARAMEL_FEATURES_MOMENTS_HPP

// Means and deviations of data that come in pieces: from a file too large for memory, from several machines, day by day.

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/features/standardize.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Weight, mean, spread and range of each column. Pieces are merged without loss (Chan, Golub & LeVeque, The American Statistician
/// 37(3), 1983); in double, whatever the data are. The same pieces merged in the same order give the same bits.
class column_moments {
   public:
    template <class = void>
    explicit column_moments(row_index columns)
        : mean_(vec<double>::Zero(columns)), squares_(vec<double>::Zero(columns)), min_(vec<double>::Zero(columns)), max_(vec<double>::Zero(columns)) {}

    /// Some rows, in two passes; weights: one a row, or none. Nothing changes where it throws `error`: `shape_mismatch`,
    /// `nan_or_inf`, `bad_data` (weights).
    template <class T>
    void observe(const matrix_in<T>& x, std::span<const double> weights = {}) {
        using real = detail::real_of<T>;  // double: see there
        require(x.cols() == columns(), errc::shape_mismatch, "column_moments: got ", x.cols(), " columns, expected ", columns());
        require_finite(x, "column_moments");
        const row_weights checked(weights, static_cast<std::size_t>(x.rows()), "column_moments");
        if (x.rows() == 0) return;
        column_moments piece(columns());
        piece.weight_ = checked.sum();
        for (row_index i = 0; i < x.rows(); ++i) piece.mean_ += checked[i] * x.row(i).transpose().template cast<double>();
        piece.mean_ /= piece.weight_;
        bool first = true;
        for (row_index i = 0; i < x.rows(); ++i) {
            if (!(checked[i] > 0)) continue;
            const vec<real> row = x.row(i).transpose().template cast<double>();
            piece.squares_.array() += checked[i] * (row - piece.mean_).array().square();
            if (first) piece.min_ = piece.max_ = row;
            first = false;
            piece.min_ = piece.min_.cwiseMin(row);
            piece.max_ = piece.max_.cwiseMax(row);
        }
        merge(piece);
    }
    template <class T>
    void observe(const matrix<T>& x, std::span<const double> weights = {}) { observe(matrix_in<T>(x), weights); }

    /// What another has seen, too. Throws `error` (`shape_mismatch`).
    template <std::same_as<column_moments> Moments>
    void merge(const Moments& other) {
        require(other.columns() == columns(), errc::shape_mismatch, "column_moments: ", columns(), " columns merged with ", other.columns());
        if (!(other.weight_ > 0)) return;
        if (!(weight_ > 0)) {
            *this = other;
            return;
        }
        const double all = weight_ + other.weight_;
        const vec<double> apart = other.mean_ - mean_;
        squares_.array() += other.squares_.array() + apart.array().square() * (weight_ * (other.weight_ / all));
        mean_ += apart * (other.weight_ / all);
        min_ = min_.cwiseMin(other.min_);
        max_ = max_.cwiseMax(other.max_);
        weight_ = all;
    }

    [[nodiscard]] row_index columns() const noexcept { return mean_.size(); }
    /// Rows, or the sum of their weights; 0 = nothing seen yet, then all that follows is 0.
    [[nodiscard]] double weight() const noexcept { return weight_; }
    [[nodiscard]] const vec<double>& mean() const noexcept { return mean_; }
    /// Population deviation, and 0 in constant columns.
    template <class = void>
    [[nodiscard]] vec<double> deviation() const {
        if (!(weight_ > 0)) return squares_;
        vec<double> out = squares_;
        for (row_index j = 0; j < columns(); ++j) out(j) = min_(j) == max_(j) ? 0 : std::sqrt(squares_(j) / weight_);
        return out;
    }
    [[nodiscard]] const vec<double>& min() const noexcept { return min_; }
    [[nodiscard]] const vec<double>& max() const noexcept { return max_; }

   private:
    double weight_ = 0;
    vec<double> mean_, squares_, min_, max_;
};

/// Learns `standardize_model` piece by piece: observe some rows, merge what other learners saw, take a model whenever one is
/// wanted. All rows in one piece give the bits of `fit(standardize<T>{}, x)`.
template <class T>
class standardize_learner {
   public:
    explicit standardize_learner(row_index columns) : moments_(columns) {}

    /// Throws what `column_moments` throws.
    void observe(const matrix_in<T>& x, std::span<const double> weights = {}) { moments_.observe(x, weights); }
    void merge(const standardize_learner& other) { moments_.merge(other.moments_); }
    [[nodiscard]] const column_moments& moments() const noexcept { return moments_; }

    /// The model of all rows so far. Throws `error`: `empty_input` before the first, `number_out_of_range`.
    [[nodiscard]] standardize_model<T> snapshot() const {
        require(moments_.weight() > 0, errc::empty_input, "standardize_learner: no rows to learn from");
        vec<T> mean = moments_.mean().template cast<T>(), deviation = moments_.deviation().template cast<T>();
        deviation = (deviation.array() > T(0)).select(deviation, T(1));
        require(mean.allFinite() && deviation.allFinite(), errc::number_out_of_range, "standardize_learner: the spread of a column is beyond the number type");
        return {std::move(mean), std::move(deviation)};
    }

   private:
    column_moments moments_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
