#include <caramel/text/embedding.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "support/catch.hpp"

using namespace caramel;

namespace {

token_ids make_tokens(const std::vector<std::vector<token_id>>& rows, std::size_t vocabulary_size) {
    token_ids out;
    out.vocabulary_size = vocabulary_size;
    for (const auto& row : rows) out.append_row(row);
    return out;
}
token_ids random_tokens(std::size_t rows, std::size_t longest, std::size_t vocabulary_size, std::uint64_t seed) {
    rng numbers(seed);
    std::vector<std::vector<token_id>> out(rows);
    for (auto& row : out) {
        row.resize(numbers.below(longest + 1));
        for (auto& id : row) id = static_cast<token_id>(numbers.below(vocabulary_size));
    }
    return make_tokens(out, vocabulary_size);
}
template <class T>
embedding_table<T> make_table(const std::vector<std::vector<T>>& rows) {
    auto values = make_tensor<T, 2>({rows.size(), rows.front().size()});
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t j = 0; j < rows[i].size(); ++j) values(i, j) = rows[i][j];
    return embedding_table<T>(std::move(values));
}

}  // namespace

TEMPLATE_TEST_CASE("embedding: worked by hand", "[embedding]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const embedding_model<T> m(make_table<T>({{0, 1}, {2, 3}, {4, 5}}));
    const padded<T> out = m(make_tokens({{2, 0}, {}, {1}}, 3));
    CHECK(out.lengths == std::vector<std::int32_t>{2, 0, 1});
    CHECK(std::vector<T>(out.values.begin(), out.values.end()) == std::vector<T>{4, 5, 0, 1, 0, 0, 0, 0, 2, 3, 0, 0});
}

TEMPLATE_TEST_CASE("embedding: equals indexing element by element", "[embedding]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto tokens = random_tokens(50, 9, 30, 1);
    const auto m = fit(random_embedding<T>{.dim = 5}, tokens);
    REQUIRE(m.table().size() == 30);
    REQUIRE(m.dim() == 5);
    const padded<T> out = m(tokens);
    const tensor<T, 2>& table = m.table().values();
    std::size_t longest = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) longest = std::max(longest, tokens[i].size());
    REQUIRE(out.values.shape() == std::array<std::size_t, 3>{50, longest, 5});
    for (std::size_t i = 0; i < 50; ++i)
        for (std::size_t t = 0; t < longest; ++t)
            for (std::size_t j = 0; j < 5; ++j)
                REQUIRE(out.values(i, t, j) == (t < tokens[i].size() ? table(static_cast<std::size_t>(tokens[i][t]), j) : T(0)));
}

TEMPLATE_TEST_CASE("embedding: a text alone has the bits that it has in a batch", "[embedding]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto tokens = random_tokens(20, 6, 10, 2);
    const auto m = fit(random_embedding<T>{.dim = 3}, tokens);
    const padded<T> out = m(tokens);
    workspace scratch;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const padded_row<T> row = m(tokens[i], scratch);
        REQUIRE(row.dim() == 3);
        REQUIRE(row.length() == tokens[i].size());
        REQUIRE(std::ranges::equal(row, out[i]));
        REQUIRE(std::ranges::equal(m(tokens[i]), out[i]));  // without a workspace: a vector
    }
    CHECK(m(make_tokens({}, 10)).size() == 0);
    CHECK(m(make_tokens({}, 10)).dim() == 3);
    CHECK(m(make_tokens({{}, {}}, 10)).values.shape() == std::array<std::size_t, 3>{2, 0, 3});
}

