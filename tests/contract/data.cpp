// What the checks see of data and answers, for every type of them that there is; and the data themselves.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <xtensor/xadapt.hpp>

#include <caramel/core/padded.hpp>
#include <caramel/core/random.hpp>
#include <caramel/core/take_rows.hpp>
#include <caramel/core/tensor.hpp>
#include <caramel/policy/explore.hpp>
#include <caramel/policy/transition.hpp>

#include "contract/data.hpp"

#ifdef CARAMEL_TESTS_THREADS_ONLY
#pragma GCC diagnostic ignored "-Wunused-function"  // what only the other checks call
#endif

namespace contract {

// ---- bits ------------------------------------------------------------------------------------------------------------
namespace {

template <class T>
struct more_bits;  // specialized beside the adapters for what is neither number, text nor container

template <class T>
void append_bits(std::string& out, const T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
        out.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else if constexpr (requires { value.template cast<double>(); value.rows(); value.cols(); }) {
        append_bits(out, value.rows());
        append_bits(out, value.cols());
        for (row_index i = 0; i < value.rows(); ++i)
            for (row_index j = 0; j < value.cols(); ++j) append_bits(out, value(i, j));
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        const std::string_view text(value);
        append_bits(out, text.size());
        out += text;
    } else if constexpr (requires { more_bits<T>::append(out, value); }) {
        more_bits<T>::append(out, value);
    } else if constexpr (requires { value.values(); value.starts(); }) {
        append_bits(out, value.values());
        append_bits(out, value.starts());
    } else {
        for (const auto& part : value) append_bits(out, part);
        append_bits(out, std::size_t{7});
    }
}
template <class T>
std::string bits_of(const T& value) {
    std::string out;
    append_bits(out, value);
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
        for (std::size_t i = 0; i < caramel::detail::row_count(x); ++i) append_bits(out, std::vector<T>(x[i].begin(), x[i].end()));
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

// The numbers of one answer, wherever they lie.
template <class Out>
std::string bits_of_row(const Out& out, std::size_t i) {
    if constexpr (requires { out.row(0).data(); }) {
        const auto row = out.row(static_cast<row_index>(i));
        std::string bits;
        for (row_index j = 0; j < row.size(); ++j) append_bits(bits, row(j));
        return bits;
    } else if constexpr (std::same_as<Out, table>) {
        workspace scratch;
        return bits_of(row_of(out, i, scratch));
    } else if constexpr (requires { out[i].begin(); }) {
        std::string bits;
        for (const auto& part : out[i]) append_bits(bits, part);
        return bits;
    } else {
        return bits_of(out[i]);
    }
}
template <class Row>
std::string bits_of_single(const Row& row) {
    if constexpr (requires { row.begin(); row.end(); }) {
        std::string bits;
        for (const auto& part : row) append_bits(bits, part);
        return bits;
    } else {
        return bits_of(row);
    }
}


// The numbers of an answer's row, and whether all that could be are finite.
template <class T>
    requires std::is_arithmetic_v<T>
void note(const T& x, std::vector<double>& numbers) {
    numbers.push_back(static_cast<double>(x));
}
void note(const choice& c, std::vector<double>& numbers) { numbers = {static_cast<double>(c.action), c.propensity, c.value}; }
template <class Row>
    requires requires(const Row& row) { row.begin(); row.end(); }
void note(const Row& row, std::vector<double>& numbers) {
    if constexpr (requires { note(*row.begin(), numbers); })
        for (const auto& x : row) note(x, numbers);
}
template <class T>
void note(const recommendation<T>&, std::vector<double>&) {}
template <class T>
void note(const sparse_row<T>& row, std::vector<double>& numbers) {
    for (const T value : row.values) numbers.push_back(static_cast<double>(value));
}
template <class Out>
inline constexpr bool ranks = false;
template <class T>
inline constexpr bool ranks<ragged<recommendation<T>>> = true;

}  // namespace

std::string answers::bits() const {
    std::string out;
    for (const auto& row : rows) append_bits(out, row);
    return out;
}

template <class Out>
answers read_answers(const Out& out) {
    answers all;
    all.decisions = std::same_as<Out, std::vector<choice>>;
    const std::size_t n = caramel::detail::row_count(out);
    for (std::size_t i = 0; i < n; ++i) {
        all.rows.push_back(bits_of_row(out, i));
        auto& row = all.numbers.emplace_back();
        if constexpr (requires { out.row(0).data(); }) {
            for (row_index j = 0; j < out.cols(); ++j) row.push_back(static_cast<double>(out(static_cast<row_index>(i), j)));
        } else if constexpr (ranks<Out>) {
            auto& list = all.ranked.emplace_back();
            for (const auto& pick : out[i]) {
                list.emplace_back(pick.item, pick.score);
                row.push_back(pick.score);
            }
        } else if constexpr (requires { note(out[i], row); }) {
            note(out[i], row);
        }
        for (const double x : row) all.finite = all.finite && std::isfinite(x);
    }
    return all;
}
template <class Row>
void read_single(const Row& row, answers& into) {
    into.rows.push_back(bits_of_single(row));
}

// ---- data ------------------------------------------------------------------------------------------------------------
namespace {

template <class T>
inline constexpr bool is_matrix = requires { typename T::Scalar; };
template <class T>
constexpr bool is_sparse = false;
template <class T>
constexpr bool is_sparse<sparse_matrix<T>> = true;
template <class T>
constexpr bool is_purchases = false;
template <class T>
constexpr bool is_purchases<interactions<T>> = true;
template <class T>
constexpr bool is_log = false;
template <std::size_t N>
constexpr bool is_log<std::vector<transition<N>>> = true;
template <class T>
constexpr bool are_decisions = false;
template <std::size_t N>
constexpr bool are_decisions<std::vector<decision<N>>> = true;

histories with_values(const histories& x, double factor) {
    auto [as_of, items, customers, ids, starts, bought, invoices, quantities, prices, times] = x.fields();
    for (double& price : prices) price *= factor;
    return {as_of, items, customers, ids, starts, bought, invoices, quantities, prices, times};
}
table with_numbers(const table& x, double factor) {
    table out;
    for (std::size_t j = 0; j < x.columns(); ++j) {
        const auto& column = x.column(j);
        if (column.type() != column_type::number) {
            out.add_column(x.names()[j], column);
            continue;
        }
        std::vector<double> scaled(column.numbers().begin(), column.numbers().end());
        std::vector<bool> missing(scaled.size());
        for (std::size_t i = 0; i < scaled.size(); ++i) {
            scaled[i] *= factor;
            missing[i] = column.missing(i);
        }
        out.add_column(x.names()[j], std::move(scaled), missing);
    }
    return out;
}
// The levels of `contract` are others than in training.
table with_other_levels(const table& x) {
    table out;
    for (std::size_t j = 0; j < x.columns(); ++j)
        if (x.names()[j] == "contract") out.add_column("contract", std::vector<std::string>(x.rows(), "never seen"));
        else out.add_column(x.names()[j], x.column(j));
    return out;
}
template <class T>
interactions<T> with_values(const interactions<T>& x, double factor, bool huge_ids) {
    struct entry {
        std::int64_t customer, item;
        double value;
        std::chrono::sys_seconds time;
    };
    std::vector<entry> log;
    for (std::size_t row = 0; row < x.rows(); ++row) {
        const auto mine = x[row];
        for (std::size_t k = 0; k < mine.size(); ++k) {
            std::int64_t customer = x.customers().number(row), item = x.items().number(static_cast<std::size_t>(mine.items[k]));
            if (huge_ids) {
                customer = std::numeric_limits<std::int64_t>::max() - customer;
                item += (std::int64_t{1} << 32) - 16;
            }
            const auto when = mine.seconds.empty() ? std::chrono::sys_seconds{} : std::chrono::sys_seconds(std::chrono::seconds(mine.seconds[k]));
            log.push_back({customer, item, factor * static_cast<double>(mine.values[k]), when});
        }
    }
    return interactions<T>::of(log);
}

}  // namespace

template <class X>
std::size_t data_of<X>::count() const {
    return caramel::detail::row_count(value);
}
template <class X>
std::string data_of<X>::bits() const {
    return bits_of(value);
}
template <class X>
data_ptr data_of<X>::rows(const std::vector<std::size_t>& which) const {
    if constexpr (is_purchases<X>) return nullptr;
    else return make_data(X(take_rows(value, which)));
}
template <class X>
data_ptr data_of<X>::scaled(double factor) const {
    if constexpr (is_matrix<X>) {
        return make_data(X(value * static_cast<typename X::Scalar>(factor)));
    } else if constexpr (is_sparse<X>) {
        auto numbers = value.values();
        std::vector<typename decltype(numbers)::value_type> out(numbers.begin(), numbers.end());
        for (auto& x : out) x *= factor;
        return make_data(X(static_cast<std::size_t>(value.cols()), {value.column_numbers().begin(), value.column_numbers().end()}, std::move(out),
                           {value.starts().begin(), value.starts().end()}));
    } else if constexpr (std::same_as<X, table>) {
        return make_data(with_numbers(value, factor));
    } else if constexpr (std::same_as<X, histories>) {
        return make_data(with_values(value, factor));
    } else if constexpr (is_purchases<X>) {
        return make_data(with_values(value, factor, false));
    } else if constexpr (is_log<X>) {
        X out = value;
        for (auto& t : out) t.reward *= factor;
        return make_data(std::move(out));
    } else if constexpr (std::same_as<X, std::vector<double>>) {
        X out = value;
        for (auto& x : out) x *= factor;
        return make_data(std::move(out));
    } else {
        return nullptr;
    }
}
template <class X>
data_ptr data_of<X>::of_width([[maybe_unused]] std::size_t columns) const {
    if constexpr (is_matrix<X>) return make_data(X(X::Zero(value.rows(), static_cast<row_index>(columns))));
    else if constexpr (is_sparse<X>) return make_data(X(matrix<double>::Zero(static_cast<row_index>(count()), static_cast<row_index>(columns))));
    else return nullptr;
}
template <class X>
std::size_t data_of<X>::columns() const {
    if constexpr (requires { value.cols(); }) return static_cast<std::size_t>(value.cols());
    else return 0;
}
template <class X>
bool data_of<X>::poison([[maybe_unused]] std::size_t row, [[maybe_unused]] std::size_t column, [[maybe_unused]] double bad) {
    if constexpr (is_matrix<X>) {
        value(static_cast<row_index>(row), static_cast<row_index>(column)) = static_cast<typename X::Scalar>(bad);
        return true;
    } else if constexpr (std::same_as<X, histories>) {
        auto [as_of, items, customers, ids, starts, bought, invoices, quantities, prices, times] = value.fields();
        prices[starts[row]] = bad;
        value = {as_of, items, customers, ids, starts, bought, invoices, quantities, prices, times};
        return true;
    } else if constexpr (is_log<X>) {
        value[row].reward = bad;
        return true;
    } else {
        return false;
    }
}
template <class X>
data_ptr data_of<X>::with_unknown() const {
    if constexpr (std::same_as<X, std::vector<query>>) {
        X out(2);
        out[0].customer = 0;
        out[1].customer = 999;
        return make_data(std::move(out));
    } else if constexpr (are_decisions<X>) {
        X out = value;
        out.back().state[1] = 2;
        return make_data(std::move(out));
    } else if constexpr (std::same_as<X, std::vector<std::string>>) {
        return make_data(X{"zyzzyva qwerty", "never 见过 seen", "order zyzzyva"});
    } else if constexpr (std::same_as<X, token_ids>) {
        X out = value;
        out.append_row(std::vector<token_id>{static_cast<token_id>(out.vocabulary_size)});
        return make_data(std::move(out));
    } else if constexpr (std::same_as<X, table>) {
        return make_data(with_other_levels(value));
    } else if constexpr (std::same_as<X, histories>) {
        auto [as_of, items, customers, ids, starts, bought, invoices, quantities, prices, times] = value.fields();
        for (std::size_t i = 0; i < items.ids.size(); ++i) items.ids[i] = "never seen " + std::to_string(10 + i);
        return make_data(X(as_of, items, customers, ids, starts, bought, invoices, quantities, prices, times));
    } else {
        return nullptr;
    }
}
template <class X>
data_ptr data_of<X>::with_huge_ids() const {
    if constexpr (is_purchases<X>) {
        return make_data(with_values(value, 1, true));
    } else if constexpr (std::same_as<X, std::vector<query>>) {
        X out(1);
        out[0].customer = std::numeric_limits<std::int64_t>::max();
        out[0].deny = {std::numeric_limits<std::int64_t>::max()};
        return make_data(std::move(out));
    } else if constexpr (is_log<X>) {
        X out = value;
        out.back().next_state = {std::size_t{1} << 63, 0};
        out.back().terminal = false;
        return make_data(std::move(out));
    } else if constexpr (are_decisions<X>) {
        X out = value;
        out.back().state = {std::size_t{1} << 63, 0};
        return make_data(std::move(out));
    } else if constexpr (std::same_as<X, token_ids>) {
        X out = value;
        out.append_row(std::vector<token_id>{std::numeric_limits<token_id>::max()});
        return make_data(std::move(out));
    } else {
        return nullptr;
    }
}

// In layouts but the first there are other numbers around those of the matrix, which none may read.
template <class T>
laid_out<T>::laid_out(const matrix<T>& x, layout how) : how_(how), width_(x.cols()) {
    if (how == layout::columns) {
        columns_ = x;
    } else if (how == layout::block) {
        rows_ = matrix<T>::Constant(x.rows() + 2, x.cols() + 3, std::numeric_limits<T>::quiet_NaN());
        rows_.block(1, 2, x.rows(), x.cols()) = x;
    } else {
        rows_ = x;
    }
}
template <class T>
matrix_in<T> laid_out<T>::view() const {
    if (how_ == layout::columns) return columns_;
    if (how_ == layout::block) return rows_.block(1, 2, rows_.rows() - 2, width_);
    if (how_ == layout::tensor) {
        const std::array<std::size_t, 2> shape{static_cast<std::size_t>(rows_.rows()), static_cast<std::size_t>(rows_.cols())};
        return xt::adapt(rows_.data(), static_cast<std::size_t>(rows_.size()), xt::no_ownership(), shape);
    }
    return rows_;
}

template <class T>
matrix<T> numbers(std::size_t rows, std::uint64_t seed, row_index columns) {
    rng random(seed);
    matrix<T> x(static_cast<row_index>(rows), columns);
    for (row_index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(random.normal());
    return x;
}
sparse_matrix<double> sparse_numbers(std::size_t rows, std::uint64_t seed, row_index columns) {
    rng random(seed + 100);
    matrix<double> x = numbers<double>(rows, seed, columns);
    for (row_index i = 0; i < x.size(); ++i)
        if (random.below(3) != 0) x.data()[i] = 0;
    return sparse_matrix<double>(x);
}
std::vector<std::string> texts(std::size_t rows, std::uint64_t seed) {
    static const std::vector<std::string> words{"where", "is", "my", "order", "cancel", "the", "plan", "thank", "you", "Ärger", "订单", "don't"};
    rng random(seed);
    std::vector<std::string> out(rows);
    for (auto& text : out)
        for (std::size_t n = random.below(9); n-- > 0;) text += words[random.below(words.size())] + (n % 3 == 0 ? ", " : " ");
    if (rows > 1) out[1].clear();
    if (rows > 0) out[0] = "where is my order";
    return out;
}
table customers(std::size_t rows, std::uint64_t seed, bool missing) {
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
std::vector<int> classes(std::size_t rows, int n) {
    std::vector<int> out(rows);
    for (std::size_t i = 0; i < rows; ++i) out[i] = static_cast<int>(i) % n;
    return out;
}
std::vector<double> values(std::size_t rows, std::uint64_t seed) {
    const auto y = numbers<double>(rows, seed, 1);
    return {y.data(), y.data() + y.size()};
}
namespace {
struct purchase {
    int customer, item;
    double value;
};
std::vector<purchase> log_of(std::size_t customers, std::uint64_t seed) {
    rng random(seed);
    std::vector<purchase> log;
    for (std::size_t c = 0; c < customers; ++c)
        for (int i = 0; i < 15; ++i)
            if (random.uniform() < 0.3) log.push_back({static_cast<int>(c), i, 1 + static_cast<double>(random.below(4))});
    if (customers > 0 && log.empty()) log.push_back({0, 0, 1});
    return log;
}
}  // namespace
interactions<double> purchases(std::size_t customers, std::uint64_t seed) { return interactions<double>::of(log_of(customers, seed)); }
interactions<double> purchases_given_twice(std::size_t customers, std::uint64_t seed) {
    std::vector<purchase> log;
    for (const purchase& p : log_of(customers, seed)) log.insert(log.end(), {{p.customer, p.item, 0.25}, {p.customer, p.item, p.value - 0.25}});
    return interactions<double>::of(log);
}
interactions<double> purchases_of_one_item() {
    std::vector<purchase> same;
    for (int c = 0; c < 20; ++c) same.push_back({c, 4, 1});
    return interactions<double>::of(same);
}
interactions<float> dated_purchases(std::size_t customers, std::uint64_t seed, std::uint64_t items) {
    struct entry {
        int customer, item;
        std::chrono::sys_seconds time;
    };
    rng random(seed);
    std::vector<entry> log;
    for (std::size_t row = 0; row < customers; ++row)
        for (int k = 0; k < 3; ++k)
            log.push_back({static_cast<int>(row), static_cast<int>(random.below(items)), std::chrono::sys_seconds(std::chrono::hours(k * 24))});
    return interactions<float>::of(log);
}
histories customers_of_a_shop(std::size_t customers, std::uint64_t seed) {
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
std::vector<query> ask() {
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
std::vector<query> ask_by_history() { return {{.history = std::vector<past_purchase>{{4, 1}}}}; }

// ---- the types that there are ----------------------------------------------------------------------------------------
template class data_of<matrix<float>>;
template class data_of<matrix<double>>;
template class data_of<sparse_matrix<double>>;
template class data_of<std::vector<std::string>>;
template class data_of<std::vector<int>>;
template class data_of<std::vector<double>>;
template class data_of<token_ids>;
template class data_of<table>;
template class data_of<histories>;
template class data_of<interactions<float>>;
template class data_of<interactions<double>>;
template class data_of<std::vector<query>>;
template class data_of<std::vector<transition<2>>>;
template class data_of<std::vector<decision<2>>>;
template class laid_out<float>;
template class laid_out<double>;
template matrix<float> numbers(std::size_t, std::uint64_t, row_index);
template matrix<double> numbers(std::size_t, std::uint64_t, row_index);

#define CONTRACT_ANSWERS(...) template answers read_answers(const __VA_ARGS__&)
#define CONTRACT_SINGLE(...) template void read_single(const __VA_ARGS__&, answers&)
CONTRACT_ANSWERS(matrix<float>);
CONTRACT_ANSWERS(matrix<double>);
CONTRACT_ANSWERS(sparse_matrix<float>);
CONTRACT_ANSWERS(std::vector<float>);
CONTRACT_ANSWERS(std::vector<double>);
CONTRACT_ANSWERS(token_ids);
CONTRACT_ANSWERS(padded<float>);
CONTRACT_ANSWERS(table);
CONTRACT_ANSWERS(ragged<recommendation<float>>);
CONTRACT_ANSWERS(ragged<recommendation<double>>);
CONTRACT_ANSWERS(std::vector<choice>);
CONTRACT_SINGLE(std::span<const float>);
CONTRACT_SINGLE(std::span<const double>);
CONTRACT_SINGLE(std::span<const token_id>);
CONTRACT_SINGLE(sparse_row<float>);
CONTRACT_SINGLE(padded_row<float>);
CONTRACT_SINGLE(float);
CONTRACT_SINGLE(double);
CONTRACT_SINGLE(table_row);
CONTRACT_SINGLE(std::span<const recommendation<float>>);
CONTRACT_SINGLE(std::span<const recommendation<double>>);
CONTRACT_SINGLE(choice);
CONTRACT_ANSWERS(std::vector<decision<3>>);
CONTRACT_ANSWERS(std::vector<decision<4>>);
CONTRACT_SINGLE(decision<3>);
CONTRACT_SINGLE(decision<4>);

}  // namespace contract
