#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <Eigen/LU>

#include "recommend/ml_latest.hpp"
#include "recommend/shop.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

#include <caramel/pipeline.hpp>
#include <caramel/recommend/ease.hpp>

using namespace caramel;

namespace {

// The closed form with a general inverse.
Eigen::MatrixXd twin(const std::vector<std::vector<double>>& x, double regularization, weighting rule, const std::vector<double>& of_rows = {}) {
    const auto n = static_cast<row_index>(x.front().size());
    Eigen::MatrixXd g = Eigen::MatrixXd::Identity(n, n) * regularization;
    for (std::size_t row = 0; row < x.size(); ++row) {
        Eigen::VectorXd v(n);
        for (row_index i = 0; i < n; ++i) {
            const double value = x[row][static_cast<std::size_t>(i)];
            v[i] = value == 0 ? 0 : rule == weighting::ones ? 1 : rule == weighting::values ? value : std::log(1 + value);
        }
        g += (of_rows.empty() ? 1 : of_rows[row]) * v * v.transpose();
    }
    const Eigen::MatrixXd p = g.inverse();
    Eigen::MatrixXd b(n, n);
    for (row_index j = 0; j < n; ++j)
        for (row_index i = 0; i < n; ++i) b(j, i) = i == j ? 0 : -p(j, i) / p(i, i);
    return b;
}

}  // namespace

TEST_CASE("ease: by hand", "[ease]") {
    // X'X = (2 1; 1 2), with regularization 1 the inverse of (3 1; 1 3) is (3 -1; -1 3) / 8.
    const auto two = fit(ease<double>{.regularization = 1}, interactions<double>::of(std::vector<sale>{{0, 0}, {1, 0}, {1, 1}, {2, 1}}));
    CHECK(two.item_weights()(0, 1) == Approx(1.0 / 3).epsilon(1e-10));
    CHECK(two.item_weights()(1, 0) == Approx(1.0 / 3).epsilon(1e-10));
    CHECK(two.item_weights()(0, 0) == 0);
    CHECK(two.score(0, {1})[0] == Approx(1.0 / 3).epsilon(1e-10));

    // X'X + 1 = (3 1 1; 1 3 0; 1 0 2): its inverse is (6 -2 -3; -2 5 1; -3 1 8) / 13.
    const auto three = fit(ease<double>{.regularization = 1}, interactions<double>::of(std::vector<sale>{{0, 0}, {0, 1}, {1, 0}, {1, 2}, {2, 1}}));
    const double expected[3][3] = {{0, 2.0 / 5, 3.0 / 8}, {2.0 / 6, 0, -1.0 / 8}, {3.0 / 6, -1.0 / 5, 0}};
    for (int j = 0; j < 3; ++j)
        for (int i = 0; i < 3; ++i) CHECK(three.item_weights()(j, i) == Approx(expected[j][i]).margin(1e-10));
    CHECK(three.score(0, {2})[0] == Approx(3.0 / 8 - 1.0 / 8).epsilon(1e-10));
    const auto similar = three.similar_items(0);
    REQUIRE(similar.size() == 2);
    CHECK(similar[0].item == 1);
    CHECK(three.similar_items(2).size() == 1);  // item 1 is spoken against
}

TEMPLATE_TEST_CASE("ease: as the closed form with a general inverse, at all sizes", "[ease]", CARAMEL_TEST_SCALARS) {
    const double tolerance = std::is_same_v<TestType, float> ? 2e-5 : 1e-10;
    for (const int items : {1, 7, 33, 130, 300}) {
        const auto x = interactions<TestType>::of(random_log(50, items, 0.15, 3));
        const auto rule = items == 7 ? weighting::values : items == 33 ? weighting::logarithmic : weighting::ones;
        const auto model = fit(ease<TestType>{.regularization = 5, .weights = rule}, x);
        CHECK((model.item_weights().template cast<double>() - twin(dense_values(x), 5, rule)).cwiseAbs().maxCoeff() < tolerance);
    }
}

TEST_CASE("ease: customers with weights; float falls back on double", "[ease]") {
    const auto x = interactions<double>::of(random_log(40, 20, 0.2, 9));
    std::vector<double> weights;
    for (std::size_t row = 0; row < x.rows(); ++row) weights.push_back(static_cast<double>(row % 3));
    const auto model = fit(ease<double>{.regularization = 2}, x, {.weights = weights});
    CHECK((model.item_weights() - twin(dense_values(x), 2, weighting::ones, weights)).cwiseAbs().maxCoeff() < 1e-10);

    const auto narrow = interactions<float>::of(random_log(40, 20, 0.2, 9));
    const double tiny = 1e-6;
    const auto expected = twin(dense_values(narrow), tiny, weighting::ones);
    CHECK((fit(ease<float>{.regularization = tiny}, narrow).item_weights().cast<double>() - expected).cwiseAbs().maxCoeff() <
          1e-6 * expected.cwiseAbs().maxCoeff());
}

