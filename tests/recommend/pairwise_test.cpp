#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <span>
#include <vector>

#include "recommend/ml_latest.hpp"
#include "recommend/planted.hpp"
#include "recommend/shop.hpp"
#include "support/catch.hpp"
#include "support/shared_data.hpp"

#include <caramel/pipeline.hpp>
#include <caramel/recommend/bpr.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/warp.hpp>

using namespace caramel;

namespace {

double softplus(double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))); }

template <class T>
detail::pair_rows<T> random_rows(std::size_t customers, std::size_t items, std::size_t width, std::uint64_t seed) {
    rng numbers(seed);
    const auto all = [](std::size_t) { return true; };
    vec<T> bias(static_cast<row_index>(items));
    for (T& b : bias) b = static_cast<T>(numbers.normal());
    return detail::pair_rows<T>(
        {detail::normal_rows<T>(customers, width, .7, numbers.split(1), all), detail::normal_rows<T>(items, width, .7, numbers.split(2), all), bias});
}
std::vector<double*> parameters(detail::pair_rows<double>::state& s) {
    std::vector<double*> out;
    for (auto* x : {&s.customers, &s.items})
        for (row_index i = 0; i < x->size(); ++i) out.push_back(x->data() + i);
    for (row_index i = 0; i < s.bias.size(); ++i) out.push_back(s.bias.data() + i);
    return out;
}
template <class T>
bool same_bits(const pairwise_model<T>& a, const pairwise_model<T>& b) {
    return a.customer_factors() == b.customer_factors() && a.item_factors() == b.item_factors() && a.item_bias() == b.item_bias() && a.steps() == b.steps();
}

}  // namespace

TEST_CASE("pairwise: a step goes down the gradient of the loss of one pair", "[pairwise]") {
    constexpr double rate = 1e-3, regularization = .3, keep = 1 - rate * regularization;
    for (const std::size_t width : {8U, 16U, 40U})
        for (const auto loss : {pair_loss::bpr, pair_loss::warp, pair_loss::logistic}) {
            auto rows = random_rows<double>(2, 3, width, width);
            // Of customer 1, item 2 bought and item 0 not.
            const auto cost = [&](const detail::pair_rows<double>::state& s) {
                double bought = s.bias(2), other = s.bias(0), squares = s.bias(2) * s.bias(2) + s.bias(0) * s.bias(0);
                for (row_index j = 0; j < s.items.cols(); ++j) {
                    bought += s.customers(1, j) * s.items(2, j);
                    other += s.customers(1, j) * s.items(0, j);
                    squares += s.customers(1, j) * s.customers(1, j) + s.items(2, j) * s.items(2, j) + s.items(0, j) * s.items(0, j);
                }
                const double of_pair = loss == pair_loss::bpr    ? softplus(other - bought)
                                       : loss == pair_loss::warp ? .25 * (1 - bought + other)
                                                                 : softplus(-bought) + softplus(other);
                return of_pair + .5 * regularization * squares;
            };
            auto at = rows.now;
            const double bought = rows.score(1, 2), other = rows.score(1, 0);
            CHECK(rows.margin(1, 2, 0) == Approx(bought - other).epsilon(1e-12));
            double up = .25, down = .25;
            if (loss == pair_loss::bpr) up = down = detail::both_sigmoids(bought - other).second;
            if (loss == pair_loss::logistic) {
                const auto slopes = detail::logistic_slopes(bought, other);
                up = slopes.up;
                down = slopes.down;
                CHECK(slopes.loss == Approx(softplus(-bought) + softplus(other)).epsilon(1e-12));
            }
            rows.step(1, 2, 0, rate * up, rate * down, keep);
            auto moved = rows.now;
            const auto here = parameters(at), there = parameters(moved);
            double worst = 0;
            for (std::size_t k = 0; k < here.size(); ++k) {
                const double before = *here[k];
                *here[k] = before + 1e-5;
                const double above = cost(at);
                *here[k] = before - 1e-5;
                const double below = cost(at);
                *here[k] = before;
                worst = std::max(worst, std::abs((before - *there[k]) / rate - (above - below) / 2e-5));
            }
            CHECK(worst < 1e-6);
        }
}

