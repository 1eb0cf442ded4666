// Every public component, through the common contract (docs/contract.md). A new component gets an adapter here.
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <caramel/features/bucketize.hpp>
#include <caramel/features/columns.hpp>
#include <caramel/evaluate/calibration.hpp>
#include <caramel/evaluate/metrics.hpp>
#include <caramel/evaluate/search.hpp>
#include <caramel/features/concat.hpp>
#include <caramel/features/date_parts.hpp>
#include <caramel/features/encode.hpp>
#include <caramel/features/hash_columns.hpp>
#include <caramel/features/histories.hpp>
#include <caramel/features/impute.hpp>
#include <caramel/features/polynomial.hpp>
#include <caramel/features/power_transform.hpp>
#include <caramel/features/quantile_transform.hpp>
#include <caramel/features/rfm.hpp>
#include <caramel/features/rhythm.hpp>
#include <caramel/features/scale.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/features/target_encode.hpp>
#include <caramel/linear/linear_svm.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/linear/ridge.hpp>
#include <caramel/linear/sparse_logistic.hpp>
#include <caramel/nn/activation.hpp>
#include <caramel/nn/bias.hpp>
#include <caramel/nn/dense.hpp>
#include <caramel/nn/embedding_bag.hpp>
#include <caramel/nn/mlp.hpp>
#include <caramel/nn/mlp_ensemble.hpp>
#include <caramel/nn/network.hpp>
#include <caramel/policy/customer_states.hpp>
#include <caramel/nn/norm.hpp>
#include <caramel/nn/residual.hpp>
#include <caramel/policy/q_learning.hpp>
#include <caramel/recommend/als.hpp>
#include <caramel/recommend/neighbors.hpp>
#include <caramel/recommend/popularity.hpp>
#include <caramel/recommend/sgd.hpp>
#include <caramel/text/embedding.hpp>
#include <caramel/text/pool.hpp>
#include <caramel/text/tokenizer.hpp>
#include <caramel/trees/boosted_trees.hpp>

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

// ---- adapters --------------------------------------------------------------------------------------------------------
struct deterministic {
    static constexpr bool random = false;
};

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

