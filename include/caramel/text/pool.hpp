#ifndef CARAMEL_TEXT_POOL_HPP
#define CARAMEL_TEXT_POOL_HPP

// One vector a text: pooling over the words, of looked-up vectors or straight from the table.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/padded.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/row_sums.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How the vectors of a text become one. A text without words becomes zeros.
enum class pooling : std::uint8_t {
    mean,  ///< the sum divided by the text's own length, not the batch's
    sum,
    max,  ///< the largest value of each dimension
};

namespace detail {

// Which dimension of the row made its pooled vector useless, and why.
template <class T, class Step>
[[noreturn]] CARAMEL_COLD void refuse_pooled(std::size_t length, const Step& step, std::span<const double> pooled, std::size_t row, std::string_view who) {
    for (std::size_t j = 0; j < pooled.size(); ++j)
        for (std::size_t t = 0; t < length; ++t)
            require_at(std::isfinite(step(t)[j]), errc::nan_or_inf, {.row = row, .column = j + 1}, who, ": row ", row, " has a value in dimension ", j + 1,
                       " that is not finite");
    std::size_t column = 0;
    while (std::abs(pooled[column]) <= static_cast<double>(std::numeric_limits<T>::max())) ++column;
    fail(errc::number_out_of_range, {.row = row, .column = column + 1}, who, ": the sum of row ", row, ", dimension ", column + 1,
         " is beyond the number type");
}

// Pools `length` vectors, `step(t)` giving a pointer to the t-th, into `out`; `sums` is scratch of the same size. Sums are
// in double from first to last, so a text has the same bits alone, in a batch, and straight from the table.
template <class T, class Step>
void pool_steps(pooling how, std::size_t length, const Step& step, std::span<T> out, std::span<double> sums, std::size_t row, std::string_view who) {
    const std::size_t dim = out.size();
    bool fine = true;
    if (how != pooling::max) {
        sum_rows(length, step, [](std::size_t) { return 1.0; }, sums);
    } else {
        std::fill(sums.begin(), sums.end(), length > 0 ? -std::numeric_limits<double>::infinity() : 0.0);
        for (std::size_t t = 0; t < length; ++t) {
            const T* const x = step(t);
            for (std::size_t j = 0; j < dim; ++j) {
                fine &= std::isfinite(x[j]);  // a sum shows it in the end, a maximum may not
                sums[j] = std::max(sums[j], static_cast<double>(x[j]));
            }
        }
    }
    if (how == pooling::mean && length > 0)
        for (double& sum : sums) sum /= static_cast<double>(length);
    for (const double sum : sums) fine &= std::abs(sum) <= static_cast<double>(std::numeric_limits<T>::max());
    if (!fine) [[unlikely]]
        refuse_pooled<T>(length, step, sums, row, who);
    std::transform(sums.begin(), sums.end(), out.begin(), [](double sum) { return static_cast<T>(sum); });
}

template <pooling How>
class pool_stage : public single_row<pool_stage<How>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = How == pooling::mean ? "mean_pool" : How == pooling::sum ? "sum_pool" : "max_pool";

    /// (batch, time, dim) and lengths -> (batch, dim).
    /// Throws `error`: `shape_mismatch` on lengths that do not fit, `nan_or_inf`, `number_out_of_range`.
    template <class T>
    [[nodiscard]] matrix<T> operator()(const padded<T>& x) const {
        require_lengths(x, kind);
        matrix<T> out(static_cast<row_index>(x.size()), static_cast<row_index>(x.dim()));
        std::vector<double> sums(x.dim());
        for (std::size_t i = 0; i < x.size(); ++i) pool(x[i], std::span(out.data() + i * x.dim(), x.dim()), sums, i + 1);
        return out;
    }
    /// One text: (length, dim) -> (dim), in the workspace; the same bits as in a batch.
    template <class T>
    [[nodiscard]] std::span<const T> operator()(const padded_row<T>& x, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto out = scratch.take<T>(x.dim());
        pool(x, out, scratch.take<double>(x.dim()), 1);
        return out;
    }
    using single_row<pool_stage>::operator();

    // Nothing is learnt, so nothing is saved but the kind.
    static constexpr std::array<const char*, 0> field_names{};
    [[nodiscard]] std::tuple<> fields() const noexcept { return {}; }

   private:
    template <class T>
    static void pool(const padded_row<T>& x, std::span<T> out, std::span<double> sums, std::size_t row) {
        pool_steps(How, x.length(), [&](std::size_t t) { return x.data() + t * x.dim(); }, out, sums, row, kind);
    }
};


