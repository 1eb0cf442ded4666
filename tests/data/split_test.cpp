#include <caramel/data/split.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <support/catch.hpp>

using namespace caramel;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

namespace {

// Ascending, together 0 .. n-1, each once.
void check_partition(const train_test& s, std::size_t n) {
    CHECK(std::is_sorted(s.train.begin(), s.train.end()));
    CHECK(std::is_sorted(s.test.begin(), s.test.end()));
    std::set<std::size_t> all(s.train.begin(), s.train.end());
    all.insert(s.test.begin(), s.test.end());
    CHECK(s.train.size() + s.test.size() == n);
    CHECK(all.size() == n);
    CHECK((all.empty() || *all.rbegin() == n - 1));
    CHECK_FALSE(s.train.empty());
    CHECK_FALSE(s.test.empty());
}
// Each row is tested once.
void check_folds(const std::vector<train_test>& folds, std::size_t n) {
    std::vector<int> tested(n);
    for (const auto& fold : folds) {
        check_partition(fold, n);
        for (const std::size_t row : fold.test) ++tested[row];
    }
    CHECK(std::all_of(tested.begin(), tested.end(), [](int times) { return times == 1; }));
}

}  // namespace

TEST_CASE("holdout: takes the share asked for, by the seed", "[split]") {
    const auto s = holdout(1000, 0.2, 7);
    check_partition(s, 1000);
    CHECK(s.test.size() == 200);
    CHECK(holdout(1000, 0.2, 7) == s);
    CHECK(holdout(1000, 0.2, 8) != s);
    CHECK(holdout(10, 0.25).test.size() == 3);  // 2.5 is rounded up
    CHECK(holdout(10, 0.001).test.size() == 1);
    CHECK(holdout(10, 0.999).train.size() == 1);
    check_partition(holdout(2, 0.5), 2);
    // Every row has its chance: mean position of the tested rows over seeds, n/2 with a deviation of about 2.
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed)
        for (const std::size_t row : holdout(1000, 0.2, seed).test) sum += static_cast<double>(row) / (200 * 100);
    CHECK(std::abs(sum - 499.5) < 10);
}

TEST_CASE("k_fold: folds differ by one row at most", "[split]") {
    for (const std::size_t n : {2U, 10U, 101U}) {
        for (const std::size_t k : {2U, 3U, 7U}) {
            if (k > n) continue;
            const auto folds = k_fold(n, k, 3);
            REQUIRE(folds.size() == k);
            check_folds(folds, n);
            for (const auto& fold : folds) CHECK((fold.test.size() == n / k || fold.test.size() == n / k + 1));
        }
    }
    CHECK(k_fold(50, 5, 1) == k_fold(50, 5, 1));
    CHECK(k_fold(50, 5, 1) != k_fold(50, 5, 2));
    CHECK(k_fold(50, 50, 1)[0].test.size() == 1);
}

TEST_CASE("stratified_k_fold: every fold has its share of every label", "[split]") {
    std::vector<std::string> labels;
    for (int i = 0; i < 103; ++i) labels.emplace_back(i % 10 == 0 ? "rare" : i % 3 == 0 ? "some" : "most");
    std::map<std::string, std::size_t> count;
    for (const auto& label : labels) ++count[label];
    for (const std::size_t k : {2U, 5U, 10U}) {
        const auto folds = stratified_k_fold(labels, k, 9);
        REQUIRE(folds.size() == k);
        check_folds(folds, labels.size());
        for (const auto& fold : folds) {
            CHECK((fold.test.size() == labels.size() / k || fold.test.size() == labels.size() / k + 1));
            std::map<std::string, std::size_t> mine;
            for (const std::size_t row : fold.test) ++mine[labels[row]];
            for (const auto& [label, n] : count) CHECK((mine[label] == n / k || mine[label] == n / k + 1));
        }
    }
    CHECK(stratified_k_fold(labels, 5, 9) == stratified_k_fold(labels, 5, 9));
    CHECK(stratified_k_fold(labels, 5, 9) != stratified_k_fold(labels, 5, 10));
    const std::vector<int> same(10, 1);
    check_folds(stratified_k_fold(same, 3, 0), 10);
}

TEST_CASE("modulo_folds: by the id", "[split]") {
    const std::vector<std::int64_t> ids{12346, 12347, 5, 10, 12348, 9, 14, 13};
    const auto folds = modulo_folds(ids, 5);
    check_folds(folds, ids.size());
    CHECK(folds[0].test == std::vector<std::size_t>{2, 3});
    CHECK(folds[1].test == std::vector<std::size_t>{0});
    CHECK(folds[4].test == std::vector<std::size_t>{5, 6});
    CHECK(modulo_folds(std::vector<std::uint8_t>{255, 254}, 2)[1].test == std::vector<std::size_t>{0});
}

TEST_CASE("split_at: by time", "[split]") {
    const sys_seconds t0{};
    const std::vector<sys_seconds> times{t0 + 3s, t0 + 1s, t0 + 2s, t0 + 3s};
    const auto s = split_at(times, t0 + 3s);
    CHECK(s.train == std::vector<std::size_t>{1, 2});
    CHECK(s.test == std::vector<std::size_t>{0, 3});

    table t;
    t.add_column("customer", std::vector{7, 8, 7, 9});
    t.add_column("item", std::vector{1, 1, 2, 3});
    t.add_column("when", times);
    const auto log = transactions::from(t, {.when = "when"});
    const auto [before, since] = split_at(log, t0 + 3s);
    CHECK(before == log.before(t0 + 3s));
    CHECK(since == log.since(t0 + 3s));
    CHECK(before.customer_ids() == since.customer_ids());
}

