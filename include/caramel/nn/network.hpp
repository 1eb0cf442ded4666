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
#include <caramel/nn/sequence.hpp>
#include <caramel/nn/training.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

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

    /// Minimises the mean cross-entropy of the softmax of the last layer's outputs (or what `training` makes of it: label
    /// smoothing, class weights, the focal loss). Labels are 0, 1, ...: there are as
    /// many classes as the largest label says. Reports the mean loss (without the L2 penalty) after each epoch.
    /// Throws `error`: `bad_parameter`; `empty_input`; `shape_mismatch`; `nan_or_inf`; `unknown_id`; `bad_data` with the
    /// row of a negative label, or where there is one class only; `limit_exceeded`; `too_few_rows` where the validation
    /// share comes to nothing; `diverged`.
    [[nodiscard]] network_model<T, Layers...> fit(const input& x, const std::vector<int>& y, const fit_options& options) const {
        using model = network_model<T, Layers...>;
        (void)detail::require_training(how, model::kind);
        detail::require_class_loss(how, model::kind);
        detail::require_examples(x, y, model::kind);
        const detail::class_targets targets(y, model::kind, 0, how, options.weights);
        auto learnt = detail::train<T>(detail::sequence<Layers...>{layers}, x, targets, how, options, model::kind);
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

    /// Minimises the mean squared error of the targets' z-scores, so the loss that it reports is a share of their variance; with
    /// `training::huber_delta` Huber's loss of them.
    /// `y` is a vector, or (rows, outputs). Throws `error` as `network` does; `nan_or_inf` with the place of a target.
    [[nodiscard]] network_regressor_model<T, Layers...> fit(const input& x, const targets_in<T>& y, const fit_options& options) const {
        using model = network_regressor_model<T, Layers...>;
        (void)detail::require_training(how, model::kind);
        detail::require_value_loss(how, model::kind);
        detail::require_examples(x, y, model::kind);
        const detail::value_targets<T> targets(y, options, model::kind, how);
        auto learnt = detail::train<T>(detail::sequence<Layers...>{layers}, x, targets, how, options, model::kind);
        return std::apply([&](auto&&... part) { return model(detail::kinds_of<Layers...>(), targets.mean, targets.deviation, std::move(part)...); },
                          std::move(learnt.parts));
    }
};

/// Recipe for a network that scores, made by `network_ranker<T>(...)`: what it learns is the order. Its model is a
/// `network_regressor_model` whose one value is the score.
template <class T, class... Layers>
struct network_ranker_recipe {
    static_assert(
        detail::fit_together<T, Layers...>,
        "caramel: a network is made of layers (see Layer in nn/layer.hpp); only the first may read token ids, and one of them must be dense or a table");
    using stage_concept = recipe_tag;
    using input = std::conditional_t<detail::first_reads_tokens<Layers...>, token_ids, matrix_in<T>>;
    static constexpr bool uses_weights = true;

    std::tuple<Layers...> layers;
    training how = {};

    /// The same layers, trained otherwise.
    [[nodiscard]] network_ranker_recipe with(const training& other) const { return {layers, other}; }

    /// `y` is a grade a row, the higher the better, or (rows, 2): grades and the numbers of groups, where only rows of a group
    /// are compared, such as the customers of a region or what was shown in one visit. Minimises the mean, over the pairs of a
    /// mini-batch that are of one group and differ in grade, of - log of the chance that the better one comes first
    /// (RankNet: Burges et al., ICML 2005), each by the product of the rows' weights. Rows of a group come in one mini-batch as
    /// far as it holds them: `batch_size` should be several times the size of a group. With two grades and one group this
    /// is a smooth form of the area under the ROC curve.
    /// Throws `error` as `network_regressor` does; `bad_data` where no two rows of a group differ in grade.
    [[nodiscard]] network_regressor_model<T, Layers...> fit(const input& x, const targets_in<T>& y, const fit_options& options) const {
        constexpr std::string_view who = "network_ranker";
        (void)detail::require_training(how, who);
        detail::require_value_loss(how, who);
        require(how.huber_delta == 0, errc::bad_parameter, who, ": huber_delta = ", how.huber_delta, ", but only the order of the targets counts");
        detail::require_examples(x, y, who);
        const detail::pair_targets<T> targets(y, who);
        auto learnt = detail::train<T>(detail::sequence<Layers...>{layers}, x, targets, how, options, who);
        return std::apply(
            [](auto&&... part) {
                return network_regressor_model<T, Layers...>(detail::kinds_of<Layers...>(), vec<T>::Zero(1), vec<T>::Ones(1), std::move(part)...);
            },
            std::move(learnt.parts));
    }
};

/// A recipe of layers trained together. `network<float>(embedding_bag{.dim = 16}, dense{})` learns classes from texts,
/// `network<float>(training{.epochs = 10}, dense{.units = 8}, relu{}, dense{})` from numbers.
template <class T = float, class... Layers>
    requires(sizeof...(Layers) > 0 && (!std::same_as<Layers, training> && ...))
[[nodiscard]] network_recipe<T, Layers...> network(Layers... layers) {
    return {{std::move(layers)...}};
}
template <class T = float, class... Layers>
    requires(sizeof...(Layers) > 0)
[[nodiscard]] network_recipe<T, Layers...> network(const training& how, Layers... layers) {
    return {{std::move(layers)...}, how};
}
/// The same for targets that are numbers.
template <class T = float, class... Layers>
    requires(sizeof...(Layers) > 0 && (!std::same_as<Layers, training> && ...))
[[nodiscard]] network_regressor_recipe<T, Layers...> network_regressor(Layers... layers) {
    return {{std::move(layers)...}};
}
template <class T = float, class... Layers>
    requires(sizeof...(Layers) > 0)
[[nodiscard]] network_regressor_recipe<T, Layers...> network_regressor(const training& how, Layers... layers) {
    return {{std::move(layers)...}, how};
}
/// The same for targets of which the order counts.
template <class T = float, class... Layers>
    requires(sizeof...(Layers) > 0 && (!std::same_as<Layers, training> && ...))
[[nodiscard]] network_ranker_recipe<T, Layers...> network_ranker(Layers... layers) {
    return {{std::move(layers)...}};
}
template <class T = float, class... Layers>
    requires(sizeof...(Layers) > 0)
[[nodiscard]] network_ranker_recipe<T, Layers...> network_ranker(const training& how, Layers... layers) {
    return {{std::move(layers)...}, how};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
