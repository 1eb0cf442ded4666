#ifndef CARAMEL_POLICY_MDP_HPP
#define CARAMEL_POLICY_MDP_HPP

// Finite Markov decision processes with sparse transitions: built from a table, estimated from a log, simulated, and
// solved exactly. The solutions are what learners are measured against, and useful wherever the model is known.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <Eigen/LU>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One row of the table that describes a process: taking `action` in `state` leads to this with `probability`.
struct mdp_row {
    std::size_t state = 0;
    std::size_t action = 0;
    double probability = 1;
    std::size_t next_state = 0;
    double reward = 0;
    bool terminal = false;  ///< ends here: no future, whatever `next_state` is worth
};

/// A finite Markov decision process. States and actions are numbers from 0 (`state_number` makes them of several axes).
/// An action without rows is not allowed in that state; a state without any rows is an end, worth 0.
class mdp {
   public:
    /// `rows` in any order; rows of the same state and action add up. `initial` are the probabilities of the first
    /// states, one a state (empty: always state 0).
    /// Throws `error`: `bad_parameter` (no states or actions), `empty_input`, `limit_exceeded` (2^32 states);
    /// `unknown_id`, `nan_or_inf` and `bad_data` with row and column (as in `mdp_row`) of a bad entry; `bad_data` with
    /// row = state and column = action, from 1, where probabilities do not sum to 1 within 1e-9.
    mdp(std::size_t states, std::size_t actions, std::span<const mdp_row> rows, std::span<const double> initial = {})
        : n_states_(states), n_actions_(actions) {
        (void)detail::count_states(std::array{states}, actions, "mdp");
        require(states <= std::numeric_limits<std::uint32_t>::max(), errc::limit_exceeded, "mdp: ", states, " states, at most 2^32 - 1 are possible");
        require(!rows.empty(), errc::empty_input, "mdp: no rows");
        for (std::size_t i = 0; i < rows.size(); ++i) check_row(rows[i], i + 1);
        set_initial(initial);
        build(rows);
    }

    [[nodiscard]] std::size_t states() const noexcept { return n_states_; }
    [[nodiscard]] std::size_t actions() const noexcept { return n_actions_; }
    /// The actions of a state, ascending; none at an end. Throws `error` (`unknown_id`).
    [[nodiscard]] std::span<const std::size_t> allowed(std::size_t state) const {
        require(state + 1 < pair_starts_.size(), errc::unknown_id, "mdp: no such state, there are ", n_states_);
        return std::span(actions_).subspan(pair_starts_[state], pair_starts_[state + 1] - pair_starts_[state]);
    }
    [[nodiscard]] std::span<const std::size_t> allowed(const std::array<std::size_t, 1>& state) const { return allowed(state[0]); }

    /// What an action may lead to, by ascending next state. Throws `error` (`unknown_id`) for an action that is not allowed.
    [[nodiscard]] std::vector<mdp_row> rows_of(std::size_t state, std::size_t action) const {
        std::vector<mdp_row> out;
        for (const branch& b : branches_of_pair(pair_of(state, action)))
            out.push_back({.state = state, .action = action, .probability = b.probability, .next_state = b.next, .reward = b.reward, .terminal = b.terminal});
        return out;
    }

    /// The same process with only those actions for which `rule(state, action)` holds.
    /// Throws `error` (`bad_data`) with row = state, from 1, where a state that had actions would have none.
    template <class Rule>
    [[nodiscard]] mdp restricted(const Rule& rule) const {
        mdp out(*this);
        out.pair_starts_.assign(1, 0);
        out.branch_starts_.assign(1, 0);
        out.actions_.clear();
        out.branches_.clear();
        for (std::size_t s = 0; s < n_states_; ++s) {
            for (std::size_t p = pair_starts_[s]; p < pair_starts_[s + 1]; ++p) {
                if (!rule(s, actions_[p])) continue;
                const auto kept = branches_of_pair(p);
                out.actions_.push_back(actions_[p]);
                out.branches_.insert(out.branches_.end(), kept.begin(), kept.end());
                out.branch_starts_.push_back(out.branches_.size());
            }
            out.pair_starts_.push_back(out.actions_.size());
            require_at(out.pair_starts_[s + 1] > out.pair_starts_[s] || pair_starts_[s + 1] == pair_starts_[s], errc::bad_data, {.row = s + 1},
                       "mdp: the rule leaves state ", s, " no action");
        }
        return out;
    }

