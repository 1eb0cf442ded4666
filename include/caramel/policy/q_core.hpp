#ifndef CARAMEL_POLICY_Q_CORE_HPP
#define CARAMEL_POLICY_Q_CORE_HPP

// What the learners of Q-tables share: the table, what may be valued in it, how fast it learns, and which exploration is
// being followed.

#include <algorithm>
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
#include <caramel/policy/explore.hpp>
#include <caramel/policy/q_policy.hpp>
#include <caramel/policy/q_table.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// The rate of the n-th update of a cell.
class step_sizes {
   public:
    template <class = void>
    step_sizes(double exponent, std::optional<double> constant) : exponent_(exponent), constant_(constant.value_or(0)) {
        if (constant) return;
        first_.resize(2048);
        for (std::size_t n = 1; n < first_.size(); ++n) first_[n] = std::pow(static_cast<double>(n), -exponent_);
    }
    [[nodiscard]] bool constant() const noexcept { return constant_ > 0; }
    [[nodiscard]] double of(std::uint64_t n) const noexcept {
        if (n < first_.size()) [[likely]]
            return first_[n];
        return constant_ > 0 ? constant_ : std::pow(static_cast<double>(n), -exponent_);
    }

   private:
    double exponent_, constant_;
    std::vector<double> first_;  // a power costs more than all else that an update does
};

template <class T>
void require_in_range(double next, std::string_view who) {
    if (!(std::abs(next) <= static_cast<double>(std::numeric_limits<T>::max()))) [[unlikely]]
        fail(errc::diverged, {}, who, ": a value left the finite numbers: scale the rewards down, or lower the discount");
}

template <class T, std::size_t N>
class q_core {
   public:
    template <class R>
    q_core(const R& recipe, std::string_view name)
        : who(name),
          discount(checked(recipe, name).discount),
          initial(recipe.initial_value),
          allow_untried(recipe.allow_untried),
          default_action(recipe.default_action ? static_cast<std::int64_t>(*recipe.default_action) : -1),
          sizes(recipe.step_size_exponent, recipe.learning_rate),
          explore(recipe.explore ? *recipe.explore : exploration{.level = recipe.epsilon}),
          table(first_table(recipe)) {}

    std::string_view who;
    double discount, initial;
    bool allow_untried;
    std::int64_t default_action;
    step_sizes sizes;
    exploration explore;
    q_table<T, N> table;
    double level = 0;                 ///< of the exploration, now
    bool follows_log = false;         ///< what is done next is what the log does, as often as it did
    double reward_rate = 0;
    std::vector<std::uint8_t> tried;  ///< empty: what the table allows is open; else these are the marks
    std::vector<std::uint64_t> updates;  ///< empty: the table's visits count towards the rates; else these do

    [[nodiscard]] std::size_t actions() const noexcept { return table.actions(); }
    [[nodiscard]] const T* values_at(std::size_t state) const noexcept { return table.values_of(state).data(); }
    [[nodiscard]] const std::uint8_t* open_at(std::size_t state) const noexcept {
        return tried.empty() ? table.allowed_of(state).data() : tried.data() + state * actions();
    }
    [[nodiscard]] T& value(std::size_t state, std::size_t action) noexcept { return table.values_of(state)[action]; }

    // From now on only what was tried is valued, unless that is not asked for.
    void value_only_tried() {
        if (allow_untried) return;
        const auto *const allowed = table.allowed().data();
        const auto* const visits = table.visits().data();
        tried.resize(table.values().size());
        for (std::size_t i = 0; i < tried.size(); ++i) tried[i] = static_cast<std::uint8_t>(allowed[i] != 0 && visits[i] > 0);
    }
    void saw(std::size_t state, std::size_t action) noexcept {
        if (!tried.empty()) tried[state * actions() + action] = table.allowed_of(state)[action];
    }
    // Updates are counted apart from visits.
    void count_apart() {
        const auto* const visits = table.visits().data();
        updates.assign(visits, visits + table.visits().size());
    }
    // How often a cell was updated.
    [[nodiscard]] std::uint64_t& count_of(std::size_t state, std::size_t action) noexcept {
        return updates.empty() ? table.visits_of(state)[action] : updates[state * actions() + action];
    }
    void visit(std::size_t state, std::size_t action) noexcept { ++table.visits_of(state)[action]; }

