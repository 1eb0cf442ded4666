#ifndef CARAMEL_POLICY_DISCRETIZE_HPP
#define CARAMEL_POLICY_DISCRETIZE_HPP

// From numbers to the cells of an axis, and averages by cell.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Where axes are cut: finite and ascending.
template <class Cuts>
bool are_cuts(const Cuts& cuts) noexcept {
    bool fine = true;
    for (std::size_t i = 0; i < cuts.size(); ++i) fine = fine && std::isfinite(cuts[i]) && (i == 0 || cuts[i - 1] < cuts[i]);
    return fine;
}

}  // namespace detail

/// The cell of a number on an axis that is cut at ascending places: cell i holds what is above cut i - 1, up to and with
/// cut i. There is one cell more than cuts.
template <std::floating_point X>
[[nodiscard]] std::size_t cell_of(std::span<const double> cuts, X x) noexcept {
    std::size_t cell = 0;
    while (cell < cuts.size() && x > cuts[cell]) ++cell;
    return cell;
}

/// Cuts into `cells` cells that hold about equally many of the values. Each cut is one of the values; where values repeat
/// there are fewer, and none where all are equal.
/// Throws `error`: `empty_input`; `bad_parameter` (no cells); `nan_or_inf` with the value's row.
template <class Values = std::vector<double>>
[[nodiscard]] std::vector<double> quantile_cuts(const Values& values, std::size_t cells) {
    require(cells > 0, errc::bad_parameter, "quantile_cuts: cells must be at least 1");
    std::vector<double> sorted(values.begin(), values.end());
    require(!sorted.empty(), errc::empty_input, "quantile_cuts: no values to learn from");
    for (std::size_t i = 0; i < sorted.size(); ++i)
        require_at(std::isfinite(sorted[i]), errc::nan_or_inf, {.row = i + 1}, "quantile_cuts: value ", i + 1, " is not finite");
    std::sort(sorted.begin(), sorted.end());
    std::vector<double> cuts;
    for (std::size_t k = 1; k < cells; ++k) {
        const auto share = static_cast<double>(k) / static_cast<double>(cells) * static_cast<double>(sorted.size());
        const double cut = sorted[static_cast<std::size_t>(std::max(std::ceil(share - 1e-9), 1.0)) - 1];
        if (cut < sorted.back() && (cuts.empty() || cuts.back() < cut)) cuts.push_back(cut);
    }
    return cuts;
}

/// How to cut by a target.
struct target_cuts_options {
    std::size_t max_cells = 5;
    std::size_t min_rows = 20;  ///< in every cell, at least 1
};

/// Cuts into cells in which a target differs most: each cut is where it lowers the squared errors of the cells' means most, as long
/// as that is more than chance would give (by the Bayesian information criterion, Schwarz, Annals of Statistics 6, 1978, a cut counts
/// as two parameters). The target is a number: money, or 1 and 0 for what happened or not. Each cut is one of the values; there are
/// none where the values tell nothing. What follows learns from the target, too: judge it by rows that it has not seen.
/// Throws `error`: `empty_input`; `bad_parameter`; `shape_mismatch` (as many targets as values); `nan_or_inf` with the row.
template <class Values = std::vector<double>, class Targets = std::vector<double>>
[[nodiscard]] std::vector<double> target_cuts(const Values& values, const Targets& targets, const target_cuts_options& how = {}) {
    constexpr std::string_view who = "target_cuts";
    require(how.max_cells > 0, errc::bad_parameter, who, ": max_cells must be at least 1");
    require(how.min_rows > 0, errc::bad_parameter, who, ": min_rows must be at least 1");
    const auto n = static_cast<std::size_t>(values.size());
    require(n > 0, errc::empty_input, who, ": no values to learn from");
    require(static_cast<std::size_t>(targets.size()) == n, errc::shape_mismatch, who, ": ", n, " values but ", targets.size(), " targets");
    struct seen {
        double value, target;
    };
    std::vector<seen> rows;
    rows.reserve(n);
    auto target = targets.begin();
    double mean = 0, most = 0;
    for (const auto value : values) {
        rows.push_back({static_cast<double>(value), static_cast<double>(*target++)});
        require_at(std::isfinite(rows.back().value) && std::isfinite(rows.back().target), errc::nan_or_inf, {.row = rows.size()}, who, ": value or target ",
                   rows.size(), " is not finite");
        most = std::max(most, std::abs(rows.back().target));
    }
    for (seen& r : rows) mean += (r.target = most > 0 ? r.target / most : 0) / static_cast<double>(n);  // so that squares are finite
    std::sort(rows.begin(), rows.end(), [](const seen& a, const seen& b) { return a.value != b.value ? a.value < b.value : a.target < b.target; });
    std::vector<double> sums(n + 1, 0.0);
    double errors = 0;
    for (std::size_t i = 0; i < n; ++i) {
        sums[i + 1] = sums[i] + (rows[i].target - mean);
        errors += (rows[i].target - mean) * (rows[i].target - mean);
    }
    const double nothing = errors * 1e-12;

    struct split {
        std::size_t begin, end, at;
        double gain;
    };
    const auto best_split = [&](std::size_t begin, std::size_t end) {
        split out{begin, end, begin, 0};
        const auto square = [&](std::size_t from, std::size_t to) {
            return (sums[to] - sums[from]) * (sums[to] - sums[from]) / static_cast<double>(to - from);
        };
        for (std::size_t i = begin + how.min_rows; i + how.min_rows <= end; ++i) {
            if (!(rows[i - 1].value < rows[i].value)) continue;
            const double gain = square(begin, i) + square(i, end) - square(begin, end);
            if (gain > out.gain + nothing) {
                out.at = i;
                out.gain = gain;
            }
        }
        return out;
    };
    std::vector<split> open{best_split(0, n)};
    std::vector<double> cuts;
    while (cuts.size() + 1 < how.max_cells) {
        const auto best = std::max_element(open.begin(), open.end(), [](const split& a, const split& b) { return a.gain < b.gain; });
        const auto [begin, end, at, gain] = *best;
        const auto count = static_cast<double>(n);
        if (gain <= nothing || (errors - gain > nothing && count * std::log(errors / (errors - gain)) <= 2 * std::log(count))) break;
        errors = std::max(0.0, errors - gain);
        cuts.push_back(rows[at - 1].value);
        *best = best_split(begin, at);
        open.push_back(best_split(at, end));
    }
    std::sort(cuts.begin(), cuts.end());
    return cuts;
}

