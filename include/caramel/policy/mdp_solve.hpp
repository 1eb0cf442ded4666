#ifndef CARAMEL_POLICY_MDP_SOLVE_HPP
#define CARAMEL_POLICY_MDP_SOLVE_HPP

// Exact solutions of decision processes: what learners are measured against, and useful wherever the model is known.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/large_pages.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/policy/mdp_process.hpp>

#include <Eigen/LU>  // after core/matrix.hpp, which sees to what network headers define

namespace caramel::inline CARAMEL_ABI {

/// How to solve a process.
struct solve_options {
    double discount = .95;     ///< in [0, 1]; 1 for processes that end
    double tolerance = 1e-10;  ///< of the values, where they are found by iteration; not below what doubles can tell
    double ties = 1e-9;        ///< actions within this of the best one are optimal, too
    std::size_t max_rounds = 1'000'000;
    std::vector<std::size_t> start = {};  ///< policy iteration: the first policy, one action a state (empty: see there)
};

/// The optimum of a process.
struct mdp_solution {
    vec<double> v;                        ///< (states): the value of each state
    matrix<double> q;                     ///< (states, actions): of each action; -infinity where it is not allowed
    std::vector<std::size_t> policy;      ///< an optimal policy; `no_action` at ends
    ragged<std::size_t> optimal_actions;  ///< by state, ascending: all that tie with the best
    std::size_t rounds = 0;               ///< sweeps, or policies evaluated
};

// Templates throughout, though of one type each, so that the solvers are compiled only where a process is solved.
namespace detail::exact {

template <class = void>
inline void require_solvable(const solve_options& how, std::string_view who) {
    require(how.discount >= 0 && how.discount <= 1, errc::bad_parameter, who, ": discount must lie in [0, 1], got ", how.discount);
    require(how.tolerance >= 0 && std::isfinite(how.tolerance), errc::bad_parameter, who, ": tolerance must be finite and not negative, got ", how.tolerance);
    require(how.ties >= 0 && std::isfinite(how.ties), errc::bad_parameter, who, ": ties must be finite and not negative, got ", how.ties);
    require(how.max_rounds > 0, errc::bad_parameter, who, ": max_rounds must be at least 1");
}

// The rows of a linear map with a reward each: value = reward + sum of weight * value(next). A row is an allowed pair of
// a process, or a state under a policy. Probabilities of branches that end are left out of the sum.
struct backups {
    std::vector<std::size_t> starts{0};
    std::vector<std::uint32_t> next;
    std::vector<double> weight;  // discounted
    std::vector<double> reward;  // expected
    std::vector<char> may_end;   // an ending branch has a positive probability
    std::vector<char> any_reward;

