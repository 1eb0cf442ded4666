#ifndef CARAMEL_NN_TRAINING_HPP
#define CARAMEL_NN_TRAINING_HPP

// How networks are trained, whatever their layers: the one loop that `network` and `mlp` share.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/labels.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/rows.hpp>
#include <caramel/core/targets.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/nn/layer.hpp>
#include <caramel/nn/loss.hpp>
#include <caramel/nn/optimizer.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Hyperparameters of training on shuffled mini-batches.
struct training {
    std::size_t epochs = 40;                   ///< at least 1; fewer when validation or an observer stops it
    std::size_t batch_size = 64;               ///< at least 1
    double learning_rate = 1e-3;               ///< above 0
    double l2 = 0;                             ///< at least 0: adds l2 / 2 * |weights|^2 to the mean loss; for adamw the rate of decay
    /// 0 <= share < 1 of the rows, drawn by class where there are classes, is not learnt from; the weights after the epoch
    /// with the lowest loss on them are kept. 0 = learn from all rows and keep the last weights.
    double validation_share = 0;
    std::size_t patience = 10;                 ///< at least 1: stop after so many epochs without a lower validation loss
    update_rule rule = update_rule::adam;
    double momentum = 0.9;                     ///< of sgd
    double max_gradient_norm = 0;              ///< a longer gradient is shortened to it; 0 = never
    double l1 = 0;                             ///< at least 0: adds l1 * (sum of |weights|) to the mean loss; weights become exactly 0
    rate_schedule schedule = {};               ///< of the learning rate through the steps of all epochs, also those that an early stop leaves out
    double max_gradient_value = 0;             ///< each number of the gradient is cut to +- this, before its norm is taken; 0 = never
    bool nesterov = false;                     ///< of sgd, see `optimizer_options` for this and the next
    double beta1 = 0.9;                        ///< of adam and adamw
    double beta2 = 0.999;
    double epsilon = 1e-8;
    /// Classifiers: 0 <= share < 1 of each target is spread evenly over all classes.
    double label_smoothing = 0;
    /// Classifiers: a number for each class, at least 0, by which its rows count, as if `fit_options::weights` said so; only
    /// their ratios matter. Empty = all 1. See `balanced_class_weights`.
    std::vector<double> class_weights = {};
    /// Classifiers: above 0, rows of which the probability is p of being right count (1 - p)^focal_gamma; not with label_smoothing.
    double focal_gamma = 0;
    /// Regressors: above 0, what is further off than so many deviations of the targets pulls no harder than that; 0 = the squared error.
    double huber_delta = 0;
};

/// A weight for each class, so that all together weigh the same: rows / (classes * rows of the class); 0 where there are none.
/// Throws `error` as the classifiers do on labels that are negative, too large or of one class only.
template <class = void>
[[nodiscard]] inline std::vector<double> balanced_class_weights(std::span<const int> labels) {
    std::vector<double> out(detail::count_classes(labels, "balanced_class_weights"), 0.0);
    for (const int label : labels) ++out[static_cast<std::size_t>(label)];
    for (double& w : out)
        if (w > 0) w = static_cast<double>(labels.size()) / (static_cast<double>(out.size()) * w);
    return out;
}

