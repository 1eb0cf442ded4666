#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <Eigen/QR>
#include <nlohmann/json.hpp>

#include "recommend/ml_latest.hpp"
#include "recommend/shop.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>

using namespace caramel;

namespace {

template <class T>
matrix<T> random_factors(row_index rows, row_index columns, std::uint64_t seed) {
    rng numbers(seed);
    matrix<T> out(rows, columns);
    for (row_index i = 0; i < out.size(); ++i) out.data()[i] = static_cast<T>(numbers.normal() / 2);
    return out;
}
template <class T>
als_model<T> model_of(const interactions<T>& x, matrix<T> items, const als_loss& loss = {}) {
    const auto rows = static_cast<row_index>(x.rows());
    const auto d = items.cols();
    return als_model<T>(x, matrix<T>::Zero(rows, d), std::move(items), loss);
}
template <class T>
std::vector<past_purchase> history_of(const interactions<T>& x, std::size_t row) {
    std::vector<past_purchase> out;
    for (std::size_t k = 0; k < x[row].size(); ++k)
        out.push_back({row_number{static_cast<std::size_t>(x[row].items[k])}, static_cast<double>(x[row].values[k])});
    return out;
}
double regularizer(const als_loss& loss, std::size_t observed, std::size_t others) {
    return loss.regularization * std::pow(static_cast<double>(observed) + loss.unobserved_weight * static_cast<double>(others), loss.frequency_scaling);
}
double confidence_of(const als_loss& loss, double value) {
    return loss.confidence_scale * (loss.weights == weighting::ones ? 1 : loss.weights == weighting::values ? value : std::log(1 + value));
}

// The loss as it is written, over every pair.
template <class T>
double brute_force_loss(const interactions<T>& x, const matrix<T>& customers, const matrix<T>& items, const als_loss& loss) {
    const matrix<double> u = customers.template cast<double>(), v = items.template cast<double>();
    const auto values = dense_values(x);
    double sum = 0;
    for (row_index c = 0; c < u.rows(); ++c)
        for (row_index i = 0; i < v.rows(); ++i) {
            const double score = u.row(c).dot(v.row(i)), value = values[static_cast<std::size_t>(c)][static_cast<std::size_t>(i)];
            sum += loss.unobserved_weight * score * score;
            if (value > 0) sum += confidence_of(loss, value) * (1 - score) * (1 - score);
        }
    const auto turned = x.by_item();
    for (row_index c = 0; c < u.rows(); ++c) sum += regularizer(loss, x[static_cast<std::size_t>(c)].size(), x.items().size()) * u.row(c).squaredNorm();
    for (row_index i = 0; i < v.rows(); ++i) sum += regularizer(loss, turned.view().count(static_cast<std::size_t>(i)), x.rows()) * v.row(i).squaredNorm();
    return sum;
}

// One row by dense least squares: an equation for every pair, and for every factor.
template <class T>
vec<double> least_squares(const interactions<T>& x, std::size_t row, const matrix<T>& items, const als_loss& loss) {
    const row_index n = items.rows(), d = items.cols();
    const matrix<double> v = items.template cast<double>();
    matrix<double> a = matrix<double>::Zero(2 * n + d, d);
    vec<double> b = vec<double>::Zero(2 * n + d);
    for (std::size_t k = 0; k < x[row].size(); ++k) {
        const double root = std::sqrt(confidence_of(loss, static_cast<double>(x[row].values[k])));
        a.row(x[row].items[k]) = root * v.row(x[row].items[k]);
        b(x[row].items[k]) = root;
    }
    a.middleRows(n, n) = std::sqrt(loss.unobserved_weight) * v;
    a.bottomRows(d).diagonal().setConstant(std::sqrt(regularizer(loss, x[row].size(), x.items().size())));
    return a.colPivHouseholderQr().solve(b);
}

// The normal equations of one row in double, as they are written: the matrix and the right-hand side.
template <class T>
std::pair<Eigen::MatrixXd, vec<double>> normal_equations(const interactions<T>& x, std::size_t row, const matrix<double>& h, const als_loss& loss) {
    Eigen::MatrixXd a = Eigen::MatrixXd::Zero(h.cols(), h.cols());
    vec<double> b = vec<double>::Zero(h.cols());
    for (std::size_t k = 0; k < x[row].size(); ++k) {
        const vec<double> one = h.row(x[row].items[k]).transpose();
        const double c = confidence_of(loss, static_cast<double>(x[row].values[k]));
        a += c * one * one.transpose();
        b += c * one;
    }
    a.diagonal() += loss.unobserved_weight * h.colwise().squaredNorm().transpose();
    a.diagonal().array() += regularizer(loss, x[row].size(), x.items().size());
    return {std::move(a), std::move(b)};
}

// So many steps of conjugate gradients in double, preconditioned with the diagonal: as they are written, with the whole matrix
// (whose Gramian of the fixed factors is diagonal in their basis).
vec<double> conjugate_gradient_steps(const Eigen::MatrixXd& a, const vec<double>& b, int steps, vec<double> at) {
    const vec<double> diagonal = a.diagonal();
    // Where nothing has the lower loss, and looks so by the diagonal alone.
    if (2 * at.dot(b - a * at) + at.dot(diagonal.cwiseProduct(at)) < 0 && at.dot(2 * b - a * at) < 0) at.setZero();
    vec<double> left = b - a * at, direction = left.cwiseQuotient(diagonal);
    double size = left.dot(direction);
    for (int step = 0; step < steps && size > 0; ++step) {
        const vec<double> product = a * direction;
        const double length = size / direction.dot(product);
        at += length * direction;
        left -= length * product;
        const vec<double> better = left.cwiseQuotient(diagonal);
        const double next = left.dot(better);
        direction = better + next / size * direction;
        size = next;
    }
    return at;
}

}  // namespace

