#ifndef CARAMEL_RECOMMEND_LOGISTIC_MF_HPP
#define CARAMEL_RECOMMEND_LOGISTIC_MF_HPP

// Logistic matrix factorization: how likely is it that this customer buys that item?

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
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
#include <caramel/core/softmax.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/pairwise.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What `logistic_mf` minimises (Johnson, NIPS workshop on distributed machine learning and matrix computations, 2014), with
/// x = p_u . q_i + b_u + b_i and a = confidence_scale * (the weight of the value, see `weighting`) for what was bought, else 0:
///
///     sum over pairs of (1 + a) ln(1 + exp(x)) - a x   + regularization / 2 * (squares of factors and biases)
///
/// Of the pairs that were not bought a row counts `negatives` for each of its purchases, drawn anew for each step, or all of
/// them where there are not more. Steps are AdaGrad's (Duchi, Hazan & Singer, JMLR 12, 2011): with G the sum of the squared
/// slopes of a number so far, it moves by learning_rate * slope / sqrt(G + 1e-6).
struct logistic_mf_loss {
    weighting weights = weighting::ones;
    double confidence_scale = 1;  ///< above 0
    double regularization = 2;    ///< at least 0
    double learning_rate = 0.3;   ///< above 0
    std::size_t negatives = 30;   ///< 1 .. 1,000,000
    std::size_t epochs = 30;      ///< 1 .. 1,000,000; in a model: so many were run

    friend bool operator==(const logistic_mf_loss&, const logistic_mf_loss&) = default;
    static constexpr std::array field_names{"weights", "confidence_scale", "regularization", "learning_rate", "negatives", "epochs"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(weights, confidence_scale, regularization, learning_rate, negatives, epochs); }
};

namespace detail {

template <class Loss>
void require_logistic_mf(const Loss& loss, errc code) {
    constexpr std::string_view who = "logistic_mf";
    require(known(loss.weights), code, who, ": no such weighting");
    require(std::isfinite(loss.confidence_scale) && loss.confidence_scale > 0, code, who, ": confidence_scale is ", loss.confidence_scale, ", must be above 0");
    require(std::isfinite(loss.regularization) && loss.regularization >= 0, code, who, ": regularization is ", loss.regularization, ", must be at least 0");
    require(std::isfinite(loss.learning_rate) && loss.learning_rate > 0, code, who, ": learning_rate is ", loss.learning_rate, ", must be above 0");
    require(loss.negatives >= 1 && loss.negatives <= 1'000'000, code, who, ": negatives is ", loss.negatives, ", must be in 1 .. 1000000");
    require(loss.epochs >= 1 && loss.epochs <= 1'000'000, code, who, ": epochs is ", loss.epochs, ", must be in 1 .. 1000000");
}

// One side, customers or items: rows of whole lanes, biases, and AdaGrad's sums of squares.
template <class T>
struct logistic_side {
    matrix<T> factors;
    vec<T> bias;
};

// Steps of one row against the other side, which stays as it is.
template <class T>
class logistic_row {
   public:
    logistic_row(const logistic_mf_loss& loss, const logistic_side<T>& others, workspace& scratch)
        : loss_(loss), others_(others), n_(static_cast<std::size_t>(others.factors.cols())), slope_(scratch.take<double>(n_ + 1)), part_(scratch.take<T>(n_)) {}

