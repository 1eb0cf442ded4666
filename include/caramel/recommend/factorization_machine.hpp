#ifndef CARAMEL_RECOMMEND_FACTORIZATION_MACHINE_HPP
#define CARAMEL_RECOMMEND_FACTORIZATION_MACHINE_HPP

// Linear models with a factorized weight for every pair of columns: for sparse rows such as one-hot customers, items and
// their features, where most pairs are seen rarely or never.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/labels.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/softmax.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/core/targets.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// What a factorization machine has learnt: score = intercept + sum of w_j x_j + sum over pairs j < l of (v_j . v_l) x_j x_l.
template <class T>
struct machine_numbers {
    T intercept;
    vec<T> weights;     // (columns)
    matrix<T> factors;  // (columns, n_factors)

    void require_fits(std::string_view who) const {
        require(std::isfinite(intercept) && weights.size() == factors.rows() && weights.allFinite() && factors.allFinite() &&
                    std::cmp_less(weights.size(), std::int64_t{1} << 31),
                errc::bad_data, who, ": intercept, weights and factors do not belong together");
    }
    [[nodiscard]] std::size_t inputs() const noexcept { return static_cast<std::size_t>(weights.size()); }
    [[nodiscard]] std::size_t n_factors() const noexcept { return static_cast<std::size_t>(factors.cols()); }
    [[nodiscard]] const T* factors_of(std::size_t column) const noexcept { return factors.data() + column * n_factors(); }

    // The pairs cost as much as the columns: their sum is half of (sum of v_j x_j)^2 - sum of (v_j x_j)^2, by factor
    // (Rendle 2010, lemma 3.1). `sums` receives the sum of v_j x_j; `squares` is scratch of the same size.
    template <class Row>
    [[nodiscard]] T score(const Row& row, std::span<T> sums, std::span<T> squares) const noexcept {
        std::fill(sums.begin(), sums.end(), T(0));
        std::fill(squares.begin(), squares.end(), T(0));
        double linear = static_cast<double>(intercept);
        each_value(row, [&](std::size_t column, T x) {
            linear += static_cast<double>(weights.data()[column]) * static_cast<double>(x);
            const T* const v = factors_of(column);
            for (std::size_t f = 0; f < sums.size(); ++f) {
                const T part = v[f] * x;
                sums[f] += part;
                squares[f] += part * part;
            }
        });
        double pairs = 0;
        for (std::size_t f = 0; f < sums.size(); ++f) pairs += static_cast<double>(sums[f]) * static_cast<double>(sums[f]) - static_cast<double>(squares[f]);
        return static_cast<T>(linear + .5 * pairs);
    }
    template <class Visit>
    static void each_value(const sparse_row<T>& row, const Visit& visit) {
        for (std::size_t k = 0; k < row.columns.size(); ++k)
            if (row.values[k] != T(0)) visit(static_cast<std::size_t>(row.columns[k]), row.values[k]);
    }
    template <class Visit>
    static void each_value(std::span<const T> row, const Visit& visit) {
        for (std::size_t j = 0; j < row.size(); ++j)
            if (row[j] != T(0)) visit(j, row[j]);
    }
    // Calls `move(number, its square sum, slope)` for all that a row involves; `slope` is that of the loss by the score.
    template <class Move>
    void each_slope(const sparse_row<T>& row, std::span<const T> sums, double slope, double regularization, machine_numbers& seen, const Move& move) {
        move(intercept, seen.intercept, slope);
        each_value(row, [&](std::size_t column, T x) {
            const double pull = slope * static_cast<double>(x);
            T& w = weights.data()[column];
            move(w, seen.weights.data()[column], pull + regularization * static_cast<double>(w));
            T* const v = factors.data() + column * n_factors();
            T* const squares = seen.factors.data() + column * n_factors();
            for (std::size_t f = 0; f < n_factors(); ++f)
                move(v[f], squares[f], pull * static_cast<double>(sums[f] - v[f] * x) + regularization * static_cast<double>(v[f]));
        });
    }
    [[nodiscard]] bool all_finite() const { return std::isfinite(intercept) && weights.allFinite() && factors.allFinite(); }
};