    [[nodiscard]] std::size_t size() const noexcept { return reward.size(); }
    template <class = void>
    void open() {
        reward.push_back(0);
        may_end.push_back(0);
        any_reward.push_back(0);
    }
    template <class = void>
    void add(std::span<const mdp::branch> branches, double discount, double share = 1) {
        for (const auto& b : branches) {
            reward.back() += share * b.probability * b.reward;
            any_reward.back() |= static_cast<char>(b.reward != 0);
            if (b.terminal) {
                may_end.back() = 1;
            } else if (discount > 0) {
                next.push_back(b.next);
                weight.push_back(discount * share * b.probability);
            }
        }
    }
    template <class = void>
    void close() { starts.push_back(next.size()); }
    [[nodiscard]] double value(std::size_t row, const double* v) const noexcept {
        double sum = reward[row];
        for (std::size_t k = starts[row]; k < starts[row + 1]; ++k) sum += weight[k] * v[next[k]];
        return sum;
    }
};

template <std::same_as<mdp> Process>
std::span<const mdp::branch> branches_of(const Process& process, std::size_t pair) {
    return process.branches().subspan(process.branch_starts()[pair], process.branch_starts()[pair + 1] - process.branch_starts()[pair]);
}

// One row a pair.
template <std::same_as<mdp> Process>
backups backups_of(const Process& process, double discount) {
    backups out;
    reserve_large(out.next, process.branches().size());
    reserve_large(out.weight, process.branches().size());
    reserve_large(out.reward, process.pair_actions().size());
    for (std::size_t p = 0; p < process.pair_actions().size(); ++p) {
        out.open();
        out.add(branches_of(process, p), discount);
        out.close();
    }
    return out;
}
// One row a state: under `share(pair)`, the probability of each pair in its state.
template <class Share>
backups chain_of(const mdp& process, double discount, const Share& share) {
    backups out;
    for (std::size_t s = 0; s < process.states(); ++s) {
        out.open();
        const auto begin = process.pair_starts()[s], end = process.pair_starts()[s + 1];
        if (begin == end) out.may_end.back() = 1;
        for (std::size_t p = begin; p < end; ++p)
            if (const double x = share(p); x > 0) out.add(branches_of(process, p), discount, x);
        out.close();
    }
    return out;
}

inline constexpr std::uint32_t never = std::numeric_limits<std::uint32_t>::max();

// By state: the least number of steps to one of the marked states; `never` where none can be reached.
template <std::same_as<backups> Chain>
std::vector<std::uint32_t> steps_to(const Chain& chain, const std::vector<char>& marked) {
    const std::size_t n = chain.size();
    std::vector<std::size_t> starts(n + 1, 0);  // who leads to a state
    for (const auto to : chain.next) ++starts[to + std::size_t{1}];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    std::vector<std::uint32_t> from(chain.next.size());
    auto at = starts;
    for (std::size_t s = 0; s < n; ++s)
        for (std::size_t k = chain.starts[s]; k < chain.starts[s + 1]; ++k) from[at[chain.next[k]]++] = static_cast<std::uint32_t>(s);
    std::vector<std::uint32_t> distance(n, never), queue;
    for (std::size_t s = 0; s < n; ++s)
        if (marked[s] != 0) {
            distance[s] = 0;
            queue.push_back(static_cast<std::uint32_t>(s));
        }
    for (std::size_t i = 0; i < queue.size(); ++i)
        for (std::size_t k = starts[queue[i]]; k < starts[queue[i] + std::size_t{1}]; ++k)
            if (distance[from[k]] == never) {
                distance[from[k]] = distance[queue[i]] + 1;
                queue.push_back(from[k]);
            }
    return distance;
}

// At discount 1 values are finite where an end can be reached: a branch that ends, or a state from which nothing is ever
// earned. `distance` counts the steps to it.
struct endings {
    std::vector<char> idle;
    std::vector<std::uint32_t> distance;
};
template <std::same_as<backups> Chain>
endings endings_of(const Chain& chain, std::string_view who) {
    endings out{.idle = std::vector<char>(chain.size(), 0), .distance = {}};
    const auto to_reward = steps_to(chain, chain.any_reward);
    std::vector<char> ends = chain.may_end;
    for (std::size_t s = 0; s < chain.size(); ++s)
        if (to_reward[s] == never) ends[s] = out.idle[s] = 1;
    out.distance = steps_to(chain, ends);
    for (std::size_t s = 0; s < chain.size(); ++s)
        require_at(out.distance[s] != never, errc::bad_data, {.row = s + 1}, who, ": discount 1, but from state ", s,
                   " (from 0) no end can be reached while there are rewards: its value is not finite; use a discount below 1");
    return out;
}

// The largest of n numbers that are not negative, eight side by side: one alone would wait for itself.
template <class Number>
double largest_of(std::size_t n, const Number& number) {
    constexpr std::size_t lanes = 8;
    std::array<double, lanes> out{};
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes)
        for (std::size_t j = 0; j < lanes; ++j) {
            const double x = number(i + j);
            out[j] = x > out[j] ? x : out[j];
        }
    for (; i < n; ++i) out[0] = std::max(out[0], number(i));
    return *std::max_element(out.begin(), out.end());
}
template <class = void>
inline double largest(std::span<const double> values) {
    return largest_of(values.size(), [v = values.data()](std::size_t i) { return std::abs(v[i]); });
}
// When sweeps may stop: the values are then within the tolerance, or as near as rounding lets them.
template <class = void>
inline double smallest_change(const solve_options& how, std::span<const double> v) {
    const double rounding = 16 * std::numeric_limits<double>::epsilon() * largest(v);
    return how.discount < 1 && how.discount > 0 ? std::max(how.tolerance * (1 - how.discount) / how.discount, rounding) : rounding;
}

// Repeats v = sweep(v) until it stays; `sweep(begin, end, v, next)` gives a block of states their next values. Returns the
// number of sweeps.
template <class Sweep>
std::size_t sweep_until_still(std::vector<double>& v, const Sweep& sweep, const solve_options& how, const run_options& run, std::string_view who) {
    constexpr std::size_t block = 4096;
    std::vector<double> next, changes((v.size() + block - 1) / block);
    reserve_large(next, v.size());
    next.resize(v.size());
    for (std::size_t round = 1; round <= how.max_rounds; ++round) {
        parallel_blocks(v.size(), block, run, [&](std::size_t begin, std::size_t end, std::size_t number) {
            sweep(begin, end, v.data(), next.data());
            changes[number] = largest_of(end - begin, [a = v.data() + begin, b = next.data() + begin](std::size_t i) { return std::abs(a[i] - b[i]); });
        });
        v.swap(next);
        const double change = largest(changes);
        require(std::isfinite(change), errc::diverged, who, ": the values left the finite numbers after ", round, " sweeps: lower the discount or the rewards");
        if (change <= smallest_change(how, v)) return round;
    }
    fail(errc::diverged, {}, who, ": the values were not still after ", how.max_rounds, " sweeps: lower the discount, or raise the tolerance or max_rounds");
}

// Rows of nearly equally many branches get equally many, the others of weight 0: then sweeps need not look how many there are.
template <std::same_as<backups> Pairs>
Pairs even_rows(Pairs pairs) {
    std::size_t most = 0;
    for (std::size_t p = 0; p < pairs.size(); ++p) most = std::max(most, pairs.starts[p + 1] - pairs.starts[p]);
    const std::size_t links = pairs.next.size(), even = most * pairs.size();
    if (most > 4 || even == links || even - links > links / 4) return pairs;
    std::vector<std::uint32_t> next;
    std::vector<double> weight;
    reserve_large(next, even);
    reserve_large(weight, even);
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        for (std::size_t k = pairs.starts[p]; k < pairs.starts[p + 1]; ++k) {
            next.push_back(pairs.next[k]);
            weight.push_back(pairs.weight[k]);
        }
        const std::uint32_t near = next.empty() ? 0 : next.back();
        next.resize((p + 1) * most, near);
        weight.resize((p + 1) * most, 0.0);
        pairs.starts[p] = p * most;
    }
    pairs.starts.back() = even;
    pairs.next = std::move(next);
    pairs.weight = std::move(weight);
    return pairs;
}

