#ifndef CARAMEL_POLICY_BEST_OF_HPP
#define CARAMEL_POLICY_BEST_OF_HPP

// How likely each of several unknown values is to be the largest: what Thompson sampling must log. Each is known by a belief
// of its own, independent of the others; the densities are log-concave on a line.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <vector>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// A belief's density at a point, up to a factor, is e^(log_density); it is at most 1, and below e^-36 outside of [low, high].
// `width` is the standard deviation, or of that size.

// The value itself, normal.
struct normal_belief {
    struct point {
        double y;
        explicit point(double at) noexcept : y(at) {}
    };
    double mean, deviation;

    [[nodiscard]] double width() const noexcept { return deviation; }
    [[nodiscard]] double low() const noexcept { return mean - 8.5 * deviation; }
    [[nodiscard]] double high() const noexcept { return mean + 8.5 * deviation; }
    [[nodiscard]] double log_density(const point& at) const noexcept {
        const double z = (at.y - mean) / deviation;
        return -0.5 * z * z;
    }
};

// The log odds of a share with a Beta(a, b) distribution: x^a (1 - x)^b has no poles, whatever a and b are.
class beta_belief {
   public:
    struct point {
        double y, log_x, log_rest;
        explicit point(double at) noexcept : y(at) {
            const double s = std::log1p(std::exp(-std::abs(y)));
            log_x = std::min(y, 0.0) - s;
            log_rest = std::min(-y, 0.0) - s;
        }
    };

    beta_belief(double a, double b) noexcept : a_(a), b_(b), share_(a / (a + b)), mode_(std::log(a / b)), width_(std::sqrt(1 / a + 1 / b)) {
        top_ = a * std::log(share_) + b * std::log(b / (a + b));
        low_ = end(-1);
        high_ = end(1);
    }
    [[nodiscard]] double width() const noexcept { return width_; }
    [[nodiscard]] double low() const noexcept { return low_; }
    [[nodiscard]] double high() const noexcept { return high_; }
    [[nodiscard]] double log_density(const point& at) const noexcept {
        // Of large counts the difference of two large numbers would lose digits; the other form costs more.
        if (a_ + b_ > 1e5) return log_ratio(at.y - mode_);
        return a_ * at.log_x + b_ * at.log_rest - top_;
    }

   private:
    // Against the mode, at log odds that are off by `off`.
    [[nodiscard]] double log_ratio(double off) const noexcept {
        if (off > 0) return -b_ * off - (a_ + b_) * std::log1p((1 - share_) * std::expm1(-off));
        return a_ * off - (a_ + b_) * std::log1p(share_ * std::expm1(off));
    }
    [[nodiscard]] double end(double side) const noexcept {
        double off = 8.5 * side * width_;
        while (log_ratio(off) > -36) off *= 1.15;
        while (log_ratio(off * 0.85) < -36) off *= 0.85;
        return mode_ + off;
    }
    double a_, b_, share_, mode_, width_, top_ = 0, low_ = 0, high_ = 0;
};

// Gauss-Legendre's points and weights on [-1, 1], and the integrals from -1 to each point of the polynomial through values
// at the points.
template <std::floating_point T>
struct legendre_rule {
    static constexpr std::size_t n = 16;
    std::array<T, n> at{}, weight{};
    std::array<std::array<T, n>, n> below{};  // by value, and then by where the integral ends

    consteval legendre_rule() noexcept {
        constexpr std::array half{0.095012509837637440185, 0.28160355077925891323, 0.45801677765722738634, 0.61787624440264374845,
                                  0.7554044083550030339,   0.86563120238783174388, 0.94457502307323257608, 0.9894009349916499326};
        constexpr std::array half_weight{0.18945061045506849629, 0.18260341504492358887,  0.16915651939500253819,  0.14959598881657673208,
                                         0.12462897125553387205, 0.09515851168249278481, 0.062253523938647892863, 0.027152459411754094852};
        for (std::size_t i = 0; i < n / 2; ++i) {
            at[n / 2 + i] = half[i];
            at[n / 2 - 1 - i] = -half[i];
            weight[n / 2 + i] = weight[n / 2 - 1 - i] = half_weight[i];
        }
        std::array<std::array<T, n + 1>, n> p{};  // Legendre's polynomials at the points
        for (std::size_t i = 0; i < n; ++i) {
            p[i][0] = 1;
            p[i][1] = at[i];
            for (std::size_t k = 1; k < n; ++k) {
                const auto d = static_cast<T>(k);
                p[i][k + 1] = ((2 * d + 1) * at[i] * p[i][k] - d * p[i][k - 1]) / (d + 1);
            }
        }
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t i = 0; i < n; ++i) {
                T sum = 1 + at[i];
                for (std::size_t k = 1; k < n; ++k) sum += p[j][k] * (p[i][k + 1] - p[i][k - 1]);
                below[j][i] = weight[j] / 2 * sum;
            }
    }
};
template <std::floating_point T>
inline constexpr legendre_rule<T> legendre{};

