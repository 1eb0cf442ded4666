// Saved files of format 1 (docs/format.md). The contract keeps a file of each component (contract/kept_files.hpp); here are those
// that are no components, what holds for every file, and that no kind of model is without one.
#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <caramel/evaluate/monitored.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/nn/activation.hpp>
#include <caramel/nn/network.hpp>
#include <caramel/nn/probabilities.hpp>
#include <caramel/policy/bandit.hpp>
#include <caramel/policy/linear_bandit.hpp>
#include <caramel/text/chinese.hpp>
#include <caramel/text/nb_ratios.hpp>
#include <caramel/text/word_vectors.hpp>

#include "contract/kept_files.hpp"
#include "io/io_support.hpp"
#include "support/catch.hpp"

namespace format_test {

using namespace caramel;

// The bits of a number, of a matrix with its sides, of a list of either.
template <class T>
std::string bits_of(const T& value) {
    if constexpr (std::is_arithmetic_v<T>) {
        return {reinterpret_cast<const char*>(&value), sizeof value};
    } else if constexpr (requires { value.rows(); }) {
        std::string out = bits_of(value.rows()) + bits_of(value.cols());
        for (row_index i = 0; i < value.rows(); ++i)
            for (row_index j = 0; j < value.cols(); ++j) out += bits_of(value(i, j));
        return out;
    } else {
        std::string out;
        for (const auto& part : value) out += bits_of(part);
        return out + bits_of(std::size_t{7});
    }
}
template <class Model, class AnswersOf>
void check_kept(std::string_view name, const Model& model, const AnswersOf& answers_of) {
    INFO(name);
    const auto bytes = to_bytes(model);
    const std::string file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    CHECK(contract::problem_of_golden_bits(name, file) == "");
    CHECK(contract::problem_of_kept_file(name, file, [&](std::string_view kept) { return answers_of(load<Model>(std::as_bytes(std::span(kept)))); }) == "");
}
std::string bits_of_choice(const choice& c) { return bits_of(c.action) + bits_of(c.propensity) + bits_of(c.value); }

template <class Rule>
void check_bandit(const Rule& rule) {
    bandit<Rule> arms(3, rule);
    for (std::size_t i = 0; i < 12; ++i) arms.learn(i % 3, i % (i % 3 + 2) == 0 ? 1 : 0);
    check_kept("bandit, " + std::string(Rule::kind), arms, [](const auto& b) {
        rng numbers(3);
        return bits_of_choice(b.decide(numbers)) + bits_of(b.propensities());
    });
}
template <class Rule>
void check_linear_bandit(const Rule& rule) {
    linear_bandit<Rule> actions(2, 2, rule);
    const std::vector<double> context{1, -.5}, other{.25, 2};
    for (int i = 0; i < 5; ++i) {
        actions.learn(context, 0, i % 2);
        actions.learn(other, 1, 1);
    }
    check_kept("bandit, " + std::string(Rule::kind), actions, [&](const auto& b) {
        rng numbers(3);
        return bits_of_choice(b.decide(numbers, context)) + bits_of(b.propensities(other));
    });
}
table two_columns() {
    table out;
    out.add_column("n", std::vector<double>{1, 2, 4, 8});
    out.add_column("c", std::vector<std::string>{"a", "b", "a", "a"});
    return out;
}
std::string content_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
std::vector<std::filesystem::path> kept_files() {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::directory_iterator(contract::kept_folder() / "format-1"))
        if (entry.path().extension() == ".safetensors") out.push_back(entry.path());
    std::sort(out.begin(), out.end());
    return out;
}
// The file with another format, further metadata or a further tensor, and a checksum that fits.
struct changes {
    std::string format = "1";
    bool metadata = false, tensor = false;
};
std::vector<std::byte> changed(const std::string& file, const changes& how) {
    const auto parsed = parse_safetensors(as_bytes_of(file));
    safetensors_writer out;
    for (const auto& [key, value] : parsed.metadata())
        out.add_metadata(key, key == "caramel.format" ? how.format : key == "caramel.checksum" ? std::string(detail::no_checksum) : value);
    if (how.metadata) out.add_metadata("caramel.later", "what a later version says about a model");
    for (std::size_t i = 0; i < parsed.size(); ++i) {
        const tensor_view t = parsed[i];
        std::vector<std::uint64_t> shape;
        for (std::size_t d = 0; d < t.shape.size(); ++d) shape.push_back(t.shape[d]);
        out.add(std::string(t.name), t.type, shape, {t.bytes.begin(), t.bytes.end()});
    }
    if (how.tensor) out.add<float>("0.standardize.later", {}, std::vector<float>{1});
    auto bytes = out.finish();
    const auto at = detail::checksum_place(bytes).value();
    const std::string digits = detail::checksum_of(bytes, at);
    std::copy_n(reinterpret_cast<const std::byte*>(digits.data()), digits.size(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    return bytes;
}

// The names of kinds in a file: in its metadata, in its keys (`position.kind.field`), in lists of layers.
std::set<std::string> kind_names(const std::string& file) {
    std::set<std::string> out;
    const auto parsed = parse_safetensors(as_bytes_of(file));
    const auto add_words = [&](std::string_view text) {
        std::string word;
        for (const char c : std::string(text) + '.') {
            const bool inside = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
            if (inside) word += c;
            else if (!word.empty()) out.insert(std::exchange(word, {}));
        }
    };
    add_words(parsed.metadata("caramel.kinds"));
    field_reader fields(parsed);
    for (std::size_t i = 0; i < parsed.size(); ++i) {
        const std::string name(parsed[i].name), list = ".layers.bytes";
        add_words(name);
        if (name.ends_with(list))
            for (const auto& layer : detail::load_strings(name.substr(0, name.size() - std::string_view(".bytes").size()), fields)) out.insert(layer);
    }
    return out;
}

TEST_CASE("format 1: files of bandits", "[format][io]") {
    check_bandit(epsilon_greedy_rule{});
    check_bandit(ucb1{});
    check_bandit(kl_ucb{});
    check_bandit(thompson_bernoulli{});
    check_bandit(thompson_gaussian{});
    check_linear_bandit(linucb{});
    check_linear_bandit(linear_thompson{});
}
TEST_CASE("format 1: files of what is no component of the contract", "[format][io]") {
    const table data = two_columns();
    check_kept("drift_reference", drift_reference_of(data, 2), [&](const drift_reference& r) { return bits_of(r.shares_of(0, data.column("n"))) + bits_of(r.shares_of(1, data.column("c"))); });
    const auto encoded = fit(encode<double>{}, data);
    check_kept("monitored", monitored_model(encoded, drift_reference_of(data, 2)), [&](const auto& m) { return bits_of(m(data)); });
    check_kept("word_vectors", word_vectors<float>(vocabulary({"a", "bc"}), embedding_table<float>(make_tensor<float, 2>({2, 3}, .5F))), [](const auto& w) {
        const auto found = w.find("bc").value();
        return bits_of(std::vector<float>(found.begin(), found.end()));
    });
    check_kept("chinese_segmenter", chinese_segmenter(chinese_dictionary(std::vector<std::string>{"订单", "好"})), [](const chinese_segmenter& s) {
        std::string out;
        s.split("订单好", [&](std::size_t begin, std::size_t end) { out += bits_of(begin) + bits_of(end); });
        return out;
    });
    vec<double> ratios(2);
    ratios << .5, -2;
    const sparse_matrix<double> x(matrix<double>::Ones(2, 2));
    check_kept("nb_ratios", nb_ratios_model<double>(ratios), [&](const auto& m) { return bits_of(m(x).values()); });
    matrix<float> p(2, 2);
    p << .25F, .75F, .5F, .5F;
    check_kept("most_likely", most_likely{}, [&](const most_likely& m) { return bits_of(m(p)); });
}
TEST_CASE("format 1: a file of layers without parameters", "[format][io]") {
    const dense_params<float> first{matrix<float>::Constant(2, 3, .25F), vec<float>::Constant(3, .5F)}, last{matrix<float>::Identity(3, 2), vec<float>::Zero(2)};
    using model = network_model<float, dense, relu, leaky_relu, elu, tanh_layer, sigmoid, gelu, silu, dropout, dense>;
    const model net({"dense", "relu", "leaky_relu", "elu", "tanh", "sigmoid", "gelu", "silu", "dropout", "dense"}, first, {}, {}, {}, {}, {}, {}, {}, {}, last);
    const matrix<float> x = matrix<float>::Constant(1, 2, -.5F);
    check_kept("network of elementwise layers", net, [&](const model& m) { return bits_of(m(x)); });
}

TEST_CASE("format 1: every kept file is whole", "[format][io]") {
    CHECK(kept_files().size() >= 120);
    for (const auto& path : kept_files()) {
        INFO(path.filename());
        CHECK_NOTHROW(read_card(path));
        CHECK(std::filesystem::file_size(path) < 40'000);
    }
}
TEST_CASE("format 1: a file of a newer format is told apart from a damaged one", "[format][io][error]") {
    for (const auto& path : kept_files()) {
        INFO(path.filename());
        const auto newer = changed(content_of(path), {.format = "2"});
        CHECK(error_of([&] { (void)read_card(newer); }).code() == errc::unsupported_version);
    }
    const auto newer = changed(content_of(contract::kept_folder() / "format-1/standardize_double.safetensors"), {.format = "18446744073709551615"});
    CHECK(error_of([&] { (void)load<standardize_model<double>>(std::span(newer)); }).code() == errc::unsupported_version);
}
TEST_CASE("format 1: metadata that are not known are passed over, a field that is not known is refused", "[format][io][error]") {
    const std::string kept = content_of(contract::kept_folder() / "format-1/standardize_double.safetensors");
    const auto same = changed(kept, {}), described = changed(kept, {.metadata = true}), longer = changed(kept, {.tensor = true});
    const auto model = load<standardize_model<double>>(std::span(same));
    CHECK(load<standardize_model<double>>(std::span(described)).mean() == model.mean());
    const error e = error_of([&] { (void)load<standardize_model<double>>(std::span(longer)); });
    CHECK(e.code() == errc::bad_format);
    CHECK(std::string(e.what()) == "load: the file holds 1 tensors that the model does not have");
}

// A kind is a class's name in saved files. These name a stream of random numbers or a type in a message, and are never saved.
TEST_CASE("format 1: every kind that can be saved has a file", "[format][io]") {
    const std::set<std::string> never_saved{"dense_stack", "fields", "sequence", "soft_sign", "static_mlp", "subword_word2vec", "word2vec"};
    const auto include = std::filesystem::path(CARAMEL_TESTS_DIR).parent_path() / "include" / "caramel";
    std::set<std::string> kinds;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(include)) {
        if (entry.path().extension() != ".hpp") continue;
        const std::string source = content_of(entry.path());
        const std::string_view before = "kind = \"";
        for (std::size_t at = source.find(before); at != std::string::npos; at = source.find(before, at + 1)) {
            const std::size_t begin = at + before.size();
            kinds.insert(source.substr(begin, source.find('"', begin) - begin));
        }
    }
    CHECK(kinds.size() > 110);
    std::set<std::string> saved;
    for (const auto& path : kept_files()) {
        const auto words = kind_names(content_of(path));
        saved.insert(words.begin(), words.end());
    }
    for (const auto& kind : kinds) {
        INFO(kind);
        if (!never_saved.contains(kind)) CHECK(saved.contains(kind));
    }
}

}  // namespace format_test
