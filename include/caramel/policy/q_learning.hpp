#ifndef CARAMEL_POLICY_Q_LEARNING_HPP
#define CARAMEL_POLICY_Q_LEARNING_HPP

// Tabular Q-learning: from a simulator, from a log, or online, one transition at a time inside a host.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/policy/explore.hpp>
#include <caramel/policy/q_table.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Takes the action of highest value, ties to the lower one, among those that the table and the decision allow.
template <class T, std::size_t N = 1>
class q_policy {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "q_policy";

    /// An action without visits in a state is taken there only if `allow_untried`. Where no action is left,
    /// `default_action` is taken, if it is allowed; -1 = there is none.
    /// Throws `error` (`bad_data`) when there is no such default action.
    q_policy(q_table<T, N> table, bool allow_untried, std::int64_t default_action)
        : table_(std::move(table)), allow_untried_(allow_untried), default_action_(default_action), open_(table_.values().size()) {
        require(default_action_ >= -1 && default_action_ < static_cast<std::int64_t>(table_.actions()), errc::bad_data, "q_policy: there is no action ", default_action_,
                " to be the default, there are ", table_.actions());
        const auto* const allowed = table_.allowed().data();
        const auto* const visits = table_.visits().data();
        for (std::size_t i = 0; i < open_.size(); ++i) open_[i] = static_cast<std::uint8_t>(allowed[i] != 0 && (allow_untried_ || visits[i] > 0));
    }

    /// One decision. The propensity is 1: exploring is for learners.
    /// Throws `error`: `unknown_id` for a state outside the table (with the axis, from 1, as `where().column`), for one
    /// that was never seen in training while there is no default action, and for an allowed action that does not exist;
    /// `bad_data` when no action may be taken.
    [[nodiscard]] choice operator()(const decision<N>& asked, workspace&) const { return (*this)(asked); }
    [[nodiscard]] choice operator()(const decision<N>& asked) const {
        const std::size_t number = table_.number_of(asked.state);
        const auto values = table_.values_of(number);
        const auto open = open_of(number);
        const std::size_t action = asked.allowed ? best_listed(values, open, *asked.allowed) : detail::best_action(values, open);
        if (action == no_action) [[unlikely]]
            return last_resort(number, asked);
        return {.action = action, .propensity = 1, .value = static_cast<double>(values[action])};
    }
    /// A batch: choice i answers decision i. An `error` has the decision's number, from 1, as its row.
    [[nodiscard]] std::vector<choice> operator()(std::span<const decision<N>> batch) const {
        std::vector<choice> out;
        out.reserve(batch.size());
        for (std::size_t i = 0; i < batch.size(); ++i) {
            try {
                out.push_back((*this)(batch[i]));
            } catch (const error& e) {
                fail(e.code(), {.row = i + 1, .column = e.where().column}, e.what(), " (decision ", i + 1, ")");
            }
        }
        return out;
    }

    /// By state number: the action that a decision without further limits gets; `no_action` where that is an error.
    [[nodiscard]] std::vector<std::size_t> greedy_actions() const {
        std::vector<std::size_t> out(table_.state_count());
        for (std::size_t s = 0; s < out.size(); ++s) {
            out[s] = detail::best_action(table_.values_of(s), open_of(s));
            if (out[s] == no_action && may_default(s)) out[s] = static_cast<std::size_t>(default_action_);
        }
        return out;
    }

