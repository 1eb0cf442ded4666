#ifndef CARAMEL_CORE_CHAIN_ERRORS_HPP
#define CARAMEL_CORE_CHAIN_ERRORS_HPP

// What the compiler says about a chain that does not fit: each mistake is a type whose name, arguments and static_assert
// make up the message. tests/must_not_compile/ checks what g++ and clang make of them.

#include <concepts>
#include <cstddef>
#include <cstdlib>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

template <class... Given>
struct given;

template <class...>
inline constexpr bool never = false;

// What is wrong with a chain, named so that the compiler's own trace reads as the explanation.
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
struct stage_needs_targets {
    static_assert(never<Given>, "caramel: this recipe learns from targets, too: fit(recipe, data, targets)");
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

// What a refused call returns: no `Value`, so `Transformer` stays honest; takes part in anything, so that one mistake
// is one error.
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
template <class Problem>
refused explain() {
    return (void)sizeof(Problem), refused{};
}

// Never run, but defined: for a recipe in an anonymous namespace g++ -O0 emits what it only asked about, and the linker looks for it.
struct anything {
    template <class T>
    operator const T&() const { std::abort(); }  // NOLINT(google-explicit-constructor)
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
