#ifndef CARAMEL_EVALUATE_GAINS_HPP
#define CARAMEL_EVALUATE_GAINS_HPP

// Whom to contact, and from which score on: gain tables, profits, thresholds by cost. Errors are those of classification.hpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/evaluate/classification.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One line of a gain table: rows of alike scores, the highest first.
struct gain_row {
    std::size_t rows = 0, positives = 0;
    double rate = 0;                                            ///< positives / rows
    double lift = 0;                                            ///< rate / that of all rows
    double highest = 0, lowest = 0;                             ///< score
    std::size_t cumulative_rows = 0, cumulative_positives = 0;  ///< down to and with this line
    double captured = 0;                                        ///< of all positives, the share down to this line: cumulative gain
    double cumulative_lift = 0;                                 ///< captured / share of the rows

    friend bool operator==(const gain_row&, const gain_row&) = default;
};

/// Deciles (or `bins`) by falling score, of numbers of rows that differ by one at most, ties in the order of the rows; fewer
/// lines where there are fewer rows. Needs both classes.
/// Throws `error` (`bad_parameter`) unless there are 1 .. 1,000,000 bins.
template <class = void>
[[nodiscard]] inline std::vector<gain_row> gain_table(const scores_in& scores, const std::vector<int>& labels, std::size_t bins = 10) {
    const detail::judged_scores judged(scores, labels, "gain_table");
    require(bins >= 1 && bins <= 1'000'000, errc::bad_parameter, "gain_table: bins = ", bins, ", must lie in 1 .. 1000000");
    judged.require_both_classes("gain_table");
    const auto order = judged.ranking();
    const double overall = judged.positives() / judged.rows();
    std::vector<gain_row> out;
    std::size_t begin = 0, hits = 0;
    for (std::size_t bin = 1; bin <= bins; ++bin) {
        const std::size_t end = (bin * order.size() + bins - 1) / bins;
        if (end == begin) continue;
        gain_row line{.rows = end - begin, .highest = judged.score(order[begin]), .lowest = judged.score(order[end - 1]), .cumulative_rows = end};
        for (std::size_t i = begin; i < end; ++i) line.positives += static_cast<std::size_t>(judged.label(order[i]));
        hits += line.positives;
        line.rate = static_cast<double>(line.positives) / static_cast<double>(line.rows);
        line.lift = line.rate / overall;
        line.cumulative_positives = hits;
        line.captured = static_cast<double>(hits) / judged.positives();
        line.cumulative_lift = static_cast<double>(hits) / static_cast<double>(end) / overall;
        out.push_back(line);
        begin = end;
    }
    return out;
}

/// What a campaign costs and brings, in any currency.
struct contact_value {
    double benefit = 1;  ///< of a contacted row of class 1
    double cost = 0;     ///< of each contact
};

/// The campaign that contacts the rows with the highest scores.
struct profit_point {
    std::size_t rows = 0;                                     ///< contacted
    double share = 0;                                         ///< of all rows
    double profit = 0;                                        ///< benefit * rows of class 1 among them - cost * rows
    double cutoff = std::numeric_limits<double>::infinity();  ///< the lowest score contacted; infinity where nobody is

    friend bool operator==(const profit_point&, const profit_point&) = default;
};

namespace detail {

// Calls `step(rows, positives, lowest score)` for nobody and after each row by falling score.
template <class Step>
void for_each_campaign(const judged_scores& judged, const contact_value& value, std::string_view who, const Step& step) {
    require(std::isfinite(value.benefit) && std::isfinite(value.cost), errc::bad_parameter, who, ": benefit and cost must be finite");
    const auto order = judged.ranking();
    std::size_t hits = 0;
    step(profit_point{}, true);
    for (std::size_t i = 0; i < order.size(); ++i) {
        hits += static_cast<std::size_t>(judged.label(order[i]));
        const double n = static_cast<double>(i + 1);
        const bool last_of_ties = i + 1 == order.size() || judged.score(order[i + 1]) != judged.score(order[i]);
        step(profit_point{i + 1, n / judged.rows(), value.benefit * static_cast<double>(hits) - value.cost * n, judged.score(order[i])}, last_of_ties);
    }
}

}  // namespace detail