struct machine_settings {
    std::size_t n_factors, epochs;
    double learning_rate, regularization, init_deviation, validation_share;
    std::size_t patience;
};
template <class Settings>
void require_machine(const Settings& how, std::string_view who) {
    require(how.n_factors <= 4096, errc::bad_parameter, who, ": n_factors is ", how.n_factors, ", must be in 0 .. 4096");
    require(how.epochs >= 1 && how.epochs <= 1'000'000, errc::bad_parameter, who, ": epochs is ", how.epochs, ", must be in 1 .. 1000000");
    require(std::isfinite(how.learning_rate) && how.learning_rate > 0, errc::bad_parameter, who, ": learning_rate is ", how.learning_rate, ", must be above 0");
    require(std::isfinite(how.regularization) && how.regularization >= 0, errc::bad_parameter, who, ": regularization is ", how.regularization,
            ", must be at least 0");
    require(std::isfinite(how.init_deviation) && how.init_deviation > 0, errc::bad_parameter, who, ": init_deviation is ", how.init_deviation,
            ", must be above 0");
    require(how.validation_share >= 0 && how.validation_share < 1, errc::bad_parameter, who, ": validation_share is ", how.validation_share,
            ", must be at least 0 and below 1");
    require(how.patience >= 1, errc::bad_parameter, who, ": patience is 0, must be at least 1");
}

// `loss(row, score)` gives the loss and its slope by the score; `first` is where the intercept begins. A reported loss is
// `unit` times what is minimised.
template <class T, class Loss>
machine_numbers<T> fit_machine(const sparse_matrix<T>& x, const row_weights& weights, double first, double unit, const Loss& loss, const machine_settings& how,
                               const fit_options& options, std::string_view who) {
    rng numbers = stage_rng(options, who);
    machine_numbers<T> now{static_cast<T>(first), vec<T>::Zero(x.cols()), matrix<T>(x.cols(), static_cast<row_index>(how.n_factors))};
    for (row_index k = 0; k < now.factors.size(); ++k) now.factors.data()[k] = static_cast<T>(how.init_deviation * numbers.normal());
    machine_numbers<T> seen{T(0), vec<T>::Zero(x.cols()), matrix<T>::Zero(x.cols(), now.factors.cols())};

    std::vector<std::size_t> learn, judged;
    for (const std::size_t row : numbers.permutation(static_cast<std::size_t>(x.rows())))
        if (weights[row] > 0) learn.push_back(row);
    if (how.validation_share > 0) {
        const auto n = static_cast<std::ptrdiff_t>(how.validation_share * static_cast<double>(learn.size()) + 1e-9);  // .29 * 100 is less than 29
        require(n > 0, errc::too_few_rows, who, ": validation_share = ", how.validation_share, " of ", learn.size(), " rows leaves none to validate on");
        judged.assign(learn.end() - n, learn.end());
        learn.resize(learn.size() - static_cast<std::size_t>(n));
    }
    const auto sum_of = [&](const std::vector<std::size_t>& rows) {
        double sum = 0;
        for (const std::size_t row : rows) sum += weights[row];
        return sum;
    };
    const double all = sum_of(learn), all_judged = sum_of(judged), mean_weight = all / static_cast<double>(learn.size());
    std::vector<T> sums(how.n_factors), squares(how.n_factors);
    const auto require_sane = [&](bool sane, std::size_t epoch) {
        require(sane, errc::diverged, who, ": training diverged in epoch ", epoch, ": lower learning_rate (", how.learning_rate,
                "), or standardize the columns");
    };
    const auto adagrad = [&](T& value, T& square, double slope) {  // Duchi, Hazan & Singer 2011
        square += static_cast<T>(slope * slope);
        value -= static_cast<T>(how.learning_rate * slope / std::sqrt(static_cast<double>(square) + 1e-8));
    };

    std::optional<machine_numbers<T>> best;
    double lowest = std::numeric_limits<double>::infinity();
    std::size_t waited = 0;
    bool stopped = false;
    for (std::size_t epoch = 1; epoch <= how.epochs && waited < how.patience && !stopped; ++epoch) {
        double total = 0;
        numbers.shuffle(std::span(learn));
        for (const std::size_t row : learn) {
            const auto values = x[row];
            const auto [cost, slope] = loss(row, static_cast<double>(now.score(values, std::span(sums), std::span(squares))));
            const double weight = weights[row] / mean_weight;
            total += weights[row] * cost;
            now.each_slope(values, sums, weight * slope, weight * how.regularization, seen, adagrad);
        }
        require_sane(std::isfinite(total) && now.all_finite(), epoch);
        if (!judged.empty()) {
            double validation = 0;
            for (const std::size_t row : judged)
                validation += weights[row] * loss(row, static_cast<double>(now.score(x[row], std::span(sums), std::span(squares)))).first;
            require_sane(std::isfinite(validation), epoch);
            waited = validation / all_judged < lowest ? 0 : waited + 1;
            if (waited == 0) {
                lowest = validation / all_judged;
                best = now;
            }
        }
        stopped = options.on_progress && options.on_progress({who, epoch, how.epochs, unit * total / all}) == verdict::stop;
    }
    return best ? std::move(*best) : std::move(now);
}

