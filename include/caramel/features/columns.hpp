#ifndef CARAMEL_FEATURES_COLUMNS_HPP
#define CARAMEL_FEATURES_COLUMNS_HPP

// Choosing columns of a table by name, and finding learnt columns again at prediction time.

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
#include <caramel/core/workspace.hpp>
#include <caramel/data/table.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Where the column of this name is in a row; `guess` is where it was in training, mostly right.
inline const cell& find_cell(const table_row& row, std::string_view name, std::size_t guess, std::string_view who) {
    if (guess < row.names.size() && row.names[guess] == name) return row.cells[guess];
    const auto found = std::find(row.names.begin(), row.names.end(), name);
    require(found != row.names.end(), errc::missing_column, who, ": no column \"", name, "\" among ", row.names.size());
    return row.cells[static_cast<std::size_t>(found - row.names.begin())];
}
inline const table_column& find_column(const table& from, const std::string& name, std::string_view who) {
    require(from.has(name), errc::missing_column, who, ": no column \"", name, "\" among ", from.columns());
    return from.column(name);
}
inline void require_distinct(const std::vector<std::string>& names, std::string_view who) {
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

    /// Throws `error`: `bad_parameter` without a name, `duplicate_column`.
    explicit columns_model(std::vector<std::string> names) : names_(std::move(names)) {
        require(!names_.empty(), errc::bad_parameter, "columns: no column is named");
        detail::require_distinct(names_, "columns");
    }

    /// (rows, columns) -> (rows, named columns). Throws `error` (`missing_column`) with the name.
    [[nodiscard]] table operator()(const table& from) const {
        for (const auto& name : names_) (void)detail::find_column(from, name, "columns");
        return from.take_columns(names_);
    }
    [[nodiscard]] table_row operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto cells = scratch.take<cell>(names_.size());
        for (std::size_t c = 0; c < cells.size(); ++c) cells[c] = detail::find_cell(row, names_[c], c, "columns");
        return {names_, cells};
    }

    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return names_; }

    static constexpr std::array field_names{"names"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_); }

   private:
    std::vector<std::string> names_;
};

/// A stage that keeps the named columns: `columns({"tenure", "monthly", "contract"}) | encode<float>{} | ...`.
[[nodiscard]] inline columns_model columns(std::vector<std::string> names) { return columns_model(std::move(names)); }

}  // namespace caramel::inline CARAMEL_ABI

#endif
