#ifndef CARAMEL_PRIVACY_HMAC_SHA256_HPP
#define CARAMEL_PRIVACY_HMAC_SHA256_HPP

// SHA-256 (FIPS 180-4) and HMAC (RFC 2104, FIPS 198-1) for `pseudonyms.hpp`. Our own, because Debian 12 and most package managers have
// hash functions only in libraries to be linked (OpenSSL, libsodium, Botan, Crypto++, libtomcrypt, libb2; Boost's headers end at SHA-1),
// and Caramel has no link step. It is tested against the published vectors and against another implementation; it takes no branches and
// no addresses from what it hashes.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <caramel/core/platform.hpp>
#include <caramel/privacy/wipe.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

using sha256_digest = std::array<unsigned char, 32>;

class sha256_hash {
   public:
    template <class = void>
    void add(std::string_view bytes) noexcept {
        for (const char byte : bytes) {
            block_[size_++ % 64] = static_cast<unsigned char>(byte);
            if (size_ % 64 == 0) mix();
        }
    }
    // The hash of what was added; what is added later has no meaning.
    template <class = void>
    [[nodiscard]] sha256_digest digest() noexcept {
        const std::uint64_t bits = size_ * 8;
        add(std::string_view("\x80", 1));
        while (size_ % 64 != 56) add(std::string_view("\0", 1));
        for (int shift = 56; shift >= 0; shift -= 8) {
            const char byte = static_cast<char>(bits >> shift);
            add({&byte, 1});
        }
        sha256_digest out;
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<unsigned char>(state_[i / 4] >> (24 - 8 * (i % 4)));
        return out;
    }
    void forget() noexcept { wipe(this, sizeof *this); }

   private:
    template <class = void>
    void mix() noexcept {
        static constexpr std::uint32_t constants[64] = {
            0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
            0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
            0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
            0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
            0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
            0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
        std::uint32_t w[64];
        for (std::size_t i = 0; i < 16; ++i)
            w[i] = std::uint32_t{block_[4 * i]} << 24 | std::uint32_t{block_[4 * i + 1]} << 16 | std::uint32_t{block_[4 * i + 2]} << 8 | block_[4 * i + 3];
        for (std::size_t i = 16; i < 64; ++i) {
            const std::uint32_t near = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
            const std::uint32_t far = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
            w[i] = near + w[i - 7] + far + w[i - 16];
        }
        auto [a, b, c, d, e, f, g, h] = state_;
        for (std::size_t i = 0; i < 64; ++i) {
            const std::uint32_t chosen = (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) + h + constants[i] + w[i];
            const std::uint32_t majority = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            h = g;
            g = f;
            f = e;
            e = d + chosen;
            d = c;
            c = b;
            b = a;
            a = chosen + majority;
        }
        const std::uint32_t more[8] = {a, b, c, d, e, f, g, h};
        for (std::size_t i = 0; i < 8; ++i) state_[i] += more[i];
        wipe(w, sizeof w);  // the first block is made of the key
    }

    std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<unsigned char, 64> block_{};
    std::uint64_t size_ = 0;
};

// HMAC-SHA-256 under one key, which it keeps as the two states behind the key's blocks: as secret as the key. Every copy wipes itself.
class hmac_sha256 {
   public:
    template <class = void>
    explicit hmac_sha256(std::string_view key) noexcept {
        unsigned char block[64] = {};
        if (key.size() > sizeof block) {
            sha256_hash hash;
            hash.add(key);
            sha256_digest shorter = hash.digest();
            std::memcpy(block, shorter.data(), shorter.size());
            hash.forget();
            wipe(shorter.data(), shorter.size());
        } else if (!key.empty()) {
            std::memcpy(block, key.data(), key.size());
        }
        start(inner_, block, 0x36);
        start(outer_, block, 0x5c);
        wipe(block, sizeof block);
    }
    hmac_sha256(const hmac_sha256&) = default;
    hmac_sha256& operator=(const hmac_sha256&) = default;
    ~hmac_sha256() {
        inner_.forget();
        outer_.forget();
    }

    // Of the parts, one behind the other.
    template <class... Parts>
    [[nodiscard]] sha256_digest operator()(const Parts&... parts) const noexcept {
        sha256_hash inner = inner_, outer = outer_;
        (inner.add(std::string_view(parts)), ...);
        const sha256_digest first = inner.digest();
        outer.add({reinterpret_cast<const char*>(first.data()), first.size()});
        const sha256_digest out = outer.digest();
        inner.forget();
        outer.forget();
        return out;
    }

   private:
    template <class = void>
    static void start(sha256_hash& hash, const unsigned char* block, unsigned pad) noexcept {
        for (std::size_t i = 0; i < 64; ++i) {
            const char byte = static_cast<char>(block[i] ^ pad);
            hash.add({&byte, 1});
        }
    }
    sha256_hash inner_, outer_;
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
