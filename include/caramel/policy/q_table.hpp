#ifndef CARAMEL_POLICY_Q_TABLE_HPP
#define CARAMEL_POLICY_Q_TABLE_HPP

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/policy/explore.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Values of actions by state: xtensors over N state axes and, last, the actions; beside the values how often each cell
/// was updated, and which actions are allowed in which state (1 or 0).
template <class T, std::size_t N = 1>
class q_table {
   public:
    using state_type = std::array<std::size_t, N>;

    /// Every value `initial`, no visits, every action allowed.
    /// Throws `error`: `bad_parameter` (an empty axis, no actions, `initial` not finite), `limit_exceeded`.
    q_table(const state_type& states, std::size_t actions, T initial = T(0))
        : values_(make_tensor<T, N + 1>(checked_shape(states, actions, initial), initial)),
          visits_(make_tensor<std::uint64_t, N + 1>(shape_of(values_))), allowed_(make_tensor<std::uint8_t, N + 1>(shape_of(values_), 1)) {}
    /// Throws `error` (`bad_data`) on fields that do not belong together, values that are not finite, marks that are
    /// neither 0 nor 1.
    q_table(tensor<T, N + 1> values, tensor<std::uint64_t, N + 1> visits, tensor<std::uint8_t, N + 1> allowed)
        : values_(std::move(values)), visits_(std::move(visits)), allowed_(std::move(allowed)) {
        require(shape_of(values_) == shape_of(visits_) && shape_of(values_) == shape_of(allowed_) && values_.size() > 0, errc::bad_data,
                "q_table: values, visits and allowed have different shapes, or no cells");
        require(std::ranges::all_of(flat(values_), [](T x) { return std::isfinite(x); }), errc::bad_data, "q_table: a value is not finite");
        require(std::ranges::all_of(flat(allowed_), [](std::uint8_t mark) { return mark <= 1; }), errc::bad_data, "q_table: a mark of allowed is neither 0 nor 1");
    }

    [[nodiscard]] state_type states() const noexcept {
        state_type out{};
        for (std::size_t d = 0; d < N; ++d) out[d] = values_.shape()[d];
        return out;
    }
    [[nodiscard]] std::size_t actions() const noexcept { return values_.shape()[N]; }
    /// The number of states, over all axes.
    [[nodiscard]] std::size_t state_count() const noexcept { return values_.size() / actions(); }
    /// The number of a state, row-major. Throws `error` (`unknown_id`) with the axis, from 1, as `where().column`.
    [[nodiscard]] std::size_t number_of(const state_type& state) const {
        require(!values_.storage().empty(), errc::bad_data, "q_table: the table was moved away");
        return detail::checked_state(states(), state, "q_table");
    }

    // One cell. Throws `error` (`unknown_id`) with the axis as `where().column`; the action is axis N + 1.
    [[nodiscard]] T value(const state_type& state, std::size_t action) const { return values_.data()[cell(state, action)]; }
    [[nodiscard]] std::uint64_t visits(const state_type& state, std::size_t action) const { return visits_.data()[cell(state, action)]; }
    [[nodiscard]] bool allowed(const state_type& state, std::size_t action) const { return allowed_.data()[cell(state, action)] != 0; }

    /// All actions of the state with this number, which the caller knows to be below `state_count()`.
    [[nodiscard]] std::span<const T> values_of(std::size_t number) const noexcept { return {values_.data() + number * actions(), actions()}; }
    [[nodiscard]] std::span<T> values_of(std::size_t number) noexcept { return {values_.data() + number * actions(), actions()}; }
    [[nodiscard]] std::span<const std::uint64_t> visits_of(std::size_t number) const noexcept { return {visits_.data() + number * actions(), actions()}; }
    [[nodiscard]] std::span<std::uint64_t> visits_of(std::size_t number) noexcept { return {visits_.data() + number * actions(), actions()}; }
    [[nodiscard]] std::span<const std::uint8_t> allowed_of(std::size_t number) const noexcept { return {allowed_.data() + number * actions(), actions()}; }

