#ifndef CARAMEL_POLICY_Q_RULES_HPP
#define CARAMEL_POLICY_Q_RULES_HPP

// How one step changes a Q-table: the rules that `q_learning` learns by. A rule is a few numbers; its engine holds what
// learning by it needs to remember.
//
// An engine is `engine(rule, core, rng)` with
//   `learn(core, step, heat, again)`: takes one step, in the order in which they happened, and returns the squared temporal
//       difference; `again` when a log is gone through once more;
//   `cut(core, heat)`: what follows does not continue what went before;
//   `in_order`: a log is only ever read forwards; `counts_apart`: visits are left to the driver.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/policy/q_core.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// `q += rate * (reward + discount * max over a of q(next, a) - q)`: it finds the optimal values whatever policy made the
/// data (Watkins & Dayan, Machine Learning 8, 1992).
struct one_step_rule {
    static constexpr std::string_view name = "q_learning";
};

/// What stands at the end of a return of several steps.
enum class return_end : std::uint8_t {
    greedy,    ///< the best action's value; the return ends early before an action that is not the best: the optimum, whatever policy made the data
    taken,     ///< the value of the action that was then taken: the policy that made the data (SARSA: Rummery & Niranjan, 1994)
    expected,  ///< the mean value under the exploration, or in a log as often as it took each action (van Seijen et al., 2009)
};

/// Returns of `n` rewards (Sutton & Barto, Reinforcement Learning, 2nd ed., chapter 7). The value that stands behind the
/// last step of an episode that was cut off is not known where it is that of the action taken: that step is left out.
template <return_end End>
struct n_step_rule {
    static constexpr std::string_view name = End == return_end::greedy ? "n_step_q" : End == return_end::taken ? "sarsa" : "expected_sarsa";
    std::size_t n = End == return_end::greedy ? 3 : 1;  ///< at least 1
};

/// Watkins' Q(lambda): what is learnt in a step reaches the steps before it, by lambda * discount less from one to the
/// next, back to the last action that was not the best (Watkins, 1989; replacing traces: Singh & Sutton, 1996).
struct trace_rule {
    static constexpr std::string_view name = "q_lambda";
    double lambda = .8;      ///< in [0, 1]; 0 is Q-learning
    double smallest = .001;  ///< in (0, 1]: a trace below this is dropped
};

/// Two tables, one to say which action is best and one to say what it is worth, so that luck is not taken for value (van
/// Hasselt, NeurIPS 2010). The policy's values are their mean.
struct double_rule {
    static constexpr std::string_view name = "double_q_learning";
};

/// Average rewards instead of discounted ones (differential Q-learning: Wan, Naik & Sutton, ICML 2021): the recipe's discount
/// has no meaning, the values are relative to `reward_rate()`, the mean reward of a step. For processes without an end:
/// a terminal step is an error.
struct differential_rule {
    static constexpr std::string_view name = "differential_q_learning";
    double rate_share = .1;  ///< above 0: of a cell's rate, with which the mean reward is learnt
};

namespace detail {

template <class Rule, class T, std::size_t N>
class rule_engine;

template <class T, std::size_t N>
class rule_engine<one_step_rule, T, N> {
   public:
    static constexpr bool in_order = false, counts_apart = false;
    static void check(const one_step_rule&) {}
    rule_engine(const one_step_rule&, const q_core<T, N>&, const rng&) {}
    double learn(q_core<T, N>& core, const flat_step& t, double heat, bool) {
        const double future = t.terminal ? 0 : core.worth(t.next);
        return core.update(t.state, t.action, t.reward + core.discount * future, heat);
    }
    void cut(q_core<T, N>&, double) {}
};

template <return_end End, class T, std::size_t N>
class rule_engine<n_step_rule<End>, T, N> {
   public:
    static constexpr bool in_order = true, counts_apart = false;
    static void check(const n_step_rule<End>& rule) { require(rule.n > 0, errc::bad_parameter, rule.name, ": rule.n must be at least 1"); }
    rule_engine(const n_step_rule<End>& rule, const q_core<T, N>&, const rng&) : n_(rule.n) {}

    double learn(q_core<T, N>& core, const flat_step& t, double heat, bool) {
        double loss = 0;
        if (!waiting_.empty() && waiting_.back().next != t.state) cut(core, heat);
        if constexpr (End == return_end::greedy) {
            if (!waiting_.empty() && static_cast<double>(core.value(t.state, t.action)) < core.worth(t.state)) loss += settle_all(core, core.worth(t.state), heat);
        } else if constexpr (End == return_end::taken) {
            if (waiting_.size() == n_) loss += settle_first(core, static_cast<double>(core.value(t.state, t.action)), heat);
        }
        waiting_.push_back(t);
        if (t.terminal) return loss + settle_all(core, 0, heat);
        if constexpr (End != return_end::taken)
            if (waiting_.size() == n_) loss += settle_first(core, behind(core, t.next), heat);
        return loss;
    }
    void cut(q_core<T, N>& core, double heat) {
        if (waiting_.empty()) return;
        const flat_step last = waiting_.back();
        if constexpr (End == return_end::taken) {
            waiting_.pop_back();
            settle_all(core, static_cast<double>(core.value(last.state, last.action)), heat);
        } else {
            settle_all(core, behind(core, last.next), heat);
        }
    }

