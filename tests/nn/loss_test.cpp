#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <caramel/core/softmax.hpp>
#include <caramel/nn/loss.hpp>
#include <caramel/nn/training.hpp>

#include "nn/gradients.hpp"
#include "support/catch.hpp"

using namespace caramel;

namespace {
template <class T>
using numbers = std::vector<T>;
}

TEST_CASE("softmax_cross_entropy: known values", "[loss]") {
    numbers<double> z{std::log(1.0), std::log(2.0), std::log(5.0)}, dz(3);
    CHECK(softmax_cross_entropy::row(std::span<const double>(z), 2, std::span(dz)) == Approx(-std::log(5.0 / 8)).epsilon(1e-14));
    CHECK(dz[0] == Approx(1.0 / 8));
    CHECK(dz[1] == Approx(2.0 / 8));
    CHECK(dz[2] == Approx(5.0 / 8 - 1));
    // Two logits are the logistic loss of their difference.
    numbers<double> two{0.3, 1.7}, d(2);
    CHECK(softmax_cross_entropy::row(std::span<const double>(two), 1, std::span(d)) == Approx(std::log1p(std::exp(-1.4))).epsilon(1e-14));
}

TEST_CASE("losses: gradients agree with central differences", "[loss]") {
    using in = std::span<const double>;
    using out = std::span<double>;
    static const numbers<double> target{0.3, -1.2, 2.5, 0, 7}, yes{1, 0, 0, 1, 1};
    for (const int label : {0, 2, 4}) {
        check_loss("cross-entropy", 5, [&](in z, out dz) { return softmax_cross_entropy::row(z, label, dz); });
        check_loss("cross-entropy, smoothed", 5, [&](in z, out dz) { return softmax_cross_entropy::row(z, label, dz, 0.2); });
        for (const double focus : {0.0, 0.5, 1.0, 2.0})
            check_loss("focal", 5, [&](in z, out dz) { return softmax_focal_loss::row(z, label, dz, focus); });
    }
    check_loss("sigmoid", 5, [](in z, out dz) { return sigmoid_cross_entropy::row(z, in(yes), dz); });
    check_loss("sigmoid, weighted", 5, [](in z, out dz) { return sigmoid_cross_entropy::row(z, in(yes), dz, 0.5, 3.0, 0.0, 0.0); });
    check_loss("sigmoid, smoothed", 5, [](in z, out dz) { return sigmoid_cross_entropy::row(z, in(yes), dz, 0.5, 3.0, 0.1, 0.0); });
    check_loss("sigmoid, focal", 5, [](in z, out dz) { return sigmoid_cross_entropy::row(z, in(yes), dz, 0.5, 3.0, 0.0, 2.0); });
    check_loss("squared error", 5, [](in z, out dz) { return mean_squared_error::row(z, in(target), dz); });
    for (const double delta : {0.5, 1.0, 5.0}) check_loss("Huber", 5, [&](in z, out dz) { return huber_loss::row(z, in(target), dz, delta); });
    check_loss("pairwise", 2, [](in z, out dz) {
        const double loss = pairwise_logistic::pair(z[0], z[1], dz[0]);
        dz[1] = -dz[0];
        return loss;
    });
    // As training puts them together: weights of classes, and of the rows of a mini-batch with their pairs.
    const std::vector<int> labels{0, 2, 1, 2};
    const detail::class_targets weighted(labels, "test", 0, training{.label_smoothing = 0.1, .class_weights = {1, 0.5, 3}});
    const detail::class_targets focal(labels, "test", 0, training{.class_weights = {1, 0.5, 3}, .focal_gamma = 2});
    for (std::size_t row = 0; row < 4; ++row) {
        check_loss("class_targets", 3, [&](in z, out dz) { return weighted.loss(row, z, dz); });
        check_loss("class_targets, focal", 3, [&](in z, out dz) { return focal.loss(row, z, dz); });
    }
    const matrix<double> marks = matrix<double>{{1, 0, 0, 1, 1}, {0, 0, 1, 1, 0}};
    const detail::label_targets<double> several(marks, "test", training{.label_smoothing = 0.1, .class_weights = {1, 4}});
    check_loss("label_targets", 5, [&](in z, out dz) { return several.loss(1, z, dz); });
    const detail::value_targets<double> robust(marks, {}, "test", training{.huber_delta = 0.7});
    check_loss("value_targets", 5, [&](in z, out dz) { return robust.loss(0, z, dz); });
    matrix<double> grades(6, 2);
    grades << 1, 0, 2, 0, 2, 7, 3, 7, 0, 0, 5, 9;
    const detail::pair_targets<double> ranked(grades, "test");
    const std::vector<std::size_t> rows{5, 0, 3, 1, 2};
    const numbers<double> weights{1, 2, 0.5, 3, 1, 1};
    check_loss("pair_targets", 5, [&](in z, out dz) { return ranked.batch_loss(rows, row_weights(weights, 6, "test"), z, dz); });
}

