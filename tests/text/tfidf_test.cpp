#include <cmath>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <caramel/io/model_file.hpp>
#include <caramel/linear/linear_svm.hpp>
#include <caramel/text/nb_ratios.hpp>
#include <caramel/text/ngrams.hpp>
#include <caramel/text/tfidf.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

using enum ngram_unit;
const std::vector<std::string> four{"the cat sat on the mat", "the dog ate the cat", "a mat is a mat", "dogs and cats"};

std::map<std::string, std::uint32_t> grams(std::string_view text, const ngram_range& range) {
    workspace scratch;
    const workspace::frame frame(scratch);
    const std::vector ranges{range};
    const auto counted = detail::count_ngrams(text, ranges, true, 0, scratch);
    std::map<std::string, std::uint32_t> out;
    for (const auto& gram : counted.grams) {
        const std::string name = detail::ngram_name(counted.points, gram, range);
        CHECK(detail::key_of_name(name, range.unit) == gram.key);
        out[name] += gram.count;
    }
    return out;
}
using counts = std::map<std::string, std::uint32_t>;

template <class T>
double value(const tfidf_model<T>& model, const sparse_matrix<T>& x, std::size_t row, const std::string& name) {
    for (std::size_t k = 0; k < x[row].columns.size(); ++k)
        if (model.names()[static_cast<std::size_t>(x[row].columns[k])] == name) return static_cast<double>(x[row].values[k]);
    return 0;
}
template <class T>
double sum(const sparse_matrix<T>& x) {
    double out = 0;
    for (const T v : x.values()) out += static_cast<double>(v);
    return out;
}

}  // namespace

