// What to offer to whom: from a list of purchases to recommendations with reasons.
//
//   recommend [--train FILE --customer COLUMN --item COLUMN --value COLUMN --time COLUMN] [--for ID] [--all FILE] [--n N]
//
// Without --train, on the purchases of a generated shop. Several recommenders compete on each customer's last purchase but
// one, the winner is judged on the last, with popularity beside it. Lines that begin with `result` are for scripts.
//
// After scripts/demo.sh, which gets what is needed:
//   cmake --build build/release --target recommend && build/release/examples/recommend
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/data/clean.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/interaction_splits.hpp>
#include <caramel/data/synthetic.hpp>
#include <caramel/recipes/compare_recommenders.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/recommend_all.hpp>
#include <caramel/recommend/rerank.hpp>
#include <caramel/recommend/similar.hpp>

#include "terminal.hpp"

using namespace caramel;
using purchases = interactions<float>;

namespace {

struct settings {
    std::string train, customer = "customer", item = "item", value, time, whom, all;
    std::size_t n = 5;
    fit_options fit;
};

// Ids are read as texts. Times are "2010-12-09", "2010-12-09 20:01:00", or seconds since 1970.
purchases read_purchases(const settings& run) {
    const table log = read_csv(run.train, {.types = {{run.customer, column_type::category}, {run.item, column_type::category}}});
    const auto customers = log.categories(run.customer), items = log.categories(run.item);
    const auto numbers = [&](const std::string& name) {
        const auto& column = log.column(name);
        if (column.type() == column_type::integer) return std::vector<double>(column.integers().begin(), column.integers().end());
        return std::vector<double>(column.numbers().begin(), column.numbers().end());
    };
    std::vector<float> values;
    if (!run.value.empty())
        for (const double value : numbers(run.value)) values.push_back(static_cast<float>(value));
    std::vector<std::chrono::sys_seconds> times;
    if (!run.time.empty() && log.column(run.time).type() == column_type::timestamp) {
        const auto read = log.timestamps(run.time);
        times.assign(read.begin(), read.end());
    } else if (!run.time.empty()) {
        for (const double second : numbers(run.time)) times.emplace_back(std::chrono::seconds(static_cast<std::int64_t>(second)));
    }
    return purchases({.customers = {customers.codes, customers.levels}, .items = {items.codes, items.levels}, .values = values, .times = times});
}

// By time where there is any, else a tenth at random.
interaction_split<float> split(const purchases& all, std::uint64_t seed) { return all.has_times() ? leave_last_out(all) : pair_folds(all, 10, seed)[0]; }

std::string name_of(const id_table& ids, std::size_t row) { return ids.is_text() ? std::string(ids.text(row)) : std::to_string(ids.number(row)); }

// What the model offers to one customer, and why.
template <class Model>
void present(const Model& model, const settings& run) {
    const auto name = [&](std::int32_t item) { return name_of(model.items(), static_cast<std::size_t>(item)); };
    const any_id whom = run.whom.empty() ? any_id(row_number{0}) : any_id(run.whom);
    const std::size_t row = model.customers().row_of(whom);
    std::printf("  customer %s, who has %zu items already:\n", name_of(model.customers(), row).c_str(), model.purchases()[row].size());
    auto picks = model(query{.customer = whom, .n = 10 * run.n});
    if constexpr (requires { model.item_factors(); }) picks = diversify<float>(picks, item_cosine<float>(model.item_factors()), {.n = run.n, .relevance = 0.8});
    picks.resize(std::min(run.n, picks.size()));
    for (const auto& pick : picks) {
        std::printf("    %s, score %.3f", name(pick.item).c_str(), static_cast<double>(pick.score));
        if constexpr (requires { model.explain(query{}, any_id(0)); }) {
            const auto reasons = model.explain(query{.customer = whom}, row_number{static_cast<std::size_t>(pick.item)});
            for (std::size_t i = 0; i < std::min<std::size_t>(2, reasons.size()); ++i)
                std::printf("%s %s (%+.3f)", i == 0 ? ", because of" : " and", name(reasons[i].item).c_str(), static_cast<double>(reasons[i].score));
        }
        std::printf("\n");
    }
    if (picks.empty()) return;
    std::printf("  most like %s:", name(picks[0].item).c_str());
    for (const auto& other : similar_items(model, row_number{static_cast<std::size_t>(picks[0].item)}, 3))
        std::printf("  %s (%.2f)", name(other.item).c_str(), static_cast<double>(other.score));
    std::printf("\n");
    if (run.all.empty()) return;
    write_csv(recommendation_table(model, recommend_all(model, {.n = run.n}, run.fit)), run.all);
    std::printf("  the offers for all %zu customers are in %s\n", model.customers().size(), run.all.c_str());
}

void study(const settings& run) {
    title("1. The purchases");
    const auto all = run.train.empty() ? interactions_of<float>(clean(synthetic_shop({.seed = run.fit.seed}).log).kept) : read_purchases(run);
    std::printf("  %zu customers, %zu items, %zu pairs of them%s\n", all.rows(), all.items().size(), all.pairs(), all.has_times() ? ", with times" : "");
    const auto whole = split(all, run.fit.seed), past = split(whole.train, run.fit.seed + 1);

    if (!run.whom.empty()) (void)all.customers().row_of(run.whom);  // an unknown one is refused before the work

    title("2. Which recommender: by what customers bought next, within the training part");
    const contender neighbours{"item neighbours", item_neighbors<float>{.k = 50, .shrinkage = 10}};
    const contender factors{"factors", als<float>{.n_factors = 32, .weights = weighting::logarithmic}};
    const contender strict{"factors, strict", als<float>{.n_factors = 32, .regularization = 0.003, .unobserved_weight = 1, .weights = weighting::logarithmic}};
    const auto tried = compare_recommenders(past.train, past.test, {.fit = run.fit}, neighbours, factors, strict);
    std::printf("%s", tried.text().c_str());
    const std::string best = tried.best().name;

    const auto finish = [&](const auto& winner) {
        title("3. How well it does on purchases that no choice has seen");
        const auto judged = compare_recommenders(whole.train, whole.test, {.fit = run.fit}, winner);
        std::printf("%s", judged.text().c_str());
        result("recommend.ndcg@10", judged.rows.back().ndcg.mean());
        result("recommend.popularity.ndcg@10", judged.rows.front().ndcg.mean());
        title("4. What it offers, and why");
        present(fit(winner.recipe, all, run.fit), run);
    };
    if (best == neighbours.name) finish(neighbours);
    else if (best == factors.name) finish(factors);
    else if (best == strict.name) finish(strict);
    else finish(contender{"popularity", popularity<float>{}});
}

}  // namespace

int main(int argc, char** argv) try {
    settings run;
    run.fit.threads = 0;
    CLI::App app("From purchases to recommendations");
    app.add_option("--train", run.train, "a CSV file with a header, one row a purchase or rating (default: a generated shop)");
    app.add_option("--customer", run.customer, "its column of customers (default: customer)");
    app.add_option("--item", run.item, "its column of items (default: item)");
    app.add_option("--value", run.value, "its column of quantities or ratings, if it has one");
    app.add_option("--time", run.time, "its column of times, if it has one");
    app.add_option("--for", run.whom, "the customer to show offers for (default: the first)");
    app.add_option("--all", run.all, "a CSV file to write the offers for all customers to");
    app.add_option("--n", run.n, "how many offers (default: 5)")->check(CLI::Range(1, 1000));
    app.add_option("--seed", run.fit.seed, "of everything random");
    app.add_option("--threads", run.fit.threads, "how many work at once (default: as many as the machine has); the answers are the same");
    CLI11_PARSE(app, argc, argv);
    study(run);
    return 0;
} catch (...) {
    return say_error("recommend");
}
