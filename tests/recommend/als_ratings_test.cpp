#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <Eigen/QR>

#include "recommend/shop.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

#include <caramel/pipeline.hpp>
#include <caramel/recommend/als_ratings.hpp>

using namespace caramel;

namespace {

// Bias (last) and factors of one row by dense least squares.
template <class T>
vec<double> least_squares(const als_ratings_model<T>& model, std::size_t row) {
    const auto& loss = model.loss();
    const auto mine = model.purchases()[row];
    const row_index k = model.item_factors().cols(), n = loss.biases ? k + 1 : k, m = static_cast<row_index>(mine.size());
    matrix<double> a = matrix<double>::Zero(m + n, n);
    vec<double> b = vec<double>::Zero(m + n);
    for (row_index i = 0; i < m; ++i) {
        const auto item = mine.items[static_cast<std::size_t>(i)];
        b(i) = static_cast<double>(mine.values[static_cast<std::size_t>(i)]);
        a.row(i).head(k) = model.item_factors().row(item).template cast<double>();
        if (!loss.biases) continue;
        a(i, k) = 1;
        b(i) -= static_cast<double>(model.mean()) + static_cast<double>(model.item_bias()(item));
    }
    a.bottomRows(n).diagonal().setConstant(std::sqrt(loss.regularizer(mine.size())));
    return a.colPivHouseholderQr().solve(b);
}

}  // namespace

TEMPLATE_TEST_CASE("als_ratings: every customer is the dense least-squares solution", "[als_ratings]", CARAMEL_TEST_SCALARS) {
    const auto x = interactions<TestType>::of(random_log(40, 30, 0.4, 3));
    const double tolerance = std::is_same_v<TestType, float> ? 1e-5 : 1e-10;
    for (const std::size_t k : {0U, 1U, 6U, 21U})
        for (const bool biases : {true, false}) {
            if (k == 0 && !biases) continue;
            const auto model = fit(als_ratings<TestType>{.n_factors = k, .weighted_regularization = k != 6, .biases = biases, .epochs = 2}, x);
            for (std::size_t row = 0; row < x.rows(); ++row) {
                const vec<double> expected = least_squares(model, row);
                for (std::size_t j = 0; j < k; ++j)
                    CHECK(static_cast<double>(model.customer_factors()(static_cast<row_index>(row), static_cast<row_index>(j))) ==
                          Approx(expected(static_cast<row_index>(j))).epsilon(tolerance).margin(tolerance));
                if (biases)
                    CHECK(static_cast<double>(model.customer_bias()(static_cast<row_index>(row))) ==
                          Approx(expected(static_cast<row_index>(k))).epsilon(tolerance).margin(tolerance));
            }
        }
}

TEST_CASE("als_ratings: non-negative factors are the minimum there is (Karush, Kuhn, Tucker)", "[als_ratings]") {
    const auto x = interactions<double>::of(random_log(50, 30, 0.4, 3));
    std::size_t at_zero = 0, above = 0;
    for (const bool biases : {true, false}) {
        const auto model = fit(als_ratings<double>{.n_factors = 6, .regularization = .02, .biases = biases, .non_negative = true, .epochs = 4}, x);
        CHECK(model.item_factors().minCoeff() >= 0);
        CHECK(model.customer_factors().minCoeff() >= 0);
        for (std::size_t row = 0; row < x.rows(); ++row) {
            const auto p = model.customer_factors().row(static_cast<row_index>(row));
            const double bias = model.customer_bias()(static_cast<row_index>(row)), r = model.loss().regularizer(x[row].size());
            vec<double> gradient = r * p.transpose();
            double of_bias = r * bias;
            for (std::size_t k = 0; k < x[row].size(); ++k) {
                const auto q = model.item_factors().row(x[row].items[k]);
                double e = x[row].values[k] - p.dot(q);
                if (biases) e -= model.mean() + bias + model.item_bias()(x[row].items[k]);
                gradient -= e * q.transpose();
                of_bias -= e;
            }
            if (biases) CHECK(of_bias == Approx(0).margin(1e-8));
            for (row_index j = 0; j < 6; ++j) {
                (p(j) > 0 ? above : at_zero) += 1;
                if (p(j) > 0) CHECK(gradient(j) == Approx(0).margin(1e-8));
                else CHECK(gradient(j) >= -1e-8);
            }
        }
    }
    CHECK(at_zero > 20);
    CHECK(above > 20);
}

TEST_CASE("als_ratings: the loss falls in every epoch; threads do not matter; histories are folded in bit for bit", "[als_ratings]") {
    const auto x = interactions<float>::of(random_log(150, 60, 0.2, 8));
    for (const bool non_negative : {false, true}) {
        const als_ratings<float> recipe{.n_factors = 5, .non_negative = non_negative, .epochs = 6};
        std::vector<double> losses;
        const auto record = [&](const progress& p) { return losses.push_back(p.loss), verdict::go_on; };
        const auto model = fit(recipe, x, {.seed = 3, .threads = 2, .on_progress = record});
        CHECK(losses.size() == 6);
        for (std::size_t i = 1; i < losses.size(); ++i) CHECK(losses[i] <= losses[i - 1] * (1 + 1e-6));
        CHECK(fit(recipe, x, {.seed = 3}).fields() == model.fields());
        for (std::size_t row = 0; row < x.rows(); row += 7) {
            std::vector<past_purchase> history;
            for (std::size_t k = 0; k < x[row].size(); ++k)
                history.push_back({row_number{static_cast<std::size_t>(x[row].items[k])}, static_cast<double>(x[row].values[k])});
            CHECK(model(query{.n = 60, .history = history}) == model(query{.customer = row_number{row}, .n = 60}));
        }
    }
}

