#ifndef CARAMEL_PIPELINE_HPP
#define CARAMEL_PIPELINE_HPP

// Start reading here: recipes, models, `fit`, and `a | b | c`.

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/chain_errors.hpp>
#include <caramel/core/composite.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/rows.hpp>
#include <caramel/core/workspace.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A stage is one of two kinds, told apart by `using stage_concept = ...;`:
///   * a *recipe* holds hyperparameters: `model = recipe.fit(x, options)` or `recipe.fit(x, y, options)`, one of the two;
///   * a *model* is an immutable value: `out = model(in)` const, and for one row `out = model(row, workspace)` const.
/// Any lambda or struct with a const call is a stage, too. A chain with a recipe in it is a recipe, and fitting it gives
/// a chain of models. A recipe has no call operator, so predicting with what was never trained does not compile.
struct recipe_tag {};
struct model_tag {};  ///< `using stage_concept = model_tag;` makes a type a model: see `recipe_tag`

namespace detail {

// Eigen and xtensor expressions refer to their operands: a stage that returns one would return dangling references.
template <class T>
inline constexpr bool is_lazy = requires {
    typename T::PlainObject;
    requires !std::same_as<T, typename T::PlainObject>;
} || requires {
    typename T::expression_tag;
    requires !requires { typename T::container_type; } && !requires { typename T::storage_type; };
};

}  // namespace detail

/// A plain value: not void, not a reference, not a lazy expression.
template <class T>
concept Value = std::movable<T> && !detail::is_lazy<T>;

/// Maps an `In` to a value without changing itself.
template <class S, class In>
concept Transformer = std::copy_constructible<S> && requires(const S& stage, const In& in) {
    { stage(in) } -> Value;
};

/// Answers one row, with scratch memory from the caller.
template <class S, class Row>
concept RowTransformer = std::copy_constructible<S> && requires(const S& stage, const Row& row, workspace& scratch) {
    { stage(row, scratch) } -> Value;
};

template <class T>
concept Stage = requires { typename std::remove_cvref_t<T>::stage_concept; };  ///< a recipe or a model: what says which by its `stage_concept`

template <class T>
concept Recipe = Stage<T> && std::same_as<typename std::remove_cvref_t<T>::stage_concept, recipe_tag>;  ///< what must be fitted before it answers

/// A recipe that can learn from these data (and targets).
template <class R, class In, class... Target>
concept Estimator = Recipe<R> && requires(const R& r, const In& in, const Target&... y, const fit_options& options) {
    { r.fit(in, y..., options) } -> Value;
};

template <class... Stages>
class pipeline;

