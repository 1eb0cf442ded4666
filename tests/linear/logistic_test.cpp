#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/data/clean.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/split.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/features/rfm.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/pipeline.hpp>

#include "support/catch.hpp"
#include "support/churn_data.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace logistic_test {

namespace {

struct examples {
    matrix<double> x;
    std::vector<int> y;
};
/// Classes that overlap, around random centres; columns of different units.
examples overlapping(std::size_t rows, int classes, row_index columns, std::uint64_t seed) {
    rng random(seed);
    matrix<double> centres(classes, columns);
    for (row_index i = 0; i < centres.size(); ++i) centres.data()[i] = random.normal();
    examples out{matrix<double>(static_cast<row_index>(rows), columns), std::vector<int>(rows)};
    for (std::size_t i = 0; i < rows; ++i) {
        out.y[i] = static_cast<int>(i) % classes;
        for (row_index j = 0; j < columns; ++j)
            out.x(static_cast<row_index>(i), j) = (centres(out.y[i], j) + 1.5 * random.normal()) * (j % 3 == 0 ? 0.5 : 2) + static_cast<double>(j);
    }
    return out;
}

/// Another way to the same minimum: Newton's method in long double on the columns as they are, by elimination with
/// pivots, each class with scores of its own (for two classes the first class's are 0).
struct twin {
    const examples& set;
    std::vector<double> weights;
    long double regularization;
    std::size_t outputs, width;
    std::vector<long double> at;  // (outputs, width), intercepts last

    twin(const examples& s, std::vector<double> w, double r, std::size_t classes)
        : set(s), weights(std::move(w)), regularization(r), outputs(classes == 2 ? 1 : classes), width(static_cast<std::size_t>(s.x.cols()) + 1),
          at(outputs * width) {}

