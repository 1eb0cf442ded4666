#ifndef CARAMEL_RECOMMEND_FEATURE_FACTORIZATION_HPP
#define CARAMEL_RECOMMEND_FEATURE_FACTORIZATION_HPP

// Factors of customers and items as sums of the factors of their features, so that new customers and items have some, too.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/pairwise.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Purchases and what is known of customers and items: row r of `customer_features` is of row r of `purchases.customers()`,
/// and likewise for items (see `rows_by_id`). A side without features is left out.
template <class T>
struct featured_interactions {
    interactions<T> purchases;
    sparse_matrix<T> customer_features = {};
    sparse_matrix<T> item_features = {};
};

/// The rows of `features`, of which row i belongs to entry i of `ids`, in the order of a table of ids. An id of the table that
/// `ids` does not have gets a row of zeros; ids that the table does not have are left out.
/// Throws `error`: `shape_mismatch`; `missing_value` and `bad_data` (an id twice, a code without a level) with the entry's row;
/// `unknown_id` where one has texts and the other integers.
template <class T>
[[nodiscard]] sparse_matrix<T> rows_by_id(const id_table& table, const id_column& ids, const sparse_matrix<T>& features) {
    require(std::cmp_equal(ids.size(), features.rows()), errc::shape_mismatch, "rows_by_id: ", ids.size(), " ids but ", features.rows(), " rows of features");
    require(table.size() == 0 || ids.size() == 0 || table.is_text() == ids.is_text(), errc::unknown_id, "rows_by_id: the ids are ",
            ids.is_text() ? "texts, those of the table integers" : "integers, those of the table texts");
    constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::vector<std::size_t> from(table.size(), none);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const std::size_t level = ids.level_of(i, "id");
        const auto row = ids.is_text() ? table.find(ids.text(level)) : table.find(ids.number(level));
        if (!row) continue;
        require_at(from[*row] == none, errc::bad_data, {.row = i + 1}, "rows_by_id: entry ", i + 1, " repeats an id");
        from[*row] = i;
    }
    sparse_matrix<T> out(static_cast<std::size_t>(features.cols()));
    for (const std::size_t i : from) {
        if (i == none) out.append_row({}, {});
        else out.append_row(features[i]);
    }
    return out;
}

namespace detail {

// The rows of a table of factors that make up each customer or item, and how much each counts: its own (if it has one), then
// those of its features, which stand behind all own rows.
template <class T>
class feature_parts {
   public:
    feature_parts(std::size_t entities, bool own, const sparse_matrix<T>& features) : first_feature_(own ? entities : 0), starts_{0} {
        for (std::size_t e = 0; e < entities; ++e) {
            if (own) add(e, T(1));
            if (features.cols() > 0) {
                const auto row = features[e];
                for (std::size_t k = 0; k < row.columns.size(); ++k)
                    if (row.values[k] != T(0)) add(first_feature_ + static_cast<std::size_t>(row.columns[k]), row.values[k]);
            }
            starts_.push_back(rows_.size());
        }
        table_rows_ = first_feature_ + static_cast<std::size_t>(features.cols());
    }
    [[nodiscard]] std::size_t entities() const noexcept { return starts_.size() - 1; }
    [[nodiscard]] std::size_t table_rows() const noexcept { return table_rows_; }
    [[nodiscard]] std::size_t first_feature() const noexcept { return first_feature_; }
    template <class Visit>
    void each(std::size_t entity, const Visit& visit) const {
        for (std::size_t k = starts_[entity]; k < starts_[entity + 1]; ++k) visit(rows_[k], values_[k]);
    }

   private:
    void add(std::size_t row, T value) {
        rows_.push_back(row);
        values_.push_back(value);
    }
    std::size_t first_feature_, table_rows_ = 0;
    std::vector<std::size_t> starts_, rows_;
    std::vector<T> values_;
};

// What `pair_pass` steps on where rows are sums. On one thread: customers share features.
template <class T>
class feature_rows {
   public:
    using state = typename pair_rows<T>::state;  // rows of the tables of factors

    feature_rows(state first, const feature_parts<T>& customers, const feature_parts<T>& items)
        : now(std::move(first)), customers_(customers), items_(items), width_(static_cast<std::size_t>(now.items.cols())), p_(width_), q_(width_), r_(width_) {}

