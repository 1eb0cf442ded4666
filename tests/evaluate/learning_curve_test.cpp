#include <algorithm>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/learning_curve.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>

#include "support/catch.hpp"

using namespace caramel;

namespace {

struct examples {
    matrix<double> x;
    std::vector<int> y;
};
examples noisy(std::size_t rows) {
    rng random(1);
    examples out{matrix<double>(static_cast<row_index>(rows), 15), std::vector<int>(rows)};
    for (row_index i = 0; i < out.x.size(); ++i) out.x.data()[i] = random.normal();
    for (std::size_t i = 0; i < rows; ++i) out.y[i] = out.x(static_cast<row_index>(i), 0) + random.normal() > 0 ? 1 : 0;
    return out;
}

}  // namespace

TEST_CASE("learning_curve: more rows help, and what is learnt from looks better than it is", "[learning_curve]") {
    const auto made = noisy(400);
    const auto folds = stratified_k_fold(made.y, 4, 1);
    const auto recipe = standardize<double>{} | logistic<double>{.regularization = 0.01};
    const auto curve = learning_curve(recipe, made.x, made.y, {40, 100, 300}, folds, by_log_loss{}, {.seed = 3});
    REQUIRE(curve.size() == 3);
    for (std::size_t s = 0; s < 3; ++s) {
        CHECK(curve[s].rows == std::vector<std::size_t>{40, 100, 300}[s]);
        CHECK(curve[s].learnt.size() == 4);
        CHECK(curve[s].learnt_mean < curve[s].unseen_mean);
        if (s > 0) CHECK(curve[s].unseen_mean < curve[s - 1].unseen_mean);
        if (s > 0) CHECK(curve[s].learnt_mean > curve[s - 1].learnt_mean);
    }
    // All training rows: cross-validation.
    const auto whole = cross_validate(recipe, made.x, made.y, folds, by_log_loss{}, {.seed = 3});
    CHECK(curve[2].unseen == whole.scores);
    CHECK(curve[2].unseen_mean == whole.mean());
    CHECK(curve[2].unseen_deviation == whole.deviation());
    for (const std::size_t threads : {2U, 7U}) {
        const auto again = learning_curve(recipe, made.x, made.y, {40, 100, 300}, folds, by_log_loss{}, {.seed = 3, .threads = threads});
        for (std::size_t s = 0; s < 3; ++s) CHECK((again[s].unseen == curve[s].unseen && again[s].learnt == curve[s].learnt));
    }
    CHECK(learning_curve(recipe, made.x, made.y, {40}, folds, by_log_loss{}, {.seed = 4})[0].unseen != curve[0].unseen);
    // Stopped after the first point.
    const auto stop = [](const progress& p) { return p.step == 1 ? verdict::stop : verdict::go_on; };
    const auto some = learning_curve(recipe, made.x, made.y, {40, 100}, folds, by_log_loss{}, {.seed = 3, .threads = 3, .on_progress = stop});
    REQUIRE(some.size() == 1);
    CHECK(some[0].unseen == curve[0].unseen);
}
TEST_CASE("learning_curve: what is wrong is named", "[learning_curve][error]") {
    const auto made = noisy(40);
    const auto folds = stratified_k_fold(made.y, 4, 1);
    const auto code = [&](const std::vector<std::size_t>& sizes) {
        return error_of([&] { (void)learning_curve(logistic<double>{}, made.x, made.y, sizes, folds, by_auc{}); }).code();
    };
    CHECK(code({}) == errc::bad_parameter);
    CHECK(code({10, 0}) == errc::bad_parameter);
    CHECK(code({10, 31}) == errc::too_few_rows);
    CHECK(error_of([&] { (void)learning_curve(logistic<double>{}, made.x, std::vector<int>(3), {10}, folds, by_auc{}); }).code() == errc::shape_mismatch);
}
