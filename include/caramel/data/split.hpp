#ifndef CARAMEL_DATA_SPLIT_HPP
#define CARAMEL_DATA_SPLIT_HPP

// Which rows to learn from and which to be tested on.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/data/transactions.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Row numbers from 0, ascending; no row on both sides. Together all rows, but for folds that expand with time.
struct train_test {
    std::vector<std::size_t> train, test;
    friend bool operator==(const train_test&, const train_test&) = default;
};

namespace detail {

template <class = void>
inline train_test split_where(const std::vector<std::size_t>& fold_of, std::size_t fold) {
    train_test out;
    for (std::size_t i = 0; i < fold_of.size(); ++i) (fold_of[i] == fold ? out.test : out.train).push_back(i);
    return out;
}
template <class = void>
inline std::vector<train_test> splits_of(const std::vector<std::size_t>& fold_of, std::size_t k) {
    std::vector<train_test> out;
    for (std::size_t fold = 0; fold < k; ++fold) out.push_back(split_where(fold_of, fold));
    return out;
}
template <class = void>
inline void require_folds(std::size_t n, std::size_t k, std::string_view who) {
    require(n > 0, errc::empty_input, who, ": no rows to split");
    require(k >= 2, errc::bad_parameter, who, ": k is ", k, ", it must be at least 2");
    require(k <= n, errc::too_few_rows, who, ": ", k, " folds need as many rows, there are ", n);
}

}  // namespace detail

/// Takes `share` of the rows at random for testing, rounded, but leaves neither side empty.
/// Throws `error`: `empty_input`, `too_few_rows` (one row), `bad_parameter` (a share that is not between 0 and 1).
template <class = void>
[[nodiscard]] inline train_test holdout(std::size_t n, double share, std::uint64_t seed = 0) {
    require(n > 0, errc::empty_input, "holdout: no rows to split");
    require(share > 0 && share < 1, errc::bad_parameter, "holdout: the share for testing is ", share, ", it must be between 0 and 1");
    require(n > 1, errc::too_few_rows, "holdout: 1 row cannot be split");
    const auto wanted = static_cast<std::size_t>(std::llround(share * static_cast<double>(n)));
    const std::size_t tested = std::clamp<std::size_t>(wanted, 1, n - 1);
    const auto order = rng(seed).split("holdout").permutation(n);
    std::vector<std::size_t> fold_of(n, 1);
    for (std::size_t i = 0; i < tested; ++i) fold_of[order[i]] = 0;
    return detail::split_where(fold_of, 0);
}

/// k splits: each row is tested in one of them, at random; folds differ by one row at most.
/// Throws `error`: `empty_input`, `bad_parameter` (k below 2), `too_few_rows` (k above n).
template <class = void>
[[nodiscard]] inline std::vector<train_test> k_fold(std::size_t n, std::size_t k, std::uint64_t seed = 0) {
    detail::require_folds(n, k, "k_fold");
    const auto order = rng(seed).split("k_fold").permutation(n);
    std::vector<std::size_t> fold_of(n);
    for (std::size_t i = 0; i < n; ++i) fold_of[order[i]] = i % k;
    return detail::splits_of(fold_of, k);
}

/// The same with equal shares of each label: the rows of a label, and all rows, differ by one at most between folds.
/// Labels: anything ordered, one a row. Throws what `k_fold` throws.
template <class Labels>
    requires std::totally_ordered<typename Labels::value_type>
[[nodiscard]] std::vector<train_test> stratified_k_fold(const Labels& labels, std::size_t k, std::uint64_t seed = 0) {
    const std::size_t n = labels.size();
    detail::require_folds(n, k, "stratified_k_fold");
    auto order = rng(seed).split("stratified_k_fold").permutation(n);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return labels[a] < labels[b]; });
    std::vector<std::size_t> fold_of(n);
    for (std::size_t i = 0; i < n; ++i) fold_of[order[i]] = i % k;  // dealt out, on and on through the labels
    return detail::splits_of(fold_of, k);
}

/// Fold i tests the rows whose id modulo k is i: the same customers in the same fold, whatever else is in the data.
/// Throws `error`: `empty_input`, `bad_parameter` (k below 2, a negative id); `too_few_rows` (a fold that would be empty).
template <class Ids>
    requires std::integral<typename Ids::value_type>
[[nodiscard]] std::vector<train_test> modulo_folds(const Ids& ids, std::size_t k) {
    require(ids.size() > 0, errc::empty_input, "modulo_folds: no rows to split");
    require(k >= 2, errc::bad_parameter, "modulo_folds: k is ", k, ", it must be at least 2");
    std::vector<std::size_t> fold_of(ids.size());
    for (std::size_t i = 0; i < fold_of.size(); ++i) {
        require_at(!std::cmp_less(ids[i], 0), errc::bad_parameter, {.row = i + 1}, "modulo_folds: the id of row ", i + 1, " is negative");
        fold_of[i] = static_cast<std::size_t>(static_cast<std::uint64_t>(ids[i]) % k);
    }
    auto out = detail::splits_of(fold_of, k);
    for (std::size_t fold = 0; fold < k; ++fold) require(!out[fold].test.empty(), errc::too_few_rows, "modulo_folds: no id falls into fold ", fold, " of ", k);
    return out;
}

/// k splits that never part a group: all rows of a customer, a household or a conversation are on one side, so that what is
/// tested is not known from other rows of the same. Each row is tested once; folds have about equal numbers of rows: the
/// largest group first, each goes to the fold with the fewest rows so far, groups of equal size in random order.
/// Groups: anything ordered, one a row. Throws `error`: `empty_input`, `bad_parameter` (k below 2), `too_few_rows` (fewer
/// groups than folds).
template <class Groups>
    requires std::totally_ordered<typename Groups::value_type>
