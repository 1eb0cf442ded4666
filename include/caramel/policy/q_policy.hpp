#ifndef CARAMEL_POLICY_Q_POLICY_HPP
#define CARAMEL_POLICY_Q_POLICY_HPP

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
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
    /// `default_action` is taken, if it is allowed; -1 = there is none. `reward_rate` is what learners of average rewards
    /// found: the values are then relative to it.
    /// Throws `error`: `bad_data` when there is no such default action, or the rate is not finite; `limit_exceeded`
    /// (2^32 - 1 actions).
    q_policy(q_table<T, N> table, bool allow_untried, std::int64_t default_action, double reward_rate = 0)
        : table_(std::move(table)), allow_untried_(allow_untried), default_action_(default_action), reward_rate_(reward_rate), open_(table_.values().size()),
          greedy_(table_.state_count(), none) {
        require(table_.actions() < none, errc::limit_exceeded, "q_policy: ", table_.actions(), " actions, at most 2^32 - 2 are possible");
        require(default_action_ >= -1 && default_action_ < static_cast<std::int64_t>(table_.actions()), errc::bad_data, "q_policy: there is no action ",
                default_action_, " to be the default, there are ", table_.actions());
        require(std::isfinite(reward_rate_), errc::bad_data, "q_policy: the reward rate is not finite");
        const auto* const allowed = table_.allowed().data();
        const auto* const visits = table_.visits().data();
        for (std::size_t i = 0; i < open_.size(); ++i) open_[i] = static_cast<std::uint8_t>(allowed[i] != 0 && (allow_untried_ || visits[i] > 0));
        for (std::size_t s = 0; s < greedy_.size(); ++s)
            if (const std::size_t a = detail::best_action(std::as_const(table_).values_of(s), open_of(s)); a != no_action)
                greedy_[s] = static_cast<std::uint32_t>(a);
    }

    /// One decision. The propensity is 1: exploring is for learners.
    /// Throws `error`: `unknown_id` for a state outside the table (with the axis, from 1, as `where().column`), for one
    /// that was never seen in training while there is no default action, and for an allowed action that does not exist;
    /// `bad_data` when no action may be taken.
    [[nodiscard]] choice operator()(const decision<N>& asked, workspace&) const { return (*this)(asked); }
    [[nodiscard]] choice operator()(const decision<N>& asked) const {
        const std::size_t number = table_.number_of(asked.state);
        const auto values = table_.values_of(number);
        const std::size_t action = asked.allowed ? best_listed(values, open_of(number), *asked.allowed) : best_of(number);
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
            out[s] = best_of(s);
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

    /// The mean reward of a step under the greedy policy, as a learner of average rewards found it; 0 of other learners.
    [[nodiscard]] double reward_rate() const noexcept { return reward_rate_; }

    static constexpr std::array field_names{"table", "allow_untried", "default_action", "reward_rate"};
    static auto field_defaults() { return std::tuple(0.0); }  // older files are of discounted values
    [[nodiscard]] auto fields() const noexcept { return std::tie(table_, allow_untried_, default_action_, reward_rate_); }

   private:
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    std::size_t best_of(std::size_t number) const noexcept { return greedy_[number] == none ? no_action : greedy_[number]; }
    std::span<const std::uint8_t> open_of(std::size_t number) const noexcept { return {open_.data() + number * table_.actions(), table_.actions()}; }

    static std::size_t best_listed(std::span<const T> values, std::span<const std::uint8_t> open, const std::vector<std::size_t>& list) {
        require(!list.empty(), errc::bad_data, "q_policy: the decision allows no action");
        for (const std::size_t a : list)
            require(a < values.size(), errc::unknown_id, "q_policy: the decision allows an action that does not exist, there are ", values.size());
        return detail::best_action(values, open, std::span(list));
    }
    // Not where a rule of the table forbids it. A state of which no rule is known forbids nothing.
    bool may_default(std::size_t number) const noexcept {
        if (default_action_ < 0) return false;
        const auto allowed = table_.allowed_of(number);
        return allowed[static_cast<std::size_t>(default_action_)] != 0 ||
               std::all_of(allowed.begin(), allowed.end(), [](std::uint8_t mark) { return mark == 0; });
    }
    CARAMEL_COLD choice last_resort(std::size_t number, const decision<N>& asked) const {
        const auto action = static_cast<std::size_t>(default_action_);
        if (may_default(number) && (!asked.allowed || std::find(asked.allowed->begin(), asked.allowed->end(), action) != asked.allowed->end()))
            return {.action = action, .propensity = 1, .value = static_cast<double>(table_.values_of(number)[action])};
        const bool unknown = std::ranges::all_of(open_of(number), [](std::uint8_t mark) { return mark == 0; });
        require(!unknown, errc::unknown_id, "q_policy: no action was tried in this state in training; a default_action of the recipe would be taken here");
        fail(errc::bad_data, {}, "q_policy: none of the actions that the decision allows may be taken in this state");
    }

    q_table<T, N> table_;
    bool allow_untried_;
    std::int64_t default_action_;
    double reward_rate_;
    std::vector<std::uint8_t> open_;     // what may be taken, and the best of it by state: worked out from the table
    std::vector<std::uint32_t> greedy_;
};

/// One policy from those of several shards: `merge_tables` of their tables; reward rates are means weighted by visits.
/// Throws `error` as that does, and `bad_data` where `allow_untried` or the default action differ.
template <class T, std::size_t N>
[[nodiscard]] q_policy<T, N> merge_policies(const std::vector<q_policy<T, N>>& shards) {
    constexpr std::string_view who = "merge_policies";
    std::vector<q_table<T, N>> tables;
    double rate = 0, weight = 0;
    for (std::size_t k = 0; k < shards.size(); ++k) {
        const auto& p = shards[k];
        require(p.allow_untried() == shards[0].allow_untried() && p.default_action() == shards[0].default_action(), errc::bad_data, who, ": policy ", k + 1,
                " has another default action, or other rules for untried ones, than the first");
        tables.push_back(p.cells());
        double visits = 0;
        for (const auto n : p.cells().visits()) visits += static_cast<double>(n);
        weight += visits;
        if (visits > 0) rate += (p.reward_rate() - rate) * (visits / weight);
    }
    auto table = merge_tables(tables);
    return {std::move(table), shards[0].allow_untried(), shards[0].default_action() ? static_cast<std::int64_t>(*shards[0].default_action()) : -1, rate};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
