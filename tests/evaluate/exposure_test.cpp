#include <cmath>
#include <vector>

#include "support/catch.hpp"

#include <caramel/evaluate/exposure.hpp>

using namespace caramel;
using lists = std::vector<std::vector<int>>;

TEST_CASE("exposure: worked by hand", "[exposure]") {
    const lists ranked{{0, 1, 4}, {0, 2}, {0}};
    CHECK(exposure_at(2, ranked, 5) == std::vector<std::size_t>{3, 1, 1, 0, 0});
    CHECK(coverage_at(2, ranked, 5) == Approx(3.0 / 5));
    CHECK(coverage_at(3, ranked, 5) == Approx(4.0 / 5));
    // Ascending 0 0 1 1 3: (-4*0 - 2*0 + 0*1 + 2*1 + 4*3) / (5*5).
    CHECK(exposure_gini_at(2, ranked, 5) == Approx(14.0 / 25));
    CHECK(exposure_gini_at(1, ranked, 5) == Approx(1 - 1.0 / 5));           // always the same
    CHECK(exposure_gini_at(1, lists{{0}, {1}, {2}}, 3) == Approx(0));       // each as often
    CHECK(exposure_gini_at(1, lists{{}, {}}, 3) == 0);
    // Of 8 customers, 4 have item 0, 1 has item 1, nobody item 2.
    const std::vector<float> customers_of{4, 1, 0, 8, 2};
    const auto novel = novelty_at(2, ranked, customers_of, 8);
    CHECK(novel.values == std::vector<double>{(1.0 + 3.0) / 2, (1.0 + 3.0) / 2, 1.0});
    CHECK(novelty_at(3, ranked, customers_of, 8).values[0] == Approx((1.0 + 3.0 + 2.0) / 3));
    CHECK(novelty_at(1, lists{{3}, {}}, customers_of, 8).values == std::vector<double>{0, 0});
}

TEST_CASE("exposure: Gini by its definition, the mean of all differences", "[exposure]") {
    const lists ranked{{0, 1, 2, 3}, {0, 2}, {5}, {5, 0, 1}, {2}};
    const auto shown = exposure_at(10, ranked, 7);
    double differences = 0, sum = 0;
    for (const auto a : shown) {
        sum += static_cast<double>(a);
        for (const auto b : shown) differences += std::abs(static_cast<double>(a) - static_cast<double>(b));
    }
    CHECK(exposure_gini_at(10, ranked, 7) == Approx(differences / (2 * 7 * sum)));
}

TEST_CASE("exposure: what cannot be judged is refused", "[exposure][error]") {
    const lists ranked{{0, 1}, {7}};
    const std::vector<double> counts{1, 9};
    CHECK(error_of([&] { (void)exposure_at(0, ranked, 9); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)coverage_at(1, ranked, 0); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)exposure_gini_at(1, lists{}, 3); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)exposure_at(1, ranked, 7); }).where().row == 2);
    CHECK(error_of([&] { (void)exposure_at(1, lists{{-1}}, 7); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)novelty_at(0, ranked, counts, 9); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)novelty_at(1, ranked, counts, 0); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)novelty_at(1, ranked, counts, 9); }).where().row == 2);
    CHECK(error_of([&] { (void)novelty_at(2, lists{{0, 1}}, counts, 8); }).code() == errc::bad_data);
}
