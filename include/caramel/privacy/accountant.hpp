#ifndef CARAMEL_PRIVACY_ACCOUNTANT_HPP
#define CARAMEL_PRIVACY_ACCOUNTANT_HPP

// How much privacy many noisy answers cost together, and budgets that refuse what is too much.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/privacy/noise.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// log(erfc(x)) without underflow: beyond 25 by the asymptotic series, whose first term left out is below 1e-14 there.
[[nodiscard]] inline double log_erfc(double x) noexcept {
    if (x < 25) return std::log(std::erfc(x));
    const double t = 0.5 / (x * x);
    return -x * x - std::log(x * std::sqrt(std::numbers::pi)) + std::log1p(t * (-1 + t * (3 + t * (-15 + t * 105))));
}

// The logarithm of a sum of signed terms, given by their logarithms. Terms are added as fractions of the largest one so far.
class log_sum {
   public:
    void add(double log_term, double sign) noexcept {
        if (log_term > largest_) {
            const double shrink = std::exp(largest_ - log_term);
            sum_ *= shrink;
            carry_ *= shrink;
            largest_ = log_term;
        }
        const double term = sign * std::exp(log_term - largest_) - carry_;  // Kahan
        const double next = sum_ + term;
        carry_ = (next - sum_) - term;
        sum_ = next;
    }
    [[nodiscard]] double value() const noexcept { return largest_ + std::log(sum_); }

   private:
    double largest_ = -std::numeric_limits<double>::infinity(), sum_ = 0, carry_ = 0;
};

// log E[((1-q) + q exp((2x-1)/(2 sigma^2)))^order], x normal of mean 0 and deviation sigma, for 0 < q < 1.
[[nodiscard]] inline double log_moment(double q, double sigma, double order) noexcept {
    const double log_q = std::log(q), log_rest = std::log1p(-q), two_variances = 2 * sigma * sigma;
    log_sum sum;
    if (order == std::floor(order)) {  // the binomial theorem
        double log_binomial = 0;
        for (double i = 0; i <= order; ++i) {
            sum.add(log_binomial + i * log_q + (order - i) * log_rest + (i * i - i) / two_variances, 1);
            log_binomial += std::log((order - i) / (i + 1));
        }
        return sum.value();
    }
    // Two binomial series, on each side of where the two parts are equal (Mironov, Talwar & Zhang 2019, section 3.3). Both alternate in
    // the end, so the last terms count half.
    const double z = 0.5 * two_variances * (log_rest - log_q) + 0.5, width = std::numbers::sqrt2 * sigma, log_half = -std::numbers::ln2;
    double log_binomial = 0, sign = 1;
    for (double i = 0;; ++i) {
        const double j = order - i;
        const double below = log_binomial + i * log_q + j * log_rest + (i * i - i) / two_variances + log_half + log_erfc((i - z) / width);
        const double above = log_binomial + j * log_q + i * log_rest + (j * j - j) / two_variances + log_half + log_erfc((z - j) / width);
        const bool last = i > order && std::max(below, above) < -32;
        sum.add(last ? below + log_half : below, sign);
        sum.add(last ? above + log_half : above, sign);
        if (last) return sum.value();
        log_binomial += std::log(std::abs(j) / (i + 1));
        if (j < 0) sign = -sign;
    }
}

}  // namespace detail

/// Rényi divergence of one step of the subsampled Gaussian: each customer takes part with probability `sampling_rate` (Poisson sampling),
/// and the sum over those who do, each of size 1 at most, gets noise of deviation `sigma`. Neighbours differ by one customer added or removed.
/// (Mironov, Talwar & Zhang, "Rényi differential privacy of the sampled Gaussian mechanism", 2019.)
/// Throws `error` (`bad_parameter`) unless 0 <= sampling_rate <= 1, sigma is .05 to 1e6 and order above 1, at most 1024.
template <class = void>
[[nodiscard]] inline double subsampled_gaussian_rdp(double sampling_rate, double sigma, double order) {
    require(sampling_rate >= 0 && sampling_rate <= 1, errc::bad_parameter, "subsampled_gaussian_rdp: sampling_rate = ", sampling_rate, ", must be 0 to 1");
    require(sigma >= 0.05 && sigma <= 1e6, errc::bad_parameter, "subsampled_gaussian_rdp: sigma = ", sigma, ", must be 0.05 to 1e6");
    require(order > 1 && order <= 1024, errc::bad_parameter, "subsampled_gaussian_rdp: order = ", order, ", must be above 1 and at most 1024");
    if (sampling_rate == 0) return 0;
    if (sampling_rate == 1) return order / (2 * sigma * sigma);
    return std::max(0.0, detail::log_moment(sampling_rate, sigma, order)) / (order - 1);
}

