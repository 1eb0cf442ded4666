#ifndef CARAMEL_POLICY_BANDIT_HPP
#define CARAMEL_POLICY_BANDIT_HPP

// Multi-armed bandits: which of a few offers to make, while the answers say which one is best.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/policy/best_of.hpp>
#include <caramel/policy/explore.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// A few values on the stack, more of them on the heap.
template <class T>
class few {
   public:
    explicit few(std::size_t n, T value = {}) : size_(n), many_(n > inside ? n : 0) { std::fill_n(data(), n, value); }
    [[nodiscard]] T* data() noexcept { return size_ > inside ? many_.data() : here_.data(); }
    [[nodiscard]] std::span<T> all() noexcept { return {data(), size_}; }

   private:
    static constexpr std::size_t inside = 64;
    std::size_t size_;
    std::array<T, inside> here_;
    std::vector<T> many_;
};

// Marks the actions of a list. Throws `error`: `unknown_id` (with the place in the list as its row), `bad_data` (none).
template <std::integral Action>
void mark_allowed(std::span<const Action> list, std::span<std::uint8_t> marks, std::string_view who) {
    require(!list.empty(), errc::bad_data, who, ": the decision allows no action");
    for (std::size_t i = 0; i < list.size(); ++i) {
        require_at(list[i] < marks.size(), errc::unknown_id, {.row = i + 1}, who, ": allowed action ", i + 1, " of the list does not exist, there are ",
                   marks.size());
        marks[list[i]] = 1;
    }
}

// The action on which a uniform draw falls; the probabilities of those not marked are 0.
template <std::floating_point T>
std::size_t draw_action(std::span<const T> probabilities, rng& numbers) noexcept {
    double rest = numbers.uniform();
    std::size_t last = no_action;
    for (std::size_t a = 0; a < probabilities.size(); ++a) {
        if (!(probabilities[a] > 0)) continue;
        last = a;
        if ((rest -= probabilities[a]) < 0) break;
    }
    return last;
}

// With which `epsilon_greedy` of explore.hpp chooses.
template <std::floating_point T>
void greedy_probabilities(std::span<const T> values, std::span<const std::uint8_t> open, double epsilon, std::span<T> out) noexcept {
    const std::size_t best = best_action(values, open);
    const double other = epsilon / static_cast<double>(std::count(open.begin(), open.end(), std::uint8_t{1}));
    for (std::size_t a = 0; a < out.size(); ++a) out[a] = open[a] == 0 ? 0 : (a == best ? 1 - epsilon : 0) + other;
}

// Probabilities to be the best for those that are marked, 0 for the others.
template <class Belief, class BeliefOf>
void best_of_marked(std::span<const std::uint8_t> open, BeliefOf belief_of, std::span<double> out) {
    std::vector<Belief> beliefs;
    std::vector<std::size_t> who;
    for (std::size_t a = 0; a < open.size(); ++a)
        if (open[a] != 0) {
            beliefs.push_back(belief_of(a));
            who.push_back(a);
        }
    few<double> shares(who.size());
    best_of(std::span<const Belief>(beliefs), shares.all());
    std::fill(out.begin(), out.end(), 0.0);
    for (std::size_t i = 0; i < who.size(); ++i) out[who[i]] = shares.data()[i];
}

template <class = void>
inline void require_range(double lowest, double highest, std::string_view who) {
    require(std::isfinite(lowest) && std::isfinite(highest) && lowest < highest && std::isfinite(highest - lowest), errc::bad_parameter, who,
            ": lowest must lie below highest, got ", lowest, " and ", highest);
}

