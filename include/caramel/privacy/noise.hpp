#ifndef CARAMEL_PRIVACY_NOISE_HPP
#define CARAMEL_PRIVACY_NOISE_HPP

// Noise for differentially private answers: the Laplace, geometric and Gaussian mechanisms and randomised response.
//
// All of it is drawn in integers, by comparing and rejecting (Canonne, Kamath & Steinke, "The discrete Gaussian for differential privacy",
// 2020). A Laplace number that is made of a floating-point logarithm is not private: which numbers can come out depends on the true
// answer, and the low bits give it away (Mironov, "On significance of the least significant bits for differential privacy", CCS 2012).
// Here real answers are rounded to a grid first, and the noise counts steps of the grid.
//
// What is private is only as secret as the generator. `rng` is for tests and simulations: whoever sees some of its numbers knows all the
// others. Production takes `secret_rng`, or a generator of the host's that has the same shape.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/privacy/wipe.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Gives 64 random bits a call: `rng`, `secret_rng`, `std::mt19937_64`.
template <class G>
concept RandomBits = requires(G& g) {
    { g() } -> std::same_as<std::uint64_t>;
    requires G::min()
    == 0 && G::max() == std::numeric_limits<std::uint64_t>::max();
};

/// ChaCha20 (Bernstein, 2008; RFC 8439) as a generator: as hard to foresee as its key is to guess. One a thread, each with a key of
/// its own; copies would repeat their numbers, so there are none. It wipes itself when it goes.
class secret_rng {
   public:
    using result_type = std::uint64_t;