// Checks of the rows that both recipes do, and rows without their zeros.
template <class T, class Y>
void require_machine_rows(const sparse_matrix<T>& x, const Y& targets, std::string_view who) {
    require(x.rows() > 0, errc::empty_input, who, ": no rows to learn from");
    require(std::cmp_equal(x.rows(), targets), errc::shape_mismatch, who, ": ", x.rows(), " rows but ", targets, " targets");
}
template <class T>
sparse_matrix<T> without_zeros(const matrix_in<T>& x, std::string_view who) {
    require_finite(x, who);
    return sparse_matrix<T>(x);
}

// Answers of both models: `finish(score, out)` turns a row's score into its answer of `Outputs` numbers.
template <class Model, class T, std::size_t Outputs>
class machine_model : public single_row<Model> {
   public:
    using stage_concept = model_tag;

    /// (rows, columns), dense or sparse. Throws `error`: `shape_mismatch` unless `x` has as many columns as the training data;
    /// `nan_or_inf`; `number_out_of_range` with the row whose numbers are too large.
    [[nodiscard]] matrix<T> operator()(const matrix_in<T>& x) const {
        require_width(static_cast<std::size_t>(x.cols()));
        require_finite(x, Model::kind);
        return answer(x.rows(), [&](row_index i) { return std::span<const T>(x.data() + i * x.outerStride(), numbers_.inputs()); });
    }
    [[nodiscard]] matrix<T> operator()(const sparse_matrix<T>& x) const {
        require_width(static_cast<std::size_t>(x.cols()));
        return answer(x.rows(), [&](row_index i) { return row_of(x, i); });
    }
    /// One row, in the workspace; the same bits as in a batch, dense and sparse. Throws as above, and what `require_sparse` does.
    [[nodiscard]] std::span<const T> operator()(std::span<const T> row, workspace& scratch) const {
        require_width(row.size());
        require_finite(row, Model::kind);
        return answer_row(row, scratch);
    }
    [[nodiscard]] std::span<const T> operator()(const sparse_row<T>& row, workspace& scratch) const {
        require_width(row.width);
        require_sparse(row, 1, Model::kind);
        return answer_row(row, scratch);
    }
    using single_row<Model>::operator();

    [[nodiscard]] std::size_t inputs() const noexcept { return numbers_.inputs(); }
    [[nodiscard]] T intercept() const noexcept { return numbers_.intercept; }
    /// (columns)
    [[nodiscard]] const vec<T>& weights() const noexcept { return numbers_.weights; }
    /// (columns, n_factors): the weight of a pair of columns is the product of their rows.
    [[nodiscard]] const matrix<T>& factors() const noexcept { return numbers_.factors; }

    static constexpr std::array field_names{"intercept", "weights", "factors"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(numbers_.intercept, numbers_.weights, numbers_.factors); }

   protected:
    explicit machine_model(machine_numbers<T> numbers) : numbers_(std::move(numbers)) { numbers_.require_fits(Model::kind); }

   private:
    void require_width(std::size_t columns) const {
        require(columns == numbers_.inputs(), errc::shape_mismatch, Model::kind, ": got ", columns, " columns, learnt ", numbers_.inputs());
    }
    template <class Row>
    void finish(const Row& row, std::size_t number, std::span<T> sums, std::span<T> squares, std::span<T> out) const {
        const T score = numbers_.score(row, sums, squares);
        require_at(std::isfinite(score), errc::number_out_of_range, {.row = number}, Model::kind, ": the values of row ", number,
                   " are too large: the score is beyond the number type");
        Model::finish(score, out);
    }
    template <class Get>
    [[nodiscard]] matrix<T> answer(row_index rows, const Get& get) const {
        matrix<T> out(rows, static_cast<row_index>(Outputs));
        std::vector<T> sums(numbers_.n_factors()), squares(numbers_.n_factors());
        for (row_index i = 0; i < rows; ++i) finish(get(i), static_cast<std::size_t>(i) + 1, sums, squares, {out.data() + i * out.cols(), Outputs});
        return out;
    }
    template <class Row>
    [[nodiscard]] std::span<const T> answer_row(const Row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto out = scratch.take<T>(Outputs), sums = scratch.take<T>(numbers_.n_factors()), squares = scratch.take<T>(numbers_.n_factors());
        finish(row, 1, sums, squares, out);
        return out;
    }
    machine_numbers<T> numbers_;
};

}  // namespace detail