struct no_numbers : deterministic {
    static constexpr std::array skipped{skip{"C04", "there are no numbers to be other than finite"}, skip{"C37", "there are no columns to be too many"}};
};
struct impute_component : deterministic {
    static constexpr std::string_view name = "impute";
    static constexpr std::array skipped{skip{"C04", "a table refuses what is not finite when it is made"}};
    auto recipe() const { return impute{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return customers(rows, seed, true); }
    auto other_widths() const { return std::vector<table>{table(), data(5, 1).take_columns(std::vector<std::string>{"tenure", "contract"})}; }
    auto width_error() const { return "missing_column"; }
};
struct encode_component : deterministic {
    static constexpr std::string_view name = "columns | impute | encode | standardize";
    static constexpr std::array skipped{skip{"C04", "a table refuses what is not finite when it is made"}};
    auto recipe() const { return columns({"contract", "tenure", "spend"}) | impute{} | encode<float>{} | standardize<float>{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return customers(rows, seed, true); }
    auto other_widths() const { return std::vector<table>{table(), data(5, 1).take_columns(std::vector<std::string>{"tenure", "contract"})}; }
    auto width_error() const { return "missing_column"; }
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
    auto width_error() const { return "missing_column"; }
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
struct word_tokenizer_component : no_numbers {
    static constexpr std::string_view name = "word_tokenizer";
    auto recipe() const { return word_tokenizer{.min_count = 1, .keep_punctuation = true}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
};
struct embedding_component : no_numbers {
    static constexpr std::string_view name = "word_tokenizer | random_embedding";
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | random_embedding<float>{.dim = 5}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
    // A batch pads to its longest text, one text to none: what counts is compared through the pools.
    static constexpr std::array skipped{no_numbers::skipped[0], no_numbers::skipped[1], skip{"C15", "padding depends on the batch; see the pools"},
                                        skip{"C16", "padding depends on the batch; see the pools"}};
};
template <class Pool>
struct pool_component : no_numbers {
    static constexpr std::string_view name = Pool::kind;
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | random_embedding<float>{.dim = 5} | Pool{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
};
struct bag_component : no_numbers {
    static constexpr std::string_view name = "bag_of_embeddings";
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | bag_of_embeddings<double>{.dim = 5}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
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

template <class T>
struct mlp_component {
    static constexpr std::string_view name = std::same_as<T, float> ? "standardize | mlp<float>" : "standardize | mlp<double>";
    static constexpr bool random = true;
    auto recipe() const { return standardize<T>{} | mlp<T>{.hidden = {5, 4}, .epochs = 3, .batch_size = 8, .dropout = 0.1}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<T>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 3); }
};
struct mlp_regressor_component {
    static constexpr std::string_view name = "mlp_regressor";
    static constexpr bool random = true;
    auto recipe() const { return mlp_regressor<double>{.hidden = {5}, .epochs = 3, .batch_size = 8}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t seed) const {
        const auto y = numbers<double>(rows, seed + 1, 1);
        return std::vector<double>(y.data(), y.data() + y.size());
    }
};
struct mlp_multilabel_component {
    static constexpr std::string_view name = "mlp_multilabel";
    static constexpr bool random = true;
    auto recipe() const { return mlp_multilabel<double>{.hidden = {5}, .epochs = 3, .batch_size = 8}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t seed) const { return matrix<double>((numbers<double>(rows, seed + 1, 2).array() > 0).cast<double>()); }
};
template <class T, int Classes>
struct logistic_component : deterministic {
    static constexpr std::string_view name = std::same_as<T, float> ? "logistic<float>" : "logistic<double>";
    auto recipe() const { return logistic<T>{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<T>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, Classes); }
};
template <class T, int Classes>
struct boosted_trees_component {
    static constexpr std::string_view name = Classes == 2 ? "boosted_trees<float>, 2 classes" : "boosted_trees<double>, 3 classes";
    static constexpr bool random = true;
    auto recipe() const { return boosted_trees<T>{.n_trees = 5, .min_child_weight = 0}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<T>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, Classes); }
};
struct boosted_trees_regressor_component {
    static constexpr std::string_view name = "boosted_trees_regressor";
    static constexpr bool random = true;
    auto recipe() const { return boosted_trees_regressor<double>{.n_trees = 5}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t seed) const { return mlp_regressor_component{}.targets(rows, seed); }
};
struct logistic_l1_component : deterministic {
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
    auto width_error() const { return "shape_mismatch"; }
};
// Probabilities of classes, calibrated.
template <class Calibration, row_index Classes>
struct calibration_component : deterministic {
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
    static constexpr std::string_view name = "calibrated(standardize | logistic, isotonic)";
    auto recipe() const { return calibrated(standardize<double>{} | logistic<double>{}, isotonic<double>{}, fold_plan{.kind = fold_kind::modulo}); }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<double>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
};
struct best_of_component : deterministic {
    static constexpr std::string_view name = "best_of(standardize | logistic, ...)";
    auto recipe() const {
        const auto make = [](double r) { return standardize<float>{} | logistic<float>{.regularization = r}; };
        return best_of(recipe_grid(make, std::vector{0.1, 10.0}), by_log_loss{}, fold_plan{.kind = fold_kind::modulo});
    }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<float>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
};
struct positive_component {
    static constexpr std::string_view name = "mlp | positive";
    static constexpr bool random = true;
    auto recipe() const { return mlp<float>{.hidden = {}, .epochs = 2, .validation_share = 0.2} | positive{}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<float>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 2); }
};
struct network_component {
    static constexpr std::string_view name = "word_tokenizer | network";
    static constexpr std::array skipped = no_numbers::skipped;
    static constexpr bool random = true;
    auto recipe() const { return word_tokenizer{} | network<float>({.epochs = 3, .batch_size = 8}, embedding_bag{.dim = 4}, relu{}, dense{}); }
    auto data(std::size_t rows, std::uint64_t seed) const { return texts(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 3); }
};
template <class T>
struct layers_component {
    static constexpr std::string_view name = std::same_as<T, float> ? "network of all layers<float>" : "network of all layers<double>";
    static constexpr bool random = true;
    auto recipe() const {
        const training how{
            .epochs = 3, .batch_size = 8, .rule = update_rule::adamw, .l1 = 1e-3, .schedule = {.shape = rate_shape::one_cycle}, .label_smoothing = 0.1};
        return network<T>(how, batch_norm{}, dense{.units = 5}, activation{.function = activation_function::gelu},
                          residual(layer_norm{}, dense{.units = 4}, silu{}, dense{}, elu{}), bias_layer{}, leaky_relu{}, softmax{}, dense{});
    }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<T>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 3); }
};
struct ranker_component : mlp_regressor_component {
    static constexpr std::string_view name = "network_ranker";
    auto recipe() const { return network_ranker<double>(training{.epochs = 3, .batch_size = 8}, dense{.units = 4}, gelu{}, dense{}); }
};
struct mlp_ensemble_component {
    static constexpr std::string_view name = "mlp_ensemble";
    static constexpr bool random = true;
    auto recipe() const { return mlp_ensemble<float>{.members = 3, .each = {.hidden = {5}, .epochs = 2, .batch_size = 8, .class_weights = {1, 2, 3}}}; }
    auto data(std::size_t rows, std::uint64_t seed) const { return numbers<float>(rows, seed); }
    auto targets(std::size_t rows, std::uint64_t) const { return classes(rows, 3); }
};
struct q_learning_component : deterministic {
    static constexpr std::string_view name = "q_learning";
    static constexpr std::array skipped{skip{"C37", "there are no columns: states outside the table are checked with the policies"}};
    static constexpr std::uint64_t nan_column = 4;  // after two axes of the state and the action
    auto recipe() const { return q_learning<float, 2>{.states = {3, 2}, .actions = 2, .sweeps = 5, .default_action = 0}; }
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

}  // namespace contract

using namespace contract;

TEMPLATE_TEST_CASE("contract: matrices", "[contract]", standardize_component<float>, standardize_component<double>, chain_component) {
    check_component(TestType{});
}

TEMPLATE_TEST_CASE("contract: column by column", "[contract]", columnwise_component<robust_scale<double>>, columnwise_component<min_max_scale<double>>,
                   columnwise_component<quantile_transform<double>>, columnwise_component<power_transform<double>>, columnwise_component<bucketize<double>>,
                   columnwise_component<polynomial<double>>, by_target_component) {
    check_component(TestType{});
}

TEMPLATE_TEST_CASE("contract: tables", "[contract]", impute_component, encode_component, drop_columns_component, rename_columns_component, routing_component,
                   ordinal_component, target_encode_component, hash_component, date_parts_component) {
    check_component(TestType{});
}

TEMPLATE_TEST_CASE("contract: texts", "[contract]", word_tokenizer_component, embedding_component, pool_component<mean_pool>, pool_component<sum_pool>,
                   pool_component<max_pool>, bag_component) {
    check_component(TestType{});
}

TEMPLATE_TEST_CASE("contract: networks", "[contract]", mlp_component<float>, mlp_component<double>, mlp_regressor_component, mlp_multilabel_component,
                   positive_component, network_component, layers_component<float>, layers_component<double>, ranker_component, mlp_ensemble_component) {
    check_component(TestType{});
}

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
}

