#ifndef CARAMEL_POLICY_MARKOV_CHAIN_HPP
#define CARAMEL_POLICY_MARKOV_CHAIN_HPP

// Customers as Markov chains: what they are worth, where they will be, and where they are in the long run; and the same of a
// decision process under a policy, up to the best average reward a period.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/policy/mdp_process.hpp>
#include <caramel/policy/mdp_solve.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How to add up what a customer brings.
struct lifetime_options {
    double discount = 1 / 1.1;                ///< from one period to the next, in [0, 1]: 1 / (1 + rate of interest)
    std::optional<std::size_t> horizon = {};  ///< the last period that counts, from 0: the one now (empty: for ever)
};

/// The best average reward a period.
struct long_run_solution {
    double gain = 0;                      ///< the reward of a period in the long run
    vec<double> bias;                     ///< (states): what starting there adds in all, relative to the first state that can be reached
    std::vector<std::size_t> policy;      ///< an optimal policy; `no_action` at ends
    ragged<std::size_t> optimal_actions;  ///< by state, ascending: all that tie with the best
    std::size_t rounds = 0;               ///< sweeps
};

namespace detail::exact {

// Rows that sum to 1, square; as a chain with rewards.
template <std::same_as<double> T>
backups chain_of_matrix(const matrix_in<T>& transitions, double discount, std::span<const double> rewards, std::string_view who) {
    require(transitions.rows() > 0, errc::empty_input, who, ": no states");
    require(transitions.rows() == transitions.cols(), errc::shape_mismatch, who, ": transitions of ", transitions.rows(), " x ", transitions.cols(),
            ", they must be square");
    require(static_cast<std::uint64_t>(transitions.rows()) < std::numeric_limits<std::uint32_t>::max(), errc::limit_exceeded, who, ": ", transitions.rows(),
            " states");
    require_finite(transitions, who);
    backups out;
    for (row_index i = 0; i < transitions.rows(); ++i) {
        const auto s = static_cast<std::size_t>(i);
        out.open();
        if (!rewards.empty()) {
            out.reward.back() = rewards[s];
            out.any_reward.back() = static_cast<char>(rewards[s] != 0);
        }
        double sum = 0;
        for (row_index j = 0; j < transitions.cols(); ++j) {
            const double p = transitions(i, j);
            require_at(p >= 0, errc::bad_data, {.row = s + 1, .column = static_cast<std::uint64_t>(j) + 1}, who, ": the probability in row ", i + 1,
                       ", column ", j + 1, " is negative");
            sum += p;
            if (p == 0 || discount == 0) continue;
            out.next.push_back(static_cast<std::uint32_t>(j));
            out.weight.push_back(discount * p);
        }
        require_at(std::abs(sum - 1) <= 1e-9, errc::bad_data, {.row = s + 1}, who, ": the probabilities of state ", i, " (from 0) sum to ", sum, ", not 1");
        out.close();
    }
    return out;
}

// By state: the number of its strongly connected component (Tarjan, SIAM J. Comput. 1, 1972), without recursion; and by
// component, whether it is never left.
struct components {
    std::vector<std::uint32_t> of;
    std::vector<char> closed;
};
template <std::same_as<backups> Chain>
components components_of(const Chain& chain) {
    const std::size_t n = chain.size();
    std::vector<std::uint32_t> order(n, never), low(n, 0), stack, path;
    std::vector<std::size_t> at(n);
    components out{.of = std::vector<std::uint32_t>(n, never), .closed = {}};
    std::uint32_t count = 0;
    for (std::size_t root = 0; root < n; ++root) {
        if (order[root] != never) continue;
        path.push_back(static_cast<std::uint32_t>(root));
        while (!path.empty()) {
            const std::uint32_t s = path.back();
            if (order[s] == never) {
                order[s] = low[s] = count++;
                at[s] = chain.starts[s];
                stack.push_back(s);
            }
            bool down = false;
            for (; at[s] < chain.starts[s + std::size_t{1}]; ++at[s]) {
                const std::uint32_t to = chain.next[at[s]];
                if (order[to] == never) {
                    path.push_back(to);
                    down = true;
                    break;
                }
                if (out.of[to] == never) low[s] = std::min(low[s], low[to]);
            }
            if (down) continue;
            path.pop_back();
            if (low[s] != order[s]) continue;
            const auto number = static_cast<std::uint32_t>(out.closed.size());
            for (std::uint32_t member = never; member != s;) {
                member = stack.back();
                stack.pop_back();
                out.of[member] = number;
            }
            out.closed.push_back(1);
        }
    }
    for (std::size_t s = 0; s < n; ++s) {
        if (chain.may_end[s] != 0) out.closed[out.of[s]] = 0;
        for (std::size_t k = chain.starts[s]; k < chain.starts[s + 1]; ++k)
            if (out.of[chain.next[k]] != out.of[s]) out.closed[out.of[s]] = 0;
    }
    return out;
}

template <std::same_as<backups> Chain>
std::vector<char> reached_from(const Chain& chain, std::span<const double> initial) {
    std::vector<char> out(chain.size(), 0);
    std::vector<std::uint32_t> queue;
    const auto add = [&](std::size_t s) {
        if (out[s] != 0) return;
        out[s] = 1;
        queue.push_back(static_cast<std::uint32_t>(s));
    };
    for (std::size_t s = 0; s < initial.size(); ++s)
        if (initial[s] > 0) add(s);
    for (std::size_t i = 0; i < queue.size(); ++i)
        for (std::size_t k = chain.starts[queue[i]]; k < chain.starts[queue[i] + std::size_t{1}]; ++k) add(chain.next[k]);
    return out;
}

// The states of the one set that is never left, of what can be reached from the initial states.
template <std::same_as<backups> Chain>
std::vector<std::uint32_t> recurrent_states(const Chain& chain, std::span<const double> initial, std::string_view who) {
    const auto reached = reached_from(chain, initial);
    const auto parts = components_of(chain);
    std::uint32_t found = never;
    for (std::size_t s = 0; s < chain.size(); ++s) {
        if (reached[s] == 0) continue;
        require_at(chain.may_end[s] == 0, errc::bad_data, {.row = s + 1}, who, ": from state ", s, " (from 0) the process may end: there is no long run");
        if (parts.closed[parts.of[s]] == 0) continue;
        require_at(found == never || found == parts.of[s], errc::bad_data, {.row = s + 1}, who, ": state ", s,
                   " (from 0) lies in a second set of states that is never left: where the process ends up depends on chance");
        found = parts.of[s];
    }
    std::vector<std::uint32_t> out;
    for (std::size_t s = 0; s < chain.size(); ++s)
        if (parts.of[s] == found) out.push_back(static_cast<std::uint32_t>(s));
    return out;
}

// The share of the periods in each state. A chain without discount.
template <std::same_as<backups> Chain>
vec<double> stationary_of(const Chain& chain, std::span<const double> initial, const solve_options& how, std::string_view who) {
    using real = detail::real_of<Chain>;  // double: see there
    constexpr std::size_t dense_limit = 600;
    const auto mine = recurrent_states(chain, initial, who);
    std::vector<std::uint32_t> place_of(chain.size(), never);
    for (std::size_t i = 0; i < mine.size(); ++i) place_of[mine[i]] = static_cast<std::uint32_t>(i);
    const auto n = static_cast<row_index>(mine.size());
    vec<real> x = vec<real>::Zero(n);
    if (mine.size() <= dense_limit) {
        // Elimination without subtractions, exact to rounding for every share (Grassmann, Taksar & Heyman, Operations Research 33, 1985).
        matrix<real> p = matrix<real>::Zero(n, n);
        for (row_index i = 0; i < n; ++i) {
            const std::size_t s = mine[static_cast<std::size_t>(i)];
            for (std::size_t k = chain.starts[s]; k < chain.starts[s + 1]; ++k) p(i, static_cast<row_index>(place_of[chain.next[k]])) += chain.weight[k];
        }
        for (row_index k = n - 1; k > 0; --k) {
            double out = 0;
            for (row_index j = 0; j < k; ++j) out += p(k, j);
            for (row_index i = 0; i < k; ++i) {
                p(i, k) /= out;
                for (row_index j = 0; j < k; ++j) p(i, j) += p(i, k) * p(k, j);
            }
        }
        x(0) = 1;
        for (row_index k = 1; k < n; ++k)
            for (row_index i = 0; i < k; ++i) x(k) += x(i) * p(i, k);
        x /= x.sum();
    } else {
        // Every other period one stays, so that a chain that goes round comes to rest, too.
        x.setConstant(1 / static_cast<double>(n));
        vec<real> next(n);
        for (std::size_t round = 1;; ++round) {
            require(round <= how.max_rounds, errc::diverged, who, ": the shares were not still after ", how.max_rounds,
                    " sweeps: raise the tolerance or max_rounds");
            next = .5 * x;
            for (row_index i = 0; i < n; ++i) {
                const std::size_t s = mine[static_cast<std::size_t>(i)];
                for (std::size_t k = chain.starts[s]; k < chain.starts[s + 1]; ++k)
                    next(static_cast<row_index>(place_of[chain.next[k]])) += .5 * x(i) * chain.weight[k];
            }
            next /= next.sum();
            const double change = (next - x).cwiseAbs().sum();
            x.swap(next);
            if (change <= std::max(how.tolerance, 16 * std::numeric_limits<double>::epsilon())) break;
        }
    }
    vec<real> out = vec<real>::Zero(static_cast<row_index>(chain.size()));
    for (row_index i = 0; i < n; ++i) out(static_cast<row_index>(mine[static_cast<std::size_t>(i)])) = x(i);
    return out;
}

template <std::same_as<mdp> Process, class Policy>
std::pair<backups, vec<double>> long_run_of(const Process& process, const Policy& policy, const solve_options& how, std::string_view who) {
    require_solvable(how, who);
    const auto share = shares_of_policy(process, policy, who);
    auto chain = chain_of(process, 1, [&](std::size_t p) { return share[p]; });
    auto out = stationary_of(chain, process.initial(), how, who);
    return {std::move(chain), std::move(out)};
}
template <std::same_as<mdp> Process, class Policy>
double gain_of(const Process& process, const Policy& policy, const solve_options& how) {
    const auto [chain, share] = long_run_of(process, policy, how, "long_run_reward");
    double out = 0;
    for (std::size_t s = 0; s < chain.size(); ++s) out += share(static_cast<row_index>(s)) * chain.reward[s];
    return out;
}

}  // namespace detail::exact

