#include <caramel/text/word2vec.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <caramel/text/tokenizer.hpp>

#include "support/catch.hpp"
#include "support/statistics.hpp"

using namespace caramel;

namespace {

// Ten groups of four words that stand among the same six others, and never beside each other. Ids 1 .. 40 and 41 .. 100.
constexpr std::size_t groups = 10, members = 4, around = 6;
token_ids planted(std::size_t texts, std::uint64_t seed) {
    rng random(seed);
    token_ids out;
    out.vocabulary_size = 1 + groups * (members + around);
    for (std::size_t i = 0; i < texts; ++i) {
        const std::size_t group = random.below(groups);
        const auto other = [&] { out.push_back(static_cast<token_id>(1 + groups * members + group * around + random.below(around))); };
        for (int k = 0; k < 3; ++k) other();
        out.push_back(static_cast<token_id>(1 + group * members + random.below(members)));
        for (int k = 0; k < 3; ++k) other();
        out.close_row();
    }
    return out;
}
// How many of the 40 words have a word of their own group as their nearest among the 40.
template <class T>
double found(const embedding_table<T>& table) {
    double hits = 0;
    for (std::size_t w = 0; w < groups * members; ++w) {
        double best = -2;
        std::size_t close = 0;
        for (std::size_t v = 0; v < groups * members; ++v)
            if (const double c = detail::cosine_of(table[1 + w], table[1 + v]); v != w && c > best) {
                best = c;
                close = v;
            }
        hits += close / members == w / members;
    }
    return hits / (groups * members);
}
template <class T>
word2vec<T> small() {
    return {.dim = 20, .epochs = 10, .min_count = 1, .subsample = 0, .learning_rate = 0.05};
}
template <class T>
bool same_bits(const embedding_table<T>& a, const embedding_table<T>& b) {
    return std::ranges::equal(a.flat(), b.flat());
}

template <class T>
struct step_data {
    std::size_t n, stride;
    std::vector<T> rows, slopes;
    std::vector<T*> inputs, outputs;
    T wanted[8] = {1}, rates[8] = {1, 1, 0, .5, 1, 1};

    step_data(std::size_t inputs_n, std::size_t dim, std::uint64_t seed)
        : n(inputs_n), stride((dim + detail::step_width<T> - 1) / detail::step_width<T> * detail::step_width<T>) {
        rng random(seed);
        rows.resize((n + 6) * stride);
        slopes.resize((n + 1) * 8);
        for (std::size_t r = 0; r < n + 6; ++r) {
            for (std::size_t j = 0; j < dim; ++j) rows[r * stride + j] = static_cast<T>(.5 * random.normal());
            (r < n ? inputs : outputs).push_back(rows.data() + r * stride);
        }
    }
    step_data(const step_data&) = delete;
    [[nodiscard]] double loss() const {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t o = 0; o < 6; ++o) {
                double s = 0;
                for (std::size_t j = 0; j < stride; ++j) s += static_cast<double>(inputs[i][j]) * static_cast<double>(outputs[o][j]);
                sum += static_cast<double>(rates[o]) * std::log1p(std::exp(wanted[o] > 0 ? -s : s));
            }
        return sum;
    }
    void step() { detail::negative_sampling_step(inputs.data(), n, outputs.data(), wanted, rates, stride, slopes.data()); }
};

}  // namespace

