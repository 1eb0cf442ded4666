// Whom to call: past contacts and what came of them in; the order in which to call, and when to stop, out.
//
//   lead_scoring [--data FILE.csv --target COLUMN --positive VALUE] [--drop COLUMN]... [--benefit X] [--cost X] [--report FILE.html] [--seed N] [--threads N]
//
// Learns from four rows of five and is judged on every fifth (row number from 0, modulo 5 = 4). Without --data, on a
// generated campaign. On Bank Marketing leave out what is known only after the call: --drop duration. Lines that begin with
// `result` are for scripts.
//
// After scripts/demo.sh, which gets what is needed:
//   cmake --build build/release --target lead_scoring && build/release/examples/lead_scoring
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/data/synthetic_subscribers.hpp>
#include <caramel/evaluate/compare.hpp>
#include <caramel/io/file.hpp>

#include "table_study.hpp"

using namespace caramel;
using namespace table_study;

namespace {

line_chart profit_chart(const judged& ours, const contact_value& value) {
    line_series line{.name = "those of the highest score first"}, blind{.name = "in any order"};
    const auto points = profit_curve(ours.risk, ours.labels, value, 40);
    for (const auto& p : points) {
        line.x.push_back(p.share);
        line.y.push_back(p.profit);
        blind.x.push_back(p.share);
        blind.y.push_back(p.share * points.back().profit);
    }
    return {.title = "What a campaign earns, by how many are called",
            .x = {.title = "Share of leads called", .numbers = {.decimals = 0, .percent = true}, .from = 0.0, .to = 1.0},
            .y = {.title = "Profit", .numbers = {.decimals = 0}},
            .series = {line, blind},
            .references = {{"nothing", 0}}};
}

std::string page_of(const study& leads, const judged& ours, const judged& plain, const profit_point& campaign, const contact_value& value) {
    html_page page("Whom to call", {.subtitle = number_text(static_cast<double>(ours.labels.size())) + " leads that the model has not seen", .footer = "Made with Caramel, on this machine."});
    const std::string top = number_text(top_lift(ours.risk, ours.labels), {.decimals = 1});
    page.section("In short")
        .key_figures({{percent(leads.share(), 1), "say yes", "of all who were called"},
                      {top + " times", "as many in the top tenth", "as among all"},
                      {percent(campaign.share), "to call", "where a yes brings " + number_text(value.benefit) + " and a call costs " + number_text(value.cost)}})
        .list({"Call the tenth of the highest score first: " + top + " times as many of them say yes as of all leads.", campaign_conclusion(campaign, value, "a yes", "score", "leads"),
               pair_conclusion(ours, "said yes", "said no")});
    report_table gains{.caption = "Leads by score", .columns = {{.title = "Tenth", .numbers = {.decimals = 0}}, {.title = "Leads", .numbers = {.decimals = 0}}, {.title = "Say yes", .numbers = {.decimals = 0}}, {.title = "Of all who say yes, so far", .numbers = {.decimals = 1, .percent = true}}, {.title = "Lift", .numbers = {.decimals = 2}}}};
    std::size_t tenth = 0;
    for (const auto& row : gain_table(ours.risk, ours.labels)) gains.rows.push_back({++tenth, row.rows, row.positives, row.captured, row.lift});
    page.section("The order of calls")
        .chart(profit_chart(ours, value), "The top of the curve is where to stop: beyond it each call costs more than it brings.")
        .chart(lift_chart(ours, "Leads, those of the highest score first", "Yeses, compared with leads in any order"), "The further left, the more of them say yes: call from the left.")
        .table(gains);
    page.section("How good it is")
        .chart(roc_chart(ours, plain, "said yes", "said no"), "The further the line stands above the diagonal, the better.")
        .chart(calibration_chart(ours, "Score", "Who said yes"), calibration_conclusion(ours, "a score of 30 %, 30 say yes", "the leads"));
    return page.html();
}

}  // namespace

int main(int argc, char** argv) try {
    std::string data, target, positive, report;
    std::vector<std::string> drop;
    contact_value value{.benefit = 100, .cost = 10};
    std::uint64_t seed = 0;
    std::size_t threads = 0;
    CLI::App app("From past contacts to the order in which to call");
    auto* const data_option = app.add_option("--data", data, "a CSV file with a header (default: a generated campaign)");
    app.add_option("--target", target, "the column that says what came of it")->needs(data_option);
    app.add_option("--positive", positive, "its value of those who said yes")->needs(data_option);
    app.add_option("--drop", drop, "a column not to learn from, such as one that is known only afterwards");
    app.add_option("--benefit", value.benefit, "what a yes brings");
    app.add_option("--cost", value.cost, "what a call costs");
    app.add_option("--report", report, "where to write a page with charts");
    app.add_option("--seed", seed, "of everything random");
    app.add_option("--threads", threads, "how many work at once (default: as many as the machine has); the answers are the same");
    CLI11_PARSE(app, argc, argv);
    require(data.empty() || (!target.empty() && !positive.empty()), errc::bad_parameter, "--data needs --target and --positive");

    const stopwatch total;
    title("1. The leads");
    if (data.empty()) {
        target = "accepted";
        positive = "yes";
        drop.emplace_back("left");
    }
    const study leads = study_of(data.empty() ? synthetic_subscribers({.seed = seed}).rows : read_csv(data), target, positive, drop);

    title("2. Scores of leads that the model has not seen");
    const std::vector<train_test> fifth{five_folds(leads.labels)[4]};
    const fit_options options{.seed = seed, .threads = threads};
    const auto& names = leads.rows.names();
    const judged plain = judge(table_features<float>(names) | logistic<float>{}, leads, fifth, options),
                 ours = judge(table_classifier<float>(names), leads, fifth, options);
    print("logistic regression", plain);
    print("mixed classifier", ours);
    const auto better = delong_test(ours.risk, plain.risk, ours.labels);
    std::printf("the mixed classifier's AUC is higher by %.4f; were they equally good, chance would part them as far with probability %.2g (DeLong)\n",
                better.difference, better.p_value);
    result("leads.logistic.auc", plain.auc);
    result("leads.auc", ours.auc);
    result("leads.log_loss", ours.log_loss);
    result("leads.top_lift", top_lift(ours.risk, ours.labels));
    result("leads.calibration_error", equal_mass_calibration_error(ours.risk, ours.labels));

    title("3. Whom to call");
    const profit_point campaign = most_profitable(ours.risk, ours.labels, value), all = profit_curve(ours.risk, ours.labels, value, 1).back();
    std::printf("where a yes brings %g and a call costs %g: calling the %zu leads with a score of %.3f or more earns %.0f, calling all %zu earns %.0f\n",
                value.benefit, value.cost, campaign.rows, campaign.cutoff, campaign.profit, all.rows, all.profit);
    if (!report.empty()) {
        const std::string page = page_of(leads, ours, plain, campaign, value);
        replace_file(report, std::as_bytes(std::span(page)));
        std::printf("the report stands in %s\n", report.c_str());
    }
    result("leads.total_seconds", total.seconds());
    return 0;
} catch (...) {
    return say_error("lead_scoring");
}
