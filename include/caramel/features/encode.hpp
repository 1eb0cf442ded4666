#ifndef CARAMEL_FEATURES_ENCODE_HPP
#define CARAMEL_FEATURES_ENCODE_HPP

// Tables to numbers: one column a number, one column a level of a category.

#include <algorithm>
#include <array>
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
#include <caramel/core/workspace.hpp>
#include <caramel/data/table.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One-hot encoding. Columns come out in the learnt order: a number or integer as it is, a timestamp as days since
/// 1970-01-01, a category as one column a level (in byte order), 1 where the row has it. A level that training did not
/// see, and a missing category, are zeros throughout.
template <class T>
class encode_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "encode";  // in saved files: never changes

    /// One name and type a column; column c's levels are `levels[starts[c]] .. levels[starts[c + 1]]`, sorted.
    /// Throws `error` (`bad_data`).
    encode_model(std::vector<std::string> names, std::vector<column_type> types, std::vector<std::string> levels, std::vector<std::int64_t> starts)
        : names_(std::move(names)), types_(std::move(types)), levels_(std::move(levels)), starts_(std::move(starts)) {
        require(names_.size() == types_.size() && names_.size() + 1 == starts_.size(), errc::bad_data, "encode: ", names_.size(), " names but ", types_.size(),
                " types and ", starts_.size(), " starts");
        detail::require_distinct(names_, "encode");
        require(starts_.front() == 0 && starts_.back() == static_cast<std::int64_t>(levels_.size()), errc::bad_data, "encode: the starts do not cover ",
                levels_.size(), " levels");
        for (std::size_t c = 0; c < names_.size(); ++c) {
            require(starts_[c] <= starts_[c + 1] && starts_[c + 1] <= starts_.back(), errc::bad_data, "encode: the starts do not rise");
            const bool text = types_[c] == column_type::category;
            require(text || detail::is_numeric(types_[c]) || types_[c] == column_type::timestamp, errc::bad_data, "encode: no such column type");
            require(text || starts_[c] == starts_[c + 1], errc::bad_data, "encode: a column of numbers has levels");
            const auto mine = levels_of(c);
            for (std::size_t l = 1; l < mine.size(); ++l) require(mine[l - 1] < mine[l], errc::bad_data, "encode: the levels of a column are not sorted");
            firsts_.push_back(width_);
            width_ += text ? static_cast<row_index>(mine.size()) : 1;
        }
    }

    /// (rows, columns) -> (rows, numbers and levels).
    /// Throws `error`: `missing_column`, `wrong_column_type`; `missing_value` with the row of a number that is missing.
    [[nodiscard]] matrix<T> operator()(const table& from) const {
        matrix<T> out = matrix<T>::Zero(static_cast<row_index>(from.rows()), width_);
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const table_column& column = detail::find_column(from, names_[c], "encode");
            detail::require_type(types_[c], column.type(), names_[c], "encode");
            if (types_[c] == column_type::category) encode_levels(column.categories(), c, out);
            else encode_numbers(column, c, out);
        }
        return out;
    }
    /// One row -> (numbers and levels), in the workspace.
    [[nodiscard]] std::span<const T> operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto out = scratch.take<T>(static_cast<std::size_t>(width_));
        std::fill(out.begin(), out.end(), T(0));
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const cell& found = detail::find_cell(row, names_[c], c, "encode");
            detail::require_type(types_[c], found.type, names_[c], "encode");
            const auto first = static_cast<std::size_t>(firsts_[c]);
            if (types_[c] == column_type::category) {
                if (const auto level = find_level(c, found.text()); !found.missing && level >= 0) out[first + static_cast<std::size_t>(level)] = T(1);
            } else {
                require_present(!found.missing, c, 1);
                out[first] = narrow(found.type == column_type::timestamp ? days(found.when()) : detail::numeric_value(found), c, 1);
            }
        }
        return out;
    }

    /// "tenure", and "contract=monthly" for a level.
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const {
        std::vector<std::string> out;
        for (std::size_t c = 0; c < names_.size(); ++c) {
            if (types_[c] != column_type::category) out.push_back(names_[c]);
            for (const auto& level : levels_of(c)) out.push_back(names_[c] + "=" + level);
        }
        return out;
    }

    static constexpr std::array field_names{"names", "types", "levels", "starts"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_, types_, levels_, starts_); }

   private:
    [[nodiscard]] std::span<const std::string> levels_of(std::size_t c) const {
        return std::span(levels_).subspan(static_cast<std::size_t>(starts_[c]), static_cast<std::size_t>(starts_[c + 1] - starts_[c]));
    }
    [[nodiscard]] std::ptrdiff_t find_level(std::size_t c, std::string_view text) const {
        const auto mine = levels_of(c);
        const auto at = std::lower_bound(mine.begin(), mine.end(), text);
        return at != mine.end() && *at == text ? at - mine.begin() : -1;
    }
    static double days(std::chrono::sys_seconds when) { return static_cast<double>(when.time_since_epoch().count()) / 86400; }
    void require_present(bool present, std::size_t c, std::size_t row) const {
        require_at(present, errc::missing_value, {.row = row, .column = c + 1}, "encode: column \"", names_[c], "\" has no value in row ", row,
                   "; put impute{} in front");
    }
    T narrow(double x, std::size_t c, std::size_t row) const {
        require_at(std::abs(x) <= static_cast<double>(std::numeric_limits<T>::max()), errc::number_out_of_range, {.row = row, .column = c + 1},
                   "encode: column \"", names_[c], "\" is beyond the number type in row ", row);
        return static_cast<T>(x);
    }
    void encode_levels(const category_view& texts, std::size_t c, matrix<T>& out) const {
        std::vector<row_index> to(texts.levels.size());  // each distinct text is looked up once
        for (std::size_t l = 0; l < to.size(); ++l) {
            const auto level = find_level(c, texts.levels[l]);
            to[l] = level < 0 ? -1 : firsts_[c] + level;
        }
        for (std::size_t i = 0; i < texts.size(); ++i)
            if (texts.codes[i] >= 0 && to[static_cast<std::size_t>(texts.codes[i])] >= 0) out(static_cast<row_index>(i), to[static_cast<std::size_t>(texts.codes[i])]) = T(1);
    }
    void encode_numbers(const table_column& column, std::size_t c, matrix<T>& out) const {
        const bool is_time = column.type() == column_type::timestamp;
        for (std::size_t i = 0; i < column.size(); ++i) {
            require_present(!column.missing(i), c, i + 1);
            out(static_cast<row_index>(i), firsts_[c]) = narrow(is_time ? days(column.timestamps()[i]) : detail::numeric_value(column, i), c, i + 1);
        }
    }

    std::vector<std::string> names_;
    std::vector<column_type> types_;
    std::vector<std::string> levels_;
    std::vector<std::int64_t> starts_;
    std::vector<row_index> firsts_;  // of each column's numbers
    row_index width_ = 0;
};

