#ifndef EXAMPLES_JOURNEY_REPORT_HPP
#define EXAMPLES_JOURNEY_REPORT_HPP

// What the customer journey found out, and the page that shows it.

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <caramel/data/clean.hpp>
#include <caramel/evaluate/curves.hpp>
#include <caramel/report/page.hpp>

struct journey_findings {
    caramel::cleaning_report cleaning;
    std::chrono::sys_seconds first{}, last{};
    struct recommender {
        std::string name;
        double recall = 0, ndcg = 0;
    };
    std::vector<recommender> recommenders;
    // One a customer: who left, their risk by a model that has not seen them, days since they last bought, what they spent.
    std::vector<int> labels;
    std::vector<double> risk, recency_days, spend;
    std::array<double, 3> churn_auc{};  // recency rule, logistic regression, network
    std::vector<double> training_loss;  // of the network, one an epoch
    std::vector<std::pair<std::string, double>> policies;  // and what a customer is worth under them
    std::string assumptions;
};

namespace journey_pages {

using namespace caramel;

inline std::string day_of(std::chrono::sys_seconds when) {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(when));
    const auto two = [](unsigned n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return std::to_string(static_cast<int>(day.year())) + "-" + two(static_cast<unsigned>(day.month())) + "-" + two(static_cast<unsigned>(day.day()));
}
inline std::string percent(double share) { return number_text(share, {.decimals = 0, .percent = true}); }

inline void add_log(html_page& page, const journey_findings& found) {
    const auto& c = found.cleaning;
    report_table rows{.caption = "What became of the rows of the log", .columns = {{.title = "Rows"}, {.title = "Number", .numbers = {.decimals = 0}}}};
    rows.rows = {{"read", c.rows_read},
                 {"without a customer", c.missing_customer},
                 {"without an item", c.missing_item},
                 {"cancelled", c.cancelled},
                 {"with a quantity of 0 or less", c.non_positive_quantity},
                 {"with a price of 0 or less", c.non_positive_price},
                 {"kept", c.rows_kept}};
    rows.emphasis = rows.rows.size() - 1;
    page.section("The data")
        .paragraph("Purchases from " + day_of(found.first) + " to " + day_of(found.last) + ". Rows that name no customer cannot teach us about customers, and cancelled ones are no purchases.")
        .table(rows);
}

inline void add_recommendations(html_page& page, const journey_findings& found) {
    if (found.recommenders.empty()) return;
    bar_chart hits{.title = "How well each method ranks what customers bought next",
                   .values = {.title = "NDCG@10", .numbers = {.decimals = 3}},
                   .labels_title = "Method"};
    const auto* best = &found.recommenders.front();
    for (const auto& r : found.recommenders)
        if (r.ndcg > best->ndcg) best = &r;
    for (const auto& r : found.recommenders) hits.bars.push_back({r.name, r.ndcg, &r == best, "recall@20 " + number_text(r.recall, {.decimals = 4})});
    page.section("What to offer")
        .paragraph("Each method learnt from purchases before a day and ranked all products that a customer had not bought. The figure rewards "
                   "products near the top of the list that the customer then did buy.")
        .chart(hits, "Offers made to measure by \"" + best->name + "\" rank " + number_text(best->ndcg / found.recommenders.front().ndcg, {.decimals = 1}) +
                         " times as well as showing everyone the best sellers.");
}

inline void add_churn(html_page& page, const journey_findings& found) {
    if (found.risk.empty()) return;
    const auto lift = lift_curve(found.risk, found.labels, 20);
    line_series gains{.name = "customers by risk"};
    for (const auto& point : lift) {
        gains.x.push_back(point.share);
        gains.y.push_back(point.lift);
    }
    const auto bins = calibration_curve(found.risk, found.labels, 10);
    line_series calibrated{.name = "tenths of the customers"};
    for (const auto& bin : bins) {
        calibrated.x.push_back(bin.mean_prediction);
        calibrated.y.push_back(bin.share_of_positives);
    }
    std::vector<double> cutoffs;
    for (int i = 1; i < 20; ++i) cutoffs.push_back(0.05 * i);
    line_series precision{.name = "precision: of those flagged, how many leave"}, recall{.name = "recall: of those who leave, how many are flagged"};
    for (const auto& point : precision_curve(found.risk, found.labels, cutoffs)) {
        if (point.decisions.recall() == 0) continue;  // nobody is flagged
        precision.x.push_back(point.cutoff);
        precision.y.push_back(point.decisions.precision());
        recall.x.push_back(point.cutoff);
        recall.y.push_back(point.decisions.recall());
    }
    const std::size_t second_tenth = std::min<std::size_t>(lift.size() - 1, 1);
    const chart_axis shares{.title = "Share", .numbers = {.decimals = 0, .percent = true}, .from = 0.0, .to = 1.0};
    auto risk_axis = shares, left_axis = shares, flagged_axis = shares, share_axis = shares;
    risk_axis.title = "Predicted risk";
    left_axis.title = "Who really left";
    flagged_axis.title = "Flagged from this risk on";
    share_axis.title = "Share of customers, those most at risk first";
    page.section("Who will not return")
        .paragraph("Every customer was judged by a model that had not seen them. A model that guesses has an AUC of 0.5, a perfect one 1.")
        .key_figures({{number_text(found.churn_auc[2], {.decimals = 3}), "AUC of the network", "the whole history: rhythm, tastes, words of the products"},
                      {number_text(found.churn_auc[1], {.decimals = 3}), "AUC of logistic regression", "six numbers a customer"},
                      {number_text(found.churn_auc[0], {.decimals = 3}), "AUC of the recency rule", "who was away longest leaves first"}})
        .chart(line_chart{.title = "Lift: how many more leavers than by chance",
                          .x = share_axis,
                          .y = {.title = "Lift", .numbers = {.decimals = 1}, .from = 0.0},
                          .series = {gains},
                          .references = {{"chance", 1}}},
               "Among the " + percent(lift[second_tenth].share) + " most at risk there are " + number_text(lift[second_tenth].lift, {.decimals = 1}) +
                   " times as many leavers as among all: call these first.")
        .chart(line_chart{.title = "Calibration: can the risk be taken at its word?",
                          .x = risk_axis,
                          .y = left_axis,
                          .series = {calibrated},
                          .references = {{.name = "predicted = real", .kind = reference_kind::diagonal}}},
               "Near the line, a risk of 60 % means that 60 of 100 such customers leave.")
        .chart(line_chart{.title = "Precision and recall by cutoff", .x = flagged_axis, .y = shares, .series = {precision, recall}},
               "A higher cutoff flags fewer customers, and is right more often: choose it by what a contact costs.");
    if (found.training_loss.size() > 1) {
        line_series loss{.name = "log loss"};
        for (std::size_t epoch = 0; epoch < found.training_loss.size(); ++epoch) {
            loss.x.push_back(static_cast<double>(epoch + 1));
            loss.y.push_back(found.training_loss[epoch]);
        }
        page.chart(line_chart{.title = "Training of the network",
                              .x = {.title = "Epoch", .numbers = {.decimals = 0}},
                              .y = {.title = "Mean loss on the training customers", .numbers = {.decimals = 2}},
                              .series = {loss}},
                   "The loss falls and levels off: the network has learnt what the features hold.");
    }
    scatter_chart map{.title = "Customer map",
                      .x = {.title = "Since the last purchase", .unit = "days", .numbers = {.decimals = 0}, .from = 0.0},
                      .y = {.title = "Spent so far", .numbers = {.decimals = 0}, .logarithmic = true},
                      .value = {.title = "Risk", .numbers = {.decimals = 0, .percent = true}},
                      .value_cuts = {.2, .4, .6, .8}};
    for (std::size_t i = 0; i < found.risk.size(); ++i) {
        if (!(found.spend[i] > 0)) continue;
        map.x_values.push_back(std::max(0.0, found.recency_days[i]));
        map.y_values.push_back(found.spend[i]);
        map.values.push_back(found.risk[i]);
    }
    page.chart(map, "High up and at risk: customers who spent much and may be lost. They are worth a call.");
}

inline void add_policy(html_page& page, const journey_findings& found) {
    if (found.policies.empty()) return;
    bar_chart values{.title = "What a customer is worth, by how we contact them",
                     .values = {.title = "Expected margin less contact costs, discounted", .numbers = {.decimals = 2}},
                     .labels_title = "Policy"};
    double best = found.policies.front().second, learned = best;
    for (const auto& [name, value] : found.policies) {
        values.bars.push_back({name, value, name == "learned", ""});
        best = std::max(best, value);
        if (name == "learned") learned = value;
    }
    const double never = found.policies.front().second;
    page.section("Whom to contact")
        .chart(values, "The learned policy is worth " + number_text(never > 0 ? learned / never - 1 : 0, {.decimals = 1, .percent = true}) +
                           " more than never contacting anyone, and reaches " + number_text(best > 0 ? learned / best : 1, {.decimals = 1, .percent = true}) +
                           " of the best that is possible in this model.")
        .paragraph("The log holds no contacts, so what a contact does is assumed. With other assumptions these figures are others: " + found.assumptions);
}

}  // namespace journey_pages

inline std::string journey_report(const journey_findings& found) {
    using namespace journey_pages;
    html_page page("Customer report", {.subtitle = day_of(found.first) + " to " + day_of(found.last), .footer = "Made with Caramel, on this machine, from the transaction log alone."});
    std::vector<key_figure> figures{{number_text(static_cast<double>(found.cleaning.customers)), "customers", "with a purchase"},
                                    {number_text(static_cast<double>(found.cleaning.items)), "products", "bought"}};
    if (!found.labels.empty()) {
        double left = 0;
        for (const int label : found.labels) left += label;
        figures.push_back({percent(left / static_cast<double>(found.labels.size())), "did not return", "in the last period"});
    }
    page.section("At a glance").key_figures(figures);
    add_recommendations(page, found);
    add_churn(page, found);
    add_policy(page, found);
    add_log(page, found);
    return page.html();
}

#endif