    void prefetch(std::int32_t, std::int32_t) const noexcept {}
    T score(std::int32_t customer, std::int32_t item) {
        sum_customer(customer);
        sum_item(item, other_, r_, other_bias_);
        return other_bias_ + pair_dot<false, T>(p_.data(), r_.data(), nullptr, width_);
    }
    T margin(std::int32_t customer, std::int32_t item, std::int32_t other) {
        sum_customer(customer);
        sum_item(item, bought_, q_, bought_bias_);
        sum_item(other, other_, r_, other_bias_);
        return bought_bias_ - other_bias_ + pair_dot<true>(p_.data(), q_.data(), r_.data(), width_);
    }
    void step(std::int32_t customer, std::int32_t item, std::int32_t other, T up, T down, T keep) {
        (void)margin(customer, item, other);  // all sums are there
        customers_.each(static_cast<std::size_t>(customer), [&](std::size_t row, T value) {
            T* const e = now.customers.data() + row * width_;
            for (std::size_t j = 0; j < width_; ++j) e[j] = keep * e[j] + value * (up * q_[j] - down * r_[j]);
        });
        step_item(item, up, keep);
        step_item(other, -down, keep);
        customer_ = bought_ = other_ = -1;
    }
    [[nodiscard]] bool all_finite() const { return now.customers.allFinite() && now.items.allFinite() && now.bias.allFinite(); }

    // A row of factors for each customer and item.
    [[nodiscard]] pair_rows<T> by_id() const {
        state out{matrix<T>::Zero(static_cast<row_index>(customers_.entities()), now.customers.cols()),
                  matrix<T>::Zero(static_cast<row_index>(items_.entities()), now.items.cols()), vec<T>::Zero(static_cast<row_index>(items_.entities()))};
        for (std::size_t c = 0; c < customers_.entities(); ++c) add_up(customers_, c, now.customers, out.customers.data() + c * width_);
        for (std::size_t i = 0; i < items_.entities(); ++i) {
            add_up(items_, i, now.items, out.items.data() + i * width_);
            items_.each(i, [&](std::size_t row, T value) { out.bias.data()[i] += value * now.bias.data()[row]; });
        }
        return pair_rows<T>(std::move(out));
    }

    state now;

   private:
    void add_up(const feature_parts<T>& parts, std::size_t entity, const matrix<T>& table, T* out) const {
        parts.each(entity, [&](std::size_t row, T value) {
            const T* const e = table.data() + row * width_;
            for (std::size_t j = 0; j < width_; ++j) out[j] += value * e[j];
        });
    }
    void sum_customer(std::int32_t customer) {
        if (customer_ == customer) return;
        std::fill(p_.begin(), p_.end(), T(0));
        add_up(customers_, static_cast<std::size_t>(customer), now.customers, p_.data());
        customer_ = customer;
    }
    void sum_item(std::int32_t item, std::int32_t& held, std::vector<T>& factors, T& bias) {
        if (held == item) return;
        std::fill(factors.begin(), factors.end(), T(0));
        bias = 0;
        add_up(items_, static_cast<std::size_t>(item), now.items, factors.data());
        items_.each(static_cast<std::size_t>(item), [&](std::size_t row, T value) { bias += value * now.bias.data()[row]; });
        held = item;
    }
    void step_item(std::int32_t item, T by, T keep) {
        items_.each(static_cast<std::size_t>(item), [&](std::size_t row, T value) {
            T* const e = now.items.data() + row * width_;
            for (std::size_t j = 0; j < width_; ++j) e[j] = keep * e[j] + value * (by * p_[j]);
            T& b = now.bias.data()[row];
            b = keep * b + value * by;
        });
    }

