#include <caramel/data/synthetic.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <caramel/data/clean.hpp>
#include <caramel/data/csv.hpp>

#include <support/catch.hpp>

using namespace caramel;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

namespace {

// P(a score of a positive exceeds one of a negative), pair by pair.
double auc(const std::vector<double>& score, const std::vector<int>& positive) {
    double wins = 0, pairs = 0;
    for (std::size_t i = 0; i < score.size(); ++i)
        for (std::size_t j = 0; j < score.size(); ++j)
            if (positive[i] == 1 && positive[j] == 0) {
                wins += score[i] > score[j] ? 1 : score[i] == score[j] ? 0.5 : 0;
                ++pairs;
            }
    return wins / pairs;
}

constexpr std::size_t n_features = 5;
using features = std::array<double, n_features>;

struct churn_data {
    std::vector<features> x;  // 1, then log recency, orders, spend and tenure, standardized
    std::vector<double> recency;
    std::vector<int> left;
};
churn_data churn_at(const transactions& log, sys_seconds cut) {
    const auto before = log.before(cut), since = log.since(cut);
    const auto n = log.n_customers();
    std::vector<double> last(n, -1), first(n, -1), spend(n);
    std::vector<std::set<std::int32_t>> orders(n);
    std::vector<bool> returns(n);
    for (const auto customer : since.customers()) returns[static_cast<std::size_t>(customer)] = true;
    for (std::size_t i = 0; i < before.rows(); ++i) {
        const auto t = before[i];
        const auto c = static_cast<std::size_t>(t.customer);
        const double ago = std::chrono::duration<double, std::ratio<86400>>(cut - t.when).count();
        last[c] = last[c] < 0 ? ago : std::min(last[c], ago);
        first[c] = std::max(first[c], ago);
        spend[c] += t.spend();
        orders[c].insert(t.invoice);
    }
    churn_data out;
    for (std::size_t c = 0; c < n; ++c)
        if (last[c] >= 0) {
            out.x.push_back({1, std::log1p(last[c]), std::log(static_cast<double>(orders[c].size())), std::log(spend[c]), std::log1p(first[c])});
            out.recency.push_back(last[c]);
            out.left.push_back(returns[c] ? 0 : 1);
        }
    for (std::size_t j = 1; j < n_features; ++j) {
        double mean = 0, square = 0;
        for (const auto& x : out.x) mean += x[j] / static_cast<double>(out.x.size());
        for (const auto& x : out.x) square += (x[j] - mean) * (x[j] - mean) / static_cast<double>(out.x.size());
        for (auto& x : out.x) x[j] = (x[j] - mean) / std::sqrt(square);
    }
    return out;
}
// Logistic regression by gradient descent on the rows of other folds; the mean AUC over five.
double logistic_auc(const churn_data& d) {
    const std::size_t n = d.x.size();
    double sum = 0;
    for (std::size_t fold = 0; fold < 5; ++fold) {
        features w{};
        const auto score = [&](std::size_t i) {
            double z = 0;
            for (std::size_t j = 0; j < n_features; ++j) z += w[j] * d.x[i][j];
            return z;
        };
        for (int step = 0; step < 300; ++step) {
            features g{};
            for (std::size_t i = 0; i < n; ++i)
                if (i % 5 != fold)
                    for (std::size_t j = 0; j < n_features; ++j) g[j] += (1 / (1 + std::exp(-score(i))) - d.left[i]) * d.x[i][j];
            for (std::size_t j = 0; j < n_features; ++j) w[j] -= g[j] / static_cast<double>(n);
        }
        std::vector<double> scores;
        std::vector<int> left;
        for (std::size_t i = fold; i < n; i += 5) {
            scores.push_back(score(i));
            left.push_back(d.left[i]);
        }
        sum += auc(scores, left) / 5;
    }
    return sum;
}

// Recall at 10 of what customers buy for the first time after the cut, by popularity and by cosine of items.
std::pair<double, double> recall_at_10(const transactions& log, sys_seconds cut) {
    const std::size_t n = log.n_customers(), m = log.n_items();
    std::vector<std::vector<double>> bought(n, std::vector<double>(m)), fresh = bought;
    for (std::size_t i = 0; i < log.rows(); ++i) {
        const auto t = log[i];
        (t.when < cut ? bought : fresh)[static_cast<std::size_t>(t.customer)][static_cast<std::size_t>(t.item)] = 1;
    }
    std::vector<double> popularity(m);
    std::vector<std::vector<double>> together(m, std::vector<double>(m));
    for (const auto& row : bought)
        for (std::size_t a = 0; a < m; ++a)
            if (row[a] > 0) {
                popularity[a] += 1;
                for (std::size_t b = 0; b < m; ++b)
                    if (a != b) together[a][b] += row[b];
            }
    const auto recall = [&](std::size_t customer, const auto& score) {
        std::vector<std::pair<double, std::size_t>> ranked;
        double wanted = 0, hits = 0;
        for (std::size_t item = 0; item < m; ++item)
            if (bought[customer][item] == 0) {
                ranked.emplace_back(-score(item), item);
                wanted += fresh[customer][item];
            }
        std::sort(ranked.begin(), ranked.end());
        for (std::size_t k = 0; k < 10; ++k) hits += fresh[customer][ranked[k].second];
        return hits / std::min(10.0, wanted);
    };
    double by_popularity = 0, by_cosine = 0, customers = 0;
    for (std::size_t c = 0; c < n; ++c) {
        double wanted = 0, known = 0;
        for (std::size_t item = 0; item < m; ++item) {
            wanted += bought[c][item] == 0 ? fresh[c][item] : 0;
            known += bought[c][item];
        }
        if (wanted == 0 || known == 0) continue;
        ++customers;
        by_popularity += recall(c, [&](std::size_t item) { return popularity[item]; });
        by_cosine += recall(c, [&](std::size_t item) {
            double sum = 0;
            for (std::size_t a = 0; a < m; ++a)
                if (bought[c][a] > 0 && together[a][item] > 0) sum += together[a][item] / std::sqrt(popularity[a] * popularity[item]);
            return sum;
        });
    }
    return {by_popularity / customers, by_cosine / customers};
}

}  // namespace

