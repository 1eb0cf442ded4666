// Recommenders, histories and policies, through the common contract (docs/contract.md). A new component gets an adapter here.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <caramel/features/histories.hpp>
#include <caramel/features/rfm.hpp>
#include <caramel/features/rhythm.hpp>
#include <caramel/features/concat.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/policy/batch_policy.hpp>
#include <caramel/policy/customer_states.hpp>
#include <caramel/policy/q_learning.hpp>
#include <caramel/policy/state_space.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/sgd.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/pool.hpp>
#include <caramel/text/tokenizer.hpp>

#include "contract/data.hpp"

namespace contract {
namespace {

struct popularity_component : recommender_component {
    static constexpr std::string_view name = "popularity";
    auto recipe() const { return popularity<double>{}; }
};
struct item_neighbors_component : recommender_component {
    static constexpr std::string_view name = "item_neighbors";
    auto recipe() const { return item_neighbors<double>{.k = 4, .shrinkage = 1}; }
};
struct customer_neighbors_component : recommender_component {
    static constexpr std::string_view name = "customer_neighbors";
    auto recipe() const { return customer_neighbors<double>{.k = 4}; }
};
struct als_component : recommender_component {
    static constexpr std::string_view name = "als";
    static constexpr bool random = true;
    auto recipe() const { return als<double>{.n_factors = 4, .epochs = 2}; }
};
template <std::size_t Factors>
struct sgd_component : recommender_component {
    static constexpr std::string_view name = Factors == 0 ? "sgd_factorization, biases alone" : "sgd_factorization";
    static constexpr bool random = true;
    auto recipe() const { return sgd_factorization<double>{.n_factors = Factors, .epochs = 3}; }
};
struct histories_component : deterministic {
    static constexpr std::array skipped{skip{"C37", "there are no columns: items that a model has not seen are checked with each component"}};
    static constexpr std::uint64_t nan_column = 0;  // the row alone says where
    auto data(std::size_t rows, std::uint64_t seed) const { return customers_of_a_shop(rows, seed); }
    void poison(histories& x, std::size_t row, std::size_t, double value) const {
        auto [as_of, items, customers, ids, starts, bought, invoices, quantities, prices, times] = x.fields();
        prices[starts[row]] = value;
        x = {as_of, items, customers, ids, starts, bought, invoices, quantities, prices, times};
    }
};
struct rfm_component : histories_component {
    static constexpr std::string_view name = "rfm | standardize";
    auto recipe() const { return rfm<float>{} | standardize<float>{}; }
};
struct purchase_rhythm_component : histories_component {
    static constexpr std::string_view name = "purchase_rhythm | standardize";
    auto recipe() const { return purchase_rhythm<double>{.months = 3} | standardize<double>{}; }
};
struct customer_states_component : histories_component {
    static constexpr std::string_view name = "customer_states";
    auto recipe() const { return customer_states{.recency_days = {20, 60}}; }
};
struct items_component : histories_component {
    static constexpr bool random = true;
    static constexpr std::array skipped{histories_component::skipped[0], skip{"C04", "quantities and prices are not looked at"}};
};
struct factors_of_component : items_component {
    static constexpr std::string_view name = "factors_of(als)";
    auto recipe() const { return factors_of(als<double>{.n_factors = 4, .epochs = 2}); }
};
struct bought_text_component : items_component {
    static constexpr std::string_view name = "bought_text(word_tokenizer | bag_of...)";
    auto recipe() const { return bought_text(word_tokenizer{} | bag_of_embeddings<float>{.dim = 5}); }
};
struct churn_features_component : items_component {
    static constexpr std::string_view name = "concat(rfm, rhythm, factors, text)";
    static constexpr std::array skipped{histories_component::skipped[0]};
    auto recipe() const {
        return concat(rfm<float>{}, purchase_rhythm<float>{}, factors_of(als<float>{.n_factors = 3, .epochs = 2}), bought_text(word_tokenizer{} | bag_of_embeddings<float>{.dim = 3})) |
               standardize<float>{};
    }
};
struct state_space_component : deterministic {
    static constexpr std::string_view name = "state_space";
    auto recipe() const { return state_space<double, 3>{{axis_rule{.name = "a"}, {.cuts = {0}}, {.cells = 1}}}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
};
struct state_space_by_target_component : deterministic {
    static constexpr std::string_view name = "state_space_by_target";
    auto recipe() const { return state_space_by_target<double, 3>{.axes = {}, .min_rows = 2}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t seed) const {
        const auto x = numbers<double>(rows, seed);
        std::vector<double> out;
        for (row_index i = 0; i < x.rows(); ++i) out.push_back(x(i, 0) > 0 ? 3 : 1);
        return out;
    }
};
template <class Rule>
struct q_learning_component : deterministic {
    static constexpr std::string_view name = Rule::name;
    static constexpr std::array skipped{skip{"C37", "there are no columns: states outside the table are checked with the policies"}};
    static constexpr std::uint64_t nan_column = 4;  // after two axes of the state and the action
    auto recipe() const { return q_learning<float, 2, Rule>{.states = {3, 2}, .actions = 2, .sweeps = 5, .default_action = 0}; }
    auto data(std::size_t rows, std::uint64_t seed) const {
        rng numbers(seed);
        std::vector<transition<2>> out(rows);
        for (auto& t : out) {
            t.state = {numbers.below(3), numbers.below(2)};
            t.action = numbers.below(2);
            t.reward = numbers.normal();
            t.next_state = {numbers.below(3), numbers.below(2)};
            t.terminal = numbers.below(5) == 0;
        }
        return out;
    }
    auto queries(std::uint64_t) const { return std::vector<decision<2>>{{.state = {0, 1}}, {.state = {2, 0}}, {.state = {1, 1}}}; }
    void poison(std::vector<transition<2>>& x, std::size_t row, std::size_t, double value) const { x[row].reward = value; }
};
// How pessimistic it is comes from the log, by cutting customers in halves at random: fixed here, so that the seed changes nothing.
struct pessimistic_q_component : q_learning_component<one_step_rule> {
    static constexpr std::string_view name = "pessimistic_q";
    auto recipe() const { return pessimistic_q<float, 2>{.states = {3, 2}, .actions = 2, .pessimism = 1}; }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEMPLATE_TEST_CASE("contract: histories", "[contract]", rfm_component, purchase_rhythm_component, customer_states_component, factors_of_component,
                   bought_text_component, churn_features_component) {
    check_component(TestType{});
}

TEMPLATE_TEST_CASE("contract: states", "[contract]", state_space_component, state_space_by_target_component) { check_component(TestType{}); }

TEST_CASE("contract: policies", "[contract]") {
    check_component(q_learning_component<one_step_rule>{});
    check_component(q_learning_component<n_step_rule<return_end::expected>>{});
    check_component(q_learning_component<sweeping_rule>{});
    check_component(pessimistic_q_component{});
}

namespace {

// What was saved before learners of average rewards came.
struct old_q_policy {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "q_policy";
    q_table<float, 2> table;
    bool allow_untried = false;
    std::int64_t default_action = -1;
    static constexpr std::array field_names{"table", "allow_untried", "default_action"};
    auto fields() const { return std::tie(table, allow_untried, default_action); }
};

}  // namespace

TEST_CASE("q_policy: files of before load, and what is saved now says its reward rate", "[contract]") {
    q_table<float, 2> table({3, 2}, 2);
    table.values_of(4)[1] = 2.5F;
    table.visits_of(4)[1] = 7;
    std::vector<std::byte> bytes;
    save(old_q_policy{.table = table, .default_action = 1}, bytes);
    const auto again = load<q_policy<float, 2>>(bytes);
    CHECK(again.reward_rate() == 0);
    CHECK(again.cells().visits({2, 0}, 1) == 7);
    CHECK(again(decision<2>{.state = {2, 0}}).value == 2.5);
    CHECK(again.default_action() == std::optional<std::size_t>(1));
    bytes.clear();
    save(q_policy<float, 2>(table, true, -1, .75), bytes);
    CHECK(load<q_policy<float, 2>>(bytes).reward_rate() == .75);
}

TEMPLATE_TEST_CASE("contract: recommenders", "[contract]", popularity_component, item_neighbors_component, customer_neighbors_component, als_component,
                   sgd_component<4>, sgd_component<0>) {
    check_component(TestType{});
}
