#ifndef CARAMEL_POLICY_BATCH_POLICY_HPP
#define CARAMEL_POLICY_BATCH_POLICY_HPP

// A policy from a log alone, careful where the log says little: what was done a few times and happened to go well is not
// believed. Without such care a policy from a small log is worse than the one that wrote it.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/policy/off_policy_sequences.hpp>
#include <caramel/policy/q_policy.hpp>
#include <caramel/policy/q_table.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Recipe for a `q_policy` by value iteration in the process that a log's counts make, where the reward of an action that was
/// seen n times in a state is lowered by k / sqrt(n) (as in Jin, Yang & Wang, ICML 2021). Actions that the log does not show in a
/// state are not taken there; a state that it does not show is worth 0, and gets `default_action`.
template <class T, std::size_t N = 1>
struct pessimistic_q {
    using stage_concept = recipe_tag;

    std::array<std::size_t, N> states = {};  ///< cells of each axis: to be given
    std::size_t actions = 0;                 ///< to be given
    double discount = .95;                   ///< in [0, 1]
    std::optional<double> pessimism = {};    ///< k, in units of reward; empty: chosen from the log, see `pessimism_for`
    std::vector<double> candidates = {0, .5, 1, 1.5, 2, 3, 4, 6, 8, 12};  ///< k to choose from, in units of the noise
    std::size_t splits = 10;                 ///< times that the customers are cut in halves to choose it
    std::optional<std::size_t> default_action = 0;  ///< where no tried action may be chosen; empty: an error

    /// Learns from a log of customers, of whatever policy; propensities are not looked at.
    /// Throws `error`: `bad_parameter`; `empty_input`; `unknown_id`, `nan_or_inf` and `bad_data` with row and column as of
    /// `sequence_log`; `diverged` (discount 1 and steps that never end).
    [[nodiscard]] q_policy<T, N> fit(const episode_log<N>& log, const fit_options& options) const {
        check();
        return learn(sequence_log(log, states, actions, who), options);
    }
    /// Learns from transitions in the order of time; a customer's follow each other: a new one begins where a step does not start
    /// where the one before it led.
    [[nodiscard]] q_policy<T, N> fit(std::span<const transition<N>> log, const fit_options& options) const {
        check();
        return learn(sequence_log(by_customer(log), states, actions, who), options);
    }

    /// The k that is taken where `pessimism` is empty. Candidates are multiples of the noise, the standard deviation of a step's reward
    /// and the discounted value of what follows. Customers are cut in halves; the policy of one half with each k is judged by
    /// fitted Q evaluation on the other; the mean of the winners, over `splits` cuts and both ways, is taken. With fewer than 8
    /// customers: twice the noise.
    [[nodiscard]] double pessimism_for(const episode_log<N>& log, const fit_options& options = {}) const {
        check();
        return choose(sequence_log(log, states, actions, who), options);
    }

   private:
    static constexpr std::string_view who = "pessimistic_q";

    void check() const {
        (void)detail::count_states(states, actions, who);
        detail::off_policy::require_discount(discount, who);
        require(!pessimism || (*pessimism >= 0 && std::isfinite(*pessimism)), errc::bad_parameter, who, ": pessimism must be finite and not negative, got ",
                pessimism.value_or(0));
        require(!candidates.empty(), errc::bad_parameter, who, ": no candidates");
        for (const double c : candidates)
            require(c >= 0 && std::isfinite(c), errc::bad_parameter, who, ": candidates must be finite and not negative, got ", c);
        require(splits > 0, errc::bad_parameter, who, ": splits must be at least 1");
        require(!default_action || *default_action < actions, errc::bad_parameter, who, ": default_action must be one of the ", actions, " actions");
    }
    static episode_log<N> by_customer(std::span<const transition<N>> log) {
        require(!log.empty(), errc::empty_input, who, ": no transitions to learn from");
        episode_log<N> out;
        for (std::size_t i = 0; i < log.size(); ++i) {
            const auto& t = log[i];
            if (i > 0 && (log[i - 1].terminal || log[i - 1].next_state != t.state)) out.close_row();
            out.push_back({.state = t.state, .action = t.action, .reward = t.reward, .next_state = t.next_state, .terminal = t.terminal});
        }
        out.close_row();
        return out;
    }

