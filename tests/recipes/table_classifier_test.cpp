#include <chrono>
#include <sstream>
#include <string>
#include <vector>

#include <caramel/data/csv.hpp>
#include <caramel/data/split.hpp>
#include <caramel/data/synthetic_subscribers.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/evaluate/curves.hpp>
#include <caramel/evaluate/monitored.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/recipes/table_classifier.hpp>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace {

// The example's classifier with fewer and smaller candidates, for tests that do not judge its quality.
auto small_classifier(std::vector<std::string> names) {
    return table_features<float>(std::move(names)) |
           stacked(logistic<float>{}, best_of(std::vector{boosted_trees<float>{.n_trees = 20, .max_depth = 2}, boosted_trees<float>{.n_trees = 40, .max_depth = 3}},
                                              by_log_loss{}, fold_plan{.k = 2}));
}

struct figures {
    double auc = 0, log_loss = 0, calibration = 0;
};
// Five folds by row number modulo 5, means over them; the calibration error is that of all rows together.
figures five_folds(const table& rows, const std::vector<int>& labels, const std::vector<std::string>& names) {
    std::vector<std::size_t> numbers(rows.rows());
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
    const auto folds = modulo_folds(numbers, 5);
    const auto judged = cross_validate(table_classifier<float>(names), rows, labels, folds, by_log_loss{}, {.seed = 1, .threads = 0});
    figures out;
    out.log_loss = judged.mean();
    for (const auto& fold : folds) {
        std::vector<float> risk;
        std::vector<int> y;
        for (const std::size_t row : fold.test) {
            risk.push_back(judged.predictions(static_cast<row_index>(row), 1));
            y.push_back(labels[row]);
        }
        out.auc += auc(risk, y) / 5;
    }
    out.calibration = equal_mass_calibration_error(judged.predictions, labels);
    return out;
}

}  // namespace

TEST_CASE("learnable_columns: ids, free text, times and what is mostly missing are left out", "[table_classifier]") {
    table t;
    const std::size_t n = 40;
    std::vector<std::string> id(n), kind(n), target(n);
    std::vector<double> number(n), rare(n);
    std::vector<bool> none(n, true);
    std::vector<std::chrono::sys_seconds> when(n);
    for (std::size_t i = 0; i < n; ++i) {
        id[i] = "customer " + std::to_string(i);
        kind[i] = i % 3 == 0 ? "a" : "b";
        target[i] = i % 2 == 0 ? "yes" : "no";
        number[i] = static_cast<double>(i);
        none[i] = i >= 3;
    }
    t.add_column("id", id);
    t.add_column("kind", kind);
    t.add_column("number", number);
    t.add_column("rare", rare, none);
    t.add_column("when", when);
    t.add_column("target", target);
    CHECK(learnable_columns(t, std::vector<std::string>{"target"}) == std::vector<std::string>{"kind", "number"});
    CHECK(error_of([&] { (void)learnable_columns(t, std::vector<std::string>{"target", "kind", "number"}); }).code() == errc::bad_data);
    CHECK(error_of([&] { (void)learnable_columns(t.take_rows(std::vector<std::size_t>{})); }).code() == errc::empty_input);
}

TEST_CASE("table_classifier: what it chooses from can be fitted, the simplest first", "[table_classifier]") {
    const auto trees = searched_trees<float>();
    REQUIRE(trees.candidates.size() == 8);
    CHECK(trees.candidates.front().max_depth == 2);
    CHECK(trees.candidates.back().max_depth == 6);
    const auto networks = searched_networks<float>();
    REQUIRE(networks.candidates.size() == 3);
    CHECK(networks.candidates.front().l2 > networks.candidates.back().l2);  // the strongest penalty is the simplest
    table t;
    t.add_column("here", std::vector<double>{1, 2, 3, 4});
    CHECK(error_of([&] { (void)fit(table_classifier<float>({"gone"}), t, std::vector<int>{0, 1, 0, 1}); }).code() == errc::missing_column);
}

