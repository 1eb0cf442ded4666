#ifndef CARAMEL_NN_MLP_HPP
#define CARAMEL_NN_MLP_HPP

// The multilayer perceptron: the network of dense layers with ReLU between them, its depth chosen at run time.

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/warm_start.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/nn/activation.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/dense_steps.hpp>
#include <caramel/nn/layer.hpp>
#include <caramel/nn/packed_dense.hpp>
#include <caramel/nn/predictor.hpp>
#include <caramel/nn/probabilities.hpp>
#include <caramel/nn/training.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

template <class T>
struct dense_stack_params {
    struct served : packed_stack<T> {
        explicit served(const dense_stack_params& p) : packed_stack<T>(p.layers) {}
    };

    std::vector<dense_params<T>> layers;  // with ReLU between them

    [[nodiscard]] std::size_t inputs() const noexcept { return layers.empty() ? 0 : layers.front().inputs(); }
    [[nodiscard]] std::size_t check(std::size_t width, std::string_view who) const {
        require(!layers.empty(), errc::bad_data, who, ": there are no layers");
        for (const auto& layer : layers) width = layer.check(width, who);
        return width;
    }
    [[nodiscard]] matrix<T> apply(const matrix_in<T>& x) const {
        matrix<T> y = layers.front().apply(x);
        for (std::size_t l = 1; l < layers.size(); ++l) y = layers[l].apply(between.apply(std::move(y)));
        return y;
    }
    [[nodiscard]] std::span<const T> apply(std::span<const T> row, workspace& scratch) const {
        std::span<const T> y = layers.front().apply(row, scratch);
        for (std::size_t l = 1; l < layers.size(); ++l) y = layers[l].apply(between.apply(y, scratch), scratch);
        return y;
    }

   private:
    static constexpr layer_params<relu, T> between{};
};

// The layers of an mlp, as one layer.
struct dense_stack {
    static constexpr std::string_view kind = "dense_stack";
    static constexpr bool sets_width = true;

    std::vector<std::size_t> hidden;
    dropout drop;

    template <class T>
    using params = dense_stack_params<T>;
    template <class T>
    using grads = std::vector<dense_params<T>>;
    template <class T>
    struct cache {
        std::vector<layer_cache<dense, T>> products;
        std::vector<layer_cache<relu, T>> activations;
        std::vector<layer_cache<dropout, T>> masks;
    };
    // What the trainer uses instead of `forward` and the rest, which do the same layer by layer.
    template <class T>
    using steps = dense_steps<T>;

    template <class T>
    [[nodiscard]] dense_stack_params<T> init(layer_shape shape, rng& numbers) const {
        (void)drop.init<T>(shape, numbers);
        dense_stack_params<T> p;
        for (std::size_t l = 0; l <= hidden.size(); ++l) {
            rng own = numbers.split(l);
            p.layers.push_back(dense{.units = l < hidden.size() ? hidden[l] : shape.outputs}.init<T>({.inputs = shape.inputs}, own));
            shape.inputs = l < hidden.size() ? hidden[l] : shape.outputs;
        }
        return p;
    }
    template <class T>
    [[nodiscard]] const matrix<T>& forward(const dense_stack_params<T>& p, const matrix<T>& x, cache<T>& c, rng& numbers) const {
        c.products.resize(p.layers.size());
        c.activations.resize(hidden.size());
        c.masks.resize(hidden.size());
        const matrix<T>* y = &dense{}.forward(p.layers[0], x, c.products[0], numbers);
        for (std::size_t l = 0; l < hidden.size(); ++l) {
            y = &relu{}.forward({}, *y, c.activations[l], numbers);
            if (drop.share > 0) y = &drop.forward({}, *y, c.masks[l], numbers);
            y = &dense{}.forward(p.layers[l + 1], *y, c.products[l + 1], numbers);
        }
        return *y;
    }
    template <class T>
    [[nodiscard]] matrix<T> backward(const dense_stack_params<T>& p, cache<T>& c, matrix<T> dy, grads<T>& g) const {
        const matrix<T> down = back_to_first(p, c, std::move(dy), g);
        return dense{}.backward(p.layers[0], c.products[0], down, g[0]);
    }
    template <class T>
    void gradients(const dense_stack_params<T>& p, cache<T>& c, matrix<T> dy, grads<T>& g) const {
        const matrix<T> down = back_to_first(p, c, std::move(dy), g);
        dense{}.gradients(p.layers[0], c.products[0], down, g[0]);
    }
    template <class T, class F>
    void visit(dense_stack_params<T>& p, grads<T>& g, const F& f) const {
        g.resize(p.layers.size());
        for (std::size_t l = 0; l < p.layers.size(); ++l) dense{}.visit(p.layers[l], g[l], f);
    }