TEST_CASE("ngrams: of each unit, counted by hand", "[ngrams]") {
    CHECK(grams("ab ab", {characters, 2, 3}) == counts{{"ab", 2}, {"b ", 1}, {" a", 1}, {"ab ", 1}, {"b a", 1}, {" ab", 1}});
    CHECK(grams("I am here", {word_characters, 4, 5}) == counts{{" am ", 1}, {" her", 1}, {" here", 1}, {" i ", 1}, {"ere ", 1}, {"here", 1}, {"here ", 1}});
    CHECK(grams("Don't go, don't!", {words, 1, 2}) == counts{{"don't", 2}, {"go", 1}, {"don't go", 1}, {"go don't", 1}});
    CHECK(grams("go, go!", {tokens, 1, 2}) == counts{{"go", 2}, {",", 1}, {"!", 1}, {"go ,", 1}, {", go", 1}, {"go !", 1}});
    CHECK(grams("paying fees late", {token_pairs, 3, 1}) == counts{{"pay \u2026 fee", 1}, {"fee \u2026 lat", 1}});
    CHECK(grams("fee pay fee", {token_pairs, 4, 8}) == counts{{"fee \u2026 pay", 2}, {"fee \u2026 fee", 1}});
    CHECK(grams("很好", {words, 1, 2}) == counts{{"很", 1}, {"好", 1}, {"很 好", 1}});
    CHECK(grams("很好", {characters, 1, 2}) == counts{{"很", 1}, {"好", 1}, {"很好", 1}});
    for (const auto unit : {characters, word_characters, words, tokens, token_pairs}) {
        CHECK(grams("", {unit, 1, 2}).empty());
        CHECK(grams(" \t\u3000\n", {unit, 1, 2}).empty());
    }
}
TEST_CASE("ngrams: white space, width and case do not matter", "[ngrams]") {
    const ngram_range range{characters, 1, 4};
    const auto plain = grams("abc 1! \u30AC", range);
    CHECK(grams(" \u3000ABC\t\n1! \u30AC ", range) == plain);
    CHECK(grams("\uFF21\uFF22\uFF23 \uFF11\uFF01 \uFF76\uFF9E", range) == plain);  // full- and half-width
    CHECK(grams("\u00E9", range) == grams("e\u0301", range));
    CHECK(grams("\u2026", range) == grams("...", range));
    CHECK(grams("\u03A3\u03C2", range) == grams("\u03C3\u03C3", range));
}
TEST_CASE("ngrams: what is plain under NFKC is left as it is", "[ngrams]") {
    for (char32_t c = 0x21; c < 0x20000; ++c) {
        if (!detail::plain_in_nfkc(c) || detail::is_white(c) || c == 0x2026 || (c >= 0xFF01 && c <= 0xFF5E)) continue;
        std::string text(4, ' ');
        text.resize(encode_utf8(c, text.data()));
        if (normalize("a" + text + "b", normal_form::nfkc) != "a" + text + "b") FAIL("U+" << std::hex << static_cast<std::uint32_t>(c));
    }
}
TEST_CASE("ngrams: one word of any length takes linear time, and long words count by their beginning", "[ngrams][edge]") {
    const std::string endless(300'000, 'x');
    for (const auto unit : {characters, word_characters, words, tokens, token_pairs}) CHECK(grams(endless, {unit, 1, 3}).size() <= 20);
    CHECK(grams(endless, {words, 1, 1}).begin()->first == std::string(64, 'x'));
    CHECK(grams("a" + std::string(100, '\'') + "a", {tokens, 1, 1}).size() == 2);
}

TEMPLATE_TEST_CASE("tfidf: scikit-learn 1.2.1 gives these", "[tfidf]", float, double) {
    const double eps = std::is_same_v<TestType, float> ? 1e-5 : 1e-11;
    const auto made = [](const tfidf<TestType>& recipe) {
        auto model = fit(recipe, four);
        auto x = model(four);
        return std::pair(std::move(model), std::move(x));
    };
    {
        const auto [model, x] = made({.ngrams = {{words, 1, 2}}});
        CHECK(model.columns() == 25);
        CHECK(sum(x) == Approx(10.533072643981).epsilon(eps));
        CHECK(value(model, x, 0, "the") == Approx(0.429791336004).epsilon(eps));
        CHECK(value(model, x, 0, "the cat") == Approx(0.253841686617).epsilon(eps));
        CHECK(value(model, x, 2, "mat") == Approx(0.411655430505).epsilon(eps));
        const auto other = model(std::vector<std::string>{"the cat and the unseen bird"});
        CHECK(sum(other) == Approx(1.949743691760).epsilon(eps));
    }
    {
        const auto [model, x] = made({.ngrams = {{words, 1, 1}}, .weighting = term_weight::raw});
        CHECK(sum(x) == Approx(7.489291704604).epsilon(eps));
        CHECK(value(model, x, 0, "the") == Approx(0.658752767987).epsilon(eps));
    }
    {
        const auto [model, x] = made({.ngrams = {{words, 1, 1}}, .weighting = term_weight::raw, .idf = false, .unit_length = false});
        CHECK(sum(x) == 19);
        CHECK(value(model, x, 0, "the") == 2);
    }
    {
        const auto [model, x] = made({.ngrams = {{characters, 1, 3}}});
        CHECK(model.columns() == 82);
        CHECK(sum(x) == Approx(22.394153213264).epsilon(eps));
        CHECK(value(model, x, 1, " ca") == Approx(0.103718276646).epsilon(eps));
        CHECK(value(model, x, 2, " a ") == Approx(0.183781458479).epsilon(eps));
    }
    {
        const auto [model, x] = made({.ngrams = {{word_characters, 2, 5}}});
        CHECK(model.columns() == 89);
        CHECK(sum(x) == Approx(22.331592256353).epsilon(eps));
        CHECK(value(model, x, 0, " on ") == Approx(0.152076828424).epsilon(eps));
        CHECK(value(model, x, 2, " a ") == Approx(0.319329732327).epsilon(eps));
    }
    {
        const auto [model, x] = made({.ngrams = {{words, 1, 1}}, .min_count = 2});
        CHECK(model.columns() == 3);
        CHECK(sum(x) == Approx(4.043663194240).epsilon(eps));
        CHECK(x[3].columns.empty());
    }
    {  // FeatureUnion, divided by the square root of 2
        const auto [model, x] = made({.ngrams = {{words, 1, 2}, {word_characters, 2, 5}}, .balanced = true});
        CHECK(model.columns() == 114);
        CHECK(sum(x) == Approx(23.238827412449).epsilon(eps));
    }
    {
        const std::vector<std::string> chinese{"很好吃", "不好吃", "好"};
        const auto model = fit(tfidf<TestType>{.ngrams = {{characters, 1, 3}}}, chinese);
        CHECK(model.columns() == 9);
        CHECK(sum(model(chinese)) == Approx(5.816316535198).epsilon(eps));
    }
}
TEST_CASE("tfidf: BM25 and presence in closed form", "[tfidf]") {
    const std::vector<std::string> texts{"a a b", "b c", "c c c d d e e"};
    const auto model = fit(tfidf<double>{.ngrams = {{words, 1, 1}}, .weighting = term_weight::bm25, .unit_length = false, .k1 = 1.5, .b = 0.6}, texts);
    const auto x = model(texts);
    const double idf = std::log(1 + (3 - 1 + 0.5) / (1 + 0.5)), norm = 1.5 * (1 - 0.6 + 0.6 * 3 / 4.0);
    CHECK(value(model, x, 0, "a") == Approx(idf * 2 * 2.5 / (2 + norm)).epsilon(1e-12));
    const auto present = fit(tfidf<double>{.ngrams = {{words, 1, 1}}, .weighting = term_weight::present, .idf = false, .unit_length = false}, texts);
    CHECK(value(present, present(texts), 2, "c") == 1);
}
TEST_CASE("tfidf: columns by falling number of texts, limits, and the order of the texts does not matter", "[tfidf]") {
    const tfidf<float> recipe{.ngrams = {{tokens, 1, 2}, {token_pairs, 4, 3}}};
    const auto a = fit(recipe, four), b = fit(recipe, std::vector<std::string>{four[3], four[1], four[0], four[2]});
    CHECK(a.names() == b.names());
    CHECK(a.factors() == b.factors());
    for (row_index j = 1; j < a.factors().size(); ++j) CHECK(a.factors()(j - 1) <= a.factors()(j));
    CHECK(fit(tfidf<float>{.max_features = 2}, four).columns() == 2);
    CHECK(fit(tfidf<float>{.ngrams = {{words, 1, 1}}, .max_share = 0.25}, four).columns() == 9);
    CHECK(a.output_names() == a.names());
    CHECK(a.unit(0) == (a.names()[0].find("\u2026") == std::string::npos ? tokens : token_pairs));
}
TEST_CASE("tfidf: hashed, n-grams of a bucket count as one", "[tfidf]") {
    const tfidf<double> recipe{.ngrams = {{words, 1, 2}}, .weighting = term_weight::raw, .idf = false, .unit_length = false, .hash_bits = 3};
    const auto model = fit(recipe, four);
    CHECK(model.columns() == 8);
    CHECK(sum(model(four)) == 19 + 15);
    CHECK(model.output_names()[2] == "bucket_2");
    const auto wide = fit(tfidf<double>{.ngrams = {{words, 1, 1}}, .hash_bits = 20, .remember_names = true}, four);
    const auto exact = fit(tfidf<double>{.ngrams = {{words, 1, 1}}}, four);
    CHECK(value(wide, wide(four), 0, "the") == Approx(value(exact, exact(four), 0, "the")).epsilon(1e-12));
    CHECK(fit(recipe, std::vector<std::string>{"nothing of that"})(four) == model(four));  // the hash is the same for ever
    const auto cat = wide(std::vector<std::string>{"cat"});
    REQUIRE(cat.column_numbers().size() == 1);
    CHECK(cat.column_numbers()[0] == 1010282);  // written down when it was first made
}
TEST_CASE("tfidf: rows of training, of batches and of one text have the same bits for any number of threads", "[tfidf]") {
    std::vector<std::string> many;
    for (int i = 0; i < 900; ++i) many.push_back(four[static_cast<std::size_t>(i) % 4] + " " + std::to_string(i * i % 97) + (i % 7 == 0 ? " 很好吃" : ""));
    for (const std::uint32_t bits : {0U, 10U}) {
        const tfidf<float> recipe{.ngrams = {{tokens, 1, 2}, {word_characters, 2, 4}}, .balanced = bits == 0, .min_count = 2, .hash_bits = bits};
        const auto [model, rows] = recipe.fit_transform(many, fit_options{.threads = 1});
        CHECK(model(many) == rows);
        const auto other = recipe.fit_transform(many, fit_options{.threads = 4});
        CHECK(other.first.names() == model.names());
        CHECK(other.second == rows);
        workspace scratch;
        for (const std::size_t i : {0U, 7U, 500U}) {
            const auto one = model(std::string_view(many[i]), scratch);
            CHECK(std::ranges::equal(one.columns, rows[i].columns));
            CHECK(std::ranges::equal(one.values, rows[i].values));
        }
    }
}
TEST_CASE("tfidf: in a chain, saved and loaded", "[tfidf][io]") {
    const std::vector<int> y{0, 1, 0, 1};
    const auto recipe = tfidf<float>{.ngrams = {{words, 1, 1}, {word_characters, 1, 3}, {token_pairs, 3, 2}}, .balanced = true} | linear_svm<float>{};
    const auto model = fit(recipe, four, y);
    std::stringstream file;
    save(model, file);
    const auto again = load<std::remove_cvref_t<decltype(model)>>(file);
    CHECK(again(four) == model(four));
    workspace scratch;
    CHECK(again(std::string_view(four[0]), scratch)[0] == model(four)(0, 0));
    const auto hashed = fit(tfidf<float>{.hash_bits = 6, .remember_names = true}, four);
    std::stringstream other;
    save(hashed, other);
    CHECK(load<tfidf_model<float>>(other)(four) == hashed(four));
}
TEST_CASE("tfidf: a text's first characters", "[tfidf]") {
    const auto model = fit(tfidf<float>{.ngrams = {{words, 1, 1}}, .max_characters = 7}, std::vector<std::string>{"one two three", "one"});
    CHECK(model.names() == std::vector<std::string>{"one", "two"});
}
TEST_CASE("tfidf: what cannot be is refused", "[tfidf][error]") {
    CHECK(error_of([] { (void)fit(tfidf<float>{}, std::vector<std::string>{}); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)fit(tfidf<float>{.min_count = 0}, four); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(tfidf<float>{.ngrams = {}}, four); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(tfidf<float>{.ngrams = {{words, 0, 2}}}, four); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(tfidf<float>{.ngrams = {{words, 3, 2}}}, four); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(tfidf<float>{.ngrams = {{words, 1, 17}}}, four); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(tfidf<float>{.ngrams = {{words, 1, 1}, {words, 2, 2}}}, four); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(tfidf<float>{.hash_bits = 29}, four); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(tfidf<float>{.balanced = true, .hash_bits = 8}, four); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(tfidf<float>{.max_share = 0}, four); }).code() == errc::bad_parameter);
    const error e = error_of([] { (void)fit(tfidf<float>{}, std::vector<std::string>{"good", "b\xFF"}); });
    CHECK(e.code() == errc::bad_utf8);
    CHECK(e.where().row == 2);
    const auto model = fit(tfidf<float>{}, four);
    CHECK(error_of([&] { (void)model(std::vector<std::string>{"\xC3"}); }).code() == errc::bad_utf8);
    CHECK(error_of([] { tfidf_model<float>({}, {"a"}, {2}, vec<float>::Ones(2)); }).code() == errc::bad_data);
    CHECK(error_of([] { tfidf_model<float>({}, {"a", "a"}, {2, 2}, vec<float>::Ones(2)); }).code() == errc::duplicate_token);
    CHECK(error_of([] { tfidf_model<float>({}, {"a"}, {9}, vec<float>::Ones(1)); }).code() == errc::bad_data);
    CHECK(error_of([] { tfidf_settings({2, 1}, true, 0, true, false, 0, 0, 1, 0, 1, 1500); }).code() == errc::bad_data);
    CHECK(error_of([] { tfidf_settings({2, 1, 1}, true, 0, true, false, 0, 0, 1, 0, 1, 9900); }).code() == errc::unsupported_version);
    CHECK(fit(tfidf<float>{}, std::vector<std::string>{"", " "}).columns() == 0);
    CHECK(fit(tfidf<float>{}, std::vector<std::string>{"", " "})(four).rows() == 4);
}

