#ifndef CARAMEL_TEXT_SUBWORD_HPP
#define CARAMEL_TEXT_SUBWORD_HPP

// Word vectors that are made of the vectors of a word's parts, so that a word that was never seen, or is misspelt, has one, too.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/padded.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/word2vec.hpp>
#include <caramel/text/word2vec_training.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Calls `gram(hash)` with the 32-bit hash of each run of `shortest` to `longest` code points of `<word>`, from left to right, the
/// shortest first: those of fastText 0.9.2 (FNV-1a over bytes with a sign; the brackets alone are no run).
/// `word` is valid UTF-8, which is not checked.
template <class Gram>
void for_each_subword(std::string_view word, std::size_t shortest, std::size_t longest, const Gram& gram) {
    const std::size_t size = word.size() + 2;
    const auto byte = [&](std::size_t i) { return i == 0 ? '<' : i + 1 == size ? '>' : word[i - 1]; };
    const auto within = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
    for (std::size_t begin = 0; begin < size; ++begin) {
        if (within(byte(begin))) continue;
        std::uint32_t hash = 2166136261U;
        std::size_t at = begin;
        for (std::size_t n = 1; n <= longest && at < size; ++n) {
            do {
                hash = (hash ^ static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<signed char>(byte(at))))) * 16777619U;
                ++at;
            } while (at < size && within(byte(at)));
            if (n >= shortest && !(n == 1 && (begin == 0 || at == size))) gram(hash);
        }
    }
}

/// Texts -> the vectors of their words: that of the vocabulary, or for another word the mean of the vectors of its parts.
template <class T>
class subword_embedding_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "subword_embedding";  // in saved files: never changes
    static constexpr std::size_t max_values = embedding_model<T>::max_values;

    /// `words`: a row for each id of the tokenizer; `parts`: a row for each bucket of hashes.
    /// Throws `error`: `shape_mismatch`, `bad_parameter`, `bad_data`.
    subword_embedding_model(word_tokenizer_model tokenizer, embedding_table<T> words, embedding_table<T> parts, std::uint64_t shortest, std::uint64_t longest)
        : tokenizer_(std::move(tokenizer)), words_(std::move(words)), parts_(std::move(parts)), shortest_(shortest), longest_(longest) {
        detail::require_table(words_, kind);
        detail::require_table(parts_, kind);
        require(words_.size() == tokenizer_.words().size(), errc::shape_mismatch, kind, ": ", tokenizer_.words().size(), " words but ", words_.size(), " rows");
        require(parts_.dim() == words_.dim(), errc::shape_mismatch, kind, ": words of ", words_.dim(), " dimensions, parts of ", parts_.dim());
        require(shortest >= 1 && shortest <= longest && longest <= 64, errc::bad_parameter, kind, ": parts of ", shortest, " to ", longest,
                " code points, must be within 1 .. 64");
    }

    /// Texts -> (batch, words of the longest text, dim), zeros behind the end of each.
    /// Throws `error`: `bad_utf8` with the text's number and the byte, `limit_exceeded` above `max_values`.
    [[nodiscard]] padded<T> operator()(const std::vector<std::string>& texts) const {
        padded<T> out;
        std::size_t longest = 0;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            require_utf8(texts[i], i + 1, kind);
            const std::size_t n = count_words(texts[i]);
            longest = std::max(longest, n);
            out.lengths.push_back(static_cast<std::int32_t>(std::min<std::size_t>(n, 0x7fffffff)));
        }
        require(longest == 0 || texts.size() <= max_values / dim() / longest, errc::limit_exceeded, kind, ": ", texts.size(), " texts, the longest of ",
                longest, " words, in ", dim(), " dimensions are more than ", max_values, " values: set the tokenizer's max_tokens");
        out.values = make_tensor<T, 3>({texts.size(), longest, dim()});
        for (std::size_t i = 0; i < texts.size(); ++i) embed(texts[i], out.values.data() + i * longest * dim());
        return out;
    }
    /// One text: (words, dim), in the workspace; the same bits as in a batch.
    [[nodiscard]] padded_row<T> operator()(std::string_view text, workspace& scratch) const {
        const workspace::frame frame(scratch);
        require_utf8(text, 1, kind);
        const std::size_t n = count_words(text);
        require(n <= max_values / dim(), errc::limit_exceeded, kind, ": ", n, " words in ", dim(), " dimensions are more than ", max_values, " values");
        const auto out = scratch.take<T>(n * dim());
        embed(text, out.data());
        return {out, n, dim()};
    }

    /// The vector of one word as it stands, without lower case or splitting. Throws `error` (`bad_utf8`).
    [[nodiscard]] std::vector<T> vector_of(std::string_view word) const {
        require_utf8(word, 1, kind);
        std::vector<T> out(dim());
        embed_word(word, out.data());
        return out;
    }
    [[nodiscard]] std::size_t dim() const noexcept { return words_.dim(); }
    [[nodiscard]] const word_tokenizer_model& tokenizer() const noexcept { return tokenizer_; }
    [[nodiscard]] const embedding_table<T>& words() const noexcept { return words_; }
    [[nodiscard]] const embedding_table<T>& parts() const noexcept { return parts_; }
    [[nodiscard]] std::uint64_t shortest() const noexcept { return shortest_; }
    [[nodiscard]] std::uint64_t longest() const noexcept { return longest_; }

    static constexpr std::array field_names{"tokenizer", "words", "parts", "shortest", "longest"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(tokenizer_, words_, parts_, shortest_, longest_); }

   private:
    template <class Word>
    void scan(std::string_view text, const Word& word) const {
        std::uint64_t n = 0;
        detail::scan_words(text, tokenizer_.keep_punctuation(), [&](std::size_t begin, std::size_t end) {
            word(begin, end);
            return ++n != tokenizer_.max_tokens();
        });
    }
    [[nodiscard]] std::size_t count_words(std::string_view text) const {
        std::size_t n = 0;
        scan(text, [&](std::size_t, std::size_t) { ++n; });
        return n;
    }
    void embed(std::string_view text, T* out) const {
        detail::token_buffer buffer;
        scan(text, [&](std::size_t begin, std::size_t end) {
            if (const auto normal = detail::normalized_word(text, begin, end, tokenizer_.lowercase(), buffer)) embed_word(*normal, out);
            else std::fill_n(out, dim(), T(0));
            out += dim();
        });
    }
    void embed_word(std::string_view word, T* out) const {
        if (const auto id = tokenizer_.words().find(word)) {
            std::ranges::copy(words_[static_cast<std::size_t>(*id)], out);
            return;
        }
        std::fill_n(out, dim(), T(0));
        std::size_t n = 0;
        for_each_subword(word, static_cast<std::size_t>(shortest_), static_cast<std::size_t>(longest_), [&](std::uint32_t hash) {
            const auto row = parts_[hash % parts_.size()];
            for (std::size_t j = 0; j < dim(); ++j) out[j] += row[j];
            ++n;
        });
        for (std::size_t j = 0; j < dim() && n > 0; ++j) out[j] /= static_cast<T>(n);
    }

    word_tokenizer_model tokenizer_;
    embedding_table<T> words_, parts_;
    std::uint64_t shortest_, longest_;
};