   private:
    template <class T>
    [[nodiscard]] matrix<T> back_to_first(const dense_stack_params<T>& p, cache<T>& c, matrix<T> dy, grads<T>& g) const {
        g.resize(p.layers.size());
        layer_grads<relu, T> none;
        layer_grads<dropout, T> nothing;
        for (std::size_t l = hidden.size(); l > 0; --l) {
            dy = dense{}.backward(p.layers[l], c.products[l], dy, g[l]);
            if (drop.share > 0) dy = drop.backward({}, c.masks[l - 1], std::move(dy), nothing);
            dy = relu{}.backward({}, c.activations[l - 1], std::move(dy), none);
        }
        return dy;
    }
};

template <class Recipe>
dense_stack stack_of(const Recipe& recipe, std::string_view who) {
    for (std::size_t l = 0; l < recipe.hidden.size(); ++l)
        require(recipe.hidden[l] >= 1 && recipe.hidden[l] <= dense::max_units, errc::bad_parameter, who, ": hidden layer ", l + 1, " has ", recipe.hidden[l],
                " units, must lie in 1 .. ", dense::max_units);
    require(recipe.dropout >= 0 && recipe.dropout < 1, errc::bad_parameter, who, ": dropout = ", recipe.dropout, ", must be at least 0 and below 1");
    return {recipe.hidden, {.share = recipe.dropout}};
}
template <class Recipe>
training training_of(const Recipe& recipe, std::string_view who) {
    training how{.epochs = recipe.epochs,
                 .batch_size = recipe.batch_size,
                 .learning_rate = recipe.learning_rate,
                 .l2 = recipe.l2,
                 .validation_share = recipe.validation_share,
                 .patience = recipe.patience,
                 .rule = recipe.rule,
                 .l1 = recipe.l1,
                 .schedule = recipe.schedule};
    (void)require_training(how, who);
    if constexpr (requires { recipe.huber_delta; }) {
        how.huber_delta = recipe.huber_delta;
        require_value_loss(how, who);
    } else {
        how.label_smoothing = recipe.label_smoothing;
        how.class_weights = recipe.class_weights;
        require_class_loss(how, who);
    }
    return how;
}

// What the recipes of this file have in common: checked hyperparameters, and the parameters to start from.
template <class T>
struct mlp_plan {
    dense_stack stack;
    training how;
    std::optional<dense_stack_params<T>> start;

    template <class Recipe, class Y>
    mlp_plan(const Recipe& recipe, const matrix_in<T>& x, const Y& y, std::string_view who) : stack(stack_of(recipe, who)), how(training_of(recipe, who)) {
        if (const auto* model = recipe.start.get()) {
            start = {model->layers()};
            require(start->layers.size() == recipe.hidden.size() + 1, errc::bad_parameter, who, ": there are ", recipe.hidden.size(),
                    " hidden layers, the model to start from has ", start->layers.size() - 1);
            for (std::size_t l = 0; l < recipe.hidden.size(); ++l)
                require(std::cmp_equal(start->layers[l].bias.size(), recipe.hidden[l]), errc::bad_parameter, who, ": hidden layer ", l + 1, " has ",
                        recipe.hidden[l], " units, that of the model to start from ", start->layers[l].bias.size());
        }
        require_examples(x, y, who);
        require(!start || std::cmp_equal(x.cols(), start->inputs()), errc::shape_mismatch, who, ": got ", x.cols(), " columns, the model to start from learnt ",
                start ? start->inputs() : 0);
    }
    // Of the model to start from; 0 where there is none.
    [[nodiscard]] std::size_t outputs() const noexcept { return start ? static_cast<std::size_t>(start->layers.back().bias.size()) : 0; }
    void require_outputs(std::size_t wanted, std::string_view who) const {
        require(!start || wanted == outputs(), errc::shape_mismatch, who, ": the targets need ", wanted, " outputs, the model to start from has ", outputs());
    }
    template <class Targets>
    [[nodiscard]] std::vector<dense_params<T>> learn(const matrix_in<T>& x, const Targets& targets, const fit_options& options, std::string_view who) const {
        require_outputs(targets.outputs(), who);
        return train<T>(stack, x, targets, how, options, who, start ? &*start : nullptr).layers;
    }
};

}  // namespace detail

