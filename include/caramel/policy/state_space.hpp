#ifndef CARAMEL_POLICY_STATE_SPACE_HPP
#define CARAMEL_POLICY_STATE_SPACE_HPP

// Rows of features as cells of a product of named axes: recency x frequency x value x fatigue x last action.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/targets.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/policy/discretize.hpp>
#include <caramel/policy/policy_grid.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What one axis of a state is called and how it is cut.
struct axis_rule {
    std::string name{};                ///< empty: "axis 1"
    std::size_t cells = 3;             ///< at most; fewer where values repeat or tell nothing; 1: whatever the value
    std::vector<double> cuts{};        ///< by hand instead, ascending: see `cell_of`
    std::vector<std::string> words{};  ///< what the cells are called, one each (empty: "to 30", "over 30"); only with `cuts`, or one cell
};

/// An axis for a number that is a category, 0, 1, ...: the last action, a segment.
template <class = void>
[[nodiscard]] inline axis_rule category_axis(std::string name, std::vector<std::string> words) {
    axis_rule out{.name = std::move(name), .cells = 1};
    for (std::size_t i = 0; i + 1 < words.size(); ++i) out.cuts.push_back(static_cast<double>(i));
    out.words = std::move(words);
    return out;
}

/// From rows of N features to cells of a Q-table.
template <class T, std::size_t N>
class state_space_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "state_space";  // in saved files: never changes

    /// The names of the axes, their cuts, and the words for all cells, one axis after the other.
    /// Throws `error` (`bad_data`) on fields that do not belong together, or cuts that are not finite and ascending.
    state_space_model(std::vector<std::string> names, ragged<double> cuts, std::vector<std::string> words)
        : names_(std::move(names)), cuts_(std::move(cuts)), words_(std::move(words)) {
        require(names_.size() == N && cuts_.size() == N, errc::bad_data, "state_space: ", names_.size(), " names and ", cuts_.size(), " lists of cuts for ", N,
                " axes");
        std::size_t cells = 0;
        for (std::size_t d = 0; d < N; ++d) {
            require(detail::are_cuts(cuts_[d]), errc::bad_data, "state_space: the cuts of axis ", d + 1, " are not finite and ascending");
            cells += shape()[d];
        }
        require(words_.size() == cells, errc::bad_data, "state_space: ", words_.size(), " words for ", cells, " cells");
    }

    /// (rows, N) -> a cell a row.
    /// Throws `error`: `shape_mismatch` unless `x` has N columns; `nan_or_inf` with row and column.
    [[nodiscard]] std::vector<decision<N>> operator()(const matrix_in<T>& x) const {
        require_width(static_cast<std::size_t>(x.cols()));
        require_finite(x, "state_space");
        std::vector<decision<N>> out(static_cast<std::size_t>(x.rows()));
        for (row_index i = 0; i < x.rows(); ++i)
            for (std::size_t d = 0; d < N; ++d) out[static_cast<std::size_t>(i)].state[d] = cell_of(cuts_[d], x(i, static_cast<row_index>(d)));
        return out;
    }
    [[nodiscard]] decision<N> operator()(std::span<const T> row, workspace&) const { return (*this)(row); }
    [[nodiscard]] decision<N> operator()(std::span<const T> row) const {
        require_width(row.size());
        require_finite(row, "state_space");
        decision<N> out;
        for (std::size_t d = 0; d < N; ++d) out.state[d] = cell_of(cuts_[d], row[d]);
        return out;
    }

    /// Cells of each axis.
    [[nodiscard]] std::array<std::size_t, N> shape() const noexcept {
        std::array<std::size_t, N> out{};
        for (std::size_t d = 0; d < N; ++d) out[d] = cuts_[d].size() + 1;
        return out;
    }
    [[nodiscard]] std::span<const double> cuts(std::size_t axis) const {
        require(axis < N, errc::unknown_id, "state_space: no axis ", axis, " (from 0), there are ", N);
        return cuts_[axis];
    }
    /// The axes in words: for `policy_grid` and `policy_table`.
    [[nodiscard]] std::array<state_axis, N> axes() const {
        std::array<state_axis, N> out;
        auto word = words_.begin();
        for (std::size_t d = 0; d < N; ++d) {
            const auto end = word + static_cast<std::ptrdiff_t>(cuts_[d].size()) + 1;
            out[d] = {names_[d], {word, end}};
            word = end;
        }
        return out;
    }
    /// A cell in words: "days to 30, orders over 3". Throws `error` (`unknown_id`) with the axis, from 1, as `where().column`.
    [[nodiscard]] std::string words_of(const std::array<std::size_t, N>& state) const {
        (void)detail::checked_state(shape(), state, "state_space");
        std::string out;
        std::size_t first = 0;
        for (std::size_t d = 0; d < N; ++d) {
            out += (d > 0 ? ", " : "") + names_[d] + ' ' + words_[first + state[d]];
            first += cuts_[d].size() + 1;
        }
        return out;
    }

    static constexpr std::array field_names{"names", "cuts", "words"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_, cuts_, words_); }

   private:
    static void require_width(std::size_t columns) { require(columns == N, errc::shape_mismatch, "state_space: got ", columns, " columns, learnt ", N); }

    std::vector<std::string> names_;
    ragged<double> cuts_;
    std::vector<std::string> words_;
};

