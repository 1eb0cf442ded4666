#ifndef CARAMEL_POLICY_DEPLOYMENT_GATE_HPP
#define CARAMEL_POLICY_DEPLOYMENT_GATE_HPP

// May this policy meet customers? Only where the log shows, with the confidence asked for, that it earns more than the policy
// that wrote the log.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/random.hpp>
#include <caramel/evaluate/distributions.hpp>
#include <caramel/policy/off_policy.hpp>
#include <caramel/policy/off_policy_sequences.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How sure a gate wants to be. The defaults were chosen by simulation (tests/policy/deployment_gate_test.cpp).
struct gate_options {
    double confidence = .95;  ///< a policy that is no better passes with at most the probability 1 - confidence
    double margin = 0;        ///< by how much a customer (or a decision) must earn more
    double discount = .95;    ///< sequences: as in `sequence_options`
    std::size_t horizon = 0;
    /// Sequences. Fitted Q compares both policies in one process, so that what is wrong with it cancels in part, and has a tenth of the
    /// spread of the weighted methods; it believes that the state holds all that matters. Where that is in doubt:
    /// `weighted_per_decision`, which needs many more customers.
    sequence_method method = sequence_method::fitted_q;
    double least_count = 3;          ///< an action seen fewer times in a state is not known there
    double most_uncovered = .05;     ///< the share of the candidate's decisions that may be unknown
    /// So many decisions (for weights: customers) of its own must the log be worth. Without it the weighted methods let a third of
    /// policies through that are no better, as their intervals come from the one or two customers that count.
    double least_effective = 100;
    std::size_t resamples = 1000;
    std::uint64_t seed = 0;
};

/// Why a gate opens or stays shut.
enum class gate_reason : std::uint8_t {
    shown,         ///< better, with the confidence
    no_overlap,    ///< the candidate acts where, and as, the log never or hardly ever did
    too_few,       ///< the log is worth too few decisions of the candidate's
    not_better,    ///< the lower bound of the difference is not above the margin
};

/// What the log says of a candidate.
struct gate_verdict {
    gate_reason reason = gate_reason::not_better;
    double candidate = 0, logging = 0;  ///< what a customer (or a decision) earns under either
    double difference = 0;
    double lower_bound = 0;             ///< of the difference, with the confidence
    double standard_error = 0;          ///< of the difference
    double effective_sample_size = 0;
    double confidence = 0;
    policy_overlap overlap;             ///< sequences: where the candidate acts as the log hardly ever did

    [[nodiscard]] bool passed() const noexcept { return reason == gate_reason::shown; }
    /// One sentence.
    template <class = void>
    [[nodiscard]] std::string text() const {
        using detail::message;
        const auto two = [](double x) { return std::round(x * 100) / 100; };
        const std::string numbers = message("difference ", two(difference), ", at least ", two(lower_bound), " with confidence ", confidence);
        switch (reason) {
            case gate_reason::shown:
                return message("better than the logging policy with confidence ", confidence, ": difference ", two(difference), ", at least ",
                               two(lower_bound));
            case gate_reason::no_overlap:
                return message("not shown: in ", std::round(overlap.uncovered * 1000) / 10, " % of its decisions",
                               overlap.states.empty() ? std::string() : message(" (", overlap.states.size(), " states)"),
                               " the candidate acts as the log hardly ever did");
            case gate_reason::too_few:
                return message("not shown: the log is worth only ", std::round(effective_sample_size), " of the candidate's own decisions");
            case gate_reason::not_better: break;
        }
        return message("not shown: ", numbers);
    }
};

namespace detail::off_policy {

template <class = void>
inline void require_gate(const gate_options& how, std::string_view who) {
    require(how.confidence > 0 && how.confidence < 1, errc::bad_parameter, who, ": confidence = ", how.confidence, ", must lie between 0 and 1");
    require(std::isfinite(how.margin), errc::bad_parameter, who, ": margin is not finite");
    require(how.least_count >= 1 && how.most_uncovered >= 0 && how.most_uncovered <= 1 && how.least_effective >= 0, errc::bad_parameter, who,
            ": least_count must be at least 1, most_uncovered a share, least_effective not negative");
    require_resamples(how.resamples, who);
}
inline gate_reason reason_of(const gate_verdict& v, const gate_options& how) noexcept {
    if (v.overlap.uncovered > how.most_uncovered) return gate_reason::no_overlap;
    if (v.effective_sample_size < how.least_effective) return gate_reason::too_few;
    return v.lower_bound > how.margin ? gate_reason::shown : gate_reason::not_better;
}

// As a function of its own: g++ 12 takes the empty optional in it for one that may hold anything, where it is in sight.
template <class = void>
[[nodiscard]] CARAMEL_COLD sequence_options asked_of(const gate_options& how) {
    return {.method = how.method, .discount = how.discount, .horizon = how.horizon, .resamples = how.resamples, .seed = how.seed};
}

}  // namespace detail::off_policy

