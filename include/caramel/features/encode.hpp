#ifndef CARAMEL_FEATURES_ENCODE_HPP
#define CARAMEL_FEATURES_ENCODE_HPP

// Tables to numbers: one column a number; a category as one column a level, or as the number of its level.

#include <algorithm>
#include <array>
#include <charconv>
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
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/table.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

template <class T>
class encode_sparse_model;

/// What `encode` makes of a level that training did not see. Numbers never change: they are in saved files.
enum class unknown_level : std::uint8_t {
    zeros = 0,   ///< zeros throughout (with `drop_first` that is also the first level)
    rare = 1,    ///< as the merged rare levels, in columns that have them; else zeros
    refuse = 2,  ///< an error (`unknown_id`) that names the column and the row
};

namespace detail {

// The distinct texts of a category's rows and their weights, in byte order. A slice of a table keeps the levels of the
// whole, so what counts is the rows; those of weight 0 do not.
struct level_weight {
    std::string_view text;
    double weight;
};
template <class = void>
inline std::vector<level_weight> count_levels(const category_view& texts, const row_weights& weights) {
    std::vector<level_weight> all;
    all.reserve(texts.levels.size());
    for (const auto& level : texts.levels) all.push_back({level, 0});
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (texts.codes[i] >= 0) all[static_cast<std::size_t>(texts.codes[i])].weight += weights[i];
    std::erase_if(all, [](const level_weight& l) { return !(l.weight > 0); });
    std::sort(all.begin(), all.end(), [](const level_weight& a, const level_weight& b) { return a.text < b.text; });
    return all;
}

// Sorted levels of several columns in one list: column c's are `levels[starts[c]] .. levels[starts[c + 1]]`.
template <class = void>
inline std::span<const std::string> levels_between(const std::vector<std::string>& levels, const std::vector<std::int64_t>& starts, std::size_t c) {
    return std::span(levels).subspan(static_cast<std::size_t>(starts[c]), static_cast<std::size_t>(starts[c + 1] - starts[c]));
}
// Where the text is among sorted levels; -1 = nowhere.
template <class = void>
inline std::ptrdiff_t find_level(std::span<const std::string> sorted, std::string_view text) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), text);
    return at != sorted.end() && *at == text ? at - sorted.begin() : -1;
}
// Throws `bad_data` unless these could have been learnt together.
template <class = void>
inline void require_levels(const std::vector<std::string>& names, const std::vector<column_type>& types, const std::vector<std::string>& levels,
                           const std::vector<std::int64_t>& starts, bool sorted, std::string_view who) {
    require(names.size() == types.size() && names.size() + 1 == starts.size(), errc::bad_data, who, ": ", names.size(), " names but ", types.size(), " types and ",
            starts.size(), " starts");
    require_distinct(names, who);
    require(starts.front() == 0 && starts.back() == static_cast<std::int64_t>(levels.size()), errc::bad_data, who, ": the starts do not cover ", levels.size(),
            " levels");
    for (std::size_t c = 0; c < names.size(); ++c) {
        require(starts[c] <= starts[c + 1] && starts[c + 1] <= starts.back(), errc::bad_data, who, ": the starts do not rise");
        const bool text = types[c] == column_type::category;
        require(text || is_numeric(types[c]) || types[c] == column_type::timestamp, errc::bad_data, who, ": no such column type");
        require(text || starts[c] == starts[c + 1], errc::bad_data, who, ": a column of numbers has levels");
        if (!sorted) continue;
        const auto mine = levels_between(levels, starts, c);
        for (std::size_t l = 1; l < mine.size(); ++l) require(mine[l - 1] < mine[l], errc::bad_data, who, ": the levels of a column are not sorted");
    }
}
template <class = void>
inline void require_max_levels(std::size_t found, std::size_t most, const std::string& name, std::string_view who) {
    require(found <= most, errc::limit_exceeded, who, ": column \"", name, "\" has ", found, " levels, max_levels is ", most);
}

