#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "recommend/planted.hpp"
#include "recommend/shop.hpp"
#include "support/catch.hpp"

#include <caramel/pipeline.hpp>
#include <caramel/recommend/bpr.hpp>
#include <caramel/recommend/feature_factorization.hpp>
#include <caramel/recommend/warp.hpp>

using namespace caramel;

namespace {

sparse_matrix<float> ones_on_the_diagonal(std::size_t n) {
    sparse_matrix<float> out(n);
    for (std::size_t i = 0; i < n; ++i) {
        const std::array<std::int32_t, 1> column{static_cast<std::int32_t>(i)};
        const std::array<float, 1> one{1};
        out.append_row(column, one);
    }
    return out;
}
// The hidden numbers as features, with a 1 beside them.
sparse_matrix<float> hidden(const std::vector<std::array<double, 3>>& numbers, const std::vector<std::size_t>& rows) {
    sparse_matrix<float> out(4);
    const std::array<std::int32_t, 4> columns{0, 1, 2, 3};
    for (const std::size_t row : rows) {
        const auto& h = numbers[row];
        out.append_row(columns, std::array<float, 4>{static_cast<float>(h[0]) / 2, static_cast<float>(h[1]) / 2, static_cast<float>(h[2]) / 2, 1});
    }
    return out;
}
// The mean share of pairs (bought, not bought) of the given customers and items that are scored in this order.
template <class Model>
double auc_among(const Model& model, const interactions<float>& truth, const std::vector<std::size_t>& customers, const std::vector<std::size_t>& items) {
    double right = 0, pairs = 0;
    for (const std::size_t c : customers) {
        std::vector<any_id> ids;
        for (const std::size_t i : items) ids.emplace_back(truth.items().number(i));
        const auto scores = model.score(any_id(truth.customers().number(c)), ids);
        for (std::size_t a = 0; a < items.size(); ++a)
            for (std::size_t b = 0; b < items.size(); ++b)
                if (truth.contains(c, static_cast<std::int32_t>(items[a])) && !truth.contains(c, static_cast<std::int32_t>(items[b]))) {
                    right += scores[a] > scores[b] ? 1 : 0;
                    pairs += 1;
                }
    }
    return right / pairs;
}

}  // namespace

TEST_CASE("feature_factorization: without features, or with one for each, it is bpr and warp", "[feature_factorization]") {
    const auto x = interactions<float>::of(random_log(40, 30, .2, 3));
    const auto near = [](const auto& model, const auto& plain) {
        const auto off = [](const auto& a, const auto& b) { return static_cast<double>((a - b).cwiseAbs().maxCoeff()); };
        return off(model.customer_factors(), plain.customer_factors()) < 1e-4 && off(model.item_factors(), plain.item_factors()) < 1e-4 &&
               off(model.item_bias(), plain.item_bias()) < 1e-4;
    };
    const auto plain = fit(bpr<float>{.n_factors = 5, .epochs = 4, .regularization = .02, .validation_share = .1}, x, {.seed = 2});
    const auto ranks = fit(warp<float>{.n_factors = 5, .epochs = 4, .learning_rate = .05, .regularization = .02}, x, {.seed = 2});
    feature_factorization<float> recipe{
        .loss = pair_loss::bpr, .n_factors = 5, .epochs = 4, .learning_rate = .05, .regularization = .02, .validation_share = .1};
    CHECK(near(fit(recipe, x, {.seed = 2}), plain));
    recipe.own_customer_factors = recipe.own_item_factors = false;
    const featured_interactions<float> featured{x, ones_on_the_diagonal(x.rows()), ones_on_the_diagonal(x.items().size())};
    const auto by_features = fit(recipe, featured, {.seed = 2, .threads = 3});
    CHECK(near(by_features, plain));
    CHECK(by_features.item_feature_factors() == by_features.item_factors());
    recipe.loss = pair_loss::warp;
    recipe.validation_share = 0;
    CHECK(near(fit(recipe, featured, {.seed = 2}), ranks));
    // Both items and customers of the logistic loss, which has no recipe of its own.
    recipe.loss = pair_loss::logistic;
    CHECK(fit(recipe, featured, {.seed = 2}).item_factors().allFinite());
}

