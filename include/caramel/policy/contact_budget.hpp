#ifndef CARAMEL_POLICY_CONTACT_BUDGET_HPP
#define CARAMEL_POLICY_CONTACT_BUDGET_HPP

// Whom to contact when there is not enough for everybody: at most one option a customer, within a budget, for the largest gain.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What could be done for a customer. List only what is allowed (`contact_rules::allowed`): nothing else is ever chosen.
struct contact_option {
    std::size_t customer = 0;  ///< any number; options with the same one exclude each other
    std::size_t action = 0;
    double gain = 0;  ///< over doing nothing, such as the difference of two values of a policy
    double cost = 1;  ///< at least 0
};

/// Which options to take.
struct contact_plan {
    std::vector<std::size_t> chosen{};  ///< numbers of options, rising
    double gain = 0, cost = 0;          ///< of those
    double bound = 0;                   ///< no choice within the budget gains more
    double price = 0;                   ///< gain that the last unit of budget brings: later on, contact who gains more than price x cost

    /// At most so much more could be had. 0: the plan is the best one.
    [[nodiscard]] double gap() const noexcept { return bound > gain ? bound - gain : 0; }
};

/// Chooses at most one option a customer, of total cost at most `budget` and of the largest total gain. Exact where all options
/// cost the same, and where the budget does not bind. Otherwise a multiple-choice knapsack: by gain per cost along each
/// customer's upper hull (Sinha & Zoltners, Operations Research 27, 1979), which is the Lagrangian relaxation's solution, and then
/// whatever still fits; `gap()` bounds what is missed, at most the gain of one step of one customer. Ties go to the
/// customer with the smaller number. n log n.
/// Throws `error`: `nan_or_inf` (a gain or cost, with the option's number, from 1, as the row), `bad_data` (a cost below 0),
/// `bad_parameter` (a budget that is negative or not finite), `limit_exceeded` (sums that leave the finite numbers).
template <std::same_as<contact_option> Option>
[[nodiscard]] contact_plan plan_contacts(std::span<const Option> options, double budget) {
    require(budget >= 0 && std::isfinite(budget), errc::bad_parameter, "plan_contacts: the budget must be at least 0 and finite, got ", budget);
    std::vector<std::size_t> order;
    bool same_cost = true;
    double all_cost = 0, all_gain = 0;
    for (std::size_t i = 0; i < options.size(); ++i) {
        const auto& o = options[i];
        require_at(std::isfinite(o.gain) && std::isfinite(o.cost), errc::nan_or_inf, {.row = i + 1}, "plan_contacts: the gain or cost of option ", i + 1,
                   " is not finite");
        require_at(o.cost >= 0, errc::bad_data, {.row = i + 1}, "plan_contacts: the cost of option ", i + 1, " is below 0");
        same_cost = same_cost && o.cost == options[0].cost;
        all_cost += o.cost;
        all_gain += std::abs(o.gain);
        if (o.gain > 0) order.push_back(i);
    }
    require(std::isfinite(all_cost) && std::isfinite(all_gain), errc::limit_exceeded, "plan_contacts: the sum of gains or costs leaves the finite numbers");
    // Costs in units of one contact where they are all the same: whole numbers. A sum of costs that is the budget but for rounding fits.
    const double unit = same_cost && !options.empty() && options[0].cost > 0 ? options[0].cost : 1;
    const double units = budget / unit * (1 + 1e-12);
    const double limit = same_cost ? std::floor(units) : units;

    // Each customer's options by rising cost; of those the upper hull, from (0, 0): steps of falling gain per cost.
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const auto &x = options[a], &y = options[b];
        if (x.customer != y.customer) return x.customer < y.customer;
        if (x.cost != y.cost) return x.cost < y.cost;
        if (x.gain != y.gain) return x.gain > y.gain;
        return a < b;
    });
    struct step {
        double gain, cost, rate;  // over the step before
        std::size_t option, group, level;
    };
    std::vector<step> steps;
    std::vector<std::size_t> hull;
    std::size_t groups = 0;
    for (std::size_t from = 0; from < order.size(); ++groups) {
        std::size_t to = from;
        hull.clear();
        const auto gain = [&](std::size_t n) { return n == 0 ? 0 : options[hull[n - 1]].gain; };  // of the n-th point; the 0-th is doing nothing
        const auto cost = [&](std::size_t n) { return n == 0 ? 0 : options[hull[n - 1]].cost / unit; };
        for (; to < order.size() && options[order[to]].customer == options[order[from]].customer; ++to) {
            const auto& o = options[order[to]];
            if (o.gain <= gain(hull.size())) continue;
            // What lies on or under the line from the point before it to this one goes; so does a point of the same cost.
            while (!hull.empty()) {
                const std::size_t n = hull.size();
                if ((gain(n) - gain(n - 1)) * (o.cost / unit - cost(n - 1)) > (o.gain - gain(n - 1)) * (cost(n) - cost(n - 1))) break;
                hull.pop_back();
            }
            hull.push_back(order[to]);
        }
        double rate = std::numeric_limits<double>::max();  // falling, whatever rounding does
        for (std::size_t n = 1; n <= hull.size(); ++n) {
            const double more = gain(n) - gain(n - 1), price = cost(n) - cost(n - 1);
            if (price > 0) rate = std::min(rate, more / price);
            steps.push_back({.gain = more, .cost = price, .rate = rate, .option = hull[n - 1], .group = groups, .level = n});
        }
        from = to;
    }
    std::sort(steps.begin(), steps.end(), [](const step& a, const step& b) {
        if (a.rate != b.rate) return a.rate > b.rate;
        return a.group != b.group ? a.group < b.group : a.level < b.level;
    });

    contact_plan out;
    std::vector<std::size_t> level(groups), taken(groups, options.size());
    double spent = 0, gained = 0;
    bool full = false;
    for (const step& s : steps) {
        if (level[s.group] + 1 != s.level) continue;  // the step before it did not fit
        if (spent + s.cost <= limit) {
            spent += s.cost;
            gained += s.gain;
            level[s.group] = s.level;
            taken[s.group] = s.option;
        } else if (!full) {
            full = true;
            out.price = s.rate / unit;
            out.bound = gained + (limit - spent) / s.cost * s.gain;  // as if a share of it could be bought
        }
    }
    for (const std::size_t i : taken)
        if (i < options.size()) out.chosen.push_back(i);
    std::sort(out.chosen.begin(), out.chosen.end());
    for (const std::size_t i : out.chosen) {
        out.gain += options[i].gain;
        out.cost += options[i].cost;
    }
    out.bound = full ? std::max(out.bound, out.gain) : out.gain;
    return out;
}
/// The same for a container of options.
template <class Options>
    requires(!std::same_as<Options, std::span<const contact_option>> && std::convertible_to<const Options&, std::span<const contact_option>>)
