// A customer who asks to be forgotten: what is left has the bits of what never saw them, and their id is in no file.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/data/erase.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/table.hpp>
#include <caramel/data/transactions.hpp>
#include <caramel/features/rfm.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/io/model_file.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/erase.hpp>
#include <caramel/recommend/feature_factorization.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/rating_neighbors.hpp>
#include <caramel/recommend/slope_one.hpp>

#include "support/catch.hpp"

using namespace caramel;
namespace erase_test {

using days = std::chrono::days;
const std::string canary = "canary-4711@example.org";

struct entry {
    std::string customer, item;
    double value;
    std::chrono::sys_seconds time;
};
// The customer stands between others, and one item is theirs alone.
std::vector<entry> entries(std::uint64_t seed = 3) {
    rng random(seed);
    std::vector<entry> out;
    const std::chrono::sys_seconds start{std::chrono::sys_days{std::chrono::year{2024} / 1 / 1}};
    for (std::size_t i = 0; i < 400; ++i) {
        const std::size_t who = random.below(30);
        const std::string customer = who == 0 ? canary : (who % 2 == 0 ? "a" : "d") + std::to_string(who);
        const std::size_t item = random.below(25);
        const double value = 1 + static_cast<double>(random.below(5));
        out.push_back({customer, "item " + std::to_string(10 + item), value, start + days(random.below(300))});
    }
    out.push_back({canary, "a thing made for one customer", 3, start});
    return out;
}
std::vector<entry> without(std::vector<entry> from, std::string_view customer) {
    std::erase_if(from, [&](const entry& e) { return e.customer == customer; });
    return from;
}
template <class M>
std::string file_of(const M& model) {
    const auto bytes = to_bytes(model);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
bool holds(std::string_view bytes, std::string_view text) { return bytes.find(text) != std::string_view::npos; }

template <class Recipe>
void check_erased(const Recipe& recipe) {
    const fit_options options{.seed = 9};
    const auto all = interactions<double>::of(entries());
    const auto model = fit(recipe, all, options);
    const auto never_saw = fit(recipe, interactions<double>::of(without(entries(), canary)), options);
    INFO(std::string(model.kind));
    const std::string before = file_of(model);
    REQUIRE(holds(before, canary));
    REQUIRE(holds(before, "a thing made"));

    const auto erased = erase_customer(recipe, model, canary, options);
    const std::string after = file_of(erased);
    CHECK(after == file_of(never_saw));
    CHECK(!holds(after, canary));
    CHECK(!holds(after, "a thing made"));
    CHECK(file_of(model) == before);
    // The id leads nowhere, and the way through a saved file is the same.
    CHECK(error_of([&] { (void)erased(query{.customer = canary, .n = 3}); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)erase_customer(recipe, erased, canary, options); }).code() == errc::unknown_id);
    const auto loaded = load<std::remove_const_t<decltype(model)>>(std::as_bytes(std::span(before)));
    CHECK(file_of(erase_customer(recipe, loaded, canary, options)) == after);
    // Another one too, by another kind of id.
    const std::vector<any_id> both{canary, row_number{0}};
    const auto first = std::string(all.customers().text(0));
    CHECK(file_of(erase_customers(recipe, model, both, options)) ==
          file_of(fit(recipe, interactions<double>::of(without(without(entries(), canary), first)), options)));
}

TEST_CASE("erase: models have the bits of ones that never saw the customer", "[erase]") {
    check_erased(item_neighbors<double>{.k = 5});
    check_erased(item_neighbors<double>{.k = 5, .weights = weighting::values, .similarity = neighbor_similarity::bm25});
    check_erased(customer_neighbors<double>{.k = 5});
    check_erased(rating_neighbors<double>{.k = 5});
    check_erased(slope_one<double>{});
    check_erased(popularity<double>{});
    check_erased(als<double>{.n_factors = 4, .epochs = 2});
}
template <class Recipe, class Model>
concept Erases = requires(const Recipe& recipe, const Model& model) { erase_customer(recipe, model, "a"); };

TEST_CASE("erase: what a model does not keep is not learnt without", "[erase][error]") {
    const auto dated = interactions<double>::of(entries());
    const popularity<double> of_late{.half_life_days = 30};
    CHECK(error_of([&] { (void)erase_customer(of_late, fit(of_late, dated), canary); }).code() == errc::bad_data);
    STATIC_REQUIRE(Erases<als<double>, als_model<double>>);
    STATIC_REQUIRE(!Erases<als<double>, popularity_model<double>>);                                        // another model's recipe
    STATIC_REQUIRE(!Erases<feature_factorization<double>, feature_factorization_model<double>>);  // the features are not in it
}

TEST_CASE("erase: interactions have the bits of a table without the customer's entries", "[erase]") {
    for (const std::uint64_t seed : {3U, 4U, 5U}) {
        const auto log = entries(seed);
        const auto x = interactions<float>::of(log);
        CHECK(erase_customer(x, canary) == interactions<float>::of(without(log, canary)));
        CHECK(erase_customer(x.without_times(), canary) == interactions<float>::of(without(log, canary)).without_times());
        // Every customer in turn, by row; and everybody.
        std::vector<any_id> everybody;
        for (std::size_t row = 0; row < x.rows(); ++row) {
            CHECK(erase_customer(x, row_number{row}) == interactions<float>::of(without(log, x.customers().text(row))));
            everybody.emplace_back(row_number{row});
        }
        CHECK(erase_customers(x, everybody) == interactions<float>::of(std::vector<entry>()));
        CHECK(erase_customers(x, std::vector<any_id>{}) == x);
        CHECK(erase_customers(x, std::vector<any_id>{canary, canary}) == erase_customer(x, canary));
    }
}
TEST_CASE("erase: of tables with given lists, items stay where that is asked for", "[erase]") {
    struct visit {
        int customer, item;
    };
    const std::vector<visit> log{{7, 1}, {7, 2}, {8, 2}, {9, 3}}, others{{8, 2}, {9, 3}};
    const id_table items({}, {1, 2, 3, 4}), customers({}, {7, 8, 9, 10}), left({}, {8, 9, 10});
    const auto x = interactions<float>::of(log, {.customers = &customers, .items = &items});
    CHECK(erase_customer(x, 7, erased_items::keep) == interactions<float>::of(others, {.customers = &left, .items = &items}));
    const id_table fewer({}, {2, 3, 4});  // 1 was theirs alone; 4 was nobody's
    CHECK(erase_customer(x, 7) == interactions<float>::of(others, {.customers = &left, .items = &fewer}));
}
TEST_CASE("erase: who is not there is refused, without the id", "[erase][error]") {
    const auto x = interactions<float>::of(entries());
    const error e = error_of([&] { (void)erase_customer(x, "somebody@example.org"); });
    CHECK(e.code() == errc::unknown_id);
    CHECK(!holds(e.what(), "somebody"));
    CHECK(error_of([&] { (void)erase_customer(x, 12); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)erase_customer(x, row_number{1000}); }).code() == errc::unknown_id);
    CHECK(error_of([&] { (void)erase_customer(x, canary, static_cast<erased_items>(7)); }).code() == errc::bad_parameter);
}

