#ifndef CARAMEL_TREES_FOREST_HPP
#define CARAMEL_TREES_FOREST_HPP

// Trees as they are kept and asked: flat arrays, checked once, walked without a branch to guess.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Trees of which the t-th adds to output t % outputs.
template <class T>
class forest {
   public:
    // Throws `error` (`bad_data`) where the arrays are no trees over `inputs` features.
    forest(std::vector<std::int64_t> starts, std::vector<std::int32_t> features, std::vector<T> numbers, std::vector<std::int32_t> children, std::size_t inputs,
           std::size_t outputs, std::string_view who)
        : starts_(std::move(starts)), features_(std::move(features)), numbers_(std::move(numbers)), children_(std::move(children)), inputs_(inputs),
          outputs_(outputs) {
        const std::size_t nodes = features_.size();
        require(numbers_.size() == nodes && children_.size() == nodes, errc::bad_data, who, ": ", nodes, " features but ", numbers_.size(), " numbers and ",
                children_.size(), " children");
        require(nodes < std::size_t{1} << 31, errc::bad_data, who, ": there are ", nodes, " nodes, a model has fewer than 2^31");
        require(!starts_.empty() && starts_.front() == 0 && std::cmp_equal(starts_.back(), nodes), errc::bad_data, who, ": the starts of the trees do not cover ",
                nodes, " nodes");
        require(outputs_ > 0 && trees() % outputs_ == 0, errc::bad_data, who, ": ", trees(), " trees do not belong to ", outputs_, " outputs");
        packed_.resize(nodes);
        depths_.resize(trees());
        for (std::size_t t = 0; t < trees(); ++t) {
            require(starts_[t] < starts_[t + 1] && starts_[t + 1] <= starts_.back(), errc::bad_data, who, ": tree ", t + 1, " has no nodes");
            check_tree(t, who);
        }
    }

    [[nodiscard]] std::size_t trees() const noexcept { return starts_.size() - 1; }
    [[nodiscard]] std::size_t inputs() const noexcept { return inputs_; }
    [[nodiscard]] std::size_t outputs() const noexcept { return outputs_; }
    [[nodiscard]] const std::vector<std::int64_t>& starts() const noexcept { return starts_; }
    [[nodiscard]] const std::vector<std::int32_t>& features() const noexcept { return features_; }
    [[nodiscard]] const std::vector<T>& numbers() const noexcept { return numbers_; }
    [[nodiscard]] const std::vector<std::int32_t>& children() const noexcept { return children_; }

    // Adds what the trees say about `rows` rows to (rows, outputs) sums, tree after tree for each row.
    void add_scores(const T* x, std::size_t stride, std::size_t rows, double* out) const noexcept {
        for (std::size_t t = 0, k = 0; t < depths_.size(); ++t) {
            const auto root = static_cast<std::uint32_t>(starts_[t]);
            const std::uint32_t depth = depths_[t];
            for (std::size_t i = 0; i < rows; ++i) out[i * outputs_ + k] += static_cast<double>(numbers_[leaf_of(x + i * stride, root, depth)]);
            k = k + 1 == outputs_ ? 0 : k + 1;
        }
    }

   private:
    struct node {
        T threshold;           // of a leaf: infinity
        std::uint32_t feature;
        std::uint32_t child;   // of a leaf: itself
    };

    [[nodiscard]] std::uint32_t leaf_of(const T* row, std::uint32_t at, std::uint32_t depth) const noexcept {
        const node* const nodes = packed_.data();
        for (; depth > 0; --depth) at = nodes[at].child + static_cast<std::uint32_t>(row[nodes[at].feature] > nodes[at].threshold);
        return at;
    }
    // Children come after their parent and every node but the root has one parent: so there are no cycles.
    void check_tree(std::size_t t, std::string_view who) {
        const auto first = static_cast<std::size_t>(starts_[t]), size = static_cast<std::size_t>(starts_[t + 1]) - first;
        std::vector<std::uint32_t> depth(size);  // 0: no parent so far
        for (std::size_t i = 0; i < size; ++i) {
            const std::size_t at = first + i;
            require(i == 0 || depth[i] > 0, errc::bad_data, who, ": node ", i + 1, " of tree ", t + 1, " hangs nowhere");
            require(std::isfinite(numbers_[at]), errc::bad_data, who, ": a number of tree ", t + 1, " is not finite");
            depths_[t] = std::max(depths_[t], depth[i]);
            if (features_[at] < 0) {
                require(features_[at] == -1 && children_[at] == 0, errc::bad_data, who, ": node ", i + 1, " of tree ", t + 1, " is neither leaf nor branch");
                packed_[at] = {std::numeric_limits<T>::infinity(), 0, static_cast<std::uint32_t>(at)};
                continue;
            }
            require(std::cmp_less(features_[at], inputs_), errc::bad_data, who, ": tree ", t + 1, " asks for feature ", features_[at], ", there are ", inputs_);
            require(std::cmp_greater(children_[at], i) && std::cmp_less(children_[at], size - 1), errc::bad_data, who, ": the children of node ", i + 1,
                    " of tree ", t + 1, " are out of range");
            const auto child = static_cast<std::size_t>(children_[at]);
            require(depth[child] == 0 && depth[child + 1] == 0, errc::bad_data, who, ": a node of tree ", t + 1, " has two parents");
            depth[child] = depth[child + 1] = depth[i] + 1;
            packed_[at] = {numbers_[at], static_cast<std::uint32_t>(features_[at]), static_cast<std::uint32_t>(first + child)};
        }
    }

    std::vector<std::int64_t> starts_;     // of the trees, and the end
    std::vector<std::int32_t> features_;   // of a leaf: -1
    std::vector<T> numbers_;               // thresholds; of a leaf its value
    std::vector<std::int32_t> children_;   // the left one, counted from the tree's start, the right one follows; of a leaf: 0
    std::size_t inputs_, outputs_;
    std::vector<node> packed_;
    std::vector<std::uint32_t> depths_;
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
