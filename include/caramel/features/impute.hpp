#ifndef CARAMEL_FEATURES_IMPUTE_HPP
#define CARAMEL_FEATURES_IMPUTE_HPP

// Missing values of a table replaced by what training data suggest.

#include <algorithm>
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
#include <caramel/core/workspace.hpp>
#include <caramel/data/table.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// A column of numbers or integers as numbers; the same for a cell. Files infer an integer column where all values happen
// to be whole, so what was learnt from the one must take the other.
inline bool is_numeric(column_type type) noexcept { return type == column_type::number || type == column_type::integer; }
inline double numeric_value(const table_column& column, std::size_t i) {
    return column.type() == column_type::number ? column.numbers()[i] : static_cast<double>(column.integers()[i]);
}
inline double numeric_value(const cell& c) noexcept { return c.type == column_type::number ? c.number : static_cast<double>(c.integer); }

// Throws `wrong_column_type` unless a column learnt as `learnt` may be read from one of type `found`.
inline void require_type(column_type learnt, column_type found, std::string_view name, std::string_view who) {
    require(learnt == found || (is_numeric(learnt) && is_numeric(found)), errc::wrong_column_type, who, ": column \"", name, "\" is of type ",
            caramel::name_of(found), ", learnt ", caramel::name_of(learnt));
}

}  // namespace detail

/// Fills missing values with one value a column. Takes tables that have the learnt columns, by name and in any order;
/// gives these columns in the learnt order (numbers and integers as numbers).
class impute_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "impute";  // in saved files: never changes

    /// One name, type, number (seconds for timestamps) and text a column. Throws `error` (`bad_data`).
    impute_model(std::vector<std::string> names, std::vector<column_type> types, std::vector<double> numbers, std::vector<std::string> texts)
        : names_(std::move(names)), types_(std::move(types)), numbers_(std::move(numbers)), texts_(std::move(texts)) {
        require(names_.size() == types_.size() && names_.size() == numbers_.size() && names_.size() == texts_.size(), errc::bad_data, "impute: ",
                names_.size(), " names but ", types_.size(), " types, ", numbers_.size(), " numbers, ", texts_.size(), " texts");
        detail::require_distinct(names_, "impute");
        for (const column_type type : types_)
            require(detail::is_numeric(type) || type == column_type::category || type == column_type::timestamp, errc::bad_data, "impute: no such column type");
        // Timestamps are whole seconds; both they and the numbers must be what a column may hold.
        for (const double number : numbers_) require(std::isfinite(number) && std::abs(number) < 9e18, errc::bad_data, "impute: a value is not finite or too large");
        for (const auto& text : texts_) require(detail::is_utf8_text(text), errc::bad_utf8, "impute: a text is not UTF-8");
    }

    /// (rows, columns) -> (rows, learnt columns), nothing missing. Throws `error`: `missing_column`, `wrong_column_type`.
    [[nodiscard]] table operator()(const table& from) const {
        table out;
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const table_column& column = detail::find_column(from, names_[c], "impute");
            detail::require_type(types_[c], column.type(), names_[c], "impute");
            out.add_column(names_[c], filled(column, c));
        }
        return out;
    }
    [[nodiscard]] table_row operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto cells = scratch.take<cell>(names_.size());
        for (std::size_t c = 0; c < cells.size(); ++c) {
            const cell& found = detail::find_cell(row, names_[c], c, "impute");
            detail::require_type(types_[c], found.type, names_[c], "impute");
            if (detail::is_numeric(types_[c])) cells[c] = cell::of(found.missing ? numbers_[c] : detail::numeric_value(found));
            else if (!found.missing) cells[c] = found;
            else if (types_[c] == column_type::category) cells[c] = cell::of(std::string_view(texts_[c]));
            else cells[c] = cell::of(when(c));
        }
        return {names_, cells};
    }

    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return names_; }

    static constexpr std::array field_names{"names", "types", "numbers", "texts"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_, types_, numbers_, texts_); }

   private:
    [[nodiscard]] std::chrono::sys_seconds when(std::size_t c) const {
        return std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(numbers_[c])));
    }
    [[nodiscard]] table_column filled(const table_column& column, std::size_t c) const {
        if (detail::is_numeric(types_[c])) {
            std::vector<double> values(column.size());
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = column.missing(i) ? numbers_[c] : detail::numeric_value(column, i);
            return table_column(std::move(values));
        }
        if (!column.any_missing()) return column;
        if (types_[c] == column_type::timestamp) {
            std::vector<std::chrono::sys_seconds> values(column.timestamps().begin(), column.timestamps().end());
            for (std::size_t i = 0; i < values.size(); ++i)
                if (column.missing(i)) values[i] = when(c);
            return table_column(std::move(values));
        }
        const category_view texts = column.categories();
        std::vector<std::int32_t> codes(texts.codes.begin(), texts.codes.end());
        std::vector<std::string> levels(texts.levels.begin(), texts.levels.end());
        const auto at = std::find(levels.begin(), levels.end(), texts_[c]);
        const auto code = static_cast<std::int32_t>(at - levels.begin());
        if (at == levels.end()) levels.push_back(texts_[c]);
        std::replace(codes.begin(), codes.end(), std::int32_t{-1}, code);
        return table_column(std::move(codes), std::move(levels));
    }

    std::vector<std::string> names_;
    std::vector<column_type> types_;
    std::vector<double> numbers_;
    std::vector<std::string> texts_;
};

