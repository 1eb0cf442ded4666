#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "recommend/planted.hpp"
#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/pipeline.hpp>
#include <caramel/recommend/logistic_mf.hpp>
#include <caramel/recommend/popularity.hpp>

using namespace caramel;

namespace {

double log1pexp(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); }

// The whole loss, pair by pair.
double loss_of(const std::vector<std::vector<double>>& table, const matrix<double>& p, const vec<double>& b, const matrix<double>& q, const vec<double>& c,
               double scale, double regularization) {
    double sum = .5 * regularization * (p.squaredNorm() + q.squaredNorm() + b.squaredNorm() + c.squaredNorm());
    for (row_index u = 0; u < p.rows(); ++u)
        for (row_index i = 0; i < q.rows(); ++i) {
            const double x = p.row(u).dot(q.row(i)) + b(u) + c(i), a = scale * table[static_cast<std::size_t>(u)][static_cast<std::size_t>(i)];
            sum += (1 + a) * log1pexp(x) - a * x;
        }
    return sum;
}

}  // namespace

TEST_CASE("logistic_mf: slopes are those of the loss", "[logistic_mf]") {
    const auto x = interactions<double>::of(random_log(7, 9, .3, 2));
    const auto table = dense_values(x);
    constexpr std::size_t k = 8;
    rng numbers(4);
    const auto all = [](std::size_t) { return true; };
    detail::logistic_side<double> customers{detail::normal_rows<double>(7, k, .6, numbers.split(1), all), vec<double>::Constant(7, .3)};
    const detail::logistic_side<double> items{detail::normal_rows<double>(9, k, .6, numbers.split(2), all), vec<double>::LinSpaced(9, -1, .5)};
    const logistic_mf_loss loss{.weights = weighting::values, .confidence_scale = .7, .regularization = .4, .negatives = 100};
    workspace scratch;
    const workspace::frame frame(scratch);
    detail::logistic_row<double> row(loss, items, scratch);
    double worst = 0, total = 0;
    std::size_t terms = 0;
    for (std::size_t u = 0; u < 7; ++u) {
        const auto mine = x[u];
        const std::span<double> p(customers.factors.data() + u * k, k);
        const auto slope = row.slope(p, customers.bias.data()[u], mine.items, mine.values, rng(1), &total, &terms);
        for (std::size_t j = 0; j <= k; ++j) {
            double& at = j < k ? p[j] : customers.bias.data()[u];
            const auto moved = [&](double by) {
                const double before = at;
                at += by;
                const double value = loss_of(table, customers.factors, customers.bias, items.factors, items.bias, .7, .4);
                at = before;
                return value;
            };
            worst = std::max(worst, std::abs(slope[j] + (moved(1e-5) - moved(-1e-5)) / 2e-5));
        }
    }
    CHECK(worst < 1e-6);
    CHECK(terms == 63);
    CHECK(total == Approx(loss_of(table, customers.factors, customers.bias, items.factors, items.bias, .7, 0)).epsilon(1e-12));
}

TEST_CASE("logistic_mf: alternating AdaGrad, by hand, where nothing is drawn", "[logistic_mf]") {
    const auto x = interactions<double>::of(random_log(6, 8, .3, 5));
    const auto table = dense_values(x);
    constexpr std::size_t k = 3;
    const auto model = fit(logistic_mf<double>{.n_factors = k,
                                               .epochs = 4,
                                               .learning_rate = .2,
                                               .regularization = .1,
                                               .negatives = 50,
                                               .weights = weighting::logarithmic,
                                               .confidence_scale = 2,
                                               .init_deviation = .5},
                           x, {.seed = 3});
    const rng numbers = rng(3).split("logistic_mf").split(0);
    std::vector<std::vector<double>> sides[2], squares[2];
    for (const int s : {0, 1}) {
        sides[s].resize(s == 0 ? 6 : 8);
        for (std::size_t row = 0; row < sides[s].size(); ++row) {
            rng mine = numbers.split(s == 0 ? "customers" : "items").split(row);
            for (std::size_t j = 0; j < k; ++j) sides[s][row].push_back(.5 * mine.normal());
            sides[s][row].push_back(0);
        }
        squares[s].assign(sides[s].size(), std::vector<double>(k + 1));
    }
    for (int epoch = 0; epoch < 4; ++epoch)
        for (const int s : {0, 1}) {
            const auto& others = sides[1 - s];
            for (std::size_t row = 0; row < sides[s].size(); ++row) {
                auto& mine = sides[s][row];
                std::vector<double> slope;
                for (const double value : mine) slope.push_back(-.1 * value);
                for (std::size_t o = 0; o < others.size(); ++o) {
                    double z = mine[k] + others[o][k];
                    for (std::size_t j = 0; j < k; ++j) z += mine[j] * others[o][j];
                    const double a = 2 * std::log1p(s == 0 ? table[row][o] : table[o][row]), pull = a - (1 + a) / (1 + std::exp(-z));
                    for (std::size_t j = 0; j < k; ++j) slope[j] += pull * others[o][j];
                    slope[k] += pull;
                }
                for (std::size_t j = 0; j <= k; ++j) mine[j] += .2 * slope[j] / std::sqrt((squares[s][row][j] += slope[j] * slope[j]) + 1e-6);
            }
        }
    double worst = 0;
    for (std::size_t u = 0; u < 6; ++u) {
        const auto row = static_cast<row_index>(u);
        for (std::size_t j = 0; j < k; ++j) worst = std::max(worst, std::abs(model.customer_factors()(row, static_cast<row_index>(j)) - sides[0][u][j]));
        worst = std::max(worst, std::abs(model.customer_bias()(row) - sides[0][u][k]));
    }
    for (std::size_t i = 0; i < 8; ++i) {
        const auto row = static_cast<row_index>(i);
        for (std::size_t j = 0; j < k; ++j) worst = std::max(worst, std::abs(model.item_factors()(row, static_cast<row_index>(j)) - sides[1][i][j]));
        worst = std::max(worst, std::abs(model.item_bias()(row) - sides[1][i][k]));
    }
    CHECK(worst < 1e-10);
}

