#ifndef CARAMEL_TEXT_WORD2VEC_HPP
#define CARAMEL_TEXT_WORD2VEC_HPP

// Word vectors learnt from texts: words that stand among the same words come to lie close to each other.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/word2vec_training.hpp>

namespace caramel::inline CARAMEL_ABI {

namespace detail {

// The corpus of what occurs often enough, and the number of each id in it, or -1.
template <class = void>
inline word2vec_corpus word2vec_corpus_of(const token_ids& tokens, const word2vec_settings& o, bool skip_unknown, std::vector<std::int32_t>& numbers,
                                          std::string_view who) {
    require(!tokens.empty(), errc::empty_input, who, ": no texts to learn from");
    require(tokens.vocabulary_size > 0, errc::bad_data, who, ": the token ids do not say how large their vocabulary is");
    std::vector<std::uint64_t> counts(tokens.vocabulary_size);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        require_ids(tokens[i], tokens.vocabulary_size, i + 1, who);
        for (const token_id id : tokens[i]) ++counts[static_cast<std::size_t>(id)];
    }
    word2vec_corpus out;
    numbers.assign(tokens.vocabulary_size, -1);
    for (std::size_t id = 0; id < counts.size(); ++id) {
        if (counts[id] < o.min_count || (skip_unknown && (std::cmp_equal(id, tokens.unknown) || std::cmp_equal(id, tokens.padding)))) continue;
        numbers[id] = static_cast<std::int32_t>(out.counts.size());
        out.counts.push_back(counts[id]);
    }
    require(!out.counts.empty(), errc::bad_data, who, ": no word occurs min_count = ", o.min_count, " times");
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        for (const token_id id : tokens[i])
            if (const std::int32_t number = numbers[static_cast<std::size_t>(id)]; number >= 0) out.add(static_cast<std::uint32_t>(number));
        out.end_piece();
    }
    return out;
}

}  // namespace detail

/// Recipe for an `embedding_model` of word vectors learnt from which words stand near each other: skip-gram or CBOW with
/// negative sampling (Mikolov, Sutskever, Chen, Corrado & Dean, NIPS 2013), the negatives shared by all words of a window, so
/// that a step is a product of small matrices (Ji, Satish, Li & Dubey, IEEE TPDS 30(9), 2019), and drawn from a pool of as
/// many as there are words in a block of the corpus. Windows do not cross the ends of texts.
///
///     const auto model = fit(word_tokenizer{.min_count = 5} | word2vec<float>{.dim = 100}, texts, {.threads = 0});
///     const auto close = nearest(model.get<1>().table(), id, 10);
template <class T>
struct word2vec {
    using stage_concept = recipe_tag;
    static constexpr std::string_view kind = "word2vec";

    std::size_t dim = 100;  ///< 1 .. 65,536
    word2vec_mode mode = word2vec_mode::skip_gram;
    std::size_t window = 5;        ///< up to so many words on each side, for each place a number from 1 to this; at most 64
    std::size_t negatives = 5;     ///< words drawn at random for each place; at most 1,000
    std::size_t epochs = 5;
    std::size_t min_count = 5;     ///< rarer words are left out, as if they stood nowhere; their vectors are zeros
    double subsample = 1e-3;       ///< words with a larger share of the corpus are left out now and then; 0 = never
    double learning_rate = 0.025;  ///< falls linearly
    double final_rate = 1e-4;      ///< to this
    double negative_power = 0.75;  ///< words are drawn by their count to this power
    /// Leaves out `unknown` and `padding`, as if they stood nowhere; `false` where these are words like others.
    bool skip_unknown = true;

    /// The defaults are those of word2vec.c and gensim. Row i of the table is the vector of id i; zeros for ids that were left out.
    /// Throws `error`: `bad_parameter`, `empty_input`, `unknown_id`, `bad_data` when no word occurs often enough, `diverged`.
    [[nodiscard]] embedding_model<T> fit(const token_ids& tokens, const fit_options& options) const {
        const detail::word2vec_settings settings = detail_settings();
        detail::require_word2vec(settings, detail::max_embedding_dim, kind);
        std::vector<std::int32_t> numbers;
        const auto corpus = detail::word2vec_corpus_of(tokens, settings, skip_unknown, numbers, kind);
        auto table = make_tensor<T, 2>({tokens.vocabulary_size, dim});
        const typename detail::word2vec_training<T>::word_parts whole;
        detail::word2vec_training<T> training(settings, corpus, whole, corpus.counts.size(), stage_rng(options, kind));
        training.run(options, kind);
        for (std::size_t id = 0; id < numbers.size(); ++id)
            if (numbers[id] >= 0) training.vector_of(static_cast<std::size_t>(numbers[id]), std::span(table.data() + id * dim, dim));
        return embedding_model<T>(embedding_table<T>(std::move(table)));
    }
    [[nodiscard]] detail::word2vec_settings detail_settings() const noexcept {
        return {dim, mode, window, negatives, epochs, min_count, subsample, learning_rate, final_rate, negative_power};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
