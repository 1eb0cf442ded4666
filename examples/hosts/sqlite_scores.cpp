// Scores in a database: learns from a table of a SQLite file who will leave, and writes each customer's risk back into it.
//
//   sqlite_scores [--database FILE.db] [--from TABLE] [--id COLUMN] [--target COLUMN] [--positive VALUE] [--to TABLE]
//
// Without --database, a file of generated customers is made first (churn.db, in the current folder). The scores are written in
// one transaction: all of them or none. Run again, it brings them up to date.
//
// With what scripts/demo.sh gets and Debian's libsqlite3-dev (docs/hosts.md):
//   cmake --build build/release --target sqlite_scores && build/release/examples/hosts/sqlite_scores
//   sqlite3 churn.db 'SELECT * FROM scores JOIN customers USING (id) ORDER BY risk DESC LIMIT 5'
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/adapters/sqlite.hpp>
#include <caramel/data/synthetic_subscribers.hpp>
#include <caramel/evaluate/metrics.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>

#include "../terminal.hpp"

using namespace caramel;

namespace {

void make_customers(const sqlite_database& db) {
    table rows = synthetic_subscribers({.customers = 2000}).rows.drop({"accepted"});
    std::vector<std::int64_t> ids(rows.rows());
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(i) + 1;
    rows.add_column("id", ids);
    write_sqlite(db, "customers", rows, {.key = {"id"}});
}

// The identifier is quoted by SQLite's own rule, in which a quote within a name stands twice.
std::string quoted(const std::string& name) {
    std::string out = "\"";
    for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + '"';
}

void learn_and_score(const sqlite_database& db, const std::string& from, const std::string& id, const std::string& target, const std::string& positive,
                     const std::string& to) {
    const table customers = read_sqlite(db, "SELECT * FROM " + quoted(from), {.name = "the table of customers", .types = {{target, column_type::category}}});
    require(customers.has(id), errc::missing_column, "table \"", from, "\" has no column \"", id, "\"");
    const table twice = read_sqlite(db, "SELECT count(*) - count(DISTINCT " + quoted(id) + ") AS n FROM " + quoted(from));
    require(twice.integers("n")[0] == 0, errc::duplicate_id, "a value of column \"", id, "\" is missing, or stands in more than one row");
    std::vector<std::string> names;  // what to learn from
    for (const auto& name : customers.names())
        if (name != id && name != target && customers.column(name).type() != column_type::timestamp) names.push_back(name);
    const auto left = labels_of(customers, target, positive);
    const auto model = fit(columns(names) | impute{} | encode<float>{} | standardize<float>{} | logistic<float>{}, customers, left);
    const matrix<float> risk = model(customers);
    std::printf("%zu customers, %zu columns; AUC on those it learnt from: %.3f\n", customers.rows(), names.size(), auc(risk.col(1), left));

    table scores = customers.take_columns({id});
    scores.add_column("risk", std::vector<double>(risk.col(1).begin(), risk.col(1).end()));
    write_sqlite(db, to, scores, {.existing = sqlite_existing::update, .key = {id}});
    const table check = read_sqlite(db, "SELECT count(*) AS n, max(risk) AS most FROM " + quoted(to));
    std::printf("%lld scores in table \"%s\", the highest %.3f\n", static_cast<long long>(check.integers("n")[0]), to.c_str(), check.numbers("most")[0]);
}

}  // namespace

int main(int argc, char** argv) try {
    std::string file, from = "customers", id = "id", target = "left", positive = "yes", to = "scores";
    CLI::App app("From a table of a SQLite database to a score of each row, and back into it");
    app.add_option("--database", file, "a SQLite file (default: churn.db, made of generated customers if it is not there)");
    app.add_option("--from", from, "the table of customers (default: customers)");
    app.add_option("--id", id, "its column that tells customers apart (default: id)");
    app.add_option("--target", target, "its column that says what became of them (default: left)");
    app.add_option("--positive", positive, "the value whose probability is wanted (default: yes)");
    app.add_option("--to", to, "the table of scores; rows of other ids stay as they are (default: scores)");
    CLI11_PARSE(app, argc, argv);

    const sqlite_database db(file.empty() ? "churn.db" : file, file.empty() ? sqlite_access::create : sqlite_access::read_write);
    const auto there =
        read_sqlite(db, "SELECT count(*) AS n FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?", {.parameters = {from}}).integers("n")[0];
    if (file.empty() && there == 0) make_customers(db);
    learn_and_score(db, from, id, target, positive, to);
    return 0;
} catch (...) {
    return say_error("sqlite_scores");
}
