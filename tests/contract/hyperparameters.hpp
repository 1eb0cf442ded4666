#ifndef CARAMEL_TESTS_CONTRACT_HYPERPARAMETERS_HPP
#define CARAMEL_TESTS_CONTRACT_HYPERPARAMETERS_HPP

// Every hyperparameter of a recipe, whatever recipe it is: recipes are aggregates, so their fields can be counted and bound.
// Numbers and enumerations are visited, also within optionals, vectors and aggregates; of a chain, those of all stages.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace contract {

enum class extreme { minus_one, zero, not_a_number, infinite, largest, given };

// Counts the hyperparameters as they are visited, and gives one of them another value.
class field_visitor {
   public:
    struct field {
        const std::type_info* owner;  // the aggregate that it stands in
        std::size_t number;           // among that one's fields, from 0
        std::size_t of;               // so many it has
    };

    std::vector<field> fields;
    bool only_looks = true;
    std::size_t wanted = 0;
    extreme what = extreme::zero;
    double given = 0;
    bool applied = false;  // whether a number of that type can have that value

    [[nodiscard]] bool next_is_wanted() const { return !only_looks && fields.size() == wanted; }
    void leaf(const field& at, double& x);
    void leaf(const field& at, float& x);
    void leaf(const field& at, std::size_t& x);
    void leaf(const field& at, std::int64_t& x);
    void leaf(const field& at, std::int32_t& x);
    void leaf(const field& at, std::uint32_t& x);
    void leaf(const field& at, unsigned char& choice);  // of an enumeration
};

// An aggregate has as many fields as it can be given {}.
template <class T>
consteval std::size_t count_fields() {
    if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 28;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 27;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 26;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 25;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 24;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 23;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 22;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 21;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 20;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 19;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 18;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 17;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 16;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 15;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 14;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 13;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 12;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 11;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 10;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 9;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}}; }) return 8;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}}; }) return 7;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}}; }) return 6;
    else if constexpr (requires { T{{}, {}, {}, {}, {}}; }) return 5;
    else if constexpr (requires { T{{}, {}, {}, {}}; }) return 4;
    else if constexpr (requires { T{{}, {}, {}}; }) return 3;
    else if constexpr (requires { T{{}, {}}; }) return 2;
    else if constexpr (requires { T{{}}; }) return 1;
    else return 0;
}

template <class X>
inline constexpr bool is_optional = false;
template <class X>
inline constexpr bool is_optional<std::optional<X>> = true;
template <class X>
inline constexpr bool is_tuple = false;
template <class... X>
inline constexpr bool is_tuple<std::tuple<X...>> = true;

template <class X>
concept ListOfNumbers = requires(X& x) {
    x.resize(1);
    x[0];
    requires std::is_arithmetic_v<typename X::value_type> && sizeof(typename X::value_type) > 1;
};

template <class R>
void visit_fields(R& recipe, field_visitor& visitor);

template <class X>
void visit_field(const field_visitor::field& at, X& x, field_visitor& visitor) {
    if constexpr (std::same_as<X, bool> || std::is_const_v<X>) {
    } else if constexpr (std::is_enum_v<X>) {
        if constexpr (sizeof(X) == 1) visitor.leaf(at, reinterpret_cast<unsigned char&>(x));
    } else if constexpr (std::is_arithmetic_v<X>) {
        visitor.leaf(at, x);
    } else if constexpr (is_optional<X>) {
        if constexpr (std::is_arithmetic_v<typename X::value_type>) {
            if (visitor.next_is_wanted()) x.emplace();
            typename X::value_type none{};
            visit_field(at, x ? *x : none, visitor);
        }
    } else if constexpr (ListOfNumbers<X>) {
        if (visitor.next_is_wanted() && x.empty()) x.resize(1);
        typename X::value_type none{};
        visit_field(at, x.empty() ? none : x[0], visitor);
    } else if constexpr (requires { typename X::value_type; std::tuple_size<X>::value; x[0]; }) {
        if constexpr (std::tuple_size_v<X> > 0) visit_field(at, x[0], visitor);
    } else if constexpr (std::is_aggregate_v<X> || is_tuple<X> || requires { x.stages(); }) {
        visit_fields(x, visitor);
    }
}

template <class R>
void visit_fields(R& recipe, field_visitor& visitor) {
    if constexpr (is_tuple<R>) {
        std::apply([&](auto&... part) { (visit_fields(part, visitor), ...); }, recipe);
    } else if constexpr (requires { recipe.stages(); }) {
        visit_fields(const_cast<std::remove_cvref_t<decltype(recipe.stages())>&>(recipe.stages()), visitor);  // the recipe is a variable of ours
    } else if constexpr (std::is_aggregate_v<R>) {
        constexpr std::size_t size = std::is_empty_v<R> ? 0 : count_fields<R>();  // an empty base class takes {}, too
        const auto each = [&](auto&... field) {
            std::size_t number = 0;
            (visit_field({&typeid(R), number++, size}, field, visitor), ...);
        };
        if constexpr (size == 1) {
            auto& [a] = recipe;
            each(a);
        } else if constexpr (size == 2) {
            auto& [a, b] = recipe;
            each(a, b);
        } else if constexpr (size == 3) {
            auto& [a, b, c] = recipe;
            each(a, b, c);
        } else if constexpr (size == 4) {
            auto& [a, b, c, d] = recipe;
            each(a, b, c, d);
        } else if constexpr (size == 5) {
            auto& [a, b, c, d, e] = recipe;
            each(a, b, c, d, e);
        } else if constexpr (size == 6) {
            auto& [a, b, c, d, e, f] = recipe;
            each(a, b, c, d, e, f);
        } else if constexpr (size == 7) {
            auto& [a, b, c, d, e, f, g] = recipe;
            each(a, b, c, d, e, f, g);
        } else if constexpr (size == 8) {
            auto& [a, b, c, d, e, f, g, h] = recipe;
            each(a, b, c, d, e, f, g, h);
        } else if constexpr (size == 9) {
            auto& [a, b, c, d, e, f, g, h, i] = recipe;
            each(a, b, c, d, e, f, g, h, i);
        } else if constexpr (size == 10) {
            auto& [a, b, c, d, e, f, g, h, i, j] = recipe;
            each(a, b, c, d, e, f, g, h, i, j);
        } else if constexpr (size == 11) {
            auto& [a, b, c, d, e, f, g, h, i, j, k] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k);
        } else if constexpr (size == 12) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l);
        } else if constexpr (size == 13) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m);
        } else if constexpr (size == 14) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
        } else if constexpr (size == 15) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
        } else if constexpr (size == 16) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
        } else if constexpr (size == 17) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
        } else if constexpr (size == 18) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r);
        } else if constexpr (size == 19) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s);
        } else if constexpr (size == 20) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
        } else if constexpr (size == 21) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u);
        } else if constexpr (size == 22) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v);
        } else if constexpr (size == 23) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w);
        } else if constexpr (size == 24) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x);
        } else if constexpr (size == 25) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y);
        } else if constexpr (size == 26) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z);
        } else if constexpr (size == 27) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa);
        } else if constexpr (size == 28) {
            auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab] = recipe;
            each(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab);
        } else {
            (void)each;
        }
    }
}

}  // namespace contract

#endif
