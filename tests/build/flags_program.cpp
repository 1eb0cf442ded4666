// Some components end to end, for flags.sh: prints a checksum of what each comes to, which no flag may change.
#ifdef EVERY_HEADER
#include "every_header.hpp"
#endif

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include <caramel/data/csv.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/policy/q_learning.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/text/bpe.hpp>

using namespace caramel;

namespace {

int failures = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): of this program alone

void report(const char* what, bool good, const std::vector<std::byte>& saved) {
    detail::crc32 sum;
    sum.append(saved);
    std::printf("%s %s%s\n", what, sum.digits().c_str(), good ? "" : " WRONG");
    failures += good ? 0 : 1;
}
template <class Problem>
bool refuses(errc code, const Problem& problem) {
    try {
        problem();
    } catch (const error& e) {
        return e.code() == code;
    }
    return false;
}
template <class Model, class In>
bool same_after_loading(const Model& model, const In& x, const std::vector<std::byte>& saved) {
    return load<Model>(std::span<const std::byte>(saved))(x) == model(x);
}

void tables() {
    std::string text = "tenure,spend,contract\n";
    for (int i = 0; i < 60; ++i)
        text += std::to_string(i % 7) + ',' + (i % 5 == 0 ? std::string() : std::to_string(i * 37 % 100) + ".25") + ',' + (i % 3 == 0 ? "month" : "\xC3\xA4nnual") + '\n';
    std::istringstream in(text);
    const table x = read_csv(in);
    std::vector<int> y;
    for (int i = 0; i < 60; ++i) y.push_back(i % 3 == 0 || i % 7 > 4 ? 1 : 0);
    const auto model = fit(impute{} | encode<double>{} | standardize<double>{} | logistic<double>{}, x, y);
    std::vector<std::byte> saved = to_bytes(model);
    bool good = same_after_loading(model, x, saved);
    good = good && refuses(errc::missing_column, [&] { (void)model(x.take_columns(std::vector<std::string>{"tenure", "contract"})); });
    good = good && refuses(errc::shape_mismatch, [] { (void)standardize_model<double>(vec<double>::Zero(2), vec<double>::Ones(2))(matrix<double>::Zero(1, 3)); });
    saved.pop_back();
    good = good && refuses(errc::offset_out_of_range, [&] { (void)load<std::remove_const_t<decltype(model)>>(std::span<const std::byte>(saved)); });
    report("tables", good, to_bytes(model));
}
void networks() {
    matrix<float> x(40, 3);
    rng numbers(1);
    std::vector<int> y;
    for (row_index i = 0; i < x.rows(); ++i) {
        for (row_index j = 0; j < x.cols(); ++j) x(i, j) = static_cast<float>(numbers.normal());
        y.push_back(x(i, 0) > 0 ? 1 : 0);
    }
    const auto model = fit(mlp<float>{.hidden = {6}, .epochs = 4, .batch_size = 8}, x, y, {.seed = 2, .threads = 2});
    const auto saved = to_bytes(model);
    x(3, 1) = -std::numeric_limits<float>::quiet_NaN();
    const bool good = refuses(errc::nan_or_inf, [&] { (void)model(x); });
    report("networks", good, saved);
}
void recommendations() {
    struct sale {
        int customer, item;
    };
    std::vector<sale> log;
    for (int c = 0; c < 30; ++c)
        for (int i = 0; i < 12; ++i)
            if ((c * 7 + i * 5) % 11 < 3) log.push_back({c, i});
    const auto bought = interactions<float>::of(log);
    const auto model = fit(als<float>{.n_factors = 4, .epochs = 3}, bought, {.seed = 3, .threads = 3});
    const auto saved = to_bytes(model);
    const std::vector<query> asked{{.customer = 3, .n = 4}};
    report("recommendations", same_after_loading(model, asked, saved) && refuses(errc::unknown_id, [&] { (void)model(std::vector<query>{{.customer = 99}}); }), saved);
}
void decisions() {
    std::vector<transition<1>> log;
    for (std::size_t i = 0; i < 50; ++i) log.push_back({.state = {i % 4}, .action = i % 2, .reward = static_cast<double>(i % 3), .next_state = {(i + 1) % 4}, .terminal = i % 9 == 0});
    const auto policy = fit(q_learning<double, 1>{.states = {4}, .actions = 2, .sweeps = 5}, log);
    report("decisions", refuses(errc::unknown_id, [&] { (void)policy(decision<1>{.state = {4}}); }), to_bytes(policy));
}
void texts() {
    const std::vector<std::string> said{"where is my order", "cancel my order", "\xE8\xAE\xA2\xE5\x8D\x95 order", ""};
    const auto model = fit(bpe{.vocabulary_size = 270}, said);
    report("texts", refuses(errc::bad_parameter, [&] { (void)fit(bpe{.vocabulary_size = 3}, said); }) && !model(said)[0].empty(), to_bytes(model));
}

}  // namespace

int main() {
    tables();
    networks();
    recommendations();
    decisions();
    texts();
    return failures;
}