TEST_CASE("als_ratings: predictions of known and unknown, within bounds", "[als_ratings]") {
    const auto x = interactions<double>::of(random_log(20, 15, 0.3, 6));
    const auto model = fit(als_ratings<double>{.n_factors = 3, .epochs = 3, .min_rating = 1, .max_rating = 3}, x);
    const auto in = [](double value) { return std::clamp(value, 1.0, 3.0); };
    const double own = model.mean() + model.customer_bias()(2) + model.item_bias()(4) + model.customer_factors().row(2).dot(model.item_factors().row(4));
    CHECK(model.predict(2, 4) == Approx(in(own)));
    CHECK(model.predict(99, 4) == Approx(in(model.mean() + model.item_bias()(4))));
    CHECK(model.predict(2, 99) == Approx(in(model.mean() + model.customer_bias()(2))));
    CHECK(model.predict(99, 99) == Approx(model.mean()));
    CHECK(model.score(2, {4})[0] == Approx(own));
    const std::vector<int> customers{2, 99, 2}, items{4, 4, 99};
    const auto batch = model.predict(customers, items);
    for (std::size_t i = 0; i < 3; ++i) CHECK(batch[i] == model.predict(customers[i], items[i]));
    CHECK(error_of([&] { (void)model.predict(customers, std::vector<int>{1}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)model.predict("me", 4); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)model.predict(std::vector<std::string>{"me"}, std::vector<int>{1}); }).code() == errc::unknown_id);
    // By factors alone, the mean stands for what is not known.
    const auto plain = fit(als_ratings<double>{.n_factors = 3, .biases = false, .epochs = 3}, x);
    CHECK(plain.predict(2, 4) == Approx(plain.customer_factors().row(2).dot(plain.item_factors().row(4))));
    CHECK(plain.predict(99, 4) == plain.mean());
    CHECK(plain.predict(2, 99) == plain.mean());
}

TEST_CASE("als_ratings: parameters and fields are checked; one rating, constant ratings", "[als_ratings][error]") {
    const auto x = interactions<double>::of(std::vector<sale>{{1, 1, 4}, {1, 2, 4}, {2, 1, 4}});
    const auto refused = [&](const als_ratings<double>& recipe, const std::string& parameter) {
        const auto e = error_of([&] { (void)fit(recipe, x); });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()).find(parameter) != std::string::npos);
    };
    refused({.n_factors = 5000}, "n_factors");
    refused({.n_factors = 0, .biases = false}, "nothing to learn");
    refused({.regularization = 0}, "regularization");
    refused({.regularization = std::numeric_limits<double>::quiet_NaN()}, "regularization");
    refused({.epochs = 0}, "epochs");
    refused({.init_deviation = -1}, "init_deviation");
    refused({.min_rating = 2, .max_rating = 2}, "min_rating");
    CHECK(error_of([&] { (void)fit(als_ratings<double>{}, interactions<double>{}); }).code() == errc::empty_input);
    CHECK(fit(als_ratings<double>{}, x).predict(2, 2) == Approx(4));
    CHECK(fit(als_ratings<float>{.n_factors = 2}, interactions<float>::of(std::vector<sale>{{1, 1, -3}})).predict(1, 1) == Approx(-3).margin(.1));
    const auto built = [&](double regularization, row_index items) {
        return error_of([&] {
                   (void)als_ratings_model<double>(x, 0, vec<double>::Zero(2), vec<double>::Zero(items), matrix<double>::Zero(2, 1),
                                                   matrix<double>::Zero(items, 1), {.regularization = regularization}, 1, 5);
               }).code();
    };
    CHECK(built(1, 3) == errc::bad_data);
    CHECK(built(0, 2) == errc::bad_data);
}

TEST_CASE("als_ratings: MovieLens 100K, u1", "[als_ratings][slow]") {
    SHARED_OR_SKIP(learn, "data/ml100k/u1.base");
    SHARED_OR_SKIP(test, "data/ml100k/u1.test");
    const auto read = [](const auto& file) {
        std::ifstream in(file);
        std::vector<sale> out;
        for (sale s{}; in >> s.customer >> s.item >> s.value;) {
            out.push_back(s);
            in.ignore(100, '\n');
        }
        return out;
    };
    const auto model = fit(als_ratings<float>{.min_rating = 1, .max_rating = 5}, interactions<float>::of(read(learn)), {.threads = 2});
    double squares = 0;
    const auto wanted = read(test);
    REQUIRE(wanted.size() == 20'000);
    for (const auto& s : wanted) squares += std::pow(static_cast<double>(model.predict(s.customer, s.item)) - s.value, 2);
    CHECK(std::sqrt(squares / 20'000) < .945);  // customers' averages have 1.063, biases .960
}
