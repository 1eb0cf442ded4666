#ifndef CARAMEL_RECOMMEND_QUERY_HPP
#define CARAMEL_RECOMMEND_QUERY_HPP

// What one asks a recommender, and what all of them have in common: the ids, who bought what, filters and ranking.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/products.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/factor_scan.hpp>
#include <caramel/recommend/top_k.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How the value of a purchase counts.
enum class weighting : std::uint8_t {
    ones,         ///< bought or not: 1
    values,       ///< as it is
    logarithmic,  ///< ln(1 + value)
};

/// The answer for a customer of whom nothing is known: no such id, or no purchase of an item that the model knows.
enum class cold_start : std::uint8_t {
    refuse,   ///< an unknown id is an `error` (`unknown_id`); without purchases the model says what it can (often all scores are 0)
    popular,  ///< the items with the most customers; the score is their number
};

/// One purchase in a history that is given with a query. Values as in training: finite and not negative.
struct past_purchase {
    any_id item;
    double value = 1;
};

/// What one asks a recommender: whose items, how many, and which. Items that the model does not know may stand in
/// `allow`, `deny` and `history`; they have no effect.
struct query {
    std::optional<any_id> customer = {};                ///< may be left out where a history is given
    std::size_t n = 10;                                 ///< at most so many items
    bool exclude_seen = true;                           ///< leave out what the customer has bought already
    std::optional<std::vector<any_id>> allow = {};      ///< only these items (an empty list allows none)
    std::vector<any_id> deny = {};                      ///< never these
    std::optional<std::vector<past_purchase>> history = {};  ///< counts instead of what the customer bought in training
    cold_start if_unknown = cold_start::refuse;
};

/// Queries for the customers that have any pair in `wanted`, by row, and those pairs' items beside them: what
/// evaluation needs. `ranked = model(asked.queries)`, then for example `recall_at(20, ranked, asked.relevant)`.
struct ranking_task {
    std::vector<query> queries;
    ragged<std::int32_t> relevant;
};
/// Of customers that training saw, n items each. See `ranking_task`.
template <class T>
[[nodiscard]] ranking_task ranking_task_of(const interactions<T>& wanted, std::size_t n) {
    ranking_task out;
    for (std::size_t row = 0; row < wanted.rows(); ++row) {
        const auto items = wanted[row].items;
        if (items.empty()) continue;
        out.queries.push_back({.customer = row_number{row}, .n = n});
        out.relevant.append_row(items);
    }
    return out;
}

/// The same for customers that training did not see (`hold_out_customers`): what is `given` of each is the history of the
/// query. Items must be numbered as the model numbers them. Throws `error` (`bad_data`) unless both number customers and
/// items alike.
template <class T>
[[nodiscard]] ranking_task ranking_task_of(const interactions<T>& given, const interactions<T>& wanted, std::size_t n) {
    require(given.customers() == wanted.customers() && given.items() == wanted.items(), errc::bad_data,
            "ranking_task_of: both interactions must number customers and items alike");
    ranking_task out;
    for (std::size_t row = 0; row < wanted.rows(); ++row) {
        if (wanted[row].items.empty()) continue;
        const auto bought = given[row];
        std::vector<past_purchase> history;
        for (std::size_t k = 0; k < bought.size(); ++k)
            history.push_back({row_number{static_cast<std::size_t>(bought.items[k])}, static_cast<double>(bought.values[k])});
        out.queries.push_back({.n = n, .history = std::move(history)});
        out.relevant.append_row(wanted[row].items);
    }
    return out;
}