/// Recipe for `encode_model`.
template <class T>
struct encode {
    using stage_concept = recipe_tag;
    std::size_t max_levels = 1000;  ///< of one category; more are refused, since they are mostly an id or free text

    /// Throws `error`: `empty_input`; `limit_exceeded` naming the column.
    [[nodiscard]] encode_model<T> fit(const table& x, const fit_options&) const {
        require(x.rows() > 0, errc::empty_input, "encode: no rows to learn from");
        std::vector<column_type> types;
        std::vector<std::string> levels;
        std::vector<std::int64_t> starts{0};
        for (std::size_t c = 0; c < x.columns(); ++c) {
            const column_type type = x.column(c).type();
            types.push_back(detail::is_numeric(type) ? column_type::number : type);
            if (type == column_type::category) append_levels(x.column(c).categories(), x.names()[c], levels);
            starts.push_back(static_cast<std::int64_t>(levels.size()));
        }
        return {x.names(), std::move(types), std::move(levels), std::move(starts)};
    }

   private:
    void append_levels(const category_view& texts, const std::string& name, std::vector<std::string>& levels) const {
        std::vector<bool> seen(texts.levels.size());  // a slice of a table keeps the levels of the whole
        for (const std::int32_t code : texts.codes)
            if (code >= 0) seen[static_cast<std::size_t>(code)] = true;
        const std::size_t first = levels.size();
        for (std::size_t l = 0; l < seen.size(); ++l)
            if (seen[l]) levels.push_back(texts.levels[l]);
        require(levels.size() - first <= max_levels, errc::limit_exceeded, "encode: column \"", name, "\" has ", levels.size() - first, " levels, max_levels is ",
                max_levels);
        std::sort(levels.begin() + static_cast<std::ptrdiff_t>(first), levels.end());
    }
};

/// Targets for a classifier: 1 where the column holds `positive`, else 0. Integers and numbers are compared as written,
/// such as "1". Throws `error`: `missing_column`; `missing_value` with the row; `bad_data` when no row holds `positive`.
[[nodiscard]] inline std::vector<int> labels_of(const table& from, std::string_view name, std::string_view positive) {
    const std::size_t at = from.position(name);
    const table_column& column = from.column(at);
    std::vector<int> out(from.rows());
    double number = 0;
    const bool text = column.type() == column_type::category;
    if (!text) {
        const auto end = positive.data() + positive.size();
        const auto parsed = std::from_chars(positive.data(), end, number);
        require(detail::is_numeric(column.type()) && parsed.ec == std::errc() && parsed.ptr == end, errc::wrong_column_type, "labels_of: column \"", name,
                "\" is of type ", name_of(column.type()), ", which is never the positive value asked for");
    }
    bool any = false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        require_at(!column.missing(i), errc::missing_value, {.row = i + 1, .column = at + 1}, "labels_of: column \"", name, "\" has no value in row ", i + 1);
        out[i] = text ? column.categories()[i] == positive : detail::numeric_value(column, i) == number;
        any = any || out[i] == 1;
    }
    require(any || out.empty(), errc::bad_data, "labels_of: no row of column \"", name, "\" holds the positive value asked for");
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