TEST_CASE("feature_factorization: a step goes down the gradient where rows are sums", "[feature_factorization]") {
    sparse_matrix<double> customer_features(2), item_features(3);
    const auto add = [](sparse_matrix<double>& to, std::vector<std::int32_t> columns, std::vector<double> values) { to.append_row(columns, values); };
    add(customer_features, {0, 1}, {.5, -1});
    add(item_features, {0}, {2});
    add(item_features, {1, 2}, {1, .3});
    const detail::feature_parts<double> customers(1, true, customer_features), items(2, true, item_features);
    CHECK(customers.table_rows() == 3);
    CHECK(items.table_rows() == 5);
    const auto all = [](std::size_t) { return true; };
    constexpr std::size_t k = 8;
    detail::feature_rows<double> rows(
        {detail::normal_rows<double>(3, k, .5, rng(1), all), detail::normal_rows<double>(5, k, .5, rng(2), all), vec<double>::LinSpaced(5, -.5, .5)}, customers,
        items);
    constexpr double rate = 1e-3, regularization = .2;
    auto at = rows.now;
    const auto cost = [&] {  // of customer 0, item 1 bought and item 0 not
        const Eigen::RowVectorXd p = at.customers.row(0) + .5 * at.customers.row(1) - at.customers.row(2);
        const Eigen::RowVectorXd r = at.items.row(0) + 2 * at.items.row(2), q = at.items.row(1) + at.items.row(3) + .3 * at.items.row(4);
        const double margin = at.bias(1) + at.bias(3) + .3 * at.bias(4) - at.bias(0) - 2 * at.bias(2) + p.dot(q - r);
        return std::log1p(std::exp(-margin)) + .5 * regularization * (at.customers.squaredNorm() + at.items.squaredNorm() + at.bias.squaredNorm());
    };
    const double wrong = detail::both_sigmoids(rows.margin(0, 1, 0)).second;
    rows.step(0, 1, 0, rate * wrong, rate * wrong, 1 - rate * regularization);
    double worst = 0;
    const auto compare = [&](double& value, double after) {
        const double before = value;
        value = before + 1e-5;
        const double above = cost();
        value = before - 1e-5;
        const double below = cost();
        value = before;
        worst = std::max(worst, std::abs((before - after) / rate - (above - below) / 2e-5));
    };
    for (row_index i = 0; i < at.customers.size(); ++i) compare(at.customers.data()[i], rows.now.customers.data()[i]);
    for (row_index i = 0; i < at.items.size(); ++i) compare(at.items.data()[i], rows.now.items.data()[i]);
    for (row_index i = 0; i < at.bias.size(); ++i) compare(at.bias(i), rows.now.bias(i));
    CHECK(worst < 1e-6);
}

TEST_CASE("feature_factorization: ranks items and customers that it has never seen", "[feature_factorization]") {
    const auto shop = plant<float>(160, 120, 24, 0, 6);
    std::vector<std::size_t> old_items(90), new_items(30), old_customers(130), new_customers(30);
    std::iota(old_items.begin(), old_items.end(), std::size_t{0});
    std::iota(new_items.begin(), new_items.end(), std::size_t{90});
    std::iota(old_customers.begin(), old_customers.end(), std::size_t{0});
    std::iota(new_customers.begin(), new_customers.end(), std::size_t{130});
    struct entry {
        std::int64_t customer, item;
    };
    std::vector<entry> log;
    for (const std::size_t c : old_customers)
        for (const auto item : shop.train[c].items)
            if (item < 90) log.push_back({shop.train.customers().number(c), shop.train.items().number(static_cast<std::size_t>(item))});
    const auto x = interactions<float>::of(log);
    REQUIRE(x.rows() == 130);
    REQUIRE(x.items().size() <= 90);
    old_items.clear();
    for (std::size_t i = 0; i < x.items().size(); ++i) old_items.push_back(*shop.train.items().find(x.items().number(i)));
    const featured_interactions<float> data{x, hidden(shop.customers, old_customers), hidden(shop.items, old_items)};
    const auto ids_of = [](const id_table& table, const std::vector<std::size_t>& rows) {
        std::vector<std::int64_t> out;
        for (const std::size_t row : rows) out.push_back(table.number(row));
        return out;
    };
    for (const auto loss : {pair_loss::bpr, pair_loss::warp, pair_loss::logistic}) {
        const feature_factorization<float> recipe{
            .loss = loss, .n_factors = 6, .epochs = 20, .learning_rate = .05, .regularization = .005, .own_item_factors = false};
        const auto model = fit(recipe, data);
        CHECK(auc_among(model, shop.train, old_customers, old_items) > .8);
        const auto longer = model.with_items(ids_of(shop.train.items(), new_items), hidden(shop.items, new_items))
                                .with_customers(ids_of(shop.train.customers(), new_customers), hidden(shop.customers, new_customers));
        CHECK(longer.items().size() == x.items().size() + 30);
        CHECK(longer.customers().size() == 160);
        CHECK(longer.purchases().pairs() == x.pairs());
        CHECK(auc_among(longer, shop.train, old_customers, new_items) > .75);
        CHECK(auc_among(longer, shop.train, new_customers, new_items) > .7);
        // What was known before is scored as before, with its purchases left out of lists.
        const any_id someone(shop.train.customers().number(3));
        const std::vector<any_id> some{x.items().number(1), x.items().number(40)};
        CHECK(longer.score(someone, some) == model.score(someone, some));
        std::set<std::int64_t> bought;
        for (const auto item : x[3].items) bought.insert(x.items().number(static_cast<std::size_t>(item)));
        for (const auto& r : longer(query{.customer = someone, .n = 200})) CHECK(!bought.contains(longer.items().number(static_cast<std::size_t>(r.item))));
    }
}