namespace detail {

inline double weigh(weighting rule, double value) noexcept {
    switch (rule) {
        case weighting::ones: return 1;
        case weighting::values: return value;
        case weighting::logarithmic: return std::log1p(value);
    }
    return 1;
}
constexpr bool known(weighting rule) noexcept { return rule <= weighting::logarithmic; }

/// Entry checks of the recipes: something to learn from, and nothing negative.
template <class T>
void require_purchases(const interactions<T>& x, std::string_view who) {
    require(!x.empty(), errc::empty_input, who, ": no interactions to learn from");
    for (std::size_t row = 0; row < x.rows(); ++row) {
        const auto mine = x[row];
        for (std::size_t k = 0; k < mine.size(); ++k)
            require_at(mine.values[k] >= 0, errc::bad_data, {.row = row + 1, .column = static_cast<std::uint64_t>(mine.items[k]) + 1}, who,
                       ": the value of customer ", row + 1, ", item ", mine.items[k] + 1, " (rows of the id tables) is negative");
    }
}

/// Common to all recommenders. A model says how customers are scored:
///   `score_known(row, out, scratch)` and `score_history(items, values, out, scratch)`, out = one score an item.
/// Or, where a score is a product of two rows of factors, it says so by a public
///   `static constexpr bool scores_are_products = true`, and has instead of these two
///   `item_factors()`, a `const matrix<T>&` (items, factors), and
///   `customer_vector(resolved, scratch)`, a `std::span<const T>` (factors), with `resolved` as below.
/// Then scores are ranked as they are worked out, batches share each pass over the items, and nothing but the factors is kept.
/// A small catalogue, which stays in the cache, is faster answered from a second copy, `packed_items()`: the transposed factors as
/// `packed_columns<T>`, without columns where there is none.
template <class Model, class T>
class recommender : public single_row<Model> {
   public:
    using stage_concept = model_tag;

    /// The best items for one customer, best first; equal scores by the lower row of the item, which is the smaller id.
    /// The best n are the first n of the best m > n. They lie in the workspace.
    /// Throws `error`: `unknown_id` (the customer); `bad_parameter` (neither customer nor history); `nan_or_inf` and
    /// `bad_data` with the row of a history's value that is not finite or negative.
    [[nodiscard]] std::span<const recommendation<T>> operator()(const query& asked, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto who = resolve(asked, scratch);
        if constexpr (has_products()) {
            if (packed() == nullptr && scans(asked, who)) {
                best_so_far<T> best;
                best.begin(asked.n, left_out(asked, who, scratch), scratch);
                const auto& model = static_cast<const Model&>(*this);
                scan_products<T>(model.item_factors(), model.customer_vector(who, scratch), best, scratch);
                require_in_range(best.all_finite());
                return best.finish();
            }
            if (asked.allow && !who.popular) return best_allowed(asked, who, scratch);
        }
        const auto scores = scores_of(who, scratch);
        const auto marks = scratch.take<unsigned char>(items().size());
        std::fill(marks.begin(), marks.end(), asked.allow ? 1 : 0);
        if (asked.allow) mark(*asked.allow, 0, marks);
        mark(asked.deny, 1, marks);
        if (asked.exclude_seen)
            for (const auto item : who.items) marks[static_cast<std::size_t>(item)] = 1;
        return best_of<T>(scores, marks, asked.n, scratch);
    }
    /// A batch: row i answers query i, with the same bits as alone. An `error` has the query's number as its row.
    [[nodiscard]] ragged<recommendation<T>> operator()(std::span<const query> batch) const {
        ragged<recommendation<T>> out;
        workspace scratch;
        if constexpr (has_products()) {
            constexpr std::size_t together = 128;
            for (std::size_t begin = 0; begin < batch.size(); begin += together)
                answer_together(batch, begin, std::min(batch.size(), begin + together), out, scratch);
        } else {
            for (std::size_t i = 0; i < batch.size(); ++i) out.append_row(answer_of(batch, i, scratch));
        }
        return out;
    }
    using single_row<Model>::operator();

