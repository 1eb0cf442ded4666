// The inner loops of training: a step of an optimizer over the weights of a 64-256-128-1 network, and activations.
#include <cstddef>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/nn/activation.hpp>
#include <caramel/nn/optimizer.hpp>

namespace {

using namespace caramel;

void optimizer_step(benchmark::State& state) {
    std::vector<float> weights(49'665, 0.1F), gradient(49'665, 0.01F);
    optimizer<float> steps({.rule = static_cast<update_rule>(state.range(0))});
    for (auto _ : state) {
        steps.step([&](const auto& f) { f(parameter_block<float>{.values = weights, .gradient = gradient, .regularized = true}); });
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * 49'665);
}
BENCHMARK(optimizer_step)->ArgName("rule")->Arg(static_cast<int>(update_rule::adam))->Arg(static_cast<int>(update_rule::sgd));

void activation_values(benchmark::State& state) {
    std::vector<float> x(65'536), y;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 1000) / 250 - 2;
    for (auto _ : state) {
        y = x;
        detail::activate(static_cast<activation_function>(state.range(0)), std::span(y));
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * 65'536);
}
BENCHMARK(activation_values)->ArgName("function")->DenseRange(0, static_cast<int>(activation_function::silu));

}  // namespace
