#ifndef CARAMEL_FEATURES_HISTORIES_HPP
#define CARAMEL_FEATURES_HISTORIES_HPP

// What customers bought, as features: their tastes, and the words of the products. For customers that a model was fitted
// on and for new ones alike, since both are worked out from the history alone.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
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
#include <caramel/core/workspace.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/features/bought_items.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// The distinct items of a history, as numbered in its list, so by ascending id, in the workspace. Rows without an item
// are left out.
template <class = void>
inline std::span<const bought_item> distinct_items(const history& x, std::size_t row, std::string_view who, workspace& scratch) {
    require(x.items != nullptr, errc::bad_parameter, who, ": the history does not say what its item numbers mean: set its items");
    const auto numbers = scratch.take<std::int32_t>(x.purchases.size());
    std::size_t n = 0;
    for (const transaction& t : x.purchases) {
        require_at(std::cmp_less(t.item, x.items->size()), errc::unknown_id, {.row = row}, who, ": customer ", row, " has an item number beyond the list of ",
                   x.items->size());
        if (t.item >= 0) numbers[n++] = t.item;
    }
    return distinct_numbers(numbers.first(n), scratch);
}

// Where a list's items stand in a model's table; -1 = nowhere.
template <class = void>
inline std::vector<std::int32_t> rows_in(const id_table& table, const item_catalog& items) {
    std::vector<std::int32_t> out;
    out.reserve(items.size());
    for (const auto& id : items.ids) {
        const auto row = table.find(std::string_view(id));
        out.push_back(row ? static_cast<std::int32_t>(*row) : -1);
    }
    return out;
}

template <class R>
struct scalar_of_recipe;
template <template <class> class R, class T>
struct scalar_of_recipe<R<T>> : std::type_identity<T> {};

}  // namespace detail

/// A customer's tastes: the factors that a matrix factorization gives to their history.
template <class Factorization>
class factors_of_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "factors_of";  // in saved files: never changes
    using T = typename std::remove_cvref_t<decltype(std::declval<const Factorization&>().item_factors())>::Scalar;

    explicit factors_of_model(Factorization tastes) : tastes_(std::move(tastes)) {}

    /// (customers) -> (customers, factors); zeros for a customer without any item that the factorization knows.
    /// Throws `error`: `bad_parameter` (a history without its list of items), `unknown_id` with the row.
    [[nodiscard]] matrix<T> operator()(const histories& x) const {
        const auto known = detail::rows_in(tastes_.items(), x.items());
        matrix<T> out(static_cast<row_index>(x.size()), tastes_.item_factors().cols());
        workspace scratch;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const workspace::frame frame(scratch);
            const auto factors = fold_in(x[i], i + 1, scratch, [&](std::int32_t item) { return known[static_cast<std::size_t>(item)]; });
            std::copy(factors.begin(), factors.end(), out.data() + i * static_cast<std::size_t>(out.cols()));
        }
        return out;
    }
    /// One customer, in the workspace; the same bits as in a batch.
    [[nodiscard]] std::span<const T> operator()(const history& x, workspace& scratch) const {
        const workspace::frame frame(scratch);
        return fold_in(x, 1, scratch, [&](std::int32_t item) {
            const auto row = tastes_.items().find(std::string_view(x.items->ids[static_cast<std::size_t>(item)]));
            return row ? static_cast<std::int32_t>(*row) : -1;
        });
    }

    [[nodiscard]] const Factorization& factorization() const noexcept { return tastes_; }
    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& = {}) const {
        std::vector<std::string> out;
        for (row_index k = 1; k <= tastes_.item_factors().cols(); ++k) out.push_back(detail::message("taste_", k));
        return out;
    }

    static constexpr std::array field_names{"tastes"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(tastes_); }

   private:
    template <class Find>
    std::span<const T> fold_in(const history& x, std::size_t row, workspace& scratch, const Find& find) const {
        const auto bought = detail::distinct_items(x, row, kind, scratch);
        const auto items = scratch.take<std::int32_t>(bought.size());
        const auto values = scratch.take<T>(bought.size());
        std::size_t n = 0;
        for (const auto& one : bought)
            if (const std::int32_t item = find(one.item); item >= 0) {
                items[n] = item;  // ascending: both lists are in the order of the ids
                values[n++] = static_cast<T>(one.rows);
            }
        return tastes_.fold_in(items.first(n), values.first(n), scratch);
    }
    Factorization tastes_;
};

/// Recipe for a `factors_of_model`: see `factors_of`.
template <class R>
struct factors_of_recipe {
    using stage_concept = recipe_tag;
    using T = typename detail::scalar_of_recipe<R>::type;

    R factorization = {};

    /// Fits the factorization to who bought what (a pair's value is the number of its rows) and forgets the customers.
    /// Throws `error`: `empty_input`, and what the factorization throws.
    [[nodiscard]] auto fit(const histories& x, const fit_options& options) const {
        return factors_of_model(factorization.fit(interactions_of<T>(x), options).without_customers());
    }
};

