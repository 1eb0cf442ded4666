#ifndef CARAMEL_NN_BIAS_HPP
#define CARAMEL_NN_BIAS_HPP

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/nn/layer.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Parameters of a bias: one number an input.
template <class T>
struct bias_params {
    vec<T> bias;  ///< (inputs)

    [[nodiscard]] std::size_t inputs() const noexcept { return static_cast<std::size_t>(bias.size()); }
    [[nodiscard]] std::size_t check(std::size_t given, std::string_view who) const {
        require(inputs() == given && bias.allFinite(), errc::bad_data, who, ": a bias of ", inputs(), " numbers is given ", given, ", or is not finite");
        return given;
    }
    [[nodiscard]] matrix<T> apply(matrix<T> x) const {
        for (row_index i = 0; i < x.rows(); ++i) add(x.data() + i * x.cols(), x.data() + i * x.cols());
        return x;
    }
    [[nodiscard]] std::span<const T> apply(std::span<const T> row, workspace& scratch) const {
        const auto y = scratch.take<T>(row.size());
        add(row.data(), y.data());
        return y;
    }

    static constexpr std::array field_names{"bias"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(bias); }

   private:
    void add(const T* x, T* y) const noexcept {
        const T* const b = bias.data();
        const row_index n = bias.size();
        for (row_index j = 0; j < n; ++j) y[j] = x[j] + b[j];
    }
};

/// x + bias, a number a column that is learnt, from 0 on: for behind what has none of its own, such as an embedding bag.
struct bias_layer {
    static constexpr std::string_view kind = "bias";

    template <class T>
    using params = bias_params<T>;
    template <class T>
    using grads = bias_params<T>;
    template <class T>
    struct cache {
        matrix<T> y;
    };

    template <class T>
    [[nodiscard]] bias_params<T> init(const layer_shape& shape, rng&) const { return {vec<T>::Zero(static_cast<row_index>(shape.inputs))}; }
    template <class T>
    [[nodiscard]] const matrix<T>& forward(const bias_params<T>& p, const matrix<T>& x, cache<T>& c, rng&) const {
        c.y = p.apply(x);
        return c.y;
    }
    template <class T>
    [[nodiscard]] matrix<T> backward(const bias_params<T>& p, cache<T>&, matrix<T> dy, bias_params<T>& g) const {
        g.bias.setZero(p.bias.size());
        for (row_index i = 0; i < dy.rows(); ++i)
            for (row_index j = 0; j < dy.cols(); ++j) g.bias(j) += dy(i, j);
        return dy;
    }
    template <class T, class F>
    void visit(bias_params<T>& p, bias_params<T>& g, const F& f) const {
        f(parameter_block<T>{.values = {p.bias.data(), p.inputs()}, .gradient = {g.bias.data(), g.inputs()}});
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
