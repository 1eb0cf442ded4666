#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/apply.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/linear/linear_svm.hpp>
#include <caramel/linear/sparse_logistic.hpp>
#include <caramel/pipeline.hpp>

#include "support/catch.hpp"
#include "support/count_allocations.hpp"

using namespace caramel;

namespace {

struct examples {
    matrix<double> x;
    std::vector<int> y;
};
/// Classes that overlap; three of four values are zero.
examples sparse_classes(std::size_t rows, int classes, row_index columns, std::uint64_t seed) {
    rng random(seed);
    matrix<double> centres(classes, columns);
    for (row_index i = 0; i < centres.size(); ++i) centres.data()[i] = random.normal();
    examples out{matrix<double>::Zero(static_cast<row_index>(rows), columns), std::vector<int>(rows)};
    for (std::size_t i = 0; i < rows; ++i) {
        out.y[i] = static_cast<int>(i) % classes;
        for (row_index j = 0; j < columns; ++j) {
            const bool there = random.below(4) == 0;
            const double value = centres(out.y[i], j) + random.normal();
            if (there) out.x(static_cast<row_index>(i), j) = value;
        }
    }
    return out;
}

using numbers = std::vector<long double>;

bool solve(std::vector<numbers> a, numbers& b) {
    const std::size_t n = b.size();
    for (std::size_t c = 0; c < n; ++c) {
        std::size_t pivot = c;
        for (std::size_t r = c; r < n; ++r)
            if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
        if (std::abs(a[pivot][c]) < 1e-14L) return false;
        std::swap(a[c], a[pivot]);
        std::swap(b[c], b[pivot]);
        for (std::size_t r = 0; r < n; ++r) {
            if (r == c) continue;
            const long double f = a[r][c] / a[c][c];
            for (std::size_t m = c; m < n; ++m) a[r][m] -= f * a[c][m];
            b[r] -= f * b[c];
        }
    }
    for (std::size_t i = 0; i < n; ++i) b[i] /= a[i][i];
    return true;
}

/// One class against the others, on the rows with a last column of `ones`: Newton's method with a line search on the primal,
/// in long double (where the loss is a squared hinge its second derivative jumps, which a line search can live with).
struct primal_twin {
    const examples& set;
    int own;
    numbers costs;
    long double ones;
    bool logistic;
    std::size_t width;
    numbers w;

