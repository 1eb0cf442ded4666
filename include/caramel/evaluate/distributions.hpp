#ifndef CARAMEL_EVALUATE_DISTRIBUTIONS_HPP
#define CARAMEL_EVALUATE_DISTRIBUTIONS_HPP

// The few distribution functions that intervals and tests need, to ten digits or more. (Boost.Math has them all, at a second of
// compile time for the first.)

#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The share of a standard normal distribution below z.
[[nodiscard]] inline double normal_cdf(double z) noexcept { return std::erfc(-z / std::numbers::sqrt2) / 2; }

/// The value with the share p of a standard normal distribution below it: a rational function (Hastings, Approximations for
/// Digital Computers, 1955, sheet 67), made exact by Halley's method. Throws `error` (`bad_parameter`) unless 0 < p < 1.
template <class = void>
[[nodiscard]] inline double normal_quantile(double p) {
    require(p > 0 && p < 1, errc::bad_parameter, "normal_quantile: p = ", p, ", must lie between 0 and 1");
    const double tail = p < 0.5 ? p : 1 - p;  // exact for p from one half on
    const double t = std::sqrt(-2 * std::log(tail));
    double z = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
    for (int step = 0; step < 4; ++step) {
        const double off = (normal_cdf(z) - tail) * std::sqrt(2 * std::numbers::pi) * std::exp(z * z / 2);
        z -= off / (1 + z * off / 2);
    }
    return p < 0.5 ? z : -z;
}

namespace detail {

// log of the gamma function for x > 0 (Lanczos with g = 7: Numerical Recipes' form of SIAM J. Numer. Anal. 1, 1964). The
// standard library's writes to a global variable.
inline double log_gamma(double x) noexcept {
    constexpr double c[] = {676.5203681218851,  -1259.1392167224028,  771.32342877765313,    -176.61502916214059,
                            12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7};
    if (x < 0.5) return std::log(std::numbers::pi / std::sin(std::numbers::pi * x)) - log_gamma(1 - x);
    double sum = 0.99999999999980993;
    for (std::size_t i = 0; i < 8; ++i) sum += c[i] / (x + static_cast<double>(i));
    const double t = x + 6.5;
    return 0.5 * std::log(2 * std::numbers::pi) + (x - 0.5) * std::log(t) - t + std::log(sum);
}

// The regularized incomplete beta function by its continued fraction (DLMF 8.17.22), evaluated by Lentz' method.
inline double incomplete_beta(double a, double b, double x) noexcept {
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);  // where the fraction converges
    const double front = std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) + b * std::log1p(-x)) / a;
    const auto kept = [](double v) { return std::abs(v) < 1e-300 ? 1e-300 : v; };
    double c = 1, d = 1 / kept(1 - (a + b) * x / (a + 1)), value = d;
    for (int m = 1; m < 100'000; ++m) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / kept(1 + even * d);
        c = kept(1 + even / c);
        value *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / kept(1 + odd * d);
        c = kept(1 + odd / c);
        value *= d * c;
        if (std::abs(d * c - 1) < 1e-16) break;
    }
    return front * value;
}

}  // namespace detail

/// The share of Student's t distribution below t. Throws `error` (`bad_parameter`) unless the degrees of freedom are above 0.
template <class = void>
[[nodiscard]] inline double student_t_cdf(double t, double degrees_of_freedom) {
    require(degrees_of_freedom > 0, errc::bad_parameter, "student_t_cdf: ", degrees_of_freedom, " degrees of freedom, must be above 0");
    const double square = t * t;
    const double tail = detail::incomplete_beta(degrees_of_freedom / 2, 0.5, degrees_of_freedom / (degrees_of_freedom + square)) / 2;
    return t < 0 ? tail : 1 - tail;
}

/// The value with the share p of Student's t distribution below it.
/// Throws `error` (`bad_parameter`) unless 0 < p < 1 and the degrees of freedom are above 0.
template <class = void>
[[nodiscard]] inline double student_t_quantile(double p, double degrees_of_freedom) {
    require(p > 0 && p < 1, errc::bad_parameter, "student_t_quantile: p = ", p, ", must lie between 0 and 1");
    if (p > 0.5) return -student_t_quantile(1 - p, degrees_of_freedom);
    double low = -1, high = 0;
    while (student_t_cdf(low, degrees_of_freedom) > p && low > -1e300) low *= 2;
    for (int step = 0; step < 200 && low < high; ++step) {
        const double middle = (low + high) / 2;
        if (middle == low || middle == high) break;
        (student_t_cdf(middle, degrees_of_freedom) < p ? low : high) = middle;
    }
    return (low + high) / 2;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
