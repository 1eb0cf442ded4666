#ifndef CARAMEL_POLICY_POLICY_GRID_HPP
#define CARAMEL_POLICY_POLICY_GRID_HPP

// Policies as tables that people read.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One axis of a state in words: "orders" with the cells "to 1", "to 3", "over 3".
struct state_axis {
    std::string name;
    std::vector<std::string> cells;
};

namespace detail {

// Whole, or with two decimals where those are seen.
template <class = void>
inline std::string short_number(double x) {
    char digits[32];
    if (std::abs(x) >= 1e15) return message(x);
    const int decimals = x == std::round(x) || std::abs(x) >= 100 ? 0 : 2;
    return {digits, std::to_chars(digits, digits + sizeof digits, x, std::chars_format::fixed, decimals).ptr};
}
// In characters: bytes that begin one count; what follows in UTF-8 does not.
template <class = void>
inline std::size_t seen_width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}
template <class = void>
inline std::string padded_to(std::string text, std::size_t width) {
    if (const std::size_t seen = seen_width(text); seen < width) text.append(width - seen, ' ');
    return text;
}

}  // namespace detail

/// What to call the cells of an axis with these cuts.
template <class Cuts>
[[nodiscard]] std::vector<std::string> cell_labels(const Cuts& cuts) {
    if (cuts.size() == 0) return {"any"};
    std::vector<std::string> out;
    for (const double cut : cuts) out.push_back("to " + detail::short_number(cut));
    out.push_back("over " + detail::short_number(cuts[cuts.size() - 1]));
    return out;
}

/// What a policy does, by the first axis (down) and the second (across), where the other coordinates are those of `at`:
/// lines of text, the other coordinates first. `actions` are those of `q_policy::greedy_actions` or of an exact solution,
/// one a state number; `no_action` is shown as "-".
/// Throws `error`: `shape_mismatch` (not one action a state), `unknown_id` (`at`, or an action without a name).
template <std::size_t N, class Names = std::vector<std::string>>
    requires(N >= 2)
[[nodiscard]] std::string policy_grid(const std::array<state_axis, N>& axes, std::span<const std::size_t> actions, const Names& names,
                                      std::array<std::size_t, N> at = {}) {
    std::array<std::size_t, N> shape{};
    for (std::size_t d = 0; d < N; ++d) shape[d] = axes[d].cells.size();
    require(actions.size() == detail::count_states(shape, 1, "policy_grid"), errc::shape_mismatch, "policy_grid: ", actions.size(),
            " actions, the axes have another number of cells");
    at[0] = at[1] = 0;
    (void)detail::checked_state(shape, at, "policy_grid");

    std::vector<std::vector<std::string>> cells(1 + shape[0], {axes[0].name + " \\ " + axes[1].name});
    cells[0].insert(cells[0].end(), axes[1].cells.begin(), axes[1].cells.end());
    for (at[0] = 0; at[0] < shape[0]; ++at[0]) {
        auto& row = cells[1 + at[0]];
        row[0] = axes[0].cells[at[0]];
        for (at[1] = 0; at[1] < shape[1]; ++at[1]) {
            const std::size_t action = actions[state_number(shape, at)];
            require(action == no_action || action < std::size(names), errc::unknown_id, "policy_grid: an action has no name, there are ", std::size(names));
            row.push_back(action == no_action ? std::string("-") : std::string(std::begin(names)[static_cast<std::ptrdiff_t>(action)]));
        }
    }
    std::string out;
    for (std::size_t d = 2; d < N; ++d) out += (d > 2 ? ", " : "") + axes[d].name + ' ' + axes[d].cells[at[d]];
    if (N > 2) out += '\n';
    for (const auto& row : cells) {
        std::string line;
        for (std::size_t j = 0; j < row.size(); ++j) {
            std::size_t width = 0;
            for (const auto& other : cells) width = std::max(width, detail::seen_width(other[j]));
            line += "  " + (j + 1 < row.size() ? detail::padded_to(row[j], width) : row[j]);
        }
        out += line + '\n';
    }
    return out;
}

