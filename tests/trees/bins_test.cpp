#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/trees/bins.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

std::vector<std::uint32_t> rows_up_to(std::size_t n) {
    std::vector<std::uint32_t> out(n);
    std::iota(out.begin(), out.end(), std::uint32_t{0});
    return out;
}
template <class T>
std::vector<T> cuts_of(const std::vector<T>& values, std::size_t max_bins, const std::vector<double>& weights = {}) {
    const matrix<T> x = Eigen::Map<const matrix<T>>(values.data(), static_cast<row_index>(values.size()), 1);
    return detail::cuts_of_column<T>(x, 0, rows_up_to(values.size()), row_weights(weights, values.size(), "test"), !weights.empty(), max_bins);
}
std::vector<std::size_t> sizes_of_bins(const std::vector<double>& values, const std::vector<double>& cuts) {
    std::vector<std::size_t> out(cuts.size() + 1);
    for (const double v : values) ++out[detail::bin_of<double>(cuts, v)];
    return out;
}

}  // namespace

TEMPLATE_TEST_CASE("bins: a cut lies between its neighbours, whatever they are", "[bins]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    constexpr T most = std::numeric_limits<T>::max(), least = std::numeric_limits<T>::denorm_min();
    CHECK(detail::cut_between<T>(1, 2) == T(1.5));
    for (const auto& [a, b] : {std::pair<T, T>{-most, most}, {most / 2, most}, {0, least}, {-least, 0}, {1, std::nextafter(T(1), T(2))}, {-least, least}}) {
        const T cut = detail::cut_between(a, b);
        CHECK(a <= cut);
        CHECK(cut < b);
    }
}

TEST_CASE("bins: few distinct values have a bin each", "[bins]") {
    CHECK(cuts_of<double>({3, 1, 1, 2, 3, 3}, 255) == std::vector<double>{1.5, 2.5});
    CHECK(cuts_of<double>({3, 1, 1, 2, 3, 3}, 3) == std::vector<double>{1.5, 2.5});
    CHECK(cuts_of<double>({7, 7, 7}, 255).empty());
    CHECK(cuts_of<double>({3, 1, 1, 2, 3, 3}, 255, {1, 1, 0.5, 2, 1, 1}) == std::vector<double>{1.5, 2.5});
}

TEST_CASE("bins: many values are cut into bins of about equal weight", "[bins]") {
    rng numbers(1);
    std::vector<double> values(10'000);
    for (double& v : values) v = numbers.normal();
    for (const std::size_t bins : {2U, 10U, 255U}) {
        const auto cuts = cuts_of(values, bins);
        REQUIRE(cuts.size() + 1 == bins);
        CHECK(std::is_sorted(cuts.begin(), cuts.end()));
        for (const std::size_t size : sizes_of_bins(values, cuts)) CHECK(std::abs(static_cast<double>(size) - 10'000. / static_cast<double>(bins)) <= 2);
    }
    // A value that half of the rows have gets a bin, and leaves the others enough of them.
    for (std::size_t i = 0; i < 5000; ++i) values[2 * i] = 0;
    const auto cuts = cuts_of(values, 20);
    CHECK(cuts.size() <= 19);
    CHECK(cuts.size() >= 10);
    // Rows with weight 0.1 take a tenth of the place.
    std::vector<double> weights(10'000, 1);
    for (std::size_t i = 0; i < 10'000; ++i) {
        values[i] = static_cast<double>(i);
        if (i < 5000) weights[i] = 0.1;
    }
    const auto uneven = cuts_of(values, 11, weights);
    CHECK(std::ranges::count_if(uneven, [](double c) { return c < 5000; }) == 1);
}

TEST_CASE("bins: the bin of a value is the number of cuts below it", "[bins]") {
    rng numbers(2);
    for (const std::size_t n : {1U, 2U, 3U, 7U, 64U, 253U, 254U}) {
        std::set<float> distinct;
        while (distinct.size() < n) distinct.insert(static_cast<float>(numbers.normal()));
        const std::vector<float> cuts(distinct.begin(), distinct.end());
        for (int i = 0; i < 300; ++i) {
            const float x = i < 100 ? cuts[numbers.below(n)] : static_cast<float>(2 * numbers.normal());
            CHECK(detail::bin_of<float>(cuts, x) == std::ranges::count_if(cuts, [&](float c) { return c < x; }));
        }
    }
}

TEST_CASE("bins: of many rows a sample is enough", "[bins]") {
    rng numbers(3);
    const std::size_t n = 100'000;
    matrix<float> x(static_cast<row_index>(n), 10);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(numbers.normal());
    x.col(4).setConstant(3);
    const auto rows = rows_up_to(n);
    const detail::binned_columns<float> binned(x, rows, row_weights({}, n, "test"), false, 16, rng(1), {});
    REQUIRE(binned.size() == 9);  // without the constant one
    CHECK(binned.groups() == 2);
    CHECK(binned.column(4) == 5);
    CHECK(binned.bins() == 9 * 16 + 7);
    for (std::size_t c = 0; c < 9; ++c) {
        REQUIRE(binned.bins_of(c) == 16);
        std::vector<std::size_t> sizes(16);
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t code = binned.codes_of(c)[i * 8];
            ++sizes[code];
            const float value = x(static_cast<row_index>(i), static_cast<row_index>(binned.column(c)));
            if (i < 100) CHECK((code == 15 || value <= binned.cut(c, code)));
            if (i < 100) CHECK((code == 0 || value > binned.cut(c, code - 1)));
        }
        for (const std::size_t size : sizes) CHECK(std::abs(static_cast<double>(size) - 6250) < 500);
    }
}
