#ifndef CARAMEL_RECOMMEND_RATING_MODEL_HPP
#define CARAMEL_RECOMMEND_RATING_MODEL_HPP

// What the models of ratings have in common: predictions for ids, known or not, within bounds; biases; pairs of rows.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How biases are learnt: `epochs` times all items' and then all customers' minimisers of
///
///     sum over ratings of (rating - mean - b_u - b_i)^2  +  customer_regularization sum b_u^2  +  item_regularization sum b_i^2
///
/// where the other side's are held, from 0 (Koren, TKDD 4(1), 2010, section 2.2, iterated).
struct bias_settings {
    std::size_t epochs = 10;              ///< 1 .. 1,000,000
    double customer_regularization = 15;  ///< at least 0; infinite: customers have no biases
    double item_regularization = 10;      ///< at least 0; infinite: items have no biases

    friend bool operator==(const bias_settings&, const bias_settings&) = default;
    static constexpr std::array field_names{"epochs", "customer_regularization", "item_regularization"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(epochs, customer_regularization, item_regularization); }
};

namespace detail {

/// Common to the models of ratings. Beside what `recommender` asks for, a model says
/// `predict_rows(customer, item, scratch)`, each a row or nothing where the id was not in the training data.
template <class Model, class T>
class rating_recommender : public recommender<Model, T> {
   public:
    /// What the customer would say of the item, within `min_rating()` .. `max_rating()`, for ids known or not.
    /// Throws `error`: `unknown_id` where ids are texts and an integer is given, or the other way round;
    /// `number_out_of_range` where the prediction is beyond T.
    [[nodiscard]] T predict(const any_id& customer, const any_id& item) const {
        workspace scratch;
        return within_bounds(find(this->customers(), customer, "customer"), find(this->items(), item, "item"), 0, scratch);
    }
    /// A batch, for columns of equal length: entry i has the bits of the pair alone.
    /// Throws `error` as for one (with the row), `shape_mismatch`, and `missing_value` with the row of an empty id.
    [[nodiscard]] std::vector<T> predict(const id_column& wanted_customers, const id_column& wanted_items) const {
        require(wanted_customers.size() == wanted_items.size(), errc::shape_mismatch, Model::kind, ": ", wanted_customers.size(), " customers but ",
                wanted_items.size(), " items");
        workspace scratch;
        std::vector<T> out(wanted_customers.size());
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = within_bounds(find(this->customers(), wanted_customers, i, "customer"), find(this->items(), wanted_items, i, "item"), i + 1, scratch);
        return out;
    }
    [[nodiscard]] double min_rating() const noexcept { return min_rating_; }
    [[nodiscard]] double max_rating() const noexcept { return max_rating_; }

   protected:
    rating_recommender(interactions<T> ratings, double min_rating, double max_rating)
        : recommender<Model, T>(std::move(ratings)), min_rating_(min_rating), max_rating_(max_rating) {
        require(min_rating_ < max_rating_, errc::bad_data, Model::kind, ": min_rating is not below max_rating");
    }

    double min_rating_, max_rating_;