    primal_twin(const examples& s, int k, const std::vector<double>& c, double o, bool l)
        : set(s),
          own(k),
          costs(c.begin(), c.end()),
          ones(static_cast<long double>(o)),
          logistic(l),
          width(static_cast<std::size_t>(s.x.cols()) + 1),
          w(width) {}
    long double feature(std::size_t i, std::size_t j) const {
        return j + 1 == width ? ones : static_cast<long double>(set.x(static_cast<row_index>(i), static_cast<row_index>(j)));
    }
    long double sign(std::size_t i) const { return set.y[i] == own ? 1 : -1; }
    long double margin(std::size_t i, const numbers& at) const {
        long double sum = 0;
        for (std::size_t j = 0; j < width; ++j) sum += at[j] * feature(i, j);
        return sign(i) * sum;
    }
    long double loss(const numbers& at) const {
        long double sum = 0;
        for (const auto v : at) sum += v * v / 2;
        for (std::size_t i = 0; i < set.y.size(); ++i) {
            const long double m = margin(i, at), missed = std::max(0.0L, 1 - m);
            sum += costs[i] * (logistic ? std::log1p(std::exp(-m)) : missed * missed);
        }
        return sum;
    }
    void minimize() {
        for (int step = 0; step < 60; ++step) {
            numbers g = w;
            std::vector<numbers> h(width, numbers(width));
            for (std::size_t j = 0; j < width; ++j) h[j][j] = 1;
            for (std::size_t i = 0; i < set.y.size(); ++i) {
                const long double m = margin(i, w), p = 1 / (1 + std::exp(m));
                const long double slope = costs[i] * sign(i) * (logistic ? -p : -2 * std::max(0.0L, 1 - m));
                const long double curve = costs[i] * (logistic ? p * (1 - p) : m < 1 ? 2.0L : 0.0L);
                for (std::size_t j = 0; j < width; ++j) {
                    g[j] += slope * feature(i, j);
                    for (std::size_t k = 0; k < width; ++k) h[j][k] += curve * feature(i, j) * feature(i, k);
                }
            }
            REQUIRE(solve(h, g));
            long double length = 1;
            for (const long double before = loss(w); length > 1e-6L; length /= 2) {
                numbers next = w;
                for (std::size_t j = 0; j < width; ++j) next[j] -= length * g[j];
                if (loss(next) <= before) {
                    w = next;
                    break;
                }
            }
        }
    }
};

template <class Model>
double distance(const Model& model, const numbers& w, long double ones, std::size_t output) {
    long double worst = std::abs(static_cast<long double>(model.intercepts()(static_cast<row_index>(output))) - w.back() * ones);
    numbers mine(w.size() - 1);
    for (std::size_t r = 0; r < model.kept().size(); ++r)
        mine[static_cast<std::size_t>(model.kept()[r])] =
            static_cast<long double>(model.coefficients()(static_cast<row_index>(r), static_cast<row_index>(output)));
    for (std::size_t j = 0; j < mine.size(); ++j) worst = std::max(worst, std::abs(mine[j] - w[j]));
    return static_cast<double>(worst);
}
std::vector<double> some_weights(std::size_t rows) {
    rng random(5);
    std::vector<double> out;
    for (std::size_t i = 0; i < rows; ++i) out.push_back(i % 7 == 3 ? 0 : 3 * random.uniform());
    return out;
}

/// The dual of the hinge by trying every row at 0, at its cost, and in between: 3^n linear systems.
numbers hinge_by_enumeration(const examples& set, double cost, double ones) {
    const std::size_t n = set.y.size(), width = static_cast<std::size_t>(set.x.cols()) + 1;
    const auto signed_feature = [&](std::size_t i, std::size_t j) {
        const double x = j + 1 == width ? ones : set.x(static_cast<row_index>(i), static_cast<row_index>(j));
        return static_cast<long double>(set.y[i] == 1 ? x : -x);
    };
    const auto c = static_cast<long double>(cost);
    std::size_t cases = 1;
    for (std::size_t i = 0; i < n; ++i) cases *= 3;
    for (std::size_t which = 0; which < cases; ++which) {
        numbers alpha(n);
        std::vector<std::size_t> free, kind(n);
        for (std::size_t i = 0, rest = which; i < n; ++i, rest /= 3) {
            kind[i] = rest % 3;
            if (kind[i] == 1) alpha[i] = c;
            if (kind[i] == 2) free.push_back(i);
        }
        const auto weights = [&] {
            numbers w(width);
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t j = 0; j < width; ++j) w[j] += alpha[i] * signed_feature(i, j);
            return w;
        };
        const auto margin = [&](std::size_t i, const numbers& w) {
            long double sum = 0;
            for (std::size_t j = 0; j < width; ++j) sum += w[j] * signed_feature(i, j);
            return sum;
        };
        const numbers fixed = weights();
        std::vector<numbers> a(free.size(), numbers(free.size()));
        numbers b(free.size());
        for (std::size_t r = 0; r < free.size(); ++r) {
            b[r] = 1 - margin(free[r], fixed);
            for (std::size_t k = 0; k < free.size(); ++k)
                for (std::size_t j = 0; j < width; ++j) a[r][k] += signed_feature(free[r], j) * signed_feature(free[k], j);
        }
        if (!solve(a, b)) continue;
        bool best = true;
        for (std::size_t r = 0; r < free.size(); ++r) {
            alpha[free[r]] = b[r];
            best = best && b[r] >= 0 && b[r] <= c;
        }
        const numbers w = weights();
        for (std::size_t i = 0; best && i < n; ++i) {
            if (kind[i] == 0) best = margin(i, w) >= 1 - 1e-12L;
            if (kind[i] == 1) best = margin(i, w) <= 1 + 1e-12L;
        }
        if (best) return w;
    }
    FAIL("no case is the minimum");
    return {};
}

}  // namespace