    /// Take 32 bytes from the system's generator of secrets, new ones for every object: the same key gives the same numbers.
    /// Throws `error` (`bad_parameter`) unless there are 32 that are not all the same.
    template <class = void>
    explicit secret_rng(std::string_view key) {
        require(key.size() == 32, errc::bad_parameter, "secret_rng: a key of ", key.size(), " bytes, must be 32");
        require(key.find_first_not_of(key[0]) != std::string_view::npos, errc::bad_parameter, "secret_rng: all 32 bytes of the key are the same");
        constexpr std::array<std::uint32_t, 4> constants{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
        std::copy(constants.begin(), constants.end(), state_.begin());
        for (std::size_t i = 0; i < key.size(); ++i) state_[4 + i / 4] |= std::uint32_t{static_cast<unsigned char>(key[i])} << (8 * (i % 4));
    }
    secret_rng(const secret_rng&) = delete;
    secret_rng& operator=(const secret_rng&) = delete;
    ~secret_rng() {
        detail::wipe(state_.data(), sizeof state_);
        detail::wipe(block_.data(), sizeof block_);
    }

    template <class = void>
    result_type operator()() noexcept {
        if (at_ == block_.size()) refill();
        const result_type out = block_[at_] | std::uint64_t{block_[at_ + 1]} << 32;
        block_[at_] = block_[at_ + 1] = 0;  // what was given out is not kept
        at_ += 2;
        return out;
    }
    static constexpr result_type min() noexcept { return 0; }
    static constexpr result_type max() noexcept { return ~result_type{0}; }

   private:
    template <class = void>
    void refill() noexcept {
        block_ = state_;
        const auto quarter = [&](std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
            block_[a] += block_[b], block_[d] = std::rotl(block_[d] ^ block_[a], 16);
            block_[c] += block_[d], block_[b] = std::rotl(block_[b] ^ block_[c], 12);
            block_[a] += block_[b], block_[d] = std::rotl(block_[d] ^ block_[a], 8);
            block_[c] += block_[d], block_[b] = std::rotl(block_[b] ^ block_[c], 7);
        };
        for (int round = 0; round < 10; ++round) {
            for (std::size_t i = 0; i < 4; ++i) quarter(i, 4 + i, 8 + i, 12 + i);
            for (std::size_t i = 0; i < 4; ++i) quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
        }
        for (std::size_t i = 0; i < block_.size(); ++i) block_[i] += state_[i];
        if (++state_[12] == 0) ++state_[13];  // a counter of 64 bits, as in Bernstein's paper
        at_ = 0;
    }
    std::array<std::uint32_t, 16> state_{}, block_{};
    std::size_t at_ = 16;
};

namespace detail {

// The steps of the grid within one scale of the noise.
inline constexpr std::uint64_t noise_steps = std::uint64_t{1} << 20;

// In [0, n), every value equally likely; n is positive.
template <RandomBits G>
[[nodiscard]] std::uint64_t random_below(std::uint64_t n, G& g) {
    const std::uint64_t reject = (G::max() - n + 1) % n;
    for (;;)
        if (const std::uint64_t x = g(); x >= reject) return x % n;
}

// True with probability exp(-numerator / denominator), for a fraction of at most 1 (von Neumann): the first k at which a trial of
// probability fraction / k fails is odd so often.
template <RandomBits G>
[[nodiscard]] bool random_exp_fraction(std::uint64_t numerator, std::uint64_t denominator, G& g) {
    std::uint64_t k = 1;
    while (random_below(denominator, g) < numerator && random_below(k, g) == 0) ++k;
    return k % 2 == 1;
}
// The same for any fraction.
template <RandomBits G>
[[nodiscard]] bool random_exp(std::uint64_t numerator, std::uint64_t denominator, G& g) {
    for (; numerator > denominator; numerator -= denominator)
        if (!random_exp_fraction(1, 1, g)) return false;
    return random_exp_fraction(numerator, denominator, g);
}

// An integer y with probability in proportion to exp(-|y| s / t); s and t are positive, t at most 2^40 (Canonne, Kamath & Steinke, algorithm 2).
template <RandomBits G>
[[nodiscard]] std::int64_t discrete_laplace(std::uint64_t s, std::uint64_t t, G& g) {
    for (;;) {
        const std::uint64_t part = random_below(t, g);
        if (!random_exp_fraction(part, t, g)) continue;
        std::uint64_t whole = 0;
        while (random_exp_fraction(1, 1, g)) ++whole;
        const std::uint64_t size = (part + t * whole) / s;
        const bool negative = random_below(2, g) == 1;
        if (negative && size == 0) continue;  // or 0 would come twice as often
        return negative ? -static_cast<std::int64_t>(size) : static_cast<std::int64_t>(size);
    }
}

// An integer y with probability in proportion to exp(-y^2 / (2 sigma^2)), for sigma up to 2^20 (their algorithm 3, with scale sigma).
template <RandomBits G>
[[nodiscard]] std::int64_t discrete_gaussian(std::uint64_t sigma, G& g) {
    for (;;) {
        const std::int64_t y = discrete_laplace(1, sigma, g);
        const std::uint64_t size = static_cast<std::uint64_t>(y < 0 ? -y : y);
        const std::uint64_t off = size > sigma ? size - sigma : sigma - size;
        if (random_exp(off * off, 2 * sigma * sigma, g)) return y;
    }
}

// The answer in steps of the grid, with noise, as a number again. Steps are counted exactly below 2^52.
template <class Draw>
[[nodiscard]] double noisy_on_grid(double value, double grid, std::string_view who, const Draw& draw) {
    require(std::isfinite(value), errc::nan_or_inf, who, ": the value is not finite");
    const double steps = std::nearbyint(value / grid);
    require(std::abs(steps) < 0x1p51, errc::number_out_of_range, who, ": the value is more than 2^31 times the noise, which would be lost in rounding");
    return (steps + static_cast<double>(draw())) * grid;
}

// delta of one Gaussian of `sigma` sensitivities: Phi(1/(2 sigma) - epsilon sigma) - exp(epsilon) Phi(-1/(2 sigma) - epsilon sigma).
[[nodiscard]] inline double gaussian_delta(double epsilon, double sigma) noexcept {
    const double half = 0.5 / sigma, shift = epsilon * sigma;
    const auto phi = [](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); };
    return std::max(0.0, phi(half - shift) - std::exp(epsilon) * phi(-half - shift));
}

[[nodiscard]] inline bool is_probability_inside(double p) noexcept { return p > 0 && p < 1; }
inline constexpr double largest_epsilon = 500;  // exp(epsilon) stays a number; far beyond anything private

}  // namespace detail

/// delta such that a Gaussian of deviation `sigma` on an answer of sensitivity 1 is (epsilon, delta)-differentially private, exactly
/// (Balle & Wang, "Improving the Gaussian mechanism for differential privacy", ICML 2018, theorem 8).
/// Throws `error` (`bad_parameter`) unless epsilon is 0 to 500 and sigma positive.
template <class = void>
[[nodiscard]] inline double gaussian_delta(double epsilon, double sigma) {
    require(epsilon >= 0 && epsilon <= detail::largest_epsilon, errc::bad_parameter, "gaussian_delta: epsilon = ", epsilon, ", must be 0 to ",
            detail::largest_epsilon);
    require(sigma > 0 && std::isfinite(sigma), errc::bad_parameter, "gaussian_delta: sigma = ", sigma, ", must be positive and finite");
    return detail::gaussian_delta(epsilon, sigma);
}

