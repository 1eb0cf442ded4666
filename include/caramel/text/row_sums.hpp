#ifndef CARAMEL_TEXT_ROW_SUMS_HPP
#define CARAMEL_TEXT_ROW_SUMS_HPP

// Sums of rows of a large table, which come from memory and not from a cache.

#include <algorithm>
#include <cstddef>
#include <span>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/ragged.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// The rows of some tokens. Those of the tokens after them, up to `end`, are asked for ahead of their turn.
template <class T>
class gathered_rows {
   public:
    gathered_rows(const embedding_table<T>& table, const token_id* tokens, const token_id* end) noexcept
        : table_(table), tokens_(tokens), end_(end), ahead_(rows_ahead(table.dim())) {}

    const T* operator()(std::size_t t) const noexcept { return table_[static_cast<std::size_t>(tokens_[t])].data(); }
    /// The row whose turn comes so many rows after the t-th; after the last one, that one again.
    const T* coming(std::size_t t) const noexcept {
        const auto left = static_cast<std::size_t>(end_ - tokens_);
        return (*this)(std::min(t + ahead_, left - 1));
    }
    /// Asks for the rows that come before any that `coming` says.
    void begin() const noexcept {
        const std::size_t n = std::min(ahead_, static_cast<std::size_t>(end_ - tokens_));
        for (std::size_t t = 0; t < n; ++t) {
            const auto* const row = reinterpret_cast<const char*>((*this)(t));
            for (std::size_t at = 0; at < table_.dim() * sizeof(T); at += 64) CARAMEL_PREFETCH_FAR(row + at);
        }
    }

   private:
    // What the second cache holds beside everything else.
    static std::size_t rows_ahead(std::size_t dim) noexcept { return std::clamp<std::size_t>((std::size_t{128} << 10) / std::max<std::size_t>(1, dim * sizeof(T)), 4, 64); }

    const embedding_table<T>& table_;
    const token_id *tokens_, *end_;
    std::size_t ahead_;
};

// Some dimensions of all rows at a time: their sums stay in registers, and the lines asked for are spread over the work, as
// only so many can be under way. Each sum adds the rows in their order, in double.
template <class Rows, class Weight>
CARAMEL_ALWAYS_INLINE void sum_rows_in(std::size_t length, const Rows& rows, const Weight& weight, std::span<double> sums) noexcept {
    constexpr std::size_t wide = 32;
    std::size_t j = 0;
    const auto ask = [&](std::size_t t, std::size_t values) {
        if constexpr (requires { rows.coming(t); }) {
            const auto* const row = rows.coming(t) + j;
            for (std::size_t k = 0; k < values; k += 64 / sizeof(*row)) CARAMEL_PREFETCH_FAR(row + k);
        }
    };
    for (; j + wide <= sums.size(); j += wide) {
        double sum[wide] = {};
        for (std::size_t t = 0; t < length; ++t) {
            ask(t, wide);
            const auto* const x = rows(t) + j;
            const double w = weight(t);
            for (std::size_t k = 0; k < wide; ++k) sum[k] += w * static_cast<double>(x[k]);
        }
        std::copy(sum, sum + wide, sums.data() + j);
    }
    const std::size_t rest = sums.size() - j;
    if (rest == 0) return;
    double sum[wide] = {};
    for (std::size_t t = 0; t < length; ++t) {
        ask(t, rest);
        const auto* const x = rows(t) + j;
        const double w = weight(t);
        for (std::size_t k = 0; k < rest; ++k) sum[k] += w * static_cast<double>(x[k]);
    }
    std::copy(sum, sum + rest, sums.data() + j);
}
#if CARAMEL_RUNTIME_AVX2
// The same sums and the same bits in wider registers.
template <class Rows, class Weight>
__attribute__((target("avx2"))) void sum_rows_avx2(std::size_t length, const Rows& rows, const Weight& weight, std::span<double> sums) noexcept {
    sum_rows_in(length, rows, weight, sums);
}
#endif

/// `sums` = the sum over t < length of weight(t) * rows(t); rows(t) points at `sums.size()` values.
template <class Rows, class Weight>
void sum_rows(std::size_t length, const Rows& rows, const Weight& weight, std::span<double> sums) noexcept {
#if CARAMEL_RUNTIME_AVX2
    if (__builtin_cpu_supports("avx2")) return sum_rows_avx2(length, rows, weight, sums);
#endif
    sum_rows_in(length, rows, weight, sums);
}

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
