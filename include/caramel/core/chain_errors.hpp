#ifndef CARAMEL_CORE_CHAIN_ERRORS_HPP
#define CARAMEL_CORE_CHAIN_ERRORS_HPP

// What the compiler says about a chain that does not fit: each mistake is a type whose name, arguments and static_assert
// make up the message. tests/must_not_compile/ checks what g++ and clang make of them, and docs/messages.md shows it.

#include <concepts>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI {

class table;
struct fit_options;

namespace detail {

template <class... Given>
struct given;

template <class...>
inline constexpr bool never = false;

// What is wrong with a chain, named so that the compiler's own trace reads as the explanation: the stage's number, counted
// from 1; the stage; what it gets.
template <std::size_t StageNumber, class Stage, class Given>
struct stage_cannot_take {
    static_assert(never<Given>, "caramel: this stage of the chain cannot take what it is given: see "
                                "stage_cannot_take<its number counted from 1, the stage, given<what it gets>>");
};
template <std::size_t StageNumber, class Stage, class Given>
struct stage_cannot_learn_from {
    static_assert(never<Given>, "caramel: this recipe cannot learn from what it is given: see stage_cannot_learn_from"
                                "<its number counted from 1, the recipe, given<data, targets if any>>");
};
template <std::size_t StageNumber, class Stage, class Given>
struct stage_of_another_scalar {
    static_assert(never<Given>, "caramel: float and double do not mix: write the same one in every stage (as standardize<double>), "
                                "or convert the data (x.cast<float>())");
};
template <std::size_t StageNumber, class Stage, class Given>
struct stage_cannot_take_a_table {
    static_assert(never<Given>, "caramel: this stage cannot take a table: put impute{} | encode<float>{} in front of it, which make numbers of "
                                "the columns");
};
template <std::size_t StageNumber, class Stage, class Given>
struct stage_takes_only_tables {
    static_assert(never<Given>, "caramel: this stage takes a table: put it in front of encode, which makes a matrix of the table, and give the "
                                "chain a table");
};
template <std::size_t StageNumber, class Stage, class Given>
struct stage_cannot_take_texts {
    static_assert(never<Given>, "caramel: this stage cannot take texts: put in front of it what makes numbers of them, as tfidf<float>{}; a table "
                                "comes from read_csv(path)");
};
template <std::size_t StageNumber, class Stage, class Given>
struct stage_needs_targets {
    static_assert(never<Given>, "caramel: this recipe learns from targets, too: fit(recipe, data, targets)");
};
template <std::size_t StageNumber, class Stage, class Given>
struct targets_stand_before_data {
    static_assert(never<Given>, "caramel: data come first, then targets: fit(recipe, data, targets)");
};
template <std::size_t StageNumber, class Stage, class Given>
struct targets_of_another_type {
    static_assert(never<Given>, "caramel: this recipe cannot learn from targets of this type: classifiers take std::vector<int>, the classes' numbers "
                                "(labels_of makes them), regressors numbers of their own scalar");
};
template <std::size_t StageNumber, class Stage, class Returned>
struct stage_returns_no_value {
    static_assert(never<Returned>, "caramel: this stage returns a reference, nothing, or a lazy expression that refers "
                                   "to its argument; return a matrix, a vector, ... (give the lambda a return type)");
};
template <std::size_t StageNumber, class Stage>
struct stage_is_not_fitted {
    static_assert(never<Stage>, "caramel: this stage is a recipe; fit(recipe, data) gives the model to call");
};
template <class Target>
struct no_stage_uses_the_targets {
    static_assert(never<Target>, "caramel: fit got targets, but no recipe in the chain learns from them");
};

// Types as their users write them: the compiler would print eleven words for a vector of strings.
template <class Scalar>
struct matrix_of;
struct texts;
template <class T>
auto shown() {
    if constexpr (requires(const T& x) { typename T::Scalar; typename T::PlainObject; x.cols(); }) return std::type_identity<matrix_of<typename T::Scalar>>{};
    else if constexpr (std::same_as<T, std::vector<std::string>>) return std::type_identity<texts>{};
    else return std::type_identity<T>{};
}
template <class... T>
using given_t = given<typename decltype(shown<T>())::type...>;

// What a refused call returns: no `Value`, so `Transformer` stays honest; takes part in anything, so that one mistake
// is one error. A function returns it so: `return (void)sizeof(the problem), refused{};`.
struct refused {
    refused() = default;
    refused(const refused&) = delete;
    refused& operator=(const refused&) = delete;
    template <class... In>
    const refused& operator()(const In&...) const { return *this; }
    template <class T>
        requires(!std::same_as<T, refused>)
    operator T() const;  // NOLINT(google-explicit-constructor)
};

// Never run, but defined: for a recipe in an anonymous namespace g++ -O0 emits what it only asked about, and the linker looks for it.
struct anything {
    template <class T>
    operator const T&() const { std::abort(); }  // NOLINT(google-explicit-constructor)
};

// ---- what may be meant: asked only where something is wrong already -----------------------------------------------------
template <class S, class In, class... Y>
concept learns_from = requires(const S& stage, const In& in, const Y&... y, const fit_options& options) { stage.fit(in, y..., options); };
template <class S, class In, class... Y>
concept learns_from_swapped = requires(const S& stage, const In& in, const Y&... y, const fit_options& options) { stage.fit(y..., in, options); };
template <class S, class In>
concept answers = requires(const S& stage, const In& in) { stage(in); };

// The same data in the other scalar; void for what is no matrix.
template <class In>
auto in_other_scalar() {
    if constexpr (requires(const In& in) { typename In::Scalar; in.template cast<float>().eval(); }) {
        using other = std::conditional_t<std::same_as<typename In::Scalar, float>, double, float>;
        return std::type_identity<decltype(std::declval<const In&>().template cast<other>().eval())>{};
    } else {
        return std::type_identity<void>{};
    }
}
template <class In>
concept some_text = std::convertible_to<const In&, std::string_view> || std::same_as<In, std::vector<std::string>>;

// `takes` tells whether the stage would take data of another type instead.
template <std::size_t N, class S, class In, class Given, class Generic, class Takes>
consteval auto problem_of_data(Takes takes) {
    using other = typename decltype(in_other_scalar<In>())::type;
    if constexpr (takes(std::type_identity<other>{})) return std::type_identity<stage_of_another_scalar<N, S, Given>>{};
    else if constexpr (std::same_as<In, table>) return std::type_identity<stage_cannot_take_a_table<N, S, Given>>{};
    else if constexpr (some_text<In>) return std::type_identity<stage_cannot_take_texts<N, S, Given>>{};
    else if constexpr (takes(std::type_identity<table>{})) return std::type_identity<stage_takes_only_tables<N, S, Given>>{};
    else return std::type_identity<Generic>{};
}
template <std::size_t N, class S, class In>
consteval auto problem_of_input() {
    constexpr auto takes = []<class Other>(std::type_identity<Other>) { return !std::is_void_v<Other> && answers<S, Other>; };
    return problem_of_data<N, S, In, given_t<In>, stage_cannot_take<N, S, given_t<In>>>(takes);
}
template <std::size_t N, class S, class In, class... Y>
consteval auto problem_of_learning() {
    using all = given_t<In, Y...>;
    constexpr auto takes = []<class Other>(std::type_identity<Other>) {
        return !std::is_void_v<Other> && (learns_from<S, Other, Y...> || learns_from<S, Other>);
    };
    if constexpr (learns_from<S, In, anything> && sizeof...(Y) == 0) return std::type_identity<stage_needs_targets<N, S, all>>{};
    else if constexpr (learns_from<S, In, anything>) return std::type_identity<targets_of_another_type<N, S, all>>{};
    else if constexpr (N == 1 && sizeof...(Y) == 1 && learns_from_swapped<S, In, Y...>)
        return std::type_identity<targets_stand_before_data<N, S, all>>{};
    else return problem_of_data<N, S, In, all, stage_cannot_learn_from<N, S, all>>(takes);
}

}  // namespace detail

// ---- what stands in a header that was not included -----------------------------------------------------------------------
namespace detail {
template <class>
struct model_files;  // complete in io/model_file.hpp
template <class M>
concept no_model_files = requires { typename M::stage_concept; } && !requires { sizeof(model_files<M>); };
}  // namespace detail

// Behind every other `save` and `load` there is (`...`), and gone where io/model_file.hpp is included.
template <detail::no_model_files M>
// NOLINTNEXTLINE(cert-dcl50-cpp): what comes last in overload resolution
void save(const M&, ...) {
    static_assert(detail::never<M>, "caramel: saving needs #include <caramel/io/model_file.hpp>");
}
template <detail::no_model_files M>
// NOLINTNEXTLINE(cert-dcl50-cpp)
M load(...) {
    static_assert(detail::never<M>, "caramel: loading needs #include <caramel/io/model_file.hpp>");
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
