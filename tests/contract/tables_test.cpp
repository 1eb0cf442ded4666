// Tables and columns to numbers, through the common contract (docs/contract.md). A new component gets an adapter here.
#include <cmath>
#include <string>
#include <vector>

#include <caramel/features/bucketize.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/features/concat.hpp>
#include <caramel/features/date_parts.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/hash_columns.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/polynomial.hpp>
#include <caramel/features/power_transform.hpp>
#include <caramel/features/quantile_transform.hpp>
#include <caramel/features/scale.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/features/target_encode.hpp>

#include "contract/data.hpp"
#include "support/catch.hpp"

namespace contract {
namespace {

template <class T>
struct standardize_component : deterministic {
    static constexpr std::string_view name = std::same_as<T, float> ? "standardize<float>" : "standardize<double>";
    auto recipe() const { return standardize<T>{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<T>(rows, seed); }
};
struct chain_component : deterministic {
    static constexpr std::string_view name = "standardize | concat(...)";
    auto recipe() const { return standardize<float>{} | concat(standardize<float>{}, standardize<float>{} | standardize<float>{}); }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<float>(rows, seed); }
};
struct impute_component : deterministic {
    static constexpr std::string_view name = "impute";
    static constexpr std::array skipped{skip{"C04", "a table refuses what is not finite when it is made"}};
    auto recipe() const { return impute{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return customers(rows, seed, true); }
    auto other_widths() const { return std::vector<table>{table(), data(5, 1).take_columns(std::vector<std::string>{"tenure", "contract"})}; }
    static constexpr std::string_view width_error = "missing_column";
};
struct encode_component : deterministic {
    static constexpr std::string_view name = "columns | impute | encode | standardize";
    static constexpr std::array skipped{skip{"C04", "a table refuses what is not finite when it is made"}};
    auto recipe() const { return columns({"contract", "tenure", "spend"}) | impute{} | encode<float>{} | standardize<float>{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return customers(rows, seed, true); }
    auto other_widths() const { return std::vector<table>{table(), data(5, 1).take_columns(std::vector<std::string>{"tenure", "contract"})}; }
    static constexpr std::string_view width_error = "missing_column";
};
// Column by column, as their defaults are.
template <class R>
struct columnwise_component : deterministic {
    static constexpr std::string_view name = fitted_t<R, matrix<double>>::kind;
    auto recipe() const { return R{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
};
struct by_target_component : deterministic {
    static constexpr std::string_view name = "bucketize_by_target";
    auto recipe() const { return bucketize_by_target<float>{.one_hot = true}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<float>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
};
struct table_component : deterministic {
    static constexpr std::array skipped{skip{"C04", "a table refuses what is not finite when it is made"}};
    auto data(std::size_t rows, std::uint64_t seed) const { return customers(rows, seed, true); }
    auto other_widths() const { return std::vector<table>{table(), data(5, 1).take_columns(std::vector<std::string>{"spend"})}; }
    static constexpr std::string_view width_error = "missing_column";
};
struct drop_columns_component : table_component {
    static constexpr std::string_view name = "drop_columns";
    auto recipe() const { return drop_columns({"spend"}); }
};
struct rename_columns_component : table_component {
    static constexpr std::string_view name = "rename_columns";
    auto recipe() const { return rename_columns({{"tenure", "months"}}); }
};
struct routing_component : table_component {
    static constexpr std::string_view name = "concat(numbers_only, categories_only)";
    auto recipe() const {
        return concat(numbers_only{} | impute{.indicators = missing_indicators::seen} | encode<float>{} | standardize<float>{},
                      categories_only{} | impute{} | encode<float>{.min_count = 4, .unknown = unknown_level::rare});
    }
};
struct ordinal_component : table_component {
    static constexpr std::string_view name = "columns | ordinal_encode";
    auto recipe() const { return columns({"contract", "tenure"}) | ordinal_encode<double>{.orders = {{"contract", {"month", "year", "two years"}}}}; }
};
struct target_encode_component : table_component {
    static constexpr std::string_view name = "impute | target_encode | standardize";
    static constexpr bool random = true;  // the folds, by which the last stage's training data differ
    auto recipe() const { return impute{} | target_encode<float>{.smoothing = 1} | standardize<float>{}; }
    auto targets(std::size_t rows, std::uint64_t seed) const {
        rng numbers(seed);
        std::vector<int> out(rows);
        for (auto& label : out) label = static_cast<int>(numbers.below(3));
        return out;
    }
};
struct hash_component : table_component {
    static constexpr std::string_view name = "impute | hash_columns";
    auto recipe() const { return impute{} | hash_columns<float>{.features = 7}; }
};
struct date_parts_component : table_component {
    static constexpr std::string_view name = "date_parts";
    auto recipe() const { return date_parts{}; }
    auto data(std::size_t rows, std::uint64_t seed) const {
        table out = customers(rows, seed, true);
        rng numbers(seed);
        std::vector<std::chrono::sys_seconds> joined(rows);
        for (auto& when : joined) when += std::chrono::seconds(numbers.below(2'000'000'000));
        std::vector<bool> missing(rows);
        if (rows > 3) missing[3] = true;
        out.add_column("joined", std::move(joined), missing);
        return out;
    }
};
struct timestamps_only_component : date_parts_component {
    static constexpr std::string_view name = "timestamps_only | date_parts";
    auto recipe() const { return timestamps_only{} | date_parts{}; }
};

}  // namespace
}  // namespace contract

using namespace contract;

TEST_CASE("contract: matrices", "[contract]") {
    check_component(standardize_component<float>{});
    check_component(standardize_component<double>{});
    check_component(chain_component{});
}

TEST_CASE("contract: column by column", "[contract]") {
    check_component(columnwise_component<robust_scale<double>>{});
    check_component(columnwise_component<min_max_scale<double>>{});
    check_component(columnwise_component<quantile_transform<double>>{});
    check_component(columnwise_component<power_transform<double>>{});
    check_component(columnwise_component<bucketize<double>>{});
    check_component(columnwise_component<polynomial<double>>{});
    check_component(by_target_component{});
}

TEST_CASE("contract: tables", "[contract]") {
    check_component(impute_component{});
    check_component(encode_component{});
    check_component(drop_columns_component{});
    check_component(rename_columns_component{});
    check_component(routing_component{});
    check_component(ordinal_component{});
    check_component(target_encode_component{});
    check_component(hash_component{});
    check_component(date_parts_component{});
    check_component(timestamps_only_component{});
}