table table_of(const std::vector<entry>& log) {
    std::vector<std::string> customers, items, invoices;
    std::vector<double> quantities;
    std::vector<std::chrono::sys_seconds> times;
    for (const entry& e : log) {
        customers.push_back(e.customer);
        items.push_back(e.item);
        invoices.push_back("invoice of " + e.customer + " on " + std::to_string(e.time.time_since_epoch().count()));
        quantities.push_back(e.value);
        times.push_back(e.time);
    }
    table out;
    out.add_column("customer", customers);
    out.add_column("item", items);
    out.add_column("invoice", invoices);
    out.add_column("quantity", quantities);
    out.add_column("when", times);
    return out;
}
const transaction_columns all_columns{.invoice = "invoice", .quantity = "quantity", .when = "when"};

TEST_CASE("erase: a log and its histories have the bits of ones without the customer's rows", "[erase]") {
    const transactions log = transactions::from(table_of(entries()), all_columns), others = transactions::from(table_of(without(entries(), canary)), all_columns);
    const transactions erased = erase_customer(log, canary);
    CHECK(erased == others);
    CHECK(!erased.find_customer(canary));
    for (const auto& list : {erased.customer_ids(), erased.item_ids(), erased.invoice_ids()})
        for (const auto& id : list) CHECK((!holds(id, canary) && !holds(id, "a thing made")));
    CHECK(error_of([&] { (void)erase_customer(erased, canary); }).code() == errc::unknown_id);
    const std::vector<std::string> two{canary, others.customer_ids().front()};
    CHECK(erase_customers(log, two) == erase_customer(erased, two[1]));

    const auto now = log.last_time();
    const histories seen(log, now);
    const histories left = erase_customer(seen, canary);
    CHECK(left.size() + 1 == seen.size());
    CHECK(!left.find(canary));
    CHECK(error_of([&] { (void)erase_customer(left, canary); }).code() == errc::unknown_id);
    // What is learnt from them, and the targets, are those of histories of the erased log.
    const histories anew(erased, now);
    CHECK(left.ids() == anew.ids());
    CHECK(file_of(fit(rfm<float>{} | standardize<float>{}, left)) == file_of(fit(rfm<float>{} | standardize<float>{}, anew)));
    CHECK(interactions_of<float>(left) == interactions_of<float>(anew));
    CHECK(interactions_of<float>(erased) == interactions_of<float>(others));
    CHECK(did_not_return(left, log.since(now - days(50))) == did_not_return(anew, erased.since(now - days(50))));
    CHECK(erase_customers(seen, two).size() + 2 == seen.size());
}

}  // namespace erase_test
