#ifndef CARAMEL_RECOMMEND_SVDPP_HPP
#define CARAMEL_RECOMMEND_SVDPP_HPP

// SVD++: matrix factorization of ratings where what a customer rated says something, too, whatever the rating.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/rating_model.hpp>
#include <caramel/recommend/sgd.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Ratings predicted as mean + b_u + b_i + q_i . (p_u + |N(u)|^-1/2 sum of y_j over j in N(u)), where N(u) is what the
/// customer rated (Koren, KDD 2008, equation 15). An unknown customer or item, or one without ratings, adds nothing but the
/// bias that is known.
///
/// As a recommender it ranks by the same number before it is kept within bounds. Of a history in a query the y are used as
/// they are; bias and factors beside them are learnt on the spot, from zeros and with the steps of training, the items held.
/// (Histories have no negative values.)
template <class T>
class svdpp_model : public detail::rating_recommender<svdpp_model<T>, T> {
   public:
    static constexpr std::string_view kind = "svdpp";

    /// Biases are (customers) and (items); factors p (customers, n_factors), q and y (items, n_factors).
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    svdpp_model(interactions<T> ratings, T mean, vec<T> customer_bias, vec<T> item_bias, matrix<T> customer_factors, matrix<T> item_factors,
                matrix<T> implicit_factors, sgd_steps steps, double min_rating, double max_rating)
        : base(std::move(ratings), min_rating, max_rating),
          mean_(mean),
          customer_bias_(std::move(customer_bias)),
          item_bias_(std::move(item_bias)),
          customer_factors_(std::move(customer_factors)),
          item_factors_(std::move(item_factors)),
          implicit_factors_(std::move(implicit_factors)),
          steps_(steps) {
        detail::require_sgd_steps(steps_, kind, errc::bad_data);
        require(detail::factors_fit(base::customers().size(), base::items().size(), mean_, customer_bias_, item_bias_, customer_factors_, item_factors_) &&
                    implicit_factors_.rows() == item_bias_.size() && implicit_factors_.cols() == item_factors_.cols() && implicit_factors_.allFinite(),
                errc::bad_data, "svdpp: ratings, biases and factors do not belong together");
        taste_ = customer_factors_;
        for (std::size_t row = 0; row < base::customers().size(); ++row)
            add_implicit(base::purchases()[row].items, {taste_.data() + static_cast<row_index>(row) * taste_.cols(), static_cast<std::size_t>(taste_.cols())});
    }

    /// Of the ratings that were learnt from.
    [[nodiscard]] T mean() const noexcept { return mean_; }
    [[nodiscard]] const vec<T>& customer_bias() const noexcept { return customer_bias_; }
    [[nodiscard]] const vec<T>& item_bias() const noexcept { return item_bias_; }
    /// p (customers, n_factors)
    [[nodiscard]] const matrix<T>& customer_factors() const noexcept { return customer_factors_; }
    /// q (items, n_factors)
    [[nodiscard]] const matrix<T>& item_factors() const noexcept { return item_factors_; }
    /// y (items, n_factors)
    [[nodiscard]] const matrix<T>& implicit_factors() const noexcept { return implicit_factors_; }
    [[nodiscard]] const sgd_steps& steps() const noexcept { return steps_; }

    static constexpr std::array field_names{"ratings",          "mean",  "customer_bias", "item_bias", "customer_factors", "item_factors",
                                            "implicit_factors", "steps", "min_rating",    "max_rating"};
    [[nodiscard]] auto fields() const noexcept {
        return std::tie(base::purchases(), mean_, customer_bias_, item_bias_, customer_factors_, item_factors_, implicit_factors_, steps_, base::min_rating_,
                        base::max_rating_);
    }

   private:
    using base = detail::rating_recommender<svdpp_model, T>;
    friend base;
    friend detail::recommender<svdpp_model, T>;

