#ifndef CARAMEL_EVALUATE_STACKED_HPP
#define CARAMEL_EVALUATE_STACKED_HPP

// Several classifiers as one: each is weighed by what it says of rows that it has not learnt from.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/labels.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/evaluate/cross_validation.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

inline constexpr double stacked_clip = 1e-7;  // no member is taken at its word when it says never

// The logarithms of a row of probabilities, clipped.
template <class T>
void put_logs(std::span<const T> probabilities, std::span<double> out) noexcept {
    for (std::size_t c = 0; c < out.size(); ++c) out[c] = std::log(std::clamp(static_cast<double>(probabilities[c]), stacked_clip, 1 - stacked_clip));
}

// Mixes rows of log probabilities, `classes` numbers a member: softmax of the intercepts plus the weighted sum.
template <class = void>
inline void mix_logs(std::span<const double> logs, std::span<const double> weights, std::span<const double> intercepts, std::span<double> out) noexcept {
    const std::size_t classes = out.size();
    double top = -std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < classes; ++c) {
        out[c] = intercepts[c];
        for (std::size_t m = 0; m < weights.size(); ++m) out[c] += weights[m] * logs[m * classes + c];
        top = std::max(top, out[c]);
    }
    double sum = 0;
    for (double& p : out) sum += p = std::exp(p - top);
    for (double& p : out) p /= sum;
}

// Minimises the mean log loss of the mixture over the weights, none of them negative, and the intercepts, the first of them
// 0. The loss is convex; one parameter at a time takes a Newton step, halved until the loss does not rise.
template <class Labels>
class mixture_fit {
   public:
    mixture_fit(std::vector<double> logs, const Labels& labels, const row_weights& rows, std::size_t members, std::size_t classes)
        : logs_(std::move(logs)), labels_(labels), rows_(rows), members_(members), classes_(classes), weights(members, 1.0 / static_cast<double>(members)), intercepts(classes) {}

    void run() {
        constexpr std::size_t sweeps = 200;
        constexpr double enough = 1e-9;  // of the mean loss, in a sweep
        double loss = mean_loss();
        for (std::size_t sweep = 0; sweep < sweeps; ++sweep) {
            const double before = loss;
            for (std::size_t m = 0; m < members_; ++m) loss = step(weights[m], 0.0, loss, [&](std::size_t row, std::size_t c) { return logs_[(row * members_ + m) * classes_ + c]; });
            for (std::size_t k = 1; k < classes_; ++k)
                loss = step(intercepts[k], -std::numeric_limits<double>::infinity(), loss, [&](std::size_t, std::size_t c) { return c == k ? 1.0 : 0.0; });
            if (before - loss < enough) break;
        }
    }

   private:
    std::vector<double> logs_;  // row after row, member after member, class after class
    const Labels& labels_;
    const row_weights& rows_;
    std::size_t members_, classes_;

    void mix(std::size_t row, std::span<double> out) const {
        const std::size_t width = members_ * classes_;
        mix_logs(std::span(logs_).subspan(row * width, width), weights, intercepts, out);
    }
    [[nodiscard]] double mean_loss() const {
        std::vector<double> p(classes_);
        double sum = 0;
        for (std::size_t i = 0; i < labels_.size(); ++i) {
            mix(i, p);
            sum -= rows_[i] * std::log(std::max(p[static_cast<std::size_t>(labels_[i])], std::numeric_limits<double>::min()));
        }
        return sum / rows_.sum();
    }
    // `slope(row, c)`: of the score of class c by the parameter.
    template <class Slope>
    double step(double& parameter, double least, double loss, const Slope& slope) {
        std::vector<double> p(classes_);
        double first = 0, second = 0;
        for (std::size_t i = 0; i < labels_.size(); ++i) {
            mix(i, p);
            double mean = 0;
            for (std::size_t c = 0; c < classes_; ++c) mean += p[c] * slope(i, c);
            first += rows_[i] * (mean - slope(i, static_cast<std::size_t>(labels_[i])));
            for (std::size_t c = 0; c < classes_; ++c) second += rows_[i] * p[c] * (slope(i, c) - mean) * (slope(i, c) - mean);
        }
        if (!(second > 1e-12 * rows_.sum())) {  // it makes no difference: then it has no say
            parameter = 0;
            return loss;
        }
        const double old = parameter;
        double move = -first / second;
        for (int halvings = 0; halvings < 30; ++halvings, move /= 2) {
            parameter = std::max(least, old + move);
            if (parameter == old) break;
            if (const double now = mean_loss(); now < loss) return now;
        }
        parameter = old;
        return loss;
    }

   public:
    std::vector<double> weights, intercepts;
};

