#ifndef CARAMEL_FEATURES_RHYTHM_HPP
#define CARAMEL_FEATURES_RHYTHM_HPP

// When a customer buys: what `rfm` does not see. Whether the next purchase is overdue is a matter of the customer's own pace.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
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
#include <caramel/pipeline.hpp>

namespace caramel::inline CARAMEL_ABI {

/// Numbers a customer about the times of their purchases. An order is what was bought at one instant; days are UTC days.
/// In order:
///   * `purchase_days`, `mean_gap`, `longest_gap`, `latest_gap`, `gap_deviation` (days between days with a purchase),
///     `overdue` (days since the last purchase over the mean gap), each as ln(1 + x); `one_day` (1 = all on one day, then
///     the gaps are 0)
///   * `spend_per_order`, `latest_spend`, `spend_per_piece`, as ln(1 + x)
///   * for each window of the last 14, 30, 60, 91, 150, 200 days: orders and spend, as ln(1 + x)
///   * for each time constant of 15, 30, 60, 120, 240 days: ln(.01 + the sum over purchase days of exp(-age / constant))
///   * for each of the last `months` periods of 30 days, the latest first: 1 if there was a purchase; then their number
/// Learns nothing, so it is a model as it stands: `concat(rfm<float>{}, purchase_rhythm<float>{}) | standardize<float>{} | ...`.
template <class T>
struct purchase_rhythm {
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "purchase_rhythm";  // in saved files: never changes

    std::size_t months = 10;  ///< 0 .. 120

    static constexpr std::array<double, 6> windows{14, 30, 60, 91, 150, 200};  // days
    static constexpr std::array<double, 5> decays{15, 30, 60, 120, 240};       // days
    [[nodiscard]] std::size_t width() const noexcept { return 10 + 2 * windows.size() + decays.size() + months + 1; }

    /// (customers) -> (customers, width()). Throws `error` with the row: `empty_input` (no purchase), `bad_data` (purchases
    /// are not in order of time, or later than the instant of the history), `nan_or_inf` (a quantity or price),
    /// `number_out_of_range`; `bad_parameter`.
    [[nodiscard]] matrix<T> operator()(const histories& x) const {
        require_months();
        matrix<T> out(static_cast<row_index>(x.size()), static_cast<row_index>(width()));
        for (std::size_t i = 0; i < x.size(); ++i) describe(x[i], i + 1, std::span<T>(out.data() + i * width(), width()));
        return out;
    }
    /// One customer, in the workspace.
    [[nodiscard]] std::span<const T> operator()(const history& x, workspace& scratch) const {
        require_months();
        const workspace::frame frame(scratch);
        const auto out = scratch.take<T>(width());
        describe(x, 1, out);
        return out;
    }

    [[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& = {}) const {
        std::vector<std::string> out{"purchase_days", "mean_gap",        "longest_gap",  "latest_gap",     "gap_deviation",
                                     "overdue",       "one_day",         "spend_per_order", "latest_spend", "spend_per_piece"};
        for (const double days : windows) {
            out.push_back(detail::message("orders_", days, "_days"));
            out.push_back(detail::message("spend_", days, "_days"));
        }
        for (const double days : decays) out.push_back(detail::message("decayed_", days, "_days"));
        for (std::size_t m = 1; m <= months; ++m) out.push_back(detail::message("month_", m));
        out.push_back("months");
        return out;
    }

    static constexpr std::array field_names{"months"};
    [[nodiscard]] auto fields() const noexcept { return std::tie(months); }

   private:
    static constexpr double seconds_a_day = 86400;

    void require_months() const { require(months <= 120, errc::bad_parameter, "purchase_rhythm: months is ", months, ", must be in 0 .. 120"); }
    static double age(const history& x, std::chrono::sys_seconds when) { return static_cast<double>((x.as_of - when).count()) / seconds_a_day; }

    // One pass over the purchases: they are in order of time, so the rows of a day and of an order stand together.
    void describe(const history& x, std::size_t row, std::span<T> out) const {
        require_at(!x.purchases.empty(), errc::empty_input, {.row = row}, "purchase_rhythm: customer ", row, " has no purchase");
        std::array<double, windows.size()> orders{}, spends{};
        std::array<double, decays.size()> decayed{};
        const auto month_flags = out.subspan(width() - 1 - months, months);
        std::fill(month_flags.begin(), month_flags.end(), T(0));
        double days = 0, last_gap = 0, gaps = 0, squares = 0, longest = 0, n_orders = 0, spend = 0, order_spend = 0, pieces = 0;
        std::chrono::sys_seconds previous{};
        for (std::size_t i = 0; i < x.purchases.size(); ++i) {
            const transaction& t = x.purchases[i];
            require_at((i == 0 || t.when >= previous) && t.when <= x.as_of, errc::bad_data, {.row = row}, "purchase_rhythm: the purchases of customer ", row,
                       " are not in order of time, or later than the instant of the history");
            const double old = age(x, t.when);
            const auto today = std::chrono::floor<std::chrono::days>(t.when), day_before = std::chrono::floor<std::chrono::days>(previous);
            if (i == 0 || today != day_before) {
                if (i > 0) {
                    last_gap = static_cast<double>((today - day_before).count());
                    gaps += last_gap;
                    squares += last_gap * last_gap;
                    longest = std::max(longest, last_gap);
                }
                ++days;
                for (std::size_t k = 0; k < decays.size(); ++k) decayed[k] += std::exp(-old / decays[k]);
                if (const double month = old / 30; month < static_cast<double>(months)) month_flags[static_cast<std::size_t>(month)] = T(1);
            }
            const bool new_order = i == 0 || t.when != previous;
            if (new_order) {
                ++n_orders;
                order_spend = 0;
            }
            order_spend += t.spend();
            spend += t.spend();
            pieces += t.quantity;
            for (std::size_t k = 0; k < windows.size(); ++k)
                if (old <= windows[k]) {
                    orders[k] += new_order ? 1 : 0;
                    spends[k] += t.spend();
                }
            previous = t.when;
        }
        require_at(std::isfinite(spend) && std::isfinite(pieces), errc::nan_or_inf, {.row = row}, "purchase_rhythm: a quantity or price of customer ", row,
                   " is not finite");
        const double mean_gap = days > 1 ? gaps / (days - 1) : 0;
        const double deviation = days > 2 ? std::sqrt(std::max(0.0, (squares - gaps * mean_gap) / (days - 2))) : 0;
        const double waited = age(x, previous);
        std::size_t at = 0;
        const auto put = [&](double value) {
            require_at(std::abs(value) <= static_cast<double>(std::numeric_limits<T>::max()), errc::number_out_of_range, {.row = row, .column = at + 1},
                       "purchase_rhythm: a number of customer ", row, " is beyond the number type");
            out[at++] = static_cast<T>(value);
        };
        const auto put_log = [&](double value) { put(std::copysign(std::log1p(std::abs(value)), value)); };
        for (const double value : {days, mean_gap, longest, last_gap, deviation, mean_gap > 0 ? waited / mean_gap : 0.0}) put_log(value);
        put(days > 1 ? 0 : 1);
        for (const double value : {spend / n_orders, order_spend, pieces > 0 ? spend / pieces : 0.0}) put_log(value);
        for (std::size_t k = 0; k < windows.size(); ++k) {
            put_log(orders[k]);
            put_log(spends[k]);
        }
        for (const double sum : decayed) put(std::log(0.01 + sum));
        double months_with_purchase = 0;
        for (const T flag : month_flags) months_with_purchase += static_cast<double>(flag);
        at += months;
        put(months_with_purchase);
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
