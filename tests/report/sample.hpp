#ifndef CARAMEL_TESTS_REPORT_SAMPLE_HPP
#define CARAMEL_TESTS_REPORT_SAMPLE_HPP

// A report as the main job makes it, with every kind of chart, on made-up numbers of the size that real ones have.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/evaluate/curves.hpp>
#include <caramel/report/page.hpp>

struct sample_customers {
    std::vector<double> risk, rule;  // two predictions
    std::vector<int> left;
    std::vector<double> days_away, spend;
};

inline sample_customers make_customers(std::size_t n) {
    caramel::rng random(3);
    sample_customers out;
    for (std::size_t i = 0; i < n; ++i) {
        const double away = std::min(280.0, 1 - 70 * std::log(1 - random.uniform()));
        const double logit = -1.5 + away / 60 + 0.3 * random.normal();
        const double risk = 1 / (1 + std::exp(-logit));
        out.risk.push_back(std::clamp(risk * 0.96, 0.01, 0.99));
        out.rule.push_back(std::clamp(risk + 0.3 * random.normal(), 0.0, 1.0));
        out.left.push_back(random.uniform() < risk ? 1 : 0);
        out.days_away.push_back(away);
        out.spend.push_back(std::exp(6.5 - away / 200 + 1.1 * random.normal()));
    }
    return out;
}

inline caramel::line_chart sample_lift(const sample_customers& customers) {
    using namespace caramel;
    line_chart chart{.title = "How many leavers are found by calling the riskiest first"};
    chart.x = {.title = "Customers called, riskiest first", .unit = "share of all", .numbers = {.percent = true}, .from = 0, .to = 1};
    chart.y = {.title = "Lift", .unit = "times as many leavers as calling at random", .from = 0};
    for (const auto& [name, scores] : {std::pair{"Network", &customers.risk}, {"Recency rule", &customers.rule}}) {
        line_series line{.name = name};
        for (const auto& point : lift_curve(*scores, customers.left)) {
            line.x.push_back(point.share);
            line.y.push_back(point.lift);
        }
        chart.series.push_back(line);
    }
    chart.references = {{.name = "At random", .value = 1}};
    return chart;
}

inline caramel::line_chart sample_calibration(const sample_customers& customers) {
    using namespace caramel;
    line_chart chart{.title = "Can a predicted risk be taken at its word?"};
    chart.x = {.title = "Predicted risk", .unit = "mean of a tenth of the customers", .numbers = {.percent = true}, .from = 0, .to = 1};
    chart.y = {.title = "Share that left", .numbers = {.percent = true}, .from = 0, .to = 1};
    line_series line{.name = "Network"};
    for (const auto& bin : calibration_curve(customers.risk, customers.left)) {
        line.x.push_back(bin.mean_prediction);
        line.y.push_back(bin.share_of_positives);
    }
    chart.series = {line};
    chart.references = {{.name = "Perfectly calibrated", .kind = reference_kind::diagonal}};
    return chart;
}

inline caramel::bar_chart sample_histogram(const sample_customers& customers) {
    using namespace caramel;
    bar_chart chart{.title = "How the risks are spread", .values = {.title = "Customers"}, .upright = true, .labels_title = "Predicted risk"};
    for (int i = 0; i < 10; ++i) {
        const auto n = std::ranges::count_if(customers.risk, [i](double p) { return static_cast<int>(10 * p) == i; });
        chart.bars.push_back({.label = std::to_string(10 * i) + "\xE2\x80\x93" + std::to_string(10 * i + 10) + "\xC2\xA0%", .value = static_cast<double>(n), .emphasis = i >= 7});
    }
    return chart;
}