    void add_implicit(std::span<const std::int32_t> rated, std::span<T> out) const noexcept {
        if (rated.empty()) return;
        const double share = 1 / std::sqrt(static_cast<double>(rated.size()));
        for (std::size_t j = 0; j < out.size(); ++j) {
            double sum = 0;
            for (const auto item : rated) sum += static_cast<double>(implicit_factors_(item, static_cast<row_index>(j)));
            out[j] += static_cast<T>(share * sum);
        }
    }
    [[nodiscard]] T predict_rows(std::optional<std::size_t> customer, std::optional<std::size_t> item, workspace&) const noexcept {
        const T bias = customer ? customer_bias_(static_cast<row_index>(*customer)) : T(0);
        if (!item) return mean_ + bias;
        return predict_item(bias, customer ? row_of(taste_, static_cast<row_index>(*customer)) : std::span<const T>(), static_cast<row_index>(*item));
    }
    [[nodiscard]] T predict_item(T customer_bias, std::span<const T> taste, row_index item) const noexcept {
        return (mean_ + customer_bias + item_bias_(item)) + detail::dot_by_lanes(taste.data(), row_of(item_factors_, item).data(), taste.size());
    }
    void score_items(T customer_bias, std::span<const T> taste, std::span<T> out) const noexcept {
        for (std::size_t item = 0; item < out.size(); ++item) out[item] = predict_item(customer_bias, taste, static_cast<row_index>(item));
    }
    void score_known(std::size_t row, std::span<T> out, workspace&) const noexcept {
        score_items(customer_bias_(static_cast<row_index>(row)), row_of(taste_, static_cast<row_index>(row)), out);
    }
    void score_history(std::span<const std::int32_t> items, std::span<const T> ratings, std::span<T> out, workspace& scratch) const {
        const auto n = static_cast<std::size_t>(item_factors_.cols());
        const auto factors = scratch.take<T>(n), implicit = scratch.take<T>(n), taste = scratch.take<T>(n);
        std::fill(factors.begin(), factors.end(), T(0));
        std::fill(implicit.begin(), implicit.end(), T(0));
        add_implicit(items, implicit);
        const auto add_up = [&] {
            for (std::size_t j = 0; j < n; ++j) taste[j] = factors[j] + implicit[j];
        };
        T bias = 0;
        detail::sgd_fold_in<T>(steps_, items, ratings, item_factors_, factors, bias, [&](std::int32_t item) {
            add_up();
            return predict_item(bias, taste, item);
        });
        add_up();
        score_items(bias, taste, out);
    }

    T mean_;
    vec<T> customer_bias_, item_bias_;
    matrix<T> customer_factors_, item_factors_, implicit_factors_;
    sgd_steps steps_;
    matrix<T> taste_;  // p_u + |N(u)|^-1/2 sum of y, worked out from the others
};

/// Recipe for `svdpp_model`. Values are ratings, any finite numbers. With e = rating - prediction, each visit of a rating of
/// customer u for item i does
///
///     b_u += rate (e - regularization b_u)                       b_i += rate (e - regularization b_i)
///     p_u += rate (e q_i - regularization p_u)                   q_i += rate (e (p_u + |N(u)|^-1/2 sum of y) - regularization q_i)
///     y_j += rate (e |N(u)|^-1/2 q_i - regularization y_j)       for all j in N(u)
///
/// at once. Customers come in a new random order in each epoch, and so do the ratings of each. All y of a customer move alike,
/// so a visit costs no more than one of `sgd_factorization` with three times the factors. It runs on one thread.
template <class T>
struct svdpp {
    using stage_concept = recipe_tag;

    std::size_t n_factors = 20;  ///< 1 .. 4096
    std::size_t epochs = 20;     ///< 1 .. 1,000,000; fewer when an observer stops it
    double learning_rate = 0.007;
    double regularization = 0.02;
    double init_deviation = 0.1;                                   ///< above 0: factors begin normal with this deviation, biases at 0
    double learning_rate_decay = 0;                                ///< see `sgd_steps`
    double min_rating = -std::numeric_limits<double>::infinity();  ///< predictions are kept within these two
    double max_rating = std::numeric_limits<double>::infinity();

    /// Reports the mean squared error of each epoch, each rating as it was predicted before its step.
    /// Throws `error`: `bad_parameter`, `empty_input`, `number_out_of_range`, `diverged`.
    [[nodiscard]] svdpp_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        sgd_steps steps{learning_rate, learning_rate_decay, regularization, epochs};
        detail::require_sgd_steps(steps, "svdpp", errc::bad_parameter);
        require(n_factors >= 1 && n_factors <= 4096, errc::bad_parameter, "svdpp: n_factors is ", n_factors, ", must be in 1 .. 4096");
        detail::require_init_deviation(init_deviation, "svdpp");
        detail::require_rating_bounds(min_rating, max_rating, "svdpp");
        require(!x.empty(), errc::empty_input, "svdpp: no ratings to learn from");
        const rng numbers = stage_rng(options, svdpp_model<T>::kind);
        const double mean = detail::mean_rating(x, "svdpp");
        double variance = 0;
        for (const T value : x.by_customer().values) variance += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
        variance /= static_cast<double>(x.pairs());
        require(std::isfinite(variance), errc::number_out_of_range, "svdpp: the squares of the ratings are beyond double; scale the ratings down");
        // What the mean alone and the first random factors would miss on average.
        const double at_first = variance + 2 * static_cast<double>(n_factors) * std::pow(init_deviation, 4);