TEST_CASE("ease: the reasons add up to the score; a history has the scores of the customer", "[ease]") {
    const auto x = interactions<double>::of(random_log(30, 15, 0.3, 4));
    const auto model = fit(ease<double>{.regularization = 3, .weights = weighting::logarithmic}, x);
    for (std::size_t row = 0; row < x.rows(); ++row) {
        std::vector<past_purchase> history;
        for (std::size_t k = 0; k < x[row].size(); ++k)
            history.push_back({x.items()[static_cast<std::size_t>(x[row].items[k])], static_cast<double>(x[row].values[k])});
        CHECK(model(query{.n = 15, .history = history}) == model(query{.customer = row_number{row}, .n = 15}));
        for (int item = 0; item < 15; ++item) {
            double sum = 0;
            for (const auto& [reason, share] : model.explain(query{.customer = row_number{row}}, item)) {
                CHECK(x.contains(row, reason));
                sum += share;
            }
            CHECK(sum == Approx(model.score(row_number{row}, {item})[0]).margin(1e-12));
        }
    }
    CHECK(error_of([&] { (void)model.explain(query{.customer = 1}, 15); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)model.similar_items(15); }).code() == errc::unknown_id);
}

TEST_CASE("ease: any number of threads, the same bits", "[ease][threads]") {
    const auto x = interactions<float>::of(random_log(200, 400, 0.05, 5));
    const auto model = fit(ease<float>{}, x);
    for (const std::size_t threads : {2U, 3U, 8U}) CHECK(fit(ease<float>{}, x, {.threads = threads}).fields() == model.fields());
}

TEST_CASE("ease: parameters, sizes and fields are checked", "[ease][error]") {
    const auto x = interactions<double>::of(std::vector<sale>{{1, 1}, {1, 2}, {2, 2}});
    const auto refused = [&](const ease<double>& recipe, const interactions<double>& data) { return error_of([&] { (void)fit(recipe, data); }).code(); };
    for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
        CHECK(refused({.regularization = bad}, x) == errc::bad_parameter);
    CHECK(refused({.weights = static_cast<weighting>(9)}, x) == errc::bad_parameter);
    CHECK(refused({}, interactions<double>()) == errc::empty_input);
    CHECK(refused({}, interactions<double>::of(std::vector<sale>{{1, 1, -1}})) == errc::bad_data);
    CHECK(refused({.weights = weighting::values}, interactions<double>::of(std::vector<sale>{{1, 1, 1e200}, {1, 2, 1e200}})) == errc::number_out_of_range);
    CHECK(refused({.regularization = 1e-300}, interactions<double>::of(std::vector<sale>{{1, 1}, {1, 2}})) == errc::bad_parameter);
    CHECK(refused({.max_items = 1}, x) == errc::limit_exceeded);
    CHECK(std::string(error_of([&] { (void)fit(ease<double>{.max_items = 1}, x); }).what()).find("2 items") != std::string::npos);

    CHECK(error_of([&] { (void)ease_model<double>(x, matrix<double>::Zero(2, 3), weighting::ones); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)ease_model<double>(x, matrix<double>::Constant(2, 2, std::nan("")), weighting::ones); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)ease_model<double>(x, matrix<double>::Zero(2, 2), static_cast<weighting>(7)); }).code() == errc::bad_data);
}

TEST_CASE("ease: figures on MovieLens ml-latest-small", "[ease][slow]") {
    SHARED_OR_SKIP(ratings, "data/ml_latest_small/ratings.csv");
    const auto data = ml_latest_small<float>(ratings);
    const auto model = fit(ease<float>{.regularization = 300}, data.train);
    check_ranking(model, data.test, {.074516, .039981, .117735, .050935, .039883});
    const auto& b = model.item_weights();
    CHECK(b.cast<double>().norm() == Approx(6.810097965).epsilon(1e-5));
    const double first[] = {.014706582, .01232818, .000966651, .001828984};
    for (row_index j = 0; j < 4; ++j) CHECK(static_cast<double>(b(0, j + 1)) == Approx(first[j]).epsilon(1e-4));
}