// The best of each state's rows, those of state s being `starts[s] .. starts[s + 1]`; 0 where there are none. The values that
// branches lead to may lie far away, beyond the nearer caches: then they are asked for long before, into the second cache, which
// takes more requests at a time than the first. Branches: how many every row has, 0 where that differs. Ahead: `rows_ahead` more
// branches follow after the block.
inline constexpr std::size_t rows_ahead = 768, values_ahead = 240;
template <std::size_t Branches, bool Ahead, bool Far, std::same_as<backups> Pairs>
void best_rows(const Pairs& pairs, const std::size_t* starts, std::size_t begin, std::size_t end, const double* v, double* out) {
    const std::uint32_t* next = pairs.next.data();
    const double *weight = pairs.weight.data(), *const reward = pairs.reward.data();
    const std::size_t* const stops = pairs.starts.data() + 1;
    std::size_t p = starts[begin];
    const std::size_t skipped = pairs.starts[p];
    next += skipped;
    weight += skipped;
    [[maybe_unused]] std::size_t k = skipped;
    for (std::size_t s = begin; s < end; ++s) {
        const std::size_t stop = starts[s + 1];
        double best = p < stop ? -std::numeric_limits<double>::infinity() : 0;
        for (; p < stop; ++p) {
            double sum = reward[p];
            if constexpr (Ahead) CARAMEL_PREFETCH(weight + rows_ahead);
            const std::size_t count = Branches > 0 ? Branches : stops[p] - k;
            for (std::size_t j = 0; j < count; ++j) {
                if constexpr (Far) CARAMEL_PREFETCH_FAR(v + next[j + values_ahead]);
                sum += weight[j] * v[next[j]];
            }
            next += count;
            weight += count;
            if constexpr (Branches == 0) k = stops[p];
            best = sum > best ? sum : best;
        }
        out[s] = best;
    }
}
template <std::same_as<backups> Pairs>
auto best_row_sweep(const Pairs& pairs, std::span<const std::size_t> starts) {
    constexpr std::size_t near = 1U << 15U;
    std::size_t branches = pairs.size() == 0 ? 0 : pairs.starts[1], far = 0;
    for (std::size_t s = 0; s + 1 < starts.size(); ++s)
        for (std::size_t p = starts[s]; p < starts[s + 1]; ++p) {
            if (pairs.starts[p + 1] - pairs.starts[p] != branches) branches = 0;
            for (std::size_t k = pairs.starts[p]; k < pairs.starts[p + 1]; ++k) far += pairs.next[k] > s + near || pairs.next[k] + near < s ? 1 : 0;
        }
    return
        [&pairs, starts = starts.data(), branches, most_far = far > pairs.next.size() / 8](std::size_t begin, std::size_t end, const double* v, double* out) {
            // The last blocks have nothing ahead to ask for.
            const auto sweep = [&]<std::size_t Branches>() {
                if (pairs.starts[starts[end]] + rows_ahead > pairs.next.size()) best_rows<Branches, false, false>(pairs, starts, begin, end, v, out);
                else if (most_far) best_rows<Branches, true, true>(pairs, starts, begin, end, v, out);
                else best_rows<Branches, true, false>(pairs, starts, begin, end, v, out);
            };
            if (branches == 2) sweep.template operator()<2>();
            else if (branches == 3) sweep.template operator()<3>();
            else if (branches == 4) sweep.template operator()<4>();
            else sweep.template operator()<0>();
        };
}

