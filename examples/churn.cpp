// Who will leave: a table of customers in; risks that can be taken at their word, what they go by, and a page out.
//
//   churn [--data FILE.csv --target COLUMN --positive VALUE] [--drop COLUMN]... [--report FILE.html] [--save FILE] [--seed N] [--threads N]
//
// Without --data, on a generated table of subscribers. Lines that begin with `result` are for scripts.
//
// After scripts/demo.sh, which gets what is needed:
//   cmake --build build/release --target churn && build/release/examples/churn
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/data/synthetic_subscribers.hpp>
#include <caramel/evaluate/monitored.hpp>
#include <caramel/explain/explanation.hpp>
#include <caramel/explain/shapley.hpp>
#include <caramel/io/file.hpp>
#include <caramel/io/model_file.hpp>

#include "table_study.hpp"

using namespace caramel;
using namespace table_study;

namespace {

// The metric that importances are measured by, on the probability of leaving.
constexpr auto by_risk_auc = [](const matrix<float>& p, const std::vector<int>& labels) { return auc(p.col(1), labels); };

template <class Model>
void explain_one(const Model& model, const study& customers) {
    const auto risks = model(customers.rows);
    row_index riskiest = 0;
    risks.col(1).maxCoeff(&riskiest);
    std::vector<std::size_t> background;  // what the customer is compared with
    for (std::size_t i = 0; i < customers.rows.rows() && background.size() < 30; i += std::max<std::size_t>(1, customers.rows.rows() / 30))
        background.push_back(i);
    const std::vector<std::size_t> one{static_cast<std::size_t>(riskiest)};
    const auto why = shapley(model, customers.rows.take_rows(background), customers.rows.take_rows(one), {.permutations = 10});
    std::printf("row %td has the highest risk, %.2f where the mean is %.2f:\n", riskiest + 1, why.prediction, why.base);
    for (const auto& reason : top_reasons(why, customers.rows.names(), 4)) std::printf("  %+.3f by \"%s\"\n", reason.contribution, reason.name.c_str());
}

// From a host's single rows, as a till would ask.
template <class Model>
void measure_serving(const Model& model, const table& customers) {
    std::vector<double> microseconds;
    workspace row_memory, scratch;
    double sum = 0;
    for (int round = 0; round < 2; ++round)
        for (std::size_t i = 0; i < std::min<std::size_t>(customers.rows(), 2000); ++i) {
            const table_row row = row_of(customers, i, row_memory);
            const stopwatch one;
            sum += static_cast<double>(model(row, scratch)[1]);
            if (round > 0) microseconds.push_back(1e6 * one.seconds());
        }
    std::ranges::sort(microseconds);
    std::printf("one customer: p50 %.1f us, p99 %.1f us (mean risk %.3f)\n", microseconds[microseconds.size() / 2],
                microseconds[microseconds.size() * 99 / 100], sum / 2 / static_cast<double>(microseconds.size()));
    result("churn.row_us", microseconds[microseconds.size() / 2]);
}

std::string page_of(const study& customers, const judged& ours, const judged& plain, const importances& goes_by, const profit_point& campaign, const contact_value& value) {
    html_page page("Who will leave", {.subtitle = number_text(static_cast<double>(customers.labels.size())) + " customers", .footer = "Made with Caramel, on this machine."});
    const std::string top = number_text(top_lift(ours.risk, ours.labels), {.decimals = 1});
    page.section("In short")
        .key_figures({{percent(customers.share(), 1), "leave", "of all customers"},
                      {number_text(ours.auc, {.decimals = 3}), "AUC", "0.5 is guessing, 1 perfect; logistic regression " + number_text(plain.auc, {.decimals = 3})},
                      {top + " times", "as many leavers in the top tenth", "as among all"}})
        .list({pair_conclusion(ours, "left", "stayed"), "Call the tenth of the highest risk first: " + top + " times as many of them leave as of all customers.",
               "What tells most: " + most_telling(goes_by, customers.rows.names(), 3) + ".", campaign_conclusion(campaign, value, "a customer who is kept", "risk", "customers")})
        .paragraph("Every customer was judged by a model that had not seen them.");
    page.section("How good it is")
        .chart(roc_chart(ours, plain, "left", "stayed"), "The further the line stands above the diagonal, the better leavers are told from stayers.")
        .chart(lift_chart(ours, "Customers, those of the highest risk first", "Leavers found, compared with chance"), "Call those of the highest risk first: the further left, the more of them leave.")
        .chart(calibration_chart(ours, "Predicted risk", "Who really left"), calibration_conclusion(ours, "a risk of 60 %, 60 leave", "the customers"));
    page.section("What it goes by").chart(importance_chart(goes_by, customers.rows.names()), "The AUC that is lost when a column is shuffled, so that it says nothing. Most is lost without " + most_telling(goes_by, customers.rows.names(), 1) + ".");
    page.section("Whom to contact")
        .conclusion(campaign_conclusion(campaign, value, "a customer who is kept", "risk", "customers"));
    return page.html();
}

}  // namespace

