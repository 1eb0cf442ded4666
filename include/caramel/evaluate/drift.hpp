#ifndef CARAMEL_EVALUATE_DRIFT_HPP
#define CARAMEL_EVALUATE_DRIFT_HPP

// Do today's customers still look like those that the model learnt from? The population stability index, a column.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/data/table.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Shares of bins below this count as this in the index, so that an empty bin costs much but not infinity.
inline constexpr double smallest_drift_share = 1e-4;

/// The sum over bins of (actual - expected) * ln(actual / expected), where shares below 0.0001 count as that. By the rule of
/// thumb below 0.1 nothing much has changed, above 0.25 it has (Siddiqi, Credit Risk Scorecards, 2006). Symmetric, at least 0.
/// Throws `error`: `shape_mismatch`; `empty_input`; `bad_data` with the bin (as the row) of a share that is not within 0 .. 1.
template <class = void>
[[nodiscard]] inline double population_stability_index(std::span<const double> expected, std::span<const double> actual) {
    constexpr std::string_view who = "population_stability_index";
    require(expected.size() == actual.size(), errc::shape_mismatch, who, ": ", expected.size(), " bins expected but ", actual.size(), " given");
    require(!expected.empty(), errc::empty_input, who, ": no bins");
    double sum = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const bool shares = expected[i] >= 0 && expected[i] <= 1 + 1e-9 && actual[i] >= 0 && actual[i] <= 1 + 1e-9;
        require_at(shares, errc::bad_data, {.row = i + 1}, who, ": a share of bin ", i + 1, " is not within 0 .. 1");
        const double e = std::max(expected[i], smallest_drift_share), a = std::max(actual[i], smallest_drift_share);
        sum += (a - e) * std::log(a / e);
    }
    return sum;
}

/// What the columns of a table looked like: shares of bins, to be saved beside a model. Made by `drift_reference_of`.
class drift_reference {
   public:
    static constexpr std::string_view kind = "drift_reference";  // in saved files: never changes

