#ifndef CARAMEL_POLICY_Q_PLANNING_HPP
#define CARAMEL_POLICY_Q_PLANNING_HPP

// Rules that learn a model of the process beside the values, and learn from that as well: few steps of real customers, many
// of remembered ones.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/policy/q_core.hpp>
#include <caramel/policy/q_rules.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Dyna-Q: after each step so many updates more, of pairs that were tried before, all equally likely, with outcomes as often
/// as they were seen (Sutton, 1990; Sutton & Barto, 2nd ed., section 8.2). With 0 it is Q-learning.
struct dyna_rule {
    static constexpr std::string_view name = "dyna_q";
    std::size_t planning_steps = 5;
};

/// Prioritized sweeping: values are those of the process that was seen, worked out where they would change most (Moore &
/// Atkeson, Machine Learning 13, 1993). No step sizes.
struct sweeping_rule {
    static constexpr std::string_view name = "prioritized_sweeping";
    std::size_t planning_steps = 5;  ///< pairs worked out after each step, besides the step's own
    double threshold = 1e-6;         ///< at least 0, in the unit of the values: smaller changes are not followed up
};

namespace detail {

// What was seen to follow each pair of a state and an action. A template so that it is compiled only where it is used.
template <std::same_as<flat_step> Step>
class outcome_memory {
   public:
    struct seen {
        std::size_t next;
        bool terminal;
        std::uint64_t count;
        double reward;  // mean
    };
    explicit outcome_memory(std::size_t cells) : of_cell_(cells), counts_(cells) {}

    // True when the pair led there for the first time.
    bool add(std::size_t cell, const Step& t) {
        auto& mine = of_cell_[cell];
        auto found = std::find_if(mine.begin(), mine.end(), [&](const seen& s) { return s.terminal == t.terminal && (t.terminal || s.next == t.next); });
        const bool first = found == mine.end();
        if (first) {
            if (mine.empty()) tried_.push_back(cell);
            found = mine.insert(mine.end(), {.next = t.next, .terminal = t.terminal, .count = 0, .reward = 0});
        }
        ++found->count;
        ++counts_[cell];
        found->reward += (t.reward - found->reward) / static_cast<double>(found->count);
        return first && !t.terminal;
    }
    [[nodiscard]] const std::vector<seen>& of(std::size_t cell) const noexcept { return of_cell_[cell]; }
    [[nodiscard]] std::uint64_t count(std::size_t cell) const noexcept { return counts_[cell]; }
    [[nodiscard]] const std::vector<std::size_t>& tried() const noexcept { return tried_; }

   private:
    std::vector<std::vector<seen>> of_cell_;
    std::vector<std::uint64_t> counts_;
    std::vector<std::size_t> tried_;  // in the order in which they came
};

template <class T, std::size_t N>
class rule_engine<dyna_rule, T, N> {
   public:
    static constexpr bool in_order = false, counts_apart = true;
    static void check(const dyna_rule&) {}
    rule_engine(const dyna_rule& rule, q_core<T, N>& core, const rng& numbers)
        : steps_(rule.planning_steps), memory_(core.table.values().size()), numbers_(numbers) {
        core.count_apart();
    }
    double learn(q_core<T, N>& core, const flat_step& t, double heat, bool again) {
        const double loss = update(core, t, heat);
        if (!again) memory_.add(t.state * core.actions() + t.action, t);
        for (std::size_t i = 0; i < steps_; ++i) {
            const std::size_t cell = memory_.tried()[numbers_.below(memory_.tried().size())];
            auto left = numbers_.below(memory_.count(cell));
            const auto* s = memory_.of(cell).data();
            for (; left >= s->count; ++s) left -= s->count;
            update(core, {.state = cell / core.actions(), .next = s->next, .action = cell % core.actions(), .reward = s->reward, .terminal = s->terminal},
                   heat);
        }
        return loss;
    }
    void cut(q_core<T, N>&, double) {}