    // The slope of minus the loss by the row's factors, and last by its bias; draws what was not bought from `numbers`.
    // Adds to `total` the loss without the penalty where it is not null, and to `terms` the number of pairs.
    std::span<const double> slope(std::span<const T> p, T bias, std::span<const std::int32_t> bought, std::span<const T> values, rng numbers,
                                  double* total = nullptr, std::size_t* terms = nullptr) {
        std::fill(slope_.begin(), slope_.end(), 0.0);
        std::fill(part_.begin(), part_.end(), T(0));
        std::size_t waiting = 0;
        const auto add = [&](std::int32_t other, double confidence) {
            const T* const q = others_.factors.data() + other * others_.factors.cols();
            const T x = bias + others_.bias.data()[other] + pair_dot<false, T>(p.data(), q, nullptr, n_);
            const double to = confidence - (1 + confidence) * static_cast<double>(sigmoid_of(x));
            const T pull = static_cast<T>(to);
            slope_[n_] += to;
            for (std::size_t j = 0; j < n_; ++j) part_[j] += pull * q[j];
            if (++waiting == 256) flush(waiting);  // sums of many terms are kept in double
            if (total != nullptr) *total += (1 + confidence) * softplus(static_cast<double>(x)) - confidence * static_cast<double>(x);
            if (terms != nullptr) ++*terms;
        };
        for (std::size_t k = 0; k < bought.size(); ++k) add(bought[k], loss_.confidence_scale * weigh(loss_.weights, static_cast<double>(values[k])));
        const auto all = static_cast<std::size_t>(others_.factors.rows());
        const std::size_t wanted = loss_.negatives * std::max<std::size_t>(1, bought.size());
        if (wanted >= all - bought.size()) {
            for (std::size_t other = 0, k = 0; other < all; ++other) {
                if (k < bought.size() && std::cmp_equal(bought[k], other)) ++k;
                else add(static_cast<std::int32_t>(other), 0);
            }
        } else {
            for (std::size_t n = 0; n < wanted;) {
                const auto other = static_cast<std::int32_t>(((numbers() >> 32) * all) >> 32);
                if (std::binary_search(bought.begin(), bought.end(), other)) continue;  // more than half of the others were not bought
                add(other, 0);
                ++n;
            }
        }
        flush(waiting);
        for (std::size_t j = 0; j < n_; ++j) slope_[j] -= loss_.regularization * static_cast<double>(p[j]);
        slope_[n_] -= loss_.regularization * static_cast<double>(bias);
        return slope_;
    }
    // One step of AdaGrad; `squares` has a number for each factor and, last, for the bias.
    void step(std::span<T> p, T& bias, std::span<T> squares, std::span<const double> slope) const {
        const auto move = [&](T& value, T& square, double by) {
            square += static_cast<T>(by * by);
            value += static_cast<T>(loss_.learning_rate * by / std::sqrt(static_cast<double>(square) + 1e-6));
        };
        for (std::size_t j = 0; j < n_; ++j) move(p[j], squares[j], slope[j]);
        move(bias, squares[n_], slope[n_]);
    }

   private:
    void flush(std::size_t& waiting) {
        waiting = 0;
        for (std::size_t j = 0; j < n_; ++j) {
            slope_[j] += static_cast<double>(part_[j]);
            part_[j] = T(0);
        }
    }
    const logistic_mf_loss& loss_;
    const logistic_side<T>& others_;
    std::size_t n_;
    std::span<double> slope_;
    std::span<T> part_;
};

}  // namespace detail

/// Factors and biases of customers and items; a score is the log odds that the customer buys the item, by the weights of the
/// loss. See `query` for what can be asked. A history in a query is folded in: the customer's side alone is learnt on the spot,
/// from zeros, by the steps of training with random numbers that are always the same. A customer without purchases has
/// zeros, so that the items' biases rank.
template <class T>
class logistic_mf_model : public detail::recommender<logistic_mf_model<T>, T> {
   public:
    static constexpr std::string_view kind = "logistic_mf";

    /// Factors are (customers, n_factors) and (items, n_factors), biases (customers) and (items).
    /// Throws `error` (`bad_data`) on fields that do not belong together.
    logistic_mf_model(interactions<T> purchases, matrix<T> customer_factors, vec<T> customer_bias, matrix<T> item_factors, vec<T> item_bias,
                      logistic_mf_loss loss)
        : base(std::move(purchases)),
          customers_{std::move(customer_factors), std::move(customer_bias)},
          items_{std::move(item_factors), std::move(item_bias)},
          loss_(loss) {
        detail::require_logistic_mf(loss_, errc::bad_data);
        require(std::cmp_equal(customers_.factors.rows(), base::customers().size()) && std::cmp_equal(items_.factors.rows(), base::items().size()) &&
                    customers_.bias.size() == customers_.factors.rows() && items_.bias.size() == items_.factors.rows() &&
                    customers_.factors.cols() == items_.factors.cols() && customers_.factors.allFinite() && items_.factors.allFinite() &&
                    customers_.bias.allFinite() && items_.bias.allFinite(),
                errc::bad_data, "logistic_mf: purchases, factors and biases do not belong together");
    }

    /// (customers, n_factors)
    [[nodiscard]] const matrix<T>& customer_factors() const noexcept { return customers_.factors; }
    /// (items, n_factors)
    [[nodiscard]] const matrix<T>& item_factors() const noexcept { return items_.factors; }
    [[nodiscard]] const vec<T>& customer_bias() const noexcept { return customers_.bias; }
    [[nodiscard]] const vec<T>& item_bias() const noexcept { return items_.bias; }
    [[nodiscard]] const logistic_mf_loss& loss() const noexcept { return loss_; }

