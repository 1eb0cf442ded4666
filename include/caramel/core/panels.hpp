#ifndef CARAMEL_CORE_PANELS_HPP
#define CARAMEL_CORE_PANELS_HPP

// Matrices whose columns lie in panels of a few vector registers each, and the products that read them from the first
// byte to the last: what trains and serves a multilayer perceptron. Every element is summed over the inner dimension
// from first to last, as in core/products.hpp, so the bits are the same as there.

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <caramel/core/matrix.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/products.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// Of 16 bytes, for products with very few columns.
#if defined(__GNUC__)
template <class T>
struct few_lanes {
    static constexpr std::size_t count = 16 / sizeof(T);
    typedef T type __attribute__((vector_size(16)));
};
#else
template <class T>
struct few_lanes : lanes<T> {};
#endif

struct unwritten {};

// (rows, columns) as panels of `width` columns; within a panel one row follows another. What lies beyond the last column
// stays 0, and so do rows until they are written.
template <class T>
class panels {
   public:
    static constexpr std::size_t width = 2 * lanes<T>::count;
    static constexpr std::size_t tile = CARAMEL_ALIGN_BYTES >= 64 ? 8 : 4;  // rows of sums in registers: 16 of 32 registers, or 8 of 16

    panels() = default;
    panels(std::size_t rows, std::size_t columns)
        : rows_(rows), columns_(columns), numbers_(vec<T>::Zero(static_cast<row_index>(rows * ((columns + width - 1) / width) * width))) {}
    panels(std::size_t rows, std::size_t columns, unwritten)  // rows are written, whole panels at a time, before they are read
        : rows_(rows), columns_(columns), numbers_(static_cast<row_index>(rows * ((columns + width - 1) / width) * width)) {}
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
    [[nodiscard]] std::size_t stride() const noexcept { return rows_ * width; }  // from a panel to the next
    [[nodiscard]] T* at(std::size_t row, std::size_t column) noexcept { return numbers_.data() + place(row, column); }
    [[nodiscard]] const T* at(std::size_t row, std::size_t column) const noexcept { return numbers_.data() + place(row, column); }
    void set_row(std::size_t row, const T* values) noexcept {
        T* to = at(row, 0);
        std::size_t j = 0;
        for (; j + width <= columns_; j += width, to += stride()) std::memcpy(to, values + j, width * sizeof(T));
        if (j < columns_) std::memcpy(to, values + j, (columns_ - j) * sizeof(T));
    }
    void clear_row(std::size_t row) noexcept {
        for (std::size_t j = 0; j < columns_; j += width) std::fill_n(at(row, j), width, T(0));
    }
    void get_row(std::size_t row, T* values) const noexcept {
        const T* from = at(row, 0);
        std::size_t j = 0;
        for (; j + width <= columns_; j += width, from += stride()) std::memcpy(values + j, from, width * sizeof(T));
        if (j < columns_) std::memcpy(values + j, from, (columns_ - j) * sizeof(T));
    }

   private:
    [[nodiscard]] std::size_t place(std::size_t row, std::size_t column) const noexcept { return column / width * stride() + row * width + column % width; }

    std::size_t rows_ = 0, columns_ = 0;
    vec<T> numbers_;  // aligned as vector registers like it
};

