// Recommenders on the leave-one-out protocol of tests/recommend/ncf.hpp.
//
//   ncf_figures FOLDER [--threads N]
//
// FOLDER holds train.tsv and test_negative.tsv. Loss and epochs of ALS are chosen on the training data alone: of each customer
// one item drawn at random is held out, among 99 others. The test file is read once, for what was chosen. Lines that begin with
// `result` are for scripts.
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/core/random.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/popularity.hpp>

#include "recommend/ncf.hpp"

using namespace caramel;

namespace {

struct held_out {
    std::vector<ncf::pair> rest;
    std::vector<ncf::question> questions;
};
// One item of each customer with more than one, and 99 that the customer does not have.
held_out hold_out(const interactions<float>& x, rng draw) {
    held_out out;
    for (std::size_t row = 0; row < x.rows(); ++row) {
        const auto mine = x[row];
        const std::size_t which = mine.size() < 2 ? mine.size() : draw.below(mine.size());
        const auto customer = x.customers().number(row);
        for (std::size_t k = 0; k < mine.size(); ++k)
            if (k != which) out.rest.push_back({customer, x.items().number(static_cast<std::size_t>(mine.items[k]))});
        if (which == mine.size()) continue;
        ncf::question one{customer, {x.items().number(static_cast<std::size_t>(mine.items[which]))}};
        while (one.items.size() < 100 && one.items.size() + mine.size() < x.items().size()) {
            const std::size_t item = draw.below(x.items().size());
            if (!x.contains(row, static_cast<std::int32_t>(item))) one.items.push_back(x.items().number(item));
        }
        out.questions.push_back(std::move(one));
    }
    return out;
}

als<float> choose(const interactions<float>& train, const run_options& how) {
    const auto [rest, questions] = hold_out(train, rng(0).split("validation"));
    const auto learn = interactions<float>::of(rest, {.customers = &train.customers(), .items = &train.items()});
    als<float> best;
    double best_ndcg = -1;
    for (const double unobserved : {.1, .3, 1.0})
        for (const double regularization : {.003, .007, .015}) {
            als<float> recipe{.n_factors = 192, .regularization = regularization, .unobserved_weight = unobserved, .weights = weighting::ones, .epochs = 4};
            for (std::size_t epochs = 4; epochs <= 16; epochs += 4) {
                auto model = fit(recipe, learn, {.threads = how.threads});
                const auto found = ncf::judge(model, questions, how);
                std::printf("validation: unobserved_weight %g, regularization %g, epochs %zu: hr@10 %.4f, ndcg@10 %.4f\n", unobserved, regularization, epochs,
                            found.hit_rate, found.ndcg);
                std::fflush(stdout);
                if (found.ndcg > best_ndcg) {
                    best_ndcg = found.ndcg;
                    best = recipe;
                    best.epochs = epochs;
                    best.start = {};
                }
                recipe.start = std::move(model);  // goes on from here
            }
        }
    std::printf("chosen: unobserved_weight %g, regularization %g, epochs %zu\n", best.unobserved_weight, best.regularization, best.epochs);
    return best;
}

}  // namespace

int main(int argc, char** argv) try {
    CLI::App app("Recommenders on the leave-one-out protocol");
    std::filesystem::path folder;
    run_options how{.threads = 0};
    app.add_option("FOLDER", folder, "with train.tsv and test_negative.tsv")->required();
    app.add_option("--threads", how.threads, "0 = as many as the machine has; never changes a result");
    CLI11_PARSE(app, argc, argv);

    const auto train = interactions<float>::of(ncf::training(folder));
    const auto report = [&](const char* name, const ncf::figures& found) {
        std::printf("result ncf.%s.hr@10 %.4f\nresult ncf.%s.ndcg@10 %.4f\n", name, found.hit_rate, name, found.ndcg);
        std::fflush(stdout);
    };
    const auto test = ncf::test(folder);
    report("popularity", ncf::judge(fit(popularity<float>{}, train), test, how));
    report("als", ncf::judge(fit(choose(train, how), train, {.threads = how.threads}), test, how));
    return 0;
} catch (const std::exception& e) {
    std::fprintf(stderr, "ncf_figures: %s\n", e.what());
    return 1;
}
