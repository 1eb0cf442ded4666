#ifndef CARAMEL_RECOMMEND_ALS_HPP
#define CARAMEL_RECOMMEND_ALS_HPP

// Matrix factorization of implicit feedback by alternating least squares, each row solved exactly.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/warm_start.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als_solver.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

inline void require_als_loss(const als_loss& loss, errc code) {
    require(std::isfinite(loss.regularization) && loss.regularization > 0, code, "als: regularization is ", loss.regularization, ", must be above 0");
    require(std::isfinite(loss.unobserved_weight) && loss.unobserved_weight >= 0, code, "als: unobserved_weight is ", loss.unobserved_weight,
            ", must be at least 0");
    require(std::isfinite(loss.frequency_scaling) && loss.frequency_scaling >= 0, code, "als: frequency_scaling is ", loss.frequency_scaling,
            ", must be at least 0");
    require(std::isfinite(loss.confidence_scale) && loss.confidence_scale > 0, code, "als: confidence_scale is ", loss.confidence_scale, ", must be above 0");
    require(known(loss.weights), code, "als: no such weighting");
}

// The whole loss without looking at pairs that were not observed: sum over all pairs of s^2 = sum of (U'U) o (V'V).
template <class T>
double als_total_loss(const als_loss& loss, const interactions<T>& x, const sparse_rows<T>& by_item, const matrix<T>& customers, const matrix<T>& items,
                      const run_options& how) {
    const auto d = static_cast<std::size_t>(customers.cols());
    const auto penalty = [&](std::span<const T> values, std::span<const T> factors, std::size_t others) {
        const auto observed = std::ranges::count_if(values, [&](T value) { return loss.confidence(static_cast<double>(value)) > 0; });
        double square = 0;
        for (const T f : factors) square += static_cast<double>(f) * static_cast<double>(f);
        return loss.regularizer(static_cast<std::size_t>(observed), others) * square;
    };
    constexpr std::size_t block = 256;
    std::vector<double> parts((x.rows() + block - 1) / block);
    parallel_blocks(x.rows(), block, how, [&](std::size_t begin, std::size_t end, std::size_t b) {
        for (std::size_t row = begin; row < end; ++row) {
            const auto mine = x[row];
            const auto u = row_of(customers, static_cast<row_index>(row));
            for (std::size_t k = 0; k < mine.size(); ++k) {
                const auto v = row_of(items, static_cast<row_index>(mine.items[k]));
                double score = 0;
                for (std::size_t j = 0; j < d; ++j) score += static_cast<double>(u[j]) * static_cast<double>(v[j]);
                parts[b] += loss.confidence(static_cast<double>(mine.values[k])) * (1 - score) * (1 - score);
            }
            parts[b] += penalty(mine.values, u, x.items().size());
        }
    });
    double sum = 0;
    for (const double part : parts) sum += part;
    for (std::size_t item = 0; item < by_item.size(); ++item)
        sum += penalty(by_item.values_of(item), row_of(items, static_cast<row_index>(item)), x.rows());
    if (loss.unobserved_weight > 0) {
        const matrix<double> a = als_side<T>::gramian(customers, how), b = als_side<T>::gramian(items, how);
        double all = 0;
        for (row_index i = 0; i < a.size(); ++i) all += a.data()[i] * b.data()[i];
        sum += loss.unobserved_weight * all;
    }
    return sum;
}

}  // namespace detail

template <class T>
struct als;

/// Factors of customers and items: score = customer . item. See `query` for what can be asked; a history in a query is
/// folded in, which gives a training customer's own purchases the factors that training gave them, bit for bit.
template <class T>
class als_model : public detail::recommender<als_model<T>, T> {
   public:
    static constexpr std::string_view kind = "als";
    static constexpr bool scores_are_products = true;

    /// `customer_factors` is (customers, n_factors), `item_factors` (items, n_factors).
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    als_model(interactions<T> purchases, matrix<T> customer_factors, matrix<T> item_factors, als_loss loss)
        : als_model(std::move(purchases), std::move(customer_factors), std::move(item_factors), loss, {}) {}

    /// (customers, n_factors)
    [[nodiscard]] const matrix<T>& customer_factors() const noexcept { return customer_factors_; }
    /// (items, n_factors)
    [[nodiscard]] const matrix<T>& item_factors() const noexcept { return item_factors_; }
    [[nodiscard]] const als_loss& loss() const noexcept { return loss_; }