// The value of each state of a chain, started from `v`. Returns how far off they may be.
template <std::same_as<backups> Chain>
double solve_chain(const Chain& chain, std::vector<double>& v, const solve_options& how, const run_options& run, std::string_view who) {
    using real = detail::real_of<Chain>;  // double: see there
    constexpr std::size_t dense_limit = 600;  // where elimination still beats sweeps
    const std::size_t n = chain.size();
    const auto idle = how.discount == 1 ? endings_of(chain, who).idle : std::vector<char>(n, 0);
    if (n > dense_limit) {
        std::vector<std::size_t> starts(n + 1);
        std::iota(starts.begin(), starts.end(), std::size_t{0});
        const auto sweep = best_row_sweep(chain, starts);  // one row a state
        const auto but_idle = [&](std::size_t begin, std::size_t end, const double* old, double* out) {
            sweep(begin, end, old, out);
            for (std::size_t s = begin; s < end; ++s) out[s] = idle[s] != 0 ? 0 : out[s];
        };
        (void)sweep_until_still(v, but_idle, how, run, who);
        return how.tolerance;
    }
    const auto size = static_cast<row_index>(n);
    matrix<real> a = matrix<real>::Identity(size, size);
    vec<real> b = vec<real>::Zero(size);
    for (std::size_t s = 0; s < n; ++s) {
        if (idle[s] != 0) continue;
        b(static_cast<row_index>(s)) = chain.reward[s];
        for (std::size_t k = chain.starts[s]; k < chain.starts[s + 1]; ++k)
            a(static_cast<row_index>(s), static_cast<row_index>(chain.next[k])) -= chain.weight[k];
    }
    const vec<real> x = a.partialPivLu().solve(b);
    require(x.allFinite(), errc::diverged, who, ": the values are not finite: lower the discount or the rewards");
    v.assign(x.data(), x.data() + n);
    return 1e-12 * largest(v);
}