namespace detail {

template <class S, class In>
using call_t = std::remove_cvref_t<std::invoke_result_t<const S&, const In&>>;

// What is wrong with a chain is worked out on types alone, before anything runs, so that the compiler's error has the
// same few lines however long the chain is. `fits` where nothing is wrong.
struct fits {};

template <std::size_t N, class S, class In>
consteval auto problem_of_call() {
    if constexpr (Transformer<S, In>) return fits{};
    else if constexpr (Recipe<S>) return std::type_identity<stage_is_not_fitted<N, S>>{};
    else if constexpr (std::invocable<const S&, const In&>) return std::type_identity<stage_returns_no_value<N, S, std::invoke_result_t<const S&, const In&>>>{};
    else return problem_of_input<N, S, In>();
}
template <class Stages, class In, std::size_t N = 1>
consteval auto problem_of_chain() {
    if constexpr (N > std::tuple_size_v<Stages>) {
        return fits{};
    } else {
        using S = std::tuple_element_t<N - 1, Stages>;
        if constexpr (Transformer<S, In>) return problem_of_chain<Stages, call_t<S, In>, N + 1>();
        else return problem_of_call<N, S, In>();
    }
}

// What a stage becomes by fitting; void when it cannot learn from these data.
template <class S, class In, class... Y>
consteval auto fitted_type() {
    if constexpr (!Recipe<S>) return std::type_identity<S>{};
    else if constexpr (Estimator<S, In, Y...>) return std::type_identity<decltype(std::declval<const S&>().fit(std::declval<const In&>(), std::declval<const Y&>()..., fit_options{}))>{};
    else if constexpr (Estimator<S, In>) return fitted_type<S, In>();
    else return std::type_identity<void>{};
}
template <class Stages, std::size_t Last, class In, bool TargetsUsed, std::size_t N, class... Y>
consteval auto problem_of_fit_at() {
    using S = std::tuple_element_t<N - 1, Stages>;
    using Model = typename decltype(fitted_type<S, In, Y...>())::type;
    constexpr bool used = TargetsUsed || (Recipe<S> && sizeof...(Y) > 0 && Estimator<S, In, Y...>);
    if constexpr (std::is_void_v<Model>) return problem_of_learning<N, S, In, Y...>();
    else if constexpr (N == Last && sizeof...(Y) > 0 && !used) return std::type_identity<no_stage_uses_the_targets<given_t<Y...>>>{};
    else if constexpr (N == Last) return fits{};
    else if constexpr (!Transformer<Model, In>) return problem_of_call<N, Model, In>();
    else return problem_of_fit_at<Stages, Last, call_t<Model, In>, used, N + 1, Y...>();
}

// One row with a workspace; a stage without that form is called as it is, if it takes the row.
template <class S, class Row>
decltype(auto) call_row(const S& stage, const Row& row, workspace& scratch) {
    if constexpr (RowTransformer<S, Row>) return stage(row, scratch);
    else return stage(row);
}
template <class Stages, class Row, std::size_t N = 1>
consteval bool takes_row() {
    if constexpr (N > std::tuple_size_v<Stages>) {
        return true;
    } else {
        using S = std::tuple_element_t<N - 1, Stages>;
        if constexpr (RowTransformer<S, Row> || Transformer<S, Row>)
            return takes_row<Stages, std::remove_cvref_t<decltype(call_row(std::declval<const S&>(), std::declval<const Row&>(), std::declval<workspace&>()))>, N + 1>();
        else return false;
    }
}

template <class Stages, class In>
consteval bool takes_batch() { return std::same_as<decltype(problem_of_chain<Stages, In>()), fits>; }
template <class Stages, class In>
consteval bool takes() { return takes_batch<Stages, In>() || takes_row<Stages, In>(); }

// What a call without a workspace returns: a span or a view would point into memory that is gone.
template <class Out>
auto owned(Out out) {
    static_assert(!requires { typename Out::lies_in_workspace; }, "caramel: what this chain answers to one row lies in the workspace: call it with one");
    if constexpr (requires { typename Out::element_type; out.data(); }) return std::vector<typename Out::value_type>(out.begin(), out.end());
    else if constexpr (std::same_as<Out, std::string_view>) return std::string(out);
    else return out;
}

template <class... S>
consteval std::size_t last_recipe() {  // counted from 1
    std::size_t last = 0, i = 0;
    ((++i, last = Recipe<S> ? i : last), ...);
    return last;
}

template <class R>
struct stages_of : std::type_identity<std::tuple<R>> {};
template <class... S>
struct stages_of<pipeline<S...>> : std::type_identity<std::tuple<S...>> {};
template <class R, class In, class... Y>
consteval auto problem_of_fit() {
    using Stages = typename stages_of<R>::type;
    constexpr std::size_t last = []<class... S>(std::type_identity<std::tuple<S...>>) { return last_recipe<S...>(); }(std::type_identity<Stages>{});
    return problem_of_fit_at<Stages, last, In, false, 1, Y...>();
}

// An error from within a chain says which stage it came from; of nested chains, the outermost stage counts.
template <class = void>
[[noreturn]] CARAMEL_COLD inline void rethrow_from_stage(const error& e, std::size_t number) {
    place where = e.where();
    where.stage = number;
    throw error(e.code(), message(e.what(), e.where().stage == 0 ? " (stage " : " (within stage ", number, " of the chain)"), where);
}

template <class S, class In, class... Y>
auto fit_stage(const S& stage, const fit_options& options, const In& in, const Y&... y) {
    if constexpr (Estimator<S, In, Y...>) return stage.fit(in, y..., options);
    else if constexpr (Recipe<S>) return stage.fit(in, options);
    else return stage;
}
// The fitted stage, and what the next one learns from. Where a row's own target is in the model's answer, that would mislead
// the next one: such a recipe also has `fit_transform(x, y, options)`, a pair of the model and out-of-fold answers.
template <class S, class In, class... Y>
auto fit_and_apply(const S& stage, const fit_options& options, const In& in, const Y&... y) {
    if constexpr (requires { stage.fit_transform(in, y..., options); }) return stage.fit_transform(in, y..., options);
    else {
        auto model = fit_stage(stage, options, in, y...);
        auto out = model(in);
        return std::pair(std::move(model), std::move(out));
    }
}

// The models up to the last recipe and then the stages as they are; with Last = 0 all of them, and then the chain's answer.
template <std::size_t N, std::size_t Last, class Stages, class In, class... Y>
auto fit_stages(const Stages& stages, fit_options options, const In& in, const Y&... y) {
    const auto& stage = std::get<N - 1>(stages);
    auto at_this = [&](auto&& work) {
        try {
            return work();
        } catch (const error& e) {
            rethrow_from_stage(e, N);
        }
    };
    if constexpr (N == Last) {  // training data run no further: what follows is appended as it is
        auto model = at_this([&] { return fit_stage(stage, options, in, y...); });
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::tuple(std::move(model), std::get<N + I>(stages)...);
        }(std::make_index_sequence<std::tuple_size_v<Stages> - N>{});
    } else {
        auto [model, out] = at_this([&] { return fit_and_apply(stage, options, in, y...); });
        append_kinds<decltype(model)>(options.fitted_before);
        if constexpr (N == std::tuple_size_v<Stages>) return std::tuple(std::move(model), std::move(out));
        else return std::tuple_cat(std::tuple(std::move(model)), fit_stages<N + 1, Last>(stages, std::move(options), out, y...));
    }
}