TEST_CASE("word2vec: a step is the gradient of the negative sampling loss", "[word2vec]") {
    for (const std::size_t n : {1U, 2U, 5U}) {
        step_data<double> at(n, 11, n), moved(n, 11, n);
        moved.step();
        for (std::size_t k = 0; k < at.rows.size(); ++k) {
            const double x = at.rows[k], h = 1e-6;
            at.rows[k] = x + h;
            const double above = at.loss();
            at.rows[k] = x - h;
            const double below = at.loss();
            at.rows[k] = x;
            CHECK(x - moved.rows[k] == Approx((above - below) / (2 * h)).margin(1e-8));
        }
    }
}
TEST_CASE("word2vec: the step in float is that in double; the same bits for every width of registers", "[word2vec]") {
    step_data<float> a(7, 40, 3), b(7, 40, 3);
    step_data<double> exact(7, 40, 3);
    a.step();
    exact.step();
    for (std::size_t r = 0; r < 13; ++r)
        for (std::size_t j = 0; j < 40; ++j)
            CHECK(static_cast<double>(a.rows[r * a.stride + j]) == Approx(exact.rows[r * exact.stride + j]).margin(3e-6));
    detail::fastest_negative_sampling_step<float>()(b.inputs.data(), 7, b.outputs.data(), b.wanted, b.rates, b.stride, b.slopes.data());
    CHECK(a.rows == b.rows);
    for (double x = -20; x < 20; x += .01) {
        float y = static_cast<float>(x);
        detail::rational_sigmoid(y, 0.F);
        CHECK(std::abs(static_cast<double>(y) - 1 / (1 + std::exp(-x))) < 6e-7);
    }
}
TEST_CASE("word2vec: words are drawn by their weights", "[word2vec]") {
    const std::vector<double> weights{1, 5, 0.25, 3, 0.75};
    const detail::alias_sampler sampler(weights);
    rng random(2);
    std::vector<double> drawn(5);
    constexpr int n = 200'000;
    for (int i = 0; i < n; ++i) ++drawn[sampler(random)];
    for (std::size_t i = 0; i < 5; ++i) CHECK(drawn[i] / n == Approx(weights[i] / 10).margin(4e-3));
    const detail::alias_sampler one(std::vector<double>{3});
    CHECK(one(random) == 0);
    // Tables of every size, with weights that are far apart and some of 0.
    for (std::size_t size = 1; size <= 60; ++size) {
        std::vector<double> shares(size);
        for (std::size_t i = 0; i < size; ++i) shares[i] = i > 0 && random.below(4) == 0 ? 0 : std::exp(2 * random.normal());
        const detail::alias_sampler table(shares);
        std::vector<int> counts(size);
        for (int i = 0; i < 5000; ++i) ++counts[table(random)];
        std::vector<double> expected(1);
        std::vector<int> seen(1);  // what is rarely drawn is counted together
        for (std::size_t i = 0; i < size; ++i) {
            if (shares[i] == 0) CHECK(counts[i] == 0);
            const bool rare = shares[i] * 5000 < 20 * std::accumulate(shares.begin(), shares.end(), 0.0);
            if (!rare) expected.push_back(0), seen.push_back(0);
            (rare ? expected.front() : expected.back()) += shares[i];
            (rare ? seen.front() : seen.back()) += counts[i];
        }
        if (expected.front() * 5000 < 5 * std::accumulate(shares.begin(), shares.end(), 0.0)) {
            expected.erase(expected.begin());
            seen.erase(seen.begin());
        }
        if (seen.size() > 1) CHECK(chi_square(seen, expected) < chi_square_bound(static_cast<double>(seen.size() - 1)));
    }
}

TEMPLATE_TEST_CASE("word2vec: words that share their contexts become neighbours", "[word2vec]", float, double) {
    const auto tokens = planted(800, 1);
    auto recipe = small<TestType>();
    std::vector<double> losses;
    const auto model = fit(recipe, tokens, {.on_progress = [&](const caramel::progress& p) {
                               losses.push_back(p.loss);
                               return verdict::go_on;
                           }});
    CHECK(found(model.table()) > .9);  // by chance: 3 / 39
    REQUIRE(losses.size() == 10);
    CHECK(losses.back() < .8 * losses.front());
    CHECK(losses.front() < 6 * std::log(2.) + .1);
    if (sizeof(TestType) == 8) return;
    recipe.mode = word2vec_mode::cbow;
    recipe.epochs = 20;
    CHECK(found(fit(recipe, tokens).table()) > .9);
    recipe.mode = word2vec_mode::skip_gram;
    recipe.epochs = 10;
    for (const std::size_t negatives : {1U, 7U, 20U}) {
        recipe.negatives = negatives;
        CHECK(found(fit(recipe, tokens).table()) > .8);
    }
}

TEST_CASE("word2vec: the same bits for any number of threads, others for another seed", "[word2vec]") {
    const auto tokens = planted(600, 2);
    for (const auto mode : {word2vec_mode::skip_gram, word2vec_mode::cbow}) {
        auto recipe = small<float>();
        recipe.mode = mode;
        recipe.epochs = 3;
        const auto one = fit(recipe, tokens, {.seed = 5});
        for (const std::size_t threads : {2U, 3U, 4U, 8U}) CHECK(same_bits(fit(recipe, tokens, {.seed = 5, .threads = threads}).table(), one.table()));
        const executor backwards = [](std::size_t tasks, const callback<void(std::size_t)>& task) {
            while (tasks-- > 0) task(tasks);
        };
        CHECK(same_bits(fit(recipe, tokens, {.seed = 5, .run = backwards}).table(), one.table()));
        CHECK_FALSE(same_bits(fit(recipe, tokens, {.seed = 6}).table(), one.table()));
    }
}