/// Probabilities of two classes by a factorization machine of second order (Rendle, ICDM 2010): (rows, columns), dense or
/// sparse, -> (rows, 2). The log odds of class 1 are intercept + sum of w_j x_j + sum over pairs of (v_j . v_l) x_j x_l.
template <class T>
class factorization_machine_model : public detail::machine_model<factorization_machine_model<T>, T, 2> {
   public:
    static constexpr std::string_view kind = "factorization_machine";  // in saved files: never changes

    /// `weights` is (columns), `factors` (columns, n_factors). Throws `error` (`bad_data`) on fields that do not belong together.
    factorization_machine_model(T intercept, vec<T> weights, matrix<T> factors) : base({intercept, std::move(weights), std::move(factors)}) {}
    [[nodiscard]] static constexpr std::size_t classes() noexcept { return 2; }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return {"class_0", "class_1"}; }

   private:
    using base = detail::machine_model<factorization_machine_model, T, 2>;
    friend base;
    static void finish(T score, std::span<T> out) noexcept {
        out[0] = detail::sigmoid_of(-score);
        out[1] = detail::sigmoid_of(score);
    }
};

/// Values by a factorization machine of second order: (rows, columns), dense or sparse, -> (rows, 1).
template <class T>
class factorization_machine_regressor_model : public detail::machine_model<factorization_machine_regressor_model<T>, T, 1> {
   public:
    static constexpr std::string_view kind = "factorization_machine_regressor";  // in saved files: never changes

    /// As for `factorization_machine_model`.
    factorization_machine_regressor_model(T intercept, vec<T> weights, matrix<T> factors) : base({intercept, std::move(weights), std::move(factors)}) {}
    [[nodiscard]] static constexpr std::size_t outputs() noexcept { return 1; }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>&) const { return {"value_0"}; }

   private:
    using base = detail::machine_model<factorization_machine_regressor_model, T, 1>;
    friend base;
    static void finish(T score, std::span<T> out) noexcept { out[0] = score; }
};

/// Recipe for `factorization_machine_model`, for two classes. Minimises
///
///     sum over rows of weight * (-log(probability of the row's class) + regularization / 2 * squares of the w_j and v_j of its columns)
///
/// by stochastic gradient descent with AdaGrad's steps, rows in a new random order in each epoch, on one thread. Only ratios
/// of weights matter. Columns should be of like size: one-hot, rows of length 1, or `standardize` in front.
template <class T>
struct factorization_machine {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    std::size_t n_factors = 8;      ///< 0 .. 4096; 0 = no pairs
    std::size_t epochs = 20;        ///< 1 .. 1,000,000; fewer when validation or an observer stops it
    double learning_rate = 0.05;    ///< above 0
    double regularization = 0.001;  ///< at least 0
    double init_deviation = 0.05;   ///< above 0: factors begin normal with this deviation
    /// 0 <= share < 1 of the rows, drawn at random, is not learnt from; what was learnt after the epoch with the lowest loss on
    /// them is kept.
    double validation_share = 0;
    std::size_t patience = 3;  ///< at least 1: stop after so many epochs without a lower validation loss

