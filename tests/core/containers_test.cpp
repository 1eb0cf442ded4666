// ragged, weights, tensor and embedding_table: the containers that stages hand to each other.
#include <cmath>
#include <limits>
#include <vector>

#include <caramel/core/embedding_table.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/core/weights.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("ragged: rows of different lengths", "[ragged]") {
    ragged<int> rows;
    CHECK(rows.empty());
    rows.append_row(std::vector<int>{1, 2, 3});
    rows.close_row();
    rows.push_back(4);
    rows.close_row();
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].size() == 3);
    CHECK(rows[1].empty());
    CHECK(rows[2][0] == 4);
    CHECK(ragged<int>({1, 2, 3, 4}, {0, 3, 3, 4}) == rows);
}

TEST_CASE("ragged: slices put together again are the whole", "[ragged]") {
    token_ids ids{ragged<token_id>({1, 2, 3, 4}, {0, 3, 3, 4}), 9, 0, 0};
    auto first = ids.slice(0, 1);
    CHECK(first.vocabulary_size == 9);
    first.append(ids.slice(1, 3));
    CHECK(first == ids);
    CHECK(ids.slice(2, 2).empty());
}

TEST_CASE("ragged: starts that do not belong to the values are refused", "[ragged][error]") {
    for (const std::vector<std::int64_t>& starts : {std::vector<std::int64_t>{}, {0, 3}, {1, 2}, {0, 2, 1, 2}, {0, -1, 2}})
        CHECK(error_of([&] { ragged<int>({1, 2}, starts); }).code() == errc::bad_data);
}

TEST_CASE("row_weights: checked once; 1 where none were given", "[weights]") {
    const std::vector<double> given{0.5, 0, 2};
    const row_weights weights(given, 3, "f"), none({}, 4, "f");
    CHECK(weights[2] == 2);
    CHECK(weights.sum() == 2.5);
    CHECK(none[3] == 1);
    CHECK(none.sum() == 4);
    CHECK(error_of([&] { row_weights(given, 2, "f"); }).code() == errc::shape_mismatch);
    const std::vector<double> negative{1, -1}, broken{1, std::nan("")}, zero{0, 0};
    CHECK(error_of([&] { row_weights(negative, 2, "f"); }).where().row == 2);
    CHECK(error_of([&] { row_weights(broken, 2, "f"); }).where().row == 2);
    CHECK(error_of([&] { row_weights(zero, 2, "f"); }).code() == errc::bad_data);
}

TEST_CASE("make_tensor: filled, and a size that overflows is refused before anything is allocated", "[tensor]") {
    const auto q = make_tensor<float, 3>({2, 3, 4}, 1.5F);
    CHECK(q(1, 2, 3) == 1.5F);
    CHECK(error_of([&] { (void)make_tensor<float, 2>({std::size_t{1} << 40, std::size_t{1} << 40}); }).code() == errc::limit_exceeded);
}

TEST_CASE("embedding_table: rows by id; what is not finite is refused with its place", "[embedding_table]") {
    rng random(1);
    auto table = embedding_table<double>::random(5, 400, random);
    CHECK(table.size() == 5);
    CHECK(table.dim() == 400);
    double square = 0;
    for (const double x : table[3]) square += x * x;
    CHECK(std::abs(square - 1) < 0.3);  // 400 values of variance 1/400: five standard deviations of their sum are .35
    auto values = table.values();
    values(2, 7) = std::numeric_limits<double>::quiet_NaN();
    const error e = error_of([&] { embedding_table<double>{values}; });
    CHECK(e.code() == errc::nan_or_inf);
    CHECK(e.where() == place{.row = 3, .column = 8});
    CHECK_NOTHROW(require_ids(std::vector<token_id>{0, 4}, 5, 1, "f"));
    CHECK(error_of([&] { require_ids(std::vector<token_id>{5}, 5, 9, "f"); }).where().row == 9);
    CHECK(error_of([&] { require_ids(std::vector<token_id>{-1}, 5, 1, "f"); }).code() == errc::unknown_id);
}
