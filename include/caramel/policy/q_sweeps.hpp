#ifndef CARAMEL_POLICY_Q_SWEEPS_HPP
#define CARAMEL_POLICY_Q_SWEEPS_HPP

// Q-learning over a stored log, as fast as memory hands out the rows of the table. While it runs the table lies in rows that
// begin at cache lines, what must not be valued in it is -infinity, and states without a future have rows of their own: so
// the largest value of a row needs no question, and rows are asked for some steps before they are needed.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/core/large_pages.hpp>
#include <caramel/core/platform.hpp>
#include <caramel/policy/q_core.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI::detail {

// The largest of `count` values; in sixteen bytes at once where the compiler has them, else one by one. A row is padded to
// a whole number of sixteen bytes.
template <class T>
CARAMEL_ALWAYS_INLINE T largest_of_row(const T* row, std::size_t count) noexcept {
    constexpr std::size_t width = 16 / sizeof(T);
#if defined(__GNUC__)
    typedef T lane __attribute__((vector_size(16)));
    typedef T unaligned __attribute__((vector_size(16), aligned(alignof(T)), may_alias));
    lane best = *reinterpret_cast<const unaligned*>(row);
    for (std::size_t i = width; i < count; i += width) {
        const lane x = *reinterpret_cast<const unaligned*>(row + i);
        best = x > best ? x : best;
    }
    if constexpr (width == 4) {
        const T a = best[0] > best[2] ? best[0] : best[2], b = best[1] > best[3] ? best[1] : best[3];
        return a > b ? a : b;
    } else {
        return best[0] > best[1] ? best[0] : best[1];
    }
#else
    T best = row[0];
    for (std::size_t i = 1; i < (count + width - 1) / width * width; ++i) best = row[i] > best ? row[i] : best;
    return best;
#endif
}

template <class T, std::size_t N, class Offset>
class log_sweeps {
   public:
    log_sweeps(q_core<T, N>& core, std::span<const transition<N>> log)
        : core_(core), states_(core.table.state_count()), actions_(core.actions()), stride_(stride_of(actions_)) {
        read(log);
        core.value_only_tried();
        lay_out();
    }
    static constexpr std::size_t stride_of(std::size_t actions) noexcept {
        constexpr std::size_t line = 64 / sizeof(T), least = 16 / sizeof(T);
        return actions > line ? (actions + line - 1) / line * line : std::max(least, std::bit_ceil(actions));
    }

    // Once through the log; the mean squared difference.
    double sweep(bool forwards) {
        double worst = 0;
        const double sum = core_.sizes.constant() ? (forwards ? run<true, true>(worst) : run<false, true>(worst))
                                                  : (forwards ? run<true, false>(worst) : run<false, false>(worst));
        require_in_range<T>(worst, core_.who);
        require(!std::isnan(sum), errc::diverged, core_.who, ": a value left the finite numbers: scale the rewards down, or lower the discount");
        return sum / static_cast<double>(entries_.size());
    }
    // The values back into the table.
    void finish() {
        for (std::size_t s = 0; s < states_; ++s) {
            auto out = core_.table.values_of(s);
            const std::uint8_t* const open = core_.open_at(s);
            for (std::size_t a = 0; a < actions_; ++a)
                if (open[a] != 0) out[a] = at_[s * stride_ + a];
        }
        for (std::size_t i = 0; i < closed_.size(); ++i) core_.table.values_of(closed_[i] / actions_)[closed_[i] % actions_] = at_[aside() + i];
    }

   private:
    struct entry {
        Offset cell, next;  // of values
        double reward;
    };
    // Behind the table: a row of zeros for ends, a row of the initial value for states that know no action, and cells that
    // the log shows but the table forbids, which learn and are never looked at.
    [[nodiscard]] std::size_t ends() const noexcept { return states_ * stride_; }
    [[nodiscard]] std::size_t unknown() const noexcept { return ends() + stride_; }
    [[nodiscard]] std::size_t aside() const noexcept { return unknown() + stride_; }

