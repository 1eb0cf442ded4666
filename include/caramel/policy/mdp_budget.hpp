#ifndef CARAMEL_POLICY_MDP_BUDGET_HPP
#define CARAMEL_POLICY_MDP_BUDGET_HPP

// What a policy spends, and the best policy that keeps within budgets: the linear programme over occupancies, solved by
// column generation, so that no solver of linear programmes is needed.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/policy/mdp_process.hpp>
#include <caramel/policy/mdp_solve.hpp>
#include <caramel/policy/transition.hpp>

#include <Eigen/LU>  // after core/matrix.hpp, which sees to what network headers define

namespace caramel::inline CARAMEL_ABI {

/// A limit on what a policy spends on average.
struct occupancy_budget {
    matrix<double> cost;  ///< (states, actions): of taking an action in a state; 1 for every contact makes it a limit of contacts
    double limit = 0;     ///< the most that cost times occupancy may sum to: for contacts, their share of all periods, discounted
};

/// The best policy within budgets.
struct budget_solution {
    double value = 0;                     ///< the expected discounted return from the initial states
    matrix<double> policy;                ///< (states, actions): the probability of each action; 0 at ends
    matrix<double> occupancy;             ///< (states, actions): the discounted share of all periods that is spent there; sums to 1 unless the process ends
    vec<double> spent;                    ///< of each budget
    vec<double> prices;                   ///< of each budget: what one unit of cost is worth at the limit; 0 where the budget does not bind
    std::vector<std::size_t> randomised;  ///< the states, ascending, in which more than one action is taken: at most one a binding budget
    std::size_t policies = 0;             ///< deterministic policies that were looked at
};

namespace detail::exact {

// The chain read backwards, as a linear map of occupancies: occupancy = source + sum over its predecessors.
template <std::same_as<backups> Chain>
backups reversed(const Chain& chain) {
    const std::size_t n = chain.size();
    backups out;
    out.starts.assign(n + 1, 0);
    for (const auto to : chain.next) ++out.starts[to + std::size_t{1}];
    for (std::size_t s = 0; s < n; ++s) out.starts[s + 1] += out.starts[s];
    out.next.resize(chain.next.size());
    out.weight.resize(chain.next.size());
    auto at = out.starts;
    for (std::size_t s = 0; s < n; ++s)
        for (std::size_t k = chain.starts[s]; k < chain.starts[s + 1]; ++k) {
            const std::size_t i = at[chain.next[k]]++;
            out.next[i] = static_cast<std::uint32_t>(s);
            out.weight[i] = chain.weight[k];
        }
    out.reward.assign(n, 0.0);
    out.may_end.assign(n, 0);
    out.any_reward.assign(n, 0);
    return out;
}
// By state, from a source by state. A discount below 1.
template <std::same_as<backups> Chain>
std::vector<double> occupancy_of(Chain& backwards, std::span<const double> source, solve_options how, const run_options& run, std::string_view who) {
    std::copy(source.begin(), source.end(), backwards.reward.begin());
    how.tolerance /= static_cast<double>(backwards.size());  // sweeps contract the sum of the errors, not the largest
    std::vector<double> out(backwards.size(), 0.0);
    (void)solve_chain(backwards, out, how, run, who);
    return out;
}

// maximise objective * x, coefficients * x = limits, x >= 0, by the simplex method with Bland's rule from a basis that is
// feasible. Few rows, so that the basis is factorised anew in each step.
struct small_programme {
    matrix<double> coefficients;
    vec<double> limits, objective;
    std::vector<row_index> basis;
    vec<double> x, duals;  // of the basis, of the rows