/// A guarantee, and the order of Rényi divergence that gave it.
struct privacy_loss {
    double epsilon = 0;
    double order = 0;
};

/// Adds up the Rényi divergences of noisy answers (Mironov, "Rényi differential privacy", CSF 2017) and tells what they cost together.
/// Upper bounds: the true loss is a little smaller. What the answers are may depend on earlier answers.
class rdp_accountant {
   public:
    /// Orders 1.1, 1.2 .. 10.9, 12, 13 .. 63, as Opacus has them.
    template <class = void>
    rdp_accountant() {
        for (int i = 1; i < 100; ++i) orders_.push_back(1 + i / 10.0);
        for (int i = 12; i < 64; ++i) orders_.push_back(i);
        spent_.resize(orders_.size());
    }
    /// Throws `error` (`bad_parameter`) unless there is one and all are above 1 and at most 1024.
    template <class = void>
    explicit rdp_accountant(std::vector<double> orders) : orders_(std::move(orders)), spent_(orders_.size()) {
        require(!orders_.empty(), errc::bad_parameter, "rdp_accountant: no orders");
        for (const double order : orders_)
            require(order > 1 && order <= 1024, errc::bad_parameter, "rdp_accountant: order ", order, ", must be above 1 and at most 1024");
    }

    /// `steps` answers with Gaussian noise of `sigma` sensitivities; on a Poisson sample of the customers, for a rate below 1.
    /// Throws `error` (`bad_parameter`) as `subsampled_gaussian_rdp`.
    template <class = void>
    void add_gaussian(double sigma, std::uint64_t steps = 1, double sampling_rate = 1) {
        add(steps, [&](double order) { return subsampled_gaussian_rdp(sampling_rate, sigma, order); });
    }
    /// `steps` answers with Laplace noise of `scale` sensitivities (Mironov 2017, proposition 6). Throws `error` (`bad_parameter`) unless the
    /// scale is .002 to 1e6.
    template <class = void>
    void add_laplace(double scale, std::uint64_t steps = 1) {
        require(scale >= 0.002 && scale <= 1e6, errc::bad_parameter, "rdp_accountant: scale = ", scale, ", must be 0.002 to 1e6");
        add(steps, [&](double order) {
            detail::log_sum sum;
            sum.add(std::log(order / (2 * order - 1)) + (order - 1) / scale, 1);
            sum.add(std::log((order - 1) / (2 * order - 1)) - order / scale, 1);
            return std::max(0.0, sum.value()) / (order - 1);
        });
    }
    /// `steps` answers of any epsilon-differentially private kind: no more than epsilon, and no more than order epsilon^2 / 2 (Bun & Steinke,
    /// TCC 2016, proposition 3.3). Throws `error` (`bad_parameter`) unless epsilon is 0 to 500.
    template <class = void>
    void add_pure(double epsilon, std::uint64_t steps = 1) {
        require(epsilon >= 0 && epsilon <= detail::largest_epsilon, errc::bad_parameter, "rdp_accountant: epsilon = ", epsilon, ", must be 0 to ",
                detail::largest_epsilon);
        add(steps, [&](double order) { return std::min(epsilon, 0.5 * order * epsilon * epsilon); });
    }

    /// The smallest epsilon over the orders, at this delta (Canonne, Kamath & Steinke 2020, proposition 12); 0 where nothing was added.
    /// Throws `error` (`bad_parameter`) unless 0 < delta < 1.
    [[nodiscard]] privacy_loss epsilon(double delta) const {
        require(detail::is_probability_inside(delta), errc::bad_parameter, "rdp_accountant: delta = ", delta, ", must be between 0 and 1");
        privacy_loss best{std::numeric_limits<double>::infinity(), 0};
        for (std::size_t i = 0; i < orders_.size(); ++i) {
            if (spent_[i] == 0) return {0, orders_[i]};
            const double order = orders_[i];
            const double epsilon = spent_[i] - (std::log(delta) + std::log(order)) / (order - 1) + std::log1p(-1 / order);
            if (epsilon < best.epsilon) best = {epsilon, order};
        }
        best.epsilon = std::max(0.0, best.epsilon);
        return best;
    }
    /// The smallest delta over the orders, at this epsilon. Throws `error` (`bad_parameter`) unless epsilon is positive.
    [[nodiscard]] double delta(double epsilon) const {
        require(epsilon > 0 && std::isfinite(epsilon), errc::bad_parameter, "rdp_accountant: epsilon = ", epsilon, ", must be positive and finite");
        double best = 0;
        for (std::size_t i = 0; i < orders_.size(); ++i) {
            if (spent_[i] == 0) return 0;
            const double order = orders_[i];
            best = std::min(best, (order - 1) * (spent_[i] - epsilon + std::log1p(-1 / order)) - std::log(order));
        }
        return std::exp(best);
    }
    [[nodiscard]] const std::vector<double>& orders() const noexcept { return orders_; }
    /// The Rényi divergence so far, one an order.
    [[nodiscard]] const std::vector<double>& spent() const noexcept { return spent_; }

