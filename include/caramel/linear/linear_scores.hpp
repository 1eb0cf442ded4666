#ifndef CARAMEL_LINEAR_LINEAR_SCORES_HPP
#define CARAMEL_LINEAR_LINEAR_SCORES_HPP

// What the linear models of dense and sparse rows have in common: coefficients of the columns that have any.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/linear/score_parts.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

template <class T>
class linear_scores {
   public:
    linear_scores(std::uint64_t inputs, std::vector<std::int32_t> kept, matrix<T> coefficients, vec<T> intercepts, std::string_view who)
        : inputs_(inputs), kept_(std::move(kept)), coefficients_(std::move(coefficients)), intercepts_(std::move(intercepts)), who_(who) {
        std::int64_t last = -1;
        bool fits = inputs_ < (std::uint64_t{1} << 31) && std::cmp_equal(kept_.size(), coefficients_.rows()) && coefficients_.cols() == intercepts_.size() &&
                    intercepts_.size() > 0 && coefficients_.allFinite() && intercepts_.allFinite();
        for (const std::int32_t column : kept_) {
            fits = fits && column > last && std::cmp_less(column, inputs_);
            last = column;
        }
        require(fits, errc::bad_data, who_, ": inputs, kept columns, coefficients and intercepts do not belong together");
        // A table where it is of the size of the model, else what is kept is searched.
        if (inputs_ <= 4 * kept_.size() + 1024) {
            place_.assign(static_cast<std::size_t>(inputs_), -1);
            for (std::size_t r = 0; r < kept_.size(); ++r) place_[static_cast<std::size_t>(kept_[r])] = static_cast<std::int32_t>(r);
        }
    }

    [[nodiscard]] std::size_t inputs() const noexcept { return static_cast<std::size_t>(inputs_); }
    [[nodiscard]] std::size_t outputs() const noexcept { return static_cast<std::size_t>(intercepts_.size()); }
    [[nodiscard]] std::size_t classes() const noexcept { return outputs() == 1 ? 2 : outputs(); }
    [[nodiscard]] const std::vector<std::int32_t>& kept() const noexcept { return kept_; }
    [[nodiscard]] const matrix<T>& coefficients() const noexcept { return coefficients_; }
    [[nodiscard]] const vec<T>& intercepts() const noexcept { return intercepts_; }
    [[nodiscard]] auto fields() const noexcept { return std::tie(inputs_, kept_, coefficients_, intercepts_); }
    [[nodiscard]] std::vector<std::string> class_names() const {
        std::vector<std::string> out;
        for (std::size_t k = 0; k < classes(); ++k) out.push_back(message("class_", k));
        return out;
    }

    // (rows, columns), or sparse -> (rows, classes); `finish` turns the scores in the first places of a row into the answer.
    template <class Finish>
    [[nodiscard]] matrix<T> answer(const matrix_in<T>& x, const Finish& finish) const {
        require_width(static_cast<std::size_t>(x.cols()));
        require_finite(x, who_);
        matrix<T> out(x.rows(), static_cast<row_index>(classes()));
        for (row_index i = 0; i < x.rows(); ++i)
            finish_row(std::span<const T>(x.data() + i * x.outerStride(), inputs()), {out.data() + i * out.cols(), classes()}, static_cast<std::size_t>(i) + 1,
                       finish);
        return out;
    }
    template <class Finish>
    [[nodiscard]] matrix<T> answer(const sparse_matrix<T>& x, const Finish& finish) const {
        require_width(static_cast<std::size_t>(x.cols()));
        matrix<T> out(x.rows(), static_cast<row_index>(classes()));
        for (row_index i = 0; i < x.rows(); ++i) finish_row(row_of(x, i), {out.data() + i * out.cols(), classes()}, static_cast<std::size_t>(i) + 1, finish);
        return out;
    }
    template <class Finish>
    [[nodiscard]] std::span<const T> answer(std::span<const T> row, workspace& scratch, const Finish& finish) const {
        const workspace::frame frame(scratch);
        check(row);
        const auto out = scratch.template take<T>(classes());
        finish_row(row, out, 1, finish);
        return out;
    }
    template <class Finish>
    [[nodiscard]] std::span<const T> answer(const sparse_row<T>& row, workspace& scratch, const Finish& finish) const {
        const workspace::frame frame(scratch);
        check(row);
        const auto out = scratch.template take<T>(classes());
        finish_row(row, out, 1, finish);
        return out;
    }