    template <std::same_as<std::string_view> Who>
    void solve(Who who) {
        using real = detail::real_of<Who>;  // double: see there
        constexpr double least = 1e-12;
        const row_index m = coefficients.rows(), n = coefficients.cols();
        for (std::size_t step = 0; step < 10'000; ++step) {
            matrix<real> b(m, m);
            vec<real> price(m);
            for (row_index i = 0; i < m; ++i) {
                b.col(i) = coefficients.col(basis[static_cast<std::size_t>(i)]);
                price(i) = objective(basis[static_cast<std::size_t>(i)]);
            }
            const Eigen::PartialPivLU<matrix<real>> lu(b);
            x = lu.solve(limits);
            duals = matrix<real>(b.transpose()).partialPivLu().solve(price);
            row_index enters = 0;
            while (enters < n && objective(enters) - duals.dot(coefficients.col(enters)) <= least) ++enters;
            if (enters == n) return;
            const vec<real> change = lu.solve(coefficients.col(enters));
            row_index leaves = m;
            double ratio = std::numeric_limits<double>::infinity();
            for (row_index i = 0; i < m; ++i) {
                if (change(i) <= least) continue;
                const double r = std::max(x(i), 0.0) / change(i);
                const bool lower = leaves < m && basis[static_cast<std::size_t>(i)] < basis[static_cast<std::size_t>(leaves)];
                if (r < ratio - least || (r <= ratio + least && lower)) {
                    leaves = i;
                    ratio = std::min(r, ratio);
                }
            }
            if (leaves == m) return;  // cannot be: all x are bounded, but for rounding
            basis[static_cast<std::size_t>(leaves)] = enters;
        }
        fail(errc::diverged, {}, who, ": the budgets' linear programme did not end");
    }
};

template <std::same_as<mdp> Process>
class budget_solver {
    using real = detail::real_of<Process>;  // double: see there

   public:
    budget_solver(const Process& process, std::span<const occupancy_budget> budgets, const solve_options& how, const run_options& run)
        : process_(process), how_(how), run_(run), pairs_(backups_of(process, how.discount)), reward_(pairs_.reward), source_(process.initial()) {
        const auto m = static_cast<row_index>(budgets.size());
        for (double& x : source_) x *= 1 - how_.discount;
        const double top = largest(reward_);
        reward_scale_ = top > 0 ? top : 1;
        for (double& x : reward_) x /= reward_scale_;
        limits_ = cost_scale_ = vec<real>::Zero(m);
        for (row_index i = 0; i < m; ++i) {
            const auto& b = budgets[static_cast<std::size_t>(i)];
            auto& cost = costs_.emplace_back();
            for (std::size_t s = 0; s < process.states(); ++s)
                for (const std::size_t a : process.allowed(s)) cost.push_back(b.cost(static_cast<row_index>(s), static_cast<row_index>(a)));
            const double most = largest(cost);
            cost_scale_(i) = most > 0 ? most : 1;
            for (double& x : cost) x /= cost_scale_(i);
            limits_(i) = b.limit / cost_scale_(i);
        }
    }

    budget_solution solve() {
        auto policy = how_.start.empty() ? myopic_policy(process_, pairs_) : pairs_of_policy(process_, how_.start, who);
        vec<real> prices = vec<real>::Zero(limits_.size());
        improve(policy, prices, 1);
        add(policy);
        if ((columns_[0].costs - limits_).maxCoeff() > margin) {
            make_feasible(policy);
            for (;;) {
                const auto programme = solve_master(false);
                keep_basis(programme);
                prices = programme.duals.head(limits_.size()).cwiseMax(0.0);
                improve(policy, prices, 1);
                const column next = column_of(policy);
                if (next.value - prices.dot(next.costs) - programme.duals(limits_.size()) <= margin || known(policy)) {
                    mix(programme);
                    break;
                }
                columns_.push_back(next);
            }
        } else {
            columns_[0].weight = 1;
        }
        return answer(policy, prices);
    }

    static constexpr std::string_view who = "solve_with_budgets";

   private:
    static constexpr double margin = 1e-12;  // of shares, and of values where the largest reward is 1

    struct column {
        std::vector<std::size_t> pairs;
        std::vector<double> occupancy;  // by state
        double value = 0;
        vec<real> costs;
        double weight = 0;
    };