template <class Tuple>
constexpr auto from_tuple(Tuple&& stages) {
    return std::apply([](auto&&... s) { return pipeline<std::remove_cvref_t<decltype(s)>...>(std::forward<decltype(s)>(s)...); }, std::forward<Tuple>(stages));
}

}  // namespace detail

/// Stages applied left to right. Build with `a | b | c`, or `pipeline(a, b, c)` where all are lambdas.
template <class... Stages>
class pipeline {
   public:
    using stage_concept = std::conditional_t<(Recipe<Stages> || ...), recipe_tag, model_tag>;
    using parts = std::tuple<Stages...>;

    constexpr explicit pipeline(Stages... stages) : stages_(std::move(stages)...) {}

    /// Applies every stage in turn, to a batch or to one row (without a workspace a span comes out as a vector).
    /// Throws what the stages throw; an `error` has the stage's number in `where()`.
    template <class In>
        requires(detail::takes<parts, In>())
    auto operator()(const In& in) const {
        if constexpr (detail::takes_batch<parts, In>()) {
            return run<1>(in);
        } else {
            workspace scratch;
            return detail::owned((*this)(in, scratch));
        }
    }
    /// Chosen only when the stages do not fit together; says where.
    template <class In>
        requires(!detail::takes<parts, In>())
    detail::refused operator()(const In&) const {
        return (void)sizeof(typename decltype(detail::problem_of_chain<parts, In>())::type), detail::refused{};
    }
    /// One row. Allocates nothing after the first call with this workspace, if the stages do not.
    template <class Row>
        requires(detail::takes_row<parts, Row>())
    auto operator()(const Row& row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        return run<1>(row, scratch);
    }

    /// A chain of models: each recipe learns from what the stages before it make of the data. Throws what the stages throw; an
    /// `error` has the stage's number in `where()`.
    template <class In>
        requires(Recipe<pipeline> && std::same_as<decltype(detail::problem_of_fit<pipeline, In>()), detail::fits>)
    [[nodiscard]] auto fit(const In& in, const fit_options& options) const {
        return detail::from_tuple(detail::fit_stages<1, detail::last_recipe<Stages...>()>(stages_, options, in));
    }
    template <class In, class Target>
        requires(Recipe<pipeline> && std::same_as<decltype(detail::problem_of_fit<pipeline, In, Target>()), detail::fits>)
    [[nodiscard]] auto fit(const In& in, const Target& y, const fit_options& options) const {
        return detail::from_tuple(detail::fit_stages<1, detail::last_recipe<Stages...>()>(stages_, options, in, y));
    }

    /// The fitted chain, and what the stage after it learns from when the chain is a part of another stage.
    template <class In, class Target>
        requires(Recipe<pipeline> && std::same_as<decltype(detail::problem_of_fit<pipeline, In, Target>()), detail::fits>)
    [[nodiscard]] auto fit_transform(const In& in, const Target& y, const fit_options& options) const {
        auto all = detail::fit_stages<1, 0>(stages_, options, in, y);
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::pair(pipeline<std::tuple_element_t<I, decltype(all)>...>(std::move(std::get<I>(all))...), std::move(std::get<sizeof...(Stages)>(all)));
        }(std::index_sequence_for<Stages...>{});
    }

    /// The names of the columns that come out, from those that go in; there where every stage has them.
    [[nodiscard]] std::vector<std::string> output_names(std::vector<std::string> names) const
        requires(detail::names_outputs<Stages> && ...)
    {
        std::apply([&](const auto&... s) { ((names = s.output_names(std::move(names))), ...); }, stages_);
        return names;
    }

    template <std::size_t I>
    [[nodiscard]] constexpr const auto& get() const noexcept { return std::get<I>(stages_); }
    [[nodiscard]] constexpr const std::tuple<Stages...>& stages() const noexcept { return stages_; }

   private:
    template <std::size_t N, class In, class... Scratch>
    auto run(const In& in, Scratch&... scratch) const {
        auto out = at<N>(in, scratch...);
        if constexpr (N == sizeof...(Stages)) return out;
        else return run<N + 1>(out, scratch...);
    }
    template <std::size_t N, class In, class... Scratch>
    auto at(const In& in, Scratch&... scratch) const {
        try {
            if constexpr (sizeof...(Scratch) == 0) return std::get<N - 1>(stages_)(in);
            else return detail::call_row(std::get<N - 1>(stages_), in, scratch...);
        } catch (const error& e) {
            detail::rethrow_from_stage(e, N);
        }
    }
    std::tuple<Stages...> stages_;
};

