#ifndef CARAMEL_NN_PROBABILITIES_HPP
#define CARAMEL_NN_PROBABILITIES_HPP

// What to do with the (rows, classes) that a classifier gives: one number a row, or one class a row.

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// (rows, 2) -> (rows, 1): the probability of class 1. `mlp<float>{} | positive{}` gives a risk.
class positive : public single_row<positive> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "positive";  // in saved files: never changes

    /// Throws `error`: `shape_mismatch` unless there are two classes; `nan_or_inf`.
    template <class T>
    [[nodiscard]] matrix<T> operator()(const matrix<T>& probabilities) const {
        require_two(static_cast<std::size_t>(probabilities.cols()));
        require_finite(probabilities, kind);
        return probabilities.col(1);
    }
    /// One row: (2) -> (1), in the workspace.
    template <class T>
    [[nodiscard]] std::span<const T> operator()(std::span<const T> probabilities, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_two(probabilities.size());
        require_finite(probabilities, kind);
        const auto out = scratch.take<T>(1);
        out[0] = probabilities[1];
        return out;
    }
    using single_row<positive>::operator();

    template <class = void>
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return {std::string(kind)}; }
    // Nothing is learnt, so nothing is saved but the kind.
    static constexpr std::array<const char*, 0> field_names{};
    [[nodiscard]] std::tuple<> fields() const noexcept { return {}; }

   private:
    template <class = void>
    static void require_two(std::size_t classes) {
        require(classes == 2, errc::shape_mismatch, "positive: got ", classes, " classes, needs 2: no and yes");
    }
};

/// (rows, classes) -> the class with the highest probability, ties to the lower class.
class most_likely {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "most_likely";  // in saved files: never changes

    /// Throws `error`: `shape_mismatch` where there are no classes; `nan_or_inf`.
    template <class T>
    [[nodiscard]] std::vector<int> operator()(const matrix<T>& probabilities) const {
        std::vector<int> out;
        require_finite(probabilities, kind);
        for (row_index i = 0; i < probabilities.rows(); ++i) out.push_back(top(row_of(probabilities, i)));
        return out;
    }
    /// One row -> its class.
    template <class T>
    [[nodiscard]] int operator()(std::span<const T> probabilities, workspace&) const { return (*this)(probabilities); }
    template <class T>
    [[nodiscard]] int operator()(std::span<const T> probabilities) const {
        require_finite(probabilities, kind);
        return top(probabilities);
    }

    // Nothing is learnt, so nothing is saved but the kind.
    static constexpr std::array<const char*, 0> field_names{};
    [[nodiscard]] std::tuple<> fields() const noexcept { return {}; }

   private:
    template <class T>
    static int top(std::span<const T> row) {
        require(!row.empty(), errc::shape_mismatch, "most_likely: got 0 classes");
        return static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
