// What was bought, as features: tastes and texts.
#include <chrono>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/data/histories.hpp>
#include <caramel/data/synthetic.hpp>
#include <caramel/features/histories.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/text/pool.hpp>
#include <caramel/text/tokenizer.hpp>

#include "support/catch.hpp"

using namespace caramel;
using namespace std::chrono;

namespace {

histories small_shop() {
    const auto made = synthetic_shop({.customers = 60, .items = 40, .seed = 3});
    return histories(made.log, made.log.last_time());
}
// The same purchases in a log of that customer alone: items have other numbers there.
histories alone(const histories& all, std::size_t row) {
    std::vector<std::string> customer, item, text;
    std::vector<sys_seconds> when;
    std::vector<double> quantity, price;
    for (const transaction& t : all[row].purchases) {
        customer.push_back(all.ids()[row]);
        item.push_back(all.items().ids[static_cast<std::size_t>(t.item)]);
        text.push_back(all.items().descriptions[static_cast<std::size_t>(t.item)]);
        when.push_back(t.when);
        quantity.push_back(t.quantity);
        price.push_back(t.price);
    }
    table rows;
    rows.add_column("customer", customer);
    rows.add_column("item", item);
    rows.add_column("text", text);
    rows.add_column("when", when);
    rows.add_column("quantity", quantity);
    rows.add_column("price", price);
    return {transactions::from(rows, {.quantity = "quantity", .price = "price", .when = "when", .description = "text"}), all.as_of()};
}

}  // namespace

TEST_CASE("factors_of: a training customer has the factors that training gave them", "[histories]") {
    const auto seen = small_shop();
    const als<double> recipe{.n_factors = 4, .epochs = 3};
    const auto model = fit(factors_of(recipe), seen, {.seed = 5});
    const auto trained = fit(recipe, interactions_of<double>(seen), {.seed = 5});
    CHECK(model(seen) == trained.customer_factors());
    CHECK(model.factorization().customers().size() == 0);  // forgotten
    CHECK(model.output_names().size() == 4);
    workspace scratch;
    for (const std::size_t row : {std::size_t{0}, seen.size() / 2, seen.size() - 1}) {
        const auto one = model(seen[row], scratch);
        CHECK(std::vector<double>(one.begin(), one.end()) == std::vector<double>(row_of(trained.customer_factors(), static_cast<row_index>(row)).begin(),
                                                                                 row_of(trained.customer_factors(), static_cast<row_index>(row)).end()));
    }
}

TEST_CASE("factors_of and bought_text: what a customer is does not depend on how a log numbers its items", "[histories]") {
    const auto seen = small_shop();
    const auto tastes = fit(factors_of(als<float>{.n_factors = 4, .epochs = 2}), seen);
    const auto words = fit(bought_text(word_tokenizer{} | bag_of_embeddings<float>{.dim = 6}), seen);
    for (const std::size_t row : {std::size_t{1}, seen.size() - 2}) {
        const auto other = alone(seen, row);
        REQUIRE(other.items().size() < seen.items().size());
        CHECK(tastes(other) == matrix<float>(tastes(seen).row(static_cast<row_index>(row))));
        CHECK(words(other) == matrix<float>(words(seen).row(static_cast<row_index>(row))));
    }
}

TEST_CASE("bought_text: the mean over distinct items; unknown items count by their text", "[histories]") {
    const auto seen = small_shop();
    const auto recipe = word_tokenizer{} | bag_of_embeddings<double>{.dim = 5};
    const auto model = fit(bought_text(recipe), seen, {.seed = 2});
    const auto& text = std::get<0>(model.fields());
    std::vector<std::string> texts;
    std::vector<std::int32_t> items;
    for (const transaction& t : seen[7].purchases)
        if (std::ranges::find(items, t.item) == items.end()) items.push_back(t.item);
    for (const auto item : items) texts.push_back(seen.items().descriptions[static_cast<std::size_t>(item)]);
    const matrix<double> expected = text(texts).colwise().mean();
    CHECK(matrix<double>(model(seen).row(7)).isApprox(expected, 1e-12));

    // An item that training did not see, described with words that it knows.
    const item_catalog news{{"zz-new"}, {texts.front()}};
    const std::vector<transaction> bought{{.item = 0, .when = seen.as_of()}};
    workspace scratch;
    const auto row = model(history{bought, seen.as_of(), &news}, scratch);
    const matrix<double> one = text(std::vector<std::string>{texts.front()});
    CHECK(std::vector<double>(row.begin(), row.end()) == std::vector<double>(one.data(), one.data() + one.size()));
    // One without a description says nothing.
    const item_catalog silent{{"zz-new"}, {""}};
    for (const double x : model(history{bought, seen.as_of(), &silent}, scratch)) CHECK(x == 0);
}

TEST_CASE("factors_of and bought_text: typed errors", "[histories]") {
    const auto seen = small_shop();
    const auto tastes = fit(factors_of(als<float>{.n_factors = 2, .epochs = 1}), seen);
    const auto code_of = [](const auto& work) {
        try {
            work();
        } catch (const error& e) {
            return e.code();
        }
        return errc{};
    };
    workspace scratch;
    const item_catalog one_item{{"a"}, {""}};
    const std::vector<transaction> beyond{{.item = 1}};
    CHECK(code_of([&] { (void)tastes(history{beyond, seen.as_of()}, scratch); }) == errc::bad_parameter);
    CHECK(code_of([&] { (void)tastes(history{beyond, seen.as_of(), &one_item}, scratch); }) == errc::unknown_id);
    CHECK(code_of([&] { (void)fit(factors_of(als<float>{}), histories()); }) == errc::empty_input);
    CHECK(code_of([&] { (void)fit(bought_text(word_tokenizer{} | bag_of_embeddings<float>{}), histories()); }) == errc::empty_input);
    // Nothing that the model knows: no tastes, and no error.
    const std::vector<transaction> unknown{{.item = 0}};
    for (const float x : tastes(history{unknown, seen.as_of(), &one_item}, scratch)) CHECK(x == 0);
}