    static constexpr std::array field_names{"purchases", "customer_factors", "customer_bias", "item_factors", "item_bias", "loss"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(base::purchases(), customers_.factors, customers_.bias, items_.factors, items_.bias, loss_); }

   private:
    using base = detail::recommender<logistic_mf_model, T>;
    friend base;

    void score_all(std::span<const T> factors, T bias, std::span<T> out) const noexcept {
        for (std::size_t item = 0; item < out.size(); ++item)
            out[item] = (bias + items_.bias.data()[item]) +
                        detail::pair_dot<false, T>(factors.data(), items_.factors.data() + item * factors.size(), nullptr, factors.size());
    }
    void score_known(std::size_t row, std::span<T> out, workspace&) const {
        score_all(row_of(customers_.factors, static_cast<row_index>(row)), customers_.bias(static_cast<row_index>(row)), out);
    }
    void score_history(std::span<const std::int32_t> items, std::span<const T> values, std::span<T> out, workspace& scratch) const {
        const auto n = static_cast<std::size_t>(items_.factors.cols());
        const auto factors = scratch.take<T>(n);
        const auto squares = scratch.take<T>(n + 1);
        std::fill(factors.begin(), factors.end(), T(0));
        std::fill(squares.begin(), squares.end(), T(0));
        T bias = 0;
        detail::logistic_row<T> row(loss_, items_, scratch);
        for (std::size_t epoch = 0; epoch < loss_.epochs && !items.empty(); ++epoch)
            row.step(factors, bias, squares, row.slope(factors, bias, items, values, rng(0).split(epoch)));
        score_all(factors, bias, out);
    }

    detail::logistic_side<T> customers_, items_;
    logistic_mf_loss loss_;
};

/// Recipe for `logistic_mf_model`: see `logistic_mf_loss` for what is minimised and how. Each epoch steps all customers and
/// then all items, each on any number of threads with the same bits.
template <class T>
struct logistic_mf {
    using stage_concept = recipe_tag;

    std::size_t n_factors = 32;  ///< 1 .. 4096
    std::size_t epochs = 30;     ///< 1 .. 1,000,000; fewer where validation or an observer stops it
    double learning_rate = 0.3;  ///< see `logistic_mf_loss`
    double regularization = 2;
    std::size_t negatives = 30;
    weighting weights = weighting::ones;
    double confidence_scale = 1;
    double init_deviation = 0.1;  ///< above 0: factors begin normal with this deviation, biases at 0
    double validation_share = 0;  ///< as for `bpr`
    std::size_t patience = 5;     ///< at least 1

