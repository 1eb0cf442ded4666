#include <span>
#include <string>
#include <vector>

#include <caramel/any_model.hpp>
#include <caramel/features/standardize.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("any_model: keeps a fitted chain behind one type, and copies share it", "[any_model]") {
    const matrix<float> x = matrix<float>::Random(8, 2);
    const auto chain = fit(standardize<float>{} | standardize<float>{}, x);
    any_model<matrix<float>, matrix<float>> model = chain;
    const auto copy = model;
    CHECK(model(x) == chain(x));
    model = fit(standardize<float>{}, x);
    CHECK(copy(x) == chain(x));
    const auto longer = copy | [](const matrix<float>& m) { return m.rows(); };
    CHECK(longer(x) == 8);
}

TEST_CASE("any_model: answers rows where its types are rows", "[any_model]") {
    const matrix<float> x = matrix<float>::Random(8, 2);
    const auto chain = fit(standardize<float>{} | standardize<float>{}, x);
    const any_model<std::span<const float>, std::span<const float>> model = chain;
    workspace scratch;
    const auto row = model(row_of<float>(x, 3), scratch);
    CHECK(row[1] == chain(x)(3, 1));
}

TEST_CASE("any_model: what does not fit does not convert", "[any_model]") {
    using table_model = standardize_model<float>;
    STATIC_REQUIRE(std::is_constructible_v<any_model<matrix<float>, matrix<float>>, table_model>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<any_model<std::vector<std::string>, matrix<float>>, table_model>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<any_model<matrix<float>, std::string>, table_model>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<any_model<matrix<float>, matrix<float>>, standardize<float>>);
    using chain = pipeline<table_model, table_model>;
    STATIC_REQUIRE_FALSE(std::is_constructible_v<any_model<std::vector<std::string>, matrix<float>>, chain>);
    // A span that nobody keeps alive is never handed out.
    STATIC_REQUIRE_FALSE(std::is_invocable_v<any_model<std::span<const float>, std::span<const float>>, std::span<const float>>);
}
