#ifndef CARAMEL_RECOMMEND_ALS_HPP
#define CARAMEL_RECOMMEND_ALS_HPP

// Matrix factorization of implicit feedback by alternating least squares.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/callback.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/warm_start.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als_solver.hpp>
#include <caramel/recommend/joined.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

template <class = void>
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
        const auto observed = std::count_if(values.begin(), values.end(), [&](T value) { return loss.confidence(static_cast<double>(value)) > 0; });
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

// How these rows are solved in training, where both sides stay in a common basis. Short rows are solved sooner than it takes
// to turn what they were before to the new basis. Where conjugate gradients stop early, what is left is far below 1e-5 of a row.
template <class T>
[[nodiscard]] als_method als_method_for(als_method method, const sparse_rows<T>& rows, std::size_t n_factors) {
    method.turn_back = false;
    if (method.solver != als_solver::conjugate_gradient) return method;
    const bool brief = rows.ids.size() < rows.size() * n_factors / 8;
    method.tolerance = brief ? 2e-6 : 3e-6;
    if (brief) method.solver = als_solver::exact;
    return method;
}

// Training: customers and items in a common basis, which each half-step turns to where it is solved best. Only the final
// customers need turning back.
template <class T>
class als_training {
   public:
    als_training(const interactions<T>& x, const als_loss& loss, const als_method& method, matrix<T> first_items)
        : x_(x), by_item_(x.by_item()), loss_(loss), method_(method), items_(std::move(first_items)),
          customers_(large_matrix<T>(x.rows(), static_cast<std::size_t>(items_.cols()))) {
        customers_.setZero();
    }

    // The customers for the items as they are, then the items for these.
    void epoch(const run_options& how) {
        solve_customers(how);
        customers_stand_ = false;
        const als_side<T> fixed(loss_, &customers_, how);
        if (method_.solver == als_solver::exact) {
            side_ = {};
        } else {  // what the items were, in the basis that the customers had
            items_ = side_.turned_factors();
            side_ = {};
        }
        fixed.half_step(by_item_.view(), items_, how, method_for(by_item_.view()));
    }
    // With the customers for the items as they are.
    [[nodiscard]] double loss(const run_options& how) {
        solve_customers(how);
        return als_total_loss(loss_, x_, by_item_.view(), customers_, side_.turned_factors(), how);
    }
    // The customers as folding in will find them, and nothing else to come. `observe(side, customers, items, by_item)`.
    template <class Observe>
    void finish(const run_options& how, const Observe& observe) {
        if (!customers_stand_) side_ = als_side<T>(loss_, items_, how);
        side_.half_step(x_.by_customer(), customers_, how);
        observe(by_item_.view(), customers_, items_);
        by_item_ = {};
    }
    [[nodiscard]] matrix<T> take_customers() noexcept { return std::move(customers_); }
    [[nodiscard]] matrix<T> take_items() noexcept { return std::move(items_); }
    [[nodiscard]] als_side<T> take_side() noexcept { return std::move(side_); }

   private:
    void solve_customers(const run_options& how) {
        if (customers_stand_) return;
        side_ = als_side<T>(loss_, items_, how);
        side_.half_step(x_.by_customer(), customers_, how, method_for(x_.by_customer()));
        customers_stand_ = true;
    }
    [[nodiscard]] als_method method_for(const sparse_rows<T>& rows) const { return als_method_for(method_, rows, static_cast<std::size_t>(items_.cols())); }

