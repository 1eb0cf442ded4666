#include <cmath>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/multiclass.hpp>

#include "support/catch.hpp"

using namespace caramel;

TEST_CASE("multiclass: the examples of another library's documentation", "[multiclass][oracle]") {
    const std::vector<int> y{0, 1, 2, 0, 1, 2}, p{0, 2, 1, 0, 0, 1};
    CHECK(mean_precision(p, y) == Approx(2. / 9));
    CHECK(mean_precision(p, y, averaging::micro) == Approx(1. / 3));
    CHECK(mean_precision(p, y, averaging::by_rows) == Approx(2. / 9));
    CHECK(mean_recall(p, y) == Approx(1. / 3));
    CHECK(mean_f1(p, y) == Approx(.8 / 3));
    CHECK(mean_f1(p, y, averaging::micro) == accuracy(p, y));
    CHECK(balanced_accuracy({0, 1, 0, 0, 0, 1}, {0, 1, 0, 0, 1, 0}) == Approx(.625));
    CHECK(matthews_correlation({1, 0, 1, 1}, {1, 1, 1, 0}) == Approx(-1. / 3));
    const auto report = class_report(p, y);
    REQUIRE(report.size() == 3);
    CHECK(report[0].precision == Approx(2. / 3));
    CHECK(report[0].recall == 1);
    CHECK(report[0].f1 == Approx(.8));
    CHECK(report[1].rows == 2);
    CHECK(report[1].predicted == 2);
    CHECK(report[1].right == 0);
}
TEST_CASE("cohen_kappa: the textbook's two examiners", "[multiclass]") {
    std::vector<int> a, b;
    const auto add = [&](int n, int x, int y) { a.insert(a.end(), static_cast<std::size_t>(n), x), b.insert(b.end(), static_cast<std::size_t>(n), y); };
    add(20, 1, 1), add(5, 1, 0), add(10, 0, 1), add(15, 0, 0);
    CHECK(cohen_kappa(a, b) == Approx(.4));
    CHECK(cohen_kappa(a, a) == Approx(1));
    CHECK(cohen_kappa({1, 1}, {1, 1}) == 1);
    // As weights: four rows.
    CHECK(cohen_kappa({1, 1, 0, 0}, {1, 0, 1, 0}, std::vector<double>{20, 5, 10, 15}) == Approx(.4));
    CHECK(matthews_correlation({1, 1, 0, 0}, {1, 0, 1, 0}, std::vector<double>{20, 5, 10, 15}) == Approx(matthews_correlation(a, b)));
    CHECK(balanced_accuracy({1, 1, 0, 0}, {1, 0, 1, 0}, std::vector<double>{20, 5, 10, 15}) == Approx(balanced_accuracy(a, b)));
    CHECK(mean_f1({1, 1, 0, 0}, {1, 0, 1, 0}, averaging::macro, std::vector<double>{20, 5, 10, 15}) == Approx(mean_f1(a, b)));
}
TEST_CASE("multiclass: two classes are what `decisions` says; the correlation is one of indicators", "[multiclass]") {
    rng random(1);
    for (int round = 0; round < 50; ++round) {
        const std::size_t n = 4 + random.below(40);
        std::vector<int> p(n), y(n);
        for (std::size_t i = 0; i < n; ++i) p[i] = static_cast<int>(random.below(2)), y[i] = i < 2 ? static_cast<int>(i) : static_cast<int>(random.below(2));
        const auto d = decisions(std::vector<double>(p.begin(), p.end()), y);
        const auto report = class_report(p, y);
        CHECK(report[1].precision == Approx(d.precision()));
        CHECK(report[1].recall == Approx(d.recall()));
        CHECK(report[1].f1 == Approx(d.f1()));
        double mp = 0, my = 0, sp = 0, sy = 0, both = 0;
        for (std::size_t i = 0; i < n; ++i) mp += p[i], my += y[i];
        mp /= static_cast<double>(n), my /= static_cast<double>(n);
        for (std::size_t i = 0; i < n; ++i) sp += (p[i] - mp) * (p[i] - mp), sy += (y[i] - my) * (y[i] - my), both += (p[i] - mp) * (y[i] - my);
        CHECK(matthews_correlation(p, y) == Approx(sp * sy > 0 ? both / std::sqrt(sp * sy) : 0).margin(1e-12));
    }
    CHECK(matthews_correlation({1, 1, 1}, {0, 1, 2}) == 0);
    CHECK(matthews_correlation({0, 1, 2}, {0, 1, 2}) == Approx(1));
    // Classes that nobody is of count for nothing; a class that is only predicted counts in macro figures.
    CHECK(mean_recall({5, 5}, {5, 5}) == 1);
    CHECK(mean_precision({0, 2}, {0, 0}) == Approx(.5));
}
TEST_CASE("multiclass: what is wrong is named", "[multiclass][error]") {
    CHECK(error_of([] { (void)class_report({}, {}); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)mean_f1({1}, {1, 0}); }).code() == errc::shape_mismatch);
    CHECK(error_of([] { (void)cohen_kappa({1, -1}, {1, 0}); }).where().row == 2);
    CHECK(error_of([] { (void)balanced_accuracy({1, 70'000}, {1, 0}); }).code() == errc::bad_data);
    CHECK(error_of([] { (void)matthews_correlation({1, 0}, {1, 0}, std::vector<double>{0, 0}); }).code() == errc::bad_data);
}
