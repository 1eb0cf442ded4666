// Training while allocations fail, while an observer or a source throws: an exception comes out, what was given stays as it
// was, nothing is left behind.

#include <cstddef>
#include <functional>
#include <iostream>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/data/interactions.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/policy/q_learning.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/text/bpe.hpp>
#include <caramel/text/wordpiece_fit.hpp>
#include <caramel/trees/boosted_trees.hpp>

#include "faults/subjects.hpp"
#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/some_data.hpp"

namespace learners_test {

using namespace caramel;
using namespace faults_test;

std::vector<transition<1>> moves() {
    rng random(4);
    std::vector<transition<1>> log;
    for (std::size_t i = 0; i < 60; ++i)
        log.push_back({.state = {random.below(4)}, .action = random.below(2), .reward = random.uniform(), .next_state = {random.below(4)}, .terminal = i % 6 == 5});
    return log;
}

interactions<double> bought_at_random(std::size_t customers, std::size_t items) {
    struct entry {
        std::size_t customer, item;
    };
    rng random(6);
    std::vector<entry> log;
    for (std::size_t c = 0; c < customers; ++c)
        for (int i = 0; i < 5; ++i) log.push_back({c, random.below(items)});
    return interactions<double>::of(log);
}

// Everything that learns here, with what it learns from.
struct learners {
    std::size_t rows = 40;  // many: then work is cut into several pieces
    matrix<float> x = some_numbers(rows);
    std::vector<int> classes = some_classes(rows);
    interactions<double> bought = bought_at_random(rows / 2, 15 + rows / 4);
    std::vector<std::string> texts = some_texts(30);
    std::vector<transition<1>> log = moves();