inline caramel::line_chart sample_precision(const sample_customers& customers) {
    using namespace caramel;
    std::vector<double> cutoffs;
    for (int i = 1; i < 19; ++i) cutoffs.push_back(0.05 * i);
    line_chart chart{.title = "Where to draw the line"};
    chart.x = {.title = "Cut-off: call whose risk is at least", .numbers = {.percent = true}, .from = 0, .to = 1};
    chart.y = {.title = "Share", .numbers = {.percent = true}, .from = 0, .to = 1};
    chart.series = {{.name = "Precision: of the called, would have left"}, {.name = "Recall: of the leavers, called"}};
    for (const auto& point : precision_curve(customers.risk, customers.left, cutoffs)) {
        if (point.decisions.true_positives + point.decisions.false_positives == 0) continue;
        for (auto& line : chart.series) line.x.push_back(point.cutoff);
        chart.series[0].y.push_back(point.decisions.precision());
        chart.series[1].y.push_back(point.decisions.recall());
    }
    chart.references = {{.name = "A call pays off from a precision of", .value = 0.55}};
    return chart;
}

inline caramel::line_chart sample_loss() {
    using namespace caramel;
    rng random(5);
    line_chart chart{.title = "Training the network"};
    chart.x = {.title = "Epoch", .numbers = {.decimals = 0}};
    chart.y = {.title = "Log loss", .unit = "lower is better"};
    chart.series = {{.name = "Training customers"}, {.name = "Held-out customers"}};
    for (int epoch = 1; epoch <= 60; ++epoch) {
        const double t = epoch / 12.0;
        for (auto& line : chart.series) line.x.push_back(epoch);
        chart.series[0].y.push_back(0.565 + 0.13 * std::exp(-t) + 0.002 * random.normal());
        chart.series[1].y.push_back(0.588 + 0.11 * std::exp(-t) + 0.0006 * std::max(0, epoch - 31) + 0.002 * random.normal());
    }
    chart.references = {{.name = "Stopped at epoch", .value = 31, .kind = reference_kind::vertical}};
    return chart;
}

inline caramel::bar_chart sample_policies() {
    return {.title = "What a customer is worth under each rule of contact",
            .values = {.title = "Value of a customer", .unit = "\xC2\xA3, mean, over the months to come", .numbers = {.decimals = 1, .before = "\xC2\xA3"}},
            .bars = {{.label = "Never contact", .value = 118.42},
                     {.label = "E-mail always", .value = 121.07},
                     {.label = "E-mail who was away for a month", .value = 124.9, .note = "the rule used so far"},
                     {.label = "Learnt by Q-learning", .value = 131.3, .emphasis = true}},
            .references = {{.name = "The best possible", .value = 132.06}}};
}

inline caramel::bar_chart sample_methods() {
    return {.title = "Of the products bought later, how many were among the 20 offered",
            .values = {.title = "recall@20", .numbers = {.decimals = 2, .percent = true}},
            .bars = {{.label = "Best sellers", .value = .0385}, {.label = "Similar products", .value = .0842}, {.label = "Factorization", .value = .0891, .emphasis = true}}};
}

inline caramel::scatter_chart sample_map(const sample_customers& customers) {
    using namespace caramel;
    scatter_chart chart{.title = "The customers, by when they last came and what they spend"};
    chart.x = {.title = "Days since the last purchase"};
    chart.y = {.title = "Spent in the year", .numbers = {.before = "\xC2\xA3"}, .logarithmic = true};
    chart.x_values = customers.days_away;
    chart.y_values = customers.spend;
    chart.values = customers.risk;
    chart.value = {.title = "Predicted risk of leaving", .numbers = {.decimals = 0, .percent = true}};
    chart.value_cuts = {.2, .4, .6, .8};
    for (std::size_t i = 0; i < customers.risk.size(); ++i)
        chart.labels.push_back("Customer " + std::to_string(12345 + i) + ": risk " + number_text(customers.risk[i], {.decimals = 0, .percent = true}));
    return chart;
}

inline caramel::scatter_chart sample_groups(const sample_customers& customers) {
    using namespace caramel;
    scatter_chart chart{.title = "What to do next, and for whom"};
    chart.x = {.title = "Days since the last purchase"};
    chart.y = {.title = "Risk of leaving", .numbers = {.percent = true}, .from = 0, .to = 1};
    chart.group_names = {"Nothing", "E-mail", "Call"};
    for (std::size_t i = 0; i < customers.risk.size(); i += 9) {
        chart.x_values.push_back(customers.days_away[i]);
        chart.y_values.push_back(customers.risk[i]);
        chart.sizes.push_back(customers.spend[i]);
        chart.groups.push_back(customers.risk[i] < .35 ? 0 : customers.spend[i] < 800 ? 1 : 2);
    }
    chart.size_title = "spent in the year";
    return chart;
}

