#include <cmath>
#include <limits>
#include <vector>

#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/pipeline.hpp>
#include <caramel/recommend/rp3beta.hpp>

using namespace caramel;

namespace {

using grid = std::vector<std::vector<double>>;

// The two steps of the walk as dense tables.
grid walked(const grid& x, double alpha, double beta, std::size_t k, bool normalized) {
    const std::size_t customers = x.size(), items = x.front().size();
    grid out(items, std::vector<double>(items));
    for (std::size_t j = 0; j < items; ++j) {
        double column = 0;
        for (const auto& row : x) column += row[j];
        for (std::size_t i = 0; i < items; ++i) {
            double buyers = 0, sum = 0;
            for (std::size_t u = 0; u < customers; ++u) {
                double all = 0;
                for (const double v : x[u]) all += v;
                buyers += x[u][i] > 0 ? 1 : 0;
                if (x[u][j] > 0 && x[u][i] > 0) sum += std::pow(x[u][j] / column, alpha) * std::pow(x[u][i] / all, alpha);
            }
            out[j][i] = i == j ? 0 : sum / std::pow(buyers, beta);
        }
        const auto order = ranking_of(out[j], std::vector<double>(items));
        for (std::size_t r = k; r < items; ++r) out[j][static_cast<std::size_t>(order[r])] = 0;
        double total = 0;
        for (const double v : out[j]) total += v;
        if (normalized && total > 0)
            for (double& v : out[j]) v /= total;
    }
    return out;
}

}  // namespace

TEMPLATE_TEST_CASE("rp3beta: as brute force has it", "[rp3beta]", CARAMEL_TEST_SCALARS) {
    const double tolerance = std::is_same_v<TestType, float> ? 1e-5 : 1e-12;
    const auto x = interactions<TestType>::of(random_log(40, 25, 0.15, 11));
    auto values = dense_values(x);
    for (const bool normalized : {false, true})
        for (const double alpha : {1.0, 0.6})
            for (const double beta : {0.0, 0.7}) {
                const auto model = fit(rp3beta<TestType>{.k = 5, .alpha = alpha, .beta = beta, .weights = weighting::values, .normalized = normalized}, x);
                const auto expected = walked(values, alpha, beta, 5, normalized);
                for (std::size_t j = 0; j < 25; ++j) {
                    std::vector<double> got(25);
                    for (std::size_t v = 0; v < model.neighbors_of(j).size(); ++v)
                        got[static_cast<std::size_t>(model.neighbors_of(j)[v])] = static_cast<double>(model.similarities_of(j)[v]);
                    for (std::size_t i = 0; i < 25; ++i) CHECK(got[i] == Approx(expected[j][i]).margin(tolerance));
                }
            }
}

TEST_CASE("rp3beta: any number of threads; parameters are checked", "[rp3beta][threads][error]") {
    const auto x = interactions<float>::of(random_log(300, 200, 0.05, 5));
    const auto model = fit(rp3beta<float>{.k = 10}, x);
    for (const std::size_t threads : {2U, 3U, 8U}) CHECK(fit(rp3beta<float>{.k = 10}, x, {.threads = threads}).fields() == model.fields());
    const auto refused = [&](const rp3beta<float>& recipe) { return error_of([&] { (void)fit(recipe, x); }).code(); };
    CHECK(refused({.k = 0}) == errc::bad_parameter);
    CHECK(refused({.alpha = 0}) == errc::bad_parameter);
    CHECK(refused({.beta = -1}) == errc::bad_parameter);
    CHECK(refused({.beta = std::numeric_limits<double>::quiet_NaN()}) == errc::bad_parameter);
    CHECK(refused({.weights = static_cast<weighting>(9)}) == errc::bad_parameter);
    CHECK(error_of([&] { (void)fit(rp3beta<float>{}, interactions<float>()); }).code() == errc::empty_input);
    // Of zeros alone, no walk leads anywhere.
    CHECK(fit(rp3beta<float>{.weights = weighting::values}, interactions<float>::of(std::vector<sale>{{1, 1, 0}, {1, 2, 0}})).neighbors_of(0).empty());
}