    /// Labels are 0 and 1. Reports the mean of -log(probability), each row as it was before its step.
    /// Throws `error`: `bad_parameter`; `empty_input`; `shape_mismatch`; `nan_or_inf`; `bad_data` with the row of a label
    /// that is neither, and where there is one class only; `too_few_rows` (none to validate on); `diverged`.
    [[nodiscard]] factorization_machine_model<T> fit(const matrix_in<T>& x, const std::vector<int>& y, const fit_options& options) const {
        return fit(detail::without_zeros<T>(x, factorization_machine_model<T>::kind), y, options);
    }
    [[nodiscard]] factorization_machine_model<T> fit(const sparse_matrix<T>& x, const std::vector<int>& y, const fit_options& options) const {
        constexpr std::string_view who = factorization_machine_model<T>::kind;
        const detail::machine_settings how{n_factors, epochs, learning_rate, regularization, init_deviation, validation_share, patience};
        detail::require_machine(how, who);
        detail::require_machine_rows(x, y.size(), who);
        (void)detail::count_classes(y, who);
        const row_weights weights(options.weights, y.size(), who);
        double ones = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            require_at(y[i] <= 1, errc::bad_data, {.row = i + 1}, who, ": the label of row ", i + 1, " is above 1; labels are 0 and 1");
            ones += weights[i] * y[i];
        }
        require(ones > 0 && ones < weights.sum(), errc::bad_data, who, ": the rows of positive weight are of one class only");
        const auto loss = [&](std::size_t row, double score) {
            const double sign = y[row] == 1 ? 1 : -1;
            return std::pair(detail::softplus(-sign * score), -sign * detail::sigmoid_of(-sign * score));
        };
        auto numbers = detail::fit_machine<T>(x, weights, std::log(ones / (weights.sum() - ones)), 1, loss, how, options, who);
        return {numbers.intercept, std::move(numbers.weights), std::move(numbers.factors)};
    }
};

/// Recipe for `factorization_machine_regressor_model`: as `factorization_machine`, with half the squared error of the target's
/// z-scores for a loss, so that steps and regularization do not depend on the target's unit.
template <class T>
struct factorization_machine_regressor {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    std::size_t n_factors = 8;  ///< see `factorization_machine`
    std::size_t epochs = 20;
    double learning_rate = 0.05;
    double regularization = 0.001;
    double init_deviation = 0.05;
    double validation_share = 0;
    std::size_t patience = 3;

    /// `y` is one number a row. Reports the mean squared error, each row as it was before its step.
    /// Throws `error`: `bad_parameter`; `empty_input`; `shape_mismatch`; `nan_or_inf` with the place in the data, or the row of a
    /// target; `too_few_rows` (none to validate on); `number_out_of_range` (the spread of the targets); `diverged`.
    [[nodiscard]] factorization_machine_regressor_model<T> fit(const matrix_in<T>& x, const targets_in<T>& y, const fit_options& options) const {
        return fit(detail::without_zeros<T>(x, factorization_machine_regressor_model<T>::kind), y, options);
    }
    [[nodiscard]] factorization_machine_regressor_model<T> fit(const sparse_matrix<T>& x, const targets_in<T>& y, const fit_options& options) const {
        constexpr std::string_view who = factorization_machine_regressor_model<T>::kind;
        const detail::machine_settings how{n_factors, epochs, learning_rate, regularization, init_deviation, validation_share, patience};
        detail::require_machine(how, who);
        detail::require_machine_rows(x, static_cast<std::size_t>(y.rows()), who);
        require(y.cols() == 1, errc::shape_mismatch, who, ": the targets have ", y.cols(), " columns, must be 1");
        const row_weights weights(options.weights, static_cast<std::size_t>(y.rows()), who);
        require_finite(y, "factorization_machine_regressor: targets");
        double mean = 0, square = 0;
        for (row_index i = 0; i < y.rows(); ++i) mean += weights[i] / weights.sum() * static_cast<double>(y(i, 0));
        for (row_index i = 0; i < y.rows(); ++i)
            square += weights[i] / weights.sum() * (static_cast<double>(y(i, 0)) - mean) * (static_cast<double>(y(i, 0)) - mean);
        require(std::isfinite(square), errc::number_out_of_range, who, ": the spread of the targets is beyond the number type");
        const double deviation = square > 0 ? std::sqrt(square) : 1;
        const auto loss = [&](std::size_t row, double score) {
            const double e = score - (static_cast<double>(y(static_cast<row_index>(row), 0)) - mean) / deviation;
            return std::pair(.5 * e * e, e);
        };
        auto numbers = detail::fit_machine<T>(x, weights, 0, 2 * square, loss, how, options, who);
        // From z-scores to the target's unit; a pair's weight is a product of two factors.
        const T scale = static_cast<T>(deviation);
        const T intercept = static_cast<T>(mean + deviation * static_cast<double>(numbers.intercept));
        vec<T> rescaled = numbers.weights * scale;
        matrix<T> factors = numbers.factors * static_cast<T>(std::sqrt(deviation));
        require(std::isfinite(intercept) && rescaled.allFinite() && factors.allFinite(), errc::number_out_of_range, who,
                ": what was learnt is beyond the number type; scale the targets down");
        return {intercept, std::move(rescaled), std::move(factors)};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
