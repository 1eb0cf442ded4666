// How well the library does on a file of one's own, with nothing set by hand.
//
//   evaluate tables FILE --target COLUMN --positive VALUE
//   evaluate text TRAIN TEST
//   evaluate recommend TRAIN TEST          all: [--seeds N]
//
// Each searches a stated grid on training rows only, fits the winner to all training rows, and judges it on rows that the
// search has not seen. The search draws from seed 0; figures are means over the seeds 0 .. N - 1 of the final fit, NAME.sd
// their sample standard deviation. Ties go to what the grid names first. Lines that begin with `result` are for scripts.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/core/random.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/split.hpp>
#include <caramel/data/table.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/evaluate/ranking.hpp>
#include <caramel/io/file.hpp>
#include <caramel/nn/probabilities.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recipes/intent.hpp>
#include <caramel/recipes/table_classifier.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/query.hpp>
#include <caramel/recommend/search_recommenders.hpp>
#include <caramel/recommend/top_k.hpp>
#include <caramel/recommend/tune.hpp>

using namespace caramel;

namespace {

using rows = std::vector<std::size_t>;

// ---- what all share --------------------------------------------------------------------------------------------------
void result(const std::string& name, double value) { std::printf("result %s %.6g\n", name.c_str(), value); }

// One value a seed.
void result(const std::string& name, const std::vector<double>& values) {
    const double n = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double square = 0;
    for (const double value : values) square += (value - mean) * (value - mean);
    result(name, mean);
    result(name + ".sd", values.size() > 1 ? std::sqrt(square / (n - 1)) : 0);
}

template <class Values>
auto pick(const Values& values, const rows& wanted) {
    std::vector<typename Values::value_type> out;
    out.reserve(wanted.size());
    for (const std::size_t row : wanted) out.push_back(values[row]);
    return out;
}

// Numbers of candidates by rising loss.
std::vector<std::size_t> ranking(const std::vector<double>& losses) {
    std::vector<std::size_t> order(losses.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return losses[i]; });
    return order;
}

// The losses of candidates, on all cores. One whose training diverges has lost.
template <class Loss>
std::vector<double> losses_of(std::size_t candidates, const Loss& loss) {
    std::vector<double> out(candidates);
    parallel_for(candidates, {.threads = 0}, [&](std::size_t i) {
        try {
            out[i] = loss(i);
        } catch (const error& e) {
            if (e.code() != errc::diverged) throw;
            out[i] = std::numeric_limits<double>::infinity();
        }
    });
    return out;
}

// The best of the candidates: all of them on the first split, the best quarter on the others, too; the mean of their losses decides.
template <class Loss>
std::size_t search(std::size_t candidates, std::size_t splits, const Loss& loss) {
    std::vector<double> first = losses_of(candidates, [&](std::size_t i) { return loss(i, 0); });
    auto kept = ranking(first);
    kept.resize((candidates + 3) / 4);
    std::ranges::sort(kept);  // as in the grid
    const std::size_t others = splits - 1;
    const auto more = losses_of(kept.size() * others, [&](std::size_t i) { return loss(kept[i / others], 1 + i % others); });
    std::vector<double> sums;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        const auto mine = more.begin() + static_cast<std::ptrdiff_t>(i * others);
        sums.push_back(std::accumulate(mine, mine + static_cast<std::ptrdiff_t>(others), first[kept[i]]));
    }
    return kept[ranking(sums).front()];
}
constexpr std::size_t inner_folds = 3;

// ---- files -----------------------------------------------------------------------------------------------------------
std::string read_text(const std::string& file) {
    const auto bytes = read_file(file);
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    require(!text.empty(), errc::empty_input, "the file is empty");
    return text;
}
std::string_view line_at(std::string_view text, std::size_t begin) {
    std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}