namespace detail {

// `cut(axis, column)` finds the cuts of an axis that has none by hand.
template <class T, std::size_t N, class Cut>
state_space_model<T, N> fit_state_space(const std::array<axis_rule, N>& axes, const matrix_in<T>& x, std::string_view who, const Cut& cut) {
    for (std::size_t d = 0; d < N; ++d) {
        const axis_rule& a = axes[d];
        require(a.cells > 0, errc::bad_parameter, who, ": axis ", d + 1, ": cells must be at least 1");
        require(are_cuts(a.cuts), errc::bad_parameter, who, ": axis ", d + 1, ": the cuts must be finite and ascending");
        require(a.words.empty() || ((a.cells == 1 || !a.cuts.empty()) && a.words.size() == a.cuts.size() + 1), errc::bad_parameter, who, ": axis ", d + 1, ": ",
                a.words.size(), " words; with cuts by hand there may be one for each of their ", a.cuts.size() + 1, " cells");
    }
    require(x.rows() > 0, errc::empty_input, who, ": no rows to learn from");
    require(static_cast<std::size_t>(x.cols()) == N, errc::shape_mismatch, who, ": got ", x.cols(), " columns, for ", N, " axes");
    require_finite(x, who);
    std::vector<std::string> names, words;
    ragged<double> cuts;
    for (std::size_t d = 0; d < N; ++d) {
        const axis_rule& a = axes[d];
        std::vector<double> mine = a.cuts;
        if (mine.empty() && a.cells > 1) {
            std::vector<double> column(static_cast<std::size_t>(x.rows()));
            for (row_index i = 0; i < x.rows(); ++i) column[static_cast<std::size_t>(i)] = static_cast<double>(x(i, static_cast<row_index>(d)));
            mine = cut(a, column);
        }
        names.push_back(a.name.empty() ? message("axis ", d + 1) : a.name);
        const auto labels = a.words.empty() ? cell_labels(mine) : a.words;
        words.insert(words.end(), labels.begin(), labels.end());
        cuts.append_row(mine);
    }
    return {std::move(names), std::move(cuts), std::move(words)};
}

}  // namespace detail

/// Recipe for `state_space_model`: each axis, one a column, is cut by hand or into cells of about equally many rows. The axis that
/// tells most comes first: what is rarely seen follows those who differ from it on the last axes only (`back_off`).
template <class T, std::size_t N>
struct state_space {
    using stage_concept = recipe_tag;
    std::array<axis_rule, N> axes = {};

    /// Throws `error`: `bad_parameter`, `empty_input`, `shape_mismatch` (N columns), `nan_or_inf`.
    [[nodiscard]] state_space_model<T, N> fit(const matrix_in<T>& x, const fit_options&) const {
        return detail::fit_state_space<T, N>(axes, x, "state_space",
                                             [](const axis_rule& a, const std::vector<double>& column) { return quantile_cuts(column, a.cells); });
    }
};

/// Recipe for `state_space_model`: each axis, one a column, is cut by hand or where it tells most of a target (`target_cuts`), such
/// as what the customer spent in the next period. It learns from the target: judge what follows by rows that it has not seen.
template <class T, std::size_t N>
struct state_space_by_target {
    using stage_concept = recipe_tag;
    std::array<axis_rule, N> axes = {};
    std::size_t min_rows = 20;  ///< in every cell of an axis that is cut by the target

    /// One target a row. Throws `error`: `bad_parameter`, `empty_input`, `shape_mismatch`, `nan_or_inf`.
    [[nodiscard]] state_space_model<T, N> fit(const matrix_in<T>& x, const targets_in<T>& y, const fit_options&) const {
        constexpr std::string_view who = "state_space_by_target";
        require(min_rows > 0, errc::bad_parameter, who, ": min_rows must be at least 1");
        require(y.rows() == x.rows() && (y.cols() == 1 || y.rows() == 0), errc::shape_mismatch, who, ": ", x.rows(), " rows, but targets of ", y.rows(), " x ",
                y.cols());
        require_finite(y, who);
        std::vector<double> target(static_cast<std::size_t>(y.rows()));
        for (row_index i = 0; i < y.rows(); ++i) target[static_cast<std::size_t>(i)] = static_cast<double>(y(i, 0));
        return detail::fit_state_space<T, N>(axes, x, who, [&](const axis_rule& a, const std::vector<double>& column) {
            return target_cuts(column, target, {.max_cells = a.cells, .min_rows = min_rows});
        });
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
