#ifndef CARAMEL_POLICY_LINEAR_BANDIT_HPP
#define CARAMEL_POLICY_LINEAR_BANDIT_HPP

// Contextual bandits: which offer to make to whom, while the answers say what works for whom.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/finite.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/random.hpp>
#include <caramel/policy/bandit.hpp>
#include <caramel/policy/best_of.hpp>
#include <caramel/policy/explore.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The action with the highest `x'theta + alpha sqrt(x' A^-1 x)`, A = regularization I + sum of xx' over the action's contexts,
/// theta its ridge regression (disjoint LinUCB: Li, Chu, Langford & Schapire, WWW 2010).
struct linucb {
    double alpha = 1;                 ///< at least 0: how many deviations above its mean an action is given credit for
    double epsilon = 0;               ///< in [0, 1]: a share of decisions at random, so that logs can judge other policies
    double regularization = 1;        ///< above 0
    double half_life = 0;             ///< after so many rewards, of all actions together, an old one counts half; 0 = never
    std::size_t refresh_every = 1000; ///< an action's inverse is worked out anew after so many rewards of its own, against rounding

    static constexpr std::string_view kind = "linucb";
    static constexpr std::array field_names{"alpha", "epsilon", "regularization", "half_life", "refresh_every"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(alpha, epsilon, regularization, half_life, refresh_every); }
    friend bool operator==(const linucb&, const linucb&) = default;
};

/// Thompson sampling with a linear model an action: each is chosen with the probability that its mean reward in this context is
/// the highest, given beliefs theta ~ N(0, noise^2 / regularization) before the first reward (Agrawal & Goyal, ICML 2013).
struct linear_thompson {
    double noise = 1;                 ///< above 0: the deviation of one reward; .5 is on the safe side for clicks
    double regularization = 1;        ///< above 0
    double half_life = 0;             ///< after so many rewards, of all actions together, an old one counts half; 0 = never
    std::size_t refresh_every = 1000; ///< an action's inverse is worked out anew after so many rewards of its own, against rounding

    static constexpr std::string_view kind = "linear_thompson";
    static constexpr std::array field_names{"noise", "regularization", "half_life", "refresh_every"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(noise, regularization, half_life, refresh_every); }
    friend bool operator==(const linear_thompson&, const linear_thompson&) = default;
};

/// What is known of an action in a context.
struct linear_estimate {
    double mean = 0;       ///< of the reward
    double deviation = 0;  ///< sqrt(x' A^-1 x): of the mean, in units of one reward's deviation
};