   private:
    // Ids of the wrong kind would all be unknown, and every answer plausible.
    static std::optional<std::size_t> find(const id_table& table, const any_id& id, std::string_view what) {
        if (id.row() == nullptr) require_kind(table, id.text() != nullptr, what);
        return table.find(id);
    }
    static std::optional<std::size_t> find(const id_table& table, const id_column& ids, std::size_t entry, std::string_view what) {
        require_kind(table, ids.is_text(), what);
        const std::size_t level = ids.level_of(entry, what);
        return ids.is_text() ? table.find(ids.text(level)) : table.find(ids.number(level));
    }
    static void require_kind(const id_table& table, bool is_text, std::string_view what) {
        require(table.is_text() == is_text, errc::unknown_id, Model::kind, ": the ids of the ", what, "s are ",
                table.is_text() ? "texts, not integers" : "integers, not texts");
    }
    [[nodiscard]] T within_bounds(std::optional<std::size_t> customer, std::optional<std::size_t> item, std::size_t row, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const T rating = static_cast<const Model&>(*this).predict_rows(customer, item, scratch);
        require_at(std::isfinite(rating), errc::number_out_of_range, {.row = row}, Model::kind, ": a prediction is beyond the number type");
        return static_cast<T>(std::clamp(static_cast<double>(rating), min_rating_, max_rating_));
    }
};

template <class = void>
inline void require_rating_bounds(double min_rating, double max_rating, std::string_view who) {
    require(min_rating < max_rating, errc::bad_parameter, who, ": min_rating is ", min_rating, ", must be below max_rating, ", max_rating);
}

// ---- biases -------------------------------------------------------------------------------------------------------------
template <class = void>
inline void require_bias_settings(const bias_settings& settings, std::string_view who, errc code) {
    const auto& [epochs, customers, items] = settings;
    require(epochs >= 1 && epochs <= 1'000'000, code, who, ": epochs is ", epochs, ", must be in 1 .. 1000000");
    require(customers >= 0, code, who, ": customer_regularization is ", customers, ", must be at least 0");
    require(items >= 0, code, who, ": item_regularization is ", items, ", must be at least 0");
}

// Checked: ratings of any sign whose sum is within double.
template <class T>
double mean_rating(const interactions<T>& x, std::string_view who) {
    double sum = 0;
    for (const T value : x.by_customer().values) sum += static_cast<double>(value);
    require(std::isfinite(sum), errc::number_out_of_range, who, ": the ratings add up beyond double; scale them down");
    return x.empty() ? 0 : sum / static_cast<double>(x.pairs());
}
template <class T>
double mean_of(std::span<const T> values) noexcept {
    double sum = 0;
    for (const T value : values) sum += static_cast<double>(value);
    return sum / static_cast<double>(values.size());
}

// The bias of one row, where those of the other side are given; 0 without ratings.
template <class T>
T bias_of(std::span<const std::int32_t> others, std::span<const T> ratings, double mean, const vec<T>& biases_of_others, double regularization) noexcept {
    if (others.empty()) return 0;
    double sum = 0;
    for (std::size_t k = 0; k < others.size(); ++k) sum += (static_cast<double>(ratings[k]) - mean) - static_cast<double>(biases_of_others(others[k]));
    return static_cast<T>(sum / (regularization + static_cast<double>(others.size())));
}

template <class T>
struct rating_biases {
    vec<T> customers, items;
};
template <class T>
rating_biases<T> learn_biases(const interactions<T>& x, double mean, const bias_settings& settings, const run_options& how, std::string_view who) {
    const auto by_item = x.by_item();
    rating_biases<T> out{vec<T>::Zero(static_cast<row_index>(x.rows())), vec<T>::Zero(static_cast<row_index>(x.items().size()))};
    const auto half_step = [&](const sparse_rows<T>& rows, const vec<T>& others, double regularization, vec<T>& biases) {
        parallel_blocks(rows.size(), 1024, how, [&](std::size_t begin, std::size_t end, std::size_t) {
            for (std::size_t row = begin; row < end; ++row)
                biases(static_cast<row_index>(row)) = bias_of(rows.ids_of(row), rows.values_of(row), mean, others, regularization);
        });
    };
    for (std::size_t epoch = 0; epoch < settings.epochs; ++epoch) {
        half_step(by_item.view(), out.customers, settings.item_regularization, out.items);
        half_step(x.by_customer(), out.items, settings.customer_regularization, out.customers);
    }
    require(out.customers.allFinite() && out.items.allFinite(), errc::number_out_of_range, who, ": a bias is beyond the number type; scale the ratings down");
    return out;
}

// ---- pairs of rows with columns in common -------------------------------------------------------------------------------
/// For each row, other rows by ascending id, each with a number.
template <class T>
struct rating_lists {
    std::vector<std::int64_t> starts{0};
    std::vector<std::int32_t> ids;
    std::vector<T> values;
    std::vector<std::int32_t> counts;  // of common columns, where they were asked for

