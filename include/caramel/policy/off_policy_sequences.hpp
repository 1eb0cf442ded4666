#ifndef CARAMEL_POLICY_OFF_POLICY_SEQUENCES_HPP
#define CARAMEL_POLICY_OFF_POLICY_SEQUENCES_HPP

// What a policy would have earned over several decisions for each customer, from the log of another policy.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/span_of.hpp>
#include <caramel/evaluate/distributions.hpp>
#include <caramel/policy/off_policy.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One step of a customer, with the probability that the log's policy gave to the action.
template <std::size_t N = 1>
struct logged_step {
    std::array<std::size_t, N> state{};
    std::size_t action = 0;
    double reward = 0;
    std::array<std::size_t, N> next_state{};  ///< not looked at where `terminal`
    bool terminal = false;                    ///< no future exists; an episode that was merely cut off is not terminal
    double propensity = 1;

    [[nodiscard]] transition<N> move() const { return {.state = state, .action = action, .reward = reward, .next_state = next_state, .terminal = terminal}; }
    friend bool operator==(const logged_step&, const logged_step&) = default;
};

/// One row a customer: their steps in order.
template <std::size_t N = 1>
using episode_log = ragged<logged_step<N>>;

/// The steps by customer, in the order in which customers first appear; the steps of each in the order given.
/// Throws `error` (`shape_mismatch`) unless there is one customer id a step.
template <std::size_t N, class Id>
[[nodiscard]] episode_log<N> episodes_of(const std::vector<Id>& customers, const std::vector<logged_step<N>>& steps) {
    require(customers.size() == steps.size(), errc::shape_mismatch, "episodes_of: ", steps.size(), " steps but ", customers.size(), " customers");
    std::map<Id, std::size_t> number;
    std::vector<std::vector<logged_step<N>>> by_customer;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const auto [found, is_new] = number.try_emplace(customers[i], by_customer.size());
        if (is_new) by_customer.emplace_back();
        by_customer[found->second].push_back(steps[i]);
    }
    episode_log<N> out;
    for (const auto& mine : by_customer) out.append_row(std::span<const logged_step<N>>(mine));
    return out;
}

/// Every step of a log as a transition, for learners.
template <std::size_t N>
[[nodiscard]] std::vector<transition<N>> moves_of(const episode_log<N>& log) {
    std::vector<transition<N>> out;
    out.reserve(log.values().size());
    for (const auto& step : log.values()) out.push_back(step.move());
    return out;
}

/// The customers of these numbers, in this order.
/// Throws `error` (`unknown_id`) with the row of a number that is none.
template <std::size_t N>
[[nodiscard]] episode_log<N> take_episodes(const episode_log<N>& log, std::span<const std::size_t> numbers) {
    episode_log<N> out;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        require_at(numbers[i] < log.size(), errc::unknown_id, {.row = i + 1}, "take_episodes: there are only ", log.size(), " episodes");
        out.append_row(log[numbers[i]]);
    }
    return out;
}

/// A policy as probabilities, (states, actions), by state number. A policy is
///   * such a matrix already;
///   * one action a state number: a list of them, an exact solution (`policy`), or a model with `greedy_actions()`;
///   * a function of a cell (`std::array<std::size_t, N>`) that returns the probabilities of its actions, or one action.
/// `no_action` makes a row of zeros: the policy knows nothing there.
/// Throws `error`: `bad_parameter`, `limit_exceeded` (the shape); `shape_mismatch`; `unknown_id` with the row (state, from 1)
/// of an action that does not exist; `nan_or_inf` and `bad_data` with row and column of a bad probability, or the row of a sum.
template <std::size_t N, class Policy>
[[nodiscard]] matrix<double> policy_probabilities(const Policy& policy, const std::array<std::size_t, N>& shape, std::size_t actions) {
    constexpr std::string_view who = "policy_probabilities";
    const std::size_t states = detail::count_states(shape, actions, who);
    matrix<double> out = matrix<double>::Zero(static_cast<row_index>(states), static_cast<row_index>(actions));
    const auto set_action = [&](std::size_t s, std::size_t action) {
        if (action == no_action) return;
        require_at(action < actions, errc::unknown_id, {.row = s + 1}, who, ": the action of state ", s, " (from 0) does not exist, there are ", actions);
        out(static_cast<row_index>(s), static_cast<row_index>(action)) = 1;
    };
    const auto set_actions = [&](const auto& list) {
        require(std::size(list) == states, errc::shape_mismatch, who, ": ", std::size(list), " actions for ", states, " states");
        for (std::size_t s = 0; s < states; ++s) set_action(s, static_cast<std::size_t>(list[s]));
    };
    if constexpr (std::convertible_to<const Policy&, matrix<double>>) {
        const matrix<double> given = policy;
        require(given.rows() == out.rows() && given.cols() == out.cols(), errc::shape_mismatch, who, ": a policy of ", given.rows(), " x ", given.cols(),
                ", there are ", states, " states and ", actions, " actions");
        out = given;
    } else if constexpr (requires { policy.greedy_actions(); }) {
        set_actions(policy.greedy_actions());
    } else if constexpr (requires { policy.policy[0]; }) {
        set_actions(policy.policy);
    } else if constexpr (std::invocable<const Policy&, const std::array<std::size_t, N>&>) {
        for (std::size_t s = 0; s < states; ++s) {
            const auto answer = policy(state_at(shape, s));
            if constexpr (std::integral<std::remove_cvref_t<decltype(answer)>>) {
                set_action(s, static_cast<std::size_t>(answer));
            } else {
                require_at(std::size(answer) == actions, errc::shape_mismatch, {.row = s + 1}, who, ": ", std::size(answer), " probabilities in state ", s,
                           " (from 0), there are ", actions, " actions");
                std::size_t a = 0;
                for (const double x : answer) out(static_cast<row_index>(s), static_cast<row_index>(a++)) = x;
            }
        }
    } else {
        static_assert(
            requires { static_cast<std::size_t>(policy[0]); }, "a policy is a matrix of probabilities, a list of actions, a model, or a function of a state");
        set_actions(policy);
    }
    detail::off_policy::require_policy(out, true, who);
    return out;
}