namespace detail {

// Vectors and matrices in their order, in whole registers; each element of a product is summed from first to last.
template <std::same_as<double> T>
T dot_of(const T* a, const T* b, std::size_t n) noexcept {
    T sums[8] = {};
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (std::size_t k = 0; k < 8; ++k) sums[k] += a[i + k] * b[i + k];
    for (; i < n; ++i) sums[i % 8] += a[i] * b[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}
// out = m x of a symmetric m.
template <std::same_as<double> T>
void symmetric_product(const T* m, const T* x, std::size_t n, T* out) noexcept {
    constexpr std::size_t width = lanes<T>::count;
    std::size_t j = 0;
    for (; j + 8 * width <= n; j += 8 * width) multiply_tile<T, 1, 8>(x, n, 1, m + j, n, n, out + j, n, false);
    for (; j + 4 * width <= n; j += 4 * width) multiply_tile<T, 1, 4>(x, n, 1, m + j, n, n, out + j, n, false);
    for (; j + width <= n; j += width) multiply_tile<T, 1, 1>(x, n, 1, m + j, n, n, out + j, n, false);
    for (; j < n; ++j) {
        T sum = 0;
        for (std::size_t k = 0; k < n; ++k) sum += x[k] * m[k * n + j];
        out[j] = sum;
    }
}
// m += w w', or -= where Subtract: it stays symmetric to the bit.
template <bool Subtract, std::same_as<double> T>
void add_square(T* m, const T* w, std::size_t n) noexcept {
    using lane = typename lanes<T>::type;
    constexpr std::size_t width = lanes<T>::count;
    for (std::size_t i = 0; i < n; ++i, m += n) {
        std::size_t j = 0;
        for (; j + width <= n; j += width) {
            lane of_w, of_m;
            std::memcpy(&of_w, w + j, sizeof(lane));
            std::memcpy(&of_m, m + j, sizeof(lane));
            of_m = multiply_add<Subtract>(w[i], of_w, of_m);
            std::memcpy(m + j, &of_m, sizeof(lane));
        }
        for (; j < n; ++j) m[j] = Subtract ? m[j] - w[i] * w[j] : m[j] + w[i] * w[j];
    }
}
// The inverse of moments + regularization I, by Cholesky's factors. False where it is singular in double precision.
template <std::same_as<double> T>
bool invert_moments(const T* moments, T regularization, std::size_t n, T* out, std::vector<T>& scratch) {
    scratch.assign(2 * n * n, T(0));
    T* const u = scratch.data();           // u'u = moments + regularization I
    T* const below = scratch.data() + n * n;  // u'^-1: row i holds what solves for unit vectors up to i
    std::copy_n(moments, n * n, u);
    for (std::size_t i = 0; i < n; ++i) u[i * n + i] += regularization;
    for (std::size_t i = 0; i < n; ++i) {
        T* const row = u + i * n;
        const T before = row[i];
        for (std::size_t k = 0; k < i; ++k)
            for (std::size_t j = i; j < n; ++j) row[j] -= u[k * n + i] * u[k * n + j];
        if (!(row[i] > T(1e-15) * before) || !std::isfinite(row[i])) return false;
        const T pivot = std::sqrt(row[i]);
        for (std::size_t j = i; j < n; ++j) row[j] /= pivot;
    }
    for (std::size_t i = 0; i < n; ++i) {
        T* const row = below + i * n;
        row[i] = 1;
        for (std::size_t k = 0; k < i; ++k)
            for (std::size_t j = 0; j <= k; ++j) row[j] -= u[k * n + i] * below[k * n + j];
        for (std::size_t j = 0; j <= i; ++j) row[j] /= u[i * n + i];
    }
    std::fill_n(out, n * n, T(0));  // = below' below
    for (std::size_t k = 0; k < n; ++k)
        for (std::size_t i = 0; i <= k; ++i)
            for (std::size_t j = 0; j <= k; ++j) out[i * n + j] += below[k * n + i] * below[k * n + j];
    return all_finite(out, n * n);
}

template <class X>
concept ContextRow = requires(const X& x) {
    { *x.data() } -> std::convertible_to<double>;
    { x.size() } -> std::convertible_to<std::size_t>;
    requires std::floating_point<std::remove_cvref_t<decltype(*x.data())>>;
};

template <class = void>
inline void check_rule(const linucb& r) {
    require(r.alpha >= 0 && std::isfinite(r.alpha), errc::bad_parameter, "linucb: alpha must be at least 0, got ", r.alpha);
    require_share(r.epsilon, "linucb", "epsilon");
}
template <class = void>
inline void check_rule(const linear_thompson& r) {
    require(r.noise > 0 && std::isfinite(r.noise), errc::bad_parameter, "linear_thompson: noise must be above 0, got ", r.noise);
}

}  // namespace detail

/// Chooses among actions by what is known of the customer, by a rule (`linucb`, `linear_thompson`), and learns from rewards,
/// which may come late and in any order:
///
///     linear_bandit offers(10, 32, linucb{.alpha = .5});
///     const choice c = offers.decide(numbers, customer);   // 32 numbers; log c.action and c.propensity
///     offers.learn(customer, c.action, reward);
///
/// A context is a row of finite numbers: a vector, a span, a row of a matrix. There is no intercept: let one number be 1.
/// Scale the others alike (`standardize`). A value: it copies, saves and loads with all it knows. Deciding is const; one
/// thread at a time learns.
template <class Rule>
class linear_bandit {
    using real = detail::real_of<Rule>;  // double: see there

