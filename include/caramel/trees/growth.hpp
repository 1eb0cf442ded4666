#ifndef CARAMEL_TREES_GROWTH_HPP
#define CARAMEL_TREES_GROWTH_HPP

// How one tree is grown on gradients: exact greedy splits over the bins, with histograms of gradients.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <caramel/core/parallel.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/trees/bins.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// First and second derivative of the loss by a row's score, times the row's weight; also their sums.
struct gradient_pair {
    double g = 0, h = 0;
};

struct growth_settings {
    std::size_t max_depth = 3;
    double regularization = 1, min_child_weight = 1, min_split_gain = 0;
};

// `feature` counts the binned columns; below 0 the node is a leaf. Rows with a bin of at most `bin` go to `child`, the
// others to `child` + 1.
struct grown_node {
    std::int32_t feature = -1;
    std::uint32_t child = 0;
    std::uint32_t bin = 0;
    double gain = 0;
    double value = 0;  // of a leaf
};

// Grows trees depth-first, so that only as many histograms are kept as the tree is deep: of two children the one with
// fewer rows gets a histogram of its own, the other what is left of the parent's.
template <class T>
class tree_grower {
   public:
    tree_grower(const binned_columns<T>& x, const growth_settings& how, const run_options& run) : x_(x), how_(how), run_(run) {}

    // `rows`, rising, are put into the order of the leaves. `chosen` are the columns that may be split at, rising.
    void grow(std::span<const gradient_pair> gradients, std::span<std::uint32_t> rows, std::span<const std::uint32_t> chosen) {
        gradients_ = gradients;
        rows_ = rows;
        chosen_ = chosen;
        nodes_.assign(1, {});
        leaves_.clear();
        other_.resize(rows.size());
        groups_.clear();
        for (const std::uint32_t c : chosen)
            if (groups_.empty() || groups_.back() != c / lanes) groups_.push_back(c / lanes);
        if (how_.max_depth == 0 || chosen.empty()) return make_leaf(0, 0, rows.size());
        fill_histogram(histogram(0), 0, rows.size());
        split(0, 0, rows.size(), 0, 0, 1);
    }
    [[nodiscard]] const std::vector<grown_node>& nodes() const noexcept { return nodes_; }

    // Calls f(row, value) for the rows that the tree was grown on.
    template <class F>
    void for_each_row(const F& f) const {
        for (const leaf& l : leaves_)
            for (std::size_t i = l.begin; i < l.end; ++i) f(rows_[i], nodes_[l.node].value);
    }
    // What the tree says about any row.
    [[nodiscard]] double value_of(std::size_t row) const noexcept {
        std::size_t at = 0;
        while (nodes_[at].feature >= 0) {
            const auto& node = nodes_[at];
            at = node.child + static_cast<std::size_t>(x_.codes_of(static_cast<std::size_t>(node.feature))[row * lanes] > node.bin);
        }
        return nodes_[at].value;
    }

   private:
    static constexpr std::size_t lanes = binned_columns<T>::lanes;
    static constexpr std::size_t ahead = 24;  // rows; of a small node they lie far apart
    using sums = std::vector<gradient_pair>;  // one a bin of all columns
    struct leaf {
        std::size_t node, begin, end;
    };
    struct best_split {
        double gain = 0;
        std::size_t feature = 0, bin = 0;
    };

    sums& histogram(std::size_t number) {
        while (histograms_.size() <= number) histograms_.emplace_back(x_.bins());
        return histograms_[number];
    }
    [[nodiscard]] gradient_pair sum_of(std::size_t begin, std::size_t end) const {
        gradient_pair sum;
        for (std::size_t i = begin; i < end; ++i) {
            sum.g += gradients_[rows_[i]].g;
            sum.h += gradients_[rows_[i]].h;
        }
        return sum;
    }
    void make_leaf(std::size_t node, std::size_t begin, std::size_t end) {
        const gradient_pair sum = sum_of(begin, end);
        const double below = sum.h + how_.regularization;
        nodes_[node].value = below > 0 ? -sum.g / below : 0;
        leaves_.push_back({node, begin, end});
    }

    // The histogram `mine` belongs to the node; numbers from `free` on are not in use.
    void split(std::size_t node, std::size_t begin, std::size_t end, std::size_t depth, std::size_t mine, std::size_t free) {
        const best_split best = find_split(histogram(mine));
        if (!(best.gain > how_.min_split_gain)) return make_leaf(node, begin, end);
        const std::size_t middle = partition(begin, end, best);
        if (middle == begin || middle == end) return make_leaf(node, begin, end);  // what is left of a rounding
        const std::size_t child = nodes_.size();
        nodes_[node] = {static_cast<std::int32_t>(best.feature), static_cast<std::uint32_t>(child), static_cast<std::uint32_t>(best.bin), best.gain, 0};
        nodes_.resize(child + 2);
        if (depth + 1 == how_.max_depth) {
            make_leaf(child, begin, middle);
            make_leaf(child + 1, middle, end);
            return;
        }
        const bool left_is_small = middle - begin <= end - middle;
        if (left_is_small) fill_histogram(histogram(free), begin, middle);
        else fill_histogram(histogram(free), middle, end);
        subtract(histogram(mine), histogram(free));
        split(child, begin, middle, depth + 1, left_is_small ? free : mine, free + 1);
        split(child + 1, middle, end, depth + 1, left_is_small ? mine : free, free + 1);
    }

