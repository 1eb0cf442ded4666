#ifndef CARAMEL_CORE_COMPOSITE_HPP
#define CARAMEL_CORE_COMPOSITE_HPP

// What a stage tells about itself and its parts, worked out on types.

#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include <caramel/core/platform.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// Composite stages name their parts, so that weights and random streams find every recipe within.
template <class S>
void append_kinds(std::vector<std::string_view>& kinds) {
    if constexpr (requires { typename S::parts; }) {
        [&]<class... P>(std::type_identity<std::tuple<P...>>) { (append_kinds<P>(kinds), ...); }(std::type_identity<typename S::parts>{});
    } else if constexpr (requires { std::string_view(S::kind); }) {
        kinds.emplace_back(S::kind);
    }
}
template <class S>
consteval bool uses_weights() {
    if constexpr (requires { typename S::parts; })
        return []<class... P>(std::type_identity<std::tuple<P...>>) { return (uses_weights<P>() || ...); }(std::type_identity<typename S::parts>{});
    else if constexpr (requires { S::uses_weights; }) return S::uses_weights;
    else return false;
}

template <class S>
concept names_outputs = requires(const S& s, std::vector<std::string> names) { s.output_names(names); };

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