TEMPLATE_TEST_CASE("als: one factor worked by hand", "[als]", CARAMEL_TEST_SCALARS) {
    const auto x = interactions<TestType>::of(std::vector<sale>{{0, 0}, {1, 1}});
    matrix<TestType> items(2, 1);
    items << 1, 2;
    const auto model = model_of<TestType>(x, items, {.regularization = .5, .unobserved_weight = .5, .frequency_scaling = 0});
    workspace scratch;
    // w = 1 / (.5 * (1 + 4) + 1 + .5)
    CHECK(model.factors_of(query{.history = std::vector<past_purchase>{{0, 1}}}, scratch)[0] == Approx(.25).epsilon(1e-14));
    const auto scores = model.score(query{.history = std::vector<past_purchase>{{0, 1}}}, {0, 1});
    CHECK(scores[0] == Approx(.25).epsilon(1e-14));
    CHECK(scores[1] == Approx(.5).epsilon(1e-14));
}

TEMPLATE_TEST_CASE("als: a half-step has the reference's factors", "[als]", CARAMEL_TEST_SCALARS) {
    SHARED_OR_SKIP(file, "oracles/recommend/tiny.json");
    std::ifstream in(file);
    const auto oracle = nlohmann::json::parse(in).at("ials_half_step");
    using table = std::vector<std::vector<double>>;
    const auto confidence = oracle.at("confidence").get<table>();
    const auto factors = oracle.at("item_factors").get<table>();
    std::vector<sale> log;
    for (int c = 0; c < 9; ++c)
        for (int i = 0; i < 12; ++i)
            if (const double value = confidence[static_cast<std::size_t>(c)][static_cast<std::size_t>(i)]; value > 0) log.push_back({c, i, value});
    const id_table customers({}, {0, 1, 2, 3, 4, 5, 6, 7, 8});
    const auto x = interactions<TestType>::of(log, {.customers = &customers});
    REQUIRE(x.items().size() == 12);
    matrix<TestType> items(12, 5);
    for (row_index i = 0; i < 12; ++i)
        for (row_index j = 0; j < 5; ++j) items(i, j) = static_cast<TestType>(factors[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)]);
    const double tolerance = std::is_same_v<TestType, float> ? 1e-4 : 1e-10;
    for (const double nu : {0.0, 1.0}) {
        const als_loss loss{
            .regularization = oracle.at("lambda").get<double>(), .unobserved_weight = oracle.at("alpha0").get<double>(), .frequency_scaling = nu};
        const auto expected = oracle.at("user_factors").at(nu == 0 ? "nu=0" : "nu=1").get<table>();
        matrix<TestType> out(9, 5);
        detail::als_side<TestType>(loss, items, run_options{}).half_step(x.by_customer(), out, run_options{});
        for (row_index c = 0; c < 9; ++c)
            for (row_index j = 0; j < 5; ++j)
                CHECK(static_cast<double>(out(c, j)) ==
                      Approx(expected[static_cast<std::size_t>(c)][static_cast<std::size_t>(j)]).epsilon(tolerance).margin(tolerance));
        CHECK(out.row(2).isZero(0));
    }
}

TEMPLATE_TEST_CASE("als: fold_in gives training customers their factors, and refuses what cannot be a history", "[als]", CARAMEL_TEST_SCALARS) {
    const auto x = interactions<TestType>::of(random_log(40, 30, 0.3, 7));
    const auto model = fit(als<TestType>{.n_factors = 6, .epochs = 3}, x);
    const auto nobody = model.without_customers();
    CHECK(nobody.customers().size() == 0);
    CHECK(nobody.item_factors() == model.item_factors());
    workspace scratch;
    for (std::size_t row = 0; row < x.rows(); ++row)
        for (const auto* from : {&model, &nobody}) {
            const auto factors = from->fold_in(x[row].items, x[row].values, scratch);
            CHECK(std::ranges::equal(factors, row_of(model.customer_factors(), static_cast<row_index>(row))));
        }
    const auto code_of = [&](const std::vector<std::int32_t>& items, const std::vector<TestType>& values) {
        try {
            (void)model.fold_in(items, values, scratch);
        } catch (const error& e) {
            return e.code();
        }
        return errc{};
    };
    CHECK(code_of({}, {}) == errc{});
    CHECK(code_of({1}, {}) == errc::shape_mismatch);
    CHECK(code_of({30}, {1}) == errc::unknown_id);
    CHECK(code_of({-1}, {1}) == errc::unknown_id);
    CHECK(code_of({2, 1}, {1, 1}) == errc::bad_data);
    CHECK(code_of({1}, {-1}) == errc::bad_data);
    CHECK(code_of({1}, {std::numeric_limits<TestType>::quiet_NaN()}) == errc::nan_or_inf);
}