inline caramel::html_page sample_page() {
    using namespace caramel;
    const auto customers = make_customers(3373);
    html_page page("A year of a shop, and what to do next",
                   {.subtitle = "525,461 rows of an online retailer\xE2\x80\x99s log, December 2009 to December 2010. Models learn from what was before 10 September 2010 and are "
                                "judged on what came after.",
                    .footer = "Made by Caramel; seed 7. Values of contacts rest on the assumptions stated above, not on an experiment."});
    page.paragraph("Four in ten customers will not come back within a quarter. Calling the riskiest tenth first finds twice as many of them as calling at random, and a learnt rule "
                   "of contact is worth 5 % more than the one used so far.");
    page.key_figures({{"42.3 %", "of customers did not return", "within 91 days; 3,373 customers"},
                      {number_text(.7412, {.decimals = 3}), "AUC of the churn model", "the recency rule reaches 0.653"},
                      {"8.9 %", "of later purchases foreseen", "among 20 offers; best sellers 3.9 %"},
                      {"+\xC2\xA3" "6.40", "a customer, by contacting wisely", "against the rule used so far"}});
    page.section("The data").paragraph("What was left out, and why. Cancelled orders and rows without a customer cannot tell who buys what.");
    page.table({.caption = "Rows of the log",
                .columns = {{"Step"}, {"Rows"}, {"Share of all", {.decimals = 1, .percent = true}}, {"Customers"}, {"Products"}},
                .rows = {{"In the file", 525461, 1.0, {}, {}},
                         {"With a customer", 417534, 417534 / 525461.0, 4383, 4031},
                         {"Not cancelled", 407695, 407695 / 525461.0, 4314, 4017},
                         {"Kept", 407664, 407664 / 525461.0, 4312, 4017}},
                .emphasis = 3});
    page.section("What to offer").paragraph("Each customer is offered 20 products that they have not bought. A hit is one that they bought later for the first time.");
    page.chart(sample_methods(), "Offers made from what similar customers bought foresee more than twice as many purchases as the list of best sellers.");
    page.section("Who will leave").paragraph("Every customer is judged by a model that has not seen them (five folds).");
    page.conclusion("Call the riskiest tenth first: the same number of calls reaches twice as many leavers. The risks can be read as probabilities.");
    page.chart(sample_lift(customers), "Among the riskiest 5 % there are more than twice as many leavers as among all customers; after half of the list the advantage is used up.");
    page.chart(sample_calibration(customers), "Close to the diagonal: of the customers with a risk of 60 %, about 60 % left. The risks may enter a budget as they are.");
    page.chart(sample_histogram(customers), "Most customers are at low risk. The strong bars are those worth a call.");
    page.chart(sample_precision(customers), "A higher line calls fewer in vain and misses more. A call pays off where precision is above the break-even of 55 %.");
    page.chart(sample_loss(), "The loss on held-out customers stops falling at epoch 31: the network is kept as it was then, before it learns its customers by heart.");
    page.chart(sample_map(customers), "Leavers are on the right: not what customers spend, but how long they were away decides. Top right are the few large accounts to win back by hand.");
    page.section("The next best action");
    page.list({"An e-mail costs \xC2\xA3" "0.50 and makes a purchase 1.35 times as likely (odds); a call costs \xC2\xA3" "4 and makes it 2.2 times as likely.",
               "Half of that where the customer was contacted in the month before.", "A purchase is worth 20 % of what is spent; later months count 5 % less each."});
    page.chart(sample_policies(), "The learnt rule reaches 99.4 % of what is possible at all under these assumptions.");
    page.chart(sample_groups(customers), "Calls go to those who spend much and are about to leave; e-mails to the rest of those at risk.");
    return page;
}

#endif
