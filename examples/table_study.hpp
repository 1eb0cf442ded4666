#ifndef EXAMPLES_TABLE_STUDY_HPP
#define EXAMPLES_TABLE_STUDY_HPP

// What the examples on tables share: a table with a yes or no to predict, how well that goes on rows that a model has not
// seen, and the charts that show it.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <caramel/data/csv.hpp>
#include <caramel/data/split.hpp>
#include <caramel/evaluate/curves.hpp>
#include <caramel/evaluate/gains.hpp>
#include <caramel/evaluate/intervals.hpp>
#include <caramel/explain/importance.hpp>
#include <caramel/recipes/table_classifier.hpp>
#include <caramel/report/page.hpp>

#include "terminal.hpp"

namespace table_study {

using namespace caramel;

// The table of the columns to learn from, and what became of each row.
struct study {
    table rows;
    std::vector<int> labels;

    [[nodiscard]] double share() const {
        double ones = 0;
        for (const int label : labels) ones += label;
        return ones / static_cast<double>(labels.size());
    }
};
// `drop`: columns that are not known when the answer is needed.
inline study study_of(const table& all, const std::string& target, const std::string& positive, std::vector<std::string> drop) {
    for (const auto& name : drop) (void)all.position(name);  // a name that is mistyped would be learnt from
    study out{{}, labels_of(all, target, positive)};
    drop.push_back(target);
    const auto names = learnable_columns(all, drop);
    for (const auto& name : names) out.rows.add_column(name, all.column(name));
    std::printf("%zu rows, %.1f %% of them \"%s\"; %zu columns to learn from\n", out.labels.size(), 100 * out.share(), positive.c_str(), names.size());
    for (const auto& name : all.names())
        if (std::ranges::find(drop, name) == drop.end() && std::ranges::find(names, name) == names.end())
            std::printf("  left out: \"%s\" (times, ids, free text, or too few values)\n", name.c_str());
    return out;
}
// As the table of a host that has another one, such as next month's.
inline table columns_as_in(const study& like, const table& rows) {
    table out;
    for (const auto& name : like.rows.names()) out.add_column(name, rows.column(name));
    return out;
}

// Row number (from 0) modulo 5, so that others can repeat it; drawn by class where a fold would have one class only.
inline std::vector<train_test> five_folds(const std::vector<int>& labels) {
    std::vector<std::size_t> numbers(labels.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
    auto folds = modulo_folds(numbers, 5);
    const auto has_two_of_each = [&](const std::vector<std::size_t>& rows) {
        const auto ones = std::ranges::count_if(rows, [&](std::size_t row) { return labels[row] == 1; });
        return ones >= 2 && std::ssize(rows) - ones >= 2;
    };
    if (std::ranges::all_of(folds, [&](const train_test& fold) { return has_two_of_each(fold.test) && has_two_of_each(fold.train); })) return folds;
    return stratified_k_fold(labels, 5);
}

// Predictions for rows that the model has not learnt from.
struct judged {
    std::vector<int> labels;
    std::vector<double> risk;
    double auc = 0, log_loss = 0;  // means over the folds
    interval auc_within;           // of all these rows together
};
template <class R>
judged judge(const R& recipe, const study& of, const std::vector<train_test>& folds, const fit_options& options) {
    const auto cv = cross_validate(recipe, of.rows, of.labels, folds, by_log_loss{}, options);
    judged out;
    out.log_loss = cv.mean();
    for (const auto& fold : folds) {
        std::vector<double> risk;
        std::vector<int> labels;
        for (const std::size_t row : fold.test) {
            risk.push_back(static_cast<double>(cv.predictions(static_cast<row_index>(row), 1)));
            labels.push_back(of.labels[row]);
        }
        out.auc += auc(risk, labels) / static_cast<double>(folds.size());
        out.risk.insert(out.risk.end(), risk.begin(), risk.end());
        out.labels.insert(out.labels.end(), labels.begin(), labels.end());
    }
    out.auc_within = auc_interval(out.risk, out.labels);
    return out;
}
inline void print(const char* name, const judged& j) {
    std::printf("  %-20s AUC %.4f (95 %% of %.3f .. %.3f), log loss %.4f, top tenth has %.2f times the share, calibration error %.4f\n", name, j.auc,
                j.auc_within.low, j.auc_within.high, j.log_loss, top_lift(j.risk, j.labels), equal_mass_calibration_error(j.risk, j.labels));
}

// ---- the page ----------------------------------------------------------------------------------------------------------
inline std::string percent(double share, int decimals = 0) { return number_text(share, {.decimals = decimals, .percent = true}); }

// Conclusions in words, which stand at the top of the page and beside the charts.
inline std::string pair_conclusion(const judged& ours, const std::string& one, const std::string& other) {
    return "Of one who " + one + " and one who " + other + ", the model ranks the one who " + one + " higher " + number_text(100 * ours.auc, {.decimals = 0}) + " times in 100; guessing would do so 50 times.";
}
inline std::string campaign_conclusion(const profit_point& campaign, const contact_value& value, const std::string& gained, const std::string& score, const std::string& rows) {
    const std::string assumed = "If " + gained + " is worth " + number_text(value.benefit) + " and a contact costs " + number_text(value.cost) + ", ";
    if (campaign.rows == 0) return assumed + "it pays to contact nobody.";
    return assumed + "it pays to contact those with a " + score + " of " + percent(campaign.cutoff, 1) + " or more: " + percent(campaign.share) + " of the " + rows + ".";
}
inline std::string calibration_conclusion(const judged& ours, const std::string& example, const std::string& rows) {
    return "Near the line a prediction can be taken at its word: of 100 with " + example + ". The tenths of " + rows + " stand " +
           number_text(100 * equal_mass_calibration_error(ours.risk, ours.labels), {.decimals = 1}) + " points beside it on average.";
}
// The columns without which the AUC falls most: "tenure", "contract" and "monthly".
inline std::string most_telling(const importances& found, const std::vector<std::string>& names, std::size_t most) {
    std::vector<std::size_t> order(names.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return found.drops[a] > found.drops[b]; });
    std::string out;
    const std::size_t n = std::min(most, order.size());
    for (std::size_t i = 0; i < n; ++i) out += (i == 0 ? "\"" : i + 1 == n ? " and \"" : ", \"") + names[order[i]] + "\"";
    return out;
}

inline line_chart roc_chart(const judged& ours, const judged& plain, const std::string& wanted, const std::string& others) {
    const auto line = [](std::string name, const judged& j) {
        line_series out{.name = std::move(name)};
        for (const auto& p : roc_curve(j.risk, j.labels)) {
            out.x.push_back(p.false_positive_rate);
            out.y.push_back(p.true_positive_rate);
        }
        return out;
    };
    const chart_axis share{.numbers = {.decimals = 0, .percent = true}, .from = 0.0, .to = 1.0};
    chart_axis x = share, y = share;
    x.title = "Flagged in vain, of those who " + others;
    y.title = "Flagged, of those who " + wanted;
    return {.title = "ROC: what every cutoff finds, and what it costs",
            .x = x,
            .y = y,
            .series = {line("mixed classifier", ours), line("logistic regression", plain)},
            .references = {{.name = "guessing", .kind = reference_kind::diagonal}}};
}
inline line_chart lift_chart(const judged& ours, const std::string& rows, const std::string& found) {
    line_series line{.name = "in the model's order"};
    for (const auto& p : lift_curve(ours.risk, ours.labels, 20)) {
        line.x.push_back(p.share);
        line.y.push_back(p.lift);
    }
    return {.title = "Lift: how many more than by chance",
            .x = {.title = rows, .numbers = {.decimals = 0, .percent = true}, .from = 0.0, .to = 1.0},
            .y = {.title = found, .unit = "times", .numbers = {.decimals = 1}, .from = 0.0},
            .series = {line},
            .references = {{"chance", 1}}};
}
inline line_chart calibration_chart(const judged& ours, const std::string& predicted, const std::string& real) {
    line_series line{.name = "a tenth of them each"};
    for (const auto& bin : calibration_curve(ours.risk, ours.labels, 10)) {
        line.x.push_back(bin.mean_prediction);
        line.y.push_back(bin.share_of_positives);
    }
    const chart_axis share{.numbers = {.decimals = 0, .percent = true}, .from = 0.0, .to = 1.0};
    chart_axis x = share, y = share;
    x.title = predicted;
    y.title = real;
    return {.title = "Calibration: can a risk be taken at its word?", .x = x, .y = y, .series = {line}, .references = {{.name = "predicted = real", .kind = reference_kind::diagonal}}};
}
inline bar_chart importance_chart(const importances& found, const std::vector<std::string>& names) {
    std::vector<std::size_t> order(names.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return found.drops[a] > found.drops[b]; });
    bar_chart out{.title = "What the model goes by", .values = {.title = "AUC lost without it", .numbers = {.decimals = 3}}, .labels_title = "Column"};
    for (std::size_t i = 0; i < std::min<std::size_t>(12, order.size()); ++i) out.bars.push_back({names[order[i]], std::max(0.0, found.drops[order[i]]), i == 0, ""});
    return out;
}

}  // namespace table_study

#endif
