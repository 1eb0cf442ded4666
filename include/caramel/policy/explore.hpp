#ifndef CARAMEL_POLICY_EXPLORE_HPP
#define CARAMEL_POLICY_EXPLORE_HPP

// How an action is chosen from a row of values: the best one, or now and then another one to learn about it.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How a quantity gets from one end to the other.
enum class schedule_shape : std::uint8_t {
    linear,       ///< the same difference every step
    exponential,  ///< the same factor every step; both ends above 0
    inverse,      ///< from / (1 + c * step), with the c that arrives at the other end; both ends above 0
};

/// A quantity that moves from `from` to `to` over the first `share` of the steps, and stays there.
struct exploration_schedule {
    double from = 1, to = .4;
    double share = .8;
    schedule_shape shape = schedule_shape::linear;

    /// At step `step` (from 0) of `steps`.
    [[nodiscard]] double at(std::size_t step, std::size_t steps) const noexcept {
        const double whole = share * static_cast<double>(steps);
        const auto done = static_cast<double>(step);
        if (done >= whole) return to;
        if (shape == schedule_shape::exponential) return from * std::pow(to / from, done / whole);
        if (shape == schedule_shape::inverse) return from / (1 + (from / to - 1) * (done / whole));
        return from + (to - from) * (done / whole);
    }
};
using linear_schedule = exploration_schedule;

/// How to choose while learning. Levels in the unit of the values depend on what a state is worth: a half of that is a good
/// beginning for softmax, once to ten times that for bounds and bonuses, which are spread over the tries.
enum class exploring : std::uint8_t {
    epsilon_greedy,  ///< level in [0, 1]: with this probability any action, else the best
    softmax,         ///< level at least 0, in the unit of the values: probabilities as exp(value / level), Boltzmann's; 0 is greedy
    upper_bound,     ///< level at least 0, alike: the largest value + level * sqrt(ln n / n(a)), untried actions first (UCB1: Auer et al., 2002)
    count_bonus,     ///< level at least 0, alike: the largest value + level / sqrt(n(a) + 1) (after Strehl & Littman, 2008)
};

/// One of these ways, its level over time, and a share of random actions besides. Upper bounds and bonuses alone choose
/// without chance, with propensity 1: what they log tells an evaluation nothing about other actions, unless `mix` is above 0.
struct exploration {
    exploring how = exploring::epsilon_greedy;
    exploration_schedule level = {};
    double mix = 0;  ///< in [0, 1]; not for epsilon_greedy, whose level says it
};

namespace detail {

template <class = void>
inline void require_share(double x, std::string_view who, std::string_view name) {
    require(x >= 0 && x <= 1, errc::bad_parameter, who, ": ", name, " must lie in [0, 1], got ", x);
}
template <class = void>
inline void require_schedule(const exploration_schedule& s, std::string_view who, std::string_view name, double most) {
    const auto end = [&](double x, std::string_view which) {
        require(x >= 0 && x <= most, errc::bad_parameter, who, ": ", name, which,
                most == 1 ? " must lie in [0, 1], got " : " must be finite and at least 0, got ", x);
    };
    end(s.from, ".from");
    end(s.to, ".to");
    require(s.share >= 0 && s.share <= 1, errc::bad_parameter, who, ": ", name, ".share must lie in [0, 1], got ", s.share);
    require(s.shape == schedule_shape::linear || (s.from > 0 && s.to > 0), errc::bad_parameter, who, ": ", name,
            ": from and to must be above 0 in this shape of schedule");
}
template <class = void>
inline void require_exploration(const exploration& e, std::string_view who) {
    require_schedule(e.level, who, "explore.level", e.how == exploring::epsilon_greedy ? 1 : std::numeric_limits<double>::max());
    require_share(e.mix, who, "explore.mix");
}

// The largest value among those that `open` marks, without a branch; -infinity where it marks none.
template <class T>
T largest_open(const T* values, const std::uint8_t* open, std::size_t n) noexcept {
    constexpr T none = -std::numeric_limits<T>::infinity();
    T first = none, second = none;
    std::size_t a = 0;
    for (; a + 2 <= n; a += 2) {
        const T x = open[a] != 0 ? values[a] : none, y = open[a + 1] != 0 ? values[a + 1] : none;
        first = x > first ? x : first;
        second = y > second ? y : second;
    }
    if (a < n) {
        const T x = open[a] != 0 ? values[a] : none;
        first = x > first ? x : first;
    }
    return second > first ? second : first;
}

// The action of highest value among those that `open` marks, ties to the lower one; `no_action` where it marks none.
template <class T>
std::size_t best_action(std::span<const T> values, std::span<const std::uint8_t> open) noexcept {
    const T top = largest_open(values.data(), open.data(), values.size());
    for (std::size_t begin = 0; begin < values.size(); begin += 64) {
        const std::size_t n = std::min<std::size_t>(64, values.size() - begin);
        std::uint64_t best = 0;
        for (std::size_t a = 0; a < n; ++a)
            best |= (static_cast<std::uint64_t>(open[begin + a] != 0) & static_cast<std::uint64_t>(values[begin + a] == top)) << a;
        if (best != 0) return begin + static_cast<std::size_t>(std::countr_zero(best));
    }
    return no_action;
}

// The same among those that also stand in `list`.
template <class T>
std::size_t best_action(std::span<const T> values, std::span<const std::uint8_t> open, std::span<const std::size_t> list) noexcept {
    std::size_t best = no_action;
    for (const std::size_t a : list)
        if (open[a] != 0 && (best == no_action || values[a] > values[best] || (values[a] == values[best] && a < best))) best = a;
    return best;
}

template <class = void>
inline std::size_t count_open(std::span<const std::uint8_t> open) noexcept {
    std::size_t n = 0;
    for (const std::uint8_t mark : open) n += mark != 0 ? 1 : 0;
    return n;
}
// With probability `epsilon` any of the `n` marked actions, all equally likely, else `best`, which is one of them.
template <class T>
choice best_or_any(std::size_t best, std::size_t n, std::span<const T> values, std::span<const std::uint8_t> open, double epsilon, rng& numbers) noexcept {
    const double other = epsilon / static_cast<double>(n);
    std::size_t action = best;
    if (epsilon > 0 && numbers.uniform() < epsilon) {
        auto skip = numbers.below(n);
        for (action = 0; open[action] == 0 || skip-- > 0;) ++action;
    }
    return {.action = action, .propensity = (action == best ? 1 - epsilon : 0) + other, .value = static_cast<double>(values[action])};
}
// `no_action`, and nothing drawn, where none is marked: so do all of these.
template <class T>
choice epsilon_greedy(std::span<const T> values, std::span<const std::uint8_t> open, double epsilon, rng& numbers) noexcept {
    const std::size_t best = best_action(values, open);
    if (best == no_action) return {.action = no_action};
    return best_or_any(best, count_open(open), values, open, epsilon, numbers);
}

// What `upper_bound` and `count_bonus` choose.
template <class T>
std::size_t most_promising(exploring how, double level, std::span<const T> values, std::span<const std::uint64_t> visits,
                           std::span<const std::uint8_t> open) noexcept {
    double all = 0;
    for (std::size_t a = 0; a < values.size(); ++a) all += open[a] != 0 ? static_cast<double>(visits[a]) : 0;
    const double log_all = all > 1 ? std::log(all) : 0;
    std::size_t best = no_action;
    double most = 0;
    for (std::size_t a = 0; a < values.size(); ++a) {
        if (open[a] == 0) continue;
        const auto n = static_cast<double>(visits[a]);
        const double bonus = how == exploring::count_bonus ? level / std::sqrt(n + 1)
                             : n > 0                       ? level * std::sqrt(log_all / n)
                                                           : std::numeric_limits<double>::infinity();
        if (const double x = static_cast<double>(values[a]) + bonus; best == no_action || x > most) {
            best = a;
            most = x;
        }
    }
    return best;
}

// Boltzmann's weights relative to the best action's, which is 1, and their sum.
template <class T>
class softmax_weights {
   public:
    softmax_weights(double level, std::span<const T> values, std::span<const std::uint8_t> open, std::size_t best) noexcept
        : level_(level), best_(best), top_(static_cast<double>(values[best])), values_(values), open_(open) {
        for (std::size_t a = 0; a < values.size(); ++a) sum_ += of(a);
    }
    [[nodiscard]] double of(std::size_t a) const noexcept {
        if (open_[a] == 0) return 0;
        if (level_ <= 0) return a == best_ ? 1 : 0;
        return std::exp((static_cast<double>(values_[a]) - top_) / level_);
    }
    [[nodiscard]] double sum() const noexcept { return sum_; }