TEST_CASE("pairwise: bpr and warp are plain loops over purchases in random order", "[pairwise]") {
    const bool by_rank = GENERATE(false, true);
    const auto x = interactions<double>::of(random_log(30, 25, .2, 3));
    constexpr std::size_t k = 5, epochs = 3;
    constexpr double rate = .1, regularization = .02;
    const auto model =
        by_rank
            ? fit(
                  warp<double>{
                      .n_factors = k, .epochs = epochs, .learning_rate = rate, .regularization = regularization, .init_deviation = .3, .max_trials = 6},
                  x, {.seed = 9})
            : fit(bpr<double>{.n_factors = k, .epochs = epochs, .learning_rate = rate, .regularization = regularization, .init_deviation = .3}, x, {.seed = 9});

    const rng numbers = rng(9).split("pairwise").split(0);
    std::vector<std::vector<double>> p(x.rows(), std::vector<double>(k)), q(x.items().size(), std::vector<double>(k));
    for (auto* side : {&p, &q})
        for (std::size_t row = 0; row < side->size(); ++row) {
            rng mine = numbers.split(side == &p ? "customers" : "items").split(row);
            for (double& f : (*side)[row]) f = .3 * mine.normal();
        }
    std::vector<double> bias(q.size());
    const auto table = dense_values(x);
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t u = 0; u < table.size(); ++u)
        for (std::size_t i = 0; i < table[u].size(); ++i)
            if (table[u][i] != 0) pairs.emplace_back(u, i);
    for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
        rng stream = numbers.split("order").split(epoch).split(0);
        for (std::size_t i = pairs.size(); i > 1; --i) std::swap(pairs[i - 1], pairs[((stream() >> 32) * i) >> 32]);
        for (const auto& [u, i] : pairs) {
            std::size_t j = 0;
            double slope = 0;
            for (int trial = 1; trial <= (by_rank ? 6 : 1) && slope == 0; ++trial) {
                do j = ((stream() >> 32) * q.size()) >> 32;
                while (table[u][j] != 0);
                double margin = bias[i] - bias[j];
                for (std::size_t f = 0; f < k; ++f) margin += p[u][f] * (q[i][f] - q[j][f]);
                double rank = 0, most = 0;
                for (int n = 1; n <= 24; ++n) {
                    rank += n <= std::max(1, 24 / trial) ? 1.0 / n : 0;
                    most += 1.0 / n;
                }
                slope = !by_rank ? 1 / (1 + std::exp(margin)) : margin < 1 ? rank / most : 0;
            }
            if (slope == 0) continue;
            bias[i] += rate * (slope - regularization * bias[i]);
            bias[j] += rate * (-slope - regularization * bias[j]);
            for (std::size_t f = 0; f < k; ++f) {
                const double a = p[u][f], b = q[i][f], c = q[j][f];
                p[u][f] += rate * (slope * (b - c) - regularization * a);
                q[i][f] += rate * (slope * a - regularization * b);
                q[j][f] += rate * (-slope * a - regularization * c);
            }
        }
    }
    double worst = 0;
    for (std::size_t f = 0; f < k; ++f) {
        for (std::size_t u = 0; u < p.size(); ++u)
            worst = std::max(worst, std::abs(p[u][f] - model.customer_factors()(static_cast<row_index>(u), static_cast<row_index>(f))));
        for (std::size_t i = 0; i < q.size(); ++i)
            worst = std::max(worst, std::abs(q[i][f] - model.item_factors()(static_cast<row_index>(i), static_cast<row_index>(f))));
    }
    for (std::size_t i = 0; i < q.size(); ++i) worst = std::max(worst, std::abs(bias[i] - model.item_bias()(static_cast<row_index>(i))));
    CHECK(worst < 1e-10);
    const auto scores = model.score(4, {0, 7});
    CHECK(scores[1] == Approx(bias[7] + std::inner_product(p[4].begin(), p[4].end(), q[7].begin(), 0.0)).epsilon(1e-9));
}

