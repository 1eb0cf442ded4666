#ifndef CARAMEL_POLICY_MDP_HORIZON_HPP
#define CARAMEL_POLICY_MDP_HORIZON_HPP

// Decision processes that last a given number of periods: a season, a year of months.

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/policy/mdp_process.hpp>
#include <caramel/policy/mdp_solve.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How long a process lasts, and what is left at the end.
struct horizon_options {
    std::size_t periods = 12;               ///< decisions, at least 1
    double discount = 1;                    ///< from one period to the next, in [0, 1]
    std::vector<double> final_values = {};  ///< by state: what being there after the last period is worth (empty: nothing; not looked at for ends)
    double ties = 1e-9;                     ///< among actions within this of the best one the lowest is taken
};

/// The optimum over a horizon.
struct horizon_solution {
    matrix<double> v;                              ///< (periods + 1, states): the value of each state before each period, and after the last
    std::vector<std::vector<std::size_t>> policy;  ///< by period, then by state; `no_action` at ends
};

namespace detail::exact {

template <std::same_as<mdp> Process>
matrix<double> values_at_the_end(const Process& process, const horizon_options& how, std::string_view who) {
    require(how.periods > 0, errc::bad_parameter, who, ": periods must be at least 1");
    require(how.discount >= 0 && how.discount <= 1, errc::bad_parameter, who, ": discount must lie in [0, 1], got ", how.discount);
    require(how.ties >= 0 && std::isfinite(how.ties), errc::bad_parameter, who, ": ties must be finite and not negative, got ", how.ties);
    require(how.periods < static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(double) / process.states() - 1, errc::limit_exceeded, who,
            ": periods times states overflow");
    require(how.final_values.empty() || how.final_values.size() == process.states(), errc::shape_mismatch, who, ": ", how.final_values.size(),
            " final values for ", process.states(), " states");
    const auto last = static_cast<row_index>(how.periods);
    matrix<double> v = matrix<double>::Zero(last + 1, static_cast<row_index>(process.states()));
    for (std::size_t s = 0; s < how.final_values.size(); ++s) {
        require_at(std::isfinite(how.final_values[s]), errc::nan_or_inf, {.row = s + 1}, who, ": the final value of state ", s, " (from 0) is not finite");
        if (!process.allowed(s).empty()) v(last, static_cast<row_index>(s)) = how.final_values[s];
    }
    return v;
}
template <class = void>
inline void require_finite_period(const matrix<double>& v, row_index t, std::string_view who) {
    require(v.row(t).allFinite(), errc::diverged, who, ": the values left the finite numbers in period ", t + 1, ": lower the rewards");
}
// `share_of(period)` is a vector of the probability of each pair.
template <std::same_as<mdp> Process, class ShareOf>
matrix<double> values_over(const Process& process, const ShareOf& share_of, const horizon_options& how, std::string_view who) {
    auto v = values_at_the_end(process, how, who);
    const auto pairs = backups_of(process, how.discount);
    for (row_index t = v.rows() - 1; t-- > 0;) {
        const std::vector<double>& share = share_of(static_cast<std::size_t>(t));
        for (std::size_t s = 0; s < process.states(); ++s)
            for (std::size_t p = process.pair_starts()[s]; p < process.pair_starts()[s + 1]; ++p)
                if (share[p] > 0) v(t, static_cast<row_index>(s)) += share[p] * pairs.value(p, v.row(t + 1).data());
        require_finite_period(v, t, who);
    }
    return v;
}

}  // namespace detail::exact

/// The optimum by backward induction from the last period (Bellman, 1957).
/// Throws `error`: `bad_parameter`; `limit_exceeded`; `shape_mismatch` and `nan_or_inf` (with row = state, from 1) for the final
/// values; `diverged` (rewards whose sum is not finite).
template <std::same_as<mdp> Process>
[[nodiscard]] horizon_solution backward_induction(const Process& process, const horizon_options& how = {}) {
    constexpr std::string_view who = "backward_induction";
    horizon_solution out{.v = detail::exact::values_at_the_end(process, how, who),
                         .policy = std::vector(how.periods, std::vector(process.states(), no_action))};
    const auto pairs = detail::exact::backups_of(process, how.discount);
    for (std::size_t t = how.periods; t-- > 0;) {
        const auto row = static_cast<row_index>(t);
        const double* const later = out.v.row(row + 1).data();
        for (std::size_t s = 0; s < process.states(); ++s) {
            const auto begin = process.pair_starts()[s], end = process.pair_starts()[s + 1];
            if (begin == end) continue;
            double best = pairs.value(begin, later);
            for (std::size_t p = begin + 1; p < end; ++p)
                if (const double x = pairs.value(p, later); x > best) best = x;
            out.v(row, static_cast<row_index>(s)) = best;
            for (std::size_t p = begin; p < end && out.policy[t][s] == no_action; ++p)
                if (pairs.value(p, later) >= best - how.ties) out.policy[t][s] = process.pair_actions()[p];
        }
        detail::exact::require_finite_period(out.v, row, who);
    }
    return out;
}

/// The values of the states over a horizon, (periods + 1, states) as in `horizon_solution`, under a policy that is the same in
/// every period: one action a state.
/// Throws `error` as `backward_induction` and, for the policy, as `evaluate_policy`.
template <std::same_as<mdp> Process>
[[nodiscard]] matrix<double> evaluate_horizon(const Process& process, std::span<const std::size_t> policy, const horizon_options& how = {}) {
    const auto share = detail::exact::shares_of_policy(process, policy, "evaluate_horizon");
    return detail::exact::values_over(
        process, [&](std::size_t) -> const std::vector<double>& { return share; }, how, "evaluate_horizon");
}
/// The same for a probability of each action, (states, actions).
template <std::same_as<mdp> Process>
[[nodiscard]] matrix<double> evaluate_horizon(const Process& process, const matrix<double>& policy, const horizon_options& how = {}) {
    const auto share = detail::exact::shares_of_policy(process, policy, "evaluate_horizon");
    return detail::exact::values_over(
        process, [&](std::size_t) -> const std::vector<double>& { return share; }, how, "evaluate_horizon");
}
/// The same for one action a state in each period. Throws `error` also: `shape_mismatch` (as many policies as periods).
template <std::same_as<mdp> Process>
[[nodiscard]] matrix<double> evaluate_horizon(const Process& process, const std::vector<std::vector<std::size_t>>& policy, const horizon_options& how = {}) {
    require(policy.size() == how.periods, errc::shape_mismatch, "evaluate_horizon: policies for ", policy.size(), " periods of ", how.periods);
    std::vector<double> share;
    return detail::exact::values_over(
        process, [&](std::size_t t) -> const std::vector<double>& { return share = detail::exact::shares_of_policy(process, policy[t], "evaluate_horizon"); },
        how, "evaluate_horizon");
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
