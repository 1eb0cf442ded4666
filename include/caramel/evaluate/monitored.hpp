#ifndef CARAMEL_EVALUATE_MONITORED_HPP
#define CARAMEL_EVALUATE_MONITORED_HPP

// A model that remembers what the table looked like that it learnt from, so that it can say whether a later one still does.

#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/rows.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/table.hpp>
#include <caramel/evaluate/drift.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A model over tables, and its training table in outline. Answers as the model does; saved as one.
template <class Model>
class monitored_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "monitored";  // in saved files: never changes

    monitored_model(Model model, drift_reference trained_on) : model_(std::move(model)), trained_on_(std::move(trained_on)) {}

    template <class In>
        requires Transformer<Model, In>
    [[nodiscard]] auto operator()(const In& in) const {
        return model_(in);
    }
    template <class Row>
        requires RowTransformer<Model, Row>
    [[nodiscard]] auto operator()(const Row& row, workspace& scratch) const {
        return model_(row, scratch);
    }

    [[nodiscard]] const Model& model() const noexcept { return model_; }
    [[nodiscard]] const drift_reference& trained_on() const noexcept { return trained_on_; }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& names) const
        requires detail::names_outputs<Model>
    {
        return model_.output_names(names);
    }

    static constexpr std::array field_names{"model", "trained_on"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(model_, trained_on_); }

   private:
    Model model_;
    drift_reference trained_on_;
};

/// How the watched columns of a later table differ from those that the model learnt from: see `drift`.
template <class Model>
[[nodiscard]] std::vector<column_drift> drift(const monitored_model<Model>& model, const table& now) {
    return drift(model.trained_on(), now);
}

/// Recipe for a `monitored_model`: see `monitored`.
template <class R>
struct monitored_recipe {
    using stage_concept = recipe_tag;
    using parts = std::tuple<R>;

    std::vector<std::string> watch;
    R recipe;

    /// Throws `error`: `missing_column`, `empty_input`, and what the recipe throws.
    template <class Y>
        requires(detail::Rows<Y> && !std::is_void_v<typename decltype(detail::fitted_type<R, table, Y>())::type>)
    [[nodiscard]] auto fit(const table& x, const Y& y, const fit_options& options) const {
        table watched;
        for (const auto& name : watch) watched.add_column(name, x.column(name));
        auto reference = drift_reference_of(watched);
        auto model = caramel::fit(recipe, x, y, options);
        return monitored_model<decltype(model)>(std::move(model), std::move(reference));
    }
};

/// A recipe over tables that also learns what the columns named in `watch` look like: `drift(model, later_table)` then tells
/// which of them have changed.
template <Recipe R>
[[nodiscard]] monitored_recipe<R> monitored(std::vector<std::string> watch, R recipe) {
    return {std::move(watch), std::move(recipe)};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