// The largest q in [p, 1] with n KL(p, q) <= budget, between Bernoulli distributions of means p and q. By Newton's steps, which
// come from above as the function is convex, within a bracket.
template <std::same_as<double> Share>
Share kl_upper_bound(Share p, double n, double budget) noexcept {
    const double target = budget / n;
    if (p >= 1) return 1;
    if (p <= 0) return -std::expm1(-target);
    const double fixed = p * std::log(p) + (1 - p) * std::log1p(-p);
    double low = p, high = std::min(1.0, p + std::sqrt(target / 2));  // Pinsker's inequality
    double q = high < 1 ? high : p + (1 - p) / 2;
    for (int step = 0; step < 100 && high - low > 1e-15; ++step) {
        const double over = fixed - p * std::log(q) - (1 - p) * std::log1p(-q) - target;
        (over > 0 ? high : low) = q;
        const double slope = (q - p) / (q * (1 - q));
        double next = q - over / slope;
        if (!(next > low && next < high)) next = low + (high - low) / 2;
        if (std::abs(next - q) <= 1e-16) break;
        q = next;
    }
    return q;
}

}  // namespace detail

// ---- rules ---------------------------------------------------------------------------------------------------------------

/// A share of decisions at random, all allowed arms equally likely, else the arm with the highest mean so far; an arm that was
/// never tried comes first.
struct epsilon_greedy_rule {
    double epsilon = .1;  ///< in [0, 1]

    static constexpr std::string_view kind = "epsilon_greedy";
    static constexpr std::array field_names{"epsilon"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(epsilon); }
    friend bool operator==(const epsilon_greedy_rule&, const epsilon_greedy_rule&) = default;
};

/// The arm with the highest `mean + sqrt(exploration ln t / n)` after n rewards of its own and t of all arms (Auer,
/// Cesa-Bianchi & Fischer, Machine Learning 47, 2002). Rewards in [lowest, highest]; the bound is scaled by their distance.
struct ucb1 {
    double exploration = 2;  ///< above 0; smaller explores less than the proof wants, and often does better
    double lowest = 0, highest = 1;

    static constexpr std::string_view kind = "ucb1";
    static constexpr std::array field_names{"exploration", "lowest", "highest"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(exploration, lowest, highest); }
    friend bool operator==(const ucb1&, const ucb1&) = default;
};

/// The arm with the highest q for which `n KL(mean, q) <= ln t + c ln ln t`, KL between Bernoulli distributions: no rule
/// does better in the long run on clicks (Garivier & Cappe, COLT 2011), and the bound holds for any rewards in [lowest, highest].
struct kl_ucb {
    double c = 0;  ///< at least 0; the proof wants 3, its authors recommend 0
    double lowest = 0, highest = 1;

    static constexpr std::string_view kind = "kl_ucb";
    static constexpr std::array field_names{"c", "lowest", "highest"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(c, lowest, highest); }
    friend bool operator==(const kl_ucb&, const kl_ucb&) = default;
};

/// Thompson sampling for clicks and purchases: each arm is chosen with the probability that it is the best one, given a
/// Beta(successes, failures) belief before the first reward (Thompson, Biometrika 25, 1933). Rewards in [0, 1]; a share of one
/// counts as that much of a success.
struct thompson_bernoulli {
    double successes = 1, failures = 1;  ///< in [.001, 1e9]: as if so many had been seen before

    static constexpr std::string_view kind = "thompson_bernoulli";
    static constexpr std::array field_names{"successes", "failures"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(successes, failures); }
    friend bool operator==(const thompson_bernoulli&, const thompson_bernoulli&) = default;
};

/// Thompson sampling for amounts: rewards vary around an arm's mean with the deviation `noise`, and the mean is believed to be
/// normal before the first reward.
struct thompson_gaussian {
    double noise = 1;                ///< above 0: the standard deviation of one reward; too small explores too little
    double mean = 0, deviation = 1;  ///< of an arm's mean, before anything is known; deviation above 0

    static constexpr std::string_view kind = "thompson_gaussian";
    static constexpr std::array field_names{"noise", "mean", "deviation"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(noise, mean, deviation); }
    friend bool operator==(const thompson_gaussian&, const thompson_gaussian&) = default;
};