namespace detail {

template <class = void>
inline optimizer_options require_training(const training& how, std::string_view who) {
    require(how.epochs >= 1 && how.epochs <= 1'000'000, errc::bad_parameter, who, ": epochs = ", how.epochs, ", must lie in 1 .. 1000000");
    require(how.batch_size >= 1, errc::bad_parameter, who, ": batch_size = 0, must be at least 1");
    require(how.validation_share >= 0 && how.validation_share < 1, errc::bad_parameter, who, ": validation_share = ", how.validation_share,
            ", must be at least 0 and below 1");
    require(how.patience >= 1, errc::bad_parameter, who, ": patience = 0, must be at least 1");
    const optimizer_options steps{.rule = how.rule,
                                  .learning_rate = how.learning_rate,
                                  .momentum = how.momentum,
                                  .l2 = how.l2,
                                  .max_gradient_norm = how.max_gradient_norm,
                                  .l1 = how.l1,
                                  .max_gradient_value = how.max_gradient_value,
                                  .nesterov = how.nesterov,
                                  .beta1 = how.beta1,
                                  .beta2 = how.beta2,
                                  .epsilon = how.epsilon,
                                  .schedule = how.schedule};
    require_optimizer(steps, who);
    return steps;
}

// What only some losses look at is refused by the others, so that nothing is asked for in vain.
template <class = void>
inline void require_class_loss(const training& how, std::string_view who) {
    require(how.label_smoothing >= 0 && how.label_smoothing < 1, errc::bad_parameter, who, ": label_smoothing = ", how.label_smoothing,
            ", must be at least 0 and below 1");
    require(std::isfinite(how.focal_gamma) && how.focal_gamma >= 0, errc::bad_parameter, who, ": focal_gamma = ", how.focal_gamma, ", must be at least 0");
    require(how.focal_gamma == 0 || how.label_smoothing == 0, errc::bad_parameter, who, ": focal_gamma and label_smoothing are not used together");
    require(how.huber_delta == 0, errc::bad_parameter, who, ": huber_delta = ", how.huber_delta, ", but the targets are classes");
    bool any = how.class_weights.empty();
    for (std::size_t k = 0; k < how.class_weights.size(); ++k) {
        const double w = how.class_weights[k];
        require(std::isfinite(w) && w >= 0, errc::bad_parameter, who, ": class_weights has ", w, " for class ", k, ", must be at least 0");
        any = any || w > 0;
    }
    require(any, errc::bad_parameter, who, ": the class_weights are all 0");
}
template <class = void>
inline void require_value_loss(const training& how, std::string_view who) {
    require(std::isfinite(how.huber_delta) && how.huber_delta >= 0, errc::bad_parameter, who, ": huber_delta = ", how.huber_delta, ", must be at least 0");
    require(how.label_smoothing == 0 && how.focal_gamma == 0 && how.class_weights.empty(), errc::bad_parameter, who,
            ": label_smoothing, class_weights and focal_gamma are for classifiers");
}

// ---- what is learnt --------------------------------------------------------------------------------------------------

// Throws `nan_or_inf` with the place; `shape_mismatch` where there is nothing to learn.
template <class T>
void require_targets(const matrix_in<T>& y, std::string_view who) {
    require_finite(y, who);
    require(y.cols() > 0, errc::shape_mismatch, who, ": the targets have no columns");
}

// Labels 0 .. classes - 1, where classes is one more than the largest label, and what their loss is.
class class_targets {
   public:
    template <class = void>
    class_targets(std::span<const int> labels, std::string_view who, std::size_t at_least = 0, const training& how = {}, std::span<const double> weights = {})
        : labels_(labels), classes_(std::max(count_classes(labels, who), at_least)), weights_(how.class_weights), smoothing_(how.label_smoothing),
          focus_(how.focal_gamma) {
        require_class_loss(how, who);
        if (weights_.empty()) return;
        require(weights_.size() == classes_, errc::bad_parameter, who, ": class_weights has ", weights_.size(), " numbers, there are ", classes_, " classes");
        // So that a row weighs 1 on average, whatever their scale.
        const row_weights rows(weights, labels.size(), who);
        double sum = 0;
        for (std::size_t i = 0; i < labels.size(); ++i) sum += rows[i] * weights_[static_cast<std::size_t>(labels[i])];
        require(sum > 0 && std::isfinite(sum), errc::bad_data, who, ": the rows of all classes weigh 0, or more than a number can hold");
        for (double& w : weights_) w *= rows.sum() / sum;
    }
    [[nodiscard]] std::size_t size() const noexcept { return labels_.size(); }
    [[nodiscard]] std::size_t outputs() const noexcept { return classes_; }
    [[nodiscard]] int stratum(std::size_t row) const noexcept { return labels_[row]; }
    template <class T>
    [[nodiscard]] double loss(std::size_t row, std::span<const T> z, std::span<T> dz) const noexcept {
        const int label = labels_[row];
        const double loss = focus_ > 0 ? softmax_focal_loss::row(z, label, dz, focus_) : softmax_cross_entropy::row(z, label, dz, smoothing_);
        if (weights_.empty()) return loss;
        const double weight = weights_[static_cast<std::size_t>(label)];
        for (T& d : dz) d *= static_cast<T>(weight);
        return weight * loss;
    }

