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
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/table.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// A column of numbers or integers as numbers; the same for a cell. Files infer an integer column where all values happen
// to be whole, so what was learnt from the one must take the other.
inline bool is_numeric(column_type type) noexcept { return type == column_type::number || type == column_type::integer; }
template <class = void>
inline double numeric_value(const table_column& column, std::size_t i) {
    return column.type() == column_type::number ? column.numbers()[i] : static_cast<double>(column.integers()[i]);
}
inline double numeric_value(const cell& c) noexcept { return c.type == column_type::number ? c.number : static_cast<double>(c.integer); }

// Throws `wrong_column_type` unless a column learnt as `learnt` may be read from one of type `found`.
template <class = void>
inline void require_type(column_type learnt, column_type found, std::string_view name, std::string_view who) {
    require(learnt == found || (is_numeric(learnt) && is_numeric(found)), errc::wrong_column_type, who, ": column \"", name, "\" is of type ",
            caramel::name_of(found), ", learnt ", caramel::name_of(learnt));
}

}  // namespace detail

/// Fills missing values with one value a column. Takes tables that have the learnt columns, by name and in any order;
/// gives these columns in the learnt order (numbers and integers as numbers), then a number column `x_missing` for each
/// column x with an indicator: 1 where it was missing, else 0.
class impute_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "impute";  // in saved files: never changes

    /// One name, type, number (seconds for timestamps) and text a column; `indicated`: those with an indicator, by number
    /// from 0, ascending. Throws `error`: `bad_data`, `duplicate_column`, `bad_utf8`.
    template <class = void>
    impute_model(std::vector<std::string> names, std::vector<column_type> types, std::vector<double> numbers, std::vector<std::string> texts,
                 std::vector<std::int32_t> indicated = {})
        : names_(std::move(names)),
          types_(std::move(types)),
          numbers_(std::move(numbers)),
          texts_(std::move(texts)),
          indicated_(std::move(indicated)),
          out_names_(names_) {
        require(names_.size() == types_.size() && names_.size() == numbers_.size() && names_.size() == texts_.size(), errc::bad_data, "impute: ",
                names_.size(), " names but ", types_.size(), " types, ", numbers_.size(), " numbers, ", texts_.size(), " texts");
        detail::require_distinct(names_, "impute");
        for (const column_type type : types_)
            require(detail::is_numeric(type) || type == column_type::category || type == column_type::timestamp, errc::bad_data, "impute: no such column type");
        // Timestamps are whole seconds; both they and the numbers must be what a column may hold.
        for (const double number : numbers_) require(std::isfinite(number) && std::abs(number) < 9e18, errc::bad_data, "impute: a value is not finite or too large");
        for (const auto& text : texts_) require(detail::is_utf8_text(text), errc::bad_utf8, "impute: a text is not UTF-8");
        for (std::size_t k = 0; k < indicated_.size(); ++k) {
            const std::int32_t c = indicated_[k];
            require(c >= (k == 0 ? 0 : indicated_[k - 1] + 1) && c < static_cast<std::int64_t>(names_.size()), errc::bad_data,
                    "impute: the columns with an indicator do not rise, or are none of ", names_.size());
            out_names_.push_back(names_[static_cast<std::size_t>(c)] + "_missing");
        }
        detail::require_distinct(out_names_, "impute");
    }

    /// (rows, columns) -> (rows, learnt columns), nothing missing. Throws `error`: `missing_column`, `wrong_column_type`.
    template <class = void>
    [[nodiscard]] table operator()(const table& from) const {
        table out;
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const table_column& column = detail::find_column(from, names_[c], "impute");
            detail::require_type(types_[c], column.type(), names_[c], "impute");
            out.add_column(names_[c], filled(column, c));
        }
        for (std::size_t k = 0; k < indicated_.size(); ++k) {
            const auto& missing = detail::find_column(from, names_[static_cast<std::size_t>(indicated_[k])], "impute").missing();
            out.add_column(out_names_[names_.size() + k],
                           table_column(missing.empty() ? std::vector<double>(from.rows()) : std::vector<double>(missing.begin(), missing.end())));
        }
        return out;
    }
    template <class = void>
    [[nodiscard]] table_row operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto cells = scratch.take<cell>(out_names_.size());
        for (std::size_t k = 0; k < indicated_.size(); ++k) {
            const auto c = static_cast<std::size_t>(indicated_[k]);
            cells[names_.size() + k] = cell::of(detail::find_cell(row, names_[c], c, "impute").missing ? 1.0 : 0.0);
        }
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const cell& found = detail::find_cell(row, names_[c], c, "impute");
            detail::require_type(types_[c], found.type, names_[c], "impute");
            if (detail::is_numeric(types_[c])) cells[c] = cell::of(found.missing ? numbers_[c] : detail::numeric_value(found));
            else if (!found.missing) cells[c] = found;
            else if (types_[c] == column_type::category) cells[c] = cell::of(std::string_view(texts_[c]));
            else cells[c] = cell::of(when(c));
        }
        return {out_names_, cells};
    }

    template <class = void>
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return out_names_; }

    static constexpr std::array field_names{"names", "types", "numbers", "texts", "indicated"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_, types_, numbers_, texts_, indicated_); }
    static auto field_defaults() { return std::tuple(std::vector<std::int32_t>()); }  // older files have no indicators

   private:
    [[nodiscard]] std::chrono::sys_seconds when(std::size_t c) const {
        return std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(numbers_[c])));
    }
    template <class = void>
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
    std::vector<std::int32_t> indicated_;
    std::vector<std::string> out_names_;
};

/// What stands in for a missing number.
enum class fill_number { median, mean, constant, most_frequent };
/// What stands in for a missing text.
enum class fill_text { most_frequent, constant };
/// Which columns get an indicator.
enum class missing_indicators {
    none,
    seen,  ///< those in which training data have missing values
    all,
};