/// What a customer is worth in each state: the discounted sum of the rewards of this period, which is not discounted, and of
/// those to come, `sum over t of discount^t * transitions^t * rewards` (Pfeifer & Carraway, Journal of Interactive Marketing
/// 14(2), 2000). `transitions` (states, states), from row to column; one reward a state.
/// Throws `error`: `bad_parameter`; `empty_input`; `shape_mismatch`; `nan_or_inf` and `bad_data` with the row and column of a
/// probability, or the row of a state whose probabilities do not sum to 1, or whose rewards go on for ever at discount 1.
template <std::same_as<double> T = double>
[[nodiscard]] vec<double> lifetime_value(const matrix_in<std::type_identity_t<T>>& transitions, std::span<const double> rewards,
                                         const lifetime_options& how = {}) {
    constexpr std::string_view who = "lifetime_value";
    solve_options solve{.discount = how.discount};
    detail::exact::require_solvable(solve, who);
    require(std::cmp_equal(rewards.size(), transitions.rows()), errc::shape_mismatch, who, ": ", rewards.size(), " rewards for ", transitions.rows(),
            " states");
    for (std::size_t s = 0; s < rewards.size(); ++s)
        require_at(std::isfinite(rewards[s]), errc::nan_or_inf, {.row = s + 1}, who, ": the reward of state ", s, " (from 0) is not finite");
    const auto chain = detail::exact::chain_of_matrix(transitions, how.discount, rewards, who);
    std::vector<double> v(chain.size(), 0.0);
    if (how.horizon) {
        std::vector<double> next(rewards.begin(), rewards.end());
        v = next;
        for (std::size_t t = 0; t < *how.horizon; ++t) {
            for (std::size_t s = 0; s < v.size(); ++s) next[s] = chain.value(s, v.data());
            v.swap(next);
        }
    } else {
        (void)detail::exact::solve_chain(chain, v, solve, {}, who);
    }
    vec<double> out = Eigen::Map<const vec<double>>(v.data(), static_cast<row_index>(v.size()));
    require(out.allFinite(), errc::diverged, who, ": the values are not finite: lower the discount or the rewards");
    return out;
}

