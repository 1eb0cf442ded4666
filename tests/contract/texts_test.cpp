// Texts, through the common contract (docs/contract.md). A new component gets an adapter here.
#include <cmath>
#include <string>
#include <vector>

#include <caramel/linear/linear_svm.hpp>
#include <caramel/nn/embedding_bag.hpp>
#include <caramel/privacy/redact.hpp>
#include <caramel/recipes/intent.hpp>
#include <caramel/recipes/sentiment.hpp>
#include <caramel/text/bpe.hpp>
#include <caramel/text/chinese.hpp>
#include <caramel/text/clean.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/nb_ratios.hpp>
#include <caramel/text/ngram_tokenizer.hpp>
#include <caramel/text/normalize.hpp>
#include <caramel/text/phrases.hpp>
#include <caramel/text/pool.hpp>
#include <caramel/text/subword.hpp>
#include <caramel/text/tfidf.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/weighted_bag.hpp>
#include <caramel/text/word2vec.hpp>
#include <caramel/text/wordpiece_fit.hpp>

#include "contract/data.hpp"
#include "support/catch.hpp"

namespace contract {
namespace {

struct word_tokenizer_component : texts_component {
    static constexpr std::string_view name = "word_tokenizer";
    auto recipe() const { return word_tokenizer{.min_count = 1, .keep_punctuation = true}; }
};
struct chinese_tokenizer_component : texts_component {
    static constexpr std::string_view name = "chinese_tokenizer";
    auto recipe() const {
        const auto dictionary = chinese_dictionary(std::vector<std::string>{"订单", "order", "plan"}).with({{"thank", 0}});
        const auto hmm = chinese_hmm::fit(std::vector<std::vector<std::string>>{{"订单", "好"}});
        return chinese_tokenizer{.segmenter = chinese_segmenter(dictionary, hmm), .keep_punctuation = true};
    }
};
struct phrases_component : texts_component {
    static constexpr std::string_view name = "word_tokenizer | phrases";
    auto recipe() const { return word_tokenizer{} | phrases{.threshold = 0.5, .min_count = 1}; }
};
struct char_tokenizer_component : texts_component {
    static constexpr std::string_view name = "char_tokenizer";
    auto recipe() const { return char_tokenizer{.keep_spaces = true}; }
};
struct ngram_tokenizer_component : texts_component {
    static constexpr std::string_view name = "ngram_tokenizer";
    auto recipe() const { return ngram_tokenizer{.longest = 2, .words = true}; }
};
struct normalize_component : texts_component {
    static constexpr std::string_view name = "normalize_text | word_tokenizer";
    auto recipe() const { return normalize_text({.strip_accents = true}) | word_tokenizer{}; }
};
struct clean_component : texts_component {
    static constexpr std::string_view name = "stages of text/clean.hpp | redact | word_tokenizer";
    auto recipe() const {
        return repair_text() | decode_entities() | remove_html() | replace_urls() | replace_emails("mail") | replace_phones() |
               handle_emoji(emoji_policy::remove) | narrow_forms() | limit_repeats(2) | squeeze_spaces() | redact() | word_tokenizer{};
    }
};
struct bpe_component : texts_component {
    static constexpr std::string_view name = "bpe";
    auto recipe() const { return bpe{.vocabulary_size = 300}; }
};
struct wordpiece_component : texts_component {
    static constexpr std::string_view name = "wordpiece";
    auto recipe() const { return wordpiece{.vocabulary_size = 200, .defaults = {.max_length = 12}}; }
};
struct embedding_component : texts_component {
    static constexpr std::string_view name = "word_tokenizer | random_embedding";
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | random_embedding<float>{.dim = 5}; }
    // A batch pads to its longest text, one text to none: what counts is compared through the pools.
    static constexpr std::array skipped{texts_component::skipped[0], texts_component::skipped[1], skip{"C15", "padding depends on the batch; see the pools"},
                                        skip{"C16", "padding depends on the batch; see the pools"}};
};
template <class Pool>
struct pool_component : texts_component {
    static constexpr std::string_view name = Pool::kind;
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | random_embedding<float>{.dim = 5} | Pool{}; }
};
struct bag_component : texts_component {
    static constexpr std::string_view name = "bag_of_embeddings";
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | bag_of_embeddings<double>{.dim = 5}; }
};
struct word2vec_component : texts_component {
    static constexpr std::string_view name = "word2vec | mean_pool";
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | word2vec<float>{.dim = 5, .epochs = 2, .min_count = 1} | mean_pool{}; }
};
struct subword_component : texts_component {
    static constexpr std::string_view name = "subword_word2vec | sum_pool";
    static constexpr bool random = true;
    auto recipe() const {
        return subword_word2vec<double>{.training = {.dim = 4, .mode = word2vec_mode::cbow, .epochs = 2, .min_count = 1}, .buckets = 50} | sum_pool{};
    }
};
struct weighted_bag_component : texts_component {
    static constexpr std::string_view name = "weighted_bag";
    auto recipe() const {
        rng numbers(1);
        return weighted_bag<float>{.table = embedding_table<float>::random(30, 4, numbers)};
    }
    auto data(std::size_t rows, std::uint64_t seed) const {
        auto ids = fit(word_tokenizer{}, texts(20, 1))(texts(rows, seed));
        ids.vocabulary_size = 30;
        return ids;
    }
};

struct tfidf_component : texts_component {
    static constexpr std::string_view name = "tfidf";
    auto recipe() const { return tfidf<float>{.ngrams = {{ngram_unit::tokens, 1, 2}, {ngram_unit::characters, 1, 3}}, .balanced = true}; }
};
struct nb_ratios_component : texts_component {
    static constexpr std::string_view name = "tfidf | nb_ratios | linear_svm";
    static constexpr bool random = true;
    auto recipe() const {
        return tfidf<float>{.weighting = term_weight::present, .idf = false, .unit_length = false} | nb_ratios<float>{} | linear_svm<float>{};
    }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
};
// Recipes that learn classes from texts.
template <class Recipe, int Classes>
struct text_classifier_component : texts_component {
    static constexpr std::string_view name = std::same_as<Recipe, sentiment> ? "sentiment" : "intent";
    static constexpr bool random = true;
    auto recipe() const { return Recipe{}; }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, Classes); }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEST_CASE("contract: texts", "[contract]") {
    check_component(word_tokenizer_component{});
    check_component(char_tokenizer_component{});
    check_component(ngram_tokenizer_component{});
    check_component(chinese_tokenizer_component{});
    check_component(phrases_component{});
    check_component(normalize_component{});
    check_component(clean_component{});
    check_component(embedding_component{});
    check_component(pool_component<mean_pool>{});
    check_component(pool_component<sum_pool>{});
    check_component(wordpiece_component{});
    check_component(pool_component<max_pool>{});
    check_component(bag_component{});
    check_component(bpe_component{});
    check_component(word2vec_component{});
    check_component(subword_component{});
    check_component(weighted_bag_component{});
    check_component(tfidf_component{});
    check_component(nb_ratios_component{});
    check_component(text_classifier_component<sentiment, 2>{});
    check_component(text_classifier_component<intent, 3>{});
}
