#ifndef CARAMEL_EVALUATE_COMPARE_HPP
#define CARAMEL_EVALUATE_COMPARE_HPP

// Is one model better than another, or was it luck? Tests for two models judged on the same rows or the same folds. All are
// two-sided.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/evaluate/cross_validation.hpp>
#include <caramel/evaluate/distributions.hpp>
#include <caramel/evaluate/intervals.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Two AUCs on the same rows.
struct auc_comparison {
    double first = 0, second = 0;
    double difference = 0;      ///< first - second
    double standard_error = 0;  ///< of the difference
    double z = 0;
    double p_value = 1;
};

/// DeLong's test of two scorings of the same rows (DeLong, DeLong & Clarke-Pearson, Biometrics 44(3), 1988). Where both rank
/// all pairs alike, the difference is 0 and the p-value 1.
/// Throws `error` as `auc` does; `too_few_rows` unless there are two rows of each class; `bad_data` where the AUCs differ but
/// nothing varies.
template <class = void>
[[nodiscard]] inline auc_comparison delong_test(const scores_in& first, const scores_in& second, const std::vector<int>& labels) {
    constexpr std::string_view who = "delong_test";
    const auto a = detail::components_of(detail::judged_scores(first, labels, who), who);
    const auto b = detail::components_of(detail::judged_scores(second, labels, who), who);
    auc_comparison out{.first = a.auc, .second = b.auc, .difference = a.auc - b.auc};
    // The variance of the differences of the components: no cancellation between near equal models.
    detail::auc_components gap;
    for (std::size_t i = 0; i < a.positives.size(); ++i) gap.positives.push_back(a.positives[i] - b.positives[i]);
    for (std::size_t i = 0; i < a.negatives.size(); ++i) gap.negatives.push_back(a.negatives[i] - b.negatives[i]);
    out.standard_error = std::sqrt(detail::auc_covariance(gap, gap));
    if (out.difference == 0) return out;
    require(out.standard_error > 0, errc::bad_data, who, ": the AUCs differ, but equally for every row: there is nothing to test against");
    out.z = out.difference / out.standard_error;
    out.p_value = 2 * normal_cdf(-std::abs(out.z));
    return out;
}

/// Two series of scores, fold by fold or run by run.
struct paired_comparison {
    double difference = 0;      ///< mean of first - second
    double standard_error = 0;  ///< of that mean
    double statistic = 0;       ///< t
    double degrees_of_freedom = 0;
    double p_value = 1;
    double low = 0, high = 0;  ///< the difference's interval at 95 %
};

namespace detail {

template <class = void>
inline void require_paired(std::span<const double> first, std::span<const double> second, std::string_view who) {
    require(first.size() == second.size(), errc::shape_mismatch, who, ": ", first.size(), " scores but ", second.size(), " others");
    require(first.size() > 1, errc::too_few_rows, who, ": ", first.size(), " pairs of scores, needs at least 2");
    for (std::size_t i = 0; i < first.size(); ++i)
        require_at(std::isfinite(first[i]) && std::isfinite(second[i]), errc::nan_or_inf, {.row = i + 1}, who, ": the scores of pair ", i + 1,
                   " are not finite");
}

// `inflation`: the variance of the mean over that of one difference.
template <class = void>
inline paired_comparison t_test(std::span<const double> first, std::span<const double> second, double inflation, std::string_view who) {
    std::vector<double> gaps(first.size());
    for (std::size_t i = 0; i < gaps.size(); ++i) gaps[i] = first[i] - second[i];
    paired_comparison out{.difference = mean_of(gaps), .degrees_of_freedom = static_cast<double>(gaps.size() - 1)};
    const bool varies = std::any_of(gaps.begin(), gaps.end(), [&](double gap) { return gap != gaps.front(); });
    if (!varies) {
        require(gaps.front() == 0, errc::bad_data, who, ": all differences are equal, so there is no spread to test against");
        return out;
    }
    out.standard_error = deviation_of(gaps) * std::sqrt(inflation);
    out.statistic = out.difference / out.standard_error;
    out.p_value = 2 * student_t_cdf(-std::abs(out.statistic), out.degrees_of_freedom);
    const double reach = student_t_quantile(0.975, out.degrees_of_freedom) * out.standard_error;
    out.low = out.difference - reach;
    out.high = out.difference + reach;
    return out;
}

}  // namespace detail

