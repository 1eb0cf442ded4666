#ifndef CARAMEL_TESTS_POLICY_PROCESSES_HPP
#define CARAMEL_TESTS_POLICY_PROCESSES_HPP

// Small processes with known solutions, built from their rules.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/policy/mdp.hpp>
#include <caramel/policy/transition.hpp>

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

inline constexpr std::string_view small_lake = "SFFFFHFHFFFHHFFG";
inline constexpr std::string_view large_lake = "SFFFFFFFFFFFFFFFFFFHFFFFFFFFFHFFFFFHFFFFFHHFFFHFFHFFHFHFFFFHFFFG";

/// FrozenLake: actions left, down, right, up; where it is slippery each goes a third of the times to either side.
inline mdp frozen_lake(std::string_view map = small_lake, bool slippery = true) {
    const std::size_t n = map.size(), side = map.size() == 16 ? 4 : 8;
    std::vector<mdp_row> rows;
    for (std::size_t s = 0; s < n; ++s)
        for (std::size_t a = 0; a < 4; ++a)
            for (const std::size_t way : slippery ? std::vector{(a + 3) % 4, a, (a + 1) % 4} : std::vector{a}) {
                std::size_t r = s / side, c = s % side;
                if (way == 0 && c > 0) --c;
                if (way == 1 && r + 1 < side) ++r;
                if (way == 2 && c + 1 < side) ++c;
                if (way == 3 && r > 0) --r;
                const bool over = map[s] == 'H' || map[s] == 'G';
                const std::size_t next = over ? s : r * side + c;
                rows.push_back({s, a, slippery ? 1.0 / 3 : 1, next, !over && map[next] == 'G' ? 1.0 : 0.0, map[next] == 'H' || map[next] == 'G'});
            }
    return {n, 4, rows};
}

/// CliffWalking, 4 x 12, start state 36: actions up, right, down, left; a fall costs 100 and goes on at the start.
inline mdp cliff_walking(bool slippery = false) {
    std::vector<mdp_row> rows;
    for (std::size_t s = 0; s < 48; ++s)
        for (std::size_t a = 0; a < 4; ++a)
            for (const std::size_t way : slippery ? std::vector{(a + 3) % 4, a, (a + 1) % 4} : std::vector{a}) {
                std::size_t r = s / 12, c = s % 12;
                if (way == 0 && r > 0) --r;
                if (way == 1 && c < 11) ++c;
                if (way == 2 && r < 3) ++r;
                if (way == 3 && c > 0) --c;
                const bool falls = r == 3 && c > 0 && c < 11;
                rows.push_back({s, a, slippery ? 1.0 / 3 : 1, falls ? 36 : r * 12 + c, falls ? -100.0 : -1.0, r == 3 && c == 11});
            }
    return {48, 4, rows};
}

/// Taxi, 500 states (row, column, where the passenger is, where they want to go): actions south, north, east, west, pick up,
/// drop off. An episode begins with the passenger waiting elsewhere than they want to go.
inline mdp taxi() {
    constexpr std::array<std::string_view, 5> map{"|R: | : :G|", "| : | : : |", "| : : : : |", "| | : | : |", "|Y| : |B: |"};
    constexpr std::array<std::array<std::size_t, 2>, 4> stops{{{0, 0}, {0, 4}, {4, 0}, {4, 3}}};
    std::vector<mdp_row> rows;
    std::vector<double> initial(500, 0.0);
    for (std::size_t r = 0; r < 5; ++r)
        for (std::size_t c = 0; c < 5; ++c)
            for (std::size_t passenger = 0; passenger < 5; ++passenger)
                for (std::size_t goal = 0; goal < 4; ++goal) {
                    const std::size_t s = ((r * 5 + c) * 5 + passenger) * 4 + goal;
                    if (passenger < 4 && passenger != goal) initial[s] = 1.0 / 300;
                    const std::array here{r, c};
                    const auto stop = static_cast<std::size_t>(std::find(stops.begin(), stops.end(), here) - stops.begin());
                    for (std::size_t a = 0; a < 6; ++a) {
                        std::size_t row = r, column = c, who = passenger;
                        double reward = -1;
                        bool over = false;
                        if (a == 0 && r < 4) ++row;
                        if (a == 1 && r > 0) --row;
                        if (a == 2 && map[r][2 * c + 2] == ':') ++column;
                        if (a == 3 && map[r][2 * c] == ':') --column;
                        if (a == 4 && stop < 4 && passenger == stop) who = 4;
                        else if (a == 4) reward = -10;
                        if (a == 5 && stop < 4 && passenger == 4) {
                            who = stop;
                            over = stop == goal;
                            if (over) reward = 20;
                        } else if (a == 5) {
                            reward = -10;
                        }
                        rows.push_back({s, a, 1, ((row * 5 + column) * 5 + who) * 4 + goal, reward, over});
                    }
                }
    return {500, 6, rows, initial};
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

/// Customers of a world, each for twelve steps of a policy that does anything, all equally likely.
template <class World>
auto random_log(const World& world, std::size_t actions, std::size_t customers, std::uint64_t seed) {
    caramel::rng numbers(seed);
    std::vector<caramel::transition<std::tuple_size_v<decltype(world.reset(numbers))>>> out;
    for (std::size_t c = 0; c < customers; ++c) {
        auto state = world.reset(numbers);
        for (int t = 0; t < 12; ++t) {
            const std::size_t action = numbers.below(actions);
            const auto got = world.step(state, action, numbers);
            out.push_back({.state = state, .action = action, .reward = got.reward, .next_state = got.next_state, .terminal = got.terminal});
            state = got.next_state;
        }
    }
    return out;
}

}  // namespace processes

#endif