/// Where those who begin as `initial` says are after some periods: the share of each state.
/// Throws `error` as `lifetime_value` for the transitions; for `initial` `shape_mismatch`, and `nan_or_inf` and `bad_data` with the
/// row of a share that is not finite or negative; `bad_data` where they do not sum to 1.
template <std::same_as<double> T = double>
[[nodiscard]] vec<double> distribution_after(const matrix_in<std::type_identity_t<T>>& transitions, std::span<const double> initial, std::size_t periods) {
    constexpr std::string_view who = "distribution_after";
    const auto chain = detail::exact::chain_of_matrix(transitions, 1, {}, who);
    require(initial.size() == chain.size(), errc::shape_mismatch, who, ": ", initial.size(), " initial shares for ", chain.size(), " states");
    double sum = 0;
    for (std::size_t s = 0; s < initial.size(); ++s) {
        require_at(std::isfinite(initial[s]), errc::nan_or_inf, {.row = s + 1}, who, ": the initial share of state ", s, " (from 0) is not finite");
        require_at(initial[s] >= 0, errc::bad_data, {.row = s + 1}, who, ": the initial share of state ", s, " (from 0) is negative");
        sum += initial[s];
    }
    require(std::abs(sum - 1) <= 1e-9, errc::bad_data, who, ": the initial shares sum to ", sum, ", not 1");
    vec<double> x = Eigen::Map<const vec<double>>(initial.data(), static_cast<row_index>(initial.size())), next(x.size());
    for (std::size_t t = 0; t < periods; ++t) {
        next.setZero();
        for (std::size_t s = 0; s < chain.size(); ++s)
            for (std::size_t k = chain.starts[s]; k < chain.starts[s + 1]; ++k)
                next(static_cast<row_index>(chain.next[k])) += x(static_cast<row_index>(s)) * chain.weight[k];
        x.swap(next);
    }
    return x;
}