// out[k] = the probability that value k is the largest: the integral of its density times the chances that each of the
// others lies below, by Gauss-Legendre's rule on panels as wide as the narrowest density there wants. Within 1e-10, mostly
// 1e-12, of the truth; they sum to 1. No randomness.
template <class Belief, std::floating_point T>
void best_of(std::span<const Belief> beliefs, std::span<T> out) {
    constexpr std::size_t n = legendre_rule<T>::n;
    constexpr double panel = 2.5;
    const std::size_t count = beliefs.size();
    const auto& rule = legendre<T>;
    std::fill(out.begin(), out.end(), T(0));
    if (count == 1) out[0] = 1;
    if (count <= 1) return;

    // Below `start` one of them is sure not to lie, so neither does the largest.
    double start = beliefs[0].low(), end = beliefs[0].high();
    for (const Belief& b : beliefs) {
        start = std::max(start, b.low());
        end = std::max(end, b.high());
    }
    std::vector<double> edges{start};
    while (edges.back() < end) {
        const double x = edges.back();
        double step = end - x;
        for (const Belief& b : beliefs)
            if (b.high() > x) step = std::min(step, panel * b.width());
        const double next = x + step;
        edges.push_back(end - next < step / 16 || !(next > x) ? end : next);
    }
    const std::size_t panels = edges.size() - 1;
    const std::size_t points = panels * n;

    // Densities at all points, and their integrals up to there: from below, so that small shares keep their digits.
    std::vector<double> memory(2 * count * points + 3 * count * n);
    const std::span<double> densities = std::span(memory).first(count * points), shares = std::span(memory).subspan(count * points, count * points);
    std::vector<double> sums(count);
    for (std::size_t k = 0; k < count; ++k) {
        const Belief& b = beliefs[k];
        const double top = std::min(start, b.high());
        const double pieces = std::max(1.0, std::ceil((top - b.low()) / (1.5 * panel * b.width())));  // wider: the whole integral alone is wanted
        const double half = (top - b.low()) / pieces / 2;
        if (!(half > 0)) continue;
        for (double piece = 0; piece < pieces; ++piece) {
            const double middle = b.low() + (2 * piece + 1) * half;
            double sum = 0;
            for (std::size_t i = 0; i < n; ++i) sum += rule.weight[i] * std::exp(b.log_density(typename Belief::point(middle + half * rule.at[i])));
            sums[k] += half * sum;
        }
    }
    for (std::size_t p = 0; p < panels; ++p) {
        const double half = (edges[p + 1] - edges[p]) / 2, middle = edges[p] + half;
        for (std::size_t i = 0; i < n; ++i) {
            const typename Belief::point at(middle + half * rule.at[i]);
            for (std::size_t k = 0; k < count; ++k)
                if (beliefs[k].high() > edges[p]) densities[k * points + p * n + i] = std::exp(beliefs[k].log_density(at));
        }
        for (std::size_t k = 0; k < count; ++k) {
            double* const share = shares.data() + k * points + p * n;
            std::fill_n(share, n, sums[k]);
            if (beliefs[k].high() <= edges[p]) continue;
            const double* const density = densities.data() + k * points + p * n;
            double whole = 0;
            for (std::size_t j = 0; j < n; ++j) {
                const double scaled = half * density[j];
                for (std::size_t i = 0; i < n; ++i) share[i] += scaled * rule.below[j][i];
                whole += rule.weight[j] * scaled;
            }
            sums[k] += whole;
        }
    }

    // For each one the product of the others' shares: of those before it and of those after it.
    double* const before = memory.data() + 2 * count * points;
    for (std::size_t p = 0; p < panels; ++p) {
        const double half = (edges[p + 1] - edges[p]) / 2;
        double after[n];
        std::fill_n(after, n, 1.0);
        std::fill_n(before, n, 1.0);
        for (std::size_t k = 1; k < count; ++k)
            for (std::size_t i = 0; i < n; ++i) before[k * n + i] = before[(k - 1) * n + i] * (shares[(k - 1) * points + p * n + i] / sums[k - 1]);
        for (std::size_t k = count; k-- > 0;) {
            double sum = 0;
            for (std::size_t i = 0; i < n; ++i) {
                sum += rule.weight[i] * densities[k * points + p * n + i] * before[k * n + i] * after[i];
                after[i] *= shares[k * points + p * n + i] / sums[k];
            }
            out[k] += half * std::max(sum, 0.0) / sums[k];
        }
    }
    double total = 0;
    for (const T x : out) total += x;
    if (!(total > 0)) {  // beliefs so narrow that numbers cannot tell their points apart
        double best = beliefs[0].low() + beliefs[0].high();
        for (const Belief& b : beliefs) best = std::max(best, b.low() + b.high());
        total = 0;
        for (std::size_t k = 0; k < count; ++k) total += out[k] = beliefs[k].low() + beliefs[k].high() == best ? 1 : 0;
    }
    for (T& x : out) x /= total;
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