// Q, ties, the lowest of the best actions, and the values anew, from the values of the states.
template <std::same_as<mdp> Process>
mdp_solution solution_of(const Process& process, const backups& pairs, const std::vector<double>& v, const solve_options& how, std::size_t rounds) {
    mdp_solution out;
    const auto states = static_cast<row_index>(process.states());
    out.v = vec<double>::Zero(states);
    out.q = matrix<double>::Constant(states, static_cast<row_index>(process.actions()), -std::numeric_limits<double>::infinity());
    out.policy.assign(process.states(), no_action);
    out.rounds = rounds;
    for (std::size_t s = 0; s < process.states(); ++s) {
        const auto i = static_cast<row_index>(s);
        const auto begin = process.pair_starts()[s], end = process.pair_starts()[s + 1];
        for (std::size_t p = begin; p < end; ++p) out.q(i, static_cast<row_index>(process.pair_actions()[p])) = pairs.value(p, v.data());
        if (begin < end) out.v(i) = out.q.row(i).maxCoeff();
        for (std::size_t p = begin; p < end; ++p) {
            const std::size_t a = process.pair_actions()[p];
            if (out.q(i, static_cast<row_index>(a)) < out.v(i) - how.ties) continue;
            if (out.policy[s] == no_action) out.policy[s] = a;
            out.optimal_actions.push_back(a);
        }
        out.optimal_actions.close_row();
    }
    return out;
}

// The pair of each state that a policy names.
template <std::same_as<mdp> Process>
std::vector<std::size_t> pairs_of_policy(const Process& process, std::span<const std::size_t> policy, std::string_view who) {
    require(policy.size() == process.states(), errc::shape_mismatch, who, ": a policy for ", policy.size(), " states, the process has ", process.states());
    std::vector<std::size_t> out(process.states(), no_action);
    for (std::size_t s = 0; s < process.states(); ++s) {
        const auto mine = process.allowed(s);
        if (mine.empty()) continue;
        const auto found = std::lower_bound(mine.begin(), mine.end(), policy[s]);
        require_at(found != mine.end() && *found == policy[s], errc::bad_data, {.row = s + 1}, who, ": the policy's action in state ", s,
                   " (from 0) is not allowed there");
        out[s] = process.pair_starts()[s] + static_cast<std::size_t>(found - mine.begin());
    }
    return out;
}
// The probability of each pair in its state.
template <std::same_as<mdp> Process>
std::vector<double> shares_of_policy(const Process& process, std::span<const std::size_t> policy, std::string_view who) {
    std::vector<double> out(process.pair_actions().size(), 0.0);
    for (const std::size_t p : pairs_of_policy(process, policy, who))
        if (p != no_action) out[p] = 1;
    return out;
}
template <std::same_as<mdp> Process>
std::vector<double> shares_of_policy(const Process& process, const matrix<double>& policy, std::string_view who) {
    require(policy.rows() == static_cast<row_index>(process.states()) && policy.cols() == static_cast<row_index>(process.actions()), errc::shape_mismatch, who,
            ": a policy of ", policy.rows(), " x ", policy.cols(), ", the process has ", process.states(), " states and ", process.actions(), " actions");
    std::vector<double> share(process.pair_actions().size());
    for (std::size_t s = 0; s < process.states(); ++s) {
        const auto mine = process.allowed(s);
        if (mine.empty()) continue;
        double sum = 0;
        for (std::size_t a = 0, k = 0; a < process.actions(); ++a) {
            const double x = policy(static_cast<row_index>(s), static_cast<row_index>(a));
            const place at{.row = s + 1, .column = a + 1};
            require_at(std::isfinite(x), errc::nan_or_inf, at, who, ": the policy's probability of state ", s, ", action ", a, " (from 0) is not finite");
            const bool allowed = k < mine.size() && mine[k] == a;
            require_at(x >= 0 && (allowed || x == 0), errc::bad_data, at, who, ": the policy's probability of state ", s, ", action ", a,
                       " (from 0) is negative, or the action is not allowed there");
            if (allowed) share[process.pair_starts()[s] + k++] = x;
            sum += x;
        }
        require_at(std::abs(sum - 1) <= 1e-9, errc::bad_data, {.row = s + 1}, who, ": the policy's probabilities of state ", s, " (from 0) sum to ", sum,
                   ", not 1");
    }
    return share;
}
// One row a state: those of the pairs that a policy takes.
template <std::same_as<backups> Pairs>
backups chain_of_rows(const Pairs& pairs, const std::vector<std::size_t>& policy) {
    backups out;
    for (const std::size_t p : policy) {
        out.open();
        if (p == no_action) {
            out.may_end.back() = 1;
        } else {
            out.reward.back() = pairs.reward[p];
            out.may_end.back() = pairs.may_end[p];
            out.any_reward.back() = pairs.any_reward[p];
            const auto begin = static_cast<std::ptrdiff_t>(pairs.starts[p]), end = static_cast<std::ptrdiff_t>(pairs.starts[p + 1]);
            out.next.insert(out.next.end(), pairs.next.begin() + begin, pairs.next.begin() + end);
            out.weight.insert(out.weight.end(), pairs.weight.begin() + begin, pairs.weight.begin() + end);
        }
        out.close();
    }
    return out;
}
// The chain of the policy that takes every allowed action: what can be reached at all.
template <std::same_as<mdp> Process>
backups chain_of_everything(const Process& process) {
    return chain_of(process, 1, [](std::size_t) { return 1.0; });
}

