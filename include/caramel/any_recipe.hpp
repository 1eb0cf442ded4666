#ifndef CARAMEL_ANY_RECIPE_HPP
#define CARAMEL_ANY_RECIPE_HPP

// Recipes of different types in one list: a logistic regression beside a network, for searches and comparisons.

#include <concepts>
#include <utility>

#include <caramel/any_model.hpp>
#include <caramel/core/callback.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A recipe with its type erased, which learns from an `In` and targets `Target` and gives an `any_model<In, Out>`:
/// `std::vector<any_recipe<table, std::vector<int>, matrix<float>>>{a | b, c | d}`. Such models are not saved: fit the
/// recipe that won under its own type for that. Copies share the recipe.
/// Throws what fitting throws; also `bad_parameter` where weights are given and no stage of the recipe uses them.
template <class In, class Target, class Out>
class any_recipe {
   public:
    using stage_concept = recipe_tag;
    static constexpr bool uses_weights = true;  // the recipe within says whether it does

    template <Recipe R>
        requires(!std::same_as<R, any_recipe> && requires(const R& recipe, const In& x, const Target& y) {
            { caramel::fit(recipe, x, y)(x) } -> std::convertible_to<Out>;
        })
    any_recipe(R recipe)  // NOLINT(google-explicit-constructor): erasing is the point
        : fit_([recipe = std::move(recipe)](const In& x, const Target& y, const fit_options& options) -> any_model<In, Out> {
              return caramel::fit(recipe, x, y, options);
          }) {}

    [[nodiscard]] any_model<In, Out> fit(const In& x, const Target& y, const fit_options& options) const { return fit_(x, y, options); }

   private:
    callback<any_model<In, Out>(const In&, const Target&, const fit_options&)> fit_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
