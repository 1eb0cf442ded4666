// Linear models, trees, and what wraps classifiers, through the common contract (docs/contract.md). A new component gets an adapter here.
#include <cmath>
#include <string>
#include <vector>

#include <caramel/any_recipe.hpp>
#include <caramel/evaluate/calibration.hpp>
#include <caramel/evaluate/metrics.hpp>
#include <caramel/evaluate/monitored.hpp>
#include <caramel/evaluate/search.hpp>
#include <caramel/evaluate/stacked.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/encode_sparse.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/linear_svm.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/linear/ridge.hpp>
#include <caramel/linear/sparse_logistic.hpp>
#include <caramel/trees/boosted_trees.hpp>

#include "contract/data.hpp"
#include "support/catch.hpp"

namespace contract {
namespace {

template <class T, int Classes>
struct logistic_component : deterministic {
    static constexpr bool reports = true;
    static constexpr bool probabilities = true;
    static constexpr std::string_view name = std::same_as<T, float> ? "logistic<float>" : "logistic<double>";
    auto recipe() const { return logistic<T>{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<T>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, Classes); }
};
template <class T, int Classes>
struct boosted_trees_component {
    static constexpr bool reports = true;
    static constexpr bool probabilities = true;
    static constexpr std::string_view name = Classes == 2 ? "boosted_trees<float>, 2 classes" : "boosted_trees<double>, 3 classes";
    static constexpr bool random = true;
    auto recipe() const { return boosted_trees<T>{.n_trees = 5, .min_child_weight = 0}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<T>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, Classes); }
};
struct boosted_trees_regressor_component {
    static constexpr bool reports = true;
    static constexpr std::string_view name = "boosted_trees_regressor";
    static constexpr bool random = true;
    auto recipe() const { return boosted_trees_regressor<double>{.n_trees = 5}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t seed) const {
        return values(rows, seed + 1);
    }
};
struct logistic_l1_component : deterministic {
    static constexpr bool probabilities = true;
    static constexpr std::string_view name = "logistic with l1";
    auto recipe() const { return logistic<double>{.regularization = 0.1, .l1 = 0.5}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 3); }
};
template <class T>
struct ridge_component : deterministic {
    static constexpr std::string_view name = std::same_as<T, float> ? "ridge<float>" : "ridge<double>";
    auto recipe() const { return ridge<T>{.candidates = {0.1, 1, 10}}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<T>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t seed) const { return numbers<T>(rows, seed + 1, 2); }
};
// One class against the others, in random order: of float and dense, then of double and sparse.
template <class Recipe, int Classes>
struct dual_component {
    static constexpr std::string_view name = fitted_t<Recipe, matrix<float>, std::vector<int>>::kind;
    static constexpr bool random = true;
    auto recipe() const { return Recipe{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<float>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, Classes); }
};
template <class Recipe, int Classes>
struct sparse_component {
    static constexpr std::string_view name = std::same_as<Recipe, linear_svm<double>> ? "linear_svm, sparse" : "sparse_logistic, sparse";
    static constexpr bool random = true;
    static constexpr std::array skipped{skip{"C04", "a sparse matrix refuses what is not finite when it is made"}};
    auto recipe() const { return Recipe{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return sparse_numbers(rows, seed, 9); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, Classes); }
    auto other_widths() const { return std::vector{sparse_numbers(5, 3, 0), sparse_numbers(5, 3, 8), sparse_numbers(5, 3, 10), sparse_numbers(5, 3, 18)}; }
    static constexpr std::string_view width_error = "shape_mismatch";
};
struct encode_sparse_component {
    static constexpr bool probabilities = true;
    static constexpr std::string_view name = "impute | encode_sparse | sparse_logistic";
    static constexpr bool random = true;
    static constexpr std::array skipped{skip{"C04", "a table refuses what is not finite when it is made"}};
    auto recipe() const { return impute{} | encode_sparse<double>{} | sparse_logistic<double>{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return customers(rows, seed, true); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
    auto other_widths() const { return std::vector<table>{table(), data(5, 1).take_columns(std::vector<std::string>{"tenure", "contract"})}; }
    static constexpr std::string_view width_error = "missing_column";
};
// Probabilities of classes, calibrated.
template <class Calibration, row_index Classes>
struct calibration_component : deterministic {
    static constexpr bool probabilities = true;
    static constexpr std::string_view name = decltype(Calibration{}.fit(matrix<float>(), {}, {}))::kind;
    auto recipe() const { return Calibration{}; }
    auto data(std::size_t rows, std::uint64_t seed) const {
        auto p = numbers<float>(rows, seed, Classes);
        for (row_index i = 0; i < p.rows(); ++i) caramel::detail::softmax_row(std::span(p.row(i).data(), static_cast<std::size_t>(Classes)));
        return p;
    }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, static_cast<int>(Classes)); }
};
struct calibrated_component : deterministic {
    static constexpr bool probabilities = true;
    static constexpr std::string_view name = "calibrated(standardize | logistic, isotonic)";
    static constexpr std::array skipped{skip{"P1", "the recipe is no chain: errors name it"}};
    auto recipe() const { return calibrated(standardize<double>{} | logistic<double>{}, isotonic<double>{}, fold_plan{.kind = fold_kind::modulo}); }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
};
struct stacked_component {
    static constexpr bool probabilities = true;
    static constexpr std::string_view name = "stacked";
    static constexpr bool random = true;
    auto recipe() const { return stacked(logistic<double>{}, boosted_trees<double>{.n_trees = 3}); }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
};
// Erased: a call takes what the recipe within was erased for, a matrix, and no spans.
struct any_recipe_component : deterministic {
    static constexpr bool probabilities = true;
    static constexpr std::string_view name = "any_recipe(logistic)";
    static constexpr bool not_saved = true;
    auto recipe() const { return any_recipe<matrix<double>, std::vector<int>, matrix<double>>(logistic<double>{}); }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
};
struct monitored_component : deterministic {
    static constexpr bool probabilities = true;
    static constexpr std::string_view name = "monitored(impute | encode | logistic)";
    static constexpr std::array skipped{skip{"C04", "a table refuses what is not finite when it is made"}};
    auto recipe() const { return monitored({"tenure", "contract"}, impute{} | encode<double>{} | logistic<double>{}); }
    auto data(std::size_t rows, std::uint64_t seed) const { return customers(rows, seed, true); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
    auto other_widths() const { return std::vector<table>{table(), data(5, 1).take_columns(std::vector<std::string>{"tenure", "contract"})}; }
    static constexpr std::string_view width_error = "missing_column";
};
struct best_of_component : deterministic {
    static constexpr bool probabilities = true;
    static constexpr std::string_view name = "best_of(standardize | logistic, ...)";
    static constexpr std::array skipped{skip{"P1", "the recipe is no chain: errors name it"}};
    auto recipe() const {
        const auto make = [](double r) { return standardize<float>{} | logistic<float>{.regularization = r}; };
        return best_of(recipe_grid(make, std::vector{0.1, 10.0}), by_log_loss{}, fold_plan{.kind = fold_kind::modulo});
    }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<float>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEST_CASE("contract: linear models", "[contract]") {
    check_component(logistic_component<float, 2>{});
    check_component(logistic_component<double, 3>{});
    check_component(logistic_l1_component{});
    check_component(ridge_component<float>{});
    check_component(ridge_component<double>{});
    check_component(dual_component<linear_svm<float>, 3>{});
    check_component(dual_component<sparse_logistic<float>, 2>{});
    check_component(sparse_component<linear_svm<double>, 2>{});
    check_component(sparse_component<sparse_logistic<double>, 3>{});
    check_component(encode_sparse_component{});
}

TEST_CASE("contract: trees", "[contract]") {
    check_component(boosted_trees_component<float, 2>{});
    check_component(boosted_trees_component<double, 3>{});
    check_component(boosted_trees_regressor_component{});
}

TEST_CASE("contract: calibration and search", "[contract]") {
    check_component(calibration_component<platt_scaling<float>, 3>{});
    check_component(calibration_component<isotonic<float>, 2>{});
    check_component(calibration_component<temperature_scaling<float>, 3>{});
    check_component(calibrated_component{});
    check_component(best_of_component{});
    check_component(stacked_component{});
    check_component(any_recipe_component{});
    check_component(monitored_component{});
}
