#ifndef CARAMEL_NN_SCHEDULE_HPP
#define CARAMEL_NN_SCHEDULE_HPP

// How the learning rate moves through the steps of training.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string_view>

#include <caramel/core/error.hpp>

namespace caramel::inline CARAMEL_ABI {

/// How the learning rate moves through training.
enum class rate_shape : std::uint8_t {
    constant,
    cosine,     ///< down from the learning rate to `last` of it along half a cosine (Loshchilov & Hutter, ICLR 2017)
    linear,     ///< down along a line
    one_cycle,  ///< from `first` of the rate up to it at `peak`, then down to `last`, both along half a cosine (Smith & Topin, 2018)
};

/// The share of the learning rate that is taken at each step of training: `rate_schedule{.shape = rate_shape::cosine, .warm_up = 0.05}`.
struct rate_schedule {
    rate_shape shape = rate_shape::constant;
    double warm_up = 0;   ///< 0 <= share < 1 of the steps, over which the rate rises along a line; not for one_cycle, which has its own
    double last = 0;      ///< at least 0: where cosine, linear and one_cycle end, as a share of the learning rate
    double first = 0.04;  ///< of one_cycle, above 0
    double peak = 0.3;    ///< of one_cycle: the share of the steps at which the rate is highest; 0 < peak < 1

    /// The factor of step `step` (from 1) of `steps`. What is behind the last step has the last one's factor.
    [[nodiscard]] double at(std::size_t step, std::size_t steps) const noexcept {
        const std::size_t warm = static_cast<std::size_t>(warm_up * static_cast<double>(steps));
        if (step <= warm) return static_cast<double>(step) / static_cast<double>(warm);
        if (shape == rate_shape::constant) return 1;
        const std::size_t now = step < steps ? step : steps;
        const double done = static_cast<double>(now - warm - 1) / static_cast<double>(steps - warm);
        const auto between = [](double from, double to, double share) { return to + (from - to) * (1 + std::cos(std::numbers::pi * share)) / 2; };
        switch (shape) {
            case rate_shape::cosine: return between(1, last, done);
            case rate_shape::linear: return 1 + (last - 1) * done;
            default: return done < peak ? between(first, 1, done / peak) : between(1, last, (done - peak) / (1 - peak));
        }
    }

    friend bool operator==(const rate_schedule&, const rate_schedule&) = default;
};

/// Throws `error` (`bad_parameter`) on a field out of range.
template <class = void>
inline void require_schedule(const rate_schedule& s, std::string_view who) {
    require(s.shape <= rate_shape::one_cycle, errc::bad_parameter, who, ": no schedule has the number ", static_cast<unsigned>(s.shape));
    require(s.warm_up >= 0 && s.warm_up < 1, errc::bad_parameter, who, ": schedule.warm_up = ", s.warm_up, ", must be at least 0 and below 1");
    require(std::isfinite(s.last) && s.last >= 0, errc::bad_parameter, who, ": schedule.last = ", s.last, ", must be at least 0");
    if (s.shape != rate_shape::one_cycle) return;
    require(s.warm_up == 0, errc::bad_parameter, who, ": schedule.warm_up = ", s.warm_up, ", but one_cycle warms up by itself");
    require(std::isfinite(s.first) && s.first > 0, errc::bad_parameter, who, ": schedule.first = ", s.first, ", must be above 0");
    require(s.peak > 0 && s.peak < 1, errc::bad_parameter, who, ": schedule.peak = ", s.peak, ", must lie between 0 and 1");
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