    static constexpr bool by_probability = requires(const Rule& r) { r.noise; };

   public:
    static constexpr std::string_view kind = Rule::kind;

    /// Throws `error`: `bad_parameter`, `limit_exceeded` (more than 10^8 numbers: actions x dim x dim).
    linear_bandit(std::size_t actions, std::size_t dim, const Rule& rule = {}) : rule_(rule), rewards_(checked(actions, dim)) {
        check_rule();
        const auto rows = static_cast<row_index>(actions), d = static_cast<row_index>(dim);
        moments_ = matrix<real>::Zero(rows * d, d);
        inverses_ = matrix<real>::Zero(rows * d, d);
        for (row_index a = 0; a < rows; ++a) inverses_.middleRows(a * d, d).diagonal().setConstant(1 / rule_.regularization);
        sums_ = matrix<real>::Zero(rows, d);
        weights_ = matrix<real>::Zero(rows, d);
    }
    /// From its fields: (actions x dim, dim) sums of xx', (actions, dim) sums of reward times x, the inverses and the weights
    /// that follow from them, and the number of rewards.
    /// Throws `error`: `bad_parameter`, `limit_exceeded`, `bad_data` (they do not belong together).
    linear_bandit(Rule rule, matrix<real> moments, matrix<real> sums, matrix<real> inverses, matrix<real> weights, std::vector<std::uint64_t> rewards)
        : rule_(std::move(rule)),
          rewards_(std::move(rewards)),
          moments_(std::move(moments)),
          sums_(std::move(sums)),
          inverses_(std::move(inverses)),
          weights_(std::move(weights)) {
        check_rule();
        (void)checked(rewards_.size(), static_cast<std::size_t>(sums_.cols()));
        const auto rows = static_cast<row_index>(rewards_.size()), d = sums_.cols();
        const auto has = [](const matrix<real>& m, row_index r, row_index c) {
            return m.rows() == r && m.cols() == c && detail::all_finite(m.data(), static_cast<std::size_t>(m.size()));
        };
        require(has(moments_, rows * d, d) && has(sums_, rows, d) && has(inverses_, rows * d, d) && has(weights_, rows, d), errc::bad_data, kind,
                ": moments, sums, inverses and weights have different shapes, or numbers that are not finite");
        std::vector<double> scratch, inverse(dim() * dim());
        for (std::size_t a = 0; a < actions(); ++a) {
            const auto m = moments_.middleRows(static_cast<row_index>(a) * d, d), i = inverses_.middleRows(static_cast<row_index>(a) * d, d);
            require(m == m.transpose() && i == i.transpose() && (i.diagonal().array() > 0).all() &&
                        detail::invert_moments(moments_of(a), rule_.regularization, dim(), inverse.data(), scratch),
                    errc::bad_data, kind, ": the moments and the inverse of action ", a + 1, " cannot come from contexts");
        }
    }

