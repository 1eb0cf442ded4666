// Files of saved models: loaded, they answer with finite numbers and valid ids, and save as the same bytes; or `caramel::error`.
// 0 of numbers and tables, 1 of texts, 2 of customers and decisions. A byte chooses the type of the model, then comes the file. The
// mutator begins with files of small models made here, changes their tensors one by one, and makes lengths and checksums right.

#include <array>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/core/workspace.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/table.hpp>
#include <caramel/features/bucketize.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/linear/sparse_logistic.hpp>
#include <caramel/pipeline.hpp>
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

#include "model_bytes.hpp"
#include "support.hpp"

using namespace caramel;

namespace {

// A type of model: the file of a small one, and what is done with a file.
struct kind {
    std::string (*first)();
    void (*try_file)(std::string_view);
};
template <auto Make, auto Use, bool Slow = false>  // `Slow`: tables for all characters are built, which takes milliseconds
constexpr kind kind_of() {
    return {[] {
                const auto bytes = to_bytes(Make());
                return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            },
            [](std::string_view file) {
                if (Slow && !fuzz::worth_a_long_look(file)) return;
                std::string copy(file);
                if (fuzz::make_checksum_right(copy)) fuzz::load_and_use<decltype(Make())>(copy, Use);
            }};
}

template <class Numbers>
void expect_finite(const Numbers& numbers) {
    for (const auto x : numbers) EXPECT(std::isfinite(x));
}

// ---- numbers and tables ----------------------------------------------------------------------------------------------
table customers() {
    table out;
    out.add_column("age", std::vector<double>{20, 35.5, 61});
    out.add_column("plan", std::vector<std::string>{"basic", "family", "basic"});
    return out;
}
standardize_model<double> make_standardize() { return {vec<double>{{1, 2, 3}}, vec<double>{{1, 0.5, 2}}}; }
void use_standardize(const standardize_model<double>& model) {
    workspace scratch;
    const std::vector<double> row(static_cast<std::size_t>(model.mean().size()), 1.5);
    EXPECT(model(std::span<const double>(row), scratch).size() == row.size());
}
impute_model make_impute() { return {{"age", "plan"}, {column_type::number, column_type::category}, {30, 0}, {"", "basic"}, {0}}; }
void use_impute(const impute_model& model) { EXPECT(model(customers()).rows() == 3); }
encode_model<float> make_encode() { return {{"age", "plan"}, {column_type::number, column_type::category}, {"basic", "family"}, {0, 0, 2}}; }
void use_encode(const encode_model<float>& model) {
    const matrix<float> out = model(customers());
    EXPECT(out.rows() == 3 && out.allFinite());
}
columns_model make_columns() { return columns_model({"age", "plan"}); }
void use_columns(const columns_model& model) { EXPECT(model(customers()).rows() == 3); }
bucketize_model<double> make_bucketize() { return {{1, 2, 5, 0}, {0, 3, 4}, true}; }
void use_bucketize(const bucketize_model<double>& model) { EXPECT(model(matrix<double>(matrix<double>::Constant(2, 2, 1.5))).allFinite()); }
sparse_logistic_model<float> make_logistic() { return {5, {1, 3}, matrix<float>::Constant(2, 1, 0.5F), vec<float>::Zero(1)}; }
void use_logistic(const sparse_logistic_model<float>& model) {
    EXPECT(model.kept().size() <= model.inputs());
    if (model.inputs() > 1000) return;
    workspace scratch;
    const std::vector<float> row(model.inputs(), 0.5F);
    expect_finite(model(std::span<const float>(row), scratch));
}
boosted_trees_model<float> make_trees() {
    return {vec<double>::Zero(1), {0, 3, 4}, {0, -1, -1, -1}, {0.5F, 1, -1, 0.25F}, {1, 0, 0, 0}, vec<double>::Constant(2, 1)};
}
void use_trees(const boosted_trees_model<float>& model) {
    workspace scratch;
    const std::vector<float> row(model.inputs(), 0.75F);
    (void)model(std::span<const float>(row), scratch);
}
constexpr std::array numbers{kind_of<make_standardize, use_standardize>(), kind_of<make_impute, use_impute>(),     kind_of<make_encode, use_encode>(),
                             kind_of<make_columns, use_columns>(),         kind_of<make_bucketize, use_bucketize>(), kind_of<make_logistic, use_logistic>(),
                             kind_of<make_trees, use_trees>()};

// ---- texts -----------------------------------------------------------------------------------------------------------
const std::string sample = "Hello, \u4F60\u597D w\u00F6rld!";

template <class Model>
void use_encoder(const Model& model) {
    const auto ids = model(sample);
    for (const token_id id : ids) EXPECT(id >= 0 && static_cast<std::size_t>(id) < model.vocabulary_size());
    (void)model.decode(ids);
}
word_tokenizer_model make_words() { return fit(word_tokenizer{}, std::vector<std::string>{"hello w\u00F6rld hello"}); }
bpe_model make_bpe() { return {vocabulary({"H", "e", "l", "He", "Hel", "<s>"}), {0, 1, 3, 2}, {}, {}, {.unknown = 5}}; }
wordpiece_model make_wordpieces() { return make_wordpiece(vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "##o"})); }
void use_wordpieces(const wordpiece_model& model) {
    (void)model.decode(model(sample));
}
char_tokenizer_model make_characters() { return fit(char_tokenizer{}, std::vector<std::string>{"hello", "w\u00F6rld"}); }
template <class Model>
void use_tokens(const Model& model) {
    (void)model.decode(model(sample));
}
tfidf_model<float> make_tfidf() { return fit(tfidf<float>{}, std::vector<std::string>{"hello w\u00F6rld", "hello"}); }
void use_tfidf(const tfidf_model<float>& model) {
    workspace scratch;
    const auto row = model(std::string_view(sample), scratch);
    for (const auto column : row.columns) EXPECT(column >= 0 && static_cast<std::size_t>(column) < model.columns());
    expect_finite(row.values);
}
normalize_text make_normal() { return normalize_text({.form = normal_form::nfkc, .lowercase = true}); }
void use_normal(const normalize_text& model) { EXPECT(find_bad_utf8(model(sample)) == std::string_view::npos); }
chinese_segmenter make_chinese() { return chinese_segmenter(chinese_dictionary(std::vector<std::string>{"\u4F60\u597D", "\u4E16\u754C"})); }
void use_chinese(const chinese_segmenter& model) {
    std::size_t last = 0;
    model.split(sample, [&](std::size_t begin, std::size_t end) {
        EXPECT(begin == last && end > begin);
        last = end;
    });
    EXPECT(last == sample.size());
}
constexpr std::array texts{kind_of<make_words, use_tokens<word_tokenizer_model>>(), kind_of<make_bpe, use_encoder<bpe_model>, true>(),
                           kind_of<make_wordpieces, use_wordpieces, true>(),           kind_of<make_characters, use_tokens<char_tokenizer_model>>(),
                           kind_of<make_tfidf, use_tfidf>(),                     kind_of<make_normal, use_normal>(),
                           kind_of<make_chinese, use_chinese, true>()};

