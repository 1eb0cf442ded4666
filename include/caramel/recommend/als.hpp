#ifndef CARAMEL_RECOMMEND_ALS_HPP
#define CARAMEL_RECOMMEND_ALS_HPP

// Matrix factorization of implicit feedback by alternating least squares, each row solved exactly.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The loss that `als` minimises. With confidences c > 0 of the observed pairs, scores s = u.v of all of them:
///
///     sum over observed of c (1 - s)^2  +  unobserved_weight * sum over all pairs of s^2
///         +  sum over customers and items of r |factors|^2,   r = regularization * (n + unobserved_weight * N)^frequency_scaling
///
/// where n counts the observed pairs of the customer (item) and N all items (customers)
/// (Rendle, Krichene, Zhang & Koren, RecSys 2022; the first form is Hu, Koren & Volinsky, ICDM 2008).
struct als_loss {
    double regularization = 0.01;    ///< lambda, above 0
    double unobserved_weight = 0.1;  ///< alpha0, at least 0: how much a pair that was not observed speaks against it
    double frequency_scaling = 1;    ///< nu, at least 0: 0 regularizes all rows alike, 1 those with many pairs more
    weighting weights = weighting::values;  ///< confidence = confidence_scale * the value so weighted
    double confidence_scale = 1;     ///< above 0

    friend bool operator==(const als_loss&, const als_loss&) = default;
    static constexpr std::array field_names{"regularization", "unobserved_weight", "frequency_scaling", "weights", "confidence_scale"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(regularization, unobserved_weight, frequency_scaling, weights, confidence_scale); }
};

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

// Solves the normal equations of one row, in double whatever T is:
//     (alpha0 G + r I + sum of c h h') w = sum of c h,   G = H'H over all rows h of the other side.
// Every element is summed in one order that depends on nothing but the row, so a row has the same bits in training and
// when it is folded in later. (Eigen's factorizations sum in an order that depends on how memory is aligned.)
class als_rows {
    using lane = lanes<double>::type;
    static constexpr std::size_t width = lanes<double>::count;
    static constexpr std::size_t chunk = 32;

   public:
    als_rows(const als_loss& loss, std::size_t n_factors, std::size_t n_others) : loss_(loss), d_(n_factors), n_others_(n_others) {}

    [[nodiscard]] double confidence(double value) const noexcept { return loss_.confidence_scale * weigh(loss_.weights, value); }
    template <class T>
    [[nodiscard]] double regularization(std::span<const T> values) const noexcept {
        const auto observed = std::ranges::count_if(values, [&](T value) { return confidence(static_cast<double>(value)) > 0; });
        return loss_.regularization *
               std::pow(static_cast<double>(observed) + loss_.unobserved_weight * static_cast<double>(n_others_), loss_.frequency_scaling);
    }

    // Factors row by row, in rows of `padded()` doubles whose ends are zero.
    [[nodiscard]] std::size_t padded() const noexcept { return (d_ + 2 * width - 1) / (2 * width) * (2 * width); }

    // alpha0 G, (d, padded). Cut into at most 64 blocks of rows, by data alone.
    template <class T>
    [[nodiscard]] std::vector<double> weighted_gramian(const matrix<T>& others, const run_options& how) const {
        const auto n = static_cast<std::size_t>(others.rows());
        const std::size_t block = std::max<std::size_t>(256, (n + 63) / 64), size = d_ * padded();
        std::vector<std::vector<double>> parts((n + block - 1) / block);
        parallel_blocks(n, block, how, [&](std::size_t begin, std::size_t end, std::size_t b) {
            parts[b].resize(size);
            workspace scratch;
            const auto rows = scratch.take<double>(chunk * padded());
            for (std::size_t first = begin; first < end; first += chunk) {
                const std::size_t count = std::min(chunk, end - first);
                for (std::size_t i = 0; i < count; ++i) copy_factors(others, first + i, 1, rows.data() + i * padded());
                multiply_strided(rows.data(), 1, padded(), rows.data(), d_, count, padded(), parts[b].data(), true);
            }
        });
        std::vector<double> out(size);
        for (const auto& part : parts)
            for (std::size_t i = 0; i < size; ++i) out[i] += part[i];
        for (double& x : out) x *= loss_.unobserved_weight;
        return out;
    }

