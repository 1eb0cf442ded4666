#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/nn/bias.hpp>
#include <caramel/nn/embedding_bag.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/nn/network.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/text/tokenizer.hpp>

#include "nn/bits.hpp"
#include "nn/gradients.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace network_test {

namespace {

// Texts of 10 words out of 30; what decides the class is whether word 5 is among them.
struct labelled {
    token_ids x;
    std::vector<int> y;
};
labelled random_texts(std::size_t rows, std::uint64_t seed) {
    rng random(seed);
    labelled out;
    out.x.vocabulary_size = 30;
    for (std::size_t i = 0; i < rows; ++i) {
        std::vector<token_id> words;
        for (int n = 0; n < 10; ++n) {
            const auto word = static_cast<token_id>(1 + random.below(29));
            words.push_back(word == 5 ? 6 : word);
        }
        const int label = static_cast<int>(i % 2);
        if (label == 1) words[random.below(10)] = 5;
        if (i % 17 == 16) words.clear();
        out.x.append_row(words);
        out.y.push_back(label);
    }
    return out;
}
template <class T>
matrix<T> numbers(row_index rows, row_index columns, std::uint64_t seed) {
    rng random(seed);
    return normal_matrix<T>(random, rows, columns);
}
// Which side of a circle.
template <class T>
std::vector<int> inside(const matrix<T>& x) {
    std::vector<int> y;
    for (row_index i = 0; i < x.rows(); ++i) y.push_back(x.row(i).squaredNorm() < T(1.4) ? 1 : 0);
    return y;
}
template <class Model>
std::uint64_t bits_of_texts_model(const Model& model) {
    return bits_of(model.template layer<0>(), model.template layer<1>());
}

const auto texts_recipe = network<float>(embedding_bag{.dim = 8}, dense{});

}  // namespace

TEMPLATE_TEST_CASE("network: learns a circle with each activation", "[network]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto x = numbers<T>(300, 2, 1);
    const auto y = inside(x);
    const training how{.epochs = 150, .batch_size = 32, .learning_rate = 0.02};
    const auto share = [&](const auto& recipe) { return accuracy(most_likely{}(fit(recipe, x, y)(x)), y); };
    CHECK(share(network<T>(how, dense{.units = 16}, relu{}, dense{})) > 0.95);
    CHECK(share(network<T>(how, dense{.units = 16}, tanh_layer{}, dense{})) > 0.95);
    CHECK(share(network<T>(dense{.units = 16}, sigmoid{}, dense{}).with(how)) > 0.95);
    CHECK(share(network<T>(how, dense{.units = 32}, relu{}, dropout{.share = 0.1}, dense{.units = 16}, relu{}, dense{.units = 2})) > 0.95);
}

TEST_CASE("network: dense layers with ReLU are an mlp", "[network][mlp]") {
    // The same loop trains both: only where the first weights come from differs not at all.
    const auto x = numbers<double>(60, 3, 2);
    const auto y = inside(x);
    const auto model = fit(mlp<double>{.hidden = {5}, .epochs = 3}, x, y);
    network_model<double, dense, relu, dense> same({"dense", "relu", "dense"}, model.layers()[0], {}, model.layers()[1]);
    CHECK(same(x) == model(x));
}

TEST_CASE("network: embeddings and what follows are learnt together from texts", "[network][embedding_bag]") {
    const auto train = random_texts(400, 1), test = random_texts(200, 2);
    const auto model = fit(texts_recipe.with({.epochs = 60, .learning_rate = 0.02}), train.x, train.y);
    const matrix<float> p = model(test.x);
    CHECK(auc(p, test.y) > 0.94);  // one text in 17 is empty
    CHECK((p.rowwise().sum().array() - 1).abs().maxCoeff() < 1e-6F);
    const auto deep =
        fit(network<float>(training{.epochs = 60, .learning_rate = 0.02}, embedding_bag{.dim = 8, .how = bag_pooling::sum}, dense{.units = 8}, relu{}, dense{}),
            train.x, train.y);
    CHECK(auc(deep(test.x), test.y) > 0.94);
}

TEST_CASE("network: a row of the table changes only where its token occurs", "[network][embedding_bag]") {
    const auto set = random_texts(50, 3);
    const auto one = fit(texts_recipe.with({.epochs = 1}), set.x, set.y, {.seed = 5});
    const auto ten = fit(texts_recipe.with({.epochs = 10}), set.x, set.y, {.seed = 5});
    const auto& before = one.layer<0>().table;
    const auto& after = ten.layer<0>().table;
    CHECK(before.size() == 30);
    for (std::size_t id = 0; id < 30; ++id) CHECK(std::ranges::equal(before[id], after[id]) == (id == 0));  // 0 stands in no text
    for (const float v : after[0]) CHECK(v == 0);
}

