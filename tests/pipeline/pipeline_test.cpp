#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <caramel/apply.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/features/concat.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/pipeline.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

matrix<float> numbers(row_index rows, row_index columns, std::uint64_t seed = 1) {
    rng random(seed);
    matrix<float> x(rows, columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(random.normal());
    return x;
}

// A user's own recipe: a noise direction that shows which random stream was drawn from.
struct noise_model {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "noise";
    double value = 0;
    matrix<float> operator()(const matrix_in<float>& x) const { return x.array() + static_cast<float>(value); }
};
struct noise {
    using stage_concept = recipe_tag;
    [[nodiscard]] noise_model fit(const matrix_in<float>&, const fit_options& options) const { return {stage_rng(options, "noise").normal()}; }
};

// A user's own recipe that learns from targets: predicts their mean.
struct mean_model {
    using stage_concept = model_tag;
    double mean;
    std::vector<double> operator()(const matrix_in<float>& x) const { return std::vector<double>(static_cast<std::size_t>(x.rows()), mean); }
};
struct mean_of_targets {
    using stage_concept = recipe_tag;
    [[nodiscard]] mean_model fit(const matrix_in<float>&, const std::vector<double>& y, const fit_options&) const {
        double sum = 0;
        for (const double v : y) sum += v;
        return {sum / static_cast<double>(y.size())};
    }
};

struct add {  // a user's own struct as a stage
    float by;
    matrix<float> operator()(const matrix<float>& x) const { return x.array() + by; }
};

// A user's recipe whose model must not answer its own training rows: the next stage learns from something else.
struct shifted {
    using stage_concept = recipe_tag;
    float training = 1, later = 100;
    [[nodiscard]] add fit(const matrix_in<float>&, const std::vector<double>&, const fit_options&) const { return {later}; }
    [[nodiscard]] std::pair<add, matrix<float>> fit_transform(const matrix_in<float>& x, const std::vector<double>& y, const fit_options&) const {
        require(y.size() != 7, errc::bad_data, "shifted: seven");
        return {add{later}, x.array() + training};
    }
};

template <class A, class B>
concept Pipes = requires(A a, B b) { a | b; };

}  // namespace

TEST_CASE("pipeline: types say what a chain can do", "[pipeline]") {
    using recipe = decltype(standardize<float>{} | standardize<float>{});
    using model = pipeline<standardize_model<float>, standardize_model<float>>;
    STATIC_REQUIRE(Recipe<recipe>);
    STATIC_REQUIRE_FALSE(Transformer<recipe, matrix<float>>);
    STATIC_REQUIRE(Transformer<model, matrix<float>>);
    STATIC_REQUIRE(RowTransformer<model, std::span<const float>>);
    STATIC_REQUIRE_FALSE(Transformer<model, std::vector<std::string>>);
    STATIC_REQUIRE(std::is_same_v<fitted_t<recipe, matrix<float>>, model>);
    STATIC_REQUIRE(std::is_same_v<fitted_t<mean_of_targets, matrix<float>, std::vector<double>>, mean_model>);
}

TEST_CASE("pipeline: grouping does not change a chain", "[pipeline]") {
    const auto plus = [](const matrix<float>& x) -> matrix<float> { return x.array() + 1; };
    const standardize<float> z;
    STATIC_REQUIRE(std::is_same_v<decltype((z | plus) | z), decltype(z | (plus | z))>);
    const auto x = numbers(20, 3);
    CHECK(fit((z | plus) | z, x)(x) == fit(z | (plus | z), x)(x));
}

TEST_CASE("pipeline: data do not compose", "[pipeline]") {
    STATIC_REQUIRE(Pipes<standardize<float>, standardize<float>>);
    STATIC_REQUIRE(Pipes<standardize<float>, add>);
    STATIC_REQUIRE_FALSE(Pipes<matrix<float>, standardize<float>>);
    STATIC_REQUIRE_FALSE(Pipes<std::vector<int>, standardize<float>>);
}

TEST_CASE("pipeline: each recipe learns from what the stages before it make", "[pipeline]") {
    const auto x = numbers(50, 2);
    const auto chain = fit(add{100} | standardize<float>{} | add{3} | standardize<float>{}, x);
    CHECK(std::abs(chain.get<1>().mean()(0) - 100 - x.col(0).mean()) < 1e-4);
    CHECK(std::abs(chain.get<3>().mean()(0) - 3) < 1e-4);
    CHECK(chain(x).colwise().mean().cwiseAbs().maxCoeff() < 1e-5F);
}