// A policy that moves nearer to an end in every state.
template <std::same_as<mdp> Process>
std::vector<std::size_t> ending_policy(const Process& process, const std::vector<std::uint32_t>& distance) {
    std::vector<std::size_t> out(process.states(), no_action);
    for (std::size_t s = 0; s < process.states(); ++s) {
        const auto begin = process.pair_starts()[s], end = process.pair_starts()[s + 1];
        if (begin < end) out[s] = begin;
        for (std::size_t p = begin; p < end; ++p) {
            const auto nearer = [&](const mdp::branch& b) { return b.terminal || distance[b.next] < distance[s]; };
            if (std::ranges::any_of(branches_of(process, p), nearer)) {
                out[s] = p;
                break;
            }
        }
    }
    return out;
}
// Takes the largest reward at once, ties to the lower action.
template <std::same_as<mdp> Process>
std::vector<std::size_t> myopic_policy(const Process& process, const backups& pairs) {
    std::vector<std::size_t> out(process.states(), no_action);
    for (std::size_t s = 0; s < process.states(); ++s)
        for (std::size_t p = process.pair_starts()[s]; p < process.pair_starts()[s + 1]; ++p)
            if (out[s] == no_action || pairs.reward[p] > pairs.reward[out[s]]) out[s] = p;
    return out;
}

template <std::same_as<mdp> Process, class Policy>
vec<double> values_of_policy(const Process& process, const Policy& policy, const solve_options& how, const run_options& run) {
    constexpr std::string_view who = "evaluate_policy";
    require_solvable(how, who);
    const auto share = shares_of_policy(process, policy, who);
    const auto chain = chain_of(process, how.discount, [&](std::size_t p) { return share[p]; });
    std::vector<double> v(process.states(), 0.0);
    (void)solve_chain(chain, v, how, run, who);
    return Eigen::Map<const vec<double>>(v.data(), static_cast<row_index>(v.size()));
}

// Howard's improvement from `policy`, one pair a state, until it stays. Leaves the values in `v`; returns the number of
// policies that were evaluated.
template <std::same_as<mdp> Process>
std::size_t improve_policy(const Process& process, const backups& pairs, std::vector<std::size_t>& policy, std::vector<double>& v, const solve_options& how,
                           const run_options& run, std::string_view who) {
    for (std::size_t round = 1; round <= how.max_rounds; ++round) {
        // Only what is better beyond the error of the values counts, so that ties do not go round in circles.
        const double margin = 2 * solve_chain(chain_of_rows(pairs, policy), v, how, run, who);
        bool still = true;
        for (std::size_t s = 0; s < process.states(); ++s) {
            const auto begin = process.pair_starts()[s], end = process.pair_starts()[s + 1];
            if (begin == end) continue;
            std::size_t best = begin;
            double best_value = pairs.value(begin, v.data());
            for (std::size_t p = begin + 1; p < end; ++p)
                if (const double x = pairs.value(p, v.data()); x > best_value) {
                    best = p;
                    best_value = x;
                }
            if (best_value <= pairs.value(policy[s], v.data()) + margin) continue;
            policy[s] = best;
            still = false;
        }
        if (still) return round;
    }
    fail(errc::diverged, {}, who, ": the policy still changed after ", how.max_rounds, " rounds: raise max_rounds or the tolerance");
}

}  // namespace detail::exact

