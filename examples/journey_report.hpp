#ifndef EXAMPLES_JOURNEY_REPORT_HPP
#define EXAMPLES_JOURNEY_REPORT_HPP

// What the customer journey found out, and the page that shows it.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/data/clean.hpp>
#include <caramel/evaluate/curves.hpp>
#include <caramel/report/page.hpp>

struct journey_findings {
    caramel::cleaning_report cleaning;
    std::chrono::sys_seconds first{}, last{}, split{};  // models learn from what lies before the split, and are judged by what follows
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
    static constexpr std::array months{"January", "February", "March",     "April",   "May",      "June",
                                       "July",    "August",   "September", "October", "November", "December"};
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(when));
    return std::to_string(static_cast<unsigned>(day.day())) + " " + months[static_cast<unsigned>(day.month()) - 1] + " " +
           std::to_string(static_cast<int>(day.year()));
}
inline std::string percent(double share, int decimals = 0) { return number_text(share, {.decimals = decimals, .percent = true}); }
inline std::string whole(std::size_t number) { return number_text(static_cast<double>(number), {.decimals = 0}); }

// What the program calls a method or a policy, in words for its readers.
inline std::string words_for(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> words{{{"popularity", "the best sellers, for everyone"},
                                                                                         {"neighbors", "what buyers of the same bought"},
                                                                                         {"factorization", "made to measure (factorization)"},
                                                                                         {"never", "contact nobody"},
                                                                                         {"always", "e-mail everyone every month"},
                                                                                         {"hand", "a rule: e-mail who was away"},
                                                                                         {"learned", "the learned policy"},
                                                                                         {"optimal", "the best possible"}}};
    for (const auto& [from, to] : words)
        if (from == name) return std::string(to);
    return std::string(name);
}

// The conclusions, each where there is something to conclude; they stand at the top of the page and beside their charts.
inline const journey_findings::recommender* best_recommender_of(const journey_findings& found) {
    const auto best = std::ranges::max_element(found.recommenders, {}, &journey_findings::recommender::ndcg);
    return best == found.recommenders.end() || best->ndcg <= 0 ? nullptr : &*best;
}
inline std::string offers_conclusion(const journey_findings& found) {
    const auto* best = best_recommender_of(found);
    if (best == nullptr) return {};
    const auto& everyone = found.recommenders.front();
    const std::string begin = "Of the new products that a customer went on to buy, ";
    if (best == &everyone) return begin + percent(best->recall) + " are among the 20 best sellers.";
    return begin + percent(best->recall) + " are among 20 offers of the best method, and " + percent(everyone.recall) + " among the 20 best sellers.";
}
inline std::string calls_conclusion(const journey_findings& found) {
    if (found.risk.empty()) return {};
    const auto lift = lift_curve(found.risk, found.labels, 20);
    const auto& point = lift[std::min<std::size_t>(lift.size() - 1, 1)];
    return "Among the " + percent(point.share) + " of customers most at risk there are " + number_text(point.lift, {.decimals = 1}) +
           " times as many leavers as among all: call these first.";
}
struct worth_of_policies {
    double never = 0, learned = 0, best = 0;
};
inline worth_of_policies worth_of(const journey_findings& found) {
    worth_of_policies out;
    for (const auto& [name, value] : found.policies) {
        if (name == "never") out.never = value;
        if (name == "learned") out.learned = value;
        out.best = std::max(out.best, value);
    }
    return out;
}
inline std::string policy_conclusion(const journey_findings& found) {
    const auto worth = worth_of(found);
    if (!(worth.never > 0)) return {};
    const double more = worth.learned / worth.never - 1;
    return "If contacts work as is assumed below, the learned policy makes a customer worth " + percent(std::abs(more), 1) +
           (more < 0 ? " less" : " more") + " than contacting nobody, and reaches " +
           percent(std::floor(1000 * worth.learned / worth.best) / 1000, 1) + " of the best possible.";
}

inline void add_log(html_page& page, const journey_findings& found) {
    const auto& c = found.cleaning;
    const double read = static_cast<double>(std::max<std::size_t>(c.rows_read, 1));
    report_table rows{.caption = "What became of the rows of the log",
                      .columns = {{.title = "Rows"},
                                  {.title = "Number", .numbers = {.decimals = 0}},
                                  {.title = "Of all", .numbers = {.decimals = 1, .percent = true}}}};
    const auto add = [&](const char* what, std::size_t number) { rows.rows.push_back({what, number, static_cast<double>(number) / read}); };
    add("read", c.rows_read);
    add("without a customer", c.missing_customer);
    add("without an item", c.missing_item);
    add("cancelled", c.cancelled);
    add("with a quantity of 0 or less", c.non_positive_quantity);
    add("with a price of 0 or less", c.non_positive_price);
    add("kept", c.rows_kept);
    rows.emphasis = rows.rows.size() - 1;
    page.section("The data")
        .paragraph("Purchases from " + day_of(found.first) + " to " + day_of(found.last) +
                   ". Rows that name no customer cannot teach us about customers, and cancelled ones are no purchases.")
        .table(rows);
}

