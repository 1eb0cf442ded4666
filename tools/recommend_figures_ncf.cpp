// Implicit ALS on the leave-one-out protocol of He et al. (WWW 2017): each customer's held-out item among 99 that the customer
// never took, HR@10 and NDCG@10.
//
//   recommend_figures_ncf DATA [--threads N]
//
// DATA holds ml-1m.train.rating (customer, item, rating, time) and ml-1m.test.negative ("(customer,item)" and 99 items), tab
// separated. Loss and epochs are chosen on the customers' latest items of the training data alone, each among 99 others drawn
// at random; the test file is read once, for the model that was chosen. An item with the score of the one held out counts as
// better. Lines that begin with `result` are for scripts.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <caramel/core/error.hpp>
#include <caramel/core/parallel.hpp>
#include <caramel/core/random.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>

using namespace caramel;

namespace {

struct entry {
    std::int64_t customer, item, seconds;
};
struct asked {
    std::int64_t customer;
    std::vector<std::int64_t> items;  // the first is the one held out
};
struct figures {
    double hit_rate = 0, ndcg = 0;
};

// The integers of a line, whatever stands between them.
std::vector<std::int64_t> numbers_of(std::string_view line) {
    std::vector<std::int64_t> out;
    const char* at = line.data();
    const char* const end = at + line.size();
    while (at < end) {
        std::int64_t value = 0;
        const auto read = std::from_chars(at, end, value);
        if (read.ec == std::errc{}) out.push_back(value);
        at = read.ec == std::errc{} ? read.ptr : at + 1;
    }
    return out;
}
template <class Take>
void each_line(const std::filesystem::path& path, std::size_t at_least, const Take& take) {
    std::ifstream file(path, std::ios::binary);
    require(file.good(), errc::io, "cannot read ", path.string());
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
        const auto numbers = numbers_of(line);
        ++number;
        require(numbers.size() >= at_least, errc::bad_data, path.string(), ": line ", number, " has ", numbers.size(), " numbers, at least ", at_least,
                " expected");
        take(numbers);
    }
}

figures judge(const als_model<float>& model, const std::vector<asked>& questions, const run_options& how) {
    std::vector<figures> each(questions.size());
    parallel_for(questions.size(), how, [&](std::size_t i) {
        const auto& q = questions[i];
        std::vector<any_id> known;
        std::vector<std::int64_t> distinct = q.items;
        std::ranges::sort(distinct.begin() + 1, distinct.end());
        distinct.erase(std::unique(distinct.begin() + 1, distinct.end()), distinct.end());
        for (const auto item : distinct)
            if (model.items().find(item)) known.emplace_back(item);
        // Items that nobody took in training score 0.
        const bool held_out_known = model.items().find(distinct[0]).has_value();
        const auto scores = model.score(q.customer, known);
        const float own = held_out_known ? scores[0] : 0.0F;
        std::size_t rank = 0;
        for (std::size_t k = held_out_known ? 1 : 0; k < scores.size(); ++k) rank += scores[k] >= own;
        if (own <= 0) rank += distinct.size() - known.size() - (held_out_known ? 0 : 1);
        if (rank < 10) each[i] = {1, 1 / std::log2(static_cast<double>(rank) + 2)};
    });
    figures mean;
    for (const auto& one : each) {
        mean.hit_rate += one.hit_rate / static_cast<double>(each.size());
        mean.ndcg += one.ndcg / static_cast<double>(each.size());
    }
    return mean;
}

void run(const std::filesystem::path& data, std::size_t threads) {
    std::vector<entry> all;
    each_line(data / "ml-1m.train.rating", 4, [&](const auto& n) { all.push_back({n[0], n[1], n[3]}); });
    const auto train = interactions<float>::of(all, {.on_duplicates = duplicates::max});

    // The latest of each customer with more than one, ties to the later line.
    std::vector<std::size_t> latest(train.rows(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto& best = latest[train.customers().row_of(all[i].customer)];
        if (best == all.size() || all[i].seconds >= all[best].seconds) best = i;
    }
    std::vector<entry> earlier;
    std::vector<asked> validation;
    rng draw = rng(0).split("ncf validation");
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto row = train.customers().row_of(all[i].customer);
        if (latest[row] != i || train[row].size() < 2) {
            earlier.push_back(all[i]);
            continue;
        }
        asked one{all[i].customer, {all[i].item}};
        while (one.items.size() < 100 && one.items.size() + train[row].size() < train.items().size()) {
            const auto item = static_cast<std::int32_t>(draw.below(train.items().size()));
            if (!train.contains(row, item)) one.items.push_back(train.items().number(static_cast<std::size_t>(item)));
        }
        validation.push_back(std::move(one));
    }
    const auto learn = interactions<float>::of(earlier, {.on_duplicates = duplicates::max, .customers = &train.customers(), .items = &train.items()});

    als<float> best;
    figures best_figures{-1, -1};
    for (const double unobserved : {.1, .3, 1.0})
        for (const double regularization : {.001, .003, .007, .015}) {
            als<float> recipe{.n_factors = 192, .regularization = regularization, .unobserved_weight = unobserved, .weights = weighting::ones, .epochs = 4};
            for (std::size_t epochs = 4; epochs <= 16; epochs += 4) {
                auto model = fit(recipe, learn, {.threads = threads});
                const auto found = judge(model, validation, run_options{threads});
                std::printf("validation: unobserved_weight %g, regularization %g, epochs %zu: hr@10 %.4f, ndcg@10 %.4f\n", unobserved, regularization, epochs,
                            found.hit_rate, found.ndcg);
                std::fflush(stdout);
                if (found.ndcg > best_figures.ndcg) {
                    best_figures = found;
                    best = recipe;
                    best.epochs = epochs;
                    best.start = {};
                }
                recipe.start = std::move(model);  // goes on from here
            }
        }
    const auto model = fit(best, train, {.threads = threads});
    std::vector<asked> test;
    each_line(data / "ml-1m.test.negative", 3, [&](const auto& n) { test.push_back({n[0], {n.begin() + 1, n.end()}}); });
    std::erase_if(test, [&](const asked& one) { return !model.customers().find(one.customer); });
    const auto found = judge(model, test, run_options{threads});
    std::printf("chosen: unobserved_weight %g, regularization %g, epochs %zu\n", best.unobserved_weight, best.regularization, best.epochs);
    std::printf("result ncf.als.hr@10 %.4f\nresult ncf.als.ndcg@10 %.4f\n", found.hit_rate, found.ndcg);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Implicit ALS on the leave-one-out protocol"};
    std::string data;
    std::size_t threads = 0;
    app.add_option("data", data, "folder with ml-1m.train.rating and ml-1m.test.negative")->required();
    app.add_option("--threads", threads, "0 = as many as the machine has");
    CLI11_PARSE(app, argc, argv);
    try {
        run(data, threads);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "recommend_figures_ncf: %s\n", e.what());
        return 1;
    }
    return 0;
}