// to(c, r) = from(r, c) for as many rows and columns as `few_lanes` has.
template <class T>
CARAMEL_ALWAYS_INLINE void turn_block(const T* from, std::size_t from_row, T* to, std::size_t to_row) {
    constexpr std::size_t n = few_lanes<T>::count;
#if defined(__GNUC__)
    using lane = typename few_lanes<T>::type;
    lane x[n];
    for (std::size_t r = 0; r < n; ++r) std::memcpy(&x[r], from + r * from_row, sizeof(lane));
    if constexpr (n == 4) {
        const lane a = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), b = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5);
        const lane c = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7), d = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
        x[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
        x[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
        x[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
        x[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
    } else {
        const lane a = __builtin_shufflevector(x[0], x[1], 0, 2);
        x[1] = __builtin_shufflevector(x[0], x[1], 1, 3);
        x[0] = a;
    }
    for (std::size_t c = 0; c < n; ++c) std::memcpy(to + c * to_row, &x[c], sizeof(lane));
#else
    for (std::size_t r = 0; r < n; ++r)
        for (std::size_t c = 0; c < n; ++c) to[c * to_row + r] = from[r * from_row + c];
#endif
}

// The left side of a product: element (i, k) lies at i * row + k within a run of k, and the next run `skip` further.
template <class T>
struct left_rows {
    const T* numbers;
    std::size_t row, run, skip;
};
template <class T>
left_rows<T> left_of(const panels<T>& x, std::size_t first_row) {
    return {x.at(first_row, 0), panels<T>::width, panels<T>::width, x.stride()};
}

// sum += a * b, for Rows rows of V vectors that stay in registers.
template <class T, class Lane, std::size_t Rows, std::size_t V>
CARAMEL_ALWAYS_INLINE void add_products(Lane (&sum)[Rows][V], const T* a, std::size_t a_row, std::size_t a_step, const T* b, std::size_t depth) {
    constexpr std::size_t count = sizeof(Lane) / sizeof(T);
    for (std::size_t k = 0; k < depth; ++k) {
        Lane row[V];
        for (std::size_t v = 0; v < V; ++v) std::memcpy(&row[v], b + (k * V + v) * count, sizeof(Lane));
        for (std::size_t i = 0; i < Rows; ++i) {
            const T x = a[i * a_row + k * a_step];
            for (std::size_t v = 0; v < V; ++v) sum[i][v] = multiply_add(x, row[v], sum[i][v]);
        }
    }
}
template <class T, class Lane, std::size_t Rows, std::size_t V>
CARAMEL_ALWAYS_INLINE void add_left_rows(Lane (&sum)[Rows][V], left_rows<T> a, const T* b, std::size_t depth) {
    constexpr std::size_t width = V * sizeof(Lane) / sizeof(T);
    for (; depth > a.run; depth -= a.run, b += a.run * width, a.numbers += a.skip) add_products<T>(sum, a.numbers, a.row, 1, b, a.run);
    add_products<T>(sum, a.numbers, a.row, 1, b, depth);
}

// What happens to the sums before they are stored.
enum class finish { plain, bias, bias_relu, slope };

// One tile of out = finish(a * b); `extra` are the biases of the panel, or for `slope` the activations at the tile's
// place: where one is not above 0 the result is 0, elsewhere the sum times `factor`.
template <finish How, class T, class Lane, std::size_t Rows, std::size_t V>
CARAMEL_ALWAYS_INLINE void store_tile(const Lane (&sum)[Rows][V], const T* extra, T factor, T* out, std::size_t out_row) {
    constexpr std::size_t count = sizeof(Lane) / sizeof(T);
    const Lane none{};
    for (std::size_t i = 0; i < Rows; ++i)
        for (std::size_t v = 0; v < V; ++v) {
            Lane y = sum[i][v];
            if constexpr (How == finish::bias || How == finish::bias_relu) {
                Lane b;
                std::memcpy(&b, extra + v * count, sizeof(Lane));
                y = y + b;
            }
            if constexpr (How == finish::bias_relu) y = y < none ? none : y;
            if constexpr (How == finish::slope) {
                Lane h;
                std::memcpy(&h, extra + i * out_row + v * count, sizeof(Lane));
                y = h > none ? y * factor : none;
            }
            std::memcpy(out + i * out_row + v * count, &y, sizeof(Lane));
        }
}

// Rows [begin, end) of out = finish(a * b), panel by panel; `begin` is a multiple of the tile, and so are out's rows.
// `extra`: biases padded to whole panels, or the activations (`slope`).
template <finish How, class T>
void multiply_panels(const left_rows<T>& a, const panels<T>& b, const T* bias, const panels<T>* active, T factor, std::size_t begin, std::size_t end,
                     panels<T>& out) {
    using lane = typename lanes<T>::type;
    constexpr std::size_t width = panels<T>::width, tile = panels<T>::tile;
    for (std::size_t j = 0; j < b.columns(); j += width)
        for (std::size_t i = begin; i < end; i += tile) {
            lane sum[tile][2] = {};
            add_left_rows<T>(sum, {a.numbers + i * a.row, a.row, a.run, a.skip}, b.at(0, j), b.rows());
            store_tile<How>(sum, How == finish::slope ? active->at(i, j) : bias + j, factor, out.at(i, j), width);
        }
}

// One row times panels: as many of them at once as hides the latency of a sum.
template <finish How, std::size_t Panels, class T>
CARAMEL_ALWAYS_INLINE void multiply_row_tile(const T* a, const T* b, std::size_t stride, std::size_t depth, const T* bias, T* out) {
    using lane = typename lanes<T>::type;
    constexpr std::size_t count = lanes<T>::count, width = panels<T>::width;
    lane sum[Panels][2] = {};
    for (std::size_t k = 0; k < depth; ++k)
        for (std::size_t p = 0; p < Panels; ++p)
            for (std::size_t v = 0; v < 2; ++v) {
                lane row;
                std::memcpy(&row, b + p * stride + k * width + v * count, sizeof(lane));
                sum[p][v] = multiply_add(a[k], row, sum[p][v]);
            }
    for (std::size_t p = 0; p < Panels; ++p) {
        lane one[1][2] = {{sum[p][0], sum[p][1]}};
        store_tile<How, T>(one, bias + p * width, T(1), out + p * width, width);
    }
}
template <finish How, class T>
void multiply_row_panels(const T* a, const T* b, std::size_t depth, std::size_t columns, const T* bias, T* out) {
    constexpr std::size_t width = panels<T>::width;
    const std::size_t stride = depth * width;
    std::size_t j = 0;
    for (; j + 3 * width < columns; j += 4 * width, b += 4 * stride) multiply_row_tile<How, 4>(a, b, stride, depth, bias + j, out + j);
    for (; j < columns; j += width, b += stride) multiply_row_tile<How, 1>(a, b, stride, depth, bias + j, out + j);
}
// One row times a few columns, whose rows are one short vector each.
template <class T>
void multiply_few(const T* a, const T* b, std::size_t depth, const T* bias, bool relu, T* out) {
    using lane = typename few_lanes<T>::type;
    lane sum[1][1] = {};
    add_products<T>(sum, a, 0, 1, b, depth);
    if (relu) store_tile<finish::bias_relu, T>(sum, bias, T(1), out, 0);
    else store_tile<finish::bias, T>(sum, bias, T(1), out, 0);
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
