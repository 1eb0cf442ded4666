// The errors of the models of ratings on MovieLens 100K, in the five folds of the Surprise benchmark (nothing is chosen on
// test rows: the settings are that benchmark's).
//
//   rating_figures DATA [--threads N] [--seeds N] [--only NAME]...
//
// DATA holds ml100k/u.data. Lines that begin with `result` are for scripts; figures of models that draw numbers are means over
// seeds, and the least and largest are told beside.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "recommend/ml100k.hpp"

#include <caramel/evaluate/regression.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/rating_baseline.hpp>
#include <caramel/recommend/rating_neighbors.hpp>
#include <caramel/recommend/sgd.hpp>
#include <caramel/recommend/slope_one.hpp>
#include <caramel/recommend/svdpp.hpp>

using namespace caramel;

namespace {

struct job {
    std::vector<world> folds;
    std::vector<std::string> only;
    std::size_t threads = 1, seeds = 5;

    template <class Recipe>
    void run(const std::string& name, const Recipe& recipe, std::size_t n_seeds = 1) const {
        if (!only.empty() && std::ranges::find(only, name) == only.end()) return;
        std::vector<double> roots(n_seeds);
        double absolute = 0;
        const double n_folds = static_cast<double>(folds.size());
        for (const auto& fold : folds) {
            const auto x = interactions<double>::of(fold.learn, {.on_duplicates = duplicates::refuse});
            const columns_of wanted(fold.test);
            for (std::size_t seed = 0; seed < n_seeds; ++seed) {
                const auto predicted = fit(recipe, x, {.seed = seed, .threads = threads}).predict(wanted.customers, wanted.items);
                roots[seed] += rmse(predicted, wanted.values) / n_folds;
                absolute += mae(predicted, wanted.values) / n_folds / static_cast<double>(n_seeds);
            }
        }
        double mean = 0;
        for (const double root : roots) mean += root / static_cast<double>(n_seeds);
        std::printf("result ml100k.%s.rmse %.10g\n", name.c_str(), mean);
        std::printf("  mae %.6f", absolute);
        if (n_seeds > 1) std::printf(", %zu seeds, rmse %.6f .. %.6f", n_seeds, *std::ranges::min_element(roots), *std::ranges::max_element(roots));
        std::printf("\n");
        std::fflush(stdout);
    }
};

rating_neighbors<double> neighbors(rating_side side, rating_similarity similarity, rating_center center) {
    return {.side = side, .similarity = similarity, .center = center, .keep = 0, .min_rating = 1, .max_rating = 5};
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Errors of the models of ratings on MovieLens 100K");
    std::filesystem::path data;
    job all;
    app.add_option("data", data, "the folder that holds ml100k/")->required();
    app.add_option("--threads", all.threads, "how many threads");
    app.add_option("--seeds", all.seeds, "how many seeds for models that draw numbers")->check(CLI::Range(1, 1000));
    app.add_option("--only", all.only, "these models alone");
    CLI11_PARSE(app, argc, argv);
    try {
        all.folds = surprise_folds(movielens(data / "ml100k" / "u.data"));
        using side = rating_side;
        using likeness = rating_similarity;
        all.run("baseline", rating_baseline<double>{.min_rating = 1, .max_rating = 5});
        all.run("slope_one", slope_one<double>{.min_rating = 1, .max_rating = 5});
        all.run("knn_basic", neighbors(side::customers, likeness::msd, rating_center::none));
        all.run("knn_means", neighbors(side::customers, likeness::msd, rating_center::means));
        all.run("knn_baseline", neighbors(side::customers, likeness::msd, rating_center::baselines));
        all.run("knn_pearson_baseline", neighbors(side::customers, likeness::pearson_baseline, rating_center::baselines));
        all.run("knn_items_pearson_baseline", neighbors(side::items, likeness::pearson_baseline, rating_center::baselines));
        all.run("svd", sgd_factorization<double>{.min_rating = 1, .max_rating = 5}, all.seeds);
        all.run("svdpp", svdpp<double>{.min_rating = 1, .max_rating = 5}, all.seeds);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "rating_figures: %s\n", e.what());
        return 1;
    }
    return 0;
}