// Whichever of tab, semicolon and comma the first line has most of.
char delimiter_of(std::string_view text) {
    const auto line = line_at(text, 0);
    const auto count = [&](char c) { return std::ranges::count(line, c); };
    const char best = count('\t') > 0 ? '\t' : ',';
    return best == ',' && count(';') > count(',') ? ';' : best;
}
// With tabs, quotes are text like any other.
std::vector<std::string> fields_of(std::string_view line, char delimiter) {
    std::vector<std::string> out(1);
    bool quoted = false;
    for (const char c : line) {
        if (c == '"' && delimiter != '\t') quoted = !quoted;
        else if (c == delimiter && !quoted) out.emplace_back();
        else out.back() += c;
    }
    return out;
}
// "Customer_ID" and "customerId" are one name.
std::string plain_name(const std::string& name) {
    std::string out;
    for (const char c : name)
        if (c != '_' && c != ' ' && c != '-') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}
// Where the first of the names stands that is any of `known`.
std::optional<std::size_t> find_name(const std::vector<std::string>& names, const std::set<std::string_view>& known) {
    for (std::size_t c = 0; c < names.size(); ++c)
        if (known.contains(plain_name(names[c]))) return c;
    return std::nullopt;
}
bool is_number(const std::string& text) {
    double x = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), x);
    return code == std::errc() && end == text.data() + text.size();
}
// The same rows under other names.
std::string with_names(std::string_view text, bool has_header, const std::vector<std::string>& names, char delimiter) {
    std::string out;
    for (std::size_t c = 0; c < names.size(); ++c) out += (c > 0 ? std::string(1, delimiter) : std::string()) + names[c];
    out += '\n';
    const std::size_t end = text.find('\n');
    if (!has_header) out += text;
    else if (end != std::string_view::npos) out += text.substr(end + 1);
    return out;
}

// ---- tables ----------------------------------------------------------------------------------------------------------
struct table_figures {
    std::vector<double> auc, log_loss, top_lift, brier;  // one a seed: means over the folds
};

void evaluate_tables(const std::string& file, const std::string& target, const std::string& positive, std::size_t seeds) {
    const std::string text = read_text(file);
    const table data = parse_csv(text, {.delimiter = delimiter_of(text), .missing = {"NA"}});
    const auto labels = labels_of(data, target, positive);
    const std::size_t n = labels.size();
    std::printf("%zu rows, %zu columns beside the target, %.2f %% positive; empty fields and NA are missing values\n", n, data.columns() - 1,
                100.0 * std::accumulate(labels.begin(), labels.end(), 0.0) / static_cast<double>(n));
    std::printf("5 folds (row number from 0, modulo 5); in each, boosted trees and networks are chosen by log loss in folds of the training rows,\n"
                "and mixed with logistic regression\n");
    rows numbers(n);
    std::iota(numbers.begin(), numbers.end(), std::size_t{0});
    const auto folds = modulo_folds(numbers, 5);
    const double share = 1.0 / static_cast<double>(folds.size());
    table_figures figures{std::vector<double>(seeds), std::vector<double>(seeds), std::vector<double>(seeds), std::vector<double>(seeds)};
    double base_loss = 0;
    for (std::size_t f = 0; f < folds.size(); ++f) {
        const table train = data.take_rows(folds[f].train), test = data.take_rows(folds[f].test);
        const auto y = pick(labels, folds[f].train), y_test = pick(labels, folds[f].test);
        const auto names = learnable_columns(train, std::vector{target});
        if (f == 0)
            for (const auto& name : data.names())
                if (name != target && std::ranges::find(names, name) == names.end()) std::printf("column \"%s\" is left out: times, ids, free text or too few values\n", name.c_str());
        const auto features = fit(table_features<float>(names), train);
        const matrix<float> x = features(train), x_test = features(test);
        const auto recipe = mixed_classifier<float>().choose(x, y, {.seed = 0, .threads = 0});
        const auto& trees = std::get<1>(recipe.members);
        const auto& network = std::get<2>(recipe.members);
        std::printf("fold %zu: %zu trees of depth %zu, learning rate %g; network of %zu units, l2 %g\n", f, trees.n_trees, trees.max_depth, trees.learning_rate, network.hidden[0], network.l2);
        std::fflush(stdout);
        std::vector<matrix<float>> answers(seeds);
        parallel_for(seeds, {.threads = 0}, [&](std::size_t seed) { answers[seed] = fit(recipe, x, y, {.seed = seed})(x_test); });
        for (std::size_t seed = 0; seed < seeds; ++seed) {
            figures.auc[seed] += share * auc(answers[seed], y_test);
            figures.log_loss[seed] += share * log_loss(answers[seed], y_test);
            figures.top_lift[seed] += share * top_lift(answers[seed], y_test);
            figures.brier[seed] += share * brier_score(answers[seed], y_test);
        }
        const double rate = std::accumulate(y.begin(), y.end(), 0.0) / static_cast<double>(y.size());
        base_loss += share * log_loss(std::vector<double>(y_test.size(), rate), y_test);
    }
    std::printf("means over the folds; base_rate answers the positive share of the training rows for everyone\n");
    result("tables.auc", figures.auc);
    result("tables.log_loss", figures.log_loss);
    result("tables.top_lift", figures.top_lift);
    result("tables.brier", figures.brier);
    result("tables.base_rate.log_loss", base_loss);
}

