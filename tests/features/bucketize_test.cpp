#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/features/bucketize.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

template <class T>
matrix<T> column(const std::vector<T>& values) {
    return Eigen::Map<const matrix<T>>(values.data(), static_cast<row_index>(values.size()), 1);
}
template <class T>
std::vector<T> cuts_of(const bucketize_model<T>& model, row_index j = 0) {
    return {model.cuts(j).begin(), model.cuts(j).end()};
}

// Fayyad and Irani's cuts from their definition, by recursion over rows in order of the value.
using labelled = std::vector<std::pair<double, int>>;
double entropy_of(const labelled& rows, double& classes) {
    double entropy = 0;
    classes = 0;
    for (int label = 0; label < 5; ++label) {
        const auto n = static_cast<double>(std::count_if(rows.begin(), rows.end(), [&](const auto& r) { return r.second == label; }));
        if (n == 0) continue;
        ++classes;
        entropy -= n / static_cast<double>(rows.size()) * std::log2(n / static_cast<double>(rows.size()));
    }
    return entropy;
}
void add_cuts(const labelled& rows, std::vector<double>& cuts) {
    const auto n = static_cast<double>(rows.size());
    double k = 0, best = 1e300, best_cut = 0;
    const double entropy = entropy_of(rows, k);
    labelled best_left, best_right;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        if (rows[i].first == rows[i - 1].first) continue;
        const labelled left(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(i)), right(rows.begin() + static_cast<std::ptrdiff_t>(i), rows.end());
        double k1 = 0, k2 = 0;
        const double e1 = entropy_of(left, k1), e2 = entropy_of(right, k2);
        const double after = e1 * static_cast<double>(left.size()) / n + e2 * static_cast<double>(right.size()) / n;
        if (after < best - 1e-12) {
            best = after;
            best_cut = (rows[i].first + rows[i - 1].first) / 2;
            best_left = left;
            best_right = right;
        }
    }
    if (best_left.empty()) return;
    double k1 = 0, k2 = 0;
    const double e1 = entropy_of(best_left, k1), e2 = entropy_of(best_right, k2);
    if (entropy - best <= std::log2(n - 1) / n + (std::log2(std::pow(3, k) - 2) - (k * entropy - k1 * e1 - k2 * e2)) / n) return;
    cuts.push_back(best_cut);
    add_cuts(best_left, cuts);
    add_cuts(best_right, cuts);
}

}  // namespace

TEMPLATE_TEST_CASE("bucketize: equally full and equally wide, worked by hand", "[bucketize]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    const auto x = column<T>({1, 2, 3, 4, 5, 6, 7, 21});
    CHECK(cuts_of(fit(bucketize<T>{.buckets = 4}, x)) == std::vector<T>{T(2.5), T(4.5), T(6.5)});
    const auto wide = fit(bucketize<T>{.buckets = 4, .cuts = bucket_cuts::equal_width}, x);
    CHECK(cuts_of(wide) == std::vector<T>{6, 11, 16});
    const auto out = wide(column<T>({-9, 5, 6, 12, 99}));
    CHECK(out == column<T>({0, 0, 1, 2, 3}));
    CHECK(cuts_of(fit(bucketize<T>{.buckets = 4}, column<T>({0, 0, 0, 0, 0, 0, 5, 9}))) == std::vector<T>{T(2.5)});
    CHECK(cuts_of(fit(bucketize<T>{}, column<T>({3, 3}))).empty());
}
TEST_CASE("bucketize: a column a bucket, with names that say where it is", "[bucketize]") {
    matrix<double> x(4, 2);
    x << 1, 0, 2, 0, 3, 0, 4, 0;
    const auto model = fit(bucketize<double>{.buckets = 3, .cuts = bucket_cuts::equal_width, .one_hot = true}, x);
    CHECK(model.output_names({"a", "b"}) == std::vector<std::string>{"a < 2", "2 <= a < 3", "a >= 3", "b"});
    matrix<double> expected(4, 4);
    expected << 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 1;
    CHECK(model(x) == expected);
    workspace scratch;
    for (row_index i = 0; i < 4; ++i) {
        const auto row = model(row_of(x, i), scratch);
        CHECK(std::equal(row.begin(), row.end(), row_of(expected, i).begin()));
    }
    CHECK(error_of([&] { (void)model.output_names({"a"}); }).code() == errc::shape_mismatch);
}
TEST_CASE("bucketize: weights", "[bucketize]") {
    const std::vector<double> weights{1, 3, 1, 0, 1, 1};
    const std::vector<int> y{0, 0, 1, 0, 1, 1}, y_twice{0, 0, 0, 0, 1, 1, 1};
    const auto x = column<double>({1, 2, 3, 4, 5, 6}), twice = column<double>({1, 2, 2, 2, 3, 5, 6});
    CHECK(fit(bucketize<double>{.buckets = 3}, x, {.weights = weights}).fields() == fit(bucketize<double>{.buckets = 3}, twice).fields());
    CHECK(fit(bucketize_by_target<double>{}, x, y, {.weights = weights}).fields() == fit(bucketize_by_target<double>{}, twice, y_twice).fields());
    CHECK(cuts_of(fit(bucketize_by_target<double>{}, x, y, {.weights = weights})) == std::vector<double>{2.5});
}