    // Values of the states with this k, to a tolerance relative to their size.
    [[nodiscard]] std::vector<double> values(const sequence_log& log, const detail::off_policy::counts& seen, double k, double still) const {
        const auto best = [&](std::size_t s, const std::vector<double>& v) {
            std::optional<double> out;
            for (std::size_t p = log.pair_starts()[s]; p < log.pair_starts()[s + 1]; ++p)
                if (seen.pairs[p] > 0) out = std::max(out.value_or(std::numeric_limits<double>::lowest()), lowered(log, seen, p, k, v));
            require(!out || (*out > std::numeric_limits<double>::lowest() && std::isfinite(*out)), errc::diverged, who,
                    ": a value left the finite numbers: scale the rewards down, or lower pessimism or discount");
            return out.value_or(0);
        };
        return detail::off_policy::values_after(log, endless, still, who, best, [](const std::vector<double>&) {});
    }
    [[nodiscard]] double lowered(const sequence_log& log, const detail::off_policy::counts& seen, std::size_t pair, double k,
                                 const std::vector<double>& v) const noexcept {
        return detail::off_policy::backup(log, seen, pair, discount, v) - k / std::sqrt(seen.pairs[pair]);
    }
    // The policy of these values as probabilities; rows of zeros where nothing was seen and there is no default.
    [[nodiscard]] matrix<double> policy_of(const sequence_log& log, const detail::off_policy::counts& seen, double k, const std::vector<double>& v) const {
        matrix<double> out = matrix<double>::Zero(static_cast<row_index>(log.states()), static_cast<row_index>(actions));
        for (std::size_t s = 0; s < log.states(); ++s) {
            std::size_t action = default_action.value_or(no_action);
            double best = -std::numeric_limits<double>::infinity();
            for (std::size_t p = log.pair_starts()[s]; p < log.pair_starts()[s + 1]; ++p) {
                if (seen.pairs[p] == 0) continue;
                if (const double q = lowered(log, seen, p, k, v); q > best) {
                    best = q;
                    action = log.pair_actions()[p];
                }
            }
            if (action != no_action) out(static_cast<row_index>(s), static_cast<row_index>(action)) = 1;
        }
        return out;
    }
    // The standard deviation of reward + discounted value of what follows, around its mean by state and action.
    [[nodiscard]] double noise(const sequence_log& log, const detail::off_policy::counts& seen, std::span<const std::size_t> customers) const {
        const auto v = values(log, seen, 0, 1e-6);
        double squares = 0, freedom = 0;
        for (const std::size_t e : customers)
            for (std::size_t i = log.starts()[e]; i < log.starts()[e + 1]; ++i) {
                const auto& step = log.steps()[i];
                const double off =
                    step.reward + (step.terminal ? 0 : discount * v[step.next]) - detail::off_policy::backup(log, seen, log.step_pairs()[i], discount, v);
                squares += off * off;
            }
        for (const double n : seen.pairs) freedom += std::max(0.0, n - 1);
        return freedom > 0 ? std::sqrt(squares / freedom) : 0;
    }
    [[nodiscard]] double choose(const sequence_log& log, const fit_options& options) const {
        namespace op = detail::off_policy;
        const auto everyone = op::first_numbers(log.size());
        const double unit = noise(log, op::counts_of(log, everyone), everyone);
        if (log.size() < 8) return 2 * unit;
        const rng random = stage_rng(options, who);
        std::vector<double> winners(2 * splits);
        parallel_for(winners.size(), options, [&](std::size_t task) {
            rng numbers = random.split(static_cast<std::uint64_t>(task / 2));
            const auto order = numbers.permutation(log.size());
            std::vector<std::size_t> mine, others;
            for (std::size_t i = 0; i < order.size(); ++i) (i % 2 == task % 2 ? mine : others).push_back(order[i]);
            const auto learnt = op::counts_of(log, mine), judged = op::counts_of(log, others);
            const double scale = noise(log, learnt, mine);
            double best = -std::numeric_limits<double>::infinity();
            for (const double c : candidates) {
                const auto policy = policy_of(log, learnt, c * scale, values(log, learnt, c * scale, 1e-6));
                const double value =
                    op::mean_of_first(log, others, op::fitted_values(log, judged, policy, discount, discount < 1 ? endless : log.longest(), who, 1e-6));
                if (value <= best) continue;
                best = value;
                winners[task] = c;
            }
        });
        return unit * op::mean(winners);
    }
    [[nodiscard]] q_policy<T, N> learn(const sequence_log& log, const fit_options& options) const {
        const double k = pessimism ? *pessimism : choose(log, options);
        const auto seen = detail::off_policy::counts_of(log, detail::off_policy::first_numbers(log.size()));
        const auto v = values(log, seen, k, 1e-13);
        q_table<T, N> table(states, actions);
        for (std::size_t s = 0; s < log.states(); ++s)
            for (std::size_t p = log.pair_starts()[s]; p < log.pair_starts()[s + 1]; ++p) {
                const double q = lowered(log, seen, p, k, v);
                require(std::abs(q) <= static_cast<double>(std::numeric_limits<T>::max()), errc::diverged, who,
                        ": a value left the finite numbers: scale the rewards down, or lower the discount");
                table.values_of(s)[log.pair_actions()[p]] = static_cast<T>(q);
                table.visits_of(s)[log.pair_actions()[p]] = static_cast<std::uint64_t>(seen.pairs[p]);
            }
        return {std::move(table), false, default_action ? static_cast<std::int64_t>(*default_action) : -1};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
