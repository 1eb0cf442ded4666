#ifndef CARAMEL_POLICY_Q_LEARNING_HPP
#define CARAMEL_POLICY_Q_LEARNING_HPP

// Learners of Q-tables: from a simulator, from a log, from a source of transitions, or online, one at a time inside a host.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/policy/explore.hpp>
#include <caramel/policy/q_core.hpp>
#include <caramel/policy/q_planning.hpp>
#include <caramel/policy/q_policy.hpp>
#include <caramel/policy/q_rules.hpp>
#include <caramel/policy/q_sweeps.hpp>
#include <caramel/policy/q_table.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Something that gives transitions one after the other: a const call `source(rng&)` or `source()` with a transition, or an
/// optional of one, empty at the end. What it reads from, it refers to.
template <class G, std::size_t N = 1>
concept TransitionSource = requires(const G& source, rng& numbers) {
    { source(numbers) } -> std::convertible_to<std::optional<transition<N>>>;
} || requires(const G& source) {
    { source() } -> std::convertible_to<std::optional<transition<N>>>;
};

/// Recipe for `q_policy`: values of actions learnt from a simulator, a log, a source of transitions, or online (`q_learner`).
/// `Rule` says how: Q-learning, or one of those that have names below: `sarsa<T, N>`, `q_lambda<T, N>`, ...
template <class T, std::size_t N = 1, class Rule = one_step_rule>
struct q_learning {
    using stage_concept = recipe_tag;

    std::array<std::size_t, N> states = {};      ///< cells of each axis: to be given
    std::size_t actions = 0;                     ///< to be given
    double discount = .95;                       ///< in [0, 1]
    double step_size_exponent = .6;              ///< the n-th update of a cell has the rate n^-exponent, in (0, 1]
    std::optional<double> learning_rate = {};    ///< a constant rate in (0, 1] instead
    exploration_schedule epsilon = {};           ///< environment: the share of random actions
    std::size_t steps = 200'000;                 ///< environment: in all; source: at most; online: the length of the schedule
    std::size_t restart_every = 60;              ///< environment: an episode is cut off after so many steps; 0 = never
    std::size_t sweeps = 50;                     ///< log: times through it, forwards and backwards in turn; rules of more than one step only forwards
    double initial_value = 0;                    ///< of every cell, and of a state where a log shows no action
    bool allow_untried = false;                  ///< whether an action that was never tried in a state may be chosen there; in a log or source, also count
    std::optional<std::size_t> default_action = {};  ///< where no tried action may be chosen; empty: an error
    std::optional<q_policy<T, N>> start = {};    ///< learn on from here
    /// Environment: over this last share of the steps, rates n^-exponent fall to 0 in a straight line as well. Before they are
    /// sqrt(.05 / (1 - discount)) as large, up to four times, where the discount is above .95, but at most 1.
    double cool_down = 1;
    std::optional<exploration> explore = {};     ///< environment, online: another way to explore than by `epsilon`
    Rule rule = {};

    /// Learns by acting in an environment. Actions that it does not allow are neither taken nor valued.
    /// Progress is reported a hundred times; the loss is the mean squared temporal difference.
    /// Throws `error`: `bad_parameter`, `shape_mismatch` (`start`); with row = step, from 1, `unknown_id` (a state or
    /// action outside the table), `nan_or_inf` (a reward), `bad_data` (a state that allows nothing); `diverged`.
    template <Environment<N> E>
    [[nodiscard]] q_policy<T, N> fit(const E& world, const fit_options& options) const;

    /// Learns from a log, of whatever policy. Only actions that the log (or `start`) shows in a state are valued and chosen
    /// there, unless `allow_untried`. Visits count the log once, not every sweep. Q-learning takes the rows in any order; to
    /// rules of more than one step, a row whose state is the next state of the row before goes on from there.
    /// Throws `error`: `bad_parameter`, `shape_mismatch` (`start`), `empty_input`; `unknown_id` and `nan_or_inf` with
    /// the row of the log and the column (of N state axes, the action, the reward, N axes of the next state); `diverged`.
    [[nodiscard]] q_policy<T, N> fit(std::span<const transition<N>> log, const fit_options& options) const;

