#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/policy/discretize.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace discretize_test {

namespace {
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
}  // namespace

TEST_CASE("cell_of: up to and with a cut", "[discretize]") {
    const std::vector<double> cuts{30, 60, 120};
    CHECK(cell_of(cuts, -5.0) == 0);
    CHECK(cell_of(cuts, 30.0) == 0);
    CHECK(cell_of(cuts, std::nextafter(30.0, 31.0)) == 1);
    CHECK(cell_of(cuts, 60.0F) == 1);
    CHECK(cell_of(cuts, 119.5) == 2);
    CHECK(cell_of(cuts, 120.0) == 2);
    CHECK(cell_of(cuts, 1e300) == 3);
    CHECK(cell_of(cuts, infinity) == 3);
    CHECK(cell_of(cuts, -infinity) == 0);
    CHECK(cell_of({}, 7.0) == 0);
}

TEST_CASE("quantile_cuts: worked by hand", "[discretize]") {
    using numbers = std::vector<double>;
    CHECK(quantile_cuts(numbers{4, 1, 3, 2}, 2) == numbers{2});
    CHECK(quantile_cuts(numbers{6, 5, 4, 3, 2, 1}, 3) == numbers{2, 4});
    CHECK(quantile_cuts(numbers{1, 2, 3, 4, 5}, 2) == numbers{3});  // three and two
    CHECK(quantile_cuts(numbers{1, 2, 3, 4, 5}, 1).empty());
    // Where values repeat there are fewer.
    CHECK(quantile_cuts(numbers{1, 1, 1, 1, 1, 2, 3, 4}, 4) == numbers{1, 2});
    CHECK(quantile_cuts(numbers{1, 2, 2, 2}, 2) == numbers{});  // the median is the largest: nothing lies above it
    CHECK(quantile_cuts(numbers{1, 1, 1, 2}, 2) == numbers{1});
    CHECK(quantile_cuts(numbers(9, 5.0), 3).empty());
    CHECK(quantile_cuts(numbers{5}, 4).empty());
    CHECK(quantile_cuts(numbers{5, 7}, 10) == numbers{5});
    CHECK(quantile_cuts(numbers{-1, 0, 1}, 3) == numbers{-1, 0});
    CHECK(quantile_cuts(std::vector<int>{1, 2, 3, 4}, 4) == numbers{1, 2, 3});
}

TEST_CASE("quantile_cuts: cells hold as many as the ties allow", "[discretize]") {
    rng random(1);
    for (int round = 0; round < 300; ++round) {
        const std::size_t cells = 1 + random.below(8), different = 1 + random.below(20);
        std::vector<double> values(1 + random.below(60));
        for (double& x : values) x = static_cast<double>(random.below(different)) - 3;
        const auto cuts = quantile_cuts(values, cells);
        CHECK(detail::are_cuts(cuts));
        CHECK(cuts.size() < cells);
        std::map<std::size_t, std::size_t> held;
        for (const double x : values) ++held[cell_of(cuts, x)];
        CHECK(held.size() == cuts.size() + 1);  // none is empty
        auto sorted = values;
        std::ranges::sort(sorted);
        const auto heaviest = [&] {
            std::size_t out = 0;
            for (const double x : sorted) out = std::max(out, static_cast<std::size_t>(std::ranges::count(sorted, x)));
            return out;
        }();
        // A cell's share, and the ties at its end.
        for (const auto& [cell, n] : held) CHECK(static_cast<double>(n) <= static_cast<double>(values.size()) / static_cast<double>(cells) + static_cast<double>(heaviest));
        // Every cut is a value, and the order of the values does not matter.
        for (const double cut : cuts) CHECK(std::ranges::find(values, cut) != values.end());
        CHECK(quantile_cuts(sorted, cells) == cuts);
    }
}

TEST_CASE("quantile_cuts: refusals", "[discretize][error]") {
    CHECK(error_of([] { (void)quantile_cuts(std::vector<double>{}, 3); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)quantile_cuts(std::vector<double>{1}, 0); }).code() == errc::bad_parameter);
    for (const double bad : {not_a_number, infinity, -infinity}) {
        const error e = error_of([&] { (void)quantile_cuts(std::vector<double>{1, 2, bad, 3}, 2); });
        CHECK(e.code() == errc::nan_or_inf);
        CHECK(e.where() == place{.row = 3});
    }
}