    /// A name and type a column; the cuts between bins of numbers (none for texts), rising; the levels of texts (from
    /// `level_starts`, none for numbers), distinct; and the shares of the rows: of each bin or level, of other levels (texts
    /// only; these are new later on), of missing values. Throws `error` (`bad_data`) on fields that do not belong together.
    template <class = void>
    drift_reference(std::vector<std::string> names, std::vector<column_type> types, ragged<double> cuts, std::vector<std::string> levels,
                    std::vector<std::int64_t> level_starts, ragged<double> shares)
        : names_(std::move(names)),
          types_(std::move(types)),
          cuts_(std::move(cuts)),
          levels_(std::move(levels)),
          level_starts_(std::move(level_starts)),
          shares_(std::move(shares)) {
        const std::size_t n = names_.size();
        bool good = types_.size() == n && cuts_.size() == n && shares_.size() == n && level_starts_.size() == n + 1 && level_starts_.front() == 0 &&
                    std::is_sorted(level_starts_.begin(), level_starts_.end()) && std::cmp_equal(level_starts_.back(), levels_.size());
        for (std::size_t c = 0; good && c < n; ++c) {
            const auto cuts_here = cuts_[c];
            const std::size_t texts = level_count(c);
            const bool known = types_[c] == column_type::number || types_[c] == column_type::integer || types_[c] == column_type::category ||
                               types_[c] == column_type::timestamp;
            good = known && (is_text(c) ? cuts_here.empty() && shares_[c].size() == texts + 2 : texts == 0 && shares_[c].size() == cuts_here.size() + 2);
            for (std::size_t i = 0; good && i < cuts_here.size(); ++i) good = std::isfinite(cuts_here[i]) && (i == 0 || cuts_here[i - 1] < cuts_here[i]);
            for (const double share : shares_[c]) good = good && share >= 0 && share <= 1 + 1e-9;
            good = good &&
                   std::find(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(c), names_[c]) == names_.begin() + static_cast<std::ptrdiff_t>(c);
            good = good && numbers_of_levels(c).size() == texts;
        }
        require(good, errc::bad_data, kind, ": the fields do not belong together");
    }

    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
    [[nodiscard]] std::size_t columns() const noexcept { return names_.size(); }
    /// The shares of column c, as in the constructor. Not checked: c is below `columns()`.
    [[nodiscard]] std::span<const double> shares(std::size_t c) const noexcept { return shares_[c]; }
    /// The shares of the bins of column c among the cells of `column`: what is compared.
    /// Throws `error` (`wrong_column_type`) on a column of another type; numbers and integers may stand for each other.
    template <class = void>
    [[nodiscard]] std::vector<double> shares_of(std::size_t c, const table_column& column) const {
        const auto number = [](column_type type) { return type == column_type::number || type == column_type::integer; };
        require(column.type() == types_[c] || (number(column.type()) && number(types_[c])), errc::wrong_column_type, "drift: column \"", names_[c],
                "\" is of type ", name_of(column.type()), ", learnt ", name_of(types_[c]));
        std::vector<double> out(shares_[c].size());
        const std::size_t rows = column.size();
        if (is_text(c)) {
            const auto known = numbers_of_levels(c);
            const category_view cells = column.categories();
            std::vector<std::size_t> bins(cells.levels.size(), level_count(c));  // of each level of the new column
            for (std::size_t l = 0; l < bins.size(); ++l)
                if (const auto found = known.find(cells.levels[l]); found != known.end()) bins[l] = found->second;
            for (std::size_t i = 0; i < rows; ++i) ++out[cells.codes[i] < 0 ? out.size() - 1 : bins[static_cast<std::size_t>(cells.codes[i])]];
        } else {
            const auto cuts = cuts_[c];
            for (std::size_t i = 0; i < rows; ++i)
                ++out[column.missing(i) ? out.size() - 1
                                        : static_cast<std::size_t>(std::upper_bound(cuts.begin(), cuts.end(), value_of(column, i)) - cuts.begin())];
        }
        for (double& share : out) share /= static_cast<double>(std::max<std::size_t>(rows, 1));
        return out;
    }
    /// A cell of a column that is not text as a number: seconds of a timestamp.
    template <class = void>
    [[nodiscard]] static double value_of(const table_column& column, std::size_t i) {
        if (column.type() == column_type::number) return column.numbers()[i];
        if (column.type() == column_type::integer) return static_cast<double>(column.integers()[i]);
        return static_cast<double>(column.timestamps()[i].time_since_epoch().count());
    }

    static constexpr std::array field_names{"names", "types", "cuts", "levels", "level_starts", "shares"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(names_, types_, cuts_, levels_, level_starts_, shares_); }

   private:
    [[nodiscard]] bool is_text(std::size_t c) const noexcept { return types_[c] == column_type::category; }
    [[nodiscard]] std::size_t level_count(std::size_t c) const noexcept { return static_cast<std::size_t>(level_starts_[c + 1] - level_starts_[c]); }
    template <class = void>
    [[nodiscard]] std::map<std::string_view, std::size_t> numbers_of_levels(std::size_t c) const {
        std::map<std::string_view, std::size_t> out;
        for (std::size_t l = 0; l < level_count(c); ++l) out.emplace(levels_[static_cast<std::size_t>(level_starts_[c]) + l], l);
        return out;
    }
    std::vector<std::string> names_;
    std::vector<column_type> types_;
    ragged<double> cuts_;
    std::vector<std::string> levels_;
    std::vector<std::int64_t> level_starts_;
    ragged<double> shares_;
};

