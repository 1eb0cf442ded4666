#include <cmath>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/features/hash_columns.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {
table two_rows() {
    table x;
    x.add_column("city", std::vector<std::string>{"Oslo", ""}, {false, true});
    x.add_column("n", std::vector<double>{2.5, -1});
    return x;
}
}  // namespace

TEST_CASE("hash_columns: the hash is the documented one", "[hash_columns]") {
    // Published values of FNV-1a, 64 bits, and of splitmix64, whose finalizer it is (first output of the seed 0).
    CHECK(detail::fnv_1a("") == 0xcbf29ce484222325U);
    CHECK(detail::fnv_1a("a") == 0xaf63dc4c8601ec8cU);
    CHECK(detail::fnv_1a("foobar") == 0x85944171f73967e8U);
    CHECK(detail::fnv_1a("bar", detail::fnv_1a("foo")) == 0x85944171f73967e8U);
    CHECK(detail::spread_bits(0x9e3779b97f4a7c15U) == 0xe220a8397b1dcdafU);
}
TEMPLATE_TEST_CASE("hash_columns: each value where its hash says, with its sign", "[hash_columns]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto model = fit(hash_columns<T>{.features = 13}, two_rows());
    matrix<T> expected = matrix<T>::Zero(2, 13);
    const auto add = [&](row_index row, const std::string& text, double value) {
        const std::uint64_t h = detail::spread_bits(detail::fnv_1a(text));
        expected(row, static_cast<row_index>((h >> 1) % 13)) += static_cast<T>(h % 2 == 0 ? value : -value);
    };
    add(0, "city=Oslo", 1);
    add(0, "n", 2.5);
    add(1, "n", -1);
    CHECK(model(two_rows()) == expected);
    workspace scratch, mine;
    const auto x = two_rows();
    for (std::size_t i = 0; i < 2; ++i) {
        const auto row = model(row_of(x, i, mine), scratch);
        CHECK(std::equal(row.begin(), row.end(), row_of(expected, static_cast<row_index>(i)).begin()));
    }
    CHECK(model.output_names({}).back() == "hash_13");
}
TEST_CASE("hash_columns: levels spread evenly, signs too", "[hash_columns]") {
    std::vector<std::string> texts;
    for (int i = 0; i < 6400; ++i) texts.push_back(detail::message("customer ", i));
    table x;
    x.add_column("id", texts);
    const auto out = fit(hash_columns<double>{.features = 64}, x)(x);
    double chi_squared = 0;
    for (row_index j = 0; j < 64; ++j) chi_squared += std::pow(out.col(j).cwiseAbs().sum() - 100, 2) / 100;
    CHECK(chi_squared < 63 + 4 * std::sqrt(2 * 63.0));
    CHECK(std::abs(out.sum()) < 4 * 80);
}
TEST_CASE("hash_columns: what cannot be", "[hash_columns][error]") {
    const auto model = fit(hash_columns<float>{}, two_rows());
    CHECK(error_of([&] { (void)model(two_rows().drop({"n"})); }).code() == errc::missing_column);
    CHECK(error_of([&] { (void)fit(hash_columns<float>{.features = 0}, two_rows()); }).code() == errc::bad_parameter);
    CHECK(fit(hash_columns<float>{.features = 1}, two_rows())(two_rows()).cols() == 1);
    table holes;
    holes.add_column("city", std::vector<std::string>{"Bergen"});
    holes.add_column("n", std::vector<double>{0}, {true});
    CHECK(error_of([&] { (void)model(holes); }).where() == place{.row = 1, .column = 2});
    CHECK(error_of([] { hash_columns_model<float>({"a"}, {}, 4); }).code() == errc::bad_data);
}
