#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include <Eigen/SparseCore>

#include <caramel/core/ragged.hpp>
#include <caramel/core/take_rows.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/table.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("take_rows: matrices, columns, vectors and spans", "[take_rows]") {
    matrix<float> x(3, 2);
    x << 1, 2, 3, 4, 5, 6;
    const std::vector<std::size_t> rows{2, 0, 2};
    matrix<float> expected(3, 2);
    expected << 5, 6, 1, 2, 5, 6;
    CHECK(take_rows(x, rows) == expected);
    CHECK(take_rows(Eigen::Map<const matrix<float>>(x.data(), 3, 2), rows) == expected);
    CHECK(take_rows(matrix_in<float>(x), rows) == expected);
    CHECK(take_rows(vec<double>{{7.0, 8.0, 9.0}}, rows) == vec<double>{{9.0, 7.0, 9.0}});
    CHECK(take_rows(x, std::vector<std::size_t>{}).rows() == 0);
    CHECK(take_rows(x, std::vector<std::size_t>{}).cols() == 2);

    const std::vector<std::string> texts{"a", "b", "c"};
    CHECK(take_rows(texts, rows) == std::vector<std::string>{"c", "a", "c"});
    const std::array<const int, 3> numbers{4, 5, 6};
    CHECK(take_rows(std::span(numbers), rows) == std::vector<int>{6, 4, 6});
    CHECK(take_rows(std::vector<bool>{true, false, true}, rows) == std::vector<bool>{true, true, true});

    xt::xtensor<double, 2> plane = xt::zeros<double>({3, 2});
    plane(2, 1) = 4;
    CHECK(take_rows(plane, rows)(2, 1) == 4);
    CHECK(take_rows(plane, rows)(1, 1) == 0);
}
TEST_CASE("take_rows: sparse matrices", "[take_rows]") {
    using sparse = Eigen::SparseMatrix<double, Eigen::RowMajor>;
    sparse x(4, 3);
    x.insert(0, 1) = 1;
    x.insert(2, 0) = 2;
    x.insert(2, 2) = 3;
    for (const bool compressed : {false, true}) {
        if (compressed) x.makeCompressed();
        const sparse y = take_rows(x, std::vector<std::size_t>{2, 1, 0, 2, 3});
        CHECK(y.rows() == 5);
        CHECK(y.nonZeros() == 5);
        matrix<double> expected = matrix<double>::Zero(5, 3);
        expected << 2, 0, 3, 0, 0, 0, 0, 1, 0, 2, 0, 3, 0, 0, 0;
        CHECK(matrix<double>(y) == expected);
    }
    CHECK(take_rows(x, std::vector<std::size_t>{}).rows() == 0);
}
TEST_CASE("take_rows: what says itself how", "[take_rows]") {
    token_ids ids;
    ids.vocabulary_size = 9;
    ids.unknown = 3;
    ids.append_row(std::vector<token_id>{1, 2});
    ids.append_row({});
    const token_ids taken = take_rows(ids, std::vector<std::size_t>{1, 0});
    CHECK(taken.vocabulary_size == 9);
    CHECK(taken.unknown == 3);
    CHECK(taken[0].empty());
    CHECK(taken[1].size() == 2);
    CHECK(take_rows(static_cast<const ragged<token_id>&>(ids), std::vector<std::size_t>{1}).size() == 1);

    table t;
    t.add_column("a", std::vector{1, 2, 3});
    CHECK(take_rows(t, std::vector<std::size_t>{2}).integers("a")[0] == 3);
    const table empty = take_rows(t, std::vector<std::size_t>{});
    CHECK(empty.rows() == 0);
}
TEST_CASE("take_rows: a row that there is not is refused", "[take_rows][error]") {
    const auto code = [](const auto& x) { return error_of([&] { (void)take_rows(x, std::vector<std::size_t>{0, 3}); }).code(); };
    CHECK(code(matrix<float>(matrix<float>::Zero(3, 1))) == errc::bad_parameter);
    CHECK(code(std::vector<int>(3)) == errc::bad_parameter);
    CHECK(code(ragged<int>(std::vector<int>{}, {0, 0, 0, 0})) == errc::bad_parameter);
}