/// The smallest deviation of Gaussian noise with which an answer of this (L2) sensitivity is (epsilon, delta)-differentially private: the
/// analytic Gaussian mechanism of Balle & Wang. Never more than the classical sqrt(2 ln(1.25/delta)) / epsilon where that is valid (epsilon < 1).
/// Throws `error` (`bad_parameter`) unless epsilon is positive and at most 500, 1e-300 < delta < 1 and the sensitivity positive.
template <class = void>
[[nodiscard]] inline double gaussian_sigma(double epsilon, double delta, double sensitivity = 1) {
    require(epsilon > 0 && epsilon <= detail::largest_epsilon, errc::bad_parameter, "gaussian_sigma: epsilon = ", epsilon, ", must be positive, at most ",
            detail::largest_epsilon);
    require(delta > 1e-300 && delta < 1, errc::bad_parameter, "gaussian_sigma: delta = ", delta, ", must be above 1e-300 and below 1");
    require(sensitivity > 0 && std::isfinite(sensitivity), errc::bad_parameter, "gaussian_sigma: sensitivity = ", sensitivity, ", must be positive and finite");
    double low = 1e-4, high = 1;  // delta falls as sigma grows
    while (detail::gaussian_delta(epsilon, high) > delta) high *= 2;
    for (int i = 0; i < 200 && high - low > 4e-16 * high; ++i) {
        const double middle = 0.5 * (low + high);
        (detail::gaussian_delta(epsilon, middle) > delta ? low : high) = middle;
    }
    return high * sensitivity;  // the side on which delta is kept
}

/// Adds integer noise to a count: P(k) = (1-a)/(1+a) a^|k| with a = exp(-epsilon / sensitivity) (Ghosh, Roughgarden & Sundararajan, STOC 2009).
/// epsilon-differentially private for counts that one customer changes by at most `sensitivity`. Exact but for epsilon / sensitivity,
/// which is rounded down to a multiple of 2^-40: never less noise than promised.
struct geometric_mechanism {
    double epsilon = 1;             ///< from 1e-9 times the sensitivity to 500
    std::uint64_t sensitivity = 1;  ///< 1 to 2^31

    /// The count with noise; at the ends of 64 bits it stays there. Throws `error` (`bad_parameter`).
    template <RandomBits G>
    [[nodiscard]] std::int64_t operator()(std::int64_t count, G& g) const {
        require(sensitivity >= 1 && sensitivity <= std::uint64_t{1} << 31, errc::bad_parameter, "geometric_mechanism: sensitivity = ", sensitivity,
                ", must be 1 to 2147483648");
        const double rate = epsilon / static_cast<double>(sensitivity);
        require(rate >= 1e-9 && epsilon <= detail::largest_epsilon, errc::bad_parameter, "geometric_mechanism: epsilon = ", epsilon,
                ", must be at least 1e-9 times the sensitivity and at most ", detail::largest_epsilon);
        constexpr std::uint64_t unit = std::uint64_t{1} << 40;
        const std::int64_t noise = detail::discrete_laplace(static_cast<std::uint64_t>(std::floor(rate * 0x1p40)), unit, g);
        constexpr auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
        if (noise > 0) return count > most - noise ? most : count + noise;
        return count < least - noise ? least : count + noise;
    }
};

/// Adds Laplace noise to a number that one customer changes by at most `sensitivity` (L1): deviation sqrt(2) sensitivity / epsilon, and
/// epsilon-differentially private, also in the bits of the number. The answer is a multiple of scale / 2^20; the scale is larger by a
/// share of 2e-6 / epsilon for what rounding to that grid can add to the sensitivity.
struct laplace_mechanism {
    double epsilon = 1;      ///< 1e-4 to 500
    double sensitivity = 1;  ///< positive

    /// Of the noise: its mean size. Throws `error` (`bad_parameter`).
    template <class = void>
    [[nodiscard]] double scale() const {
        require(epsilon >= 1e-4 && epsilon <= detail::largest_epsilon, errc::bad_parameter, "laplace_mechanism: epsilon = ", epsilon, ", must be 1e-4 to ",
                detail::largest_epsilon);
        require(sensitivity >= 1e-100 && sensitivity <= 1e100, errc::bad_parameter, "laplace_mechanism: sensitivity = ", sensitivity,
                ", must be 1e-100 to 1e100");
        // Two values that differ by the sensitivity are at most sensitivity / grid + 2 steps apart, grid = scale / steps.
        return sensitivity / (epsilon - 2.0 / static_cast<double>(detail::noise_steps));
    }
    /// Throws `error`: `bad_parameter`; `nan_or_inf`; `number_out_of_range` beyond 2^31 times the scale.
    template <RandomBits G>
    [[nodiscard]] double operator()(double value, G& g) const {
        return detail::noisy_on_grid(value, scale() / static_cast<double>(detail::noise_steps), "laplace_mechanism",
                                     [&] { return detail::discrete_laplace(1, detail::noise_steps, g); });
    }
};

