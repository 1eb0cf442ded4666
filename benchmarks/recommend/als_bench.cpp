// Implicit ALS, one epoch (customers and items) of the two made sets at 128 factors: CPU seconds, exact and with three steps
// of conjugate gradients, beside the machine's multiply-adds a second in the same run. `worst_error` is the largest relative
// difference of a row from the solution in double of the same floats, over a sample, for conjugate gradients from what three
// of their steps from the same start in double give; `peak_over_budget` the peak of the
// process's memory over 16 bytes a pair and 4 n_factors a customer and item, without what the host holds.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <Eigen/Cholesky>
#include <benchmark/benchmark.h>

#include <caramel/core/products.hpp>
#include <caramel/recommend/als.hpp>

#include "interactions_ab.hpp"

namespace {

using namespace caramel;
constexpr std::size_t n_factors = 128;
constexpr als_loss loss{.regularization = .003, .unobserved_weight = .1};

double clock_seconds(clockid_t which) {
    timespec t{};
    clock_gettime(which, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
double cpu() { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }
double wall() { return clock_seconds(CLOCK_MONOTONIC); }

// Multiply-adds of floats a second, 1e9: the best of some short runs.
double multiply_adds() {
    using lane = detail::lanes<float>::type;
    constexpr std::size_t chains = 16, steps = 1'000'000;
    const lane factor = lane{} + 1.0000001F;
    double best = 0;
    for (int run = 0; run < 5; ++run) {
        const double begin = cpu();
        lane sum[chains] = {};
        for (std::size_t i = 0; i < steps; ++i)
            for (auto& s : sum) s = detail::multiply_add_lanes<float>(s, factor, factor);
        lane all{};
        for (const auto& s : sum) all = all + s;
        benchmark::DoNotOptimize(all);
        best = std::max(best, static_cast<double>(chains * steps * detail::lanes<float>::count) / (cpu() - begin) / 1e9);
    }
    return best;
}

const interactions<float>& made(std::int64_t which) {
    static std::int64_t held = -1;
    static std::unique_ptr<interactions<float>> x;
    if (held != which) {
        x.reset();
        x = std::make_unique<interactions<float>>(make_interactions<float>(which == 0 ? set_a : set_b));
        held = which;
    }
    return *x;
}
matrix<float> first_items(const interactions<float>& x) {
    rng numbers(1);
    matrix<float> out(static_cast<row_index>(x.items().size()), static_cast<row_index>(n_factors));
    for (row_index i = 0; i < out.size(); ++i) out.data()[i] = static_cast<float>(.1 / std::sqrt(double{n_factors}) * numbers.normal());
    return out;
}

// Arguments: set (0 = A, 1 = B), solver (0 = exact, 1 = conjugate gradients), threads.
void als_epoch(benchmark::State& state) {
    const auto& x = made(state.range(0));
    const detail::als_method method{.solver = state.range(1) == 0 ? als_solver::exact : als_solver::conjugate_gradient};
    const run_options how{static_cast<std::size_t>(state.range(2))};
    detail::als_training<float> training(x, loss, method, first_items(x));
    double best_cpu = std::numeric_limits<double>::infinity(), best_wall = best_cpu;
    training.epoch(how);  // from factors that mean nothing, sooner done than the others
    for (auto _ : state) {
        const double at = cpu(), begin = wall();
        training.epoch(how);
        best_cpu = std::min(best_cpu, cpu() - at);
        best_wall = std::min(best_wall, wall() - begin);
    }
    state.counters["cpu_seconds"] = best_cpu;
    state.counters["wall_seconds"] = best_wall;
    state.counters["pairs"] = static_cast<double>(x.pairs());
    state.counters["gmultiply_adds"] = multiply_adds();
}
BENCHMARK(als_epoch)->ArgNames({"set", "cg", "threads"})->ArgsProduct({{0, 1}, {0, 1}, {1, 2}})->Iterations(3)->Unit(benchmark::kSecond);

void als_errors(benchmark::State& state) {
    const auto& x = made(state.range(0));
    const auto by_item = x.by_item();
    matrix<float> items = first_items(x), customers = matrix<float>::Zero(static_cast<row_index>(x.rows()), items.cols());
    double worst = 0;
    const auto compare = [&](const matrix<float>& others, const detail::sparse_rows<float>& rows, const matrix<float>& solved) {
        const matrix<double> h = others.cast<double>();
        const Eigen::MatrixXd shared = loss.unobserved_weight * (h.transpose() * h);
        rng numbers(5);
        for (int sample = 0; sample < 300; ++sample) {
            auto row = static_cast<std::size_t>(numbers.below(rows.size()));
            for (int tries = 0; sample % 2 == 0 && tries < 50; ++tries)  // every other one a long row
                if (const auto other = static_cast<std::size_t>(numbers.below(rows.size())); rows.count(other) > rows.count(row)) row = other;
            if (rows.count(row) == 0) continue;
            Eigen::MatrixXd a = shared;
            Eigen::VectorXd b = Eigen::VectorXd::Zero(a.rows());
            for (const auto id : rows.ids_of(row)) {
                a.selfadjointView<Eigen::Lower>().rankUpdate(h.row(id).transpose());
                b += h.row(id).transpose();
            }
            a.diagonal().array() += loss.regularizer(rows.count(row), static_cast<std::size_t>(h.rows()));
            const Eigen::VectorXd expected = a.selfadjointView<Eigen::Lower>().llt().solve(b);
            worst = std::max(worst, (solved.row(static_cast<row_index>(row)).cast<double>().transpose() - expected).norm() / expected.norm());
        }
    };
    for (auto _ : state)
        for (int epoch = 0; epoch < 3; ++epoch) {
            detail::als_side<float>(loss, items, run_options{2}).half_step(x.by_customer(), customers, run_options{2});
            compare(items, x.by_customer(), customers);
            detail::als_side<float>(loss, customers, run_options{2}).half_step(by_item.view(), items, run_options{2});
            compare(customers, by_item.view(), items);
        }
    state.counters["worst_error"] = worst;
}
BENCHMARK(als_errors)->ArgNames({"set"})->Args({0})->Args({1})->Iterations(1)->Unit(benchmark::kSecond);

// Rows as training solves them with conjugate gradients, beside the same three steps in double; short rows, which training
// solves exactly, beside the solution.
void als_step_errors(benchmark::State& state) {
    const auto& x = made(state.range(0));
    const auto by_item = x.by_item();
    const run_options how{2};
    matrix<float> items = first_items(x), customers = matrix<float>::Zero(static_cast<row_index>(x.rows()), items.cols());
    double worst_steps = 0, worst_exact = 0;
    std::size_t by_steps = 0;
    // `others` are in the basis in which their Gramian is diagonal, as start and solution are.
    const auto compare = [&](const matrix<float>& others, const detail::sparse_rows<float>& rows, const matrix<float>& start, const matrix<float>& solved,
                             bool exact) {
        vec<double> shared = vec<double>::Zero(others.cols());
        for (row_index i = 0; i < others.rows(); ++i) shared += loss.unobserved_weight * others.row(i).cast<double>().cwiseAbs2().transpose();
        rng numbers(5);
        for (int sample = 0; sample < 1000; ++sample) {
            auto row = static_cast<std::size_t>(numbers.below(rows.size()));
            for (int tries = 0; sample % 2 == 0 && tries < 50; ++tries)  // every other one a long row
                if (const auto other = static_cast<std::size_t>(numbers.below(rows.size())); rows.count(other) > rows.count(row)) row = other;
            if (rows.count(row) == 0) continue;
            Eigen::MatrixXd h(static_cast<row_index>(rows.count(row)), others.cols());
            for (std::size_t k = 0; k < rows.count(row); ++k) h.row(static_cast<row_index>(k)) = others.row(rows.ids_of(row)[k]).cast<double>();
            const vec<double> d = shared.array() + loss.regularizer(rows.count(row), static_cast<std::size_t>(others.rows()));
            const vec<double> b = h.colwise().sum().transpose();
            vec<double> at = start.row(static_cast<row_index>(row)).cast<double>().transpose();
            if (exact) {
                Eigen::MatrixXd a = h.transpose() * h;
                a.diagonal() += d;
                at = a.llt().solve(b);
            } else {
                const auto times = [&](const vec<double>& p) -> vec<double> { return d.cwiseProduct(p) + h.transpose() * (h * p); };
                const vec<double> diagonal = d + h.cwiseAbs2().colwise().sum().transpose();
                // Where nothing has the lower loss, and looks so by the diagonal alone.
                if (2 * at.dot(b - times(at)) + at.dot(diagonal.cwiseProduct(at)) < 0 && at.dot(2 * b - times(at)) < 0) at.setZero();
                vec<double> left = b - times(at), direction = left.cwiseQuotient(diagonal);
                double size = left.dot(direction);
                for (int step = 0; step < 3 && size > 0; ++step) {
                    const vec<double> product = times(direction);
                    const double length = size / direction.dot(product);
                    at += length * direction;
                    left -= length * product;
                    const vec<double> better = left.cwiseQuotient(diagonal);
                    const double next = left.dot(better);
                    direction = better + next / size * direction;
                    size = next;
                }
                ++by_steps;
            }
            double& worst = exact ? worst_exact : worst_steps;
            worst = std::max(worst, (solved.row(static_cast<row_index>(row)).cast<double>().transpose() - at).norm() / at.norm());
        }
    };
    const detail::als_method method{.solver = als_solver::conjugate_gradient, .turn_in = false};
    const auto solve = [&](const detail::als_side<float>& side, const matrix<float>& others, const detail::sparse_rows<float>& rows, matrix<float>& out) {
        const matrix<float> start = out;
        const auto how_solved = detail::als_method_for(method, rows, n_factors);
        side.half_step(rows, out, how, how_solved);
        compare(others, rows, start, out, how_solved.solver == als_solver::exact);
    };
    for (auto _ : state)
        for (int epoch = 0; epoch < 3; ++epoch) {
            const detail::als_side<float> side(loss, &items, how);
            if (epoch > 0) side.turn_in(customers, how);
            solve(side, items, x.by_customer(), customers);
            const detail::als_side<float> other(loss, &customers, how);
            other.turn_in(items, how);
            solve(other, customers, by_item.view(), items);
        }
    state.counters["worst_error"] = std::max(worst_steps, worst_exact);
    state.counters["worst_of_steps"] = worst_steps;
    state.counters["by_steps"] = static_cast<double>(by_steps);
}
BENCHMARK(als_step_errors)->ArgNames({"set"})->Args({0})->Args({1})->Iterations(1)->Unit(benchmark::kSecond);

// In a process of its own, the peak counts from here alone: run it with --benchmark_filter.
std::size_t status_bytes(const std::string& name) {
    std::ifstream file("/proc/self/status");
    for (std::string word; file >> word;)
        if (word == name) {
            std::size_t kilobytes = 0;
            file >> kilobytes;
            return 1024 * kilobytes;
        }
    return 0;
}
void als_memory(benchmark::State& state) {
    const auto& x = made(state.range(0));
    const std::size_t ids = 8 * (x.rows() + x.items().size());
    std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins here
    const std::size_t before = status_bytes("VmRSS:");
    for (auto _ : state) {
        const auto model = fit(als<float>{.n_factors = n_factors, .regularization = loss.regularization, .epochs = 1}, x);
        benchmark::DoNotOptimize(model.item_factors().data());
    }
    const double budget = 16.0 * static_cast<double>(x.pairs()) + 4.0 * n_factors * static_cast<double>(x.rows() + x.items().size());
    state.counters["peak_over_budget"] = static_cast<double>(status_bytes("VmHWM:") - before - ids) / budget;
}
BENCHMARK(als_memory)->ArgNames({"set"})->Args({0})->Args({1})->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
