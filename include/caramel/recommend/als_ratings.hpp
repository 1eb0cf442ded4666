#ifndef CARAMEL_RECOMMEND_ALS_RATINGS_HPP
#define CARAMEL_RECOMMEND_ALS_RATINGS_HPP

// Matrix factorization of explicit ratings by alternating least squares: no learning rate, and factors that may be held non-negative.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
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
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/triangles.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The loss that `als_ratings` minimises:
///
///     sum over ratings of (rating - mean - b_u - b_i - p_u.q_i)^2  +  sum over customers and items of r (b^2 + |factors|^2)
///
/// r = regularization, times the number of the row's ratings where it is weighted (Zhou, Wilkinson, Schreiber & Pan, AAIM 2008).
struct als_ratings_loss {
    double regularization = 0.1;          ///< above 0
    bool weighted_regularization = true;
    bool biases = true;                   ///< false: the rating is p_u.q_i alone, without mean and biases
    bool non_negative = false;            ///< factors at least 0 (biases are free)

    [[nodiscard]] double regularizer(std::size_t ratings) const noexcept {
        return weighted_regularization ? regularization * static_cast<double>(ratings) : regularization;
    }

    friend bool operator==(const als_ratings_loss&, const als_ratings_loss&) = default;
    static constexpr std::array field_names{"regularization", "weighted_regularization", "biases", "non_negative"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(regularization, weighted_regularization, biases, non_negative); }
};

namespace detail {

// Biases and factors of one side.
template <class T>
struct als_rating_side {
    vec<T> bias;
    matrix<T> factors;

    als_rating_side() = default;
    als_rating_side(std::size_t rows, std::size_t n_factors)
        : bias(vec<T>::Zero(static_cast<row_index>(rows))), factors(matrix<T>::Zero(static_cast<row_index>(rows), static_cast<row_index>(n_factors))) {}
};

// The minimum of w'Aw / 2 - b'w with w >= 0 but for the last one, which is free where `last_free`, by coordinate descent
// (A positive definite, so it is unique). Only the upper triangle of A is read.
template <class = void>
inline void non_negative_minimum(std::size_t n, std::size_t stride, std::span<const double> a, std::span<const double> b, bool last_free, std::span<double> w,
                                 std::span<double> gradient) noexcept {
    std::fill_n(w.begin(), n, 0.0);
    for (std::size_t j = 0; j < n; ++j) gradient[j] = -b[j];
    for (int sweep = 0; sweep < 10'000; ++sweep) {
        double largest = 0, moved = 0;
        for (std::size_t j = 0; j < n; ++j) {
            const double step = w[j] - gradient[j] / a[j * stride + j];
            const double next = last_free && j + 1 == n ? step : std::max(0.0, step), change = next - w[j];
            largest = std::max(largest, std::abs(next));
            moved = std::max(moved, std::abs(change));
            if (change == 0) continue;
            w[j] = next;
            for (std::size_t i = 0; i < j; ++i) gradient[i] += change * a[i * stride + j];
            for (std::size_t i = j; i < n; ++i) gradient[i] += change * a[j * stride + i];
        }
        if (!(moved > 1e-13 * largest)) return;
    }
}

// The bias and factors of one row with the other side fixed, in double; zero where nothing was rated. False unless they are finite.
template <class T>
[[nodiscard]] bool solve_ratings(const als_ratings_loss& loss, double mean, const als_rating_side<T>& others, std::span<const std::int32_t> ids,
                                 std::span<const T> ratings, T& bias, std::span<T> factors, workspace& scratch) {
    bias = 0;
    std::fill(factors.begin(), factors.end(), T(0));
    if (ids.empty()) return true;
    constexpr std::size_t chunk = 32;
    const std::size_t k = factors.size(), n = loss.biases ? k + 1 : k, stride = round_up(n, triangle_unit<double>);
    const auto a = scratch.take<double>(stride * stride), b = scratch.take<double>(stride), w = scratch.take<double>(stride),
               inverse = scratch.take<double>(stride), rows = scratch.take<double>(chunk * stride);
    std::fill(a.begin(), a.end(), 0.0);
    std::fill(b.begin(), b.end(), 0.0);
    const double r = loss.regularizer(ids.size());
    for (std::size_t j = 0; j < stride; ++j) a[j * stride + j] = j < n ? r : 1;
    for (std::size_t first = 0; first < ids.size(); first += chunk) {
        const std::size_t count = std::min(chunk, ids.size() - first);
        std::fill(rows.begin(), rows.end(), 0.0);
        for (std::size_t i = 0; i < count; ++i) {
            const auto other = static_cast<row_index>(ids[first + i]);
            const T* const q = others.factors.data() + other * static_cast<row_index>(k);
            double* const row = rows.data() + i * stride;
            for (std::size_t j = 0; j < k; ++j) row[j] = static_cast<double>(q[j]);
            double target = static_cast<double>(ratings[first + i]);
            if (loss.biases) {
                row[k] = 1;
                target -= mean + static_cast<double>(others.bias(other));
            }
            for (std::size_t j = 0; j < n; ++j) b[j] += target * row[j];
        }
        add_gramian(rows.data(), count, stride, stride, a.data());
    }
    if (loss.non_negative) {
        non_negative_minimum(n, stride, a, b, loss.biases, w, inverse);
    } else {
        if (!factorize(stride, stride, a.data(), inverse.data())) return false;
        std::copy(b.begin(), b.end(), w.begin());
        solve_factorized(stride, stride, a.data(), inverse.data(), w.data());
    }
    for (std::size_t j = 0; j < k; ++j) factors[j] = static_cast<T>(w[j]);
    if (loss.biases) bias = static_cast<T>(w[k]);
    return std::isfinite(bias) && std::all_of(factors.begin(), factors.end(), [](T f) { return std::isfinite(f); });
}

}  // namespace detail

