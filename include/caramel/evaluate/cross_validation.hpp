#ifndef CARAMEL_EVALUATE_CROSS_VALIDATION_HPP
#define CARAMEL_EVALUATE_CROSS_VALIDATION_HPP

// How good a recipe is on rows that it has not seen: the whole chain is fitted anew in each fold. Folds come from
// <caramel/data/split.hpp> or are made by hand.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/rows.hpp>
#include <caramel/core/take_rows.hpp>
#include <caramel/data/split.hpp>
#include <caramel/evaluate/metrics.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// What a recipe's model predicts for data whose rows are taken.
template <class R, class In, class Y>
using predicted_t = call_t<fitted_t<R, taken_t<In>, taken_t<Y>>, taken_t<In>>;

// What is wrong with fitting a recipe on some rows and calling its model with others; `fits` where nothing is.
template <class R, class In, class Y>
consteval auto problem_of_refitting() {
    using problem = decltype(problem_of_fit<R, taken_t<In>, taken_t<Y>>());
    if constexpr (!std::same_as<problem, fits>) return problem{};
    else return problem_of_chain<typename stages_of<fitted_t<R, taken_t<In>, taken_t<Y>>>::type, taken_t<In>>();
}
template <class R, class In, class Y>
inline constexpr bool refits = std::same_as<decltype(problem_of_refitting<R, In, Y>()), fits>;

// Never runs: the problem is a compile error. `auto`: so that the compiler names the user's line, too.
template <class R, class In, class Y>
auto explain_refitting() {
    return (void)sizeof(typename decltype(problem_of_refitting<R, In, Y>())::type), refused{};
}

// Every fold has both sides, no row on both, and no row is tested twice.
template <class Folds>
void require_honest_folds(const Folds& folds, std::size_t rows, std::string_view who) {
    require(rows > 0, errc::empty_input, who, ": no rows to learn from");
    require(!folds.empty(), errc::bad_parameter, who, ": no folds");
    std::vector<bool> tested(rows);
    for (std::size_t f = 0; f < folds.size(); ++f) {
        const train_test& fold = folds[f];
        require(!fold.train.empty() && !fold.test.empty(), errc::bad_parameter, who, ": fold ", f + 1, " has ", fold.train.size(), " rows to learn from and ",
                fold.test.size(), " to be tested on");
        std::vector<bool> learnt(rows);
        for (const std::size_t row : fold.train) {
            require(row < rows, errc::bad_parameter, who, ": fold ", f + 1, " names row number ", row, " (from 0) of ", rows, " rows");
            learnt[row] = true;
        }
        for (const std::size_t row : fold.test) {
            require(row < rows, errc::bad_parameter, who, ": fold ", f + 1, " names row number ", row, " (from 0) of ", rows, " rows");
            require_at(!learnt[row], errc::bad_parameter, {.row = row + 1}, who, ": fold ", f + 1, " learns from row ", row + 1, " and is tested on it");
            require_at(!tested[row], errc::bad_parameter, {.row = row + 1}, who, ": fold ", f + 1, " tests row ", row + 1, ", which was tested before");
            tested[row] = true;
        }
    }
}

// Errors within a fold name the row of the whole data.
template <class Work>
decltype(auto) in_fold(std::size_t fold, std::span<const std::size_t> rows, const Work& work) {
    try {
        return work();
    } catch (const error& e) {
        place where = e.where();
        if (where.row == 0 || where.row > rows.size()) throw error(e.code(), message(e.what(), " (fold ", fold, ")"), where);
        where.row = rows[static_cast<std::size_t>(where.row - 1)] + 1;
        throw error(e.code(), message(e.what(), " (fold ", fold, ": row ", where.row, " of the data)"), where);
    }
}

template <class T>
std::vector<T> chosen(std::span<const T> values, std::span<const std::size_t> rows) {
    std::vector<T> out;
    if (values.empty()) return out;
    for (const std::size_t row : rows) out.push_back(values[row]);
    return out;
}

// One thread within a fold: folds are what runs side by side.
template <class = void>
inline fit_options options_within(const fit_options& options, std::span<const double> weights) {
    return {.seed = options.seed, .weights = weights, .fitted_before = options.fitted_before};
}

// Fits on `learn` and predicts `test`.
template <class R, class In, class Y>
auto fit_and_predict(const R& recipe, const In& x, const Y& y, std::span<const std::size_t> learn, std::span<const std::size_t> test, std::size_t number,
                     const fit_options& options) {
    const auto weights = chosen(options.weights, learn);
    const auto model = in_fold(number, learn, [&] { return fit(recipe, take_rows(x, learn), take_rows(y, learn), options_within(options, weights)); });
    return in_fold(number, test, [&] { return model(take_rows(x, test)); });
}

