// Linear models on real texts as TF-IDF of words and pairs of words, beside another library's figures.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <caramel/core/sparse.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/linear/linear_svm.hpp>
#include <caramel/linear/sparse_logistic.hpp>
#include <caramel/nn/probabilities.hpp>
#include <caramel/pipeline.hpp>

#include "support/catch.hpp"
#include "support/shared_data.hpp"

using namespace caramel;

namespace {

struct message_set {
    std::vector<std::string> labels;
    std::vector<std::vector<std::string>> words;  // and pairs of words
};
message_set read_messages(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    REQUIRE(line == "label\ttext");
    message_set out;
    while (std::getline(in, line)) {
        const auto tab = line.find('\t');
        out.labels.push_back(line.substr(0, tab));
        std::vector<std::string> words(1);
        for (const char c : line.substr(tab + 1)) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte < 0x80 && (std::isalnum(byte) || c == '_')) words.back() += static_cast<char>(std::tolower(byte));
            else if (!words.back().empty()) words.emplace_back();
        }
        if (words.back().empty()) words.pop_back();
        const std::size_t single = words.size();
        for (std::size_t i = 0; i + 1 < single; ++i) words.push_back(words[i] + ' ' + words[i + 1]);
        out.words.push_back(std::move(words));
    }
    return out;
}
/// Words that the training texts have; 1 + ln(count), times ln((1 + n) / (1 + df)) + 1, rows of length 1.
struct tfidf_of_test {
    std::map<std::string, std::int32_t> column;
    std::vector<double> idf;

    explicit tfidf_of_test(const message_set& texts) {
        std::map<std::string, int> with;
        for (const auto& words : texts.words)
            for (const auto& word : std::set<std::string>(words.begin(), words.end())) ++with[word];
        for (const auto& [word, count] : with) {
            column.emplace(word, static_cast<std::int32_t>(column.size()));
            idf.push_back(std::log((1.0 + static_cast<double>(texts.words.size())) / (1.0 + count)) + 1);
        }
    }
    sparse_matrix<float> operator()(const message_set& texts) const {
        sparse_matrix<float> out(column.size());
        for (const auto& words : texts.words) {
            std::map<std::int32_t, double> counts;
            for (const auto& word : words)
                if (const auto found = column.find(word); found != column.end()) ++counts[found->second];
            double square = 0;
            for (auto& [j, value] : counts) {
                value = (1 + std::log(value)) * idf[static_cast<std::size_t>(j)];
                square += value * value;
            }
            std::vector<std::int32_t> columns;
            std::vector<float> values;
            for (const auto& [j, value] : counts) {
                columns.push_back(j);
                values.push_back(static_cast<float>(value / std::sqrt(square)));
            }
            out.append_row(columns, values);
        }
        return out;
    }
};
std::vector<int> numbers_of(const std::vector<std::string>& labels) {
    const std::set<std::string> names(labels.begin(), labels.end());
    std::vector<int> out;
    for (const auto& label : labels) out.push_back(static_cast<int>(std::distance(names.begin(), names.find(label))));
    return out;
}

}  // namespace

TEST_CASE("linear_svm: 77 intents of a bank's customers, as another library tells them apart", "[dual][slow]") {
    SHARED_OR_SKIP(train_file, "data/banking77/train.tsv");
    SHARED_OR_SKIP(test_file, "data/banking77/test.tsv");
    const auto train = read_messages(train_file), test = read_messages(test_file);
    const auto y = numbers_of(train.labels), expected = numbers_of(test.labels);
    const tfidf_of_test features(train);
    const auto x = features(train), asked = features(test);
    REQUIRE(x.rows() == 10'003);
    const auto seconds_since = [](std::clock_t start) { return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC; };

    auto start = std::clock();
    const auto svm = fit(linear_svm<float>{} | most_likely{}, x, y);
    const double svm_seconds = seconds_since(start);
    const double svm_accuracy = accuracy(svm(asked), expected);
    start = std::clock();
    const auto log = fit(sparse_logistic<float>{.regularization = 1.0 / 30} | most_likely{}, x, y);
    const double log_seconds = seconds_since(start);
    const double log_accuracy = accuracy(log(asked), expected);
    INFO("linear_svm " << svm_accuracy << " in " << svm_seconds << " s, sparse_logistic " << log_accuracy << " in " << log_seconds
                       << " s of one thread, columns " << x.cols());
    CHECK(std::abs(svm_accuracy - .8971) < 2e-3);  // LinearSVC, C = 1; words are cut a little otherwise here
    CHECK(log_accuracy > .897);
    // A fit of all digits says the same.
    const auto exact = fit(linear_svm<float>{.tolerance = 1e-10} | most_likely{}, x, y);
    CHECK(std::abs(accuracy(exact(asked), expected) - svm_accuracy) < 1e-3);
}