    /// The values, (states..., actions), as they are.
    [[nodiscard]] const tensor<T, N + 1>& table() const noexcept { return table_.values(); }
    /// The values with their visits and what is allowed.
    [[nodiscard]] const q_table<T, N>& cells() const noexcept { return table_; }
    [[nodiscard]] bool allow_untried() const noexcept { return allow_untried_; }
    [[nodiscard]] std::optional<std::size_t> default_action() const noexcept {
        return default_action_ < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(default_action_));
    }

    static constexpr std::array field_names{"table", "allow_untried", "default_action"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(table_, allow_untried_, default_action_); }

   private:
    std::span<const std::uint8_t> open_of(std::size_t number) const noexcept { return {open_.data() + number * table_.actions(), table_.actions()}; }

    static std::size_t best_listed(std::span<const T> values, std::span<const std::uint8_t> open, const std::vector<std::size_t>& list) {
        require(!list.empty(), errc::bad_data, "q_policy: the decision allows no action");
        for (const std::size_t a : list) require(a < values.size(), errc::unknown_id, "q_policy: the decision allows an action that does not exist, there are ", values.size());
        return detail::best_action(values, open, std::span(list));
    }
    // Not where a rule of the table forbids it. A state of which no rule is known forbids nothing.
    bool may_default(std::size_t number) const noexcept {
        if (default_action_ < 0) return false;
        const auto allowed = table_.allowed_of(number);
        return allowed[static_cast<std::size_t>(default_action_)] != 0 || std::ranges::all_of(allowed, [](std::uint8_t mark) { return mark == 0; });
    }
    CARAMEL_COLD choice last_resort(std::size_t number, const decision<N>& asked) const {
        const auto action = static_cast<std::size_t>(default_action_);
        if (may_default(number) && (!asked.allowed || std::ranges::find(*asked.allowed, action) != asked.allowed->end()))
            return {.action = action, .propensity = 1, .value = static_cast<double>(table_.values_of(number)[action])};
        const bool unknown = std::ranges::all_of(open_of(number), [](std::uint8_t mark) { return mark == 0; });
        require(!unknown, errc::unknown_id, "q_policy: no action was tried in this state in training; a default_action of the recipe would be taken here");
        fail(errc::bad_data, {}, "q_policy: none of the actions that the decision allows may be taken in this state");
    }

    q_table<T, N> table_;
    bool allow_untried_;
    std::int64_t default_action_;
    std::vector<std::uint8_t> open_;  // what may be taken: worked out from the table
};

/// Recipe for `q_policy`: Watkins' Q-learning, `q += rate * (reward + discount * max over a of q(next, a) - q)`, which
/// finds the optimal values whatever policy made the data (Watkins & Dayan, Machine Learning 8, 1992).
template <class T, std::size_t N = 1>
struct q_learning {
    using stage_concept = recipe_tag;

    std::array<std::size_t, N> states = {};      ///< cells of each axis: to be given
    std::size_t actions = 0;                     ///< to be given
    double discount = .95;                       ///< in [0, 1]
    double step_size_exponent = .6;              ///< the n-th update of a cell has the rate n^-exponent, in (0, 1]
    std::optional<double> learning_rate = {};    ///< a constant rate in (0, 1] instead
    linear_schedule epsilon = {};                ///< environment: the share of random actions
    std::size_t steps = 200'000;                 ///< environment: in all
    std::size_t restart_every = 60;              ///< environment: an episode is cut off after so many steps; 0 = never
    std::size_t sweeps = 50;                     ///< log: times through it, forwards and backwards in turn
    double initial_value = 0;                    ///< of every cell, and of a state where a log shows no action
    bool allow_untried = false;                  ///< whether an action that was never tried in a state may be chosen there; in a log, also count
    std::optional<std::size_t> default_action = {};  ///< where no tried action may be chosen; empty: an error
    std::optional<q_policy<T, N>> start = {};    ///< learn on from here
    double cool_down = .35;                      ///< environment: over this last share of the steps, rates n^-exponent fall to 0 in a straight line as well

    /// Learns by acting epsilon-greedily in an environment. Actions that it does not allow are neither taken nor valued.
    /// Progress is reported a hundred times; the loss is the mean squared temporal difference.
    /// Throws `error`: `bad_parameter`, `shape_mismatch` (`start`); with row = step, from 1, `unknown_id` (a state or
    /// action outside the table), `nan_or_inf` (a reward), `bad_data` (a state that allows nothing); `diverged`.
    template <Environment<N> E>
    [[nodiscard]] q_policy<T, N> fit(const E& world, const fit_options& options) const;

    /// Learns from a log, in any order, of whatever policy. Only actions that the log (or `start`) shows in a state are
    /// valued and chosen there, unless `allow_untried`. Visits count the log once, not every sweep. No randomness.
    /// Throws `error`: `bad_parameter`, `shape_mismatch` (`start`), `empty_input`; `unknown_id` and `nan_or_inf` with
    /// the row of the log and the column (of N state axes, the action, the reward, N axes of the next state); `diverged`.
    [[nodiscard]] q_policy<T, N> fit(std::span<const transition<N>> log, const fit_options& options) const;
};

