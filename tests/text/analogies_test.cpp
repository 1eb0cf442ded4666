#include <caramel/text/analogies.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace {

std::vector<analogy_answer> by_force(const embedding_table<double>& table, const analogy_question& q, analogy_method method) {
    std::vector<analogy_answer> out;
    const auto of = [&](token_id id) { return table[static_cast<std::size_t>(id)]; };
    for (std::size_t w = 0; w < table.size(); ++w) {
        const auto id = static_cast<token_id>(w);
        if (id == q.a || id == q.b || id == q.c) continue;
        double score = 0;
        if (method == analogy_method::multiply) {
            const auto to = [&](token_id x) { return (1 + detail::cosine_of(of(id), of(x))) / 2; };
            score = to(q.b) * to(q.c) / (to(q.a) + .001);
        } else {
            std::vector<double> sum(table.dim());
            const auto add = [&](token_id x, double sign) {
                double length = 0;
                for (const double v : of(x)) length += v * v;
                for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += sign * of(x)[j] / std::sqrt(length);
            };
            add(q.a, -1);
            add(q.b, 1);
            add(q.c, 1);
            score = detail::cosine_of<double>(of(id), sum);
        }
        out.push_back({id, score});
    }
    std::ranges::sort(out, [](const auto& x, const auto& y) { return x.score > y.score; });
    return out;
}
word_vectors<double> capitals() {
    auto values = make_tensor<double, 2>({7, 4});
    const double rows[7][4] = {{0, 0, 0, 0}, {1, 0, 1, 0}, {1, 0, 0, 1}, {0, 1, 1, 0}, {0, 1, 0, 1}, {1, 1, 1, 1}, {-1, 0, 1, 0}};
    for (std::size_t i = 0; i < 7; ++i)
        for (std::size_t j = 0; j < 4; ++j) values(i, j) = rows[i][j];
    return {vocabulary({"paris", "france", "rome", "italy", "world", "else"}, 1), embedding_table<double>(std::move(values))};
}
std::string content(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("analogies: as found by trying every word", "[analogies]") {
    rng random(3);
    const auto table = embedding_table<double>::random(40, 6, random);
    for (const auto method : {analogy_method::add, analogy_method::multiply})
        for (token_id i = 0; i < 10; ++i) {
            const analogy_question q{i, i + 10, i + 25};
            const auto found = analogy(table, q, 5, method), wanted = by_force(table, q, method);
            REQUIRE(found.size() == 5);
            for (std::size_t k = 0; k < 5; ++k) {
                CHECK(found[k].id == wanted[k].id);
                CHECK(found[k].score == Approx(wanted[k].score));
            }
        }
    CHECK(analogy(table, {0, 1, 2}, 100).size() == 37);
    CHECK(analogy(table, {0, 1, 2}, 0).empty());
    CHECK(error_of([&] { (void)analogy(table, {0, 1, 40}, 1); }).code() == errc::unknown_id);
}
TEST_CASE("analogies: paris is to france as rome is to italy", "[analogies]") {
    const auto vectors = capitals();
    const auto questions =
        parse_analogies(std::string_view(": capitals\nparis france rome italy\nrome italy paris france\r\n: nothing\nparis france berlin germany\n"));
    CHECK(questions.sections == std::vector<std::string>{"capitals", "nothing"});
    for (const auto method : {analogy_method::add, analogy_method::multiply}) {
        const auto results = evaluate_analogies(vectors, questions, 0, method);
        REQUIRE(results.size() == 2);
        CHECK(results[0].correct == 2);
        CHECK(results[0].accuracy() == 1);
        CHECK(results[1].asked == 0);
        CHECK(results[1].skipped == 1);
    }
    CHECK(evaluate_analogies(vectors, questions, 3)[0].skipped == 2);  // italy is the fourth word
    CHECK(error_of([] { (void)parse_analogies(std::string_view("a b c d\na b c\n")); }).where().row == 2);
}
TEST_CASE("analogies: Spearman's correlation", "[analogies]") {
    using numbers = std::vector<double>;
    CHECK(spearman(numbers{1, 2, 3}, numbers{10, 20, 90}) == 1);
    CHECK(spearman(numbers{1, 2, 3}, numbers{3, 2, 1}) == -1);
    CHECK(spearman(numbers{106, 100, 86, 101, 99, 103, 97, 113, 112, 110}, numbers{7, 27, 2, 50, 28, 29, 20, 12, 6, 17}) == Approx(-29. / 165));
    CHECK(spearman(numbers{1, 2, 2, 3}, numbers{1, 2, 3, 4}) == Approx(4.5 / std::sqrt(4.5 * 5)));  // ties
    CHECK(spearman(numbers{1, 1}, numbers{1, 2}) == 0);
    CHECK(spearman(numbers{}, numbers{}) == 0);
    CHECK(error_of([] { (void)spearman(numbers{1}, numbers{1, 2}); }).code() == errc::shape_mismatch);
}
TEST_CASE("analogies: similarity beside what people say", "[analogies]") {
    const auto pairs = parse_word_pairs(std::string_view("# people\nparis\tfrance\t9\nparis\trome\t5\nparis\telse\t1\nparis\tberlin\t3\n"));
    REQUIRE(pairs.size() == 4);
    const auto result = evaluate_similarity(capitals(), pairs);
    CHECK(result.pairs == 3);
    CHECK(result.skipped == 1);
    CHECK(result.spearman == Approx(.8660254));  // two of three cosines are equal
    CHECK(error_of([] { (void)parse_word_pairs(std::string_view("a\tb\tc\n")); }).code() == errc::bad_number);
    CHECK(error_of([] { (void)parse_word_pairs(std::string_view("a\tb\n")); }).code() == errc::ragged_row);
}
TEST_CASE("analogies: the sets that everybody uses are read whole", "[analogies]") {
    SHARED_OR_SKIP(folder, "data/embedding_fixtures");
    const auto questions = parse_analogies(content(folder / "questions-words.txt"));
    CHECK(questions.questions.size() == 19'544);
    CHECK(questions.sections.size() == 14);
    CHECK(parse_word_pairs(content(folder / "wordsim353.tsv")).size() == 353);
    CHECK(parse_word_pairs(content(folder / "simlex999.txt")).size() == 999);
}
