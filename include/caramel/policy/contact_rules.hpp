#ifndef CARAMEL_POLICY_CONTACT_RULES_HPP
#define CARAMEL_POLICY_CONTACT_RULES_HPP

// How often a customer may be contacted: caps, gaps and quiet times, as the list of actions that a policy may choose from.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/policy/transition.hpp>

namespace caramel::inline CARAMEL_ABI {

/// An action of a policy. One with a channel reaches the customer by it; one without is no contact, and never limited.
struct channel_action {
    std::string name{};
    std::string channel{};  ///< "email", "phone", ...; empty: no contact
};

/// At most so many contacts within the last `periods`, this one included.
struct contact_cap {
    std::size_t contacts = 1;  ///< 0: none at all
    std::int64_t periods = 1;  ///< at least 1; 7 days: today and the six before it
    std::string channel{};     ///< of this channel alone; empty: of all of them together
};

/// From one contact to the next at least so many periods: 1 allows one a period, 2 leaves a period free.
struct contact_gap {
    std::int64_t periods = 1;  ///< at least 1
    std::string channel{};     ///< between contacts of this channel; empty: between any two
};

/// No contacts in the periods from `from` to before `until`; with `every`, again each so many periods, before and after.
/// Weekends, where day 0 is a Monday: `{.from = 5, .until = 7, .every = 7}`.
struct quiet_time {
    std::int64_t from = 0, until = 0;  ///< from < until
    std::int64_t every = 0;            ///< 0: once; else at least until - from
    std::string channel{};             ///< on this channel alone; empty: on all of them
};

/// What a set of rules is made of.
struct contact_limits {
    std::vector<channel_action> actions{};  ///< in the policy's order: action 0 first
    std::vector<contact_cap> caps{};
    std::vector<contact_gap> gaps{};
    std::vector<quiet_time> quiet{};
};

/// The contacts that a customer had, as far back as rules look: ten bytes each, in order of time. A plain value, for the host to
/// store beside the customer; it is saved as a field of other models, too.
struct contact_history {
    std::vector<std::int64_t> periods{};
    std::vector<std::uint16_t> actions{};

    static constexpr std::array field_names{"periods", "actions"};
    template <class = void>
    [[nodiscard]] auto fields() const noexcept { return std::tie(periods, actions); }
    friend bool operator==(const contact_history&, const contact_history&) = default;
};

/// Says which actions a customer may get, and keeps their histories. Periods are whole numbers, such as days since some day.
///
///     const contact_rules rules({.actions = {{"nothing"}, {"newsletter", "email"}, {"call", "phone"}},
///                                .caps = {{.contacts = 2, .periods = 7}, {.contacts = 1, .periods = 30, .channel = "phone"}}});
///     const choice c = policy(rules.limit(decision<1>{.state = {3}}, history, today));
///     rules.record(history, c.action, today);
///
/// Contacts that a history holds for later periods (planned ones, clocks that differ) count as those as far back do.
class contact_rules {
   public:
    /// Throws `error` (`bad_parameter`) with the number of the action, cap, gap or quiet time as the row: no actions, more than
    /// 65,000, a name twice or empty, a channel that no action has, periods below 1, a quiet time that does not end after it began.
    template <class = void>
    explicit contact_rules(contact_limits limits);

    template <class = void>
    [[nodiscard]] std::size_t actions() const noexcept { return limits_.actions.size(); }
    [[nodiscard]] const contact_limits& limits() const noexcept { return limits_; }
    /// The number of an action. Throws `error` (`unknown_id`).
    template <class = void>
    [[nodiscard]] std::size_t action(std::string_view name) const;
    [[nodiscard]] const std::string& name(std::size_t action) const {
        require_action(action);
        return limits_.actions[action].name;
    }
    [[nodiscard]] bool is_contact(std::size_t action) const {
        require_action(action);
        return channel_of_[action] != none;
    }

    /// The actions that are no contact.
    template <class = void>
    [[nodiscard]] std::vector<std::size_t> silent() const {
        std::vector<std::size_t> out;
        for (std::size_t a = 0; a < actions(); ++a)
            if (channel_of_[a] == none) out.push_back(a);
        return out;
    }

