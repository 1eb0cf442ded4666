#ifndef CARAMEL_FEATURES_COLUMNS_HPP
#define CARAMEL_FEATURES_COLUMNS_HPP

// Choosing columns of a table by name or by type, leaving some out, giving them other names; and finding learnt columns
// again at prediction time.

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/utf8.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/table.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Where the column of this name is in a row; `guess` is where it was in training, mostly right.
template <class = void>
inline const cell& find_cell(const table_row& row, std::string_view name, std::size_t guess, std::string_view who) {
    if (guess < row.names.size() && row.names[guess] == name) return row.cells[guess];
    const auto found = std::find(row.names.begin(), row.names.end(), name);
    require(found != row.names.end(), errc::missing_column, who, ": no column \"", name, "\" among ", row.names.size());
    return row.cells[static_cast<std::size_t>(found - row.names.begin())];
}
template <class = void>
inline const table_column& find_column(const table& from, const std::string& name, std::string_view who) {
    require(from.has(name), errc::missing_column, who, ": no column \"", name, "\" among ", from.columns());
    return from.column(name);
}
// Names stand in messages: they must be texts that can be shown, and each of them once.
template <class = void>
inline void require_distinct(const std::vector<std::string>& names, std::string_view who) {
    for (std::size_t i = 0; i < names.size(); ++i)
        require_at(is_utf8_text(names[i]), errc::bad_utf8, {.column = i + 1}, who, ": the name of column ", i + 1, " is not UTF-8");
    std::vector<std::string_view> sorted(names.begin(), names.end());
    std::sort(sorted.begin(), sorted.end());
    require(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end(), errc::duplicate_column, who, ": a column is named twice among ", names.size());
}

}  // namespace detail

/// The named columns of a table, in the order given. Build with `columns({...})`.
class columns_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "columns";  // in saved files: never changes

    /// Throws `error`: `bad_parameter` without a name, `duplicate_column`, `bad_utf8`.
    template <class = void>
    explicit columns_model(std::vector<std::string> names) : names_(std::move(names)) {
        require(!names_.empty(), errc::bad_parameter, "columns: no column is named");
        detail::require_distinct(names_, "columns");
    }

    /// (rows, columns) -> (rows, named columns). Throws `error` (`missing_column`) with the name.
    template <class = void>
    [[nodiscard]] table operator()(const table& from) const {
        for (const auto& name : names_) (void)detail::find_column(from, name, "columns");
        return from.take_columns(names_);
    }
    template <class = void>
    [[nodiscard]] table_row operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto cells = scratch.take<cell>(names_.size());
        for (std::size_t c = 0; c < cells.size(); ++c) cells[c] = detail::find_cell(row, names_[c], c, "columns");
        return {names_, cells};
    }

    template <class = void>
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return names_; }

    static constexpr std::array field_names{"names"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_); }

   private:
    std::vector<std::string> names_;
};

/// A stage that keeps the named columns: `columns({"tenure", "monthly", "contract"}) | encode<float>{} | ...`.
template <class = void>
[[nodiscard]] inline columns_model columns(std::vector<std::string> names) { return columns_model(std::move(names)); }

namespace detail {

// The columns of a table that are wanted, in the order of the table; these are what a model then takes by name.
template <class Wanted>
columns_model learn_columns(const table& x, std::string_view who, std::string_view what, const Wanted& wanted) {
    std::vector<std::string> names;
    for (std::size_t c = 0; c < x.columns(); ++c)
        if (wanted(x.names()[c], x.column(c).type())) names.push_back(x.names()[c]);
    require(!names.empty(), errc::bad_data, who, ": no column ", what, " among ", x.columns());
    return columns_model(std::move(names));
}
// Throws `missing_column` with the name of one that the table lacks.
template <class = void>
inline void require_columns(const table& x, const std::vector<std::string>& names, std::string_view who) {
    for (const auto& name : names) (void)find_column(x, name, who);
}
template <class Names>
bool names_it(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace detail

/// Recipe for a `columns_model` with all columns of the training data but the named ones, in their order. At prediction
/// time the named ones may be there or not, and the others must. Build with `drop_columns({...})`.
struct drop_columns_recipe {
    using stage_concept = recipe_tag;
    std::vector<std::string> names;

    /// Throws `error`: `empty_input`; `missing_column` with the name of one that is not there; `duplicate_column`;
    /// `bad_data` when no column is left.
    template <class = void>
    [[nodiscard]] columns_model fit(const table& x, const fit_options&) const {
        require(x.rows() > 0, errc::empty_input, "drop_columns: no rows to learn from");
        detail::require_distinct(names, "drop_columns");
        detail::require_columns(x, names, "drop_columns");
        return detail::learn_columns(x, "drop_columns", "is left", [&](const std::string& name, column_type) { return !detail::names_it(names, name); });
    }
};
/// A stage that leaves the named columns out: `drop_columns({"customer", "left"}) | impute{} | encode<float>{} | ...`.
[[nodiscard]] inline drop_columns_recipe drop_columns(std::vector<std::string> names) { return {std::move(names)}; }

/// The columns that training had, in its order, some under another name.
class rename_columns_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "rename_columns";  // in saved files: never changes

    /// Column `from[c]` comes out as `to[c]`. Throws `error`: `bad_data` (other numbers of names), `duplicate_column`.
    template <class = void>
    rename_columns_model(std::vector<std::string> from, std::vector<std::string> to) : from_(std::move(from)), to_(std::move(to)) {
        require(from_.size() == to_.size() && !from_.empty(), errc::bad_data, "rename_columns: ", from_.size(), " names but ", to_.size(), " new ones");
        detail::require_distinct(from_, "rename_columns");
        detail::require_distinct(to_, "rename_columns");
    }

    /// (rows, columns) -> (rows, learnt columns). Throws `error` (`missing_column`) with the name before.
    template <class = void>
    [[nodiscard]] table operator()(const table& from) const {
        table out;
        for (std::size_t c = 0; c < from_.size(); ++c) out.add_column(to_[c], detail::find_column(from, from_[c], "rename_columns"));
        return out;
    }
    template <class = void>
    [[nodiscard]] table_row operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto cells = scratch.take<cell>(from_.size());
        for (std::size_t c = 0; c < cells.size(); ++c) cells[c] = detail::find_cell(row, from_[c], c, "rename_columns");
        return {to_, cells};
    }