    long double feature(std::size_t i, std::size_t j) const {
        return j + 1 == width ? 1.0L : static_cast<long double>(set.x(static_cast<row_index>(i), static_cast<row_index>(j)));
    }
    std::vector<long double> probabilities(std::size_t i) const {
        std::vector<long double> p(outputs == 1 ? 2 : outputs);
        for (std::size_t k = 0; k < outputs; ++k)
            for (std::size_t j = 0; j < width; ++j) p[outputs == 1 ? 1 : k] += at[k * width + j] * feature(i, j);
        const long double top = *std::max_element(p.begin(), p.end());
        long double sum = 0;
        for (auto& v : p) sum += v = std::exp(v - top);
        for (auto& v : p) v /= sum;
        return p;
    }
    std::vector<long double> gradient() const {
        std::vector<long double> g(at.size());
        for (std::size_t i = 0; i < set.y.size(); ++i) {
            const auto p = probabilities(i);
            for (std::size_t k = 0; k < outputs; ++k) {
                const std::size_t own = outputs == 1 ? 1 : k;
                const long double off = static_cast<long double>(weights[i]) * (p[own] - (static_cast<std::size_t>(set.y[i]) == own ? 1 : 0));
                for (std::size_t j = 0; j < width; ++j) g[k * width + j] += off * feature(i, j);
            }
        }
        for (std::size_t k = 0; k < outputs; ++k)
            for (std::size_t j = 0; j + 1 < width; ++j) g[k * width + j] += regularization * at[k * width + j];
        return g;
    }
    void step() {
        const std::size_t n = at.size();
        std::vector<long double> a(n * n), b = gradient();
        for (std::size_t i = 0; i < set.y.size(); ++i) {
            const auto p = probabilities(i);
            for (std::size_t k = 0; k < outputs; ++k)
                for (std::size_t l = 0; l < outputs; ++l) {
                    const long double pk = p[outputs == 1 ? 1 : k], pl = p[outputs == 1 ? 1 : l];
                    const long double h = static_cast<long double>(weights[i]) * (k == l ? pk * (1 - pk) : -pk * pl);
                    for (std::size_t j = 0; j < width; ++j)
                        for (std::size_t m = 0; m < width; ++m) a[(k * width + j) * n + l * width + m] += h * feature(i, j) * feature(i, m);
                }
        }
        for (std::size_t k = 0; k < outputs; ++k)
            for (std::size_t j = 0; j + 1 < width; ++j) a[(k * width + j) * n + k * width + j] += regularization;
        if (outputs > 1)  // intercepts are free up to a common number: their sum is held at 0
            for (std::size_t k = 0; k < outputs; ++k)
                for (std::size_t l = 0; l < outputs; ++l) a[(k * width + width - 1) * n + l * width + width - 1] += 1;
        for (std::size_t c = 0; c < n; ++c) {
            std::size_t pivot = c;
            for (std::size_t r = c; r < n; ++r)
                if (std::abs(a[r * n + c]) > std::abs(a[pivot * n + c])) pivot = r;
            for (std::size_t m = 0; m < n; ++m) std::swap(a[c * n + m], a[pivot * n + m]);
            std::swap(b[c], b[pivot]);
            for (std::size_t r = 0; r < n; ++r) {
                if (r == c) continue;
                const long double f = a[r * n + c] / a[c * n + c];
                for (std::size_t m = c; m < n; ++m) a[r * n + m] -= f * a[c * n + m];
                b[r] -= f * b[c];
            }
        }
        for (std::size_t i = 0; i < n; ++i) at[i] -= b[i] / a[i * n + i];
    }
};
template <class Model>
double distance(const Model& model, const twin& other) {
    long double worst = 0;
    for (std::size_t k = 0; k < other.outputs; ++k)
        for (std::size_t j = 0; j < other.width; ++j) {
            const auto row = static_cast<row_index>(k);
            const auto mine = static_cast<long double>(j + 1 == other.width ? model.intercepts()(row) : model.coefficients()(row, static_cast<row_index>(j)));
            worst = std::max(worst, std::abs(mine - other.at[k * other.width + j]));
        }
    return static_cast<double>(worst);
}
template <class T>
matrix<double> gradient_at(const logistic_model<T>& model, const examples& set, double regularization) {
    const matrix<double> b = model.coefficients().template cast<double>();
    const vec<double> b0 = model.intercepts().template cast<double>();
    matrix<double> g = matrix<double>::Zero(b.rows(), b.cols() + 1);
    for (row_index i = 0; i < set.x.rows(); ++i) {
        const int label = set.y[static_cast<std::size_t>(i)];
        vec<double> p = (b * set.x.row(i).transpose() + b0).array().exp();
        if (b.rows() == 1) p(0) = p(0) / (1 + p(0)) - label;
        else {
            p /= p.sum();
            p(label) -= 1;
        }
        g.leftCols(b.cols()) += p * set.x.row(i);
        g.col(b.cols()) += p;
    }
    g.leftCols(b.cols()) += regularization * b;
    return g;
}

}  // namespace

TEST_CASE("logistic: with one flag and no penalty the log odds are those of the table", "[logistic]") {
    // Of 10 rows without the flag 2 are of class 1, of 20 with it 15.
    examples set{matrix<double>::Zero(30, 1), std::vector<int>(30)};
    for (row_index i = 10; i < 30; ++i) set.x(i, 0) = 1;
    for (std::size_t i = 0; i < 2; ++i) set.y[i] = 1;
    for (std::size_t i = 10; i < 25; ++i) set.y[i] = 1;
    const auto model = fit(logistic<double>{.regularization = 0}, set.x, set.y);
    CHECK(model.intercepts()(0) == Approx(std::log(2.0 / 8)).epsilon(1e-12));
    CHECK(model.coefficients()(0, 0) == Approx(std::log(15.0 / 5) - std::log(2.0 / 8)).epsilon(1e-12));
    const matrix<double> p = model(set.x);
    CHECK(p(0, 1) == Approx(.2).epsilon(1e-12));
    CHECK(p(29, 1) == Approx(.75).epsilon(1e-12));
    CHECK(p(29, 0) == Approx(.25).epsilon(1e-12));
}