    const feature_parts<T>& customers_;
    const feature_parts<T>& items_;
    std::size_t width_;
    std::vector<T> p_, q_, r_;  // sums of the customer, of the bought and of the other item that these say
    std::int32_t customer_ = -1, bought_ = -1, other_ = -1;
    T bought_bias_ = 0, other_bias_ = 0;
};

// A table of ids with more of them, and the new row of each old one and of each new one.
struct longer_table {
    id_table table;
    std::vector<std::size_t> old_rows, new_rows;
};
template <class Ids>
longer_table lengthen(const id_table& old, const Ids& ids, std::string_view who) {
    require(old.size() == 0 || ids.size() == 0 || old.is_text() == ids.is_text(), errc::unknown_id, who, ": the new ids are ",
            ids.is_text() ? "texts, those learnt integers" : "integers, those learnt texts");
    std::vector<std::string> texts;
    std::vector<std::int64_t> integers;
    for (std::size_t row = 0; row < old.size(); ++row) {
        if (old.is_text()) texts.emplace_back(old.text(row));
        else integers.push_back(old.number(row));
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const std::size_t level = ids.level_of(i, "id");
        if (ids.is_text()) texts.emplace_back(ids.text(level));
        else integers.push_back(ids.number(level));
    }
    std::sort(texts.begin(), texts.end());
    std::sort(integers.begin(), integers.end());
    require(std::adjacent_find(texts.begin(), texts.end()) == texts.end() && std::adjacent_find(integers.begin(), integers.end()) == integers.end(),
            errc::bad_data, who, ": a new id is there already, or is given twice");
    longer_table out{id_table(std::move(texts), std::move(integers)), {}, {}};
    for (std::size_t row = 0; row < old.size(); ++row)
        out.old_rows.push_back(old.is_text() ? *out.table.find(old.text(row)) : *out.table.find(old.number(row)));
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const std::size_t level = ids.level_of(i, "id");
        out.new_rows.push_back(ids.is_text() ? *out.table.find(ids.text(level)) : *out.table.find(ids.number(level)));
    }
    return out;
}

}  // namespace detail

/// Factors of customers and items and a bias of each item, where each is the sum of those of its features (and of its own):
/// score = bias + customer . item (Kula, CBRecSys 2015). See `query` for what can be asked; a history in a query is folded in
/// as for `pairwise_model`. Customers and items that come later get their factors from their features: `with_customers` and
/// `with_items` give a model that knows them.
template <class T>
class feature_factorization_model : public detail::recommender<feature_factorization_model<T>, T> {
   public:
    static constexpr std::string_view kind = "feature_factorization";

    /// Factors and biases of customers (customers, n_factors) and items, summed up, and those of the features alone:
    /// (features, n_factors) and (features). Throws `error` (`bad_data`) on fields that do not belong together.
    feature_factorization_model(interactions<T> purchases, matrix<T> customer_factors, matrix<T> item_factors, vec<T> item_bias,
                                matrix<T> customer_feature_factors, matrix<T> item_feature_factors, vec<T> item_feature_bias, pairwise_steps steps)
        : base(std::move(purchases)),
          customer_factors_(std::move(customer_factors)),
          item_factors_(std::move(item_factors)),
          item_bias_(std::move(item_bias)),
          customer_feature_factors_(std::move(customer_feature_factors)),
          item_feature_factors_(std::move(item_feature_factors)),
          item_feature_bias_(std::move(item_feature_bias)),
          steps_(steps),
          draw_(detail::draw_of_all<T>(base::items().size(), steps.negatives, base::customers_of())),
          ranks_(base::items().size()) {
        detail::require_pairwise_steps(steps_, errc::bad_data, kind);
        const auto k = item_factors_.cols();
        require(std::cmp_equal(customer_factors_.rows(), base::customers().size()) && std::cmp_equal(item_factors_.rows(), base::items().size()) &&
                    item_bias_.size() == item_factors_.rows() && customer_factors_.cols() == k && customer_feature_factors_.cols() == k &&
                    item_feature_factors_.cols() == k && item_feature_bias_.size() == item_feature_factors_.rows() && customer_factors_.allFinite() &&
                    item_factors_.allFinite() && item_bias_.allFinite() && customer_feature_factors_.allFinite() && item_feature_factors_.allFinite() &&
                    item_feature_bias_.allFinite(),
                errc::bad_data, "feature_factorization: purchases, factors and biases do not belong together");
    }