    /// Learns from a source, each transition once, as from a log that is too long to hold: until it ends, or for `steps`.
    /// Throws `error` as for a log.
    template <TransitionSource<N> G>
        requires(!Environment<G, N>)
    [[nodiscard]] q_policy<T, N> fit(const G& source, const fit_options& options) const;
};

/// Learns the values of the policy that acts, exploration included; `.rule = {.n = 4}` from returns of four steps.
template <class T, std::size_t N = 1>
using sarsa = q_learning<T, N, n_step_rule<return_end::taken>>;
/// The same with the mean over what may be done next: less noise.
template <class T, std::size_t N = 1>
using expected_sarsa = q_learning<T, N, n_step_rule<return_end::expected>>;
/// Returns of several steps, as long as the best actions are taken.
template <class T, std::size_t N = 1>
using n_step_q = q_learning<T, N, n_step_rule<return_end::greedy>>;
/// Watkins' Q(lambda).
template <class T, std::size_t N = 1>
using q_lambda = q_learning<T, N, trace_rule>;
/// Two tables against optimism.
template <class T, std::size_t N = 1>
using double_q_learning = q_learning<T, N, double_rule>;
/// Average rewards.
template <class T, std::size_t N = 1>
using differential_q_learning = q_learning<T, N, differential_rule>;
/// Remembered steps besides real ones.
template <class T, std::size_t N = 1>
using dyna_q = q_learning<T, N, dyna_rule>;
/// The process as seen so far, worked out where it matters.
template <class T, std::size_t N = 1>
using prioritized_sweeping = q_learning<T, N, sweeping_rule>;

namespace detail {

// The table, the rule's memory, and what both need of a step.
template <class T, std::size_t N, class Rule>
class q_engine {
   public:
    using engine_type = rule_engine<Rule, T, N>;

    q_engine(const q_learning<T, N, Rule>& recipe, const rng& numbers)
        : core(recipe, Rule::name), engine_((engine_type::check(recipe.rule), recipe.rule), core, numbers) {}

    q_core<T, N> core;

    /// `row` is the step's number, for errors that the rule has with it.
    double learn(const flat_step& t, double heat, std::uint64_t row) {
        double loss = 0;
        try {
            loss = engine_.learn(core, t, heat, false);
        } catch (const error& e) {
            if (e.code() != errc::bad_data) throw;
            fail(e.code(), {.row = row}, e.what(), " (step ", row, ")");
        }
        if constexpr (engine_type::counts_apart) core.visit(t.state, t.action);
        return loss;
    }
    // A step of a log, whose visits were counted.
    double learn_logged(const flat_step& t, bool again) { return engine_.learn(core, t, 1, again); }
    void cut(double heat) { engine_.cut(core, heat); }

   private:
    engine_type engine_;
};

// Tells an observer a hundred times of so many steps.
class step_reports {
   public:
    step_reports(const fit_options& options, std::string_view stage, std::size_t steps)
        : options_(options), stage_(stage), steps_(steps), every_(std::max<std::size_t>(1, steps / 100)) {}
    // False when the observer says stop.
    bool go_on(std::size_t step, double loss) {
        loss_ += loss;
        if (step % every_ != 0 && step != steps_) return true;
        const std::size_t since = step % every_ == 0 ? every_ : step % every_;
        const progress now{
            .stage = stage_, .step = (step + every_ - 1) / every_, .steps = (steps_ + every_ - 1) / every_, .loss = loss_ / static_cast<double>(since)};
        loss_ = 0;
        return !options_.on_progress || options_.on_progress(now) != verdict::stop;
    }