    /// The scores of given items for one customer (or for the history in a query), in the order given.
    /// Throws `error` as a query does, and `unknown_id` with the row of an item that the model does not know.
    [[nodiscard]] std::vector<T> score(const query& who, const std::vector<any_id>& wanted) const {
        workspace scratch;
        const workspace::frame frame(scratch);
        const auto found = resolve(who, scratch);
        const auto rows = scratch.take<std::int32_t>(wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const auto row = items().find(wanted[i]);
            require_at(row.has_value(), errc::unknown_id, {.row = i + 1}, Model::kind, ": item ", i + 1, " of the list was not in the training data");
            rows[i] = static_cast<std::int32_t>(*row);
        }
        std::vector<T> out(wanted.size());
        if constexpr (has_products()) {
            if (!found.popular) {
                score_rows(found, rows, out, scratch);
                return out;
            }
        }
        const auto scores = scores_of(found, scratch);
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = scores[static_cast<std::size_t>(rows[i])];
        return out;
    }
    [[nodiscard]] std::vector<T> score(const any_id& customer, const std::vector<any_id>& wanted) const { return score(query{.customer = customer}, wanted); }

    /// For models made of others: one score an item for a customer of training, or for a history, items ascending. Not checked.
    void put_scores(std::size_t customer, std::span<T> out, workspace& scratch) const {
        put_scores(resolved{customer, purchases_[customer].items, purchases_[customer].values}, out, scratch);
    }
    void put_scores(std::span<const std::int32_t> bought, std::span<const T> values, std::span<T> out, workspace& scratch) const {
        put_scores(resolved{{}, bought, values}, out, scratch);
    }

    [[nodiscard]] const id_table& customers() const noexcept { return purchases_.customers(); }
    [[nodiscard]] const id_table& items() const noexcept { return purchases_.items(); }
    /// What the model was trained on, without times.
    [[nodiscard]] const interactions<T>& purchases() const noexcept { return purchases_; }

   protected:
    explicit recommender(interactions<T> purchases) : purchases_(std::move(purchases)), customers_of_(items().size()) {
        for (const auto item : purchases_.by_customer().ids) customers_of_[static_cast<std::size_t>(item)] += T(1);
    }
    // The number of customers of each item.
    [[nodiscard]] std::span<const T> customers_of() const noexcept { return customers_of_; }

    struct resolved {
        std::optional<std::size_t> row;         // a known customer with the purchases of training
        std::span<const std::int32_t> items;    // what was bought, ascending
        std::span<const T> values;
        bool popular = false;                   // nothing is known, and popularity was asked for then
    };
    /// The purchases that a query is about. Throws `error` as a query does.
    [[nodiscard]] resolved resolve(const query& asked, workspace& scratch) const {
        resolved out;
        if (asked.history) {
            out = from_history(*asked.history, scratch);
        } else {
            require(asked.customer.has_value(), errc::bad_parameter, Model::kind, ": the query has neither a customer nor a history");
            out.row = customers().find(*asked.customer);
            require(out.row || asked.if_unknown != cold_start::refuse, errc::unknown_id, Model::kind,
                    ": the customer was not in the training data; give a history, or set if_unknown");
            if (out.row) {
                out.items = purchases_[*out.row].items;
                out.values = purchases_[*out.row].values;
            }
        }
        out.popular = out.items.empty() && asked.if_unknown == cold_start::popular;
        return out;
    }

   private:
    std::span<const T> scores_of(const resolved& who, workspace& scratch) const {
        if (who.popular) return customers_of_;
        const auto out = scratch.take<T>(items().size());
        put_scores(who, out, scratch);
        require_in_range(all_finite(std::span<const T>(out)));
        return out;
    }
    void put_scores(const resolved& who, std::span<T> out, workspace& scratch) const {
        const auto& model = static_cast<const Model&>(*this);
        if constexpr (has_products()) {
            const auto factors = model.customer_vector(who, scratch);
            if (const auto* const columns = packed()) multiply_row(factors, *columns, out);
            else multiply_rows<T>(model.item_factors(), factors, out, scratch);
        } else if (who.row) model.score_known(*who.row, out, scratch);
        else model.score_history(who.items, who.values, out, scratch);
    }
    [[nodiscard]] const packed_columns<T>* packed() const noexcept {
        if constexpr (requires(const Model& model) { model.packed_items(); }) {
            const packed_columns<T>& columns = static_cast<const Model&>(*this).packed_items();
            return columns.columns() > 0 ? &columns : nullptr;
        }
        return nullptr;
    }
    static void require_in_range(bool all_finite) {
        require(all_finite, errc::number_out_of_range, Model::kind, ": a score is beyond the number type");
    }

