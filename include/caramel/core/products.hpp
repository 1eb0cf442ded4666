#ifndef CARAMEL_CORE_PRODUCTS_HPP
#define CARAMEL_CORE_PRODUCTS_HPP

// The three matrix products that training and serving need. Each element is summed over the inner dimension from first
// to last, whatever the shapes, so a row has the same bits alone, in a batch, and for any compiler at the same
// instruction set. (Eigen's product sums a single row in another order than a batch.)

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/finite.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/platform.hpp>

#if defined(__FMA__)
#include <immintrin.h>
#endif

namespace caramel::inline CARAMEL_ABI {

namespace detail {

#if defined(__GNUC__)
template <class T>
struct lanes {
    static constexpr std::size_t count = (CARAMEL_ALIGN_BYTES > 16 ? CARAMEL_ALIGN_BYTES : 16) / sizeof(T);
    typedef T type __attribute__((vector_size(count * sizeof(T))));  // `using` loses the attribute's dependence on T
};
#else
template <class T>
struct lanes {
    static constexpr std::size_t count = 1;
    using type = T;
};
#endif

// sum + x * row, or sum - x * row, rounded once where the machine can: said outright, because compilers decide from case
// to case (g++ tuned for Zen does not fuse a lone sum), and then a row would not have the bits that it has in a batch.
template <class T, bool Subtract = false, class Lane>
CARAMEL_ALWAYS_INLINE Lane multiply_add_lanes(Lane x, Lane row, Lane sum) {
#if defined(__FMA__)
#define CARAMEL_FUSED(bytes, size, name, suffix, type)        \
    if constexpr (sizeof(Lane) == bytes && sizeof(T) == size) \
        return (Lane)(Subtract ? name##_fnmadd_##suffix((type)x, (type)row, (type)sum) : name##_fmadd_##suffix((type)x, (type)row, (type)sum));
#if defined(__AVX512F__)
    CARAMEL_FUSED(64, 4, _mm512, ps, __m512)
    CARAMEL_FUSED(64, 8, _mm512, pd, __m512d)
#endif
    CARAMEL_FUSED(32, 4, _mm256, ps, __m256)
    CARAMEL_FUSED(32, 8, _mm256, pd, __m256d)
    CARAMEL_FUSED(16, 4, _mm, ps, __m128)
    CARAMEL_FUSED(16, 8, _mm, pd, __m128d)
#undef CARAMEL_FUSED
#endif
    return Subtract ? sum - x * row : sum + x * row;
}
template <bool Subtract = false, class Lane, class T>
CARAMEL_ALWAYS_INLINE Lane multiply_add(T x, Lane row, Lane sum) {
    return multiply_add_lanes<T, Subtract>(x - Lane{}, row, sum);
}

// out(Rows x V lanes) = a(Rows x depth) * b(depth x V lanes), or += where `add`, or -= where `add` and Subtract; the tile
// in registers. a's elements lie at a[i * a_row + k * a_step]; b's rows are b_row apart.
template <class T, std::size_t Rows, std::size_t V, bool Subtract = false>
CARAMEL_ALWAYS_INLINE void multiply_tile(const T* a, std::size_t a_row, std::size_t a_step, const T* b, std::size_t b_row, std::size_t depth, T* out,
                                         std::size_t out_row, bool add) {
    using lane = typename lanes<T>::type;
    constexpr std::size_t width = lanes<T>::count;
    lane sum[Rows][V];
    for (std::size_t i = 0; i < Rows; ++i)
        for (std::size_t v = 0; v < V; ++v) {
            if (add) std::memcpy(&sum[i][v], out + i * out_row + v * width, sizeof(lane));
            else sum[i][v] = lane{};
        }
    for (std::size_t k = 0; k < depth; ++k) {
        lane row[V];
        for (std::size_t v = 0; v < V; ++v) std::memcpy(&row[v], b + k * b_row + v * width, sizeof(lane));
        for (std::size_t i = 0; i < Rows; ++i) {
            const T x = a[i * a_row + k * a_step];
            for (std::size_t v = 0; v < V; ++v) sum[i][v] = multiply_add<Subtract>(x, row[v], sum[i][v]);
        }
    }
    for (std::size_t i = 0; i < Rows; ++i)
        for (std::size_t v = 0; v < V; ++v) std::memcpy(out + i * out_row + v * width, &sum[i][v], sizeof(lane));
}

// All rows of one strip of V * lanes columns.
template <class T, std::size_t V>
void multiply_strip(const T* a, std::size_t a_row, std::size_t a_step, const T* b, std::size_t b_row, std::size_t rows, std::size_t depth, T* out,
                    std::size_t out_row, bool add) {
    std::size_t i = 0;
    for (; i + 4 <= rows; i += 4) multiply_tile<T, 4, V>(a + i * a_row, a_row, a_step, b, b_row, depth, out + i * out_row, out_row, add);
    for (; i < rows; ++i) multiply_tile<T, 1, V>(a + i * a_row, a_row, a_step, b, b_row, depth, out + i * out_row, out_row, add);
}

// out (rows x columns, contiguous) = a * b, or += where `add`.
template <class T>
void multiply_strided(const T* a, std::size_t a_row, std::size_t a_step, const T* b, std::size_t rows, std::size_t depth, std::size_t columns, T* out, bool add) {
    constexpr std::size_t width = lanes<T>::count;
    if (depth == 0 || rows == 0) {  // nothing to add up: a and b may be null
        if (!add) std::fill_n(out, rows * columns, T(0));
        return;
    }
    std::size_t j = 0;
    if (rows == 1)  // more columns at once, to hide the latency of a sum
        for (; j + 8 * width <= columns; j += 8 * width) multiply_tile<T, 1, 8>(a, a_row, a_step, b + j, columns, depth, out + j, columns, add);
    for (; j + 2 * width <= columns; j += 2 * width) multiply_strip<T, 2>(a, a_row, a_step, b + j, columns, rows, depth, out + j, columns, add);
    if (j == columns) return;
    // The rest, padded with zeros, by the same arithmetic.
    const std::size_t rest = columns - j;
    constexpr std::size_t chunk = 64;
    T panel[chunk * 2 * width];
    T tile[std::size_t{8} * width];
    for (std::size_t i = 0; i < rows; i += 4) {
        const std::size_t n = std::min<std::size_t>(4, rows - i);
        std::fill_n(tile, std::size_t{8} * width, T(0));
        if (add)
            for (std::size_t r = 0; r < n; ++r) std::copy_n(out + (i + r) * columns + j, rest, tile + r * 2 * width);
        for (std::size_t k = 0; k < depth; k += chunk) {
            const std::size_t deep = std::min(chunk, depth - k);
            std::fill_n(panel, deep * 2 * width, T(0));
            for (std::size_t p = 0; p < deep; ++p) std::copy_n(b + (k + p) * columns + j, rest, panel + p * 2 * width);
            multiply_strip<T, 2>(a + i * a_row + k * a_step, a_row, a_step, panel, 2 * width, n, deep, tile, 2 * width, true);
        }
        for (std::size_t r = 0; r < n; ++r) std::copy_n(tile + r * 2 * width, rest, out + (i + r) * columns + j);
    }
}

// out = a * one panel of packed columns, eight lanes wide.
template <class T>
void multiply_panel(const T* a, const T* panel, std::size_t depth, T* out) {
    multiply_tile<T, 1, 8>(a, 0, 1, panel, 8 * lanes<T>::count, depth, out, 0, false);
}
#if CARAMEL_RUNTIME_AVX2
// The same sums, and the same bits, in registers twice as wide: products and sums stay apart, as there is no fused
// multiply-add without its flag.
template <class T>
__attribute__((target("avx2"))) void multiply_panel_avx2(const T* a, const T* panel, std::size_t depth, T* out) {
    static_assert(lanes<T>::count * sizeof(T) == 16);
    constexpr std::size_t width = 32 / sizeof(T);
    typedef T lane __attribute__((vector_size(32)));
    lane sum[4] = {};
    for (std::size_t k = 0; k < depth; ++k)
        for (std::size_t v = 0; v < 4; ++v) {
            lane row;
            std::memcpy(&row, panel + (4 * k + v) * width, sizeof row);
            sum[v] = sum[v] + a[k] * row;
        }
    std::memcpy(out, sum, sizeof sum);
}
#endif
template <class T>
auto* fastest_multiply_panel() noexcept {
#if CARAMEL_RUNTIME_AVX2
    if (__builtin_cpu_supports("avx2")) return &multiply_panel_avx2<T>;
#endif
    return &multiply_panel<T>;
}

// The same for many rows: each strip of b is copied once to where its rows lie side by side, padded with zeros.
template <class T>
void multiply_many(const T* a, std::size_t a_row, std::size_t a_step, const T* b, std::size_t rows, std::size_t depth, std::size_t columns, T* out, bool add) {
    constexpr std::size_t wide = 2 * lanes<T>::count, tall = CARAMEL_ALIGN_BYTES >= 64 ? 8 : 4;
    if (rows < 32 || depth == 0) return multiply_strided(a, a_row, a_step, b, rows, depth, columns, out, add);
    vec<T> strip = vec<T>::Zero(static_cast<row_index>(depth * wide));
    T tile[tall * wide];
    for (std::size_t j = 0; j < columns; j += wide) {
        const std::size_t some = std::min(wide, columns - j);
        for (std::size_t k = 0; k < depth; ++k) {
            if (some == wide) std::memcpy(strip.data() + k * wide, b + k * columns + j, wide * sizeof(T));
            else std::memcpy(strip.data() + k * wide, b + k * columns + j, some * sizeof(T));
        }
        if (some < wide)  // what the strip before left there
            for (std::size_t k = 0; k < depth; ++k) std::fill(strip.data() + k * wide + some, strip.data() + (k + 1) * wide, T(0));
        std::size_t i = 0;
        if (some == wide)
            for (; i + tall <= rows; i += tall)
                multiply_tile<T, tall, 2>(a + i * a_row, a_row, a_step, strip.data(), wide, depth, out + i * columns + j, columns, add);
        for (std::size_t n; i < rows; i += n) {
            n = std::min(tall, rows - i);
            std::fill(tile, tile + tall * wide, T(0));
            if (add)
                for (std::size_t r = 0; r < n; ++r) std::memcpy(tile + r * wide, out + (i + r) * columns + j, some * sizeof(T));
            if (n == tall) multiply_tile<T, tall, 2>(a + i * a_row, a_row, a_step, strip.data(), wide, depth, tile, wide, true);
            else multiply_strip<T, 2>(a + i * a_row, a_row, a_step, strip.data(), wide, n, depth, tile, wide, true);
            for (std::size_t r = 0; r < n; ++r) std::memcpy(out + (i + r) * columns + j, tile + r * wide, some * sizeof(T));
        }
    }
}

}  // namespace detail

/// (n, k) * (k, m) -> (n, m).
template <class T>
[[nodiscard]] matrix<T> multiply(const matrix_in<T>& a, const matrix<T>& b) {
    require(a.cols() == b.rows(), errc::shape_mismatch, "multiply: ", a.cols(), " columns times ", b.rows(), " rows");
    matrix<T> out(a.rows(), b.cols());
    detail::multiply_many(a.data(), static_cast<std::size_t>(a.outerStride()), 1, b.data(), static_cast<std::size_t>(a.rows()),
                          static_cast<std::size_t>(a.cols()), static_cast<std::size_t>(b.cols()), out.data(), false);
    return out;
}
/// One row: (k) * (k, m) -> (m), written to `out`; the same bits as in a batch.
template <class T>
void multiply_row(std::span<const T> a, const matrix<T>& b, std::span<T> out) {
    require(a.size() == static_cast<std::size_t>(b.rows()) && out.size() == static_cast<std::size_t>(b.cols()), errc::shape_mismatch, "multiply_row: ",
            a.size(), " numbers times ", b.rows(), " rows into ", out.size());
    detail::multiply_strided(a.data(), a.size(), 1, b.data(), 1, a.size(), out.size(), out.data(), false);
}
/// A matrix (k, m) laid out for `multiply_row`: panels of columns that lie one after another in memory, so that a product
/// reads it from the first byte to the last.
template <class T>
class packed_columns {
   public:
    packed_columns() = default;
    explicit packed_columns(const matrix<T>& b)
        : rows_(static_cast<std::size_t>(b.rows())), columns_(static_cast<std::size_t>(b.cols())), numbers_((columns_ + width - 1) / width * width * rows_) {
        for (std::size_t j = 0; j < columns_; ++j)
            for (std::size_t k = 0; k < rows_; ++k) numbers_[j / width * width * rows_ + k * width + j % width] = b.data()[k * columns_ + j];
    }
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t columns() const noexcept { return columns_; }