/// The share of the periods that a chain spends in each state in the long run; 0 where it does not come back to.
/// Elimination for up to 600 states, sweeps to `how.tolerance` beyond.
/// Throws `error` as `lifetime_value` for the transitions, and `bad_data` with row = state, from 1, of a second set of states that
/// is never left.
template <std::same_as<double> T = double>
[[nodiscard]] vec<double> stationary_distribution(const matrix_in<std::type_identity_t<T>>& transitions, const solve_options& how = {}) {
    constexpr std::string_view who = "stationary_distribution";
    detail::exact::require_solvable(how, who);
    const auto chain = detail::exact::chain_of_matrix(transitions, 1, {}, who);
    return detail::exact::stationary_of(chain, std::vector<double>(chain.size(), 1.0), how, who);
}
/// The same of a process under a policy (one action a state), from its initial states; what cannot be reached does not count.
/// Throws `error` also for the policy, as `evaluate_policy`; `bad_data` with row = state from which the process may end.
template <std::same_as<mdp> Process>
[[nodiscard]] vec<double> stationary_distribution(const Process& process, std::span<const std::size_t> policy, const solve_options& how = {}) {
    return detail::exact::long_run_of(process, policy, how, "stationary_distribution").second;
}
/// The same for a probability of each action, (states, actions).
template <std::same_as<mdp> Process>
[[nodiscard]] vec<double> stationary_distribution(const Process& process, const matrix<double>& policy, const solve_options& how = {}) {
    return detail::exact::long_run_of(process, policy, how, "stationary_distribution").second;
}

/// The reward of a period in the long run under a policy (one action a state), whatever the discount of `how`.
/// Throws `error` as `stationary_distribution`.
template <std::same_as<mdp> Process>
[[nodiscard]] double long_run_reward(const Process& process, std::span<const std::size_t> policy, const solve_options& how = {}) {
    return detail::exact::gain_of(process, policy, how);
}
/// The same for a probability of each action, (states, actions).
template <std::same_as<mdp> Process>
[[nodiscard]] double long_run_reward(const Process& process, const matrix<double>& policy, const solve_options& how = {}) {
    return detail::exact::gain_of(process, policy, how);
}

