// What the library says to the most likely mistakes, word for word as docs/messages.md shows it: what is printed and is not in
// the document fails, and so does what the document shows and nothing prints.

#include <cstddef>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/data/csv.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/split.hpp>
#include <caramel/data/table.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/recommend/popularity.hpp>

#include "support/catch.hpp"

namespace messages_test {

using namespace caramel;

std::string document() {
    std::ifstream in(CARAMEL_TESTS_DIR "/../docs/messages.md", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct entry {
    std::string message, text;
};
// The sections of "When it runs": what stands in the block of each, and all of its text, by its heading.
std::map<std::string, entry> entries() {
    std::string all = document();
    const std::size_t begin = all.find("\n## When it runs\n");
    REQUIRE(begin != std::string::npos);
    all = all.substr(begin + 1, all.find("\n## ", begin + 1) - begin);
    std::map<std::string, entry> out;
    for (std::size_t at = all.find("\n### "); at != std::string::npos;) {
        const std::size_t heading = at + 5, text = all.find('\n', heading);
        at = all.find("\n### ", text);
        entry made{.message = {}, .text = all.substr(text, at - text)};
        const std::string_view opening = "\n```text\n";
        const std::size_t block = made.text.find(opening) + opening.size();
        REQUIRE(block >= opening.size());
        made.message = made.text.substr(block, made.text.find("\n```", block) - block);
        out[all.substr(heading, text - heading)] = made;
    }
    return out;
}

class checked_document {
   public:
    template <class Mistake>
    void says(const std::string& heading, const Mistake& mistake) {
        INFO(heading);
        const error e = error_of(mistake);
        CHECK(left_.contains(heading));
        CHECK(left_[heading].message == e.what());
        CHECK(left_[heading].text.find("`" + std::string(name_of(e.code())) + "`") != std::string::npos);
        left_.erase(heading);
    }
    /// What the document shows beyond that.
    [[nodiscard]] std::string unsaid() const {
        std::string out;
        for (const auto& [heading, unused] : left_) out += heading + "\n";
        return out;
    }

   private:
    std::map<std::string, entry> left_ = entries();
};

// Five customers; the mistakes are made with them.
constexpr std::string_view five = "tenure,monthly,contract,left\n3,70.5,month,yes\n40,20,year,no\n5,81,month,yes\n60,,two years,no\n22,45,year,no\n";

TEST_CASE("messages: docs/messages.md shows what is printed", "[messages][error]") {
    checked_document document;
    const table customers = parse_csv(five);
    const std::vector<int> left = labels_of(customers, "left", "yes");
    const auto features = columns({"tenure", "monthly", "contract"}) | impute{} | encode<float>{} | standardize<float>{};
    const auto churn = fit(features | logistic<float>{}, customers, left);
    const matrix<float> x = fit(features, customers)(customers);

    // reading
    document.says("A row of the CSV has too few fields", [] { (void)parse_csv("tenure,monthly,contract\n3,70.5,month\n40,20\n"); });
    document.says("A field is not a number", [] {
        (void)parse_csv("tenure,monthly\n3,70.5\n40,n/a\n", {.types = {{.name = "monthly", .type = column_type::number}}});
    });
    document.says("The file is not there", [] { (void)read_csv("custmers.csv"); });
    document.says("A table without rows", [&] { (void)fit(features | logistic<float>{}, parse_csv("tenure,monthly,contract\n"), std::vector<int>{}); });

    // columns
    document.says("A column is missing", [&] { (void)churn(customers.drop({"contract"})); });
    document.says("A column is of another type", [&] { (void)churn(parse_csv("tenure,monthly,contract\n3,a lot,month\n")); });
    document.says("A cell is empty", [&] { (void)fit(columns({"monthly"}) | encode<float>{}, customers)(customers); });
    document.says("A category that training did not see", [&] {
        const auto strict = fit(columns({"contract"}) | encode<float>{.unknown = unknown_level::refuse}, customers);
        (void)strict(parse_csv("contract\nyear\nweek\n"));
    });

    // numbers and targets
    document.says("Rows and targets differ in number", [&] { (void)fit(logistic<float>{}, x, std::vector<int>{0, 1, 0}); });
    document.says("Every label is the same", [&] { (void)fit(logistic<float>{}, x, std::vector<int>(5, 0)); });
    document.says("Labels are -1 and 1", [&] { (void)fit(logistic<float>{}, x, std::vector<int>{1, -1, 1, -1, -1}); });
    document.says("No row has the positive value", [&] { (void)labels_of(customers, "left", "Yes"); });
    document.says("NaN in the data", [&] {
        matrix<float> holes = x;
        holes(2, 1) = std::numeric_limits<float>::quiet_NaN();
        (void)fit(standardize<float>{} | logistic<float>{}, holes, left);
    });
    document.says("Another number of columns than in training", [&] {
        const auto model = fit(standardize<float>{} | logistic<float>{}, x, left);
        (void)model(matrix<float>(x.leftCols(2)));
    });
    document.says("The learning rate is too high", [&] { (void)fit(mlp<float>{.hidden = {4}, .learning_rate = 1e30}, matrix<float>(x * 1e30F), left); });
    document.says("More folds than rows", [&] { (void)k_fold(customers.rows(), 10); });
    document.says("A probability that is none", [&] { (void)brier_score(std::vector<double>{0.2, 55, 0.1, 0.7, 0.4}, left); });

    // recommending
    document.says("A customer whom the model does not know", [] {
        const std::vector<std::string> who{"ann", "ann", "bob"}, what{"tea", "cup", "tea"};
        const auto offers = fit(popularity<float>{}, interactions<float>({.customers = who, .items = what}));
        (void)offers(query{.customer = "eve"});
    });

    // files
    using model_type = std::remove_cvref_t<decltype(churn)>;
    std::vector<std::byte> file;
    save(churn, file);
    document.says("A file of another model", [&] { (void)load<standardize_model<float>>(file); });
    document.says("A file that was cut off", [&] { (void)load<model_type>(std::span<const std::byte>(file).first(file.size() - 100)); });
    document.says("A file that was altered", [&] {
        auto altered = file;
        altered.back() ^= std::byte{1};
        (void)load<model_type>(altered);
    });
    document.says("A file of a newer version", [&] {
        auto newer = file;
        const std::string_view text(reinterpret_cast<const char*>(newer.data()), newer.size()), mark = "\"caramel.format\":\"";
        newer[text.find(mark) + mark.size()] = std::byte{'9'};
        (void)load<model_type>(newer);
    });
    document.says("A file that is no model", [&] { (void)load<model_type>(std::as_bytes(std::span(five))); });
    CHECK(document.unsaid() == "");
}

}  // namespace messages_test