   private:
    std::span<const int> labels_;
    std::size_t classes_;
    std::vector<double> weights_;
    double smoothing_, focus_;
};

// Columns of 0 and 1, each a question of its own. Throws `bad_data` with the place of another number.
template <class T>
class label_targets {
   public:
    label_targets(const matrix_in<T>& labels, std::string_view who, const training& how = {}, std::span<const double> weights = {})
        : labels_(labels), plain_(how.class_weights.empty() && how.label_smoothing == 0 && how.focal_gamma == 0), smoothing_(how.label_smoothing),
          focus_(how.focal_gamma) {
        require_class_loss(how, who);
        require_targets(labels, who);
        for (row_index i = 0; i < labels_.rows(); ++i)
            for (row_index j = 0; j < labels_.cols(); ++j)
                require_at(labels_(i, j) == T(0) || labels_(i, j) == T(1), errc::bad_data,
                           {.row = static_cast<std::uint64_t>(i) + 1, .column = static_cast<std::uint64_t>(j) + 1}, who, ": the target in row ", i + 1,
                           ", column ", j + 1, " is neither 0 nor 1");
        if (!how.class_weights.empty()) weigh(how.class_weights, weights, who);
    }
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(labels_.rows()); }
    [[nodiscard]] std::size_t outputs() const noexcept { return static_cast<std::size_t>(labels_.cols()); }
    [[nodiscard]] int stratum(std::size_t row) const noexcept { return labels_.cols() == 1 && labels_(static_cast<row_index>(row), 0) > T(0) ? 1 : 0; }
    [[nodiscard]] double loss(std::size_t row, std::span<const T> z, std::span<T> dz) const noexcept {
        const auto target = row_of(labels_, static_cast<row_index>(row));
        return plain_ ? sigmoid_cross_entropy::row(z, target, dz)
                      : sigmoid_cross_entropy::row(z, target, dz, weight_of_0_, weight_of_1_, smoothing_, focus_);
    }

   private:
    // As for classes: a target weighs 1 on average.
    void weigh(const std::vector<double>& of, std::span<const double> weights, std::string_view who) {
        require(of.size() == 2, errc::bad_parameter, who, ": class_weights has ", of.size(), " numbers, needs 2: of no and of yes");
        const row_weights rows(weights, size(), who);
        double sum = 0;
        for (row_index i = 0; i < labels_.rows(); ++i)
            for (row_index j = 0; j < labels_.cols(); ++j) sum += rows[i] * of[labels_(i, j) > T(0) ? 1 : 0];
        require(sum > 0 && std::isfinite(sum), errc::bad_data, who, ": the rows of all classes weigh 0, or more than a number can hold");
        weight_of_0_ = of[0] * rows.sum() * static_cast<double>(labels_.cols()) / sum;
        weight_of_1_ = of[1] * rows.sum() * static_cast<double>(labels_.cols()) / sum;
    }

    matrix<T> labels_;
    bool plain_;
    double smoothing_, focus_, weight_of_0_ = 1, weight_of_1_ = 1;
};

// Numbers, learnt as z-scores: with their own scale they would ask for a learning rate of their own.
template <class T>
class value_targets {
   public:
    value_targets(const matrix_in<T>& values, const fit_options& options, std::string_view who, const training& how = {})
        : mean(vec<T>::Zero(values.cols())), deviation(vec<T>::Ones(values.cols())), scores_(values), delta_(how.huber_delta) {
        require_value_loss(how, who);
        const row_weights weights(options.weights, static_cast<std::size_t>(values.rows()), who);
        require_targets(values, who);
        for (row_index j = 0; j < values.cols(); ++j) {
            double sum = 0, square = 0;
            for (row_index i = 0; i < values.rows(); ++i) sum += weights[i] * static_cast<double>(values(i, j));
            const double centre = sum / weights.sum();
            for (row_index i = 0; i < values.rows(); ++i)
                square += weights[i] * (static_cast<double>(values(i, j)) - centre) * (static_cast<double>(values(i, j)) - centre);
            const double spread = values.col(j).minCoeff() == values.col(j).maxCoeff() ? 0 : std::sqrt(square / weights.sum());
            mean(j) = static_cast<T>(centre);
            if (static_cast<T>(spread) > T(0)) deviation(j) = static_cast<T>(spread);
            require_at(std::isfinite(mean(j)) && std::isfinite(deviation(j)), errc::number_out_of_range, {.column = static_cast<std::uint64_t>(j) + 1}, who,
                       ": the spread of the targets is beyond the number type");
        }
        to_scores(who);
    }
    // By the mean and deviation of others, one number a column.
    value_targets(const matrix_in<T>& values, const vec<T>& other_mean, const vec<T>& other_deviation, std::string_view who, const training& how = {})
        : mean(other_mean), deviation(other_deviation), scores_(values), delta_(how.huber_delta) {
        require_value_loss(how, who);
        require_targets(values, who);
        to_scores(who);
    }
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(scores_.rows()); }
    [[nodiscard]] std::size_t outputs() const noexcept { return static_cast<std::size_t>(scores_.cols()); }
    [[nodiscard]] int stratum(std::size_t) const noexcept { return 0; }
    [[nodiscard]] double loss(std::size_t row, std::span<const T> z, std::span<T> dz) const noexcept {
        const auto target = row_of(scores_, static_cast<row_index>(row));
        return delta_ > 0 ? huber_loss::row(z, target, dz, delta_) : mean_squared_error::row(z, target, dz);
    }

    vec<T> mean, deviation;

   private:
    void to_scores(std::string_view who) {
        for (row_index i = 0; i < scores_.rows(); ++i)
            for (row_index j = 0; j < scores_.cols(); ++j) {
                scores_(i, j) = (scores_(i, j) - mean(j)) / deviation(j);
                require_at(std::isfinite(scores_(i, j)), errc::number_out_of_range,
                           {.row = static_cast<std::uint64_t>(i) + 1, .column = static_cast<std::uint64_t>(j) + 1}, who, ": the target in row ", i + 1,
                           ", column ", j + 1, " is too far from the others for the number type");
            }
    }

    matrix<T> scores_;
    double delta_;
};