// ---- customers and decisions -----------------------------------------------------------------------------------------
interactions<float> purchases() { return {id_table({"ann", "bob"}, {}), id_table({}, {3, 5, 9}), {0, 2, 3}, {0, 2, 1}, {1, 2, 1}, {}}; }
template <class Model>
void use_recommender(const Model& model) {
    const std::vector<query> asked{{.customer = "ann", .n = 2}};
    for (const auto& pick : model(asked)[0]) EXPECT(std::isfinite(pick.score));
}
popularity_model<float> make_popularity() { return {purchases(), {2, 1, 1}}; }
item_neighbors_model<float> make_neighbors() { return {purchases(), {0, 1, 2, 2}, {1, 2}, {0.5F, 0.25F}, weighting::ones}; }
q_policy<float> make_policy() {
    q_table<float> values({2}, 3, 0.5F);
    return {values, true, 1};
}
void use_policy(const q_policy<float>& model) {
    const choice taken = model(decision<1>{.state = {0}});
    EXPECT(std::isfinite(taken.value));
}
state_space_model<float, 2> make_space() {
    ragged<double> cuts;
    cuts.append_row(std::vector<double>{1, 2});
    cuts.append_row(std::vector<double>{0.5});
    return {{"orders", "age"}, std::move(cuts), {"none", "some", "many", "new", "old"}};
}
void use_space(const state_space_model<float, 2>& model) {
    workspace scratch;
    const std::vector<float> row{1.5F, 0.25F};
    const auto at = model(std::span<const float>(row), scratch);
    for (std::size_t d = 0; d < 2; ++d) EXPECT(at.state[d] < model.shape()[d]);
}
constexpr std::array decisions{kind_of<make_popularity, use_recommender<popularity_model<float>>>(),
                               kind_of<make_neighbors, use_recommender<item_neighbors_model<float>>>(), kind_of<make_policy, use_policy>(),
                               kind_of<make_space, use_space>()};

template <const auto& Kinds>
void saved(std::string_view text) {
    const unsigned choice = fuzz::take_byte(text);
    Kinds[choice % Kinds.size()].try_file(text);
}

// Begins with the file of the type that the byte chooses, or one of another type; mostly changes tensors.
template <const auto& Kinds>
std::size_t change(std::uint8_t* data, std::size_t size, std::size_t room, unsigned seed) {
    fuzz::chooser choose(seed);
    if (size < 40 || choose(200) == 0) {
        const std::size_t type = choose(Kinds.size());
        const std::string file = Kinds[type].first();
        if (room < 1 + file.size()) return size;
        data[0] = static_cast<std::uint8_t>(type);
        std::copy(file.begin(), file.end(), data + 1);
        size = 1 + file.size();
    }
    return 1 + fuzz::mutate_tensors(data + 1, size - 1, room - 1, choose);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { return fuzz::run<saved<numbers>, saved<texts>, saved<decisions>>(data, size); }
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t room, unsigned seed) {
    const int trial = fuzz::only_trial >= 0 ? fuzz::only_trial : static_cast<int>(seed / 7 % 3);
    if (room < 100) return LLVMFuzzerMutate(data, size, room);
    data[0] = static_cast<std::uint8_t>('0' + trial);
    const std::size_t rest = size > 0 ? size - 1 : 0;
    if (trial == 0) return 1 + change<numbers>(data + 1, rest, room - 1, seed);
    if (trial == 1) return 1 + change<texts>(data + 1, rest, room - 1, seed);
    return 1 + change<decisions>(data + 1, rest, room - 1, seed);
}