TEST_CASE("network: weights of tokens are learnt with, and answered with", "[network][embedding_bag]") {
    // Words of weight 0 are not there; those of weight 2 stand twice.
    auto set = random_texts(120, 13);
    token_ids weighted = set.x, repeated{{}, 30};
    rng random(14);
    for (std::size_t i = 0; i < set.x.size(); ++i) {
        std::vector<token_id> words;
        for (const token_id id : set.x[i]) {
            weighted.weights.push_back(static_cast<float>(random.below(3)));
            for (float w = 0; w < weighted.weights.back(); ++w) words.push_back(id);
        }
        repeated.append_row(words);
    }
    const auto recipe = network<double>(training{.epochs = 20, .batch_size = 32, .learning_rate = 0.02, .validation_share = 0.2},
                                        embedding_bag{.dim = 4, .how = bag_pooling::sum}, bias_layer{}, dense{});
    const auto a = fit(recipe, weighted, set.y), b = fit(recipe, repeated, set.y);
    CHECK((a(weighted) - b(repeated)).cwiseAbs().maxCoeff() < 1e-9);
    CHECK((a(weighted) - a(set.x)).cwiseAbs().maxCoeff() > 0.01);
    auto wrong = weighted;
    wrong.weights.pop_back();
    CHECK(error_of([&] { (void)fit(recipe, wrong, set.y); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)a(wrong); }).code() == errc::shape_mismatch);
    wrong = weighted;
    wrong.weights[12] = -1;
    CHECK(error_of([&] { (void)fit(recipe, wrong, set.y); }).where().row == 2);
    wrong.weights[12] = std::numeric_limits<float>::quiet_NaN();
    CHECK(error_of([&] { (void)a(wrong); }).code() == errc::bad_data);
}

TEST_CASE("network: in a chain from words to a class", "[network][pipeline]") {
    const std::vector<std::string> said{"where is my order", "please cancel my plan", "order not here", "cancel it", "my order is late", "I want to cancel"};
    const std::vector<int> intent{0, 1, 0, 1, 0, 1};
    const auto recipe = word_tokenizer{} | network<float>(training{.epochs = 100, .learning_rate = 0.05}, embedding_bag{.dim = 8}, dense{});
    const auto model = fit(recipe, said, intent);
    const matrix<float> p = model(said);
    CHECK(most_likely{}(p) == intent);
    const auto decided = fit(recipe | most_likely{}, said, intent);
    CHECK(decided(said) == intent);
    workspace scratch;
    const auto row = model(std::string_view("where is my order"), scratch);
    CHECK(row[0] == p(0, 0));
    CHECK(row[1] == p(0, 1));
    CHECK(decided(std::string_view("cancel"), scratch) == 1);
    CHECK(decided(std::vector<std::string>{"", "unheard of"}).size() == 2);
    static_assert(std::is_same_v<fitted_t<decltype(texts_recipe), token_ids, std::vector<int>>, network_model<float, embedding_bag, dense>>);
}

TEMPLATE_TEST_CASE("network: a row has the same bits alone and in any batch", "[network]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto set = random_texts(300, 4);  // more than one block of rows
    const auto model = fit(network<T>(training{.epochs = 2}, embedding_bag{.dim = 9}, dense{.units = 7}, tanh_layer{}, dropout{}, dense{}), set.x, set.y);
    const matrix<T> p = model(set.x);
    workspace scratch;
    for (std::size_t i = 0; i < set.x.size(); ++i) {
        const auto row = model(set.x[i], scratch);
        for (std::size_t j = 0; j < 2; ++j) REQUIRE(row[j] == p(static_cast<row_index>(i), static_cast<row_index>(j)));
        REQUIRE(model(set.x.slice(i, i + 1)) == p.row(static_cast<row_index>(i)));
    }
    CHECK(model(set.x.slice(0, 0)).rows() == 0);
    const auto* const place = model(set.x[0], scratch).data();
    CHECK(model(set.x[1], scratch).data() == place);  // in memory that is there already
}

TEST_CASE("network: the seed decides, the number of threads does not", "[network][determinism]") {
    const auto set = random_texts(100, 5);
    const auto recipe = texts_recipe.with({.epochs = 3, .validation_share = 0.2});
    const auto one = bits_of_texts_model(fit(recipe, set.x, set.y, {.seed = 7}));
    CHECK(bits_of_texts_model(fit(recipe, set.x, set.y, {.seed = 7})) == one);
    for (const std::size_t threads : {std::size_t{2}, std::size_t{4}})
        CHECK(bits_of_texts_model(fit(recipe, set.x, set.y, {.seed = 7, .threads = threads})) == one);
    CHECK(bits_of_texts_model(fit(recipe, set.x, set.y, {.seed = 8})) != one);
}

