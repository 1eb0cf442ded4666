// What the models learn from the synthetic shop, beside what it was made from.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <caramel/data/clean.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/data/synthetic.hpp>
#include <caramel/evaluate/classification.hpp>
#include <caramel/features/rfm.hpp>
#include <caramel/features/standardize.hpp>
#include <caramel/linear/logistic.hpp>
#include <caramel/recommend/als.hpp>

#include <support/catch.hpp>

using namespace caramel;
using namespace std::chrono;

namespace {

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    const auto n = static_cast<double>(a.size());
    const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n, mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += (a[i] - mean_a) * (b[i] - mean_b);
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
    }
    return ab / std::sqrt(aa * bb);
}
std::vector<double> ranks(const std::vector<double>& x) {
    std::vector<std::size_t> order(x.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) { return x[i]; });
    std::vector<double> out(x.size());
    for (std::size_t i = 0; i < order.size();) {
        std::size_t end = i;
        while (end < order.size() && x[order[end]] == x[order[i]]) ++end;
        for (std::size_t k = i; k < end; ++k) out[order[k]] = static_cast<double>(i + end) / 2;
        i = end;
    }
    return out;
}
// Spearman's.
double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) { return correlation(ranks(a), ranks(b)); }

std::size_t number_in(const std::vector<std::string>& ids, std::string_view id) {
    const auto at = std::ranges::lower_bound(ids, id);
    REQUIRE((at != ids.end() && *at == id));
    return static_cast<std::size_t>(at - ids.begin());
}
std::size_t month_of(sys_seconds t) { return static_cast<unsigned>(year_month_day(floor<days>(t)).month()) - 1; }
double inverse_logit(double z) { return 1 / (1 + std::exp(-z)); }

}  // namespace

TEST_CASE("synthetic_shop: a factorization finds the tastes", "[synthetic]") {
    const auto s = synthetic_shop();
    const auto& truth = s.truth;
    const auto bought = interactions_of<float>(clean(s.log).kept);
    const auto model = fit(als<float>{.n_factors = 16, .weights = weighting::logarithmic, .epochs = 6}, bought);
    double own = 0, liked = 0, picks = 0;
    for (std::size_t row = 0; row < bought.rows(); ++row) {
        if (bought[row].size() < 4) continue;
        const std::size_t customer = number_in(truth.customer_ids, bought.customers().text(row));
        for (const auto& pick : model(query{.customer = row_number{row}, .n = 10})) {
            const std::size_t taste = truth.taste_of_item[number_in(truth.item_ids, model.items().text(static_cast<std::size_t>(pick.item)))];
            own += taste == truth.taste_of_customer[customer] ? 1 : 0;
            liked += truth.likes_of_customer[customer][taste];
            ++picks;
        }
    }
    INFO("own taste " << own / picks << ", liked " << liked / picks);
    CHECK(picks > 3000);
    CHECK(own / picks > .75);   // by chance 1/6
    CHECK(liked / picks > .6);  // by chance 1/6
    // The nearest items by their factors are of the same taste.
    double same = 0, pairs = 0;
    const auto& v = model.item_factors();
    for (row_index i = 0; i < v.rows(); ++i) {
        row_index nearest_item = -1;
        float best = -2;
        for (row_index j = 0; j < v.rows(); ++j)
            if (const float cosine = v.row(i).dot(v.row(j)) / (v.row(i).norm() * v.row(j).norm()); j != i && cosine > best) {
                best = cosine;
                nearest_item = j;
            }
        const auto taste = [&](row_index item) { return truth.taste_of_item[number_in(truth.item_ids, model.items().text(static_cast<std::size_t>(item)))]; };
        same += taste(i) == taste(nearest_item) ? 1 : 0;
        ++pairs;
    }
    INFO("same taste " << same / pairs);
    CHECK(same / pairs > .9);
}