    /// Whether the customer may get this action in period `now`. Throws `error`: `unknown_id`, `bad_data` (a history that is not
    /// one: out of order, or of actions that do not exist).
    template <class = void>
    [[nodiscard]] bool allows(const contact_history& past, std::size_t action, std::int64_t now) const {
        require_action(action);
        require_history(past);
        return channel_of_[action] == none || open(past, channel_of_[action], now);
    }
    /// The actions that the customer may get in period `now`, in order: what `decision::allowed` holds. Without any action that is
    /// no contact the list may be empty, and a policy then refuses to decide.
    template <class = void>
    [[nodiscard]] std::vector<std::size_t> allowed(const contact_history& past, std::int64_t now) const;
    /// The decision with what it allows and the rules allow, both. Throws also `unknown_id` (it allows an action that does not exist).
    template <std::size_t N>
    [[nodiscard]] decision<N> limit(decision<N> asked, const contact_history& past, std::int64_t now) const {
        auto list = allowed(past, now);
        if (asked.allowed) {
            for (const std::size_t a : *asked.allowed) require_action(a);
            std::erase_if(list, [&](std::size_t a) { return std::find(asked.allowed->begin(), asked.allowed->end(), a) == asked.allowed->end(); });
        }
        asked.allowed = std::move(list);
        return asked;
    }

    /// Notes what the customer got; what is no contact leaves no trace. Contacts too old for any cap or gap, seen from the newest,
    /// are dropped. Throws `error` and changes nothing: `unknown_id`, `bad_data` (as `allows`).
    template <class = void>
    void record(contact_history& past, std::size_t action, std::int64_t now) const;
    /// So many periods back, the present one included, rules look: 0 without caps and gaps.
    [[nodiscard]] std::int64_t memory() const noexcept { return memory_; }

   private:
    static constexpr std::uint16_t none = 0xFFFF, every = 0xFFFE;  // numbers of channels that are none
    struct rule {
        std::uint16_t channel;
        std::size_t contacts;
        std::int64_t periods;
    };
    struct silence {
        std::uint16_t channel;
        std::int64_t from, until, every;
    };

    template <class = void>
    void require_action(std::size_t action) const { require(action < actions(), errc::unknown_id, "contact_rules: no such action, there are ", actions()); }
    void require_history(const contact_history& past) const {
        bool good = past.periods.size() == past.actions.size();
        for (std::size_t i = 0; good && i < past.actions.size(); ++i)
            good = past.actions[i] < actions() && channel_of_[past.actions[i]] != none && (i == 0 || past.periods[i - 1] <= past.periods[i]);
        require(good, errc::bad_data, "contact_rules: the history is not one of these rules: out of order, or with other actions");
    }
    // a - b, as far as numbers go.
    static std::int64_t distance(std::int64_t a, std::int64_t b) noexcept {
        constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
        if (a < b) return -distance(b, a);
        const std::uint64_t away = static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b);
        return away > static_cast<std::uint64_t>(most) ? most : static_cast<std::int64_t>(away);
    }

    [[nodiscard]] bool applies_to(std::uint16_t channel, std::uint16_t action) const noexcept { return channel == every || channel_of_[action] == channel; }
    template <class = void>
    [[nodiscard]] bool open(const contact_history& past, std::uint16_t channel, std::int64_t now) const noexcept;

    contact_limits limits_;
    std::vector<std::uint16_t> channel_of_;  // by action
    std::vector<rule> caps_;
    std::vector<silence> quiet_;
    std::int64_t memory_ = 0;
};