        std::vector<bool> rated(x.items().size());
        for (const auto item : x.by_customer().ids) rated[static_cast<std::size_t>(item)] = true;
        state now{first(x.rows(), numbers.split("customers"), [&](std::size_t row) { return !x[row].items.empty(); }),
                  first(rated.size(), numbers.split("items"), [&](std::size_t item) { return rated[item]; }),
                  first(rated.size(), numbers.split("implicit"), [&](std::size_t item) { return rated[item]; }), vec<T>::Zero(static_cast<row_index>(x.rows())),
                  vec<T>::Zero(static_cast<row_index>(rated.size()))};
        std::size_t epoch = 0;
        bool stopped = false;
        while (epoch < epochs && !stopped) {
            const double loss = run_epoch(x, mean, steps.rate(epoch), numbers.split("order").split(epoch), now) / static_cast<double>(x.pairs());
            ++epoch;
            require_sane(loss <= detail::diverged_error * at_first || loss == 0, epoch);
            stopped = options.on_progress && options.on_progress({svdpp_model<T>::kind, epoch, epochs, loss}) == verdict::stop;
        }
        steps.epochs = epoch;
        require_sane(now.p.allFinite() && now.q.allFinite() && now.y.allFinite() && now.customer_bias.allFinite() && now.item_bias.allFinite(), epoch);
        return {x.without_times(),
                static_cast<T>(mean),
                std::move(now.customer_bias),
                std::move(now.item_bias),
                std::move(now.p),
                std::move(now.q),
                std::move(now.y),
                steps,
                min_rating,
                max_rating};
    }

   private:
    struct state {
        matrix<T> p, q, y;
        vec<T> customer_bias, item_bias;
    };
    void require_sane(bool sane, std::size_t epoch) const {
        detail::require_sane_training(sane, epoch, learning_rate, "svdpp");
    }
    // Each row by numbers of its own; zeros where nothing is known.
    template <class Known>
    [[nodiscard]] matrix<T> first(std::size_t rows, const rng& numbers, const Known& known) const {
        matrix<T> out = matrix<T>::Zero(static_cast<row_index>(rows), static_cast<row_index>(n_factors));
        for (std::size_t row = 0; row < rows; ++row) {
            if (!known(row)) continue;
            rng mine = numbers.split(row);
            for (std::size_t j = 0; j < n_factors; ++j)
                out(static_cast<row_index>(row), static_cast<row_index>(j)) = static_cast<T>(init_deviation * mine.normal());
        }
        return out;
    }

    // Returns the sum of the squared errors. The steps of one customer multiply each y by the same number and add the same
    // vector, so the sum of the y is enough until the customer is done: y = factor y + moved.
    double run_epoch(const interactions<T>& x, double mean, double rate_of_epoch, rng numbers, state& now) const {
        const T rate = static_cast<T>(rate_of_epoch), keep = static_cast<T>(1 - rate_of_epoch * regularization);
        const std::size_t d = n_factors;
        std::vector<T> sum(d), moved(d), taste(d);
        std::vector<std::size_t> order;
        double squares = 0;
        for (const std::size_t row : numbers.permutation(x.rows())) {
            const auto mine = x[row];
            if (mine.items.empty()) continue;
            order.resize(mine.size());
            std::iota(order.begin(), order.end(), std::size_t{0});
            numbers.shuffle(std::span(order));
            const T n = static_cast<T>(mine.size()), share = static_cast<T>(1 / std::sqrt(static_cast<double>(mine.size())));
            T* const p = now.p.data() + row * d;
            T& bias = now.customer_bias(static_cast<row_index>(row));
            std::fill(sum.begin(), sum.end(), T(0));
            std::fill(moved.begin(), moved.end(), T(0));
            for (const auto item : mine.items) {
                const T* const y = now.y.data() + static_cast<std::size_t>(item) * d;
                for (std::size_t j = 0; j < d; ++j) sum[j] += y[j];
            }
            T factor = 1;
            for (const std::size_t k : order) {
                T* const q = now.q.data() + static_cast<std::size_t>(mine.items[k]) * d;
                T& item_bias = now.item_bias(mine.items[k]);
                for (std::size_t j = 0; j < d; ++j) taste[j] = p[j] + share * sum[j];
                const T e = static_cast<T>(static_cast<double>(mine.values[k]) - mean) - (bias + item_bias) - detail::dot_by_lanes<T>(taste.data(), q, d);
                const T pull = rate * e, implicit_pull = pull * share, sum_pull = n * implicit_pull;
                bias = keep * bias + pull;
                item_bias = keep * item_bias + pull;
                for (std::size_t j = 0; j < d; ++j) {
                    const T before = q[j];
                    q[j] = keep * before + pull * taste[j];
                    p[j] = keep * p[j] + pull * before;
                    sum[j] = keep * sum[j] + sum_pull * before;
                    moved[j] = keep * moved[j] + implicit_pull * before;
                }
                factor *= keep;
                squares += static_cast<double>(e) * static_cast<double>(e);
            }
            for (const auto item : mine.items) {
                T* const y = now.y.data() + static_cast<std::size_t>(item) * d;
                for (std::size_t j = 0; j < d; ++j) y[j] = factor * y[j] + moved[j];
            }
        }
        return squares;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
