#ifndef CARAMEL_DATA_SYNTHETIC_HPP
#define CARAMEL_DATA_SYNTHETIC_HPP

// Made-up data for examples and tests that must run without a file: a shop's log, its contacts with customers and their
// messages, with the truth that they were made from.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/data/synthetic_text.hpp>
#include <caramel/data/table.hpp>
#include <caramel/data/transactions.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What `synthetic_shop` makes.
struct shop_options {
    std::size_t customers = 800;
    std::size_t items = 240;
    std::size_t days = 365;
    std::size_t tastes = 6;  ///< at most 8
    std::uint64_t seed = 0;
    std::chrono::sys_days first_day = std::chrono::sys_days(std::chrono::year(2010) / 1 / 1);
    /// The share of invoices without a customer. Half as many are cancelled later; a fifth as many rows stand there twice,
    /// and a tenth as many have no price. 0 = a clean log.
    double dirty = 0.05;
    std::size_t campaign_every = 30;  ///< days from one campaign to the next; 0 = nobody is contacted
    std::size_t response_days = 14;   ///< a contact works for so many days from its own on: 1 to `campaign_every`
    double messages = 0.25;           ///< the share of orders that a message follows
};

/// What the shop was made from. Customers, items, tastes and actions by their numbers.
struct shop_truth {
    std::vector<std::string> customer_ids, item_ids;  ///< ascending
    std::vector<std::size_t> taste_of_customer;       ///< the taste that a customer buys most of
    std::vector<std::size_t> taste_of_item;
    /// When a customer left for good; nothing for those who were still there on the last day.
    std::vector<std::optional<std::chrono::sys_seconds>> left;
    std::vector<std::string> tastes;  ///< their names; descriptions of items are made of words of their taste

    /// The shares of the tastes in what a customer buys when it is no taste's season; they sum to 1.
    std::vector<std::vector<double>> likes_of_customer;

    /// Seasons, by month from January: how much more a customer orders in all, and of a taste. The orders expected on a day
    /// are the pace times `season_of_year` times the sum of likes times `season_of_taste`. Each has a mean of 1 over the year.
    std::array<double, 12> season_of_year{};
    std::vector<std::array<double, 12>> season_of_taste;

    /// Customers join with a satisfaction, which drifts for a year and then stays. One more unit of it makes the hazard of
    /// leaving e times smaller and the pace e^.5 times faster: who is about to leave comes less and less often before.
    static constexpr double drift_days = 365;
    std::vector<std::chrono::sys_seconds> joined;  ///< the time of the first order
    std::vector<double> satisfaction_of_customer;  ///< when joining
    std::vector<double> drift_of_customer;         ///< of the satisfaction, a day
    std::vector<double> hazard_of_customer;        ///< of leaving, a day, when joining
    std::vector<double> pace_of_customer;          ///< orders in 30 days, when joining

    /// A contact adds `effect_of_action` to the log odds of an order within `shop_options::response_days`, times the
    /// customer's `response_of_customer` (1 on average), times `fatigue` for each contact in the `fatigue_days` before.
    static constexpr double fatigue = 0.5;
    static constexpr std::size_t fatigue_days = 45;
    std::vector<std::string> actions;  ///< "nothing" comes first
    std::vector<double> effect_of_action;
    std::vector<double> response_of_customer;
    std::vector<double> chance_if_left_alone;  ///< by row of the contacts: the probability of an order without a contact
    std::vector<double> effect_of_contact;     ///< by row of the contacts: what it added to the log odds

    std::vector<std::string> sentiments;    ///< negative, neutral, positive
    std::vector<int> sentiment_of_message;  ///< by row of the messages

    /// Of a customer at an instant. Not checked: the customer's number.
    template <class = void>
    [[nodiscard]] double satisfaction(std::size_t customer, std::chrono::sys_seconds when) const noexcept {
        return satisfaction_of_customer[customer] + drifted(customer, when);
    }
    template <class = void>
    [[nodiscard]] double hazard(std::size_t customer, std::chrono::sys_seconds when) const noexcept {
        return hazard_of_customer[customer] * std::exp(-drifted(customer, when));
    }
    template <class = void>
    [[nodiscard]] double pace(std::size_t customer, std::chrono::sys_seconds when) const noexcept {
        return pace_of_customer[customer] * std::exp(0.5 * drifted(customer, when));
    }
    /// What an action would add to a customer's log odds after so many recent contacts.
    [[nodiscard]] double effect(std::size_t customer, std::size_t action, std::size_t recent_contacts) const noexcept {
        double out = effect_of_action[action] * response_of_customer[customer];
        for (std::size_t n = 0; n < recent_contacts && out > 0; ++n) out *= fatigue;
        return out;
    }