// Grades, of which only the order within a group counts: one output, a score. Its loss is of pairs, so it is that of a whole
// mini-batch: the mean over the pairs of rows of a group that differ in grade, each by the product of its rows' weights.
template <class T>
class pair_targets {
   public:
    // (rows, 1): grades, all of one group; (rows, 2): grades and the numbers of groups.
    pair_targets(const matrix_in<T>& y, std::string_view who) : y_(y) {
        require_targets(y, who);
        require(y.cols() <= 2, errc::shape_mismatch, who, ": the targets have ", y.cols(), " columns, need grades and at most a group beside them");
        auto order = std::vector<std::size_t>(size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(group(i), grade(i)); });
        bool any = false;
        for (std::size_t k = 1; k < order.size(); ++k) any = any || (group(order[k]) == group(order[k - 1]) && grade(order[k]) != grade(order[k - 1]));
        require(any, errc::bad_data, who, ": no two of the ", size(), " rows are of one group and differ in grade");
    }
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(y_.rows()); }
    [[nodiscard]] static std::size_t outputs() noexcept { return 1; }
    [[nodiscard]] static int stratum(std::size_t) noexcept { return 0; }
    // Rows of a group side by side, the groups in random order, so that mini-batches hold pairs.
    void arrange(std::span<std::size_t> order, rng numbers) const {
        if (y_.cols() < 2) return;
        std::vector<T> groups;
        for (const std::size_t row : order) groups.push_back(group(row));
        std::sort(groups.begin(), groups.end());
        groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
        const auto places = numbers.permutation(groups.size());
        std::ranges::stable_sort(order, {}, [&](std::size_t row) {
            return places[static_cast<std::size_t>(std::lower_bound(groups.begin(), groups.end(), group(row)) - groups.begin())];
        });
    }
    // The mean loss times the rows' weights; `dz` becomes the gradient of that.
    [[nodiscard]] double batch_loss(std::span<const std::size_t> rows, const row_weights& weights, std::span<const T> z, std::span<T> dz) const {
        std::vector<double> slopes(rows.size(), 0.0);
        double sum = 0, pairs = 0, all = 0;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            all += weights[rows[i]];
            for (std::size_t j = 0; j < rows.size(); ++j) {
                if (group(rows[i]) != group(rows[j]) || !(grade(rows[i]) > grade(rows[j]))) continue;
                const double weight = weights[rows[i]] * weights[rows[j]];
                double slope = 0;
                sum += weight * pairwise_logistic::pair(static_cast<double>(z[i]), static_cast<double>(z[j]), slope);
                slopes[i] += weight * slope;
                slopes[j] -= weight * slope;
                pairs += weight;
            }
        }
        const double factor = pairs > 0 ? all / pairs : 0;
        for (std::size_t i = 0; i < rows.size(); ++i) dz[i] = static_cast<T>(factor * slopes[i]);
        return factor * sum;
    }

   private:
    [[nodiscard]] T grade(std::size_t row) const noexcept { return y_(static_cast<row_index>(row), 0); }
    [[nodiscard]] T group(std::size_t row) const noexcept { return y_.cols() < 2 ? T(0) : y_(static_cast<row_index>(row), 1); }

    matrix<T> y_;
};

