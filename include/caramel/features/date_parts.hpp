#ifndef CARAMEL_FEATURES_DATE_PARTS_HPP
#define CARAMEL_FEATURES_DATE_PARTS_HPP

// Timestamps of a table as numbers that a model can use: year, month, weekday, hour, and where they are in their cycle.

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/table.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

inline constexpr std::array<std::string_view, 8> calendar_parts{"_year", "_month", "_day", "_weekday", "_hour", "_is_weekend", "_yearday", "_days"};
inline constexpr std::array<std::string_view, 6> cyclic_parts{"_month_sin", "_month_cos", "_weekday_sin", "_weekday_cos", "_hour_sin", "_hour_cos"};

using time_parts = std::array<double, calendar_parts.size() + cyclic_parts.size()>;

// All of them, in this order: months, days and days of the year from 1, weekdays 1 (Monday) .. 7, UTC.
template <class Time>
time_parts date_parts_of(Time when, std::chrono::sys_seconds reference) {
    using namespace std::chrono;
    const auto day = floor<days>(when);
    const year_month_day date(day);
    const auto month = static_cast<double>(static_cast<unsigned>(date.month())), weekday_number = static_cast<double>(weekday(day).iso_encoding());
    const double hour = static_cast<double>((when - day).count()) / 3600;
    const auto angle = [](double x, double cycle) { return 2 * std::numbers::pi * x / cycle; };
    const double of_year = angle(month - 1, 12), of_week = angle(weekday_number - 1, 7), of_day = angle(hour, 24);
    return {static_cast<double>(static_cast<int>(date.year())),
            month,
            static_cast<double>(static_cast<unsigned>(date.day())),
            weekday_number,
            std::floor(hour),
            weekday_number >= 6 ? 1.0 : 0.0,
            static_cast<double>((day - sys_days(date.year() / January / 1)).count() + 1),
            static_cast<double>((when - reference).count()) / 86400,
            std::sin(of_year),
            std::cos(of_year),
            std::sin(of_week),
            std::cos(of_week),
            std::sin(of_day),
            std::cos(of_day)};
}

}  // namespace detail

