#ifndef CARAMEL_POLICY_OFF_POLICY_HPP
#define CARAMEL_POLICY_OFF_POLICY_HPP

// What a policy would have earned, from the log of another one: decisions that stand alone. Sequences of decisions for the same
// customer: off_policy_sequences.hpp. (Quantiles of the normal distribution come from evaluate/.)

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/span_of.hpp>
#include <caramel/evaluate/distributions.hpp>

namespace caramel::inline CARAMEL_ABI {

/// One decision of a log, and what came of it.
struct logged_choice {
    std::size_t context = 0;  ///< the row of the policy's probabilities: the record's own number, or that of a segment
    std::size_t action = 0;
    double reward = 0;
    double propensity = 1;  ///< the probability with which the log's policy took this action
};

/// Estimators of a policy's mean reward. With w the probability of the policy over that of the log, q the reward model and d the
/// mean of q under the policy, a record contributes:
enum class off_policy_method : std::uint8_t {
    ips,                     ///< w r (Horvitz & Thompson, 1952)
    self_normalized_ips,     ///< w r, over the mean of w (Swaminathan & Joachims, NeurIPS 2015)
    direct,                  ///< d: the reward model alone
    doubly_robust,           ///< d + w (r - q) (Dudik, Langford & Li, ICML 2011)
    self_normalized_doubly_robust,  ///< the same with w over its mean
    clipped_ips,             ///< min(w, parameter) r
    switch_doubly_robust,    ///< d + w (r - q) where w is at most the parameter, else d (Wang, Agarwal & Dudik, ICML 2017)
    shrunk_doubly_robust,    ///< d + w' (r - q), w' = p w / (w^2 + p) of parameter p: optimistic shrinkage (Su et al., ICML 2020)
    sub_gaussian_ips,        ///< w' r, w' = w / (1 - p + p w) of parameter p in [0, 1] (Metelli, Russo & Restelli, NeurIPS 2021)
    sub_gaussian_doubly_robust,  ///< d + w' (r - q)
};

/// Where the limits of an estimate come from.
enum class estimate_limits : std::uint8_t {
    normal,     ///< value -+ quantile times standard error
    bootstrap,  ///< quantiles of the values on records (or customers) drawn with replacement
};

/// How `evaluate_off_policy` estimates.
struct off_policy_options {
    off_policy_method method = off_policy_method::self_normalized_ips;
    std::optional<double> parameter = {};  ///< of the last five methods; empty: that of least `off_policy_error` among `off_policy_parameters`
    double level = .95;                    ///< of the interval
    estimate_limits limits = estimate_limits::normal;
    std::size_t resamples = 1000;
    std::uint64_t seed = 0;
};

/// What a policy is estimated to earn, and what that may be.
struct off_policy_estimate {
    double value = 0;
    double low = 0, high = 0;
    double standard_error = 0;
    double effective_sample_size = 0;   ///< so many records of the policy itself would say as much
    double parameter = 0;               ///< the one used, where the method has one
    std::vector<double> contributions;  ///< one a record (sequences: one a customer), where the method is a mean of them: `value` is their mean
};

namespace detail::off_policy {

inline bool needs_model(off_policy_method m) noexcept {
    using enum off_policy_method;
    return m == direct || m == doubly_robust || m == self_normalized_doubly_robust || m == switch_doubly_robust || m == shrunk_doubly_robust ||
           m == sub_gaussian_doubly_robust;
}
inline bool has_parameter(off_policy_method m) noexcept { return m >= off_policy_method::clipped_ips; }
inline bool normalizes(off_policy_method m) noexcept {
    return m == off_policy_method::self_normalized_ips || m == off_policy_method::self_normalized_doubly_robust;
}
inline double changed_weight(off_policy_method m, double w, double p) noexcept {
    using enum off_policy_method;
    switch (m) {
        case direct: return 0;
        case clipped_ips: return std::min(w, p);
        case switch_doubly_robust: return w <= p ? w : 0;
        case shrunk_doubly_robust: return w > 0 ? p * w / (w * w + p) : 0;
        case sub_gaussian_ips:
        case sub_gaussian_doubly_robust: return w > 0 ? w / (1 - p + p * w) : 0;
        default: return w;
    }
}
template <class = void>
inline double mean(std::span<const double> x) noexcept {
    double sum = 0;
    for (const double v : x) sum += v;
    return sum / static_cast<double>(x.size());
}
// Of the mean of x: the deviation (divisor n - 1) over the root of n.
template <class = void>
inline double standard_error(std::span<const double> x) noexcept {
    const double centre = mean(x), n = static_cast<double>(x.size());
    double sum = 0;
    for (const double v : x) sum += (v - centre) * (v - centre);
    return std::sqrt(sum / (n - 1) / n);
}
// The q-quantile of sorted values, linear between them.
inline double quantile(std::span<const double> sorted, double q) noexcept {
    const double at = q * static_cast<double>(sorted.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(at), sorted.size() - 1);
    if (below + 1 == sorted.size()) return sorted.back();
    return sorted[below] + (at - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}
inline void require_level(double level, std::string_view who) {
    require(level > 0 && level < 1, errc::bad_parameter, who, ": level = ", level, ", must lie between 0 and 1");
}
inline void require_resamples(std::size_t n, std::string_view who) {
    require(n >= 10 && n <= 10'000'000, errc::bad_parameter, who, ": resamples = ", n, ", must lie in 10 .. 10000000");
}
// Probabilities of a policy, a row each; a row of zeros, where that is allowed, says that the policy knows nothing there.
template <class = void>
inline void require_policy(const matrix<double>& x, bool zeros, std::string_view who) {
    for (row_index i = 0; i < x.rows(); ++i) {
        double sum = 0;
        const auto row = static_cast<std::uint64_t>(i) + 1;
        for (row_index a = 0; a < x.cols(); ++a) {
            const place at{.row = row, .column = static_cast<std::uint64_t>(a) + 1};
            require_at(std::isfinite(x(i, a)), errc::nan_or_inf, at, who, ": row ", row, " of the policy: a probability is not finite");
            require_at(x(i, a) >= 0, errc::bad_data, at, who, ": row ", row, " of the policy: a probability is negative");
            sum += x(i, a);
        }
        require_at((zeros && sum == 0) || std::abs(sum - 1) <= 1e-6, errc::bad_data, {.row = row}, who, ": row ", row, " of the policy sums to ", sum,
                   ", not 1");
    }
}
template <class = void>
inline void require_propensity(double p, std::uint64_t row, std::uint64_t column, std::string_view who) {
    require_at(std::isfinite(p), errc::nan_or_inf, {.row = row, .column = column}, who, ": row ", row, ": the propensity is not finite");
    require_at(p > 0 && p <= 1, errc::bad_data, {.row = row, .column = column}, who, ": row ", row, ": the propensity must lie in (0, 1]");
}
// (sum w)^2 / sum w^2 (Kish, Survey Sampling, 1965); 0 where all are 0.
template <class = void>
inline double effective_size(std::span<const double> w) noexcept {
    double sum = 0, squares = 0;
    for (const double x : w) {
        sum += x;
        squares += x * x;
    }
    return squares > 0 ? sum / squares * sum : 0;
}

// Values of `statistic(draw)` on resampled units, sorted; `draw` holds unit numbers. A NaN asks for another draw.
template <class Statistic>
std::vector<double> resample(std::size_t units, std::size_t resamples, const rng& random, const run_options& run, std::string_view who,
                             const Statistic& statistic) {
    std::vector<double> values(resamples);
    parallel_blocks(resamples, 16, run, [&](std::size_t begin, std::size_t end, std::size_t) {
        std::vector<std::size_t> draw(units);
        for (std::size_t b = begin; b < end; ++b) {
            rng mine = random.split(static_cast<std::uint64_t>(b));
            for (int tries = 0;; ++tries) {
                for (auto& unit : draw) unit = mine.below(units);
                values[b] = statistic(std::span<const std::size_t>(draw));
                if (!std::isnan(values[b])) break;
                require(tries < 100, errc::bad_data, who, ": the policy hardly ever takes the actions of the log: no interval can be found");
            }
        }
    });
    std::sort(values.begin(), values.end());
    return values;
}
template <class = void>
inline double deviation(std::span<const double> x) noexcept { return standard_error(x) * std::sqrt(static_cast<double>(x.size())); }

}  // namespace detail::off_policy

/// A log of decisions beside a policy: checked once, asked by each estimator.
class off_policy_log {
   public:
    /// `policy`: (contexts, actions), the probabilities of the policy to judge; `model`: what each action is expected to earn,
    /// (contexts, actions), or nothing for the estimators that need none.
    /// Throws `error`: `too_few_rows` (fewer than 2 records; `empty_input` for none); `shape_mismatch` (the model's shape); with
    /// row and column of a record (columns as in `logged_choice`) `unknown_id` (context, action), `nan_or_inf` (reward,
    /// propensity), `bad_data` (a propensity outside (0, 1]); with row and column of the matrix `nan_or_inf`, and `bad_data` (a
    /// negative probability, or a row that does not sum to 1 within 1e-6).
    template <class = void>
    off_policy_log(std::span<const logged_choice> records, const matrix<double>& policy, const matrix<double>& model = {}) {
        constexpr std::string_view who = "off_policy_log";
        require(!records.empty(), errc::empty_input, who, ": no records");
        require(records.size() > 1, errc::too_few_rows, who, ": one record; needs two to tell how far an estimate may be off");
        require(model.size() == 0 || (model.rows() == policy.rows() && model.cols() == policy.cols()), errc::shape_mismatch, who, ": a reward model of ",
                model.rows(), " x ", model.cols(), ", the policy is ", policy.rows(), " x ", policy.cols());
        detail::off_policy::require_policy(policy, false, who);
        require_finite(model, who);
        vec<double> expected = vec<double>::Zero(model.rows());
        for (row_index i = 0; i < model.rows(); ++i)
            for (row_index a = 0; a < model.cols(); ++a) expected(i) += policy(i, a) * model(i, a);
        for (std::size_t i = 0; i < records.size(); ++i) {
            const logged_choice& r = records[i];
            const auto at = [i](std::uint64_t column) { return place{.row = i + 1, .column = column}; };
            require_at(r.context < static_cast<std::size_t>(policy.rows()), errc::unknown_id, at(1), who, ": row ", i + 1, ": no such context, the policy has ",
                       policy.rows());
            require_at(r.action < static_cast<std::size_t>(policy.cols()), errc::unknown_id, at(2), who, ": row ", i + 1, ": no such action, the policy has ",
                       policy.cols());
            require_at(std::isfinite(r.reward), errc::nan_or_inf, at(3), who, ": row ", i + 1, ": the reward is not finite");
            detail::off_policy::require_propensity(r.propensity, i + 1, 4, who);
            const auto context = static_cast<row_index>(r.context), action = static_cast<row_index>(r.action);
            weights_.push_back(policy(context, action) / r.propensity);
            rewards_.push_back(r.reward);
            if (model.size() == 0) continue;
            modelled_.push_back(model(context, action));
            expected_.push_back(expected(context));
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return rewards_.size(); }
    [[nodiscard]] bool has_model() const noexcept { return !modelled_.empty(); }
    // One a record: the policy's probability over the log's; the reward; what the model expects of the action, and of the policy.
    [[nodiscard]] std::span<const double> weights() const noexcept { return detail::span_of(weights_); }
    [[nodiscard]] std::span<const double> rewards() const noexcept { return detail::span_of(rewards_); }
    [[nodiscard]] std::span<const double> modelled() const noexcept { return detail::span_of(modelled_); }
    [[nodiscard]] std::span<const double> expected() const noexcept { return detail::span_of(expected_); }
    /// (sum w)^2 / sum w^2 of the weights.
    template <class = void>
    [[nodiscard]] double effective_sample_size() const noexcept { return detail::off_policy::effective_size(weights_); }

   private:
    std::vector<double> weights_, rewards_, modelled_, expected_;
};

/// The mean reward of each action by context, (contexts, actions), drawn towards the action's mean over all contexts, and that
/// towards the mean of the log, as `smoothing` records: a plain reward model.
/// Throws `error`: `empty_input`; `bad_parameter`; `unknown_id` and `nan_or_inf` with row and column of a record.
template <std::same_as<logged_choice> Record>
[[nodiscard]] matrix<double> reward_means(const std::vector<Record>& records, std::size_t contexts, std::size_t actions, double smoothing = 1) {
    constexpr std::string_view who = "reward_means";
    require(!records.empty(), errc::empty_input, who, ": no records");
    require(smoothing > 0 && std::isfinite(smoothing), errc::bad_parameter, who, ": smoothing must be positive, got ", smoothing);
    matrix<double> sums = matrix<double>::Zero(static_cast<row_index>(contexts), static_cast<row_index>(actions)), counts = sums;
    double all = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
        const Record& r = records[i];
        require_at(r.context < contexts, errc::unknown_id, {.row = i + 1, .column = 1}, who, ": row ", i + 1, ": no such context, there are ", contexts);
        require_at(r.action < actions, errc::unknown_id, {.row = i + 1, .column = 2}, who, ": row ", i + 1, ": no such action, there are ", actions);
        require_at(std::isfinite(r.reward), errc::nan_or_inf, {.row = i + 1, .column = 3}, who, ": row ", i + 1, ": the reward is not finite");
        sums(static_cast<row_index>(r.context), static_cast<row_index>(r.action)) += r.reward;
        counts(static_cast<row_index>(r.context), static_cast<row_index>(r.action)) += 1;
        all += r.reward / static_cast<double>(records.size());
    }
    for (row_index a = 0; a < sums.cols(); ++a) {
        double sum = smoothing * all, count = smoothing;
        for (row_index i = 0; i < sums.rows(); ++i) {
            sum += sums(i, a);
            count += counts(i, a);
        }
        const double of_action = sum / count;
        for (row_index i = 0; i < sums.rows(); ++i) sums(i, a) = (sums(i, a) + smoothing * of_action) / (counts(i, a) + smoothing);
    }
    return sums;
}

/// An upper bound, with probability 1 - delta, of the mean squared error of a method with a parameter: the variance of its
/// mean, and the square of the bias of changed weights (Su et al., ICML 2020, section 5; as the Open Bandit Pipeline has it).
/// Throws `error` (`bad_parameter`): a method without a parameter or without the reward model that it needs; delta.
template <std::same_as<off_policy_log> Log>
[[nodiscard]] double off_policy_error(const Log& log, off_policy_method method, double parameter, double delta = .05) {
    namespace op = detail::off_policy;
    constexpr std::string_view who = "off_policy_error";
    require(op::has_parameter(method), errc::bad_parameter, who, ": the method has no parameter");
    require(!op::needs_model(method) || log.has_model(), errc::bad_parameter, who, ": the method needs a reward model");
    require(delta > 0 && delta < 1, errc::bad_parameter, who, ": delta = ", delta, ", must lie between 0 and 1");
    const bool models = op::needs_model(method);
    const auto n = static_cast<double>(log.size());
    std::vector<double> parts(log.size());
    double bias = 0, squares = 0, most = 0;
    for (std::size_t i = 0; i < log.size(); ++i) {
        const double w = log.weights()[i], changed = op::changed_weight(method, w, parameter), rest = log.rewards()[i] - (models ? log.modelled()[i] : 0);
        parts[i] = (models ? log.expected()[i] : 0) + changed * rest;
        bias += (w - changed) * rest / n;
        squares += w * w / n;
        most = std::max(most, w);
    }
    const double deviation = op::standard_error(parts);
    const double bound = std::abs(bias) + std::sqrt(2 * squares * std::log(2 / delta) / n) + 2 * most * std::log(2 / delta) / (3 * n);
    return deviation * deviation * (n - 1) / n + bound * bound;
}

/// Parameters worth trying: quantiles of the weights for clipping and switching, their squares for shrinkage, shares for the
/// sub-Gaussian methods. Ascending, none twice; empty for a method without a parameter.
template <std::same_as<off_policy_log> Log>
[[nodiscard]] std::vector<double> off_policy_parameters(const Log& log, off_policy_method method) {
    using enum off_policy_method;
    if (!detail::off_policy::has_parameter(method)) return {};
    if (method == sub_gaussian_ips || method == sub_gaussian_doubly_robust) return {0, .001, .003, .01, .03, .1, .3};
    std::vector<double> sorted(log.weights().begin(), log.weights().end()), out;
    std::sort(sorted.begin(), sorted.end());
    for (const double q : {.5, .75, .9, .95, .975, .99, .995, 1.0}) {
        const double w = detail::off_policy::quantile(sorted, q);
        const double p = method == shrunk_doubly_robust ? w * w * 10 : w;
        if (p > 0 && (out.empty() || p > out.back())) out.push_back(p);
    }
    if (out.empty()) out.push_back(1);
    return out;
}

/// What the policy would have earned a decision. Same records, same order, same seed: the same bits, for any number of threads.
/// Standard errors take the reward model as given, and those of self-normalised methods are linearised.
/// Throws `error`: `bad_parameter` (no reward model where the method needs one; a parameter that is negative, not a number, or
/// above 1 for the sub-Gaussian methods; level; resamples); `bad_data` (self-normalised, and the policy takes none of the log's actions).
template <std::same_as<off_policy_log> Log>
[[nodiscard]] off_policy_estimate evaluate_off_policy(const Log& log, const off_policy_options& how = {}, const run_options& run = {}) {
    namespace op = detail::off_policy;
    constexpr std::string_view who = "evaluate_off_policy";
    op::require_level(how.level, who);
    const bool models = op::needs_model(how.method), parametric = op::has_parameter(how.method), normalizes = op::normalizes(how.method);
    require(!models || log.has_model(), errc::bad_parameter, who, ": the method needs a reward model");
    off_policy_estimate out;
    if (parametric && !how.parameter) {
        double least = std::numeric_limits<double>::infinity();
        for (const double p : off_policy_parameters(log, how.method))
            if (const double e = off_policy_error(log, how.method, p); e < least) {
                least = e;
                out.parameter = p;
            }
    } else if (parametric) {
        out.parameter = *how.parameter;
        const bool share = how.method == off_policy_method::sub_gaussian_ips || how.method == off_policy_method::sub_gaussian_doubly_robust;
        require(out.parameter >= 0 && (out.parameter <= 1 || !share) && std::isfinite(out.parameter), errc::bad_parameter, who, ": parameter = ", out.parameter,
                share ? ", must lie in [0, 1]" : ", must be finite and not negative");
    }

    // value = mean of bases + sum of parts / sum of shares, where shares are 1 or the weights
    const std::size_t n = log.size();
    std::vector<double> parts(n), used(n);
    for (std::size_t i = 0; i < n; ++i) {
        used[i] = op::changed_weight(how.method, log.weights()[i], out.parameter);
        parts[i] = used[i] == 0 ? 0 : used[i] * (log.rewards()[i] - (models ? log.modelled()[i] : 0));
    }
    const auto base = [&](std::size_t i) { return models ? log.expected()[i] : 0.0; };
    const double share = normalizes ? op::mean(used) : 1, correction = op::mean(parts) / share;
    require(share > 0, errc::bad_data, who, ": the policy never takes an action of the log: no overlap");
    out.contributions.resize(n);
    std::vector<double> influence(n);
    for (std::size_t i = 0; i < n; ++i) {
        out.contributions[i] = base(i) + parts[i] / share;
        influence[i] = out.contributions[i] - (normalizes ? used[i] / share * correction : 0);
    }
    out.value = op::mean(out.contributions);
    out.standard_error = op::standard_error(influence);
    out.effective_sample_size = how.method == off_policy_method::direct ? static_cast<double>(n) : op::effective_size(used);
    if (how.limits == estimate_limits::normal) {
        const double reach = normal_quantile((1 + how.level) / 2) * out.standard_error;
        out.low = out.value - reach;
        out.high = out.value + reach;
        return out;
    }
    op::require_resamples(how.resamples, who);
    const auto values = op::resample(n, how.resamples, rng(how.seed).split(who), run, who, [&](std::span<const std::size_t> draw) {
        double sum = 0, top = 0, bottom = 0;
        for (const std::size_t i : draw) {
            sum += base(i);
            top += parts[i];
            bottom += normalizes ? used[i] : 1;
        }
        return bottom > 0 ? sum / static_cast<double>(n) + top / bottom : std::numeric_limits<double>::quiet_NaN();
    });
    out.standard_error = op::deviation(values);
    out.low = op::quantile(values, (1 - how.level) / 2);
    out.high = op::quantile(values, (1 + how.level) / 2);
    return out;
}

/// What rewards may be, for a bound that holds whatever their distribution.
struct reward_range {
    double low = 0, high = 1;
};

/// What the policy earns at least, with probability `confidence`, for any number of records and any distribution of rewards
/// in the range: the empirical Bernstein bound (Maurer & Pontil, COLT 2009) of rewards above the range's low end, with weights
/// clipped at `clip` (empty: the one of 1, 2, 4, ... 1024 that would have been best on a twentieth of the records, which are
/// then left out). Clipping can only lower it (Thomas, Theocharous & Ghavamzadeh, AAAI 2015), as do actions that the log never took.
/// Throws `error`: `bad_parameter`; `bad_data` with the row of a reward outside the range; `too_few_rows` (fewer than 2, or 40 to choose the clip on).
template <std::same_as<off_policy_log> Log>
[[nodiscard]] double off_policy_lower_bound(const Log& log, const reward_range& range, double confidence = .95, std::optional<double> clip = {}) {
    namespace op = detail::off_policy;
    constexpr std::string_view who = "off_policy_lower_bound";
    require(std::isfinite(range.low) && std::isfinite(range.high) && range.low < range.high, errc::bad_parameter, who,
            ": the range of rewards must be finite and not empty");
    require(confidence > 0 && confidence < 1, errc::bad_parameter, who, ": confidence = ", confidence, ", must lie between 0 and 1");
    require(!clip || (*clip > 0 && std::isfinite(*clip)), errc::bad_parameter, who, ": clip must be positive and finite");
    for (std::size_t i = 0; i < log.size(); ++i)
        require_at(log.rewards()[i] >= range.low && log.rewards()[i] <= range.high, errc::bad_data, {.row = i + 1, .column = 3}, who, ": row ", i + 1,
                   ": the reward lies outside the range");
    const double l = std::log(2 / (1 - confidence));
    const auto clipped = [&](std::size_t begin, std::size_t step, double c) {
        std::vector<double> out;
        for (std::size_t i = begin; i < log.size(); i += step) out.push_back(std::min(log.weights()[i], c) * (log.rewards()[i] - range.low));
        return out;
    };
    const auto bound = [&](std::span<const double> x, double c, double n) {
        return op::mean(x) - std::sqrt(2 * l / n) * op::deviation(x) - 7 * c * (range.high - range.low) * l / (3 * (n - 1));
    };
    if (clip) return range.low + std::max(0.0, bound(clipped(0, 1, *clip), *clip, static_cast<double>(log.size())));
    require(log.size() >= 40, errc::too_few_rows, who, ": ", log.size(), " records; to choose where to clip it needs 40");
    constexpr std::size_t every = 20;
    std::vector<double> rest;
    double best = -std::numeric_limits<double>::infinity(), at = 1;
    for (double c = 1; c <= 1024; c *= 2)
        if (const double b = bound(clipped(0, every, c), c, static_cast<double>(log.size())); b > best) {
            best = b;
            at = c;
        }
    const auto all = clipped(0, 1, at);
    for (std::size_t i = 0; i < all.size(); ++i)
        if (i % every != 0) rest.push_back(all[i]);
    return range.low + std::max(0.0, bound(rest, at, static_cast<double>(rest.size())));
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
