// The peer: libtorch from C++, as its documentation trains a network. See mlp_task.hpp.
// usage: mlp_libtorch [threads]
#include <cstdlib>

#include <torch/torch.h>

#include "mlp_task.hpp"

int main(int argc, char** argv) {
    const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
    at::set_num_threads(threads);
    torch::manual_seed(1);
    const compare::task task;
    const auto x = torch::from_blob(const_cast<float*>(task.x.data()), {static_cast<long>(compare::rows), static_cast<long>(compare::inputs)});
    const auto y = torch::from_blob(const_cast<float*>(task.y.data()), {static_cast<long>(compare::rows), 1L});
    torch::nn::Sequential net(torch::nn::Linear(static_cast<long>(compare::inputs), static_cast<long>(compare::first)), torch::nn::ReLU(),
                              torch::nn::Linear(static_cast<long>(compare::first), static_cast<long>(compare::second)), torch::nn::ReLU(),
                              torch::nn::Linear(static_cast<long>(compare::second), 1));
    torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(1e-3));
    double loss_sum = 0;
    const auto epoch = [&] {
        loss_sum = 0;
        const auto order = torch::randperm(static_cast<long>(compare::rows));
        for (std::size_t at = 0; at < compare::rows; at += compare::batch) {
            const auto which = order.narrow(0, static_cast<long>(at), static_cast<long>(compare::batch));
            const auto inputs = x.index_select(0, which), targets = y.index_select(0, which);
            adam.zero_grad();
            auto loss = torch::binary_cross_entropy_with_logits(net->forward(inputs), targets);
            loss.backward();
            adam.step();
            loss_sum += loss.item<double>();
        }
    };
    double wall = 1e300;
    const double seconds = compare::least(7, compare::thread_seconds, [&] { wall = std::min(wall, compare::least(1, compare::wall_seconds, epoch)); });
    if (threads == 1) compare::print("libtorch", "train.rows_per_second", static_cast<double>(compare::rows) / seconds);
    compare::print("libtorch", "train.wall_rows_per_second", static_cast<double>(compare::rows) / wall);
    compare::print("libtorch", "train.loss", loss_sum * static_cast<double>(compare::batch) / static_cast<double>(compare::rows));
    if (threads != 1) return 0;
    const torch::NoGradGuard no_gradients;
    net->eval();
    const auto one = x.narrow(0, 0, 1).contiguous(), many = x.narrow(0, 0, static_cast<long>(compare::batch)).contiguous();
    float sink = 0;
    const auto call = [&](const torch::Tensor& in) { sink += *torch::sigmoid(net->forward(in)).data_ptr<float>(); };
    compare::print("libtorch", "row_us", 1e6 * compare::least_of_many(50, 500, [&] { call(one); }));
    compare::print("libtorch", "batch256_us", 1e6 * compare::least_of_many(50, 20, [&] { call(many); }));
    return sink < 0 ? 1 : 0;
}
