#ifndef CARAMEL_TEXT_EMBEDDING_HPP
#define CARAMEL_TEXT_EMBEDDING_HPP

// Token ids -> their vectors: looked up in a table that stands (random or pretrained). A table that is trained together
// with the layers above it is nn/embedding_bag.hpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/padded.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

inline constexpr std::size_t max_embedding_dim = 65'536;

template <class T>
void require_table(const embedding_table<T>& table, std::string_view who) {
    require(table.size() > 0 && table.dim() > 0, errc::bad_data, who, ": a table of ", table.size(), " rows and ", table.dim(), " columns is empty");
}
template <class T>
void require_tokens(const token_ids& tokens, const embedding_table<T>& table, std::string_view who) {
    require(tokens.vocabulary_size <= table.size(), errc::shape_mismatch, who, ": got a vocabulary of ", tokens.vocabulary_size, ", the table has ", table.size(),
            " rows");
    for (std::size_t i = 0; i < tokens.size(); ++i) require_ids(tokens[i], table.size(), i + 1, who);
}
// What random tables are fitted to.
template <class T>
embedding_table<T> random_table(const token_ids& tokens, std::size_t dim, const fit_options& options, std::string_view kind) {
    require(dim >= 1 && dim <= max_embedding_dim, errc::bad_parameter, kind, ": dim = ", dim, ", must lie in 1 .. ", max_embedding_dim);
    require(!tokens.empty(), errc::empty_input, kind, ": no texts to learn from");
    require(tokens.vocabulary_size > 0, errc::bad_data, kind, ": the token ids do not say how large their vocabulary is");
    for (std::size_t i = 0; i < tokens.size(); ++i) require_ids(tokens[i], tokens.vocabulary_size, i + 1, kind);
    rng numbers = stage_rng(options, kind);
    return embedding_table<T>::random(tokens.vocabulary_size, dim, numbers);
}

}  // namespace detail

/// Token ids -> the rows of a table.
template <class T>
class embedding_model : public single_row<embedding_model<T>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "embedding";  // in saved files: never changes
    /// One long text makes the whole rectangle long: above so many values (4 GiB of float) a batch is refused.
    static constexpr std::size_t max_values = std::size_t{1} << 30;

    /// Row i of the table is the vector of id i. Throws `error` (`bad_data`) on an empty table.
    explicit embedding_model(embedding_table<T> table) : table_(std::move(table)) { detail::require_table(table_, kind); }

    /// Texts -> (batch, length of the longest text, dim), zeros behind the end of each.
    /// Throws `error`: `shape_mismatch` when the vocabulary is larger than the table, `unknown_id` with the row,
    /// `limit_exceeded` above `max_values`.
    [[nodiscard]] padded<T> operator()(const token_ids& tokens) const {
        detail::require_tokens(tokens, table_, kind);
        padded<T> out;
        out.lengths.reserve(tokens.size());
        std::size_t longest = 0;
        for (std::size_t i = 0; i < tokens.size(); ++i) longest = std::max(longest, tokens[i].size());
        require(longest == 0 || tokens.size() <= max_values / table_.dim() / longest, errc::limit_exceeded, kind, ": ", tokens.size(), " texts, the longest of ",
                longest, " tokens, in ", table_.dim(), " dimensions are more than ", max_values,
                " values: set the tokenizer's max_tokens, or use bag_of_embeddings");
        out.values = make_tensor<T, 3>({tokens.size(), longest, table_.dim()});
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            gather(tokens[i], out.values.data() + i * longest * table_.dim());
            out.lengths.push_back(static_cast<std::int32_t>(tokens[i].size()));
        }
        return out;
    }
    /// One text: (length, dim), in the workspace; the same bits as in a batch.
    [[nodiscard]] padded_row<T> operator()(std::span<const token_id> tokens, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_ids(tokens, table_.size(), 1, kind);
        require(tokens.size() <= max_values / table_.dim(), errc::limit_exceeded, kind, ": ", tokens.size(), " tokens in ", table_.dim(),
                " dimensions are more than ", max_values, " values");
        const auto out = scratch.take<T>(tokens.size() * table_.dim());
        gather(tokens, out.data());
        return {out, tokens.size(), table_.dim()};
    }
    using single_row<embedding_model>::operator();

    [[nodiscard]] const embedding_table<T>& table() const noexcept { return table_; }
    [[nodiscard]] std::size_t dim() const noexcept { return table_.dim(); }

    static constexpr std::array field_names{"table"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(table_); }

   private:
    void gather(std::span<const token_id> tokens, T* out) const noexcept {
        for (const token_id id : tokens) out = std::copy_n(table_[static_cast<std::size_t>(id)].data(), table_.dim(), out);
    }
    embedding_table<T> table_;
};

