#ifndef CARAMEL_TEXT_WEIGHTED_BAG_HPP
#define CARAMEL_TEXT_WEIGHTED_BAG_HPP

// One vector a text from pretrained vectors of words, in which rare words count more than frequent ones.

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
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/pool.hpp>
#include <caramel/text/row_sums.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How much each word of a text counts.
enum class token_weighting : std::uint8_t {
    equal,
    idf,  ///< ln((1 + texts) / (1 + texts with the word)) + 1; the sum is divided by that of the weights
    sif,  ///< a / (a + the word's share of the corpus), a = `smoothing`; the sum is divided by the number of words
};
/// What becomes of words outside the vocabulary.
enum class unknown_tokens : std::uint8_t {
    skip,    ///< as if they were not there
    keep,    ///< words like others: the row of their id, and its weight
    refuse,  ///< an error (`unknown_id`) with the row
};

/// Token ids -> the weighted mean of their vectors, without its part along one direction, if there is one.
template <class T>
class weighted_bag_model : public single_row<weighted_bag_model<T>> {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "weighted_bag";  // in saved files: never changes

    /// `weights`: one for each row, at least 0; `by_weight`: divides by the sum of weights, else by the number of words;
    /// `common`: a direction of length 1, or empty. Throws `error`: `bad_data`, `shape_mismatch`, `bad_parameter`.
    weighted_bag_model(embedding_table<T> table, vec<double> weights, bool by_weight, token_id unknown, unknown_tokens policy, vec<double> common)
        : table_(std::move(table)), weights_(std::move(weights)), common_(std::move(common)), unknown_(unknown), policy_(policy), by_weight_(by_weight) {
        detail::require_table(table_, kind);
        require(static_cast<std::size_t>(weights_.size()) == table_.size(), errc::shape_mismatch, kind, ": ", table_.size(), " rows but ", weights_.size(),
                " weights");
        require(std::all_of(weights_.data(), weights_.data() + weights_.size(), [](double w) { return std::isfinite(w) && w >= 0; }), errc::bad_data, kind,
                ": a weight is negative or not finite");
        require(common_.size() == 0 || static_cast<std::size_t>(common_.size()) == table_.dim(), errc::shape_mismatch, kind, ": ", table_.dim(),
                " dimensions, the common direction has ", common_.size());
        require(common_.allFinite() && (common_.size() == 0 || std::abs(common_.norm() - 1) < 1e-6), errc::bad_data, kind,
                ": the common direction is not of length 1");
        require(policy <= unknown_tokens::refuse, errc::bad_parameter, kind, ": no policy for unknown words has the number ", static_cast<unsigned>(policy));
    }

    /// Texts -> (batch, dim); zeros for a text without words that count. Throws `error`: `shape_mismatch` when the vocabulary is
    /// larger than the table, `unknown_id` with the row, `number_out_of_range`.
    [[nodiscard]] matrix<T> operator()(const token_ids& tokens) const {
        return detail::pool_texts(tokens, table_, kind, [this](auto... text) { pool(text...); });
    }
    /// One text, in the workspace; the same bits as in a batch.
    [[nodiscard]] std::span<const T> operator()(std::span<const token_id> tokens, workspace& scratch) const {
        return detail::pool_text(tokens, table_, scratch, kind, [this](auto... text) { pool(text...); });
    }
    using single_row<weighted_bag_model>::operator();

    [[nodiscard]] const embedding_table<T>& table() const noexcept { return table_; }
    [[nodiscard]] const vec<double>& weights() const noexcept { return weights_; }
    [[nodiscard]] const vec<double>& common() const noexcept { return common_; }
    [[nodiscard]] token_id unknown() const noexcept { return unknown_; }

    static constexpr std::array field_names{"table", "weights", "by_weight", "unknown", "policy", "common"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(table_, weights_, by_weight_, unknown_, policy_, common_); }

   private:
    void pool(std::span<const token_id> tokens, const token_id* end, std::span<T> out, std::span<double> sums, std::size_t row) const {
        const bool all = policy_ == unknown_tokens::keep;
        const auto weight = [&](std::size_t t) { return tokens[t] == unknown_ && !all ? 0.0 : weights_(tokens[t]); };
        double divisor = 0;
        for (const token_id token : tokens) {
            if (token == unknown_ && !all) {
                require_at(policy_ == unknown_tokens::skip, errc::unknown_id, {.row = row}, kind, ": row ", row, " holds a word outside the vocabulary");
                continue;
            }
            divisor += by_weight_ ? weights_(token) : 1.0;
        }
        detail::sum_rows(tokens.size(), detail::gathered_rows<T>(table_, tokens.data(), end), weight, sums);
        if (divisor > 0)
            for (double& sum : sums) sum /= divisor;
        if (common_.size() > 0) {
            double along = 0;
            for (std::size_t j = 0; j < sums.size(); ++j) along += sums[j] * common_(static_cast<row_index>(j));
            for (std::size_t j = 0; j < sums.size(); ++j) sums[j] -= along * common_(static_cast<row_index>(j));
        }
        for (std::size_t j = 0; j < sums.size(); ++j) {
            require_at(std::abs(sums[j]) <= static_cast<double>(std::numeric_limits<T>::max()), errc::number_out_of_range, {.row = row, .column = j + 1}, kind,
                       ": the sum of row ", row, ", dimension ", j + 1, " is beyond the number type");
            out[j] = static_cast<T>(sums[j]);
        }
    }