    // An `Environment`, over one axis; `shaped_mdp` is one over several.
    [[nodiscard]] std::array<std::size_t, 1> reset(rng& numbers) const {
        const double u = numbers.uniform();
        const auto found = std::ranges::upper_bound(initial_, u, {}, &start::cumulative);
        return {found == initial_.end() ? initial_.back().state : found->state};
    }
    /// Throws `error` (`unknown_id`) for a state or action that there is not, or that is not allowed.
    [[nodiscard]] outcome<1> step(const std::array<std::size_t, 1>& state, std::size_t action, rng& numbers) const {
        const auto branches = branches_of_pair(pair_of(state[0], action));
        double u = numbers.uniform();
        const branch* chosen = &branches.front();
        for (const branch& b : branches) {
            chosen = &b;
            if (u < b.probability) break;
            u -= b.probability;
        }
        return {.reward = chosen->reward, .next_state = {chosen->next}, .terminal = chosen->terminal};
    }

    /// What solvers read: the allowed pairs of state s are `pair_starts()[s] .. pair_starts()[s + 1]`, `pair_actions()`
    /// their actions, and the branches of pair p are `branch_starts()[p] .. branch_starts()[p + 1]`.
    struct branch {
        double probability = 0, reward = 0;
        std::uint32_t next = 0;
        bool terminal = false;
    };
    [[nodiscard]] std::span<const std::size_t> pair_starts() const noexcept { return pair_starts_; }
    [[nodiscard]] std::span<const std::size_t> pair_actions() const noexcept { return actions_; }
    [[nodiscard]] std::span<const std::size_t> branch_starts() const noexcept { return branch_starts_; }
    [[nodiscard]] std::span<const branch> branches() const noexcept { return branches_; }
    /// The place of an allowed action among the pairs. Throws `error` (`unknown_id`).
    [[nodiscard]] std::size_t pair_of(std::size_t state, std::size_t action) const {
        const auto mine = allowed(state);
        const auto found = std::ranges::lower_bound(mine, action);
        require(found != mine.end() && *found == action, errc::unknown_id, "mdp: the action is not allowed in this state");
        return pair_starts_[state] + static_cast<std::size_t>(found - mine.begin());
    }

   private:
    struct start {
        double cumulative;
        std::size_t state;
    };