TEST_CASE("logistic: the penalty is half of regularization times the square", "[logistic]") {
    // Rows -1 of class 0 and 1 of class 1: the best w satisfies regularization * w = 2 / (1 + exp(w)).
    matrix<double> x(2, 1);
    x << -1, 1;
    for (const double r : {0.01, 1.0, 30.0}) {
        double low = 0, high = 100;
        for (int i = 0; i < 200; ++i) {
            const double w = (low + high) / 2;
            (r * w < 2 / (1 + std::exp(w)) ? low : high) = w;
        }
        const auto model = fit(logistic<double>{.regularization = r}, x, std::vector<int>{0, 1});
        CHECK(model.coefficients()(0, 0) == Approx(low).epsilon(1e-10));
        CHECK(std::abs(model.intercepts()(0)) < 1e-10);
    }
}

TEST_CASE("logistic: the intercept is free", "[logistic]") {
    // Under a penalty that leaves no coefficients, the probabilities are the shares of the classes.
    const auto two = overlapping(90, 2, 3, 4);
    const matrix<double> p = fit(logistic<double>{.regularization = 1e12}, two.x, two.y)(two.x);
    CHECK((p.array() - 0.5).abs().maxCoeff() < 1e-8);
    auto three = overlapping(100, 3, 3, 4);
    for (int& label : three.y) label = label == 2 ? 0 : label;  // 67 and 33 ...
    three.y[0] = 2;                                            // ... but for one
    const matrix<double> q = fit(logistic<double>{.regularization = 1e12}, three.x, three.y)(three.x);
    for (int k = 0; k < 3; ++k) {
        const auto share = static_cast<double>(std::ranges::count(three.y, k)) / 100;
        CHECK((q.col(k).array() - share).abs().maxCoeff() < 1e-8);
    }
}

TEST_CASE("logistic: the minimum that Newton's method in long double finds", "[logistic]") {
    for (const int classes : {2, 3, 5})
        for (const double r : {1e-3, 1.0, 50.0}) {
            const auto set = overlapping(150, classes, 4, 7);
            rng random(5);
            std::vector<double> ones(150, 1), weights;
            for (int i = 0; i < 150; ++i) weights.push_back(i % 10 == 0 ? 0 : 3 * random.uniform());
            for (const auto& given : {ones, weights}) {
                twin other(set, given, r, static_cast<std::size_t>(classes));
                for (int i = 0; i < 30; ++i) other.step();
                INFO(classes << " classes, regularization " << r);
                const auto model = fit(logistic<double>{.regularization = r}, set.x, set.y, {.weights = given});
                CHECK(distance(model, other) < 1e-9);
                const auto single = fit(logistic<float>{.regularization = r}, matrix<float>(set.x.cast<float>()), set.y, {.weights = given});
                CHECK(distance(single, other) < 1e-4);
            }
        }
}

TEST_CASE("logistic: exact where rows can be told apart, and where columns are of very different units", "[logistic]") {
    for (const int classes : {2, 3})
        for (const double r : {0.01, 1.0}) {
            auto set = overlapping(90, classes, 4, 13);
            for (row_index i = 0; i < 90; ++i) set.x(i, 1) = 4 * set.y[static_cast<std::size_t>(i)] + 0.01 * set.x(i, 1);  // tells the classes apart
            set.x.col(2) *= 1e-4;
            set.x.col(3) *= 1e5;
            twin other(set, std::vector<double>(90, 1), r, static_cast<std::size_t>(classes));
            for (int i = 0; i < 60; ++i) other.step();
            INFO(classes << " classes, regularization " << r);
            REQUIRE(std::isfinite(static_cast<double>(other.at[0])));
            CHECK(distance(fit(logistic<double>{.regularization = r}, set.x, set.y), other) < 1e-7);
        }
}

TEMPLATE_TEST_CASE("logistic: the gradient is zero at what it finds, by both ways to a direction", "[logistic]", CARAMEL_TEST_SCALARS) {
    const double tolerance = std::is_same_v<TestType, float> ? 2e-2 : 1e-7;
    for (const auto& [classes, columns] : {std::pair<int, row_index>{2, 20}, {2, 600}, {4, 30}, {7, 90}}) {
        const examples set = overlapping(400, classes, columns, 11);
        const auto model = fit(logistic<TestType>{.regularization = 0.5}, matrix<TestType>(set.x.cast<TestType>()), set.y);
        INFO(classes << " classes, " << columns << " columns");
        CHECK(gradient_at(model, set, 0.5).cwiseAbs().maxCoeff() < tolerance);
        CHECK(model.classes() == static_cast<std::size_t>(classes));
    }
}