/// The values of the states under a policy that takes one action a state (what stands at ends is not looked at).
/// Elimination for up to 600 states, sweeps beyond.
/// Throws `error`: `bad_parameter`; `shape_mismatch`; `bad_data` with row = state, from 1, of an action that is not
/// allowed, or, at discount 1, of a state from which the policy earns for ever.
template <std::same_as<mdp> Process>
[[nodiscard]] vec<double> evaluate_policy(const Process& process, std::span<const std::size_t> policy, const solve_options& how = {},
                                          const run_options& run = {}) {
    return detail::exact::values_of_policy(process, policy, how, run);
}
/// The same for a policy that is a probability for each action, (states, actions); rows of ends are not looked at.
/// Throws `error` also: `nan_or_inf` and `bad_data` with the row and column of a probability that is not finite,
/// negative or of an action that is not allowed, and with the row of a state whose probabilities do not sum to 1.
template <std::same_as<mdp> Process>
[[nodiscard]] vec<double> evaluate_policy(const Process& process, const matrix<double>& policy, const solve_options& how = {}, const run_options& run = {}) {
    return detail::exact::values_of_policy(process, policy, how, run);
}

/// The optimum by sweeps of `v(s) = max over a of (reward + discount * sum of probability * v(next))` from zero
/// (Bellman, 1957), all states at once: the same bits for any number of threads. At discount 1 it may take long, and
/// among ties `policy` may be one that never ends: prefer `policy_iteration`.
/// Throws `error`: `bad_parameter`; `bad_data` (discount 1, and a state with rewards that cannot reach an end);
/// `diverged` (not still after `max_rounds` sweeps, as with a loop that earns for ever at discount 1).
template <std::same_as<mdp> Process>
[[nodiscard]] mdp_solution value_iteration(const Process& process, const solve_options& how = {}, const run_options& run = {}) {
    constexpr std::string_view who = "value_iteration";
    detail::exact::require_solvable(how, who);
    if (how.discount == 1) (void)detail::exact::endings_of(detail::exact::chain_of_everything(process), who);
    const auto pairs = detail::exact::even_rows(detail::exact::backups_of(process, how.discount));
    std::vector<double> v;
    detail::reserve_large(v, process.states());
    v.resize(process.states(), 0.0);
    const std::size_t rounds = detail::exact::sweep_until_still(v, detail::exact::best_row_sweep(pairs, process.pair_starts()), how, run, who);
    return detail::exact::solution_of(process, pairs, v, how, rounds);
}

/// The optimum by evaluating a policy exactly and improving it until it stays (Howard, 1960). Starts from `how.start`,
/// else from the policy with the largest reward at once, or at discount 1 from one that ends.
/// Throws `error` as `evaluate_policy` does for `how.start`, and `diverged` (no end after `max_rounds` policies).
template <std::same_as<mdp> Process>
[[nodiscard]] mdp_solution policy_iteration(const Process& process, const solve_options& how = {}, const run_options& run = {}) {
    constexpr std::string_view who = "policy_iteration";
    detail::exact::require_solvable(how, who);
    const auto pairs = detail::exact::backups_of(process, how.discount);
    std::vector<std::size_t> policy;
    if (!how.start.empty()) policy = detail::exact::pairs_of_policy(process, how.start, who);
    else if (how.discount == 1)
        policy = detail::exact::ending_policy(process, detail::exact::endings_of(detail::exact::chain_of_everything(process), who).distance);
    else policy = detail::exact::myopic_policy(process, pairs);
    std::vector<double> v(process.states(), 0.0);
    const std::size_t rounds = detail::exact::improve_policy(process, pairs, policy, v, how, run, who);
    auto out = detail::exact::solution_of(process, pairs, v, how, rounds);
    for (std::size_t s = 0; s < process.states(); ++s)
        if (policy[s] != no_action) out.policy[s] = process.pair_actions()[policy[s]];
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