// A number, integer or timestamp (days since 1970-01-01) as a T. Throws `missing_value`, `number_out_of_range` with the place.
template <class T>
T encoded_number(const cell& found, const std::string& name, std::size_t c, std::size_t row, std::string_view who) {
    require_at(!found.missing, errc::missing_value, {.row = row, .column = c + 1}, who, ": column \"", name, "\" has no value in row ", row,
               "; put impute{} in front");
    const double x = found.type == column_type::timestamp ? static_cast<double>(found.integer) / 86400 : numeric_value(found);
    require_at(std::abs(x) <= static_cast<double>(std::numeric_limits<T>::max()), errc::number_out_of_range, {.row = row, .column = c + 1}, who, ": column \"",
               name, "\" is beyond the number type in row ", row);
    return static_cast<T>(x);
}
template <class T>
void encode_numbers(const table_column& column, const std::string& name, std::size_t c, row_index to, matrix<T>& out, std::string_view who) {
    const auto each = [&](const auto& values) {
        for (std::size_t i = 0; i < column.size(); ++i) {
            const cell found = column.missing(i) ? cell::of_missing(column.type()) : cell::of(values[i]);
            out(static_cast<row_index>(i), to) = encoded_number<T>(found, name, c, i + 1, who);
        }
    };
    if (column.type() == column_type::number) each(column.numbers());
    else if (column.type() == column_type::integer) each(column.integers());
    else each(column.timestamps());
}

}  // namespace detail