/// Ratings predicted as mean + bias of the customer + bias of the item + factors . factors, or by the factors alone (see
/// `als_ratings_loss`). A customer or item without ratings has bias and factors 0; where the factors alone predict, the mean
/// stands for pairs with such a row.
///
/// `predict` answers for ids, known or not. As a recommender the model ranks by the same number before it is kept within
/// `min_rating` .. `max_rating`. The customer's side of a history in a query is solved on the spot, which gives a training
/// customer's own ratings the factors of training, bit for bit. (Histories have no negative values.)
template <class T>
class als_ratings_model : public detail::recommender<als_ratings_model<T>, T> {
   public:
    static constexpr std::string_view kind = "als_ratings";

    /// Biases are (customers) and (items); factors (customers, n_factors) and (items, n_factors).
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    als_ratings_model(interactions<T> ratings, T mean, vec<T> customer_bias, vec<T> item_bias, matrix<T> customer_factors, matrix<T> item_factors,
                      als_ratings_loss loss, double min_rating, double max_rating)
        : base(std::move(ratings)), mean_(mean), loss_(loss), min_rating_(min_rating), max_rating_(max_rating) {
        customers_.bias = std::move(customer_bias);
        customers_.factors = std::move(customer_factors);
        items_.bias = std::move(item_bias);
        items_.factors = std::move(item_factors);
        require(std::isfinite(loss_.regularization) && loss_.regularization > 0, errc::bad_data, "als_ratings: regularization is ", loss_.regularization,
                ", must be above 0");
        require(min_rating_ < max_rating_, errc::bad_data, "als_ratings: min_rating is not below max_rating");
        require(std::cmp_equal(customers_.bias.size(), base::customers().size()) && std::cmp_equal(items_.bias.size(), base::items().size()) &&
                    customers_.factors.rows() == customers_.bias.size() && items_.factors.rows() == items_.bias.size() &&
                    customers_.factors.cols() == items_.factors.cols() && std::isfinite(mean_) && customers_.bias.allFinite() && items_.bias.allFinite() &&
                    customers_.factors.allFinite() && items_.factors.allFinite(),
                errc::bad_data, "als_ratings: ratings, biases and factors do not belong together");
        rated_.resize(base::items().size());
        for (const auto item : base::purchases().by_customer().ids) rated_[static_cast<std::size_t>(item)] = true;
    }