    /// One decision for this context. `choice::propensity` is the probability with which this action was chosen: exact under
    /// `linucb`; under `linear_thompson`, whose actions are independent, the probability that it is the best one, by numerical
    /// integration (within 1e-10). `choice::value` is the action's mean reward in this context.
    /// Throws `error`: `shape_mismatch`, `nan_or_inf` (the place in the context as the column).
    template <detail::ContextRow X>
    [[nodiscard]] choice decide(rng& numbers, const X& context) const {
        detail::few<std::uint8_t> open(actions(), 1);
        return decided(numbers, context, open.all());
    }
    /// Among these actions alone, in any order. Throws also `bad_data` (none), `unknown_id` (there is no such action).
    template <detail::ContextRow X>
    [[nodiscard]] choice decide(rng& numbers, const X& context, std::span<const std::size_t> allowed) const {
        detail::few<std::uint8_t> open(actions());
        detail::mark_allowed(allowed, open.all(), kind);
        return decided(numbers, context, open.all());
    }
    /// The same among what a decision allows; its state is not looked at.
    template <detail::ContextRow X, std::size_t N>
    [[nodiscard]] choice decide(rng& numbers, const X& context, const decision<N>& asked) const {
        return asked.allowed ? decide(numbers, context, std::span<const std::size_t>(*asked.allowed)) : decide(numbers, context);
    }
    /// The probability of each action in this context; those not allowed have 0.
    template <detail::ContextRow X>
    [[nodiscard]] std::vector<double> propensities(const X& context) const {
        detail::few<std::uint8_t> open(actions(), 1);
        return probabilities(context, open.all());
    }
    template <detail::ContextRow X>
    [[nodiscard]] std::vector<double> propensities(const X& context, std::span<const std::size_t> allowed) const {
        detail::few<std::uint8_t> open(actions());
        detail::mark_allowed(allowed, open.all(), kind);
        return probabilities(context, open.all());
    }

    /// What came of an action in a context: a rank-one update of its inverse (Sherman & Morrison, Annals of Mathematical
    /// Statistics 21, 1950), worked out anew from time to time. With a `half_life`, after each eighth of it everything learnt
    /// so far loses its share, and all inverses are worked out.
    /// Throws `error` and changes nothing: `unknown_id`, `shape_mismatch`, `nan_or_inf`, `diverged` (numbers too large,
    /// or too unlike in size, to go on).
    template <detail::ContextRow X>
    void learn(const X& context, std::size_t action, double reward) {
        require_action(action);
        require(std::isfinite(reward), errc::nan_or_inf, kind, ": the reward is not finite");
        const std::size_t d = dim();
        detail::few<double> memory(3 * d);
        double* const x = memory.data();
        double* const gain = x + d;
        double* const step = x + 2 * d;
        copy_context(context, x);
        detail::symmetric_product(inverse_of(action), x, d, gain);
        const double surprise = detail::dot_of(gain, x, d);
        if (!(surprise >= 0 && surprise <= 1e8)) return learn_anew(x, action, reward);
        const double spread = 1 + surprise;
        double* const weights = weights_.data() + action * d;
        double* const sums = sums_.data() + action * d;
        const double share = (reward - detail::dot_of(weights, x, d)) / spread;
        const double root = std::sqrt(spread);
        const double* const inverse = inverse_of(action);
        bool finite = std::isfinite(detail::dot_of(x, x, d)), positive = true;
        for (std::size_t i = 0; i < d; ++i) {
            step[i] = weights[i] + share * gain[i];
            finite = finite && std::isfinite(step[i]) && std::isfinite(sums[i] + reward * x[i]);
            gain[i] /= root;
            positive = positive && inverse[i * d + i] > gain[i] * gain[i];  // else rounding has won
        }
        if (!positive) return learn_anew(x, action, reward);
        require(finite, errc::diverged, kind, ": the model left the finite numbers: scale contexts and rewards down");

        detail::add_square<false>(moments_.data() + action * d * d, x, d);
        detail::add_square<true>(inverses_.data() + action * d * d, gain, d);
        std::copy_n(step, d, weights);
        for (std::size_t i = 0; i < d; ++i) sums[i] += reward * x[i];
        count(action);
    }

    /// Adds what another one has learnt, such as a second server's. Where both began as copies of `base`, what they knew then is
    /// counted once; that asks for rules that forget nothing.
    /// Throws `error` and changes nothing: `shape_mismatch`, `bad_parameter` (another rule; a `base` and a half-life), `bad_data`
    /// (`base` has seen what `other` has not).
    void merge(const linear_bandit& other) { merge_parts(other, nullptr); }
    void merge(const linear_bandit& other, const linear_bandit& base) { merge_parts(other, &base); }