/// One-hot encoding. Columns come out in the learnt order: a number or integer as it is, a timestamp as days since
/// 1970-01-01, a category as one column a level (in byte order), 1 where the row has it; levels that were rare in training
/// share one column behind the others. A missing category is zeros throughout.
template <class T>
class encode_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "encode";  // in saved files: never changes

    /// One name and type a column; column c's levels are `levels[starts[c]] .. levels[starts[c + 1]]`, sorted. `slots` has
    /// the place of each level among the numbers of its column, -1 for none; empty = each level its own. In columns with
    /// `rare`, the last place is that of the rare levels; empty = in none. Throws `error` (`bad_data`).
    encode_model(std::vector<std::string> names, std::vector<column_type> types, std::vector<std::string> levels, std::vector<std::int64_t> starts,
                 std::vector<std::int32_t> slots = {}, std::vector<bool> rare = {}, unknown_level unknown = unknown_level::zeros)
        : names_(std::move(names)), types_(std::move(types)), levels_(std::move(levels)), starts_(std::move(starts)), slots_(std::move(slots)),
          rare_(std::move(rare)), unknown_(unknown) {
        detail::require_levels(names_, types_, levels_, starts_, true, "encode");
        if (slots_.empty())
            for (std::size_t c = 0; c < names_.size(); ++c)
                for (std::size_t l = 0; l < levels_of(c).size(); ++l) slots_.push_back(static_cast<std::int32_t>(l));
        if (rare_.empty()) rare_.resize(names_.size());
        require(slots_.size() == levels_.size() && rare_.size() == names_.size(), errc::bad_data, "encode: ", levels_.size(), " levels but ", slots_.size(),
                " places, ", names_.size(), " columns but ", rare_.size(), " bits");
        require(unknown_ <= unknown_level::refuse, errc::bad_data, "encode: no such way with unknown levels");
        for (std::size_t c = 0; c < names_.size(); ++c) {
            std::int32_t most = -1;
            for (std::size_t l = 0; l < levels_of(c).size(); ++l) {
                const std::int32_t slot = slot_of(c, static_cast<std::ptrdiff_t>(l));
                require(slot >= -1 && slot < static_cast<std::int64_t>(levels_of(c).size()), errc::bad_data, "encode: a level has a place beyond the ",
                        levels_of(c).size(), " of its column");
                most = std::max(most, slot);
            }
            require(!rare_[c] || most >= 0, errc::bad_data, "encode: a column has rare levels but no place for them");
            firsts_.push_back(width_);
            width_ += types_[c] == column_type::category ? most + 1 : 1;
        }
        firsts_.push_back(width_);
    }

    /// (rows, columns) -> (rows, numbers and levels).
    /// Throws `error`: `missing_column`, `wrong_column_type`; with the row `missing_value` (of a number), `unknown_id` (where
    /// unknown levels are refused).
    [[nodiscard]] matrix<T> operator()(const table& from) const {
        matrix<T> out = matrix<T>::Zero(static_cast<row_index>(from.rows()), width_);
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const table_column& column = column_of(from, c);
            if (types_[c] != column_type::category) {
                detail::encode_numbers(column, names_[c], c, firsts_[c], out, "encode");
                continue;
            }
            const auto places = places_of(column.categories(), c);
            for (std::size_t i = 0; i < places.size(); ++i)
                if (places[i] >= 0) out(static_cast<row_index>(i), firsts_[c] + places[i]) = T(1);
        }
        return out;
    }
    /// One row -> (numbers and levels), in the workspace.
    [[nodiscard]] std::span<const T> operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto out = scratch.take<T>(static_cast<std::size_t>(width_));
        std::fill(out.begin(), out.end(), T(0));
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const cell& found = cell_of(row, c);
            const auto first = static_cast<std::size_t>(firsts_[c]);
            if (types_[c] != column_type::category) out[first] = detail::encoded_number<T>(found, names_[c], c, 1, "encode");
            else if (const std::int32_t place = place_of(found, c); place >= 0) out[first + static_cast<std::size_t>(place)] = T(1);
        }
        return out;
    }

    /// "tenure", "contract=monthly" for a level, and "contract=(rare)" for the rare ones.
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const {
        std::vector<std::string> out(static_cast<std::size_t>(width_));
        for (std::size_t c = 0; c < names_.size(); ++c) {
            if (types_[c] != column_type::category) out[static_cast<std::size_t>(firsts_[c])] = names_[c];
            for (std::size_t l = 0; l < levels_of(c).size(); ++l)
                if (const auto slot = slot_of(c, static_cast<std::ptrdiff_t>(l)); slot >= 0)
                    out[static_cast<std::size_t>(firsts_[c] + slot)] = names_[c] + "=" + levels_of(c)[l];
            if (rare_[c]) out[static_cast<std::size_t>(firsts_[c + 1] - 1)] = names_[c] + "=(rare)";
        }
        return out;
    }

    static constexpr std::array field_names{"names", "types", "levels", "starts", "slots", "rare", "unknown"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_, types_, levels_, starts_, slots_, rare_, unknown_); }
    static auto field_defaults() { return std::tuple(std::vector<std::int32_t>(), std::vector<bool>(), unknown_level::zeros); }  // files of 0.1

   private:
    friend class encode_sparse_model<T>;
    static constexpr std::int32_t refused = -2;

    [[nodiscard]] std::span<const std::string> levels_of(std::size_t c) const { return detail::levels_between(levels_, starts_, c); }
    // The place of a level among the numbers of its column; -1 = none.
    [[nodiscard]] std::int32_t slot_of(std::size_t c, std::ptrdiff_t level) const {
        if (level >= 0) return slots_[static_cast<std::size_t>(starts_[c] + level)];
        if (unknown_ == unknown_level::refuse) return refused;
        return unknown_ == unknown_level::rare && rare_[c] ? static_cast<std::int32_t>(firsts_[c + 1] - firsts_[c]) - 1 : -1;
    }
    void require_known(std::int32_t slot, std::size_t c, std::size_t row) const {
        require_at(slot != refused, errc::unknown_id, {.row = row, .column = c + 1}, "encode: column \"", names_[c], "\" has a level in row ", row,
                   " that training did not see");
    }
    [[nodiscard]] const table_column& column_of(const table& from, std::size_t c) const {
        const table_column& column = detail::find_column(from, names_[c], "encode");
        detail::require_type(types_[c], column.type(), names_[c], "encode");
        return column;
    }
    [[nodiscard]] const cell& cell_of(const table_row& row, std::size_t c) const {
        const cell& found = detail::find_cell(row, names_[c], c, "encode");
        detail::require_type(types_[c], found.type, names_[c], "encode");
        return found;
    }
    // The place of each row's level among the numbers of its column; -1 = none.
    [[nodiscard]] std::vector<std::int32_t> places_of(const category_view& texts, std::size_t c) const {
        std::vector<std::int32_t> to(texts.levels.size());  // each distinct text is looked up once
        for (std::size_t l = 0; l < to.size(); ++l) to[l] = slot_of(c, detail::find_level(levels_of(c), texts.levels[l]));
        std::vector<std::int32_t> out(texts.size(), -1);
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (texts.codes[i] < 0) continue;
            out[i] = to[static_cast<std::size_t>(texts.codes[i])];
            require_known(out[i], c, i + 1);
        }
        return out;
    }
    [[nodiscard]] std::int32_t place_of(const cell& text, std::size_t c) const {
        if (text.missing) return -1;
        const std::int32_t place = slot_of(c, detail::find_level(levels_of(c), text.text()));
        require_known(place, c, 1);
        return place;
    }

    std::vector<std::string> names_;
    std::vector<column_type> types_;
    std::vector<std::string> levels_;
    std::vector<std::int64_t> starts_;
    std::vector<std::int32_t> slots_;
    std::vector<bool> rare_;
    unknown_level unknown_;
    std::vector<row_index> firsts_;  // of each column's numbers, and the end of the last
    row_index width_ = 0;
};