    /// What the customer would say of the item, within `min_rating` .. `max_rating`; for ids that were not in the training
    /// data see above. Throws `error`: `unknown_id` where ids are texts and an integer is given, or the other way round;
    /// `number_out_of_range` where the prediction is beyond T.
    [[nodiscard]] T predict(const any_id& customer, const any_id& item) const {
        for (const auto& [table, id] : {std::pair(&base::customers(), &customer), std::pair(&base::items(), &item)})
            require(id->row() != nullptr || table->is_text() == (id->text() != nullptr), errc::unknown_id, "als_ratings: the ids of the model are ",
                    table->is_text() ? "texts, not integers" : "integers, not texts");
        return within_bounds(base::customers().find(customer), base::items().find(item), 0);
    }
    /// A batch, for columns of equal length: entry i has the bits of the pair alone.
    /// Throws `error` as for one, `shape_mismatch`, and `missing_value` with the row of an empty id.
    [[nodiscard]] std::vector<T> predict(const id_column& wanted_customers, const id_column& wanted_items) const {
        require(wanted_customers.size() == wanted_items.size(), errc::shape_mismatch, "als_ratings: ", wanted_customers.size(), " customers but ",
                wanted_items.size(), " items");
        require(wanted_customers.size() == 0 ||
                    (wanted_customers.is_text() == base::customers().is_text() && wanted_items.is_text() == base::items().is_text()),
                errc::unknown_id, "als_ratings: the ids are texts where the model has integers, or the other way round");
        const auto find = [](const id_table& table, const id_column& ids, std::size_t entry, std::string_view what) {
            const std::size_t level = ids.level_of(entry, what);
            return ids.is_text() ? table.find(ids.text(level)) : table.find(ids.number(level));
        };
        std::vector<T> out(wanted_customers.size());
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = within_bounds(find(base::customers(), wanted_customers, i, "customer"), find(base::items(), wanted_items, i, "item"), i + 1);
        return out;
    }

    /// Of the ratings that were learnt from.
    [[nodiscard]] T mean() const noexcept { return mean_; }
    [[nodiscard]] const vec<T>& customer_bias() const noexcept { return customers_.bias; }
    [[nodiscard]] const vec<T>& item_bias() const noexcept { return items_.bias; }
    /// (customers, n_factors)
    [[nodiscard]] const matrix<T>& customer_factors() const noexcept { return customers_.factors; }
    /// (items, n_factors)
    [[nodiscard]] const matrix<T>& item_factors() const noexcept { return items_.factors; }
    [[nodiscard]] const als_ratings_loss& loss() const noexcept { return loss_; }

    static constexpr std::array field_names{"ratings",      "mean", "customer_bias", "item_bias", "customer_factors",
                                            "item_factors", "loss", "min_rating",    "max_rating"};
    [[nodiscard]] auto fields() const noexcept {
        return std::tie(base::purchases(), mean_, customers_.bias, items_.bias, customers_.factors, items_.factors, loss_, min_rating_, max_rating_);
    }

   private:
    using base = detail::recommender<als_ratings_model, T>;
    friend base;