    const interactions<T>& x_;
    sparse_table<T> by_item_;
    als_loss loss_;
    als_method method_;
    matrix<T> items_, customers_;
    als_side<T> side_;
    bool customers_stand_ = false;  // for the items as they are, in the basis of `side_`
};

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
    /// For `detail::recommender`.
    [[nodiscard]] const packed_columns<T>& packed_items() const noexcept { return packed_items_; }

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
        std::sort(out.begin(), out.end(), detail::ranks_before{});
        return out;
    }

    /// A model that also has the items of `bought` that this one does not know: each gets the factors that a half-step of
    /// training would give it, from its buyers as they are. Nobody else's factors change, not the buyers' either: refresh
    /// them with `refreshed` where that matters. `bought` has customers of this model and new items only.
    /// Throws `error`: `unknown_id` and `bad_data` with the row of a customer who is not known or an item that is, `bad_data`
    /// (ids of another kind, a negative value), `diverged`.
    [[nodiscard]] als_model with_items(const interactions<T>& bought, const run_options& how = {}) const {
        for (std::size_t row = 0; row < bought.rows(); ++row)
            require_at(base::customers().find(bought.customers()[row]).has_value(), errc::unknown_id, {.row = row + 1}, "als: customer ", row + 1,
                       " of those who bought new items is not in the model");
        for (std::size_t item = 0; item < bought.items().size(); ++item)
            require_at(!base::items().find(bought.items()[item]).has_value(), errc::bad_data, {.row = item + 1}, "als: item ", item + 1,
                       " of the new ones is in the model already");
        return grown(bought, false, how);
    }
    /// A model that knows what `changed` says of its customers, new ones or known: their purchases are these now (all of
    /// them, not only the latest), and their factors those that folding in gives. Items that the model does not know
    /// are taken in first, as `with_items` does. Other customers and items keep their factors, so after many changes it
    /// is better to train on from this model (`als::start`). With the purchases of training the model is the same, bit for bit.
    /// Throws `error`: `bad_data` (ids of another kind, a negative value), `diverged`.
    [[nodiscard]] als_model refreshed(const interactions<T>& changed, const run_options& how = {}) const { return grown(changed, true, how); }

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
        constexpr row_index small = row_index{1} << 20;  // numbers
        if (item_factors_.size() <= small) packed_items_ = packed_columns<T>(matrix<T>(item_factors_.transpose()));
    }

    // With the pairs of `more`: instead of what its customers have (and then their factors are solved), or beside it.
    [[nodiscard]] als_model grown(const interactions<T>& more, bool replace, const run_options& how) const {
        for (std::size_t row = 0; row < more.rows(); ++row)
            for (const T value : more[row].values)
                require_at(value >= 0, errc::bad_data, {.row = row + 1}, "als: a value of customer ", row + 1, " is negative");
        auto joined = detail::join_interactions(base::purchases(), more, replace, "als");
        const auto d = item_factors_.cols();
        const auto spread = [d](const matrix<T>& from, const std::vector<std::int32_t>& places, std::size_t rows) {
            matrix<T> out = matrix<T>::Zero(static_cast<row_index>(rows), d);
            for (std::size_t i = 0; i < places.size(); ++i) out.row(places[i]) = from.row(static_cast<row_index>(i));
            return out;
        };
        matrix<T> customers = spread(customer_factors_, joined.old_customers, joined.pairs.rows());
        matrix<T> items = spread(item_factors_, joined.old_items, joined.pairs.items().size());
        // Rows of the other side, found one by one.
        const auto solve = [&](const detail::als_side<T>& side, const detail::sparse_rows<T>& observed, const std::vector<std::size_t>& rows, matrix<T>& out) {
            parallel_blocks(rows.size(), 64, how, [&](std::size_t begin, std::size_t end, std::size_t) {
                workspace scratch;
                for (std::size_t i = begin; i < end; ++i) {
                    const workspace::frame frame(scratch);
                    const std::span<T> row(out.data() + static_cast<row_index>(rows[i]) * d, static_cast<std::size_t>(d));
                    side.solve(observed.ids_of(rows[i]), observed.values_of(rows[i]), row, scratch);
                }
            });
        };
        std::vector<std::size_t> whose, new_items;
        if (replace)
            for (const auto row : joined.new_customers) whose.push_back(static_cast<std::size_t>(row));
        {
            std::vector<bool> known(joined.pairs.items().size());
            for (const auto item : joined.old_items) known[static_cast<std::size_t>(item)] = true;
            for (std::size_t item = 0; item < known.size(); ++item)
                if (!known[item]) new_items.push_back(item);
        }
        if (new_items.empty()) {
            if (side_.size() > 0) solve(side_, joined.pairs.by_customer(), whose, customers);
            return {std::move(joined.pairs), std::move(customers), std::move(items), loss_, side_};
        }
        // The new items' rows are zero so far, so that buyers are solved by what else they bought.
        if (!whose.empty()) solve(detail::als_side<T>(loss_, items, how), joined.pairs.by_customer(), whose, customers);
        const auto by_item = joined.pairs.by_item();
        if (customers.rows() > 0) solve(detail::als_side<T>(loss_, customers, how), by_item.view(), new_items, items);
        detail::als_side<T> side(loss_, items, run_options{how});
        solve(side, joined.pairs.by_customer(), whose, customers);
        return {std::move(joined.pairs), std::move(customers), std::move(items), loss_, std::move(side)};
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
    detail::als_side<T> side_;           // the items, for folding in
    packed_columns<T> packed_items_;     // of a small catalogue: all scores of a customer in one pass
};