/// A trained classifier: (rows, features) -> (rows, classes), each row summing to 1.
template <class T>
class mlp_model : public detail::network_answers<mlp_model<T>, T, detail::dense_stack_params<T>, detail::class_head<T>> {
   public:
    static constexpr std::string_view kind = "mlp";  // in saved files: never changes

    /// Dense layers with ReLU between them and a softmax behind the last. Throws `error` (`bad_data`) where they do not
    /// belong together.
    explicit mlp_model(std::vector<dense_params<T>> layers) : base({std::move(layers)}, {}) {}

    [[nodiscard]] const std::vector<dense_params<T>>& layers() const noexcept { return base::core().params().layers; }

    static constexpr std::array field_names{"layers"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(layers()); }

   private:
    using base = detail::network_answers<mlp_model, T, detail::dense_stack_params<T>, detail::class_head<T>>;
};

/// Trained answers to several yes or no questions: (rows, features) -> (rows, outputs), each number the probability of a
/// yes, whatever the others are.
template <class T>
class mlp_multilabel_model : public detail::network_answers<mlp_multilabel_model<T>, T, detail::dense_stack_params<T>, detail::label_head<T>> {
   public:
    static constexpr std::string_view kind = "mlp_multilabel";  // in saved files: never changes

    /// Dense layers with ReLU between them and a sigmoid behind each output of the last. Throws `error` (`bad_data`) where
    /// they do not belong together.
    explicit mlp_multilabel_model(std::vector<dense_params<T>> layers) : base({std::move(layers)}, {}) {}

    [[nodiscard]] const std::vector<dense_params<T>>& layers() const noexcept { return base::core().params().layers; }

    static constexpr std::array field_names{"layers"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(layers()); }

   private:
    using base = detail::network_answers<mlp_multilabel_model, T, detail::dense_stack_params<T>, detail::label_head<T>>;
};

/// A trained regressor: (rows, features) -> (rows, outputs).
template <class T>
class mlp_regressor_model : public detail::network_answers<mlp_regressor_model<T>, T, detail::dense_stack_params<T>, detail::value_head<T>> {
   public:
    static constexpr std::string_view kind = "mlp_regressor";  // in saved files: never changes

    /// The last layer gives z-scores: they are multiplied by `deviation` and added to `mean`.
    /// Throws `error` (`bad_data`) where the fields do not belong together.
    mlp_regressor_model(std::vector<dense_params<T>> layers, vec<T> mean, vec<T> deviation)
        : base({std::move(layers)}, {std::move(mean), std::move(deviation)}) {}

    [[nodiscard]] const std::vector<dense_params<T>>& layers() const noexcept { return base::core().params().layers; }
    [[nodiscard]] const vec<T>& mean() const noexcept { return base::core().head().mean; }
    [[nodiscard]] const vec<T>& deviation() const noexcept { return base::core().head().deviation; }

    static constexpr std::array field_names{"layers", "mean", "deviation"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(layers(), mean(), deviation()); }

   private:
    using base = detail::network_answers<mlp_regressor_model, T, detail::dense_stack_params<T>, detail::value_head<T>>;
};

/// Recipe for `mlp_model`: dense layers with ReLU between them, trained with Adam on shuffled mini-batches. Features of
/// very different scales should be standardized first: `standardize<float>{} | mlp<float>{}`. `fit_options::threads` share
/// each mini-batch, where it is large enough to be worth it; one thread or many learn the same bits.
template <class T>
struct mlp {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    std::vector<std::size_t> hidden = {32};  ///< units of the hidden layers; none = multinomial logistic regression
    std::size_t epochs = 40;                 ///< see `training` for these
    std::size_t batch_size = 64;
    double learning_rate = 1e-3;
    double l2 = 0;                           ///< scikit-learn's `alpha` divided by the batch size
    double dropout = 0;                      ///< after each hidden layer; 0 <= share < 1
    double validation_share = 0;
    std::size_t patience = 10;
    /// Weights to begin with, instead of random ones, for learning on with new data; Adam's averages begin anew. The stages
    /// before should be the fitted ones, so that the columns keep their meaning.
    warm_start<mlp_model<T>> start = {};
    update_rule rule = update_rule::adam;
    double l1 = 0;
    rate_schedule schedule = {};
    double label_smoothing = 0;
    std::vector<double> class_weights = {};  ///< one a class; empty = all 1