   private:
    template <class Cost>
    void add(std::uint64_t steps, const Cost& cost) {
        std::vector<double> now = spent_;  // so that a failure changes nothing
        for (std::size_t i = 0; i < orders_.size(); ++i) now[i] += static_cast<double>(steps) * cost(orders_[i]);
        spent_ = std::move(now);
    }
    std::vector<double> orders_, spent_;
};

/// epsilon of one Gaussian of `sigma` sensitivities at this delta, exactly: the inverse of `gaussian_delta`. Throws `error`: `bad_parameter`;
/// `number_out_of_range` where it is above 500.
template <class = void>
[[nodiscard]] inline double gaussian_epsilon(double sigma, double delta) {
    require(detail::is_probability_inside(delta), errc::bad_parameter, "gaussian_epsilon: delta = ", delta, ", must be between 0 and 1");
    if (gaussian_delta(0, sigma) <= delta) return 0;
    double low = 0, high = 1;
    while (detail::gaussian_delta(high, sigma) > delta) {
        low = high;
        high *= 2;
        require(low < detail::largest_epsilon, errc::number_out_of_range, "gaussian_epsilon: above ", detail::largest_epsilon, " at sigma = ", sigma);
    }
    for (int i = 0; i < 200 && high - low > 4e-16 * high; ++i) {
        const double middle = 0.5 * (low + high);
        (detail::gaussian_delta(middle, sigma) > delta ? low : high) = middle;
    }
    return high;
}

/// Gaussians of these sigmas, one after the other, are together as private as one of this sigma, exactly: 1 / sqrt(sum of 1 / sigma^2)
/// (Dong, Roth & Su, "Gaussian differential privacy", 2022). Throws `error` (`bad_parameter`) unless there is one and all are positive.
template <class = void>
[[nodiscard]] inline double composed_sigma(std::span<const double> sigmas) {
    require(!sigmas.empty(), errc::bad_parameter, "composed_sigma: no sigmas");
    double sum = 0;
    for (const double sigma : sigmas) {
        require(sigma > 0 && std::isfinite(sigma), errc::bad_parameter, "composed_sigma: sigma = ", sigma, ", must be positive and finite");
        sum += 1 / (sigma * sigma);
    }
    return 1 / std::sqrt(sum);
}

/// epsilon at this delta of what is rho-zCDP, rho + 2 sqrt(rho ln(1/delta)) (Bun & Steinke, TCC 2016, proposition 1.3). A Gaussian of `sigma`
/// sensitivities has rho = 1 / (2 sigma^2), an epsilon-private answer epsilon^2 / 2; the rhos of many answers add up.
/// Throws `error` (`bad_parameter`) unless rho is not negative and 0 < delta < 1.
[[nodiscard]] inline double zcdp_epsilon(double rho, double delta) {
    require(rho >= 0 && std::isfinite(rho), errc::bad_parameter, "zcdp_epsilon: rho = ", rho, ", must be finite and not negative");
    require(detail::is_probability_inside(delta), errc::bad_parameter, "zcdp_epsilon: delta = ", delta, ", must be between 0 and 1");
    return rho + 2 * std::sqrt(rho * -std::log(delta));
}

/// The smallest sigma (to a relative 1e-6) with which `steps` answers, each on a Poisson sample, cost at most `epsilon` at `delta`, by the
/// default orders. Throws `error` (`bad_parameter`), also where no sigma up to 1e6 is enough.
template <class = void>
[[nodiscard]] inline double rdp_sigma(double epsilon, double delta, std::uint64_t steps, double sampling_rate = 1) {
    require(epsilon > 0 && epsilon <= detail::largest_epsilon, errc::bad_parameter, "rdp_sigma: epsilon = ", epsilon, ", must be positive, at most ",
            detail::largest_epsilon);
    const auto enough = [&](double sigma) {
        rdp_accountant account;
        account.add_gaussian(sigma, steps, sampling_rate);
        return account.epsilon(delta).epsilon <= epsilon;
    };
    double low = 0.05, high = 1;
    while (!enough(high)) {
        low = high;
        high *= 2;
        require(high <= 1e6, errc::bad_parameter, "rdp_sigma: epsilon = ", epsilon, " cannot be kept with delta = ", delta);
    }
    while (high - low > 1e-6 * high) {
        const double middle = 0.5 * (low + high);
        (enough(middle) ? high : low) = middle;
    }
    return high;
}