TEST_CASE("als: a longer training goes on from a shorter one, bit for bit", "[als]") {
    const auto x = interactions<float>::of(random_log(60, 40, 0.2, 9));
    const als<float> recipe{.n_factors = 8, .epochs = 5};
    auto half = recipe, rest = recipe;
    half.epochs = 2;
    rest.epochs = 3;
    rest.start = fit(half, x, {.seed = 4});
    const auto stepwise = fit(rest, x, {.seed = 99});
    const auto at_once = fit(recipe, x, {.seed = 4});
    CHECK(stepwise.customer_factors() == at_once.customer_factors());
    CHECK(stepwise.item_factors() == at_once.item_factors());
}

TEST_CASE("als: every row is the dense least-squares solution", "[als]") {
    for (const std::size_t d : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 16U, 33U}) {
        const auto x = interactions<double>::of(random_log(25, 60, 0.3, d));
        for (const als_loss& loss :
             {als_loss{}, als_loss{.regularization = .2, .unobserved_weight = 0, .frequency_scaling = .5},
              als_loss{.regularization = 1e-3, .unobserved_weight = 1, .frequency_scaling = 0, .weights = weighting::logarithmic, .confidence_scale = 3}}) {
            const auto items = random_factors<double>(60, static_cast<row_index>(d), d + 1);
            matrix<double> out(25, items.cols());
            detail::als_side<double>(loss, items, run_options{}).half_step(x.by_customer(), out, run_options{});
            for (std::size_t row = 0; row < 25; ++row) {
                const vec<double> expected = least_squares(x, row, items, loss);
                CHECK((out.row(static_cast<row_index>(row)).transpose() - expected).cwiseAbs().maxCoeff() < 1e-10 * (1 + expected.cwiseAbs().maxCoeff()));
            }
        }
    }
}

TEST_CASE("als: rows of floats are within 1e-5 of the solution in double, whichever way they are solved", "[als]") {
    // 32 factors and more: by conjugate gradients, and where these would take long (little regularization) by factorization.
    for (const std::size_t d : {32U, 40U, 64U, 128U}) {
        const auto x = interactions<float>::of(random_log(12, 500, d == 40 ? 0.7 : 0.08, d));
        for (const als_loss& loss : {als_loss{},
                                     als_loss{.regularization = 3e-3, .unobserved_weight = 1, .weights = weighting::logarithmic, .confidence_scale = 3},
                                     als_loss{.regularization = 1e-3, .unobserved_weight = 0, .frequency_scaling = 0}}) {
            const auto items = random_factors<float>(500, static_cast<row_index>(d), d + 1);
            matrix<float> out(static_cast<row_index>(x.rows()), items.cols());
            detail::als_side<float>(loss, items, run_options{}).half_step(x.by_customer(), out, run_options{});
            for (std::size_t row = 0; row < x.rows(); ++row) {
                const vec<double> expected = least_squares(x, row, items, loss);
                CHECK((out.row(static_cast<row_index>(row)).transpose().cast<double>() - expected).norm() < 1e-5 * expected.norm());
            }
        }
    }
}

TEST_CASE("als: rows of floats by three steps of conjugate gradients are within 1e-5 of the same steps in double", "[als]") {
    // Rows of 1 to 700 pairs, on the average above and below what is solved step by step at all; short ones are solved exactly.
    for (const row_index d : {40, 64, 128})
        for (const double share : {.004, .05, .6}) {
            const auto x = interactions<float>::of(random_log(20, 1200, share, static_cast<std::uint64_t>(d)));
            const als_loss loss{.regularization = 3e-3, .weights = weighting::logarithmic, .confidence_scale = 2};
            matrix<float> items = random_factors<float>(static_cast<row_index>(x.items().size()), d, 7);
            for (row_index j = 0; j < d; ++j) items.col(j) *= 1 / std::sqrt(static_cast<float>(j + 1));
            const detail::als_side<float> side(loss, items, run_options{});
            const matrix<float> turned = side.turned_factors();
            const auto rows = static_cast<row_index>(x.rows());
            const auto method = detail::als_method_for(detail::als_method{.solver = als_solver::conjugate_gradient, .turn_in = false}, x.by_customer(),
                                                       static_cast<std::size_t>(d));
            CHECK((method.solver == als_solver::exact) == (x.pairs() < x.rows() * static_cast<std::size_t>(d) / 8));
            // From nothing, from anywhere, and from where rows stand late in training: near the solution.
            matrix<float> solved(rows, d), start = matrix<float>::Zero(rows, d);
            side.half_step(x.by_customer(), solved, run_options{}, {.turn_back = false});
            std::vector<matrix<float>> starts, outs;
            for (const int from : {0, 1, 2, 3}) {
                if (from == 1) start = random_factors<float>(rows, d, 9) / 10;
                if (from >= 2) start = solved.array() * (1 + (from == 2 ? .05F : .0005F) * random_factors<float>(rows, d, 10).array());
                starts.push_back(start);
                side.half_step(x.by_customer(), outs.emplace_back(start), run_options{}, method);
            }
            const matrix<double> fixed = turned.cast<double>();
            for (row_index row = 0; row < rows; ++row) {
                const auto one = static_cast<std::size_t>(row);
                const auto [a, b] = normal_equations(x, one, fixed, loss);
                const vec<double> exact = method.solver == als_solver::exact ? least_squares(x, one, turned, loss) : vec<double>();
                for (std::size_t from = 0; from < starts.size(); ++from) {
                    const vec<double> start_of_row = starts[from].row(row).transpose().cast<double>();
                    const vec<double> expected = method.solver == als_solver::exact ? exact : conjugate_gradient_steps(a, b, 3, start_of_row);
                    CHECK((outs[from].row(row).transpose().cast<double>() - expected).norm() < 1e-5 * expected.norm());
                }
            }
        }
}