TEST_CASE("sparse_logistic and linear_svm: the minimum that Newton's method on the primal finds", "[dual]") {
    for (const int classes : {2, 4})
        for (const double r : {0.05, 1.0, 20.0})
            for (const double ones : {1.0, 0.0, 3.0})
                for (const bool weighted : {false, true}) {
                    if (weighted && ones == 0) continue;
                    const auto set = sparse_classes(60, classes, 8, 3);
                    const auto weights = weighted ? some_weights(60) : std::vector<double>{};
                    const std::vector<double> class_weights = weighted ? std::vector<double>(static_cast<std::size_t>(classes), 0.5) : std::vector<double>{};
                    auto halved = class_weights;
                    if (weighted) halved[1] = 2;
                    std::vector<double> costs;
                    for (std::size_t i = 0; i < 60; ++i) costs.push_back((weighted ? weights[i] * (set.y[i] == 1 ? 2 : 0.5) : 1) / r);
                    const sparse_matrix<double> rows(set.x);
                    const fit_options options{.seed = 1, .weights = weights};
                    INFO(classes << " classes, regularization " << r << ", intercept_scale " << ones << (weighted ? ", weighted" : ""));
                    const auto log = fit(sparse_logistic<double>{.regularization = r, .intercept_scale = ones, .class_weights = halved, .tolerance = 1e-14},
                                         rows, set.y, options);
                    const auto svm = fit(linear_svm<double>{.regularization = r, .intercept_scale = ones, .class_weights = halved, .tolerance = 1e-14}, rows,
                                         set.y, options);
                    for (int k = classes == 2 ? 1 : 0; k < classes; ++k)
                        for (const bool logistic : {true, false}) {
                            primal_twin twin(set, k, costs, ones, logistic);
                            twin.minimize();
                            const auto output = static_cast<std::size_t>(classes == 2 ? 0 : k);
                            CHECK((logistic ? distance(log, twin.w, twin.ones, output) : distance(svm, twin.w, twin.ones, output)) < 1e-6);
                        }
                    const auto dense = fit(linear_svm<double>{.regularization = r, .intercept_scale = ones, .class_weights = halved, .tolerance = 1e-14}, set.x,
                                           set.y, options);
                    CHECK((dense(set.x) - svm(set.x)).cwiseAbs().maxCoeff() < 1e-6);
                }
}

