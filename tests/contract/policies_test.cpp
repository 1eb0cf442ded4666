// Policies and states, through the common contract (docs/contract.md). A new component gets an adapter here.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include <caramel/core/random.hpp>
#include <caramel/policy/batch_policy.hpp>
#include <caramel/policy/q_learning.hpp>
#include <caramel/policy/state_space.hpp>

#include "contract/data.hpp"
#include "support/catch.hpp"

namespace contract {
namespace {

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
// What is learnt from a log of decisions.
template <class Recipe>
struct policy_component : deterministic {
    static constexpr std::array skipped{skip{"C37", "there are no columns: states outside the table are C07"}};
    static constexpr std::size_t nan_column = 4;  // after two axes of the state and the action
    auto recipe() const { return Recipe{.states = {3, 2}, .actions = 2, .sweeps = 5, .default_action = 0}; }
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
};
struct q_learning_component : policy_component<q_learning<float, 2>> {
    static constexpr std::string_view name = "q_learning";
};
struct sarsa_component : policy_component<sarsa<float, 2>> {
    static constexpr std::string_view name = "sarsa";
};
struct expected_sarsa_component : policy_component<expected_sarsa<float, 2>> {
    static constexpr std::string_view name = "expected_sarsa";
};
struct n_step_q_component : policy_component<n_step_q<float, 2>> {
    static constexpr std::string_view name = "n_step_q";
};
struct q_lambda_component : policy_component<q_lambda<float, 2>> {
    static constexpr std::string_view name = "q_lambda";
};
struct double_q_learning_component : policy_component<double_q_learning<float, 2>> {
    static constexpr std::string_view name = "double_q_learning";
    static constexpr bool random = true;
};
struct differential_q_learning_component : policy_component<differential_q_learning<float, 2>> {
    static constexpr std::string_view name = "differential_q_learning";
    auto data(std::size_t rows, std::uint64_t seed) const {
        auto out = policy_component::data(rows, seed);
        for (auto& t : out) t.terminal = false;
        return out;
    }
};
struct dyna_q_component : policy_component<dyna_q<float, 2>> {
    static constexpr std::string_view name = "dyna_q";
    static constexpr bool random = true;
};
struct prioritized_sweeping_component : policy_component<prioritized_sweeping<float, 2>> {
    static constexpr std::string_view name = "prioritized_sweeping";
};
// How pessimistic it is comes from the log, by cutting customers in halves at random: fixed here, so that the seed changes nothing.
struct pessimistic_q_component : policy_component<q_learning<float, 2>> {
    static constexpr std::string_view name = "pessimistic_q";
    auto recipe() const { return pessimistic_q<float, 2>{.states = {3, 2}, .actions = 2, .pessimism = 1}; }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEST_CASE("contract: states", "[contract]") {
    check_component(state_space_component{});
    check_component(state_space_by_target_component{});
}

TEST_CASE("contract: policies", "[contract]") {
    check_component(q_learning_component{});
    check_component(sarsa_component{});
    check_component(expected_sarsa_component{});
    check_component(n_step_q_component{});
    check_component(q_lambda_component{});
    check_component(double_q_learning_component{});
    check_component(differential_q_learning_component{});
    check_component(dyna_q_component{});
    check_component(prioritized_sweeping_component{});
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
