#ifndef CARAMEL_RECOMMEND_TUNE_HPP
#define CARAMEL_RECOMMEND_TUNE_HPP

// Which hyperparameters a factorization should have, found out on purchases that it has not seen.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/progress.hpp>
#include <caramel/core/ragged.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/query.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What `tune_als` tries: every combination of the first three, each after each number of epochs.
struct als_grid {
    std::vector<weighting> weights = {weighting::ones, weighting::logarithmic};
    std::vector<double> unobserved_weight = {0.1, 0.3, 1, 3};
    std::vector<double> regularization = {0.0003, 0.001, 0.003, 0.01};
    std::vector<std::size_t> epochs = {4, 8, 16};  ///< ascending
};

namespace detail {

// The mean over customers of NDCG@10 (Järvelin & Kekäläinen 2002), every relevant item counting alike.
template <class T>
double mean_ndcg(const ragged<recommendation<T>>& lists, const ragged<std::int32_t>& relevant) {
    double sum = 0;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const auto list = lists[i];
        const auto wanted = relevant[i];
        double gain = 0, ideal = 0;
        for (std::size_t rank = 0; rank < list.size(); ++rank)
            if (std::find(wanted.begin(), wanted.end(), list[rank].item) != wanted.end()) gain += 1 / std::log2(static_cast<double>(rank) + 2);
        for (std::size_t rank = 0; rank < std::min<std::size_t>(10, wanted.size()); ++rank) ideal += 1 / std::log2(static_cast<double>(rank) + 2);
        sum += gain / ideal;
    }
    return sum / static_cast<double>(std::max<std::size_t>(1, lists.size()));
}

}  // namespace detail

/// The recipe with the loss and the number of epochs that rank best what customers of `train` bought next: the largest mean
/// NDCG@10 over the customers with pairs in `next` that `train` does not have, ties to the first in the order of the grid.
/// All combinations are trained for the first number of epochs, the better quarter of them goes on to the next, and so on
/// (successive halving; a longer training goes on from a shorter one). Candidates whose training diverges have lost.
/// Give purchases before and after some day of the training period; judge the result on later ones.
/// Returns `recipe` unchanged where `next` has no such pair. Reports the trainings that are done, without a loss; `stop`
/// keeps the best so far. The same for any number of threads.
/// Throws `error`: `bad_parameter` (an empty or unordered grid), `bad_data` (`next` is numbered otherwise: build it with
/// the id tables of `train`), and as `als` does.
template <class T>
[[nodiscard]] als<T> tune_als(const als<T>& recipe, const interactions<T>& train, const interactions<T>& next, const fit_options& options = {},
                              const als_grid& grid = {}) {
    constexpr const char* who = "tune_als";
    require(!grid.weights.empty() && !grid.unobserved_weight.empty() && !grid.regularization.empty() && !grid.epochs.empty(), errc::bad_parameter, who,
            ": an axis of the grid is empty");
    require(std::adjacent_find(grid.epochs.begin(), grid.epochs.end(), std::greater_equal<>()) == grid.epochs.end() && grid.epochs.front() > 0,
            errc::bad_parameter, who, ": the numbers of epochs must ascend, from 1");
    const auto task = ranking_task_of(next.pairs_not_in(train), 10);
    if (task.queries.empty()) return recipe;

    struct candidate {
        als<T> recipe;      // `start` is where its training stands
        double gain = -1;   // by the latest training
        std::size_t place;  // in the grid
    };
    std::vector<candidate> racing;
    for (const weighting weights : grid.weights)
        for (const double weight : grid.unobserved_weight)
            for (const double regularization : grid.regularization) {
                racing.push_back({recipe, -1, racing.size()});
                racing.back().recipe.weights = weights;
                racing.back().recipe.unobserved_weight = weight;
                racing.back().recipe.regularization = regularization;
            }
    std::size_t trainings = 0, planned = 0;
    for (std::size_t e = 0, n = racing.size(); e < grid.epochs.size(); ++e, n = (n + 3) / 4) planned += n;

    als<T> best = recipe;
    double best_gain = -1;
    const auto rank_after = [&](std::size_t epochs) {
        std::sort(racing.begin(), racing.end(),
                  [](const candidate& a, const candidate& b) { return a.gain > b.gain || (a.gain == b.gain && a.place < b.place); });
        if (!(racing.front().gain > best_gain)) return;
        best_gain = racing.front().gain;
        best = racing.front().recipe;
        best.epochs = epochs;
        best.start = recipe.start;
    };
    for (std::size_t e = 0; e < grid.epochs.size(); ++e) {
        constexpr std::size_t batch = 4;  // a few at a time, so that the observer hears of them
        for (std::size_t begin = 0; begin < racing.size(); begin += batch) {
            const std::size_t n = std::min(batch, racing.size() - begin);
            parallel_for(n, options, [&](std::size_t i) {
                candidate& one = racing[begin + i];
                one.recipe.epochs = grid.epochs[e] - (e == 0 ? 0 : grid.epochs[e - 1]);
                one.gain = -1;
                try {
                    auto model = one.recipe.fit(train, {.seed = options.seed, .fitted_before = options.fitted_before});
                    one.gain = detail::mean_ndcg(model(task.queries), task.relevant);
                    one.recipe.start = std::move(model);
                } catch (const error& lost) {
                    if (lost.code() != errc::diverged) throw;
                }
            });
            trainings += n;
            if (options.on_progress && options.on_progress({who, trainings, planned, 0}) == verdict::stop) {
                racing.resize(begin + n);  // what was trained so far
                rank_after(grid.epochs[e]);
                return best;
            }
        }
        rank_after(grid.epochs[e]);
        racing.resize((racing.size() + 3) / 4);
    }
    return best;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