TEST_CASE("label smoothing: the cross-entropy to the smoothed target", "[loss]") {
    const numbers<double> z{std::log(1.0), std::log(2.0), std::log(5.0)};
    numbers<double> dz(3);
    const double each = 0.3 / 3;
    CHECK(softmax_cross_entropy::row(std::span<const double>(z), 2, std::span(dz), 0.3) ==
          Approx(-each * std::log(1.0 / 8) - each * std::log(2.0 / 8) - (0.7 + each) * std::log(5.0 / 8)).epsilon(1e-14));
    // Of a yes or no: the target is 1 - smoothing / 2.
    const numbers<double> one{1}, score{std::log(3.0)};
    numbers<double> d(1);
    CHECK(sigmoid_cross_entropy::row(std::span<const double>(score), std::span<const double>(one), std::span(d), 1, 1, 0.2, 0) ==
          Approx(-0.9 * std::log(0.75) - 0.1 * std::log(0.25)).epsilon(1e-14));
    CHECK(d[0] == Approx(0.75 - 0.9));
}

TEST_CASE("focal loss: known values, the cross-entropy without focus, far apart", "[loss]") {
    const numbers<double> z{std::log(1.0), std::log(2.0), std::log(5.0)};
    numbers<double> dz(3), plain(3);
    CHECK(softmax_focal_loss::row(std::span<const double>(z), 2, std::span(dz), 2) == Approx(-std::pow(3.0 / 8, 2) * std::log(5.0 / 8)).epsilon(1e-14));
    const double cross_entropy = softmax_cross_entropy::row(std::span<const double>(z), 1, std::span(plain));
    CHECK(softmax_focal_loss::row(std::span<const double>(z), 1, std::span(dz), 0) == Approx(cross_entropy));
    for (std::size_t k = 0; k < 3; ++k) CHECK(dz[k] == Approx(plain[k]));
    for (const double far : {40.0, 1e4, 1e300})
        for (const double focus : {0.5, 2.0}) {
            const numbers<double> apart{-far, far};
            numbers<double> d(2);
            const double right = softmax_focal_loss::row(std::span<const double>(apart), 1, std::span(d), focus);
            CHECK(right >= 0);
            CHECK(right < 1e-10);
            CHECK(std::abs(d[0]) < 1e-10);
            CHECK(softmax_focal_loss::row(std::span<const double>(apart), 0, std::span(d), focus) == Approx(2 * far));
            CHECK(d[0] == Approx(-1));
            const numbers<double> target{1, 1};
            CHECK(std::isfinite(sigmoid_cross_entropy::row(std::span<const double>(apart), std::span<const double>(target), std::span(d), 1, 1, 0, focus)));
            CHECK(d[0] == Approx(-0.5));
            CHECK(std::abs(d[1]) < 1e-10);
        }
}

TEST_CASE("huber_loss: half the square inside, a line outside", "[loss]") {
    const numbers<double> z{1, 4, -9}, target{1.5, 1, 1};
    numbers<double> dz(3);
    CHECK(huber_loss::row(std::span<const double>(z), std::span<const double>(target), std::span(dz), 2) == Approx((0.125 + 2 * (3 - 1) + 2 * (10 - 1)) / 3));
    CHECK(dz == numbers<double>{-0.5 / 3, 2.0 / 3, -2.0 / 3});
}