    void check_row(const mdp_row& r, std::uint64_t row) const {
        const auto at = [row](std::uint64_t column) { return place{.row = row, .column = column}; };
        require_at(r.state < n_states_, errc::unknown_id, at(1), "mdp: row ", row, ": the state lies outside ", n_states_);
        require_at(r.action < n_actions_, errc::unknown_id, at(2), "mdp: row ", row, ": the action lies outside ", n_actions_);
        require_at(std::isfinite(r.probability), errc::nan_or_inf, at(3), "mdp: row ", row, ": the probability is not finite");
        require_at(r.probability >= 0 && r.probability <= 1, errc::bad_data, at(3), "mdp: row ", row, ": the probability lies outside [0, 1]");
        require_at(r.next_state < n_states_, errc::unknown_id, at(4), "mdp: row ", row, ": the next state lies outside ", n_states_);
        require_at(std::isfinite(r.reward), errc::nan_or_inf, at(5), "mdp: row ", row, ": the reward is not finite");
    }
    void set_initial(std::span<const double> initial) {
        if (initial.empty()) {
            initial_ = {{.cumulative = 1, .state = 0}};
            return;
        }
        require(initial.size() == n_states_, errc::shape_mismatch, "mdp: ", initial.size(), " initial probabilities for ", n_states_, " states");
        double sum = 0;
        for (std::size_t s = 0; s < n_states_; ++s) {
            require_at(std::isfinite(initial[s]), errc::nan_or_inf, {.row = s + 1}, "mdp: the initial probability of state ", s, " is not finite");
            require_at(initial[s] >= 0, errc::bad_data, {.row = s + 1}, "mdp: the initial probability of state ", s, " is negative");
            if (initial[s] > 0) initial_.push_back({.cumulative = sum += initial[s], .state = s});
        }
        require(std::abs(sum - 1) <= 1e-9, errc::bad_data, "mdp: the initial probabilities sum to ", sum, ", not 1");
    }
    void build(std::span<const mdp_row> rows) {
        // A stable order of the rows by pair, then of the branches within, whatever order the table had.
        std::vector<std::size_t> order(rows.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::sort(order, {}, [&](std::size_t i) {
            const mdp_row& r = rows[i];
            return std::tuple(r.state, r.action, r.next_state, r.terminal, r.reward, r.probability, i);
        });
        std::vector<bool> acts(n_states_, false);
        for (const mdp_row& r : rows) acts[r.state] = true;
        pair_starts_.assign(1, 0);
        branch_starts_.assign(1, 0);
        for (std::size_t i = 0; i < order.size();) {
            const mdp_row& first = rows[order[i]];
            while (pair_starts_.size() <= first.state) pair_starts_.push_back(actions_.size());
            double sum = 0;
            for (; i < order.size() && rows[order[i]].state == first.state && rows[order[i]].action == first.action; ++i) {
                const mdp_row& r = rows[order[i]];
                sum += r.probability;
                add_branch(r, r.terminal || !acts[r.next_state]);
            }
            require_at(std::abs(sum - 1) <= 1e-9, errc::bad_data, {.row = first.state + 1, .column = first.action + 1}, "mdp: the probabilities of state ",
                       first.state, ", action ", first.action, " (from 0) sum to ", sum, ", not 1");
            actions_.push_back(first.action);
            branch_starts_.push_back(branches_.size());
        }
        pair_starts_.resize(n_states_ + 1, actions_.size());
    }
    // Adds up with the branch before where only the probability differs.
    void add_branch(const mdp_row& r, bool terminal) {
        if (r.probability == 0) return;
        const auto next = static_cast<std::uint32_t>(r.next_state);
        if (branches_.size() > branch_starts_.back()) {
            branch& last = branches_.back();
            if (last.next == next && last.terminal == terminal && last.reward == r.reward) {
                last.probability += r.probability;
                return;
            }
        }
        branches_.push_back({.probability = r.probability, .reward = r.reward, .next = next, .terminal = terminal});
    }
    [[nodiscard]] std::span<const branch> branches_of_pair(std::size_t pair) const noexcept {
        return std::span(branches_).subspan(branch_starts_[pair], branch_starts_[pair + 1] - branch_starts_[pair]);
    }

    std::size_t n_states_, n_actions_;
    std::vector<std::size_t> pair_starts_, actions_, branch_starts_;
    std::vector<branch> branches_;
    std::vector<start> initial_;
};

/// A process as an `Environment` whose states have N axes.
template <std::size_t N>
class shaped_mdp {
   public:
    /// Throws `error` (`shape_mismatch`) unless the shape has as many cells as the process has states.
    shaped_mdp(mdp process, std::array<std::size_t, N> shape) : process_(std::move(process)), shape_(shape) {
        require(detail::count_states(shape_, 1, "shaped_mdp") == process_.states(), errc::shape_mismatch, "shaped_mdp: the shape does not have the process's ",
                process_.states(), " states");
    }
    [[nodiscard]] std::array<std::size_t, N> reset(rng& numbers) const { return state_at(shape_, process_.reset(numbers)[0]); }
    [[nodiscard]] outcome<N> step(const std::array<std::size_t, N>& state, std::size_t action, rng& numbers) const {
        const auto out = process_.step({state_number(shape_, state)}, action, numbers);
        return {.reward = out.reward, .next_state = state_at(shape_, out.next_state[0]), .terminal = out.terminal};
    }
    [[nodiscard]] std::span<const std::size_t> allowed(const std::array<std::size_t, N>& state) const { return process_.allowed(state_number(shape_, state)); }
    [[nodiscard]] const mdp& process() const noexcept { return process_; }
    [[nodiscard]] const std::array<std::size_t, N>& shape() const noexcept { return shape_; }