    /// (customers, n_factors)
    [[nodiscard]] const matrix<T>& customer_factors() const noexcept { return customer_factors_; }
    /// (items, n_factors)
    [[nodiscard]] const matrix<T>& item_factors() const noexcept { return item_factors_; }
    [[nodiscard]] const vec<T>& item_bias() const noexcept { return item_bias_; }
    /// (features of customers, n_factors)
    [[nodiscard]] const matrix<T>& customer_feature_factors() const noexcept { return customer_feature_factors_; }
    /// (features of items, n_factors)
    [[nodiscard]] const matrix<T>& item_feature_factors() const noexcept { return item_feature_factors_; }
    [[nodiscard]] const vec<T>& item_feature_bias() const noexcept { return item_feature_bias_; }
    [[nodiscard]] const pairwise_steps& steps() const noexcept { return steps_; }

    /// The same model, which also knows these items by their features, row i of `features` being of entry i of `ids`.
    /// Rows of `items()` change: the ids stay in ascending order. Throws `error`: `shape_mismatch`; `missing_value`;
    /// `unknown_id` (texts where there are integers); `bad_data` (an id that is there already, or twice); `number_out_of_range`.
    [[nodiscard]] feature_factorization_model with_items(const id_column& ids, const sparse_matrix<T>& features) const {
        require_features(ids, features, item_feature_factors_, "items");
        auto longer = detail::lengthen(base::items(), ids, kind);
        const auto n = static_cast<row_index>(longer.table.size());
        matrix<T> factors = matrix<T>::Zero(n, item_factors_.cols());
        vec<T> bias = vec<T>::Zero(n);
        for (std::size_t row = 0; row < longer.old_rows.size(); ++row) {
            const auto to = static_cast<row_index>(longer.old_rows[row]), from = static_cast<row_index>(row);
            factors.row(to) = item_factors_.row(from);
            bias(to) = item_bias_(from);
        }
        for (std::size_t i = 0; i < longer.new_rows.size(); ++i) {
            const auto to = static_cast<row_index>(longer.new_rows[i]);
            const auto row = features[i];
            for (std::size_t k = 0; k < row.columns.size(); ++k) {
                factors.row(to) += row.values[k] * item_feature_factors_.row(row.columns[k]);
                bias(to) += row.values[k] * item_feature_bias_(row.columns[k]);
            }
        }
        require(factors.allFinite() && bias.allFinite(), errc::number_out_of_range, kind, ": the factors of a new item are beyond the number type");
        std::vector<std::int64_t> starts{0};
        std::vector<std::int32_t> bought;
        std::vector<T> values;
        for (std::size_t row = 0; row < base::purchases().rows(); ++row) {
            const auto mine = base::purchases()[row];
            for (const std::int32_t item : mine.items) bought.push_back(static_cast<std::int32_t>(longer.old_rows[static_cast<std::size_t>(item)]));
            values.insert(values.end(), mine.values.begin(), mine.values.end());
            starts.push_back(static_cast<std::int64_t>(bought.size()));
        }
        return {interactions<T>(base::customers(), std::move(longer.table), std::move(starts), std::move(bought), std::move(values), {}),
                customer_factors_,
                std::move(factors),
                std::move(bias),
                customer_feature_factors_,
                item_feature_factors_,
                item_feature_bias_,
                steps_};
    }
    /// The same model, which also knows these customers by their features. Throws `error` as `with_items` does.
    [[nodiscard]] feature_factorization_model with_customers(const id_column& ids, const sparse_matrix<T>& features) const {
        require_features(ids, features, customer_feature_factors_, "customers");
        auto longer = detail::lengthen(base::customers(), ids, kind);
        matrix<T> factors = matrix<T>::Zero(static_cast<row_index>(longer.table.size()), item_factors_.cols());
        std::vector<std::size_t> from(longer.table.size(), base::customers().size());
        for (std::size_t row = 0; row < longer.old_rows.size(); ++row) {
            factors.row(static_cast<row_index>(longer.old_rows[row])) = customer_factors_.row(static_cast<row_index>(row));
            from[longer.old_rows[row]] = row;
        }
        for (std::size_t i = 0; i < longer.new_rows.size(); ++i) {
            const auto row = features[i];
            for (std::size_t k = 0; k < row.columns.size(); ++k)
                factors.row(static_cast<row_index>(longer.new_rows[i])) += row.values[k] * customer_feature_factors_.row(row.columns[k]);
        }
        require(factors.allFinite(), errc::number_out_of_range, kind, ": the factors of a new customer are beyond the number type");
        std::vector<std::int64_t> starts{0};
        std::vector<std::int32_t> bought;
        std::vector<T> values;
        for (const std::size_t row : from) {
            if (row < base::customers().size()) {
                const auto mine = base::purchases()[row];
                bought.insert(bought.end(), mine.items.begin(), mine.items.end());
                values.insert(values.end(), mine.values.begin(), mine.values.end());
            }
            starts.push_back(static_cast<std::int64_t>(bought.size()));
        }
        return {interactions<T>(std::move(longer.table), base::items(), std::move(starts), std::move(bought), std::move(values), {}),
                std::move(factors),
                item_factors_,
                item_bias_,
                customer_feature_factors_,
                item_feature_factors_,
                item_feature_bias_,
                steps_};
    }