/// Recipe for `encode_model`. Levels come in byte order, whatever the order of the rows.
template <class T>
struct encode {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;  // for `min_count`; a level whose rows all weigh 0 is as not there
    std::size_t max_levels = 1000;              ///< of one category, rare ones not counted; more are refused: mostly an id or free text
    double min_count = 0;                       ///< levels with fewer rows than this (or less weight) are rare
    unknown_level unknown = unknown_level::zeros;
    bool drop_first = false;  ///< no column for the first level that is not rare: for linear models without a penalty

    /// Throws `error`: `empty_input`; `limit_exceeded` naming the column; `bad_parameter`.
    [[nodiscard]] encode_model<T> fit(const table& x, const fit_options& options) const {
        require(x.rows() > 0, errc::empty_input, "encode: no rows to learn from");
        require(min_count >= 0, errc::bad_parameter, "encode: min_count = ", min_count, ", must be at least 0");
        const row_weights weights(options.weights, x.rows(), "encode");
        std::vector<column_type> types;
        std::vector<std::string> levels;
        std::vector<std::int64_t> starts{0};
        std::vector<std::int32_t> slots;
        std::vector<bool> rare(x.columns());
        for (std::size_t c = 0; c < x.columns(); ++c) {
            const column_type type = x.column(c).type();
            types.push_back(detail::is_numeric(type) ? column_type::number : type);
            if (type == column_type::category) {
                const auto found = detail::count_levels(x.column(c).categories(), weights);
                const auto is_rare = [this](const detail::level_weight& l) { return l.weight < min_count; };
                const auto n_rare = static_cast<std::size_t>(std::count_if(found.begin(), found.end(), is_rare));
                rare[c] = n_rare > 0;
                detail::require_max_levels(found.size() - n_rare, max_levels, x.names()[c], "encode");
                std::int32_t next = drop_first ? -1 : 0;
                const auto last = std::max(next + static_cast<std::int32_t>(found.size() - n_rare), 0);
                for (const auto& level : found) {
                    levels.emplace_back(level.text);
                    slots.push_back(is_rare(level) ? last : next++);
                }
            }
            starts.push_back(static_cast<std::int64_t>(levels.size()));
        }
        return {x.names(), std::move(types), std::move(levels), std::move(starts), std::move(slots), std::move(rare), unknown};
    }
};