/// What a policy does in every state, a line each: the cell on each axis, the action and, where they are given, the value of the
/// state (or of the action) and how often it was seen. All are by state number; cells seen less often than `least_visits` are left
/// out. `no_action` is shown as "-".
/// Throws `error`: `shape_mismatch` (not one of each a state), `unknown_id` (an action without a name).
template <std::size_t N, class Names = std::vector<std::string>>
[[nodiscard]] std::string policy_table(const std::array<state_axis, N>& axes, std::span<const std::size_t> actions, const Names& names,
                                       std::span<const double> values = {}, std::span<const std::uint64_t> visits = {}, std::uint64_t least_visits = 0) {
    std::array<std::size_t, N> shape{};
    for (std::size_t d = 0; d < N; ++d) shape[d] = axes[d].cells.size();
    const std::size_t states = detail::count_states(shape, 1, "policy_table");
    require(actions.size() == states && (values.empty() || values.size() == states) && (visits.empty() || visits.size() == states), errc::shape_mismatch,
            "policy_table: ", actions.size(), " actions, ", values.size(), " values and ", visits.size(), " visits, the axes have ", states, " cells");
    std::vector<std::vector<std::string>> lines(1);
    for (const auto& axis : axes) lines[0].push_back(axis.name);
    lines[0].emplace_back("action");
    if (!values.empty()) lines[0].emplace_back("value");
    if (!visits.empty()) lines[0].emplace_back("visits");
    for (std::size_t s = 0; s < states; ++s) {
        if (!visits.empty() && visits[s] < least_visits) continue;
        const std::size_t action = actions[s];
        require(action == no_action || action < std::size(names), errc::unknown_id, "policy_table: an action has no name, there are ", std::size(names));
        auto& line = lines.emplace_back();
        const auto cell = state_at(shape, s);
        for (std::size_t d = 0; d < N; ++d) line.push_back(axes[d].cells[cell[d]]);
        line.push_back(action == no_action ? std::string("-") : std::string(std::begin(names)[static_cast<std::ptrdiff_t>(action)]));
        if (!values.empty()) line.push_back(std::isfinite(values[s]) ? detail::short_number(values[s]) : std::string("-"));
        if (!visits.empty()) line.push_back(detail::message(visits[s]));
    }
    std::vector<std::size_t> widths(lines[0].size(), 0);
    for (const auto& line : lines)
        for (std::size_t j = 0; j < line.size(); ++j) widths[j] = std::max(widths[j], detail::seen_width(line[j]));
    std::string out;
    for (const auto& line : lines) {
        std::string text;
        for (std::size_t j = 0; j < line.size(); ++j) {
            const std::string gap(widths[j] - detail::seen_width(line[j]), ' ');
            text += "  " + (j > N ? gap + line[j] : line[j] + gap);  // numbers to the right
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out += text + '\n';
    }
    return out;
}
/// The same of a `q_policy`, with the value and the visits of the action that it takes.
template <std::size_t N, class Policy, class Names = std::vector<std::string>>
    requires requires(const Policy& policy) {
        policy.greedy_actions();
        policy.cells().visits_of(0);
    }
[[nodiscard]] std::string policy_table(const std::array<state_axis, N>& axes, const Policy& policy, const Names& names, std::uint64_t least_visits = 0) {
    const auto actions = policy.greedy_actions();
    std::vector<double> values(actions.size(), std::numeric_limits<double>::quiet_NaN());  // shown as "-"
    std::vector<std::uint64_t> visits(actions.size(), 0);
    for (std::size_t s = 0; s < actions.size(); ++s) {
        if (actions[s] == no_action) continue;
        values[s] = static_cast<double>(policy.cells().values_of(s)[actions[s]]);
        visits[s] = policy.cells().visits_of(s)[actions[s]];
    }
    return policy_table(axes, std::span<const std::size_t>(actions), names, values, visits, least_visits);
}

/// The same of an exact solution, such as that of `policy_iteration`, with the values of the states.
template <std::size_t N, class Solution, class Names = std::vector<std::string>>
    requires requires(const Solution& solution) {
        solution.policy.begin();
        solution.v.data();
    }
[[nodiscard]] std::string policy_table(const std::array<state_axis, N>& axes, const Solution& solution, const Names& names) {
    return policy_table(axes, std::span<const std::size_t>(solution.policy), names, std::span(solution.v.data(), static_cast<std::size_t>(solution.v.size())));
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