TEST_CASE("als: a side that turns its factors in place solves the same rows in that basis", "[als]") {
    for (const row_index d : {6, 32}) {
        const auto x = interactions<float>::of(random_log(90, 70, 0.3, 8));
        matrix<float> items = random_factors<float>(70, d, 4), expected(90, d), out(90, d);
        const als_loss loss;
        const detail::als_side<float> apart(loss, items, run_options{});
        apart.half_step(x.by_customer(), expected, run_options{});
        matrix<float> turned = items;
        const detail::als_side<float> in_place(loss, &turned, run_options{});
        in_place.half_step(x.by_customer(), out, run_options{}, {.turn_back = false});
        CHECK((out * turned.transpose() - expected * items.transpose()).cwiseAbs().maxCoeff() < 1e-5F);
        CHECK((apart.turned_factors() - turned).cwiseAbs().maxCoeff() < 1e-5F);
    }
}

TEMPLATE_TEST_CASE("als: solvers that go step by step never raise the loss, and end where the exact one does", "[als]", CARAMEL_TEST_SCALARS) {
    constexpr bool exactly = std::is_same_v<TestType, double>;
    const auto x = interactions<TestType>::of(random_log(60, 50, 0.3, 12));
    const auto by_item = x.by_item();
    const als_loss loss{.regularization = .02, .unobserved_weight = .3, .weights = weighting::logarithmic, .confidence_scale = 2};
    for (const row_index d : {5, 36})
        for (const detail::als_method& method : {detail::als_method{.solver = als_solver::conjugate_gradient, .cg_steps = 1},
                                                 detail::als_method{.solver = als_solver::conjugate_gradient, .cg_steps = 3},
                                                 detail::als_method{.solver = als_solver::block_subspace, .block_size = 1},
                                                 detail::als_method{.solver = als_solver::block_subspace, .block_size = 3},
                                                 detail::als_method{.solver = als_solver::block_subspace, .block_size = 100}}) {
            matrix<TestType> items = random_factors<TestType>(50, d, 5), customers = random_factors<TestType>(60, d, 6);
            double before = detail::als_total_loss(loss, x, by_item.view(), customers, items, run_options{});
            for (int step = 0; step < 6; ++step) {
                if (step % 2 == 0) detail::als_side<TestType>(loss, items, run_options{}).half_step(x.by_customer(), customers, run_options{}, method);
                else detail::als_side<TestType>(loss, customers, run_options{}).half_step(by_item.view(), items, run_options{}, method);
                const double after = detail::als_total_loss(loss, x, by_item.view(), customers, items, run_options{});
                CHECK(after <= before * (1 + 1e-6));
                before = after;
            }
            const detail::als_side<TestType> side(loss, items, run_options{});
            matrix<TestType> expected(60, d);
            side.half_step(x.by_customer(), expected, run_options{});
            for (int i = 0; i < 300; ++i) side.half_step(x.by_customer(), customers, run_options{}, method);
            CHECK((customers - expected).norm() < (exactly ? 1e-8F : 1e-4F) * expected.norm());
        }
}

TEST_CASE("als: every solver trains to about the same loss, and its customers are those that folding in finds", "[als]") {
    const auto x = interactions<float>::of(random_log(90, 70, 0.3, 4));
    std::vector<double> losses;
    for (const auto solver : {als_solver::automatic, als_solver::exact, als_solver::conjugate_gradient, als_solver::block_subspace}) {
        std::vector<double> reported;
        const als<float> recipe{.n_factors = 34, .unobserved_weight = .5, .epochs = 12, .solver = solver, .block_size = 8};
        const auto record = [&](const progress& p) { return reported.push_back(p.loss), verdict::go_on; };
        const auto model = fit(recipe, x, {.seed = 2, .threads = 2, .on_progress = record});
        CHECK(std::is_sorted(reported.rbegin(), reported.rend()));
        CHECK(reported.back() * static_cast<double>(x.pairs()) ==
              Approx(brute_force_loss(x, model.customer_factors(), model.item_factors(), model.loss())).epsilon(1e-12));
        losses.push_back(reported.back());
        const auto unwatched = fit(recipe, x, {.seed = 2});
        CHECK(unwatched.item_factors() == model.item_factors());
        workspace scratch;
        for (std::size_t row = 0; row < x.rows(); ++row)
            CHECK(std::ranges::equal(model.fold_in(x[row].items, x[row].values, scratch), row_of(model.customer_factors(), static_cast<row_index>(row))));
    }
    CHECK(losses[0] == losses[1]);
    CHECK(losses[2] == Approx(losses[1]).epsilon(.02));
    CHECK(losses[3] == Approx(losses[1]).epsilon(.02));
}