   private:
    template <class U>
    friend void multiply_row(std::span<const U> a, const packed_columns<U>& b, std::span<U> out);
    static constexpr std::size_t width = 8 * detail::lanes<T>::count;
    std::size_t rows_ = 0, columns_ = 0;
    std::vector<T> numbers_;
};
/// The same product and the same bits as with the matrix itself.
template <class T>
void multiply_row(std::span<const T> a, const packed_columns<T>& b, std::span<T> out) {
    require(a.size() == b.rows_ && out.size() == b.columns_, errc::shape_mismatch, "multiply_row: ", a.size(), " numbers times ", b.rows_, " rows into ",
            out.size());
    constexpr std::size_t width = packed_columns<T>::width;
    auto* const multiply_panel = detail::fastest_multiply_panel<T>();
    const T* panel = b.numbers_.data();
    std::size_t j = 0;
    for (; j + width <= out.size(); j += width, panel += width * a.size()) multiply_panel(a.data(), panel, a.size(), out.data() + j);
    if (j == out.size()) return;
    T rest[width];
    multiply_panel(a.data(), panel, a.size(), rest);
    std::copy_n(rest, out.size() - j, out.data() + j);
}
/// out += a' * b: (n, k)' * (n, m) -> (k, m), such as the gradient of a dense layer's weights.
template <class T>
void add_transposed_product(const matrix_in<T>& a, const matrix<T>& b, matrix<T>& out) {
    require(a.rows() == b.rows() && out.rows() == a.cols() && out.cols() == b.cols(), errc::shape_mismatch, "add_transposed_product: (", a.rows(), ", ",
            a.cols(), ")' times (", b.rows(), ", ", b.cols(), ")");
    detail::multiply_many(a.data(), 1, static_cast<std::size_t>(a.outerStride()), b.data(), static_cast<std::size_t>(a.cols()),
                          static_cast<std::size_t>(a.rows()), static_cast<std::size_t>(b.cols()), out.data(), true);
}
/// a * b': (n, k) * (m, k)' -> (n, m).
template <class T>
[[nodiscard]] matrix<T> multiply_by_transposed(const matrix_in<T>& a, const matrix<T>& b) {
    return multiply<T>(a, matrix<T>(b.transpose()));
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
