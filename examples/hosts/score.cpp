// A command-line scorer, for pipes: rows as CSV from stdin, one probability a row to stdout, line by line.
//
//   score --save MODEL [--data FILE.csv --target COLUMN --positive VALUE] [--drop COLUMN]...     learns and saves
//   score --load MODEL [--keep-going] < rows.csv > scores.csv                                    scores
//   score --example N                                                                            rows to try it with
//
// Without --data it learns from a generated table of subscribers: who will leave. The rows may have other columns, in any
// order; empty fields are missing values. A row that cannot be read ends it, with the row and the column; with --keep-going
// it gets an empty score, so that scores stay beside their rows: `paste -d, rows.csv scores.csv`.
//
// With what scripts/demo.sh gets (docs/hosts.md):
//   cmake --build build/release --target score
//   build/release/examples/hosts/score --save churn.safetensors
//   build/release/examples/hosts/score --example 5 | build/release/examples/hosts/score --load churn.safetensors
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/data/csv.hpp>
#include <caramel/data/synthetic_subscribers.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/recipes/table_classifier.hpp>

#include "../terminal.hpp"

using namespace caramel;

namespace {

auto recipe(const std::vector<std::string>& names) { return table_features<float>(names) | boosted_trees<float>{.n_trees = 150}; }
using scorer = fitted_t<decltype(recipe({})), table, std::vector<int>>;

// The file says itself which columns it wants, and of which type.
void learn(const table& rows, const std::string& target, const std::string& positive, std::vector<std::string> drop, const std::string& file) {
    const auto labels = labels_of(rows, target, positive);
    drop.push_back(target);
    for (const auto& name : drop) (void)rows.position(name);  // a name that is mistyped would be learnt from
    const auto names = learnable_columns(rows, drop);
    const scorer model = fit(recipe(names), rows, labels, {.seed = 7, .threads = 0});
    model_card card{.description = "the probability of one value of a column", .rows = rows.rows(), .columns = names};
    for (const auto& name : names) card.notes[name] = rows.column(name).type() == column_type::category ? "category" : "number";
    save(model, file, card);
    std::fprintf(stderr, "score: learnt from %zu rows and %zu columns\n", rows.rows(), names.size());
}

// A line, or more of them where a quoted field holds line ends.
bool next_record(std::istream& in, std::string& record) {
    record.clear();
    std::string line;
    std::size_t quotes = 0;
    while (std::getline(in, line)) {
        quotes += static_cast<std::size_t>(std::ranges::count(line, '"'));
        record += line + '\n';
        if (quotes % 2 == 0) return true;
    }
    return !record.empty();
}

// Rows are read one at a time, so messages that name row 2 mean the row at hand.
error at_row(const error& e, std::uint64_t row) {
    std::string what = e.what();
    const std::string prefix = "csv: row " + std::to_string(e.where().row);
    if (what.starts_with(prefix)) what = "row " + std::to_string(row) + what.substr(prefix.size());
    else what = "row " + std::to_string(row) + ": " + what;
    const auto byte = what.find(" (byte ");  // of the row, which helps nobody
    if (byte != std::string::npos) what.erase(byte, what.find(')', byte) + 1 - byte);
    return {e.code(), what, {.row = row, .column = e.where().column}};
}

std::size_t score(const std::string& file, bool keep_going) {
    const scorer model = load<scorer>(file);
    csv_options how;
    const model_card card = read_card(file);
    for (const auto& name : card.columns)
        how.schema.push_back({.name = name, .type = card.notes.at(name) == "category" ? column_type::category : column_type::number, .nullable = true});

    std::string header, record;
    require(next_record(std::cin, header), errc::empty_input, "the input has no header");
    (void)parse_csv(header, how);  // are all columns there?
    std::printf("score\n");
    workspace row_memory, scratch;
    std::size_t refused = 0;
    for (std::uint64_t row = 2; next_record(std::cin, record); ++row) {
        try {
            const table one = parse_csv(header + record, how);
            if (one.rows() != 1) fail(errc::ragged_row, {.row = 2}, "csv: row 2: it is empty, or more than one");
            std::printf("%.6f\n", static_cast<double>(model(row_of(one, 0, row_memory), scratch)[1]));
        } catch (const error& e) {
            const error here = at_row(e, row);
            if (!keep_going) throw here;
            std::fprintf(stderr, "score: %s (%s)\n", here.what(), std::string(name_of(here.code())).c_str());
            std::printf("\n");
            ++refused;
        }
        std::fflush(stdout);  // whoever reads has each score at once
    }
    return refused;
}

}  // namespace

int main(int argc, char** argv) try {
    std::string data, target, positive, to, from;
    std::vector<std::string> drop;
    std::size_t example = 0;
    bool keep_going = false;
    CLI::App app("Rows as CSV from stdin, one probability a row to stdout");
    auto* const saving = app.add_option("--save", to, "learn, and keep the model there");
    auto* const data_option = app.add_option("--data", data, "a CSV file to learn from (default: a generated table)")->needs(saving);
    app.add_option("--target", target, "its column that says what became of them")->needs(data_option);
    app.add_option("--positive", positive, "the value whose probability is wanted")->needs(data_option);
    app.add_option("--drop", drop, "a column not to learn from");
    auto* const loading = app.add_option("--load", from, "score the rows of stdin with this model")->excludes(saving);
    app.add_flag("--keep-going", keep_going, "an empty score for a row that cannot be read")->needs(loading);
    app.add_option("--example", example, "print so many generated rows as CSV")->excludes(saving)->excludes(loading);
    CLI11_PARSE(app, argc, argv);
    require(data.empty() || (!target.empty() && !positive.empty()), errc::bad_parameter, "--data needs --target and --positive");

    if (!to.empty() && data.empty()) {
        learn(synthetic_subscribers().rows, "left", "yes", {"accepted"}, to);
    } else if (!to.empty()) {
        learn(read_csv(data), target, positive, drop, to);
    } else if (example > 0) {
        write_csv(synthetic_subscribers({.customers = example, .seed = 1}).rows, std::cout);
    } else if (!from.empty()) {
        return score(from, keep_going) == 0 ? 0 : 1;
    } else {
        std::printf("%s", app.help().c_str());
        return 1;
    }
    return 0;
} catch (...) {
    return say_error("score");
}
