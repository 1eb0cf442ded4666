#ifndef CARAMEL_EXPLAIN_TREE_SHAPLEY_HPP
#define CARAMEL_EXPLAIN_TREE_SHAPLEY_HPP

// Exact Shapley values of boosted trees, for any number of features.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/explain/explanation.hpp>
#include <caramel/explain/mixture.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// A row beside one of the background: where they go the same way in a tree there is nothing to share. At a leaf that is only
// reached with the features of one set from the row and those of another from the background, the first share its value and
// the second lose it, as the orders have it in which all of the first come before all of the second.
template <class T, class Arrays>
class tree_shares {
   public:
    tree_shares(const Arrays& trees, std::span<double> contributions, double share) : trees_(trees), out_(contributions), share_(share), side_(contributions.size()) {}

    void add(std::size_t tree, const T* row, const T* other) {
        row_ = row;
        other_ = other;
        start_ = static_cast<std::size_t>(trees_.starts()[tree]);
        walk(start_);
    }

   private:
    enum : std::uint8_t { undecided, as_row, as_other };
    static constexpr std::size_t most_decided = 256;

    void walk(std::size_t node) {
        for (std::int32_t f; (f = trees_.features()[node]) >= 0;) {
            const auto feature = static_cast<std::size_t>(f);
            const T threshold = trees_.numbers()[node];
            const std::size_t low = start_ + static_cast<std::size_t>(trees_.children()[node]);
            const std::size_t mine = low + (row_[feature] > threshold ? 1 : 0), theirs = low + (other_[feature] > threshold ? 1 : 0);
            if (mine == theirs || side_[feature] != undecided) {
                node = side_[feature] == as_other ? theirs : mine;
                continue;
            }
            require(decided_.size() < most_decided, errc::limit_exceeded, "tree_shapley: a tree asks for more than ", most_decided, " features on one way");
            decided_.push_back(feature);
            side_[feature] = as_row;
            ++of_row_;
            walk(mine);
            --of_row_;
            side_[feature] = as_other;
            walk(theirs);
            side_[feature] = undecided;
            decided_.pop_back();
            return;
        }
        const double value = share_ * static_cast<double>(trees_.numbers()[node]);
        const std::size_t of_other = decided_.size() - of_row_;
        for (const std::size_t feature : decided_)
            out_[feature] += side_[feature] == as_row ? value * share_of_orders(of_row_ - 1, of_other) : -value * share_of_orders(of_row_, of_other - 1);
    }
    // a! b! / (a + b + 1)!
    static double share_of_orders(std::size_t a, std::size_t b) noexcept {
        double out = 1 / static_cast<double>(a + b + 1);
        for (std::size_t i = 1; i <= b; ++i) out *= static_cast<double>(i) / static_cast<double>(a + i);
        return out;
    }

    const Arrays& trees_;
    std::span<double> out_;
    double share_;
    std::vector<std::uint8_t> side_;  // of each feature on the way to where we are
    std::vector<std::size_t> decided_;
    std::size_t of_row_ = 0, start_ = 0;
    const T* row_ = nullptr;
    const T* other_ = nullptr;
};

}  // namespace detail

/// The Shapley values of one row of a model of boosted trees, exactly, against a background: the *interventional* ones, as
/// `exact_shapley` has them (not the path-dependent ones, which need no background and are other quantities). It is the score
/// that is taken apart: the log odds of class 1 where there are two classes, the score of class `score` where there are more,
/// the prediction of a regressor (Lundberg et al., Nature Machine Intelligence 2, 2020). Takes a walk through each tree for
/// each row of the background, of which 100 or so are enough.
/// Throws `error`: `empty_input` without a background; `shape_mismatch`; `nan_or_inf`.
template <class Model, class T>
    requires requires(const Model& model) {
        model.arrays().children();
        model.first_scores()(0);
    }
[[nodiscard]] explanation tree_shapley(const Model& model, const matrix<T>& background, std::type_identity_t<std::span<const T>> row, std::size_t score = last_output) {
    constexpr std::string_view who = "tree_shapley";
    const auto& trees = model.arrays();
    const std::size_t n = model.inputs(), scores = trees.outputs();
    require(background.rows() > 0, errc::empty_input, who, ": the background has no rows");
    require(std::cmp_equal(background.cols(), n) && row.size() == n, errc::shape_mismatch, who, ": the model learnt ", n, " columns, the background has ",
            background.cols(), ", the row ", row.size());
    require(score == last_output || score < scores, errc::shape_mismatch, who, ": score ", score, " is wanted, the model has ", scores);
    require_finite(background, who);
    require_finite(row, who);
    const std::size_t k = score == last_output ? scores - 1 : score;
    const auto rows = static_cast<std::size_t>(background.rows());
    explanation out{0, std::vector<double>(n), 0};
    detail::tree_shares<T, std::remove_cvref_t<decltype(trees)>> shares(trees, out.contributions, 1 / static_cast<double>(rows));
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t t = k; t < trees.trees(); t += scores) shares.add(t, row.data(), background.data() + i * n);
    const double first = model.first_scores()(static_cast<row_index>(k));
    std::vector<double> sums(rows * scores), own(scores);
    trees.add_scores(background.data(), n, rows, sums.data());
    trees.add_scores(row.data(), n, 1, own.data());
    for (std::size_t i = 0; i < rows; ++i) out.base += sums[i * scores + k];
    out.base = first + out.base / static_cast<double>(rows);
    out.prediction = first + own[k];
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
