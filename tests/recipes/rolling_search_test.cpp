// A recommender chosen in several windows of the past, on a made shop whose items come and go.
#include <chrono>
#include <cstddef>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "support/catch.hpp"

#include <caramel/core/random.hpp>
#include <caramel/data/table.hpp>
#include <caramel/evaluate/ranking.hpp>
#include <caramel/recipes/rolling_search.hpp>

using namespace caramel;
using namespace std::chrono_literals;

namespace {

struct line {
    int customer, item;
    std::chrono::sys_seconds when;
};
transactions log_of(const std::vector<line>& lines) {
    return transactions::from(table::of(lines, field("customer", &line::customer), field("item", &line::item), field("when", &line::when)), {.when = "when"});
}
constexpr std::chrono::sys_seconds start{24h * 365 * 40};

// 80 customers of four kinds; each kind has 20 items, one more every ten days, each sold for forty days.
transactions changing_shop(std::uint64_t seed) {
    rng numbers(seed);
    std::vector<line> lines;
    for (int day = 0; day < 180; ++day)
        for (int customer = 0; customer < 80; ++customer) {
            if (numbers.uniform() > 0.25) continue;
            const int newest = day / 10, age = static_cast<int>(numbers.below(4));
            const int kind = numbers.uniform() < 0.1 ? static_cast<int>(numbers.below(4)) : customer % 4;
            lines.push_back({customer, 100 * kind + std::max(0, newest - age), start + 24h * day + 9h});
        }
    return log_of(lines);
}
template <class Model>
double gain_of(const Model& model, const purchase_window<float>& window) {
    const auto task = ranking_task_of(window.next.pairs_not_in(window.train), 10);
    return ndcg_at(10, model(task.queries), task.relevant).mean();
}

}  // namespace

TEST_CASE("rolling_windows: each learns from all that was before its day", "[rolling]") {
    std::vector<line> lines;
    for (int day = 0; day < 40; ++day)
        for (int customer = 0; customer < 3; ++customer) lines.push_back({customer, (day + customer * 7) % 50, start + 24h * day + 12h});
    const auto log = log_of(lines);
    const auto windows = rolling_windows<float>(log, {.length = std::chrono::days(10), .step = std::chrono::days(5), .n_windows = 3});
    REQUIRE(windows.size() == 3);
    for (int w = 0; w < 3; ++w) {
        const auto day = start + 24h * (20 + 5 * w);
        const auto train = interactions_of<float>(log.before(day));
        CHECK(windows[static_cast<std::size_t>(w)].train == train);
        CHECK(windows[static_cast<std::size_t>(w)].next == interactions_of<float>(log.since(day).before(day + 240h), &train));
    }
    const auto earlier = rolling_windows<float>(log, {.length = std::chrono::days(10), .n_windows = 1, .until = start + 24h * 35});
    CHECK(earlier[0].train == windows[1].train);

    CHECK(error_of([&] { (void)rolling_windows<float>(log, {.length = std::chrono::days(0)}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)rolling_windows<float>(log, {.step = std::chrono::days(-1)}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)rolling_windows<float>(log, {.n_windows = 0}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)rolling_windows<float>(log); }).code() == errc::too_few_rows);  // it does not reach back so far
    CHECK(error_of([&] { (void)rolling_windows<float>(transactions()); }).code() == errc::empty_input);
}

