#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/evaluate/calibration.hpp>
#include <caramel/evaluate/curves.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/linear/logistic.hpp>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace {

const std::vector<int> tiny_labels{0, 0, 1, 0, 1, 1, 0, 1, 1, 1};
template <class T>
matrix<T> tiny_scores() {
    matrix<T> x(10, 1);
    x << T(.05), T(.15), T(.2), T(.3), T(.45), T(.5), T(.6), T(.7), T(.8), T(.95);
    return x;
}
// Probabilities of two classes that are too sure: the truth is sigmoid(z), they say sigmoid(3 z + 1).
struct sure {
    matrix<double> p;
    std::vector<int> y;
    std::vector<double> truth;
};
sure too_sure(std::size_t rows, std::uint64_t seed) {
    rng random(seed);
    sure out{matrix<double>(static_cast<row_index>(rows), 2), std::vector<int>(rows), std::vector<double>(rows)};
    for (std::size_t i = 0; i < rows; ++i) {
        const double z = 1.5 * random.normal();
        out.truth[i] = detail::sigmoid_of(z);
        out.y[i] = random.uniform() < out.truth[i] ? 1 : 0;
        const double says = detail::sigmoid_of(3 * z + 1);
        out.p.row(static_cast<row_index>(i)) << 1 - says, says;
    }
    return out;
}
// Probabilities of three classes: softmax of `sharpness` times what is true.
sure three_classes(std::size_t rows, double sharpness, std::uint64_t seed) {
    rng random(seed);
    sure out{matrix<double>(static_cast<row_index>(rows), 3), std::vector<int>(rows), {}};
    for (row_index i = 0; i < out.p.rows(); ++i) {
        std::vector<double> z(3);
        for (double& v : z) v = 1.5 * random.normal();
        std::vector<double> truth = z;
        detail::softmax_row(std::span(truth));
        const double u = random.uniform();
        out.y[static_cast<std::size_t>(i)] = u < truth[0] ? 0 : u < truth[0] + truth[1] ? 1 : 2;
        for (double& v : z) v *= sharpness;
        detail::softmax_row(std::span(z));
        for (row_index k = 0; k < 3; ++k) out.p(i, k) = z[static_cast<std::size_t>(k)];
    }
    return out;
}

}  // namespace