// ---- what is learnt from ---------------------------------------------------------------------------------------------

template <class T>
layer_shape shape_of_input(const matrix_in<T>& x, std::string_view who) {
    require_finite(x, who);
    return {.inputs = static_cast<std::size_t>(x.cols())};
}
template <class T>
layer_shape shape_of_input(const token_ids& x, std::string_view who) {
    for (std::size_t i = 0; i < x.size(); ++i) require_ids(x[i], x.vocabulary_size, i + 1, who);
    require_token_weights(x, who);
    return {.inputs = x.vocabulary_size, .unknown = x.unknown, .padding = x.padding};
}
template <class T>
void gather_rows(const matrix_in<T>& x, std::span<const std::size_t> which, matrix<T>& out) {
    out.resize(static_cast<row_index>(which.size()), x.cols());
    for (std::size_t i = 0; i < which.size(); ++i)
        std::copy_n(x.data() + static_cast<row_index>(which[i]) * x.outerStride(), x.cols(), out.data() + static_cast<row_index>(i) * x.cols());
}
template <class = void>
inline void gather_rows(const token_ids& x, std::span<const std::size_t> which, token_ids& out) {
    out = token_ids{{}, x.vocabulary_size, x.unknown, x.padding};
    for (const std::size_t row : which) out.append_row(x[row], x.weights_of(row));
}

// Rows to learn from and rows to validate on: a share of each class is drawn, but one row of it always stays.
struct row_split {
    std::vector<std::size_t> learn, validate;
};
template <class Targets>
row_split split_rows(const Targets& targets, double share, rng numbers, std::string_view who) {
    row_split out;
    if (share == 0) {
        out.learn.resize(targets.size());
        std::iota(out.learn.begin(), out.learn.end(), std::size_t{0});
        return out;
    }
    auto order = numbers.permutation(targets.size());
    std::ranges::stable_sort(order, {}, [&](std::size_t row) { return targets.stratum(row); });
    const auto first_of_class = [&](std::size_t k) { return k == 0 || targets.stratum(order[k]) != targets.stratum(order[k - 1]); };
    std::size_t free = 0, passed = 0;  // rows that may be drawn, in all and so far
    for (std::size_t k = 0; k < order.size(); ++k) free += first_of_class(k) ? 0U : 1U;
    const auto wanted = std::min(free, static_cast<std::size_t>(share * static_cast<double>(order.size()) + 1e-9));  // .29 * 100 is less than 29
    for (std::size_t k = 0; k < order.size(); ++k) {
        const bool chosen = !first_of_class(k) && (out.validate.size() + 1) * free <= wanted * ++passed;
        (chosen ? out.validate : out.learn).push_back(order[k]);
    }
    require(!out.validate.empty(), errc::too_few_rows, who, ": validation_share = ", share, " of ", targets.size(), " rows leaves none to validate on");
    std::sort(out.learn.begin(), out.learn.end());
    return out;
}
template <class = void>
inline double sum_of(const row_weights& weights, std::span<const std::size_t> rows, std::string_view part, std::string_view who) {
    double sum = 0;
    for (const std::size_t row : rows) sum += weights[row];
    require(sum > 0, errc::bad_data, who, ": the weights of all rows ", part, " are zero");
    return sum;
}

// ---- the loop --------------------------------------------------------------------------------------------------------

// A layer may bring steps of its own, which do what the loop below does, faster.
template <class Root, class T>
struct own_steps_of {
    static constexpr bool exist = false;
    struct type {};
};
template <class Root, class T>
    requires requires { typename Root::template steps<T>; }
struct own_steps_of<Root, T> {
    static constexpr bool exist = true;
    using type = typename Root::template steps<T>;
};

// Trains one layer, which may be a stack of them. Everything happens in an order given by data and seed alone.
template <class T, class Root, class X, class Targets>
class trainer {
    using params = layer_params<Root, T>;
    static constexpr bool own_steps = own_steps_of<Root, T>::exist;