    std::vector<subject> all() const {
        return {
            {"standardize | mlp",
             [this](const fit_options& options) {
                 return result_of([&] { return fit(standardize<float>{} | mlp<float>{.hidden = {6}, .epochs = 3, .batch_size = rows / 5}, x, classes, options); });
             },
             true},
            {"boosted_trees",
             [this](const fit_options& options) {
                 return result_of([&] { return fit(boosted_trees<float>{.n_trees = 4, .max_depth = 2}, x, classes, options); });
             },
             true},
            {"als",
             [this](const fit_options& options) { return result_of([&] { return fit(als<double>{.n_factors = 3, .epochs = 3}, bought, options); }); },
             true},
            {"item_neighbors",
             [this](const fit_options& options) { return result_of([&] { return fit(item_neighbors<double>{.k = 4}, bought, options); }); },
             false},
            {"q_learning",
             [this](const fit_options& options) {
                 return result_of([&] { return fit(q_learning<float>{.states = {4}, .actions = 2, .sweeps = 3, .default_action = 0}, log, options); });
             },
             true},
            {"wordpiece",
             [this](const fit_options& options) { return result_of([&] { return fit(wordpiece{.vocabulary_size = 60}, texts, options); }); },
             false},
            {"bpe",
             [this](const fit_options& options) { return result_of([&] { return fit(bpe{.vocabulary_size = 280}, texts, options); }); },
             false},
        };
    }
    std::string bits() const {
        std::string out;
        const auto add = [&](const auto& values, std::size_t n) { out.append(reinterpret_cast<const char*>(values.data()), n * sizeof(values.data()[0])); };
        add(x, static_cast<std::size_t>(x.size()));
        add(classes, classes.size());
        add(bought.by_customer().values, bought.by_customer().values.size());
        add(bought.by_customer().ids, bought.by_customer().ids.size());
        for (const auto& text : texts) out += text;
        add(log, log.size());
        return out;
    }
};

TEST_CASE("faults: training, whichever allocation fails", "[faults][memory]") {
    const learners given;
    for (const subject& s : given.all()) {
        INFO(s.name);
        const auto report = faults::failing_allocations([&] { return s.learn({.seed = 3}); }, [&] { return given.bits(); }, 150);
        CHECK(report.problem == "");
        CHECK(report.came_out > 0);
    }
}
TEST_CASE("faults: training on three threads, whichever allocation fails", "[faults][memory]") {
    const learners given{.rows = 600};
    for (const subject& s : given.all()) {
        INFO(s.name);
        CHECK(faults::failing_allocations([&] { return s.learn({.seed = 3, .threads = 3}); }, [&] { return given.bits(); }, 40).problem == "");
    }
}
TEST_CASE("faults: training, every one of its allocations", "[faults][memory][slow]") {
    const learners given;
    for (const subject& s : given.all())
        for (const std::size_t threads : {1U, 3U}) {
            INFO(s.name << " on " << threads);
            const auto report = faults::failing_allocations([&] { return s.learn({.seed = 3, .threads = threads}); }, [&] { return given.bits(); });
            CHECK(report.problem == "");
            std::cout << "faults: " << s.name << " on " << threads << " threads: " << report.points << " allocations failed, " << report.came_out << " came out\n";
        }
}
template <class Model, class Row>
void check_no_allocation(std::string_view name, const Model& model, std::size_t n, const Row& row) {
    INFO(name);
    workspace scratch;
    for (std::size_t i = 0; i < n; ++i) (void)model(row(i), scratch);
    CHECK(faults::allocations_in([&] {
              for (std::size_t i = 0; i < n; ++i) (void)model(row(i), scratch);
          }) == 0);
}
TEST_CASE("faults: answers with a workspace, after the first ones, without an allocation", "[faults][memory]") {
    const learners given;
    const auto row = [&](std::size_t i) { return row_of<float>(given.x, static_cast<row_index>(i)); };
    check_no_allocation("standardize | mlp", fit(standardize<float>{} | mlp<float>{.hidden = {6}, .epochs = 1}, given.x, given.classes), 40, row);
    check_no_allocation("boosted_trees", fit(boosted_trees<float>{.n_trees = 4}, given.x, given.classes), 40, row);
    const auto customer = [](std::size_t i) { return query{.customer = row_number{i}, .n = 5}; };
    check_no_allocation("als", fit(als<double>{.n_factors = 3}, given.bought), 20, [&, asked = customer(3)](std::size_t) -> const query& { return asked; });
    check_no_allocation("item_neighbors", fit(item_neighbors<double>{}, given.bought), 20, [&, asked = customer(3)](std::size_t) -> const query& { return asked; });
    check_no_allocation("wordpiece", fit(wordpiece{.vocabulary_size = 60}, given.texts), 30, [&](std::size_t i) { return std::string_view(given.texts[i]); });
    check_no_allocation("bpe", fit(bpe{.vocabulary_size = 280}, given.texts), 30, [&](std::size_t i) { return std::string_view(given.texts[i]); });
    check_no_allocation("q_learning", fit(q_learning<float>{.states = {4}, .actions = 2, .default_action = 0}, given.log), 4,
                        [](std::size_t i) { return decision<1>{.state = {i}}; });
}
TEST_CASE("faults: an observer that throws, whenever it does", "[faults][callback]") {
    struct enough {};
    const learners given;
    const std::string before = given.bits();
    for (const subject& s : given.all()) {
        if (!s.reports) continue;
        INFO(s.name);
        const std::string expected = s.learn({.seed = 3, .threads = 3});
        const std::size_t threads = faults::threads_now();
        std::size_t thrown = 0;
        for (std::size_t at = 1;; ++at) {
            std::size_t reports = 0;
            bool passed = false;
            try {
                (void)s.learn({.seed = 3, .threads = 3, .on_progress = [&](const progress&) {
                                   if (++reports == at) throw enough();
                                   return verdict::go_on;
                               }});
            } catch (const enough&) {
                passed = true;
            }
            CHECK_FALSE(faults::more_threads_than(threads));
            if (reports < at) break;
            CHECK(passed);
            CHECK(reports == at);  // and nobody is told of more
            ++thrown;
        }
        CHECK(thrown >= 3);
        CHECK(given.bits() == before);
        CHECK(s.learn({.seed = 3, .threads = 3}) == expected);
    }
}
TEST_CASE("faults: an executor that throws before, between and after its pieces", "[faults][callback]") {
    struct refused {};
    const learners given;
    const std::string before = given.bits();
    for (const subject& s : given.all()) {
        INFO(s.name);
        const std::string expected = s.learn({.seed = 3});
        for (const std::size_t piece : {0U, 1U, 1000U}) {
            bool asked = false, passed = false;
            try {
                (void)s.learn({.seed = 3, .threads = 3, .run = [&](std::size_t tasks, const callback<void(std::size_t)>& task) {
                                   asked = true;
                                   for (std::size_t i = 0; i < std::min(tasks, piece); ++i) task(i);
                                   throw refused();
                               }});
            } catch (const refused&) {
                passed = true;
            }
            CHECK(passed == asked);
        }
        CHECK(given.bits() == before);
        CHECK(s.learn({.seed = 3}) == expected);
    }
}
TEST_CASE("faults: a source of transitions that throws in the middle", "[faults][callback]") {
    struct torn {};
    const auto log = moves();
    const q_learning<float> recipe{.states = {4}, .actions = 2, .default_action = 0};
    const auto learn = [&](std::size_t at) {
        std::size_t next = 0;
        return fit(recipe, [&]() -> std::optional<transition<1>> {
            if (next == at) throw torn();
            return next < log.size() ? std::optional(log[next++]) : std::nullopt;
        });
    };
    for (const std::size_t at : {0U, 1U, 30U, 60U}) CHECK_THROWS_AS(learn(at), torn);
    CHECK(bytes_of(learn(1000)) == bytes_of(learn(1000)));
}

}  // namespace learners_test