// ---- text ------------------------------------------------------------------------------------------------------------
struct text_rows {
    std::vector<std::string> texts, labels;
};
struct text_layout {
    std::size_t text = 0, label = 1;
    bool has_header = false;
};
using field_columns = std::vector<std::vector<std::string>>;

// All fields of a file, its first line included. Quotes mean something in CSV only.
field_columns read_fields(const std::string& file) {
    const std::string text = read_text(file);
    const char delimiter = delimiter_of(text);
    const auto first = fields_of(line_at(text, 0), delimiter);
    field_columns out(first.size());
    if (delimiter != '\t') {
        csv_options options{.delimiter = delimiter};
        std::vector<std::string> names;
        for (std::size_t c = 0; c < first.size(); ++c) {
            names.push_back("c" + std::to_string(c));
            options.schema.push_back({.name = names.back()});
        }
        const table all = parse_csv(with_names(text, false, names, delimiter), options);
        for (std::size_t c = 0; c < out.size(); ++c)
            for (std::size_t i = 0; i < all.rows(); ++i) out[c].emplace_back(all.column(c).categories()[i]);
        return out;
    }
    for (std::size_t begin = 0, row = 1; begin < text.size(); ++row) {
        const auto fields = fields_of(line_at(text, begin), delimiter);
        require_at(fields.size() == out.size(), errc::ragged_row, {.row = row}, "text: row ", row, " has ", fields.size(), " fields, the first has ", out.size());
        for (std::size_t c = 0; c < out.size(); ++c) out[c].push_back(fields[c]);
        begin = std::min(text.find('\n', begin), text.size() - 1) + 1;
    }
    return out;
}

text_layout detect_text_layout(const field_columns& fields) {
    std::vector<std::string> first;
    for (const auto& column : fields) first.push_back(column.front());
    const auto text = find_name(first, {"text", "sentence", "utterance", "review", "title", "message", "content"});
    const auto label = find_name(first, {"label", "intent", "class", "category", "target", "sentiment", "topic"});
    if (text && label) return {*text, *label, true};
    require(fields.size() == 2, errc::missing_column, "text: ", fields.size(), " columns; give two, or a header that names text and label");
    const auto levels = [&](std::size_t c) { return std::set<std::string_view>(fields[c].begin(), fields[c].end()).size(); };
    const bool label_first = levels(0) < levels(1);
    return {label_first ? 1U : 0U, label_first ? 0U : 1U, text || label};
}

text_rows read_texts(const std::string& file, const field_columns& fields, const text_layout& layout) {
    require(std::max(layout.text, layout.label) < fields.size(), errc::missing_column, "text: ", fields.size(), " columns, fewer than in the training file");
    const auto begin = layout.has_header ? 1 : 0;
    text_rows out{{fields[layout.text].begin() + begin, fields[layout.text].end()}, {fields[layout.label].begin() + begin, fields[layout.label].end()}};
    require(!out.texts.empty(), errc::empty_input, "text: no rows");
    std::printf("%s: %zu rows; label in column %zu, text in column %zu, %s\n", file.c_str(), out.texts.size(), layout.label + 1, layout.text + 1,
                layout.has_header ? "below a header" : "no header");
    return out;
}