    static constexpr bool has_products() noexcept {
        return requires { requires Model::scores_are_products; };
    }
    // The scores of chosen items alone.
    void score_rows(const resolved& who, std::span<const std::int32_t> rows, std::span<T> out, workspace& scratch) const {
        const auto& model = static_cast<const Model&>(*this);
        multiply_chosen_rows<T>(model.item_factors(), rows, model.customer_vector(who, scratch), scratch,
                                [&](std::size_t i, const T* scores, std::size_t n) { std::copy_n(scores, n, out.begin() + static_cast<std::ptrdiff_t>(i)); });
        require_in_range(all_finite(std::span<const T>(out)));
    }
    [[nodiscard]] std::span<const recommendation<T>> best_allowed(const query& asked, const resolved& who, workspace& scratch) const {
        const auto rows = scratch.take<std::int32_t>(asked.allow->size());
        std::size_t n = 0;
        for (const auto& id : *asked.allow)
            if (const auto row = items().find(id)) rows[n++] = static_cast<std::int32_t>(*row);
        const auto skipped = left_out(asked, who, scratch);
        auto chosen = rows.first(n);
        std::sort(chosen.begin(), chosen.end());
        chosen = chosen.first(static_cast<std::size_t>(std::unique(chosen.begin(), chosen.end()) - chosen.begin()));
        std::size_t kept = 0;
        for (const auto row : chosen)
            if (!std::binary_search(skipped.begin(), skipped.end(), row)) chosen[kept++] = row;
        const auto scores = scratch.take<T>(kept);
        score_rows(who, chosen.first(kept), scores, scratch);
        const auto best = scratch.take<recommendation<T>>(kept);
        for (std::size_t i = 0; i < kept; ++i) best[i] = {chosen[i], scores[i]};
        const auto some = best.first(std::min(asked.n, kept));
        std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(some.size()), best.end(), ranks_before{});
        return some;
    }
    // Whether the best few are asked for, of all items but some.
    [[nodiscard]] bool scans(const query& asked, const resolved& who) const noexcept {
        return !asked.allow && !who.popular && asked.n > 0 && asked.n <= 1000 && asked.n < items().size();
    }
    // The rows of items that a query without `allow` leaves out, ascending; they lie in the workspace, or in the purchases.
    [[nodiscard]] std::span<const std::int32_t> left_out(const query& asked, const resolved& who, workspace& scratch) const {
        const auto seen = asked.exclude_seen ? who.items : std::span<const std::int32_t>();
        if (asked.deny.empty()) return seen;
        const auto out = scratch.take<std::int32_t>(seen.size() + asked.deny.size());
        std::size_t n = 0;
        for (const auto& id : asked.deny)
            if (const auto row = items().find(id)) out[n++] = static_cast<std::int32_t>(*row);
        std::copy(seen.begin(), seen.end(), out.begin() + static_cast<std::ptrdiff_t>(n));
        std::ranges::sort(out.first(n + seen.size()));
        return out.first(n + seen.size());
    }