inline void add_recommendations(html_page& page, const journey_findings& found) {
    if (found.recommenders.empty()) return;
    bar_chart found_again{.title = "How much of what customers bought next is among 20 offers",
                          .values = {.title = "Share of their new products (recall@20)", .numbers = {.decimals = 0, .percent = true}},
                          .labels_title = "Method"};
    bar_chart ranked{.title = "How near the top of the list it stands",
                     .values = {.title = "NDCG@10: 1 if the lists begin with what was bought", .numbers = {.decimals = 2}},
                     .labels_title = "Method"};
    const auto* best = best_recommender_of(found);
    for (const auto& r : found.recommenders) {
        found_again.bars.push_back({words_for(r.name), r.recall, &r == best, ""});
        ranked.bars.push_back({words_for(r.name), r.ndcg, &r == best, ""});
    }
    const double everyone = found.recommenders.front().ndcg;
    std::string near_top = "Nothing that customers bought next stood near the top of a list.";
    if (best != nullptr)
        near_top = everyone > 0 && best != &found.recommenders.front()
                       ? "The best method ranks " + number_text(best->ndcg / everyone, {.decimals = 1}) + " times as well as showing everyone the best sellers."
                       : "This method ranks best: " + words_for(best->name) + ".";
    const std::string conclusion = offers_conclusion(found);
    page.section("What to offer")
        .paragraph("Each method learnt from purchases before a day, and then ranked all products that a customer had not bought. What the customer bought "
                   "after that day tells how good the list was.")
        .chart(found_again, conclusion.empty() ? "No offer was bought." : conclusion)
        .chart(ranked, near_top);
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
    struct {
        double cutoff = 0, precision = 0, recall = 2;
    } half_found;  // where about half of the leavers are flagged
    line_series precision{.name = "flagged rightly (precision)"}, recall{.name = "leavers found (recall)"};
    for (const auto& point : precision_curve(found.risk, found.labels, cutoffs)) {
        if (point.decisions.recall() == 0) continue;  // nobody is flagged
        if (std::abs(point.decisions.recall() - 0.5) < std::abs(half_found.recall - 0.5))
            half_found = {point.cutoff, point.decisions.precision(), point.decisions.recall()};
        precision.x.push_back(point.cutoff);
        precision.y.push_back(point.decisions.precision());
        recall.x.push_back(point.cutoff);
        recall.y.push_back(point.decisions.recall());
    }
    const chart_axis shares{.title = "Share", .numbers = {.decimals = 0, .percent = true}, .from = 0.0, .to = 1.0};
    auto risk_axis = shares, left_axis = shares, flagged_axis = shares, share_axis = shares;
    risk_axis.title = "Predicted risk";
    left_axis.title = "Who really left";
    flagged_axis.title = "Flagged from this risk on";
    share_axis.title = "Share of customers, those most at risk first";
    page.section("Who will not return")
        .paragraph("Left means: no purchase after " + day_of(found.split) + ". Every customer was judged by a model that had not seen them.")
        .key_figures({{number_text(found.churn_auc[2], {.decimals = 3}), "AUC of the network", "sees the whole history: rhythm, tastes, words of the products"},
                      {number_text(found.churn_auc[1], {.decimals = 3}), "AUC of logistic regression", "sees six numbers a customer"},
                      {number_text(found.churn_auc[0], {.decimals = 3}), "AUC of the recency rule", "who was away longest leaves first"}})
        .conclusion("Of one customer who left and one who stayed, the network sees the higher risk in the one who left " +
                    number_text(100 * found.churn_auc[2], {.decimals = 0}) +
                    " times in 100; guessing would do so 50 times, and looking at the last purchase alone " +
                    number_text(100 * found.churn_auc[0], {.decimals = 0}) + " times." +
                    (found.churn_auc[1] >= found.churn_auc[2] ? " Here the simpler logistic regression does as well." : ""))
        .chart(line_chart{.title = "Lift: how many more leavers than by chance",
                          .x = share_axis,
                          .y = {.title = "Leavers found, compared with chance", .unit = "times", .numbers = {.decimals = 1}, .from = 0.0},
                          .series = {gains},
                          .references = {{"chance", 1}}},
               calls_conclusion(found))
        .chart(line_chart{.title = "Calibration: can the risk be taken at its word?",
                          .x = risk_axis,
                          .y = left_axis,
                          .series = {calibrated},
                          .references = {{.name = "predicted = real", .kind = reference_kind::diagonal}}},
               "Near the line a risk can be taken at its word: of 100 customers with a risk of 60 %, 60 leave. The tenths of the customers stand " +
                   number_text(100 * equal_mass_calibration_error(found.risk, found.labels), {.decimals = 0}) + " points beside it on average.");
    if (!precision.x.empty())
        page.chart(line_chart{.title = "Precision and recall by cutoff", .x = flagged_axis, .y = shares, .series = {precision, recall}},
               "Flagging from a risk of " + percent(half_found.cutoff) + " on finds " + percent(half_found.recall) + " of the leavers, and is right " +
                   number_text(100 * half_found.precision, {.decimals = 0}) + " times in 100. A higher cutoff flags fewer: choose it by what a contact costs.");
    if (found.training_loss.size() > 1) {
        line_series loss{.name = "log loss"};
        for (std::size_t epoch = 0; epoch < found.training_loss.size(); ++epoch) {
            loss.x.push_back(static_cast<double>(epoch + 1));
            loss.y.push_back(found.training_loss[epoch]);
        }
        page.chart(line_chart{.title = "Training of the network",
                              .x = {.title = "Epoch", .numbers = {.decimals = 0}},
                              .y = {.title = "Mean log loss on the training customers", .numbers = {.decimals = 2}},
                              .series = {loss}},
                   "The loss fell from " + number_text(found.training_loss.front(), {.decimals = 2}) + " to " +
                       number_text(found.training_loss.back(), {.decimals = 2}) +
                       "; where it is level, more epochs would teach the network nothing new.");
    }
    scatter_chart map{.title = "Customer map",
                      .x = {.title = "Since the last purchase", .unit = "days", .numbers = {.decimals = 0}, .from = 0.0},
                      .y = {.title = "Spent so far", .unit = "in the log's currency", .numbers = {.decimals = 0}, .logarithmic = true},
                      .value = {.title = "Risk", .numbers = {.decimals = 0, .percent = true}},
                      .value_cuts = {.2, .4, .6, .8}};
    auto spent = found.spend;
    std::ranges::sort(spent);
    const double half_spent_less = spent[spent.size() / 2];
    std::size_t worth_a_call = 0;
    for (std::size_t i = 0; i < found.risk.size(); ++i) {
        if (found.risk[i] >= .4 && found.spend[i] >= half_spent_less) ++worth_a_call;
        if (!(found.spend[i] > 0)) continue;
        map.x_values.push_back(std::max(0.0, found.recency_days[i]));
        map.y_values.push_back(found.spend[i]);
        map.values.push_back(found.risk[i]);
    }
    if (map.x_values.empty()) return;
    page.chart(map, "High up and at risk: customers who spent much and may be lost. " + whole(worth_a_call) +
                        " customers have a risk of 40 % or more and spent more than half of all customers did: they are worth a call.");
}

