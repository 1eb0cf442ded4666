#include <caramel/text/pool.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include <caramel/text/bpe.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/wordpiece.hpp>

#include "support/catch.hpp"
#include "support/count_allocations.hpp"

using namespace caramel;

namespace pool_test {

namespace {

template <class T>
padded<T> random_padded(std::size_t rows, std::size_t time, std::size_t dim, std::uint64_t seed) {
    rng numbers(seed);
    padded<T> x{.values = make_tensor<T, 3>({rows, time, dim}, T(99)), .lengths = {}};  // 99 must take part in nothing
    for (std::size_t i = 0; i < rows; ++i) {
        const auto length = numbers.below(time + 1);
        x.lengths.push_back(static_cast<std::int32_t>(length));
        for (std::size_t t = 0; t < length; ++t)
            for (std::size_t j = 0; j < dim; ++j) x.values(i, t, j) = static_cast<T>(numbers.normal());
    }
    return x;
}
template <class T>
embedding_table<T> random_table(std::size_t rows, std::size_t dim, std::uint64_t seed) {
    rng numbers(seed);
    return embedding_table<T>::random(rows, dim, numbers);
}
token_ids random_tokens(std::size_t rows, std::size_t longest, std::size_t vocabulary_size, std::uint64_t seed) {
    rng numbers(seed);
    token_ids out;
    out.vocabulary_size = vocabulary_size;
    for (std::size_t i = 0; i < rows; ++i) {
        for (auto n = numbers.below(longest + 1); n > 0; --n) out.push_back(static_cast<token_id>(numbers.below(vocabulary_size)));
        out.close_row();
    }
    return out;
}

template <class T>
bool same_bits(const matrix<T>& a, const matrix<T>& b) {
    return a.rows() == b.rows() && a.cols() == b.cols() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
}

}  // namespace

TEMPLATE_TEST_CASE("pool: worked by hand", "[pool]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    padded<T> x{.values = make_tensor<T, 3>({3, 2, 2}), .lengths = {2, 0, 1}};
    x.values(0, 0, 0) = 1, x.values(0, 0, 1) = -8;
    x.values(0, 1, 0) = 4, x.values(0, 1, 1) = -6;
    x.values(2, 0, 0) = -3, x.values(2, 0, 1) = 5;
    const auto expect = [](T a, T b, T c, T d) {
        matrix<T> out(3, 2);
        out << a, b, 0, 0, c, d;
        return out;
    };
    CHECK(mean_pool{}(x) == expect(T(2.5), -7, -3, 5));  // the last row by its own length 1, not by 2
    CHECK(sum_pool{}(x) == expect(5, -14, -3, 5));
    CHECK(max_pool{}(x) == expect(4, -6, -3, 5));  // padding zeros would win over -6 and -3
}

TEMPLATE_TEST_CASE("pool: equals brute force", "[pool]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto x = random_padded<T>(40, 12, 5, 3);
    const matrix<T> mean = mean_pool{}(x), sum = sum_pool{}(x), largest = max_pool{}(x);
    REQUIRE(mean.rows() == 40);
    REQUIRE(mean.cols() == 5);
    for (std::size_t i = 0; i < 40; ++i)
        for (std::size_t j = 0; j < 5; ++j) {
            long double total = 0;
            T most = x.lengths[i] == 0 ? T(0) : std::numeric_limits<T>::lowest();
            for (std::int32_t t = 0; t < x.lengths[i]; ++t) {
                total += static_cast<long double>(x.values(i, static_cast<std::size_t>(t), j));
                most = std::max(most, x.values(i, static_cast<std::size_t>(t), j));
            }
            const auto r = static_cast<row_index>(i), c = static_cast<row_index>(j);
            const auto n = static_cast<long double>(std::max(1, x.lengths[i]));
            CHECK(sum(r, c) == Approx(static_cast<double>(total)).margin(1e-12).epsilon(std::numeric_limits<T>::epsilon()));
            CHECK(mean(r, c) == Approx(static_cast<double>(total / n)).margin(1e-12).epsilon(std::numeric_limits<T>::epsilon()));
            CHECK(largest(r, c) == most);
        }
}

TEST_CASE("pool: float sums do not lose the small", "[pool]") {
    padded<float> x{.values = make_tensor<float, 3>({1, 10'001, 1}, 1.0F), .lengths = {10'001}};
    x.values(0, 0, 0) = 16'777'216.0F;  // 2^24: adding 1 in float changes nothing
    CHECK(sum_pool{}(x)(0, 0) == 16'787'216.0F);
}

TEMPLATE_TEST_CASE("pool: rows alone and permuted have the same bits", "[pool]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto x = random_padded<T>(25, 6, 4, 8);
    const auto check = [&](const auto& stage) {
        const matrix<T> out = stage(x);
        workspace scratch;
        for (std::size_t i = 0; i < x.size(); ++i) {
            REQUIRE(std::ranges::equal(stage(x[i], scratch), row_of<T>(out, static_cast<row_index>(i))));
            REQUIRE(std::ranges::equal(stage(x[i]), row_of<T>(out, static_cast<row_index>(i))));
        }
        padded<T> reversed{.values = make_tensor<T, 3>({25, 9, 4}), .lengths = {x.lengths.rbegin(), x.lengths.rend()}};  // and another padding
        for (std::size_t i = 0; i < 25; ++i) std::ranges::copy(x[24 - i], reversed.values.data() + i * 36);
        CHECK(same_bits<T>(stage(reversed), out.colwise().reverse()));
    };
    check(mean_pool{});
    check(sum_pool{});
    check(max_pool{});
}

TEMPLATE_TEST_CASE("pool: nothing comes out as nothing", "[pool][edge]", CARAMEL_TEST_SCALARS) {
    const matrix<TestType> out = mean_pool{}(padded<TestType>{.values = make_tensor<TestType, 3>({0, 0, 3}), .lengths = {}});
    CHECK(out.rows() == 0);
    CHECK(out.cols() == 3);
    CHECK(max_pool{}(padded<TestType>{.values = make_tensor<TestType, 3>({2, 0, 3}), .lengths = {0, 0}}).isZero());
}

TEMPLATE_TEST_CASE("pool: values that are not finite, and sums that leave the numbers", "[pool][error]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto refuses = [](auto stage, std::initializer_list<T> bad_values) {
        for (const T bad : bad_values) {
            auto x = random_padded<T>(3, 4, 2, 1);
            x.lengths = {4, 4, 3};
            x.values(2, 1, 1) = bad;
            const auto e = error_of([&] { (void)stage(x); });
            CHECK(e.code() == errc::nan_or_inf);
            CHECK(e.where() == place{.row = 3, .column = 2});
            x.lengths[2] = 1;  // beyond the end it does not matter
            CHECK(stage(x).allFinite());
        }
    };
    constexpr T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    refuses(mean_pool{}, {inf, -inf, nan});
    refuses(sum_pool{}, {inf, -inf, nan});
    refuses(max_pool{}, {inf, -inf, nan});
    padded<T> large{.values = make_tensor<T, 3>({1, 2, 1}, std::numeric_limits<T>::max()), .lengths = {2}};
    CHECK(error_of([&] { (void)sum_pool{}(large); }).code() == errc::number_out_of_range);
    CHECK(error_of([&] { (void)sum_pool{}(large); }).where() == place{.row = 1, .column = 1});
    CHECK(max_pool{}(large)(0, 0) == std::numeric_limits<T>::max());
    large.lengths = {3};
    CHECK(error_of([&] { (void)max_pool{}(large); }).code() == errc::shape_mismatch);
}

TEMPLATE_TEST_CASE("bag_of_embeddings: the bits of embedding | pool", "[pool]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto table = random_table<T>(50, 7, 2);
    const auto tokens = random_tokens(40, 11, 50, 6);
    const auto check = [&](pooling how, const auto& stage) {
        const bag_of_embeddings_model<T> bag(table, how);
        const matrix<T> out = bag(tokens);
        CHECK(same_bits<T>(out, (embedding_model<T>(table) | stage)(tokens)));
        workspace scratch;
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            REQUIRE(std::ranges::equal(bag(tokens[i], scratch), row_of<T>(out, static_cast<row_index>(i))));
            REQUIRE(std::ranges::equal(bag(tokens[i]), row_of<T>(out, static_cast<row_index>(i))));
        }
    };
    check(pooling::mean, mean_pool{});
    check(pooling::sum, sum_pool{});
    check(pooling::max, max_pool{});
}