    template <class = void>
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return to_; }

    static constexpr std::array field_names{"from", "to"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(from_, to_); }

   private:
    std::vector<std::string> from_, to_;
};

/// Recipe for `rename_columns_model`. Build with `rename_columns({{"from", "to"}, ...})`.
struct rename_columns_recipe {
    using stage_concept = recipe_tag;
    std::vector<std::pair<std::string, std::string>> names;  ///< from, to; all at once, so two columns may swap names

    /// Throws `error`: `empty_input`; `missing_column` with the name; `duplicate_column` (a name given or made twice).
    template <class = void>
    [[nodiscard]] rename_columns_model fit(const table& x, const fit_options&) const {
        require(x.rows() > 0, errc::empty_input, "rename_columns: no rows to learn from");
        std::vector<std::string> from, to = x.names();
        for (const auto& [before, after] : names) {
            from.push_back(before);
            detail::require_columns(x, {before}, "rename_columns");
            to[x.position(before)] = after;
        }
        detail::require_distinct(from, "rename_columns");
        return {x.names(), std::move(to)};
    }
};
/// A stage that gives columns other names and keeps the rest: `rename_columns({{"MonthlyCharges", "monthly"}}) | ...`.
template <class = void>
[[nodiscard]] inline rename_columns_recipe rename_columns(std::vector<std::pair<std::string, std::string>> names) { return {std::move(names)}; }

/// The columns of numbers and integers that training data have, so that each type takes its own way:
/// `concat(numbers_only{} | impute{} | encode<float>{} | standardize<float>{}, categories_only{} | impute{} | encode<float>{})`.
/// Fits to a `columns_model`: a column missing at prediction time is refused by name, new ones are left out.
struct numbers_only {
    using stage_concept = recipe_tag;
    std::vector<std::string> except = {};  ///< left out, such as an id

    /// Throws `error`: `empty_input`; `missing_column` (in `except`); `bad_data` when there is no such column.
    template <class = void>
    [[nodiscard]] columns_model fit(const table& x, const fit_options&) const {
        require(x.rows() > 0, errc::empty_input, "numbers_only: no rows to learn from");
        detail::require_columns(x, except, "numbers_only");
        return detail::learn_columns(x, "numbers_only", "of numbers", [&](const std::string& name, column_type type) {
            return (type == column_type::number || type == column_type::integer) && !detail::names_it(except, name);
        });
    }
};
/// The same for columns of text.
struct categories_only {
    using stage_concept = recipe_tag;
    std::vector<std::string> except = {};

    /// Throws `error`: `empty_input`; `missing_column` (a name of `except`); `bad_data` where no column is of the type.
    template <class = void>
    [[nodiscard]] columns_model fit(const table& x, const fit_options&) const {
        require(x.rows() > 0, errc::empty_input, "categories_only: no rows to learn from");
        detail::require_columns(x, except, "categories_only");
        return detail::learn_columns(x, "categories_only", "of categories",
                                     [&](const std::string& name, column_type type) { return type == column_type::category && !detail::names_it(except, name); });
    }
};
/// The same for columns of times.
struct timestamps_only {
    using stage_concept = recipe_tag;
    std::vector<std::string> except = {};

    /// Throws `error`: `empty_input`; `missing_column` (a name of `except`); `bad_data` where no column is of the type.
    template <class = void>
    [[nodiscard]] columns_model fit(const table& x, const fit_options&) const {
        require(x.rows() > 0, errc::empty_input, "timestamps_only: no rows to learn from");
        detail::require_columns(x, except, "timestamps_only");
        return detail::learn_columns(x, "timestamps_only", "of timestamps",
                                     [&](const std::string& name, column_type type) { return type == column_type::timestamp && !detail::names_it(except, name); });
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