[[nodiscard]] contact_plan plan_contacts(const Options& options, double budget) {
    return plan_contacts(std::span<const contact_option>(options), budget);
}

/// What could be done for a batch of decisions: of each, every action with a cost that it allows, for the gain
/// `value_of(decision, action) - value_of(decision, nothing)`; customers are numbered as the batch. Actions that cost 0 are left out:
/// `nothing` is what happens without an option. Where `nothing` itself is not allowed, it still is what gains are measured by.
/// Throws `error`: `unknown_id` (`nothing`, or an allowed action, has no cost; the decision as the row), what `value_of` throws.
template <std::size_t N, class ValueOf>
[[nodiscard]] std::vector<contact_option> contact_options(std::span<const decision<N>> batch, std::span<const double> costs, std::size_t nothing,
                                                          ValueOf value_of) {
    require(nothing < costs.size(), errc::unknown_id, "contact_options: there is no action ", nothing, " to be nothing, there are ", costs.size(), " costs");
    std::vector<contact_option> out;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto& asked = batch[i];
        const double without = static_cast<double>(value_of(asked, nothing));
        const auto add = [&](std::size_t a) {
            require_at(a < costs.size(), errc::unknown_id, {.row = i + 1}, "contact_options: decision ", i + 1,
                       " allows an action that does not exist, there are ", costs.size());
            if (a != nothing && costs[a] > 0)
                out.push_back({.customer = i, .action = a, .gain = static_cast<double>(value_of(asked, a)) - without, .cost = costs[a]});
        };
        if (asked.allowed) std::for_each(asked.allowed->begin(), asked.allowed->end(), add);
        else
            for (std::size_t a = 0; a < costs.size(); ++a) add(a);
    }
    return out;
}

/// The batch as a plan leaves it, for whatever policy decides: a customer with a chosen option is allowed that action alone, and
/// the others only those of `otherwise` (`contact_rules::silent`) that they were allowed before.
/// Throws `error` and changes nothing: `unknown_id` (the plan chose an option that does not exist, or one of a customer who is not in the batch).
template <std::size_t N>
void limit_to_plan(std::span<decision<N>> batch, std::span<const contact_option> options, const contact_plan& plan, std::span<const std::size_t> otherwise) {
    std::vector<std::size_t> given(batch.size(), no_action);
    for (const std::size_t i : plan.chosen) {
        require(i < options.size() && options[i].customer < batch.size(), errc::unknown_id,
                "limit_to_plan: the plan is for other options, or for customers beyond the batch");
        given[options[i].customer] = options[i].action;
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
        auto& allowed = batch[i].allowed;
        std::vector<std::size_t> left;
        if (given[i] != no_action) left.push_back(given[i]);
        else
            for (const std::size_t a : otherwise)
                if (!allowed || std::find(allowed->begin(), allowed->end(), a) != allowed->end()) left.push_back(a);
        allowed = std::move(left);
    }
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