TEMPLATE_TEST_CASE("als: refreshed with what it was trained on, a model stays the same bit for bit", "[als]", CARAMEL_TEST_SCALARS) {
    const auto log = random_log(70, 60, 0.2, 5);
    const auto x = interactions<TestType>::of(log);
    const auto model = fit(als<TestType>{.n_factors = 33, .epochs = 2}, x);
    const auto same = model.refreshed(x, {.threads = 2});
    CHECK(same.fields() == model.fields());

    // Customers who changed, and new ones, get what folding in gives; the others stay.
    std::vector<sale> changed;
    for (const int customer : {7, 500})
        for (int item = 3; item < 9; ++item) changed.push_back({customer, item, 2});
    const auto refreshed = model.refreshed(interactions<TestType>::of(changed));
    CHECK(refreshed.customers().size() == 71);
    CHECK(refreshed.item_factors() == model.item_factors());
    workspace scratch;
    std::vector<std::int32_t> bought{3, 4, 5, 6, 7, 8};
    const auto folded = model.fold_in(bought, std::vector<TestType>(6, 2), scratch);
    for (const int customer : {7, 500}) {
        const auto row = refreshed.customers().row_of(customer);
        CHECK(std::ranges::equal(row_of(refreshed.customer_factors(), static_cast<row_index>(row)), folded));
        CHECK(std::ranges::equal(refreshed.purchases()[row].items, bought));
    }
    CHECK(refreshed.customer_factors().row(6) == model.customer_factors().row(6));
    CHECK(refreshed.customer_factors().row(8) == model.customer_factors().row(8));
}

TEST_CASE("als: new items get the factors of a half-step, from their buyers", "[als]") {
    const auto x = interactions<double>::of(random_log(40, 30, 0.2, 6));
    const auto model = fit(als<double>{.n_factors = 5, .epochs = 3}, x);
    std::vector<sale> news;
    for (const int customer : {1, 4, 9}) news.push_back({customer, 100, 3});
    news.push_back({5, -2, 1});
    const auto grown = model.with_items(interactions<double>::of(news));
    REQUIRE(grown.items().size() == 32);
    CHECK(grown.customer_factors() == model.customer_factors());
    CHECK(grown.item_factors().middleRows(1, 30) == model.item_factors());
    CHECK(grown.purchases().contains(4, 31));
    CHECK(grown.purchases().pairs() == x.pairs() + 4);
    // The same by dense least squares, with customers and items changed over.
    std::vector<sale> turned;
    for (int c = 0; c < 40; ++c) turned.push_back({200, c, c == 1 || c == 4 || c == 9 ? 3.0 : 0.0});
    std::erase_if(turned, [](const sale& s) { return s.value == 0; });
    std::vector<std::int64_t> ids(40);
    for (std::size_t i = 0; i < 40; ++i) ids[i] = static_cast<std::int64_t>(i);
    const id_table all({}, ids);
    const vec<double> expected = least_squares(interactions<double>::of(turned, {.items = &all}), 0, model.customer_factors(), model.loss());
    CHECK((grown.item_factors().row(31).transpose() - expected).cwiseAbs().maxCoeff() < 1e-10);
    // With new customers beside the new items.
    news.push_back({300, 100, 1});
    news.push_back({300, 2, 1});
    const auto both = model.refreshed(interactions<double>::of(news));
    CHECK(both.customers().size() == 41);
    CHECK(both.score(300, {100})[0] > 0);
    workspace scratch;
    const auto row = both.customers().row_of(300);
    CHECK(std::ranges::equal(both.fold_in(both.purchases()[row].items, both.purchases()[row].values, scratch),
                             row_of(both.customer_factors(), static_cast<row_index>(row))));

    CHECK(error_of([&] { (void)model.with_items(interactions<double>::of(std::vector<sale>{{77, 100}})); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)model.with_items(interactions<double>::of(std::vector<sale>{{1, 3}})); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)model.refreshed(interactions<double>::of(std::vector<sale>{{1, 3, -1}})); }).code() == errc::bad_data);
    struct named_sale {
        std::string customer;
        int item;
    };
    CHECK(error_of([&] { (void)model.refreshed(interactions<double>::of(std::vector<named_sale>{{"me", 3}})); }).code() == errc::bad_data);
    CHECK(model.refreshed({}).fields() == model.fields());
}

TEMPLATE_TEST_CASE("als: the reported loss is the one of every pair, and no half-step raises it", "[als]", CARAMEL_TEST_SCALARS) {
    const auto x = interactions<TestType>::of(random_log(40, 30, 0.15, 2));
    const auto by_item = x.by_item();
    for (const als_loss& loss :
         {als_loss{},
          als_loss{.regularization = .1, .unobserved_weight = .5, .frequency_scaling = .3, .weights = weighting::logarithmic, .confidence_scale = 2}}) {
        matrix<TestType> items = random_factors<TestType>(30, 6, 5), customers = random_factors<TestType>(40, 6, 6);
        double before = brute_force_loss(x, customers, items, loss);
        for (int step = 0; step < 12; ++step) {
            if (step % 2 == 0) detail::als_side<TestType>(loss, items, run_options{}).half_step(x.by_customer(), customers, run_options{});
            else detail::als_side<TestType>(loss, customers, run_options{}).half_step(by_item.view(), items, run_options{});
            const double after = detail::als_total_loss(loss, x, by_item.view(), customers, items, run_options{});
            CHECK(after == Approx(brute_force_loss(x, customers, items, loss)).epsilon(1e-12));
            CHECK(after <= before * (1 + 1e-6));
            before = after;
        }
    }
    // And by the recipe.
    std::vector<double> reported;
    const als<TestType> recipe{.n_factors = 4, .epochs = 6};
    const auto model = fit(recipe, x, {.on_progress = [&](const progress& p) {
        CHECK(p.stage == "als");
        CHECK(p.step == reported.size() + 1);
        CHECK(p.steps == 6);
        reported.push_back(p.loss);
        return verdict::go_on;
    }});
    REQUIRE(reported.size() == 6);
    CHECK(std::is_sorted(reported.rbegin(), reported.rend()));
    CHECK(reported.back() * static_cast<double>(x.pairs()) ==
          Approx(brute_force_loss(x, model.customer_factors(), model.item_factors(), model.loss())).epsilon(1e-12));
}

