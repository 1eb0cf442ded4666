#ifndef CARAMEL_TESTS_CONTRACT_DATA_HPP
#define CARAMEL_TESTS_CONTRACT_DATA_HPP

// The data that components are put through the contract with.

#include <cstdint>
#include <string>
#include <vector>

#include <caramel/core/sparse.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/table.hpp>
#include <caramel/recommend/query.hpp>

#include "contract/contract.hpp"

namespace contract {

template <class T>
matrix<T> numbers(std::size_t rows, std::uint64_t seed, row_index columns = 3);
// A third of the values are not zero.
sparse_matrix<double> sparse_numbers(std::size_t rows, std::uint64_t seed, row_index columns);
std::vector<std::string> texts(std::size_t rows, std::uint64_t seed);
table customers(std::size_t rows, std::uint64_t seed, bool missing);
std::vector<int> classes(std::size_t rows, int n);
std::vector<double> values(std::size_t rows, std::uint64_t seed);
interactions<double> purchases(std::size_t customers, std::uint64_t seed);
interactions<double> purchases_given_twice(std::size_t customers, std::uint64_t seed);  // each in two parts, which are summed
interactions<double> purchases_of_one_item();
// Three a customer, a day apart.
interactions<float> dated_purchases(std::size_t customers, std::uint64_t seed, std::uint64_t items);
// A shop's log by customer: 1 to 6 invoices each, of one or two of 12 described items, within 200 days.
histories customers_of_a_shop(std::size_t customers, std::uint64_t seed);
std::vector<query> ask();
// All that is known of one customer or of one item is asked for with a history.
std::vector<query> ask_by_history();

// ---- what adapters begin with -------------------------------------------------------------------------------------------
struct texts_component : deterministic {
    static constexpr std::array skipped{skip{"C04", "there are no numbers to be other than finite"}, skip{"C37", "there are no columns to be too many"}};
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
};
struct recommender_component : deterministic {
    static constexpr std::array skipped{skip{"C04", "interactions refuse what is not finite when they are made"},
                                        skip{"C37", "there are no columns: unknown ids are C07"}};
    auto data(std::size_t rows, std::uint64_t seed) const { return purchases(rows, seed); }
    auto constant() const { return purchases_of_one_item(); }
    auto duplicated(std::size_t rows, std::uint64_t seed) const { return purchases_given_twice(rows, seed); }
    auto queries(std::uint64_t) const { return ask(); }
    auto safe_queries() const { return ask_by_history(); }
};

}  // namespace contract

#endif