    // Factorizes the row's matrix, U'U in the upper triangle of (d, padded) doubles in the workspace.
    // Throws `diverged` where rounding has eaten the regularization, or numbers grew beyond double.
    template <class T>
    std::span<double> factorize(const matrix<T>& others, std::span<const double> weighted_gramian, std::span<const std::int32_t> ids, std::span<const T> values,
                                workspace& scratch) const {
        const auto a = scratch.take<double>(d_ * padded());
        std::ranges::copy(weighted_gramian, a.begin());
        const double r = regularization(values);
        for (std::size_t i = 0; i < d_; ++i) a[i * padded() + i] += r;
        const auto plain = scratch.take<double>(chunk * padded());
        const auto weighted = scratch.take<double>(chunk * padded());
        for (std::size_t first = 0; first < ids.size(); first += chunk) {
            const std::size_t count = std::min(chunk, ids.size() - first);
            for (std::size_t k = 0; k < count; ++k) {
                const auto other = static_cast<std::size_t>(ids[first + k]);
                copy_factors(others, other, 1, plain.data() + k * padded());
                copy_factors(others, other, confidence(static_cast<double>(values[first + k])), weighted.data() + k * padded());
            }
            multiply_strided(weighted.data(), 1, padded(), plain.data(), d_, count, padded(), a.data(), true);
        }
        cholesky(a);
        return a;
    }
    // b <- the solution of U'U x = b, for `padded()` values.
    void solve(std::span<const double> u, std::span<double> b) const noexcept {
        for (std::size_t k = 0; k < d_; ++k) {
            b[k] /= u[k * padded() + k];
            for (std::size_t j = k + 1; j < d_; ++j) b[j] -= b[k] * u[k * padded() + j];
        }
        for (std::size_t i = d_; i-- > 0;) {
            double sum = b[i];
            for (std::size_t j = i + 1; j < d_; ++j) sum -= u[i * padded() + j] * b[j];
            b[i] = sum / u[i * padded() + i];
        }
    }

    // The factors of one row; zero where nothing was observed.
    template <class T>
    void solve_row(const matrix<T>& others, std::span<const double> weighted_gramian, std::span<const std::int32_t> ids, std::span<const T> values,
                   std::span<T> out, workspace& scratch) const {
        const auto b = scratch.take<double>(padded());
        std::ranges::fill(b, 0.0);
        bool observed = false;
        for (std::size_t k = 0; k < ids.size(); ++k) {
            const double c = confidence(static_cast<double>(values[k]));
            const auto h = row_of(others, static_cast<row_index>(ids[k]));
            for (std::size_t j = 0; j < d_; ++j) b[j] += c * static_cast<double>(h[j]);
            observed = observed || c > 0;
        }
        if (observed) solve(factorize(others, weighted_gramian, ids, values, scratch), b);
        for (std::size_t j = 0; j < d_; ++j) {
            out[j] = static_cast<T>(b[j]);
            require(std::isfinite(out[j]), errc::diverged, "als: factors grew beyond the number type; raise regularization, or scale the values down");
        }
    }

    // All rows of one side, the other side fixed.
    template <class T>
    void half_step(const sparse_rows<T>& observed, const matrix<T>& others, matrix<T>& out, const run_options& how) const {
        const auto gramian = weighted_gramian(others, how);
        parallel_blocks(observed.size(), 64, how, [&](std::size_t begin, std::size_t end, std::size_t) {
            workspace scratch;
            for (std::size_t row = begin; row < end; ++row) {
                const workspace::frame frame(scratch);
                solve_row<T>(others, gramian, observed.ids_of(row), observed.values_of(row), {out.data() + row * d_, d_}, scratch);
            }
        });
    }

   private:
    template <class T>
    void copy_factors(const matrix<T>& from, std::size_t row, double times, double* to) const {
        const auto factors = row_of(from, static_cast<row_index>(row));
        for (std::size_t j = 0; j < d_; ++j) to[j] = times * static_cast<double>(factors[j]);
        std::fill(to + d_, to + padded(), 0.0);
    }