/// Recipe for an `embedding_model` of random vectors, one for each id of the vocabulary: normal values with mean 0 and
/// deviation `1 / sqrt(dim)`. Sums of such vectors are a random projection of the counts of words.
template <class T>
struct random_embedding {
    using stage_concept = recipe_tag;

    std::size_t dim = 64;  ///< 1 .. 65,536

    /// Throws `error`: `bad_parameter`, `empty_input`, `bad_data`, `unknown_id`.
    [[nodiscard]] embedding_model<T> fit(const token_ids& tokens, const fit_options& options) const {
        return embedding_model<T>(detail::random_table<T>(tokens, dim, options, embedding_model<T>::kind));
    }
};

/// A token and how close its vector is: the cosine, from -1 to 1.
struct similar_token {
    token_id id = 0;
    double cosine = 0;

    friend bool operator==(const similar_token&, const similar_token&) = default;
};

namespace detail {

// In double. A vector of zeros has no direction: its cosine with anything is 0.
template <class T>
double cosine_of(std::span<const T> a, std::span<const T> b) noexcept {
    const auto sums = [&](double a_scale, double b_scale) {
        std::array<double, 3> out{};
        for (std::size_t i = 0; i < a.size(); ++i) {
            const double x = static_cast<double>(a[i]) / a_scale, y = static_cast<double>(b[i]) / b_scale;
            out[0] += x * y;
            out[1] += x * x;
            out[2] += y * y;
        }
        return out;
    };
    const auto safe = [](double square) { return square > 1e-250 && square < 1e250; };
    auto [dot, aa, bb] = sums(1, 1);
    if (!safe(aa) || !safe(bb)) {  // zeros, or squares beyond the range of double
        const auto largest = [](std::span<const T> v) {
            double m = 0;
            for (const T x : v) m = std::max(m, std::abs(static_cast<double>(x)));
            return m;
        };
        const double a_scale = largest(a), b_scale = largest(b);
        if (a_scale == 0 || b_scale == 0) return 0;
        const auto scaled = sums(a_scale, b_scale);
        dot = scaled[0], aa = scaled[1], bb = scaled[2];
    }
    return std::clamp(dot / (std::sqrt(aa) * std::sqrt(bb)), -1.0, 1.0);
}

template <class T>
std::vector<similar_token> nearest_rows(const embedding_table<T>& table, std::span<const T> to, std::size_t n, token_id except) {
    std::vector<similar_token> all;
    all.reserve(table.size());
    for (std::size_t i = 0; i < table.size(); ++i)
        if (const auto id = static_cast<token_id>(i); id != except) all.push_back({id, cosine_of(to, table[i])});
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(n, all.size()));
    std::partial_sort(all.begin(), end, all.end(),
                      [](const similar_token& a, const similar_token& b) { return a.cosine != b.cosine ? a.cosine > b.cosine : a.id < b.id; });
    all.erase(end, all.end());
    return all;
}

}  // namespace detail

/// The `n` tokens whose vectors have the largest cosine with `to`, the closest first, ties to the lower id; all tokens if
/// there are fewer. A vector of zeros has cosine 0 with everything.
/// Throws `error`: `shape_mismatch` unless `to` has the table's dimensions, `nan_or_inf` with the column.
template <class T>
[[nodiscard]] std::vector<similar_token> nearest(const embedding_table<T>& table, std::span<const std::type_identity_t<T>> to, std::size_t n) {
    require(to.size() == table.dim(), errc::shape_mismatch, "nearest: got ", to.size(), " dimensions, the table has ", table.dim());
    require_finite(to, "nearest");
    return detail::nearest_rows<T>(table, to, n, -1);
}
/// The same for a token of the table, which is left out itself. Throws `error` (`unknown_id`).
template <class T>
[[nodiscard]] std::vector<similar_token> nearest(const embedding_table<T>& table, token_id to, std::size_t n) {
    require(to >= 0 && static_cast<std::size_t>(to) < table.size(), errc::unknown_id, "nearest: an id outside the table of ", table.size());
    return detail::nearest_rows<T>(table, table[static_cast<std::size_t>(to)], n, to);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
