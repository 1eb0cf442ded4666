#ifndef CARAMEL_NN_SEQUENCE_HPP
#define CARAMEL_NN_SEQUENCE_HPP

// Layers in a row, as one layer: what networks and residual blocks are made of.

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/nn/layer.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

template <class... Layers>
inline constexpr bool first_reads_tokens = reads_tokens<std::tuple_element_t<0, std::tuple<Layers...>>>;

// The parameters of layers in a row, as those of one layer.
template <class T, class... Layers>
struct sequence_params {
    static constexpr bool reads_tokens = first_reads_tokens<Layers...>;

    std::tuple<layer_params<Layers, T>...> parts;

    // What goes into the first layer that knows: those before it pass on as many numbers as they get.
    [[nodiscard]] std::size_t inputs() const noexcept { return inputs_of<0>(); }
    [[nodiscard]] std::size_t check(std::size_t width, std::string_view who) const {
        std::apply([&](const auto&... part) { ((width = part.check(width, who)), ...); }, parts);
        return width;
    }
    template <class X>
    [[nodiscard]] matrix<T> apply(const X& x) const {
        return apply_from<1>(std::get<0>(parts).apply(x));
    }
    template <class E>
    [[nodiscard]] std::span<const T> apply(std::span<const E> row, workspace& scratch) const {
        return apply_from<1>(std::span<const T>(std::get<0>(parts).apply(row, scratch)), scratch);
    }

   private:
    template <std::size_t I>
    [[nodiscard]] std::size_t inputs_of() const noexcept {
        if constexpr (requires { std::get<I>(parts).inputs(); }) return std::get<I>(parts).inputs();
        else return inputs_of<I + 1>();
    }
    template <std::size_t I>
    [[nodiscard]] matrix<T> apply_from(matrix<T> x) const {
        if constexpr (I == sizeof...(Layers)) return x;
        else return apply_from<I + 1>(std::get<I>(parts).apply(std::move(x)));
    }
    template <std::size_t I>
    [[nodiscard]] std::span<const T> apply_from(std::span<const T> row, workspace& scratch) const {
        if constexpr (I == sizeof...(Layers)) return row;
        else return apply_from<I + 1>(std::span<const T>(std::get<I>(parts).apply(row, scratch)), scratch);
    }
};

// Layers in a row, as one layer.
template <class... Layers>
struct sequence {
    static constexpr std::string_view kind = "sequence";
    static constexpr bool reads_tokens = first_reads_tokens<Layers...>;
    static constexpr bool sets_width = (detail::sets_width<Layers> || ...);
    static constexpr bool whole_batch = (detail::whole_batch<Layers> || ...);

    std::tuple<Layers...> layers;

    template <class T>
    using params = sequence_params<T, Layers...>;
    template <class T>
    using grads = std::tuple<layer_grads<Layers, T>...>;
    template <class T>
    using cache = std::tuple<layer_cache<Layers, T>...>;

    template <class T>
    [[nodiscard]] params<T> init(const layer_shape& shape, rng& numbers) const { return {init_from<T, 0>(shape, numbers)}; }

    template <class Params, class X, class Cache>
    [[nodiscard]] const auto& forward(const Params& p, const X& x, Cache& c, rng& numbers) const {
        return forward_from<0>(p, x, c, numbers);
    }
    template <class Params, class Cache, class T, class Grads>
        requires(!reads_tokens)
    [[nodiscard]] matrix<T> backward(const Params& p, Cache& c, matrix<T> dy, Grads& g) const {
        return std::get<0>(layers).backward(std::get<0>(p.parts), std::get<0>(c), backward_to<1>(p, c, std::move(dy), g), std::get<0>(g));
    }
    template <class Params, class Cache, class T, class Grads>
    void gradients(const Params& p, Cache& c, matrix<T> dy, Grads& g) const {
        first_gradients(std::get<0>(layers), std::get<0>(p.parts), std::get<0>(c), backward_to<1>(p, c, std::move(dy), g), std::get<0>(g));
    }
    template <class Params, class Grads, class F>
    void visit(Params& p, Grads& g, const F& f) const {
        [&]<std::size_t... I>(std::index_sequence<I...>) { (std::get<I>(layers).visit(std::get<I>(p.parts), std::get<I>(g), f), ...); }
        (std::index_sequence_for<Layers...>{});
    }

   private:
    static constexpr std::size_t last_width = [] {
        std::size_t last = 0, i = 0;
        ((last = detail::sets_width<Layers> ? i : last, ++i), ...);
        return last;
    }();

    template <class T, std::size_t I>
    [[nodiscard]] auto init_from(layer_shape shape, const rng& numbers) const {
        if constexpr (I == sizeof...(Layers)) {
            return std::tuple<>{};
        } else {
            layer_shape mine = shape;
            if (I != last_width) mine.outputs = 0;
            rng own = numbers.split(I);
            auto part = std::get<I>(layers).template init<T>(mine, own);
            shape.inputs = part.check(shape.inputs, kind);
            return std::tuple_cat(std::tuple(std::move(part)), init_from<T, I + 1>(shape, numbers));
        }
    }
    template <std::size_t I, class Params, class X, class Cache>
    [[nodiscard]] const auto& forward_from(const Params& p, const X& x, Cache& c, rng& numbers) const {
        const auto& y = std::get<I>(layers).forward(std::get<I>(p.parts), x, std::get<I>(c), numbers);
        if constexpr (I + 1 == sizeof...(Layers)) return y;
        else return forward_from<I + 1>(p, y, c, numbers);
    }
    // Back through the layers after the first `I`.
    template <std::size_t I, class Params, class Cache, class T, class Grads>
    [[nodiscard]] matrix<T> backward_to(const Params& p, Cache& c, matrix<T> dy, Grads& g) const {
        if constexpr (I == sizeof...(Layers)) return dy;
        else return std::get<I>(layers).backward(std::get<I>(p.parts), std::get<I>(c), backward_to<I + 1>(p, c, std::move(dy), g), std::get<I>(g));
    }
};

// The names of a network's fields: some of its own, then its layers by number.
template <std::size_t Layers, std::size_t N>
consteval std::array<const char*, N + Layers> with_numbers(const std::array<const char*, N>& own) {
    constexpr std::array numbers{"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11", "12", "13", "14", "15",
                                 "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31"};
    static_assert(Layers <= numbers.size(), "caramel: a network has at most 32 layers");
    std::array<const char*, N + Layers> out{};
    for (std::size_t i = 0; i < N; ++i) out[i] = own[i];
    for (std::size_t i = 0; i < Layers; ++i) out[N + i] = numbers[i];
    return out;
}

template <class... Layers>
std::vector<std::string> kinds_of() {
    return {std::string(Layers::kind)...};
}
// Layers without parameters leave no trace in a file but their kinds.
template <class... Layers>
void require_kinds(const std::vector<std::string>& kinds, std::string_view who) {
    require(kinds == kinds_of<Layers...>(), errc::bad_data, who, ": the layers are not those of the network's type");
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