    template <class Row>
    [[nodiscard]] score_parts explain(const Row& row, std::size_t output) const {
        require(output < classes(), errc::bad_parameter, who_, ": class ", output, " of ", classes(), " was asked for");
        check(row);
        const auto k = static_cast<row_index>(outputs() == 1 ? 0 : output);
        const double sign = outputs() == 1 && output == 0 ? -1 : 1;
        score_parts out{sign * static_cast<double>(intercepts_(k)), {}};
        for_each(row, [&](std::size_t r, T value) {
            out.parts.push_back(
                {static_cast<std::size_t>(kept_[r]), sign * static_cast<double>(coefficients_(static_cast<row_index>(r), k)) * static_cast<double>(value)});
        });
        return out;
    }

   private:
    void require_width(std::size_t columns) const { require(columns == inputs_, errc::shape_mismatch, who_, ": got ", columns, " columns, learnt ", inputs_); }
    void check(std::span<const T> row) const {
        require_width(row.size());
        require_finite(row, who_);
    }
    void check(const sparse_row<T>& row) const {
        require_width(row.width);
        require_sparse(row, 1, who_);
    }
    // Calls `work(r, value)` for what is neither zero in the row nor left out of the model, columns rising.
    template <class Work>
    void for_each(std::span<const T> row, const Work& work) const {
        for (std::size_t r = 0; r < kept_.size(); ++r)
            if (const T value = row[static_cast<std::size_t>(kept_[r])]; value != T(0)) work(r, value);
    }
    template <class Work>
    void for_each(const sparse_row<T>& row, const Work& work) const {
        auto from = kept_.begin();
        for (std::size_t n = 0; n < row.columns.size(); ++n) {
            if (row.values[n] == T(0)) continue;
            if (!place_.empty()) {
                if (const std::int32_t r = place_[static_cast<std::size_t>(row.columns[n])]; r >= 0) work(static_cast<std::size_t>(r), row.values[n]);
            } else {
                from = std::lower_bound(from, kept_.end(), row.columns[n]);
                if (from != kept_.end() && *from == row.columns[n]) work(static_cast<std::size_t>(from - kept_.begin()), row.values[n]);
            }
        }
    }
    template <class Row, class Finish>
    void finish_row(const Row& row, std::span<T> out, std::size_t number, const Finish& finish) const {
        const std::size_t n = outputs();
        std::fill_n(out.begin(), n, T(0));
        T* const z = out.data();
        for_each(row, [&](std::size_t r, T value) {
            const T* const of_column = coefficients_.data() + r * n;
            for (std::size_t k = 0; k < n; ++k) z[k] += value * of_column[k];
        });
        bool finite = true;
        for (std::size_t k = 0; k < n; ++k) {
            z[k] += intercepts_(static_cast<row_index>(k));
            finite = finite && std::isfinite(z[k]);
        }
        require_at(finite, errc::number_out_of_range, {.row = number}, who_, ": the values of row ", number,
                   " are too large: the scores are beyond the number type");
        finish(out, n);
    }

    std::uint64_t inputs_;
    std::vector<std::int32_t> kept_;
    matrix<T> coefficients_;  // (kept columns, outputs)
    vec<T> intercepts_;
    std::vector<std::int32_t> place_;  // of a column among those kept; -1 = left out
    std::string_view who_;
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