namespace detail {

// What the rules do with an arm's rewards. Written as templates, so that they are compiled where they are used.
template <class Rule>
struct bandit_rule;

template <>
struct bandit_rule<epsilon_greedy_rule> {
    static void check(const epsilon_greedy_rule& r) { require_share(r.epsilon, "epsilon_greedy", "epsilon"); }
    static bool takes(const epsilon_greedy_rule&, double) noexcept { return true; }
    static double score(const epsilon_greedy_rule&, double n, double sum, double) noexcept { return n > 0 ? sum / n : std::numeric_limits<double>::infinity(); }
    static double estimate(const epsilon_greedy_rule&, double n, double sum) noexcept { return n > 0 ? sum / n : 0; }
    static double epsilon(const epsilon_greedy_rule& r) noexcept { return r.epsilon; }
};

template <class Rule>
struct optimistic_rule {
    static bool takes(const Rule& r, double reward) noexcept { return reward >= r.lowest && reward <= r.highest; }
    static double estimate(const Rule& r, double n, double sum) noexcept { return n > 0 ? std::clamp(sum / n, r.lowest, r.highest) : 0; }
    static double epsilon(const Rule&) noexcept { return 0; }
};
template <>
struct bandit_rule<ucb1> : optimistic_rule<ucb1> {
    template <class = void>
    static void check(const ucb1& r) {
        require_range(r.lowest, r.highest, "ucb1");
        require(r.exploration > 0 && std::isfinite(r.exploration), errc::bad_parameter, "ucb1: exploration must be above 0, got ", r.exploration);
    }
    static double score(const ucb1& r, double n, double sum, double t) noexcept {
        if (n == 0) return std::numeric_limits<double>::infinity();
        return sum / n + (r.highest - r.lowest) * std::sqrt(r.exploration * std::log(t) / n);
    }
};
template <>
struct bandit_rule<kl_ucb> : optimistic_rule<kl_ucb> {
    static void check(const kl_ucb& r) {
        require_range(r.lowest, r.highest, "kl_ucb");
        require(r.c >= 0 && std::isfinite(r.c), errc::bad_parameter, "kl_ucb: c must be at least 0, got ", r.c);
    }
    static double score(const kl_ucb& r, double n, double sum, double t) noexcept {
        if (n == 0) return std::numeric_limits<double>::infinity();
        const double range = r.highest - r.lowest, log_t = std::log(t);
        const double budget = log_t + (r.c > 0 ? r.c * std::log(std::max(log_t, 1.0)) : 0);
        return r.lowest + range * kl_upper_bound(std::clamp((sum / n - r.lowest) / range, 0.0, 1.0), n, budget);
    }
};

template <>
struct bandit_rule<thompson_bernoulli> {
    using belief = beta_belief;
    static void check(const thompson_bernoulli& r) {
        const auto fits = [](double x) { return x >= 1e-3 && x <= 1e9; };
        require(fits(r.successes) && fits(r.failures), errc::bad_parameter, "thompson_bernoulli: successes and failures must lie in [.001, 1e9], got ",
                r.successes, " and ", r.failures);
    }
    static bool takes(const thompson_bernoulli&, double reward) noexcept { return reward >= 0 && reward <= 1; }
    static belief belief_of(const thompson_bernoulli& r, double n, double sum) noexcept { return {r.successes + sum, r.failures + std::max(n - sum, 0.0)}; }
    static double estimate(const thompson_bernoulli& r, double n, double sum) noexcept { return (r.successes + sum) / (r.successes + r.failures + n); }
};
template <>
struct bandit_rule<thompson_gaussian> {
    using belief = normal_belief;
    template <class = void>
    static void check(const thompson_gaussian& r) {
        require(r.noise > 0 && std::isfinite(r.noise) && r.deviation > 0 && std::isfinite(r.deviation), errc::bad_parameter,
                "thompson_gaussian: noise and deviation must be above 0, got ", r.noise, " and ", r.deviation);
        const double ratio = r.noise / r.deviation;
        require(std::isfinite(r.mean) && ratio > 1e-100 && ratio < 1e100, errc::bad_parameter,
                "thompson_gaussian: mean, noise and deviation are no numbers to compute with: ", r.mean, ", ", r.noise, " and ", r.deviation);
    }
    static bool takes(const thompson_gaussian&, double) noexcept { return true; }
    // In units of the noise, whose square might leave the range of numbers.
    static belief belief_of(const thompson_gaussian& r, double n, double sum) noexcept {
        const double prior = (r.noise / r.deviation) * (r.noise / r.deviation);  // it counts as so many rewards
        return {.mean = (r.mean * prior + sum) / (prior + n), .deviation = r.noise / std::sqrt(prior + n)};
    }
    static double estimate(const thompson_gaussian& r, double n, double sum) noexcept { return belief_of(r, n, sum).mean; }
};

}  // namespace detail