/// How to simulate a log.
struct simulate_options {
    std::size_t customers = 1000;
    std::size_t periods = 12;  ///< at most; an episode that ends is shorter
    std::uint64_t seed = 0;
};

/// A log of an environment under a policy (`probabilities`: (states, actions), see `policy_probabilities`), with propensities.
/// Throws `error`: `bad_parameter`; `unknown_id` (a state outside the shape); `bad_data` with row = state, from 1, where the policy
/// knows nothing.
template <std::size_t N, Environment<N> World>
[[nodiscard]] episode_log<N> simulate_log(const World& world, const std::array<std::size_t, N>& shape, const matrix<double>& probabilities,
                                          const simulate_options& how = {}) {
    constexpr std::string_view who = "simulate_log";
    require(how.customers > 0 && how.periods > 0, errc::bad_parameter, who, ": customers and periods must be at least 1");
    const matrix<double> policy = policy_probabilities(probabilities, shape, static_cast<std::size_t>(probabilities.cols()));
    episode_log<N> out;
    const rng all = rng(how.seed).split(who);
    for (std::size_t c = 0; c < how.customers; ++c) {
        rng numbers = all.split(static_cast<std::uint64_t>(c));
        auto state = world.reset(numbers);
        for (std::size_t t = 0; t < how.periods; ++t) {
            logged_step<N> step{.state = detail::to_state<N>(state)};
            const auto row = static_cast<row_index>(detail::checked_state(shape, step.state, who));
            double u = numbers.uniform();
            step.action = no_action;
            for (row_index a = 0; a < policy.cols(); ++a) {  // rounding may leave a little of u behind the last action
                if (policy(row, a) <= 0) continue;
                step.action = static_cast<std::size_t>(a);
                if (u < policy(row, a)) break;
                u -= policy(row, a);
            }
            require_at(step.action != no_action, errc::bad_data, {.row = static_cast<std::uint64_t>(row) + 1}, who, ": the policy knows no action in state ",
                       row, " (from 0)");
            step.propensity = policy(row, static_cast<row_index>(step.action));
            auto got = world.step(state, step.action, numbers);
            step.reward = static_cast<double>(got.reward);
            step.terminal = got.terminal;
            state = std::move(got.next_state);
            step.next_state = detail::to_state<N>(state);
            out.push_back(step);
            if (step.terminal) break;
        }
        out.close_row();
    }
    return out;
}

/// Stands for all periods that ever come.
inline constexpr std::size_t endless = std::numeric_limits<std::size_t>::max();

/// Estimators for sequences. With w the product of the policy's over the log's probabilities so far:
enum class sequence_method : std::uint8_t {
    fitted_q,                ///< the policy's value in the process that the log's counts make (fitted Q evaluation; Le, Voloshin & Yue, ICML 2019)
    importance,              ///< w of the whole sequence times its return (Precup, Sutton & Singh, ICML 2000)
    weighted_importance,     ///< the same over the mean of w
    per_decision,            ///< the sum over periods of w so far times the reward
    weighted_per_decision,   ///< the same over the mean of w so far, by period
    doubly_robust,           ///< per decision, with a Q model's value to correct (Jiang & Li, ICML 2016)
    weighted_doubly_robust,  ///< the same over the mean of w so far (Thomas & Brunskill, ICML 2016)
};