    column column_of(const std::vector<std::size_t>& policy) {
        column out{.pairs = policy, .occupancy = {}, .costs = vec<real>::Zero(limits_.size())};
        auto backwards = reversed(chain_of_rows(pairs_, policy));
        out.occupancy = occupancy_of(backwards, source_, how_, run_, who);
        for (std::size_t s = 0; s < policy.size(); ++s) {
            if (policy[s] == no_action) continue;
            out.value += out.occupancy[s] * reward_[policy[s]];
            for (std::size_t i = 0; i < costs_.size(); ++i) out.costs(static_cast<row_index>(i)) += out.occupancy[s] * costs_[i][policy[s]];
        }
        return out;
    }
    void add(const std::vector<std::size_t>& policy) { columns_.push_back(column_of(policy)); }
    bool known(const std::vector<std::size_t>& policy) const {
        return std::any_of(columns_.begin(), columns_.end(), [&](const column& c) { return c.pairs == policy; });
    }
    // The best policy where each budget's cost has a price, and rewards count `earns` times.
    void improve(std::vector<std::size_t>& policy, const vec<real>& prices, double earns) {
        for (std::size_t p = 0; p < reward_.size(); ++p) {
            pairs_.reward[p] = earns * reward_[p];
            for (std::size_t i = 0; i < costs_.size(); ++i) pairs_.reward[p] -= prices(static_cast<row_index>(i)) * costs_[i][p];
        }
        std::vector<double> v(process_.states(), 0.0);
        (void)improve_policy(process_, pairs_, policy, v, how_, run_, who);
    }
    // Over shares of the columns, slacks and, while there is no feasible mixture, what is spent too much.
    small_programme solve_master(bool excess) const {
        const row_index m = limits_.size(), n = static_cast<row_index>(columns_.size()), width = n + m + (excess ? m : 0);
        small_programme out;
        out.coefficients = matrix<real>::Zero(m + 1, width);
        out.limits = vec<real>::Ones(m + 1);
        out.limits.head(m) = limits_;
        out.objective = vec<real>::Zero(width);
        for (row_index j = 0; j < n; ++j) {
            const column& c = columns_[static_cast<std::size_t>(j)];
            out.coefficients.block(0, j, m, 1) = c.costs;
            out.coefficients(m, j) = 1;
            if (!excess) out.objective(j) = c.value;
        }
        for (row_index i = 0; i < m; ++i) {
            out.coefficients(i, n + i) = 1;
            if (excess) {
                out.coefficients(i, n + m + i) = -1;
                out.objective(n + m + i) = -1;
            }
        }
        if (basis_.empty()) {  // the first column alone
            out.basis.push_back(0);
            for (row_index i = 0; i < m; ++i) out.basis.push_back(n + (columns_[0].costs(i) <= limits_(i) ? 0 : m) + i);
        } else {
            for (const auto& [kind, number] : basis_) out.basis.push_back(kind == 0 ? number : n + (kind == 1 ? 0 : m) + number);
        }
        out.solve(who);
        return out;
    }
    // Columns move when others come: a basis is kept as (column, slack or excess; its number).
    void keep_basis(const small_programme& solved) {
        const row_index m = limits_.size(), n = static_cast<row_index>(columns_.size());
        basis_.clear();
        for (const row_index j : solved.basis) {
            if (j < n) basis_.emplace_back(0, j);
            else basis_.emplace_back(j < n + m ? 1 : 2, (j - n) % m);
        }
    }
    // Columns until some mixture keeps the budgets, by the same method: as little as possible is spent too much.
    void make_feasible(std::vector<std::size_t> policy) {
        const row_index m = limits_.size();
        for (;;) {
            const auto programme = solve_master(true);
            keep_basis(programme);
            double excess = 0;
            for (row_index i = 0; i <= m; ++i)
                if (basis_[static_cast<std::size_t>(i)].first == 2) excess += std::max(programme.x(i), 0.0);
            if (excess <= margin) break;
            const vec<real> prices = programme.duals.head(m).cwiseMax(0.0);
            improve(policy, prices, 0);
            const column next = column_of(policy);
            if (-prices.dot(next.costs) - programme.duals(m) <= margin || known(policy)) {
                // A single budget that cannot be kept: the excess is what the cheapest policy spends beyond it.
                if (m == 1)
                    fail(errc::bad_parameter, {}, who, ": the budget of ", limits_(0) * cost_scale_(0), " cannot be kept: any policy spends at least ",
                         (limits_(0) + excess) * cost_scale_(0));
                fail(errc::bad_parameter, {}, who, ": no policy keeps the ", m, " budgets together");
            }
            columns_.push_back(next);
        }
        for (auto& [kind, number] : basis_)
            if (kind == 2) kind = 1;  // an excess of 0 is a slack of 0
    }
    void mix(const small_programme& solved) {
        for (std::size_t i = 0; i < solved.basis.size(); ++i)
            if (const auto j = static_cast<std::size_t>(solved.basis[i]); j < columns_.size())
                if (const double w = solved.x(static_cast<row_index>(i)); w > margin) columns_[j].weight = w;
    }

