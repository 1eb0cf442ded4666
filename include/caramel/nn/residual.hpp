#ifndef CARAMEL_NN_RESIDUAL_HPP
#define CARAMEL_NN_RESIDUAL_HPP

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
#include <caramel/nn/sequence.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The kinds of the layers of a residual block, and the parameters of each.
template <class T, class... Layers>
class residual_params {
   public:
    residual_params() = default;
    explicit residual_params(std::vector<std::string> layers, layer_params<Layers, T>... params) : layers_(std::move(layers)), inner_{{std::move(params)...}} {}

    [[nodiscard]] std::size_t check(std::size_t inputs, std::string_view who) const {
        detail::require_kinds<Layers...>(layers_, who);
        const std::size_t outputs = inner_.check(inputs, who);
        require(outputs == inputs, errc::bad_data, who, ": the layers of a residual block make ", outputs, " numbers of ", inputs);
        return inputs;
    }
    [[nodiscard]] matrix<T> apply(const matrix<T>& x) const {
        matrix<T> y = inner_.apply(x);
        add(x.data(), y.data(), static_cast<std::size_t>(x.size()));
        return y;
    }
    [[nodiscard]] std::span<const T> apply(std::span<const T> row, workspace& scratch) const {
        const auto y = scratch.take<T>(row.size());
        const std::span<const T> inside = inner_.apply(row, scratch);
        for (std::size_t j = 0; j < row.size(); ++j) y[j] = inside[j];
        add(row.data(), y.data(), row.size());
        return y;
    }
    [[nodiscard]] detail::sequence_params<T, Layers...>& inner() noexcept { return inner_; }
    [[nodiscard]] const detail::sequence_params<T, Layers...>& inner() const noexcept { return inner_; }

    static constexpr auto field_names = detail::with_numbers<sizeof...(Layers)>(std::array{"layers"});
    [[nodiscard]] auto fields() const noexcept {
        return std::apply([this](const auto&... part) { return std::tie(layers_, part...); }, inner_.parts);
    }

   private:
    static void add(const T* x, T* y, std::size_t n) noexcept {
        for (std::size_t i = 0; i < n; ++i) y[i] += x[i];
    }
    std::vector<std::string> layers_;
    detail::sequence_params<T, Layers...> inner_;
};

/// Layers with a way around them: x + layers(x) (He, Zhang, Ren & Sun, CVPR 2016). Made by `residual(...)`.
template <class... Layers>
struct residual_block {
    static_assert(!(detail::reads_tokens<Layers> || ...), "caramel: the layers of a residual block read numbers, not token ids");
    static constexpr std::string_view kind = "residual";
    static constexpr bool whole_batch = (detail::whole_batch<Layers> || ...);

    detail::sequence<Layers...> layers;

    template <class T>
    using params = residual_params<T, Layers...>;
    template <class T>
    using grads = layer_grads<detail::sequence<Layers...>, T>;
    template <class T>
    struct cache {
        layer_cache<detail::sequence<Layers...>, T> inside;
        matrix<T> y;
    };

    /// Throws `error` (`bad_parameter`), also where the layers do not give as many numbers as they get.
    template <class T>
    [[nodiscard]] params<T> init(const layer_shape& shape, rng& numbers) const {
        const layer_shape inside{.inputs = shape.inputs, .outputs = shape.inputs};
        auto inner = layers.template init<T>(inside, numbers);
        const std::size_t outputs = inner.check(shape.inputs, kind);
        require(outputs == shape.inputs, errc::bad_parameter, "residual: the layers make ", outputs, " numbers of ", shape.inputs,
                "; they must give as many as they get");
        return std::apply([](auto&&... part) { return params<T>(detail::kinds_of<Layers...>(), std::move(part)...); }, std::move(inner.parts));
    }
    template <class T, class Cache>
    [[nodiscard]] const matrix<T>& forward(const residual_params<T, Layers...>& p, const matrix<T>& x, Cache& c, rng& numbers) const {
        c.y = layers.forward(p.inner(), x, c.inside, numbers) + x;
        return c.y;
    }
    template <class T, class Cache, class Grads>
    [[nodiscard]] matrix<T> backward(const residual_params<T, Layers...>& p, Cache& c, matrix<T> dy, Grads& g) const {
        matrix<T> dx = layers.backward(p.inner(), c.inside, dy, g);
        dx += dy;
        return dx;
    }
    template <class T, class Grads, class F>
    void visit(residual_params<T, Layers...>& p, Grads& g, const F& f) const {
        layers.visit(p.inner(), g, f);
    }
};

/// A residual block, as a layer: `residual(dense{.units = 64}, relu{}, dense{})`. A last dense layer whose `units` are 0 gives
/// as many numbers as the block gets.
template <class... Layers>
    requires(sizeof...(Layers) > 0)
[[nodiscard]] constexpr residual_block<Layers...> residual(Layers... layers) {
    return {{{std::move(layers)...}}};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