TEST_CASE("synthetic_shop: sales follow the seasons", "[synthetic]") {
    const shop_options options{.customers = 1500, .dirty = 0, .campaign_every = 0};
    const auto s = synthetic_shop(options);
    const auto& truth = s.truth;
    const std::size_t tastes = truth.tastes.size();
    // Expected from the truth: the first order of each, then day by day.
    std::array<double, 12> orders_expected{}, orders{};
    std::vector<std::array<double, 12>> weight(tastes);  // orders by what they are of
    for (std::size_t c = 0; c < options.customers; ++c) {
        orders_expected[month_of(truth.joined[c])] += 1;
        for (std::size_t d = 0; d < options.days; ++d) {
            const auto begin = std::max<sys_seconds>(options.first_day + days(d), truth.joined[c]);
            auto end = std::min<sys_seconds>(options.first_day + days(d + 1), options.first_day + days(options.days));
            if (truth.left[c]) end = std::min(end, *truth.left[c]);
            if (begin >= end) continue;
            const double share = duration<double, days::period>(end - begin).count();
            const std::size_t m = month_of(options.first_day + days(d));
            for (std::size_t t = 0; t < tastes; ++t) {
                const double n = share * truth.pace(c, begin) / 30 * truth.season_of_year[m] * truth.likes_of_customer[c][t] * truth.season_of_taste[t][m];
                orders_expected[m] += n;
                weight[t][m] += n;
            }
        }
    }
    std::vector<std::array<double, 12>> rows(tastes);
    std::int32_t before = -1;
    for (std::size_t i = 0; i < s.log.rows(); ++i) {
        const auto t = s.log[i];
        const std::size_t m = month_of(t.when);
        if (t.invoice != before) orders[m] += 1;
        before = t.invoice;
        rows[truth.taste_of_item[number_in(truth.item_ids, s.log.item_ids()[static_cast<std::size_t>(t.item)])]][m] += 1;
    }
    for (std::size_t m = 0; m < 12; ++m) {
        INFO("month " << m + 1 << ": " << orders[m] << " orders, expected " << orders_expected[m]);
        CHECK(std::abs(orders[m] - orders_expected[m]) < 5 * std::sqrt(orders_expected[m]) + .02 * orders_expected[m]);
    }
    // Within a month, what share of the rows a taste has.
    std::vector<double> seen, expected;
    for (std::size_t m = 0; m < 12; ++m)
        for (std::size_t t = 0; t < tastes; ++t) {
            const auto in_month = [m](const auto& of) { return std::accumulate(of.begin(), of.end(), 0.0, [m](double sum, const auto& one) { return sum + one[m]; }); };
            seen.push_back(rows[t][m] / in_month(rows));
            expected.push_back(weight[t][m] / in_month(weight));
        }
    INFO("correlation " << correlation(seen, expected));
    CHECK(correlation(seen, expected) > .9);
}

TEST_CASE("synthetic_shop: learnt churn risks rank customers as their hazards and departures do", "[synthetic]") {
    const auto s = synthetic_shop({.customers = 1500, .seed = 1});
    const auto& truth = s.truth;
    const auto log = clean(s.log).kept;
    const sys_seconds cut = log.last_time() - days(91);
    const histories seen(log, cut);
    const auto gone = did_not_return(seen, log.since(cut));
    const auto features = rfm<float>{} | standardize<float>{};
    const auto risk = fit(features | logistic<float>{}, seen, gone)(seen);
    // Who had left already, and would not return whatever chance did.
    std::vector<int> departed;
    std::vector<double> departure_risk, hazards, pace, risk_of_present;
    for (std::size_t row = 0; row < seen.size(); ++row) {
        const std::size_t customer = number_in(truth.customer_ids, seen.ids()[row]);
        const auto mine = static_cast<double>(risk(static_cast<row_index>(row), 1));
        departed.push_back(truth.left[customer] && *truth.left[customer] < cut ? 1 : 0);
        departure_risk.push_back(mine);
        if (departed.back() == 1) continue;
        risk_of_present.push_back(mine);
        hazards.push_back(truth.hazard(customer, cut));
        pace.push_back(-truth.pace(customer, cut));
    }
    INFO(auc(departure_risk, departed) << " " << rank_correlation(risk_of_present, hazards) << " " << rank_correlation(risk_of_present, pace));
    CHECK(std::ranges::count(departed, 1) > 50);
    CHECK(auc(departure_risk, departed) > .7);
    // Of those who are still there: whose hazard is high, and who comes seldom.
    CHECK(rank_correlation(risk_of_present, hazards) > .3);
    CHECK(rank_correlation(risk_of_present, pace) > .7);
}