namespace detail {

// The table and how it learns; the recipe was checked.
template <class T, std::size_t N>
class q_core {
   public:
    explicit q_core(const q_learning<T, N>& recipe) : recipe_(checked(recipe)), table_(first_table(recipe)) { recipe_.start.reset(); }

    [[nodiscard]] const q_learning<T, N>& recipe() const noexcept { return recipe_; }
    [[nodiscard]] q_table<T, N>& table() noexcept { return table_; }
    [[nodiscard]] const q_table<T, N>& table() const noexcept { return table_; }

    // The value of a state under `open` marks.
    [[nodiscard]] double worth(std::size_t number, std::span<const std::uint8_t> open) const noexcept {
        const auto values = table_.values_of(number);
        const std::size_t best = best_action(values, open);
        return best == no_action ? recipe_.initial_value : static_cast<double>(values[best]);
    }
    // The n-th update of a cell towards reward + discount * future, at `heat` times its rate. Returns the squared temporal
    // difference. Nothing changes when the value would leave the finite numbers.
    double update(T& value, std::uint64_t n, double reward, double future, double heat = 1) const {
        const double difference = reward + recipe_.discount * future - static_cast<double>(value);
        const double rate = recipe_.learning_rate ? *recipe_.learning_rate : heat * std::pow(static_cast<double>(n), -recipe_.step_size_exponent);
        const double next = static_cast<double>(value) + rate * difference;
        require(std::abs(next) <= static_cast<double>(std::numeric_limits<T>::max()), errc::diverged,
                "q_learning: a value left the finite numbers: scale the rewards down, or lower the discount");
        value = static_cast<T>(next);
        return difference * difference;
    }
    [[nodiscard]] q_policy<T, N> policy() const {
        return {table_, recipe_.allow_untried, recipe_.default_action ? static_cast<std::int64_t>(*recipe_.default_action) : -1};
    }

   private:
    static const q_learning<T, N>& checked(const q_learning<T, N>& r) {
        constexpr std::string_view who = "q_learning";
        (void)count_states(r.states, r.actions, who);
        require_share(r.discount, who, "discount");
        require(r.step_size_exponent > 0 && r.step_size_exponent <= 1, errc::bad_parameter, who, ": step_size_exponent must lie in (0, 1], got ", r.step_size_exponent);
        require(!r.learning_rate || (*r.learning_rate > 0 && *r.learning_rate <= 1), errc::bad_parameter, who, ": learning_rate must lie in (0, 1], got ",
                r.learning_rate.value_or(0));
        require_schedule(r.epsilon, who);
        require_share(r.cool_down, who, "cool_down");
        require(r.steps > 0, errc::bad_parameter, who, ": steps must be at least 1");
        require(r.sweeps > 0, errc::bad_parameter, who, ": sweeps must be at least 1");
        require(std::abs(r.initial_value) <= static_cast<double>(std::numeric_limits<T>::max()), errc::bad_parameter, who, ": initial_value must be finite, got ", r.initial_value);
        require(!r.default_action || *r.default_action < r.actions, errc::bad_parameter, who, ": default_action must be one of the ", r.actions, " actions");
        require(!r.start || (r.start->cells().states() == r.states && r.start->cells().actions() == r.actions), errc::shape_mismatch, who,
                ": the policy to start from has other states or actions");
        return r;
    }
    static q_table<T, N> first_table(const q_learning<T, N>& r) {
        if (r.start) return r.start->cells();
        return {r.states, r.actions, static_cast<T>(r.initial_value)};
    }

    q_learning<T, N> recipe_;
    q_table<T, N> table_;
};

// What an environment's states are called in errors: the step at which they came.
template <std::size_t N, class S>
std::size_t enter(const std::array<std::size_t, N>& shape, const S& state, std::uint64_t step) {
    return checked_state(shape, to_state<N>(state), "q_learning", step);
}

// The first time that a state comes up, the environment is asked what it allows there.
template <std::size_t N, class T, class E>
class environment_masks {
   public:
    environment_masks(const E& world, q_table<T, N>& table) : world_(world), table_(table), known_(MaskedEnvironment<E> ? table.state_count() : 0) {}

