#include <caramel/core/padded.hpp>

#include <vector>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("padded: the part of a row that is in use", "[padded]") {
    padded<double> x{.values = make_tensor<double, 3>({2, 3, 2}), .lengths = {1, 3}};
    double next = 0;
    for (auto& value : x.values.storage()) value = next++;
    CHECK(x.size() == 2);
    CHECK(x.time() == 3);
    CHECK(x.dim() == 2);
    CHECK(std::vector<double>(x[0].begin(), x[0].end()) == std::vector<double>{0, 1});
    CHECK(x[1].length() == 3);
    CHECK(x[1].size() == 6);
    CHECK(x[1].step(2)[0] == x.values(1, 2, 0));
    CHECK(x[1].step(2)[1] == x.values(1, 2, 1));
    CHECK(padded<double>().size() == 0);
    CHECK(padded_row<double>().length() == 0);
    auto y = x;
    CHECK(y == x);
    y.values(1, 0, 0) = -1;
    CHECK_FALSE(y == x);
    y = x;
    y.lengths[0] = 2;
    CHECK_FALSE(y == x);
    CHECK_FALSE(padded<double>() == x);
}
TEST_CASE("padded: lengths that do not fit are refused", "[padded][error]") {
    padded<float> x{.values = make_tensor<float, 3>({2, 3, 1}), .lengths = {0, 3}};
    CHECK_NOTHROW(require_lengths(x, "here"));
    x.lengths = {0, 4};
    CHECK(error_of([&] { require_lengths(x, "here"); }).where() == place{.row = 2});
    CHECK_THROWS_WITH(require_lengths(x, "here"), "here: row 2 has length 4, the time is 3");
    x.lengths = {-1, 0};
    CHECK(error_of([&] { require_lengths(x, "here"); }).where() == place{.row = 1});
    x.lengths = {1};
    CHECK(error_of([&] { require_lengths(x, "here"); }).code() == errc::shape_mismatch);
}
