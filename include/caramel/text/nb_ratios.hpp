#ifndef CARAMEL_TEXT_NB_RATIOS_HPP
#define CARAMEL_TEXT_NB_RATIOS_HPP

// Columns weighted by how much they tell of the classes, as naive Bayes does.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/labels.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// (rows, columns) -> (rows, columns), sparse, each column times its ratio.
template <class T>
class nb_ratios_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "nb_ratios";  // in saved files: never changes

    /// Throws `error` (`bad_data`) on ratios that are not finite.
    explicit nb_ratios_model(vec<T> ratios) : ratios_(std::move(ratios)) { require(ratios_.allFinite(), errc::bad_data, kind, ": a ratio is not finite"); }

    /// Throws `error`: `shape_mismatch` unless `x` has as many columns as the training data; `nan_or_inf` where a product is beyond
    /// the number type.
    [[nodiscard]] sparse_matrix<T> operator()(const sparse_matrix<T>& x) const {
        require_width(static_cast<std::size_t>(x.cols()));
        std::vector<T> values = x.values();
        for (std::size_t k = 0; k < values.size(); ++k) values[k] *= ratios_(x.column_numbers()[k]);
        return {static_cast<std::size_t>(x.cols()), x.column_numbers(), std::move(values), x.starts()};
    }
    /// One row, in the workspace. Throws as above, and what `require_sparse` does.
    [[nodiscard]] sparse_row<T> operator()(const sparse_row<T>& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_width(row.width);
        require_sparse(row, 1, kind);
        const auto values = scratch.template take<T>(row.values.size());
        for (std::size_t k = 0; k < values.size(); ++k) values[k] = row.values[k] * ratios_(row.columns[k]);
        const sparse_row<T> out{row.columns, values, row.width};
        require_sparse(out, 1, kind);
        return out;
    }

    [[nodiscard]] const vec<T>& ratios() const noexcept { return ratios_; }
    [[nodiscard]] std::vector<std::string> output_names(std::vector<std::string> names) const { return names; }

    static constexpr std::array field_names{"ratios"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(ratios_); }

   private:
    void require_width(std::size_t columns) const {
        require(std::cmp_equal(columns, ratios_.size()), errc::shape_mismatch, kind, ": got ", columns, " columns, learnt ", ratios_.size());
    }
    vec<T> ratios_;
};

/// Recipe for `nb_ratios_model`: the logarithm of how much more of a class's total a column has than of the others' (Wang &
/// Manning, ACL 2012): ln((smoothing + sum in class 1) / total of it) - ln((smoothing + sum in class 0) / total of it). From three
/// classes on it is the largest, in size, of each class against the others.
/// `tfidf<float>{.weighting = term_weight::present, .idf = false, .unit_length = false} | nb_ratios<float>{} | linear_svm<float>{}`
/// is their NBSVM but for its interpolation.
template <class T>
struct nb_ratios {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    double smoothing = 1;  ///< above 0

    /// Labels are 0, 1, ... Throws `error`: `bad_parameter`; `empty_input`; `shape_mismatch`; `bad_data` with the row of a negative
    /// value or label, and where there is one class only.
    [[nodiscard]] nb_ratios_model<T> fit(const sparse_matrix<T>& x, const std::vector<int>& y, const fit_options& options) const {
        using real = detail::real_of<T>;  // double: see there
        constexpr std::string_view who = nb_ratios_model<T>::kind;
        require(std::isfinite(smoothing) && smoothing > 0, errc::bad_parameter, who, ": smoothing = ", smoothing, ", must be above 0");
        require(x.rows() > 0, errc::empty_input, who, ": no rows to learn from");
        require(std::cmp_equal(x.rows(), y.size()), errc::shape_mismatch, who, ": ", x.rows(), " rows but ", y.size(), " targets");
        const std::size_t classes = detail::count_classes(y, who);
        const row_weights weights(options.weights, y.size(), who);
        matrix<real> sums = matrix<real>::Zero(x.cols(), static_cast<row_index>(classes));
        for (std::size_t i = 0; i < y.size(); ++i) {
            const auto row = x[i];
            for (std::size_t k = 0; k < row.columns.size(); ++k) {
                require_at(row.values[k] >= 0, errc::bad_data, {.row = i + 1, .column = static_cast<std::uint64_t>(row.columns[k]) + 1}, who,
                           ": the value in row ", i + 1, ", column ", row.columns[k] + 1, " is negative");
                sums(row.columns[k], y[i]) += weights[i] * static_cast<double>(row.values[k]);
            }
        }
        const vec<real> each = sums.rowwise().sum();
        const double all = each.sum() + smoothing * static_cast<double>(x.cols());
        vec<T> ratios = vec<T>::Zero(x.cols());
        for (row_index k = classes == 2 ? 1 : 0; k < sums.cols(); ++k) {
            const double own = sums.col(k).sum() + smoothing * static_cast<double>(x.cols()), rest = all - own + smoothing * static_cast<double>(x.cols());
            for (row_index j = 0; j < x.cols(); ++j) {
                const double ratio = std::log((smoothing + sums(j, k)) / own) - std::log((smoothing + each(j) - sums(j, k)) / rest);
                if (std::abs(ratio) > std::abs(static_cast<double>(ratios(j)))) ratios(j) = static_cast<T>(ratio);
            }
        }
        return nb_ratios_model<T>(std::move(ratios));
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