[[nodiscard]] std::vector<train_test> grouped_k_fold(const Groups& groups, std::size_t k, std::uint64_t seed = 0) {
    const std::size_t n = groups.size();
    detail::require_folds(n, k, "grouped_k_fold");
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return groups[a] < groups[b]; });
    std::vector<std::size_t> starts;  // of the groups, in `order`
    for (std::size_t i = 0; i < n; ++i)
        if (i == 0 || groups[order[i - 1]] < groups[order[i]]) starts.push_back(i);
    require(k <= starts.size(), errc::too_few_rows, "grouped_k_fold: ", k, " folds need as many groups, there are ", starts.size());
    starts.push_back(n);
    auto by_size = rng(seed).split("grouped_k_fold").permutation(starts.size() - 1);
    std::stable_sort(by_size.begin(), by_size.end(), [&](std::size_t a, std::size_t b) { return starts[a + 1] - starts[a] > starts[b + 1] - starts[b]; });
    std::vector<std::size_t> fold_of(n), rows(k);
    for (const std::size_t group : by_size) {
        const auto fold = static_cast<std::size_t>(std::min_element(rows.begin(), rows.end()) - rows.begin());
        for (std::size_t i = starts[group]; i < starts[group + 1]; ++i) fold_of[order[i]] = fold;
        rows[fold] += starts[group + 1] - starts[group];
    }
    return detail::splits_of(fold_of, k);
}

/// k splits in time, as a model lives: fold i learns from what was earlier than the rows that it tests. The rows, by time,
/// are cut into k + 1 blocks of about equal numbers, but never between rows of one instant; fold i tests block i + 1 and
/// learns from all rows that lie earlier than its first by more than `gap`. So the first block is never tested. A gap keeps
/// apart what overlaps: where a label looks 30 days ahead, a gap of 30 days.
/// Throws `error`: `empty_input`; `bad_parameter` (k is 0, a negative gap); `too_few_rows` (fewer instants than k + 1, or a
/// fold with nothing to learn from).
template <class = void>
[[nodiscard]] inline std::vector<train_test> expanding_folds(std::span<const std::chrono::sys_seconds> times, std::size_t k,
                                                             std::chrono::seconds gap = std::chrono::seconds(0)) {
    const std::size_t n = times.size();
    require(n > 0, errc::empty_input, "expanding_folds: no rows to split");
    require(k >= 1, errc::bad_parameter, "expanding_folds: k is 0, it must be at least 1");
    require(gap.count() >= 0, errc::bad_parameter, "expanding_folds: the gap is ", gap.count(), " seconds, it must be at least 0");
    require(k < n, errc::too_few_rows, "expanding_folds: ", k, " folds need at least ", k + 1, " rows, there are ", n);
    std::vector<std::chrono::sys_seconds> sorted(times.begin(), times.end());
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::chrono::sys_seconds> begins;  // of the blocks after the first
    for (std::size_t i = 1; i <= k; ++i) begins.push_back(sorted[i * n / (k + 1)]);
    std::vector<train_test> out(k);
    for (std::size_t fold = 0; fold < k; ++fold) {
        for (std::size_t i = 0; i < n; ++i) {
            if (times[i] < begins[fold] && begins[fold] - times[i] > gap) out[fold].train.push_back(i);
            else if (times[i] >= begins[fold] && (fold + 1 == k || times[i] < begins[fold + 1])) out[fold].test.push_back(i);
        }
        require(!out[fold].train.empty() && !out[fold].test.empty(), errc::too_few_rows, "expanding_folds: fold ", fold + 1, " of ", k, " has ",
                out[fold].train.size(), " rows to learn from and ", out[fold].test.size(), " to be tested on");
    }
    return out;
}
/// The same for n rows that stand in order of time already, each at an instant of its own; `gap` counts rows.
template <class = void>
[[nodiscard]] inline std::vector<train_test> expanding_folds(std::size_t n, std::size_t k, std::size_t gap = 0) {
    std::vector<std::chrono::sys_seconds> times(n);
    for (std::size_t i = 0; i < n; ++i) times[i] = std::chrono::sys_seconds(std::chrono::seconds(i));
    require(gap <= n, errc::bad_parameter, "expanding_folds: a gap of ", gap, " rows, there are ", n);
    return expanding_folds(times, k, std::chrono::seconds(gap));
}

/// Rows earlier than an instant to learn from, rows from it on to be tested on.
/// Throws `error`: `empty_input` (no rows), `too_few_rows` (none on one side).
template <class = void>
[[nodiscard]] inline train_test split_at(std::span<const std::chrono::sys_seconds> times, std::chrono::sys_seconds instant) {
    require(!times.empty(), errc::empty_input, "split_at: no rows to split");
    train_test out;
    for (std::size_t i = 0; i < times.size(); ++i) (times[i] < instant ? out.train : out.test).push_back(i);
    require(!out.train.empty() && !out.test.empty(), errc::too_few_rows, "split_at: ", out.train.size(), " rows before the instant, ", out.test.size(),
            " from it on");
    return out;
}

/// A log before an instant, and from it on.
struct log_halves {
    transactions before, since;
};
/// The same for a log. Both parts number customers and items as `log` does.
template <class = void>
[[nodiscard]] inline log_halves split_at(const transactions& log, std::chrono::sys_seconds instant) {
    const train_test rows = split_at(log.times(), instant);
    return {log.take_rows(rows.train), log.take_rows(rows.test)};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