    [[nodiscard]] sparse_rows<T> view() const noexcept { return {starts, ids, values, starts.size() - 1}; }
};
template <class = void>
inline void require_pair_lists(std::span<const std::int64_t> starts, std::span<const std::int32_t> ids, std::size_t n_values, std::size_t rows,
                               std::string_view who) {
    bool good = starts.size() == rows + 1 && starts.front() == 0 && starts.back() == static_cast<std::int64_t>(ids.size()) &&
                std::is_sorted(starts.begin(), starts.end()) && n_values == ids.size();
    for (std::size_t row = 0; good && row < rows; ++row)
        for (auto k = static_cast<std::size_t>(starts[row]); k < static_cast<std::size_t>(starts[row + 1]); ++k)
            good = good && ids[k] >= 0 && std::cmp_less(ids[k], rows) && (k == static_cast<std::size_t>(starts[row]) || ids[k - 1] < ids[k]);
    require(good, errc::bad_data, who, ": the lists of pairs do not belong to the ratings");
}

// Adds each pair of ratings that a row (ids, ratings) and another row have in common columns to that row's `Sums`: by
// ascending column. `sums` holds a `Sums{}` for each row, before and after, and `touched` has room for all rows;
// `visit(other, sums of it)` by ascending row. `value(row, column, rating)` is what is compared; `mine(column, rating)` is
// that of the row itself.
template <class Sums, class T, class Mine, class Value, class Visit>
void sum_common(std::span<const std::int32_t> ids, std::span<const T> ratings, const sparse_rows<T>& by_column, std::span<Sums> sums,
                std::span<std::int32_t> touched, const Mine& mine, const Value& value, const Visit& visit) {
    std::size_t n = 0;
    for (std::size_t k = 0; k < ids.size(); ++k) {
        const auto column = static_cast<std::size_t>(ids[k]);
        const double a = mine(column, static_cast<double>(ratings[k]));
        const auto others = by_column.ids_of(column);
        const auto values = by_column.values_of(column);
        for (std::size_t o = 0; o < others.size(); ++o) {
            Sums& sum = sums[static_cast<std::size_t>(others[o])];
            if (sum.n == 0) touched[n++] = others[o];
            sum.n += 1;
            sum.add(a, value(static_cast<std::size_t>(others[o]), column, static_cast<double>(values[o])));
        }
    }
    std::sort(touched.begin(), touched.begin() + static_cast<std::ptrdiff_t>(n));
    for (const auto other : touched.first(n)) {
        visit(other, sums[static_cast<std::size_t>(other)]);
        sums[static_cast<std::size_t>(other)] = Sums{};
    }
}

// The lists of all rows: the pairs for which `finish(row, other, sums)` gives a number; at most `keep` a row, those with the
// largest numbers, ties to the lower row (0 = all).
template <class Sums, class T, class Value, class Finish>
rating_lists<T> lists_of_pairs(const sparse_rows<T>& rows, const sparse_rows<T>& by_column, std::size_t keep, bool with_counts, const run_options& how,
                             const Value& value, const Finish& finish) {
    struct entry {
        std::int32_t id, n;
        T value;
    };
    constexpr std::size_t block = 64;
    std::vector<rating_lists<T>> parts((rows.size() + block - 1) / block);
    parallel_blocks(rows.size(), block, how, [&](std::size_t begin, std::size_t end, std::size_t b) {
        std::vector<Sums> sums(rows.size());
        std::vector<std::int32_t> touched(rows.size());
        std::vector<entry> found;
        auto& part = parts[b];
        for (std::size_t row = begin; row < end; ++row) {
            found.clear();
            sum_common<Sums, T>(
                rows.ids_of(row), rows.values_of(row), by_column, sums, touched, [&](std::size_t column, double rating) { return value(row, column, rating); },
                value,
                [&](std::int32_t other, const Sums& sum) {
                    if (std::cmp_equal(other, row)) return;
                    if (const std::optional<double> number = finish(row, static_cast<std::size_t>(other), sum))
                        found.push_back({other, static_cast<std::int32_t>(sum.n), static_cast<T>(*number)});
                });
            if (keep != 0 && found.size() > keep) {
                std::ranges::nth_element(found, found.begin() + static_cast<std::ptrdiff_t>(keep),
                                         [](const entry& x, const entry& y) { return x.value > y.value || (x.value == y.value && x.id < y.id); });
                found.resize(keep);
                std::ranges::sort(found, {}, &entry::id);
            }
            for (const auto& e : found) {
                part.ids.push_back(e.id);
                part.values.push_back(e.value);
                if (with_counts) part.counts.push_back(e.n);
            }
            part.starts.push_back(static_cast<std::int64_t>(part.ids.size()));
        }
    });
    rating_lists<T> out;
    for (const auto& part : parts) {
        const auto before = static_cast<std::int64_t>(out.ids.size());
        for (std::size_t row = 1; row < part.starts.size(); ++row) out.starts.push_back(before + part.starts[row]);
        out.ids.insert(out.ids.end(), part.ids.begin(), part.ids.end());
        out.values.insert(out.values.end(), part.values.begin(), part.values.end());
        out.counts.insert(out.counts.end(), part.counts.begin(), part.counts.end());
    }
    return out;
}

// Calls `visit(i, j)` for each a[i] == b[j], ascending, of two ascending lists.
template <class Visit>
void each_common(std::span<const std::int32_t> a, std::span<const std::int32_t> b, const Visit& visit) {
    const bool swapped = a.size() > b.size();
    if (swapped) std::swap(a, b);
    std::size_t at = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        at = static_cast<std::size_t>(std::lower_bound(b.begin() + static_cast<std::ptrdiff_t>(at), b.end(), a[i]) - b.begin());
        if (at == b.size()) return;
        if (b[at] == a[i]) visit(swapped ? at : i, swapped ? i : at);
    }
}

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