TEST_CASE("feature_factorization: feature rows by id, and what is refused", "[feature_factorization]") {
    struct entry {
        std::string customer, item;
    };
    const auto x = interactions<float>::of(std::vector<entry>{{"ann", "tea"}, {"ann", "cup"}, {"bob", "tea"}, {"cy", "pot"}});
    sparse_matrix<float> features(2);
    features.append_row(std::vector<std::int32_t>{0}, std::vector<float>{1});
    features.append_row(std::vector<std::int32_t>{1}, std::vector<float>{2});
    features.append_row(std::vector<std::int32_t>{0, 1}, std::vector<float>{3, 4});
    const auto rows = rows_by_id(x.items(), std::vector<std::string>{"tea", "mug", "cup"}, features);  // cup, pot, tea
    matrix<float> expected(3, 2);
    expected << 3, 4, 0, 0, 1, 0;
    CHECK(rows.dense() == expected);
    CHECK(error_of([&] { (void)rows_by_id(x.items(), std::vector<std::string>{"tea"}, features); }).code() == errc::shape_mismatch);
    CHECK(error_of([&] { (void)rows_by_id(x.items(), std::vector<int>{1, 2, 3}, features); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)rows_by_id(x.items(), std::vector<std::string>{"tea", "cup", "tea"}, features); }).where().row == 3);

    const auto code = [&](const feature_factorization<float>& recipe, const featured_interactions<float>& from) {
        return error_of([&] { (void)fit(recipe, from); }).code();
    };
    CHECK(code({}, {x, {}, features.slice(0, 2)}) == errc::shape_mismatch);
    CHECK(code({.own_item_factors = false}, {x}) == errc::bad_parameter);
    CHECK(code({.loss = static_cast<pair_loss>(9)}, {x}) == errc::bad_parameter);
    CHECK(code({.epochs = 500, .learning_rate = 1e6, .regularization = 1}, {x}) == errc::diverged);
    CHECK(code({}, {}) == errc::empty_input);

    const auto model = fit(feature_factorization<float>{.n_factors = 3, .epochs = 2}, featured_interactions<float>{x, {}, rows});
    const auto refused = [&](const std::vector<std::string>& ids, const sparse_matrix<float>& of) {
        return error_of([&] { (void)model.with_items(ids, of); }).code();
    };
    CHECK(refused({"jug"}, features) == errc::shape_mismatch);
    CHECK(refused({"jug"}, sparse_matrix<float>(matrix<float>(matrix<float>::Ones(1, 3)))) == errc::shape_mismatch);
    CHECK(refused({"jug", "tea", "can"}, features) == errc::bad_data);
    CHECK(refused({"jug", "", "can"}, features) == errc::missing_value);
    CHECK(error_of([&] { (void)model.with_items(std::vector<int>{1, 2, 3}, features); }).code() == errc::unknown_id);
    const auto more = model.with_items(std::vector<std::string>{"zen", "a", "can"}, features);
    CHECK(more.items().size() == 6);
    CHECK(more.score("ann", {"a"})[0] ==
          Approx(2 * (model.item_feature_bias()(1) + model.customer_factors().row(0).dot(model.item_feature_factors().row(1)))).epsilon(1e-5));
}
