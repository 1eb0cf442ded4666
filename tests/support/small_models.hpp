#ifndef CARAMEL_TESTS_SUPPORT_SMALL_MODELS_HPP
#define CARAMEL_TESTS_SUPPORT_SMALL_MODELS_HPP

// A small model of each of many kinds, made from its fields where that is short, to save, to alter and to load again; and a use of each,
// which throws `std::logic_error` where the answer is nonsense. (`caramel::error` may come from a model that does not fit the question.)

#include <cmath>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/ragged.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/table.hpp>
#include <caramel/features/bucketize.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/sparse_logistic.hpp>
#include <caramel/policy/q_policy.hpp>
#include <caramel/policy/state_space.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/text/bpe.hpp>
#include <caramel/text/chinese.hpp>
#include <caramel/text/ngram_tokenizer.hpp>
#include <caramel/text/normalize.hpp>
#include <caramel/text/tfidf.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/wordpiece.hpp>
#include <caramel/trees/boosted_trees.hpp>
#include <caramel/pipeline.hpp>

namespace small_models {

using namespace caramel;

inline standardize_model<double> make_standardize() { return {vec<double>{{1, 2, 3}}, vec<double>{{1, 0.5, 2}}}; }
inline impute_model make_impute() { return {{"age", "plan"}, {column_type::number, column_type::category}, {30, 0}, {"", "basic"}, {0}}; }
inline encode_model<float> make_encode() { return {{"age", "plan"}, {column_type::number, column_type::category}, {"basic", "family"}, {0, 0, 2}}; }
inline columns_model make_columns() { return columns_model({"age", "plan"}); }
inline bucketize_model<double> make_bucketize() { return {{1, 2, 5, 0}, {0, 3, 4}, true}; }
inline sparse_logistic_model<float> make_logistic() { return {5, {1, 3}, matrix<float>::Constant(2, 1, 0.5F), vec<float>::Zero(1)}; }
inline boosted_trees_model<float> make_trees() {
    return {vec<double>::Zero(1), {0, 3, 4}, {0, -1, -1, -1}, {0.5F, 1, -1, 0.25F}, {1, 0, 0, 0}, vec<double>::Constant(2, 1)};
}

inline word_tokenizer_model make_words() { return fit(word_tokenizer{}, std::vector<std::string>{"hello w\u00F6rld hello"}); }
inline bpe_model make_bpe() { return {vocabulary({"H", "e", "l", "He", "Hel", "<s>"}), {0, 1, 3, 2}, {}, {}, {.unknown = 5}}; }
inline wordpiece_model make_wordpieces() { return make_wordpiece(vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "##o"})); }
inline char_tokenizer_model make_characters() { return fit(char_tokenizer{}, std::vector<std::string>{"hello", "w\u00F6rld"}); }
inline tfidf_model<float> make_tfidf() { return fit(tfidf<float>{}, std::vector<std::string>{"hello w\u00F6rld", "hello"}); }
inline normalize_text make_normal() { return normalize_text({.form = normal_form::nfkc, .lowercase = true}); }
inline chinese_segmenter make_chinese() { return chinese_segmenter(chinese_dictionary(std::vector<std::string>{"\u4F60\u597D", "\u4E16\u754C"})); }

inline interactions<float> purchases() { return {id_table({"ann", "bob"}, {}), id_table({}, {3, 5, 9}), {0, 2, 3}, {0, 2, 1}, {1, 2, 1}, {}}; }
inline popularity_model<float> make_popularity() { return {purchases(), {2, 1, 1}}; }
inline item_neighbors_model<float> make_neighbors() { return {purchases(), {0, 1, 2, 2}, {1, 2}, {0.5F, 0.25F}, weighting::ones}; }
inline q_policy<float> make_policy() {
    q_table<float> values({2}, 3, 0.5F);
    return {values, true, 1};
}
inline state_space_model<float, 2> make_space() {
    ragged<double> cuts;
    cuts.append_row(std::vector<double>{1, 2});
    cuts.append_row(std::vector<double>{0.5});
    return {{"orders", "age"}, std::move(cuts), {"none", "some", "many", "new", "old"}};
}

