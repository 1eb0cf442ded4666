#ifndef CARAMEL_POLICY_CUSTOMER_STATES_HPP
#define CARAMEL_POLICY_CUSTOMER_STATES_HPP

// Customers as states of a decision process: recency x frequency x value x last contact.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/workspace.hpp>
#include <caramel/data/histories.hpp>
#include <caramel/pipeline.hpp>
#include <caramel/policy/discretize.hpp>
#include <caramel/policy/policy_grid.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// What a policy must know of a customer: what they bought, and when the host last contacted them.
struct customer_record {
    history seen{};
    std::optional<std::chrono::sys_seconds> last_contact = {};  ///< empty: never
};

/// From a customer to the cell of a Q-table: days since the last purchase x orders x spend per order x whole periods
/// without contact.
class customer_states_model {
   public:
    using stage_concept = model_tag;
    static constexpr std::string_view kind = "customer_states";  // in saved files: never changes

    /// Where the axes are cut (see `cell_of`), how long a period is, and how many cells the last axis has.
    /// Throws `error` (`bad_data`) on cuts that are not finite and ascending, or a period or number of cells that is not
    /// positive.
    template <class = void>
    customer_states_model(double period_days, std::vector<double> recency_days, std::vector<double> orders, std::vector<double> spend, std::size_t contact_cells)
        : period_days_(period_days), recency_days_(std::move(recency_days)), orders_(std::move(orders)), spend_(std::move(spend)), contact_cells_(contact_cells) {
        require(period_days > 0 && period_days <= 36'500 && contact_cells > 0, errc::bad_data, "customer_states: the period or the cells of the last contact are not positive");
        require(detail::are_cuts(recency_days_) && detail::are_cuts(orders_) && detail::are_cuts(spend_), errc::bad_data, "customer_states: cuts are not finite and ascending");
    }

    /// One customer. Takes time linear in the purchases, if invoices rise with time, and no memory but the workspace's.
    /// Throws `error`: `empty_input` (no purchase), `nan_or_inf` (a quantity or price).
    template <class = void>
    [[nodiscard]] decision<4> operator()(const customer_record& x, workspace& scratch) const { return {.state = state_of(x, scratch, 1)}; }
    /// One customer who was never contacted.
    template <class = void>
    [[nodiscard]] decision<4> operator()(const history& x, workspace& scratch) const { return {.state = state_of({.seen = x}, scratch, 1)}; }
    /// A batch. An `error` has the customer's number, from 1, as its row.
    template <class = void>
    [[nodiscard]] std::vector<decision<4>> operator()(std::span<const customer_record> batch) const {
        return each(batch.size(), [batch](std::size_t i) { return batch[i]; });
    }
    /// Customers who were never contacted.
    template <class = void>
    [[nodiscard]] std::vector<decision<4>> operator()(const histories& batch) const {
        return each(batch.size(), [&batch](std::size_t i) { return customer_record{.seen = batch[i]}; });
    }

    /// Cells of each axis.
    [[nodiscard]] std::array<std::size_t, 4> shape() const noexcept { return {recency_days_.size() + 1, orders_.size() + 1, spend_.size() + 1, contact_cells_}; }
    /// The axes in words.
    template <class = void>
    [[nodiscard]] std::array<state_axis, 4> axes() const {
        state_axis contact{"periods without contact", {}};
        for (std::size_t i = 0; i < contact_cells_; ++i) contact.cells.push_back(detail::message(i) + (i + 1 == contact_cells_ ? "+" : ""));
        return {state_axis{"days since last order", cell_labels(recency_days_)}, state_axis{"orders", cell_labels(orders_)}, state_axis{"spend per order", cell_labels(spend_)},
                std::move(contact)};
    }

    [[nodiscard]] double period_days() const noexcept { return period_days_; }
    [[nodiscard]] const std::vector<double>& recency_days() const noexcept { return recency_days_; }
    [[nodiscard]] const std::vector<double>& orders() const noexcept { return orders_; }
    [[nodiscard]] const std::vector<double>& spend() const noexcept { return spend_; }
    [[nodiscard]] std::size_t contact_cells() const noexcept { return contact_cells_; }

    static constexpr std::array field_names{"period_days", "recency_days", "orders", "spend", "contact_cells"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(period_days_, recency_days_, orders_, spend_, contact_cells_); }

    /// Orders (invoices; without invoices, distinct times) and their mean spend, of purchases in the order of time.
    struct totals {
        double orders = 0, spend_per_order = 0;
    };
    /// Throws `error` with the row: `empty_input`, `nan_or_inf`.
    template <class = void>
    [[nodiscard]] static totals totals_of(std::span<const transaction> purchases, workspace& scratch, std::size_t row = 1) {
        require_at(!purchases.empty(), errc::empty_input, {.row = row}, "customer_states: customer ", row, " has no purchase");
        const workspace::frame frame(scratch);
        const auto orders = scratch.take<std::int64_t>(purchases.size());
        std::size_t n = 0;
        double spend = 0;
        for (const transaction& t : purchases) {
            spend += t.spend();
            const std::int64_t order = detail::order_of(t);
            if (n == 0 || orders[n - 1] != order) orders[n++] = order;
        }
        require_at(std::isfinite(spend), errc::nan_or_inf, {.row = row}, "customer_states: a quantity or price of customer ", row, " is not finite");
        // Rows of an order mostly stand together, and later orders mostly have higher numbers.
        const auto mine = orders.first(n);
        if (!std::is_sorted(mine.begin(), mine.end())) {
            std::sort(mine.begin(), mine.end());
            n = static_cast<std::size_t>(std::unique(mine.begin(), mine.end()) - mine.begin());
        }
        return {static_cast<double>(n), spend / static_cast<double>(n)};
    }

   private:
    template <class = void>
    std::array<std::size_t, 4> state_of(const customer_record& x, workspace& scratch, std::size_t row) const {
        using days = std::chrono::duration<double, std::ratio<86400>>;
        const totals t = totals_of(x.seen.purchases, scratch, row);
        const double recency = days(x.seen.as_of - x.seen.purchases.back().when).count();
        std::size_t contact = contact_cells_ - 1;
        if (x.last_contact) {  // rounded: months differ by days, and hosts are late
            const double periods = std::max(0.0, std::round(days(x.seen.as_of - *x.last_contact).count() / period_days_) - 1);
            if (periods < static_cast<double>(contact)) contact = static_cast<std::size_t>(periods);
        }
        return {cell_of(recency_days_, recency), cell_of(orders_, t.orders), cell_of(spend_, t.spend_per_order), contact};
    }
    template <class Record>
    std::vector<decision<4>> each(std::size_t n, const Record& record) const {
        std::vector<decision<4>> out(n);
        workspace scratch;
        for (std::size_t i = 0; i < n; ++i) out[i].state = state_of(record(i), scratch, i + 1);
        return out;
    }

    double period_days_;
    std::vector<double> recency_days_, orders_, spend_;
    std::size_t contact_cells_;
};

/// Recipe for `customer_states_model`: orders and spend per order are cut into cells of about equally many customers
/// (fewer where customers are alike), recency at given days.
struct customer_states {
    using stage_concept = recipe_tag;