TEMPLATE_TEST_CASE("als: folding in a customer's purchases gives the factors of training, bit for bit", "[als]", CARAMEL_TEST_SCALARS) {
    const auto x = interactions<TestType>::of(random_log(70, 90, 0.4, 9));  // rows of more than one chunk
    const auto model = fit(als<TestType>{.n_factors = 10, .weights = weighting::logarithmic, .epochs = 3}, x);
    workspace scratch;
    for (std::size_t row = 0; row < x.rows(); ++row) {
        const query asked{.n = 90, .history = history_of(x, row)};
        const auto factors = model.factors_of(asked, scratch);
        CHECK(std::equal(factors.begin(), factors.end(), row_of(model.customer_factors(), static_cast<row_index>(row)).begin()));
        CHECK(model(asked) == model(query{.customer = row_number{row}, .n = 90}));
    }
    const auto stored = model.factors_of(query{.customer = 3}, scratch);
    CHECK(std::equal(stored.begin(), stored.end(), row_of(model.customer_factors(), 3).begin()));
}

TEST_CASE("als: customers alike get factors alike, and nothing gets zeros", "[als]") {
    auto log = random_log(20, 15, 0.3, 21);
    const auto first = log;
    for (const auto& s : first)
        if (s.customer == 4) log.push_back({100, s.item, s.value});
    const id_table customers({}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 50, 100});
    const id_table items({}, {-7, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14});
    const auto model = fit(als<float>{.n_factors = 6}, interactions<float>::of(log, {.customers = &customers, .items = &items}));
    const auto row = [&](int id) { return model.customer_factors().row(static_cast<row_index>(customers.row_of(id))); };
    CHECK(row(4) == row(100));
    CHECK(row(50).isZero(0));
    CHECK(model.item_factors().row(0).isZero(0));
    CHECK_FALSE(row(4).isZero(0));
}

TEST_CASE("als: confidences, unobserved_weight and regularization times 3 leave the factors", "[als]") {
    const auto x = interactions<double>::of(random_log(30, 20, 0.2, 3));
    const auto a = fit(als<double>{.n_factors = 4, .regularization = .1, .unobserved_weight = .2, .frequency_scaling = 0}, x, {.seed = 5});
    const auto b =
        fit(als<double>{.n_factors = 4, .regularization = .3, .unobserved_weight = .6, .frequency_scaling = 0, .confidence_scale = 3}, x, {.seed = 5});
    CHECK((a.customer_factors() - b.customer_factors()).cwiseAbs().maxCoeff() < 1e-9);
    CHECK((a.item_factors() - b.item_factors()).cwiseAbs().maxCoeff() < 1e-9);
}

TEST_CASE("als: permuted customers and items permute the result; a rotated start leaves the scores", "[als]") {
    const auto log = random_log(30, 20, 0.25, 13);
    const auto x = interactions<double>::of(log);
    auto permuted_log = log;
    const auto customer = [](int c) { return (c * 7 + 3) % 30; };
    const auto item = [](int i) { return (i * 3 + 5) % 20; };
    for (auto& s : permuted_log) s = {customer(s.customer), item(s.item), s.value};
    const auto permuted = interactions<double>::of(permuted_log);

    const matrix<double> start = random_factors<double>(20, 5, 1);
    matrix<double> permuted_start(20, 5);
    for (int i = 0; i < 20; ++i) permuted_start.row(item(i)) = start.row(i);
    const Eigen::MatrixXd rotation = Eigen::HouseholderQR<Eigen::MatrixXd>(random_factors<double>(5, 5, 2)).householderQ();

    const als<double> recipe{.n_factors = 5, .epochs = 5};
    auto from = [&](const matrix<double>& factors) {
        auto r = recipe;
        r.start = model_of<double>(x, factors);
        return r;
    };
    const auto model = fit(from(start), x), other = fit(from(permuted_start), permuted), rotated = fit(from(start * rotation), x);
    CHECK(
        (model.customer_factors() * model.item_factors().transpose() - rotated.customer_factors() * rotated.item_factors().transpose()).cwiseAbs().maxCoeff() <
        1e-9);
    for (int c = 0; c < 30; ++c) CHECK((model.customer_factors().row(c) - other.customer_factors().row(customer(c))).cwiseAbs().maxCoeff() < 1e-9);
    for (int i = 0; i < 20; ++i) CHECK((model.item_factors().row(i) - other.item_factors().row(item(i))).cwiseAbs().maxCoeff() < 1e-9);
}