// Of models that pool a table's rows; `pool(tokens, end, out, sums, row)` fills the row of one text. `end` is that of all tokens of
// the batch, for rows that are fetched before their turn.
template <class T, class Pool>
[[nodiscard]] matrix<T> pool_texts(const token_ids& tokens, const embedding_table<T>& table, std::string_view kind, const Pool& pool) {
    require_tokens(tokens, table, kind);
    matrix<T> out(static_cast<row_index>(tokens.size()), static_cast<row_index>(table.dim()));
    std::vector<double> sums(table.dim());
    const token_id* const end = tokens.values().data() + tokens.values().size();
    gathered_rows<T>(table, tokens.values().data(), end).begin();
    for (std::size_t i = 0; i < tokens.size(); ++i) pool(tokens[i], end, std::span<T>(out.data() + i * table.dim(), table.dim()), std::span<double>(sums), i + 1);
    return out;
}
template <class T, class Pool>
[[nodiscard]] std::span<const T> pool_text(std::span<const token_id> tokens, const embedding_table<T>& table, workspace& scratch, std::string_view kind,
                                           const Pool& pool) {
    const workspace::frame frame(scratch);
    require_ids(tokens, table.size(), 1, kind);
    gathered_rows<T>(table, tokens.data(), tokens.data() + tokens.size()).begin();
    const auto out = scratch.take<T>(table.dim());
    pool(tokens, tokens.data() + tokens.size(), out, scratch.take<double>(table.dim()), std::size_t{1});
    return out;
}

}  // namespace detail

/// The mean of a text's vectors, divided by its own length; zeros for an empty text.
struct mean_pool : detail::pool_stage<pooling::mean> {};
/// The sum of a text's vectors.
struct sum_pool : detail::pool_stage<pooling::sum> {};
/// The largest value of each dimension.
struct max_pool : detail::pool_stage<pooling::max> {};

/// Token ids -> one vector a text: `embedding | mean_pool` (or sum, or max) in one stage that never makes the padded
/// rectangle, with the same bits.
template <class T>
class bag_of_embeddings_model : public single_row<bag_of_embeddings_model<T>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "bag_of_embeddings";  // in saved files: never changes

    /// Row i of the table is the vector of id i. Throws `error`: `bad_data` on an empty table, `bad_parameter`.
    bag_of_embeddings_model(embedding_table<T> table, pooling how) : table_(std::move(table)), how_(how) {
        detail::require_table(table_, kind);
        require(how <= pooling::max, errc::bad_parameter, kind, ": no pooling has the number ", static_cast<unsigned>(how));
    }

    /// Texts -> (batch, dim). Throws `error`: `shape_mismatch` when the vocabulary is larger than the table, `unknown_id`
    /// with the row, `number_out_of_range`.
    [[nodiscard]] matrix<T> operator()(const token_ids& tokens) const {
        return detail::pool_texts(tokens, table_, kind, [this](auto... text) { pool(text...); });
    }
    /// One text, in the workspace; the same bits as in a batch.
    [[nodiscard]] std::span<const T> operator()(std::span<const token_id> tokens, workspace& scratch) const {
        return detail::pool_text(tokens, table_, scratch, kind, [this](auto... text) { pool(text...); });
    }
    using single_row<bag_of_embeddings_model>::operator();

    [[nodiscard]] const embedding_table<T>& table() const noexcept { return table_; }
    [[nodiscard]] pooling how() const noexcept { return how_; }

    static constexpr std::array field_names{"table", "how"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(table_, how_); }

   private:
    void pool(std::span<const token_id> tokens, const token_id* end, std::span<T> out, std::span<double> sums, std::size_t row) const {
        detail::pool_steps(how_, tokens.size(), detail::gathered_rows<T>(table_, tokens.data(), end), out, sums, row, kind);
    }
    embedding_table<T> table_;
    pooling how_;
};

/// Recipe for a `bag_of_embeddings_model` of random vectors: the table of `random_embedding`, pooled.
template <class T>
struct bag_of_embeddings {
    using stage_concept = recipe_tag;

    std::size_t dim = 64;  ///< 1 .. 65,536
    pooling how = pooling::mean;

    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data`, `unknown_id`.
    [[nodiscard]] bag_of_embeddings_model<T> fit(const token_ids& tokens, const fit_options& options) const {
        return {detail::random_table<T>(tokens, dim, options, bag_of_embeddings_model<T>::kind), how};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