    double period_days = 30;                             ///< between two decisions
    std::vector<double> recency_days = {30, 60, 120};    ///< ascending
    std::size_t order_cells = 3;
    std::size_t spend_cells = 3;
    std::size_t contact_cells = 3;                       ///< contacted in the last period, 1, 2 or more periods without

    /// Throws `error`: `bad_parameter`; `empty_input` (no customers); `nan_or_inf` with the customer's row.
    template <class = void>
    [[nodiscard]] customer_states_model fit(const histories& seen, const fit_options&) const {
        constexpr std::string_view who = "customer_states";
        require(period_days > 0 && period_days <= 36'500, errc::bad_parameter, who, ": period_days must lie in (0, 36500], got ", period_days);
        require(detail::are_cuts(recency_days), errc::bad_parameter, who, ": recency_days must be finite and ascending");
        require(order_cells > 0, errc::bad_parameter, who, ": order_cells must be at least 1");
        require(spend_cells > 0, errc::bad_parameter, who, ": spend_cells must be at least 1");
        require(contact_cells > 0 && contact_cells <= 1000, errc::bad_parameter, who, ": contact_cells must be 1 to 1000, got ", contact_cells);
        require(seen.size() > 0, errc::empty_input, who, ": no customers to learn from");
        std::vector<double> orders, spend;
        workspace scratch;
        for (std::size_t i = 0; i < seen.size(); ++i) {
            const auto t = customer_states_model::totals_of(seen[i].purchases, scratch, i + 1);
            orders.push_back(t.orders);
            spend.push_back(t.spend_per_order);
        }
        return {period_days, recency_days, quantile_cuts(orders, order_cells), quantile_cuts(spend, spend_cells), contact_cells};
    }
};

}  // namespace caramel::inline CARAMEL_ABI

#endif