TEST_CASE("synthetic_shop: what contacts do, estimated from the log of campaigns", "[synthetic]") {
    const auto s = synthetic_shop({.customers = 4000, .items = 60, .seed = 2, .dirty = 0, .messages = 0});
    const auto& truth = s.truth;
    const auto action = s.contacts.categories("action");
    const auto customer = s.contacts.categories("customer_id");
    const auto propensity = s.contacts.numbers("propensity");
    const auto recent = s.contacts.integers("recent_contacts"), ordered = s.contacts.integers("ordered");
    REQUIRE(truth.effect_of_contact.size() == s.contacts.rows());
    // Inverse propensity weights, self-normalized, against the mean over everybody of what the action would have done.
    std::vector<double> lift_seen, lift_true;
    for (std::size_t a = 0; a < truth.actions.size(); ++a) {
        double sum = 0, weights = 0, squares = 0, would = 0, would_alone = 0;
        for (std::size_t i = 0; i < s.contacts.rows(); ++i) {
            const std::size_t c = number_in(truth.customer_ids, customer[i]);
            const double chance = truth.chance_if_left_alone[i];
            would_alone += chance;
            would += chance <= 0 ? 0 : chance >= 1 ? 1 : inverse_logit(std::log(chance / (1 - chance)) + truth.effect(c, a, static_cast<std::size_t>(recent[i])));
            if (action[i] != truth.actions[a]) continue;
            CHECK(truth.effect_of_contact[i] == truth.effect(c, a, static_cast<std::size_t>(recent[i])));
            sum += static_cast<double>(ordered[i]) / propensity[i];
            weights += 1 / propensity[i];
            squares += 1 / (propensity[i] * propensity[i]);
        }
        const auto n = static_cast<double>(s.contacts.rows());
        const double share = sum / weights, error = std::sqrt(share * (1 - share) * squares) / weights;
        INFO(truth.actions[a] << ": " << share << " +- " << error << ", in truth " << would / n);
        CHECK(std::abs(share - would / n) < 4 * error);
        CHECK(weights == Approx(n).epsilon(.1));
        lift_seen.push_back(share);
        lift_true.push_back((would - would_alone) / n);
    }
    for (std::size_t a = 1; a < lift_seen.size(); ++a) {
        CHECK(lift_true[a] > .01);
        CHECK(lift_seen[a] - lift_seen[0] == Approx(lift_true[a]).epsilon(.4));
    }
}

TEST_CASE("synthetic_shop: messages tell how customers feel", "[synthetic]") {
    const auto s = synthetic_shop({.customers = 1500, .seed = 3, .dirty = 0, .messages = 1});
    const auto& truth = s.truth;
    const auto text = s.messages.categories("text"), sentiment = s.messages.categories("sentiment"), customer = s.messages.categories("customer_id");
    const auto when = s.messages.timestamps("message_time");
    const std::size_t n = s.messages.rows();
    REQUIRE(n > 2000);
    REQUIRE(truth.sentiment_of_message.size() == n);
    for (std::size_t i = 0; i < n; ++i)
        if (sentiment[i] != truth.sentiments[static_cast<std::size_t>(truth.sentiment_of_message[i])]) FAIL("message " << i << " has another sentiment than in truth");
    // Words counted in the first half (naive Bayes) tell the sentiment of the second.
    const auto words_of = [](std::string_view line) {
        std::vector<std::string> out(1);
        for (const char c : line)
            if (c == ' ') out.emplace_back();
            else out.back() += c;
        return out;
    };
    std::map<std::string, std::array<double, 3>> counts;
    std::array<double, 3> words{}, messages{};
    for (std::size_t i = 0; i < n / 2; ++i) {
        const auto tone = static_cast<std::size_t>(truth.sentiment_of_message[i]);
        ++messages[tone];
        for (const auto& word : words_of(text[i])) {
            ++counts[word][tone];
            ++words[tone];
        }
    }
    double right = 0;
    std::array<double, 3> of_tone{};
    std::vector<double> read, felt;
    for (std::size_t i = n / 2; i < n; ++i) {
        std::array<double, 3> score{};
        for (std::size_t k = 0; k < 3; ++k) {
            score[k] = std::log(messages[k]);
            for (const auto& word : words_of(text[i]))
                if (const auto found = counts.find(word); found != counts.end()) score[k] += std::log((found->second[k] + 1) / (words[k] + static_cast<double>(counts.size())));
        }
        const auto guess = std::ranges::max_element(score) - score.begin();
        right += guess == truth.sentiment_of_message[i] ? 1 : 0;
        ++of_tone[static_cast<std::size_t>(truth.sentiment_of_message[i])];
        read.push_back(score[2] - score[0]);
        felt.push_back(truth.satisfaction(number_in(truth.customer_ids, customer[i]), when[i]));
    }
    const double usual = *std::ranges::max_element(of_tone) / static_cast<double>(n - n / 2);
    right /= static_cast<double>(n - n / 2);
    INFO("right " << right << ", the most frequent " << usual << ", correlation with satisfaction " << rank_correlation(read, felt));
    CHECK(right > usual + .3);
    CHECK(right < .99);
    CHECK(rank_correlation(read, felt) > .2);
}
