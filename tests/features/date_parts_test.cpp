#include <chrono>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <caramel/features/date_parts.hpp>

#include "support/catch.hpp"

using namespace caramel;
using namespace std::chrono;

namespace {
table orders() {
    table x;
    x.add_column("n", std::vector<double>{1, 2, 3, 4});
    x.add_column("at", std::vector<sys_seconds>{sys_days{year{2024} / 2 / 29} + hours{18}, sys_days{year{1969} / 12 / 31} + hours{23} + minutes{30}, {}, sys_days{year{2023} / 12 / 31}},
                 {false, false, true, false});
    return x;
}
}  // namespace

TEST_CASE("date_parts: worked by hand", "[date_parts]") {
    const auto model = fit(date_parts{.reference = sys_days{year{2024} / 1 / 1}}, orders());
    const auto out = model(orders());
    CHECK(out.columns() == 1 + 8 + 6);
    CHECK(out.names() == model.output_names({}));
    CHECK(out.names()[1] == "at_year");
    const auto row = [&](std::size_t i, std::initializer_list<std::pair<const char*, double>> expected) {
        for (const auto& [part, value] : expected) {
            INFO(part);
            CHECK(out.numbers(std::string("at_") + part)[i] == Approx(value).margin(1e-12));
        }
    };
    row(0, {{"year", 2024}, {"month", 2}, {"day", 29}, {"weekday", 4}, {"hour", 18}, {"is_weekend", 0}, {"yearday", 60}, {"days", 59.75},
            {"month_sin", std::sin(std::numbers::pi / 6)}, {"month_cos", std::cos(std::numbers::pi / 6)}, {"hour_sin", -1}, {"hour_cos", 0},
            {"weekday_sin", std::sin(6 * std::numbers::pi / 7)}});
    row(1, {{"year", 1969}, {"month", 12}, {"day", 31}, {"weekday", 3}, {"hour", 23}, {"is_weekend", 0}, {"yearday", 365}});
    row(3, {{"year", 2023}, {"weekday", 7}, {"hour", 0}, {"is_weekend", 1}, {"yearday", 365}, {"days", -1}, {"hour_cos", 1}});
    CHECK(out.column("at_month").missing(2));
    CHECK(out.column("at_hour_sin").missing(2));
    CHECK(out.numbers("n")[2] == 3);
}
TEST_CASE("date_parts: rows have what the batch has", "[date_parts]") {
    const auto x = orders();
    for (const bool cyclic : {false, true}) {
        const auto model = fit(date_parts{.cyclic = cyclic}, x);
        const auto out = model(x);
        workspace scratch, mine, theirs;
        for (std::size_t i = 0; i < 4; ++i) {
            const auto row = model(row_of(x, i, mine), scratch);
            const auto expected = row_of(out, i, theirs);
            REQUIRE(row.cells.size() == expected.cells.size());
            for (std::size_t c = 0; c < row.cells.size(); ++c) {
                CHECK(row.names[c] == expected.names[c]);
                CHECK(row.cells[c].number == expected.cells[c].number);
                CHECK(row.cells[c].missing == expected.cells[c].missing);
            }
        }
    }
}
TEST_CASE("date_parts: what cannot be", "[date_parts][error]") {
    const auto model = fit(date_parts{}, orders());
    CHECK(error_of([&] { (void)model(orders().drop({"at"})); }).code() == errc::missing_column);
    table wrong;
    wrong.add_column("n", std::vector<double>{1});
    wrong.add_column("at", std::vector<double>{1});
    CHECK(error_of([&] { (void)model(wrong); }).code() == errc::wrong_column_type);
    table far;
    far.add_column("n", std::vector<double>{1});
    far.add_column("at", std::vector<sys_seconds>{sys_seconds(seconds(1LL << 60))});
    const error e = error_of([&] { (void)model(far); });
    CHECK(e.code() == errc::bad_time);
    CHECK(e.where() == place{.row = 1, .column = 2});
    workspace scratch;
    CHECK(error_of([&] { (void)model(row_of(far, 0, scratch), scratch); }).where() == place{.row = 1, .column = 2});
    auto taken = orders();
    taken.add_column("at_year", std::vector<double>(4));
    CHECK(error_of([&] { (void)fit(date_parts{}, taken); }).code() == errc::duplicate_column);
    CHECK(error_of([&] { (void)fit(date_parts{.reference = sys_seconds(seconds(1LL << 60))}, orders()); }).code() == errc::bad_parameter);
}
