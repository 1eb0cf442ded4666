#ifndef CARAMEL_RECOMMEND_SIMILAR_HPP
#define CARAMEL_RECOMMEND_SIMILAR_HPP

// Which items, and which customers, are alike.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// The cosine of two rows of factors; nothing where one is all zeros. `square`: of the first one's length.
template <class T>
double square_of(std::span<const T> a) noexcept {
    double sum = 0;
    for (const T x : a) sum += static_cast<double>(x) * static_cast<double>(x);
    return sum;
}
template <class T>
std::optional<double> cosine_of(std::span<const T> a, double square, std::span<const T> b) noexcept {
    double dot = 0, other = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
        const double y = static_cast<double>(b[k]);
        dot += static_cast<double>(a[k]) * y;
        other += y * y;
    }
    if (!(square > 0 && other > 0)) return std::nullopt;
    return dot / (std::sqrt(square) * std::sqrt(other));
}

template <class T>
std::vector<recommendation<T>> best_others(std::vector<recommendation<T>> all, std::size_t self, std::size_t n) {
    std::erase_if(all, [self](const auto& one) { return std::cmp_equal(one.item, self); });
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(n, all.size()));
    std::partial_sort(all.begin(), end, all.end(), ranks_before{});
    all.erase(end, all.end());
    return all;
}
// Cosines of the rows of factors; a row of zeros is like nothing.
template <class T>
std::vector<recommendation<T>> similar_factors(const matrix<T>& rows, std::size_t self, std::size_t n) {
    std::vector<recommendation<T>> all;
    const auto mine = row_of(rows, static_cast<row_index>(self));
    const double square = square_of(mine);
    for (row_index row = 0; row < rows.rows(); ++row)
        if (const auto alike = cosine_of(mine, square, row_of(rows, row))) all.push_back({static_cast<std::int32_t>(row), static_cast<T>(*alike)});
    return best_others(std::move(all), self, n);
}
template <class T, class Model>
std::vector<recommendation<T>> similar_neighbors(const Model& model, std::size_t self, std::size_t n) {
    std::vector<recommendation<T>> all;
    const auto ids = model.neighbors_of(self);
    const auto similarities = model.similarities_of(self);
    for (std::size_t k = 0; k < ids.size(); ++k) all.push_back({ids[k], static_cast<T>(similarities[k])});
    return best_others(std::move(all), self, n);
}
// Cosines between who bought (what was bought by) `self` and each other, without values.
template <class T>
std::vector<recommendation<T>> similar_purchases(const sparse_rows<T>& rows, std::span<const std::int32_t> partners, const sparse_rows<T>& turned,
                                                 std::size_t self, std::size_t n) {
    std::vector<std::size_t> common(rows.size());
    for (const auto partner : partners)
        for (const auto other : turned.ids_of(static_cast<std::size_t>(partner))) ++common[static_cast<std::size_t>(other)];
    std::vector<recommendation<T>> all;
    for (std::size_t row = 0; row < common.size(); ++row) {
        if (common[row] == 0) continue;
        const double lengths = std::sqrt(static_cast<double>(partners.size()) * static_cast<double>(rows.count(row)));
        all.push_back({static_cast<std::int32_t>(row), static_cast<T>(static_cast<double>(common[row]) / lengths)});
    }
    return best_others(std::move(all), self, n);
}

}  // namespace detail

/// The n items most like one, most similar first, ties to the lower row. By the model's own measure, where it has one:
/// the cosine of the factors (`item_factors()`), or the neighbours that `item_neighbors` keeps (at most its k); otherwise by
/// the cosine of the sets of customers who bought them, which takes a pass over the purchases. Items without a similarity
/// (no factors, no common customer) are not listed.
/// Throws `error` (`unknown_id`).
template <class Model>
[[nodiscard]] auto similar_items(const Model& model, const any_id& item, std::size_t n = 10) {
    using T = typename std::remove_cvref_t<decltype(model.purchases())>::value_type;
    const std::size_t row = model.items().row_of(item);
    if constexpr (requires { model.item_factors(); }) {
        return detail::similar_factors<T>(model.item_factors(), row, n);
    } else if constexpr (Model::kind == std::string_view("item_neighbors")) {
        return detail::similar_neighbors<T>(model, row, n);
    } else {
        const auto turned = model.purchases().by_item();
        return detail::similar_purchases<T>(turned.view(), turned.view().ids_of(row), model.purchases().by_customer(), row, n);
    }
}

/// The n customers most like one: the same the other way round (`customer_factors()`, `customer_neighbors`).
template <class Model>
[[nodiscard]] auto similar_customers(const Model& model, const any_id& customer, std::size_t n = 10) {
    using T = typename std::remove_cvref_t<decltype(model.purchases())>::value_type;
    const std::size_t row = model.customers().row_of(customer);
    if constexpr (requires { model.customer_factors(); }) {
        return detail::similar_factors<T>(model.customer_factors(), row, n);
    } else if constexpr (Model::kind == std::string_view("customer_neighbors")) {
        return detail::similar_neighbors<T>(model, row, n);
    } else {
        const auto turned = model.purchases().by_item();
        return detail::similar_purchases<T>(model.purchases().by_customer(), model.purchases()[row].items, turned.view(), row, n);
    }
}

/// How alike two items are, by their rows, for `diversify`: the cosine of a model's item factors, 0 where one has none. It refers to them: the
/// model must outlive it.
template <class T>
class item_cosine {
   public:
    explicit item_cosine(const matrix<T>& item_factors) : factors_(&item_factors) {}
    [[nodiscard]] double operator()(std::int32_t a, std::int32_t b) const noexcept {
        const auto first = row_of(*factors_, static_cast<row_index>(a));
        return detail::cosine_of(first, detail::square_of(first), row_of(*factors_, static_cast<row_index>(b))).value_or(0);
    }

   private:
    const matrix<T>* factors_;
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