   public:
    trainer(const Root& root, const X& x, const Targets& targets, const training& how, const fit_options& options, std::string_view who, const params* start)
        : root_(root), x_(x), targets_(targets), how_(how), options_(options), who_(who), start_(start), weights_(options.weights, targets.size(), who),
          numbers_(stage_rng(options, who)) {}

    [[nodiscard]] params run() {
        const optimizer_options stepping = require_training(how_, who_);
        shape_ = shape_of_input<T>(x_, who_);
        shape_.outputs = targets_.outputs();
        params now = first_params();
        require(now.check(shape_.inputs, who_) == shape_.outputs, errc::bad_parameter, who_, ": the last layer has ", now.check(shape_.inputs, who_),
                " outputs, the targets need ", shape_.outputs);
        row_split rows = split_rows(targets_, how_.validation_share, numbers_.split("validation"), who_);
        weight_to_learn_ = sum_of(weights_, rows.learn, "to learn from", who_);
        if (!rows.validate.empty()) (void)sum_of(weights_, rows.validate, "to validate on", who_);
        optimizer<T> steps(stepping, how_.epochs * ((rows.learn.size() - 1) / how_.batch_size + 1));
        if constexpr (own_steps) fast_.emplace(root_, now, std::min(how_.batch_size, rows.learn.size()), options_);
        std::optional<params> best;
        double lowest = std::numeric_limits<double>::infinity();
        std::size_t waited = 0;
        for (std::size_t epoch = 1; epoch <= how_.epochs; ++epoch) {
            const double loss = run_epoch(now, steps, rows.learn, epoch);
            require_sane(now, loss, rows.learn, epoch);
            if (!rows.validate.empty()) {
                const double validation = validation_loss(now, rows.validate);
                if (validation < lowest) {
                    lowest = validation;
                    best = now;
                    waited = 0;
                } else {
                    ++waited;
                }
            }
            if (options_.on_progress && options_.on_progress({who_, epoch, how_.epochs, loss}) == verdict::stop) break;
            if (waited == how_.patience) break;
        }
        return best ? std::move(*best) : std::move(now);
    }

   private:
    [[nodiscard]] params first_params() const {
        if (start_ != nullptr) return *start_;
        rng init = numbers_.split("init");
        return root_.template init<T>(shape_, init);
    }