/// Adds Gaussian noise to numbers that one customer changes by at most `sensitivity` (together: L2): the analytic Gaussian mechanism, on a
/// grid of sigma / 2^20 as above. (epsilon, delta)-differentially private.
struct gaussian_mechanism {
    double epsilon = 1;      ///< 1e-3 to 500
    double delta = 1e-6;     ///< above 1e-300; below one over the number of customers, or it promises nothing
    double sensitivity = 1;  ///< positive

    /// The noise's deviation for `n` numbers. Throws `error` (`bad_parameter`).
    template <class = void>
    [[nodiscard]] double sigma(std::size_t n = 1) const {
        require(epsilon >= 1e-3, errc::bad_parameter, "gaussian_mechanism: epsilon = ", epsilon, ", must be at least 0.001");
        require(sensitivity >= 1e-100 && sensitivity <= 1e100, errc::bad_parameter, "gaussian_mechanism: sensitivity = ", sensitivity,
                ", must be 1e-100 to 1e100");
        const double times = gaussian_sigma(epsilon, delta);
        // Rounding moves each of n numbers by at most two steps more.
        const double more = times * 2 * std::sqrt(static_cast<double>(n)) / static_cast<double>(detail::noise_steps);
        require(more < 0.5, errc::bad_parameter, "gaussian_mechanism: ", n, " numbers are too many for the grid at epsilon = ", epsilon);
        return sensitivity * times / (1 - more);
    }
    /// Throws `error`: `bad_parameter`; `nan_or_inf`; `number_out_of_range` beyond 2^31 sigma.
    template <RandomBits G>
    [[nodiscard]] double operator()(double value, G& g) const {
        return (*this)(std::vector<double>{value}, g)[0];
    }
    /// Numbers that belong together, such as the sums of a histogram or a gradient.
    template <RandomBits G>
    [[nodiscard]] std::vector<double> operator()(std::vector<double> values, G& g) const {
        const double grid = sigma(std::max<std::size_t>(values.size(), 1)) / static_cast<double>(detail::noise_steps);
        for (double& value : values)
            value = detail::noisy_on_grid(value, grid, "gaussian_mechanism", [&] { return detail::discrete_gaussian(detail::noise_steps, g); });
        return values;
    }
};

/// Each customer answers for themselves (Warner 1965; k-ary: Kairouz, Bonawitz & Ramage 2016): the true one of `n_values` with probability
/// e^epsilon / (e^epsilon + n_values - 1), else one of the others. epsilon-differentially private before it leaves the customer.
struct randomised_response {
    double epsilon = 1;          ///< positive, at most 40
    std::uint64_t n_values = 2;  ///< 2 to 2^31

    /// Throws `error` (`bad_parameter`).
    template <class = void>
    [[nodiscard]] double truth_probability() const {
        require(epsilon > 0 && epsilon <= 40, errc::bad_parameter, "randomised_response: epsilon = ", epsilon, ", must be positive and at most 40");
        require(n_values >= 2 && n_values <= std::uint64_t{1} << 31, errc::bad_parameter, "randomised_response: n_values = ", n_values,
                ", must be 2 to 2147483648");
        return 1 / (1 + static_cast<double>(n_values - 1) * std::exp(-epsilon));
    }
    /// Throws `error`: `bad_parameter` (also a value that is none of the `n_values`).
    template <RandomBits G>
    [[nodiscard]] std::uint64_t operator()(std::uint64_t value, G& g) const {
        const double p = truth_probability();
        require(value < n_values, errc::bad_parameter, "randomised_response: the value is none of the ", n_values);
        // 53 random bits against the probability, lowered by more than what rounding may have raised it.
        const double lowered = p - 0x1p-50;
        if (static_cast<double>(g() >> 11) * 0x1p-53 < lowered) return value;
        const std::uint64_t other = detail::random_below(n_values - 1, g);
        return other < value ? other : other + 1;
    }
    /// How many of each value there were before, without bias, from how often each was answered: may be negative.
    /// Throws `error`: `bad_parameter`; `shape_mismatch` unless there is one count a value.
    template <class = void>
    [[nodiscard]] std::vector<double> estimate(const std::vector<std::uint64_t>& answered) const {
        const double p = truth_probability(), q = (1 - p) / static_cast<double>(n_values - 1);
        require(answered.size() == n_values, errc::shape_mismatch, "randomised_response: ", answered.size(), " counts of ", n_values, " values");
        double n = 0;
        for (const std::uint64_t count : answered) n += static_cast<double>(count);
        std::vector<double> out;
        out.reserve(answered.size());
        for (const std::uint64_t count : answered) out.push_back((static_cast<double>(count) - n * q) / (p - q));
        return out;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
