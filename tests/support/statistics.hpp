#ifndef CARAMEL_TESTS_SUPPORT_STATISTICS_HPP
#define CARAMEL_TESTS_SUPPORT_STATISTICS_HPP

// Tests of what is drawn at random. Each bound is passed by chance once in about a million seeds; the seeds are fixed.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

constexpr double one_in_a_million = 4.75;  ///< so many deviations a normal number is above once in a million times

/// Pearson's statistic of counts whose expectations are in proportion to `shares`.
template <class Count>
double chi_square(const std::vector<Count>& counts, const std::vector<double>& shares) {
    double n = 0, all = 0, sum = 0;
    for (const auto c : counts) n += static_cast<double>(c);
    for (const double s : shares) all += s;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const double expected = n * shares[i] / all;
        sum += (static_cast<double>(counts[i]) - expected) * (static_cast<double>(counts[i]) - expected) / expected;
    }
    return sum;
}
/// What it stays below but once in a million times (Wilson & Hilferty, PNAS 17(12), 1931).
inline double chi_square_bound(double degrees_of_freedom) {
    const double spread = 2 / (9 * degrees_of_freedom), root = 1 - spread + one_in_a_million * std::sqrt(spread);
    return degrees_of_freedom * root * root * root;
}
template <class Count>
bool evenly_spread(const std::vector<Count>& counts) {
    return chi_square(counts, std::vector<double>(counts.size(), 1.0)) < chi_square_bound(static_cast<double>(counts.size()) - 1);
}

/// sqrt(n) times the largest gap between the distribution of `shares` (the value of the supposed distribution function at each
/// number drawn) and the even one; above 2.69 once in a million times (Kolmogorov: 2 exp(-2 x^2)).
inline double kolmogorov(std::vector<double> shares) {
    std::ranges::sort(shares);
    const double n = static_cast<double>(shares.size());
    double gap = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) gap = std::max({gap, shares[i] - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - shares[i]});
    return std::sqrt(n) * gap;
}
constexpr double kolmogorov_bound = 2.69;

#endif