    embedding_table<T> table_;
    vec<double> weights_, common_;
    token_id unknown_;
    unknown_tokens policy_;
    bool by_weight_;
};

/// Recipe for a `weighted_bag_model`: learns from texts how frequent words are and, if asked, what all texts have in common.
/// With `sif` and `remove_common` these are the sentence vectors of Arora, Liang & Ma (ICLR 2017).
template <class T>
struct weighted_bag {
    using stage_concept = recipe_tag;

    embedding_table<T> table;  ///< row i is the vector of id i, for every id of the tokenizer
    token_weighting weighting = token_weighting::sif;
    double smoothing = 1e-3;                        ///< a of `sif`, above 0
    bool remove_common = true;                      ///< takes away the part along the first singular vector of the training texts
    unknown_tokens unknown = unknown_tokens::skip;

    /// Throws `error`: `bad_parameter`, `bad_data` (an empty table), `empty_input`, `shape_mismatch`, `unknown_id`.
    [[nodiscard]] weighted_bag_model<T> fit(const token_ids& tokens, const fit_options&) const {
        constexpr std::string_view kind = weighted_bag_model<T>::kind;
        require(weighting <= token_weighting::sif, errc::bad_parameter, kind, ": no weighting has the number ", static_cast<unsigned>(weighting));
        require(smoothing > 0 && std::isfinite(smoothing), errc::bad_parameter, kind, ": smoothing = ", smoothing, ", must be above 0");
        require(!tokens.empty(), errc::empty_input, kind, ": no texts to learn from");
        detail::require_table(table, kind);
        detail::require_tokens(tokens, table, kind);
        const weighted_bag_model<T> plain(table, learn_weights(tokens), weighting != token_weighting::sif, tokens.unknown, unknown, vec<double>());
        return {table,          plain.weights(), weighting != token_weighting::sif,
                tokens.unknown, unknown,         remove_common ? first_direction(plain(tokens)) : vec<double>()};
    }

   private:
    [[nodiscard]] vec<double> learn_weights(const token_ids& tokens) const {
        vec<double> weights = vec<double>::Ones(static_cast<row_index>(table.size()));
        if (weighting == token_weighting::equal) return weights;
        std::vector<std::size_t> last(table.size()), texts(table.size()), times(table.size());
        std::size_t all = 0;
        for (std::size_t i = 0; i < tokens.size(); ++i)
            for (const token_id id : tokens[i]) {
                if (id == tokens.unknown && unknown != unknown_tokens::keep) continue;
                const auto at = static_cast<std::size_t>(id);
                ++times[at];
                ++all;
                if (std::exchange(last[at], i + 1) != i + 1) ++texts[at];
            }
        for (std::size_t id = 0; id < table.size(); ++id) {
            const double share = all == 0 ? 0 : static_cast<double>(times[id]) / static_cast<double>(all);
            weights(static_cast<row_index>(id)) = weighting == token_weighting::sif
                                                      ? smoothing / (smoothing + share)
                                                      : std::log(static_cast<double>(1 + tokens.size()) / static_cast<double>(1 + texts[id])) + 1;
        }
        return weights;
    }
    // The first right singular vector, by power iteration from the longest row. Empty where all is zero.
    [[nodiscard]] static vec<double> first_direction(const matrix<T>& x) {
        vec<double> direction = vec<double>::Zero(x.cols());
        row_index longest = 0;
        double most = 0;
        for (row_index i = 0; i < x.rows(); ++i)
            if (const double square = x.row(i).template cast<double>().squaredNorm(); square > most) {
                most = square;
                longest = i;
            }
        if (!(most > 0) || !std::isfinite(most)) return vec<double>();
        direction = x.row(longest).template cast<double>().transpose() / std::sqrt(most);
        for (int step = 0; step < 200; ++step) {
            vec<double> next = vec<double>::Zero(x.cols());
            for (row_index i = 0; i < x.rows(); ++i) {
                const auto row = x.row(i).template cast<double>();
                next += row.dot(direction) * row.transpose();
            }
            next /= next.norm();
            const double moved = (next - direction).norm();
            direction = std::move(next);
            if (moved < 1e-9) break;
        }
        return direction;
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