TEST_CASE("bucketize_by_target: the cuts of Fisher's iris, as R's package discretization has them", "[bucketize]") {
    const std::vector<double> length{
        1.4, 1.4, 1.3, 1.5, 1.4, 1.7, 1.4, 1.5, 1.4, 1.5, 1.5, 1.6, 1.4, 1.1, 1.2, 1.5, 1.3, 1.4, 1.7, 1.5, 1.7, 1.5, 1.0, 1.7, 1.9, 1.6, 1.6, 1.5, 1.4, 1.6,
        1.6, 1.5, 1.5, 1.4, 1.5, 1.2, 1.3, 1.4, 1.3, 1.5, 1.3, 1.3, 1.3, 1.6, 1.9, 1.4, 1.6, 1.4, 1.5, 1.4, 4.7, 4.5, 4.9, 4.0, 4.6, 4.5, 4.7, 3.3, 4.6, 3.9,
        3.5, 4.2, 4.0, 4.7, 3.6, 4.4, 4.5, 4.1, 4.5, 3.9, 4.8, 4.0, 4.9, 4.7, 4.3, 4.4, 4.8, 5.0, 4.5, 3.5, 3.8, 3.7, 3.9, 5.1, 4.5, 4.5, 4.7, 4.4, 4.1, 4.0,
        4.4, 4.6, 4.0, 3.3, 4.2, 4.2, 4.2, 4.3, 3.0, 4.1, 6.0, 5.1, 5.9, 5.6, 5.8, 6.6, 4.5, 6.3, 5.8, 6.1, 5.1, 5.3, 5.5, 5.0, 5.1, 5.3, 5.5, 6.7, 6.9, 5.0,
        5.7, 4.9, 6.7, 4.9, 5.7, 6.0, 4.8, 4.9, 5.6, 5.8, 6.1, 6.4, 5.6, 5.1, 5.6, 6.1, 5.6, 5.5, 4.8, 5.4, 5.6, 5.1, 5.1, 5.9, 5.7, 5.2, 5.0, 5.2, 5.4, 5.1};
    std::vector<int> species(150);
    for (std::size_t i = 0; i < 150; ++i) species[i] = static_cast<int>(i / 50);
    const auto cuts = cuts_of(fit(bucketize_by_target<double>{}, column(length), species));
    REQUIRE(cuts.size() == 2);
    CHECK(cuts[0] == Approx(2.45).epsilon(1e-12));
    CHECK(cuts[1] == Approx(4.75).epsilon(1e-12));
    CHECK(cuts_of(fit(bucketize_by_target<double>{.max_buckets = 2}, column(length), species)).size() == 1);
}
TEST_CASE("bucketize_by_target: against the definition; noise is one bucket", "[bucketize]") {
    rng random(6);
    for (int round = 0; round < 30; ++round) {
        std::vector<double> values(60);
        std::vector<int> labels(60);
        labelled rows;
        for (std::size_t i = 0; i < 60; ++i) {
            values[i] = static_cast<double>(random.below(25));
            const double step = std::floor(values[i] / 7);
            labels[i] = random.uniform() < 0.85 ? static_cast<int>(step) % 3 : static_cast<int>(random.below(3));
            rows.emplace_back(values[i], labels[i]);
        }
        std::sort(rows.begin(), rows.end());
        std::vector<double> expected;
        add_cuts(rows, expected);
        std::sort(expected.begin(), expected.end());
        CHECK(cuts_of(fit(bucketize_by_target<double>{}, column(values), labels)) == expected);
    }
    std::vector<double> noise(1000);
    std::vector<int> labels(1000);
    for (std::size_t i = 0; i < 1000; ++i) {
        noise[i] = random.normal();
        labels[i] = static_cast<int>(random.below(2));
    }
    CHECK(cuts_of(fit(bucketize_by_target<double>{}, column(noise), labels)).empty());
}
TEST_CASE("bucketize: what cannot be", "[bucketize][error]") {
    const auto x = column<double>({1, 2});
    CHECK(error_of([&] { (void)fit(bucketize<double>{.buckets = 1}, x); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(bucketize_by_target<double>{.max_buckets = 1}, x, std::vector<int>{0, 1}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(bucketize_by_target<double>{}, x, std::vector<int>{1, 1}); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)fit(bucketize<double>{}, x)(matrix<double>::Zero(1, 2)); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { bucketize_model<double>({2, 1}, {0, 2}, false); }).code() == errc::bad_data);
    CHECK(error_of([&] { bucketize_model<double>({1}, {0, 2}, false); }).code() == errc::bad_data);
    CHECK(error_of([&] { bucketize_model<double>({}, {}, false); }).code() == errc::bad_data);
}