/// Recipe for a `subword_embedding_model`: `word2vec` where the vector of a word is the mean of its own and of those of its
/// parts (Bojanowski, Grave, Joulin & Mikolov, TACL 5, 2017). Parts are told apart by a hash alone.
/// For Chinese, let the parts have 1 to 3 code points.
template <class T>
struct subword_word2vec {
    using stage_concept = recipe_tag;
    static constexpr std::string_view kind = "subword_word2vec";

    word_tokenizer words = {};    ///< the rarer of its words and of `training.min_count` are known by their parts alone
    word2vec<T> training = {};
    std::size_t shortest = 3, longest = 6;  ///< parts of so many code points, those at the ends of a word with a bracket; 1 .. 64
    std::size_t buckets = 100'000;          ///< so many vectors for all parts; 1 .. 2^31 - 1

    /// Throws `error`: what `word_tokenizer` and `word2vec` throw; `bad_parameter`.
    [[nodiscard]] subword_embedding_model<T> fit(const std::vector<std::string>& texts, const fit_options& options) const {
        const detail::word2vec_settings settings = training.detail_settings();
        detail::require_word2vec(settings, detail::max_embedding_dim, kind);
        require(shortest >= 1 && shortest <= longest && longest <= 64, errc::bad_parameter, kind, ": parts of shortest = ", shortest, " to longest = ", longest,
                " code points, must be within 1 .. 64");
        require(buckets >= 1 && buckets <= 0x7fffffff, errc::bad_parameter, kind, ": buckets = ", buckets, ", must lie in 1 .. 2147483647");
        word_tokenizer often = words;
        often.min_count = std::max(words.min_count, training.min_count);
        auto tokenizer = often.fit(texts, options);
        std::vector<std::int32_t> numbers;
        const auto corpus = detail::word2vec_corpus_of(tokenizer(texts), settings, true, numbers, kind);
        // The row of each word, and behind all words those of the parts.
        typename detail::word2vec_training<T>::word_parts rows;
        const std::size_t n = corpus.counts.size();
        std::vector<bool> used(buckets);
        rows.starts.push_back(0);
        for (std::size_t id = 0; id < numbers.size(); ++id) {
            if (numbers[id] < 0) continue;
            rows.rows.push_back(static_cast<std::uint32_t>(numbers[id]));
            for_each_subword(tokenizer.words()[static_cast<token_id>(id)], shortest, longest, [&](std::uint32_t hash) {
                rows.rows.push_back(static_cast<std::uint32_t>(n + hash % buckets));
                used[hash % buckets] = true;
            });
            rows.starts.push_back(rows.rows.size());
        }
        detail::word2vec_training<T> run(settings, corpus, rows, n + buckets, stage_rng(options, kind));
        run.run(options, kind);
        auto table = make_tensor<T, 2>({tokenizer.words().size(), training.dim}), parts = make_tensor<T, 2>({buckets, training.dim});
        for (std::size_t id = 0; id < numbers.size(); ++id)
            if (numbers[id] >= 0) run.vector_of(static_cast<std::size_t>(numbers[id]), std::span(table.data() + id * training.dim, training.dim));
        for (std::size_t b = 0; b < buckets; ++b)  // a part of no word stays zeros
            if (used[b]) std::copy_n(run.inputs()[n + b], training.dim, parts.data() + b * training.dim);
        return {std::move(tokenizer), embedding_table<T>(std::move(table)), embedding_table<T>(std::move(parts)), shortest, longest};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