    // Row i of U from the rows above it, four at a time. Lanes begin at a multiple of their width, so some elements
    // left of the diagonal change; nobody looks at those.
    void cholesky(std::span<double> a) const {
        for (std::size_t i = 0; i < d_; ++i) {
            double* const row = a.data() + i * padded();
            const std::size_t from = i / width * width;
            std::size_t k = 0;
            for (; k + 4 <= i; k += 4) subtract_rows<4>(a, k, i, from, row);
            for (; k < i; ++k) subtract_rows<1>(a, k, i, from, row);
            require(std::isfinite(row[i]) && row[i] > 0, errc::diverged,
                    "als: the equations of a row are singular in double precision; raise regularization, or scale the values down");
            const double pivot = std::sqrt(row[i]);
            for (std::size_t j = i; j < d_; ++j) row[j] /= pivot;
        }
    }
    template <std::size_t Rows>
    void subtract_rows(std::span<const double> a, std::size_t k, std::size_t i, std::size_t from, double* row) const noexcept {
        const double* above[Rows];
        double factor[Rows];
        for (std::size_t r = 0; r < Rows; ++r) {
            above[r] = a.data() + (k + r) * padded();
            factor[r] = above[r][i];
        }
        for (std::size_t j = from; j < padded(); j += width) {
            lane sum;
            std::memcpy(&sum, row + j, sizeof sum);
            for (std::size_t r = 0; r < Rows; ++r) {
                lane x;
                std::memcpy(&x, above[r] + j, sizeof x);
                sum = sum - factor[r] * x;
            }
            std::memcpy(row + j, &sum, sizeof sum);
        }
    }

    als_loss loss_;
    std::size_t d_, n_others_;
};

// The whole loss without looking at pairs that were not observed: sum over all pairs of s^2 = sum of (U'U) o (V'V).
template <class T>
double als_total_loss(const als_loss& loss, const interactions<T>& x, const sparse_rows<T>& by_item, const matrix<T>& customers, const matrix<T>& items,
                      const run_options& how) {
    const auto d = static_cast<std::size_t>(customers.cols());
    const als_rows for_customers(loss, d, x.items().size()), for_items(loss, d, x.rows());
    const auto norm = [&](const matrix<T>& factors, std::size_t row) {
        double square = 0;
        for (const T f : row_of(factors, static_cast<row_index>(row))) square += static_cast<double>(f) * static_cast<double>(f);
        return square;
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
                parts[b] += for_customers.confidence(static_cast<double>(mine.values[k])) * (1 - score) * (1 - score);
            }
            parts[b] += for_customers.regularization(mine.values) * norm(customers, row);
        }
    });
    double sum = 0;
    for (const double part : parts) sum += part;
    for (std::size_t item = 0; item < by_item.size(); ++item) sum += for_items.regularization(by_item.values_of(item)) * norm(items, item);
    if (loss.unobserved_weight > 0) {
        const auto a = for_items.weighted_gramian(customers, how);
        const auto b = for_customers.weighted_gramian(items, how);
        for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i] / loss.unobserved_weight;
    }
    return sum;
}

}  // namespace detail

/// Factors of customers and items: score = customer . item. See `query` for what can be asked; a history in a query is
/// folded in, which gives a training customer's own purchases the factors that training gave them, bit for bit.
template <class T>
class als_model : public detail::recommender<als_model<T>, T> {
   public:
    static constexpr std::string_view kind = "als";