TEST_CASE("logistic: conjugate gradients and the factorization agree", "[logistic]") {
    // The same problem a second time, with enough columns of nothing to be solved the other way.
    for (const int classes : {2, 3}) {
        const auto set = overlapping(300, classes, 6, 3);
        matrix<double> wide = matrix<double>::Zero(300, 600);
        wide.leftCols(6) = set.x;
        const auto a = fit(logistic<double>{}, set.x, set.y), b = fit(logistic<double>{}, wide, set.y);
        CHECK((a.coefficients() - b.coefficients().leftCols(6)).cwiseAbs().maxCoeff() < 1e-9);
        CHECK((a.intercepts() - b.intercepts()).cwiseAbs().maxCoeff() < 1e-9);
        CHECK(b.coefficients().rightCols(594).isZero(0));
    }
}

TEST_CASE("logistic: a weight of 2 is a row given twice, a weight of 0 a row left out", "[logistic][weights]") {
    const auto set = overlapping(60, 3, 3, 2);
    rng random(3);
    std::vector<double> weights;
    std::vector<row_index> kept;
    for (row_index i = 0; i < 60; ++i) {
        weights.push_back(static_cast<double>(random.below(4)));
        for (double w = 0; w < weights.back(); ++w) kept.push_back(i);
    }
    const matrix<double> repeated = set.x(kept, Eigen::all);
    std::vector<int> labels;
    for (const row_index i : kept) labels.push_back(set.y[static_cast<std::size_t>(i)]);
    const auto a = fit(logistic<double>{}, set.x, set.y, {.weights = weights}), b = fit(logistic<double>{}, repeated, labels);
    CHECK((a.coefficients() - b.coefficients()).cwiseAbs().maxCoeff() < 1e-9);
    CHECK((a.coefficients() - fit(logistic<double>{}, set.x, set.y).coefficients()).cwiseAbs().maxCoeff() > 1e-3);
}

TEST_CASE("logistic: copies of a column, constant columns, columns of any unit", "[logistic][edge]") {
    const auto set = overlapping(200, 2, 2, 9);
    const auto plain = fit(logistic<double>{.regularization = 0}, set.x, set.y);
    matrix<double> x(200, 6);
    x << set.x, set.x, matrix<double>::Constant(200, 1, 7e5), matrix<double>::Zero(200, 1);
    for (const double r : {0.0, 1.0}) {
        const auto model = fit(logistic<double>{.regularization = r}, x, set.y);
        CHECK(model.coefficients().rightCols(2).isZero(0));
        CHECK((model.coefficients().leftCols(2) - model.coefficients().middleCols(2, 2)).cwiseAbs().maxCoeff() < 1e-6);
        if (r == 0) CHECK((model(x) - plain(set.x)).cwiseAbs().maxCoeff() < 1e-7);
    }
    // Without a penalty the unit of a column is of no importance.
    for (const double unit : {1e-200, 1e-12, 1e9, 1e150}) {
        const auto scaled = fit(logistic<double>{.regularization = 0}, matrix<double>(set.x * unit), set.y);
        CHECK((scaled.coefficients() * unit - plain.coefficients()).cwiseAbs().maxCoeff() < 1e-9);
    }
    for (const double unit : {1e-200, 1e-60, 1e30, 1e200}) CHECK(fit(logistic<double>{}, matrix<double>(set.x * unit), set.y)(set.x).allFinite());
    const matrix<float> large = (set.x * 1e30).cast<float>();
    CHECK(fit(logistic<float>{}, large, set.y)(large).allFinite());
    // No columns at all: the shares of the classes.
    const matrix<double> shares = fit(logistic<double>{}, matrix<double>(200, 0), set.y)(matrix<double>(3, 0));
    CHECK(shares.rows() == 3);
    CHECK(shares(2, 1) == Approx(.5));
}