    /// Reports the mean loss of a pair in the customers' step, without the penalty.
    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data` (a negative value), `too_few_rows` (none to validate on), `diverged`.
    [[nodiscard]] logistic_mf_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        constexpr std::string_view who = logistic_mf_model<T>::kind;
        logistic_mf_loss loss{weights, confidence_scale, regularization, learning_rate, negatives, epochs};
        detail::require_logistic_mf(loss, errc::bad_parameter);
        pairwise_steps checked;  // what is checked alike
        checked.epochs = epochs;
        detail::require_pairwise(detail::pairwise_settings{who, checked, n_factors, init_deviation, validation_share, patience});
        detail::require_purchases(x, who);
        const rng numbers = stage_rng(options, who);
        const detail::pair_lists<T> pairs(x, validation_share, numbers.split("validation"), who);
        const detail::pair_judge<T> judge(x, pairs.held_out(), numbers.split("judge"));
        const auto by_customer = learnt(x, pairs);
        const auto by_item = detail::transpose(by_customer.view());
        state now{first_side(x.rows(), numbers.split("customers"), [&](std::size_t row) { return by_customer.view().count(row) > 0; }),
                  first_side(x.items().size(), numbers.split("items"), [](std::size_t) { return true; })};
        squares_of seen{matrix<T>::Zero(now.customers.factors.rows(), now.customers.factors.cols() + 1),
                        matrix<T>::Zero(now.items.factors.rows(), now.items.factors.cols() + 1)};

        std::optional<state> best;
        double highest = -1;
        std::size_t waited = 0, best_epoch = 0, epoch = 0;
        bool stopped = false;
        while (epoch < epochs && waited < patience && !stopped) {
            const rng draws = numbers.split("draws").split(epoch);
            const double mean = half_epoch(loss, by_customer.view(), now.items, now.customers, seen.customers, true, draws.split(0), options);
            half_epoch(loss, by_item.view(), now.customers, now.items, seen.items, false, draws.split(1), options);
            ++epoch;
            require(now.finite(), errc::diverged, who, ": training diverged in epoch ", epoch, ": lower learning_rate (", learning_rate,
                    ") or confidence_scale (", confidence_scale, ')');
            if (!pairs.held_out().empty()) {
                const double stands = judge(now, options);
                waited = stands > highest ? 0 : waited + 1;
                if (waited == 0) {
                    highest = stands;
                    best = now;
                    best_epoch = epoch;
                }
            }
            stopped = options.on_progress && options.on_progress({who, epoch, epochs, mean}) == verdict::stop;
        }
        loss.epochs = best ? best_epoch : epoch;
        if (best) now = std::move(*best);
        return {x.without_times(),
                detail::first_columns(std::move(now.customers.factors), n_factors),
                std::move(now.customers.bias),
                detail::first_columns(std::move(now.items.factors), n_factors),
                std::move(now.items.bias),
                loss};
    }

   private:
    struct state {
        detail::logistic_side<T> customers, items;
        [[nodiscard]] T score(std::int32_t customer, std::int32_t item) const noexcept {
            const auto n = static_cast<std::size_t>(items.factors.cols());
            return items.bias.data()[item] + detail::pair_dot<false, T>(customers.factors.data() + customer * customers.factors.cols(),
                                                                        items.factors.data() + item * items.factors.cols(), nullptr, n);
        }
        [[nodiscard]] bool finite() const {
            // Where the squares can be summed, no product of two rows is beyond the number type.
            return std::isfinite(customers.factors.squaredNorm()) && std::isfinite(items.factors.squaredNorm()) && customers.bias.allFinite() &&
                   items.bias.allFinite();
        }
    };
    struct squares_of {
        matrix<T> customers, items;
    };

    // The values of the pairs to learn from.
    static detail::sparse_table<T> learnt(const interactions<T>& x, const detail::pair_lists<T>& pairs) {
        detail::sparse_table<T> out{{0}, {}, {}, x.items().size()};
        for (std::size_t row = 0; row < x.rows(); ++row) {
            const auto mine = x[row];
            for (std::size_t k = 0; k < mine.size(); ++k)
                if (pairs.held_out().empty() || pairs.contains(static_cast<std::int32_t>(row), mine.items[k])) {
                    out.ids.push_back(mine.items[k]);
                    out.values.push_back(mine.values[k]);
                }
            out.starts.push_back(static_cast<std::int64_t>(out.ids.size()));
        }
        return out;
    }
    template <class Used>
    detail::logistic_side<T> first_side(std::size_t rows, const rng& numbers, const Used& used) const {
        return {detail::normal_rows<T>(rows, n_factors, init_deviation, numbers, used), vec<T>::Zero(static_cast<row_index>(rows))};
    }
    // Steps every row of one side. Returns the mean loss of a pair where somebody wants to know it.
    static double half_epoch(const logistic_mf_loss& loss, const detail::sparse_rows<T>& x, const detail::logistic_side<T>& others,
                             detail::logistic_side<T>& mine, matrix<T>& squares, bool customers, const rng& numbers, const fit_options& options) {
        constexpr std::size_t size = 64;
        struct sums {
            double loss = 0;
            std::size_t terms = 0;
        };
        std::vector<sums> parts((x.size() + size - 1) / size);
        const bool wanted = customers && options.on_progress;
        parallel_blocks(x.size(), size, options, [&](std::size_t begin, std::size_t end, std::size_t b) {
            workspace scratch;
            const workspace::frame frame(scratch);
            detail::logistic_row<T> stepper(loss, others, scratch);
            for (std::size_t row = begin; row < end; ++row) {
                if (customers && x.count(row) == 0) continue;  // nothing is known, so nothing is said
                const std::span<T> p(mine.factors.data() + row * static_cast<std::size_t>(mine.factors.cols()), static_cast<std::size_t>(mine.factors.cols()));
                T& bias = mine.bias.data()[row];
                const auto slope =
                    stepper.slope(p, bias, x.ids_of(row), x.values_of(row), numbers.split(row), wanted ? &parts[b].loss : nullptr, &parts[b].terms);
                stepper.step(p, bias, {squares.data() + row * (p.size() + 1), p.size() + 1}, slope);
            }
        });
        sums all;
        for (const sums& part : parts) all = {all.loss + part.loss, all.terms + part.terms};
        return all.loss / static_cast<double>(std::max<std::size_t>(1, all.terms));
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