TEMPLATE_TEST_CASE("als: any number of threads, the same bits", "[als][threads]", CARAMEL_TEST_SCALARS) {
    const auto x = interactions<TestType>::of(random_log(600, 300, 0.03, 5));
    const als<TestType> recipe{.n_factors = 12, .epochs = 2};
    const auto run = [&](const fit_options& how) {
        std::vector<double> losses;
        auto watched = how;
        watched.on_progress = [&](const progress& p) { return losses.push_back(p.loss), verdict::go_on; };
        const auto model = fit(recipe, x, watched);
        return std::tuple(model.customer_factors(), model.item_factors(), losses);
    };
    const auto expected = run({.seed = 3});
    for (const std::size_t threads : {2U, 3U, 4U, 8U}) CHECK(run({.seed = 3, .threads = threads}) == expected);
    const executor backwards = [](std::size_t tasks, const std::function<void(std::size_t)>& task) {
        while (tasks-- > 0) task(tasks);
    };
    CHECK(run({.seed = 3, .run = backwards}) == expected);
    CHECK(run({.seed = 4}) != expected);
}

TEST_CASE("als: the reasons add up to the score", "[als]") {
    const auto x = interactions<double>::of(random_log(25, 18, 0.3, 6));
    const auto model = fit(als<double>{.n_factors = 6, .epochs = 4, .start = {}}, x);
    for (int customer = 0; customer < 25; ++customer)
        for (int item = 0; item < 18; ++item) {
            double sum = 0;
            const auto reasons = model.explain(query{.customer = customer}, item);
            CHECK(reasons.size() == x[static_cast<std::size_t>(customer)].size());
            for (const auto& reason : reasons) sum += reason.score;
            CHECK(sum == Approx(model.score(customer, {item})[0]).margin(1e-12));
        }
    CHECK(model.explain(query{.history = std::vector<past_purchase>{}}, 1).empty());
    CHECK(error_of([&] { (void)model.explain(query{.customer = 1}, 18); }).code() == errc::unknown_id);
}

TEST_CASE("als: more factors than the data have, one pair, extreme values", "[als][edge]") {
    const auto x = interactions<float>::of(random_log(6, 5, 0.4, 6));
    const auto model = fit(als<float>{.n_factors = 40, .epochs = 3}, x);
    CHECK(model.customer_factors().allFinite());

    const auto one = interactions<float>::of(std::vector<sale>{{1, 1}});
    CHECK(fit(als<float>{.n_factors = 3}, one).score(1, {1})[0] > 0.5F);
    const auto scaled = [](double value) {
        auto log = random_log(10, 8, 0.3, 1);
        for (auto& s : log) s.value *= value;
        return log;
    };
    for (const double value : {1e-30, 1e6}) {
        CHECK(fit(als<double>{.n_factors = 3}, interactions<double>::of(scaled(value))).customer_factors().allFinite());
        CHECK(fit(als<float>{.n_factors = 3}, interactions<float>::of(scaled(value))).customer_factors().allFinite());
    }
    // Beside 1e30 the regularization is lost in rounding: said where it matters, never passed on as numbers without meaning.
    try {
        CHECK(fit(als<double>{.n_factors = 3}, interactions<double>::of(scaled(1e30))).customer_factors().allFinite());
    } catch (const error& lost) {
        CHECK(lost.code() == errc::diverged);
    }
    const auto too_large = interactions<double>::of(std::vector<sale>{{1, 1, 1.7e308}, {1, 2, 1.7e308}, {2, 1, 1.7e308}});
    const auto e = error_of([&] { (void)fit(als<double>{.n_factors = 2, .confidence_scale = 1e10}, too_large); });
    CHECK(e.code() == errc::diverged);
    CHECK(std::string(e.what()).find("regularization") != std::string::npos);
    // A purchase of value 0 was seen, but says nothing.
    const auto zero = fit(als<double>{.n_factors = 2}, interactions<double>::of(std::vector<sale>{{1, 1, 0}, {2, 1}, {2, 2}}));
    CHECK(zero.customer_factors().row(0).isZero(0));
    CHECK(zero(query{.customer = 1}).size() == 1);
}

TEST_CASE("als: a fit can be watched, stopped and cancelled", "[als]") {
    const auto x = interactions<float>::of(random_log(20, 15, 0.3, 6));
    const auto stopped =
        fit(als<float>{.n_factors = 3, .epochs = 9}, x, {.on_progress = [](const progress& p) { return p.step == 2 ? verdict::stop : verdict::go_on; }});
    CHECK(stopped.item_factors() == fit(als<float>{.n_factors = 3, .epochs = 2}, x).item_factors());
    CHECK_THROWS_AS((fit(als<float>{.n_factors = 3}, x, {.on_progress = [](const progress&) -> verdict { throw std::runtime_error("enough"); }})),
                    std::runtime_error);
}