// Work piece by piece, several at a time; after each, in order, `report(i)`, which may stop what follows. Returns how many
// pieces count: what ran beyond a stop does not, so that the number of threads changes nothing.
template <class Work, class Report>
std::size_t run_in_order(std::size_t pieces, const fit_options& options, const Work& work, const Report& report) {
    const std::size_t machine = options.threads == 0 ? std::max(1U, std::thread::hardware_concurrency()) : options.threads;
    const std::size_t batch = options.on_progress ? std::max<std::size_t>(machine, options.run ? 8 : 1) : pieces;
    for (std::size_t begin = 0; begin < pieces; begin += batch) {
        const std::size_t n = std::min(batch, pieces - begin);
        parallel_for(n, options, [&](std::size_t i) { work(begin + i); });
        for (std::size_t i = begin; i < begin + n; ++i)
            if (report(i) == verdict::stop) return i + 1;
    }
    return pieces;
}

template <class Out>
concept EigenRows = requires {
    typename Out::PlainObject;
};

// Puts the rows of the parts where they belong. Rows that no part has are 0.
template <class Out>
Out scatter_rows(const std::vector<std::optional<Out>>& parts, const std::vector<train_test>& folds, std::size_t rows, std::string_view who) {
    if constexpr (EigenRows<Out>) {
        Out out = Out::Zero(static_cast<row_index>(rows), parts.front()->cols());
        for (std::size_t f = 0; f < parts.size() && parts[f]; ++f) {
            require(parts[f]->cols() == out.cols(), errc::shape_mismatch, who, ": the model of fold ", f + 1, " gives ", parts[f]->cols(),
                    " columns, that of fold 1 ", out.cols(), "; if these are classes, each must be in every fold (stratified_k_fold)");
            for (std::size_t i = 0; i < folds[f].test.size(); ++i) out.row(static_cast<row_index>(folds[f].test[i])) = parts[f]->row(static_cast<row_index>(i));
        }
        return out;
    } else {
        static_assert(
            requires(Out out) {
                out.resize(rows);
                out[0] = out[0];
            },
            "caramel: cross-validation puts together predictions that are a matrix, a column or a vector");
        Out out;
        out.resize(rows);
        for (std::size_t f = 0; f < parts.size() && parts[f]; ++f)
            for (std::size_t i = 0; i < folds[f].test.size(); ++i) out[folds[f].test[i]] = (*parts[f])[i];
        return out;
    }
}

// Targets that are class numbers.
template <class Y>
concept ClassTargets = std::integral<std::remove_cv_t<typename Y::value_type>> && requires(const Y& y) {
    y.size();
    y[0];
};

// So many of the rows at random, in their order, with equal shares of each class; at least one, and at least one of each class,
// so that what is learnt from few rows knows all of them.
template <class Y>
std::vector<std::size_t> some_rows(const std::vector<std::size_t>& rows, const Y& y, std::size_t wanted, rng random) {
    const std::size_t n = rows.size();
    if (wanted >= n) return rows;
    std::vector<std::size_t> order = random.permutation(n);
    std::vector<bool> keep(n);
    keep[order[0]] = wanted == 0;
    if constexpr (ClassTargets<Y>) {
        const auto label = [&](std::size_t i) { return y[static_cast<decltype(y.size())>(rows[i])]; };
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return label(a) < label(b); });
        for (std::size_t i = 0; i < n; ++i)
            if (i == 0 || label(order[i - 1]) != label(order[i])) keep[order[i]] = true;
    }
    std::size_t due = 0;
    for (std::size_t i = 0; i < n; ++i)  // dealt evenly: so many of n
        if (due += wanted; due >= n) {
            due -= n;
            keep[order[i]] = true;
        }
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < n; ++i)
        if (keep[i]) out.push_back(rows[i]);
    return out;
}

struct no_metric {
    template <class Predictions, class Targets>
    double operator()(const Predictions&, const Targets&) const {
        return 0;
    }
};

template <class = void>
inline double mean_of(std::span<const double> values) {
    double sum = 0;
    for (const double v : values) sum += v;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
}
// Sample standard deviation (divisor n - 1); 0 for fewer than two.
template <class = void>
inline double deviation_of(std::span<const double> values) {
    if (values.size() < 2) return 0;
    const double mean = mean_of(values);
    double square = 0;
    for (const double v : values) square += (v - mean) * (v - mean);
    return std::sqrt(square / static_cast<double>(values.size() - 1));
}

}  // namespace detail

/// What cross-validation found.
template <class Out>
struct cross_validated {
    Out predictions{};             ///< one a row of the data, each by the model that did not learn from it
    std::vector<bool> tested{};    ///< whether some fold tested the row; predictions of the others are 0
    std::vector<double> scores{};  ///< the metric of each fold, on its rows

    [[nodiscard]] double mean() const { return detail::mean_of(scores); }
    /// Over the folds, with divisor n - 1; 0 where there is one. Folds share training rows, so it understates how much a mean
    /// would vary between samples (Bengio & Grandvalet, JMLR 5, 2004).
    [[nodiscard]] double deviation() const { return detail::deviation_of(scores); }
    /// Ascending.
    [[nodiscard]] std::vector<std::size_t> tested_rows() const {
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < tested.size(); ++i)
            if (tested[i]) out.push_back(i);
        return out;
    }
};