/// Student's t of paired scores that are independent of each other: of several data sets, say. Folds of one data set share
/// training rows; for them use `corrected_resampled_t_test`. Where all differences are 0 the p-value is 1.
/// Throws `error`: `shape_mismatch`; `too_few_rows` (fewer than 2 pairs); `nan_or_inf`; `bad_data` where all differences are one
/// number other than 0.
template <class = void>
[[nodiscard]] inline paired_comparison paired_t_test(std::span<const double> first, std::span<const double> second) {
    detail::require_paired(first, second, "paired_t_test");
    return detail::t_test(first, second, 1 / static_cast<double>(first.size()), "paired_t_test");
}

/// The same for scores of folds or repeated splits of one data set, whose training rows overlap: the variance is multiplied
/// by 1/k + test rows / training rows instead of 1/k (Nadeau & Bengio, Machine Learning 52(3), 2003). For 5 folds
/// `test_to_train` is 1/4; for repeated cross-validation give the scores of all folds of all repetitions.
/// Throws `error` as `paired_t_test` does; `bad_parameter` unless `test_to_train` is above 0.
template <class = void>
[[nodiscard]] inline paired_comparison corrected_resampled_t_test(std::span<const double> first, std::span<const double> second, double test_to_train) {
    constexpr std::string_view who = "corrected_resampled_t_test";
    detail::require_paired(first, second, who);
    require(test_to_train > 0 && std::isfinite(test_to_train), errc::bad_parameter, who, ": test_to_train = ", test_to_train, ", must be above 0");
    return detail::t_test(first, second, 1 / static_cast<double>(first.size()) + test_to_train, who);
}

/// What Wilcoxon's test found.
struct signed_rank_result {
    double statistic = 0;   ///< the sum of the ranks of the positive differences
    std::size_t pairs = 0;  ///< whose difference is not 0
    bool exact = true;      ///< whether the p-value counts all signs, or is the normal approximation
    double p_value = 1;
};

