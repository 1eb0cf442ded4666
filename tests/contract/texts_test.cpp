// Texts, through the common contract (docs/contract.md). A new component gets an adapter here.
#include <cmath>
#include <string>
#include <vector>

#include <caramel/nn/embedding_bag.hpp>
#include <caramel/recipes/intent.hpp>
#include <caramel/recipes/sentiment.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/normalize.hpp>
#include <caramel/text/pool.hpp>
#include <caramel/text/tfidf.hpp>
#include <caramel/text/tokenizer.hpp>

#include "contract/data.hpp"

namespace contract {
namespace {

struct word_tokenizer_component : no_numbers {
    static constexpr std::string_view name = "word_tokenizer";
    auto recipe() const { return word_tokenizer{.min_count = 1, .keep_punctuation = true}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
};
struct normalize_component : no_numbers {
    static constexpr std::string_view name = "normalize_text | word_tokenizer";
    auto recipe() const { return normalize_text({.strip_accents = true}) | word_tokenizer{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
};
struct embedding_component : no_numbers {
    static constexpr std::string_view name = "word_tokenizer | random_embedding";
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | random_embedding<float>{.dim = 5}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
    // A batch pads to its longest text, one text to none: what counts is compared through the pools.
    static constexpr std::array skipped{no_numbers::skipped[0], no_numbers::skipped[1], skip{"C15", "padding depends on the batch; see the pools"},
                                        skip{"C16", "padding depends on the batch; see the pools"}};
};
template <class Pool>
struct pool_component : no_numbers {
    static constexpr std::string_view name = Pool::kind;
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | random_embedding<float>{.dim = 5} | Pool{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
};
struct bag_component : no_numbers {
    static constexpr std::string_view name = "bag_of_embeddings";
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | bag_of_embeddings<double>{.dim = 5}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
};

struct tfidf_component : no_numbers {
    static constexpr std::string_view name = "tfidf";
    auto recipe() const { return tfidf<float>{.ngrams = {{ngram_unit::tokens, 1, 2}, {ngram_unit::characters, 1, 3}}, .balanced = true}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
};
// Recipes that learn classes from texts.
template <class Recipe, int Classes>
struct text_classifier_component : no_numbers {
    static constexpr std::string_view name = std::same_as<Recipe, sentiment> ? "sentiment" : "intent";
    static constexpr bool random = true;
    auto recipe() const { return Recipe{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, Classes); }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEMPLATE_TEST_CASE("contract: texts", "[contract]", word_tokenizer_component, normalize_component, embedding_component, pool_component<mean_pool>, pool_component<sum_pool>,
                   pool_component<max_pool>, bag_component, tfidf_component, (text_classifier_component<sentiment, 2>), (text_classifier_component<intent, 3>)) {
    check_component(TestType{});
}