namespace detail {

template <class R, class In, class Y, class Metric>
auto cross_validate(const R& recipe, const In& x, const Y& y, const std::vector<train_test>& folds, const Metric& metric, const fit_options& options) {
    constexpr const char* who = "cross_validate";
    using Out = predicted_t<R, In, Y>;
    const std::size_t rows = row_count(x);
    require(row_count(y) == rows, errc::shape_mismatch, who, ": ", rows, " rows but ", row_count(y), " targets");
    require(options.weights.empty() || options.weights.size() == rows, errc::shape_mismatch, who, ": ", rows, " rows but ", options.weights.size(), " weights");
    require_honest_folds(folds, rows, who);
    std::vector<std::optional<Out>> parts(folds.size());
    std::vector<double> scores(folds.size());
    const auto one_fold = [&](std::size_t f) {
        const train_test& fold = folds[f];
        parts[f].emplace(fit_and_predict(recipe, x, y, fold.train, fold.test, f + 1, options));
        const auto weights = chosen(options.weights, fold.test);
        scores[f] = in_fold(f + 1, fold.test, [&] { return measure(metric, *parts[f], take_rows(y, fold.test), weights); });
    };
    const std::size_t done = run_in_order(folds.size(), options, one_fold, [&](std::size_t f) {
        return options.on_progress ? options.on_progress({who, f + 1, folds.size(), scores[f]}) : verdict::go_on;
    });
    parts.resize(done);
    scores.resize(done);
    cross_validated<Out> out{scatter_rows(parts, folds, rows, who), std::vector<bool>(rows), std::move(scores)};
    for (std::size_t f = 0; f < done; ++f)
        for (const std::size_t row : folds[f].test) out.tested[row] = true;
    return out;
}

}  // namespace detail

/// Fits the recipe, the whole chain of it, once a fold on the fold's training rows, and predicts its test rows: what any stage
/// learns, it learns without them. `x` and `y`: what `take_rows` knows (matrices, tables, texts, token ids, histories).
/// `metric`: called with (predictions, targets[, weights]) of each fold's test rows: see metrics.hpp. Predictions of all
/// folds together are in the result, for metrics that are pooled.
///
/// `options.weights` go to the fits and to metrics that take them. Folds run on `options.threads` threads, each fold on one,
/// and all with the same seed: the same bits for any number. Reports each fold, its `loss` being the metric; `stop` leaves
/// the later folds out.
/// Throws `error`: `empty_input`; `shape_mismatch`, also where folds' models give unequal numbers of columns (a class that
/// a fold has not seen); `bad_parameter` with the row that a fold learns from and is tested on, or that is tested twice; and
/// what fits, models and metric throw, naming the fold and the row of the data.
template <Recipe R, class In, class Y, class Metric>
    requires(detail::RowsCanBeTaken<In> && detail::RowsCanBeTaken<Y>)
[[nodiscard]] auto cross_validate(const R& recipe, const In& x, const Y& y, const std::vector<train_test>& folds, const Metric& metric,
                                  const fit_options& options = {}) {
    if constexpr (detail::refits<R, In, Y>) return detail::cross_validate(recipe, x, y, folds, metric, options);
    else return detail::explain_refitting<R, In, Y>();
}

/// How the rows of a fold are chosen.
enum class fold_kind {
    automatic,   ///< stratified for class numbers, else plain
    plain,       ///< `k_fold`: at random
    stratified,  ///< `stratified_k_fold`: with equal shares of each class
    modulo,      ///< row number (from 0) modulo k
    expanding,   ///< `expanding_folds`: rows stand in order of time
};

/// Folds for recipes that need some within their training rows, such as `best_of` and `calibrated`. What needs more (groups,
/// times) gives a callable `(x, y, seed) -> std::vector<train_test>` instead: it is called with the training rows.
struct fold_plan {
    std::size_t k = 5;
    fold_kind kind = fold_kind::automatic;

    /// Throws what the functions in split.hpp throw; `bad_parameter` where `stratified` meets targets that are no classes.
    template <class In, class Y>
    [[nodiscard]] std::vector<train_test> operator()(const In& x, const Y& y, std::uint64_t seed) const {
        const std::size_t n = detail::row_count(x);
        if (kind == fold_kind::modulo) {
            std::vector<std::size_t> ids(n);
            for (std::size_t i = 0; i < n; ++i) ids[i] = i;
            return modulo_folds(ids, k);
        }
        if (kind == fold_kind::expanding) return expanding_folds(n, k);
        if constexpr (detail::ClassTargets<Y>) {
            if (kind != fold_kind::plain) return stratified_k_fold(y, k, seed);
        } else {
            require(kind != fold_kind::stratified, errc::bad_parameter, "fold_plan: stratified folds need targets that are class numbers");
        }
        return k_fold(n, k, seed);
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
