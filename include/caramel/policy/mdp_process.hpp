#ifndef CARAMEL_POLICY_MDP_PROCESS_HPP
#define CARAMEL_POLICY_MDP_PROCESS_HPP

// Finite Markov decision processes with sparse transitions, as tables that can be simulated.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/span_of.hpp>
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
    template <class = void>
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
    template <class = void>
    [[nodiscard]] std::span<const std::size_t> allowed(std::size_t state) const {
        require(state + 1 < pair_starts_.size(), errc::unknown_id, "mdp: no such state, there are ", n_states_);
        return std::span(actions_).subspan(pair_starts_[state], pair_starts_[state + 1] - pair_starts_[state]);
    }
    template <class = void>
    [[nodiscard]] std::span<const std::size_t> allowed(const std::array<std::size_t, 1>& state) const { return allowed(state[0]); }

    /// What an action may lead to, by ascending next state. Throws `error` (`unknown_id`) for an action that is not allowed.
    template <class = void>
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
    template <class = void>
    [[nodiscard]] std::array<std::size_t, 1> reset(rng& numbers) const {
        const double u = numbers.uniform();
        const auto found = std::upper_bound(initial_.begin(), initial_.end(), u, [](double v, const start& one) { return v < one.cumulative; });
        return {found == initial_.end() ? initial_.back().state : found->state};
    }
    /// Throws `error` (`unknown_id`) for a state or action that there is not, or that is not allowed.
    template <class = void>
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

    /// The probability of each state to be the first of an episode.
    template <class = void>
    [[nodiscard]] std::vector<double> initial() const {
        std::vector<double> out(n_states_, 0.0);
        for (const start& x : initial_) out[x.state] = x.probability;
        return out;
    }

    /// What solvers read: the allowed pairs of state s are `pair_starts()[s] .. pair_starts()[s + 1]`, `pair_actions()`
    /// their actions, and the branches of pair p are `branch_starts()[p] .. branch_starts()[p + 1]`.
    struct branch {
        double probability = 0, reward = 0;
        std::uint32_t next = 0;
        bool terminal = false;
    };
    [[nodiscard]] std::span<const std::size_t> pair_starts() const noexcept { return detail::span_of(pair_starts_); }
    [[nodiscard]] std::span<const std::size_t> pair_actions() const noexcept { return detail::span_of(actions_); }
    [[nodiscard]] std::span<const std::size_t> branch_starts() const noexcept { return detail::span_of(branch_starts_); }
    template <class = void>
    [[nodiscard]] std::span<const branch> branches() const noexcept { return detail::span_of(branches_); }
    /// The place of an allowed action among the pairs. Throws `error` (`unknown_id`).
    template <class = void>
    [[nodiscard]] std::size_t pair_of(std::size_t state, std::size_t action) const {
        const auto mine = allowed(state);
        const auto found = std::lower_bound(mine.begin(), mine.end(), action);
        require(found != mine.end() && *found == action, errc::unknown_id, "mdp: the action is not allowed in this state");
        return pair_starts_[state] + static_cast<std::size_t>(found - mine.begin());
    }

   private:
    struct start {
        double cumulative, probability;
        std::size_t state;
    };

    template <class = void>
    void check_row(const mdp_row& r, std::uint64_t row) const {
        const auto at = [row](std::uint64_t column) { return place{.row = row, .column = column}; };
        require_at(r.state < n_states_, errc::unknown_id, at(1), "mdp: row ", row, ": the state lies outside ", n_states_);
        require_at(r.action < n_actions_, errc::unknown_id, at(2), "mdp: row ", row, ": the action lies outside ", n_actions_);
        require_at(std::isfinite(r.probability), errc::nan_or_inf, at(3), "mdp: row ", row, ": the probability is not finite");
        require_at(r.probability >= 0 && r.probability <= 1, errc::bad_data, at(3), "mdp: row ", row, ": the probability lies outside [0, 1]");
        require_at(r.next_state < n_states_, errc::unknown_id, at(4), "mdp: row ", row, ": the next state lies outside ", n_states_);
        require_at(std::isfinite(r.reward), errc::nan_or_inf, at(5), "mdp: row ", row, ": the reward is not finite");
    }
    template <class = void>
    void set_initial(std::span<const double> initial) {
        if (initial.empty()) {
            initial_ = {{.cumulative = 1, .probability = 1, .state = 0}};
            return;
        }
        require(initial.size() == n_states_, errc::shape_mismatch, "mdp: ", initial.size(), " initial probabilities for ", n_states_, " states");
        double sum = 0;
        for (std::size_t s = 0; s < n_states_; ++s) {
            require_at(std::isfinite(initial[s]), errc::nan_or_inf, {.row = s + 1}, "mdp: the initial probability of state ", s, " is not finite");
            require_at(initial[s] >= 0, errc::bad_data, {.row = s + 1}, "mdp: the initial probability of state ", s, " is negative");
            if (initial[s] > 0) initial_.push_back({.cumulative = sum += initial[s], .probability = initial[s], .state = s});
        }
        require(std::abs(sum - 1) <= 1e-9, errc::bad_data, "mdp: the initial probabilities sum to ", sum, ", not 1");
    }
    template <class = void>
    void build(std::span<const mdp_row> rows) {
        // A stable order of the rows by pair, then of the branches within, whatever order the table had.
        std::vector<std::size_t> order(rows.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        const auto key = [&](std::size_t i) {
            const mdp_row& r = rows[i];
            return std::tuple(r.state, r.action, r.next_state, r.terminal, r.reward, r.probability, i);
        };
        if (!std::ranges::is_sorted(order, {}, key)) std::ranges::sort(order, {}, key);
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
    template <class = void>
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
    template <class = void>
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

}  // namespace caramel::inline CARAMEL_ABI

#endif