// ---- the bandit ----------------------------------------------------------------------------------------------------------

/// Chooses among arms by a rule (`epsilon_greedy_rule`, `ucb1`, `kl_ucb`, `thompson_bernoulli`, `thompson_gaussian`) and learns
/// from rewards, which may come late and in any order:
///
///     bandit offers(4, thompson_bernoulli{});
///     const choice c = offers.decide(numbers);        // log c.action and c.propensity
///     offers.learn(c.action, clicked ? 1 : 0);
///
/// A value: it copies, saves and loads with all it knows. Deciding is const; one thread at a time learns.
/// Until rewards arrive `ucb1` and `kl_ucb` decide the same again and again; the other rules vary meanwhile.
template <class Rule>
class bandit {
    using rules = detail::bandit_rule<Rule>;

   public:
    static constexpr std::string_view kind = Rule::kind;

    /// Arms are numbered from 0. Throws `error`: `bad_parameter`, `limit_exceeded` (more than a million arms, or 10,000 under Thompson sampling).
    explicit bandit(std::size_t arms, const Rule& rule = {}) : rule_(rule), rewards_(checked(arms)), sums_(arms) { rules::check(rule_); }
    /// From its fields. Throws `error`: `bad_parameter`, `bad_data` (they do not belong together).
    bandit(Rule rule, std::vector<std::uint64_t> rewards, std::vector<double> sums)
        : rule_(std::move(rule)), rewards_(std::move(rewards)), sums_(std::move(sums)) {
        rules::check(rule_);
        require(!rewards_.empty() && rewards_.size() <= most_arms && rewards_.size() == sums_.size(), errc::bad_data, kind, ": ", rewards_.size(),
                " counts and ", sums_.size(), " sums of rewards do not belong together");
        for (std::size_t a = 0; a < sums_.size(); ++a) {
            const auto n = static_cast<double>(rewards_[a]);
            require(std::isfinite(sums_[a]) && (n > 0 ? rules::takes(rule_, rules_mean(n, sums_[a])) : sums_[a] == 0), errc::bad_data, kind,
                    ": the rewards of arm ", a + 1, " cannot have this sum");
        }
        total_ = sum_of(rewards_);
    }

    /// One decision among all arms. `choice::propensity` is the probability with which this arm was chosen: 1 under `ucb1` and
    /// `kl_ucb`, exact under `epsilon_greedy_rule`, and under Thompson sampling the probability that it is the best one, by numerical
    /// integration (within 1e-10). `choice::value` is the arm's mean reward as far as is known.
    [[nodiscard]] choice decide(rng& numbers) const {
        detail::few<std::uint8_t> open(arms(), 1);
        return decided(open.all(), numbers);
    }
    /// One decision among these arms alone, in any order.
    /// Throws `error`: `bad_data` (none is allowed), `unknown_id` (there is no such arm; its place in the list as the row).
    [[nodiscard]] choice decide(rng& numbers, std::span<const std::size_t> allowed) const {
        detail::few<std::uint8_t> open(arms());
        detail::mark_allowed(allowed, open.all(), kind);
        return decided(open.all(), numbers);
    }
    /// The same among what a decision allows; its state is not looked at.
    template <std::size_t N>
    [[nodiscard]] choice decide(rng& numbers, const decision<N>& asked) const {
        return asked.allowed ? decide(numbers, std::span<const std::size_t>(*asked.allowed)) : decide(numbers);
    }