   private:
    mdp process_;
    std::array<std::size_t, N> shape_;
};

// ---- exact solutions -------------------------------------------------------------------------------------------------

/// How to solve a process.
struct solve_options {
    double discount = .95;           ///< in [0, 1]; 1 for processes that end
    double tolerance = 1e-10;        ///< of the values, where they are found by iteration; not below what doubles can tell
    double ties = 1e-9;              ///< actions within this of the best one are optimal, too
    std::size_t max_rounds = 1'000'000;
    std::vector<std::size_t> start = {};  ///< policy iteration: the first policy, one action a state (empty: see there)
};

/// The optimum of a process.
struct mdp_solution {
    vec<double> v;                            ///< (states): the value of each state
    matrix<double> q;                         ///< (states, actions): of each action; -infinity where it is not allowed
    std::vector<std::size_t> policy;          ///< an optimal policy; `no_action` at ends
    ragged<std::size_t> optimal_actions;      ///< by state, ascending: all that tie with the best
    std::size_t rounds = 0;                   ///< sweeps, or policies evaluated
};

// Templates throughout, though of one type each, so that the solvers are compiled only where a process is solved.
namespace detail::exact {

inline void require_solvable(const solve_options& how, std::string_view who) {
    require(how.discount >= 0 && how.discount <= 1, errc::bad_parameter, who, ": discount must lie in [0, 1], got ", how.discount);
    require(how.tolerance >= 0 && std::isfinite(how.tolerance), errc::bad_parameter, who, ": tolerance must be finite and not negative, got ", how.tolerance);
    require(how.ties >= 0 && std::isfinite(how.ties), errc::bad_parameter, who, ": ties must be finite and not negative, got ", how.ties);
    require(how.max_rounds > 0, errc::bad_parameter, who, ": max_rounds must be at least 1");
}

// The rows of a linear map with a reward each: value = reward + sum of weight * value(next). A row is an allowed pair of
// a process, or a state under a policy. Probabilities of branches that end are left out of the sum.
struct backups {
    std::vector<std::size_t> starts{0};
    std::vector<std::uint32_t> next;
    std::vector<double> weight;  // discounted
    std::vector<double> reward;  // expected
    std::vector<char> may_end;   // an ending branch has a positive probability
    std::vector<char> any_reward;