    [[nodiscard]] T within_bounds(std::optional<std::size_t> customer, std::optional<std::size_t> item, std::size_t entry) const {
        const bool known = customer && base::purchases()[*customer].size() > 0;
        const T bias = customer ? customers_.bias(static_cast<row_index>(*customer)) : T(0);
        const std::span<const T> factors = known ? row_of(customers_.factors, static_cast<row_index>(*customer)) : std::span<const T>();
        const T rating = item ? predict_item(bias, factors, static_cast<row_index>(*item)) : mean_ + bias;
        require_at(std::isfinite(rating), errc::number_out_of_range, {.row = entry}, "als_ratings: a prediction is beyond the number type");
        return static_cast<T>(std::clamp(static_cast<double>(rating), min_rating_, max_rating_));
    }
    // `factors` are empty where nothing is known of the customer.
    [[nodiscard]] T predict_item(T bias, std::span<const T> factors, row_index item) const noexcept {
        double sum = 0;
        const auto q = row_of(items_.factors, item);
        for (std::size_t j = 0; j < factors.size(); ++j) sum += static_cast<double>(factors[j]) * static_cast<double>(q[j]);
        if (loss_.biases) return static_cast<T>(static_cast<double>(mean_) + static_cast<double>(bias) + static_cast<double>(items_.bias(item)) + sum);
        return factors.empty() || !rated_[static_cast<std::size_t>(item)] ? mean_ : static_cast<T>(sum);
    }
    void score_known(std::size_t row, std::span<T> out, workspace&) const noexcept {
        const bool known = base::purchases()[row].size() > 0;
        const auto at = static_cast<row_index>(row);
        for (std::size_t item = 0; item < out.size(); ++item)
            out[item] = predict_item(customers_.bias(at), known ? row_of(customers_.factors, at) : std::span<const T>(), static_cast<row_index>(item));
    }
    void score_history(std::span<const std::int32_t> items, std::span<const T> ratings, std::span<T> out, workspace& scratch) const {
        T bias = 0;
        const auto factors = scratch.take<T>(static_cast<std::size_t>(items_.factors.cols()));
        require(detail::solve_ratings<T>(loss_, static_cast<double>(mean_), items_, items, ratings, bias, factors, scratch), errc::diverged,
                "als_ratings: the factors of the history are beyond the number type");
        for (std::size_t item = 0; item < out.size(); ++item)
            out[item] = predict_item(bias, items.empty() ? std::span<const T>() : std::span<const T>(factors), static_cast<row_index>(item));
    }

    T mean_;
    detail::als_rating_side<T> customers_, items_;
    als_ratings_loss loss_;
    double min_rating_, max_rating_;
    std::vector<bool> rated_;  // items
};

/// Recipe for `als_ratings_model`: see `als_ratings_loss` for what is minimised. Values are ratings, any finite numbers (a rating of
/// 0 is one like the others). Training solves the customers, then `epochs` times the items and the customers again, each row
/// exactly: bias and factors at once.
template <class T>
struct als_ratings {
    using stage_concept = recipe_tag;

    std::size_t n_factors = 16;   ///< 0 .. 4096; 0 learns the biases alone
    double regularization = 0.1;   ///< see `als_ratings_loss`; less of it tells more of who was in the training data (docs/trust.md)
    bool weighted_regularization = true;
    bool biases = true;
    bool non_negative = false;
    std::size_t epochs = 15;       ///< 1 .. 1,000,000
    double init_deviation = 0.1;   ///< above 0: the items' factors begin normal with this deviation, biases at 0
    double min_rating = -std::numeric_limits<double>::infinity();  ///< predictions are kept within these two
    double max_rating = std::numeric_limits<double>::infinity();