    /// The probability of each arm in the next decision. Thompson sampling works them out each time it decides; a host with
    /// thousands of decisions between two rewards may ask once and draw by itself.
    [[nodiscard]] std::vector<double> propensities() const {
        detail::few<std::uint8_t> open(arms(), 1);
        return probabilities(open.all());
    }
    [[nodiscard]] std::vector<double> propensities(std::span<const std::size_t> allowed) const {
        detail::few<std::uint8_t> open(arms());
        detail::mark_allowed(allowed, open.all(), kind);
        return probabilities(open.all());
    }

    /// What came of an arm. Throws `error` and changes nothing: `unknown_id`, `nan_or_inf`, `bad_data` (outside the rule's range),
    /// `diverged` (the sum of rewards leaves the finite numbers).
    void learn(std::size_t arm, double reward) {
        require_arm(arm);
        require(std::isfinite(reward), errc::nan_or_inf, kind, ": the reward is not finite");
        require(rules::takes(rule_, reward), errc::bad_data, kind, ": the reward lies outside the range that the rule was given");
        const double sum = sums_[arm] + reward;
        require(std::isfinite(sum), errc::diverged, kind, ": the sum of rewards left the finite numbers: scale them down");
        sums_[arm] = sum;
        ++rewards_[arm];
        ++total_;
    }

    /// Adds what another one has learnt, such as a second server's. Where both began as copies of `base`, what they knew then is
    /// counted once. Throws `error` and changes nothing: `shape_mismatch` (other arms), `bad_parameter` (another rule),
    /// `bad_data` (`base` has seen more than `other`), `diverged`.
    void merge(const bandit& other) { merge(other, bandit(arms(), rule_)); }
    void merge(const bandit& other, const bandit& base) {
        require(other.arms() == arms() && base.arms() == arms(), errc::shape_mismatch, kind, ": has ", arms(), " arms, the other has ", other.arms(),
                " and the base ", base.arms());
        require(other.rule_ == rule_ && base.rule_ == rule_, errc::bad_parameter, kind, ": merging bandits of different parameters");
        auto rewards = rewards_;
        auto sums = sums_;
        for (std::size_t a = 0; a < arms(); ++a) {
            require(other.rewards_[a] >= base.rewards_[a], errc::bad_data, kind, ": the base has seen more rewards of arm ", a + 1, " than what is merged");
            rewards[a] += other.rewards_[a] - base.rewards_[a];
            sums[a] += other.sums_[a] - base.sums_[a];
            require(std::isfinite(sums[a]), errc::diverged, kind, ": the sum of rewards left the finite numbers: scale them down");
        }
        total_ = sum_of(rewards);
        rewards_ = std::move(rewards);
        sums_ = std::move(sums);
    }

    [[nodiscard]] const Rule& rule() const noexcept { return rule_; }
    [[nodiscard]] std::size_t arms() const noexcept { return rewards_.size(); }
    /// How many rewards each arm has had, and their sums.
    [[nodiscard]] const std::vector<std::uint64_t>& rewards() const noexcept { return rewards_; }
    [[nodiscard]] const std::vector<double>& sums() const noexcept { return sums_; }
    /// An arm's mean reward as far as is known: with the prior under Thompson sampling, 0 where there is none and no reward.
    /// Throws `error` (`unknown_id`).
    [[nodiscard]] double mean(std::size_t arm) const {
        require_arm(arm);
        return rules::estimate(rule_, static_cast<double>(rewards_[arm]), sums_[arm]);
    }
    /// What `ucb1`, `kl_ucb` and `epsilon_greedy_rule` compare: infinite for an arm without rewards. Throws `error` (`unknown_id`).
    [[nodiscard]] double score(std::size_t arm) const
        requires(!requires { typename rules::belief; })
    {
        require_arm(arm);
        return rules::score(rule_, static_cast<double>(rewards_[arm]), sums_[arm], static_cast<double>(total_));
    }