   private:
    static double update(q_core<T, N>& core, const flat_step& t, double heat) {
        const double future = t.terminal ? 0 : core.worth(t.next);
        return core.update(t.state, t.action, t.reward + core.discount * future, heat);
    }
    std::size_t steps_;
    outcome_memory<flat_step> memory_;
    rng numbers_;
};

template <class T, std::size_t N>
class rule_engine<sweeping_rule, T, N> {
   public:
    static constexpr bool in_order = false, counts_apart = true;
    static void check(const sweeping_rule& rule) {
        require(rule.threshold >= 0 && std::isfinite(rule.threshold), errc::bad_parameter, rule.name, ": rule.threshold must be finite and at least 0, got ",
                rule.threshold);
    }
    rule_engine(const sweeping_rule& rule, const q_core<T, N>& core, const rng&)
        : rule_(rule), memory_(core.table.values().size()), before_(core.table.state_count()), urgency_(core.table.values().size()) {}

    double learn(q_core<T, N>& core, const flat_step& t, double, bool again) {
        double loss = 0;
        const std::size_t cell = t.state * core.actions() + t.action;
        if (!again) {
            if (memory_.add(cell, t)) before_[t.next].push_back(cell);
            loss = work_out(core, cell);
        }
        for (std::size_t i = 0; i < rule_.planning_steps && !queue_.empty(); ++i) {
            std::pop_heap(queue_.begin(), queue_.end(), less_urgent);
            const entry top = queue_.back();
            queue_.pop_back();
            if (urgency_[top.cell] != top.urgency) {  // it was worked out, or came in again as more urgent
                --i;
                continue;
            }
            loss = std::max(loss, work_out(core, top.cell));
        }
        return loss;
    }
    void cut(q_core<T, N>&, double) {}

   private:
    struct entry {
        double urgency;
        std::size_t cell;
    };
    static bool less_urgent(const entry& a, const entry& b) noexcept { return a.urgency != b.urgency ? a.urgency < b.urgency : a.cell > b.cell; }

    [[nodiscard]] double target(const q_core<T, N>& core, std::size_t cell) const {
        const auto n = static_cast<double>(memory_.count(cell));
        double sum = 0;
        for (const auto& s : memory_.of(cell)) sum += static_cast<double>(s.count) / n * (s.reward + (s.terminal ? 0 : core.discount * core.worth(s.next)));
        return sum;
    }
    // Sets a pair to what its outcomes are worth, and asks whether those that lead to its state must follow.
    double work_out(q_core<T, N>& core, std::size_t cell) {
        const std::size_t n = core.actions(), state = cell / n;
        urgency_[cell] = 0;
        T& value = core.value(state, cell % n);
        const double next = target(core, cell), difference = next - static_cast<double>(value), worth = core.worth(state);
        require_in_range<T>(next, core.who);
        value = static_cast<T>(next);
        if (core.worth(state) != worth)
            for (const std::size_t c : before_[state]) {
                const double change = std::abs(target(core, c) - static_cast<double>(core.value(c / n, c % n)));
                if (change <= std::max(rule_.threshold, urgency_[c])) continue;
                urgency_[c] = change;
                queue_.push_back({.urgency = change, .cell = c});
                std::push_heap(queue_.begin(), queue_.end(), less_urgent);
            }
        if (queue_.size() > 2 * urgency_.size() + 64) {  // entries that were overtaken
            std::erase_if(queue_, [&](const entry& e) { return urgency_[e.cell] != e.urgency; });
            std::make_heap(queue_.begin(), queue_.end(), less_urgent);
        }
        return difference * difference;
    }

    sweeping_rule rule_;
    outcome_memory<flat_step> memory_;
    std::vector<std::vector<std::size_t>> before_;  // by state: the pairs that were seen to lead there
    std::vector<double> urgency_;                   // by pair: how much it would change; 0 = it does not wait
    std::vector<entry> queue_;
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