TEST_CASE("bag_of_embeddings: one long text costs no rectangle", "[pool][edge]") {
    token_ids tokens = random_tokens(2'000, 3, 10, 1);
    for (int i = 0; i < 1'000'000; ++i) tokens.push_back(1);
    tokens.close_row();
    const auto table = random_table<float>(10, 64, 1);
    const matrix<float> out = bag_of_embeddings_model<float>(table, pooling::mean)(tokens);
    for (row_index j = 0; j < 64; ++j) CHECK(out(2'000, j) == Approx(table[1][static_cast<std::size_t>(j)]));
    CHECK(error_of([&] { (void)embedding_model<float>(table)(tokens); }).code() == errc::limit_exceeded);
}

TEST_CASE("bag_of_embeddings: its recipe, and what it refuses", "[pool][error]") {
    const auto tokens = random_tokens(5, 4, 12, 3);
    const auto m = fit(bag_of_embeddings<float>{.dim = 3, .how = pooling::max}, tokens, {.seed = 1});
    CHECK(m.table().size() == 12);
    CHECK(m.table().dim() == 3);
    CHECK(m.how() == pooling::max);
    CHECK(m.table().values() == fit(bag_of_embeddings<float>{.dim = 3}, tokens, {.seed = 1}).table().values());
    CHECK_FALSE(m.table().values() == fit(bag_of_embeddings<float>{.dim = 3}, tokens, {.seed = 2}).table().values());
    CHECK(error_of([&] { (void)fit(bag_of_embeddings<float>{.dim = 0}, tokens); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(bag_of_embeddings<float>{.how = static_cast<pooling>(7)}, tokens); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)fit(bag_of_embeddings<float>{}, token_ids{}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)m(random_tokens(5, 4, 13, 3)); }).code() == errc::shape_mismatch);
    workspace scratch;
    CHECK(error_of([&] { (void)m(std::vector<token_id>{12}, scratch); }).code() == errc::unknown_id);
}

TEST_CASE("pool: stages without fields say so", "[pool]") {
    static_assert(std::tuple_size_v<decltype(mean_pool{}.fields())> == 0 && mean_pool::field_names.empty());
    CHECK(mean_pool::kind == "mean_pool");
    CHECK(sum_pool::kind == "sum_pool");
    CHECK(max_pool::kind == "max_pool");
}

// ---- the whole chain ---------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("text chain: batch, one text, and no allocation after the first", "[pool]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const std::vector<std::string> texts = {"Good food, fast!", "", "slow and cold 饭", "The food's GOOD; unheard-of words"};
    const auto check = [&](const auto& recipe) {
        const auto chain = fit(recipe, std::vector<std::string>(texts.begin(), texts.begin() + 3), {.seed = 4});
        const matrix<T> out = chain(texts);
        REQUIRE(out.rows() == 4);
        REQUIRE(out.row(1).isZero());
        workspace scratch;
        for (const std::size_t i : {3U, 0U, 1U, 2U}) {
            const std::size_t before = n_allocations;
            const std::span<const T> row = chain(std::string_view(texts[i]), scratch);
            if (i != 3) CHECK(n_allocations == before);
            CHECK(std::ranges::equal(row, row_of<T>(out, static_cast<row_index>(i))));
            const std::vector<T> owned = chain(std::string_view(texts[i]));
            CHECK(std::ranges::equal(owned, row_of<T>(out, static_cast<row_index>(i))));
        }
    };
    check(word_tokenizer{} | random_embedding<T>{.dim = 6} | mean_pool{});
    check(word_tokenizer{} | random_embedding<T>{.dim = 6} | max_pool{});
    check(word_tokenizer{} | bag_of_embeddings<T>{.dim = 6});
}

TEST_CASE("text chain: the error says which stage and which text", "[pool][error]") {
    const auto chain = fit(word_tokenizer{} | random_embedding<float>{} | mean_pool{}, std::vector<std::string>{"a"});
    const auto e = error_of([&] { (void)chain(std::vector<std::string>{"a", "b\xFF"}); });
    CHECK(e.where() == place{.row = 2, .byte = 2, .stage = 1});
}

TEST_CASE("wordpiece: one text with a workspace allocates nothing after the first call", "[wordpiece]") {  // here, where allocations are counted
    const auto m = make_wordpiece(vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "fo", "##x", "na", "##ive"}));
    const std::string text = "The fox, na\xC3\xAFve; \xE4\xB8\xAD\xE5\x9B\xBD \xED\x95\x9C " + std::string(300, 'x');
    workspace scratch;
    (void)m.encode(text, scratch);
    (void)m.encode_pair(text, text, scratch, {.max_length = 20});
    const std::size_t before = n_allocations;
    CHECK(m.encode(text, scratch).size() > 8);
    CHECK(m.encode(text, scratch, {.max_length = 7, .truncate = text_side::left}).size() == 7);
    CHECK(m.encode_pair(text, text, scratch, {.max_length = 20}).size() == 20);
    CHECK(m(text, scratch).size() > 8);
    CHECK(n_allocations == before);
}

TEST_CASE("bpe: one text with a workspace allocates nothing after the first call", "[bpe]") {
    const std::vector<std::string> texts{"where is my order", "where is the refund for my order, please?", "\xE6\x88\x91\xE7\x9A\x84 \xFF order", std::string(300, 'x')};
    const auto m = fit(bpe{.vocabulary_size = 300, .min_frequency = 1}, texts);
    workspace scratch;
    (void)m.encode(texts[3], scratch);
    const std::size_t before = n_allocations;
    for (const auto& text : texts) (void)m.encode(text, scratch);
    CHECK(n_allocations == before);
}

}  // namespace pool_test