    static constexpr std::array field_names{"rule", "rewards", "sums"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(rule_, rewards_, sums_); }

   private:
    // Working out who may be the best takes memory and time for each arm.
    static constexpr std::size_t most_arms = requires { typename rules::belief; } ? 10'000 : 1'000'000;
    static constexpr std::uint64_t most_rewards = std::uint64_t{1} << 62;

    static std::size_t checked(std::size_t arms) {
        require(arms > 0, errc::bad_parameter, kind, ": arms must be at least 1");
        require(arms <= most_arms, errc::limit_exceeded, kind, ": ", arms, " arms, there can be at most ", most_arms);
        return arms;
    }
    static std::uint64_t sum_of(const std::vector<std::uint64_t>& counts) {
        std::uint64_t sum = 0;
        for (const auto n : counts) {
            require(n <= most_rewards && sum <= most_rewards, errc::bad_data, kind, ": more rewards than can be counted");
            sum += n;
        }
        return sum;
    }
    // Sums are rounded: a mean may lie off the range by a little.
    double rules_mean(double n, double sum) const noexcept {
        const double mean = sum / n;
        if constexpr (requires { rule_.lowest; }) {
            const double slack = 1e-9 * (rule_.highest - rule_.lowest);
            return mean > rule_.lowest - slack && mean < rule_.highest + slack ? std::clamp(mean, rule_.lowest, rule_.highest) : mean;
        } else if constexpr (requires { rule_.successes; }) {
            return mean > -1e-9 && mean < 1 + 1e-9 ? std::clamp(mean, 0.0, 1.0) : mean;
        } else {
            return mean;
        }
    }
    void require_arm(std::size_t arm) const { require(arm < arms(), errc::unknown_id, kind, ": no such arm, there are ", arms()); }

    void fill_scores(std::span<const std::uint8_t> open, std::span<double> out) const {
        for (std::size_t a = 0; a < arms(); ++a)
            if (open[a] != 0) out[a] = rules::score(rule_, static_cast<double>(rewards_[a]), sums_[a], static_cast<double>(total_));
    }
    void fill_probabilities(std::span<const std::uint8_t> open, std::span<double> out) const {
        using belief = typename rules::belief;
        detail::best_of_marked<belief>(
            open, [this](std::size_t a) -> belief { return rules::belief_of(rule_, static_cast<double>(rewards_[a]), sums_[a]); }, out);
    }
    choice decided(std::span<const std::uint8_t> open, rng& numbers) const {
        detail::few<double> values(arms());
        choice out;
        if constexpr (requires { typename rules::belief; }) {
            fill_probabilities(open, values.all());
            out.action = detail::draw_action(std::span<const double>(values.all()), numbers);
            out.propensity = values.data()[out.action];
        } else {
            fill_scores(open, values.all());
            out = detail::epsilon_greedy(std::span<const double>(values.all()), open, rules::epsilon(rule_), numbers);
        }
        out.value = mean(out.action);
        return out;
    }
    std::vector<double> probabilities(std::span<const std::uint8_t> open) const {
        std::vector<double> out(arms());
        if constexpr (requires { typename rules::belief; }) {
            fill_probabilities(open, out);
        } else {
            detail::few<double> scores(arms());
            fill_scores(open, scores.all());
            detail::greedy_probabilities(std::span<const double>(scores.all()), open, rules::epsilon(rule_), std::span(out));
        }
        return out;
    }

    Rule rule_;
    std::vector<std::uint64_t> rewards_;
    std::vector<double> sums_;
    std::uint64_t total_ = 0;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
