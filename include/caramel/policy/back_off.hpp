#ifndef CARAMEL_POLICY_BACK_OFF_HPP
#define CARAMEL_POLICY_BACK_OFF_HPP

// What is known of cells that were rarely seen: that of their likes.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/policy/q_table.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How rarely seen cells follow their likes.
struct back_off_options {
    std::uint64_t enough = 20;  ///< visits from which on a cell keeps its own value
    double strength = 5;        ///< as how many visits the likes of a cell count, at each level
};

/// A Q-table whose rarely visited cells are drawn towards their parents: the value of an action with fewer than `enough` visits
/// becomes `(visits * value + strength * parent) / (visits + strength)`. Its parent is the mean, by visits, of the same action over
/// the cells which share all axes but the last; that is drawn towards the mean over those which share all but the last two, and so
/// on to the mean over all. The most telling axis comes first (as in `cell_means`). Visits stay what they were; an action that was
/// tried nowhere is not allowed any more: make a `q_policy` with `allow_untried` of it.
/// Throws `error` (`bad_parameter`).
template <class T, std::size_t N>
[[nodiscard]] q_table<T, N> back_off(const q_table<T, N>& table, const back_off_options& how = {}) {
    require(how.strength > 0 && std::isfinite(how.strength), errc::bad_parameter, "back_off: strength must be positive, got ", how.strength);
    const auto shape = table.states();
    const std::size_t actions = table.actions();
    struct total {
        double visits = 0, sum = 0;
    };
    // Level L sums up the cells that share the first L axes; a cell itself is level N.
    std::array<std::vector<total>, N> levels;
    std::array<std::size_t, N> below{};  // cells that one of a level holds
    std::size_t inside = table.state_count();
    for (std::size_t level = 0; level < N; ++level) {
        below[level] = inside;
        levels[level].resize(table.state_count() / inside * actions);
        inside /= shape[level];
    }
    for (std::size_t s = 0; s < table.state_count(); ++s) {
        const auto values = table.values_of(s);
        const auto visits = table.visits_of(s);
        for (std::size_t level = 0; level < N; ++level)
            for (std::size_t a = 0; a < actions; ++a) {
                total& t = levels[level][s / below[level] * actions + a];
                t.visits += static_cast<double>(visits[a]);
                t.sum += static_cast<double>(visits[a]) * static_cast<double>(values[a]);
            }
    }
    auto values = table.values();
    auto allowed = table.allowed();
    for (std::size_t s = 0; s < table.state_count(); ++s)
        for (std::size_t a = 0; a < actions; ++a) {
            const std::size_t at = s * actions + a;
            if (levels[0][a].visits == 0) {
                allowed.data()[at] = 0;
                continue;
            }
            const std::uint64_t visits = table.visits_of(s)[a];
            if (visits >= how.enough && visits > 0) continue;
            double mean = levels[0][a].sum / levels[0][a].visits;
            const auto draw = [&](const total& t) { mean = (t.sum + how.strength * mean) / (t.visits + how.strength); };
            for (std::size_t level = 1; level < N; ++level) draw(levels[level][s / below[level] * actions + a]);
            const auto own = static_cast<double>(visits);
            draw({own, own * static_cast<double>(table.values_of(s)[a])});
            values.data()[at] = static_cast<T>(mean);
        }
    return {std::move(values), table.visits(), std::move(allowed)};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
