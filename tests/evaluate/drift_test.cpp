#include <chrono>
#include <cmath>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/drift.hpp>
#include <caramel/io/model_file.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

table customers(std::size_t rows, double shift, std::uint64_t seed, bool more_missing = false, bool new_level = false) {
    rng random(seed);
    std::vector<double> spend(rows);
    std::vector<int> visits(rows);
    std::vector<std::optional<std::string>> plan(rows);
    std::vector<std::chrono::sys_seconds> since(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        spend[i] = random.normal() + shift;
        visits[i] = static_cast<int>(random.below(3));
        if (random.uniform() > (more_missing ? 0.5 : 0.1)) plan[i] = new_level && random.below(2) == 0 ? "new" : random.below(3) == 0 ? "year" : "month";
        since[i] = std::chrono::sys_seconds(std::chrono::seconds(random.below(1000)));
    }
    table out;
    out.add_column("spend", spend);
    out.add_column("visits", visits);
    out.add_column("plan", plan);
    out.add_column("since", since);
    return out;
}

}  // namespace

TEST_CASE("population_stability_index: worked by hand", "[drift]") {
    const std::vector<double> before{.2, .3, .5}, now{.3, .3, .4};
    CHECK(population_stability_index(before, now) == Approx(.1 * std::log(1.5) - .1 * std::log(.8)).epsilon(1e-13));
    CHECK(population_stability_index(now, before) == Approx(population_stability_index(before, now)));
    CHECK(population_stability_index(before, before) == 0);
    const std::vector<double> all{1, 0}, other{0, 1};
    CHECK(population_stability_index(all, other) == Approx(2 * (1 - 1e-4) * std::log(1e4)));
    CHECK(error_of([&] { (void)population_stability_index(before, all); }).code() == errc::shape_mismatch);
    CHECK(error_of([] { (void)population_stability_index({}, {}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)population_stability_index(before, std::vector<double>{.5, -.1, .6}); }).where().row == 2);
}
TEST_CASE("drift: nothing where nothing has changed, and the index of what has", "[drift]") {
    const table before = customers(4000, 0, 1);
    const auto reference = drift_reference_of(before);
    for (const column_drift& c : drift(reference, before)) CHECK(c.index == 0);
    const auto same = drift(reference, customers(4000, 0, 2));
    REQUIRE(same.size() == 4);
    for (const column_drift& c : same) CHECK(c.index < 0.01);
    CHECK(same[0].name == "spend");
    CHECK(same[2].missing_before == Approx(.1).margin(.02));
    CHECK(same[2].unknown_now == 0);
    // A shift of one deviation: the symmetric divergence of N(0, 1) and N(1, 1) is 1, which bins keep most of.
    const auto moved = drift(reference, customers(4000, 1, 3));
    CHECK(moved[0].index > 0.75);
    CHECK(moved[0].index < 1.05);
    CHECK(moved[1].index < 0.01);
    const auto holes = drift(reference, customers(4000, 0, 4, true));
    CHECK(holes[2].missing_now == Approx(.5).margin(.03));
    CHECK(holes[2].index == Approx(.4 * std::log(5) + .4 * std::log(.9 / .5)).margin(.1));
    const auto levels = drift(reference, customers(4000, 0, 5, false, true));
    CHECK(levels[2].unknown_now == Approx(.45).margin(.03));
    CHECK(levels[2].index > 1);
}
TEST_CASE("drift: bins by hand", "[drift]") {
    table before;
    before.add_column("few", std::vector<double>{0, 0, 1, 1, 1, 5, 5, 5, 5, 5});
    before.add_column("many", std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    before.add_column("same", std::vector<double>(10, 7.0));
    before.add_column("none", std::vector<double>(10), std::vector<bool>(10, true));
    const auto reference = drift_reference_of(before, 4);
    const auto shares = [&](std::size_t c) { return std::vector<double>(reference.shares(c).begin(), reference.shares(c).end()); };
    CHECK(shares(0) == std::vector<double>{.2, .3, .5, 0});  // every value a bin, and the missing
    CHECK(shares(1) == std::vector<double>{.2, .3, .2, .3, 0});
    CHECK(shares(2) == std::vector<double>{1, 0});
    CHECK(shares(3) == std::vector<double>{0, 1});
    // Beyond what was seen: the outermost bins; an integer column where numbers were learnt.
    table now;
    now.add_column("same", std::vector<int>{-100, 100});
    now.add_column("many", std::vector<double>{-1e9, 1e9});
    now.add_column("none", std::vector<double>{1, 2});
    now.add_column("few", std::vector<int>{0, 3});
    now.add_column("else", std::vector<int>{0, 3});
    const auto found = drift(reference, now);
    CHECK(reference.shares_of(1, now.column("many")) == std::vector<double>{.5, 0, 0, .5, 0});
    CHECK(reference.shares_of(0, now.column("few")) == std::vector<double>{.5, .5, 0, 0});
    CHECK(found[2].index == 0);
    CHECK(found[3].index > 10);
    // The order of rows does not matter.
    CHECK(drift_reference_of(before.take_rows(std::vector<std::size_t>{9, 3, 1, 0, 2, 8, 7, 6, 5, 4}), 4).fields() == reference.fields());
}
TEST_CASE("drift: saved, loaded, and refused where it is broken", "[drift][error]") {
    const auto reference = drift_reference_of(customers(200, 0, 1));
    std::ostringstream out;
    save(reference, out);
    const std::string bytes = out.str();
    const auto again = load<drift_reference>(std::as_bytes(std::span(bytes)));
    CHECK(again.fields() == reference.fields());
    CHECK(drift(again, customers(100, 1, 2)) == drift(reference, customers(100, 1, 2)));

    CHECK(error_of([] { (void)drift_reference_of(table()); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)drift_reference_of(customers(10, 0, 1), 1); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)drift(reference, customers(0, 0, 1)); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)drift(reference, customers(5, 0, 1).drop({"plan"})); }).code() == errc::missing_column);
    table text;
    text.add_column("spend", std::vector<std::string>{"a"});
    CHECK(error_of([&] { (void)drift(reference, text); }).code() == errc::wrong_column_type);
    using column_types = std::vector<column_type>;
    const auto refused = [](std::vector<std::string> names, column_types types, ragged<double> cuts, std::vector<std::string> levels,
                            std::vector<std::int64_t> starts, ragged<double> shares) {
        return error_of([&] { drift_reference(names, types, cuts, levels, starts, shares); }).code() == errc::bad_data;
    };
    const ragged<double> none({}, {0, 0});
    CHECK(refused({"a"}, {column_type::number}, none, {}, {0, 0}, none));
    CHECK(refused({"a"}, {column_type::number}, none, {}, {0}, ragged<double>({1, 0}, {0, 2})));
    CHECK(refused({"a"}, {column_type::category}, none, {"x", "x"}, {0, 2}, ragged<double>({1, 0, 0, 0}, {0, 4})));
    CHECK(refused({"a"}, {column_type::number}, ragged<double>({2, 1}, {0, 2}), {}, {0, 0}, ragged<double>({1, 0, 0, 0}, {0, 4})));
    CHECK(refused({"a"}, {column_type(9)}, none, {}, {0, 0}, ragged<double>({1, 0}, {0, 2})));
    CHECK(
        refused({"a", "a"}, {column_type::number, column_type::number}, ragged<double>({}, {0, 0, 0}), {}, {0, 0, 0}, ragged<double>({1, 0, 1, 0}, {0, 2, 4})));
}