TEST_CASE("pipeline: training data run no further than the last recipe", "[pipeline]") {
    const auto x = numbers(9, 2);
    const auto never = [](const matrix<float>&) -> int { throw std::logic_error("called in training"); };
    const auto model = fit(standardize<float>{} | never, x);
    CHECK_THROWS_AS(model(x), std::logic_error);
}

TEST_CASE("pipeline: targets go to those who learn from them", "[pipeline]") {
    const auto x = numbers(4, 2);
    const std::vector<double> y{1, 2, 3, 6};
    const auto model = fit(standardize<float>{} | add{1} | mean_of_targets{}, x, y);
    CHECK(model(x) == std::vector<double>(4, 3.0));
}

TEST_CASE("pipeline: a recipe's fit_transform says what the next stage learns from, at any depth", "[pipeline]") {
    const auto x = numbers(6, 2);
    const std::vector<double> y(6, 1);
    const auto mean = [&](const auto& chain) { return fit(chain, x, y); };
    CHECK(std::abs(mean(shifted{} | standardize<float>{}).get<1>().mean()(0) - x.col(0).mean() - 1) < 1e-5);
    CHECK(std::abs(mean(add{10} | shifted{} | add{1000} | standardize<float>{}).get<3>().mean()(0) - x.col(0).mean() - 1011) < 1e-3);
    const auto nested = mean(concat(add{5}, add{10} | shifted{} | add{20}, concat(shifted{}) | standardize<float>{}) | standardize<float>{});
    CHECK(std::abs(nested.get<1>().mean()(0) - x.col(0).mean() - 5) < 1e-5);
    CHECK(std::abs(nested.get<1>().mean()(2) - x.col(0).mean() - 31) < 1e-4);
    const auto shifts = nested(x);
    CHECK(std::abs(shifts.col(2).mean() - 99 / nested.get<1>().deviation()(2)) < 1e-2F);  // a model answers with the other shift
    CHECK(fit(shifted{}, x, y)(x)(0, 0) == x(0, 0) + 100);
    const error e = error_of([&] { (void)fit(add{1} | shifted{} | standardize<float>{}, numbers(7, 1), std::vector<double>(7)); });
    CHECK(e.where().stage == 2);
}

TEST_CASE("fit: lengths that differ are refused with both", "[pipeline][error]") {
    const auto x = numbers(4, 2);
    const error targets = error_of([&] { (void)fit(mean_of_targets{}, x, std::vector<double>(3)); });
    CHECK(targets.code() == errc::shape_mismatch);
    CHECK(std::string(targets.what()) == "fit: 4 rows but 3 targets");
    const std::vector<double> weights(5, 1);
    const error too_many = error_of([&] { (void)fit(standardize<float>{}, x, {.weights = weights}); });
    CHECK(too_many.code() == errc::shape_mismatch);
    CHECK(std::string(too_many.what()) == "fit: 4 rows but 5 weights");
    const std::vector<double> four(4, 1);
    CHECK(error_of([&] { (void)fit(noise{}, x, {.weights = four}); }).code() == errc::bad_parameter);
    CHECK_NOTHROW(fit(noise{} | standardize<float>{}, x, {.weights = four}));
}

TEST_CASE("pipeline: an error says which stage it came from", "[pipeline][error]") {
    const auto model = fit(add{1} | standardize<float>{}, numbers(4, 3));
    const error at_call = error_of([&] { (void)model(numbers(1, 2)); });
    CHECK(at_call.where().stage == 2);
    CHECK(std::string(at_call.what()) == "standardize: got 2 columns, learnt 3 (stage 2 of the chain)");
    const error at_fit = error_of([&] { (void)fit(add{1} | (add{2} | standardize<float>{}), matrix<float>(0, 3)); });
    CHECK(at_fit.where().stage == 3);
    CHECK(at_fit.code() == errc::empty_input);
    const auto nested = add{1} | concat(add{1} | standardize<float>{}, standardize<float>{});
    const error within = error_of([&] { (void)fit(nested, matrix<float>(0, 3)); });
    CHECK(within.where().stage == 2);
}

TEST_CASE("pipeline: one row with a workspace has the bits of the batch", "[pipeline]") {
    const auto x = numbers(20, 3);
    const auto model = fit(standardize<float>{} | concat(standardize<float>{}, standardize<float>{} | standardize<float>{}), x);
    const auto batch = model(x);
    workspace scratch;
    const void* first = nullptr;
    for (row_index i = 0; i < x.rows(); ++i) {
        const auto row = model(row_of<float>(x, i), scratch);
        CHECK(std::equal(row.begin(), row.end(), batch.data() + i * batch.cols()));
        if (i == 1) first = row.data();
        if (i > 1) CHECK(row.data() == first);  // the same memory again
        CHECK(std::ranges::equal(model(row_of<float>(x, i)), row));
    }
}