   private:
    double level_;
    std::size_t best_;
    double top_, sum_ = 0;
    std::span<const T> values_;
    std::span<const std::uint8_t> open_;
};

// One action by this exploration at this level, and the probability with which it was chosen.
template <class T>
choice explore(const exploration& by, double level, std::span<const T> values, std::span<const std::uint64_t> visits, std::span<const std::uint8_t> open,
               rng& numbers) noexcept {
    if (by.how == exploring::epsilon_greedy) return epsilon_greedy(values, open, level, numbers);
    const bool soft = by.how == exploring::softmax;
    const std::size_t best = soft ? best_action(values, open) : most_promising(by.how, level, values, visits, open);
    if (best == no_action) return {.action = no_action};
    const std::size_t n = count_open(open);
    if (!soft) return best_or_any(best, n, values, open, by.mix, numbers);
    const softmax_weights<T> weights(level, values, open, best);
    std::size_t action = best;
    if (by.mix > 0 && numbers.uniform() < by.mix) {
        auto skip = numbers.below(n);
        for (action = 0; open[action] == 0 || skip-- > 0;) ++action;
    } else {
        double left = numbers.uniform() * weights.sum();
        for (std::size_t a = 0; a < values.size(); ++a) {
            const double w = weights.of(a);
            if (w > 0 && left < w) {
                action = a;
                break;
            }
            left -= w;
        }
    }
    return {.action = action,
            .propensity = (1 - by.mix) * weights.of(action) / weights.sum() + by.mix / static_cast<double>(n),
            .value = static_cast<double>(values[action])};
}

// What the next action is worth on average if it is chosen like that; `nothing` where none is marked.
template <class T>
double expected_value(const exploration& by, double level, std::span<const T> values, std::span<const std::uint64_t> visits, std::span<const std::uint8_t> open,
                      double nothing) noexcept {
    const bool soft = by.how == exploring::softmax, plain = by.how == exploring::epsilon_greedy;
    const std::size_t best = soft || plain ? best_action(values, open) : most_promising(by.how, level, values, visits, open);
    if (best == no_action) return nothing;
    double mean = 0;
    for (std::size_t a = 0; a < values.size(); ++a) mean += open[a] != 0 ? static_cast<double>(values[a]) : 0;
    mean /= static_cast<double>(count_open(open));
    double chosen = static_cast<double>(values[best]);
    if (soft) {
        const softmax_weights<T> weights(level, values, open, best);
        chosen = 0;
        for (std::size_t a = 0; a < values.size(); ++a)
            if (const double w = weights.of(a); w > 0) chosen += w * static_cast<double>(values[a]);
        chosen /= weights.sum();
    }
    const double random = plain ? level : by.mix;
    return (1 - random) * chosen + random * mean;
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
