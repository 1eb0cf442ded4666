#ifndef CARAMEL_TESTS_CONTRACT_DATA_HPP
#define CARAMEL_TESTS_CONTRACT_DATA_HPP

// The data that components are put through the contract with, and how answers of every kind become bits.

#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <caramel/core/padded.hpp>
#include <caramel/core/sparse.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/interactions.hpp>
#include <caramel/data/table.hpp>
#include <caramel/policy/explore.hpp>
#include <caramel/policy/transition.hpp>
#include <caramel/recommend/query.hpp>

#include "contract/contract.hpp"

namespace contract {

// ---- data ------------------------------------------------------------------------------------------------------------
template <class T>
matrix<T> numbers(std::size_t rows, std::uint64_t seed, row_index columns = 3) {
    rng random(seed);
    matrix<T> x(static_cast<row_index>(rows), columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(random.normal());
    return x;
}
// A third of the values are not zero.
inline sparse_matrix<double> sparse_numbers(std::size_t rows, std::uint64_t seed, row_index columns) {
    rng random(seed + 100);
    matrix<double> x = numbers<double>(rows, seed, columns);
    for (row_index i = 0; i < x.size(); ++i)
        if (random.below(3) != 0) x.data()[i] = 0;
    return sparse_matrix<double>(x);
}
inline std::vector<std::string> texts(std::size_t rows, std::uint64_t seed) {
    static const std::vector<std::string> words{"where", "is", "my", "order", "cancel", "the", "plan", "thank", "you", "Ärger", "订单", "don't"};
    rng random(seed);
    std::vector<std::string> out(rows);
    for (auto& text : out)
        for (std::size_t n = random.below(9); n-- > 0;) text += words[random.below(words.size())] + (n % 3 == 0 ? ", " : " ");
    if (rows > 1) out[1].clear();
    if (rows > 0) out[0] = "where is my order";
    return out;
}
inline table customers(std::size_t rows, std::uint64_t seed, bool missing) {
    rng random(seed);
    std::vector<double> tenure(rows), spend(rows);
    std::vector<std::string> contract(rows);
    std::vector<bool> no_spend(rows), no_contract(rows);
    static const std::vector<std::string> kinds{"month", "year", "two years"};
    for (std::size_t i = 0; i < rows; ++i) {
        tenure[i] = random.normal();
        spend[i] = 10 * random.uniform();
        contract[i] = kinds[random.below(3)];
        no_spend[i] = missing && i % 7 == 3;
        no_contract[i] = missing && i % 5 == 2;
    }
    table out;
    out.add_column("tenure", std::move(tenure));
    out.add_column("spend", std::move(spend), no_spend);
    out.add_column("contract", std::move(contract), no_contract);
    return out;
}
inline std::vector<int> classes(std::size_t rows, int n) {
    std::vector<int> out(rows);
    for (std::size_t i = 0; i < rows; ++i) out[i] = static_cast<int>(i) % n;
    return out;
}
inline interactions<double> purchases(std::size_t customers, std::uint64_t seed) {
    rng random(seed);
    struct entry {
        int customer, item;
        double value;
    };
    std::vector<entry> log;
    for (std::size_t c = 0; c < customers; ++c)
        for (int i = 0; i < 15; ++i)
            if (random.uniform() < 0.3) log.push_back({static_cast<int>(c), i, 1 + static_cast<double>(random.below(4))});
    if (customers > 0 && log.empty()) log.push_back({0, 0, 1});
    return interactions<double>::of(log);
}
// A shop's log by customer: 1 to 6 invoices each, of one or two of 12 described items, within 200 days.
inline histories customers_of_a_shop(std::size_t customers, std::uint64_t seed) {
    rng random(seed);
    const auto described = texts(12, 1);
    item_catalog items;
    for (std::size_t i = 0; i < described.size(); ++i) {
        items.ids.push_back("item " + std::to_string(10 + i));
        items.descriptions.push_back(described[i]);
    }
    const std::chrono::sys_seconds as_of{std::chrono::sys_days{std::chrono::year{2020} / 6 / 1}};
    std::vector<std::int32_t> numbers, bought, invoices;
    std::vector<std::string> ids;
    std::vector<std::uint64_t> starts{0};
    std::vector<double> quantities, prices;
    std::vector<std::chrono::sys_seconds> times;
    for (std::size_t c = 0; c < customers; ++c) {
        numbers.push_back(static_cast<std::int32_t>(c));
        ids.push_back("customer " + std::to_string(1000 + c));
        auto when = as_of - std::chrono::hours(24 * 100 + random.below(24 * 100));
        for (std::size_t n = 1 + random.below(6); n-- > 0; when += std::chrono::hours(1 + random.below(24 * 16)))
            for (std::size_t rows = 1 + random.below(2); rows-- > 0;) {
                bought.push_back(static_cast<std::int32_t>(random.below(12)));
                invoices.push_back(static_cast<std::int32_t>(10 * c + n));
                quantities.push_back(1 + static_cast<double>(random.below(4)));
                prices.push_back(1 + 10 * random.uniform());
                times.push_back(when);
            }
        starts.push_back(bought.size());
    }
    return {as_of, std::move(items), std::move(numbers), std::move(ids), starts, bought, invoices, quantities, prices, times};
}
inline std::vector<query> ask(std::uint64_t) {
    std::vector<query> out(5);
    out[0].customer = 0;
    out[1].customer = 3;
    out[1].n = 4;
    out[2].customer = 7;
    out[2].exclude_seen = false;
    out[3].history = std::vector<past_purchase>{{1, 2}, {4, 1}};
    out[4].customer = 12;
    out[4].n = 0;
    return out;
}

template <class T>
struct more_bits<sparse_matrix<T>> {
    static void append(std::string& out, const sparse_matrix<T>& x) {
        append_bits(out, x.cols());
        append_bits(out, x.column_numbers());
        append_bits(out, x.values());
        append_bits(out, x.starts());
    }
};
template <class T>
struct more_bits<sparse_row<T>> {
    static void append(std::string& out, const sparse_row<T>& x) {
        for (const std::int32_t column : x.columns) append_bits(out, column);
        for (const T value : x.values) append_bits(out, value);
    }
};
template <class T>
struct more_bits<padded<T>> {
    static void append(std::string& out, const padded<T>& x) {
        append_bits(out, x.lengths);
        for (std::size_t i = 0; i < count(x); ++i) append_bits(out, std::vector<T>(x[i].begin(), x[i].end()));
    }
};
template <class T>
struct more_bits<interactions<T>> {
    static void append(std::string& out, const interactions<T>& x) {
        const auto rows = x.by_customer();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            for (const auto id : rows.ids_of(i)) append_bits(out, id);
            for (const auto value : rows.values_of(i)) append_bits(out, value);
        }
    }
};
template <class T>
struct more_bits<recommendation<T>> {
    static void append(std::string& out, const recommendation<T>& x) {
        append_bits(out, x.item);
        append_bits(out, x.score);
    }
};
template <>
struct more_bits<query> {
    static void append(std::string& out, const query& q) {
        append_bits(out, q.n);
        append_bits(out, q.exclude_seen);
        append_bits(out, q.deny.size());
    }
};
template <std::size_t N>
struct more_bits<transition<N>> {
    static void append(std::string& out, const transition<N>& t) {
        append_bits(out, t.state);
        append_bits(out, t.action);
        append_bits(out, t.reward);
        append_bits(out, t.next_state);
        append_bits(out, t.terminal);
    }
};
template <std::size_t N>
struct more_bits<decision<N>> {
    static void append(std::string& out, const decision<N>& d) {
        append_bits(out, d.state);
        if (d.allowed) append_bits(out, *d.allowed);
    }
};
template <>
struct more_bits<choice> {
    static void append(std::string& out, const choice& c) {
        append_bits(out, c.action);
        append_bits(out, c.propensity);
        append_bits(out, c.value);
    }
};
template <>
struct more_bits<histories> {
    static void append(std::string& out, const histories& x) {
        append_bits(out, x.as_of().time_since_epoch().count());
        append_bits(out, x.ids());
        append_bits(out, x.items().ids);
        append_bits(out, x.items().descriptions);
        for (std::size_t i = 0; i < x.size(); ++i) {
            append_bits(out, x.customer(i));
            for (const transaction& t : x[i].purchases) {
                append_bits(out, t.item);
                append_bits(out, t.invoice);
                append_bits(out, t.quantity);
                append_bits(out, t.price);
                append_bits(out, t.when.time_since_epoch().count());
            }
        }
    }
};
template <>
struct more_bits<table_row> {
    static void append(std::string& out, const table_row& row) {
        for (const auto& c : row.cells) {
            append_bits(out, c.type);
            append_bits(out, c.missing);
            append_bits(out, c.number);
            append_bits(out, c.integer);
            append_bits(out, c.text());
        }
    }
};
template <>
struct more_bits<table> {
    static void append(std::string& out, const table& x) {
        workspace scratch;
        for (std::size_t i = 0; i < x.rows(); ++i) append_bits(out, row_of(x, i, scratch));
    }
};

// ---- what adapters begin with -------------------------------------------------------------------------------------------
struct deterministic {
    static constexpr bool random = false;
};
struct no_numbers : deterministic {
    static constexpr std::array skipped{skip{"C04", "there are no numbers to be other than finite"}, skip{"C37", "there are no columns to be too many"}};
};
struct recommender_component : deterministic {
    static constexpr std::array skipped{skip{"C04", "interactions refuse what is not finite when they are made"},
                                        skip{"C37", "there are no columns: unknown ids are checked with each recommender"}};
    auto data(std::size_t rows, std::uint64_t seed) const { return purchases(rows, seed); }
    auto constant() const {
        struct entry {
            int customer, item;
        };
        std::vector<entry> same;
        for (int c = 0; c < 20; ++c) same.push_back({c, 4});
        return interactions<double>::of(same);
    }
    auto queries(std::uint64_t seed) const { return ask(seed); }
    // Of one customer or of one item, all that is known is asked for with a history.
    auto safe_queries() const { return std::vector<query>{{.history = std::vector<past_purchase>{{4, 1}}}}; }
};

}  // namespace contract

#endif
