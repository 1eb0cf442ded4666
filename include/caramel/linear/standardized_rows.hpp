#ifndef CARAMEL_LINEAR_STANDARDIZED_ROWS_HPP
#define CARAMEL_LINEAR_STANDARDIZED_ROWS_HPP

// What linear models are fitted to: z-scores in double, made block by block, and a 1 for the intercept.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/weights.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// Parameters (columns + 1, outputs) belong to standardized columns; the last row are the intercepts. Centring changes
// nothing, since intercepts are free; scaling is undone in the penalty.
template <class T>
class standardized_rows {
   public:
    // `regularization` is the largest penalty that a scale will be set against.
    standardized_rows(const matrix_in<T>& x, const row_weights& weights, double regularization, const run_options& how, std::string_view who)
        : x_(x), how_(how), width_(x.cols() + 1), centre_(vec<double>::Zero(x.cols())), scale_(vec<double>::Ones(x.cols())) {
        double sum = 0;
        for (row_index i = 0; i < x_.rows(); ++i) {
            if (weights[i] == 0) continue;
            sum += weights[i];
            const double share = weights[i] / sum;  // a running mean cannot overflow
            for (row_index j = 0; j + 1 < width_; ++j) {
                const double value = static_cast<double>(x_(i, j));
                centre_(j) = centre_(j) * (1 - share) + value * share;
            }
        }
        for (row_index j = 0; j + 1 < width_; ++j) {
            double low = std::numeric_limits<double>::infinity(), high = -low, farthest = 0, square = 0;
            for (row_index i = 0; i < x_.rows(); ++i) {
                const auto value = static_cast<double>(x_(i, j));
                low = std::min(low, value);
                high = std::max(high, value);
                farthest = std::max(farthest, std::abs(value - centre_(j)));
            }
            if (low == high) centre_(j) = low;
            for (row_index i = 0; i < x_.rows(); ++i) {  // of parts of the farthest, whose squares neither overflow nor vanish
                const double part = farthest > 0 ? (static_cast<double>(x_(i, j)) - centre_(j)) / farthest : 0;
                square += weights[i] / sum * part * part;
            }
            const double spread = farthest * std::sqrt(square);
            // A column of a spread that is next to nothing stays as it is, and so does its penalty.
            if (low < high && spread > 0 && regularization / spread / spread < 1e100) scale_(j) = spread;
            require_at(std::isfinite(high - low) && std::isfinite(scale_(j)), errc::number_out_of_range, {.column = static_cast<std::uint64_t>(j) + 1}, who,
                       ": the spread of column ", j + 1, " is beyond the number type");
        }
    }

    [[nodiscard]] row_index rows() const noexcept { return x_.rows(); }
    [[nodiscard]] row_index width() const noexcept { return width_; }
    [[nodiscard]] const vec<double>& scale() const noexcept { return scale_; }
    // What `regularization` on the square of a column's coefficient is on that of the standardized column's; none for the intercept.
    [[nodiscard]] vec<double> penalties(double regularization) const {
        vec<double> out = vec<double>::Zero(width_);
        for (row_index j = 0; j + 1 < width_; ++j) out(j) = regularization / scale_(j) / scale_(j);
        return out;
    }
    // At most 64, and fewer where each would keep much.
    [[nodiscard]] std::size_t blocks_of(row_index kept) const noexcept {
        const auto by_rows = static_cast<std::size_t>((x_.rows() + 2 * chunk - 1) / (2 * chunk));
        return std::max<std::size_t>(1, std::min({by_rows, std::size_t{64}, (std::size_t{1} << 22) / static_cast<std::size_t>(std::max<row_index>(1, kept))}));
    }
    // Calls `work(block, first row, rows)` with standardized rows and a 1 behind each; blocks are cut by the data alone.
    template <class Work>
    void for_each_chunk(std::size_t blocks, const Work& work) const {
        const auto n = static_cast<std::size_t>(x_.rows());
        parallel_blocks(n, (n + blocks - 1) / blocks, how_, [&](std::size_t begin, std::size_t end, std::size_t b) {
            matrix<double> rows;
            for (auto first = static_cast<row_index>(begin); first < static_cast<row_index>(end); first += chunk) {
                // Anew and moved, not resized: where memory runs out, Eigen 3.4's resize frees the elements twice.
                if (const row_index rest = std::min(chunk, static_cast<row_index>(end) - first); rest != rows.rows()) rows = matrix<double>(rest, width_);
                for (row_index i = 0; i < rows.rows(); ++i) {
                    double* const out = rows.data() + i * width_;
                    const T* const in = x_.data() + (first + i) * x_.outerStride();
                    for (row_index j = 0; j + 1 < width_; ++j) out[j] = (static_cast<double>(in[j]) - centre_(j)) / scale_(j);
                    out[width_ - 1] = 1;
                }
                work(b, first, rows);
            }
        });
    }
    // Coefficients (outputs, columns) and intercepts, for columns as they are.
    void unscale(const matrix<double>& at, matrix<double>& coefficients, vec<double>& intercepts) const {
        coefficients.resize(at.cols(), width_ - 1);
        intercepts.resize(at.cols());
        for (row_index k = 0; k < at.cols(); ++k) {
            intercepts(k) = at(width_ - 1, k);
            for (row_index j = 0; j + 1 < width_; ++j) {
                coefficients(k, j) = at(j, k) / scale_(j);
                intercepts(k) -= coefficients(k, j) * centre_(j);
            }
        }
    }

   private:
    static constexpr row_index chunk = 128;

    const matrix_in<T>& x_;
    const run_options& how_;
    row_index width_;
    vec<double> centre_, scale_;
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