inline void add_policy(html_page& page, const journey_findings& found) {
    if (found.policies.empty()) return;
    bar_chart values{.title = "What a customer is worth, by how we contact them",
                     .values = {.title = "Expected margin less contact costs", .unit = "in the log's currency, discounted", .numbers = {.decimals = 0}},
                     .labels_title = "Policy"};
    for (const auto& [name, value] : found.policies) values.bars.push_back({words_for(name), value, name == "learned", ""});
    page.section("Whom to contact");
    const std::string conclusion = policy_conclusion(found);
    page.chart(values, conclusion.empty() ? "Without contacts, customers are worth nothing in this model: there is nothing to compare with." : conclusion)
        .paragraph("The log holds no contacts, so what a contact does is assumed. With other assumptions these figures are others. Assumed is:");
    std::vector<std::string> assumed;
    for (std::size_t at = 0; at < found.assumptions.size();) {
        const std::size_t end = std::min(found.assumptions.find('\n', at), found.assumptions.size());
        if (end > at) assumed.push_back(found.assumptions.substr(at, end - at));
        at = end + 1;
    }
    if (!assumed.empty()) page.list(assumed);
}

}  // namespace journey_pages

inline std::string journey_report(const journey_findings& found) {
    using namespace journey_pages;
    html_page page("Customer report", {.subtitle = "Purchases from " + day_of(found.first) + " to " + day_of(found.last),
                                       .footer = "Made with Caramel, on this machine, from the transaction log alone."});
    std::vector<key_figure> figures{{whole(found.cleaning.customers), "customers", "with a purchase"}, {whole(found.cleaning.items), "products", "bought"}};
    if (!found.labels.empty()) {
        const auto left = static_cast<double>(std::ranges::count(found.labels, 1));
        figures.push_back({percent(left / static_cast<double>(found.labels.size())), "of the customers left", "no purchase after " + day_of(found.split)});
    }
    std::vector<std::string> conclusions;
    for (auto conclusion : {offers_conclusion(found), calls_conclusion(found), policy_conclusion(found)})
        if (!conclusion.empty()) conclusions.push_back(std::move(conclusion));
    page.section("In short").key_figures(figures);
    if (!conclusions.empty()) page.list(conclusions);
    add_recommendations(page, found);
    add_churn(page, found);
    add_policy(page, found);
    add_log(page, found);
    return page.html();
}

#endif