TEST_CASE("pipeline: lambdas on rows stand between stages that answer rows", "[pipeline]") {
    const auto x = numbers(5, 2);
    const auto model = fit(standardize<float>{}, x) | [](std::span<const float> row) { return row[0] + row[1]; };
    workspace scratch;
    const float sum = model(row_of<float>(x, 2), scratch);
    const auto z = model.get<0>()(x);
    CHECK(sum == z(2, 0) + z(2, 1));
}

TEST_CASE("pipeline: xtensor input gives what the matrix gives", "[pipeline]") {
    const auto x = numbers(6, 3);
    tensor<float, 2> same({6, 3});
    std::copy_n(x.data(), x.size(), same.data());
    const auto recipe = standardize<float>{} | standardize<float>{};
    CHECK(fit(recipe, same)(same) == fit(recipe, x)(x));
}

TEST_CASE("pipeline: a stage in front does not change what a random stage learns; two of a kind differ", "[pipeline][determinism]") {
    const auto x = numbers(4, 2);
    const auto alone = fit(noise{}, x, {.seed = 5});
    CHECK(fit(standardize<float>{} | noise{}, x, {.seed = 5}).get<1>().value == alone.value);
    CHECK(fit(noise{}, x, {.seed = 6}).value != alone.value);
    const auto two = fit(noise{} | noise{}, x, {.seed = 5});
    CHECK(two.get<0>().value == alone.value);
    CHECK(two.get<1>().value != alone.value);
    const auto beside = fit(concat(noise{}, standardize<float>{} | noise{}) | noise{}, x, {.seed = 5});
    CHECK(std::get<0>(beside.get<0>().stages()).value == alone.value);
    CHECK(std::get<1>(beside.get<0>().stages()).get<1>().value == two.get<1>().value);
    CHECK(beside.get<1>().value != two.get<1>().value);
}

TEST_CASE("pipeline: an expression as input is worked out once", "[pipeline]") {
    int evaluated = 0;
    const auto counting = matrix<float>::NullaryExpr(3, 2, [&](row_index, row_index) { return static_cast<float>(++evaluated); });
    (void)fit(standardize<float>{} | standardize<float>{}, counting);
    CHECK(evaluated == 6);
}

TEST_CASE("pipeline: column names compose", "[pipeline]") {
    const auto model = fit(standardize<float>{} | concat(standardize<float>{}, standardize<float>{}), numbers(4, 2));
    CHECK(model.output_names({"tenure", "spend"}) == std::vector<std::string>{"tenure", "spend", "tenure", "spend"});
}

TEST_CASE("concat: parts that make different numbers of rows are refused", "[pipeline][error]") {
    const auto one_less = [](const matrix<float>& x) -> matrix<float> { return x.topRows(x.rows() - 1); };
    const auto model = concat(add{1}, one_less);
    const error e = error_of([&] { (void)model(numbers(4, 2)); });
    CHECK(e.code() == errc::shape_mismatch);
    CHECK(std::string(e.what()) == "concat: part 1 gave 4 rows, part 2 gave 3");
}

TEST_CASE("apply: the same bits for any number of threads", "[pipeline]") {
    const auto x = numbers(5000, 3);
    const auto model = fit(standardize<float>{} | standardize<float>{}, x);
    for (const std::size_t threads : {1U, 2U, 4U}) CHECK(apply(model, x, {.threads = threads}) == model(x));
    CHECK(apply(model, matrix<float>(x.topRows(0))).rows() == 0);
    const auto lengths = [](const std::vector<std::string>& texts) {
        std::vector<std::size_t> out;
        for (const auto& text : texts) out.push_back(text.size());
        return out;
    };
    const std::vector<std::string> texts(3000, "hello");
    CHECK(apply(lengths, texts, {.threads = 2}) == lengths(texts));
}

TEST_CASE("apply: an error names the row of the whole batch", "[pipeline][error]") {
    auto x = numbers(5000, 3);
    const auto model = fit(standardize<float>{}, x);
    x(3210, 1) = std::numeric_limits<float>::quiet_NaN();
    CHECK(error_of([&] { (void)apply(model, x, {.threads = 2}); }).where() == place{.row = 3211, .column = 2});
}