    // The mean loss of the rows, each as it was when its mini-batch came.
    double run_epoch(params& now, optimizer<T>& steps, std::vector<std::size_t>& order, std::size_t epoch) {
        numbers_.split("order").split(epoch).shuffle(std::span(order));
        if constexpr (requires { targets_.arrange(order, numbers_); }) targets_.arrange(order, numbers_.split("groups").split(epoch));
        const double mean_weight = weight_to_learn_ / static_cast<double>(order.size());
        double sum = 0;
        for (std::size_t at = 0; at < order.size() && std::isfinite(sum); at += how_.batch_size)
            sum += run_batch(now, steps, std::span<const std::size_t>(order).subspan(at, std::min(how_.batch_size, order.size() - at)), mean_weight);
        return sum / weight_to_learn_;
    }
    // A mini-batch is a sample of all rows, so it is divided by its rows times their mean weight: not by what its own rows
    // happen to weigh, which may be nothing.
    double run_batch(params& now, optimizer<T>& steps, std::span<const std::size_t> rows, double mean_weight) {
        const double scale = 1 / (static_cast<double>(rows.size()) * mean_weight);
        rng noise = numbers_.split("noise").split(steps.steps());
        if constexpr (own_steps) {
            return fast_->step(now, x_, rows, [&](std::size_t row, std::span<const T> z, std::span<T> slopes) { return loss(row, z, slopes, scale); }, noise,
                               steps);
        } else {
            take(rows);
            const double sum = losses(root_.forward(now, batch_, cache_, noise), rows, scale);
            if (!std::isfinite(sum)) return sum;
            first_gradients(root_, now, cache_, slopes_, grads_);
            steps.step([&](const auto& f) { root_.visit(now, grads_, f); });
            return sum;
        }
    }
    // `batch_` becomes these rows. Where memory runs out while a matrix gets another size, Eigen 3.4 frees its elements twice:
    // whatever has the size of a mini-batch begins empty when that changes.
    void take(std::span<const std::size_t> rows) {
        if (rows.size() != batch_rows_) {
            batch_ = {};
            cache_ = {};
            slopes_ = {};
            batch_rows_ = rows.size();
        }
        gather_rows(x_, rows, batch_);
    }
    // The weighted loss of a row; `slopes` become its gradient by the outputs, times `scale`.
    double loss(std::size_t row, std::span<const T> z, std::span<T> slopes, double scale) const noexcept {
        const double weight = weights_[row];
        const double value = weight * targets_.loss(row, z, slopes);
        for (T& slope : slopes) slope *= static_cast<T>(weight * scale);
        return value;
    }
    // The sum of the rows' losses; `slopes_` become its gradient.
    double losses(const matrix<T>& z, std::span<const std::size_t> rows, double scale) {
        slopes_.resize(z.rows(), z.cols());
        if constexpr (requires { targets_.batch_loss(rows, weights_, std::span<const T>(), std::span<T>()); }) {
            const double sum = targets_.batch_loss(rows, weights_, std::span<const T>(z.data(), rows.size()), std::span<T>(slopes_.data(), rows.size()));
            slopes_ *= static_cast<T>(scale);
            return sum;
        } else {
            const auto width = static_cast<std::size_t>(z.cols());
            double sum = 0;
            for (std::size_t i = 0; i < rows.size(); ++i)
                sum += loss(rows[i], std::span<const T>(z.data() + i * width, width), std::span<T>(slopes_.data() + i * width, width), scale);
            return sum;
        }
    }
    double validation_loss(const params& now, std::span<const std::size_t> rows) {
        if constexpr (own_steps) {
            double weight = 0;
            for (const std::size_t row : rows) weight += weights_[row];
            return fast_->evaluate(x_, rows, [&](std::size_t row, std::span<const T> z, std::span<T> slopes) { return loss(row, z, slopes, 1); }) / weight;
        } else {
            return mean_loss(now, rows);
        }
    }
    // Without dropout.
    double mean_loss(const params& now, std::span<const std::size_t> rows) {
        double sum = 0, weight = 0;
        for (const std::size_t row : rows) weight += weights_[row];
        for (std::size_t at = 0; at < rows.size(); at += block_rows) {
            const auto block = rows.subspan(at, std::min(block_rows, rows.size() - at));
            take(block);
            sum += losses(now.apply(batch_), block, 1);
        }
        return sum / weight;
    }
    // Adam's steps have a bounded length, so a rate far too high need not reach infinity: it gives a loss far above that of
    // the first random weights.
    void require_sane(params& now, double loss, std::span<const std::size_t> rows, std::size_t epoch) {
        bool sane = std::isfinite(loss);
        root_.visit(now, grads_, [&](const parameter_block<T>& block) {
            for (const T w : block.values) sane = sane && std::isfinite(w);
        });
        if (sane && loss > too_high) sane = loss <= too_high * std::max(1.0, mean_loss(first_params(), rows));
        require(sane, errc::diverged, who_, ": training diverged in epoch ", epoch, ": lower learning_rate (", how_.learning_rate,
                "), or standardize the inputs");
    }

    static constexpr std::size_t block_rows = 256;
    static constexpr double too_high = 1000;

    const Root& root_;
    const X& x_;
    const Targets& targets_;
    const training& how_;
    const fit_options& options_;
    std::string_view who_;
    const params* start_;
    row_weights weights_;
    rng numbers_;
    layer_shape shape_;
    double weight_to_learn_ = 0;
    std::size_t batch_rows_ = 0;
    layer_input<Root, T> batch_;
    layer_cache<Root, T> cache_;
    layer_grads<Root, T> grads_;
    matrix<T> slopes_;
    std::optional<typename own_steps_of<Root, T>::type> fast_;
};

// The parameters of `root` after training on `x`, from `start` on, if there is one, or from random ones. Hyperparameters
// are checked first, then data.
template <class T, class Root, class X, class Targets>
[[nodiscard]] layer_params<Root, T> train(const Root& root, const X& x, const Targets& targets, const training& how, const fit_options& options,
                                          std::string_view who, const layer_params<Root, T>* start = nullptr) {
    return trainer<T, Root, X, Targets>(root, x, targets, how, options, who, start).run();
}

// What must hold before targets are looked at.
template <class X, class Y>
void require_examples(const X& x, const Y& y, std::string_view who) {
    const std::size_t rows = row_count(x), targets = row_count(y);
    require(rows > 0, errc::empty_input, who, ": no rows to learn from");
    require(rows == targets, errc::shape_mismatch, who, ": ", rows, " rows but ", targets, " targets");
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