    /// Works the inverses and weights out from the sums, as `learn` does from time to time.
    void refresh() {
        for (std::size_t a = 0; a < actions(); ++a) refresh(a);
    }

    /// The mean of an action's reward in a context, and how well it is known. Throws `error`: `unknown_id`, and as `decide`.
    template <detail::ContextRow X>
    [[nodiscard]] linear_estimate estimate(const X& context, std::size_t action) const {
        require_action(action);
        detail::few<double> memory(2 * dim());
        copy_context(context, memory.data());
        return estimate_of(action, memory.data(), memory.data() + dim());
    }

    [[nodiscard]] const Rule& rule() const noexcept { return rule_; }
    [[nodiscard]] std::size_t actions() const noexcept { return rewards_.size(); }
    [[nodiscard]] std::size_t dim() const noexcept { return static_cast<std::size_t>(sums_.cols()); }
    /// How many rewards each action has had, and what they weigh per column of the context: (actions, dim).
    [[nodiscard]] const std::vector<std::uint64_t>& rewards() const noexcept { return rewards_; }
    [[nodiscard]] const matrix<real>& weights() const noexcept { return weights_; }
    /// (actions x dim, dim): of each action in turn the sum of xx', and the inverse of that plus regularization I.
    [[nodiscard]] const matrix<real>& moments() const noexcept { return moments_; }
    [[nodiscard]] const matrix<real>& inverses() const noexcept { return inverses_; }

    static constexpr std::array field_names{"rule", "moments", "sums", "inverses", "weights", "rewards"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(rule_, moments_, sums_, inverses_, weights_, rewards_); }

   private:
    static std::size_t checked(std::size_t actions, std::size_t dim) {
        require(actions > 0 && dim > 0, errc::bad_parameter, kind, ": actions and dim must be at least 1, got ", actions, " and ", dim);
        constexpr std::size_t most = 100'000'000;
        require(dim <= 10'000 && actions <= most / dim / dim, errc::limit_exceeded, kind, ": ", actions, " actions with ", dim,
                " numbers each need a matrix of more than ", most);
        return actions;
    }
    void check_rule() {
        detail::check_rule(rule_);
        require(rule_.regularization > 0 && std::isfinite(rule_.regularization) && std::isfinite(1 / rule_.regularization), errc::bad_parameter, kind,
                ": regularization must be above 0, got ", rule_.regularization);
        require(rule_.half_life >= 0 && rule_.half_life <= 1e15, errc::bad_parameter, kind, ": half_life must lie in [0, 1e15], got ", rule_.half_life);
        require(rule_.refresh_every > 0, errc::bad_parameter, kind, ": refresh_every must be at least 1");
        for (const auto n : rewards_) total_ += n;
    }
    void require_action(std::size_t action) const { require(action < actions(), errc::unknown_id, kind, ": no such action, there are ", actions()); }
    [[nodiscard]] const double* moments_of(std::size_t a) const noexcept { return moments_.data() + a * dim() * dim(); }
    [[nodiscard]] const double* inverse_of(std::size_t a) const noexcept { return inverses_.data() + a * dim() * dim(); }

