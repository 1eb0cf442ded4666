// Linear models on a table of Telco's size (7,043 x 40) and on rows like a text's (30 of 50,000 columns, 20 classes), beside
// the time that reading the same bytes takes: an epoch of coordinate descent reads each row's values twice for each class.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include <caramel/core/random.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/linear/linear_svm.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/linear/ridge.hpp>
#include <caramel/linear/sparse_logistic.hpp>

namespace {

using namespace caramel;

struct customers {
    matrix<double> x;
    std::vector<int> y;
};
// A few numbers and many flags, as z-scores would be; a fourth of the rows are of class 1.
const customers& telco_like() {
    static const customers made = [] {
        rng random(1);
        customers out{matrix<double>(7043, 40), std::vector<int>(7043)};
        for (row_index i = 0; i < out.x.rows(); ++i) {
            double odds = -1.3;
            for (row_index j = 0; j < 40; ++j) {
                out.x(i, j) = j < 4 ? random.normal() : random.below(3) == 0 ? 1.4 : -0.7;
                if (j % 5 == 0) odds += 0.4 * out.x(i, j);
            }
            out.y[static_cast<std::size_t>(i)] = random.uniform() < 1 / (1 + std::exp(-odds)) ? 1 : 0;
        }
        return out;
    }();
    return made;
}

struct texts {
    sparse_matrix<float> x{std::size_t{50'000}};
    std::vector<int> y;
};
// Of 30 words a row, a third are of those that its class prefers; rows have length 1.
const texts& text_like() {
    static const texts made = [] {
        rng random(1);
        texts out;
        std::vector<std::int32_t> words;
        std::vector<float> values;
        for (int i = 0; i < 10'000; ++i) {
            out.y.push_back(i % 20);
            words.clear();
            while (words.size() < 30) {
                const double u = random.uniform();
                auto word = static_cast<std::int32_t>(std::pow(50'000.0, u)) - 1;  // few words are frequent
                if (words.size() % 3 == 0) word = static_cast<std::int32_t>((static_cast<std::size_t>(i % 20) * 2500 + random.below(300)) % 50'000);
                if (std::ranges::find(words, word) == words.end()) words.push_back(word);
            }
            std::ranges::sort(words);
            values.clear();
            double square = 0;
            for (const std::int32_t word : words) {
                values.push_back(static_cast<float>(1 + std::log1p(word)));
                square += static_cast<double>(values.back()) * static_cast<double>(values.back());
            }
            for (float& v : values) v = static_cast<float>(static_cast<double>(v) / std::sqrt(square));
            out.x.append_row(words, values);
        }
        return out;
    }();
    return made;
}

void logistic_fit(benchmark::State& state) {
    const auto& set = telco_like();
    for (auto _ : state) benchmark::DoNotOptimize(fit(logistic<double>{}, set.x, set.y));
}
BENCHMARK(logistic_fit)->Unit(benchmark::kMillisecond);

void logistic_l1_fit(benchmark::State& state) {
    const auto& set = telco_like();
    for (auto _ : state) benchmark::DoNotOptimize(fit(logistic<double>{.regularization = 0, .l1 = 20}, set.x, set.y));
}
BENCHMARK(logistic_l1_fit)->Unit(benchmark::kMillisecond);

void ridge_fit(benchmark::State& state) {
    const auto& set = telco_like();
    const std::vector<double> y(set.y.begin(), set.y.end());
    const ridge<double> recipe{.candidates = state.range(0) == 0 ? std::vector<double>{} : std::vector<double>{0.1, 1, 10, 100, 1000}};
    for (auto _ : state) benchmark::DoNotOptimize(fit(recipe, set.x, y));
}
BENCHMARK(ridge_fit)->ArgName("candidates")->Arg(0)->Arg(5)->Unit(benchmark::kMillisecond);

// The limit of the above: the table read once, 2.25 MB.
void telco_bytes(benchmark::State& state) {
    const auto& x = telco_like().x;
    for (auto _ : state) benchmark::DoNotOptimize(x.sum());
    state.SetBytesProcessed(state.iterations() * x.size() * static_cast<std::int64_t>(sizeof(double)));
}
BENCHMARK(telco_bytes)->Unit(benchmark::kMillisecond);

void logistic_row(benchmark::State& state) {
    const auto& set = telco_like();
    const auto model = fit(logistic<double>{}, set.x, set.y);
    workspace scratch;
    for (auto _ : state) benchmark::DoNotOptimize(model(row_of<double>(set.x, 5), scratch).data());
}
BENCHMARK(logistic_row);

template <class Recipe>
void sparse_fit(benchmark::State& state) {
    const auto& set = text_like();
    const auto threads = static_cast<std::size_t>(state.range(0));
    std::size_t epochs = 0;
    for (auto _ : state) {
        const auto model = fit(Recipe{}, set.x, set.y, {.threads = threads, .on_progress = [&](const progress& p) {
                                                            epochs = p.step;
                                                            return verdict::go_on;
                                                        }});
        benchmark::DoNotOptimize(model.coefficients().data());
    }
    state.counters["epochs"] = static_cast<double>(epochs);  // of the class that took most
}
BENCHMARK(sparse_fit<linear_svm<float>>)->ArgName("threads")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(sparse_fit<sparse_logistic<float>>)->ArgName("threads")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

// The limit of one epoch of 20 classes: values and columns read in random order of rows, twice, each with a number of 400 kB.
void sparse_epoch_bytes(benchmark::State& state) {
    const auto& x = text_like().x;
    const auto order = rng(3).permutation(static_cast<std::size_t>(x.rows()));
    std::vector<double> w(50'000, 1);
    for (auto _ : state)
        for (int k = 0; k < 2 * 20; ++k) {
            double sum = 0;
            for (const std::size_t i : order) {
                const auto row = x[i];
                for (std::size_t n = 0; n < row.columns.size(); ++n) sum += static_cast<double>(row.values[n]) * w[static_cast<std::size_t>(row.columns[n])];
            }
            benchmark::DoNotOptimize(sum);
        }
    state.SetBytesProcessed(state.iterations() * 40 * static_cast<std::int64_t>(x.values().size() * (sizeof(float) + sizeof(std::int32_t))));
}
BENCHMARK(sparse_epoch_bytes)->Unit(benchmark::kMillisecond);

void sparse_row_answer(benchmark::State& state) {
    const auto& set = text_like();
    const auto model = fit(linear_svm<float>{.tolerance = 0.1}, set.x, set.y);
    workspace scratch;
    for (auto _ : state) benchmark::DoNotOptimize(model(set.x[5], scratch).data());
}
BENCHMARK(sparse_row_answer);

}  // namespace