    void read(std::span<const transition<N>> log) {
        reserve_large(entries_, log.size());
        const auto shape = core_.table.states();
        const auto visits = std::span(core_.table.visits_of(0).data(), states_ * actions_);
        if (!core_.sizes.constant()) before_.assign(visits.begin(), visits.end());
        const auto& marks = core_.table.allowed();
        const bool masked = std::find(marks.data(), marks.data() + marks.size(), std::uint8_t{0}) != marks.data() + marks.size();
        const auto likely_cell = [&](const transition<N>& t) {  // not checked yet: it may say anything
            std::size_t number = 0;
            for (std::size_t d = 0; d < N; ++d) number = number * shape[d] + std::min(t.state[d], shape[d] - 1);
            return number * actions_ + std::min(t.action, actions_ - 1);
        };
        for (std::size_t i = 0; i < log.size(); ++i) {
            CARAMEL_PREFETCH(visits.data() + likely_cell(log[std::min(i + 16, log.size() - 1)]));
            const auto t = checked_step(log[i], shape, actions_, core_.who, i + 1);
            const std::size_t cell = t.state * actions_ + t.action;
            ++visits[cell];
            if (masked && marks.data()[cell] == 0) closed_.push_back(cell);
            entries_.push_back({.cell = static_cast<Offset>(t.state * stride_ + t.action),
                                .next = static_cast<Offset>(t.terminal ? ends() : t.next * stride_),
                                .reward = t.reward});
        }
        std::sort(closed_.begin(), closed_.end());
        closed_.erase(std::unique(closed_.begin(), closed_.end()), closed_.end());
    }
    void lay_out() {
        constexpr std::size_t line = 64 / sizeof(T);
        constexpr T none = -std::numeric_limits<T>::infinity();
        const std::size_t size = aside() + closed_.size();
        reserve_large(memory_, size + line);
        memory_.resize(size + line, none);
        const auto misplaced = reinterpret_cast<std::uintptr_t>(memory_.data()) % 64 / sizeof(T);
        at_ = memory_.data() + (misplaced == 0 ? 0 : line - misplaced);
        if (!core_.sizes.constant()) updates_.assign(size, 0);
        std::vector<std::uint8_t> known(states_, 0);
        for (std::size_t s = 0; s < states_; ++s) {
            const auto values = core_.table.values_of(s);
            const std::uint8_t* const open = core_.open_at(s);
            for (std::size_t a = 0; a < actions_; ++a) {
                if (open[a] != 0) {
                    at_[s * stride_ + a] = values[a];
                    known[s] = 1;
                }
                if (!updates_.empty()) updates_[s * stride_ + a] = before_[s * actions_ + a];
            }
        }
        std::fill_n(at_ + ends(), stride_, T(0));
        std::fill_n(at_ + unknown(), stride_, static_cast<T>(core_.initial));
        for (std::size_t i = 0; i < closed_.size(); ++i) {
            at_[aside() + i] = core_.table.values_of(closed_[i] / actions_)[closed_[i] % actions_];
            if (!updates_.empty()) updates_[aside() + i] = before_[closed_[i]];
        }
        before_ = {};
        if (closed_.empty() && std::find(known.begin(), known.end(), std::uint8_t{0}) == known.end()) return;
        const auto* const allowed = core_.table.allowed().data();
        for (entry& e : entries_) {
            if (e.next < ends() && known[e.next / stride_] == 0) e.next = static_cast<Offset>(unknown());
            if (closed_.empty()) continue;
            const std::size_t cell = e.cell / stride_ * actions_ + e.cell % stride_;
            if (allowed[cell] == 0)
                e.cell = static_cast<Offset>(aside() + static_cast<std::size_t>(std::lower_bound(closed_.begin(), closed_.end(), cell) - closed_.begin()));
        }
    }

    template <bool Forwards, bool Constant>
    double run(double& worst) {
        constexpr std::size_t ahead = 24;
        constexpr std::size_t line = 64 / sizeof(T);
        const std::size_t n = entries_.size(), actions = actions_;
        const entry* const entries = entries_.data();
        T* const values = at_;
        const double rate = core_.sizes.of(1), discount = core_.discount;
        double sum = 0, largest = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t soon = Forwards ? std::min(i + ahead, n - 1) : (n - 1) - std::min(i + ahead, n - 1);
            CARAMEL_PREFETCH(values + entries[soon].cell);
            for (std::size_t a = 0; a < actions; a += line) CARAMEL_PREFETCH(values + entries[soon].next + a);
            if constexpr (!Constant) CARAMEL_PREFETCH(updates_.data() + entries[soon].cell);
            const entry& e = entries[Forwards ? i : n - 1 - i];
            const double future = static_cast<double>(largest_of_row(values + e.next, actions));
            T& cell = values[e.cell];
            const double difference = e.reward + discount * future - static_cast<double>(cell);
            double now = rate;
            if constexpr (!Constant) now = core_.sizes.of(++updates_[e.cell]);
            const double next = static_cast<double>(cell) + now * difference;
            largest = std::abs(next) > largest ? std::abs(next) : largest;
            cell = static_cast<T>(next);
            sum += difference * difference;
        }
        worst = largest;
        return sum;
    }

    q_core<T, N>& core_;
    std::size_t states_, actions_, stride_;
    std::vector<entry> entries_;
    std::vector<std::size_t> closed_;  // cells that the log shows and the table forbids, ascending
    std::vector<T> memory_;
    T* at_ = nullptr;                     // the first value in it, at a cache line
    std::vector<std::uint64_t> before_;   // visits before this log
    std::vector<std::uint64_t> updates_;  // where rates fall: by place of the value
};

}  // namespace caramel::inline CARAMEL_ABI::detail

#endif
