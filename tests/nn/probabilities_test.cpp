#include <limits>
#include <span>
#include <string>
#include <vector>

#include <caramel/nn/probabilities.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEMPLATE_TEST_CASE("positive: the probability of class 1", "[probabilities]", CARAMEL_TEST_SCALARS) {
    matrix<TestType> p(3, 2);
    p << TestType(0.25), TestType(0.75), 1, 0, 0, 1;
    const matrix<TestType> out = positive{}(p);
    REQUIRE(out.cols() == 1);
    workspace scratch;
    for (row_index i = 0; i < 3; ++i) {
        CHECK(out(i, 0) == p(i, 1));
        CHECK(positive{}(row_of(p, i), scratch)[0] == p(i, 1));
        CHECK(positive{}(row_of(p, i)) == std::vector<TestType>{p(i, 1)});
    }
    CHECK(positive{}(matrix<TestType>(0, 2)).rows() == 0);
}

TEMPLATE_TEST_CASE("most_likely: the class with the highest probability, ties to the lower", "[probabilities]", CARAMEL_TEST_SCALARS) {
    matrix<TestType> p(4, 3);
    p << 1, 2, 3, 3, 2, 1, 1, 2, 2, 2, 2, 2;
    CHECK(most_likely{}(p) == std::vector<int>{2, 0, 1, 0});
    workspace scratch;
    CHECK(most_likely{}(row_of(p, 0), scratch) == 2);
    CHECK(most_likely{}(row_of(p, 3)) == 0);
    CHECK(most_likely{}(matrix<TestType>(0, 3)).empty());
}

TEST_CASE("probabilities: what is none is refused, with its place", "[probabilities][error]") {
    workspace scratch;
    CHECK(error_of([&] { (void)positive{}(matrix<float>(4, 3)); }).code() == errc::shape_mismatch);
    CHECK(std::string(error_of([&] { (void)positive{}(matrix<float>(4, 3)); }).what()) == "positive: got 3 classes, needs 2: no and yes");
    CHECK(error_of([&] { (void)most_likely{}(matrix<float>(4, 0)); }).code() == errc::shape_mismatch);
    matrix<float> p = matrix<float>::Constant(4, 2, 0.5F);
    CHECK(error_of([&] { (void)positive{}(row_of(p, 0).first(1), scratch); }).code() == errc::shape_mismatch);
    p(2, 1) = std::numeric_limits<float>::quiet_NaN();
    CHECK(error_of([&] { (void)positive{}(p); }).where() == place{.row = 3, .column = 2});
    CHECK(error_of([&] { (void)most_likely{}(p); }).where() == place{.row = 3, .column = 2});
    CHECK(error_of([&] { (void)most_likely{}(row_of(p, 2), scratch); }).code() == errc::nan_or_inf);
}