    static constexpr std::array field_names{
        "purchases", "customer_factors", "item_factors", "item_bias", "customer_feature_factors", "item_feature_factors", "item_feature_bias", "steps"};
    [[nodiscard]] auto fields() const noexcept {
        return std::tie(base::purchases(), customer_factors_, item_factors_, item_bias_, customer_feature_factors_, item_feature_factors_, item_feature_bias_,
                        steps_);
    }

   private:
    using base = detail::recommender<feature_factorization_model, T>;
    friend base;

    static void require_features(const id_column& ids, const sparse_matrix<T>& features, const matrix<T>& learnt, std::string_view what) {
        require(std::cmp_equal(ids.size(), features.rows()), errc::shape_mismatch, kind, ": ", ids.size(), " new ", what, " but ", features.rows(),
                " rows of features");
        require(features.cols() == learnt.rows(), errc::shape_mismatch, kind, ": the new ", what, " have ", features.cols(), " features, learnt ",
                learnt.rows());
    }
    void score_all(std::span<const T> factors, std::span<T> out) const noexcept {
        for (std::size_t item = 0; item < out.size(); ++item)
            out[item] =
                item_bias_.data()[item] + detail::pair_dot<false, T>(factors.data(), item_factors_.data() + item * factors.size(), nullptr, factors.size());
    }
    void score_known(std::size_t row, std::span<T> out, workspace&) const { score_all(row_of(customer_factors_, static_cast<row_index>(row)), out); }
    void score_history(std::span<const std::int32_t> items, std::span<const T>, std::span<T> out, workspace& scratch) const {
        const auto factors = scratch.take<T>(static_cast<std::size_t>(item_factors_.cols()));
        detail::fold_pairs(steps_, items, item_factors_, item_bias_, draw_, ranks_, factors);
        score_all(factors, out);
    }

    matrix<T> customer_factors_, item_factors_;
    vec<T> item_bias_;
    matrix<T> customer_feature_factors_, item_feature_factors_;
    vec<T> item_feature_bias_;
    pairwise_steps steps_;
    detail::item_draw draw_;  // for folding in
    detail::rank_weights<T> ranks_;
};

/// Recipe for `feature_factorization_model`: purchases are learnt from as by `bpr` and `warp` (or by the logistic loss), and the
/// step on a customer's or an item's factors (see `pairwise_steps`) is made on those of each of its features, times the
/// feature's value; a feature of both items is stepped on for the one and then for the other. On one thread. Without features,
/// or with one for each customer and item, the same is learnt as by those recipes with the same seed.
/// Features should be of like size: one-hot (`encode_sparse`), or rows of length 1.
template <class T>
struct feature_factorization {
    using stage_concept = recipe_tag;

    pair_loss loss = pair_loss::warp;
    std::size_t n_factors = 32;    ///< 1 .. 4096
    std::size_t epochs = 30;       ///< 1 .. 1,000,000; fewer where validation or an observer stops it
    double learning_rate = 0.02;   ///< above 0
    double regularization = 0.05;  ///< at least 0
    double init_deviation = 0.1;   ///< above 0: factors begin normal with this deviation, biases at 0
    std::size_t max_trials = 100;  ///< of `warp`
    negative_sampling negatives = negative_sampling::uniform;
    /// Whether each customer and item of training has factors of its own beside those of its features. Without them features
    /// alone must explain everything, which is better for those that come later.
    bool own_customer_factors = true;
    bool own_item_factors = true;
    double validation_share = 0;  ///< as for `bpr`
    std::size_t patience = 5;     ///< at least 1