TEST_CASE("pair_targets: the mean over the pairs of a group, by the weights of its rows", "[loss][ranking]") {
    matrix<double> y(4, 2);
    y << 1, 0, 0, 0, 3, 1, 2, 1;
    const detail::pair_targets<double> targets(y, "test");
    const std::vector<std::size_t> rows{0, 1, 2, 3};
    const numbers<double> weights{1, 2, 1, 4}, z{0.5, 0, 0, 1};
    numbers<double> dz(4);
    const double first = std::log1p(std::exp(-0.5)), second = std::log1p(std::exp(1.0));
    const double loss = targets.batch_loss(rows, row_weights(weights, 4, "test"), z, dz);
    CHECK(loss == Approx(8 * (2 * first + 4 * second) / 6).epsilon(1e-14));
    CHECK(dz[0] == Approx(-dz[1]));
    CHECK(targets.batch_loss(std::vector<std::size_t>{0, 2}, row_weights({}, 4, "test"), numbers<double>{1, 2}, std::span(dz).first(2)) == 0);  // no pairs
    // Rows of a group side by side, all of them still there.
    matrix<double> many(60, 2);
    for (row_index i = 0; i < 60; ++i) many.row(i) << static_cast<double>(i % 7), static_cast<double>(i % 12);
    const detail::pair_targets<double> groups(many, "test");
    std::vector<std::size_t> order(60);
    for (std::size_t i = 0; i < 60; ++i) order[i] = i;
    groups.arrange(order, rng(3));
    std::size_t changes = 0;
    for (std::size_t i = 1; i < 60; ++i) changes += order[i] % 12 != order[i - 1] % 12 ? 1 : 0;
    CHECK(changes == 11);
    CHECK(order[0] % 12 + order[5] % 12 != 1);  // not in the order of their numbers
    std::ranges::sort(order);
    for (std::size_t i = 0; i < 60; ++i) CHECK(order[i] == i);
    CHECK(error_of([] { detail::pair_targets<double> made(matrix<double>(matrix<double>::Ones(3, 1)), "test"); }).code() == errc::bad_data);
    CHECK(error_of([&] { detail::pair_targets<double> made(matrix<double>(matrix<double>::Ones(3, 3)), "test"); }).code() == errc::shape_mismatch);
}

TEST_CASE("balanced_class_weights: all classes weigh the same", "[loss]") {
    CHECK(balanced_class_weights(std::vector<int>{0, 0, 0, 1}) == numbers<double>{4.0 / 6, 4.0 / 2});  // as scikit-learn's "balanced"
    CHECK(balanced_class_weights(std::vector<int>{0, 2}) == numbers<double>{2.0 / 3, 0, 2.0 / 3});
    CHECK(error_of([] { (void)balanced_class_weights(std::vector<int>{1, 1}); }).code() == errc::bad_data);
}

TEMPLATE_TEST_CASE("softmax and its loss: logits far apart neither overflow nor lose the loss", "[loss][edge]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    for (const T far : {T(1e4), T(1e30), std::numeric_limits<T>::max()}) {
        numbers<T> z{-far, far, T(0)}, dz(3);
        CHECK(softmax_cross_entropy::row(std::span<const T>(z), 1, std::span(dz)) == 0);
        CHECK(dz == numbers<T>{0, 0, 0});
        const double loss = softmax_cross_entropy::row(std::span<const T>(z), 2, std::span(dz));
        CHECK(loss == static_cast<double>(far));
        CHECK(dz == numbers<T>{0, 1, -1});
        detail::softmax_row(std::span(z));
        CHECK(z == numbers<T>{0, 1, 0});
    }
    numbers<T> equal(7, T(1e4));
    detail::softmax_row(std::span(equal));
    for (const T p : equal) CHECK(static_cast<double>(p) == Approx(1.0 / 7));
}

TEST_CASE("sigmoid_cross_entropy: known values", "[loss]") {
    const numbers<double> z{std::log(3.0), std::log(3.0), 0}, target{1, 0, 1};  // of probabilities 3/4, 3/4 and 1/2
    numbers<double> dz(3);
    CHECK(sigmoid_cross_entropy::row(std::span<const double>(z), std::span<const double>(target), std::span(dz)) ==
          Approx(-std::log(0.75 * 0.25 * 0.5) / 3).epsilon(1e-14));
    CHECK(dz[0] == Approx(-0.25 / 3));
    CHECK(dz[1] == Approx(0.75 / 3));
    CHECK(dz[2] == Approx(-0.5 / 3));
}

TEMPLATE_TEST_CASE("sigmoid_cross_entropy: outputs far apart neither overflow nor lose the loss", "[loss][edge]", CARAMEL_TEST_SCALARS) {
    using T = TestType;
    for (const T far : {T(1e4), T(1e30), std::numeric_limits<T>::max()}) {
        const numbers<T> z{far, -far};
        numbers<T> dz(2);
        CHECK(sigmoid_cross_entropy::row(std::span<const T>(z), std::span<const T>(numbers<T>{1, 0}), std::span(dz)) == 0);
        CHECK(dz == numbers<T>{0, 0});
        CHECK(sigmoid_cross_entropy::row(std::span<const T>(z), std::span<const T>(numbers<T>{0, 0}), std::span(dz)) == static_cast<double>(far) / 2);
        CHECK(dz == numbers<T>{T(0.5), 0});
    }
}

TEST_CASE("mean_squared_error: worked by hand", "[loss]") {
    const numbers<double> z{1, 4}, target{3, 3};
    numbers<double> dz(2);
    CHECK(mean_squared_error::row(std::span<const double>(z), std::span<const double>(target), std::span(dz)) == 2.5);
    CHECK(dz == numbers<double>{-2, 1});
}
