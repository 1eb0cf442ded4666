#include <caramel/data/table.hpp>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <support/catch.hpp>

using namespace caramel;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

namespace {

enum class tier { basic, gold };

struct customer {
    std::string name;
    double spend = 0;
    int orders = 0;
    bool active = false;
    std::optional<float> rating;
    std::optional<std::string> city;
    sys_seconds joined{};
    tier level = tier::basic;
    [[nodiscard]] double mean_spend() const { return spend / orders; }
};

const sys_seconds new_year = sys_days(2020y / 1 / 1);

std::vector<customer> three() {
    return {{"ann", 10.5, 2, true, 4.5F, "Oslo", new_year, tier::gold},
            {"bob", 20, 4, false, std::nullopt, std::nullopt, new_year + 1h, tier::basic},
            {"ann", -1, 1, true, 1.0F, "", new_year - 1s, tier::gold}};
}

table small() {
    table t;
    t.add_column("x", std::vector{1.0, 2.0, 3.0});
    t.add_column("n", std::vector<std::int64_t>{7, 8, 9}, {false, true, false});
    t.add_column("c", std::vector<std::string>{"b", "a", "b"});
    t.add_column("t", std::vector<sys_seconds>{new_year, new_year + 5s, new_year});
    return t;
}

// The text of every cell, as an oracle that does not care for codes.
std::vector<std::string> texts(const category_view& c) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < c.size(); ++i) out.emplace_back(c[i]);
    return out;
}

}  // namespace

static_assert(std::regular<table> && std::regular<table_column> == false && std::copyable<table_column>);
static_assert(std::is_nothrow_move_constructible_v<table> && std::is_nothrow_swappable_v<table>);
static_assert(std::is_trivially_copyable_v<cell> && std::is_trivially_default_constructible_v<cell>);

TEST_CASE("table: columns keep names, types and values", "[table]") {
    const table t = small();
    CHECK(t.rows() == 3);
    CHECK(t.columns() == 4);
    CHECK(t.names() == std::vector<std::string>{"x", "n", "c", "t"});
    CHECK(t.has("c"));
    CHECK_FALSE(t.has("C"));
    CHECK(t.position("t") == 3);
    CHECK(t.numbers("x")[2] == 3);
    CHECK(t.integers("n")[0] == 7);
    CHECK(t.timestamps("t")[1] == new_year + 5s);
    CHECK(t.column("x").type() == column_type::number);
    CHECK(t.column(1).type() == column_type::integer);
    CHECK(t.column("c").type() == column_type::category);
    CHECK(t.column("t").type() == column_type::timestamp);
}

TEST_CASE("table: categories are numbered in order of first appearance", "[table]") {
    const table t = small();
    const auto view = t.categories("c");
    CHECK(std::vector<std::string>(view.levels.begin(), view.levels.end()) == std::vector<std::string>{"b", "a"});
    CHECK(std::vector<std::int32_t>(view.codes.begin(), view.codes.end()) == std::vector<std::int32_t>{0, 1, 0});
    CHECK(texts(view) == std::vector<std::string>{"b", "a", "b"});
}

TEST_CASE("table: a missing value is a bit, and what lies under it is 0", "[table]") {
    table t;
    t.add_column("x", std::vector{1.0, std::numeric_limits<double>::quiet_NaN()}, {false, true});
    t.add_column("c", std::vector<std::string>{"gone", "here"}, {true, false});
    t.add_column("o", std::vector<std::optional<int>>{std::nullopt, 5});
    t.add_column("full", std::vector{1, 2}, {false, false});
    CHECK(t.column("x").missing(1));
    CHECK_FALSE(t.column("x").missing(0));
    CHECK(t.numbers("x")[1] == 0);
    CHECK(t.categories("c").codes[0] == -1);
    CHECK(t.categories("c")[0].empty());
    CHECK(t.categories("c").levels.size() == 1);
    CHECK(t.column("c").missing() == std::vector<bool>{true, false});
    CHECK(t.column("o").missing(0));
    CHECK(t.integers("o")[1] == 5);
    CHECK_FALSE(t.column("full").any_missing());
    CHECK(t.column("full").missing().empty());
}