   private:
    template <class = void>
    [[nodiscard]] double drifted(std::size_t customer, std::chrono::sys_seconds when) const noexcept {
        const double days = std::chrono::duration<double, std::ratio<86400>>(when - joined[customer]).count();
        return drift_of_customer[customer] * std::clamp(days, 0.0, drift_days);
    }
};

/// A generated shop: its log, its contacts, its messages, and the truth behind them.
struct shop {
    table rows;  ///< invoice, stock_code, description, quantity, invoice_date, price, customer_id
    transactions log;
    shop_truth truth;
    /// In the order of time, one row a customer and campaign: contact_time, customer_id, action, propensity (the probability
    /// with which the action was drawn: it depends on recency_days alone), recency_days (days since the last order),
    /// recent_contacts (in the 45 days before), ordered (1 = an order within `response_days`, whatever became of it).
    table contacts;
    table messages;  ///< in the order of time: message_time, customer_id, text, sentiment
};

namespace detail {

template <class = void>
[[nodiscard]] inline std::string numbered(std::string_view prefix, std::size_t n) {  // of equal length, so that text order is number order
    std::string digits = message(n);
    return std::string(prefix) + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

// Draws i with a probability in proportion to weight i.
class weighted_choice {
   public:
    template <class = void>
    explicit weighted_choice(std::span<const double> weights) {
        up_to_.reserve(weights.size());
        double sum = 0;
        for (const double w : weights) up_to_.push_back(sum += w);
    }
    template <class = void>
    [[nodiscard]] std::size_t operator()(rng& random) const {
        const double x = random.uniform() * up_to_.back();
        const auto at = std::upper_bound(up_to_.begin(), up_to_.end(), x);
        return std::min(static_cast<std::size_t>(at - up_to_.begin()), up_to_.size() - 1);
    }

   private:
    std::vector<double> up_to_;
};
[[nodiscard]] inline double exponential(rng& random, double mean) { return -mean * std::log1p(-random.uniform()); }
[[nodiscard]] inline std::size_t geometric(rng& random, double go_on) {
    std::size_t n = 0;
    while (n < 50 && random.uniform() < go_on) ++n;
    return n;
}

// A wave over the months of a year with a mean of 1.
[[nodiscard]] inline std::array<double, 12> yearly_wave(double height, double peak) {
    std::array<double, 12> out{};
    for (std::size_t m = 0; m < 12; ++m) out[m] = 1 + height * std::cos(2 * std::numbers::pi * (static_cast<double>(m) - peak) / 12);
    return out;
}
inline constexpr std::array<double, 12> gift_season{.6, .6, .6, .6, .6, .6, .6, .6, .6, .6, 2.4, 3.6};  // before Christmas

// The campaigns draw one of these: more often for those who have been away for long.
struct contact_action {
    std::string_view name;
    double effect;         // in log odds
    double share_recent;   // of customers whose last order is at most `away_days` ago
    double share_away;
};
inline constexpr std::array<contact_action, 4> contact_actions{{{"nothing", 0, .7, .4}, {"email", .5, .15, .3}, {"call", .9, .05, .1}, {"discount", 1.3, .1, .2}}};
inline constexpr std::size_t away_days = 45;

// By how much the orders expected in some days grow when the log odds of any order are raised: orders come as a Poisson
// process, so the probability of any is 1 - exp(-expected).
[[nodiscard]] inline double growth_of_orders(double expected, double effect) {
    if (!(expected > 0) || effect == 0) return 1;
    const double raised = expected > 30 ? expected + effect : std::log1p(std::exp(effect) * std::expm1(expected));
    return raised / expected;
}

// When the integral of a hazard reaches `total`: it starts at `hazard` and changes by a factor of e^change a day for
// `change_days`, then it stays. Infinity where it never does.
[[nodiscard]] inline double day_of_total_hazard(double total, double hazard, double change, double change_days) {
    const double early = change == 0 ? hazard * change_days : hazard * std::expm1(change * change_days) / change;
    if (total > early) return change_days + (total - early) / (hazard * std::exp(change * change_days));
    return change == 0 ? total / hazard : std::log1p(total * change / hazard) / change;
}

// Every concern draws from a stream of its own: "items", "customers", "departures", "visits", "baskets", "campaigns",
// "messages", "dirt"; below that, each customer does. So one option does not change what another makes, except that
// contacts make orders come earlier.
class shop_maker {
   public:
    template <class = void>
    explicit shop_maker(const shop_options& options) : options_(checked(options)), base_(rng(options.seed).split("synthetic_shop")) {}

    template <class = void>
    [[nodiscard]] shop make() {
        state_the_rules();
        stock_the_shop();
        for (std::size_t c = 0; c < options_.customers; ++c) live(c, new_customer(c));
        const auto earlier = [](const auto& a, const auto& b) { return a.when < b.when; };
        std::stable_sort(visits_.begin(), visits_.end(), earlier);
        std::stable_sort(contacts_.begin(), contacts_.end(), earlier);
        std::stable_sort(messages_.begin(), messages_.end(), earlier);
        shop out;
        out.rows = write_rows();
        out.contacts = write_contacts();
        out.messages = write_messages();
        out.log = transactions::from(out.rows, {.customer = "customer_id",
                                                .item = "stock_code",
                                                .invoice = "invoice",
                                                .quantity = "quantity",
                                                .price = "price",
                                                .when = "invoice_date",
                                                .description = "description"});
        out.truth = std::move(truth_);
        return out;
    }

   private:
    using seconds = std::chrono::sys_seconds;
    using basket = std::vector<std::pair<std::size_t, std::size_t>>;  // item, quantity

    struct customer {
        double joins, leaves;  // days
        double loyalty;        // about -2 to 2
        std::array<double, 12> season;            // of all that they buy
        std::vector<weighted_choice> taste_in;    // by month
    };
    struct visit {
        seconds when;
        std::size_t customer;
        bool first;
        basket bought;
    };
    struct contact {
        seconds when;
        std::size_t customer, action, recency, recent;
        double propensity, chance, effect;
        bool ordered;
    };
    struct letter {
        seconds when;
        std::size_t customer;
        std::string text;
        int sentiment;
    };

    template <class = void>
    static const shop_options& checked(const shop_options& o) {
        constexpr std::string_view who = "synthetic_shop: ";
        require(o.tastes >= 1 && o.tastes <= shop_tastes.size(), errc::bad_parameter, who, o.tastes, " tastes, it must be 1 to ", shop_tastes.size());
        require(o.customers >= 1 && o.customers <= 999'999, errc::bad_parameter, who, o.customers, " customers, it must be 1 to 999999");
        require(o.items >= o.tastes && o.items <= 999'999, errc::bad_parameter, who, o.items, " items, it must be ", o.tastes, " (one a taste) to 999999");
        require(o.days >= 1 && o.days <= 36'500, errc::bad_parameter, who, o.days, " days, it must be 1 to 36500");
        require(o.dirty >= 0 && o.dirty <= 0.5, errc::bad_parameter, who, "dirty is ", o.dirty, ", it must be 0 to 0.5");
        require(o.campaign_every <= 36'500, errc::bad_parameter, who, "campaign_every is ", o.campaign_every, ", it must be 0 to 36500");
        require(o.campaign_every == 0 || (o.response_days >= 1 && o.response_days <= o.campaign_every), errc::bad_parameter, who, "response_days is ",
                o.response_days, ", it must be 1 to ", o.campaign_every, " (campaign_every)");
        require(o.messages >= 0 && o.messages <= 1, errc::bad_parameter, who, "messages is ", o.messages, ", it must be 0 to 1");
        return o;
    }

    template <class = void>
    void state_the_rules() {
        truth_.season_of_year = yearly_wave(0.2, 10.5);
        for (std::size_t t = 0; t < options_.tastes; ++t) {
            truth_.tastes.emplace_back(shop_tastes[t].name);
            truth_.season_of_taste.push_back(t == gift_taste ? gift_season : yearly_wave(0.4, 12 * static_cast<double>(t) / static_cast<double>(options_.tastes)));
        }
        for (const auto& action : contact_actions) {
            truth_.actions.emplace_back(action.name);
            truth_.effect_of_action.push_back(action.effect);
        }
        for (const auto name : sentiment_names) truth_.sentiments.emplace_back(name);
        for (std::size_t d = 0; d < options_.days; ++d) {
            const std::chrono::year_month_day date(options_.first_day + std::chrono::days(d));
            month_of_.push_back(static_cast<unsigned>(date.month()) - 1);
        }
    }

    template <class = void>
    void stock_the_shop() {
        rng random = base_.split("items");
        by_taste_.resize(options_.tastes);
        std::vector<std::vector<double>> weights(options_.tastes);
        for (std::size_t i = 0; i < options_.items; ++i) {
            const std::size_t t = i % options_.tastes;
            by_taste_[t].push_back(i);
            weights[t].push_back(1 / (static_cast<double>(i / options_.tastes) + 4));  // few sell much
            truth_.item_ids.push_back(numbered("P", i));
            truth_.taste_of_item.push_back(t);
            descriptions_.push_back(product_description(random, t));
            prices_.push_back(std::round(25 + 100 * std::exp(1 + 0.2 * static_cast<double>(t % 3) + 0.6 * random.normal())) / 100);
        }
        for (const auto& w : weights) popularity_.emplace_back(w);
    }

    // ---- who the customers are -----------------------------------------------------------------------------------------
    // The loyal come more often, stay longer and buy more, so what was bought and how often says more than the last visit alone.
    template <class = void>
    [[nodiscard]] customer new_customer(std::size_t c) {
        rng random = base_.split("customers").split(c);
        const std::size_t taste = random.below(options_.tastes);
        const auto likes = draw_likes(random, taste);
        const double loyalty = random.normal();
        const double gap = 75 * std::exp(0.4 * random.normal() - loyalty);
        const double joins = 0.72 * static_cast<double>(options_.days) * random.uniform();
        const double satisfaction = 0.6 * random.normal();
        const double drift = (1.5 * random.normal() - 0.3) / shop_truth::drift_days;
        const double hazard = std::exp(-0.4 * loyalty - satisfaction) / 1600;
        const double response = 0.5 + random.uniform();

        truth_.customer_ids.push_back(numbered("K", c));
        truth_.taste_of_customer.push_back(taste);
        truth_.likes_of_customer.push_back(likes);
        truth_.joined.push_back(instant(joins));
        truth_.satisfaction_of_customer.push_back(satisfaction);
        truth_.drift_of_customer.push_back(drift);
        truth_.hazard_of_customer.push_back(hazard);
        truth_.pace_of_customer.push_back(30 / gap);
        truth_.response_of_customer.push_back(response);
        const double leaves = joins + draw_stay(c);
        truth_.left.push_back(leaves < static_cast<double>(options_.days) ? std::optional(instant(leaves)) : std::nullopt);
        return with_seasons({.joins = joins, .leaves = leaves, .loyalty = loyalty, .season = {}, .taste_in = {}}, likes);
    }
    template <class = void>
    [[nodiscard]] std::vector<double> draw_likes(rng& random, std::size_t taste) const {
        std::vector<double> likes(options_.tastes);
        for (auto& like : likes) like = 0.35 * random.uniform() / static_cast<double>(options_.tastes);
        likes[taste] += 0.65;
        double sum = 0;
        for (const double like : likes) sum += like;
        for (auto& like : likes) like /= sum;
        return likes;
    }
    [[nodiscard]] double draw_stay(std::size_t c) const {
        rng random = base_.split("departures").split(c);
        return day_of_total_hazard(exponential(random, 1), truth_.hazard_of_customer[c], -truth_.drift_of_customer[c], shop_truth::drift_days);
    }
    template <class = void>
    [[nodiscard]] customer with_seasons(customer who, std::span<const double> likes) const {
        std::vector<double> now(likes.size());
        for (std::size_t m = 0; m < 12; ++m) {
            for (std::size_t t = 0; t < likes.size(); ++t) {
                now[t] = likes[t] * truth_.season_of_taste[t][m];
                who.season[m] += truth_.season_of_year[m] * now[t];
            }
            who.taste_in.emplace_back(now);
        }
        return who;
    }

    // ---- what they do --------------------------------------------------------------------------------------------------
    template <class = void>
    void live(std::size_t c, const customer& who) {
        const auto expected = expected_orders(c, who);
        rng random = base_.split("visits").split(c), campaigns = base_.split("campaigns").split(c);
        std::vector<std::vector<std::size_t>> bought(options_.tastes);
        std::size_t last = order(c, who, who.joins, 0, bought), orders = 1, responds_until = 0;
        std::vector<std::size_t> contacted;  // days
        double waiting = exponential(random, 1), growth = 1;  // orders expected before the next one comes; of all while a contact works
        for (std::size_t day = last; day < options_.days; ++day) {
            if (day == responds_until) growth = 1;
            if (day > last && is_campaign(day)) {
                const double alone = sum_from(expected, day);
                growth = growth_of_orders(alone, reach_out(c, day, last, contacted, alone, campaigns));
                responds_until = day + options_.response_days;
            }
            // The day's orders are spread evenly over the part of it on which the customer is there.
            const double begin = std::max(static_cast<double>(day), who.joins), end = std::min(static_cast<double>(day) + 1, who.leaves);
            double left = growth * expected[day];
            const double rate = left / (end - begin);
            while (waiting < left) {
                left -= waiting;
                last = order(c, who, std::clamp(end - left / rate, begin, std::nextafter(end, begin)), orders++, bought);
                if (day < responds_until) contacts_.back().ordered = true;
                waiting = exponential(random, 1);
            }
            waiting -= left;
        }
    }
    // The orders expected on each day of a customer whom nobody contacts.
    template <class = void>
    [[nodiscard]] std::vector<double> expected_orders(std::size_t c, const customer& who) const {
        std::vector<double> out(options_.days);
        for (auto day = static_cast<std::size_t>(who.joins); day < options_.days && static_cast<double>(day) < who.leaves; ++day) {
            const double begin = std::max(static_cast<double>(day), who.joins), end = std::min(static_cast<double>(day) + 1, who.leaves);
            const double drifted = truth_.drift_of_customer[c] * std::min((begin + end) / 2 - who.joins, shop_truth::drift_days);
            out[day] = (end - begin) * truth_.pace_of_customer[c] / 30 * std::exp(0.5 * drifted) * who.season[month_of_[day]];
        }
        return out;
    }
    [[nodiscard]] double sum_from(const std::vector<double>& expected, std::size_t day) const {
        double sum = 0;
        for (std::size_t k = 0; k < options_.response_days; ++k) sum += expected[day + k];
        return sum;
    }
    [[nodiscard]] bool is_campaign(std::size_t day) const {
        return options_.campaign_every > 0 && day % options_.campaign_every == 0 && day + options_.response_days <= options_.days;
    }

    // Draws the campaign's action for a customer and returns what it adds to the log odds of an order. The shop does not
    // know who has left.
    template <class = void>
    double reach_out(std::size_t c, std::size_t day, std::size_t last_order, std::vector<std::size_t>& contacted, double expected, rng& random) {
        const std::size_t recency = day - last_order;
        std::array<double, contact_actions.size()> shares{};
        for (std::size_t a = 0; a < shares.size(); ++a) shares[a] = recency > away_days ? contact_actions[a].share_away : contact_actions[a].share_recent;
        const std::size_t action = weighted_choice(shares)(random);
        const auto recent = static_cast<std::size_t>(
            std::count_if(contacted.begin(), contacted.end(), [day](std::size_t then) { return then + shop_truth::fatigue_days >= day; }));
        const double effect = truth_.effect(c, action, recent);
        contacts_.push_back({.when = options_.first_day + std::chrono::days(day) + std::chrono::hours(7), .customer = c, .action = action, .recency = recency,
                             .recent = recent, .propensity = shares[action], .chance = -std::expm1(-expected), .effect = effect, .ordered = false});
        if (action > 0) contacted.push_back(day);
        return effect;
    }

    // The n-th order of a customer, and perhaps a message after it. Returns its day.
    template <class = void>
    std::size_t order(std::size_t c, const customer& who, double day, std::size_t n, std::vector<std::vector<std::size_t>>& bought) {
        const auto whole = static_cast<std::size_t>(day);
        auto now = fill_basket(c, who, month_of_[whole], n, bought);
        write_message(c, who, day, n, now.front().first);
        visits_.push_back({instant(day), c, n == 0, std::move(now)});
        return whole;
    }
    // `bought`: what the customer has bought before, by taste.
    template <class = void>
    [[nodiscard]] basket fill_basket(std::size_t c, const customer& who, std::size_t month, std::size_t n, std::vector<std::vector<std::size_t>>& bought) const {
        rng random = base_.split("baskets").split(c).split(n);
        basket out;
        const std::size_t size = 1 + geometric(random, std::clamp(0.6 + 0.25 * who.loyalty, 0.2, 0.85));
        for (std::size_t k = 0; k < size; ++k) {
            const std::size_t t = who.taste_in[month](random);
            const bool again = random.uniform() < 0.3 && !bought[t].empty();
            const std::size_t item = again ? bought[t][random.below(bought[t].size())] : by_taste_[t][popularity_[t](random)];
            if (std::any_of(out.begin(), out.end(), [item](const auto& row) { return row.first == item; })) continue;
            out.emplace_back(item, 1 + geometric(random, std::clamp(0.5 + 0.25 * who.loyalty, 0.1, 0.8)));
        }
        for (const auto& [item, quantity] : out) bought[truth_.taste_of_item[item]].push_back(item);
        return out;
    }
    // Some days later, in the tone of how satisfied the customer is then; of those who are still there.
    template <class = void>
    void write_message(std::size_t c, const customer& who, double ordered, std::size_t n, std::size_t item) {
        rng random = base_.split("messages").split(c).split(n);
        if (random.uniform() >= options_.messages) return;
        const double day = ordered + 1 + 4 * random.uniform();
        if (day >= std::min(who.leaves, static_cast<double>(options_.days))) return;
        const auto when = instant(day);
        const double tilt = std::exp(1.2 * truth_.satisfaction(c, when));
        const std::array<double, 3> tones{0.8 / tilt, 0.7, 0.9 * tilt};
        const auto tone = static_cast<int>(weighted_choice(tones)(random));
        const std::string& words = descriptions_[item];
        const std::size_t begin = words.find(' ') + 1;  // behind the colour
        message_writer writer(random, std::string_view(words).substr(begin, words.find(' ', begin) - begin));
        messages_.push_back({when, c, writer.write(tone), tone});
    }

    // Day 3.4 as 40 % of the fourth day's opening hours, eight to eighteen.
    template <class = void>
    [[nodiscard]] seconds instant(double day) const {
        const double whole = std::floor(day);
        const auto minutes = static_cast<std::int64_t>((day - whole) * 600);
        return options_.first_day + std::chrono::days(static_cast<std::int64_t>(whole)) + std::chrono::minutes(480 + minutes);
    }

    // ---- what is written down ------------------------------------------------------------------------------------------
    template <class = void>
    [[nodiscard]] table write_rows() {
        rng random = base_.split("dirt");
        std::size_t n = 0;  // invoices
        const auto end = options_.first_day + std::chrono::days(options_.days);
        std::size_t next = 0;
        std::vector<std::size_t> waiting;  // cancelled visits, by the day after
        const auto cancel_until = [&](seconds now) {
            for (; next < waiting.size() && visits_[waiting[next]].when + std::chrono::days(1) <= now; ++next) {
                const visit& v = visits_[waiting[next]];
                const auto& [item, quantity] = v.bought.front();
                const auto when = v.when + std::chrono::days(1);
                append(numbered("C", 500'000 + n++), item, -static_cast<std::int64_t>(quantity), prices_[item], when, truth_.customer_ids[v.customer]);
            }
        };
        for (std::size_t i = 0; i < visits_.size(); ++i) {
            const visit& v = visits_[i];
            cancel_until(v.when);
            const bool unknown = random.uniform() < options_.dirty && !v.first;
            const bool cancelled = random.uniform() < options_.dirty / 2;
            const std::string invoice = numbered("", 500'000 + n++);
            for (const auto& [item, quantity] : v.bought) {
                const double price = random.uniform() < options_.dirty / 10 ? 0 : prices_[item];
                const std::size_t copies = random.uniform() < options_.dirty / 5 ? 2 : 1;
                const auto customer_id = unknown ? std::nullopt : std::optional(truth_.customer_ids[v.customer]);
                for (std::size_t copy = 0; copy < copies; ++copy) append(invoice, item, static_cast<std::int64_t>(quantity), price, v.when, customer_id);
            }
            if (cancelled && !unknown && v.when + std::chrono::days(1) < end) waiting.push_back(i);
        }
        cancel_until(end);

        table out;
        out.add_column("invoice", std::move(invoices_));
        out.add_column("stock_code", std::move(items_));
        out.add_column("description", std::move(texts_));
        out.add_column("quantity", std::move(quantities_));
        out.add_column("invoice_date", std::move(times_));
        out.add_column("price", std::move(row_prices_));
        out.add_column("customer_id", std::move(customers_));
        return out;
    }
    template <class = void>
    void append(std::string invoice, std::size_t item, std::int64_t quantity, double price, seconds when, std::optional<std::string> customer_id) {
        invoices_.push_back(std::move(invoice));
        items_.push_back(truth_.item_ids[item]);
        texts_.push_back(descriptions_[item]);
        quantities_.push_back(quantity);
        times_.push_back(when);
        row_prices_.push_back(price);
        customers_.push_back(std::move(customer_id));
    }

    template <class Rows, class Read>
    static void add(table& out, std::string name, const Rows& rows, const Read& read) {
        std::vector<decltype(read(rows.front()))> values;
        values.reserve(rows.size());
        for (const auto& row : rows) values.push_back(read(row));
        out.add_column(std::move(name), std::move(values));
    }
    template <class = void>
    [[nodiscard]] table write_contacts() {
        for (const contact& row : contacts_) {
            truth_.chance_if_left_alone.push_back(row.chance);
            truth_.effect_of_contact.push_back(row.effect);
        }
        table out;
        add(out, "contact_time", contacts_, [](const contact& row) { return row.when; });
        add(out, "customer_id", contacts_, [this](const contact& row) { return truth_.customer_ids[row.customer]; });
        add(out, "action", contacts_, [this](const contact& row) { return truth_.actions[row.action]; });
        add(out, "propensity", contacts_, [](const contact& row) { return row.propensity; });
        add(out, "recency_days", contacts_, [](const contact& row) { return static_cast<std::int64_t>(row.recency); });
        add(out, "recent_contacts", contacts_, [](const contact& row) { return static_cast<std::int64_t>(row.recent); });
        add(out, "ordered", contacts_, [](const contact& row) { return static_cast<std::int64_t>(row.ordered); });
        return out;
    }
    template <class = void>
    [[nodiscard]] table write_messages() {
        for (const letter& row : messages_) truth_.sentiment_of_message.push_back(row.sentiment);
        table out;
        add(out, "message_time", messages_, [](const letter& row) { return row.when; });
        add(out, "customer_id", messages_, [this](const letter& row) { return truth_.customer_ids[row.customer]; });
        add(out, "text", messages_, [](const letter& row) { return row.text; });
        add(out, "sentiment", messages_, [this](const letter& row) { return truth_.sentiments[static_cast<std::size_t>(row.sentiment)]; });
        return out;
    }

    const shop_options options_;
    const rng base_;
    shop_truth truth_;
    std::vector<std::size_t> month_of_;  // by day
    std::vector<std::vector<std::size_t>> by_taste_;
    std::vector<weighted_choice> popularity_;
    std::vector<std::string> descriptions_;
    std::vector<double> prices_;
    std::vector<visit> visits_;
    std::vector<contact> contacts_;
    std::vector<letter> messages_;
    std::vector<std::string> invoices_, items_, texts_;
    std::vector<std::int64_t> quantities_;
    std::vector<seconds> times_;
    std::vector<double> row_prices_;
    std::vector<std::optional<std::string>> customers_;
};

}  // namespace detail

/// A small shop: its log in the order of time, its contacts with customers and their messages. Each customer has a taste,
/// buys things again, comes at a pace of their own and some day leaves for good, satisfied ones later; the year and the
/// tastes have seasons; monthly campaigns contact customers at random, who order more for some days; some rows of the log
/// are not clean. Throws `error` (`bad_parameter`).
template <class = void>
[[nodiscard]] inline shop synthetic_shop(const shop_options& options = {}) { return detail::shop_maker(options).make(); }

}  // namespace caramel::inline CARAMEL_ABI

#endif