/// Learns what the columns of a training table look like: numbers and times in up to `bins` bins of about equal numbers of
/// rows (each value its own where there are no more values than bins), texts by level; missing values in a bin of their own.
/// Rows of equal value are never parted. Save the result, and ask `drift` about later tables.
/// Throws `error`: `empty_input`; `bad_parameter` unless there are 2 .. 1000 bins.
template <class = void>
[[nodiscard]] inline drift_reference drift_reference_of(const table& training, std::size_t bins = 10) {
    require(training.rows() > 0, errc::empty_input, "drift_reference_of: no rows to learn from");
    require(bins >= 2 && bins <= 1000, errc::bad_parameter, "drift_reference_of: bins = ", bins, ", must lie in 2 .. 1000");
    std::vector<column_type> types;
    ragged<double> cuts, shares, no_shares;
    std::vector<std::string> levels;
    std::vector<std::int64_t> level_starts{0};
    for (std::size_t c = 0; c < training.columns(); ++c) {
        const table_column& column = training.column(c);
        types.push_back(column.type());
        if (column.type() == column_type::category) {
            const category_view cells = column.categories();
            std::vector<bool> seen(cells.levels.size());
            for (const std::int32_t code : cells.codes)
                if (code >= 0) seen[static_cast<std::size_t>(code)] = true;
            for (std::size_t l = 0; l < seen.size(); ++l)
                if (seen[l]) levels.push_back(cells.levels[l]);
            std::sort(levels.begin() + static_cast<std::ptrdiff_t>(level_starts.back()), levels.end());
        } else {
            std::vector<double> values;
            for (std::size_t i = 0; i < column.size(); ++i)
                if (!column.missing(i)) values.push_back(drift_reference::value_of(column, i));
            std::sort(values.begin(), values.end());
            std::vector<double> distinct = values;
            distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
            std::vector<double> here;  // a value at a cut is above it
            if (distinct.size() <= bins && !distinct.empty()) here.assign(distinct.begin() + 1, distinct.end());
            for (std::size_t b = 1; b < bins && distinct.size() > bins; ++b) {
                const double cut = values[b * values.size() / bins];
                if (cut > values.front() && (here.empty() || cut > here.back())) here.push_back(cut);
            }
            for (const double cut : here) cuts.push_back(cut);
        }
        cuts.close_row();
        level_starts.push_back(static_cast<std::int64_t>(levels.size()));
        // Shares are counted by what will count those of later tables.
        const auto bins_here = column.type() == column_type::category ? static_cast<std::size_t>(level_starts[c + 1] - level_starts[c]) : cuts[c].size();
        no_shares.append_row(std::vector<double>(bins_here + 2));
    }
    const drift_reference counter(training.names(), types, cuts, levels, level_starts, no_shares);
    for (std::size_t c = 0; c < training.columns(); ++c) shares.append_row(counter.shares_of(c, training.column(c)));
    return {training.names(), std::move(types), std::move(cuts), std::move(levels), std::move(level_starts), std::move(shares)};
}

/// How one column has changed.
struct column_drift {
    std::string name;
    double index = 0;           ///< population stability index
    double missing_before = 0;  ///< share of missing values then
    double missing_now = 0;
    double unknown_now = 0;  ///< share of texts that training did not have

    friend bool operator==(const column_drift&, const column_drift&) = default;
};

/// The population stability index of each column that was learnt, in their order. Other columns of `now` do not matter.
/// Throws `error`: `empty_input`; `missing_column`; `wrong_column_type`.
template <class = void>
[[nodiscard]] inline std::vector<column_drift> drift(const drift_reference& before, const table& now) {
    require(now.rows() > 0, errc::empty_input, "drift: no rows to compare");
    std::vector<column_drift> out;
    for (std::size_t c = 0; c < before.columns(); ++c) {
        const table_column& column = now.column(before.names()[c]);
        const auto shares = before.shares_of(c, column);
        column_drift one{.name = before.names()[c], .index = population_stability_index(before.shares(c), shares)};
        one.missing_before = before.shares(c).back();
        one.missing_now = shares.back();
        if (column.type() == column_type::category) one.unknown_now = shares[shares.size() - 2];
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
