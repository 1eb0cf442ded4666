#include <caramel/privacy/anonymity.hpp>

#include <chrono>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>

#include "support/catch.hpp"

using namespace caramel;
using strings = std::vector<std::string>;

namespace anonymity_test {

// Machanavajjhala et al. 2007, figures 1 and 2: 12 patients.
table patients() {
    table t;
    t.add_column("zip", strings{"13053", "13068", "13068", "13053", "14853", "14853", "14850", "14850", "13053", "13053", "13068", "13068"});
    t.add_column("age", std::vector<std::int64_t>{28, 29, 21, 23, 50, 55, 47, 49, 31, 37, 36, 35});
    t.add_column("disease", strings{"Heart", "Heart", "Viral", "Viral", "Cancer", "Heart", "Viral", "Viral", "Cancer", "Cancer", "Cancer", "Cancer"});
    return t;
}

TEST_CASE("anonymity: the table of the l-diversity paper", "[privacy][anonymity]") {
    const table raw = patients();
    CHECK(group_rows(raw, {"zip", "age"}).k() == 1);
    CHECK(group_rows(raw, {"zip", "age"}).rows_below(2).size() == 12);
    const table coarse = shortened(in_ranges(raw, "age", {30, 40}), "zip", 3);
    CHECK(coarse.categories("zip")[0] == "130*");
    CHECK(coarse.categories("age")[0] == "< 30");
    CHECK(coarse.categories("age")[8] == "30 - 40");
    CHECK(coarse.categories("age")[5] == ">= 40");
    const auto groups = group_rows(coarse, {"zip", "age"});
    CHECK(groups.sizes == std::vector<std::size_t>{4, 4, 4});
    CHECK(groups.group_of == std::vector<std::size_t>{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2});
    CHECK(groups.k() == 4);
    CHECK(groups.rows_below(4).empty());
    CHECK(groups.rows_below(5).size() == 12);
    CHECK(groups.average_risk() == .25);
    const auto diversity = diversity_of(groups, coarse.column("disease"));
    const std::size_t distinct[] = {2, 3, 1};
    const double entropy[] = {2, 2.82842712474619, 1}, t[] = {.41666666666666666, .16666666666666669, .5833333333333333};
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(diversity.groups[i].distinct == distinct[i]);
        CHECK(diversity.groups[i].entropy_l == Approx(entropy[i]).epsilon(1e-12));
        CHECK(diversity.groups[i].closeness == Approx(t[i]).epsilon(1e-12));
    }
    CHECK((diversity.distinct_l() == 1 && diversity.entropy_l() == 1 && diversity.t() == Approx(t[2]).epsilon(1e-12)));
}

TEST_CASE("anonymity: random tables against a map", "[privacy][anonymity]") {
    rng numbers(8);
    for (int round = 0; round < 40; ++round) {
        const std::size_t n = numbers.below(60);
        std::vector<double> a(n);
        std::vector<std::int64_t> b(n);
        strings c(n), s(n);
        std::vector<std::chrono::sys_seconds> d(n);
        std::vector<bool> missing(n);
        for (std::size_t i = 0; i < n; ++i) {
            a[i] = static_cast<double>(numbers.below(3));
            b[i] = static_cast<std::int64_t>(numbers.below(3));
            c[i] = std::string(1, static_cast<char>('p' + numbers.below(2)));
            d[i] = std::chrono::sys_seconds(std::chrono::seconds(numbers.below(2)));
            s[i] = std::string(1, static_cast<char>('u' + numbers.below(3)));
            missing[i] = numbers.below(4) == 0;
        }
        table t;
        t.add_column("a", a);
        t.add_column("b", b, missing);
        t.add_column("c", c);
        t.add_column("d", d);
        t.add_column("s", s, missing);
        std::map<std::vector<std::string>, std::vector<std::size_t>> by_key;
        std::map<std::string, double> overall;
        const auto sensitive = [&](std::size_t i) { return missing[i] ? std::string("-") : s[i]; };
        for (std::size_t i = 0; i < n; ++i) {
            by_key[{std::to_string(a[i]), missing[i] ? "-" : std::to_string(b[i]), c[i], std::to_string(d[i].time_since_epoch().count())}].push_back(i);
            overall[sensitive(i)] += 1.0 / static_cast<double>(n);
        }
        const auto groups = group_rows(t, {"a", "b", "c", "d"});
        const auto diversity = diversity_of(groups, t.column("s"));
        CHECK(groups.sizes.size() == by_key.size());
        std::size_t k = n, below = 0, next = 0;
        for (std::size_t i = 0; i < n; ++i)  // groups are numbered as they appear
            if (groups.group_of[i] >= next) CHECK(groups.group_of[i] == next++);
        for (const auto& [key, rows] : by_key) {
            std::set<std::string> values;
            std::map<std::string, double> share;
            for (const std::size_t row : rows) {
                CHECK(groups.group_of[row] == groups.group_of[rows[0]]);
                values.insert(sensitive(row));
                share[sensitive(row)] += 1.0 / static_cast<double>(rows.size());
            }
            double entropy = 0, distance = 0;
            for (const auto& [value, p] : overall) {
                const double q = share.contains(value) ? share[value] : 0;
                if (q > 0) entropy -= q * std::log(q);
                distance += .5 * std::abs(q - p);
            }
            const auto& got = diversity.groups[groups.group_of[rows[0]]];
            CHECK(groups.sizes[groups.group_of[rows[0]]] == rows.size());
            CHECK(got.distinct == values.size());
            CHECK(got.entropy_l == Approx(std::exp(entropy)).epsilon(1e-12));
            CHECK(got.closeness == Approx(distance).epsilon(1e-12).margin(1e-12));
            k = std::min(k, rows.size());
            below += rows.size() < 3 ? rows.size() : 0;
        }
        CHECK(groups.k() == k);
        CHECK(groups.rows_below(3).size() == below);
        const auto suppressed = suppress_small_groups(t, {"a", "b", "c", "d"}, 3);
        CHECK(suppressed.rows == groups.rows_below(3));
        CHECK(suppressed.kept.rows() == n - below);
        if (suppressed.kept.rows() > 0) CHECK(group_rows(suppressed.kept, {"a", "b", "c", "d"}).k() >= 3);
        // One column more never makes groups larger.
        CHECK(group_rows(t, {"a", "b"}).k() >= k);
    }
}