/// Order of a category's levels, for `ordinal_encode`.
struct level_order {
    std::string column;
    std::vector<std::string> levels;  ///< the first is 0
};

/// Categories as the numbers 0, 1, 2, ... of their levels; other columns as `encode` has them.
template <class T>
class ordinal_encode_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "ordinal_encode";  // in saved files: never changes

    /// One name and type a column; column c's levels are `levels[starts[c]] .. levels[starts[c + 1]]`, in their order.
    /// Throws `error` (`bad_data`).
    ordinal_encode_model(std::vector<std::string> names, std::vector<column_type> types, std::vector<std::string> levels, std::vector<std::int64_t> starts,
                         bool refuse_unknown)
        : names_(std::move(names)), types_(std::move(types)), levels_(std::move(levels)), starts_(std::move(starts)), refuse_unknown_(refuse_unknown) {
        detail::require_levels(names_, types_, levels_, starts_, false, "ordinal_encode");
        for (std::size_t c = 0; c < names_.size(); ++c) {  // looked up by text: sorted, with the number of each
            const auto mine = detail::levels_between(levels_, starts_, c);
            std::vector<std::int32_t> order(mine.size());
            for (std::size_t l = 0; l < order.size(); ++l) order[l] = static_cast<std::int32_t>(l);
            std::sort(order.begin(), order.end(),
                      [&](std::int32_t a, std::int32_t b) { return mine[static_cast<std::size_t>(a)] < mine[static_cast<std::size_t>(b)]; });
            for (const std::int32_t l : order) sorted_.push_back(mine[static_cast<std::size_t>(l)]);
            numbers_.insert(numbers_.end(), order.begin(), order.end());
            const auto first = sorted_.end() - static_cast<std::ptrdiff_t>(mine.size());
            require(std::adjacent_find(first, sorted_.end()) == sorted_.end(), errc::bad_data, "ordinal_encode: a level of a column is given twice");
        }
    }

    /// (rows, columns) -> (rows, columns). A missing category is -1, and so is an unknown level that is not refused.
    /// Throws `error`: `missing_column`, `wrong_column_type`; with the row `missing_value` (of a number), `unknown_id`.
    [[nodiscard]] matrix<T> operator()(const table& from) const {
        matrix<T> out(static_cast<row_index>(from.rows()), static_cast<row_index>(names_.size()));
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const table_column& column = detail::find_column(from, names_[c], "ordinal_encode");
            detail::require_type(types_[c], column.type(), names_[c], "ordinal_encode");
            if (types_[c] != column_type::category) {
                detail::encode_numbers(column, names_[c], c, static_cast<row_index>(c), out, "ordinal_encode");
                continue;
            }
            const category_view texts = column.categories();
            std::vector<std::int32_t> to;
            for (const auto& level : texts.levels) to.push_back(number_of(c, level));
            for (std::size_t i = 0; i < texts.size(); ++i) {
                const std::int32_t number = texts.codes[i] < 0 ? -1 : to[static_cast<std::size_t>(texts.codes[i])];
                require_known(number >= 0 || texts.codes[i] < 0, c, i + 1);
                out(static_cast<row_index>(i), static_cast<row_index>(c)) = static_cast<T>(number);
            }
        }
        return out;
    }
    [[nodiscard]] std::span<const T> operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto out = scratch.take<T>(names_.size());
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const cell& found = detail::find_cell(row, names_[c], c, "ordinal_encode");
            detail::require_type(types_[c], found.type, names_[c], "ordinal_encode");
            if (types_[c] != column_type::category) {
                out[c] = detail::encoded_number<T>(found, names_[c], c, 1, "ordinal_encode");
            } else {
                const std::int32_t number = found.missing ? -1 : number_of(c, found.text());
                require_known(number >= 0 || found.missing, c, 1);
                out[c] = static_cast<T>(number);
            }
        }
        return out;
    }

    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return names_; }

    static constexpr std::array field_names{"names", "types", "levels", "starts", "refuse_unknown"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_, types_, levels_, starts_, refuse_unknown_); }

   private:
    [[nodiscard]] std::int32_t number_of(std::size_t c, std::string_view text) const {
        const auto level = detail::find_level(detail::levels_between(sorted_, starts_, c), text);
        return level < 0 ? -1 : numbers_[static_cast<std::size_t>(starts_[c] + level)];
    }
    void require_known(bool known, std::size_t c, std::size_t row) const {
        require_at(known || !refuse_unknown_, errc::unknown_id, {.row = row, .column = c + 1}, "ordinal_encode: column \"", names_[c], "\" has a level in row ",
                   row, " that training did not see");
    }
    std::vector<std::string> names_;
    std::vector<column_type> types_;
    std::vector<std::string> levels_;
    std::vector<std::int64_t> starts_;
    bool refuse_unknown_;
    std::vector<std::string> sorted_;
    std::vector<std::int32_t> numbers_;  // of the sorted ones
};