TEST_CASE("search_rolling: the means are those of the recipes one by one", "[rolling]") {
    const auto windows = rolling_windows<float>(changing_shop(1).before(start + 24h * 150), {.length = std::chrono::days(25), .n_windows = 2});
    const std::vector<item_trend> trends{{.half_life_days = 5, .exponent = 1}, {.half_life_days = 20}};
    const std::tuple lists(std::vector{popularity<float>{}}, std::vector{ease<float>{.max_items = 2}, ease<float>{.regularization = 20}});
    const auto found = search_rolling(lists, windows, trends);
    REQUIRE(found.trials.size() == 9);
    std::vector<std::size_t> customers;
    for (const auto& window : windows) customers.push_back(ranking_task_of(window.next.pairs_not_in(window.train), 10).queries.size());
    CHECK(found.judged == customers[0] + customers[1]);
    const auto check = [&](const rolling_trial& trial, const auto& recipe) {
        double sum = 0;
        for (std::size_t w = 0; w < 2; ++w) {
            const double gain = trial.trend ? gain_of(fit(trending<float>(recipe, *trial.trend), windows[w].train), windows[w])
                                            : gain_of(fit(recipe, windows[w].train), windows[w]);
            CHECK(trial.of_windows[w] == Approx(gain).margin(1e-12));
            sum += gain * static_cast<double>(customers[w]);
        }
        CHECK(trial.ndcg == Approx(sum / static_cast<double>(found.judged)).margin(1e-12));
    };
    for (std::size_t t = 0; t < 3; ++t) check(found.trials[t], popularity<float>{});
    for (std::size_t t = 3; t < 6; ++t) CHECK(found.trials[t].ndcg == -1);  // refused: too many items
    for (std::size_t t = 6; t < 9; ++t) check(found.trials[t], ease<float>{.regularization = 20});
    CHECK(found.popularity_ndcg == found.trials[0].ndcg);
    CHECK(found.trials[6].finalist);
    CHECK(!found.trials[3].finalist);
    CHECK(search_rolling(lists, windows, trends, {.threads = 3}).trials == found.trials);

    std::size_t heard = 0;
    const auto stopped = search_rolling(lists, windows, {}, {.on_progress = [&](const caramel::progress& p) {
                                            CHECK(p.steps == 3);
                                            return ++heard == 1 ? verdict::stop : verdict::go_on;
                                        }});
    CHECK(stopped.trials.size() == 1);
    CHECK(std::holds_alternative<popularity<float>>(stopped.best));

    const std::vector<purchase_window<float>> none, nothing_new{{windows[0].train, windows[0].train}};
    CHECK(error_of([&] { (void)search_rolling(lists, none); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)search_rolling(lists, windows, {item_trend{.exponent = -1}}); }).code() == errc::bad_parameter);
    CHECK(error_of([&] { (void)search_rolling(lists, nothing_new); }).code() == errc::too_few_rows);
    CHECK(error_of([&] { (void)search_rolling(std::tuple(std::vector<ease<float>>()), windows); }).code() == errc::bad_parameter);
}

TEST_CASE("search_rolling: of what is as good as the best, the first", "[rolling]") {
    const auto windows = rolling_windows<float>(changing_shop(2), {.length = std::chrono::days(25), .n_windows = 2});
    // The same recipe twice: the first list wins. A hardly better one does not make up for coming later.
    const auto twice = search_rolling(std::tuple(std::vector{ease<float>{.regularization = 21}}, std::vector{ease<float>{.regularization = 20}}), windows);
    CHECK(twice.chosen == 0);
    CHECK(twice.trials[0].finalist);
    CHECK(twice.trials[1].finalist);
    CHECK(twice.trials[0].behind <= twice.trials[0].standard_error);
    const auto better = search_rolling(std::tuple(std::vector{popularity<float>{}}, std::vector{ease<float>{.regularization = 20}}), windows);
    CHECK(better.chosen == 1);
    CHECK(better.trials[0].behind > better.trials[0].standard_error);
    CHECK(better.trials[0].behind == Approx(better.trials[1].ndcg - better.trials[0].ndcg));
    CHECK(better.trials[1].behind == 0);
}

TEST_CASE("best_recommender in several windows: where items come and go, trends are chosen and hold", "[rolling]") {
    const auto log = changing_shop(3);
    const auto day = start + 24h * 155;
    const auto past = log.before(day);
    const auto found = best_recommender(rolling_windows<float>(past, {.length = std::chrono::days(25), .step = std::chrono::days(12), .n_windows = 3}), {},
                                        als<float>{.n_factors = 6, .epochs = 3});
    const auto& chosen = found.trials[found.chosen];
    REQUIRE(chosen.trend.has_value());
    auto train = interactions_of<float>(past);
    auto next = interactions_of<float>(log.since(day), &train);
    const purchase_window<float> later{train, next};
    CHECK(gain_of(found.fit(train), later) > gain_of(fit(ease<float>{.regularization = 30}, train), later) + 0.05);
    CHECK(chosen.ndcg > found.popularity_ndcg + 0.1);
    CHECK(error_of([] { (void)best_recommender(std::vector<purchase_window<float>>()); }).code() == errc::bad_parameter);
}