TEST_CASE("target_cuts: worked by hand", "[discretize]") {
    using numbers = std::vector<double>;
    // The target steps from 1 to 5 above 3, and to 9 above 6.
    const numbers values{1, 2, 3, 4, 5, 6, 7, 8, 9}, target{1, 1, 1, 5, 5, 5, 9, 9, 9};
    CHECK(target_cuts(values, target, {.max_cells = 9, .min_rows = 1}) == numbers{3, 6});
    CHECK(target_cuts(values, target, {.max_cells = 2, .min_rows = 1}) == numbers{3});  // both tell the same: the lower one
    CHECK(target_cuts(values, target, {.max_cells = 1, .min_rows = 1}).empty());
    CHECK(target_cuts(values, target, {.min_rows = 5}).empty());
    CHECK(target_cuts(values, target, {.min_rows = 4}) == numbers{4});
    // What happened or not; equal values stay together; the order does not matter.
    CHECK(target_cuts(std::vector<int>{7, 2, 2, 9, 2, 7}, std::vector<int>{1, 0, 0, 1, 0, 1}, {.min_rows = 1}) == numbers{2});
    CHECK(target_cuts(numbers(50, 3.0), numbers(50, 1.0)).empty());
    CHECK(target_cuts(values, numbers(9, 1e308), {.min_rows = 1}).empty());  // constant
    CHECK(target_cuts(values, numbers{1e308, 1e308, 1e308, -1e308, -1e308, -1e308, -1e308, -1e308, -1e308}, {.min_rows = 1}) == numbers{3});
    CHECK(target_cuts(numbers{1}, numbers{2}, {.min_rows = 1}).empty());
}

TEST_CASE("target_cuts: the best cut of all, and rarely one where there is nothing to find", "[discretize]") {
    rng random(6);
    std::size_t cut_noise = 0, found = 0;
    for (int round = 0; round < 200; ++round) {
        std::vector<double> values(60), noise(60), step(60);
        for (std::size_t i = 0; i < 60; ++i) {
            values[i] = static_cast<double>(random.below(30));
            noise[i] = random.normal();
            step[i] = noise[i] + (values[i] > 11 ? 3 : 0);
        }
        cut_noise += target_cuts(values, noise, {.min_rows = 5}).empty() ? 0 : 1;
        const auto cuts = target_cuts(values, step, {.max_cells = 2, .min_rows = 5});
        REQUIRE(cuts.size() == 1);
        found += std::abs(cuts[0] - 11) <= 1 ? 1 : 0;
        double least = 1e300, at = 0;
        for (const double cut : values) {
            double n[2]{}, sum[2]{}, errors = 0;
            for (std::size_t i = 0; i < 60; ++i) {
                n[values[i] > cut ? 1 : 0] += 1;
                sum[values[i] > cut ? 1 : 0] += step[i];
            }
            if (n[0] < 5 || n[1] < 5) continue;
            for (std::size_t i = 0; i < 60; ++i) {
                const std::size_t side = values[i] > cut ? 1 : 0;
                errors += (step[i] - sum[side] / n[side]) * (step[i] - sum[side] / n[side]);
            }
            if (errors < least) {
                least = errors;
                at = cut;
            }
        }
        CHECK(cuts[0] == at);
    }
    CHECK(cut_noise <= 20);
    CHECK(found >= 180);
}

TEST_CASE("target_cuts: refusals", "[discretize][error]") {
    using numbers = std::vector<double>;
    CHECK(error_of([] { (void)target_cuts(numbers{}, numbers{}); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)target_cuts(numbers{1}, numbers{1, 2}); }).code() == errc::shape_mismatch);
    CHECK(error_of([] { (void)target_cuts(numbers{1}, numbers{1}, {.max_cells = 0}); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)target_cuts(numbers{1}, numbers{1}, {.min_rows = 0}); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)target_cuts(numbers{1, 2}, numbers{1, infinity}); }).where() == place{.row = 2});
    CHECK(error_of([] { (void)target_cuts(numbers{not_a_number, 2}, numbers{1, 1}); }).code() == errc::nan_or_inf);
}