inline void expect(bool holds) {
    if (!holds) throw std::logic_error("a model that was loaded answers nonsense");
}
template <class Numbers>
void expect_finite(const Numbers& numbers) {
    for (const auto x : numbers) expect(std::isfinite(x));
}

inline table customers() {
    table out;
    out.add_column("age", std::vector<double>{20, 35.5, 61});
    out.add_column("plan", std::vector<std::string>{"basic", "family", "basic"});
    return out;
}
inline void use_standardize(const standardize_model<double>& model) {
    workspace scratch;
    const std::vector<double> row(static_cast<std::size_t>(model.mean().size()), 1.5);
    expect(model(std::span<const double>(row), scratch).size() == row.size());
}
inline void use_impute(const impute_model& model) { expect(model(customers()).rows() == 3); }
inline void use_encode(const encode_model<float>& model) {
    const matrix<float> out = model(customers());
    expect(out.rows() == 3 && out.allFinite());
}
inline void use_columns(const columns_model& model) { expect(model(customers()).rows() == 3); }
inline void use_bucketize(const bucketize_model<double>& model) { expect(model(matrix<double>(matrix<double>::Constant(2, 2, 1.5))).allFinite()); }
inline void use_logistic(const sparse_logistic_model<float>& model) {
    expect(model.kept().size() <= model.inputs());
    if (model.inputs() > 1000) return;
    workspace scratch;
    const std::vector<float> row(model.inputs(), 0.5F);
    expect_finite(model(std::span<const float>(row), scratch));
}
inline void use_trees(const boosted_trees_model<float>& model) {
    workspace scratch;
    const std::vector<float> row(model.inputs(), 0.75F);
    (void)model(std::span<const float>(row), scratch);
}

inline const std::string sample = "Hello, \u4F60\u597D w\u00F6rld!";

template <class Model>
void use_encoder(const Model& model) {
    const auto ids = model(sample);
    for (const token_id id : ids) expect(id >= 0 && static_cast<std::size_t>(id) < model.vocabulary_size());
    (void)model.decode(ids);
}
inline void use_wordpieces(const wordpiece_model& model) {
    (void)model.decode(model(sample));
}
template <class Model>
void use_tokens(const Model& model) {
    (void)model.decode(model(sample));
}
inline void use_tfidf(const tfidf_model<float>& model) {
    workspace scratch;
    const auto row = model(std::string_view(sample), scratch);
    for (const auto column : row.columns) expect(column >= 0 && static_cast<std::size_t>(column) < model.columns());
    expect_finite(row.values);
}
inline void use_normal(const normalize_text& model) { expect(find_bad_utf8(model(sample)) == std::string_view::npos); }
inline void use_chinese(const chinese_segmenter& model) {
    std::size_t last = 0;
    model.split(sample, [&](std::size_t begin, std::size_t end) {
        expect(begin == last && end > begin);
        last = end;
    });
    expect(last == sample.size());
}

template <class Model>
void use_recommender(const Model& model) {
    const std::vector<query> asked{{.customer = "ann", .n = 2}};
    const auto lists = model(asked);
    for (const auto& pick : lists[0]) expect(std::isfinite(pick.score));
}
inline void use_policy(const q_policy<float>& model) {
    const choice taken = model(decision<1>{.state = {0}});
    expect(std::isfinite(taken.value));
}
inline void use_space(const state_space_model<float, 2>& model) {
    workspace scratch;
    const std::vector<float> row{1.5F, 0.25F};
    const auto at = model(std::span<const float>(row), scratch);
    for (std::size_t d = 0; d < 2; ++d) expect(at.state[d] < model.shape()[d]);
}

}  // namespace small_models

#endif
