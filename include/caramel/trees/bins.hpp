#ifndef CARAMEL_TREES_BINS_HPP
#define CARAMEL_TREES_BINS_HPP

// Columns of numbers as bytes: trees are grown on the number of a value's bin, so a column costs a byte a row to read, and
// as many places to cut as it has bins.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/weights.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// Between two numbers, a < b: a <= cut < b.
template <class T>
[[nodiscard]] T cut_between(T a, T b) noexcept {
    const T middle = a / 2 + b / 2;
    return middle >= a && middle < b ? middle : a;
}

// The cuts of one column, rising: a value's bin is the number of cuts below it. Where there are at most `max_bins` distinct
// values each has a bin of its own; else the bins have about equal weight. Only the rows named count.
template <class T>
std::vector<T> cuts_of_column(const matrix_in<T>& x, row_index column, std::span<const std::uint32_t> rows, const row_weights& weights, bool weighted,
                              std::size_t max_bins) {
    std::vector<T> values;
    std::vector<double> heavy;
    if (weighted) {
        std::vector<std::pair<T, double>> pairs;
        pairs.reserve(rows.size());
        for (const std::uint32_t row : rows) pairs.emplace_back(x(static_cast<row_index>(row), column), weights[row]);
        std::sort(pairs.begin(), pairs.end());
        for (const auto& [value, weight] : pairs) {
            if (values.empty() || values.back() != value) {
                values.push_back(value);
                heavy.push_back(0);
            }
            heavy.back() += weight;
        }
    } else {
        values.reserve(rows.size());
        for (const std::uint32_t row : rows) values.push_back(x(static_cast<row_index>(row), column));
        std::sort(values.begin(), values.end());
        std::size_t distinct = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (i == 0 || values[i] != values[distinct - 1]) {
                values[distinct++] = values[i];
                heavy.push_back(0);
            }
            ++heavy.back();
        }
        values.resize(distinct);
    }
    std::vector<T> cuts;
    double left = 0, bin = 0;
    for (const double w : heavy) left += w;
    const bool each = values.size() <= max_bins;
    for (std::size_t i = 0; i + 1 < values.size() && cuts.size() + 1 < max_bins; ++i) {
        bin += heavy[i];
        if (!each && bin * static_cast<double>(max_bins - cuts.size()) < left) continue;
        cuts.push_back(cut_between(values[i], values[i + 1]));
        left -= bin;
        bin = 0;
    }
    return cuts;
}

// The number of cuts below x, without branches to guess.
template <class T>
[[nodiscard]] std::uint8_t bin_of(std::span<const T> cuts, T x) noexcept {
    const T* at = cuts.data();
    std::size_t n = cuts.size();
    while (n > 1) {
        const std::size_t half = n / 2;
        at += half * static_cast<std::size_t>(at[half - 1] < x);
        n -= half;
    }
    return static_cast<std::uint8_t>(static_cast<std::size_t>(at - cuts.data()) + static_cast<std::size_t>(n == 1 && *at < x));
}

// The bins of all rows, for the columns that have at least two. Eight columns lie side by side, so that one row's are read
// at once and their histograms fit into the innermost cache.
template <class T>
class binned_columns {
   public:
    static constexpr std::size_t lanes = 8;
    static constexpr std::size_t most_sampled = 65'536;  // rows that the cuts are learnt from

    binned_columns(const matrix_in<T>& x, std::span<const std::uint32_t> learn, const row_weights& weights, bool weighted, std::size_t max_bins, rng numbers,
                   const run_options& how)
        : rows_(static_cast<std::size_t>(x.rows())) {
        const auto sample = sample_of(learn, numbers);
        std::vector<std::vector<T>> cuts(static_cast<std::size_t>(x.cols()));
        parallel_for(cuts.size(), how, [&](std::size_t c) { cuts[c] = cuts_of_column<T>(x, static_cast<row_index>(c), sample, weights, weighted, max_bins); });
        for (std::size_t c = 0; c < cuts.size(); ++c)
            if (!cuts[c].empty()) {
                columns_.push_back(c);
                cuts_.push_back(std::move(cuts[c]));
            }
        for (std::size_t c = 0; c < groups() * lanes; ++c) {  // the last group is filled up with columns of one bin
            firsts_.push_back(bins_);
            bins_ += c < columns_.size() ? cuts_[c].size() + 1 : 1;
        }
        codes_.resize(groups() * rows_ * lanes);
        parallel_blocks(rows_, 4096, how, [&](std::size_t begin, std::size_t end, std::size_t) {
            for (std::size_t c = 0; c < columns_.size(); ++c) {
                std::uint8_t* const to = codes_.data() + (c / lanes) * rows_ * lanes + c % lanes;
                const std::span<const T> mine = cuts_[c];
                const T* const from = x.data() + columns_[c];
                const auto stride = static_cast<std::size_t>(x.outerStride());
                for (std::size_t i = begin; i < end; ++i) to[i * lanes] = bin_of<T>(mine, from[i * stride]);
            }
        });
    }

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t size() const noexcept { return columns_.size(); }
    [[nodiscard]] std::size_t groups() const noexcept { return (columns_.size() + lanes - 1) / lanes; }
    /// Of all columns together.
    [[nodiscard]] std::size_t bins() const noexcept { return bins_; }
    [[nodiscard]] std::size_t bins_of(std::size_t c) const noexcept { return cuts_[c].size() + 1; }
    /// Where column c's bins begin among all.
    [[nodiscard]] std::size_t first_bin(std::size_t c) const noexcept { return firsts_[c]; }
    [[nodiscard]] T cut(std::size_t c, std::size_t bin) const noexcept { return cuts_[c][bin]; }
    /// The column of the matrix.
    [[nodiscard]] std::size_t column(std::size_t c) const noexcept { return columns_[c]; }
    /// Row r's bins of group g are the eight at `+ r * lanes`.
    [[nodiscard]] const std::uint8_t* group(std::size_t g) const noexcept { return codes_.data() + g * rows_ * lanes; }
    [[nodiscard]] const std::uint8_t* codes_of(std::size_t c) const noexcept { return group(c / lanes) + c % lanes; }

   private:
    static std::vector<std::uint32_t> sample_of(std::span<const std::uint32_t> learn, rng& numbers) {
        std::vector<std::uint32_t> out;
        if (learn.size() <= most_sampled) {
            out.assign(learn.begin(), learn.end());
            return out;
        }
        out.reserve(most_sampled);
        for (std::size_t i = 0; i < learn.size(); ++i)  // each row with the probability that fills the sample
            if (numbers.below(learn.size() - i) < most_sampled - out.size()) out.push_back(learn[i]);
        return out;
    }

    std::size_t rows_, bins_ = 0;
    std::vector<std::size_t> columns_, firsts_;
    std::vector<std::vector<T>> cuts_;
    std::vector<std::uint8_t> codes_;
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