/// Recipe for `als_model`: see `als_loss` for what is minimised. Training solves the customers, then `epochs` times the
/// items and the customers again. Each half of an epoch lowers the loss, however its rows are solved; the last one, which is
/// the customers', is always exact, so that folding in a customer gives what training gave.
template <class T>
struct als {
    using stage_concept = recipe_tag;

    std::size_t n_factors = 64;             ///< 1 .. 4096; more than the data have does no harm
    double regularization = 0.01;           ///< see `als_loss`; less of it tells more of who was in the training data (docs/trust.md)
    double unobserved_weight = 0.1;
    double frequency_scaling = 1;
    weighting weights = weighting::values;
    double confidence_scale = 1;
    std::size_t epochs = 16;                ///< 1 .. 1,000,000
    als_solver solver = als_solver::automatic;
    std::size_t cg_steps = 3;               ///< 1 .. 1000, of `als_solver::conjugate_gradient`
    std::size_t block_size = 32;            ///< 1 .. 4096, of `als_solver::block_subspace`: so many factors at once
    warm_start<als_model<T>> start = {};    ///< items that this model knows begin with its factors

    /// Reports the loss per observed pair after each epoch.
    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value), `diverged`.
    [[nodiscard]] als_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        const als_loss loss{regularization, unobserved_weight, frequency_scaling, weights, confidence_scale};
        check(loss);
        detail::require_purchases(x, "als");
        detail::als_training<T> training(x, loss, {.solver = solver_for(x), .cg_steps = cg_steps, .block_size = block_size}, first_items(x, options));
        const auto report = [&](std::size_t epoch, double total) {
            return options.on_progress({als_model<T>::kind, epoch, epochs, total / static_cast<double>(x.pairs())}) == verdict::stop;
        };
        for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
            training.epoch(options);
            if (options.on_progress && epoch < epochs && report(epoch, training.loss(options))) return finished(training, x, loss, options, {});
        }
        return finished(training, x, loss, options, [&](double total) { (void)report(epochs, total); });
    }

   private:
    void check(const als_loss& loss) const {
        detail::require_als_loss(loss, errc::bad_parameter);
        require(n_factors >= 1 && n_factors <= 4096, errc::bad_parameter, "als: n_factors is ", n_factors, ", must be in 1 .. 4096");
        require(epochs >= 1 && epochs <= 1'000'000, errc::bad_parameter, "als: epochs is ", epochs, ", must be in 1 .. 1000000");
        require(solver <= als_solver::block_subspace, errc::bad_parameter, "als: no such solver");
        require(cg_steps >= 1 && cg_steps <= 1000, errc::bad_parameter, "als: cg_steps is ", cg_steps, ", must be in 1 .. 1000");
        require(block_size >= 1 && block_size <= 4096, errc::bad_parameter, "als: block_size is ", block_size, ", must be in 1 .. 4096");
        require(start.get() == nullptr || std::cmp_equal(start.get()->item_factors().cols(), n_factors), errc::bad_parameter, "als: n_factors is ", n_factors,
                ", the model to start from has ", start.get() == nullptr ? 0 : start.get()->item_factors().cols());
    }
    [[nodiscard]] als_solver solver_for(const interactions<T>& x) const noexcept {
        if (solver != als_solver::automatic) return solver;
        return static_cast<double>(x.pairs()) * static_cast<double>(n_factors) <= 2e9 ? als_solver::exact : als_solver::conjugate_gradient;
    }
    [[nodiscard]] static als_model<T> finished(detail::als_training<T>& training, const interactions<T>& x, const als_loss& loss, const fit_options& options,
                                               const callback<void(double)>& report) {
        training.finish(options, [&](const detail::sparse_rows<T>& by_item, const matrix<T>& customers, const matrix<T>& items) {
            if (options.on_progress && report) report(detail::als_total_loss(loss, x, by_item, customers, items, options));
        });
        return {x.without_times(), training.take_customers(), training.take_items(), loss, training.take_side()};
    }
    // Normal with deviation .1 / sqrt(n_factors), as in Rendle et al. 2022.
    matrix<T> first_items(const interactions<T>& x, const fit_options& options) const {
        rng numbers = stage_rng(options, als_model<T>::kind);
        const double scale = 0.1 / std::sqrt(static_cast<double>(n_factors));
        auto out = detail::large_matrix<T>(x.items().size(), n_factors);
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