/// The profit of contacting nobody, and the first 1/points, 2/points, ... of the rows, each rounded up to whole rows; fewer
/// points where there are fewer rows. Ties in the order of the rows.
/// Throws `error` (`bad_parameter`) unless there are 1 .. 1,000,000 points and the values are finite.
template <class = void>
[[nodiscard]] inline std::vector<profit_point> profit_curve(const scores_in& scores, const std::vector<int>& labels, const contact_value& value,
                                                            std::size_t points = 20) {
    const detail::judged_scores judged(scores, labels, "profit_curve");
    require(points >= 1 && points <= 1'000'000, errc::bad_parameter, "profit_curve: points = ", points, ", must lie in 1 .. 1000000");
    std::vector<profit_point> out;
    std::size_t next = 0;
    detail::for_each_campaign(judged, value, "profit_curve", [&](const profit_point& p, bool) {
        if (p.rows < (next * judged.size() + points - 1) / points) return;
        out.push_back(p);
        while (next <= points && (next * judged.size() + points - 1) / points <= p.rows) ++next;
    });
    return out;
}

/// The campaign "score at or above `cutoff`" of the largest profit on these rows, ties to the fewest contacts; nobody where no
/// contact pays. Throws as `profit_curve` does.
template <class = void>
[[nodiscard]] inline profit_point most_profitable(const scores_in& scores, const std::vector<int>& labels, const contact_value& value) {
    const detail::judged_scores judged(scores, labels, "most_profitable");
    profit_point best;
    detail::for_each_campaign(judged, value, "most_profitable", [&](const profit_point& p, bool last_of_ties) {
        if (last_of_ties && p.profit > best.profit) best = p;
    });
    return best;
}

/// What each kind of decision costs; negative numbers are gains.
struct decision_costs {
    double false_positive = 1, false_negative = 1, true_positive = 0, true_negative = 0;
};

/// A threshold and what it costs: see `threshold_by_cost`.
struct cost_threshold {
    double threshold = 0;  ///< decide for class 1 at or above it
    double cost = 0;       ///< mean a row, on the rows that it was chosen on
};

/// The threshold "score at or above" with the least mean cost on these rows, ties to the highest threshold (the fewest rows
/// decided for). It lies half-way between the two scores that it parts; just above the highest score where deciding for
/// nobody is best, and at the lowest where deciding for all is. Choose it on rows that the scores were not learnt from
/// (out-of-fold predictions), or it is too sure.
/// Throws `error` (`bad_parameter`) on costs that are not finite.
template <class = void>
[[nodiscard]] inline cost_threshold threshold_by_cost(const scores_in& scores, const std::vector<int>& labels, const decision_costs& costs,
                                                      std::span<const double> weights = {}) {
    const detail::judged_scores judged(scores, labels, "threshold_by_cost", weights);
    require(
        std::isfinite(costs.false_positive) && std::isfinite(costs.false_negative) && std::isfinite(costs.true_positive) && std::isfinite(costs.true_negative),
        errc::bad_parameter, "threshold_by_cost: the costs must be finite");
    const auto order = judged.ranking();
    const double top = judged.score(order.front());
    // What a row costs more when it is decided for.
    const double of_positive = costs.true_positive - costs.false_negative, of_negative = costs.false_positive - costs.true_negative;
    double cost = costs.false_negative * judged.positives() + costs.true_negative * judged.negatives();
    cost_threshold best{std::nextafter(top, std::numeric_limits<double>::infinity()), cost};
    for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
        for (end = begin; end < order.size() && judged.score(order[end]) == judged.score(order[begin]); ++end)
            cost += judged.weight(order[end]) * (judged.label(order[end]) == 1 ? of_positive : of_negative);
        const double here = judged.score(order[begin]);
        if (cost < best.cost - 1e-12 * std::abs(best.cost)) best = {end == order.size() ? here : here / 2 + judged.score(order[end]) / 2, cost};
    }
    best.cost /= judged.rows();
    return best;
}

/// The probability of class 1 from which on deciding for it costs less, where probabilities are calibrated (Elkan, IJCAI 2001):
/// no labels needed. Throws `error` (`bad_parameter`) unless a wrong decision costs more than the right one, for both classes.
[[nodiscard]] inline double break_even_probability(const decision_costs& costs) {
    const double negative = costs.false_positive - costs.true_negative, positive = costs.false_negative - costs.true_positive;
    require(std::isfinite(negative) && std::isfinite(positive) && negative > 0 && positive > 0, errc::bad_parameter,
            "break_even_probability: a wrong decision must cost more than the right one");
    return negative / (negative + positive);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