    template <class X>
    void copy_context(const X& context, double* out) const {
        const auto n = static_cast<std::size_t>(context.size());
        require(n == dim(), errc::shape_mismatch, kind, ": a context of ", n, " numbers, ", dim(), " are needed");
        if constexpr (requires { context.innerStride(); })
            require(context.innerStride() == 1, errc::bad_data, kind, ": the context's numbers do not lie side by side: copy it into a vector");
        const auto* const values = context.data();
        for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<double>(values[i]);
        if (detail::all_finite(out, n)) return;
        for (std::size_t i = 0; i < n; ++i)
            if (!std::isfinite(out[i])) fail(errc::nan_or_inf, {.column = i + 1}, kind, ": number ", i + 1, " of the context is not finite");
    }
    linear_estimate estimate_of(std::size_t a, const double* x, double* scratch) const noexcept {
        detail::symmetric_product(inverse_of(a), x, dim(), scratch);
        return {.mean = detail::dot_of(weights_.data() + a * dim(), x, dim()), .deviation = std::sqrt(std::max(0.0, detail::dot_of(scratch, x, dim())))};
    }
    template <class X, class Take>
    void for_each_open(const X& context, std::span<const std::uint8_t> open, Take take) const {
        detail::few<double> memory(2 * dim());
        copy_context(context, memory.data());
        for (std::size_t a = 0; a < actions(); ++a) {
            if (open[a] == 0) continue;
            const linear_estimate e = estimate_of(a, memory.data(), memory.data() + dim());
            require(std::isfinite(e.mean) && std::isfinite(e.deviation), errc::diverged, kind,
                    ": the answer left the finite numbers: scale contexts and rewards down");
            take(a, e);
        }
    }
    template <class X>
    void fill_probabilities(const X& context, std::span<const std::uint8_t> open, std::span<double> means, std::span<double> out) const {
        detail::few<double> deviations(actions());
        double size = 0;
        for_each_open(context, open, [&](std::size_t a, const linear_estimate& e) {
            means[a] = e.mean;
            deviations.data()[a] = rule_.noise * e.deviation;
            size = std::max({size, std::abs(e.mean), deviations.data()[a]});
        });
        const double least = std::max(1e-12 * size, 1e-250);  // of a context of zeros nothing is known, and nothing unknown
        using belief = detail::normal_belief;
        detail::best_of_marked<belief>(open, [&](std::size_t a) { return belief{.mean = means[a], .deviation = std::max(least, deviations.data()[a])}; }, out);
    }
    template <class X>
    void fill_scores(const X& context, std::span<const std::uint8_t> open, std::span<double> means, std::span<double> out) const {
        for_each_open(context, open, [&](std::size_t a, const linear_estimate& e) {
            means[a] = e.mean;
            out[a] = e.mean + rule_.alpha * e.deviation;
        });
    }
    template <class X>
    choice decided(rng& numbers, const X& context, std::span<const std::uint8_t> open) const {
        detail::few<double> means(actions()), values(actions());
        choice out;
        if constexpr (by_probability) {
            fill_probabilities(context, open, means.all(), values.all());
            out.action = detail::draw_action(std::span<const double>(values.all()), numbers);
            out.propensity = values.data()[out.action];
        } else {
            fill_scores(context, open, means.all(), values.all());
            out = detail::epsilon_greedy(std::span<const double>(values.all()), open, rule_.epsilon, numbers);
        }
        out.value = means.data()[out.action];
        return out;
    }
    template <class X>
    std::vector<double> probabilities(const X& context, std::span<const std::uint8_t> open) const {
        detail::few<double> means(actions());
        std::vector<double> out(actions());
        if constexpr (by_probability) {
            fill_probabilities(context, open, means.all(), out);
        } else {
            detail::few<double> scores(actions());
            fill_scores(context, open, means.all(), scores.all());
            detail::greedy_probabilities(std::span<const double>(scores.all()), open, rule_.epsilon, std::span(out));
        }
        return out;
    }