template <class>
inline contact_rules::contact_rules(contact_limits limits) : limits_(std::move(limits)) {
    constexpr std::string_view who = "contact_rules: ";
    const auto& names = limits_.actions;
    require(!names.empty() && names.size() <= 65'000, errc::bad_parameter, who, names.size(), " actions, there must be 1 to 65,000");
    std::vector<std::string_view> channels, seen;
    for (std::size_t a = 0; a < names.size(); ++a) {
        require_at(!names[a].name.empty(), errc::bad_parameter, {.row = a + 1}, who, "action ", a + 1, " has no name");
        seen.push_back(names[a].name);
        if (names[a].channel.empty()) {
            channel_of_.push_back(none);
            continue;
        }
        const auto found = std::find(channels.begin(), channels.end(), names[a].channel);
        channel_of_.push_back(static_cast<std::uint16_t>(found - channels.begin()));
        if (found == channels.end()) channels.push_back(names[a].channel);
    }
    std::sort(seen.begin(), seen.end());
    require(std::adjacent_find(seen.begin(), seen.end()) == seen.end(), errc::bad_parameter, who, "two actions have the same name");

    const auto number = [&](const std::string& channel, std::string_view what, std::size_t i) {
        if (channel.empty()) return every;
        const auto found = std::find(channels.begin(), channels.end(), channel);
        require_at(found != channels.end(), errc::bad_parameter, {.row = i + 1}, who, what, i + 1, " is for a channel that no action has: ", channel);
        return static_cast<std::uint16_t>(found - channels.begin());
    };
    for (std::size_t i = 0; i < limits_.caps.size(); ++i) {
        const auto& c = limits_.caps[i];
        require_at(c.periods >= 1, errc::bad_parameter, {.row = i + 1}, who, "cap ", i + 1, " is for ", c.periods, " periods, must be at least 1");
        caps_.push_back({.channel = number(c.channel, "cap ", i), .contacts = c.contacts, .periods = c.periods});
    }
    for (std::size_t i = 0; i < limits_.gaps.size(); ++i) {
        const auto& g = limits_.gaps[i];
        require_at(g.periods >= 1, errc::bad_parameter, {.row = i + 1}, who, "gap ", i + 1, " is of ", g.periods, " periods, must be at least 1");
        caps_.push_back({.channel = number(g.channel, "gap ", i), .contacts = 1, .periods = g.periods});  // a gap is a cap of 1
    }
    for (const auto& c : caps_) memory_ = std::max(memory_, c.periods);
    for (std::size_t i = 0; i < limits_.quiet.size(); ++i) {
        const auto& q = limits_.quiet[i];
        require_at(q.from < q.until, errc::bad_parameter, {.row = i + 1}, who, "quiet time ", i + 1, " ends before it begins");
        const std::int64_t length = distance(q.until, q.from);
        require_at(q.every == 0 || q.every >= length, errc::bad_parameter, {.row = i + 1}, who, "quiet time ", i + 1, " comes again every ", q.every,
                   " periods, before it ends");
        quiet_.push_back({.channel = number(q.channel, "quiet time ", i), .from = q.from, .until = q.until, .every = q.every});
    }
}

template <class>
inline std::size_t contact_rules::action(std::string_view name) const {
    const auto found = std::find_if(limits_.actions.begin(), limits_.actions.end(), [&](const channel_action& one) { return one.name == name; });
    require(found != limits_.actions.end(), errc::unknown_id, "contact_rules: there is no action of that name");
    return static_cast<std::size_t>(found - limits_.actions.begin());
}

template <class>
inline bool contact_rules::open(const contact_history& past, std::uint16_t channel, std::int64_t now) const noexcept {
    const auto applies = [&](std::uint16_t of) { return of == every || of == channel; };
    for (const auto& q : quiet_) {
        if (!applies(q.channel)) continue;
        if (q.every == 0) {
            if (now >= q.from && now < q.until) return false;
            continue;
        }
        const auto phase = [&](std::int64_t t) { return t % q.every < 0 ? t % q.every + q.every : t % q.every; };
        const std::int64_t since = phase(now) - phase(q.from);
        if ((since < 0 ? since + q.every : since) < distance(q.until, q.from)) return false;
    }
    for (const auto& c : caps_) {
        if (!applies(c.channel)) continue;
        std::size_t count = 0;
        for (std::size_t i = past.periods.size(); i-- > 0;) {
            const std::int64_t back = distance(now, past.periods[i]);
            if (back >= c.periods) break;
            if (-back < c.periods && applies_to(c.channel, past.actions[i])) ++count;
        }
        if (count >= c.contacts) return false;
    }
    return true;
}

template <class>
inline std::vector<std::size_t> contact_rules::allowed(const contact_history& past, std::int64_t now) const {
    require_history(past);
    std::vector<std::size_t> out;
    std::uint16_t last = none;
    bool last_open = true;
    for (std::size_t a = 0; a < actions(); ++a) {
        if (channel_of_[a] != none && channel_of_[a] != last) {  // actions of a channel often stand together
            last = channel_of_[a];
            last_open = open(past, last, now);
        }
        if (channel_of_[a] == none || last_open) out.push_back(a);
    }
    return out;
}

template <class>
inline void contact_rules::record(contact_history& past, std::size_t action, std::int64_t now) const {
    require_action(action);
    require_history(past);
    if (channel_of_[action] == none || memory_ == 0) return;
    contact_history next = past;
    const auto at = std::upper_bound(next.periods.begin(), next.periods.end(), now) - next.periods.begin();
    next.periods.insert(next.periods.begin() + at, now);
    next.actions.insert(next.actions.begin() + at, static_cast<std::uint16_t>(action));
    const std::int64_t newest = next.periods.back();
    std::ptrdiff_t old = 0;
    while (distance(newest, next.periods[static_cast<std::size_t>(old)]) >= memory_) ++old;
    next.periods.erase(next.periods.begin(), next.periods.begin() + old);
    next.actions.erase(next.actions.begin(), next.actions.begin() + old);
    past = std::move(next);
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
