#ifndef CARAMEL_CORE_RANDOM_HPP
#define CARAMEL_CORE_RANDOM_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/progress.hpp>

namespace caramel::inline CARAMEL_ABI {

/// xoshiro256++ (Blackman & Vigna, ACM TOMS 47(4), 2021), seeded through splitmix64.
///
/// Integers and `uniform()` have the same bits on every platform, which <random>'s distributions do not promise;
/// `normal()` agrees up to the platform's log and sqrt. Draw once a statement: argument order is unspecified.
class rng {
   public:
    using result_type = std::uint64_t;

    /// The same seed gives the same numbers everywhere.
    explicit constexpr rng(std::uint64_t seed) noexcept {
        for (auto& word : state_) word = splitmix(seed);
    }

    /// An independent stream for a named purpose, without advancing this one.
    [[nodiscard]] constexpr rng split(std::string_view purpose) const noexcept {
        std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
        for (const char c : purpose) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
        return split(hash);
    }
    /// The n-th independent stream, without advancing this one.
    [[nodiscard]] constexpr rng split(std::uint64_t n) const noexcept {
        std::uint64_t mix = state_[0] ^ rotate(state_[3], 29);
        mix = splitmix(mix) ^ n;
        return rng(splitmix(mix));
    }

    /// The next 64 bits.
    constexpr result_type operator()() noexcept {
        const std::uint64_t out = rotate(state_[0] + state_[3], 23) + state_[0];
        const std::uint64_t t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = rotate(state_[3], 45);
        return out;
    }
    static constexpr result_type min() noexcept { return 0; }
    static constexpr result_type max() noexcept { return ~result_type{0}; }

    /// In [0, 1), with 53 random bits.
    constexpr double uniform() noexcept { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }

    /// In [0, n), every value equally likely; n must be positive.
    constexpr std::uint64_t below(std::uint64_t n) noexcept {
        const std::uint64_t reject = (max() - n + 1) % n;  // 2^64 mod n: so many values would be one too frequent
        for (;;)
            if (const auto x = (*this)(); x >= reject) return x % n;
    }

    /// Standard normal, by Marsaglia's polar method.
    double normal() noexcept {
        for (;;) {
            const double u = 2 * uniform() - 1;
            const double v = 2 * uniform() - 1;
            const double s = u * u + v * v;
            if (s > 0 && s < 1) return u * std::sqrt(-2 * std::log(s) / s);
        }
    }

    /// Puts the values into random order (Fisher-Yates).
    template <class T>
    constexpr void shuffle(std::span<T> values) noexcept {
        for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
    }
    /// 0..n-1 in random order.
    template <class = void>
    [[nodiscard]] std::vector<std::size_t> permutation(std::size_t n) {
        std::vector<std::size_t> order(n);
        std::iota(order.begin(), order.end(), std::size_t{0});
        shuffle(std::span(order));
        return order;
    }

   private:
    static constexpr std::uint64_t rotate(std::uint64_t x, int k) noexcept { return (x << k) | (x >> (64 - k)); }
    static constexpr std::uint64_t splitmix(std::uint64_t& x) noexcept {
        std::uint64_t z = (x += 0x9e3779b97f4a7c15U);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }
    std::uint64_t state_[4]{};
};

/// The stream of a recipe in its chain: the n-th of a kind draws from `rng(seed).split(kind).split(n)`.
template <class = void>
[[nodiscard]] inline rng stage_rng(const fit_options& options, std::string_view kind) {
    const auto n = std::count(options.fitted_before.begin(), options.fitted_before.end(), kind);
    return rng(options.seed).split(kind).split(static_cast<std::uint64_t>(n));
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