TEMPLATE_TEST_CASE("nb_ratios: worked by hand", "[nb_ratios]", float, double) {
    matrix<TestType> dense(3, 2);
    dense << 2, 1, 0, 3, 1, 0;
    const sparse_matrix<TestType> x(dense);
    const auto model = fit(nb_ratios<TestType>{}, x, std::vector<int>{1, 0, 1});
    CHECK(model.ratios()(0) == Approx(std::log((1 + 3.0) / 6) - std::log(1.0 / 5)).epsilon(1e-6));
    CHECK(model.ratios()(1) == Approx(std::log((1 + 1.0) / 6) - std::log(4.0 / 5)).epsilon(1e-6));
    CHECK(model(x).values()[0] == 2 * model.ratios()(0));
    workspace scratch;
    CHECK(model(x[0], scratch).values[1] == model(x).values()[1]);
    const std::vector<double> weights{1, 1, 0};
    const auto fewer = fit(nb_ratios<TestType>{}, x, std::vector<int>{1, 0, 1}, {.weights = weights});
    CHECK(fewer.ratios()(0) == Approx(std::log(3.0 / 5) - std::log(1.0 / 5)).epsilon(1e-6));
    const auto three = fit(nb_ratios<TestType>{}, x, std::vector<int>{0, 1, 2});
    CHECK(three.ratios()(1) == Approx(std::log(4.0 / 5) - std::log(2.0 / 6)).epsilon(1e-6));
    dense(0, 0) = -1;
    const error e = error_of([&] { (void)fit(nb_ratios<TestType>{}, sparse_matrix<TestType>(dense), std::vector<int>{1, 0, 1}); });
    CHECK((e.code() == errc::bad_data && e.where().row == 1 && e.where().column == 1));
    CHECK(error_of([&] { (void)model(sparse_matrix<TestType>(3)); }).code() == errc::shape_mismatch);
    const sparse_matrix<TestType> alone(matrix<TestType>(matrix<TestType>::Ones(1, 2)));
    CHECK(error_of([&] { (void)fit(nb_ratios<TestType>{}, alone, std::vector<int>{1}); }).code() == errc::bad_data);  // of one class
    CHECK(error_of([] { (void)fit(nb_ratios<TestType>{}, sparse_matrix<TestType>(3), std::vector<int>{}); }).code() == errc::empty_input);
    for (const double smoothing : {0.0, -1.0})
        CHECK(error_of([&] { (void)fit(nb_ratios<TestType>{.smoothing = smoothing}, x, std::vector<int>{1, 0, 1}); }).code() == errc::bad_parameter);
}