/// The largest reward of a period in the long run from the initial states, and a policy that earns it, by relative value
/// iteration (White, 1963) of half steps, so that processes that go round come to rest, too. The gain is known to within
/// `how.tolerance` by its bounds; the discount of `how` does not count. For processes in which every state that can be reached
/// can be reached again from everywhere by some policy, or is left for ever by all. What stands for states that cannot be reached
/// is not to the tolerance.
/// Throws `error`: `bad_parameter`; `bad_data` with row = state, from 1, at which the process may end; `diverged` (not still after
/// `max_rounds` sweeps, as where the gain depends on where one begins).
template <std::same_as<mdp> Process>
[[nodiscard]] long_run_solution best_long_run_reward(const Process& process, const solve_options& how = {}, const run_options& run = {}) {
    constexpr std::string_view who = "best_long_run_reward";
    detail::exact::require_solvable(how, who);
    const auto everything = detail::exact::chain_of_everything(process);
    const auto reached = detail::exact::reached_from(everything, process.initial());
    std::size_t first = process.states();
    for (std::size_t s = 0; s < process.states(); ++s) {
        if (reached[s] == 0) continue;
        first = std::min(first, s);
        require_at(everything.may_end[s] == 0, errc::bad_data, {.row = s + 1}, who, ": in state ", s, " (from 0) the process may end: there is no long run");
    }
    const auto pairs = detail::exact::backups_of(process, 1);
    const auto starts = process.pair_starts();
    constexpr std::size_t block = 4096;
    std::vector<double> h(process.states(), 0.0), next(h.size());
    std::vector<std::pair<double, double>> bounds((h.size() + block - 1) / block);
    long_run_solution out;
    for (;;) {
        require(++out.rounds <= how.max_rounds, errc::diverged, who, ": the values were not still after ", how.max_rounds,
                " sweeps: the gain may depend on where one begins; or raise the tolerance or max_rounds");
        parallel_blocks(h.size(), block, run, [&](std::size_t begin, std::size_t end, std::size_t number) {
            double low = std::numeric_limits<double>::infinity(), high = -low;
            for (std::size_t s = begin; s < end; ++s) {
                if (starts[s] == starts[s + 1]) continue;
                double best = pairs.value(starts[s], h.data());
                for (std::size_t p = starts[s] + 1; p < starts[s + 1]; ++p) best = std::max(best, pairs.value(p, h.data()));
                next[s] = h[s] + .5 * (best - h[s]);
                if (reached[s] == 0) continue;  // has a value, too, but does not count
                low = std::min(low, best - h[s]);
                high = std::max(high, best - h[s]);
            }
            bounds[number] = {low, high};
        });
        double low = std::numeric_limits<double>::infinity(), high = -low;
        for (const auto& [l, g] : bounds) {
            low = std::min(low, l);
            high = std::max(high, g);
        }
        require(std::isfinite(low) && std::isfinite(high), errc::diverged, who, ": the values left the finite numbers after ", out.rounds,
                " sweeps: lower the rewards");
        out.gain = low + (high - low) / 2;
        const double rounding = 16 * std::numeric_limits<double>::epsilon() * std::max(detail::exact::largest(h), std::abs(out.gain));
        if (high - low <= std::max(how.tolerance, rounding)) break;
        const double zero = next[first];
        for (std::size_t s = 0; s < h.size(); ++s) h[s] = starts[s] != starts[s + 1] ? next[s] - zero : 0;
    }
    out.bias = Eigen::Map<const vec<double>>(h.data(), static_cast<row_index>(h.size()));
    out.policy.assign(h.size(), no_action);
    for (std::size_t s = 0; s < h.size(); ++s) {
        if (starts[s] != starts[s + 1]) {
            double best = -std::numeric_limits<double>::infinity();
            for (std::size_t p = starts[s]; p < starts[s + 1]; ++p) best = std::max(best, pairs.value(p, h.data()));
            for (std::size_t p = starts[s]; p < starts[s + 1]; ++p) {
                if (pairs.value(p, h.data()) < best - how.ties) continue;
                if (out.policy[s] == no_action) out.policy[s] = process.pair_actions()[p];
                out.optimal_actions.push_back(process.pair_actions()[p]);
            }
        }
        out.optimal_actions.close_row();
    }
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