    [[nodiscard]] std::span<const recommendation<T>> answer_of(std::span<const query> batch, std::size_t i, workspace& scratch) const {
        try {
            return (*this)(batch[i], scratch);
        } catch (const error& e) {
            fail(e.code(), {.row = i + 1}, e.what(), " (query ", i + 1, ")");
        }
    }
    // Queries `begin` .. `end` of a batch in one pass over the items, but for those that need all scores.
    void answer_together(std::span<const query> batch, std::size_t begin, std::size_t end, ragged<recommendation<T>>& out, workspace& scratch) const {
        const auto& model = static_cast<const Model&>(*this);
        const matrix<T>& rows = model.item_factors();
        std::vector<best_so_far<T>> best;
        std::vector<std::size_t> scanned;  // their places in the batch
        workspace kept;                    // what has to last until the pass
        {
            const workspace::frame all(kept);
            matrix<T> vectors(static_cast<row_index>(end - begin), rows.cols());
            try {
                for (std::size_t i = begin; i < end; ++i) {
                    const workspace::frame frame(scratch);
                    const auto who = resolve(batch[i], scratch);
                    if (!scans(batch[i], who)) continue;
                    const auto skipped = left_out(batch[i], who, scratch);
                    const auto mine = kept.take<std::int32_t>(skipped.size());
                    std::copy(skipped.begin(), skipped.end(), mine.begin());
                    std::ranges::copy(model.customer_vector(who, scratch), vectors.data() + static_cast<row_index>(scanned.size()) * vectors.cols());
                    best.emplace_back().begin(batch[i].n, mine, kept);
                    scanned.push_back(i);
                }
                if (scanned.size() < 3) {  // turning the rows for so few does not pay
                    scanned.clear();
                    best.clear();
                }
                scan_products<T>(rows, vectors, best, kept);
            } catch (const error&) {  // one by one the first that fails is found, and named
                scanned.clear();
            }
            for (std::size_t i = begin, s = 0; i < end; ++i) {
                if (s == scanned.size() || scanned[s] != i || !best[s].all_finite()) {
                    out.append_row(answer_of(batch, i, scratch));
                    s += s < scanned.size() && scanned[s] == i ? 1U : 0U;
                } else {
                    out.append_row(best[s++].finish());
                }
            }
        }
    }

    resolved from_history(const std::vector<past_purchase>& history, workspace& scratch) const {
        struct entry {
            std::int32_t item;
            double value;
        };
        const auto entries = scratch.take<entry>(history.size());
        std::size_t n = 0;
        for (std::size_t i = 0; i < history.size(); ++i) {
            require_at(std::isfinite(history[i].value), errc::nan_or_inf, {.row = i + 1}, Model::kind, ": value ", i + 1, " of the history is not finite");
            require_at(history[i].value >= 0, errc::bad_data, {.row = i + 1}, Model::kind, ": value ", i + 1, " of the history is negative");
            if (const auto row = items().find(history[i].item)) entries[n++] = {static_cast<std::int32_t>(*row), history[i].value};
        }
        std::ranges::sort(entries.first(n), {}, [](const entry& e) { return std::pair(e.item, e.value); });
        const auto bought = scratch.take<std::int32_t>(n);
        const auto values = scratch.take<T>(n);
        std::size_t count = 0;
        for (std::size_t i = 0; i < n; ++count) {
            double sum = 0;  // an item that is given twice counts with both values
            for (bought[count] = entries[i].item; i < n && entries[i].item == bought[count]; ++i) sum += entries[i].value;
            require(sum <= static_cast<double>(std::numeric_limits<T>::max()), errc::number_out_of_range, Model::kind,
                    ": a value of the history is beyond the number type");
            values[count] = static_cast<T>(sum);
        }
        return {.row = {}, .items = bought.first(count), .values = values.first(count)};
    }

    void mark(const std::vector<any_id>& ids, unsigned char with, std::span<unsigned char> marks) const {
        for (const auto& id : ids)
            if (const auto row = items().find(id)) marks[*row] = with;
    }

    interactions<T> purchases_;
    std::vector<T> customers_of_;
};

}  // namespace detail

}  // namespace caramel::inline CARAMEL_ABI

#endif