TEST_CASE("table: it is a value", "[table]") {
    const table t = small();
    table copy = t;
    CHECK(copy == t);
    copy.add_column("more", std::vector{0, 0, 1});
    CHECK(t.columns() == 4);
    CHECK(copy != t);
    CHECK(copy.drop({"more"}) == t);
    CHECK(small() == t);  // equal by content, not by memory
    CHECK(t.renamed("x", "y") != t);
    table other = small();
    std::swap(other, copy);
    CHECK(other.columns() == 5);
    CHECK(copy == t);
    CHECK(table{} == table{});

    table present, absent;
    present.add_column("x", std::vector{1.0, 0.0});
    absent.add_column("x", std::vector{1.0, 0.0}, {false, true});
    CHECK(present != absent);
}

TEST_CASE("table: rows and columns are taken in the order asked for", "[table]") {
    const table t = small();
    const table rows = t.take_rows(std::vector<std::size_t>{2, 0, 2, 1});
    CHECK(rows.rows() == 4);
    CHECK(std::vector<double>(rows.numbers("x").begin(), rows.numbers("x").end()) == std::vector{3.0, 1.0, 3.0, 2.0});
    CHECK(rows.column("n").missing() == std::vector<bool>{false, false, false, true});
    CHECK(texts(rows.categories("c")) == std::vector<std::string>{"b", "b", "b", "a"});
    CHECK(t.slice(0, 3) == t);
    CHECK(t.slice(1, 2) == t.take_rows(std::vector<std::size_t>{1}));
    CHECK(t.slice(2, 2).rows() == 0);
    CHECK(t.slice(0, 1).column("n").missing().empty());  // no value is missing there
    const table columns = t.take_columns({"t", "x"});
    CHECK(columns.names() == std::vector<std::string>{"t", "x"});
    CHECK(columns.numbers("x").data() == t.numbers("x").data());  // shared
    CHECK(t.drop({"n", "c"}).names() == std::vector<std::string>{"x", "t"});
    CHECK(t.renamed("n", "count").names() == std::vector<std::string>{"x", "count", "c", "t"});
    CHECK(t.renamed("n", "n") == t);
    CHECK(t.take_columns({}).rows() == 3);
}