    /// The factors of a known customer, or of the history in a query (zero for an empty one): (n_factors) in the
    /// workspace. Throws `error` as a query does.
    [[nodiscard]] std::span<const T> factors_of(const query& who, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto found = base::resolve(who, scratch);
        return customer_vector(found, scratch);
    }
    /// The factors of a customer who bought `items`, rows of `items()` in strictly ascending order, with `values` beside
    /// them: (n_factors) in the workspace, zero where nothing was bought; nothing is allocated after the first calls.
    /// Throws `error`: `shape_mismatch`; `unknown_id`, `nan_or_inf` and `bad_data` (the order, a negative value) with the
    /// row of the purchase; `diverged`.
    [[nodiscard]] std::span<const T> fold_in(std::span<const std::int32_t> items, std::span<const T> values, workspace& scratch) const {
        require(items.size() == values.size(), errc::shape_mismatch, "als: fold_in got ", items.size(), " items but ", values.size(), " values");
        for (std::size_t k = 0; k < items.size(); ++k) {
            if (items[k] < 0 || std::cmp_greater_equal(items[k], base::items().size())) [[unlikely]]
                fail(errc::unknown_id, {.row = k + 1}, "als: item ", k + 1, " to fold in is row ", items[k], ", there are ", base::items().size());
            if (k > 0 && items[k] <= items[k - 1]) [[unlikely]]
                fail(errc::bad_data, {.row = k + 1}, "als: item ", k + 1, " to fold in is row ", items[k], " after row ", items[k - 1], ", must ascend");
            if (!std::isfinite(values[k])) [[unlikely]]
                fail(errc::nan_or_inf, {.row = k + 1}, "als: value ", k + 1, " to fold in is not finite");
            if (values[k] < 0) [[unlikely]]
                fail(errc::bad_data, {.row = k + 1}, "als: value ", k + 1, " to fold in is negative");
        }
        const workspace::frame frame(scratch);
        return folded(items, values, scratch);
    }

    /// What each bought item (by row) adds to the score of `item`, largest first; they sum to the score
    /// (Hu, Koren & Volinsky 2008, section 5). Throws `error` as a query does, and `unknown_id` for the item.
    [[nodiscard]] std::vector<recommendation<T>> explain(const query& asked, const any_id& item) const {
        workspace scratch;
        const workspace::frame frame(scratch);
        const auto who = base::resolve(asked, scratch);
        const auto wanted = row_of(item_factors_, static_cast<row_index>(base::items().row_of(item)));
        const auto shares = scratch.take<T>(who.items.size());
        side_.explain(who.items, who.values, wanted, shares, scratch);
        std::vector<recommendation<T>> out;
        for (std::size_t k = 0; k < shares.size(); ++k) out.push_back({who.items[k], shares[k]});
        std::ranges::sort(out, detail::ranks_before{});
        return out;
    }

    /// The same items, and nobody's purchases: for folding in where training customers need not be known, or must not be.
    [[nodiscard]] als_model without_customers() const {
        return {interactions<T>({}, base::items(), {0}, {}, {}, {}), matrix<T>(0, item_factors_.cols()), item_factors_, loss_, side_};
    }

    static constexpr std::array field_names{"purchases", "customer_factors", "item_factors", "loss"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(base::purchases(), customer_factors_, item_factors_, loss_); }

   private:
    using base = detail::recommender<als_model, T>;
    friend base;
    friend als<T>;

    // `side`: of the item factors under this loss, where the caller has it already.
    als_model(interactions<T> purchases, matrix<T> customer_factors, matrix<T> item_factors, als_loss loss, detail::als_side<T> side)
        : base(std::move(purchases)), customer_factors_(std::move(customer_factors)), item_factors_(std::move(item_factors)), loss_(loss), side_(std::move(side)) {
        detail::require_als_loss(loss_, errc::bad_data);
        require(std::cmp_equal(customer_factors_.rows(), base::customers().size()) && std::cmp_equal(item_factors_.rows(), base::items().size()) &&
                    customer_factors_.cols() == item_factors_.cols() && customer_factors_.allFinite() && item_factors_.allFinite(),
                errc::bad_data, "als: purchases and factors do not belong together");
        if (side_.empty()) side_ = detail::als_side<T>(loss_, item_factors_, run_options{}, errc::bad_data);
    }