   private:
    const fit_options& options_;
    std::string_view stage_;
    std::size_t steps_, every_;
    double loss_ = 0;
};

// The first time that a state comes up, the environment is asked what it allows there.
template <std::size_t N, class T, class E>
class environment_masks {
   public:
    environment_masks(const E& world, q_table<T, N>& table, std::string_view who)
        : world_(world), table_(table), who_(who), known_(MaskedEnvironment<E> ? table.state_count() : 0) {}

    // The number of a state that came at this step.
    std::size_t enter(const state_of_environment<E>& state, std::uint64_t step) {
        const std::size_t number = checked_state(table_.states(), to_state<N>(state), who_, step);
        if constexpr (MaskedEnvironment<E>) {
            if (known_[number] != 0) return number;
            const auto& list = world_.allowed(state);
            try {
                table_.allow_only_at(number, list);
            } catch (const error& e) {
                fail(e.code(), {.row = step}, e.what(), " (the environment's allowed, step ", step, ")");
            }
            known_[number] = 1;
        }
        return number;
    }

   private:
    const E& world_;
    q_table<T, N>& table_;
    std::string_view who_;
    std::vector<std::uint8_t> known_;
};

}  // namespace detail

template <class T, std::size_t N, class Rule>
template <Environment<N> E>
q_policy<T, N> q_learning<T, N, Rule>::fit(const E& world, const fit_options& options) const {
    const rng base = stage_rng(options, q_policy<T, N>::kind);
    rng of_world = base.split("environment");
    rng of_choices = base.split("choices");
    detail::q_engine<T, N, Rule> engine(*this, base.split("rule"));
    auto& core = engine.core;
    auto& table = core.table;
    detail::environment_masks<N, T, E> masks(world, table, Rule::name);

    // What was learnt in the end is a mean over many steps, not the last step's luck. Rewards that lie far ahead come near by
    // a share of about (1 - discount) * rate a step: what was believed first would stay too long if rates did not make up for it.
    const double reach = std::min(4.0, std::sqrt(std::max(1.0, .05 / (1 - discount))));
    const auto heat = [this, reach](std::size_t step) {
        return reach * std::min(1.0, static_cast<double>(steps - step) / (cool_down * static_cast<double>(steps)));
    };
    detail::step_reports reports(options, q_policy<T, N>::kind, steps);
    auto state = world.reset(of_world);
    std::size_t number = masks.enter(state, 1);
    for (std::size_t k = 0, age = 1; k < steps; ++k, ++age) {
        const std::uint64_t step = k + 1;
        core.level = core.explore.level.at(k, steps);
        const auto chosen = detail::explore(core.explore, core.level, std::span<const T>(table.values_of(number)),
                                            std::span<const std::uint64_t>(table.visits_of(number)), table.allowed_of(number), of_choices);
        auto got = world.step(state, chosen.action, of_world);
        detail::flat_step now{
            .state = number, .next = number, .action = chosen.action, .reward = static_cast<double>(got.reward), .terminal = static_cast<bool>(got.terminal)};
        require_at(std::isfinite(now.reward), errc::nan_or_inf, {.row = step}, Rule::name, ": the reward of step ", step, " is not finite");
        if (!now.terminal) {
            state = std::move(got.next_state);
            now.next = masks.enter(state, step);
        }
        const double loss = engine.learn(now, heat(k), step);
        number = now.next;
        if (now.terminal || age == restart_every) {
            if (!now.terminal) engine.cut(heat(k));
            state = world.reset(of_world);
            number = masks.enter(state, step + 1);
            age = 0;
        }
        if (!reports.go_on(step, loss)) break;
    }
    engine.cut(heat(steps - 1));
    return std::move(core).policy();
}