TEST_CASE("table: errors say what and where", "[table][error]") {
    table t = small();
    const table before = t;
    const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();

    SECTION("no such column") {
        const auto e = error_of([&] { (void)t.column("tenure"); });
        CHECK(e.code() == errc::missing_column);
        CHECK_THAT(e.what(), Catch::Matchers::Contains("\"tenure\""));
        CHECK(error_of([&] { (void)t.column(4); }).code() == errc::missing_column);
        CHECK(error_of([&] { (void)t.take_columns({"x", "nope"}); }).code() == errc::missing_column);
        CHECK(error_of([&] { (void)t.drop({"nope"}); }).code() == errc::missing_column);
        CHECK(error_of([&] { (void)t.renamed("nope", "x"); }).code() == errc::missing_column);
    }
    SECTION("another type") {
        const auto e = error_of([&] { (void)t.numbers("c"); });
        CHECK(e.code() == errc::wrong_column_type);
        CHECK(e.where().column == 3);
        CHECK_THAT(e.what(), Catch::Matchers::Contains("category") && Catch::Matchers::Contains("number") && Catch::Matchers::Contains("\"c\""));
        CHECK(error_of([&] { (void)t.integers("x"); }).code() == errc::wrong_column_type);
        CHECK(error_of([&] { (void)t.categories("n"); }).code() == errc::wrong_column_type);
        CHECK(error_of([&] { (void)t.timestamps("n"); }).code() == errc::wrong_column_type);
        CHECK(error_of([&] { (void)t.column("t").numbers(); }).code() == errc::wrong_column_type);
    }
    SECTION("names twice") {
        const auto e = error_of([&] { t.add_column("c", std::vector{1, 2, 3}); });
        CHECK(e.code() == errc::duplicate_column);
        CHECK(e.where().column == 5);
        CHECK(error_of([&] { (void)t.renamed("x", "c"); }).code() == errc::duplicate_column);
        CHECK(error_of([&] { (void)t.take_columns({"x", "x"}); }).code() == errc::duplicate_column);
    }
    SECTION("lengths") {
        const auto e = error_of([&] { t.add_column("y", std::vector{1.0}); });
        CHECK(e.code() == errc::shape_mismatch);
        CHECK_THAT(e.what(), Catch::Matchers::Contains("1 values") && Catch::Matchers::Contains("3 rows"));
        CHECK(error_of([&] { t.add_column("y", std::vector{1.0, 2.0, 3.0}, {true}); }).code() == errc::shape_mismatch);
        CHECK(error_of([&] { t.add_column("y", std::vector{1, 2, 3}, {true}); }).code() == errc::shape_mismatch);
        CHECK(error_of([&] { t.add_column("y", std::vector<std::string>{"", "", ""}, {true}); }).code() == errc::shape_mismatch);
        CHECK(error_of([&] { (void)table_column(std::vector<std::string>{"a"}, {true, false}); }).code() == errc::shape_mismatch);
    }
    SECTION("values") {
        for (const double bad : {nan, inf, -inf}) {
            const auto e = error_of([&] { t.add_column("y", std::vector{1.0, bad, 2.0}); });
            CHECK(e.code() == errc::nan_or_inf);
            CHECK(e.where() == place{.row = 2, .column = 5});
            CHECK(error_of([&] { t.add_column("y", std::vector{1.0F, 2.0F, static_cast<float>(bad)}); }).where() == place{.row = 3, .column = 5});
        }
        const auto e = error_of([&] { t.add_column("y", std::vector<std::string>{"ok", "ok", "\xFF"}); });
        CHECK(e.code() == errc::bad_utf8);
        CHECK(e.where() == place{.row = 3, .column = 5});
        const auto big = error_of([&] { t.add_column("y", std::vector<std::uint64_t>{1, std::uint64_t{1} << 63U, 2}); });
        CHECK(big.code() == errc::number_out_of_range);
        CHECK(big.where() == place{.row = 2, .column = 5});
    }
    SECTION("rows") {
        CHECK(error_of([&] { (void)t.take_rows(std::vector<std::size_t>{0, 3}); }).code() == errc::bad_parameter);
        CHECK(error_of([&] { (void)t.slice(2, 1); }).code() == errc::bad_parameter);
        CHECK(error_of([&] { (void)t.slice(0, 4); }).code() == errc::bad_parameter);
        workspace scratch;
        CHECK(error_of([&] { (void)row_of(t, 3, scratch); }).code() == errc::bad_parameter);
    }
    SECTION("codes without levels") {
        CHECK(error_of([] { (void)table_column(std::vector<std::int32_t>{0, 1}, std::vector<std::string>{"a"}); }).code() == errc::bad_data);
        CHECK(error_of([] { (void)table_column(std::vector<std::int32_t>{-2}, std::vector<std::string>{"a"}); }).code() == errc::bad_data);
        CHECK(error_of([] { (void)table_column(std::vector<std::int32_t>{0}, std::vector<std::string>{"a", "b", "a"}); }).code() == errc::bad_data);
        CHECK(error_of([] { (void)table_column(std::vector<std::int32_t>{0}, std::vector<std::string>{"\xC0\xAF"}); }).code() == errc::bad_utf8);
        const table_column fine(std::vector<std::int32_t>{0, -1}, std::vector<std::string>{"a", "unused"});
        CHECK(fine.missing(1));
        CHECK(fine.categories().levels.size() == 2);
    }
    CHECK(t == before);  // failed calls change nothing
}

TEST_CASE("table: of a host's structs", "[table]") {
    const auto rows = three();
    const table t = table::of(rows, field("name", &customer::name), field("spend", &customer::spend), field("orders", &customer::orders),
                              field("active", &customer::active), field("rating", &customer::rating), field("city", &customer::city),
                              field("joined", &customer::joined), field("level", &customer::level), field("mean", &customer::mean_spend),
                              field("initial", [](const customer& c) { return std::string_view(c.name).substr(0, 1); }));
    CHECK(t.rows() == 3);
    CHECK(texts(t.categories("name")) == std::vector<std::string>{"ann", "bob", "ann"});
    CHECK(t.numbers("spend")[0] == 10.5);
    CHECK(t.integers("orders")[1] == 4);
    CHECK(t.integers("active")[0] == 1);
    CHECK(t.integers("active")[1] == 0);
    CHECK(t.numbers("rating")[0] == 4.5);
    CHECK(t.column("rating").missing() == std::vector<bool>{false, true, false});
    CHECK(t.column("city").missing() == std::vector<bool>{false, true, false});  // an empty text is a value
    CHECK(t.timestamps("joined")[2] == new_year - 1s);
    CHECK(t.integers("level")[0] == 1);
    CHECK(t.numbers("mean")[0] == 5.25);
    CHECK(texts(t.categories("initial")) == std::vector<std::string>{"a", "b", "a"});

    CHECK(table::of(std::deque<customer>(rows.begin(), rows.end()), field("spend", &customer::spend)).numbers("spend")[1] == 20);
    CHECK(table::of(std::vector<customer>{}, field("spend", &customer::spend)).rows() == 0);
    const sys_seconds floored = std::chrono::floor<std::chrono::seconds>(std::chrono::sys_time<std::chrono::milliseconds>(-1500ms));
    CHECK(table::of(rows, field("t", [](const customer&) { return std::chrono::sys_time<std::chrono::milliseconds>(-1500ms); })).timestamps("t")[0] == floored);

    auto bad = rows;
    bad[2].spend = std::numeric_limits<double>::infinity();
    const auto e = error_of([&] { (void)table::of(bad, field("orders", &customer::orders), field("spend", &customer::spend)); });
    CHECK(e.code() == errc::nan_or_inf);
    CHECK(e.where() == place{.row = 3, .column = 2});
    CHECK(error_of([&] { (void)table::of(rows, field("a", &customer::spend), field("a", &customer::orders)); }).code() == errc::duplicate_column);
}