TEMPLATE_TEST_CASE("platt_scaling: another library's figures", "[calibration][oracle]", CARAMEL_TEST_SCALARS) {
    const auto model = fit(platt_scaling<TestType>{}, tiny_scores<TestType>(), tiny_labels);
    CHECK(model.slopes()[0] == Approx(3.282768194763763).margin(1e-4));
    CHECK(model.intercepts()[0] == Approx(-1.091222236837858).margin(1e-4));
    const auto p = model(tiny_scores<TestType>());
    CHECK(p.cols() == 2);
    CHECK(static_cast<double>(p(3, 1)) == Approx(1 / (1 + std::exp(-3.282768194763763 * .3 + 1.091222236837858))).margin(1e-5));
    CHECK((p.rowwise().sum().array() - 1).abs().maxCoeff() < TestType(1e-6));
}
TEST_CASE("platt_scaling: the slope of its loss is zero, whatever the size of the scores, weights and all", "[calibration]") {
    const auto made = too_sure(300, 1);
    rng random(3);
    std::vector<double> weights(300);
    for (double& w : weights) w = random.uniform() < 0.1 ? 0 : 3 * random.uniform();
    for (const double scale : {1e-6, 1.0, 1e6}) {
        matrix<double> s(300, 1);
        for (row_index i = 0; i < 300; ++i) s(i, 0) = scale * (5 + detail::log_odds(made.p(i, 1)));
        const auto model = fit(platt_scaling<double>{}, s, made.y, {.weights = weights});
        double ones = 0, zeros = 0, g1 = 0, g0 = 0;
        for (std::size_t i = 0; i < 300; ++i) (made.y[i] == 1 ? ones : zeros) += weights[i];
        for (std::size_t i = 0; i < 300; ++i) {
            const double target = made.y[i] == 1 ? (ones + 1) / (ones + 2) : 1 / (zeros + 2);
            const double gap = weights[i] * (model.probability(0, s(static_cast<row_index>(i), 0)) - target);
            g0 += gap;
            g1 += gap * s(static_cast<row_index>(i), 0) / scale;
        }
        CHECK(std::abs(g0) < 1e-7);
        CHECK(std::abs(g1) < 1e-6);
    }
}
TEST_CASE("platt_scaling: finds the sigmoid that made the data; leaves right probabilities as they are", "[calibration]") {
    const auto made = too_sure(20'000, 2);
    const auto model = fit(platt_scaling<double>{}, made.p, made.y);
    CHECK(model.slopes()[0] == Approx(1. / 3).epsilon(0.05));
    CHECK(model.intercepts()[0] == Approx(-1. / 3).epsilon(0.1));
    CHECK(log_loss(model(made.p), made.y) < log_loss(made.p, made.y) - 0.05);
    matrix<double> right(20'000, 2);
    for (row_index i = 0; i < right.rows(); ++i) right.row(i) << 1 - made.truth[static_cast<std::size_t>(i)], made.truth[static_cast<std::size_t>(i)];
    const auto same = fit(platt_scaling<double>{}, right, made.y);
    CHECK(same.slopes()[0] == Approx(1).margin(0.04));
    CHECK(same.intercepts()[0] == Approx(0).margin(0.04));
}
TEMPLATE_TEST_CASE("isotonic: another library's figures", "[calibration][oracle]", CARAMEL_TEST_SCALARS) {
    const auto p = fit(isotonic<TestType>{}, tiny_scores<TestType>(), tiny_labels)(tiny_scores<TestType>());
    const std::vector<double> expected{0, 0, .5, .5, 2. / 3, 2. / 3, 2. / 3, 1, 1, 1};
    for (std::size_t i = 0; i < 10; ++i) CHECK(static_cast<double>(p(static_cast<row_index>(i), 1)) == Approx(expected[i]).margin(1e-7));
    // Between blocks linear, beyond them constant.
    const auto model = fit(isotonic<TestType>{}, tiny_scores<TestType>(), tiny_labels);
    CHECK(model.probability(0, .375) == Approx((.5 + 2. / 3) / 2).margin(1e-6));
    CHECK(model.probability(0, -9) == 0);
    CHECK(model.probability(0, 9) == 1);
}
TEST_CASE("isotonic: the min-max formula, ties and weights", "[calibration]") {
    rng random(4);
    for (int round = 0; round < 200; ++round) {
        const std::size_t n = 2 + random.below(25);
        matrix<double> x(static_cast<row_index>(n), 1);
        std::vector<int> y(n);
        std::vector<double> weights(n);
        for (std::size_t i = 0; i < n; ++i) {
            x(static_cast<row_index>(i), 0) = static_cast<double>(random.below(12));
            y[i] = i < 2 ? static_cast<int>(i) : static_cast<int>(random.below(2));
            weights[i] = 0.25 + static_cast<double>(random.below(8));
        }
        const auto model = fit(isotonic<double>{}, x, y, {.weights = weights});
        const auto at = [&](std::size_t i) { return x(static_cast<row_index>(i), 0); };
        for (std::size_t i = 0; i < n; ++i) {
            // max over a <= score, min over b >= score, of the mean between a and b.
            double best = 0;
            for (std::size_t a = 0; a < n; ++a) {
                if (at(a) > at(i)) continue;
                double least = 2;
                for (std::size_t b = 0; b < n; ++b) {
                    if (at(b) < at(i)) continue;
                    double sum = 0, all = 0;
                    for (std::size_t j = 0; j < n; ++j)
                        if (at(j) >= at(a) && at(j) <= at(b)) sum += weights[j] * y[j], all += weights[j];
                    least = std::min(least, sum / all);
                }
                best = std::max(best, least);
            }
            CHECK(model.probability(0, at(i)) == Approx(best).margin(1e-12));
        }
    }
}
TEST_CASE("temperature_scaling: the best temperature, by looking everywhere", "[calibration]") {
    const auto made = three_classes(4000, 2.5, 5);
    const auto model = fit(temperature_scaling<double>{}, made.p, made.y);
    CHECK(model.temperature() == Approx(2.5).epsilon(0.06));
    const double best = log_loss(model(made.p), made.y);
    for (const double factor : {0.9, 0.99, 1.01, 1.1})
        CHECK(log_loss(temperature_scaling_model<double>(factor * model.temperature(), 3)(made.p), made.y) > best);
    // Weights of two are rows twice; which class is likeliest does not change.
    const std::vector<double> twice(4000, 2);
    CHECK(fit(temperature_scaling<double>{}, made.p, made.y, {.weights = twice}).temperature() == Approx(model.temperature()).epsilon(1e-12));
    CHECK(by_accuracy{}(model(made.p), made.y) == by_accuracy{}(made.p, made.y));
    // Told apart perfectly: so cold that the loss is 0.
    matrix<double> perfect(2, 2);
    perfect << .9, .1, .2, .8;
    CHECK(fit(temperature_scaling<double>{}, perfect, std::vector{0, 1}).temperature() < 0.05);
}
TEST_CASE("calibration: three classes, one against the others", "[calibration]") {
    const auto made = three_classes(4000, 2.5, 6);
    const double before = log_loss(made.p, made.y);
    const auto check = [&](const auto& recipe) {
        const auto model = fit(recipe, made.p, made.y);
        const auto p = model(made.p);
        CHECK((p.rowwise().sum().array() - 1).abs().maxCoeff() < 1e-12);
        CHECK(log_loss(p, made.y) < before - 0.05);
        CHECK(model.output_names({}).size() == 3);
    };
    check(platt_scaling<double>{});
    check(isotonic<double>{});
    // Where isotonic says 0 to every class, all are equally likely.
    const isotonic_model<double> never({{0, 0, 0}, {0, 1, 2, 3}}, {{0, 0, 0}, {0, 1, 2, 3}}, 3);
    CHECK(never(matrix<double>::Constant(1, 3, 1. / 3))(0, 2) == Approx(1. / 3));
}
TEST_CASE("calibrated: cross-fitted within the training rows", "[calibration]") {
    rng random(7);
    matrix<double> x(400, 30);
    std::vector<int> y(400);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = random.normal();
    for (std::size_t i = 0; i < 400; ++i) y[i] = x(static_cast<row_index>(i), 0) + random.normal() > 0 ? 1 : 0;
    std::vector<double> weights(400);
    for (double& w : weights) w = 0.5 + random.uniform();
    const auto base = standardize<double>{} | logistic<double>{.regularization = 1e-6};  // overfits
    const auto recipe = calibrated(base, platt_scaling<double>{}, fold_plan{.k = 4});
    const auto model = fit(recipe, x, y, {.seed = 3, .weights = weights});
    // By hand.
    const auto folds = stratified_k_fold(y, 4, 3);
    const auto unseen = cross_validate(base, x, y, folds, by_log_loss{}, {.seed = 3, .weights = weights});
    const auto sigmoid = fit(platt_scaling<double>{}, unseen.predictions, y, {.weights = weights});
    const auto plain = fit(base, x, y, {.seed = 3, .weights = weights});
    CHECK(model(x) == sigmoid(plain(x)));
    CHECK(model.get<2>().slopes() == sigmoid.slopes());
    CHECK(sigmoid.slopes()[0] < 0.95);  // it does overfit
    for (const std::size_t threads : {2U, 5U}) CHECK(fit(recipe, x, y, {.seed = 3, .threads = threads, .weights = weights})(x) == model(x));
    // Saved and loaded as any chain; judged on rows that none of it has seen.
    std::ostringstream out;
    save(model, out);
    const std::string bytes = out.str();
    CHECK(load<std::remove_const_t<decltype(model)>>(std::as_bytes(std::span(bytes)))(x) == model(x));
    const auto outer = stratified_k_fold(y, 4, 9);
    const auto raw = cross_validate(base, x, y, outer, by_log_loss{}), better = cross_validate(recipe, x, y, outer, by_log_loss{});
    CHECK(better.mean() < raw.mean());
    CHECK(fit(calibrated(base, isotonic<double>{}), x, y)(x).cols() == 2);
    CHECK(fit(calibrated(base, temperature_scaling<double>{}), x, y)(x).cols() == 2);
    // With folds in time, the calibration learns from those rows that were tested.
    CHECK(fit(calibrated(base, platt_scaling<double>{}, fold_plan{.kind = fold_kind::expanding}), x, y)(x).allFinite());
}
TEST_CASE("calibrated: a Telco's risks mean what they say", "[calibration][oracle][slow]") {
    SHARED_OR_SKIP(telco, "data/telco_churn_ibm/wa_churn.csv");
    const table all = read_csv(telco.string());
    const auto y = labels_of(all, "churn", "Yes");
    const table x = all.drop({"churn"});
    const auto base = impute{.number = fill_number::constant} | encode<double>{} | standardize<double>{} | logistic<double>{};
    std::vector<std::size_t> ids(y.size());
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    const auto folds = modulo_folds(ids, 5);
    const auto raw = cross_validate(base, x, y, folds, by_auc{});
    const auto sigmoid = cross_validate(calibrated(base, platt_scaling<double>{}), x, y, folds, by_auc{});
    const auto steps = cross_validate(calibrated(base, isotonic<double>{}), x, y, folds, by_auc{});
    const double before = equal_mass_calibration_error(raw.predictions, y), platt = equal_mass_calibration_error(sigmoid.predictions, y),
                 pooled = equal_mass_calibration_error(steps.predictions, y);
    INFO("calibration error: plain " << before << ", sigmoid " << platt << ", isotonic " << pooled);
    CHECK(platt < .02);
    CHECK(pooled < .02);
    CHECK(std::abs(sigmoid.mean() - raw.mean()) < 1e-3);
    CHECK(std::abs(steps.mean() - raw.mean()) < 2e-3);
    CHECK(log_loss(steps.predictions, y) < log_loss(raw.predictions, y) + 5e-3);
}
TEMPLATE_TEST_CASE("calibration: what is wrong is named", "[calibration][error]", platt_scaling<double>, isotonic<double>, temperature_scaling<double>) {
    const auto code = [](const matrix<double>& x, const std::vector<int>& y) { return error_of([&] { (void)fit(TestType{}, x, y); }); };
    matrix<double> p(3, 2);
    p << .5, .5, .3, .7, .9, .1;
    CHECK(code(matrix<double>(0, 2), {}).code() == errc::empty_input);
    CHECK(code(p, {1, 1, 1}).code() == errc::bad_data);
    CHECK(code(p, {0, 1, 2}).where().row == 3);
    CHECK(code(p, {0, -1, 1}).where().row == 2);
    CHECK(code(matrix<double>(3, 0), {0, 1, 1}).code() == errc::shape_mismatch);
    matrix<double> outside = p, broken = p;
    outside(1, 1) = 1.5;
    broken(2, 0) = std::numeric_limits<double>::quiet_NaN();
    CHECK(code(outside, {0, 1, 1}).code() == errc::bad_data);
    CHECK(code(outside, {0, 1, 1}).where() == place{.row = 2, .column = 2});
    CHECK(code(broken, {0, 1, 1}).code() == errc::nan_or_inf);
    const auto model = fit(TestType{}, p, std::vector{0, 1, 0});
    CHECK(error_of([&] { (void)model(outside); }).where() == place{.row = 2, .column = 2});
    CHECK(error_of([&] { (void)model(matrix<double>(1, 3)); }).code() == errc::shape_mismatch);
}
TEST_CASE("calibration: what cannot be a model is refused; constant scores are one probability", "[calibration][error]") {
    CHECK(error_of([] { platt_scaling_model<float>({1}, {}, 1); }).code() == errc::bad_data);
    CHECK(error_of([] { platt_scaling_model<float>({1}, {1}, 3); }).code() == errc::bad_data);
    CHECK(error_of([] { isotonic_model<float>({{1, 1}, {0, 2}}, {{0, 1}, {0, 2}}, 1); }).code() == errc::bad_data);
    CHECK(error_of([] { isotonic_model<float>({{1, 2}, {0, 2}}, {{1, 0}, {0, 2}}, 1); }).code() == errc::bad_data);
    CHECK(error_of([] { isotonic_model<float>({{1, 2}, {0, 2}}, {{0, 2}, {0, 2}}, 1); }).code() == errc::bad_data);
    CHECK(error_of([] { isotonic_model<float>({}, {}, 1); }).code() == errc::bad_data);
    CHECK(error_of([] { temperature_scaling_model<float>(0, 2); }).code() == errc::bad_data);
    const matrix<double> same = matrix<double>::Constant(6, 1, 0.3);
    const std::vector<int> y{0, 1, 1, 0, 1, 1};
    CHECK(fit(platt_scaling<double>{}, same, y)(same)(0, 1) == Approx(5. / 8).epsilon(0.03));
    CHECK(fit(isotonic<double>{}, same, y)(same)(0, 1) == Approx(4. / 6));
}