TEST_CASE("network: the same bits from every compiler at the baseline instruction set", "[network][determinism]") {
#if defined(__FMA__) || !defined(__x86_64__) || !defined(__GLIBC__)
    WARN("skipped: not compiled for the baseline instruction set, or with another exp and log");
#else
    const auto set = random_texts(60, 6);
    const auto recipe = network<float>(training{.epochs = 3, .batch_size = 7, .max_gradient_norm = 0.1}, embedding_bag{.dim = 5}, sigmoid{}, dense{});
    const auto model = fit(recipe, set.x, set.y, {.seed = 3});
    CHECK(bits_of(model.layer<0>(), model.layer<2>()) == 0x7a236ade477ff79d);
#endif
}

TEST_CASE("network: a weight of 2 is a text given twice", "[network][weights]") {
    const auto set = random_texts(30, 7);
    labelled twice = set;
    std::vector<double> weights(30, 1);
    for (std::size_t i = 0; i < 30; i += 3) {
        weights[i] = 2;
        twice.x.append_row(set.x[i]);
        twice.y.push_back(set.y[i]);
    }
    const auto recipe = network<double>(training{.epochs = 20, .batch_size = 100, .learning_rate = 0.01}, embedding_bag{.dim = 5}, dense{});
    const matrix<double> a = fit(recipe, set.x, set.y, {.weights = weights})(set.x), b = fit(recipe, twice.x, twice.y)(set.x);
    CHECK((a - b).cwiseAbs().maxCoeff() < 1e-9);
    CHECK((a - fit(recipe, set.x, set.y)(set.x)).cwiseAbs().maxCoeff() > 1e-4);
}

TEST_CASE("network_regressor: learns values from numbers and from texts", "[network][regression]") {
    const auto x = numbers<double>(200, 2, 8);
    vec<double> y = (x.col(0).array() * x.col(1).array() * 1000).matrix();
    const auto model = fit(network_regressor<double>(training{.epochs = 200, .learning_rate = 0.01}, dense{.units = 32}, tanh_layer{}, dense{}), x, y);
    CHECK((model(x) - y).squaredNorm() < 0.05 * (y.array() - y.mean()).square().sum());
    const auto set = random_texts(200, 9);
    std::vector<float> lengths;
    for (std::size_t i = 0; i < set.x.size(); ++i) lengths.push_back(100 + static_cast<float>(set.x[i].size()));
    const auto counts = fit(network_regressor<float>(training{.epochs = 300, .learning_rate = 0.02}, embedding_bag{.dim = 4, .how = bag_pooling::sum}, dense{}),
                            set.x, lengths);
    const matrix<float> p = counts(set.x);
    for (row_index i = 0; i < 20; ++i) CHECK(std::abs(p(i, 0) - lengths[static_cast<std::size_t>(i)]) < 1);
    CHECK(counts.output_names({}) == std::vector<std::string>{"value_0"});
    workspace scratch;
    CHECK(counts(set.x[3], scratch)[0] == p(3, 0));
}

TEST_CASE("network: stopping by an observer, and what it throws", "[network][progress]") {
    const auto set = random_texts(60, 10);
    const auto stopped =
        fit(texts_recipe.with({.epochs = 9}), set.x, set.y,
            {.seed = 2, .on_progress = [](const progress& p) { return p.stage == "network" && p.step == 3 ? verdict::stop : verdict::go_on; }});
    CHECK(bits_of_texts_model(stopped) == bits_of_texts_model(fit(texts_recipe.with({.epochs = 3}), set.x, set.y, {.seed = 2})));
    CHECK_THROWS_AS(fit(texts_recipe, set.x, set.y, {.on_progress = [](const progress&) -> verdict { throw 7; }}), int);
}

TEST_CASE("network: divergence is an error that says so", "[network][error]") {
    const auto set = random_texts(60, 11);
    const error e = error_of([&] { (void)fit(texts_recipe.with({.learning_rate = 1e6}), set.x, set.y); });
    CHECK(e.code() == errc::diverged);
    CHECK(std::string(e.what()).find("lower learning_rate") != std::string::npos);
    const auto x = numbers<float>(100, 3, 1);
    const auto y = inside(x);
    for (const update_rule rule : {update_rule::adam, update_rule::adamw, update_rule::sgd})
        CHECK(error_of([&] { (void)fit(network<float>(training{.learning_rate = 1e6, .rule = rule}, dense{.units = 8}, relu{}, dense{}), x, y); }).code() ==
              errc::diverged);
}