TEST_CASE("linear_svm: the hinge, by trying every case", "[dual]") {
    for (std::uint64_t seed = 0; seed < 6; ++seed)
        for (const double r : {0.1, 1.0, 8.0}) {
            auto set = sparse_classes(7, 2, 3, seed);
            rng random(seed + 50);
            for (row_index i = 0; i < set.x.size(); ++i) set.x.data()[i] += 0.3 * random.normal();
            const auto other = hinge_by_enumeration(set, 1 / r, 1);
            const auto model = fit(linear_svm<double>{.regularization = r, .loss = svm_loss::hinge, .tolerance = 1e-14, .max_epochs = 100'000}, set.x, set.y);
            INFO("seed " << seed << ", regularization " << r);
            CHECK(distance(model, other, 1, 0) < 1e-6);
        }
}

TEST_CASE("linear_svm and sparse_logistic: the gap holds what it promises", "[dual]") {
    const auto set = sparse_classes(200, 2, 20, 4);
    primal_twin log(set, 1, std::vector<double>(200, 10), 1, true), svm(set, 1, std::vector<double>(200, 10), 1, false);
    log.minimize();
    svm.minimize();
    const auto loss_of = [](const primal_twin& twin, const auto& model) {
        numbers w(twin.width);
        for (std::size_t r = 0; r < model.kept().size(); ++r)
            w[static_cast<std::size_t>(model.kept()[r])] = static_cast<long double>(model.coefficients()(static_cast<row_index>(r), 0));
        w.back() = static_cast<long double>(model.intercepts()(0));
        return static_cast<double>(twin.loss(w) / twin.loss(twin.w) - 1);
    };
    for (const double tolerance : {1e-1, 1e-3, 1e-6, 1e-9}) {
        CHECK(loss_of(log, fit(sparse_logistic<double>{.regularization = 0.1, .tolerance = tolerance}, set.x, set.y)) <= 2 * tolerance);
        CHECK(loss_of(svm, fit(linear_svm<double>{.regularization = 0.1, .tolerance = tolerance}, set.x, set.y)) <= 2 * tolerance);
    }
}

TEMPLATE_TEST_CASE("linear_svm and sparse_logistic: the same bits dense and sparse, alone and in any batch", "[dual]", CARAMEL_TEST_SCALARS) {
    for (const int classes : {2, 5}) {
        const auto set = sparse_classes(60, classes, 9, 1);
        matrix<TestType> x = set.x.cast<TestType>();
        x.col(4).setZero();
        const sparse_matrix<TestType> rows(x);
        const auto check = [&](const auto& model) {
            CHECK(model.inputs() == 9);
            CHECK(model.classes() == static_cast<std::size_t>(classes));
            CHECK(model.kept().size() == 8);  // what no row has is not kept
            const matrix<TestType> out = model(x);
            REQUIRE(out.cols() == classes);
            CHECK(model(rows) == out);
            workspace scratch;
            for (row_index i = 0; i < x.rows(); ++i) {
                const auto dense = model(row_of(x, i), scratch);
                for (row_index k = 0; k < classes; ++k) REQUIRE(dense[static_cast<std::size_t>(k)] == out(i, k));
                const auto* const place = dense.data();
                const auto sparse = model(row_of(rows, i), scratch);
                CHECK(sparse.data() == place);
                for (row_index k = 0; k < classes; ++k) REQUIRE(sparse[static_cast<std::size_t>(k)] == out(i, k));
                REQUIRE(model(rows.slice(static_cast<std::size_t>(i), static_cast<std::size_t>(i) + 1)) == out.row(i));
                REQUIRE(model(row_of(rows, i)).size() == static_cast<std::size_t>(classes));
            }
            CHECK(model(matrix<TestType>(0, 9)).rows() == 0);
            CHECK(model(sparse_matrix<TestType>(std::size_t{9})).rows() == 0);
            CHECK(model.output_names({})[1] == "class_1");
        };
        const auto svm = fit(linear_svm<TestType>{}, rows, set.y);
        const auto log = fit(sparse_logistic<TestType>{}, rows, set.y);
        check(svm);
        check(log);
        const matrix<TestType> p = log(rows), values = svm(rows);
        CHECK((p.rowwise().sum().array() - 1).abs().maxCoeff() < TestType(1e-6));
        for (row_index i = 0; i < 60; ++i)
            for (std::size_t k = 0; k < static_cast<std::size_t>(classes); ++k) {
                REQUIRE(svm.explain(row_of(rows, i), k).score() == Approx(static_cast<double>(values(i, static_cast<row_index>(k)))).margin(1e-5));
                const auto odds = log.explain(row_of(x, i), k);
                CHECK(odds.parts == log.explain(row_of(rows, i), k).parts);
                if (classes == 2) REQUIRE(1 / (1 + std::exp(-odds.score())) == Approx(static_cast<double>(p(i, static_cast<row_index>(k)))).margin(1e-6));
            }
        CHECK(error_of([&] { (void)svm.explain(row_of(x, 0), 5); }).code() == errc::bad_parameter);
        int right = 0;
        for (row_index i = 0; i < 60; ++i) {
            row_index top = 0;
            p.row(i).maxCoeff(&top);
            right += top == set.y[static_cast<std::size_t>(i)];
        }
        CHECK(right > 60 * 2 / 3);
    }
}

TEST_CASE("linear_svm and sparse_logistic: one class against the others, divided by the sum", "[dual]") {
    const auto set = sparse_classes(90, 3, 6, 8);
    const auto all = fit(sparse_logistic<double>{.tolerance = 1e-13}, set.x, set.y);
    matrix<double> alone(90, 3);
    for (int k = 0; k < 3; ++k) {
        std::vector<int> own;
        for (const int label : set.y) own.push_back(label == k ? 1 : 0);
        alone.col(k) = fit(sparse_logistic<double>{.tolerance = 1e-13}, set.x, own)(set.x).col(1);
    }
    for (row_index i = 0; i < 90; ++i) alone.row(i) /= alone.row(i).sum();
    CHECK((all(set.x) - alone).cwiseAbs().maxCoeff() < 1e-6);
    // Odds that are against every class by far are divided nonetheless.
    const sparse_logistic_model<float> doubtful(2, {0, 1}, matrix<float>::Constant(2, 3, -1e4F), vec<float>::Zero(3));
    const matrix<float> p = doubtful(matrix<float>::Ones(1, 2));
    CHECK(p(0, 1) == Approx(1.0 / 3));
}

TEST_CASE("linear_svm and sparse_logistic: a model of few of many columns", "[dual]") {
    // 100,000 columns of which three are used: what is kept is searched.
    sparse_matrix<float> x(std::size_t{100'000});
    std::vector<int> y;
    rng random(2);
    for (int i = 0; i < 50; ++i) {
        y.push_back(i % 2);
        x.append_row(std::vector<std::int32_t>{7, 60'000, 99'999},
                     std::vector<float>{static_cast<float>(i % 2 + 0.5 * random.normal()), 1, static_cast<float>(random.normal())});
    }
    const auto model = fit(linear_svm<float>{}, x, y);
    CHECK(model.kept() == std::vector<std::int32_t>{7, 60'000, 99'999});
    workspace scratch;
    sparse_matrix<float> asked(std::size_t{100'000});
    asked.append_row(std::vector<std::int32_t>{3, 7, 8, 99'998, 99'999}, std::vector<float>{5, 2, 5, 5, -1});
    const float expected = 2 * model.coefficients()(0, 0) - model.coefficients()(2, 0) + model.intercepts()(0);
    CHECK(model(row_of(asked, 0), scratch)[1] == Approx(expected));
    CHECK(model(asked)(0, 1) == model(row_of(asked, 0), scratch)[1]);
    CHECK(model(asked.dense())(0, 1) == model(row_of(asked, 0), scratch)[1]);
    CHECK(model.explain(row_of(asked, 0)).parts.size() == 2);
}

// ---- behind a stage that makes sparse rows ----------------------------------------------------------------------------

namespace {


/// How often each letter stands in a text.
struct letters {
    static constexpr std::size_t width = 26;

    static std::size_t count(std::string_view text, std::span<std::int32_t> columns, std::span<float> values) {
        std::size_t n = 0;
        for (std::size_t j = 0; j < width; ++j)
            if (const auto times = std::ranges::count(text, static_cast<char>('a' + j)); times > 0) {
                columns[n] = static_cast<std::int32_t>(j);
                values[n++] = static_cast<float>(times);
            }
        return n;
    }
    sparse_matrix<float> operator()(const std::vector<std::string>& texts) const {
        sparse_matrix<float> out(width);
        std::vector<std::int32_t> columns(width);
        std::vector<float> values(width);
        for (const auto& text : texts) {
            const std::size_t n = count(text, columns, values);
            out.append_row(std::span(columns).first(n), std::span<const float>(values).first(n));
        }
        return out;
    }
    sparse_row<float> operator()(std::string_view text, workspace& scratch) const {
        const auto columns = scratch.take<std::int32_t>(width);
        const auto values = scratch.take<float>(width);
        const std::size_t n = count(text, columns, values);
        return {columns.first(n), values.first(n), width};
    }
};

}  // namespace

TEST_CASE("linear_svm and sparse_logistic: a chain over sparse rows, one at a time without allocation", "[dual]") {
    std::vector<std::string> texts;
    std::vector<int> y;
    rng random(1);
    for (int i = 0; i < 3000; ++i) {
        texts.emplace_back();
        for (int n = 0; n < 12; ++n) texts.back() += static_cast<char>('a' + random.below(random.below(3) == 0 ? 26 : 13) + (i % 2 == 0 ? 0 : 5));
        y.push_back(i % 2);
    }
    const auto check = [&](const auto& chain) {
        const matrix<float> out = chain(texts);
        CHECK(apply(chain, texts, {.threads = 2}) == out);
        const sparse_matrix<float> rows = letters{}(texts);
        CHECK(apply(chain.template get<1>(), rows, {.threads = 2}) == out);
        int right = 0;
        workspace scratch;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const std::size_t before = n_allocations;
            const std::span<const float> row = chain(std::string_view(texts[i]), scratch);
            if (i > 0) REQUIRE(n_allocations == before);
            REQUIRE(row[1] == out(static_cast<row_index>(i), 1));
            right += (row[1] > row[0]) == (y[i] == 1);
        }
        CHECK(right > 2500);
        CHECK(chain(std::string_view(texts[3])).size() == 2);
    };
    check(fit(letters{} | linear_svm<float>{}, texts, y));
    check(fit(letters{} | sparse_logistic<float>{}, texts, y));
}

TEST_CASE("linear_svm and sparse_logistic: weights, seeds, threads and progress", "[dual]") {
    const auto set = sparse_classes(80, 3, 7, 5);
    std::vector<double> weights;
    std::vector<row_index> kept;
    std::vector<int> labels;
    for (row_index i = 0; i < 80; ++i) {
        weights.push_back(static_cast<double>(i % 4));
        for (int k = 0; k < i % 4; ++k) {
            kept.push_back(i);
            labels.push_back(set.y[static_cast<std::size_t>(i)]);
        }
    }
    const matrix<double> repeated = set.x(kept, Eigen::all);
    for (const svm_loss loss : {svm_loss::hinge, svm_loss::squared_hinge}) {
        const linear_svm<double> recipe{.loss = loss, .tolerance = 1e-10, .max_epochs = 100'000};
        CHECK((fit(recipe, set.x, set.y, {.weights = weights})(set.x) - fit(recipe, repeated, labels)(set.x)).cwiseAbs().maxCoeff() < 1e-3);
    }
    const sparse_logistic<double> recipe{.tolerance = 1e-12};
    CHECK((fit(recipe, set.x, set.y, {.weights = weights})(set.x) - fit(recipe, repeated, labels)(set.x)).cwiseAbs().maxCoeff() < 1e-5);

    const auto one = fit(sparse_logistic<double>{}, set.x, set.y, {.seed = 3});
    for (const std::size_t threads : {std::size_t{2}, std::size_t{3}, std::size_t{8}})
        CHECK(fit(sparse_logistic<double>{}, set.x, set.y, {.seed = 3, .threads = threads}).coefficients() == one.coefficients());
    CHECK(fit(sparse_logistic<double>{}, set.x, set.y, {.seed = 4}).coefficients() != one.coefficients());

    std::vector<progress> seen;
    (void)fit(sparse_logistic<double>{.tolerance = 1e-9}, set.x, set.y, {.on_progress = [&](const progress& p) {
                  seen.push_back(p);
                  return verdict::go_on;
              }});
    REQUIRE(seen.size() >= 2);
    for (const progress& p : seen) {
        CHECK(p.stage == "sparse_logistic");
        CHECK(p.step >= 1);
        CHECK(p.step <= p.steps);
        CHECK(p.loss > 0);
    }
    const auto stopped = fit(linear_svm<double>{.tolerance = 1e-14}, set.x, set.y, {.on_progress = [](const progress&) { return verdict::stop; }});
    CHECK(stopped.coefficients().allFinite());
}

TEST_CASE("linear_svm and sparse_logistic: rows and columns of zeros, rows that can be told apart", "[dual][edge]") {
    matrix<double> x = matrix<double>::Zero(6, 2);
    x.col(0) << -3, -2, -1, 1, 2, 3;
    const std::vector<int> y{0, 0, 0, 1, 1, 1};
    for (const double r : {1e-3, 1.0}) {
        CHECK(fit(linear_svm<double>{.regularization = r}, x, y)(x)(5, 1) > 0);
        CHECK(fit(sparse_logistic<double>{.regularization = r}, x, y)(x)(5, 1) > 0.9);
    }
    const matrix<double> nothing = matrix<double>::Zero(6, 2);
    for (const double ones : {0.0, 1.0})
        for (const svm_loss loss : {svm_loss::hinge, svm_loss::squared_hinge}) {
            const auto svm = fit(linear_svm<double>{.loss = loss, .intercept_scale = ones}, nothing, y);
            CHECK(svm.kept().empty());
            CHECK(svm(nothing)(2, 0) == Approx(0).margin(0.05));
            CHECK(fit(sparse_logistic<double>{.intercept_scale = ones}, nothing, y)(nothing)(0, 1) == Approx(0.5).margin(0.02));
        }
}

TEST_CASE("linear_svm and sparse_logistic: what cannot be learnt from is refused, with its place", "[dual][error]") {
    const auto set = sparse_classes(30, 2, 3, 1);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto code = [&](const linear_svm<double>& recipe) { return error_of([&] { (void)fit(recipe, set.x, set.y); }).code(); };
    for (const double bad : {-1.0, 0.0, nan}) CHECK(code({.regularization = bad}) == errc::bad_parameter);
    for (const double bad : {-1.0, nan}) CHECK(code({.intercept_scale = bad}) == errc::bad_parameter);
    for (const double bad : {0.0, 1.0, nan}) CHECK(code({.tolerance = bad}) == errc::bad_parameter);
    CHECK(code({.max_epochs = 0}) == errc::bad_parameter);
    CHECK(code({.class_weights = {1}}) == errc::shape_mismatch);
    CHECK(code({.class_weights = {1, -1}}) == errc::bad_parameter);
    CHECK(code({.class_weights = {1, 0}}) == errc::bad_data);
    const error short_of = error_of([&] { (void)fit(sparse_logistic<double>{.regularization = 1e-4, .tolerance = 1e-14, .max_epochs = 2}, set.x, set.y); });
    CHECK(short_of.code() == errc::diverged);
    CHECK(std::string(short_of.what()).find("raise max_epochs") != std::string::npos);
    CHECK(error_of([&] { (void)fit(linear_svm<double>{}, matrix<double>(0, 3), std::vector<int>{}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)linear_svm<double>{}.fit(set.x, {0, 1}, {}); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)fit(linear_svm<double>{}, set.x, std::vector<int>(30, 1)); }).code() == errc::bad_data);
    auto gap = set.y;
    gap[4] = 3;
    CHECK(std::string(error_of([&] { (void)fit(linear_svm<double>{}, set.x, gap); }).what()).starts_with("linear_svm: class 2 of 4 has no row"));
    auto x = set.x;
    x(6, 1) = nan;
    CHECK(error_of([&] { (void)fit(linear_svm<double>{}, x, set.y); }).where() == place{.row = 7, .column = 2});
    x(6, 1) = 1e200;
    CHECK(error_of([&] { (void)fit(linear_svm<double>{}, x, set.y); }).where().row == 7);
    x(6, 1) = nan;

    const auto model = fit(linear_svm<double>{}, set.x, set.y);
    workspace scratch;
    CHECK(error_of([&] { (void)model(x); }).where() == place{.row = 7, .column = 2});
    CHECK(std::string(error_of([&] { (void)model(matrix<double>(1, 2)); }).what()) == "linear_svm: got 2 columns, learnt 3");
    CHECK(error_of([&] { (void)model(sparse_matrix<double>(std::size_t{4})); }).code() == errc::shape_mismatch);
    const std::vector<std::int32_t> falling{2, 1}, rising{0, 2};
    const std::vector<double> values{1, nan}, fine{1, 2};
    CHECK(error_of([&] { (void)model(sparse_row<double>{falling, fine, 3}, scratch); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)model(sparse_row<double>{rising, values, 3}, scratch); }).where() == place{.row = 1, .column = 3});
    CHECK(error_of([&] { (void)model(sparse_row<double>{rising, fine, 4}, scratch); }).code() == errc::shape_mismatch);

    const auto refused = [](std::uint64_t inputs, std::vector<std::int32_t> kept, matrix<float> coefficients, vec<float> intercepts) {
        return error_of([&] { linear_svm_model<float> made(inputs, std::move(kept), std::move(coefficients), std::move(intercepts)); }).code() ==
               errc::bad_data;
    };
    CHECK(refused(3, {0, 3}, matrix<float>::Zero(2, 1), vec<float>::Zero(1)));
    CHECK(refused(3, {1, 0}, matrix<float>::Zero(2, 1), vec<float>::Zero(1)));
    CHECK(refused(3, {0, 1}, matrix<float>::Zero(1, 1), vec<float>::Zero(1)));
    CHECK(refused(3, {0, 1}, matrix<float>::Zero(2, 2), vec<float>::Zero(1)));
    CHECK(refused(3, {}, matrix<float>::Zero(0, 0), vec<float>::Zero(0)));
    CHECK(refused(std::uint64_t{1} << 40, {}, matrix<float>::Zero(0, 1), vec<float>::Zero(1)));
}