TEST_CASE("synthetic_shop: the log has what a real one has", "[synthetic]") {
    const shop s = synthetic_shop();
    const auto& log = s.log;
    CHECK(log.rows() == s.rows.rows());
    CHECK(log.rows() > 10000);
    CHECK(s.rows.names() == std::vector<std::string>{"invoice", "stock_code", "description", "quantity", "invoice_date", "price", "customer_id"});
    CHECK(std::is_sorted(log.times().begin(), log.times().end()));
    CHECK(log.first_time() >= sys_days(2010y / 1 / 1));
    CHECK(log.last_time() < sys_days(2010y / 1 / 1) + std::chrono::days(365));
    CHECK(s.truth.customer_ids.size() == 800);
    CHECK(log.customer_ids() == s.truth.customer_ids);  // all come once at least, and numbers agree with the truth
    CHECK(s.truth.item_ids.size() == 240);
    CHECK(std::is_sorted(s.truth.item_ids.begin(), s.truth.item_ids.end()));

    const auto [kept, report] = clean(log);
    CHECK(report.missing_customer > 0);
    CHECK(report.missing_item == 0);
    CHECK(report.cancelled > 0);
    CHECK(report.non_positive_price > 0);
    CHECK(report.duplicates > 0);
    CHECK(report.rows_kept > log.rows() * 9 / 10);
    CHECK(kept.n_customers() > 780);

    const auto clean_report = clean(synthetic_shop({.dirty = 0}).log).report;
    CHECK(clean_report.rows_kept == clean_report.rows_read);
    CHECK(clean_report.duplicates == 0);
}

TEST_CASE("synthetic_shop: nobody buys after leaving", "[synthetic]") {
    const shop s = synthetic_shop({.customers = 300, .days = 2000, .first_day = sys_days(2001y / 2 / 3), .dirty = 0});
    std::size_t left = 0;
    for (const auto& when : s.truth.left) left += when.has_value();
    CHECK(left > 30);
    CHECK(left < 300);
    for (std::size_t i = 0; i < s.log.rows(); ++i) {
        const auto t = s.log[i];
        const auto& gone = s.truth.left[static_cast<std::size_t>(t.customer)];
        if (gone && t.when > *gone) FAIL("a purchase after leaving");
    }
    CHECK(s.log.first_time() >= sys_days(2001y / 2 / 3));
}

TEST_CASE("synthetic_shop: tastes show in purchases and in words", "[synthetic]") {
    const shop s = synthetic_shop({.dirty = 0});
    double own = 0;
    for (std::size_t i = 0; i < s.log.rows(); ++i) {
        const auto t = s.log[i];
        const auto& item = s.log.item_ids()[static_cast<std::size_t>(t.item)];
        const auto in_truth = static_cast<std::size_t>(std::lower_bound(s.truth.item_ids.begin(), s.truth.item_ids.end(), item) - s.truth.item_ids.begin());
        own += s.truth.taste_of_item[in_truth] == s.truth.taste_of_customer[static_cast<std::size_t>(t.customer)];
    }
    CHECK(own / static_cast<double>(s.log.rows()) > 0.6);
    CHECK(s.truth.tastes.size() == 6);
    // Of the words of a description, the second and third belong to one taste only.
    std::map<std::string, std::set<std::size_t>> tastes_of;
    for (std::size_t i = 0; i < s.log.n_items(); ++i) {
        const auto& text = s.log.descriptions()[i];
        REQUIRE_FALSE(text.empty());
        const auto a = text.find(' '), b = text.find(' ', a + 1);
        const auto& item = s.log.item_ids()[i];
        const auto in_truth = static_cast<std::size_t>(std::lower_bound(s.truth.item_ids.begin(), s.truth.item_ids.end(), item) - s.truth.item_ids.begin());
        tastes_of[text.substr(a + 1, b - a - 1)].insert(s.truth.taste_of_item[in_truth]);
        tastes_of[text.substr(b + 1)].insert(s.truth.taste_of_item[in_truth]);
    }
    for (const auto& [word, tastes] : tastes_of) CHECK(tastes.size() == 1);
}