TEST_CASE("logistic: classes that can be told apart", "[logistic][edge]") {
    matrix<double> x(6, 1);
    x << -3, -2, -1, 1, 2, 3;
    const std::vector<int> y{0, 0, 0, 1, 1, 1};
    const auto model = fit(logistic<double>{.regularization = 1e-6}, x, y);
    CHECK(model.coefficients()(0, 0) > 8);
    CHECK(std::isfinite(model.coefficients()(0, 0)));
    const error apart = error_of([&] { (void)fit(logistic<double>{.regularization = 0}, x, y); });
    CHECK(apart.code() == errc::diverged);
    CHECK(std::string(apart.what()).find("raise regularization") != std::string::npos);
    // Only some of the rows, by a flag that none of class 0 has.
    auto some = overlapping(100, 2, 2, 1);
    for (std::size_t i = 0; i < 100; ++i) some.x(static_cast<row_index>(i), 1) = some.y[i] == 1 && i % 3 == 0 ? 1 : 0;
    const error partly = error_of([&] { (void)fit(logistic<double>{.regularization = 0}, some.x, some.y); });
    CHECK(partly.code() == errc::diverged);
    CHECK(std::string(partly.what()).find("raise regularization") != std::string::npos);
    CHECK(fit(logistic<double>{}, some.x, some.y).coefficients()(0, 1) > 1);
    // More columns than rows.
    const auto wide = overlapping(40, 2, 600, 1);
    CHECK(error_of([&] { (void)fit(logistic<double>{.regularization = 0}, wide.x, wide.y); }).code() == errc::diverged);
    // Far apart, but not wholly: one row of 20,000 with the flag is of class 0.
    examples nearly{matrix<double>::Zero(40'000, 1), std::vector<int>(40'000)};
    for (std::size_t i = 0; i < 20'000; ++i) {
        nearly.x(static_cast<row_index>(i), 0) = 1;
        nearly.y[i] = i == 0 ? 0 : 1;
        nearly.y[20'000 + i] = i < 30 ? 1 : 0;
    }
    CHECK(fit(logistic<double>{.regularization = 0}, nearly.x, nearly.y).coefficients()(0, 0) == Approx(std::log(19'999.0) - std::log(30 / 19'970.0)).epsilon(1e-10));
    // Three classes on a line.
    CHECK(error_of([&] { (void)fit(logistic<double>{.regularization = 0}, x, std::vector<int>{0, 0, 1, 1, 2, 2}); }).code() == errc::diverged);
}

TEMPLATE_TEST_CASE("logistic: a row has the same bits alone and in any batch", "[logistic]", CARAMEL_TEST_SCALARS) {
    for (const int classes : {2, 5}) {
        const examples set = overlapping(70, classes, 7, 1);
        const matrix<TestType> x = set.x.cast<TestType>();
        const auto model = fit(logistic<TestType>{}, x, set.y);
        const matrix<TestType> p = model(x);
        REQUIRE(p.cols() == classes);
        CHECK((p.rowwise().sum().array() - 1).abs().maxCoeff() < TestType(1e-6));
        workspace scratch;
        for (row_index i = 0; i < x.rows(); ++i) {
            const auto row = model(row_of(x, i), scratch);
            REQUIRE(row.size() == static_cast<std::size_t>(classes));
            for (std::size_t j = 0; j < row.size(); ++j) REQUIRE(row[j] == p(i, static_cast<row_index>(j)));
            REQUIRE(model(x.middleRows(i, 1)) == p.row(i));
        }
        const auto* const place = model(row_of(x, 0), scratch).data();
        CHECK(model(row_of(x, 1), scratch).data() == place);
        CHECK(model(matrix<TestType>(0, 7)).rows() == 0);
        CHECK(model.output_names({})[1] == "class_1");
    }
}

TEST_CASE("logistic: what each column adds to a score sums to it", "[logistic][explain]") {
    for (const int classes : {2, 3}) {
        const auto set = overlapping(80, classes, 4, 3);
        const auto chain = fit(standardize<double>{} | logistic<double>{}, set.x, set.y);
        const matrix<double> z = chain.get<0>()(set.x), p = chain(set.x);
        const auto& model = chain.get<1>();
        for (row_index i = 0; i < 80; i += 7) {
            double sum = 0;
            for (int k = 0; k < classes; ++k) sum += std::exp(model.explain(row_of(z, i), static_cast<std::size_t>(k)).score() / (classes == 2 ? 2 : 1));
            for (int k = 0; k < classes; ++k) {
                const auto why = model.explain(row_of(z, i), static_cast<std::size_t>(k));
                CHECK(std::exp(why.score() / (classes == 2 ? 2 : 1)) / sum == Approx(p(i, k)).epsilon(1e-12));
            }
            // Against the average customer, whose z-scores are 0, the parts are Shapley values: they sum to the difference.
            const auto why = model.explain(row_of(z, i)), average = model.explain(std::vector<double>(4, 0.0));
            CHECK(why.score() - average.score() == Approx(why.score() - why.intercept).margin(1e-12));
        }
        const std::vector<std::string> names{"recency", "frequency", "spend", "tenure"};
        const auto top = model.explain(row_of(z, 5)).top(2, names);
        REQUIRE(top.size() == 2);
        CHECK(std::abs(top[0].second) >= std::abs(top[1].second));
        CHECK(error_of([&] { (void)model.explain(row_of(z, 5), 3); }).code() == errc::bad_parameter);
        CHECK(error_of([&] { (void)model.explain(std::vector<double>(3, 0.0)); }).code() == errc::shape_mismatch);
    }
    // The oracle's linear model: w = (2, -1, .5), b = .25 at (3, -1, 2), against the mean of four rows.
    matrix<double> w(1, 3), background(4, 3);
    w << 2, -1, .5;
    background << 0, 0, 0, 1, 2, 3, 2, 1, 0, 1, 1, 1;
    const logistic_model<double> linear(w, vec<double>::Constant(1, .25));
    const auto at = linear.explain(std::vector<double>{3, -1, 2});
    CHECK(at.score() == Approx(8.25));
    const vec<double> mean = background.colwise().mean();
    const auto base = linear.explain(std::span<const double>(mean.data(), 3));
    CHECK(base.score() == Approx(1.75));
    for (const auto& [j, phi] : {std::pair{0U, 4.0}, {1U, 2.0}, {2U, .5}}) CHECK(at.parts[j].value - base.parts[j].value == Approx(phi));
}

TEST_CASE("logistic: the number of threads changes no bit", "[logistic][determinism]") {
    for (const auto& [classes, columns] : {std::pair<int, row_index>{3, 9}, {2, 520}}) {
        const auto set = overlapping(900, classes, columns, 6);
        const auto one = fit(logistic<double>{}, set.x, set.y, {.seed = 1});
        for (const std::size_t threads : {std::size_t{2}, std::size_t{3}, std::size_t{0}}) {
            const auto other = fit(logistic<double>{}, set.x, set.y, {.seed = 2, .threads = threads});
            CHECK(other.coefficients() == one.coefficients());
            CHECK(other.intercepts() == one.intercepts());
        }
    }
}

TEST_CASE("logistic: an observer sees each step, and stopping keeps what was learnt", "[logistic][progress]") {
    const auto set = overlapping(200, 3, 4, 8);
    std::vector<progress> seen;
    const auto model = fit(logistic<double>{.max_iterations = 50}, set.x, set.y, {.on_progress = [&](const progress& p) {
                               seen.push_back(p);
                               return verdict::go_on;
                           }});
    REQUIRE(seen.size() >= 3);
    CHECK(seen.size() <= 10);
    for (std::size_t i = 0; i < seen.size(); ++i) {
        CHECK(seen[i].stage == "logistic");
        CHECK(seen[i].step == i + 1);
        CHECK(seen[i].steps == 50);
    }
    CHECK(seen.back().loss == Approx(log_loss(model(set.x), set.y)).epsilon(1e-9));
    const auto stopped = fit(logistic<double>{}, set.x, set.y, {.on_progress = [](const progress&) { return verdict::stop; }});
    CHECK(log_loss(stopped(set.x), set.y) == Approx(seen.front().loss).epsilon(1e-9));
    CHECK(seen.front().loss > seen.back().loss);
    struct changed_my_mind {};
    CHECK_THROWS_AS(fit(logistic<double>{}, set.x, set.y, {.on_progress = [](const progress&) -> verdict { throw changed_my_mind{}; }}), changed_my_mind);
}

TEST_CASE("logistic: what cannot be learnt from is refused, with its place", "[logistic][error]") {
    const auto set = overlapping(30, 2, 3, 1);
    const logistic<double> recipe;
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    for (const double bad : {-1.0, nan, infinity}) {
        const error e = error_of([&] { (void)logistic<double>{.regularization = bad}.fit(matrix<double>(0, 2), {}, {}); });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()).find("regularization") != std::string::npos);
    }
    CHECK(error_of([&] { (void)logistic<double>{.max_iterations = 0}.fit(set.x, set.y, {}); }).code() == errc::bad_parameter);
    const error short_of = error_of([&] { (void)fit(logistic<double>{.max_iterations = 1}, set.x, set.y); });
    CHECK(short_of.code() == errc::diverged);
    CHECK(std::string(short_of.what()).find("raise max_iterations") != std::string::npos);
    CHECK(error_of([&] { (void)fit(recipe, matrix<double>(0, 3), std::vector<int>{}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)recipe.fit(set.x, {0, 1}, {}); }).code() == errc::shape_mismatch);
    const error one_class = error_of([&] { (void)fit(recipe, set.x, std::vector<int>(30, 1)); });
    CHECK(one_class.code() == errc::bad_data);
    CHECK(std::string(one_class.what()) == "logistic: the 30 labels are of one class only");
    auto bad = set.y;
    bad[4] = -1;
    CHECK(error_of([&] { (void)fit(recipe, set.x, bad); }).where().row == 5);
    bad[4] = 2'000'000'000;
    CHECK(error_of([&] { (void)fit(recipe, set.x, bad); }).code() == errc::limit_exceeded);
    bad[4] = 3;
    const error gap = error_of([&] { (void)fit(recipe, set.x, bad); });
    CHECK(gap.code() == errc::bad_data);
    CHECK(std::string(gap.what()).starts_with("logistic: class 2 of 4 has no row"));
    std::vector<double> weights(30, 1);
    for (std::size_t i = 0; i < 30; ++i) weights[i] = set.y[i];
    CHECK(error_of([&] { (void)fit(recipe, set.x, set.y, {.weights = weights}); }).code() == errc::bad_data);
    weights[3] = nan;
    CHECK(error_of([&] { (void)fit(recipe, set.x, set.y, {.weights = weights}); }).where().row == 4);
    for (const double hole : {nan, infinity, -infinity}) {
        auto x = set.x;
        x(6, 1) = hole;
        CHECK(error_of([&] { (void)fit(recipe, x, set.y); }).where() == place{.row = 7, .column = 2});
        CHECK(error_of([&] { (void)fit(recipe, set.x, set.y)(x); }).where() == place{.row = 7, .column = 2});
    }
    const auto model = fit(recipe, set.x, set.y);
    const error width = error_of([&] { (void)model(matrix<double>(1, 2)); });
    CHECK(width.code() == errc::shape_mismatch);
    CHECK(std::string(width.what()) == "logistic: got 2 columns, learnt 3");
    workspace scratch;
    CHECK(error_of([&] { (void)model(std::span<const double>(set.x.data(), 2), scratch); }).code() == errc::shape_mismatch);
    const logistic_model<float> steep(matrix<float>::Constant(1, 2, 1e30F), vec<float>::Zero(1));
    matrix<float> huge = matrix<float>::Zero(3, 2);
    CHECK(steep(huge)(2, 0) == 0.5F);
    huge(1, 0) = 1e30F;
    const error beyond = error_of([&] { (void)steep(huge); });
    CHECK(beyond.code() == errc::number_out_of_range);
    CHECK(beyond.where().row == 2);
    huge(1, 0) = 1e5F;  // scores of 1e35 are fine
    CHECK(steep(huge)(1, 0) == 0);
    CHECK(steep(huge)(1, 1) == 1);
}