namespace detail {
template <class T>
inline constexpr bool is_pipeline = false;
template <class... S>
inline constexpr bool is_pipeline<pipeline<S...>> = true;

template <class S>
constexpr auto as_tuple(S&& s) {
    if constexpr (is_pipeline<std::remove_cvref_t<S>>) return s.stages();
    else return std::tuple<std::remove_cvref_t<S>>(std::forward<S>(s));
}
}  // namespace detail

/// What may stand beside a stage in `a | b`: another stage, or the user's own callable. Containers and matrices are
/// data, and data go in by call: `model(data)`.
template <class T>
concept Composable = Stage<T> || !requires { typename std::remove_cvref_t<T>::value_type; };

/// Composes left to right.
template <Composable A, Composable B>
    requires(Stage<A> || Stage<B>)
[[nodiscard]] constexpr auto operator|(A&& a, B&& b) {
    return detail::from_tuple(std::tuple_cat(detail::as_tuple(std::forward<A>(a)), detail::as_tuple(std::forward<B>(b))));
}

namespace detail {

template <class R, class In, class... Y>
auto fit_any(const R& recipe, const fit_options& options, const In& in, const Y&... y) {
    if constexpr (is_lazy<In> && !requires { in.data(); }) {
        return fit_any(recipe, options, typename In::PlainObject(in), y...);  // an expression would be worked out in every stage
    } else {
        if constexpr (Rows<In>) {
            const std::size_t rows = row_count(in), given = options.weights.size();
            require(given == 0 || given == rows, errc::shape_mismatch, "fit: ", rows, " rows but ", given, " weights");
            (..., require(row_count(y) == rows, errc::shape_mismatch, "fit: ", rows, " rows but ", row_count(y), " targets"));
        }
        require(options.weights.empty() || uses_weights<R>(), errc::bad_parameter, "fit: weights were given, but no stage uses them");
        if constexpr (is_pipeline<R>) return recipe.fit(in, y..., options);
        else if constexpr (Estimator<R, In, Y...>) return recipe.fit(in, y..., options);
        else return recipe.fit(in, options);
    }
}
}  // namespace detail

/// Learns a model from data. In a chain each recipe learns from what the stages before it make of `in`.
template <Recipe R, class In>
[[nodiscard]] auto fit(const R& recipe, const In& in, const fit_options& options = {}) {
    using problem = decltype(detail::problem_of_fit<R, In>());
    if constexpr (std::same_as<problem, detail::fits>) return detail::fit_any(recipe, options, in);
    else return (void)sizeof(typename problem::type), detail::refused{};
}
/// Learns a model from data and targets, one target a row.
template <Recipe R, class In, class Target>
    requires(!std::same_as<Target, fit_options>)
[[nodiscard]] auto fit(const R& recipe, const In& in, const Target& y, const fit_options& options = {}) {
    using problem = decltype(detail::problem_of_fit<R, In, Target>());
    if constexpr (std::same_as<problem, detail::fits>) return detail::fit_any(recipe, options, in, y);
    else return (void)sizeof(typename problem::type), detail::refused{};
}

/// Chosen only where what comes first is no recipe; says so.
template <class First, class Second, class... Rest>
    requires(!Recipe<First> && (Stage<First> || Recipe<Second> || (Recipe<Rest> || ...)))
detail::refused fit(const First&, const Second&, const Rest&...) {
    static_assert(detail::never<First>, "caramel: the recipe comes first: fit(recipe, data, targets); a model is fitted already: model(data)");
    return {};
}

/// The type of the model that `fit` gives: what a host that only serves names to `load`.
template <class R, class In, class... Target>
using fitted_t = decltype(fit(std::declval<const R&>(), std::declval<const In&>(), std::declval<const Target&>()...));

}  // namespace caramel::inline CARAMEL_ABI

#endif