TEST_CASE("als: fits on from a model", "[als]") {
    const auto x = interactions<double>::of(random_log(30, 20, 0.3, 6));
    const auto first = fit(als<double>{.n_factors = 4, .epochs = 3}, x);
    const auto on = fit(als<double>{.n_factors = 4, .epochs = 2, .start = first}, x);
    const auto whole = fit(als<double>{.n_factors = 4, .epochs = 5}, x);
    CHECK(on.item_factors() == whole.item_factors());
    CHECK(on.customer_factors() == whole.customer_factors());
    // Items are found by their ids; new ones begin at random.
    auto log = random_log(30, 20, 0.3, 6);
    log.push_back({0, -5});
    const auto grown = fit(als<double>{.n_factors = 4, .epochs = 1, .start = first}, interactions<double>::of(log));
    const auto afresh = fit(als<double>{.n_factors = 4, .epochs = 1}, interactions<double>::of(log));
    CHECK((grown.item_factors().bottomRows(20) - whole.item_factors()).norm() < (afresh.item_factors().bottomRows(20) - whole.item_factors()).norm());
    CHECK(error_of([&] { (void)fit(als<double>{.n_factors = 5, .start = first}, x); }).code() == errc::bad_parameter);
}

TEST_CASE("als: parameters and fields are checked", "[als][error]") {
    const auto x = interactions<double>::of(std::vector<sale>{{1, 1}, {1, 2}, {2, 1}});
    const auto refused = [&](const als<double>& recipe, const std::string& parameter) {
        const auto e = error_of([&] { (void)fit(recipe, x); });
        CHECK(e.code() == errc::bad_parameter);
        CHECK(std::string(e.what()).find(parameter) != std::string::npos);
    };
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
    for (const double bad : {-1.0, nan, infinite}) {
        refused({.regularization = bad}, "regularization");
        refused({.unobserved_weight = bad}, "unobserved_weight");
        refused({.frequency_scaling = bad}, "frequency_scaling");
        refused({.confidence_scale = bad}, "confidence_scale");
    }
    refused({.regularization = 0}, "regularization");
    refused({.confidence_scale = 0}, "confidence_scale");
    refused({.weights = static_cast<weighting>(7)}, "weighting");
    refused({.n_factors = 0}, "n_factors");
    refused({.n_factors = static_cast<std::size_t>(-1)}, "n_factors");
    refused({.epochs = 0}, "epochs");
    refused({.epochs = static_cast<std::size_t>(-1)}, "epochs");
    refused({.solver = static_cast<als_solver>(9)}, "solver");
    refused({.cg_steps = 0}, "cg_steps");
    refused({.block_size = 0}, "block_size");

    using m = matrix<double>;
    const auto built = [&](const m& customers, const m& items, const als_loss& loss = {}) {
        return error_of([&] { (void)als_model<double>(x, customers, items, loss); }).code();
    };
    CHECK(built(m::Zero(3, 2), m::Zero(2, 2)) == errc::bad_data);
    CHECK(built(m::Zero(2, 2), m::Zero(1, 2)) == errc::bad_data);
    CHECK(built(m::Zero(2, 2), m::Zero(2, 1)) == errc::bad_data);
    CHECK(built(m::Constant(2, 2, nan), m::Zero(2, 2)) == errc::bad_data);
    CHECK(built(m::Zero(2, 2), m::Constant(2, 2, infinite)) == errc::bad_data);
    CHECK(built(m::Zero(2, 2), m::Zero(2, 2), {.regularization = 0}) == errc::bad_data);
}

TEST_CASE("als: figures on MovieLens ml-latest-small", "[als][slow]") {
    SHARED_OR_SKIP(ratings, "data/ml_latest_small/ratings.csv");
    const auto data = ml_latest_small<double>(ratings);
    const auto& x = data.train;
    std::uint64_t state = 12345;
    const auto draw = [&](matrix<double>& factors) {
        for (row_index i = 0; i < factors.size(); ++i) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            factors.data()[i] = (static_cast<double>(state >> 11) / 0x1p53 - .5) * .2 / std::sqrt(32.0);
        }
    };
    matrix<double> customers(671, 32), items(9066, 32);
    draw(customers);
    draw(items);
    const auto start = model_of<double>(x, items);

    const als_loss loss{.regularization = .01, .unobserved_weight = .1, .frequency_scaling = 1};
    const std::vector<double> expected{99330.0599, 94214.1955, 49108.7813, 41599.3974, 40048.8983, 39390.0245, 39020.0572, 38780.1701,
                                       38610.1491, 38487.4768, 38393.3688, 38320.9730, 38262.7577, 38215.9763, 38177.2021, 38145.0893};
    const auto by_item = x.by_item();
    for (std::size_t step = 0; step < 16; ++step) {
        if (step % 2 == 0) detail::als_side<double>(loss, items, run_options{2}).half_step(x.by_customer(), customers, run_options{2});
        else detail::als_side<double>(loss, customers, run_options{2}).half_step(by_item.view(), items, run_options{2});
        CHECK(detail::als_total_loss(loss, x, by_item.view(), customers, items, run_options{2}) == Approx(expected[step]).margin(1e-4).epsilon(0));
    }
    check_ranking(als_model<double>(x, customers, items, loss), data.test, {.065574, .032211, .117735, .045269, .032283});

    // The recipe's epochs are the items' and the customers' half-steps after a first one of the customers.
    std::vector<double> reported;
    const auto record = [&](const progress& p) { return reported.push_back(p.loss * 99'333), verdict::go_on; };
    (void)fit(als<double>{.n_factors = 32, .epochs = 3, .start = start}, x, {.threads = 2, .on_progress = record});
    for (std::size_t epoch = 0; epoch < 3; ++epoch) CHECK(reported[epoch] == Approx(expected[2 * epoch + 2]).margin(1e-4).epsilon(0));
}