/// Taste factors as a stage of a chain over histories: `concat(rfm<float>{}, factors_of(als<float>{.n_factors = 16})) | ...`.
/// A customer's factors are folded in from their history, so training customers and new ones are described alike.
template <class R>
[[nodiscard]] factors_of_recipe<R> factors_of(R factorization) {
    return {std::move(factorization)};
}

/// The texts of what a customer bought: the mean over their distinct items of what a text model makes of the descriptions.
template <class Text, class T>
class bought_text_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "bought_text";  // in saved files: never changes

    /// `vectors` is (items, columns): what `text` makes of their descriptions. Throws `error` (`bad_data`).
    bought_text_model(Text text, id_table items, matrix<T> vectors) : text_(std::move(text)), items_(std::move(items)), vectors_(std::move(vectors)) {
        require(std::cmp_equal(vectors_.rows(), items_.size()) && vectors_.allFinite(), errc::bad_data, "bought_text: the vectors do not belong to the items");
    }

    /// (customers) -> (customers, columns). Items that were not there in training count by their descriptions; those without
    /// any are left out, and a customer without a described item becomes zeros.
    /// Throws `error`: `bad_parameter` (a history without its list of items), `unknown_id` with the row.
    [[nodiscard]] matrix<T> operator()(const histories& x) const {
        matrix<T> out(static_cast<row_index>(x.size()), vectors_.cols());
        workspace scratch;
        for (std::size_t i = 0; i < x.size(); ++i) describe(x[i], i + 1, scratch, {out.data() + i * static_cast<std::size_t>(out.cols()), static_cast<std::size_t>(out.cols())});
        return out;
    }
    /// One customer, in the workspace; the same bits as in a batch.
    [[nodiscard]] std::span<const T> operator()(const history& x, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto out = scratch.take<T>(static_cast<std::size_t>(vectors_.cols()));
        describe(x, 1, scratch, out);
        return out;
    }

    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& = {}) const {
        std::vector<std::string> out;
        for (row_index k = 1; k <= vectors_.cols(); ++k) out.push_back(detail::message("text_", k));
        return out;
    }

    static constexpr std::array field_names{"text", "items", "vectors"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(text_, items_, vectors_); }

   private:
    void describe(const history& x, std::size_t row, workspace& scratch, std::span<T> out) const {
        const workspace::frame frame(scratch);
        const auto bought = detail::distinct_items(x, row, kind, scratch);
        const auto sums = scratch.take<double>(out.size());
        std::fill(sums.begin(), sums.end(), 0.0);
        double n = 0;
        for (const auto& one : bought) {
            const auto number = static_cast<std::size_t>(one.item);
            const auto known = items_.find(std::string_view(x.items->ids[number]));
            if (!known && (number >= x.items->descriptions.size() || x.items->descriptions[number].empty())) continue;
            const workspace::frame words(scratch);
            const std::span<const T> vector = known ? row_of(vectors_, static_cast<row_index>(*known)) : text_(std::string_view(x.items->descriptions[number]), scratch);
            for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += static_cast<double>(vector[j]);
            ++n;
        }
        for (std::size_t j = 0; j < sums.size(); ++j) out[j] = n > 0 ? static_cast<T>(sums[j] / n) : T(0);
    }
    Text text_;
    id_table items_;
    matrix<T> vectors_;
};

/// Recipe for a `bought_text_model`: see `bought_text`.
template <class R>
struct bought_text_recipe {
    using stage_concept = recipe_tag;

    R text = {};

    /// Fits the text recipe to the descriptions of the items that these customers bought; those without one do not count.
    /// Throws `error`: `empty_input` (no description at all), and what the text recipe throws.
    [[nodiscard]] auto fit(const histories& x, const fit_options& options) const {
        std::vector<bool> bought(x.items().size());
        for (std::size_t row = 0; row < x.size(); ++row)
            for (const transaction& t : x[row].purchases)
                if (t.item >= 0) bought[static_cast<std::size_t>(t.item)] = true;
        std::vector<std::string> ids, descriptions;
        for (std::size_t item = 0; item < bought.size(); ++item)
            if (bought[item] && !x.items().descriptions[item].empty()) {
                ids.push_back(x.items().ids[item]);
                descriptions.push_back(x.items().descriptions[item]);
            }
        require(!ids.empty(), errc::empty_input, "bought_text: no item that these customers bought has a description");
        fit_options for_text = options;
        for_text.weights = {};  // they weigh customers
        auto model = caramel::fit(text, descriptions, for_text);
        auto vectors = model(descriptions);
        using T = typename decltype(vectors)::Scalar;
        return bought_text_model<decltype(model), T>(std::move(model), id_table(std::move(ids), {}), std::move(vectors));
    }
};

/// Product texts as a stage of a chain over histories: `bought_text(word_tokenizer{} | bag_of_embeddings<float>{.dim = 16})`.
template <class R>
[[nodiscard]] bought_text_recipe<R> bought_text(R text) {
    return {std::move(text)};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