TEST_CASE("anonymity: coarser columns", "[privacy][anonymity]") {
    table t;
    t.add_column("x", std::vector<double>{-1, 0, 9.99, 10, 1e6, 5}, {false, false, false, false, false, true});
    t.add_column("n", std::vector<std::int64_t>{1, 2, 300, 4, 5, 6});
    t.add_column("text", strings{"北京市海淀区", "ab", "abc", "", "é1", "x"}, {false, false, false, false, false, true});
    const table binned = in_ranges(t, "x", {0, 2.5, 10});
    const auto ranges = binned.categories("x");
    const strings expected{"< 0", "0 - 2.5", "2.5 - 10", ">= 10", ">= 10", ""};
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(ranges[i] == expected[i]);
    CHECK(in_ranges(t, "x", {0}).column("x").missing(5));
    CHECK(in_ranges(t, "n", {2, 5}).categories("n")[1] == "2 - 5");
    const auto top = top_coded(top_coded(t, "x", 10), "n", 4.9);
    CHECK(top.numbers("x")[4] == 10);
    CHECK((top.numbers("x")[2] == 9.99 && top.column("x").missing(5)));
    CHECK(std::vector<std::int64_t>(top.integers("n").begin(), top.integers("n").end()) == std::vector<std::int64_t>{1, 2, 4, 4, 4, 4});
    const table short_texts = shortened(t, "text", 2);
    const auto shorter = short_texts.categories("text");
    const strings cut{"北京*", "ab", "ab*", "", "é1", ""};
    for (std::size_t i = 0; i < cut.size(); ++i) CHECK(shorter[i] == cut[i]);
    CHECK(shortened(t, "text", 0).categories("text")[1] == "*");
    CHECK(shortened(t, "text", 2).names() == t.names());
}

TEST_CASE("anonymity: what is refused", "[privacy][anonymity][error]") {
    const table t = patients();
    const auto code = [](auto&& work) { return error_of(work).code(); };
    CHECK(code([&] { (void)group_rows(t, {}); }) == errc::bad_parameter);
    CHECK(code([&] { (void)group_rows(t, {"name"}); }) == errc::missing_column);
    CHECK(code([&] { (void)suppress_small_groups(t, {"zip"}, 0); }) == errc::bad_parameter);
    CHECK(code([&] { (void)diversity_of(group_rows(t, {"zip"}), table_column(std::vector<double>{1})); }) == errc::shape_mismatch);
    CHECK(code([&] { (void)in_ranges(t, "zip", {1}); }) == errc::wrong_column_type);
    CHECK(code([&] { (void)in_ranges(t, "age", {}); }) == errc::bad_parameter);
    CHECK(code([&] { (void)in_ranges(t, "age", {2, 2}); }) == errc::bad_parameter);
    CHECK(code([&] { (void)in_ranges(t, "age", {std::nan("")}); }) == errc::bad_parameter);
    CHECK(code([&] { (void)top_coded(t, "zip", 1); }) == errc::wrong_column_type);
    CHECK(code([&] { (void)top_coded(t, "age", std::nan("")); }) == errc::bad_parameter);
    CHECK(code([&] { (void)top_coded(t, "age", 1e300); }) == errc::bad_parameter);
    CHECK(code([&] { (void)shortened(t, "age", 1); }) == errc::wrong_column_type);
    const auto none = group_rows(t.slice(0, 0), {"zip"});
    CHECK((none.k() == 0 && none.average_risk() == 0 && none.rows_below(5).empty()));
    const auto nothing = diversity_of(none, t.slice(0, 0).column("disease"));
    CHECK((nothing.distinct_l() == 0 && nothing.entropy_l() == 0 && nothing.t() == 0));
}

}  // namespace anonymity_test
