#ifndef CARAMEL_DATA_SYNTHETIC_HPP
#define CARAMEL_DATA_SYNTHETIC_HPP

// Made-up data for examples and tests that must run without a file: a shop's log and customers' messages, with the
// truth that they were made from.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/data/table.hpp>
#include <caramel/data/transactions.hpp>

namespace caramel::inline CARAMEL_ABI {

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
};

/// What the log was made from.
struct shop_truth {
    std::vector<std::string> customer_ids, item_ids;  ///< ascending
    std::vector<std::size_t> taste_of_customer;       ///< the taste that a customer buys most of
    std::vector<std::size_t> taste_of_item;
    /// When a customer left for good; nothing for those who were still there on the last day.
    std::vector<std::optional<std::chrono::sys_seconds>> left;
    std::vector<std::string> tastes;  ///< their names; descriptions of items are made of words of their taste
};

struct shop {
    table rows;  ///< invoice, stock_code, description, quantity, invoice_date, price, customer_id
    transactions log;
    shop_truth truth;
};

namespace detail {

struct taste_words {
    std::string_view name;
    std::array<std::string_view, 8> words;
};
inline constexpr std::array<taste_words, 8> shop_tastes{{
    {"kitchen", {"teapot", "mug", "whisk", "apron", "saucer", "kettle", "spoon", "bowl"}},
    {"garden", {"trowel", "planter", "hose", "seeds", "lantern", "birdhouse", "gloves", "trellis"}},
    {"toys", {"puzzle", "robot", "doll", "marbles", "train", "kite", "blocks", "dinosaur"}},
    {"office", {"notebook", "stapler", "pencil", "folder", "calendar", "eraser", "clipboard", "envelope"}},
    {"textile", {"cushion", "blanket", "curtain", "scarf", "towel", "quilt", "ribbon", "napkin"}},
    {"candles", {"candle", "incense", "holder", "tealight", "wick", "vanilla", "lavender", "beeswax"}},
    {"travel", {"suitcase", "passport", "pillow", "map", "flask", "backpack", "umbrella", "compass"}},
    {"pets", {"collar", "leash", "catnip", "kennel", "brush", "aquarium", "treats", "perch"}},
}};
inline constexpr std::array<std::string_view, 8> shop_colours{"red", "blue", "green", "white", "vintage", "small", "large", "striped"};

[[nodiscard]] inline std::string numbered(std::string_view prefix, std::size_t n) {  // of equal length, so that text order is number order
    std::string digits = message(n);
    return std::string(prefix) + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

// Draws i with a probability in proportion to weight i.
class weighted_choice {
   public:
    explicit weighted_choice(std::span<const double> weights) {
        double sum = 0;
        for (const double w : weights) up_to_.push_back(sum += w);
    }
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

class shop_maker {
   public:
    explicit shop_maker(const shop_options& options) : options_(options), base_(rng(options.seed).split("synthetic_shop")) {
        require(options.tastes >= 1 && options.tastes <= shop_tastes.size(), errc::bad_parameter, "synthetic_shop: ", options.tastes, " tastes, it must be 1 to ",
                shop_tastes.size());
        require(options.customers >= 1 && options.customers <= 999'999, errc::bad_parameter, "synthetic_shop: ", options.customers,
                " customers, it must be 1 to 999999");
        require(options.items >= options.tastes && options.items <= 999'999, errc::bad_parameter, "synthetic_shop: ", options.items, " items, it must be ",
                options.tastes, " (one a taste) to 999999");
        require(options.days >= 1 && options.days <= 36'500, errc::bad_parameter, "synthetic_shop: ", options.days, " days, it must be 1 to 36500");
        require(options.dirty >= 0 && options.dirty <= 0.5, errc::bad_parameter, "synthetic_shop: dirty is ", options.dirty, ", it must be 0 to 0.5");
    }

    [[nodiscard]] shop make() {
        stock_the_shop();
        for (std::size_t c = 0; c < options_.customers; ++c) live(c);
        std::stable_sort(visits_.begin(), visits_.end(), [](const visit& a, const visit& b) { return a.when < b.when; });
        return write_down();
    }

   private:
    struct visit {
        std::chrono::sys_seconds when;
        std::size_t customer;
        bool first;
        std::vector<std::pair<std::size_t, std::size_t>> basket;  // item, quantity
    };

    void stock_the_shop() {
        rng random = base_.split("items");
        by_taste_.resize(options_.tastes);
        for (std::size_t t = 0; t < options_.tastes; ++t) truth_.tastes.emplace_back(shop_tastes[t].name);
        std::vector<std::vector<double>> weights(options_.tastes);
        for (std::size_t i = 0; i < options_.items; ++i) {
            const std::size_t t = i % options_.tastes;
            by_taste_[t].push_back(i);
            weights[t].push_back(1 / (static_cast<double>(i / options_.tastes) + 4));  // few sell much
            truth_.item_ids.push_back(numbered("P", i));
            truth_.taste_of_item.push_back(t);
            const auto& words = shop_tastes[t].words;
            const std::size_t colour = random.below(shop_colours.size());
            const std::size_t one = random.below(words.size());
            const std::size_t other = (one + 1 + random.below(words.size() - 1)) % words.size();
            descriptions_.push_back(std::string(shop_colours[colour]) + ' ' + std::string(words[one]) + ' ' + std::string(words[other]));
            prices_.push_back(std::round(25 + 100 * std::exp(1 + 0.2 * static_cast<double>(t % 3) + 0.6 * random.normal())) / 100);
        }
        for (const auto& w : weights) popularity_.emplace_back(w);
    }
    // A taste's season: up to half as much again, at its time of the year.
    [[nodiscard]] double season(std::size_t taste, double day) const {
        const double phase = day / 365.25 - static_cast<double>(taste) / static_cast<double>(options_.tastes);
        return 1 + 0.5 * std::cos(2 * std::numbers::pi * phase);
    }

    // One customer from joining to leaving: visits at random at a pace of their own, until they leave at random. The loyal
    // come more often, stay longer and buy more, so what was bought and how often says more than the last visit alone.
    void live(std::size_t c) {
        rng random = base_.split("customers").split(c);
        const auto days = static_cast<double>(options_.days);
        const std::size_t taste = random.below(options_.tastes);
        std::vector<double> likes(options_.tastes);
        for (auto& like : likes) like = 0.35 * random.uniform() / static_cast<double>(options_.tastes);
        likes[taste] += 0.65;
        const double loyalty = random.normal();
        const double gap = 75 * std::exp(0.4 * random.normal() - loyalty);
        const double stays = exponential(random, 2000 * std::exp(0.5 * loyalty));
        double day = 0.72 * days * random.uniform();
        const double leaves = day + stays;

        truth_.customer_ids.push_back(numbered("K", c));
        truth_.taste_of_customer.push_back(taste);
        truth_.left.push_back(leaves < days ? std::optional(instant(leaves)) : std::nullopt);
        std::vector<std::size_t> bought;
        for (bool first = true; first || (day < leaves && day < days); first = false) {
            visits_.push_back({instant(day), c, first, basket(random, likes, loyalty, day, bought)});
            const double busy = 1 + 0.25 * std::cos(2 * std::numbers::pi * (day / 365.25 - 0.9));  // most before Christmas
            day += std::max(0.5, exponential(random, gap) / busy);
        }
    }
    [[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> basket(rng& random, std::span<const double> likes, double loyalty, double day,
                                                                           std::vector<std::size_t>& bought) const {
        std::vector<double> now(likes.begin(), likes.end());
        for (std::size_t t = 0; t < now.size(); ++t) now[t] *= season(t, day);
        const weighted_choice taste_now(now);
        std::vector<std::pair<std::size_t, std::size_t>> out;
        const std::size_t size = 1 + geometric(random, std::clamp(0.6 + 0.25 * loyalty, 0.2, 0.85));
        for (std::size_t k = 0; k < size; ++k) {
            std::size_t item = 0;
            if (!bought.empty() && random.uniform() < 0.3) {  // again
                item = bought[random.below(bought.size())];
            } else {
                const std::size_t t = taste_now(random);
                item = by_taste_[t][popularity_[t](random)];
            }
            if (std::any_of(out.begin(), out.end(), [item](const auto& row) { return row.first == item; })) continue;
            out.emplace_back(item, 1 + geometric(random, std::clamp(0.5 + 0.25 * loyalty, 0.1, 0.8)));
        }
        for (const auto& [item, quantity] : out) bought.push_back(item);
        return out;
    }
    // Day 3.4 as 40 % of the fourth day's opening hours, eight to eighteen.
    [[nodiscard]] std::chrono::sys_seconds instant(double day) const {
        const double whole = std::floor(day);
        const auto minutes = static_cast<std::int64_t>((day - whole) * 600);
        return options_.first_day + std::chrono::days(static_cast<std::int64_t>(whole)) + std::chrono::minutes(480 + minutes);
    }

    [[nodiscard]] shop write_down() {
        rng random = base_.split("dirt");
        std::size_t n = 0;  // invoices
        const auto end = options_.first_day + std::chrono::days(options_.days);
        std::size_t next = 0;
        std::vector<std::size_t> waiting;  // cancelled visits, by the day after
        const auto cancel_until = [&](std::chrono::sys_seconds now) {
            for (; next < waiting.size() && visits_[waiting[next]].when + std::chrono::days(1) <= now; ++next) {
                const visit& v = visits_[waiting[next]];
                const auto& [item, quantity] = v.basket.front();
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
            for (const auto& [item, quantity] : v.basket) {
                const double price = random.uniform() < options_.dirty / 10 ? 0 : prices_[item];
                const std::size_t copies = random.uniform() < options_.dirty / 5 ? 2 : 1;
                const auto customer = unknown ? std::nullopt : std::optional(truth_.customer_ids[v.customer]);
                for (std::size_t copy = 0; copy < copies; ++copy) append(invoice, item, static_cast<std::int64_t>(quantity), price, v.when, customer);
            }
            if (cancelled && !unknown && v.when + std::chrono::days(1) < end) waiting.push_back(i);
        }
        cancel_until(end);

        shop out;
        out.rows.add_column("invoice", std::move(invoices_));
        out.rows.add_column("stock_code", std::move(items_));
        out.rows.add_column("description", std::move(texts_));
        out.rows.add_column("quantity", std::move(quantities_));
        out.rows.add_column("invoice_date", std::move(times_));
        out.rows.add_column("price", std::move(row_prices_));
        out.rows.add_column("customer_id", std::move(customers_));
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
    void append(std::string invoice, std::size_t item, std::int64_t quantity, double price, std::chrono::sys_seconds when, std::optional<std::string> customer) {
        invoices_.push_back(std::move(invoice));
        items_.push_back(truth_.item_ids[item]);
        texts_.push_back(descriptions_[item]);
        quantities_.push_back(quantity);
        times_.push_back(when);
        row_prices_.push_back(price);
        customers_.push_back(std::move(customer));
    }

    const shop_options options_;
    const rng base_;
    shop_truth truth_;
    std::vector<std::vector<std::size_t>> by_taste_;
    std::vector<weighted_choice> popularity_;
    std::vector<std::string> descriptions_;
    std::vector<double> prices_;
    std::vector<visit> visits_;
    std::vector<std::string> invoices_, items_, texts_;
    std::vector<std::int64_t> quantities_;
    std::vector<std::chrono::sys_seconds> times_;
    std::vector<double> row_prices_;
    std::vector<std::optional<std::string>> customers_;
};

}  // namespace detail

/// A small shop's log, in the order of time. Each customer has a taste, buys things again, comes at a pace of their own
/// and some day leaves for good, loyal ones later; tastes have seasons, and some rows are not clean.
/// Throws `error` (`bad_parameter`).
[[nodiscard]] inline shop synthetic_shop(const shop_options& options = {}) { return detail::shop_maker(options).make(); }

/// Texts with a label each: 1 for a content customer, 0 for another.
struct labelled_texts {
    std::vector<std::string> texts;
    std::vector<int> labels;
};

/// `n` short messages of customers. About one clause in six says the opposite of its words ("not bad"), and some
/// messages have a clause of the other kind, so that counting words is good and not perfect.
[[nodiscard]] inline labelled_texts synthetic_messages(std::size_t n, std::uint64_t seed = 0) {
    using word = std::string_view;
    static constexpr std::array<word, 12> things{"delivery", "teapot", "blanket",  "service",   "packaging", "website",
                                                 "lamp",     "refund", "notebook", "assistant", "price",     "invoice"};
    static constexpr std::array<word, 12> good{"great",   "lovely",    "fast", "perfect", "friendly", "excellent",
                                               "helpful", "beautiful", "good", "solid",   "pleasant", "fair"};
    static constexpr std::array<word, 12> bad{"broken", "awful", "late", "rude", "wrong", "terrible", "useless", "ugly", "bad", "dirty", "slow", "disappointing"};
    static constexpr std::array<word, 6> openers{"hello,", "to whom it may concern:", "about my order:", "hi there,", "following up:", "quick note:"};
    static constexpr std::array<word, 4> verbs{"was", "is", "looks", "seems"};
    const rng base = rng(seed).split("synthetic_messages");
    labelled_texts out;
    for (std::size_t i = 0; i < n; ++i) {
        rng random = base.split(i);
        const auto pick = [&random](const auto& words) { return std::string(words[random.below(words.size())]); };
        const bool content = random.below(2) == 1;
        std::string text;
        if (random.below(2) == 1) text = pick(openers) + ' ';
        const std::size_t clauses = 1 + random.below(3);
        for (std::size_t k = 0; k < clauses; ++k) {
            const bool positive = k == 0 || random.below(6) != 0 ? content : !content;  // the first clause tells
            const bool negated = random.below(6) == 0;
            if (k > 0) text += positive == content ? " and " : " but ";
            const bool stressed = random.below(4) == 0;
            text += "the " + pick(things) + ' ';
            text += pick(verbs);
            text += negated ? " not " : stressed ? " really " : " ";
            text += positive != negated ? pick(good) : pick(bad);
        }
        out.texts.push_back(std::move(text));
        out.labels.push_back(content ? 1 : 0);
    }
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