TEST_CASE("pairwise: every epoch has every purchase once, with items that were not bought", "[pairwise]") {
    using grid_type = detail::pair_grid<float>;
    CHECK(grid_type::groups_for(4095, 1000, 1000, 64) == 1);
    CHECK(grid_type::groups_for(4096, 1000, 1000, 64) == 4);
    CHECK(grid_type::groups_for(1'000'000, 1000, 255, 64) == 1);
    CHECK(grid_type::groups_for(11'000'000, 136'677, 20'108, 64) == 64);
    const auto x = interactions<float>::of(random_log(120, 60, .3, 1));
    const detail::pair_lists<float> pairs(x, .1, rng(3), "test");
    CHECK(pairs.held_out().size() == x.pairs() / 10);
    CHECK(pairs.size() + pairs.held_out().size() == x.pairs());
    for (const auto& [customer, item] : pairs.held_out()) CHECK(!pairs.contains(customer, item));
    std::set<std::vector<std::int32_t>> dealt;
    for (const std::size_t groups : {1U, 4U}) {
        grid_type grid(pairs, 60, negative_sampling::uniform, groups, rng(5));
        for (std::size_t epoch = 0; epoch < 3; ++epoch) {
            std::mutex guard;
            std::set<std::pair<std::int32_t, std::int32_t>> seen;
            std::size_t visited = 0, blocks = 0;
            bool all_learnt = true, none_bought = true;
            const double answer = grid.run_epoch(epoch, {.threads = 3}, [&](const auto& block) {
                std::set<std::int32_t> drawn;
                bool fine = true, mine = true;
                for (const auto& [customer, item] : block.pairs) {
                    mine = mine && pairs.contains(customer, item);
                    for (int n = 0; n < 20; ++n) {
                        const std::int32_t other = block.negative_for(customer);
                        if (other < 0) continue;
                        fine = fine && !pairs.contains(customer, other);
                        drawn.insert(other);
                    }
                }
                const std::lock_guard lock(guard);
                visited += block.pairs.size();
                for (const auto& e : block.pairs) seen.emplace(e.customer, e.item);
                none_bought = none_bought && fine;
                all_learnt = all_learnt && mine;
                ++blocks;
                dealt.insert({drawn.begin(), drawn.end()});
                return 1.0;
            });
            CHECK(answer == static_cast<double>(groups * groups));
            CHECK(blocks == groups * groups);
            CHECK(visited == pairs.size());
            CHECK(seen.size() == pairs.size());
            CHECK(none_bought);
            CHECK(all_learnt);
        }
    }
    CHECK(dealt.size() > 10);  // items are dealt anew
}