TEST_CASE("synthetic_shop: there is something to learn", "[synthetic]") {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
        INFO("seed " << seed);
        const auto kept = clean(synthetic_shop({.seed = seed}).log).kept;
        const sys_seconds cut = sys_days(2010y / 10 / 1);
        const auto churn = churn_at(kept, cut);
        const double recency = auc(churn.recency, churn.left), logistic = logistic_auc(churn);
        CHECK(recency > 0.65);
        CHECK(logistic > recency + 0.005);
        CHECK(logistic < 0.9);
        const auto [popularity, cosine] = recall_at_10(kept, cut);
        CHECK(popularity > 10.0 / 240);
        CHECK(cosine > 2 * popularity);
    }
}

TEST_CASE("synthetic_shop: the same seed gives the same shop", "[synthetic]") {
    const shop_options options{.customers = 50, .items = 20, .days = 200, .tastes = 3, .seed = 4};
    const shop a = synthetic_shop(options), b = synthetic_shop(options);
    CHECK(a.rows == b.rows);
    CHECK(a.log == b.log);
    CHECK(a.truth.left == b.truth.left);
    auto other = options;
    other.seed = 5;
    CHECK(synthetic_shop(other).rows != a.rows);
    // It is as good as a file.
    std::string text;
    detail::csv_writer(csv_write_options{}).write_to(a.rows, [&](std::string_view piece) { text += piece; });
    const table read = parse_csv(text, {.types = {{"price", column_type::number}}});
    CHECK(read.names() == a.rows.names());
    CHECK(transactions::from(read, {.customer = "customer_id",
                                    .item = "stock_code",
                                    .invoice = "invoice",
                                    .quantity = "quantity",
                                    .price = "price",
                                    .when = "invoice_date",
                                    .description = "description"}) == a.log);
}

TEST_CASE("synthetic_shop: small shops and refused ones", "[synthetic][error]") {
    CHECK(synthetic_shop({.customers = 1, .items = 1, .days = 1, .tastes = 1}).log.rows() > 0);
    CHECK(synthetic_shop({.customers = 20, .items = 8, .days = 30, .tastes = 8}).truth.tastes.size() == 8);
    const auto refused = [](const shop_options& options) { return error_of([&] { (void)synthetic_shop(options); }).code() == errc::bad_parameter; };
    CHECK(refused({.customers = 0}));
    CHECK(refused({.customers = 1'000'000}));
    CHECK(refused({.items = 5}));
    CHECK(refused({.days = 0}));
    CHECK(refused({.days = 40'000}));
    CHECK(refused({.tastes = 0}));
    CHECK(refused({.tastes = 9}));
    for (const double dirty : {-0.1, 0.6, std::numeric_limits<double>::quiet_NaN()}) CHECK(refused({.dirty = dirty}));
}

TEST_CASE("synthetic_messages: words tell the label mostly", "[synthetic]") {
    const auto m = synthetic_messages(2000, 3);
    REQUIRE(m.texts.size() == 2000);
    REQUIRE(m.labels.size() == 2000);
    const auto content = std::count(m.labels.begin(), m.labels.end(), 1);
    CHECK(content > 900);
    CHECK(content < 1100);
    // One word's log odds learnt on the first half, summed over the words of the second.
    std::map<std::string, std::array<double, 2>> counts;
    const auto words_of = [](const std::string& text) {
        std::vector<std::string> out(1);
        for (const char c : text)
            if (c == ' ') out.emplace_back();
            else out.back() += c;
        return out;
    };
    for (std::size_t i = 0; i < 1000; ++i)
        for (const auto& word : words_of(m.texts[i])) ++counts[word][static_cast<std::size_t>(m.labels[i])];
    double right = 0;
    for (std::size_t i = 1000; i < 2000; ++i) {
        double odds = 0;
        for (const auto& word : words_of(m.texts[i])) odds += std::log((counts[word][1] + 1) / (counts[word][0] + 1));
        right += (odds > 0) == (m.labels[i] == 1);
    }
    CHECK(right > 750);
    CHECK(right < 990);

    const auto again = synthetic_messages(2000, 3);
    CHECK(again.texts == m.texts);
    CHECK(again.labels == m.labels);
    CHECK(synthetic_messages(2000, 4).texts != m.texts);
    const auto fewer = synthetic_messages(10, 3);
    CHECK(std::equal(fewer.texts.begin(), fewer.texts.end(), m.texts.begin()));
    CHECK(synthetic_messages(0).texts.empty());
}
