#ifndef CARAMEL_POLICY_TRANSITION_HPP
#define CARAMEL_POLICY_TRANSITION_HPP

// What flows between environments, learners and policies. A state is a cell of N discrete axes (recency x frequency x
// fatigue, ...), counted from 0; an action is a number from 0.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Stands where there is no action: none may be taken, or nothing is known.
inline constexpr std::size_t no_action = std::numeric_limits<std::size_t>::max();

/// One step that was observed.
template <std::size_t N = 1>
struct transition {
    std::array<std::size_t, N> state{};
    std::size_t action = 0;
    double reward = 0;
    std::array<std::size_t, N> next_state{};  ///< not looked at where `terminal`
    bool terminal = false;                    ///< no future exists; an episode that was merely cut off is not terminal

    friend bool operator==(const transition&, const transition&) = default;
};

/// What an environment answers to an action.
template <std::size_t N = 1>
struct outcome {
    double reward = 0;
    std::array<std::size_t, N> next_state{};
    bool terminal = false;
};

/// What one asks a policy: what to do in this state.
template <std::size_t N = 1>
struct decision {
    std::array<std::size_t, N> state{};
    std::optional<std::vector<std::size_t>> allowed = {};  ///< only these actions, in any order (an empty list allows none)
};

/// The answer.
struct choice {
    std::size_t action = 0;
    double propensity = 1;  ///< the probability with which this action was chosen: log it, off-policy evaluation needs it
    double value = 0;       ///< the estimated discounted return of the action

    friend bool operator==(const choice&, const choice&) = default;
};

namespace detail {

template <class S, std::size_t N>
concept StateOf = std::convertible_to<S, std::array<std::size_t, N>> || (N == 1 && std::integral<S>);

template <std::size_t N, StateOf<N> S>
std::array<std::size_t, N> to_state(const S& state) {
    if constexpr (std::convertible_to<S, std::array<std::size_t, N>>) return state;
    else return {static_cast<std::size_t>(state)};
}

template <class E>
using state_of_environment = std::remove_cvref_t<decltype(std::declval<const E&>().reset(std::declval<rng&>()))>;

}  // namespace detail

/// A simulator: `reset(rng&)` gives the first state of an episode, `step(state, action, rng&)` what an action leads to,
/// as something with `reward`, `next_state` and `terminal`. Both are const; all randomness comes from the generator
/// that they are handed. The state may be the environment's own type (a customer with hidden traits), if it converts to
/// the cell `std::array<std::size_t, N>` that learners see; for N = 1 an integer does.
template <class E, std::size_t N = 1>
concept Environment = requires(const E& world, rng& numbers) {
    { world.reset(numbers) } -> detail::StateOf<N>;
} && requires(const E& world, const detail::state_of_environment<E>& state, std::size_t action, rng& numbers) {
    { world.step(state, action, numbers).reward } -> std::convertible_to<double>;
    { world.step(state, action, numbers).next_state } -> std::convertible_to<detail::state_of_environment<E>>;
    { world.step(state, action, numbers).terminal } -> std::convertible_to<bool>;
};

/// An environment that says which actions a state allows: `allowed(state)` is a container or span of action numbers,
/// always the same for the same cell. Without it every action is allowed everywhere.
template <class E>
concept MaskedEnvironment = requires(const E& world, const detail::state_of_environment<E>& state) {
    { *world.allowed(state).begin() } -> std::convertible_to<std::size_t>;
    world.allowed(state).end();
};

namespace detail {

// Written without the cell itself: messages carry no data.
template <class = void>
[[noreturn]] CARAMEL_COLD inline void fail_state(std::string_view who, std::size_t axis, std::size_t size, std::uint64_t row, std::uint64_t column) {
    if (row == 0) fail(errc::unknown_id, {.column = column}, who, ": the state lies outside axis ", axis, ", which has ", size, " cells");
    fail(errc::unknown_id, {.row = row, .column = column}, who, ": row ", row, ": the state lies outside axis ", axis, ", which has ", size, " cells");
}

// Row-major; `row` and `first_column` say where the state stands in its input, for the error.
template <std::size_t N>
std::size_t checked_state(const std::array<std::size_t, N>& shape, const std::array<std::size_t, N>& state, std::string_view who, std::uint64_t row = 0,
                          std::uint64_t first_column = 1) {
    std::size_t number = 0;
    for (std::size_t d = 0; d < N; ++d) {
        if (state[d] >= shape[d]) [[unlikely]]
            fail_state(who, d + 1, shape[d], row, first_column + d);
        number = number * shape[d] + state[d];
    }
    return number;
}

// The number of cells of a shape that the programmer wrote.
template <std::size_t N>
std::size_t count_states(const std::array<std::size_t, N>& shape, std::size_t actions, std::string_view who) {
    static_assert(N > 0, "a state has at least one axis");
    constexpr auto limit = static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(double);
    require(actions > 0, errc::bad_parameter, who, ": actions must be at least 1");
    std::size_t states = 1;
    for (std::size_t d = 0; d < N; ++d) {
        require(shape[d] > 0, errc::bad_parameter, who, ": states: axis ", d + 1, " has no cells");
        require(states <= limit / actions / shape[d], errc::limit_exceeded, who, ": the number of states and actions overflows");
        states *= shape[d];
    }
    return states;
}

// A step of a log by cell numbers.
struct flat_step {
    std::size_t state, next;  // next = state where terminal
    std::size_t action;
    double reward;
    bool terminal;
};

// Checks one step. Columns count the fields: N of the state, the action, the reward, N of the next state.
template <std::size_t N>
flat_step checked_step(const transition<N>& t, const std::array<std::size_t, N>& shape, std::size_t actions, std::string_view who, std::uint64_t row) {
    flat_step out{.state = 0, .next = 0, .action = t.action, .reward = t.reward, .terminal = t.terminal};
    out.next = out.state = checked_state(shape, t.state, who, row, 1);
    if (t.action >= actions) [[unlikely]]
        fail(errc::unknown_id, {.row = row, .column = N + 1}, who, ": row ", row, ": no such action, there are ", actions);
    if (!std::isfinite(t.reward)) [[unlikely]]
        fail(errc::nan_or_inf, {.row = row, .column = N + 2}, who, ": row ", row, ": the reward is not finite");
    if (!t.terminal) out.next = checked_state(shape, t.next_state, who, row, N + 3);
    return out;
}

}  // namespace detail

/// The number of a cell, row-major over the axes: of shape (6, 3, 3) the cell (r, f, c) is `(r * 3 + f) * 3 + c`.
/// Throws `error` (`unknown_id`) with the axis, from 1, as `where().column`.
template <std::size_t N>
[[nodiscard]] std::size_t state_number(const std::array<std::size_t, N>& shape, const std::array<std::size_t, N>& state) {
    return detail::checked_state(shape, state, "state_number");
}
/// The cell of a number, the inverse of `state_number`. Throws `error` (`unknown_id`).
template <std::size_t N>
[[nodiscard]] std::array<std::size_t, N> state_at(const std::array<std::size_t, N>& shape, std::size_t number) {
    std::array<std::size_t, N> out{};
    for (std::size_t d = N; d-- > 0;) {
        require(shape[d] > 0, errc::bad_parameter, "state_at: axis ", d + 1, " has no cells");
        out[d] = number % shape[d];
        number /= shape[d];
    }
    require(number == 0, errc::unknown_id, "state_at: the number lies outside the shape");
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