    void fill_histogram(sums& out, std::size_t begin, std::size_t end) {
        const std::size_t n = end - begin;
        const bool all = n == x_.rows();  // then rows are 0, 1, ...
        if (!all) {
            near_.resize(std::max(near_.size(), n));
            for (std::size_t i = 0; i < n; ++i) near_[i] = gradients_[rows_[begin + i]];
        }
        const gradient_pair* const near = all ? gradients_.data() : near_.data();
        const auto fill = [&](std::size_t g) { fill_group(groups_[g], out, std::span<const std::uint32_t>(rows_).subspan(begin, n), near); };
        if (n * groups_.size() < 32'768) {  // too little to be worth a thread
            for (std::size_t g = 0; g < groups_.size(); ++g) fill(g);
        } else {
            parallel_for(groups_.size(), run_, fill);
        }
    }
    // `gradients` are those of the rows, in their order.
    void fill_group(std::size_t g, sums& out, std::span<const std::uint32_t> rows, const gradient_pair* gradients) const {
        const std::size_t first = x_.first_bin(g * lanes), last = g + 1 < x_.groups() ? x_.first_bin((g + 1) * lanes) : x_.bins();
        std::fill(out.begin() + static_cast<std::ptrdiff_t>(first), out.begin() + static_cast<std::ptrdiff_t>(last), gradient_pair{});
        std::array<gradient_pair*, lanes> to{};
        for (std::size_t k = 0; k < lanes; ++k) to[k] = out.data() + x_.first_bin(g * lanes + k);
        const std::uint8_t* const codes = x_.group(g);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            CARAMEL_PREFETCH(codes + std::size_t{rows[std::min(i + ahead, rows.size() - 1)]} * lanes);
            const gradient_pair here = gradients[i];
            const std::uint8_t* const code = codes + std::size_t{rows[i]} * lanes;
            [&]<std::size_t... K>(std::index_sequence<K...>) { (add(to[K][code[K]], here), ...); }(std::make_index_sequence<lanes>{});
        }
    }
    CARAMEL_ALWAYS_INLINE static void add(gradient_pair& bin, const gradient_pair& here) noexcept {
        bin.g += here.g;
        bin.h += here.h;
    }
    void subtract(sums& from, const sums& part) const {
        for (const std::size_t g : groups_) {
            const std::size_t last = g + 1 < x_.groups() ? x_.first_bin((g + 1) * lanes) : x_.bins();
            for (std::size_t b = x_.first_bin(g * lanes); b < last; ++b) {
                from[b].g -= part[b].g;
                from[b].h -= part[b].h;
            }
        }
    }

    // The largest gain, 1/2 (GL^2 / (HL + r) + GR^2 / (HR + r) - G^2 / (H + r)); of equal ones the first.
    [[nodiscard]] best_split find_split(const sums& histogram) const {
        const double r = how_.regularization;
        best_split best;
        for (const std::uint32_t c : chosen_) {
            const gradient_pair* const bins = histogram.data() + x_.first_bin(c);
            const std::size_t n = x_.bins_of(c);
            gradient_pair all, left;
            for (std::size_t b = 0; b < n; ++b) {
                all.g += bins[b].g;
                all.h += bins[b].h;
            }
            if (!(all.h + r > 0)) continue;
            const double whole = all.g * all.g / (all.h + r);
            for (std::size_t b = 0; b + 1 < n; ++b) {
                left.g += bins[b].g;
                left.h += bins[b].h;
                const gradient_pair right{all.g - left.g, all.h - left.h};
                if (left.h < how_.min_child_weight || right.h < how_.min_child_weight || !(left.h + r > 0) || !(right.h + r > 0)) continue;
                const double parts = left.g * left.g / (left.h + r) + right.g * right.g / (right.h + r);
                const double gain = (parts - whole) / 2;
                if (gain > best.gain && gain > 1e-10 * parts) best = {gain, c, b};  // less is a rounding
            }
        }
        return best;
    }
    // Rows with a low bin to the front, each side in the order it had.
    std::size_t partition(std::size_t begin, std::size_t end, const best_split& at) {
        const std::uint8_t* const codes = x_.codes_of(at.feature);
        std::uint32_t* const rows = rows_.data();
        std::uint32_t* const other = other_.data();
        std::size_t low = begin, high = 0;
        for (std::size_t i = begin; i < end; ++i) {
            const std::uint32_t row = rows[i];
            const bool is_high = codes[std::size_t{row} * lanes] > at.bin;
            rows[low] = row;
            other[high] = row;
            low += static_cast<std::size_t>(!is_high);
            high += static_cast<std::size_t>(is_high);
        }
        std::copy_n(other, high, rows + low);
        return low;
    }

    const binned_columns<T>& x_;
    growth_settings how_;
    const run_options& run_;
    std::span<const gradient_pair> gradients_;
    std::span<std::uint32_t> rows_;
    std::span<const std::uint32_t> chosen_;
    std::vector<grown_node> nodes_;
    std::vector<leaf> leaves_;
    std::vector<std::uint32_t> other_;
    std::vector<gradient_pair> near_;  // the gradients of a node's rows
    std::vector<std::size_t> groups_;
    std::vector<sums> histograms_;
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