    // The occupancies of the mixture, and then as few actions as a vertex of the linear programme has.
    budget_solution answer(const std::vector<std::size_t>& last, const vec<real>& prices) {
        std::vector<double> x(reward_.size(), 0.0);
        for (const column& c : columns_)
            if (c.weight > 0)
                for (std::size_t s = 0; s < c.pairs.size(); ++s)
                    if (c.pairs[s] != no_action) x[c.pairs[s]] += c.weight * c.occupancy[s];
        for (double& share : x)
            if (share <= 1e-15) share = 0;
        while (drop_an_action(x)) {
        }
        const auto states = static_cast<row_index>(process_.states()), actions = static_cast<row_index>(process_.actions());
        budget_solution out;
        out.policy = out.occupancy = matrix<real>::Zero(states, actions);
        out.spent = spent_by(x).cwiseProduct(cost_scale_);
        out.prices = reward_scale_ * prices.cwiseQuotient(cost_scale_);
        out.policies = columns_.size();
        for (std::size_t s = 0; s < process_.states(); ++s) {
            const auto i = static_cast<row_index>(s);
            double sum = 0;
            std::size_t taken = 0;
            for_pairs(s, [&](std::size_t p, row_index a) {
                out.occupancy(i, a) = x[p];
                out.value += x[p] * reward_[p];
                sum += x[p];
                taken += x[p] > 0 ? 1 : 0;
            });
            // Where the policy never comes, what is best at these prices.
            for_pairs(s, [&](std::size_t p, row_index a) { out.policy(i, a) = sum > 0 ? x[p] / sum : (p == last[s] ? 1 : 0); });
            if (taken > 1) out.randomised.push_back(s);
        }
        out.value *= reward_scale_ / (1 - how_.discount);
        return out;
    }
    template <class Work>
    void for_pairs(std::size_t s, const Work& work) const {
        for (std::size_t p = process_.pair_starts()[s]; p < process_.pair_starts()[s + 1]; ++p) work(p, static_cast<row_index>(process_.pair_actions()[p]));
    }
    vec<real> spent_by(const std::vector<double>& x) const {
        vec<real> out = vec<real>::Zero(limits_.size());
        for (std::size_t i = 0; i < costs_.size(); ++i)
            for (std::size_t p = 0; p < x.size(); ++p) out(static_cast<row_index>(i)) += x[p] * costs_[i][p];
        return out;
    }
    // Policies of equal value may differ in many states, and so does their mixture. Moves along a direction that changes
    // neither value nor what is spent of the binding budgets, until an action is not taken any more.
    bool drop_an_action(std::vector<double>& x) {
        constexpr double binds = 1e-10;
        std::vector<std::size_t> base(process_.states(), no_action), extra, state_of_extra;
        for (std::size_t s = 0; s < base.size(); ++s) {
            for_pairs(s, [&](std::size_t p, row_index) {
                if (base[s] == no_action || x[p] > x[base[s]]) base[s] = p;
            });
            for_pairs(s, [&](std::size_t p, row_index) {
                if (x[p] <= 0 || p == base[s]) return;
                extra.push_back(p);
                state_of_extra.push_back(s);
            });
        }
        const vec<real> spent = spent_by(x);
        std::vector<std::size_t> binding;
        for (std::size_t i = 0; i < costs_.size(); ++i)
            if (spent(static_cast<row_index>(i)) > limits_(static_cast<row_index>(i)) - binds) binding.push_back(i);
        if (extra.size() <= binding.size()) return false;
        const std::size_t k = binding.size() + 1;
        // What one unit more of an extra action changes elsewhere, where the other states keep to their base.
        auto backwards = reversed(chain_of_rows(pairs_, base));
        std::vector<std::vector<double>> effect(k);
        matrix<real> cost = matrix<real>::Zero(static_cast<row_index>(costs_.size()), static_cast<row_index>(k));
        for (std::size_t e = 0; e < k; ++e) {
            std::vector<double> source(process_.states(), 0.0);
            source[state_of_extra[e]] = -1;
            for (std::size_t b = pairs_.starts[extra[e]]; b < pairs_.starts[extra[e] + 1]; ++b) source[pairs_.next[b]] += pairs_.weight[b];
            effect[e] = occupancy_of(backwards, source, how_, run_, who);
            for (std::size_t i = 0; i < costs_.size(); ++i) {
                double& c = cost(static_cast<row_index>(i), static_cast<row_index>(e));
                c = costs_[i][extra[e]];
                for (std::size_t s = 0; s < base.size(); ++s)
                    if (base[s] != no_action) c += effect[e][s] * costs_[i][base[s]];
            }
        }
        vec<real> direction = vec<real>::Ones(1);
        if (k > 1) {
            matrix<real> mine(static_cast<row_index>(binding.size()), static_cast<row_index>(k));
            for (std::size_t i = 0; i < binding.size(); ++i) mine.row(static_cast<row_index>(i)) = cost.row(static_cast<row_index>(binding[i]));
            direction = Eigen::FullPivLU<matrix<real>>(mine).kernel().col(0);
        }
        std::vector<double> change(x.size(), 0.0);
        for (std::size_t e = 0; e < k; ++e) {
            const double d = direction(static_cast<row_index>(e));
            change[extra[e]] += d;
            for (std::size_t s = 0; s < base.size(); ++s)
                if (base[s] != no_action) change[base[s]] += d * effect[e][s];
        }
        const vec<real> more = cost * direction;
        // As far as the first share falls to nothing, or the first budget that is still free is used up; either way round.
        double step = 0, way = 1;
        std::size_t stops = x.size();
        for (const double sign : {-1.0, 1.0}) {
            double far = std::numeric_limits<double>::infinity();
            std::size_t at = x.size();
            for (std::size_t p = 0; p < x.size(); ++p)
                if (x[p] > 0 && sign * change[p] < -1e-14 && x[p] / -(sign * change[p]) < far) {
                    far = x[p] / -(sign * change[p]);
                    at = p;
                }
            for (row_index i = 0; i < limits_.size(); ++i)
                if (spent(i) <= limits_(i) - binds && sign * more(i) > 1e-14 && (limits_(i) - spent(i)) / (sign * more(i)) < far) {
                    far = (limits_(i) - spent(i)) / (sign * more(i));
                    at = x.size();
                }
            if (!std::isfinite(far)) continue;
            if (stops == x.size()) {  // prefers the way on which an action goes
                step = far;
                way = sign;
                stops = at;
            }
        }
        if (step <= 0) return false;
        for (std::size_t p = 0; p < x.size(); ++p)
            if (x[p] > 0) x[p] = p == stops ? 0 : std::max(0.0, x[p] + way * step * change[p]);
        return true;
    }