TEST_CASE("fields: one struct gives the same cells as a row of the batch", "[table][fields]") {
    const auto stage = fields(field("name", &customer::name), field("spend", &customer::spend), field("orders", &customer::orders), field("rating", &customer::rating),
                              field("city", &customer::city), field("joined", &customer::joined),
                              field("shout", [](const customer& c) { return c.name + "! and this is a text too long for a short string"; }));
    static_assert(Stage<decltype(stage)> && !Recipe<decltype(stage)>);
    static_assert(Transformer<decltype(stage), std::vector<customer>> && RowTransformer<decltype(stage), customer>);
    static_assert(!Transformer<decltype(stage), customer> && !Transformer<decltype(stage), std::vector<int>>);
    const auto rows = three();
    const table batch = stage(rows);
    CHECK(batch == stage(std::span(rows)));
    CHECK(batch.names() == stage.output_names({}));
    workspace scratch, other;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const table_row one = stage(rows[i], scratch), same = row_of(batch, i, other);
        REQUIRE(one.cells.size() == same.cells.size());
        CHECK(std::equal(one.names.begin(), one.names.end(), same.names.begin(), same.names.end()));
        for (std::size_t c = 0; c < one.cells.size(); ++c) {
            INFO("row " << i << ", " << one.names[c]);
            CHECK(one.cells[c].type == same.cells[c].type);
            CHECK(one.cells[c].missing == same.cells[c].missing);
            CHECK(one.cells[c].number == same.cells[c].number);
            CHECK(one.cells[c].integer == same.cells[c].integer);
            CHECK(one.cells[c].text() == same.cells[c].text());
        }
    }
    const table_row bob = stage(rows[1], scratch);
    CHECK(bob["spend"].number == 20);
    CHECK(bob["orders"].integer == 4);
    CHECK(bob["rating"].missing);
    CHECK(bob["city"].missing);
    CHECK(bob["joined"].when() == new_year + 1h);
    CHECK(bob["shout"].text() == "bob! and this is a text too long for a short string");
    CHECK(error_of([&] { (void)bob["nope"]; }).code() == errc::missing_column);

    customer bad = rows[0];
    bad.spend = std::numeric_limits<double>::quiet_NaN();
    const auto e = error_of([&] { (void)stage(bad, scratch); });
    CHECK(e.code() == errc::nan_or_inf);
    CHECK(e.where() == place{.row = 1, .column = 2});
    CHECK(error_of([] { (void)fields(field("a", &customer::spend), field("b", &customer::orders), field("a", &customer::name)); }).where().column == 3);
}

TEST_CASE("fields: the first stage of a chain, for a batch and for one struct", "[table][fields]") {
    struct spend_of {
        using stage_concept = model_tag;
        std::vector<double> operator()(const table& t) const { return {t.numbers("spend").begin(), t.numbers("spend").end()}; }
        std::span<const double> operator()(const table_row& row, workspace& scratch) const {
            const workspace::frame frame(scratch);
            const auto out = scratch.take<double>(1);
            out[0] = row["spend"].number;
            return out;
        }
    };
    const auto chain = fields(field("name", &customer::name), field("spend", &customer::spend)) | spend_of{};
    const auto rows = three();
    CHECK(chain(rows) == std::vector{10.5, 20.0, -1.0});
    workspace scratch;
    CHECK(chain(rows[1], scratch)[0] == 20);
    CHECK(chain(rows[2]) == std::vector{-1.0});
}