/// An epsilon and a delta to be spent, added up as they are (basic composition): for a few answers of any kind.
class privacy_budget {
   public:
    /// Throws `error` (`bad_parameter`) unless epsilon is positive and finite and 0 <= delta < 1.
    template <class = void>
    explicit privacy_budget(double epsilon, double delta = 0) : epsilon_(epsilon), delta_(delta) {
        require(epsilon > 0 && std::isfinite(epsilon), errc::bad_parameter, "privacy_budget: epsilon = ", epsilon, ", must be positive and finite");
        require(delta >= 0 && delta < 1, errc::bad_parameter, "privacy_budget: delta = ", delta, ", must be at least 0 and below 1");
    }
    /// Call it before the answer is given. Throws `error`: `limit_exceeded` where more is wanted than is left (and spends nothing);
    /// `bad_parameter` on negative amounts. What rounding adds (1e-12 of the whole) is forgiven: ten times .1 fit into 1.
    template <class = void>
    void spend(double epsilon, double delta = 0) {
        require(epsilon >= 0 && std::isfinite(epsilon), errc::bad_parameter, "privacy_budget: epsilon = ", epsilon, ", must be finite and not negative");
        require(delta >= 0 && delta < 1, errc::bad_parameter, "privacy_budget: delta = ", delta, ", must be at least 0 and below 1");
        require(spent_epsilon_ + epsilon <= epsilon_ * (1 + 1e-12), errc::limit_exceeded, "privacy_budget: epsilon ", epsilon, " wanted, ", epsilon_left(),
                " of ", epsilon_, " left");
        require(spent_delta_ + delta <= delta_ * (1 + 1e-12), errc::limit_exceeded, "privacy_budget: delta ", delta, " wanted, ", delta_left(), " of ", delta_,
                " left");
        spent_epsilon_ += epsilon;
        spent_delta_ += delta;
    }
    [[nodiscard]] double epsilon_left() const noexcept { return std::max(0.0, epsilon_ - spent_epsilon_); }
    [[nodiscard]] double delta_left() const noexcept { return std::max(0.0, delta_ - spent_delta_); }

   private:
    double epsilon_, delta_, spent_epsilon_ = 0, spent_delta_ = 0;
};

/// The same with an accountant: many answers with Gaussian or Laplace noise cost much less together than their sum.
class rdp_budget {
   public:
    /// Throws `error` (`bad_parameter`) unless epsilon is positive and finite and 0 < delta < 1.
    template <class = void>
    rdp_budget(double epsilon, double delta) : epsilon_(epsilon), delta_(delta) {
        require(epsilon > 0 && std::isfinite(epsilon), errc::bad_parameter, "rdp_budget: epsilon = ", epsilon, ", must be positive and finite");
        require(detail::is_probability_inside(delta), errc::bad_parameter, "rdp_budget: delta = ", delta, ", must be between 0 and 1");
    }
    /// Call them before the answer is given. Throw `error`: `limit_exceeded` where all together would cost more than the budget (and spend
    /// nothing); `bad_parameter` as in `rdp_accountant`.
    template <class = void>
    void spend_gaussian(double sigma, std::uint64_t steps = 1, double sampling_rate = 1) {
        spend([&](rdp_accountant& account) { account.add_gaussian(sigma, steps, sampling_rate); });
    }
    template <class = void>
    void spend_laplace(double scale, std::uint64_t steps = 1) {
        spend([&](rdp_accountant& account) { account.add_laplace(scale, steps); });
    }
    template <class = void>
    void spend_pure(double epsilon, std::uint64_t steps = 1) {
        spend([&](rdp_accountant& account) { account.add_pure(epsilon, steps); });
    }
    /// What was spent so far, at the budget's delta.
    [[nodiscard]] double epsilon_spent() const { return account_.epsilon(delta_).epsilon; }
    [[nodiscard]] const rdp_accountant& account() const noexcept { return account_; }

   private:
    template <class Add>
    void spend(const Add& add) {
        rdp_accountant next = account_;
        add(next);
        const double epsilon = next.epsilon(delta_).epsilon;
        require(epsilon <= epsilon_ * (1 + 1e-12), errc::limit_exceeded, "rdp_budget: epsilon would be ", epsilon, ", at most ", epsilon_, ", ",
                epsilon_spent(), " is spent");
        account_ = std::move(next);
    }
    double epsilon_, delta_;
    rdp_accountant account_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
