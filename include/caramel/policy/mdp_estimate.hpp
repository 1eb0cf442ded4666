#ifndef CARAMEL_POLICY_MDP_ESTIMATE_HPP
#define CARAMEL_POLICY_MDP_ESTIMATE_HPP

// Decision processes estimated from a log.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/policy/mdp_process.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How to estimate a process from a log.
struct estimate_options {
    /// What an action is worth that was never taken in a state where others were; empty: it is not allowed there.
    std::optional<double> untried = {};
};

/// A process estimated from a log, and how often each action was taken in each state, (states, actions).
struct mdp_estimate {
    mdp process;
    tensor<std::uint64_t, 2> counts;
};

/// The process of maximum likelihood: shares of what followed, and mean rewards of each (state, action, next state).
/// States in which nothing was ever done are ends, worth 0. The first states of a simulation are drawn like those of
/// the log. Cells are numbered as by `state_number(shape, ...)`.
/// Throws `error`: `empty_input`; `bad_parameter`; `unknown_id` and `nan_or_inf` with the row of the log and the column
/// (of N state axes, the action, the reward, N axes of the next state) of a bad entry.
template <std::size_t N>
[[nodiscard]] mdp_estimate estimate_mdp(std::span<const transition<N>> log, const std::array<std::size_t, N>& shape, std::size_t actions, const estimate_options& how = {}) {
    constexpr std::string_view who = "estimate_mdp";
    const std::size_t states = detail::count_states(shape, actions, who);
    require(!how.untried || std::isfinite(*how.untried), errc::bad_parameter, who, ": untried is not finite");
    require(!log.empty(), errc::empty_input, who, ": no transitions to learn from");
    std::vector<detail::flat_step> steps;
    steps.reserve(log.size());
    for (std::size_t i = 0; i < log.size(); ++i) steps.push_back(detail::checked_step(log[i], shape, actions, who, i + 1));

    auto counts = make_tensor<std::uint64_t, 2>({states, actions});
    std::vector<double> initial(states, 0.0);
    const double one = 1 / static_cast<double>(steps.size());
    for (const auto& s : steps) {
        ++counts(s.state, s.action);
        initial[s.state] += 1;
    }
    for (double& x : initial) x *= one;

    // Equal branches side by side; the order of the log within them, so that sums have one order.
    std::ranges::stable_sort(steps, {}, [](const detail::flat_step& s) { return std::tuple(s.state, s.action, s.next, s.terminal); });
    std::vector<mdp_row> rows;
    for (std::size_t i = 0; i < steps.size();) {
        const auto& first = steps[i];
        double n = 0, sum = 0;
        const double scale = 1 / static_cast<double>(counts(first.state, first.action));
        for (; i < steps.size() && std::tie(steps[i].state, steps[i].action, steps[i].next, steps[i].terminal) == std::tie(first.state, first.action, first.next, first.terminal); ++i) {
            n += 1;
            sum += (steps[i].reward - sum) / n;  // a running mean cannot overflow
        }
        rows.push_back({.state = first.state, .action = first.action, .probability = n * scale, .next_state = first.next, .reward = sum, .terminal = first.terminal});
    }
    if (how.untried)
        for (std::size_t s = 0; s < states; ++s)
            for (std::size_t a = 0; a < actions; ++a)
                if (initial[s] > 0 && counts(s, a) == 0) rows.push_back({.state = s, .action = a, .next_state = s, .reward = *how.untried, .terminal = true});
    return {.process = mdp(states, actions, rows, initial), .counts = std::move(counts)};
}
/// The same for a vector.
template <std::size_t N>
[[nodiscard]] mdp_estimate estimate_mdp(const std::vector<transition<N>>& log, const std::array<std::size_t, N>& shape, std::size_t actions, const estimate_options& how = {}) {
    return estimate_mdp(std::span<const transition<N>>(log), shape, actions, how);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