    void learn(const state_of_environment<E>& state, std::size_t number, std::uint64_t step) {
        if constexpr (MaskedEnvironment<E>) {
            if (known_[number] != 0) return;
            const auto& list = world_.allowed(state);
            try {
                table_.allow_only_at(number, list);
            } catch (const error& e) {
                fail(e.code(), {.row = step}, e.what(), " (the environment's allowed, step ", step, ")");
            }
            known_[number] = 1;
        }
    }

   private:
    const E& world_;
    q_table<T, N>& table_;
    std::vector<std::uint8_t> known_;
};

}  // namespace detail

template <class T, std::size_t N>
template <Environment<N> E>
q_policy<T, N> q_learning<T, N>::fit(const E& world, const fit_options& options) const {
    detail::q_core<T, N> core(*this);
    auto& table = core.table();
    detail::environment_masks<N, T, E> masks(world, table);
    const rng base = stage_rng(options, q_policy<T, N>::kind);
    rng of_world = base.split("environment");
    rng of_choices = base.split("choices");

    const auto first = [&](std::uint64_t step) {
        auto state = world.reset(of_world);
        const std::size_t number = detail::enter(states, state, step);
        masks.learn(state, number, step);
        return std::pair(std::move(state), number);
    };
    auto [state, number] = first(1);
    // What was learnt in the end is a mean over many steps, not the last step's luck.
    const auto heat = [this](std::size_t step) { return std::min(1.0, static_cast<double>(steps - step) / (cool_down * static_cast<double>(steps))); };
    const std::size_t report = std::max<std::size_t>(1, steps / 100);
    double loss = 0;
    for (std::size_t k = 0, age = 1; k < steps; ++k, ++age) {
        const std::uint64_t step = k + 1;
        const auto chosen = detail::epsilon_greedy(std::span<const T>(table.values_of(number)), table.allowed_of(number), epsilon.at(k, steps), of_choices);
        auto got = world.step(state, chosen.action, of_world);
        const auto reward = static_cast<double>(got.reward);
        require_at(std::isfinite(reward), errc::nan_or_inf, {.row = step}, "q_learning: the reward of step ", step, " is not finite");
        double future = 0;
        std::size_t next = number;
        if (!got.terminal) {
            state = std::move(got.next_state);
            next = detail::enter(states, state, step);
            masks.learn(state, next, step);
            future = core.worth(next, table.allowed_of(next));
        }
        auto& visits = table.visits_of(number)[chosen.action];
        loss += core.update(table.values_of(number)[chosen.action], visits + 1, reward, future, heat(k));
        ++visits;
        number = next;
        if (got.terminal || age == restart_every) {
            std::tie(state, number) = first(step + 1);
            age = 0;
        }
        if (step % report == 0 || step == steps) {
            const std::size_t since = step % report == 0 ? report : step % report;
            const progress now{.stage = q_policy<T, N>::kind, .step = (step + report - 1) / report, .steps = (steps + report - 1) / report, .loss = loss / static_cast<double>(since)};
            loss = 0;
            if (options.on_progress && options.on_progress(now) == verdict::stop) break;
        }
    }
    return core.policy();
}