    /// From now on only these actions are allowed in the state of this number, or in this state; a container or span of
    /// action numbers.
    /// Throws `error`: `unknown_id` (an action; `where().row` is its place in the list), `bad_data` (an empty list; `where().row`
    /// is the state's number, from 1).
    template <class Actions = std::initializer_list<std::size_t>>
    void allow_only_at(std::size_t number, const Actions& list) {
        require(number < state_count(), errc::unknown_id, "q_table: no such state, there are ", state_count());
        std::uint64_t row = 0;
        for (const auto a : list) {
            ++row;
            require_at(static_cast<std::size_t>(a) < actions(), errc::unknown_id, {.row = row}, "q_table: allowed action ", row, " of the list does not exist, there are ", actions());
        }
        require_at(row > 0, errc::bad_data, {.row = number + 1}, "q_table: state ", number, " (from 0) must allow at least one action");
        auto* const marks = allowed_.data() + number * actions();
        std::fill_n(marks, actions(), std::uint8_t{0});
        for (const auto a : list) marks[static_cast<std::size_t>(a)] = 1;
    }
    template <class Actions = std::initializer_list<std::size_t>>
    void allow_only(const state_type& state, const Actions& list) {
        allow_only_at(number_of(state), list);
    }

    /// The xtensors as they are.
    [[nodiscard]] const tensor<T, N + 1>& values() const noexcept { return values_; }
    [[nodiscard]] const tensor<std::uint64_t, N + 1>& visits() const noexcept { return visits_; }
    [[nodiscard]] const tensor<std::uint8_t, N + 1>& allowed() const noexcept { return allowed_; }

    static constexpr std::array field_names{"values", "visits", "allowed"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(values_, visits_, allowed_); }

   private:
    using full_shape = std::array<std::size_t, N + 1>;

    template <class X>
    static full_shape shape_of(const tensor<X, N + 1>& x) noexcept {
        full_shape out{};
        std::ranges::copy(x.shape(), out.begin());
        return out;
    }
    template <class X>
    static std::span<const X> flat(const tensor<X, N + 1>& x) noexcept {
        return {x.data(), x.size()};
    }
    static full_shape checked_shape(const state_type& states, std::size_t actions, T initial) {
        (void)detail::count_states(states, actions, "q_table");
        require(std::isfinite(initial), errc::bad_parameter, "q_table: the initial value is not finite");
        full_shape out{};
        std::copy(states.begin(), states.end(), out.begin());
        out[N] = actions;
        return out;
    }
    std::size_t cell(const state_type& state, std::size_t action) const {
        const std::size_t number = number_of(state);
        require_at(action < actions(), errc::unknown_id, {.column = N + 1}, "q_table: no such action, there are ", actions());
        return number * actions() + action;
    }

    tensor<T, N + 1> values_;
    tensor<std::uint64_t, N + 1> visits_;
    tensor<std::uint8_t, N + 1> allowed_;
};

/// One table from those of several shards, each learnt apart: values are means weighted by visits, visits add up; where no
/// shard has been, the plain mean. What is allowed must agree: where it differs, one of the shards broke a rule.
/// Throws `error`: `empty_input` (no tables); `shape_mismatch` (states or actions differ), `bad_data` (marks of allowed
/// differ; the row is the state's number from 1, the column the action's), both with the number of the table in the message.
template <class T, std::size_t N>
[[nodiscard]] q_table<T, N> merge_tables(std::span<const q_table<T, N>> shards) {
    constexpr std::string_view who = "merge_tables";
    require(!shards.empty(), errc::empty_input, who, ": no tables");
    q_table<T, N> out = shards.front();
    const std::size_t actions = out.actions();
    for (std::size_t k = 1; k < shards.size(); ++k) {
        require(shards[k].states() == out.states() && shards[k].actions() == actions, errc::shape_mismatch, who, ": table ", k + 1,
                " has other states or actions than the first");
        for (std::size_t s = 0; s < out.state_count(); ++s)
            for (std::size_t a = 0; a < actions; ++a)
                require_at(shards[k].allowed_of(s)[a] == out.allowed_of(s)[a], errc::bad_data, {.row = s + 1, .column = a + 1}, who, ": table ", k + 1,
                           " allows another set of actions than the first in state ", s, " (from 0)");
    }
    for (std::size_t s = 0; s < out.state_count(); ++s)
        for (std::size_t a = 0; a < actions; ++a) {
            std::uint64_t visits = 0;
            for (const auto& t : shards) visits += t.visits_of(s)[a];
            double mean = 0, weight = 0;  // a running mean: equal values stay what they are
            for (const auto& t : shards) {
                const double w = visits == 0 ? 1 : static_cast<double>(t.visits_of(s)[a]);
                if (w == 0) continue;
                weight += w;
                mean += (static_cast<double>(t.values_of(s)[a]) - mean) * (w / weight);
            }
            out.values_of(s)[a] = static_cast<T>(mean);
            out.visits_of(s)[a] = visits;
        }
    return out;
}
/// The same for a vector.
template <class T, std::size_t N>
[[nodiscard]] q_table<T, N> merge_tables(const std::vector<q_table<T, N>>& shards) {
    return merge_tables(std::span<const q_table<T, N>>(shards));
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