   private:
    static double behind(const q_core<T, N>& core, std::size_t state) { return End == return_end::greedy ? core.worth(state) : core.expected(state); }
    double settle_first(q_core<T, N>& core, double end, double heat) {
        const flat_step first = waiting_.front();
        for (std::size_t i = waiting_.size(); i-- > 0;) end = waiting_[i].reward + core.discount * end;
        waiting_.erase(waiting_.begin());  // some steps at most
        return core.update(first.state, first.action, end, heat);
    }
    double settle_all(q_core<T, N>& core, double end, double heat) {
        // The values behind must be known before the first of them changes.
        double loss = 0;
        std::vector<double> targets(waiting_.size());
        for (std::size_t i = waiting_.size(); i-- > 0;) targets[i] = end = waiting_[i].reward + core.discount * end;
        const std::vector<flat_step> steps = std::move(waiting_);
        waiting_.clear();
        for (std::size_t i = 0; i < steps.size(); ++i) loss += core.update(steps[i].state, steps[i].action, targets[i], heat);
        return loss;
    }

    std::size_t n_;
    std::vector<flat_step> waiting_;  // steps whose return is not complete
};

template <class T, std::size_t N>
class rule_engine<trace_rule, T, N> {
   public:
    static constexpr bool in_order = true, counts_apart = false;
    static void check(const trace_rule& rule) {
        require_share(rule.lambda, rule.name, "rule.lambda");
        require(rule.smallest > 0 && rule.smallest <= 1, errc::bad_parameter, rule.name, ": rule.smallest must lie in (0, 1], got ", rule.smallest);
    }
    rule_engine(const trace_rule& rule, const q_core<T, N>&, const rng&) : rule_(rule) {}

    double learn(q_core<T, N>& core, const flat_step& t, double heat, bool) {
        const bool follows = !traces_.empty() && next_ == t.state && static_cast<double>(core.value(t.state, t.action)) >= core.worth(t.state);
        if (!follows) traces_.clear();
        std::size_t kept = 0;
        for (trace& e : traces_) {
            e.weight *= core.discount * rule_.lambda;
            if (e.weight >= rule_.smallest && (e.state != t.state || e.action != t.action)) traces_[kept++] = e;
        }
        traces_.resize(kept);
        const double future = t.terminal ? 0 : core.worth(t.next);
        const double target = t.reward + core.discount * future;
        const double difference = target - static_cast<double>(core.value(t.state, t.action));
        const double loss = core.update(t.state, t.action, target, heat);
        for (const trace& e : traces_) {
            T& cell = core.value(e.state, e.action);
            core.move(cell, static_cast<double>(cell) + e.weight * difference, core.count_of(e.state, e.action), heat);
        }
        if (t.terminal) {
            traces_.clear();
        } else {
            traces_.push_back({.state = t.state, .action = t.action, .weight = 1});
            next_ = t.next;
        }
        return loss;
    }
    void cut(q_core<T, N>&, double) { traces_.clear(); }

   private:
    struct trace {
        std::size_t state, action;
        double weight;
    };
    trace_rule rule_;
    std::vector<trace> traces_;  // of different cells, the oldest first
    std::size_t next_ = 0;       // where the last step led
};

template <class T, std::size_t N>
class rule_engine<double_rule, T, N> {
   public:
    static constexpr bool in_order = false, counts_apart = true;
    static void check(const double_rule&) {}
    rule_engine(const double_rule&, const q_core<T, N>& core, const rng& numbers) : numbers_(numbers) {
        const auto& values = core.table.values();
        for (side& s : sides_) {
            s.values.assign(values.data(), values.data() + values.size());
            s.counts.resize(values.size());
        }
    }
    double learn(q_core<T, N>& core, const flat_step& t, double heat, bool) {
        const std::size_t n = core.actions(), cell = t.state * n + t.action;
        const std::uint64_t coin = numbers_() >> 63U;
        side &mine = sides_[coin], &other = sides_[1 - coin];
        double future = 0;
        if (!t.terminal) {
            const std::size_t best = best_action(std::span<const T>(mine.values).subspan(t.next * n, n), std::span(core.open_at(t.next), n));
            future = best == no_action ? core.initial : static_cast<double>(other.values[t.next * n + best]);
        }
        const double loss = core.move(mine.values[cell], t.reward + core.discount * future, mine.counts[cell] + 1, heat);
        ++mine.counts[cell];
        core.value(t.state, t.action) = static_cast<T>(.5 * static_cast<double>(mine.values[cell]) + .5 * static_cast<double>(other.values[cell]));
        return loss;
    }
    void cut(q_core<T, N>&, double) {}

   private:
    struct side {
        std::vector<T> values;
        std::vector<std::uint64_t> counts;
    };
    side sides_[2];
    rng numbers_;
};

template <class T, std::size_t N>
class rule_engine<differential_rule, T, N> {
   public:
    static constexpr bool in_order = false, counts_apart = false;
    static void check(const differential_rule& rule) {
        require(rule.rate_share > 0 && std::isfinite(rule.rate_share), errc::bad_parameter, rule.name, ": rule.rate_share must be above 0, got ", rule.rate_share);
    }
    rule_engine(const differential_rule& rule, const q_core<T, N>&, const rng&) : share_(rule.rate_share) {}
    double learn(q_core<T, N>& core, const flat_step& t, double heat, bool) {
        require(!t.terminal, errc::bad_data, core.who, ": a step is terminal: average rewards are of processes that go on");
        const double before = static_cast<double>(core.value(t.state, t.action));
        const double loss = core.update(t.state, t.action, t.reward - core.reward_rate + core.worth(t.next), heat);
        // As Wan et al. have it: the mean moves by a share of what the value moved by.
        core.reward_rate += share_ * (static_cast<double>(core.value(t.state, t.action)) - before);
        return loss;
    }
    void cut(q_core<T, N>&, double) {}

   private:
    double share_;
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