    const Process& process_;
    solve_options how_;
    run_options run_;
    backups pairs_;
    std::vector<double> reward_, source_;
    std::vector<std::vector<double>> costs_;  // of each budget, by pair
    vec<real> limits_, cost_scale_;
    double reward_scale_ = 1;
    std::vector<column> columns_;
    std::vector<std::pair<int, row_index>> basis_;
};

template <std::same_as<mdp> Process, class Policy>
matrix<double> occupancy_of_policy(const Process& process, const Policy& policy, const solve_options& how, const run_options& run) {
    constexpr std::string_view who = "discounted_occupancy";
    require_solvable(how, who);
    require(how.discount < 1, errc::bad_parameter, who, ": discount must be below 1");
    const auto share = shares_of_policy(process, policy, who);
    auto source = process.initial();
    for (double& x : source) x *= 1 - how.discount;
    auto backwards = reversed(chain_of(process, how.discount, [&](std::size_t p) { return share[p]; }));
    const auto of_states = occupancy_of(backwards, source, how, run, who);
    matrix<double> out = matrix<double>::Zero(static_cast<row_index>(process.states()), static_cast<row_index>(process.actions()));
    for (std::size_t s = 0; s < process.states(); ++s)
        for (std::size_t p = process.pair_starts()[s]; p < process.pair_starts()[s + 1]; ++p)
            out(static_cast<row_index>(s), static_cast<row_index>(process.pair_actions()[p])) = of_states[s] * share[p];
    return out;
}

}  // namespace detail::exact

/// The discounted share of all periods that a policy spends in each state with each action, from the initial states of the
/// process: (states, actions), `(1 - discount) * sum over t of discount^t * P(state, action at t)`. Sums to 1 unless the process
/// ends; times rewards it sums to `(1 - discount)` times the value. One action a state; a discount below 1.
/// Throws `error`: `bad_parameter`, and for the policy as `evaluate_policy`.
template <std::same_as<mdp> Process>
[[nodiscard]] matrix<double> discounted_occupancy(const Process& process, std::span<const std::size_t> policy, const solve_options& how = {},
                                                  const run_options& run = {}) {
    return detail::exact::occupancy_of_policy(process, policy, how, run);
}
/// The same for a probability of each action, (states, actions).
template <std::same_as<mdp> Process>
[[nodiscard]] matrix<double> discounted_occupancy(const Process& process, const matrix<double>& policy, const solve_options& how = {},
                                                  const run_options& run = {}) {
    return detail::exact::occupancy_of_policy(process, policy, how, run);
}

/// A budget whose costs are `rule(state, action)`: `[](std::size_t, std::size_t a) { return a > 0; }` limits the contacts.
template <std::same_as<mdp> Process, class Rule>
[[nodiscard]] occupancy_budget budget_for(const Process& process, const Rule& rule, double limit) {
    occupancy_budget out{.cost = matrix<double>::Zero(static_cast<row_index>(process.states()), static_cast<row_index>(process.actions())), .limit = limit};
    for (std::size_t s = 0; s < process.states(); ++s)
        for (const std::size_t a : process.allowed(s)) out.cost(static_cast<row_index>(s), static_cast<row_index>(a)) = static_cast<double>(rule(s, a));
    return out;
}

/// The policy with the largest discounted return from the initial states among all, randomised ones too, that keep the budgets,
/// and the price of each budget: pay it for every unit of cost, and the best policy keeps the budget by itself. Exact: the linear
/// programme over occupancies (Altman, Constrained Markov Decision Processes, 1999) is solved as a mixture of deterministic
/// policies, each the best one at some prices (Dantzig & Wolfe, Operations Research 8, 1960), and brought to a vertex. One unit
/// more of a limit adds `price / (1 - discount)` to the value, as long as the same policies are mixed.
/// Throws `error`: `bad_parameter` (discount not below 1, a limit that is not finite, budgets that no policy keeps);
/// `empty_input` (no budgets); `shape_mismatch` (costs); `nan_or_inf` with row = state and column = action, from 1, of a cost.
template <std::same_as<mdp> Process>
[[nodiscard]] budget_solution solve_with_budgets(const Process& process, std::span<const occupancy_budget> budgets, const solve_options& how = {},
                                                 const run_options& run = {}) {
    constexpr std::string_view who = detail::exact::budget_solver<Process>::who;
    detail::exact::require_solvable(how, who);
    require(how.discount < 1, errc::bad_parameter, who, ": discount must be below 1");
    require(!budgets.empty(), errc::empty_input, who, ": no budgets");
    for (std::size_t i = 0; i < budgets.size(); ++i) {
        const auto& [cost, limit] = budgets[i];
        require(std::isfinite(limit), errc::bad_parameter, who, ": the limit of budget ", i + 1, " is not finite");
        require(cost.rows() == static_cast<row_index>(process.states()) && cost.cols() == static_cast<row_index>(process.actions()), errc::shape_mismatch, who,
                ": costs of ", cost.rows(), " x ", cost.cols(), ", the process has ", process.states(), " states and ", process.actions(), " actions");
        require_finite(cost, who);
    }
    return detail::exact::budget_solver<Process>(process, budgets, how, run).solve();
}
template <std::same_as<mdp> Process>
[[nodiscard]] budget_solution solve_with_budgets(const Process& process, const occupancy_budget& budget, const solve_options& how = {},
                                                 const run_options& run = {}) {
    return solve_with_budgets(process, std::span(&budget, 1), how, run);
}
template <std::same_as<mdp> Process>
[[nodiscard]] budget_solution solve_with_budgets(const Process& process, const std::vector<occupancy_budget>& budgets, const solve_options& how = {},
                                                 const run_options& run = {}) {
    return solve_with_budgets(process, std::span<const occupancy_budget>(budgets), how, run);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
