#ifndef CARAMEL_NN_NETWORK_HPP
#define CARAMEL_NN_NETWORK_HPP

// Layers trained together, as one recipe: `network<float>(dense{.units = 32}, relu{}, dense{})`.

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/weights.hpp>
#include <caramel/nn/activation.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/layer.hpp>
#include <caramel/nn/predictor.hpp>
#include <caramel/nn/probabilities.hpp>
#include <caramel/nn/training.hpp>
#include <caramel/pipeline.hpp>

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

template <class T, class First, class... Rest>
inline constexpr bool fit_together = Layer<First, T> && (Layer<Rest, T> && ...) && !(reads_tokens<Rest> || ...) &&
                                     (sets_width<First> || ... || sets_width<Rest>);

}  // namespace detail

/// A trained network that tells classes apart: probabilities that sum to 1, the softmax of what the last layer gives.
template <class T, class... Layers>
class network_model : public detail::network_answers<network_model<T, Layers...>, T, detail::sequence_params<T, Layers...>, detail::class_head<T>> {
   public:
    static constexpr std::string_view kind = "network";  // in saved files: never changes

    /// The kinds of the layers, and the parameters of each. Throws `error` (`bad_data`) where they do not belong together.
    explicit network_model(std::vector<std::string> layers, layer_params<Layers, T>... params)
        : base({{std::move(params)...}}, {}), layers_(std::move(layers)) {
        detail::require_kinds<Layers...>(layers_, kind);
    }
    /// The parameters of the n-th layer, from 0.
    template <std::size_t N>
    [[nodiscard]] const auto& layer() const noexcept { return std::get<N>(base::core().params().parts); }

    static constexpr auto field_names = detail::with_numbers<sizeof...(Layers)>(std::array{"layers"});
    [[nodiscard]] auto fields() const noexcept {
        return std::apply([this](const auto&... part) { return std::tie(layers_, part...); }, base::core().params().parts);
    }

   private:
    using base = detail::network_answers<network_model, T, detail::sequence_params<T, Layers...>, detail::class_head<T>>;
    std::vector<std::string> layers_;
};

/// A trained network that predicts values.
template <class T, class... Layers>
class network_regressor_model
    : public detail::network_answers<network_regressor_model<T, Layers...>, T, detail::sequence_params<T, Layers...>, detail::value_head<T>> {
   public:
    static constexpr std::string_view kind = "network_regressor";  // in saved files: never changes

    /// The last layer gives z-scores: they are multiplied by `deviation` and added to `mean`.
    /// Throws `error` (`bad_data`) where the fields do not belong together.
    explicit network_regressor_model(std::vector<std::string> layers, vec<T> mean, vec<T> deviation, layer_params<Layers, T>... params)
        : base({{std::move(params)...}}, {std::move(mean), std::move(deviation)}), layers_(std::move(layers)) {
        detail::require_kinds<Layers...>(layers_, kind);
    }
    /// The parameters of the n-th layer, from 0.
    template <std::size_t N>
    [[nodiscard]] const auto& layer() const noexcept { return std::get<N>(base::core().params().parts); }
    [[nodiscard]] const vec<T>& mean() const noexcept { return base::core().head().mean; }
    [[nodiscard]] const vec<T>& deviation() const noexcept { return base::core().head().deviation; }

    static constexpr auto field_names = detail::with_numbers<sizeof...(Layers)>(std::array{"layers", "mean", "deviation"});
    [[nodiscard]] auto fields() const noexcept {
        return std::apply([this](const auto&... part) { return std::tie(layers_, mean(), deviation(), part...); }, base::core().params().parts);
    }

   private:
    using base = detail::network_answers<network_regressor_model, T, detail::sequence_params<T, Layers...>, detail::value_head<T>>;
    std::vector<std::string> layers_;
};

/// Recipe for a `network_model`; made by `network<T>(...)`. The first layer reads a matrix, or token ids.
template <class T, class... Layers>
struct network_recipe {
    static_assert(
        detail::fit_together<T, Layers...>,
        "caramel: a network is made of layers (see Layer in nn/layer.hpp); only the first may read token ids, and one of them must be dense or a table");
    using stage_concept = recipe_tag;
    using input = std::conditional_t<detail::first_reads_tokens<Layers...>, token_ids, matrix_in<T>>;
    static constexpr bool uses_weights = true;

