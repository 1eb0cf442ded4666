#ifndef CARAMEL_DATA_SYNTHETIC_SUBSCRIBERS_HPP
#define CARAMEL_DATA_SYNTHETIC_SUBSCRIBERS_HPP

// A generated table of subscribers, who left and who took an offer, with the truth behind both: to try classifiers of
// tables on, and to compare what they learnt with what is so.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/random.hpp>
#include <caramel/data/table.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What `synthetic_subscribers` makes.
struct subscribers_options {
    std::size_t customers = 4000;
    std::uint64_t seed = 0;
    double missing_share = 0.02;  ///< of incomes and payments; 0 <= share < 1
};

/// One row a subscriber: numbers (`tenure` in months, `monthly`, `minutes`, `income`, `support_calls`, `age`), categories
/// (`contract`, `payment`, `region`), and what became of them: `left` and `accepted`, each "yes" or "no".
struct subscribers {
    table rows;
    std::vector<double> leaves;   ///< the probability behind `left`, row by row
    std::vector<double> accepts;  ///< the probability behind `accepted`
};

/// Leaving depends on a contract that ends soon, on many calls to support, and on paying much for little use (an
/// interaction that no linear model sees); an offer is taken by the middle-aged with a high income, more so outside a year's
/// contract. The region is noise. Throws `error` (`bad_parameter`) on no customers or a share out of range.
template <class Options = subscribers_options>
[[nodiscard]] subscribers synthetic_subscribers(const Options& options = {}) {
    require(options.customers > 0, errc::bad_parameter, "synthetic_subscribers: customers must be at least 1");
    require(options.missing_share >= 0 && options.missing_share < 1, errc::bad_parameter, "synthetic_subscribers: missing_share must be at least 0 and below 1");
    static constexpr std::array<std::string_view, 3> contracts{"month", "year", "two years"};
    static constexpr std::array<std::string_view, 4> payments{"card", "direct debit", "invoice", "voucher"};
    const std::size_t n = options.customers;
    std::vector<double> tenure(n), monthly(n), minutes(n), income(n), calls(n), age(n);
    std::vector<std::string> contract(n), payment(n), region(n), left(n), accepted(n);
    std::vector<bool> no_income(n), no_payment(n);
    subscribers out{{}, std::vector<double>(n), std::vector<double>(n)};
    const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
    const auto rounded = [](double x, double steps) { return std::round(x * steps) / steps; };
    for (std::size_t i = 0; i < n; ++i) {
        rng random = rng(options.seed).split("synthetic_subscribers").split(i);  // a customer is the same however many there are
        const std::size_t kind = random.uniform() < 0.5 ? 0 : 1 + random.below(2);
        tenure[i] = std::floor(-24 * std::log1p(-random.uniform()));
        monthly[i] = rounded(25 + 15 * std::abs(random.normal()) + 5 * static_cast<double>(random.below(8)), 100);
        minutes[i] = rounded(std::exp(5 + 0.8 * random.normal()), 1);
        income[i] = rounded(std::exp(10.2 + 0.4 * random.normal()), 0.01);
        age[i] = std::floor(18 + 60 * random.uniform());
        const double trouble = random.normal();
        calls[i] = std::floor(std::max(0.0, 1 + 1.5 * trouble));
        const std::size_t pays = random.below(payments.size());
        contract[i] = contracts[kind];
        payment[i] = payments[pays];
        region[i] = detail::message("region ", random.below(20));
        no_income[i] = random.uniform() < options.missing_share;
        no_payment[i] = random.uniform() < options.missing_share;
        const bool poor_deal = monthly[i] > 50 && minutes[i] < 120;
        out.leaves[i] = sigmoid(-2 + (kind == 0 ? 1.2 : kind == 1 ? -0.4 : -1.5) + 0.45 * calls[i] - 0.02 * std::min(tenure[i], 60.0) + (poor_deal ? 1.6 : 0) +
                                (pays == 3 ? 0.6 : 0) + (kind == 0 && calls[i] >= 3 ? 0.8 : 0));
        const double midlife = (age[i] - 45) / 12;
        out.accepts[i] = sigmoid(-2.6 + 1.4 * std::exp(-midlife * midlife) + 0.9 * (std::log(income[i]) - 10.2) / 0.4 + (kind == 1 ? -0.9 : 0.4) +
                                 (income[i] > 30000 && monthly[i] > 60 ? 0.9 : 0));
        left[i] = random.uniform() < out.leaves[i] ? "yes" : "no";
        accepted[i] = random.uniform() < out.accepts[i] ? "yes" : "no";
    }
    out.rows.add_column("tenure", std::move(tenure));
    out.rows.add_column("monthly", std::move(monthly));
    out.rows.add_column("minutes", std::move(minutes));
    out.rows.add_column("income", std::move(income), no_income);
    out.rows.add_column("support_calls", std::move(calls));
    out.rows.add_column("age", std::move(age));
    out.rows.add_column("contract", std::move(contract));
    out.rows.add_column("payment", std::move(payment), no_payment);
    out.rows.add_column("region", std::move(region));
    out.rows.add_column("left", std::move(left));
    out.rows.add_column("accepted", std::move(accepted));
    return out;
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