/// What stands in for a missing number.
enum class fill_number { median, mean, constant };
/// What stands in for a missing text.
enum class fill_text { most_frequent, constant };

/// Recipe for `impute_model`: fills every column, each by its type. Timestamps get their median.
struct impute {
    using stage_concept = recipe_tag;
    fill_number number = fill_number::median;
    fill_text text = fill_text::most_frequent;  ///< ties: the first in byte order
    double constant = 0;                        ///< for `fill_number::constant`
    std::string constant_text = "missing";      ///< for `fill_text::constant`

    /// Throws `error`: `empty_input`; `bad_data` naming a column in which every value is missing (unless a constant fills
    /// it); `bad_parameter`.
    [[nodiscard]] impute_model fit(const table& x, const fit_options&) const {
        require(x.rows() > 0, errc::empty_input, "impute: no rows to learn from");
        require(std::isfinite(constant), errc::bad_parameter, "impute: constant is not finite");
        std::vector<column_type> types;
        std::vector<double> numbers;
        std::vector<std::string> texts;
        for (std::size_t c = 0; c < x.columns(); ++c) {
            const table_column& column = x.column(c);
            types.push_back(detail::is_numeric(column.type()) ? column_type::number : column.type());
            const bool is_text = column.type() == column_type::category;
            numbers.push_back(is_text ? 0 : learn_number(column, x.names()[c]));
            texts.push_back(is_text ? learn_text(column, x.names()[c]) : std::string());
        }
        return {x.names(), std::move(types), std::move(numbers), std::move(texts)};
    }

   private:
    static void require_values(bool any, const std::string& name) {
        require(any, errc::bad_data, "impute: column \"", name, "\" has no value to learn from; leave it out, or fill with a constant");
    }
    [[nodiscard]] double learn_number(const table_column& column, const std::string& name) const {
        const bool is_time = column.type() == column_type::timestamp;
        if (!is_time && number == fill_number::constant) return constant;
        std::vector<double> values;
        for (std::size_t i = 0; i < column.size(); ++i)
            if (!column.missing(i)) values.push_back(is_time ? static_cast<double>(column.timestamps()[i].time_since_epoch().count()) : detail::numeric_value(column, i));
        require_values(!values.empty(), name);
        if (!is_time && number == fill_number::mean) {
            double mean = 0;
            for (std::size_t i = 0; i < values.size(); ++i) mean += (values[i] - mean) / static_cast<double>(i + 1);  // no overflow on the way
            return mean;
        }
        std::sort(values.begin(), values.end());
        const std::size_t middle = values.size() / 2;
        if (is_time || values.size() % 2 == 1) return values[values.size() % 2 == 1 ? middle : middle - 1];
        return values[middle - 1] / 2 + values[middle] / 2;
    }
    [[nodiscard]] std::string learn_text(const table_column& column, const std::string& name) const {
        if (text == fill_text::constant) return constant_text;
        const category_view texts = column.categories();
        std::vector<std::size_t> counts(texts.levels.size());
        for (const std::int32_t code : texts.codes)
            if (code >= 0) ++counts[static_cast<std::size_t>(code)];
        std::size_t best = counts.size();
        for (std::size_t level = 0; level < counts.size(); ++level)
            if (counts[level] > 0 && (best == counts.size() || counts[level] > counts[best] || (counts[level] == counts[best] && texts.levels[level] < texts.levels[best])))
                best = level;
        require_values(best < counts.size(), name);
        return texts.levels[best];
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