/// Wilcoxon's signed-rank test of paired scores (Wilcoxon, Biometrics Bulletin 1(6), 1945), for several data sets. Differences
/// of 0 are left out, equal ones share their mean rank. Up to 50 pairs the p-value is exact, ties and all; beyond, normal
/// with the correction for ties and for continuity.
/// Throws `error`: `shape_mismatch`; `too_few_rows` (fewer than 2 pairs); `nan_or_inf`.
template <class = void>
[[nodiscard]] inline signed_rank_result wilcoxon_signed_rank_test(std::span<const double> first, std::span<const double> second) {
    constexpr std::string_view who = "wilcoxon_signed_rank_test";
    detail::require_paired(first, second, who);
    std::vector<double> gaps;
    for (std::size_t i = 0; i < first.size(); ++i)
        if (first[i] != second[i]) gaps.push_back(first[i] - second[i]);
    std::stable_sort(gaps.begin(), gaps.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
    const std::size_t n = gaps.size();
    std::vector<std::size_t> twice(n);  // ranks times two are whole numbers
    double ties = 0;
    std::size_t positive = 0;
    for (std::size_t begin = 0, end = 0; begin < n; begin = end) {
        for (end = begin; end < n && std::abs(gaps[end]) == std::abs(gaps[begin]);) ++end;
        const double t = static_cast<double>(end - begin);
        ties += t * t * t - t;
        for (std::size_t i = begin; i < end; ++i) {
            twice[i] = begin + 1 + end;
            positive += gaps[i] > 0 ? twice[i] : 0;
        }
    }
    signed_rank_result out{.statistic = static_cast<double>(positive) / 2, .pairs = n};
    if (n == 0) return out;
    const double most = static_cast<double>(n) * static_cast<double>(n + 1) / 2;
    if (n <= 50) {
        const std::size_t total = n * (n + 1);
        std::vector<double> ways(total + 1);  // how many choices of signs give a sum; below 2^50, so exact
        ways[0] = 1;
        for (const std::size_t rank : twice)
            for (std::size_t sum = total; sum >= rank; --sum) ways[sum] += ways[sum - rank];
        double below = 0;
        for (std::size_t sum = 0; sum <= std::min(positive, total - positive); ++sum) below += ways[sum];  // the distribution is symmetric
        out.p_value = std::min(1.0, 2 * below * std::pow(0.5, static_cast<double>(n)));
    } else {
        out.exact = false;
        const double variance = most * (2 * static_cast<double>(n) + 1) / 12 - ties / 48;
        const double distance = std::max(0.0, std::abs(out.statistic - most / 2) - 0.5);
        out.p_value = std::min(1.0, 2 * normal_cdf(-distance / std::sqrt(variance)));
    }
    return out;
}

/// What `randomization_test` found.
struct randomization_result {
    double difference = 0;  ///< mean of first - second
    bool exact = true;      ///< whether all signs were looked at, or some drawn at random
    double p_value = 1;
};
/// How many signs `randomization_test` draws.
struct randomization_options {
    std::size_t rounds = 10'000;  ///< draws, where there are too many signs for all of them
    std::uint64_t seed = 0;
};

/// Fisher's randomization test of paired values, such as the NDCG of two recommenders for the same customers: how often would
/// the mean difference be as large if in each pair it were chance which value is whose? Nothing is assumed of how they are
/// distributed (Smucker, Allan & Carterette, CIKM 2007). Pairs without a difference change nothing. Up to 16 others all 2^n
/// signs are looked at; beyond, `rounds` of them are drawn and the p-value is (1 + as large ones) / (1 + rounds).
/// Throws `error`: `shape_mismatch`; `too_few_rows` (fewer than 2 pairs); `nan_or_inf`; `bad_parameter` (0 rounds).
template <class = void>
[[nodiscard]] inline randomization_result randomization_test(std::span<const double> first, std::span<const double> second,
                                                             const randomization_options& options = {}) {
    constexpr std::string_view who = "randomization_test";
    detail::require_paired(first, second, who);
    require(options.rounds > 0, errc::bad_parameter, who, ": 0 rounds, must be at least 1");
    std::vector<double> gaps;
    double observed = 0, size = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
        const double gap = first[i] - second[i];
        if (gap == 0) continue;
        gaps.push_back(gap);
        observed += gap;
        size += std::abs(gap);
    }
    randomization_result out{.difference = observed / static_cast<double>(first.size())};
    const double large = std::abs(observed) - 1e-12 * size;  // a sum in another order is as large, too
    std::size_t as_large = 0;
    const auto count = [&](const auto& bits_of) {
        double sum = 0;
        for (std::size_t begin = 0; begin < gaps.size(); begin += 64) {
            std::uint64_t bits = bits_of();
            for (std::size_t i = begin; i < std::min(gaps.size(), begin + 64); ++i, bits >>= 1U) sum += (bits & 1U) != 0 ? gaps[i] : -gaps[i];
        }
        as_large += std::abs(sum) >= large ? 1U : 0U;
    };
    if (gaps.size() <= 16) {
        const std::uint64_t all = std::uint64_t{1} << gaps.size();
        for (std::uint64_t signs = 0; signs < all; ++signs) count([signs] { return signs; });
        out.p_value = gaps.empty() ? 1 : static_cast<double>(as_large) / static_cast<double>(all);
    } else {
        out.exact = false;
        rng numbers = rng(options.seed).split(who);
        for (std::size_t round = 0; round < options.rounds; ++round) count([&] { return numbers(); });
        out.p_value = static_cast<double>(1 + as_large) / static_cast<double>(1 + options.rounds);
    }
    return out;
}

/// What McNemar's test found.
struct mcnemar_result {
    std::size_t only_first = 0, only_second = 0;  ///< rows that one of them alone got right
    double p_value = 1;
};

/// McNemar's test of two classifiers' decisions for the same rows (Psychometrika 12(2), 1947), with the exact binomial p-value:
/// of the rows that only one got right, is it each of the two equally often?
/// Throws `error`: `empty_input`, `shape_mismatch`.
template <class = void>
[[nodiscard]] inline mcnemar_result mcnemar_test(const std::vector<int>& first, const std::vector<int>& second, const std::vector<int>& labels) {
    detail::require_same_rows(first.size(), labels.size(), "mcnemar_test");
    detail::require_same_rows(second.size(), labels.size(), "mcnemar_test");
    mcnemar_result out;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        out.only_first += first[i] == labels[i] && second[i] != labels[i] ? 1U : 0U;
        out.only_second += first[i] != labels[i] && second[i] == labels[i] ? 1U : 0U;
    }
    const double n = static_cast<double>(out.only_first + out.only_second), fewer = static_cast<double>(std::min(out.only_first, out.only_second));
    if (n > 0) out.p_value = std::min(1.0, 2 * detail::incomplete_beta(n - fewer, fewer + 1, 0.5));  // binomial: at most `fewer` of n
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