// The mean over the classes that occur of the share of their rows that was found.
double macro_recall(const std::vector<int>& predicted, const std::vector<int>& labels) {
    std::map<int, std::pair<double, double>> by_class;  // found, all
    for (std::size_t i = 0; i < labels.size(); ++i) {
        auto& [found, all] = by_class[labels[i]];
        found += predicted[i] == labels[i] ? 1 : 0;
        ++all;
    }
    double sum = 0;
    for (const auto& [label, counts] : by_class) sum += counts.first / counts.second;
    return sum / static_cast<double>(by_class.size());
}

void evaluate_text(const std::string& train_file, const std::string& test_file, std::size_t seeds) {
    const auto train_fields = read_fields(train_file), test_fields = read_fields(test_file);
    const auto layout = detect_text_layout(train_fields);
    // The test file's columns are those of the training file; a header may be in one and not in the other.
    const bool test_header = test_fields.size() > std::max(layout.text, layout.label) &&
                             (layout.has_header ? test_fields[layout.label].front() == train_fields[layout.label].front()
                                                : test_fields.size() == 2 && detect_text_layout(test_fields).has_header);
    const auto train = read_texts(train_file, train_fields, layout);
    const auto test = read_texts(test_file, test_fields, {layout.text, layout.label, test_header});

    std::map<std::string, int> classes;
    for (const auto& label : train.labels) classes.emplace(label, 0);
    int next = 0;
    for (auto& [label, number] : classes) number = next++;
    std::vector<int> y, y_test;
    for (const auto& label : train.labels) y.push_back(classes.at(label));
    std::size_t unseen = 0;
    for (const auto& label : test.labels) {
        const auto found = classes.find(label);
        unseen += found == classes.end() ? 1 : 0;
        y_test.push_back(found == classes.end() ? next : found->second);
    }
    std::printf("%zu classes; %zu test rows have a label that training does not, and count as missed\n", classes.size(), unseen);
    std::printf("linear machines of n-grams, the penalty chosen on texts held out of training\n");
    std::fflush(stdout);
    std::vector<double> hits(seeds), recalls(seeds);
    parallel_for(seeds, {.threads = 0}, [&](std::size_t seed) {
        const auto predicted = most_likely{}(fit(intent{}, train.texts, y, {.seed = seed})(test.texts));
        hits[seed] = accuracy(predicted, y_test);
        recalls[seed] = macro_recall(predicted, y_test);
    });
    result("text.accuracy", hits);
    result("text.macro_recall", recalls);
}

// ---- recommend -------------------------------------------------------------------------------------------------------
using purchases = interactions<float>;
using ranked = ragged<recommendation<float>>;

// Columns by name, or else in the order customer, item, value, time.
std::vector<std::string> roles_of(const std::vector<std::string>& names, bool has_header) {
    require(names.size() >= 2, errc::missing_column, "recommend: 1 column; give at least customer and item");
    std::vector<std::string> out;
    for (std::size_t c = 0; c < names.size(); ++c) out.push_back("other" + std::to_string(c));
    const auto customer = find_name(names, {"customer", "customerid", "user", "userid", "client", "clientid", "visitorid"});
    const auto item = find_name(names, {"item", "itemid", "product", "productid", "movieid", "artistid", "stockcode", "sku"});
    if (!has_header || !customer || !item) {
        constexpr std::array usual{"customer", "item", "value", "time"};
        for (std::size_t c = 0; c < std::min(names.size(), usual.size()); ++c) out[c] = usual[c];
        return out;
    }
    out[*customer] = "customer";
    out[*item] = "item";
    if (const auto at = find_name(names, {"value", "rating", "quantity", "count", "plays", "weight", "score"})) out[*at] = "value";
    if (const auto at = find_name(names, {"time", "timestamp", "date", "datetime", "when", "invoicedate"})) out[*at] = "time";
    return out;
}