    std::span<T> folded(std::span<const std::int32_t> items, std::span<const T> values, workspace& scratch) const {
        const auto out = scratch.take<T>(static_cast<std::size_t>(item_factors_.cols()));
        side_.solve(items, values, out, scratch);
        return out;
    }
    std::span<const T> customer_vector(const typename base::resolved& who, workspace& scratch) const {
        if (who.row) return row_of(customer_factors_, static_cast<row_index>(*who.row));
        return folded(who.items, who.values, scratch);
    }

    matrix<T> customer_factors_, item_factors_;
    als_loss loss_;
    detail::als_side<T> side_;     // the items, for folding in
};

/// Recipe for `als_model`: see `als_loss` for what is minimised. Training solves the customers, then `epochs` times the
/// items and the customers again, so it ends with the customers. Each half of an epoch lowers the loss.
template <class T>
struct als {
    using stage_concept = recipe_tag;

    std::size_t n_factors = 64;             ///< 1 .. 4096; more than the data have does no harm
    double regularization = 0.01;           ///< see `als_loss`
    double unobserved_weight = 0.1;
    double frequency_scaling = 1;
    weighting weights = weighting::values;
    double confidence_scale = 1;
    std::size_t epochs = 16;                ///< 1 .. 1,000,000
    warm_start<als_model<T>> start = {};    ///< items that this model knows begin with its factors

    /// Reports the loss per observed pair after each epoch.
    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value), `diverged`.
    [[nodiscard]] als_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        const als_loss loss{regularization, unobserved_weight, frequency_scaling, weights, confidence_scale};
        check(loss);
        detail::require_purchases(x, "als");
        const auto by_item = x.by_item();
        matrix<T> items = first_items(x, options);
        matrix<T> customers = matrix<T>::Zero(static_cast<row_index>(x.rows()), items.cols());
        detail::als_side<T> side(loss, items, options);
        side.half_step(x.by_customer(), customers, options);
        for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
            detail::als_side<T>(loss, customers, options).half_step(by_item.view(), items, options);
            side = detail::als_side<T>(loss, items, options);
            side.half_step(x.by_customer(), customers, options);
            if (!options.on_progress) continue;
            const double total = detail::als_total_loss(loss, x, by_item.view(), customers, items, options);
            if (options.on_progress({als_model<T>::kind, epoch, epochs, total / static_cast<double>(x.pairs())}) == verdict::stop) break;
        }
        return {x.without_times(), std::move(customers), std::move(items), loss, std::move(side)};
    }

   private:
    void check(const als_loss& loss) const {
        detail::require_als_loss(loss, errc::bad_parameter);
        require(n_factors >= 1 && n_factors <= 4096, errc::bad_parameter, "als: n_factors is ", n_factors, ", must be in 1 .. 4096");
        require(epochs >= 1 && epochs <= 1'000'000, errc::bad_parameter, "als: epochs is ", epochs, ", must be in 1 .. 1000000");
        require(start.get() == nullptr || std::cmp_equal(start.get()->item_factors().cols(), n_factors), errc::bad_parameter, "als: n_factors is ", n_factors,
                ", the model to start from has ", start.get() == nullptr ? 0 : start.get()->item_factors().cols());
    }
    // Normal with deviation .1 / sqrt(n_factors), as in Rendle et al. 2022.
    matrix<T> first_items(const interactions<T>& x, const fit_options& options) const {
        rng numbers = stage_rng(options, als_model<T>::kind);
        const double scale = 0.1 / std::sqrt(static_cast<double>(n_factors));
        matrix<T> out(static_cast<row_index>(x.items().size()), static_cast<row_index>(n_factors));
        for (T& f : std::span(out.data(), static_cast<std::size_t>(out.size()))) f = static_cast<T>(scale * numbers.normal());
        if (const auto* model = start.get())
            for (std::size_t item = 0; item < x.items().size(); ++item)
                if (const auto row = model->items().find(x.items()[item]))
                    out.row(static_cast<row_index>(item)) = model->item_factors().row(static_cast<row_index>(*row));
        return out;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