    // The value of the best action of a state.
    [[nodiscard]] double worth(std::size_t state) const noexcept {
        const T best = largest_open(values_at(state), open_at(state), actions());
        return best == -std::numeric_limits<T>::infinity() ? initial : static_cast<double>(best);
    }
    // The mean value of what is done next.
    [[nodiscard]] double expected(std::size_t state) const noexcept {
        const auto values = table.values_of(state);
        const auto visits = table.visits_of(state);
        const std::span<const std::uint8_t> open(open_at(state), actions());
        if (!follows_log) return expected_value(explore, level, values, visits, open, initial);
        double sum = 0, n = 0;
        for (std::size_t a = 0; a < values.size(); ++a) {
            if (open[a] == 0 || visits[a] == 0) continue;
            sum += static_cast<double>(visits[a]) * static_cast<double>(values[a]);
            n += static_cast<double>(visits[a]);
        }
        return n > 0 ? sum / n : initial;
    }

    // One update of a cell towards a target, at a share `heat` of its rate, counted. Returns the squared difference.
    // Nothing changes when the value would leave the finite numbers.
    double update(std::size_t state, std::size_t action, double target, double heat) {
        std::uint64_t& count = count_of(state, action);
        const double squared = move(value(state, action), target, count + 1, heat);
        ++count;
        return squared;
    }
    double move(T& cell, double target, std::uint64_t n, double heat) const {
        const double difference = target - static_cast<double>(cell);
        const double rate = sizes.constant() ? sizes.of(n) : std::min(1.0, heat * sizes.of(n));
        const double next = static_cast<double>(cell) + rate * difference;
        require_in_range<T>(next, who);
        cell = static_cast<T>(next);
        return difference * difference;
    }

    [[nodiscard]] q_policy<T, N> policy() const& { return {table, allow_untried, default_action, reward_rate}; }
    [[nodiscard]] q_policy<T, N> policy() && { return {std::move(table), allow_untried, default_action, reward_rate}; }

   private:
    template <class R>
    static const R& checked(const R& r, std::string_view who) {
        (void)count_states(r.states, r.actions, who);
        require_share(r.discount, who, "discount");
        require(r.step_size_exponent > 0 && r.step_size_exponent <= 1, errc::bad_parameter, who, ": step_size_exponent must lie in (0, 1], got ",
                r.step_size_exponent);
        require(!r.learning_rate || (*r.learning_rate > 0 && *r.learning_rate <= 1), errc::bad_parameter, who, ": learning_rate must lie in (0, 1], got ",
                r.learning_rate.value_or(0));
        require_schedule(r.epsilon, who, "epsilon", 1);
        if (r.explore) require_exploration(*r.explore, who);
        require_share(r.cool_down, who, "cool_down");
        require(r.steps > 0, errc::bad_parameter, who, ": steps must be at least 1");
        require(r.sweeps > 0, errc::bad_parameter, who, ": sweeps must be at least 1");
        require(std::abs(r.initial_value) <= static_cast<double>(std::numeric_limits<T>::max()), errc::bad_parameter, who,
                ": initial_value must be finite, got ", r.initial_value);
        require(!r.default_action || *r.default_action < r.actions, errc::bad_parameter, who, ": default_action must be one of the ", r.actions, " actions");
        require(!r.start || (r.start->cells().states() == r.states && r.start->cells().actions() == r.actions), errc::shape_mismatch, who,
                ": the policy to start from has other states or actions");
        return r;
    }
    template <class R>
    static q_table<T, N> first_table(const R& r) {
        if (r.start) return r.start->cells();
        return {r.states, r.actions, static_cast<T>(r.initial_value)};
    }
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
