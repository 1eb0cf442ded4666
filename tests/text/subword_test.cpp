#include <caramel/text/subword.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <caramel/io/model_file.hpp>
#include <caramel/text/embedding_files.hpp>
#include <caramel/text/pool.hpp>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace {

std::uint32_t hash_of(std::string_view bytes) {  // fastText's, written down once more
    std::uint32_t h = 2166136261U;
    for (const char c : bytes) h = (h ^ static_cast<std::uint32_t>(static_cast<std::int8_t>(c))) * 16777619U;
    return h;
}
std::vector<std::uint32_t> grams(std::string_view word, std::size_t shortest, std::size_t longest) {
    std::vector<std::uint32_t> out;
    for_each_subword(word, shortest, longest, [&](std::uint32_t h) { out.push_back(h); });
    return out;
}
std::vector<std::uint32_t> hashes(const std::vector<std::string>& parts) {
    std::vector<std::uint32_t> out;
    for (const auto& part : parts) out.push_back(hash_of(part));
    return out;
}
// Words of one stem stand among the same words.
std::vector<std::string> stems(std::size_t n, std::uint64_t seed) {
    static const std::vector<std::string> stem{"walk", "cook", "paint", "visit"};
    static const std::vector<std::vector<std::string>> among{
        {"road", "shoe", "park"}, {"meal", "pan", "oven"}, {"brush", "wall", "colour"}, {"aunt", "town", "guest"}};
    static const std::vector<std::string> ending{"", "ed", "ing"};
    rng random(seed);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t s = random.below(stem.size());
        std::string text = among[s][random.below(3)];
        text += ' ' + stem[s] + ending[random.below(3)];
        text += ' ' + among[s][random.below(3)];
        out.push_back(std::move(text));
    }
    return out;
}
subword_word2vec<float> small() {
    return {.training = {.dim = 16, .epochs = 8, .min_count = 1, .subsample = 0, .learning_rate = 0.05}, .shortest = 3, .longest = 5, .buckets = 500};
}

}  // namespace

TEST_CASE("subword: the parts of a word are fastText's", "[subword]") {
    CHECK(grams("ab", 1, 3) == hashes({"<a", "<ab", "a", "ab", "ab>", "b", "b>"}));
    CHECK(grams("é订", 2, 3) == hashes({"<é", "<é订", "é订", "é订>", "订>"}));
    CHECK(grams("a", 3, 6) == hashes({"<a>"}));
    CHECK(grams("a", 4, 6).empty());
}