    // A context so far from all before that the update would lose the digits of what is left of its uncertainty.
    CARAMEL_COLD void learn_anew(const double* x, std::size_t action, double reward) {
        const std::size_t d = dim();
        std::vector<double> moments(moments_of(action), moments_of(action) + d * d), sums(sums_.data() + action * d, sums_.data() + (action + 1) * d);
        std::vector<double> inverse(d * d), weights(d), scratch;
        detail::add_square<false>(moments.data(), x, d);
        for (std::size_t i = 0; i < d; ++i) sums[i] += reward * x[i];
        bool good = detail::all_finite(moments.data(), d * d) && detail::all_finite(sums.data(), d) &&
                    detail::invert_moments(moments.data(), rule_.regularization, d, inverse.data(), scratch);
        if (good) {
            detail::symmetric_product(inverse.data(), sums.data(), d, weights.data());
            good = detail::all_finite(weights.data(), d);
        }
        require(good, errc::diverged, kind, ": the model left what numbers can tell apart: standardize contexts and scale rewards down");
        std::copy(moments.begin(), moments.end(), moments_.data() + action * d * d);
        std::copy(inverse.begin(), inverse.end(), inverses_.data() + action * d * d);
        std::copy(sums.begin(), sums.end(), sums_.data() + action * d);
        std::copy(weights.begin(), weights.end(), weights_.data() + action * d);
        count(action);
    }
    void count(std::size_t action) {
        ++rewards_[action];
        ++total_;
        if (rewards_[action] % rule_.refresh_every == 0) refresh(action);
        if (const std::uint64_t every = block(); every > 0 && total_ % every == 0) fade(std::exp2(-static_cast<double>(every) / rule_.half_life));
    }

    // How many rewards pass between two steps of forgetting.
    [[nodiscard]] std::uint64_t block() const noexcept { return rule_.half_life > 0 ? static_cast<std::uint64_t>(std::max(1.0, rule_.half_life / 8)) : 0; }
    void fade(double share) {
        moments_ *= share;
        sums_ *= share;
        refresh();
    }
    // Where contexts are so unlike in size that the sums are singular in double precision, the updated inverse is kept.
    void refresh(std::size_t a) {
        const std::size_t d = dim();
        std::vector<double> scratch, inverse(d * d);
        if (!detail::invert_moments(moments_of(a), rule_.regularization, d, inverse.data(), scratch)) return;
        std::copy(inverse.begin(), inverse.end(), inverses_.data() + a * d * d);
        detail::symmetric_product(inverse_of(a), sums_.data() + a * d, d, weights_.data() + a * d);
    }
    void merge_parts(const linear_bandit& other, const linear_bandit* base) {
        require(other.actions() == actions() && other.dim() == dim() && (base == nullptr || (base->actions() == actions() && base->dim() == dim())),
                errc::shape_mismatch, kind, ": has ", actions(), " actions with ", dim(), " numbers, what is merged has ", other.actions(), " with ",
                other.dim());
        require(other.rule_ == rule_ && (base == nullptr || base->rule_ == rule_), errc::bad_parameter, kind, ": merging bandits of different parameters");
        require(base == nullptr || rule_.half_life == 0, errc::bad_parameter, kind, ": of rules that forget what both knew before cannot be told apart");
        linear_bandit sum = *this;
        sum.moments_ += other.moments_;
        sum.sums_ += other.sums_;
        if (base != nullptr) {
            sum.moments_ -= base->moments_;
            sum.sums_ -= base->sums_;
        }
        for (std::size_t a = 0; a < actions(); ++a) {
            const std::uint64_t before = base == nullptr ? 0 : base->rewards_[a];
            require(other.rewards_[a] >= before, errc::bad_data, kind, ": the base has seen more rewards of action ", a + 1, " than what is merged");
            sum.rewards_[a] += other.rewards_[a] - before;
            sum.total_ += other.rewards_[a] - before;
        }
        std::vector<double> scratch, inverse(dim() * dim());
        for (std::size_t a = 0; a < actions(); ++a)
            require(detail::invert_moments(sum.moments_of(a), rule_.regularization, dim(), inverse.data(), scratch), errc::bad_data, kind,
                    ": the moments of action ", a + 1, " cannot be merged: the base is of another origin, or contexts are too unlike in size");
        sum.refresh();
        *this = std::move(sum);
    }

    Rule rule_;
    std::vector<std::uint64_t> rewards_;
    std::uint64_t total_ = 0;
    matrix<real> moments_, sums_, inverses_, weights_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