    /// Reports the mean loss of each epoch, each pair as it was before its step.
    /// Throws `error`: `bad_parameter` (also where a side has neither features nor own factors), `empty_input`, `shape_mismatch`
    /// (rows of features), `bad_data` (a negative value), `too_few_rows` (none to validate on), `diverged`.
    [[nodiscard]] feature_factorization_model<T> fit(const featured_interactions<T>& x, const fit_options& options) const {
        return learn(x.purchases, x.customer_features, x.item_features, options);
    }
    /// Without features.
    [[nodiscard]] feature_factorization_model<T> fit(const interactions<T>& x, const fit_options& options) const {
        return learn(x, sparse_matrix<T>(), sparse_matrix<T>(), options);
    }

   private:
    [[nodiscard]] feature_factorization_model<T> learn(const interactions<T>& x, const sparse_matrix<T>& customer_features,
                                                       const sparse_matrix<T>& item_features, const fit_options& options) const {
        constexpr std::string_view who = feature_factorization_model<T>::kind;
        detail::pairwise_settings how{
            who, {loss, negatives, learning_rate, regularization, max_trials, epochs}, n_factors, init_deviation, validation_share, patience};
        detail::require_pairwise(how);
        require_side(own_customer_factors, customer_features, x.rows(), "customer");
        require_side(own_item_factors, item_features, x.items().size(), "item");
        detail::require_purchases(x, who);
        const rng numbers = stage_rng(options, pairwise_model<T>::kind);  // as the recipes without features
        const detail::pair_lists<T> pairs(x, validation_share, numbers.split("validation"), who);
        const detail::feature_parts<T> customers(x.rows(), own_customer_factors, customer_features), items(x.items().size(), own_item_factors, item_features);
        // Factors that no training customer or item has stay 0.
        std::vector<bool> customer_rows(customers.table_rows()), item_rows(items.table_rows());
        for (std::size_t c = 0; c < x.rows(); ++c)
            if (!pairs.of(c).empty()) customers.each(c, [&](std::size_t row, T) { customer_rows[row] = true; });
        for (std::size_t i = 0; i < x.items().size(); ++i) items.each(i, [&](std::size_t row, T) { item_rows[row] = true; });
        detail::feature_rows<T> rows(
            {detail::normal_rows<T>(customers.table_rows(), n_factors, init_deviation, numbers.split("customers"),
                                    [&](std::size_t row) { return customer_rows[row]; }),
             detail::normal_rows<T>(items.table_rows(), n_factors, init_deviation, numbers.split("items"), [&](std::size_t row) { return item_rows[row]; }),
             vec<T>::Zero(static_cast<row_index>(items.table_rows()))},
            customers, items);
        how.steps.epochs = detail::learn_pairs<T>(how, x, pairs, rows, who, options, run_options{}, numbers);
        auto sums = rows.by_id();
        const auto k = static_cast<row_index>(n_factors);
        const auto of_features = [&](const auto& table, std::size_t first) { return table.bottomRows(table.rows() - static_cast<row_index>(first)); };
        require(sums.all_finite(), errc::diverged, who, ": the sums of the features' factors are beyond the number type: lower learning_rate (", learning_rate,
                ')');
        return {x.without_times(),
                sums.now.customers.leftCols(k),
                sums.now.items.leftCols(k),
                std::move(sums.now.bias),
                of_features(rows.now.customers, customers.first_feature()).leftCols(k),
                of_features(rows.now.items, items.first_feature()).leftCols(k),
                of_features(rows.now.bias, items.first_feature()),
                how.steps};
    }
    static void require_side(bool own, const sparse_matrix<T>& features, std::size_t entities, std::string_view what) {
        constexpr std::string_view who = feature_factorization_model<T>::kind;
        require(features.cols() == 0 || std::cmp_equal(features.rows(), entities), errc::shape_mismatch, who, ": ", entities, ' ', what, "s but ",
                features.rows(), " rows of ", what, " features");
        require(own || features.cols() > 0, errc::bad_parameter, who, ": without own factors each ", what, " needs features");
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
