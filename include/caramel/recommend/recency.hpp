#ifndef CARAMEL_RECOMMEND_RECENCY_HPP
#define CARAMEL_RECOMMEND_RECENCY_HPP

// Purchases that fade: what was bought lately says more about what comes next.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/data/interactions.hpp>

namespace caramel::inline CARAMEL_ABI {

/// The same pairs with value * 2^(-(as_of - time) / half_life), and their times (Ding & Li, CIKM 2005, whose decay this is);
/// later times than `as_of` count whole. `as_of` left out is the latest time there is. For recipes in which values count
/// (`weighting::values` or `logarithmic`).
/// Throws `error` (`bad_parameter`) where the half-life is not above 0 or the pairs have no times.
template <class T>
[[nodiscard]] interactions<T> recency_weighted(const interactions<T>& x, std::chrono::duration<double> half_life,
                                               std::optional<std::chrono::sys_seconds> as_of = {}) {
    require(half_life.count() > 0 && std::isfinite(half_life.count()), errc::bad_parameter, "recency_weighted: the half-life is ", half_life.count(),
            " seconds, must be above 0");
    require(x.has_times() || x.empty(), errc::bad_parameter, "recency_weighted: the interactions have no times");
    const auto& [customers, items, starts, bought, values, seconds] = x.fields();
    if (seconds.empty()) return x;
    const std::int64_t last = as_of ? as_of->time_since_epoch().count() : *std::max_element(seconds.begin(), seconds.end());
    std::vector<T> faded(values.size());
    for (std::size_t e = 0; e < faded.size(); ++e) {
        const double age = std::max(0.0, static_cast<double>(last) - static_cast<double>(seconds[e]));
        faded[e] = static_cast<T>(static_cast<double>(values[e]) * std::exp2(-age / half_life.count()));
    }
    return {customers, items, starts, bought, std::move(faded), seconds};
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
