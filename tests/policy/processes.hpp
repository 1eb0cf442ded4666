#ifndef CARAMEL_TESTS_POLICY_PROCESSES_HPP
#define CARAMEL_TESTS_POLICY_PROCESSES_HPP

// Small processes with known solutions, built from their rules.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include <caramel/policy/mdp.hpp>

namespace processes {

using caramel::mdp;
using caramel::mdp_row;

inline constexpr std::array<std::size_t, 3> crm_shape{6, 3, 3};  // recency, frequency - 1, fatigue
inline constexpr double crm_optimum = 129.07074036007305;        // from (0, 0, 0), discount .95

/// 54 customer states, 4 actions: nothing, email, call, discount.
inline std::vector<mdp_row> crm_rows() {
    constexpr std::array bonus{0.0, 0.5, 0.9, 1.4}, cost{0.0, 0.2, 2.0, 0.2}, margin{20.0, 20.0, 20.0, 12.0};
    std::vector<mdp_row> rows;
    for (std::size_t r = 0; r < 6; ++r)
        for (std::size_t f = 0; f < 3; ++f)
            for (std::size_t c = 0; c < 3; ++c)
                for (std::size_t a = 0; a < 4; ++a) {
                    const auto fatigue = static_cast<double>(c);
                    const double z = -1.0 - .45 * static_cast<double>(r) + .35 * static_cast<double>(f) + bonus[a] - (a > 0 ? .5 * fatigue : 0);
                    const double buys = 1 / (1 + std::exp(-z));
                    const std::size_t tired = a > 0 ? std::min<std::size_t>(c + 1, 2) : c - (c > 0 ? 1 : 0);
                    const std::size_t state = caramel::state_number<3>(crm_shape, {r, f, c});
                    rows.push_back({state, a, buys, caramel::state_number<3>(crm_shape, {0, std::min<std::size_t>(f + 1, 2), tired}), margin[a] - cost[a]});
                    rows.push_back({state, a, 1 - buys, caramel::state_number<3>(crm_shape, {std::min<std::size_t>(r + 1, 5), f, tired}), -cost[a]});
                }
    return rows;
}
inline mdp crm() { return {54, 4, crm_rows()}; }

/// FrozenLake 4 x 4, slippery: actions left, down, right, up; each goes a third of the times to either side.
inline mdp frozen_lake() {
    constexpr std::string_view map = "SFFFFHFHFFFHHFFG";
    std::vector<mdp_row> rows;
    for (std::size_t s = 0; s < 16; ++s)
        for (std::size_t a = 0; a < 4; ++a)
            for (const std::size_t way : {(a + 3) % 4, a, (a + 1) % 4}) {
                std::size_t r = s / 4, c = s % 4;
                if (way == 0 && c > 0) --c;
                if (way == 1 && r < 3) ++r;
                if (way == 2 && c < 3) ++c;
                if (way == 3 && r > 0) --r;
                const bool over = map[s] == 'H' || map[s] == 'G';
                const std::size_t next = over ? s : r * 4 + c;
                rows.push_back({s, a, 1.0 / 3, next, !over && map[next] == 'G' ? 1.0 : 0.0, map[next] == 'H' || map[next] == 'G'});
            }
    return {16, 4, rows};
}

/// Forest management of the MDP toolbox: three ages; wait (0) or cut (1).
inline mdp forest() {
    std::vector<mdp_row> rows;
    constexpr std::array wait{0.0, 0.0, 4.0}, cut{0.0, 1.0, 2.0};
    for (std::size_t s = 0; s < 3; ++s) {
        rows.push_back({s, 0, .1, 0, wait[s]});
        rows.push_back({s, 0, .9, std::min<std::size_t>(s + 1, 2), wait[s]});
        rows.push_back({s, 1, 1, 0, cut[s]});
    }
    return {3, 2, rows};
}

/// Pfeifer & Carraway's recency chain: state i = i + 1 periods since the last purchase, the last state is the end;
/// stop (0) or mail (1) at cost 4, and 40 more in state 0.
inline mdp recency_chain(const std::vector<double>& buys) {
    std::vector<mdp_row> rows;
    for (std::size_t i = 0; i < buys.size(); ++i) {
        const double reward = i == 0 ? 36 : -4;
        rows.push_back({.state = i, .action = 0, .next_state = i, .terminal = true});
        rows.push_back({i, 1, buys[i], 0, reward});
        rows.push_back({i, 1, 1 - buys[i], i + 1, reward});
    }
    return {buys.size() + 1, 2, rows};
}

}  // namespace processes

#endif