/// Each timestamp column x as the number columns x_year, x_month (1 .. 12), x_day (1 .. 31), x_weekday (1 = Monday .. 7), x_hour
/// (0 .. 23), x_is_weekend (0, 1), x_yearday (1 .. 366) and x_days (since the reference, with fractions), in UTC; with `cyclic`
/// also x_month_sin, x_month_cos, x_weekday_sin, x_weekday_cos, x_hour_sin, x_hour_cos, so that December is near January and
/// 23:59 near 0:00. Other columns as they are; missing stays missing.
class date_parts_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "date_parts";  // in saved files: never changes

    /// One name a column; `is_time` says which are timestamps. Throws `error`: `bad_data`, `duplicate_column`.
    template <class = void>
    date_parts_model(std::vector<std::string> names, std::vector<bool> is_time, std::chrono::sys_seconds reference, bool cyclic)
        : names_(std::move(names)), is_time_(std::move(is_time)), reference_(reference), cyclic_(cyclic) {
        require(names_.size() == is_time_.size(), errc::bad_data, "date_parts: ", names_.size(), " names but ", is_time_.size(), " bits");
        detail::require_distinct(names_, "date_parts");
        require(reference_ >= earliest && reference_ < latest, errc::bad_data, "date_parts: the reference is outside the years 1 .. 9999");
        for (std::size_t c = 0; c < names_.size(); ++c) {
            if (!is_time_[c]) {
                out_names_.push_back(names_[c]);
                continue;
            }
            for (const auto& part : detail::calendar_parts) out_names_.push_back(names_[c] + std::string(part));
            for (const auto& part : detail::cyclic_parts)
                if (cyclic_) out_names_.push_back(names_[c] + std::string(part));
        }
        detail::require_distinct(out_names_, "date_parts");
    }

    /// (rows, columns) -> (rows, columns and parts). Throws `error`: `missing_column`, `wrong_column_type`; `bad_time` with the
    /// row of a time outside the years 1 .. 9999.
    template <class = void>
    [[nodiscard]] table operator()(const table& from) const {
        table out;
        std::size_t next = 0;
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const table_column& column = detail::find_column(from, names_[c], "date_parts");
            require_kind(column.type(), c);
            if (!is_time_[c]) {
                out.add_column(out_names_[next++], column);
                continue;
            }
            std::vector<std::vector<double>> parts(n_parts(), std::vector<double>(column.size()));
            const auto times = column.timestamps();
            for (std::size_t i = 0; i < times.size(); ++i) {
                if (column.missing(i)) continue;
                const auto numbers = parts_of(times[i], c, i + 1);
                for (std::size_t k = 0; k < parts.size(); ++k) parts[k][i] = numbers[k];
            }
            for (auto& part : parts) out.add_column(out_names_[next++], table_column(std::move(part), column.missing()));
        }
        return out;
    }
    template <class = void>
    [[nodiscard]] table_row operator()(const table_row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto cells = scratch.take<cell>(out_names_.size());
        std::size_t next = 0;
        for (std::size_t c = 0; c < names_.size(); ++c) {
            const cell& found = detail::find_cell(row, names_[c], c, "date_parts");
            require_kind(found.type, c);
            if (!is_time_[c]) {
                cells[next++] = found;
            } else if (found.missing) {
                for (std::size_t k = 0; k < n_parts(); ++k) cells[next++] = cell::of_missing(column_type::number);
            } else {
                const auto numbers = parts_of(found.when(), c, 1);
                for (std::size_t k = 0; k < n_parts(); ++k) cells[next++] = cell::of(numbers[k]);
            }
        }
        return {out_names_, cells};
    }

    template <class = void>
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return out_names_; }

    static constexpr std::array field_names{"names", "is_time", "reference", "cyclic"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_, is_time_, reference_, cyclic_); }

    /// Times from here on, and before there, have parts: the years 1 .. 9999.
    static constexpr std::chrono::sys_seconds earliest{std::chrono::sys_days(std::chrono::year(1) / 1 / 1)},
        latest{std::chrono::sys_days(std::chrono::year(10000) / 1 / 1)};

   private:
    [[nodiscard]] std::size_t n_parts() const { return detail::calendar_parts.size() + (cyclic_ ? detail::cyclic_parts.size() : 0); }
    template <class = void>
    void require_kind(column_type found, std::size_t c) const {
        require((found == column_type::timestamp) == is_time_[c], errc::wrong_column_type, "date_parts: column \"", names_[c], "\" is of type ", name_of(found),
                is_time_[c] ? ", learnt timestamp" : ", learnt another");
    }
    template <class = void>
    [[nodiscard]] detail::time_parts parts_of(std::chrono::sys_seconds when, std::size_t c, std::size_t row) const {
        require_at(when >= earliest && when < latest, errc::bad_time, {.row = row, .column = c + 1}, "date_parts: column \"", names_[c], "\" in row ", row,
                   " is outside the years 1 .. 9999");
        return detail::date_parts_of(when, reference_);
    }
    std::vector<std::string> names_;
    std::vector<bool> is_time_;
    std::chrono::sys_seconds reference_;
    bool cyclic_;
    std::vector<std::string> out_names_;
};

/// Recipe for `date_parts_model`: `date_parts{} | impute{} | encode<float>{} | ...`.
struct date_parts {
    using stage_concept = recipe_tag;
    bool cyclic = true;
    std::chrono::sys_seconds reference = {};  ///< x_days counts from here; default 1970-01-01

    /// Throws `error`: `empty_input`, `bad_parameter`; `duplicate_column` where the table has a column called as a part.
    template <class = void>
    [[nodiscard]] date_parts_model fit(const table& x, const fit_options&) const {
        require(x.rows() > 0, errc::empty_input, "date_parts: no rows to learn from");
        require(reference >= date_parts_model::earliest && reference < date_parts_model::latest, errc::bad_parameter,
                "date_parts: reference is outside the years 1 .. 9999");
        std::vector<bool> is_time;
        for (std::size_t c = 0; c < x.columns(); ++c) is_time.push_back(x.column(c).type() == column_type::timestamp);
        return {x.names(), std::move(is_time), reference, cyclic};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
