#ifndef CARAMEL_POLICY_EXPLORE_HPP
#define CARAMEL_POLICY_EXPLORE_HPP

// How an action is chosen from a row of values: the best one, or now and then another one to learn about it.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A share that moves in a straight line from `from` to `to` over the first `share` of the steps, and stays there.
struct linear_schedule {
    double from = 1, to = .3;
    double share = 1;

    /// At step `step` (from 0) of `steps`.
    [[nodiscard]] double at(std::size_t step, std::size_t steps) const noexcept {
        const double whole = share * static_cast<double>(steps);
        const auto done = static_cast<double>(step);
        return done >= whole ? to : from + (to - from) * (done / whole);
    }
};

namespace detail {

inline void require_share(double x, std::string_view who, std::string_view name) {
    require(x >= 0 && x <= 1, errc::bad_parameter, who, ": ", name, " must lie in [0, 1], got ", x);
}
inline void require_schedule(const linear_schedule& s, std::string_view who) {
    require_share(s.from, who, "epsilon.from");
    require_share(s.to, who, "epsilon.to");
    require_share(s.share, who, "epsilon.share");
}

// The action of highest value among those that `open` marks, ties to the lower one; `no_action` where it marks none.
template <class T>
std::size_t best_action(std::span<const T> values, std::span<const std::uint8_t> open) noexcept {
    std::size_t best = no_action;
    for (std::size_t a = 0; a < values.size(); ++a)
        if (open[a] != 0 && (best == no_action || values[a] > values[best])) best = a;
    return best;
}

// The same among those that also stand in `list`.
template <class T>
std::size_t best_action(std::span<const T> values, std::span<const std::uint8_t> open, std::span<const std::size_t> list) noexcept {
    std::size_t best = no_action;
    for (const std::size_t a : list)
        if (open[a] != 0 && (best == no_action || values[a] > values[best] || (values[a] == values[best] && a < best))) best = a;
    return best;
}

// With probability `epsilon` any of the marked actions, all equally likely, else the best of them. `no_action`, and
// nothing drawn, where none is marked.
template <class T>
choice epsilon_greedy(std::span<const T> values, std::span<const std::uint8_t> open, double epsilon, rng& numbers) noexcept {
    const std::size_t best = best_action(values, open);
    if (best == no_action) return {.action = no_action};
    const auto n = static_cast<std::uint64_t>(std::ranges::count_if(open, [](std::uint8_t mark) { return mark != 0; }));
    const double other = epsilon / static_cast<double>(n);
    std::size_t action = best;
    if (epsilon > 0 && numbers.uniform() < epsilon) {
        auto skip = numbers.below(n);
        for (action = 0; open[action] == 0 || skip-- > 0;) ++action;
    }
    return {.action = action, .propensity = (action == best ? 1 - epsilon : 0) + other, .value = static_cast<double>(values[action])};
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