// fastText's own file: the vectors of its words are the means of the rows of its parts.
TEST_CASE("subword: the vectors of a model of fastText", "[subword]") {
    SHARED_OR_SKIP(folder, "data/embedding_fixtures");
    std::ifstream file(folder / "crime-and-punishment.bin", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::size_t at = 0;
    const auto take = [&]<class N>(N& n) {
        REQUIRE(at + sizeof n <= bytes.size());
        std::memcpy(&n, bytes.data() + at, sizeof n);
        at += sizeof n;
    };
    std::int32_t magic = 0, version = 0, args[12];
    double sample = 0;
    take(magic);
    REQUIRE(magic == 793712314);
    take(version);
    take(args);  // dim, window, epochs, count, negatives, word grams, loss, model, buckets, shortest, longest, rate's
    take(sample);
    std::int32_t size = 0, words = 0, labels = 0;
    std::int64_t tokens = 0, pruned = 0;
    take(size);
    take(words);
    take(labels);
    take(tokens);
    take(pruned);
    std::vector<std::string> names;
    for (std::int32_t i = 0; i < size; ++i) {
        names.emplace_back(bytes.c_str() + at);
        at += names.back().size() + 1 + 9;
    }
    char quantized = 0;
    std::int64_t rows = 0, columns = 0;
    take(quantized);
    take(rows);
    take(columns);
    const auto dim = static_cast<std::size_t>(columns), n = static_cast<std::size_t>(words), buckets = static_cast<std::size_t>(args[8]);
    REQUIRE(static_cast<std::size_t>(rows) == n + buckets);
    const auto wanted = read_embeddings<float>(folder / "crime-and-punishment.vec", embedding_format::word2vec_text);
    const auto matrix_at = at;
    const auto row = [&](std::size_t r, std::size_t j) {
        float x = 0;
        std::memcpy(&x, bytes.data() + matrix_at + (r * dim + j) * sizeof x, sizeof x);
        return static_cast<double>(x);
    };
    std::size_t compared = 0;
    for (std::size_t w = 0; w < n; ++w) {
        const auto vector = wanted.find(names[w]);
        if (!vector || names[w] == "</s>") continue;  // the end of a text has no parts
        std::vector<std::size_t> parts{w};
        for_each_subword(names[w], static_cast<std::size_t>(args[9]), static_cast<std::size_t>(args[10]),
                         [&](std::uint32_t hash) { parts.push_back(n + hash % buckets); });
        for (std::size_t j = 0; j < dim; ++j) {
            double mean = 0;
            for (const std::size_t part : parts) mean += row(part, j) / static_cast<double>(parts.size());
            CHECK(mean == Approx(static_cast<double>((*vector)[j])).margin(2e-5));
        }
        ++compared;
    }
    CHECK(compared > 200);
}

TEST_CASE("subword: a word that was never seen lies near its stem", "[subword]") {
    const auto texts = stems(1500, 1);
    const auto model = fit(small(), texts);
    const auto cosine = [&](std::string_view a, std::string_view b) {
        const auto x = model.vector_of(a), y = model.vector_of(b);
        return detail::cosine_of<float>(x, y);
    };
    REQUIRE_FALSE(model.tokenizer().words().find("cooker"));
    CHECK(cosine("cooker", "cooked") > cosine("cooker", "walked") + .2);
    CHECK(cosine("painter", "painting") > cosine("painter", "visiting") + .2);
    CHECK(cosine("walked", "walking") > cosine("walked", "cooked") + .2);
    const auto out = model({"cooker cooked", ""});
    CHECK(out.lengths == std::vector<std::int32_t>{2, 0});
    CHECK(std::ranges::equal(out[0].step(0), model.vector_of("cooker")));
    CHECK(fit(small() | mean_pool{}, texts)(texts).rows() == 1500);
}

TEST_CASE("subword: the same bits for any number of threads, and saved and loaded", "[subword]") {
    const auto texts = stems(300, 2);
    const auto one = fit(small(), texts);
    for (const std::size_t threads : {2U, 4U}) {
        const auto more = fit(small(), texts, {.threads = threads});
        CHECK(std::ranges::equal(more.words().flat(), one.words().flat()));
        CHECK(std::ranges::equal(more.parts().flat(), one.parts().flat()));
    }
    std::stringstream file;
    save(one, file);
    const auto again = load<subword_embedding_model<float>>(file);
    CHECK(again({"cooker walks"}) == one({"cooker walks"}));
}

TEST_CASE("subword: rare words are known by their parts; what is refused", "[subword][error]") {
    auto recipe = small();
    recipe.training.min_count = 3;
    auto texts = stems(100, 3);
    texts.emplace_back("paintings road paintings");
    const auto model = fit(recipe, texts);
    CHECK_FALSE(model.tokenizer().words().find("paintings"));
    const auto code = [&](subword_word2vec<float> r) { return error_of([&] { (void)fit(r, texts); }).code(); };
    recipe.shortest = 0;
    CHECK(code(recipe) == errc::bad_parameter);
    recipe.shortest = 7;
    CHECK(code(recipe) == errc::bad_parameter);
    recipe.shortest = 3;
    recipe.buckets = 0;
    CHECK(code(recipe) == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(small(), std::vector<std::string>{}); }).code() == errc::empty_input);
    const error e = error_of([&] { (void)model({"fine", "\xFF"}); });
    CHECK(e.code() == errc::bad_utf8);
    CHECK(e.where().row == 2);
    CHECK(error_of([&] { subword_embedding_model<float>(model.tokenizer(), model.parts(), model.parts(), 3, 5); }).code() == errc::shape_mismatch);
}