template <class T, std::size_t N, class Rule>
q_policy<T, N> q_learning<T, N, Rule>::fit(std::span<const transition<N>> log, const fit_options& options) const {
    detail::q_engine<T, N, Rule> engine(*this, stage_rng(options, q_policy<T, N>::kind).split("rule"));
    auto& core = engine.core;
    require(!log.empty(), errc::empty_input, Rule::name, ": no transitions to learn from");
    const auto go_on = [&](std::size_t sweep, double loss) {
        const progress now{.stage = q_policy<T, N>::kind, .step = sweep, .steps = sweeps, .loss = loss};
        return !options.on_progress || options.on_progress(now) != verdict::stop;
    };
    if constexpr (std::same_as<Rule, one_step_rule>) {
        const auto sweep_all = [&]<class Offset>(Offset) {
            detail::log_sweeps<T, N, Offset> run(core, log);
            for (std::size_t sweep = 1; sweep <= sweeps; ++sweep)
                if (!go_on(sweep, run.sweep(sweep % 2 == 1))) break;
            run.finish();
        };
        const std::size_t most = (core.table.state_count() + 2) * detail::log_sweeps<T, N, std::uint32_t>::stride_of(actions) + log.size();
        if (most < std::numeric_limits<std::uint32_t>::max()) sweep_all(std::uint32_t{});
        else sweep_all(std::uint64_t{});
    } else {
        std::vector<detail::flat_step> entries;
        entries.reserve(log.size());
        if (core.updates.empty()) core.count_apart();  // every sweep counts towards the rate
        for (std::size_t i = 0; i < log.size(); ++i) {
            entries.push_back(detail::checked_step(log[i], states, actions, Rule::name, i + 1));
            core.visit(entries.back().state, entries.back().action);
        }
        core.value_only_tried();
        core.follows_log = true;
        for (std::size_t sweep = 1; sweep <= sweeps; ++sweep) {
            double loss = 0;
            for (std::size_t i = 0; i < entries.size(); ++i) {
                const bool forwards = detail::rule_engine<Rule, T, N>::in_order || sweep % 2 == 1;
                try {
                    loss += engine.learn_logged(entries[forwards ? i : entries.size() - 1 - i], sweep > 1);
                } catch (const error& e) {
                    if (e.code() != errc::bad_data) throw;
                    fail(e.code(), {.row = i + 1}, e.what(), " (row ", i + 1, ")");
                }
            }
            engine.cut(1);
            if (!go_on(sweep, loss / static_cast<double>(entries.size()))) break;
        }
    }
    return std::move(core).policy();
}

template <class T, std::size_t N, class Rule>
template <TransitionSource<N> G>
    requires(!Environment<G, N>)
q_policy<T, N> q_learning<T, N, Rule>::fit(const G& source, const fit_options& options) const {
    const rng base = stage_rng(options, q_policy<T, N>::kind);
    rng numbers = base.split("environment");
    detail::q_engine<T, N, Rule> engine(*this, base.split("rule"));
    auto& core = engine.core;
    core.value_only_tried();
    core.follows_log = true;
    detail::step_reports reports(options, q_policy<T, N>::kind, steps);
    for (std::size_t k = 0; k < steps; ++k) {
        std::optional<transition<N>> got;
        if constexpr (requires { source(numbers); }) got = source(numbers);
        else got = source();
        require(got || k > 0, errc::empty_input, Rule::name, ": no transitions to learn from");
        if (!got) break;
        const auto step = detail::checked_step(*got, states, actions, Rule::name, k + 1);
        core.saw(step.state, step.action);
        if (!reports.go_on(k + 1, engine.learn(step, 1, k + 1))) break;
    }
    engine.cut(1);
    return std::move(core).policy();
}

/// Learns online, one transition at a time, and hands out immutable policies. One thread a learner.
///     q_learner learner(sarsa<float>{.states = {6, 3}, .actions = 4});
///     const choice c = learner.decide(numbers, {.state = {2, 1}});        // log c.action and c.propensity
///     learner.learn({.state = {2, 1}, .action = c.action, .reward = 3, .next_state = {0, 2}});
template <class T, std::size_t N = 1, class Rule = one_step_rule>
class q_learner {
   public:
    /// What the recipe says of environments and logs has no meaning here, but for the exploration and the length of its
    /// schedule; its `start` may be an earlier snapshot. `seed` is for rules that need chance.
    /// Throws `error`: `bad_parameter`, `shape_mismatch`.
    explicit q_learner(const q_learning<T, N, Rule>& recipe, std::uint64_t seed = 0)
        : engine_(recipe, stage_rng({.seed = seed}, q_policy<T, N>::kind).split("rule")), shape_(recipe.states), steps_(recipe.steps) {
        engine_.core.level = engine_.core.explore.level.at(0, steps_);
    }