TEST_CASE("grouped_k_fold: a group is never parted, folds are of about equal size", "[split]") {
    std::vector<std::string> groups;
    rng random(5);
    for (int i = 0; i < 200; ++i) {  // a large one and many small ones
        const bool large = random.below(2) == 0;
        groups.push_back("c" + std::to_string(large ? 0 : random.below(40)));
    }
    for (const std::size_t k : {2U, 4U, 7U}) {
        const auto folds = grouped_k_fold(groups, k, 1);
        REQUIRE(folds.size() == k);
        check_folds(folds, groups.size());
        for (const auto& fold : folds) {
            std::set<std::string> learnt;
            for (const std::size_t row : fold.train) learnt.insert(groups[row]);
            for (const std::size_t row : fold.test) CHECK_FALSE(learnt.contains(groups[row]));
        }
    }
    // Where all groups are of equal size, so are the folds.
    std::vector<int> pairs;
    for (int i = 0; i < 60; ++i) pairs.push_back(i % 30);
    for (const auto& fold : grouped_k_fold(pairs, 5, 3)) CHECK(fold.test.size() == 12);
    CHECK(grouped_k_fold(pairs, 5, 3) == grouped_k_fold(pairs, 5, 3));
    CHECK(grouped_k_fold(pairs, 5, 3) != grouped_k_fold(pairs, 5, 4));
    const error few = error_of([&] { (void)grouped_k_fold(std::vector<int>{1, 1, 2, 2}, 3); });
    CHECK(few.code() == errc::too_few_rows);
    CHECK(std::string(few.what()) == "grouped_k_fold: 3 folds need as many groups, there are 2");
    CHECK(error_of([] { (void)grouped_k_fold(std::vector<int>{}, 2); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)grouped_k_fold(std::vector<int>{1, 2}, 1); }).code() == errc::bad_parameter);
}

TEST_CASE("expanding_folds: learn from what was earlier", "[split]") {
    const sys_seconds t0{};
    std::vector<sys_seconds> times;
    rng random(6);
    for (int i = 0; i < 103; ++i) times.push_back(t0 + 1s * static_cast<std::int64_t>(random.below(50)));
    for (const auto gap : {0s, 3s}) {
        const auto folds = expanding_folds(times, 4, gap);
        REQUIRE(folds.size() == 4);
        std::set<std::size_t> tested;
        for (const auto& fold : folds) {
            sys_seconds first = times[fold.test.front()], last = times[fold.train.front()];
            for (const std::size_t row : fold.test) first = std::min(first, times[row]);
            for (const std::size_t row : fold.train) last = std::max(last, times[row]);
            CHECK(first - last > gap);
            std::size_t earlier = 0;
            for (const sys_seconds t : times) earlier += t < first && first - t > gap;
            CHECK(fold.train.size() == earlier);  // all that may be learnt from
            CHECK(std::abs(static_cast<double>(fold.test.size()) - 103. / 5) < 6);
            for (const std::size_t row : fold.test) CHECK(tested.insert(row).second);
        }
    }
    const auto by_row = expanding_folds(10, 4);
    CHECK(by_row[0] == train_test{{0, 1}, {2, 3}});
    CHECK(by_row[3] == train_test{{0, 1, 2, 3, 4, 5, 6, 7}, {8, 9}});
    CHECK(expanding_folds(10, 4, 1)[1] == train_test{{0, 1, 2}, {4, 5}});
    CHECK(error_of([] { (void)expanding_folds(0, 1); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)expanding_folds(5, 0); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)expanding_folds(5, 5); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)expanding_folds(times, 2, -1s); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)expanding_folds(times, 2, 100s); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)expanding_folds(std::vector(5, t0), 2); }).code() == errc::too_few_rows);
    CHECK(error_of([] { (void)expanding_folds(5, 2, 6); }).code() == errc::bad_parameter);
}

TEST_CASE("split: what cannot be split is refused", "[split][error]") {
    const std::vector<int> two{0, 1}, none;
    CHECK(error_of([] { (void)holdout(0, 0.5); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)holdout(1, 0.5); }).code() == errc::too_few_rows);
    for (const double share : {0.0, 1.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
        CHECK(error_of([&] { (void)holdout(10, share); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)k_fold(0, 2); }).code() == errc::empty_input);
    CHECK(error_of([] { (void)k_fold(5, 0); }).code() == errc::bad_parameter);
    CHECK(error_of([] { (void)k_fold(5, 1); }).code() == errc::bad_parameter);
    const auto e = error_of([] { (void)k_fold(5, 6); });
    CHECK(e.code() == errc::too_few_rows);
    CHECK_THAT(e.what(), Catch::Matchers::Contains("6 folds") && Catch::Matchers::Contains("there are 5"));
    CHECK(error_of([&] { (void)stratified_k_fold(none, 2); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)stratified_k_fold(two, 1); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)stratified_k_fold(two, 3); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)modulo_folds(none, 2); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)modulo_folds(two, 1); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)modulo_folds(two, 3); }).code() == errc::too_few_rows);
    CHECK(error_of([] { (void)modulo_folds(std::vector{1, -1}, 2); }).where().row == 2);
    const std::vector<sys_seconds> times{sys_seconds{}, sys_seconds{} + 1s}, no_times;
    CHECK(error_of([&] { (void)split_at(no_times, sys_seconds{}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)split_at(times, sys_seconds{}); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)split_at(times, sys_seconds{} + 2s); }).code() == errc::too_few_rows);
}