    [[nodiscard]] std::size_t size() const noexcept { return reward.size(); }
    void open() {
        reward.push_back(0);
        may_end.push_back(0);
        any_reward.push_back(0);
    }
    void add(std::span<const mdp::branch> branches, double discount, double share = 1) {
        for (const auto& b : branches) {
            reward.back() += share * b.probability * b.reward;
            any_reward.back() |= static_cast<char>(b.reward != 0);
            if (b.terminal) {
                may_end.back() = 1;
            } else if (discount > 0) {
                next.push_back(b.next);
                weight.push_back(discount * share * b.probability);
            }
        }
    }
    void close() { starts.push_back(next.size()); }
    [[nodiscard]] double value(std::size_t row, const double* v) const noexcept {
        double sum = reward[row];
        for (std::size_t k = starts[row]; k < starts[row + 1]; ++k) sum += weight[k] * v[next[k]];
        return sum;
    }
};

template <std::same_as<mdp> Process>
std::span<const mdp::branch> branches_of(const Process& process, std::size_t pair) {
    return process.branches().subspan(process.branch_starts()[pair], process.branch_starts()[pair + 1] - process.branch_starts()[pair]);
}

// One row a pair.
template <std::same_as<mdp> Process>
backups backups_of(const Process& process, double discount) {
    backups out;
    for (std::size_t p = 0; p < process.pair_actions().size(); ++p) {
        out.open();
        out.add(branches_of(process, p), discount);
        out.close();
    }
    return out;
}
// One row a state: under `share(pair)`, the probability of each pair in its state.
template <class Share>
backups chain_of(const mdp& process, double discount, const Share& share) {
    backups out;
    for (std::size_t s = 0; s < process.states(); ++s) {
        out.open();
        const auto begin = process.pair_starts()[s], end = process.pair_starts()[s + 1];
        if (begin == end) out.may_end.back() = 1;
        for (std::size_t p = begin; p < end; ++p)
            if (const double x = share(p); x > 0) out.add(branches_of(process, p), discount, x);
        out.close();
    }
    return out;
}

inline constexpr std::uint32_t never = std::numeric_limits<std::uint32_t>::max();

// By state: the least number of steps to one of the marked states; `never` where none can be reached.
template <std::same_as<backups> Chain>
std::vector<std::uint32_t> steps_to(const Chain& chain, const std::vector<char>& marked) {
    const std::size_t n = chain.size();
    std::vector<std::size_t> starts(n + 1, 0);  // who leads to a state
    for (const auto to : chain.next) ++starts[to + std::size_t{1}];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    std::vector<std::uint32_t> from(chain.next.size());
    auto at = starts;
    for (std::size_t s = 0; s < n; ++s)
        for (std::size_t k = chain.starts[s]; k < chain.starts[s + 1]; ++k) from[at[chain.next[k]]++] = static_cast<std::uint32_t>(s);
    std::vector<std::uint32_t> distance(n, never), queue;
    for (std::size_t s = 0; s < n; ++s)
        if (marked[s] != 0) {
            distance[s] = 0;
            queue.push_back(static_cast<std::uint32_t>(s));
        }
    for (std::size_t i = 0; i < queue.size(); ++i)
        for (std::size_t k = starts[queue[i]]; k < starts[queue[i] + std::size_t{1}]; ++k)
            if (distance[from[k]] == never) {
                distance[from[k]] = distance[queue[i]] + 1;
                queue.push_back(from[k]);
            }
    return distance;
}

// At discount 1 values are finite where an end can be reached: a branch that ends, or a state from which nothing is ever
// earned. `distance` counts the steps to it.
struct endings {
    std::vector<char> idle;
    std::vector<std::uint32_t> distance;
};
template <std::same_as<backups> Chain>
endings endings_of(const Chain& chain, std::string_view who) {
    endings out{.idle = std::vector<char>(chain.size(), 0), .distance = {}};
    const auto to_reward = steps_to(chain, chain.any_reward);
    std::vector<char> ends = chain.may_end;
    for (std::size_t s = 0; s < chain.size(); ++s)
        if (to_reward[s] == never) ends[s] = out.idle[s] = 1;
    out.distance = steps_to(chain, ends);
    for (std::size_t s = 0; s < chain.size(); ++s)
        require_at(out.distance[s] != never, errc::bad_data, {.row = s + 1}, who, ": discount 1, but from state ", s,
                   " (from 0) no end can be reached while there are rewards: its value is not finite; use a discount below 1");
    return out;
}

inline double largest(std::span<const double> values) {
    double out = 0;
    for (const double x : values) out = std::max(out, std::abs(x));
    return out;
}
// When sweeps may stop: the values are then within the tolerance, or as near as rounding lets them.
inline double smallest_change(const solve_options& how, std::span<const double> v) {
    const double rounding = 16 * std::numeric_limits<double>::epsilon() * largest(v);
    return how.discount < 1 && how.discount > 0 ? std::max(how.tolerance * (1 - how.discount) / how.discount, rounding) : rounding;
}

// Repeats v = sweep(v) until it stays; `update(state, v)` gives a state's next value. Returns the number of sweeps.
template <class Update>
std::size_t sweep_until_still(std::vector<double>& v, const Update& update, const solve_options& how, const run_options& run, std::string_view who) {
    constexpr std::size_t block = 4096;
    std::vector<double> next(v.size()), changes((v.size() + block - 1) / block);
    for (std::size_t round = 1; round <= how.max_rounds; ++round) {
        parallel_blocks(v.size(), block, run, [&](std::size_t begin, std::size_t end, std::size_t number) {
            double change = 0;
            for (std::size_t s = begin; s < end; ++s) {
                next[s] = update(s, v.data());
                const double d = std::abs(next[s] - v[s]);
                change = d <= change ? change : d;  // a NaN comes through
            }
            changes[number] = change;
        });
        v.swap(next);
        const double change = largest(changes);
        require(std::isfinite(change), errc::diverged, who, ": the values left the finite numbers after ", round, " sweeps: lower the discount or the rewards");
        if (change <= smallest_change(how, v)) return round;
    }
    fail(errc::diverged, {}, who, ": the values were not still after ", how.max_rounds, " sweeps: lower the discount, or raise the tolerance or max_rounds");
}

// The value of each state of a chain, started from `v`. Returns how far off they may be.
template <std::same_as<backups> Chain>
double solve_chain(const Chain& chain, std::vector<double>& v, const solve_options& how, const run_options& run, std::string_view who) {
    constexpr std::size_t dense_limit = 600;  // where elimination still beats sweeps
    const std::size_t n = chain.size();
    const auto idle = how.discount == 1 ? endings_of(chain, who).idle : std::vector<char>(n, 0);
    if (n > dense_limit) {
        (void)sweep_until_still(v, [&](std::size_t s, const double* old) { return idle[s] != 0 ? 0 : chain.value(s, old); }, how, run, who);
        return how.tolerance;
    }
    const auto size = static_cast<row_index>(n);
    matrix<double> a = matrix<double>::Identity(size, size);
    vec<double> b = vec<double>::Zero(size);
    for (std::size_t s = 0; s < n; ++s) {
        if (idle[s] != 0) continue;
        b(static_cast<row_index>(s)) = chain.reward[s];
        for (std::size_t k = chain.starts[s]; k < chain.starts[s + 1]; ++k) a(static_cast<row_index>(s), static_cast<row_index>(chain.next[k])) -= chain.weight[k];
    }
    const vec<double> x = a.partialPivLu().solve(b);
    require(x.allFinite(), errc::diverged, who, ": the values are not finite: lower the discount or the rewards");
    v.assign(x.data(), x.data() + n);
    return 1e-12 * largest(v);
}

// Q, ties, the lowest of the best actions, and the values anew, from the values of the states.
template <std::same_as<mdp> Process>
mdp_solution solution_of(const Process& process, const backups& pairs, const std::vector<double>& v, const solve_options& how, std::size_t rounds) {
    mdp_solution out;
    const auto states = static_cast<row_index>(process.states());
    out.v = vec<double>::Zero(states);
    out.q = matrix<double>::Constant(states, static_cast<row_index>(process.actions()), -std::numeric_limits<double>::infinity());
    out.policy.assign(process.states(), no_action);
    out.rounds = rounds;
    for (std::size_t s = 0; s < process.states(); ++s) {
        const auto i = static_cast<row_index>(s);
        const auto begin = process.pair_starts()[s], end = process.pair_starts()[s + 1];
        for (std::size_t p = begin; p < end; ++p) out.q(i, static_cast<row_index>(process.pair_actions()[p])) = pairs.value(p, v.data());
        if (begin < end) out.v(i) = out.q.row(i).maxCoeff();
        for (std::size_t p = begin; p < end; ++p) {
            const std::size_t a = process.pair_actions()[p];
            if (out.q(i, static_cast<row_index>(a)) < out.v(i) - how.ties) continue;
            if (out.policy[s] == no_action) out.policy[s] = a;
            out.optimal_actions.push_back(a);
        }
        out.optimal_actions.close_row();
    }
    return out;
}

// The pair of each state that a policy names.
template <std::same_as<mdp> Process>
std::vector<std::size_t> pairs_of_policy(const Process& process, std::span<const std::size_t> policy, std::string_view who) {
    require(policy.size() == process.states(), errc::shape_mismatch, who, ": a policy for ", policy.size(), " states, the process has ", process.states());
    std::vector<std::size_t> out(process.states(), no_action);
    for (std::size_t s = 0; s < process.states(); ++s) {
        const auto mine = process.allowed(s);
        if (mine.empty()) continue;
        const auto found = std::ranges::lower_bound(mine, policy[s]);
        require_at(found != mine.end() && *found == policy[s], errc::bad_data, {.row = s + 1}, who, ": the policy's action in state ", s, " (from 0) is not allowed there");
        out[s] = process.pair_starts()[s] + static_cast<std::size_t>(found - mine.begin());
    }
    return out;
}
template <std::same_as<mdp> Process>
backups chain_of_pairs(const Process& process, double discount, const std::vector<std::size_t>& pairs) {
    backups out;
    for (const std::size_t p : pairs) {
        out.open();
        if (p == no_action) out.may_end.back() = 1;
        else out.add(branches_of(process, p), discount);
        out.close();
    }
    return out;
}
// The chain of the policy that takes every allowed action: what can be reached at all.
template <std::same_as<mdp> Process>
backups chain_of_everything(const Process& process) {
    return chain_of(process, 1, [](std::size_t) { return 1.0; });
}

// A policy that moves nearer to an end in every state.
template <std::same_as<mdp> Process>
std::vector<std::size_t> ending_policy(const Process& process, const std::vector<std::uint32_t>& distance) {
    std::vector<std::size_t> out(process.states(), no_action);
    for (std::size_t s = 0; s < process.states(); ++s) {
        const auto begin = process.pair_starts()[s], end = process.pair_starts()[s + 1];
        if (begin < end) out[s] = begin;
        for (std::size_t p = begin; p < end; ++p) {
            const auto nearer = [&](const mdp::branch& b) { return b.terminal || distance[b.next] < distance[s]; };
            if (std::ranges::any_of(branches_of(process, p), nearer)) {
                out[s] = p;
                break;
            }
        }
    }
    return out;
}
// Takes the largest reward at once, ties to the lower action.
template <std::same_as<mdp> Process>
std::vector<std::size_t> myopic_policy(const Process& process, const backups& pairs) {
    std::vector<std::size_t> out(process.states(), no_action);
    for (std::size_t s = 0; s < process.states(); ++s)
        for (std::size_t p = process.pair_starts()[s]; p < process.pair_starts()[s + 1]; ++p)
            if (out[s] == no_action || pairs.reward[p] > pairs.reward[out[s]]) out[s] = p;
    return out;
}

}  // namespace detail::exact

/// The values of the states under a policy that takes one action a state (what stands at ends is not looked at).
/// Elimination for up to 600 states, sweeps beyond.
/// Throws `error`: `bad_parameter`; `shape_mismatch`; `bad_data` with row = state, from 1, of an action that is not
/// allowed, or, at discount 1, of a state from which the policy earns for ever.
template <std::same_as<mdp> Process>
[[nodiscard]] vec<double> evaluate_policy(const Process& process, std::span<const std::size_t> policy, const solve_options& how = {}, const run_options& run = {}) {
    constexpr std::string_view who = "evaluate_policy";
    detail::exact::require_solvable(how, who);
    const auto chain = detail::exact::chain_of_pairs(process, how.discount, detail::exact::pairs_of_policy(process, policy, who));
    std::vector<double> v(process.states(), 0.0);
    (void)detail::exact::solve_chain(chain, v, how, run, who);
    return Eigen::Map<const vec<double>>(v.data(), static_cast<row_index>(v.size()));
}
/// The same for a policy that is a probability for each action, (states, actions); rows of ends are not looked at.
/// Throws `error` also: `nan_or_inf` and `bad_data` with the row and column of a probability that is not finite,
/// negative or of an action that is not allowed, and with the row of a state whose probabilities do not sum to 1.
template <std::same_as<mdp> Process>
[[nodiscard]] vec<double> evaluate_policy(const Process& process, const matrix<double>& policy, const solve_options& how = {}, const run_options& run = {}) {
    constexpr std::string_view who = "evaluate_policy";
    detail::exact::require_solvable(how, who);
    require(policy.rows() == static_cast<row_index>(process.states()) && policy.cols() == static_cast<row_index>(process.actions()), errc::shape_mismatch, who,
            ": a policy of ", policy.rows(), " x ", policy.cols(), ", the process has ", process.states(), " states and ", process.actions(), " actions");
    std::vector<double> share(process.pair_actions().size());
    for (std::size_t s = 0; s < process.states(); ++s) {
        const auto mine = process.allowed(s);
        if (mine.empty()) continue;
        double sum = 0;
        for (std::size_t a = 0, k = 0; a < process.actions(); ++a) {
            const double x = policy(static_cast<row_index>(s), static_cast<row_index>(a));
            const place at{.row = s + 1, .column = a + 1};
            require_at(std::isfinite(x), errc::nan_or_inf, at, who, ": the policy's probability of state ", s, ", action ", a, " (from 0) is not finite");
            const bool allowed = k < mine.size() && mine[k] == a;
            require_at(x >= 0 && (allowed || x == 0), errc::bad_data, at, who, ": the policy's probability of state ", s, ", action ", a,
                       " (from 0) is negative, or the action is not allowed there");
            if (allowed) share[process.pair_starts()[s] + k++] = x;
            sum += x;
        }
        require_at(std::abs(sum - 1) <= 1e-9, errc::bad_data, {.row = s + 1}, who, ": the policy's probabilities of state ", s, " (from 0) sum to ", sum, ", not 1");
    }
    const auto chain = detail::exact::chain_of(process, how.discount, [&](std::size_t p) { return share[p]; });
    std::vector<double> v(process.states(), 0.0);
    (void)detail::exact::solve_chain(chain, v, how, run, who);
    return Eigen::Map<const vec<double>>(v.data(), static_cast<row_index>(v.size()));
}

/// The optimum by sweeps of `v(s) = max over a of (reward + discount * sum of probability * v(next))` from zero
/// (Bellman, 1957), all states at once: the same bits for any number of threads. At discount 1 it may take long, and
/// among ties `policy` may be one that never ends: prefer `policy_iteration`.
/// Throws `error`: `bad_parameter`; `bad_data` (discount 1, and a state with rewards that cannot reach an end);
/// `diverged` (not still after `max_rounds` sweeps, as with a loop that earns for ever at discount 1).
template <std::same_as<mdp> Process>
[[nodiscard]] mdp_solution value_iteration(const Process& process, const solve_options& how = {}, const run_options& run = {}) {
    constexpr std::string_view who = "value_iteration";
    detail::exact::require_solvable(how, who);
    if (how.discount == 1) (void)detail::exact::endings_of(detail::exact::chain_of_everything(process), who);
    const auto pairs = detail::exact::backups_of(process, how.discount);
    const auto starts = process.pair_starts();
    const auto update = [&](std::size_t s, const double* v) {
        if (starts[s] == starts[s + 1]) return 0.0;
        double best = pairs.value(starts[s], v);
        for (std::size_t p = starts[s] + 1; p < starts[s + 1]; ++p) {
            const double x = pairs.value(p, v);
            best = x > best ? x : best;
        }
        return best;
    };
    std::vector<double> v(process.states(), 0.0);
    const std::size_t rounds = detail::exact::sweep_until_still(v, update, how, run, who);
    return detail::exact::solution_of(process, pairs, v, how, rounds);
}

/// The optimum by evaluating a policy exactly and improving it until it stays (Howard, 1960). Starts from `how.start`,
/// else from the policy with the largest reward at once, or at discount 1 from one that ends.
/// Throws `error` as `evaluate_policy` does for `how.start`, and `diverged` (no end after `max_rounds` policies).
template <std::same_as<mdp> Process>
[[nodiscard]] mdp_solution policy_iteration(const Process& process, const solve_options& how = {}, const run_options& run = {}) {
    constexpr std::string_view who = "policy_iteration";
    detail::exact::require_solvable(how, who);
    const auto pairs = detail::exact::backups_of(process, how.discount);
    std::vector<std::size_t> policy;
    if (!how.start.empty()) policy = detail::exact::pairs_of_policy(process, how.start, who);
    else if (how.discount == 1) policy = detail::exact::ending_policy(process, detail::exact::endings_of(detail::exact::chain_of_everything(process), who).distance);
    else policy = detail::exact::myopic_policy(process, pairs);
    std::vector<double> v(process.states(), 0.0);
    for (std::size_t round = 1; round <= how.max_rounds; ++round) {
        // Only what is better beyond the error of the values counts, so that ties do not go round in circles.
        const double margin = 2 * detail::exact::solve_chain(detail::exact::chain_of_pairs(process, how.discount, policy), v, how, run, who);
        bool still = true;
        for (std::size_t s = 0; s < process.states(); ++s) {
            const auto begin = process.pair_starts()[s], end = process.pair_starts()[s + 1];
            if (begin == end) continue;
            std::size_t best = begin;
            double best_value = pairs.value(begin, v.data());
            for (std::size_t p = begin + 1; p < end; ++p)
                if (const double x = pairs.value(p, v.data()); x > best_value) {
                    best = p;
                    best_value = x;
                }
            if (best_value <= pairs.value(policy[s], v.data()) + margin) continue;
            policy[s] = best;
            still = false;
        }
        if (!still) continue;
        auto out = detail::exact::solution_of(process, pairs, v, how, round);
        for (std::size_t s = 0; s < process.states(); ++s)
            if (policy[s] != no_action) out.policy[s] = process.pair_actions()[policy[s]];
        return out;
    }
    fail(errc::diverged, {}, who, ": the policy still changed after ", how.max_rounds, " rounds: raise max_rounds or the tolerance");
}

// ---- from a log --------------------------------------------------------------------------------------------------------

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
template <std::size_t N>
[[nodiscard]] mdp_estimate estimate_mdp(const std::vector<transition<N>>& log, const std::array<std::size_t, N>& shape, std::size_t actions, const estimate_options& how = {}) {
    return estimate_mdp(std::span<const transition<N>>(log), shape, actions, how);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