template <class T, std::size_t N>
q_policy<T, N> q_learning<T, N>::fit(std::span<const transition<N>> log, const fit_options& options) const {
    struct entry {
        std::size_t cell, next;  // next = no_action where the step is terminal
        double reward;
    };
    detail::q_core<T, N> core(*this);
    auto& table = core.table();
    require(!log.empty(), errc::empty_input, "q_learning: no transitions to learn from");
    std::vector<entry> entries;
    entries.reserve(log.size());
    for (std::size_t i = 0; i < log.size(); ++i) {
        const auto t = detail::checked_step(log[i], states, actions, "q_learning", i + 1);
        entries.push_back({.cell = t.state * actions + t.action, .next = t.terminal ? no_action : t.next, .reward = t.reward});
    }

    const auto visits = std::span(table.visits_of(0).data(), table.state_count() * actions);
    std::vector<std::uint64_t> updates(visits.begin(), visits.end());  // every sweep counts towards the rate
    for (const entry& e : entries) ++visits[e.cell];
    std::vector<std::uint8_t> open(visits.size());
    for (std::size_t i = 0; i < open.size(); ++i) open[i] = static_cast<std::uint8_t>(table.allowed().data()[i] != 0 && (allow_untried || visits[i] > 0));

    const auto values = std::span(table.values_of(0).data(), visits.size());
    for (std::size_t sweep = 1; sweep <= sweeps; ++sweep) {
        double loss = 0;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const entry& e = entries[sweep % 2 == 1 ? i : entries.size() - 1 - i];
            const double future = e.next == no_action ? 0 : core.worth(e.next, std::span(open).subspan(e.next * actions, actions));
            loss += core.update(values[e.cell], ++updates[e.cell], e.reward, future);
        }
        const progress now{.stage = q_policy<T, N>::kind, .step = sweep, .steps = sweeps, .loss = loss / static_cast<double>(entries.size())};
        if (options.on_progress && options.on_progress(now) == verdict::stop) break;
    }
    return core.policy();
}

/// Learns online, one transition at a time, and hands out immutable policies. One thread a learner.
template <class T, std::size_t N = 1>
class q_learner {
   public:
    /// What the recipe says of environments and logs has no meaning here; its `start` may be an earlier snapshot.
    /// Throws `error`: `bad_parameter`, `shape_mismatch`.
    explicit q_learner(const q_learning<T, N>& recipe) : core_(recipe) {}

    /// From now on only these actions are valued and chosen in this state; at first every action is.
    /// Throws `error`: `unknown_id`, `bad_data` (an empty list).
    template <class Actions = std::initializer_list<std::size_t>>
    void allow_only(const std::array<std::size_t, N>& state, const Actions& list) {
        core_.table().allow_only(state, list);
    }

    /// Learns from one step, of whatever policy. Throws `error` and changes nothing: `unknown_id`, `nan_or_inf` (with
    /// columns as for a log, and the number of the observation as the row), `diverged`.
    void observe(const transition<N>& t) {
        auto& table = core_.table();
        const auto& recipe = core_.recipe();
        const auto step = detail::checked_step(t, recipe.states, recipe.actions, "q_learner", observed_ + 1);
        const double future = step.terminal ? 0 : core_.worth(step.next, table.allowed_of(step.next));
        auto& visits = table.visits_of(step.state)[step.action];
        core_.update(table.values_of(step.state)[step.action], visits + 1, step.reward, future);
        ++visits;
        ++observed_;
    }

    /// With probability `epsilon` any allowed action, all equally likely, else the best so far, ties to the lower one;
    /// actions that were never tried count with their initial value.
    /// Throws `error`: `bad_parameter` (epsilon outside [0, 1]), `unknown_id`, `bad_data` (nothing is allowed).
    [[nodiscard]] choice choose(const decision<N>& asked, double epsilon, rng& numbers) const {
        detail::require_share(epsilon, "q_learner", "epsilon");
        const auto& table = core_.table();
        const std::size_t number = table.number_of(asked.state);
        const auto allowed = table.allowed_of(number);
        choice out;
        if (asked.allowed) {
            std::vector<std::uint8_t> open(table.actions(), 0);
            for (const std::size_t a : *asked.allowed) {
                require(a < open.size(), errc::unknown_id, "q_learner: the decision allows an action that does not exist, there are ", open.size());
                open[a] = allowed[a];
            }
            out = detail::epsilon_greedy(table.values_of(number), std::span<const std::uint8_t>(open), epsilon, numbers);
        } else {
            out = detail::epsilon_greedy(table.values_of(number), allowed, epsilon, numbers);
        }
        require(out.action != no_action, errc::bad_data, "q_learner: no action may be taken: the table and the decision together allow none");
        return out;
    }

    /// What was learnt so far, as a model.
    [[nodiscard]] q_policy<T, N> snapshot() const { return core_.policy(); }
    [[nodiscard]] const q_table<T, N>& table() const noexcept { return core_.table(); }
    [[nodiscard]] std::size_t observed() const noexcept { return observed_; }

   private:
    detail::q_core<T, N> core_;
    std::size_t observed_ = 0;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