/// The mean of what was seen in each cell of N axes, drawn towards that of the cells which share all axes but the last,
/// theirs towards that of those which share all but the last two, and so on to `prior`: cells with few observations, or
/// none, follow their likes. The most telling axis comes first.
template <std::size_t N>
class cell_means {
   public:
    /// `strength`: as how many observations the likes of a cell count, at each level.
    /// Throws `error` (`bad_parameter`, `limit_exceeded`).
    cell_means(const std::array<std::size_t, N>& shape, double prior, double strength) : shape_(shape), prior_(prior), strength_(strength) {
        (void)detail::count_states(shape, 1, "cell_means");
        require(std::isfinite(prior), errc::bad_parameter, "cell_means: prior is not finite");
        require(strength > 0 && std::isfinite(strength), errc::bad_parameter, "cell_means: strength must be positive, got ", strength);
        std::size_t cells = 1;
        for (std::size_t level = 0; level <= N; ++level) {
            levels_[level].resize(cells);
            if (level < N) cells *= shape_[level];
        }
    }

    /// Throws `error`: `unknown_id` (outside the shape), `nan_or_inf`.
    void add(const std::array<std::size_t, N>& cell, double value) {
        (void)detail::checked_state(shape_, cell, "cell_means");
        require(std::isfinite(value), errc::nan_or_inf, "cell_means: the value is not finite");
        for_levels(cell, [&](std::size_t level, std::size_t i) {
            auto& [count, sum] = levels_[level][i];
            count += 1;
            sum += value;
        });
    }
    /// Throws `error` (`unknown_id`).
    [[nodiscard]] double operator()(const std::array<std::size_t, N>& cell) const {
        (void)detail::checked_state(shape_, cell, "cell_means");
        double mean = prior_;
        for_levels(cell, [&](std::size_t level, std::size_t i) {
            const auto& [count, sum] = levels_[level][i];
            mean = (sum + strength_ * mean) / (count + strength_);
        });
        return mean;
    }
    /// How many observations a cell itself has.
    [[nodiscard]] std::size_t count(const std::array<std::size_t, N>& cell) const {
        return static_cast<std::size_t>(levels_[N][detail::checked_state(shape_, cell, "cell_means")].count);
    }

   private:
    struct total {
        double count = 0, sum = 0;
    };
    // Level 0 is everything, level N the cell itself.
    template <class Work>
    void for_levels(const std::array<std::size_t, N>& cell, const Work& work) const {
        std::size_t i = 0;
        for (std::size_t level = 0; level <= N; ++level) {
            work(level, i);
            if (level < N) i = i * shape_[level] + cell[level];
        }
    }

    std::array<std::size_t, N> shape_;
    double prior_, strength_;
    std::array<std::vector<total>, N + 1> levels_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