/// Recipe for `ordinal_encode_model`: `ordinal_encode<float>{.orders = {{"size", {"S", "M", "L"}}}}`. Categories without an
/// order of their own take byte order.
template <class T>
struct ordinal_encode {
    using stage_concept = recipe_tag;
    std::vector<level_order> orders = {};
    bool refuse_unknown = false;   ///< else a level that training did not see, or that the order lacks, is -1
    std::size_t max_levels = 1000;  ///< of one category

    /// Throws `error`: `empty_input`; `missing_column` (an order for a column that is not there), `wrong_column_type` (or that
    /// is no category), `duplicate_column`, `bad_data` (a level twice in an order); `limit_exceeded` naming the column.
    [[nodiscard]] ordinal_encode_model<T> fit(const table& x, const fit_options&) const {
        require(x.rows() > 0, errc::empty_input, "ordinal_encode: no rows to learn from");
        std::vector<std::string> ordered;
        for (const auto& order : orders) {
            const table_column& column = detail::find_column(x, order.column, "ordinal_encode");
            detail::require_type(column_type::category, column.type(), order.column, "ordinal_encode");
            ordered.push_back(order.column);
        }
        detail::require_distinct(ordered, "ordinal_encode");
        std::vector<column_type> types;
        std::vector<std::string> levels;
        std::vector<std::int64_t> starts{0};
        for (std::size_t c = 0; c < x.columns(); ++c) {
            const column_type type = x.column(c).type();
            types.push_back(detail::is_numeric(type) ? column_type::number : type);
            const auto order = std::find(ordered.begin(), ordered.end(), x.names()[c]);
            if (order != ordered.end()) {
                const auto& given = orders[static_cast<std::size_t>(order - ordered.begin())].levels;
                levels.insert(levels.end(), given.begin(), given.end());
            } else if (type == column_type::category) {
                for (const auto& level : detail::count_levels(x.column(c).categories(), row_weights({}, x.rows(), "ordinal_encode")))
                    levels.emplace_back(level.text);
            }
            detail::require_max_levels(levels.size() - static_cast<std::size_t>(starts.back()), max_levels, x.names()[c], "ordinal_encode");
            starts.push_back(static_cast<std::int64_t>(levels.size()));
        }
        return {x.names(), std::move(types), std::move(levels), std::move(starts), refuse_unknown};
    }
};

/// Targets for a classifier: 1 where the column holds `positive`, else 0. Integers and numbers are compared as written,
/// such as "1". Throws `error`: `missing_column`; `missing_value` with the row; `bad_data` when no row holds `positive`.
template <class = void>
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
    require(any || out.empty(), errc::bad_data, "labels_of: no row of column \"", name, "\" holds the positive value asked for (case and spaces count)");
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