/// How `evaluate_sequences` estimates.
struct sequence_options {
    sequence_method method = sequence_method::fitted_q;
    double discount = .95;      ///< of a period, in [0, 1]
    std::size_t horizon = 0;    ///< periods that count; 0 = as many as the longest episode has; `endless`: only fitted Q and the doubly robust
                                ///< ones look beyond the log (discount below 1, or steps that end)
    /// Values of actions under the policy from elsewhere, (states, actions), for the doubly robust methods and, alone, for `fitted_q`
    /// (the direct method); empty: fitted Q of the log.
    std::optional<matrix<double>> q = {};
    std::size_t folds = 1;      ///< doubly robust, fitted: customers are judged by the Q of other folds; 1 = by that of all
    double level = .95;         ///< of the interval
    estimate_limits limits = estimate_limits::bootstrap;  ///< customers are drawn; for `normal` they are only where the method is no mean
    std::size_t resamples = 500;
    std::uint64_t seed = 0;
};

/// A log of episodes by state number: checked once, asked by each estimator. For fitted Q also which state leads where.
class sequence_log {
   public:
    /// Throws `error`: `bad_parameter`, `limit_exceeded` (shape); `empty_input` (no episodes, or with row = episode one without steps);
    /// with row = step over the whole log, from 1, and column (of N state axes, the action, the
    /// reward, N axes of the next state, terminal, the propensity) `unknown_id`, `nan_or_inf`, `bad_data` (a propensity outside
    /// (0, 1], a step after a terminal one).
    template <std::size_t N>
    sequence_log(const episode_log<N>& log, const std::array<std::size_t, N>& shape, std::size_t actions, std::string_view who = "sequence_log")
        : n_states_(detail::count_states(shape, actions, who)), n_actions_(actions) {
        require(!log.empty(), errc::empty_input, who, ": no episodes");
        for (std::size_t i = 0; i < log.size(); ++i) {
            require_at(!log[i].empty(), errc::empty_input, {.row = i + 1}, who, ": episode ", i + 1, " has no steps");
            longest_ = std::max(longest_, log[i].size());
            for (std::size_t t = 0; t < log[i].size(); ++t) {
                const auto& step = log[i][t];
                const std::uint64_t row = steps_.size() + 1;
                const auto flat = detail::checked_step(step.move(), shape, actions, who, row);
                detail::off_policy::require_propensity(step.propensity, row, 2 * N + 4, who);
                require_at(!step.terminal || t + 1 == log[i].size(), errc::bad_data, {.row = row, .column = 2 * N + 3}, who, ": row ", row,
                           ": steps come after a terminal one");
                steps_.push_back(flat);
                propensities_.push_back(step.propensity);
            }
            starts_.push_back(steps_.size());
        }
        find_branches();
    }

    [[nodiscard]] std::size_t states() const noexcept { return n_states_; }
    [[nodiscard]] std::size_t actions() const noexcept { return n_actions_; }
    [[nodiscard]] std::size_t size() const noexcept { return starts_.size() - 1; }  ///< episodes
    [[nodiscard]] std::size_t longest() const noexcept { return longest_; }
    /// The steps of episode i are `starts()[i] .. starts()[i + 1]`.
    template <class = void>
    [[nodiscard]] std::span<const std::size_t> starts() const noexcept { return detail::span_of(starts_); }
    template <class = void>
    [[nodiscard]] std::span<const detail::flat_step> steps() const noexcept { return detail::span_of(steps_); }
    [[nodiscard]] std::span<const double> propensities() const noexcept { return detail::span_of(propensities_); }

    // A pair: a state and an action that was taken there; ascending. The pairs of state s are `pair_starts()[s] ..
    // pair_starts()[s + 1]`; the branches of pair p, `branch_starts()[p] .. branch_starts()[p + 1]`, are what followed.
    struct branch {
        std::size_t next;
        bool terminal;
    };
    template <class = void>
    [[nodiscard]] std::span<const std::size_t> pair_starts() const noexcept { return detail::span_of(pair_starts_); }
    template <class = void>
    [[nodiscard]] std::span<const std::size_t> pair_actions() const noexcept { return detail::span_of(pair_actions_); }
    template <class = void>
    [[nodiscard]] std::span<const std::size_t> branch_starts() const noexcept { return detail::span_of(branch_starts_); }
    template <class = void>
    [[nodiscard]] std::span<const branch> branches() const noexcept { return detail::span_of(branches_); }
    template <class = void>
    [[nodiscard]] std::span<const std::size_t> step_pairs() const noexcept { return detail::span_of(step_pairs_); }
    [[nodiscard]] std::span<const std::size_t> step_branches() const noexcept { return detail::span_of(step_branches_); }

