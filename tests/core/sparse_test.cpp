#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <Eigen/SparseCore>

#include <caramel/core/random.hpp>
#include <caramel/core/rows.hpp>
#include <caramel/core/sparse.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

template <class T>
matrix<T> mostly_zero(row_index rows, row_index columns) {
    rng random(3);
    matrix<T> out = matrix<T>::Zero(rows, columns);
    for (row_index i = 0; i < out.size(); ++i)
        if (random.below(4) == 0) out.data()[i] = static_cast<T>(random.normal());
    return out;
}

}  // namespace

TEMPLATE_TEST_CASE("sparse_matrix: there and back from dense, and as Eigen sees it", "[sparse]", CARAMEL_TEST_SCALARS) {
    const matrix<TestType> x = mostly_zero<TestType>(30, 11);
    const sparse_matrix<TestType> sparse(x);
    CHECK(sparse.rows() == 30);
    CHECK(sparse.cols() == 11);
    CHECK(detail::row_count(sparse) == 30);
    CHECK(std::cmp_equal(sparse.values().size(), (x.array() != 0).count()));
    CHECK(sparse.dense() == x);
    CHECK(matrix<TestType>(sparse.eigen()) == x);
    const matrix<TestType> b = mostly_zero<TestType>(11, 3);
    CHECK((matrix<TestType>(sparse.eigen() * b) - x * b).cwiseAbs().maxCoeff() < TestType(1e-5));
    const Eigen::SparseMatrix<TestType> by_column = x.sparseView();
    CHECK(sparse_matrix<TestType>(by_column) == sparse);
    const Eigen::SparseMatrix<TestType, Eigen::RowMajor> by_row = x.sparseView();
    CHECK(sparse_matrix<TestType>(by_row) == sparse);
    CHECK(sparse_matrix<TestType>(sparse.column_numbers().empty() ? 0 : 11, sparse.column_numbers(), sparse.values(), sparse.starts()) == sparse);
}

TEST_CASE("sparse_matrix: rows, slices and what is put together from them", "[sparse]") {
    const sparse_matrix<double> x(mostly_zero<double>(20, 6));
    sparse_matrix<double> built(std::size_t{6});
    CHECK(built.rows() == 0);
    built.reserve(20, x.values().size());
    for (std::size_t i = 0; i < 20; ++i) built.append_row(x[i]);
    CHECK(built == x);
    sparse_matrix<double> halves = x.slice(0, 7);
    halves.append(x.slice(7, 20));
    CHECK(halves == x);
    const auto some = x.take_rows(std::vector<std::size_t>{4, 4, 0});
    CHECK(some.dense().row(0) == x.dense().row(4));
    CHECK(some.dense().row(1) == x.dense().row(4));
    CHECK(some.dense().row(2) == x.dense().row(0));
    const auto row = row_of(x, 3);
    CHECK(row.width == 6);
    for (std::size_t k = 0; k < row.columns.size(); ++k) CHECK(x.dense()(3, row.columns[k]) == row.values[k]);
    CHECK(sparse_matrix<float>().rows() == 0);
    CHECK(sparse_matrix<float>(matrix<float>(matrix<float>::Zero(2, 3))).values().empty());
}

TEST_CASE("sparse_matrix: what is none is refused, with its place, and nothing changes", "[sparse][error]") {
    using columns = std::vector<std::int32_t>;
    using values = std::vector<double>;
    sparse_matrix<double> x(std::size_t{5});
    x.append_row(columns{0, 4}, values{1, 2});
    const auto before = x;
    const auto refused = [&](const columns& c, const values& v) { return error_of([&] { x.append_row(c, v); }); };
    CHECK(refused({0, 1}, {1}).code() == errc::shape_mismatch);
    CHECK(refused({1, 0}, {1, 2}).code() == errc::bad_data);
    CHECK(refused({1, 1}, {1, 2}).code() == errc::bad_data);
    CHECK(refused({-1}, {1}).code() == errc::bad_data);
    CHECK(refused({5}, {1}).code() == errc::bad_data);
    CHECK(refused({5}, {1}).where().row == 2);
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        CHECK(refused({0, 3}, {1, bad}).code() == errc::nan_or_inf);
        CHECK(refused({0, 3}, {1, bad}).where() == place{.row = 2, .column = 4});
        matrix<double> dense = matrix<double>::Zero(3, 4);
        dense(1, 2) = bad;
        CHECK(error_of([&] { sparse_matrix<double> made(dense); }).where() == place{.row = 2, .column = 3});
        const Eigen::SparseMatrix<double> theirs = dense.sparseView();
        CHECK(error_of([&] { sparse_matrix<double> made(theirs); }).where() == place{.row = 2, .column = 3});
        CHECK(error_of([&] { sparse_matrix<double> made(4, {1, 2}, {1, bad}, {0, 1, 2}); }).where() == place{.row = 2, .column = 3});
    }
    CHECK(error_of([&] { x.append_row(sparse_row<double>{.width = 4}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { x.append(sparse_matrix<double>(std::size_t{4})); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)x.take_rows(std::vector<std::size_t>{1}); }).code() == errc::bad_parameter);
    CHECK(x == before);
    for (const columns& starts : {columns{}, columns{0, 1}, columns{1, 2}, columns{0, 2, 1, 2}})
        CHECK(std::string(error_of([&] { sparse_matrix<double> made(5, {0, 1}, {1, 2}, starts); }).what()) ==
              "sparse_matrix: the starts do not rise from 0 to the number of values");
    CHECK(error_of([&] { sparse_matrix<double> made(5, {0, 1}, {1}, {0, 1}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { sparse_matrix<double> made(std::size_t{1} << 31); }).code() == errc::limit_exceeded);
    CHECK(std::string(refused({4, 2}, {1, 1}).what()) == "sparse_matrix: the columns of row 2 do not rise from 0 to below 5");
}
