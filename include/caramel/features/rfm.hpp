#ifndef CARAMEL_FEATURES_RFM_HPP
#define CARAMEL_FEATURES_RFM_HPP

// Recency, frequency and monetary value: what a customer's purchases say at a glance.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/matrix.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/features/bought_items.hpp>
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Six numbers a customer, from their purchases and the instant at which they are seen: days since the last purchase,
/// days since the first, orders (invoices; without invoices, distinct times), spend, distinct items, pieces.
/// Learns nothing, so it is a model as it stands: `rfm<float>{} | standardize<float>{} | mlp<float>{}`.
template <class T>
struct rfm {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "rfm";  // in saved files: never changes
    static constexpr std::size_t width = 6;

    bool logarithms = true;  ///< sign(x) ln(1 + |x|) of each: such numbers span orders of magnitude

    /// (customers) -> (customers, 6). Throws `error` with the row: `empty_input` (no purchase), `nan_or_inf` (a quantity
    /// or price), `number_out_of_range`.
    [[nodiscard]] matrix<T> operator()(const histories& x) const {
        matrix<T> out(static_cast<row_index>(x.size()), static_cast<row_index>(width));
        workspace scratch;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const workspace::frame frame(scratch);
            describe(x[i], i + 1, scratch, std::span<T>(out.data() + i * width, width));
        }
        return out;
    }
    /// One customer, in the workspace.
    [[nodiscard]] std::span<const T> operator()(const history& x, workspace& scratch) const {
        const workspace::frame frame(scratch);
        const auto out = scratch.take<T>(width);
        describe(x, 1, scratch, out);
        return out;
    }

    [[nodiscard]] static std::vector<std::string> output_names(const std::vector<std::string>& = {}) {
        return {"recency_days", "tenure_days", "orders", "spend", "distinct_items", "pieces"};
    }

    static constexpr std::array field_names{"logarithms"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(logarithms); }

   private:
    void describe(const history& x, std::size_t row, workspace& scratch, std::span<T> out) const {
        require_at(!x.purchases.empty(), errc::empty_input, {.row = row}, "rfm: customer ", row, " has no purchase");
        const auto orders = scratch.take<std::int64_t>(x.purchases.size());
        const auto items = scratch.take<std::int32_t>(x.purchases.size());
        std::chrono::sys_seconds first = x.purchases.front().when, last = first;
        double spend = 0, pieces = 0;
        std::size_t n_orders = 0, n_items = 0;
        for (std::size_t i = 0; i < x.purchases.size(); ++i) {
            const transaction& t = x.purchases[i];
            first = std::min(first, t.when);
            last = std::max(last, t.when);
            spend += t.spend();
            pieces += t.quantity;
            const std::int64_t order = detail::order_of(t);
            if (i == 0 || order != orders[n_orders - 1]) orders[n_orders++] = order;  // an order's rows mostly stand together
            if (t.item >= 0) items[n_items++] = t.item;
        }
        require_at(std::isfinite(spend) && std::isfinite(pieces), errc::nan_or_inf, {.row = row}, "rfm: a quantity or price of customer ", row, " is not finite");
        const auto orders_end = orders.begin() + static_cast<std::ptrdiff_t>(n_orders);
        std::sort(orders.begin(), orders_end);
        const auto different = std::unique(orders.begin(), orders_end) - orders.begin();
        const std::size_t distinct = detail::distinct_numbers(items.first(n_items), scratch).size() + (n_items < x.purchases.size() ? 1 : 0);
        using days = std::chrono::duration<double, std::ratio<86400>>;
        const std::array<double, width> values{days(x.as_of - last).count(), days(x.as_of - first).count(), static_cast<double>(different), spend, static_cast<double>(distinct), pieces};
        for (std::size_t j = 0; j < width; ++j) {
            const double value = logarithms ? std::copysign(std::log1p(std::abs(values[j])), values[j]) : values[j];
            require_at(std::abs(value) <= static_cast<double>(std::numeric_limits<T>::max()), errc::number_out_of_range, {.row = row, .column = j + 1},
                       "rfm: a number of customer ", row, " is beyond the number type");
            out[j] = static_cast<T>(value);
        }
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