    /// `customer_factors` is (customers, n_factors), `item_factors` (items, n_factors).
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    als_model(interactions<T> purchases, matrix<T> customer_factors, matrix<T> item_factors, als_loss loss)
        : base(std::move(purchases)), customer_factors_(std::move(customer_factors)), item_factors_(std::move(item_factors)), loss_(loss) {
        detail::require_als_loss(loss_, errc::bad_data);
        require(std::cmp_equal(customer_factors_.rows(), base::customers().size()) && std::cmp_equal(item_factors_.rows(), base::items().size()) &&
                    customer_factors_.cols() == item_factors_.cols() && customer_factors_.allFinite() && item_factors_.allFinite(),
                errc::bad_data, "als: purchases and factors do not belong together");
        by_factor_ = item_factors_.transpose();
        weighted_gramian_ = rows().weighted_gramian(item_factors_, run_options{});
    }

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
        if (found.row) return row_of(customer_factors_, static_cast<row_index>(*found.row));
        return fold_in(found.items, found.values, scratch);
    }

    /// What each bought item (by row) adds to the score of `item`, largest first; they sum to the score
    /// (Hu, Koren & Volinsky 2008, section 5). Throws `error` as a query does, and `unknown_id` for the item.
    [[nodiscard]] std::vector<recommendation<T>> explain(const query& asked, const any_id& item) const {
        workspace scratch;
        const workspace::frame frame(scratch);
        const auto who = base::resolve(asked, scratch);
        const auto wanted = row_of(item_factors_, static_cast<row_index>(base::items().row_of(item)));
        const auto solver = rows();
        std::vector<recommendation<T>> out;
        if (who.items.empty()) return out;
        const auto direction = scratch.take<double>(solver.padded());
        std::ranges::fill(direction, 0.0);
        for (std::size_t j = 0; j < wanted.size(); ++j) direction[j] = static_cast<double>(wanted[j]);
        solver.solve(solver.factorize(item_factors_, weighted_gramian_, who.items, who.values, scratch), direction);
        for (std::size_t k = 0; k < who.items.size(); ++k) {
            const auto h = row_of(item_factors_, static_cast<row_index>(who.items[k]));
            double share = 0;
            for (std::size_t j = 0; j < h.size(); ++j) share += direction[j] * static_cast<double>(h[j]);
            out.push_back({who.items[k], static_cast<T>(solver.confidence(static_cast<double>(who.values[k])) * share)});
        }
        std::ranges::sort(out, detail::ranks_before{});
        return out;
    }

    static constexpr std::array field_names{"purchases", "customer_factors", "item_factors", "loss"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(base::purchases(), customer_factors_, item_factors_, loss_); }

   private:
    using base = detail::recommender<als_model, T>;
    friend base;
    [[nodiscard]] detail::als_rows rows() const noexcept { return {loss_, static_cast<std::size_t>(item_factors_.cols()), base::items().size()}; }
    std::span<T> fold_in(std::span<const std::int32_t> items, std::span<const T> values, workspace& scratch) const {
        const auto out = scratch.take<T>(static_cast<std::size_t>(item_factors_.cols()));
        rows().solve_row(item_factors_, std::span<const double>(weighted_gramian_), items, values, out, scratch);
        return out;
    }
    void score_known(std::size_t row, std::span<T> out, workspace&) const {
        multiply_row<T>(row_of(customer_factors_, static_cast<row_index>(row)), by_factor_, out);
    }
    void score_history(std::span<const std::int32_t> items, std::span<const T> values, std::span<T> out, workspace& scratch) const {
        multiply_row<T>(fold_in(items, values, scratch), by_factor_, out);
    }

    matrix<T> customer_factors_, item_factors_;
    als_loss loss_;
    matrix<T> by_factor_;                   // (n_factors, items): all scores of a customer in one pass
    std::vector<double> weighted_gramian_;  // of the items, for folding in
};

/// Where a fit begins: at a fitted model, shared by the copies of the recipe, or at random.
template <class Model>
class warm_start {
   public:
    warm_start() = default;
    warm_start(Model model) : model_(std::make_shared<const Model>(std::move(model))) {}  // NOLINT(google-explicit-constructor)
    [[nodiscard]] const Model* get() const noexcept { return model_.get(); }

   private:
    std::shared_ptr<const Model> model_;
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
        const detail::als_rows of_customers(loss, n_factors, x.items().size()), of_items(loss, n_factors, x.rows());
        matrix<T> items = first_items(x, options);
        matrix<T> customers = matrix<T>::Zero(static_cast<row_index>(x.rows()), items.cols());
        of_customers.half_step(x.by_customer(), items, customers, options);
        for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
            of_items.half_step(by_item.view(), customers, items, options);
            of_customers.half_step(x.by_customer(), items, customers, options);
            if (!options.on_progress) continue;
            const double total = detail::als_total_loss(loss, x, by_item.view(), customers, items, options);
            if (options.on_progress({als_model<T>::kind, epoch, epochs, total / static_cast<double>(x.pairs())}) == verdict::stop) break;
        }
        return {x.without_times(), std::move(customers), std::move(items), loss};
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