    /// Labels are 0, 1, ...: there are as many classes as the largest label says, or as the model to start from has, if
    /// that are more. Reports the mean loss after each epoch.
    /// Throws `error`: `bad_parameter`, also where the model to start from has other hidden layers; `empty_input`;
    /// `shape_mismatch`, also where it learnt other columns or fewer classes; `nan_or_inf`; `bad_data` with the row of a
    /// negative label, or where there is one class only; `limit_exceeded`; `too_few_rows` where the validation share comes
    /// to nothing; `diverged`.
    [[nodiscard]] mlp_model<T> fit(const matrix_in<T>& x, const std::vector<int>& y, const fit_options& options) const {
        constexpr std::string_view who = mlp_model<T>::kind;
        const detail::mlp_plan<T> plan(*this, x, y, who);
        return mlp_model<T>(plan.learn(x, detail::class_targets(y, who, plan.outputs(), plan.how, options.weights), options, who));
    }
};

/// Recipe for `mlp_multilabel_model`: see `mlp`. Learns several yes or no questions about a row at once, such as the
/// responses to several campaigns; one question is a classifier of two classes that answers with one number.
template <class T>
struct mlp_multilabel {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    std::vector<std::size_t> hidden = {32};  ///< units of the hidden layers; none = logistic regression of each output
    std::size_t epochs = 40;                 ///< see `training` for these
    std::size_t batch_size = 64;
    double learning_rate = 1e-3;
    double l2 = 0;                           ///< scikit-learn's `alpha` divided by the batch size
    double dropout = 0;                      ///< after each hidden layer; 0 <= share < 1
    double validation_share = 0;
    std::size_t patience = 10;
    warm_start<mlp_multilabel_model<T>> start = {};  ///< as in `mlp`
    update_rule rule = update_rule::adam;
    double l1 = 0;
    rate_schedule schedule = {};
    double label_smoothing = 0;
    std::vector<double> class_weights = {};  ///< of no and of yes, for all questions; empty = both 1

    /// `y` is (rows, outputs), or a vector for one output, of 0 and 1. Minimises the mean over rows and outputs of - log of
    /// the probability of the target (a column may be all of one kind). With one output the validation share is drawn by
    /// class. Throws `error` as `mlp` does; `nan_or_inf` and `bad_data` with the place of a target that is not 0 or 1.
    [[nodiscard]] mlp_multilabel_model<T> fit(const matrix_in<T>& x, const targets_in<T>& y, const fit_options& options) const {
        constexpr std::string_view who = mlp_multilabel_model<T>::kind;
        const detail::mlp_plan<T> plan(*this, x, y, who);
        return mlp_multilabel_model<T>(plan.learn(x, detail::label_targets<T>(y, who, plan.how, options.weights), options, who));
    }
};

/// Recipe for `mlp_regressor_model`: see `mlp`. The targets are learnt as z-scores, so the loss that is reported, the mean
/// squared error, is a share of their variance.
template <class T>
struct mlp_regressor {
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;

    std::vector<std::size_t> hidden = {32};  ///< units of the hidden layers; none = linear regression
    std::size_t epochs = 40;                 ///< see `training` for these
    std::size_t batch_size = 64;
    double learning_rate = 1e-3;
    double l2 = 0;                           ///< scikit-learn's `alpha` divided by the batch size
    double dropout = 0;                      ///< after each hidden layer; 0 <= share < 1
    double validation_share = 0;
    std::size_t patience = 10;
    warm_start<mlp_regressor_model<T>> start = {};  ///< as in `mlp`; the mean and deviation of its targets stay
    update_rule rule = update_rule::adam;
    double l1 = 0;
    rate_schedule schedule = {};
    double huber_delta = 0;

    /// `y` is a vector, or (rows, outputs). Throws `error` as `mlp` does; `nan_or_inf` with the place of a target.
    [[nodiscard]] mlp_regressor_model<T> fit(const matrix_in<T>& x, const targets_in<T>& y, const fit_options& options) const {
        constexpr std::string_view who = mlp_regressor_model<T>::kind;
        const detail::mlp_plan<T> plan(*this, x, y, who);
        plan.require_outputs(static_cast<std::size_t>(y.cols()), who);
        const auto* const before = start.get();
        const auto targets = before == nullptr ? detail::value_targets<T>(y, options, who, plan.how)
                                               : detail::value_targets<T>(y, before->mean(), before->deviation(), who, plan.how);
        return {plan.learn(x, targets, options, who), targets.mean, targets.deviation};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
