#ifndef CARAMEL_RECOMMEND_TOP_K_HPP
#define CARAMEL_RECOMMEND_TOP_K_HPP

// The best of many scores, in the one order that all recommenders keep.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/workspace.hpp>

namespace caramel::inline CARAMEL_ABI {

/// An item, by its row in the model's `items()`, and its score.
template <class T>
struct recommendation {
    std::int32_t item;
    T score;
    friend bool operator==(const recommendation&, const recommendation&) = default;
};

namespace detail {

// A total order, so the best n are always the first n of the best m > n.
struct ranks_before {
    template <class T>
    bool operator()(const recommendation<T>& a, const recommendation<T>& b) const noexcept {
        return a.score > b.score || (a.score == b.score && a.item < b.item);
    }
};

// The best n items whose mark is 0, best first, in the workspace. `marks` is empty or one an item.
template <class T>
std::span<recommendation<T>> best_of(std::span<const T> scores, std::span<const unsigned char> marks, std::size_t n, workspace& scratch) {
    n = std::min(n, scores.size());
    const auto best = scratch.take<recommendation<T>>(n);
    std::size_t found = 0;
    if (n == 0) return best;
    const auto consider = [&](std::size_t i) {
        // Of equal scores the earlier item ranks first, and it is there already.
        if (found == n && !(scores[i] > best[0].score)) return;
        if (!marks.empty() && marks[i] != 0) return;
        if (found == n) std::pop_heap(best.begin(), best.end(), ranks_before{});  // the worst of the best stands in front
        else ++found;
        best[found - 1] = {static_cast<std::int32_t>(i), scores[i]};
        std::push_heap(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(found), ranks_before{});
    };
    // Once there are n, many runs of scores hold nothing above the worst of them, and a whole run is looked at in a few
    // instructions.
    constexpr std::size_t run = 32;
    std::size_t i = 0;
    for (; i + run <= scores.size(); i += run) {
        if (found == n) {
            const T worst = best[0].score;
            unsigned above = 0;
            for (std::size_t j = 0; j < run; ++j) above |= static_cast<unsigned>(scores[i + j] > worst);
            if (above == 0) continue;
        }
        for (std::size_t j = 0; j < run; ++j) consider(i + j);
    }
    for (; i < scores.size(); ++i) consider(i);
    std::sort_heap(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(found), ranks_before{});
    return best.first(found);
}

}  // namespace detail

/// The `n` largest of `scores` (all of them where there are fewer), best first, ties to the lower position.
/// Scores must be comparable: no NaN.
template <class T>
[[nodiscard]] std::vector<recommendation<T>> top_k(std::span<const T> scores, std::size_t n) {
    workspace scratch;
    const auto best = detail::best_of<T>(scores, {}, n, scratch);
    return {best.begin(), best.end()};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