TEST_CASE("table_classifier: learns most of what there is to know of generated subscribers", "[table_classifier]") {
    const auto train = synthetic_subscribers({.customers = 2000, .seed = 1}), test = synthetic_subscribers({.customers = 2000, .seed = 2});
    const auto names = learnable_columns(train.rows, std::vector<std::string>{"left", "accepted"});
    CHECK(names.size() == 9);
    const auto y = labels_of(train.rows, "left", "yes"), y_test = labels_of(test.rows, "left", "yes");
    const auto model = fit(small_classifier(names), train.rows, y, {.seed = 3, .threads = 2});
    const auto linear = fit(table_features<float>(names) | logistic<float>{}, train.rows, y);
    const double best = auc(test.leaves, y_test), ours = auc(model(test.rows), y_test), plain = auc(linear(test.rows), y_test);
    CHECK(ours > plain);           // there is an interaction that no linear model sees
    CHECK(ours > best - 0.03);     // and noise that nobody can
    CHECK(ours < best + 0.01);
    CHECK(model(test.rows) == fit(small_classifier(names), train.rows, y, {.seed = 3, .threads = 1})(test.rows));
}

TEST_CASE("table_classifier: rows alone, a file and a watch on the columns", "[table_classifier]") {
    const auto s = synthetic_subscribers({.customers = 400, .seed = 4});
    const std::vector<std::string> names{"tenure", "contract", "support_calls", "income"};
    const auto y = labels_of(s.rows, "left", "yes");
    const auto model = fit(monitored(names, small_classifier(names)), s.rows, y);
    const matrix<float> risk = model(s.rows);
    workspace memory, scratch;
    for (std::size_t i = 0; i < 20; ++i) {
        const auto one = model(row_of(s.rows, i, memory), scratch);
        CHECK(one[1] == risk(static_cast<row_index>(i), 1));
    }
    std::stringstream file;
    save(model, file);
    const auto again = load<std::remove_cvref_t<decltype(model)>>(file);
    CHECK(again(s.rows) == risk);
    // Nothing has changed but the contracts of half of them.
    table later;
    for (const auto& name : names) later.add_column(name, s.rows.column(name));
    for (const auto& column : drift(again, later)) CHECK(column.index < 1e-9);
    std::vector<std::string> contracts;
    for (std::size_t i = 0; i < s.rows.rows(); ++i) contracts.emplace_back(i % 2 == 0 ? "lifetime" : s.rows.column("contract").categories()[i]);
    table other;
    for (const auto& name : names)
        if (name == "contract") other.add_column(name, contracts);
        else other.add_column(name, s.rows.column(name));
    for (const auto& column : drift(again, other)) CHECK((column.index > 0.25) == (column.name == "contract"));
    CHECK(error_of([&] { (void)drift(again, table{}); }).code() == errc::empty_input);
    CHECK(error_of([&] { (void)fit(monitored({"nothing"}, small_classifier(names)), s.rows, y); }).code() == errc::missing_column);
}

TEST_CASE("table_classifier: the bars on churn of two companies", "[table_classifier][slow][shared]") {
    SHARED_OR_SKIP(telco_file, "data/telco_churn_ibm/wa_churn.csv");
    SHARED_OR_SKIP(mlc_file, "data/mlc_churn/mlc_churn.csv");
    const table telco = read_csv(telco_file), mlc = read_csv(mlc_file);
    const auto a = five_folds(telco, labels_of(telco, "churn", "Yes"), learnable_columns(telco, std::vector<std::string>{"churn"}));
    CHECK(a.auc >= 0.8465);
    CHECK(a.log_loss <= 0.4160);
    CHECK(a.calibration <= 0.020);
    const auto b = five_folds(mlc, labels_of(mlc, "churn", "yes"), learnable_columns(mlc, std::vector<std::string>{"churn"}));
    CHECK(b.auc >= 0.9150);
    CHECK(b.log_loss <= 0.2000);
    CHECK(b.calibration <= 0.020);
}