TEST_CASE("cell_means: drawn towards their likes, worked by hand", "[discretize]") {
    cell_means<2> means({2, 2}, 10, 2);
    CHECK(means({0, 0}) == 10);  // nothing seen: the prior
    CHECK(means({1, 1}) == 10);
    means.add({0, 0}, 4);
    means.add({0, 0}, 6);
    means.add({0, 1}, 1);
    means.add({1, 0}, 9);
    // Everything: (4 + 6 + 1 + 9 + 2 * 10) / (4 + 2); row 0: (11 + 2 * that) / (3 + 2); row 1: (9 + 2 * that) / (1 + 2).
    const double all = 40.0 / 6, row_0 = (11 + 2 * all) / 5, row_1 = (9 + 2 * all) / 3;
    CHECK(means({0, 0}) == Approx((10 + 2 * row_0) / 4).epsilon(1e-14));
    CHECK(means({0, 1}) == Approx((1 + 2 * row_0) / 3).epsilon(1e-14));
    CHECK(means({1, 0}) == Approx((9 + 2 * row_1) / 3).epsilon(1e-14));
    CHECK(means({1, 1}) == Approx(row_1).epsilon(1e-14));  // nothing seen: its likes
    CHECK(means.count({0, 0}) == 2);
    CHECK(means.count({0, 1}) == 1);
    CHECK(means.count({1, 1}) == 0);
}

TEST_CASE("cell_means: three axes, beside sums over all that was seen", "[discretize]") {
    constexpr std::array<std::size_t, 3> shape{3, 2, 4};
    rng random(2);
    cell_means<3> means(shape, .5, 3);
    std::vector<std::array<std::size_t, 3>> cells;
    std::vector<double> values;
    for (int i = 0; i < 100; ++i) {
        std::array<std::size_t, 3> cell{};
        for (std::size_t d = 0; d < 3; ++d) cell[d] = random.below(shape[d]);
        if (cell[0] == 2) continue;  // never seen
        cells.push_back(cell);
        values.push_back(random.normal());
        means.add(cell, values.back());
    }
    for (std::size_t number = 0; number < 24; ++number) {
        const auto cell = state_at(shape, number);
        double expected = .5;
        for (std::size_t level = 0; level <= 3; ++level) {
            double n = 0, sum = 0;
            for (std::size_t i = 0; i < cells.size(); ++i)
                if (std::equal(cell.begin(), cell.begin() + static_cast<std::ptrdiff_t>(level), cells[i].begin())) {
                    n += 1;
                    sum += values[i];
                }
            expected = (sum + 3 * expected) / (n + 3);
        }
        CHECK(means(cell) == Approx(expected).epsilon(1e-12));
        CHECK(means.count(cell) == static_cast<std::size_t>(std::ranges::count(cells, cell)));
    }
}

TEST_CASE("cell_means: refusals", "[discretize][error]") {
    const auto refused = [](const std::array<std::size_t, 2>& shape, double prior, double strength) {
        return error_of([&] { (void)cell_means<2>(shape, prior, strength); }).code();
    };
    CHECK(refused({0, 2}, 1, 1) == errc::bad_parameter);
    CHECK(refused({2, 2}, not_a_number, 1) == errc::bad_parameter);
    CHECK(refused({2, 2}, infinity, 1) == errc::bad_parameter);
    for (const double strength : {0.0, -1.0, not_a_number, infinity}) CHECK(refused({2, 2}, 1, strength) == errc::bad_parameter);
    CHECK(refused({std::size_t{1} << 40, std::size_t{1} << 40}, 1, 1) == errc::limit_exceeded);

    cell_means<2> means({2, 3}, 0, 1);
    CHECK(error_of([&] { means.add({2, 0}, 1); }).where() == place{.column = 1});
    CHECK(error_of([&] { means.add({0, 3}, 1); }).code() == errc::unknown_id);
    CHECK(error_of([&] { means.add({0, 0}, not_a_number); }).code() == errc::nan_or_inf);
    CHECK(error_of([&] { (void)means({0, 3}); }).where() == place{.column = 2});
    CHECK(error_of([&] { (void)means.count({9, 0}); }).code() == errc::unknown_id);
    CHECK(means.count({0, 0}) == 0);  // what was refused left nothing behind
    CHECK(means({0, 0}) == 0);
}

}  // namespace discretize_test