TEMPLATE_TEST_CASE("contract: histories", "[contract]", rfm_component, purchase_rhythm_component, customer_states_component, factors_of_component,
                   bought_text_component, churn_features_component) {
    check_component(TestType{});
}

TEST_CASE("contract: trees", "[contract]") {
    check_component(boosted_trees_component<float, 2>{});
    check_component(boosted_trees_component<double, 3>{});
    check_component(boosted_trees_regressor_component{});
}

TEMPLATE_TEST_CASE("contract: calibration and search", "[contract]", (calibration_component<platt_scaling<float>, 3>), (calibration_component<isotonic<float>, 2>),
                   (calibration_component<temperature_scaling<float>, 3>), calibrated_component, best_of_component) {
    check_component(TestType{});
}

TEST_CASE("contract: policies", "[contract]") { check_component(q_learning_component{}); }

TEMPLATE_TEST_CASE("contract: recommenders", "[contract]", popularity_component, item_neighbors_component, customer_neighbors_component, als_component,
                   sgd_component<4>, sgd_component<0>) {
    check_component(TestType{});
}

TEST_CASE("contract: the table of components and checks", "[contract]") {
    std::cout << results_table();
    for (const auto& [component, checks] : results())
        for (const auto& [check, outcome] : checks) {
            INFO(component << " " << check);
            CHECK(outcome != 'X');
        }
}