TEST_CASE("word2vec: rare words, unknown words and padding are left out", "[word2vec]") {
    token_ids tokens = planted(200, 3);
    tokens.append_row(std::vector<token_id>{0, 0, 1, 0, 0, 0, 0, 0});
    tokens.vocabulary_size += 2;
    const auto last = static_cast<token_id>(tokens.vocabulary_size - 1);
    tokens.append_row(std::vector<token_id>{last, last, 5});
    auto recipe = small<float>();
    recipe.min_count = 3;
    const auto zero = [](std::span<const float> row) { return std::ranges::all_of(row, [](float x) { return x == 0; }); };
    const auto model = fit(recipe, tokens);
    CHECK(zero(model.table()[0]));
    CHECK(zero(model.table()[static_cast<std::size_t>(last)]));
    CHECK_FALSE(zero(model.table()[1]));
    recipe.skip_unknown = false;
    CHECK_FALSE(zero(fit(recipe, tokens).table()[0]));
}

TEST_CASE("word2vec: long texts, one word, one text", "[word2vec][edge]") {
    auto recipe = small<float>();
    recipe.epochs = 1;
    token_ids tokens;
    tokens.vocabulary_size = 3;
    for (int i = 0; i < 2500; ++i) tokens.push_back(1 + i % 2);
    tokens.close_row();
    CHECK(fit(recipe, tokens).table().size() == 3);
    token_ids one;
    one.vocabulary_size = 2;
    one.append_row(std::vector<token_id>{1});
    CHECK(fit(recipe, one).table().size() == 2);
    one.append_row(std::vector<token_id>{1, 1, 1});
    one.append_row(std::vector<token_id>{});
    CHECK(fit(recipe, one).table().size() == 2);
}

TEST_CASE("word2vec: stopping keeps what was learnt; what is refused", "[word2vec][error]") {
    const auto tokens = planted(300, 4);
    auto recipe = small<float>();
    std::size_t reports = 0;
    const auto stopped = fit(recipe, tokens, {.on_progress = [&](const caramel::progress& p) {
                                 CHECK(p.stage == "word2vec");
                                 CHECK(p.steps == 10);
                                 return ++reports == 2 ? verdict::stop : verdict::go_on;
                             }});
    CHECK(reports == 2);
    CHECK(stopped.table().size() == tokens.vocabulary_size);
    const auto code = [&](word2vec<float> r) { return error_of([&] { (void)fit(r, tokens); }).code(); };
    CHECK(code({.dim = 0}) == errc::bad_parameter);
    CHECK(code({.window = 0}) == errc::bad_parameter);
    CHECK(code({.window = 65}) == errc::bad_parameter);
    CHECK(code({.negatives = 0}) == errc::bad_parameter);
    CHECK(code({.epochs = 0}) == errc::bad_parameter);
    CHECK(code({.min_count = 0}) == errc::bad_parameter);
    CHECK(code({.subsample = -1}) == errc::bad_parameter);
    CHECK(code({.learning_rate = 0}) == errc::bad_parameter);
    CHECK(code({.final_rate = 1}) == errc::bad_parameter);
    CHECK(code({.negative_power = 2}) == errc::bad_parameter);
    CHECK(code({.min_count = 1'000'000}) == errc::bad_data);
    CHECK(code({.dim = 20, .min_count = 1, .learning_rate = 1e30}) == errc::diverged);
    CHECK(error_of([&] { (void)fit(recipe, token_ids{}); }).code() == errc::empty_input);
    token_ids wrong = tokens;
    wrong.append_row(std::vector<token_id>{1, 1000});
    const error e = error_of([&] { (void)fit(recipe, wrong); });
    CHECK(e.code() == errc::unknown_id);
    CHECK(e.where().row == 301);
}

TEST_CASE("word2vec: behind a tokenizer, before a pool", "[word2vec]") {
    const std::vector<std::string> texts{"the tea is hot", "the coffee is hot", "a cup of tea", "a cup of coffee"};
    const auto chain = fit(word_tokenizer{} | word2vec<float>{.dim = 4, .epochs = 2, .min_count = 1}, texts);
    CHECK(chain(texts).size() == 4);
    CHECK(chain.get<1>().table().size() == chain.get<0>().words().size());
}