    /// From now on only these actions are valued and chosen in this state; at first every action is.
    /// Throws `error`: `unknown_id`, `bad_data` (an empty list).
    template <class Actions = std::initializer_list<std::size_t>>
    void allow_only(const std::array<std::size_t, N>& state, const Actions& list) {
        engine_.core.table.allow_only(state, list);
    }

    /// Learns from one step, of whatever policy. Rules of more than one step take a step that begins where the last one led
    /// as its continuation, and learn of some steps only when the next ones are known.
    /// Throws `error` and changes nothing: `unknown_id`, `nan_or_inf` (with columns as for a log, and the number of the
    /// observation as the row), `bad_data` (a terminal step, of average rewards); also `diverged`, where rules of more than
    /// one step keep what they had learnt of it before.
    void learn(const transition<N>& t) {
        const auto step = detail::checked_step(t, shape_, table().actions(), "q_learner", observed_ + 1);
        engine_.learn(step, 1, observed_ + 1);
        ++observed_;
        engine_.core.level = engine_.core.explore.level.at(observed_, steps_);
    }
    void observe(const transition<N>& t) { learn(t); }  ///< the same, by its older name

    /// Chooses by the recipe's exploration, as far as its schedule has got with the steps observed, among the actions that
    /// the table and the decision allow; those that were never tried count with their initial value. The choice says its
    /// propensity: log it.
    /// Throws `error`: `unknown_id`, `bad_data` (nothing is allowed).
    [[nodiscard]] choice decide(rng& numbers, const decision<N>& asked) const { return choose_by(asked, engine_.core.explore, engine_.core.level, numbers); }
    /// With probability `epsilon` any allowed action, all equally likely, else the best so far, ties to the lower one.
    /// Throws `error` also: `bad_parameter` (epsilon outside [0, 1]).
    [[nodiscard]] choice choose(const decision<N>& asked, double epsilon, rng& numbers) const {
        detail::require_share(epsilon, "q_learner", "epsilon");
        return choose_by(asked, {}, epsilon, numbers);
    }

    /// What was learnt so far, as a model.
    [[nodiscard]] q_policy<T, N> snapshot() const { return engine_.core.policy(); }
    [[nodiscard]] const q_table<T, N>& table() const noexcept { return engine_.core.table; }
    [[nodiscard]] std::size_t observed() const noexcept { return observed_; }

   private:
    choice choose_by(const decision<N>& asked, const exploration& by, double level, rng& numbers) const {
        const std::size_t number = table().number_of(asked.state);
        const auto allowed = table().allowed_of(number);
        choice out;
        if (asked.allowed) {
            std::vector<std::uint8_t> open(table().actions(), 0);
            for (const std::size_t a : *asked.allowed) {
                require(a < open.size(), errc::unknown_id, "q_learner: the decision allows an action that does not exist, there are ", open.size());
                open[a] = allowed[a];
            }
            out = detail::explore(by, level, table().values_of(number), table().visits_of(number), std::span<const std::uint8_t>(open), numbers);
        } else {
            out = detail::explore(by, level, table().values_of(number), table().visits_of(number), allowed, numbers);
        }
        require(out.action != no_action, errc::bad_data, "q_learner: no action may be taken: the table and the decision together allow none");
        return out;
    }

    detail::q_engine<T, N, Rule> engine_;
    std::array<std::size_t, N> shape_;
    std::size_t steps_, observed_ = 0;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