// A recipe that searches, as the one that it would fit; every other one as it is.
template <class R, class In, class Y>
auto settled(const R& recipe, const In& x, const Y& y, const fit_options& options) {
    if constexpr (requires { recipe.choose(x, y, options); }) return recipe.choose(x, y, options);
    else return recipe;
}

template <class Model, class In>
concept gives_probabilities = Transformer<Model, In> && requires { typename call_t<Model, In>::Scalar; };

template <std::size_t N>
inline constexpr auto stacked_field_names = [] {
    constexpr std::array numbers{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"};
    static_assert(N <= numbers.size(), "caramel: stacked takes at most 16 classifiers");
    std::array<const char*, N + 2> out{"weights", "intercepts"};
    for (std::size_t i = 0; i < N; ++i) out[i + 2] = numbers[i];
    return out;
}();

}  // namespace detail

/// Trained classifiers and how they are mixed: the softmax of `intercepts` + the sum of each member's weight times the
/// logarithms of its probabilities. A member with weight 0 has no say.
template <class... Members>
class stacked_model : public single_row<stacked_model<Members...>> {
    static_assert(sizeof...(Members) > 0, "caramel: stacked needs at least one classifier");

   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "stacked";  // in saved files: never changes

    /// One weight a member, one intercept a class. Throws `error` (`bad_data`) where the fields do not belong together.
    stacked_model(std::vector<double> weights, std::vector<double> intercepts, Members... members)
        : members_(std::move(members)...), weights_(std::move(weights)), intercepts_(std::move(intercepts)) {
        require(weights_.size() == sizeof...(Members) && intercepts_.size() >= 2, errc::bad_data, "stacked: ", sizeof...(Members), " classifiers but ", weights_.size(),
                " weights; ", intercepts_.size(), " intercepts, one a class");
        for (const double w : weights_) require(std::isfinite(w) && w >= 0, errc::bad_data, "stacked: a weight is negative or not finite");
        for (const double b : intercepts_) require(std::isfinite(b), errc::bad_data, "stacked: an intercept is not finite");
    }

    /// (rows) -> (rows, classes), each row summing to 1. Throws what the members throw, and `shape_mismatch` where one of
    /// them gives another number of classes.
    template <class In>
        requires(detail::gives_probabilities<Members, In> && ...)
    [[nodiscard]] auto operator()(const In& in) const {
        return std::apply(
            [&](const auto&... member) {
                const std::tuple outs{member(in)...};  // braces: left to right
                using Out = std::remove_cvref_t<decltype(std::get<0>(outs))>;
                using T = typename Out::Scalar;
                Out mixed(std::get<0>(outs).rows(), static_cast<row_index>(classes()));
                std::vector<double> logs(sizeof...(Members) * classes()), p(classes());
                for (row_index i = 0; i < mixed.rows(); ++i) {
                    std::apply([&](const auto&... out) { put_rows<T>(logs, row_of(out, i)...); }, outs);
                    detail::mix_logs(logs, weights_, intercepts_, p);
                    for (std::size_t c = 0; c < p.size(); ++c) mixed(i, static_cast<row_index>(c)) = static_cast<T>(p[c]);
                }
                return mixed;
            },
            members_);
    }
    /// One row, in the workspace; the same bits as in a batch.
    template <class Row>
        requires(RowTransformer<Members, Row> && ...)
    [[nodiscard]] auto operator()(const Row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        return std::apply(
            [&](const auto&... member) {
                const std::tuple outs{member(row, scratch)...};
                using T = std::remove_const_t<typename std::remove_cvref_t<decltype(std::get<0>(outs))>::element_type>;
                const auto logs = scratch.take<double>(sizeof...(Members) * classes());
                const auto p = scratch.take<double>(classes());
                std::apply([&](const auto&... out) { put_rows<T>(logs, std::span<const T>(out)...); }, outs);
                detail::mix_logs(logs, weights_, intercepts_, p);
                const auto out = scratch.take<T>(classes());
                for (std::size_t c = 0; c < p.size(); ++c) out[c] = static_cast<T>(p[c]);
                return std::span<const T>(out);
            },
            members_);
    }
    using single_row<stacked_model>::operator();

    [[nodiscard]] std::size_t classes() const noexcept { return intercepts_.size(); }
    /// Of the members, in their order.
    [[nodiscard]] const std::vector<double>& weights() const noexcept { return weights_; }
    /// Of the classes; the first is 0.
    [[nodiscard]] const std::vector<double>& intercepts() const noexcept { return intercepts_; }
    [[nodiscard]] const std::tuple<Members...>& members() const noexcept { return members_; }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& = {}) const {
        std::vector<std::string> out;
        for (std::size_t c = 0; c < classes(); ++c) out.push_back(detail::message("class_", c));
        return out;
    }

    static constexpr auto field_names = detail::stacked_field_names<sizeof...(Members)>;
    [[nodiscard]] auto fields() const noexcept {
        return std::apply([this](const auto&... member) { return std::tie(weights_, intercepts_, member...); }, members_);
    }

   private:
    template <class T, class Logs, class... Rows>
    void put_rows(Logs& logs, const Rows&... rows) const {
        std::size_t at = 0;
        const auto put = [&](std::span<const T> row) {
            require(row.size() == classes(), errc::shape_mismatch, "stacked: classifier ", at / classes() + 1, " gives ", row.size(), " classes, not ", classes());
            detail::put_logs(row, std::span<double>(logs).subspan(at, classes()));
            at += classes();
        };
        (put(std::span<const T>(rows)), ...);
    }
    std::tuple<Members...> members_;
    std::vector<double> weights_, intercepts_;
};