    /// Reports the loss per rating after each epoch.
    /// Throws `error`: `bad_parameter`, `empty_input`, `number_out_of_range` (the mean), `diverged`.
    [[nodiscard]] als_ratings_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        check();
        require(!x.empty(), errc::empty_input, "als_ratings: no ratings to learn from");
        const als_ratings_loss loss{regularization, weighted_regularization, biases, non_negative};
        double mean = 0;
        for (const T value : x.by_customer().values) mean += static_cast<double>(value);
        // As the model keeps it, so that histories are solved alike.
        mean = static_cast<double>(static_cast<T>(mean / static_cast<double>(x.pairs())));
        require(std::isfinite(mean), errc::number_out_of_range, "als_ratings: the sum of the ratings is beyond double; scale the ratings down");
        const auto by_item = x.by_item();
        detail::als_rating_side<T> customers(x.rows(), n_factors), items(x.items().size(), n_factors);
        rng numbers = stage_rng(options, als_ratings_model<T>::kind);
        for (row_index i = 0; i < items.factors.size(); ++i) {
            const double value = init_deviation * numbers.normal();
            items.factors.data()[i] = static_cast<T>(non_negative ? std::abs(value) : value);
        }
        half_step(loss, mean, items, x.by_customer(), customers, options);
        for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
            half_step(loss, mean, customers, by_item.view(), items, options);
            half_step(loss, mean, items, x.by_customer(), customers, options);
            if (!options.on_progress) continue;
            const double total = total_loss(loss, mean, x, by_item.view(), customers, items);
            if (options.on_progress({als_ratings_model<T>::kind, epoch, epochs, total / static_cast<double>(x.pairs())}) == verdict::stop) break;
        }
        return {x.without_times(),        static_cast<T>(mean), std::move(customers.bias), std::move(items.bias), std::move(customers.factors),
                std::move(items.factors), loss,                 min_rating,                max_rating};
    }

   private:
    void check() const {
        require(n_factors <= 4096, errc::bad_parameter, "als_ratings: n_factors is ", n_factors, ", must be in 0 .. 4096");
        require(n_factors > 0 || biases, errc::bad_parameter, "als_ratings: without factors and biases there is nothing to learn");
        require(std::isfinite(regularization) && regularization > 0, errc::bad_parameter, "als_ratings: regularization is ", regularization,
                ", must be above 0");
        require(epochs >= 1 && epochs <= 1'000'000, errc::bad_parameter, "als_ratings: epochs is ", epochs, ", must be in 1 .. 1000000");
        require(std::isfinite(init_deviation) && init_deviation > 0, errc::bad_parameter, "als_ratings: init_deviation is ", init_deviation,
                ", must be above 0");
        require(min_rating < max_rating, errc::bad_parameter, "als_ratings: min_rating is ", min_rating, ", must be below max_rating, ", max_rating);
    }
    static void half_step(const als_ratings_loss& loss, double mean, const detail::als_rating_side<T>& fixed, const detail::sparse_rows<T>& observed,
                          detail::als_rating_side<T>& out, const run_options& how) {
        parallel_blocks(observed.size(), 64, how, [&](std::size_t begin, std::size_t end, std::size_t) {
            workspace scratch;
            for (std::size_t row = begin; row < end; ++row) {
                const workspace::frame frame(scratch);
                const auto d = static_cast<std::size_t>(out.factors.cols());
                require(detail::solve_ratings<T>(loss, mean, fixed, observed.ids_of(row), observed.values_of(row), out.bias.data()[row],
                                                 {out.factors.data() + row * d, d}, scratch),
                        errc::diverged, "als_ratings: factors grew beyond the number type; raise regularization, or scale the ratings down");
            }
        });
    }
    static double total_loss(const als_ratings_loss& loss, double mean, const interactions<T>& x, const detail::sparse_rows<T>& by_item,
                             const detail::als_rating_side<T>& customers, const detail::als_rating_side<T>& items) {
        double sum = 0;
        const auto penalty = [&](const detail::als_rating_side<T>& side, std::size_t row, std::size_t ratings) {
            double square = static_cast<double>(side.bias.data()[row]) * static_cast<double>(side.bias.data()[row]);
            for (const T f : row_of(side.factors, static_cast<row_index>(row))) square += static_cast<double>(f) * static_cast<double>(f);
            return loss.regularizer(ratings) * square;
        };
        for (std::size_t row = 0; row < x.rows(); ++row) {
            const auto mine = x[row];
            const auto p = row_of(customers.factors, static_cast<row_index>(row));
            for (std::size_t k = 0; k < mine.size(); ++k) {
                const auto q = row_of(items.factors, static_cast<row_index>(mine.items[k]));
                double e = static_cast<double>(mine.values[k]);
                if (loss.biases) e -= mean + static_cast<double>(customers.bias.data()[row]) + static_cast<double>(items.bias(mine.items[k]));
                for (std::size_t j = 0; j < p.size(); ++j) e -= static_cast<double>(p[j]) * static_cast<double>(q[j]);
                sum += e * e;
            }
            sum += penalty(customers, row, mine.size());
        }
        for (std::size_t item = 0; item < by_item.size(); ++item) sum += penalty(items, item, by_item.count(item));
        return sum;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
