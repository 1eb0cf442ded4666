// Our side of the comparison: see mlp_task.hpp.
// usage: mlp_caramel [threads]
#include <cstdlib>
#include <span>

#include <caramel/nn/mlp.hpp>

#include "mlp_task.hpp"

using namespace caramel;

int main(int argc, char** argv) {
    const auto threads = argc > 1 ? static_cast<std::size_t>(std::atoi(argv[1])) : std::size_t{1};
    const compare::task task;
    const Eigen::Map<const matrix<float>> x(task.x.data(), static_cast<row_index>(compare::rows), static_cast<row_index>(compare::inputs));
    const Eigen::Map<const matrix<float>> y(task.y.data(), static_cast<row_index>(compare::rows), 1);
    double seconds = 1e300, loss = 0;
    const auto clock = threads == 1 ? compare::thread_seconds : compare::wall_seconds;
    double start = 0;
    const auto watch = [&](const progress& p) {  // an epoch is what lies between two reports; the first one has the checks in it, too
        if (p.step > 1) seconds = std::min(seconds, clock() - start);
        loss = p.loss;
        start = clock();
        return verdict::go_on;
    };
    const auto model = fit(mlp_multilabel<float>{.hidden = {compare::first, compare::second}, .epochs = 8, .batch_size = compare::batch}, matrix_in<float>(x),
                           targets_in<float>(y), {.seed = 1, .threads = threads, .on_progress = watch});
    compare::print("caramel", "train.rows_per_second", static_cast<double>(compare::rows) / seconds);
    compare::print("caramel", "train.loss", loss);
    if (threads != 1) return 0;
    workspace scratch;
    const std::span<const float> one(task.x.data(), compare::inputs);
    const matrix<float> many = x.topRows(static_cast<row_index>(compare::batch));
    float sink = 0;
    compare::print("caramel", "row_us", 1e6 * compare::least_of_many(50, 500, [&] { sink += model(one, scratch)[0]; }));
    compare::print("caramel", "batch256_us", 1e6 * compare::least_of_many(50, 20, [&] { sink += model(many)(0, 0); }));
    return sink < 0 ? 1 : 0;
}