TEST_CASE("logistic: a model is only made of fields that belong together", "[logistic][error]") {
    const auto refused = [](matrix<float> coefficients, vec<float> intercepts) {
        return error_of([&] { logistic_model<float> made(std::move(coefficients), std::move(intercepts)); }).code() == errc::bad_data;
    };
    CHECK(refused(matrix<float>::Zero(0, 3), vec<float>::Zero(0)));
    CHECK(refused(matrix<float>::Zero(3, 2), vec<float>::Zero(2)));
    CHECK(refused(matrix<float>::Constant(1, 2, std::numeric_limits<float>::infinity()), vec<float>::Zero(1)));
    CHECK(refused(matrix<float>::Zero(1, 2), vec<float>::Constant(1, std::numeric_limits<float>::quiet_NaN())));
    CHECK(logistic_model<float>(matrix<float>::Zero(4, 2), vec<float>::Zero(4))(matrix<float>::Ones(1, 2))(0, 3) == 0.25F);
}

// ---- real customers --------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("logistic: scikit-learn's figures on churn, fold by fold", "[logistic][slow]", CARAMEL_TEST_SCALARS) {
    SHARED_OR_SKIP(telco, "data/telco_churn_ibm/wa_churn.csv");
    SHARED_OR_SKIP(mlc, "data/mlc_churn/mlc_churn.csv");
    // LogisticRegression(C=1) of version 1.2.1 on z-scores of the training fold: AUC and log loss of test fold k, the rows
    // whose number from 0 leaves the remainder k when divided by 5.
    const auto check = [](const std::filesystem::path& file, const std::vector<std::pair<double, double>>& expected) {
        const auto all = read_customers(file);
        std::vector<std::size_t> numbers(all.y.size());
        for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
        const auto folds = modulo_folds(numbers, 5);
        for (std::size_t k = 0; k < 5; ++k) {
            const matrix<TestType> x = all.x.cast<TestType>();
            const matrix<TestType> train = x(folds[k].train, Eigen::all), test = x(folds[k].test, Eigen::all);
            const auto model = fit(standardize<TestType>{} | logistic<TestType>{}, train, labels_at(all.y, folds[k].train));
            const matrix<TestType> p = model(test);
            const auto y = labels_at(all.y, folds[k].test);
            INFO("fold " << k);
            CHECK(std::abs(auc(p, y) - expected[k].first) < 2e-5);
            CHECK(std::abs(log_loss(p, y) - expected[k].second) < 2e-5);
        }
    };
    check(telco, {{0.835583, 0.425793}, {0.863887, 0.401339}, {0.835168, 0.414534}, {0.854667, 0.414334}, {0.837448, 0.430744}});
    check(mlc, {{0.814167, 0.307735}, {0.810422, 0.327929}, {0.807883, 0.354797}, {0.854367, 0.292613}, {0.824612, 0.320925}});
}