TEMPLATE_TEST_CASE("random_embedding: the seed decides, the texts only say how many ids there are", "[embedding]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto learn = [](const token_ids& tokens, std::uint64_t seed, std::size_t dim = 8) { return fit(random_embedding<T>{.dim = dim}, tokens, {.seed = seed}); };
    const auto a = make_tokens({{1, 2}}, 2000), b = make_tokens({{7}, {1999}}, 2000);
    CHECK(learn(a, 1).table().values() == learn(b, 1).table().values());
    CHECK_FALSE(learn(a, 1).table().values() == learn(a, 2).table().values());
    // mean 0 and variance 1 / dim: 16,000 values, so the mean is off by .0028 and the variance by 1.1 % (one deviation)
    const auto m = learn(a, 1);
    const auto values = m.table().flat();
    double sum = 0, square = 0;
    for (const T x : values) sum += static_cast<double>(x), square += static_cast<double>(x) * static_cast<double>(x);
    CHECK(sum / 16'000 == Approx(0).margin(.0112));
    CHECK(square / 16'000 * 8 == Approx(1).margin(.045));
}

TEST_CASE("embedding: what it refuses, and where", "[embedding][error]") {
    CHECK(error_of([] { (void)embedding_model<float>(embedding_table<float>()); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)embedding_model<float>(embedding_table<float>(make_tensor<float, 2>({3, 0}))); }).code() == errc::bad_data);
    const embedding_model<float> m(make_table<float>({{0, 1}, {2, 3}, {4, 5}}));
    CHECK(error_of([&] { (void)m(make_tokens({{0}}, 4)); }).code() == errc::shape_mismatch);
    CHECK_THROWS_WITH(m(make_tokens({{0}}, 4)), "embedding: got a vocabulary of 4, the table has 3 rows");
    CHECK_NOTHROW(m(make_tokens({{0}}, 2)));  // a table may have rows to spare
    CHECK(error_of([&] { (void)m(make_tokens({{0}, {1, 3}}, 3)); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)m(make_tokens({{0}, {1, 3}}, 3)); }).where() == place{.row = 2});
    CHECK(error_of([&] { (void)m(make_tokens({{-1}}, 3)); }).code() == errc::unknown_id);
    workspace scratch;
    const std::vector<token_id> bad{0, 2'147'483'647};
    CHECK(error_of([&] { (void)m(bad, scratch); }).code() == errc::unknown_id);

    // one long text among many short ones: 600,001 * 2,000 * 2 values
    std::vector<std::vector<token_id>> rows(2'000, {1});
    rows[3].resize(600'001);
    CHECK(error_of([&] { (void)m(make_tokens(rows, 3)); }).code() == errc::limit_exceeded);

    const auto refused = [](std::size_t dim, const token_ids& tokens) { return error_of([&] { (void)fit(random_embedding<float>{.dim = dim}, tokens); }); };
    CHECK(refused(0, make_tokens({{1}}, 3)).code() == errc::bad_parameter);
    CHECK(refused(65'537, make_tokens({{1}}, 3)).code() == errc::bad_parameter);
    CHECK(refused(std::size_t(-1), make_tokens({{1}}, 3)).code() == errc::bad_parameter);
    CHECK(refused(2, make_tokens({}, 3)).code() == errc::empty_input);
    CHECK(refused(2, make_tokens({{}}, 0)).code() == errc::bad_data);
    CHECK(refused(2, make_tokens({{1}, {3}}, 3)).where() == place{.row = 2});
}

TEMPLATE_TEST_CASE("nearest: worked by hand", "[embedding]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto table = make_table<T>({{0, 0}, {1, 0}, {0, 2}, {3, 3}, {-1, 0}, {5, 5}});
    const auto ids = [](const std::vector<similar_token>& found) {
        std::vector<token_id> out;
        for (const auto& token : found) out.push_back(token.id);
        return out;
    };
    CHECK(ids(nearest(table, 1, 10)) == std::vector<token_id>{3, 5, 0, 2, 4});  // 3 and 5 tie, 0 and 2 tie
    CHECK(nearest(table, 1, 1).front().cosine == Approx(std::sqrt(.5)));
    CHECK(nearest(table, 1, 10).back().cosine == -1);
    CHECK(ids(nearest(table, 1, 2)) == std::vector<token_id>{3, 5});
    CHECK(nearest(table, 1, 0).empty());
    CHECK(ids(nearest(table, std::vector<T>{1, 0}, 2)) == std::vector<token_id>{1, 3});  // a vector leaves nothing out
    for (const auto& token : nearest(table, 0, 10)) CHECK(token.cosine == 0);            // zeros have no direction
    CHECK(ids(nearest(table, 0, 10)) == std::vector<token_id>{1, 2, 3, 4, 5});
}

TEMPLATE_TEST_CASE("nearest: equals sorting all cosines", "[embedding]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    rng numbers(4);
    const auto table = embedding_table<T>::random(200, 7, numbers);
    const auto cosine = [&](std::size_t a, std::size_t b) {
        long double dot = 0, aa = 0, bb = 0;
        for (std::size_t j = 0; j < 7; ++j) {
            dot += static_cast<long double>(table[a][j]) * static_cast<long double>(table[b][j]);
            aa += static_cast<long double>(table[a][j]) * static_cast<long double>(table[a][j]);
            bb += static_cast<long double>(table[b][j]) * static_cast<long double>(table[b][j]);
        }
        return static_cast<double>(dot / std::sqrt(aa * bb));
    };
    for (const std::size_t id : {0U, 17U, 199U}) {
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < 200; ++i)
            if (i != id) order.push_back(i);
        std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return cosine(id, a) > cosine(id, b); });
        const auto found = nearest(table, static_cast<token_id>(id), 20);
        REQUIRE(found.size() == 20);
        for (std::size_t k = 0; k < 20; ++k) {
            CHECK(static_cast<std::size_t>(found[k].id) == order[k]);
            CHECK(found[k].cosine == Approx(cosine(id, order[k])).epsilon(1e-12));
        }
    }
}

TEST_CASE("nearest: vectors whose squares leave the range of double", "[embedding][edge]") {
    const auto huge = make_table<double>({{1e200, 0}, {1e200, 1e200}, {1e-200, 0}, {3, 0}, {0, -1e-320}});
    const auto found = nearest(huge, 0, 4);
    CHECK(found[0] == similar_token{2, 1});
    CHECK(found[1] == similar_token{3, 1});
    CHECK(found[2].id == 1);
    CHECK(found[2].cosine == Approx(std::sqrt(.5)));
    CHECK(found[3] == similar_token{4, 0});
}

TEST_CASE("nearest: what it refuses", "[embedding][error]") {
    const auto table = make_table<float>({{0, 1}, {2, 3}});
    CHECK(error_of([&] { (void)nearest(table, 2, 1); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)nearest(table, -1, 1); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)nearest(table, std::vector<float>{1}, 1); }).code() == errc::shape_mismatch);
    const auto e = error_of([&] { (void)nearest(table, std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()}, 1); });
    CHECK(e.code() == errc::nan_or_inf);
    CHECK(e.where().column == 2);
}
