#ifndef CARAMEL_TESTS_SUPPORT_SHA256_HPP
#define CARAMEL_TESTS_SUPPORT_SHA256_HPP

// SHA-256 (FIPS 180-4), for comparing with figures of other programs.

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

class sha256 {
   public:
    sha256() {
        // The constants are the first bits of the fractions of square and cube roots of primes.
        std::size_t n = 0;
        const auto fraction = [](long double root) { return static_cast<std::uint32_t>((root - std::floor(root)) * 4294967296.0L); };
        for (unsigned p = 2; n < 64; ++p) {
            bool prime = true;
            for (unsigned d = 2; d * d <= p; ++d) prime = prime && p % d != 0;
            if (!prime) continue;
            if (n < 8) state_[n] = fraction(std::sqrt(static_cast<long double>(p)));
            k_[n++] = fraction(std::cbrt(static_cast<long double>(p)));
        }
    }
    void add(std::string_view text) {
        for (const char c : text) {
            block_[size_++ % 64] = static_cast<unsigned char>(c);
            if (size_ % 64 == 0) mix();
        }
    }
    [[nodiscard]] std::string digest() {
        const std::uint64_t bits = size_ * 8;
        add("\x80");
        while (size_ % 64 != 56) add(std::string_view("\0", 1));
        for (int i = 7; i >= 0; --i) {
            const char byte = static_cast<char>(bits >> (8 * i) & 0xFF);
            add(std::string_view(&byte, 1));
        }
        std::string out;
        for (const std::uint32_t word : state_)
            for (int i = 28; i >= 0; i -= 4) out += "0123456789abcdef"[word >> i & 15];
        return out;
    }

   private:
    void mix() {
        std::array<std::uint32_t, 64> w{};
        for (std::size_t i = 0; i < 16; ++i)
            w[i] = std::uint32_t{block_[4 * i]} << 24 | std::uint32_t{block_[4 * i + 1]} << 16 | std::uint32_t{block_[4 * i + 2]} << 8 | block_[4 * i + 3];
        for (std::size_t i = 16; i < 64; ++i) {
            const std::uint32_t a = w[i - 15], b = w[i - 2];
            w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] + (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
        }
        auto s = state_;
        for (std::size_t i = 0; i < 64; ++i) {
            const std::uint32_t t = s[7] + (std::rotr(s[4], 6) ^ std::rotr(s[4], 11) ^ std::rotr(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k_[i] + w[i];
            const std::uint32_t u = (std::rotr(s[0], 2) ^ std::rotr(s[0], 13) ^ std::rotr(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
            s = {t + u, s[0], s[1], s[2], s[3] + t, s[4], s[5], s[6]};
        }
        for (std::size_t i = 0; i < 8; ++i) state_[i] += s[i];
    }

    std::array<std::uint32_t, 64> k_{};
    std::array<std::uint32_t, 8> state_{};
    std::array<unsigned char, 64> block_{};
    std::uint64_t size_ = 0;
};

#endif
