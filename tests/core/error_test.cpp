#include <set>
#include <string>

#include <caramel/core/error.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("error: carries a code, a place and a message of its parts", "[error]") {
    const error e = error_of([] { require_at(false, errc::ragged_row, {.row = 3, .column = 2}, "read_csv: row ", 3, " has ", 2.5, std::string(" columns")); });
    CHECK(e.code() == errc::ragged_row);
    CHECK(e.where() == place{.row = 3, .column = 2});
    CHECK(std::string(e.what()) == "read_csv: row 3 has 2.5 columns");
}

TEST_CASE("error: nothing happens where the condition holds", "[error]") { CHECK_NOTHROW(require(true, errc::io, "never")); }

TEST_CASE("error: it is a std::runtime_error, for hosts that catch those", "[error]") {
    CHECK_THROWS_AS(fail(errc::io, {}, "x"), std::runtime_error);
}

TEST_CASE("errc: every code has a name of its own", "[error]") {
    std::set<std::string_view> names;
    int codes = 0;
    for (unsigned n = 0; n < 200; ++n)
        if (const auto name = name_of(static_cast<errc>(n)); name != "unknown") {
            ++codes;
            names.insert(name);
        }
    CHECK(codes == static_cast<int>(names.size()));
    CHECK(name_of(errc::unsupported_model) == "unsupported_model");
    CHECK(static_cast<int>(errc::shape_mismatch) == 1);  // numbers never change
    CHECK(static_cast<int>(errc::checksum_mismatch) == 76);
}