std::vector<float> values_of(const table& log) {
    const auto& column = log.column("value");
    require(!column.any_missing(), errc::missing_value, "recommend: the column of values has missing ones");
    require(column.type() == column_type::number || column.type() == column_type::integer, errc::wrong_column_type, "recommend: the values are of type ",
            name_of(column.type()), ", not numbers");
    std::vector<float> out;
    for (std::size_t i = 0; i < log.rows(); ++i)
        out.push_back(column.type() == column_type::number ? static_cast<float>(column.numbers()[i]) : static_cast<float>(column.integers()[i]));
    return out;
}
// Times are "2010-12-09", "2010-12-09 20:01:00", or seconds since 1970.
std::vector<std::chrono::sys_seconds> times_of(const table& log) {
    const auto& column = log.column("time");
    require(!column.any_missing(), errc::missing_value, "recommend: the column of times has missing ones");
    require(column.type() == column_type::timestamp || column.type() == column_type::integer, errc::wrong_column_type, "recommend: the times are of type ",
            name_of(column.type()), ", neither timestamps nor seconds");
    if (column.type() == column_type::timestamp) return {column.timestamps().begin(), column.timestamps().end()};
    std::vector<std::chrono::sys_seconds> out;
    for (const auto seconds : column.integers()) out.emplace_back(std::chrono::seconds(seconds));
    return out;
}

struct purchase_file {
    purchases pairs;
    bool has_values = false;
};
purchase_file read_purchases(const std::string& file, const interactions_options& options) {
    const std::string text = read_text(file);
    const char delimiter = delimiter_of(text);
    const auto names = fields_of(line_at(text, 0), delimiter);
    const bool has_header = !std::ranges::all_of(names, is_number);
    const auto roles = roles_of(names, has_header);
    const table log = parse_csv(with_names(text, has_header, roles, delimiter),
                                {.delimiter = delimiter, .types = {{"customer", column_type::category}, {"item", column_type::category}}});
    require(log.rows() > 0, errc::empty_input, "recommend: no rows");
    const auto customers = log.categories("customer"), items = log.categories("item");
    const auto values = log.has("value") ? values_of(log) : std::vector<float>();
    const auto times = log.has("time") ? times_of(log) : std::vector<std::chrono::sys_seconds>();
    purchase_file out{purchases({.customers = {customers.codes, customers.levels}, .items = {items.codes, items.levels}, .values = values, .times = times}, options),
                      !values.empty()};
    std::printf("%s: %zu rows, %s;", file.c_str(), log.rows(), has_header ? "below a header" : "no header");
    for (std::size_t c = 0; c < roles.size(); ++c) std::printf(" %s", roles[c].starts_with("other") ? "-" : roles[c].c_str());
    std::printf("; %zu pairs of %zu customers and %zu items\n", out.pairs.pairs(), out.pairs.rows(), out.pairs.items().size());
    return out;
}

struct divided {
    purchases learnt, held;
};
// Holds out the latest fifth of each customer's pairs (rounded down, at least one), or one at random where there are no
// times; customers with a single pair keep it.
divided hold_out(const purchases& all) {
    struct side {
        std::vector<std::int64_t> starts{0};
        std::vector<std::int32_t> items;
        std::vector<float> values;
    };
    std::array<side, 2> sides;
    const rng numbers = rng(0).split("hold_out");
    for (std::size_t row = 0; row < all.rows(); ++row) {
        const auto mine = all[row];
        rows order = numbers.split(row).permutation(mine.size());  // at random, also among equal times
        std::size_t wanted = mine.size() > 1 ? 1 : 0;
        if (all.has_times()) {
            std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t k) { return mine.seconds[k]; });
            wanted = std::max(wanted, mine.size() / 5);
        }
        std::vector<bool> held(mine.size());
        for (std::size_t k = 0; k < wanted; ++k) held[order[k]] = true;
        for (std::size_t k = 0; k < mine.size(); ++k) {
            auto& to = sides[held[k] ? 1 : 0];
            to.items.push_back(mine.items[k]);
            to.values.push_back(mine.values[k]);
        }
        for (auto& s : sides) s.starts.push_back(static_cast<std::int64_t>(s.items.size()));
    }
    const auto made = [&](side& s) { return purchases(all.customers(), all.items(), std::move(s.starts), std::move(s.items), std::move(s.values), {}); };
    return {made(sides[0]), made(sides[1])};
}

