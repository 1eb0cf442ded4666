// Our side of the comparison: see mlp_task.hpp.
// usage: mlp_caramel [threads]
#include <cstdlib>
#include <span>

#include <caramel/nn/mlp.hpp>
#include <caramel/nn/static_mlp.hpp>

#include "mlp_task.hpp"

using namespace caramel;

int main(int argc, char** argv) {
    const auto threads = argc > 1 ? static_cast<std::size_t>(std::atoi(argv[1])) : std::size_t{1};
    const compare::task task;
    const Eigen::Map<const matrix<float>> x(task.x.data(), static_cast<row_index>(compare::rows), static_cast<row_index>(compare::inputs));
    const Eigen::Map<const matrix<float>> y(task.y.data(), static_cast<row_index>(compare::rows), 1);
    double seconds = 1e300, wall = 1e300, loss = 0, start = 0, wall_start = 0;
    const auto watch = [&](const progress& p) {  // an epoch is what lies between two reports; the first one has the checks in it, too
        if (p.step > 1) {
            seconds = std::min(seconds, compare::thread_seconds() - start);
            wall = std::min(wall, compare::wall_seconds() - wall_start);
        }
        loss = p.loss;
        start = compare::thread_seconds();
        wall_start = compare::wall_seconds();
        return verdict::go_on;
    };
    const auto model = fit(mlp_multilabel<float>{.hidden = {compare::first, compare::second}, .epochs = 8, .batch_size = compare::batch}, matrix_in<float>(x),
                           targets_in<float>(y), {.seed = 1, .threads = threads, .on_progress = watch});
    if (threads == 1) compare::print("caramel", "train.rows_per_second", static_cast<double>(compare::rows) / seconds);
    compare::print("caramel", "train.wall_rows_per_second", static_cast<double>(compare::rows) / wall);
    compare::print("caramel", "train.loss", loss);
    if (threads != 1) return 0;
    workspace scratch;
    const std::span<const float> one(task.x.data(), compare::inputs);
    const matrix<float> many = x.topRows(static_cast<row_index>(compare::batch));
    float sink = 0;
    compare::print("caramel", "row_us", 1e6 * compare::least_of_many(50, 500, [&] { sink += model(one, scratch)[0]; }));
    static const static_mlp<float, compare::inputs, compare::first, compare::second, 1> fixed(model);
    const auto fixed_one = one.first<compare::inputs>();
    compare::print("caramel", "static_row_us", 1e6 * compare::least_of_many(50, 500, [&] { sink += fixed(fixed_one)[0]; }));
    compare::print("caramel", "batch256_us", 1e6 * compare::least_of_many(50, 20, [&] { sink += model(many)(0, 0); }));
    return sink < 0 ? 1 : 0;
}