   private:
    template <class = void>
    void find_branches() {
        std::vector<std::size_t> order(steps_.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        const auto key = [&](std::size_t i) { return std::tuple(steps_[i].state, steps_[i].action, steps_[i].next, steps_[i].terminal); };
        std::ranges::stable_sort(order, {}, key);
        step_pairs_.resize(steps_.size());
        step_branches_.resize(steps_.size());
        pair_starts_.assign(1, 0);
        for (std::size_t k = 0; k < order.size(); ++k) {
            const auto& s = steps_[order[k]];
            const bool same_pair = k > 0 && s.state == steps_[order[k - 1]].state && s.action == steps_[order[k - 1]].action;
            if (!same_pair) {
                while (pair_starts_.size() <= s.state) pair_starts_.push_back(pair_actions_.size());
                pair_actions_.push_back(s.action);
                branch_starts_.push_back(branches_.size());
            }
            if (!same_pair || key(order[k]) != key(order[k - 1])) branches_.push_back({.next = s.next, .terminal = s.terminal});
            step_pairs_[order[k]] = pair_actions_.size() - 1;
            step_branches_[order[k]] = branches_.size() - 1;
        }
        branch_starts_.push_back(branches_.size());
        pair_starts_.resize(n_states_ + 1, pair_actions_.size());
    }

    std::size_t n_states_, n_actions_, longest_ = 0;
    std::vector<std::size_t> starts_{0};
    std::vector<detail::flat_step> steps_;
    std::vector<double> propensities_;
    std::vector<std::size_t> pair_starts_, pair_actions_, branch_starts_, step_pairs_, step_branches_;
    std::vector<branch> branches_;
};

namespace detail::off_policy {

// How often what was seen, in some of the episodes (with repetition).
struct counts {
    std::vector<double> pairs, branches, rewards;  // rewards: sums by pair
};
template <std::same_as<sequence_log> Log>
counts counts_of(const Log& log, std::span<const std::size_t> episodes) {
    counts out{.pairs = std::vector<double>(log.pair_actions().size(), 0.0), .branches = std::vector<double>(log.branches().size(), 0.0), .rewards = {}};
    out.rewards = out.pairs;
    for (const std::size_t e : episodes)
        for (std::size_t i = log.starts()[e]; i < log.starts()[e + 1]; ++i) {
            out.pairs[log.step_pairs()[i]] += 1;
            out.branches[log.step_branches()[i]] += 1;
            out.rewards[log.step_pairs()[i]] += log.steps()[i].reward;
        }
    return out;
}
template <class = void>
inline std::vector<std::size_t> first_numbers(std::size_t n) {
    std::vector<std::size_t> out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = i;
    return out;
}

// The value of a pair that was seen, given those of the states after it.
template <std::same_as<sequence_log> Log>
double backup(const Log& log, const counts& seen, std::size_t pair, double discount, const std::vector<double>& v) noexcept {
    double future = 0;
    for (std::size_t b = log.branch_starts()[pair]; b < log.branch_starts()[pair + 1]; ++b)
        if (!log.branches()[b].terminal) future += seen.branches[b] * v[log.branches()[b].next];
    return (seen.rewards[pair] + discount * future) / seen.pairs[pair];
}
// One sweep of `choose(state, q of a pair)` over the states in which something was seen; the others are worth 0. Returns the
// largest change.
template <std::same_as<sequence_log> Log, class Choose>
double sweep(const Log& log, std::vector<double>& v, std::vector<double>& next, const Choose& choose) {
    double change = 0;
    for (std::size_t s = 0; s < log.states(); ++s) {
        next[s] = choose(s, v);
        const double d = std::abs(next[s] - v[s]);
        change = d <= change ? change : d;  // a NaN comes through
    }
    v.swap(next);
    return change;
}
// Sweeps for `periods`, or where those are endless until the values stay within `still` of their size. `before(v)` sees the
// values before each sweep.
template <std::same_as<sequence_log> Log, class Choose, class Before>
std::vector<double> values_after(const Log& log, std::size_t periods, double still, std::string_view who, const Choose& choose, const Before& before) {
    constexpr std::size_t most = 1'000'000;
    std::vector<double> v(log.states(), 0.0), next(v);
    for (std::size_t k = 0; k < periods; ++k) {
        before(v);
        const double change = sweep(log, v, next, choose);
        require(std::isfinite(change) && (periods != endless || k < most), errc::diverged, who,
                ": the values do not settle: lower the discount, or limit the horizon");
        if (periods != endless) continue;
        double size = 0;
        for (const double x : v) size = std::max(size, std::abs(x));
        if (change <= still * std::max(1.0, size)) break;
    }
    return v;
}
// Of the policy, in the process of the counts. An action that was never seen in a state counts as the mean of the policy's
// others there.
template <std::same_as<sequence_log> Log>
double policy_value_of(const Log& log, const counts& seen, const matrix<double>& policy, double discount, std::size_t s,
                       const std::vector<double>& v) noexcept {
    double sum = 0, share = 0;
    for (std::size_t p = log.pair_starts()[s]; p < log.pair_starts()[s + 1]; ++p) {
        const double x = policy(static_cast<row_index>(s), static_cast<row_index>(log.pair_actions()[p]));
        if (x <= 0 || seen.pairs[p] == 0) continue;
        sum += x * backup(log, seen, p, discount, v);
        share += x;
    }
    return share > 0 ? sum / share : 0;
}
template <std::same_as<sequence_log> Log, class Before>
std::vector<double> fitted_values(const Log& log, const counts& seen, const matrix<double>& policy, double discount, std::size_t periods, std::string_view who,
                                  const Before& before, double still = 1e-13) {
    return values_after(
        log, periods, still, who, [&](std::size_t s, const std::vector<double>& v) { return policy_value_of(log, seen, policy, discount, s, v); }, before);
}
template <std::same_as<sequence_log> Log>
std::vector<double> fitted_values(const Log& log, const counts& seen, const matrix<double>& policy, double discount, std::size_t periods, std::string_view who,
                                  double still = 1e-13) {
    return fitted_values(log, seen, policy, discount, periods, who, [](const std::vector<double>&) {}, still);
}
template <std::same_as<sequence_log> Log>
double mean_of_first(const Log& log, std::span<const std::size_t> episodes, const std::vector<double>& v) noexcept {
    double sum = 0;
    for (const std::size_t e : episodes) sum += v[log.steps()[log.starts()[e]].state];
    return sum / static_cast<double>(episodes.size());
}

// The log's own policy, as its shares of actions: (states, actions), zeros where it never was.
template <std::same_as<sequence_log> Log>
matrix<double> logging_policy(const Log& log, const counts& seen) {
    matrix<double> out = matrix<double>::Zero(static_cast<row_index>(log.states()), static_cast<row_index>(log.actions()));
    for (std::size_t s = 0; s < log.states(); ++s) {
        double n = 0;
        for (std::size_t p = log.pair_starts()[s]; p < log.pair_starts()[s + 1]; ++p) n += seen.pairs[p];
        for (std::size_t p = log.pair_starts()[s]; p < log.pair_starts()[s + 1]; ++p)
            if (n > 0) out(static_cast<row_index>(s), static_cast<row_index>(log.pair_actions()[p])) = seen.pairs[p] / n;
    }
    return out;
}

template <std::same_as<sequence_log> Log>
void require_policy_of(const Log& log, const matrix<double>& policy, std::string_view who) {
    require(policy.rows() == static_cast<row_index>(log.states()) && policy.cols() == static_cast<row_index>(log.actions()), errc::shape_mismatch, who,
            ": a policy of ", policy.rows(), " x ", policy.cols(), ", the log has ", log.states(), " states and ", log.actions(), " actions");
    require_policy(policy, true, who);
    std::vector<char> knows(log.states(), 0);
    for (row_index s = 0; s < policy.rows(); ++s)
        for (row_index a = 0; a < policy.cols(); ++a)
            if (policy(s, a) > 0) knows[static_cast<std::size_t>(s)] = 1;
    for (std::size_t i = 0; i < log.steps().size(); ++i)
        require_at(knows[log.steps()[i].state] != 0, errc::bad_data, {.row = i + 1, .column = 1}, who, ": row ", i + 1,
                   ": the policy knows no action in the state of this step");
}
template <class = void>
inline void require_discount(double discount, std::string_view who) {
    require(discount >= 0 && discount <= 1, errc::bad_parameter, who, ": discount must lie in [0, 1], got ", discount);
}

// What an estimator by weights adds up: by episode and period, `a` over the sum of the weights so far, `b` over that of the
// period before.
struct weighted_parts {
    std::size_t periods = 0;
    std::vector<double> a, b, w;  // (episodes, periods)
};
template <class = void>
inline double weighted_value(const weighted_parts& x, std::span<const std::size_t> episodes, bool normalize) {
    const auto n = static_cast<double>(episodes.size());
    double value = 0, before = n;
    for (std::size_t t = 0; t < x.periods; ++t) {
        double a = 0, b = 0, w = 0;
        for (const std::size_t e : episodes) {
            a += x.a[e * x.periods + t];
            b += x.b[e * x.periods + t];
            w += x.w[e * x.periods + t];
        }
        if (!normalize) w = n;
        if (a != 0) value += w > 0 ? a / w : std::numeric_limits<double>::quiet_NaN();
        if (b != 0) value += before > 0 ? b / before : std::numeric_limits<double>::quiet_NaN();
        if (w == 0 && normalize) return std::numeric_limits<double>::quiet_NaN();
        before = w;
    }
    return value;
}

// The customers' parts of any method but fitted Q.
template <std::same_as<sequence_log> Log>
weighted_parts parts_of(const Log& log, const matrix<double>& policy, const sequence_options& how, const rng& random, std::string_view who) {
    using enum sequence_method;
    const bool robust = how.method == doubly_robust || how.method == weighted_doubly_robust,
               whole = how.method == importance || how.method == weighted_importance;
    const std::size_t horizon = how.horizon == 0 ? log.longest() : how.horizon;
    const std::size_t kept = std::min(horizon, log.longest());
    weighted_parts parts{.periods = whole ? 1 : kept + 1, .a = {}, .b = {}, .w = {}};
    parts.a.assign(log.size() * parts.periods, 0.0);
    parts.b = parts.w = parts.a;
    // By fold: values of pairs and states, by the number of periods still to come; one of each where those are endless or given.
    const std::size_t folds = robust && !how.q ? how.folds : 1;
    std::vector<std::size_t> fold(log.size(), 0);
    rng shuffler = random.split("folds");
    const auto order = shuffler.permutation(log.size());
    for (std::size_t i = 0; i < order.size(); ++i) fold[order[i]] = i % folds;
    for (std::size_t f = 0; f < folds; ++f) {
        std::vector<std::vector<double>> v;
        counts seen;
        if (robust && !how.q) {
            std::vector<std::size_t> others;
            for (std::size_t e = 0; e < log.size(); ++e)
                if (folds == 1 || fold[e] != f) others.push_back(e);
            seen = counts_of(log, others);
            std::size_t done = 0;  // only what some period of the log looks at is kept
            const auto last = fitted_values(log, seen, policy, how.discount, horizon, who, [&](const std::vector<double>& before) {
                if (horizon != endless && done++ >= horizon - kept) v.push_back(before);
            });
            v.push_back(last);
        }
        const auto left = [&](std::size_t t) { return horizon == endless ? 0 : kept - t; };  // the place in v of what is worth at period t
        const auto value_of = [&](std::size_t s, std::size_t t) {
            if (how.q) {
                double sum = 0;
                for (row_index a = 0; t < horizon && a < policy.cols(); ++a)
                    sum += policy(static_cast<row_index>(s), a) * (*how.q)(static_cast<row_index>(s), a);
                return sum;
            }
            return v[left(t)][s];
        };
        const auto q_of = [&](std::size_t i, std::size_t t) {
            const auto& step = log.steps()[i];
            if (how.q) return (*how.q)(static_cast<row_index>(step.state), static_cast<row_index>(step.action));
            const std::size_t p = log.step_pairs()[i];
            // What the other folds never saw is worth what the policy's value there is.
            return seen.pairs[p] > 0 ? backup(log, seen, p, how.discount, v[horizon == endless ? 0 : left(t) - 1]) : value_of(step.state, t);
        };
        for (std::size_t e = 0; e < log.size(); ++e) {
            if (fold[e] != f) continue;
            const std::size_t begin = log.starts()[e], length = std::min(kept, log.starts()[e + 1] - begin);
            double* const a = parts.a.data() + e * parts.periods;
            double* const b = parts.b.data() + e * parts.periods;
            double* const w = parts.w.data() + e * parts.periods;
            double weight = 1, discount = 1, total = 0;
            for (std::size_t t = 0; t < length; ++t, discount *= how.discount) {
                const auto& step = log.steps()[begin + t];
                if (robust) b[t] = discount * weight * value_of(step.state, t);
                weight *= policy(static_cast<row_index>(step.state), static_cast<row_index>(step.action)) / log.propensities()[begin + t];
                total += discount * step.reward;
                if (whole) continue;
                w[t] = weight;
                a[t] = discount * weight * (step.reward - (robust ? q_of(begin + t, t) : 0));
            }
            if (whole) {
                w[0] = weight;
                a[0] = weight * total;
                continue;
            }
            for (std::size_t t = length; t < parts.periods; ++t) w[t] = weight;
            const auto& last = log.steps()[begin + length - 1];
            if (robust && !last.terminal && length < horizon) b[length] = discount * weight * value_of(last.next, length);
        }
    }
    return parts;
}
inline bool normalizes(sequence_method m) noexcept {
    using enum sequence_method;
    return m == weighted_importance || m == weighted_per_decision || m == weighted_doubly_robust;
}
// What must hold of any evaluation; returns the periods that count.
template <std::same_as<sequence_log> Log>
std::size_t checked_horizon(const Log& log, const matrix<double>& policy, const sequence_options& how, std::string_view who) {
    require_discount(how.discount, who);
    require_level(how.level, who);
    require_resamples(how.resamples, who);
    require_policy_of(log, policy, who);
    require(log.size() > 1, errc::too_few_rows, who, ": one episode; needs two to tell how far an estimate may be off");
    require(how.folds >= 1 && how.folds <= log.size(), errc::bad_parameter, who, ": folds = ", how.folds, ", must lie in 1 .. the number of episodes");
    if (how.q) {
        require(how.q->rows() == policy.rows() && how.q->cols() == policy.cols(), errc::shape_mismatch, who, ": q is ", how.q->rows(), " x ", how.q->cols(),
                ", the policy ", policy.rows(), " x ", policy.cols());
        require_finite(*how.q, who);
    }
    return how.horizon == 0 ? log.longest() : how.horizon;
}

}  // namespace detail::off_policy

/// The value of the policy from the customers' first states on: by fitted Q evaluation a table, (states), where what was never
/// seen is worth 0. An action that was never seen in a state counts as the mean of the policy's others there.
/// Throws `error` as `evaluate_sequences` does.
template <std::same_as<sequence_log> Log>
[[nodiscard]] vec<double> fitted_q_values(const Log& log, const matrix<double>& policy, const sequence_options& how = {}) {
    constexpr std::string_view who = "fitted_q_values";
    detail::off_policy::require_discount(how.discount, who);
    detail::off_policy::require_policy_of(log, policy, who);
    const auto seen = detail::off_policy::counts_of(log, detail::off_policy::first_numbers(log.size()));
    const auto v = detail::off_policy::fitted_values(log, seen, policy, how.discount, how.horizon == 0 ? log.longest() : how.horizon, who);
    return Eigen::Map<const vec<double>>(v.data(), static_cast<row_index>(v.size()));
}

/// How far the log knows what a policy would do.
struct policy_overlap {
    double uncovered = 0;      ///< the share of the policy's (discounted) decisions that the log saw fewer than `least` times in their state
    double effective_decisions = 0;  ///< so many decisions of the policy itself would tell its value as well as those of the log do
    std::vector<std::size_t> states;  ///< by number, the most visited first: where the policy acts so
};

/// Follows the policy through the process that the log's counts make. `least`: how often an action must have been seen in a state.
/// Throws `error` as `evaluate_sequences` does.
template <std::same_as<sequence_log> Log>
[[nodiscard]] policy_overlap overlap_of(const Log& log, const matrix<double>& policy, const sequence_options& how = {}, double least = 1) {
    namespace op = detail::off_policy;
    constexpr std::string_view who = "overlap_of";
    op::require_discount(how.discount, who);
    op::require_policy_of(log, policy, who);
    const auto all = op::first_numbers(log.size());
    const auto seen = op::counts_of(log, all);
    const std::size_t periods = how.horizon == 0 ? log.longest() : how.horizon;
    std::vector<double> now(log.states(), 0.0), next(now), missing(now), visits(seen.pairs.size(), 0.0);
    for (const std::size_t e : all) now[log.steps()[log.starts()[e]].state] += 1 / static_cast<double>(all.size());
    double discount = 1, total = 0, uncovered = 0;
    for (std::size_t t = 0; t < periods && discount > 1e-9; ++t, discount *= how.discount) {
        double alive = 0;
        std::fill(next.begin(), next.end(), 0.0);
        for (std::size_t s = 0; s < log.states(); ++s) {
            if (now[s] == 0) continue;
            alive += now[s];
            double known = 0;
            const auto i = static_cast<row_index>(s);
            for (std::size_t p = log.pair_starts()[s]; p < log.pair_starts()[s + 1]; ++p) {
                const double x = now[s] * policy(i, static_cast<row_index>(log.pair_actions()[p]));
                if (x == 0) continue;
                if (seen.pairs[p] >= least) known += x;
                visits[p] += discount * x;
                for (std::size_t b = log.branch_starts()[p]; b < log.branch_starts()[p + 1]; ++b)
                    if (!log.branches()[b].terminal) next[log.branches()[b].next] += x * seen.branches[b] / seen.pairs[p];
            }
            const double lost = now[s] - known;
            if (lost <= 1e-12 * now[s]) continue;
            uncovered += discount * lost;
            missing[s] += discount * lost;
        }
        total += discount * alive;
        now.swap(next);
        if (alive < 1e-12) break;
    }
    policy_overlap out{.uncovered = total > 0 ? uncovered / total : 0, .effective_decisions = 0, .states = {}};
    double sum = 0, squares = 0;
    for (std::size_t p = 0; p < visits.size(); ++p) {
        sum += visits[p];
        squares += visits[p] * visits[p] / seen.pairs[p];
    }
    if (squares > 0) out.effective_decisions = sum / squares * sum;
    for (std::size_t s = 0; s < log.states(); ++s)
        if (missing[s] > 0) out.states.push_back(s);
    std::stable_sort(out.states.begin(), out.states.end(), [&](std::size_t a, std::size_t b) { return missing[a] > missing[b]; });
    return out;
}

/// What the policy, (states, actions) as `policy_probabilities` makes it, would have earned a customer over the horizon, discounted.
/// Same log, same seed: the same bits, for any number of threads. Episodes that were cut off before the horizon count by
/// weights as if nothing came after; fitted Q and the doubly robust ones value what comes. `effective_sample_size` counts customers
/// by their weights at the end, and for fitted Q decisions (`policy_overlap`). `contributions` are there for the methods that are
/// means: importance, per decision, doubly robust.
/// Throws `error`: `bad_parameter`; `too_few_rows` (one episode); `shape_mismatch`; `nan_or_inf` and `bad_data` with row and column of the policy or of `q`;
/// `bad_data` with the row of a step in whose state the policy knows no action, and where the policy never does what the log
/// did (weighted methods); `diverged` (endless, and the values grow for ever).
template <std::same_as<sequence_log> Log>
[[nodiscard]] off_policy_estimate evaluate_sequences(const Log& log, const matrix<double>& policy, const sequence_options& how = {},
                                                     const run_options& run = {}) {
    namespace op = detail::off_policy;
    constexpr std::string_view who = "evaluate_sequences";
    const std::size_t horizon = op::checked_horizon(log, policy, how, who);
    const bool normalize = op::normalizes(how.method);
    const auto everyone = op::first_numbers(log.size());
    const rng random = rng(how.seed).split(who);
    off_policy_estimate out;
    std::vector<double> drawn;
    const auto resampled = [&](const auto& statistic) { drawn = op::resample(log.size(), how.resamples, random.split("bootstrap"), run, who, statistic); };

    if (how.method == sequence_method::fitted_q) {
        std::vector<double> of_q(how.q ? log.states() : 0, 0.0);
        for (std::size_t s = 0; s < of_q.size(); ++s)
            for (row_index a = 0; a < policy.cols(); ++a) of_q[s] += policy(static_cast<row_index>(s), a) * (*how.q)(static_cast<row_index>(s), a);
        const auto statistic = [&](std::span<const std::size_t> episodes) {
            if (how.q) return op::mean_of_first(log, episodes, of_q);
            return op::mean_of_first(log, episodes, op::fitted_values(log, op::counts_of(log, episodes), policy, how.discount, horizon, who));
        };
        out.value = statistic(everyone);
        out.effective_sample_size = overlap_of(log, policy, how).effective_decisions;
        resampled(statistic);
    } else {
        const auto parts = op::parts_of(log, policy, how, random, who);
        out.value = op::weighted_value(parts, everyone, normalize);
        require(!std::isnan(out.value), errc::bad_data, who, ": the policy hardly ever takes the actions of the log: no overlap");
        std::vector<double> ends(log.size()), influence(log.size());
        for (std::size_t e = 0; e < log.size(); ++e) ends[e] = parts.w[(e + 1) * parts.periods - 1];
        out.effective_sample_size = op::effective_size(ends);
        if (!normalize) {
            out.contributions.assign(log.size(), 0.0);
            for (std::size_t e = 0; e < log.size(); ++e)
                for (std::size_t t = 0; t < parts.periods; ++t) out.contributions[e] += parts.a[e * parts.periods + t] + parts.b[e * parts.periods + t];
        }
        if (how.limits == estimate_limits::bootstrap || normalize)
            resampled([&](std::span<const std::size_t> episodes) { return op::weighted_value(parts, episodes, normalize); });
    }
    out.standard_error = drawn.empty() ? op::standard_error(out.contributions) : op::deviation(drawn);
    if (how.limits == estimate_limits::normal) {
        const double reach = normal_quantile((1 + how.level) / 2) * out.standard_error;
        out.low = out.value - reach;
        out.high = out.value + reach;
    } else {
        out.low = op::quantile(drawn, (1 - how.level) / 2);
        out.high = op::quantile(drawn, (1 + how.level) / 2);
    }
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
