#ifndef CARAMEL_TESTS_NN_BITS_HPP
#define CARAMEL_TESTS_NN_BITS_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/nn/activation.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/embedding_bag.hpp>

/// FNV-1a of a model's parameters, bit by bit, to compare fits within and between compilers.
class bits {
   public:
    template <class T>
    void add(std::span<const T> values) {
        for (const std::byte b : std::as_bytes(values)) hash_ = (hash_ ^ static_cast<std::uint64_t>(b)) * 0x100000001b3U;
    }
    template <class T>
    void add(const caramel::dense_params<T>& p) {
        add(std::span<const T>(p.weights.data(), static_cast<std::size_t>(p.weights.size())));
        add(std::span<const T>(p.bias.data(), static_cast<std::size_t>(p.bias.size())));
    }
    template <class T>
    void add(const caramel::embedding_bag_params<T>& p) {
        add(p.table.flat());
    }
    template <class T, class L>
    void add(const caramel::detail::no_params<T, L>&) {}
    template <class T>
    void add(const std::vector<caramel::dense_params<T>>& layers) {
        for (const auto& p : layers) add(p);
    }
    [[nodiscard]] std::uint64_t value() const noexcept { return hash_; }

   private:
    std::uint64_t hash_ = 0xcbf29ce484222325U;
};

template <class... Parts>
std::uint64_t bits_of(const Parts&... parts) {
    bits all;
    (all.add(parts), ...);
    return all.value();
}

#endif