/// Judges a policy, (states, actions) as `policy_probabilities` makes it, by a log of customers that it was *not* learnt from
/// (split customers first: a policy looks better on the data that made it). The bound comes from drawing customers with replacement.
/// Throws `error` as `evaluate_sequences` does.
template <std::same_as<sequence_log> Log>
[[nodiscard]] gate_verdict deployment_gate(const Log& log, const matrix<double>& candidate, const gate_options& how = {}, const run_options& run = {}) {
    namespace op = detail::off_policy;
    constexpr std::string_view who = "deployment_gate";
    op::require_gate(how, who);
    const sequence_options asked = op::asked_of(how);
    const std::size_t horizon = op::checked_horizon(log, candidate, asked, who);
    const auto everyone = op::first_numbers(log.size());
    const rng random = rng(how.seed).split(who);
    gate_verdict out{.confidence = how.confidence, .overlap = overlap_of(log, candidate, asked, how.least_count)};
    std::vector<double> drawn;
    // `values`: what some customers earn under the candidate and under the log's policy.
    const auto judge = [&](const auto& values) {
        const auto [candidate_value, logging_value] = values(std::span<const std::size_t>(everyone));
        out.candidate = candidate_value;
        out.logging = logging_value;
        if (std::isnan(out.candidate)) return false;  // no action in common
        drawn = op::resample(log.size(), how.resamples, random.split("bootstrap"), run, who, [&](std::span<const std::size_t> customers) {
            const auto [of_candidate, of_log] = values(customers);
            return of_candidate - of_log;
        });
        return true;
    };
    bool common = false;
    if (how.method == sequence_method::fitted_q) {
        common = judge([&](std::span<const std::size_t> customers) {
            const auto seen = op::counts_of(log, customers);
            const auto value = [&](const matrix<double>& policy) {
                return op::mean_of_first(log, customers, op::fitted_values(log, seen, policy, how.discount, horizon, who));
            };
            return std::pair(value(candidate), value(op::logging_policy(log, seen)));
        });
        out.effective_sample_size = out.overlap.effective_decisions;
    } else {
        const auto parts = op::parts_of(log, candidate, asked, random, who);
        std::vector<double> returns(log.size(), 0.0), ends(log.size());
        for (std::size_t e = 0; e < log.size(); ++e) {
            double discount = 1;
            for (std::size_t i = log.starts()[e]; i < log.starts()[e + 1] && i - log.starts()[e] < horizon; ++i, discount *= how.discount)
                returns[e] += discount * log.steps()[i].reward;
            ends[e] = parts.w[(e + 1) * parts.periods - 1];
        }
        common = judge([&](std::span<const std::size_t> customers) {
            double sum = 0;
            for (const std::size_t e : customers) sum += returns[e];
            return std::pair(op::weighted_value(parts, customers, op::normalizes(how.method)), sum / static_cast<double>(customers.size()));
        });
        out.effective_sample_size = op::effective_size(ends);
    }
    if (!common) {
        out.candidate = out.logging;
        out.lower_bound = -std::numeric_limits<double>::infinity();
        out.reason = gate_reason::no_overlap;
        return out;
    }
    out.difference = out.candidate - out.logging;
    out.standard_error = op::deviation(drawn);
    out.lower_bound = out.difference - normal_quantile(how.confidence) * out.standard_error;
    out.lower_bound = std::min(out.lower_bound, op::quantile(drawn, 1 - how.confidence));
    out.reason = op::reason_of(out, how);
    return out;
}

/// The same for decisions that stand alone: doubly robust where the log has a reward model (which must not be learnt from these
/// records), else self-normalised. The bound is the normal one; where it must hold for any rewards, compare
/// `off_policy_lower_bound`. Actions that the log never took show in weights whose mean is below 1 beyond chance.
/// Throws `error` (`bad_parameter`).
template <std::same_as<off_policy_log> Log>
[[nodiscard]] gate_verdict deployment_gate(const Log& log, const gate_options& how = {}) {
    namespace op = detail::off_policy;
    op::require_gate(how, "deployment_gate");
    gate_verdict out{.logging = op::mean(log.rewards()), .effective_sample_size = log.effective_sample_size(), .confidence = how.confidence, .overlap = {}};
    const double weight = op::mean(log.weights());
    out.overlap.uncovered = std::max(0.0, 1 - weight - 2 * op::standard_error(log.weights()));
    out.overlap.effective_decisions = out.effective_sample_size;
    if (!(weight > 0)) {
        out.candidate = out.logging;
        out.lower_bound = -std::numeric_limits<double>::infinity();
        out.overlap.uncovered = 1;
        out.reason = gate_reason::no_overlap;
        return out;
    }
    const auto e = evaluate_off_policy(log, {.method = log.has_model() ? off_policy_method::doubly_robust : off_policy_method::self_normalized_ips});
    std::vector<double> differences(log.size());
    for (std::size_t i = 0; i < log.size(); ++i)
        differences[i] = e.contributions[i] - log.rewards()[i] - (log.has_model() ? 0 : log.weights()[i] / weight * e.value);
    out.candidate = e.value;
    out.difference = e.value - out.logging;
    out.standard_error = op::standard_error(differences);
    out.lower_bound = out.difference - normal_quantile(how.confidence) * out.standard_error;
    out.reason = op::reason_of(out, how);
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
