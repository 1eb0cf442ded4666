#ifndef CARAMEL_RECOMMEND_ERASE_HPP
#define CARAMEL_RECOMMEND_ERASE_HPP

// A recommender that has never seen a customer, from one that has.

#include <concepts>
#include <span>

#include <caramel/core/progress.hpp>
#include <caramel/data/erase.hpp>
#include <caramel/data/interactions.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// Recipes that learn `Model` from nothing but what it keeps. (Features of customers and items are not in it.)
template <class Recipe, class Model>
concept Refits = requires(const Recipe& recipe, const Model& model, const fit_options& options) {
    { recipe.fit(model.purchases(), options) } -> std::same_as<Model>;
} && !requires(const Model& model) { model.customer_feature_factors(); };

}  // namespace detail

/// A model with the bits of one that never saw these customers. Recommenders keep what they learnt from, so the recipe learns
/// it again, without them and without the items that only they had. The recipe and the options must be those of the first fit,
/// which the model does not know; a recipe that starts from an older model starts from what that one saw. One fit: there is no
/// short cut, since taking a customer out of sums that were rounded leaves traces in the last bits, and in factors everywhere.
/// Throws `error`: `unknown_id` where a customer is not in the model; what the recipe throws, such as `bad_data` where it needs
/// the times of purchases, which models do not keep: then erase in the data and fit.
template <class Recipe, class Model>
    requires detail::Refits<Recipe, Model>
[[nodiscard]] Model erase_customers(const Recipe& recipe, const Model& model, std::span<const any_id> customers, const fit_options& options = {},
                                    erased_items items = erased_items::drop) {
    return recipe.fit(erase_customers(model.purchases(), customers, items), options);
}
/// The same for one customer.
template <class Recipe, class Model>
    requires detail::Refits<Recipe, Model>
[[nodiscard]] Model erase_customer(const Recipe& recipe, const Model& model, const any_id& customer, const fit_options& options = {},
                                   erased_items items = erased_items::drop) {
    return erase_customers(recipe, model, std::span(&customer, 1), options, items);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
