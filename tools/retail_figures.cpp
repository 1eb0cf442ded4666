// The figures of the recommenders on a year of a shop, by the protocol of examples/customer_journey.cpp: models learn from what
// was before the last quarter and are judged on the items that customers then bought for the first time. The regularization of
// EASE is chosen on the two months before that quarter, the best model in four windows as long as it that end there or before.
//
//   retail_figures [FILE.csv] [--threads N] [--regularization R]
//
// FILE.csv has the columns of Online Retail II; without it, a small shop is generated. Lines that begin with `result` are for
// scripts.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/core/error.hpp>
#include <caramel/data/clean.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/synthetic.hpp>
#include <caramel/data/transactions.hpp>
#include <caramel/evaluate/ranking.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recipes/rolling_search.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/ease.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/search_recommenders.hpp>
#include <caramel/recommend/trending.hpp>

using namespace caramel;
using namespace std::chrono_literals;
using std::chrono::sys_seconds;

namespace {

void result(const std::string& name, double value) {
    std::printf("result %s %.6g\n", name.c_str(), value);
    std::fflush(stdout);
}

// The mean NDCG@10 and recall@20 of a model on the test period.
template <class Model>
void judge(const std::string& name, const Model& model, const ranking_task& task) {
    const auto lists = model(task.queries);
    result(name + ".recall@20", recall_at(20, lists, task.relevant).mean());
    result(name + ".ndcg@10", ndcg_at(10, lists, task.relevant).mean());
}

std::string words(const std::optional<item_trend>& trend) {
    if (!trend) return "no trend";
    char text[64];
    std::snprintf(text, sizeof text, "half-life %g, exponent %g", trend->half_life_days, trend->exponent);
    return text;
}

void judge_shop(const transactions& log, const fit_options& options, double regularization) {
    const auto span = log.last_time() - log.first_time();
    const auto midnight = [](sys_seconds t) { return sys_seconds(std::chrono::floor<std::chrono::days>(t) + 24h); };
    const auto split = midnight(log.last_time() - std::min<std::chrono::seconds>(91 * 24h, span / 4));
    const auto tuning = split - std::min<std::chrono::seconds>(62 * 24h, std::chrono::floor<std::chrono::days>(span / 6));
    const auto past = log.before(split);
    const auto bought = interactions_of<float>(past);
    const auto task = ranking_task_of(interactions_of<float>(log.since(split), &bought).pairs_not_in(bought), 20);
    const auto known = interactions_of<float>(past.before(tuning));
    const auto next = interactions_of<float>(past.since(tuning), &known);
    std::printf("%zu customers, %zu items, %zu pairs to learn from; %zu customers to judge by, %zu to choose by\n", bought.rows(), bought.items().size(),
                bought.pairs(), task.queries.size(), ranking_task_of(next.pairs_not_in(known), 10).queries.size());
    require(!task.queries.empty(), errc::too_few_rows, "retail_figures: nothing new was bought in the last quarter");

    judge("retail.popularity", fit(popularity<float>{}, bought), task);
    // EASE as it was published: bought or not. Its regularization is the one given, or chosen.
    ease<float> plain{.regularization = regularization};
    if (regularization == 0) {
        std::vector<ease<float>> grid;
        for (const double r : {30.0, 100.0, 200.0, 300.0, 500.0, 1000.0, 2000.0}) grid.push_back({.regularization = r});
        plain = std::get<0>(search_recommenders(std::tuple(grid), known, next, options).best);
    }
    std::printf("ease: regularization %g\n", plain.regularization);
    judge("retail.ease", fit(plain, bought, options), task);

    const auto windows = rolling_windows<float>(past, {.length = std::chrono::floor<std::chrono::days>(log.last_time() - split) + std::chrono::days(1),
                                                       .step = std::max(std::chrono::days(1), std::chrono::floor<std::chrono::days>(span / 12)),
                                                       .n_windows = 4,
                                                       .until = split});
    const auto start = std::chrono::steady_clock::now();
    const auto best = best_recommender(windows, options, als<float>{.n_factors = 64});
    std::printf("%zu customers to choose by in %zu windows; NDCG@10 there (popularity %.4f):\n", best.judged, windows.size(), best.popularity_ndcg);
    for (const auto& trial : best.trials) {
        if (!trial.finalist && trial.trend) continue;
        std::printf("%c %-16s %zu %-28s %.4f |", &trial == &best.trials[best.chosen] ? '*' : trial.finalist ? '+' : ' ', trial.recipe.c_str(), trial.place,
                    words(trial.trend).c_str(), trial.ndcg);
        for (const double one : trial.of_windows) std::printf(" %.4f", one);
        if (trial.finalist) std::printf(" | behind %.4f, standard error %.4f", trial.behind, trial.standard_error);
        std::printf("\n");
    }
    std::printf("chosen in %.0f s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    judge("retail.best", best.fit(bought, options), task);
}

}  // namespace

int main(int argc, char** argv) try {
    std::string file;
    std::size_t threads = 0;
    double regularization = 0;
    CLI::App app("The figures of the recommenders on a year of a shop");
    app.add_option("FILE", file, "a log with the columns of Online Retail II; without it a shop is generated");
    app.add_option("--threads", threads, "0 = all; never changes a result");
    app.add_option("--regularization", regularization, "of EASE; 0 = chosen before the last quarter (default)");
    CLI11_PARSE(app, argc, argv);

    const table rows = file.empty() ? synthetic_shop({}).rows : read_csv(file);
    const auto log = transactions::from(rows, {.customer = "customer_id",
                                               .item = "stock_code",
                                               .invoice = "invoice",
                                               .quantity = "quantity",
                                               .price = "price",
                                               .when = "invoice_date",
                                               .description = "description"});
    const auto kept = clean(log).kept;
    require(!kept.empty(), errc::empty_input, "retail_figures: no purchase is left after cleaning");
    judge_shop(kept, {.threads = threads}, regularization);
    return 0;
} catch (const error& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "retail_figures: %s (%s)\n", e.what(), std::string(name_of(e.code())).c_str());
    return 1;
} catch (const std::exception& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "retail_figures: %s\n", e.what());
    return 1;
}