// The best model of the house by NDCG@10 on what is held out.
auto search_recommender(const purchases& train, bool has_values) {
    const auto parts = hold_out(train);
    require(!parts.held.empty(), errc::too_few_rows, "recommend: no customer has two pairs, so none can be held out");
    std::printf("held out of the training pairs: %zu, %s\n", parts.held.pairs(), train.has_times() ? "the latest fifth of each customer's" : "one of each customer's at random");
    std::fflush(stdout);
    als_grid grid;
    if (!has_values) grid.weights = {weighting::ones};
    const auto found = best_recommender(parts.learnt, parts.held, {.threads = 0}, has_values, als<float>{.n_factors = 64}, grid);
    for (const auto& one : found.trials) std::printf("%s: NDCG@10 %.4f held out%s\n", one.recipe.c_str(), one.ndcg, one.recipe == found.kind && one.place == found.place ? " (chosen)" : "");
    std::fflush(stdout);
    return found;
}

void judge(const std::string& name, const std::function<any_recommender<float>(std::uint64_t)>& trained, const ranking_task& task, std::size_t seeds) {
    std::vector<double> recalls(seeds), gains(seeds);
    for (std::size_t seed = 0; seed < seeds; ++seed) {
        const ranked lists = trained(seed)(task.queries);
        recalls[seed] = recall_at(20, lists, task.relevant).mean();
        gains[seed] = ndcg_at(10, lists, task.relevant).mean();
    }
    result(name + ".recall@20", recalls);
    result(name + ".ndcg@10", gains);
}

void evaluate_recommend(const std::string& train_file, const std::string& test_file, std::size_t seeds) {
    const auto train = read_purchases(train_file, {});
    std::printf("of the test file, pairs count that training does not have, of customers and items that it has\n");
    const auto listed = read_purchases(test_file, {.customers = &train.pairs.customers(), .items = &train.pairs.items(), .on_unlisted = unlisted::drop});
    const auto test = listed.pairs.pairs_not_in(train.pairs);
    require(!test.empty(), errc::empty_input, "recommend: no test pair that counts");
    const auto task = ranking_task_of(test, 20);
    std::printf("%zu test pairs of %zu customers\n", test.pairs(), task.queries.size());
    const auto best = search_recommender(train.pairs, train.has_values);
    judge("recommend", [&](std::uint64_t seed) { return best.fit(train.pairs, {.seed = seed, .threads = 0}); }, task, seeds);
    judge("recommend.popularity", [&](std::uint64_t) -> any_recommender<float> { return fit(popularity<float>{}, train.pairs); }, task, 1);
}

}  // namespace

int main(int argc, char** argv) try {
    std::string file, train, test, target, positive;
    std::size_t seeds = 5;
    CLI::App app("How well the library does on a file of one's own, with nothing set by hand");
    app.require_subcommand(1);
    app.add_option("--seeds", seeds, "how many seeds the figures are means over, from 0 (default: 5)")->check(CLI::Range(1, 1000));
    auto* const tables = app.add_subcommand("tables", "two classes from the columns of a CSV file, in 5 folds")->fallthrough();
    tables->add_option("FILE", file, "with a header")->required();
    tables->add_option("--target", target, "the column to predict")->required();
    tables->add_option("--positive", positive, "its value that counts as positive")->required();
    auto* const text = app.add_subcommand("text", "classes of texts: CSV or TSV files of text and label, in any order")->fallthrough();
    auto* const recommend = app.add_subcommand("recommend", "items for customers: CSV or TSV files of customer, item[, value][, time]")->fallthrough();
    for (auto* const two : {text, recommend}) {
        two->add_option("TRAIN", train)->required();
        two->add_option("TEST", test)->required();
    }
    CLI11_PARSE(app, argc, argv);

    if (tables->parsed()) evaluate_tables(file, target, positive, seeds);
    else if (text->parsed()) evaluate_text(train, test, seeds);
    else evaluate_recommend(train, test, seeds);
    return 0;
} catch (const error& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "evaluate: %s (%s)\n", e.what(), std::string(name_of(e.code())).c_str());
    return 1;
} catch (const std::exception& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "evaluate: %s\n", e.what());
    return 1;
}