TEST_CASE("network: hyperparameters and data that do not fit are refused", "[network][error]") {
    const auto set = random_texts(20, 12);
    const auto x = numbers<float>(20, 3, 1);
    const auto y = inside(x);
    const auto code = [](const auto& work) { return error_of(work).code(); };
    CHECK(code([&] { (void)fit(texts_recipe.with({.epochs = 0}), set.x, set.y); }) == errc::bad_parameter);
    CHECK(code([&] { (void)fit(texts_recipe.with({.momentum = 1}), set.x, set.y); }) == errc::bad_parameter);
    CHECK(code([&] { (void)fit(network<float>(dense{}, relu{}, dense{}), x, y); }) == errc::bad_parameter);
    CHECK(code([&] { (void)fit(network<float>(dense{.units = 4}, dropout{.share = 1}, dense{}), x, y); }) == errc::bad_parameter);
    const error outputs = error_of([&] { (void)fit(network<float>(dense{.units = 4}), x, y); });
    CHECK(outputs.code() == errc::bad_parameter);
    CHECK(std::string(outputs.what()) == "network: the last layer has 4 outputs, the targets need 2");
    CHECK(code([&] { (void)fit(texts_recipe, token_ids{}, std::vector<int>{}); }) == errc::empty_input);
    CHECK(code([&] { (void)fit(texts_recipe, set.x, std::vector<int>(20, 0)); }) == errc::bad_data);
    auto labels = set.y;
    labels[6] = -3;
    CHECK(error_of([&] { (void)fit(texts_recipe, set.x, labels); }).where().row == 7);
    token_ids outside = set.x;
    outside.vocabulary_size = 12;
    CHECK(code([&] { (void)fit(texts_recipe, outside, set.y); }) == errc::unknown_id);
    outside = {};
    outside.append_row({});
    outside.append_row({});
    CHECK(code([&] { (void)fit(texts_recipe, outside, std::vector<int>{0, 1}); }) == errc::bad_data);  // no vocabulary

    const auto model = fit(texts_recipe.with({.epochs = 1}), set.x, set.y);
    token_ids larger = set.x;
    larger.vocabulary_size = 31;
    const error vocabulary = error_of([&] { (void)model(larger); });
    CHECK(vocabulary.code() == errc::shape_mismatch);
    CHECK(std::string(vocabulary.what()) == "network: got a vocabulary of 31, learnt 30");
    workspace scratch;
    for (const token_id bad : {-1, 30}) {
        token_ids wrong = set.x.slice(0, 3);
        wrong.append_row(std::span<const token_id>(&bad, 1));
        const error e = error_of([&] { (void)model(wrong); });
        CHECK(e.code() == errc::unknown_id);
        CHECK(e.where().row == 4);
        CHECK(code([&] { (void)model(std::span<const token_id>(&bad, 1), scratch); }) == errc::unknown_id);
    }
}

TEST_CASE("network: a model is only made of layers that belong together", "[network][error]") {
    using model = network_model<float, dense, relu, dense>;
    const auto layer = [](row_index in, row_index out) { return dense_params<float>{matrix<float>::Zero(in, out), vec<float>::Zero(out)}; };
    const std::vector<std::string> kinds{"dense", "relu", "dense"};
    CHECK(model(kinds, layer(3, 4), {}, layer(4, 2))(matrix<float>::Zero(1, 3))(0, 1) == 0.5F);
    CHECK(error_of([&] { model made(kinds, layer(3, 4), {}, layer(5, 2)); }).code() == errc::bad_data);
    CHECK(error_of([&] { model made(kinds, layer(3, 4), {}, layer(4, 1)); }).code() == errc::bad_data);
    CHECK(error_of([&] { model made({"dense", "tanh", "dense"}, layer(3, 4), {}, layer(4, 2)); }).code() == errc::bad_data);
    using bag = network_model<float, embedding_bag, dense>;
    CHECK(error_of([&] {
              bag made({"embedding_bag", "dense"}, {embedding_table<float>(make_tensor<float, 2>({5, 3})), static_cast<bag_pooling>(4)}, layer(3, 2));
          }).code() == errc::bad_data);
    CHECK(error_of([&] { bag made({"embedding_bag", "dense"}, {}, layer(3, 2)); }).code() == errc::bad_data);
}

}  // namespace network_test