TEST_CASE("logistic_mf: finds planted tastes, with the same bits for any number of threads", "[logistic_mf]") {
    const auto shop = plant<float>(200, 160, 24, 4, 1);
    const logistic_mf<float> recipe{.n_factors = 6, .epochs = 20, .negatives = 3, .validation_share = .05};
    std::vector<double> losses;
    fit_options options;
    options.on_progress = [&](const progress& p) {
        losses.push_back(p.loss);
        return verdict::go_on;
    };
    const auto model = fit(recipe, shop.train, options);
    CHECK(losses.front() > losses.back());
    const auto threaded = fit(recipe, shop.train, {.threads = 3});
    CHECK(model.item_factors() == threaded.item_factors());
    CHECK(model.customer_factors() == threaded.customer_factors());
    CHECK(model.item_bias() == threaded.item_bias());
    const double popular = auc_of(fit(popularity<float>{}, shop.train), shop), ours = auc_of(model, shop);
    INFO("popularity " << popular << ", logistic_mf " << ours);
    CHECK(ours > popular + .1);

    // A history that is a known customer's ranks nearly as the customer does.
    double overlap = 0;
    for (std::size_t row = 0; row < 50; ++row) {
        std::vector<past_purchase> history;
        for (const auto item : shop.train[row].items) history.push_back({row_number{static_cast<std::size_t>(item)}});
        const auto folded = model(query{.n = 20, .history = history}), known = model(query{.customer = row_number{row}, .n = 20});
        for (const auto& a : folded) overlap += std::ranges::find(known, a.item, &recommendation<float>::item) != known.end() ? .001 : 0;
    }
    CHECK(overlap > .6);
    for (const auto& r : model(query{.n = 160, .history = std::vector<past_purchase>{}})) CHECK(r.score == model.item_bias()(r.item));
}

TEST_CASE("logistic_mf: refuses what cannot be learnt from", "[logistic_mf]") {
    const auto x = interactions<float>::of(random_log(20, 12, .3, 1));
    const auto code = [&](const auto& recipe, const interactions<float>& from) { return error_of([&] { (void)fit(recipe, from); }).code(); };
    for (const auto& bad :
         {logistic_mf<float>{.n_factors = 0}, logistic_mf<float>{.epochs = 0}, logistic_mf<float>{.learning_rate = 0}, logistic_mf<float>{.regularization = -1},
          logistic_mf<float>{.negatives = 0}, logistic_mf<float>{.weights = static_cast<weighting>(9)}, logistic_mf<float>{.confidence_scale = 0},
          logistic_mf<float>{.init_deviation = 0}, logistic_mf<float>{.validation_share = 1}, logistic_mf<float>{.patience = 0}})
        CHECK(code(bad, x) == errc::bad_parameter);
    CHECK(code(logistic_mf<float>{}, interactions<float>()) == errc::empty_input);
    CHECK(code(logistic_mf<float>{}, interactions<float>::of(std::vector<sale>{{1, 1, -1}})) == errc::bad_data);
    CHECK(code(logistic_mf<float>{.validation_share = .001}, x) == errc::too_few_rows);
    CHECK(code(logistic_mf<float>{.learning_rate = 1e30}, x) == errc::diverged);
    const auto model = fit(logistic_mf<float>{.n_factors = 3, .epochs = 1}, x);
    CHECK(error_of([&] {
              logistic_mf_model<float>(model.purchases(), model.customer_factors(), vec<float>::Zero(2), model.item_factors(), model.item_bias(), model.loss());
          }).code() == errc::bad_data);
}
