#ifndef CARAMEL_POLICY_CUSTOMER_PROCESS_HPP
#define CARAMEL_POLICY_CUSTOMER_PROCESS_HPP

// How customers move from period to period, estimated from a log that holds no contacts, and what contacts do to that,
// assumed: together a decision process to learn and judge policies on.

#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/policy/customer_states.hpp>
#include <caramel/policy/discretize.hpp>
#include <caramel/policy/mdp.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One thing that can be done to a customer in a period.
struct contact_action {
    std::string name{};
    double cost = 0;      ///< in the log's currency
    double log_odds = 0;  ///< how much it adds to the log odds of an order in this period, if the customer is rested
};

/// What the log cannot tell. Everything that is worked out with them should say so: `text()`.
struct contact_assumptions {
    std::vector<contact_action> actions{};   ///< the first is to do nothing: it has no cost and no effect
    std::vector<double> strength{0, .5, 1};  ///< of an effect, by periods without contact: (contact cells)
    double margin = .2;                      ///< of what is spent

    /// As sentences, one a line.
    template <class = void>
    [[nodiscard]] std::string text() const {
        std::string out;
        for (std::size_t a = 1; a < actions.size(); ++a)
            out += detail::message(actions[a].name, ": costs ", actions[a].cost, ", adds ", actions[a].log_odds, " to the log odds of an order in the period\n");
        for (std::size_t c = 0; c < strength.size(); ++c)
            out += detail::message(c == 0 ? "of that, " : ", ", 100 * strength[c], " % when the last contact was ", c,
                                   c + 1 == strength.size() ? " or more periods ago" : c == 1 ? " period ago" : " periods ago");
        return out + detail::message("\nan order is worth ", 100 * margin, " % of its spend\n");
    }
};

/// What one customer did in one period, on the axes recency, orders and spend per order.
struct customer_move {
    std::array<std::size_t, 3> state{}, next_state{};
    bool ordered = false;
    double spend = 0;  ///< in the period
};

/// Every whole period of every customer, counted back from the instant at which they are seen.
/// Throws `error` as the model does for a batch.
template <std::same_as<customer_states_model> States>
[[nodiscard]] std::vector<customer_move> customer_moves(const States& states, const histories& seen) {
    const std::chrono::seconds period(std::llround(states.period_days() * 86400));
    require(period.count() > 0, errc::bad_parameter, "customer_moves: the period is shorter than a second");
    std::vector<customer_move> out;
    workspace scratch;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const history all = seen[i];
        const auto at = [&](std::size_t n, std::chrono::sys_seconds when) {
            const auto s = states(history{all.purchases.first(n), when}, scratch).state;
            return std::array{s[0], s[1], s[2]};
        };
        (void)States::totals_of(all.purchases, scratch, i + 1);  // an error of this customer has their row
        // The first period that begins after the first purchase.
        const auto from_first = all.as_of - all.purchases.front().when;
        if (from_first <= period) continue;
        auto from = all.as_of - (from_first - std::chrono::seconds(1)) / period * period;
        std::size_t n = 0;
        while (n < all.purchases.size() && all.purchases[n].when < from) ++n;
        for (auto state = at(n, from); from < all.as_of; from += period) {
            customer_move move{.state = state};
            for (; n < all.purchases.size() && all.purchases[n].when < from + period; ++n) {
                move.ordered = true;
                move.spend += all.purchases[n].spend();
            }
            move.next_state = state = at(n, from + period);
            out.push_back(move);
        }
    }
    return out;
}

/// A process of customers, and where they stand in it.
struct customer_process {
    shaped_mdp<4> process;      ///< an episode begins in any state, all equally likely
    std::vector<double> today;  ///< by state number: the share of the customers, none of them contacted before
    std::size_t observed = 0;   ///< customers' periods that the estimate is made from
    double order_rate = 0;      ///< orders in a period: the share of them

    /// The mean over today's customers of what a state is worth.
    template <class Values>
    [[nodiscard]] double mean(const Values& of_states) const {
        double sum = 0;
        for (std::size_t s = 0; s < today.size(); ++s) sum += today[s] * of_states[static_cast<decltype(of_states.size())>(s)];
        return sum;
    }
};

