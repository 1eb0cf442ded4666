#ifndef CARAMEL_TESTS_POLICY_CUSTOMER_LOG_HPP
#define CARAMEL_TESTS_POLICY_CUSTOMER_LOG_HPP

// Histories written down by hand: purchases of customers by day.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <caramel/data/histories.hpp>

namespace customer_log {

inline std::chrono::sys_seconds at_day(double day) {
    return std::chrono::sys_days{std::chrono::year{2010} / 1 / 1} + std::chrono::seconds(std::llround(day * 86400));
}

struct purchase {
    double day;
    double spend = 1;
    std::int32_t invoice = -1;
};

inline std::vector<caramel::transaction> rows_of(const std::vector<purchase>& bought) {
    std::vector<caramel::transaction> out;
    for (const auto& p : bought) out.push_back({.customer = 0, .item = -1, .invoice = p.invoice, .quantity = 1, .price = p.spend, .when = at_day(p.day)});
    return out;
}

/// One customer a list, each in the order of time.
inline caramel::histories histories_of(const std::vector<std::vector<purchase>>& customers, double as_of) {
    std::vector<std::int32_t> numbers, items, invoices;
    std::vector<std::string> ids;
    std::vector<std::uint64_t> starts{0};
    std::vector<double> quantities, prices;
    std::vector<std::chrono::sys_seconds> times;
    for (const auto& bought : customers) {
        numbers.push_back(static_cast<std::int32_t>(numbers.size()));
        ids.push_back("K" + std::to_string(100'000 + numbers.size()));
        for (const auto& p : bought) {
            items.push_back(-1);
            invoices.push_back(p.invoice);
            quantities.push_back(1);
            prices.push_back(p.spend);
            times.push_back(at_day(p.day));
        }
        starts.push_back(items.size());
    }
    return {at_day(as_of), {}, numbers, ids, starts, items, invoices, quantities, prices, times};
}

}  // namespace customer_log

#endif
