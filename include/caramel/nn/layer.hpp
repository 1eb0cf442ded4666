#ifndef CARAMEL_NN_LAYER_HPP
#define CARAMEL_NN_LAYER_HPP

// What a layer of a network is. A layer is a recipe of its own: it holds hyperparameters, makes parameters, and knows how
// gradients go back through it. Its parameters are what a trained model keeps: they answer batches and single rows.

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <caramel/core/matrix.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What a layer is made for.
struct layer_shape {
    std::size_t inputs = 0;   ///< numbers a row; for a layer that reads token ids the size of their vocabulary
    std::size_t outputs = 0;  ///< as many as the targets need, for the last layer that sets a width; 0 for the others
    token_id unknown = 0;     ///< as in `token_ids`
    token_id padding = 0;
};

/// A piece of a layer's parameters beside its gradient, as an optimizer sees it.
template <class T>
struct parameter_block {
    std::span<T> values;
    std::span<const T> gradient;  ///< as long as `values`; with `sparse`, `width` numbers for each of `rows`
    bool regularized = false;     ///< takes part in the L1 and L2 penalties
    bool sparse = false;          ///< only `rows` (each once) of a table with `width` columns have a gradient
    std::span<const std::size_t> rows = {};
    std::size_t width = 0;
    /// Above 0: these are no weights but a running average. `gradient` is what was seen in the mini-batch, and a step moves
    /// the values this share of the way towards it.
    double follows = 0;
};

namespace detail {

template <class L>
inline constexpr bool reads_tokens = requires { requires L::reads_tokens; };
// Whether the layer decides how many numbers come out (a dense layer), or as many come out as go in (an activation).
template <class L>
inline constexpr bool sets_width = requires { requires L::sets_width; };

// Whether a row's output depends, in training, on the other rows of its mini-batch (batch_norm): it must then be run as a whole.
template <class L>
inline constexpr bool whole_batch = requires { requires L::whole_batch; };

struct any_visitor {
    template <class Block>
    void operator()(const Block&) const;
};

}  // namespace detail

/// What a layer learns.
template <class L, class T>
using layer_params = typename L::template params<T>;
/// The gradients of it.
template <class L, class T>
using layer_grads = typename L::template grads<T>;
/// What a layer keeps of `forward` for `backward`.
template <class L, class T>
using layer_cache = typename L::template cache<T>;
/// What a layer reads in training: rows of numbers, or texts of token ids.
template <class L, class T>
using layer_input = std::conditional_t<detail::reads_tokens<L>, token_ids, matrix<T>>;

/// The parameters of a layer: an immutable part of a model, with `field_names` and `fields()` to be saved by.
///   * `check(inputs, who)` gives the number of outputs, or throws `error` (`bad_data`) on fields that do not belong
///     together, are not finite, or were made for another number of inputs;
///   * `apply(x)` answers a batch, `apply(row, workspace)` one row, with the same bits.
template <class P, class T, class X = matrix<T>>
concept LayerParams = std::copyable<P> && requires(const P& params, const X& x, workspace& scratch, std::span<const T> row) {
    params.field_names.size();
    params.fields();
    { params.check(std::size_t{}, std::string_view{}) } -> std::same_as<std::size_t>;
    { params.apply(x) } -> std::same_as<matrix<T>>;
    requires !std::same_as<X, matrix<T>> || requires {
        { params.apply(row, scratch) } -> std::convertible_to<std::span<const T>>;
    };
};

/// A layer: a const recipe.
///   * `init<T>(shape, numbers)` makes the parameters. Throws `error` (`bad_parameter`) on hyperparameters out of range.
///   * `forward(params, x, cache, numbers)` is the pass of training. What it returns lies in the cache (or is `x`); the
///     cache belongs to the caller and refers to `x`, which must outlive `backward`. `numbers` are for layers that draw.
///   * `backward(params, cache, dy, grads)` takes the gradient of the loss by the last output, *overwrites* `grads` with
///     that by the parameters and returns that by `x`. The first layer of a network need not return one: it may have
///     `gradients(params, cache, dy, grads)` for the rest, and a layer that reads token ids has only that.
///   * `visit(params, grads, f)` calls `f(parameter_block)` for every piece, in the same order each time; before the first
///     `backward` the gradients in it are empty.
template <class L, class T>
concept Layer = std::copyable<L> && LayerParams<layer_params<L, T>, T, layer_input<L, T>> &&
                requires(const L& layer, const layer_shape& shape, const layer_input<L, T>& x, layer_params<L, T>& params, layer_cache<L, T>& cache,
                         layer_grads<L, T>& grads, matrix<T> dy, rng& numbers) {
                    { L::kind } -> std::convertible_to<std::string_view>;
                    { layer.template init<T>(shape, numbers) } -> std::same_as<layer_params<L, T>>;
                    { layer.forward(params, x, cache, numbers) } -> std::same_as<const matrix<T>&>;
                    requires detail::reads_tokens<L> || requires {
                        { layer.backward(params, cache, dy, grads) } -> std::same_as<matrix<T>>;
                    };
                    requires !detail::reads_tokens<L> || requires { layer.gradients(params, cache, dy, grads); };
                    layer.visit(params, grads, detail::any_visitor{});
                };

namespace detail {

// The first layer's gradients, without that of its input where the layer can do without.
template <class L, class Params, class Cache, class T, class Grads>
void first_gradients(const L& layer, const Params& params, Cache& cache, matrix<T> dy, Grads& grads) {
    if constexpr (requires { layer.gradients(params, cache, dy, grads); }) layer.gradients(params, cache, dy, grads);
    else (void)layer.backward(params, cache, std::move(dy), grads);
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