TEST_CASE("pairwise: items are drawn uniformly, or by their numbers of customers", "[pairwise]") {
    const std::vector<std::size_t> counts{4, 0, 1, 100, 3, 0, 12};
    rng numbers(1);
    for (const bool popular : {false, true}) {
        const detail::item_draw draw({1, 2, 4, 6}, popular ? std::span<const std::size_t>(counts) : std::span<const std::size_t>());
        std::map<std::int32_t, double> share;
        for (int n = 0; n < 40'000; ++n) share[draw(numbers)] += 1.0 / 40'000;
        for (const auto& [item, expected] : std::map<std::int32_t, double>{{1, 0}, {2, 1.0 / 16}, {4, 3.0 / 16}, {6, 12.0 / 16}})
            CHECK(share[item] == Approx(popular ? expected : .25).margin(.01).epsilon(0));
    }
    const detail::item_draw nobody_bought({1, 5}, counts);
    CHECK(nobody_bought(numbers) % 4 == 1);

    std::vector<detail::pair_entry> block;
    for (std::int32_t n = 0; n < 5000; ++n) block.push_back({static_cast<std::int32_t>(numbers.below(700)), static_cast<std::int32_t>(numbers.below(300))});
    const detail::pair_filter filter(block, 7);
    CHECK(std::ranges::all_of(block, [&](const auto& e) { return filter.may_have(e); }));
    int wrong = 0;
    for (std::int32_t n = 0; n < 10'000; ++n) wrong += filter.may_have({n % 700, 300 + n / 700}) ? 1 : 0;
    CHECK(wrong < 300);
}

TEST_CASE("pairwise: ranks weigh as harmonic numbers", "[pairwise]") {
    const detail::rank_weights<double> ranks(101);
    const auto harmonic = [](int n) {
        double sum = 0;
        for (int i = 1; i <= n; ++i) sum += 1.0 / i;
        return sum;
    };
    CHECK(ranks.at_trial(1) == 1);
    CHECK(ranks.at_trial(3) == Approx(harmonic(33) / harmonic(100)));
    CHECK(ranks.at_trial(100) == Approx(1 / harmonic(100)));
    CHECK(ranks.at_trial(1000) == Approx(1 / harmonic(100)));
    CHECK(detail::rank_weights<float>(1).at_trial(1) == 1);
}

TEST_CASE("pairwise: any number of threads gives the same bits, and finds planted tastes", "[pairwise]") {
    const auto shop = plant<float>(300, 260, 30, 4, 1);
    REQUIRE(shop.train.pairs() >= 4096);
    const double popular = auc_of(fit(popularity<float>{}, shop.train), shop);
    const bpr<float> by_order{.n_factors = 8, .epochs = 30, .regularization = .02, .validation_share = .05};
    const warp<float> by_rank{.n_factors = 8, .epochs = 20, .learning_rate = .05, .regularization = .02};
    const auto one = fit(by_order, shop.train);
    const auto first = fit(by_rank, shop.train);
    CHECK(same_bits(one, fit(by_order, shop.train, {.threads = 3})));
    CHECK(same_bits(first, fit(by_rank, shop.train, {.threads = 8})));
    CHECK(!same_bits(one, fit(by_order, shop.train, {.seed = 1})));
    CHECK(auc_of(fit(bpr<float>{.n_factors = 8, .epochs = 15, .negatives = negative_sampling::popular}, shop.train), shop) > popular);
    CHECK(auc_of(one, shop) > popular + .1);
    CHECK(auc_of(first, shop) > popular + .1);
    CHECK(auc_of(one, shop) > .85);
    CHECK(auc_of(first, shop) > .85);
    INFO("popularity " << popular << ", bpr " << auc_of(one, shop) << ", warp " << auc_of(first, shop));
    CHECK(one.steps().epochs <= 30);

    // Folding in what a customer bought finds the same tastes as training did.
    for (const auto* model : {&one, &first}) {
        double agreement = 0;
        workspace scratch, other;
        for (std::size_t row = 0; row < 60; ++row) {
            std::vector<past_purchase> history;
            for (const auto item : shop.train[row].items) history.push_back({row_number{static_cast<std::size_t>(item)}});
            query by_history, by_id;
            by_history.history = history;
            by_id.customer = row_number{row};
            const auto folded = model->factors_of(by_history, scratch);
            const auto known = model->factors_of(by_id, other);
            double ab = 0, aa = 0, bb = 0;
            for (std::size_t j = 0; j < folded.size(); ++j) {
                ab += static_cast<double>(folded[j] * known[j]);
                aa += static_cast<double>(folded[j] * folded[j]);
                bb += static_cast<double>(known[j] * known[j]);
            }
            agreement += ab / std::sqrt(aa * bb) / 60;
        }
        CHECK(agreement > .9);
    }
}

TEST_CASE("pairwise: stops early, keeps the best, and says how it goes", "[pairwise]") {
    const auto shop = plant<float>(60, 80, 12, 2, 2);
    std::vector<double> losses;
    fit_options options;
    options.on_progress = [&](const progress& p) {
        losses.push_back(p.loss);
        CHECK(p.stage == "pairwise");
        CHECK(p.steps == 40);
        return p.step == 4 ? verdict::stop : verdict::go_on;
    };
    const auto stopped = fit(bpr<float>{.n_factors = 4, .epochs = 40}, shop.train, options);
    CHECK(losses.size() == 4);
    CHECK(losses.front() == Approx(std::log(2.0)).epsilon(.05));
    CHECK(losses.back() < losses.front());
    CHECK(stopped.steps().epochs == 4);
    CHECK(same_bits(stopped, fit(bpr<float>{.n_factors = 4, .epochs = 4}, shop.train)));
    // Without a better epoch for so long, the rest is left out, and what is kept has the bits that it had then.
    const bpr<float> judged{.n_factors = 4, .epochs = 200, .learning_rate = .2, .validation_share = .2, .patience = 2};
    std::size_t run = 0;
    options.on_progress = [&](const progress& p) {
        run = p.step;
        return verdict::go_on;
    };
    const auto best = fit(judged, shop.train, options);
    CHECK(run < 200);
    CHECK(best.steps().epochs == run - 2);
}

TEST_CASE("pairwise: customers of whom nothing is known", "[pairwise]") {
    const auto shop = plant<float>(60, 40, 8, 2, 4);
    std::vector<sale> some;
    for (std::size_t row = 1; row < shop.train.rows(); ++row)
        for (const auto item : shop.train[row].items) some.push_back({static_cast<int>(row), item});
    const auto x = interactions<float>::of(some, {.customers = &shop.train.customers(), .items = &shop.train.items()});
    const auto model = fit(bpr<float>{.n_factors = 4, .epochs = 5}, x);
    CHECK(model.customer_factors().row(0).isZero());
    const auto nobody = model(query{.customer = row_number{0}, .n = 40});
    query by_history;
    by_history.n = 40;
    by_history.history.emplace();
    CHECK(nobody == model(by_history));
    for (const auto& r : nobody) CHECK(r.score == model.item_bias()(r.item));
    // A history of everything leaves nothing to compare with.
    std::vector<std::int32_t> all(40);
    std::iota(all.begin(), all.end(), 0);
    std::vector<float> folded(4, 1);
    const auto draw = detail::draw_of_all<float>(40, negative_sampling::uniform, {});
    detail::fold_pairs<float>(model.steps(), all, model.item_factors(), model.item_bias(), draw, detail::rank_weights<float>(40), folded);
    CHECK(folded == std::vector<float>(4));
}

TEST_CASE("pairwise: everything bought, one customer, one item", "[pairwise]") {
    const std::vector<sale> all{{1, 1}, {1, 2}, {2, 1}, {2, 2}};
    const auto model = fit(bpr<double>{.n_factors = 2, .epochs = 3}, interactions<double>::of(all));
    CHECK(model.item_bias().isZero());
    CHECK(model(query{.customer = 1, .exclude_seen = false}).size() == 2);
    const auto one = fit(warp<double>{.n_factors = 3, .epochs = 3}, interactions<double>::of(std::vector<sale>{{7, 9}}));
    CHECK(one(query{.customer = 7}).empty());
}

TEST_CASE("pairwise: refuses what cannot be learnt from", "[pairwise]") {
    const auto x = interactions<float>::of(random_log(20, 12, .3, 1));
    const auto code = [&](const auto& recipe, const interactions<float>& from) { return error_of([&] { (void)fit(recipe, from); }).code(); };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const auto& bad : {bpr<float>{.n_factors = 0}, bpr<float>{.n_factors = 5000}, bpr<float>{.epochs = 0}, bpr<float>{.learning_rate = 0},
                            bpr<float>{.learning_rate = static_cast<double>(nan)}, bpr<float>{.regularization = -1}, bpr<float>{.init_deviation = 0},
                            bpr<float>{.negatives = static_cast<negative_sampling>(7)}, bpr<float>{.validation_share = 1}, bpr<float>{.patience = 0}})
        CHECK(code(bad, x) == errc::bad_parameter);
    CHECK(code(warp<float>{.max_trials = 0}, x) == errc::bad_parameter);
    CHECK(code(bpr<float>{}, interactions<float>()) == errc::empty_input);
    CHECK(code(warp<float>{}, interactions<float>::of(std::vector<sale>{{1, 1, -1}})) == errc::bad_data);
    CHECK(code(bpr<float>{.validation_share = .001}, x) == errc::too_few_rows);
    CHECK(code(bpr<float>{.epochs = 200, .learning_rate = 1e6, .regularization = 1}, x) == errc::diverged);
    CHECK(code(warp<float>{.epochs = 200, .learning_rate = 1e6, .regularization = 1}, x) == errc::diverged);

    const auto model = fit(bpr<float>{.n_factors = 3, .epochs = 1}, x);
    const auto rebuilt = [&](matrix<float> customers, vec<float> bias, pairwise_steps steps) {
        return error_of([&] { pairwise_model<float>(model.purchases(), std::move(customers), model.item_factors(), std::move(bias), steps); }).code();
    };
    matrix<float> off = model.customer_factors();
    off(1, 2) = nan;
    CHECK(rebuilt(off, model.item_bias(), model.steps()) == errc::bad_data);
    CHECK(rebuilt(model.customer_factors(), vec<float>::Zero(3), model.steps()) == errc::bad_data);
    CHECK(rebuilt(model.customer_factors(), model.item_bias(), {.epochs = 0}) == errc::bad_data);
}

TEST_CASE("pairwise: above popularity on MovieLens ml-latest-small", "[pairwise]") {
    SHARED_OR_SKIP(ratings, "data/ml_latest_small/ratings.csv");
    const auto data = ml_latest_small<float>(ratings);
    const auto task = ranking_task_of(data.test, 20);
    const auto ndcg = [&](const auto& model) { return ndcg_at(20, model(task.queries), task.relevant).mean(); };
    const double popular = ndcg(fit(popularity<float>{}, data.train)), by_pairs = ndcg(fit(bpr<float>{.n_factors = 16, .epochs = 20}, data.train)),
                 by_rank = ndcg(fit(warp<float>{.n_factors = 16, .epochs = 10}, data.train));
    INFO("popularity " << popular << ", bpr " << by_pairs << ", warp " << by_rank);
    CHECK(by_pairs > 1.1 * popular);
    CHECK(by_rank > 1.1 * popular);
}

// Cornac's README: BPR of 10 factors, 200 epochs, learning rate .001 and regularization .01 on MovieLens 100K, 20% of the ratings
// held out of which those of 4 and more are relevant: AUC .8695. That split is not ours, hence the tolerance.
TEST_CASE("pairwise: the AUC of others on MovieLens 100K", "[pairwise][slow]") {
    SHARED_OR_SKIP(ratings, "data/ml100k/u.data");
    struct rating {
        int customer = 0, item = 0, value = 0, time = 0;
    };
    std::vector<rating> learn, test, all;
    std::ifstream file(ratings);
    rng numbers(123);
    for (rating r; file >> r.customer >> r.item >> r.value >> r.time;) {
        const bool held_out = numbers.uniform() < .2;
        (held_out ? test : learn).push_back(r);
        all.push_back(r);
    }
    REQUIRE(all.size() == 100'000);
    std::erase_if(test, [](const rating& r) { return r.value < 4; });
    const auto pairs_of = [](const std::vector<rating>& log, const interactions_options& options) {
        std::vector<sale> out;
        for (const rating& r : log) out.push_back({r.customer, r.item});
        return interactions<float>::of(out, options);
    };
    const auto numbering = pairs_of(learn, {});
    const interactions_options alike{.customers = &numbering.customers(), .items = &numbering.items(), .on_unlisted = unlisted::drop};
    planted_shop<float> shop{pairs_of(learn, alike), pairs_of(test, alike), {}, {}};
    const double popular = auc_of(fit(popularity<float>{}, shop.train), shop);
    const double ours = auc_of(fit(bpr<float>{.n_factors = 10, .epochs = 200, .learning_rate = .001, .regularization = .01}, shop.train), shop);
    const double usual = auc_of(fit(bpr<float>{}, shop.train), shop), by_rank = auc_of(fit(warp<float>{}, shop.train), shop);
    WARN("AUC: popularity " << popular << ", bpr as there " << ours << ", bpr " << usual << ", warp " << by_rank);
    CHECK(ours > .8695 - .01);
    CHECK(usual > popular + .02);
    CHECK(by_rank > popular + .02);
}