/// The process behind a log: in a period a customer orders with a probability p of their state, and then spends
/// (recency, orders and spend follow); else only time passes. A contact moves the log odds of p. Rewards are expected
/// values of the state and action, margin times spend less the cost: sampling adds nothing to learn but noise.
/// Rates and spend of rare states are drawn towards their likes (`cell_means`, as `smoothing` customers' periods).
/// Throws `error`: `bad_parameter` (assumptions, smoothing); `shape_mismatch` (as many strengths as contact cells);
/// `empty_input` (no customer was seen for a whole period).
template <std::same_as<customer_states_model> States>
[[nodiscard]] customer_process estimate_customers(const States& states, const histories& seen, const contact_assumptions& assumed, double smoothing = 5) {
    constexpr std::string_view who = "estimate_customers";
    require(!assumed.actions.empty(), errc::bad_parameter, who, ": no actions; the first is to do nothing");
    for (std::size_t a = 0; a < assumed.actions.size(); ++a)
        require(std::isfinite(assumed.actions[a].cost) && std::isfinite(assumed.actions[a].log_odds), errc::bad_parameter, who, ": action ", a, " (from 0): cost or log_odds is not finite");
    require(assumed.actions[0].cost == 0 && assumed.actions[0].log_odds == 0, errc::bad_parameter, who, ": the first action is to do nothing: it has no cost and no effect");
    require(std::isfinite(assumed.margin), errc::bad_parameter, who, ": margin is not finite");
    for (const double x : assumed.strength) require(std::isfinite(x), errc::bad_parameter, who, ": a strength is not finite");
    require(smoothing > 0 && std::isfinite(smoothing), errc::bad_parameter, who, ": smoothing must be positive, got ", smoothing);
    require(assumed.strength.size() == states.contact_cells(), errc::shape_mismatch, who, ": ", assumed.strength.size(), " strengths for ", states.contact_cells(),
            " cells of the last contact");
    const auto moves = customer_moves(states, seen);
    require(!moves.empty(), errc::empty_input, who, ": no customer was seen for a whole period of ", states.period_days(), " days: the log is too short for it");

    const auto shape = states.shape();
    const std::size_t recencies = shape[0], kinds = shape[1] * shape[2];  // a kind: orders and spend
    const auto kind_of = [&](const std::array<std::size_t, 3>& s) { return static_cast<row_index>(s[1] * shape[2] + s[2]); };
    double orders = 0, spend = 0;
    for (const auto& m : moves) {
        orders += m.ordered ? 1 : 0;
        spend += m.spend;
    }
    const auto n = static_cast<double>(moves.size());
    // Where nobody ordered, an order is worth what those before were.
    double usual = 0;
    if (orders == 0) {
        workspace scratch;
        for (std::size_t i = 0; i < seen.size(); ++i) usual += customer_states_model::totals_of(seen[i].purchases, scratch, i + 1).spend_per_order / static_cast<double>(seen.size());
    } else {
        usual = spend / orders;
    }
    cell_means<3> rate({shape[0], shape[1], shape[2]}, (orders + .5) / (n + 1), smoothing);
    cell_means<3> worth({shape[2], shape[1], shape[0]}, usual, smoothing);
    const auto square = [](std::size_t size) -> matrix<double> { return matrix<double>::Zero(static_cast<row_index>(size), static_cast<row_index>(size)); };
    matrix<double> grown = square(kinds), aged = square(recencies);
    vec<double> fresh = vec<double>::Zero(static_cast<row_index>(recencies));
    for (const auto& m : moves) {
        rate.add(m.state, m.ordered ? 1 : 0);
        if (m.ordered) {
            worth.add({m.state[2], m.state[1], m.state[0]}, m.spend);
            grown(kind_of(m.state), kind_of(m.next_state)) += 1;
            fresh(static_cast<row_index>(m.next_state[0])) += 1;
        } else {
            aged(static_cast<row_index>(m.state[0]), static_cast<row_index>(m.next_state[0])) += 1;
        }
    }
    // Where nothing was seen, an order makes a customer recent and changes nothing else, and time goes on.
    if (fresh.sum() == 0) fresh(0) = 1;
    for (row_index k = 0; k < grown.rows(); ++k)
        if (grown.row(k).sum() == 0) grown(k, k) = 1;
    for (row_index r = 0; r < aged.rows(); ++r)
        if (aged.row(r).sum() == 0) aged(r, std::min(r + 1, aged.rows() - 1)) = 1;

    customer_process out{.process = {mdp(1, 1, std::array{mdp_row{}}), {1, 1, 1, 1}}, .today = {}, .observed = moves.size(), .order_rate = orders / n};
    const std::size_t count = detail::count_states(shape, assumed.actions.size(), who);
    std::vector<mdp_row> rows;
    for (std::size_t s = 0; s < count; ++s) {
        const auto cell = state_at(shape, s);
        const double p = rate({cell[0], cell[1], cell[2]}), value = assumed.margin * worth({cell[2], cell[1], cell[0]});
        const row_index kind = kind_of({cell[0], cell[1], cell[2]}), recency = static_cast<row_index>(cell[0]);
        for (std::size_t a = 0; a < assumed.actions.size(); ++a) {
            const double moved = std::log(p / (1 - p)) + assumed.actions[a].log_odds * assumed.strength[cell[3]];
            const double q = 1 / (1 + std::exp(-moved));
            const std::size_t contact = a == 0 ? std::min(cell[3] + 1, shape[3] - 1) : 0;
            mdp_row row{.state = s, .action = a, .reward = q * value - assumed.actions[a].cost};
            const auto add = [&](double probability, row_index next_recency, row_index next_kind) {
                if (probability <= 0) return;
                row.probability = probability;
                const auto next = static_cast<std::size_t>(next_kind);
                row.next_state = state_number(shape, {static_cast<std::size_t>(next_recency), next / shape[2], next % shape[2], contact});
                rows.push_back(row);
            };
            for (row_index r = 0; r < aged.cols(); ++r) {
                add((1 - q) * aged(recency, r) / aged.row(recency).sum(), r, kind);
                for (row_index k = 0; k < grown.cols(); ++k) add(q * fresh(r) / fresh.sum() * grown(kind, k) / grown.row(kind).sum(), r, k);
            }
        }
    }
    out.process = {mdp(count, assumed.actions.size(), rows, std::vector<double>(count, 1 / static_cast<double>(count))), shape};
    out.today.assign(count, 0.0);
    for (const auto& d : states(seen)) out.today[state_number(shape, d.state)] += 1 / static_cast<double>(seen.size());
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
