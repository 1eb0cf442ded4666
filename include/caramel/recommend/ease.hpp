#ifndef CARAMEL_RECOMMEND_EASE_HPP
#define CARAMEL_RECOMMEND_EASE_HPP

// The linear model between items that has a closed form: strong where items are few thousands and customers many.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/finite.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/item_gramian.hpp>
#include <caramel/recommend/item_votes.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Scores item i by `sum over bought j of weight(bought j) * item_weights(j, i)`. A weight may be negative: who has a
/// kettle wants no other.
template <class T>
class ease_model : public detail::item_votes<ease_model<T>, T> {
   public:
    static constexpr std::string_view kind = "ease";

    /// Throws `error` (`bad_data`) on fields that do not belong together.
    ease_model(interactions<T> purchases, matrix<T> item_weights, weighting weights)
        : base(std::move(purchases), weights), item_weights_(std::move(item_weights)) {
        const auto n = static_cast<row_index>(base::items().size());
        require(item_weights_.rows() == n && item_weights_.cols() == n &&
                    detail::all_finite(std::span<const T>(item_weights_.data(), static_cast<std::size_t>(item_weights_.size()))),
                errc::bad_data, "ease: the weights between items are not a finite table of the items");
    }

    /// (items, items): row j, column i is what item j says for item i; 0 on the diagonal.
    [[nodiscard]] const matrix<T>& item_weights() const noexcept { return item_weights_; }

    /// The items that this one speaks for most, best first. Throws `error` (`unknown_id`).
    [[nodiscard]] std::vector<recommendation<T>> similar_items(const any_id& item, std::size_t n = 10) const {
        const auto row = row_of(item_weights_, static_cast<row_index>(base::items().row_of(item)));
        auto out = top_k<T>(row, n);
        std::erase_if(out, [](const recommendation<T>& r) { return !(r.score > 0); });
        return out;
    }

    static constexpr std::array field_names{"purchases", "item_weights", "weights"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(base::purchases(), item_weights_, base::weights_); }

   private:
    using base = detail::item_votes<ease_model, T>;
    friend base;
    friend detail::recommender<ease_model, T>;

    void vote(std::size_t bought, double weight, std::span<double> sums) const noexcept {
        const T* const row = item_weights_.data() + bought * sums.size();
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += weight * static_cast<double>(row[i]);
    }
    [[nodiscard]] double vote_for(std::size_t bought, std::size_t item) const noexcept {
        return static_cast<double>(item_weights_(static_cast<row_index>(bought), static_cast<row_index>(item)));
    }

    matrix<T> item_weights_;
};

/// Recipe for `ease_model`: the B with a zero diagonal that minimises |X - XB|^2 + regularization |B|^2, where X has the
/// weighted values: with P = (X'X + regularization)^-1, b_ji = -p_ji / p_ii (Steck, WWW 2019). Time items^3, memory two
/// tables of items x items. In float the inverse is worked out in double where float would lose more than about four of
/// its digits; the weights are rounded to T. Weights of the fit count customers.
template <class T>
struct ease {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    double regularization = 300;          ///< above 0: more for more customers
    weighting weights = weighting::ones;  ///< how values count, in learning and in the scores
    std::size_t max_items = 20'000;       ///< more are refused: 20,000 take 3 GB in float

    /// Throws `error`: `bad_parameter` (also a regularization too small to tell from rounding), `empty_input`, `bad_data` (a
    /// negative value), `limit_exceeded` (more items than `max_items`), `number_out_of_range`.
    [[nodiscard]] ease_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        require(std::isfinite(regularization) && regularization > 0, errc::bad_parameter, "ease: regularization is ", regularization, ", must be above 0");
        require(detail::known(weights), errc::bad_parameter, "ease: no such weighting");
        detail::require_purchases(x, "ease");
        detail::require_dense_items(x.items().size(), max_items, 2 * sizeof(T), "ease");
        const row_weights of_customers(options.weights, x.rows(), "ease");
        matrix<T> b(static_cast<row_index>(x.items().size()), static_cast<row_index>(x.items().size()));
        bool done = false;
        if constexpr (std::is_same_v<T, float>) done = largest_over_smallest(x, of_customers) < 1e4 && solve<float>(x, of_customers, options, b);
        if (!done) done = solve<double>(x, of_customers, options, b);
        require(done, errc::bad_parameter, "ease: regularization is ", regularization, ", too small beside the values to be told from rounding");
        return {x.without_times(), std::move(b), weights};
    }

   private:
    // A bound on the ratio of the eigenvalues: the largest sum of a row of X'X.
    [[nodiscard]] double largest_over_smallest(const interactions<T>& x, const row_weights& of_customers) const {
        std::vector<double> sums(x.items().size());
        for (std::size_t row = 0; row < x.rows(); ++row) {
            const auto mine = x[row];
            double all = 0;
            for (const T value : mine.values) all += detail::weigh(weights, static_cast<double>(value));
            for (std::size_t k = 0; k < mine.size(); ++k)
                sums[static_cast<std::size_t>(mine.items[k])] += of_customers[row] * all * detail::weigh(weights, static_cast<double>(mine.values[k]));
        }
        return (*std::max_element(sums.begin(), sums.end()) + regularization) / regularization;
    }

    // False where rounding leaves no positive definite matrix.
    template <class Real>
    [[nodiscard]] bool solve(const interactions<T>& x, const row_weights& of_customers, const fit_options& options, matrix<T>& b) const {
        const std::size_t n = x.items().size(), unit = detail::sweep_unit<Real>, stride = (n + unit - 1) / unit * unit;
        std::vector<Real> a(stride * stride);
        for (std::size_t i = 0; i < n; ++i) a[i * stride + i] = static_cast<Real>(regularization);
        for (std::size_t i = n; i < stride; ++i) a[i * stride + i] = 1;
        detail::add_item_gramian(x, weights, of_customers, stride, a.data(), "ease", options);
        if (!detail::negative_inverse(stride, a.data(), options)) return false;
        std::vector<double> diagonal(n);
        for (std::size_t i = 0; i < n; ++i) diagonal[i] = -1 / static_cast<double>(a[i * stride + i]);
        constexpr std::size_t block = 64;  // squares of the two triangles, so that both are read in rows
        parallel_blocks(n, block, options, [&](std::size_t begin, std::size_t end, std::size_t) {
            for (std::size_t from = begin; from < n; from += block)
                for (std::size_t j = begin; j < end; ++j)
                    for (std::size_t i = std::max(from, j); i < std::min(n, from + block); ++i) {
                        const auto p = static_cast<double>(a[j * stride + i]);
                        b.data()[j * n + i] = i == j ? T(0) : static_cast<T>(p * diagonal[i]);
                        b.data()[i * n + j] = i == j ? T(0) : static_cast<T>(p * diagonal[j]);
                    }
        });
        return detail::all_finite(std::span<const T>(b.data(), n * n));
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