/// How one column is filled, where it differs from the others.
struct fill_column {
    std::string column;
    fill_number number = fill_number::median;
    fill_text text = fill_text::most_frequent;
    double constant = 0;
    std::string constant_text = "missing";
};

/// Recipe for `impute_model`: fills every column, each by its type. Timestamps get their median.
struct impute {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;  // a weight of two is a row twice
    fill_number number = fill_number::median;
    fill_text text = fill_text::most_frequent;  ///< ties: the first in byte order; of numbers, the smallest
    double constant = 0;                        ///< for `fill_number::constant`
    std::string constant_text = "missing";      ///< for `fill_text::constant`
    std::vector<fill_column> columns = {};      ///< those with a way of their own: `{{.column = "age", .number = fill_number::mean}}`
    missing_indicators indicators = missing_indicators::none;

    /// Throws `error`: `empty_input`; `bad_data` naming a column in which every value is missing (unless a constant fills
    /// it); `bad_parameter`; `missing_column`, `duplicate_column` (in `columns`, or a column called as an indicator).
    template <class = void>
    [[nodiscard]] impute_model fit(const table& x, const fit_options& options) const {
        require(x.rows() > 0, errc::empty_input, "impute: no rows to learn from");
        const row_weights weights(options.weights, x.rows(), "impute");
        std::vector<std::string> special;
        for (const auto& one : columns) {
            (void)detail::find_column(x, one.column, "impute");
            special.push_back(one.column);
        }
        detail::require_distinct(special, "impute");
        std::vector<column_type> types;
        std::vector<double> numbers;
        std::vector<std::string> texts;
        std::vector<std::int32_t> indicated;
        for (std::size_t c = 0; c < x.columns(); ++c) {
            const table_column& column = x.column(c);
            const auto own = std::find(special.begin(), special.end(), x.names()[c]);
            const fill_column how = own == special.end() ? fill_column{x.names()[c], number, text, constant, constant_text}
                                                         : columns[static_cast<std::size_t>(own - special.begin())];
            require(std::isfinite(how.constant), errc::bad_parameter, "impute: constant is not finite");
            types.push_back(detail::is_numeric(column.type()) ? column_type::number : column.type());
            const bool is_text = column.type() == column_type::category;
            numbers.push_back(is_text ? 0 : learn_number(column, how, weights));
            texts.push_back(is_text ? learn_text(column, how, weights) : std::string());
            if (indicators == missing_indicators::all || (indicators == missing_indicators::seen && column.any_missing()))
                indicated.push_back(static_cast<std::int32_t>(c));
        }
        return {x.names(), std::move(types), std::move(numbers), std::move(texts), std::move(indicated)};
    }

   private:
    struct weighted {
        double value, weight;
    };
    template <class = void>
    static void require_values(bool any, const std::string& name) {
        require(any, errc::bad_data, "impute: column \"", name, "\" has no value to learn from; leave it out, or fill with a constant");
    }
    template <class = void>
    [[nodiscard]] static double learn_number(const table_column& column, const fill_column& how, const row_weights& weights) {
        const bool is_time = column.type() == column_type::timestamp;
        if (!is_time && how.number == fill_number::constant) return how.constant;
        std::vector<weighted> values;
        double all = 0;
        for (std::size_t i = 0; i < column.size(); ++i)
            if (!column.missing(i) && weights[i] > 0) {
                values.push_back({is_time ? static_cast<double>(column.timestamps()[i].time_since_epoch().count()) : detail::numeric_value(column, i), weights[i]});
                all += weights[i];
            }
        require_values(!values.empty(), how.column);
        if (!is_time && how.number == fill_number::mean) {
            double mean = 0, sum = 0;
            for (const auto& v : values) mean += (v.value - mean) * (v.weight / (sum += v.weight));  // no overflow on the way
            return mean;
        }
        std::sort(values.begin(), values.end(), [](const weighted& a, const weighted& b) { return a.value < b.value; });
        if (!is_time && how.number == fill_number::most_frequent) return most_frequent(values);
        std::size_t middle = 0;
        double below = values[0].weight;  // the weight up to and including `middle`
        while (middle + 1 < values.size() && below < all / 2) below += values[++middle].weight;
        if (is_time || below > all / 2 || middle + 1 == values.size()) return values[middle].value;
        return values[middle].value / 2 + values[middle + 1].value / 2;
    }
    template <class = void>
    [[nodiscard]] static double most_frequent(const std::vector<weighted>& sorted) {
        double best = sorted.front().value, most = 0, here = 0;
        for (std::size_t i = 0; i < sorted.size(); ++i) {
            here = i > 0 && sorted[i].value == sorted[i - 1].value ? here + sorted[i].weight : sorted[i].weight;
            if (here > most) {
                most = here;
                best = sorted[i].value;
            }
        }
        return best;
    }
    template <class = void>
    [[nodiscard]] static std::string learn_text(const table_column& column, const fill_column& how, const row_weights& weights) {
        if (how.text == fill_text::constant) return how.constant_text;
        const category_view texts = column.categories();
        std::vector<double> counts(texts.levels.size());
        for (std::size_t i = 0; i < texts.size(); ++i)
            if (texts.codes[i] >= 0) counts[static_cast<std::size_t>(texts.codes[i])] += weights[i];
        std::size_t best = counts.size();
        for (std::size_t level = 0; level < counts.size(); ++level)
            if (counts[level] > 0 && (best == counts.size() || counts[level] > counts[best] || (counts[level] == counts[best] && texts.levels[level] < texts.levels[best])))
                best = level;
        require_values(best < counts.size(), how.column);
        return texts.levels[best];
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
