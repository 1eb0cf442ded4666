#include <cmath>
#include <limits>
#include <vector>

#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/pipeline.hpp>
#include <caramel/recommend/ease.hpp>
#include <caramel/recommend/slim.hpp>

using namespace caramel;

namespace {

using grid = std::vector<std::vector<double>>;

// votes[j][i]: what item j says for item i.
template <class Model>
grid votes_of(const Model& model) {
    const std::size_t n = model.items().size();
    grid out(n, std::vector<double>(n));
    for (std::size_t j = 0; j < n; ++j)
        for (std::size_t v = 0; v < model.neighbors_of(j).size(); ++v)
            out[j][static_cast<std::size_t>(model.neighbors_of(j)[v])] = static_cast<double>(model.similarities_of(j)[v]);
    return out;
}
// The slope X'(Xw - x_i) of an item, from the residuals of all customers.
std::vector<double> slopes(const grid& x, const grid& votes, std::size_t item) {
    std::vector<double> out(x.front().size());
    for (const auto& row : x) {
        double residual = -row[item];
        for (std::size_t j = 0; j < row.size(); ++j) residual += row[j] * votes[j][item];
        for (std::size_t j = 0; j < row.size(); ++j) out[j] += residual * row[j];
    }
    return out;
}

}  // namespace

TEMPLATE_TEST_CASE("slim: nothing can be gained by moving one weight", "[slim]", CARAMEL_TEST_SCALARS) {
    const double near = std::is_same_v<TestType, float> ? 1e-3 : 1e-6;
    const auto x = interactions<TestType>::of(random_log(60, 25, 0.2, 7));
    const auto values = dense_values(x);
    for (const bool non_negative : {true, false}) {
        const double l1 = 2, l2 = 3;
        const auto model =
            fit(slim<TestType>{.l1 = l1, .l2 = l2, .non_negative = non_negative, .weights = weighting::values, .tolerance = 1e-10, .max_sweeps = 5000}, x);
        const auto votes = votes_of(model);
        std::size_t kept = 0, negative = 0;
        for (std::size_t i = 0; i < 25; ++i) {
            const auto slope = slopes(values, votes, i);
            CHECK(votes[i][i] == 0);
            for (std::size_t j = 0; j < 25; ++j) {
                const double w = votes[j][i];
                if (j == i) continue;
                kept += w != 0 ? 1 : 0;
                negative += w < 0 ? 1 : 0;
                if (w != 0) CHECK(slope[j] + l2 * w + (w > 0 ? l1 : -l1) == Approx(0).margin(near));
                else if (non_negative) CHECK(slope[j] >= -l1 - near);
                else CHECK(std::abs(slope[j]) <= l1 + near);
            }
        }
        CHECK(kept > 20);
        CHECK(kept < 25 * 24);
        CHECK((negative > 0) != non_negative);
    }
}

TEST_CASE("slim: without l1 it is ease", "[slim]") {
    const auto x = interactions<double>::of(random_log(50, 20, 0.2, 3));
    std::vector<double> weights;
    for (std::size_t row = 0; row < x.rows(); ++row) weights.push_back(static_cast<double>(1 + row % 3));
    const auto closed = fit(ease<double>{.regularization = 4, .weights = weighting::logarithmic}, x, {.weights = weights});
    const auto descended =
        fit(slim<double>{.l1 = 0, .l2 = 4, .non_negative = false, .weights = weighting::logarithmic, .tolerance = 1e-12, .max_sweeps = 10'000}, x,
            {.weights = weights});
    const auto votes = votes_of(descended);
    for (row_index j = 0; j < 20; ++j)
        for (row_index i = 0; i < 20; ++i)
            CHECK(votes[static_cast<std::size_t>(j)][static_cast<std::size_t>(i)] == Approx(closed.item_weights()(j, i)).margin(1e-9));
}

TEST_CASE("slim: scores, reasons, any number of threads", "[slim][threads]") {
    const auto x = interactions<float>::of(random_log(100, 60, 0.1, 5));
    const auto model = fit(slim<float>{.l1 = 0.5, .non_negative = false}, x);
    for (const std::size_t threads : {2U, 3U, 8U})
        CHECK(fit(slim<float>{.l1 = 0.5, .non_negative = false}, x, {.threads = threads}).fields() == model.fields());
    const auto votes = votes_of(model);
    for (std::size_t row = 0; row < 100; row += 9)
        for (int item = 0; item < 60; ++item) {
            double expected = 0, sum = 0;
            for (const auto bought : x[row].items) expected += votes[static_cast<std::size_t>(bought)][static_cast<std::size_t>(item)];
            for (const auto& reason : model.explain(query{.customer = row_number{row}}, item)) sum += static_cast<double>(reason.score);
            CHECK(static_cast<double>(model.score(row_number{row}, {item})[0]) == Approx(expected).margin(1e-5));
            CHECK(sum == Approx(expected).margin(1e-5));
        }
}

TEST_CASE("slim: parameters and sizes are checked", "[slim][error]") {
    const auto x = interactions<double>::of(std::vector<sale>{{1, 1}, {1, 2}});
    const auto refused = [&](const slim<double>& recipe) { return error_of([&] { (void)fit(recipe, x); }).code(); };
    for (const double bad : {-1.0, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK(refused({.l1 = bad}) == errc::bad_parameter);
        CHECK(refused({.l2 = bad}) == errc::bad_parameter);
        CHECK(refused({.tolerance = bad}) == errc::bad_parameter);
    }
    CHECK(refused({.l2 = 0}) == errc::bad_parameter);
    CHECK(refused({.max_sweeps = 0}) == errc::bad_parameter);
    CHECK(refused({.weights = static_cast<weighting>(9)}) == errc::bad_parameter);
    CHECK(refused({.max_items = 1}) == errc::limit_exceeded);
    CHECK(error_of([&] { (void)fit(slim<double>{}, interactions<double>()); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)slim_model<double>(x, {0, 1}, {1}, {1}, weighting::ones); }).code() == errc::bad_data);
}