/// Recipe for a `stacked_model`: see `stacked`.
template <class Folds, class... Members>
struct stacked_recipe {
    using stage_concept = recipe_tag;
    using parts = std::tuple<Members...>;
    static constexpr std::string_view kind = "stacked";

    std::tuple<Members...> members;
    Folds folds = {};

    /// Learns each member in each fold, then the weights and intercepts that give the lowest log loss on the rows that were
    /// held out (Wolpert 1992; weights of at least 0 as in Breiman 1996), then each member on all rows. Members that search
    /// (`best_of`) do so once, on all rows given.
    /// Throws `error`: `bad_data` where there is one class only; what the folds and the members throw.
    template <class In>
        requires(detail::RowsCanBeTaken<In> && (!std::is_void_v<typename decltype(detail::fitted_type<Members, In, std::vector<int>>())::type> && ...))
    [[nodiscard]] auto fit(const In& x, const std::vector<int>& y, fit_options options) const {
        constexpr std::size_t n = sizeof...(Members);
        require(detail::row_count(x) > 0, errc::empty_input, kind, ": no rows to learn from");
        const std::size_t classes = detail::count_classes(y, kind);
        const row_weights rows(options.weights, y.size(), kind);
        const std::vector<train_test> held = folds(x, y, options.seed);
        std::vector<double> logs(y.size() * n * classes);
        std::size_t at = 0;
        const auto learn = [&](const auto& member) {
            const auto recipe = detail::settled(member, x, y, within(options));
            const auto out_of_fold = cross_validate(recipe, x, y, held, detail::no_metric{}, within(options));
            require(std::cmp_equal(out_of_fold.predictions.cols(), classes), errc::shape_mismatch, kind, ": classifier ", at + 1, " gives ", out_of_fold.predictions.cols(),
                    " classes, the labels need ", classes);
            for (std::size_t i = 0; i < y.size(); ++i) {
                require_at(out_of_fold.tested[i], errc::bad_parameter, {.row = i + 1}, kind, ": no fold holds out row ", i + 1);
                detail::put_logs(row_of(out_of_fold.predictions, static_cast<row_index>(i)), std::span(logs).subspan((i * n + at) * classes, classes));
            }
            ++at;
            auto model = caramel::fit(recipe, x, y, within(options));
            detail::append_kinds<decltype(model)>(options.fitted_before);
            return model;
        };
        std::tuple models = std::apply([&](const auto&... member) { return std::tuple{learn(member)...}; }, members);  // braces: left to right
        detail::mixture_fit<std::vector<int>> mixture(std::move(logs), y, rows, n, classes);
        mixture.run();
        return std::apply(
            [&](auto&&... model) {
                return stacked_model<std::remove_cvref_t<decltype(model)>...>(std::move(mixture.weights), std::move(mixture.intercepts), std::move(model)...);
            },
            std::move(models));
    }

    /// The same with what each member that searches would settle on.
    template <class In>
    [[nodiscard]] auto choose(const In& x, const std::vector<int>& y, const fit_options& options) const {
        return std::apply(
            [&](const auto&... member) {
                std::tuple chosen{detail::settled(member, x, y, within(options))...};  // braces: left to right
                return std::apply([&](auto&&... one) { return stacked_recipe<Folds, std::remove_cvref_t<decltype(one)>...>{{std::move(one)...}, folds}; },
                                  std::move(chosen));
            },
            members);
    }

   private:
    // What members are given: all but the observer, who would see many trainings as one.
    static fit_options within(const fit_options& options) {
        fit_options out = options;
        out.on_progress = nullptr;
        return out;
    }
};

/// One classifier from several, such as `stacked(logistic<float>{}, mlp<float>{}, boosted_trees<float>{})`, all of which take
/// the same input: a mixture that is seldom worse than the best of them, and calibrated on rows that no member has seen.
/// Weights of rows go to members that take them, and to the mixture.
template <Recipe... Members>
[[nodiscard]] stacked_recipe<fold_plan, Members...> stacked(Members... members) {
    return {{std::move(members)...}, {}};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