TEST_CASE("logistic: who will not return to the shop", "[logistic][slow]") {
    SHARED_OR_SKIP(file, "data/online_retail_ii/online_retail_2009_2010.csv");
    using namespace std::chrono;
    const auto purchases = clean(transactions::from(read_csv(file.string()), {.customer = "customer_id", .item = "stock_code", .invoice = "invoice",
                                                                            .quantity = "quantity", .price = "price", .when = "invoice_date"}))
                               .kept;
    const sys_seconds split = sys_days{year{2010} / 9 / 10};
    const histories seen(purchases, split);
    const auto gone = did_not_return(seen, purchases.since(split));
    REQUIRE(seen.size() == 3373);
    CHECK(static_cast<double>(std::ranges::count(gone, 1)) / 3373 == Approx(.423).margin(5e-4));
    std::vector<int> ids;
    for (const auto& id : seen.ids()) ids.push_back(std::stoi(id));
    double recency = 0, area = 0, loss = 0;
    for (const auto& fold : modulo_folds(ids, 5)) {
        const auto model = fit(rfm<double>{} | standardize<double>{} | logistic<double>{}, seen.take_rows(fold.train), labels_at(gone, fold.train));
        const auto tested = seen.take_rows(fold.test);
        const auto y = labels_at(gone, fold.test);
        recency += auc(matrix<double>(rfm<double>{}(tested).col(0)), y) / 5;
        area += auc(model(tested), y) / 5;
        loss += log_loss(model(tested), y) / 5;
    }
    INFO("recency " << recency << ", auc " << area << ", log loss " << loss);
    CHECK(std::abs(recency - .6527) < 1e-3);  // another library's figures
    CHECK(std::abs(area - .7288) < 1e-3);
    CHECK(std::abs(loss - .5976) < 1e-3);
}

}  // namespace logistic_test