    std::tuple<Layers...> layers;
    training how = {};

    /// The same layers, trained otherwise.
    [[nodiscard]] network_recipe with(const training& other) const { return {layers, other}; }

    /// Minimises the mean cross-entropy of the softmax of the last layer's outputs. Labels are 0, 1, ...: there are as
    /// many classes as the largest label says. Reports the mean loss (without the L2 penalty) after each epoch.
    /// Throws `error`: `bad_parameter`; `empty_input`; `shape_mismatch`; `nan_or_inf`; `unknown_id`; `bad_data` with the
    /// row of a negative label, or where there is one class only; `limit_exceeded`; `too_few_rows` where the validation
    /// share comes to nothing; `diverged`.
    [[nodiscard]] network_model<T, Layers...> fit(const input& x, const std::vector<int>& y, const fit_options& options) const {
        using model = network_model<T, Layers...>;
        (void)detail::require_training(how, model::kind);
        detail::require_examples(x, y, model::kind);
        auto learnt = detail::train<T>(detail::sequence<Layers...>{layers}, x, detail::class_targets(y, model::kind), how, options, model::kind);
        return std::apply([](auto&&... part) { return model(detail::kinds_of<Layers...>(), std::move(part)...); }, std::move(learnt.parts));
    }
};

/// Recipe for a `network_regressor_model`; made by `network_regressor<T>(...)`.
template <class T, class... Layers>
struct network_regressor_recipe {
    static_assert(
        detail::fit_together<T, Layers...>,
        "caramel: a network is made of layers (see Layer in nn/layer.hpp); only the first may read token ids, and one of them must be dense or a table");
    using stage_concept = recipe_tag;
    using input = std::conditional_t<detail::first_reads_tokens<Layers...>, token_ids, matrix_in<T>>;
    static constexpr bool uses_weights = true;

    std::tuple<Layers...> layers;
    training how = {};

    /// The same layers, trained otherwise.
    [[nodiscard]] network_regressor_recipe with(const training& other) const { return {layers, other}; }

    /// Minimises the mean squared error of the targets' z-scores, so the loss that it reports is a share of their variance.
    /// `y` is a vector, or (rows, outputs). Throws `error` as `network` does; `nan_or_inf` with the place of a target.
    [[nodiscard]] network_regressor_model<T, Layers...> fit(const input& x, const targets_in<T>& y, const fit_options& options) const {
        using model = network_regressor_model<T, Layers...>;
        (void)detail::require_training(how, model::kind);
        detail::require_examples(x, y, model::kind);
        const detail::value_targets<T> targets(y, options, model::kind);
        auto learnt = detail::train<T>(detail::sequence<Layers...>{layers}, x, targets, how, options, model::kind);
        return std::apply([&](auto&&... part) { return model(detail::kinds_of<Layers...>(), targets.mean, targets.deviation, std::move(part)...); },
                          std::move(learnt.parts));
    }
};

/// A recipe of layers trained together. `network<float>(embedding_bag{.dim = 16}, dense{})` learns classes from texts,
/// `network<float>(training{.epochs = 10}, dense{.units = 8}, relu{}, dense{})` from numbers.
template <class T = float, class... Layers>
    requires(sizeof...(Layers) > 0 && (!std::same_as<Layers, training> && ...))
[[nodiscard]] constexpr network_recipe<T, Layers...> network(Layers... layers) {
    return {{std::move(layers)...}};
}
template <class T = float, class... Layers>
    requires(sizeof...(Layers) > 0)
[[nodiscard]] constexpr network_recipe<T, Layers...> network(const training& how, Layers... layers) {
    return {{std::move(layers)...}, how};
}
/// The same for targets that are numbers.
template <class T = float, class... Layers>
    requires(sizeof...(Layers) > 0 && (!std::same_as<Layers, training> && ...))
[[nodiscard]] constexpr network_regressor_recipe<T, Layers...> network_regressor(Layers... layers) {
    return {{std::move(layers)...}};
}
template <class T = float, class... Layers>
    requires(sizeof...(Layers) > 0)
[[nodiscard]] constexpr network_regressor_recipe<T, Layers...> network_regressor(const training& how, Layers... layers) {
    return {{std::move(layers)...}, how};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