int main(int argc, char** argv) try {
    std::string data, target, positive, report, file;
    std::vector<std::string> drop;
    std::uint64_t seed = 0;
    std::size_t threads = 0;
    CLI::App app("From a table of customers to their risk of leaving");
    auto* const data_option = app.add_option("--data", data, "a CSV file with a header (default: a generated table)");
    app.add_option("--target", target, "the column that says what became of them")->needs(data_option);
    app.add_option("--positive", positive, "its value of those who left")->needs(data_option);
    app.add_option("--drop", drop, "a column not to learn from, such as one that is known only afterwards");
    app.add_option("--report", report, "where to write a page with charts");
    app.add_option("--save", file, "where to keep the model");
    app.add_option("--seed", seed, "of everything random");
    app.add_option("--threads", threads, "how many work at once (default: as many as the machine has); the answers are the same");
    CLI11_PARSE(app, argc, argv);
    require(data.empty() || (!target.empty() && !positive.empty()), errc::bad_parameter, "--data needs --target and --positive");

    const stopwatch total;
    title("1. The customers");
    if (data.empty()) {
        target = "left";
        positive = "yes";
        drop.emplace_back("accepted");
    }
    const study customers = study_of(data.empty() ? synthetic_subscribers({.seed = seed}).rows : read_csv(data), target, positive, drop);
    const std::vector<std::string>& names = customers.rows.names();

    title("2. How well leavers are told, in five folds");
    const auto folds = five_folds(customers.labels);
    const fit_options options{.seed = seed, .threads = threads};
    fit_options with_bar = options;
    with_bar.on_progress = progress_bar("folds");
    const auto recipe = table_classifier<float>(names);
    const judged plain = judge(table_features<float>(names) | logistic<float>{}, customers, folds, options), ours = judge(recipe, customers, folds, with_bar);
    print("logistic regression", plain);
    print("mixed classifier", ours);
    result("churn.logistic.auc", plain.auc);
    result("churn.logistic.log_loss", plain.log_loss);
    result("churn.auc", ours.auc);
    result("churn.log_loss", ours.log_loss);
    result("churn.calibration_error", equal_mass_calibration_error(ours.risk, ours.labels));
    const contact_value value{.benefit = 100, .cost = 30};
    const profit_point campaign = most_profitable(ours.risk, ours.labels, value);
    std::printf("if a leaver who is reached is worth %.0f and a contact costs %.0f: contact those with a risk of %.2f or more, %.0f %% of all\n", value.benefit,
                value.cost, campaign.cutoff, 100 * campaign.share);

    title("3. The model for tomorrow, and what it goes by");
    const auto model = fit(monitored(names, recipe), customers.rows, customers.labels, options);
    // Importances and reasons on the last fold's rows, by a model that has not seen them.
    study held{customers.rows.take_rows(folds.back().test), {}};
    std::vector<int> learnt;
    for (const std::size_t row : folds.back().test) held.labels.push_back(customers.labels[row]);
    for (const std::size_t row : folds.back().train) learnt.push_back(customers.labels[row]);
    const auto fresh = fit(recipe, customers.rows.take_rows(folds.back().train), learnt, options);
    const importances goes_by = permutation_importance(fresh, held.rows, held.labels, by_risk_auc, {.repeats = 3, .seed = seed});
    std::vector<std::size_t> order(names.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return goes_by.drops[a] > goes_by.drops[b]; });
    for (std::size_t i = 0; i < std::min<std::size_t>(5, order.size()); ++i)
        std::printf("  without \"%s\" the AUC falls by %.3f\n", names[order[i]].c_str(), goes_by.drops[order[i]]);
    explain_one(fresh, held);
    double most = 0;
    for (const auto& column : drift(model, held.rows)) most = std::max(most, column.index);
    std::printf("drift of the last fifth of the rows against all: at most %.3f (0.1 is nothing much, 0.25 a change)\n", most);
    measure_serving(model, customers.rows);

    if (!file.empty()) {
        save(model, file,
             {.description = "churn: (customers) -> (stays, leaves)",
              .rows = customers.labels.size(),
              .columns = names,
              .metrics = {{"auc", ours.auc}, {"log_loss", ours.log_loss}}});
        const auto again = load<std::remove_cvref_t<decltype(model)>>(file);
        result("churn.same_answers", again(customers.rows) == model(customers.rows) ? 1 : 0);
    }
    if (!report.empty()) {
        const std::string page = page_of(customers, ours, plain, goes_by, campaign, value);
        replace_file(report, std::as_bytes(std::span(page)));
        std::printf("the report stands in %s\n", report.c_str());
    }
    result("churn.total_seconds", total.seconds());
    return 0;
} catch (...) {
    return say_error("churn");
}
