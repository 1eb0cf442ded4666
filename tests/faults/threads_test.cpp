// Training where no thread can be started, or fewer than asked for: the same bits.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/features/standardize.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/text/word2vec.hpp>
#include <caramel/trees/boosted_trees.hpp>

#include "faults/subjects.hpp"
#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/some_data.hpp"

namespace threads_test {

using namespace caramel;
using namespace faults_test;

template <class Recipe, class... Data>
void check_fewer_threads(std::string_view name, const Recipe& recipe, const Data&... data) {
    INFO(name);
    const auto report = faults::failing_threads([&] { return result_of([&] { return fit(recipe, data..., fit_options{.seed = 3, .threads = 4}); }); });
    CHECK(report.problem == "");
    CHECK(report.points >= 1);
#ifndef CARAMEL_TESTS_THREADS_ONLY
    const auto memory = faults::failing_allocations([&] { return result_of([&] { return fit(recipe, data..., fit_options{.seed = 3, .threads = 3}); }); }, {}, 24);
    CHECK(memory.problem == "");
#endif
}

TEST_CASE("faults: training with fewer threads than asked for", "[faults][threads]") {
    const auto x = some_numbers(600);
    const auto classes = some_classes(600);
    struct entry {
        std::size_t customer, item;
    };
    rng random(6);
    std::vector<entry> log;
    for (std::size_t c = 0; c < 300; ++c)
        for (int i = 0; i < 5; ++i) log.push_back({c, random.below(150)});
    const auto bought = interactions<double>::of(log);
    check_fewer_threads("standardize | mlp", standardize<float>{} | mlp<float>{.hidden = {64, 64}, .epochs = 1, .batch_size = 256}, x, classes);
    check_fewer_threads("boosted_trees", boosted_trees<float>{.n_trees = 4, .max_depth = 2}, x, classes);
    check_fewer_threads("als", als<double>{.n_factors = 3, .epochs = 2}, bought);
    check_fewer_threads("item_neighbors", item_neighbors<double>{.k = 4}, bought);
    const auto texts = some_texts(300);
    check_fewer_threads("word2vec", word_tokenizer{} | word2vec<float>{.dim = 5, .epochs = 2, .min_count = 1}, texts);
}

}  // namespace threads_test
