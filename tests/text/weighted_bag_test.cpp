#include <caramel/text/weighted_bag.hpp>

#include <cmath>
#include <vector>

#include "support/catch.hpp"

using namespace caramel;

namespace weighted_bag_test {

namespace {

token_ids make_tokens(const std::vector<std::vector<token_id>>& rows, std::size_t vocabulary_size) {
    token_ids out;
    out.vocabulary_size = vocabulary_size;
    for (const auto& row : rows) out.append_row(row);
    return out;
}
template <class T>
embedding_table<T> make_table(std::size_t rows, std::size_t dim, std::uint64_t seed) {
    rng numbers(seed);
    return embedding_table<T>::random(rows, dim, numbers);
}
token_ids random_tokens(std::size_t rows, std::size_t vocabulary_size, std::uint64_t seed) {
    rng numbers(seed);
    token_ids out;
    out.vocabulary_size = vocabulary_size;
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t n = numbers.below(12); n-- > 0;) out.push_back(static_cast<token_id>(numbers.below(1 + numbers.below(vocabulary_size))));
        out.close_row();
    }
    return out;
}

}  // namespace

TEST_CASE("weighted_bag: worked by hand", "[weighted_bag]") {
    auto values = make_tensor<double, 2>({3, 1});
    values(0, 0) = 100;
    values(1, 0) = 1;
    values(2, 0) = 2;
    const embedding_table<double> table(std::move(values));
    const auto tokens = make_tokens({{1, 1, 2}, {1, 0}, {}, {0}}, 3);  // id 0 is unknown
    const auto sif = fit(weighted_bag<double>{.table = table, .smoothing = .5, .remove_common = false}, tokens);
    const double one = .5 / (.5 + .75), two = .5 / (.5 + .25);  // shares of 4 words that are known
    CHECK(sif.weights()(1) == Approx(one));
    CHECK(sif(tokens)(0, 0) == Approx((2 * one + 2 * two) / 3));
    CHECK(sif(tokens)(1, 0) == Approx(one));
    CHECK(sif(tokens)(2, 0) == 0);
    CHECK(sif(tokens)(3, 0) == 0);
    const auto idf = fit(weighted_bag<double>{.table = table, .weighting = token_weighting::idf, .remove_common = false}, tokens);
    const double w1 = std::log(5. / 3) + 1, w2 = std::log(5. / 2) + 1;
    CHECK(idf(tokens)(0, 0) == Approx((2 * w1 + 2 * w2) / (2 * w1 + w2)));
    const auto equal =
        fit(weighted_bag<double>{.table = table, .weighting = token_weighting::equal, .remove_common = false, .unknown = unknown_tokens::keep}, tokens);
    CHECK(equal(tokens)(1, 0) == 50.5);
    const auto strict =
        fit(weighted_bag<double>{.table = table, .weighting = token_weighting::equal, .remove_common = false, .unknown = unknown_tokens::skip}, tokens);
    CHECK(strict(tokens)(1, 0) == 1);
    const error e = error_of([&] { (void)fit(weighted_bag<double>{.table = table, .unknown = unknown_tokens::refuse}, tokens); });
    CHECK(e.code() == errc::unknown_id);
    CHECK(e.where().row == 2);
}

TEMPLATE_TEST_CASE("weighted_bag: equal weights are the mean, with one row as in a batch", "[weighted_bag]", float, double) {
    using T = TestType;
    const auto tokens = random_tokens(60, 25, 1);
    const auto table = make_table<T>(25, 7, 2);
    const auto bag = fit(weighted_bag<T>{.table = table, .weighting = token_weighting::equal, .remove_common = false, .unknown = unknown_tokens::keep}, tokens);
    CHECK(bag(tokens) == bag_of_embeddings_model<T>(table, pooling::mean)(tokens));
    const auto sif = fit(weighted_bag<T>{.table = table}, tokens);
    const matrix<T> all = sif(tokens);
    workspace scratch;
    for (std::size_t i = 0; i < tokens.size(); ++i) CHECK(std::ranges::equal(sif(tokens[i], scratch), row_of<T>(all, static_cast<row_index>(i))));
}

TEST_CASE("weighted_bag: the common direction is the first singular vector, and is gone", "[weighted_bag]") {
    const auto tokens = random_tokens(200, 40, 3);
    auto table = make_table<double>(40, 5, 4);
    for (std::size_t i = 0; i < table.size(); ++i) table[i][2] += 3;  // all words point there
    const auto with = fit(weighted_bag<double>{.table = table, .remove_common = false}, tokens)(tokens);
    const auto model = fit(weighted_bag<double>{.table = table}, tokens);
    REQUIRE(model.common().size() == 5);
    CHECK(std::abs(model.common()(2)) > .9);
    // An eigenvector of x'x: x'x c is along c, and no direction is longer.
    const vec<double> image = with.transpose() * (with * model.common());
    CHECK((image / image.norm() - model.common()).norm() < 1e-7);
    const double most = (with * model.common()).squaredNorm();
    for (row_index j = 0; j < 5; ++j) CHECK(with.col(j).squaredNorm() <= most * (1 + 1e-9));
    CHECK((model(tokens) * model.common()).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("weighted_bag: what is refused", "[weighted_bag][error]") {
    const auto table = make_table<float>(4, 2, 1);
    const auto tokens = make_tokens({{1, 2}}, 4);
    CHECK(error_of([&] { (void)fit(weighted_bag<float>{}, tokens); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)fit(weighted_bag<float>{.table = table, .smoothing = 0}, tokens); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(weighted_bag<float>{.table = table}, token_ids{}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)fit(weighted_bag<float>{.table = table}, make_tokens({{1}}, 5)); }).code() == errc::shape_mismatch);
    const auto model = fit(weighted_bag<float>{.table = table}, tokens);
    CHECK(error_of([&] { (void)model(make_tokens({{1}, {7}}, 4)); }).where().row == 2);
    const vec<double> ones = vec<double>::Ones(4), unit = vec<double>::Unit(2, 0), none;
    const auto code = [&](const vec<double>& weights, const vec<double>& common) {
        return error_of([&] { weighted_bag_model<float>(table, weights, true, 0, unknown_tokens::skip, common); }).code();
    };
    CHECK(code(vec<double>(ones.head(3)), none) == errc::shape_mismatch);
    CHECK(code(vec<double>(-ones), none) == errc::bad_data);
    CHECK(code(ones, vec<double>(2 * unit)) == errc::bad_data);
    CHECK(code(ones, vec<double>(ones)) == errc::shape_mismatch);
}

}  // namespace weighted_bag_test
